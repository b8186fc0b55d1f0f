/* Cutting text where characters end: what messages show of a cell must stay text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/utf8.h"

static void text_that_fits_is_whole(void **state)
{
    (void)state;
    assert_int_equal(ecl_utf8_cut("", 5), 0);
    assert_int_equal(ecl_utf8_cut("abc", 5), 3);
    assert_int_equal(ecl_utf8_cut("abc", 3), 3);
    assert_int_equal(ecl_utf8_cut("\xC2\xA3", 2), 2);
}

static void a_character_is_never_cut(void **state)
{
    const char *text = "a\xC2\xA3\xE2\x82\xAC\xF0\x9F\x94\x8C"; /* 1, 2, 3 and 4 bytes */
    const int ends[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

    (void)state;
    for (apr_size_t max = 0; max < sizeof ends / sizeof ends[0]; max++) {
        int length = ecl_utf8_cut(text, max);

        assert_int_equal(length, ends[max]);
        assert_true(ecl_utf8_is_text(text, (apr_size_t)length));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_fits_is_whole),
        cmocka_unit_test(a_character_is_never_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
