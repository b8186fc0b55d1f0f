/*
 * A job's rejected rows as a CSV file: each record as it stands in its file, then where and why it
 * was rejected. With the file's own header line and delimiter, so that it can be corrected in place
 * and uploaded again.
 *
 * Row errors are read and sent in pages, without holding a connection while sending.
 */
#include <apr_lib.h>
#include <http_protocol.h>

#include "actions.h"
#include "child.h"
#include "pages.h"
#include "private.h"
#include "respond.h"

#define PAGE_ROWS 500

/* What the file separates its fields by. */
static char delimiter_of(const ecl_job_t *job)
{
    json_object *text;
    const char *delimiter =
        job->summary && json_object_object_get_ex(job->summary, "delimiter", &text)
            ? json_object_get_string(text)
            : NULL;

    return delimiter && strlen(delimiter) == 1 ? *delimiter : ',';
}

/* A quoted field. A spreadsheet would run a text that begins with one of = + - @ as a formula, so
 * it gets an apostrophe; the record itself is the client's and is left as it is. */
static const char *field(const char *text, apr_pool_t *p)
{
    char *result = apr_palloc(p, 2 * strlen(text) + 4), *out = result;

    *out++ = '"';
    if (*text && strchr("=+-@\t\r", *text)) {
        *out++ = '\'';
    }
    for (; *text; text++) {
        if (*text == '"') {
            *out++ = '"';
        }
        *out++ = *text;
    }
    *out++ = '"';
    *out = '\0';
    return result;
}

static const char *text_of(json_object *error, const char *key)
{
    json_object *value;

    return json_object_object_get_ex(error, key, &value) && value ? json_object_get_string(value)
                                                                  : "";
}

/* "november.csv" → "november-rejected-rows.csv", of characters that are safe in a header and on
 * every disk. */
static const char *attachment_name(const char *filename, apr_pool_t *p)
{
    char *name = apr_pstrdup(p, filename), *ending = strrchr(name, '.');

    if (ending && ending != name) {
        *ending = '\0';
    }
    for (char *c = name; *c; c++) {
        if (!apr_isalnum(*c) && !strchr("-_", *c)) {
            *c = '_';
        }
    }
    return apr_pstrcat(p, name, "-rejected-rows.csv", NULL);
}

static apr_status_t read_page(const ecl_job_t *job, apr_int64_t after, apr_pool_t *p,
                              json_object **perrors, apr_int64_t *pnext, ecl_result_t *result)
{
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, result);

    if (rv == APR_SUCCESS) {
        rv = ecl_job_errors(conn, job->id, after, PAGE_ROWS, p, perrors, pnext, result);
        ecl_db_release(conn);
    }
    return rv;
}

/* Sends the rows of one page. Returns 0 when the client has gone. */
static int send_page(request_rec *r, json_object *errors, char delimiter, apr_pool_t *p)
{
    const char d[2] = {delimiter, '\0'};

    for (apr_size_t i = 0; i < json_object_array_length(errors); i++) {
        json_object *error = json_object_array_get_idx(errors, i);
        if (ap_rvputs(r, text_of(error, "raw"), d, text_of(error, "line"), d,
                      field(text_of(error, "column"), p), d, field(text_of(error, "code"), p), d,
                      field(text_of(error, "message"), p), "\r\n", NULL) < 0) {
            return 0;
        }
    }
    return 1;
}

/* The answer has begun and can't be finished: break it off, so that nobody takes it for whole. */
static int break_off(request_rec *r)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, alloc);

    r->connection->keepalive = AP_CONN_CLOSE;
    APR_BRIGADE_INSERT_TAIL(bb, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, bb);
    return OK;
}

static void send_header(request_rec *r, const ecl_job_t *job, char delimiter)
{
    const char d[2] = {delimiter, '\0'};
    json_object *header;

    ap_set_content_type(r, "text/csv; charset=utf-8");
    apr_table_setn(r->headers_out, "Content-Disposition",
                   apr_psprintf(r->pool, "attachment; filename=\"%s\"",
                                attachment_name(job->filename, r->pool)));
    if (job->summary && json_object_object_get_ex(job->summary, "header", &header) && header) {
        ap_rvputs(r, json_object_get_string(header), d, "rejected_line", d, "rejected_column", d,
                  "rejected_cause", d, "rejected_message\r\n", NULL);
    }
}

int ecl_page_failed_rows(ecl_request_t *q)
{
    request_rec *r = q->r;
    ecl_result_t result = ecl_result_make(r->pool);
    json_object *errors = NULL;
    apr_int64_t next = 0;
    ecl_job_t *job;
    apr_pool_t *p;
    char delimiter;

    if (ecl_action_get_job(q, &job, &result) != APR_SUCCESS ||
        read_page(job, 0, r->pool, &errors, &next, &result) != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    if (!json_object_array_length(errors)) {
        json_object_put(errors);
        return ecl_respond_error(q, HTTP_NOT_FOUND, "no-rejected-rows",
                                 "No row of this job was rejected");
    }
    delimiter = delimiter_of(job);
    send_header(r, job, delimiter);
    apr_pool_create(&p, r->pool);
    for (;;) {
        int is_sent = send_page(r, errors, delimiter, p);
        json_object_put(errors);
        apr_pool_clear(p);
        if (!is_sent || !next) {
            return OK;
        }
        if (read_page(job, next, p, &errors, &next, &result) != APR_SUCCESS) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                          ECLNO(2060) "cannot send all rejected rows of job %s: %s", job->batch_id,
                          result.detail);
            return break_off(r);
        }
    }
}
