#include "read_ahead.h"

#include <apr_queue.h>
#include <apr_thread_proc.h>

#define BATCHES 2

/* A batch on its way, and how reading it ended. */
typedef struct slot_t {
    ecl_batch_t *batch;
    apr_status_t status;
} slot_t;

struct ecl_read_ahead_t {
    ecl_reader_t *reader;
    ecl_read_ahead_options_t options;
    slot_t slots[BATCHES];
    apr_queue_t *free, *ready; /* each has room for all slots: pushing does not wait */
    apr_thread_t *thread;      /* NULL: it was waited for */
    slot_t *lent;              /* to the caller */
    /* the thread's */
    ecl_batch_t *filling;
    apr_int64_t failed_rows, checkpoint, bytes_done;
    ecl_result_t result; /* also the caller's, once the slot that it belongs to is ready */
};

/* ---- the thread ------------------------------------------------------------------------------ */

static apr_status_t take_day(void *baton, const ecl_meter_day_t *day)
{
    ecl_read_ahead_t *ahead = baton;

    ecl_batch_add_day(ahead->filling, day);
    if (ahead->options.checks) {
        ecl_checks_day(ahead->options.checks, day);
    }
    return APR_SUCCESS;
}

static apr_status_t take_error(void *baton, const ecl_row_error_t *error)
{
    ecl_read_ahead_t *ahead = baton;
    ecl_batch_place_t place;

    place.layout = ecl_reader_in_hand(ahead->reader, &place.foreign);
    ecl_batch_add_error(ahead->filling, error, &place);
    return APR_SUCCESS;
}

static apr_status_t take_warning(void *baton, const char *code, const char *message)
{
    ecl_batch_add_warning(((ecl_read_ahead_t *)baton)->filling, code, message);
    return APR_SUCCESS;
}

static int has_too_many_errors(const ecl_read_ahead_t *ahead)
{
    return ahead->failed_rows + ahead->filling->progress.failed_rows >
           ahead->options.failed_rows_left;
}

/* Reads a batch's worth; APR_EOF at the end of the file. */
static apr_status_t read_batch(ecl_read_ahead_t *ahead)
{
    const ecl_reader_sink_t sink = {ahead, take_day, take_error, take_warning};
    ecl_batch_t *batch = ahead->filling;
    ecl_row_t row;

    while (!ecl_batch_is_full(batch)) {
        apr_status_t rv = ecl_reader_next(ahead->reader, &sink, &row, &ahead->result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (ahead->options.line) {
            *ahead->options.line = row.line;
        }
        ecl_batch_add_row(batch, &row);
        if (has_too_many_errors(ahead)) {
            break; /* not at the end of some batch: where it stops must not depend on time */
        }
    }
    return ecl_reader_flush(ahead->reader, &sink);
}

/* Until the file, or the caller's patience, ends. */
static void *APR_THREAD_FUNC read_all(apr_thread_t *thread, void *data)
{
    ecl_read_ahead_t *ahead = data;
    apr_status_t rv = APR_SUCCESS;
    void *next;

    (void)thread;
    apr_setup_signal_thread(); /* signals are the caller's */
    while (rv == APR_SUCCESS && apr_queue_pop(ahead->free, &next) == APR_SUCCESS) {
        slot_t *slot = next;

        ahead->filling = slot->batch;
        ecl_batch_begin(slot->batch, ahead->checkpoint, ahead->bytes_done);
        slot->status = read_batch(ahead);
        ahead->failed_rows += slot->batch->progress.failed_rows;
        ahead->checkpoint = slot->batch->progress.checkpoint;
        ahead->bytes_done = slot->batch->progress.bytes_done;
        rv = ahead->failed_rows > ahead->options.failed_rows_left ? APR_EOF : slot->status;
        apr_queue_push(ahead->ready, slot);
    }
    return NULL;
}

/* ---- the caller ------------------------------------------------------------------------------ */

static apr_status_t stop(void *data)
{
    ecl_read_ahead_t *ahead = data;
    apr_status_t ignored;

    if (ahead->thread) {
        apr_queue_term(ahead->free);
        apr_thread_join(&ignored, ahead->thread);
        ahead->thread = NULL;
    }
    return APR_SUCCESS;
}

apr_status_t ecl_read_ahead_start(ecl_read_ahead_t **pahead, ecl_reader_t *reader,
                                  const ecl_read_ahead_options_t *options, apr_pool_t *p,
                                  ecl_result_t *result)
{
    ecl_read_ahead_t *ahead = apr_pcalloc(p, sizeof *ahead);
    apr_pool_t *own;
    apr_status_t rv;

    /* a batch grows, and what went wrong is told, in the thread */
    apr_pool_create(&own, p);
    ahead->reader = reader;
    ahead->options = *options;
    ahead->checkpoint = options->checkpoint;
    ahead->bytes_done = options->bytes_done;
    ahead->result = ecl_result_make(own);
    if ((rv = apr_queue_create(&ahead->free, BATCHES, p)) != APR_SUCCESS ||
        (rv = apr_queue_create(&ahead->ready, BATCHES, p)) != APR_SUCCESS) {
        return ecl_fail(result, rv, "no-memory", "cannot make a queue for what is read");
    }
    for (int i = 0; i < BATCHES; i++) {
        ahead->slots[i].batch = ecl_batch_make(options->batch_days, own);
        apr_queue_push(ahead->free, &ahead->slots[i]);
    }
    rv = apr_thread_create(&ahead->thread, NULL, read_all, ahead, p);
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "no-memory", "cannot start a thread that reads: %s",
                        ecl_strerror(rv, p));
    }
    apr_pool_pre_cleanup_register(p, ahead, stop);
    *pahead = ahead;
    return APR_SUCCESS;
}

apr_status_t ecl_read_ahead_next(ecl_read_ahead_t *ahead, ecl_batch_t **pbatch,
                                 ecl_result_t *result)
{
    void *next;
    apr_status_t rv;

    if (ahead->lent) {
        apr_queue_push(ahead->free, ahead->lent);
    }
    do {
        rv = apr_queue_pop(ahead->ready, &next);
    } while (APR_STATUS_IS_EINTR(rv));
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "no-memory", "cannot take what was read");
    }
    ahead->lent = next;
    *pbatch = ahead->lent->batch;
    rv = ahead->lent->status;
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        ecl_fail(result, rv, ahead->result.code, "%s", ahead->result.detail);
    }
    return rv;
}

void ecl_read_ahead_stop(ecl_read_ahead_t *ahead)
{
    stop(ahead);
}
