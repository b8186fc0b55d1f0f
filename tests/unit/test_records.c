/* Bytes → records: fields, line numbers, offsets and raw text, however the file is cut. */
#include <sys/resource.h>

#include "file_fixture.h"
#include "start_apr.h"
#include "worker/records.h"
#include "lib/utf8.h"

#ifdef __SANITIZE_ADDRESS__
#define BIG_FILE (8 << 20)
#else
#define BIG_FILE (64 << 20)
#endif

static ecl_records_t *open_file(env_t *env, char delimiter, size_t read_size)
{
    ecl_records_t *records;
    ecl_result_t result = ecl_result_make(env->pool);

    assert_int_equal(ecl_records_open(&records, env->path, delimiter, env->pool, &result),
                     APR_SUCCESS);
    if (read_size) {
        ecl_records_set_read_size(records, read_size);
    }
    return records;
}

static int next(ecl_records_t *records, ecl_record_t *record)
{
    apr_status_t status = ecl_records_next(records, record, NULL);

    if (status == APR_EOF) {
        return 0;
    }
    assert_int_equal(status, APR_SUCCESS);
    assert_int_equal(strlen(record->raw), record->raw_length);
    return 1;
}

/* Every record as "number@line<end_offset status [field][field]…|raw$", one after the other. */
static char *dump(env_t *env, char delimiter, size_t read_size)
{
    static const char *const names[] = {"ok", "open", "long", "nottext"};
    char *text = apr_pstrdup(env->pool, "");
    ecl_records_t *records = open_file(env, delimiter, read_size);
    ecl_record_t record;
    int i;

    while (next(records, &record)) {
        text = apr_psprintf(env->pool, "%s%d@%d<%d %s ", text, (int)record.number, (int)record.line,
                            (int)record.end_offset, names[record.status]);
        for (i = 0; i < record.count; i++) {
            assert_int_equal(strlen(record.fields[i].text), record.fields[i].length);
            text = apr_pstrcat(env->pool, text, "[", record.fields[i].text, "]", NULL);
        }
        text = apr_pstrcat(env->pool, text, "|", record.raw, "$", NULL);
    }
    assert_int_equal(ecl_records_next(records, &record, NULL), APR_EOF);
    return text;
}

static void expect_bytes(env_t *env, char delimiter, const char *bytes, size_t length,
                         const char *expected)
{
    static const size_t sizes[] = {0, 1, 2, 3, 7, 4096, 65536};
    size_t i;

    write_file(env, bytes, length);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_string_equal(dump(env, delimiter, sizes[i]), expected);
    }
}

static void expect(env_t *env, const char *bytes, const char *expected)
{
    expect_bytes(env, ',', bytes, strlen(bytes), expected);
}

static void line_ends(void **state)
{
    expect(*state, "a,b\nc,d\n", "1@1<4 ok [a][b]|a,b$2@2<8 ok [c][d]|c,d$");
    expect(*state, "a,b\r\nc,d\r\n", "1@1<5 ok [a][b]|a,b$2@2<10 ok [c][d]|c,d$");
    expect(*state, "a,b\rc,d\r", "1@1<4 ok [a][b]|a,b$2@2<8 ok [c][d]|c,d$");
    expect(*state, "a\r\nb\nc\rd\n\re",
           "1@1<3 ok [a]|a$2@2<5 ok [b]|b$3@3<7 ok [c]|c$4@4<9 ok [d]|d$5@6<11 ok [e]|e$");
    expect(*state, "a,b\nc,d", "1@1<4 ok [a][b]|a,b$2@2<7 ok [c][d]|c,d$");
    expect(*state, "a,b\nc,", "1@1<4 ok [a][b]|a,b$2@2<6 ok [c][]|c,$");
    expect(*state, "a\r", "1@1<2 ok [a]|a$");
    expect(*state, "a", "1@1<1 ok [a]|a$");
}

static void empty_files(void **state)
{
    expect(*state, "", "");
    expect(*state, "\n", "");
    expect(*state, "\xEF\xBB\xBF", "");
    expect(*state, "\xEF\xBB\xBF\r\n  \r\n", "");
    /* half a mark: two characters of Windows-1252 */
    expect(*state, "\xEF\xBB", "1@1<2 ok [\xC3\xAF\xC2\xBB]|\xC3\xAF\xC2\xBB$");
}

