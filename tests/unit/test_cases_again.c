/* Cases 62 to 65: readings that are there already, and files with the same reading twice. Files are
 * read into a database. */
#include "cases.h"

#include <sqlite3.h>

#include "directory.h"
#include "lib/migrate.h"
#include "worker/store.h"

typedef struct again_t {
    char dir[64];
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    ecl_result_t result;
    ecl_store_counts_t counts; /* of the last file */
    ecl_store_change_t repeat; /* the last; day is not valid any more */
    apr_int64_t repeat_line;
    int repeats;
} again_t;

static void on_repeat(void *baton, const ecl_store_change_t *change)
{
    again_t *again = baton;

    again->repeats++;
    again->repeat = *change;
    again->repeat_line = change->day->line;
}

static again_t *open_again(void)
{
    again_t *again = apr_pcalloc(pool, sizeof(*again));

    again->result = ecl_result_make(pool);
    make_directory(again->dir, sizeof again->dir);
    assert_int_equal(
        ecl_db_open(&again->db, "sqlite3", JOIN(again->dir, "/test.db"), 1, pool, &again->result),
        APR_SUCCESS);
    assert_int_equal(ecl_db_acquire(&again->conn, again->db, &again->result), APR_SUCCESS);
    assert_int_equal(ecl_migrate_up(again->conn, NULL, &again->result), APR_SUCCESS);
    return again;
}

static void end_again(again_t *again)
{
    ecl_db_release(again->conn);
    remove_directory(again->dir);
}

/* Reads a text into the database as a job of its own. */
static void import_text(again_t *again, const char *text, int replace_actuals)
{
    sqlite3 *sqlite = ecl_db_native(again->conn);
    reading_t *r = read_text(text);
    ecl_store_options_t options = {
        .replace_actuals = replace_actuals,
        .events = {.baton = again, .on_repeat = on_repeat},
    };
    const ecl_meter_day_t *days = (const ecl_meter_day_t *)r->days->elts, **each;
    ecl_store_t *store;
    apr_pool_t *p;

    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(
        sqlite3_exec(sqlite,
                     "INSERT INTO import_jobs (batch_id, user_name, filename, file_size,"
                     " file_sha256, queued_at, run_after)"
                     " VALUES (hex(randomblob(16)), 'u', 'f.csv', 1, 'x', 1, 1)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    options.job_id = sqlite3_last_insert_rowid(sqlite);
    again->counts = (ecl_store_counts_t){0};
    again->repeats = 0;
    apr_pool_create(&p, pool);
    each = apr_palloc(p, (apr_size_t)r->days->nelts * sizeof *each);
    for (int i = 0; i < r->days->nelts; i++) {
        each[i] = &days[i];
    }
    assert_int_equal(ecl_store_open(&store, again->conn, &options, p, &again->result), APR_SUCCESS);
    assert_int_equal(ecl_db_begin(again->conn, &again->result), APR_SUCCESS);
    assert_int_equal(ecl_store_put(store, each, r->days->nelts, &again->counts, &again->result),
                     APR_SUCCESS);
    assert_int_equal(ecl_db_commit(again->conn, &again->result), APR_SUCCESS);
    apr_pool_destroy(p);
    end_reading(r);
}

/* The reading of the first half-hour that the database holds. */
static const char *stored(again_t *again)
{
    sqlite3_stmt *statement;
    const char *text;

    assert_int_equal(sqlite3_prepare_v2(ecl_db_native(again->conn),
                                        "SELECT reading_value || ' ' || reading_type"
                                        " FROM meter_readings WHERE period_number = 1",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    text = apr_pstrdup(pool, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return text;
}

#define FLAG_HEADER "MPAN,Timestamp,kWh,Status\n"

static void test_case_62_an_estimate_after_an_actual(void **state)
{
    again_t *again = open_again();

    (void)state;
    import_text(again, FLAG_HEADER MPAN ",2026-02-01 00:00,0.5,A\n", 0);
    import_text(again, FLAG_HEADER MPAN ",2026-02-01 00:00,0.75,E\n", 0);
    assert_int_equal(again->counts.readings_kept_estimated, 1);
    assert_string_equal(stored(again), "0.5 actual");
    import_text(again, FLAG_HEADER MPAN ",2026-02-01 00:00,0.75,E\n", 1);
    assert_int_equal(again->counts.readings_changed, 1);
    assert_string_equal(stored(again), "0.75 estimated");
    end_again(again);
}

static void test_case_63_the_same_file_twice(void **state)
{
    const char *text =
        JOIN(HH_HEADER, hh_row(MPAN, "2026-02-01", "0.5"), hh_row(MPAN, "2026-02-02", "0.5"));
    again_t *again = open_again();

    (void)state;
    import_text(again, text, 0);
    assert_int_equal(again->counts.readings_new, 96);
    import_text(again, text, 0);
    assert_int_equal(again->counts.readings_new, 0);
    assert_int_equal(again->counts.readings_changed, 0);
    assert_int_equal(again->counts.readings_unchanged, 96);
    end_again(again);
}

static void test_case_64_an_export_that_overlaps(void **state)
{
    const char *day = hh_row(MPAN, "2026-02-01", "0.5");
    again_t *again = open_again();

    (void)state;
    import_text(again, JOIN(HH_HEADER, day, hh_row(MPAN, "2026-02-02", "0.5"), day), 0);
    assert_int_equal(again->counts.readings_new, 96);
    assert_int_equal(again->counts.readings_repeated, 48);
    assert_int_equal(again->repeats, 0); /* none differs */
    end_again(again);
}

static void test_case_65_different_values_for_one_half_hour(void **state)
{
    again_t *again = open_again();

    (void)state;
    import_text(again,
                ROW_HEADER MPAN ",2026-02-01 00:00,0.5\n" MPAN ",2026-02-01 00:30,0.5\n" MPAN
                                ",2026-02-01 00:00,0.75\n",
                0);
    assert_string_equal(stored(again), "0.75 actual");
    assert_int_equal(again->repeats, 1);
    assert_int_equal(again->repeat.old_value, ECL_DECIMAL_ONE / 2);
    assert_int_equal(again->repeat.old_line, 2);
    assert_int_equal(again->repeat_line, 4);
    end_again(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_62_an_estimate_after_an_actual),
        cmocka_unit_test(test_case_63_the_same_file_twice),
        cmocka_unit_test(test_case_64_an_export_that_overlaps),
        cmocka_unit_test(test_case_65_different_values_for_one_half_hour),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
