/*
 * For tests of layouts and readers: a text becomes a file, is read, and what came out is kept.
 */
#ifndef TESTS_READING_H
#define TESTS_READING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>
#include <cmocka.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_tables.h>

#include "lib/ecl.h"
#include "worker/reader.h"

/* invented identifiers whose check digits are right */
#define MPAN "1000000000012"
#define MPAN2 "2000000000024"

typedef struct told_t {
    apr_int64_t line;
    const char *column, *code, *message, *raw;
} told_t;

typedef struct reading_t {
    apr_pool_t *pool;
    char path[64];
    const char *import_type;
    int year; /* of 30 June, which is today; 0: 2026 */
    ecl_given_t given;
    ecl_result_t result;
    apr_status_t status;                   /* of opening */
    const ecl_layout_t *layout;            /* NULL where it was refused */
    apr_array_header_t *days;              /* of ecl_meter_day_t, as handed over */
    apr_array_header_t *errors, *warnings; /* of told_t */
    apr_int64_t imported, failed, skipped, counted;
    apr_int64_t passed_over; /* rows that opening the reader saw; -1: not all */
} reading_t;

static reading_t *make_reading(void)
{
    apr_pool_t *p;
    reading_t *r;

    apr_pool_create(&p, NULL);
    r = apr_pcalloc(p, sizeof(*r));
    r->pool = p;
    r->result = ecl_result_make(p);
    r->import_type = "auto";
    r->days = apr_array_make(p, 16, sizeof(ecl_meter_day_t));
    r->errors = apr_array_make(p, 16, sizeof(told_t));
    r->warnings = apr_array_make(p, 16, sizeof(told_t));
    return r;
}

static void end_reading(reading_t *r)
{
    apr_pool_destroy(r->pool);
}

static apr_status_t keep_day(void *baton, const ecl_meter_day_t *day)
{
    reading_t *r = baton;

    APR_ARRAY_PUSH(r->days, ecl_meter_day_t) = *day;
    return APR_SUCCESS;
}

static apr_status_t keep_error(void *baton, const ecl_row_error_t *error)
{
    reading_t *r = baton;
    told_t told = {error->line, apr_pstrdup(r->pool, error->column), error->code,
                   apr_pstrdup(r->pool, error->message), apr_pstrdup(r->pool, error->raw)};

    APR_ARRAY_PUSH(r->errors, told_t) = told;
    return APR_SUCCESS;
}

static apr_status_t keep_warning(void *baton, const char *code, const char *message)
{
    reading_t *r = baton;
    told_t told = {0, NULL, code, apr_pstrdup(r->pool, message), NULL};

    APR_ARRAY_PUSH(r->warnings, told_t) = told;
    return APR_SUCCESS;
}

