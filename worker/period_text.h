/*
 * A day's values as the text that is stored: a JSON array of exact decimals and nulls,
 * "[1.2,null,0.5]", each number the shortest exact one, no blanks.
 */
#ifndef ECL_PERIOD_TEXT_H
#define ECL_PERIOD_TEXT_H

#include "meter_day.h"

/* enough for any day: brackets, and a value and a comma for each period */
#define ECL_PERIOD_TEXT_MAX (2 + ECL_PERIODS_MAX * ECL_DECIMAL_TEXT)

/* Writes the array and a terminating NUL; returns its length. */
apr_size_t ecl_period_text_print(const ecl_decimal_t *values, int count,
                                 char text[ECL_PERIOD_TEXT_MAX]);

/* Reads what print writes, exactly: no binary floating point, no blanks, no exponents, at most 9
 * decimals but for zeros after them. Returns the number of values, or -1 when the text is anything
 * else or has more than `max` values. */
int ecl_period_text_parse(const char *text, apr_size_t length, ecl_decimal_t *values, int max);

#endif /* ECL_PERIOD_TEXT_H */
