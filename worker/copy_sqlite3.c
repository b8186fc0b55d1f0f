/* SQLite for copy.c. */
#include <sqlite3.h>
#include <sys/stat.h>

#include "copy_driver.h"

static const char copying[] = "cannot copy";

static apr_status_t identify(ecl_db_conn_t *conn, const char **pidentity, apr_pool_t *p,
                             ecl_result_t *result)
{
    const char *path = sqlite3_db_filename(ecl_db_native(conn), "main");
    struct stat st;

    if (stat(path, &st) != 0) {
        return ecl_fail(result, ECL_EUNAVAILABLE, "database-unavailable", "cannot see '%s': %s",
                        path, ecl_strerror(errno, p));
    }
    *pidentity = apr_psprintf(p, "file %" APR_UINT64_T_FMT ":%" APR_UINT64_T_FMT,
                              (apr_uint64_t)st.st_dev, (apr_uint64_t)st.st_ino);
    return APR_SUCCESS;
}

/* lib/db begins a transaction that has the write lock */
static apr_status_t begin(ecl_db_conn_t *conn, apr_pool_t *p, ecl_result_t *result)
{
    (void)p;
    return ecl_db_begin(conn, result);
}

static apr_status_t number(ecl_db_conn_t *conn, const char *sql, apr_int64_t *pnumber,
                           ecl_result_t *result)
{
    sqlite3_stmt *stmt = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (sqlite3_prepare_v2(ecl_db_native(conn), sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        *pnumber = sqlite3_column_int64(stmt, 0);
    } else {
        rv = ecl_db_fail_native(conn, copying, result);
    }
    sqlite3_finalize(stmt);
    return rv;
}

static apr_status_t execute(ecl_db_conn_t *conn, const char *sql, ecl_result_t *result)
{
    return sqlite3_exec(ecl_db_native(conn), sql, NULL, NULL, NULL) == SQLITE_OK
               ? APR_SUCCESS
               : ecl_db_fail_native(conn, copying, result);
}

static apr_status_t read_table(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                               ecl_copy_on_row_t *on_row, void *baton, apr_pool_t *p,
                               ecl_result_t *result)
{
    const char *sql =
        apr_psprintf(p, "SELECT %s FROM %s ORDER BY %s", table->columns, table->name, table->order);
    ecl_copy_cell_t cells[ECL_COPY_COLUMNS];
    int columns = ecl_copy_count_columns(table), rc;
    sqlite3_stmt *stmt = NULL;
    apr_status_t rv = APR_SUCCESS;

    rc = sqlite3_prepare_v2(ecl_db_native(conn), sql, -1, &stmt, NULL);
    while (rv == APR_SUCCESS && stmt && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++) {
            cells[i].text = (const char *)sqlite3_column_text(stmt, i);
            cells[i].length = (apr_size_t)sqlite3_column_bytes(stmt, i);
        }
        rv = on_row(baton, cells, result);
    }
    if (rv == APR_SUCCESS && rc != SQLITE_DONE) {
        rv = ecl_db_fail_native(conn, apr_psprintf(p, "cannot read %s", table->name), result);
    }
    sqlite3_finalize(stmt);
    return rv;
}

/* ---- writing -------------------------------------------------------------------------------- */

typedef struct writer_t {
    ecl_db_conn_t *conn;
    sqlite3_stmt *stmt;
    int columns;
    const char *what;
} writer_t;

static apr_status_t finish(void *writer)
{
    sqlite3_finalize(((writer_t *)writer)->stmt);
    return APR_SUCCESS;
}

static apr_status_t write_begin(void **pwriter, ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_pool_t *p, ecl_result_t *result)
{
    writer_t *writer = apr_pcalloc(p, sizeof *writer);
    const char *marks = "?";

    writer->conn = conn;
    writer->columns = ecl_copy_count_columns(table);
    writer->what = apr_psprintf(p, "cannot write %s", table->name);
    for (int i = 1; i < writer->columns; i++) {
        marks = apr_pstrcat(p, marks, ",?", NULL);
    }
    if (sqlite3_prepare_v2(
            ecl_db_native(conn),
            apr_psprintf(p, "INSERT INTO %s (%s) VALUES (%s)", table->name, table->columns, marks),
            -1, &writer->stmt, NULL) != SQLITE_OK) {
        return ecl_db_fail_native(conn, writer->what, result);
    }
    apr_pool_cleanup_register(p, writer, finish, apr_pool_cleanup_null);
    *pwriter = writer;
    return APR_SUCCESS;
}

static apr_status_t write_row(void *baton, const ecl_copy_cell_t *cells, ecl_result_t *result)
{
    writer_t *writer = baton;
    int rc = SQLITE_OK;

    for (int i = 0; i < writer->columns && rc == SQLITE_OK; i++) {
        /* a column of integers makes an integer of it */
        rc = sqlite3_bind_text64(writer->stmt, i + 1, cells[i].text, cells[i].length, SQLITE_STATIC,
                                 SQLITE_UTF8);
    }
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(writer->stmt);
    }
    if (rc != SQLITE_DONE) {
        return ecl_db_fail_native(writer->conn, writer->what, result);
    }
    sqlite3_reset(writer->stmt);
    return APR_SUCCESS;
}

static apr_status_t write_end(void *writer, ecl_result_t *result)
{
    (void)writer; /* ends with its pool */
    (void)result;
    return APR_SUCCESS;
}

/* ---- ids ------------------------------------------------------------------------------------ */

static apr_status_t get_next_id(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_int64_t *pnext, apr_pool_t *p, ecl_result_t *result)
{
    return number(conn,
                  apr_psprintf(p,
                               "SELECT 1 + max((SELECT coalesce(max(id), 0) FROM %s), coalesce("
                               "(SELECT seq FROM sqlite_sequence WHERE name = '%s'), 0))",
                               table->name, table->name),
                  pnext, result);
}

/* Tables without AUTOINCREMENT give the id after the highest that is there. */
static apr_status_t set_next_id(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_int64_t next, apr_pool_t *p, ecl_result_t *result)
{
    return execute(conn,
                   apr_psprintf(p,
                                "DELETE FROM sqlite_sequence WHERE name = '%s';"
                                "INSERT INTO sqlite_sequence (name, seq) SELECT name,"
                                " %" APR_INT64_T_FMT " FROM sqlite_master WHERE type = 'table'"
                                " AND name = '%s' AND sql LIKE '%%AUTOINCREMENT%%'"
                                " AND %" APR_INT64_T_FMT " > 0",
                                table->name, next - 1, table->name, next - 1),
                   result);
}

const ecl_copy_driver_t ecl_copy_sqlite3 = {
    .identify = identify,
    .begin = begin,
    .number = number,
    .read = read_table,
    .write_begin = write_begin,
    .write_row = write_row,
    .write_end = write_end,
    .get_next_id = get_next_id,
    .set_next_id = set_next_id,
};
