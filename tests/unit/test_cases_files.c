/* Cases 12 to 23: what the bytes are. */
#include "cases.h"

#include "packing.h"

static const char plain[] =
    ROW_HEADER MPAN ",2026-02-01 00:00,0.5\n" MPAN ",2026-02-01 00:30,0.75\n";

static reading_t *read_bytes(const char *bytes, apr_size_t length)
{
    reading_t *r = make_reading();

    write_file(r, bytes, length);
    read_file(r);
    return r;
}

static void assert_plain(const reading_t *r)
{
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(count_readings(r), 2);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "0.75");
}

/* Two bytes for each, after a mark. */
static const char *widen(const char *text, const char *mark, apr_size_t *plength)
{
    apr_size_t length = strlen(mark);
    char *bytes = apr_pcalloc(pool, 2 * strlen(text) + length);

    memcpy(bytes, mark, length);
    for (; *text; text++, length += 2) {
        bytes[length] = *text;
    }
    *plength = length;
    return bytes;
}

static void test_case_12_utf_16(void **state)
{
    char *text = apr_pstrdup(pool, plain);
    apr_size_t length;
    const char *bytes;
    reading_t *r;

    (void)state;
    for (char *c = text; *c; c++) {
        *c = *c == ',' ? '\t' : *c;
    }
    bytes = widen(text, "\xff\xfe", &length);
    r = read_bytes(bytes, length);
    assert_plain(r);
    end_reading(r);
}

static void test_case_13_utf_16_damaged_in_transit(void **state)
{
    apr_size_t length;
    const char *bytes = widen(plain, "\xef\xbf\xbd\xef\xbf\xbd", &length);
    reading_t *r = read_bytes(bytes, length);

    (void)state;
    assert_plain(r);
    assert_int_equal(count_warnings(r, "damaged-encoding"), 1);
    end_reading(r);
}

static void test_case_14_a_byte_order_mark(void **state)
{
    reading_t *r = read_text(JOIN("\xef\xbb\xbf", plain));

    (void)state;
    assert_plain(r);
    assert_string_equal(r->layout->names[0], "MPAN");
    end_reading(r);
    r = read_text(JOIN("\xef\xbb\xbf\"MPAN\"", plain + 4));
    assert_plain(r);
    assert_string_equal(r->layout->names[0], "MPAN");
    end_reading(r);
}

static void test_case_15_windows_1252(void **state)
{
    reading_t *r = read_text("MPAN,Timestamp,kWh,Cost (\xa3)\n" MPAN
                             ",2026-02-01 00:00,0.5,1\n" MPAN ",2026-02-01 00:30,0.75,1\n");

    (void)state;
    assert_plain(r);
    assert_string_equal(r->layout->names[3], "Cost (\xc2\xa3)");
    end_reading(r);
}

static void test_case_16_other_files_by_another_name(void **state)
{
    static const struct {
        const char *bytes;
        apr_size_t length;
        const char *part;
    } files[] = {
#define BYTES(literal, part) {literal, sizeof(literal) - 1, part}
        BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0", "JPEG"),
        BYTES("%PDF-1.7\n%\xe2\xe3\n", "PDF"),
        BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", ".xls"),
        BYTES("<!DOCTYPE html><html><body>Please log in</body></html>", "web page"),
        BYTES("<html><head></head></html>", "web page"),
#undef BYTES
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        reading_t *r = read_bytes(files[i].bytes, files[i].length);

        assert_int_equal(r->status, ECL_EINPUT);
        assert_non_null(strstr(r->result.detail, files[i].part));
        end_reading(r);
    }
}

static void test_case_17_a_zip_with_one_file(void **state)
{
    packed_file_t file = {"export.csv", plain, sizeof(plain) - 1};
    reading_t *r = make_reading();

    (void)state;
    write_file(r, "", 0);
    pack_zip(r->path, &file, 1, NULL);
    read_file(r);
    assert_plain(r);
    end_reading(r);
}

