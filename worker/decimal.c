#include "cell.h"
#include "decimal.h"

#define PLACES 9
/* A mantissa below this takes one more digit: 19 digits fit 64 bits, and reach beyond any value. */
#define MANTISSA_FULL APR_UINT64_C(1000000000000000000)
#define EXPONENT_MAX 100000 /* more than any cell's digits can make up for */

static const apr_uint64_t powers[] = {
    APR_UINT64_C(1),
    APR_UINT64_C(10),
    APR_UINT64_C(100),
    APR_UINT64_C(1000),
    APR_UINT64_C(10000),
    APR_UINT64_C(100000),
    APR_UINT64_C(1000000),
    APR_UINT64_C(10000000),
    APR_UINT64_C(100000000),
    APR_UINT64_C(1000000000),
    APR_UINT64_C(10000000000),
    APR_UINT64_C(100000000000),
    APR_UINT64_C(1000000000000),
    APR_UINT64_C(10000000000000),
    APR_UINT64_C(100000000000000),
    APR_UINT64_C(1000000000000000),
    APR_UINT64_C(10000000000000000),
    APR_UINT64_C(100000000000000000),
    APR_UINT64_C(1000000000000000000),
    APR_UINT64_C(10000000000000000000),
};
#define POWERS ((int)(sizeof powers / sizeof *powers))

/* The digits of a number: mantissa, and of those that it could not take only what rounding needs.
 */
typedef struct digits_t {
    apr_uint64_t mantissa;
    apr_int64_t dropped; /* how many digits follow those of the mantissa */
    int first_dropped;   /* the first of them */
    int others_dropped;  /* whether any of the rest is not zero */
} digits_t;

static const char *read_digits(const char *at, const char *end, digits_t *digits)
{
    apr_uint64_t mantissa = digits->mantissa;

    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';

        if (digit > 9) {
            break;
        }
        if (mantissa < MANTISSA_FULL) {
            mantissa = mantissa * 10 + digit;
        } else if (digits->dropped++ == 0) {
            digits->first_dropped = (int)digit;
        } else {
            digits->others_dropped |= digit != 0;
        }
    }
    digits->mantissa = mantissa;
    return at;
}

/* Reads on after the first group of digits, at the first separator: "1,234,567". Returns NULL where
 * the groups are not those of thousands; "0,125" is not: it means something else. */
static const char *read_groups(const char *first, const char *at, const char *end, char separator,
                               digits_t *digits)
{
    if (at - first > 3 || *first == '0') {
        return NULL;
    }
    while (at < end && *at == separator) {
        const char *group = at + 1;

        at = read_digits(group, end, digits);
        if (at - group != 3) {
            return NULL;
        }
    }
    return at;
}

/* A blank that does not break, or an apostrophe, between groups of three digits: its bytes; 0: it
 * is none. */
static apr_size_t group_mark(const char *at, const char *end)
{
    static const char *const marks[] = {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89", "'",
                                        "\xe2\x80\x99"};

    for (apr_size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        apr_size_t length = strlen(marks[i]);

        if ((apr_size_t)(end - at) > length && !memcmp(at, marks[i], length)) {
            return length;
        }
    }
    return 0;
}

/* As read_groups: "1\u00a0234", "1'234". */
static const char *read_marked_groups(const char *first, const char *at, const char *end,
                                      digits_t *digits)
{
    apr_size_t mark;

    if (at - first > 3 || *first == '0') {
        return NULL;
    }
    while ((mark = group_mark(at, end)) != 0) {
        const char *group = at + mark;

        at = read_digits(group, end, digits);
        if (at - group != 3) {
            return NULL;
        }
    }
    return at;
}

/* Reads "e-3"; returns NULL when no digit follows. */
static const char *read_exponent(const char *at, const char *end, apr_int64_t *pexponent)
{
    apr_int64_t exponent = 0;
    int is_negative = 0;
    const char *first;

    at++;
    if (at < end && (*at == '-' || *at == '+')) {
        is_negative = *at++ == '-';
    }
    for (first = at; at < end && *at >= '0' && *at <= '9'; at++) {
        if (exponent < EXPONENT_MAX) {
            exponent = exponent * 10 + (*at - '0');
        }
    }
    *pexponent = is_negative ? -exponent : exponent;
    return at > first ? at : NULL;
}

