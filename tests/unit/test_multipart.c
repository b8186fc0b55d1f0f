#include <apr_strings.h>

#include "pool_fixture.h"
#include "mod_eclectyc_import/multipart.h"

#define TYPE "multipart/form-data; boundary=XyZ"

/* What a parse produced: "[name|filename]data;" per part. */
typedef struct seen_t {
    apr_pool_t *p;
    char text[40000];
    apr_size_t length;
    int refuse_data; /* part_data fails */
} seen_t;

static void add(seen_t *seen, const char *data, apr_size_t length)
{
    assert_true(seen->length + length < sizeof seen->text);
    memcpy(seen->text + seen->length, data, length);
    seen->length += length;
    seen->text[seen->length] = '\0';
}

static apr_status_t part_begin(void *baton, const ecl_part_t *part)
{
    seen_t *seen = baton;
    const char *text =
        apr_psprintf(seen->p, "[%s|%s]", part->name, part->filename ? part->filename : "-");

    add(seen, text, strlen(text));
    return APR_SUCCESS;
}

static apr_status_t part_data(void *baton, const char *data, apr_size_t length)
{
    seen_t *seen = baton;

    assert_true(length > 0);
    add(seen, data, length);
    return seen->refuse_data ? APR_ENOSPC : APR_SUCCESS;
}

static apr_status_t part_end(void *baton)
{
    add(baton, ";", 1);
    return APR_SUCCESS;
}

static const ecl_multipart_events_t events = {part_begin, part_data, part_end};

/* Parses body, cut at the two offsets. Returns what finish (or the failing feed) returned. */
static apr_status_t parse_cut(const char *body, apr_size_t length, apr_size_t cut1, apr_size_t cut2,
                              seen_t *seen, ecl_result_t *result)
{
    ecl_multipart_t *parser;
    apr_pool_t *p;
    apr_status_t rv;
    char *copy;

    apr_pool_create(&p, pool);
    seen->p = p;
    seen->length = 0;
    seen->text[0] = '\0';
    assert_int_equal(ecl_multipart_make(&parser, TYPE, &events, seen, p, result), APR_SUCCESS);
    /* each piece in memory of its own size, so that a sanitizer sees a read past its end */
    for (apr_size_t from = 0, i = 0; i < 3; i++) {
        apr_size_t to = i == 0 ? cut1 : i == 1 ? cut2 : length;
        copy = malloc(to - from + 1);
        memcpy(copy, body + from, to - from);
        ecl_multipart_feed(parser, copy, to - from, result);
        free(copy);
        from = to;
    }
    rv = ecl_multipart_finish(parser, result);
    apr_pool_destroy(p);
    return rv;
}

static const char *parse(const char *body)
{
    static seen_t seen;
    ecl_result_t result = ecl_result_make(pool);
    apr_size_t length = strlen(body);

    memset(&seen, 0, sizeof seen);
    assert_int_equal(parse_cut(body, length, length / 2, length, &seen, &result), APR_SUCCESS);
    return seen.text;
}

static void refused(const char *body, const char *words)
{
    static seen_t seen;
    ecl_result_t result = ecl_result_make(pool);
    apr_size_t length = strlen(body);

    memset(&seen, 0, sizeof seen);
    assert_int_equal(parse_cut(body, length, 0, length, &seen, &result), ECL_EINPUT);
    assert_string_equal(result.code, "bad-multipart");
    assert_non_null(strstr(result.detail, words));
}

#define FIELD(name, text)                                                                          \
    "--XyZ\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" text "\r\n"
#define END "--XyZ--\r\n"

static void what_browsers_send(void **state)
{
    (void)state;
    assert_string_equal(parse(FIELD("a", "1") FIELD("b", "") END), "[a|-]1;[b|-];");
    assert_string_equal(
        parse("--XyZ\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a b.csv\"\r\n"
              "Content-Type: text/csv\r\n\r\nx,y\r\n1,2\r\n\r\n" END),
        "[f|a b.csv]x,y\r\n1,2\r\n;");
    /* nothing chosen */
    assert_string_equal(
        parse("--XyZ\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n"
              "Content-Type: application/octet-stream\r\n\r\n\r\n" END),
        "[f|];");
    /* no parts, preamble, epilogue, blanks after the delimiter, header names in any case */
    assert_string_equal(parse(END), "");
    assert_string_equal(
        parse("preamble\r\n--XyZ \t\r\ncontent-DISPOSITION:form-data;name=a\r\n\r\n1\r\n" END
              "epilogue\r\n--XyZ\r\n"),
        "[a|-]1;");
}

