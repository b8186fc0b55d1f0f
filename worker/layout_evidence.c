/*
 * What was found of a layout, and what shows it, in words.
 */
#include "../lib/utf8.h"
#include "layout_internal.h"

static const char *column_text(const ecl_layout_t *layout, int column, apr_pool_t *p)
{
    const char *name = layout->names[column];

    if (!name[0]) {
        return apr_psprintf(p, "number %d", column + 1);
    }
    return strlen(name) > 40 ? apr_psprintf(p, "%.*s…", ECL_CUT(40, name)) : name;
}

static const char *values_text(const ecl_layout_t *layout, apr_pool_t *p)
{
    const ecl_value_block_t *block = &layout->blocks[0];
    const ecl_value_column_t *first = &layout->values[block->first];
    const char *what = first->period && layout->interval_minutes != 30 ? "numbered from midnight"
                       : first->period                                 ? "by settlement period"
                       : layout->labels_are_ends                       ? "by the clock, period ends"
                                                 : "by the clock, period starts";
    const char *text;

    if (!layout->header_record) {
        text = apr_psprintf(p, "%d numbers a row, %s", block->count, what);
    } else {
        text = apr_psprintf(p, "%d columns %s to %s, %s", block->count,
                            column_text(layout, first->column, p),
                            column_text(layout, first[block->count - 1].column, p), what);
    }
    if (layout->interval_minutes != 30) {
        text = apr_psprintf(p, "%s, of %d minutes each (so many make a day)", text,
                            layout->interval_minutes);
    }
    if (layout->labels_above) {
        text = apr_pstrcat(p, text, " (as the line above them says)", NULL);
    }
    if (first->flag_column >= 0) {
        text = apr_pstrcat(p, text, ", each with a flag", NULL);
    }
    for (int i = 1; i < layout->block_count; i++) {
        const ecl_value_block_t *other = &layout->blocks[i];
        int column = layout->values[other->first].column;

        text = apr_psprintf(p, "%s; %d more from %s on as %s", text, other->count,
                            column_text(layout, column, p), other->channel ? other->channel : "AI");
    }
    return text;
}

static const char *unit_text(const ecl_layout_t *layout, apr_pool_t *p)
{
    if (layout->unit_is_given && layout->unit_column >= 0) {
        return apr_psprintf(p, "unit in column %s, else %s (as given)",
                            column_text(layout, layout->unit_column, p), layout->given.unit);
    }
    if (layout->unit_is_given) {
        return apr_psprintf(p, "unit %s (%s)", layout->given.unit,
                            layout->unit_is_above ? "as said above the table" : "as given");
    }
    if (layout->unit_column >= 0) {
        return apr_psprintf(p, "unit in column %s", column_text(layout, layout->unit_column, p));
    }
    if (layout->kind == ECL_LAYOUT_WIDE && layout->blocks[0].unit) {
        return apr_psprintf(p, "unit %s (from the header)", layout->blocks[0].unit);
    }
    if (layout->unit) {
        return apr_psprintf(p, "unit %s (from the header)", layout->unit);
    }
    if (layout->meter_count && layout->meters[0].unit) {
        return "each column's unit from its name";
    }
    if (layout->channel_column >= 0) {
        return "no unit is stated: kWh assumed, of reactive energy kVArh";
    }
    return layout->channel && layout->channel[0] == 'R' ? "no unit is stated: kVArh assumed"
                                                        : "no unit is stated: kWh assumed";
}

static const char *date_order_text(const ecl_layout_t *layout)
{
    int is_given = layout->given.date_order != NULL;

    switch (layout->date_order) {
    case ECL_ORDER_DMY:
        return "";
    case ECL_ORDER_MDY:
        return " (month before day: some dates have a day above 12 in second place, none in first)";
    case ECL_ORDER_SURELY_DMY:
        return is_given ? " (day, month, year: as given)"
                        : " (day first, the dates then follow each other)";
    case ECL_ORDER_SURELY_MDY:
        return " (month before day: as given)";
    case ECL_ORDER_SURELY_YMD:
        return is_given ? " (year first: as given)"
                        : " (year first, the dates then follow each other)";
    }
    return "";
}

const char *ecl_layout_meter_text(const ecl_layout_t *layout, apr_pool_t *p)
{
    if (layout->meter_count) {
        const ecl_meter_column_t *first = layout->meters, *last = first + layout->meter_count - 1;

        return layout->meter_count == 1
                   ? apr_psprintf(p, "meter %s (from its column's name)", first->meter)
                   : apr_psprintf(p, "%d columns of meters, from %s to %s (from their names)",
                                  layout->meter_count, first->meter, last->meter);
    }
    if (layout->meter_column >= 0) {
        return apr_psprintf(p, "meter in column %s", column_text(layout, layout->meter_column, p));
    }
    return apr_psprintf(p, "meter %s (%s)", layout->given.meter,
                        layout->meter_above == ECL_METER_BY_SHEET ? "by the sheet's name"
                        : layout->meter_above                     ? "as said above the table"
                                                                  : "as given");
}