static void blank_lines_are_counted_but_are_no_records(void **state)
{
    expect(*state, "\n\r\na\n  \t \nb\n\n\n", "1@3<5 ok [a]|a$2@5<12 ok [b]|b$");
    expect(*state, ",,,\n", "1@1<4 ok [][][][]|,,,$");
    expect(*state, "\"\"\n", "1@1<3 ok []|\"\"$");
    expect_bytes(*state, '\t', " \n\t\t\n", 5, "1@2<5 ok [][][]|\t\t$");
}

static void byte_order_mark(void **state)
{
    expect(*state, "\xEF\xBB\xBFMPAN,b\n", "1@1<10 ok [MPAN][b]|MPAN,b$");
    expect(*state, "\xEF\xBB\xBF\"MPAN\",b\n", "1@1<12 ok [MPAN][b]|\"MPAN\",b$");
    /* only at the start of the file */
    expect(*state, "a\n\xEF\xBB\xBFz\n", "1@1<2 ok [a]|a$2@2<7 ok [\xEF\xBB\xBFz]|\xEF\xBB\xBFz$");
}

static void quotes(void **state)
{
    expect(*state, "\"a,b\",\"c \"\"d\"\"\"\n",
           "1@1<16 ok [a,b][c \"d\"]|\"a,b\",\"c \"\"d\"\"\"$");
    expect(*state, " \"a\" , b ,\" c \"\n", "1@1<16 ok [a][b][ c ]| \"a\" , b ,\" c \"$");
    expect(*state, "12\" pipe,b\"\n", "1@1<12 ok [12\" pipe][b\"]|12\" pipe,b\"$");
    expect(*state, "\"12\" pipe\",b\n", "1@1<13 ok [12\" pipe][b]|\"12\" pipe\",b$");
    expect(*state, "=\"2200000456713\",b\n",
           "1@1<19 ok [=\"2200000456713\"][b]|=\"2200000456713\",b$");
    expect(*state, "a,\"b\"", "1@1<5 ok [a][b]|a,\"b\"$");
}

static void line_ends_in_quotes(void **state)
{
    expect(*state, "\"1 High St\nBath\",22\nx,y\n",
           "1@1<20 ok [1 High St\nBath][22]|\"1 High St\nBath\",22$2@3<24 ok [x][y]|x,y$");
    expect(*state, "\"a\r\n\r\nb\rc\",d\r\nx",
           "1@1<14 ok [a\r\n\r\nb\rc][d]|\"a\r\n\r\nb\rc\",d$2@5<15 ok [x]|x$");
    expect(*state, "a,\"b\n\",c,\"d\n\n e\"\nx",
           "1@1<17 ok [a][b\n][c][d\n\n e]|a,\"b\n\",c,\"d\n\n e\"$2@5<18 ok [x]|x$");
}

static void an_open_quote_costs_one_record(void **state)
{
    expect(*state, "a,1\n\"b,2\nc,3\n",
           "1@1<4 ok [a][1]|a,1$2@2<9 open |\"b,2$3@3<13 ok [c][3]|c,3$");
    expect(*state, "\"b,2\r\n\r\nc,3", "1@1<6 open |\"b,2$2@3<11 ok [c][3]|c,3$");
    expect(*state, "c,\"3", "1@1<4 open |c,\"3$");
    /* three in a row, and a good record behind them that opens and closes its own */
    expect(*state, "\"a\n\"b\n\"c\n\"d\ne\",f\ng",
           "1@1<17 ok [a\n\"b\n\"c\n\"d\ne][f]|\"a\n\"b\n\"c\n\"d\ne\",f$2@6<18 ok [g]|g$");
    expect(*state, "\"a\n\"b\nc\nd,\"e\n",
           "1@1<3 open |\"a$2@2<6 open |\"b$3@3<8 ok [c]|c$4@4<13 open |d,\"e$");
}

