/* The history: what is noted, by whom, and that it goes with what it tells of. */
#include "jobs_fixture.h"

#include "lib/job_events.h"
#include "lib/storage.h"

static json_object *events(fixture_t *f, const char *batch_id, const char *event, const char *q)
{
    const ecl_job_event_filter_t filter = {
        .batch_id = batch_id, .event = event, .q = q, .limit = 200};
    json_object *found;
    apr_int64_t next;

    OK(ecl_job_events(f->conn, &filter, &found, &next, &f->result));
    assert_int_equal(next, 0);
    return found;
}

/* "event user worker attempt detail; …", the oldest first; '-' for what is null. */
static const char *history(fixture_t *f, const ecl_job_t *job)
{
    static const char *const keys[] = {"event", "user_name", "worker", "attempt", "detail"};
    json_object *found = events(f, job->batch_id, NULL, NULL);
    const char *text = "";

    for (size_t i = json_object_array_length(found); i > 0; i--) {
        json_object *event = json_object_array_get_idx(found, i - 1);

        for (int k = 0; k < 5; k++) {
            json_object *value = json_object_object_get(event, keys[k]);
            text = apr_pstrcat(f->p, text, k ? " " : "",
                               value ? json_object_get_string(value) : "-", NULL);
        }
        text = apr_pstrcat(f->p, text, "; ", NULL);
    }
    json_object_put(found);
    return text;
}

static void test_an_import_that_is_undone(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = new_job(f, "a.csv"), *ignored;
    ecl_job_progress_t batch = {.processed_rows = 10,
                                .imported_rows = 9,
                                .failed_rows = 1,
                                .readings_new = 432,
                                .checkpoint = 11};
    int cancel;

    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_give_back(f->conn, job, "the disk is full", &f->result));
    OK(ecl_job_run_now(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));
    job = claim_one(f, "host:2", ECL_WORK_IMPORT);
    for (int i = 0; i < 5; i++) { /* no event for a batch */
        OK(ecl_job_progress(f->conn, job, &batch, &cancel, &f->result));
        OK(ecl_job_renew(f->conn, job, 50, &cancel, &f->result));
        batch.checkpoint += 10;
    }
    OK(ecl_jobs_of_dead_worker(f->conn, "host:2", NULL, &f->result));
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_finish(f->conn, job, NULL, NULL, &f->result));
    OK(ecl_job_undo(f->conn, job->batch_id, "carol", f->p, &ignored, &f->result));
    job = claim_one(f, "host:1", ECL_WORK_TAKE_OUT);
    OK(ecl_job_taken_out(f->conn, job, NULL, &f->result));
    OK(ecl_job_delete(f->conn, job->batch_id, NULL, f->dir, f->p, &f->result));
    assert_string_equal(
        history(f, job),
        "queued alice - - -; claimed - host:1 1 -; put-back - host:1 - the disk is full; "
        "run-now bob - - -; claimed - host:2 2 -; "
        "put-back - host:2 - the worker was asked to stop; "
        "claimed - host:1 1 from record 52 on; "
        "completed - host:1 1 45 rows imported, 5 rejected, 0 skipped; readings: 2160 new, 0 "
        "changed, 0 unchanged; "
        "undo carol - - -; claimed - host:1 1 to take its readings out; undone - host:1 1 -; "
        "delete  - - -; ");
}

static void test_what_fails_and_is_cancelled(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = new_job(f, "a.csv"), *ignored;

    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_finish(f->conn, job, NULL, "this is no meter data", &f->result));
    OK(ecl_job_retry(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));
    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_cancel(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));
    OK(ecl_job_taken_out(f->conn, job, NULL, &f->result));
    OK(ecl_job_retry(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));
    sql(f, "UPDATE import_jobs SET max_attempts = 1");
    claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_jobs_of_dead_worker(f->conn, "host:1", "it died", &f->result));
    OK(ecl_jobs_cleanup(f->conn, 0, "root", f->dir, f->p, &(int){0}, &f->result));
    assert_string_equal(history(f, job),
                        "queued alice - - -; claimed - host:1 1 -; "
                        "failed - host:1 1 this is no meter data; retry bob - - -; "
                        "claimed - host:1 1 -; cancel bob - - -; cancelled - host:1 1 -; "
                        "retry bob - - from the beginning; claimed - host:1 1 -; failed - host:1 "
                        "- gave up after 1 attempts that got no further: it died; "
                        "cleaned-up root - - -; ");
}

