/* A column per meter. */
#include "pool_fixture.h"
#include "reading.h"

#include "half_hours.h"

#include "workbook.h"

/* Two days of half-hours, by a printf format of day, hour, minute, and two values. */
static const char *rows(const char *fmt)
{
    const char *text = "";

    for (int n = 0; n < 96; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text = apr_pstrcat(
            pool, text, apr_psprintf(pool, fmt, 1 + n / 48, n % 48 / 2, n % 2 * 30, n + 1, n + 101),
            NULL);
#pragma GCC diagnostic pop
    }
    return text;
}

#define ROWS rows("%02d/02/2026 %02d:%02d,%d.5,%d.5\n")

static void assert_both(const reading_t *r, const char *first, const char *second)
{
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    assert_int_equal(r->imported, 96);
    assert_int_equal(count_readings(r), 192);
    assert_string_equal(value_of(r, first, "AI", "2026-02-01", 1), "1.5");
    assert_string_equal(value_of(r, first, "AI", "2026-02-02", 48), "96.5");
    assert_string_equal(value_of(r, second, "AI", "2026-02-01", 1), "101.5");
    assert_string_equal(value_of(r, second, "AI", "2026-02-02", 48), "196.5");
}

static void test_headers(void **state)
{
    static const struct {
        const char *header, *first, *second;
    } cases[] = {
        {"Timestamp," MPAN " kWh," MPAN2 " kWh\n", MPAN, MPAN2},
        {"Timestamp," MPAN "," MPAN2 "\n", MPAN, MPAN2},
        {"Date/Time,MPAN " MPAN " (kWh),MPAN " MPAN2 " (kWh)\n", MPAN, MPAN2},
        {"Timestamp,Main incomer - " MPAN " [kWh]," MPAN2 " Workshop [kWh]\n", MPAN, MPAN2},
        {"Timestamp,MPRN 1234567406,MPRN: 7654308\n", "1234567406", "7654308"},
        {"Timestamp,Boiler House (kWh),DB-1 kWh\n", "Boiler House", "DB-1"},
        {"Timestamp,Boiler_House_kWh,kWh DB-1\n", "Boiler_House", "DB-1"},
        {",Boiler House (kWh),DB-1 (kWh)\n", "Boiler House", "DB-1"},
        {"Timestamp,Boiler House,DB-1\n,kWh,kWh\n", "Boiler House", "DB-1"},
        {",Boiler House,DB-1\nTimestamp,kWh,kWh\n", "Boiler House", "DB-1"},
        {"Timestamp,Boiler House (kWh),DB-1 (kWh)\n," MPAN "," MPAN2 "\n", MPAN, MPAN2},
        {"MPAN," MPAN "," MPAN2 "\nTimestamp,Boiler House (kWh),DB-1 (kWh)\n", MPAN, MPAN2},
        {"Site report\n\nTimestamp,Meter 1 (kWh),Meter 2 (kWh)\n", "Meter 1", "Meter 2"},
        {"Timestamp,Boiler House Consumption (kWh),DB-1 Import kWh\n", "Boiler House", "DB-1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = read_text(apr_pstrcat(pool, cases[i].header, ROWS, NULL));

        print_message("%s", cases[i].header);
        assert_both(r, cases[i].first, cases[i].second);
        assert_non_null(strstr(r->layout->evidence, "a row per time, a column per meter"));
        assert_non_null(strstr(r->layout->evidence, "2 columns of meters, from "));
        end_reading(r);
    }
}

static void test_date_and_time_apart_and_semicolons(void **state)
{
    reading_t *r = read_text(apr_pstrcat(pool, "Date;Time;Boiler House (kWh);DB-1 (kWh)\n",
                                         rows("%02d/02/2026;%02d:%02d;%d,5;%d,5\n"), NULL));

    (void)state;
    assert_both(r, "Boiler House", "DB-1");
    end_reading(r);
}

static void test_daily_totals(void **state)
{
    reading_t *r = read_text("Date,Boiler House kWh,DB-1 kWh\n"
                             "01/02/2026,12.5,3.25\n02/02/2026,,4\n03/02/2026,-,\n");

    (void)state;
    assert_int_equal(r->layout->kind, ECL_LAYOUT_DAILY);
    assert_int_equal(r->imported, 2);
    assert_int_equal(r->skipped, 1);
    assert_int_equal(count_readings(r), 3);
    assert_string_equal(value_of(r, "Boiler House", "AI", "2026-02-01", 1), "12.5");
    assert_string_equal(value_of(r, "DB-1", "AI", "2026-02-02", 1), "4");
    end_reading(r);
}

/* Columns of one meter for several channels; units of their own; flags beside the values. */
static void test_channels_units_and_flags(void **state)
{
    const char *header = "Timestamp,Roof Import (kWh),Status,Roof Export (Wh),Roof kVArh,Hall kW\n";
    reading_t *r = read_text(apr_pstrcat(
        pool, header, "2026-02-01 00:00,1.5,E,2500,3.5,4\n2026-02-01 00:30,1.5,A,2500,3.5,4\n",
        NULL));

    (void)state;
    assert_int_equal(r->imported, 2);
    assert_string_equal(value_of(r, "Roof", "AI", "2026-02-01", 1), "1.5");
    assert_string_equal(value_of(r, "Roof", "AE", "2026-02-01", 1), "2.5");
    assert_string_equal(value_of(r, "Roof", "RI", "2026-02-01", 1), "3.5");
    assert_string_equal(value_of(r, "Hall", "AI", "2026-02-01", 1), "2");
    assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).flags[0], ECL_FLAG_ESTIMATED);
    assert_int_equal(count_warnings(r, "power"), 1);
    end_reading(r);
}

