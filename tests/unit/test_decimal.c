/* Exact decimals: every spelling of a number, rounding, ranges, units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "worker/decimal.h"

#define N(whole, nanos) (APR_INT64_C(whole) * ECL_DECIMAL_ONE + (nanos))
#define NBSP "\xC2\xA0"

typedef struct case_t {
    const char *text;
    ecl_decimal_status_t status;
    ecl_decimal_t value;
} case_t;

static void check(const case_t *cases, size_t count, char point)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const ecl_decimal_t untouched = 4711;
        ecl_decimal_t value = untouched, expected = cases[i].value;
        ecl_decimal_status_t status =
            ecl_decimal_parse(cases[i].text, strlen(cases[i].text), point, &value);

        if (cases[i].status == ECL_DECIMAL_IS_MISSING) {
            expected = ECL_DECIMAL_MISSING;
        } else if (cases[i].status == ECL_DECIMAL_BAD || cases[i].status == ECL_DECIMAL_RANGE) {
            expected = untouched;
        }
        if (status != cases[i].status || value != expected) {
            fail_msg("'%s': status %d value %lld, expected %d %lld", cases[i].text, (int)status,
                     (long long)value, (int)cases[i].status, (long long)expected);
        }
    }
}
#define CHECK(cases, point) check(cases, sizeof cases / sizeof *cases, point)

static void numbers(void **state)
{
    static const case_t cases[] = {
        {"0", ECL_DECIMAL_OK, 0},
        {"1", ECL_DECIMAL_OK, N(1, 0)},
        {"12.5", ECL_DECIMAL_OK, N(12, 500000000)},
        {"0.125", ECL_DECIMAL_OK, N(0, 125000000)},
        {"0.12345", ECL_DECIMAL_OK, N(0, 123450000)},
        {".5", ECL_DECIMAL_OK, N(0, 500000000)},
        {"5.", ECL_DECIMAL_OK, N(5, 0)},
        {"+0.5", ECL_DECIMAL_OK, N(0, 500000000)},
        {"-3", ECL_DECIMAL_OK, -N(3, 0)},
        {"-0", ECL_DECIMAL_OK, 0},
        {"-.25", ECL_DECIMAL_OK, -N(0, 250000000)},
        {"007", ECL_DECIMAL_OK, N(7, 0)},
        {" 0 ", ECL_DECIMAL_OK, 0},
        {"\t1.5\r", ECL_DECIMAL_OK, N(1, 500000000)},
        {NBSP "1.5" NBSP " " NBSP, ECL_DECIMAL_OK, N(1, 500000000)},
        {"0.000000001", ECL_DECIMAL_OK, 1},
        {"0.396000000000000000000", ECL_DECIMAL_OK, N(0, 396000000)},
        {"0000000000000000000000000000001.5", ECL_DECIMAL_OK, N(1, 500000000)},
    };

    (void)state;
    CHECK(cases, '.');
}

static void exponents(void **state)
{
    static const case_t cases[] = {
        {"1.5E-3", ECL_DECIMAL_OK, 1500000},
        {"1.5e3", ECL_DECIMAL_OK, N(1500, 0)},
        {"1.5e+3", ECL_DECIMAL_OK, N(1500, 0)},
        {"1e9", ECL_DECIMAL_OK, N(1000000000, 0)},
        {"0E-20", ECL_DECIMAL_OK, 0},
        {"0e99999999999999999999", ECL_DECIMAL_OK, 0},
        {"5E-9", ECL_DECIMAL_OK, 5},
        {"5E-10", ECL_DECIMAL_ROUNDED, 0},
        {"5.0000000001E-10", ECL_DECIMAL_ROUNDED, 1},
        {"15E-10", ECL_DECIMAL_ROUNDED, 2},
        {"9E-28", ECL_DECIMAL_ROUNDED, 0},
        {"9E-29", ECL_DECIMAL_ROUNDED, 0},
        {"1e-99999999999999999999", ECL_DECIMAL_ROUNDED, 0},
        {"123456789012345678900000E-14", ECL_DECIMAL_OK, N(1234567890, 123456789)},
        {"0.000000000000000000000012E22", ECL_DECIMAL_OK, N(0, 120000000)},
        {"1e10", ECL_DECIMAL_RANGE, 0},
        {"1e400", ECL_DECIMAL_RANGE, 0},
        {"1e99999999999999999999", ECL_DECIMAL_RANGE, 0},
        {"1e", ECL_DECIMAL_BAD, 0},
        {"1e+", ECL_DECIMAL_BAD, 0},
        {"e5", ECL_DECIMAL_BAD, 0},
        {"1e5.0", ECL_DECIMAL_BAD, 0},
        {"1e 5", ECL_DECIMAL_BAD, 0},
    };

    (void)state;
    CHECK(cases, '.');
}

static void digits_beyond_nine_places_round_half_to_even(void **state)
{
    static const case_t cases[] = {
        {"0.0000000005", ECL_DECIMAL_ROUNDED, 0},
        {"0.0000000015", ECL_DECIMAL_ROUNDED, 2},
        {"0.0000000025", ECL_DECIMAL_ROUNDED, 2},
        {"-0.0000000015", ECL_DECIMAL_ROUNDED, -2},
        {"0.00000000250000000000000000001", ECL_DECIMAL_ROUNDED, 3},
        {"0.00000000249999999999999999999", ECL_DECIMAL_ROUNDED, 2},
        {"0.9999999999", ECL_DECIMAL_ROUNDED, N(1, 0)},
        {"0.1234567890000", ECL_DECIMAL_OK, N(0, 123456789)},
        {"0.1234567894999", ECL_DECIMAL_ROUNDED, N(0, 123456789)},
        {"0.333333333333333333333333333333", ECL_DECIMAL_ROUNDED, 333333333},
        /* 19 digits and more, which the mantissa can't hold */
        {"9223372036.1234567885", ECL_DECIMAL_ROUNDED, N(9223372036, 123456788)},
        {"9223372036.1234567895", ECL_DECIMAL_ROUNDED, N(9223372036, 123456790)},
        {"9223372036.12345678850", ECL_DECIMAL_ROUNDED, N(9223372036, 123456788)},
        {"9223372036.12345678851", ECL_DECIMAL_ROUNDED, N(9223372036, 123456789)},
        {"9223372036.12345678800000000", ECL_DECIMAL_OK, N(9223372036, 123456788)},
        {"922337203.12345678950", ECL_DECIMAL_ROUNDED, N(922337203, 123456790)},
        {"922337203.12345678850000000001", ECL_DECIMAL_ROUNDED, N(922337203, 123456789)},
    };

    (void)state;
    CHECK(cases, '.');
}

