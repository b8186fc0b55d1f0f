/* What the names of columns say: units and what is none, other languages, rivals, durations. */
#include "pool_fixture.h"
#include "reading.h"

#include <apr_strings.h>

#include "worker/words.h"

static ecl_unit_t unit_in(const char *name)
{
    return ecl_unit_in_header(name, strlen(name));
}

static void test_units_in_names(void **state)
{
    static const struct {
        const char *name;
        ecl_unit_t unit;
    } names[] = {
        {"Energy (kWh)", ECL_UNIT_KWH},
        {"Energy [kWh]", ECL_UNIT_KWH},
        {"Load [kW]", ECL_UNIT_KW},
        {"Verbrauch in kWh", ECL_UNIT_KWH},
        {"Valeur (en kW)", ECL_UNIT_KW},
        {"Energy (in Wh)", ECL_UNIT_WH},
        {"energy_wh", ECL_UNIT_WH},
        {"Active energy Wh (A)", ECL_UNIT_WH},
        {"Active energy (Wh) (A)", ECL_UNIT_WH},
        {"Import kVArh", ECL_UNIT_KVARH},
        {"Energy (A)", ECL_UNIT_NONE},
        {"Block (W) kWh", ECL_UNIT_KWH},
        {"Hopper kWh", ECL_UNIT_KWH},
        {"Growth", ECL_UNIT_NONE},
        {"Value (W)", ECL_UNIT_OTHER},
        {"Demand (MW)", ECL_UNIT_OTHER},
        {"Consumption (GWh)", ECL_UNIT_OTHER},
        {"Carbon (kgCO2e)", ECL_UNIT_OTHER},
        {"Outside (\xc2\xb0"
         "C)",
         ECL_UNIT_OTHER},
        {"Price p/kWh", ECL_UNIT_OTHER},
        {"Unit rate (p/kWh)", ECL_UNIT_OTHER},
        {"Intensity (gCO2/kWh)", ECL_UNIT_OTHER},
        {"rate_p_kwh", ECL_UNIT_OTHER},
        {"Price per kWh", ECL_UNIT_OTHER},
        {"pricePerKwh", ECL_UNIT_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (unit_in(names[i].name) != names[i].unit) {
            fail_msg("%s: %d", names[i].name, unit_in(names[i].name));
        }
    }
}

/* Four half-hours below a header; %s are date, time and the time of the end. */
static const char *rows(const char *header, const char *fmt)
{
    static const char *const cells[][2] = {
        {"00:00", "00:30"}, {"00:30", "01:00"}, {"01:00", "01:30"}, {"01:30", "02:00"}};
    const char *text = header;

    for (int i = 0; i < 4; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text =
            apr_pstrcat(pool, text, apr_psprintf(pool, fmt, cells[i][0], cells[i][1], i + 1), NULL);
#pragma GCC diagnostic pop
    }
    return text;
}

static void assert_four(const char *text, const char *second)
{
    reading_t *r = read_text_given(text, "auto", (ecl_given_t){.meter = MPAN});

    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_readings(r), 4);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-13", 2), second);
    end_reading(r);
}

static void test_other_languages(void **state)
{
    (void)state;
    assert_four(rows("Datum von;Datum bis;Energiemenge in kWh;Ersatzwert\n",
                     "13.02.2026 %s;13.02.2026 %s;%d,5;\n"),
                "2.5");
    assert_four(rows("Datum von;Datum bis;Energiemenge in kWh;Ersatzwert\n",
                     "13.02.2026 %s;13.02.2026 %s;%d,5;NULL\n"),
                "2.5");
    assert_four(rows("Datum;Zeit von;Zeit bis;Verbrauch [kWh]\n", "13.02.2026;%s:00;%s:00;%d,5\n"),
                "2.5");
    assert_four(rows("D\xc3\xa9"
                     "but;Fin;Valeur (en kW)\n",
                     "13/02/2026 %s:00;13/02/2026 %s:00;%d,5\n"),
                "1.25");
    assert_four(rows("Date,Heure d\xc3\xa9"
                     "but,Heure fin,Consommation (kWh)\n",
                     "2026-02-13,%s,%s,\"%d,5\"\n"),
                "2.5");
}

static void assert_refused(const char *text, const char *code)
{
    ecl_given_t given = {.meter = strstr(text, "MPRN") ? NULL : MPAN};
    reading_t *r = read_text_given(text, "auto", given);

    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, code);
    end_reading(r);
}

