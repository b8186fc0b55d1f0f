/* A job's run, on real files and a real database: every way in which it can end, and continue. */
#include "jobs_fixture.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_tables.h>

#include "packing.h"

#include "lib/import_templates.h"
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

static test_t *test_of(fixture_t *f)
{
    test_t *t = apr_pcalloc(f->p, sizeof *t);

    t->f = f;
    t->settings = ecl_settings_make(f->p);
    t->settings->storage_dir = apr_pstrcat(f->p, f->dir, "/storage", NULL);
    OK(ecl_clock_make(&t->clock, t->settings->timezone, f->p, &f->result));
    OK(ecl_storage_prepare(t->settings->storage_dir, f->p, &f->result));
    return t;
}

static apr_size_t length_given; /* of a file that is no text; 0: it is one */

/* Stores a file and queues its import. */
static ecl_job_t *queue(test_t *t, const char *text, const char *type, int dry_run)
{
    fixture_t *f = t->f;
    char sha256[ECL_SHA256_HEX];
    ecl_storage_part_t *part;
    ecl_job_new_t wanted = {
        .user_name = "alice", .filename = "f.csv", .import_type = type, .dry_run = dry_run};

    wanted.batch_id = wanted.stored_name = ecl_job_uuid(f->p);
    OK(ecl_storage_part_open(&part, t->settings->storage_dir, f->p, &f->result));
    OK(ecl_storage_part_write(part, text, length_given ? length_given : strlen(text), &f->result));
    wanted.file_size = ecl_storage_part_size(part);
    OK(ecl_storage_part_keep(part, wanted.stored_name, sha256, &f->result));
    wanted.file_sha256 = sha256;
    return t->job = create(f, &wanted);
}

static void after_batch(void *baton)
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
static ecl_job_t *run_once(test_t *t)
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

static ecl_job_t *import_text(test_t *t, const char *text)
{
    queue(t, text, NULL, 0);
    return run_once(t);
}

static const char *dump_of(fixture_t *f, const char *query)
{
    sqlite3 *sqlite = ecl_db_native(f->conn);
    sqlite3_stmt *stmt;
    sqlite3_str *s = sqlite3_str_new(sqlite);
    const char *copy;
    char *text;

    assert_int_equal(sqlite3_prepare_v2(sqlite, query, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            sqlite3_str_appendf(s, "%s|", sqlite3_column_text(stmt, i));
        }
        sqlite3_str_appendall(s, "\n");
    }
    sqlite3_finalize(stmt);
    text = sqlite3_str_finish(s);
    copy = apr_pstrdup(f->p, text ? text : "");
    sqlite3_free(text);
    return copy;
}

/* Everything that meters and readings are, times included. */
static const char *tables(fixture_t *f)
{
    return apr_pstrcat(f->p, dump_of(f, "SELECT * FROM meters ORDER BY id"),
                       dump_of(f, "SELECT * FROM meter_days ORDER BY id"),
                       dump_of(f, "SELECT * FROM meter_day_history ORDER BY 1, 2"), NULL);
}

/* The same without times, and the jobs' figures, errors and summaries. */
static const char *outcome(fixture_t *f)
{
    return apr_pstrcat(
        f->p, dump_of(f, "SELECT * FROM meters ORDER BY id"),
        dump_of(f, "SELECT id, meter_id, channel, interval_minutes, reading_date, day_start,"
                   " period_values, period_flags, unit, import_job_id, import_line"
                   " FROM meter_days ORDER BY id"),
        dump_of(f, "SELECT import_job_id, meter_day_id, period_values, period_flags, unit,"
                   " previous_job_id, previous_line FROM meter_day_history ORDER BY 1, 2"),
        dump_of(f, "SELECT status, total_rows, processed_rows, imported_rows, failed_rows,"
                   " skipped_rows, readings_new, readings_changed, readings_unchanged, bytes_done,"
                   " checkpoint, error_message, summary FROM import_jobs ORDER BY id"),
        dump_of(f, "SELECT * FROM import_errors ORDER BY id"), NULL);
}

static const char *summary_text(const ecl_job_t *job, const char *key)
{
    json_object *value;

    assert_non_null(job->summary);
    return json_object_object_get_ex(job->summary, key, &value)
               ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN)
               : "absent";
}

