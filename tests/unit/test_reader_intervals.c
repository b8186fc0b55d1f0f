/*
 * A row per meter and day with a column for every 5, 10, 15 or 60 minutes: the same rules as for
 * half-hours, on the days when the clocks change too. The n-th period of a day, by elapsed time,
 * has the value n.
 */
#include "pool_fixture.h"
#include "reading.h"

#include "half_hours.h"

static const int intervals[] = {5, 10, 15, 60};

/* How columns are named, and what a row has for the hour that comes twice. */
typedef enum form_t {
    NUMBERED,      /* HR1 … of an ordinary day */
    NUMBERED_LONG, /* HR1 … of a day of 25 hours */
    STARTS,
    ENDS,
    ENDS_24,      /* the last is 24:00, and not 00:00 */
    ENDS_INSTANT, /* on the short day the hour without values is 01:00 to 01:55 */
    STARTS_MORE,  /* with columns for the hour that comes twice */
    FORMS
} form_t;

static int is_clock(form_t form)
{
    return form >= STARTS;
}

static int columns_of(form_t form, int step)
{
    return form == NUMBERED_LONG || form == STARTS_MORE ? 1500 / step : 1440 / step;
}

static const char *name_of(form_t form, int step, int n)
{
    int minute = step * (form >= ENDS && form <= ENDS_INSTANT ? n + 1 : n);

    if (!is_clock(form)) {
        return apr_psprintf(pool, "%s%d", step == 60 ? "HR" : "P", n + 1);
    }
    if (minute >= 1440 && form == STARTS_MORE) {
        return apr_psprintf(pool, "DST +%d:%02d", (minute - 1440 + step) / 60,
                            (minute - 1440 + step) % 60);
    }
    minute = form == ENDS_24 ? minute : minute % 1440;
    return apr_psprintf(pool, "%02d:%02d", minute / 60, minute % 60);
}

/* The cells of a day of `hours`; blank where the day has no such period. */
static const char *cells_of(form_t form, int step, int hours, const char *blank)
{
    int columns = columns_of(form, step);
    const char *text = "";

    for (int n = 0; n < columns; n++) {
        int elapsed = n * step, value;

        if (is_clock(form) && hours == 23) {
            int skipped = form == ENDS_INSTANT ? 60 - step : 60;

            value = elapsed >= skipped && elapsed < skipped + 60 ? 0
                    : elapsed > skipped                          ? n + 1 - 60 / step
                                                                 : n + 1;
            value = n * step >= 1440 ? 0 : value;
        } else if (is_clock(form) && hours == 25) {
            value = elapsed >= 1440  ? (elapsed - 1440 + 120) / step + 1 /* the second 01:00 … */
                    : elapsed >= 120 ? n + 1 + 60 / step
                                     : n + 1;
        } else {
            value = elapsed < hours * 60 ? n + 1 : 0;
        }
        text = apr_pstrcat(pool, text, ",", value ? apr_itoa(pool, value) : blank, NULL);
    }
    return text;
}

static const char *header_of(form_t form, int step)
{
    const char *text = "MPAN,Date";

    for (int n = 0; n < columns_of(form, step); n++) {
        text = apr_pstrcat(pool, text, ",", name_of(form, step, n), NULL);
    }
    return apr_pstrcat(pool, text, "\n", NULL);
}

/* What a day must give: each of its periods, but for the repeated hour where there are no columns
 * for it. */
static void expect_day(half_hours_t *set, form_t form, int step, int hours, apr_int64_t start)
{
    for (int n = 0; n < hours * 60 / step; n++) {
        int is_second = n * step >= 120 && n * step < 180;

        if (hours == 25 && ((form == NUMBERED && n >= 1440 / step) ||
                            (is_clock(form) && form != STARTS_MORE && is_second))) {
            continue;
        }
        put_half_hour(set, MPAN, "AI", "kWh", start / 60 + n * step, (n + 1) * ECL_DECIMAL_ONE,
                      ECL_FLAG_ACTUAL);
    }
}

