/* A row per meter and day. */
#include "pool_fixture.h"
#include "reading.h"

#define MPRN "4141592604"

/* A file of numbered columns with the given rows. */
static const char *numbered(int columns, const char *rows)
{
    return apr_psprintf(pool, "MPAN,Date,%s\n%s", series(pool, "HH%02d", 1, columns), rows);
}

/* Labels of the clock, shifted by 30 minutes for period ends. */
static const char *labelled(int are_ends, const char *more, const char *rows)
{
    const char *text = "MPAN,Date";

    for (int i = 0; i < 48; i++) {
        int minute = 30 * (i + are_ends) % 1440;

        text = apr_psprintf(pool, "%s,%02d:%02d", text, minute / 60, minute % 60);
    }
    return apr_psprintf(pool, "%s%s\n%s", text, more, rows);
}

static const char *row(const char *meter, const char *date, const char *cells)
{
    return apr_psprintf(pool, "%s,%s,%s\n", meter, date, cells);
}

static void test_ordinary_day(void **state)
{
    reading_t *r = read_text(numbered(48, row(MPAN, "2026-02-01", series(pool, "%d.25", 1, 48))));
    const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t);

    (void)state;
    assert_int_equal(r->layout->kind, ECL_LAYOUT_WIDE);
    assert_int_equal(r->passed_over, 1);
    assert_int_equal(r->days->nelts, 1);
    assert_string_equal(day->meter, MPAN);
    assert_int_equal(day->kind, ECL_METER_MPAN);
    assert_string_equal(day->unit, "kWh");
    assert_int_equal(day->interval_minutes, 30);
    assert_int_equal(day->periods, 48);
    assert_int_equal(day->line, 2);
    assert_int_equal(day->day_start, 1769904000);
    assert_int_equal(count_readings(r), 48);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1.25");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48.25");
    assert_int_equal(flag_at(r, "2026-02-01", 48), ECL_FLAG_ACTUAL);
    end_reading(r);
}

/* ---- clock changes, columns numbered ----------------------------------------------------------
 */

static void test_long_day_numbered(void **state)
{
    reading_t *r = read_text(numbered(50, row(MPAN, "2025-10-26", series(pool, "%d", 1, 50))));

    (void)state;
    assert_int_equal(count_readings(r), 50);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 50), "50");
    assert_int_equal(r->warnings->nelts, 0);
    end_reading(r);
}

static void test_long_day_with_48_columns_is_told(void **state)
{
    reading_t *r = read_text(numbered(48, row(MPAN, "2025-10-26", series(pool, "%d", 1, 48))));

    (void)state;
    assert_int_equal(count_readings(r), 48);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 49), "");
    assert_int_equal(count_warnings(r, "clock-change-missing"), 1);
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message, "2025-10-26"));
    end_reading(r);
}

static void test_short_day_numbered(void **state)
{
    static const struct {
        const char *tail;
        int is_good;
    } cases[] = {{",,,,", 1}, {",0,0,0,0", 1}, {",-,-,-,-", 1}, {",,,,0.1", 0}, {",7,,,", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *cells = apr_pstrcat(pool, series(pool, "%d", 1, 46), cases[i].tail, NULL);
        reading_t *r = read_text(numbered(50, row(MPAN, "2026-03-29", cells)));

        if (cases[i].is_good) {
            assert_int_equal(r->failed, 0);
            assert_int_equal(count_readings(r), 46);
            assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).periods, 46);
        } else {
            assert_error(r, 2, i == 3 ? "HH50" : "HH47", "no-such-period", "46 half-hours");
            assert_non_null(strstr(error_at(r, 0)->message, "2026-03-29"));
            assert_int_equal(r->days->nelts, 0);
        }
        end_reading(r);
    }
}

