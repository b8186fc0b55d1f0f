/* Jobs: created, found, listed, counted, shown. */
#include "jobs_fixture.h"

static void test_status_names(void **state)
{
    static const char *const names[] = {"queued", "processing", "completed", "failed", "cancelled"};
    ecl_job_status_t status = ECL_JOB_QUEUED;

    (void)state;
    for (int i = 0; i < ECL_JOB_STATUSES; i++) {
        assert_string_equal(ecl_job_status_name((ecl_job_status_t)i), names[i]);
        assert_true(ecl_job_status_parse(names[i], &status));
        assert_int_equal(status, i);
    }
    assert_false(ecl_job_status_parse("Queued", &status));
    assert_false(ecl_job_status_parse("", &status));
    assert_false(ecl_job_status_parse(NULL, &status));
}

static void test_uuid(void **state)
{
    static const char *const wrong[] = {"",
                                        "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5",
                                        "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f0",
                                        "6F1C2D3E-4A5B-4C6D-8E7F-0A1B2C3D4E5F",
                                        "6f1c2d3e04a5b-4c6d-8e7f-0a1b2c3d4e5f",
                                        "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5g",
                                        "../../../../../../../../../etc/passwd",
                                        "------------------------------------"};
    fixture_t *f = *state;
    const char *a = ecl_job_uuid(f->p), *b = ecl_job_uuid(f->p);

    assert_true(ecl_job_is_uuid(a));
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_string_not_equal(a, b);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(ecl_job_is_uuid(wrong[i]));
    }
    assert_false(ecl_job_is_uuid(NULL));
}

static void test_create(void **state)
{
    fixture_t *f = *state;
    json_object *options = json_tokener_parse("{\"a\": [1, \"%s '\\\"\"]}");
    ecl_job_new_t wanted = {.batch_id = "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
                            .user_name = "Zoë",
                            .filename = "O'Brien \"50%s\" <b>.csv",
                            .stored_name = "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
                            .file_size = APR_INT64_C(5000000000),
                            .file_sha256 = "ab12",
                            .import_type = "hh",
                            .dry_run = 7,
                            .priority = "low",
                            .notes = "two\nlines",
                            .tags = "a, b",
                            .options = options,
                            .run_after = apr_time_now() + 1000000,
                            .parent_batch_id = "7f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f",
                            .idempotency_key = "k"};
    apr_time_t before = apr_time_now();
    ecl_job_t *job = get(f, create(f, &wanted));

    json_object_put(options);
    assert_string_equal(job->batch_id, wanted.batch_id);
    assert_string_equal(job->user_name, wanted.user_name);
    assert_string_equal(job->filename, wanted.filename);
    assert_string_equal(job->stored_name, wanted.stored_name);
    assert_int_equal(job->file_size, wanted.file_size);
    assert_string_equal(job->file_sha256, "ab12");
    assert_string_equal(job->import_type, "hh");
    assert_int_equal(job->dry_run, 1);
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_string_equal(job->priority, "low");
    assert_string_equal(job->notes, "two\nlines");
    assert_string_equal(job->tags, "a, b");
    assert_string_equal(json_object_to_json_string_ext(job->options, JSON_C_TO_STRING_PLAIN),
                        "{\"a\":[1,\"%s '\\\"\"]}");
    assert_int_equal(job->run_after, wanted.run_after);
    assert_true(job->queued_at >= before && job->queued_at <= apr_time_now());
    assert_string_equal(job->parent_batch_id, wanted.parent_batch_id);
    assert_string_equal(job->idempotency_key, "k");
}

static void test_create_defaults(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t wanted = {.run_after = 5};
    ecl_job_t *job = create(f, &wanted);

    assert_true(ecl_job_is_uuid(job->batch_id));
    assert_string_equal(job->user_name, "");
    assert_string_equal(job->filename, "");
    assert_null(job->stored_name);
    assert_string_equal(job->import_type, "auto");
    assert_string_equal(job->priority, "normal");
    assert_int_equal(job->dry_run, 0);
    assert_int_equal(job->total_rows, -1);
    assert_int_equal(job->run_after, job->queued_at); /* a time that has passed is now */
    assert_int_equal(job->started_at, 0);
    assert_int_equal(job->completed_at, 0);
    assert_int_equal(job->attempts, 0);
    assert_int_equal(job->max_attempts, 3);
    assert_int_equal(job->claims, 0);
    assert_null(job->notes);
    assert_null(job->options);
    assert_null(job->summary);
    assert_null(job->idempotency_key);
}

