/*
 * JSON whose readings are no objects in arrays: arrays in arrays, arrays side by side, values whose
 * names are times, and objects whose names are numbers.
 */
#include "reading.h"
#include "start_apr.h"

#define DATE "2026-02-01"

/* The two half-hours from midnight on, which all of these files have. */
static void check_two(reading_t *r, const char *meter, const char *channel)
{
    assert_int_equal(r->status, APR_SUCCESS);
    for (int i = 0; i < r->errors->nelts; i++) {
        print_message("%s\n", error_at(r, i)->message);
    }
    assert_int_equal(r->errors->nelts, 0);
    assert_string_equal(value_of(r, meter, channel, DATE, 1), "0.25");
    assert_string_equal(value_of(r, meter, channel, DATE, 2), "1.5");
    assert_int_equal(count_readings(r), 2);
    end_reading(r);
}

static void test_arrays_in_arrays(void **state)
{
    static const struct {
        const char *text, *channel;
    } cases[] = {
        {"[[\"" DATE "T00:00:00Z\",0.25],\n[\"" DATE "T00:30:00Z\",1.5]]", "AI"},
        {"[\"" DATE "T00:00:00Z\",0.25]\n[\"" DATE "T00:30:00Z\",1.5]\n", "AI"},
        /* seconds and milliseconds since 1970, the value before the time */
        {"{\"data\":[[1769904000,0.25],[1769905800,1.5]]}", "AI"},
        {"{\"datapoints\":[[0.25,1769904000000],[1.5,1769905800000]]}", "AI"},
        {"{\"meter\":{\"readings\":[[\"01/02/2026 00:00\",\"0.25\"],"
         "[\"01/02/2026 00:30\",\"1.5\"]]}}",
         "AI"},
        {"{\"unit\":\"Wh\",\"data\":[[1769904000,250],[1769905800,1500]]}", "AI"},
        {"{\"data\":[[1769904000,250],[1769905800,1500]],\"unit\":\"Wh\"}", "AI"},
        {"{\"data\":[[1769904000,250,\"Wh\",\"A\"],[1769905800,1500,\"Wh\",\"E\"]]}", "AI"},
        /* names: in front, beside, by what they stand in */
        {"[[\"timestamp\",\"Export (Wh)\"],[\"" DATE " 00:00\",250],[\"" DATE " 00:30\",1500]]",
         "AE"},
        {"{\"results\":[{\"columns\":[\"time\",\"cost\",\"kwh\"],\"values\":[[\"" DATE
         "T00:00:00Z\",7,0.25],[\"" DATE "T00:30:00Z\",8,1.5]]}]}",
         "AI"},
        {"{\"export_kwh\":[[\"" DATE "T00:00Z\",0.25],[\"" DATE "T00:30Z\",1.5]]}", "AE"},
        {"{\"series\":[{\"name\":\"Export\",\"data\":[[1769904000000,0.25],"
         "[1769905800000,1.5]]}]}",
         "AE"},
        /* the date around the times */
        {"{\"days\":[{\"date\":\"" DATE "\",\"readings\":[[\"00:00\",0.25],[\"00:30\",1.5]]}]}",
         "AI"},
        {"{\"2026-02-01\":[{\"time\":\"00:00\",\"kWh\":0.25},{\"time\":\"00:30\",\"kWh\":1.5}]}",
         "AI"},
        /* a place on the map is no reading */
        {"[{\"timestamp\":\"" DATE
         "T00:00Z\",\"kWh\":0.25,\"at\":[[51.5,-0.1]]},{\"timestamp\":\"" DATE
         "T00:30Z\",\"kWh\":1.5,\"at\":[[51.5,-0.1]]}]",
         "AI"},
        /* values whose names are times */
        {"{\"readings\":{\"" DATE "T00:00Z\":0.25,\"" DATE "T00:30Z\":1.5}}", "AI"},
        {"{\"1769904000\":0.25,\"1769905800\":1.5}", "AI"},
        {"{\"wh\":{\"1769904000000\":250,\"1769905800000\":1500}}", "AI"},
        {"{\"" DATE " 00:00\":{\"kWh\":0.25},\"" DATE " 00:30\":{\"kWh\":1.5}}", "AI"},
        {"{\"" DATE " 00:00\":[0.25,\"A\"],\"" DATE " 00:30\":[1.5,\"A\"]}", "AI"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].text);
        check_two(read_text_given(cases[i].text, "auto", (ecl_given_t){.meter = MPAN}), MPAN,
                  cases[i].channel);
    }
}