static void test_case_18_nothing_in_it(void **state)
{
    reading_t *r = read_text("");

    (void)state;
    assert_refused(r, "empty-file", "empty");
    end_reading(r);
    r = read_text("sep=,\n");
    assert_refused(r, "no-readings", "sep=");
    end_reading(r);
    r = read_text(HH_HEADER);
    assert_refused(r, "no-readings", "header");
    end_reading(r);
}

static void test_case_19_sep_line(void **state)
{
    reading_t *r = read_text("sep=;\nMPAN;Timestamp;kWh\n" MPAN ";2026-02-01 00:00;0.5\n" MPAN
                             ";2026-02-01 00:30;0.75\n");

    (void)state;
    assert_plain(r);
    assert_int_equal(r->layout->delimiter, ';');
    end_reading(r);
}

static void test_case_20_a_quote_that_never_closes(void **state)
{
    reading_t *r =
        read_text(JOIN(plain, MPAN ",\"2026-02-01 01:00,0.1\n" MPAN ",2026-02-01 01:30,0.2\n"));

    (void)state;
    assert_error(r, 4, NULL, "open-quote", "never closes");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 4), "0.2");
    end_reading(r);
}

static void test_case_21_a_line_end_within_quotes(void **state)
{
    reading_t *r = read_text("MPAN,Address,Timestamp,kWh\n" MPAN
                             ",\"1 High St\nBath\",2026-02-01 00:00,0.5\n" MPAN
                             ",\"1 High St\nBath\",2026-02-01 00:30,0.75\n" MPAN
                             ",\"1 High St\nBath\",2026-02-01 01:00,none\n");

    (void)state;
    assert_int_equal(r->imported, 2);
    assert_error(r, 6, "kWh", "bad-value", "none");
    end_reading(r);
}

static void test_case_22_line_ends(void **state)
{
    char *text = apr_pstrdup(pool, plain);
    reading_t *r;

    (void)state;
    for (char *c = text; *c; c++) {
        *c = *c == '\n' ? '\r' : *c;
    }
    r = read_text(text);
    assert_plain(r);
    end_reading(r);
    r = read_text(ROW_HEADER MPAN ",2026-02-01 00:00,0.5\r\n" MPAN ",2026-02-01 00:30,0.75\n");
    assert_plain(r);
    end_reading(r);
}

static void test_case_23_commas_and_points(void **state)
{
    static const struct {
        const char *file, *value;
    } files[] = {
        {"MPAN;Timestamp;kWh\n" MPAN ";2026-02-01 00:00;0,25\n", "0.25"},
        {ROW_HEADER MPAN ",2026-02-01 00:00,\"1,234.5\"\n", "1234.5"},
        {"MPAN;Timestamp;kWh\n" MPAN ";2026-02-01 00:00;1.234,5\n", "1234.5"},
        /* nothing else explains it: a thousand, and the evidence says so */
        {ROW_HEADER MPAN ",2026-02-01 00:00,\"1,234\"\n", "1234"},
        /* the file does: more digits, or semicolons */
        {ROW_HEADER MPAN ",2026-02-01 00:00,\"1,234\"\n" MPAN ",2026-02-01 00:30,\"1,2345\"\n",
         "1.234"},
        {"MPAN;Timestamp;kWh\n" MPAN ";2026-02-01 00:00;1,234\n", "1.234"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        reading_t *r = read_text(files[i].file);

        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), files[i].value);
        assert_int_equal(strstr(r->layout->evidence, "thousands apart") != NULL, i == 3);
        end_reading(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_12_utf_16),
        cmocka_unit_test(test_case_13_utf_16_damaged_in_transit),
        cmocka_unit_test(test_case_14_a_byte_order_mark),
        cmocka_unit_test(test_case_15_windows_1252),
        cmocka_unit_test(test_case_16_other_files_by_another_name),
        cmocka_unit_test(test_case_17_a_zip_with_one_file),
        cmocka_unit_test(test_case_18_nothing_in_it),
        cmocka_unit_test(test_case_19_sep_line),
        cmocka_unit_test(test_case_20_a_quote_that_never_closes),
        cmocka_unit_test(test_case_21_a_line_end_within_quotes),
        cmocka_unit_test(test_case_22_line_ends),
        cmocka_unit_test(test_case_23_commas_and_points),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
