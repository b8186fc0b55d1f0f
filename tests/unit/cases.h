/*
 * For the tests of the cases that real files are known for, each by its number in the study of
 * formats from which this program was made: what stands in a file, and what must come of it.
 */
#ifndef TESTS_CASES_H
#define TESTS_CASES_H

#include "pool_fixture.h"
#include "reading.h"

#include <apr_strings.h>

#define JOIN(...) apr_pstrcat(pool, __VA_ARGS__, NULL)

#define HH_HEADER JOIN("MPAN,Date,", series(pool, "HH%02d", 1, 48), "\n")
#define ROW_HEADER "MPAN,Timestamp,kWh\n"

/* 48 times a value. */
static inline const char *times_48(const char *value)
{
    const char *text = value;

    for (int i = 1; i < 48; i++) {
        text = JOIN(text, ",", value);
    }
    return text;
}

/* A row of 48 half-hours. */
static inline const char *hh_row(const char *meter, const char *date, const char *value)
{
    return JOIN(meter, ",", date, ",", times_48(value), "\n");
}

/* A file of one such row. */
static inline reading_t *read_hh(const char *meter, const char *date, const char *value)
{
    return read_text(JOIN(HH_HEADER, hh_row(meter, date, value)));
}

/* A row of a reading, in a file that has others before it which are right. */
static inline reading_t *read_row(const char *timestamp, const char *value)
{
    return read_text(JOIN(ROW_HEADER, MPAN ",2026-02-01 00:00,0.5\n" MPAN ",2026-02-01 00:30,0.5\n",
                          MPAN ",", timestamp, ",", value, "\n"));
}

static inline void assert_refused(const reading_t *r, const char *code, const char *part)
{
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, code);
    assert_non_null(strstr(r->result.detail, part));
}

/* All of a day's half-hours are there. */
static inline void assert_day(const reading_t *r, const char *meter, const char *date,
                              const char *value)
{
    assert_int_equal(r->status, APR_SUCCESS);
    for (int period = 1; period <= 48; period++) {
        assert_string_equal(value_of(r, meter, "AI", date, period), value);
    }
}

#endif /* TESTS_CASES_H */