static void test_arrays_side_by_side(void **state)
{
    static const struct {
        const char *text, *channel;
    } cases[] = {
        {"{\"timestamps\":[\"" DATE "T00:00Z\",\"" DATE "T00:30Z\"],\"values\":[0.25,1.5]}", "AI"},
        {"{\"values\":[0.25,1.5],\"timestamps\":[\"" DATE "T00:00Z\",\"" DATE "T00:30Z\"]}", "AI"},
        {"{\"mpan\":\"" MPAN "\",\"units\":\"Wh\",\"data\":{\"time\":[1769904000,1769905800],"
         "\"wh\":[250,1500],\"flags\":[\"A\",\"A\"]}}",
         "AI"},
        {"{\"x\":[\"" DATE " 00:00\",\"" DATE " 00:30\"],\"y\":[0.25,1.5],\"type\":\"bar\"}", "AI"},
        {"{\"date\":\"" DATE "\",\"times\":[\"00:00\",\"00:30\"],\"export\":[0.25,1.5]}", "AE"},
        {"{\"date\":[\"" DATE "\",\"" DATE "\"],\"time\":[\"00:00\",\"00:30\"],\"kwh\":[0.25,1.5]}",
         "AI"},
        {"{\"timestamps\":[1769904000,1769905800],\"values\":[250,1500],\"unit\":\"Wh\"}", "AI"},
        {"{\"timestamps\":[1769904000,1769905800,1769907600],\"values\":[0.25,1.5,null]}", "AI"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].text);
        check_two(read_text_given(cases[i].text, "auto", (ecl_given_t){.meter = MPAN}), MPAN,
                  cases[i].channel);
    }
}

/* Many elements, and many objects with such arrays: each has what stands around it. */
static void test_meters_of_arrays(void **state)
{
    reading_t *r = make_reading();
    const char *text = "", *values = series(r->pool, "0.%03d", 1, 960);

    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *stamps = "";

        for (int n = 0; n < 960; n++) {
            stamps = apr_psprintf(r->pool, "%s%s%d", stamps, n ? "," : "", 1769904000 + n * 1800);
        }
        text = apr_psprintf(r->pool,
                            "%s%s{\"mpan\":\"%s\",\"readings\":{\"timestamp\":[%s],\"kwh\":[%s]}}",
                            text, i ? ",\n" : "[", i ? MPAN2 : MPAN, stamps, values);
    }
    text = apr_pstrcat(r->pool, text, "]", NULL);
    write_file(r, text, strlen(text));
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(count_readings(r), 1920);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-20", 48), "0.96");
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-01", 1), "0.001");
    end_reading(r);

    /* by name */
    r = read_text("{\"meters\":{\"" MPAN "\":[[1769904000,0.25],[1769905800,1.5]],\"" MPAN2
                  "\":[[1769904000,3],[1769905800,4]]}}");
    assert_int_equal(count_readings(r), 4);
    assert_string_equal(value_of(r, MPAN, "AI", DATE, 2), "1.5");
    assert_string_equal(value_of(r, MPAN2, "AI", DATE, 1), "3");
    end_reading(r);

    /* two series of one meter are its channels, not one */
    r = read_text_given("[{\"name\":\"Import\",\"data\":[[1769904000,0.25],[1769905800,1.5]]},"
                        "{\"name\":\"Export\",\"data\":[[1769904000,3],[1769905800,4]]}]",
                        "auto", (ecl_given_t){.meter = MPAN});
    assert_string_equal(value_of(r, MPAN, "AI", DATE, 2), "1.5");
    assert_string_equal(value_of(r, MPAN, "AE", DATE, 2), "4");
    end_reading(r);
}

static void test_days_in_arrays(void **state)
{
    reading_t *r = make_reading();
    const char *day = series(r->pool, "%d", 1, 48);
    const char *texts[] = {
        apr_pstrcat(r->pool, "{\"mpan\":\"" MPAN "\",\"days\":{\"" DATE "\":[", day, "]}}", NULL),
        apr_pstrcat(r->pool, "[[\"" MPAN "\",\"01/02/2026\",", day, "]]", NULL),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_t *read = read_text(texts[i]);

        assert_int_equal(read->status, APR_SUCCESS);
        assert_int_equal(count_readings(read), 48);
        assert_string_equal(value_of(read, MPAN, "AI", DATE, 48), "48");
        end_reading(read);
    }
    end_reading(r);
}

