/*
 * The zone of rows of a day, by what the file has on the days when the clocks change.
 */
#include "reading.h"
#include "start_apr.h"

#define SHORT_DAY "2024-03-31"
#define LONG_DAY "2024-10-27"

/* "MPAN,date,100·row+1,…": `columns` values, `from` to `to` (of 1 to columns) replaced. */
static const char *row(apr_pool_t *p, const char *mpan, const char *date, int base, int columns,
                       int from, int to, const char *replaced)
{
    const char *text = apr_pstrcat(p, mpan, ",", date, NULL);

    for (int n = 1; n <= columns; n++) {
        text = n >= from && n <= to ? apr_pstrcat(p, text, ",", replaced, NULL)
                                    : apr_psprintf(p, "%s,%d.5", text, base + n);
    }
    return apr_pstrcat(p, text, "\n", NULL);
}

static const char *plain(apr_pool_t *p, const char *mpan, const char *date, int base)
{
    return row(p, mpan, date, base, 48, 0, 0, "");
}

static const char *clock_header(apr_pool_t *p, int step, int are_ends)
{
    const char *text = "MPAN,Date";

    for (int minute = 0; minute < 1440; minute += step) {
        int at = (minute + step * are_ends) % 1440;

        text = apr_psprintf(p, "%s,%02d:%02d", text, at / 60, at % 60);
    }
    return apr_pstrcat(p, text, "\n", NULL);
}

/* Three days of UTC from the eve of the short day on. */
static const char *days_about_march(apr_pool_t *p, int columns, int extra_from, const char *extra)
{
    return apr_pstrcat(p, row(p, MPAN, "2024-03-30", 0, columns, extra_from, columns, extra),
                       row(p, MPAN, SHORT_DAY, 100, columns, extra_from, columns, extra),
                       row(p, MPAN, "2024-04-01", 200, columns, extra_from, columns, extra), NULL);
}

/* Seven more, with which numbered columns are believed. */
static const char *days_of_a_week(apr_pool_t *p, int columns, int extra_from, const char *extra)
{
    const char *text = "";

    for (int day = 10; day < 17; day++) {
        text = apr_pstrcat(p, text,
                           row(p, MPAN, apr_psprintf(p, "2024-04-%d", day), 0, columns, extra_from,
                               columns, extra),
                           NULL);
    }
    return text;
}

static int says(const reading_t *r, const char *part)
{
    if (!strstr(r->layout->evidence, part)) {
        print_error("evidence: %s\n", r->layout->evidence);
        return 0;
    }
    return 1;
}

static void is_utc(const char *text, int days, const char *line)
{
    reading_t *r = read_text(text);

    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_true(
        says(r, apr_pstrcat(r->pool, "; times are UTC: " SHORT_DAY " has all 48 half-hours (", line,
                            ")", NULL)));
    assert_int_equal(count_readings(r), days * 48);
    assert_string_equal(value_of(r, MPAN, "AI", SHORT_DAY, 1), "101.5");
    assert_string_equal(value_of(r, MPAN, "AI", SHORT_DAY, 3), "103.5");
    assert_string_equal(value_of(r, MPAN, "AI", SHORT_DAY, 46), "146.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2024-04-01", 1), "147.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2024-04-01", 3), "201.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2024-04-02", 2), "248.5");
    end_reading(r);
}

static void full_short_days_are_utc_days(void **state)
{
    apr_pool_t *p;
    const char *days;

    (void)state;
    apr_pool_create(&p, NULL);
    days = days_about_march(p, 48, 99, "");
    is_utc(apr_pstrcat(p, clock_header(p, 30, 0), days, NULL), 3, "line 3");
    is_utc(apr_pstrcat(p, clock_header(p, 30, 1), days, NULL), 3, "line 3");
    days = apr_pstrcat(p, days, days_of_a_week(p, 48, 99, ""), NULL);
    is_utc(apr_pstrcat(p, "MPAN,Date,", series(p, "HH%d", 1, 48), "\n", days, NULL), 10, "line 3");
    is_utc(days, 10, "line 2");
    is_utc(apr_pstrcat(p, days_about_march(p, 50, 49, "0"), days_of_a_week(p, 50, 49, "0"), NULL),
           10, "line 2");
    is_utc(apr_pstrcat(p, "MPAN,Date,", series(p, "%d", 1, 50), "\n",
                       days_about_march(p, 50, 49, ""), days_of_a_week(p, 50, 49, ""), NULL),
           10, "line 3");
    apr_pool_destroy(p);
}

