#include "period_text.h"

apr_size_t ecl_period_text_print(const ecl_decimal_t *values, int count,
                                 char text[ECL_PERIOD_TEXT_MAX])
{
    char *at = text;

    *at++ = '[';
    for (int i = 0; i < count; i++) {
        if (i) {
            *at++ = ',';
        }
        if (values[i] == ECL_DECIMAL_MISSING) {
            memcpy(at, "null", 4);
            at += 4;
        } else {
            at += ecl_decimal_print(values[i], at);
        }
    }
    *at++ = ']';
    *at = '\0';
    return (apr_size_t)(at - text);
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads one number at *pat and moves *pat behind it; 0 when there is none. The text ends with NUL,
 * which is no digit: the loops stop there. */
static int parse_number(const char **pat, ecl_decimal_t *pvalue)
{
    const char *at = *pat;
    int negative = *at == '-';
    apr_int64_t value = 0;
    apr_int64_t scale = ECL_DECIMAL_ONE;

    at += negative;
    if (!is_digit(*at) || (*at == '0' && is_digit(at[1]))) {
        return 0;
    }
    for (; is_digit(*at); at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *at - '0', &value)) {
            return 0;
        }
    }
    if (__builtin_mul_overflow(value, ECL_DECIMAL_ONE, &value)) {
        return 0;
    }
    if (*at == '.') {
        if (!is_digit(*++at)) {
            return 0;
        }
        for (; is_digit(*at); at++) {
            scale /= 10; /* then 0: more digits are none of ours, but zeros do no harm */
            if ((!scale && *at != '0') ||
                __builtin_add_overflow(value, (*at - '0') * scale, &value)) {
                return 0;
            }
        }
    }
    *pvalue = negative ? -value : value;
    *pat = at;
    return 1;
}

int ecl_period_text_parse(const char *text, apr_size_t length, ecl_decimal_t *values, int max)
{
    const char *at = text;
    const char *end = text + length;
    int count = 0;

    if (length < 3 || *at++ != '[') {
        return -1;
    }
    for (;;) {
        if (count == max) {
            return -1;
        }
        if (*at == 'n') {
            if (end - at < 4 || memcmp(at, "null", 4) != 0) {
                return -1;
            }
            values[count++] = ECL_DECIMAL_MISSING;
            at += 4;
        } else if (!parse_number(&at, &values[count++])) {
            return -1;
        }
        if (*at == ']') {
            return at + 1 == end ? count : -1;
        }
        if (*at++ != ',') {
            return -1;
        }
    }
}
