/* Stored files → UTF-8: encodings and containers, whole and broken, however they are cut. */
#include <sys/resource.h>

#include <apr_file_io.h>
#include <apr_general.h>

#include "bytes_of.h"
#include "file_fixture.h"
#include "packing.h"
#include "start_apr.h"
#include "lib/utf8.h"
#include "worker/bytes.h"

#ifdef __SANITIZE_ADDRESS__
#define BIG_MEMBERS 20
#else
#define BIG_MEMBERS 200
#endif

/* What came of reading a file to its end. */
typedef struct outcome_t {
    apr_status_t status; /* APR_EOF: all was read */
    ecl_result_t result;
    char *text;
    size_t length;
    int is_text;
    const char *words;
    ecl_container_t container;
    apr_int64_t first_other;
} outcome_t;

/* Reads the file by so many bytes; checks what every read promises. */
static outcome_t read_by(env_t *env, size_t read_size)
{
    outcome_t outcome = {.is_text = 1, .result = ecl_result_make(env->pool)};
    size_t room = 1 << 20;
    apr_int64_t last = 0;
    ecl_bytes_t *bytes;
    apr_pool_t *p;

    apr_pool_create(&p, env->pool);
    outcome.text = apr_palloc(env->pool, room + 1);
    outcome.status = ecl_bytes_open(&bytes, env->path, p, &outcome.result);
    while (outcome.status == APR_SUCCESS) {
        apr_size_t length = read_size;
        apr_int64_t stored;
        int is_text;

        assert_true(outcome.length + read_size <= room);
        outcome.status = ecl_bytes_read(bytes, outcome.text + outcome.length, &length, &is_text,
                                        &outcome.result);
        if (outcome.status == APR_SUCCESS) {
            assert_true(length >= 1 && length <= read_size);
            outcome.length += length;
            outcome.is_text &= is_text;
            stored = ecl_bytes_stored(bytes, (apr_int64_t)outcome.length);
            assert_true(stored >= last);
            last = stored;
        }
    }
    if (outcome.status == APR_EOF) {
        apr_finfo_t info;

        assert_int_equal(apr_stat(&info, env->path, APR_FINFO_SIZE, p), APR_SUCCESS);
        assert_true(last <= (apr_int64_t)info.size);
        outcome.words = ecl_form_words(ecl_bytes_form(bytes), env->pool);
        outcome.container = ecl_bytes_form(bytes)->container;
        outcome.first_other = ecl_bytes_form(bytes)->first_other;
        assert_int_equal(outcome.is_text, ecl_utf8_is_text(outcome.text, outcome.length));
    } else {
        assert_non_null(outcome.result.code);
        assert_non_null(outcome.result.detail);
    }
    outcome.text[outcome.length] = '\0';
    apr_pool_destroy(p);
    return outcome;
}

/* Reads the file in many ways, which must not differ. */
static outcome_t read_all(env_t *env)
{
    static const size_t sizes[] = {1, 2, 3, 7, 63, 64, 65, 4096};
    outcome_t outcome = read_by(env, 65536);

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        outcome_t other = read_by(env, sizes[i]);

        assert_int_equal(other.status, outcome.status);
        if (outcome.status == APR_EOF) {
            assert_int_equal(other.length, outcome.length);
            assert_memory_equal(other.text, outcome.text, outcome.length);
            assert_int_equal(other.is_text, outcome.is_text);
            assert_int_equal(other.first_other, outcome.first_other);
        } else {
            assert_string_equal(other.result.code, outcome.result.code);
            assert_string_equal(other.result.detail, outcome.result.detail);
        }
    }
    return outcome;
}

static void expect(env_t *env, const char *bytes, size_t length, const char *text,
                   const char *words)
{
    outcome_t outcome;

    write_file(env, bytes, length);
    outcome = read_all(env);
    assert_int_equal(outcome.status, APR_EOF);
    assert_string_equal(outcome.text, text);
    assert_true(outcome.is_text);
    if (words) {
        assert_string_equal(outcome.words, words);
    } else {
        assert_null(outcome.words);
    }
}

