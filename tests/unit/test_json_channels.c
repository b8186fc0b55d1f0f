/*
 * JSON whose readings stand in members that are called as channels are: "import", "export".
 */
#include "cases.h"

#define ROWS(a, b)                                                                                 \
    "[{\"timestamp\":\"2026-02-01T00:00Z\",\"value\":" a "},"                                      \
    "{\"timestamp\":\"2026-02-01T00:30Z\",\"value\":" b "}]"

static void assert_both(const char *text)
{
    reading_t *r = read_text(text);

    if (r->status != APR_SUCCESS || r->failed || count_readings(r) != 4 ||
        strcmp(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.25") != 0 ||
        strcmp(value_of(r, MPAN, "AI", "2026-02-01", 2), "0.5") != 0 ||
        strcmp(value_of(r, MPAN, "AE", "2026-02-01", 1), "1.25") != 0 ||
        strcmp(value_of(r, MPAN, "AE", "2026-02-01", 2), "1.5") != 0) {
        fail_msg("%s", text);
    }
    end_reading(r);
}

static void test_members_beside_each_other(void **state)
{
    static const char *const names[][2] = {
        {"import", "export"},         {"AI", "AE"},
        {"consumption", "export"},    {"importReadings", "exportReadings"},
        {"import_kwh", "export_kwh"}, {"activeImport", "activeExport"},
    };
    static const char *const rows[][2] = {
        {ROWS("0.25", "0.5"), ROWS("1.25", "1.5")},
        {"{\"count\":2,\"readings\":" ROWS("0.25", "0.5") "}",
         "{\"count\":2,\"readings\":" ROWS("1.25", "1.5") "}"},
        {"{\"unit\":\"kWh\",\"data\":" ROWS("0.25", "0.5") "}",
         "{\"unit\":\"Wh\",\"data\":" ROWS("1250", "1500") "}"},
        {"[[\"2026-02-01T00:00Z\",0.25],[\"2026-02-01T00:30Z\",0.5]]",
         "[[\"2026-02-01T00:00Z\",1.25],[\"2026-02-01T00:30Z\",1.5]]"},
        {"{\"2026-02-01T00:00Z\":0.25,\"2026-02-01T00:30Z\":0.5}",
         "{\"2026-02-01T00:00Z\":1.25,\"2026-02-01T00:30Z\":1.5}"},
        {"{\"times\":[\"2026-02-01T00:00Z\",\"2026-02-01T00:30Z\"],\"values\":[0.25,0.5]}",
         "{\"times\":[\"2026-02-01T00:00Z\",\"2026-02-01T00:30Z\"],\"values\":[1.25,1.5]}"},
    };

    (void)state;
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const char *import = JOIN("\"", names[n][0], "\":", rows[i][0]);
            const char *export = JOIN("\"", names[n][1], "\":", rows[i][1]);

            assert_both(JOIN("{\"mpan\":\"" MPAN "\",", import, ",", export, "}"));
            assert_both(JOIN("{", export, ",", import, ",\"mpan\":\"" MPAN "\"}"));
            assert_both(JOIN("{\"meters\":[{\"mpan\":\"" MPAN "\",", import,
                             "},{\"mpan\":\"" MPAN "\",", export, "}]}"));
            assert_both(JOIN("{\"" MPAN "\":{", import, ",", export, "},\"", MPAN2, "\":{}}"));
        }
    }
}

/* A channel above several meters, and each with its own. */
static void test_meters_below_channels(void **state)
{
    reading_t *r = read_text("{\"import\":{\"" MPAN "\":" ROWS("1", "2") ",\"" MPAN2 "\":" ROWS(
        "3", "4") "},\"export\":{\"" MPAN2 "\":" ROWS("5", "6") "}}");

    (void)state;
    assert_int_equal(count_readings(r), 6);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "2");
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-01", 2), "4");
    assert_string_equal(value_of(r, MPAN2, "AE", "2026-02-01", 2), "6");
    end_reading(r);
}

/* Export alone is no import, whatever its readings are called. */
static void test_one_member(void **state)
{
    static const char *const texts[] = {
        "{\"mpan\":\"" MPAN "\",\"export\":" ROWS("1", "2") "}",
        "{\"mpan\":\"" MPAN "\",\"export\":{\"consumption\":" ROWS("1", "2") "}}",
        "{\"mpan\":\"" MPAN "\",\"data\":[{\"type\":\"AE\",\"readings\":" ROWS("1", "2") "}]}",
    };
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        r = read_text(texts[i]);
        assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 2), "2");
        assert_int_equal(count_readings(r), 2);
        end_reading(r);
    }
    r = read_text("{\"mpan\":\"" MPAN "\",\"generation\":" ROWS("1", "2") "}");
    assert_refused(r, "channel-open", "generated");
    end_reading(r);
    /* beside consumption it is passed over */
    r = read_text("{\"mpan\":\"" MPAN
                  "\",\"consumption\":" ROWS("1", "2") ",\"generation\":" ROWS("3", "4") "}");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "2");
    assert_int_equal(count_readings(r), 2);
    assert_int_equal(r->skipped, 2);
    assert_int_equal(count_warnings(r, "channel-skipped"), 2);
    end_reading(r);
}

/* What is not the same twice, but for its channel, stays several places. */
static void test_is_not_joined(void **state)
{
    static const char *const texts[] = {
        "{\"mpan\":\"" MPAN "\",\"import\":[{\"timestamp\":\"2026-02-01T00:00Z\",\"import_kwh\":1}]"
        ",\"export\":[{\"timestamp\":\"2026-02-01T00:00Z\",\"export_kwh\":1}]}",
        "{\"mpan\":\"" MPAN "\",\"electricity\":" ROWS("1", "2") ",\"gas\":" ROWS("3", "4") "}",
        "{\"mpan\":\"" MPAN "\",\"import\":" ROWS("1", "2") ",\"imported\":" ROWS("3", "4") "}",
        "{\"mpan\":\"" MPAN "\",\"import\":" ROWS("1", "2") ",\"heat\":" ROWS("3", "4") "}",
        "{\"mpan\":\"" MPAN
        "\",\"import\":" ROWS("1", "2") ",\"x\":{\"export\":" ROWS("3", "4") "}}",
        "{\"mpan\":\"" MPAN "\",\"import\":" ROWS(
            "1", "2") ",\"export\":[{\"timestamp\":\"2026-02-01T00:00Z\",\"kwh\":1}]}",
        "{\"mpan\":\"" MPAN
        "\",\"import_kwh\":" ROWS("1", "2") ",\"export_kvarh\":" ROWS("3", "4") "}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_t *r = read_text(texts[i]);

        assert_refused(r, "not-meter-data", "in several places");
        end_reading(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_beside_each_other),
        cmocka_unit_test(test_meters_below_channels),
        cmocka_unit_test(test_one_member),
        cmocka_unit_test(test_is_not_joined),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
