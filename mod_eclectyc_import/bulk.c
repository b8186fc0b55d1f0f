#include <http_protocol.h>

#include "actions.h"
#include "body.h"
#include "bulk.h"
#include "child.h"
#include "form.h"
#include "format.h"
#include "private.h"
#include "respond.h"
#include "view.h"
#include "../lib/storage.h"

#define MAX_JOBS 200 /* those of one page of the list */
#define PREFIX "job_"

static const char *field(const apr_table_t *fields, const char *name)
{
    const char *text = apr_table_get(fields, name);

    return text && *text ? text : NULL;
}

/* ---- what is chosen ----------------------------------------------------------------------------
 */

typedef struct chosen_t {
    const char *ids[MAX_JOBS];
    int count;
} chosen_t;

static apr_status_t choose(chosen_t *chosen, const char *id, ecl_result_t *result)
{
    if (!ecl_job_is_uuid(id)) {
        return ecl_fail(result, ECL_EINPUT, "bad-parameter", "\"%s\" is not a batch id", id);
    }
    for (int i = 0; i < chosen->count; i++) {
        if (!strcmp(chosen->ids[i], id)) {
            return APR_SUCCESS;
        }
    }
    if (chosen->count == MAX_JOBS) {
        return ecl_fail(result, ECL_EINPUT, "too-many-jobs", "more than %d jobs are chosen",
                        MAX_JOBS);
    }
    chosen->ids[chosen->count++] = id;
    return APR_SUCCESS;
}

static apr_status_t choose_fields(chosen_t *chosen, const apr_table_t *fields, ecl_result_t *result)
{
    const apr_array_header_t *array = apr_table_elts(fields);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < array->nelts; i++) {
        if (!strncmp(entries[i].key, PREFIX, sizeof PREFIX - 1)) {
            rv = choose(chosen, entries[i].key + sizeof PREFIX - 1, result);
        }
    }
    return rv;
}

static apr_status_t choose_shown(chosen_t *chosen, const char *shown, apr_pool_t *p,
                                 ecl_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;
    char *state, *text = apr_pstrdup(p, shown);

    for (char *id = apr_strtok(text, ",", &state); rv == APR_SUCCESS && id;
         id = apr_strtok(NULL, ",", &state)) {
        rv = choose(chosen, id, result);
    }
    return rv;
}

/* ---- what happens ------------------------------------------------------------------------------
 */

/* What was done to a job, in words; NULL job: it is deleted. */
static const char *done_words(const ecl_job_t *job, const char *action)
{
    if (!job) {
        return "Deleted. The readings it imported stay.";
    }
    if (!strcmp(action, "cancel")) {
        return job->status == ECL_JOB_CANCELLED
                   ? "Cancelled. Nothing of it had been imported."
                   : "Stopping. What it has imported is taken back out.";
    }
    if (!strcmp(action, "undo")) {
        return "Being undone: its readings are taken back out.";
    }
    return !strcmp(action, "retry") ? "Queued again." : "Due now.";
}

/* Why nothing was done to a job. */
static const char *refused_words(const ecl_request_t *q, const ecl_result_t *result)
{
    if (result->status == ECL_ECONFLICT) {
        return ecl_format_sentence(result->detail, q->r->pool);
    }
    if (result->status == ECL_ENOTFOUND) {
        return "It does not exist any more.";
    }
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, q->r, ECLNO(2050) "job %s: %s", q->batch_id,
                  result->detail ? result->detail : "");
    return "The server has a fault, and could not do it. Try again.";
}

