/* A row per daily total. */
#include "reading.h"
#include "start_apr.h"

static void test_daily_totals(void **state)
{
    reading_t *r = read_text("MPAN,Date,Reading\n" MPAN ",01/02/2026,45.6\n" MPAN
                             ",02/02/2026,48.2\n" MPAN2 ",01/02/2026,38.4\n");
    const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, 2, ecl_meter_day_t);

    (void)state;
    assert_int_equal(r->layout->kind, ECL_LAYOUT_DAILY);
    assert_int_equal(r->days->nelts, 3);
    assert_int_equal(day->interval_minutes, 1440);
    assert_int_equal(day->periods, 1);
    assert_string_equal(day->meter, MPAN2);
    assert_int_equal(day->line, 4);
    assert_int_equal(day->flags[0], ECL_FLAG_ACTUAL);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "48.2");
    end_reading(r);
}

static void test_clock_change_days_have_one_total(void **state)
{
    reading_t *r = read_text("MPAN,Date,kWh\n" MPAN ",2026-03-29,46\n" MPAN ",2025-10-26,50\n");

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 1), "46");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 1), "50");
    end_reading(r);
}

static void test_midnights_are_dates(void **state)
{
    reading_t *r = read_text("MPAN,Date,kWh\n" MPAN ",2026-02-01 00:00:00,1\n" MPAN
                             ",2026-02-02 00:00:00,2\n" MPAN ",2026-02-03 00:00:00,3\n");

    (void)state;
    assert_int_equal(r->layout->kind, ECL_LAYOUT_DAILY);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 1), "3");
    end_reading(r);
}

static void test_unit_flag_and_total_column(void **state)
{
    reading_t *r = read_text("MPAN,Date,Total kWh,Status,Units\n" MPAN
                             ",2026-02-01,1500,E,Wh\n" MPAN ",2026-02-02,2,Estimated,kWh\n");

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1.5");
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ESTIMATED);
    end_reading(r);
}

static void test_rows_that_fail_or_are_none(void **state)
{
    reading_t *r =
        read_text("MPAN,Date,Reading\n"
                  "MPAN,Date,Reading\n" MPAN ",2026-02-30,1\n" MPAN ",2026-02-01,x\n" MPAN
                  ",2026-02-02,-1\n" MPAN ",2026-02-03,\n" MPAN ",2026-02-04,4\n" MPAN
                  ",2026-02-05\n,2026-02-06,6\nTotal,,11\nGrand Total,2026-02-04,11\n");

    (void)state;
    assert_int_equal(r->failed, 5);
    assert_string_equal(error_at(r, 0)->code, "no-such-date");
    assert_string_equal(error_at(r, 0)->column, "Date");
    assert_int_equal(error_at(r, 0)->line, 3);
    assert_string_equal(error_at(r, 1)->code, "bad-value");
    assert_string_equal(error_at(r, 2)->code, "negative-value");
    assert_string_equal(error_at(r, 3)->code, "too-few-fields");
    assert_string_equal(error_at(r, 4)->code, "bad-meter");
    assert_int_equal(r->skipped, 4);
    assert_int_equal(count_readings(r), 1);
    end_reading(r);
}

static void test_type_asked_for(void **state)
{
    static const char daily[] = "MPAN,Date,Reading\n" MPAN ",01/02/2026,45.6\n";
    static const char hh[] = "MPAN,Timestamp,kWh\n" MPAN ",2026-02-01 00:30,45.6\n";
    reading_t *r = read_text_as(daily, "daily");

    (void)state;
    assert_int_equal(r->imported, 1);
    end_reading(r);
    r = read_text_as(hh, "hh");
    assert_int_equal(r->imported, 1);
    end_reading(r);
    r = read_text_as(daily, "hh");
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "not-half-hourly");
    end_reading(r);
    r = read_text_as(hh, "daily");
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "not-daily");
    end_reading(r);
}

static void assert_longer(const char *text, const char *part)
{
    reading_t *r = read_text(text);

    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "longer-periods");
    assert_non_null(strstr(r->result.detail, part));
    end_reading(r);
}

/* A month's bill is no total of its first day. */
static void test_weeks_and_months_are_refused(void **state)
{
    reading_t *r;

    (void)state;
    assert_longer("MPAN,Period Start,Period End,kWh\n" MPAN ",01/01/2025,31/01/2025,400\n",
                  "on line 2 of \"01/01/2025\" to \"31/01/2025\"");
    assert_longer("MPAN,Date,kWh\n" MPAN ",01/01/2025,400\n" MPAN ",01/03/2025,410\n" MPAN
                  ",01/02/2025,410\n" MPAN2 ",15/01/2025,5\n" MPAN ",01/04/2025,400\n",
                  "28 days or more apart");
    /* totals of single days may say where they end, and have gaps */
    r = read_text("MPAN,Start Date,End Date,kWh\n" MPAN ",01/01/2025,01/01/2025,4\n" MPAN
                  ",02/01/2025,03/01/2025,5\n");
    assert_int_equal(r->days->nelts, 2);
    end_reading(r);
    r = read_text("MPAN,Date,kWh\n" MPAN ",01/01/2025,400\n" MPAN ",01/02/2025,410\n" MPAN
                  ",02/02/2025,410\n" MPAN ",01/03/2025,5\n" MPAN ",01/04/2025,400\n");
    assert_int_equal(r->days->nelts, 5);
    end_reading(r);
    r = read_text("MPAN,Date,kWh\n" MPAN ",01/01/2025,400\n" MPAN2 ",08/01/2025,410\n" MPAN
                  ",15/01/2025,410\n");
    assert_int_equal(r->days->nelts, 3);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_daily_totals),
        cmocka_unit_test(test_clock_change_days_have_one_total),
        cmocka_unit_test(test_midnights_are_dates),
        cmocka_unit_test(test_unit_flag_and_total_column),
        cmocka_unit_test(test_rows_that_fail_or_are_none),
        cmocka_unit_test(test_type_asked_for),
        cmocka_unit_test(test_weeks_and_months_are_refused),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
