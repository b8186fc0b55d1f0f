/* Cases 24 to 35: which line and which column is what. */
#include "cases.h"

#include "workbook.h"

static void test_case_24_lines_above_and_below_a_report(void **state)
{
    const char *ends = "";
    reading_t *r;

    (void)state;
    for (int n = 1; n <= 48; n++) {
        ends = apr_psprintf(pool, "%s,%02d:%02d", ends, n / 2 % 24, n % 2 * 30);
    }
    r = read_text(JOIN("\nMeter Sequential - Variable Length - CSV kWh - Electricity\n"
                       "Report Date,12/02/26 00:00:00\nFrom,01/02/26\nTo,01/02/26\n\n"
                       "Company Name,Site Name,MPAN,Meter ID,Type,Est,Date",
                       ends, "\nInvented,Mill," MPAN ",1,KWH,A,01/02/26,", times_48("0.5"),
                       "\n\n\"Report Time Zone: (UTC+00:00) Dublin, Edinburgh, Lisbon, London "
                       "(With Daylight Saving)\"\n"));
    assert_day(r, MPAN, "2026-02-01", "0.5");
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->skipped, 1);
    end_reading(r);
}

#define LONDON                                                                                     \
    "\"Report Time Zone: (UTC+00:00) Dublin, Edinburgh, Lisbon, London (With Daylight Saving)\"\n"
#define UTC "Report Time Zone: (UTC) Coordinated Universal Time\n"

/* A row of 26 October 2025, whose half-hour n has the value n; the clock shows 01:00 twice. */
static const char *october_wide(const char *above, const char *below)
{
    return JOIN(above, "MPAN,Date,", series(pool, "HH%d", 1, 48), "\n" MPAN ",2025-10-26,",
                series(pool, "%d", 1, 48), "\n", below);
}

/* The first half-hours of that day, and of 29 March 2026, as rows. */
static const char *october_long(const char *above, const char *header, const char *below)
{
    return JOIN(above, header,
                "\n" MPAN ",2025-10-26 00:00,1\n" MPAN ",2025-10-26 00:30,2\n" MPAN
                ",2025-10-26 01:00,3\n",
                below);
}

static const char *march_long(const char *below)
{
    return JOIN(ROW_HEADER MPAN ",2026-03-29 00:30,1\n" MPAN ",2026-03-29 01:00,2\n" MPAN
                                ",2026-03-29 01:30,3\n" MPAN ",2026-03-29 02:00,4\n",
                below);
}

/* Midnight UTC is 01:00 on the clock. */
static void assert_zone(const char *text, int is_utc, const char *evidence)
{
    reading_t *r = read_text(text);

    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_warnings(r, "zone-not-known"), 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 1), is_utc ? "" : "1");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 3), is_utc ? "1" : "3");
    assert_non_null(strstr(r->layout->evidence, evidence));
    end_reading(r);
}

static void test_case_24_the_zone_that_a_line_states(void **state)
{
    static const char *const utc[] = {UTC, "Time Zone,UTC\n", "TIMEZONE = gmt\n", "Zone: UTC\n",
                                      "\"Report Time Zone: (UTC+00:00) London (Without Daylight "
                                      "Saving)\"\n"};
    static const char *const local[] = {
        LONDON, "Report Time Zone: (UTC+00:00) Dublin, Edinburgh, London (With Daylight Saving)\n",
        "Timezone: GMT/BST\n", "Time zone,,Local\n", "Zone,Europe/London\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]); i++) {
        assert_zone(october_wide("", utc[i]), 1, "; times are UTC (line 3: ");
        assert_zone(october_wide(utc[i], ""), 1, "; times are UTC (line 1: ");
        assert_zone(october_long("", "MPAN,Timestamp,kWh", utc[i]), 1, "; times are UTC (line 5: ");
        assert_zone(october_long(utc[i], "MPAN,Timestamp,kWh", ""), 1, "; times are UTC (line 1: ");
    }
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        assert_zone(october_wide("", local[i]), 0, "; times are local (line 3: ");
        assert_zone(october_long("", "MPAN,Timestamp,kWh", local[i]), 0,
                    "; times are local (line 5: ");
        /* a line goes before the header's words */
        assert_zone(october_long("", "MPAN,Timestamp (UTC),kWh", local[i]), 0,
                    "; times are local after all (line 5: ");
    }
    assert_zone(october_wide("", UTC), 1,
                "(line 3: Report Time Zone: (UTC) Coordinated Universal Time)");
}

