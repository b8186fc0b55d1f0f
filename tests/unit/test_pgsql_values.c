/*
 * A day's values in PostgreSQL: what migration 0012 makes of the arrays of numerics that earlier
 * versions kept, and of what was built on the view.
 */
#include "databases.h"
#include "succeeding.h"

#include <apr_strings.h>

#include "lib/migrate.h"
#include "lib/migrations.h"

#define BEFORE 11 /* the last migration with arrays */

typedef struct fixture_t {
    apr_pool_t *p;
    test_database_t *database;
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    ecl_result_t result;
} fixture_t;

static const char *query(fixture_t *f, const char *sql)
{
    return database_query(f->conn, sql, f->p);
}

static int set_up(void **state)
{
    apr_pool_t *p;
    fixture_t *f;

    apr_pool_create(&p, NULL);
    f = apr_pcalloc(p, sizeof *f);
    f->p = p;
    f->result = ecl_result_make(p);
    f->database = make_database();
    OK(ecl_db_open(&f->db, f->database->driver, f->database->params, 1, p, &f->result));
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    query(f, "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
             " applied_at BIGINT NOT NULL)");
    for (const ecl_migration_t *m = ecl_migrations; m->driver; m++) {
        if (!strcmp(m->driver, "pgsql") && m->number <= BEFORE) {
            query(f, m->sql);
            query(f, apr_psprintf(p, "INSERT INTO schema_migrations VALUES (%d, '%s', 1)",
                                  m->number, m->name));
        }
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    test_database_t *database = f->database;

    ecl_db_release(f->conn);
    apr_pool_destroy(f->p);
    remove_database(database);
    return 0;
}

/* A day with its clock change, one of two channels, one in a partition of its year, a daily total,
 * and a day as it was before. */
static void add_days(fixture_t *f)
{
    query(f, "CREATE TABLE meter_days_2026 PARTITION OF meter_days"
             " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')");
    query(f,
          "INSERT INTO meters (id, identifier, kind, import_job_id) VALUES (7, 'A', 'other', 3)");
    query(f,
          "INSERT INTO meter_days (id, meter_id, channel, interval_minutes, reading_date,"
          " day_start, period_values, period_flags, unit, import_job_id, import_line, updated_at)"
          " SELECT 1, 7, 'AI', 30, DATE '2026-03-29', 1774742400,"
          " array_agg(CASE n WHEN 3 THEN NULL ELSE n * 1.5 END ORDER BY n),"
          " string_agg(CASE n WHEN 3 THEN '-' WHEN 4 THEN 'E' ELSE 'A' END, '' ORDER BY n),"
          " 'kWh', 3, 2, 5 FROM generate_series(1, 46) AS n"
          " UNION ALL SELECT 2, 7, 'RI', 720, '2026-03-30', 1774825200,"
          " '{0.000000001,-9223372035.999999999}', 'AM', 'kVArh', 3, 2, 5"
          " UNION ALL SELECT 3, 7, 'AI', 1440, '2019-01-01', 1546300800, '{12.50}', 'A', 'kWh',"
          " 3, 2, 5");
    query(f, "INSERT INTO import_jobs (id, batch_id, user_name, filename, file_size, file_sha256,"
             " queued_at, run_after) VALUES (3, 'b', 'u', 'f', 1, 'x', 1, 1)");
    query(f, "INSERT INTO meter_day_history VALUES (3, 2, '{NULL,1000000000.25}', '-A', 'kVArh', 2,"
             " 1, 4)");
}

static void arrays_become_json_and_readings_stay(void **state)
{
    static const char readings[] =
        "SELECT mpan, channel, interval_minutes, reading_date, reading_time, period_number,"
        " reading_at, reading_value, unit, reading_type, import_batch_id, meter_id"
        " FROM meter_readings ORDER BY reading_at, channel";
    static const char total[] = "SELECT * FROM totals";
    fixture_t *f = *state;
    const char *before;

    add_days(f);
    query(f, "CREATE VIEW totals AS SELECT channel, sum(reading_value) FROM meter_readings"
             " GROUP BY channel ORDER BY channel");
    query(f, "GRANT SELECT ON meter_readings TO PUBLIC");
    before = query(f, readings);
    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    assert_string_equal(query(f, "SELECT period_values FROM meter_days WHERE id > 1 ORDER BY id"),
                        "[0.000000001,-9223372035.999999999]|\n[12.50]|\n");
    assert_string_equal(query(f, "SELECT period_values FROM meter_day_history"),
                        "[null,1000000000.25]|\n");
    assert_string_equal(query(f, "SELECT left(period_values::text, 20) FROM meter_days"
                                 " WHERE id = 1"),
                        "[1.5,3.0,null,6.0,7.|\n");
    /* 45 half-hours of 46, two, and a day */
    assert_int_equal(database_number(f->conn, "SELECT count(*) FROM meter_readings", f->p), 48);
    assert_string_equal(query(f, readings), before);
    /* who may read the view, and what reads it */
    assert_string_equal(query(f, total), "AI|1629.50|\nRI|-9223372035.999999998|\n");
    assert_int_equal(database_number(f->conn,
                                     "SELECT count(*) FROM information_schema.table_privileges"
                                     " WHERE table_name = 'meter_readings' AND grantee = 'PUBLIC'"
                                     " AND privilege_type = 'SELECT'",
                                     f->p),
                     1);
}

/* A new partition is like the table. */
static void later_partitions_hold_json(void **state)
{
    fixture_t *f = *state;

    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    query(f, "CREATE TABLE meter_days_2026 (LIKE meter_days INCLUDING STORAGE)");
    query(f, "ALTER TABLE meter_days ATTACH PARTITION meter_days_2026"
             " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')");
    assert_string_equal(query(f, "SELECT DISTINCT data_type FROM information_schema.columns"
                                 " WHERE column_name = 'period_values'"),
                        "json|\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(arrays_become_json_and_readings_stay),
        TEST(later_partitions_hold_json),
    };
    int rv;

    if (!test_server()) {
        print_message("NOT RUN: ECL_TEST_PGSQL is not set (make unit sets it)\n");
        return 0;
    }
    test_driver = "pgsql";
    apr_initialize();
    rv = cmocka_run_group_tests_name(test_driver, tests, NULL, NULL);
    apr_terminate();
    return rv;
}
