/*
 * What readers produce and the store takes: some or all readings of one meter's settlement day.
 */
#ifndef ECL_METER_DAY_H
#define ECL_METER_DAY_H

#include "clock.h"
#include "decimal.h"
#include "meter.h"

#define ECL_PERIODS_MAX 300 /* 5-minute readings of a 25-hour day */

/* Flags, one letter per reading. A file that says nothing means 'A'. */
#define ECL_FLAG_ACTUAL 'A'
#define ECL_FLAG_ESTIMATED 'E'
#define ECL_FLAG_MANUAL 'M'
#define ECL_FLAG_CORRECTED 'C'
#define ECL_FLAG_OTHER 'O' /* the file's own word, not one we know: kept as a reading, counted */
#define ECL_FLAG_NONE '-'  /* no value there */

#define ECL_CHANNEL_VOLUME "VOL" /* gas by volume, beside the kWh that it was converted to */

typedef struct ecl_meter_day_t {
    char meter[ECL_METER_MAX];
    ecl_meter_kind_t kind;
    char channel[8];      /* "AI", "AE", "RI", "RE" */
    char unit[8];         /* "kWh", "kVArh" */
    int interval_minutes; /* 30; 1440 for a daily total */
    ecl_date_t date;
    apr_int64_t day_start; /* seconds since 1970 UTC */
    int periods;           /* 46, 48, 50; 1 for a daily total */
    apr_int64_t line;      /* physical line of the first record that gave a reading */
    /* values as ecl_period_text_print prints them, without NUL; NULL: nobody has */
    const char *text;
    apr_size_t text_length;
    char flags[ECL_PERIODS_MAX];
    ecl_decimal_t values[ECL_PERIODS_MAX]; /* ECL_DECIMAL_MISSING where the file gives none */
} ecl_meter_day_t;

/* The bytes of a day with so many periods: a copy that is only read may end there. */
#define ECL_METER_DAY_BYTES(periods)                                                               \
    (offsetof(ecl_meter_day_t, values) + (apr_size_t)(periods) * sizeof(ecl_decimal_t))

/* How many periods a day of that many minutes has. */
static inline int ecl_periods_of(const ecl_clock_day_t *day, int interval_minutes)
{
    return interval_minutes >= 1440 ? 1 : day->minutes / interval_minutes;
}

#endif /* ECL_METER_DAY_H */
