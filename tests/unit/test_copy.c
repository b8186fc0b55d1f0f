/* worker/copy: a whole database into another one, each driver into each. */
#include <apr_general.h>

#include "databases.h"
#include "succeeding.h"
#include "lib/jobs.h"
#include "lib/migrate.h"
#include "worker/copy_driver.h"

#define MAX_PLACES 4

/* A database of a test; all of them go when it ends. */
typedef struct place_t {
    test_database_t *database;
    ecl_db_t *db;
    ecl_db_conn_t *conn;
} place_t;

static struct {
    apr_pool_t *p;
    ecl_result_t result;
    place_t places[MAX_PLACES];
    int count;
} fixture, *const f = &fixture;

static int set_up(void **state)
{
    (void)state;
    apr_pool_create(&f->p, NULL);
    f->result = ecl_result_make(f->p);
    f->count = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < f->count; i++) {
        ecl_db_release(f->places[i].conn);
    }
    apr_pool_destroy(f->p); /* closes the connections */
    for (int i = 0; i < f->count; i++) {
        remove_database(f->places[i].database);
    }
    return 0;
}

static place_t *make_place_without_schema(const char *driver)
{
    place_t *place = &f->places[f->count];
    const char *other = test_driver;

    assert_true(f->count < MAX_PLACES);
    memset(place, 0, sizeof *place);
    test_driver = driver;
    place->database = make_database();
    test_driver = other;
    f->count++;
    OK(ecl_db_open(&place->db, driver, place->database->params, 1, f->p, &f->result));
    OK(ecl_db_acquire(&place->conn, place->db, &f->result));
    return place;
}

static place_t *make_place(const char *driver)
{
    place_t *place = make_place_without_schema(driver);

    OK(ecl_migrate_up(place->conn, NULL, &f->result));
    return place;
}

static const char *query(const place_t *place, const char *sql)
{
    return database_query(place->conn, sql, f->p);
}

/* ---- what is in them ------------------------------------------------------------------------ */

#define DAY                                                                                        \
    "INSERT INTO meter_days (id, meter_id, channel, interval_minutes, reading_date, day_start,"    \
    " period_values, period_flags, unit, import_job_id, import_line, updated_at) VALUES "

/* What could go wrong on the way, as SQLite has it: characters that COPY escapes, an empty text
 * beside NULL, the largest numbers, decimals that end in zeros, an id whose row is gone. */
static const char contents[] =
    "INSERT INTO import_jobs (id, batch_id, user_name, filename, stored_name, file_size,"
    " file_sha256, status, notes, tags, options, total_rows, queued_at, run_after, due_at,"
    " started_at, claims, checkpoint, summary, preview, stored_host, idempotency_key)"
    " VALUES (3, 'b-3', 'alice', 'a\\b\tc.csv', 'b-3', 9223372036854775807, 'f00', 'completed',"
    " '', NULL, '{\"a\":\"\\n\"}', NULL, 1700000000123456, 1700000000123457, 1700000000123458,"
    " NULL, 2, 7, '{\"x\":[1,2]}', '[]', 'host-1', 'key');"
    "INSERT INTO import_jobs (id, batch_id, user_name, filename, file_size, file_sha256, status,"
    " notes, queued_at, run_after, parent_batch_id, worker, lease_until)"
    " VALUES (7, 'b-7', '\\N', 'zwölf ✓.csv', 0, '', 'processing',"
    " 'one\ntwo\r\nthree \\. \\N \\', 1, 2, 'b-3', 'h:1', 5);"
    "INSERT INTO import_jobs (id, batch_id, user_name, filename, file_size, file_sha256,"
    " queued_at, run_after) VALUES (40, 'b-40', 'gone', 'gone', 1, '', 1, 1);"
    "DELETE FROM import_jobs WHERE id = 40;"
    "INSERT INTO import_errors (id, import_job_id, line, column_name, code, message, raw, added)"
    " VALUES (5, 7, 12, NULL, 'bad-date', 'what?', '\t\\\t\\\\t\b\f\v\r\n', '');"
    "INSERT INTO import_job_events (id, at, batch_id, filename, event, attempt)"
    " VALUES (11, 1, 'b-3', 'f', 'queued', -2147483648);"
    "INSERT INTO import_templates (id, name, fingerprint, options, created_by, created_at, uses)"
    " VALUES (2, 'monthly', 'fp', '{}', 'bob', 3, 4);"
    "INSERT INTO meters (id, identifier, kind, import_job_id)"
    " VALUES (21, '2000000000000', 'mpan', 3);" DAY "(100, 21, 'AI', 30, '2026-03-29', 1774742400,"
    " '[0.000000001,-9223372036.854775807,1.50,null,0,12345678901234567890.12300]', 'AAA-EM',"
    " 'kWh', 7, 9223372036854775807, 17);" DAY
    "(101, 21, 'AE', 1440, '1999-12-31', 946598400, '[null]', '-', 'kWh', 3, 1, 1);"
    "INSERT INTO meter_day_history (import_job_id, meter_day_id, period_values, period_flags, unit,"
    " previous_job_id, previous_line, previous_updated_at)"
    " VALUES (7, 100, '[1.5,null,0.10]', 'A-A', 'kWh', 3, 2, 1);"
    "INSERT INTO import_workers (name, host, pid, started_at, heartbeat_at)"
    " VALUES ('h:1', 'h', 1, 1, 1);";