static void what_is_not_text_is_shown_and_refused(void **state)
{
    expect(*state,
           "a,\x81"
           "5\nb,2\n",
           "1@1<5 nottext |a,\xEF\xBF\xBD"
           "5$2@2<9 ok [b][2]|b,2$");
    expect(*state, "\xC2\xA3,\xE2\x82\xAC,\xF0\x9F\x94\xA5\n",
           "1@1<12 ok "
           "[\xC2\xA3][\xE2\x82\xAC][\xF0\x9F\x94\xA5]|\xC2\xA3,\xE2\x82\xAC,\xF0\x9F\x94\xA5$");
    /* overlong, above U+10FFFF, cut: with bytes that Windows-1252 does not have */
    expect(*state, "\xC0\x81\n", "1@1<3 nottext |\xC3\x80\xEF\xBF\xBD$");
    expect(*state, "\xF4\x90\x80\x80\n",
           "1@1<5 nottext |\xC3\xB4\xEF\xBF\xBD\xE2\x82\xAC\xE2\x82\xAC$");
    expect(*state, "12345678\xE2\x81\n", "1@1<11 nottext |12345678\xC3\xA2\xEF\xBF\xBD$");
    expect_bytes(*state, ',', "a\0,b\nc\n", 7, "1@1<5 nottext |a\xEF\xBF\xBD,b$2@2<7 ok [c]|c$");
    /* a quote among NULs opens nothing */
    expect_bytes(*state, ',', "\"\0M\nx\0", 6,
                 "1@1<4 nottext |\"\xEF\xBF\xBDM$2@2<6 nottext |x\xEF\xBF\xBD$");
    /* all of a record of several lines */
    expect(*state, "\"a\n\x8D\",b\nc", "1@1<8 nottext |\"a\n\xEF\xBF\xBD\",b$2@3<9 ok [c]|c$");
}

static void other_delimiters(void **state)
{
    expect_bytes(*state, ';', "a;0,5\n", 6, "1@1<6 ok [a][0,5]|a;0,5$");
    expect_bytes(*state, '|', "BOM|x||\n", 8, "1@1<8 ok [BOM][x][][]|BOM|x||$");
    expect_bytes(*state, '\t', "a\t b\t\n", 6, "1@1<6 ok [a][b][]|a\t b\t$");
}

static void without_a_delimiter_a_line_is_a_field(void **state)
{
    expect_bytes(*state, 0,
                 "\xEF\xBB\xBF"
                 "a;\"b\n\n c,d\r\n",
                 15, "1@1<8 ok [a;\"b]|a;\"b$2@3<15 ok [ c,d]| c,d$");
}

static void as_many_fields_as_fit(void **state)
{
    env_t *env = *state;
    char *bytes = apr_palloc(env->pool, 20000);
    ecl_records_t *records;
    ecl_record_t record;

    memset(bytes, ',', 20000);
    bytes[ECL_FIELDS_MAX - 1] = '\n';
    bytes[ECL_FIELDS_MAX + 5000] = '\n';
    write_file(env, bytes, ECL_FIELDS_MAX + 5003);
    records = open_file(env, ',', 0);
    assert_true(next(records, &record));
    assert_int_equal(record.status, ECL_RECORD_OK);
    assert_int_equal(record.count, ECL_FIELDS_MAX);
    assert_true(next(records, &record));
    assert_int_equal(record.status, ECL_RECORD_TOO_LONG);
    assert_int_equal(record.count, 0);
    assert_null(record.fields);
    assert_int_equal(record.raw_length, 5000);
    assert_true(next(records, &record));
    assert_int_equal(record.count, 3);
    assert_int_equal(record.line, 3);
    assert_false(next(records, &record));
}

