/*
 * Excel workbooks: cells as text, rows as records, sheets as tables; and what is refused.
 */
#include "start_apr.h"
#include "workbook.h"

#include <sys/stat.h>

#include "worker/xlsx_internal.h"

#define PATH "xl/worksheets/sheet1.xml"

/* ---- cells -------------------------------------------------------------------------------------
 */

static void test_numbers(void **state)
{
    static const struct {
        const char *text, *expected; /* NULL: no number */
    } cases[] = {
        {"2.200990050083E12", "2200990050083"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"0.29999999999999999", "0.3"},
        {"12.340000000000002", "12.340000000000002"},
        {"3.6000000000000001", "3.6"},
        {"1.5E-3", "0.0015"},
        {"1E-7", "0.0000001"},
        {"1E-30", "1E-30"},
        {"0.50", "0.5"},
        {"7.000", "7"},
        {"100", "100"},
        {"0", "0"},
        {"-0.0", "0"},
        {"-2.5", "-2.5"},
        {"+2.5", "2.5"},
        {".5", "0.5"},
        {"5.", "5"},
        {"2000000000024", "2000000000024"},
        {"999999999999999", "999999999999999"},
        /* a double keeps no more digits: as a spreadsheet shows it */
        {"8011001000990010948", "8.011001000990011E+18"},
        {"8.01100101303261E+18", "8.01100101303261E+18"},
        {"123456789.12345678", "123456789.12345678"},
        {"1e5", "100000"},
        {"inf", NULL},
        {"nan", NULL},
        {"0x1F", NULL},
        {"1e400", NULL},
        {"1.2.3", NULL},
        {"12a", NULL},
        {"1e", NULL},
        {"-", NULL},
        {".", NULL},
        {"", NULL},
    };
    char out[ECL_XLSX_NUMBER_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_size_t length =
            ecl_xlsx_number(cases[i].text, strlen(cases[i].text), ECL_SERIAL_NUMBER, 0, out);

        if ((length != 0) != (cases[i].expected != NULL) ||
            (length && strcmp(out, cases[i].expected))) {
            fail_msg("%s: %s", cases[i].text, length ? out : "no number");
        }
        if (length) {
            assert_int_equal(length, strlen(out));
            assert_true(strtod(out, NULL) == strtod(cases[i].text, NULL));
        }
    }
}

static void test_references(void **state)
{
    (void)state;
    assert_int_equal(ecl_xlsx_column("A1"), 0);
    assert_int_equal(ecl_xlsx_column("Z9"), 25);
    assert_int_equal(ecl_xlsx_column("AA10"), 26);
    assert_int_equal(ecl_xlsx_column("XFD1"), 16383);
    for (int i = 0; i < 16384; i++) {
        char letters[ECL_XLSX_LETTERS], reference[ECL_XLSX_LETTERS + 1];

        snprintf(reference, sizeof(reference), "%s1", ecl_xlsx_letters(i, letters));
        assert_int_equal(ecl_xlsx_column(reference), i);
    }
    assert_int_equal(ecl_xlsx_column("ABCD1"), -1);
    assert_int_equal(ecl_xlsx_column("A"), -1);
    assert_int_equal(ecl_xlsx_column("12"), -1);
    assert_int_equal(ecl_xlsx_column(""), -1);
}

