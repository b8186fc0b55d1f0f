/*
 * Dates and times as spreadsheets keep them: days since the end of 1899 (or the beginning of 1904),
 * the time of day as a fraction. 45055 is 2023-05-09, 45055.5 noon of that day.
 */
#ifndef ECL_SERIAL_H
#define ECL_SERIAL_H

#include "datetime.h"

/* What a number format shows of a number. */
typedef enum ecl_serial_form_t {
    ECL_SERIAL_NUMBER,  /* the number */
    ECL_SERIAL_DATE,    /* a date */
    ECL_SERIAL_STAMP,   /* a date and a time of day */
    ECL_SERIAL_TIME,    /* a time of day */
    ECL_SERIAL_ELAPSED, /* hours that may be more than 24: [h]:mm */
} ecl_serial_form_t;

/* Excel's number formats by id (14 to 22, 45 to 47) and by code: d, m, y, h, s outside quotation
 * marks, brackets and escapes; "[h]:mm". */
ecl_serial_form_t ecl_serial_form_of_id(int id);
ecl_serial_form_t ecl_serial_form_of_code(const char *code);

#define ECL_SERIAL_TEXT 32

/* Prints a number of that form as "2024-03-31", "2024-03-31 00:30:00" (a date with a time that its
 * format hides is one too) or "00:30" (with seconds where there are any; 1 is "24:00"); rounded to
 * the nearest second. 60 is 1900-02-29, which Excel has and the calendar has not. 0: it is no date
 * (negative, after 9999), or its form is NUMBER. */
int ecl_serial_print(double serial, ecl_serial_form_t form, int is_1904,
                     char text[ECL_SERIAL_TEXT]);

/* A cell of a column of dates that holds a bare number: 30000 to 60000 (1982 to 2064; by the 1904
 * system four years later), with or without a fraction. Sets date, minute and second to the nearest
 * second; has_time when there is a fraction. 0: it is none. */
int ecl_serial_parse(const char *text, apr_size_t length, int is_1904, ecl_datetime_t *pstamp);

/* A time of day as a fraction of a day, to the nearest second: "0.0208333333" is 00:30. Sets minute
 * (0 to 1440) and second, and has_time. 0: it has no decimal point, or is not below 1. */
int ecl_serial_parse_time(const char *text, apr_size_t length, ecl_datetime_t *ptime);

/* A cell of a column of dates that holds seconds since 1970 (2001 to 2099, so 10 digits), or
 * milliseconds of whole seconds (13 digits): sets date, minute, second, and an offset of 0. 0: it
 * is none. */
int ecl_serial_parse_unix(const char *text, apr_size_t length, ecl_datetime_t *pstamp);

#endif /* ECL_SERIAL_H */
