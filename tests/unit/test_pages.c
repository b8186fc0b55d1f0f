/* templates/: every page renders with the sample views, keeps to the content security policy and
 * shows hostile texts as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_file_info.h>
#include <apr_general.h>

#include "lib/template.h"

#define VIEWS ECL_SOURCE_DIR "/tests/samples/views"

static apr_pool_t *pool;
static ecl_templates_t *templates;

static int setup(void **state)
{
    ecl_result_t result;

    (void)state;
    apr_initialize();
    apr_pool_create(&pool, NULL);
    result = ecl_result_make(pool);
    if (ecl_templates_load(&templates, ECL_SOURCE_DIR "/templates", pool, &result)) {
        print_error("%s\n", result.detail);
        return -1;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

typedef struct output_t {
    char *text;
    apr_size_t length, room;
} output_t;

static apr_status_t collect(void *baton, const char *text, apr_size_t length)
{
    output_t *out = baton;

    while (out->length + length >= out->room) {
        out->room = out->room ? 2 * out->room : 65536;
        out->text = realloc(out->text, out->room);
        assert_non_null(out->text);
    }
    memcpy(out->text + out->length, text, length);
    out->length += length;
    out->text[out->length] = '\0';
    return APR_SUCCESS;
}

/* Renders a sample view; its name up to '_' or '.' is the template's. The text lives as long as the
 * pool. */
static const char *render(const char *view)
{
    const char *name = apr_pstrmemdup(pool, view, strcspn(view, "_."));
    json_object *data = json_object_from_file(apr_psprintf(pool, "%s/%s.json", VIEWS, view));
    ecl_result_t result = ecl_result_make(pool);
    output_t out = {0};
    const char *text;

    assert_non_null(data);
    assert_int_equal(ecl_template_render(templates, name, data, collect, &out, &result),
                     APR_SUCCESS);
    json_object_put(data);
    text = apr_pstrdup(pool, out.text);
    free(out.text);
    return text;
}

static int count(const char *text, const char *what)
{
    int found = 0;

    for (text = strstr(text, what); text; text = strstr(text + 1, what)) {
        found++;
    }
    return found;
}

static void check_page(const char *view)
{
    static const char *const never[] = {"{{",          "}}",       " style=",    "<style",
                                        " onclick=",   "<script>", "<img src=x", "<b>a.",
                                        "javascript:", "http://"};
    const char *page = render(view);
    apr_size_t i;

    for (i = 0; i < sizeof never / sizeof *never; i++) {
        if (strstr(page, never[i])) {
            fail_msg("%s contains %s", view, never[i]);
        }
    }
    if (strncmp(page, "<!doctype html>\n<html lang=", 27) || count(page, "<h1") != 1 ||
        count(page, "<main ") != 1 || count(page, "</html>") != 1 ||
        count(page, "<form") != count(page, "</form>") ||
        count(page, "<details") != count(page, "</details>") ||
        count(page, "<section") != count(page, "</section>")) {
        fail_msg("%s is not a whole page", view);
    }
}

static void test_every_sample_view_renders_as_a_page(void **state)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    int views = 0;

    (void)state;
    assert_int_equal(apr_dir_open(&dir, VIEWS, pool), APR_SUCCESS);
    while (apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        const char *ending = strstr(info.name, ".json");
        if (ending) {
            check_page(apr_pstrmemdup(pool, info.name, ending - info.name));
            views++;
        }
    }
    apr_dir_close(dir);
    assert_true(views >= 10);
}

static void test_only_an_unfinished_import_refreshes_without_script(void **state)
{
    static const char refresh[] =
        "<noscript><meta http-equiv=\"refresh\" content=\"3\"></noscript>";

    (void)state;
    assert_int_equal(count(render("status_processing"), refresh), 1);
    assert_int_equal(count(render("status_queued"), refresh), 1);
    assert_int_equal(count(render("status_completed"), refresh), 0);
    assert_int_equal(count(render("jobs"), refresh), 0);
    assert_int_equal(count(render("upload"), refresh), 0);
}

static void test_offers_what_the_view_allows(void **state)
{
    const char *page;

    (void)state;
    page = render("status_processing");
    assert_int_equal(count(page, "/cancel\">"), 1);
    assert_int_equal(count(page, "/undo\">") + count(page, "/delete\">") + count(page, "/retry\">"),
                     0);
    page = render("status_completed");
    assert_int_equal(count(page, "/undo\">"), 1);
    assert_int_equal(count(page, "/delete\">"), 1);
    assert_int_equal(count(page, "/cancel\">") + count(page, "/import\">"), 0);
    page = render("status_dry_run");
    assert_int_equal(count(page, "/import\">"), 1);
    assert_int_equal(count(page, "/undo\">"), 0);
    page = render("status_failed");
    assert_int_equal(count(page, "/retry\">"), 1);
}

static void test_progress_has_a_value_only_when_it_is_known(void **state)
{
    const char *page = render("jobs");

    (void)state;
    assert_int_equal(count(page, "<progress max=\"100\" value=\"42\""), 1);
    assert_int_equal(count(page, "<progress max=\"100\" aria-label="), 1);
}

static void test_the_first_days_are_drawn(void **state)
{
    const char *page = render("status_dry_run");

    (void)state;
    assert_int_equal(count(page, "<svg "), 2);
    assert_int_equal(count(page, "<path class=\"line\" d=\"M0.00 "), 2);
    assert_int_equal(count(page, "<table role=\"table\" class=\"values\">"), 2);
    /* whatever a meter is called */
    page = render("status_completed");
    assert_int_equal(count(page, "<svg "), 1);
    assert_int_equal(count(page, "<code>&lt;b&gt;&quot;&#39;&amp;</code>"), 1);
    assert_int_equal(count(render("status_failed"), "<svg "), 0);
}

static void test_the_form_keeps_what_was_chosen(void **state)
{
    const char *page = render("upload_refused");

    (void)state;
    assert_non_null(strstr(page, "value=\"hh\" checked"));
    assert_null(strstr(page, "value=\"auto\" checked"));
    assert_non_null(strstr(page, "name=\"dry_run\" value=\"1\" checked"));
    assert_null(strstr(page, "name=\"async\" value=\"1\" checked"));
    assert_non_null(strstr(page, "value=\"high\" selected"));
    assert_null(strstr(page, "value=\"normal\" selected"));
    assert_non_null(strstr(page, ">From the &lt;supplier&gt; portal</textarea>"));
    assert_null(strstr(page, "data-upload-error hidden"));
    page = render("upload");
    assert_non_null(strstr(page, "data-upload-error hidden"));
    assert_non_null(strstr(page, "name=\"async\" value=\"1\" checked"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sample_view_renders_as_a_page),
        cmocka_unit_test(test_only_an_unfinished_import_refreshes_without_script),
        cmocka_unit_test(test_offers_what_the_view_allows),
        cmocka_unit_test(test_progress_has_a_value_only_when_it_is_known),
        cmocka_unit_test(test_the_first_days_are_drawn),
        cmocka_unit_test(test_the_form_keeps_what_was_chosen),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
