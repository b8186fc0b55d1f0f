#include <apr_cstr.h>
#include <apr_lib.h>
#include <json-c/printbuf.h>
#include <openssl/evp.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>

#include "child.h"
#include "format.h"
#include "private.h"
#include "respond.h"
#include "view.h"
#include "../lib/utf8.h"

#define RETRY_AFTER_SECONDS "10"

static apr_status_t put_object(void *object)
{
    json_object_put(object);
    return APR_SUCCESS;
}

static apr_status_t free_printbuf(void *printed)
{
    printbuf_free(printed);
    return APR_SUCCESS;
}

struct printbuf *ecl_respond_printbuf(ecl_request_t *q)
{
    struct printbuf *printed = printbuf_new();

    apr_pool_cleanup_register(q->r->pool, printed, free_printbuf, apr_pool_cleanup_null);
    return printed;
}

json_object *ecl_respond_own(ecl_request_t *q, json_object *object)
{
    apr_pool_cleanup_register(q->r->pool, object, put_object, apr_pool_cleanup_null);
    return object;
}

const char *ecl_respond_utf8(ecl_request_t *q, const char *text)
{
    apr_size_t length = strlen(text);
    char *repaired;

    if (ecl_utf8_is_text(text, length)) {
        return text;
    }
    repaired = apr_palloc(q->r->pool, 3 * length + 1);
    ecl_utf8_repair(text, length, repaired);
    return repaired;
}

/* Sends what bb holds as the whole answer. */
static int send_brigade(request_rec *r, int status, const char *type, apr_bucket_brigade *bb)
{
    apr_off_t length;
    apr_status_t rv = apr_brigade_length(bb, 1, &length);

    if (rv != APR_SUCCESS) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    r->status = status;
    ap_set_content_type(r, type);
    ap_set_content_length(r, length);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(r->connection->bucket_alloc));
    rv = ap_pass_brigade(r->output_filters, bb);
    return rv == APR_SUCCESS || r->connection->aborted ? OK : AP_FILTER_ERROR;
}

static int send_bytes(request_rec *r, int status, const char *type, const char *bytes,
                      apr_size_t length)
{
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);

    APR_BRIGADE_INSERT_TAIL(
        bb, apr_bucket_pool_create(bytes, length, r->pool, r->connection->bucket_alloc));
    return send_brigade(r, status, type, bb);
}

static int send_text(request_rec *r, int status, const char *type, const char *text)
{
    return send_bytes(r, status, type, text, strlen(text));
}

static apr_status_t print(void *printed, const char *text, apr_size_t length)
{
    struct printbuf *out = printed;

    printbuf_memappend_fast(out, text, (int)length);
    return APR_SUCCESS;
}

int ecl_respond_page(ecl_request_t *q, int status, const char *template_name, json_object *data)
{
    request_rec *r = q->r;
    struct printbuf *printed = ecl_respond_printbuf(q);
    ecl_result_t result = ecl_result_make(r->pool);
    const ecl_templates_t *set;
    apr_status_t rv = ecl_child_templates(&set, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_template_render(set, template_name, data, print, printed, &result);
    }
    if (rv != APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, ECLNO(2020) "cannot show the page '%s': %s",
                      template_name, result.detail ? result.detail : ecl_strerror(rv, r->pool));
        return send_text(r, HTTP_INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8",
                         "The page cannot be shown: its template is missing or broken. "
                         "The server's error log says more.\n");
    }
    return send_bytes(r, status, "text/html; charset=utf-8", printed->buf,
                      (apr_size_t)printed->bpos);
}

/* By libcrypto, whose SHA-256 is several times as fast as apr-util's SHA-1. NULL: it can't be had.
 */
static const char *etag_of(const char *text, apr_pool_t *p)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char *hex = apr_palloc(p, 2 * 10 + 3), *out = hex;

    if (!EVP_Digest(text, strlen(text), digest, NULL, ecl_child_sha256(), NULL)) {
        return NULL;
    }
    *out++ = '"';
    for (int i = 0; i < 10; i++) {
        *out++ = "0123456789abcdef"[digest[i] >> 4];
        *out++ = "0123456789abcdef"[digest[i] & 15];
    }
    *out++ = '"';
    *out = '\0';
    return hex;
}

int ecl_respond_json(ecl_request_t *q, int status, json_object *data)
{
    return ecl_respond_printed(
        q, status,
        apr_pstrcat(q->r->pool,
                    json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN |
                                                             JSON_C_TO_STRING_NOSLASHESCAPE),
                    "\n", NULL));
}

int ecl_respond_printed(ecl_request_t *q, int status, const char *text)
{
    request_rec *r = q->r;
    const char *etag;
    int rv;

    if (r->method_number == M_GET && status == HTTP_OK) {
        etag = etag_of(text, r->pool);
        if (etag) {
            apr_table_setn(r->headers_out, "ETag", etag);
        }
        apr_table_setn(r->err_headers_out, "Cache-Control", "private, no-cache");
        /* mod_deflate would append to the ETag, and no request would ever be answered with 304 */
        apr_table_setn(r->subprocess_env, "no-gzip", "1");
        rv = ap_meets_conditions(r);
        if (rv != OK) {
            return rv;
        }
    }
    return send_text(r, status, "application/json", text);
}

