/*
 * Stark DF2 files.
 */
#include "reading.h"
#include "start_apr.h"

#define UTC(y, m, d) (utc_midnight(y, m, d))

static apr_int64_t utc_midnight(int year, int month, int day)
{
    ecl_date_t date;

    assert_true(ecl_date_from_ymd(year, month, day, &date));
    return (apr_int64_t)date * 86400;
}

static void test_reads_what_stands_around_a_reading(void **state)
{
    reading_t *r = read_text("#F2\r\n"
                             "#O " MPAN "-E12Z004711,,,\r\n"
                             "#S 1\r\n"
                             "16/04/2024,00:30,0.77,A\r\n"
                             "\r\n"
                             "#F2\r\n"
                             "16/04/2024 ,01:00    ,      0.50  , ZE,,\r\n"
                             "#S2\r\n"
                             "16/04/2024,12:30:00,1,A\r\n"
                             "#O " MPAN2 "\r\n"
                             "#S 3,,\r\n"
                             "16/04/2024,0:30,2.5,\r\n"
                             "   \r\n"
                             "#S 4\r\n"
                             "16/04/2024,01:00,3.25,E");

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->imported, 5);
    assert_int_equal(count_readings(r), 5);
    /* British summer time: 00:30 UTC ends the half-hour that begins at 01:00 on the clock */
    assert_string_equal(value_of(r, MPAN, "AI", "2024-04-16", 3), "0.77");
    assert_string_equal(value_of(r, MPAN, "AI", "2024-04-16", 4), "0.5");
    assert_int_equal(flag_at(r, "2024-04-16", 4), ECL_FLAG_ESTIMATED);
    assert_string_equal(value_of(r, MPAN, "AE", "2024-04-16", 27), "1");
    assert_string_equal(value_of(r, MPAN2, "RI", "2024-04-16", 3), "2.5");
    assert_string_equal(value_of(r, MPAN2, "RE", "2024-04-16", 4), "3.25");
    assert_non_null(strstr(r->layout->evidence, "Stark DF2"));
    end_reading(r);
}

static void test_units_go_with_the_sensor(void **state)
{
    reading_t *r =
        read_text("#O " MPAN "\n#S 2\n16/04/2024,00:30,1,A\n#S 3\n16/04/2024,00:30,2,A\n");

    (void)state;
    assert_int_equal(r->days->nelts, 2);
    assert_string_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).unit, "kWh");
    assert_string_equal(APR_ARRAY_IDX(r->days, 1, ecl_meter_day_t).unit, "kVArh");
    end_reading(r);
}

/* A hyphen is cut from an MPAN only. */
static void test_keeps_other_identifiers(void **state)
{
    reading_t *r = read_text("#F2\n#O SITE-7 MAIN\n#S 1\n16/04/2024,00:30,1,A\n");

    (void)state;
    assert_string_equal(value_of(r, "SITE-7 MAIN", "AI", "2024-04-16", 3), "1");
    end_reading(r);
}

static void test_malformed_lines_are_named(void **state)
{
    reading_t *r = read_text("#F2\n#O " MPAN "\n#S 1\n15/11/2005,00:30\n15/11/2005,01:00,1.5,A\n");

    (void)state;
    assert_error(r, 4, NULL, "too-few-fields", "\"15/11/2005,00:30\" has 2 of 4 fields");
    assert_string_equal(error_at(r, 0)->raw, MPAN ",AI,15/11/2005 00:30");
    assert_int_equal(r->imported, 1);
    end_reading(r);
    /* nor is a value at its end whole for certain */
    r = read_text("#F2\n#O " MPAN "\n#S 1\n15/11/2005,00:30,1.\n");
    assert_error(r, 4, NULL, "too-few-fields", "\"15/11/2005,00:30,1.\" has 3 of 4 fields");
    assert_string_equal(error_at(r, 0)->raw, MPAN ",AI,15/11/2005 00:30");
    end_reading(r);

    r = read_text("#F2\n#O " MPAN "\n#S 1\n31/02/2005,00:30,1,A\n");
    assert_error(r, 4, "Period End (UTC)", "no-such-date", "31/02/2005 00:30");
    end_reading(r);

    r = read_text("#F2\n#O " MPAN "\n#S 1\n15/11/2005,00:30,12x,A\n");
    assert_error(r, 4, "Value", "bad-value", "\"12x\" is not a number");
    end_reading(r);

    r = read_text("#F2\n#O " MPAN "\n#S 1\n15/11/2005,00:30,1,A,7\n");
    assert_error(r, 4, NULL, "too-many-fields", "\"7\"");
    end_reading(r);

    r = read_text("#F2\n#X what\n#O " MPAN "\n#S 1\n15/11/2005,00:30,1,A\n");
    assert_error(r, 2, NULL, "bad-line", "#X what");
    assert_int_equal(r->imported, 1);
    end_reading(r);

    r = read_text("#F2\n#S 1\n15/11/2005,00:30,1,A\n");
    assert_error(r, 3, "MPAN", "bad-meter", "names no meter");
    end_reading(r);
}