static void check(form_t form, int step, const char *blank, int shuffled)
{
    static const struct {
        const char *date;
        int hours;
        apr_int64_t start; /* seconds since 1970 */
    } days[] = {{"2025-10-25", 24, 1761346800},
                {"2025-10-26", 25, 1761433200},
                {"2026-03-29", 23, 1774742400},
                {"2026-03-30", 24, 1774825200}};
    const char *text = header_of(form, step);
    half_hours_t expected = make_half_hours(pool), found;
    const char *name = apr_psprintf(pool, "form %d, %d minutes, blank \"%s\"", form, step, blank);
    reading_t *r;

    for (int i = 0; i < 4; i++) {
        int at = shuffled ? (i + 2) % 4 : i;

        text = apr_pstrcat(pool, text, MPAN ",", days[at].date,
                           cells_of(form, step, days[at].hours, blank), "\n", NULL);
        expect_day(&expected, form, step, days[at].hours, days[at].start);
    }
    r = read_text(text);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->layout->kind, ECL_LAYOUT_WIDE);
    assert_int_equal(r->layout->interval_minutes, step);
    if (r->errors->nelts) {
        print_error("%s: %s\n", name, error_at(r, 0)->message);
    }
    assert_int_equal(r->imported, 4);
    found = half_hours_of(r, pool);
    assert_true(same_half_hours(name, &found, &expected));
    assert_int_equal(count_warnings(r, "clock-change-missing"),
                     form != NUMBERED_LONG && form != STARTS_MORE);
    for (int i = 0; i < r->days->nelts; i++) {
        assert_int_equal(APR_ARRAY_IDX(r->days, i, ecl_meter_day_t).interval_minutes, step);
    }
    assert_non_null(strstr(r->layout->evidence, apr_psprintf(pool, "of %d minutes each", step)));
    end_reading(r);
}

static void test_every_form(void **state)
{
    (void)state;
    for (form_t form = NUMBERED; form < FORMS; form++) {
        for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
            check(form, intervals[i], "", 0);
            check(form, intervals[i], "0", 1);
        }
    }
}

static const char *one_day(form_t form, int step, const char *date, int hours, const char *more)
{
    return apr_pstrcat(pool, header_of(form, step), MPAN ",", date,
                       cells_of(form, step, hours, more), "\n", NULL);
}

static void test_a_value_in_the_hour_left_out_fails(void **state)
{
    reading_t *r = read_text_given(one_day(STARTS, 15, "2026-03-29", 24, ""), "auto",
                                   (ecl_given_t){.timezone = "Europe/London"});

    (void)state;
    assert_error(r, 2, "01:00", "no-such-period", "92 periods of 15 minutes");
    end_reading(r);
    r = read_text(one_day(NUMBERED_LONG, 60, "2026-02-01", 25, ""));
    assert_error(r, 2, "HR25", "no-such-period", "24 hours");
    end_reading(r);
}

static void test_power_is_of_the_period(void **state)
{
    const char *text = "MPAN,Units,Date";
    reading_t *r;

    (void)state;
    for (int n = 0; n < 96; n++) {
        text = apr_pstrcat(pool, text, ",", name_of(STARTS, 15, n), NULL);
    }
    r = read_text(apr_pstrcat(pool, text, "\n" MPAN ",kW,2026-02-01", cells_of(STARTS, 15, 24, ""),
                              "\n", NULL));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.25");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 96), "24");
    assert_int_equal(count_warnings(r, "power"), 1);
    end_reading(r);
}

static void test_utc_days_are_put_where_they_belong(void **state)
{
    const char *text = "MPAN,Date (UTC)";
    reading_t *r;

    (void)state;
    for (int n = 0; n < 24; n++) {
        text = apr_pstrcat(pool, text, ",", name_of(STARTS, 60, n), NULL);
    }
    r = read_text(apr_pstrcat(pool, text, "\n" MPAN ",2026-03-29", cells_of(NUMBERED, 60, 24, ""),
                              "\n", NULL));
    assert_int_equal(count_readings(r), 24);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 23), "23");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-30", 1), "24");
    end_reading(r);
}