static const char *filename_of(const char *parameters)
{
    const char *text = parse(apr_psprintf(
        pool, "--XyZ\r\nContent-Disposition: form-data; name=\"f\"; %s\r\n\r\n\r\n" END,
        parameters));

    assert_int_equal(strncmp(text, "[f|", 3), 0);
    return apr_pstrmemdup(pool, text + 3, strlen(text) - 5);
}

static void file_names(void **state)
{
    (void)state;
    assert_string_equal(filename_of("filename=plain.csv"), "plain.csv");
    assert_string_equal(filename_of("filename=\"a;b=c.csv\""), "a;b=c.csv");
    assert_string_equal(filename_of("filename=\"quote\\\"d.csv\""), "quote\"d.csv");
    assert_string_equal(filename_of("filename=\"quote%22d.csv\""), "quote\"d.csv");
    assert_string_equal(filename_of("filename=\"100%25 of%20it.csv\""), "100%25 of%20it.csv");
    assert_string_equal(filename_of("filename=\"line%0D%0Abreak\""), "line\r\nbreak");
    assert_string_equal(filename_of("filename=\"C:\\data\\new.csv\""), "C:\\data\\new.csv");
    assert_string_equal(filename_of("filename=\"\\\\host\\new.csv\""), "\\host\\new.csv");
    assert_string_equal(filename_of("filename=\"z\xC3\xA4hler.csv\""), "z\xC3\xA4hler.csv");
    assert_string_equal(filename_of("filename=\"z\xE4hler.csv\""), "z\xE4hler.csv");
    assert_string_equal(filename_of("filename=\"z.csv\"; filename*=UTF-8''z%C3%A4.csv"),
                        "z\xC3\xA4.csv");
    assert_string_equal(filename_of("filename*=utf-8'de'z%C3%A4.csv; filename=\"z.csv\""),
                        "z\xC3\xA4.csv");
}

/* The same bytes, cut anywhere, give the same parts: the body is full of beginnings of delimiters.
 */
static void any_split(void **state)
{
    static const char body[] =
        "--XyZ\r\nContent-Disposition: form-data; name=\"f\"; filename=\"q.csv\"\r\n\r\n"
        "\r\r\n\r\n-\r\n--\r\n--X\r\n--Xy\r\n--x\r\r\n--XY--XyZ\0\n\r\n\r\n--XyZ\r\n"
        "Content-Disposition: form-data; name=\"a\"\r\n\r\n\r\n\r\n--XyZ--";
    static const char expected[] = "[f|q.csv]\r\r\n\r\n-\r\n--\r\n--X\r\n--Xy\r\n--x\r\r\n--XY--XyZ"
                                   "\0\n\r\n;[a|-]\r\n;";
    static seen_t seen;
    apr_size_t length = sizeof body - 1;

    (void)state;
    for (apr_size_t cut1 = 0; cut1 <= length; cut1++) {
        for (apr_size_t cut2 = cut1; cut2 <= length; cut2++) {
            ecl_result_t result = ecl_result_make(pool);
            memset(&seen, 0, sizeof seen);
            assert_int_equal(parse_cut(body, length, cut1, cut2, &seen, &result), APR_SUCCESS);
            assert_int_equal(seen.length, sizeof expected - 1);
            assert_memory_equal(seen.text, expected, sizeof expected - 1);
        }
    }
}

/* A body cut short is never taken for a whole one, wherever it was cut. */
static void truncated(void **state)
{
    static const char body[] = FIELD("a", "1") FIELD("b", "2") "--XyZ--";
    static seen_t seen;

    (void)state;
    for (apr_size_t length = 0; length < sizeof body - 1; length++) {
        ecl_result_t result = ecl_result_make(pool);
        memset(&seen, 0, sizeof seen);
        assert_int_equal(parse_cut(body, length, 0, 0, &seen, &result), ECL_EINPUT);
        assert_non_null(strstr(result.detail, "ends too early"));
    }
}