/* Nothing above the header but a line "sep=". */
static int stands_alone(const ecl_attempt_t *attempt)
{
    ecl_field_t first = ecl_sample_cell(&attempt->sample.records[0], 0);

    return attempt->header == 0 || (attempt->header == 1 && (first.text[0] | 0x20) == 's' &&
                                    !strncmp(first.text + 1, "ep=", 3));
}

static const char *header_text(const ecl_layout_t *layout, const ecl_attempt_t *attempt,
                               apr_pool_t *p)
{
    if (attempt->source) {
        return ""; /* nobody sees the header of the table that the file stands for */
    }
    if (!layout->header_record) {
        return "; no header";
    }
    return apr_psprintf(p, "; header on line %" APR_INT64_T_FMT "%s",
                        attempt->sample.records[attempt->header].line,
                        stands_alone(attempt) ? "" : " (above it are no readings)");
}

static const char *date_text(const ecl_layout_t *layout, apr_pool_t *p)
{
    const ecl_parts_t *parts = &layout->parts;

    if (parts->day < 0) {
        return apr_psprintf(p, "date in column %s%s", column_text(layout, layout->date_column, p),
                            date_order_text(layout));
    }
    return apr_psprintf(p, "date in columns %s, %s and %s", column_text(layout, parts->year, p),
                        column_text(layout, parts->month, p), column_text(layout, parts->day, p));
}

void ecl_layout_tell(ecl_layout_t *layout, const ecl_attempt_t *attempt, const char *why,
                     apr_pool_t *p)
{
    static const char *const kinds[][2] = {
        {"a row per meter and day", NULL},
        {"a row per reading", "a row per time, a column per meter"},
        {"a row per daily total", "a row per day, a column per meter"}};
    const char *kind = kinds[layout->kind][layout->meter_count > 0];
    const char *delimiter = layout->delimiter == ','    ? "comma"
                            : layout->delimiter == ';'  ? "semicolon"
                            : layout->delimiter == '\t' ? "tab"
                                                        : "bar";
    const char *text = attempt->source ? apr_psprintf(p, "%s: %s", attempt->source->evidence, kind)
                       : layout->sheet ? kind
                                       : apr_psprintf(p, "%s, separated by %s", kind, delimiter);

    if (layout->turned) {
        text = apr_pstrcat(p, "dates across and times down, turned about: ", text, NULL);
    }
    text = apr_pstrcat(p, text, header_text(layout, attempt, p), NULL);
    if (layout->kind == ECL_LAYOUT_WIDE) {
        text = apr_pstrcat(p, text, "; ", values_text(layout, p), NULL);
    } else {
        text = apr_psprintf(p, "%s; values in column %s%s; %s", text,
                            column_text(layout, layout->value_column, p),
                            layout->meter_count > 1 ? " and others" : "", why);
    }
    text =
        apr_psprintf(p, "%s%s; %s; %s; %s", text, layout->parts.why ? layout->parts.why : "",
                     ecl_layout_meter_text(layout, p), date_text(layout, p), unit_text(layout, p));
    if (layout->channel_column >= 0) {
        text = apr_psprintf(p, "%s; channel in column %s", text,
                            column_text(layout, layout->channel_column, p));
    } else if (layout->channel_where) {
        text = apr_psprintf(p, "%s; channel %s (%s)", text, layout->channel, layout->channel_where);
    }
    if (layout->serial_dates == ECL_SERIAL_DATES_UNIX) {
        text = apr_pstrcat(p, text, "; times are counted since 1970, in UTC", NULL);
    } else if (layout->serial_dates != ECL_SERIAL_DATES_NONE) {
        text = apr_psprintf(p, "%s; dates are a spreadsheet's day numbers, from %s on", text,
                            layout->serials_are_1904 ? "1904" : "1900");
    }
    if (layout->given.timezone) {
        text = apr_pstrcat(p, text, "; times are of the zone ", layout->given.timezone,
                           " (as given)", NULL);
    } else if (layout->times_are_utc) {
        text = apr_pstrcat(p, text, "; times are UTC (from the header)", NULL);
    }
    if (layout->given.channel) {
        text = apr_pstrcat(p, text, "; channel ", layout->given.channel, " (as given)", NULL);
    }
    if (layout->given.is_read_as) {
        text = apr_pstrcat(p, text, "; as the column Read as says", NULL);
    }
    if (layout->total_is_sum) {
        text = apr_psprintf(p, "%s; rows are checked against column %s, the sum of their values",
                            text, column_text(layout, layout->total_column, p));
    }
    if (layout->marks) {
        text = apr_psprintf(p, "%s; marks in the cells of values, %s the number: %s", text,
                            layout->marks_are_before ? "before" : "behind", layout->marks);
    }
    if (layout->decimal_point == ',') {
        text = apr_pstrcat(p, text, "; decimal comma", NULL);
    }
    if (layout->commas_are_groups) {
        text = apr_pstrcat(p, text, "; commas in numbers taken to set thousands apart", NULL);
    }
    layout->evidence = text;
}
