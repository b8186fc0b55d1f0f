/*
 * Files in the layouts of some ninety emitters: each is read to the readings that were written into
 * it, without a word of configuration; in whatever pieces its bytes come, and in whatever order its
 * rows stand.
 */
#include "reading.h"

#include <apr_lib.h>

#include "half_hours.h"

#include "emitting.h"

#include "emitters.h"
#include "start_apr.h"

#include "worker/reader_internal.h"

#define EMITTERS (sizeof(emitters) / sizeof(emitters[0]))

static reading_t *read_emitted(const emitter_t *e, const char *text)
{
    reading_t *r = make_reading();

    if (e->names_none) {
        r->given.meter = e->meters[0] ? e->meters[0] : MPAN;
    }
    write_file(r, text, strlen(text));
    read_file(r);
    return r;
}

static int is_as_emitted(const reading_t *r, const emitted_t *at)
{
    const char *name = at->emitter->name;
    half_hours_t found;

    if (r->status != APR_SUCCESS) {
        print_error("%s: refused: %s\n", name, r->result.detail);
        return 0;
    }
    if (r->errors->nelts) {
        print_error("%s: %d rows failed, the first on line %d: %s\n", name, r->errors->nelts,
                    (int)error_at(r, 0)->line, error_at(r, 0)->message);
        return 0;
    }
    found = half_hours_of(r, r->pool);
    if (!same_half_hours(name, &found, &at->expected)) {
        print_error("  %s\n", r->layout->evidence);
        return 0;
    }
    return 1;
}

static void test_every_emitter(void **state)
{
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < EMITTERS; i++) {
        apr_pool_t *p;
        emitted_t at;
        reading_t *r;

        apr_pool_create(&p, NULL);
        at = emit(&emitters[i], p);
        r = read_emitted(&emitters[i], emitted_file(&at));
        bad += !is_as_emitted(r, &at);
        end_reading(r);
        apr_pool_destroy(p);
    }
    print_message("%d emitters\n", (int)EMITTERS);
    assert_int_equal(bad, 0);
}

static void shuffle(apr_array_header_t *rows, unsigned *seed)
{
    const char **all = (const char **)rows->elts;

    for (int i = rows->nelts - 1; i > 0; i--) {
        int other = (int)((*seed = *seed * 1103515245u + 12345u) >> 16) % (i + 1);
        const char *row = all[i];

        all[i] = all[other];
        all[other] = row;
    }
}

static void test_the_order_of_rows_does_not_matter(void **state)
{
    unsigned seed = 20260602;
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < EMITTERS; i++) {
        apr_pool_t *p;
        emitted_t at;
        reading_t *r;

        apr_pool_create(&p, NULL);
        at = emit(&emitters[i], p);
        shuffle(at.rows, &seed);
        r = read_emitted(&emitters[i], emitted_file(&at));
        bad += !is_as_emitted(r, &at);
        end_reading(r);
        apr_pool_destroy(p);
    }
    assert_int_equal(bad, 0);
}

/* As a spreadsheet of another country saves it: semicolons, decimal commas, CRLF and a mark. */
static const char *translated(const char *text, apr_pool_t *p)
{
    char *translation = apr_palloc(p, 2 * strlen(text) + 4), *end = translation;

    end = apr_cpystrn(end, "\xEF\xBB\xBF", 4);
    for (const char *c = text; *c; c++) {
        if (*c == ',') {
            *end++ = ';';
        } else if (*c == '.' && c > text && apr_isdigit(c[-1]) && apr_isdigit(c[1])) {
            *end++ = ',';
        } else if (*c == '\n') {
            *end++ = '\r';
            *end++ = '\n';
        } else {
            *end++ = *c;
        }
    }
    *end = '\0';
    return translation;
}

