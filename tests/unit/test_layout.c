/* Finding a file's layout from its content. */
#include "pool_fixture.h"
#include "reading.h"

#include "worker/layout_internal.h"

/* s with every a replaced by b */
static const char *swap(const char *s, char a, char b)
{
    char *copy = apr_pstrdup(pool, s);

    for (char *at = copy; *at; at++) {
        *at = *at == a ? b : *at;
    }
    return copy;
}

static const char *wide(void)
{
    return apr_psprintf(pool, "MPAN,Date,%s\n" MPAN ",2026-02-01,%s\n" MPAN ",2026-02-02,%s\n",
                        series(pool, "HH%02d", 1, 48), series(pool, "%d.5", 1, 48),
                        series(pool, "%d.25", 1, 48));
}

/* ---- delimiter, header ------------------------------------------------------------------------
 */

static void test_delimiters(void **state)
{
    (void)state;
    for (const char *d = ",;\t|"; *d; d++) {
        reading_t *r = read_text(swap(wide(), ',', *d));

        assert_int_equal(r->layout->delimiter, *d);
        assert_int_equal(r->layout->decimal_point, '.');
        assert_int_equal(count_readings(r), 96);
        end_reading(r);
        r = read_text(apr_psprintf(pool, "sep=%c\n%s", *d, swap(wide(), ',', *d)));
        assert_int_equal(r->layout->delimiter, *d);
        assert_int_equal(count_readings(r), 96);
        end_reading(r);
    }
}

static void test_decimal_comma(void **state)
{
    reading_t *r = read_text(swap(swap(wide(), ',', ';'), '.', ','));

    (void)state;
    assert_int_equal(r->layout->delimiter, ';');
    assert_int_equal(r->layout->decimal_point, ',');
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 3), "3.5");
    assert_non_null(strstr(r->layout->evidence, "decimal comma"));
    end_reading(r);
    /* without a header, where each comma is also a cell's end */
    r = read_text(strchr(swap(swap(wide(), ',', ';'), '.', ','), '\n') + 1);
    assert_int_equal(r->layout->delimiter, ';');
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 48), "48.25");
    end_reading(r);
    /* the points of words are not those of numbers */
    r = read_text("MPAN;Date;kWh\n" MPAN ";2026-02-01;0,5\n" MPAN ";2026-02-02;n.a.\n" MPAN
                  ";2026-02-03;1.234,5 kWh\n");
    assert_int_equal(r->layout->decimal_point, ',');
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 1), "1234.5");
    assert_error(r, 3, "kWh", "bad-value", "n.a.");
    end_reading(r);
    /* separators of thousands are none of decimals */
    r = read_text("MPAN,Date,kWh\n" MPAN ",2026-02-01,\"1,234.5\"\n" MPAN ",2026-02-02,1.5\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1234.5");
    end_reading(r);
}

static void test_preamble(void **state)
{
    reading_t *r = read_text(apr_pstrcat(
        pool,
        "Half hourly data; all sites\nReport Date,12/07/23 00:00:00\n\"Run by\",\"J, Smith\"\n\n",
        wide(), "\n\"Report Time Zone: (UTC+00:00) London (With Daylight Saving)\"\n", NULL));

    (void)state;
    assert_int_equal(r->layout->header_record, 4);
    assert_non_null(strstr(r->layout->evidence, "header on line 5 (above it are no readings"));
    assert_int_equal(r->layout->first_record, 5);
    assert_int_equal(count_readings(r), 96);
    assert_int_equal(r->failed, 0);
    assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).line, 6);
    end_reading(r);
}

static void test_byte_order_mark_and_line_ends(void **state)
{
    reading_t *r = read_text(apr_pstrcat(pool, "\xef\xbb\xbf\"MPAN\"", wide() + 4, NULL));

    (void)state;
    assert_string_equal(r->layout->names[0], "MPAN");
    assert_int_equal(count_readings(r), 96);
    end_reading(r);
    r = read_text(swap(wide(), '\n', '\r'));
    assert_int_equal(count_readings(r), 96);
    end_reading(r);
}