/* What is no energy is not taken for it, though its name is one of a value or ends in kWh. */
static void test_other_quantities(void **state)
{
    (void)state;
    assert_refused(rows("Start,End,Value (W)\n", "2026-02-13 %s,2026-02-13 %s,%d\n"), "bad-unit");
    assert_refused(rows("Start,End,Consumption (GWh)\n", "2026-02-13 %s,2026-02-13 %s,%d\n"),
                   "bad-unit");
    assert_refused(rows("Start,End,value_inc_vat p/kWh\n", "2026-02-13 %s,2026-02-13 %s,%d\n"),
                   "no-value-column");
    assert_four(rows("Start,End,Price p/kWh,Usage kWh\n", "2026-02-13 %s,2026-02-13 %s,24.5,%d\n"),
                "2");
    assert_four(rows("Start,End,consumption,rate_p_kwh\n", "2026-02-13 %s,2026-02-13 %s,%d,25\n"),
                "2");
}

static void test_a_price_is_no_meter(void **state)
{
    reading_t *r = read_text(
        rows("Timestamp,Boiler kWh,Lift kWh,Price p/kWh\n", "2026-02-13 %s,%.0s%d,0.5,24.5\n"));

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->layout->meter_count, 2);
    assert_int_equal(count_readings(r), 8);
    assert_string_equal(value_of(r, "Lift", "AI", "2026-02-13", 4), "0.5");
    assert_int_equal(count_warnings(r, "columns-not-read"), 1);
    end_reading(r);
}

/* All names of a meter point's number, and none that only begins like one. */
static void test_meter_points(void **state)
{
    static const char *const names[] = {"MPAN",
                                        "Core MPAN",
                                        "MPAN No.",
                                        "MPAN/MPRN",
                                        "Gas MPR",
                                        "Meter Point Reference Number",
                                        "Meter Point Administration Number (MPAN)",
                                        "Electricity Supply Point Ref",
                                        "metering_point_id"};
    static const char *const others[] = {"MPAN Status", "Meter Point Type", "Point", "Supply",
                                         "Gas",         "Meter Reading"};
    int rank, is_utc;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ecl_header_role(names[i], strlen(names[i]), &rank, &is_utc) != ECL_ROLE_METER) {
            fail_msg("%s", names[i]);
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (ecl_header_role(others[i], strlen(others[i]), &rank, &is_utc) == ECL_ROLE_METER) {
            fail_msg("%s", others[i]);
        }
    }
}

/* Energy and reactive energy, each both ways, with units that stand in no brackets. */
static void test_four_channels_of_a_row(void **state)
{
    reading_t *r = read_text("MPAN,Time,Import kWh,Export kWh,Import kVArh,Export kVArh,kVA\n" MPAN
                             ",2026-02-13 00:00,1,2,3,4,9\n" MPAN ",2026-02-13 00:30,1,2,3,4,9\n");
    static const char *const channels[] = {"AI", "AE", "RI", "RE"};

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(value_of(r, MPAN, channels[i], "2026-02-13", 2),
                            apr_psprintf(pool, "%d", i + 1));
    }
    end_reading(r);
}

