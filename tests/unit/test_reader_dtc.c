/*
 * Data flows D0036 and D0379.
 */
#include "reading.h"
#include "start_apr.h"

#define HEADER "ZHV|0000000042|D0036001|C|AAAA|X|BBBB|20251101010203||||OPER|\n"
#define UTC_HEADER "ZHV|0000000042|D0379001|X|AAAA|C|BBBB|20251101010203||||OPER|\n"

/* A file of lines. */
typedef struct flow_t {
    apr_pool_t *p;
    const char *text;
} flow_t;

static flow_t make_flow(const char *header)
{
    flow_t flow;

    apr_pool_create(&flow.p, NULL);
    flow.text = apr_pstrdup(flow.p, header);
    return flow;
}

static void add(flow_t *flow, const char *line)
{
    flow->text = apr_pstrcat(flow->p, flow->text, line, NULL);
}

/* Records of a type with the values first, first + 1, … */
static void add_values(flow_t *flow, const char *type, char flag, int first, int count)
{
    for (int i = 0; i < count; i++) {
        flow->text = apr_psprintf(flow->p, "%s%s|%c|%d|\n", flow->text, type, flag, first + i);
    }
}

static reading_t *read_flow(flow_t *flow)
{
    reading_t *r = read_text(flow->text);

    apr_pool_destroy(flow->p);
    return r;
}

static void check_values(const reading_t *r, const char *channel, const char *date, int first,
                         int count)
{
    char value[16];

    for (int i = 0; i < count; i++) {
        apr_snprintf(value, sizeof(value), "%d", first + i);
        assert_string_equal(value_of(r, MPAN, channel, date, i + 1), value);
    }
}

static void test_a_long_identifier_is_whole(void **state)
{
#define LONG_ID "A-NAME-OF-MORE-THAN-SIXTY-FOUR-CHARACTERS-WHICH-NO-METERING-SYSTEM-HAS-AT-ALL"
    flow_t flow = make_flow(HEADER);
    reading_t *r;

    (void)state;
    add(&flow, "101|" LONG_ID "|AI|AAAA|\n102|20251025|\n");
    add_values(&flow, "103", 'A', 1, 48);
    add(&flow, "ZPT|0000000042|50||1|20251101010203|\n");
    r = read_flow(&flow);
    assert_int_equal(r->errors->nelts, 0);
    assert_string_equal(value_of(r, LONG_ID, "AI", "2025-10-25", 1), "1");
#undef LONG_ID
}

static void test_d0036_follows_settlement_periods(void **state)
{
    flow_t flow = make_flow(HEADER);
    reading_t *r;

    (void)state;
    add(&flow, "101|" MPAN "|AI|AAAA|\n102|20251025|\n");
    add_values(&flow, "103", 'A', 1, 48);
    add(&flow, "102|20251026|\n");
    add_values(&flow, "103", 'E', 101, 50);
    add(&flow, "102|20260329|\n");
    add_values(&flow, "103", 'A', 201, 46);
    add(&flow, "101|" MPAN2 "|RI|AAAA|\n102|20251025|\n");
    add_values(&flow, "103", 'A', 301, 48);
    add(&flow, "ZPT|0000000042|198||2|20251101010203|\n");
    r = read_flow(&flow);
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->imported, 4);
    assert_int_equal(r->skipped, 0);
    assert_int_equal(count_readings(r), 48 + 50 + 46 + 48);
    check_values(r, "AI", "2025-10-25", 1, 48);
    check_values(r, "AI", "2025-10-26", 101, 50);
    assert_int_equal(flag_at(r, "2025-10-26", 50), ECL_FLAG_ESTIMATED);
    check_values(r, "AI", "2026-03-29", 201, 46);
    assert_string_equal(value_of(r, MPAN2, "RI", "2025-10-25", 48), "348");
    assert_string_equal(APR_ARRAY_IDX(r->days, 3, ecl_meter_day_t).unit, "kVArh");
    assert_non_null(strstr(r->layout->evidence, "D0036"));
    end_reading(r);
}

