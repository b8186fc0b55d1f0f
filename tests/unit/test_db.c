/* Connections, statements and transactions of lib/db on real SQLite files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <malloc.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_info.h>
#include <apr_general.h>
#include <apr_thread_proc.h>

#include "directory.h"
#include "start_apr.h"
#include "succeeding.h"
#include "lib/db.h"

typedef struct fixture_t {
    apr_pool_t *p;
    char dir[64];
    const char *path;
    ecl_db_t *db;
    ecl_result_t result;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);

    assert_non_null(f);
    make_directory(f->dir, sizeof f->dir);
    assert_int_equal(apr_pool_create(&f->p, NULL), APR_SUCCESS);
    f->path = apr_pstrcat(f->p, f->dir, "/x.db", NULL);
    f->result = ecl_result_make(f->p);
    assert_int_equal(ecl_db_open(&f->db, "sqlite3", f->path, 8, f->p, &f->result), APR_SUCCESS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;

    apr_pool_destroy(f->p);
    remove_directory(f->dir);
    free(f);
    return 0;
}

static ecl_db_conn_t *acquire(fixture_t *f)
{
    ecl_db_conn_t *conn = NULL;

    if (ecl_db_acquire(&conn, f->db, &f->result) != APR_SUCCESS) {
        fail_msg("%s", f->result.detail);
    }
    return conn;
}

static void make_table(fixture_t *f, ecl_db_conn_t *conn)
{
    OK(ecl_db_exec(conn, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, s TEXT UNIQUE)",
                   ECL_NO_ARGS, NULL, &f->result));
}

static apr_int64_t count(fixture_t *f, ecl_db_conn_t *conn)
{
    ecl_db_rows_t *rows;

    OK(ecl_db_query(conn, "SELECT count(*) FROM t", ECL_NO_ARGS, f->p, &rows, &f->result));
    return ecl_db_get_int(rows, 0, 0);
}

static apr_status_t insert(fixture_t *f, ecl_db_conn_t *conn, apr_int64_t n, const char *s)
{
    return ecl_db_exec(conn, "INSERT INTO t (n, s) VALUES (%lld, %s)",
                       ECL_ARGS(ECL_INT(n), ECL_TEXT(s)), NULL, &f->result);
}

/* What another program does to the file meanwhile. */
static void run_elsewhere(fixture_t *f, const char *sql)
{
    sqlite3 *other;

    assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
    sqlite3_busy_timeout(other, 5000);
    if (sqlite3_exec(other, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(other));
    }
    sqlite3_close(other);
}

static void test_values_come_back_as_they_went(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);
    ecl_db_rows_t *rows;
    int affected = -1;

    make_table(f, conn);
    OK(ecl_db_exec(conn, "INSERT INTO t (n, s) VALUES (%lld, %s), (%lld, %s), (%lld, %s)",
                   ECL_ARGS(ECL_INT(APR_INT64_MIN), ECL_TEXT("it's 100%% \"£\"\n"), ECL_NULL,
                            ECL_TEXT(""), ECL_INT(50), ECL_TEXT(NULL)),
                   &affected, &f->result));
    assert_int_equal(affected, 3);
    OK(ecl_db_query(conn, "SELECT n, s FROM t ORDER BY id", ECL_NO_ARGS, f->p, &rows, &f->result));
    assert_int_equal(ecl_db_nrows(rows), 3);
    assert_true(ecl_db_get_int(rows, 0, 0) == APR_INT64_MIN);
    assert_string_equal(ecl_db_get(rows, 0, 1), "it's 100%% \"£\"\n");
    assert_null(ecl_db_get(rows, 1, 0));
    assert_int_equal(ecl_db_get_int(rows, 1, 0), 0);
    assert_string_equal(ecl_db_get(rows, 1, 1), "");
    assert_null(ecl_db_get(rows, 2, 1));
    /* bound as an integer: as text, 50 > 5 would be false */
    OK(ecl_db_query(conn, "SELECT n FROM t WHERE n + 0 > %lld AND s IS NULL", ECL_ARGS(ECL_INT(5)),
                    f->p, &rows, &f->result));
    assert_int_equal(ecl_db_nrows(rows), 1);
    OK(ecl_db_query(conn, "SELECT n FROM t WHERE s LIKE 'it''s%%' AND n < %lld",
                    ECL_ARGS(ECL_INT(0)), f->p, &rows, &f->result));
    assert_int_equal(ecl_db_nrows(rows), 1);
    OK(ecl_db_query(conn, "UPDATE t SET n = 1 WHERE n = 50 RETURNING id, n", ECL_NO_ARGS, f->p,
                    &rows, &f->result));
    assert_int_equal(ecl_db_nrows(rows), 1);
    assert_int_equal(ecl_db_get_int(rows, 0, 1), 1);
    OK(ecl_db_query(conn, "SELECT n FROM t WHERE id = 99", ECL_NO_ARGS, f->p, &rows, &f->result));
    assert_int_equal(ecl_db_nrows(rows), 0);
    OK(ecl_db_exec(conn, "UPDATE t SET n = 2 WHERE id = 99", ECL_NO_ARGS, &affected, &f->result));
    assert_int_equal(affected, 0);
    ecl_db_release(conn);
}