static void test_codes_of_channels(void **state)
{
    static const struct {
        const char *code, *channel;
    } codes[] = {{"A+", "AI"},
                 {"-a", "AE"},
                 {"R+", "RI"},
                 {"R-", "RE"},
                 {"1-0:1.8.0", "AI"},
                 {"1-1:2.29.0", "AE"},
                 {"1-0:3.8.0*255", "RI"},
                 {"1-0:4.8.0.255", "RE"},
                 {"2.8.0", "AE"},
                 {"1-0:9.8.0", ""},
                 {"1-0:1.8.1", NULL},
                 {"7-0:3.8.0", NULL},
                 {"1-0:1.7.0", NULL},
                 {"1.8.2026", NULL},
                 {"1-0:1.8.0 x", NULL},
                 {"A*", NULL},
                 {"I", NULL},
                 {"E", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        const char *code = codes[i].code, *channel = ecl_channel_of(code, strlen(code));

        if (!channel != !codes[i].channel || (channel && strcmp(channel, codes[i].channel))) {
            fail_msg("%s: %s", code, channel ? channel : "none");
        }
        assert_true(!channel || !*channel || ecl_channel_has_direction(code, strlen(code)));
    }
}

/* I and E: import and export where the column is one of channels, whatever E means elsewhere. */
static void test_letters_of_channels(void **state)
{
    reading_t *r =
        read_text("MPAN,Date,Period,Import/Export,Flag,kWh\n" MPAN ",2026-02-13,1,I,E,0.5\n" MPAN
                  ",2026-02-13,1,E,A,0.25\n" MPAN ",2026-02-13,2,X,A,0.25\n");

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-13", 1), "0.5");
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-13", 1), "0.25");
    assert_error(r, 4, "Import/Export", "bad-channel", "\"X\" names no channel");
    end_reading(r);
}

/* None of several columns is picked in silence. */
static void test_rivals(void **state)
{
    reading_t *r;

    (void)state;
    assert_refused(rows("Time,Usage,Units,Usage,Units\n", "2026-02-13 %s,%.0s%d.5,kWh,2,kWh\n"),
                   "several-values");
    assert_refused(rows("Time,Import T1 kWh,Import T2 kWh\n", "2026-02-13 %s,%.0s%d,2\n"),
                   "several-values");
    assert_refused(
        rows("Time,Active energy Wh (A),Returned energy Wh (A)\n", "2026-02-13 %s,%.0s%d.5,2\n"),
        "several-values");
    assert_refused(
        rows("Time,Electricity consumption,Gas consumption\n", "2026-02-13 %s,%.0s%d.5,2\n"),
        "several-values");
    assert_refused(
        rows("Time,Electricity usage (kWh),Gas usage (kWh)\n", "2026-02-13 %s,%.0s%d.5,2\n"),
        "several-values");
    r = read_text(
        rows("MPAN,Time,Energy (kWh),Boiler house (kWh)\n", MPAN ",2026-02-13 %s,%.0s%d.5,2\n"));
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-13", 2), "2.5");
    assert_int_equal(count_warnings(r, "columns-not-read"), 1);
    end_reading(r);
}

/* "Interval" may be a time, a number, or how long it is. */
static void test_intervals(void **state)
{
    const char *text;

    (void)state;
    assert_four(rows("Timestamp,Interval,kWh\n", "13/02/2026 %s,30min%.0s,%d\n"), "2");
    assert_four(rows("Timestamp,Interval,kWh\n", "13/02/2026 %s,30%.0s,%d\n"), "2");
    assert_four(rows("Date,Start Time,Interval,kWh\n", "13/02/2026,%s,30%.0s,%d\n"), "2");
    assert_four(rows("Date,Interval,kWh\n", "13/02/2026,%s-%s,%d\n"), "2");
    text = "Date,Interval,kWh\n";
    for (int i = 1; i <= 48; i++) {
        text = apr_psprintf(pool, "%s13/02/2026,%d,%d.5\n", text, i, i % 7);
    }
    reading_t *r = read_text_given(text, "auto", (ecl_given_t){.meter = MPAN});
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_readings(r), 48);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-13", 48), "6.5");
    end_reading(r);
}

/* A day of half-hours whose columns are named by fmt (with the label), and whose values are 2. */
static const char *day_of(const char *above, const char *fmt)
{
    const char *text = apr_pstrcat(pool, above, "MPRN,Date", NULL);

    for (int i = 0; i < 48; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text = apr_pstrcat(
            pool, text, ",",
            apr_psprintf(pool, fmt, apr_psprintf(pool, "%02d:%02d", i / 2, i % 2 * 30)), NULL);
#pragma GCC diagnostic pop
    }
    text = apr_pstrcat(pool, text, "\n1234567406,13/02/2026", NULL);
    for (int i = 0; i < 48; i++) {
        text = apr_pstrcat(pool, text, ",2", NULL);
    }
    return apr_pstrcat(pool, text, "\n", NULL);
}

static const char *first_of(const char *text, const char *channel)
{
    reading_t *r = read_text(text);
    const char *value;

    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    value = apr_pstrdup(pool, value_of(r, "1234567406", channel, "2026-02-13", 1));
    end_reading(r);
    return value;
}

static void test_units_of_half_hours(void **state)
{
    static const char *const none[] = {"%s (W)",    "Cost %s", "\xc2\xa3 %s", "kVA %s",  "%s (p)",
                                       "Volume %s", "kVAh_%s", "Temp %s",     "%s (GWh)"};

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_refused(day_of("", none[i]), "bad-unit");
    }
    assert_string_equal(first_of(day_of("", "%s"), "AI"), "2");
    assert_string_equal(first_of(day_of("", "kW %s"), "AI"), "1");
    assert_string_equal(first_of(day_of("", "%s (kW)"), "AI"), "1");
    assert_string_equal(first_of(day_of("", "Wh %s"), "AI"), "0.002");
    assert_string_equal(first_of(day_of("", "%s (m3)"), "VOL"), "2");
    assert_string_equal(first_of(day_of("", "m3_%s"), "VOL"), "2");
    assert_string_equal(first_of(day_of("", "m\xc2\xb3 %s"), "VOL"), "2");
    assert_string_equal(first_of(day_of("", "%s kVArh"), "RI"), "2");
}