static void test_d0379_has_utc_days(void **state)
{
    static const struct {
        const char *first, *second; /* dates in the flow */
        const char *day;            /* the settlement day that they make whole */
        int periods, from;          /* the value of its period 1 */
    } cases[] = {
        /* the long day begins at 23:00 UTC of the day before */
        {"20251025", "20251026", "2025-10-26", 50, 47},
        {"20260329", "20260330", "2026-03-29", 46, 1},
        {"20260614", "20260615", "2026-06-15", 48, 47},
        {"20260114", "20260115", "2026-01-15", 48, 49},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int is_backward = 0; is_backward < 2; is_backward++) {
            flow_t flow = make_flow(UTC_HEADER);
            reading_t *r;

            add(&flow, "25B|" MPAN "|AI|AAAA|\n26B|");
            add(&flow, is_backward ? cases[i].second : cases[i].first);
            add(&flow, "|\n");
            add_values(&flow, "66L", 'A', is_backward ? 49 : 1, 48);
            add(&flow, "26B|");
            add(&flow, is_backward ? cases[i].first : cases[i].second);
            add(&flow, "|\n");
            add_values(&flow, "66L", 'A', is_backward ? 1 : 49, 48);
            add(&flow, "ZPT|0000000042|99||1|20251101010203|\n");
            r = read_flow(&flow);
            assert_int_equal(r->errors->nelts, 0);
            assert_int_equal(r->imported, 2);
            assert_int_equal(count_readings(r), 96);
            check_values(r, "AI", cases[i].day, cases[i].from, cases[i].periods);
            assert_non_null(strstr(r->layout->evidence, "UTC day"));
            end_reading(r);
        }
    }
}

/* Which half-hour a value belongs to is told by its place alone. */
static void test_days_that_do_not_fit_are_rejected_whole(void **state)
{
    flow_t flow = make_flow(HEADER);
    reading_t *r;

    (void)state;
    add(&flow, "101|" MPAN "|AI|AAAA|\n102|20251025|\n");
    add_values(&flow, "103", 'A', 1, 47);
    add(&flow, "102|20251027|\n");
    add_values(&flow, "103", 'A', 101, 48);
    add(&flow, "ZPT|0000000042|98||1|20251101010203|\n");
    r = read_flow(&flow);
    assert_error(r, 3, NULL, "wrong-period-count",
                 "2025-10-25 has 48 half-hours, and the file has 47 values");
    assert_int_equal(r->imported, 1);
    check_values(r, "AI", "2025-10-27", 101, 48);
    end_reading(r);

    flow = make_flow(HEADER);
    add(&flow, "101|" MPAN "|AI|AAAA|\n102|20260329|\n");
    add_values(&flow, "103", 'A', 1, 48);
    add(&flow, "ZPT|0000000042|50||1|20251101010203|\n");
    r = read_flow(&flow);
    assert_error(r, 3, NULL, "wrong-period-count", "2026-03-29 has 46 half-hours");
    end_reading(r);

    flow = make_flow(UTC_HEADER);
    add(&flow, "25B|" MPAN "|AI|AAAA|\n26B|20251026|\n");
    add_values(&flow, "66L", 'A', 1, 50);
    add(&flow, "ZPT|0000000042|52||1|20251101010203|\n");
    r = read_flow(&flow);
    assert_error(r, 52, NULL, "wrong-period-count", "more than 48 values");
    end_reading(r);
}

/* A short day filled up to 48 with records C that hold nothing: wherever those stand. */
static void test_padding_is_taken_out(void **state)
{
    flow_t flow = make_flow(HEADER);
    reading_t *r;

    (void)state;
    add(&flow, "101|" MPAN "|AI|AAAA|\n102|20260329|\n");
    add_values(&flow, "103", 'A', 1, 2);
    add(&flow, "103|C|0|\n103|C|0.0|\n");
    add_values(&flow, "103", 'A', 3, 44);
    add(&flow, "102|20251025|\n");
    add_values(&flow, "103", 'A', 101, 48);
    add(&flow, "103|C|0|\n103|C||\n");
    add(&flow, "ZPT|0000000042|101||1|20251101010203|\n");
    r = read_flow(&flow);
    assert_int_equal(r->errors->nelts, 0);
    check_values(r, "AI", "2026-03-29", 1, 46);
    check_values(r, "AI", "2025-10-25", 101, 48);
    end_reading(r);
}