static void test_periods_49_and_50_of_an_ordinary_day(void **state)
{
    const char *good = apr_pstrcat(pool, series(pool, "%d", 1, 48), ",0,0", NULL);
    const char *bad = apr_pstrcat(pool, series(pool, "%d", 1, 48), ",0,3", NULL);
    reading_t *r = read_text(numbered(50, row(MPAN, "2026-02-01", good)));

    (void)state;
    assert_int_equal(count_readings(r), 48);
    end_reading(r);
    r = read_text(numbered(50, row(MPAN, "2026-02-01", bad)));
    assert_error(r, 2, "HH50", "no-such-period", "48 half-hours");
    end_reading(r);
}

/* ---- clock changes, columns labelled by the clock ---------------------------------------------
 */

static void test_short_day_labelled(void **state)
{
    const char *good = apr_pstrcat(pool, "1,2,,,", series(pool, "%d", 5, 48), NULL);
    const char *zero = apr_pstrcat(pool, "1,2,0,0,", series(pool, "%d", 5, 48), NULL);
    reading_t *r = read_text(labelled(0, "", row(MPAN, "2026-03-29", good)));

    (void)state;
    assert_int_equal(count_readings(r), 46);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 2), "2");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 3), "5"); /* 02:00 */
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 46), "48");
    end_reading(r);
    r = read_text(labelled(0, "", row(MPAN, "2026-03-29", zero)));
    assert_int_equal(count_readings(r), 46);
    end_reading(r);
    r = read_text_given(labelled(0, "", row(MPAN, "2026-03-29", series(pool, "%d", 1, 48))), "auto",
                        (ecl_given_t){.timezone = "Europe/London"});
    assert_error(r, 2, "01:00", "no-such-period", "46 half-hours");
    assert_int_equal(r->days->nelts, 0);
    end_reading(r);
}

static void test_short_day_labelled_by_ends(void **state)
{
    /* 00:30, 01:00, 01:30, 02:00, 02:30 …: which two are empty tells how the labels are meant */
    const char *by_start = apr_pstrcat(pool, "1,2,,,", series(pool, "%d", 5, 48), NULL);
    const char *by_clock = apr_pstrcat(pool, "1,,,4,", series(pool, "%d", 5, 48), NULL);
    reading_t *r = read_text(labelled(1, "", row(MPAN, "2026-03-29", by_start)));

    (void)state;
    assert_int_equal(count_readings(r), 46);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 2), "2");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 3), "5");
    end_reading(r);
    r = read_text(labelled(1, "", row(MPAN, "2026-03-29", by_clock)));
    assert_int_equal(count_readings(r), 46);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 2), "4");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 3), "5");
    end_reading(r);
    r = read_text_given(labelled(1, "", row(MPAN, "2026-03-29", series(pool, "%d", 1, 48))), "auto",
                        (ecl_given_t){.timezone = "Europe/London"});
    assert_error(r, 2, "01:30", "no-such-period", "46 half-hours");
    end_reading(r);
}

static void test_long_day_labelled(void **state)
{
    static const char *const pairs[] = {",DST +0:30,DST +1:00", ",HH49,HH50", ",49,50",
                                        ",Time Change 1 Cons,Time Change 2 Cons", ",,"};
    const char *cells = apr_pstrcat(pool, series(pool, "%d", 1, 48), ",101,102", NULL);
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        r = read_text(labelled(0, pairs[i], row(MPAN, "2025-10-26", cells)));
        assert_int_equal(count_readings(r), 50);
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 4), "4");   /* 01:30, first */
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "101"); /* 01:00, second */
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 6), "102");
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 7), "5"); /* 02:00 */
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 50), "48");
        assert_int_equal(r->warnings->nelts, 0);
        end_reading(r);
        r = read_text(labelled(0, pairs[i], row(MPAN, "2025-10-25", cells)));
        assert_int_equal(r->failed, 1);
        assert_string_equal(error_at(r, 0)->code, "no-such-period");
        end_reading(r);
    }
    r = read_text(labelled(0, "", row(MPAN, "2025-10-26", series(pool, "%d", 1, 48))));
    assert_int_equal(count_readings(r), 48);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 7), "5");
    assert_int_equal(count_warnings(r, "clock-change-missing"), 1);
    end_reading(r);
}

