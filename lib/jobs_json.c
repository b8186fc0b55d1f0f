#include <json-c/printbuf.h>

#include "jobs_internal.h"

#define PRINT_FLAGS (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* Where a job's members go: into an object, or printed, which costs a fraction of making an object
 * and printing that. Each member is told once, for both. */
typedef struct out_t {
    json_object *object;      /* NULL: */
    struct printbuf *printed; /* begun with '{' */
} out_t;

static void print(struct printbuf *printed, const char *text, apr_size_t length)
{
    printbuf_memappend_fast(printed, text, (int)length);
}

#define PRINT_LITERAL(printed, literal) print((printed), (literal), sizeof(literal) - 1)

/* As json-c prints it. */
static void print_string(struct printbuf *printed, const char *text)
{
    static const char specials[] = "\b\n\r\t\f\"\\", escapes[] = "bnrtf\"\\";
    const char *run = text;

    PRINT_LITERAL(printed, "\"");
    for (; *text; text++) {
        const char *special;
        char escape[8];

        if ((unsigned char)*text >= ' ' && *text != '"' && *text != '\\') {
            continue;
        }
        print(printed, run, (apr_size_t)(text - run));
        special = strchr(specials, *text);
        if (special) {
            escape[0] = '\\';
            escape[1] = escapes[special - specials];
            print(printed, escape, 2);
        } else {
            apr_snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)*text);
            print(printed, escape, 6);
        }
        run = text + 1;
    }
    print(printed, run, (apr_size_t)(text - run));
    PRINT_LITERAL(printed, "\"");
}

static void print_key(struct printbuf *printed, const char *key)
{
    if (printed->buf[printed->bpos - 1] != '{') {
        PRINT_LITERAL(printed, ",");
    }
    PRINT_LITERAL(printed, "\"");
    print(printed, key, strlen(key));
    PRINT_LITERAL(printed, "\":");
}

static void print_member(struct printbuf *printed, const char *key, const char *json)
{
    print_key(printed, key);
    print(printed, json, strlen(json));
}

/* The keys are literals, and each is added once. */
static void add_value(json_object *object, const char *key, json_object *value)
{
    json_object_object_add_ex(object, key, value,
                              JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_KEY_IS_CONSTANT);
}

static void add_text(const out_t *out, const char *key, const char *text)
{
    if (out->object) {
        add_value(out->object, key, text ? json_object_new_string(text) : NULL);
    } else if (text) {
        print_key(out->printed, key);
        print_string(out->printed, text);
    } else {
        print_member(out->printed, key, "null");
    }
}

static void add_int(const out_t *out, const char *key, apr_int64_t value)
{
    char text[32];

    if (out->object) {
        add_value(out->object, key, json_object_new_int64(value));
        return;
    }
    apr_snprintf(text, sizeof text, "%" APR_INT64_T_FMT, value);
    print_member(out->printed, key, text);
}

/* null for a negative one */
static void add_count(const out_t *out, const char *key, apr_int64_t value)
{
    if (value >= 0) {
        add_int(out, key, value);
    } else {
        add_text(out, key, NULL);
    }
}

static void add_bool(const out_t *out, const char *key, int value)
{
    if (out->object) {
        add_value(out->object, key, json_object_new_boolean(value != 0));
    } else {
        print_member(out->printed, key, value ? "true" : "false");
    }
}

static void add_time(const out_t *out, const char *key, apr_time_t t, apr_pool_t *p)
{
    add_text(out, key, ecl_rfc3339(t, p));
}

static void add_object(const out_t *out, const char *key, json_object *value)
{
    if (out->object) {
        add_value(out->object, key, json_object_get(value));
    } else {
        print_member(out->printed, key,
                     value ? json_object_to_json_string_ext(value, PRINT_FLAGS) : "null");
    }
}

static int print_text(json_object *object, struct printbuf *buffer, int level, int flags)
{
    const char *text = json_object_get_userdata(object);

    (void)level;
    (void)flags;
    return printbuf_memappend(buffer, text, (int)strlen(text));
}

/* JSON that is printed as it is: to parse it first would cost most of an answer's time. */
static void add_printed(const out_t *out, const char *key, const char *text)
{
    json_object *value;

    if (!out->object) {
        print_member(out->printed, key, text);
        return;
    }
    value = json_object_new_object();
    json_object_set_serializer(value, print_text, (void *)text, NULL);
    add_value(out->object, key, value);
}