static void test_escapes(void **state)
{
    static const char *const cases[][2] = {
        {"a_x000D__x000a_b", "a\r\nb"},
        {"_x00a3_", "\xc2\xa3"},
        {"_x20AC_", "\xe2\x82\xac"},
        {"_x0000_", "_x0000_"},
        {"_xD83D_", "_xD83D_"},
        {"_x000", "_x000"},
        {"_x00zz_", "_x00zz_"},
        {"_", "_"},
        {"_xfffe__xFFFF_", "_xfffe__xFFFF_"},
        {"_xFFFD_", "\xef\xbf\xbd"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[32];
        apr_size_t length;

        apr_cpystrn(text, cases[i][0], sizeof(text));
        length = ecl_xlsx_unescape(text, strlen(text));
        assert_int_equal(length, strlen(cases[i][1]));
        assert_memory_equal(text, cases[i][1], length);
    }
}

/* ---- records -----------------------------------------------------------------------------------
 */

/* Every record of a workbook as "line: raw". */
static const char *records_of(reading_t *r)
{
    ecl_records_t *records;
    ecl_record_t record;
    const char *text = "";
    apr_int64_t last_offset = 0;
    struct stat st;
    apr_pool_t *p;

    apr_pool_create(&p, r->pool);
    r->status = ecl_records_open(&records, r->path, ',', p, &r->result);
    while (r->status == APR_SUCCESS) {
        r->status = ecl_records_next(records, &record, &r->result);
        if (r->status == APR_SUCCESS) {
            assert_true(record.end_offset >= last_offset);
            last_offset = record.end_offset;
            text = apr_psprintf(r->pool, "%s%d: %s\n", text, (int)record.line, record.raw);
        }
    }
    apr_pool_destroy(p);
    assert_int_equal(stat(r->path, &st), 0);
    if (r->status == APR_EOF) { /* the sheets come last, and are not the larger part of it */
        assert_in_range(last_offset, st.st_size / 2, st.st_size);
    }
    assert_int_equal(unlink(r->path), 0);
    return text;
}

static const char *records_of_rows(reading_t *r, const char *rows)
{
    workbook_t book = {.strings = "<si><t>one</t></si>"
                                  "<si><r><t>t</t></r><r><t xml:space=\"preserve\">wo </t></r>"
                                  "<rPh><t>not this</t></rPh></si><si><t>a,\"b\"</t></si>",
                       .sheets = {{"Sheet1", NULL, rows}}};

    write_workbook(r, &book);
    return records_of(r);
}

static void test_cells_of_every_kind(void **state)
{
    reading_t *r = make_reading();

    (void)state;
    assert_string_equal(
        records_of_rows(
            r, "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c>"
               "<c r=\"C1\" t=\"s\"><v>2</v></c></row>"
               /* gaps, and rows that are not there, or have nothing in them */
               "<row r=\"3\"><c r=\"B3\"><v>1.50</v></c></row>"
               "<row r=\"4\"><c r=\"A4\" s=\"1\"/><c r=\"B4\" t=\"s\"/></row>"
               /* without references */
               "<row><c><v>1</v></c><c t=\"b\"><v>1</v></c><c t=\"b\"><v>0</v></c>"
               "<c t=\"b\"><v>true</v></c><c t=\"b\"><v>false</v></c><c t=\"b\"><v>2, no</v></c>"
               "</row>"
               "<row><c t=\"e\"><v>#N/A</v></c><c t=\"str\"><f>A1</f><v>text</v></c>"
               "<c><f>A3+1</f><v>2.5</v></c></row>"
               "<row><c><f>B3*2</f></c><c t=\"inlineStr\"><is><t>in</t><rPh><t>no</t></rPh>"
               "<r><t>line</t></r></is></c><c t=\"str\"><f>\"\"</f></c></row>"
               "<row><c s=\"1\"><v>45055</v></c><c s=\"2\"><v>45055.5</v></c>"
               "<c s=\"3\"><v>0.0208333333333333</v></c><c t=\"d\"><v>2024-03-31T00:30:00</v></c>"
               "<c s=\"99\"><v>7</v></c></row>"
               /* not computed yet: some programs leave the value out, some leave it empty */
               "<row><c><f>B3*2</f><v></v></c><c><f>C3&gt;1</f><v/></c>"
               "<c t=\"str\"><f>D3</f><v></v></c></row>"),
        "1: one,\"two \",\"a,\"\"b\"\"\"\n"
        "3: ,1.5,\n"
        "5: 1,TRUE,FALSE,TRUE,FALSE,\"2, no\"\n"
        "6: #N/A,text,2.5,,,\n"
        "7: =B3*2,inline,,,,\n"
        "8: 2023-05-09,2023-05-09 12:00:00,00:30,2024-03-31T00:30:00,7,\n"
        "9: =B3*2,=C3>1,,,,\n");
    assert_int_equal(r->status, APR_EOF);
    end_reading(r);
}

/* No spreadsheet writes such; an empty cell does not count. */
static void test_cells_in_no_order(void **state)
{
    reading_t *r = make_reading();

    (void)state;
    assert_string_equal(
        records_of_rows(r, "<row><c r=\"C1\"><v>3</v></c><c r=\"A1\"><v>1</v></c>"
                           "<c><v>2</v></c><c r=\"F1\"><v>6</v></c></row>"
                           "<row><c r=\"B2\" t=\"str\"><v></v></c><c r=\"B2\"><v>4</v></c>"
                           "<c r=\"A2\"><f>SUM(A1,B1)</f></c><c r=\"D2\"><v>1,5</v></c></row>"),
        "1: 1,2,3,,,6\n"
        "2: \"=SUM(A1,B1)\",4,,\"1,5\",,\n");
    assert_int_equal(r->status, APR_EOF);
    end_reading(r);
}

static void test_a_prefix_and_a_1904_workbook(void **state)
{
    reading_t *r = make_reading();
    workbook_t book = {
        .is_1904 = 1,
        .formats = "<numFmt numFmtId=\"164\" formatCode=\"dd/mm/yyyy\"/>",
        .styles = "<xf numFmtId=\"164\"/>",
        .sheets = {{"S", NULL, "<x:row><x:c s=\"0\"><x:v>43593</x:v></x:c></x:row>"}}};

    (void)state;
    write_workbook(r, &book);
    assert_string_equal(records_of(r), "1: 2023-05-09\n");
    end_reading(r);
}

/* More strings than are kept in memory, asked for in no order. */
static void test_strings_beyond_memory(void **state)
{
    enum { COUNT = 60000, LENGTH = 100 };
    reading_t *r = make_reading();
    char *strings = apr_palloc(r->pool, COUNT * (LENGTH + 24) + 1), *at = strings;
    char *rows = apr_palloc(r->pool, 400 * 80), *row = rows;
    const char *text, *from;
    workbook_t book = {.strings = strings, .sheets = {{"S", NULL, rows}}};

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        at += snprintf(at, LENGTH + 24, "<si><t>text %d %0*d</t></si>", i, LENGTH - 15, 1);
    }
    for (int i = 0; i < 400; i++) {
        row += snprintf(row, 80, "<row><c t=\"s\"><v>%d</v></c></row>", (i * 7919) % COUNT);
    }
    write_workbook(r, &book);
    text = records_of(r);
    assert_int_equal(r->status, APR_EOF);
    from = text;
    for (int i = 0; i < 400; i++) {
        int line, number;

        assert_int_equal(sscanf(from, "%d: text %d", &line, &number), 2);
        assert_int_equal(line, i + 1);
        assert_int_equal(number, (i * 7919) % COUNT);
        from = strchr(from, '\n') + 1;
    }
    end_reading(r);
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *rows, *code, *part;
    } cases[] = {
        {"<row><c t=\"s\"><v>3</v></c></row>", "bad-workbook", "text number 3 of 3"},
        {"<row><c t=\"s\"><v>x</v></c></row>", "bad-workbook", "\"x\""},
        {"<row><c t=\"wrong\"><v>1</v></c></row>", "bad-workbook", "unknown type"},
        {"<row><c r=\"1A\"><v>1</v></c></row>", "bad-workbook", "\"1A\""},
        {"<row r=\"5\"/><row r=\"5\"/>", "bad-workbook", "number is \"5\""},
        {"<row><c><v>1</v></c><row/></row>", "bad-workbook", "row 1: it holds another \"row\""},
        {"<row><c><v>1</v><c/></c></row>", "bad-workbook", "a cell holds another"},
        {"<row><c r=\"AB1\"><v>1</v></c><c r=\"AB1\"><v>2</v></c></row>", "bad-workbook",
         "row 1: it has two cells in column \"AB\""},
        {"<row><c>", "bad-xml", "sheet \"Sheet1\" is damaged"},
        {"<row><c><v>&unknown;</v></c></row>", "bad-xml", "undefined entity"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = make_reading();

        records_of_rows(r, cases[i].rows);
        assert_int_equal(r->status, ECL_EINPUT);
        assert_string_equal(r->result.code, cases[i].code);
        if (!strstr(r->result.detail, cases[i].part)) {
            fail_msg("%s: %s", cases[i].part, r->result.detail);
        }
        end_reading(r);
    }
}

