/*
 * A table with a column per meter, as building management systems and loggers of sub-meters write
 * it: a time, and then the readings of each meter, whose name stands above its column.
 *
 * A column's name is taken apart: "MPAN 2200990050083 Export (kWh)" has an identifier, a channel
 * and a unit. Units and identifiers may also have a line of their own, above or below the names.
 * What is left must be a name: columns called "Day" and "Night", "Import", "Total" are quantities
 * of one meter, and such a table is none of these.
 */
#include "../lib/utf8.h"
#include "layout_internal.h"
#include "meter.h"

#include <apr_lib.h>

#define LABEL_LINES 2  /* of units and identifiers, below the names */
#define HEADER_LINES 3 /* names, units, identifiers: above the first row */
#define MPAN_DIGITS 13

/* One column's heading, taken apart. */
typedef struct heading_t {
    char name[ECL_METER_MAX];
    ecl_meter_kind_t kind;
    ecl_meter_status_t status;
    int is_identifier; /* an MPAN or MPRN */
    int is_quantity;   /* no meter's name */
    int is_other;      /* known, and no energy: a temperature, a cost */
    ecl_unit_t unit;
    const char *channel; /* NULL: it names none; "": none that is kept */
} heading_t;

/* ---- a name taken apart ------------------------------------------------------------------------
 */

static int is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(word, words[i])) {
            return 1;
        }
    }
    return 0;
}

#define IS_AMONG(word, words) is_among(word, words, sizeof(words) / sizeof((words)[0]))

/* Whether all of a text's words, and there may be none, are for quantities: "Off-peak 1". */
static int says_quantity(const char *text)
{
    static const char *const words[] = {
        "day",        "night",    "peak",     "off",       "offpeak",    "weekend",
        "weekday",    "evening",  "rate",     "tariff",    "register",   "total",
        "sum",        "overall",  "grand",    "estimated", "estimate",   "actual",
        "forecast",   "target",   "baseline", "budget",    "previous",   "last",
        "current",    "year",     "month",    "week",      "average",    "avg",
        "min",        "max",      "minimum",  "maximum",   "generation", "generated",
        "production", "produced", "pv",       "solar",     "battery",    "grid",
        "self",       "feed",     "in",       "net",       "gross",      "consumption",
        "consumed",   "usage",    "used",     "use",       "energy",     "electricity",
        "electric",   "gas",      "reading",  "readings",  "read",       "value",
        "values",     "data",     "interval", "period",    "hh",         "half",
        "hour",       "hourly",   "quantity", "amount",    "import",     "export",
        "imported",   "exported", "active",   "reactive",  "unit",       "units",
        "kwh",        "the",      "of",       "per",       "to",         "from",
        "wh",         "mwh",      "t",        "low",       "normal",     "high",
        "returned"};
    char word[ECL_WORD_MAX];

    while (*text) {
        size_t length = 0;

        if (text[0] == '(' && apr_isalpha(text[1]) && text[2] == ')') {
            text += 3; /* of a phase */
            continue;
        }
        while (apr_isalpha(text[length]) || (text[length] & 0x80)) {
            length++;
        }
        if (!length) {
            text++;
            continue;
        }
        if (!ecl_word_fold(text, length, word) || !IS_AMONG(word, words)) {
            return 0;
        }
        text += length;
    }
    return 1;
}

/* What stands beside meters in such exports and is no energy. */
static int says_other(const char *text)
{
    static const char *const parts[] = {
        "temp", "humid", "degree",   "weather", "carbon",  "co2",  "volt",    "amps",   "hertz",
        "cost", "price", "pressure", "status",  "quality", "flag", "comment", "remark", "note"};
    char word[ECL_WORD_MAX];

    if (!ecl_word_fold(text, strlen(text), word)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(word, parts[i])) {
            return 1;
        }
    }
    return 0;
}

static int is_known_unit(ecl_unit_t unit)
{
    return unit != ECL_UNIT_NONE && unit != ECL_UNIT_OTHER;
}

static void trim(char *text)
{
    size_t length = strlen(text), skip = strspn(text, " \t-_:,/");

    while (length > skip && strchr(" \t-_:,/", text[length - 1])) {
        length--;
    }
    memmove(text, text + skip, length - skip);
    text[length - skip] = '\0';
}

