/* A job as the API shows it. No database: the object depends on the job and the time alone. */
#include "jobs_fixture.h"
#include "start_apr.h"

#define SECOND APR_TIME_C(1000000)
#define NOW APR_TIME_C(1774744200000000) /* 2026-03-29T00:30:00Z */

static ecl_job_t example(ecl_job_status_t status)
{
    ecl_job_t job = {.id = 5,
                     .batch_id = "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
                     .user_name = "alice",
                     .filename = "a.csv",
                     .stored_name = "secret",
                     .file_size = 1000,
                     .file_sha256 = "5f",
                     .import_type = "auto",
                     .status = status,
                     .priority = "normal",
                     .total_rows = -1,
                     .queued_at = NOW,
                     .run_after = NOW,
                     .max_attempts = 3,
                     .idempotency_key = "key"};
    return job;
}

/* The value of a key as JSON text. */
static const char *value(json_object *object, const char *key)
{
    json_object *member = NULL;

    if (!json_object_object_get_ex(object, key, &member)) {
        fail_msg("no key %s", key);
    }
    return member ? json_object_to_json_string_ext(member, JSON_C_TO_STRING_PLAIN) : "null";
}

static void test_keys(void **state)
{
    static const char *const keys[] = {"batch_id",
                                       "user_name",
                                       "filename",
                                       "file_size",
                                       "file_sha256",
                                       "stored_host",
                                       "import_type",
                                       "dry_run",
                                       "status",
                                       "priority",
                                       "notes",
                                       "tags",
                                       "options",
                                       "total_rows",
                                       "processed_rows",
                                       "imported_rows",
                                       "failed_rows",
                                       "skipped_rows",
                                       "readings_new",
                                       "readings_changed",
                                       "readings_unchanged",
                                       "bytes_done",
                                       "queued_at",
                                       "run_after",
                                       "started_at",
                                       "completed_at",
                                       "attempts",
                                       "max_attempts",
                                       "claims",
                                       "worker",
                                       "lease_until",
                                       "cancel_requested",
                                       "undo_requested",
                                       "checkpoint",
                                       "error_message",
                                       "summary",
                                       "parent_batch_id",
                                       "undone_at",
                                       "undone_by",
                                       "progress_percent",
                                       "rows_per_second",
                                       "eta_seconds"};
    ecl_job_t job = example(ECL_JOB_QUEUED);
    json_object *object = ecl_job_json(&job, NOW);
    size_t n = 0;

    (void)state;
    json_object_object_foreach(object, key, member)
    {
        (void)member;
        assert_true(n < sizeof keys / sizeof keys[0]);
        assert_string_equal(key, keys[n]);
        n++;
    }
    assert_int_equal(n, sizeof keys / sizeof keys[0]);
    json_object_put(object);
}

static void test_values(void **state)
{
    ecl_job_t job = example(ECL_JOB_QUEUED);
    json_object *object;

    (void)state;
    job.filename = "\"<\xC3\xA9>\".csv";
    job.tags = "a, b";
    job.dry_run = 1;
    job.options = json_tokener_parse("{\"a\":1}");
    job.summary = json_tokener_parse("{\"total\":12345.10}");
    job.undone_at = NOW + 7000;
    object = ecl_job_json(&job, NOW);
    json_object_put(job.options);
    json_object_put(job.summary);
    assert_string_equal(json_object_get_string(json_object_object_get(object, "filename")),
                        job.filename);
    assert_string_equal(value(object, "tags"), "\"a, b\"");
    assert_string_equal(value(object, "dry_run"), "true");
    assert_string_equal(value(object, "cancel_requested"), "false");
    assert_string_equal(value(object, "undo_requested"), "false");
    assert_string_equal(value(object, "status"), "\"queued\"");
    assert_string_equal(value(object, "options"), "{\"a\":1}");
    assert_string_equal(value(object, "summary"), "{\"total\":12345.10}");
    assert_string_equal(value(object, "file_size"), "1000");
    assert_string_equal(value(object, "queued_at"), "\"2026-03-29T00:30:00.000Z\"");
    assert_string_equal(value(object, "undone_at"), "\"2026-03-29T00:30:00.007Z\"");
    assert_string_equal(value(object, "started_at"), "null");
    assert_string_equal(value(object, "lease_until"), "null");
    assert_string_equal(value(object, "notes"), "null");
    assert_string_equal(value(object, "total_rows"), "null");
    assert_string_equal(value(object, "progress_percent"), "null");
    assert_string_equal(value(object, "rows_per_second"), "null");
    assert_string_equal(value(object, "eta_seconds"), "null");
    json_object_put(object);
}

/* What is printed is what json-c would print. */
static void assert_printed(const ecl_job_t *job)
{
    json_object *object = ecl_job_json(job, NOW);
    struct printbuf *printed = printbuf_new();

    ecl_job_print(job, NOW, printed);
    assert_string_equal(printed->buf,
                        json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                                   JSON_C_TO_STRING_NOSLASHESCAPE));
    printbuf_free(printed);
    json_object_put(object);
}