static void test_no_header(void **state)
{
    static const char *const firsts[] = {MPAN ",", MPAN ",E04M00872,", "Site 7," MPAN ",",
                                         "11020107,K0299999D9,"};

    (void)state;
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        reading_t *r = read_text(apr_psprintf(pool, "%s01/02/26,%s\n%s02/02/26,%s\n", firsts[i],
                                              series(pool, "%d.5", 1, 48), firsts[i],
                                              series(pool, "%d.25", 1, 48)));

        assert_int_equal(r->layout->header_record, 0);
        assert_int_equal(r->layout->first_record, 1);
        assert_string_equal(value_of(r, i < 3 ? MPAN : "11020107", "AI", "2026-02-02", 48),
                            "48.25");
        end_reading(r);
    }
    {
        /* two zeros after the 48 values: no half-hours of an ordinary day */
        reading_t *r =
            read_text(apr_psprintf(pool, MPAN ",01/02/26,%s,0,0\n", series(pool, "%d.5", 1, 48)));

        assert_int_equal(count_readings(r), 48);
        end_reading(r);
    }
}

/* ---- value columns ----------------------------------------------------------------------------
 */

/* The n-th label (from 0) of a spelling. */
static const char *spell(const char *spelling, int n, int is_end)
{
    int minute = 30 * (n + is_end), hour = minute / 60, half = minute % 60;
    const char *out = "";

    for (const char *c = spelling; *c; c++) {
        switch (*c) {
        case '\\': /* the next letter as it is */
            out = apr_psprintf(pool, "%s%c", out, *++c);
            break;
        case 'H': /* two digits */
            out = apr_psprintf(pool, "%s%02d", out, hour);
            break;
        case 'h': /* as many as it takes */
            out = apr_psprintf(pool, "%s%d", out, hour);
            break;
        case 'M':
            out = apr_psprintf(pool, "%s%02d", out, half);
            break;
        case 'T': /* twelve hours */
            out = apr_psprintf(pool, "%s%d", out, hour % 12 ? hour % 12 : 12);
            break;
        case 'P':
            out = apr_psprintf(pool, "%s%s", out, hour % 24 < 12 ? "AM" : "PM");
            break;
        case 'X': /* 30, 100, 130 */
            out = apr_psprintf(pool, "%s%d", out, hour * 100 + half);
            break;
        case 'N':
            out = apr_psprintf(pool, "%s%d", out, n + 1);
            break;
        case 'Z':
            out = apr_psprintf(pool, "%s%02d", out, n + 1);
            break;
        default:
            out = apr_psprintf(pool, "%s%c", out, *c);
        }
    }
    return out;
}

static void check_spelling(const char *spelling, int is_end, const char *last)
{
    const char *text = "MPAN,Date";
    reading_t *r;

    for (int i = 0; i < 48; i++) {
        text =
            apr_pstrcat(pool, text, ",", i == 47 && last ? last : spell(spelling, i, is_end), NULL);
    }
    text = apr_psprintf(pool, "%s\n" MPAN ",2026-02-01,%s\n", text, series(pool, "%d", 1, 48));
    r = read_text(text);
    if (r->status != APR_SUCCESS || r->layout->kind != ECL_LAYOUT_WIDE) {
        fail_msg("%s is not taken for value columns", spell(spelling, 0, is_end));
    }
    assert_int_equal(r->layout->value_count, 48);
    assert_int_equal(r->layout->labels_are_ends, is_end);
    assert_int_equal(count_readings(r), 48);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48");
    end_reading(r);
}

