/* Cases 36 to 50: when it was. */
#include "cases.h"

static void test_case_36_day_and_month(void **state)
{
    reading_t *r = read_hh(MPAN, "01/02/2026", "0.5");

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    end_reading(r);
    /* one date that can only be month, day, year proves it for all */
    r = read_text(
        JOIN(HH_HEADER, hh_row(MPAN, "01/02/2026", "0.5"), hh_row(MPAN, "01/13/2026", "0.5")));
    assert_day(r, MPAN, "2026-01-02", "0.5");
    assert_day(r, MPAN, "2026-01-13", "0.5");
    assert_non_null(strstr(r->layout->evidence, "month before day"));
    end_reading(r);
    /* unless another proves the contrary: then the odd one fails */
    r = read_text(
        JOIN(HH_HEADER, hh_row(MPAN, "14/02/2026", "0.5"), hh_row(MPAN, "01/13/2026", "0.5")));
    assert_error(r, 3, "Date", "no-such-date", "01/13/2026");
    assert_day(r, MPAN, "2026-02-14", "0.5");
    end_reading(r);
}

static void test_case_37_years_of_two_digits(void **state)
{
    reading_t *r = read_hh(MPAN, "12/11/18", "0.5");

    (void)state;
    assert_day(r, MPAN, "2018-11-12", "0.5");
    end_reading(r);
    r = read_hh(MPAN, "12/11/0018", "0.5");
    assert_error(r, 2, "Date", "no-such-date", "12/11/0018");
    end_reading(r);
}

static void test_case_38_no_year(void **state)
{
    static const char *const dates[] = {"30/08", "30/08/0"};

    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        reading_t *r = read_hh(MPAN, dates[i], "0.5");

        assert_error(r, 2, "Date", "bad-date", "with its year");
        assert_int_equal(count_readings(r), 0);
        end_reading(r);
    }
}

static void test_case_39_days_that_do_not_exist(void **state)
{
    reading_t *r = read_hh(MPAN, "31/02/2025", "0.5");

    (void)state;
    assert_error(r, 2, "Date", "no-such-date", "31/02/2025");
    end_reading(r);
}

static void test_case_40_day_numbers(void **state)
{
    reading_t *r =
        read_text(JOIN(HH_HEADER, hh_row(MPAN, "45055", "0.5"), hh_row(MPAN, "43782", "0.5")));

    (void)state;
    assert_day(r, MPAN, "2023-05-09", "0.5");
    assert_day(r, MPAN, "2019-11-13", "0.5");
    end_reading(r);
    r = read_text(ROW_HEADER MPAN ",45055.5,0.5\n" MPAN ",45055.520833333336,0.75\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2023-05-09", 25), "0.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2023-05-09", 26), "0.75");
    end_reading(r);
}

static void test_case_41_ways_of_writing_a_date(void **state)
{
    static const struct {
        const char *text, *date;
        int period;
    } stamps[] = {
        {"Nov 13 2019 12:00AM", "2019-11-13", 1},
        {"Sep  1 2023 01:00AM", "2023-09-01", 3},
        {" 1 Sep 2023 01:00:00", "2023-09-01", 3},
        {"01:00:00 Fri 01/09/2023", "2023-09-01", 3},
        {"09-May-23 00:30", "2023-05-09", 2},
        {"2012-10-12 00:30:00.0000000", "2012-10-12", 2},
        {"2023-12-12T01:00:00Z", "2023-12-12", 3},
        {"20240212 00:30", "2024-02-12", 2},
        {"20260112T003000Z", "2026-01-12", 2},
        {"20260112T0030", "2026-01-12", 2},
        {"2026-01-12T00:30:00.000+00:00", "2026-01-12", 2},
        {"12th January 2026 1.30 p.m.", "2026-01-12", 28},
        {"1st Jan 26 1pm", "2026-01-01", 27},
        {"Mon 12 Jan 2026 00:30", "2026-01-12", 2},
        {"12-JAN-2026 00:30", "2026-01-12", 2},
        {"12-JAN-26 12.30.00.000000 AM", "2026-01-12", 2},
        {"12JAN2026:00:30:00", "2026-01-12", 2},
        {"Mon Jan 12 00:30:00 GMT 2026", "2026-01-12", 2},
    };
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
        r = read_text(JOIN(ROW_HEADER MPAN ",", stamps[i].text, ",0.5\n"));
        if (strcmp(value_of(r, MPAN, "AI", stamps[i].date, stamps[i].period), "0.5") != 0) {
            fail_msg("%s", stamps[i].text);
        }
        end_reading(r);
    }
    r = read_text("MPAN,Timestamp (UTC),kWh\n" MPAN ",2025-07-01 12:00,0.5\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-07-01", 27), "0.5");
    end_reading(r);
    /* the day or the year first: other rows show it */
    r = read_text(
        JOIN(HH_HEADER, hh_row(MPAN, "23-09-01", "0.5"), hh_row(MPAN, "23-09-02", "0.5")));
    assert_day(r, MPAN, "2023-09-01", "0.5");
    end_reading(r);
    r = read_text(
        JOIN(HH_HEADER, hh_row(MPAN, "23-09-01", "0.5"), hh_row(MPAN, "24-09-01", "0.5")));
    assert_day(r, MPAN, "2001-09-23", "0.5");
    end_reading(r);
    r = read_hh(MPAN, "23-09-01", "0.5");
    assert_refused(r, "date-order-open", "23-09-01");
    end_reading(r);
}