static const char *repeat(fixture_t *f, char c, size_t n)
{
    char *text = apr_palloc(f->p, n + 1);

    memset(text, c, n);
    text[n] = '\0';
    return text;
}

static void test_create_refuses(void **state)
{
    fixture_t *f = *state;
    const ecl_job_new_t fine = {.user_name = repeat(f, 'u', 400),
                                .filename = repeat(f, 'f', 400),
                                .notes = repeat(f, 'n', 4000),
                                .tags = repeat(f, 't', 400),
                                .idempotency_key = repeat(f, 'k', 200)};
    const struct {
        ecl_job_new_t job;
        const char *code, *words;
    } wrong[] = {
        {{.user_name = repeat(f, 'u', 401)}, "text-too-long", "user name is 401 bytes"},
        {{.filename = repeat(f, 'f', 401)}, "text-too-long", "file name is 401 bytes"},
        {{.notes = repeat(f, 'n', 4001)}, "text-too-long", "notes is 4001 bytes"},
        {{.tags = repeat(f, 't', 401)}, "text-too-long", "tags is 401 bytes"},
        {{.idempotency_key = repeat(f, 'k', 201)}, "text-too-long", "at most 200"},
        {{.filename = "caf\xE9.csv"}, "text-not-utf8", "file name"},
        {{.user_name = "\xFF"}, "text-not-utf8", "user name"},
        {{.notes = "\xED\xA0\x80"}, "text-not-utf8", "notes"},
        {{.tags = "\xC0\xAF"}, "text-not-utf8", "tags"},
        {{.idempotency_key = "\x80"}, "text-not-utf8", "idempotency key"},
        {{.import_type = "csv"}, "unknown-value", "\"csv\" is not known; it is one of: auto, hh, "},
        {{.import_type = ""}, "unknown-value", "import type"},
        {{.priority = "urgent"}, "unknown-value", "one of: low, normal, high"},
        {{.priority = "\xE9"}, "text-not-utf8", "priority"},
    };
    ecl_job_t *job;

    create(f, &fine);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        FAILS(ecl_job_create(f->conn, &wrong[i].job, f->p, &job, &f->result), ECL_EINPUT,
              wrong[i].code);
        assert_non_null(strstr(f->result.detail, wrong[i].words));
        assert_null(job);
    }
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs"), 1);
}

/* What is not set yet is not wrong yet. */
static void test_check_before_the_file_is_there(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t job = {.idempotency_key = "k"};

    OK(ecl_job_check_new(&job, &f->result));
    job.priority = "";
    FAILS(ecl_job_check_new(&job, &f->result), ECL_EINPUT, "unknown-value");
    job = (ecl_job_new_t){.import_type = "daily", .priority = "low", .notes = "\xE9"};
    FAILS(ecl_job_check_new(&job, &f->result), ECL_EINPUT, "text-not-utf8");
}

static void test_idempotency_key(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t wanted = {.user_name = "alice", .filename = "a.csv", .idempotency_key = "k1"};
    ecl_job_t *first = create(f, &wanted), *again;

    FAILS(ecl_job_create(f->conn, &wanted, f->p, &again, &f->result), ECL_ECONFLICT,
          "idempotency-key-used");
    assert_string_equal(again->batch_id, first->batch_id);
    OK(ecl_job_by_key(f->conn, "alice", "k1", f->p, &again, &f->result));
    assert_string_equal(again->batch_id, first->batch_id);
    OK(ecl_job_by_key(f->conn, "alice", "k2", f->p, &again, &f->result));
    assert_null(again);
    OK(ecl_job_by_key(f->conn, "bob", "k1", f->p, &again, &f->result));
    assert_null(again);

    wanted.user_name = "bob"; /* everybody has keys of their own */
    create(f, &wanted);
    wanted.user_name = NULL;
    create(f, &wanted);
    FAILS(ecl_job_create(f->conn, &wanted, f->p, &again, &f->result), ECL_ECONFLICT,
          "idempotency-key-used");
    OK(ecl_job_by_key(f->conn, NULL, "k1", f->p, &again, &f->result));
    assert_non_null(again);
    wanted.idempotency_key = NULL; /* and without one there is no limit */
    create(f, &wanted);
    create(f, &wanted);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs"), 5);
}

