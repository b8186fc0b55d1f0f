/* Row errors: kept, paged, grouped; and the list of workers. */
#include "jobs_fixture.h"

static const char *text(json_object *object, const char *key)
{
    return json_object_get_string(json_object_object_get(object, key));
}

static apr_int64_t number(json_object *object, const char *key)
{
    return json_object_get_int64(json_object_object_get(object, key));
}

static ecl_job_t *importing(fixture_t *f)
{
    new_job(f, "a.csv");
    return claim_one(f, "host:1", ECL_WORK_IMPORT);
}

static void test_errors_and_paging(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *other = importing(f), *job = importing(f);
    ecl_row_error_t errors[25];
    json_object *page, *error;
    apr_int64_t after = 0, next;
    int seen = 0;

    for (int i = 0; i < 25; i++) {
        errors[i] = (ecl_row_error_t){i + 2,
                                      i % 2 ? "HH01" : NULL,
                                      "bad-value",
                                      "\"£\" is not a number",
                                      "1,\"£\",%s,'x';--",
                                      i % 2 ? " more" : NULL};
    }
    OK(ecl_job_add_errors(f->conn, job, errors, 20, &f->result));
    OK(ecl_job_add_errors(f->conn, other, errors, 3, &f->result));
    OK(ecl_job_add_errors(f->conn, job, errors + 20, 5, &f->result));
    OK(ecl_job_add_errors(f->conn, job, NULL, 0, &f->result));

    do {
        OK(ecl_job_errors(f->conn, job->id, after, 10, f->p, &page, &next, &f->result));
        assert_int_equal(json_object_array_length(page), seen < 20 ? 10 : 5);
        for (size_t i = 0; i < json_object_array_length(page); i++) {
            error = json_object_array_get_idx(page, i);
            assert_int_equal(number(error, "line"), seen + 2);
            if (seen % 2) {
                assert_string_equal(text(error, "column"), "HH01");
                assert_string_equal(text(error, "added"), " more");
            } else {
                assert_null(text(error, "column"));
                assert_false(json_object_object_get_ex(error, "added", NULL));
            }
            assert_string_equal(text(error, "code"), "bad-value");
            assert_string_equal(text(error, "message"), "\"£\" is not a number");
            assert_string_equal(text(error, "raw"), "1,\"£\",%s,'x';--");
            assert_int_equal(json_object_object_length(error), seen % 2 ? 6 : 5);
            seen++;
        }
        json_object_put(page);
        after = next;
    } while (next);
    assert_int_equal(seen, 25);
}

/* When the last page is full there is no empty one after it. */
static void test_page_that_just_fits(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = importing(f);
    ecl_row_error_t errors[2] = {{1, NULL, "a", "b", "c", NULL}, {2, NULL, "a", "b", "c", NULL}};
    json_object *page;
    apr_int64_t next = 1;

    OK(ecl_job_add_errors(f->conn, job, errors, 2, &f->result));
    OK(ecl_job_errors(f->conn, job->id, 0, 2, f->p, &page, &next, &f->result));
    assert_int_equal(next, 0);
    json_object_put(page);
    FAILS(ecl_job_errors(f->conn, job->id, 0, 0, f->p, &page, &next, &f->result), ECL_EINPUT,
          "bad-limit");
    FAILS(ecl_job_errors(f->conn, job->id, 0, 1001, f->p, &page, &next, &f->result), ECL_EINPUT,
          "bad-limit");
    OK(ecl_job_errors(f->conn, 999, 0, 1000, f->p, &page, &next, &f->result));
    assert_int_equal(json_object_array_length(page), 0);
    json_object_put(page);
}

static void test_groups(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = importing(f), *other = importing(f);
    ecl_row_error_t errors[] = {{2, "Date", "bad-date", "first date", "", NULL},
                                {3, "HH01", "bad-value", "first value", "", NULL},
                                {4, "HH02", "bad-value", "other value", "", NULL},
                                {5, "HH01", "bad-value", "second value", "", NULL},
                                {6, NULL, "short-row", "first short", "", NULL},
                                {7, NULL, "short-row", "second short", "", NULL},
                                {8, "HH01", "bad-value", "third value", "", NULL}};
    static const struct {
        const char *code, *column, *example;
        int count, line;
    } expected[] = {{"bad-value", "HH01", "first value", 3, 3},
                    {"short-row", NULL, "first short", 2, 6},
                    {"bad-date", "Date", "first date", 1, 2},
                    {"bad-value", "HH02", "other value", 1, 4}};
    json_object *groups;

    OK(ecl_job_add_errors(f->conn, job, errors, 7, &f->result));
    OK(ecl_job_add_errors(f->conn, other, errors, 1, &f->result));
    OK(ecl_job_error_groups(f->conn, job->id, f->p, &groups, &f->result));
    assert_int_equal(json_object_array_length(groups), 4);
    for (size_t i = 0; i < 4; i++) {
        json_object *group = json_object_array_get_idx(groups, i);

        assert_string_equal(text(group, "code"), expected[i].code);
        if (expected[i].column) {
            assert_string_equal(text(group, "column"), expected[i].column);
        } else {
            assert_null(text(group, "column"));
        }
        assert_string_equal(text(group, "example"), expected[i].example);
        assert_int_equal(number(group, "count"), expected[i].count);
        assert_int_equal(number(group, "first_line"), expected[i].line);
    }
    json_object_put(groups);
}

