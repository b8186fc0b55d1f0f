/* Cases 1 to 11: which meter it is. */
#include "cases.h"

#include "worker/checks.h"

#include "workbook.h"

static void test_case_01_a_spreadsheet_lost_the_digits(void **state)
{
    static const char *const lost[] = {"2.20001E+12", "1.01E+12", "1E+12", "2.2E12"};

    (void)state;
    for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++) {
        reading_t *r = read_hh(lost[i], "2026-02-01", "0.5");

        assert_error(r, 2, "MPAN", "meter-damaged", lost[i]);
        assert_int_equal(count_readings(r), 0);
        end_reading(r);
    }
}

static void test_case_02_a_number_that_holds_all_digits(void **state)
{
    workbook_t book = {.sheets = {{.name = "Data"}}};
    reading_t *r = read_hh("1.000000000012E12", "2026-02-01", "0.5");

    (void)state;
    assert_day(r, MPAN, "2026-02-01", "0.5");
    end_reading(r);
    r = make_reading();
    book.sheets[0].rows =
        JOIN(row_of(pool, 1, JOIN("MPAN|Date|", bars(pool, "HH%02d", 1, 48))),
             row_of(pool, 2, JOIN("1.000000000012E12|@46054|", bars(pool, "%d.5", 1, 48))));
    write_workbook(r, &book);
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 48), "48.5");
    end_reading(r);
}

static void hear(void *baton, const char *code, apr_int64_t count, const char *example)
{
    const char **told = baton;

    *told = JOIN(*told, code, " ", apr_ltoa(pool, (long)count), ": ", example, "\n");
}

static void test_case_03_many_that_end_in_six_zeros(void **state)
{
    ecl_checks_t *checks = ecl_checks_make(pool);
    const char *told = "";
    reading_t *r = read_text(JOIN(HH_HEADER, hh_row("1200010000000", "2026-02-01", "0.5"),
                                  hh_row("1300020000000", "2026-02-01", "0.5"),
                                  hh_row("1400030000000", "2026-02-01", "0.5"),
                                  hh_row(MPAN2, "2026-02-01", "0.5")));

    (void)state;
    assert_int_equal(r->errors->nelts, 0);
    for (int i = 0; i < r->days->nelts; i++) {
        ecl_checks_day(checks, &APR_ARRAY_IDX(r->days, i, ecl_meter_day_t));
    }
    ecl_checks_tell(checks, hear, &told);
    assert_non_null(strstr(told, "resaved-identifiers"));
    end_reading(r);
}

static void test_case_04_what_stands_around_the_digits(void **state)
{
    static const char *const spelt[] = {"'" MPAN, "\"=\"\"" MPAN "\"\"\"", "10 0000 0000 012",
                                        MPAN "  ",
                                        "10\xc2\xa0"
                                        "00000000012"};

    (void)state;
    for (size_t i = 0; i < sizeof(spelt) / sizeof(spelt[0]); i++) {
        reading_t *r = read_hh(spelt[i], "2026-02-01", "0.5");

        assert_day(r, MPAN, "2026-02-01", "0.5");
        end_reading(r);
    }
}

static void test_case_05_the_core_of_a_full_number(void **state)
{
    static const char *const full[] = {"00 801 100 " MPAN, "00801100" MPAN, "069238I5" MPAN};

    (void)state;
    for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++) {
        reading_t *r = read_hh(full[i], "2026-02-01", "0.5");

        assert_day(r, MPAN, "2026-02-01", "0.5");
        end_reading(r);
    }
}

static void test_case_06_a_full_number_through_a_spreadsheet(void **state)
{
    reading_t *r = read_hh("8.01100101303261E+18", "2026-02-01", "0.5");

    (void)state;
    assert_error(r, 2, "MPAN", "meter-damaged", "8.01100101303261E+18");
    end_reading(r);
}

static void test_case_07_a_wrong_check_digit_is_a_warning(void **state)
{
    reading_t *r = read_hh("1234567890123", "2026-02-01", "0.5");

    (void)state;
    assert_day(r, "1234567890123", "2026-02-01", "0.5");
    assert_int_equal(count_warnings(r, "check-digit"), 1);
    end_reading(r);
}