static void test_printed(void **state)
{
    ecl_job_t job = example(ECL_JOB_QUEUED);
    char all[128];

    (void)state;
    for (int i = 1; i < 128; i++) {
        all[i - 1] = (char)i;
    }
    all[127] = '\0';
    assert_printed(&job);
    job.filename = all;
    job.notes = "\xC3\xA9\xE2\x82\xAC/\n\\\n";
    job.tags = "";
    job.dry_run = 1;
    job.options = json_tokener_parse("{\"a\":\"b/c\"}");
    job.summary = json_tokener_parse("{\"total\":12345.10}");
    job.undone_at = NOW + 7000;
    assert_printed(&job);
    json_object_put(job.options);
    json_object_put(job.summary);
    job.options = job.summary = NULL;
    job.summary_text = "{\"total\":12345.10}";
    assert_printed(&job);

    job = example(ECL_JOB_PROCESSING);
    job.started_at = NOW;
    job.total_rows = 1000;
    job.processed_rows = 417;
    assert_printed(&job);
    job.attempt_started_at = NOW - 1500000;
    job.lease_until = NOW + apr_time_from_sec(ECL_LEASE_SECONDS);
    assert_printed(&job);
}

static void assert_percent(const ecl_job_t *job, const char *expected)
{
    json_object *object = ecl_job_json(job, NOW);

    assert_string_equal(value(object, "progress_percent"), expected);
    json_object_put(object);
}

static void test_percent(void **state)
{
    static const struct {
        apr_int64_t total, processed;
        const char *percent;
    } cases[] = {{1000, 0, "0"},
                 {1000, 417, "41.7"},
                 {1000, 420, "42"},
                 {3, 1, "33.3"},
                 {3, 2, "66.6"}, /* down */
                 {1000000, 999999, "99.9"},
                 {1000, 1000, "99.9"}, /* all read, but not completed */
                 {1000, 2000, "99.9"},
                 {0, 0, "0"},
                 {-1, 5, "25"}, /* not counted: by bytes */
                 {APR_INT64_C(9000000000000), APR_INT64_C(4500000000000), "50"}};
    ecl_job_t job = example(ECL_JOB_PROCESSING);

    (void)state;
    job.started_at = NOW;
    job.bytes_done = 250;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        job.total_rows = cases[i].total;
        job.processed_rows = cases[i].processed;
        assert_percent(&job, cases[i].percent);
    }
    job.total_rows = -1;
    job.file_size = 0;
    assert_percent(&job, "0");

    job = example(ECL_JOB_COMPLETED);
    assert_percent(&job, "100"); /* an empty file, too */
    job = example(ECL_JOB_FAILED);
    job.started_at = NOW;
    job.total_rows = job.processed_rows = 10;
    assert_percent(&job, "99.9");
    job = example(ECL_JOB_CANCELLED); /* before it started */
    assert_percent(&job, "null");
}

static void assert_rate(const ecl_job_t *job, apr_time_t now, const char *rate, const char *eta)
{
    json_object *object = ecl_job_json(job, now);

    assert_string_equal(value(object, "rows_per_second"), rate);
    assert_string_equal(value(object, "eta_seconds"), eta);
    json_object_put(object);
}

static void test_rate(void **state)
{
    ecl_job_t job = example(ECL_JOB_PROCESSING);

    (void)state;
    job.started_at = NOW - 100 * SECOND;
    job.total_rows = 3000;
    job.attempt_started_at = NOW - 4 * SECOND;
    job.attempt_started_rows = 1000; /* an earlier attempt's are not this one's speed */
    job.processed_rows = 1000;
    job.lease_until = job.attempt_started_at + ECL_LEASE_SECONDS * SECOND;
    assert_rate(&job, NOW, "null", "null");
    job.processed_rows = 2000; /* the last batch was 4 s after the attempt began */
    job.lease_until += 4 * SECOND;
    assert_rate(&job, NOW, "250", "4");
    assert_rate(&job, NOW + 20 * SECOND, "250", "4"); /* nothing has changed: nor has the ETag */
    assert_rate(&job, NOW + ECL_LEASE_SECONDS * SECOND, "null", "null"); /* not heard of */
    job.processed_rows = 1003;
    assert_rate(&job, NOW, "0.7", "2663");
    job.total_rows = -1;
    assert_rate(&job, NOW, "0.7", "null");
    job.total_rows = 3000;
    job.cancel_requested = 1;
    assert_rate(&job, NOW, "null", "null");

    job.cancel_requested = 0;
    job.status = ECL_JOB_COMPLETED;
    job.lease_until = 0;
    job.processed_rows = 3000;
    job.completed_at = job.attempt_started_at + 8 * SECOND;
    assert_rate(&job, NOW, "250", "null");
    job.status = ECL_JOB_FAILED;
    assert_rate(&job, NOW, "250", "null");
    job.status = ECL_JOB_CANCELLED;
    assert_rate(&job, NOW, "null", "null");
    job.status = ECL_JOB_COMPLETED;
    job.completed_at = job.attempt_started_at - SECOND; /* the clock was put back */
    assert_rate(&job, NOW, "null", "null");

    job = example(ECL_JOB_PROCESSING); /* large figures */
    job.attempt_started_at = NOW - 1000000 * SECOND;
    job.lease_until = NOW + ECL_LEASE_SECONDS * SECOND;
    job.total_rows = APR_INT64_C(1000000000000);
    job.processed_rows = 1000000;
    assert_rate(&job, NOW, "1", "999999000000");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),    cmocka_unit_test(test_values),
        cmocka_unit_test(test_printed), cmocka_unit_test(test_percent),
        cmocka_unit_test(test_rate),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
