/*
 * Parameters that several calls take, read from a query and checked.
 */
#ifndef ECL_PARAMS_H
#define ECL_PARAMS_H

#include "request.h"
#include "../lib/jobs.h"

/* status, q, limit (default_limit if absent), before → filter. An empty value is an absent one: a
 * form sends all of its fields. ECL_EINPUT names the parameter, its value and what is accepted. */
apr_status_t ecl_params_filter(const ecl_request_t *q, int default_limit, ecl_job_filter_t *filter,
                               ecl_result_t *result);

/* An integer; *pvalue is left as it is when the parameter is absent or empty. */
apr_status_t ecl_params_int(const ecl_request_t *q, const char *name, apr_int64_t min,
                            apr_int64_t max, apr_int64_t *pvalue, ecl_result_t *result);

#endif /* ECL_PARAMS_H */
