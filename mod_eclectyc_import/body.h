/*
 * Small bodies of requests, read whole.
 */
#ifndef ECL_BODY_H
#define ECL_BODY_H

#include "request.h"
#include "../lib/ecl.h"

#define ECL_BODY_BYTES 65536

/* The fields of a urlencoded form or of a JSON object of texts, by the request's Content-Type; none
 * for an empty body. *phttp is 0, or the client or a filter ended the transfer: then it is the
 * answer's status (AP_FILTER_ERROR: the answer has been sent). ECL_EINPUT: too large, of another
 * type ("bad-content-type"), or malformed. */
apr_status_t ecl_body_fields(ecl_request_t *q, apr_table_t **pfields, int *phttp,
                             ecl_result_t *result);

#endif /* ECL_BODY_H */
