/* What a worker does with the job it has taken: progress, lease, fencing, attempts, and the end. */
#include "jobs_fixture.h"

/* As if the worker had not been heard of for a while. */
static void expire_lease(fixture_t *f, const ecl_job_t *job)
{
    sql(f, "UPDATE import_jobs SET lease_until = 1 WHERE id = %" APR_INT64_T_FMT, job->id);
}

static void test_progress(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job;
    int cancel = -1;

    new_job(f, "a.csv");
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    sql(f, "UPDATE import_jobs SET lease_until = 5, attempts = 2");
    OK(progress(f, job, 10, &cancel));
    assert_int_equal(cancel, 0);
    OK(progress(f, job, 20, &cancel));
    job = get(f, job);
    assert_int_equal(job->processed_rows, 20);
    assert_int_equal(job->imported_rows, 14);
    assert_int_equal(job->failed_rows, 4);
    assert_int_equal(job->skipped_rows, 2);
    assert_int_equal(job->readings_new, 600);
    assert_int_equal(job->readings_changed, 60);
    assert_int_equal(job->readings_unchanged, 6);
    assert_int_equal(job->checkpoint, 20);
    assert_int_equal(job->bytes_done, 500);
    assert_int_equal(job->attempts, 1);
    assert_true(job->lease_until > apr_time_now());
    assert_null(job->summary);
}

static void test_summary_is_kept_unless_given(void **state)
{
    fixture_t *f = *state;
    json_object *summary = json_tokener_parse("{\"layout\": \"50 \\\"%s\\\" columns\"}");
    ecl_job_progress_t batch = {.checkpoint = 1, .summary = summary};
    ecl_job_t *job;
    int cancel;

    new_job(f, "a.csv");
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_progress(f->conn, job, &batch, &cancel, &f->result));
    json_object_put(summary);
    batch.summary = NULL;
    OK(ecl_job_progress(f->conn, job, &batch, &cancel, &f->result));
    OK(ecl_job_finish(f->conn, job, NULL, NULL, &f->result));
    job = get(f, job);
    assert_string_equal(json_object_get_string(json_object_object_get(job->summary, "layout")),
                        "50 \"%s\" columns");
}

static void test_renew(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job, *ignored;
    int cancel;

    new_job(f, "a.csv");
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    sql(f, "UPDATE import_jobs SET lease_until = 5");
    OK(ecl_job_renew(f->conn, job, 1234, &cancel, &f->result));
    assert_int_equal(cancel, 0);
    assert_int_equal(get(f, job)->total_rows, 1234);
    assert_true(get(f, job)->lease_until > apr_time_now());
    OK(ecl_job_cancel(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));
    OK(ecl_job_renew(f->conn, job, -1, &cancel, &f->result));
    assert_int_equal(cancel, 1);
    assert_int_equal(get(f, job)->total_rows, 1234);
}

static void test_lease_runs_out(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *first, *second;
    apr_time_t before;
    int cancel;

    new_job(f, "a.csv");
    first = claim_one(f, "host:1", ECL_WORK_IMPORT);
    expire_lease(f, first);
    before = apr_time_now();
    claim_none(f); /* put back, with back-off */
    second = get(f, first);
    assert_int_equal(second->status, ECL_JOB_QUEUED);
    assert_int_equal(second->lease_until, 0);
    assert_true(second->run_after >= before + apr_time_from_sec(2));
    assert_true(second->run_after <= apr_time_now() + apr_time_from_sec(2));
    assert_non_null(strstr(second->error_message, "not heard of for 30 seconds"));
    /* the worker that was thought dead has nothing to say, although nobody has
     * claimed it since */
    FAILS(progress(f, first, 5, &cancel), ECL_EFENCED, "claim-lost");

    make_due(f, first);
    second = claim_one(f, "host:2", ECL_WORK_IMPORT);
    assert_int_equal(second->claims, 2);
    assert_int_equal(second->attempts, 2);
    OK(progress(f, second, 5, &cancel));
    OK(ecl_job_finish(f->conn, second, NULL, NULL, &f->result));
    assert_null(get(f, second)->error_message);
}

/* A worker whose lease ran out while nobody looked goes on. */
static void test_late_worker_goes_on_while_nobody_has_the_job(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job;
    int cancel;

    new_job(f, "a.csv");
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    expire_lease(f, job);
    OK(progress(f, job, 5, &cancel));
    claim_none(f);
    assert_int_equal(get(f, job)->status, ECL_JOB_PROCESSING);
}