static void range(void **state)
{
    static const case_t cases[] = {
        {"9223372036.854775807", ECL_DECIMAL_OK, APR_INT64_MAX},
        {"-9223372036.854775807", ECL_DECIMAL_OK, -APR_INT64_MAX},
        {"9223372036.8547758074", ECL_DECIMAL_ROUNDED, APR_INT64_MAX},
        {"9223372036.8547758075", ECL_DECIMAL_RANGE, 0},
        {"9223372036.854775808", ECL_DECIMAL_RANGE, 0},
        {"-9223372036.854775808", ECL_DECIMAL_RANGE, 0}, /* would be "missing" */
        {"10000000000", ECL_DECIMAL_RANGE, 0},
        {"18446744073.709551616", ECL_DECIMAL_RANGE, 0},
        {"99999999999999999999999999", ECL_DECIMAL_RANGE, 0},
    };

    (void)state;
    CHECK(cases, '.');
}

static void separators(void **state)
{
    static const case_t points[] = {
        {"1,234.5", ECL_DECIMAL_OK, N(1234, 500000000)},
        {"1,234", ECL_DECIMAL_OK, N(1234, 0)},
        {"12,345,678.25", ECL_DECIMAL_OK, N(12345678, 250000000)},
        {"-1,000", ECL_DECIMAL_OK, -N(1000, 0)},
        {"0,25", ECL_DECIMAL_BAD, 0},
        {"0,125", ECL_DECIMAL_BAD, 0}, /* a decimal comma, not 125 */
        {"1,2345", ECL_DECIMAL_BAD, 0},
        {"1,23,456", ECL_DECIMAL_BAD, 0},
        {"1234,567", ECL_DECIMAL_BAD, 0},
        {"1,234,", ECL_DECIMAL_BAD, 0},
        {",5", ECL_DECIMAL_BAD, 0},
        {"1.234,5", ECL_DECIMAL_BAD, 0},
        {"1.5,000", ECL_DECIMAL_BAD, 0},
        {"1,,234", ECL_DECIMAL_BAD, 0},
    };
    static const case_t commas[] = {
        {"0,25", ECL_DECIMAL_OK, N(0, 250000000)},
        {"1.234,5", ECL_DECIMAL_OK, N(1234, 500000000)},
        {"1,234", ECL_DECIMAL_OK, N(1, 234000000)},
        {"1.234", ECL_DECIMAL_OK, N(1234, 0)},
        {"0.25", ECL_DECIMAL_BAD, 0},
        {"1,5E-3", ECL_DECIMAL_OK, 1500000},
        {"1,234.5", ECL_DECIMAL_BAD, 0},
    };

    (void)state;
    CHECK(points, '.');
    CHECK(commas, ',');
}

