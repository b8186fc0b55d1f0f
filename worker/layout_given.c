/*
 * What the user said about the file, against what the file says. What the file states is never
 * overridden: one of the two is wrong, and only the user can tell which.
 */
#include "decimal.h"
#include "../lib/utf8.h"
#include "layout_internal.h"
#include "marked.h"
#include "meter.h"
#include "tables.h"

/* What the messages call a column. */
static const char *column_text(const ecl_layout_t *layout, int column, apr_pool_t *p)
{
    return layout->names[column][0] ? layout->names[column]
                                    : apr_psprintf(p, "number %d", column + 1);
}

/* ---- meter ------------------------------------------------------------------------------------
 */

/* Lines above tables, of the sample, that name another meter than the one given; of lines that name
 * several, as a site's, the user knows which. */
static apr_status_t check_above(const ecl_layout_t *layout, const char *given,
                                const ecl_sample_t *sample, ecl_result_t *result)
{
    ecl_said_t said = {.is_closed = 0};

    for (int i = 0; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];
        int is_row = ecl_layout_looks_like_row(record);
        ecl_meter_above_t how;
        const char *named;

        if (record->sheet_record == layout->header_record) {
            said.is_below_header = 1;
        } else if (!is_row && record->status == ECL_RECORD_OK) {
            ecl_said_line(&said, record);
        }
        named = is_row && !said.is_closed ? ecl_said_meter(&said, &how) : NULL;
        if (named && how == ECL_METER_ABOVE_NUMBER && strcmp(named, given) != 0) {
            return ecl_fail(result, ECL_EINPUT, "meter-conflict",
                            "the file names its meters itself, in the lines above their rows (%s "
                            "above line %" APR_INT64_T_FMT "), and %s was given as the meter",
                            named, record->line, given);
        }
        said.is_closed |= is_row;
    }
    return APR_SUCCESS;
}

static apr_status_t check_meter(const ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                apr_pool_t *p, ecl_result_t *result)
{
    char given[ECL_METER_MAX], named[ECL_METER_MAX];
    const char *text = layout->given.meter;
    ecl_meter_kind_t kind;

    if (!text) {
        return layout->meter_column >= 0 || layout->meter_count ? APR_SUCCESS
               : layout->above && layout->above->said.numbers > 1
                   ? ecl_fail(result, ECL_EINPUT, "no-meter-column",
                              "the lines above the first table name several meters, up to line "
                              "%" APR_INT64_T_FMT ": which of them its rows are of is not said",
                              layout->above->said.line)
                   : ecl_fail(result, ECL_EINPUT, "no-meter-column",
                              "the file names no meter: expected a column such as MPAN, MPRN or "
                              "Meter Number, or the meter given with the file");
    }
    switch (ecl_meter_parse(text, strlen(text), given, &kind)) {
    case ECL_METER_OK:
    case ECL_METER_CHECK_DIGIT:
    case ECL_METER_LENGTH:
        break;
    default:
        return ecl_fail(result, ECL_EINPUT, "meter-conflict",
                        "the meter given, \"%s\", cannot be a meter's identifier: expected one "
                        "such as an MPAN, an MPRN or a serial number, with all its digits",
                        text);
    }
    if (layout->meter_column < 0 && !layout->meter_above) {
        const char *sheet = ecl_layout_meter_of_sheet(layout->sheet, p);

        if (sheet && strcmp(sheet, given) != 0) {
            return ecl_fail(result, ECL_EINPUT, "meter-conflict",
                            "the sheet is called by meter %s, and %s was given as the meter", sheet,
                            given);
        }
    }
    for (int i = 0; i < layout->meter_count; i++) {
        if (strcmp(layout->meters[i].meter, given) != 0) {
            return ecl_fail(result, ECL_EINPUT, "meter-conflict",
                            "the file has a column per meter, such as %s, and %s was given as the "
                            "meter",
                            column_text(layout, layout->meters[i].column, p), given);
        }
    }
    if (layout->above && layout->meter_column < 0 && !layout->meter_count && !layout->meter_above) {
        return check_above(layout, given, sample, result);
    }
    for (int i = from; i < sample->count && layout->meter_column >= 0; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], layout->meter_column);

        /* rows of totals and of another header are no rows of a meter */
        if (ecl_layout_looks_like_row(&sample->records[i]) &&
            !ecl_is_total(cell.text, cell.length) &&
            ecl_meter_parse(cell.text, cell.length, named, &kind) != ECL_METER_IS_MISSING &&
            strcmp(named, given)) {
            return ecl_fail(result, ECL_EINPUT, "meter-conflict",
                            "the file names its meters itself, in column %s (\"%.*s\" on line "
                            "%" APR_INT64_T_FMT "), and %s was given as the meter",
                            column_text(layout, layout->meter_column, p),
                            (int)(cell.length < 40 ? cell.length : 40), cell.text,
                            sample->records[i].line, given);
        }
    }
    return APR_SUCCESS;
}

