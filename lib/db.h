/*
 * Database connections: the only file that includes apr_dbd.h, and the one place that knows its
 * traps (docs/architecture.md lists them). Everything else in the project calls this.
 *
 * An ecl_db_t is a process's pool of connections (apr_reslist), safe to share between threads; a
 * connection serves one thread at a time. Open it after fork(), never before. A connection that
 * failed is closed on release, never reused.
 *
 * SQL is a string literal with apr_dbd's placeholders: %s text, %lld 64-bit integer; a literal
 * percent sign is written %%. The same literal (by address) is prepared once per connection, so
 * never build SQL at run time per value. Values are always bound. Both drivers' SQL where it is the
 * same; else ask ecl_db_conn_driver.
 */
#ifndef ECL_DB_H
#define ECL_DB_H

#include "ecl.h"

typedef enum ecl_db_driver_t { ECL_DB_SQLITE3, ECL_DB_PGSQL } ecl_db_driver_t;

typedef struct ecl_db_t ecl_db_t;
typedef struct ecl_db_conn_t ecl_db_conn_t;
typedef struct ecl_db_rows_t ecl_db_rows_t;

/* One bound value. */
typedef struct ecl_db_value_t {
    enum { ECL_DB_NULL, ECL_DB_INT, ECL_DB_TEXT } kind;
    apr_int64_t number;
    const char *text;
} ecl_db_value_t;

#define ECL_NULL ((ecl_db_value_t){ECL_DB_NULL, 0, NULL})
#define ECL_INT(n) ((ecl_db_value_t){ECL_DB_INT, (n), NULL})
/* text may be NULL, which is SQL NULL; otherwise a NUL-terminated UTF-8 string */
#define ECL_TEXT(s) ecl_db_text(s)
static inline ecl_db_value_t ecl_db_text(const char *s)
{
    return (ecl_db_value_t){s ? ECL_DB_TEXT : ECL_DB_NULL, 0, s};
}

/* The arguments of a statement, counted by the compiler: ecl_db_exec(c, SQL, ECL_ARGS(…), …). */
#define ECL_ARGS(...)                                                                              \
    ((const ecl_db_value_t[]){__VA_ARGS__}),                                                       \
        (sizeof((const ecl_db_value_t[]){__VA_ARGS__}) / sizeof(ecl_db_value_t))
#define ECL_NO_ARGS NULL, 0

/* Makes the pool; connects nothing yet. driver is "sqlite3" or "pgsql", params as in
 * EclectycImportDatabase. max_connections is at least 1. Lives and is closed with p. */
apr_status_t ecl_db_open(ecl_db_t **pdb, const char *driver, const char *params,
                         int max_connections, apr_pool_t *p, ecl_result_t *result);

/* How long to wait for a free connection (default 5 s) and for another writer's lock (10 s), in
 * microseconds. Call it before the first acquire. */
void ecl_db_set_waits(ecl_db_t *db, apr_interval_time_t connection_us, apr_interval_time_t lock_us);

/* The connections are for reading: a statement that would write fails. None of them then waits for
 * a lock that a writer holds (SQLite in WAL mode; PostgreSQL). Call it before the first acquire. */
void ecl_db_set_read_only(ecl_db_t *db);

/* SQLite: a file, apart from the database, that tells that it was made (ecl_storage_marker). It is
 * kept up to date, and while it names the database, one whose file is missing or empty is refused
 * (ECL_EUNAVAILABLE, code "database-missing") rather than made anew; one that was moved back is
 * used again. Without a marker only what SQLite leaves beside a database tells. Call it before the
 * first acquire; path must live as long as db. */
void ecl_db_set_marker(ecl_db_t *db, const char *path);

/* Whether opening it would find a database, as far as files tell; touches nothing. SQLite:
 * ECL_ENOTFOUND, code "database-none", if it was not made yet, ECL_EUNAVAILABLE, code
 * "database-missing", as above. PostgreSQL: the server knows. */