static void test_spellings_of_value_columns(void **state)
{
    static const char *const starts[] = {"H:M",
                                         "\\HHM",
                                         "\\hrHM",
                                         "readingHM",
                                         "consumption\\H\\H_H_M_00",
                                         "\"T:M P\"",
                                         " Consumption H:M P",
                                         "importHM",
                                         "X",
                                         "H:M:00",
                                         "\\h\\hZ",
                                         "\\H\\HN",
                                         "kW\\h_N",
                                         "Kw\\hN",
                                         "IDN",
                                         "interval_N",
                                         "N",
                                         "Consumption(KW\\h) \\H\\HN",
                                         "[H:M]",
                                         "h:M",
                                         "Active Import H:M"};
    static const struct {
        const char *spelling, *last;
    } ends[] = {
        {"H:M", "00:00"},       {"H:M", "24:00"},    {"[H:M]", NULL},    {"h:M", "0:00"},
        {"H:M:00", "00:00:00"}, {"H:M", "00:00:00"}, {"\\HHM", "H2400"}, {"\\hrHM", "hr0000"},
        {"X", "2400"},          {"X", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        check_spelling(starts[i], 0, NULL);
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        check_spelling(ends[i].spelling, 1, ends[i].last);
    }
}

static void test_labels(void **state)
{
    static const struct {
        const char *text;
        int is_label, number, minute;
        const char *prefix, *suffix;
    } cases[] = {
        {"HH01", 1, 1, 1, "hh", ""},
        {"13:00 PM", 1, -1, 780, "", ""},
        {"12:00 AM", 1, -1, 0, "", ""},
        {"12:30 PM", 1, -1, 750, "", ""},
        {"00:30 - 01:00", 1, -1, 30, "", ""},
        {"23:30 - 00:00", 1, -1, 1410, "", ""},
        {"interval_1_indicator", 1, 1, 1, "interval", "indicator"},
        {"00:00_Act_Est", 1, -1, 0, "", "actest"},
        {"DST +0:30", 1, -1, 30, "dst", ""},
        {"24:00", 1, -1, 1440, "", ""},
        {"0.30", 1, -1, 30, "", ""},
        {"00.30", 1, -1, 30, "", ""},
        {"13.30", 1, -1, 810, "", ""},
        {"0.5", 1, -1, 720, "", ""}, /* of a spreadsheet's day */
        {"0.0208333333333333", 1, -1, 30, "", ""},
        {"25:00", 1, -1, -1, "", ""},
        {"00:30:15", 1, -1, -1, "", ""},
        {"M1_Code1", 0, 0, 0, "", ""},
        {"Date", 0, 0, 0, "", ""},
        {"12345", 0, 0, 0, "", ""},
        {"", 0, 0, 0, "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char prefix[ECL_WORD_MAX], suffix[ECL_WORD_MAX];
        int number, minute;

        assert_int_equal(
            ecl_label_parse(cases[i].text, strlen(cases[i].text), prefix, suffix, &number, &minute),
            cases[i].is_label);
        if (cases[i].is_label) {
            assert_int_equal(number, cases[i].number);
            assert_int_equal(minute, cases[i].minute);
            assert_string_equal(prefix, cases[i].prefix);
            assert_string_equal(suffix, cases[i].suffix);
        }
    }
}

/* A header of 48 pairs, value and flag in the order given; the second value is estimated. */
static void check_pairs(const char *value_fmt, const char *flag_name, int is_flag_first)
{
    const char *text = "MPAN,Date", *cells = "";
    reading_t *r;

    for (int i = 0; i < 48; i++) {
        const char *value = spell(value_fmt, i, 0), *flag = spell(flag_name, i, 0);

        text = apr_pstrcat(pool, text, ",", is_flag_first ? flag : value, ",",
                           is_flag_first ? value : flag, NULL);
        cells = is_flag_first ? apr_psprintf(pool, "%s,%s,%d", cells, i == 1 ? "E" : "A", i + 1)
                              : apr_psprintf(pool, "%s,%d,%s", cells, i + 1, i == 1 ? "E" : "A");
    }
    r = read_text(apr_psprintf(pool, "%s,File Name\n" MPAN ",2026-02-01%s,a.csv\n", text, cells));
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_readings(r), 48);
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ACTUAL);
    assert_int_equal(flag_at(r, "2026-02-01", 2), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-02-01", 3), ECL_FLAG_ACTUAL);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "2");
    end_reading(r);
}

static void test_flags_beside_values(void **state)
{
    (void)state;
    check_pairs("H:M", "H:M Flag", 0);
    check_pairs("H:M", "Flag", 0);
    check_pairs("H:M", "DQ Flag", 0);
    check_pairs("kW\\h_N", "Data \\Marker", 0);
    check_pairs("kW\\h_N", "", 0);
    check_pairs("interval_N", "interval_N_indicator", 1);
    check_pairs("\\H\\HN", "Read\\Type\\H\\HN", 1);
    check_pairs(" Consumption H:M P", " Estimated / Actual H:M P", 0);
}

static void test_flags_in_a_second_block(void **state)
{
    static const char *const names[] = {"UT%d", "HH%d", "P%d_Act_Est"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *flags = "A,E";
        reading_t *r;

        for (int n = 3; n <= 50; n++) {
            flags = apr_pstrcat(pool, flags, n < 49 ? ",A" : ",", NULL);
        }
        r = read_text(apr_psprintf(pool, "MPAN,Date,%s,Total,%s\n" MPAN ",2026-02-01,%s,,,99,%s\n",
                                   series(pool, "HH%d", 1, 50), series(pool, names[i], 1, 50),
                                   series(pool, "%d", 1, 48), flags));
        assert_int_equal(r->failed, 0);
        assert_int_equal(r->layout->block_count, 1);
        assert_int_equal(count_readings(r), 48);
        assert_int_equal(flag_at(r, "2026-02-01", 2), ECL_FLAG_ESTIMATED);
        assert_int_equal(flag_at(r, "2026-02-01", 48), ECL_FLAG_ACTUAL);
        end_reading(r);
    }
}

static void test_clock_change_pairs_with_flags(void **state)
{
    const char *text = "MPAN,Read Date", *cells = "";
    reading_t *r;

    (void)state;
    for (int i = 0; i < 48; i++) {
        text = apr_psprintf(pool, "%s, Consumption %02d:%02d, Estimated / Actual %02d:%02d", text,
                            i / 2, i % 2 * 30, i / 2, i % 2 * 30);
        cells = apr_psprintf(pool, "%s,%d,A", cells, i + 1);
    }
    r = read_text(apr_psprintf(pool,
                               "%s,Time Change 1 Cons,Time Change 1 Est,Time Change 2 Cons,Time "
                               "Change 2 Est\n" MPAN ",26/10/2025%s,101,E,102,A\n",
                               text, cells));
    assert_int_equal(count_readings(r), 50);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "101");
    assert_int_equal(flag_at(r, "2025-10-26", 5), ECL_FLAG_ESTIMATED);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 6), "102");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 7), "5");
    end_reading(r);
}

