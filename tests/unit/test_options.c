#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>

#include "lib/options.h"

static ecl_result_t result;

static int set_up(void **state)
{
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, NULL);
    result = ecl_result_make(p);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    apr_pool_destroy(result.pool);
    return 0;
}

static const char *check(const char *name, const char *text)
{
    int id = ecl_option_find(name);
    const char *value = "not set";

    assert_true(id >= 0);
    result.code = NULL;
    if (ecl_option_check(id, text, &value, &result) != APR_SUCCESS) {
        assert_int_equal(result.status, ECL_EINPUT);
        assert_string_equal(result.code, "bad-option");
        return NULL;
    }
    return value ? value : "none";
}

static void test_names(void **state)
{
    (void)state;
    for (int id = 0; id < ECL_OPTIONS; id++) {
        assert_int_equal(ecl_option_find(ecl_option_table[id].name), id);
        assert_non_null(strstr(ecl_option_names(result.pool), ecl_option_table[id].name));
    }
    assert_int_equal(ecl_option_find("colour"), -1);
    assert_int_equal(ecl_option_find(""), -1);
}

static void test_choices(void **state)
{
    (void)state;
    assert_string_equal(check("estimates", "replace"), "replace");
    assert_string_equal(check("estimates", " Keep-Actual\n"), "keep-actual");
    assert_string_equal(check("estimates", ""), "none");
    assert_null(check("estimates", "sometimes"));
    assert_string_equal(result.detail,
                        "estimates: \"sometimes\" is not one of keep-actual, replace");
}

static void test_texts(void **state)
{
    char text[ECL_OPTION_MAX + 2];

    (void)state;
    assert_string_equal(check("meter", " 10 0000 0000 012\t"), "10 0000 0000 012");
    assert_string_equal(check("meter", "  "), "none");
    assert_null(check("meter", "a\nb"));
    assert_null(check("meter", "a\x7f"));
    assert_null(check("meter", "\xff"));
    memset(text, 'x', sizeof(text));
    text[ECL_OPTION_MAX] = '\0';
    assert_string_equal(check("meter", text), text);
    text[ECL_OPTION_MAX] = 'x';
    text[ECL_OPTION_MAX + 1] = '\0';
    assert_null(check("meter", text));
    assert_non_null(strstr(result.detail, "100 characters"));
}

static void test_zones(void **state)
{
    (void)state;
    assert_string_equal(check("timezone", "UTC"), "UTC");
    assert_string_equal(check("timezone", "Europe/London"), "Europe/London");
    assert_null(check("timezone", "Europe/Atlantis"));
    assert_non_null(strstr(result.detail, "such as Europe/London"));
    assert_null(check("timezone", "../etc/passwd"));
    assert_null(check("timezone", "/etc/localtime"));
}

static void test_json(void **state)
{
    const char *values[ECL_OPTIONS] = {NULL}, *read[ECL_OPTIONS];
    json_object *options;

    (void)state;
    assert_null(ecl_options_json(values));
    values[ECL_OPTION_METER] = "M 1";
    options = ecl_options_json(values);
    assert_string_equal(json_object_to_json_string_ext(options, JSON_C_TO_STRING_PLAIN),
                        "{\"meter\":\"M 1\"}");
    json_object_object_add(options, "estimates", json_object_new_boolean(1)); /* not ours */
    ecl_options_read(options, read);
    assert_string_equal(read[ECL_OPTION_METER], "M 1");
    assert_null(read[ECL_OPTION_ESTIMATES]);
    json_object_put(options);
    ecl_options_read(NULL, read);
    assert_null(read[ECL_OPTION_METER]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_choices),
                                       cmocka_unit_test(test_texts), cmocka_unit_test(test_zones),
                                       cmocka_unit_test(test_json)};
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, set_up, tear_down);
    apr_terminate();
    return failed;
}
