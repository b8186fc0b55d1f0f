/* What must not be misread in silence: the meter above a table, ends of days, months before days.
 */
#include "pool_fixture.h"
#include "reading.h"

#include <apr_strings.h>

/* How the lines above a table name its meter. */
static void test_the_meter_above(void **state)
{
    static const struct {
        const char *lines, *meter;
    } files[] = {
        {"MPAN: " MPAN, MPAN},
        {"MPAN,,," MPAN ",", MPAN},
        {"Meter Point Administration Number: " MPAN, MPAN},
        {"Report for MPAN 10 0000 0000 012 from 13/02/2026 to 14/02/2026", MPAN},
        {"\"MPAN = " MPAN "\"", MPAN},
        {"MPRN - 7654308", "7654308"},
        {"Supply Number " MPAN, MPAN},
        {"MPAN: 1000000000013", "1000000000013"}, /* its check digit is wrong */
        {"Meter: K26A00201", "K26A00201"},
        {"Meter Serial Number,K26A00201", "K26A00201"},
        {"Meter Number: 26000201", "26000201"},
        {"MPAN: " MPAN "\nMeter Serial: K26A00201", MPAN},
        {"Meter: Main incomer\nSerial No: K26A00201", "K26A00201"},
        /* these name none, or more than one */
        {"Meter: Electricity", NULL},
        {"Meter: 13/02/2026", NULL},
        {"Printed by MPAN team 2026", NULL},
        {"Meter: K26A00201\nMeter: K26A00202", NULL},
        {"MPAN: " MPAN "\nMPAN: " MPAN2 "\nMeter: K26A00201", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        reading_t *r = read_text(
            apr_pstrcat(pool, files[i].lines,
                        "\nTimestamp,kWh\n13/02/2026 00:00,1\n13/02/2026 00:30,2\n", NULL));

        if (files[i].meter) {
            assert_string_equal(value_of(r, files[i].meter, "AI", "2026-02-13", 2), "2");
        } else {
            assert_int_equal(r->status, ECL_EINPUT);
            assert_string_equal(r->result.code, "no-meter-column");
        }
        end_reading(r);
    }
}

/* A day's total at the midnight that ends it. */
static void test_ends_of_days(void **state)
{
    reading_t *r = read_text("MPAN,Period End,kWh\n" MPAN ",14/02/2026 00:00,1\n" MPAN
                             ",15/02/2026 00:00,2\n" MPAN ",16/02/2026 00:00,3\n");

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-13", 1), "1");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-15", 1), "3");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-16", 1), "");
    end_reading(r);
    r = read_text("MPAN,End Date,kWh\n" MPAN ",14/02/2026,1\n" MPAN ",15/02/2026,2\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-14", 1), "1");
    end_reading(r);
}

/* Two half-hours of each day; 0: the end. */
static const char *days(const char *const dates[])
{
    const char *text = "MPAN,Timestamp,kWh\n";

    for (int i = 0; dates[i]; i++) {
        text = apr_psprintf(pool, "%s" MPAN ",%s 00:00,1\n" MPAN ",%s 00:30,2\n", text, dates[i],
                            dates[i]);
    }
    return text;
}

static void test_months_before_days(void **state)
{
    static const char *const mdy[] = {"03/02/2026", "03/03/2026", "03/04/2026", "03/05/2026", NULL};
    static const char *const dmy[] = {"02/03/2026", "03/03/2026", "04/03/2026", NULL};
    static const char *const mixed[] = {"02/10/2026", "02/11/2026", "02/12/2026",
                                        "13/02/2026", "14/02/2026", NULL};
    reading_t *r = read_text(days(mdy));

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-02", 2), "2");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-05", 1), "1");
    assert_int_equal(count_readings(r), 8);
    assert_non_null(strstr(r->layout->evidence, "as the dates follow each other day by day"));
    end_reading(r);
    r = read_text(days(dmy));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-02", 2), "2");
    end_reading(r);
    assert_text_refused(days(mixed), "dates-mixed", "a spreadsheet has turned some of them round");
    r = read_text_given(days(mdy), "auto", (ecl_given_t){.date_order = "dmy"});
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 2), "2");
    end_reading(r);
    /* the first of each month */
    assert_text_refused("MPAN,Date,kWh\n" MPAN ",01/01/2026,1\n" MPAN ",01/02/2026,1\n" MPAN
                        ",01/03/2026,1\n" MPAN ",01/04/2026,1\n",
                        "longer-periods", "");
}

