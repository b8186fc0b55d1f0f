#include "jobs_internal.h"

static void add_text(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void add_int(json_object *object, const char *key, apr_int64_t value)
{
    json_object_object_add(object, key, json_object_new_int64(value));
}

static void add_bool(json_object *object, const char *key, int value)
{
    json_object_object_add(object, key, json_object_new_boolean(value != 0));
}

static void add_time(json_object *object, const char *key, apr_time_t t, apr_pool_t *p)
{
    add_text(object, key, ecl_rfc3339(t, p));
}

static void add_object(json_object *object, const char *key, json_object *value)
{
    json_object_object_add(object, key, json_object_get(value));
}

static int print_text(json_object *object, struct printbuf *buffer, int level, int flags)
{
    const char *text = json_object_get_userdata(object);

    (void)level;
    (void)flags;
    return printbuf_memappend(buffer, text, (int)strlen(text));
}

/* JSON that is printed as it is: to parse it first would cost most of an answer's time. */
static void add_printed(json_object *object, const char *key, const char *text)
{
    json_object *value = json_object_new_object();

    json_object_set_serializer(value, print_text, (void *)text, NULL);
    json_object_object_add(object, key, value);
}

/* A number of tenths: 417 is written 41.7, and 420 is written 42. Negative: null. */
static void add_tenths(json_object *object, const char *key, apr_int64_t tenths)
{
    json_object *value = NULL;

    if (tenths >= 0 && tenths % 10 == 0) {
        value = json_object_new_int64(tenths / 10);
    } else if (tenths >= 0) {
        char text[32];

        /* the text as well, so that it is printed as it is meant and not with 17 digits */
        apr_snprintf(text, sizeof text, "%" APR_INT64_T_FMT ".%d", tenths / 10, (int)(tenths % 10));
        value = json_object_new_double_s((double)tenths / 10, text);
    }
    json_object_object_add(object, key, value);
}

/* Rounded down, and below 100 for a job that is not completed: "100 %" is a promise. */
static apr_int64_t percent_tenths(const ecl_job_t *job)
{
    apr_int64_t done = job->bytes_done, whole = job->file_size, tenths;

    if (job->status == ECL_JOB_COMPLETED) {
        return 1000;
    }
    if (!job->started_at) {
        return -1;
    }
    if (job->total_rows >= 0) {
        done = job->processed_rows;
        whole = job->total_rows;
    }
    tenths = whole > 0 ? done * 1000 / whole : 0;
    return tenths < 0 ? 0 : tenths > 999 ? 999 : tenths;
}

/* The rows that the present or last attempt has done, and in which time. 0: no rate is known. */
static int attempt_work(const ecl_job_t *job, apr_time_t now, apr_int64_t *prows,
                        apr_interval_time_t *pelapsed_us)
{
    apr_time_t until = job->completed_at;

    if (job->status == ECL_JOB_PROCESSING) {
        if (job->cancel_requested || job->lease_until <= now) {
            return 0; /* not importing, or its worker is not heard of */
        }
        /* When the worker last said something, which is when its rows were last counted. To count
         * up to now would also change the answer, and its ETag, while nothing happens. */
        until = job->lease_until - apr_time_from_sec(ECL_LEASE_SECONDS);
    } else if (job->status != ECL_JOB_COMPLETED && job->status != ECL_JOB_FAILED) {
        return 0;
    }
    *prows = job->processed_rows - job->attempt_started_rows;
    *pelapsed_us = until - job->attempt_started_at;
    return job->attempt_started_at && *prows > 0 && *pelapsed_us > 0;
}

static void add_progress(json_object *object, const ecl_job_t *job, apr_time_t now)
{
    apr_int64_t rate_tenths = -1, eta = -1, rows;
    apr_interval_time_t elapsed_us;

    if (attempt_work(job, now, &rows, &elapsed_us)) {
        double rows_per_second = (double)rows * APR_USEC_PER_SEC / (double)elapsed_us;

        rate_tenths = (apr_int64_t)(rows_per_second * 10);
        if (job->status == ECL_JOB_PROCESSING && job->total_rows >= job->processed_rows) {
            double seconds = (double)(job->total_rows - job->processed_rows) / rows_per_second;

            eta = (apr_int64_t)seconds;
            eta += (double)eta < seconds;
        }
    }
    add_tenths(object, "progress_percent", percent_tenths(job));
    add_tenths(object, "rows_per_second", rate_tenths);
    json_object_object_add(object, "eta_seconds", eta >= 0 ? json_object_new_int64(eta) : NULL);
}

json_object *ecl_job_json(const ecl_job_t *job, apr_time_t now)
{
    json_object *object = json_object_new_object();
    apr_pool_t *p;

    apr_pool_create(&p, NULL);
    add_text(object, "batch_id", job->batch_id);
    add_text(object, "user_name", job->user_name);
    add_text(object, "filename", job->filename);
    add_int(object, "file_size", job->file_size);
    add_text(object, "file_sha256", job->file_sha256);
    add_text(object, "stored_host", job->stored_host);
    add_text(object, "import_type", job->import_type);
    add_bool(object, "dry_run", job->dry_run);
    add_text(object, "status", ecl_job_status_name(job->status));
    add_text(object, "priority", job->priority);
    add_text(object, "notes", job->notes);
    add_text(object, "tags", job->tags);
    add_object(object, "options", job->options);
    json_object_object_add(object, "total_rows",
                           job->total_rows >= 0 ? json_object_new_int64(job->total_rows) : NULL);
    add_int(object, "processed_rows", job->processed_rows);
    add_int(object, "imported_rows", job->imported_rows);
    add_int(object, "failed_rows", job->failed_rows);
    add_int(object, "skipped_rows", job->skipped_rows);
    add_int(object, "readings_new", job->readings_new);
    add_int(object, "readings_changed", job->readings_changed);
    add_int(object, "readings_unchanged", job->readings_unchanged);
    add_int(object, "bytes_done", job->bytes_done);
    add_time(object, "queued_at", job->queued_at, p);
    add_time(object, "run_after", job->run_after, p);
    add_time(object, "started_at", job->started_at, p);
    add_time(object, "completed_at", job->completed_at, p);
    add_int(object, "attempts", job->attempts);
    add_int(object, "max_attempts", job->max_attempts);
    add_int(object, "claims", job->claims);
    add_text(object, "worker", job->worker);
    add_time(object, "lease_until", job->lease_until, p);
    add_bool(object, "cancel_requested", job->cancel_requested);
    add_bool(object, "undo_requested", job->undo_requested);
    add_int(object, "checkpoint", job->checkpoint);
    add_text(object, "error_message", job->error_message);
    if (job->summary_text) {
        add_printed(object, "summary", job->summary_text);
    } else {
        add_object(object, "summary", job->summary);
    }
    add_text(object, "parent_batch_id", job->parent_batch_id);
    add_time(object, "undone_at", job->undone_at, p);
    add_text(object, "undone_by", job->undone_by);
    add_progress(object, job, now);
    apr_pool_destroy(p);
    return object;
}
