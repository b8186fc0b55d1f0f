/*
 * What a reader has given since the last commit: days, row errors, warnings and what became of the
 * rows.
 *
 * Memory: ECL_BATCH_DAYS days of ECL_BATCH_PERIODS periods in all, and row errors and warnings of
 * at most ECL_BATCH_TEXT_BYTES and those of one record.
 */
#ifndef ECL_BATCH_H
#define ECL_BATCH_H

#include "import.h"
#include "reader.h"

#define ECL_BATCH_TEXT_BYTES (4 * 1024 * 1024)

/* Where a row error stands: as of ecl_reader_in_hand. */
typedef struct ecl_batch_place_t {
    const ecl_layout_t *layout; /* the reader's */
    const char *foreign;
} ecl_batch_place_t;

typedef struct ecl_batch_warning_t {
    const char *code, *message;
} ecl_batch_warning_t;

typedef struct ecl_batch_t {
    const ecl_meter_day_t **days; /* each ends behind its last value: ECL_METER_DAY_BYTES */
    int day_count, day_room;
    int period_count; /* of the days */
    ecl_row_error_t *errors;
    ecl_batch_place_t *places; /* of the errors */
    int error_count, error_room, place_room;
    ecl_batch_warning_t *warnings;
    int warning_count, warning_room;
    apr_size_t text_bytes;       /* of errors and warnings */
    ecl_job_progress_t progress; /* rows, checkpoint, bytes_done */
    apr_time_t started;
    int full_at;              /* days, or errors */
    apr_pool_t *pool;         /* the batch itself */
    apr_pool_t *content_pool; /* days, texts of errors and warnings, and of values */
} ecl_batch_t;

/* days: how many make it full; 0: ECL_BATCH_DAYS. It grows in p. */
ecl_batch_t *ecl_batch_make(int days, apr_pool_t *p);

/* Empties it, to be filled from behind the checkpoint on. */
void ecl_batch_begin(ecl_batch_t *batch, apr_int64_t checkpoint, apr_int64_t bytes_done);

/* Take copies (not of the layout); a day's values are printed, to be stored. */
void ecl_batch_add_day(ecl_batch_t *batch, const ecl_meter_day_t *day);
void ecl_batch_add_error(ecl_batch_t *batch, const ecl_row_error_t *error,
                         const ecl_batch_place_t *place);
void ecl_batch_add_warning(ecl_batch_t *batch, const char *code, const char *message);
void ecl_batch_add_row(ecl_batch_t *batch, const ecl_row_t *row);

/* Whether it should be committed now: see ECL_BATCH_DAYS. */
int ecl_batch_is_full(const ecl_batch_t *batch);

#endif /* ECL_BATCH_H */
