/*
 * Spreadsheets' dates and times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "worker/serial.h"

static void test_forms_by_id(void **state)
{
    static const struct {
        int id;
        ecl_serial_form_t form;
    } cases[] = {
        {0, ECL_SERIAL_NUMBER},  {2, ECL_SERIAL_NUMBER},   {13, ECL_SERIAL_NUMBER},
        {14, ECL_SERIAL_DATE},   {17, ECL_SERIAL_DATE},    {18, ECL_SERIAL_TIME},
        {21, ECL_SERIAL_TIME},   {22, ECL_SERIAL_STAMP},   {23, ECL_SERIAL_NUMBER},
        {45, ECL_SERIAL_TIME},   {46, ECL_SERIAL_ELAPSED}, {47, ECL_SERIAL_TIME},
        {49, ECL_SERIAL_NUMBER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(ecl_serial_form_of_id(cases[i].id), cases[i].form);
    }
}

static void test_forms_by_code(void **state)
{
    static const struct {
        const char *code;
        ecl_serial_form_t form;
    } cases[] = {
        {"General", ECL_SERIAL_NUMBER},
        {"Standard", ECL_SERIAL_NUMBER},
        {"", ECL_SERIAL_NUMBER},
        {"0.00", ECL_SERIAL_NUMBER},
        {"#,##0\\ \"days\"", ECL_SERIAL_NUMBER},
        {"[Red]0.0;[Cyan]\"short\"", ECL_SERIAL_NUMBER},
        {"0_d", ECL_SERIAL_NUMBER},
        {"0\\y", ECL_SERIAL_NUMBER},
        {"0.00E+00", ECL_SERIAL_NUMBER},
        {"DD/MM/YYYY", ECL_SERIAL_DATE},
        {"mmm-yy", ECL_SERIAL_DATE},
        {"[$-809]dd mmmm yyyy;@", ECL_SERIAL_DATE},
        {"mmmm", ECL_SERIAL_DATE},
        {"dd/mm/yyyy hh:mm", ECL_SERIAL_STAMP},
        {"yyyy-mm-dd\"T\"hh:mm:ss", ECL_SERIAL_STAMP},
        {"hh:mm", ECL_SERIAL_TIME},
        {"h:mm AM/PM", ECL_SERIAL_TIME},
        {"mm:ss.0", ECL_SERIAL_TIME},
        {"[h]:mm", ECL_SERIAL_ELAPSED},
        {"[hh]:mm:ss", ECL_SERIAL_ELAPSED},
        {"\"unclosed", ECL_SERIAL_NUMBER},
        {"[unclosed", ECL_SERIAL_NUMBER},
        {"\\", ECL_SERIAL_NUMBER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (ecl_serial_form_of_code(cases[i].code) != cases[i].form) {
            fail_msg("%s: %d", cases[i].code, ecl_serial_form_of_code(cases[i].code));
        }
    }
}

static void test_printing(void **state)
{
    static const struct {
        double serial;
        ecl_serial_form_t form;
        int is_1904;
        const char *text; /* NULL: no date */
    } cases[] = {
        {45055, ECL_SERIAL_DATE, 0, "2023-05-09"},
        {43782, ECL_SERIAL_DATE, 0, "2019-11-13"},
        {45055.5, ECL_SERIAL_DATE, 0, "2023-05-09 12:00:00"},
        {45382, ECL_SERIAL_STAMP, 0, "2024-03-31 00:00:00"},
        {45382 + 1.0 / 48, ECL_SERIAL_STAMP, 0, "2024-03-31 00:30:00"},
        /* a second that the double just misses, and midnight from below */
        {45382.020833333, ECL_SERIAL_STAMP, 0, "2024-03-31 00:30:00"},
        {45381.999999, ECL_SERIAL_STAMP, 0, "2024-03-31 00:00:00"},
        {45382.5, ECL_SERIAL_TIME, 0, "2024-03-31 12:00:00"},
        {0.0208333333333333, ECL_SERIAL_TIME, 0, "00:30"},
        {0.0208333, ECL_SERIAL_ELAPSED, 0, "00:30"},
        {0.5 + 15.0 / 86400, ECL_SERIAL_TIME, 0, "12:00:15"},
        {0, ECL_SERIAL_TIME, 0, "00:00"},
        {0.25, ECL_SERIAL_STAMP, 0, "06:00"},
        {1, ECL_SERIAL_TIME, 0, "24:00"},
        {1, ECL_SERIAL_ELAPSED, 0, "24:00"},
        {1.0625, ECL_SERIAL_ELAPSED, 0, "25:30"},
        /* the false leap day, and the days before it */
        {1, ECL_SERIAL_DATE, 0, "1900-01-01"},
        {59, ECL_SERIAL_DATE, 0, "1900-02-28"},
        {60, ECL_SERIAL_DATE, 0, "1900-02-29"},
        {61, ECL_SERIAL_DATE, 0, "1900-03-01"},
        {43593, ECL_SERIAL_DATE, 1, "2023-05-09"},
        {60, ECL_SERIAL_DATE, 1, "1904-03-01"},
        {2958465, ECL_SERIAL_DATE, 0, "9999-12-31"},
        {2958466, ECL_SERIAL_DATE, 0, NULL},
        {2958465.9999999, ECL_SERIAL_STAMP, 0, NULL},
        {-1, ECL_SERIAL_DATE, 0, NULL},
        {1e300, ECL_SERIAL_DATE, 0, NULL},
        {45055, ECL_SERIAL_NUMBER, 0, NULL},
    };
    char text[ECL_SERIAL_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int is_date = ecl_serial_print(cases[i].serial, cases[i].form, cases[i].is_1904, text);

        assert_int_equal(is_date, cases[i].text != NULL);
        if (is_date) {
            assert_string_equal(text, cases[i].text);
        }
    }
}

