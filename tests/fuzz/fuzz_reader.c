/*
 * A meter file of any bytes is refused with a reason or read; what is read keeps the reader's
 * promises, and the readings are the same however often the days in hand are flushed. A file that
 * names no meter is read with one given.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "worker/reader.h"

typedef struct seen_t {
    apr_uint64_t readings; /* a sum, since flushing changes the order of days */
    apr_int64_t rows;
    int errors; /* of the row in hand */
    ecl_date_t today;
} seen_t;

static apr_uint64_t hash_bytes(apr_uint64_t hash, const void *bytes, apr_size_t length)
{
    const unsigned char *b = bytes;

    for (apr_size_t i = 0; i < length; i++) {
        hash = (hash ^ b[i]) * APR_UINT64_C(1099511628211);
    }
    return hash;
}

static apr_status_t on_day(void *baton, const ecl_meter_day_t *day)
{
    seen_t *seen = baton;
    apr_uint64_t key =
        hash_bytes(APR_UINT64_C(14695981039346656037), day->meter, strlen(day->meter) + 1);
    int count = 0;

    FUZZ_ASSERT(day->meter[0]);
    FUZZ_ASSERT(day->channel[0] == 'A' || day->channel[0] == 'R');
    FUZZ_ASSERT(!strcmp(day->unit, day->channel[0] == 'A' ? "kWh" : "kVArh"));
    FUZZ_ASSERT(day->periods >= 1 && day->periods <= ECL_PERIODS_MAX);
    FUZZ_ASSERT(day->date >= 7304 && day->date <= seen->today + 1); /* UTC days overlap two */
    FUZZ_ASSERT(day->line > 0);
    key = hash_bytes(key, day->channel, strlen(day->channel));
    key = hash_bytes(key, &day->date, sizeof(day->date));
    for (int i = 0; i < day->periods; i++) {
        FUZZ_ASSERT((day->values[i] == ECL_DECIMAL_MISSING) == (day->flags[i] == ECL_FLAG_NONE));
        if (day->values[i] != ECL_DECIMAL_MISSING) {
            apr_uint64_t hash = hash_bytes(key, &i, sizeof(i));

            FUZZ_ASSERT(day->values[i] >= 0 || strcmp(day->channel, "AI"));
            hash = hash_bytes(hash, &day->values[i], sizeof(day->values[i]));
            seen->readings += hash_bytes(hash, &day->flags[i], 1);
            count++;
        }
    }
    FUZZ_ASSERT(count > 0);
    return APR_SUCCESS;
}

static apr_status_t on_error(void *baton, const ecl_row_error_t *error)
{
    seen_t *seen = baton;

    FUZZ_ASSERT(error->line > 0 && error->code && error->message[0] && error->raw);
    seen->errors++;
    return APR_SUCCESS;
}

static apr_status_t on_warning(void *baton, const char *code, const char *message)
{
    (void)baton;
    FUZZ_ASSERT(code && message[0]);
    return APR_SUCCESS;
}

/* Reads the file, flushing after every `flush` rows (0: never). 0: it was refused. */
static int read_once(const char *path, int flush, seen_t *seen)
{
    ecl_reader_sink_t sink = {seen, on_day, on_error, on_warning};
    ecl_reader_options_t options = {.import_type = "auto"};
    apr_int64_t number = 0, counted = 0;
    ecl_reader_t *reader = NULL;
    ecl_clock_t *clock = NULL;
    ecl_result_t result;
    apr_pool_t *pool;
    apr_status_t status;
    ecl_row_t row;

    *seen = (seen_t){0};
    apr_pool_create(&pool, NULL);
    result = ecl_result_make(pool);
    FUZZ_ASSERT(ecl_clock_make(&clock, "Europe/London", pool, &result) == APR_SUCCESS);
    FUZZ_ASSERT(ecl_date_from_ymd(2026, 6, 30, &options.today));
    options.clock = clock;
    seen->today = options.today;
    status = ecl_reader_open(&reader, path, &options, pool, &result);
    if (status == ECL_EINPUT && !strcmp(result.code, "no-meter-column")) {
        options.given.meter = "1000000000012";
        status = ecl_reader_open(&reader, path, &options, pool, &result);
    }
    if (status != APR_SUCCESS) {
        FUZZ_ASSERT(status == ECL_EINPUT && result.code && result.detail[0]);
        apr_pool_destroy(pool);
        return 0;
    }
    while ((status = ecl_reader_next(reader, &sink, &row, &result)) == APR_SUCCESS) {
        FUZZ_ASSERT(row.number > number);
        FUZZ_ASSERT(seen->errors == (row.fate == ECL_ROW_FAILED));
        seen->errors = 0;
        number = row.number;
        seen->rows++;
        if (flush && seen->rows % flush == 0) {
            FUZZ_ASSERT(ecl_reader_flush(reader, &sink) == APR_SUCCESS);
        }
    }
    FUZZ_ASSERT(status == APR_EOF);
    FUZZ_ASSERT(ecl_reader_count(path, ecl_reader_layout(reader), NULL, NULL, pool, &counted,
                                 &result) == APR_SUCCESS);
    FUZZ_ASSERT(counted == seen->rows);
    FUZZ_ASSERT(ecl_reader_rows(reader) == -1 || ecl_reader_rows(reader) == counted);
    apr_pool_destroy(pool);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    seen_t whole, flushed;
    char path[64];
    int fd;

    apr_initialize();
    fd = memfd_create("fuzz", 0);
    FUZZ_ASSERT(fd >= 0);
    FUZZ_ASSERT(write(fd, bytes, length) == (ssize_t)length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (read_once(path, 0, &whole)) {
        FUZZ_ASSERT(read_once(path, 1, &flushed));
        FUZZ_ASSERT(whole.readings == flushed.readings && whole.rows == flushed.rows);
    }
    close(fd);
    apr_terminate();
    return 0;
}
