#include "migrate_driver.h"

static const ecl_migrate_driver_t *driver_of(const ecl_db_conn_t *conn)
{
    return ecl_db_conn_driver(conn) == ECL_DB_SQLITE3 ? &ecl_migrate_sqlite3 : &ecl_migrate_pgsql;
}

static int newest_known(const ecl_migrate_driver_t *driver)
{
    int number = 0;

    for (const ecl_migration_t *m = ecl_migrations; m->driver; m++) {
        if (!strcmp(m->driver, driver->name)) {
            number = m->number;
        }
    }
    return number;
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
    const ecl_migrate_driver_t *driver = driver_of(conn);
    const ecl_migration_t *next = ecl_migrations;
    apr_status_t rv = ecl_db_begin(conn, result);
    int have;

    *pdone = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = driver->lock ? driver->lock(conn, result) : APR_SUCCESS;
    if (rv == APR_SUCCESS) {
        rv = driver->read_version(conn, &have, result);
    }
    if (rv == APR_SUCCESS && have > want) {
        rv = refuse_newer(have, want, result);
    }
    if (rv == APR_SUCCESS && have < want) {
        while (strcmp(next->driver, driver->name) || next->number <= have) {
            next++;
        }
        rv = driver->apply(conn, next, result);
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
    const ecl_migrate_driver_t *driver = driver_of(conn);

    *phave = 0;
    *pwant = newest_known(driver);
    return driver->read_version(conn, phave, result);
}
