/*
 * What a user says about a file beside what the file says.
 */
#include "reading.h"
#include "start_apr.h"

#include "lib/options.h"
#include "worker/question.h"
#include "worker/words.h"

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

/* ---- labels -----------------------------------------------------------------------------------
 */

#define STAMPS "Meter Id,Timestamp,kWh\nM 1,2026-01-05 00:00,1\nM 1,2026-01-05 00:30,2\n"

static void test_labels(void **state)
{
    reading_t *r = read_text_given(STAMPS, "auto", (ecl_given_t){.labels = "end"});

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-04", 48), "1");
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 1), "2");
    assert_non_null(strstr(r->layout->evidence, "period ends (as given)"));
    end_reading(r);

    r = read_text_given(STAMPS, "auto", (ecl_given_t){.labels = "start"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 2), "2");
    end_reading(r);
}

/* "23:30" and then "00:00" of the same date: an end, unless it was said to be a start. */
static void test_labels_of_midnight(void **state)
{
    static const char text[] = "Meter Id,Date,Time,kWh\nM 1,2026-01-05,22:30,0\n"
                               "M 1,2026-01-05,23:00,0\nM 1,2026-01-05,23:30,1\n"
                               "M 1,2026-01-05,00:00,2\n";
    reading_t *r = read_text(text);

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 48), "2");
    end_reading(r);
    r = read_text_given(text, "auto", (ecl_given_t){.labels = "end"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 48), "2");
    end_reading(r);
    r = read_text_given(text, "auto", (ecl_given_t){.labels = "start"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 1), "2");
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 48), "1");
    end_reading(r);
}

static const char *wide(apr_pool_t *p, const char *header, const char *date)
{
    return apr_pstrcat(p, "Meter Id,Date,", header, "\nM 1,", date, ",", series(p, "%d", 1, 48),
                       "\n", NULL);
}

static const char *half_hours(apr_pool_t *p, int from_minute)
{
    const char *text = "";

    for (int i = 0; i < 48; i++) {
        int minute = (from_minute + 30 * i) % 1440;

        text = apr_psprintf(p, "%s%s%02d:%02d", text, i ? "," : "", minute / 60, minute % 60);
    }
    return text;
}

static void test_labels_that_cannot_be(void **state)
{
    const ecl_given_t start = {.labels = "start"}, end = {.labels = "end"};
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    refused("Meter Id,Start,kWh\nM 1,2026-01-05 00:00,1\n", end, "labels-conflict", "Start");
    refused("Meter Id,Interval End,kWh\nM 1,2026-01-05 00:30,1\n", start, "labels-conflict",
            "Interval End");
    refused("Meter Id,Date,kWh\nM 1,2026-01-05,1\n", end, "labels-conflict", "daily totals");
    refused("Meter Id,Settlement Date,Settlement Period,kWh\nM 1,2026-01-05,1,1\n", end,
            "labels-conflict", "numbers its half-hours");
    refused(wide(p, series(p, "HH%02d", 1, 48), "2026-01-05"), end, "labels-conflict", "numbers");
    refused(wide(p, half_hours(p, 0), "2026-01-05"), end, "labels-conflict", "00:00");
    refused(wide(p, half_hours(p, 30), "2026-01-05"), start, "labels-conflict", "00:30");
    r = read_text_given(wide(p, half_hours(p, 30), "2026-01-05"), "auto", end);
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 1), "1");
    end_reading(r);
    assert_string_equal(asked("labels-conflict"), "labels");
    assert_string_equal(asked("labels-open"), "labels");
    apr_pool_destroy(p);
}

/* ---- zone -------------------------------------------------------------------------------------
 */

#define SUMMER "Meter Id,Timestamp,kWh\nM 1,2026-06-05 00:00,1\nM 1,2026-06-05 23:30,2\n"

