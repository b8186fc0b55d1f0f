/*
 * What speaks of energy that is generated, or exported, is never taken for import without a word.
 */
#include "cases.h"

static const char *day_of(const char *header, const char *before)
{
    return JOIN(header, "\n", before, times_48("0.5"), "\n");
}

/* Each is asked about, and is what is answered. */
static void test_is_asked_about(void **state)
{
    const char *numbered = series(pool, "PV_%d", 1, 48);
    const char *const texts[] = {
        "MPAN,Timestamp,Generation (kWh)\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,Generation\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,kWh Generated\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Date,Time,PV\n" MPAN ",2026-02-01,00:00,0.5\n",
        "MPAN,Timestamp,Solar Export kWh\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,Net export (kWh)\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,Net (kWh)\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,netKwh\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,NET KWH\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,CHP (kWh)\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,Generator (kWh)\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Timestamp,Wind (kWh)\n" MPAN ",2026-02-01 00:00,0.5\n",
        "MPAN,Type,Timestamp,kWh\n" MPAN ",Net,2026-02-01 00:00,0.5\n",
        "[{\"mpan\":\"" MPAN "\",\"timestamp\":\"2026-02-01 00:00\",\"net\":0.5}]",
        "MPAN,Type,Timestamp,kWh\n" MPAN ",Generation,2026-02-01 00:00,0.5\n",
        "Channel: Generation\nMPAN,Timestamp,kWh\n" MPAN ",2026-02-01 00:00,0.5\n",
        day_of(JOIN("MPAN,Date,", numbered), MPAN ",2026-02-01,"),
        day_of(JOIN("MPAN,Channel,Date,", series(pool, "HH%02d", 1, 48)),
               MPAN ",Solar PV,2026-02-01,"),
        "{\"mpan\":\"" MPAN "\",\"generation\":[[\"2026-02-01 00:00\",0.5]]}",
        "{\"mpan\":\"" MPAN "\",\"name\":\"Generation kWh\",\"data\":[[\"2026-02-01 00:00\",0.5]]}",
        "[{\"mpan\":\"" MPAN "\",\"timestamp\":\"2026-02-01 00:00\",\"generation\":0.5}]",
    };
    static const char *const channels[] = {"AE", "AI"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_t *r = read_text(texts[i]);

        if (r->status != ECL_EINPUT || strcmp(r->result.code, "channel-open") != 0) {
            fail_msg("%s", texts[i]);
        }
        end_reading(r);
        for (size_t c = 0; c < 2; c++) {
            r = read_text_given(texts[i], "auto", (ecl_given_t){.channel = channels[c]});
            if (strcmp(value_of(r, MPAN, channels[c], "2026-02-01", 1), "0.5") != 0) {
                fail_msg("%s as %s", texts[i], channels[c]);
            }
            end_reading(r);
        }
    }
}

/* Daily totals too; export is what it says. */
static void test_export_is_known(void **state)
{
    static const char *const names[] = {"Export",
                                        "Exported",
                                        "Export (kWh)",
                                        "Feed-in (kWh)",
                                        "Active export energy",
                                        "Energy exported (kWh)"};
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        r = read_text(JOIN("MPAN,Date,", names[i], "\n" MPAN ",2026-02-01,5\n"));
        assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 1), "5");
        end_reading(r);
    }
    r = read_text("MPAN,Date,Solar yield (kWh)\n" MPAN ",2026-02-01,5\n");
    assert_refused(r, "channel-open", "Solar yield (kWh)");
    end_reading(r);
}

/* Net energy may be below zero, import may not; and words that only begin so are no net. */
static void test_net_energy(void **state)
{
    const char *net = "MPAN,Timestamp,Net (kWh)\n" MPAN ",2026-02-01 00:00,0.5\n" MPAN
                      ",2026-02-01 00:30,-0.25\n";
    reading_t *r = read_text_given(net, "auto", (ecl_given_t){.channel = "AI"});

    (void)state;
    assert_int_equal(count_readings(r), 1);
    assert_int_equal(r->failed, 1);
    end_reading(r);
    r = read_text_given(net, "auto", (ecl_given_t){.channel = "AE"});
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 2), "-0.25");
    end_reading(r);
    r = read_text("MPAN,Timestamp,Import (kWh),Net (kWh),CHP (kWh)\n" MPAN
                  ",2026-02-01 00:00,0.5,0.25,0.125\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5");
    assert_int_equal(count_readings(r), 1);
    assert_int_equal(r->layout->note_count, 2);
    end_reading(r);
    r = read_text("MPAN,Timestamp,Network (kWh)\n" MPAN ",2026-02-01 00:00,0.5\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5");
    end_reading(r);
}

/* Beside rows of import those of generation are passed over, and told. */
static void test_beside_import(void **state)
{
    reading_t *r =
        read_text("MPAN,Channel,Timestamp,kWh\n" MPAN ",Import,2026-02-01 00:00,0.5\n" MPAN
                  ",Generation,2026-02-01 00:00,7\n");

    (void)state;
    assert_int_equal(count_readings(r), 1);
    assert_int_equal(r->skipped, 1);
    assert_int_equal(count_warnings(r, "channel-skipped"), 1);
    end_reading(r);
}

/* A title, or a meter's name, may mean something else. */
static void test_what_is_only_told(void **state)
{
    reading_t *r = read_text(
        JOIN("Solar generation report\n\n",
             day_of(JOIN("MPAN,Date,", series(pool, "HH%02d", 1, 48)), MPAN ",2026-02-01,")));

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5");
    assert_int_equal(r->layout->note_count, 1);
    assert_string_equal(r->layout->notes[0].code, "channel-assumed");
    end_reading(r);

    r = read_text("Timestamp,Roof PV (kWh),Boiler House (kWh)\n2026-02-01 00:00,0.5,1\n"
                  "2026-02-01 00:30,0.5,1\n");
    assert_string_equal(value_of(r, "Roof PV", "AI", "2026-02-01", 1), "0.5");
    assert_int_equal(r->layout->note_count, 1);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_asked_about),    cmocka_unit_test(test_export_is_known),
        cmocka_unit_test(test_net_energy),        cmocka_unit_test(test_beside_import),
        cmocka_unit_test(test_what_is_only_told),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