/* A new outstation says anew which of its sensors follows. */
static void test_never_guesses_a_sensor(void **state)
{
    reading_t *r = read_text("#F2\n#O " MPAN "\n#S 2\n15/11/2005,00:30,1,A\n#O " MPAN2
                             "\n15/11/2005,00:30,1,A\n#S 1\n15/11/2005,01:00,1,A\n");

    (void)state;
    assert_error(r, 6, "Channel", "bad-channel", "no line #S says which sensor of \"" MPAN2);
    assert_int_equal(r->imported, 2);
    end_reading(r);

    r = read_text("#F2\n#O " MPAN "\n#S one\n15/11/2005,00:30,1,A\n");
    assert_int_equal(r->errors->nelts, 2);
    assert_string_equal(error_at(r, 0)->code, "bad-channel");
    assert_non_null(strstr(error_at(r, 0)->message, "\"#S one\" names no sensor"));
    assert_int_equal(error_at(r, 1)->line, 4);
    assert_int_equal(r->imported, 0);
    end_reading(r);

    r = read_text("#F2\n#O " MPAN "\n#S 9\n15/11/2005,00:30,1,A\n");
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->skipped, 1);
    assert_int_equal(count_warnings(r, "channel-skipped"), 1);
    end_reading(r);
}

static void test_refuses_a_file_without_readings(void **state)
{
    reading_t *r = read_text("#F2\n#O " MPAN "\n#O " MPAN2);

    (void)state;
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "no-readings");
    end_reading(r);

    r = read_text_as("#F2\n#O " MPAN "\n#S 1\n15/11/2005,00:30,1,A\n", "daily");
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "not-daily");
    end_reading(r);
}

/* A line per half-hour of [from, to), its stamp the end; the value is its number from 1. */
static const char *write_half_hours(apr_pool_t *p, apr_int64_t from, apr_int64_t to,
                                    int is_backward)
{
    const char *text = "#F2\n#O " MPAN "\n#S 1\n";
    int count = (int)((to - from) / 1800);

    for (int i = 0; i < count; i++) {
        int number = is_backward ? count - i : i + 1;
        apr_int64_t end = from + (apr_int64_t)number * 1800;
        int year, month, day, minute = (int)(end % 86400 / 60);

        ecl_date_to_ymd((ecl_date_t)(end / 86400), &year, &month, &day);
        text = apr_psprintf(p, "%s%02d/%02d/%d,%02d:%02d,%d,A\n", text, day, month, year,
                            minute / 60, minute % 60, number);
    }
    return text;
}

static void check_clock_change(apr_int64_t midnight, const char *date, int periods)
{
    for (int is_backward = 0; is_backward < 2; is_backward++) {
        apr_pool_t *p;
        reading_t *r;
        char value[16];

        apr_pool_create(&p, NULL);
        r = read_text(write_half_hours(p, midnight, midnight + periods * 1800, is_backward));
        assert_int_equal(r->errors->nelts, 0);
        assert_int_equal(r->days->nelts, 1);
        assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).periods, periods);
        assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).day_start, midnight);
        for (int i = 1; i <= periods; i++) {
            apr_snprintf(value, sizeof(value), "%d", i);
            assert_string_equal(value_of(r, MPAN, "AI", date, i), value);
        }
        end_reading(r);
        apr_pool_destroy(p);
    }
}

static void test_clock_changes(void **state)
{
    (void)state;
    check_clock_change(UTC(2025, 10, 26) - 3600, "2025-10-26", 50);
    check_clock_change(UTC(2026, 3, 29), "2026-03-29", 46);
    check_clock_change(UTC(2025, 10, 27), "2025-10-27", 48);
    check_clock_change(UTC(2026, 3, 30) - 3600, "2026-03-30", 48);
}

/* What a rejected row looks like can be uploaded as CSV, under the header. */
static void test_rejected_rows_are_csv(void **state)
{
    reading_t *r =
        read_text("MPAN,Channel,Period End (UTC),Value,Flag\n" MPAN ",AE,26/10/2025 01:30,0.5,E\n");

    (void)state;
    assert_int_equal(r->imported, 1);
    assert_string_equal(value_of(r, MPAN, "AE", "2025-10-26", 5), "0.5");
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_stands_around_a_reading),
        cmocka_unit_test(test_units_go_with_the_sensor),
        cmocka_unit_test(test_keeps_other_identifiers),
        cmocka_unit_test(test_malformed_lines_are_named),
        cmocka_unit_test(test_never_guesses_a_sensor),
        cmocka_unit_test(test_refuses_a_file_without_readings),
        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_rejected_rows_are_csv),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