static void test_bad_records_are_named(void **state)
{
    static const struct {
        const char *line; /* the fourth half-hour's */
        const char *column, *code, *part;
    } cases[] = {
        {"103|A|1.2.3|\n", "HH4", "bad-value", "\"1.2.3\" is not a number"},
        {"103|A\n", "HH4", "too-few-fields", "has 2 of 3 fields"},
        {"103|A|1|2|\n", "HH4", "too-many-fields", "more than flag and value"},
        {"103|A|\x81|\n", NULL, "bad-line", "no text"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        flow_t flow = make_flow(HEADER);
        reading_t *r;

        add(&flow, "101|" MPAN "|AI|AAAA|\n102|20251025|\n");
        add_values(&flow, "103", 'A', 1, 3);
        add(&flow, cases[i].line);
        add_values(&flow, "103", 'A', 5, 44);
        add(&flow, "101|" MPAN "|AI|AAAA|\n102|20251027|\n");
        add_values(&flow, "103", 'A', 101, 48);
        add(&flow, "ZPT|0000000042|100||2|20251101010203|\n");
        r = read_flow(&flow);
        assert_error(r, 7, cases[i].column, cases[i].code, cases[i].part);
        assert_int_equal(r->imported, 1);
        end_reading(r);
    }
}

static void test_what_stands_in_no_day_is_rejected(void **state)
{
    flow_t flow = make_flow(HEADER);
    reading_t *r;

    (void)state;
    add(&flow,
        "102|20251025|\n103|A|1|\n104|what|\n103|A|1|\n101|" MPAN "||AAAA|\n102|20251025|\n");
    add_values(&flow, "103", 'A', 1, 48);
    add(&flow, "ZPT|0000000042|54||1|20251101010203|\n102|20251025|\n");
    r = read_flow(&flow);
    assert_int_equal(r->imported, 0);
    assert_int_equal(r->errors->nelts, 5);
    assert_int_equal(error_at(r, 0)->line, 2);
    assert_non_null(strstr(error_at(r, 0)->message, "no record 101 says whose day this is"));
    assert_non_null(strstr(error_at(r, 1)->message, "\"104|what|\" is no record of a D0036"));
    assert_non_null(strstr(error_at(r, 2)->message, "\"103|A|1|\" belongs to no day"));
    assert_string_equal(error_at(r, 3)->code, "bad-channel");
    assert_non_null(strstr(error_at(r, 4)->message, "behind the trailer"));
    end_reading(r);

    /* nobody knows whose days follow a record that can't be read */
    flow = make_flow(HEADER);
    add(&flow, "101|" MPAN "|AI|AAAA|\n101|\x81|AI|AAAA|\n102|20251025|\n");
    add_values(&flow, "103", 'A', 1, 48);
    add(&flow, "ZPT|0000000042|51|||20251101010203|\n");
    r = read_flow(&flow);
    assert_int_equal(r->imported, 0);
    assert_int_equal(r->errors->nelts, 2);
    assert_string_equal(error_at(r, 0)->code, "bad-line");
    assert_string_equal(error_at(r, 1)->code, "bad-meter");
    end_reading(r);
}

/* What nothing else would tell: that whole days are not there. */
static void test_trailer_is_checked(void **state)
{
    static const struct {
        const char *trailer, *part;
    } cases[] = {
        {"ZPT|0000000042|51||1|20251101010203|\n", "there are 51 records, and there are 50"},
        {"ZPT|0000000042|50||2|20251101010203|\n", "there are 2 meters, and there are 1"},
        {"ZPT|0000000042|x||1|20251101010203|\n", "there are x records, and there are 50"},
        {"ZPT|0000000043|50||1|20251101010203|\n", "trailer is that of file 0000000043"},
        {"", "ends without its trailer"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        flow_t flow = make_flow(HEADER);
        reading_t *r;

        add(&flow, "101|" MPAN "|AI|AAAA|\n102|20251025|\n");
        add_values(&flow, "103", 'A', 1, 48);
        add(&flow, cases[i].trailer);
        r = read_flow(&flow);
        assert_error(r, *cases[i].trailer ? 52 : 51, NULL, "incomplete-file", cases[i].part);
        assert_int_equal(r->imported, 1);
        check_values(r, "AI", "2025-10-25", 1, 48);
        end_reading(r);
    }
}

static void test_flows_may_follow_each_other(void **state)
{
    flow_t flow = make_flow(HEADER);
    reading_t *r;

    (void)state;
    for (int i = 0; i < 2; i++) {
        add(&flow, i ? HEADER : "");
        add(&flow, i ? "101|" MPAN2 "|AI|AAAA|\n" : "101|" MPAN "|AI|AAAA|\n");
        add(&flow, "102|20251025|\n");
        add_values(&flow, "103", 'A', 1, 48);
        add(&flow, "ZPT|0000000042|50||1|20251101010203|\n");
    }
    add(&flow, "ZHV|0000000042|D0010002|D|AAAA|X|BBBB|20251101010203||||OPER|\n");
    add(&flow, "026|" MPAN "|V|\nZPT|0000000042|7||1|20251101010203|\n");
    r = read_flow(&flow);
    assert_error(r, 105, NULL, "other-flow", "a D0010 data flow starts here");
    assert_int_equal(r->imported, 2);
    end_reading(r);
}

static void test_other_flows_are_refused_by_name(void **state)
{
    reading_t *r =
        read_text("ZHV|0000000042|D0010002|D|AAAA|X|BBBB|20251101010203||||OPER|\n026|" MPAN
                  "|V|\n028|K99|C|\n030|S|20251101000000|56311.0|||T|N|\n");

    (void)state;
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "not-meter-data");
    assert_non_null(strstr(r->result.detail, "cumulative register reads"));
    end_reading(r);

    r = read_text("ZHV|0000000042|D0275001|D|AAAA|X|BBBB|20251101010203||||OPER|\n");
    assert_int_equal(r->status, ECL_EINPUT);
    assert_non_null(strstr(r->result.detail, "\"D0275\""));
    end_reading(r);

    r = read_text(HEADER);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_error(r, 1, NULL, "incomplete-file", "ends without its trailer");
    end_reading(r);

    r = read_text(HEADER "ZPT|0000000042|0||0|20251101010203|\n");
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "no-readings");
    end_reading(r);
}

