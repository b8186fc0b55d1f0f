/*
 * JSON of APIs and data collectors: events, shape, and what is read.
 */
#include "reading.h"
#include "start_apr.h"

#include "worker/json_events.h"

/* ---- events ------------------------------------------------------------------------------------
 */

/* What ecl_json_next makes of a text: one letter for each event, and its text; or the failure. */
static const char *events_of(reading_t *r, const char *text, size_t length)
{
    static const char letters[] = "{}[]ksnw0";
    const char *events = "";
    ecl_json_event_t event;
    ecl_json_t *json;
    apr_status_t status;
    int depth = 0;

    write_file(r, text, length);
    assert_int_equal(ecl_json_open(&json, r->path, r->pool, &r->result), APR_SUCCESS);
    while ((status = ecl_json_next(json, &event, &r->result)) == APR_SUCCESS) {
        events = apr_psprintf(r->pool, "%s%c%s", events, letters[event.kind], event.text);
        assert_true(event.end_offset <= (apr_int64_t)length);
        depth += event.kind == ECL_JSON_OBJECT || event.kind == ECL_JSON_ARRAY;
        depth -= event.kind == ECL_JSON_OBJECT_END || event.kind == ECL_JSON_ARRAY_END;
    }
    assert_int_equal(unlink(r->path), 0);
    if (APR_STATUS_IS_EOF(status)) {
        assert_int_equal(depth, 0);
        return events;
    }
    assert_int_equal(status, ECL_EINPUT);
    assert_string_equal(r->result.code, "bad-json");
    return r->result.detail;
}

static void test_events(void **state)
{
    static const struct {
        const char *text, *events;
    } cases[] = {
        {"", ""},
        {" \r\n\t", ""},
        {"{}", "{}"},
        {"[]", "[]"},
        {" { \"a\" : [ 1 , -0.5e+3 ] , \"b\" : null } ", "{ka[n1n-0.5e+3]kb0null}"},
        {"[true,false,NaN]", "[wtruewfalsewNaN]"},
        {"{\"a\":1}\n{\"a\":2}\n", "{kan1}{kan2}"},
        {"\"\\u00a3 \\\"\\\\\\/ \\ud83d\\ude00\"", "s£ \"\\/ 😀"},
        {"[0.10, 1e400, 123456789012345678901234567890]",
         "[n0.10n1e400n123456789012345678901234567890]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = make_reading();

        assert_string_equal(events_of(r, cases[i].text, strlen(cases[i].text)), cases[i].events);
        end_reading(r);
    }
}

static void test_broken_json_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        {"{", "ends too early, on line 1: expected a name"},
        {"{\n\"a\"", "ends too early, on line 2: expected a colon"},
        {"{\"a\":1,\r\n}", "broken on line 2: expected a name in quotation marks, found }"},
        {"[1,\r]", "broken on line 2: expected a value, found ]"},
        {"[1 2]", "expected a comma or ], found 2"},
        {"{\"a\":1]", "expected a comma or }, found ]"},
        {"]", "expected a value, found ]"},
        {"[01]", "expected a number"},
        {"[1.]", "expected a number, found ]"},
        {"[-]", "expected a number, found ]"},
        {"[nul]", "expected a value, found n"},
        {"[Infinity]", "expected a value, found I"},
        {"[\"a\nb\"]", "expected the end of a text, found byte 10"},
        {"[\"\\x\"]", "without broken escapes"},
        {"[\"\\u0000\"]", "without broken escapes"},
        {"[\"\\ud83d\"]", "without broken escapes"},
        {"[\"\\ude00\"]", "without broken escapes"},
        {"[\"\x81\"]", "is not UTF-8"},
    };
    reading_t *r;
    char deep[100];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *told;

        r = make_reading();
        told = events_of(r, cases[i].text, strlen(cases[i].text));
        if (!strstr(told, cases[i].part)) {
            fail_msg("%s: %s", cases[i].text, told);
        }
        end_reading(r);
    }
    memset(deep, '[', sizeof(deep));
    r = make_reading();
    assert_non_null(strstr(events_of(r, deep, sizeof(deep)), "nested more than 64 deep"));
    end_reading(r);
}