static place_t *make_source(void)
{
    place_t *place = make_place("sqlite3");

    query(place, contents);
    return place;
}

/* Everything that is kept, as text. */
static const char *dump(const place_t *place)
{
    const char *text = "";

    for (const ecl_copy_table_t *table = ecl_copy_tables; table->name; table++) {
        text = apr_pstrcat(f->p, text, table->name, ":\n",
                           query(place, apr_psprintf(f->p, "SELECT %s FROM %s ORDER BY %s",
                                                     table->columns, table->name, table->order)),
                           NULL);
    }
    return text;
}

static void assert_is_empty(const place_t *place)
{
    for (const ecl_copy_table_t *table = ecl_copy_tables; table->name; table++) {
        assert_string_equal(query(place, apr_psprintf(f->p, "SELECT * FROM %s", table->name)), "");
    }
}

/* ---- copying -------------------------------------------------------------------------------- */

/* Another program's attempt to write to the source. */
static void assert_is_locked(const place_t *place)
{
    static const char sql[] = "UPDATE import_jobs SET notes = 'changed'";

    if (ecl_db_conn_driver(place->conn) == ECL_DB_SQLITE3) {
        sqlite3 *other;

        assert_int_equal(sqlite3_open(place->database->params, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, sql, NULL, NULL, NULL), SQLITE_BUSY);
        sqlite3_close(other);
    } else {
        PGconn *other = PQconnectdb(place->database->params);

        PQclear(PQexec(other, "SET lock_timeout = 20"));
        PQclear(PQexec(other, sql));
        assert_non_null(strstr(PQerrorMessage(other), "lock timeout"));
        PQfinish(other);
    }
}

static apr_interval_time_t dawdle_us; /* once while copying */

static void on_progress(void *baton, const char *table, apr_int64_t done, apr_int64_t in_all)
{
    apr_sleep(dawdle_us);
    dawdle_us = 0;
    assert_in_range(done, 0, in_all);
    if (!strcmp(table, "meters")) {
        assert_is_locked(baton);
    }
}

static apr_status_t copy(place_t *from, place_t *to)
{
    const ecl_copy_progress_t progress = {from, on_progress};
    const ecl_copy_count_t *counts;
    int count;
    apr_status_t rv =
        ecl_copy_database(from->conn, to->conn, &progress, f->p, &counts, &count, &f->result);

    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        const char *sql = apr_psprintf(f->p, "SELECT count(*) FROM %s", counts[i].table);

        assert_int_equal(counts[i].source, database_number(from->conn, sql, f->p));
        assert_int_equal(counts[i].target, counts[i].source);
    }
    return rv;
}

