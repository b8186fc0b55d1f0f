/* The directives: their values, their lines, and that httpd and worker read them alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include <apr_general.h>

#include "start_apr.h"
#include "lib/settings.h"

typedef struct fixture_t {
    apr_pool_t *p;
    char path[64];
    ecl_settings_t *settings;
    ecl_result_t result;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);
    const char *tmp = getenv("TMPDIR");
    int fd;

    assert_non_null(f);
    snprintf(f->path, sizeof f->path, "%s/ecl-settings-XXXXXX", tmp ? tmp : "/tmp");
    fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(apr_pool_create(&f->p, NULL), APR_SUCCESS);
    f->settings = ecl_settings_make(f->p);
    f->result = ecl_result_make(f->p);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;

    unlink(f->path);
    apr_pool_destroy(f->p);
    free(f);
    return 0;
}

static void write_file(fixture_t *f, const char *text, size_t length)
{
    int fd = open(f->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    close(fd);
}

static apr_status_t read_text(fixture_t *f, const char *text)
{
    write_file(f, text, strlen(text));
    return ecl_settings_read(f->settings, f->p, f->path, &f->result);
}

static void assert_read(fixture_t *f, const char *text)
{
    if (read_text(f, text) != APR_SUCCESS) {
        fail_msg("%s", f->result.detail);
    }
}

/* Refused, and the detail names all of these. */
static void assert_refused(fixture_t *f, const char *text, const char *line, const char *what)
{
    assert_int_equal(read_text(f, text), ECL_EINPUT);
    if (!strstr(f->result.detail, apr_psprintf(f->p, "%s line %s: ", f->path, line)) ||
        !strstr(f->result.detail, what)) {
        fail_msg("unexpected: %s", f->result.detail);
    }
}

static void test_defaults(void **state)
{
    fixture_t *f = *state;
    const ecl_settings_t *s = f->settings;

    assert_string_equal(s->db_driver, "sqlite3");
    assert_string_equal(s->db_params, "/var/lib/eclectyc-import/eclectyc.db");
    assert_string_equal(s->storage_dir, "/var/lib/eclectyc-import/storage");
    assert_string_equal(s->templates_dir, ECL_DATADIR "/templates");
    assert_string_equal(s->worker_program, ECL_BINDIR "/eclectyc-import-worker");
    assert_int_equal(s->workers, 2);
    assert_int_equal(s->max_upload_bytes, 4LL * 1024 * 1024 * 1024);
    assert_int_equal(s->wait_seconds, 20);
    assert_string_equal(s->timezone, "Europe/London");
    assert_int_equal(s->max_errors, 10000);
    assert_int_equal(s->retention_days, 90);
    assert_int_equal(s->history_days, 3650);
}

static void test_file_that_httpd_includes(void **state)
{
    fixture_t *f = *state;

    assert_read(f, "# EclectycImportWorkers 9\n"
                   "LoadModule eclectyc_import_module modules/mod_eclectyc_import.so\n"
                   "<IfModule mod_eclectyc_import.c>\r\n"
                   "  eclectycimportDATABASE\tsqlite3  \"/srv/a \\\"b\\\"/x.db\"\r\n"
                   "\tEclectycImportStorage '/srv/it\\'s here'\n"
                   "EclectycImportTemplates /srv/back\\\\slash\\x#no-comment\n"
                   "EclectycImportMax\\\r\nUpload \\\n  64M\n"
                   "# a comment goes on \\\nEclectycImportWorkers 8\n"
                   "</IfModule>\n"
                   "<Location \"/admin/imports\">\n"
                   "    EclectycImport admin\n"
                   "    EclectycImportAllowAnonymous On\n"
                   "</Location>\n"
                   "\n"
                   "EclectycImportWait 0\n"
                   "EclectycImportWait 300");
    assert_string_equal(f->settings->db_params, "/srv/a \"b\"/x.db");
    assert_string_equal(f->settings->storage_dir, "/srv/it's here");
    assert_string_equal(f->settings->templates_dir, "/srv/back\\slash\\x#no-comment");
    assert_int_equal(f->settings->max_upload_bytes, 64 * 1024 * 1024);
    assert_int_equal(f->settings->workers, 2);
    assert_int_equal(f->settings->wait_seconds, 300);
}

