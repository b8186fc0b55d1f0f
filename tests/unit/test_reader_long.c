/* A row per reading. */
#include "pool_fixture.h"
#include "reading.h"

#define HEADER "MPAN,ReadDateTime,ReadValue,Unit,ReadingType\n"

static const char *join(const char *a, const char *b)
{
    return apr_pstrcat(pool, a, b, NULL);
}

/* A day's rows in local time, one per label; values count from 1. are_ends: labels are what the
 * clock shows at the period's end. */
static const char *day_rows(const char *date, int periods, int are_ends, int backward)
{
    const char *text = "";

    for (int i = 1; i <= periods; i++) {
        int elapsed = 30 * (are_ends ? i : i - 1), label = elapsed;
        const char *line;

        if (periods == 50 && elapsed >= 120) {
            label -= 60;
        } else if (periods == 46 && elapsed >= 60) {
            label += 60;
        }
        line =
            apr_psprintf(pool, MPAN ",%s %02d:%02d:00,%d,kWh,A\n", date, label / 60, label % 60, i);
        text = backward ? join(line, text) : join(text, line);
    }
    return text;
}

static void assert_whole_day(const reading_t *r, const char *date, int periods)
{
    for (int i = 1; i <= periods; i++) {
        assert_string_equal(value_of(r, MPAN, "AI", date, i), apr_itoa(pool, i));
    }
}

static void test_a_day_is_gathered(void **state)
{
    reading_t *r = read_text(join(HEADER, day_rows("2026-02-01", 48, 0, 0)));
    const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t);

    (void)state;
    assert_int_equal(r->layout->kind, ECL_LAYOUT_LONG);
    assert_int_equal(r->days->nelts, 1);
    assert_int_equal(r->imported, 48);
    assert_int_equal(day->line, 2);
    assert_int_equal(day->periods, 48);
    assert_whole_day(r, "2026-02-01", 48);
    end_reading(r);
}

static void test_labels_at_the_end(void **state)
{
    reading_t *r = read_text(join(HEADER, day_rows("2026-02-01", 48, 1, 0)));
    const char *text;

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48"); /* labelled 24:00 */
    assert_true(r->layout->labels_are_ends);
    assert_whole_day(r, "2026-02-01", 48);
    end_reading(r);

    text = join("MPAN,Read Date and End Time,Value\n",
                MPAN ",2026-02-02 00:00,48\n" MPAN ",2026-02-02 00:30,1\n");
    r = read_text(text);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "1");
    end_reading(r);

    r = read_text("MPAN,Start,End,kWh\n" MPAN ",2026-02-02 00:00,2026-02-02 00:30,7\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "7");
    end_reading(r);
}

static void test_a_few_rows_about_midnight_are_starts(void **state)
{
    reading_t *r =
        read_text(HEADER MPAN ",2026-02-01 23:30,1,kWh,A\n" MPAN ",2026-02-02 00:00,2,kWh,A\n");

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "1");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "2");
    end_reading(r);
}

static void test_meters_in_turn(void **state)
{
    const char *text = HEADER, *back = "";
    reading_t *r;

    (void)state;
    /* the sample holds a few half-hours of each meter: only the whole file shows that labels are
     * ends, and only all rows together in which direction it runs */
    for (int i = 1; i <= 50; i++) {
        int label = i <= 3 ? 30 * i : 30 * i - 60;

        for (int meter = 0; meter < 40; meter++) {
            const char *line = apr_psprintf(pool, "M%d,%s %02d:%02d,%d,kWh,A\n", meter,
                                            label < 1440 ? "2025-10-26" : "2025-10-27",
                                            label / 60 % 24, label % 60, i);

            text = join(text, line);
            back = join(line, back);
        }
    }
    r = read_text(text);
    assert_true(r->layout->labels_are_ends);
    assert_int_equal(count_readings(r), 2000);
    assert_string_equal(value_of(r, "M7", "AI", "2025-10-26", 1), "1");
    assert_string_equal(value_of(r, "M7", "AI", "2025-10-26", 4), "4");
    assert_string_equal(value_of(r, "M7", "AI", "2025-10-26", 50), "50");
    end_reading(r);
    r = read_text(join(HEADER, back));
    assert_true(r->layout->newest_first);
    assert_string_equal(value_of(r, "M7", "AI", "2025-10-26", 2), "2");
    assert_string_equal(value_of(r, "M7", "AI", "2025-10-26", 4), "4");
    end_reading(r);
}