/* Costs beside half-hours, before or behind them. */
static void test_costs_beside_half_hours(void **state)
{
    static const char *const names[][2] = {{"Cost", "kWh"}, {"kWh", "Cost"}};

    (void)state;
    for (int order = 0; order < 2; order++) {
        const char *text = "MPAN,Date", *row = MPAN ",13/02/2026";
        reading_t *r;

        for (int n = 0; n < 2; n++) {
            for (int i = 0; i < 48; i++) {
                text =
                    apr_psprintf(pool, "%s,%s %02d:%02d", text, names[order][n], i / 2, i % 2 * 30);
                row = apr_psprintf(pool, "%s,%d", row, names[order][n][0] == 'k' ? 2 : 50);
            }
        }
        r = read_text(apr_pstrcat(pool, text, "\n", row, "\n", NULL));
        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(count_readings(r), 48);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-13", 48), "2");
        assert_int_equal(count_warnings(r, "columns-not-read"), 1);
        end_reading(r);
    }
}

static void test_units_above(void **state)
{
    reading_t *r;

    (void)state;
    assert_string_equal(first_of(day_of("Units,MWh\n", "%s"), "AI"), "2000");
    assert_string_equal(first_of(day_of("Unit: m3\n", "%s"), "VOL"), "2");
    assert_string_equal(first_of(day_of("Unit,kW\n\n", "%s"), "AI"), "1");
    assert_string_equal(first_of(day_of("Unit,MWh\n", "kWh %s"), "AI"), "2");
    assert_string_equal(first_of(day_of("Half Hourly Energy (kWh)\n", "%s"), "AI"), "2");
    assert_string_equal(first_of(day_of("Maximum Demand (kW),45\n", "%s"), "AI"), "2");
    assert_string_equal(first_of(day_of("Half Hourly Demand (kW)\n", "kWh %s"), "AI"), "2");
    assert_string_equal(first_of(day_of("Energy consumption in Wh\n", "%s"), "AI"), "0.002");
    assert_string_equal(first_of(day_of("All values in kW.\n", "%s"), "AI"), "1");
    assert_string_equal(first_of(day_of("Units: MWh\n", "%s"), "AI"), "2000");
    assert_string_equal(first_of(day_of("Units MWh\n", "%s"), "AI"), "2000");
    assert_string_equal(first_of(day_of("Readings in Wh for Site in Hull\n", "%s"), "AI"), "0.002");
    assert_string_equal(first_of(day_of("All values in Wh\n", "kWh %s"), "AI"), "2");
    assert_refused(day_of("Half Hourly Demand in kW\n", "%s"), "unit-open");
    assert_refused(day_of("Half Hourly Demand (kW)\n", "%s"), "unit-open");
    assert_refused(day_of("Reactive Energy (kVArh)\n", "%s"), "unit-open");
    r = read_text_given(day_of("Half Hourly Demand (kW)\n", "%s"), "auto",
                        (ecl_given_t){.unit = "kWh"});
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, "1234567406", "AI", "2026-02-13", 1), "2");
    end_reading(r);
    r = read_text(day_of("Units,MWh\n", "%s"));
    assert_non_null(strstr(r->layout->evidence, "unit MWh (as said above the table)"));
    assert_non_null(strstr(r->layout->added[r->layout->added_count - 1][1], "unit=MWh"));
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units_in_names),
        cmocka_unit_test(test_other_languages),
        cmocka_unit_test(test_other_quantities),
        cmocka_unit_test(test_a_price_is_no_meter),
        cmocka_unit_test(test_meter_points),
        cmocka_unit_test(test_four_channels_of_a_row),
        cmocka_unit_test(test_codes_of_channels),
        cmocka_unit_test(test_letters_of_channels),
        cmocka_unit_test(test_rivals),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_units_of_half_hours),
        cmocka_unit_test(test_costs_beside_half_hours),
        cmocka_unit_test(test_units_above),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