static void test_case_24_the_hour_that_clocks_skip(void **state)
{
    reading_t *r = read_text(march_long(UTC));
    const char *starts = "";

    (void)state;
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 3), "2");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 5), "4");
    end_reading(r);
    /* what the file states goes before what its rows look like */
    r = read_text(march_long(LONDON));
    assert_int_equal(r->failed, 2);
    assert_string_equal(error_at(r, 0)->code, "no-such-time");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 3), "4");
    end_reading(r);
    for (int n = 0; n < 48; n++) {
        starts = apr_psprintf(pool, "%s,%02d:%02d", starts, n / 2, n % 2 * 30);
    }
    r = read_text(
        JOIN("MPAN,Date", starts, "\n" MPAN ",2026-03-29,", series(pool, "%d", 1, 48), "\n" UTC));
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 46), "46");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-30", 2), "48");
    end_reading(r);
}

static void test_case_24_what_goes_before_the_line(void **state)
{
    reading_t *r =
        read_text_given(october_wide("", UTC), "auto", (ecl_given_t){.timezone = "Europe/London"});

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 1), "1");
    assert_null(strstr(r->layout->evidence, "line 3"));
    end_reading(r);
    r = read_text(JOIN(ROW_HEADER MPAN ",2025-10-26T00:00:00+01:00,1\n" MPAN
                                       ",2025-10-26T00:30:00+01:00,2\n" UTC));
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 1), "1");
    assert_null(strstr(r->layout->evidence, "UTC"));
    end_reading(r);
}

static void test_case_24_a_zone_that_is_not_known(void **state)
{
    static const char *const lines[] = {
        "\"Report Time Zone: (UTC+01:00) Amsterdam, Berlin (With Daylight Saving)\"\n",
        "Time Zone: GMT Standard Time\n", "Timezone,Head office\n", "Time zone: not UTC\n",
        UTC LONDON};

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        reading_t *r = read_text(october_wide("", lines[i]));
        const told_t *told = &APR_ARRAY_IDX(r->warnings, 0, told_t);

        assert_int_equal(r->failed, 0);
        assert_int_equal(count_warnings(r, "zone-not-known"), 1);
        assert_string_equal(told->code, "zone-not-known");
        assert_non_null(strstr(told->message, i == 4 ? "line 4: Report Time" : "line 3: "));
        assert_non_null(strstr(told->message, "they are read as local times"));
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 1), "1");
        end_reading(r);
    }
}

static void test_case_24_a_zone_below_a_sheet(void **state)
{
    workbook_t book = {.sheets = {{.name = "Data"}}};
    reading_t *r = make_reading();

    (void)state;
    book.sheets[0].rows =
        JOIN(row_of(pool, 1, JOIN("MPAN|Date|", bars(pool, "HH%d", 1, 48))),
             row_of(pool, 2, JOIN(MPAN "|2025-10-26|", bars(pool, "%d", 1, 48))),
             row_of(pool, 4, "Report Time Zone: (UTC) Coordinated Universal Time"));
    write_workbook(r, &book);
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 3), "1");
    assert_non_null(strstr(r->layout->evidence, "times are UTC (sheet \"Data\", line 4: "));
    end_reading(r);
}