static void test_clock_change_days(void **state)
{
    (void)state;
    for (int are_ends = 0; are_ends <= 1; are_ends++) {
        for (int backward = 0; backward <= 1; backward++) {
            const char *rows = backward ? join(day_rows("2026-03-29", 46, are_ends, 1),
                                               join(day_rows("2026-03-28", 48, are_ends, 1),
                                                    day_rows("2025-10-26", 50, are_ends, 1)))
                                        : join(day_rows("2025-10-26", 50, are_ends, 0),
                                               join(day_rows("2026-03-28", 48, are_ends, 0),
                                                    day_rows("2026-03-29", 46, are_ends, 0)));
            reading_t *r = read_text(join(HEADER, rows));

            assert_int_equal(r->failed, 0);
            assert_int_equal(r->layout->labels_are_ends, are_ends);
            assert_int_equal(r->layout->newest_first, backward);
            assert_false(r->layout->times_are_utc);
            assert_int_equal(count_readings(r), 50 + 48 + 46);
            assert_whole_day(r, "2025-10-26", 50);
            assert_whole_day(r, "2026-03-28", 48);
            assert_whole_day(r, "2026-03-29", 46);
            end_reading(r);
        }
    }
}

static void test_an_overlapping_export_repeats_the_long_day(void **state)
{
    const char *day = day_rows("2025-10-26", 50, 0, 0);
    reading_t *r = read_text(join(HEADER, join(day, day)));

    (void)state;
    assert_int_equal(r->imported, 100);
    assert_int_equal(count_readings(r), 100); /* the store counts repeats */
    assert_whole_day(r, "2025-10-26", 50);
    end_reading(r);
}

static void test_a_bad_row_uses_up_its_place_in_the_repeated_hour(void **state)
{
    static const char *const firsts[] = {"x", "Null", "-5"};

    (void)state;
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        reading_t *r = read_text(apr_pstrcat(
            pool, HEADER, MPAN ",2025-10-26 00:30,1,kWh,A\n" MPAN ",2025-10-26 01:00,", firsts[i],
            ",kWh,A\n" MPAN ",2025-10-26 01:30,3,kWh,A\n" MPAN ",2025-10-26 01:00,4,kWh,A\n",
            NULL));

        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 3), "");
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "4");
        end_reading(r);
    }
}

static void test_the_skipped_hour_is_an_error(void **state)
{
    reading_t *r =
        read_text(HEADER MPAN ",2026-03-29 00:30,1,kWh,A\n" MPAN ",2026-03-29 01:00,2,kWh,A\n" MPAN
                              ",2026-03-29 02:00,3,kWh,A\n" MPAN ",2026-03-29 02:30,4,kWh,A\n");

    (void)state;
    assert_error(r, 3, "ReadDateTime", "no-such-time", "2026-03-29");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 3), "3");
    end_reading(r);
}

static void test_utc_is_found_out(void **state)
{
    const char *text = HEADER;
    reading_t *r;

    (void)state;
    /* 48 half-hours on the day that has 46: the stamps were never local */
    for (int i = 0; i < 48; i++) {
        text = apr_psprintf(pool, "%s" MPAN ",2026-03-29 %02d:%02d,%d,kWh,A\n", text, i / 2,
                            i % 2 * 30, i + 1);
    }
    r = read_text(text);
    assert_true(r->layout->times_are_utc);
    assert_non_null(strstr(r->layout->evidence, "UTC"));
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 46), "46");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-30", 1), "47");
    end_reading(r);
}

