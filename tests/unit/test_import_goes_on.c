/* An import that stops or dies at any moment ends as one that was left alone. */
#include "bytes_of.h"
#include "import_files.h"
#include "import_fixture.h"
#include "packing.h"
#include "start_apr.h"

#include <dirent.h>
#include <sys/wait.h>

#include <apr_file_io.h>
#include <apr_tables.h>

/* ---- stopping and dying ---------------------------------------------------------------------- */

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

typedef struct file_t {
    const char *bytes;
    apr_size_t length;   /* 0: bytes are a text */
    const char *options; /* of its job; NULL: none */
    int dry_run;
} file_t;

/* Imports a file over what another left, undisturbed, and then disturbed in every way: the result
 * is the same. */
static void compare_disturbed(fixture_t *f, file_t file)
{
    apr_size_t length = file.length ? file.length : strlen(file.bytes);
    const char *expected = NULL;

    for (int round = 0; round < 14; round++) {
        test_t *t = test_of(f);
        ecl_job_t *job;

        empty_tables(f->conn, f->p);
        import_text(t, wide_file(f->p, 6, 6, 0));
        queue_bytes(t, file.bytes, length, file.dry_run);
        if (file.options) {
            sql(f, "UPDATE import_jobs SET options = '%s' WHERE status = 'queued'", file.options);
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
    fixture_t *f = *state;

    compare_disturbed(f, (file_t){.bytes = rough_file(f->p)});
}

static void goes_on_within_a_day(void **state)
{
    fixture_t *f = *state;

    /* more meters than the reader keeps days open */
    compare_disturbed(f, (file_t){.bytes = long_file(f->p, 66, 6, "A", 2)});
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
    fixture_t *f = *state;

    compare_disturbed(f, (file_t){.bytes = rough_flow(f->p)});
    compare_disturbed(f, (file_t){.bytes = rough_json(f->p)});
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
static file_t rough_workbook(apr_pool_t *p)
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
    file_t packed = {0};

    assert_true(fd >= 0);
    close(fd);
    for (apr_size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        sized[i] = files[i];
        sized[i].length = strlen(files[i].bytes);
    }
    pack_zip(path, sized, sizeof files / sizeof files[0], NULL);
    packed.bytes = bytes_of(path, &packed.length, p);
    unlink(path);
    return packed;
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
    compare_disturbed(f, rough_workbook(f->p));
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

    compare_disturbed(
        f, (file_t){.bytes = register_file(f->p), .options = "{\"reads\": \"register\"}"});
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs WHERE summary LIKE"
                            " '%%register-falls%%' AND summary LIKE '%%register-gaps%%'"),
                     1);
}

static void a_dry_run_goes_on_as_well(void **state)
{
    fixture_t *f = *state;

    compare_disturbed(f, (file_t){.bytes = rough_file(f->p), .dry_run = 1});
}

/* ---- giving back ----------------------------------------------------------------------------- */

static void gives_back_when_the_disk_is_full(void **state)
{
    fixture_t *f = *state;
    test_t *t = test_of(f);
    ecl_db_conn_t *conn;
    apr_time_t before;
    ecl_job_t *job;

    queue(t, wide_file(f->p, 10, 10, 0), 0);
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

    queue(t, wide_file(f->p, 10, 10, 0), 0);
    t->fence_at = 2;
    job = run_once(t);
    assert_int_equal(job->status, ECL_JOB_PROCESSING);
    assert_int_equal(t->batches, 2);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_days"), job->checkpoint - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(goes_on_where_it_stopped),
        TEST(goes_on_within_a_day),
        TEST(other_forms_go_on_too),
        TEST(a_workbook_goes_on_too),
        TEST(differences_go_on_too),
        TEST(a_dry_run_goes_on_as_well),
        TEST(gives_back_when_the_disk_is_full),
        TEST(lets_go_of_a_job_that_another_has),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
