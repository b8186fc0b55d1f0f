/* Which of an archive's files is read, and archives and workbooks in archives. */
#include "bytes_of.h"
#include "pool_fixture.h"
#include "workbook.h"

#include "worker/bytes_internal.h"

#define TABLE "MPAN,Date,kWh\n" MPAN ",2026-02-01,1.5\n" MPAN ",2026-02-02,2.5\n"

#define FILE_OF(name, text)                                                                        \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }

static reading_t *read_zip(const packed_file_t *files, int count)
{
    reading_t *r = make_reading();

    write_file(r, "", 0);
    pack_zip(r->path, files, count, NULL);
    read_file(r);
    return r;
}

static const char *message_of(const reading_t *r, const char *code)
{
    for (int i = 0; i < r->warnings->nelts; i++) {
        const told_t *told = &APR_ARRAY_IDX(r->warnings, i, told_t);

        if (!strcmp(told->code, code)) {
            return told->message;
        }
    }
    return "";
}

static void expect_read(reading_t *r, const char *words, const char *passed)
{
    if (r->status != APR_SUCCESS) {
        fail_msg("%s: refused: %s: %s", words, r->result.code, r->result.detail);
    }
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->imported, 2);
    assert_int_equal(r->counted, 2);
    if (strncmp(r->layout->evidence, words, strlen(words)) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", r->layout->evidence, words);
    }
    assert_int_equal(count_warnings(r, "archive-passed-over"), passed != NULL);
    if (passed && !strstr(message_of(r, "archive-passed-over"), passed)) {
        fail_msg("\"%s\" lacks \"%s\"", message_of(r, "archive-passed-over"), passed);
    }
    end_reading(r);
}

static void expect_refused(reading_t *r, const char *code, const char *part)
{
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, code);
    if (!strstr(r->result.detail, part)) {
        fail_msg("\"%s\" lacks \"%s\"", r->result.detail, part);
    }
    end_reading(r);
}

/* A file's bytes, which then is gone. */
static packed_file_t take_file(reading_t *r, const char *name)
{
    packed_file_t taken = {.name = name};

    taken.bytes = bytes_of(r->path, &taken.length, pool);
    assert_int_equal(unlink(r->path), 0);
    return taken;
}

static packed_file_t workbook(const char *name)
{
    reading_t *r = make_reading();
    workbook_t book = {.sheets = {{"Data", NULL,
                                   apr_pstrcat(pool, row_of(pool, 1, "MPAN|Date|kWh"),
                                               row_of(pool, 2, MPAN "|@46054|1.5"),
                                               row_of(pool, 3, MPAN "|@46055|2.5"), NULL)}}};
    packed_file_t taken;

    write_workbook(r, &book);
    taken = take_file(r, name);
    end_reading(r);
    return taken;
}

static packed_file_t zip_of(const char *name, const packed_file_t *files, int count)
{
    reading_t *r = make_reading();
    packed_file_t taken;

    write_file(r, "", 0);
    pack_zip(r->path, files, count, NULL);
    taken = take_file(r, name);
    end_reading(r);
    return taken;
}

static packed_file_t gzip_of(const char *name, packed_file_t file)
{
    packed_file_t packed = {.name = name};

    packed.bytes = pack_gzip(file.bytes, file.length, &packed.length, pool);
    return packed;
}

/* ---- one of several ---------------------------------------------------------------------------
 */