static void test_flags_totals_and_a_second_quantity(void **state)
{
    const char *names = "MPAN,Date,Total", *cells = ",4656";
    reading_t *r;

    (void)state;
    for (int n = 1; n <= 96; n++) {
        names = apr_psprintf(pool, "%s,kWh_%d,Flag", names, n);
        cells = apr_psprintf(pool, "%s,%d,%s", cells, n, n == 5 ? "E" : "A");
    }
    for (int n = 1; n <= 96; n++) {
        names = apr_psprintf(pool, "%s,kVArh_%d", names, n);
        cells = apr_psprintf(pool, "%s,%d", cells, 2 * n);
    }
    r = read_text(apr_pstrcat(pool, names, "\n" MPAN ",2026-02-01", cells, "\n", NULL));
    assert_int_equal(r->imported, 1);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 96), "96");
    assert_string_equal(value_of(r, MPAN, "RI", "2026-02-01", 96), "192");
    assert_int_equal(flag_at(r, "2026-02-01", 5), ECL_FLAG_ACTUAL); /* of RI, which comes later */
    assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).flags[4], ECL_FLAG_ESTIMATED);
    assert_true(r->layout->total_is_sum);
    end_reading(r);
}

static void test_hours_from_nought(void **state)
{
    reading_t *r =
        read_text(apr_pstrcat(pool, "MPAN,Date,", series(pool, "H%02d", 0, 23),
                              "\n" MPAN ",2026-02-01,", series(pool, "%d", 1, 24), "\n", NULL));

    (void)state;
    assert_int_equal(count_readings(r), 24);
    assert_int_equal(r->layout->interval_minutes, 60);
    assert_non_null(strstr(r->layout->evidence, "24 columns H00 to H23"));
    assert_non_null(strstr(r->layout->evidence, "period starts"));
    end_reading(r);
}

/* Twenty-four columns that are no hours, and counts that no day has. */
static void test_what_is_no_day(void **state)
{
    static const struct {
        const char *name;
        int last;
    } cases[] = {{"HH%02d", 24}, {"Month %d", 24},  {"Tariff%d", 24}, {"%d", 12},
                 {"%d", 20},     {"Period %d", 30}, {"%d", 60},       {"V%d", 90}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = read_text(apr_pstrcat(
            pool, "MPAN,Date,", series(pool, cases[i].name, 1, cases[i].last),
            "\n" MPAN ",2026-02-01,", series(pool, "%d.5", 1, cases[i].last), "\n", NULL));

        assert_int_equal(r->status, ECL_EINPUT);
        end_reading(r);
    }
}

/* Half-hours, and beside them their sums by the hour: the sums are no readings. */
static void test_sums_of_the_hours_are_not_read(void **state)
{
    reading_t *r = read_text(apr_pstrcat(pool, "MPAN,Date,", series(pool, "HH%02d", 1, 48), ",",
                                         series(pool, "Hour%d", 1, 24), "\n" MPAN ",2026-02-01,",
                                         series(pool, "%d", 1, 48), ",", series(pool, "%d", 1, 24),
                                         "\n", NULL));

    (void)state;
    assert_int_equal(count_readings(r), 48);
    assert_int_equal(r->layout->interval_minutes, 30);
    end_reading(r);
}

/* ---- without a header -------------------------------------------------------------------------
 */