static void shows_in_other_intervals(void **state)
{
    static const int steps[] = {5, 10, 15, 60};
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, NULL);
    for (int i = 0; i < 4; i++) {
        int columns = 1440 / steps[i], hour = 60 / steps[i];
        reading_t *r = read_text(apr_pstrcat(p, clock_header(p, steps[i], 1),
                                             row(p, MPAN, SHORT_DAY, 0, columns, 0, 0, ""), NULL));

        assert_int_equal(r->errors->nelts, 0);
        assert_true(
            says(r, apr_psprintf(p, "; times are UTC: " SHORT_DAY " has all %d ", columns)));
        assert_string_equal(value_of(r, MPAN, "AI", "2024-04-01", hour),
                            apr_psprintf(p, "%d.5", columns));
        end_reading(r);
        r = read_text(apr_pstrcat(p, clock_header(p, steps[i], 0),
                                  row(p, MPAN, SHORT_DAY, 0, columns, hour + 1, 2 * hour, ""),
                                  NULL));
        assert_int_equal(r->errors->nelts, 0);
        assert_true(says(
            r, apr_psprintf(p, "; times are local: " SHORT_DAY " has only %d ", columns - hour)));
        assert_string_equal(value_of(r, MPAN, "AI", SHORT_DAY, columns - hour),
                            apr_psprintf(p, "%d.5", columns));
        end_reading(r);
    }
    apr_pool_destroy(p);
}

static void is_local(const char *text, const char *why)
{
    reading_t *r = read_text(text);

    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_true(says(r, why));
    assert_false(r->layout->times_are_utc);
    end_reading(r);
}

static void days_with_their_hour_left_out_are_local(void **state)
{
    static const char *const nothing[] = {"", "0", "-"};
    const char *only = "; times are local: " SHORT_DAY " has only 46 half-hours (line 2)";
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, NULL);
    for (int i = 0; i < 3; i++) {
        const char *blank = nothing[i];

        is_local(apr_pstrcat(p, clock_header(p, 30, 0), row(p, MPAN, SHORT_DAY, 0, 48, 3, 4, blank),
                             NULL),
                 only);
        is_local(apr_pstrcat(p, clock_header(p, 30, 1), row(p, MPAN, SHORT_DAY, 0, 48, 3, 4, blank),
                             NULL),
                 only);
        /* as the clock shows it at the end */
        is_local(apr_pstrcat(p, clock_header(p, 30, 1), row(p, MPAN, SHORT_DAY, 0, 48, 2, 3, blank),
                             NULL),
                 only);
        is_local(apr_pstrcat(p, "MPAN,Date,", series(p, "P%d", 1, 48), "\n",
                             row(p, MPAN, SHORT_DAY, 0, 48, 47, 48, blank), NULL),
                 only);
    }
    is_local(apr_pstrcat(p, "MPAN,Date,", series(p, "P%d", 1, 50), "\n",
                         row(p, MPAN, LONG_DAY, 0, 50, 0, 0, ""), NULL),
             "; times are local: " LONG_DAY " has 50 half-hours (line 2)");
    apr_pool_destroy(p);
}

static void nothing_is_taken_from_days_that_show_nothing(void **state)
{
    const char *taken = "; times are taken to be local: no day on which the clocks change shows";
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, NULL);
    is_local(apr_pstrcat(p, clock_header(p, 30, 0), plain(p, MPAN, "2024-07-01", 0), NULL), taken);
    is_local(apr_pstrcat(p, clock_header(p, 30, 0), plain(p, MPAN, LONG_DAY, 0), NULL), taken);
    /* the sun does not shine at night */
    is_local(
        apr_pstrcat(p, clock_header(p, 30, 0), row(p, MPAN, SHORT_DAY, 0, 48, 1, 12, "0"), NULL),
        taken);
    is_local(apr_pstrcat(p, "MPAN,Date,", series(p, "P%d", 1, 48), "\n",
                         row(p, MPAN, SHORT_DAY, 0, 48, 40, 48, "0"), NULL),
             taken);
    apr_pool_destroy(p);
}