static void missing_is_not_zero(void **state)
{
    static const char *const words[] = {"",        " ",       NBSP,    "-",     " - ",
                                        "Null",    "NULL",    "NaN",   "N/A",   "#N/A",
                                        "#VALUE!", "#DIV/0!", "#REF!", "#ref!", " null "};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        case_t one = {words[i], ECL_DECIMAL_IS_MISSING, 0};

        check(&one, 1, '.');
        check(&one, 1, ',');
    }
}

static void what_is_no_number(void **state)
{
    static const case_t cases[] = {
        {"inf", ECL_DECIMAL_BAD, 0},
        {"0x1F", ECL_DECIMAL_BAD, 0},
        {"abc", ECL_DECIMAL_BAD, 0},
        {"1.2.3", ECL_DECIMAL_BAD, 0},
        {".", ECL_DECIMAL_BAD, 0},
        {"-.", ECL_DECIMAL_BAD, 0},
        {"+", ECL_DECIMAL_BAD, 0},
        {"--1", ECL_DECIMAL_BAD, 0},
        {"- 1", ECL_DECIMAL_BAD, 0},
        {"1 2", ECL_DECIMAL_BAD, 0},
        {"1" NBSP "2", ECL_DECIMAL_BAD, 0},
        {"1.5 kWh", ECL_DECIMAL_BAD, 0},
        {"1-", ECL_DECIMAL_BAD, 0},
        {"\xC2", ECL_DECIMAL_BAD, 0},
        {"\xA0", ECL_DECIMAL_BAD, 0},
        {"nul", ECL_DECIMAL_BAD, 0},
        {"nulls", ECL_DECIMAL_BAD, 0},
        {"-nan", ECL_DECIMAL_BAD, 0},
        {"\xEF\xBC\x91", ECL_DECIMAL_BAD, 0}, /* a full-width 1 */
    };

    (void)state;
    CHECK(cases, '.');
}

/* Only the bytes given are looked at: a cell need not end with a NUL. */
static void length_is_respected(void **state)
{
    ecl_decimal_t value;

    (void)state;
    assert_int_equal(ecl_decimal_parse("12.5", 2, '.', &value), ECL_DECIMAL_OK);
    assert_int_equal(value, N(12, 0));
    assert_int_equal(ecl_decimal_parse("12.5", 3, '.', &value), ECL_DECIMAL_OK);
    assert_int_equal(ecl_decimal_parse("1e5", 2, '.', &value), ECL_DECIMAL_BAD);
    assert_int_equal(ecl_decimal_parse("1\0"
                                       "2",
                                       3, '.', &value),
                     ECL_DECIMAL_BAD);
    assert_int_equal(ecl_decimal_parse(NBSP, 1, '.', &value), ECL_DECIMAL_BAD);
}