static void test_the_zone_of_stamps(void **state)
{
    reading_t *r = read_text_given(SUMMER, "auto", (ecl_given_t){.timezone = "UTC"});

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-05", 3), "1");
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-06", 2), "2");
    assert_non_null(strstr(r->layout->evidence, "zone UTC (as given)"));
    end_reading(r);

    r = read_text_given(SUMMER, "auto", (ecl_given_t){.timezone = "Europe/Paris"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-04", 47), "1");
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-05", 46), "2");
    end_reading(r);

    r = read_text_given(SUMMER, "auto", (ecl_given_t){.timezone = "Europe/Paris", .labels = "end"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-04", 46), "1");
    end_reading(r);
}

/* The header's "(UTC)" is a word; so is the user's, and his comes later. An offset is a fact. */
static void test_the_zone_against_words_and_offsets(void **state)
{
    reading_t *r = read_text_given("Meter Id,Timestamp (UTC),kWh\nM 1,2026-06-05 00:00,1\n", "auto",
                                   (ecl_given_t){.timezone = "Europe/London"});

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-05", 1), "1");
    end_reading(r);
    r = read_text_given("Meter Id,Timestamp,kWh\nM 1,2026-06-05T00:00+01:00,1\n", "auto",
                        (ecl_given_t){.timezone = "UTC"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-05", 1), "1");
    end_reading(r);
}

static void test_the_zone_of_wide_days(void **state)
{
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    r = read_text_given(wide(p, half_hours(p, 0), "2026-06-05"), "auto",
                        (ecl_given_t){.timezone = "UTC"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-05", 3), "1");
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-06", 2), "48");
    assert_int_equal(count_readings(r), 48);
    end_reading(r);
    /* the day on which Paris has 46 half-hours, by the clock: 02:00 and 02:30 are not there */
    r = read_text_given(wide(p, half_hours(p, 0), "2026-03-29"), "auto",
                        (ecl_given_t){.timezone = "Europe/Paris"});
    assert_error(r, 2, "02:00", "no-such-period", "46 half-hours");
    end_reading(r);
    r = read_text_given(wide(p, series(p, "HH%02d", 1, 48), "2026-01-05"), "auto",
                        (ecl_given_t){.timezone = "Europe/Paris"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-04", 48), "2");
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 46), "48");
    end_reading(r);
    apr_pool_destroy(p);
}

static void test_the_zone_of_settlement_periods(void **state)
{
    reading_t *r = read_text_given("Meter Id,Settlement Date,Settlement Period,kWh\n"
                                   "M 1,2026-06-05,1,1\n",
                                   "auto", (ecl_given_t){.timezone = "UTC"});

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-05", 3), "1");
    end_reading(r);
}

static void test_zones_that_cannot_be(void **state)
{
    (void)state;
    refused("Meter Id,Date,kWh\nM 1,2026-01-05,1\n", (ecl_given_t){.timezone = "UTC"},
            "timezone-conflict", "daily totals");
    refused(SUMMER, (ecl_given_t){.timezone = "America/New_York"}, "timezone-conflict",
            "01:00 UTC");
    refused(SUMMER, (ecl_given_t){.timezone = "Nowhere"}, "timezone-conflict", "not known");
    refused("#F2\n#O " MPAN "\n#S 1\n05/01/2026,00:30,0.77,A\n",
            (ecl_given_t){.timezone = "Europe/London"}, "timezone-conflict", "are UTC");
    assert_string_equal(asked("timezone-conflict"), "timezone");
}

/* ---- unit -------------------------------------------------------------------------------------
 */

#define WHOLE "Timestamp,Meter Id,Value\n2026-01-05 00:00,M 1,30\n2026-01-05 00:30,M 1,1151\n"

static void test_a_unit_that_must_be_asked_for(void **state)
{
    reading_t *r;

    (void)state;
    refused(WHOLE, (ecl_given_t){NULL}, "unit-open", "does not state the unit");
    assert_string_equal(asked("unit-open"), "unit");
    r = read_text_given(WHOLE, "auto", (ecl_given_t){.unit = "Wh"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 2), "1.151");
    assert_non_null(strstr(r->layout->evidence, "unit Wh (as given)"));
    end_reading(r);
    r = read_text_given(WHOLE, "auto", (ecl_given_t){.unit = "MWh"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 1), "30000");
    end_reading(r);
    /* most of them beyond 2 MW, fractions or not; a day has 48 times as much */
    refused("Timestamp,Meter Id,Value\n2026-01-05 00:00,M 1,1000.5\n", (ecl_given_t){NULL},
            "unit-open", "");
    refused("Date,Meter Id,Value\n2026-01-05,M 1,4801\n", (ecl_given_t){NULL}, "unit-open", "");
}

/* What is offered is what the option takes, and all of it is known to the reader. */
static void test_units_that_are_offered(void **state)
{
    const char *const *units = ecl_option_table[ECL_OPTION_UNIT].choices;
    json_object *question = ecl_question_of("unit-open"), *choices;
    size_t count = 0;

    (void)state;
    assert_true(json_object_object_get_ex(question, "choices", &choices));
    for (; units[count]; count++) {
        assert_string_equal(json_object_get_string(json_object_array_get_idx(choices, count)),
                            units[count]);
        assert_string_equal(ecl_unit_name(ecl_unit_of(units[count], strlen(units[count]))),
                            units[count]);
    }
    assert_int_equal(json_object_array_length(choices), count);
    json_object_put(question);
}

static void test_power_and_volume(void **state)
{
    static const char text[] = "Timestamp,Meter Id,Value\n2026-01-05 00:00,M 1,30\n";
    reading_t *r = read_text_given(text, "auto", (ecl_given_t){.unit = "kW"});

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 1), "15");
    end_reading(r);
    r = read_text_given(text, "auto", (ecl_given_t){.unit = "m3"});
    assert_string_equal(value_of(r, "M 1", "VOL", "2026-01-05", 1), "30");
    end_reading(r);
    refused("Timestamp,Meter Id,Value (m3)\n2026-01-05 00:00,M 1,1\n", (ecl_given_t){.unit = "kWh"},
            "unit-conflict", "m3");
}

static void test_units_that_need_no_question(void **state)
{
    static const char *const texts[] = {
        "Timestamp,Meter Id,Value\n2026-01-05 00:00,M 1,30\n2026-01-05 00:30,M 1,100\n",
        "Timestamp,Meter Id,Value\n2026-01-05 00:00,M 1,30.5\n2026-01-05 00:30,M 1,1151\n"
        "2026-01-05 01:00,M 1,2\n",
        "Timestamp,Meter Id,kWh\n2026-01-05 00:00,M 1,1151\n",
        "Timestamp,Meter Id,Unit,Value\n2026-01-05 00:00,M 1,kWh,1151\n",
        "Timestamp,Meter Id,Unit,Value\n2026-01-05 00:00,M 1,m3,1151\n",
        "Timestamp,Meter Id,Unit,Value\n2026-01-05 00:00,M 1,kW,1151\n",
        "Timestamp,Meter Id,Unit,Value\n2026-01-05 00:00,M 1,kVArh,1151\n",
        "Timestamp,MPAN,Value\n2026-01-05 00:00," MPAN ",1151\n",
        "Date,Meter Id,Value\n2026-01-05,M 1,4800\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_t *r = read_text(texts[i]);

        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->failed, 0);
        end_reading(r);
    }
}

static void test_units_that_are_stated(void **state)
{
    reading_t *r;

    (void)state;
    refused("Timestamp,Meter Id,kWh\n2026-01-05 00:00,M 1,1\n", (ecl_given_t){.unit = "Wh"},
            "unit-conflict", "in kWh");
    refused("Timestamp,Meter Id,Unit,Value\n2026-01-05 00:00,M 1,kWh,1\n",
            (ecl_given_t){.unit = "Wh"}, "unit-conflict", "line 2");
    assert_string_equal(asked("unit-conflict"), "unit");
    r = read_text_given("Timestamp,Meter Id,Unit,Value\n2026-01-05 00:00,M 1,,1\n"
                        "2026-01-05 00:30,M 1,Wh,2\n",
                        "auto", (ecl_given_t){.unit = "Wh"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 1), "0.001");
    end_reading(r);
}

static void test_the_unit_of_reactive_energy(void **state)
{
    static const char channels[] = "Timestamp,Meter Id,Channel,Value\n2026-01-05 00:00,M 1,AI,1\n"
                                   "2026-01-05 00:00,M 1,RI,2\n";
    reading_t *r = read_text_given(channels, "auto", (ecl_given_t){.unit = "kWh"});

    (void)state;
    assert_string_equal(value_of(r, "M 1", "RI", "2026-01-05", 1), "2");
    end_reading(r);
    r = read_text_given(channels, "auto", (ecl_given_t){.unit = "Wh"});
    assert_error(r, 3, NULL, "bad-unit", "\"Wh\" is not one of a reactive channel");
    end_reading(r);
    refused(STAMPS, (ecl_given_t){.unit = "kVArh"}, "unit-conflict", "");
    r = read_text_given("Timestamp,Meter Id,Value\n2026-01-05 00:00,M 1,1\n", "auto",
                        (ecl_given_t){.unit = "kVArh"});
    assert_string_equal(value_of(r, "M 1", "RI", "2026-01-05", 1), "1"); /* as under a header */
    end_reading(r);
    r = read_text_given("Timestamp,Meter Id,Value\n2026-01-05 00:00,M 1,1\n", "auto",
                        (ecl_given_t){.unit = "kVArh", .channel = "RE"});
    assert_string_equal(value_of(r, "M 1", "RE", "2026-01-05", 1), "1");
    end_reading(r);
}

/* ---- channel ----------------------------------------------------------------------------------
 */

static void test_the_channel(void **state)
{
    const ecl_given_t export = {.channel = "AE"};
    reading_t *r = read_text_given(STAMPS, "auto", export);

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AE", "2026-01-05", 1), "1");
    assert_non_null(strstr(r->layout->evidence, "channel AE (as given)"));
    end_reading(r);
    /* "kWh" in a column of types says what it is, not which way it went */
    r = read_text_given("Timestamp,Meter Id,Data Type,Value\n2026-01-05 00:00,M 1,kWh,1\n"
                        "2026-01-05 00:00,M 1,kVArh,2\n",
                        "auto", export);
    assert_string_equal(value_of(r, "M 1", "AE", "2026-01-05", 1), "1");
    assert_string_equal(value_of(r, "M 1", "RI", "2026-01-05", 1), "2");
    end_reading(r);
    refused("Timestamp,Meter Id,Channel,Value\n2026-01-05 00:00,M 1,AI,1\n", export,
            "channel-conflict", "Channel");
    refused("Timestamp,Meter Id,Active Import (kWh)\n2026-01-05 00:00,M 1,1\n", export,
            "channel-conflict", "AI");
    assert_string_equal(asked("channel-conflict"), "channel");
}

/* ---- dates ------------------------------------------------------------------------------------
 */

static void test_the_order_of_dates(void **state)
{
    static const char text[] = "Meter Id,Date,kWh\nM 1,05/06/2026,1\n";
    reading_t *r = read_text_given(text, "auto", (ecl_given_t){.date_order = "mdy"});

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AI", "2026-05-06", 1), "1");
    assert_non_null(strstr(r->layout->evidence, "month before day: as given"));
    end_reading(r);
    /* what is given goes before what other rows show: those are wrong then */
    r = read_text_given("Meter Id,Date,kWh\nM 1,05/06/2026,1\nM 1,05/13/2026,2\n", "auto",
                        (ecl_given_t){.date_order = "dmy"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-06-05", 1), "1");
    assert_error(r, 3, "Date", "no-such-date", "05/13/2026");
    end_reading(r);
    r = read_text_given("Meter Id,Date,kWh\nM 1,26/01/05,1\nM 1,2026-01-06,2\nM 1,01/02/2026,3\n",
                        "auto", (ecl_given_t){.date_order = "ymd"});
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-05", 1), "1");
    assert_string_equal(value_of(r, "M 1", "AI", "2026-01-06", 1), "2");
    assert_error(r, 4, "Date", "no-such-date", "01/02/2026");
    end_reading(r);
}

static void test_two_digit_years(void **state)
{
    static const char alone[] = "Meter Id,Date,kWh\nM 1,23-09-01,1\n";
    reading_t *r = read_text("Meter Id,Date,kWh\nM 1,23-09-01,1\nM 1,23-09-02,2\n");

    (void)state;
    assert_string_equal(value_of(r, "M 1", "AI", "2023-09-02", 1), "2");
    assert_non_null(strstr(r->layout->evidence, "year first, the dates then follow"));
    end_reading(r);
    r = read_text("Meter Id,Date,kWh\nM 1,09-08-23,1\nM 1,08-08-23,2\n");
    assert_string_equal(value_of(r, "M 1", "AI", "2023-08-08", 1), "2");
    assert_non_null(strstr(r->layout->evidence, "day first, the dates then follow"));
    end_reading(r);
    refused(alone, (ecl_given_t){NULL}, "date-order-open", "line 2");
    assert_string_equal(asked("date-order-open"), "date_order");
    r = read_text_given(alone, "auto", (ecl_given_t){.date_order = "ymd"});
    assert_string_equal(value_of(r, "M 1", "AI", "2023-09-01", 1), "1");
    end_reading(r);
    r = read_text_given(alone, "auto", (ecl_given_t){.date_order = "dmy"});
    assert_string_equal(value_of(r, "M 1", "AI", "2001-09-23", 1), "1");
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
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_labels_of_midnight),
        cmocka_unit_test(test_labels_that_cannot_be),
        cmocka_unit_test(test_the_zone_of_stamps),
        cmocka_unit_test(test_the_zone_against_words_and_offsets),
        cmocka_unit_test(test_the_zone_of_wide_days),
        cmocka_unit_test(test_the_zone_of_settlement_periods),
        cmocka_unit_test(test_zones_that_cannot_be),
        cmocka_unit_test(test_a_unit_that_must_be_asked_for),
        cmocka_unit_test(test_units_that_are_offered),
        cmocka_unit_test(test_power_and_volume),
        cmocka_unit_test(test_units_that_need_no_question),
        cmocka_unit_test(test_units_that_are_stated),
        cmocka_unit_test(test_the_unit_of_reactive_energy),
        cmocka_unit_test(test_the_channel),
        cmocka_unit_test(test_the_order_of_dates),
        cmocka_unit_test(test_two_digit_years),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
