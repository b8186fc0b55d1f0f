/*
 * Tables of portals of solar panels and home batteries: which of their columns are the meter's.
 */
#include "start_apr.h"
#include "tests/unit/reading.h"

/* A day of half-hours; column k has k.5 in all rows, from 1 on. */
static reading_t *read_table(const char *names, int columns, int with_meter)
{
    reading_t *r = make_reading();
    const char *text = apr_psprintf(r->pool, "%sTime,%s\n", with_meter ? "MPAN," : "", names);

    for (int i = 0; i < 48; i++) {
        text = apr_psprintf(r->pool, "%s%s01/02/2026 %02d:%02d", text, with_meter ? MPAN "," : "",
                            i / 2, i % 2 * 30);
        for (int k = 1; k <= columns; k++) {
            text = apr_psprintf(r->pool, "%s,%d.5", text, k);
        }
        text = apr_pstrcat(r->pool, text, "\n", NULL);
    }
    r->given.meter = with_meter ? NULL : MPAN;
    write_file(r, text, strlen(text));
    read_file(r);
    return r;
}

static void test_flows_of_the_meter(void **state)
{
    static const struct {
        const char *names;
        int columns;
        const char *import, *export;
        int left_out;
    } cases[] = {
        {"Solar (kWh),Grid Import (kWh),Grid Export (kWh),Battery Charge (kWh),Home (kWh)", 5,
         "2.5", "3.5", 3},
        {"Solar,Home,From Grid,To Grid,Battery", 5, "3.5", "4.5", 3},
        {"Solar (kWh),Import (kWh),Export (kWh)", 3, "2.5", "3.5", 1},
        {"gridImportKwh,gridExportKwh,solarKwh", 3, "1.5", "2.5", 1},
        {"Grid Import kWh,Grid Export kWh", 2, "1.5", "2.5", 0},
        {"Home (kWh),From Grid (kWh)", 2, "2.5", "", 1},
        {"Solar (kWh),Export (kWh)", 2, "", "2.5", 1},
        {"Solar Production (kWh),Consumption (kWh),Grid Feed-in (kWh),Purchased from grid (kWh)", 4,
         "4.5", "3.5", 2},
        {"Energy Imported (kWh),Energy Exported (kWh),Energy Produced (kWh)", 3, "1.5", "2.5", 1},
        /* power makes no rival, and is read where there is nothing else: half of it a half-hour */
        {"Solar (kWh),Grid Import (kW),Grid Import (kWh),Grid Export (kWh)", 4, "3.5", "4.5", 1},
        {"Solar (kW),Grid Import (kW),Grid Export (kW)", 3, "1.25", "1.75", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int with_meter = 0; with_meter < 2; with_meter++) {
            reading_t *r = read_table(cases[i].names, cases[i].columns, with_meter);

            if (r->status != APR_SUCCESS) {
                print_message("%s: %s\n", cases[i].names, r->result.detail);
            }
            assert_int_equal(r->status, APR_SUCCESS);
            for (int n = 1; n <= 48; n++) {
                assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", n), cases[i].import);
                assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", n), cases[i].export);
            }
            assert_int_equal(count_warnings(r, "columns-not-read"), cases[i].left_out);
            end_reading(r);
        }
    }
}

/* Parts of a flow, two of one direction, and a home's consumption are nobody's guess. */
static void test_what_is_not_certain_is_refused(void **state)
{
    static const struct {
        const char *names;
        int columns;
    } cases[] = {
        {"Solar (kWh),Battery (kWh)", 2},
        {"Grid to Home (kWh),Solar to Grid (kWh),Battery to Grid (kWh)", 3},
        {"Solar (kWh),Grid Import Day (kWh),Grid Import Night (kWh)", 3},
        {"Solar (kWh),Grid Import (kWh),From Grid (kWh)", 3},
        {"Solar (kWh),Grid Import (kWh),Grid Export (kWh),Feed-in (kWh)", 4},
    };
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int with_meter = 0; with_meter < 2; with_meter++) {
            r = read_table(cases[i].names, cases[i].columns, with_meter);
            assert_int_equal(r->status, ECL_EINPUT);
            assert_string_equal(r->result.code, "several-values");
            end_reading(r);
        }
    }
    r = read_table("Consumption (kWh),Solar (kWh)", 2, 0);
    assert_string_equal(r->result.code, "several-values");
    end_reading(r);
    r = read_table("Consumption (kWh),Solar (kWh)", 2, 1);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1.5");
    assert_int_equal(count_warnings(r, "columns-not-read"), 1);
    end_reading(r);
    /* a generation meter of its own */
    r = read_table("Solar Generation (kWh)", 1, 1);
    assert_string_equal(r->result.code, "channel-open");
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flows_of_the_meter),
        cmocka_unit_test(test_what_is_not_certain_is_refused),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