/* A text of any length costs no memory; it is cut, and never within a character. */
static void test_long_texts_are_cut(void **state)
{
    reading_t *r = make_reading();
    size_t length = 200001;
    char *text = apr_palloc(r->pool, length + 1);
    ecl_json_event_t event;
    ecl_json_t *json;

    (void)state;
    memset(text, 'x', length);
    text[0] = text[length - 1] = '"';
    for (size_t i = 2; i + 2 < length; i += 2) {
        memcpy(text + i, "£", 2);
    }
    write_file(r, text, length);
    assert_int_equal(ecl_json_open(&json, r->path, r->pool, &r->result), APR_SUCCESS);
    assert_int_equal(ecl_json_next(json, &event, &r->result), APR_SUCCESS);
    assert_true(event.is_cut);
    assert_true(event.length < ECL_JSON_TEXT_MAX && event.length % 2 == 1);
    assert_int_equal(event.end_offset, length);
    assert_int_equal(ecl_json_next(json, &event, &r->result), APR_EOF);
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

static void test_size_is_limited(void **state)
{
    reading_t *r = make_reading();
    ecl_json_event_t event;
    ecl_json_t *json;
    apr_status_t status;
    int count = 0;

    (void)state;
    write_file(r, "[1,2,3,4,5,6,7,8]", 17);
    assert_int_equal(ecl_json_open(&json, r->path, r->pool, &r->result), APR_SUCCESS);
    ecl_json_set_sizes(json, 4, 8);
    while ((status = ecl_json_next(json, &event, &r->result)) == APR_SUCCESS) {
        count++;
    }
    assert_int_equal(status, ECL_EINPUT);
    assert_string_equal(r->result.code, "too-large");
    assert_true(count > 1 && count < 8);
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

/* ---- what is read ------------------------------------------------------------------------------
 */

/* An object per meter and day, as data collectors write it: P1 … P50, UT1 … UT50. */
static const char *day_object(apr_pool_t *p, const char *date, int periods, int first)
{
    const char *text = apr_psprintf(
        p, "{\"Date\":\"%s\",\"MPAN\":\"" MPAN "\",\"MeasurementQuantity\":\"AI\"", date);

    for (int i = 1; i <= 50; i++) {
        text = i <= periods ? apr_psprintf(p, "%s,\"P%d\":%d.5", text, i, first + i - 1)
                            : apr_psprintf(p, "%s,\"P%d\":null", text, i);
    }
    for (int i = 1; i <= 50; i++) {
        text = i <= periods ? apr_psprintf(p, "%s,\"UT%d\":\"%s\"", text, i, i % 2 ? "A" : "E")
                            : apr_psprintf(p, "%s,\"UT%d\":null", text, i);
    }
    return apr_pstrcat(p, text, "}", NULL);
}

static void test_reads_days_of_a_data_collector(void **state)
{
    reading_t *r = make_reading();
    const char *text = apr_pstrcat(
        r->pool,
        "{\"meta\":{\"range\":\"2025-10-01 TO 2026-03-31\",\"source\":\"CACHE\"},\"data\":[",
        day_object(r->pool, "2025-10-26", 50, 1), ",\n", day_object(r->pool, "2026-03-29", 46, 101),
        ",\n", day_object(r->pool, "2025-10-27", 48, 201), "]}", NULL);

    (void)state;
    write_file(r, text, strlen(text));
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->imported, 3);
    assert_int_equal(count_readings(r), 50 + 46 + 48);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 50), "50.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-29", 46), "146.5");
    assert_int_equal(flag_at(r, "2025-10-26", 50), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-03-29", 45), ECL_FLAG_ACTUAL);
    assert_non_null(strstr(r->layout->evidence, "JSON: a row per meter and day"));
    end_reading(r);
}

/* Half-hours of [from, to) as objects; the value is the half-hour's number from 1. */
static const char *objects(apr_pool_t *p, const char *fmt, apr_int64_t from, int count,
                           int is_backward, int is_end)
{
    const char *text = "";

    for (int i = 0; i < count; i++) {
        int number = is_backward ? count - i : i + 1;
        apr_time_exp_t start, end;
        char stamps[2][32];

        apr_time_exp_gmt(&start, apr_time_from_sec(from + (number - 1) * 1800));
        apr_time_exp_gmt(&end, apr_time_from_sec(from + number * 1800));
        for (int k = 0; k < 2; k++) {
            const apr_time_exp_t *t = k == is_end ? &start : &end;

            apr_snprintf(stamps[k], sizeof(stamps[k]), "%04d-%02d-%02d%c%02d:%02d",
                         t->tm_year + 1900, t->tm_mon + 1, t->tm_mday, *fmt == ' ' ? ' ' : 'T',
                         t->tm_hour, t->tm_min);
        }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text = apr_pstrcat(p, text, i ? ",\n" : "",
                           apr_psprintf(p, fmt + 1, number, stamps[0], stamps[1]), NULL);
#pragma GCC diagnostic pop
    }
    return text;
}

static apr_int64_t utc_midnight(int year, int month, int day)
{
    ecl_date_t date;

    assert_true(ecl_date_from_ymd(year, month, day, &date));
    return (apr_int64_t)date * 86400;
}

static void check_day(const reading_t *r, const char *date, int periods)
{
    char value[16];

    for (int i = 1; i <= periods; i++) {
        apr_snprintf(value, sizeof(value), "%d", i);
        assert_string_equal(value_of(r, MPAN, "AI", date, i), value);
    }
}