#define BYTES(literal) literal, sizeof(literal) - 1

/* The file is not text throughout: where it is not, what stands there is no UTF-8. */
static void expect_no_text(env_t *env, const char *bytes, size_t length, const char *text)
{
    char repaired[200];
    outcome_t outcome;

    write_file(env, bytes, length);
    outcome = read_all(env);
    assert_int_equal(outcome.status, APR_EOF);
    assert_false(outcome.is_text);
    ecl_utf8_repair(outcome.text, outcome.length, repaired);
    assert_string_equal(repaired, text);
}

static outcome_t expect_refusal(env_t *env, const char *code, const char *part)
{
    outcome_t outcome = read_all(env);

    if (outcome.status != ECL_EINPUT || strcmp(outcome.result.code, code) ||
        !strstr(outcome.result.detail, part)) {
        fail_msg("expected %s, %s; got %d, %s: %s", code, part, outcome.status, outcome.result.code,
                 outcome.result.detail);
    }
    return outcome;
}

/* ---- encodings ------------------------------------------------------------------------------- */

static void utf8(void **state)
{
    expect(*state, BYTES(""), "", NULL);
    expect(*state, BYTES("a,b\r\n1,2"), "a,b\r\n1,2", NULL);
    expect(*state, BYTES("\xEF\xBB\xBF"), "", NULL);
    expect(*state, BYTES("\xEF\xBB\xBFMPAN"), "MPAN", NULL);
    /* only the first is a mark */
    expect(*state, BYTES("\xEF\xBB\xBF\xEF\xBB\xBFx"), "\xEF\xBB\xBFx", NULL);
    expect(*state, BYTES("\xC2\xA3 m\xC2\xB3 \xE2\x82\xAC \xF0\x9F\x94\xA5"),
           "\xC2\xA3 m\xC2\xB3 \xE2\x82\xAC \xF0\x9F\x94\xA5", NULL);
    expect_no_text(*state, BYTES("a\0,b"), "a\xEF\xBF\xBD,b");
}

static void windows_1252(void **state)
{
    const char *words = "Windows-1252";
    env_t *env = *state;
    char bytes[128], text[400] = "";
    outcome_t outcome;
    int length = 0;

    expect(env, BYTES("Cost (\xA3),m\xB3\n"), "Cost (\xC2\xA3),m\xC2\xB3\n", words);
    expect(env, BYTES("\x80 \x93q\x94 \x9F \xFF"),
           "\xE2\x82\xAC \xE2\x80\x9Cq\xE2\x80\x9D \xC5\xB8 \xC3\xBF", words);
    /* put together from two files: each reads right */
    expect(env, BYTES("\xC2\xA3 and \xA3"), "\xC2\xA3 and \xC2\xA3", words);
    /* the file ends within a character of UTF-8 */
    expect(env, BYTES("12\xE2\x82"), "12\xC3\xA2\xE2\x80\x9A", words);
    expect_no_text(env, BYTES("a\x81\x8D\x8F\x90\x9D\xA3"),
                   "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xC2\xA3");
    /* 0xA0 to 0xFF are the Unicode characters of those numbers */
    for (unsigned c = 0xA0; c <= 0xFF; c++) {
        bytes[length++] = (char)c;
        snprintf(text + strlen(text), 4, "%c%c ", 0xC0 | (c >> 6), 0x80 | (c & 0x3F));
        bytes[length++] = ' ';
        if (length > 60 || c == 0xFF) {
            expect(env, bytes, (size_t)length, text, words);
            length = 0;
            text[0] = '\0';
        }
    }
    write_file(env, BYTES("\xEF\xBB\xBF"
                          "123\xA3"
                          "4\xA3"));
    outcome = read_all(env);
    assert_int_equal(outcome.first_other, 6);
}

