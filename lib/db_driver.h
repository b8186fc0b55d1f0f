/*
 * What differs between the database drivers, done through their native handles: private to
 * lib/db*.c. db.c keeps to apr_dbd and to this table.
 */
#ifndef ECL_DB_DRIVER_H
#define ECL_DB_DRIVER_H

#include "db.h"

/* What a failure means to us, whatever the driver calls it. */
typedef enum ecl_db_failure_t {
    ECL_DB_BUSY,       /* somebody else holds the lock */
    ECL_DB_LOST,       /* connection or file out of reach */
    ECL_DB_NO_SPACE,   /* disk full, quota exceeded */
    ECL_DB_CONSTRAINT, /* the statement broke a rule of the schema; the connection is sound */
    ECL_DB_OTHER
} ecl_db_failure_t;

struct ecl_db_rows_t {
    int nrows;
    int ncolumns;
    const char **cells; /* row by row */
};

/* Functions that return int say 0 for success, after which classify tells what a failure was. */
typedef struct ecl_db_dialect_t {
    ecl_db_driver_t driver;
    const char *name; /* apr_dbd's */
    const char *begin;

    apr_status_t (*check_params)(const char *params, ecl_result_t *result);
    /* what the connection is opened with: params, and what they leave to us */
    const char *(*complete_params)(const char *params, apr_pool_t *p);
    /* what messages call the database: without secrets */
    const char *(*describe)(const char *params, apr_pool_t *p);
    /* as ecl_db_look; marker may be NULL; what it needs meanwhile comes from scratch */
    apr_status_t (*look)(const char *params, const char *marker, apr_pool_t *scratch,
                         ecl_result_t *result);
    /* before a connection is opened: makes the database if that is ours to do */
    apr_status_t (*prepare_open)(const char *params, const char *marker, apr_pool_t *scratch,
                                 ecl_result_t *result);
    int (*configure)(void *native, int lock_wait_ms, int is_read_only);
    /* once it is configured; see ecl_db_set_marker */
    void (*mark)(const char *params, const char *marker, apr_pool_t *scratch);
    /* BEGIN, COMMIT or ROLLBACK */
    int (*control)(void *native, const char *sql);
    int (*is_in_transaction)(void *native);
    /* Whether a connection that nobody works with has been closed by the other side. Asks the
     * operating system, not the database. */
    int (*is_lost)(void *native);
    /* Whether what is written through it goes to a file that is not the database any more: moved
     * away, replaced or deleted. */
    int (*is_displaced)(void *native);
    ecl_db_failure_t (*classify)(void *native);
    /* How statements are run; all NULL where apr_dbd does it. prepare returns NULL for failure; its
     * sql has the placeholders of db.h. run gives rows, allocated from p, unless p is NULL; the
     * number of affected ones it gives always. */
    void *(*prepare)(void *native, const char *sql, apr_pool_t *scratch);
    int (*run)(void *statement, const ecl_db_value_t *args, apr_size_t nargs, int *paffected,
               apr_pool_t *p, ecl_db_rows_t **prows);
    void (*finish)(void *statement);
} ecl_db_dialect_t;

extern const ecl_db_dialect_t ecl_db_sqlite3;
extern const ecl_db_dialect_t ecl_db_pgsql;

#endif /* ECL_DB_DRIVER_H */