static void test_get_unknown(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job;

    FAILS(ecl_job_get(f->conn, "' OR 1=1", f->p, &job, &f->result), ECL_ENOTFOUND, "job-not-found");
    assert_null(job);
}

static void test_unreadable_record(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = new_job(f, "a.csv");

    sql(f, "UPDATE import_jobs SET summary = '{\"a\":'");
    FAILS(ecl_job_get(f->conn, job->batch_id, f->p, &job, &f->result), APR_EGENERAL,
          "job-unreadable");
    sql(f, "UPDATE import_jobs SET summary = NULL, options = '[1]'");
    job = NULL;
    FAILS(ecl_job_list(f->conn, &(ecl_job_filter_t){.limit = 1}, f->p, &(ecl_job_page_t){0},
                       &f->result),
          APR_EGENERAL, "job-unreadable");
}

static void test_same_file(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t wanted = {.filename = "a.csv", .file_sha256 = "aa"};
    ecl_job_t *first, *second, *dry, *other, *found;

    first = create(f, &wanted);
    OK(ecl_job_same_file(f->conn, "aa", NULL, f->p, &found, &f->result));
    assert_null(found); /* not imported yet */
    force(f, first, ECL_JOB_COMPLETED);
    second = create(f, &wanted);
    OK(ecl_job_same_file(f->conn, "aa", second->batch_id, f->p, &found, &f->result));
    assert_string_equal(found->batch_id, first->batch_id);
    force(f, second, ECL_JOB_COMPLETED);
    wanted.dry_run = 1;
    dry = create(f, &wanted);
    force(f, dry, ECL_JOB_COMPLETED);
    wanted = (ecl_job_new_t){.filename = "a.csv", .file_sha256 = "bb"};
    other = create(f, &wanted);
    force(f, other, ECL_JOB_COMPLETED);

    OK(ecl_job_same_file(f->conn, "aa", NULL, f->p, &found, &f->result));
    assert_string_equal(found->batch_id, second->batch_id);
    OK(ecl_job_same_file(f->conn, "aa", second->batch_id, f->p, &found, &f->result));
    assert_string_equal(found->batch_id, first->batch_id);
    sql(f, "UPDATE import_jobs SET undo_requested = 1 WHERE id = %d", (int)second->id);
    sql(f, "UPDATE import_jobs SET undone_at = 1 WHERE id = %d", (int)first->id);
    OK(ecl_job_same_file(f->conn, "aa", NULL, f->p, &found, &f->result));
    assert_null(found);
}

static void test_followers(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *parent = new_job(f, "a.csv"), *first, *second, **found;
    ecl_job_new_t wanted = {.filename = "b.csv", .parent_batch_id = parent->batch_id};
    int count;

    OK(ecl_job_followers(f->conn, parent->batch_id, f->p, &found, &count, &f->result));
    assert_int_equal(count, 0);
    first = create(f, &wanted);
    second = create(f, &wanted);
    OK(ecl_job_followers(f->conn, parent->batch_id, f->p, &found, &count, &f->result));
    assert_int_equal(count, 2);
    assert_string_equal(found[0]->batch_id, first->batch_id);
    assert_string_equal(found[1]->batch_id, second->batch_id);
    OK(ecl_job_followers(f->conn, first->batch_id, f->p, &found, &count, &f->result));
    assert_int_equal(count, 0);
}