/* A flag before each value, or a block of 50 behind them: the extra hour has its own. */
static void test_flags_of_the_extra_hour(void **state)
{
    static const char *const extras[] = {"DST +0:30", "DST +1:00"};
    const char *head = "MPAN,Date", *cells = MPAN ",2025-10-26", *block = "MPAN,Date";
    const char *behind = cells, *bare = "MPAN,Date";

    (void)state;
    for (int i = 0; i < 50; i++) {
        const char *name =
            i < 48 ? apr_psprintf(pool, "%02d:%02d", i / 2, i % 2 * 30) : extras[i - 48];

        head = apr_pstrcat(pool, head, ",Est,", name, NULL);
        cells = apr_psprintf(pool, "%s,%s,%d", cells, i == 7 || i == 49 ? "E" : "A", i + 1);
        block = apr_pstrcat(pool, block, ",", name, NULL);
        bare = apr_pstrcat(pool, bare, ",", i < 48 ? name : "", NULL);
        behind = apr_psprintf(pool, "%s,%d", behind, i + 1);
    }
    for (int i = 0; i < 50; i++) {
        block = apr_psprintf(pool, "%s,UT%d", block, i + 1);
        bare = apr_psprintf(pool, "%s,UT%d", bare, i + 1);
        behind = apr_pstrcat(pool, behind, i == 7 || i == 49 ? ",E" : ",A", NULL);
    }
    for (int k = 0; k < 3; k++) {
        reading_t *r = read_text(apr_pstrcat(pool,
                                             k == 0   ? head
                                             : k == 1 ? block
                                                      : bare,
                                             "\n", k ? behind : cells, "\n", NULL));

        assert_int_equal(count_readings(r), 50);
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 6), "50");
        for (int period = 1; period <= 50; period++) {
            /* the 8th column is 03:30, the last one the second 01:30 */
            assert_int_equal(flag_at(r, "2025-10-26", period),
                             period == 10 || period == 6 ? 'E' : 'A');
        }
        end_reading(r);
    }
}

/* What tells meters apart is their number, also where its column has another name, a serial number
 * stands beside it, and the report ends in a line of words. */
static void test_gas_meters_in_a_column_of_another_name(void **state)
{
    static const char *const names[] = {"Site Name", "Channel"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text =
            apr_pstrcat(pool, names[i], ",MSN,Date,", series(pool, "HH%02d", 1, 48), "\n",
                        row(MPRN ",M22000001", "2026-02-01", series(pool, "%d", 1, 48)), "\n",
                        row(MPRN ",M22000001", "2026-02-02", series(pool, "%d", 1, 48)),
                        "\nEnd of report\n", NULL);
        reading_t *r = read_text(text);

        assert_string_equal(value_of(r, MPRN, "AI", "2026-02-01", 2), "2");
        assert_int_equal(r->failed, 0);
        end_reading(r);
    }
}

static void test_fifty_labels_in_order(void **state)
{
    /* labels that run on after midnight: the columns are the day's half-hours in order */
    const char *text =
        labelled(0, ",00:00,00:30", row(MPAN, "2025-10-26", series(pool, "%d", 1, 50)));
    reading_t *r = read_text(text);

    (void)state;
    assert_int_equal(count_readings(r), 50);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 50), "50");
    end_reading(r);
}

static void test_utc_days(void **state)
{
    const char *text = labelled(0, "", row(MPAN, "2026-06-01", series(pool, "%d", 1, 48)));
    reading_t *r;

    (void)state;
    text = apr_pstrcat(pool, "MPAN,Date (UTC)", strchr(strchr(text, ',') + 1, ','), NULL);
    r = read_text(text);
    assert_int_equal(count_readings(r), 48);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 3), "1"); /* 00:00Z is 01:00 BST */
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 48), "46");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-02", 1), "47");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-02", 2), "48");
    end_reading(r);
}

/* ---- rows that fail ---------------------------------------------------------------------------
 */