static void test_wrong_arguments_are_refused(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);

    make_table(f, conn);
    assert_int_equal(ecl_db_exec(conn, "INSERT INTO t (n, s) VALUES (%lld, %s)",
                                 ECL_ARGS(ECL_INT(1)), NULL, &f->result),
                     APR_EGENERAL);
    assert_string_equal(f->result.code, "database-misuse");
    assert_int_equal(ecl_db_exec(conn, "INSERT INTO t (n, s) VALUES (%lld, %s)",
                                 ECL_ARGS(ECL_TEXT("1"), ECL_TEXT("x")), NULL, &f->result),
                     APR_EGENERAL);
    assert_string_equal(f->result.code, "database-misuse");
    assert_int_equal(
        ecl_db_exec(conn, "INSERT INTO t (n) VALUES (%d)", ECL_ARGS(ECL_INT(1)), NULL, &f->result),
        APR_EGENERAL);
    assert_string_equal(f->result.code, "database-misuse");
    assert_int_equal(count(f, conn), 0);
    ecl_db_release(conn);
}

static void test_connection_is_set_up(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);
    ecl_db_rows_t *rows;
    struct stat st;

    OK(ecl_db_query(conn,
                    "SELECT * FROM pragma_journal_mode, pragma_foreign_keys, pragma_synchronous",
                    ECL_NO_ARGS, f->p, &rows, &f->result));
    assert_string_equal(ecl_db_get(rows, 0, 0), "wal");
    assert_int_equal(ecl_db_get_int(rows, 0, 1), 1);
    assert_int_equal(ecl_db_get_int(rows, 0, 2), 2);
    ecl_db_release(conn);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

/* An SQL function that asks the database through a connection of its own. */
static void ask_beside(sqlite3_context *context, int count_of_arguments, sqlite3_value **arguments)
{
    fixture_t *f = sqlite3_user_data(context);
    ecl_db_conn_t *conn = acquire(f);

    (void)count_of_arguments;
    (void)arguments;
    sqlite3_result_int64(context, count(f, conn));
    ecl_db_release(conn);
}

/* Nobody waits for another's query: what is shared between connections is not held meanwhile. */
static void test_queries_run_beside_each_other(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);
    ecl_db_rows_t *rows;

    make_table(f, conn);
    OK(insert(f, conn, 1, "a"));
    assert_int_equal(sqlite3_create_function(ecl_db_native(conn), "ask_beside", 0, SQLITE_UTF8, f,
                                             ask_beside, NULL, NULL),
                     SQLITE_OK);
    OK(ecl_db_query(conn, "SELECT ask_beside() FROM t", ECL_NO_ARGS, f->p, &rows, &f->result));
    assert_int_equal(ecl_db_get_int(rows, 0, 0), 1);
    ecl_db_release(conn);
}

