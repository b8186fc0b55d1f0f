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
#include "heading.h"
#include "layout_internal.h"
#include "meter.h"

#include <apr_lib.h>

#define LABEL_LINES 2  /* of units and identifiers, below the names */
#define HEADER_LINES 3 /* names, units, identifiers: above the first row */

/* ---- lines of units and identifiers ------------------------------------------------------------
 */

/* "MPAN,1000000000012" is of all that stands below it, and not of the second column. */
static int is_of_table(const ecl_record_t *record, int cells)
{
    char meter[ECL_METER_MAX];

    return cells == 1 && ecl_layout_meter_in_line(record, ECL_METER_ABOVE_NUMBER, meter);
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
            units += ecl_unit_is_known(ecl_unit_of(cell.text, cell.length));
            identifiers += ecl_heading_is_identifier(cell);
        }
    }
    return cells && (units == cells || identifiers == cells) && !is_of_table(record, cells);
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

/* ---- the columns -------------------------------------------------------------------------------
 */

/* The table in hand. */
typedef struct table_t {
    ecl_layout_t *layout;
    const ecl_attempt_t *attempt;
    const int *columns; /* that hold numbers, or nothing yet */
    ecl_heading_t *headings;
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
        identifiers += cell.length && ecl_heading_is_identifier(cell);
        blank += !table->headings[i].name[0];
    }
    return named == table->count && (blank == table->count || identifiers == table->count) &&
           !is_of_table(above, named);
}

static void read_headings(table_t *table)
{
    const ecl_attempt_t *attempt = table->attempt;
    const ecl_record_t *header = &attempt->sample.records[attempt->header];

    for (int i = 0; i < table->count; i++) {
        ecl_heading_read(&table->headings[i], name_of(table, i));
    }
    for (int line = 0; line < attempt->label_lines; line++) {
        for (int i = 0; i < table->count; i++) {
            ecl_heading_add(&table->headings[i],
                            ecl_sample_cell(header + 1 + line, table->columns[i]));
        }
    }
    for (int line = 1; line <= LABEL_LINES && line <= attempt->header; line++) {
        if (!wants_line(table, header - line)) {
            break;
        }
        for (int i = 0; i < table->count; i++) {
            ecl_heading_add(&table->headings[i], ecl_sample_cell(header - line, table->columns[i]));
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
        const ecl_heading_t *heading = &table->headings[i];

        if (heading->is_other) {
            continue;
        }
        if (heading->is_identifier) {
            tally.identifiers++;
        } else if (heading->is_quantity || !heading->name[0]) {
            tally.quantities++;
        } else if (ecl_unit_is_known(heading->unit)) {
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

static const char *channel_of(const ecl_heading_t *heading)
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
    const ecl_heading_t *heading = &table->headings[i];

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
        const ecl_heading_t *heading = &table->headings[i];
        int has_unit = ecl_unit_is_known(heading->unit);

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

    table.headings = apr_palloc(scratch, (apr_size_t)(count + 1) * sizeof(ecl_heading_t));
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
             !ecl_heading_is_identifier(above))) {
            return 0;
        }
        named++;
    }
    return is_of_table(record, named) ? 0 : named;
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