/* Whatever they are called. */
static void test_what_can_hold_no_reading(void **state)
{
    const packed_file_t others[] = {
        FILE_OF("README.txt", "These are your readings, as asked for on 12 March 2026.\n\n"
                              "If you have questions, call us, Monday to Friday, 9:00 to 17:30.\n"),
        FILE_OF("help.csv", "Column, what it means\nMPAN, the meter point\nkWh, energy\n"),
        FILE_OF("terms.pdf", "%PDF-1.4\n1,2026-01-01,5\n"),
        FILE_OF("logo.dat", "\x89PNG\r\n\x1a\n2026-01-01,5\n"),
        FILE_OF("index.html", "\n<!DOCTYPE html><table><tr><td>2026-01-01,5\n"),
        FILE_OF("meta.xml", "<?xml version=\"1.0\"?><export on=\"2026-01-01\">\n2026-01-01,5\n"),
        FILE_OF("meta.json", "{\"name\": \"export\", \"columns\": [\"MPAN\", \"kWh\"]}"),
        FILE_OF("empty.csv", ""),
        FILE_OF("note.doc", "{\\rtf1 2026-01-01,5\n}"),
        FILE_OF("note.docx", "PK\3\4\24\0\0\0\0\0[Content_Types].xml  word/document.xml"),
        FILE_OF("data.bin", "\1\2\3\n2026-01-01,5\n"),
        FILE_OF("wide.txt", "\xFF\xFEh\0e\0l\0l\0o\0,\0 \0y\0o\0u\0\n\0"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const packed_file_t files[] = {others[i], FILE_OF("d/data.txt", TABLE)};

        expect_read(read_zip(files, 2), "zip holding 'data.txt'; a row per daily total",
                    apr_psprintf(pool,
                                 "'data.txt' was read, the only file in it that can hold "
                                 "readings; passed over: '%s'",
                                 others[i].name));
    }
}

static void test_what_can(void **state)
{
    packed_file_t others[] = {
        FILE_OF("b.csv", TABLE),
        FILE_OF("b.txt", "Header only for 64 lines\n\n\nx;12.3.2026 00:30;0,25\n"),
        FILE_OF("b.csv", "a\tb\n1\t2\t3\t4.5\n"),
        FILE_OF("b", "#F2\n#O " MPAN "\n#S 1\n01/02/2026,00:30,1.5,A\n"),
        FILE_OF("b", "ZHV|0000000042|D0036001|C|AAAA|X|BBBB|20251029010203||||OPER|\n"),
        FILE_OF("b.xml", "<?xml version=\"1.0\"?>\n<a:feed xmlns:a=\"http://naesb.org/espi\">"),
        FILE_OF("b.json", "[{\"start\": \"2026-02-01T00:00:00Z\", \"value\": 1.5}]"),
        FILE_OF("b.json", "{\"data\": [[1769904000, 1.5]]}"),
        FILE_OF("b.xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
        FILE_OF("b.7z", "7z\xbc\xaf\x27\x1c"),
        FILE_OF("b.txt", "\xFF\xFE"
                         "0\0001\0/\0000\0002\0/\0002\0006\0,\0001\0.\0005\0\n\0"),
        workbook("b.xlsx"),
        zip_of("b.zip", (packed_file_t[]){FILE_OF("c.csv", TABLE)}, 1),
        gzip_of("b.gz", (packed_file_t)FILE_OF("c.csv", TABLE)),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        const packed_file_t files[] = {FILE_OF("a.csv", TABLE), others[i],
                                       FILE_OF("README", "Nothing, but words, of 2026.\n")};

        expect_refused(
            read_zip(files, 3), "archive-several-files",
            apr_psprintf(pool, "2 files ('a.csv', '%s') that can hold readings", others[i].name));
    }
}

static void test_none_that_can(void **state)
{
    packed_file_t files[70] = {FILE_OF("a.csv", "MPAN,Date,kWh\n"), FILE_OF("b.pdf", "%PDF-1.4")};

    (void)state;
    /* the only text: what is wrong with it is told */
    expect_refused(read_zip(files, 2), "no-readings", "");
    files[1] = (packed_file_t)FILE_OF("b.txt", "MPAN,Date,kWh\n");
    expect_refused(read_zip(files, 2), "archive-several-files", "2 files ('a.csv', 'b.txt'):");
    /* there is an end to looking */
    for (int i = 0; i < 70; i++) {
        files[i] = (packed_file_t)FILE_OF(apr_psprintf(pool, "%d.pdf", i), "%PDF-1.4");
    }
    files[69] = (packed_file_t)FILE_OF("69.csv", TABLE);
    expect_refused(read_zip(files, 70), "archive-several-files",
                   "70 files ('0.pdf', '1.pdf', '2.pdf', '3.pdf', '4.pdf', …):");
    expect_read(read_zip(files + 60, 10), "zip holding '69.csv'", "'64.pdf', …");
}

/* ---- one within another -----------------------------------------------------------------------
 */

static void test_one_within_another(void **state)
{
    const packed_file_t csv = FILE_OF("x.csv", TABLE), note = FILE_OF("note.txt", "See x.\n");
    const packed_file_t inner[] = {zip_of("x.zip", (packed_file_t[]){csv, note}, 2), note};
    packed_file_t packed[] = {gzip_of("x.csv.gz", csv), note}, book = workbook("x.xlsx");
    reading_t *r;

    (void)state;
    expect_read(read_zip(packed, 2), "zip holding 'x.csv.gz', packed with gzip; a row",
                "'note.txt'");
    expect_read(read_zip(&book, 1), "zip holding 'x.xlsx'; Excel workbook; sheet", NULL);
    expect_read(read_zip((packed_file_t[]){book, note}, 2), "zip holding 'x.xlsx'; Excel",
                "'note.txt'");
    expect_read(read_zip(inner, 1), "zip holding 'x.zip', zip holding 'x.csv'; a row",
                "'note.txt'");
    packed[0] = gzip_of("x.xlsx.gz", book);
    expect_read(read_zip(packed, 1), "zip holding 'x.xlsx.gz', packed with gzip; Excel workbook",
                NULL);
    r = make_reading();
    write_file(r, packed[0].bytes, packed[0].length);
    read_file(r);
    expect_read(r, "packed with gzip; Excel workbook", NULL);
    packed[0] = gzip_of("x.csv.gz.gz", gzip_of("x.csv.gz", csv));
    r = make_reading();
    write_file(r, packed[0].bytes, packed[0].length);
    read_file(r);
    expect_read(r, "packed with gzip, packed with gzip; a row", NULL);
    expect_refused(read_zip(packed, 1), "archive-nested", "zip holding 'x.csv.gz.gz', packed with");
    packed[0] = gzip_of("x.zip.gz", inner[0]);
    expect_refused(read_zip(packed, 1), "archive-nested", "in an archive in an archive");
    packed[0] = zip_of("y.zip", inner, 1);
    expect_refused(read_zip(packed, 1), "archive-nested", "in an archive in an archive");
}

/* Reads all the bytes there are. */
static apr_status_t read_away(const packed_file_t *file, const char *path, ecl_result_t *result)
{
    char *buffer = apr_palloc(pool, ECL_BYTES_READ);
    apr_pool_t *p;
    ecl_bytes_t *bytes;
    apr_status_t status;

    pack_zip(path, file, 1, NULL);
    apr_pool_create(&p, pool);
    status = ecl_bytes_open(&bytes, path, p, result);
    while (status == APR_SUCCESS) {
        apr_size_t length = ECL_BYTES_READ;
        int is_text;

        status = ecl_bytes_read(bytes, buffer, &length, &is_text, result);
    }
    apr_pool_destroy(p);
    return status;
}

/* What is far within counts by what it takes of the stored file: each archive may unpack to 200
 * times its size, and both together too. */
static void test_bombs_within(void **state)
{
    size_t length = 66 << 20;
    char *text = malloc(length);
    packed_file_t file = {"x.csv", text, length};
    ecl_result_t result = ecl_result_make(pool);
    reading_t *r = make_reading();
    packed_file_t packed, zipped;

    (void)state;
    assert_non_null(text);
    memset(text, '0', length);
    for (size_t i = 0; i < length; i += 128) {
        text[i] = (char)('0' + i / 128 * 7 % 10);
    }
    write_file(r, "", 0);
    packed = gzip_of("x.csv.gz", file);
    zipped = zip_of("x.zip", &file, 1);
    assert_in_range(packed.length, length / 200, length / 10);
    assert_in_range(zipped.length, length / 200, length / 10);
    assert_int_equal(read_away(&file, r->path, &result), APR_EOF);
    assert_int_equal(read_away(&packed, r->path, &result), ECL_EINPUT);
    assert_string_equal(result.code, "archive-too-large");
    assert_int_equal(read_away(&zipped, r->path, &result), ECL_EINPUT);
    assert_string_equal(result.code, "archive-too-large");
    unlink(r->path);
    end_reading(r);
    free(text);
}

/* A damaged workbook within is no less damaged. */
static void test_damage_within(void **state)
{
    packed_file_t book = workbook("x.xlsx");

    (void)state;
    book.length -= 30;
    expect_refused(read_zip(&book, 1), "archive-damaged", "cannot be read");
}

/* So many bytes, each of another value than the one before, and then how it ends. */
typedef struct stream_t {
    apr_int64_t at, length;
    apr_status_t end;
} stream_t;

static apr_status_t read_stream(void *baton, char *buffer, apr_size_t *plength,
                                ecl_result_t *result)
{
    stream_t *stream = baton;
    apr_int64_t left = stream->length - stream->at;

    (void)result;
    if (!left) {
        return stream->end;
    }
    *plength = left < (apr_int64_t)*plength ? (apr_size_t)left : *plength;
    for (apr_size_t i = 0; i < *plength; i++) {
        buffer[i] = (char)stream->at++;
    }
    return APR_SUCCESS;
}

static apr_status_t spool(apr_file_t **pfile, apr_int64_t length, apr_status_t end,
                          apr_int64_t most, ecl_result_t *result)
{
    stream_t stream = {0, length, end};
    const ecl_unpacker_t from = {&stream, read_stream, NULL};

    *result = ecl_result_make(pool);
    return ecl_unpack_spool(pfile, &from, most, pool, result);
}

/* What is unpacked to a temporary file has a limit: 2 GiB where it is read, here a lower one. */
static void test_how_much_is_unpacked_to_a_file(void **state)
{
    enum { MOST = 3 * 65536 + 100 };
    static const apr_int64_t lengths[] = {0, 1, 65536, MOST - 1, MOST};
    ecl_result_t result;
    apr_file_t *file;
    apr_finfo_t info;
    apr_off_t last;
    char byte;

    (void)state;
    for (apr_size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        assert_int_equal(spool(&file, lengths[i], APR_EOF, MOST, &result), APR_SUCCESS);
        assert_int_equal(apr_file_info_get(&info, APR_FINFO_SIZE | APR_FINFO_NLINK, file),
                         APR_SUCCESS);
        assert_int_equal(info.size, lengths[i]);
        assert_int_equal(info.nlink, 0); /* nobody else finds it, and it goes by itself */
        last = lengths[i] - 1;
        if (last >= 0) {
            assert_int_equal(apr_file_seek(file, APR_SET, &last), APR_SUCCESS);
            assert_int_equal(apr_file_getc(&byte, file), APR_SUCCESS);
            assert_int_equal(byte, (char)last);
        }
        apr_file_close(file);
    }
    assert_int_equal(spool(&file, MOST + 1, APR_EOF, MOST, &result), ECL_EINPUT);
    assert_string_equal(result.code, "archive-too-large");
    assert_non_null(strstr(result.detail, "unpack it and upload what is inside"));
    assert_int_equal(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    assert_true(info.size <= MOST);
    apr_file_close(file);

    /* one that breaks off is not taken for whole */
    assert_int_equal(spool(&file, 70000, ECL_EINPUT, MOST, &result), ECL_EINPUT);
    apr_file_close(file);
}

/* ---- large archives ---------------------------------------------------------------------------
 */

static char *add_number(char *at, apr_uint64_t value, int bytes)
{
    while (bytes--) {
        *at++ = (char)(value & 0xff);
        value >>= 8;
    }
    return at;
}

/* An archive's end as those have it that are larger than 4 GiB: a record and its place, before an
 * end that says no more. APPNOTE.TXT 4.3.14 to 4.3.16. */
static packed_file_t with_large_end(packed_file_t packed)
{
    const unsigned char *end = (const unsigned char *)packed.bytes + packed.length - 22;
    apr_uint64_t entries = end[10], size = end[12] | (apr_uint64_t)end[13] << 8;
    apr_uint64_t offset = end[16] | (apr_uint64_t)end[17] << 8;
    packed_file_t large = {packed.name, NULL, packed.length + 56 + 20};
    char *bytes = apr_pcalloc(pool, large.length), *at = bytes + packed.length - 22;

    memcpy(bytes, packed.bytes, packed.length - 22);
    memcpy(at, "PK\6\6", 4);
    at = add_number(at + 4, 44, 8);
    at = add_number(at, 45 | 45 << 16, 4);
    at = add_number(at + 8, entries, 8);
    at = add_number(at, entries, 8);
    at = add_number(at, size, 8);
    at = add_number(at, offset, 8);
    memcpy(at, "PK\6\7", 4);
    at = add_number(at + 8, packed.length - 22, 8);
    at = add_number(at, 1, 4);
    memcpy(at, "PK\5\6", 4);
    memset(at + 8, 0xff, 12);
    large.bytes = bytes;
    return large;
}

static void test_the_end_of_a_large_archive(void **state)
{
    const packed_file_t file = FILE_OF("x.csv", TABLE);
    packed_file_t large = with_large_end(zip_of("x.zip", &file, 1));
    reading_t *r = make_reading();

    (void)state;
    write_file(r, large.bytes, large.length);
    read_file(r);
    expect_read(r, "zip holding 'x.csv';", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_hold_no_reading),
        cmocka_unit_test(test_what_can),
        cmocka_unit_test(test_none_that_can),
        cmocka_unit_test(test_one_within_another),
        cmocka_unit_test(test_bombs_within),
        cmocka_unit_test(test_damage_within),
        cmocka_unit_test(test_how_much_is_unpacked_to_a_file),
        cmocka_unit_test(test_the_end_of_a_large_archive),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