static ecl_job_t *completed(fixture_t *f, const ecl_job_new_t *wanted, int unchanged)
{
    ecl_job_t *job = create(f, wanted);

    force(f, job, ECL_JOB_COMPLETED);
    sql(f, "UPDATE import_jobs SET readings_unchanged = %d WHERE id = %d", unchanged, (int)job->id);
    return job;
}

static void test_what_would_go_with_an_undo(void **state)
{
    fixture_t *f = *state;
    const ecl_job_new_t wanted = {.filename = "a.csv", .file_sha256 = "aa"};
    const ecl_job_new_t dry = {.filename = "a.csv", .file_sha256 = "aa", .dry_run = 1};
    const ecl_job_new_t other = {.filename = "a.csv", .file_sha256 = "bb"};
    apr_int64_t count, readings;
    ecl_job_t *first, *second;

    completed(f, &wanted, 7); /* an earlier one says nothing */
    first = completed(f, &wanted, 0);
    OK(ecl_job_relied_on(f->conn, first, &count, &readings, &f->result));
    assert_int_equal(count, 0);
    assert_int_equal(readings, 0);
    completed(f, &dry, 99);
    completed(f, &other, 99);
    completed(f, &wanted, 0); /* all had been undone */
    completed(f, &wanted, 30);
    second = completed(f, &wanted, 48);
    OK(ecl_job_relied_on(f->conn, first, &count, &readings, &f->result));
    assert_int_equal(count, 2);
    assert_int_equal(readings, 48);
    sql(f, "UPDATE import_jobs SET undone_at = 1 WHERE id = %d", (int)second->id);
    OK(ecl_job_relied_on(f->conn, first, &count, &readings, &f->result));
    assert_int_equal(count, 1);
    assert_int_equal(readings, 30);
}

static ecl_job_page_t list(fixture_t *f, const char *status, const char *q, int limit,
                           const char *before)
{
    ecl_job_filter_t filter = {.q = q, .limit = limit, .before = before};
    ecl_job_page_t page;

    filter.has_status = ecl_job_status_parse(status, &filter.status);
    OK(ecl_job_list(f->conn, &filter, f->p, &page, &f->result));
    return page;
}

static void test_list_pages(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *jobs[7];
    ecl_job_page_t page = list(f, NULL, NULL, 3, NULL);

    assert_int_equal(page.count, 0);
    assert_null(page.next);
    for (int i = 0; i < 7; i++) {
        jobs[i] = new_job(f, "a.csv");
    }
    page = list(f, NULL, NULL, 3, NULL);
    assert_int_equal(page.count, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(page.jobs[i]->batch_id, jobs[6 - i]->batch_id);
    }
    /* jobs that arrive meanwhile do not shift what follows */
    new_job(f, "new.csv");
    new_job(f, "new.csv");
    page = list(f, NULL, NULL, 3, page.next);
    assert_int_equal(page.count, 3);
    assert_string_equal(page.jobs[0]->batch_id, jobs[3]->batch_id);
    assert_string_equal(page.next, jobs[1]->batch_id);
    page = list(f, NULL, NULL, 3, page.next);
    assert_int_equal(page.count, 1);
    assert_null(page.next);
    page = list(f, NULL, NULL, 3, jobs[3]->batch_id); /* the last page just fits */
    assert_int_equal(page.count, 3);
    assert_null(page.next);
}

static void test_list_filters(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *queued = new_job(f, "march.csv"), *failed = new_job(f, "march.csv");
    ecl_job_page_t page;

    force(f, new_job(f, "april.csv"), ECL_JOB_FAILED);
    force(f, failed, ECL_JOB_FAILED);
    assert_int_equal(list(f, "failed", NULL, 10, NULL).count, 2);
    assert_int_equal(list(f, "queued", "", 10, NULL).count, 1);
    assert_int_equal(list(f, "cancelled", NULL, 10, NULL).count, 0);
    assert_int_equal(list(f, NULL, "march", 10, NULL).count, 2);
    page = list(f, "failed", "march", 10, NULL);
    assert_int_equal(page.count, 1);
    assert_string_equal(page.jobs[0]->batch_id, failed->batch_id);
    page = list(f, NULL, "march", 1, failed->batch_id);
    assert_int_equal(page.count, 1);
    assert_string_equal(page.jobs[0]->batch_id, queued->batch_id);
    page = list(f, "failed", NULL, 1, NULL);
    assert_non_null(page.next);
    page = list(f, "failed", NULL, 1, page.next);
    assert_string_equal(page.jobs[0]->batch_id, failed->batch_id);
    assert_null(page.next);
}