static void test_rows_fail_whole_and_name_the_meter(void **state)
{
    reading_t *r = read_text(
        apr_pstrcat(pool, "Timestamp,Boiler House (kWh),DB-1 (kWh)\n," MPAN "," MPAN2 "\n", ROWS,
                    "03/02/2026 00:00,7,x\n", NULL));

    (void)state;
    assert_error(r, 99, "DB-1 (kWh)", "bad-value", "\"x\" is not a number (meter " MPAN2 ")");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 1), "");
    assert_int_equal(r->imported, 96);
    /* a rejected row's file has what two lines said in one */
    assert_string_equal(r->layout->header, "Timestamp," MPAN " (kWh)," MPAN2 " (kWh)");
    end_reading(r);
    r = read_text("Timestamp,Boiler House (kWh),DB-1 (kWh)\n01/02/2026 00:00,1,2\n"
                  "01/02/2026 00:30,1\n01/02/2026 01:00,,2\n");
    assert_error(r, 3, NULL, "too-few-fields", "ends after 2 of the 3 columns");
    assert_int_equal(count_readings(r), 3);
    end_reading(r);
}

static void test_what_is_passed_over_is_told(void **state)
{
    reading_t *r =
        read_text("Timestamp,Boiler House (kWh),DB-1 (kWh),Outside temp,Total kWh,Spare\n"
                  "01/02/2026 00:00,1,2,7.5,3,9\n01/02/2026 00:30,1,2,7.5,3,9\n");

    (void)state;
    assert_int_equal(count_readings(r), 4);
    assert_int_equal(count_warnings(r, "columns-not-read"), 3);
    end_reading(r);
}

/* ---- what is asked, and refused ----------------------------------------------------------------
 */

static void test_names_without_a_unit_are_asked_about(void **state)
{
    const char *text = apr_pstrcat(pool, "Timestamp,Boiler House,DB-1\n", ROWS, NULL);
    reading_t *r;

    (void)state;
    assert_text_refused(text, "unit-open", "\"Boiler House\", \"DB-1\"");
    r = read_text_given(text, "auto", (ecl_given_t){.unit = "kWh"});
    assert_both(r, "Boiler House", "DB-1");
    end_reading(r);
    r = read_text_given(text, "auto", (ecl_given_t){.unit = "Wh"});
    assert_string_equal(value_of(r, "DB-1", "AI", "2026-02-01", 1), "0.1015");
    end_reading(r);
}