/* "1 234,5" with a blank that does not break, and "1'234.5". */
static void test_thousands(void **state)
{
    static const struct {
        const char *text;
        const char *value;
    } numbers[] = {{"1\xc2\xa0"
                    "234,5",
                    "1234.5"},
                   {"1\xe2\x80\xaf"
                    "234\xe2\x80\xaf"
                    "567,25",
                    "1234567.25"},
                   {"1\xe2\x80\x89"
                    "234,5",
                    "1234.5"},
                   {"1'234,5", "1234.5"}};
    ecl_decimal_t value;
    char text[ECL_DECIMAL_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        assert_int_equal(ecl_decimal_parse(numbers[i].text, strlen(numbers[i].text), ',', &value),
                         ECL_DECIMAL_OK);
        ecl_decimal_print(value, text);
        assert_string_equal(text, numbers[i].value);
    }
    assert_int_equal(ecl_decimal_parse("1\xc2\xa0"
                                       "23",
                                       5, ',', &value),
                     ECL_DECIMAL_BAD);
    assert_int_equal(ecl_decimal_parse("1'2345", 6, '.', &value), ECL_DECIMAL_BAD);
    assert_int_equal(ecl_decimal_parse("0'234", 5, '.', &value), ECL_DECIMAL_BAD);
}

/* "Hours" that a day's total is of, and hours of the day. */
static void test_counts_of_hours(void **state)
{
    reading_t *r = read_text("MPAN,Date,Hours,kWh\n" MPAN ",12/02/2026,24,10\n" MPAN
                             ",13/02/2026,24,11\n" MPAN ",14/02/2026,23,12\n");

    (void)state;
    assert_int_equal(r->layout->kind, ECL_LAYOUT_DAILY);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-13", 1), "11");
    end_reading(r);
    r = read_text("MPAN,Date,Hours,kWh\n" MPAN ",12/02/2026,0,10\n" MPAN ",12/02/2026,1,11\n" MPAN
                  ",12/02/2026,2,12\n");
    assert_int_equal(r->layout->kind, ECL_LAYOUT_LONG);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-12", 3), "12");
    end_reading(r);
}

/* Values of a file, each on a line, that are the numbers behind them. */
static void test_decimal_commas(void **state)
{
    static const char *const texts[][2] = {
        {"MPAN;Date;Time;kWh\n" MPAN ";13.02.2026;00:00;0,5\n" MPAN ";13.02.2026;00:30;1.234\n" MPAN
         ";13.02.2026;01:00;1.001,25\n",
         "1234"},
        {"MPAN;Date;Time;kWh\n" MPAN ";13.02.2026;00:00;0.5\n" MPAN ";13.02.2026;00:30;1.234\n" MPAN
         ";13.02.2026;01:00;1.5\n",
         "1.234"},
        {"MPAN,Date,Time,kWh\n" MPAN ",13.02.2026,00:00,\"0,5\"\n" MPAN
         ",13.02.2026,00:30,\"1,234\"\n" MPAN ",13.02.2026,01:00,\"1,5\"\nTotal,,,3.234\n",
         "1.234"},
        {"MPAN,Date,Time,kWh\n" MPAN ",13.02.2026,00:00,\"1,000\"\n" MPAN
         ",13.02.2026,00:30,1.234\n",
         "1.234"}};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_t *r = read_text(texts[i][0]);

        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->failed, 0);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-13", 2), texts[i][1]);
        end_reading(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_meter_above),    cmocka_unit_test(test_ends_of_days),
        cmocka_unit_test(test_months_before_days), cmocka_unit_test(test_thousands),
        cmocka_unit_test(test_decimal_commas),     cmocka_unit_test(test_counts_of_hours),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