/* Sets *pvalue to ± digits × 10^exponent. */
static ecl_decimal_status_t to_decimal(const digits_t *digits, apr_int64_t exponent,
                                       int is_negative, ecl_decimal_t *pvalue)
{
    apr_int64_t shift = exponent + digits->dropped + PLACES;
    apr_uint64_t value = digits->mantissa;
    int is_over =
        digits->first_dropped > 5 || (digits->first_dropped == 5 && digits->others_dropped);
    int is_half = digits->first_dropped == 5 && !digits->others_dropped;
    int is_exact = !digits->first_dropped && !digits->others_dropped;

    if (!value) {
        *pvalue = 0;
        return ECL_DECIMAL_OK;
    }
    if (shift > 0) {
        if (shift >= POWERS || __builtin_mul_overflow(value, powers[shift], &value)) {
            return ECL_DECIMAL_RANGE;
        }
        /* where digits were dropped, the mantissa was full: now it is out of range, see below */
    } else if (-shift >= POWERS) {
        value = 0;
        is_over = is_half = is_exact = 0;
    } else if (shift < 0) {
        apr_uint64_t unit = powers[-shift], rest = value % unit;

        value /= unit;
        is_over = rest > unit / 2 || (rest == unit / 2 && !is_exact);
        is_half = rest == unit / 2 && is_exact;
        is_exact = is_exact && !rest;
    }
    if (is_over || (is_half && (value & 1))) {
        value++;
    }
    if (value > APR_INT64_MAX) {
        return ECL_DECIMAL_RANGE;
    }
    *pvalue = is_negative ? -(apr_int64_t)value : (apr_int64_t)value;
    return is_exact ? ECL_DECIMAL_OK : ECL_DECIMAL_ROUNDED;
}

/* "12.345", as nearly every cell is: up to nine digits, perhaps a point and up to nine more.
 * Returns 0 for anything else, which may be a number all the same. */
static int parse_plain(const char *text, apr_size_t length, char point, ecl_decimal_t *pvalue)
{
    apr_size_t whole = length, places = 0;
    apr_uint64_t mantissa = 0;

    for (apr_size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';

        if (digit <= 9) {
            mantissa = mantissa * 10 + digit;
        } else if (text[i] == point && whole == length) {
            whole = i;
            places = length - i - 1;
        } else {
            return 0;
        }
        if (i > 2 * PLACES) {
            return 0;
        }
    }
    if (whole + places == 0 || whole > PLACES || places > PLACES) {
        return 0;
    }
    *pvalue = (ecl_decimal_t)(mantissa * powers[PLACES - places]);
    return 1;
}

/* The number × 10^shift. */
static ecl_decimal_status_t parse(const char *text, apr_size_t length, char point, int shift,
                                  ecl_decimal_t *pvalue)
{
    const char separator = point == ',' ? '.' : ',';
    const char *end = text + length, *at, *whole;
    apr_int64_t exponent = 0, fraction = 0;
    digits_t digits = {0};
    int is_negative = 0;

    ecl_cell_trim(&text, &end);
    at = text;
    if (at < end && (*at == '-' || *at == '+')) {
        is_negative = *at++ == '-';
    }
    whole = at;
    at = read_digits(at, end, &digits);
    if (at < end && at > whole && *at == separator) {
        at = read_groups(whole, at, end, separator, &digits);
    } else if (at < end && at > whole && group_mark(at, end)) {
        at = read_marked_groups(whole, at, end, &digits);
    }
    if (!at) {
        return ECL_DECIMAL_BAD;
    }
    if (at < end && *at == point) {
        const char *first = at + 1;

        at = read_digits(first, end, &digits);
        fraction = at - first;
        whole += fraction == 0; /* "." alone holds no digit */
    }
    if (at == whole) {
        if (!ecl_cell_is_missing(text, end)) {
            return ECL_DECIMAL_BAD;
        }
        *pvalue = ECL_DECIMAL_MISSING;
        return ECL_DECIMAL_IS_MISSING;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at = read_exponent(at, end, &exponent);
    }
    if (at != end) {
        return ECL_DECIMAL_BAD;
    }
    return to_decimal(&digits, exponent - fraction + shift, is_negative, pvalue);
}