static void test_bare_numbers(void **state)
{
    static const struct {
        const char *text;
        int is_1904;
        const char *date; /* NULL: none */
        int has_time, minute, second;
    } cases[] = {
        {"45055", 0, "2023-05-09", 0, 0, 0},
        {"45055.5", 0, "2023-05-09", 1, 720, 0},
        {"45055,5", 0, "2023-05-09", 1, 720, 0},
        {"45382.0208333333", 0, "2024-03-31", 1, 30, 0},
        {"45381.9999999", 0, "2024-03-31", 1, 0, 0},
        {"43593", 1, "2023-05-09", 0, 0, 0},
        {"30000", 0, "1982-02-18", 0, 0, 0},
        {"29999", 0, NULL, 0, 0, 0},
        {"60001", 0, NULL, 0, 0, 0},
        {"450555", 0, NULL, 0, 0, 0},
        {"45,055", 0, NULL, 0, 0, 0},
        {"45055.", 0, NULL, 0, 0, 0},
        {"45055a", 0, NULL, 0, 0, 0},
        {"4.5055E4", 0, NULL, 0, 0, 0},
        {"-45055", 0, NULL, 0, 0, 0},
        {"", 0, NULL, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ecl_datetime_t stamp;
        char date[ECL_DATE_TEXT];
        int is_one =
            ecl_serial_parse(cases[i].text, strlen(cases[i].text), cases[i].is_1904, &stamp);

        if (is_one != (cases[i].date != NULL)) {
            fail_msg("%s", cases[i].text);
        }
        if (is_one) {
            ecl_date_print(stamp.date, date);
            assert_string_equal(date, cases[i].date);
            assert_int_equal(stamp.has_time, cases[i].has_time);
            assert_int_equal(stamp.minute, cases[i].minute);
            assert_int_equal(stamp.second, cases[i].second);
        }
    }
}

static void test_fractions(void **state)
{
    ecl_datetime_t time;

    (void)state;
    assert_true(ecl_serial_parse_time("0.5208333", 9, &time));
    assert_int_equal(time.minute, 750);
    assert_int_equal(time.second, 0);
    assert_true(ecl_serial_parse_time("0,25", 4, &time));
    assert_int_equal(time.minute, 360);
    assert_false(ecl_serial_parse_time("1.5", 3, &time));
    assert_false(ecl_serial_parse_time("0", 1, &time));
    assert_false(ecl_serial_parse_time("00:30", 5, &time));

    assert_true(ecl_serial_parse_unix("1761260400", 10, &time));
    assert_int_equal(time.date, 20384);
    assert_int_equal(time.minute, 23 * 60);
    assert_true(time.has_date && time.has_time && time.has_offset && !time.offset_minutes);
    assert_true(ecl_serial_parse_unix("1761260401000", 13, &time));
    assert_int_equal(time.second, 1);
    assert_false(ecl_serial_parse_unix("1761260400001", 13, &time));
    assert_false(ecl_serial_parse_unix("0999999999", 10, &time));
    assert_false(ecl_serial_parse_unix("4102444800", 10, &time));
    assert_false(ecl_serial_parse_unix("176126040", 9, &time));
    assert_false(ecl_serial_parse_unix("17612604.0", 10, &time));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_by_id), cmocka_unit_test(test_forms_by_code),
        cmocka_unit_test(test_printing),    cmocka_unit_test(test_bare_numbers),
        cmocka_unit_test(test_fractions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
