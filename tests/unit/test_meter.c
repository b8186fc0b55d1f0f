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
        {"2000990040030", ECL_METER_OK, "mpan", "2000990040030"},
        {"1000990010948", ECL_METER_OK, "mpan", "1000990010948"},
        {"1700990030040", ECL_METER_OK, "mpan", "1700990030040"}, /* mod 11 = 10 */
        {"2200990050083", ECL_METER_OK, "mpan", "2200990050083"},
        /* the ways to write one meter */
        {"'2200990050083", ECL_METER_OK, "mpan", "2200990050083"},
        {"'2200990050083'", ECL_METER_OK, "mpan", "2200990050083"},
        {"\"2200990050083\"", ECL_METER_OK, "mpan", "2200990050083"},
        {"=\"2200990050083\"", ECL_METER_OK, "mpan", "2200990050083"},
        {"=2200990050083", ECL_METER_OK, "mpan", "2200990050083"},
        {"22 0099 0050 083", ECL_METER_OK, "mpan", "2200990050083"},
        {"2200990050083 ", ECL_METER_OK, "mpan", "2200990050083"},
        {" \t2200990050083", ECL_METER_OK, "mpan", "2200990050083"},
        {"22" NBSP "0001" NBSP "2767" NBSP "323", ECL_METER_OK, "mpan", "2200990050083"},
        {NBSP "2200990050083" NBSP, ECL_METER_OK, "mpan", "2200990050083"},
        {"2200990050083.0", ECL_METER_OK, "mpan", "2200990050083"},
        {"2200990050083.00", ECL_METER_OK, "mpan", "2200990050083"},
        {"+2200990050083", ECL_METER_OK, "mpan", "2200990050083"},
        {"2.200990050083E12", ECL_METER_OK, "mpan", "2200990050083"},
        {"2.200990050083E+12", ECL_METER_OK, "mpan", "2200990050083"},
        {"2,200012767323e+12", ECL_METER_OK, "mpan", "2200990050083"},
        /* with what stands before the core */
        {"00 801 100 2200990050083", ECL_METER_OK, "mpan", "2200990050083"},
        {"008011002200990050083", ECL_METER_OK, "mpan", "2200990050083"},
        {"069238I51470116845051", ECL_METER_OK, "mpan", "1470116845051"},
        {"06 923 8I5 1470 1168 45051", ECL_METER_OK, "mpan", "1470116845051"},
        {"008011001234567890123", ECL_METER_CHECK_DIGIT, "mpan", "1234567890123"},
        /* usable, but worth a word */
        {"1234567890123", ECL_METER_CHECK_DIGIT, "mpan", "1234567890123"},
        {"2200990050084", ECL_METER_CHECK_DIGIT, "mpan", "2200990050084"},
        {"2.200012767324E12", ECL_METER_CHECK_DIGIT, "mpan", "2200990050084"},
        {"0000000000000", ECL_METER_CHECK_DIGIT, "mpan", "0000000000000"},
    };

    (void)state;
    CHECK(cases);
}

static void mprns(void **state)
{
    static const case_t cases[] = {
        {"3099010903", ECL_METER_OK, "mprn", "3099010903"},
        {"9099020910", ECL_METER_OK, "mprn", "9099020910"}, /* mod 11 = 10 */
        {"11030907", ECL_METER_OK, "mprn", "11030907"},
        {"7915400", ECL_METER_OK, "mprn", "7915400"},
        {"2330604", ECL_METER_OK, "mprn", "2330604"},
        {"11030907.0", ECL_METER_OK, "mprn", "11030907"},
        {"1317 2107", ECL_METER_OK, "mprn", "11030907"},
        {"1.3172107E7", ECL_METER_OK, "mprn", "11030907"},
        {"0011030907", ECL_METER_OK, "mprn", "11030907"},
        {"07915400", ECL_METER_OK, "mprn", "7915400"},
        /* the check fails: some number of the customer's own */
        {"3938424404", ECL_METER_OK, "other", "3938424404"},
        {"10545308", ECL_METER_OK, "other", "10545308"},
        {"0010545308", ECL_METER_OK, "other", "0010545308"},
        {"0000000000", ECL_METER_OK, "other", "0000000000"},
    };

    (void)state;
    CHECK(cases);
}