static void test_offsets_and_utc_headers(void **state)
{
    reading_t *r = read_text(HEADER MPAN ",2025-10-26T01:00:00+01:00,1,kWh,A\n" MPAN
                                         ",2025-10-26T01:30:00+01:00,2,kWh,A\n" MPAN
                                         ",2025-10-26T01:00:00+00:00,3,kWh,A\n" MPAN
                                         ",2026-07-01T00:00:00Z,9,kWh,A\n");

    (void)state;
    /* the last one lies in the future of this test's clock (30 June 2026) */
    assert_error(r, 5, "ReadDateTime", "future-date", "2026-07-01");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 3), "1");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 4), "2");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "3");
    end_reading(r);

    r = read_text("MPAN,timestamp (UTC),kWh\n" MPAN ",2026-06-01 00:00,5\n" MPAN
                  ",2026-06-01 23:30,6\n");
    assert_true(r->layout->times_are_utc);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 3), "5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-02", 2), "6");
    end_reading(r);
}

static void test_any_order_gives_the_same(void **state)
{
    const char *even = HEADER, *odd = "";
    reading_t *r;

    (void)state;
    /* two meters and two days, shuffled */
    for (int i = 0; i < 96; i++) {
        int n = i * 41 % 96;
        const char *line =
            apr_psprintf(pool, "%s,2026-02-%02d %02d:%02d,%d,kWh,A\n", i % 3 ? MPAN : MPAN2,
                         1 + n / 48, n % 48 / 2, n % 2 * 30, n);
        const char *other =
            apr_psprintf(pool, "%s,2026-02-%02d %02d:%02d,%d,kWh,A\n", i % 3 ? MPAN2 : MPAN,
                         1 + n / 48, n % 48 / 2, n % 2 * 30, n + 1000);

        even = apr_pstrcat(pool, even, line, NULL);
        odd = apr_pstrcat(pool, other, odd, NULL);
    }
    r = read_text(join(even, odd));
    assert_int_equal(r->imported, 192);
    assert_int_equal(count_readings(r), 192);
    for (int i = 0; i < 96; i++) {
        int n = i * 41 % 96;
        const char *date = n < 48 ? "2026-02-01" : "2026-02-02";

        assert_string_equal(value_of(r, i % 3 ? MPAN : MPAN2, "AI", date, n % 48 + 1),
                            apr_itoa(pool, n));
        assert_string_equal(value_of(r, i % 3 ? MPAN2 : MPAN, "AI", date, n % 48 + 1),
                            apr_itoa(pool, n + 1000));
    }
    end_reading(r);
}

static void test_more_meters_in_turn_than_days_are_kept_open(void **state)
{
    const char *text = HEADER;
    reading_t *r;

    (void)state;
    for (int period = 0; period < 4; period++) {
        for (int meter = 0; meter < 200; meter++) {
            text = apr_psprintf(pool, "%sM%03d,2026-02-01 %02d:%02d,%d,kWh,A\n", text, meter,
                                period / 2, period % 2 * 30, meter * 10 + period);
        }
    }
    r = read_text(text);
    assert_int_equal(r->imported, 800);
    assert_int_equal(count_readings(r), 800);
    for (int meter = 0; meter < 200; meter++) {
        for (int period = 0; period < 4; period++) {
            assert_string_equal(
                value_of(r, apr_psprintf(pool, "M%03d", meter), "AI", "2026-02-01", period + 1),
                apr_itoa(pool, meter * 10 + period));
        }
    }
    end_reading(r);
}

static void test_a_repeat_is_handed_over_too(void **state)
{
    reading_t *r =
        read_text(HEADER MPAN ",2026-02-01 00:00,1,kWh,A\n" MPAN ",2026-02-01 00:30,2,kWh,A\n" MPAN
                              ",2026-02-01 00:00,3,kWh,A\n");

    (void)state;
    assert_int_equal(r->imported, 3);
    assert_int_equal(r->days->nelts, 2);
    assert_int_equal(APR_ARRAY_IDX(r->days, 1, ecl_meter_day_t).line, 4);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "3");
    end_reading(r);
}

