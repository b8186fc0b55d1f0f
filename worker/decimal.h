/*
 * Exact decimals: a value is a 64-bit count of 10^-9 of its unit, from the first digit parsed to
 * the SQL text written. No binary floating point touches a reading.
 */
#ifndef ECL_DECIMAL_H
#define ECL_DECIMAL_H

#include "../lib/ecl.h"

typedef apr_int64_t ecl_decimal_t;

#define ECL_DECIMAL_ONE APR_INT64_C(1000000000)
#define ECL_DECIMAL_MISSING APR_INT64_MIN /* blank, "-", "Null", …: no value, which is not zero */
/* enough for any value: sign, 10 digits, point, 9 digits, NUL */
#define ECL_DECIMAL_TEXT 24

typedef enum ecl_decimal_status_t {
    ECL_DECIMAL_OK,
    ECL_DECIMAL_ROUNDED,    /* read, but digits beyond 10^-9 were rounded half to even */
    ECL_DECIMAL_IS_MISSING, /* the cell holds no value */
    ECL_DECIMAL_BAD,        /* not a number */
    ECL_DECIMAL_RANGE       /* a number, but larger than ±9,223,372,036 */
} ecl_decimal_status_t;

/* Parses a whole cell: surrounding blanks (and NBSP) ignored; sign, digits, one decimal point,
 * exponent ("1.5E-3", "0E-20", ".5", "5."). `point` is '.' or ','; the other one is then allowed as
 * a thousands separator between groups of three digits. Missing: empty, "-", and null, nan, n/a,
 * #n/a, #value!, #div/0!, #ref! in any letter case. "inf" and "0x1F" are bad.
 * *pvalue is set for OK and ROUNDED, ECL_DECIMAL_MISSING for IS_MISSING. Does not allocate. */
ecl_decimal_status_t ecl_decimal_parse(const char *text, apr_size_t length, char point,
                                       ecl_decimal_t *pvalue);

/* The thousandth part of such a cell: values in Wh that are in range only as kWh. */
ecl_decimal_status_t ecl_decimal_parse_thousandth(const char *text, apr_size_t length, char point,
                                                  ecl_decimal_t *pvalue);

/* value × numerator / denominator, rounded half to even: unit conversion (Wh: 1/1000, MWh: 1000/1).
 * Returns OK, ROUNDED or RANGE. */
ecl_decimal_status_t ecl_decimal_scale(ecl_decimal_t value, apr_int64_t numerator,
                                       apr_int64_t denominator, ecl_decimal_t *pvalue);

/* Adds with overflow check: 1, or 0 when the sum is out of range. */
int ecl_decimal_add(ecl_decimal_t a, ecl_decimal_t b, ecl_decimal_t *psum);

/* Shortest exact text ("12.5", "0.125", "-3", "0"); returns its length. value is not MISSING. */
apr_size_t ecl_decimal_print(ecl_decimal_t value, char text[ECL_DECIMAL_TEXT]);

#endif /* ECL_DECIMAL_H */
