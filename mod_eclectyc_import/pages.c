#include <http_protocol.h>

#include "actions.h"
#include "child.h"
#include "form.h"
#include "format.h"
#include "pages.h"
#include "params.h"
#include "private.h"
#include "respond.h"
#include "upload.h"
#include "view.h"
#include "view_options.h"

#define RECENT_JOBS 10
#define LIST_LIMIT 50

/* The page, or its JSON. */
static int respond(ecl_request_t *q, int status, const char *template_name, json_object *root)
{
    return q->wants_json ? ecl_respond_json(q, status, root)
                         : ecl_respond_page(q, status, template_name, root);
}

/* ---- live figures ------------------------------------------------------------------------------
 */

/* Whether a page's own script asks what has moved since, as it does every second in every browser
 * that shows an unfinished job. */
static int is_live(const ecl_request_t *q)
{
    return q->wants_json && apr_table_get(q->query, "live");
}

static int respond_live(ecl_request_t *q, json_object *jobs)
{
    json_object *root = ecl_respond_own(q, json_object_new_object());

    json_object_object_add(root, "jobs", jobs);
    return ecl_respond_json(q, HTTP_OK, root);
}

static int live_jobs(ecl_request_t *q, const ecl_job_filter_t *filter)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_page_t page;
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_job_list(conn, filter, q->r->pool, &page, &result);
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    return respond_live(q, ecl_view_live_jobs(q, page.jobs, page.count));
}

static int live_job(ecl_request_t *q)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    json_object *jobs;
    ecl_job_t *job;
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_job_look(conn, q->batch_id, q->r->pool, &job, &result);
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    jobs = json_object_new_array();
    json_object_array_add(jobs, ecl_view_live_job(q, job));
    return respond_live(q, jobs);
}

/* ---- upload ------------------------------------------------------------------------------------
 */

static int has_options(const char *const values[ECL_OPTIONS])
{
    int count = 0;

    for (int id = 0; id < ECL_OPTIONS; id++) {
        count += values[id] != NULL;
    }
    return count > 0;
}

/* Options as they were sent may be any bytes. */
static json_object *option_fields(ecl_request_t *q, const ecl_upload_t *sent,
                                  const ecl_result_t *error)
{
    const char *values[ECL_OPTIONS] = {NULL};

    for (int id = 0; sent && id < ECL_OPTIONS; id++) {
        values[id] = sent->options[id] ? ecl_respond_utf8(q, sent->options[id]) : NULL;
    }
    return ecl_view_option_fields(values, error, q->r->pool);
}

/* error: why the upload was refused; NULL: it was not. */
static json_object *form_of(ecl_request_t *q, const ecl_upload_t *sent, const ecl_result_t *error)
{
    json_object *form = json_object_new_object();
    const char *type = sent && sent->job.import_type ? sent->job.import_type : "auto";
    const char *priority = sent && sent->job.priority ? sent->job.priority : "normal";
    /* the link "upload the corrected rows" of a job's page leads to ?parent_batch_id=… */
    const char *parent =
        sent ? sent->job.parent_batch_id : apr_table_get(q->query, "parent_batch_id");
    apr_pool_t *p = q->r->pool;

    json_object_object_add(form, apr_pstrcat(p, "import_type_", type, NULL),
                           json_object_new_boolean(1));
    json_object_object_add(form, apr_pstrcat(p, "priority_", priority, NULL),
                           json_object_new_boolean(1));
    json_object_object_add(form, "dry_run", json_object_new_boolean(sent && sent->job.dry_run));
    /* without JavaScript a page that goes straight to the job's progress is the better answer */
    json_object_object_add(form, "async",
                           json_object_new_boolean(!sent || sent->async || !sent->is_complete));
    if (ecl_child_zone()) {
        json_object_object_add(form, "timezone", json_object_new_string(ecl_child_zone()->name));
    }
    if (sent && sent->run_after) {
        json_object_object_add(form, "run_after",
                               json_object_new_string(ecl_respond_utf8(q, sent->run_after)));
    }
    if (sent && sent->job.notes) {
        json_object_object_add(form, "notes",
                               json_object_new_string(ecl_respond_utf8(q, sent->job.notes)));
    }
    if (parent && ecl_job_is_uuid(parent)) {
        json_object_object_add(form, "parent_batch_id", json_object_new_string(parent));
    }
    json_object_object_add(form, "options", option_fields(q, sent, error));
    json_object_object_add(form, "has_options",
                           json_object_new_boolean(sent && has_options(sent->options)));
    if (error) {
        json_object_object_add(form, "error", json_object_new_string(ecl_view_refusal(error, p)));
    }
    json_object_object_add(
        form, "max_upload",
        json_object_new_string(ecl_format_size(q->settings->max_upload_bytes, p)));
    json_object_object_add(form, "max_upload_bytes",
                           json_object_new_int64(q->settings->max_upload_bytes));
    return form;
}

