/*
 * The parts of a workbook: which of them are its sheets, and that no list of parts or formats, and
 * nothing that the archive says of its own size, costs memory or hides a sheet.
 */
#include "packing.h"
#include "pool_fixture.h"
#include "reading.h"

#include "worker/xlsx_internal.h"

#define RELATION(id, type, target)                                                                 \
    "<Relationship Id=\"" id "\" Type=\"http://x/" type "\" Target=\"" target "\"/>"
#define SHEET(name, id) "<sheet name=\"" name "\" sheetId=\"1\" r:id=\"" id "\"/>"
#define ROW "<worksheet><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>"

/* Opens a workbook of these sheets and relations, in which there is one part with a row, and
 * perhaps one of styles. Returns how many records it has. */
static int open_book(reading_t *r, const char *sheets, const char *relations, const char *styles)
{
    packed_file_t files[] = {
        {"xl/workbook.xml",
         apr_pstrcat(r->pool, "<workbook><sheets>", sheets, "</sheets></workbook>", NULL), 0},
        {"xl/_rels/workbook.xml.rels",
         apr_pstrcat(r->pool, "<Relationships>", relations, "</Relationships>", NULL), 0},
        {"xl/a.xml", ROW, 0},
        {"xl/styles.xml", styles, 0},
    };
    int count = styles ? 4 : 3, records_read = 0;
    ecl_records_t *records;
    ecl_record_t record;

    for (int i = 0; i < count; i++) {
        files[i].length = strlen(files[i].bytes);
    }
    write_file(r, "", 0);
    pack_zip(r->path, files, count, NULL);
    r->status = ecl_records_open(&records, r->path, ',', r->pool, &r->result);
    while (r->status == APR_SUCCESS &&
           (r->status = ecl_records_next(records, &record, &r->result)) == APR_SUCCESS) {
        records_read++;
    }
    assert_int_equal(unlink(r->path), 0);
    return records_read;
}

static void assert_is_bad(const reading_t *r, const char *code, const char *part)
{
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, code);
    if (!strstr(r->result.detail, part)) {
        fail_msg("\"%s\" does not say \"%s\"", r->result.detail, part);
    }
}

/* Many of one text, each "…%d…". */
static const char *many(int count, const char *before, const char *after)
{
    apr_array_header_t *parts = apr_array_make(pool, 3 * count, sizeof(const char *));

    for (int i = 0; i < count; i++) {
        APR_ARRAY_PUSH(parts, const char *) = before;
        APR_ARRAY_PUSH(parts, const char *) = apr_itoa(pool, i);
        APR_ARRAY_PUSH(parts, const char *) = after;
    }
    return apr_array_pstrcat(pool, parts, 0);
}

/* ---- sheets ---------------------------------------------------------------------------------- */

static void test_what_has_no_cells_is_passed_over(void **state)
{
    reading_t *r = make_reading();

    (void)state;
    assert_int_equal(open_book(r, SHEET("Chart", "c") SHEET("A", "a"),
                               RELATION("a", "worksheet", "a.xml")
                                   RELATION("c", "chartsheet", "chart.xml"),
                               NULL),
                     1);
    assert_int_equal(r->status, APR_EOF);
    end_reading(r);
}

