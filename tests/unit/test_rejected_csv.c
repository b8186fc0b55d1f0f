#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_general.h>
#include <apr_pools.h>

#include "pool_fixture.h"
#include "mod_eclectyc_import/rejected_csv.h"

static void same(const char *record, int columns, const char *expected)
{
    assert_string_equal(ecl_rejected_record(record, ',', columns, "", 0, pool), expected);
}

static void counts(void **state)
{
    (void)state;
    assert_int_equal(ecl_rejected_count("", ','), 1);
    assert_int_equal(ecl_rejected_count("a,b,", ','), 3);
    assert_int_equal(ecl_rejected_count("\"a,b\",\"c\"\"d\"", ','), 2);
    assert_int_equal(ecl_rejected_count("a;\"b\nc\";d", ';'), 3);
    assert_int_equal(ecl_rejected_count("a,\"b,c", ','), 3);
}

static void cells_stay_as_they_are(void **state)
{
    (void)state;
    same("2009900000001, 01/02/2026,-1.5,+3,-,--,,\"a \"\"b\"\", c\",it's,-1E+5,-1,5 ", 0,
         "2009900000001, 01/02/2026,-1.5,+3,-,--,,\"a \"\"b\"\", c\",it's,-1E+5,-1,5 ");
}

static void formulas_get_an_apostrophe(void **state)
{
    (void)state;
    same("=1+1,@SUM(A1),-2+3,+A1,\t=x,\"=1,2\",\"-2+3\", \"@x\",-,-e", 0,
         "'=1+1,'@SUM(A1),'-2+3,'+A1,'\t=x,\"'=1,2\",\"'-2+3\", \"'@x\",-,'-e");
    assert_string_equal(ecl_rejected_cell("=a \"b\"", pool), "\"'=a \"\"b\"\"\"");
    assert_string_equal(ecl_rejected_cell("", pool), "\"\"");
}

static void short_rows_are_filled(void **state)
{
    (void)state;
    same("a,b", 4, "a,b,,");
    same("a,b,c", 2, "a,b,c");
    same("", 3, ",,");
    assert_string_equal(ecl_rejected_record("a", ';', 3, "(gone)", 0, pool), "a;(gone);(gone)");
}

static void a_mark_that_never_closes_is_text(void **state)
{
    (void)state;
    same("a,\"b,c", 3, "a,\"\"\"b\",c");
    same("\"", 2, "\"\"\"\",");
}

static void cells_of_an_earlier_list_are_dropped(void **state)
{
    (void)state;
    assert_string_equal(ecl_rejected_record("a,b,7,\"x,y\"", ',', 2, "", 2, pool), "a,b");
    assert_string_equal(ecl_rejected_record("a,b,c,7,\"x,y\"", ',', 2, "", 2, pool),
                        "a,b,c,7,\"x,y\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(cells_stay_as_they_are),
        cmocka_unit_test(formulas_get_an_apostrophe),
        cmocka_unit_test(short_rows_are_filled),
        cmocka_unit_test(a_mark_that_never_closes_is_text),
        cmocka_unit_test(cells_of_an_earlier_list_are_dropped),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
