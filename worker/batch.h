/*
 * What a reader has given since the last commit: days, row errors and what became of the rows.
 *
 * Memory: ECL_BATCH_DAYS days, and row errors of at most ECL_BATCH_ERROR_BYTES and one record.
 */
#ifndef ECL_BATCH_H
#define ECL_BATCH_H

#include "import.h"
#include "reader.h"

#define ECL_BATCH_ERROR_BYTES (4 * 1024 * 1024)

typedef struct ecl_batch_t {
    ecl_meter_day_t *days;
    int day_count, day_room;
    ecl_row_error_t *errors;
    int error_count, error_room;
    apr_size_t error_bytes;
    ecl_job_progress_t progress; /* rows, checkpoint, bytes_done */
    apr_time_t started;
    int full_at;           /* days, or errors */
    apr_pool_t *pool;      /* the batch itself */
    apr_pool_t *text_pool; /* texts of the errors */
} ecl_batch_t;

/* days: how many make it full; 0: ECL_BATCH_DAYS. */
ecl_batch_t *ecl_batch_make(int days, apr_pool_t *p);

/* Empties it; checkpoint and bytes_done stay. */
void ecl_batch_clear(ecl_batch_t *batch);

/* Take copies. */
void ecl_batch_add_day(ecl_batch_t *batch, const ecl_meter_day_t *day);
void ecl_batch_add_error(ecl_batch_t *batch, const ecl_row_error_t *error);
void ecl_batch_add_row(ecl_batch_t *batch, const ecl_row_t *row);

/* Whether it should be committed now: see ECL_BATCH_DAYS. */
int ecl_batch_is_full(const ecl_batch_t *batch);

#endif /* ECL_BATCH_H */