/* A workbook whose only sheet is this text. */
static reading_t *read_sheet_part(const char *bytes, size_t length)
{
    static const char relations[] = "<Relationships><Relationship Id=\"r\" Type=\"x/worksheet\" "
                                    "Target=\"worksheets/sheet1.xml\"/></Relationships>";
    static const char workbook[] =
        "<workbook><sheets><sheet name=\"S\" r:id=\"r\"/></sheets></workbook>";
    const packed_file_t files[] = {
        {"xl/workbook.xml", workbook, sizeof(workbook) - 1},
        {"xl/_rels/workbook.xml.rels", relations, sizeof(relations) - 1},
        {PATH, bytes, length},
    };
    reading_t *r = make_reading();

    write_file(r, "", 0);
    pack_zip(r->path, files, 3, NULL);
    records_of(r);
    return r;
}

static void test_bombs(void **state)
{
    static const char laughs[] =
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"
        "<worksheet><sheetData><row><c t=\"str\"><v>&b;</v></c></row></sheetData></worksheet>";
    size_t length = 100 * 1024 * 1024;
    char *zeros;
    reading_t *r = read_sheet_part(laughs, sizeof(laughs) - 1);

    (void)state;
    assert_int_equal(r->status, ECL_EINPUT);
    assert_non_null(strstr(r->result.detail, "DOCTYPE"));
    end_reading(r);

    zeros = malloc(length);
    assert_non_null(zeros);
    memset(zeros, ' ', length);
    memcpy(zeros, "<worksheet>", 11);
    r = read_sheet_part(zeros, length);
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "archive-too-large");
    end_reading(r);

    memcpy(zeros, "<worksheet x=\"", 14);
    r = read_sheet_part(zeros, 3 * 1024 * 1024);
    assert_int_equal(r->status, ECL_EINPUT);
    assert_non_null(strstr(r->result.detail, "single tag"));
    end_reading(r);
    free(zeros);
}