static void test_a_sheet_that_is_not_there_is_missed(void **state)
{
    static const char *const relations[] = {
        RELATION("a", "worksheet", "a.xml"),
        RELATION("a", "worksheet", "a.xml") RELATION("b", "worksheet", "b.xml"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof relations / sizeof relations[0]; i++) {
        reading_t *r = make_reading();

        open_book(r, SHEET("A", "a") SHEET("B", "b"), relations[i], NULL);
        assert_is_bad(r, "bad-workbook", "its sheet \"B\" is missing");
        end_reading(r);
    }
}

static void test_other_parts_hide_no_sheet(void **state)
{
    static const char before[] = "<Relationship Id=\"x", after[] = "\" Type=\"y\" Target=\"z\"/>";
    const char *sheet = RELATION("a", "worksheet", "a.xml");
    char *long_text = apr_palloc(pool, 100001);
    reading_t *r = make_reading();

    (void)state;
    assert_int_equal(open_book(r, SHEET("A", "a"),
                               apr_pstrcat(pool, many(4000, before, after), sheet, NULL), NULL),
                     1);
    end_reading(r);

    r = make_reading();
    open_book(r, SHEET("A", "a"), apr_pstrcat(pool, many(4096, before, after), sheet, NULL), NULL);
    assert_is_bad(r, "bad-workbook", "refers to more than 4096 parts");
    end_reading(r);

    /* what is too long to be a part's place is none, and is not kept */
    memset(long_text, 'a', 100000);
    long_text[100000] = '\0';
    r = make_reading();
    assert_int_equal(open_book(r, SHEET("A", "a"),
                               apr_pstrcat(pool,
                                           "<Relationship Id=\"b\" Type=\"x/worksheet\" "
                                           "Target=\"",
                                           long_text, "\"/>", sheet, NULL),
                               NULL),
                     1);
    end_reading(r);
    r = make_reading();
    open_book(
        r, apr_pstrcat(pool, SHEET("A", "a") "<sheet name=\"B\" r:id=\"", long_text, "\"/>", NULL),
        sheet, NULL);
    assert_is_bad(r, "bad-workbook", "its sheet \"B\" is missing");
    end_reading(r);
}

/* ---- formats --------------------------------------------------------------------------------- */

/* They count each time they are defined: nothing of them may add up. */
static void test_formats_are_counted(void **state)
{
    static const char *const lists[][2] = {
        {"<styleSheet><numFmts>", "</numFmts></styleSheet>"},
        {"<styleSheet><cellXfs>", "</cellXfs></styleSheet>"},
    };
    static const char *const kinds[] = {"<numFmt numFmtId=\"164\" formatCode=\"",
                                        "<xf numFmtId=\""};

    (void)state;
    for (int i = 0; i < 2; i++) {
        for (int more = 0; more < 2; more++) {
            reading_t *r = make_reading();
            const char *styles =
                apr_pstrcat(pool, lists[i][0], many(ECL_XLSX_FORMATS_MAX + more, kinds[i], "\"/>"),
                            lists[i][1], NULL);

            open_book(r, SHEET("A", "a"),
                      RELATION("a", "worksheet", "a.xml") RELATION("s", "styles", "styles.xml"),
                      styles);
            if (more) {
                assert_is_bad(r, "bad-workbook", "more than 65536 styles");
            } else {
                assert_int_equal(r->status, APR_EOF);
            }
            end_reading(r);
        }
    }
}

/* What other lists of the same part define is not what cells have. */
static void test_formats_of_other_lists(void **state)
{
    static const char styles[] =
        "<styleSheet><dxfs><numFmt numFmtId=\"164\" formatCode=\"yyyy\"/></dxfs>"
        "<numFmts><numFmt numFmtId=\"165\" formatCode=\"yyyy\"/></numFmts>"
        "<dxfs><numFmt numFmtId=\"165\" formatCode=\"0\"/></dxfs>"
        "<cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs>"
        "<cellXfs><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/></cellXfs>"
        "<cellStyles><xf numFmtId=\"14\"/></cellStyles></styleSheet>";
    const packed_file_t file = {"styles.xml", styles, sizeof styles - 1};
    static const ecl_serial_form_t expected[] = {ECL_SERIAL_NUMBER, ECL_SERIAL_DATE};
    reading_t *r = make_reading();
    ecl_zip_input_t input = {.name = "book"};
    unsigned char *forms;
    ecl_zip_t *zip;
    int count;

    (void)state;
    write_file(r, "", 0);
    pack_zip(r->path, &file, 1, NULL);
    assert_int_equal(
        apr_file_open(&input.file, r->path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, r->pool),
        APR_SUCCESS);
    assert_int_equal(ecl_zip_open(&zip, &input, r->pool, &r->result), APR_SUCCESS);
    assert_int_equal(ecl_xlsx_read_styles(zip, 0, &forms, &count, r->pool, &r->result),
                     APR_SUCCESS);
    assert_int_equal(count, 2);
    for (int i = 0; i < count; i++) {
        assert_int_equal(forms[i], expected[i]);
    }
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* Sets the packed size that the archive's directory says of its last file. */
static void claim_packed_size(const char *path, apr_uint32_t size)
{
    static const char entry[] = "PK\x01\x02";
    unsigned char bytes[4] = {(unsigned char)size, (unsigned char)(size >> 8),
                              (unsigned char)(size >> 16), (unsigned char)(size >> 24)};
    FILE *file = fopen(path, "r+b");
    long at = -1;
    char window[4] = "";

    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;) {
        memmove(window, window + 1, 3);
        window[3] = (char)c;
        if (!memcmp(window, entry, 4)) {
            at = ftell(file) - 4;
        }
    }
    assert_true(at >= 0);
    assert_int_equal(fseek(file, at + 20, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, 4, file), 4);
    assert_int_equal(fclose(file), 0);
}

/* An archive that says that its parts are large is not allowed to unpack to more. */
static void test_a_packed_size_that_is_not_true(void **state)
{
    const size_t length = 100 * 1024 * 1024;
    char *spaces = malloc(length);

    (void)state;
    assert_non_null(spaces);
    memset(spaces, ' ', length);
    for (int is_book = 0; is_book < 2; is_book++) {
        const packed_file_t files[] = {
            {"xl/workbook.xml", "<workbook><sheets>" SHEET("A", "a") "</sheets></workbook>", 0},
            {"xl/_rels/workbook.xml.rels",
             "<Relationships>" RELATION("a", "worksheet", "a.xml") "</Relationships>", 0},
            {is_book ? "xl/a.xml" : "a.csv", spaces, length},
        };
        packed_file_t sized[3];
        reading_t *r = make_reading();
        ecl_records_t *records;
        ecl_record_t record;

        memcpy(spaces, "<worksheet>", 11);
        for (int i = 0; i < 3; i++) {
            sized[i] = files[i];
            sized[i].length = files[i].length ? files[i].length : strlen(files[i].bytes);
        }
        write_file(r, "", 0);
        pack_zip(r->path, is_book ? sized : sized + 2, is_book ? 3 : 1, NULL);
        claim_packed_size(r->path, 0x7fffffff);
        r->status = ecl_records_open(&records, r->path, ',', r->pool, &r->result);
        while (r->status == APR_SUCCESS) {
            r->status = ecl_records_next(records, &record, &r->result);
        }
        assert_is_bad(r, "archive-too-large", "made to fill a disk");
        assert_int_equal(unlink(r->path), 0);
        end_reading(r);
    }
    free(spaces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_has_no_cells_is_passed_over),
        cmocka_unit_test(test_a_sheet_that_is_not_there_is_missed),
        cmocka_unit_test(test_other_parts_hide_no_sheet),
        cmocka_unit_test(test_formats_are_counted),
        cmocka_unit_test(test_formats_of_other_lists),
        cmocka_unit_test(test_a_packed_size_that_is_not_true),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