/* An API's answer with times in UTC, newest first; the meter stands around the readings. */
static void test_clock_changes_of_an_api(void **state)
{
    static const struct {
        int year, month, day, hours_before, periods;
        const char *date;
    } cases[] = {
        {2025, 10, 26, 1, 50, "2025-10-26"},
        {2026, 3, 29, 0, 46, "2026-03-29"},
        {2026, 6, 15, 1, 48, "2026-06-15"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int is_backward = 0; is_backward < 2; is_backward++) {
            reading_t *r = make_reading();
            apr_int64_t from = utc_midnight(cases[i].year, cases[i].month, cases[i].day) -
                               cases[i].hours_before * 3600;
            const char *text = apr_pstrcat(
                r->pool, "{\"count\":100,\"next\":null,\"results\":[",
                objects(r->pool,
                        "T{\"consumption\":%d,\"interval_start\":\"%sZ\",\"interval_end\":\"%sZ\"}",
                        from, cases[i].periods, is_backward, 0),
                "],\"mpan\":\"" MPAN "\"}", NULL);

            write_file(r, text, strlen(text));
            read_file(r);
            assert_int_equal(r->status, APR_SUCCESS);
            assert_int_equal(r->errors->nelts, 0);
            assert_int_equal(r->imported, cases[i].periods);
            check_day(r, cases[i].date, cases[i].periods);
            end_reading(r);
        }
    }
}

/* n3rgy names the end of a half-hour, in UTC, and says neither. */
static void test_reads_n3rgy(void **state)
{
    reading_t *r = make_reading();
    const char *text =
        apr_pstrcat(r->pool,
                    "{\"resource\":\"/0000/electricity/consumption/1\",\"start\":\"202510250000\","
                    "\"granularity\":\"halfhour\",\"devices\":[{\"deviceId\":\"D1\",\"values\":[",
                    objects(r->pool, " {\"primaryValue\":%d,\"timestamp\":\"%s\"}",
                            utc_midnight(2025, 10, 26) - 3600, 98, 0, 1),
                    "]}],\"mpxn\":\"" MPAN "\",\"unit\":\"kWh\"}", NULL);

    (void)state;
    write_file(r, text, strlen(text));
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    check_day(r, "2025-10-26", 50);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-27", 48), "98");
    assert_non_null(strstr(r->layout->evidence, "n3rgy"));
    end_reading(r);
}