/* The upload page; with what was sent and why it was refused, after a refused upload. */
static int show_form(ecl_request_t *q, int status, const ecl_upload_t *sent,
                     const ecl_result_t *error)
{
    json_object *root = ecl_respond_own(q, ecl_view_root(q, "Upload", "upload"));
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_filter_t filter = {.limit = RECENT_JOBS};
    ecl_job_page_t page = {NULL, 0, NULL};
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_job_list(conn, &filter, q->r->pool, &page, &result);
        if (rv == APR_SUCCESS) {
            rv = ecl_view_worker(q, conn, root, &result);
        }
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    json_object_object_add(root, "form", form_of(q, sent, error));
    json_object_object_add(root, "recent", ecl_view_jobs(q, page.jobs, page.count));
    json_object_object_add(root, "has_recent", json_object_new_boolean(page.count > 0));
    return respond(q, status, "upload", root);
}

int ecl_page_upload_form(ecl_request_t *q)
{
    const ecl_job_filter_t recent = {.limit = RECENT_JOBS};

    return is_live(q) ? live_jobs(q, &recent) : show_form(q, HTTP_OK, NULL, NULL);
}

/* A result whose detail can be shown. */
static ecl_result_t shown(ecl_request_t *q, const ecl_result_t *why)
{
    ecl_result_t shown = *why;

    shown.detail = ecl_respond_utf8(q, why->detail);
    return shown;
}

static int refuse_upload(ecl_request_t *q, const ecl_upload_t *upload, const ecl_result_t *why)
{
    ecl_result_t error = shown(q, why);

    ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, q->r, ECLNO(2040) "upload refused: %s", why->code);
    return q->wants_json ? ecl_respond_error(q, HTTP_UNPROCESSABLE_ENTITY, error.code, error.detail)
                         : show_form(q, HTTP_UNPROCESSABLE_ENTITY, upload, &error);
}

static int status_page(ecl_request_t *q, const char *batch_id, int status);

static int answer_upload(ecl_request_t *q, const ecl_upload_t *upload, ecl_job_t *job)
{
    const char *path = apr_pstrcat(q->r->pool, "/status/", job->batch_id, NULL);
    ecl_result_t result = ecl_result_make(q->r->pool);

    if (upload->async || job->run_after > apr_time_now() ||
        ecl_upload_wait(q, &job, &result) != APR_SUCCESS || job->status == ECL_JOB_QUEUED ||
        job->status == ECL_JOB_PROCESSING) {
        return ecl_respond_see_other(q, path);
    }
    apr_table_setn(q->r->headers_out, "Content-Location",
                   apr_pstrcat(q->r->pool, q->base, path, NULL));
    return status_page(q, job->batch_id,
                       job->status == ECL_JOB_FAILED ? HTTP_UNPROCESSABLE_ENTITY : HTTP_OK);
}

int ecl_page_upload(ecl_request_t *q)
{
    ecl_upload_t *upload = apr_pcalloc(q->r->pool, sizeof *upload);
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_t *job = NULL;
    apr_status_t rv;
    int http;

    if (!ecl_upload_is_multipart(q->r)) {
        return ecl_respond_error(
            q, HTTP_UNSUPPORTED_MEDIA_TYPE, "not-multipart",
            "Files are sent here as multipart/form-data, in the field csv_file");
    }
    upload->job.user_name = q->user;
    rv = ecl_upload_receive(q, upload, &http, &result);
    if (http) {
        return ecl_respond_upload_interrupted(q, http);
    }
    if (rv == ECL_EINPUT) {
        return refuse_upload(q, upload, &result);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    if (!upload->count) {
        ecl_fail(&result, ECL_EINPUT, "no-file",
                 "Choose a file to upload. None was sent in the field csv_file");
        return refuse_upload(q, upload, &result);
    }
    for (int i = 0; i < upload->count; i++) {
        rv = ecl_upload_queue(q, upload, i, &job, &result);
        if (rv != APR_SUCCESS && i > 0) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, q->r,
                          ECLNO(2041) "queued %d of %d files, then failed: %s", i, upload->count,
                          result.detail);
            return ecl_respond_see_other(q, "/jobs?done=partly");
        }
        if (rv != APR_SUCCESS) {
            return rv == ECL_EINPUT ? refuse_upload(q, upload, &result)
                                    : ecl_respond_failure(q, &result);
        }
    }
    return upload->count == 1 ? answer_upload(q, upload, job)
                              : ecl_respond_see_other(q, "/jobs?done=queued");
}

