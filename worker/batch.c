#include "batch.h"

#include "period_text.h"

/* a flush hands over days that were being gathered, after the batch was full */
#define SPARE 200

ecl_batch_t *ecl_batch_make(int days, apr_pool_t *p)
{
    ecl_batch_t *batch = apr_pcalloc(p, sizeof *batch);

    batch->pool = p;
    batch->full_at = days ? days : ECL_BATCH_DAYS;
    batch->started = apr_time_now();
    apr_pool_create(&batch->content_pool, p);
    return batch;
}

void ecl_batch_begin(ecl_batch_t *batch, apr_int64_t checkpoint, apr_int64_t bytes_done)
{
    const ecl_job_progress_t next = {.checkpoint = checkpoint, .bytes_done = bytes_done};

    batch->day_count = batch->period_count = batch->error_count = batch->warning_count = 0;
    batch->text_bytes = 0;
    batch->progress = next;
    batch->started = apr_time_now();
    apr_pool_clear(batch->content_pool);
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
    ecl_meter_day_t *copy =
        apr_pmemdup(batch->content_pool, day, ECL_METER_DAY_BYTES(day->periods));
    char text[ECL_PERIOD_TEXT_MAX];

    batch->days =
        grow(batch->days, batch->day_count, &batch->day_room, sizeof *batch->days, batch->pool);
    batch->days[batch->day_count++] = copy;
    batch->period_count += day->periods;
    copy->text_length = ecl_period_text_print(day->values, day->periods, text);
    copy->text = apr_pmemdup(batch->content_pool, text, copy->text_length);
}

/* Rows below the same header share its text. */
static void add_place(ecl_batch_t *batch, const ecl_batch_place_t *place)
{
    const char *known = batch->error_count ? batch->places[batch->error_count - 1].foreign : NULL;
    const char *foreign = place->foreign;

    batch->places = grow(batch->places, batch->error_count, &batch->place_room,
                         sizeof *batch->places, batch->pool);
    if (foreign && known && !strcmp(foreign, known)) {
        foreign = known;
    } else if (foreign) {
        foreign = apr_pstrdup(batch->content_pool, foreign);
        batch->text_bytes += strlen(foreign);
    }
    batch->places[batch->error_count] = (ecl_batch_place_t){place->layout, foreign};
}

void ecl_batch_add_error(ecl_batch_t *batch, const ecl_row_error_t *error,
                         const ecl_batch_place_t *place)
{
    apr_pool_t *p = batch->content_pool;
    ecl_row_error_t *copy;

    add_place(batch, place);
    batch->errors = grow(batch->errors, batch->error_count, &batch->error_room,
                         sizeof *batch->errors, batch->pool);
    copy = &batch->errors[batch->error_count++];
    *copy = (ecl_row_error_t){error->line,
                              apr_pstrdup(p, error->column),
                              apr_pstrdup(p, error->code),
                              apr_pstrdup(p, error->message),
                              apr_pstrdup(p, error->raw),
                              apr_pstrdup(p, error->added)};
    batch->text_bytes += strlen(error->message) + strlen(error->raw);
}

void ecl_batch_add_warning(ecl_batch_t *batch, const char *code, const char *message)
{
    apr_pool_t *p = batch->content_pool;

    batch->warnings = grow(batch->warnings, batch->warning_count, &batch->warning_room,
                           sizeof *batch->warnings, batch->pool);
    batch->warnings[batch->warning_count++] =
        (ecl_batch_warning_t){apr_pstrdup(p, code), apr_pstrdup(p, message)};
    batch->text_bytes += strlen(message);
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
           batch->period_count >= ECL_BATCH_PERIODS || batch->text_bytes >= ECL_BATCH_TEXT_BYTES ||
           apr_time_now() - batch->started >= ECL_BATCH_USEC;
}