static void assert_readings(const ecl_job_t *job, int new_ones, int changed, int unchanged)
{
    if (job->status != ECL_JOB_COMPLETED) {
        fail_msg("%s: %s", ecl_job_status_name(job->status), job->error_message);
    }
    assert_int_equal(job->readings_new, new_ones);
    assert_int_equal(job->readings_changed, changed);
    assert_int_equal(job->readings_unchanged, unchanged);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* A valid MPAN core for a number. */
static const char *mpan(int number, apr_pool_t *p)
{
    static const int weights[] = {3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43};
    const char *twelve = apr_psprintf(p, "22%010d", number);
    int sum = 0;

    for (int i = 0; i < 12; i++) {
        sum += (twelve[i] - '0') * weights[i];
    }
    return apr_psprintf(p, "%s%d", twelve, sum % 11 % 10);
}

typedef struct text_t {
    apr_pool_t *p;
    char *text;
    apr_size_t length, room;
} text_t;

__attribute__((format(printf, 2, 3))) static void add(text_t *t, const char *fmt, ...)
{
    va_list args;
    const char *more;
    apr_size_t length;

    va_start(args, fmt);
    more = apr_pvsprintf(t->p, fmt, args);
    va_end(args);
    length = strlen(more);
    if (t->length + length + 1 > t->room) {
        char *larger = apr_palloc(t->p, t->room = (t->length + length + 1) * 2);
        if (t->length) {
            memcpy(larger, t->text, t->length);
        }
        t->text = larger;
    }
    memcpy(t->text + t->length, more, length + 1);
    t->length += length;
}

static void add_header(text_t *t)
{
    add(t, "MPAN,Date");
    for (int i = 1; i <= 48; i++) {
        add(t, ",HH%02d", i);
    }
    add(t, "\n");
}

/* value(number) is in every half-hour but the changed one. */
static void add_row(text_t *t, int meter, int day, int value, int changed)
{
    add(t, "%s,%02d/11/2025", mpan(meter, t->p), day);
    for (int i = 1; i <= 48; i++) {
        add(t, ",%d.%d", value, i == changed ? i + 100 : i);
    }
    add(t, "\n");
}

static const char *wide_file(apr_pool_t *p, int meters, int days, int changed)
{
    text_t t = {.p = p};

    add_header(&t);
    for (int m = 0; m < meters; m++) {
        for (int d = 1; d <= days; d++) {
            add_row(&t, m, d, m + d, m * days + d == changed ? 5 : 0);
        }
    }
    return t.text;
}

static void add_zeros(text_t *t, int meter, int day)
{
    add(t, "%s,%02d/11/2025", mpan(meter, t->p), day);
    for (int i = 1; i <= 48; i++) {
        add(t, ",0");
    }
    add(t, "\n");
}

/* Bad rows, repeats (of new days and of days that are there), days that change, days that are not
 * there, days of zeros. */
static const char *rough_file(apr_pool_t *p)
{
    text_t t = {.p = p};

    add_header(&t);
    for (int m = 3; m < 9; m++) {
        for (int d = 1; d <= 9; d++) {
            if (m == 5 && d % 3 == 0) {
                continue;
            }
            if (m == 7) {
                add_zeros(&t, 20, d);
            }
            add_row(&t, m, d, m + d, (m + d) % 3 ? 0 : d);
            if (d % 4 == 0) {
                add(&t, "%s,31/02/2025,1,2,3\n", mpan(m, p));
            }
            if (d % 5 == 0) {
                add_row(&t, 14 - m, d - 1, m, d);
            }
        }
    }
    return t.text;
}

/* A row for each reading, hour by hour through all meters. */
static const char *long_file(apr_pool_t *p, int meters, int readings, const char *type, int value)
{
    text_t t = {.p = p};

    add(&t, "MPAN,ReadDateTime,ReadValue,Unit,ReadingType\n");
    for (int i = 0; i < readings; i++) {
        for (int m = 0; m < meters; m++) {
            add(&t, "%s,2025-11-03 %02d:%02d,%d.5,kWh,%s\n", mpan(m, p), i / 2, i % 2 * 30,
                value + i, type);
        }
    }
    return t.text;
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

/* ---- importing ------------------------------------------------------------------------------- */

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
    queue(t, long_file(f->p, 2, 48, "E", 7), NULL, 0);
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

/* ---- stopping, dying, going on --------------------------------------------------------------- */

static int seen_commits, die_at_commit;

static int die_in_commit(void *baton)
{
    (void)baton;
    if (++seen_commits == die_at_commit) {
        kill(getpid(), SIGKILL);
    }
    return 0;
}

/* For every connection that is opened from now on. */
static int watch_commits(sqlite3 *sqlite, const char **error, const void *api)
{
    (void)error;
    (void)api;
    sqlite3_commit_hook(sqlite, die_in_commit, NULL);
    return SQLITE_OK;
}

/* Runs the job in a process that kills itself: after a batch, or within a commit. Returns whether
 * it did. */
static int run_and_die(test_t *t, int after, int in_commit)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        fixture_t *f = t->f;
        /* none of the parent's connections: they are not ours to use */
        if (ecl_db_open(&f->db, "sqlite3", f->path, 2, f->p, &f->result) != APR_SUCCESS ||
            ecl_db_acquire(&f->conn, f->db, &f->result) != APR_SUCCESS) {
            _exit(3);
        }
        t->kill_at = after;
        die_at_commit = in_commit;
        sqlite3_auto_extension((void (*)(void))watch_commits);
        run_once(t);
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return 1;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return 0;
}

static void start_afresh(fixture_t *f)
{
    sql(f, "DELETE FROM import_jobs");
    sql(f, "DELETE FROM meter_days");
    sql(f, "DELETE FROM meters");
    sql(f, "DELETE FROM sqlite_sequence");
}

static const char *options_given; /* of a job that is disturbed; NULL: none */

/* Runs `text` over what `before` left, undisturbed, and then disturbed in every way: the result is
 * the same. */
static void compare_disturbed(void **state, const char *(*make)(apr_pool_t *), int dry_run)
{
    fixture_t *f = *state;
    const char *expected = NULL;

    for (int round = 0; round < 14; round++) {
        test_t *t = test_of(f);
        const char *text;
        ecl_job_t *job;

        start_afresh(f);
        import_text(t, wide_file(f->p, 6, 6, 0));
        text = make(f->p);
        queue(t, text, NULL, dry_run);
        length_given = 0;
        if (options_given) {
            sql(f, "UPDATE import_jobs SET options = '%s' WHERE status = 'queued'", options_given);
        }
        if (round > 0 && round < 4) {
            t->stop_at = round; /* after every one, two, three batches */
        } else if (round >= 4) {
            int k = round - 4;
            assert_true(run_and_die(t, k % 2 ? 0 : k / 2 + 1, k % 2 ? k + 3 : 0));
            sql(f, "UPDATE import_jobs SET lease_until = 1 WHERE lease_until IS NOT NULL");
            /* it is put back, due after a back-off */
            claim_none(f);
            sql(f, "UPDATE import_jobs SET run_after = 1");
        }
        do {
            job = run_once(t);
        } while (job->status == ECL_JOB_QUEUED);
        if (job->status != ECL_JOB_COMPLETED) {
            fail_msg("round %d: %s", round, job->error_message);
        }
        sql(f, "UPDATE import_jobs SET error_message = NULL");
        if (round) {
            assert_string_equal(outcome(f), expected);
        }
        expected = outcome(f);
    }
}

static void goes_on_where_it_stopped(void **state)
{
    compare_disturbed(state, rough_file, 0);
}

static const char *long_actuals(apr_pool_t *p)
{
    return long_file(p, 66, 6, "A", 2); /* more meters than the reader keeps days open */
}

static void goes_on_within_a_day(void **state)
{
    compare_disturbed(state, long_actuals, 0);
}

/* Half-hours of the day `number` of a file, each as a line or member; one of day 40 is bad. */
static const char *half_hours(apr_pool_t *p, int number, int count, const char *before,
                              const char *after)
{
    apr_array_header_t *parts = apr_array_make(p, 4 * count, sizeof(const char *));

    for (int i = 0; i < count; i++) {
        APR_ARRAY_PUSH(parts, const char *) = before;
        APR_ARRAY_PUSH(parts, const char *) = apr_itoa(p, (number * 48 + i) % 97);
        APR_ARRAY_PUSH(parts, const char *) = number == 40 && i == 9 ? "x" : "";
        APR_ARRAY_PUSH(parts, const char *) = after;
    }
    return apr_array_pstrcat(p, parts, 0);
}

static void day_of(int number, int *pmonth, int *pday)
{
    ecl_date_t date;
    int year;

    assert_true(ecl_date_from_ymd(2026, 2, 10, &date));
    ecl_date_to_ymd(date + number, &year, pmonth, pday);
}

/* A data flow of 60 days, with a day too short, one with a bad value, and no trailer. */
static const char *rough_flow(apr_pool_t *p)
{
    const char *text = "ZHV|0000000042|D0379001|X|AAAA|C|BBBB|20260401010203||||OPER|\n"
                       "25B|1000000000012|AI|AAAA|\n";

    for (int i = 0; i < 60; i++) {
        int month, day;

        day_of(i, &month, &day);
        text = apr_psprintf(p, "%s26B|2026%02d%02d|\n%s", text, month, day,
                            half_hours(p, i, i == 20 ? 47 : 48, "66L|A|", "|\n"));
    }
    return text;
}

/* JSON of 60 days, one of them with a bad value, that breaks off. */
static const char *rough_json(apr_pool_t *p)
{
    const char *text = "{\"mpan\":\"1000000000012\",\"results\":[\n";

    for (int i = 0; i < 60; i++) {
        int month, day;

        day_of(i, &month, &day);
        text = apr_psprintf(p, "%s{\"date\":\"2026-%02d-%02d\",\"values\":[%s\"\"]},\n", text,
                            month, day, half_hours(p, i, 48, "\"", "\","));
    }
    return text;
}

static void other_forms_go_on_too(void **state)
{
    compare_disturbed(state, rough_flow, 0);
    compare_disturbed(state, rough_json, 0);
}

/* A CSV file's lines as the rows of a sheet. */
static const char *sheet_of(const char *csv, apr_pool_t *p)
{
    text_t t = {.p = p};
    char *copy = apr_pstrdup(p, csv), *line, *lines_left, *cell, *cells_left;

    add(&t, "<worksheet><sheetData>");
    for (line = apr_strtok(copy, "\n", &lines_left); line;
         line = apr_strtok(NULL, "\n", &lines_left)) {
        add(&t, "<row>");
        for (cell = apr_strtok(line, ",", &cells_left); cell;
             cell = apr_strtok(NULL, ",", &cells_left)) {
            if (strspn(cell, "0123456789.") == strlen(cell)) {
                add(&t, "<c><v>%s</v></c>", cell);
            } else {
                add(&t, "<c t=\"inlineStr\"><is><t>%s</t></is></c>", cell);
            }
        }
        add(&t, "</row>");
    }
    add(&t, "</sheetData></worksheet>");
    return t.text;
}

/* The rough file in a workbook, and some of its days again on another sheet. */
static const char *rough_workbook(apr_pool_t *p)
{
    const packed_file_t files[] = {
        {"xl/workbook.xml",
         "<workbook><sheets><sheet name=\"A\" r:id=\"a\"/><sheet name=\"B\" r:id=\"b\"/></sheets>"
         "</workbook>",
         0},
        {"xl/_rels/workbook.xml.rels",
         "<Relationships><Relationship Id=\"a\" Type=\"x/worksheet\" Target=\"a.xml\"/>"
         "<Relationship Id=\"b\" Type=\"x/worksheet\" Target=\"b.xml\"/></Relationships>",
         0},
        {"xl/a.xml", sheet_of(rough_file(p), p), 0},
        {"xl/b.xml", sheet_of(wide_file(p, 4, 9, 5), p), 0},
    };
    packed_file_t sized[sizeof files / sizeof files[0]];
    char path[] = "/tmp/eclectyc-book-XXXXXX";
    int fd = mkstemp(path);
    apr_file_t *file;
    apr_finfo_t info;
    char *bytes;

    assert_true(fd >= 0);
    close(fd);
    for (apr_size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        sized[i] = files[i];
        sized[i].length = strlen(files[i].bytes);
    }
    pack_zip(path, sized, sizeof files / sizeof files[0], NULL);
    assert_int_equal(apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p), 0);
    assert_int_equal(apr_file_info_get(&info, APR_FINFO_SIZE, file), 0);
    length_given = (apr_size_t)info.size;
    bytes = apr_palloc(p, length_given);
    assert_int_equal(apr_file_read_full(file, bytes, length_given, NULL), 0);
    apr_file_close(file);
    unlink(path);
    return bytes;
}