static void add_text(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

/* Does it to one job; returns whether it was done. */
static int act_on(ecl_request_t *q, const char *id, const char *action, ecl_action_fn *function,
                  json_object *outcomes)
{
    json_object *outcome = json_object_new_object();
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_t *before = NULL, *job = NULL;
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire_writer(&conn, &result);

    q->batch_id = id;
    if (rv == APR_SUCCESS) {
        rv = ecl_job_get(conn, id, q->r->pool, &before, &result);
        if (rv == APR_SUCCESS) {
            rv = function(q, conn, &job, &result);
        }
        ecl_db_release(conn);
    }
    json_object_array_add(outcomes, outcome);
    add_text(outcome, "batch_id", id);
    add_text(outcome, "filename", before ? before->filename : id);
    json_object_object_add(outcome, "done", json_object_new_boolean(rv == APR_SUCCESS));
    add_text(outcome, "words",
             rv == APR_SUCCESS ? done_words(job, action) : refused_words(q, &result));
    if (before && (rv != APR_SUCCESS || job)) {
        add_text(outcome, "href", apr_pstrcat(q->r->pool, q->base, "/status/", id, NULL));
    }
    return rv == APR_SUCCESS;
}

/* ---- the page ----------------------------------------------------------------------------------
 */

/* The list as it was before. */
static const char *back_href(const ecl_request_t *q, const apr_table_t *fields)
{
    static const char *const names[] = {"status", "q", "limit", "before"};
    apr_pool_t *p = q->r->pool;
    const char *href = apr_pstrcat(p, q->base, "/jobs", NULL), *separator = "?";

    for (int i = 0; i < 4; i++) {
        const char *value = field(fields, names[i]);

        if (value) {
            href = apr_pstrcat(p, href, separator, names[i], "=", ecl_form_escape(value, p), NULL);
            separator = "&";
        }
    }
    return href;
}

static const char *count_words(int done, int count, apr_pool_t *p)
{
    if (!count) {
        return "No import was chosen. Go back and tick those that are meant.";
    }
    if (done == count) {
        return apr_psprintf(p, "Done for %s.", count == 1 ? "the import" : "all of them");
    }
    return apr_psprintf(p, "Done for %d of %d. What stood in the way of the others is said below.",
                        done, count);
}

static int answer(ecl_request_t *q, const apr_table_t *fields, const chosen_t *chosen,
                  const char *action, ecl_action_fn *function)
{
    json_object *root = ecl_respond_own(q, ecl_view_root(q, "What was done", NULL));
    json_object *outcomes = json_object_new_array();
    int done = 0, status = chosen->count ? HTTP_OK : HTTP_UNPROCESSABLE_ENTITY;

    json_object_object_add(root, "outcomes", outcomes);
    for (int i = 0; i < chosen->count; i++) {
        done += act_on(q, chosen->ids[i], action, function, outcomes);
    }
    if (done) {
        ecl_storage_wake(q->settings->storage_dir, q->r->pool);
    }
    json_object_object_add(root, "has_outcomes", json_object_new_boolean(chosen->count > 0));
    json_object_object_add(root, "done", json_object_new_int(done));
    json_object_object_add(root, "count", json_object_new_int(chosen->count));
    add_text(root, "action", ecl_child_label("bulk", action, q->r->pool));
    add_text(root, "back_href", back_href(q, fields));
    ecl_view_message(root, done == chosen->count && done ? "info" : "warning",
                     count_words(done, chosen->count, q->r->pool));
    return q->wants_json ? ecl_respond_json(q, status, root)
                         : ecl_respond_page(q, status, "bulk", root);
}

int ecl_bulk_page(ecl_request_t *q)
{
    chosen_t *chosen = apr_pcalloc(q->r->pool, sizeof *chosen);
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_action_fn *function = NULL;
    const char *action = "";
    apr_table_t *fields;
    int http;
    apr_status_t rv = ecl_body_fields(q, &fields, &http, &result);

    if (http) {
        return ecl_respond_interrupted(q, http);
    }
    if (rv == APR_SUCCESS) {
        action = field(fields, "action") ? field(fields, "action") : "";
        function = ecl_action_find(action);
        if (!function) {
            rv = ecl_fail(&result, ECL_EINPUT, "unknown-action",
                          "\"%s\" is not an action for many imports; it is one of: %s", action,
                          ECL_BULK_ACTIONS);
        }
    }
    if (rv == APR_SUCCESS) {
        rv = choose_fields(chosen, fields, &result);
    }
    if (rv == APR_SUCCESS && field(fields, "all") && field(fields, "shown")) {
        rv = choose_shown(chosen, field(fields, "shown"), q->r->pool, &result);
    }
    return rv == APR_SUCCESS ? answer(q, fields, chosen, action, function)
                             : ecl_respond_failure(q, &result);
}
