/* lib/template: the official core specification where it is at hand, and what it leaves open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include <apr_file_io.h>
#include <apr_general.h>

#include "directory.h"
#include "pool_fixture.h"
#include "lib/template.h"

#define SPEC_DIR ECL_SOURCE_DIR "/../shared/mustache-spec"

/* ---- helpers --------------------------------------------------------------------------------- */

typedef struct output_t {
    char *text;
    apr_size_t length, room;
    int pieces;
    int fail_at; /* this piece is refused; 0: none */
} output_t;

static apr_status_t collect(void *baton, const char *text, apr_size_t length)
{
    output_t *out = baton;

    if (++out->pieces == out->fail_at) {
        return APR_ECONNABORTED;
    }
    if (out->length + length + 1 > out->room) {
        out->room = 2 * (out->length + length + 1);
        out->text = realloc(out->text, out->room);
        assert_non_null(out->text);
    }
    memcpy(out->text + out->length, text, length);
    out->length += length;
    out->text[out->length] = '\0';
    return APR_SUCCESS;
}

/* Renders `template`, with at most one partial named "part", over data given as JSON. */
static const char *render_with(const char *template, const char *partial, const char *json)
{
    const char *const names[] = {"main", "part"};
    const char *const texts[] = {template, partial};
    ecl_result_t result = ecl_result_make(pool);
    json_object *data = json_tokener_parse(json);
    ecl_templates_t *set;
    output_t out = {0};
    const char *text;

    assert_int_equal(ecl_templates_make(&set, names, texts, partial ? 2 : 1, pool, &result),
                     APR_SUCCESS);
    assert_int_equal(ecl_template_render(set, "main", data, collect, &out, &result), APR_SUCCESS);
    json_object_put(data);
    text = apr_pstrdup(pool, out.text ? out.text : "");
    free(out.text);
    return text;
}

static const char *render(const char *template, const char *json)
{
    return render_with(template, NULL, json);
}

/* Compiles a template that must be refused and returns why. */
static const char *refused(const char *template)
{
    const char *const name = "page";
    ecl_result_t result = ecl_result_make(pool);
    ecl_templates_t *set = NULL;

    assert_int_equal(ecl_templates_make(&set, &name, &template, 1, pool, &result), ECL_ECONFIG);
    assert_string_equal(result.code, "template-syntax");
    assert_null(set);
    return result.detail;
}

static const char *repeated(const char *text, int times)
{
    char *all = apr_palloc(pool, strlen(text) * times + 1), *end = all;

    for (; times; times--) {
        end = apr_cpystrn(end, text, strlen(text) + 1);
    }
    *end = '\0';
    return all;
}

/* ---- the specification ----------------------------------------------------------------------- */

static const char *member(json_object *object, const char *key)
{
    return json_object_get_string(json_object_object_get(object, key));
}

static void run_spec_case(const char *file, json_object *test)
{
    json_object *partials = json_object_object_get(test, "partials");
    const char *names[16] = {"main"}, *texts[16] = {member(test, "template")};
    ecl_result_t result = ecl_result_make(pool);
    ecl_templates_t *set;
    output_t out = {0};
    int count = 1;

    if (partials) {
        json_object_object_foreach(partials, key, value)
        {
            assert_true(count < 16);
            names[count] = key;
            texts[count++] = json_object_get_string(value);
        }
    }
    if (ecl_templates_make(&set, names, texts, count, pool, &result) != APR_SUCCESS ||
        ecl_template_render(set, "main", json_object_object_get(test, "data"), collect, &out,
                            &result) != APR_SUCCESS) {
        fail_msg("%s, '%s': %s", file, member(test, "name"), result.detail);
    }
    if (strcmp(out.text ? out.text : "", member(test, "expected"))) {
        fail_msg("%s, '%s': expected \"%s\", rendered \"%s\"", file, member(test, "name"),
                 member(test, "expected"), out.text);
    }
    free(out.text);
}