/* DDL, VACUUM and the first ANALYZE by somebody else break statements that apr_dbd prepared. */
static void test_schema_change_elsewhere_is_not_noticed(void **state)
{
    static const char *const changes[] = {"CREATE TABLE u (x)", "VACUUM", "ANALYZE",
                                          "CREATE INDEX t_n ON t (n)", "DROP TABLE u"};
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);
    apr_int64_t n = 0;

    make_table(f, conn);
    OK(insert(f, conn, ++n, NULL));
    assert_int_equal(count(f, conn), n);
    for (apr_size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        run_elsewhere(f, changes[i]);
        OK(insert(f, conn, ++n, NULL));
        run_elsewhere(f, "CREATE TABLE v (x); DROP TABLE v");
        assert_int_equal(count(f, conn), n);
        run_elsewhere(f, "CREATE TABLE v (x); DROP TABLE v");
        OK(ecl_db_begin(conn, &f->result));
        OK(insert(f, conn, ++n, NULL));
        OK(ecl_db_commit(conn, &f->result));
        assert_int_equal(count(f, conn), n);
    }
    ecl_db_release(conn);
}

static apr_status_t finalise(void *stmt)
{
    sqlite3_finalize(stmt);
    return APR_SUCCESS;
}

static void test_native_pool_ends_before_its_connection(void **state)
{
    fixture_t *f = *state;
    const char *wal = apr_pstrcat(f->p, f->path, "-wal", NULL);
    ecl_db_conn_t *conn = acquire(f);
    sqlite3_stmt *stmt = NULL;
    void *data = NULL;

    make_table(f, conn);
    assert_int_equal(sqlite3_prepare_v2(ecl_db_native(conn), "SELECT n FROM t", -1, &stmt, NULL),
                     SQLITE_OK);
    apr_pool_cleanup_register(ecl_db_native_pool(conn), stmt, finalise, apr_pool_cleanup_null);
    apr_pool_userdata_setn(stmt, "kept", NULL, ecl_db_native_pool(conn));
    ecl_db_release(conn);
    conn = acquire(f);
    apr_pool_userdata_get(&data, "kept", ecl_db_native_pool(conn));
    assert_ptr_equal(data, stmt);
    assert_int_equal(access(wal, F_OK), 0);
    ecl_db_mark_failed(conn);
    ecl_db_release(conn);
    /* which SQLite only removes when it closes the last connection */
    assert_int_equal(access(wal, F_OK), -1);
    conn = acquire(f);
    apr_pool_userdata_get(&data, "kept", ecl_db_native_pool(conn));
    assert_null(data);
    ecl_db_release(conn);
}

static void test_release_rolls_back(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);

    make_table(f, conn);
    OK(ecl_db_begin(conn, &f->result));
    OK(insert(f, conn, 1, "a"));
    ecl_db_release(conn);
    conn = acquire(f);
    assert_int_equal(count(f, conn), 0);
    OK(ecl_db_begin(conn, &f->result));
    OK(insert(f, conn, 1, "a"));
    assert_int_equal(ecl_db_begin(conn, &f->result), APR_EGENERAL);
    OK(ecl_db_commit(conn, &f->result));
    assert_int_equal(ecl_db_commit(conn, &f->result), APR_EGENERAL);
    ecl_db_rollback(conn);
    assert_int_equal(count(f, conn), 1);
    ecl_db_release(conn);
    ecl_db_release(NULL);
}

static void test_failed_statement_fails_its_transaction(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);

    make_table(f, conn);
    OK(ecl_db_begin(conn, &f->result));
    OK(insert(f, conn, 1, "a"));
    assert_int_equal(insert(f, conn, 2, "a"), APR_EGENERAL);
    assert_string_equal(f->result.code, "database-error");
    assert_non_null(strstr(f->result.detail, "UNIQUE constraint failed: t.s"));
    assert_int_equal(insert(f, conn, 3, "b"), APR_EGENERAL);
    assert_string_equal(f->result.code, "transaction-failed");
    assert_int_equal(ecl_db_commit(conn, &f->result), APR_EGENERAL);
    assert_int_equal(count(f, conn), 0);
    OK(insert(f, conn, 4, "a"));

    /* a failure on the native handle counts as well, once it is told */
    OK(ecl_db_begin(conn, &f->result));
    OK(insert(f, conn, 5, "c"));
    ecl_db_mark_failed(conn);
    assert_int_equal(ecl_db_commit(conn, &f->result), APR_EGENERAL);
    assert_int_equal(count(f, conn), 1);
    ecl_db_release(conn);
}