static void numbers_of_another_length(void **state)
{
    static const case_t cases[] = {
        {"21000040359999", ECL_METER_LENGTH, "other", "21000040359999"},
        {"100000000000", ECL_METER_LENGTH, "other", "100000000000"},
        {"220099005008", ECL_METER_LENGTH, "other", "220099005008"}, /* never padded */
        {"12345678901", ECL_METER_LENGTH, "other", "12345678901"},
        {"12345", ECL_METER_LENGTH, "other", "12345"},
        {"0", ECL_METER_LENGTH, "other", "0"},
        {"22009900500830000000000", ECL_METER_LENGTH, "other", "22009900500830000000000"},
    };

    (void)state;
    CHECK(cases);
}

static void other_identifiers(void **state)
{
    static const case_t cases[] = {
        {"E06BG99999", ECL_METER_OK, "other", "E06BG99999"},
        {"K0299999D9", ECL_METER_OK, "other", "K0299999D9"},
        {"MAC999999", ECL_METER_OK, "other", "MAC999999"},
        {"METER001", ECL_METER_OK, "other", "METER001"},
        {"21E5012345", ECL_METER_OK, "other", "21E5012345"}, /* no exponent */
        {"13E12345", ECL_METER_OK, "other", "13E12345"},
        {"1E5012345", ECL_METER_OK, "other", "1E5012345"},
        {"M2200990050083", ECL_METER_OK, "other", "M2200990050083"},
        {"98de-11", ECL_METER_OK, "other", "98de-11"},
        {"-2200990050083", ECL_METER_OK, "other", "-2200990050083"},
        {"1234.5", ECL_METER_OK, "other", "1234.5"},
        {"12.", ECL_METER_OK, "other", "12."},
        {"+", ECL_METER_OK, "other", "+"},
        {"E+12", ECL_METER_OK, "other", "E+12"},
        {"1.2.3E+4", ECL_METER_OK, "other", "1.2.3E+4"},
        {"2.2E+", ECL_METER_OK, "other", "2.2E+"},
        {"  Main   Hall" NBSP "\n3 ", ECL_METER_OK, "other", "Main Hall 3"},
        {"Caf\xC3\xA9", ECL_METER_OK, "other", "Caf\xC3\xA9"},
        {"069238I514701168450512", ECL_METER_OK, "other", "069238I514701168450512"},
        {"0692381514701168450X1", ECL_METER_OK, "other", "0692381514701168450X1"},
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
        {"2.20001276732E12", ECL_METER_DAMAGED, NULL, NULL},   /* one digit short */
        {"2.2009900500834E12", ECL_METER_DAMAGED, NULL, NULL}, /* and one too many */
        {"2.200990050083E-12", ECL_METER_DAMAGED, NULL, NULL},
        {"8.01100101303261E+18", ECL_METER_DAMAGED, NULL, NULL},
        {"801100101303261000000", ECL_METER_DAMAGED, NULL, NULL},
        {"2E+99999999999999999999", ECL_METER_DAMAGED, NULL, NULL},
    };

    (void)state;
    CHECK(cases);
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
    assert_true(ecl_meter_is_mpan("2200990050083", 13));
    assert_true(ecl_meter_is_mpan("=\"2200990050083\"", 16));
    assert_true(ecl_meter_is_mpan("2200990050083,1", 13));
    assert_false(ecl_meter_is_mpan("1234567890123", 13));
    assert_false(ecl_meter_is_mpan("0000000000000", 13));
    assert_false(ecl_meter_is_mpan("11030907", 8));
    assert_false(ecl_meter_is_mpan("1.01E+12", 8));
    assert_false(ecl_meter_is_mpan("", 0));
}

/* Every single wrong digit but the few that mod 11 mod 10 can't tell (1.9 %) is found. */
static void wrong_digits_are_found(void **state)
{
    static const char *const mpans[] = {"2000990040030", "1000990010948", "2200990050083"};
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
        cmocka_unit_test(missing_identifiers),
        cmocka_unit_test(long_identifiers),
        cmocka_unit_test(finding_the_column),
        cmocka_unit_test(wrong_digits_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