static const char *with_cell(int index, const char *cell)
{
    const char *text = "";

    for (int i = 1; i <= 48; i++) {
        text = apr_pstrcat(pool, text, i > 1 ? "," : "", i == index ? cell : "1", NULL);
    }
    return text;
}

static void test_a_bad_cell_fails_its_row_alone(void **state)
{
    static const struct {
        const char *cell, *code, *part;
    } cases[] = {
        {"abc", "bad-value", "\"abc\" is not a number"},
        {"0x1F", "bad-value", "0x1F"},
        {"inf", "bad-value", "inf"},
        {"1e400", "bad-value", "too large"},
        {"99999999999", "bad-value", "too large"},
        {"-1.5", "negative-value", "\"-1.5\" is negative"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *rows = apr_pstrcat(pool, row(MPAN, "2026-02-01", with_cell(10, cases[i].cell)),
                                       row(MPAN, "2026-02-02", with_cell(0, "")), NULL);
        reading_t *r = read_text(numbered(48, rows));

        assert_error(r, 2, "HH10", cases[i].code, cases[i].part);
        assert_int_equal(r->imported, 1);
        assert_int_equal(count_readings(r), 48);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "");
        assert_memory_equal(error_at(r, 0)->raw, MPAN ",2026-02-01,1,1", 28);
        end_reading(r);
    }
}

static void test_bad_dates(void **state)
{
    static const struct {
        const char *date, *code;
    } cases[] = {
        {"31/02/2025", "no-such-date"},
        {"2024-02-30", "no-such-date"},
        {"30/08", "bad-date"},
        {"tomorrow", "bad-date"},
        {"10/27/2024x", "bad-date"},
        {"1989-12-31", "date-too-old"},
        {"2026-07-01", "future-date"},
        {"2099-01-01", "future-date"},
        {"", "bad-date"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *rows = apr_pstrcat(pool, row(MPAN, "15/02/2026", with_cell(0, "")),
                                       row(MPAN, cases[i].date, with_cell(0, "")), NULL);
        reading_t *r = read_text(numbered(48, rows));

        assert_error(r, 3, "Date", cases[i].code, cases[i].date);
        assert_int_equal(count_readings(r), 48);
        end_reading(r);
    }
}

static void test_today_is_no_future(void **state)
{
    reading_t *r = read_text(numbered(48, row(MPAN, "2026-06-30", with_cell(0, ""))));

    (void)state;
    assert_int_equal(r->imported, 1);
    end_reading(r);
}

static void test_identifiers(void **state)
{
    static const char *const same[] = {MPAN,      "\"" MPAN "\"", "10 0000 0000 012",
                                       MPAN ".0", "'" MPAN,       MPAN " "};
    const char *rows = "";
    reading_t *r;

    (void)state;
    for (int i = 0; i < 6; i++) {
        rows = apr_pstrcat(
            pool, rows, row(same[i], apr_psprintf(pool, "2026-02-%02d", i + 1), with_cell(0, "")),
            NULL);
    }
    r = read_text(numbered(48, rows));
    assert_int_equal(r->imported, 6);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(APR_ARRAY_IDX(r->days, i, ecl_meter_day_t).meter, MPAN);
    }
    end_reading(r);

    r = read_text(numbered(48, row("2.20001E+12", "2026-02-01", with_cell(0, ""))));
    assert_error(r, 2, "MPAN", "meter-damaged", "2.20001E+12");
    end_reading(r);
    r = read_text(numbered(48, apr_pstrcat(pool, row("", "2026-02-01", with_cell(0, "")),
                                           row(MPAN, "2026-02-01", with_cell(0, "")), NULL)));
    assert_error(r, 2, "MPAN", "bad-meter", "names no meter");
    end_reading(r);
}