static void test_flush_hands_over_what_is_open(void **state)
{
    reading_t *r = make_reading();
    ecl_reader_sink_t sink = {r, keep_day, keep_error, keep_warning};
    ecl_reader_options_t options = {.import_type = "auto"};
    ecl_clock_t *clock;
    ecl_reader_t *reader;
    ecl_row_t row;
    const char *text = join(HEADER, day_rows("2026-02-01", 48, 0, 0));

    (void)state;
    write_file(r, text, strlen(text));
    assert_int_equal(ecl_clock_make(&clock, "Europe/London", r->pool, &r->result), APR_SUCCESS);
    options.clock = clock;
    assert_true(ecl_date_from_ymd(2026, 6, 30, &options.today));
    assert_int_equal(ecl_reader_open(&reader, r->path, &options, r->pool, &r->result), APR_SUCCESS);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ecl_reader_next(reader, &sink, &row, &r->result), APR_SUCCESS);
    }
    assert_int_equal(r->days->nelts, 0);
    assert_int_equal(ecl_reader_flush(reader, &sink), APR_SUCCESS);
    assert_int_equal(count_readings(r), 20);
    while (ecl_reader_next(reader, &sink, &row, &r->result) == APR_SUCCESS) {
        ;
    }
    assert_int_equal(count_readings(r), 48);
    assert_whole_day(r, "2026-02-01", 48);
    unlink(r->path);
    end_reading(r);
}

static apr_status_t refuse_day(void *baton, const ecl_meter_day_t *day)
{
    (void)baton;
    (void)day;
    return ECL_ESTOPPED;
}

static void test_the_sinks_status_stops_the_reader(void **state)
{
    reading_t *r = make_reading();
    ecl_reader_sink_t sink = {r, refuse_day, keep_error, keep_warning};
    ecl_reader_options_t options = {.import_type = "auto"};
    ecl_clock_t *clock;
    ecl_reader_t *reader;
    ecl_row_t row;
    apr_status_t status;
    const char *text = join(HEADER, day_rows("2026-02-01", 48, 0, 0));

    (void)state;
    write_file(r, text, strlen(text));
    assert_int_equal(ecl_clock_make(&clock, "Europe/London", r->pool, &r->result), APR_SUCCESS);
    options.clock = clock;
    assert_true(ecl_date_from_ymd(2026, 6, 30, &options.today));
    assert_int_equal(ecl_reader_open(&reader, r->path, &options, r->pool, &r->result), APR_SUCCESS);
    do {
        status = ecl_reader_next(reader, &sink, &row, &r->result);
    } while (status == APR_SUCCESS);
    assert_int_equal(status, ECL_ESTOPPED);
    unlink(r->path);
    end_reading(r);
}

/* ---- other ways to say when -------------------------------------------------------------------
 */

static void test_date_and_time(void **state)
{
    static const char *const times[] = {"01:30",   "0130",     "130",
                                        "1:30 AM", "01:30:00", "01:30 to 02:00"};

    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        reading_t *r = read_text(
            apr_pstrcat(pool, "MPAN,Date,Time,Value\n" MPAN ",01/02/26,00:30,5\n" MPAN ",01/02/26,",
                        times[i], ",7\n", NULL));

        assert_int_equal(r->failed, 0);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 4), "7");
        end_reading(r);
    }
}

static void test_midnight_closes_its_date(void **state)
{
    const char *forward = "", *backward = "", *head = "MPAN,Date,Time,Value\n";

    (void)state;
    for (int i = 0; i < 96; i++) {
        const char *line = apr_psprintf(pool, MPAN ",%02d/02/2026,%02d:%02d,%d\n", 1 + i / 48,
                                        (i + 1) % 48 / 2, (i + 1) % 2 * 30, i % 48 + 1);

        forward = join(forward, line);
        backward = join(line, backward);
    }
    for (int k = 0; k < 2; k++) {
        reading_t *r = read_text(join(head, k ? backward : forward));

        assert_true(r->layout->midnight_is_end);
        assert_whole_day(r, "2026-02-01", 48);
        assert_whole_day(r, "2026-02-02", 48);
        end_reading(r);
    }
    forward = head;
    for (int i = 0; i < 96; i++) { /* two meters in turn, and "12:00 AM" */
        for (int m = 0; m < 2; m++) {
            forward =
                apr_psprintf(pool, "%s%s,%02d/02/2026,%d:%02d %s,%d\n", forward, m ? MPAN2 : MPAN,
                             1 + i / 48, (i + 1) % 24 / 2 ? (i + 1) % 24 / 2 : 12, (i + 1) % 2 * 30,
                             (i + 1) % 48 < 24 ? "AM" : "PM", i % 48 + 1);
        }
    }
    {
        reading_t *r = read_text(forward);

        assert_true(r->layout->midnight_is_end);
        assert_whole_day(r, "2026-02-01", 48);
        assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-02", 48), "48");
        end_reading(r);
    }
}

