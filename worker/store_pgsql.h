/*
 * What the files of the PostgreSQL store share.
 */
#ifndef ECL_STORE_PGSQL_H
#define ECL_STORE_PGSQL_H

#include <libpq-fe.h>

#include "../lib/db_pgsql.h"
#include "store_driver.h"

/* How finely batches of the same meters are kept apart: two meters of one stripe wait for each
 * other as if they were one. */
#define ECL_STRIPES 64

/* A failure on the native handle, which is not to be used again. */
apr_status_t ecl_pg_fail(ecl_db_conn_t *conn, const char *what, ecl_result_t *result);

/* Runs one statement with parameters in text form; answers in text form. *panswer is to be cleared;
 * NULL on failure. */
apr_status_t ecl_pg_run(ecl_db_conn_t *conn, const char *what, const char *sql, int count,
                        const char *const *params, PGresult **panswer, ecl_result_t *result);

/* ecl_store_prepare: *pyears is what is remembered of years that need nothing any more. */
typedef struct ecl_pg_years_t {
    char is_seen[10000];
} ecl_pg_years_t;
apr_status_t ecl_pg_make_partitions(ecl_db_conn_t *conn, ecl_pg_years_t *years,
                                    const ecl_meter_day_t *const *days, int count,
                                    ecl_result_t *result);

/* ecl_store_take_out */
apr_status_t ecl_pg_take_out(ecl_db_conn_t *conn, apr_int64_t job_id, int limit,
                             ecl_take_out_counts_t *counts, int *pmore, ecl_result_t *result);

#endif /* ECL_STORE_PGSQL_H */