apr_status_t ecl_db_look(const ecl_db_t *db, apr_pool_t *scratch, ecl_result_t *result);

/* Borrows a connection; opens one if needed. The wait for a free one is bounded.
 * ECL_EUNAVAILABLE: none to be had, the detail says why. */
apr_status_t ecl_db_acquire(ecl_db_conn_t **pconn, ecl_db_t *db, ecl_result_t *result);

/* Gives it back; an open transaction is rolled back, a failed connection closed. NULL is allowed.
 */
void ecl_db_release(ecl_db_conn_t *conn);

ecl_db_driver_t ecl_db_conn_driver(const ecl_db_conn_t *conn);

/* sqlite3 * or PGconn *, for migrations and bulk loads. Valid during a transaction; outside one,
 * until the next call on conn. Finalise what you prepare on it before the transaction ends, or keep
 * it in ecl_db_native_pool. After a failure on it call ecl_db_mark_failed: a transaction that is
 * open can then only be rolled back, and the connection is not used again. */
void *ecl_db_native(ecl_db_conn_t *conn);
/* Destroyed right before the native handle is closed, so another one for every handle: for
 * statements with a cleanup that finalises them. NULL while there is no handle. Take what you keep
 * there by its user data, once in each transaction: a pointer to it may outlive it. */
apr_pool_t *ecl_db_native_pool(ecl_db_conn_t *conn);
void ecl_db_mark_failed(ecl_db_conn_t *conn);

/* The same for a failure that the native handle has just told: classified and told as exec's would
 * be, after "what: ". Returns its status. */
apr_status_t ecl_db_fail_native(ecl_db_conn_t *conn, const char *what, ecl_result_t *result);

/* Plain BEGIN (SQLite: BEGIN IMMEDIATE), COMMIT and ROLLBACK, each checked. Transactions do not
 * nest. Waiting for SQLite's write lock is bounded, then ECL_EUNAVAILABLE.
 * A failed statement fails its transaction (as in PostgreSQL, for both drivers): what follows is
 * refused until the rollback. After commit the transaction is over, whatever commit returns; a
 * rollback without a transaction does nothing. A commit to an SQLite file that was moved away or
 * deleted is refused: ECL_EUNAVAILABLE, code "database-missing". */
apr_status_t ecl_db_begin(ecl_db_conn_t *conn, ecl_result_t *result);
apr_status_t ecl_db_commit(ecl_db_conn_t *conn, ecl_result_t *result);
void ecl_db_rollback(ecl_db_conn_t *conn);

/* Whether a transaction is open: for functions that make one of their own unless they are in one.
 */
int ecl_db_in_transaction(const ecl_db_conn_t *conn);

/* Runs a statement that returns no rows. paffected may be NULL; its number means nothing for DDL.
 * Outside a transaction the statement is one of its own.
 * Errors: ECL_EUNAVAILABLE (connection lost, locked too long), ECL_ENOSPACE (disk full), or
 * APR_EGENERAL with the database's own words. */
apr_status_t ecl_db_exec(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                         apr_size_t nargs, int *paffected, ecl_result_t *result);

/* Runs a query (or a statement with RETURNING) and copies its rows to p: keep result sets small,
 * with LIMIT. *prows is never NULL on success. */
apr_status_t ecl_db_query(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                          apr_size_t nargs, apr_pool_t *p, ecl_db_rows_t **prows,
                          ecl_result_t *result);

int ecl_db_nrows(const ecl_db_rows_t *rows);
/* Text of a value, NULL for SQL NULL; row and column count from 0; lives as long as the rows. */
const char *ecl_db_get(const ecl_db_rows_t *rows, int row, int column);
/* A value as integer; 0 for SQL NULL. The column must hold integers: anything else aborts (it is
 * a programming error, not data). */
apr_int64_t ecl_db_get_int(const ecl_db_rows_t *rows, int row, int column);

#endif /* ECL_DB_H */
