/* Tables, and files that are no table, in every form: read alike, and told of in words. */
#include "pool_fixture.h"
#include "packing.h"
#include "reading.h"

static const char table[] =
    "Report in \xC2\xA3,\n\nMPAN,Date,kWh\n" MPAN ",2026-02-01,1.5\n" MPAN ",2026-02-02,2.5\n";
static const char df2[] =
    "#F2\n#O " MPAN "\n#S 1\n01/02/2026,00:30,1.5,A\n01/02/2026,01:00,2.5,A\n";
static const char json[] = "[{\"mpan\":\"" MPAN "\",\"date\":\"2026-02-01\",\"kwh\":1.5},"
                           "{\"mpan\":\"" MPAN "\",\"date\":\"2026-02-02\",\"kwh\":2.5}]";

/* ASCII and Latin-1 as UTF-16, after a mark or not. */
static char *widen(const char *text, const char *mark, apr_size_t mark_length, int is_big,
                   apr_size_t *plength)
{
    char *bytes = apr_pcalloc(pool, 2 * strlen(text) + mark_length);
    apr_size_t length = mark_length;

    memcpy(bytes, mark, mark_length);
    for (; *text; text++) {
        unsigned c = (unsigned char)*text;

        if (c >= 0x80) { /* two bytes of UTF-8 */
            c = (c & 3) << 6 | (*++text & 0x3F);
        }
        bytes[length + (is_big != 0)] = (char)c;
        length += 2;
    }
    *plength = length;
    return bytes;
}

static reading_t *read_bytes(const char *bytes, apr_size_t length)
{
    reading_t *r = make_reading();

    write_file(r, bytes, length);
    read_file(r);
    return r;
}

/* Two readings, and the words that the evidence begins with. */
static void expect(const char *bytes, apr_size_t length, const char *words, const char *warning)
{
    reading_t *r = read_bytes(bytes, length);

    if (r->status != APR_SUCCESS) {
        fail_msg("%s: refused: %s: %s", words, r->result.code, r->result.detail);
    }
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->imported, 2);
    assert_int_equal(r->counted, 2);
    assert_int_equal(count_readings(r), 2);
    assert_true(!strncmp(r->layout->evidence, words, strlen(words)));
    assert_int_equal(count_warnings(r, "damaged-encoding"), warning != NULL);
    assert_int_equal(count_warnings(r, "windows-1252"), 0);
    end_reading(r);
}

static void expect_in_every_form(const char *text, const char *plain)
{
    apr_size_t length, packed;
    char *bytes;

    expect(text, strlen(text), plain, NULL);
    bytes = pack_gzip(text, strlen(text), &packed, pool);
    expect(bytes, packed, apr_pstrcat(pool, "packed with gzip; ", plain, NULL), NULL);
    bytes = widen(text, "\xFF\xFE", 2, 0, &length);
    expect(bytes, length, apr_pstrcat(pool, "UTF-16 (little-endian); ", plain, NULL), NULL);
    bytes = pack_gzip(bytes, length, &packed, pool);
    expect(bytes, packed,
           apr_pstrcat(pool, "packed with gzip, UTF-16 (little-endian); ", plain, NULL), NULL);
    bytes = widen(text, "\xFE\xFF", 2, 1, &length);
    expect(bytes, length, apr_pstrcat(pool, "UTF-16 (big-endian); ", plain, NULL), NULL);
    bytes = widen(text, "", 0, 1, &length);
    expect(bytes, length, apr_pstrcat(pool, "UTF-16 (big-endian); ", plain, NULL), NULL);
    bytes = widen(text, "\xEF\xBF\xBD\xEF\xBF\xBD", 6, 0, &length);
    expect(bytes, length, apr_pstrcat(pool, "UTF-16 that was damaged in transit; ", plain, NULL),
           "told");
}

static void test_a_table_in_every_form(void **state)
{
    (void)state;
    expect_in_every_form(table, "a row per daily total");
}