static void test_a_dry_run_imported_for_real_and_an_answer(void **state)
{
    fixture_t *f = *state;
    const char *id = ecl_job_uuid(f->p), *values[ECL_OPTIONS] = {NULL};
    ecl_job_new_t wanted = {.batch_id = id,
                            .stored_name = id,
                            .filename = "a.csv",
                            .user_name = "alice",
                            .actor = "root",
                            .dry_run = 1,
                            .stored_host = "elsewhere"};
    ecl_job_t *dry = create(f, &wanted), *real;

    force(f, dry, ECL_JOB_COMPLETED);
    OK(ecl_job_import_for_real(f->conn, id, "bob", f->dir, "here", f->p, &real, &f->result));
    assert_string_equal(history(f, dry), apr_pstrcat(f->p,
                                                     "queued root - - dry run; "
                                                     "import-for-real bob - - as job ",
                                                     real->batch_id, "; ", NULL));
    sql(f, "UPDATE import_jobs SET status = 'failed', summary ="
           " '{\"question\": {\"option\": \"meter\"}}' WHERE dry_run = 0");
    values[ECL_OPTION_METER] = "Pump house";
    values[ECL_OPTION_UNIT] = "kWh";
    OK(ecl_job_answer(f->conn, real->batch_id, "carol", values, f->p, &real, &f->result));
    assert_string_equal(history(f, real),
                        "queued bob - - -; answer carol - - meter: Pump house, unit: kWh; ");
}

/* What was refused, or rolled back, has not happened. */
static void test_events_go_with_what_they_tell_of(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t keyed = {.filename = "k.csv", .user_name = "alice", .idempotency_key = "k"};
    ecl_job_t *job, *other;

    OK(ecl_db_begin(f->conn, &f->result));
    job = new_job(f, "a.csv");
    OK(ecl_job_cancel(f->conn, job->batch_id, "bob", f->p, &other, &f->result));
    ecl_db_rollback(f->conn);
    assert_string_equal(history(f, job), "");

    job = new_job(f, "a.csv");
    FAILS(ecl_job_undo(f->conn, job->batch_id, "bob", f->p, &other, &f->result), ECL_ECONFLICT,
          "job-state");
    FAILS(ecl_job_delete(f->conn, job->batch_id, "bob", f->dir, f->p, &f->result), ECL_ECONFLICT,
          "job-state");
    assert_string_equal(history(f, job), "queued alice - - -; ");
    job = create(f, &keyed);
    FAILS(ecl_job_create(f->conn, &keyed, f->p, &other, &f->result), ECL_ECONFLICT,
          "idempotency-key-used");
    assert_string_equal(history(f, job), "queued alice - - -; ");

    /* and without its event nothing happens */
    refuse(f, "INSERT", "import_job_events", "no more events");
    assert_int_not_equal(ecl_job_cancel(f->conn, job->batch_id, "bob", f->p, &other, &f->result),
                         APR_SUCCESS);
    assert_int_equal(get(f, job)->status, ECL_JOB_QUEUED);
    assert_int_not_equal(
        ecl_job_create(f->conn, &(ecl_job_new_t){.filename = "b.csv"}, f->p, &other, &f->result),
        APR_SUCCESS);
    assert_null(other);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs"), 2);
}

