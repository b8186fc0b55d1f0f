/* Reads of a register (reads=register): differences, and what makes none. */
#include "pool_fixture.h"
#include "reading.h"

#include "worker/question.h"

#include <apr_strings.h>

#define HEADER "MPAN,Time stamp,Value (kWh),Events,Comment\n"
#define LINE(stamp, value) MPAN "," stamp "," value ",,\n"

static reading_t *read_register(const char *text)
{
    return read_text_given(text, "auto", (ecl_given_t){.reads = "register"});
}

static const char *message_of(const reading_t *r, const char *code)
{
    for (int i = 0; i < r->warnings->nelts; i++) {
        const told_t *told = &APR_ARRAY_IDX(r->warnings, i, told_t);

        if (!strcmp(told->code, code)) {
            return told->message;
        }
    }
    return "";
}

static const char *value_at(const reading_t *r, int period)
{
    return value_of(r, MPAN, "AI", "2026-02-01", period);
}

/* Lines in either order of time, which make the same. */
static void test_forward_and_backward(void **state)
{
    static const char *const lines[] = {
        LINE("01/02/2026 00:00:00", "\"12,000.000000001\""), LINE("01/02/2026 00:30:00", "12000.5"),
        LINE("01/02/2026 01:00:00", "12000.5"), LINE("01/02/2026 01:30:00", "\"12,001.25\"")};

    (void)state;
    for (int is_backward = 0; is_backward < 2; is_backward++) {
        const char *text = HEADER;
        reading_t *r;

        for (int i = 0; i < 4; i++) {
            text = apr_pstrcat(pool, text, lines[is_backward ? 3 - i : i], NULL);
        }
        r = read_register(text);
        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->errors->nelts, 0);
        assert_string_equal(value_at(r, 1), "0.499999999");
        assert_string_equal(value_at(r, 2), "0");
        assert_string_equal(value_at(r, 3), "0.75");
        assert_int_equal(count_readings(r), 3);
        assert_int_equal(r->imported, 3);
        assert_int_equal(r->skipped, 1);
        assert_int_equal(r->counted, 4);
        assert_int_equal(count_warnings(r, "register"), 1);
        assert_non_null(strstr(message_of(r, "register"), "; 1 reads that"));
        assert_int_equal(count_warnings(r, "register-gaps"), 0);
        assert_int_equal(count_warnings(r, "register-falls"), 0);
        assert_non_null(strstr(r->layout->evidence, "reads of a register every 30 minutes"));
        end_reading(r);
    }
}

static void test_what_makes_no_reading(void **state)
{
    reading_t *r =
        read_register(HEADER LINE("01/02/2026 00:00", "99990") LINE("01/02/2026 00:30", "99995")
                          LINE("01/02/2026 01:30", "99999") /* one is missing */
                      LINE("01/02/2026 02:00", "3")         /* it began anew */
                      LINE("01/02/2026 02:30", "4.5") LINE("01/02/2026 02:30", "5") /* twice */
                      LINE("01/02/2026 03:00", "6") LINE("01/02/2026 03:30", "-")
                          LINE("01/02/2026 04:00", "8") LINE("01/02/2026 04:30", "x")
                              LINE("01/02/2026 05:00", "9") LINE("01/02/2026 05:30", "10"));

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_at(r, 1), "5");
    assert_string_equal(value_at(r, 5), "1.5");
    assert_string_equal(value_at(r, 6), "1");
    assert_string_equal(value_at(r, 11), "1");
    assert_int_equal(count_readings(r), 4);
    assert_int_equal(r->imported, 4);
    assert_int_equal(r->failed, 1); /* "x" */
    assert_int_equal(r->skipped, 7);
    assert_non_null(strstr(message_of(r, "register-gaps"), "3 reads are not one interval"));
    assert_non_null(strstr(message_of(r, "register-repeats"), "1 reads"));
    assert_non_null(
        strstr(message_of(r, "register-falls"), "meter " MPAN ", line 5, from 99999 to 3)"));
    end_reading(r);
}