static void test_groups_are_few(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = importing(f);
    json_object *groups;

    for (int i = 0; i < 60; i++) {
        ecl_row_error_t error = {i + 1, apr_itoa(f->p, i), "bad-value", "x", "x", NULL};

        OK(ecl_job_add_errors(f->conn, job, &error, 1, &f->result));
    }
    OK(ecl_job_error_groups(f->conn, job->id, f->p, &groups, &f->result));
    assert_int_equal(json_object_array_length(groups), 50);
    json_object_put(groups);
}

/* Errors are part of their batch. */
static void test_errors_roll_back(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = importing(f);
    ecl_row_error_t error = {1, NULL, "a", "b", "c", NULL};

    OK(ecl_db_begin(f->conn, &f->result));
    OK(ecl_job_add_errors(f->conn, job, &error, 1, &f->result));
    ecl_db_rollback(f->conn);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_errors"), 0);
}

static void test_workers(void **state)
{
    fixture_t *f = *state;
    ecl_worker_t *workers;
    apr_time_t started_at;
    int count;

    OK(ecl_workers_alive(f->conn, 30, f->p, &workers, &count, &f->result));
    assert_int_equal(count, 0);
    OK(ecl_worker_beat(f->conn, "fe80::1:17", NULL, NULL, &f->result));
    OK(ecl_worker_beat(f->conn, "b.example:18", NULL, "some-job", &f->result));
    OK(ecl_workers_alive(f->conn, 30, f->p, &workers, &count, &f->result));
    assert_int_equal(count, 2);
    assert_string_equal(workers[0].name, "fe80::1:17");
    assert_string_equal(workers[0].host, "fe80::1");
    assert_int_equal(workers[0].pid, 17);
    assert_null(workers[0].batch_id);
    assert_string_equal(workers[1].batch_id, "some-job");
    started_at = workers[0].started_at;
    assert_true(started_at > 0);
    assert_int_equal(workers[0].heartbeat_at, started_at);

    sql(f, "UPDATE import_workers SET heartbeat_at = heartbeat_at - 31000000");
    OK(ecl_workers_alive(f->conn, 30, f->p, &workers, &count, &f->result));
    assert_int_equal(count, 0);
    OK(ecl_worker_beat(f->conn, "fe80::1:17", NULL, "other-job", &f->result));
    OK(ecl_workers_alive(f->conn, 30, f->p, &workers, &count, &f->result));
    assert_int_equal(count, 1);
    assert_int_equal(workers[0].started_at, started_at);
    assert_string_equal(workers[0].batch_id, "other-job");

    /* long silent: another process that got the same number */
    sql(f, "UPDATE import_workers SET heartbeat_at = 1, started_at = 1");
    OK(ecl_worker_beat(f->conn, "fe80::1:17", NULL, NULL, &f->result));
    OK(ecl_workers_alive(f->conn, 30, f->p, &workers, &count, &f->result));
    assert_true(workers[0].started_at >= started_at);

    OK(ecl_worker_gone(f->conn, "fe80::1:17", &f->result));
    OK(ecl_worker_gone(f->conn, "fe80::1:17", &f->result));
    OK(ecl_workers_alive(f->conn, 30, f->p, &workers, &count, &f->result));
    assert_int_equal(count, 0);
    FAILS(ecl_worker_beat(f->conn, "host", NULL, NULL, &f->result), ECL_EINPUT, "bad-worker-name");
    FAILS(ecl_worker_beat(f->conn, ":1", NULL, NULL, &f->result), ECL_EINPUT, "bad-worker-name");
    FAILS(ecl_worker_beat(f->conn, "host:x", NULL, NULL, &f->result), ECL_EINPUT,
          "bad-worker-name");
}

static void test_a_dead_worker_is_buried_once(void **state)
{
    fixture_t *f = *state;
    ecl_worker_t *workers;
    ecl_job_t *job = new_job(f, "a.csv");
    int count, is_buried;

    OK(ecl_worker_beat(f->conn, "host:1", "boot 7", NULL, &f->result));
    claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_workers_alive(f->conn, 30, f->p, &workers, &count, &f->result));
    assert_string_equal(workers[0].process, "boot 7");

    /* another process has got the pid meanwhile, and so the name */
    OK(ecl_worker_beat(f->conn, "host:1", "boot 9", NULL, &f->result));
    OK(ecl_worker_bury(f->conn, &workers[0], "it is gone", &is_buried, &f->result));
    assert_int_equal(is_buried, 0);
    assert_int_equal(get(f, job)->status, ECL_JOB_PROCESSING);
    OK(ecl_worker_beat(f->conn, "host:1", "boot 7", NULL, &f->result));

    OK(ecl_worker_bury(f->conn, &workers[0], "it is gone", &is_buried, &f->result));
    assert_int_equal(is_buried, 1);
    assert_int_equal(get(f, job)->status, ECL_JOB_QUEUED);
    assert_string_equal(get(f, job)->error_message, "it is gone");
    OK(ecl_workers_alive(f->conn, 30, f->p, &workers, &count, &f->result));
    assert_int_equal(count, 0);
    claim_one(f, "host:2", ECL_WORK_IMPORT); /* at once */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_errors_and_paging),
        TEST(test_page_that_just_fits),
        TEST(test_groups),
        TEST(test_groups_are_few),
        TEST(test_errors_roll_back),
        TEST(test_workers),
        TEST(test_a_dead_worker_is_buried_once),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