int ecl_respond_error(ecl_request_t *q, int status, const char *code, const char *detail)
{
    request_rec *r = q->r;
    /* "404 Not Found" */
    const char *title = ap_get_status_line(status) + 4;
    const char *sentence = ecl_format_sentence(ecl_respond_utf8(q, detail), r->pool);
    json_object *error = json_object_new_object();

    if (q->wants_json) {
        ecl_respond_own(q, error);
        json_object_object_add(error, "type", json_object_new_string("about:blank"));
        json_object_object_add(error, "title", json_object_new_string(title));
        json_object_object_add(error, "status", json_object_new_int(status));
        json_object_object_add(error, "detail", json_object_new_string(sentence));
        json_object_object_add(error, "code", json_object_new_string(code));
        return send_text(
            r, status, "application/problem+json",
            apr_pstrcat(r->pool,
                        json_object_to_json_string_ext(error, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE),
                        "\n", NULL));
    }
    json_object *data = ecl_respond_own(q, ecl_view_root(q, title, NULL));
    json_object_object_add(data, "error", error);
    json_object_object_add(error, "status", json_object_new_int(status));
    json_object_object_add(error, "title", json_object_new_string(title));
    json_object_object_add(error, "detail", json_object_new_string(sentence));
    return ecl_respond_page(q, status, "error", data);
}

int ecl_respond_failure(ecl_request_t *q, const ecl_result_t *result)
{
    request_rec *r = q->r;

    switch (result->status) {
    case ECL_EINPUT:
        return ecl_respond_error(q, HTTP_UNPROCESSABLE_ENTITY, result->code, result->detail);
    case ECL_ENOTFOUND:
        return ecl_respond_error(q, HTTP_NOT_FOUND, result->code, result->detail);
    case ECL_ECONFLICT:
        return ecl_respond_error(q, HTTP_CONFLICT, result->code, result->detail);
    case ECL_ENOSPACE:
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, ECLNO(2021) "the disk is full: %s",
                      result->detail);
        return ecl_respond_error(q, HTTP_INSUFFICIENT_STORAGE, "disk-full",
                                 "The server's disk is full. Nothing was kept; ask its "
                                 "administrator");
    case ECL_EUNAVAILABLE:
    case ECL_ESCHEMA:
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, ECLNO(2022) "the database is not available: %s",
                      result->detail);
        apr_table_setn(r->err_headers_out, "Retry-After", RETRY_AFTER_SECONDS);
        return ecl_respond_error(q, HTTP_SERVICE_UNAVAILABLE, "database-unavailable",
                                 "The database is not available. Nothing was changed; try again in "
                                 "a minute");
    default:
        ap_log_rerror(APLOG_MARK, APLOG_ERR, result->status >= ECL_E(0) ? 0 : result->status, r,
                      ECLNO(2023) "cannot answer '%s': %s", r->uri,
                      result->detail ? result->detail : "no detail");
        return ecl_respond_error(q, HTTP_INTERNAL_SERVER_ERROR, "internal-error",
                                 "Something is wrong with the server. Its error log says what; ask "
                                 "its administrator");
    }
}

static int interrupted(ecl_request_t *q, int status, const char *code, const char *detail)
{
    return status == AP_FILTER_ERROR ? status : ecl_respond_error(q, status, code, detail);
}

int ecl_respond_interrupted(ecl_request_t *q, int status)
{
    return interrupted(q, status, "request-interrupted",
                       "The request ended before it was complete. Nothing was changed");
}

int ecl_respond_upload_interrupted(ecl_request_t *q, int status)
{
    return interrupted(q, status, "upload-interrupted",
                       "The upload ended before it was complete. Nothing was kept");
}

int ecl_respond_see_other(ecl_request_t *q, const char *path)
{
    request_rec *r = q->r;

    apr_table_setn(r->headers_out, "Location", apr_pstrcat(r->pool, q->base, path, NULL));
    return send_text(r, HTTP_SEE_OTHER, "text/plain; charset=utf-8", "");
}

/* The kinds of file that pages are made of; nothing else in assets/ is served. */
static const char *asset_type(const char *name)
{
    static const char *const types[][2] = {
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/vnd.microsoft.icon"},
        {".woff2", "font/woff2"},
    };
    const char *ending = strrchr(name, '.');

    for (const char *c = name; *c; c++) {
        if (!apr_isalnum(*c) && !strchr("._-", *c)) {
            return NULL;
        }
    }
    for (apr_size_t i = 0; ending && ending != name && i < sizeof types / sizeof *types; i++) {
        if (!strcmp(ending, types[i][0])) {
            return types[i][1];
        }
    }
    return NULL;
}

int ecl_respond_asset(ecl_request_t *q)
{
    request_rec *r = q->r;
    const char *type = asset_type(q->name);
    const char *path = apr_pstrcat(r->pool, q->settings->templates_dir, "/assets/", q->name, NULL);
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    apr_finfo_t finfo;
    apr_file_t *file;
    int rv;

    if (!type ||
        apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY | APR_FOPEN_SENDFILE_ENABLED,
                      0, r->pool) != APR_SUCCESS ||
        apr_file_info_get(&finfo, APR_FINFO_SIZE | APR_FINFO_MTIME | APR_FINFO_TYPE, file) !=
            APR_SUCCESS ||
        finfo.filetype != APR_REG) {
        return ecl_respond_error(q, HTTP_NOT_FOUND, "not-found", "There is no such file");
    }
    apr_table_setn(r->headers_out, "ETag",
                   apr_psprintf(r->pool, "\"%" APR_UINT64_T_HEX_FMT "-%" APR_UINT64_T_HEX_FMT "\"",
                                (apr_uint64_t)finfo.size, (apr_uint64_t)finfo.mtime));
    apr_table_setn(r->err_headers_out, "Cache-Control", "private, max-age=300");
    rv = ap_meets_conditions(r);
    if (rv != OK) {
        return rv;
    }
    apr_brigade_insert_file(bb, file, 0, finfo.size, r->pool);
    return send_brigade(r, HTTP_OK, type, bb);
}