/* Where the channels of a day follow each other, 23:30 of one stands above 00:00 of the next. */
static void test_midnight_of_another_channel(void **state)
{
    const char *text = "MPAN,Channel,Date,Time,Value\n";
    reading_t *r;

    (void)state;
    for (int i = 0; i < 192; i++) {
        text =
            apr_psprintf(pool, "%s" MPAN ",%s,%02d/02/2026,%02d:%02d,%d\n", text,
                         i / 48 % 2 ? "AE" : "AI", 1 + i / 96, i % 48 / 2, i % 2 * 30, i % 48 + 1);
    }
    r = read_text(text);
    assert_false(r->layout->midnight_is_end);
    assert_whole_day(r, "2026-02-01", 48);
    assert_whole_day(r, "2026-02-02", 48);
    end_reading(r);
}

static void test_date_and_settlement_period(void **state)
{
    reading_t *r =
        read_text("MPANCore,Sett Date,Sett Period,Type,Meter Read\n" MPAN
                  ",26/10/2025,50,A,5\n" MPAN ",29/03/2026,46,E,6\n" MPAN ",29/03/2026,47,A,7\n");

    (void)state;
    assert_error(r, 4, "Sett Period", "no-such-period", "1 to 46");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 50), "5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 46), "6");
    assert_int_equal(flag_at(r, "2026-03-29", 46), ECL_FLAG_ESTIMATED);
    end_reading(r);
}

static void test_periods_with_a_word_before(void **state)
{
    static const char *const forms[] = {"SP%d", "P%02d", "Period %d", "HH-%d",
                                        "Settlement Period %d"};

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const char *text = "MPAN,Date,Settlement Period,kWh\n";
        reading_t *r;

        for (int n = 1; n <= 50; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            text = apr_pstrcat(pool, text, MPAN ",26/10/2025,", apr_psprintf(pool, forms[i], n),
                               ",", apr_itoa(pool, n), "\n", NULL);
#pragma GCC diagnostic pop
        }
        text = apr_pstrcat(pool, text, MPAN ",26/10/2025,XP1,1\n", NULL);
        r = read_text(text);
        assert_whole_day(r, "2025-10-26", 50);
        assert_error(r, 52, "Settlement Period", "no-such-period", "\"XP1\"");
        end_reading(r);
    }
}

/* Periods 0 to 47; and where 1 to 48 stand, a 0 is a mistake. */
static void test_periods_counted_from_0(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        const char *text = "MPAN,Date,HH,kWh\n";
        reading_t *r;

        for (int i = 1; i <= 48; i++) {
            text = apr_psprintf(pool, "%s" MPAN ",01/02/2026,%d,%d\n", text, i - 1 + first, i);
        }
        r = read_text(first ? join(text, MPAN ",01/02/2026,0,1\n") : text);
        assert_whole_day(r, "2026-02-01", 48);
        if (first) {
            assert_error(r, 50, "HH", "no-such-period", "expected 1 to 48");
        } else {
            assert_int_equal(r->failed, 0);
            assert_non_null(strstr(r->layout->evidence, "settlement periods, counted from 0"));
        }
        end_reading(r);
    }
}

static void test_intervals(void **state)
{
    static const int intervals[] = {5, 10, 15, 30, 60};

    (void)state;
    for (size_t k = 0; k < sizeof(intervals) / sizeof(intervals[0]); k++) {
        const char *text = HEADER;
        reading_t *r;

        for (int minute = 0; minute < 1440; minute += intervals[k]) {
            text = apr_psprintf(pool, "%s" MPAN ",2026-02-01 %02d:%02d,%d,kWh,A\n", text,
                                minute / 60, minute % 60, minute / intervals[k] + 1);
        }
        r = read_text(text);
        assert_int_equal(r->layout->interval_minutes, intervals[k]);
        assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).periods, 1440 / intervals[k]);
        assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).interval_minutes, intervals[k]);
        assert_whole_day(r, "2026-02-01", 1440 / intervals[k]);
        end_reading(r);
    }
}

