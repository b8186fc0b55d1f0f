/*
 * What one run of a job must remember beyond what fits in memory, and what nobody else may see: a
 * private SQLite database in a temporary file, which the system removes when it is closed. Used
 * with every driver.
 *
 *   given          of days that the job did not create: which readings it has given, changed or not
 *   meters, days   a dry run's own: what it would have created or changed
 *
 * It knows no rollback: when a transaction that it goes along with is rolled back, it is of no more
 * use. The file is where SQLite puts temporary files (SQLITE_TMPDIR, TMPDIR, /var/tmp, /tmp), and
 * does not come to be before it is needed.
 */
#ifndef ECL_SCRATCH_H
#define ECL_SCRATCH_H

#include "store_driver.h"

typedef struct ecl_scratch_t ecl_scratch_t;

/* Closed with p. */
apr_status_t ecl_scratch_open(ecl_scratch_t **pscratch, apr_pool_t *p, ecl_result_t *result);

/* Around many calls of the others, for speed. */
apr_status_t ecl_scratch_begin(ecl_scratch_t *scratch, ecl_result_t *result);
apr_status_t ecl_scratch_end(ecl_scratch_t *scratch, ecl_result_t *result);

/* Sets row->given and given_line to what set_given kept for row->id; leaves them if it kept none.
 */
apr_status_t ecl_scratch_get_given(ecl_scratch_t *scratch, ecl_store_row_t *row,
                                   ecl_result_t *result);
apr_status_t ecl_scratch_set_given(ecl_scratch_t *scratch, const ecl_store_row_t *row,
                                   ecl_result_t *result);

/* A dry run's new meters, by identifier: sets id (below zero) and created. */
apr_status_t ecl_scratch_meter(ecl_scratch_t *scratch, ecl_store_meter_t *meter,
                               ecl_result_t *result);

/* A dry run's days: as a driver's load and save, for one row. load sets is_loaded when there. */
apr_status_t ecl_scratch_load_day(ecl_scratch_t *scratch, ecl_store_row_t *row,
                                  ecl_result_t *result);
apr_status_t ecl_scratch_save_day(ecl_scratch_t *scratch, const ecl_store_row_t *row,
                                  ecl_result_t *result);

#endif /* ECL_SCRATCH_H */