/* What is said behind the readings holds for them only where that is certain. */
static void test_units_behind_the_readings(void **state)
{
#define DEVICE(meter, value, unit)                                                                 \
    "{\"mpan\":\"" meter "\",\"values\":[{\"timestamp\":\"2026-02-01 00:00\",\"value\":" value     \
    "},{\"timestamp\":\"2026-02-01 00:30\",\"value\":" value "}]" unit "}"
    reading_t *r = read_text("{\"devices\":[" DEVICE(MPAN, "500", ",\"unit\":\"Wh\"") "," DEVICE(
        MPAN2, "700", ",\"unit\":\"Wh\"") "]}");

    (void)state;
    assert_int_equal(r->errors->nelts, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5");
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-01", 2), "0.7");
    end_reading(r);

    r = read_text("{\"devices\":[" DEVICE(MPAN, "500", ",\"unit\":\"Wh\"") "," DEVICE(
        MPAN2, "700", ",\"unit\":\"kWh\"") "]}");
    assert_int_equal(r->errors->nelts, 4);
    assert_string_equal(error_at(r, 0)->code, "late-member");
    assert_non_null(strstr(error_at(r, 0)->message, "\"unit\" is said behind the readings"));
    end_reading(r);

    /* … nor does the unit of one device hold for another */
    r = read_text(
        "{\"devices\":[" DEVICE(MPAN, "500", ",\"unit\":\"Wh\"") "," DEVICE(MPAN2, "700", "") "]}");
    assert_int_equal(r->imported, 0);
    end_reading(r);

    /* before the readings, each has its own */
    r = read_text(
        "{\"devices\":[{\"mpan\":\"" MPAN "\",\"unit\":\"Wh\",\"values\":[{\"timestamp\":"
        "\"2026-02-01 00:00\",\"value\":500}]},{\"mpan\":\"" MPAN2
        "\",\"unit\":\"kWh\",\"values\":[{\"timestamp\":\"2026-02-01 00:00\",\"value\":7}]}]}");
    assert_int_equal(r->errors->nelts, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5");
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-01", 1), "7");
    end_reading(r);
}

/* Values in an array, a member in an object of its own, objects one after the other. */
static void test_reads_other_shapes(void **state)
{
    reading_t *r = make_reading();
    const char *text = apr_pstrcat(
        r->pool, "[{\"meter\":{\"mpan\":\"" MPAN "\"},\"date\":\"2026-02-01\",\"values\":[",
        series(r->pool, "%d", 1, 48), "]}]", NULL);

    (void)state;
    write_file(r, text, strlen(text));
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    check_day(r, "2026-02-01", 48);
    end_reading(r);

    r = read_text("{\"data\":{\"mpan\":\"" MPAN
                  "\",\"edges\":[{\"node\":{\"value\":\"0.5\",\"unit\":"
                  "\"kwh\",\"startAt\":\"2025-10-26T01:00:00+00:00\",\"endAt\":"
                  "\"2025-10-26T01:30:00+00:00\"}}]}}");
    assert_int_equal(r->imported, 1);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "0.5");
    end_reading(r);

    r = read_text("{\"mpan\":\"" MPAN "\",\"timestamp\":\"2026-02-01T00:00Z\",\"kWh\":0.25}\n"
                  "{\"kWh\":1E-1,\"mpan\":\"" MPAN "\",\"timestamp\":\"2026-02-01T00:30Z\"}\n");
    assert_int_equal(r->imported, 2);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.25");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "0.1");
    end_reading(r);
}

static void test_bad_rows_are_named(void **state)
{
#define ROW(minute, value)                                                                         \
    "{\"mpan\":\"" MPAN "\",\"timestamp\":\"2026-02-01T00:" minute "Z\"," value "}"
    reading_t *r = read_text("[" ROW("00", "\"kWh\":1") ",\n" ROW("30", "\"kWh\":\"a,b\"") "]");

    (void)state;
    assert_error(r, 2, "kWh", "bad-value", "\"a,b\" is not a number");
    assert_string_equal(error_at(r, 0)->raw, MPAN ",2026-02-01T00:30Z,\"a,b\"");
    assert_int_equal(r->imported, 1);
    end_reading(r);

    r = read_text("[" ROW("00", "\"kWh\":1") ",\n" ROW("30", "\"kWh\":1,\"kWh\":2") "]");
    assert_error(r, 2, NULL, "duplicate-member", "two members \"kWh\"");
    end_reading(r);

    r = read_text("[" ROW("00", "\"kWh\":1") ",\n" ROW("30", "\"kWh\":null") "]");
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->skipped, 1);
    end_reading(r);

    /* what was read before the break is good */
    r = read_text("[" ROW("00", "\"kWh\":1") ",\n" ROW("30", "\"kWh\":2") ",\n{\"mpan\":");
    assert_error(r, 3, NULL, "bad-json",
                 "ends too early, on line 3: expected a value; nothing behind");
    assert_int_equal(r->imported, 2);
    end_reading(r);
}

static void test_refusals(void **state)
{
    (void)state;
    assert_text_refused("{\"error\":\"token has expired\"}", "not-meter-data", "no meter readings");
    assert_text_refused("[[1,2],[3,4]]", "not-meter-data", "no objects");
    assert_text_refused("[{},{}]", "not-meter-data", "no members");
    assert_text_refused("[[{", "not-meter-data", "no members");
    assert_text_refused("{\"results\":[]}", "not-meter-data", "no meter readings");
    assert_text_refused("{", "bad-json", "ends too early");
    assert_text_refused(
        "{\"electricity\":[" ROW("00", "\"kWh\":1") "],\"gas\":[" ROW("00", "\"kWh\":1") "]}",
        "not-meter-data", "in several places (electricity and gas)");
    assert_text_refused("{\"values\":{\"standingCharges\":[{\"startDate\":\"2026-02-01\","
                        "\"value\":19.5}],\"prices\":[]}}",
                        "not-meter-data", "prices (values.standingCharges), not readings");
    assert_text_refused("[{\"interval_start\":\"2026-02-01T00:00Z\",\"consumption\":1}]",
                        "no-meter-column", "names no meter");
}

static void test_too_many_members(void **state)
{
    reading_t *r = make_reading();
    const char *text =
        apr_pstrcat(r->pool, "{", series(r->pool, "\"name%d\":1", 1, 2000), "}", NULL);

    (void)state;
    write_file(r, text, strlen(text));
    read_file(r);
    assert_int_equal(r->status, ECL_EINPUT);
    assert_non_null(strstr(r->result.detail, "more than 1024 members"));
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_broken_json_is_told_with_its_line),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_size_is_limited),
        cmocka_unit_test(test_reads_days_of_a_data_collector),
        cmocka_unit_test(test_clock_changes_of_an_api),
        cmocka_unit_test(test_reads_n3rgy),
        cmocka_unit_test(test_units_behind_the_readings),
        cmocka_unit_test(test_reads_other_shapes),
        cmocka_unit_test(test_bad_rows_are_named),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_many_members),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
