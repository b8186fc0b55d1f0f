#include "tables.h"

#include "../lib/utf8.h"
#include "hash.h"
#include "layout_internal.h"

#include <apr_lib.h>

/* ---- what lines say ----------------------------------------------------------------------------
 */

ecl_field_t ecl_tables_beginning(const ecl_record_t *record)
{
    ecl_field_t cell = {"", 0};
    const char *colon;

    for (int c = 0; c < record->count && !cell.length; c++) {
        cell = record->fields[c];
    }
    colon = memchr(cell.text, ':', cell.length);
    return colon ? (ecl_field_t){cell.text, (apr_size_t)(colon - cell.text)} : cell;
}

static void add_meter(char kept[ECL_METER_MAX], int *pcount, const char *meter)
{
    if (!*pcount || strcmp(kept, meter) != 0) {
        apr_cpystrn(kept, meter, ECL_METER_MAX);
        ++*pcount;
    }
}

/* Lines of another table than those so far: rows have come since, or a header behind a meter of
 * that kind, whose table has no rows then. */
static void begin(ecl_said_t *said, int count)
{
    if (said->is_closed || (said->is_below_header && count)) {
        *said = (ecl_said_t){.line = said->line};
    }
}

static int is_header(const ecl_record_t *record)
{
    unsigned found;
    int is_wide;

    return ecl_layout_score_header(record, &found, &is_wide) > 0;
}

/* "End of report for MPAN …": it speaks of the rows above it. */
static int is_closing(const ecl_record_t *record)
{
    static const char *const words[] = {"end of", "total", "grand total", "subtotal"};
    ecl_field_t first = ecl_tables_beginning(record);

    for (apr_size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strncasecmp(first.text, words[i], strlen(words[i]))) {
            return 1;
        }
    }
    return 0;
}

/* What stands in the place of a meter and is none: "MPAN: not known", and "MPAN:" alone. */
static ecl_field_t other_of(const ecl_record_t *record)
{
    ecl_field_t said = ecl_layout_said_above(record, ECL_ROLE_METER, 4);
    ecl_field_t name = ecl_tables_beginning(record);
    int rank, is_utc;

    for (int c = 0; c < record->count; c++) {
        ecl_field_t cell = record->fields[c];

        if (cell.text != name.text && cell.length) {
            return said;
        }
    }
    return name.text[name.length + (name.text[name.length] == ':')] == '\0' && name.length &&
                   ecl_header_role(name.text, name.length, &rank, &is_utc) == ECL_ROLE_METER &&
                   rank < 2
               ? name
               : said;
}

int ecl_said_line(ecl_said_t *said, const ecl_record_t *record)
{
    char number[ECL_METER_MAX], name[ECL_METER_MAX];
    int has_number = ecl_layout_meter_in_line(record, ECL_METER_ABOVE_NUMBER, number);
    int has_name, is_title, is_export;
    ecl_field_t other = {"", 0};
    const char *channel;
    ecl_unit_t unit;

    if (is_closing(record)) {
        return 0;
    }
    if (!has_number && is_header(record)) {
        return 0; /* "Meter,1,2,3": not everything behind that word is a meter's name */
    }
    has_name = !has_number && ecl_layout_meter_in_line(record, ECL_METER_ABOVE_NAME, name);
    if (!has_number && !has_name) {
        other = other_of(record);
    }
    channel = ecl_layout_channel_in_line(record, &is_export);
    unit = ecl_layout_unit_in_line(record, &is_title);
    if (!has_number && !has_name && !other.length && !channel && !is_export &&
        unit == ECL_UNIT_NONE) {
        return 0;
    }
    begin(said, has_number ? said->numbers : has_name && !said->numbers ? said->names : 0);
    if (has_number) {
        add_meter(said->number, &said->numbers, number);
    } else if (has_name) {
        add_meter(said->name, &said->names, name);
    } else if (other.length) {
        other.text += strspn(other.text, " ");
        apr_cpystrn(said->other, other.text, sizeof(said->other));
    }
    said->channel = channel ? channel : said->channel;
    said->is_export |= is_export;
    if (unit != ECL_UNIT_NONE && is_title) {
        said->title = unit;
    } else if (unit != ECL_UNIT_NONE && said->unit == ECL_UNIT_NONE) {
        said->unit = unit;
    }
    said->line = record->line;
    return 1;
}

