/* XML from a stream: what is told of it, in pieces of any size, and where it stands. */
#include "pool_fixture.h"

#include <apr_strings.h>

#include "worker/xml.h"

typedef struct telling_t {
    const char *text; /* what was told */
    ecl_xml_t *xml;
    const char *document, *pause_at; /* name of an element; NULL: none */
    apr_size_t at, piece;
} telling_t;

static apr_status_t give(void *baton, void *bytes, apr_size_t *plength, ecl_result_t *result)
{
    telling_t *telling = baton;
    apr_size_t left = strlen(telling->document) - telling->at;

    (void)result;
    if (!left) {
        return APR_EOF;
    }
    *plength = left < telling->piece ? left : telling->piece;
    memcpy(bytes, telling->document + telling->at, *plength);
    telling->at += *plength;
    return APR_SUCCESS;
}

static void on_start(void *baton, const char *name, const char **attributes)
{
    telling_t *telling = baton;
    const char *id = ecl_xml_attribute(attributes, "id");

    telling->text =
        apr_psprintf(pool, "%s<%s%s%s %d-%d>", telling->text, name, id ? " id=" : "", id ? id : "",
                     (int)ecl_xml_offset(telling->xml), (int)ecl_xml_offset_after(telling->xml));
    if (telling->pause_at && !strcmp(name, telling->pause_at)) {
        ecl_xml_pause(telling->xml);
    }
}

static void on_end(void *baton, const char *name)
{
    telling_t *telling = baton;

    telling->text = apr_pstrcat(pool, telling->text, "</", name, ">", NULL);
}

static void on_text(void *baton, const char *text, apr_size_t length)
{
    telling_t *telling = baton;

    telling->text = apr_psprintf(pool, "%s%.*s", telling->text, (int)length, text);
}

/* Reads a document to its end; returns what was told of it. *ppauses: how often it paused. */
static const char *tell(const char *document, const char *pause_at, apr_size_t piece, int *ppauses)
{
    telling_t telling = {.text = "", .document = document, .pause_at = pause_at, .piece = piece};
    const ecl_xml_handlers_t handlers = {&telling, on_start, on_end, on_text};
    ecl_result_t result = ecl_result_make(pool);
    apr_status_t status;

    assert_int_equal(
        ecl_xml_open(&telling.xml, give, &telling, &handlers, "the list", pool, &result),
        APR_SUCCESS);
    for (*ppauses = 0; (status = ecl_xml_next(telling.xml, &result)) == APR_SUCCESS; ++*ppauses) {
    }
    return status == APR_EOF ? telling.text
                             : apr_pstrcat(pool, result.code, ": ", result.detail, NULL);
}

static void test_what_is_told(void **state)
{
    static const char document[] = "<?xml version=\"1.0\"?><p:a xmlns:p=\"x\"><b r:id=\"7\" "
                                   "id=\"8\">x &amp; y</b><c/><p:c/></p:a>";
    static const char expected[] = "<a 21-38><b id=7 38-57>x & y</b><c 70-74></c><c 74-80></c></a>";
    int pauses;

    (void)state;
    for (apr_size_t piece = 1; piece < sizeof document; piece++) {
        assert_string_equal(tell(document, NULL, piece, &pauses), expected);
        assert_int_equal(pauses, 0);
        assert_string_equal(tell(document, "c", piece, &pauses), expected);
        assert_int_equal(pauses, 2);
    }
}

/* A prefix without a name is one: it is no element without a name. */
static void test_odd_names(void **state)
{
    int pauses;

    (void)state;
    assert_string_equal(tell("<x:><:/></x:>", NULL, 100, &pauses), "<x: 0-4><: 4-8></:></x:>");
}

static void test_what_is_damaged(void **state)
{
    static const char *const cases[][2] = {
        {"", "bad-xml: the list is damaged: line 1 of its XML: no element found"},
        {"<a>\n<b></a>", "bad-xml: the list is damaged: line 2 of its XML: mismatched tag"},
        {"<a>", "bad-xml: the list is damaged: line 1 of its XML: no element found"},
        {"<!DOCTYPE a><a/>", "bad-xml: the list declares a document type (DOCTYPE)"},
    };
    int pauses;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (apr_size_t piece = 1; piece < 20; piece++) {
            const char *text = tell(cases[i][0], NULL, piece, &pauses);

            if (strncmp(text, cases[i][1], strlen(cases[i][1])) != 0) {
                fail_msg("%s: %s", cases[i][0], text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_odd_names),
        cmocka_unit_test(test_what_is_damaged),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