/* Where the last word of a text begins. */
static char *last_word(char *text, const char *between)
{
    char *at = text + strlen(text);

    while (at > text && !strchr(between, at[-1])) {
        at--;
    }
    return at;
}

/* A unit at the end: within brackets, or as the last word. */
static int cut_unit(char *text, ecl_unit_t *punit)
{
    size_t length = strlen(text);
    char close = length ? text[length - 1] : '\0', *open;
    ecl_unit_t unit;

    if (close == ')' || close == ']') {
        open = strrchr(text, close == ')' ? '(' : '[');
        unit = open ? ecl_unit_of(open + 1, (apr_size_t)(text + length - 1 - (open + 1)))
                    : ECL_UNIT_NONE;
    } else {
        open = last_word(text, " _-.");
        unit = ecl_unit_of(open, strlen(open));
    }
    if (!is_known_unit(unit) || *punit != ECL_UNIT_NONE) {
        return 0;
    }
    *punit = unit;
    *open = '\0';
    return 1;
}

/* "kWh Boiler House" */
static void cut_first_unit(char *text, ecl_unit_t *punit)
{
    size_t length = strcspn(text, " _-:");
    ecl_unit_t unit = ecl_unit_of(text, length);

    if (*punit == ECL_UNIT_NONE && text[length] && is_known_unit(unit)) {
        *punit = unit;
        memmove(text, text + length, strlen(text + length) + 1);
        trim(text);
    }
}

/* A word for a channel at the end, which comes before those that `words` has already. */
static int cut_channel(char *text, char words[ECL_WORD_MAX])
{
    char *last = last_word(text, " _"), joined[ECL_WORD_MAX];

    if (!last[0] || !ecl_channel_of(last, strlen(last)) ||
        strlen(last) + strlen(words) + 2 > sizeof(joined)) {
        return 0;
    }
    apr_snprintf(joined, sizeof(joined), "%s %s", last, words);
    apr_cpystrn(words, joined, ECL_WORD_MAX);
    *last = '\0';
    return 1;
}

/* "MPAN 2200…", "Meter: 1234567406": the word before an identifier. 1: there was one. */
static int cut_word_for_meter(char *text)
{
    size_t length = strcspn(text, " \t:#");
    const char *rest = text + length + strspn(text + length, " \t:#");
    int rank, is_utc;

    if (!text[length] || ecl_header_role(text, length, &rank, &is_utc) != ECL_ROLE_METER ||
        strspn(rest, "0123456789") < 6) {
        return 0;
    }
    memmove(text, rest, strlen(rest) + 1);
    return 1;
}

/* The one MPAN that a text has among other things; NULL: none, or several. */
static const char *find_mpan(const char *text)
{
    const char *found = NULL;

    while (*text) {
        size_t length = strspn(text, "0123456789");

        if (length == MPAN_DIGITS && ecl_meter_is_mpan(text, length)) {
            if (found) {
                return NULL;
            }
            found = text;
        }
        text += length ? length : 1;
    }
    return found;
}

static void take_identifier(heading_t *heading, char *text)
{
    int is_announced = cut_word_for_meter(text);
    const char *mpan = find_mpan(text);

    heading->status = ecl_meter_parse(mpan ? mpan : text, mpan ? MPAN_DIGITS : strlen(text),
                                      heading->name, &heading->kind);
    heading->is_identifier =
        heading->status == ECL_METER_DAMAGED || is_announced ||
        (heading->status == ECL_METER_OK && heading->kind != ECL_METER_OTHER) ||
        (heading->status == ECL_METER_CHECK_DIGIT && heading->kind == ECL_METER_MPAN);
}

