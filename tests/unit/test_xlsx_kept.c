/*
 * Rows of a workbook that are read twice: the second time they come from a temporary file, and are
 * the same.
 */
#include "start_apr.h"
#include "workbook.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "directory.h"

#define MANY_ROWS 3000

/* What there is to know of a record, as a line. */
static const char *tell(const ecl_record_t *record, apr_pool_t *p)
{
    const char *text =
        apr_psprintf(p,
                     "%" APR_INT64_T_FMT " %" APR_INT64_T_FMT " %" APR_INT64_T_FMT
                     " %" APR_INT64_T_FMT " %s %d %" APR_INT64_T_FMT " %d %d [%.60s] %u:",
                     record->number, record->line, record->end_offset, record->text_offset,
                     record->sheet, record->sheet_number, record->sheet_record, (int)record->status,
                     record->count, record->raw, (unsigned)record->raw_length);

    for (int i = 0; i < record->count; i++) {
        assert_int_equal(strlen(record->fields[i].text), record->fields[i].length);
        text = apr_pstrcat(p, text, "|", record->fields[i].text, NULL);
    }
    return text;
}

/* The next `most` records, a line each; -1: all. */
static const char *take(ecl_records_t *records, int most, apr_pool_t *p)
{
    apr_array_header_t *lines = apr_array_make(p, 64, sizeof(const char *));
    ecl_result_t result = ecl_result_make(p);
    apr_status_t status = APR_SUCCESS;
    ecl_record_t record;

    while (most-- != 0 && (status = ecl_records_next(records, &record, &result)) == APR_SUCCESS) {
        APR_ARRAY_PUSH(lines, const char *) = tell(&record, p);
    }
    if (status != APR_SUCCESS && status != APR_EOF) {
        fail_msg("%s", result.detail);
    }
    return apr_array_pstrcat(p, lines, '\n');
}

static ecl_records_t *open_records(const reading_t *r, apr_pool_t *p)
{
    ecl_result_t result = ecl_result_make(p);
    ecl_records_t *records;

    assert_int_equal(ecl_records_open(&records, r->path, ',', p, &result), APR_SUCCESS);
    return records;
}

/* Cells of every kind, in order and out of it, with quotes, in growing rows; and a row that is too
 * long. */
static const char *odd_rows(apr_pool_t *p)
{
    char *lots = apr_palloc(p, ECL_RECORD_MAX + 1);

    memset(lots, 'a', ECL_RECORD_MAX);
    lots[ECL_RECORD_MAX] = '\0';
    return apr_pstrcat(
        p, "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>one</t></is></c></row>",
        "<row r=\"3\"><c r=\"B3\"><v>1.50</v></c><c r=\"A3\"><v>7</v></c></row>",
        "<row r=\"4\"><c r=\"C4\" t=\"str\"><v>a, \"b\"</v></c><c r=\"D4\"><v>4</v></c>"
        "<c r=\"E4\" t=\"str\"><v> x</v></c></row>",
        "<row><c><v>1</v></c><c t=\"str\"><v>", lots, "</v></c></row>",
        "<row><c t=\"e\"><v>#N/A</v></c><c><f>SUM(A1,B1)</f></c><c><v>1,5</v></c></row>",
        "<row><c r=\"XFD6\"><v>1</v></c></row>",
        "<row><c s=\"1\"><v>45055</v></c><c t=\"b\"><v>1</v></c></row>", NULL);
}

static const char *many_rows(apr_pool_t *p)
{
    apr_array_header_t *rows = apr_array_make(p, MANY_ROWS, sizeof(const char *));

    for (int i = 1; i <= MANY_ROWS; i++) {
        APR_ARRAY_PUSH(rows, const char *) =
            apr_psprintf(p, "<row><c t=\"str\"><v>row %d of many rows</v></c></row>", i);
    }
    return apr_array_pstrcat(p, rows, 0);
}

static reading_t *make_book(void)
{
    reading_t *r = make_reading();
    const workbook_t book = {.sheets = {{"Odd", NULL, odd_rows(r->pool)},
                                        {"Many", NULL, many_rows(r->pool)},
                                        {"Empty", NULL, ""},
                                        {"Last", NULL, "<row><c><v>3</v></c></row>"}}};

    write_workbook(r, &book);
    return r;
}