static void test_core_specification(void **state)
{
    static const char *const files[] = {"comments", "delimiters", "interpolation",
                                        "inverted", "partials",   "sections"};
    apr_size_t i, j;
    int count = 0;

    (void)state;
    if (access(SPEC_DIR, R_OK)) {
        print_message("the Mustache specification is not at %s: not run\n", SPEC_DIR);
        skip();
    }
    for (i = 0; i < sizeof files / sizeof *files; i++) {
        const char *path = apr_psprintf(pool, "%s/%s.json", SPEC_DIR, files[i]);
        json_object *spec = json_object_from_file(path), *tests;

        assert_true(json_object_object_get_ex(spec, "tests", &tests));
        for (j = 0; j < json_object_array_length(tests); j++, count++) {
            run_spec_case(files[i], json_object_array_get_idx(tests, j));
        }
        json_object_put(spec);
    }
    assert_int_equal(count, 136);
}

/* ---- rendering ------------------------------------------------------------------------------- */

static void test_escapes_every_character_that_ends_text_or_attributes(void **state)
{
    (void)state;
    assert_string_equal(render("<{{v}}>", "{\"v\":\"<a b='c' d=\\\"&\\\">\"}"),
                        "<&lt;a b=&#39;c&#39; d=&quot;&amp;&quot;&gt;>");
    assert_string_equal(render("{{{v}}}{{&v}}", "{\"v\":\"<'>\"}"), "<'><'>");
}

static void test_prints_values_of_every_type(void **state)
{
    (void)state;
    assert_string_equal(render("{{a}} {{b}} {{c}}", "{\"a\":-7,\"b\":1.21,\"c\":0.1}"),
                        "-7 1.21 0.1");
    assert_string_equal(render("{{a}} {{b}}", "{\"a\":9223372036854775807,"
                                              "\"b\":18446744073709551615}"),
                        "9223372036854775807 18446744073709551615");
    assert_string_equal(render("{{a}} {{b}}", "{\"a\":0.30000000000000004,\"b\":1e300}"),
                        "0.30000000000000004 1e+300");
    assert_string_equal(render("{{t}} {{f}} [{{n}}]", "{\"t\":true,\"f\":false,\"n\":null}"),
                        "true false []");
    assert_string_equal(render("{{{a}}} {{{o}}}", "{\"a\":[1,\"x\"],\"o\":{\"k\":null}}"),
                        "[1,\"x\"] {\"k\":null}");
}

static void test_what_counts_as_false(void **state)
{
    static const char *const falses[] = {"false", "null", "0", "0.0", "\"\"", "[]"};
    static const char *const trues[] = {"true", "1", "-0.5", "\"0\"", "[null]", "{}"};
    apr_size_t i;

    (void)state;
    for (i = 0; i < sizeof falses / sizeof *falses; i++) {
        const char *json = apr_psprintf(pool, "{\"v\":%s}", falses[i]);
        assert_string_equal(render("{{#v}}yes{{/v}}{{^v}}no{{/v}}", json), "no");
    }
    for (i = 0; i < sizeof trues / sizeof *trues; i++) {
        const char *json = apr_psprintf(pool, "{\"v\":%s}", trues[i]);
        assert_string_equal(render("{{#v}}yes{{/v}}{{^v}}no{{/v}}", json), "yes");
    }
    assert_string_equal(render("{{#v}}yes{{/v}}{{^v}}no{{/v}}", "{}"), "no");
}

static void test_null_hides_an_outer_value_of_the_same_name(void **state)
{
    (void)state;
    assert_string_equal(
        render("{{#job}}[{{name}}]{{/job}}", "{\"name\":\"outer\",\"job\":{\"name\":null}}"), "[]");
}

static void test_a_partial_may_include_itself(void **state)
{
    (void)state;
    assert_string_equal(render_with("{{>part}}", "{{n}}({{#kids}}{{>part}}{{/kids}})",
                                    "{\"n\":1,\"kids\":[{\"n\":2,\"kids\":[{\"n\":3,\"kids\":[]}]},"
                                    "{\"n\":4,\"kids\":false}]}"),
                        "1(2(3())4())");
}

static void test_indents_the_lines_of_nested_partials_but_not_of_data(void **state)
{
    (void)state;
    assert_string_equal(render_with("<\n  {{>part}}\n>", "a\n{{#v}}\n {{.}}!\n{{/v}}\n{{v}}\n",
                                    "{\"v\":\"x\\ny\"}"),
                        "<\n  a\n   x\ny!\n  x\ny\n>");
}