static void test_filter_and_pages(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *first = new_job(f, "North_1.csv"), *second = new_job(f, "south.csv"), *ignored;
    ecl_job_event_filter_t filter = {.limit = 2};
    json_object *found;
    apr_int64_t next;

    OK(ecl_job_cancel(f->conn, second->batch_id, "bob", f->p, &ignored, &f->result));
    OK(ecl_job_delete(f->conn, second->batch_id, "bob", f->dir, f->p, &f->result));
    found = events(f, NULL, NULL, "north_1");
    assert_int_equal(json_object_array_length(found), 1);
    assert_true(json_object_get_boolean(
        json_object_object_get(json_object_array_get_idx(found, 0), "job_exists")));
    json_object_put(found);
    found = events(f, NULL, NULL, "BOB");
    assert_int_equal(json_object_array_length(found), 2);
    assert_false(json_object_get_boolean(
        json_object_object_get(json_object_array_get_idx(found, 0), "job_exists")));
    json_object_put(found);
    found = events(f, first->batch_id, "queued", "alice");
    assert_int_equal(json_object_array_length(found), 1);
    json_object_put(found);

    OK(ecl_job_events(f->conn, &filter, &found, &next, &f->result));
    assert_int_equal(json_object_array_length(found), 2);
    assert_true(next > 0);
    json_object_put(found);
    filter.before = next;
    OK(ecl_job_events(f->conn, &filter, &found, &next, &f->result));
    assert_int_equal(json_object_array_length(found), 2);
    assert_int_equal(next, 0);
    assert_string_equal(json_object_get_string(json_object_object_get(
                            json_object_array_get_idx(found, 1), "filename")),
                        "North_1.csv");
    json_object_put(found);

    filter.limit = 201;
    FAILS(ecl_job_events(f->conn, &filter, &found, &next, &f->result), ECL_EINPUT, "bad-limit");
    filter = (ecl_job_event_filter_t){.limit = 5, .event = "exploded"};
    FAILS(ecl_job_events(f->conn, &filter, &found, &next, &f->result), ECL_EINPUT, "unknown-value");
    assert_null(found);
}

static void add_old_events(fixture_t *f, const char *batch_id, int count, int days_ago)
{
    static const char insert[] =
        "WITH RECURSIVE n(i) AS (SELECT CAST(%lld AS BIGINT) UNION ALL SELECT i - 1 FROM n WHERE i "
        "> 1)"
        " INSERT INTO import_job_events (at, batch_id, filename, event)"
        " SELECT CAST(%lld AS BIGINT), CAST(%s AS TEXT), 'a.csv', 'queued' FROM n";
    apr_time_t at = apr_time_now() - apr_time_from_sec((apr_int64_t)days_ago * 86400);

    OK(ecl_db_exec(f->conn, insert, ECL_ARGS(ECL_INT(count), ECL_INT(at), ECL_TEXT(batch_id)), NULL,
                   &f->result));
}

static void test_what_is_old_and_of_no_job_is_removed(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = new_job(f, "a.csv");
    int removed = -1;

    add_old_events(f, job->batch_id, 3, 4000);
    add_old_events(f, "gone", 2500, 31);
    add_old_events(f, "gone", 7, 29);
    FAILS(ecl_job_events_cleanup(f->conn, 0, &removed, &f->result), ECL_EINPUT, "bad-days");
    assert_int_equal(removed, 0);
    OK(ecl_job_events_cleanup(f->conn, 30, &removed, &f->result));
    assert_int_equal(removed, 2500);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_job_events WHERE batch_id = 'gone'"), 7);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_job_events"), 7 + 3 + 1);
    OK(ecl_job_events_cleanup(f->conn, 30, &removed, &f->result));
    assert_int_equal(removed, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_an_import_that_is_undone),
        TEST(test_what_fails_and_is_cancelled),
        TEST(test_a_dry_run_imported_for_real_and_an_answer),
        TEST(test_events_go_with_what_they_tell_of),
        TEST(test_filter_and_pages),
        TEST(test_what_is_old_and_of_no_job_is_removed),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