static void read_heading(heading_t *heading, ecl_field_t cell)
{
    char text[256], words[ECL_WORD_MAX] = "";
    int rank, is_utc;
    ecl_role_t role = ecl_header_role(cell.text, cell.length, &rank, &is_utc);

    *heading = (heading_t){.unit = ECL_UNIT_NONE};
    apr_cpystrn(text, cell.text, sizeof(text));
    do {
        trim(text);
    } while (cut_unit(text, &heading->unit) || cut_channel(text, words));
    cut_first_unit(text, &heading->unit);
    if (heading->unit == ECL_UNIT_NONE) {
        heading->unit = ecl_unit_in_header(cell.text, cell.length);
    }
    heading->channel = words[0] ? ecl_channel_of(words, strlen(words)) : NULL;
    take_identifier(heading, text);
    heading->is_quantity =
        !heading->is_identifier && (role == ECL_ROLE_VALUE || says_quantity(text) ||
                                    ecl_grid_channel_of(cell.text, cell.length));
    heading->is_other =
        !heading->is_identifier && (role == ECL_ROLE_TOTAL || role == ECL_ROLE_IGNORED ||
                                    role == ECL_ROLE_FLAG || heading->unit == ECL_UNIT_OTHER ||
                                    ecl_unit_in_header(cell.text, cell.length) == ECL_UNIT_OTHER ||
                                    (heading->channel && !heading->channel[0]) ||
                                    (!is_known_unit(heading->unit) && says_other(text)));
}

/* ---- lines of units and identifiers ------------------------------------------------------------
 */

static int is_identifier(ecl_field_t cell)
{
    heading_t heading;

    read_heading(&heading, cell);
    return heading.is_identifier;
}

/* 1 for a line that has nothing but units, or nothing but identifiers, in the columns from `from`
 * on. */
static int is_label_line(const ecl_record_t *record, int from)
{
    int units = 0, identifiers = 0, cells = 0;

    for (int c = from; c < record->count; c++) {
        ecl_field_t cell = record->fields[c];

        if (cell.length) {
            cells++;
            units += is_known_unit(ecl_unit_of(cell.text, cell.length));
            identifiers += is_identifier(cell);
        }
    }
    return cells && (units == cells || identifiers == cells);
}

int ecl_layout_label_lines(const ecl_sample_t *sample, int from)
{
    int count = 0;

    while (count < LABEL_LINES && from + count + 1 < sample->count &&
           !ecl_layout_looks_like_row(&sample->records[from + count]) &&
           is_label_line(&sample->records[from + count], 1)) {
        count++;
    }
    return count;
}

/* Adds to a heading what another line says above or below it. */
static void add_line(heading_t *heading, ecl_field_t cell)
{
    heading_t other;

    if (!cell.length) {
        return;
    }
    read_heading(&other, cell);
    if (!is_known_unit(heading->unit)) {
        heading->unit = other.unit;
    }
    if (!heading->channel) {
        heading->channel = other.channel;
    }
    if (!heading->is_identifier && (other.is_identifier || !heading->name[0])) {
        memcpy(heading->name, other.name, sizeof(heading->name));
        heading->kind = other.kind;
        heading->status = other.status;
        heading->is_identifier = other.is_identifier;
        heading->is_quantity = other.is_quantity;
        heading->is_other = other.is_other;
    }
}

/* ---- the columns -------------------------------------------------------------------------------
 */

/* The table in hand. */
typedef struct table_t {
    ecl_layout_t *layout;
    const ecl_attempt_t *attempt;
    const int *columns; /* that hold numbers, or nothing yet */
    heading_t *headings;
    int count;
    int lines_above; /* that belong to the header */
    apr_pool_t *p;
    ecl_result_t *result;
} table_t;

static ecl_field_t name_of(const table_t *table, int i)
{
    return ecl_sample_cell(&table->attempt->sample.records[table->attempt->header],
                           table->columns[i]);
}

/* Where the header's own cells are units, or no names at all, the line above may have the names; it
 * may have the identifiers of meters that the header gives other names. */
static int wants_line(const table_t *table, const ecl_record_t *above)
{
    int blank = 0, identifiers = 0, named = 0;

    for (int i = 0; i < table->count; i++) {
        ecl_field_t cell = ecl_sample_cell(above, table->columns[i]);

        named += cell.length > 0;
        identifiers += cell.length && is_identifier(cell);
        blank += !table->headings[i].name[0];
    }
    return named == table->count && (blank == table->count || identifiers == table->count);
}