/* What does not fit is told, and nothing is moved to where it would. */
static void test_arrays_that_do_not_fit(void **state)
{
    reading_t *r = read_text_given(
        "[{\"timestamps\":[1769904000,1769905800],\n\"values\":[0.25]},\n"
        "{\"timestamps\":[1769907600]},\n{\"timestamps\":[1769909400],\"values\":[2]}]",
        "auto", (ecl_given_t){.meter = MPAN});

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 2);
    assert_string_equal(error_at(r, 0)->code, "too-few-fields");
    assert_int_equal(error_at(r, 1)->line, 3);
    assert_int_equal(count_readings(r), 2);
    assert_string_equal(value_of(r, MPAN, "AI", DATE, 1), "0.25");
    assert_string_equal(value_of(r, MPAN, "AI", DATE, 4), "2");
    end_reading(r);

    /* broken off */
    r = read_text_given("{\"timestamps\":[1769904000,1769905800],\"values\":[0.25,", "auto",
                        (ecl_given_t){.meter = MPAN});
    assert_int_equal(r->errors->nelts, 1);
    assert_string_equal(error_at(r, 0)->code, "bad-json");
    assert_int_equal(count_readings(r), 1);
    end_reading(r);

    /* two numbers and no names */
    r = read_text_given("[[1769904000,0.25,3],[1769905800,1.5,4]]", "auto",
                        (ecl_given_t){.meter = MPAN});
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "no-header");
    end_reading(r);

    r = read_text("{\"day\":[[1769904000,1]],\"night\":[[1769904000,1]]}");
    assert_int_equal(r->status, ECL_EINPUT);
    assert_non_null(strstr(r->result.detail, "in several places (day and night)"));
    end_reading(r);

    r = read_text("{\"prices\":[[1769904000,1],[1769905800,2]]}");
    assert_int_equal(r->status, ECL_EINPUT);
    assert_non_null(strstr(r->result.detail, "holds prices"));
    end_reading(r);

    /* the unit that stands behind some and not all */
    r = read_text_given("[{\"data\":[[1769904000,250]],\"unit\":\"Wh\"},"
                        "{\"data\":[[1769905800,1.5]],\"unit\":\"kWh\"}]",
                        "auto", (ecl_given_t){.meter = MPAN});
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->imported, 0);
    assert_string_equal(error_at(r, 0)->code, "late-member");
    end_reading(r);
}

/* Objects whose names are numbers are elements as those of an array are; values are not. */
static void test_objects_called_by_numbers(void **state)
{
    static const char *const texts[] = {
        "{\"MPAN\":\"" MPAN "\",\"MC\":{\"AI\":{\"" DATE
        "\":{\"1\":{\"period\":1,\"hhc\":0.25,\"aei\":\"A\"},"
        "\"2\":{\"period\":2,\"hhc\":1.5,\"aei\":\"E\"}}}}}",
        "{\"0\":{\"MPAN\":\"" MPAN "\",\"time\":\"" DATE " 00:00\",\"kWh\":0.25},"
        "\"1\":{\"MPAN\":\"" MPAN "\",\"time\":\"" DATE " 00:30\",\"kWh\":1.5}}",
    };
    const char *text = "{";
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check_two(read_text(texts[i]), MPAN, "AI");
    }
    r = make_reading();
    for (int i = 0; i < 1500; i++) { /* more than there may be names */
        text = apr_psprintf(
            r->pool,
            "%s%s\"%d\":{\"MPAN\":\"" MPAN "\",\"time\":\"2026-%02d-%02d %02d:%02d\","
            "\"kWh\":0.5}",
            text, i ? "," : "", i, 1 + i / 48 / 28, 1 + i / 48 % 28, i % 48 / 2, i % 2 * 30);
    }
    text = apr_pstrcat(r->pool, text, "}", NULL);
    write_file(r, text, strlen(text));
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(count_readings(r), 1500);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arrays_in_arrays),
        cmocka_unit_test(test_arrays_side_by_side),
        cmocka_unit_test(test_meters_of_arrays),
        cmocka_unit_test(test_days_in_arrays),
        cmocka_unit_test(test_arrays_that_do_not_fit),
        cmocka_unit_test(test_objects_called_by_numbers),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
