/* Files as offices put them together: several in one, saved by a spreadsheet, a sheet per meter. */
#include "pool_fixture.h"
#include "reading.h"
#include "workbook.h"

#include <apr_strings.h>

#define MPRN_A "1234567406"

/* The header again among the rows says nothing of the cells: m3 is still what the meter counts. */
static void test_the_header_again(void **state)
{
    static const char header[] = "MPRN,Date,Time,Meter Units,Meter Start Read,Consumption,KWH\n";
    const char *text = "";

    (void)state;
    for (int day = 1; day < 3; day++) {
        text = apr_pstrcat(pool, text, header, NULL);
        for (int i = 0; i < 48; i++) {
            text = apr_psprintf(pool, "%s" MPRN_A ",%02d/06/2026,%02d:%02d,m3,%d,0.1,1.%02d\n",
                                text, day, i / 2, i % 2 * 30, 41000 + i, i);
        }
    }
    for (int i = 0; i < 2; i++) {
        reading_t *r = read_text(text);

        assert_int_equal(r->failed, 0);
        assert_int_equal(count_readings(r), 96);
        assert_string_equal(value_of(r, MPRN_A, "AI", "2026-06-02", 3), "1.02");
        assert_int_equal(count_warnings(r, "gas-volume"), 0);
        end_reading(r);
    }
}

/* Nor does it keep MPRNs from being seen in a column that is called something else. */
static void test_the_header_again_above_mprns(void **state)
{
    const char *header =
        apr_pstrcat(pool, "Site Id,Meter Number,Date,", series(pool, "HH%d", 1, 48), "\n", NULL);
    reading_t *r;

    (void)state;
    r = read_text(apr_pstrcat(pool, header, "S-1,", MPRN_A, ",01/06/2026,",
                              series(pool, "%d.5", 1, 48), "\n", header, "S-1,7654308,01/06/2026,",
                              series(pool, "%d.5", 1, 48), "\n", NULL));
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_readings(r), 96);
    assert_string_equal(value_of(r, "7654308", "AI", "2026-06-01", 1), "1.5");
    end_reading(r);
}

/* MPANs that a spreadsheet has damaged are refused, and not replaced by what stands beside them. */
static void test_damaged_mpans(void **state)
{
    static const char *const tables[][2] = {{"Site Id,Meter Number,Date,", "2.20010E+12,K26A00201"},
                                            {"MPAN,Meter Name,Date,", "Spring Lane,2.20010E+12"},
                                            {"Meter Name,MSN,Date,", "2.20010E+12,E12A34567"}};

    (void)state;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        reading_t *r = read_text(apr_pstrcat(pool, tables[i][0], series(pool, "HH%d", 1, 48), "\n",
                                             tables[i][1], ",01/06/2026,",
                                             series(pool, "%d.5", 1, 48), "\n", NULL));

        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->days->nelts, 0);
        assert_string_equal(error_at(r, 0)->code, "meter-damaged");
        end_reading(r);
    }
}

/* Beside MPANs that are whole, another number in short is of no account. */
static void test_another_number_in_short(void **state)
{
    reading_t *r = read_text(
        apr_pstrcat(pool, "Site Id,Meter Number,Date,", series(pool, "HH%d", 1, 48),
                    "\n2.20010E+12," MPAN ",01/06/2026,", series(pool, "%d.5", 1, 48),
                    "\n1.5E+6," MPAN2 ",01/06/2026,", series(pool, "%d.5", 1, 48), "\n", NULL));

    (void)state;
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-06-01", 2), "2.5");
    end_reading(r);
}

/* The day of the readings, and the day on which a register was read. */
static void test_the_date_of_the_readings(void **state)
{
    static const char *const others[] = {"Consumption Profile Date", "Settlement Date",
                                         "Consumption Date"};

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        reading_t *r = read_text(apr_pstrcat(
            pool, "MPAN,Read Date,Reading,", others[i], ",", series(pool, "HH%d", 1, 48),
            "\n" MPAN ",02/06/2026,40123,01/06/2026,", series(pool, "%d.5", 1, 48), "\n", NULL));

        assert_int_equal(r->failed, 0);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 1), "1.5");
        end_reading(r);
    }
}

/* A column of AI and RI is that of the channel, whatever it is called. */
static void test_channels_by_content(void **state)
{
    const char *text = "MPAN,Date,Period,HHC,AEI,Qty\n";
    reading_t *r;

    (void)state;
    for (int i = 1; i <= 48; i++) {
        text = apr_psprintf(
            pool, "%s" MPAN ",2026-06-01,%d,%d.5,A,AI\n" MPAN ",2026-06-01,%d,%d.25,E,RI\n", text,
            i, i, i, i);
    }
    r = read_text(text);
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 7), "7.5");
    assert_string_equal(value_of(r, MPAN, "RI", "2026-06-01", 7), "7.25");
    end_reading(r);
}

