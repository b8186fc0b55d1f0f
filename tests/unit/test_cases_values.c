/* Cases 51 to 61: what a value is, and what its flag says. */
#include "cases.h"

static void test_case_51_no_value(void **state)
{
    static const char *const cells[] = {"",    "-",    "Null",    "NULL",   "NaN",
                                        "N/A", "#N/A", "#VALUE!", "#DIV/0!"};

    (void)state;
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        reading_t *r = read_row("2026-02-01 01:00", cells[i]);

        assert_int_equal(r->errors->nelts, 0);
        assert_int_equal(r->skipped, 1);
        assert_int_equal(count_readings(r), 2);
        end_reading(r);
    }
}

static void test_case_52_ways_of_writing_a_number(void **state)
{
    static const struct {
        const char *cell, *value; /* NULL: an error */
    } cells[] = {{" 0 ", "0"},    {"0E-20", "0"}, {"1.5E-3", "0.0015"},
                 {"+0.5", "0.5"}, {".5", "0.5"},  {"5.", "5"},
                 {"1e400", NULL}, {"inf", NULL},  {"0x1F", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        reading_t *r = read_row("2026-02-01 01:00", cells[i].cell);

        if (cells[i].value) {
            assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 3), cells[i].value);
        } else {
            assert_error(r, 4, "kWh", "bad-value", cells[i].cell);
        }
        end_reading(r);
    }
}

static void test_case_53_negative_values(void **state)
{
    reading_t *r = read_row("2026-02-01 01:00", "-0.5");

    (void)state;
    assert_error(r, 4, "kWh", "negative-value", "-0.5");
    end_reading(r);
    r = read_text("MPAN,Timestamp,Channel,kWh\n" MPAN ",2026-02-01 00:00,AE,-0.5\n");
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 1), "-0.5");
    end_reading(r);
}

static void test_case_54_what_smart_meters_give_for_none(void **state)
{
    static const char *const electricity[] = {
        "4294967.295", "2147483.647", "8590.017", "8590.041", "8590.063", "8590.119",   "8590.421",
        "8591.484",    "34364.271",   "4295.103", "4295.084", "38655.37", "186227.0865"};
    static const char *const gas[] = {"16777.215", "8590.017", "38655.37", "186227.0865"};

    (void)state;
    for (size_t i = 0; i < sizeof(electricity) / sizeof(electricity[0]); i++) {
        reading_t *r = read_row("2026-02-01 01:00", electricity[i]);

        assert_int_equal(r->failed, 1);
        assert_string_equal(error_at(r, 0)->code, "sentinel-value");
        end_reading(r);
    }
    for (size_t i = 0; i < sizeof(gas) / sizeof(gas[0]); i++) {
        reading_t *r =
            read_text(JOIN("MPRN,Timestamp,kWh\n7654308,2026-02-01 00:00,", gas[i], "\n"));

        assert_int_equal(r->failed, 1);
        assert_string_equal(error_at(r, 0)->code, "sentinel-value");
        end_reading(r);
    }
}

static void test_case_55_units(void **state)
{
    static const struct {
        const char *header, *cell, *value; /* NULL: refused, or the row is */
    } units[] = {
        {"Consumption (kWh)", "250", "250"},  {"Consumption (Wh)", "250", "0.25"},
        {"Consumption (MWh)", "0.25", "250"}, {"Consumption (kW)", "0.5", "0.25"},
        {"Consumption (p)", "250", NULL},     {"Consumption (£)", "250", NULL},
        {"Consumption", "450Wh", "0.45"},     {"Consumption", "0.4 kWh", "0.4"},
    };
    static const struct {
        const char *header, *value;
    } volumes[] = {{"Consumption (m3)", "11.099905"},
                   {"Consumption (ft3)", "0.31431379"},
                   {"Consumption (hcf)", "31.431378"}};
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        r = read_text(JOIN("MPAN,Timestamp,", units[i].header, "\n" MPAN ",2026-02-01 00:00,",
                           units[i].cell, "\n"));
        if (units[i].value) {
            assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), units[i].value);
        } else {
            assert_refused(r, "bad-unit", units[i].header);
        }
        end_reading(r);
    }
    for (size_t i = 0; i < sizeof(volumes) / sizeof(volumes[0]); i++) {
        r = read_text(JOIN("MPRN,Timestamp,", volumes[i].header, "\n7654308,2026-02-01 00:00,1\n"));
        assert_true(!strncmp(value_of(r, "7654308", "AI", "2026-02-01", 1), volumes[i].value, 8));
        end_reading(r);
    }
    r = read_text("MPAN,Timestamp,Consumption (kVArh)\n" MPAN ",2026-02-01 00:00,5\n");
    assert_string_equal(value_of(r, MPAN, "RI", "2026-02-01", 1), "5");
    assert_int_equal(count_readings(r), 1);
    end_reading(r);
}