static void print(void **state)
{
    static const struct {
        ecl_decimal_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {N(12, 500000000), "12.5"},
        {N(0, 125000000), "0.125"},
        {-N(3, 0), "-3"},
        {1, "0.000000001"},
        {-1, "-0.000000001"},
        {N(100, 0), "100"},
        {N(1, 10), "1.00000001"},
        {APR_INT64_MAX, "9223372036.854775807"},
        {-APR_INT64_MAX, "-9223372036.854775807"},
    };
    char text[ECL_DECIMAL_TEXT];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ecl_decimal_print(cases[i].value, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

static apr_uint64_t random64(void)
{
    static apr_uint64_t x = APR_UINT64_C(88172645463325252);

    x ^= x << 13;
    x ^= x >> 7;
    return x ^= x << 17;
}

static void what_is_printed_is_read_back(void **state)
{
    char text[ECL_DECIMAL_TEXT];
    int i;

    (void)state;
    for (i = 0; i < 200000; i++) {
        ecl_decimal_t value = (ecl_decimal_t)(random64() >> (1 + random64() % 63)), back;

        value = i & 1 ? -value : value;
        assert_int_equal(ecl_decimal_parse(text, ecl_decimal_print(value, text), '.', &back),
                         ECL_DECIMAL_OK);
        assert_int_equal(back, value);
    }
}

/* Random numbers of 9 + 1 … 9 + 8 places against rounding done on the whole number. */
static void rounding_agrees_with_whole_numbers(void **state)
{
    char text[64];
    int i;

    (void)state;
    for (i = 0; i < 200000; i++) {
        int extra = 1 + (int)(random64() % 8);
        apr_int64_t unit = 1, number, quotient, rest;
        ecl_decimal_t value;
        ecl_decimal_status_t status;
        int places;

        for (places = 0; places < extra; places++) {
            unit *= 10;
        }
        number = (apr_int64_t)(random64() >> (3 + random64() % 60));
        if (i % 3 == 0) {
            number = number / unit * unit + unit / 2; /* a tie */
        }
        quotient = number / unit;
        rest = number % unit;
        if (rest * 2 > unit || (rest * 2 == unit && quotient % 2)) {
            quotient++;
        }
        snprintf(text, sizeof text, "%lldE-%d", (long long)number, 9 + extra);
        status = ecl_decimal_parse(text, strlen(text), '.', &value);
        assert_int_equal(status, rest ? ECL_DECIMAL_ROUNDED : ECL_DECIMAL_OK);
        assert_int_equal(value, quotient);
    }
}

static void scale(void **state)
{
    ecl_decimal_t value;

    (void)state;
    /* Wh, MWh, kW over half an hour */
    assert_int_equal(ecl_decimal_scale(N(450, 0), 1, 1000, &value), ECL_DECIMAL_OK);
    assert_int_equal(value, N(0, 450000000));
    assert_int_equal(ecl_decimal_scale(N(0, 1500), 1000, 1, &value), ECL_DECIMAL_OK);
    assert_int_equal(value, N(0, 1500000));
    assert_int_equal(ecl_decimal_scale(-N(7, 0), 1, 2, &value), ECL_DECIMAL_OK);
    assert_int_equal(value, -N(3, 500000000));
    /* half to even, both signs */
    assert_int_equal(ecl_decimal_scale(500, 1, 1000, &value), ECL_DECIMAL_ROUNDED);
    assert_int_equal(value, 0);
    assert_int_equal(ecl_decimal_scale(1500, 1, 1000, &value), ECL_DECIMAL_ROUNDED);
    assert_int_equal(value, 2);
    assert_int_equal(ecl_decimal_scale(-1500, 1, 1000, &value), ECL_DECIMAL_ROUNDED);
    assert_int_equal(value, -2);
    assert_int_equal(ecl_decimal_scale(2501, 1, 1000, &value), ECL_DECIMAL_ROUNDED);
    assert_int_equal(value, 3);
    assert_int_equal(ecl_decimal_scale(1, 1, 3, &value), ECL_DECIMAL_ROUNDED);
    assert_int_equal(value, 0);
    assert_int_equal(ecl_decimal_scale(2, -1, 3, &value), ECL_DECIMAL_ROUNDED);
    assert_int_equal(value, -1);
    /* the product may be larger than 64 bits, the result may not */
    assert_int_equal(ecl_decimal_scale(APR_INT64_MAX, 1000, 1000, &value), ECL_DECIMAL_OK);
    assert_int_equal(value, APR_INT64_MAX);
    assert_int_equal(ecl_decimal_scale(APR_INT64_MAX, 2, 1, &value), ECL_DECIMAL_RANGE);
    assert_int_equal(ecl_decimal_scale(-APR_INT64_MAX, APR_INT64_MAX, 1, &value),
                     ECL_DECIMAL_RANGE);
    assert_int_equal(ecl_decimal_scale(APR_INT64_MIN + 1, 3, 3, &value), ECL_DECIMAL_OK);
}

static void add(void **state)
{
    ecl_decimal_t sum;

    (void)state;
    assert_true(ecl_decimal_add(N(1, 5), N(2, 6), &sum));
    assert_int_equal(sum, N(3, 11));
    assert_true(ecl_decimal_add(APR_INT64_MAX, -1, &sum));
    assert_false(ecl_decimal_add(APR_INT64_MAX, 1, &sum));
    assert_false(ecl_decimal_add(-APR_INT64_MAX, -1, &sum)); /* would be "missing" */
    assert_false(ecl_decimal_add(-APR_INT64_MAX, -2, &sum));
}

/* As nearly all readings are: they are printed in another way than the rest. */
static void short_numbers_are_printed_alike(void **state)
{
    char text[ECL_DECIMAL_TEXT], expected[ECL_DECIMAL_TEXT];

    (void)state;
    for (int thousandths = 0; thousandths < 200000; thousandths++) {
        apr_size_t length = (apr_size_t)snprintf(expected, sizeof expected, "%d.%03d",
                                                 thousandths / 1000, thousandths % 1000);

        while (expected[length - 1] == '0') {
            length--;
        }
        length -= expected[length - 1] == '.';
        expected[length] = '\0';
        assert_int_equal(ecl_decimal_print(thousandths * (ECL_DECIMAL_ONE / 1000), text), length);
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(exponents),
        cmocka_unit_test(digits_beyond_nine_places_round_half_to_even),
        cmocka_unit_test(range),
        cmocka_unit_test(separators),
        cmocka_unit_test(missing_is_not_zero),
        cmocka_unit_test(what_is_no_number),
        cmocka_unit_test(length_is_respected),
        cmocka_unit_test(print),
        cmocka_unit_test(short_numbers_are_printed_alike),
        cmocka_unit_test(what_is_printed_is_read_back),
        cmocka_unit_test(rounding_agrees_with_whole_numbers),
        cmocka_unit_test(scale),
        cmocka_unit_test(add),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