static void test_import_beside_export(void **state)
{
    const char *text = "MPAN,Date", *cells = "";
    reading_t *r;

    (void)state;
    for (int i = 0; i < 48; i++) {
        text = apr_psprintf(pool, "%s,import%02d%02d,export%02d%02d", text, i / 2, i % 2 * 30,
                            i / 2, i % 2 * 30);
        cells = apr_psprintf(pool, "%s,%d,%d", cells, i + 1, 100 + i);
    }
    r = read_text(apr_psprintf(pool, "%s\n" MPAN ",2026-02-01%s\n", text, cells));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48");
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 48), "147");
    end_reading(r);
}

/* ---- other columns ----------------------------------------------------------------------------
 */

static void test_the_identifier_is_chosen_by_content(void **state)
{
    static const struct {
        const char *header, *cells, *meter;
    } cases[] = {
        {"Site Id,MPAN,Date", MPAN ",Town Hall,2026-02-01", MPAN},
        {"MPAN,Meter Name,Date", "n/a," MPAN ",2026-02-01", MPAN},
        {"Channel,MPAN,Date", MPAN ",,2026-02-01", MPAN},
        {",Settlement Period", MPAN ",2026-02-01", MPAN},
        {"siteRef,MPAN,ConsumptionDate", "Town Hall," MPAN ",01/02/2026", MPAN},
        {"Site Id,Meter Number,Reading Date", "11020107,K0299999D9,01/02/26", "11020107"},
        {"Site Name,MSN,Date", "Town Hall,K0299999D9,01/02/26", "K0299999D9"},
        {"Site Name,Date", "Town Hall,01/02/26", "Town Hall"},
        {"M P A N  Core,settlement_date", MPAN ",2026-02-01", MPAN},
        {"mpxn,msn,reading_date", "E06BG99999,K02,2026-02-01", "E06BG99999"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = read_text(apr_psprintf(pool, "%s,%s\n%s,%s\n", cases[i].header,
                                              series(pool, "%d", 1, 48), cases[i].cells,
                                              series(pool, "%d.5", 1, 48)));

        assert_int_equal(r->failed, 0);
        assert_string_equal(value_of(r, cases[i].meter, "AI", "2026-02-01", 1), "1.5");
        end_reading(r);
    }
}

static void test_totals_are_no_readings(void **state)
{
    static const char *const totals[] = {"Total",
                                         "Consumption (kWh)",
                                         "Total Units",
                                         "MaxDemand",
                                         "Sum HH Consumption (for the day)",
                                         "consumptionNHH"};

    (void)state;
    for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
        reading_t *r = read_text(
            apr_psprintf(pool, "MPAN,Date,%s,%s,Grand Total\n" MPAN ",2026-02-01,99999,%s,99999\n",
                         totals[i], series(pool, "P%d", 1, 48), series(pool, "%d", 1, 48)));

        assert_int_equal(count_readings(r), 48);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1");
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48");
        end_reading(r);
    }
}