static void test_quantities_are_no_meters(void **state)
{
    (void)state;
    assert_text_refused("Date,Electricity (kWh),Gas (kWh)\n01/02/2026,1,2\n", "several-values",
                        "Electricity (kWh)");
    assert_text_refused("Timestamp,Day (kWh),Night (kWh)\n01/02/2026 00:00,1,2\n", "several-values",
                        "Day (kWh)");
    assert_text_refused("MPAN,Timestamp,Boiler (kWh),Hall (kWh)\n" MPAN ",01/02/2026 00:00,1,2\n",
                        "several-values", "Boiler (kWh)");
    assert_text_refused("Timestamp,Import (kWh),Export (kWh)\n01/02/2026 00:00,1,2\n",
                        "no-meter-column", "names no meter");
    assert_text_refused("Timestamp,Boiler House (kWh)\n01/02/2026 00:00,1\n", "no-meter-column",
                        "names no meter");
    assert_text_refused("Timestamp,Temperature\n01/02/2026 00:00,1\n", "no-value-column",
                        "no column");
    assert_text_refused("Timestamp,DB-1 kWh,DB-1 (kWh)\n01/02/2026 00:00,1,2\n", "several-values",
                        "columns 2 and 3");
    assert_text_refused("Timestamp,2.20001E+12,1.20001E+12\n01/02/2026 00:00,1,2\n",
                        "meter-damaged", "2.20001E+12");
}

static void test_a_meter_that_was_given_must_be_the_one(void **state)
{
    const char *text = "Timestamp," MPAN "\n01/02/2026 00:00,1.5\n01/02/2026 00:30,1.5\n";
    reading_t *r = read_text_given(text, "auto", (ecl_given_t){.meter = MPAN});

    (void)state;
    assert_int_equal(count_readings(r), 2);
    assert_non_null(strstr(r->layout->evidence, "meter " MPAN " (from its column's name)"));
    end_reading(r);
    r = read_text_given(text, "auto", (ecl_given_t){.meter = MPAN2});
    assert_string_equal(r->result.code, "meter-conflict");
    end_reading(r);
}

/* ---- clock changes, order, size ----------------------------------------------------------------
 */

/* Both days on which the clocks change, in local time; the n-th half-hour of a day is n, and of the
 * second meter 100 more. */
static const char *change_days(int backward, half_hours_t *expected)
{
    static const struct {
        const char *date;
        int periods;
        apr_int64_t start;
    } days[] = {{"2025-10-26", 50, 1761433200}, {"2026-03-29", 46, 1774742400}};
    const char *text = "";

    for (int d = 0; d < 2; d++) {
        for (int n = 1; n <= days[d].periods; n++) {
            int elapsed = 30 * (n - 1), is_long = days[d].periods == 50;
            int label = is_long ? (elapsed >= 120 ? elapsed - 60 : elapsed)
                                : (elapsed >= 60 ? elapsed + 60 : elapsed);
            /* a meter without a value in the first of the two hours */
            const char *second = is_long && n == 3 ? "" : apr_itoa(pool, n + 100);
            const char *row = apr_psprintf(pool, "%s %02d:%02d,%d,%s\n", days[d].date, label / 60,
                                           label % 60, n, second);

            text =
                backward ? apr_pstrcat(pool, row, text, NULL) : apr_pstrcat(pool, text, row, NULL);
            put_half_hour(expected, "A1", "AI", "kWh", days[d].start / 60 + elapsed,
                          n * ECL_DECIMAL_ONE, ECL_FLAG_ACTUAL);
            if (*second) {
                put_half_hour(expected, "B2", "AI", "kWh", days[d].start / 60 + elapsed,
                              (n + 100) * ECL_DECIMAL_ONE, ECL_FLAG_ACTUAL);
            }
        }
    }
    return text;
}

static void test_clock_changes(void **state)
{
    (void)state;
    for (int backward = 0; backward <= 1; backward++) {
        half_hours_t expected = make_half_hours(pool), found;
        const char *text = change_days(backward, &expected);
        reading_t *r = read_text(apr_pstrcat(pool, "Timestamp,A1 (kWh),B2 (kWh)\n", text, NULL));

        assert_int_equal(r->failed, 0);
        found = half_hours_of(r, pool);
        assert_true(same_half_hours("clock changes", &found, &expected));
        end_reading(r);
    }
}