static void test_failed_commit_leaves_nothing(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);

    make_table(f, conn);
    OK(ecl_db_exec(conn,
                   "CREATE TABLE c (t INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)",
                   ECL_NO_ARGS, NULL, &f->result));
    OK(ecl_db_begin(conn, &f->result));
    OK(insert(f, conn, 1, "a"));
    OK(ecl_db_exec(conn, "INSERT INTO c VALUES (99)", ECL_NO_ARGS, NULL, &f->result));
    assert_int_equal(ecl_db_commit(conn, &f->result), APR_EGENERAL);
    assert_non_null(strstr(f->result.detail, "FOREIGN KEY"));
    assert_int_equal(count(f, conn), 0);
    OK(ecl_db_begin(conn, &f->result));
    OK(ecl_db_commit(conn, &f->result));
    ecl_db_release(conn);
}

static void test_full_disk(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);
    char *big = apr_pcalloc(f->p, 100001);
    apr_status_t rv;

    memset(big, 'x', 100000);
    make_table(f, conn);
    OK(ecl_db_begin(conn, &f->result));
    sqlite3_exec(ecl_db_native(conn), "PRAGMA max_page_count=10", NULL, NULL, NULL);
    OK(insert(f, conn, 1, "a"));
    rv = insert(f, conn, 2, big);
    assert_int_equal(rv, ECL_ENOSPACE);
    assert_string_equal(f->result.code, "database-full");
    assert_non_null(strstr(f->result.detail, f->path));
    assert_int_equal(ecl_db_commit(conn, &f->result), APR_EGENERAL);
    ecl_db_release(conn);
    conn = acquire(f); /* a new connection: the limit was the old one's */
    OK(insert(f, conn, 2, big));
    assert_int_equal(count(f, conn), 1);
    ecl_db_release(conn);
}

/* The wait for a lock ends, for BEGIN and for a lone statement, and reads go on meanwhile. */
static void test_wait_for_lock_is_bounded(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *holder, *conn;
    apr_time_t start;

    ecl_db_set_waits(f->db, apr_time_from_msec(100), apr_time_from_msec(200));
    holder = acquire(f);
    make_table(f, holder);
    OK(ecl_db_begin(holder, &f->result));
    conn = acquire(f);
    start = apr_time_now();
    assert_int_equal(ecl_db_begin(conn, &f->result), ECL_EUNAVAILABLE);
    assert_string_equal(f->result.code, "database-busy");
    assert_int_equal(insert(f, conn, 1, "a"), ECL_EUNAVAILABLE);
    assert_string_equal(f->result.code, "database-busy");
    assert_in_range(apr_time_now() - start, apr_time_from_msec(300), apr_time_from_sec(8));
    assert_int_equal(count(f, conn), 0);
    OK(ecl_db_commit(holder, &f->result));
    OK(insert(f, conn, 1, "a"));
    ecl_db_release(conn);
    ecl_db_release(holder);
}

static void test_wait_for_connection_is_bounded(void **state)
{
    fixture_t *f = *state;
    ecl_db_t *db;
    ecl_db_conn_t *one, *two = NULL;

    OK(ecl_db_open(&db, "sqlite3", f->path, 1, f->p, &f->result));
    ecl_db_set_waits(db, apr_time_from_msec(50), apr_time_from_msec(200));
    OK(ecl_db_acquire(&one, db, &f->result));
    assert_int_equal(ecl_db_acquire(&two, db, &f->result), ECL_EUNAVAILABLE);
    assert_string_equal(f->result.code, "database-busy");
    assert_null(two);
    ecl_db_release(one);
    OK(ecl_db_acquire(&two, db, &f->result));
    ecl_db_release(two);
}