static void read_headings(table_t *table)
{
    const ecl_attempt_t *attempt = table->attempt;
    const ecl_record_t *header = &attempt->sample.records[attempt->header];

    for (int i = 0; i < table->count; i++) {
        read_heading(&table->headings[i], name_of(table, i));
    }
    for (int line = 0; line < attempt->label_lines; line++) {
        for (int i = 0; i < table->count; i++) {
            add_line(&table->headings[i], ecl_sample_cell(header + 1 + line, table->columns[i]));
        }
    }
    for (int line = 1; line <= LABEL_LINES && line <= attempt->header; line++) {
        if (!wants_line(table, header - line)) {
            break;
        }
        for (int i = 0; i < table->count; i++) {
            add_line(&table->headings[i], ecl_sample_cell(header - line, table->columns[i]));
        }
        table->lines_above = line;
    }
}

/* What the headings are, counted. */
typedef struct tally_t {
    int identifiers, with_unit, bare, quantities;
} tally_t;

/* Whether the sample has anything in a column. */
static int is_filled(const table_t *table, int column)
{
    const ecl_sample_t *sample = &table->attempt->sample;

    for (int i = table->attempt->first + table->attempt->label_lines; i < sample->count; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], column);
        ecl_decimal_t value;

        if (ecl_decimal_parse(cell.text, cell.length, '.', &value) != ECL_DECIMAL_IS_MISSING) {
            return 1;
        }
    }
    return 0;
}

static tally_t count_headings(const table_t *table)
{
    tally_t tally = {0, 0, 0, 0};

    for (int i = 0; i < table->count; i++) {
        const heading_t *heading = &table->headings[i];

        if (heading->is_other) {
            continue;
        }
        if (heading->is_identifier) {
            tally.identifiers++;
        } else if (heading->is_quantity || !heading->name[0]) {
            tally.quantities++;
        } else if (is_known_unit(heading->unit)) {
            tally.with_unit++;
        } else {
            /* a blank column is a meter's only beside others that are */
            tally.bare += is_filled(table, table->columns[i]);
        }
    }
    return tally;
}

/* "A", "B" and 3 more */
static const char *list_names(const table_t *table)
{
    const char *text = "";
    int told = 0, more = 0;

    for (int i = 0; i < table->count; i++) {
        ecl_field_t name = name_of(table, i);

        if (table->headings[i].is_other) {
            continue;
        }
        if (told == 4) {
            more++;
            continue;
        }
        text =
            apr_psprintf(table->p, "%s%s\"%.*s\"", text, told ? ", " : "", ECL_CUT(40, name.text));
        told++;
    }
    return more ? apr_psprintf(table->p, "%s and %d more", text, more) : text;
}

static apr_status_t refuse_heading(const table_t *table, int i)
{
    ecl_field_t name = name_of(table, i);

    if (table->headings[i].status == ECL_METER_DAMAGED) {
        return ecl_fail(
            table->result, ECL_EINPUT, "meter-damaged",
            "the name of column %d, \"%.*s\", has lost digits of the meter's number, as "
            "a spreadsheet does when it shows a number in short: export the file again",
            table->columns[i] + 1, ECL_CUT(40, name.text));
    }
    return ecl_fail(table->result, ECL_EINPUT, "bad-meter",
                    "the name of column %d, \"%.*s\", is %s", table->columns[i] + 1,
                    ECL_CUT(40, name.text),
                    table->headings[i].status == ECL_METER_FORMULA
                        ? "a spreadsheet's formula, and not the meter that it gives"
                        : "too long for a meter's identifier");
}

/* Two columns of one meter and channel: which of them is meant is not said. */
static apr_status_t check_distinct(const table_t *table)
{
    const ecl_layout_t *layout = table->layout;

    for (int i = 0; i < layout->meter_count; i++) {
        for (int k = 0; k < i; k++) {
            const ecl_meter_column_t *a = &layout->meters[k], *b = &layout->meters[i];

            if (!strcmp(a->meter, b->meter) &&
                !strcmp(a->channel ? a->channel : "AI", b->channel ? b->channel : "AI")) {
                return ecl_fail(table->result, ECL_EINPUT, "several-values",
                                "columns %d and %d both hold readings of meter \"%s\", and which "
                                "of them counts is not said",
                                a->column + 1, b->column + 1, a->meter);
            }
        }
    }
    return APR_SUCCESS;
}

static const char *channel_of(const heading_t *heading)
{
    int is_export = heading->channel && heading->channel[1] == 'E';

    return heading->unit == ECL_UNIT_KVARH ? is_export ? "RE" : "RI" : heading->channel;
}