static void test_fencing(void **state)
{
    /* how many, or by which transactions */
    const char *changes = is_pgsql()
                              ? "SELECT sum(CAST(CAST(xmin AS text) AS bigint)) FROM import_jobs"
                              : "SELECT total_changes()";
    fixture_t *f = *state;
    ecl_row_error_t error = {1, "HH01", "bad-value", "no number", "x", NULL};
    ecl_job_t *old, *new;
    apr_int64_t version;
    int cancel;

    new_job(f, "a.csv");
    old = claim_one(f, "host:1", ECL_WORK_IMPORT);
    expire_lease(f, old);
    claim_none(f);
    make_due(f, old);
    new = claim_one(f, "host:2", ECL_WORK_IMPORT);
    version = sql(f, "%s", changes);

    FAILS(progress(f, old, 5, &cancel), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_renew(f->conn, old, 5, &cancel, &f->result), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_add_errors(f->conn, old, &error, 1, &f->result), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_finish(f->conn, old, NULL, NULL, &f->result), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_finish(f->conn, old, NULL, "bad file", &f->result), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_taken_out(f->conn, old, NULL, &f->result), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_give_back(f->conn, old, NULL, &f->result), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_give_back(f->conn, old, "crash", &f->result), ECL_EFENCED, "claim-lost");
    assert_int_equal(sql(f, "%s", changes), version);
    assert_int_equal(get(f, new)->status, ECL_JOB_PROCESSING);
    assert_int_equal(get(f, new)->claims, 2);

    /* and the same after its own end */
    OK(ecl_job_finish(f->conn, new, NULL, NULL, &f->result));
    FAILS(progress(f, new, 5, &cancel), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_renew(f->conn, new, 5, &cancel, &f->result), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_finish(f->conn, new, NULL, "late", &f->result), ECL_EFENCED, "claim-lost");
    FAILS(ecl_job_give_back(f->conn, new, NULL, &f->result), ECL_EFENCED, "claim-lost");
    assert_int_equal(get(f, new)->status, ECL_JOB_COMPLETED);
}

static void test_stop_is_no_attempt(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job;

    new_job(f, "a.csv");
    for (int i = 1; i <= 10; i++) {
        job = claim_one(f, "host:1", ECL_WORK_IMPORT);
        assert_int_equal(job->claims, i);
        assert_int_equal(job->attempts, 1);
        OK(ecl_job_give_back(f->conn, job, NULL, &f->result));
        assert_int_equal(get(f, job)->status, ECL_JOB_QUEUED);
        assert_null(get(f, job)->error_message);
    }
}

static void test_back_off_and_giving_up(void **state)
{
    static const int seconds[] = {2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600};
    fixture_t *f = *state;
    ecl_job_t *job = new_job(f, "a.csv");
    int n = sizeof seconds / sizeof seconds[0];

    sql(f, "UPDATE import_jobs SET max_attempts = %d", n + 1);
    for (int i = 0; i < n; i++) {
        apr_time_t before = apr_time_now();

        job = claim_one(f, "host:1", ECL_WORK_IMPORT);
        assert_int_equal(job->attempts, i + 1);
        OK(ecl_job_give_back(f->conn, job, "the disk is full", &f->result));
        job = get(f, job);
        assert_int_equal(job->status, ECL_JOB_QUEUED);
        assert_string_equal(job->error_message, "the disk is full");
        assert_true(job->run_after >= before + apr_time_from_sec(seconds[i]));
        assert_true(job->run_after <= apr_time_now() + apr_time_from_sec(seconds[i]));
        if (seconds[i] > 30) { /* or it may be due again by now */
            claim_none(f);
        }
        make_due(f, job);
    }
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_give_back(f->conn, job, "the disk is full", &f->result));
    job = get(f, job);
    assert_int_equal(job->status, ECL_JOB_FAILED);
    assert_true(job->completed_at > 0);
    assert_string_equal(job->error_message,
                        "gave up after 12 attempts that got no further: the disk is full");
    make_due(f, job);
    claim_none(f);
}

/* Only a file that kills its worker at one spot gives up. */
static void test_progress_starts_the_count_again(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job;
    int cancel;

    new_job(f, "a.csv");
    for (int i = 1; i <= 6; i++) {
        job = claim_one(f, "host:1", ECL_WORK_IMPORT);
        assert_int_equal(job->attempts, i == 1 ? 1 : 2);
        OK(progress(f, job, i, &cancel));
        OK(ecl_job_give_back(f->conn, job, "crash", &f->result));
        make_due(f, job);
    }
    /* a batch without a new checkpoint is no progress */
    for (int i = 2; i <= 3; i++) {
        job = claim_one(f, "host:1", ECL_WORK_IMPORT);
        assert_int_equal(job->attempts, i);
        OK(progress(f, job, 6, &cancel));
        OK(ecl_job_give_back(f->conn, job, "crash", &f->result));
        make_due(f, job);
    }
    assert_int_equal(get(f, job)->status, ECL_JOB_FAILED);
}