static void test_names_of_long_columns(void **state)
{
    static const struct {
        const char *header, *row;
    } cases[] = {
        {"MPR,ReadDatetime,kWh,ReadType", MPAN ",01 Feb 2026 00:30:00,7,Actual"},
        {"MPAN core, Channel Type, Time, Value, Status", MPAN ", ACTIVE, 2026-02-01 00:30, 7, A"},
        {"Mpan,Read date,Time,Site Name, Actual (KWH)", MPAN ",01/02/2026,00:30,Town Hall,7"},
        {"Fuel,Meter Point,Date,Time Slot,Consumption,Company",
         "Electricity," MPAN ",01/02/2026,00:30 to 01:00,7,X Ltd"},
        {"MPAN,Timestamp,Consumption (kwh),Estimated Cost Inc. Tax (p)",
         MPAN ",2026-02-01T00:30:00+00:00,7,99"},
        {"LCLid,DateTime,KWH/hh (per half hour) ", MPAN ",2026-02-01 00:30:00.0000000, 7 "},
        {"meter_identifier,interval_start,quantity", MPAN ",2026-02-01 00:30,7"},
        {"MPRN,Date,Time,Meter Units,Meter Read,Consumption,KWH",
         MPAN ",01/02/2026,00:30,,123456,5,7"},
        {"MPAN,Time,Date,Value", MPAN ",00:30,01/02/2026,7"},
        {"MPAN,Value,Taken", MPAN ",7,01/02/2026 00:30"},
        {"MPAN;READ_DATE_TIME;Read Value", MPAN ";01.02.2026 00:30;7"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = read_text(apr_psprintf(pool, "%s\n%s\n", cases[i].header, cases[i].row));

        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->layout->kind, ECL_LAYOUT_LONG);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "7");
        end_reading(r);
    }
}

static void test_completeness_is_no_flag(void **state)
{
    reading_t *r = read_text(apr_psprintf(
        pool, "MPAN,Reading Date,Data Quality(%% Complete),%s\n" MPAN ",01/02/26,97.9,%s\n",
        series(pool, "%d", 1, 48), series(pool, "%d", 1, 48)));

    (void)state;
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ACTUAL);
    assert_int_equal(r->warnings->nelts, 0);
    end_reading(r);
}

static void test_data_type_column(void **state)
{
    reading_t *r = read_text(apr_psprintf(pool,
                                          "Site Id,Meter Number,Data Type,Reading Date,%s\n" MPAN
                                          ",K1,kWh,01/02/26,%s\n" MPAN ",K1,kVArh,01/02/26,%s\n",
                                          series(pool, "%d", 1, 48), series(pool, "%d", 1, 48),
                                          series(pool, "%d.5", 1, 48)));

    (void)state;
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "2");
    assert_string_equal(value_of(r, MPAN, "RI", "2026-02-01", 2), "2.5");
    end_reading(r);
}

/* ---- dates ------------------------------------------------------------------------------------
 */

static void test_order_of_day_and_month(void **state)
{
    reading_t *r = read_text("MPAN,Date,kWh\n" MPAN ",01/02/2026,1\n" MPAN ",13/02/2026,2\n");
    const char *text = "MPAN,Date,kWh\n";

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1");
    end_reading(r);
    r = read_text("MPAN,Date,kWh\n" MPAN ",01/02/2026,1\n" MPAN ",01/13/2026,2\n");
    assert_int_equal(r->layout->date_order, ECL_ORDER_MDY);
    assert_non_null(strstr(r->layout->evidence, "month before day"));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-02", 1), "1");
    end_reading(r);
    /* both at once: days come first here, and the other one is an error */
    r = read_text("MPAN,Date,kWh\n" MPAN ",01/13/2026,1\n" MPAN ",13/01/2026,2\n");
    assert_int_equal(r->failed, 1);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-13", 1), "2");
    end_reading(r);
    /* the proof comes after the sample */
    for (int i = 0; i < 600; i++) {
        text = apr_psprintf(pool, "%sM%d,02/01/2026,%d\n", text, i, i);
    }
    r = read_text(apr_pstrcat(pool, text, "M1,02/13/2026,5\n", NULL));
    assert_int_equal(r->layout->date_order, ECL_ORDER_MDY);
    assert_string_equal(value_of(r, "M7", "AI", "2026-02-01", 1), "7");
    assert_non_null(strstr(r->layout->evidence, "month before day"));
    end_reading(r);
}

