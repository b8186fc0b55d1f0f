/* The checks of a file's days: each finding, what is none, and that the parts in which days come
 * make no difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "start_apr.h"
#include "worker/checks.h"

#define MPAN "1000000000012"
#define MPAN2 "2000000000024"

typedef struct test_t {
    apr_pool_t *p;
    ecl_checks_t *checks;
    const char *told; /* "code count example\n" of each finding */
    apr_int64_t line;
} test_t;

static int setup(void **state)
{
    apr_pool_t *p;
    test_t *t;

    apr_pool_create(&p, NULL);
    t = apr_pcalloc(p, sizeof *t);
    t->p = p;
    t->checks = ecl_checks_make(p);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    apr_pool_destroy(((test_t *)*state)->p);
    return 0;
}

static ecl_date_t date_of(int month, int day)
{
    ecl_date_t date;

    assert_true(ecl_date_from_ymd(2025, month, day, &date));
    return date;
}

static ecl_meter_day_t *make_day(test_t *t, const char *meter, ecl_date_t date)
{
    ecl_meter_day_t *day = apr_pcalloc(t->p, sizeof *day);

    apr_cpystrn(day->meter, meter, sizeof day->meter);
    apr_cpystrn(day->channel, "AI", sizeof day->channel);
    apr_cpystrn(day->unit, "kWh", sizeof day->unit);
    day->kind = strlen(meter) == 13 ? ECL_METER_MPAN : ECL_METER_OTHER;
    day->interval_minutes = 30;
    day->date = date;
    day->periods = 48;
    day->line = ++t->line;
    for (int i = 0; i < ECL_PERIODS_MAX; i++) {
        day->values[i] = ECL_DECIMAL_MISSING;
    }
    return day;
}

/* Gives periods first to last (from 1), each the value and a little more than the one before. */
static void give(test_t *t, const char *meter, ecl_date_t date, int first, int last,
                 ecl_decimal_t value)
{
    ecl_meter_day_t *day = make_day(t, meter, date);

    for (int i = first; i <= last; i++) {
        day->values[i - 1] = value ? value + i : 0;
    }
    ecl_checks_day(t->checks, day);
}

static void give_days(test_t *t, const char *meter, ecl_date_t first, int count,
                      ecl_decimal_t value)
{
    for (int i = 0; i < count; i++) {
        give(t, meter, first + i, 1, 48, value);
    }
}

static void hear(void *baton, const char *code, apr_int64_t count, const char *example)
{
    test_t *t = baton;

    t->told = apr_psprintf(t->p, "%s%s %d %s\n", t->told, code, (int)count, example);
}

static const char *told(test_t *t)
{
    t->told = "";
    ecl_checks_tell(t->checks, hear, t);
    return t->told;
}

static void whole_days_in_a_row_are_nothing_to_tell(void **state)
{
    test_t *t = *state;

    assert_string_equal(told(t), "");
    give_days(t, MPAN, date_of(11, 1), 30, ECL_DECIMAL_ONE);
    assert_string_equal(told(t), "");
}

static void tells_of_missing_days(void **state)
{
    test_t *t = *state;

    give_days(t, MPAN, date_of(11, 8), 3, ECL_DECIMAL_ONE);
    give_days(t, MPAN2, date_of(11, 1), 400, ECL_DECIMAL_ONE);
    give_days(t, MPAN, date_of(11, 4), 1, ECL_DECIMAL_ONE);
    give_days(t, MPAN, date_of(11, 12), 1, ECL_DECIMAL_ONE);
    assert_string_equal(told(t),
                        "missing-days 3 meter " MPAN ", AI: 2025-11-05 to 2025-11-07, 3 days\n"
                        "missing-days 1 meter " MPAN ", AI: 2025-11-11\n");
}

static void channels_have_days_of_their_own(void **state)
{
    test_t *t = *state;
    ecl_meter_day_t *day;

    give_days(t, MPAN, date_of(11, 1), 3, ECL_DECIMAL_ONE);
    for (int i = 0; i < 3; i += 2) {
        day = make_day(t, MPAN, date_of(11, 1) + i);
        apr_cpystrn(day->channel, "AE", sizeof day->channel);
        for (int n = 0; n < 48; n++) {
            day->values[n] = ECL_DECIMAL_ONE;
        }
        ecl_checks_day(t->checks, day);
    }
    assert_string_equal(told(t), "missing-days 1 meter " MPAN ", AE: 2025-11-02\n");
}

static void the_volume_of_gas_is_told_as_energy_only(void **state)
{
    test_t *t = *state;

    for (int i = 0; i < 3; i += 2) {
        ecl_meter_day_t *day = make_day(t, "11030907", date_of(11, 1) + i);

        apr_cpystrn(day->channel, ECL_CHANNEL_VOLUME, sizeof day->channel);
        day->values[0] = ECL_DECIMAL_ONE;
        ecl_checks_day(t->checks, day);
    }
    assert_string_equal(told(t), "");
}

