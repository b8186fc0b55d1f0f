/* Migrations of SQLite, all on the native handle: everyday statements would be prepared against a
 * schema that is about to change. */
#include <sqlite3.h>

#include "migrate_driver.h"

static apr_status_t fail_native(ecl_db_conn_t *conn, const char *what, ecl_result_t *result)
{
    sqlite3 *sqlite = ecl_db_native(conn);
    int code = sqlite3_errcode(sqlite) & 0xff;
    apr_status_t status = code == SQLITE_FULL                           ? ECL_ENOSPACE
                          : code == SQLITE_BUSY || code == SQLITE_IOERR ? ECL_EUNAVAILABLE
                                                                        : APR_EGENERAL;

    ecl_fail(result, status, "migration-failed", "%s: %s", what, sqlite3_errmsg(sqlite));
    ecl_db_mark_failed(conn);
    return status;
}

static int take_int(void *baton, int ncolumns, char **values, char **names)
{
    apr_int64_t value = 0;

    (void)names;
    if (ncolumns != 1 || (values[0] && !ecl_parse_int64(values[0], 0, APR_INT32_MAX, &value))) {
        return 1;
    }
    *(int *)baton = (int)value;
    return 0;
}

static apr_status_t read_version(ecl_db_conn_t *conn, int *pversion, ecl_result_t *result)
{
    static const char has_table[] =
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'";
    static const char newest[] = "SELECT max(version) FROM schema_migrations";
    sqlite3 *sqlite = ecl_db_native(conn);
    int exists = 0;

    *pversion = 0;
    if (sqlite3_exec(sqlite, has_table, take_int, &exists, NULL) != SQLITE_OK ||
        (exists && sqlite3_exec(sqlite, newest, take_int, pversion, NULL) != SQLITE_OK)) {
        return fail_native(conn, "cannot read the database's schema version", result);
    }
    return APR_SUCCESS;
}

static apr_status_t record(ecl_db_conn_t *conn, const ecl_migration_t *migration)
{
    sqlite3 *sqlite = ecl_db_native(conn);
    sqlite3_stmt *insert = NULL;
    int rc = sqlite3_prepare_v2(
        sqlite, "INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)", -1,
        &insert, NULL);

    if (rc == SQLITE_OK) {
        sqlite3_bind_int(insert, 1, migration->number);
        sqlite3_bind_text(insert, 2, migration->name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, apr_time_now());
        rc = sqlite3_step(insert);
    }
    sqlite3_finalize(insert);
    return rc == SQLITE_DONE ? APR_SUCCESS : APR_EGENERAL;
}

static apr_status_t apply(ecl_db_conn_t *conn, const ecl_migration_t *migration,
                          ecl_result_t *result)
{
    static const char table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                "version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                                "applied_at INTEGER NOT NULL)";
    sqlite3 *sqlite = ecl_db_native(conn);
    char what[128];

    if (sqlite3_exec(sqlite, table, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(sqlite, migration->sql, NULL, NULL, NULL) != SQLITE_OK ||
        record(conn, migration) != APR_SUCCESS) {
        snprintf(what, sizeof what, "migration %s/%s.sql failed", migration->driver,
                 migration->name);
        return fail_native(conn, what, result);
    }
    return APR_SUCCESS;
}

const ecl_migrate_driver_t ecl_migrate_sqlite3 = {
    .name = "sqlite3", .lock = NULL, .read_version = read_version, .apply = apply};
