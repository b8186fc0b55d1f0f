/*
 * A value and its flag in one cell: the flag is known for what it is, or the row fails; a number is
 * never cut.
 */
#include "cases.h"

#include "worker/marked.h"

static void test_split(void **state)
{
    static const struct {
        const char *cell, *number;
        char flag;
    } cases[] = {
        {"0.12E", "0.12", 'E'},
        {"0.12 A", "0.12", 'A'},
        {" 0.12 E ", "0.12", 'E'},
        {"12M", "12", 'M'},
        {"12.5 (E)", "12.5", 'E'},
        {"12.5[C]", "12.5", 'C'},
        {"12.5 (est.)", "12.5", 'E'},
        {"12.5 Estimated", "12.5", 'E'},
        {"12.5est", "12.5", 'E'},
        {"-1,234.5E", "-1,234.5", 'E'},
        {"0.4 kWh E", "0.4 kWh", 'E'},
        {"0.12*", "0.12", 'O'},
        {"0.12 (*)", "0.12", 'O'},
        {"E0.12", "0.12", 'E'},
        {"A 0.12", "0.12", 'A'},
        {"(E) 0.12", "0.12", 'E'},
        {"*0.12", "0.12", 'O'},
        {"0.12X", NULL, 0},
        {"0.12e", NULL, 0},
        {"0.12EE", NULL, 0},
        {"0.12 EA", NULL, 0},
        {"0.12E-", NULL, 0},
        {"0.12kWh", NULL, 0},
        {"0.12Y", NULL, 0},
        {"0.12 yes", NULL, 0},
        {"(0.12)", NULL, 0},
        {"0.12)", NULL, 0},
        {"(E", NULL, 0},
        {"E", NULL, 0},
        {"*", NULL, 0},
        {"", NULL, 0},
        {" ", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ecl_marked_t marked;
        int is_split =
            ecl_marked_split((ecl_field_t){cases[i].cell, strlen(cases[i].cell)}, &marked);

        if (is_split != (cases[i].number != NULL) ||
            (is_split &&
             (marked.flag != cases[i].flag || marked.number.length != strlen(cases[i].number) ||
              memcmp(marked.number.text, cases[i].number, marked.number.length) != 0))) {
            fail_msg("\"%s\"", cases[i].cell);
        }
    }
}

/* Rows of a day in each layout, with such a cell for the first half-hour. */
static void test_layouts(void **state)
{
    static const char *const cells[] = {"0.5E",      "0.5 E", "0.5 (E)", "0.5[est]",
                                        "0.5 kWh E", "E0.5",  "(E) 0.5"};

    (void)state;
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        const char *last = strrchr(times_48("0.5"), ',') - 46 * 4;
        const char *const texts[] = {
            JOIN(HH_HEADER, MPAN ",2026-02-01,", cells[i], last, "\n"),
            JOIN(ROW_HEADER, MPAN ",2026-02-01 00:00,", cells[i],
                 "\n" MPAN ",2026-02-01 00:30,0.5\n"),
            JOIN("MPAN,Date,kWh\n" MPAN ",2026-02-01,", cells[i], "\n"),
            JOIN("[{\"mpan\":\"" MPAN "\",\"timestamp\":\"2026-02-01T00:00:00Z\",\"kwh\":\"",
                 cells[i], "\"}]"),
            JOIN("MPAN;Timestamp;kWh\n" MPAN ";2026-02-01 00:00;0,5E\n"),
        };

        for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
            reading_t *r = read_text(texts[t]);

            if (r->failed || strcmp(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.5") != 0 ||
                flag_at(r, "2026-02-01", 1) != 'E') {
                fail_msg("%s", texts[t]);
            }
            end_reading(r);
        }
    }
}

/* An exponent is one, and where values have them "1.5E" may have lost its own. */
static void test_exponents(void **state)
{
    reading_t *r = read_row("2026-02-01 01:00", "1.5E3");

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 3), "1500");
    assert_int_equal(flag_at(r, "2026-02-01", 3), 'A');
    end_reading(r);
    r = read_text(ROW_HEADER MPAN ",2026-02-01 00:00,0E-20\n" MPAN ",2026-02-01 00:30,1.5E\n" MPAN
                                  ",2026-02-01 01:00,1.5 (E)\n");
    assert_error(r, 3, "kWh", "bad-value", "cut off");
    assert_int_equal(flag_at(r, "2026-02-01", 3), 'E');
    end_reading(r);
}

/* Letters that are no flags, and flags on the other side of the number than the file has them. */
static void test_is_refused(void **state)
{
    reading_t *r = read_row("2026-02-01 01:00", "0.5X");

    (void)state;
    assert_error(r, 4, "kWh", "bad-value", "is not a number");
    end_reading(r);
    r = read_text(ROW_HEADER MPAN ",2026-02-01 00:00,0.5E\n" MPAN ",2026-02-01 00:30,0.5E\n" MPAN
                                  ",2026-02-01 01:00,E0.5\n");
    assert_error(r, 4, "kWh", "bad-value", "is not a number");
    assert_non_null(strstr(r->layout->evidence, "marks in the cells of values, behind the number"));
    end_reading(r);
    /* amperes, for all that the file says */
    r = read_text("Meter,Timestamp,Value\nBoiler 1,2026-02-01 00:00,0.5 A\n"
                  "Boiler 1,2026-02-01 00:30,0.5 (E)\n");
    assert_error(r, 2, "Value", "bad-value", "is not a number");
    end_reading(r);
}

/* A star says something, and not what. */
static void test_star(void **state)
{
    reading_t *r = read_row("2026-02-01 01:00", "0.5*");

    (void)state;
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 3), "0.5");
    assert_int_equal(flag_at(r, "2026-02-01", 3), 'O');
    assert_int_equal(count_warnings(r, "unknown-flag"), 1);
    end_reading(r);
}

/* Corrected rows are read as the file that they are from. */
static void test_read_as(void **state)
{
    static const char *const files[] = {
        "MPAN,Timestamp,kWh\n" MPAN ",2026-02-01 00:00,E0.5\n" MPAN ",2026-02-01 00:30,x\n",
        "MPAN,Timestamp,kWh\n" MPAN ",2026-02-01 00:00,1E-1\n" MPAN ",2026-02-01 00:30,x\n",
    };
    static const char *const words[] = {"marks=before", "exponents=yes"};
    static const char *const cells[] = {"0.5E", "0.5E"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        reading_t *r = read_text(files[i]);
        const char *how = r->layout->added[0][1];

        assert_string_equal(r->layout->added[0][0], "Read as");
        assert_non_null(strstr(how, words[i]));
        end_reading(r);
        r = read_text(JOIN("MPAN,Timestamp,kWh,Read as\n" MPAN ",2026-02-01 00:30,", cells[i], ",",
                           how, "\n"));
        assert_int_equal(r->failed, 1);
        end_reading(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split),     cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_exponents), cmocka_unit_test(test_is_refused),
        cmocka_unit_test(test_star),      cmocka_unit_test(test_read_as),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
