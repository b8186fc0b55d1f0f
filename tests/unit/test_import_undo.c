/* A run that takes out what a job had stored: after a cancel, and for an undo. */
#include "import_files.h"
#include "import_fixture.h"
#include "start_apr.h"

static void cancel_takes_everything_out(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    const char *before;
    ecl_job_t *job;

    import_text(t, wide_file(f->p, 6, 6, 0));
    before = tables(f);
    queue(t, rough_file(f->p), 0);
    t->cancel_at = 4;
    job = run_once(t);
    assert_int_equal(job->status, ECL_JOB_CANCELLED);
    assert_true(job->processed_rows < job->total_rows); /* at the next batch, not at the end */
    assert_string_equal(tables(f), before);
    assert_string_not_equal(summary_text(job, "took_out"), "absent");
    assert_non_null(job->stored_name);

    /* and again, from the beginning */
    t->cancel_at = 0;
    OK(ecl_job_retry(f->conn, job->batch_id, "bob", f->p, &job, &f->result));
    job = run_once(t);
    assert_int_equal(job->status, ECL_JOB_COMPLETED);
    assert_int_equal(job->processed_rows, job->total_rows);
    assert_string_equal(summary_text(job, "took_out"), "absent");
}

static void cancel_after_the_last_batch(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);

    queue(t, wide_file(f->p, 1, 3, 0), 0);
    t->cancel_at = 1;
    assert_int_equal(run_once(t)->status, ECL_JOB_CANCELLED);
    assert_string_equal(tables(f), "");
}

static void undo_restores_what_was(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    const char *before;
    ecl_job_t *job;
    int removed, restored, runs = 0;

    import_text(t, wide_file(f->p, 6, 6, 0));
    before = tables(f);
    job = import_text(t, rough_file(f->p));
    assert_int_equal(job->status, ECL_JOB_COMPLETED);
    removed = (int)sql(f,
                       "SELECT count(*) FROM meter_days d WHERE import_job_id = %d AND NOT EXISTS"
                       " (SELECT 1 FROM meter_day_history WHERE meter_day_id = d.id)",
                       (int)job->id);
    restored = (int)sql(f, "SELECT count(*) FROM meter_day_history");
    OK(ecl_job_undo(f->conn, job->batch_id, "bob", f->p, &job, &f->result));
    t->stop_at = 1; /* batch by batch */
    do {
        job = run_once(t);
        runs++;
    } while (job->undo_requested);
    assert_true(runs > 3);
    assert_int_equal(job->status, ECL_JOB_COMPLETED);
    assert_true(job->undone_at);
    assert_string_equal(tables(f), before);
    assert_string_equal(summary_text(job, "took_out"),
                        apr_psprintf(f->p,
                                     "{\"days_removed\":%d,\"days_restored\":%d,\"days_kept\":0}",
                                     removed, restored));
}

static void undo_keeps_what_a_later_import_changed(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *first = import_text(t, wide_file(f->p, 2, 5, 0));

    import_text(t, wide_file(f->p, 2, 5, 7));
    OK(ecl_job_undo(f->conn, first->batch_id, "bob", f->p, &first, &f->result));
    t->job = first;
    assert_string_equal(summary_text(run_once(t), "took_out"),
                        "{\"days_removed\":9,\"days_restored\":0,\"days_kept\":1}");
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_days"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(cancel_takes_everything_out),
        TEST(cancel_after_the_last_batch),
        TEST(undo_restores_what_was),
        TEST(undo_keeps_what_a_later_import_changed),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