static void test_check_digit_is_a_warning_per_identifier(void **state)
{
    const char *rows = apr_pstrcat(pool, row("1234567890123", "2026-02-01", with_cell(0, "")),
                                   row("1234567890124", "2026-02-01", with_cell(0, "")),
                                   row("1234567890123", "2026-02-02", with_cell(0, "")),
                                   row("21000040359999", "2026-02-02", with_cell(0, "")), NULL);
    reading_t *r = read_text(numbered(48, rows));

    (void)state;
    assert_int_equal(r->imported, 4);
    assert_int_equal(count_warnings(r, "check-digit"), 2);
    assert_int_equal(count_warnings(r, "identifier-length"), 1);
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message, "1234567890123"));
    end_reading(r);
}

static void test_lengths_of_rows(void **state)
{
    const char *short_row = apr_psprintf(pool, MPAN ",2026-02-01,%s\n", series(pool, "%d", 1, 30));
    const char *long_row = row(MPAN, "2026-02-01", series(pool, "%d", 1, 49));
    const char *blank_more =
        row(MPAN, "2026-02-01", apr_pstrcat(pool, with_cell(0, ""), ",,, ,", NULL));
    reading_t *r = read_text(numbered(48, short_row));

    (void)state;
    assert_error(r, 2, NULL, "too-few-fields", "32 of the 50");
    end_reading(r);
    r = read_text(numbered(48, MPAN ",2026-02-01\n"));
    assert_error(r, 2, NULL, "too-few-fields", "2 of the 50");
    end_reading(r);
    r = read_text(numbered(48, long_row));
    assert_error(r, 2, NULL, "too-many-fields", "51 cells and the header 50");
    end_reading(r);
    r = read_text(numbered(48, blank_more));
    assert_int_equal(r->imported, 1);
    end_reading(r);
}

/* ---- rows that are none -----------------------------------------------------------------------
 */

static void test_missing_is_not_zero(void **state)
{
    static const char *const missing[] = {"", "-", "Null", "NaN", "N/A", "#N/A", " "};

    (void)state;
    for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
        reading_t *r = read_text(numbered(48, row(MPAN, "2026-02-01", with_cell(3, missing[i]))));

        assert_int_equal(count_readings(r), 47);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 3), "");
        assert_int_equal(flag_at(r, "2026-02-01", 3), 0);
        end_reading(r);
    }
}

static void test_rows_that_hold_no_readings_are_skipped(void **state)
{
    const char *header = apr_psprintf(pool, "MPAN,Date,%s", series(pool, "HH%02d", 1, 48));
    const char *blanks = ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,", *rows;
    reading_t *r;

    (void)state;
    rows = apr_pstrcat(
        pool, row(MPAN, "2026-02-01", with_cell(0, "")), MPAN ",2026-02-02", blanks, "\n", header,
        "\nGrand Total,,", with_cell(0, ""), "\n", "Total,2026-02-01,", with_cell(0, ""), "\n",
        "\"Report Time Zone: (UTC+00:00) Dublin, Edinburgh, Lisbon, London\"\n",
        "Report generated,2026-07-01,by John\n", row(MPAN, "2026-02-03", with_cell(0, "")), NULL);
    r = read_text(numbered(48, rows));
    assert_int_equal(r->failed, 0);
    assert_int_equal(r->imported, 2);
    assert_int_equal(r->skipped, 6);
    assert_int_equal(count_readings(r), 96);
    end_reading(r);
}

static void test_another_header_is_never_read_by_the_first(void **state)
{
    const char *other, *rows;
    reading_t *r;

    (void)state;
    other = apr_psprintf(pool, "Total,MPAN,Date,%s\n", series(pool, "HH%02d", 1, 48));
    rows = apr_pstrcat(pool, row(MPAN, "2026-02-01", with_cell(0, "")), other, "12,",
                       row(MPAN, "2026-02-02", with_cell(0, "")), NULL);
    r = read_text(numbered(48, rows));
    assert_int_equal(r->imported, 1);
    assert_int_equal(r->failed, 2);
    assert_int_equal(count_readings(r), 48);
    end_reading(r);
}

/* ---- flags, channels, units -------------------------------------------------------------------
 */

