/*
 * Reading the next batch while the last one is being stored, in a thread of its own.
 *
 *   reader's thread:  reader ─▶ batch ──▶ ready ─┐         two batches go round: one is read into,
 *                               ▲                ▼         one is with the caller
 *                               └──── free ◀── caller
 *
 * What is handed over is what reading and storing in turn would give, in the same order: the reader
 * knows nothing of the database, and a batch is whole (days, errors, warnings, counts, checkpoint)
 * before the caller sees it. What was read and never stored is forgotten, as after a crash.
 *
 * From start to stop the reader, with the pool it was opened with, belongs to the thread. That pool
 * must share no allocator without a mutex with the caller's, and is destroyed after the stop.
 */
#ifndef ECL_READ_AHEAD_H
#define ECL_READ_AHEAD_H

#include "batch.h"
#include "checks.h"

typedef struct ecl_read_ahead_t ecl_read_ahead_t;

typedef struct ecl_read_ahead_options_t {
    int batch_days;         /* of a full batch; 0: ECL_BATCH_DAYS */
    apr_int64_t checkpoint; /* the last record before the first batch */
    apr_int64_t bytes_done; /* and where it ends */
    apr_int64_t
        failed_rows_left; /* the batch with one more than that ends with it, and is the last */
    volatile apr_int64_t *line; /* may be NULL: set to each line that is read */
    ecl_checks_t *checks;       /* may be NULL: told of each day; the thread's until the stop */
} ecl_read_ahead_options_t;

/* Begins to read. Stops when p is cleared, if not before. */
apr_status_t ecl_read_ahead_start(ecl_read_ahead_t **pahead, ecl_reader_t *reader,
                                  const ecl_read_ahead_options_t *options, apr_pool_t *p,
                                  ecl_result_t *result);

/* The next batch, the caller's until the next call. APR_EOF: it is the last one, the file has ended
 * with it. ECL_EINPUT and others: why reading failed; there is no batch. After any status but
 * APR_SUCCESS, and after a batch with too many failed rows, nothing more comes. */
apr_status_t ecl_read_ahead_next(ecl_read_ahead_t *ahead, ecl_batch_t **pbatch,
                                 ecl_result_t *result);

/* Waits until the thread has ended: for as long as a batch takes to read at most. The reader is the
 * caller's again. */
void ecl_read_ahead_stop(ecl_read_ahead_t *ahead);

#endif /* ECL_READ_AHEAD_H */