/* ---- list --------------------------------------------------------------------------------------
 */

/* The list's address with these parameters; NULL and "" are left out. */
static const char *list_href(const ecl_request_t *q, const char *status, const char *before)
{
    apr_pool_t *p = q->r->pool;
    const char *const params[][2] = {{"status", status},
                                     {"q", apr_table_get(q->query, "q")},
                                     {"limit", apr_table_get(q->query, "limit")},
                                     {"before", before}};
    const char *href = apr_pstrcat(p, q->base, "/jobs", NULL), *separator = "?";

    for (int i = 0; i < 4; i++) {
        if (params[i][1] && *params[i][1]) {
            href = apr_pstrcat(p, href, separator, params[i][0], "=",
                               ecl_form_escape(params[i][1], p), NULL);
            separator = "&";
        }
    }
    return href;
}

static json_object *status_choice(const ecl_request_t *q, const char *name, const char *label,
                                  apr_int64_t count, int is_selected)
{
    json_object *choice = json_object_new_object();

    json_object_object_add(choice, "name", json_object_new_string(name));
    json_object_object_add(choice, "label", json_object_new_string(label));
    json_object_object_add(choice, "count",
                           json_object_new_string(ecl_format_count(count, q->r->pool)));
    json_object_object_add(choice, "href", json_object_new_string(list_href(q, name, NULL)));
    json_object_object_add(choice, "selected", json_object_new_boolean(is_selected));
    return choice;
}

static json_object *status_choices(const ecl_request_t *q, const ecl_job_filter_t *filter,
                                   const apr_int64_t counts[ECL_JOB_STATUSES])
{
    static const char *const labels[ECL_JOB_STATUSES] = {"Waiting", "Importing", "Completed",
                                                         "Failed", "Cancelled"};
    json_object *choices = json_object_new_array();
    apr_int64_t all = 0;

    for (int i = 0; i < ECL_JOB_STATUSES; i++) {
        all += counts[i];
    }
    json_object_array_add(choices, status_choice(q, "", "All", all, !filter->has_status));
    for (int i = 0; i < ECL_JOB_STATUSES; i++) {
        int is_selected = filter->has_status && filter->status == (ecl_job_status_t)i;
        json_object_array_add(choices, status_choice(q, ecl_job_status_name((ecl_job_status_t)i),
                                                     labels[i], counts[i], is_selected));
    }
    return choices;
}

static json_object *limit_choices(int selected)
{
    static const int limits[] = {20, 50, 100, 200};
    json_object *choices = json_object_new_array();

    for (int i = 0; i < 4; i++) {
        json_object *choice = json_object_new_object();
        json_object_object_add(choice, "value", json_object_new_int(limits[i]));
        json_object_object_add(choice, "selected", json_object_new_boolean(limits[i] == selected));
        json_object_array_add(choices, choice);
    }
    return choices;
}

static void add_filter(const ecl_request_t *q, const ecl_job_filter_t *filter, json_object *root)
{
    json_object *view = json_object_new_object();
    const char *status = filter->has_status ? ecl_job_status_name(filter->status) : "";

    json_object_object_add(view, "q", json_object_new_string(filter->q ? filter->q : ""));
    json_object_object_add(view, "status", json_object_new_string(status));
    json_object_object_add(view, "limit", json_object_new_int(filter->limit));
    json_object_object_add(root, "filter", view);
    json_object_object_add(root, "limits", limit_choices(filter->limit));
    if (filter->before) {
        json_object_object_add(root, "first_href",
                               json_object_new_string(list_href(q, status, NULL)));
    }
}

