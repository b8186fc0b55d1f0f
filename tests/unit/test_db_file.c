/* An SQLite database whose file is not there: made, missing, moved away, put back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>

#include "directory.h"
#include "start_apr.h"
#include "lib/db.h"
#include "lib/storage.h"

#define OK(call) assert_int_equal((call), APR_SUCCESS)
#define PATH(name) apr_pstrcat(f->p, f->dir, "/", name, NULL)

typedef struct fixture_t {
    apr_pool_t *p;
    char dir[64];
    const char *path, *away, *marker;
    ecl_result_t result;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);

    assert_non_null(f);
    make_directory(f->dir, sizeof f->dir);
    OK(apr_pool_create(&f->p, NULL));
    f->path = PATH("x.db");
    f->away = PATH("away.db");
    f->marker = ecl_storage_marker(f->dir, f->p);
    f->result = ecl_result_make(f->p);
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

static ecl_db_t *open_db(fixture_t *f, apr_pool_t *p, const char *marker)
{
    ecl_db_t *db;

    OK(ecl_db_open(&db, "sqlite3", f->path, 4, p, &f->result));
    ecl_db_set_marker(db, marker);
    return db;
}

static ecl_db_conn_t *acquire(fixture_t *f, ecl_db_t *db)
{
    ecl_db_conn_t *conn = NULL;

    if (ecl_db_acquire(&conn, db, &f->result) != APR_SUCCESS) {
        fail_msg("%s", f->result.detail);
    }
    return conn;
}

static void expect_missing(fixture_t *f, apr_status_t rv, const char *words)
{
    assert_int_equal(rv, ECL_EUNAVAILABLE);
    assert_string_equal(f->result.code, "database-missing");
    assert_non_null(strstr(f->result.detail, f->path));
    if (!strstr(f->result.detail, words)) {
        fail_msg("%s", f->result.detail);
    }
}

static void insert(fixture_t *f, ecl_db_conn_t *conn, apr_int64_t n)
{
    OK(ecl_db_exec(conn, "INSERT INTO t (n) VALUES (%lld)", ECL_ARGS(ECL_INT(n)), NULL,
                   &f->result));
}

static apr_int64_t sum(fixture_t *f, ecl_db_conn_t *conn)
{
    ecl_db_rows_t *rows;

    OK(ecl_db_query(conn, "SELECT sum(n) FROM t", ECL_NO_ARGS, f->p, &rows, &f->result));
    return ecl_db_get_int(rows, 0, 0);
}

/* A database with 1 in it, closed, so that SQLite leaves nothing beside it. */
static void make_database(fixture_t *f, const char *marker)
{
    apr_pool_t *p;
    ecl_db_conn_t *conn;
    ecl_db_t *db;

    OK(apr_pool_create(&p, NULL));
    db = open_db(f, p, marker);
    conn = acquire(f, db);
    OK(ecl_db_exec(conn, "CREATE TABLE t (n INTEGER)", ECL_NO_ARGS, NULL, &f->result));
    insert(f, conn, 1);
    ecl_db_release(conn);
    apr_pool_destroy(p);
    assert_int_not_equal(access(PATH("x.db-wal"), F_OK), 0);
}

static void test_the_first_start_makes_it(void **state)
{
    fixture_t *f = *state;
    ecl_db_t *db = open_db(f, f->p, f->marker);
    struct stat st;

    assert_int_equal(ecl_db_look(db, f->p, &f->result), ECL_ENOTFOUND);
    assert_string_equal(f->result.code, "database-none");
    assert_int_not_equal(access(f->path, F_OK), 0);
    ecl_db_release(acquire(f, db));
    OK(ecl_db_look(db, f->p, &f->result));
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
}

