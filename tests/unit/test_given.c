/*
 * What a user says about a file beside what the file says.
 */
#include "reading.h"

#include "worker/question.h"

static void refused(const char *text, ecl_given_t given, const char *code, const char *part)
{
    reading_t *r = read_text_given(text, "auto", given);

    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, code);
    assert_non_null(strstr(r->result.detail, part));
    end_reading(r);
}

static const char *asked(const char *code)
{
    json_object *question = ecl_question_of(code);
    static char option[32];

    assert_non_null(question);
    apr_cpystrn(option, json_object_get_string(json_object_object_get(question, "option")),
                sizeof(option));
    assert_true(json_object_object_get_ex(question, "text", NULL));
    json_object_put(question);
    return option;
}

/* ---- meter ------------------------------------------------------------------------------------
 */

static const char two_readings[] = "Consumption (kWh), Start, End\n"
                                   "0.25, 2026-01-05T00:00:00+00:00, 2026-01-05T00:30:00+00:00\n"
                                   "0.5, 2026-01-05T00:30:00+00:00, 2026-01-05T01:00:00+00:00\n";

static void test_a_file_without_meters_asks(void **state)
{
    (void)state;
    refused(two_readings, (ecl_given_t){NULL}, "no-meter-column", "names no meter");
    refused("date,consumption\n2026-01-05,7\n", (ecl_given_t){NULL}, "no-meter-column", "");
    assert_string_equal(asked("no-meter-column"), "meter");
    assert_string_equal(asked("meter-conflict"), "meter");
    assert_null(ecl_question_of("no-date-column"));
    assert_null(ecl_question_of(NULL));
}

static void test_the_meter_given(void **state)
{
    reading_t *r = read_text_given(two_readings, "auto", (ecl_given_t){.meter = "1000 0000 00012"});

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->imported, 2);
    assert_int_equal(r->warnings->nelts, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-05", 2), "0.5");
    assert_non_null(strstr(r->layout->evidence, "(as given)"));
    end_reading(r);

    r = read_text_given("date,consumption\n05/01/2026,7\n06/01/2026,8\n", "auto",
                        (ecl_given_t){.meter = "Pump house"});
    assert_string_equal(value_of(r, "Pump house", "AI", "2026-01-06", 1), "8");
    end_reading(r);
}

static void test_a_wide_file_without_meters(void **state)
{
    reading_t *r = make_reading();
    const char *text;

    (void)state;
    text = apr_pstrcat(r->pool, "Date,", series(r->pool, "HH%02d", 1, 48), "\n05/01/2026,",
                       series(r->pool, "%d", 1, 48), "\n", NULL);
    refused(text, (ecl_given_t){NULL}, "no-meter-column", "");
    r->given.meter = MPAN;
    write_file(r, text, strlen(text));
    read_file(r);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-05", 48), "48");
    end_reading(r);
}

static void test_a_given_meter_with_a_wrong_check_digit(void **state)
{
    reading_t *r = read_text_given(two_readings, "auto", (ecl_given_t){.meter = "1000000000013"});

    (void)state;
    assert_int_equal(r->imported, 2);
    assert_int_equal(count_warnings(r, "check-digit"), 1);
    end_reading(r);
    refused(two_readings, (ecl_given_t){.meter = "1.00001E+12"}, "meter-conflict",
            "all its digits");
}

static void test_a_file_that_names_its_meters(void **state)
{
    static const char text[] = "MPAN,Timestamp,kWh\n" MPAN ",2026-01-05 00:00,1\n"
                               ",2026-01-05 00:30,2\n" MPAN ",2026-01-05 01:00,3\n";
    reading_t *r;

    (void)state;
    refused(text, (ecl_given_t){.meter = MPAN2}, "meter-conflict", "column MPAN");
    r = read_text_given(text, "auto", (ecl_given_t){.meter = MPAN});
    assert_int_equal(r->imported, 3); /* the same meter; the row that names none is its too */
    end_reading(r);
}

static void test_another_meter_further_down(void **state)
{
    reading_t *r = make_reading();
    apr_array_header_t *lines = apr_array_make(r->pool, 700, sizeof(const char *));
    const char *text;

    (void)state;
    APR_ARRAY_PUSH(lines, const char *) = "MPAN,Timestamp,kWh\n";
    for (int i = 0; i < 600; i++) {
        APR_ARRAY_PUSH(lines, const char *) = apr_psprintf(
            r->pool, MPAN ",2026-01-%02d %02d:%02d,1\n", 1 + i / 48, i % 48 / 2, i % 2 * 30);
    }
    APR_ARRAY_PUSH(lines, const char *) = MPAN2 ",2026-02-01 00:00,1\n";
    text = apr_array_pstrcat(r->pool, lines, 0);
    r->given.meter = MPAN;
    write_file(r, text, strlen(text));
    read_file(r);
    assert_int_equal(r->imported, 600);
    assert_error(r, 602, "MPAN", "other-meter", MPAN2);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_without_meters_asks),
        cmocka_unit_test(test_the_meter_given),
        cmocka_unit_test(test_a_wide_file_without_meters),
        cmocka_unit_test(test_a_given_meter_with_a_wrong_check_digit),
        cmocka_unit_test(test_a_file_that_names_its_meters),
        cmocka_unit_test(test_another_meter_further_down),
    };
    int failed;

    apr_initialize();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