static void test_values_out_of_range(void **state)
{
    fixture_t *f = *state;

    assert_refused(f, "\n\nEclectycImportStorage storage\n", "3", "absolute path");
    assert_refused(f, "EclectycImportDatabase sqlite3 x.db\n", "1", "'sqlite3 x.db'");
    assert_refused(f, "EclectycImportDatabase mysql /x\n", "1", "sqlite3 or pgsql");
    assert_refused(f, "EclectycImportWorkers 65\n", "1", "0 to 64");
    assert_refused(f, "EclectycImportWorkers -1\n", "1", "'-1'");
    assert_refused(f, "EclectycImportWorkers 2x\n", "1", "'2x'");
    assert_refused(f, "EclectycImportWait 301\n", "1", "0 to 300");
    assert_refused(f, "EclectycImportMaxErrors 1000000001\n", "1", "1000000000");
    assert_refused(f, "EclectycImportRetention 36501\n", "1", "36500");
    assert_refused(f, "EclectycImportHistoryRetention -1\n", "1", "36500");
    assert_refused(f, "EclectycImportTimezone ../../etc/passwd\n", "1", "zone");
    assert_refused(f, "EclectycImportStorageShared maybe\n", "1", "On or Off");
    assert_refused(f, "EclectycImportHostName \"\"\n", "1", "1 to 64");
    assert_refused(f, "EclectycImportHostName a:1\n", "1", "1 to 64");
    assert_refused(f, "EclectycImportHostName \"a b\"\n", "1", "1 to 64");
    assert_refused(f, "EclectycImportTimezone /etc/localtime\n", "1", "zone");
    assert_refused(f, "EclectycImportMaxUpload 0\n", "1", "suffix");
    assert_refused(f, "EclectycImportMaxUpload M\n", "1", "suffix");
    assert_refused(f, "EclectycImportMaxUpload 4T\n", "1", "suffix");
    assert_refused(f, "EclectycImportMaxUpload \"\"\n", "1", "suffix");
    assert_refused(f, "EclectycImportMaxUpload 8589934592G\n", "1", "suffix");
    assert_string_equal(ecl_settings_text(f->settings, f->p),
                        ecl_settings_text(ecl_settings_make(f->p), f->p));
    assert_read(f, "EclectycImportMaxUpload 8589934591g\nEclectycImportMaxErrors 0\n"
                   "EclectycImportRetention 0\nEclectycImportTimezone Etc/GMT+12\n");
    assert_int_equal(f->settings->max_upload_bytes, 8589934591LL << 30);
    assert_read(f, "EclectycImportMaxUpload 1k\n");
    assert_int_equal(f->settings->max_upload_bytes, 1024);
}

static void test_lines_that_are_wrong(void **state)
{
    fixture_t *f = *state;

    assert_refused(f, "#\\\n\nEclectycImportWorker 2\n", "3", "EclectycImportWorker");
    assert_refused(f, "A \\\n b\n\nEclectycImportWait\n", "4", "one argument");
    assert_refused(f, "EclectycImportWait \\\n 1 2\n", "1", "one argument");
    assert_refused(f, "EclectycImportDatabase sqlite3\n", "1", "two arguments");
    assert_refused(f, "EclectycImportDatabase sqlite3 /x /y\n", "1", "two arguments");
    assert_refused(f, "EclectycImportStorage ${RUN_DIR}/x\n", "1", "${variable}");
    assert_refused(f, "EclectycImportDatabase pgsql \"password=secret\x01\"\n", "1", "pgsql");
    assert_null(strstr(f->result.detail, "secret"));
    write_file(f, "a\0b\n", 4);
    assert_int_equal(ecl_settings_read(f->settings, f->p, f->path, &f->result), ECL_EINPUT);
    assert_int_equal(ecl_settings_read(f->settings, f->p, "/nonexistent/x", &f->result),
                     ECL_ECONFIG);
    assert_non_null(strstr(f->result.detail, "/nonexistent/x"));
    assert_int_equal(ecl_settings_read(f->settings, f->p, "/tmp", &f->result), ECL_ECONFIG);
    assert_int_equal(ecl_settings_read(f->settings, f->p, "/dev/zero", &f->result), ECL_ECONFIG);
    assert_read(f, "");
    assert_read(f, "\\");
    assert_read(f, "\\\n");
}