static void a_row_that_shows_neither_fails_with_what_can_be_done(void **state)
{
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    r = read_text(
        apr_pstrcat(p, clock_header(p, 30, 0), row(p, MPAN, SHORT_DAY, 0, 48, 4, 4, "0"), NULL));
    assert_error(r, 2, "01:00", "no-such-period", "if the file's times are UTC, give it that");
    end_reading(r);
    apr_pool_destroy(p);
}

/* 48 values are one too many twice, if the columns are settlement periods. */
static void numbered_columns_of_few_days_fail(void **state)
{
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    r = read_text(apr_pstrcat(p, "MPAN,Date,", series(p, "HH%d", 1, 48), "\n",
                              days_about_march(p, 48, 99, ""), NULL));
    assert_error(r, 3, "HH47", "no-such-period", "if the file's times are UTC, give it that");
    assert_int_equal(r->imported, 2);
    assert_true(says(r, "too few other days to tell"));
    end_reading(r);
    apr_pool_destroy(p);
}

static void rows_that_contradict_each_other_fail(void **state)
{
    const char *both = "times are taken to be local: " SHORT_DAY
                       " has all 48 half-hours (line 3), as in a file of UTC, but " SHORT_DAY
                       " has only 46 half-hours (line 4)";
    const char *text;
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    text =
        apr_pstrcat(p, clock_header(p, 30, 0), plain(p, MPAN, "2024-03-30", 0),
                    plain(p, MPAN, SHORT_DAY, 0), row(p, MPAN2, SHORT_DAY, 0, 48, 3, 4, ""), NULL);
    r = read_text(text);
    assert_error(r, 3, "01:00", "no-such-period", both);
    assert_int_equal(r->imported, 2);
    assert_true(says(r, both));
    assert_string_equal(r->layout->added[0][1], "timezone=local");
    end_reading(r);
    /* by a day of October */
    text = apr_pstrcat(p, "MPAN,Date,", series(p, "HH%02d", 1, 50), "\n",
                       row(p, MPAN, SHORT_DAY, 0, 50, 49, 50, ""),
                       row(p, MPAN, LONG_DAY, 0, 50, 0, 0, ""), NULL);
    r = read_text(text);
    assert_error(r, 2, "HH47", "no-such-period", "but " LONG_DAY " has 50 half-hours (line 3)");
    end_reading(r);
    r = read_text_given(text, "auto", (ecl_given_t){.timezone = "UTC"});
    assert_error(r, 3, "HH49", "no-such-period", "48 half-hours");
    end_reading(r);
    apr_pool_destroy(p);
}

static void words_go_before_counts(void **state)
{
    static const char *const local[] = {"Date (Local)", "Date (GMT/BST)"};
    apr_pool_t *p;
    const char *text;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    for (int i = 0; i < 2; i++) {
        text = apr_pstrcat(p, "MPAN,", local[i], strchr(clock_header(p, 30, 0), 'D') + 4,
                           plain(p, MPAN, SHORT_DAY, 0), NULL);
        r = read_text(text);
        assert_error(r, 2, "01:00", "no-such-period", "46 half-hours");
        assert_string_equal(r->layout->added[0][1], "timezone=local");
        end_reading(r);
    }
    r = read_text(apr_pstrcat(p, "MPAN,Substation date", strchr(clock_header(p, 30, 0), 'D') + 4,
                              plain(p, MPAN, SHORT_DAY, 0), NULL));
    assert_int_equal(r->errors->nelts, 0);
    end_reading(r);
    text = apr_pstrcat(p, "Report Time Zone: London\n", clock_header(p, 30, 0),
                       plain(p, MPAN, SHORT_DAY, 0), NULL);
    r = read_text(text);
    assert_error(r, 3, "01:00", "no-such-period", "46 half-hours");
    end_reading(r);
    r = read_text_given(apr_pstrcat(p, clock_header(p, 30, 0), plain(p, MPAN, SHORT_DAY, 0), NULL),
                        "auto", (ecl_given_t){.timezone = "Europe/London"});
    assert_error(r, 2, "01:00", "no-such-period", "46 half-hours");
    end_reading(r);
    apr_pool_destroy(p);
}