static void test_what_cannot_be_opened(void **state)
{
    fixture_t *f = *state;
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    const char *path = apr_pstrcat(f->p, f->dir, "/none/x.db", NULL);
    FILE *file;

    assert_int_equal(ecl_db_open(&db, "sqlite3", "x.db", 1, f->p, &f->result), ECL_ECONFIG);
    assert_int_equal(ecl_db_open(&db, "oracle", "x", 1, f->p, &f->result), ECL_ECONFIG);
    assert_int_equal(ecl_db_open(&db, "pgsql", "password=secret x", 1, f->p, &f->result),
                     ECL_ECONFIG);
    assert_null(strstr(f->result.detail, "secret"));

    OK(ecl_db_open(&db, "sqlite3", path, 1, f->p, &f->result));
    assert_int_equal(ecl_db_acquire(&conn, db, &f->result), ECL_EUNAVAILABLE);
    assert_non_null(strstr(f->result.detail, "/none'"));
    assert_null(conn);

    /* the place in the pool was not lost: a file that appears is found */
    OK(apr_dir_make(apr_pstrcat(f->p, f->dir, "/none", NULL), APR_FPROT_OS_DEFAULT, f->p));
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("this is not a database, but long enough to be looked at as one by sqlite ............"
          "...................................................................................",
          file);
    fclose(file);
    assert_int_not_equal(ecl_db_acquire(&conn, db, &f->result), APR_SUCCESS);
    assert_non_null(strstr(f->result.detail, "not a database"));
    assert_int_equal(remove(path), 0);
    OK(ecl_db_acquire(&conn, db, &f->result));
    ecl_db_release(conn);

    OK(ecl_db_open(&db, "pgsql", "host=/nonexistent password=secret", 1, f->p, &f->result));
    assert_int_equal(ecl_db_acquire(&conn, db, &f->result), ECL_EUNAVAILABLE);
    assert_null(strstr(f->result.detail, "secret"));
}

/* apr_reslist aborts the process when it ends with a connection in use. */
static void test_ending_with_a_connection_in_use(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn;
    sqlite3 *native;
    ecl_db_t *db;
    apr_pool_t *p;

    apr_pool_create(&p, NULL);
    OK(ecl_db_open(&db, "sqlite3", f->path, 2, p, &f->result));
    OK(ecl_db_acquire(&conn, db, &f->result));
    OK(ecl_db_begin(conn, &f->result));
    native = ecl_db_native(conn);
    assert_int_equal(sqlite3_exec(native, "CREATE TABLE t (n)", NULL, NULL, NULL), SQLITE_OK);
    apr_pool_destroy(p);
    assert_int_equal(sqlite3_close(native), SQLITE_OK); /* it was left alone */
    run_elsewhere(f, "CREATE TABLE t (n)");
}

/* A connection serves for days: what a call needs must be gone after it. */
static void test_calls_do_not_grow_a_connection(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = acquire(f);
    apr_pool_t *p;
    ecl_db_rows_t *rows;
    size_t before = 0;

    make_table(f, conn);
    apr_pool_create(&p, f->p);
    for (int i = 0; i < 3000; i++) {
        apr_pool_clear(p);
        OK(ecl_db_query(conn,
                        "WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 20) "
                        "SELECT x, %s FROM c",
                        ECL_ARGS(ECL_TEXT("some text of a length")), p, &rows, &f->result));
        assert_int_equal(ecl_db_nrows(rows), 20);
        if (i == 100) {
            before = mallinfo2().uordblks;
        }
    }
    assert_in_range(mallinfo2().uordblks, 0, before + 65536);
    ecl_db_release(conn);
}

enum { THREADS = 8, ROUNDS = 25 };

typedef struct thread_t {
    fixture_t *f;
    int number;
    const char *failure;
} thread_t;

/* Alternates what waits for the lock in BEGIN, what waits for it in a statement, and reads. */
static apr_status_t work(thread_t *t, ecl_db_conn_t *conn, int round, apr_pool_t *p,
                         ecl_result_t *result)
{
    static const char sql[] = "INSERT INTO t (n, s) VALUES (%lld, %s)";
    const char *name = apr_psprintf(p, "%d-%d", t->number, round);
    ecl_db_rows_t *rows;
    apr_status_t rv;

    if (round % 2) {
        rv = ecl_db_exec(conn, sql, ECL_ARGS(ECL_INT(round), ECL_TEXT(name)), NULL, result);
    } else {
        rv = ecl_db_begin(conn, result);
        if (rv == APR_SUCCESS) {
            rv = ecl_db_exec(conn, sql, ECL_ARGS(ECL_INT(round), ECL_TEXT(name)), NULL, result);
        }
        if (rv == APR_SUCCESS) {
            rv = ecl_db_commit(conn, result);
        }
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_db_query(conn, "SELECT n FROM t WHERE s = %s", ECL_ARGS(ECL_TEXT(name)), p, &rows,
                          result);
    }
    if (rv == APR_SUCCESS && (ecl_db_nrows(rows) != 1 || ecl_db_get_int(rows, 0, 0) != round)) {
        rv = ecl_fail(result, APR_EGENERAL, "lost", "row %s is not there", name);
    }
    return rv;
}