static void test_clock_change_in_quarters_of_an_hour(void **state)
{
    const char *text = HEADER;
    reading_t *r;

    (void)state;
    for (int minute = 0; minute < 1500; minute += 15) {
        int label = minute >= 120 ? minute - 60 : minute;

        text = apr_psprintf(pool, "%s" MPAN ",2025-10-26 %02d:%02d,%d,kWh,A\n", text, label / 60,
                            label % 60, minute / 15 + 1);
    }
    r = read_text(text);
    assert_int_equal(count_readings(r), 100);
    assert_whole_day(r, "2025-10-26", 100);
    end_reading(r);
}

/* ---- rows that fail ---------------------------------------------------------------------------
 */

static void test_bad_rows(void **state)
{
    static const struct {
        const char *row, *column, *code, *part;
    } cases[] = {
        {MPAN ",2026-02-01 25:00,9,kWh,A", "ReadDateTime", "no-such-date", "25:00"},
        {MPAN ",2026-02-01 10:07,9,kWh,A", "ReadDateTime", "off-grid", "30 minutes"},
        {MPAN ",2026-02-01 10:00:30,9,kWh,A", "ReadDateTime", "off-grid", "10:00:30"},
        {MPAN ",2026-02-31 10:00,9,kWh,A", "ReadDateTime", "no-such-date", "2026-02-31"},
        {MPAN ",2026-02-01,9,kWh,A", "ReadDateTime", "bad-time", "2026-02-01"},
        {MPAN ",30:00.0,9,kWh,A", "ReadDateTime", "bad-date", "30:00.0"},
        {MPAN ",2030-02-01 10:00,9,kWh,A", "ReadDateTime", "future-date", "2030"},
        {MPAN ",2026-02-01 10:00,nine,kWh,A", "ReadValue", "bad-value", "nine"},
        {MPAN ",2026-02-01 10:00,-9,kWh,A", "ReadValue", "negative-value", "-9"},
        {MPAN ",2026-02-01 10:00,9,BTU,A", "Unit", "bad-unit", "BTU"},
        {MPAN ",2026-02-01 10:00,9,m3,A", "Unit", "bad-unit", "m3"},
        {"1.01E+12,2026-02-01 10:00,9,kWh,A", "MPAN", "meter-damaged", "1.01E+12"},
        {",2026-02-01 10:00,9,kWh,A", "MPAN", "bad-meter", "no meter"},
        {MPAN ",2026-02-01 10:00", NULL, "too-few-fields", "2 of the 5"},
        {MPAN ",2026-02-01 10:00,1,234.5,kWh,A", NULL, "too-many-fields", "6 cells"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = read_text(apr_pstrcat(
            pool, HEADER, MPAN ",2026-02-01 00:00,1,kWh,A\n" MPAN ",2026-02-01 00:30,2,kWh,A\n",
            cases[i].row, "\n", NULL));

        assert_error(r, 4, cases[i].column, cases[i].code, cases[i].part);
        assert_string_equal(error_at(r, 0)->raw, cases[i].row);
        assert_int_equal(count_readings(r), 2);
        end_reading(r);
    }
}

static void test_missing_values_are_skipped(void **state)
{
    reading_t *r = read_text(HEADER MPAN ",2026-02-01 00:00,,kWh,A\n" MPAN
                                         ",2026-02-01 12:37:27,Null,kWh,A\n" MPAN
                                         ",2026-02-01 01:00,-,kWh,A\n" MPAN
                                         ",2026-02-01 01:30,0,kWh,A\n\"Report Time Zone: UTC\"\n");

    (void)state;
    assert_int_equal(r->skipped, 4);
    assert_int_equal(r->imported, 1);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 4), "0");
    end_reading(r);
}

