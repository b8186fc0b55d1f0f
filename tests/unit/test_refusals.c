/* Files that are no meter data, or whose layout can't be told: each refused in words of its own. */
#include "pool_fixture.h"
#include "reading.h"

static void test_refusals(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *code, *part;
    } cases[] = {
#define FILE_OF(literal) literal, sizeof(literal) - 1
        {FILE_OF(""), "empty-file", "empty"},
        {FILE_OF("\n\r\n  \n"), "empty-file", "empty"},
        {FILE_OF("\xef\xbb\xbf"), "empty-file", "empty"},
        {FILE_OF("sep=,\n"), "no-readings", "sep="},
        {FILE_OF("MPAN,Date,kWh\n"), "no-readings", "line 1"},
        {FILE_OF("a report\n\nMPAN,Date,kWh"), "no-readings", "line 3"},
        {FILE_OF("<!DOCTYPE html><html><body>Log in</body></html>"), "not-meter-data", "web page"},
        {FILE_OF("\n <HTML>\n"), "not-meter-data", "web page"},
        {FILE_OF("100,NEM12,202510210000,A,B\n200,1,E1,1,E1,N1,1,kWh,30,\n"), "not-meter-data",
         "Australian market"},
        {FILE_OF("\"100\",\"NEM12\",202510210000,A,B\n"), "not-meter-data", "Australian market"},
        {FILE_OF("UNA:+.? 'UNB+UNOC:3+A+B'"), "not-meter-data", "EDIFACT"},
        {FILE_OF("ISA*00*          *00*"), "not-meter-data", "X12"},
        {FILE_OF("MEPMD01,20260201,A\n"), "not-meter-data", "CMEP"},
        {FILE_OF("{\\rtf1 MPAN}"), "not-meter-data", "RTF"},
        {FILE_OF("<html><body><TABLE><tr><td>MPAN</td></tr></TABLE>"), "not-meter-data",
         "save it as .xlsx or CSV"},
        {FILE_OF("\r\n<table border=1>\n<tr><th>MPAN"), "not-meter-data", "with a table (HTML)"},
        {FILE_OF(
             "<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook/>"),
         "not-meter-data", "XML Spreadsheet 2003"},
        {FILE_OF("<Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">"),
         "not-meter-data", "XML Spreadsheet 2003"},
        {FILE_OF("\xd0\xcf\x11\xe0....W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0"), "not-text", ".doc"},
        {FILE_OF("\x09\x08\x08\0\0\x05\x10\0"), "not-text", "very old kind"},
        {FILE_OF("SQLite format 3\0"), "not-text", "database"},
        {FILE_OF("PAR1\x15"), "not-text", "Parquet"},
        {FILE_OF("II*\0\x08\0\0\0"), "not-text", "TIFF"},
        {FILE_OF("<?xml version=\"1.0\"?><feed/>"), "not-meter-data", "XML"},
        {FILE_OF("{\"data\": []}"), "not-meter-data", "no meter readings"},
        {FILE_OF("[ {\"a\": 1}]"), "not-meter-data", "no meter readings"},
        {FILE_OF("\x89PNG\r\n\x1a\n"), "not-text", "PNG"},
        {FILE_OF("\xff\xd8\xff\xe0 JFIF"), "not-text", "JPEG"},
        {FILE_OF("%PDF-1.4"), "not-text", "PDF"},
        {FILE_OF("PK\x03\x04........readings.csv......"), "archive-damaged", "zip"},
        {FILE_OF("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "not-text", ".xls"},
        {FILE_OF("\xff\xfeM\0P\0A\0N\0"), "not-meter-data", "MPAN"},
        {FILE_OF("\xfe\xff\0<\0h\0t\0m\0l"), "not-meter-data", "web page"},
        {FILE_OF("\x01\x02\x03\0\0\0\xff\xfe\xfd"), "not-text", "not text"},
        {FILE_OF("MPAN,Date,kWh,Cost (\x81)\n" MPAN ",2026-02-01,1,2\n"), "not-text", "line 1"},
        {FILE_OF("name,address,postcode,site_type\nA,B,C,office\n"), "not-meter-data",
         "list of sites"},
        {FILE_OF("ZHV|0000000042|D0010002|D|\n026|1000000000012|V|\n"), "not-meter-data",
         "cumulative"},
        {FILE_OF("ZHV|0000000042|D0275001|C|\n"), "not-meter-data", "D0275"},
        {FILE_OF("#F2\n#O 1000000000012\n"), "no-readings", "Stark DF2"},
        {FILE_OF("Date,kWh\n2026-02-01,5\n"), "no-meter-column", "names no meter"},
        {FILE_OF(
             "Consumption (kWh), Start, End\n0.1, 2026-02-01T00:00:00Z, 2026-02-01T00:30:00Z\n"),
         "no-meter-column", "names no meter"},
        {FILE_OF("MPAN,kWh\n" MPAN ",5\n"), "no-date-column", "dates"},
        {FILE_OF("MPAN,Date\n" MPAN ",2026-02-01\n"), "no-value-column", "readings"},
        {FILE_OF("MPRN,Date,Consumption (litres)\n11020107,2026-02-01,5\n"), "bad-unit",
         "Consumption"},
        {FILE_OF("Dear all,\nplease find attached\n"), "not-meter-data", "MPAN"},
#undef FILE_OF
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = make_reading();

        write_file(r, cases[i].bytes, cases[i].length);
        read_file(r);
        if (r->status != ECL_EINPUT || strcmp(r->result.code, cases[i].code) ||
            !strstr(r->result.detail, cases[i].part)) {
            fail_msg("case %d: expected %s, %s; got %d, %s: %s", (int)i, cases[i].code,
                     cases[i].part, r->status, r->result.code, r->result.detail);
        }
        end_reading(r);
    }
}

static void test_a_file_that_is_gone(void **state)
{
    ecl_result_t result = ecl_result_make(pool);
    const ecl_given_t given = {NULL};
    ecl_layout_t *layout;

    (void)state;
    assert_int_equal(ecl_layout_find(&layout, "/nowhere/at/all.csv", "auto", &given, pool, &result),
                     ECL_ENOTFOUND);
    assert_string_equal(result.code, "file-missing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_file_that_is_gone),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
