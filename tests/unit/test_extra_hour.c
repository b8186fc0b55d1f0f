/* Columns without a name behind a day's values: the hour that comes twice in October, or not. */
#include "pool_fixture.h"
#include "reading.h"

#define ORDINARY "25/10/2025"
#define LONG "26/10/2025"

/* The header's 48 names, or a row's 48 values; what stands before and behind each. */
static const char *day(int is_header, const char *before, const char *behind)
{
    const char *text = "";

    for (int i = 0; i < 48; i++) {
        const char *cell =
            is_header ? apr_psprintf(pool, "%02d:%02d", i / 2, i % 2 * 30) : apr_itoa(pool, i + 1);

        text = apr_pstrcat(pool, text, ",", before, cell, behind, NULL);
    }
    return text;
}

/* A file of two days. */
static reading_t *read_days(const char *before, const char *behind, const char *header,
                            const char *ordinary, const char *longer)
{
    const char *flag = before[0] ? "A," : "", *flag_behind = behind[0] ? ",A" : "";
    const char *cells = day(0, flag, flag_behind);

    return read_text(apr_pstrcat(pool, "MPAN,Date", day(1, before, behind), header, "\n" MPAN ",",
                                 ORDINARY, cells, ordinary, "\n" MPAN ",", LONG, cells, longer,
                                 "\n", NULL));
}

static void check_long_day(reading_t *r)
{
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_readings(r), 98);
    assert_int_equal(count_warnings(r, "columns-not-read"), 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 4), "4");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "101");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 6), "102");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 7), "5");
}

static void test_before_a_total(void **state)
{
    reading_t *r = read_days("", "", ",,,Total", ",,,1176", ",101,102,1379");

    (void)state;
    check_long_day(r);
    end_reading(r);
    r = read_days("", "", ",,,Total", ",0,0,1176", ",101,102,1379");
    check_long_day(r);
    end_reading(r);
}

static void test_with_flags(void **state)
{
    reading_t *r = read_days("Est,", "", ",Est,,Est,", ",,,,", ",E,101,A,102");

    (void)state;
    check_long_day(r);
    assert_int_equal(flag_at(r, "2025-10-26", 5), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2025-10-26", 6), ECL_FLAG_ACTUAL);
    end_reading(r);
    r = read_days("", ",Est", ",,Est,,Est", ",,,,", ",101,E,102,A");
    check_long_day(r);
    assert_int_equal(flag_at(r, "2025-10-26", 5), ECL_FLAG_ESTIMATED);
    end_reading(r);
}

static void test_flags_before_the_values_stay_there(void **state)
{
    const char *cells = day(0, "A,", "");
    reading_t *r;

    (void)state;
    /* the first value alone is estimated */
    cells = apr_pstrcat(pool, ",E", cells + 2, ",A,,A,", NULL);
    r = read_text(apr_pstrcat(pool, "MPAN,Date", day(1, "Est,", ""), ",Est,,Est,\n" MPAN ",",
                              ORDINARY, cells, "\n", NULL));
    assert_int_equal(r->failed, 0);
    assert_int_equal(flag_at(r, "2025-10-25", 1), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2025-10-25", 2), ECL_FLAG_ACTUAL);
    end_reading(r);
}

/* What an ordinary day has too is another quantity. */
static void test_other_numbers_are_told(void **state)
{
    reading_t *r = read_days("", "", ",,,Total", ",7,8,1176", ",101,102,1379");

    (void)state;
    assert_int_equal(r->failed, 0);
    assert_int_equal(r->layout->value_count, 48);
    assert_int_equal(count_warnings(r, "columns-not-read"), 1);
    end_reading(r);
    r = read_days("", "", ",,,Total", ",,,1176", ",,,1176");
    assert_int_equal(r->layout->value_count, 48);
    assert_int_equal(count_warnings(r, "columns-not-read"), 0);
    end_reading(r);
    /* a single column, too */
    r = read_days("", "", ",", ",7", ",8");
    assert_int_equal(count_warnings(r, "columns-not-read"), 1);
    end_reading(r);
    /* a meter needs no name */
    r = read_text(apr_pstrcat(pool, "Date", day(1, "", ""), ",\n" ORDINARY, day(0, "", ""),
                              "," MPAN "\n", NULL));
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-25", 1), "1");
    assert_int_equal(count_warnings(r, "columns-not-read"), 0);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_a_total),
        cmocka_unit_test(test_with_flags),
        cmocka_unit_test(test_flags_before_the_values_stay_there),
        cmocka_unit_test(test_other_numbers_are_told),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