static void test_case_42_the_future(void **state)
{
    reading_t *r = read_text(
        JOIN(HH_HEADER, hh_row(MPAN, "2026-06-30", "0.5"), hh_row(MPAN, "2026-07-01", "0.5")));

    (void)state;
    assert_day(r, MPAN, "2026-06-30", "0.5"); /* today */
    assert_error(r, 3, "Date", "future-date", "2026-07-01");
    end_reading(r);
}

static void test_case_43_one_day_spelt_in_two_ways(void **state)
{
    reading_t *r = read_text(
        JOIN(HH_HEADER, hh_row(MPAN, "01/02/2026", "0.5"), hh_row(MPAN, "2026-02-01", "0.75")));

    (void)state;
    assert_int_equal(r->imported, 2);
    assert_day(r, MPAN, "2026-02-01", "0.75");
    end_reading(r);
}

static void test_case_44_midnight_as_24(void **state)
{
    static const char *const midnights[] = {"24:00", "2400", "24:00:00"};

    (void)state;
    for (size_t i = 0; i < sizeof(midnights) / sizeof(midnights[0]); i++) {
        const char *text = "MPAN,Date,Time,kWh\n";
        reading_t *r;

        for (int n = 1; n <= 47; n++) {
            text = apr_psprintf(pool, "%s" MPAN ",01/02/2026,%02d:%02d,%d\n", text, n / 2,
                                n % 2 * 30, n);
        }
        r = read_text(JOIN(text, MPAN ",01/02/2026,", midnights[i], ",48\n"));
        assert_int_equal(r->errors->nelts, 0);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48");
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1");
        end_reading(r);
    }
}

static void test_case_45_midnight_as_the_last_column(void **state)
{
    const char *names = "MPAN,Date";
    reading_t *r;

    (void)state;
    for (int n = 1; n <= 48; n++) {
        names = apr_psprintf(pool, "%s,%02d:%02d", names, n / 2 % 24, n % 2 * 30);
    }
    r = read_text(JOIN(names, "\n" MPAN ",2026-02-01,", series(pool, "%d", 1, 48), "\n"));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48");
    assert_int_equal(count_readings(r), 48);
    end_reading(r);
}

/* Rows of days labelled by start or end; the last day has 46 readings. */
static const char *labelled_rows(int are_ends)
{
    const char *text = "MPR,ReadDatetime,kWh,ReadType\n";

    for (int n = 1; n <= 48 * 3 - 2; n++) {
        int minute = 30 * (are_ends ? n : n - 1);

        text = apr_psprintf(pool, "%s" MPAN ",%02d Feb 2026 %02d:%02d:00,%d,Actual\n", text,
                            1 + minute / 1440, minute % 1440 / 60, minute % 60, n);
    }
    return text;
}

static void test_case_46_starts_or_ends(void **state)
{
    reading_t *r;

    (void)state;
    for (int are_ends = 0; are_ends <= 1; are_ends++) {
        r = read_text(labelled_rows(are_ends));

        assert_int_equal(r->layout->labels_are_ends, are_ends);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48");
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 1), "97");
        assert_non_null(strstr(r->layout->evidence, are_ends ? "period ends" : "period starts"));
        end_reading(r);
    }
    r = read_text(ROW_HEADER MPAN ",2026-02-01 10:00,0.5\n" MPAN ",2026-02-01 10:30,0.5\n");
    assert_non_null(strstr(r->layout->evidence, "period ends would fit as well"));
    end_reading(r);
}