static void test_units_are_converted_exactly(void **state)
{
    reading_t *r = read_text(HEADER MPAN ",2026-02-01 00:00,0.12345,Wh,A\n" MPAN
                                         ",2026-02-01 00:30,0.12345,kWh,E\n" MPAN
                                         ",2026-02-01 01:00,0.12345,MWh,A\n");

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.00012345");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "0.12345");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 3), "123.45");
    assert_int_equal(flag_at(r, "2026-02-01", 2), ECL_FLAG_ESTIMATED);
    end_reading(r);
    r = read_text("MPAN,Timestamp,Consumption (Wh)\n" MPAN ",2026-02-01 00:00,250\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.25");
    end_reading(r);
}

static void test_import_and_export_take_turns(void **state)
{
    const char *text = "MPRN,Read Value,Read Type,Read Date and End Time\n";
    reading_t *r;

    (void)state;
    for (int i = 1; i <= 4; i++) {
        text = apr_psprintf(pool,
                            "%s" MPAN ",%d,Active Import Interval (kWh),04-10-2025 %02d:%02d\n" MPAN
                            ",%d,Active Export Interval (kWh),04-10-2025 %02d:%02d\n",
                            text, i, i / 2, i % 2 * 30, 100 + i, i / 2, i % 2 * 30);
    }
    r = read_text(text);
    assert_int_equal(r->failed, 0);
    assert_int_equal(r->days->nelts, 2);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-04", 1), "1");
    assert_string_equal(value_of(r, MPAN, "AE", "2025-10-04", 4), "104");
    end_reading(r);
}

/* A settlement day in summer, exported in UTC with the ends of its half-hours. */
static void test_settlement_days_in_utc(void **state)
{
    const char *text = "MPAN,Timestamp (UTC),kWh\n";
    reading_t *r;

    (void)state;
    for (int i = 1; i <= 48; i++) {
        int minute = 23 * 60 + 30 * i;

        text = apr_psprintf(pool, "%s" MPAN ",2025-07-%02d %02d:%02d,%d\n", text, 1 + minute / 1440,
                            minute / 60 % 24, minute % 60, i);
    }
    r = read_text(text);
    assert_int_equal(count_readings(r), 48);
    assert_whole_day(r, "2025-07-02", 48);
    assert_non_null(
        strstr(r->layout->evidence, "; period ends: the file begins one period after midnight"));
    end_reading(r);
}

/* The same where each stamp says its offset, or counts from 1970. */
static void test_settlement_days_with_offsets(void **state)
{
    const char *stamps = "MPAN,Timestamp,kWh\n", *seconds = stamps;
    reading_t *r;

    (void)state;
    for (int i = 1; i <= 48; i++) {
        int minute = 23 * 60 + 30 * i;

        stamps = apr_psprintf(pool, "%s" MPAN ",2025-07-%02dT%02d:%02d:00Z,%d\n", stamps,
                              1 + minute / 1440, minute / 60 % 24, minute % 60, i);
        seconds = apr_psprintf(pool, "%s" MPAN ",%d,%d\n", seconds, 1751328000 + minute * 60,
                               i); /* 1 July 2025, 00:00 UTC */
    }
    for (int k = 0; k < 2; k++) {
        r = read_text(k ? seconds : stamps);
        assert_int_equal(count_readings(r), 48);
        assert_whole_day(r, "2025-07-02", 48);
        assert_non_null(strstr(r->layout->evidence, "; period ends: the file begins"));
        end_reading(r);
    }
}

static void test_headers_that_say_utc(void **state)
{
    static const char *const utc[] = {"UTC Time",        "utcTimestamp",   "Timestamp (in UTC)",
                                      "Date Time (GMT)", "start_time_utc", "Reading time UTC"};
    static const char *const local[] = {"Timestamp (UTC+1)", "Timestamp (GMT/BST)",
                                        "UTC or local time", "Timestamp"};

    (void)state;
    for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]) + sizeof(local) / sizeof(local[0]); i++) {
        int is_utc = i < sizeof(utc) / sizeof(utc[0]);
        const char *name = is_utc ? utc[i] : local[i - sizeof(utc) / sizeof(utc[0])];
        reading_t *r = read_text(
            apr_pstrcat(pool, "MPAN,", name, ",kWh\n", MPAN ",2026-06-01 23:00,5\n", NULL));

        if (r->layout->times_are_utc != is_utc) {
            fail_msg("\"%s\" is taken for %s", name, is_utc ? "local" : "UTC");
        }
        assert_string_equal(
            value_of(r, MPAN, "AI", is_utc ? "2026-06-02" : "2026-06-01", is_utc ? 1 : 47), "5");
        end_reading(r);
    }
}