static void test_a_marked_one_is_not_made_again(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn = NULL;
    ecl_db_t *db, *other;

    make_database(f, f->marker);
    assert_int_equal(access(f->marker, R_OK), 0);
    assert_int_equal(rename(f->path, f->away), 0);
    db = open_db(f, f->p, f->marker);
    expect_missing(f, ecl_db_look(db, f->p, &f->result), "the storage directory knows it");
    expect_missing(f, ecl_db_acquire(&conn, db, &f->result), "no new one is made");
    assert_null(conn);
    assert_int_not_equal(access(f->path, F_OK), 0);

    /* another path is another database, and from then on the one that is known */
    OK(ecl_db_open(&other, "sqlite3", PATH("y.db"), 1, f->p, &f->result));
    ecl_db_set_marker(other, f->marker);
    ecl_db_release(acquire(f, other));

    assert_int_equal(rename(f->away, f->path), 0);
    conn = acquire(f, db);
    assert_int_equal(sum(f, conn), 1);
    ecl_db_release(conn);
}

static void test_an_empty_file_is_no_database_that_was_there(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn;
    FILE *file;

    make_database(f, f->marker);
    file = fopen(f->path, "w");
    assert_non_null(file);
    fclose(file);
    expect_missing(f, ecl_db_acquire(&conn, open_db(f, f->p, f->marker), &f->result),
                   "missing or empty");
    /* who asks for a new one, without the marker, gets it */
    ecl_db_release(acquire(f, open_db(f, f->p, NULL)));
}

/* The commits that are in a -wal are lost when a new database is made beside it. */
static void test_what_sqlite_leaves_tells(void **state)
{
    static const char *const endings[] = {"-wal", "-shm"};
    fixture_t *f = *state;
    ecl_db_t *db = open_db(f, f->p, NULL);

    for (int i = 0; i < 2; i++) {
        const char *remains = apr_pstrcat(f->p, f->path, endings[i], NULL);
        FILE *file = fopen(remains, "w");
        ecl_db_conn_t *conn;

        assert_non_null(file);
        fputs("x", file);
        fclose(file);
        expect_missing(f, ecl_db_acquire(&conn, db, &f->result),
                       apr_psprintf(f->p, "'%s' is left of it", remains));
        assert_int_equal(access(remains, F_OK), 0);
        assert_int_equal(remove(remains), 0);
    }
    ecl_db_release(acquire(f, db));
}

static void test_nothing_is_written_to_one_that_was_moved(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *in_hand, *idle;
    ecl_db_t *db;

    make_database(f, f->marker);
    db = open_db(f, f->p, f->marker);
    in_hand = acquire(f, db);
    idle = acquire(f, db);
    insert(f, idle, 2);
    OK(ecl_db_begin(in_hand, &f->result));
    insert(f, in_hand, 4);
    assert_int_equal(rename(f->path, f->away), 0);

    expect_missing(f, ecl_db_commit(in_hand, &f->result), "was moved away or deleted");
    expect_missing(f, ecl_db_begin(idle, &f->result), "no new one is made");
    expect_missing(f,
                   ecl_db_exec(idle, "INSERT INTO t (n) VALUES (8)", ECL_NO_ARGS, NULL, &f->result),
                   "no new one is made");
    ecl_db_release(in_hand);
    ecl_db_release(idle);
    expect_missing(f, ecl_db_acquire(&idle, db, &f->result), "no new one is made");
    /* the -wal, with 2 in it, stays for the database to come back to */
    assert_int_equal(access(PATH("x.db-wal"), F_OK), 0);

    assert_int_equal(rename(f->away, f->path), 0);
    idle = acquire(f, db);
    assert_int_equal(sum(f, idle), 3);
    insert(f, idle, 16);
    ecl_db_release(idle);
}

static void test_a_deleted_one_takes_nothing_more(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *conn;
    ecl_db_t *db;

    make_database(f, f->marker);
    db = open_db(f, f->p, f->marker);
    conn = acquire(f, db);
    OK(ecl_db_begin(conn, &f->result));
    insert(f, conn, 2);
    assert_int_equal(remove(f->path), 0);
    expect_missing(f, ecl_db_commit(conn, &f->result), "was moved away or deleted");
    ecl_db_release(conn);
    remove(PATH("x.db-wal"));
    remove(PATH("x.db-shm"));
    expect_missing(f, ecl_db_acquire(&conn, db, &f->result), "the storage directory knows it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_first_start_makes_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_marked_one_is_not_made_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_empty_file_is_no_database_that_was_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_sqlite_leaves_tells, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_written_to_one_that_was_moved, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_deleted_one_takes_nothing_more, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