static void test_dead_worker(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *his, *other, *done;

    new_job(f, "a.csv");
    new_job(f, "b.csv");
    new_job(f, "c.csv");
    done = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_finish(f->conn, done, NULL, NULL, &f->result));
    his = claim_one(f, "host:1", ECL_WORK_IMPORT);
    other = claim_one(f, "host:11", ECL_WORK_IMPORT);
    OK(ecl_jobs_of_dead_worker(f->conn, "host:1", "the worker crashed (signal 11)", &f->result));
    assert_int_equal(get(f, done)->status, ECL_JOB_COMPLETED);
    assert_int_equal(get(f, his)->status, ECL_JOB_QUEUED);
    assert_int_equal(get(f, his)->attempts, 1);
    assert_string_equal(get(f, his)->error_message, "the worker crashed (signal 11)");
    assert_int_equal(get(f, other)->status, ECL_JOB_PROCESSING);
    assert_true(get(f, his)->run_after <= apr_time_now()); /* at once, the first time */

    OK(ecl_jobs_of_dead_worker(f->conn, "host:11", NULL, &f->result));
    assert_int_equal(get(f, other)->status, ECL_JOB_QUEUED);
    assert_int_equal(get(f, other)->attempts, 0);
    OK(ecl_jobs_of_dead_worker(f->conn, "nobody:1", "gone", &f->result));
}

/* A file that kills its worker at one spot does so ever more seldom, and not for ever. */
static void test_deaths_at_one_spot(void **state)
{
    static const int seconds[] = {0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600};
    static const int n = sizeof seconds / sizeof seconds[0];
    fixture_t *f = *state;
    ecl_job_t *job = new_job(f, "a.csv");
    int cancel;

    sql(f, "UPDATE import_jobs SET max_attempts = %d", n + 1);
    for (int i = 0; i < n; i++) {
        apr_time_t before = apr_time_now();

        job = claim_one(f, "host:1", ECL_WORK_IMPORT);
        OK(ecl_jobs_of_dead_worker(f->conn, "host:1", "it died", &f->result));
        job = get(f, job);
        assert_true(job->run_after >= before + apr_time_from_sec(seconds[i]));
        assert_true(job->run_after <= apr_time_now() + apr_time_from_sec(seconds[i]));
        make_due(f, job);
    }
    /* further on it is another spot */
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(progress(f, job, 7, &cancel));
    OK(ecl_jobs_of_dead_worker(f->conn, "host:1", "it died", &f->result));
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    sql(f, "UPDATE import_jobs SET max_attempts = 2");
    OK(ecl_jobs_of_dead_worker(f->conn, "host:1", "it died", &f->result));
    assert_int_equal(get(f, job)->status, ECL_JOB_FAILED);
    assert_string_equal(get(f, job)->error_message,
                        "gave up after 2 attempts that got no further: it died");
}

static void test_finish(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job;

    new_job(f, "a.csv");
    new_job(f, "b.csv");
    new_job(f, "c.csv");
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_finish(f->conn, job, NULL, NULL, &f->result));
    job = get(f, job);
    assert_int_equal(job->status, ECL_JOB_COMPLETED);
    assert_true(job->completed_at >= job->started_at);
    assert_int_equal(job->lease_until, 0);
    assert_null(job->stored_name); /* nobody needs the file any more */

    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_finish(f->conn, job, NULL, "this is not meter data", &f->result));
    job = get(f, job);
    assert_int_equal(job->status, ECL_JOB_FAILED);
    assert_string_equal(job->error_message, "this is not meter data");
    assert_non_null(job->stored_name); /* for a retry */

    sql(f, "UPDATE import_jobs SET dry_run = 1 WHERE status = 'queued'");
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_finish(f->conn, job, NULL, NULL, &f->result));
    assert_int_equal(get(f, job)->status, ECL_JOB_COMPLETED);
    assert_non_null(get(f, job)->stored_name); /* to be imported for real */
}

/* A job that is importing, and whose cancel was asked for after its first batch. */
static ecl_job_t *cancel_in_the_middle(fixture_t *f)
{
    ecl_job_t *job, *ignored;
    int cancel;

    new_job(f, "a.csv");
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(progress(f, job, 5, &cancel));
    OK(ecl_job_cancel(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));
    return job;
}