static void assert_refused(place_t *from, place_t *to, apr_status_t status, const char *code,
                           const char *words)
{
    assert_int_equal(copy(from, to), status);
    assert_string_equal(f->result.code, code);
    if (!strstr(f->result.detail, words)) {
        fail_msg("\"%s\" does not say \"%s\"", f->result.detail, words);
    }
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* A column or table that a migration adds is not forgotten. */
static void test_all_of_the_schema_is_copied(void **state)
{
    place_t *place = make_place(test_driver);
    int is_sqlite = ecl_db_conn_driver(place->conn) == ECL_DB_SQLITE3;
    int tables = 0;

    (void)state;
    for (const ecl_copy_table_t *table = ecl_copy_tables; table->name; table++, tables++) {
        const char *sql =
            is_sqlite
                ? apr_psprintf(f->p, "SELECT group_concat(name) FROM pragma_table_info('%s')",
                               table->name)
                : apr_psprintf(f->p,
                               "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute"
                               " WHERE attrelid = '%s'::regclass AND attnum > 0"
                               " AND NOT attisdropped",
                               table->name);

        assert_string_equal(query(place, sql), apr_pstrcat(f->p, table->columns, "|\n", NULL));
        assert_true(ecl_copy_count_columns(table) < ECL_COPY_COLUMNS);
    }
    assert_int_equal(
        database_number(place->conn,
                        is_sqlite ? "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND"
                                    " name NOT IN ('schema_migrations', 'import_workers',"
                                    " 'sqlite_sequence')"
                                  : "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND"
                                    " relnamespace = current_schema()::regnamespace AND"
                                    " NOT relispartition AND"
                                    " relname NOT IN ('schema_migrations', 'import_workers')",
                        f->p),
        tables);
}

static void test_every_value_comes_over_as_it_is(void **state)
{
    place_t *from = make_source(), *to = make_place(test_driver), *back = make_place("sqlite3");
    const char *before = dump(from);

    (void)state;
    OK(copy(from, to));
    assert_string_equal(dump(to), before);
    OK(copy(to, back));
    assert_string_equal(dump(back), before);
    assert_string_equal(dump(from), before);
    assert_string_equal(query(back, "SELECT * FROM sqlite_sequence ORDER BY name"),
                        query(from, "SELECT * FROM sqlite_sequence ORDER BY name"));
    /* who is alive is not copied */
    assert_string_equal(query(to, "SELECT * FROM import_workers"), "");
}

static void test_ids_go_on_behind_those_that_were_given(void **state)
{
    static const struct {
        const char *sql;
        int id;
    } next[] = {
        {"INSERT INTO import_jobs (batch_id, user_name, filename, file_size, file_sha256, "
         "queued_at,"
         " run_after) VALUES ('n', '', '', 1, '', 1, 1) RETURNING id",
         41},
        {"INSERT INTO import_errors (import_job_id, line, code, message, raw)"
         " VALUES (3, 1, '', '', '') RETURNING id",
         6},
        {"INSERT INTO import_job_events (at, batch_id, filename, event) VALUES (1, '', '', '')"
         " RETURNING id",
         12},
        {"INSERT INTO import_templates (name, fingerprint, options, created_by, created_at)"
         " VALUES ('', '', '', '', 1) RETURNING id",
         3},
        {"INSERT INTO meters (identifier, kind, import_job_id) VALUES ('x', 'other', 3)"
         " RETURNING id",
         22},
        {"INSERT INTO meter_days (meter_id, channel, interval_minutes, reading_date, day_start,"
         " period_values, period_flags, unit, import_job_id, import_line, updated_at)"
         " SELECT meter_id, 'RE', interval_minutes, reading_date, day_start, period_values,"
         " period_flags, unit, import_job_id, import_line, updated_at FROM meter_days"
         " WHERE id = 100 RETURNING id",
         102}};
    place_t *from = make_source(), *to = make_place(test_driver);

    (void)state;
    OK(copy(from, to));
    for (apr_size_t i = 0; i < sizeof next / sizeof *next; i++) {
        assert_int_equal(database_number(to->conn, next[i].sql, f->p), next[i].id);
    }
}

/* Nor is an id given again whose row is gone, in whichever of the two it was given. */
static void test_ids_of_rows_that_are_gone(void **state)
{
    static const char add[] = "INSERT INTO meters (identifier, kind, import_job_id)"
                              " VALUES ('x', 'other', 3) RETURNING id";
    place_t *from = make_place(test_driver);
    place_t *targets[] = {make_place("sqlite3"), make_place(test_driver)};

    (void)state;
    assert_int_equal(database_number(from->conn, add, f->p), 1);
    query(from, "DELETE FROM meters");
    for (int i = 0; i < 2; i++) {
        OK(copy(from, targets[i]));
        assert_int_equal(database_number(targets[i]->conn, add, f->p), 2);
    }
}

/* The server ends a transaction that does nothing for long; one that waits for the other database's
 * rows may. */
static void test_a_wait_for_the_other_database(void **state)
{
    place_t *from = make_place(test_driver), *to = make_place(test_driver);

    (void)state;
    if (!strcmp(test_driver, "sqlite3")) {
        return;
    }
    query(from, "SET idle_in_transaction_session_timeout = 50");
    query(to, "SET idle_in_transaction_session_timeout = 50");
    dawdle_us = apr_time_from_msec(200);
    OK(copy(from, to));
}

/* A trigger in the target may keep rows out. */
static void test_rows_that_do_not_arrive(void **state)
{
    place_t *from = make_source(), *to = make_place(test_driver);

    (void)state;
    query(to, strcmp(test_driver, "sqlite3") != 0
                  ? "CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS"
                    " $$ BEGIN RETURN NULL; END $$;"
                    "CREATE TRIGGER drop_it BEFORE INSERT ON import_templates FOR EACH ROW"
                    " EXECUTE FUNCTION drop_it()"
                  : "CREATE TRIGGER drop_it BEFORE INSERT ON import_templates"
                    " BEGIN SELECT RAISE(IGNORE); END");
    assert_refused(from, to, APR_EGENERAL, "copy-differs",
                   "import_templates has 1 rows, 1 were read, and the target then has 0");
    assert_is_empty(to);
}

static void test_an_empty_database_is_copied_too(void **state)
{
    place_t *from = make_place("sqlite3"), *to = make_place(test_driver);

    (void)state;
    OK(copy(from, to));
    assert_is_empty(to);
    assert_int_equal(database_number(to->conn,
                                     "INSERT INTO meters (identifier, kind, import_job_id)"
                                     " VALUES ('x', 'other', 3) RETURNING id",
                                     f->p),
                     1);
}

static void test_a_target_that_will_not_do_is_refused(void **state)
{
    place_t *from = make_source(), *to = make_place(test_driver);
    place_t *bare = make_place_without_schema(test_driver);
    const char *before = dump(from);

    (void)state;
    assert_refused(from, bare, ECL_ESCHEMA, "copy-schema", "the target has schema 0, ");
    assert_refused(bare, to, ECL_ESCHEMA, "copy-schema", "the database to copy has schema 0, ");
    query(to, "INSERT INTO schema_migrations (version, name, applied_at) VALUES (999, 'x', 1)");
    assert_refused(from, to, ECL_ESCHEMA, "copy-schema", "the target has schema 999, ");
    query(to, "DELETE FROM schema_migrations WHERE version = 999");
    assert_refused(from, from, ECL_ECONFLICT, "copy-same", "the same database");
    assert_refused(to, to, ECL_ECONFLICT, "copy-same", "the same database");
    query(to, "INSERT INTO import_templates (name, fingerprint, options, created_by, created_at)"
              " VALUES ('x', 'x', '{}', 'x', 1)");
    assert_refused(from, to, ECL_ECONFLICT, "copy-not-empty", "there are rows in import_templates");
    query(to, "DELETE FROM import_templates");
    assert_is_empty(to);
    OK(copy(from, to));
    assert_refused(from, to, ECL_ECONFLICT, "copy-not-empty", "there are rows in import_jobs");
    assert_string_equal(dump(to), before);
    assert_string_equal(dump(from), before);
}

static void test_nobody_may_be_at_work(void **state)
{
    place_t *from = make_source(), *to = make_place(test_driver);
    apr_time_t later = apr_time_now() + apr_time_from_sec(60);

    (void)state;
    for (int i = 0; i < 2; i++) {
        place_t *side = i ? to : from;

        OK(ecl_worker_beat(side->conn, "busy-host:71", NULL, NULL, &f->result));
        assert_refused(from, to, ECL_ECONFLICT, "copy-busy",
                       i ? "1 worker of the target is alive (busy-host:71)"
                         : "1 worker of the database to copy is alive (busy-host:71)");
        OK(ecl_worker_gone(side->conn, "busy-host:71", &f->result));
    }
    query(from, apr_psprintf(
                    f->p, "UPDATE import_jobs SET lease_until = %" APR_TIME_T_FMT " WHERE id = 7",
                    later));
    assert_refused(from, to, ECL_ECONFLICT, "copy-busy", "1 job is in a worker's hands");
    assert_is_empty(to);
    query(from, "UPDATE import_jobs SET lease_until = 5 WHERE id = 7");
    OK(copy(from, to));
}

/* The history of days comes last: all the rest was written before it failed. */
static void test_what_cannot_be_copied_leaves_nothing_behind(void **state)
{
    static const char *const damaged[] = {"[1,\"x\"]", "[NaN]",   "[1,2",    "",
                                          "null",      "[1,nul]", "[1,\\N]", "[1}"};
    place_t *from = make_source(), *to = make_place(test_driver), *again;

    (void)state;
    if (!strcmp(test_driver, "sqlite3")) {
        return; /* which takes any text */
    }
    for (apr_size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        query(from,
              apr_psprintf(f->p, "UPDATE meter_day_history SET period_values = '%s'", damaged[i]));
        assert_refused(from, to, APR_EGENERAL, "day-damaged", "meter_day_history holds values");
        assert_is_empty(to);
    }
    query(from, "UPDATE meter_day_history SET period_values = '[1,,2]'");
    assert_int_equal(copy(from, to), APR_EGENERAL);
    assert_non_null(strstr(f->result.detail, "cannot write meter_day_history: "));
    query(from, "UPDATE meter_day_history SET period_values = '[1]', unit = CAST(x'6bff' AS TEXT)");
    assert_int_equal(copy(from, to), APR_EGENERAL);
    assert_non_null(strstr(f->result.detail, "invalid byte sequence"));
    assert_is_empty(to);
    query(from, "UPDATE meter_day_history SET unit = 'kWh'");
    OK(copy(from, to));
    assert_string_equal(dump(to), dump(from));
    /* and the other way: SQLite would keep it, the product could not read it */
    query(to, "UPDATE meter_days SET period_values = '[\"x\"]' WHERE id = 100");
    again = make_place("sqlite3");
    assert_refused(to, again, APR_EGENERAL, "day-damaged", "meter_days holds values");
    assert_is_empty(again);
}

static void test_days_go_to_the_partitions_of_their_years(void **state)
{
    place_t *from = make_source(), *to = make_place(test_driver);

    (void)state;
    if (!strcmp(test_driver, "sqlite3")) {
        return;
    }
    OK(copy(from, to));
    assert_string_equal(query(to, "SELECT tableoid::regclass FROM meter_days ORDER BY id"),
                        "meter_days_2026|\nmeter_days_1999|\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_of_the_schema_is_copied),
        TEST(test_every_value_comes_over_as_it_is),
        TEST(test_ids_go_on_behind_those_that_were_given),
        TEST(test_ids_of_rows_that_are_gone),
        TEST(test_a_wait_for_the_other_database),
        TEST(test_rows_that_do_not_arrive),
        TEST(test_an_empty_database_is_copied_too),
        TEST(test_a_target_that_will_not_do_is_refused),
        TEST(test_nobody_may_be_at_work),
        TEST(test_what_cannot_be_copied_leaves_nothing_behind),
        TEST(test_days_go_to_the_partitions_of_their_years),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
