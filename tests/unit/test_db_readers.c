/* Connections for reading (ecl_db_set_read_only), for each of the two databases. */
#include <apr_general.h>

#include "databases.h"
#include "succeeding.h"

typedef struct fixture_t {
    apr_pool_t *p;
    test_database_t *database;
    ecl_db_t *writers, *readers;
    ecl_db_conn_t *writer, *reader;
    ecl_result_t result;
} fixture_t;

static ecl_db_conn_t *connect_to(fixture_t *f, ecl_db_t **pdb, int is_read_only)
{
    ecl_db_conn_t *conn = NULL;

    OK(ecl_db_open(pdb, f->database->driver, f->database->params, 1, f->p, &f->result));
    if (is_read_only) {
        ecl_db_set_read_only(*pdb);
    }
    OK(ecl_db_acquire(&conn, *pdb, &f->result));
    return conn;
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->database = make_database();
    assert_int_equal(apr_pool_create(&f->p, NULL), APR_SUCCESS);
    f->result = ecl_result_make(f->p);
    f->writer = connect_to(f, &f->writers, 0);
    OK(ecl_db_exec(f->writer, "CREATE TABLE t (n INTEGER)", ECL_NO_ARGS, NULL, &f->result));
    f->reader = connect_to(f, &f->readers, 1);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;

    ecl_db_release(f->reader);
    ecl_db_release(f->writer);
    apr_pool_destroy(f->p);
    remove_database(f->database);
    free(f);
    return 0;
}

static int count_rows(fixture_t *f)
{
    ecl_db_rows_t *rows;

    OK(ecl_db_query(f->reader, "SELECT n FROM t", ECL_NO_ARGS, f->p, &rows, &f->result));
    return ecl_db_nrows(rows);
}

static void test_it_reads_while_others_write(void **state)
{
    static const char insert[] = "INSERT INTO t (n) VALUES (%lld)";
    fixture_t *f = *state;

    OK(ecl_db_begin(f->writer, &f->result));
    OK(ecl_db_exec(f->writer, insert, ECL_ARGS(ECL_INT(1)), NULL, &f->result));
    assert_int_equal(count_rows(f), 0);
    OK(ecl_db_commit(f->writer, &f->result));
    assert_int_equal(count_rows(f), 1);
}

static void test_it_cannot_write(void **state)
{
    static const char *const writing[] = {
        "INSERT INTO t (n) VALUES (1)",
        "INSERT INTO t (n) VALUES (1) RETURNING n",
        "CREATE TABLE u (n INTEGER)",
    };
    fixture_t *f = *state;
    ecl_db_rows_t *rows;

    for (apr_size_t i = 0; i < sizeof writing / sizeof *writing; i++) {
        assert_int_not_equal(
            ecl_db_query(f->reader, writing[i], ECL_NO_ARGS, f->p, &rows, &f->result), APR_SUCCESS);
        assert_non_null(strstr(f->result.detail, "read"));
    }
    assert_int_equal(count_rows(f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_reads_while_others_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_cannot_write, set_up, tear_down),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
