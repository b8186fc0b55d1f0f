/* Meter identifiers: one meter has one stored form, and damaged ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "worker/meter.h"

#define NBSP "\xC2\xA0"

typedef struct case_t {
    const char *text;
    ecl_meter_status_t status;
    const char *kind;
    const char *identifier;
} case_t;

static void check(const case_t *cases, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        char identifier[ECL_METER_MAX] = "";
        ecl_meter_kind_t kind = ECL_METER_OTHER;
        ecl_meter_status_t status =
            ecl_meter_parse(cases[i].text, strlen(cases[i].text), identifier, &kind);

        if (status != cases[i].status) {
            fail_msg("'%s': status %d, expected %d", cases[i].text, (int)status,
                     (int)cases[i].status);
        }
        if (cases[i].identifier && (strcmp(identifier, cases[i].identifier) ||
                                    strcmp(ecl_meter_kind_name(kind), cases[i].kind))) {
            fail_msg("'%s': %s '%s', expected %s '%s'", cases[i].text, ecl_meter_kind_name(kind),
                     identifier, cases[i].kind, cases[i].identifier);
        }
    }
}
#define CHECK(cases) check(cases, sizeof cases / sizeof *cases)

static void mpans(void **state)
{
    static const case_t cases[] = {
        {"2000000012340", ECL_METER_OK, "mpan", "2000000012340"},
        {"1010000056786", ECL_METER_OK, "mpan", "1010000056786"},
        {"1700000000060", ECL_METER_OK, "mpan", "1700000000060"}, /* mod 11 = 10 */
        {"2200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        /* the ways to write one meter */
        {"'2200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        {"MPAN 2200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        {"mpan: 22 0000 0456 713", ECL_METER_OK, "mpan", "2200000456713"},
        {"MPRN 1234567406", ECL_METER_OK, "mprn", "1234567406"},
        {"MPAN 2200000456713 sub 1", ECL_METER_OK, "other", "MPAN 2200000456713 sub 1"},
        {"MPAN", ECL_METER_OK, "other", "MPAN"},
        {"MPR-", ECL_METER_OK, "other", "MPR-"},
        {"'2200000456713'", ECL_METER_OK, "mpan", "2200000456713"},
        {"\"2200000456713\"", ECL_METER_OK, "mpan", "2200000456713"},
        {"=\"2200000456713\"", ECL_METER_OK, "mpan", "2200000456713"},
        {"=2200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        {"22 0000 0456 713", ECL_METER_OK, "mpan", "2200000456713"},
        {"2200000456713 ", ECL_METER_OK, "mpan", "2200000456713"},
        {" \t2200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        {"22" NBSP "0000" NBSP "0456" NBSP "713", ECL_METER_OK, "mpan", "2200000456713"},
        {NBSP "2200000456713" NBSP, ECL_METER_OK, "mpan", "2200000456713"},
        {"2200000456713.0", ECL_METER_OK, "mpan", "2200000456713"},
        {"2200000456713.00", ECL_METER_OK, "mpan", "2200000456713"},
        {"+2200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        {"2.200000456713E12", ECL_METER_OK, "mpan", "2200000456713"},
        {"2.200000456713E+12", ECL_METER_OK, "mpan", "2200000456713"},
        {"2,200000456713e+12", ECL_METER_OK, "mpan", "2200000456713"},
        /* with what stands before the core */
        {"00 801 100 2200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        {"008011002200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        {"061238I51400000987659", ECL_METER_OK, "mpan", "1400000987659"},
        {"06 123 8I5 1400 0009 87659", ECL_METER_OK, "mpan", "1400000987659"},
        {"008011001234567890123", ECL_METER_CHECK_DIGIT, "mpan", "1234567890123"},
        /* usable, but worth a word */
        {"1234567890123", ECL_METER_CHECK_DIGIT, "mpan", "1234567890123"},
        {"2200000456714", ECL_METER_CHECK_DIGIT, "mpan", "2200000456714"},
        {"2.200000456714E12", ECL_METER_CHECK_DIGIT, "mpan", "2200000456714"},
        {"0000000000000", ECL_METER_CHECK_DIGIT, "mpan", "0000000000000"},
    };

    (void)state;
    CHECK(cases);
}

static void mprns(void **state)
{
    static const case_t cases[] = {
        {"1234567810", ECL_METER_OK, "mprn", "1234567810"},
        {"9000000410", ECL_METER_OK, "mprn", "9000000410"}, /* mod 11 = 10 */
        {"12345601", ECL_METER_OK, "mprn", "12345601"},
        {"7000002", ECL_METER_OK, "mprn", "7000002"},
        {"2300000", ECL_METER_OK, "mprn", "2300000"},
        {"12345601.0", ECL_METER_OK, "mprn", "12345601"},
        {"1234 5601", ECL_METER_OK, "mprn", "12345601"},
        {"1.2345601E7", ECL_METER_OK, "mprn", "12345601"},
        {"0012345601", ECL_METER_OK, "mprn", "12345601"},
        {"07000002", ECL_METER_OK, "mprn", "7000002"},
        /* the check fails: some number of the customer's own */
        {"1234567811", ECL_METER_OK, "other", "1234567811"},
        {"10000009", ECL_METER_OK, "other", "10000009"},
        {"0010000009", ECL_METER_OK, "other", "0010000009"},
        {"0000000000", ECL_METER_OK, "other", "0000000000"},
    };

    (void)state;
    CHECK(cases);
}

static void numbers_of_another_length(void **state)
{
    static const case_t cases[] = {
        {"21000000009999", ECL_METER_LENGTH, "other", "21000000009999"},
        {"100000000000", ECL_METER_LENGTH, "other", "100000000000"},
        {"220000045671", ECL_METER_LENGTH, "other", "220000045671"}, /* never padded */
        {"12345678901", ECL_METER_LENGTH, "other", "12345678901"},
        {"12345", ECL_METER_LENGTH, "other", "12345"},
        {"0", ECL_METER_LENGTH, "other", "0"},
        {"22000004567130000000000", ECL_METER_LENGTH, "other", "22000004567130000000000"},
    };

    (void)state;
    CHECK(cases);
}

static void other_identifiers(void **state)
{
    static const case_t cases[] = {
        {"E07XX00001", ECL_METER_OK, "other", "E07XX00001"},
        {"K0000001D6", ECL_METER_OK, "other", "K0000001D6"},
        {"ABC000001", ECL_METER_OK, "other", "ABC000001"},
        {"METER001", ECL_METER_OK, "other", "METER001"},
        {"21E5012345", ECL_METER_OK, "other", "21E5012345"}, /* no exponent */
        {"13E12345", ECL_METER_OK, "other", "13E12345"},
        {"1E5012345", ECL_METER_OK, "other", "1E5012345"},
        {"M2200000456713", ECL_METER_OK, "other", "M2200000456713"},
        {"98de-11", ECL_METER_OK, "other", "98de-11"},
        {"-2200000456713", ECL_METER_OK, "other", "-2200000456713"},
        {"1234.5", ECL_METER_OK, "other", "1234.5"},
        {"12.", ECL_METER_OK, "other", "12."},
        {"+", ECL_METER_OK, "other", "+"},
        {"E+12", ECL_METER_OK, "other", "E+12"},
        {"1.2.3E+4", ECL_METER_OK, "other", "1.2.3E+4"},
        {"2.2E+", ECL_METER_OK, "other", "2.2E+"},
        {"  Main   Hall" NBSP "\n3 ", ECL_METER_OK, "other", "Main Hall 3"},
        {"Caf\xC3\xA9", ECL_METER_OK, "other", "Caf\xC3\xA9"},
        {"061238I514000009876592", ECL_METER_OK, "other", "061238I514000009876592"},
        {"0612381514000009876X9", ECL_METER_OK, "other", "0612381514000009876X9"},
    };

    (void)state;
    CHECK(cases);
}

static void damaged_identifiers(void **state)
{
    static const case_t cases[] = {
        {"2.20001E+12", ECL_METER_DAMAGED, NULL, NULL},
        {"1.01E+12", ECL_METER_DAMAGED, NULL, NULL}, /* would pass the check when expanded */
        {"1.01E12", ECL_METER_DAMAGED, NULL, NULL},
        {"'1.01E+12", ECL_METER_DAMAGED, NULL, NULL},
        {"=\"1.01E+12\"", ECL_METER_DAMAGED, NULL, NULL},
        {"1,01E+12", ECL_METER_DAMAGED, NULL, NULL},
        {"2E+12", ECL_METER_DAMAGED, NULL, NULL},
        {"2e12", ECL_METER_DAMAGED, NULL, NULL},
        {"7.22E+13", ECL_METER_DAMAGED, NULL, NULL},
        {"1.23405E+12", ECL_METER_DAMAGED, NULL, NULL},
        {"2.20000045671E12", ECL_METER_DAMAGED, NULL, NULL},   /* one digit short */
        {"2.2000004567134E12", ECL_METER_DAMAGED, NULL, NULL}, /* and one too many */
        {"2.200000456713E-12", ECL_METER_DAMAGED, NULL, NULL},
        {"8.01100101200003E+18", ECL_METER_DAMAGED, NULL, NULL},
        {"801100101200003000000", ECL_METER_DAMAGED, NULL, NULL},
        {"2E+99999999999999999999", ECL_METER_DAMAGED, NULL, NULL},
    };

    (void)state;
    CHECK(cases);
}

/* What a spreadsheet shows in their place is not known. */
static void formulas(void **state)
{
    static const char *const texts[] = {
        "=1+1",     "=A1",     "= B2 & C2", "='Sheet 1'!A1", "'=1+1", "=\"A\"&\"1\"", "\"=A1\"",
        "@SUM(A1)", "'@N(A1)", "=",         "=SUM(2)"};
    static const case_t names[] = {
        {"@Home", ECL_METER_OK, "other", "@Home"},
        {"a=b", ECL_METER_OK, "other", "a=b"},
        {"=2200000456713", ECL_METER_OK, "mpan", "2200000456713"},
        {"=\"Depot 7\"", ECL_METER_OK, "other", "Depot 7"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        case_t one = {texts[i], ECL_METER_FORMULA, NULL, NULL};

        check(&one, 1);
    }
    CHECK(names);
}

static void missing_identifiers(void **state)
{
    static const char *const words[] = {"",     " ",   NBSP,   "-",     "Null", "N/A",
                                        "#N/A", "NaN", "\"\"", "=\"\"", "'",    "#REF!"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof words / sizeof *words; i++) {
        case_t one = {words[i], ECL_METER_IS_MISSING, NULL, NULL};

        check(&one, 1);
    }
}

static void long_identifiers(void **state)
{
    char text[400], identifier[ECL_METER_MAX];
    ecl_meter_kind_t kind;

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(ecl_meter_parse(text, ECL_METER_MAX - 1, identifier, &kind), ECL_METER_OK);
    assert_int_equal(strlen(identifier), ECL_METER_MAX - 1);
    assert_int_equal(ecl_meter_parse(text, ECL_METER_MAX, identifier, &kind), ECL_METER_TOO_LONG);
    text[ECL_METER_MAX - 2] = ' ';
    assert_int_equal(ecl_meter_parse(text, ECL_METER_MAX, identifier, &kind), ECL_METER_TOO_LONG);
    memset(text, '1', sizeof text);
    assert_int_equal(ecl_meter_parse(text, ECL_METER_MAX - 1, identifier, &kind), ECL_METER_LENGTH);
    assert_int_equal(ecl_meter_parse(text, ECL_METER_MAX, identifier, &kind), ECL_METER_TOO_LONG);
    /* digits that don't fit are never cut, whatever the exponent says */
    text[1] = '.';
    memcpy(text + 152, "E150", 4);
    assert_int_equal(ecl_meter_parse(text, 156, identifier, &kind), ECL_METER_TOO_LONG);
}

static void finding_the_column(void **state)
{
    (void)state;
    assert_true(ecl_meter_is_mpan("2200000456713", 13));
    assert_true(ecl_meter_is_mpan("=\"2200000456713\"", 16));
    assert_true(ecl_meter_is_mpan("2200000456713,1", 13));
    assert_false(ecl_meter_is_mpan("1234567890123", 13));
    assert_false(ecl_meter_is_mpan("0000000000000", 13));
    assert_false(ecl_meter_is_mpan("12345601", 8));
    assert_false(ecl_meter_is_mpan("1.01E+12", 8));
    assert_false(ecl_meter_is_mpan("", 0));
}

/* Every single wrong digit but the few that mod 11 mod 10 can't tell (1.9 %) is found. */
static void wrong_digits_are_found(void **state)
{
    static const char *const mpans[] = {"2000000012340", "1010000056786", "2200000456713"};
    int tried = 0, missed = 0;
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof mpans / sizeof *mpans; i++) {
        for (j = 0; j < 13; j++) {
            char text[14], digit;

            memcpy(text, mpans[i], sizeof text);
            for (digit = '0'; digit <= '9'; digit++) {
                if (digit != mpans[i][j]) {
                    text[j] = digit;
                    tried++;
                    missed += ecl_meter_is_mpan(text, 13);
                }
            }
        }
    }
    assert_int_equal(tried, 3 * 13 * 9);
    assert_true(missed * 100 < tried * 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mpans),
        cmocka_unit_test(mprns),
        cmocka_unit_test(numbers_of_another_length),
        cmocka_unit_test(other_identifiers),
        cmocka_unit_test(damaged_identifiers),
        cmocka_unit_test(formulas),
        cmocka_unit_test(missing_identifiers),
        cmocka_unit_test(long_identifiers),
        cmocka_unit_test(finding_the_column),
        cmocka_unit_test(wrong_digits_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
