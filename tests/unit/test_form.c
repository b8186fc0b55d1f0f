#include "pool_fixture.h"
#include "mod_eclectyc_import/form.h"

static apr_table_t *fields_of(const char *text)
{
    ecl_result_t result = ecl_result_make(pool);
    apr_table_t *fields = NULL;

    assert_int_equal(ecl_form_parse(text, text ? strlen(text) : 0, pool, &fields, &result),
                     APR_SUCCESS);
    return fields;
}

static void refused(const char *text, const char *words)
{
    ecl_result_t result = ecl_result_make(pool);
    apr_table_t *fields;

    assert_int_equal(ecl_form_parse(text, strlen(text), pool, &fields, &result), ECL_EINPUT);
    assert_string_equal(result.code, "bad-parameter");
    assert_non_null(strstr(result.detail, words));
}

static void fields(void **state)
{
    apr_table_t *t = fields_of("q=a+b%20c%2B&status=&limit=50&flag&z=%C3%A4=1");

    (void)state;
    assert_string_equal(apr_table_get(t, "q"), "a b c+");
    assert_string_equal(apr_table_get(t, "status"), "");
    assert_string_equal(apr_table_get(t, "limit"), "50");
    assert_string_equal(apr_table_get(t, "flag"), "");
    assert_string_equal(apr_table_get(t, "z"), "\xC3\xA4=1");
    assert_null(apr_table_get(t, "other"));
    assert_true(apr_is_empty_table(fields_of("")));
    assert_true(apr_is_empty_table(fields_of(NULL)));
    assert_string_equal(apr_table_get(fields_of("&&a=1&"), "a"), "1");
}

static void refusals(void **state)
{
    char *many = "";

    (void)state;
    refused("q=%", "'q'");
    refused("q=%4", "'q'");
    refused("q=%4g", "'q'");
    refused("q=a%00b", "'q'");
    refused("q=%FF", "'q'");
    refused("q=%C0%AF", "'q'");
    refused("%zz=1", "name can't be decoded");
    refused("limit=1&limit=2", "'limit' is given twice");
    for (int i = 0; i <= ECL_FORM_FIELDS; i++) {
        many = apr_psprintf(pool, "%s&f%d=1", many, i);
    }
    refused(many, "more than");
}

static void escaping(void **state)
{
    const char *text = "a b&c=\xC3\xA4/~%+";
    char *escaped = ecl_form_escape(text, pool);

    (void)state;
    assert_string_equal(escaped, "a%20b%26c%3D%C3%A4%2F~%25%2B");
    assert_string_equal(ecl_form_unescape(escaped, strlen(escaped), 1, pool), text);
    assert_string_equal(ecl_form_unescape("a+b", 3, 0, pool), "a+b");
}

static void booleans(void **state)
{
    static const char *const yes[] = {"1", "on", "TRUE", "Yes"};
    static const char *const no[] = {"0", "off", "False", "no", ""};
    int value;

    (void)state;
    for (int i = 0; i < 4; i++) {
        value = 7;
        assert_true(ecl_form_bool(yes[i], &value));
        assert_int_equal(value, 1);
    }
    for (int i = 0; i < 5; i++) {
        value = 7;
        assert_true(ecl_form_bool(no[i], &value));
        assert_int_equal(value, 0);
    }
    assert_false(ecl_form_bool("2", &value));
    assert_false(ecl_form_bool("y", &value));
}

static void file_names(void **state)
{
    char *letters = apr_palloc(pool, 1001);
    char *euros = "";

    (void)state;
    assert_string_equal(ecl_form_filename("meters.csv", pool), "meters.csv");
    assert_string_equal(ecl_form_filename("../../etc/passwd", pool), "passwd");
    assert_string_equal(ecl_form_filename("C:\\Users\\me\\nov.csv", pool), "nov.csv");
    assert_string_equal(ecl_form_filename("a\\b/c", pool), "c");
    assert_string_equal(ecl_form_filename("", pool), "upload");
    assert_string_equal(ecl_form_filename("dir/", pool), "upload");
    assert_string_equal(ecl_form_filename("..", pool), "upload");
    assert_string_equal(ecl_form_filename("a\r\nb\x1B[31m.csv\x7F", pool), "a__b_[31m.csv_");
    assert_string_equal(ecl_form_filename("gpj\xE2\x80\xAE"
                                          "csv",
                                          pool),
                        "gpj_csv");
    assert_string_equal(ecl_form_filename("z\xC3\xA4.csv", pool), "z\xC3\xA4.csv");
    assert_string_equal(ecl_form_filename("z\xE4 \x80\x81.csv", pool),
                        "z\xC3\xA4 \xE2\x82\xAC_.csv");
    assert_string_equal(ecl_form_filename("<b>\"&'.csv", pool), "<b>\"&'.csv");

    memset(letters, 'x', 1000);
    letters[1000] = '\0';
    assert_int_equal(strlen(ecl_form_filename(letters, pool)), 255);
    for (int i = 0; i < 200; i++) {
        euros = apr_pstrcat(pool, euros, "\xE2\x82\xAC", NULL);
    }
    assert_int_equal(strlen(ecl_form_filename(euros, pool)), 399);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(refusals, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(escaping, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(booleans, make_pool, destroy_pool),
        cmocka_unit_test_setup_teardown(file_names, make_pool, destroy_pool),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
