/* Every way in which a job can fail for good, and what it says then. */
#include "import_files.h"
#include "import_fixture.h"
#include "start_apr.h"

static void fails_when_every_row_is_bad(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    text_t text = {.p = f->p};

    add_header(&text);
    add_row(&text, 1, 32, 5, 0);
    add_row(&text, 1, 33, 5, 0);
    assert_failed(import_text(t, text.text), "\"no-good-row\"",
                  "no row could be imported: 2 of 2 rows were rejected; the first: line 2: ");
    assert_int_equal(sql(f, "SELECT count(*) FROM import_errors"), 2);
}

static void fails_after_too_many_errors(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    text_t text = {.p = f->p};
    ecl_job_t *job;

    add_header(&text);
    for (int d = 1; d <= 20; d++) {
        add_row(&text, d, 1, 5, 0);
        add_row(&text, d, 31, 5, 0);
    }
    t->settings->max_errors = 9;
    job = import_text(t, text.text);
    assert_failed(job, "\"too-many-errors\"", "10 rows were rejected, more than the 9");
    assert_int_equal(job->failed_rows, 10);
    assert_int_equal(job->processed_rows, 20);

    /* with more allowed it goes on from there */
    t->settings->max_errors = 20;
    OK(ecl_job_retry(f->conn, job->batch_id, "bob", f->p, &job, &f->result));
    job = run_once(t);
    assert_readings(job, 960, 0, 0);
    assert_int_equal(job->failed_rows, 20);
    assert_string_equal(summary_text(job, "code"), "absent");
}

static void fails_at_once_on_what_is_no_meter_data(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *job = import_text(t, "Name,Address\nSmith,1 High Street\nJones,2 High Street\n");

    assert_int_equal(job->status, ECL_JOB_FAILED);
    assert_non_null(job->error_message);
    assert_string_not_equal(summary_text(job, "code"), "absent");
    assert_int_equal(job->attempts, 1);
}

static void fails_on_reads_of_a_register(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *job = import_text(t, long_file(f->p, 2, 48, "A", 70000));

    assert_int_equal(job->status, ECL_JOB_FAILED);
    assert_non_null(strstr(job->error_message, "rise from 70000.5 to 70047.5"));
    assert_string_equal(summary_text(job, "code"), "\"cumulative-reads\"");
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_days"), 0);
}

static void fails_when_the_file_is_not_the_one_uploaded(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *job = queue(t, wide_file(f->p, 2, 2, 0), 0);
    const char *path = ecl_storage_path(t->settings->storage_dir, job->stored_name, f->p);
    FILE *file = fopen(path, "r+");

    assert_non_null(file);
    fputc('N', file); /* same size */
    fclose(file);
    assert_failed(run_once(t), "\"file-changed\"", "its content has changed");

    job = queue(t, wide_file(f->p, 2, 2, 0), 0);
    path = ecl_storage_path(t->settings->storage_dir, job->stored_name, f->p);
    assert_int_equal(truncate(path, 100), 0);
    assert_failed(run_once(t), "\"file-changed\"", "it has 100 bytes instead of");

    job = queue(t, wide_file(f->p, 2, 2, 0), 0);
    path = ecl_storage_path(t->settings->storage_dir, job->stored_name, f->p);
    assert_int_equal(unlink(path), 0);
    assert_failed(run_once(t), "\"file-missing\"", "gone");
}

static void fails_when_days_are_cut_otherwise(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    const char *before;

    import_text(t, wide_file(f->p, 1, 3, 0));
    sql(f, "UPDATE meter_days SET period_values = '[1,2]', period_flags = 'AA' WHERE id = 2");
    before = tables(f);
    assert_failed(import_text(t, wide_file(f->p, 1, 3, 3)), "\"periods-differ\"", "line 3");
    assert_string_equal(tables(f), before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(fails_when_every_row_is_bad),
        TEST(fails_after_too_many_errors),
        TEST(fails_at_once_on_what_is_no_meter_data),
        TEST(fails_on_reads_of_a_register),
        TEST(fails_when_the_file_is_not_the_one_uploaded),
        TEST(fails_when_days_are_cut_otherwise),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
