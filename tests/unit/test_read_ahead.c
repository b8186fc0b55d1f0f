/* Batches that are read in another thread: what is in them, in which order, and how they end. */
#include "reading.h"
#include "start_apr.h"

#include "worker/read_ahead.h"

#define HEADER "MPAN,Date,Reading\n"
#define BAD(day) MPAN ",0" #day "/06/2026,much\n"
#define DAY(day) MPAN ",0" #day "/06/2026,1." #day "\n"

typedef struct ahead_t {
    reading_t *file;
    ecl_read_ahead_t *ahead;
    ecl_batch_t *batch;
} ahead_t;

/* Two days make a batch. */
static ahead_t start(const char *text, apr_int64_t failed_rows_left)
{
    ahead_t a = {.file = make_reading()};
    ecl_reader_options_t options = {.import_type = "auto"};
    ecl_read_ahead_options_t ahead_options = {
        .batch_days = 2, .checkpoint = 7, .bytes_done = 70, .failed_rows_left = failed_rows_left};
    apr_pool_t *p = a.file->pool, *reader_pool;
    ecl_clock_t *clock;
    ecl_reader_t *reader;

    write_file(a.file, text, strlen(text));
    apr_pool_create(&reader_pool, p);
    assert_int_equal(ecl_clock_make(&clock, "Europe/London", p, &a.file->result), APR_SUCCESS);
    options.clock = clock;
    assert_true(ecl_date_from_ymd(2026, 6, 30, &options.today));
    assert_int_equal(ecl_reader_open(&reader, a.file->path, &options, reader_pool, &a.file->result),
                     APR_SUCCESS);
    assert_int_equal(unlink(a.file->path), 0);
    assert_int_equal(ecl_read_ahead_start(&a.ahead, reader, &ahead_options, p, &a.file->result),
                     APR_SUCCESS);
    return a;
}

static apr_status_t next(ahead_t *a)
{
    return ecl_read_ahead_next(a->ahead, &a->batch, &a->file->result);
}

static void end(ahead_t *a)
{
    ecl_read_ahead_stop(a->ahead);
    end_reading(a->file);
}

static void gives_whole_batches_in_order(void **state)
{
    ahead_t a = start(HEADER DAY(1) DAY(2) DAY(3) BAD(4) DAY(5), 10);

    (void)state;
    assert_int_equal(next(&a), APR_SUCCESS);
    assert_int_equal(a.batch->day_count, 2);
    assert_int_equal(a.batch->days[0]->values[0], 1100000000);
    assert_int_equal(a.batch->days[1]->line, 3);
    assert_int_equal(a.batch->progress.imported_rows, 2);
    assert_int_equal(a.batch->progress.checkpoint, 3);
    assert_int_equal(a.batch->error_count, 0);
    assert_int_equal(next(&a), APR_SUCCESS);
    assert_int_equal(a.batch->day_count, 2);
    assert_int_equal(a.batch->days[1]->values[0], 1500000000);
    assert_int_equal(a.batch->progress.failed_rows, 1);
    assert_int_equal(a.batch->error_count, 1);
    assert_int_equal(a.batch->errors[0].line, 5);
    assert_non_null(a.batch->places[0].layout);
    assert_null(a.batch->places[0].foreign);
    assert_int_equal(next(&a), APR_EOF);
    assert_int_equal(a.batch->day_count, 0);
    assert_int_equal(a.batch->progress.checkpoint, 6);
    end(&a);
}

/* The row with one too many is the last that is read, and its batch comes like any other. */
static void ends_with_one_error_too_many(void **state)
{
    ahead_t a = start(HEADER DAY(1) BAD(2) BAD(3) DAY(4), 1);

    (void)state;
    assert_int_equal(next(&a), APR_SUCCESS);
    assert_int_equal(a.batch->day_count, 1);
    assert_int_equal(a.batch->progress.failed_rows, 2);
    assert_int_equal(a.batch->progress.checkpoint, 4);
    end(&a);
}

/* With batches ready, one lent, and none left to read into; the pool's end is a stop, too. */
static void stops_with_the_file_half_read(void **state)
{
    ahead_t a = start(HEADER DAY(1) DAY(2) DAY(3) DAY(4) DAY(5) DAY(6) DAY(7) DAY(8), 0);

    (void)state;
    assert_int_equal(next(&a), APR_SUCCESS);
    end(&a);
    a = start(HEADER DAY(1) DAY(2) DAY(3) DAY(4) DAY(5), 0);
    end_reading(a.file);
}

/* What bounds a batch's memory; and its days are copies with all of their values. */
static void is_full_by_days_or_by_their_periods(void **state)
{
    static const struct {
        int periods, days;
    } cases[] = {{1, ECL_BATCH_DAYS},
                 {48, (ECL_BATCH_PERIODS + 47) / 48},
                 {ECL_PERIODS_MAX, (ECL_BATCH_PERIODS + ECL_PERIODS_MAX - 1) / ECL_PERIODS_MAX}};
    apr_pool_t *p;
    ecl_batch_t *batch;

    (void)state;
    apr_pool_create(&p, NULL);
    batch = ecl_batch_make(0, p);
    for (int c = 0; c < 3; c++) {
        ecl_meter_day_t day = {.periods = cases[c].periods};
        int last = day.periods - 1;

        ecl_batch_begin(batch, 0, 0);
        batch->started += apr_time_from_sec(3600);
        while (!ecl_batch_is_full(batch)) {
            day.values[last] = batch->day_count;
            day.flags[last] = (char)('A' + batch->day_count % 26);
            ecl_batch_add_day(batch, &day);
        }
        assert_int_equal(batch->day_count, cases[c].days);
        for (int i = 0; i < batch->day_count; i++) {
            assert_int_equal(batch->days[i]->values[last], i);
            assert_int_equal(batch->days[i]->flags[last], 'A' + i % 26);
        }
    }
    apr_pool_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_whole_batches_in_order),
        cmocka_unit_test(ends_with_one_error_too_many),
        cmocka_unit_test(stops_with_the_file_half_read),
        cmocka_unit_test(is_full_by_days_or_by_their_periods),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
