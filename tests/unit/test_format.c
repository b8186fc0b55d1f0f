#include "pool_fixture.h"
#include "mod_eclectyc_import/format.h"

static void counts(void **state)
{
    (void)state;
    assert_string_equal(ecl_format_count(0, pool), "0");
    assert_string_equal(ecl_format_count(999, pool), "999");
    assert_string_equal(ecl_format_count(1000, pool), "1,000");
    assert_string_equal(ecl_format_count(-123456, pool), "-123,456");
    assert_string_equal(ecl_format_count(APR_INT64_MAX, pool), "9,223,372,036,854,775,807");
    assert_string_equal(ecl_format_count(APR_INT64_MIN, pool), "-9,223,372,036,854,775,808");
}

static void sizes(void **state)
{
    static const struct {
        apr_int64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 bytes"},
        {1, "1 byte"},
        {1023, "1023 bytes"},
        {1024, "1 KB"},
        {1536, "1.5 KB"},
        {10240, "10 KB"},
        {1048575, "1 MB"},
        {1258291, "1.2 MB"},
        {APR_INT64_C(157286400), "150 MB"},
        {APR_INT64_C(4294967296), "4 GB"},
        {APR_INT64_C(5368709120000), "4.9 TB"},
        {APR_INT64_MAX, "8,388,608 TB"},
    };

    (void)state;
    for (apr_size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(ecl_format_size(cases[i].bytes, pool), cases[i].text);
    }
}

static void durations(void **state)
{
    (void)state;
    assert_string_equal(ecl_format_duration(999999, pool), "less than 1 s");
    assert_string_equal(ecl_format_duration(apr_time_from_sec(1), pool), "1 s");
    assert_string_equal(ecl_format_duration(apr_time_from_sec(80), pool), "1 min 20 s");
    assert_string_equal(ecl_format_duration(apr_time_from_sec(7500), pool), "2 h 5 min");
    assert_string_equal(ecl_format_duration(apr_time_from_sec(273600), pool), "3 d 4 h");
    assert_string_equal(ecl_format_time_left(0, pool), "about 5 s left");
    assert_string_equal(ecl_format_time_left(41, pool), "about 50 s left");
    assert_string_equal(ecl_format_time_left(51, pool), "about 1 min left");
    assert_string_equal(ecl_format_time_left(61, pool), "about 2 min left");
    assert_string_equal(ecl_format_time_left(7201, pool), "about 3 h left");
}

static void times(void **state)
{
    apr_time_t t = apr_time_from_sec(APR_INT64_C(1795442705)); /* 2026-11-23 14:05:05 */

    (void)state;
    assert_string_equal(ecl_format_time(t, pool), "23 Nov 2026, 14:05 UTC");
    assert_string_equal(ecl_format_clock(t, pool), "14:05 UTC");
    assert_string_equal(ecl_format_time(0, pool), "");
    assert_string_equal(ecl_format_date("2026-11-03", pool), "3 Nov 2026");
    assert_string_equal(ecl_format_date("2026-13-03", pool), "2026-13-03");
    assert_string_equal(ecl_format_date("soon", pool), "soon");
}

static void sentences(void **state)
{
    (void)state;
    assert_string_equal(ecl_format_sentence("there is no job", pool), "There is no job.");
    assert_string_equal(ecl_format_sentence("Done.", pool), "Done.");
    assert_string_equal(ecl_format_sentence("is it so?", pool), "Is it so?");
    assert_string_equal(ecl_format_sentence("'x' is wrong", pool), "'x' is wrong.");
    assert_string_equal(ecl_format_sentence("", pool), ".");
}

static void rewording(void **state)
{
    (void)state;
    assert_string_equal(
        ecl_format_reword("19200 good, 3 rejected", "# good, # rejected", "# rows, # failed", pool),
        "19,200 rows, 3 failed");
    assert_string_equal(ecl_format_reword("1000 of it", "# of it", "#: # of it", pool),
                        "1,000:  of it");
    assert_null(ecl_format_reword("19200 good", "# good, # rejected", "#", pool));
    assert_null(ecl_format_reword("3 good!", "# good", "# good", pool));
    assert_null(ecl_format_reword("no good", "# good", "# good", pool));
    assert_null(ecl_format_reword("99999999999999999999 good", "# good", "# good", pool));
    assert_null(ecl_format_reword("", "# good", "# good", pool));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(sizes, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(durations, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(times, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(sentences, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(rewording, make_pool, destroy_pool),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