const char *ecl_said_meter(const ecl_said_t *said, ecl_meter_above_t *phow)
{
    *phow = ECL_METER_ABOVE_NOT;
    if (said->numbers == 1) {
        *phow = ECL_METER_ABOVE_NUMBER;
        return said->number;
    }
    if (!said->numbers && said->names == 1) {
        *phow = ECL_METER_ABOVE_NAME;
        return said->name;
    }
    return NULL;
}

/* ---- one table after the other -----------------------------------------------------------------
 */

int ecl_tables_start(ecl_tables_t *tables, const ecl_layout_t *layout)
{
    ecl_meter_kind_t kind;

    tables->layout = layout;
    if (!layout->above) {
        return 0;
    }
    *tables = (ecl_tables_t){.layout = layout, .said = layout->above->said};
    tables->said.is_closed = 1;
    if (layout->given.meter) {
        ecl_meter_parse(layout->given.meter, strlen(layout->given.meter), tables->meter, &kind);
    }
    if (tables->said.names == 1) {
        apr_cpystrn(tables->own_name, tables->said.name, ECL_METER_MAX);
    }
    return 1;
}

int ecl_tables_line(ecl_tables_t *tables, const ecl_record_t *record)
{
    int says = ecl_said_line(&tables->said, record), is_export, is_title;

    tables->is_pending |= says;
    if (says && tables->layout->above->rows_name_meters) {
        return ecl_layout_channel_in_line(record, &is_export) || is_export ||
               ecl_layout_unit_in_line(record, &is_title) != ECL_UNIT_NONE;
    }
    return says;
}

void ecl_tables_header(ecl_tables_t *tables)
{
    tables->said.is_below_header = 1;
}

/* Over the cells and what parts them. */
static apr_uint64_t hash_cells(const ecl_record_t *record)
{
    apr_uint64_t h = 0;

    for (int c = 0; c < record->count; c++) {
        h = ecl_hash(h, record->fields[c].text, record->fields[c].length + 1);
    }
    return h;
}

void ecl_tables_know(ecl_known_line_t *line, const ecl_record_t *record, apr_pool_t *p)
{
    ecl_field_t beginning = ecl_tables_beginning(record);

    line->beginning = apr_pstrmemdup(p, beginning.text, beginning.length);
    line->cells = hash_cells(record);
}

int ecl_tables_is_repeated(const ecl_tables_t *tables, const ecl_record_t *record)
{
    const struct ecl_above_t *above = tables->layout->above;
    apr_uint64_t cells = hash_cells(record);

    for (int i = 0; i < above->line_count; i++) {
        if (above->lines[i].cells == cells) {
            return 1;
        }
    }
    return 0;
}

int ecl_tables_is_known(const ecl_tables_t *tables, const ecl_record_t *record)
{
    const struct ecl_above_t *above = tables->layout->above;
    ecl_field_t beginning = ecl_tables_beginning(record);

    for (int i = 0; i < above->line_count && apr_isalpha(beginning.text[0]); i++) {
        const char *known = above->lines[i].beginning;

        if (strlen(known) == beginning.length && !memcmp(known, beginning.text, beginning.length)) {
            return 1;
        }
    }
    return 0;
}

/* ---- meter -------------------------------------------------------------------------------------
 */

/* 1 when the meter of all rows was said with the file. */
static int is_given(const ecl_tables_t *tables)
{
    return tables->layout->meter_above == ECL_METER_ABOVE_NOT;
}