static void test_hosts(void **state)
{
    fixture_t *f = *state;
    ecl_settings_t *read_back;

    assert_true(f->settings->host_name[0]); /* the system's */
    assert_null(ecl_settings_storage_host(f->settings));
    assert_read(f, "EclectycImportStorageShared OFF\nEclectycImportHostName import-1.example\n");
    assert_string_equal(ecl_settings_storage_host(f->settings), "import-1.example");
    write_file(f, ecl_settings_text(f->settings, f->p),
               strlen(ecl_settings_text(f->settings, f->p)));
    read_back = ecl_settings_make(f->p);
    assert_int_equal(ecl_settings_read(read_back, f->p, f->path, &f->result), APR_SUCCESS);
    assert_string_equal(ecl_settings_storage_host(read_back), "import-1.example");
    assert_read(f, "EclectycImportStorageShared on\n");
    assert_null(ecl_settings_storage_host(f->settings));
}

/* What httpd's own directives say is none of our business, whatever it looks like. */
static void test_other_directives_are_passed_over(void **state)
{
    fixture_t *f = *state;

    assert_read(f, "Eclectyc x\nRewriteRule \"^/(.*\" '${x}\nDefine A ${B}\n\"\n'\n");
    assert_string_equal(ecl_settings_text(f->settings, f->p),
                        ecl_settings_text(ecl_settings_make(f->p), f->p));
}

static void test_text_round_trips(void **state)
{
    static const char *const awkward[] = {
        "/a b",
        "/it's",
        "/\"q\"",
        "/\\",
        "/\\\\",
        "/\\\"",
        "/'\"'\\'",
        "/${HOME}",
        "/#x",
        "/ends with blank ",
        "/\xc3\xa9\xe2\x82\xac",
    };
    fixture_t *f = *state;

    for (apr_size_t i = 0; i < sizeof awkward / sizeof *awkward; i++) {
        ecl_settings_t *s = ecl_settings_make(f->p), *back = ecl_settings_make(f->p);
        const char *params = apr_pstrcat(f->p, "host=/x password='", awkward[i], "\\' ", NULL);
        const char *text;
        int stdin_before = dup(STDIN_FILENO), fd;

        ecl_settings_set(s, f->p, "EclectycImportDatabase", "pgsql", params, NULL);
        ecl_settings_set(s, f->p, "EclectycImportStorage", awkward[i], NULL, NULL);
        ecl_settings_set(s, f->p, "EclectycImportTemplates", awkward[i], NULL, NULL);
        ecl_settings_set(s, f->p, "EclectycImportWorkerProgram", awkward[i], NULL, NULL);
        ecl_settings_set(s, f->p, "EclectycImportWorkers", "7", NULL, NULL);
        ecl_settings_set(s, f->p, "EclectycImportMaxUpload", "5G", NULL, NULL);
        ecl_settings_set(s, f->p, "EclectycImportWait", "3", NULL, NULL);
        ecl_settings_set(s, f->p, "EclectycImportTimezone", "UTC", NULL, NULL);
        ecl_settings_set(s, f->p, "EclectycImportMaxErrors", "0", NULL, NULL);
        ecl_settings_set(s, f->p, "EclectycImportRetention", "12", NULL, NULL);
        text = ecl_settings_text(s, f->p);

        /* through stdin, as the module hands it to the worker */
        write_file(f, text, strlen(text));
        fd = open(f->path, O_RDONLY | O_CLOEXEC);
        dup2(fd, STDIN_FILENO);
        close(fd);
        if (ecl_settings_read(back, f->p, "-", &f->result) != APR_SUCCESS) {
            fail_msg("%s", f->result.detail);
        }
        dup2(stdin_before, STDIN_FILENO);
        close(stdin_before);
        assert_string_equal(back->db_driver, "pgsql");
        assert_string_equal(back->db_params, params);
        assert_string_equal(back->storage_dir, awkward[i]);
        assert_string_equal(back->templates_dir, awkward[i]);
        assert_string_equal(back->worker_program, awkward[i]);
        assert_int_equal(back->workers, 7);
        assert_int_equal(back->max_upload_bytes, 5LL << 30);
        assert_int_equal(back->wait_seconds, 3);
        assert_string_equal(back->timezone, "UTC");
        assert_int_equal(back->max_errors, 0);
        assert_int_equal(back->retention_days, 12);
        assert_string_equal(ecl_settings_text(back, f->p), text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_that_httpd_includes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values_out_of_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lines_that_are_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hosts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_directives_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_text_round_trips, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
