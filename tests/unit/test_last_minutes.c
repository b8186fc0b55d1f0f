/*
 * Times that are the last minute, or second, of their period (00:29, 00:59 … 23:59), or only that
 * of a day's last one.
 */
#include "cases.h"

/* What the clock shows in London so many minutes after midnight of a day without a change, of
 * 29 March 2026 or of 26 October 2025. */
static const char *shown(const char *date, int elapsed, const char *end)
{
    int is_march = !strcmp(date, "2026-03-29"), is_october = !strcmp(date, "2025-10-26");
    int label = elapsed + (is_march && elapsed >= 60 ? 60 : is_october && elapsed >= 120 ? -60 : 0);

    return JOIN(date, apr_psprintf(pool, " %02d:%02d", label / 60, label % 60), end);
}

/* All periods of a day, each by its last minute. */
static const char *rows_of(const char *date, int periods, int interval, const char *end)
{
    const char *rows = "";

    for (int n = 1; n <= periods; n++) {
        rows =
            JOIN(rows, MPAN ",", shown(date, n * interval - 1, end), ",", apr_itoa(pool, n), "\n");
    }
    return rows;
}

static void check_day(const reading_t *r, const char *date, int periods)
{
    for (int n = 1; n <= periods; n++) {
        assert_string_equal(value_of(r, MPAN, "AI", date, n), apr_itoa(pool, n));
    }
}

static void test_whole_days(void **state)
{
    static const char *const ends[] = {"", ":00", ":59", ":59.999"};

    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        reading_t *r = read_text(JOIN(ROW_HEADER, rows_of("2025-10-25", 48, 30, ends[i]),
                                      rows_of("2025-10-26", 50, 30, ends[i]),
                                      rows_of("2026-03-28", 48, 30, ends[i]),
                                      rows_of("2026-03-29", 46, 30, ends[i])));

        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->failed, 0);
        assert_int_equal(count_readings(r), 48 + 50 + 48 + 46);
        check_day(r, "2025-10-25", 48);
        check_day(r, "2025-10-26", 50);
        check_day(r, "2026-03-28", 48);
        check_day(r, "2026-03-29", 46);
        assert_non_null(strstr(r->layout->evidence, "each the last minute of its own"));
        end_reading(r);
    }
}

static void test_other_lengths_and_zones(void **state)
{
    static const int intervals[] = {5, 10, 15, 60};
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        int interval = intervals[i];

        r = read_text(JOIN(ROW_HEADER, rows_of("2026-02-01", 1440 / interval, interval, "")));
        assert_int_equal(r->failed, 0);
        check_day(r, "2026-02-01", 1440 / interval);
        end_reading(r);
    }
    /* by offsets, and in UTC: 23:59 of the 28th is in the settlement day of the 29th in summer */
    r = read_text("MPAN,Timestamp,kWh\n" MPAN ",2026-06-01T00:29:59+01:00,1\n" MPAN
                  ",2026-06-01T00:59:59+01:00,2\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 2), "2");
    end_reading(r);
    r = read_text("MPAN,Timestamp (UTC),kWh\n" MPAN ",2026-05-31 23:29,1\n" MPAN
                  ",2026-05-31 23:59,2\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 2), "2");
    end_reading(r);
    /* date and time apart, and a header that says end */
    r = read_text("MPAN,Date,End Time,kWh\n" MPAN ",01/02/2026,00:29,1\n" MPAN
                  ",01/02/2026,00:59,2\n" MPAN ",01/02/2026,23:59,48\n");
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "2");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48");
    end_reading(r);
}

/* What does not go with the others fails; and so do all where starts are said. */
static void test_others_fail(void **state)
{
    reading_t *r = read_text(
        JOIN(ROW_HEADER, rows_of("2026-02-01", 48, 30, ""), MPAN ",2026-02-02 00:30,1\n"));

    (void)state;
    assert_error(r, 50, "Timestamp", "off-grid", "not the last minute of a period of 30");
    end_reading(r);

    r = read_text("MPAN,Start Time,kWh\n" MPAN ",2026-02-01 00:29,1\n" MPAN
                  ",2026-02-01 00:59,2\n");
    assert_int_equal(r->failed, 2);
    assert_string_equal(error_at(r, 0)->code, "off-grid");
    end_reading(r);

    /* one such time shows nothing */
    r = read_text(ROW_HEADER MPAN ",2026-02-01 00:29,1\n");
    assert_int_equal(r->failed, 1);
    end_reading(r);
}

/* 00:30 … 23:30, 23:59 */
static void test_only_the_last_of_a_day(void **state)
{
    const char *rows = "";
    reading_t *r;

    (void)state;
    for (int day = 1; day <= 2; day++) {
        for (int n = 1; n <= 48; n++) {
            int label = n == 48 ? 1439 : n * 30;

            rows = JOIN(rows, apr_psprintf(pool, MPAN ",%02d/02/2026 %02d:%02d,%d\n", day,
                                           label / 60, label % 60, n));
        }
    }
    r = read_text(JOIN(ROW_HEADER, rows));
    assert_int_equal(r->failed, 0);
    check_day(r, "2026-02-01", 48);
    check_day(r, "2026-02-02", 48);
    assert_int_equal(count_readings(r), 96);
    end_reading(r);
    /* beside midnights it is what it says */
    r = read_text(JOIN(ROW_HEADER, rows, MPAN ",01/02/2026 00:00,1\n"));
    assert_int_equal(r->failed, 2);
    end_reading(r);
}

