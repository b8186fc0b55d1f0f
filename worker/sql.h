/*
 * SQLite by its own interface, for the two places where statements run once per meter day and
 * apr_dbd would be too slow or too forgetful: store_sqlite3.c and scratch.c.
 */
#ifndef ECL_SQL_H
#define ECL_SQL_H

#include <sqlite3.h>

#include "../lib/ecl.h"

/* Sets SQLite up for a process in which a connection serves one thread at a time, and nobody asks
 * how much memory it has: without a mutex for every call and every allocation. Before its first
 * use; later it changes nothing. */
void ecl_sql_configure(void);

/* What went wrong on sqlite, whose last call returned rc. ECL_EUNAVAILABLE (busy, disk trouble),
 * ECL_ENOSPACE, or APR_EGENERAL with the database's own words. `what` was being done: "store
 * readings". */
apr_status_t ecl_sql_fail(sqlite3 *sqlite, int rc, const char *what, ecl_result_t *result);

/* Prepares a statement that is used many times; finalised with p. */
apr_status_t ecl_sql_prepare(sqlite3_stmt **pstmt, sqlite3 *sqlite, const char *sql, apr_pool_t *p,
                             ecl_result_t *result);

/* Binds integers to parameters 1, 2 … */
void ecl_sql_bind_ints(sqlite3_stmt *stmt, int count, const apr_int64_t *values);

/* Runs a statement that gives no rows (or whose rows do not matter), and resets it. */
apr_status_t ecl_sql_run(sqlite3_stmt *stmt, const char *what, ecl_result_t *result);

/* Steps a query once: *pfound is 1 when there is a row, whose columns may be read until
 * sqlite3_reset. When there is none, or on failure, the statement is reset already. */
apr_status_t ecl_sql_step(sqlite3_stmt *stmt, int *pfound, const char *what, ecl_result_t *result);

#endif /* ECL_SQL_H */
