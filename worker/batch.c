#include "batch.h"

/* a flush hands over days that were being gathered, after the batch was full */
#define SPARE 200

ecl_batch_t *ecl_batch_make(int days, apr_pool_t *p)
{
    ecl_batch_t *batch = apr_pcalloc(p, sizeof *batch);

    batch->pool = p;
    batch->full_at = days ? days : ECL_BATCH_DAYS;
    batch->started = apr_time_now();
    apr_pool_create(&batch->text_pool, p);
    return batch;
}

void ecl_batch_clear(ecl_batch_t *batch)
{
    const ecl_job_progress_t next = {.checkpoint = batch->progress.checkpoint,
                                     .bytes_done = batch->progress.bytes_done};

    batch->day_count = batch->error_count = 0;
    batch->error_bytes = 0;
    batch->progress = next;
    batch->started = apr_time_now();
    apr_pool_clear(batch->text_pool);
}

/* Room for one more element. What is outgrown stays in the pool, which is less than what replaces
 * it. */
static void *grow(void *elements, int count, int *proom, apr_size_t size, apr_pool_t *p)
{
    void *larger;

    if (count < *proom) {
        return elements;
    }
    *proom = *proom ? *proom * 2 : ECL_BATCH_DAYS + SPARE;
    larger = apr_palloc(p, (apr_size_t)*proom * size);
    if (count) {
        memcpy(larger, elements, (apr_size_t)count * size);
    }
    return larger;
}

void ecl_batch_add_day(ecl_batch_t *batch, const ecl_meter_day_t *day)
{
    batch->days =
        grow(batch->days, batch->day_count, &batch->day_room, sizeof *batch->days, batch->pool);
    batch->days[batch->day_count++] = *day;
}

void ecl_batch_add_error(ecl_batch_t *batch, const ecl_row_error_t *error)
{
    apr_pool_t *p = batch->text_pool;
    ecl_row_error_t *copy;

    batch->errors = grow(batch->errors, batch->error_count, &batch->error_room,
                         sizeof *batch->errors, batch->pool);
    copy = &batch->errors[batch->error_count++];
    *copy = (ecl_row_error_t){error->line,
                              apr_pstrdup(p, error->column),
                              apr_pstrdup(p, error->code),
                              apr_pstrdup(p, error->message),
                              apr_pstrdup(p, error->raw),
                              apr_pstrdup(p, error->added)};
    batch->error_bytes += strlen(error->message) + strlen(error->raw);
}

void ecl_batch_add_row(ecl_batch_t *batch, const ecl_row_t *row)
{
    batch->progress.processed_rows++;
    batch->progress.imported_rows += row->fate == ECL_ROW_IMPORTED;
    batch->progress.failed_rows += row->fate == ECL_ROW_FAILED;
    batch->progress.skipped_rows += row->fate == ECL_ROW_SKIPPED;
    batch->progress.checkpoint = row->number;
    batch->progress.bytes_done = row->end_offset;
}

int ecl_batch_is_full(const ecl_batch_t *batch)
{
    return batch->day_count >= batch->full_at || batch->error_count >= batch->full_at ||
           batch->error_bytes >= ECL_BATCH_ERROR_BYTES ||
           apr_time_now() - batch->started >= ECL_BATCH_USEC;
}
