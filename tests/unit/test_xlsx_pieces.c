/*
 * Sheets that threads parse in pieces: whatever stands in them, the rows are those that one parser
 * finds, and so is what is wrong.
 */
#include "start_apr.h"
#include "workbook.h"
#include "worker/xlsx_internal.h"

#include <dirent.h>

#define ROWS 120
#define MANY_ROWS 20000 /* of a sheet that has many pieces of the usual size */

/* Where rows of a sheet usually stand. */
static const char *const oddities[] = {
    "",
    "\n\n   \t",
    "<!-- <row r=\"9999\"> -->",
    "<!-- <row r=\"60\"><c><v>1</v></c></row> -->",
    "<?pi <row r=\"1\"> ?>",
    "<![CDATA[ <row r=\"60\"> ]]>",
    "<![CDATA[ <row r=\"60\"><c><v>1</v></c></row> <![CDATA[ ]]>",
    "<row><c><v>5</v></c></row>",
    "<row/>",
    "<row r=\"60\"/>",
    "<row r=\"1\"/>",
    "<row r=\"1\"><c><v>5</v></c></row>",
    "<row r=\"60\"><c r=\"E60\"><v>5</v></c><c r=\"A60\"><v>6</v></c></row>",
    "<row r=\"60\"><c r=\"XFD60\"><v>5</v></c></row>",
    "<row r=\"60\"><c r=\"Z60\"><v>5</v></c></row>",
    "<row r=\"60\"><c t=\"s\"><v>0</v></c><c t=\"s\"><v>2</v></c></row>",
    "<row r=\"60\"><c t=\"s\"><v>3</v></c></row>",
    "<row r=\"60\"><c t=\"wrong\"><v>3</v></c></row>",
    "<row r=\"60\"><c t=\"inlineStr\"><is><t><![CDATA[<row r=\"7\">]]>&lt;row </t></is></c></row>",
    "<row r=\"60\"><row r=\"60\"/></row>",
    "<row r=\"60\"><c><v>1</v><c/></c></row>",
    "<row r=\"60\"",
    "<row r=\"60\"><c>",
    "</row>",
    "<rowing/><rows r=\"60\"/>",
    "<g><row r=\"60\"><c><v>1</v></c></row></g>",
    "<g>",
    "</g>",
    "</sheetData><sheetData>",
    "</sheetData><x><row r=\"5\"/></x><sheetData>",
    "</sheetData><x><sheetData>",
    "</sheetData>",
    "</sheetData></worksheet>",
    "<sheetData>",
    "<sheetData><row r=\"60\"><c><v>1</v></c></row></sheetData>",
    "&#10;&amp;",
    "&nothing;",
    "]]>",
    "\xff",
    "\x01",
};

/* A row, some of its cells shared, or dates, or without a place. */
static const char *some_row(int number, apr_pool_t *p)
{
    return apr_psprintf(p,
                        "<row r=\"%d\"><c r=\"A%d\" t=\"s\"><v>%d</v></c><c r=\"B%d\" s=\"1\">"
                        "<v>%d</v></c><c><v>%d.%d</v></c>%s</row>",
                        number, number, number % 3, number, 45000 + number, number * 7 % 100,
                        number % 10, number % 20 ? "" : "<c t=\"str\"><v>a, b</v></c>");
}

/* So many rows, their numbers `step` apart, with an oddity in the place of one, and perhaps another
 * one 20 rows on. */
static reading_t *make_book(int count, int step, int place, const char *oddity, const char *other)
{
    reading_t *r = make_reading();
    apr_array_header_t *rows = apr_array_make(r->pool, count + 2, sizeof(const char *));
    workbook_t book = {.strings = "<si><t>one</t></si><si><t>two</t></si><si><t> three</t></si>",
                       .sheets = {{"S", NULL, NULL}, {"Next", NULL, "<row><c><v>1</v></c></row>"}}};

    for (int i = 1; i <= count; i++) {
        if (i == place || i == place + 20) {
            APR_ARRAY_PUSH(rows, const char *) = i == place ? oddity : other;
        }
        if (i != place) {
            APR_ARRAY_PUSH(rows, const char *) = some_row(i * step, r->pool);
        }
    }
    book.sheets[0].rows = apr_array_pstrcat(r->pool, rows, 0);
    write_workbook(r, &book);
    return r;
}