static void test_headerless_hours_and_quarters(void **state)
{
    static const int counts[] = {24, 96};
    reading_t *hours;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        int n = counts[i];
        const char *row = apr_pstrcat(pool, MPAN ",01/02/2026,", series(pool, "%d.5", 1, n), NULL);
        reading_t *r = read_text(apr_psprintf(pool, "%s,%d.%d\n", row, n * (n + 1) / 2 + n / 2, 0));

        assert_int_equal(count_readings(r), n);
        assert_int_equal(r->layout->interval_minutes, 1440 / n);
        assert_non_null(strstr(r->layout->evidence, "no header"));
        assert_non_null(strstr(r->layout->evidence, apr_psprintf(pool, "%d numbers a row", n)));
        end_reading(r);
        /* one more that is no sum of the others: which is which? */
        r = read_text(apr_pstrcat(pool, row, ",7\n", NULL));
        assert_int_equal(r->status, ECL_EINPUT);
        end_reading(r);
    }
    /* of hours no sum is needed */
    hours =
        read_text(apr_pstrcat(pool, MPAN ",01/02/2026,", series(pool, "%d.5", 1, 24), "\n", NULL));
    assert_int_equal(count_readings(hours), 24);
    end_reading(hours);
}

/* Ninety-six numbers may be 48 of one quantity and 48 of another. */
static void test_headerless_quarters_need_a_proof(void **state)
{
    const char *numbers = series(pool, "%d.5", 1, 96);
    const char *nothing = apr_pstrcat(pool, series(pool, "%d.5", 1, 48), ",0", NULL);
    const char *refused[3];
    reading_t *r;

    (void)state;
    for (int n = 1; n < 48; n++) {
        nothing = apr_pstrcat(pool, nothing, ",0", NULL);
    }
    refused[0] = apr_pstrcat(pool, MPAN ",01/02/2026,", numbers, "\n", NULL);
    refused[1] = apr_pstrcat(pool, MPAN ",kWh,01/02/2026,", numbers, "\n", NULL);
    /* the sum of the first half as well */
    refused[2] = apr_pstrcat(pool, MPAN ",01/02/2026,", nothing, ",1200\n", NULL);
    for (int i = 0; i < 3; i++) {
        r = read_text(refused[i]);
        assert_int_equal(r->status, ECL_EINPUT);
        assert_string_equal(r->result.code, "no-header");
        assert_non_null(strstr(r->result.detail, "line 1 has 96 numbers"));
        assert_non_null(strstr(r->result.detail, "quarter-hours of a day, or its half-hours in"));
        end_reading(r);
    }
    /* a later row may show it, too */
    r = read_text(apr_pstrcat(pool, refused[2], MPAN ",02/02/2026,", numbers, ",4704\n", NULL));
    assert_int_equal(count_readings(r), 192);
    end_reading(r);
    r = read_text(apr_pstrcat(pool, MPAN ",AI,01/02/2026,", numbers, "\n", NULL));
    assert_int_equal(count_readings(r), 96);
    end_reading(r);
}

/* Twenty-four numbers beside a name may be anything. */
static void test_headerless_hours_need_an_identifier(void **state)
{
    reading_t *r =
        read_text(apr_pstrcat(pool, "Depot,01/02/2026,", series(pool, "%d.5", 1, 24), "\n", NULL));

    (void)state;
    assert_int_equal(r->status, ECL_EINPUT);
    end_reading(r);
}

/* 48 values, each with a flag that is blank, are no quarter-hours. */
static void test_headerless_half_hours_with_blank_flags(void **state)
{
    reading_t *r =
        read_text(apr_pstrcat(pool, MPAN ",01/02/2026,", series(pool, "%d.5,", 1, 48), "\n", NULL));

    (void)state;
    assert_int_equal(r->layout->interval_minutes, 30);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48.5");
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form),
        cmocka_unit_test(test_a_value_in_the_hour_left_out_fails),
        cmocka_unit_test(test_power_is_of_the_period),
        cmocka_unit_test(test_utc_days_are_put_where_they_belong),
        cmocka_unit_test(test_flags_totals_and_a_second_quantity),
        cmocka_unit_test(test_hours_from_nought),
        cmocka_unit_test(test_what_is_no_day),
        cmocka_unit_test(test_sums_of_the_hours_are_not_read),
        cmocka_unit_test(test_headerless_hours_and_quarters),
        cmocka_unit_test(test_headerless_quarters_need_a_proof),
        cmocka_unit_test(test_headerless_hours_need_an_identifier),
        cmocka_unit_test(test_headerless_half_hours_with_blank_flags),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
