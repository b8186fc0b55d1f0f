#include "pg_binary.h"

#include <arpa/inet.h>

#define EPOCH 10957 /* 2000-01-01: day 0 of a date */
#define NUMERIC 1700
/* A numeric is digits to the base of 10,000: three before the point hold any of our values, and
 * three after it 12 decimals. */
#define BASE 10000
#define DIGITS 6
#define WEIGHT 2 /* of the first of them: its place before the point, from 0 */
#define NUMERIC_HEADER 8
#define SIGN_NEGATIVE 0x4000

static char *extend(ecl_pg_bytes_t *bytes, apr_size_t length)
{
    char *at;

    if (bytes->size + length > bytes->room) {
        apr_size_t room = (bytes->size + length) * 2 + 1024;
        char *data = apr_palloc(bytes->pool, room);

        if (bytes->size) {
            memcpy(data, bytes->data, bytes->size);
        }
        bytes->data = data;
        bytes->room = room;
    }
    at = bytes->data + bytes->size;
    bytes->size += length;
    return at;
}

static char *write_int16(char *at, int value)
{
    apr_uint16_t big = htons((apr_uint16_t)value);

    memcpy(at, &big, sizeof big);
    return at + sizeof big;
}

static char *write_int32(char *at, apr_int32_t value)
{
    apr_uint32_t big = htonl((apr_uint32_t)value);

    memcpy(at, &big, sizeof big);
    return at + sizeof big;
}

void ecl_pg_put_int16(ecl_pg_bytes_t *bytes, int value)
{
    write_int16(extend(bytes, 2), value);
}

void ecl_pg_put_int32(ecl_pg_bytes_t *bytes, apr_int32_t value)
{
    write_int32(extend(bytes, 4), value);
}

void ecl_pg_put_raw(ecl_pg_bytes_t *bytes, const void *data, apr_size_t length)
{
    memcpy(extend(bytes, length), data, length);
}

void ecl_pg_put_text(ecl_pg_bytes_t *bytes, const char *text, apr_size_t length)
{
    ecl_pg_put_int32(bytes, (apr_int32_t)length);
    ecl_pg_put_raw(bytes, text, length);
}

void ecl_pg_put_integer(ecl_pg_bytes_t *bytes, apr_int32_t value)
{
    write_int32(write_int32(extend(bytes, 8), 4), value);
}

void ecl_pg_put_bigint(ecl_pg_bytes_t *bytes, apr_int64_t value)
{
    char *at = write_int32(extend(bytes, 12), 8);

    at = write_int32(at, (apr_int32_t)((apr_uint64_t)value >> 32));
    write_int32(at, (apr_int32_t)(apr_uint32_t)value);
}

void ecl_pg_put_date(ecl_pg_bytes_t *bytes, ecl_date_t date)
{
    ecl_pg_put_integer(bytes, date - EPOCH);
}

void ecl_pg_put_array(ecl_pg_bytes_t *bytes, int element_type, int count)
{
    char *at = extend(bytes, 20);

    at = write_int32(at, 1); /* dimension */
    at = write_int32(at, 0); /* no NULLs */
    at = write_int32(at, element_type);
    at = write_int32(at, count);
    write_int32(at, 1); /* the first element's number */
}

/* How many decimals there are: 9 of them are in the three digits behind the point. */
static int count_decimals(const int *digits)
{
    int place = digits[2] ? 2 : digits[1] ? 1 : 0;
    int decimals = digits[place] ? 4 * (place + 1) : 0;

    for (int digit = digits[place]; digit && digit % 10 == 0; digit /= 10) {
        decimals--;
    }
    return decimals;
}

/* One numeric, with its length before it; returns where the next one goes. */
static char *write_numeric(char *at, ecl_decimal_t value)
{
    apr_uint64_t size = value < 0 ? -(apr_uint64_t)value : (apr_uint64_t)value;
    apr_uint64_t whole = size / ECL_DECIMAL_ONE;
    apr_uint32_t part = (apr_uint32_t)(size % ECL_DECIMAL_ONE);
    int digits[DIGITS] = {0,
                          0,
                          (int)(whole % BASE),
                          (int)(part / 100000),
                          (int)(part / 10 % BASE),
                          (int)(part % 10 * 1000)};
    int first = 0, last = DIGITS;

    if (whole >= BASE) { /* hardly ever */
        digits[0] = (int)(whole / BASE / BASE);
        digits[1] = (int)(whole / BASE % BASE);
    }
    while (first < DIGITS && !digits[first]) {
        first++;
    }
    while (last > first && !digits[last - 1]) {
        last--;
    }
    at = write_int32(at, NUMERIC_HEADER + 2 * (last - first));
    at = write_int16(at, last - first);
    at = write_int16(at, first < last ? WEIGHT - first : 0);
    at = write_int16(at, value < 0 ? SIGN_NEGATIVE : 0);
    at = write_int16(at, count_decimals(digits + WEIGHT + 1));
    for (int i = first; i < last; i++) {
        at = write_int16(at, digits[i]);
    }
    return at;
}

