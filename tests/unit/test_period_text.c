/* A day's values as text: exact both ways, and strict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "worker/period_text.h"

static int parse(const char *text, ecl_decimal_t *values, int max)
{
    return ecl_period_text_parse(text, strlen(text), values, max);
}

static void prints_shortest_exact_numbers(void **state)
{
    const ecl_decimal_t values[] = {ECL_DECIMAL_ONE * 12 + 500000000, ECL_DECIMAL_MISSING, 0, -1,
                                    ECL_DECIMAL_ONE * 100};
    char text[ECL_PERIOD_TEXT_MAX];
    apr_size_t length = ecl_period_text_print(values, 5, text);

    (void)state;
    assert_int_equal(length, strlen(text));
    assert_string_equal(text, "[12.5,null,0,-0.000000001,100]");
}

static void reads_back_what_it_prints(void **state)
{
    ecl_decimal_t values[ECL_PERIODS_MAX], back[ECL_PERIODS_MAX];
    char text[ECL_PERIOD_TEXT_MAX];
    apr_uint64_t random = 12345;

    (void)state;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < ECL_PERIODS_MAX; i++) {
            random = random * APR_UINT64_C(6364136223846793005) + 1442695040888963407U;
            values[i] = (apr_int64_t)random >> (random >> 7 & 63);
            if (i == round) {
                values[i] = ECL_DECIMAL_MISSING;
            }
        }
        values[0] = APR_INT64_MAX;
        values[1] = -APR_INT64_MAX;
        ecl_period_text_print(values, ECL_PERIODS_MAX, text);
        assert_int_equal(parse(text, back, ECL_PERIODS_MAX), ECL_PERIODS_MAX);
        assert_memory_equal(values, back, sizeof values);
    }
}

static void refuses_anything_else(void **state)
{
    static const char *const bad[] = {
        "",
        "[",
        "[]",
        "1.5",
        "[1.5",
        "[1.5]x",
        "[1.5,]",
        "[,1]",
        "[ 1]",
        "[1, 2]",
        "[1.]",
        "[.5]",
        "[+1]",
        "[01]",
        "[1e3]",
        "[nul]",
        "[nullnull]",
        "[NaN]",
        "[\"1\"]",
        "[1.5;2]",
        "[--1]",
        "[-]",
        "[1.0000000001]",
        "[9223372036.854775808]",
        "[99999999999999999999]",
        "[[1]]",
        "[null",
    };
    ecl_decimal_t values[4];

    (void)state;
    for (apr_size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(bad[i], values, 4) != -1) {
            fail_msg("accepted %s", bad[i]);
        }
    }
    assert_int_equal(parse("[1,2,3,4,5]", values, 4), -1);
    assert_int_equal(parse("[1,null,0.500000000000,-0]", values, 4), 4);
    assert_true(values[0] == ECL_DECIMAL_ONE && values[1] == ECL_DECIMAL_MISSING);
    assert_true(values[2] == ECL_DECIMAL_ONE / 2 && values[3] == 0);
    /* a NUL inside does not end it early */
    assert_int_equal(ecl_period_text_parse("[1]\0]", 5, values, 4), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_shortest_exact_numbers),
        cmocka_unit_test(reads_back_what_it_prints),
        cmocka_unit_test(refuses_anything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
