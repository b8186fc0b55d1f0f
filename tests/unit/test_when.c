/* Times that people and programs give for a job to run at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <apr_general.h>

#include "pool_fixture.h"
#include "lib/when.h"

static ecl_zone_t *zone(const char *name)
{
    ecl_result_t result = ecl_result_make(pool);
    ecl_zone_t *made = NULL;

    assert_int_equal(ecl_zone_make(&made, name, pool, &result), APR_SUCCESS);
    return made;
}

/* In the middle of the year before the times below. */
#define NOW apr_time_from_sec(APR_INT64_C(1780000000)) /* 2026-05-28 20:26:40 UTC */

static const char *parsed(const char *text, const ecl_zone_t *in)
{
    ecl_result_t result = ecl_result_make(pool);
    apr_time_t when = 7;

    if (ecl_when_parse(text, in, NOW, &when, &result) != APR_SUCCESS) {
        assert_int_equal(result.status, ECL_EINPUT);
        assert_string_equal(result.code, "bad-run-after");
        assert_non_null(strstr(result.detail, text));
        return result.detail;
    }
    return when ? ecl_rfc3339(when, pool) : "at once";
}

static void test_times(void **state)
{
    static const char *const cases[][2] = {
        {"", "at once"},
        {"2026-11-24T02:00", "2026-11-24T02:00:00.000Z"}, /* GMT */
        {"2026-06-24T02:00", "2026-06-24T01:00:00.000Z"}, /* BST */
        {"2026-06-24 02:00", "2026-06-24T01:00:00.000Z"},
        {"2026-06-24t02:00:30", "2026-06-24T01:00:30.000Z"},
        {"2026-06-24T02:00:30.999", "2026-06-24T01:00:30.000Z"},
        {"2026-06-24T02:00:00Z", "2026-06-24T02:00:00.000Z"},
        {"2026-06-24T02:00:00.5z", "2026-06-24T02:00:00.000Z"},
        {"2026-06-24T02:00+05:30", "2026-06-23T20:30:00.000Z"},
        {"2026-06-24T02:00:00-03:00", "2026-06-24T05:00:00.000Z"},
        {"1999-12-31T23:59", "1999-12-31T23:59:00.000Z"}, /* has passed: whoever uses it decides */
        {"2027-05-29T20:00", "2027-05-29T19:00:00.000Z"}, /* 365.9 days ahead */
        /* around the changes */
        {"2027-03-28T00:59", "2027-03-28T00:59:00.000Z"},
        {"2027-03-28T02:00", "2027-03-28T01:00:00.000Z"},
        {"2026-10-25T00:59", "2026-10-24T23:59:00.000Z"},
        {"2026-10-25T02:00", "2026-10-25T02:00:00.000Z"},
        {"2026-10-25T01:30+01:00", "2026-10-25T00:30:00.000Z"},
        {"2026-10-25T01:30+00:00", "2026-10-25T01:30:00.000Z"},
        {"2027-03-28T01:30+00:00", "2027-03-28T01:30:00.000Z"},
    };
    const ecl_zone_t *london = zone("Europe/London");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(parsed(cases[i][0], london), cases[i][1]);
    }
}

static void test_what_is_no_time(void **state)
{
    static const char *const cases[] = {"tonight",
                                        "2026-11-24",
                                        "24/11/2026 02:00",
                                        "2026-11-24T2:00",
                                        "2026-11-24T24:00",
                                        "2026-11-24T02:60",
                                        "2026-11-24T02:00:60",
                                        "2026-13-01T02:00",
                                        "2026-02-29T02:00",
                                        "2026-04-31T02:00",
                                        "2026-11-24T02:00X",
                                        "2026-11-24T02:00:00Z ",
                                        " 2026-11-24T02:00",
                                        "2026-11-24T02:00+0100",
                                        "2026-11-24T02:00+24:00",
                                        "2026-11-24T",
                                        "-026-11-24T02:00",
                                        "99999-11-24T02:00",
                                        "2026-11-24T02:00:00.",
                                        "2026-00-24T02:00"};
    const ecl_zone_t *london = zone("Europe/London");

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_non_null(strstr(parsed(cases[i], london), "is not a time to start at"));
        assert_non_null(strstr(parsed(cases[i], london), "Europe/London"));
    }
    assert_non_null(strstr(parsed("2027-05-30T20:00", london), "more than 366 days ahead"));
    assert_non_null(strstr(parsed("2062-11-24T02:00", london), "more than 366 days ahead"));
    assert_non_null(strstr(parsed("2026-11-24T02:00", NULL), "is not a time to start at"));
    assert_string_equal(parsed("2026-11-24T02:00Z", NULL), "2026-11-24T02:00:00.000Z");
}

/* The hour that is left out, and the one that comes twice, to the minute. */
static void test_clock_changes(void **state)
{
    const ecl_zone_t *london = zone("Europe/London"), *berlin = zone("Europe/Berlin");

    (void)state;
    assert_non_null(strstr(parsed("2027-03-28T01:00", london), "does not exist in Europe/London"));
    assert_non_null(strstr(parsed("2027-03-28T01:59:59", london), "does not exist"));
    assert_non_null(strstr(parsed("2026-10-25T01:00", london), "comes twice in Europe/London"));
    assert_non_null(strstr(parsed("2026-10-25T01:59:59", london), "+01:00 or +00:00"));
    assert_string_equal(parsed("2027-03-28T01:30", berlin), "2027-03-28T00:30:00.000Z");
    assert_non_null(strstr(parsed("2027-03-28T02:30", berlin), "does not exist in Europe/Berlin"));
    assert_non_null(strstr(parsed("2026-10-25T02:30", berlin), "+02:00 or +01:00"));
    assert_string_equal(parsed("2027-03-28T01:30", zone("UTC")), "2027-03-28T01:30:00.000Z");
}

static void test_in_words(void **state)
{
    const ecl_zone_t *london = zone("Europe/London");

    (void)state;
    assert_string_equal(ecl_when_print(NOW, london, pool), "28 May 2026, 21:26 BST");
    assert_string_equal(ecl_when_print(NOW, zone("UTC"), pool), "28 May 2026, 20:26 UTC");
    assert_string_equal(ecl_when_print(NOW, NULL, pool), "28 May 2026, 20:26 UTC");
    assert_string_equal(ecl_when_print(apr_time_from_sec(1795485600), london, pool),
                        "24 Nov 2026, 02:00 GMT");
}

/* The process's own zone is as before. */
static void test_a_zone_leaves_no_trace(void **state)
{
    ecl_result_t result = ecl_result_make(pool);
    ecl_zone_t *made;

    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    zone("Europe/London");
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    unsetenv("TZ");
    zone("Europe/London");
    assert_null(getenv("TZ"));
    assert_int_equal(ecl_zone_make(&made, "Europe/Atlantis", pool, &result), ECL_ECONFIG);
    assert_string_equal(result.code, "unknown-timezone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_what_is_no_time),
        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_in_words),
        cmocka_unit_test(test_a_zone_leaves_no_trace),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