void ecl_pg_put_periods(ecl_pg_bytes_t *bytes, const ecl_decimal_t *values, int count)
{
    apr_size_t start = bytes->size;
    apr_size_t most = 4 + 20 + (apr_size_t)count * (4 + NUMERIC_HEADER + 2 * DIGITS);
    char *length = extend(bytes, most);
    char *at = length + 4, *has_null = at + 4;

    at = write_int32(at, 1);
    at = write_int32(at, 0);
    at = write_int32(at, NUMERIC);
    at = write_int32(at, count);
    at = write_int32(at, 1);
    for (int i = 0; i < count; i++) {
        if (values[i] == ECL_DECIMAL_MISSING) {
            at = write_int32(at, -1);
            write_int32(has_null, 1);
        } else {
            at = write_numeric(at, values[i]);
        }
    }
    write_int32(length, (apr_int32_t)(at - length - 4));
    bytes->size = start + (apr_size_t)(at - length);
}

/* ---- reading -------------------------------------------------------------------------------- */

static int read_int16(const char *at)
{
    apr_uint16_t big;

    memcpy(&big, at, sizeof big);
    return (apr_int16_t)ntohs(big);
}

static apr_int32_t read_int32(const char *at)
{
    apr_uint32_t big;

    memcpy(&big, at, sizeof big);
    return (apr_int32_t)ntohl(big);
}

apr_int64_t ecl_pg_get_int(const char *data, int length)
{
    if (length == 4) {
        return read_int32(data);
    }
    return (apr_int64_t)((apr_uint64_t)(apr_uint32_t)read_int32(data) << 32 |
                         (apr_uint32_t)read_int32(data + 4));
}

ecl_date_t ecl_pg_get_date(const char *data)
{
    return read_int32(data) + EPOCH;
}

/* What one digit at a place before (0, 1, 2) or after (-1, -2, -3) the point is worth, times
 * 10^-9; 0 when it is no digit of ours there. */
static int add_digit(apr_int64_t *psum, int digit, int place)
{
    static const apr_int64_t worth[] = {ECL_DECIMAL_ONE, ECL_DECIMAL_ONE * BASE,
                                        ECL_DECIMAL_ONE * BASE * BASE};
    apr_int64_t value;

    if (digit < 0 || digit >= BASE) {
        return 0;
    }
    if (place >= 0) {
        return place <= WEIGHT && !__builtin_mul_overflow(digit, worth[place], &value) &&
               !__builtin_add_overflow(*psum, value, psum);
    }
    if (place == -1) {
        value = (apr_int64_t)digit * 100000;
    } else if (place == -2) {
        value = (apr_int64_t)digit * 10;
    } else if (place == -3 && digit % 1000 == 0) {
        value = digit / 1000;
    } else {
        return digit == 0;
    }
    return !__builtin_add_overflow(*psum, value, psum);
}

static int read_numeric(const char *at, int length, ecl_decimal_t *pvalue)
{
    apr_int64_t sum = 0;
    int digits, weight, sign;

    if (length < NUMERIC_HEADER) {
        return 0;
    }
    digits = read_int16(at);
    weight = read_int16(at + 2);
    sign = read_int16(at + 4);
    if (digits < 0 || length != NUMERIC_HEADER + 2 * digits ||
        (sign != 0 && sign != SIGN_NEGATIVE)) {
        return 0; /* the rest are NaN and infinity */
    }
    for (int i = 0; i < digits; i++) {
        if (!add_digit(&sum, read_int16(at + NUMERIC_HEADER + 2 * i), weight - i)) {
            return 0;
        }
    }
    *pvalue = sign ? -sum : sum;
    return 1;
}

int ecl_pg_get_periods(const char *data, int length, ecl_decimal_t *values, int max)
{
    const char *at = data + 20, *end = data + length;
    int count;

    if (length < 20 || read_int32(data) != 1 || read_int32(data + 8) != NUMERIC) {
        return -1;
    }
    count = read_int32(data + 12);
    if (count < 1 || count > max) {
        return -1;
    }
    for (int i = 0; i < count; i++) {
        int bytes;

        if (end - at < 4) {
            return -1;
        }
        bytes = read_int32(at);
        at += 4;
        if (bytes == -1) {
            values[i] = ECL_DECIMAL_MISSING;
            continue;
        }
        if (bytes < 0 || bytes > end - at || !read_numeric(at, bytes, &values[i])) {
            return -1;
        }
        at += bytes;
    }
    return at == end ? count : -1;
}