/* What a redirect to the list has to tell. */
static void add_done_message(const ecl_request_t *q, json_object *root)
{
    const char *done = apr_table_get(q->query, "done");

    if (done && !strcmp(done, "deleted")) {
        ecl_view_message(root, "info", "The job was deleted. The readings it imported stay.");
    } else if (done && !strcmp(done, "queued")) {
        ecl_view_message(root, "info", "The files were uploaded. Each is a job of its own.");
    } else if (done && !strcmp(done, "partly")) {
        ecl_view_message(root, "error",
                         "Only some of the files could be queued. Upload those that are not in "
                         "this list again.");
    }
}

/* What the form around the list says of it: which jobs are shown, and how to come back. */
static json_object *bulk_of(const ecl_job_page_t *page, const ecl_job_filter_t *filter,
                            apr_pool_t *p)
{
    json_object *bulk = json_object_new_object();
    apr_array_header_t *ids = apr_array_make(p, page->count + 1, sizeof(const char *));

    for (int i = 0; i < page->count; i++) {
        APR_ARRAY_PUSH(ids, const char *) = page->jobs[i]->batch_id;
    }
    json_object_object_add(bulk, "shown", json_object_new_string(apr_array_pstrcat(p, ids, ',')));
    json_object_object_add(bulk, "count", json_object_new_int(page->count));
    json_object_object_add(bulk, "before",
                           json_object_new_string(filter->before ? filter->before : ""));
    return bulk;
}

int ecl_page_jobs(ecl_request_t *q)
{
    json_object *root = ecl_respond_own(q, ecl_view_root(q, "Imports", "jobs"));
    ecl_result_t result = ecl_result_make(q->r->pool);
    apr_int64_t counts[ECL_JOB_STATUSES];
    ecl_job_filter_t filter;
    ecl_job_page_t page;
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_params_filter(q, LIST_LIMIT, &filter, &result);

    if (rv != APR_SUCCESS) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    if (is_live(q)) {
        return live_jobs(q, &filter);
    }
    rv = ecl_child_acquire(&conn, &result);
    if (rv == APR_SUCCESS) {
        rv = ecl_job_list(conn, &filter, q->r->pool, &page, &result);
        if (rv == APR_SUCCESS) {
            rv = ecl_job_counts(conn, filter.q, counts, &result);
        }
        if (rv == APR_SUCCESS) {
            rv = ecl_view_worker(q, conn, root, &result);
        }
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    json_object_object_add(root, "jobs", ecl_view_jobs(q, page.jobs, page.count));
    json_object_object_add(root, "has_jobs", json_object_new_boolean(page.count > 0));
    json_object_object_add(root, "bulk", bulk_of(&page, &filter, q->r->pool));
    json_object_object_add(root, "statuses", status_choices(q, &filter, counts));
    add_filter(q, &filter, root);
    if (page.next) {
        const char *status = filter.has_status ? ecl_job_status_name(filter.status) : "";
        json_object_object_add(root, "next_href",
                               json_object_new_string(list_href(q, status, page.next)));
    }
    add_done_message(q, root);
    return respond(q, HTTP_OK, "jobs", root);
}

/* ---- one job -----------------------------------------------------------------------------------
 */

static int answered_page(ecl_request_t *q, const char *batch_id, int status,
                         const char *const values[ECL_OPTIONS], const ecl_result_t *error)
{
    json_object *root = ecl_respond_own(q, ecl_view_root(q, "Import", NULL));
    const char *preview;
    ecl_job_t *job = NULL;
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_job_get_apart(conn, batch_id, q->r->pool, &job, &preview, &result);
        if (rv == APR_SUCCESS) {
            ecl_view_title(root, job->filename);
            rv = ecl_view_status(q, conn, job, preview, root, &result);
        }
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    ecl_view_question(job, values, error, root, q->r->pool);
    if (error && !ecl_view_asks(job)) { /* somebody else has answered */
        ecl_view_message(root, "error", ecl_view_refusal(error, q->r->pool));
    }
    return respond(q, status, "status", root);
}

static int status_page(ecl_request_t *q, const char *batch_id, int status)
{
    return answered_page(q, batch_id, status, NULL, NULL);
}

int ecl_page_refused_answer(ecl_request_t *q, const char *const values[ECL_OPTIONS],
                            const ecl_result_t *why)
{
    ecl_result_t error = shown(q, why);

    return answered_page(q, q->batch_id, HTTP_UNPROCESSABLE_ENTITY, values, &error);
}

int ecl_page_status(ecl_request_t *q)
{
    return is_live(q) ? live_job(q) : status_page(q, q->batch_id, HTTP_OK);
}