/* Meters take turns; import and export stand side by side; an estimated read makes an estimate. */
static void test_series_are_apart(void **state)
{
    reading_t *r =
        read_register("MPAN,Timestamp,Import (kWh),Export (kWh),Flag\n" MPAN
                      ",2026-02-01 23:30,100,50,A\n" MPAN2 ",2026-02-01 23:30,7000,70,A\n" MPAN
                      ",2026-02-02 00:00,101,52,E\n" MPAN2 ",2026-02-02 00:00,7003,74,A\n" MPAN
                      ",2026-02-02 00:30,105,52,A\n" MPAN2 ",2026-02-02 00:30,7008,79,A\n");

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "1");
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 48), "2");
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-01", 48), "3");
    assert_string_equal(value_of(r, MPAN2, "AE", "2026-02-01", 48), "4");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "4");
    assert_string_equal(value_of(r, MPAN2, "AE", "2026-02-02", 1), "5");
    assert_int_equal(r->skipped, 2);
    end_reading(r);
    r = read_register("MPAN,Timestamp,kWh,Flag\n" MPAN ",2026-02-01 00:00,1,A\n" MPAN
                      ",2026-02-01 00:30,2,E\n" MPAN ",2026-02-01 01:00,3,A\n" MPAN
                      ",2026-02-01 01:30,4,A\n");
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-02-01", 2), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-02-01", 3), ECL_FLAG_ACTUAL);
    end_reading(r);
}

/* Instants: the day of 50 half-hours is whole, and so is that of 46. */
static void test_clock_changes(void **state)
{
    static const char *const dates[] = {"2025-10-26", "2026-03-29"};
    static const char *const before[] = {"2025-10-25T23:00:00Z", "2026-03-29T00:00:00Z"};
    static const int counts[] = {50, 46};

    (void)state;
    for (int k = 0; k < 2; k++) {
        const char *text = "MPAN,Timestamp,kWh\n";
        apr_time_exp_t t = {0};
        apr_time_t at;
        reading_t *r;

        sscanf(before[k], "%d-%d-%dT%d", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour);
        t.tm_year -= 1900;
        t.tm_mon -= 1;
        assert_int_equal(apr_time_exp_gmt_get(&at, &t), APR_SUCCESS);
        for (int i = 0; i <= counts[k]; i++, at += apr_time_from_sec(1800)) {
            apr_time_exp_gmt(&t, at);
            text = apr_psprintf(pool, "%s" MPAN ",%04d-%02d-%02dT%02d:%02d:00Z,%d\n", text,
                                t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min,
                                1000 + i * (i + 1) / 2);
        }
        r = read_register(text);
        assert_int_equal(count_readings(r), counts[k]);
        assert_string_equal(value_of(r, MPAN, "AI", dates[k], 1), "1");
        assert_string_equal(value_of(r, MPAN, "AI", dates[k], counts[k]),
                            apr_itoa(pool, counts[k]));
        end_reading(r);
    }
}

/* Date and time apart, where 00:00 closes its date. */
static void test_midnight_that_closes_its_date(void **state)
{
    reading_t *r = read_register("MPAN,Date,Time,kWh\n" MPAN ",2026-02-01,23:00,10\n" MPAN
                                 ",2026-02-01,23:30,11\n" MPAN ",2026-02-01,00:00,13\n" MPAN
                                 ",2026-02-02,00:30,16\n" MPAN ",2026-02-02,01:00,20\n");

    (void)state;
    assert_int_equal(count_readings(r), 4);
    assert_string_equal(value_at(r, 47), "1");
    assert_string_equal(value_at(r, 48), "2");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "3");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 2), "4");
    end_reading(r);
}

static void expect_conflict(const char *text, ecl_given_t given)
{
    reading_t *r;

    given.reads = "register";
    r = read_text_given(text, "auto", given);
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "reads-conflict");
    end_reading(r);
}