/* And nothing is left of the rows that a worker had kept when it died. */
static void a_workbook_goes_on_too(void **state)
{
    fixture_t *f = *state;
    const char *before = getenv("TMPDIR"), *dir = apr_pstrcat(f->p, f->dir, "/tmp", NULL);
    struct dirent *entry;
    DIR *left;

    assert_int_equal(apr_dir_make(dir, APR_FPROT_OS_DEFAULT, f->p), APR_SUCCESS);
    setenv("TMPDIR", dir, 1);
    compare_disturbed(state, rough_workbook, 0);
    if (before) {
        setenv("TMPDIR", before, 1);
    } else {
        unsetenv("TMPDIR");
    }
    left = opendir(dir);
    assert_non_null(left);
    while ((entry = readdir(left)) != NULL) {
        if (entry->d_name[0] != '.') {
            fail_msg("%s is left", entry->d_name);
        }
    }
    closedir(left);
}

/* Hourly reads of registers, the newest first, with falls, gaps and a bad one: of more meters than
 * the reader keeps days open. */
static const char *register_file(apr_pool_t *p)
{
    apr_array_header_t *parts = apr_array_make(p, 1500, sizeof(const char *));

    APR_ARRAY_PUSH(parts, const char *) = "MPAN,Timestamp,kWh\n";
    for (int i = 12; i > 0; i--) {
        for (int m = 0; m < 75; m++) {
            int read = m % 20 == i ? 5 : 70000 + i * (i + m);

            if ((i * m) % 31 != 30) {
                APR_ARRAY_PUSH(parts, const char *) =
                    apr_psprintf(p, "%s,2026-02-%02dT%02d:00:00Z,%d.%d%s\n", mpan(m, p), 9 + i / 24,
                                 i % 24, read, m % 7, i == 7 && m == 7 ? "x" : "");
            }
        }
    }
    return apr_array_pstrcat(p, parts, 0);
}