/* ---- harmless ---------------------------------------------------------------------------------
 */

static void test_very_wide_headers(void **state)
{
    static const int counts[] = {300, 4000};

    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const char *junk = series(pool, "column_%d", 1, counts[i]);
        reading_t *r =
            read_text(apr_psprintf(pool, "%s\n%s\n", junk, series(pool, "%d", 1, counts[i])));

        /* the first 50 of them are no half-hours, as the numbers run on */
        assert_int_equal(r->status, ECL_EINPUT);
        end_reading(r);
        r = read_text(apr_psprintf(pool, "MPAN,Date,%s,%s\n" MPAN ",2026-02-01,%s,%s\n",
                                   series(pool, "HH%d", 1, 48), junk, series(pool, "%d", 1, 48),
                                   series(pool, "%d", 1, counts[i])));
        assert_int_equal(count_readings(r), 48);
        end_reading(r);
        r = read_text(apr_psprintf(pool, "%s\n%s\n", swap(junk, '_', ':'), swap(junk, '_', ';')));
        assert_int_equal(r->status, ECL_EINPUT);
        end_reading(r);
    }
}

static void test_hostile_names_are_only_text(void **state)
{
    reading_t *r =
        read_text("MPAN,Date,kWh,<script>alert(1)</script>,%s%n\n" MPAN ",2026-02-01,%s%n,2,3\n");

    (void)state;
    assert_error(r, 2, "kWh", "bad-value", "\"%s%n\"");
    end_reading(r);
}

static void test_long_cells_are_shortened_in_messages(void **state)
{
    char *cell = apr_palloc(pool, 200001);
    reading_t *r;

    (void)state;
    for (int i = 0; i < 200000; i += 2) {
        memcpy(cell + i, "\xc3\xa9", 2);
    }
    cell[200000] = '\0';
    r = read_text(apr_psprintf(pool, "MPAN,Date,kWh\n" MPAN ",2026-02-01,x%s\n", cell));
    assert_error(r, 2, "kWh", "bad-value", "é…\" is not a number");
    assert_true(strlen(error_at(r, 0)->message) < 120);
    end_reading(r);
}

static void test_fingerprint(void **state)
{
    reading_t *a = read_text("MPAN,Date,kWh\n" MPAN ",2026-02-01,1\n");
    reading_t *b = read_text("mpan;DATE;kwh\n" MPAN2 ";2026-02-02;2\n");
    reading_t *c = read_text("MPAN,Date,kWh,Unit\n" MPAN ",2026-02-01,1,kWh\n");

    (void)state;
    assert_int_equal(strlen(a->layout->fingerprint), 64);
    assert_string_equal(a->layout->fingerprint, b->layout->fingerprint);
    assert_string_not_equal(a->layout->fingerprint, c->layout->fingerprint);
    end_reading(a);
    end_reading(b);
    end_reading(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delimiters),
        cmocka_unit_test(test_decimal_comma),
        cmocka_unit_test(test_preamble),
        cmocka_unit_test(test_byte_order_mark_and_line_ends),
        cmocka_unit_test(test_no_header),
        cmocka_unit_test(test_spellings_of_value_columns),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_flags_beside_values),
        cmocka_unit_test(test_flags_in_a_second_block),
        cmocka_unit_test(test_clock_change_pairs_with_flags),
        cmocka_unit_test(test_import_beside_export),
        cmocka_unit_test(test_the_identifier_is_chosen_by_content),
        cmocka_unit_test(test_totals_are_no_readings),
        cmocka_unit_test(test_names_of_long_columns),
        cmocka_unit_test(test_completeness_is_no_flag),
        cmocka_unit_test(test_data_type_column),
        cmocka_unit_test(test_order_of_day_and_month),
        cmocka_unit_test(test_very_wide_headers),
        cmocka_unit_test(test_hostile_names_are_only_text),
        cmocka_unit_test(test_long_cells_are_shortened_in_messages),
        cmocka_unit_test(test_fingerprint),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
