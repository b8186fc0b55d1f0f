/* A job's run, on real files and a real database: what it stores and what it tells. */
#include "import_files.h"
#include "import_fixture.h"
#include "start_apr.h"

static void imports_a_file(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *job = import_text(t, wide_file(f->p, 4, 5, 0));

    assert_readings(job, 960, 0, 0);
    assert_int_equal(job->total_rows, 20);
    assert_int_equal(job->processed_rows, 20);
    assert_int_equal(job->imported_rows, 20);
    assert_int_equal(job->bytes_done, job->file_size);
    assert_true(t->batches >= 3);
    assert_string_equal(summary_text(job, "layout"), "\"wide\"");
    assert_non_null(strstr(summary_text(job, "header"), "\"MPAN,Date,HH01,"));
    assert_string_not_equal(summary_text(job, "evidence"), "absent");
    assert_string_equal(summary_text(job, "date_from"), "\"2025-11-01\"");
    assert_string_equal(summary_text(job, "date_to"), "\"2025-11-05\"");
    assert_string_equal(summary_text(job, "days"), "20");
    assert_string_equal(summary_text(job, "meters"), "4");
    assert_string_equal(summary_text(job, "meters_new"), "4");
    assert_non_null(strstr(summary_text(job, "new_meters"), mpan(3, f->p)));
    assert_string_equal(summary_text(job, "readings_missing"), "0");
    assert_string_equal(summary_text(job, "readings_repeated"), "0");
    /* its file is not needed any more */
    assert_null(job->stored_name);
    assert_int_not_equal(
        access(ecl_storage_path(t->settings->storage_dir, job->batch_id, f->p), F_OK), 0);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_readings"), 960);
}

static void the_same_file_again_changes_nothing(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    const char *before;
    ecl_job_t *job;

    import_text(t, wide_file(f->p, 10, 10, 0));
    before = tables(f);
    job = import_text(t, wide_file(f->p, 10, 10, 0));
    assert_readings(job, 0, 0, 4800);
    assert_string_equal(tables(f), before);
    assert_string_equal(summary_text(job, "meters"), "10");
    assert_string_equal(summary_text(job, "meters_new"), "0");

    /* one day in a hundred differs, in one reading */
    job = import_text(t, wide_file(f->p, 10, 10, 37));
    assert_readings(job, 0, 1, 4799);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_day_history"), 1);
    assert_string_equal(summary_text(job, "examples"),
                        apr_psprintf(f->p,
                                     "[{\"meter\":\"%s\",\"channel\":\"AI\","
                                     "\"date\":\"2025-11-07\",\"period\":5,\"old\":\"10.5\","
                                     "\"new\":\"10.105\",\"old_type\":\"actual\","
                                     "\"new_type\":\"actual\"}]",
                                     mpan(3, f->p)));
}

static const char *daily_file(apr_pool_t *p, int value)
{
    text_t t = {.p = p};

    add(&t, "MPAN,Date,Reading\n");
    for (int d = 1; d <= 20; d++) {
        add(&t, "%s,%02d/11/2025,%d.25\n", mpan(1, p), d, value + d);
    }
    return t.text;
}

static void a_daily_file_again_does_not_double(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);

    assert_readings(import_text(t, daily_file(f->p, 100)), 20, 0, 0);
    assert_readings(import_text(t, daily_file(f->p, 100)), 0, 0, 20);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_readings"), 20);
    assert_readings(import_text(t, daily_file(f->p, 200)), 0, 20, 0);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_readings"), 20);
}

static void estimates_do_not_replace_actuals(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *job;

    assert_readings(import_text(t, long_file(f->p, 2, 48, "E", 1)), 96, 0, 0);
    assert_readings(import_text(t, long_file(f->p, 2, 48, "A", 1)), 0, 96, 0);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_readings WHERE reading_type = 'actual'"),
                     96);
    job = import_text(t, long_file(f->p, 2, 48, "E", 7));
    assert_readings(job, 0, 0, 0);
    assert_string_equal(summary_text(job, "readings_kept_estimated"), "96");
    assert_non_null(strstr(summary_text(job, "warnings"), "\"estimate-kept-out\""));
    assert_non_null(strstr(summary_text(job, "warnings"), "\"count\":96"));

    /* unless the job asks for it */
    queue(t, long_file(f->p, 2, 48, "E", 7), 0);
    sql(f,
        "UPDATE import_jobs SET options = '{\"estimates\":\"replace\"}' WHERE status = 'queued'");
    assert_readings(run_once(t), 0, 96, 0);
}