static void differences_go_on_too(void **state)
{
    fixture_t *f = *state;

    options_given = "{\"reads\": \"register\"}";
    compare_disturbed(state, register_file, 0);
    options_given = NULL;
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs WHERE summary LIKE"
                            " '%%register-falls%%' AND summary LIKE '%%register-gaps%%'"),
                     1);
}

static void a_dry_run_goes_on_as_well(void **state)
{
    compare_disturbed(state, rough_file, 1);
}

static void gives_back_when_the_disk_is_full(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_db_conn_t *conn;
    apr_time_t before;
    ecl_job_t *job;

    queue(t, wide_file(f->p, 10, 10, 0), NULL, 0);
    /* the one connection that the pool has to give is limited to what the database is now */
    OK(ecl_db_acquire(&conn, f->db, &f->result));
    assert_int_equal(
        sqlite3_exec(ecl_db_native(conn), "PRAGMA max_page_count = 1", NULL, NULL, NULL),
        SQLITE_OK);
    ecl_db_release(conn);
    before = apr_time_now();
    job = run_once(t);
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_non_null(strstr(job->error_message, "full"));
    assert_true(job->run_after >= before + apr_time_from_sec(2));
    assert_int_equal(job->attempts, 1);
    assert_non_null(job->stored_name);

    /* the connection that failed is not used again */
    sql(f, "UPDATE import_jobs SET run_after = 1");
    assert_readings(run_once(t), 4800, 0, 0);
}

