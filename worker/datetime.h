/*
 * Dates and times as people write them, read strictly: no rolling over (31/02 is an error), no
 * guessing of a missing year, no seconds since anything.
 */
#ifndef ECL_DATETIME_H
#define ECL_DATETIME_H

#include "clock.h"

/* The order of numbers where the year does not have four digits and come first. The last three are
 * for an order that somebody has stated: then "23-09-01" is no longer AMBIGUOUS. */
typedef enum ecl_date_order_t {
    ECL_ORDER_DMY,
    ECL_ORDER_MDY,
    ECL_ORDER_SURELY_DMY,
    ECL_ORDER_SURELY_MDY,
    ECL_ORDER_SURELY_YMD
} ecl_date_order_t;

typedef struct ecl_datetime_t {
    int has_date;
    ecl_date_t date;
    int has_time;
    int minute;         /* 0 to 1440 (24:00), as the clock label says */
    int second;         /* 0 to 59; fractions of seconds must be zero, or all nines, and are dropped
                         */
    int has_offset;     /* "Z", "+01:00", "+0000": */
    int offset_minutes; /* minutes east of UTC */
    int is_slot;        /* the cell also had the end: date and time are the start */
} ecl_datetime_t;

typedef enum ecl_datetime_status_t {
    ECL_DATETIME_OK,
    ECL_DATETIME_MISSING,   /* blank, "-", "Null" and the like, see cell.h */
    ECL_DATETIME_BAD,       /* not a date or time of a form we know */
    ECL_DATETIME_NO_SUCH,   /* the form is known, the day or time does not exist (31/02, 25:00), is
                               not the weekday given, or is not within 1970 to 2099 */
    ECL_DATETIME_NO_YEAR,   /* "30/08", "30/08/0", "30 Aug": the year is missing */
    ECL_DATETIME_LOST_HOUR, /* "30:00.0": what Excel's mm:ss display leaves of a time */
    ECL_DATETIME_AMBIGUOUS  /* "23-09-01": year-month-day or day-month-year? */
} ecl_datetime_status_t;

/* Parses a whole cell, blanks around it ignored: a date, a time, or both in either order.
 *   dates   2024-03-31 2024/03/31 2024-Mar-31 20240331 31/03/2024 31-03-2024 31.03.2024 31/03/24
 *           31-Mar-24 31MAR2024 "31 03 2024" "31 Mar 2024" "31st of March, 2024" "Mar 31st, 2024"
 *           "Fri 01/09/2023"; English names, short or long; one-digit days and months; two-digit
 *           years are 2000 to 2099 (only after day and month)
 *   times   00:30 0:30 00:30:00 00:30:00.0000000 24:00 "1:30 PM" "1.30 p.m." 1pm "13:00 PM"
 *           "00:30 AM" 0030 2400, behind a date 003000; of a slot "00:30 to 01:00", "00:30 - 01:00"
 *           or "00:30-01:00" the start
 *   offset  after a time: Z UTC GMT BST GMT+1 +01:00 +0100 +01, also after a blank; what a zone is
 *           called behind its offset does not matter: "+01:00[Europe/London]", "+0000 UTC"
 *   both    "2024-03-31 00:30" "31/03/2024, 00:30" "2024-03-31 00.30" 2024-03-31T00:30:00Z
 *           20240331T003000Z "Nov 13 2019 12:00AM" "01:03:59 Fri 01/09/2023" 202403310030
 *           20240331003000 "Sun Mar 31 00:30:00 GMT 2024" "31/03/2024 - 00:30" 31MAR2024:00:30;
 *           of "31/03/2024 00:30 to 31/03/2024 01:00" the start, and of intervals of ISO 8601:
 *         "2024-03-31T00:30:00Z/2024-03-31T01:00:00Z" "2024-03-31T00:30:00Z/PT30M"
 * Of a slot the end is looked at only so far that one of some other length than meters have is BAD.
 * `order` decides d/m/y or m/d/y wherever the year comes last and the month is a number; a date
 * that can only be the other one is NO_SUCH. With y/m/d two-digit years come first. Spreadsheet
 * serials (45055) are BAD: only a reader that knows where they come from can tell them from
 * numbers. *pvalue is set for OK only. Does not allocate. */
ecl_datetime_status_t ecl_datetime_parse(const char *text, apr_size_t length,
                                         ecl_date_order_t order, ecl_datetime_t *pvalue);

/* What was expected, for messages: "a date such as 2026-03-29 or 29/03/2026". */
const char *ecl_datetime_expected(ecl_datetime_status_t status);

#endif /* ECL_DATETIME_H */