/* Empty cells take nothing of the room for the others. */
static void test_a_row_that_just_fits(void **state)
{
    char *text = malloc(ECL_RECORD_MAX);
    reading_t *r = make_reading();
    const char *raw;

    (void)state;
    assert_non_null(text);
    memset(text, 'a', ECL_RECORD_MAX - 10);
    text[ECL_RECORD_MAX - 10] = '\0';
    raw = records_of_rows(r, apr_pstrcat(r->pool, "<row><c t=\"str\"><v>", text,
                                         "</v></c><c r=\"GR1\"><v>123</v></c><c><v>4</v></c></row>",
                                         NULL));
    assert_int_equal(r->status, APR_EOF);
    assert_int_equal(strlen(raw), 3 + ECL_RECORD_MAX - 10 + 199 + 3 + 2 + 1);
    assert_string_equal(raw + strlen(raw) - 7, ",123,4\n");
    free(text);
    end_reading(r);
}

static void test_a_row_that_is_too_long(void **state)
{
    size_t length = ECL_RECORD_MAX + 100;
    char *text = malloc(length + 200);
    reading_t *r = make_reading();
    workbook_t book = {.sheets = {{"S", NULL, text}}};
    ecl_records_t *records;
    ecl_record_t record;

    (void)state;
    memcpy(text, "<row><c t=\"str\"><v>", 19);
    memset(text + 19, 'a', length);
    memcpy(text + 19 + length,
           "</v></c></row><row><c r=\"GAA2\"><v>1</v></c></row><row><c><v>1</v></c></row>", 76);
    write_workbook(r, &book);
    assert_int_equal(ecl_records_open(&records, r->path, ',', r->pool, NULL), APR_SUCCESS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
        assert_int_equal(record.status, ECL_RECORD_TOO_LONG);
        assert_int_equal(record.count, 0);
    }
    assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
    assert_int_equal(record.status, ECL_RECORD_OK);
    assert_string_equal(record.raw, "1");
    assert_int_equal(unlink(r->path), 0);
    free(text);
    end_reading(r);
}