static void test_case_08_serial_numbers_and_names(void **state)
{
    static const char *const names[] = {"Z26BG10101", "10545308", "HSE000101", "METER001"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        reading_t *r = read_hh(names[i], "2026-02-01", "0.5");

        assert_day(r, names[i], "2026-02-01", "0.5");
        end_reading(r);
    }
}

static void test_case_09_lost_zeros(void **state)
{
    /* of an MPAN none is lost: 12 digits are none. MPRNs are compared without theirs. */
    reading_t *r = read_text(JOIN(HH_HEADER, hh_row("100000000001", "2026-02-01", "0.5"),
                                  hh_row("0007654308", "2026-02-01", "0.5"),
                                  hh_row("7654308", "2026-02-02", "0.5")));

    (void)state;
    assert_day(r, "100000000001", "2026-02-01", "0.5");
    assert_int_equal(count_warnings(r, "identifier-length"), 1);
    assert_day(r, "7654308", "2026-02-01", "0.5");
    assert_day(r, "7654308", "2026-02-02", "0.5");
    end_reading(r);
}

static void test_case_10_fourteen_digits(void **state)
{
    reading_t *r = read_hh("10000000000123", "2026-02-01", "0.5");

    (void)state;
    assert_day(r, "10000000000123", "2026-02-01", "0.5");
    assert_int_equal(count_warnings(r, "identifier-length"), 1);
    assert_non_null(strstr(APR_ARRAY_IDX(r->warnings, 0, told_t).message, "14 digits"));
    end_reading(r);
}

static void test_case_11_no_meter_in_the_file(void **state)
{
    static const char file[] =
        "Consumption (kWh), Start, End\n0.1, 2026-02-01T00:00:00Z, 2026-02-01T00:30:00Z\n";
    reading_t *r = read_text(file);

    (void)state;
    assert_refused(r, "no-meter-column", "names no meter");
    end_reading(r);
    r = make_reading();
    r->given.meter = MPAN;
    write_file(r, file, strlen(file));
    read_file(r);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.1");
    end_reading(r);
}

/* One reference for all rows, and several sites: the sites are told apart. A number of the row is
 * no meter. */
static void test_the_name_that_tells_meters_apart(void **state)
{
    static const struct {
        const char *header, *first, *second, *meters[2];
    } cases[] = {
        {"URN,Site", "100123,Depot", "100123,Mill", {"Depot", "Mill"}},
        {"Site,Site Ref", "Depot,R1", "Mill,R1", {"Depot", "Mill"}},
        {"Site Ref,ID", "R1,1", "R1,2", {"R1", "R1"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = read_text(apr_psprintf(
            pool, "%s,Timestamp,kWh\n%s,2026-02-01 00:00,1.5\n%s,2026-02-01 00:30,2.5\n",
            cases[i].header, cases[i].first, cases[i].second));

        assert_int_equal(r->failed, 0);
        assert_string_equal(value_of(r, cases[i].meters[0], "AI", "2026-02-01", 1), "1.5");
        assert_string_equal(value_of(r, cases[i].meters[1], "AI", "2026-02-01", 2), "2.5");
        end_reading(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_01_a_spreadsheet_lost_the_digits),
        cmocka_unit_test(test_case_02_a_number_that_holds_all_digits),
        cmocka_unit_test(test_case_03_many_that_end_in_six_zeros),
        cmocka_unit_test(test_case_04_what_stands_around_the_digits),
        cmocka_unit_test(test_case_05_the_core_of_a_full_number),
        cmocka_unit_test(test_case_06_a_full_number_through_a_spreadsheet),
        cmocka_unit_test(test_case_07_a_wrong_check_digit_is_a_warning),
        cmocka_unit_test(test_case_08_serial_numbers_and_names),
        cmocka_unit_test(test_the_name_that_tells_meters_apart),
        cmocka_unit_test(test_case_09_lost_zeros),
        cmocka_unit_test(test_case_10_fourteen_digits),
        cmocka_unit_test(test_case_11_no_meter_in_the_file),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
