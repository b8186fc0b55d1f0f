/*
 * What the user said about the file, against what the file says. What the file states is never
 * overridden: one of the two is wrong, and only the user can tell which.
 */
#include "layout_internal.h"
#include "meter.h"

/* What the messages call a column. */
static const char *column_text(const ecl_layout_t *layout, int column, apr_pool_t *p)
{
    return layout->names[column][0] ? layout->names[column]
                                    : apr_psprintf(p, "number %d", column + 1);
}

static apr_status_t check_meter(const ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                apr_pool_t *p, ecl_result_t *result)
{
    char given[ECL_METER_MAX], named[ECL_METER_MAX];
    const char *text = layout->given.meter;
    ecl_meter_kind_t kind;

    if (!text) {
        return layout->meter_column >= 0
                   ? APR_SUCCESS
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

apr_status_t ecl_layout_check_given(const ecl_layout_t *layout, const ecl_sample_t *sample,
                                    int from, apr_pool_t *p, ecl_result_t *result)
{
    return check_meter(layout, sample, from, p, result);
}