ecl_decimal_status_t ecl_decimal_parse(const char *text, apr_size_t length, char point,
                                       ecl_decimal_t *pvalue)
{
    return parse_plain(text, length, point, pvalue) ? ECL_DECIMAL_OK
                                                    : parse(text, length, point, 0, pvalue);
}

ecl_decimal_status_t ecl_decimal_parse_thousandth(const char *text, apr_size_t length, char point,
                                                  ecl_decimal_t *pvalue)
{
    return parse(text, length, point, -3, pvalue);
}

ecl_decimal_status_t ecl_decimal_scale(ecl_decimal_t value, apr_int64_t numerator,
                                       apr_int64_t denominator, ecl_decimal_t *pvalue)
{
    __int128 product = (__int128)value * numerator;
    __int128 quotient = product / denominator;
    __int128 rest = product % denominator;
    __int128 twice = 2 * (rest < 0 ? -rest : rest);
    __int128 whole = denominator < 0 ? -(__int128)denominator : denominator;

    if (twice > whole || (twice == whole && (quotient & 1))) {
        quotient += (product < 0) == (denominator < 0) ? 1 : -1;
    }
    if (quotient > APR_INT64_MAX || quotient < -APR_INT64_MAX) {
        return ECL_DECIMAL_RANGE;
    }
    *pvalue = (ecl_decimal_t)quotient;
    return rest ? ECL_DECIMAL_ROUNDED : ECL_DECIMAL_OK;
}

int ecl_decimal_add(ecl_decimal_t a, ecl_decimal_t b, ecl_decimal_t *psum)
{
    return !__builtin_add_overflow(a, b, psum) && *psum != ECL_DECIMAL_MISSING;
}

/* Writes so many digits of number, zeros in front included. */
static char *print_digits(apr_uint64_t number, int digits, char *text)
{
    for (int i = digits; i > 0; number /= 10) {
        text[--i] = (char)('0' + number % 10);
    }
    return text + digits;
}

/* "7.125", as nearly every reading is: below a hundred, of three places at most. All is written,
 * and cut to length without a branch: how many digits there are is anybody's guess. */
static apr_size_t print_short(unsigned thousandths, char *text)
{
    unsigned whole = thousandths / 1000, places = thousandths % 1000;
    unsigned tenth = places / 100, hundredth = places / 10 % 10, last = places % 10;
    unsigned no_last = !last, no_two = no_last & !hundredth, no_three = no_two & !tenth;
    unsigned has_tens = whole >= 10;

    text[0] = (char)('0' + whole / 10);
    text += has_tens;
    text[0] = (char)('0' + whole % 10);
    text[1] = '.';
    text[2] = (char)('0' + tenth);
    text[3] = (char)('0' + hundredth);
    text[4] = (char)('0' + last);
    return 5 + has_tens - no_last - no_two - 2 * no_three;
}

apr_size_t ecl_decimal_print(ecl_decimal_t value, char text[ECL_DECIMAL_TEXT])
{
    apr_uint64_t thousandths = (apr_uint64_t)value / 1000000;
    apr_uint64_t magnitude = value < 0 ? -(apr_uint64_t)value : (apr_uint64_t)value;
    apr_uint64_t whole = magnitude / ECL_DECIMAL_ONE;
    apr_uint32_t fraction = (apr_uint32_t)(magnitude % ECL_DECIMAL_ONE);
    int digits = 1, places = PLACES;
    char *at = text;

    if (thousandths < 100000 && thousandths * 1000000 == (apr_uint64_t)value) {
        apr_size_t length = print_short((unsigned)thousandths, text);

        text[length] = '\0';
        return length;
    }
    if (value < 0) {
        *at++ = '-';
    }
    while (whole >= powers[digits]) {
        digits++;
    }
    at = print_digits(whole, digits, at);
    if (fraction) {
        if (fraction % 1000000 == 0) { /* three places are what most files have */
            fraction /= 1000000;
            places -= 6;
        }
        while (fraction % 10 == 0) {
            fraction /= 10;
            places--;
        }
        *at++ = '.';
        at = print_digits(fraction, places, at);
    }
    *at = '\0';
    return (apr_size_t)(at - text);
}