static void days_without_a_value_do_not_count(void **state)
{
    test_t *t = *state;

    give(t, MPAN, date_of(11, 1), 1, 48, ECL_DECIMAL_ONE);
    ecl_checks_day(t->checks, make_day(t, MPAN, date_of(11, 2)));
    give(t, MPAN, date_of(11, 3), 1, 48, ECL_DECIMAL_ONE);
    ecl_checks_day(t->checks, make_day(t, MPAN, date_of(11, 9)));
    assert_string_equal(told(t), "missing-days 1 meter " MPAN ", AI: 2025-11-02\n");
}

static void tells_of_days_in_part(void **state)
{
    test_t *t = *state;

    give(t, MPAN, date_of(11, 1), 3, 48, ECL_DECIMAL_ONE);
    give(t, MPAN, date_of(11, 2), 1, 20, ECL_DECIMAL_ONE);
    give(t, MPAN, date_of(11, 2), 11, 40, ECL_DECIMAL_ONE); /* ten of them again */
    /* whole at last: by its parts, and at once */
    give(t, MPAN, date_of(11, 3), 25, 48, ECL_DECIMAL_ONE);
    give(t, MPAN, date_of(11, 3), 1, 24, ECL_DECIMAL_ONE);
    give(t, MPAN, date_of(11, 3), 7, 7, ECL_DECIMAL_ONE);
    give(t, MPAN, date_of(11, 4), 7, 7, ECL_DECIMAL_ONE);
    give(t, MPAN, date_of(11, 4), 1, 48, ECL_DECIMAL_ONE);
    assert_string_equal(told(t), "part-days 1 meter " MPAN ", AI, 2025-11-01: 46 of 48 readings\n"
                                 "part-days 1 meter " MPAN ", AI, 2025-11-02: 40 of 48 readings\n");
}

static void tells_of_a_week_of_zeros(void **state)
{
    test_t *t = *state;

    give_days(t, MPAN, date_of(11, 1), 7, 0);
    give_days(t, MPAN, date_of(11, 8), 1, ECL_DECIMAL_ONE);
    give_days(t, MPAN, date_of(11, 9), 6, 0);
    give_days(t, MPAN2, date_of(11, 1), 6, 0);
    /* zero only as far as its first part goes */
    give(t, MPAN2, date_of(11, 7), 1, 24, 0);
    give(t, MPAN2, date_of(11, 7), 25, 48, ECL_DECIMAL_ONE);
    give_days(t, "METER9", date_of(11, 1), 9, 0);
    assert_string_equal(told(t),
                        "zero-days 1 meter " MPAN ", AI: 2025-11-01 to 2025-11-07, 7 days\n"
                        "zero-days 1 meter METER9, AI: 2025-11-01 to 2025-11-09, 9 days\n");
}

static void to_export_nothing_is_usual(void **state)
{
    test_t *t = *state;

    for (int i = 0; i < 10; i++) {
        ecl_meter_day_t *day = make_day(t, MPAN, date_of(11, 1) + i);

        apr_cpystrn(day->channel, "AE", sizeof day->channel);
        memset(day->values, 0, 48 * sizeof day->values[0]);
        ecl_checks_day(t->checks, day);
    }
    assert_string_equal(told(t), "");
}

static void tells_of_implausible_readings(void **state)
{
    test_t *t = *state;

    give_days(t, MPAN, date_of(11, 1), 2, ECL_DECIMAL_ONE / 10);
    give(t, MPAN, date_of(11, 2), 5, 5, 500 * ECL_DECIMAL_ONE);
    give(t, MPAN, date_of(11, 2), 9, 9, 400 * ECL_DECIMAL_ONE);
    /* a large site varies by less than that, and small values may vary by more */
    give_days(t, MPAN2, date_of(11, 1), 2, ECL_DECIMAL_ONE);
    give(t, MPAN2, date_of(11, 2), 5, 5, 900 * ECL_DECIMAL_ONE);
    give_days(t, "METER1", date_of(11, 1), 2, ECL_DECIMAL_ONE / 1000);
    give(t, "METER1", date_of(11, 2), 5, 5, 130 * ECL_DECIMAL_ONE);
    /* a pump that rests nearly always: of what it uses, it is usual */
    give_days(t, "PUMP", date_of(11, 1), 3, 0);
    give(t, "PUMP", date_of(11, 2), 1, 48, 300 * ECL_DECIMAL_ONE);
    assert_string_equal(told(t), "implausible-value 2 meter " MPAN
                                 ", AI, 2025-11-02, period 5: 500.000000005 kWh\n");
}

static void tells_of_what_looks_like_a_register(void **state)
{
    test_t *t = *state;

    give_days(t, MPAN, date_of(11, 1), 1, 1500 * ECL_DECIMAL_ONE);
    give_days(t, MPAN, date_of(11, 2), 1, 2900 * ECL_DECIMAL_ONE);
    /* a load that is low at times, one that does not change, and a small register */
    give_days(t, MPAN2, date_of(11, 1), 1, 1500 * ECL_DECIMAL_ONE);
    give_days(t, MPAN2, date_of(11, 2), 1, 5000 * ECL_DECIMAL_ONE);
    give_days(t, "METER1", date_of(11, 1), 1, 900 * ECL_DECIMAL_ONE);
    assert_string_equal(told(t), "register-level 1 meter " MPAN
                                 ", AI: from 1500.000000001 to 2900.000000048 kWh\n");
}