/* As many numbered meters as a day has half-hours, or hours. */
static void test_numbered_meters_are_no_day(void **state)
{
    static const int counts[] = {24, 31, 48};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *text = apr_pstrcat(pool, "Date,Time,",
                                       series(pool, "Meter %d (kWh)", 1, counts[i]), "\n", NULL);
        reading_t *r;

        for (int n = 0; n < 4; n++) {
            text = apr_psprintf(pool, "%s2026-02-01,00:%02d,%s\n", text, 15 * n,
                                series(pool, "%d.25", 1, counts[i]));
        }
        r = read_text(text);
        assert_int_equal(r->imported, 4);
        assert_int_equal(r->layout->meter_count, counts[i]);
        assert_string_equal(value_of(r, "Meter 24", "AI", "2026-02-01", 4), "24.25");
        end_reading(r);
    }
}

/* More meters than days are kept open, rows in any order. */
static void test_many_meters_in_any_order(void **state)
{
    const char *text = "Timestamp";
    half_hours_t expected = make_half_hours(pool), found;
    reading_t *r;

    (void)state;
    for (int m = 0; m < 150; m++) {
        text = apr_psprintf(pool, "%s,Board %d (kWh)", text, m);
    }
    for (int n = 0; n < 96; n++) {
        int at = n * 37 % 96;

        text = apr_psprintf(pool, "%s\n2026-02-%02d %02d:%02d", text, 1 + at / 48, at % 48 / 2,
                            at % 2 * 30);
        for (int m = 0; m < 150; m++) {
            text = apr_psprintf(pool, "%s,%d", text, 3 * at + 7 * m + 1);
            put_half_hour(&expected, apr_psprintf(pool, "Board %d", m), "AI", "kWh",
                          29498400 + 30 * at, (3 * at + 7 * m + 1) * ECL_DECIMAL_ONE,
                          ECL_FLAG_ACTUAL);
        }
    }
    r = read_text(apr_pstrcat(pool, text, "\n", NULL));
    assert_int_equal(r->imported, 96);
    found = half_hours_of(r, pool);
    assert_true(same_half_hours("many meters", &found, &expected));
    end_reading(r);
}

/* A sheet's rows end with their last cell: what is not there is blank. */
static void test_a_sheet(void **state)
{
    workbook_t book = {.sheets = {{.name = "Sub-meters"}}};
    reading_t *r = make_reading();

    (void)state;
    book.sheets[0].rows =
        apr_pstrcat(pool, row_of(pool, 1, "Date|Boiler House (kWh)|DB-1 (kWh)|Hall (kWh)"),
                    row_of(pool, 2, "@46054|1.5|2.5|3.5"), row_of(pool, 3, "@46055|1.25"),
                    row_of(pool, 4, "@46056||2.25"), NULL);
    write_workbook(r, &book);
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->imported, 3);
    assert_int_equal(count_readings(r), 5);
    assert_string_equal(value_of(r, "Hall", "AI", "2026-02-01", 1), "3.5");
    assert_string_equal(value_of(r, "DB-1", "AI", "2026-02-03", 1), "2.25");
    end_reading(r);
}

/* "Notes" that nobody filled in is no meter, and "Meter Read" no meter's name. */
static void test_a_blank_column_is_no_meter(void **state)
{
    static const char *const headers[] = {"Date,Meter Read,Notes", "Date,Notes,MeterConsumption",
                                          "Date,Comment,Meter Read"};

    (void)state;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const char *row = i == 0 ? "0.5," : ",0.5";
        reading_t *r =
            read_text_given(apr_psprintf(pool, "%s\n2026-02-01 00:00,%s\n2026-02-01 00:30,%s\n",
                                         headers[i], row, row),
                            "auto", (ecl_given_t){.meter = "M-1"});

        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->layout->meter_count, 0);
        assert_int_equal(count_readings(r), 2);
        assert_string_equal(value_of(r, "M-1", "AI", "2026-02-01", 2), "0.5");
        end_reading(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_date_and_time_apart_and_semicolons),
        cmocka_unit_test(test_daily_totals),
        cmocka_unit_test(test_channels_units_and_flags),
        cmocka_unit_test(test_rows_fail_whole_and_name_the_meter),
        cmocka_unit_test(test_what_is_passed_over_is_told),
        cmocka_unit_test(test_names_without_a_unit_are_asked_about),
        cmocka_unit_test(test_quantities_are_no_meters),
        cmocka_unit_test(test_a_meter_that_was_given_must_be_the_one),
        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_numbered_meters_are_no_day),
        cmocka_unit_test(test_a_sheet),
        cmocka_unit_test(test_a_blank_column_is_no_meter),
        cmocka_unit_test(test_many_meters_in_any_order),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