static void test_flags_beside_values(void **state)
{
    const char *text = "MPAN,Date", *cells = "";
    reading_t *r;

    (void)state;
    for (int i = 0; i < 48; i++) {
        text = apr_psprintf(pool, "%s,%02d:%02d,Flag", text, i / 2, i % 2 * 30);
        cells = apr_psprintf(pool, "%s,%d,%s", cells, i + 1,
                             i == 1   ? "E"
                             : i == 2 ? "Estimated"
                             : i == 3 ? "manual"
                             : i == 4 ? "C"
                             : i == 5 ? "Z9"
                             : i == 6 ? ""
                                      : "A");
    }
    r = read_text(apr_psprintf(pool, "%s\n" MPAN ",2026-02-01%s\n", text, cells));
    assert_int_equal(count_readings(r), 48);
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ACTUAL);
    assert_int_equal(flag_at(r, "2026-02-01", 2), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-02-01", 3), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-02-01", 4), ECL_FLAG_MANUAL);
    assert_int_equal(flag_at(r, "2026-02-01", 5), ECL_FLAG_CORRECTED);
    assert_int_equal(flag_at(r, "2026-02-01", 6), ECL_FLAG_OTHER);
    assert_int_equal(flag_at(r, "2026-02-01", 7), ECL_FLAG_ACTUAL);
    assert_int_equal(count_warnings(r, "unknown-flag"), 1);
    end_reading(r);
}

static void test_a_flag_for_no_value(void **state)
{
    const char *text = apr_psprintf(pool, "MPAN,Date,%s,%s\n", series(pool, "P%d", 1, 48),
                                    series(pool, "UT%d", 1, 48));
    const char *flags = "A,-,-";
    reading_t *r;

    (void)state;
    for (int i = 4; i <= 48; i++) {
        flags = apr_pstrcat(pool, flags, ",A", NULL);
    }
    r = read_text(apr_pstrcat(pool, text, MPAN ",2026-02-01,1,0,3,", series(pool, "%d", 4, 48), ",",
                              flags, "\n", NULL));
    assert_int_equal(count_readings(r), 47); /* 0 marked as no value is none */
    assert_int_equal(flag_at(r, "2026-02-01", 3), ECL_FLAG_OTHER);
    end_reading(r);
}

static void test_reactive_block_is_a_channel_of_its_own(void **state)
{
    const char *header = apr_psprintf(pool, "MPAN,Date,%s,%s\n", series(pool, "kWh_%d", 1, 48),
                                      series(pool, "kVArh_%d", 1, 48));
    const char *rows = apr_psprintf(pool, MPAN ",2026-02-01,%s,%s\n", series(pool, "%d", 1, 48),
                                    series(pool, "%d.5", 1, 48));
    reading_t *r = read_text(apr_pstrcat(pool, header, rows, NULL));

    (void)state;
    assert_int_equal(r->days->nelts, 2);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 7), "7");
    assert_string_equal(value_of(r, MPAN, "RI", "2026-02-01", 7), "7.5");
    assert_string_equal(APR_ARRAY_IDX(r->days, 1, ecl_meter_day_t).unit, "kVArh");
    end_reading(r);

    /* a bad cell in either block fails the row as a whole */
    rows = apr_psprintf(pool, MPAN ",2026-02-01,%s,%s,x\n", series(pool, "%d", 1, 48),
                        series(pool, "%d.5", 1, 47));
    r = read_text(apr_pstrcat(pool, header, rows, NULL));
    assert_error(r, 2, "kVArh_48", "bad-value", "\"x\"");
    assert_int_equal(r->days->nelts, 0);
    end_reading(r);
}

