/* Charts: where the steps of a path are, gaps, negative values, labels, and the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>

#include "pool_fixture.h"
#include "mod_eclectyc_import/view_chart.h"

/* days as JSON with ' for " → the chart's member as JSON; "none" where there is no chart. */
static const char *chart_of(const char *days, const char *key)
{
    char *text = apr_pstrdup(pool, days);
    json_object *parsed, *chart, *value;
    const char *result = "none";

    for (char *c = text; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    parsed = json_tokener_parse(text);
    assert_non_null(parsed);
    chart = ecl_view_chart(parsed, pool);
    if (chart) {
        result = json_object_object_get_ex(chart, key, &value)
                     ? apr_pstrdup(pool, json_object_to_json_string_ext(value, 0))
                     : "absent";
    }
    json_object_put(chart);
    json_object_put(parsed);
    return result;
}

#define TWO_DAYS                                                                                   \
    "[{'date':'2026-02-01','values':['1','2.50']},{'date':'2026-02-02','values':['5',null]}]"

static void a_value_is_a_step(void **state)
{
    (void)state;
    assert_string_equal(chart_of(TWO_DAYS, "line"),
                        "\"M0.00 80.00H250.00V50.00H500.00V0.00H750.00\"");
    assert_string_equal(chart_of(TWO_DAYS, "area"),
                        "\"M0.00 100.00V80.00H250.00V50.00H500.00V0.00H750.00V100.00Z\"");
    assert_string_equal(chart_of(TWO_DAYS, "base"), "\"100.00\"");
    assert_string_equal(chart_of(TWO_DAYS, "marks"), "[\"500.00\"]");
    assert_string_equal(chart_of(TWO_DAYS, "high"), "\"5\"");
    assert_string_equal(chart_of(TWO_DAYS, "low"), "absent");
    assert_string_equal(chart_of(TWO_DAYS, "labels"), "[\"1 Feb\",\"2 Feb\"]");
    assert_string_equal(chart_of(TWO_DAYS, "has_all_labels"), "true");
    assert_string_equal(chart_of(TWO_DAYS, "from"), "\"1 Feb 2026\"");
    assert_string_equal(chart_of(TWO_DAYS, "to"), "\"2 Feb 2026\"");
}

static void days_may_differ_in_length(void **state)
{
    const char *days = "[{'date':'2026-03-28','values':['1','1','1','1']},"
                       "{'date':'2026-03-29','values':['1','1']}]";

    (void)state;
    assert_string_equal(chart_of(days, "line"), "\"M0.00 0.00H125.00V0.00H250.00V0.00H375.00V0.00"
                                                "H500.00V0.00H750.00V0.00H1000.00\"");
}

static void a_missing_value_is_a_gap(void **state)
{
    const char *days = "[{'date':'2026-02-01','values':[null,'2',null,'1']}]";

    (void)state;
    assert_string_equal(chart_of(days, "line"), "\"M250.00 0.00H500.00M750.00 50.00H1000.00\"");
    assert_string_equal(chart_of(days, "area"), "\"M250.00 100.00V0.00H500.00V100.00Z"
                                                "M750.00 100.00V50.00H1000.00V100.00Z\"");
    assert_string_equal(chart_of("[]", "line"), "none");
    assert_string_equal(chart_of("[{'date':'2026-02-01','values':[null]}]", "line"), "none");
    assert_string_equal(chart_of("[{'date':'2026-02-01'}]", "line"), "none");
    assert_string_equal(chart_of("{}", "line"), "none");
}

static void what_is_no_decimal_is_a_gap(void **state)
{
    const char *days = "[{'date':'2026-02-01','values':['','1','-','.','1e1','2,5','.5','-0']}]";

    (void)state;
    assert_string_equal(chart_of(days, "line"), "\"M125.00 0.00H250.00"
                                                "M750.00 50.00H875.00V100.00H1000.00\"");
}

static void values_below_zero_hang_from_it(void **state)
{
    const char *days = "[{'date':'2026-02-01','values':['-1','3']}]";

    (void)state;
    assert_string_equal(chart_of(days, "base"), "\"75.00\"");
    assert_string_equal(chart_of(days, "area"),
                        "\"M0.00 75.00V100.00H500.00V0.00H1000.00V75.00Z\"");
    assert_string_equal(chart_of(days, "low"), "\"-1\"");
    days = "[{'date':'2026-02-01','values':['-2','-1']}]";
    assert_string_equal(chart_of(days, "base"), "\"0.00\"");
    assert_string_equal(chart_of(days, "high"), "\"-1\"");
}

static void nothing_but_zeros_is_a_line(void **state)
{
    const char *days = "[{'date':'2026-02-01','values':['0','0']}]";

    (void)state;
    assert_string_equal(chart_of(days, "line"), "\"M0.00 100.00H500.00V100.00H1000.00\"");
    assert_string_equal(chart_of(days, "high"), "\"0\"");
}

static void many_days_are_labelled_at_their_ends(void **state)
{
    const char *days = "[";

    (void)state;
    for (int d = 1; d <= 8; d++) {
        days = apr_psprintf(pool, "%s%s{'date':'2026-02-0%d','values':['%d']}", days,
                            d > 1 ? "," : "", d, d);
    }
    days = apr_pstrcat(pool, days, "]", NULL);
    assert_string_equal(chart_of(days, "labels"), "[\"1 Feb\",\"8 Feb\"]");
    assert_string_equal(chart_of(days, "has_all_labels"), "false");
    /* one value a day: the table's rows are days */
    assert_string_equal(chart_of(days, "has_columns"), "false");
    assert_non_null(
        strstr(chart_of(days, "rows"),
               "[{\"label\":\"1 Feb 2026\",\"cells\":[\"1\"]},{\"label\":\"2 Feb 2026\""));
}

static void the_table_says_the_same(void **state)
{
    (void)state;
    assert_string_equal(chart_of(TWO_DAYS, "columns"), "[\"1 Feb\",\"2 Feb\"]");
    assert_string_equal(chart_of(TWO_DAYS, "rows"), "[{\"label\":\"1\",\"cells\":[\"1\",\"5\"]},"
                                                    "{\"label\":\"2\",\"cells\":[\"2.50\",null]}]");
}

static void items_without_values_are_taken_out(void **state)
{
    json_object *object = json_tokener_parse(
        "{\"list\":[{\"days\":[]},{\"days\":[{\"date\":\"2026-02-01\",\"values\":[\"1\"]}]},{}]}");
    json_object *list, *number;

    (void)state;
    ecl_view_add_charts(object, "list", pool);
    assert_true(json_object_object_get_ex(object, "list", &list));
    assert_int_equal(json_object_array_length(list), 1);
    assert_true(json_object_object_get_ex(json_object_array_get_idx(list, 0), "number", &number));
    assert_int_equal(json_object_get_int(number), 1);
    ecl_view_add_charts(object, "other", pool);
    assert_int_equal(json_object_object_length(object), 1);
    json_object_put(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_a_step),
        cmocka_unit_test(days_may_differ_in_length),
        cmocka_unit_test(a_missing_value_is_a_gap),
        cmocka_unit_test(what_is_no_decimal_is_a_gap),
        cmocka_unit_test(values_below_zero_hang_from_it),
        cmocka_unit_test(nothing_but_zeros_is_a_line),
        cmocka_unit_test(many_days_are_labelled_at_their_ends),
        cmocka_unit_test(the_table_says_the_same),
        cmocka_unit_test(items_without_values_are_taken_out),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