static void tells_of_rounded_identifiers(void **state)
{
    test_t *t = *state;

    give_days(t, "1200010000000", date_of(11, 1), 1, ECL_DECIMAL_ONE);
    give_days(t, MPAN, date_of(11, 1), 1, ECL_DECIMAL_ONE);
    give_days(t, "SITE 1000000", date_of(11, 1), 1, ECL_DECIMAL_ONE);
    give_days(t, "1200010000000", date_of(11, 2), 1, ECL_DECIMAL_ONE);
    assert_string_equal(told(t), "resaved-identifiers 1 line 1: 1200010000000\n");
    /* one of three may have been dealt that number */
    give_days(t, MPAN2, date_of(11, 1), 1, ECL_DECIMAL_ONE);
    assert_string_equal(told(t), "");
}

/* The line of a row of one of two meters: the first comes first, but for the last row. */
static apr_int64_t line_of(int row, int is_second)
{
    return 100 + 2 * row + (is_second != (row == 4));
}

static void parts_and_their_order_make_no_difference(void **state)
{
    test_t *t = *state;
    const char *in_order;
    int dates[] = {9, 2, 30, 1, 17};

    for (int i = 0; i < 5; i++) {
        t->line = line_of(i, 0) - 1;
        give(t, MPAN, date_of(11, dates[i]), 1, 48 - i % 2, ECL_DECIMAL_ONE);
        t->line = line_of(i, 1) - 1;
        give(t, MPAN2, date_of(11, dates[i]), 1, 48, ECL_DECIMAL_ONE);
    }
    in_order = told(t);
    assert_true(strstr(in_order, "missing-days 12 meter " MPAN) <
                strstr(in_order, "missing-days 12 meter " MPAN2));
    assert_non_null(strstr(in_order, "part-days"));

    t->checks = ecl_checks_make(t->p);
    for (int i = 4; i >= 0; i--) {
        for (int from = 37; from > 0; from -= 12) {
            int last = from == 37 ? 48 - i % 2 : from + 11;

            t->line = line_of(i, 1) - 1;
            give(t, MPAN2, date_of(11, dates[i]), from, from + 11, ECL_DECIMAL_ONE);
            t->line = line_of(i, 0) - 1;
            give(t, MPAN, date_of(11, dates[i]), from, last, ECL_DECIMAL_ONE);
        }
    }
    assert_string_equal(told(t), in_order);
}

static void bounds_are_told(void **state)
{
    test_t *t = *state;
    ecl_meter_day_t *day = make_day(t, MPAN, date_of(1, 1));

    day->values[0] = ECL_DECIMAL_ONE;
    for (int i = 0; i <= ECL_CHECKS_PARTS; i++) {
        apr_snprintf(day->meter, sizeof day->meter, "M%d", i % 100);
        day->date = date_of(1, 1) + i / 100;
        ecl_checks_day(t->checks, day);
    }
    assert_string_equal(told(t),
                        "checks-limited 1 more than 50000 days in parts: incomplete days were not "
                        "counted\n");

    t->checks = ecl_checks_make(t->p);
    day->interval_minutes = 1440;
    day->periods = 1;
    for (int i = 0; i <= ECL_CHECKS_SERIES; i++) {
        apr_snprintf(day->meter, sizeof day->meter, "M%d", i);
        ecl_checks_day(t->checks, day);
    }
    assert_string_equal(told(t), "checks-limited 1 more than 10000 meters and channels: those that "
                                 "come later were not looked at\n");

    t->checks = ecl_checks_make(t->p);
    for (int i = 0; i < 2000; i++) {
        apr_snprintf(day->meter, sizeof day->meter, "M%d", i / 2);
        day->date = i % 2 ? date_of(1, 1) : date_of(1, 1) - 12000;
        ecl_checks_day(t->checks, day);
    }
    assert_non_null(
        strstr(told(t), "checks-limited 1 too many days between the first and the last"));
    assert_non_null(strstr(t->told, "missing-days 11999 meter M0, AI: 1992-02-25 to 2024-12-31"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(whole_days_in_a_row_are_nothing_to_tell),
        TEST(tells_of_missing_days),
        TEST(channels_have_days_of_their_own),
        TEST(the_volume_of_gas_is_told_as_energy_only),
        TEST(days_without_a_value_do_not_count),
        TEST(tells_of_days_in_part),
        TEST(tells_of_a_week_of_zeros),
        TEST(to_export_nothing_is_usual),
        TEST(tells_of_implausible_readings),
        TEST(tells_of_what_looks_like_a_register),
        TEST(tells_of_rounded_identifiers),
        TEST(parts_and_their_order_make_no_difference),
        TEST(bounds_are_told),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