/* ---- sheets ------------------------------------------------------------------------------------
 */

static const char *wide_rows(apr_pool_t *p, const char *quantity, const char *value)
{
    const char *values = value;

    for (int i = 2; i <= 48; i++) {
        values = apr_pstrcat(p, values, "|", value, NULL);
    }
    return apr_pstrcat(
        p, row_of(p, 1, apr_pstrcat(p, "MeasurementQuantityId|", quantity, NULL)),
        row_of(p, 3, "Sum of total||Period"),
        row_of(p, 5,
               apr_pstrcat(p, "Mpan|Settlement Date|", bars(p, "%d", 1, 50), "|Grand Total", NULL)),
        row_of(p, 6, apr_pstrcat(p, MPAN "|@45055|", values, "|||48", NULL)),
        row_of(p, 7, apr_pstrcat(p, MPAN "|@45056|", values, NULL)),
        row_of(p, 8, "Grand Total||1|2|3"), NULL);
}

static void test_a_sheet_for_each_quantity(void **state)
{
    reading_t *r = make_reading();
    workbook_t book = {.sheets = {{"AI - Half Hourly", NULL, wide_rows(r->pool, "AI", "1.5")},
                                  {"RE - Half Hourly", "hidden", wide_rows(r->pool, "RE", "2.5")},
                                  {"Legend", NULL, row_of(r->pool, 2, "||Actual Read")},
                                  {"Empty", NULL, ""}}};

    (void)state;
    write_workbook(r, &book);
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(count_readings(r), 4 * 48);
    assert_string_equal(value_of(r, MPAN, "AI", "2023-05-09", 1), "1.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2023-05-10", 48), "1.5");
    assert_string_equal(value_of(r, MPAN, "RE", "2023-05-09", 1), "2.5");
    assert_string_equal(APR_ARRAY_IDX(r->days, 2, ecl_meter_day_t).unit, "kVArh");
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->skipped, 2);
    assert_int_equal(count_warnings(r, "hidden-sheet"), 1);
    assert_int_equal(count_warnings(r, "sheet-not-read"), 1);
    assert_non_null(strstr(r->layout->evidence, "sheet \"RE - Half Hourly\": "));
    assert_non_null(strstr(r->layout->evidence, "channel RE (as said above the table)"));
    end_reading(r);
}

/* Sheets of different layouts, and the sheet's name for a channel. */
static void test_a_layout_for_each_sheet(void **state)
{
    reading_t *r = make_reading();
    apr_pool_t *p = r->pool;
    const char *stamps = row_of(p, 1, "MPAN|Date|Time|kWh");
    workbook_t book = {.sheets = {{"kVArh Export", NULL, NULL}, {"Sheet2", NULL, NULL}}};

    (void)state;
    for (int i = 0; i < 48; i++) {
        stamps = apr_pstrcat(
            p, stamps, row_of(p, i + 2, apr_psprintf(p, MPAN2 "|@45055|#%.10f|0.25", i / 48.0)),
            NULL);
    }
    book.sheets[0].rows = apr_pstrcat(
        p, row_of(p, 1, apr_pstrcat(p, "MPAN|Date|", bars(p, "HH%02d", 1, 48), NULL)),
        row_of(p, 2, apr_pstrcat(p, MPAN "|@45055|", bars(p, "%d.5", 1, 48), NULL)),
        row_of(p, 3, apr_pstrcat(p, MPAN "|@45056|bad|", bars(p, "%d.5", 2, 48), NULL)), NULL);
    book.sheets[1].rows = stamps;
    write_workbook(r, &book);
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(count_readings(r), 96);
    assert_string_equal(value_of(r, MPAN, "RE", "2023-05-09", 2), "2.5");
    assert_string_equal(value_of(r, MPAN2, "AI", "2023-05-09", 48), "0.25");
    /* a rejected row says where it is from, and takes its channel with it */
    assert_error(r, 3, "HH01", "bad-value", "sheet \"kVArh Export\": \"bad\" is not a number");
    assert_non_null(strstr(error_at(r, 0)->raw, ",48.5"));
    assert_non_null(strstr(r->layout->header, "HH48"));
    assert_int_equal(r->layout->added_count, 1);
    assert_string_equal(r->layout->added[0][0], "Channel");
    assert_string_equal(r->layout->added[0][1], "RE");
    end_reading(r);
}