static void the_rest_of_a_record_when_it_is_needed(void **state)
{
    env_t *env = *state;
    apr_pool_t *p = env->pool;
    char *many = apr_pcalloc(p, ECL_FIELDS_MAX + 2);
    const char *text = apr_pstrcat(p, "a , b,c\n\"d\",e,f\ng\n", NULL);
    ecl_records_t *records;
    ecl_record_t record;

    memset(many, ',', ECL_FIELDS_MAX + 1);
    text = apr_pstrcat(p, text, many, "\n", NULL);
    write_file(env, text, strlen(text));
    records = open_file(env, ',', 100);
    ecl_records_set_head(records, 2);
    assert_int_equal(next(records, &record), 1);
    assert_int_equal(record.count, 2);
    assert_string_equal(record.fields[0].text, "a");
    assert_string_equal(record.fields[1].text, "b");
    ecl_records_split_rest(records, &record);
    ecl_records_split_rest(records, &record);
    assert_int_equal(record.count, 3);
    assert_string_equal(record.fields[2].text, "c");
    assert_string_equal(record.raw, "a , b,c");
    assert_int_equal(next(records, &record), 1); /* has quotes: libcsv gives it whole */
    assert_int_equal(record.count, 3);
    ecl_records_split_rest(records, &record);
    assert_int_equal(record.count, 3);
    assert_string_equal(record.fields[0].text, "d");
    assert_int_equal(next(records, &record), 1);
    ecl_records_split_rest(records, &record);
    assert_int_equal(record.count, 1);
    assert_int_equal(next(records, &record), 1);
    assert_int_equal(record.status, ECL_RECORD_OK);
    ecl_records_split_rest(records, &record);
    assert_int_equal(record.status, ECL_RECORD_TOO_LONG);
    assert_int_equal(record.count, 0);
    assert_int_equal(next(records, &record), 0);
}

static void long_lines(void **state)
{
    env_t *env = *state;
    const size_t most = ECL_RECORD_MAX;
    char *bytes = apr_palloc(env->pool, 5 * most);
    static const size_t sizes[] = {4096, 65536, 65535};
    size_t i;

    /* as long as may be; one byte more; three times; then an ordinary one */
    memset(bytes, 'x', 5 * most);
    bytes[most] = '\n';
    memcpy(bytes + 2 * most + 2, "\r\n", 2);
    memcpy(bytes + 2 * most, "\xC2\xA3", 2); /* cut between these two */
    memcpy(bytes + 5 * most - 10, "\nlast,one\n", 10);
    write_file(env, bytes, 5 * most);
    for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ecl_records_t *records = open_file(env, ',', sizes[i]);
        ecl_record_t record;

        assert_true(next(records, &record));
        assert_int_equal(record.status, ECL_RECORD_OK);
        assert_int_equal(record.fields[0].length, most);
        assert_int_equal(record.end_offset, most + 1);
        assert_true(next(records, &record));
        assert_int_equal(record.status, ECL_RECORD_TOO_LONG);
        assert_int_equal(record.raw_length, most - 1);
        assert_int_equal(record.end_offset, 2 * most + 4);
        assert_true(next(records, &record));
        assert_int_equal(record.status, ECL_RECORD_TOO_LONG);
        assert_int_equal(record.line, 3);
        assert_int_equal(record.raw_length, most);
        assert_int_equal(record.end_offset, 5 * most - 9);
        assert_true(next(records, &record));
        assert_string_equal(record.fields[1].text, "one");
        assert_int_equal(record.line, 4);
        assert_int_equal(record.number, 4);
        assert_int_equal(record.end_offset, 5 * most);
        assert_false(next(records, &record));
    }
}

static void a_line_too_long_may_end_the_file(void **state)
{
    env_t *env = *state;
    const size_t length = ECL_RECORD_MAX + 70000;
    char *bytes = apr_palloc(env->pool, length);
    ecl_records_t *records;
    ecl_record_t record;

    memset(bytes, 'x', length);
    write_file(env, bytes, length);
    records = open_file(env, ',', 0);
    assert_true(next(records, &record));
    assert_int_equal(record.status, ECL_RECORD_TOO_LONG);
    assert_int_equal(record.end_offset, length);
    assert_false(next(records, &record));
}