/* All records, a line each, and how they end. piece 0: one after the other. */
static const char *read_all(const reading_t *r, apr_size_t piece)
{
    apr_array_header_t *lines = apr_array_make(r->pool, ROWS, sizeof(const char *));
    ecl_result_t result = ecl_result_make(r->pool);
    ecl_records_t *records;
    ecl_record_t record;
    apr_status_t status;
    apr_pool_t *p;

    apr_pool_create(&p, r->pool);
    status = ecl_records_open(&records, r->path, ',', p, &result);
    if (status == APR_SUCCESS && piece) {
        ecl_records_keep(records);
        ecl_records_set_read_size(records, piece);
    }
    while (status == APR_SUCCESS &&
           (status = ecl_records_next(records, &record, &result)) == APR_SUCCESS) {
        APR_ARRAY_PUSH(lines, const char *) = apr_psprintf(
            r->pool,
            "%" APR_INT64_T_FMT " %" APR_INT64_T_FMT " %" APR_INT64_T_FMT " %d %d %d [%.100s] %u",
            record.number, record.line, record.end_offset, record.sheet_number, (int)record.status,
            record.count, record.raw, (unsigned)record.raw_length);
    }
    APR_ARRAY_PUSH(lines, const char *) =
        apr_psprintf(r->pool, "%d %s: %s", status, status == APR_EOF ? "" : result.code,
                     status == APR_EOF ? "" : result.detail);
    apr_pool_destroy(p);
    return apr_array_pstrcat(r->pool, lines, '\n');
}

static void compare_at(int place, const char *oddity, const char *other)
{
    static const apr_size_t pieces[] = {60, 150, 400, 1500, 4000, ECL_RECORD_MAX};
    reading_t *r = make_book(ROWS, 1, place, oddity, other);
    const char *expected = read_all(r, 0);

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        const char *got = read_all(r, pieces[i]);

        if (strcmp(got, expected) != 0) {
            size_t same = 0;

            while (got[same] == expected[same]) {
                same++;
            }
            fail_msg("%s, pieces of %u bytes: \"%.200s\", not \"%.200s\"", oddity,
                     (unsigned)pieces[i], got + same, expected + same);
        }
    }
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

/* In the middle, and in the first piece. */
static void compare(const char *oddity, const char *other)
{
    compare_at(60, oddity, other);
    compare_at(4, oddity, other);
}

static void test_pieces_are_the_sheet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof oddities / sizeof oddities[0]; i++) {
        compare(oddities[i], "");
        compare(oddities[i], "</x>");
        compare("", oddities[i]);
    }
    compare("<g>", "</g>");
    compare("<!--", "-->");
    compare("<![CDATA[", "]]>");
    compare("<![CDATA[", "<![CDATA[ ]]>");
    compare("</sheetData><x><sheetData>", "</sheetData></x><sheetData>");
    compare("</sheetData></worksheet><worksheet><sheetData>", "");
}

/* A parser gets a piece of the usual size bit by bit. It has to know even then that a piece ends
 * within a comment, whose rows might well be those that follow. */
static void test_pieces_of_the_usual_size(void **state)
{
    /* the comment reaches over the end of the first piece, or of the second */
    static const int places[] = {900, 1850};
    enum { STEP = 1000, COMMENTED = 800 };

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        apr_pool_t *p;
        reading_t *r;
        apr_array_header_t *parts;

        apr_pool_create(&p, NULL);
        parts = apr_array_make(p, COMMENTED + 2, sizeof(const char *));
        APR_ARRAY_PUSH(parts, const char *) = "<!--";
        for (int k = 0; k < COMMENTED; k++) {
            APR_ARRAY_PUSH(parts, const char *) =
                apr_psprintf(p, "<row r=\"%d\"><c><v>1</v></c></row>\n", places[i] * STEP + k);
        }
        APR_ARRAY_PUSH(parts, const char *) = "-->";
        r = make_book(MANY_ROWS, STEP, places[i], apr_array_pstrcat(p, parts, 0), "");
        assert_string_equal(read_all(r, ECL_XLSX_PIECE), read_all(r, 0));
        assert_int_equal(unlink(r->path), 0);
        end_reading(r);
        apr_pool_destroy(p);
    }
}

