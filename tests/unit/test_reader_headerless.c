/* Files without a header whose rows are readings, or days that name no meter. */
#include "pool_fixture.h"
#include "reading.h"

static const ecl_given_t given = {.meter = MPAN};

/* Two days of half-hours, by a printf format of day and hour and minute and value. */
static const char *rows(const char *fmt)
{
    const char *text = "";

    for (int n = 0; n < 96; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text = apr_pstrcat(
            pool, text, apr_psprintf(pool, fmt, 1 + n / 48, n % 48 / 2, n % 2 * 30, n + 1), NULL);
#pragma GCC diagnostic pop
    }
    return text;
}

static void test_the_meter_is_asked_for_and_given(void **state)
{
    static const char *const forms[] = {"%02d/02/2026 %02d:%02d,0.%02d\n",
                                        "%02d/02/2026 %02d:%02d;0,%02d\n",
                                        "%02d/02/2026,%02d:%02d,0.%02d\n",
                                        "%d Feb 2026 %02d:%02d:00,0.%02d,A\n",
                                        "%02d-02-2026 %02d:%02d\t0.%02d\tkWh\n",
                                        "\"%02d/02/2026\",\"%02d:%02d\",\"0.%02d\",,\n",
                                        "%02d/02/2026 %02d:%02d,0.%02d,kWh,Actual\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        reading_t *r = read_text(rows(forms[i]));

        assert_int_equal(r->status, ECL_EINPUT);
        assert_string_equal(r->result.code, "no-meter-column");
        end_reading(r);
        r = read_text_given(rows(forms[i]), "auto", given);
        assert_int_equal(r->imported, 96);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.01");
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "0.49");
        assert_non_null(strstr(r->layout->evidence, "no header"));
        assert_non_null(strstr(r->layout->evidence, "values in column number "));
        assert_non_null(strstr(r->layout->evidence, "meter " MPAN " (as given)"));
        end_reading(r);
    }
}

static void test_a_meter_before_the_date(void **state)
{
    static const char *const meters[] = {MPAN, "1234567406", "K26A00201"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        reading_t *r =
            read_text(rows(apr_pstrcat(pool, meters[i], ",%02d/02/2026 %02d:%02d,0.%02d\n", NULL)));

        assert_int_equal(r->imported, 96);
        assert_string_equal(value_of(r, meters[i], "AI", "2026-02-02", 48), "0.96");
        end_reading(r);
    }
}

static void test_ends_and_other_intervals(void **state)
{
    const char *text = "";
    reading_t *r;

    (void)state;
    for (int n = 1; n <= 96; n++) {
        text = apr_psprintf(pool, "%s%02d/02/2026 %02d:%02d,%d.5\n", text, 1 + n / 96, n % 96 / 4,
                            n % 4 * 15, n);
    }
    r = read_text_given(text, "auto", given);
    assert_int_equal(r->layout->interval_minutes, 15);
    assert_true(r->layout->labels_are_ends);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 96), "96.5");
    end_reading(r);
}

static void test_daily_totals(void **state)
{
    reading_t *r =
        read_text_given("01/02/2026,12.5\n02/02/2026,13.5\n03/02/2026,-\n", "auto", given);

    (void)state;
    assert_int_equal(r->layout->kind, ECL_LAYOUT_DAILY);
    assert_int_equal(r->imported, 2);
    assert_int_equal(r->skipped, 1);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "13.5");
    end_reading(r);
}

static void test_a_day_that_begins_with_its_date(void **state)
{
    const char *text = apr_pstrcat(pool, "01/02/2026,", series(pool, "%d.5", 1, 48), "\n", NULL);
    reading_t *r = read_text(text);

    (void)state;
    assert_string_equal(r->result.code, "no-meter-column");
    end_reading(r);
    r = read_text_given(text, "auto", given);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48.5");
    end_reading(r);
}

/* Settlement periods, by a printf format of day and period and value. */
static const char *period_rows(const char *fmt, int per_day)
{
    const char *text = "";

    for (int n = 0; n < 2 * per_day; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text = apr_pstrcat(pool, text,
                           apr_psprintf(pool, fmt, 1 + n / per_day, 1 + n % per_day, n + 1), NULL);
#pragma GCC diagnostic pop
    }
    return text;
}

static void test_settlement_periods(void **state)
{
    static const char *const forms[] = {MPAN ",%02d/02/2026,%d,0.%02d\n",
                                        MPAN ",2026-02-%02d,%02d,0.%02d,A,kWh\n"};
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        r = read_text(period_rows(forms[i], 48));
        assert_int_equal(r->imported, 96);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "0.48");
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "0.49");
        assert_non_null(strstr(r->layout->evidence, "settlement periods"));
        end_reading(r);
    }
    r = read_text_given(period_rows("%02d/02/2026,%d,0.%02d\n", 48), "auto", given);
    assert_int_equal(r->imported, 96);
    end_reading(r);
}

/* Hours, or whatever else has numbers; one that is missing could be anything. */
static void test_other_numbers_are_no_periods(void **state)
{
    const char *texts[] = {period_rows(MPAN ",%02d/02/2026,%d,0.%02d\n", 24),
                           period_rows(MPAN ",%02d/02/2026,2%d,0.%02d\n", 9),
                           apr_pstrcat(pool, period_rows(MPAN ",%02d/02/2026,%d,0.%02d\n", 48),
                                       MPAN ",02/02/2026,50,0.5\n", NULL)};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_t *r = read_text(texts[i]);

        assert_int_equal(r->status, ECL_EINPUT);
        assert_string_equal(r->result.code, "not-meter-data");
        end_reading(r);
    }
}

/* A line that looks like a reading, and files whose columns only a header could tell apart. */
static void test_what_is_not_read(void **state)
{
    static const char *const texts[] = {
        "01/02/2026 00:30,0.25,0.5\n01/02/2026 01:00,0.25,0.5\n", /* two numbers */
        "01/02/2026 00:30,0.25\nTemperature,Site\nsome,words\n",
        "Timestamp,Temperature\n01/02/2026 00:30,0.25\n01/02/2026 01:00,0.25\n",
        "13172107,0.25\n13172107,0.25\n", /* eight digits are no written date */
        "01/02/2026 00:30,word\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_t *r = read_text_given(texts[i], "auto", given);

        assert_int_equal(r->status, ECL_EINPUT);
        end_reading(r);
    }
}

static void test_bad_rows_name_their_place(void **state)
{
    reading_t *r = read_text_given(
        apr_pstrcat(pool, rows("%02d/02/2026 %02d:%02d,0.%02d\n"), "03/02/2026 00:00,x\n", NULL),
        "auto", given);

    (void)state;
    assert_error(r, 97, "2", "bad-value", "\"x\" is not a number");
    assert_int_equal(r->imported, 96);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_meter_is_asked_for_and_given),
        cmocka_unit_test(test_a_meter_before_the_date),
        cmocka_unit_test(test_ends_and_other_intervals),
        cmocka_unit_test(test_daily_totals),
        cmocka_unit_test(test_a_day_that_begins_with_its_date),
        cmocka_unit_test(test_settlement_periods),
        cmocka_unit_test(test_other_numbers_are_no_periods),
        cmocka_unit_test(test_what_is_not_read),
        cmocka_unit_test(test_bad_rows_name_their_place),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