/* What the first 500 lines do not have: a midnight, of which nobody knows what it is. */
static void test_midnight_further_down(void **state)
{
    const char *rows = "", *midnight = MPAN ",13/01/2026 00:00,1\n";
    reading_t *r;

    (void)state;
    for (int day = 1; day <= 12; day++) {
        for (int n = 1; n <= 48; n++) {
            int label = n == 48 ? 1439 : n * 30;

            rows = JOIN(rows, apr_psprintf(pool, MPAN ",%02d/01/2026 %02d:%02d,%d\n", day,
                                           label / 60, label % 60, n));
        }
    }
    r = read_text(JOIN(ROW_HEADER, rows));
    assert_int_equal(count_readings(r), 12 * 48);
    end_reading(r);
    r = read_text(JOIN(ROW_HEADER, rows, midnight));
    assert_refused(r, "labels-open", "line 578 has a time of 00:00");
    end_reading(r);
    r = read_text_given(JOIN(ROW_HEADER, rows, midnight), "auto", (ecl_given_t){.labels = "end"});
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-12", 48), "1");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-11", 48), "48");
    end_reading(r);
    r = read_text_given(JOIN(ROW_HEADER, rows, midnight), "auto", (ecl_given_t){.labels = "start"});
    assert_int_equal(r->failed, 12);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-13", 1), "1");
    end_reading(r);
    r = read_text(JOIN("MPAN,Period End,kWh\n", rows, midnight));
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-12", 48), "1");
    end_reading(r);
}

/* Totals of days that are stamped with their last minute: midnight may be of either day. */
static void test_midnight_among_totals(void **state)
{
    reading_t *r = read_text("MPAN,Timestamp,kWh\n" MPAN ",01/02/2026 23:59:59,1\n" MPAN
                             ",02/02/2026 23:59:59,2\n" MPAN ",03/02/2026 23:59:59,3\n");
    const char *how = r->layout->added[0][1];

    (void)state;
    assert_int_equal(count_readings(r), 3);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 1), "3");
    assert_non_null(strstr(how, "last=minute"));
    end_reading(r);
    r = read_text(JOIN("MPAN,Timestamp,kWh,Read as\n" MPAN ",05/02/2026 00:00,1,", how,
                       "\n" MPAN ",06/02/2026 23:59:59,2,", how, "\n"));
    assert_error(r, 2, "Timestamp", "off-grid", "other days are stamped 23:59");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-06", 1), "2");
    end_reading(r);
}

static void test_columns(void **state)
{
    const char *header = "MPAN,Date", *short_header = header;
    reading_t *r;

    (void)state;
    for (int n = 1; n <= 48; n++) {
        int end = n * 30 - 1;

        header = JOIN(header, apr_psprintf(pool, ",%02d:%02d", end / 60, end % 60));
        end += n < 48;
        short_header = JOIN(short_header, apr_psprintf(pool, ",%02d:%02d", end / 60, end % 60));
    }
    for (int i = 0; i < 2; i++) {
        r = read_text(JOIN(i ? short_header : header, "\n" MPAN ",2026-02-01,",
                           series(pool, "%d", 1, 48), "\n"));
        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->failed, 0);
        check_day(r, "2026-02-01", 48);
        end_reading(r);
    }
}

static void test_totals_of_days(void **state)
{
    reading_t *r = read_text("MPAN,Reading Date,kWh\n" MPAN ",01/02/2026 23:59:59,24\n" MPAN
                             ",02/02/2026 23:59:59,25\n" MPAN ",03/02/2026 23:59:59,26\n");

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->layout->kind, ECL_LAYOUT_DAILY);
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "24");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 1), "26");
    end_reading(r);
}

/* A few rejected rows are read as their file was. */
static void test_rejected_rows(void **state)
{
    const char *header = "MPAN,Timestamp,kWh,Read as\n";
    reading_t *r = read_text(JOIN(header, MPAN ",2026-02-01 00:29,1,interval=30 labels=end "
                                               "last=minute timezone=local\n"));

    (void)state;
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1");
    end_reading(r);
    r = read_text(JOIN(header, MPAN ",2026-02-01 23:59,1,interval=30 labels=end last=23:59 "
                                    "timezone=local\n"));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "1");
    end_reading(r);
    r = read_text(JOIN(header, MPAN ",2026-02-01 23:59,1,interval=30 labels=end last=12:00 "
                                    "timezone=local\n"));
    assert_refused(r, "bad-read-as", "last=12:00");
    end_reading(r);
    /* and are written so */
    r = read_text(JOIN(ROW_HEADER, rows_of("2026-02-01", 48, 30, "")));
    assert_non_null(strstr(r->layout->added[r->layout->added_count - 1][1], "last=minute"));
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_days),
        cmocka_unit_test(test_other_lengths_and_zones),
        cmocka_unit_test(test_others_fail),
        cmocka_unit_test(test_only_the_last_of_a_day),
        cmocka_unit_test(test_midnight_further_down),
        cmocka_unit_test(test_midnight_among_totals),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_totals_of_days),
        cmocka_unit_test(test_rejected_rows),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