/* How many threads this process has. */
static int threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int count = -2; /* . and .. */

    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

/* Left in the middle they end, and so does everything when the pool goes. */
static void test_threads_come_and_go(void **state)
{
    reading_t *r = make_book(ROWS, 1, 60, "", "");
    int before = threads();
    ecl_records_t *records;
    ecl_record_t record;
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, r->pool);
    assert_int_equal(ecl_records_open(&records, r->path, ',', p, NULL), APR_SUCCESS);
    assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
    assert_int_equal(threads(), before); /* who looks at some rows needs none */

    ecl_records_keep(records);
    ecl_records_set_read_size(records, 300);
    ecl_records_only_sheet(records, 1);
    assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
    assert_in_range(threads(), before + 1, before + 2);
    ecl_records_only_sheet(records, 2);
    assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
    assert_int_equal(record.sheet_number, 2);
    assert_int_equal(threads(), before); /* a small sheet is not worth it */

    ecl_records_only_sheet(records, 1);
    for (int i = 1; i <= 10; i++) {
        assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
        assert_int_equal(record.line, i);
    }
    apr_pool_destroy(p);
    assert_int_equal(threads(), before);
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

/* Where all is well nothing is parsed again: half-way there is more for the threads to do. */
static void test_threads_go_on(void **state)
{
    reading_t *r = make_book(MANY_ROWS, 1, 60, "", "");
    ecl_records_t *records;
    ecl_record_t record;

    (void)state;
    assert_int_equal(ecl_records_open(&records, r->path, ',', r->pool, NULL), APR_SUCCESS);
    ecl_records_read_all(records);
    for (int before = threads(), i = 1; i <= MANY_ROWS / 2; i++) {
        assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
        assert_true(threads() > before);
    }
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

/* The texts of a piece may be far longer than the piece. */
static void test_texts_that_are_too_long_for_a_piece(void **state)
{
    const size_t length = 100000;
    reading_t *r = make_reading();
    char *text = apr_palloc(r->pool, length + 1);
    const char *rows = "";
    workbook_t book = {.sheets = {{"S", NULL, NULL}}};

    (void)state;
    memset(text, 'a', length);
    text[length] = '\0';
    for (int i = 1; i <= 50; i++) {
        rows =
            apr_psprintf(r->pool, "%s<row r=\"%d\"><c t=\"s\"><v>%d</v></c></row>", rows, i, i % 2);
    }
    book.strings = apr_pstrcat(r->pool, "<si><t>", text, "</t></si><si><t>b</t></si>", NULL);
    book.sheets[0].rows = rows;
    write_workbook(r, &book);
    assert_string_equal(read_all(r, 500), read_all(r, 0));
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

/* Why the list of texts ends is told as often as they are asked for. */
static void test_texts_that_are_damaged(void **state)
{
    reading_t *r = make_reading();
    const char *rows = "";
    workbook_t book = {.strings = "<si><t>a</t></si><si><t>b</t><si>",
                       .sheets = {{"S", NULL, NULL}}};

    (void)state;
    for (int i = 1; i <= 50; i++) {
        rows = apr_psprintf(r->pool, "%s<row r=\"%d\"><c t=\"s\"><v>%d</v></c></row>", rows, i,
                            i / 40);
    }
    book.sheets[0].rows = rows;
    write_workbook(r, &book);
    assert_string_equal(read_all(r, 500), read_all(r, 0));
    assert_non_null(strstr(read_all(r, 500), "bad-xml: the workbook's list of texts is damaged"));
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_the_sheet),
        cmocka_unit_test(test_pieces_of_the_usual_size),
        cmocka_unit_test(test_threads_come_and_go),
        cmocka_unit_test(test_threads_go_on),
        cmocka_unit_test(test_texts_that_are_too_long_for_a_piece),
        cmocka_unit_test(test_texts_that_are_damaged),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
