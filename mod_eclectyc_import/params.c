#include "params.h"

#define MAX_LIMIT 200 /* ecl_job_filter_t */

static const char *text_of(const ecl_request_t *q, const char *name)
{
    const char *text = apr_table_get(q->query, name);

    return text && *text ? text : NULL;
}

apr_status_t ecl_params_int(const ecl_request_t *q, const char *name, apr_int64_t min,
                            apr_int64_t max, apr_int64_t *pvalue, ecl_result_t *result)
{
    const char *text = text_of(q, name);

    if (text && !ecl_parse_int64(text, min, max, pvalue)) {
        return ecl_fail(result, ECL_EINPUT, "bad-parameter",
                        "parameter %s: '%s' is not a whole number from %" APR_INT64_T_FMT
                        " to %" APR_INT64_T_FMT,
                        name, text, min, max);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_params_filter(const ecl_request_t *q, int default_limit, ecl_job_filter_t *filter,
                               ecl_result_t *result)
{
    const char *status = text_of(q, "status");
    apr_int64_t limit = default_limit;
    apr_status_t rv;

    memset(filter, 0, sizeof *filter);
    if (status) {
        if (!ecl_job_status_parse(status, &filter->status)) {
            return ecl_fail(result, ECL_EINPUT, "bad-parameter",
                            "parameter status: '%s' is not one of queued, processing, completed, "
                            "failed, cancelled",
                            status);
        }
        filter->has_status = 1;
    }
    rv = ecl_params_int(q, "limit", 1, MAX_LIMIT, &limit, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    filter->limit = (int)limit;
    filter->q = text_of(q, "q");
    filter->before = text_of(q, "before");
    if (filter->before && !ecl_job_is_uuid(filter->before)) {
        return ecl_fail(result, ECL_EINPUT, "bad-parameter",
                        "parameter before: '%s' is not a batch id", filter->before);
    }
    return APR_SUCCESS;
}
