/* What a run goes by that was settled before it: an import template, and what opening the file for
 * the first claim had found. */
#include "import_files.h"
#include "import_fixture.h"
#include "start_apr.h"

#include "lib/import_templates.h"

/* What `eclectyc-import-worker import` does before there is a job. */
static void open_ahead(test_t *t, ecl_opening_t *opened, apr_time_t when)
{
    fixture_t *f = t->f;
    ecl_clock_day_t day;
    int minute;

    ecl_clock_from_utc(t->clock, apr_time_sec(when), &day, &minute);
    *opened = (ecl_opening_t){.import_type = "auto", .clock = t->clock, .today = day.date};
    OK(ecl_opening_make(opened,
                        ecl_storage_path(t->settings->storage_dir, t->job->stored_name, f->p),
                        f->conn, f->p, &f->result));
    t->opened = opened;
}

/* Days with large whole numbers and no unit. */
static const char *doubtful_file(apr_pool_t *p, int month)
{
    text_t t = {.p = p};

    add(&t, "Date,Meter Id,Value\n");
    for (int day = 1; day <= 28; day++) {
        add(&t, "2026-%02d-%02d,M 1,5000\n", month, day);
    }
    return t.text;
}

static ecl_import_template_t *save_template(test_t *t, const char *options)
{
    fixture_t *f = t->f;
    ecl_import_template_t *template;

    queue(t, doubtful_file(f->p, 1), 0);
    sql(f, "UPDATE import_jobs SET options = '%s' WHERE status = 'queued'", options);
    OK(ecl_import_template_save(f->conn, run_once(t), "Sheds", "alice", f->p, &template,
                                &f->result));
    return template;
}

static void goes_by_the_template_it_began_with(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_import_template_t *template = save_template(t, "{\"unit\":\"Wh\"}");
    ecl_job_t *job;

    queue(t, doubtful_file(f->p, 2), 0);
    t->stop_at = 2;
    job = run_once(t);
    assert_true(job->checkpoint > 0 && job->status == ECL_JOB_QUEUED);
    assert_non_null(strstr(summary_text(job, "template"), "\"name\":\"Sheds\""));
    OK(ecl_import_template_delete(f->conn, template->id, "bob", &f->result));
    t->stop_at = 0;
    job = run_once(t);
    assert_readings(job, 28, 0, 0);
    assert_non_null(strstr(summary_text(job, "template"), "Sheds"));
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_days WHERE period_values = '[5]'"), 56);
}

static void leaves_a_template_that_the_file_contradicts(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_opening_t opened;
    ecl_job_t *job;

    save_template(t, "{\"unit\":\"kWh\"}");
    /* what was saved for times, and now the columns hold days */
    sql(f, "UPDATE import_templates SET options = '{\"labels\":\"end\",\"unit\":\"kWh\"}'");
    job = import_text(t, "Date,Meter Id,Value\n2026-03-01,M 1,5\n2026-03-02,M 1,6\n");
    assert_readings(job, 2, 0, 0);
    assert_string_equal(summary_text(job, "template"), "absent");
    assert_non_null(strstr(summary_text(job, "warnings"), "\"template-not-used\""));
    assert_non_null(strstr(summary_text(job, "warnings"), "daily totals"));

    queue(t, "Date,Meter Id,Value\n2026-03-01,M 2,5\n2026-03-02,M 2,6\n", 0);
    open_ahead(t, &opened, apr_time_now());
    job = run_once(t);
    assert_readings(job, 2, 0, 0);
    assert_string_equal(summary_text(job, "template"), "absent");
    assert_non_null(strstr(summary_text(job, "warnings"), "\"template-not-used\""));
}

/* One reading of the file gets another digit. */
static void alter(test_t *t)
{
    FILE *file =
        fopen(ecl_storage_path(t->settings->storage_dir, t->job->stored_name, t->f->p), "r+");

    assert_non_null(file);
    assert_int_equal(fseek(file, -3, SEEK_END), 0);
    fputc('9', file);
    fclose(file);
}

static void goes_on_with_what_was_opened_for_the_first_claim(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    const char *text = wide_file(f->p, 2, 9, 0), *expected;
    ecl_opening_t opened;
    ecl_job_t *job;

    /* as if nobody had opened it before */
    assert_int_equal(import_text(t, text)->status, ECL_JOB_COMPLETED);
    expected = outcome(f);
    empty_tables(f->conn, f->p);
    queue(t, text, 0);
    open_ahead(t, &opened, apr_time_now());
    assert_int_equal(run_once(t)->status, ECL_JOB_COMPLETED);
    assert_string_equal(outcome(f), expected);

    /* who opened it has computed its digest from the file, just now: that is not done again */
    queue(t, text, 0);
    open_ahead(t, &opened, apr_time_now());
    alter(t);
    assert_int_equal(run_once(t)->status, ECL_JOB_COMPLETED);

    /* on another day it may decide otherwise */
    queue(t, text, 0);
    open_ahead(t, &opened, apr_time_now() - apr_time_from_sec(2 * 86400));
    alter(t);
    assert_failed(run_once(t), "\"file-changed\"", "its content has changed");

    /* and another claim finds a file of which nobody knows any more what it is */
    queue(t, text, 0);
    open_ahead(t, &opened, apr_time_now());
    t->stop_at = 1;
    job = run_once(t);
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_true(job->checkpoint > 0);
    t->stop_at = 0;
    alter(t);
    assert_failed(run_once(t), "\"file-changed\"", "its content has changed");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(goes_by_the_template_it_began_with),
        TEST(leaves_a_template_that_the_file_contradicts),
        TEST(goes_on_with_what_was_opened_for_the_first_claim),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