static void test_search(void **state)
{
    static const struct {
        const char *q;
        int count;
    } cases[] = {{"HH_March", 1},  {"hh_march", 1},   {"hhxmarch", 1}, {"%", 1},     {"50%", 1},
                 {"_", 1},         {"\\", 1},         {"alice", 2},    {"ALICE", 2}, {"Bob", 1},
                 {"supplier", 1},  {"Supplier X", 1}, {"zoë", 1},      {"'", 1},     {"a;--", 0},
                 {"6f1c2d3e-", 1}, {"6F1C2D3E", 1},   {"nowhere", 0},  {"%s", 0},    {".csv", 3}};
    fixture_t *f = *state;
    ecl_job_new_t jobs[] = {
        {.filename = "HH_March.csv", .user_name = "Alice"},
        {.filename = "hhxmarch 50%.csv", .user_name = "alice", .notes = "from Supplier X, O'Brien"},
        {.filename = "a\\b.csv",
         .user_name = "bob zoë",
         .batch_id = "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f"}};

    for (int i = 0; i < 3; i++) {
        if (!jobs[i].batch_id) {
            /* random ones could hold what is searched for */
            jobs[i].batch_id = apr_psprintf(f->p, "%08d-0000-4000-8000-000000000000", i);
        }
        create(f, &jobs[i]);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        apr_int64_t counts[ECL_JOB_STATUSES];

        if (list(f, NULL, cases[i].q, 10, NULL).count != cases[i].count) {
            fail_msg("\"%s\" finds %d", cases[i].q, list(f, NULL, cases[i].q, 10, NULL).count);
        }
        OK(ecl_job_counts(f->conn, cases[i].q, counts, &f->result));
        assert_int_equal(counts[ECL_JOB_QUEUED], cases[i].count);
    }
}

static void test_list_refuses(void **state)
{
    fixture_t *f = *state;
    ecl_job_filter_t filters[] = {{.limit = 0},
                                  {.limit = -1},
                                  {.limit = 201},
                                  {.limit = 1, .before = "6f1c2d3e-4a5b-4c6d-8e7f-0a1b2c3d4e5f"},
                                  {.limit = 1, .before = ""},
                                  {.limit = 1, .q = repeat(f, 'x', 201)},
                                  {.limit = 1, .q = "\xE9"}};
    static const char *const codes[] = {"bad-limit",  "bad-limit",     "bad-limit",    "bad-before",
                                        "bad-before", "text-too-long", "text-not-utf8"};
    apr_int64_t counts[ECL_JOB_STATUSES];
    ecl_job_page_t page;

    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        FAILS(ecl_job_list(f->conn, &filters[i], f->p, &page, &f->result), ECL_EINPUT, codes[i]);
    }
    FAILS(ecl_job_counts(f->conn, "\xE9", counts, &f->result), ECL_EINPUT, "text-not-utf8");
    list(f, NULL, repeat(f, '%', 200), 200, NULL);
}

static void test_counts(void **state)
{
    fixture_t *f = *state;
    apr_int64_t counts[ECL_JOB_STATUSES] = {9, 9, 9, 9, 9};

    OK(ecl_job_counts(f->conn, NULL, counts, &f->result));
    for (int i = 0; i < ECL_JOB_STATUSES; i++) {
        assert_int_equal(counts[i], 0);
        for (int n = 0; n <= i; n++) {
            force(f, new_job(f, n ? "a.csv" : "b.csv"), (ecl_job_status_t)i);
        }
    }
    OK(ecl_job_counts(f->conn, "", counts, &f->result));
    for (int i = 0; i < ECL_JOB_STATUSES; i++) {
        assert_int_equal(counts[i], i + 1);
    }
    OK(ecl_job_counts(f->conn, "A.CSV", counts, &f->result));
    for (int i = 0; i < ECL_JOB_STATUSES; i++) {
        assert_int_equal(counts[i], i);
    }
}