static void test_a_large_array_renders_completely(void **state)
{
    json_object *data = json_object_new_object(), *rows = json_object_new_array();
    const char *const name = "main", *const text = "{{#rows}}{{n}};{{/rows}}";
    ecl_result_t result = ecl_result_make(pool);
    ecl_templates_t *set;
    output_t out = {0};
    int i;

    (void)state;
    for (i = 0; i < 100000; i++) {
        json_object *row = json_object_new_object();
        json_object_object_add(row, "n", json_object_new_int(7));
        json_object_array_add(rows, row);
    }
    json_object_object_add(data, "rows", rows);
    assert_int_equal(ecl_templates_make(&set, &name, &text, 1, pool, &result), APR_SUCCESS);
    assert_int_equal(ecl_template_render(set, "main", data, collect, &out, &result), APR_SUCCESS);
    assert_int_equal(out.length, 200000);
    free(out.text);
    json_object_put(data);
}

static void test_rendering_ends_where_the_sink_refuses(void **state)
{
    const char *const name = "main", *const text = "a{{v}}b{{#v}}c{{/v}}d";
    ecl_result_t result = ecl_result_make(pool);
    json_object *data = json_tokener_parse("{\"v\":\"1<2\"}");
    ecl_templates_t *set;
    int fail_at;

    (void)state;
    assert_int_equal(ecl_templates_make(&set, &name, &text, 1, pool, &result), APR_SUCCESS);
    for (fail_at = 1; fail_at <= 7; fail_at++) {
        output_t out = {.fail_at = fail_at};
        assert_int_equal(ecl_template_render(set, "main", data, collect, &out, &result),
                         APR_ECONNABORTED);
        assert_int_equal(out.pieces, fail_at);
        free(out.text);
    }
    json_object_put(data);
}

static void test_endless_recursion_is_refused(void **state)
{
    const char *const names[] = {"main", "part"};
    const char *const texts[] = {"{{>part}}", "x{{>part}}"};
    ecl_result_t result = ecl_result_make(pool);
    ecl_templates_t *set;
    output_t out = {0};

    (void)state;
    assert_int_equal(ecl_templates_make(&set, names, texts, 2, pool, &result), APR_SUCCESS);
    assert_int_equal(ecl_template_render(set, "main", NULL, collect, &out, &result), ECL_EINPUT);
    assert_string_equal(result.code, "template-nesting");
    assert_int_equal(out.length, 64);
    free(out.text);
}

static void test_an_unknown_template_is_not_found(void **state)
{
    const char *const name = "main", *const text = "";
    ecl_result_t result = ecl_result_make(pool);
    ecl_templates_t *set;
    output_t out = {0};

    (void)state;
    assert_int_equal(ecl_templates_make(&set, &name, &text, 1, pool, &result), APR_SUCCESS);
    assert_int_equal(ecl_template_render(set, "other", NULL, collect, &out, &result),
                     ECL_ENOTFOUND);
    assert_int_equal(ecl_template_render(set, "main", NULL, collect, &out, &result), APR_SUCCESS);
    assert_int_equal(out.pieces, 0);
}

/* ---- compiling ------------------------------------------------------------------------------- */

static void test_errors_name_the_place(void **state)
{
    (void)state;
    assert_string_equal(refused("a\n{{#jobs}}\n{{^x}}{{/x}}"),
                        "page line 2: the section jobs is never closed");
    assert_string_equal(refused("{{#a}}\n\n{{/b}}"),
                        "page line 3: {{/b}} found where the section a of line 1 is open");
    assert_string_equal(refused("\n{{/a}}"), "page line 2: no section is open that {{/a}} closes");
    assert_string_equal(refused("one {{name"), "page line 1: this tag is not closed with }}");
    assert_string_equal(refused("{{{name}}"), "page line 1: this tag is not closed with }}}");
    assert_string_equal(refused("{{=| |}}"), "page line 1: this tag is not closed with =}}");
    assert_string_equal(refused("{{=|=}}"), "page line 1: two delimiters are expected, "
                                            "with a blank between and no '='");
    assert_string_equal(refused("{{=| a b=}}"), "page line 1: two delimiters are expected, "
                                                "with a blank between and no '='");
    assert_string_equal(refused("{{a b}}"), "page line 1: a name has no blanks inside");
    assert_string_equal(refused("{{}}"), "page line 1: a name is missing");
    assert_string_equal(refused("{{> }}"), "page line 1: a name is missing");
    assert_string_equal(refused("{{a..b}}"), "page line 1: a name is missing");
    assert_string_equal(refused("{{#a.}}{{/a.}}"), "page line 1: a name is missing");
}