static void malformed(void **state)
{
    (void)state;
    refused("no delimiter at all", "ends too early");
    refused("--XyZ\r\n\r\ndata\r\n" END, "no Content-Disposition");
    refused("--XyZ\r\nX: y\r\n\r\ndata\r\n" END, "no Content-Disposition");
    refused("--XyZ\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n" END, "not form-data");
    refused("--XyZ\r\nContent-Disposition: form-data\r\n\r\n\r\n" END, "no name");
    refused("--XyZ\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n" END, "can't be read");
    refused("--XyZ\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n\r\n" END, "twice");
    refused("--XyZ\r\nContent-Disposition: form-data; name=a\r\n"
            "Content-Disposition: form-data; name=b\r\n\r\n\r\n" END,
            "two Content-Dispositions");
    refused("--XyZ\r\nContent-Disposition: form-data; name=a\r\n folded\r\n\r\n\r\n" END, "stray");
    refused("--XyZ\r\nContent-Disposition: form-data;\n name=a\r\n\r\n\r\n" END, "stray");
    refused("--XyZ\r\nnothing\r\n\r\n\r\n" END, "header line has no name");
    refused("--XyZ\r\nContent-Disposition: form-data; name=a\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n\r\n" END,
            "is encoded");
    refused("--XyZ\r\nContent-Disposition: form-data; name=f; filename*=UTF-8''%4\r\n\r\n\r\n" END,
            "extended form");
    refused("--XyZ\r\nContent-Disposition: form-data; name=f; filename*=KOI8-R''a\r\n\r\n\r\n" END,
            "extended form");
    refused("--XyZzy\r\n", "other text");
    refused("--XyZ-x\r\n", "single '-'");
    refused("--XyZ\rx", "not CRLF");
}

static void limits(void **state)
{
    static seen_t seen;
    static const char nul[] = "--XyZ\r\nContent-Disposition: form-data; name=\"a\0b\"\r\n\r\n" END;
    char *name = apr_palloc(pool, ECL_MULTIPART_NAME_BYTES + 2);
    char *filler = apr_palloc(pool, ECL_MULTIPART_HEADER_BYTES + 1);
    char *parts = "";
    ecl_result_t result = ecl_result_make(pool);
    apr_size_t fixed = strlen("X: \r\nContent-Disposition: form-data; name=a\r\n\r\n");

    (void)state;
    memset(name, 'n', ECL_MULTIPART_NAME_BYTES + 1);
    name[ECL_MULTIPART_NAME_BYTES + 1] = '\0';
    refused(apr_pstrcat(pool, FIELD("", "") "--XyZ\r\nContent-Disposition: form-data; name=", name,
                        "\r\n\r\n\r\n" END, NULL),
            "name is too long");
    name[ECL_MULTIPART_NAME_BYTES] = '\0';
    parse(apr_pstrcat(pool, "--XyZ\r\nContent-Disposition: form-data; name=", name,
                      "\r\n\r\n\r\n" END, NULL));

    memset(filler, 'x', ECL_MULTIPART_HEADER_BYTES);
    filler[ECL_MULTIPART_HEADER_BYTES - fixed] = '\0';
    parse(apr_pstrcat(pool, "--XyZ\r\nX: ", filler,
                      "\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" END, NULL));
    refused(apr_pstrcat(pool, "--XyZ\r\nX: ", filler,
                        "x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" END, NULL),
            "header is too long");

    for (int i = 0; i < ECL_MULTIPART_PARTS; i++) {
        parts = apr_pstrcat(pool, parts, FIELD("a", ""), NULL);
    }
    parse(apr_pstrcat(pool, parts, END, NULL));
    refused(apr_pstrcat(pool, parts, FIELD("a", ""), END, NULL), "too many parts");

    memset(&seen, 0, sizeof seen);
    assert_int_equal(parse_cut(nul, sizeof nul - 1, 0, 0, &seen, &result), ECL_EINPUT);
    assert_non_null(strstr(result.detail, "NUL"));
}

static void a_failing_receiver_ends_it(void **state)
{
    static seen_t seen;
    static const char body[] = FIELD("a", "1") FIELD("b", "2") END;
    ecl_result_t result = ecl_result_make(pool);

    (void)state;
    memset(&seen, 0, sizeof seen);
    seen.refuse_data = 1;
    assert_int_equal(parse_cut(body, sizeof body - 1, 70, 80, &seen, &result), APR_ENOSPC);
    assert_string_equal(seen.text, "[a|-]1");
}

static void content_types(void **state)
{
    static const char *const good[] = {"multipart/form-data; boundary=a",
                                       "Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b\";"};
    static const char *const bad[] = {"multipart/form-data", "multipart/form-data; boundary=",
                                      "multipart/form-data; boundary=\"a",
                                      "multipart/mixed; boundary=a",
                                      "multipart/form-data; boundary="
                                      "12345678901234567890123456789012345678901234567890"
                                      "123456789012345678901"};
    ecl_multipart_t *parser;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ecl_multipart_make(&parser, good[i], &events, NULL, pool, NULL),
                         APR_SUCCESS);
    }
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ecl_multipart_make(&parser, bad[i], &events, NULL, pool, NULL),
                         ECL_EINPUT);
    }
    assert_int_equal(ecl_multipart_make(&parser, NULL, &events, NULL, pool, NULL), ECL_EINPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_browsers_send, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(file_names, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(any_split, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(truncated, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(malformed, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(limits, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(a_failing_receiver_ends_it, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(content_types, make_pool, destroy_pool),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