static void test_case_24_rows_and_headers_state_no_zone(void **state)
{
    reading_t *r = read_text("Zone,MPAN,Timestamp,kWh\nZone: UTC," MPAN
                             ",2025-10-26 00:00,1\nTime Zone UTC," MPAN ",2025-10-26 00:30,2\n");

    (void)state;
    assert_int_equal(r->imported, 2);
    assert_int_equal(r->warnings->nelts, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 1), "1");
    end_reading(r);
    /* of a site called so, a row that can't be read is still one that failed */
    r = read_text(JOIN("Site,Meter Number,Timestamp,kWh\nZone 3,INV0042,2025-10-26 00:00,1\n"
                       "Zone 3,INV0042,soon,2\n"));
    assert_error(r, 3, "Timestamp", "bad-date", "soon");
    end_reading(r);
}

static void test_case_25_lines_of_a_report_and_totals(void **state)
{
    reading_t *r = read_text(JOIN("Report generated,2026-02-03,by John\n", HH_HEADER,
                                  hh_row(MPAN, "2026-02-01", "0.5"), "Grand Total,,24\n",
                                  "Report generated,2026-02-03,by John\n"));

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    assert_int_equal(r->skipped, 2);
    assert_int_equal(r->errors->nelts, 0);
    end_reading(r);
}

static void test_case_26_the_header_again(void **state)
{
    reading_t *r = read_text(JOIN(HH_HEADER, hh_row(MPAN, "2026-02-01", "0.5"), HH_HEADER,
                                  hh_row(MPAN2, "2026-02-01", "0.75")));

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    assert_day(r, MPAN2, "2026-02-01", "0.75");
    assert_int_equal(r->skipped, 1);
    end_reading(r);
    r = read_text("#F2\n#O " MPAN "\n#S 1\n01/02/2026,00:30,0.5,A\n#F2\n#O " MPAN2
                  "\n#S 1\n01/02/2026,00:30,0.75,A\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5");
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-01", 1), "0.75");
    end_reading(r);
}

static void test_case_27_a_column_without_a_name(void **state)
{
    reading_t *r = read_text(JOIN("siteRef,MPAN,ConsumptionDate,,", series(pool, "kWh_%d", 1, 48),
                                  "\nS1," MPAN ",01/02/2026,9,", times_48("0.5"), "\n"));

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    end_reading(r);
}

static void test_case_28_rows_that_are_shifted(void **state)
{
    const char *header = JOIN("MPAN,Date,Total,", series(pool, "HH%d", 1, 48), "\n");
    reading_t *r = read_text(JOIN(header, MPAN ",2026-02-01,24,", times_48("0.5"),
                                  "\n" MPAN ",2026-02-02,,24,", times_48("0.5"), "\n"));

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    assert_error(r, 3, NULL, "too-many-fields", "52 cells");
    assert_int_equal(count_readings(r), 48);
    end_reading(r);
    /* without a header the sum gives the total away */
    r = read_text(JOIN(MPAN ",2026-02-01,24,", times_48("0.5"), "\n"));
    assert_day(r, MPAN, "2026-02-01", "0.5");
    assert_int_equal(count_readings(r), 48);
    end_reading(r);
    /* and a number that is no total can't be told from a reading */
    r = read_text(JOIN(MPAN ",2026-02-01,17,", times_48("0.5"), "\n"));
    assert_refused(r, "not-meter-data", "no meter readings");
    end_reading(r);
}