static void a_long_quoted_record(void **state)
{
    env_t *env = *state;
    const size_t most = ECL_RECORD_MAX;
    char *bytes = apr_palloc(env->pool, 3 * most);
    ecl_records_t *records;
    ecl_record_t record;
    size_t i;

    memset(bytes, 'x', 3 * most);
    for (i = 99; i < 3 * most; i += 100) {
        bytes[i] = '\n';
    }
    /* one that closes just in time; one that closes too late */
    bytes[0] = '"';
    memcpy(bytes + most - 3, "\",y\n", 4);
    bytes[most + 1] = '"';
    memcpy(bytes + 2 * most + 100, "\",y\n", 4);
    write_file(env, bytes, 3 * most);
    records = open_file(env, ',', 0);
    assert_true(next(records, &record));
    assert_int_equal(record.status, ECL_RECORD_OK);
    assert_int_equal(record.raw_length, most);
    assert_int_equal(record.count, 2);
    assert_int_equal(record.end_offset, most + 1);
    assert_true(next(records, &record));
    assert_int_equal(record.status, ECL_RECORD_OPEN_QUOTE);
    assert_true(record.raw_length < 100);
    i = (size_t)record.line;
    assert_true(next(records, &record));
    assert_int_equal(record.status, ECL_RECORD_OK);
    assert_int_equal(record.line, i + 1);
    while (next(records, &record)) {
        /* the quote that closes too late is data in an unquoted field */
        assert_int_equal(record.status, ECL_RECORD_OK);
    }
}

/* In every line a quote that opens and never closes, in a file of several times ECL_RECORD_MAX.
 * Done without remembering what was looked through, this takes minutes. */
static void stray_quotes_take_linear_time(void **state)
{
    env_t *env = *state;
    const size_t length = BIG_FILE / 4;
    char *bytes = malloc(length);
    ecl_records_t *records;
    ecl_record_t record;
    size_t i, found = 0;

    memset(bytes, 'x', length);
    for (i = 0; i + 10 <= length; i += 10) {
        memcpy(bytes + i, "a,\"b,c,d,\n", 10);
    }
    /* the last third is one line: nothing is gained by looking for its end again and again */
    memset(bytes + length / 3 * 2, 'x', length / 3);
    write_file(env, bytes, length);
    free(bytes);
    records = open_file(env, ',', 0);
    while (next(records, &record)) {
        assert_int_equal(record.number, record.line);
        found += record.status == ECL_RECORD_OPEN_QUOTE;
    }
    assert_true(found >= length / 3 * 2 / 10 - 1);
}

/* A quote that closes after many failed attempts is found, and its record read whole. */
static void a_quote_closes_behind_looked_through_lines(void **state)
{
    env_t *env = *state;
    const size_t length = ECL_RECORD_MAX + 5000;
    char *bytes = apr_palloc(env->pool, length);
    ecl_records_t *records;
    ecl_record_t record;
    int failed = 0;

    memset(bytes, 'x', length);
    for (size_t i = 0; i + 10 <= length; i += 10) {
        memcpy(bytes + i, "a,\"b,c,d,\n", 10);
    }
    memcpy(bytes + length - 10, "end\",z,y,x", 10);
    write_file(env, bytes, length);
    records = open_file(env, ',', 0);
    while (next(records, &record) && record.status == ECL_RECORD_OPEN_QUOTE) {
        failed++;
    }
    assert_int_equal(failed, 500);
    assert_int_equal(record.status, ECL_RECORD_OK);
    assert_int_equal(record.count, 5);
    assert_int_equal(record.fields[1].length, length - 5000 - 2 - 1 - 7);
    assert_string_equal(record.fields[4].text, "x");
    assert_int_equal(record.line, 501);
    assert_int_equal(record.end_offset, length);
    assert_false(next(records, &record));
}

/* A line without a quotation mark is not split by libcsv, but the same way: a quoted field at its
 * end, which brings libcsv in, changes nothing of the others. */
