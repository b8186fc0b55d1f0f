/*
 * Whether rows of a date and a value are totals of single days. Bills, and many exports, have a row
 * for each week or month: stored as totals of their first days, they would be wrong by weeks.
 */
#include "../lib/utf8.h"
#include "layout_internal.h"

#define GAPS_ENOUGH 3
#define LONGEST_GAP 5 /* days; totals of single days may have gaps, weeks have 7 */

/* The column that says when periods end, beside the one that says when they start; -1: none. */
static int find_end(const ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    for (int column = 0; column < layout->columns; column++) {
        const char *name = layout->names[column];
        int rank, is_utc;
        ecl_datetime_t stamp;

        if (column != layout->date_column &&
            ecl_header_role(name, strlen(name), &rank, &is_utc) == ECL_ROLE_END &&
            from < sample->count &&
            ecl_layout_is_date(ecl_sample_cell(&sample->records[from], column), &stamp)) {
            return column;
        }
    }
    return -1;
}

static int read_date(const ecl_layout_t *layout, const ecl_record_t *record, int column,
                     ecl_date_t *pdate)
{
    ecl_field_t cell = ecl_sample_cell(record, column);
    ecl_datetime_t stamp;

    if (ecl_datetime_parse(cell.text, cell.length, layout->date_order, &stamp) != ECL_DATETIME_OK ||
        !stamp.has_date) {
        return 0;
    }
    *pdate = stamp.date;
    return 1;
}

/* The first row whose period has more than a day, if most have. */
static const ecl_record_t *find_long_period(const ecl_layout_t *layout, const ecl_sample_t *sample,
                                            int from, int end_column)
{
    const ecl_record_t *found = NULL;
    int longer = 0, rows = 0;

    for (int i = from; i < sample->count && end_column >= 0; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_date_t start, end;

        if (!read_date(layout, record, layout->date_column, &start) ||
            !read_date(layout, record, end_column, &end)) {
            continue;
        }
        rows++;
        if (end > start + 1) {
            longer++;
            found = found ? found : record;
        }
    }
    return longer * 2 > rows ? found : NULL;
}

/* The fewest days from one row of a meter to its next; 0: there are too few to say. */
static int smallest_gap(const ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    int gaps = 0, smallest = 0;

    for (int i = from; i < sample->count; i++) {
        ecl_field_t meter = ecl_sample_cell(&sample->records[i], layout->meter_column);
        ecl_date_t date, other;
        int nearest = 0;

        if (!read_date(layout, &sample->records[i], layout->date_column, &date)) {
            continue;
        }
        for (int k = from; k < sample->count; k++) {
            ecl_field_t its = ecl_sample_cell(&sample->records[k], layout->meter_column);

            if (its.length == meter.length && !memcmp(its.text, meter.text, meter.length) &&
                (!sample->tables || sample->tables[k] == sample->tables[i]) &&
                read_date(layout, &sample->records[k], layout->date_column, &other) &&
                other > date && (!nearest || other - date < nearest)) {
                nearest = other - date;
            }
        }
        if (nearest) {
            gaps++;
            smallest = smallest && smallest < nearest ? smallest : nearest;
            if (smallest <= LONGEST_GAP) {
                return smallest;
            }
        }
    }
    return gaps >= GAPS_ENOUGH ? smallest : 0;
}

apr_status_t ecl_layout_check_days(const ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                   ecl_result_t *result)
{
    int end_column = find_end(layout, sample, from), gap;
    const ecl_record_t *record = find_long_period(layout, sample, from, end_column);

    if (record) {
        return ecl_fail(result, ECL_EINPUT, "longer-periods",
                        "the values are of more than a day each, as on line %" APR_INT64_T_FMT
                        " of \"%.*s\" to \"%.*s\": expected half-hourly readings or totals of "
                        "single days",
                        record->line,
                        ECL_CUT(40, ecl_sample_cell(record, layout->date_column).text),
                        ECL_CUT(40, ecl_sample_cell(record, end_column).text));
    }
    gap = smallest_gap(layout, sample, from);
    if (gap > LONGEST_GAP) {
        return ecl_fail(result, ECL_EINPUT, "longer-periods",
                        "the dates are %d days or more apart, so that the values seem to be of "
                        "weeks or months: expected half-hourly readings or totals of single days",
                        gap);
    }
    return APR_SUCCESS;
}