static void utf16(void **state)
{
    const char *little = "UTF-16 (little-endian)", *big = "UTF-16 (big-endian)";

    expect(*state, BYTES("\xFF\xFE"), "", little);
    expect(*state, BYTES("\xFF\xFEM\0P\0\xA3\0\xAC\x20\n\0"), "MP\xC2\xA3\xE2\x82\xAC\n", little);
    expect(*state, BYTES("\xFE\xFF\0M\0P\0\xA3\x20\xAC\0\n"), "MP\xC2\xA3\xE2\x82\xAC\n", big);
    expect(*state, BYTES("M\0P\0A\0N\0,\0D\0\xA3\0"), "MPAN,D\xC2\xA3", little);
    expect(*state, BYTES("\0M\0P\0A\0N\0,\0D\0\xA3"), "MPAN,D\xC2\xA3", big);
    /* a pair of surrogates; halves of pairs; half a unit at the end */
    expect(*state,
           BYTES("\xFF\xFE\x3D\xD8\x25\xDD."
                 "\0"),
           "\xF0\x9F\x94\xA5.", little);
    expect_no_text(*state, BYTES("\xFF\xFE\x3D\xD8x\0"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx");
    expect_no_text(*state, BYTES("\xFE\xFF\xDD\x25\0x"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx");
    expect_no_text(*state, BYTES("\xFF\xFEx\0\x3D\xD8"), "x\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    expect_no_text(*state, BYTES("\xFF\xFEx\0\x3D\xD8\x25"),
                   "x\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    expect_no_text(*state, BYTES("\xFF\xFEx\0y"), "x\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    expect_no_text(*state, BYTES("\xFF\xFEx\0\0\0y\0"), "x\xEF\xBF\xBDy");
    write_file(*state, BYTES("\xFF\xFE\0\0M\0\0\0"));
    expect_refusal(*state, "not-text", "UTF-32");
}

static void damaged_utf16(void **state)
{
    const char *words = "UTF-16 that was damaged in transit";

    expect(*state, BYTES("\xEF\xBF\xBD\xEF\xBF\xBDs\0e\0p\0=\0,\0\r\0\n\0"), "sep=,\r\n", words);
    expect(*state, BYTES("\xEF\xBF\xBD\xEF\xBF\xBD\0s\0e\0p\0=\0,\0\r\0\n"), "sep=,\r\n", words);
    /* a £ is damaged as the mark is */
    expect(*state, BYTES("\xEF\xBF\xBD\xEF\xBF\xBDs\0(\0\xEF\xBF\xBD\0)\0\n\0"),
           "s(\xEF\xBF\xBD)\n", words);
    /* every LF became CR LF: from there on, the other half of each pair is NUL */
    expect(*state,
           BYTES("\xFF\xFEM\0P\0\r\n\0"
                 "1\0"
                 "2\0\r\n\0"
                 "3\0\r\n\0"),
           "MP\r\n12\r\n3\r\n", words);
    /* U+FFFD in a file that is nothing but UTF-8 */
    expect(*state, BYTES("\xEF\xBF\xBD\xEF\xBF\xBD,MPAN,Date"),
           "\xEF\xBF\xBD\xEF\xBF\xBD,MPAN,Date", NULL);
}

static apr_size_t append(char *bytes, apr_size_t length, const char *more, apr_size_t count)
{
    memcpy(bytes + length, more, count);
    return length + count;
}

/* Long texts in every encoding: whatever a read cuts in two, nothing changes. */
static void long_files_read_alike(void **state)
{
    /* one character as UTF-8, UTF-16LE, and in a file that is UTF-8 but here and there */
    static const struct {
        const char *utf8, *utf16, *mixed;
        apr_size_t utf8_length, utf16_length, mixed_length;
    } characters[] = {
#define CHARACTER(utf8, utf16, mixed)                                                              \
    {utf8, utf16, mixed, sizeof(utf8) - 1, sizeof(utf16) - 1, sizeof(mixed) - 1}
        CHARACTER("5", "5\0", "5"),
        CHARACTER(",", ",\0", ","),
        CHARACTER("\n", "\n\0", "\n"),
        CHARACTER("\xC2\xA3", "\xA3\0", "\xA3"),
        CHARACTER("\xC2\xB3", "\xB3\0", "\xC2\xB3"),
        CHARACTER("\xE2\x82\xAC", "\xAC\x20", "\x80"),
        CHARACTER("\xE2\x80\x99", "\x19\x20", "\xE2\x80\x99"),
        CHARACTER("\xF0\x9F\x94\xA5", "\x3D\xD8\x25\xDD", "\xF0\x9F\x94\xA5"),
#undef CHARACTER
    };
    enum { COUNT = 60000 };
    env_t *env = *state;
    char *texts[3];
    apr_size_t lengths[3] = {0, 2, 0};
    unsigned seed = 4711;

    for (int i = 0; i < 3; i++) {
        texts[i] = apr_palloc(env->pool, 4 * COUNT + 3);
    }
    memcpy(texts[1], "\xFF\xFE", 2);
    for (int i = 0; i < COUNT; i++) {
        unsigned which;

        seed = seed * 1103515245 + 12345;
        which = (seed >> 16) % 64;
        which = which < 8 ? which : which % 3;
        lengths[0] =
            append(texts[0], lengths[0], characters[which].utf8, characters[which].utf8_length);
        lengths[1] =
            append(texts[1], lengths[1], characters[which].utf16, characters[which].utf16_length);
        lengths[2] =
            append(texts[2], lengths[2], characters[which].mixed, characters[which].mixed_length);
    }
    texts[0][lengths[0]] = '\0';
    expect(env, texts[0], lengths[0], texts[0], NULL);
    expect(env, texts[1], lengths[1], texts[0], "UTF-16 (little-endian)");
    expect(env, texts[2], lengths[2], texts[0], "Windows-1252");
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static const char table[] = "MPAN,Date,kWh\n1000000000012,2026-02-01,5\n";

static void gzip(void **state)
{
    env_t *env = *state;
    size_t length, other_length;
    char *packed = pack_gzip(table, sizeof table - 1, &length, env->pool);
    char *other = pack_gzip(BYTES("\xFF\xFE\xA3\0x\0"), &other_length, env->pool);
    char *bytes = apr_pcalloc(env->pool, 3 * length + 2000);

    expect(env, packed, length, table, "packed with gzip");
    expect(env, other, other_length, "\xC2\xA3x", "packed with gzip, UTF-16 (little-endian)");
    /* several members; zeros at the end */
    memcpy(bytes, packed, length);
    memcpy(bytes + length, packed, length);
    expect(env, bytes, 2 * length + 1000, apr_pstrcat(env->pool, table, table, NULL),
           "packed with gzip");
    memcpy(bytes + 2 * length, "junk", 4);
    write_file(env, bytes, 2 * length + 4);
    expect_refusal(env, "archive-damaged",
                   apr_psprintf(env->pool, "follows byte %d ", (int)(2 * length)));
    other = pack_gzip("", 0, &other_length, env->pool);
    expect(env, other, other_length, "", "packed with gzip");
}

static void what_is_in_a_container_is_sniffed(void **state)
{
    env_t *env = *state;
    packed_file_t files[] = {{"a/picture.csv", BYTES("\x89PNG\r\n\x1a\n")}};
    outcome_t outcome;
    size_t length;
    char *packed = pack_gzip(table, sizeof table - 1, &length, env->pool);

    packed = pack_gzip(packed, length, &length, env->pool);
    expect(env, packed, length, table, "packed with gzip, packed with gzip");
    packed = pack_gzip(packed, length, &length, env->pool);
    write_file(env, packed, length);
    expect_refusal(env, "archive-nested", "unpack");
    packed = pack_gzip(BYTES("%PDF-1.4"), &length, env->pool);
    write_file(env, packed, length);
    expect_refusal(env, "not-text", "PDF");
    pack_zip(env->path, files, 1, NULL);
    expect_refusal(env, "not-text", "'picture.csv': this is a picture (PNG)");
    packed = pack_gzip(table, sizeof table - 1, &length, env->pool);
    files[0] = (packed_file_t){"x.csv.gz", packed, length};
    pack_zip(env->path, files, 1, NULL);
    outcome = read_all(env);
    assert_int_equal(outcome.status, APR_EOF);
    assert_string_equal(outcome.text, table);
    assert_string_equal(outcome.words, "zip holding 'x.csv.gz', packed with gzip");
    packed = pack_gzip(packed, length, &length, env->pool);
    files[0] = (packed_file_t){"x.csv.gz.gz", packed, length};
    pack_zip(env->path, files, 1, NULL);
    expect_refusal(env, "archive-nested", "'x.csv.gz.gz'");
}

/* ---- zip ------------------------------------------------------------------------------------- */

static void zip(void **state)
{
    env_t *env = *state;
    packed_file_t files[] = {{"export/", NULL, 0},
                             {"export/readings \xC2\xA3.csv", BYTES(table)},
                             {"__MACOSX/export/._readings.csv", BYTES("\0\5\x16\7")},
                             {"export/.DS_Store", BYTES("\0\0\0\1Bud1")},
                             {"Thumbs.db", BYTES("x")}};
    outcome_t outcome;

    pack_zip(env->path, files, 5, NULL);
    outcome = read_all(env);
    assert_int_equal(outcome.status, APR_EOF);
    assert_string_equal(outcome.text, table);
    assert_string_equal(outcome.words, "zip holding 'readings \xC2\xA3.csv'");

    files[1] = (packed_file_t){"x.csv", BYTES("\xA3")};
    pack_zip(env->path, files + 1, 1, NULL);
    outcome = read_all(env);
    assert_string_equal(outcome.text, "\xC2\xA3");
    assert_string_equal(outcome.words, "zip holding 'x.csv', Windows-1252");

    files[1] = (packed_file_t){"empty.csv", BYTES("")};
    pack_zip(env->path, files + 1, 1, NULL);
    outcome = read_all(env);
    assert_int_equal(outcome.status, APR_EOF);
    assert_int_equal(outcome.length, 0);
}

static void zips_that_are_refused(void **state)
{
    env_t *env = *state;
    packed_file_t files[] = {
        {"d/", NULL, 0},         {"one.csv", BYTES(table)}, {"d/two.csv", BYTES(table)},
        {"3.csv", BYTES(table)}, {"4.csv", BYTES(table)},   {"5.csv", BYTES(table)},
        {"6.csv", BYTES(table)}};
    char *name = apr_pcalloc(env->pool, 301), *bytes;
    size_t length;

    pack_zip(env->path, files, 3, NULL);
    expect_refusal(env, "archive-several-files", "2 files ('one.csv', 'two.csv')");
    pack_zip(env->path, files, 7, NULL);
    expect_refusal(env, "archive-several-files",
                   "6 files ('one.csv', 'two.csv', '3.csv', '4.csv', '5.csv', …)");
    pack_zip(env->path, files, 1, NULL);
    expect_refusal(env, "archive-empty", "no file");
    pack_zip(env->path, files + 1, 1, "secret");
    expect_refusal(env, "archive-encrypted", "'one.csv'");
    write_file(env, BYTES("PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    expect_refusal(env, "archive-empty", "no file");
    /* a name that is too long to be shown, with what would spoil a page */
    memset(name, 'n', 300);
    memcpy(name, "a\nb", 3);
    files[1].name = name;
    pack_zip(env->path, files + 1, 2, NULL);
    name[1] = '?';
    name[80] = '\0';
    expect_refusal(env, "archive-several-files",
                   apr_psprintf(env->pool, "2 files ('%s…', 'two.csv')", name));
    /* method 6 (imploded), which nobody has used since 1993: in both places where it stands */
    files[1].name = "one.csv";
    pack_zip(env->path, files + 1, 1, NULL);
    bytes = bytes_of(env->path, &length, env->pool);
    for (size_t i = 0; i + 46 < length; i++) {
        bytes[i + 8] = !memcmp(bytes + i, "PK\3\4", 4) ? 6 : bytes[i + 8];
        bytes[i + 10] = !memcmp(bytes + i, "PK\1\2", 4) ? 6 : bytes[i + 10];
    }
    write_file(env, bytes, length);
    expect_refusal(env, "archive-method", "number 6");
}

static void documents_that_are_zips(void **state)
{
    env_t *env = *state;
    packed_file_t files[] = {{"[Content_Types].xml", BYTES("<x/>")},
                             {"xl/workbook.xml", BYTES("<x/>")}};
    ecl_bytes_t *bytes;
    char byte;
    int is_text;
    apr_size_t length = 1;
    ecl_result_t result = ecl_result_make(env->pool);

    pack_zip(env->path, files, 2, NULL);
    assert_int_equal(ecl_bytes_open(&bytes, env->path, env->pool, &result), APR_SUCCESS);
    assert_int_equal(ecl_bytes_form(bytes)->container, ECL_CONTAINER_XLSX);
    assert_int_equal(ecl_bytes_read(bytes, &byte, &length, &is_text, &result), ECL_EINPUT);
    assert_string_equal(result.code, "not-text");
    files[1].name = "word/document.xml";
    pack_zip(env->path, files, 2, NULL);
    expect_refusal(env, "not-text", "Word");
    files[1].name = "META-INF/manifest.xml";
    pack_zip(env->path, files, 2, NULL);
    expect_refusal(env, "not-text", "OpenDocument");
}

/* ---- broken and hostile ---------------------------------------------------------------------- */

/* No part of an archive passes for the whole, no changed byte for the right one. */
static void break_everywhere(env_t *env, size_t least)
{
    size_t length;
    char *bytes = bytes_of(env->path, &length, env->pool);
    outcome_t whole = read_by(env, 4096), outcome;
    apr_pool_t *pool = env->pool, *p;

    assert_int_equal(whole.status, APR_EOF);
    apr_pool_create(&p, pool);
    env->pool = p;
    for (size_t cut = least; cut < length; cut++) {
        write_file(env, bytes, cut);
        outcome = read_by(env, 7);
        assert_int_equal(outcome.status, ECL_EINPUT);
        assert_string_equal(outcome.result.code, "archive-damaged");
        apr_pool_clear(p);
    }
    for (size_t i = least; i < length; i++) {
        for (int bit = 0; bit < 8; bit += 3) {
            bytes[i] = (char)(bytes[i] ^ 1 << bit);
            write_file(env, bytes, length);
            outcome = read_by(env, 4096);
            assert_true(outcome.status == ECL_EINPUT || outcome.status == APR_EOF);
            if (outcome.status == APR_EOF) {
                assert_string_equal(outcome.text, whole.text);
            }
            bytes[i] = (char)(bytes[i] ^ 1 << bit);
            apr_pool_clear(p);
        }
    }
    apr_pool_destroy(p);
    env->pool = pool;
}

static void broken_archives(void **state)
{
    env_t *env = *state;
    packed_file_t files[] = {{"x.csv", BYTES(table)}};
    size_t length;
    char *packed = pack_gzip(table, sizeof table - 1, &length, env->pool);

    write_file(env, packed, length);
    break_everywhere(env, 2);
    write_file(env, packed, length - 4);
    expect_refusal(env, "archive-damaged",
                   apr_psprintf(env->pool, "ends at byte %d,", (int)length - 4));
    packed[length - 5] ^= 1;
    write_file(env, packed, length);
    expect_refusal(env, "archive-damaged", "incorrect data check");

    pack_zip(env->path, files, 1, NULL);
    break_everywhere(env, 4);
    packed = bytes_of(env->path, &length, env->pool);
    write_file(env, packed, length - 30);
    expect_refusal(env, "archive-damaged",
                   apr_psprintf(env->pool, "at byte %d,", (int)length - 30));
}

/* What was read before the damage is handed out, the file's end is not. */
static void damage_late_in_a_file(void **state)
{
    env_t *env = *state;
    size_t length = 600000, packed_length;
    char *bytes = apr_palloc(env->pool, length), *packed;
    unsigned seed = 99;
    outcome_t outcome;

    for (size_t i = 0; i < length; i++) {
        seed = seed * 1103515245 + 12345;
        bytes[i] = (char)('0' + (seed >> 16) % 10);
    }
    packed = pack_gzip(bytes, length, &packed_length, env->pool);
    write_file(env, packed, packed_length / 2);
    outcome = read_by(env, 65536);
    assert_int_equal(outcome.status, ECL_EINPUT);
    assert_string_equal(outcome.result.code, "archive-damaged");
    assert_true(outcome.length > length / 3 && outcome.length < length);
    assert_memory_equal(outcome.text, bytes, outcome.length);
}

/* Reads a big file and forgets it; the last status. */
static apr_status_t read_away(env_t *env, apr_int64_t *ptotal, ecl_result_t *result)
{
    static char buffer[65536];
    ecl_bytes_t *bytes;
    apr_status_t status;

    *ptotal = 0;
    status = ecl_bytes_open(&bytes, env->path, env->pool, result);
    while (status == APR_SUCCESS) {
        apr_size_t length = sizeof buffer;
        int is_text;

        status = ecl_bytes_read(bytes, buffer, &length, &is_text, result);
        *ptotal += status == APR_SUCCESS ? (apr_int64_t)length : 0;
    }
    return status;
}

static void bombs(void **state)
{
    env_t *env = *state;
    size_t length = 100 << 20, packed_length;
    char *zeros = malloc(length), *packed;
    packed_file_t files[] = {{"x.csv", zeros, length}};
    ecl_result_t result = ecl_result_make(env->pool);
    apr_int64_t total;
    unsigned char end[22] = "PK\5\6";

    assert_non_null(zeros);
    memset(zeros, '0', length);
    packed = pack_gzip(zeros, length, &packed_length, env->pool);
    write_file(env, packed, packed_length);
    assert_int_equal(read_away(env, &total, &result), ECL_EINPUT);
    assert_string_equal(result.code, "archive-too-large");
    assert_true(total <= ECL_BYTES_RATIO_FROM);
    pack_zip(env->path, files, 1, NULL);
    assert_int_equal(read_away(env, &total, &result), ECL_EINPUT);
    assert_string_equal(result.code, "archive-too-large");
    assert_int_equal(total, 0);
    /* as repetitive, but not as large */
    packed = pack_gzip(zeros, length / 2, &packed_length, env->pool);
    write_file(env, packed, packed_length);
    assert_int_equal(read_away(env, &total, &result), APR_EOF);
    assert_int_equal(total, length / 2);
    free(zeros);
    /* an archive of nothing but names, which all go into memory */
    end[14] = 5 << 4;
    write_file(env, apr_pstrcat(env->pool, "PK\3\4", NULL), 4);
    packed = apr_pcalloc(env->pool, 100);
    memcpy(packed, "PK\3\4", 4);
    memcpy(packed + 40, end, sizeof end);
    write_file(env, packed, 100);
    expect_refusal(env, "archive-too-large", "5242880 bytes");
    /* the same, said by the record for large archives */
    memset(packed, 0, 100);
    memcpy(packed, "PK\3\4", 4);
    memcpy(packed + 10, "PK\6\6", 4);
    packed[10 + 40 + 3] = 1;
    memcpy(packed + 70, "PK\6\7", 4);
    packed[70 + 8] = 10;
    write_file(env, packed, 100);
    expect_refusal(env, "archive-too-large", "16777216 bytes");
}

static void memory_is_constant(void **state)
{
    env_t *env = *state;
    size_t length = 1 << 20, packed_length;
    char *bytes = malloc(length), *packed;
    struct rusage before, after;
    FILE *f = fopen(env->path, "wb");
    ecl_result_t result = ecl_result_make(env->pool);
    apr_int64_t total;

    assert_non_null(f);
    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++) {
        bytes[i] = "0123456789,."[(i * i / 7 + i / 1000) % 12];
    }
    packed = pack_gzip(bytes, length, &packed_length, env->pool);
    free(bytes);
    for (int i = 0; i < BIG_MEMBERS; i++) {
        assert_int_equal(fwrite(packed, 1, packed_length, f), packed_length);
    }
    assert_int_equal(fclose(f), 0);
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(read_away(env, &total, &result), APR_EOF);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(total, (apr_int64_t)length * BIG_MEMBERS);
    assert_true(after.ru_maxrss - before.ru_maxrss < 1024); /* KiB */
}

/* ---- positions, and files that are not there ------------------------------------------------- */

static void positions_in_plain_files_are_exact(void **state)
{
    env_t *env = *state;
    enum { LENGTH = 300000 };
    char *bytes = apr_palloc(env->pool, LENGTH);
    static const size_t sizes[] = {1, 100, 65536};

    for (int i = 0; i < LENGTH; i++) {
        bytes[i] = "0123456789\xC2\xA3\n"[i % 13];
    }
    memcpy(bytes, "\xEF\xBB\xBF", 3);
    write_file(env, bytes, LENGTH / 13 * 13);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ecl_bytes_t *stream;
        apr_int64_t position = 0;
        apr_size_t length = sizes[i];
        int is_text;

        assert_int_equal(ecl_bytes_open(&stream, env->path, env->pool, NULL), APR_SUCCESS);
        while (ecl_bytes_read(stream, bytes, &length, &is_text, NULL) == APR_SUCCESS) {
            position += (apr_int64_t)length;
            if (length > 10) { /* behind what was asked for last, it would not go */
                assert_int_equal(ecl_bytes_stored(stream, position - 5), position - 5 + 3);
            }
            assert_int_equal(ecl_bytes_stored(stream, position), position + 3);
            length = sizes[i];
        }
        assert_int_equal(position, LENGTH / 13 * 13 - 3);
    }
}

static void files_that_cannot_be_read(void **state)
{
    env_t *env = *state;
    ecl_result_t result = ecl_result_make(env->pool);
    ecl_bytes_t *bytes;

    assert_int_equal(ecl_bytes_open(&bytes, "/nowhere/at/all.csv", env->pool, &result),
                     ECL_ENOTFOUND);
    assert_string_equal(result.code, "file-missing");
    assert_string_equal(result.detail, "the file 'all.csv' is not there");
    assert_int_not_equal(ecl_bytes_open(&bytes, "/tmp", env->pool, &result), APR_SUCCESS);
    assert_string_equal(result.code, "file-unreadable");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(memory_is_constant),
        TEST(utf8),
        TEST(windows_1252),
        TEST(utf16),
        TEST(damaged_utf16),
        TEST(long_files_read_alike),
        TEST(gzip),
        TEST(what_is_in_a_container_is_sniffed),
        TEST(zip),
        TEST(zips_that_are_refused),
        TEST(documents_that_are_zips),
        TEST(broken_archives),
        TEST(damage_late_in_a_file),
        TEST(bombs),
        TEST(positions_in_plain_files_are_exact),
        TEST(files_that_cannot_be_read),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