/* What the tables' own words say counts more than the name of a sheet. */
static void test_names_of_sheets(void **state)
{
    static const struct {
        const char *name, *other, *channel; /* NULL: the file is refused */
    } cases[] = {
        {"AE", "x", "AE"},
        {"Data", "x", "AI"},
        {"Export", "x", "AI"}, /* what somebody did with the data */
        {"Export", "Import", "AE"},
        {"Active Export", "x", "AE"},
        {"Reactive Import", "x", "RI"},
        {"re meters", "x", "AI"},
        {"kVA", "x", NULL},
        {"Max Demand", "x", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = make_reading();
        apr_pool_t *p = r->pool;
        workbook_t book = {
            .sheets = {
                {cases[i].name, NULL,
                 apr_pstrcat(
                     p, row_of(p, 1, apr_pstrcat(p, "MPAN|Date|", bars(p, "HH%02d", 1, 48), NULL)),
                     row_of(p, 2, apr_pstrcat(p, MPAN "|@45055|", bars(p, "%d", 1, 48), NULL)),
                     NULL)},
                {cases[i].other, NULL, row_of(p, 1, "nothing")}}};

        write_workbook(r, &book);
        read_file(r);
        assert_int_equal(r->status, cases[i].channel ? APR_SUCCESS : ECL_EINPUT);
        if (cases[i].channel) {
            assert_string_equal(value_of(r, MPAN, cases[i].channel, "2023-05-09", 5), "5");
        } else {
            assert_string_equal(r->result.code, "bad-unit");
        }
        end_reading(r);
    }
}

/* A General cell in a column of dates, by both systems; in CSV too (formats: case 40). */
static void test_day_numbers(void **state)
{
    reading_t *r = make_reading();
    apr_pool_t *p;
    workbook_t book = {.is_1904 = 1, .sheets = {{"S", NULL, NULL}}};

    (void)state;
    book.sheets[0].rows = apr_pstrcat(
        r->pool,
        row_of(r->pool, 1,
               apr_pstrcat(r->pool, "MPAN|Date|", bars(r->pool, "HH%02d", 1, 48), NULL)),
        row_of(r->pool, 2, apr_pstrcat(r->pool, MPAN "|43593|", bars(r->pool, "%d", 1, 48), NULL)),
        NULL);
    write_workbook(r, &book);
    read_file(r);
    assert_string_equal(value_of(r, MPAN, "AI", "2023-05-09", 7), "7");
    assert_non_null(strstr(r->layout->evidence, "day numbers, from 1904 on"));
    end_reading(r);

    apr_pool_create(&p, NULL);
    r = read_text(apr_psprintf(p, "MPAN,Date,%s\n" MPAN ",45055,%s\n", series(p, "HH%02d", 1, 48),
                               series(p, "%d", 1, 48)));
    apr_pool_destroy(p);
    assert_string_equal(value_of(r, MPAN, "AI", "2023-05-09", 7), "7");
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_cells_of_every_kind),
        cmocka_unit_test(test_cells_in_no_order),
        cmocka_unit_test(test_a_prefix_and_a_1904_workbook),
        cmocka_unit_test(test_strings_beyond_memory),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_a_row_that_just_fits),
        cmocka_unit_test(test_a_row_that_is_too_long),
        cmocka_unit_test(test_a_sheet_for_each_quantity),
        cmocka_unit_test(test_a_layout_for_each_sheet),
        cmocka_unit_test(test_names_of_sheets),
        cmocka_unit_test(test_day_numbers),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