/* What a home and its car take is one meter's reading in two parts, and no two meters'. */
static void test_parts_of_a_home(void **state)
{
    static const char row[] = "2026-06-01T00:00:00Z,2026-06-01T00:30:00Z,0.5,24.5,1.75,7\n"
                              "2026-06-01T00:30:00Z,2026-06-01T01:00:00Z,0.25,24.5,1.5,7\n";

    (void)state;
    assert_text_refused(apr_pstrcat(pool,
                                    "Start,End,Home Consumption (kWh),Home Unit Rate (p),"
                                    "EV Consumption (kWh),EV Unit Rate (p)\n",
                                    row, NULL),
                        "several-values", "Home Consumption (kWh)");
}

/* A time in UTC beside the local one is the same again; it is the one that counts. */
static void test_times_in_two_zones(void **state)
{
    static const char *const names[] = {"Local Time,UTC Time", "UTC Time,Local Time",
                                        "Timestamp (Local),Timestamp (UTC)"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        const char *text = apr_pstrcat(pool, "MPAN,", names[i], ",kWh\n", NULL);
        reading_t *r;

        for (int k = 0; k < 52; k++) { /* from 23:00 of 25 October 2025 in UTC on */
            int utc = 23 * 60 + k * 30, local = utc + (k < 4 ? 60 : 0);
            const char *of_utc = apr_psprintf(pool, "%d/10/2025 %02d:%02d", 25 + utc / 1440,
                                              utc % 1440 / 60, utc % 60);
            const char *of_clock = apr_psprintf(pool, "%d/10/2025 %02d:%02d", 25 + local / 1440,
                                                local % 1440 / 60, local % 60);

            text = apr_psprintf(pool, "%s" MPAN ",%s,%s,%d.5\n", text, i == 1 ? of_utc : of_clock,
                                i == 1 ? of_clock : of_utc, k + 1);
        }
        r = read_text(text);
        assert_int_equal(r->failed, 0);
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 1), "1.5");
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "5.5");
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 50), "50.5");
        assert_string_equal(value_of(r, MPAN, "AI", "2025-10-27", 2), "52.5");
        end_reading(r);
    }
}

/* Settlement periods beside stamps: of starts they are the same; of ends, and in another zone, the
 * stamp's date is not that of the last period, and the stamp counts. */
static void test_periods_beside_stamps(void **state)
{
    static const char *const names[] = {"Start", "Read Date and End Time", "Read Date Time UTC"};

    (void)state;
    for (int i = 0; i < 3; i++) {
        const char *text = apr_pstrcat(pool, "PUPRN,", names[i], ",HH,kWh Consumed\n", NULL);
        reading_t *r;

        for (int k = 0; k < 96; k++) { /* two local days of June */
            int minute = 2 * 1440 + k * 30 + (i > 0 ? 30 : 0) - (i == 2 ? 60 : 0);

            text = apr_psprintf(pool, "%sH26A00201,2026-06-%02d %02d:%02d:00,%d,%d.5\n", text,
                                minute / 1440, minute % 1440 / 60, minute % 60, k % 48 + 1, k + 1);
        }
        r = read_text(text);
        assert_int_equal(r->failed, 0);
        assert_string_equal(value_of(r, "H26A00201", "AI", "2026-06-02", 1), "1.5");
        assert_string_equal(value_of(r, "H26A00201", "AI", "2026-06-02", 48), "48.5");
        assert_string_equal(value_of(r, "H26A00201", "AI", "2026-06-03", 48), "96.5");
        end_reading(r);
    }
}

/* Names of a quantity are no meters' names, though they are short. */
static void test_short_names_of_quantities(void **state)
{
    (void)state;
    assert_text_refused("Read Date Time UTC,Elec_act_imp_hh_Wh\n2026-06-01 00:00:00,250\n"
                        "2026-06-01 00:30:00,500\n",
                        "no-meter-column", "names no meter");
}