/* ---- labels and zone ---------------------------------------------------------------------------
 */

static apr_status_t check_labels(const ecl_layout_t *layout, apr_pool_t *p, ecl_result_t *result)
{
    const char *given = layout->given.labels;
    int is_wide = layout->kind == ECL_LAYOUT_WIDE, is_end, column = layout->date_column;
    ecl_role_t role = ecl_layout_label_role(layout);

    if (!given) {
        return APR_SUCCESS;
    }
    is_end = !strcmp(given, "end");
    if (layout->time_column >= 0) {
        column = layout->time_column;
    }
    if (layout->kind == ECL_LAYOUT_DAILY) {
        return ecl_fail(
            result, ECL_EINPUT, "labels-conflict",
            "the file holds daily totals, which have no times, and period %ss were given", given);
    }
    if (is_wide ? layout->values[0].period > 0 : layout->period_column >= 0) {
        return ecl_fail(
            result, ECL_EINPUT, "labels-conflict",
            "the file numbers its half-hours and has no times, and period %ss were given", given);
    }
    if (layout->parts.first_hour && !layout->given.is_read_as) {
        return is_end ? APR_SUCCESS
                      : ecl_fail(result, ECL_EINPUT, "labels-conflict",
                                 "column %s has hours from 1 to 24, which are those that end then, "
                                 "and period starts were given",
                                 column_text(layout, column, p));
    }
    if (layout->labels_are_ends != is_end || (!is_wide && role == ECL_ROLE_START && is_end) ||
        (!is_wide && role == ECL_ROLE_END && !is_end)) {
        return ecl_fail(result, ECL_EINPUT, "labels-conflict",
                        "column %s says that times are period %s, and period %ss were given",
                        column_text(layout, is_wide ? layout->values[0].column : column, p),
                        is_end ? "starts" : "ends", given);
    }
    return APR_SUCCESS;
}

static apr_status_t check_timezone(ecl_layout_t *layout, int is_form, ecl_result_t *result)
{
    const char *given = layout->given.timezone;

    if (!given && layout->given.times_are_local) {
        layout->times_are_utc = 0;
    }
    if (!given) {
        return APR_SUCCESS;
    }
    if (layout->kind == ECL_LAYOUT_DAILY) {
        return ecl_fail(result, ECL_EINPUT, "timezone-conflict",
                        "the file holds daily totals: a day's total cannot be moved to another "
                        "zone's days, and %s was given",
                        given);
    }
    if (is_form && layout->times_are_utc && strcmp(given, "UTC")) {
        return ecl_fail(result, ECL_EINPUT, "timezone-conflict",
                        "times in a file of this format are UTC, and %s was given", given);
    }
    /* a header's "(UTC)" is a word, and the user's word goes before it */
    layout->times_are_utc = !strcmp(given, "UTC");
    return APR_SUCCESS;
}

/* ---- channel ----------------------------------------------------------------------------------
 */

/* What nothing but its name says of a column: "Generation (kWh)", "Solar Export". */
static int is_name_open(const char *name)
{
    char word[ECL_WORD_MAX];
    apr_size_t length = strlen(name);
    const char *channel = ecl_channel_of(name, length);

    if ((channel && channel[0]) || ecl_grid_channel_of(name, length)) {
        return 0;
    }
    return ecl_says_own_energy(name, length) || ecl_says_net_energy(name, length) ||
           (ecl_name_fold(name, length, word) && strstr(word, "export"));
}