/* A number of tenths: 417 is written 41.7, and 420 is written 42. Negative: null. */
static void add_tenths(const out_t *out, const char *key, apr_int64_t tenths)
{
    char text[32];

    if (tenths < 0 || tenths % 10 == 0) {
        add_count(out, key, tenths < 0 ? -1 : tenths / 10);
        return;
    }
    apr_snprintf(text, sizeof text, "%" APR_INT64_T_FMT ".%d", tenths / 10, (int)(tenths % 10));
    if (out->object) {
        /* the text as well, so that it is printed as it is meant and not with 17 digits */
        add_value(out->object, key, json_object_new_double_s((double)tenths / 10, text));
    } else {
        print_member(out->printed, key, text);
    }
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

ecl_job_pace_t ecl_job_pace(const ecl_job_t *job, apr_time_t now)
{
    ecl_job_pace_t pace = {percent_tenths(job), -1, -1};
    apr_int64_t rows;
    apr_interval_time_t elapsed_us;

    if (attempt_work(job, now, &rows, &elapsed_us)) {
        double rows_per_second = (double)rows * APR_USEC_PER_SEC / (double)elapsed_us;

        pace.rate_tenths = (apr_int64_t)(rows_per_second * 10);
        if (job->status == ECL_JOB_PROCESSING && job->total_rows >= job->processed_rows) {
            double seconds = (double)(job->total_rows - job->processed_rows) / rows_per_second;

            pace.eta_seconds = (apr_int64_t)seconds;
            pace.eta_seconds += (double)pace.eta_seconds < seconds;
        }
    }
    return pace;
}

static void add_progress(const out_t *out, const ecl_job_t *job, apr_time_t now)
{
    ecl_job_pace_t pace = ecl_job_pace(job, now);

    add_tenths(out, "progress_percent", pace.percent_tenths);
    add_tenths(out, "rows_per_second", pace.rate_tenths);
    add_count(out, "eta_seconds", pace.eta_seconds);
}

static void add_job(const out_t *out, const ecl_job_t *job, apr_time_t now)
{
    apr_pool_t *p;

    apr_pool_create(&p, NULL);
    add_text(out, "batch_id", job->batch_id);
    add_text(out, "user_name", job->user_name);
    add_text(out, "filename", job->filename);
    add_int(out, "file_size", job->file_size);
    add_text(out, "file_sha256", job->file_sha256);
    add_text(out, "stored_host", job->stored_host);
    add_text(out, "import_type", job->import_type);
    add_bool(out, "dry_run", job->dry_run);
    add_text(out, "status", ecl_job_status_name(job->status));
    add_text(out, "priority", job->priority);
    add_text(out, "notes", job->notes);
    add_text(out, "tags", job->tags);
    add_object(out, "options", job->options);
    add_count(out, "total_rows", job->total_rows);
    add_int(out, "processed_rows", job->processed_rows);
    add_int(out, "imported_rows", job->imported_rows);
    add_int(out, "failed_rows", job->failed_rows);
    add_int(out, "skipped_rows", job->skipped_rows);
    add_int(out, "readings_new", job->readings_new);
    add_int(out, "readings_changed", job->readings_changed);
    add_int(out, "readings_unchanged", job->readings_unchanged);
    add_int(out, "bytes_done", job->bytes_done);
    add_time(out, "queued_at", job->queued_at, p);
    add_time(out, "run_after", job->run_after, p);
    add_time(out, "started_at", job->started_at, p);
    add_time(out, "completed_at", job->completed_at, p);
    add_int(out, "attempts", job->attempts);
    add_int(out, "max_attempts", job->max_attempts);
    add_int(out, "claims", job->claims);
    add_text(out, "worker", job->worker);
    add_time(out, "lease_until", job->lease_until, p);
    add_bool(out, "cancel_requested", job->cancel_requested);
    add_bool(out, "undo_requested", job->undo_requested);
    add_int(out, "checkpoint", job->checkpoint);
    add_text(out, "error_message", job->error_message);
    if (job->summary_text) {
        add_printed(out, "summary", job->summary_text);
    } else {
        add_object(out, "summary", job->summary);
    }
    add_text(out, "parent_batch_id", job->parent_batch_id);
    add_time(out, "undone_at", job->undone_at, p);
    add_text(out, "undone_by", job->undone_by);
    add_progress(out, job, now);
    apr_pool_destroy(p);
}

json_object *ecl_job_json(const ecl_job_t *job, apr_time_t now)
{
    out_t out = {.object = json_object_new_object()};

    add_job(&out, job, now);
    return out.object;
}

void ecl_job_print(const ecl_job_t *job, apr_time_t now, struct printbuf *printed)
{
    out_t out = {.printed = printed};

    PRINT_LITERAL(printed, "{");
    add_job(&out, job, now);
    PRINT_LITERAL(printed, "}");
}