/* "Boiler kWh,Status,DB-1 kWh,Status" */
static int flag_column_of(const table_t *table, int column)
{
    ecl_field_t name =
        ecl_sample_cell(&table->attempt->sample.records[table->attempt->header], column + 1);
    int rank, is_utc;

    return ecl_header_role(name.text, name.length, &rank, &is_utc) == ECL_ROLE_FLAG ? column + 1
                                                                                    : -1;
}

static void note_identifier(const table_t *table, int i)
{
    const heading_t *heading = &table->headings[i];

    if (heading->status == ECL_METER_CHECK_DIGIT) {
        ecl_layout_add_note(table->layout, "check-digit",
                            apr_psprintf(table->p, "column %d: the check digit of MPAN %s is wrong",
                                         table->columns[i] + 1, heading->name),
                            table->p);
    } else if (heading->status == ECL_METER_LENGTH) {
        ecl_layout_add_note(
            table->layout, "identifier-length",
            apr_psprintf(table->p,
                         "column %d: identifier %s has %d digits; an MPAN has 13, an MPRN 6 to 10",
                         table->columns[i] + 1, heading->name, (int)strlen(heading->name)),
            table->p);
    }
}

static apr_status_t take_columns(const table_t *table, int with_bare)
{
    ecl_layout_t *layout = table->layout;

    layout->meters = apr_palloc(table->p, (apr_size_t)table->count * sizeof(*layout->meters));
    for (int i = 0; i < table->count; i++) {
        const heading_t *heading = &table->headings[i];
        int has_unit = is_known_unit(heading->unit);

        if (heading->is_other || (!heading->is_identifier && !has_unit && !with_bare)) {
            continue;
        }
        if (heading->status == ECL_METER_DAMAGED || heading->status == ECL_METER_TOO_LONG ||
            heading->status == ECL_METER_FORMULA) {
            return refuse_heading(table, i);
        }
        note_identifier(table, i);
        layout->meters[layout->meter_count++] = (ecl_meter_column_t){
            .column = table->columns[i],
            .flag_column = flag_column_of(table, table->columns[i]),
            .meter = apr_pstrdup(table->p, heading->name),
            .kind = heading->kind,
            .channel = channel_of(heading),
            .unit = has_unit ? ecl_unit_name(heading->unit) : NULL,
        };
    }
    if (layout->meter_count > ECL_LAYOUT_METERS) {
        return ecl_fail(table->result, ECL_EINPUT, "several-values",
                        "the file has %d columns of meters; at most %d are read: split it",
                        layout->meter_count, ECL_LAYOUT_METERS);
    }
    layout->value_column = layout->meters[0].column;
    return check_distinct(table);
}

static int is_meter_column(const ecl_layout_t *layout, int column)
{
    for (int i = 0; i < layout->meter_count; i++) {
        if (layout->meters[i].column == column) {
            return 1;
        }
    }
    return 0;
}

/* The unit that all columns share is the file's; and what is not read is told. */
static void finish(const table_t *table)
{
    ecl_layout_t *layout = table->layout;

    layout->unit = layout->meters[0].unit;
    for (int i = 1; i < layout->meter_count; i++) {
        const char *unit = layout->meters[i].unit;

        if (!unit || !layout->unit || strcmp(unit, layout->unit) != 0) {
            layout->unit = NULL;
        }
    }
    for (int i = 0; i < table->count; i++) {
        if (!is_meter_column(layout, table->columns[i])) {
            ecl_field_t name = name_of(table, i);

            ecl_layout_add_note(
                layout, "columns-not-read",
                apr_psprintf(table->p, "column \"%.*s\" (number %d) is not read: %s",
                             ECL_CUT(60, name.text), table->columns[i] + 1,
                             table->headings[i].is_other
                                 ? "its name is that of no meter's energy"
                                 : "its name says no unit, as those of the others do"),
                table->p);
        }
    }
    layout->meter_lines = table->lines_above || table->attempt->label_lines;
}