/* The column of values that nobody should take for import; -1: there is none. */
static int find_open_column(const ecl_layout_t *layout)
{
    for (int b = 0; b < layout->block_count; b++) {
        int column = layout->values[layout->blocks[b].first].column;

        if (!layout->blocks[b].channel && is_name_open(layout->names[column])) {
            return column;
        }
    }
    return layout->kind != ECL_LAYOUT_WIDE && !layout->meter_count && layout->value_column >= 0 &&
                   layout->value_column < layout->columns &&
                   is_name_open(layout->names[layout->value_column])
               ? layout->value_column
               : -1;
}

/* 1: the cells of the channel's column speak of nothing else; -1: they say what each row is. */
static int are_cells_open(const ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    int are_open = 0;

    for (int i = from; i < sample->count && layout->channel_column >= 0; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], layout->channel_column);
        const char *channel = ecl_channel_in_column(cell.text, cell.length);

        if (channel && channel[0]) {
            return -1; /* "Consumption" beside "Generation" is import, too */
        }
        are_open |= channel == ecl_channel_own;
    }
    return are_open;
}

/* What only a title says, or the name of a meter, is told, and no more. */
static void tell_assumed(ecl_layout_t *layout, const ecl_sample_t *sample, apr_pool_t *p)
{
    for (int i = 0; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_field_t title = ecl_sample_cell(record, 0);

        if (record->sheet_record >= layout->header_record) {
            break;
        }
        if (record->count == 1 && title.length < 100 &&
            ecl_says_own_energy(title.text, title.length)) {
            ecl_layout_add_note(layout, "channel-assumed",
                                apr_psprintf(p,
                                             "line %" APR_INT64_T_FMT " (\"%.*s\") may say that "
                                             "this is energy that is generated: it is kept as "
                                             "import (AI), as nothing else says so",
                                             record->line, ECL_CUT(60, title.text)),
                                p);
            return;
        }
    }
    for (int i = 0; i < layout->meter_count; i++) {
        const ecl_meter_column_t *meter = &layout->meters[i];
        const char *name = layout->names[meter->column];

        if (!meter->channel && ecl_says_own_energy(name, strlen(name))) {
            ecl_layout_add_note(layout, "channel-assumed",
                                apr_psprintf(p,
                                             "the name of column %s may say that this is energy "
                                             "that is generated: it is kept as import (AI) of a "
                                             "meter of that name",
                                             column_text(layout, meter->column, p)),
                                p);
        }
    }
}

static apr_status_t check_open_channel(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                       apr_pool_t *p, ecl_result_t *result)
{
    int are_open = are_cells_open(layout, sample, from);
    int column = are_open ? layout->channel_column : find_open_column(layout);

    if (are_open < 0 || column < 0 || layout->added_channel) {
        if (are_open >= 0 && (!layout->channel || !strcmp(layout->channel, "AI"))) {
            tell_assumed(layout, sample, p);
        }
        return APR_SUCCESS;
    }
    return ecl_fail(result, ECL_EINPUT, "channel-open", "the values of column %s are of %s",
                    column_text(layout, column, p), ECL_OWN_ENERGY);
}