static void test_files_without_reads(void **state)
{
    json_object *question = ecl_question_of("cumulative-reads");

    (void)state;
    assert_string_equal(json_object_get_string(json_object_object_get(question, "option")),
                        "reads");
    json_object_put(question);
    question = ecl_question_of("reads-conflict");
    assert_true(json_object_get_boolean(json_object_object_get(question, "given")));
    json_object_put(question);
    assert_null(ecl_question_of("cumulative-totals"));
    expect_conflict(apr_pstrcat(pool, "MPAN,Date,", series(pool, "HH%d", 1, 48),
                                "\n" MPAN ",2026-02-01,", series(pool, "%d", 1, 48), "\n", NULL),
                    (ecl_given_t){NULL});
    expect_conflict("MPAN,Date,kWh\n" MPAN ",2026-02-01,5\n" MPAN ",2026-02-02,6\n",
                    (ecl_given_t){NULL});
    expect_conflict("MPAN,Date,Settlement Period,kWh\n" MPAN ",2026-02-01,1,6\n",
                    (ecl_given_t){NULL});
    expect_conflict("#F2\n#O " MPAN "\n#S 1\n01/02/2026,00:30,1.5,A\n", (ecl_given_t){NULL});
    expect_conflict(HEADER LINE("01/02/2026 00:00", "1") LINE("01/02/2026 00:30", "2"),
                    (ecl_given_t){.labels = "start"});
}

/* A register in Wh is beyond what a value in kWh may be; what it moves is exact all the same. */
static void test_large_reads_in_wh(void **state)
{
    reading_t *r = read_register(
        "MPAN,Time stamp,Value (Wh)\n" MPAN ",01/02/2026 00:00,12345678901.5\n" MPAN
        ",01/02/2026 00:30,12345679901.75\n" MPAN ",01/02/2026 01:00,9223372036855\n");

    (void)state;
    assert_string_equal(value_at(r, 1), "1.00025");
    assert_error(r, 4, "Value (Wh)", "bad-value",
                 "is too large for a reading: at most 9,223,372,036 kWh are kept");
    end_reading(r);
    r = read_text("MPAN,Date,Value\n" MPAN ",2026-02-01,10000000001 Wh\n" MPAN
                  ",2026-02-02,7 Wh\n");
    assert_int_equal(r->errors->nelts, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "10000000.001");
    end_reading(r);
}

#define FOLLOWED 20000 /* docs/file_formats.md */

/* Two reads of each meter, half an hour apart. */
static const char *many_meters(int count)
{
    apr_size_t room = (apr_size_t)count * 80 + 80, used;
    char *text = apr_palloc(pool, room);

    used = (apr_size_t)apr_snprintf(text, room, "Meter,Timestamp,Value (kWh)\n");
    for (int i = 0; i < count; i++) {
        used += (apr_size_t)apr_snprintf(text + used, room - used,
                                         "K%05d,2026-02-01 00:00,%d\n"
                                         "K%05d,2026-02-01 00:30,%d.5\n",
                                         i, 1000 + i, i, 1000 + i);
    }
    return text;
}

static void test_more_meters_than_are_followed(void **state)
{
    reading_t *r = read_register(many_meters(FOLLOWED));

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(count_readings(r), FOLLOWED);
    assert_int_equal(count_warnings(r, "register-limit"), 0);
    end_reading(r);

    r = read_register(many_meters(FOLLOWED + 2));
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(count_readings(r), FOLLOWED); /* those that were met first */
    assert_string_equal(value_of(r, "K19999", "AI", "2026-02-01", 1), "0.5");
    assert_int_equal(r->skipped, FOLLOWED + 4);
    assert_int_equal(count_warnings(r, "register-limit"), 1);
    assert_non_null(strstr(message_of(r, "register-limit"), "4 reads were left out"));
    assert_non_null(strstr(message_of(r, "register-limit"), "more than the 20000 meters"));
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_and_backward),
        cmocka_unit_test(test_what_makes_no_reading),
        cmocka_unit_test(test_series_are_apart),
        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_midnight_that_closes_its_date),
        cmocka_unit_test(test_files_without_reads),
        cmocka_unit_test(test_large_reads_in_wh),
        cmocka_unit_test(test_more_meters_than_are_followed),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