static void test_case_56_whole_numbers_without_a_unit(void **state)
{
    const char *text = "Timestamp,Value\n";
    reading_t *r = make_reading();

    (void)state;
    for (int n = 0; n < 96; n++) {
        text = apr_psprintf(pool, "%s2026-02-%02d %02d:%02d,%d\n", text, 1 + n / 48, n % 48 / 2,
                            n % 2 * 30, 30 + n * 397 % 1121);
    }
    r->given.meter = "HOUSE 1";
    write_file(r, text, strlen(text));
    read_file(r);
    assert_refused(r, "unit-open", "unit");
    end_reading(r);
    r = make_reading();
    r->given.meter = "HOUSE 1";
    r->given.unit = "Wh";
    write_file(r, text, strlen(text));
    read_file(r);
    assert_string_equal(value_of(r, "HOUSE 1", "AI", "2026-02-01", 1), "0.03");
    end_reading(r);
}

static void test_case_57_reads_of_a_register(void **state)
{
    reading_t *r =
        read_text(JOIN(HH_HEADER, MPAN ",2026-02-01,", series(pool, "81%03d.5", 101, 148), "\n"));

    (void)state;
    assert_int_equal(r->failed, 1);
    assert_string_equal(error_at(r, 0)->code, "cumulative-reads");
    assert_int_equal(count_readings(r), 0);
    end_reading(r);
}

static void test_case_58_gas_by_volume(void **state)
{
    reading_t *r = read_text(JOIN("MPRN,Date,Unit,", series(pool, "HH%02d", 1, 48),
                                  "\n7654308,2026-02-01,m3,", times_48("2"), "\n"));

    (void)state;
    assert_day(r, "7654308", "2026-02-01", "22.19981");
    assert_string_equal(value_of(r, "7654308", "VOL", "2026-02-01", 48), "2");
    assert_int_equal(count_readings(r), 96);
    assert_int_equal(count_warnings(r, "gas-volume"), 1);
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message, "39.075"));
    end_reading(r);
}

static void test_case_59_estimated_yes_or_no(void **state)
{
    reading_t *r = read_text(JOIN("MPAN,Date,Actual or Estimate,", series(pool, "HH%02d", 1, 48),
                                  "\n" MPAN ",2026-02-01,Yes,", times_48("0.5"),
                                  "\n" MPAN ",2026-02-02,No,", times_48("0.5"), "\n"));

    (void)state;
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-02-02", 1), ECL_FLAG_ACTUAL);
    end_reading(r);
}

static void test_case_60_the_code_of_a_letter(void **state)
{
    reading_t *r = read_text("MPAN core, Imp / Exp, Units, Time, Value, Status\n" MPAN
                             ", 1, kWh, 01/02/2026 00:00, 1.0, 65.0\n" MPAN
                             ", 1, kWh, 01/02/2026 00:30, 1.0, 69.0\n");

    (void)state;
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ACTUAL);
    assert_int_equal(flag_at(r, "2026-02-01", 2), ECL_FLAG_ESTIMATED);
    end_reading(r);
}

static void test_case_61_the_last_of_several_letters(void **state)
{
    reading_t *r = read_text("#F2\n#O " MPAN "\n#S 1\n01/02/2026,00:30,0.5,ZA\n"
                             "01/02/2026,01:00,0.5,ZE\n");

    (void)state;
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ACTUAL);
    assert_int_equal(flag_at(r, "2026-02-01", 2), ECL_FLAG_ESTIMATED);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_51_no_value),
        cmocka_unit_test(test_case_52_ways_of_writing_a_number),
        cmocka_unit_test(test_case_53_negative_values),
        cmocka_unit_test(test_case_54_what_smart_meters_give_for_none),
        cmocka_unit_test(test_case_55_units),
        cmocka_unit_test(test_case_56_whole_numbers_without_a_unit),
        cmocka_unit_test(test_case_57_reads_of_a_register),
        cmocka_unit_test(test_case_58_gas_by_volume),
        cmocka_unit_test(test_case_59_estimated_yes_or_no),
        cmocka_unit_test(test_case_60_the_code_of_a_letter),
        cmocka_unit_test(test_case_61_the_last_of_several_letters),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
