#include "child.h"
#include "events.h"
#include "failed_rows.h"
#include "format.h"
#include "view.h"
#include "view_chart.h"
#include "view_evidence.h"
#include "view_options.h"
#include "../lib/import_templates.h"
#include "../lib/when.h"

#define WORKER_MAX_AGE_SECONDS (3 * ECL_HEARTBEAT_SECONDS)
#define SHOWN_NEW_METERS 20

static void add_text(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static void add_bool(json_object *object, const char *key, int value)
{
    json_object_object_add(object, key, json_object_new_boolean(value != 0));
}

json_object *ecl_view_root(const ecl_request_t *q, const char *title, const char *nav)
{
    json_object *root = json_object_new_object(), *page = json_object_new_object();

    json_object_object_add(root, "page", page);
    add_text(page, "title", title);
    add_text(page, "base", q->base);
    add_text(page, "version", ECL_VERSION);
    if (q->r->user) {
        add_text(page, "user", q->user);
    }
    if (nav) {
        add_bool(page, apr_pstrcat(q->r->pool, "nav_", nav, NULL), 1);
    }
    return root;
}

void ecl_view_title(json_object *root, const char *title)
{
    add_text(json_object_object_get(root, "page"), "title", title);
}

void ecl_view_message(json_object *root, const char *kind, const char *message)
{
    json_object *page = json_object_object_get(root, "page");

    add_text(page, "message", message);
    add_text(page, "message_kind", kind);
}

/* What a host does, in words. */
static const char *host_words(const ecl_host_t *host, apr_pool_t *p)
{
    const char *files = host->files
                            ? apr_psprintf(p, ", %s file%s here", ecl_format_count(host->files, p),
                                           host->files == 1 ? "" : "s")
                            : "";

    if (host->workers) {
        return apr_psprintf(p, "%d worker%s, %d importing%s", host->workers,
                            host->workers == 1 ? "" : "s", host->busy, files);
    }
    return host->heartbeat_at ? apr_pstrcat(p, "not heard of since ",
                                            ecl_format_time(host->heartbeat_at, p), files, NULL)
                              : apr_pstrcat(p, "no worker is running", files, NULL);
}

/* The hosts that share the queue; of `name`, when that is among them, *phost. */
static apr_status_t add_hosts(const ecl_request_t *q, ecl_db_conn_t *conn, json_object *worker,
                              const char *name, const ecl_host_t **phost, ecl_result_t *result)
{
    json_object *array = json_object_new_array();
    ecl_host_t *hosts;
    int count;
    apr_status_t rv = ecl_hosts(conn, WORKER_MAX_AGE_SECONDS, q->r->pool, &hosts, &count, result);

    *phost = NULL;
    json_object_object_add(worker, "hosts", array);
    add_bool(worker, "has_hosts", count > 0);
    for (int i = 0; i < count; i++) {
        json_object *host = json_object_new_object();

        add_text(host, "name", hosts[i].name);
        add_bool(host, "alive", hosts[i].workers > 0);
        add_text(host, "state", host_words(&hosts[i], q->r->pool));
        json_object_array_add(array, host);
        if (name && !strcmp(name, hosts[i].name)) {
            *phost = &hosts[i];
        }
    }
    return rv;
}

static apr_status_t view_worker(const ecl_request_t *q, ecl_db_conn_t *conn, json_object *root,
                                const char *host_name, const ecl_host_t **phost,
                                ecl_result_t *result)
{
    json_object *worker = json_object_new_object();
    ecl_worker_t *workers;
    apr_status_t rv;
    int count = 0;

    json_object_object_add(root, "worker", worker);
    rv = ecl_workers_alive(conn, WORKER_MAX_AGE_SECONDS, q->r->pool, &workers, &count, result);
    if (rv == APR_SUCCESS) {
        rv = add_hosts(q, conn, worker, host_name, phost, result);
    }
    add_bool(worker, "alive", count > 0);
    json_object_object_add(worker, "count", json_object_new_int(count));
    if (!count) {
        add_text(worker, "advice",
                 q->settings->workers > 0
                     ? "The server is set to start it: its error log says what went wrong, and so "
                       "does the command eclectyc-import-worker check."
                     : "This server is set to start none. Start eclectyc-import-worker run, or set "
                       "EclectycImportWorkers.");
    }
    return rv;
}

apr_status_t ecl_view_worker(const ecl_request_t *q, ecl_db_conn_t *conn, json_object *root,
                             ecl_result_t *result)
{
    const ecl_host_t *ignored;

    return view_worker(q, conn, root, NULL, &ignored, result);
}

/* What the status is called, and its class for CSS. */
static const char *status_words(const ecl_job_t *job, const char **pclass)
{
    *pclass = ecl_job_status_name(job->status);
    if (job->undo_requested) {
        *pclass = "processing";
        return "Undoing";
    }
    if (job->undone_at) {
        *pclass = "undone";
        return "Undone";
    }
    switch (job->status) {
    case ECL_JOB_QUEUED:
        return "Waiting";
    case ECL_JOB_PROCESSING:
        return job->cancel_requested ? "Stopping" : "Importing";
    case ECL_JOB_COMPLETED:
        return "Completed";
    case ECL_JOB_FAILED:
        return ecl_view_asks(job) ? "Question" : "Failed";
    default:
        return "Cancelled";
    }
}

/* "1 row", "1,234 rows" */
static const char *count_rows(apr_int64_t count, apr_pool_t *p)
{
    return apr_pstrcat(p, ecl_format_count(count, p), count == 1 ? " row" : " rows", NULL);
}

static const char *count_readings(apr_int64_t count, apr_pool_t *p)
{
    return apr_pstrcat(p, ecl_format_count(count, p), count == 1 ? " reading" : " readings", NULL);
}

static const char *rows_words(const ecl_job_t *job, apr_pool_t *p)
{
    if (job->status == ECL_JOB_QUEUED && !job->processed_rows) {
        return "";
    }
    if (job->total_rows < 0) {
        return count_rows(job->processed_rows, p);
    }
    return apr_pstrcat(p, ecl_format_count(job->processed_rows, p), " of ",
                       count_rows(job->total_rows, p), NULL);
}

/* What an import did to the stored readings, for a line of a list. */
static const char *effect_words(const ecl_job_t *job, apr_pool_t *p)
{
    const char *added = count_readings(job->readings_new, p);
    const char *changed = count_readings(job->readings_changed, p);

    if (!job->readings_new && !job->readings_changed) {
        return "nothing new or changed";
    }
    if (!job->readings_changed) {
        return apr_pstrcat(p, added, " new", NULL);
    }
    if (!job->readings_new) {
        return apr_pstrcat(p, changed, " changed", NULL);
    }
    return apr_pstrcat(p, added, " new, ", ecl_format_count(job->readings_changed, p), " changed",
                       NULL);
}

/* Why a job that has been tried waits, and until when. */
static const char *retry_words(const ecl_job_t *job, apr_time_t now, apr_pool_t *p)
{
    if (job->status != ECL_JOB_QUEUED || !job->attempts || !job->error_message) {
        return "";
    }
    return apr_psprintf(p, "Attempt %d of %d%s%s: %s", job->attempts + 1, job->max_attempts,
                        job->run_after > now ? ", not before " : " is due",
                        job->run_after > now ? ecl_format_clock(job->run_after, p) : "",
                        job->error_message);
}

/* Until when a job waits that was given a time to start at. */
static const char *waits_words(const ecl_job_t *job, apr_time_t now, apr_pool_t *p)
{
    return job->status == ECL_JOB_QUEUED && !job->attempts && job->run_after > now &&
                   job->run_after > job->queued_at
               ? apr_pstrcat(p, "Waits until ", ecl_when_print(job->run_after, ecl_child_zone(), p),
                             NULL)
               : "";
}

static void add_progress(json_object *show, const ecl_job_t *job, apr_time_t now, apr_pool_t *p)
{
    ecl_job_pace_t pace = ecl_job_pace(job, now);
    int is_running = job->status == ECL_JOB_PROCESSING;
    int is_known = pace.percent_tenths >= 0;

    add_bool(show, "percent_known", is_known);
    add_text(show, "percent", apr_itoa(p, is_known ? (int)(pace.percent_tenths / 10) : 0));
    add_text(show, "rows", rows_words(job, p));
    add_text(show, "rate",
             is_running && pace.rate_tenths >= 0
                 ? apr_pstrcat(p, ecl_format_count(pace.rate_tenths / 10, p), " rows/s", NULL)
                 : "");
    add_text(show, "eta",
             is_running && pace.eta_seconds >= 0 ? ecl_format_time_left(pace.eta_seconds, p) : "");
}

static json_object *show_of(const ecl_job_t *job, apr_time_t now, apr_pool_t *p)
{
    json_object *show = json_object_new_object();
    apr_time_t until = job->completed_at ? job->completed_at : now;
    const char *class;

    add_text(show, "status", status_words(job, &class));
    add_text(show, "status_class", class);
    add_progress(show, job, now, p);
    add_text(show, "size", ecl_format_size(job->file_size, p));
    add_text(show, "type", ecl_child_label("import_type", job->import_type, p));
    add_text(show, "priority",
             strcmp(job->priority, "normal") ? ecl_child_label("priority", job->priority, p) : "");
    add_text(show, "waits", waits_words(job, now, p));
    add_text(show, "retry", retry_words(job, now, p));
    add_text(show, "error", job->error_message ? ecl_format_sentence(job->error_message, p) : "");
    add_text(show, "queued", ecl_format_time(job->queued_at, p));
    add_text(show, "started", ecl_format_time(job->started_at, p));
    add_text(show, "completed", ecl_format_time(job->completed_at, p));
    add_text(show, "undone", ecl_format_time(job->undone_at, p));
    add_text(show, "duration",
             job->started_at && (job->completed_at || job->status == ECL_JOB_PROCESSING)
                 ? ecl_format_duration(until - job->started_at, p)
                 : "");
    add_text(show, "readings_new", ecl_format_count(job->readings_new, p));
    add_text(show, "readings_changed", ecl_format_count(job->readings_changed, p));
    add_text(show, "readings_unchanged", ecl_format_count(job->readings_unchanged, p));
    add_text(show, "imported_rows", ecl_format_count(job->imported_rows, p));
    add_text(show, "imported", count_rows(job->imported_rows, p));
    add_text(show, "effect", effect_words(job, p));
    add_text(show, "failed_rows", ecl_format_count(job->failed_rows, p));
    add_text(show, "skipped_rows", ecl_format_count(job->skipped_rows, p));
    return show;
}

/* Nothing is going on: not waiting, not running, not being stopped or undone. */
static int is_job_finished(const ecl_job_t *job)
{
    return job->status != ECL_JOB_QUEUED && job->status != ECL_JOB_PROCESSING &&
           !job->undo_requested;
}

json_object *ecl_view_job(const ecl_request_t *q, const ecl_job_t *job)
{
    apr_time_t now = apr_time_now();
    json_object *view = ecl_job_json(job, now);
    int asks = ecl_view_asks(job);
    int is_processing = job->status == ECL_JOB_PROCESSING;
    int is_finished = is_job_finished(job);
    int is_failed = job->status == ECL_JOB_FAILED;
    int is_completed = job->status == ECL_JOB_COMPLETED;

    add_text(view, "href", apr_pstrcat(q->r->pool, q->base, "/status/", job->batch_id, NULL));
    json_object_object_add(view, "show", show_of(job, now, q->r->pool));
    add_bool(view, "is_queued", job->status == ECL_JOB_QUEUED);
    add_bool(view, "is_processing", is_processing);
    add_bool(view, "is_completed", is_completed);
    add_bool(view, "is_failed", is_failed);
    add_bool(view, "is_cancelled", job->status == ECL_JOB_CANCELLED);
    add_bool(view, "is_undone", job->undone_at != 0);
    add_bool(view, "is_dry_run", job->dry_run);
    add_bool(view, "is_finished", is_finished);
    add_bool(view, "asks", asks);
    add_bool(view, "has_errors", job->failed_rows > 0);
    add_bool(view, "has_result",
             is_processing || is_completed || (is_failed && job->processed_rows > 0));
    /* total_rows is counted before the first row is read */
    add_bool(view, "is_cut_short",
             is_failed && is_finished && job->processed_rows < job->total_rows);
    add_bool(view, "can_cancel",
             job->status == ECL_JOB_QUEUED || (is_processing && !job->cancel_requested));
    add_bool(view, "can_run_now",
             job->status == ECL_JOB_QUEUED && job->run_after > now &&
                 job->run_after > job->queued_at);
    add_bool(view, "can_retry",
             (is_failed || job->status == ECL_JOB_CANCELLED) && is_finished && job->stored_name &&
                 !asks);
    add_bool(view, "can_undo",
             (is_completed || (is_failed && job->imported_rows > 0)) && is_finished &&
                 !job->dry_run && !job->undone_at);
    add_bool(view, "can_import", is_completed && job->dry_run && job->stored_name);
    add_bool(view, "can_delete", is_finished);
    if (job->options) {
        json_object_object_add(view, "options_list", ecl_view_options(job->options, q->r->pool));
    }
    return view;
}

json_object *ecl_view_jobs(const ecl_request_t *q, ecl_job_t *const *jobs, int count)
{
    json_object *array = json_object_new_array();

    for (int i = 0; i < count; i++) {
        json_object_array_add(array, ecl_view_job(q, jobs[i]));
    }
    return array;
}

static json_object *live_view(const ecl_job_t *job, json_object *show)
{
    json_object *view = json_object_new_object();

    add_text(view, "batch_id", job->batch_id);
    add_text(view, "filename", job->filename);
    json_object_object_add(view, "show", show);
    return view;
}

json_object *ecl_view_live_job(const ecl_request_t *q, const ecl_job_t *job)
{
    return live_view(job, show_of(job, apr_time_now(), q->r->pool));
}

json_object *ecl_view_live_jobs(const ecl_request_t *q, ecl_job_t *const *jobs, int count)
{
    json_object *array = json_object_new_array();

    for (int i = 0; i < count; i++) {
        json_object *view, *show;
        const char *class;

        if (is_job_finished(jobs[i])) {
            show = json_object_new_object();
            add_text(show, "status", status_words(jobs[i], &class));
            view = live_view(jobs[i], show);
        } else {
            view = ecl_view_live_job(q, jobs[i]);
        }
        json_object_array_add(array, view);
    }
    return array;
}

/* ---- a job's page ------------------------------------------------------------------------------
 */

static int is_filled_array(json_object *object, const char *key)
{
    json_object *array;

    return json_object_object_get_ex(object, key, &array) &&
           json_object_is_type(array, json_type_array) && json_object_array_length(array) > 0;
}

/* The summary's own numbers and texts that labels.json has a name for, in its order. */
static json_object *facts_of(json_object *summary, apr_pool_t *p)
{
    json_object *facts = json_object_new_array();
    json_object *names = ecl_child_labels("fact");

    if (!names) {
        return facts;
    }
    json_object_object_foreach(names, key, name)
    {
        json_object *value, *fact;
        if (!json_object_object_get_ex(summary, key, &value) || !value ||
            (json_object_is_type(value, json_type_int) && !json_object_get_int64(value))) {
            continue;
        }
        fact = json_object_new_object();
        /* copied: names are shared by all threads, and their reference counts are not atomic */
        add_text(fact, "label", json_object_get_string(name));
        add_text(fact, "value",
                 json_object_is_type(value, json_type_int)
                     ? ecl_format_count(json_object_get_int64(value), p)
                     : json_object_get_string(value));
        json_object_array_add(facts, fact);
    }
    return facts;
}

static const char *period_words(json_object *summary, apr_pool_t *p)
{
    json_object *first, *last;
    const char *from, *to;

    if (!json_object_object_get_ex(summary, "date_from", &first) || !first ||
        !json_object_object_get_ex(summary, "date_to", &last) || !last) {
        return NULL;
    }
    from = ecl_format_date(json_object_get_string(first), p);
    to = ecl_format_date(json_object_get_string(last), p);
    return strcmp(from, to) ? apr_pstrcat(p, from, " to ", to, NULL) : from;
}

/* Makes a count a text for people. 0 stays a number, which a template's section takes as false. */
static void write_count(json_object *object, const char *key, apr_pool_t *p)
{
    json_object *count;

    if (json_object_object_get_ex(object, key, &count) &&
        json_object_is_type(count, json_type_int) && json_object_get_int64(count)) {
        add_text(object, key, ecl_format_count(json_object_get_int64(count), p));
    }
}

/* Makes a message of lib/ or the worker, which begins in lower case, a sentence. */
static void write_sentence(json_object *object, const char *key, apr_pool_t *p)
{
    json_object *text;

    if (json_object_object_get_ex(object, key, &text) &&
        json_object_is_type(text, json_type_string)) {
        add_text(object, key, ecl_format_sentence(json_object_get_string(text), p));
    }
}

typedef void write_fn(json_object *object, const char *key, apr_pool_t *p);

static void write_each(json_object *object, const char *list, write_fn *write, const char *key,
                       apr_pool_t *p)
{
    json_object *items;

    if (json_object_object_get_ex(object, list, &items) &&
        json_object_is_type(items, json_type_array)) {
        for (apr_size_t i = 0; i < json_object_array_length(items); i++) {
            write(json_object_array_get_idx(items, i), key, p);
        }
    }
}

/* What the file was read as: its code in the summary, a sentence on the page. */
static void write_layout(json_object *view, apr_pool_t *p)
{
    json_object *layout;

    if (json_object_object_get_ex(view, "layout", &layout) &&
        json_object_is_type(layout, json_type_string)) {
        add_text(view, "layout", ecl_child_label("layout", json_object_get_string(layout), p));
    }
}

/* The import template that was gone by: its options in words. */
static void write_template(json_object *view, apr_pool_t *p)
{
    json_object *template, *options;

    if (json_object_object_get_ex(view, "template", &template) &&
        json_object_object_get_ex(template, "options", &options)) {
        json_object_object_add(template, "options_list", ecl_view_options(options, p));
    }
}

/* "AE" → "Active export (AE)". */
static void write_channel(json_object *object, const char *key, apr_pool_t *p)
{
    json_object *channel;

    if (json_object_object_get_ex(object, key, &channel) && channel) {
        const char *code = json_object_get_string(channel);
        const char *words = ecl_child_label("option_channel", code, p);

        if (strcmp(words, code) != 0) {
            add_text(object, key, apr_psprintf(p, "%s (%s)", words, code));
        }
    }
}

/* A warning that says it all itself needs no example that says it again. */
static void drop_repeated(json_object *warning, const char *key, apr_pool_t *p)
{
    json_object *examples = json_object_object_get(warning, key), *message;

    (void)p;
    if (json_object_is_type(examples, json_type_array) &&
        json_object_object_get_ex(warning, "message", &message) &&
        json_object_array_length(examples) > 0 &&
        !strcmp(json_object_get_string(json_object_array_get_idx(examples, 0)),
                json_object_get_string(message))) {
        json_object_array_del_idx(examples, 0, 1);
    }
}

static void write_date(json_object *object, const char *key, apr_pool_t *p)
{
    json_object *date;

    if (json_object_object_get_ex(object, key, &date) && date) {
        add_text(object, key, ecl_format_date(json_object_get_string(date), p));
    }
}

/* How long one value lasts, in words. */
static void write_interval(json_object *object, const char *key, apr_pool_t *p)
{
    json_object *minutes;

    if (json_object_object_get_ex(object, key, &minutes)) {
        add_text(object, "interval",
                 ecl_child_label("interval", json_object_get_string(minutes), p));
    }
}

static json_object *summary_view(json_object *summary, const char *preview, int is_finished,
                                 apr_pool_t *p)
{
    static const char *const lists[] = {"new_meters", "warnings", "examples", "preview", "facts"};
    json_object *view = NULL, *meters;
    const char *period = period_words(summary, p);

    json_object_deep_copy(summary, &view, NULL);
    /* headers serve failed-rows.csv, and are no news */
    json_object_object_del(view, "header");
    json_object_object_del(view, "failed_tables");
    if (period) {
        add_text(view, "period", period);
    }
    if (json_object_object_get_ex(view, "new_meters", &meters) &&
        json_object_is_type(meters, json_type_array) &&
        json_object_array_length(meters) > SHOWN_NEW_METERS) {
        json_object_array_del_idx(meters, SHOWN_NEW_METERS,
                                  json_object_array_length(meters) - SHOWN_NEW_METERS);
    }
    json_object_object_add(view, "facts", facts_of(summary, p));
    write_template(view, p);
    write_layout(view, p);
    if (is_finished && preview) { /* before that the page asks for this object every second */
        json_object_object_add(view, "preview", json_tokener_parse(preview));
        ecl_view_add_charts(view, "preview", p);
        write_each(view, "preview", write_interval, "interval_minutes", p);
    }
    write_count(view, "meters", p);
    write_count(view, "meters_new", p);
    ecl_view_add_evidence(view, p);
    write_each(view, "examples", write_date, "date", p);
    write_each(view, "examples", write_channel, "channel", p);
    write_each(view, "preview", write_channel, "channel", p);
    write_each(view, "warnings", write_count, "count", p);
    write_each(view, "warnings", drop_repeated, "examples", p);
    write_each(view, "warnings", write_sentence, "message", p);
    for (int i = 0; i < 5; i++) {
        add_bool(view, apr_pstrcat(p, "has_", lists[i], NULL), is_filled_array(view, lists[i]));
    }
    return view;
}

static apr_status_t add_errors(const ecl_request_t *q, ecl_db_conn_t *conn, const ecl_job_t *job,
                               json_object *root, ecl_result_t *result)
{
    apr_pool_t *p = q->r->pool;
    json_object *groups, *errors;
    apr_int64_t next, total = 0, shown;
    apr_status_t rv = ecl_job_error_groups(conn, job->id, p, &groups, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    json_object_object_add(root, "groups", groups);
    for (apr_size_t i = 0; i < json_object_array_length(groups); i++) {
        json_object *group = json_object_array_get_idx(groups, i);
        const char *code = json_object_get_string(json_object_object_get(group, "code"));
        total += json_object_get_int64(json_object_object_get(group, "count"));
        add_text(group, "label", ecl_child_label("error", code, p));
    }
    write_each(root, "groups", write_count, "count", p);
    write_each(root, "groups", write_sentence, "example", p);
    rv = ecl_job_errors(conn, job->id, 0, ECL_STATUS_PAGE_ERRORS, p, &errors, &next, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    json_object_object_add(root, "errors", errors);
    write_each(root, "errors", write_sentence, "message", p);
    shown = (apr_int64_t)json_object_array_length(errors);
    add_bool(root, "has_groups", is_filled_array(root, "groups"));
    add_bool(root, "has_errors", shown > 0);
    if (total > shown) {
        add_text(root, "more_errors", ecl_format_count(total - shown, p));
    }
    return APR_SUCCESS;
}

/* That the host with a job's file is away. */
static const char *away_words(const char *name, const ecl_host_t *host, apr_pool_t *p)
{
    return host && host->heartbeat_at
               ? apr_psprintf(p, "No worker of %s has been heard of since %s.", name,
                              ecl_format_time(host->heartbeat_at, p))
               : apr_psprintf(p, "No worker is running on %s.", name);
}

/* Where rejected rows can be had: more than one file when they have different headers. */
static void add_failed_files(const ecl_job_t *job, const char *href, json_object *root,
                             apr_pool_t *p)
{
    const apr_array_header_t *parts = ecl_failed_parts(job, p);
    json_object *files = json_object_new_array();

    for (int i = 0; i < parts->nelts; i++) {
        const ecl_failed_part_t *part = &APR_ARRAY_IDX(parts, i, ecl_failed_part_t);
        json_object *file = json_object_new_object();

        add_text(file, "href", apr_psprintf(p, "%s/failed-rows.csv?part=%d", href, i + 1));
        add_text(file, "label", part->label);
        add_text(file, "rows", ecl_format_count(part->rows, p));
        json_object_array_add(files, file);
    }
    json_object_object_add(root, "failed_files", files);
    add_bool(root, "has_failed_files", parts->nelts > 1);
    add_text(root, "failed_rows_href", apr_pstrcat(p, href, "/failed-rows.csv", NULL));
}

/* The import template whose place one with the options of this job would take. */
static apr_status_t add_replaced(ecl_db_conn_t *conn, const ecl_job_t *job, json_object *root,
                                 apr_pool_t *p, ecl_result_t *result)
{
    ecl_import_template_t *template;
    apr_status_t rv = ecl_import_template_replaced(conn, job, p, &template, result);

    if (rv == APR_SUCCESS && template) {
        json_object_object_add(root, "replaces", ecl_import_template_json(template));
    }
    return rv;
}

/* What came after: the jobs that follow on from this one, and what would go with it in an undo. */
static apr_status_t add_later(const ecl_request_t *q, ecl_db_conn_t *conn, const ecl_job_t *job,
                              json_object *view, json_object *root, ecl_result_t *result)
{
    apr_pool_t *p = q->r->pool;
    apr_int64_t imports = 0, readings = 0;
    ecl_job_t **followers;
    int count;
    apr_status_t rv = ecl_job_followers(conn, job->batch_id, p, &followers, &count, result);

    if (rv == APR_SUCCESS && json_object_get_boolean(json_object_object_get(view, "can_undo"))) {
        rv = ecl_job_relied_on(conn, job, &imports, &readings, result);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    add_bool(root, "has_followers", count > 0);
    json_object_object_add(root, "followers", ecl_view_jobs(q, followers, count));
    if (imports) {
        add_text(root, "relied_on",
                 apr_psprintf(p,
                              "%s later import%s of this same file found up to %s readings "
                              "unchanged: they go, too.",
                              ecl_format_count(imports, p), imports == 1 ? "" : "s",
                              ecl_format_count(readings, p)));
    }
    return APR_SUCCESS;
}

apr_status_t ecl_view_status(const ecl_request_t *q, ecl_db_conn_t *conn, const ecl_job_t *job,
                             const char *preview, json_object *root, ecl_result_t *result)
{
    apr_pool_t *p = q->r->pool;
    json_object *view = ecl_view_job(q, job), *alive;
    const char *href = json_object_get_string(json_object_object_get(view, "href"));
    const ecl_host_t *host = NULL;
    ecl_job_t *other = NULL;
    apr_status_t rv;

    add_bool(view, "can_save_template", ecl_import_template_is_saveable(job));
    json_object_object_add(root, "job", view);
    rv = add_replaced(conn, job, root, p, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    add_text(root, "action_base", href);
    add_failed_files(job, href, root, p);
    if (job->summary) {
        json_object_object_add(
            root, "summary",
            summary_view(job->summary, preview,
                         json_object_get_boolean(json_object_object_get(view, "is_finished")), p));
    }
    rv = view_worker(q, conn, root, job->stored_host, &host, result);
    if (rv == APR_SUCCESS) {
        rv = add_errors(q, conn, job, root, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_events_view_job(q, conn, job->batch_id, root, result);
    }
    if (rv == APR_SUCCESS) {
        rv = add_later(q, conn, job, view, root, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_job_same_file(conn, job->file_sha256, job->batch_id, p, &other, result);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (other && other->id < job->id) {
        json_object_object_add(root, "same_file", ecl_view_job(q, other));
    }
    if (job->parent_batch_id) {
        rv = ecl_job_get(conn, job->parent_batch_id, p, &other, result);
        if (rv == APR_SUCCESS) {
            json_object_object_add(root, "parent", ecl_view_job(q, other));
        } else if (rv != ECL_ENOTFOUND) { /* it may have been deleted since */
            return rv;
        }
    }
    alive = json_object_object_get(json_object_object_get(root, "worker"), "alive");
    add_bool(root, "waiting_for_worker",
             job->status == ECL_JOB_QUEUED && !json_object_get_boolean(alive));
    if (job->stored_host && job->status == ECL_JOB_QUEUED && (!host || !host->workers)) {
        add_text(root, "waiting_for_host", away_words(job->stored_host, host, p));
    }
    return APR_SUCCESS;
}