static void test_the_spreadsheet_does_not_matter(void **state)
{
    int bad = 0, count = 0;

    (void)state;
    for (size_t i = 0; i < EMITTERS; i++) {
        apr_pool_t *p;
        emitted_t at;
        reading_t *r;
        const char *text;

        apr_pool_create(&p, NULL);
        at = emit(&emitters[i], p);
        text = emitted_file(&at);
        if (!strpbrk(text, "\";\t") && !strstr(text, "sep=") && !strstr(text, ".0000000") &&
            !strstr(text, "00.30")) {
            r = read_emitted(&emitters[i], translated(text, p));
            bad += !is_as_emitted(r, &at);
            end_reading(r);
            count++;
        }
        apr_pool_destroy(p);
    }
    assert_true(count > 80);
    assert_int_equal(bad, 0);
}

/* ---- in pieces ---------------------------------------------------------------------------------
 */

/* All records of the file, as one text. */
static const char *records_in_pieces(const reading_t *r, char delimiter, apr_size_t bytes,
                                     apr_pool_t *p)
{
    ecl_result_t result = ecl_result_make(p);
    apr_array_header_t *parts = apr_array_make(p, 1000, sizeof(const char *));
    ecl_records_t *records;
    ecl_record_t record;
    apr_status_t status;

    assert_int_equal(ecl_records_open(&records, r->path, delimiter, p, &result), APR_SUCCESS);
    if (bytes) {
        ecl_records_set_read_size(records, bytes);
    }
    while ((status = ecl_records_next(records, &record, &result)) == APR_SUCCESS) {
        APR_ARRAY_PUSH(parts, const char *) =
            apr_psprintf(p, "%d %d %d %d:", record.status, (int)record.number, (int)record.line,
                         (int)record.end_offset);
        for (int i = 0; i < record.count; i++) {
            APR_ARRAY_PUSH(parts, const char *) =
                apr_pstrmemdup(p, record.fields[i].text, record.fields[i].length);
        }
    }
    assert_int_equal(status, APR_EOF);
    return apr_array_pstrcat(p, parts, '|');
}

static void read_in_pieces(reading_t *r, apr_size_t bytes)
{
    ecl_reader_sink_t sink = {r, keep_day, keep_error, keep_warning};
    ecl_reader_options_t options = {.import_type = "auto", .given = r->given};
    ecl_clock_t *clock;
    ecl_reader_t *reader;
    ecl_row_t row;

    assert_int_equal(ecl_clock_make(&clock, "Europe/London", r->pool, &r->result), APR_SUCCESS);
    options.clock = clock;
    assert_true(ecl_date_from_ymd(2026, 6, 30, &options.today));
    r->status = ecl_reader_open(&reader, r->path, &options, r->pool, &r->result);
    assert_int_equal(r->status, APR_SUCCESS);
    r->layout = ecl_reader_layout(reader);
    ecl_records_set_read_size(reader->records, bytes);
    while (ecl_reader_next(reader, &sink, &row, &r->result) == APR_SUCCESS) {
        r->imported++;
    }
}

static void test_the_pieces_of_a_file_do_not_matter(void **state)
{
    static const apr_size_t sizes[] = {1, 7, 4096};
    int bad = 0;

    (void)state;
    for (size_t i = 0; i < EMITTERS; i++) {
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            reading_t *r = make_reading();
            emitted_t at = emit(&emitters[i], r->pool);
            const char *text = emitted_file(&at);

            if (emitters[i].names_none) {
                r->given.meter = emitters[i].meters[0] ? emitters[i].meters[0] : MPAN;
            }
            write_file(r, text, strlen(text));
            read_in_pieces(r, sizes[k]);
            bad += !is_as_emitted(r, &at);
            assert_string_equal(records_in_pieces(r, r->layout->delimiter, sizes[k], r->pool),
                                records_in_pieces(r, r->layout->delimiter, 0, r->pool));
            assert_int_equal(unlink(r->path), 0);
            end_reading(r);
        }
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_emitter),
        cmocka_unit_test(test_the_order_of_rows_does_not_matter),
        cmocka_unit_test(test_the_spreadsheet_does_not_matter),
        cmocka_unit_test(test_the_pieces_of_a_file_do_not_matter),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