static void test_test_data_is_told(void **state)
{
    reading_t *r = read_text("ZHV|0000000042|D0036001|C|AAAA|X|BBBB|20251101010203||||TR01|\n");

    (void)state;
    assert_non_null(strstr(r->layout->evidence, "test data (TR01)"));
    end_reading(r);
}

/* What a rejected row looks like can be corrected and uploaded as CSV. */
static void test_rejected_rows_are_csv(void **state)
{
    apr_pool_t *p;
    const char *header = "MPAN,Channel,Settlement Date", *row = MPAN ",AI,20251026";
    flow_t flow = make_flow(HEADER);
    reading_t *r;

    (void)state;
    add(&flow, "101|" MPAN "|AI|AAAA|\n102|20251026|\n");
    add_values(&flow, "103", 'E', 1, 49);
    add(&flow, "103|E|x|\nZPT|0000000042|52||1|20251101010203|\n");
    r = read_flow(&flow);
    assert_int_equal(r->errors->nelts, 1);
    apr_pool_create(&p, NULL);
    for (int i = 1; i <= 50; i++) {
        header = apr_psprintf(p, "%s,HH%d,HH%d Flag", header, i, i);
        row = i < 50 ? apr_psprintf(p, "%s,%d,E", row, i) : apr_psprintf(p, "%s,x,E", row);
    }
    assert_string_equal(error_at(r, 0)->raw, row);
    end_reading(r);

    *strrchr(row, 'x') = '5';
    r = read_text(apr_pstrcat(p, header, "\n", row, "\n", NULL));
    assert_int_equal(r->imported, 1);
    check_values(r, "AI", "2025-10-26", 1, 49);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 50), "5");
    assert_int_equal(flag_at(r, "2025-10-26", 50), ECL_FLAG_ESTIMATED);
    end_reading(r);
    apr_pool_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_long_identifier_is_whole),
        cmocka_unit_test(test_d0036_follows_settlement_periods),
        cmocka_unit_test(test_d0379_has_utc_days),
        cmocka_unit_test(test_days_that_do_not_fit_are_rejected_whole),
        cmocka_unit_test(test_padding_is_taken_out),
        cmocka_unit_test(test_bad_records_are_named),
        cmocka_unit_test(test_what_stands_in_no_day_is_rejected),
        cmocka_unit_test(test_trailer_is_checked),
        cmocka_unit_test(test_flows_may_follow_each_other),
        cmocka_unit_test(test_other_flows_are_refused_by_name),
        cmocka_unit_test(test_test_data_is_told),
        cmocka_unit_test(test_rejected_rows_are_csv),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