static void lets_go_of_a_job_that_another_has(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *job;

    queue(t, wide_file(f->p, 10, 10, 0), NULL, 0);
    t->fence_at = 2;
    job = run_once(t);
    assert_int_equal(job->status, ECL_JOB_PROCESSING);
    assert_int_equal(t->batches, 2);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_days"), job->checkpoint - 1);
}

/* ---- import templates ------------------------------------------------------------------------
 */

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

    queue(t, doubtful_file(f->p, 1), NULL, 0);
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

    queue(t, doubtful_file(f->p, 2), NULL, 0);
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

    queue(t, "Date,Meter Id,Value\n2026-03-01,M 2,5\n2026-03-02,M 2,6\n", NULL, 0);
    open_ahead(t, &opened, apr_time_now());
    job = run_once(t);
    assert_readings(job, 2, 0, 0);
    assert_string_equal(summary_text(job, "template"), "absent");
    assert_non_null(strstr(summary_text(job, "warnings"), "\"template-not-used\""));
}

/* ---- cancel and undo --------------------------------------------------------------------------
 */

static void cancel_takes_everything_out(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    const char *before;
    ecl_job_t *job;

    import_text(t, wide_file(f->p, 6, 6, 0));
    before = tables(f);
    queue(t, rough_file(f->p), NULL, 0);
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

    queue(t, wide_file(f->p, 1, 3, 0), NULL, 0);
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

/* ---- dry runs ----------------------------------------------------------------------------------
 */

static void a_dry_run_tells_and_keeps_nothing(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    const char *before;
    ecl_job_t *dry, *real;

    import_text(t, wide_file(f->p, 6, 6, 0));
    before = tables(f);
    queue(t, rough_file(f->p), NULL, 1);
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

/* ---- failing -----------------------------------------------------------------------------------
 */

static void assert_failed(const ecl_job_t *job, const char *code, const char *words)
{
    assert_int_equal(job->status, ECL_JOB_FAILED);
    assert_string_equal(summary_text(job, "code"), code);
    if (!strstr(job->error_message, words)) {
        fail_msg("%s", job->error_message);
    }
    assert_non_null(job->stored_name);
}

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
    start_afresh(f);
    queue(t, text, NULL, 0);
    open_ahead(t, &opened, apr_time_now());
    assert_int_equal(run_once(t)->status, ECL_JOB_COMPLETED);
    assert_string_equal(outcome(f), expected);

    /* who opened it has computed its digest from the file, just now: that is not done again */
    queue(t, text, NULL, 0);
    open_ahead(t, &opened, apr_time_now());
    alter(t);
    assert_int_equal(run_once(t)->status, ECL_JOB_COMPLETED);

    /* on another day it may decide otherwise */
    queue(t, text, NULL, 0);
    open_ahead(t, &opened, apr_time_now() - apr_time_from_sec(2 * 86400));
    alter(t);
    assert_failed(run_once(t), "\"file-changed\"", "its content has changed");

    /* and another claim finds a file of which nobody knows any more what it is */
    queue(t, text, NULL, 0);
    open_ahead(t, &opened, apr_time_now());
    t->stop_at = 1;
    job = run_once(t);
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_true(job->checkpoint > 0);
    t->stop_at = 0;
    alter(t);
    assert_failed(run_once(t), "\"file-changed\"", "its content has changed");
}

static void fails_when_the_file_is_not_the_one_uploaded(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_job_t *job = queue(t, wide_file(f->p, 2, 2, 0), NULL, 0);
    const char *path = ecl_storage_path(t->settings->storage_dir, job->stored_name, f->p);
    FILE *file = fopen(path, "r+");

    assert_non_null(file);
    fputc('N', file); /* same size */
    fclose(file);
    assert_failed(run_once(t), "\"file-changed\"", "its content has changed");

    job = queue(t, wide_file(f->p, 2, 2, 0), NULL, 0);
    path = ecl_storage_path(t->settings->storage_dir, job->stored_name, f->p);
    assert_int_equal(truncate(path, 100), 0);
    assert_failed(run_once(t), "\"file-changed\"", "it has 100 bytes instead of");

    job = queue(t, wide_file(f->p, 2, 2, 0), NULL, 0);
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
    int rv;
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(imports_a_file),
        TEST(the_same_file_again_changes_nothing),
        TEST(a_daily_file_again_does_not_double),
        TEST(estimates_do_not_replace_actuals),
        TEST(tells_of_contradictions_in_a_file),
        TEST(tells_what_a_file_lacks),
        TEST(fails_on_reads_of_a_register),
        TEST(goes_on_where_it_stopped),
        TEST(goes_on_within_a_day),
        TEST(other_forms_go_on_too),
        TEST(a_workbook_goes_on_too),
        TEST(differences_go_on_too),
        TEST(a_dry_run_goes_on_as_well),
        TEST(gives_back_when_the_disk_is_full),
        TEST(lets_go_of_a_job_that_another_has),
        TEST(goes_by_the_template_it_began_with),
        TEST(leaves_a_template_that_the_file_contradicts),
        TEST(cancel_takes_everything_out),
        TEST(cancel_after_the_last_batch),
        TEST(undo_restores_what_was),
        TEST(undo_keeps_what_a_later_import_changed),
        TEST(a_dry_run_tells_and_keeps_nothing),
        TEST(fails_when_every_row_is_bad),
        TEST(fails_after_too_many_errors),
        TEST(fails_at_once_on_what_is_no_meter_data),
        TEST(goes_on_with_what_was_opened_for_the_first_claim),
        TEST(fails_when_the_file_is_not_the_one_uploaded),
        TEST(fails_when_days_are_cut_otherwise),
    };

    apr_initialize();
    rv = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return rv;
}