static void doubt_meter(ecl_tables_t *tables, const char *code, const char *why)
{
    tables->meter_code = code;
    apr_cpystrn(tables->meter_why, why, sizeof(tables->meter_why));
}

static void take_meter(ecl_tables_t *tables)
{
    const ecl_said_t *said = &tables->said;
    char meter[ECL_METER_MAX], why[sizeof(tables->meter_why)];
    ecl_meter_above_t how;
    const char *named = ecl_said_meter(said, &how);

    if (tables->layout->above->rows_name_meters) {
        return;
    }
    if (!said->numbers && !said->names &&
        (!said->other[0] || !strcmp(said->other, tables->layout->above->said.other))) {
        return; /* they speak of something else */
    }
    if (!named) {
        tables->meter[0] = '\0';
        if (said->other[0] && !said->numbers && !said->names) {
            apr_snprintf(why, sizeof(why),
                         "the lines above the row, up to line %" APR_INT64_T_FMT
                         ", name a meter in a way that is not understood (\"%.*s\")",
                         said->line, ECL_CUT(60, said->other));
        } else {
            apr_snprintf(why, sizeof(why),
                         "the lines above the row, up to line %" APR_INT64_T_FMT
                         ", name several meters: which of them it is of is not said",
                         said->line);
        }
        doubt_meter(tables, "other-meter", why);
        return;
    }
    apr_cpystrn(meter, named, sizeof(meter));
    if (how == ECL_METER_ABOVE_NAME && tables->layout->meter_above != ECL_METER_ABOVE_NAME) {
        /* a meter's own number beside the one it goes by: it may be another meter's */
        if (!strcmp(meter, tables->own_name) || !strcmp(meter, tables->meter)) {
            return;
        }
        tables->meter[0] = '\0';
        apr_snprintf(why, sizeof(why),
                     "line %" APR_INT64_T_FMT " names meter %s, and not the %s by which the rows "
                     "above it are known: whether that is the same meter is not said",
                     said->line, meter, is_given(tables) ? "one given" : "MPAN or MPRN");
        doubt_meter(tables, "other-meter", why);
        return;
    }
    apr_cpystrn(tables->own_name, said->names == 1 ? said->name : "", sizeof(tables->own_name));
    tables->meter_code = NULL;
    if (is_given(tables)) {
        char given[ECL_METER_MAX];
        ecl_meter_kind_t kind;

        ecl_meter_parse(tables->layout->given.meter, strlen(tables->layout->given.meter), given,
                        &kind);
        if (strcmp(meter, given) != 0) {
            apr_snprintf(why, sizeof(why),
                         "line %" APR_INT64_T_FMT " names meter %s, and %s was given as the file's "
                         "meter",
                         said->line, meter, given);
            doubt_meter(tables, "other-meter", why);
        }
    }
    apr_cpystrn(tables->meter, meter, sizeof(tables->meter));
}

/* ---- channel and unit --------------------------------------------------------------------------
 */

/* What is said names a meter, and so begins another table. */
static int names_meter(const ecl_said_t *said)
{
    return said->numbers || said->names || said->other[0];
}

/* "Export", where the first table's lines say that, too, may be what somebody did with the data. */
static const char *channel_said(const ecl_tables_t *tables, int *pis_open)
{
    const ecl_said_t *said = &tables->said, *first = &tables->layout->above->said;
    int is_direction = tables->layout->above->has_import;

    *pis_open = 0;
    if (said->channel || !said->is_export) {
        return said->channel;
    }
    *pis_open = !is_direction && !first->is_export;
    return is_direction ? "AE" : NULL;
}

