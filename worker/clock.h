/*
 * Settlement days: how a local date and a place in it become a period number and a UTC instant.
 *
 * Period 1 of a settlement day starts at local midnight. In Europe/London a day has 48 half-hours,
 * 46 on the last Sunday of March and 50 on that of October (the clocks change at 01:00 UTC).
 */
#ifndef ECL_CLOCK_H
#define ECL_CLOCK_H

#include "../lib/ecl.h"

typedef struct ecl_clock_t ecl_clock_t;

typedef apr_int32_t ecl_date_t; /* days since 1970-01-01 of a local calendar date */
#define ECL_DATE_TEXT 11        /* "YYYY-MM-DD" and NUL */

/* Proleptic Gregorian, years 1 to 9999, no rolling over: 0 when there is no such day. */
int ecl_date_from_ymd(int year, int month, int day, ecl_date_t *pdate);
void ecl_date_to_ymd(ecl_date_t date, int *pyear, int *pmonth, int *pday);
void ecl_date_print(ecl_date_t date, char text[ECL_DATE_TEXT]);

/* A zone by its tz database name, which must be installed (but for "UTC"). ECL_ECONFIG:
 * "unknown-timezone"; "unsupported-timezone": it changes clocks at another time than 01:00 UTC of
 * the same local date between 1990 and 2060 (then the view's local times would be wrong).
 * Allocated from p. Sets the process's TZ during the call: not while other threads run. The clock
 * itself is read-only. It knows all changes from 1970 to 2099, and goes on without any beyond. */
apr_status_t ecl_clock_make(ecl_clock_t **pclock, const char *name, apr_pool_t *p,
                            ecl_result_t *result);

typedef struct ecl_clock_day_t {
    ecl_date_t date;
    apr_int64_t start; /* seconds since 1970 UTC of local midnight */
    int minutes;       /* 1440; 1380 on the short day, 1500 on the long one */
    int change_minute; /* minutes after midnight at which the clocks change; 0: they do not */
} ecl_clock_day_t;

/* The settlement day of a local date. Constant time. */
void ecl_clock_day(const ecl_clock_t *clock, ecl_date_t date, ecl_clock_day_t *day);

/* Which settlement day an instant falls in, and how many minutes after that day's midnight. */
void ecl_clock_from_utc(const ecl_clock_t *clock, apr_int64_t utc_seconds, ecl_clock_day_t *day,
                        int *pminute);

typedef enum ecl_clock_label_t {
    ECL_LABEL_OK,
    ECL_LABEL_AMBIGUOUS, /* the label occurs twice that day (the repeated hour) */
    ECL_LABEL_SKIPPED    /* the label does not exist that day (the hour that is left out) */
} ecl_clock_label_t;

/* What a wall-clock label (minutes after midnight as a clock shows it, 0 to 1439) means: *pminute
 * is the elapsed minutes since local midnight. `second` picks the later one of an ambiguous label
 * (GMT rather than BST). For SKIPPED *pminute is not set. */
ecl_clock_label_t ecl_clock_label(const ecl_clock_day_t *day, int label_minute, int second,
                                  int *pminute);

#endif /* ECL_CLOCK_H */