/* A cancel that comes after the last batch is still a cancel. */
static void test_cancel_before_finish(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = cancel_in_the_middle(f);
    int cancel;

    FAILS(ecl_job_finish(f->conn, job, NULL, NULL, &f->result), ECL_ESTOPPED, "cancel-requested");
    FAILS(ecl_job_finish(f->conn, job, NULL, "bad", &f->result), ECL_ESTOPPED, "cancel-requested");
    assert_int_equal(get(f, job)->status, ECL_JOB_PROCESSING);
    OK(progress(f, job, 6, &cancel));
    assert_int_equal(cancel, 1);
    OK(ecl_job_taken_out(f->conn, job, NULL, &f->result));
    job = get(f, job);
    assert_int_equal(job->status, ECL_JOB_CANCELLED);
    assert_int_equal(job->cancel_requested, 0);
    assert_int_equal(job->lease_until, 0);
    assert_true(job->completed_at > 0);
    assert_string_equal(job->error_message, "cancelled by bob");
}

/* Whatever happens to the worker, a cancel ends as cancelled, and is never
 * given up. */
static void test_cancel_survives_its_worker(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = cancel_in_the_middle(f);
    int cancel;

    expire_lease(f, job);
    claim_none(f);
    make_due(f, job);
    job = claim_one(f, "host:2", ECL_WORK_TAKE_OUT);
    OK(ecl_job_give_back(f->conn, job, NULL, &f->result));
    for (int i = 0; i < 5; i++) {
        job = claim_one(f, "host:3", ECL_WORK_TAKE_OUT);
        OK(ecl_job_give_back(f->conn, job, "crash", &f->result));
        assert_int_equal(get(f, job)->status, ECL_JOB_QUEUED);
        make_due(f, job);
    }
    job = claim_one(f, "host:3", ECL_WORK_TAKE_OUT);
    OK(ecl_job_renew(f->conn, job, -1, &cancel, &f->result));
    OK(ecl_job_taken_out(f->conn, job, NULL, &f->result));
    assert_int_equal(get(f, job)->status, ECL_JOB_CANCELLED);
    assert_string_equal(get(f, job)->error_message, "cancelled by bob");
    claim_none(f);
}

static void test_undo(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job, *old, *ignored;
    apr_time_t completed_at;
    int cancel;

    new_job(f, "a.csv");
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_finish(f->conn, job, NULL, NULL, &f->result));
    completed_at = get(f, job)->completed_at;
    OK(ecl_job_undo(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));

    old = claim_one(f, "host:2", ECL_WORK_TAKE_OUT);
    assert_int_equal(old->status, ECL_JOB_COMPLETED);
    assert_int_equal(old->attempt_started_at, job->attempt_started_at); /* the import's rate */
    claim_none(f);
    OK(progress(f, old, old->checkpoint, &cancel)); /* how far taking out has come */
    assert_int_equal(cancel, 0);
    expire_lease(f, old);
    claim_none(f);
    FAILS(ecl_job_renew(f->conn, old, -1, &cancel, &f->result), ECL_EFENCED, "claim-lost");
    FAILS(progress(f, old, 0, &cancel), ECL_EFENCED, "claim-lost");
    make_due(f, old);
    job = claim_one(f, "host:3", ECL_WORK_TAKE_OUT);
    FAILS(ecl_job_taken_out(f->conn, old, NULL, &f->result), ECL_EFENCED, "claim-lost");
    for (int i = 0; i < 5; i++) {
        OK(ecl_job_give_back(f->conn, job, "crash", &f->result));
        claim_none(f);
        make_due(f, job);
        job = claim_one(f, "host:3", ECL_WORK_TAKE_OUT);
    }
    OK(ecl_job_renew(f->conn, job, -1, &cancel, &f->result));
    assert_int_equal(cancel, 0);
    OK(ecl_job_taken_out(f->conn, job, NULL, &f->result));
    job = get(f, job);
    assert_int_equal(job->status, ECL_JOB_COMPLETED);
    assert_int_equal(job->completed_at, completed_at);
    assert_true(job->undone_at >= completed_at);
    assert_string_equal(job->undone_by, "bob");
    assert_int_equal(job->undo_requested, 0);
    assert_null(job->error_message);
    claim_none(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_progress),
        TEST(test_summary_is_kept_unless_given),
        TEST(test_renew),
        TEST(test_lease_runs_out),
        TEST(test_late_worker_goes_on_while_nobody_has_the_job),
        TEST(test_fencing),
        TEST(test_stop_is_no_attempt),
        TEST(test_back_off_and_giving_up),
        TEST(test_progress_starts_the_count_again),
        TEST(test_dead_worker),
        TEST(test_deaths_at_one_spot),
        TEST(test_finish),
        TEST(test_cancel_before_finish),
        TEST(test_cancel_survives_its_worker),
        TEST(test_undo),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
