/* SQLite behind lib/db: the file, the settings of a connection, the meaning of its errors. */
#include <apr_tables.h>
#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "db_driver.h"
#include "db_sqlite3_file.h"

/* the size that the WAL is brought back to; what a commit waits for that, see bound_wal */
#define WAL_BYTES 67108864
#define WAL_WAIT_MS 1500

static apr_status_t check_params(const char *params, ecl_result_t *result)
{
    if (params[0] != '/') {
        return ecl_fail(result, ECL_ECONFIG, "database-path",
                        "database '%s' is not an absolute path", params);
    }
    return APR_SUCCESS;
}

static const char *complete_params(const char *params, apr_pool_t *p)
{
    return apr_pstrdup(p, params);
}

static const char *describe(const char *params, apr_pool_t *p)
{
    return apr_psprintf(p, "database '%s'", params);
}

static int take_int64(void *baton, int ncolumns, char **values, char **names)
{
    (void)names;
    return !(ncolumns == 1 && ecl_parse_int64(values[0], APR_INT64_MIN, APR_INT64_MAX, baton));
}

/* journal_mode=WAL stays with the file, the rest is each connection's own. All through the native
 * handle: apr_dbd takes a statement that returns a row, as this one does, for a failure. */
static int configure(void *native, int lock_wait_ms, int is_read_only)
{
    apr_time_t deadline = apr_time_now() + apr_time_from_msec(lock_wait_ms);
    int rc;

    sqlite3_busy_timeout(native, lock_wait_ms);
    /* of a new database only: half the system calls for what is written in bulk */
    sqlite3_exec(native, "PRAGMA page_size=8192", NULL, NULL, NULL);
    /* Two connections that turn the same new database to WAL would wait for each other: SQLite
     * then refuses one at once, whatever the timeout. */
    while ((rc = sqlite3_exec(native, "PRAGMA journal_mode=WAL", NULL, NULL, NULL)) ==
               SQLITE_BUSY &&
           apr_time_now() < deadline) {
        apr_sleep(apr_time_from_msec(10));
    }
    if (rc == SQLITE_OK && is_read_only) {
        rc = sqlite3_exec(native, "PRAGMA query_only=ON", NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        return rc;
    }
    /* without FULL a power cut could take back a commit that was reported */
    return sqlite3_exec(native,
                        "PRAGMA foreign_keys=ON; PRAGMA synchronous=FULL;"
                        "PRAGMA journal_size_limit=" APR_STRINGIFY(WAL_BYTES),
                        NULL, NULL, NULL);
}

/* Reads of others that overlap without a gap keep SQLite from ever starting the WAL anew, and it
 * grows for as long as somebody writes. Beyond WAL_BYTES we wait now and then for those who read
 * what is old, which nobody who begins meanwhile does. Behind a read that takes longer than that
 * the WAL grows until it ends. */
static void bound_wal(sqlite3 *sqlite)
{
    static _Thread_local apr_int64_t next_try = WAL_BYTES;
    const char *path = sqlite3_filename_wal(sqlite3_db_filename(sqlite, "main"));
    apr_int64_t lock_wait_ms = 0;
    struct stat st;

    if (stat(path, &st) != 0 || st.st_size <= WAL_BYTES) {
        next_try = WAL_BYTES;
        return;
    }
    if (st.st_size < next_try ||
        sqlite3_exec(sqlite, "PRAGMA busy_timeout", take_int64, &lock_wait_ms, NULL) != SQLITE_OK) {
        return;
    }
    next_try = st.st_size + WAL_BYTES / 4;
    sqlite3_busy_timeout(sqlite, WAL_WAIT_MS);
    sqlite3_wal_checkpoint_v2(sqlite, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(sqlite, (int)lock_wait_ms);
}

static int control(void *native, const char *sql)
{
    int rc = sqlite3_exec(native, sql, NULL, NULL, NULL);

    if (rc == SQLITE_OK && !strcmp(sql, "COMMIT")) {
        bound_wal(native);
    }
    return rc;
}

static int is_in_transaction(void *native)
{
    return !sqlite3_get_autocommit(native);
}

/* What is written to a file that has lost its name is lost with the last connection. */
static int is_displaced(void *native)
{
    int has_moved = 0;

    return sqlite3_file_control(native, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved) == SQLITE_OK &&
           has_moved;
}

static ecl_db_failure_t classify(void *native)
{
    int os_error = sqlite3_system_errno(native);

    switch (sqlite3_errcode(native) & 0xff) {
    case SQLITE_SCHEMA: /* it changed again and again */
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ECL_DB_BUSY;
    case SQLITE_FULL:
        return ECL_DB_NO_SPACE;
    case SQLITE_IOERR:
        /* SQLite says SQLITE_FULL for a failed write only, and does not know quotas */
        return os_error == ENOSPC || os_error == EDQUOT ? ECL_DB_NO_SPACE : ECL_DB_LOST;
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
        return ECL_DB_LOST;
    case SQLITE_CONSTRAINT:
        return ECL_DB_CONSTRAINT;
    default:
        return ECL_DB_OTHER;
    }
}

/* ---- statements ------------------------------------------------------------------------------ */

static void *prepare(void *native, const char *sql, apr_pool_t *scratch)
{
    char *text = apr_palloc(scratch, strlen(sql) + 1), *out = text;
    sqlite3_stmt *statement = NULL;

    while (*sql) {
        if (!strncmp(sql, "%%", 2)) {
            *out++ = '%';
            sql += 2;
        } else if (!strncmp(sql, "%s", 2)) {
            *out++ = '?';
            sql += 2;
        } else if (!strncmp(sql, "%lld", 4)) {
            *out++ = '?';
            sql += 4;
        } else {
            *out++ = *sql++;
        }
    }
    *out = '\0';
    /* the present interface prepares anew by itself when the schema has changed */
    sqlite3_prepare_v3(native, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    return statement;
}

static int bind_args(sqlite3_stmt *statement, const ecl_db_value_t *args, apr_size_t nargs)
{
    int rc = SQLITE_OK;

    for (apr_size_t i = 0; i < nargs && rc == SQLITE_OK; i++) {
        if (args[i].kind == ECL_DB_TEXT) {
            rc = sqlite3_bind_text(statement, (int)i + 1, args[i].text, -1, SQLITE_STATIC);
        } else if (args[i].kind == ECL_DB_INT) {
            rc = sqlite3_bind_int64(statement, (int)i + 1, args[i].number);
        } /* what is not bound is NULL */
    }
    return rc;
}

static void take_row(sqlite3_stmt *statement, int ncolumns, apr_array_header_t *cells)
{
    for (int i = 0; i < ncolumns; i++) {
        const unsigned char *text = sqlite3_column_text(statement, i);

        APR_ARRAY_PUSH(cells, const char *) =
            text ? apr_pstrdup(cells->pool, (const char *)text) : NULL;
    }
}

static int run(void *native_statement, const ecl_db_value_t *args, apr_size_t nargs, int *paffected,
               apr_pool_t *p, ecl_db_rows_t **prows)
{
    sqlite3_stmt *statement = native_statement;
    int ncolumns = sqlite3_column_count(statement), rc = bind_args(statement, args, nargs);
    apr_array_header_t *cells =
        p ? apr_array_make(p, ncolumns > 0 ? ncolumns : 1, sizeof(const char *)) : NULL;

    if (rc == SQLITE_OK) {
        while (sqlite3_step(statement) == SQLITE_ROW) {
            if (cells) {
                take_row(statement, ncolumns, cells);
            }
        }
        *paffected = sqlite3_changes(sqlite3_db_handle(statement));
        rc = sqlite3_reset(statement); /* the error of the last step, if it had one */
    }
    sqlite3_clear_bindings(statement);
    if (rc == SQLITE_OK && cells) {
        ecl_db_rows_t *rows = apr_palloc(p, sizeof *rows);

        rows->ncolumns = ncolumns;
        rows->nrows = ncolumns ? cells->nelts / ncolumns : 0;
        rows->cells = (const char **)cells->elts;
        *prows = rows;
    }
    return rc;
}

static void finish(void *statement)
{
    sqlite3_finalize(statement);
}

const ecl_db_dialect_t ecl_db_sqlite3 = {
    .driver = ECL_DB_SQLITE3,
    .name = "sqlite3",
    .begin = "BEGIN IMMEDIATE",
    .check_params = check_params,
    .complete_params = complete_params,
    .describe = describe,
    .look = ecl_db_sqlite3_look,
    .prepare_open = ecl_db_sqlite3_prepare,
    .configure = configure,
    .mark = ecl_db_sqlite3_mark,
    .control = control,
    .is_in_transaction = is_in_transaction,
    .is_lost = is_displaced,
    .is_displaced = is_displaced,
    .classify = classify,
    .prepare = prepare,
    .run = run,
    .finish = finish,
};