apr_status_t ecl_layout_take_meters(ecl_layout_t *layout, const ecl_attempt_t *attempt,
                                    const int *columns, int count, apr_pool_t *scratch,
                                    apr_pool_t *p, ecl_result_t *result)
{
    table_t table = {.layout = layout,
                     .attempt = attempt,
                     .columns = columns,
                     .count = count,
                     .p = p,
                     .result = result};
    int with_bare = layout->given.unit != NULL;
    apr_status_t status;
    tally_t tally;

    table.headings = apr_palloc(scratch, (apr_size_t)(count + 1) * sizeof(heading_t));
    read_headings(&table);
    tally = count_headings(&table);
    if (tally.quantities || (!tally.identifiers && tally.with_unit + tally.bare < 2)) {
        return APR_SUCCESS;
    }
    if (tally.bare && !tally.with_unit && !with_bare) {
        return ecl_fail(result, ECL_EINPUT, "unit-open",
                        "the file seems to have a column per meter (%s), and does not state the "
                        "unit of their values",
                        list_names(&table));
    }
    status = take_columns(&table, with_bare && !tally.with_unit);
    if (status == APR_SUCCESS) {
        finish(&table);
    }
    return status;
}

/* ---- meters that are numbered ------------------------------------------------------------------
 */

/* The first of a row's cells that has a time of day; -1: none has. */
static int time_of(const ecl_record_t *record, ecl_date_t *pdate)
{
    int minute = -1;

    *pdate = 0;
    for (int c = 0; c < record->count && c < 3 && minute < 0; c++) {
        ecl_field_t cell = record->fields[c];
        ecl_datetime_t stamp;

        if (strspn(cell.text, "0123456789.") == cell.length) {
            continue;
        }
        if (ecl_layout_is_date(cell, &stamp)) {
            *pdate = stamp.date;
        } else if (ecl_datetime_parse(cell.text, cell.length, ECL_ORDER_DMY, &stamp) !=
                   ECL_DATETIME_OK) {
            continue;
        }
        minute = stamp.has_time ? stamp.minute : -1;
    }
    return minute;
}

int ecl_layout_rows_are_times(const ecl_sample_t *sample, int from)
{
    int same_day = 0, rows = 0, last_minute = -1;
    ecl_date_t last_date = 0;

    for (int i = from; i < sample->count; i++) {
        ecl_date_t date;
        int minute = time_of(&sample->records[i], &date);

        if (sample->records[i].count * 2 < sample->records[from].count) {
            break; /* another table below this one */
        }
        rows += minute >= 0;
        same_day += minute >= 0 && last_minute >= 0 && date == last_date && minute != last_minute;
        last_minute = minute;
        last_date = date;
    }
    return same_day * 2 >= rows && same_day > 0;
}

/* ---- a header that has no word we know ----------------------------------------------------------
 */

/* The first record with a date in front and a number behind it. */
static int first_row(const ecl_sample_t *sample)
{
    for (int i = 0; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_field_t first = ecl_sample_cell(record, 0);
        ecl_datetime_t stamp;

        if (strspn(first.text, "0123456789") != first.length && ecl_layout_is_date(first, &stamp) &&
            ecl_layout_looks_like_row(record)) {
            return i;
        }
    }
    return -1;
}

/* Every number of the row has something above it that is none; identifiers count as names. */
static int is_above(const ecl_record_t *record, const ecl_record_t *row)
{
    int named = 0;

    for (int c = 1; c < row->count; c++) {
        ecl_field_t cell = row->fields[c], above = ecl_sample_cell(record, c);
        ecl_decimal_t value;

        if (ecl_decimal_parse(cell.text, cell.length, '.', &value) != ECL_DECIMAL_OK) {
            continue;
        }
        if (!above.length ||
            (ecl_decimal_parse(above.text, above.length, '.', &value) != ECL_DECIMAL_BAD &&
             !is_identifier(above))) {
            return 0;
        }
        named++;
    }
    return named;
}

int ecl_layout_find_meters(ecl_attempt_t *attempt)
{
    const ecl_sample_t *sample = &attempt->sample;
    int row = first_row(sample), header = -1;

    for (int i = row - 1; i >= 0 && i >= row - HEADER_LINES; i--) {
        if (!is_above(&sample->records[i], &sample->records[row])) {
            break;
        }
        if (!is_label_line(&sample->records[i], 1) || header < 0) {
            header = i;
        }
    }
    if (header < 0) {
        return 0;
    }
    attempt->header = header;
    attempt->first = header + 1;
    attempt->score = 1;
    return 1;
}
