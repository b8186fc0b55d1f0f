#include <sqlite3.h>

#include "migrate.h"
#include "migrations.h"

static const char *driver_name(const ecl_db_conn_t *conn)
{
    return ecl_db_conn_driver(conn) == ECL_DB_SQLITE3 ? "sqlite3" : "pgsql";
}

static int newest_known(const char *driver)
{
    int number = 0;

    for (const ecl_migration_t *m = ecl_migrations; m->driver; m++) {
        if (!strcmp(m->driver, driver)) {
            number = m->number;
        }
    }
    return number;
}

/* PostgreSQL's connections are served; its schema is not written yet. */
static apr_status_t check_driver(const ecl_db_conn_t *conn, ecl_result_t *result)
{
    const char *driver = driver_name(conn);

    if (ecl_db_conn_driver(conn) != ECL_DB_SQLITE3 || newest_known(driver) == 0) {
        return ecl_fail(result, ECL_ECONFIG, "no-migrations",
                        "this version (%s) has no schema for %s: use sqlite3", ECL_VERSION, driver);
    }
    return APR_SUCCESS;
}

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

/* The newest version applied; 0 for a database without our table. Native: everyday statements would
 * be prepared against a schema that is about to change. */
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

static apr_status_t refuse_newer(int have, int want, ecl_result_t *result)
{
    return ecl_fail(result, ECL_ESCHEMA, "schema-too-new",
                    "the database has schema version %d, this program (%s) knows up to %d: "
                    "install the program that wrote it, or a newer one",
                    have, ECL_VERSION, want);
}

/* Applies the first migration that is missing, if any, in a transaction of its own. The version is
 * read under its lock: another process may have been faster. */
static apr_status_t apply_next(ecl_db_conn_t *conn, int want, int *pdone, ecl_result_t *result)
{
    const ecl_migration_t *next = ecl_migrations;
    apr_status_t rv = ecl_db_begin(conn, result);
    int have;

    *pdone = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = read_version(conn, &have, result);
    if (rv == APR_SUCCESS && have > want) {
        rv = refuse_newer(have, want, result);
    }
    if (rv == APR_SUCCESS && have < want) {
        while (strcmp(next->driver, driver_name(conn)) || next->number <= have) {
            next++;
        }
        rv = apply(conn, next, result);
        *pdone = rv == APR_SUCCESS;
    }
    if (!*pdone) {
        ecl_db_rollback(conn);
        return rv;
    }
    return ecl_db_commit(conn, result);
}

apr_status_t ecl_migrate_up(ecl_db_conn_t *conn, int *papplied, ecl_result_t *result)
{
    int have, want, is_applied, count = 0;
    apr_status_t rv = ecl_migrate_state(conn, &have, &want, result);

    if (rv == APR_SUCCESS && have > want) {
        rv = refuse_newer(have, want, result);
    }
    /* without the lock while there is nothing to do */
    is_applied = have < want;
    while (rv == APR_SUCCESS && is_applied) {
        rv = apply_next(conn, want, &is_applied, result);
        count += rv == APR_SUCCESS && is_applied;
    }
    if (papplied) {
        *papplied = count;
    }
    return rv;
}

apr_status_t ecl_migrate_state(ecl_db_conn_t *conn, int *phave, int *pwant, ecl_result_t *result)
{
    apr_status_t rv = check_driver(conn, result);

    *phave = 0;
    *pwant = newest_known(driver_name(conn));
    return rv == APR_SUCCESS ? read_version(conn, phave, result) : rv;
}