static void test_channels_and_units_of_rows(void **state)
{
    static const struct {
        const char *channel, *unit, *stored_channel, *stored_unit, *value, *code;
    } cases[] = {
        {"AI", "kWh", "AI", "kWh", "12", NULL},
        {"AE", "Wh", "AE", "kWh", "0.012", NULL},
        {"Export", "MWh", "AE", "kWh", "12000", NULL},
        {"RI", "kVArh", "RI", "kVArh", "12", NULL},
        {"RE", "", "RE", "kVArh", "12", NULL},
        {"AI", "kVArh", NULL, NULL, NULL, "bad-unit"},
        {"RI", "kWh", NULL, NULL, NULL, "bad-unit"},
        {"AI", "BTU", NULL, NULL, NULL, "bad-unit"},
        {"AI", "m3", NULL, NULL, NULL, "bad-unit"},
        {"sideways", "kWh", NULL, NULL, NULL, "bad-channel"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text =
            apr_psprintf(pool,
                         "MPAN,Date,Channel,Units,%s\n%s,2026-02-01,%s,%s,12,%s\n"
                         "%s,2026-02-02,AI,kWh,%s\n",
                         series(pool, "%d", 1, 48), MPAN, cases[i].channel, cases[i].unit,
                         series(pool, "%d", 2, 48), MPAN, series(pool, "%d", 1, 48));
        reading_t *r = read_text(text);

        if (cases[i].code) {
            assert_error(r, 2, !strcmp(cases[i].code, "bad-unit") ? "Units" : "Channel",
                         cases[i].code,
                         !strcmp(cases[i].code, "bad-unit") ? cases[i].unit : cases[i].channel);
        } else {
            assert_string_equal(value_of(r, MPAN, cases[i].stored_channel, "2026-02-01", 1),
                                cases[i].value);
            assert_string_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).unit,
                                cases[i].stored_unit);
        }
        end_reading(r);
    }
}

static void test_quantities_that_are_no_energy_are_passed_over(void **state)
{
    const char *text = apr_psprintf(
        pool, "MPAN,Units,Date,%s\n%s,kWh,01/02/26,%s\n%s,LAG,01/02/26,%s\n%s,LEAD,01/02/26,%s\n",
        series(pool, "%d", 1, 48), MPAN, series(pool, "%d", 1, 48), MPAN, series(pool, "%d", 2, 49),
        MPAN, series(pool, "%d", 3, 50));
    reading_t *r = read_text(text);

    (void)state;
    assert_int_equal(r->imported, 1);
    assert_int_equal(r->skipped, 2);
    assert_int_equal(count_warnings(r, "channel-skipped"), 2);
    end_reading(r);
}

static void test_export_may_be_negative(void **state)
{
    const char *text = apr_psprintf(pool, "MPAN,Date,MQ,%s\n%s,2026-02-01,AE,-1,%s\n",
                                    series(pool, "P%d", 1, 48), MPAN, series(pool, "%d", 2, 48));
    reading_t *r = read_text(text);

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 1), "-1");
    end_reading(r);
}

static void test_rounding_is_told(void **state)
{
    reading_t *r = read_text(numbered(48, row(MPAN, "2026-02-01", with_cell(2, "0.1234567891"))));

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "0.123456789");
    assert_int_equal(count_warnings(r, "rounded"), 1);
    end_reading(r);
}

static void test_lines_that_are_no_text(void **state)
{
    const char *rows =
        apr_pstrcat(pool, MPAN ",2026-02-01,\"1,2\n", row(MPAN, "2026-02-02", with_cell(0, "")),
                    row(MPAN, "2026-02-03", with_cell(5, "\x81")), NULL);
    reading_t *r = read_text(numbered(48, rows));

    (void)state;
    assert_int_equal(r->imported, 1);
    assert_int_equal(r->failed, 2);
    assert_string_equal(error_at(r, 0)->code, "open-quote");
    assert_int_equal(error_at(r, 0)->line, 2);
    assert_string_equal(error_at(r, 1)->code, "not-text");
    end_reading(r);
}

/* ---- columns that are passed over --------------------------------------------------------------
 */