static void with_and_without_quotes_fields_are_alike(void **state)
{
    static const char alphabet[] = "ab \t\v,;|.7-\xC2\xA0";
    static const char delimiters[] = ",;|\t";
    env_t *env = *state;
    unsigned seed = 20261;

    for (int i = 0; i < 2000; i++) {
        char plain[64], file[160], delimiter = delimiters[i % 4];
        size_t length = 1 + (seed = seed * 1103515245 + 12345) / 65536 % 20;
        ecl_record_t record;
        ecl_records_t *records;
        ecl_field_t fields[64];
        int count;

        for (size_t at = 0; at < length; at++) {
            seed = seed * 1103515245 + 12345;
            plain[at] = alphabet[seed / 65536 % (sizeof alphabet - 1)];
        }
        plain[0] = 'x';
        plain[length] = '\0';
        snprintf(file, sizeof file, "%s%c\"\"\n%s\n", plain, delimiter, plain);
        write_file(env, file, strlen(file));
        records = open_file(env, delimiter, 0);
        assert_true(next(records, &record));
        count = record.count - 1;
        for (int n = 0; n < count; n++) {
            fields[n].text = apr_pstrdup(env->pool, record.fields[n].text);
            fields[n].length = record.fields[n].length;
        }
        assert_true(next(records, &record));
        assert_int_equal(record.count, count);
        for (int n = 0; n < count; n++) {
            assert_int_equal(record.fields[n].length, fields[n].length);
            assert_string_equal(record.fields[n].text, fields[n].text);
        }
        apr_pool_clear(env->pool);
    }
}

/* Whatever stands in the file, all cuts give the same. */
static void random_files_read_alike(void **state)
{
    static const char alphabet[] = "\"\"\"\n\r,ab \t;";
    static const size_t sizes[] = {1, 3, 65536};
    env_t *env = *state;
    unsigned seed = 12345;
    int round;

    for (round = 0; round < 300; round++) {
        char bytes[64], *first = NULL;
        size_t length, i;

        seed = seed * 1103515245 + 12345;
        length = (seed >> 16) % sizeof bytes;
        for (i = 0; i < length; i++) {
            seed = seed * 1103515245 + 12345;
            bytes[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        write_file(env, bytes, length);
        for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            char *text = dump(env, ',', sizes[i]);

            if (first) {
                assert_string_equal(text, first);
            }
            first = text;
        }
        apr_pool_clear(env->pool);
    }
}

static void memory_is_constant(void **state)
{
    env_t *env = *state;
    static const char row[] = "2200000456713,2024-03-31,0.125,0.25,12.5,\"a \"\"b\"\"\",1,2,3,4\n";
    FILE *f = fopen(env->path, "wb");
    size_t i, rows = BIG_FILE / (sizeof row - 1), found = 0;
    ecl_records_t *records;
    ecl_record_t record;
    struct rusage before, after;

    assert_non_null(f);
    for (i = 0; i < rows; i++) {
        assert_int_equal(fwrite(row, sizeof row - 1, 1, f), 1);
    }
    assert_int_equal(fclose(f), 0);
    getrusage(RUSAGE_SELF, &before);
    records = open_file(env, ',', 0);
    while (next(records, &record)) {
        found += record.count == 10;
    }
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(found, rows);
    assert_true(after.ru_maxrss - before.ru_maxrss < 1024); /* KiB */
}

static void a_missing_file_is_told(void **state)
{
    env_t *env = *state;
    ecl_records_t *records;
    ecl_result_t result = ecl_result_make(env->pool);

    assert_int_equal(ecl_records_open(&records, "/nowhere/at/all.csv", ',', env->pool, &result),
                     ECL_ENOTFOUND);
    assert_string_equal(result.code, "file-missing");
    assert_string_equal(result.detail, "the file 'all.csv' is not there");
    /* a directory can be opened, but not read */
    assert_int_not_equal(ecl_records_open(&records, "/tmp", ',', env->pool, &result), APR_SUCCESS);
    assert_string_equal(result.code, "file-unreadable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_is_constant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(line_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(empty_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(blank_lines_are_counted_but_are_no_records, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(byte_order_mark, set_up, tear_down),
        cmocka_unit_test_setup_teardown(quotes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(line_ends_in_quotes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_quote_costs_one_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_text_is_shown_and_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_delimiters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_delimiter_a_line_is_a_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_many_fields_as_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_rest_of_a_record_when_it_is_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_too_long_may_end_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_quoted_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stray_quotes_take_linear_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_quote_closes_behind_looked_through_lines, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(with_and_without_quotes_fields_are_alike, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(random_files_read_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
