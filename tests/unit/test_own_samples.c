/* The project's own samples: what each of them says. */
#include "bytes_of.h"
#include "pool_fixture.h"
#include "reading.h"

static reading_t *read_sample(const char *name)
{
    reading_t *r = make_reading();
    const char *path = apr_pstrcat(r->pool, ECL_SOURCE_DIR "/tests/samples/", name, NULL);
    size_t length;
    const char *bytes = bytes_of(path, &length, r->pool);

    write_file(r, bytes, length);
    read_file(r);
    return r;
}

static void test_own_samples(void **state)
{
    static const struct {
        const char *name;
        ecl_layout_kind_t kind;
        int readings;
        const char *sum;
    } cases[] = {
        {"sample_hh_data.csv", ECL_LAYOUT_WIDE, 672, "970.351"},
        {"sample_daily_data.csv", ECL_LAYOUT_DAILY, 14, "970.351"},
        {"sample_hh_readings.csv", ECL_LAYOUT_LONG, 288, "441.657"},
        {"sample_clock_change.csv", ECL_LAYOUT_WIDE, 288, "306.034"},
        {"sample_clock_change_readings.csv", ECL_LAYOUT_LONG, 288, "306.034"},
        {"sample_hours.csv", ECL_LAYOUT_LONG, 73, "143.574"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = read_sample(cases[i].name);
        ecl_decimal_t sum = 0;
        char text[ECL_DECIMAL_TEXT];

        assert_int_equal(r->failed, 0);
        assert_int_equal(r->skipped, 0);
        assert_int_equal(r->warnings->nelts, 0);
        assert_int_equal(r->layout->kind, cases[i].kind);
        assert_int_equal(count_readings(r), cases[i].readings);
        for (int d = 0; d < r->days->nelts; d++) {
            const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, d, ecl_meter_day_t);

            assert_int_equal(day->kind, ECL_METER_MPAN);
            for (int n = 0; n < day->periods; n++) {
                assert_true(ecl_decimal_add(sum, day->values[n], &sum));
            }
        }
        ecl_decimal_print(sum, text);
        assert_string_equal(text, cases[i].sum);
        end_reading(r);
    }
}

static void test_both_clock_change_samples_say_the_same(void **state)
{
    static const char *const dates[] = {"2025-10-25", "2025-10-26", "2025-10-27",
                                        "2026-03-28", "2026-03-29", "2026-03-30"};
    reading_t *rows = read_sample("sample_clock_change.csv");
    reading_t *readings = read_sample("sample_clock_change_readings.csv");

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        for (int period = 1; period <= 50; period++) {
            assert_string_equal(value_of(rows, MPAN, "AI", dates[i], period),
                                value_of(readings, MPAN, "AI", dates[i], period));
        }
    }
    assert_string_not_equal(value_of(rows, MPAN, "AI", "2025-10-26", 50), "");
    assert_string_equal(value_of(rows, MPAN, "AI", "2026-03-29", 47), "");
    end_reading(rows);
    end_reading(readings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_samples),
        cmocka_unit_test(test_both_clock_change_samples_say_the_same),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
