#include <json-c/printbuf.h>
#include <http_protocol.h>

#include "actions.h"
#include "api.h"
#include "child.h"
#include "params.h"
#include "private.h"
#include "respond.h"
#include "upload.h"

#define LIST_LIMIT 50
#define ERRORS_LIMIT 100
#define MAX_ERRORS_LIMIT 1000
#define MAX_KEY_BYTES 200
#define ALIVE_SECONDS (3 * ECL_HEARTBEAT_SECONDS)

int ecl_api_list(ecl_request_t *q)
{
    struct printbuf *printed = ecl_respond_printbuf(q);
    ecl_result_t result = ecl_result_make(q->r->pool);
    apr_time_t now = apr_time_now();
    ecl_job_filter_t filter;
    ecl_job_page_t page;
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_params_filter(q, LIST_LIMIT, &filter, &result);

    if (rv != APR_SUCCESS) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    rv = ecl_child_acquire(&conn, &result);
    if (rv == APR_SUCCESS) {
        rv = ecl_job_list(conn, &filter, q->r->pool, &page, &result);
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    printbuf_strappend(printed, "{\"jobs\":[");
    for (int i = 0; i < page.count; i++) {
        if (i) {
            printbuf_strappend(printed, ",");
        }
        ecl_job_print(page.jobs[i], now, printed);
    }
    sprintbuf(printed, "],\"count\":%d,\"next\":", page.count);
    if (page.next) {
        sprintbuf(printed, "\"%s\"}\n", page.next); /* a batch id has nothing to escape */
    } else {
        printbuf_strappend(printed, "null}\n");
    }
    return ecl_respond_printed(q, HTTP_OK, printed->buf);
}

/* What became of the jobs that follow on from this one. */
static json_object *followed_by(ecl_job_t *const *jobs, int count, apr_pool_t *p)
{
    json_object *array = json_object_new_array();

    for (int i = 0; i < count; i++) {
        const ecl_job_t *job = jobs[i];
        json_object *entry = json_object_new_object();

        json_object_object_add(entry, "batch_id", json_object_new_string(job->batch_id));
        json_object_object_add(entry, "filename", json_object_new_string(job->filename));
        json_object_object_add(entry, "status",
                               json_object_new_string(ecl_job_status_name(job->status)));
        json_object_object_add(entry, "dry_run", json_object_new_boolean(job->dry_run));
        json_object_object_add(entry, "imported_rows", json_object_new_int64(job->imported_rows));
        json_object_object_add(entry, "failed_rows", json_object_new_int64(job->failed_rows));
        json_object_object_add(entry, "queued_at",
                               json_object_new_string(ecl_rfc3339(job->queued_at, p)));
        json_object_object_add(
            entry, "undone_at",
            job->undone_at ? json_object_new_string(ecl_rfc3339(job->undone_at, p)) : NULL);
        json_object_array_add(array, entry);
    }
    return array;
}

int ecl_api_job(ecl_request_t *q)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_db_conn_t *conn;
    ecl_job_t *job = NULL, **followers;
    struct printbuf *printed = ecl_respond_printbuf(q);
    json_object *array;
    const char *json;
    size_t length;
    int count;
    apr_status_t rv = ecl_child_acquire(&conn, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_job_look(conn, q->batch_id, q->r->pool, &job, &result);
        if (rv == APR_SUCCESS) {
            rv = ecl_job_followers(conn, q->batch_id, q->r->pool, &followers, &count, &result);
        }
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    array = ecl_respond_own(q, followed_by(followers, count, q->r->pool));
    ecl_job_print(job, apr_time_now(), printed);
    printed->bpos--; /* one more member before its closing brace */
    printbuf_strappend(printed, ",\"followed_by\":");
    json = json_object_to_json_string_length(
        array, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    printbuf_memappend_fast(printed, json, (int)length);
    printbuf_strappend(printed, "}\n");
    return ecl_respond_printed(q, HTTP_OK, printed->buf);
}

int ecl_api_errors(ecl_request_t *q)
{
    json_object *root = ecl_respond_own(q, json_object_new_object()), *errors;
    ecl_result_t result = ecl_result_make(q->r->pool);
    apr_int64_t after = 0, limit = ERRORS_LIMIT, next;
    ecl_db_conn_t *conn;
    ecl_job_t *job;
    apr_status_t rv = ecl_params_int(q, "after", 0, APR_INT64_MAX, &after, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_params_int(q, "limit", 1, MAX_ERRORS_LIMIT, &limit, &result);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    rv = ecl_child_acquire(&conn, &result);
    if (rv == APR_SUCCESS) {
        rv = ecl_job_get(conn, q->batch_id, q->r->pool, &job, &result);
        if (rv == APR_SUCCESS) {
            rv = ecl_job_errors(conn, job->id, after, (int)limit, q->r->pool, &errors, &next,
                                &result);
        }
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    json_object_object_add(root, "errors", errors);
    json_object_object_add(root, "count",
                           json_object_new_int64((apr_int64_t)json_object_array_length(errors)));
    json_object_object_add(root, "next", next ? json_object_new_int64(next) : NULL);
    return ecl_respond_json(q, HTTP_OK, root);
}

/* ---- creating ----------------------------------------------------------------------------------
 */

/* The Idempotency-Key, checked; *pjob is the job it stands for, or NULL. */
static apr_status_t look_up_key(ecl_request_t *q, ecl_upload_t *upload, ecl_job_t **pjob,
                                ecl_result_t *result)
{
    const char *key = apr_table_get(q->r->headers_in, "Idempotency-Key");
    ecl_db_conn_t *conn;
    apr_status_t rv;

    *pjob = NULL;
    if (!key) {
        return APR_SUCCESS;
    }
    if (!*key || strlen(key) > MAX_KEY_BYTES) {
        return ecl_fail(result, ECL_EINPUT, "bad-idempotency-key",
                        "the Idempotency-Key must have from 1 to %d characters", MAX_KEY_BYTES);
    }
    upload->job.idempotency_key = key;
    rv = ecl_job_check_new(&upload->job, result);
    if (rv == APR_SUCCESS) {
        rv = ecl_child_acquire(&conn, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_job_by_key(conn, q->user, key, q->r->pool, pjob, result);
        ecl_db_release(conn);
    }
    return rv;
}

static int receive_and_queue(ecl_request_t *q, ecl_upload_t *upload)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_t *job;
    int http;
    apr_status_t rv = ecl_upload_receive(q, upload, &http, &result);

    if (http) {
        return ecl_respond_upload_interrupted(q, http);
    }
    if (rv == APR_SUCCESS && upload->count == 0) {
        rv = ecl_fail(&result, ECL_EINPUT, "no-file",
                      "There is no file in the request, or it is empty");
    }
    if (rv == APR_SUCCESS && upload->count > 1) {
        rv = ecl_fail(&result, ECL_EINPUT, "too-many-files",
                      "There are %d files in the request; send one in each, so that each has its "
                      "own answer",
                      upload->count);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_upload_queue(q, upload, 0, &job, &result);
    }
    return rv == APR_SUCCESS ? ecl_action_answer_job(q, HTTP_ACCEPTED, job)
                             : ecl_respond_failure(q, &result);
}

int ecl_api_create(ecl_request_t *q)
{
    ecl_upload_t *upload = apr_pcalloc(q->r->pool, sizeof *upload);
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_t *job;
    apr_status_t rv;

    upload->job.user_name = q->user;
    rv = look_up_key(q, upload, &job, &result);
    if (rv == APR_SUCCESS && job && !ecl_upload_has_body(q->r)) {
        return ecl_action_answer_job(q, HTTP_ACCEPTED, job);
    }
    if (rv == APR_SUCCESS && !ecl_upload_is_multipart(q->r)) {
        rv = ecl_upload_from_query(q, upload, &result);
    }
    if (rv == ECL_EINPUT) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    return rv == APR_SUCCESS ? receive_and_queue(q, upload) : ecl_respond_failure(q, &result);
}

/* ---- monitoring --------------------------------------------------------------------------------
 */

static json_object *workers_json(const ecl_worker_t *workers, int count, apr_pool_t *p)
{
    json_object *array = json_object_new_array();

    for (int i = 0; i < count; i++) {
        json_object *worker = json_object_new_object();
        const char *batch_id = workers[i].batch_id;
        json_object_object_add(worker, "name", json_object_new_string(workers[i].name));
        json_object_object_add(worker, "host", json_object_new_string(workers[i].host));
        json_object_object_add(worker, "pid", json_object_new_int64(workers[i].pid));
        json_object_object_add(worker, "started_at",
                               json_object_new_string(ecl_rfc3339(workers[i].started_at, p)));
        json_object_object_add(worker, "heartbeat_at",
                               json_object_new_string(ecl_rfc3339(workers[i].heartbeat_at, p)));
        json_object_object_add(worker, "batch_id",
                               batch_id ? json_object_new_string(batch_id) : NULL);
        json_object_array_add(array, worker);
    }
    return array;
}

/* Each host that shares the queue, with its workers: those heard of lately. */
static json_object *hosts_json(const ecl_host_t *hosts, int host_count, const ecl_worker_t *workers,
                               int worker_count, apr_pool_t *p)
{
    json_object *array = json_object_new_array();

    for (int i = 0; i < host_count; i++) {
        json_object *host = json_object_new_object(), *own = json_object_new_array();
        const char *heartbeat = ecl_rfc3339(hosts[i].heartbeat_at, p);

        json_object_object_add(host, "name", json_object_new_string(hosts[i].name));
        json_object_object_add(host, "alive", json_object_new_boolean(hosts[i].workers > 0));
        json_object_object_add(host, "heartbeat_at",
                               heartbeat ? json_object_new_string(heartbeat) : NULL);
        json_object_object_add(host, "files", json_object_new_int(hosts[i].files));
        json_object_object_add(host, "workers", own);
        for (int w = 0; w < worker_count; w++) {
            if (!strcmp(workers[w].host, hosts[i].name)) {
                json_object_array_add(own, json_object_new_string(workers[w].name));
            }
        }
        json_object_array_add(array, host);
    }
    return array;
}

int ecl_api_status(ecl_request_t *q)
{
    json_object *root = ecl_respond_own(q, json_object_new_object());
    ecl_result_t result = ecl_result_make(q->r->pool);
    apr_pool_t *p = q->r->pool;
    ecl_queue_state_t state;
    ecl_worker_t *workers;
    ecl_host_t *hosts;
    ecl_db_conn_t *conn;
    apr_off_t free_bytes;
    int count, host_count;
    apr_status_t rv = ecl_child_acquire(&conn, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_queue_state(conn, &state, &result);
        if (rv == APR_SUCCESS) {
            rv = ecl_workers_alive(conn, ALIVE_SECONDS, p, &workers, &count, &result);
        }
        if (rv == APR_SUCCESS) {
            rv = ecl_hosts(conn, ALIVE_SECONDS, p, &hosts, &host_count, &result);
        }
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    json_object_object_add(root, "version", json_object_new_string(ECL_VERSION));
    json_object_object_add(root, "database", json_object_new_string(q->settings->db_driver));
    json_object_object_add(root, "queued", json_object_new_int64(state.queued));
    json_object_object_add(root, "due", json_object_new_int64(state.due));
    json_object_object_add(root, "processing", json_object_new_int64(state.processing));
    json_object_object_add(
        root, "oldest_wait_seconds",
        json_object_new_int64(state.oldest_due ? apr_time_sec(apr_time_now() - state.oldest_due)
                                               : 0));
    json_object_object_add(root, "host", json_object_new_string(q->settings->host_name));
    json_object_object_add(root, "workers", workers_json(workers, count, p));
    json_object_object_add(root, "hosts", hosts_json(hosts, host_count, workers, count, p));
    if (ecl_storage_free_bytes(q->settings->storage_dir, &free_bytes, p, NULL) == APR_SUCCESS) {
        json_object_object_add(root, "storage_free_bytes", json_object_new_int64(free_bytes));
    } else { /* not there before the first upload */
        json_object_object_add(root, "storage_free_bytes", NULL);
    }
    return ecl_respond_json(q, HTTP_OK, root);
}