static apr_status_t check_channel(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                  apr_pool_t *p, ecl_result_t *result)
{
    const char *given = layout->given.channel, *stated = layout->channel;
    const char *name = layout->value_column >= 0 ? layout->names[layout->value_column] : "";

    if (!given) {
        return check_open_channel(layout, sample, from, p, result);
    }
    if (!ecl_channel_has_direction(name, strlen(name))) {
        stated = NULL;
    }
    if (layout->kind == ECL_LAYOUT_WIDE && layout->block_count == 1 && layout->blocks[0].channel) {
        stated = layout->blocks[0].channel;
    }
    for (int i = 0; i < layout->meter_count; i++) {
        stated = layout->meters[i].channel ? layout->meters[i].channel : stated;
        if (stated && strcmp(stated, given) != 0) {
            break;
        }
    }
    if (stated && strcmp(stated, given)) {
        return ecl_fail(result, ECL_EINPUT, "channel-conflict",
                        "the header says that the values are of channel %s, and %s was given",
                        stated, given);
    }
    for (int i = from; i < sample->count && layout->channel_column >= 0; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], layout->channel_column);

        stated = ecl_channel_in_column(cell.text, cell.length);
        if (stated && stated[0] && strcmp(stated, given) &&
            ecl_channel_has_direction(cell.text, cell.length)) {
            return ecl_fail(result, ECL_EINPUT, "channel-conflict",
                            "the file names channels itself, in column %s (\"%.*s\" on line "
                            "%" APR_INT64_T_FMT "), and %s was given",
                            column_text(layout, layout->channel_column, p),
                            (int)(cell.length < 40 ? cell.length : 40), cell.text,
                            sample->records[i].line, given);
        }
    }
    layout->channel = given;
    return APR_SUCCESS;
}

/* ---- unit -------------------------------------------------------------------------------------
 */

static const char *unit_of_header(const ecl_layout_t *layout)
{
    if (layout->meter_count && layout->meters[0].unit) {
        return layout->meters[0].unit; /* they have the same, or each its own */
    }
    return layout->kind == ECL_LAYOUT_WIDE && layout->blocks[0].unit ? layout->blocks[0].unit
                                                                     : layout->unit;
}

/* The first row of the sample that states a unit other than `but` (NONE: any). Rows in kVArh beside
 * others are of another channel. */
static const ecl_record_t *find_unit(const ecl_layout_t *layout, const ecl_sample_t *sample,
                                     int from, ecl_unit_t but)
{
    for (int i = from; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_field_t cell = ecl_sample_cell(record, layout->unit_column);
        ecl_unit_t unit = ecl_unit_of(cell.text, cell.length);

        if (!cell.length && layout->unit_column < 0) {
            cell = ecl_sample_cell(record, layout->channel_column);
            unit = ecl_unit_in_header(cell.text, cell.length);
        }
        if (ecl_unit_is_known(unit) && unit != but &&
            (unit != ECL_UNIT_KVARH || but == ECL_UNIT_NONE)) {
            return record;
        }
    }
    return NULL;
}

/* Whether rows name MPANs: then the file comes from the industry, which counts in kWh. */
static int names_mpans(const ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    for (int i = 0; i < layout->meter_count; i++) {
        if (layout->meters[i].kind == ECL_METER_MPAN) {
            return 1;
        }
    }
    for (int i = from; i < sample->count; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], layout->meter_column);

        if (ecl_meter_is_mpan(cell.text, cell.length)) {
            return 1;
        }
    }
    return 0;
}

/* Values that would be much as kWh: whole numbers of which some are beyond any household, or most
 * of them beyond 2 MW. Then nobody should guess. */
static int are_doubtful(const ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    const ecl_decimal_t much = ECL_DECIMAL_ONE * 100 * layout->interval_minutes / 30;
    int count = ecl_layout_value_columns(layout);
    int values = 0, fractions = 0, large = 0, huge = 0;

    for (int i = from; i < sample->count; i++) {
        for (int v = 0; v < count; v++) {
            ecl_field_t cell =
                ecl_sample_cell(&sample->records[i], ecl_layout_value_column(layout, v));
            ecl_decimal_t value;

            if (ecl_marked_parse(cell, layout->decimal_point, &value) == ECL_DECIMAL_OK &&
                value > 0) {
                values++;
                fractions += value % ECL_DECIMAL_ONE != 0;
                large += value > much;
                huge += value / 10 > much;
            }
        }
    }
    return (large && !fractions) || huge * 2 > values;
}

static apr_status_t check_stated_unit(const ecl_layout_t *layout, const ecl_sample_t *sample,
                                      int from, ecl_result_t *result)
{
    const char *given = layout->given.unit, *stated = unit_of_header(layout);
    const ecl_record_t *row = find_unit(layout, sample, from, ecl_unit_of(given, strlen(given)));

    if (stated && strcmp(stated, given)) {
        return ecl_fail(result, ECL_EINPUT, "unit-conflict",
                        "the header says that the values are in %s, and %s was given", stated,
                        given);
    }
    if (row) {
        return ecl_fail(result, ECL_EINPUT, "unit-conflict",
                        "the file states its units itself, as on line %" APR_INT64_T_FMT
                        ", and %s was given",
                        row->line, given);
    }
    return APR_SUCCESS;
}