static void test_sections_nest_64_deep_and_no_deeper(void **state)
{
    const char *deep = apr_pstrcat(pool, repeated("{{#a}}", 64), "x", repeated("{{/a}}", 64), NULL);
    const char *deeper = apr_pstrcat(pool, "{{#a}}", deep, "{{/a}}", NULL);

    (void)state;
    assert_string_equal(render(deep, "{\"a\":true}"), "x");
    assert_string_equal(refused(deeper), "page line 1: sections are nested deeper than 64");
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_loads_a_directory(void **state)
{
    char dir[200];
    ecl_result_t result = ecl_result_make(pool);
    ecl_templates_t *set = NULL;
    output_t out = {0};
    const char *page, *part, *empty, *stray;

    (void)state;
    make_directory(dir, sizeof dir);
    page = apr_pstrcat(pool, dir, "/page.mustache", NULL);
    part = apr_pstrcat(pool, dir, "/part.mustache", NULL);
    empty = apr_pstrcat(pool, dir, "/empty.mustache", NULL);
    stray = apr_pstrcat(pool, dir, "/.#page.mustache", NULL);

    assert_int_equal(ecl_templates_load(&set, dir, pool, &result), ECL_ECONFIG);
    assert_string_equal(result.detail, apr_psprintf(pool,
                                                    "the template directory %s has no file that "
                                                    "ends in .mustache",
                                                    dir));
    write_file(stray, "{{#");
    write_file(empty, "");
    write_file(part, "part");
    write_file(page, "page\n{{>part}}\n{{>empty}}{{>none}}{{#open}}\n");
    assert_int_equal(ecl_templates_load(&set, dir, pool, &result), ECL_ECONFIG);
    assert_string_equal(result.detail,
                        apr_psprintf(pool, "%s line 3: the section open is never closed", page));
    assert_null(set);

    write_file(page, "page {{>part}}{{>empty}}{{>none}}\n");
    assert_int_equal(ecl_templates_load(&set, dir, pool, &result), APR_SUCCESS);
    assert_int_equal(ecl_template_render(set, "page", NULL, collect, &out, &result), APR_SUCCESS);
    assert_string_equal(out.text, "page part\n");
    free(out.text);

    remove_directory(dir);
    set = NULL;
    assert_int_equal(ecl_templates_load(&set, dir, pool, &result), ECL_ECONFIG);
    assert_string_equal(result.code, "template-unreadable");
    assert_non_null(strstr(result.detail, dir));
    assert_null(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_core_specification),
        cmocka_unit_test(test_escapes_every_character_that_ends_text_or_attributes),
        cmocka_unit_test(test_prints_values_of_every_type),
        cmocka_unit_test(test_what_counts_as_false),
        cmocka_unit_test(test_null_hides_an_outer_value_of_the_same_name),
        cmocka_unit_test(test_a_partial_may_include_itself),
        cmocka_unit_test(test_indents_the_lines_of_nested_partials_but_not_of_data),
        cmocka_unit_test(test_a_large_array_renders_completely),
        cmocka_unit_test(test_rendering_ends_where_the_sink_refuses),
        cmocka_unit_test(test_endless_recursion_is_refused),
        cmocka_unit_test(test_an_unknown_template_is_not_found),
        cmocka_unit_test(test_errors_name_the_place),
        cmocka_unit_test(test_sections_nest_64_deep_and_no_deeper),
        cmocka_unit_test(test_loads_a_directory),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