/* Import and export, or units, under a name that nobody knows: never all of them import in kWh. */
static void test_marks_by_content(void **state)
{
    static const struct {
        const char *first, *second, *channel;
    } cases[] = {{"Import", "Export", "AE"},
                 {"Active Import", "Reactive Export", "RE"},
                 {"kWh", "kVArh", "RI"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = read_text(
            apr_pstrcat(pool, "MPAN,Stream,Date,", series(pool, "HH%d", 1, 48), "\n" MPAN ",",
                        cases[i].first, ",01/06/2026,", series(pool, "%d.5", 1, 48), "\n" MPAN2 ",",
                        cases[i].second, ",01/06/2026,", series(pool, "%d.25", 1, 48), "\n", NULL));

        assert_int_equal(r->failed, 0);
        assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 7), "7.5");
        assert_string_equal(value_of(r, MPAN2, cases[i].channel, "2026-06-01", 7), "7.25");
        assert_int_equal(count_readings(r), 96);
        end_reading(r);
    }
}

/* A register's reads of each day, of several registers. */
static void test_registers_of_days(void **state)
{
    const char *text = "MPRN,Meter Serial Number,Read Value,Read Type,Read Date and End Time\n";

    (void)state;
    for (int day = 1; day < 9; day++) {
        text = apr_psprintf(pool,
                            "%s10300000002,30000001,%d.5,24 Hr Active Import Register (kWh),"
                            "%02d-06-2026 00:00\n10300000002,30000001,%d.5,"
                            "24 Hr Active Export Register (kWh),%02d-06-2026 00:00\n",
                            text, 4000 + 9 * day, day, 700 + day, day);
    }
    assert_text_refused(text, "cumulative-totals",
                        "column Read Type says that these are a register's");
}

/* Days of one meter, on a sheet. */
static const char *sheet_of_days(const char *above, int base)
{
    const char *rows = above ? row_of(pool, 1, above) : "";

    rows = apr_pstrcat(pool, rows,
                       row_of(pool, 2, apr_pstrcat(pool, "Date|", bars(pool, "HH%d", 1, 48), NULL)),
                       NULL);
    for (int day = 0; day < 3; day++) {
        rows = apr_pstrcat(pool, rows,
                           row_of(pool, 3 + day,
                                  apr_psprintf(pool, "@%d|%s", 46174 + day,
                                               bars(pool, base ? "%d.75" : "%d.5", 1, 48))),
                           NULL);
    }
    return rows;
}

static reading_t *read_sheets(const workbook_t *book, const char *meter)
{
    reading_t *r = make_reading();

    r->given.meter = meter;
    write_workbook(r, book);
    read_file(r);
    return r;
}

/* A sheet per meter, called by it; a line above the table goes before. */
static void test_sheets_called_by_meters(void **state)
{
    workbook_t book = {.sheets = {{.name = MPAN}, {.name = "MPRN " MPRN_A}, {.name = "Notes"}}};
    reading_t *r;

    (void)state;
    book.sheets[0].rows = sheet_of_days(NULL, 0);
    book.sheets[1].rows = sheet_of_days(NULL, 1);
    book.sheets[2].rows = row_of(pool, 1, "Made in June");
    r = read_sheets(&book, NULL);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-06-01", 2), "2.5");
    assert_string_equal(value_of(r, MPRN_A, "AI", "2026-06-01", 2), "2.75");
    assert_non_null(strstr(r->layout->evidence, "meter " MPAN " (by the sheet's name)"));
    end_reading(r);
    book.sheets[1].rows = sheet_of_days("Meter|" MPAN2, 1);
    r = read_sheets(&book, NULL);
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-06-01", 2), "2.75");
    end_reading(r);
}

/* A meter that is given is not that of sheets that are called by another one. */
static void test_sheets_called_by_other_meters(void **state)
{
    workbook_t book = {.sheets = {{.name = MPAN}}};
    reading_t *r;

    (void)state;
    book.sheets[0].rows = sheet_of_days(NULL, 0);
    r = read_sheets(&book, MPAN2);
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "meter-conflict");
    end_reading(r);
    r = read_sheets(&book, MPAN);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(count_readings(r), 144);
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_header_again),
        cmocka_unit_test(test_the_header_again_above_mprns),
        cmocka_unit_test(test_damaged_mpans),
        cmocka_unit_test(test_another_number_in_short),
        cmocka_unit_test(test_the_date_of_the_readings),
        cmocka_unit_test(test_channels_by_content),
        cmocka_unit_test(test_parts_of_a_home),
        cmocka_unit_test(test_times_in_two_zones),
        cmocka_unit_test(test_periods_beside_stamps),
        cmocka_unit_test(test_short_names_of_quantities),
        cmocka_unit_test(test_marks_by_content),
        cmocka_unit_test(test_registers_of_days),
        cmocka_unit_test(test_sheets_called_by_meters),
        cmocka_unit_test(test_sheets_called_by_other_meters),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