static void write_file(reading_t *r, const char *bytes, size_t length)
{
    const char *dir = getenv("TMPDIR");
    int fd;

    apr_snprintf(r->path, sizeof(r->path), "%s/ecl-reading-XXXXXX", dir ? dir : "/tmp");
    fd = mkstemp(r->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

/* Reads what write_file wrote, and removes it. */
static void read_file(reading_t *r)
{
    ecl_reader_sink_t sink = {r, keep_day, keep_error, keep_warning};
    ecl_reader_options_t options = {.import_type = r->import_type, .given = r->given};
    ecl_clock_t *clock;
    ecl_reader_t *reader;
    ecl_row_t row;
    apr_int64_t number = 0;
    apr_status_t status;

    assert_int_equal(ecl_clock_make(&clock, "Europe/London", r->pool, &r->result), APR_SUCCESS);
    options.clock = clock;
    assert_true(ecl_date_from_ymd(r->year ? r->year : 2026, 6, 30, &options.today));
    r->status = ecl_reader_open(&reader, r->path, &options, r->pool, &r->result);
    if (r->status == APR_SUCCESS) {
        r->layout = ecl_reader_layout(reader);
        while ((status = ecl_reader_next(reader, &sink, &row, &r->result)) == APR_SUCCESS) {
            assert_true(row.number > number);
            number = row.number;
            r->imported += row.fate == ECL_ROW_IMPORTED;
            r->failed += row.fate == ECL_ROW_FAILED;
            r->skipped += row.fate == ECL_ROW_SKIPPED;
        }
        assert_int_equal(status, APR_EOF);
        assert_int_equal(ecl_reader_tell(reader, &sink), APR_SUCCESS);
        assert_int_equal(r->failed, r->errors->nelts);
        assert_int_equal(
            ecl_reader_count(r->path, r->layout, NULL, NULL, r->pool, &r->counted, &r->result),
            APR_SUCCESS);
        assert_int_equal(r->counted, r->imported + r->failed + r->skipped);
        r->passed_over = ecl_reader_rows(reader);
        assert_true(r->passed_over == r->counted || r->passed_over == -1);
    }
    assert_int_equal(unlink(r->path), 0);
}

static inline reading_t *read_text_given(const char *text, const char *import_type,
                                         ecl_given_t given)
{
    reading_t *r = make_reading();

    r->import_type = import_type;
    r->given = given;
    write_file(r, text, strlen(text));
    read_file(r);
    if (r->status != APR_SUCCESS) {
        print_message("refused: %s: %s\n", r->result.code, r->result.detail);
    }
    return r;
}

static inline reading_t *read_text_as(const char *text, const char *import_type)
{
    return read_text_given(text, import_type, (ecl_given_t){NULL});
}

static inline reading_t *read_text(const char *text)
{
    return read_text_as(text, "auto");
}

/* The value that the file gives for a period (from 1), as text; "" for none. Later days win, as in
 * the store. */
static inline const char *value_of(const reading_t *r, const char *meter, const char *channel,
                                   const char *date, int period)
{
    const char *found = "";

    for (int i = 0; i < r->days->nelts; i++) {
        const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, i, ecl_meter_day_t);
        char text[ECL_DATE_TEXT], *value;

        ecl_date_print(day->date, text);
        if (!strcmp(day->meter, meter) && !strcmp(day->channel, channel) && !strcmp(text, date) &&
            period <= day->periods && day->values[period - 1] != ECL_DECIMAL_MISSING) {
            value = apr_palloc(r->pool, ECL_DECIMAL_TEXT);
            ecl_decimal_print(day->values[period - 1], value);
            found = value;
        }
    }
    return found;
}

static inline char flag_at(const reading_t *r, const char *date, int period)
{
    char found = 0;

    for (int i = 0; i < r->days->nelts; i++) {
        const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, i, ecl_meter_day_t);
        char text[ECL_DATE_TEXT];

        ecl_date_print(day->date, text);
        if (!strcmp(text, date) && day->values[period - 1] != ECL_DECIMAL_MISSING) {
            found = day->flags[period - 1];
        }
    }
    return found;
}

static inline int count_readings(const reading_t *r)
{
    int count = 0;

    for (int i = 0; i < r->days->nelts; i++) {
        const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, i, ecl_meter_day_t);

        for (int n = 0; n < day->periods; n++) {
            count += day->values[n] != ECL_DECIMAL_MISSING;
        }
    }
    return count;
}

static inline const told_t *error_at(const reading_t *r, int index)
{
    assert_true(index < r->errors->nelts);
    return &APR_ARRAY_IDX(r->errors, index, told_t);
}

static inline int count_warnings(const reading_t *r, const char *code)
{
    int count = 0;

    for (int i = 0; i < r->warnings->nelts; i++) {
        count += !strcmp(APR_ARRAY_IDX(r->warnings, i, told_t).code, code);
    }
    return count;
}

/* A text of which nothing is read: it is refused with that code, and words that have the part. */
static inline void assert_text_refused(const char *text, const char *code, const char *part)
{
    reading_t *r = read_text(text);
    const char *detail = r->result.detail ? r->result.detail : "";

    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, code);
    if (!strstr(detail, part)) {
        fail_msg("%s", detail);
    }
    end_reading(r);
}

/* The only error of a file, with line, column (NULL: whole row), code, and a part of its text. */
static inline void assert_error(const reading_t *r, apr_int64_t line, const char *column,
                                const char *code, const char *part)
{
    const told_t *error;

    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 1);
    error = error_at(r, 0);
    assert_string_equal(error->code, code);
    assert_int_equal(error->line, line);
    if (column) {
        assert_non_null(error->column);
        assert_string_equal(error->column, column);
    } else {
        assert_null(error->column);
    }
    assert_non_null(strstr(error->message, part));
}

/* "1,2,…" by a printf format with one %d, from first to last. */
static inline const char *series(apr_pool_t *p, const char *fmt, int first, int last)
{
    char *text = apr_palloc(p, 32 * (apr_size_t)(last - first + 2)), *at = text;

    *at = '\0';
    for (int i = first; i <= last; i++) {
        if (i > first) {
            *at++ = ',';
        }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        at += snprintf(at, 32, fmt, i);
#pragma GCC diagnostic pop
    }
    return text;
}

#endif /* TESTS_READING_H */
