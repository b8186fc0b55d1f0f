#include "sql.h"

/* What a statement for a batch keeps in memory to undo itself with: the pages that it changes and
 * does not add. SQLite's own limit of 64 KiB is that of eight pages, then it writes a file. */
#define STATEMENT_JOURNAL_BYTES (1024 * 1024)

void ecl_sql_configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, STATEMENT_JOURNAL_BYTES);
}

apr_status_t ecl_sql_fail(sqlite3 *sqlite, int rc, const char *what, ecl_result_t *result)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return ecl_fail(result, ECL_ENOSPACE, "disk-full", "cannot %s: the disk is full", what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL:
        return ecl_fail(result, ECL_EUNAVAILABLE, "database-unavailable", "cannot %s: %s", what,
                        sqlite3_errmsg(sqlite));
    default:
        return ecl_fail(result, APR_EGENERAL, "database-error", "cannot %s: %s", what,
                        sqlite3_errmsg(sqlite));
    }
}

static apr_status_t finalize(void *stmt)
{
    sqlite3_finalize(stmt);
    return APR_SUCCESS;
}

apr_status_t ecl_sql_prepare(sqlite3_stmt **pstmt, sqlite3 *sqlite, const char *sql, apr_pool_t *p,
                             ecl_result_t *result)
{
    int rc = sqlite3_prepare_v3(sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, pstmt, NULL);

    if (rc != SQLITE_OK) {
        return ecl_sql_fail(sqlite, rc, "prepare a statement", result);
    }
    apr_pool_cleanup_register(p, *pstmt, finalize, apr_pool_cleanup_null);
    return APR_SUCCESS;
}

void ecl_sql_bind_ints(sqlite3_stmt *stmt, int count, const apr_int64_t *values)
{
    for (int i = 0; i < count; i++) {
        sqlite3_bind_int64(stmt, i + 1, values[i]);
    }
}

apr_status_t ecl_sql_run(sqlite3_stmt *stmt, const char *what, ecl_result_t *result)
{
    int found;
    apr_status_t rv = ecl_sql_step(stmt, &found, what, result);

    if (rv == APR_SUCCESS && found) {
        sqlite3_reset(stmt);
    }
    return rv;
}

apr_status_t ecl_sql_step(sqlite3_stmt *stmt, int *pfound, const char *what, ecl_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;
    int rc = sqlite3_step(stmt);

    *pfound = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW) {
        if (rc != SQLITE_DONE) {
            /* before the reset: it keeps the words, but only for this connection's last call */
            rv = ecl_sql_fail(sqlite3_db_handle(stmt), rc, what, result);
        }
        sqlite3_reset(stmt);
    }
    return rv;
}