static void take_channel(ecl_tables_t *tables)
{
    const ecl_layout_t *layout = tables->layout;
    const ecl_said_t *said = &tables->said;
    const char *given = layout->given.channel;
    int is_open;
    const char *channel = channel_said(tables, &is_open);

    if (layout->channel_column >= 0 ||
        (layout->channel && strcmp(layout->channel, "AI") && !layout->channel_where && !given)) {
        return; /* rows or header say it */
    }
    if (!channel && !is_open) {
        if (names_meter(said) && tables->channels_differ) {
            tables->channel_code = "bad-channel";
            apr_snprintf(tables->channel_why, sizeof(tables->channel_why),
                         "the lines above the row, up to line %" APR_INT64_T_FMT
                         ", say no channel, and those above other tables do",
                         said->line);
        }
        return;
    }
    tables->channel_code = NULL;
    tables->channel = NULL;
    if (channel && !strcmp(channel, layout->channel ? layout->channel : "AI")) {
        return;
    }
    tables->channels_differ = 1;
    if (channel && channel[0] && !given) {
        tables->channel = channel;
        return;
    }
    tables->channel_code = "bad-channel";
    if (given) {
        apr_snprintf(tables->channel_why, sizeof(tables->channel_why),
                     "line %" APR_INT64_T_FMT " says another channel than %s, which was given",
                     said->line, given);
    } else {
        apr_snprintf(tables->channel_why, sizeof(tables->channel_why),
                     "line %" APR_INT64_T_FMT " says what the values below it are of, and that is "
                     "no channel that is kept (AI, AE, RI, RE)",
                     said->line);
    }
}

/* What the layout takes for the unit of its rows, where its header does not say it. */
static ecl_unit_t unit_of_layout(const ecl_layout_t *layout)
{
    return layout->unit ? ecl_unit_of(layout->unit, strlen(layout->unit)) : ECL_UNIT_KWH;
}

/* Whether lines above the table are what says the unit, or would be. */
static int is_unit_above(const ecl_layout_t *layout)
{
    return layout->unit_is_above || (!layout->given.unit && !layout->unit &&
                                     layout->unit_column < 0 && layout->channel_column < 0 &&
                                     !(layout->kind == ECL_LAYOUT_WIDE && layout->blocks[0].unit));
}

static void take_unit(ecl_tables_t *tables)
{
    const ecl_layout_t *layout = tables->layout;
    const ecl_said_t *said = &tables->said;
    ecl_unit_t now = tables->unit != ECL_UNIT_NONE ? tables->unit : unit_of_layout(layout);

    if (!is_unit_above(layout)) {
        return;
    }
    if (said->unit != ECL_UNIT_NONE) {
        tables->unit_code = NULL;
        tables->unit = said->unit == unit_of_layout(layout) ? ECL_UNIT_NONE : said->unit;
        tables->units_differ |= tables->unit != ECL_UNIT_NONE;
    } else if (said->title != ECL_UNIT_NONE && said->title != now) {
        tables->unit_code = "bad-unit";
        tables->units_differ = 1;
        apr_snprintf(tables->unit_why, sizeof(tables->unit_why),
                     "line %" APR_INT64_T_FMT " speaks of %s, and whether that is the unit of the "
                     "values below it is not said",
                     said->line, ecl_unit_name(said->title));
    } else if (said->title != ECL_UNIT_NONE) {
        tables->unit_code = NULL;
    } else if (names_meter(said) && tables->units_differ) {
        tables->unit_code = "bad-unit";
        apr_snprintf(tables->unit_why, sizeof(tables->unit_why),
                     "the lines above the row, up to line %" APR_INT64_T_FMT ", say no unit, and "
                     "those above other tables do",
                     said->line);
    }
}

void ecl_tables_row(ecl_tables_t *tables)
{
    take_meter(tables);
    take_channel(tables);
    take_unit(tables);
    tables->code = tables->meter_code     ? tables->meter_code
                   : tables->channel_code ? tables->channel_code
                                          : tables->unit_code;
    tables->said.is_closed = 1;
    tables->is_pending = 0;
}

const char *ecl_tables_why(const ecl_tables_t *tables)
{
    return tables->meter_code     ? tables->meter_why
           : tables->channel_code ? tables->channel_why
                                  : tables->unit_why;
}
