/*
 * What differs between the database drivers when a schema is brought up to date: private to
 * lib/migrate*.c. All calls run in the caller's transaction, but for read_version, which may also
 * run outside one.
 */
#ifndef ECL_MIGRATE_DRIVER_H
#define ECL_MIGRATE_DRIVER_H

#include "migrate.h"
#include "migrations.h"

typedef struct ecl_migrate_driver_t {
    const char *name; /* the directory under migrations/ */
    /* Waits until nobody else migrates; held until the transaction ends. NULL: the transaction
     * itself is such a lock. */
    apr_status_t (*lock)(ecl_db_conn_t *conn, ecl_result_t *result);
    /* The newest version applied; 0 for a database without our table. */
    apr_status_t (*read_version)(ecl_db_conn_t *conn, int *pversion, ecl_result_t *result);
    /* Runs the file and notes it in schema_migrations, which it makes if it is not there. */
    apr_status_t (*apply)(ecl_db_conn_t *conn, const ecl_migration_t *migration,
                          ecl_result_t *result);
} ecl_migrate_driver_t;

extern const ecl_migrate_driver_t ecl_migrate_sqlite3;
extern const ecl_migrate_driver_t ecl_migrate_pgsql;

#endif /* ECL_MIGRATE_DRIVER_H */