static void test_df2_in_every_form(void **state)
{
    (void)state;
    expect_in_every_form(df2, "");
}

static void test_json_in_every_form(void **state)
{
    (void)state;
    expect_in_every_form(json, "");
}

static void test_windows_1252(void **state)
{
    static const char latin[] =
        "Report in \xA3,\nMPAN,Date,kWh\n" MPAN ",2026-02-01,1\n" MPAN ",2026-02-02,1\n";
    char *text = apr_pcalloc(pool, 200000);
    apr_size_t length = 0;
    reading_t *r;
    const char *at;

    (void)state;
    expect(latin, sizeof(latin) - 1, "Windows-1252; ", NULL);
    /* a unit in the header */
    r = read_text("MPRN,Date,Consumption (m\xB3)\n7654308,2026-02-01,1\n");
    assert_string_equal(value_of(r, "7654308", "VOL", "2026-02-01", 1), "1");
    assert_int_equal(count_warnings(r, "gas-volume"), 1);
    end_reading(r);
    /* too late for the evidence: a warning, once */
    length += (apr_size_t)snprintf(text, 100, "MPAN,Date,kWh,Note\n");
    for (int i = 0; i < 4000; i++) {
        length += (apr_size_t)snprintf(text + length, 100, "%s,2026-02-0%d,1,%s\n", MPAN, i % 9 + 1,
                                       i >= 3500 ? "\xA3" : "");
    }
    r = read_bytes(text, length);
    at = strchr(text, '\xA3');
    assert_true(at - text > ECL_BYTES_EARLY);
    assert_int_equal(r->imported, 4000);
    assert_int_equal(count_warnings(r, "windows-1252"), 1);
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message,
                           apr_psprintf(pool, "after %d bytes", (int)(at - text))));
    assert_null(strstr(r->layout->evidence, "1252"));
    end_reading(r);
}

/* Whatever stage meets the damage, the file is refused as a whole. */
static void test_damage_fails_the_file(void **state)
{
    char *text = apr_pcalloc(pool, 400000), *packed;
    apr_size_t length = (apr_size_t)snprintf(text, 100, "MPAN,Date,kWh\n"), packed_length;
    ecl_result_t result = ecl_result_make(pool);
    ecl_reader_options_t options = {.import_type = "auto"};
    unsigned seed = 7;
    ecl_reader_t *reader;
    ecl_clock_t *clock;
    apr_int64_t rows;
    reading_t *r = make_reading();

    (void)state;
    for (int i = 0; i < 12000; i++) {
        seed = seed * 1103515245 + 12345;
        length += (apr_size_t)snprintf(text + length, 100, "%s,2026-02-0%d,%u\n", MPAN, i % 9 + 1,
                                       (seed >> 16) % 1000);
    }
    packed = pack_gzip(text, length, &packed_length, pool);
    write_file(r, packed, packed_length - 9);
    assert_int_equal(ecl_clock_make(&clock, "Europe/London", pool, &result), APR_SUCCESS);
    options.clock = clock;
    options.today = 30000;
    assert_int_equal(ecl_reader_open(&reader, r->path, &options, pool, &result), APR_SUCCESS);
    assert_int_equal(
        ecl_reader_count(r->path, ecl_reader_layout(reader), NULL, NULL, pool, &rows, &result),
        ECL_EINPUT);
    assert_string_equal(result.code, "archive-damaged");
    unlink(r->path);
    /* so small that the layout's sample meets it */
    packed = pack_gzip(table, sizeof(table) - 1, &packed_length, pool);
    end_reading(r);
    r = read_bytes(packed, packed_length - 1);
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "archive-damaged");
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_table_in_every_form), cmocka_unit_test(test_df2_in_every_form),
        cmocka_unit_test(test_json_in_every_form),    cmocka_unit_test(test_windows_1252),
        cmocka_unit_test(test_damage_fails_the_file),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
