/* Migrations of PostgreSQL. */
#include <libpq-fe.h>

#include "db_pgsql.h"
#include "migrate_driver.h"

/* COPY and generated columns of partitioned tables, as migrations and the store use them */
#define OLDEST_SERVER 130000

/* One row of integers. */
static apr_status_t query_ints(ecl_db_conn_t *conn, const char *sql, apr_int64_t *values, int count,
                               ecl_result_t *result)
{
    ecl_db_rows_t *rows;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, NULL);
    rv = ecl_db_query(conn, sql, ECL_NO_ARGS, p, &rows, result);
    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        values[i] = ecl_db_get_int(rows, 0, i);
    }
    apr_pool_destroy(p);
    return rv;
}

static apr_status_t lock(ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_int64_t ignored;

    /* clang-format off */
    return query_ints(conn, "SELECT 1 FROM pg_advisory_xact_lock(" ECL_PGSQL_LOCKS ", "
                      APR_STRINGIFY(ECL_PGSQL_LOCK_MIGRATE) ")", &ignored, 1, result);
    /* clang-format on */
}

static apr_status_t read_version(ecl_db_conn_t *conn, int *pversion, ecl_result_t *result)
{
    /* not by to_regclass, which may answer from what the session knew before it waited for lock()
     */
    static const char has_table[] =
        "SELECT count(*) FROM pg_class c"
        " WHERE c.relname = 'schema_migrations' AND pg_table_is_visible(c.oid)";
    apr_int64_t exists = 0, version = 0;
    apr_status_t rv = query_ints(conn, has_table, &exists, 1, result);

    if (rv == APR_SUCCESS && exists) {
        rv = query_ints(conn, "SELECT coalesce(max(version), 0) FROM schema_migrations", &version,
                        1, result);
    }
    *pversion = (int)version;
    return rv;
}

/* What the schema takes for granted. */
static apr_status_t check_server(ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_int64_t facts[2];
    apr_status_t rv = query_ints(conn,
                                 "SELECT current_setting('server_version_num')::integer,"
                                 " CASE current_setting('server_encoding') WHEN 'UTF8' THEN 1 "
                                 "ELSE 0 END",
                                 facts, 2, result);

    if (rv == APR_SUCCESS && facts[0] < OLDEST_SERVER) {
        return ecl_fail(result, ECL_ECONFIG, "database-too-old",
                        "the PostgreSQL server is of version %d; this program needs %d or later",
                        (int)(facts[0] / 10000), OLDEST_SERVER / 10000);
    }
    if (rv == APR_SUCCESS && !facts[1]) {
        return ecl_fail(result, ECL_ECONFIG, "database-encoding",
                        "the database's encoding is not UTF8: make one with CREATE DATABASE … "
                        "ENCODING 'UTF8' TEMPLATE template0");
    }
    return rv;
}

/* A file is many statements, which only the native handle takes at once. */
static apr_status_t run_file(ecl_db_conn_t *conn, const ecl_migration_t *migration,
                             ecl_result_t *result)
{
    PGresult *answer = PQexec(ecl_db_native(conn), migration->sql);
    apr_status_t rv = APR_SUCCESS;
    char what[128];

    if (PQresultStatus(answer) != PGRES_COMMAND_OK) {
        snprintf(what, sizeof what, "migration %s/%s.sql failed", migration->driver,
                 migration->name);
        rv = ecl_db_fail_native(conn, what, result);
    }
    PQclear(answer);
    return rv;
}

static apr_status_t apply(ecl_db_conn_t *conn, const ecl_migration_t *migration,
                          ecl_result_t *result)
{
    static const char table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                "version INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                                "applied_at BIGINT NOT NULL)";
    static const char note[] =
        "INSERT INTO schema_migrations (version, name, applied_at) VALUES (%lld, %s, %lld)";
    apr_status_t rv = check_server(conn, result);

    if (rv == APR_SUCCESS) {
        rv = ecl_db_exec(conn, table, ECL_NO_ARGS, NULL, result);
    }
    if (rv == APR_SUCCESS) {
        rv = run_file(conn, migration, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_db_exec(conn, note,
                         ECL_ARGS(ECL_INT(migration->number), ECL_TEXT(migration->name),
                                  ECL_INT(apr_time_now())),
                         NULL, result);
    }
    return rv;
}

const ecl_migrate_driver_t ecl_migrate_pgsql = {
    .name = "pgsql", .lock = lock, .read_version = read_version, .apply = apply};