/* "23.30" is no fraction of a day; "0.5" is. */
static void test_times_with_dots_and_commas(void **state)
{
    static const char *const rows[] = {"01/02/2026,23.30", "\"01/02/2026, 23:30\"",
                                       "2026-02-01 23.30", "01/02/2026,0.979166667"};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int is_apart = rows[i][10] == ',';
        reading_t *r = read_text(apr_psprintf(pool, "MPAN,Date%s,kWh\n" MPAN ",%s,7\n",
                                              is_apart ? ",Time" : "", rows[i]));

        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "7");
        end_reading(r);
    }
}

/* Slots say themselves that they are known by their start. */
static void test_slots(void **state)
{
    reading_t *r = read_text("MPAN,Date,Half hour,kWh\n" MPAN ",01/02/2025,23:30-00:00,7\n" MPAN
                             ",02/02/2025,00:00-00:30,8\n");

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2025-02-01", 48), "7");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-02-02", 1), "8");
    assert_non_null(strstr(r->layout->evidence, "by the start of their slots"));
    end_reading(r);
    r = read_text_given("MPAN,Date,Half hour,kWh\n" MPAN ",01/02/2025,23:30-00:00,7\n", "auto",
                        (ecl_given_t){.labels = "end"});
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "labels-conflict");
    assert_non_null(strstr(r->result.detail, "column Half hour says that times are period starts"));
    end_reading(r);
    r = read_text_given("MPAN,Date,End Time,kWh\n" MPAN ",01/02/2025,23:30,7\n", "auto",
                        (ecl_given_t){.labels = "start"});
    assert_string_equal(r->result.code, "labels-conflict");
    assert_non_null(strstr(r->result.detail, "column End Time says that times are period ends"));
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_day_is_gathered),
        cmocka_unit_test(test_labels_at_the_end),
        cmocka_unit_test(test_a_few_rows_about_midnight_are_starts),
        cmocka_unit_test(test_meters_in_turn),
        cmocka_unit_test(test_clock_change_days),
        cmocka_unit_test(test_an_overlapping_export_repeats_the_long_day),
        cmocka_unit_test(test_a_bad_row_uses_up_its_place_in_the_repeated_hour),
        cmocka_unit_test(test_the_skipped_hour_is_an_error),
        cmocka_unit_test(test_utc_is_found_out),
        cmocka_unit_test(test_offsets_and_utc_headers),
        cmocka_unit_test(test_any_order_gives_the_same),
        cmocka_unit_test(test_more_meters_in_turn_than_days_are_kept_open),
        cmocka_unit_test(test_a_repeat_is_handed_over_too),
        cmocka_unit_test(test_flush_hands_over_what_is_open),
        cmocka_unit_test(test_the_sinks_status_stops_the_reader),
        cmocka_unit_test(test_date_and_time),
        cmocka_unit_test(test_midnight_closes_its_date),
        cmocka_unit_test(test_midnight_of_another_channel),
        cmocka_unit_test(test_date_and_settlement_period),
        cmocka_unit_test(test_periods_with_a_word_before),
        cmocka_unit_test(test_periods_counted_from_0),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_clock_change_in_quarters_of_an_hour),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_missing_values_are_skipped),
        cmocka_unit_test(test_units_are_converted_exactly),
        cmocka_unit_test(test_import_and_export_take_turns),
        cmocka_unit_test(test_settlement_days_in_utc),
        cmocka_unit_test(test_settlement_days_with_offsets),
        cmocka_unit_test(test_headers_that_say_utc),
        cmocka_unit_test(test_times_with_dots_and_commas),
        cmocka_unit_test(test_slots),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
