/*
 * The same tests over both databases: an empty database of the driver in turn for each test.
 *
 * PostgreSQL's are made on the server whose parameters stand in ECL_TEST_PGSQL, as `make unit` sets
 * it (tests/tools/with_postgres.sh).
 */
#ifndef DATABASES_H
#define DATABASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libpq-fe.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_general.h>

#include "directory.h"
#include "lib/db.h"

typedef struct test_database_t {
    const char *driver;
    char params[400]; /* of ecl_db_open */
    char name[80];    /* of the directory, or the database */
} test_database_t;

/* "sqlite3" or "pgsql": what make_database makes. */
static const char *test_driver = "sqlite3";

static inline const char *test_server(void)
{
    return getenv("ECL_TEST_PGSQL");
}

/* Runs a command on the server itself. */
static inline void on_server(const char *sql)
{
    PGconn *pg = PQconnectdb(test_server());
    PGresult *answer = PQexec(pg, sql);

    if (PQresultStatus(answer) != PGRES_COMMAND_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    }
    PQclear(answer);
    PQfinish(pg);
}

static inline test_database_t *make_database(void)
{
    static int count;
    test_database_t *database = calloc(1, sizeof *database);
    char sql[200];

    assert_non_null(database);
    database->driver = test_driver;
    if (!strcmp(test_driver, "sqlite3")) {
        make_directory(database->name, sizeof database->name);
        snprintf(database->params, sizeof database->params, "%s/test.db", database->name);
        return database;
    }
    snprintf(database->name, sizeof database->name, "test_%d_%d", (int)getpid(), count++);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE template0", database->name);
    on_server(sql);
    snprintf(database->params, sizeof database->params, "%s dbname=%s", test_server(),
             database->name);
    return database;
}

/* After its connections were closed. */
static inline void remove_database(test_database_t *database)
{
    char sql[200];

    if (!strcmp(database->driver, "sqlite3")) {
        remove_directory(database->name);
    } else {
        snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", database->name);
        on_server(sql);
    }
    free(database);
}

/* ---- looking behind the scenes -------------------------------------------------------------- */

static inline int add_sqlite_row(void *text, int count, char **values, char **names)
{
    (void)names;
    for (int i = 0; i < count; i++) {
        sqlite3_str_appendf(text, "%s|", values[i] ? values[i] : "NULL");
    }
    sqlite3_str_appendall(text, "\n");
    return 0;
}

/* Runs any number of statements. The rows as lines, with a bar after each value; allocated from p.
 */
static inline const char *database_query(ecl_db_conn_t *conn, const char *sql, apr_pool_t *p)
{
    void *native = ecl_db_native(conn);
    sqlite3_str *text = sqlite3_str_new(NULL);
    PGresult *answer;
    const char *copy;
    char *owned;

    if (ecl_db_conn_driver(conn) == ECL_DB_SQLITE3) {
        if (sqlite3_exec(native, sql, add_sqlite_row, text, NULL) != SQLITE_OK) {
            fail_msg("%s: %s", sql, sqlite3_errmsg(native));
        }
    } else {
        assert_int_equal(PQsendQuery(native, sql), 1);
        while ((answer = PQgetResult(native))) {
            if (PQresultStatus(answer) != PGRES_COMMAND_OK &&
                PQresultStatus(answer) != PGRES_TUPLES_OK) {
                fail_msg("%s: %s", sql, PQerrorMessage(native));
            }
            for (int row = 0; row < PQntuples(answer); row++) {
                for (int column = 0; column < PQnfields(answer); column++) {
                    sqlite3_str_appendf(text, "%s|",
                                        PQgetisnull(answer, row, column)
                                            ? "NULL"
                                            : PQgetvalue(answer, row, column));
                }
                sqlite3_str_appendall(text, "\n");
            }
            PQclear(answer);
        }
    }
    owned = sqlite3_str_finish(text);
    copy = apr_pstrdup(p, owned ? owned : "");
    sqlite3_free(owned);
    return copy;
}

/* The first value of the first row as an integer; 0 when there is none, or it is NULL. */
static inline apr_int64_t database_number(ecl_db_conn_t *conn, const char *sql, apr_pool_t *p)
{
    char *text = apr_pstrdup(p, database_query(conn, sql, p));
    apr_int64_t value = 0;

    text[strcspn(text, "|")] = '\0';
    if (*text && strcmp(text, "NULL") != 0) {
        assert_true(ecl_parse_int64(text, APR_INT64_MIN, APR_INT64_MAX, &value));
    }
    return value;
}

/* ---- running -------------------------------------------------------------------------------- */

/* What a main returns: runs the tests for each of the databases. */
#define RUN_FOR_EACH_DATABASE(tests)                                                               \
    run_for_each_database((tests), sizeof(tests) / sizeof((tests)[0]))

static inline int run_for_each_database(const struct CMUnitTest *tests, size_t count)
{
    int failed;

    apr_initialize();
    test_driver = "sqlite3";
    failed = _cmocka_run_group_tests(test_driver, tests, count, NULL, NULL);
    if (test_server()) {
        test_driver = "pgsql";
        failed += _cmocka_run_group_tests(test_driver, tests, count, NULL, NULL);
    } else {
        print_message("NOT RUN for PostgreSQL: ECL_TEST_PGSQL is not set (make unit sets it)\n");
    }
    apr_terminate();
    return failed;
}

#endif /* DATABASES_H */
