/* lib/migrate with the project's own migrations, for each of the two databases. */
#include <apr_general.h>
#include <apr_thread_proc.h>

#include "databases.h"
#include "succeeding.h"
#include "lib/migrate.h"
#include "lib/migrations.h"

typedef struct fixture_t {
    apr_pool_t *p;
    test_database_t *database;
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    ecl_result_t result;
    int newest; /* known migration, and how many there are */
    int nmigrations;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->database = make_database();
    assert_int_equal(apr_pool_create(&f->p, NULL), APR_SUCCESS);
    f->result = ecl_result_make(f->p);
    OK(ecl_db_open(&f->db, f->database->driver, f->database->params, 4, f->p, &f->result));
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    for (const ecl_migration_t *m = ecl_migrations; m->driver; m++) {
        if (!strcmp(m->driver, test_driver)) {
            f->newest = m->number;
            f->nmigrations++;
        }
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;

    ecl_db_release(f->conn);
    apr_pool_destroy(f->p);
    remove_database(f->database);
    free(f);
    return 0;
}

/* What another program does to the database. */
static void run_elsewhere(fixture_t *f, const char *sql)
{
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    apr_pool_t *p;

    apr_pool_create(&p, f->p);
    OK(ecl_db_open(&db, f->database->driver, f->database->params, 1, p, &f->result));
    OK(ecl_db_acquire(&conn, db, &f->result));
    database_query(conn, sql, p);
    ecl_db_release(conn);
    apr_pool_destroy(p);
}

static int is_pgsql(void)
{
    return !strcmp(test_driver, "pgsql");
}

static apr_int64_t count(fixture_t *f, const char *sql)
{
    ecl_db_rows_t *rows;

    OK(ecl_db_query(f->conn, sql, ECL_NO_ARGS, f->p, &rows, &f->result));
    return ecl_db_get_int(rows, 0, 0);
}

/* Of our schema; what other tests put there is not counted. */
static apr_int64_t count_tables(fixture_t *f)
{
    return count(f, is_pgsql() ? "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
                                 " AND tablename <> 'import_errors'"
                               : "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                                 " AND name <> 'import_errors'");
}

static void test_up_is_idempotent(void **state)
{
    fixture_t *f = *state;
    ecl_db_rows_t *rows;
    int have = -1, want = -1, applied = -1;
    apr_time_t before = apr_time_now();

    OK(ecl_migrate_state(f->conn, &have, &want, &f->result));
    assert_int_equal(have, 0);
    assert_int_equal(want, f->newest);
    assert_int_equal(count_tables(f), 0);
    OK(ecl_migrate_up(f->conn, &applied, &f->result));
    assert_int_equal(applied, f->nmigrations);
    OK(ecl_migrate_up(f->conn, &applied, &f->result));
    assert_int_equal(applied, 0);
    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    OK(ecl_migrate_state(f->conn, &have, &want, &f->result));
    assert_int_equal(have, f->newest);

    OK(ecl_db_query(f->conn, "SELECT name, applied_at FROM schema_migrations WHERE version = 1",
                    ECL_NO_ARGS, f->p, &rows, &f->result));
    assert_string_equal(ecl_db_get(rows, 0, 0), "0001_initial");
    assert_in_range(ecl_db_get_int(rows, 0, 1), before, apr_time_now());
    assert_int_equal(count(f, "SELECT count(*) FROM import_jobs"), 0);
    assert_int_equal(count(f, "SELECT count(*) FROM meter_readings"), 0);
}

static void test_newer_schema_is_refused(void **state)
{
    fixture_t *f = *state;
    int have, want;

    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    run_elsewhere(f, "INSERT INTO schema_migrations VALUES (4711, '4711_future', 1)");
    assert_int_equal(ecl_migrate_up(f->conn, NULL, &f->result), ECL_ESCHEMA);
    assert_non_null(strstr(f->result.detail, "4711"));
    assert_non_null(strstr(f->result.detail, apr_psprintf(f->p, "up to %d", f->newest)));
    OK(ecl_migrate_state(f->conn, &have, &want, &f->result));
    assert_int_equal(have, 4711);
}

static void test_failed_migration_leaves_nothing(void **state)
{
    fixture_t *f = *state;
    int applied = -1, have = -1, want;

    run_elsewhere(f, "CREATE TABLE import_errors (somebody_elses INTEGER)");
    assert_int_equal(ecl_migrate_up(f->conn, &applied, &f->result), APR_EGENERAL);
    assert_int_equal(applied, 0);
    assert_non_null(strstr(f->result.detail, "/0001_initial.sql"));
    assert_non_null(strstr(f->result.detail, is_pgsql() ? "\"import_errors\" already exists"
                                                        : "table import_errors already exists"));
    ecl_db_release(f->conn);
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    assert_int_equal(count_tables(f), 0);
    OK(ecl_migrate_state(f->conn, &have, &want, &f->result));
    assert_int_equal(have, 0);
    run_elsewhere(f, "DROP TABLE import_errors");
    OK(ecl_migrate_up(f->conn, &applied, &f->result));
    assert_int_equal(applied, f->nmigrations);
}

enum { THREADS = 4 };

typedef struct thread_t {
    fixture_t *f;
    int applied;
    apr_status_t status;
} thread_t;

static void *APR_THREAD_FUNC run_thread(apr_thread_t *thread, void *data)
{
    thread_t *t = data;
    ecl_db_conn_t *conn = NULL;

    (void)thread;
    t->status = ecl_db_acquire(&conn, t->f->db, NULL);
    if (t->status == APR_SUCCESS) {
        t->status = ecl_migrate_up(conn, &t->applied, NULL);
    }
    ecl_db_release(conn);
    return NULL;
}

/* Server and workers start together, each migrates. */
static void test_only_one_migrates(void **state)
{
    fixture_t *f = *state;
    apr_thread_t *threads[THREADS];
    thread_t data[THREADS];
    apr_status_t rv;
    int applied = 0;

    ecl_db_release(f->conn);
    f->conn = NULL;
    for (int i = 0; i < THREADS; i++) {
        data[i] = (thread_t){f, 0, APR_SUCCESS};
        assert_int_equal(apr_thread_create(&threads[i], NULL, run_thread, &data[i], f->p),
                         APR_SUCCESS);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        assert_int_equal(data[i].status, APR_SUCCESS);
        applied += data[i].applied;
    }
    assert_int_equal(applied, f->nmigrations);
}

/* A connection that had statements before goes on after. */
static void test_connection_survives_its_migration(void **state)
{
    fixture_t *f = *state;

    assert_int_equal(count_tables(f), 0);
    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    assert_true(count_tables(f) > 0);
    OK(ecl_db_begin(f->conn, &f->result));
    assert_true(count_tables(f) > 0);
    OK(ecl_db_commit(f->conn, &f->result));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_up_is_idempotent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newer_schema_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_migration_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_one_migrates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connection_survives_its_migration, set_up, tear_down),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