/* Other meters have them: as many days as if they were new, and no less to be looked at. */
static void dates_may_come_again(void **state)
{
    static const char *const meters[] = {"M 1", "M 2", "M 3", "M 4"};
    apr_pool_t *p;
    const char *text = "";
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    for (int i = 0; i < 4; i++) {
        text = apr_pstrcat(p, text, row(p, meters[i], "2024-03-30", 0, 48, 0, 0, ""),
                           row(p, meters[i], "2024-04-01", 200, 48, 0, 0, ""), NULL);
    }
    text = apr_pstrcat(p, "Meter,Date,", series(p, "HH%d", 1, 48), "\n", text,
                       row(p, "M 5", SHORT_DAY, 100, 48, 0, 0, ""), NULL);
    r = read_text(text);
    assert_int_equal(r->errors->nelts, 0);
    assert_true(says(r, "; times are UTC: " SHORT_DAY " has all 48 half-hours (line 10)"));
    end_reading(r);

    text =
        apr_pstrcat(p, clock_header(p, 30, 0), plain(p, MPAN, "31 March 2023", 0),
                    plain(p, MPAN, "01 April 2023", 0), plain(p, MPAN, "31 March 2024", 100), NULL);
    r = read_text(text);
    assert_int_equal(r->errors->nelts, 0);
    assert_true(says(r, "; times are UTC: " SHORT_DAY " has all 48 half-hours (line 4)"));
    end_reading(r);
    apr_pool_destroy(p);
}

static void the_proof_may_be_anywhere(void **state)
{
    apr_pool_t *p;
    const char *text;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    /* behind the sample; months before days, which only that row shows */
    text = clock_header(p, 30, 0);
    for (int i = 0; i < 520; i++) {
        text = apr_pstrcat(p, text, plain(p, MPAN, i % 2 ? "03/02/2024" : "03/03/2024", 0), NULL);
    }
    text = apr_pstrcat(p, text, plain(p, MPAN, "03/31/2024", 100), NULL);
    r = read_text(text);
    assert_int_equal(r->errors->nelts, 0);
    assert_true(says(r, "month before day"));
    assert_true(says(r, "; times are UTC: " SHORT_DAY));
    assert_string_equal(value_of(r, MPAN, "AI", "2024-04-01", 1), "147.5");
    assert_string_equal(r->layout->added[0][1], "timezone=UTC date_order=mdy");
    end_reading(r);
    apr_pool_destroy(p);
}

static void tables_on_their_side_show_it_too(void **state)
{
    apr_pool_t *p;
    const char *text = "MPAN: " MPAN "\nTime,30/03/2024,31/03/2024,01/04/2024\n";
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    for (int n = 0; n < 48; n++) {
        text = apr_psprintf(p, "%s%02d:%02d,%d.5,%d.5,%d.5\n", text, n / 2, n % 2 * 30, n + 1,
                            n + 101, n + 201);
    }
    r = read_text(text);
    assert_int_equal(r->errors->nelts, 0);
    assert_true(says(r, "; times are UTC: " SHORT_DAY " has all 48 half-hours"));
    assert_string_equal(value_of(r, MPAN, "AI", "2024-04-01", 1), "147.5");
    end_reading(r);
    apr_pool_destroy(p);
}

