#include <json-c/printbuf.h>
#include <http_protocol.h>

#include "actions.h"
#include "body.h"
#include "child.h"
#include "pages.h"
#include "respond.h"
#include "../lib/storage.h"

apr_status_t ecl_action_get_job(ecl_request_t *q, ecl_job_t **pjob, ecl_result_t *result)
{
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, result);

    if (rv == APR_SUCCESS) {
        rv = ecl_job_get(conn, q->batch_id, q->r->pool, pjob, result);
        ecl_db_release(conn);
    }
    return rv;
}

int ecl_action_answer_job(ecl_request_t *q, int status, const ecl_job_t *job)
{
    struct printbuf *printed = ecl_respond_printbuf(q);
    request_rec *r = q->r;

    if (status == HTTP_ACCEPTED) {
        apr_table_setn(r->headers_out, "Location",
                       apr_pstrcat(r->pool, q->base,
                                   q->role == ECL_ROLE_API ? "/jobs/" : "/status/", job->batch_id,
                                   NULL));
    }
    ecl_job_print(job, apr_time_now(), printed);
    printbuf_strappend(printed, "\n");
    return ecl_respond_printed(q, status, printed->buf);
}

/* The job is to be worked on. */
static int answer_done(ecl_request_t *q, const ecl_job_t *job)
{
    ecl_storage_wake(q->settings->storage_dir, q->r->pool);
    if (q->wants_json) {
        return ecl_action_answer_job(q, HTTP_ACCEPTED, job);
    }
    return ecl_respond_see_other(q, apr_pstrcat(q->r->pool, "/status/", job->batch_id, NULL));
}

static int act(ecl_request_t *q, ecl_action_fn *action)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_t *job = NULL;
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire_writer(&conn, &result);

    if (rv == APR_SUCCESS) {
        rv = action(q, conn, &job, &result);
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    if (!job) { /* deleted */
        if (q->wants_json) {
            q->r->status = HTTP_NO_CONTENT;
            return OK;
        }
        return ecl_respond_see_other(q, "/jobs?done=deleted");
    }
    return answer_done(q, job);
}

static apr_status_t cancel(ecl_request_t *q, ecl_db_conn_t *conn, ecl_job_t **pjob,
                           ecl_result_t *result)
{
    return ecl_job_cancel(conn, q->batch_id, q->user, q->r->pool, pjob, result);
}

static apr_status_t retry(ecl_request_t *q, ecl_db_conn_t *conn, ecl_job_t **pjob,
                          ecl_result_t *result)
{
    return ecl_job_retry(conn, q->batch_id, q->user, q->r->pool, pjob, result);
}

static apr_status_t undo(ecl_request_t *q, ecl_db_conn_t *conn, ecl_job_t **pjob,
                         ecl_result_t *result)
{
    return ecl_job_undo(conn, q->batch_id, q->user, q->r->pool, pjob, result);
}

static apr_status_t run_now(ecl_request_t *q, ecl_db_conn_t *conn, ecl_job_t **pjob,
                            ecl_result_t *result)
{
    return ecl_job_run_now(conn, q->batch_id, q->user, q->r->pool, pjob, result);
}

static apr_status_t import(ecl_request_t *q, ecl_db_conn_t *conn, ecl_job_t **pjob,
                           ecl_result_t *result)
{
    return ecl_job_import_for_real(conn, q->batch_id, q->user, q->settings->storage_dir,
                                   q->settings->host_name, q->r->pool, pjob, result);
}

static apr_status_t delete_job(ecl_request_t *q, ecl_db_conn_t *conn, ecl_job_t **pjob,
                               ecl_result_t *result)
{
    *pjob = NULL;
    return ecl_job_delete(conn, q->batch_id, q->user, q->settings->storage_dir, q->r->pool, result);
}

ecl_action_fn *ecl_action_find(const char *name)
{
    static const struct {
        const char *name;
        ecl_action_fn *function;
    } actions[] = {{"cancel", cancel},
                   {"retry", retry},
                   {"undo", undo},
                   {"run-now", run_now},
                   {"delete", delete_job}};

    for (apr_size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (!strcmp(name, actions[i].name)) {
            return actions[i].function;
        }
    }
    return NULL;
}

/* ---- answering ---------------------------------------------------------------------------------
 */

/* The fields of an answer, each the name of an option, → values by option. */
static apr_status_t take_answers(const apr_table_t *fields, const char *values[ECL_OPTIONS],
                                 ecl_result_t *result)
{
    const apr_array_header_t *array = apr_table_elts(fields);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;

    for (int i = 0; i < array->nelts; i++) {
        int id = ecl_option_find(entries[i].key);
        const char *checked;
        apr_status_t rv;

        if (id < 0) {
            return ecl_fail(result, ECL_EINPUT, "unknown-option",
                            "there is no option \"%s\"; it is one of: %s", entries[i].key,
                            ecl_option_names(result->pool));
        }
        values[id] = entries[i].val; /* as it is shown again if it is refused */
        rv = ecl_option_check(id, entries[i].val, &checked, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        values[id] = checked ? checked : "";
    }
    return APR_SUCCESS;
}

int ecl_action_answer(ecl_request_t *q)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    const char *values[ECL_OPTIONS] = {NULL};
    apr_table_t *fields;
    ecl_job_t *job = NULL;
    ecl_db_conn_t *conn;
    int http;
    apr_status_t rv = ecl_body_fields(q, &fields, &http, &result);

    if (http) {
        return ecl_respond_interrupted(q, http);
    }
    if (rv == APR_SUCCESS) {
        rv = take_answers(fields, values, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_child_acquire_writer(&conn, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_job_answer(conn, q->batch_id, q->user, values, q->r->pool, &job, &result);
        ecl_db_release(conn);
    }
    if (rv == ECL_EINPUT && !q->wants_json) {
        return ecl_page_refused_answer(q, values, &result);
    }
    return rv == APR_SUCCESS ? answer_done(q, job) : ecl_respond_failure(q, &result);
}

int ecl_action_cancel(ecl_request_t *q)
{
    return act(q, cancel);
}

int ecl_action_retry(ecl_request_t *q)
{
    return act(q, retry);
}

int ecl_action_undo(ecl_request_t *q)
{
    return act(q, undo);
}

int ecl_action_run_now(ecl_request_t *q)
{
    return act(q, run_now);
}

int ecl_action_import(ecl_request_t *q)
{
    return act(q, import);
}

int ecl_action_delete(ecl_request_t *q)
{
    return act(q, delete_job);
}