static void test_queue_state(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t later = {.filename = "l.csv", .run_after = apr_time_now() + 3600000000};
    ecl_queue_state_t queue;
    ecl_job_t *retried;

    OK(ecl_queue_state(f->conn, &queue, &f->result));
    assert_int_equal(queue.queued + queue.due + queue.processing + queue.oldest_due, 0);
    create(f, &later);
    force(f, new_job(f, "p.csv"), ECL_JOB_PROCESSING);
    force(f, new_job(f, "c.csv"), ECL_JOB_COMPLETED);
    OK(ecl_queue_state(f->conn, &queue, &f->result));
    assert_int_equal(queue.queued, 1);
    assert_int_equal(queue.due, 0);
    assert_int_equal(queue.processing, 1);
    assert_int_equal(queue.oldest_due, 0);

    /* it waits since it was queued again, not since it was uploaded */
    retried = new_job(f, "r.csv");
    sql(f, "UPDATE import_jobs SET queued_at = 5, run_after = 5, due_at = 700 WHERE id = %d",
        (int)retried->id);
    new_job(f, "q.csv");
    OK(ecl_queue_state(f->conn, &queue, &f->result));
    assert_int_equal(queue.queued, 3);
    assert_int_equal(queue.due, 2);
    assert_int_equal(queue.oldest_due, 700);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void lists_leave_previews_out(void **state)
{
    fixture_t *f = *state;
    const ecl_job_filter_t filter = {.limit = 5};
    const ecl_job_t *job = new_job(f, "a.csv");
    ecl_job_page_t page;
    ecl_job_t *looked;
    const char *preview;
    json_object *json;

    new_job(f, "b.csv");
    sql(f, "UPDATE import_jobs SET summary = '{\"days\":3}', preview = '[1]' WHERE id = %d",
        (int)job->id);
    OK(ecl_job_list(f->conn, &filter, f->p, &page, &f->result));
    assert_int_equal(page.count, 2);
    assert_null(page.jobs[0]->summary_text);
    assert_string_equal(page.jobs[1]->summary_text, "{\"days\":3}");
    json = ecl_job_json(page.jobs[1], 0);
    assert_non_null(strstr(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN),
                           "\"summary\":{\"days\":3},\"parent"));
    json_object_put(json);
    OK(ecl_job_look(f->conn, job->batch_id, f->p, &looked, &f->result));
    assert_null(looked->summary);
    assert_string_equal(looked->summary_text, "{\"days\":3,\"preview\":[1]}");
    assert_string_equal(json_object_to_json_string_ext(get(f, job)->summary, 0),
                        "{\"days\":3,\"preview\":[1]}");
    OK(ecl_job_get_apart(f->conn, job->batch_id, f->p, &looked, &preview, &f->result));
    assert_string_equal(json_object_to_json_string_ext(looked->summary, 0), "{\"days\":3}");
    assert_string_equal(preview, "[1]");
    OK(ecl_job_get_apart(f->conn, page.jobs[0]->batch_id, f->p, &looked, &preview, &f->result));
    assert_null(looked->summary);
    assert_null(preview);
    assert_int_equal(ecl_job_get_apart(f->conn, "no such job", f->p, &looked, &preview, &f->result),
                     ECL_ENOTFOUND);
    assert_null(looked);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_names),
        TEST(test_uuid),
        TEST(test_create),
        TEST(test_create_defaults),
        TEST(test_create_refuses),
        TEST(test_check_before_the_file_is_there),
        TEST(test_idempotency_key),
        TEST(test_get_unknown),
        TEST(test_unreadable_record),
        TEST(test_same_file),
        TEST(test_followers),
        TEST(test_what_would_go_with_an_undo),
        TEST(test_list_pages),
        TEST(test_list_filters),
        TEST(test_search),
        TEST(test_list_refuses),
        TEST(test_counts),
        TEST(test_queue_state),
        TEST(lists_leave_previews_out),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
