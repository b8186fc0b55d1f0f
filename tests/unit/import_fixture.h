/* Jobs that are run as a worker runs them, on stored files and SQLite, in small batches. */
#ifndef IMPORT_FIXTURE_H
#define IMPORT_FIXTURE_H

#include "jobs_fixture.h"
#include "meter_tables.h"

#include <signal.h>

#include "lib/settings.h"
#include "lib/storage.h"
#include "worker/clock.h"
#include "worker/import.h"

#define WORKER "host:1"

typedef struct test_t {
    fixture_t *f;
    ecl_settings_t *settings;
    ecl_clock_t *clock;
    volatile int stop;
    int batches; /* seen by after_batch in this run */
    int stop_at, cancel_at, fence_at, kill_at;
    const ecl_opening_t *opened;
    ecl_job_t *job;
} test_t;

static inline test_t *test_of(fixture_t *f)
{
    test_t *t = apr_pcalloc(f->p, sizeof *t);

    t->f = f;
    t->settings = ecl_settings_make(f->p);
    t->settings->storage_dir = apr_pstrcat(f->p, f->dir, "/storage", NULL);
    OK(ecl_clock_make(&t->clock, t->settings->timezone, f->p, &f->result));
    OK(ecl_storage_prepare(t->settings->storage_dir, f->p, &f->result));
    return t;
}

/* Stores a file and queues its import. */
static inline ecl_job_t *queue_bytes(test_t *t, const char *bytes, apr_size_t length, int dry_run)
{
    fixture_t *f = t->f;
    char sha256[ECL_SHA256_HEX];
    ecl_storage_part_t *part;
    ecl_job_new_t wanted = {.user_name = "alice", .filename = "f.csv", .dry_run = dry_run};

    wanted.batch_id = wanted.stored_name = ecl_job_uuid(f->p);
    OK(ecl_storage_part_open(&part, t->settings->storage_dir, f->p, &f->result));
    OK(ecl_storage_part_write(part, bytes, length, &f->result));
    wanted.file_size = ecl_storage_part_size(part);
    OK(ecl_storage_part_keep(part, wanted.stored_name, sha256, &f->result));
    wanted.file_sha256 = sha256;
    return t->job = create(f, &wanted);
}

static inline ecl_job_t *queue(test_t *t, const char *text, int dry_run)
{
    return queue_bytes(t, text, strlen(text), dry_run);
}

static inline void after_batch(void *baton)
{
    test_t *t = baton;
    fixture_t *f = t->f;
    ecl_job_t *job;

    t->batches++;
    if (t->batches == t->stop_at) {
        t->stop = 1;
    }
    if (t->batches == t->cancel_at) {
        OK(ecl_job_cancel(f->conn, t->job->batch_id, "bob", f->p, &job, &f->result));
    }
    if (t->batches == t->fence_at) {
        sql(f, "UPDATE import_jobs SET claims = claims + 1");
    }
    if (t->batches == t->kill_at) {
        kill(getpid(), SIGKILL);
    }
}

/* Claims and runs once, in small batches. */
static inline ecl_job_t *run_once(test_t *t)
{
    fixture_t *f = t->f;
    const ecl_import_context_t context = {.settings = t->settings,
                                          .clock = t->clock,
                                          .db = f->db,
                                          .worker = WORKER,
                                          .stop = (volatile const int *)&t->stop,
                                          .after_batch = after_batch,
                                          .baton = t,
                                          .opened = t->opened,
                                          .batch_days = 7};
    ecl_claim_t claim;
    apr_pool_t *p;

    t->stop = t->batches = 0;
    apr_pool_create(&p, f->p);
    OK(ecl_job_claim(f->conn, WORKER, t->job->batch_id, p, &claim, &f->result));
    assert_non_null(claim.job);
    OK(ecl_import_run(&context, &claim, p, &f->result));
    apr_pool_destroy(p);
    return get(f, t->job);
}

static inline ecl_job_t *import_text(test_t *t, const char *text)
{
    queue(t, text, 0);
    return run_once(t);
}

/* Everything that meters and readings are, times included. */
static inline const char *tables(fixture_t *f)
{
    return database_query(f->conn,
                          "SELECT * FROM meters ORDER BY id;"
                          "SELECT * FROM meter_days ORDER BY id;"
                          "SELECT * FROM meter_day_history ORDER BY 1, 2",
                          f->p);
}

/* The same without times, and the jobs' figures, errors and summaries. */
static inline const char *outcome(fixture_t *f)
{
    return apr_pstrcat(
        f->p, stored_readings(f->conn, f->p),
        database_query(f->conn,
                       "SELECT status, total_rows, processed_rows, imported_rows, failed_rows,"
                       " skipped_rows, readings_new, readings_changed, readings_unchanged,"
                       " bytes_done, checkpoint, error_message, summary FROM import_jobs"
                       " ORDER BY id; SELECT * FROM import_errors ORDER BY id",
                       f->p),
        NULL);
}

static inline const char *summary_text(const ecl_job_t *job, const char *key)
{
    json_object *value;

    assert_non_null(job->summary);
    return json_object_object_get_ex(job->summary, key, &value)
               ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN)
               : "absent";
}

static inline void assert_readings(const ecl_job_t *job, int new_ones, int changed, int unchanged)
{
    if (job->status != ECL_JOB_COMPLETED) {
        fail_msg("%s: %s", ecl_job_status_name(job->status), job->error_message);
    }
    assert_int_equal(job->readings_new, new_ones);
    assert_int_equal(job->readings_changed, changed);
    assert_int_equal(job->readings_unchanged, unchanged);
}

static inline void assert_failed(const ecl_job_t *job, const char *code, const char *words)
{
    assert_int_equal(job->status, ECL_JOB_FAILED);
    assert_string_equal(summary_text(job, "code"), code);
    if (!strstr(job->error_message, words)) {
        fail_msg("%s", job->error_message);
    }
    assert_non_null(job->stored_name);
}

#endif /* IMPORT_FIXTURE_H */