static void test_columns_passed_over_are_told(void **state)
{
    const char *names = "MPAN,Date", *cells = MPAN ",2026-02-01", *twice, *note;
    reading_t *r;

    (void)state;
    for (int n = 1; n <= 48; n++) {
        names = apr_psprintf(pool, "%s,kWh_%d,_", names, n);
        cells = apr_psprintf(pool, "%s,%d.5,%d.25", cells, n, n + 900);
    }
    r = read_text(apr_pstrcat(pool, names, "\n", cells, "\n", NULL));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48.5");
    assert_int_equal(count_warnings(r, "columns-not-read"), 1);
    note = APR_ARRAY_IDX(r->warnings, 0, told_t).message;
    assert_non_null(strstr(note, "48 columns from \"_\" (number 4) on"));
    end_reading(r);
    /* the same names again, with numbers */
    twice = series(pool, "HH%02d", 1, 48);
    cells = series(pool, "%d", 1, 48);
    r = read_text(apr_pstrcat(pool, "MPAN,Date,", twice, ",", twice, "\n" MPAN ",2026-02-01,",
                              cells, ",", cells, "\n", NULL));
    assert_int_equal(count_warnings(r, "columns-not-read"), 1);
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message, "\"HH01\" (number 51)"));
    end_reading(r);
    /* a fifth quantity */
    twice = cells = "";
    for (int b = 0; b < 5; b++) {
        twice = apr_psprintf(pool, "%s,%s", twice,
                             series(pool, apr_psprintf(pool, "Q%c_%%d", 'A' + b), 1, 48));
        cells = apr_pstrcat(pool, cells, ",", series(pool, "%d", 1, 48), NULL);
    }
    r = read_text(
        apr_pstrcat(pool, "MPAN,Date", twice, "\n" MPAN ",2026-02-01", cells, "\n", NULL));
    assert_int_equal(r->layout->block_count, 4);
    assert_int_equal(count_warnings(r, "columns-not-read"), 1);
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message, "\"QE_1\" (number 195)"));
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message, "no more than four"));
    end_reading(r);
    twice = series(pool, "HH%02d", 1, 48);
    cells = series(pool, "%d", 1, 48);
    /* nothing is told of what holds nothing */
    r = read_text(apr_pstrcat(pool, "MPAN,Date,", twice, ",", twice, "\n" MPAN ",2026-02-01,",
                              cells, "\n", NULL));
    assert_int_equal(count_warnings(r, "columns-not-read"), 0);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_day),
        cmocka_unit_test(test_long_day_numbered),
        cmocka_unit_test(test_long_day_with_48_columns_is_told),
        cmocka_unit_test(test_short_day_numbered),
        cmocka_unit_test(test_periods_49_and_50_of_an_ordinary_day),
        cmocka_unit_test(test_short_day_labelled),
        cmocka_unit_test(test_short_day_labelled_by_ends),
        cmocka_unit_test(test_long_day_labelled),
        cmocka_unit_test(test_flags_of_the_extra_hour),
        cmocka_unit_test(test_gas_meters_in_a_column_of_another_name),
        cmocka_unit_test(test_fifty_labels_in_order),
        cmocka_unit_test(test_utc_days),
        cmocka_unit_test(test_a_bad_cell_fails_its_row_alone),
        cmocka_unit_test(test_bad_dates),
        cmocka_unit_test(test_today_is_no_future),
        cmocka_unit_test(test_identifiers),
        cmocka_unit_test(test_check_digit_is_a_warning_per_identifier),
        cmocka_unit_test(test_lengths_of_rows),
        cmocka_unit_test(test_missing_is_not_zero),
        cmocka_unit_test(test_rows_that_hold_no_readings_are_skipped),
        cmocka_unit_test(test_another_header_is_never_read_by_the_first),
        cmocka_unit_test(test_flags_beside_values),
        cmocka_unit_test(test_a_flag_for_no_value),
        cmocka_unit_test(test_reactive_block_is_a_channel_of_its_own),
        cmocka_unit_test(test_channels_and_units_of_rows),
        cmocka_unit_test(test_quantities_that_are_no_energy_are_passed_over),
        cmocka_unit_test(test_export_may_be_negative),
        cmocka_unit_test(test_rounding_is_told),
        cmocka_unit_test(test_lines_that_are_no_text),
        cmocka_unit_test(test_columns_passed_over_are_told),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