static void tells_of_contradictions_in_a_file(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    text_t text = {.p = f->p};
    ecl_job_t *job;

    add_header(&text);
    add_row(&text, 1, 1, 5, 0);
    add_row(&text, 1, 1, 5, 7);
    job = import_text(t, text.text);
    assert_readings(job, 48, 0, 0);
    assert_string_equal(summary_text(job, "readings_repeated"), "48");
    assert_non_null(strstr(summary_text(job, "warnings"), "\"repeated-differs\""));
    assert_non_null(strstr(summary_text(job, "warnings"), "period 7: 5.7 (actual) from line 2 on,"
                                                          " then 5.107 (actual) from line 3 on"));
}

static void tells_what_a_file_lacks(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *job = import_text(t, rough_file(f->p));
    const char *warnings = summary_text(job, "warnings");

    assert_int_equal(job->status, ECL_JOB_COMPLETED);
    assert_non_null(strstr(
        warnings, apr_psprintf(f->p,
                               "{\"code\":\"missing-days\",\"message\":\"days without readings "
                               "between a meter's first and last day in this file\",\"count\":2,"
                               "\"examples\":[\"meter %s, AI: 2025-11-03\","
                               "\"meter %s, AI: 2025-11-06\"]}",
                               mpan(5, f->p), mpan(5, f->p))));
    assert_non_null(strstr(
        warnings,
        apr_psprintf(f->p, "\"count\":1,\"examples\":[\"meter %s, AI: 2025-11-01 to 2025-11-09",
                     mpan(20, f->p))));
    assert_null(strstr(warnings, "part-days"));
    /* and shows how it begins */
    assert_non_null(
        strstr(summary_text(job, "preview"),
               apr_psprintf(f->p,
                            "[{\"meter\":\"%s\",\"channel\":\"AI\",\"unit\":\"kWh\","
                            "\"interval_minutes\":30,\"days\":[{\"date\":\"2025-11-01\","
                            "\"values\":[\"4.1\",\"4.2\",",
                            mpan(3, f->p))));

    job = import_text(t, long_file(f->p, 66, 6, "A", 2));
    assert_non_null(strstr(summary_text(job, "warnings"),
                           apr_psprintf(f->p,
                                        "\"count\":66,\"examples\":[\"meter %s, AI, 2025-11-03: 6 "
                                        "of 48 readings\"",
                                        mpan(0, f->p))));
}

static void a_dry_run_tells_and_keeps_nothing(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    const char *before;
    ecl_job_t *dry, *real;

    import_text(t, wide_file(f->p, 6, 6, 0));
    before = tables(f);
    queue(t, rough_file(f->p), 1);
    dry = run_once(t);
    assert_int_equal(dry->status, ECL_JOB_COMPLETED);
    assert_string_equal(tables(f), before);
    assert_non_null(dry->stored_name);

    OK(ecl_job_import_for_real(f->conn, dry->batch_id, "bob", t->settings->storage_dir,
                               t->settings->host_name, f->p, &t->job, &f->result));
    real = run_once(t);
    assert_readings(real, (int)dry->readings_new, (int)dry->readings_changed,
                    (int)dry->readings_unchanged);
    assert_true(dry->readings_new && dry->readings_changed && dry->readings_unchanged);
    assert_string_equal(json_object_to_json_string(real->summary),
                        json_object_to_json_string(dry->summary));
    assert_string_not_equal(tables(f), before);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(imports_a_file),
        TEST(the_same_file_again_changes_nothing),
        TEST(a_daily_file_again_does_not_double),
        TEST(estimates_do_not_replace_actuals),
        TEST(tells_of_contradictions_in_a_file),
        TEST(tells_what_a_file_lacks),
        TEST(a_dry_run_tells_and_keeps_nothing),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
