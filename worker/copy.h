/*
 * All that the product keeps, copied from one database into another: from SQLite to PostgreSQL when
 * an installation grows, but either may be of either driver.
 *
 * The copy is exact: ids (so that addresses of jobs stay good, and the next id given is none that
 * was given before), times, NULLs, and each decimal with the digits that it is written with. What
 * tells which workers are alive is not copied: they say so themselves. Memory does not grow with
 * what is copied.
 */
#ifndef ECL_COPY_H
#define ECL_COPY_H

#include "../lib/db.h"

typedef struct ecl_copy_count_t {
    const char *table;
    apr_int64_t source, target; /* rows */
} ecl_copy_count_t;

typedef struct ecl_copy_progress_t {
    void *baton;
    /* before a table's first row, then every few thousand rows; in_all as counted beforehand */
    void (*tell)(void *baton, const char *table, apr_int64_t done, apr_int64_t in_all);
} ecl_copy_progress_t;

/* Copies. Both must have the schema that this program knows, and `to` must hold no data; the source
 * is kept from being written to until it is done. In one transaction of the target: whole, or not
 * at all (PostgreSQL's partitions of years, empty then, may be left). Afterwards the rows of each
 * table have been counted on both sides: an array of *pcount, allocated from p.
 * ECL_ECONFLICT, with what to do about it: "copy-same" (both are one database), "copy-not-empty",
 * "copy-busy" (workers are alive on either side, or a job is in a worker's hands). ECL_ESCHEMA:
 * "copy-schema". APR_EGENERAL, "day-damaged": what is there was not written by this program. */
apr_status_t ecl_copy_database(ecl_db_conn_t *from, ecl_db_conn_t *to,
                               const ecl_copy_progress_t *progress, apr_pool_t *p,
                               const ecl_copy_count_t **pcounts, int *pcount, ecl_result_t *result);

#endif /* ECL_COPY_H */