static void test_case_47_ways_of_writing_a_time(void **state)
{
    static const struct {
        const char *text;
        int period;
    } times[] = {
        {"0", 1},          {"30", 2},         {"130", 4},       {"1:30", 4},
        {"01:30:00", 4},   {"1:30 PM", 28},   {"13:00 PM", 27}, {"00:00 to 00:30", 1},
        {"0.5208333", 26}, {"1.30 p.m.", 28}, {"1pm", 27},      {"12 a.m.", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        reading_t *r =
            read_text(JOIN("MPAN,Date,Time,kWh\n" MPAN ",2026-02-01,", times[i].text, ",0.5\n"));

        if (strcmp(value_of(r, MPAN, "AI", "2026-02-01", times[i].period), "0.5") != 0) {
            fail_msg("%s: %s", times[i].text,
                     r->errors->nelts ? error_at(r, 0)->message : r->result.detail);
        }
        end_reading(r);
    }
}

static void test_case_48_times_without_their_hour(void **state)
{
    const char *apart = "MPAN,Date,Time,kWh\n", *together = ROW_HEADER;
    reading_t *r;

    (void)state;
    for (int n = 0; n < 48; n++) {
        const char *time = n % 2 ? "30:00.0" : "00:00.0";

        apart = JOIN(apart, MPAN ",2026-02-01,", time, ",0.5\n");
        together = JOIN(together, MPAN ",", time, ",0.5\n");
    }
    for (int i = 0; i < 2; i++) {
        r = read_text(i ? apart : together);
        assert_int_equal(r->status, ECL_EINPUT);
        assert_string_equal(r->result.code, "hour-lost");
        assert_non_null(strstr(r->result.detail, i ? "\"Time\"" : "\"Timestamp\""));
        assert_non_null(strstr(r->result.detail, "save it again"));
        end_reading(r);
    }
    /* one damaged cell costs its row */
    r = read_row("30:00.0", "0.5");
    assert_int_equal(count_readings(r), 2);
    assert_error(r, 4, "Timestamp", "bad-date", "save it again");
    end_reading(r);
}

static void test_case_49_stamps_off_the_half_hour(void **state)
{
    const char *quarters = ROW_HEADER, *hours = ROW_HEADER;
    reading_t *r = read_row("2026-02-01 12:37:27", "Null");

    (void)state;
    assert_int_equal(r->skipped, 1);
    assert_int_equal(r->errors->nelts, 0);
    end_reading(r);
    r = read_row("2026-02-01 12:37:27", "0.5");
    assert_error(r, 4, "Timestamp", "off-grid", "12:37:27");
    end_reading(r);
    for (int n = 0; n < 96; n++) {
        quarters = apr_psprintf(pool, "%s" MPAN ",2026-02-01 %02d:%02d,0.25\n", quarters, n / 4,
                                n % 4 * 15);
    }
    for (int n = 0; n < 24; n++) {
        hours = apr_psprintf(pool, "%s" MPAN ",2026-02-01 %02d:00,1\n", hours, n);
    }
    r = read_text(quarters);
    assert_int_equal(count_readings(r), 96);
    assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).interval_minutes, 15);
    end_reading(r);
    r = read_text(hours);
    assert_int_equal(count_readings(r), 24);
    assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).interval_minutes, 60);
    end_reading(r);
}

static void test_case_50_any_order(void **state)
{
    const char *forward = "", *backward = "", *mixed[2] = {"", ""};
    const char *files[3];

    (void)state;
    for (int n = 1; n <= 48; n++) {
        const char *row =
            apr_psprintf(pool, MPAN ",2026-02-01 %02d:%02d,%d\n", (n - 1) / 2, (n - 1) % 2 * 30, n);

        forward = JOIN(forward, row);
        backward = JOIN(row, backward);
        mixed[n % 2] = n % 3 ? JOIN(mixed[n % 2], row) : JOIN(row, mixed[n % 2]);
    }
    files[0] = forward;
    files[1] = backward;
    files[2] = JOIN(mixed[1], mixed[0]);
    for (int i = 0; i < 3; i++) {
        reading_t *r = read_text(JOIN(ROW_HEADER, files[i]));

        for (int n = 1; n <= 48; n++) {
            assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", n), apr_itoa(pool, n));
        }
        end_reading(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_36_day_and_month),
        cmocka_unit_test(test_case_37_years_of_two_digits),
        cmocka_unit_test(test_case_38_no_year),
        cmocka_unit_test(test_case_39_days_that_do_not_exist),
        cmocka_unit_test(test_case_40_day_numbers),
        cmocka_unit_test(test_case_41_ways_of_writing_a_date),
        cmocka_unit_test(test_case_42_the_future),
        cmocka_unit_test(test_case_43_one_day_spelt_in_two_ways),
        cmocka_unit_test(test_case_44_midnight_as_24),
        cmocka_unit_test(test_case_45_midnight_as_the_last_column),
        cmocka_unit_test(test_case_46_starts_or_ends),
        cmocka_unit_test(test_case_47_ways_of_writing_a_time),
        cmocka_unit_test(test_case_48_times_without_their_hour),
        cmocka_unit_test(test_case_49_stamps_off_the_half_hour),
        cmocka_unit_test(test_case_50_any_order),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