/* What the lines above the table say of units: "Units,MWh". "Half Hourly Demand (kW)" is a title,
 * which may be about something else: *ptitle. */
static const char *unit_above(const ecl_layout_t *layout, const ecl_sample_t *sample,
                              const ecl_record_t **ptitle)
{
    *ptitle = NULL;
    for (int i = 0; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_unit_t unit;
        int is_title;

        if (record->sheet_record >= layout->header_record) {
            break;
        }
        unit = ecl_layout_unit_in_line(record, &is_title);
        if (unit != ECL_UNIT_NONE && !is_title) {
            return ecl_unit_name(unit);
        }
        if (unit == ECL_UNIT_KWH) {
            return NULL;
        }
        if (unit != ECL_UNIT_NONE) {
            *ptitle = record;
        }
    }
    return NULL;
}

static apr_status_t check_unit(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                               ecl_result_t *result)
{
    const char *given = layout->given.unit;
    const ecl_record_t *title;
    apr_status_t status;

    if (!given && !unit_of_header(layout) && layout->unit_column < 0 &&
        !find_unit(layout, sample, from, ECL_UNIT_NONE)) {
        given = unit_above(layout, sample, &title);
        if (!given && title) {
            return ecl_fail(result, ECL_EINPUT, "unit-open",
                            "line %" APR_INT64_T_FMT " speaks of another unit than kWh (\"%.*s\"), "
                            "and whether that is the unit of the values is not said",
                            title->line, ECL_CUT(60, title->fields[0].text));
        }
        layout->given.unit = given;
        layout->unit_is_above = given != NULL;
    }
    if (!given) {
        int is_stated = unit_of_header(layout) || find_unit(layout, sample, from, ECL_UNIT_NONE);

        return is_stated || names_mpans(layout, sample, from) || !are_doubtful(layout, sample, from)
                   ? APR_SUCCESS
                   : ecl_fail(result, ECL_EINPUT, "unit-open",
                              "the file does not state the unit of its values, and they are too "
                              "large for it to be taken for granted that they are kWh");
    }
    status = check_stated_unit(layout, sample, from, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    layout->unit_is_given = !unit_of_header(layout);
    layout->unit = layout->unit ? layout->unit : given;
    return APR_SUCCESS;
}

/* ---- reads -------------------------------------------------------------------------------------
 */

static apr_status_t check_reads(const ecl_layout_t *layout, int is_form, ecl_result_t *result)
{
    const char *why = is_form                            ? "a file of this format says itself"
                      : layout->kind == ECL_LAYOUT_WIDE  ? "the file has a row per meter and day"
                      : layout->kind == ECL_LAYOUT_DAILY ? "the file has a date, and no time"
                      : layout->period_column >= 0       ? "the file numbers its half-hours"
                      : layout->given.labels && !layout->given.is_read_as
                          ? "labels were given, and reads have one time"
                          : NULL;

    return !layout->given.reads || !why
               ? APR_SUCCESS
               : ecl_fail(
                     result, ECL_EINPUT, "reads-conflict",
                     "%s: reads of a register are read from a file with a row per read and its "
                     "date and time, and such reads were given",
                     why);
}

apr_status_t ecl_layout_check_given(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                    apr_pool_t *p, ecl_result_t *result)
{
    apr_status_t status;

    if ((status = check_meter(layout, sample, from, p, result)) != APR_SUCCESS ||
        (status = check_reads(layout, !sample->records, result)) != APR_SUCCESS ||
        (status = check_labels(layout, p, result)) != APR_SUCCESS ||
        (status = check_timezone(layout, !sample->records, result)) != APR_SUCCESS ||
        (status = check_channel(layout, sample, from, p, result)) != APR_SUCCESS) {
        return status;
    }
    return check_unit(layout, sample, from, result);
}