/* Columns numbered as the clock shows them: the skipped hour is left out, the day's last is not. */
static void numbers_may_be_what_the_clock_shows(void **state)
{
    static const char *const nothing[] = {"", "0"};
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, NULL);
    for (int i = 0; i < 2; i++) {
        const char *text = apr_pstrcat(p, "MPAN,Date,", series(p, "HH%d", 1, 48), "\n",
                                       plain(p, MPAN, LONG_DAY, 200), days_of_a_week(p, 48, 49, ""),
                                       row(p, MPAN, SHORT_DAY, 100, 48, 3, 4, nothing[i]), NULL);
        reading_t *r = read_text(text);

        assert_int_equal(r->errors->nelts, 0);
        assert_true(says(
            r, "; times are local, and columns are numbered as the clock shows them: " SHORT_DAY
               " has nothing for 3 to 4, and has 48 (line 10)"));
        assert_string_equal(value_of(r, MPAN, "AI", SHORT_DAY, 2), "102.5");
        assert_string_equal(value_of(r, MPAN, "AI", SHORT_DAY, 3), "105.5");
        assert_string_equal(value_of(r, MPAN, "AI", SHORT_DAY, 46), "148.5");
        /* and in October the hour that is there once is the first */
        assert_string_equal(value_of(r, MPAN, "AI", LONG_DAY, 4), "204.5");
        assert_string_equal(value_of(r, MPAN, "AI", LONG_DAY, 5), "");
        assert_string_equal(value_of(r, MPAN, "AI", LONG_DAY, 7), "205.5");
        assert_string_equal(value_of(r, MPAN, "AI", LONG_DAY, 50), "248.5");
        assert_int_equal(count_readings(r), 7 * 48 + 46 + 48);
        assert_non_null(strstr(r->layout->added[r->layout->added_count - 1][1], "periods=clock"));
        end_reading(r);
        /* a row of it by itself, corrected, that does not show it */
        r = read_text(apr_pstrcat(p, "MPAN,Date,", series(p, "HH%d", 1, 48), ",Read as\n" MPAN ",",
                                  LONG_DAY, ",", series(p, "%d.5", 1, 48),
                                  ",timezone=local periods=clock\n", NULL));
        assert_int_equal(r->errors->nelts, 0);
        assert_string_equal(value_of(r, MPAN, "AI", LONG_DAY, 7), "5.5");
        end_reading(r);
    }
    apr_pool_destroy(p);
}

/* Another row has it otherwise: then neither is believed, and the day fails. */
static void numbers_that_contradict_each_other_fail(void **state)
{
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    r = read_text(apr_pstrcat(
        p, "MPAN,Date,", series(p, "HH%d", 1, 48), "\n", days_of_a_week(p, 48, 49, ""),
        row(p, MPAN, SHORT_DAY, 100, 48, 3, 4, ""), plain(p, MPAN2, SHORT_DAY, 200), NULL));
    assert_int_equal(r->errors->nelts, 2);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(error_at(r, i)->code, "no-such-period");
        assert_string_equal(error_at(r, i)->column, "HH47");
    }
    end_reading(r);
    /* half-hours 49 and 50 are columns of their own: the numbers are settlement periods */
    r = read_text(apr_pstrcat(
        p, "MPAN,Date,", series(p, "HH%d", 1, 50), "\n", days_of_a_week(p, 50, 49, ""),
        apr_pstrcat(p, MPAN "," SHORT_DAY ",1,2,,,", series(p, "%d", 5, 48), ",,\n", NULL), NULL));
    assert_error(r, 9, "HH47", "no-such-period", "2024-03-31 has 46 half-hours");
    end_reading(r);
    apr_pool_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_short_days_are_utc_days),
        cmocka_unit_test(shows_in_other_intervals),
        cmocka_unit_test(days_with_their_hour_left_out_are_local),
        cmocka_unit_test(nothing_is_taken_from_days_that_show_nothing),
        cmocka_unit_test(a_row_that_shows_neither_fails_with_what_can_be_done),
        cmocka_unit_test(rows_that_contradict_each_other_fail),
        cmocka_unit_test(numbered_columns_of_few_days_fail),
        cmocka_unit_test(words_go_before_counts),
        cmocka_unit_test(dates_may_come_again),
        cmocka_unit_test(the_proof_may_be_anywhere),
        cmocka_unit_test(tables_on_their_side_show_it_too),
        cmocka_unit_test(numbers_may_be_what_the_clock_shows),
        cmocka_unit_test(numbers_that_contradict_each_other_fail),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