static void test_case_29_names_that_come_twice(void **state)
{
    const char *names = series(pool, "HH%d", 1, 50);
    reading_t *r = read_text(JOIN("MPAN,Date,", names, ",Total,", names, "\n" MPAN ",01/02/2026,",
                                  times_48("0.5"), ",,,24,", times_48("E"), ",,\n"));
    const char *pairs = "MPAN,Date", *row = "\n" MPAN ",01/02/2026";

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    assert_int_equal(flag_at(r, "2026-02-01", 48), ECL_FLAG_ESTIMATED);
    end_reading(r);
    for (int i = 1; i <= 48; i++) {
        pairs = JOIN(pairs, ",", apr_psprintf(pool, "HH%02d,Type", i));
        row = JOIN(row, ",0.5,", i == 9 ? "E" : "A");
    }
    r = read_text(JOIN(pairs, row, "\n"));
    assert_day(r, MPAN, "2026-02-01", "0.5");
    assert_int_equal(flag_at(r, "2026-02-01", 9), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-02-01", 10), ECL_FLAG_ACTUAL);
    end_reading(r);
}

static void test_case_30_flags_before_and_after(void **state)
{
    (void)state;
    for (int before = 1; before >= 0; before--) {
        const char *header = "MPAN,Date", *row = "\n" MPAN ",01/02/2026";
        reading_t *r;

        for (int i = 1; i <= 48; i++) {
            const char *flag = i == 9 ? "E" : "A";

            header = before
                         ? apr_psprintf(pool, "%s,interval_%d_indicator,interval_%d", header, i, i)
                         : apr_psprintf(pool, "%s,HH%d,HH%d Flag", header, i, i);
            row = before ? apr_psprintf(pool, "%s,%s,%d", row, flag, i)
                         : apr_psprintf(pool, "%s,%d,%s", row, i, flag);
        }
        r = read_text(JOIN(header, row, "\n"));
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 9), "9");
        assert_int_equal(flag_at(r, "2026-02-01", 9), ECL_FLAG_ESTIMATED);
        assert_int_equal(flag_at(r, "2026-02-01", 8), ECL_FLAG_ACTUAL);
        end_reading(r);
    }
}

static void test_case_31_what_is_no_import(void **state)
{
    static const struct {
        const char *type, *channel;
    } types[] = {{"kVArh", "RI"},          {"RI", "RI"}, {"RE", "RE"},     {"LAG", NULL},
                 {"LEAD", NULL},           {"AE", "AE"}, {"Volume", NULL}, {"Active Export", "AE"},
                 {"Reactive Energy", "RI"}};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        reading_t *r =
            read_text(JOIN("MPAN,Date,Data Type,", series(pool, "HH%02d", 1, 48),
                           "\n" MPAN ",2026-02-01,", i % 2 ? "AI" : "kWh", ",", times_48("0.5"),
                           "\n" MPAN ",2026-02-01,", types[i].type, ",", times_48("7"), "\n"));

        assert_day(r, MPAN, "2026-02-01", "0.5");
        assert_int_equal(r->errors->nelts, 0);
        if (types[i].channel) {
            assert_string_equal(value_of(r, MPAN, types[i].channel, "2026-02-01", 48), "7");
        } else {
            assert_int_equal(count_readings(r), 48);
            assert_int_equal(count_warnings(r, "channel-skipped"), 1);
        }
        end_reading(r);
    }
}

static void test_case_32_no_header(void **state)
{
    reading_t *r = read_text(JOIN(MPAN ",01/02/2026,", times_48("0.5"), "\n"));

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    end_reading(r);
    r = read_text(JOIN(MPAN ",Z26X000101,01/02/2026,", times_48("0.5"), "\n"));
    assert_day(r, MPAN, "2026-02-01", "0.5");
    end_reading(r);
}

static void test_case_33_totals_are_no_readings(void **state)
{
    reading_t *r =
        read_text(JOIN("MPAN,Date,Total kWh,MaxDemand,", series(pool, "HH%d", 1, 48),
                       ",Grand Total\n" MPAN ",2026-02-01,24,9.5,", times_48("0.5"), ",24\n"));

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    assert_int_equal(count_readings(r), 48);
    end_reading(r);
    /* but a checksum: a row that differs from it is told */
    r = read_text(JOIN("MPAN,Date,Total kWh,", series(pool, "HH%d", 1, 48),
                       "\n" MPAN ",2026-02-01,24,", times_48("0.5"), "\n" MPAN ",2026-02-02,24.01,",
                       times_48("0.5"), "\n" MPAN ",2026-02-03,25,", times_48("0.5"), "\n"));
    assert_int_equal(count_readings(r), 3 * 48);
    assert_int_equal(count_warnings(r, "total-differs"), 1);
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message, "line 4"));
    assert_non_null(strstr(r->layout->evidence, "checked against column Total kWh"));
    end_reading(r);
    /* of something else it is none */
    r = read_text(JOIN("MPAN,Date,Total,", series(pool, "HH%d", 1, 48),
                       "\n" MPAN ",2026-02-01,81024,", times_48("0.5"), "\n"));
    assert_int_equal(count_warnings(r, "total-differs"), 0);
    end_reading(r);
}

