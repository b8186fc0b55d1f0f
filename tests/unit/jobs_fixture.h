/* A migrated database of the driver in turn, a directory, and jobs. */
#ifndef JOBS_FIXTURE_H
#define JOBS_FIXTURE_H

#include <apr_general.h>

#include "databases.h"
#include "directory.h"
#include "succeeding.h"
#include "lib/jobs.h"
#include "lib/log.h"
#include "lib/migrate.h"

typedef struct fixture_t {
    apr_pool_t *p;
    char dir[64];
    test_database_t *database;
    const char *path; /* the database's, as ecl_db_open takes it */
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    ecl_result_t result;
} fixture_t;

/* Asserts that a call fails with this status and code, and says something. */
#define FAILS(call, expected, name)                                                                \
    do {                                                                                           \
        assert_int_equal((call), (expected));                                                      \
        assert_int_equal(f->result.status, (expected));                                            \
        assert_string_equal(f->result.code, (name));                                               \
        assert_true(f->result.detail[0]);                                                          \
    } while (0)

static inline int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);

    assert_non_null(f);
    make_directory(f->dir, sizeof f->dir);
    assert_int_equal(apr_pool_create(&f->p, NULL), APR_SUCCESS);
    f->database = make_database();
    f->path = f->database->params;
    f->result = ecl_result_make(f->p);
    OK(ecl_db_open(&f->db, test_driver, f->path, 4, f->p, &f->result));
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    fixture_t *f = *state;

    ecl_db_release(f->conn);
    apr_pool_destroy(f->p);
    remove_directory(f->dir);
    remove_database(f->database);
    free(f);
    return 0;
}

/* Runs SQL made from a format: to put a job into a state, and to look behind the scenes. Returns
 * the first column of the first row, 0 if there is none. */
__attribute__((format(printf, 2, 3))) static inline apr_int64_t sql(fixture_t *f, const char *fmt,
                                                                    ...)
{
    apr_int64_t value;
    apr_pool_t *p;
    va_list args;

    apr_pool_create(&p, f->p);
    va_start(args, fmt);
    value = database_number(f->conn, apr_pvsprintf(p, fmt, args), p);
    va_end(args);
    apr_pool_destroy(p);
    return value;
}

static inline int is_pgsql(void)
{
    return !strcmp(test_driver, "pgsql");
}

/* Makes every "INSERT" into, or "DELETE" from, a table fail with these words, until allow(). */
static inline void refuse(fixture_t *f, const char *verb, const char *table, const char *words)
{
    if (is_pgsql()) {
        sql(f,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE '%s'; END $$; CREATE TRIGGER refuse BEFORE %s ON %s"
            " FOR EACH ROW EXECUTE FUNCTION refuse()",
            words, verb, table);
    } else {
        sql(f, "CREATE TRIGGER refuse BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, '%s'); END", verb,
            table, words);
    }
}

static inline void allow(fixture_t *f, const char *table)
{
    if (is_pgsql()) {
        sql(f, "DROP TRIGGER refuse ON %s; DROP FUNCTION refuse()", table);
    } else {
        sql(f, "DROP TRIGGER refuse");
    }
}

static inline ecl_job_t *create(fixture_t *f, const ecl_job_new_t *wanted)
{
    ecl_job_t *job;

    OK(ecl_job_create(f->conn, wanted, f->p, &job, &f->result));
    assert_non_null(job);
    return job;
}

/* A job like any other. */
static inline ecl_job_t *new_job(fixture_t *f, const char *filename)
{
    ecl_job_new_t wanted = {
        .user_name = "alice", .filename = filename, .file_size = 1000, .file_sha256 = "5f"};

    wanted.batch_id = wanted.stored_name = ecl_job_uuid(f->p);
    return create(f, &wanted);
}

static inline ecl_job_t *get(fixture_t *f, const ecl_job_t *job)
{
    ecl_job_t *now;

    OK(ecl_job_get(f->conn, job->batch_id, f->p, &now, &f->result));
    return now;
}

static inline ecl_job_t *claim_one(fixture_t *f, const char *worker, ecl_job_work_t work)
{
    ecl_claim_t claim;

    OK(ecl_job_claim(f->conn, worker, NULL, f->p, &claim, &f->result));
    assert_non_null(claim.job);
    assert_int_equal(claim.work, work);
    return claim.job;
}

static inline void claim_none(fixture_t *f)
{
    ecl_claim_t claim;

    OK(ecl_job_claim(f->conn, "host:9", NULL, f->p, &claim, &f->result));
    assert_null(claim.job);
}

/* As if the back-off had passed. */
static inline void make_due(fixture_t *f, const ecl_job_t *job)
{
    sql(f, "UPDATE import_jobs SET run_after = 1 WHERE id = %" APR_INT64_T_FMT, job->id);
}

/* Puts a job into a state as if it had come there by itself. */
static inline void force(fixture_t *f, const ecl_job_t *job, ecl_job_status_t status)
{
    const char *lease =
        apr_psprintf(f->p, "%" APR_TIME_T_FMT, apr_time_now() + apr_time_from_sec(20));

    sql(f,
        "UPDATE import_jobs SET status = '%s', lease_until = %s, claims = claims + %d,"
        " completed_at = %s, started_at = %s WHERE id = %" APR_INT64_T_FMT,
        ecl_job_status_name(status), status == ECL_JOB_PROCESSING ? lease : "NULL",
        status == ECL_JOB_PROCESSING, status >= ECL_JOB_COMPLETED ? "2" : "NULL",
        status == ECL_JOB_QUEUED ? "NULL" : "1", job->id);
}

/* A batch of ten rows, committed as the worker that has claimed the job does. */
static inline apr_status_t progress(fixture_t *f, const ecl_job_t *job, apr_int64_t checkpoint,
                                    int *pcancel)
{
    ecl_job_progress_t batch = {.processed_rows = 10,
                                .imported_rows = 7,
                                .failed_rows = 2,
                                .skipped_rows = 1,
                                .readings_new = 300,
                                .readings_changed = 30,
                                .readings_unchanged = 3,
                                .checkpoint = checkpoint,
                                .bytes_done = 500};
    apr_status_t rv;

    OK(ecl_db_begin(f->conn, &f->result));
    rv = ecl_job_progress(f->conn, job, &batch, pcancel, &f->result);
    if (rv != APR_SUCCESS) {
        ecl_db_rollback(f->conn);
        return rv;
    }
    OK(ecl_db_commit(f->conn, &f->result));
    return rv;
}

#endif /* JOBS_FIXTURE_H */
