#include <apr_cstr.h>
#include <http_protocol.h>

#include "body.h"
#include "form.h"
#include "private.h"
#include "respond.h"
#include "../lib/utf8.h"

#define READ_BYTES 8192

/* Adds what a brigade holds to body; *pat_end: that was all. */
static apr_status_t take_brigade(apr_bucket_brigade *bb, char *body, apr_size_t *plength,
                                 int *pat_end, ecl_result_t *result)
{
    for (apr_bucket *b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb) && !*pat_end;
         b = APR_BUCKET_NEXT(b)) {
        const char *data;
        apr_size_t length;
        apr_status_t rv;

        if (APR_BUCKET_IS_METADATA(b)) {
            *pat_end = APR_BUCKET_IS_EOS(b);
            continue;
        }
        rv = apr_bucket_read(b, &data, &length, APR_BLOCK_READ);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (length > ECL_BODY_BYTES - *plength) {
            return ecl_fail(result, ECL_EINPUT, "body-too-large",
                            "The request's body is longer than %d bytes", ECL_BODY_BYTES);
        }
        memcpy(body + *plength, data, length);
        *plength += length;
    }
    return APR_SUCCESS;
}

static apr_status_t read_body(request_rec *r, char *body, apr_size_t *plength, int *phttp,
                              ecl_result_t *result)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int at_end = 0;

    *plength = 0;
    while (!at_end) {
        apr_status_t rv =
            ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, READ_BYTES);

        if (rv == APR_SUCCESS && APR_BRIGADE_EMPTY(bb)) {
            rv = APR_EOF; /* success without anything would loop for ever */
        }
        if (rv == APR_SUCCESS) {
            rv = take_brigade(bb, body, plength, &at_end, result);
        }
        apr_brigade_cleanup(bb);
        if (rv == ECL_EINPUT) {
            return rv;
        }
        if (rv != APR_SUCCESS) {
            *phttp = rv == AP_FILTER_ERROR ? rv : ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
            ap_log_rerror(APLOG_MARK, APLOG_INFO, rv == AP_FILTER_ERROR ? 0 : rv, r,
                          ECLNO(2032) "the request's body ended before it was complete");
            return rv;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t parse_json(ecl_request_t *q, const char *body, apr_size_t length,
                               apr_table_t *fields, ecl_result_t *result)
{
    json_tokener *tokener = json_tokener_new();
    json_object *object = json_tokener_parse_ex(tokener, body, (int)length);
    int is_whole = json_tokener_get_error(tokener) == json_tokener_success &&
                   json_tokener_get_parse_end(tokener) == length;

    json_tokener_free(tokener);
    if (object) {
        ecl_respond_own(q, object);
    }
    if (!is_whole || !json_object_is_type(object, json_type_object)) {
        return ecl_fail(result, ECL_EINPUT, "bad-json", "The body is not a JSON object");
    }
    json_object_object_foreach(object, name, value)
    {
        const char *text = json_object_get_string(value);

        if (!json_object_is_type(value, json_type_string) ||
            strlen(text) != (apr_size_t)json_object_get_string_len(value) ||
            !ecl_utf8_is_text(text, strlen(text))) {
            return ecl_fail(result, ECL_EINPUT, "bad-json", "The value of %s is not a text",
                            ecl_respond_utf8(q, name));
        }
        apr_table_set(fields, ecl_respond_utf8(q, name), text);
    }
    return APR_SUCCESS;
}

static int is_type(const char *type, const char *expected)
{
    apr_size_t length = strlen(expected);

    return !apr_cstr_casecmpn(type, expected, length) && strchr("; \t", type[length]);
}

apr_status_t ecl_body_fields(ecl_request_t *q, apr_table_t **pfields, int *phttp,
                             ecl_result_t *result)
{
    request_rec *r = q->r;
    const char *type = apr_table_get(r->headers_in, "Content-Type");
    char *body = apr_palloc(r->pool, ECL_BODY_BYTES);
    apr_size_t length;
    apr_status_t rv;

    *phttp = 0;
    *pfields = apr_table_make(r->pool, 4);
    rv = read_body(r, body, &length, phttp, result);
    if (rv != APR_SUCCESS || !length) {
        return rv;
    }
    if (type && is_type(type, "application/json")) {
        return parse_json(q, body, length, *pfields, result);
    }
    if (type && is_type(type, "application/x-www-form-urlencoded")) {
        return ecl_form_parse(body, length, r->pool, pfields, result);
    }
    return ecl_fail(result, ECL_EINPUT, "bad-content-type",
                    "The body is neither application/json nor application/x-www-form-urlencoded");
}