static void *APR_THREAD_FUNC run_thread(apr_thread_t *thread, void *data)
{
    thread_t *t = data;
    apr_pool_t *p;
    ecl_result_t result;

    (void)thread;
    apr_pool_create(&p, NULL);
    result = ecl_result_make(p);
    for (int round = 0; round < ROUNDS && !t->failure; round++) {
        ecl_db_conn_t *conn;
        apr_status_t rv = ecl_db_acquire(&conn, t->f->db, &result);

        if (rv == APR_SUCCESS) {
            rv = work(t, conn, round, p, &result);
            ecl_db_release(conn);
        }
        if (rv != APR_SUCCESS) {
            t->failure = strdup(result.detail);
        }
    }
    apr_pool_destroy(p);
    return NULL;
}

static void *APR_THREAD_FUNC run_lone_insert(apr_thread_t *thread, void *data)
{
    thread_t *t = data;
    ecl_result_t result = ecl_result_make(t->f->p);
    ecl_db_conn_t *conn;

    (void)thread;
    if (ecl_db_acquire(&conn, t->f->db, &result) != APR_SUCCESS) {
        t->failure = result.detail;
        return NULL;
    }
    if (ecl_db_exec(conn, "INSERT INTO t (n) VALUES (-1)", ECL_NO_ARGS, NULL, &result) !=
        APR_SUCCESS) {
        t->failure = result.detail;
    }
    ecl_db_release(conn);
    return NULL;
}

/* The driver's process-wide mutex must be free while a thread waits for SQLite's lock, or its
 * holder never gets to commit. Held for longer than the driver itself would wait. */
static void test_waiting_does_not_stop_the_holder(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *holder = acquire(f);
    apr_thread_t *thread;
    thread_t data = {f, 0, NULL};
    apr_time_t start, slowest = 0;
    apr_status_t rv;

    make_table(f, holder);
    OK(ecl_db_begin(holder, &f->result));
    assert_int_equal(apr_thread_create(&thread, NULL, run_lone_insert, &data, f->p), APR_SUCCESS);
    start = apr_time_now();
    for (int i = 0; i < 90; i++) {
        apr_time_t before = apr_time_now();
        OK(insert(f, holder, i, NULL));
        slowest = apr_time_now() - before > slowest ? apr_time_now() - before : slowest;
        apr_sleep(apr_time_from_msec(20));
    }
    OK(ecl_db_commit(holder, &f->result));
    apr_thread_join(&rv, thread);
    if (data.failure) {
        fail_msg("%s", data.failure);
    }
    assert_in_range(slowest, 0, apr_time_from_sec(5));
    assert_in_range(apr_time_now() - start, apr_time_from_msec(1800), apr_time_from_sec(9));
    assert_int_equal(count(f, holder), 91);
    ecl_db_release(holder);
}

/* On a new file, so that the first connections race as well; and more threads than connections. */
static void test_threads_share_a_database(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn;
    apr_thread_t *threads[THREADS];
    thread_t data[THREADS];
    apr_status_t rv;

    run_elsewhere(f, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, s TEXT UNIQUE)");
    OK(ecl_db_open(&f->db, "sqlite3", f->path, THREADS - 2, f->p, &f->result));
    for (int i = 0; i < THREADS; i++) {
        data[i] = (thread_t){f, i, NULL};
        assert_int_equal(apr_thread_create(&threads[i], NULL, run_thread, &data[i], f->p),
                         APR_SUCCESS);
    }
    for (int i = 0; i < THREADS; i++) {
        apr_thread_join(&rv, threads[i]);
        if (data[i].failure) {
            fail_msg("thread %d: %s", i, data[i].failure);
        }
    }
    conn = acquire(f);
    assert_int_equal(count(f, conn), THREADS * ROUNDS);
    ecl_db_release(conn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values_come_back_as_they_went, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_arguments_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connection_is_set_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queries_run_beside_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_schema_change_elsewhere_is_not_noticed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_native_pool_ends_before_its_connection, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_release_rolls_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_statement_fails_its_transaction, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_failed_commit_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wait_for_lock_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wait_for_connection_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ending_with_a_connection_in_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_calls_do_not_grow_a_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waiting_does_not_stop_the_holder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads_share_a_database, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