static void test_case_34_zeros_in_the_last_two_of_fifty(void **state)
{
    static const struct {
        const char *last;
        int is_error;
    } rows[] = {{",0,0", 0}, {",,", 0}, {",0.000,-", 0}, {",0,0.4", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        reading_t *r =
            read_text(JOIN("MPAN,Date,", series(pool, "%d", 1, 50), "\n" MPAN ",2026-02-01,",
                           times_48("0.5"), rows[i].last, "\n"));

        if (rows[i].is_error) {
            assert_error(r, 2, "50", "no-such-period", "48 half-hours");
        } else {
            assert_day(r, MPAN, "2026-02-01", "0.5");
        }
        end_reading(r);
    }
}

static void test_case_35_a_workbook(void **state)
{
    const char *times = "#0.0208333333333333", *rows[2];
    workbook_t book = {.is_1904 = 1,
                       .sheets = {{.name = "AI"}, {.name = "RI", .state = "hidden"}, {"Legend"}}};
    reading_t *r = make_reading();

    (void)state;
    for (int i = 2; i <= 48; i++) {
        times = apr_psprintf(pool, "%s|#%.15f", times, i % 48 / 48.0);
    }
    for (int i = 0; i < 2; i++) {
        /* 44592 days after 1 January 1904; a formula, and the value it had when saved */
        const char *row =
            row_of(pool, 2, JOIN(MPAN "|@44592|", bars(pool, i ? "%d.25" : "%d.5", 1, 48)));
        char *formula = strstr(apr_pstrdup(pool, row), "<v>1.");

        rows[i] =
            JOIN(row_of(pool, 1, JOIN("Mpan|Settlement Date|", times)),
                 apr_pstrmemdup(pool, row, strlen(row) - strlen(formula)), "<f>A1*2</f>", formula);
    }
    book.sheets[0].rows = rows[0];
    book.sheets[1].rows = rows[1];
    book.sheets[2].rows = row_of(pool, 1, "A|Actual");
    write_workbook(r, &book);
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(count_readings(r), 96);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48.5");
    assert_string_equal(value_of(r, MPAN, "RI", "2026-02-01", 48), "48.25");
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_24_lines_above_and_below_a_report),
        cmocka_unit_test(test_case_24_the_zone_that_a_line_states),
        cmocka_unit_test(test_case_24_the_hour_that_clocks_skip),
        cmocka_unit_test(test_case_24_what_goes_before_the_line),
        cmocka_unit_test(test_case_24_a_zone_that_is_not_known),
        cmocka_unit_test(test_case_24_a_zone_below_a_sheet),
        cmocka_unit_test(test_case_24_rows_and_headers_state_no_zone),
        cmocka_unit_test(test_case_25_lines_of_a_report_and_totals),
        cmocka_unit_test(test_case_26_the_header_again),
        cmocka_unit_test(test_case_27_a_column_without_a_name),
        cmocka_unit_test(test_case_28_rows_that_are_shifted),
        cmocka_unit_test(test_case_29_names_that_come_twice),
        cmocka_unit_test(test_case_30_flags_before_and_after),
        cmocka_unit_test(test_case_31_what_is_no_import),
        cmocka_unit_test(test_case_32_no_header),
        cmocka_unit_test(test_case_33_totals_are_no_readings),
        cmocka_unit_test(test_case_34_zeros_in_the_last_two_of_fifty),
        cmocka_unit_test(test_case_35_a_workbook),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