static void end_book(reading_t *r)
{
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

/* Sheets are read to some record, in any order, some of them again; then all of them. */
static void test_the_second_time_is_like_the_first(void **state)
{
    static const struct {
        int sheet, most; /* records of it; -1: all */
    } first[][4] = {
        {{1, -1}, {2, -1}, {3, -1}, {4, -1}},  {{1, 0}, {2, 1}, {2, 100}, {2, 99}},
        {{1, 3}, {2, 1700}, {1, 5}, {1, 2}},   {{4, -1}, {1, 4}, {3, -1}, {2, 2999}},
        {{2, 3000}, {2, -1}, {1, -1}, {1, 1}}, {{3, -1}, {3, -1}, {4, 1}, {4, -1}},
    };
    reading_t *r = make_book();
    const char *expected = take(open_records(r, r->pool), -1, r->pool);

    (void)state;
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        apr_pool_t *p;
        ecl_records_t *records;

        apr_pool_create(&p, r->pool);
        records = open_records(r, p);
        ecl_records_keep(records);
        for (int k = 0; k < 4; k++) {
            ecl_records_t *plain = open_records(r, p);

            ecl_records_only_sheet(plain, first[i][k].sheet);
            ecl_records_only_sheet(records, first[i][k].sheet);
            assert_string_equal(take(records, first[i][k].most, p),
                                take(plain, first[i][k].most, p));
        }
        ecl_records_last_time(records);
        assert_string_equal(take(records, -1, p), expected);
        apr_pool_destroy(p);
    }
    end_book(r);
}

/* A sheet that is of no use is passed over, kept or not. */
static void test_passing_over_a_sheet(void **state)
{
    reading_t *r = make_book();
    ecl_records_t *records = open_records(r, r->pool);
    ecl_record_t record;

    (void)state;
    ecl_records_keep(records);
    ecl_records_only_sheet(records, 1);
    take(records, -1, r->pool);
    ecl_records_last_time(records);
    for (int sheet = 1; sheet <= 2; sheet++) {
        assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
        assert_int_equal(record.sheet_number, sheet);
        assert_int_equal(record.sheet_record, 1);
        ecl_records_pass_sheet(records);
    }
    assert_int_equal(ecl_records_next(records, &record, NULL), APR_SUCCESS);
    assert_string_equal(record.sheet, "Last");
    assert_int_equal(record.number, 3);
    end_book(r);
}

static int count_files(const char *path)
{
    DIR *dir = opendir(path);
    int count = -2; /* . and .. */

    assert_non_null(dir);
    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count;
}

/* The file has no name, so nothing has to be cleared up, also not after a kill. */
static void test_nothing_is_left_behind(void **state)
{
    char dir[256];
    const char *before = getenv("TMPDIR");
    reading_t *r = make_book();
    ecl_records_t *records;

    (void)state;
    make_directory(dir, sizeof dir);
    setenv("TMPDIR", dir, 1);
    records = open_records(r, r->pool);
    ecl_records_keep(records);
    ecl_records_only_sheet(records, 2);
    take(records, -1, r->pool);
    assert_int_equal(count_files(dir), 0);
    if (before) {
        setenv("TMPDIR", before, 1);
    } else {
        unsetenv("TMPDIR");
    }
    remove_directory(dir);
    end_book(r);
}

/* A limit stands in for a full disk: then the sheet is read from the workbook again. */
static void test_a_full_disk_costs_time_only(void **state)
{
    static const rlim_t limits[] = {100, 30000, 65536, 100000};
    reading_t *r = make_book();
    const char *expected = take(open_records(r, r->pool), -1, r->pool);
    struct rlimit usual, limit;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    for (size_t i = 0; i < 2 * sizeof limits / sizeof limits[0]; i++) {
        int is_room_made = i % 2; /* while the sheet is read */
        apr_pool_t *p;
        ecl_records_t *records;
        const char *all;

        apr_pool_create(&p, r->pool);
        records = open_records(r, p);
        limit = (struct rlimit){limits[i / 2], usual.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        ecl_records_keep(records);
        ecl_records_only_sheet(records, 2);
        take(records, MANY_ROWS - 500, p);
        if (is_room_made) {
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
        }
        take(records, -1, p);
        ecl_records_last_time(records);
        all = take(records, -1, p);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
        assert_string_equal(all, expected);
        apr_pool_destroy(p);
    }
    signal(SIGXFSZ, SIG_DFL);
    end_book(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_second_time_is_like_the_first),
        cmocka_unit_test(test_passing_over_a_sheet),
        cmocka_unit_test(test_nothing_is_left_behind),
        cmocka_unit_test(test_a_full_disk_costs_time_only),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
