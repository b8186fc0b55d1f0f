/* Tables that lie on their side: dates across the header, a row for each time of day. */
#include "pool_fixture.h"
#include "reading.h"

#include "half_hours.h"

#include "workbook.h"

static const ecl_given_t given = {.meter = MPAN};

/* What stands in the first column of the n-th row, from 0. */
typedef const char *label_fn(int step, int n);

static const char *start(int step, int n)
{
    return apr_psprintf(pool, "%02d:%02d", n * step / 60, n * step % 60);
}

static const char *end(int step, int n)
{
    return start(step, (n + 1) % (1440 / step));
}

static const char *end_24(int step, int n)
{
    return start(step, n + 1);
}

static const char *number(int step, int n)
{
    (void)step;
    return apr_itoa(pool, n + 1);
}

static const char *hh(int step, int n)
{
    (void)step;
    return apr_psprintf(pool, "HH%02d", n + 1);
}

/* Rows for three days of which the n-th value of day d is n + 300 d. */
static const char *rows_of(label_fn *label, int step, int is_backward)
{
    const char *text = "";

    for (int n = 0; n < 1440 / step; n++) {
        const char *row =
            apr_psprintf(pool, "%s,%d.5,%d.5,%d.5\n", label(step, n), n + 1, n + 301, n + 601);

        text =
            is_backward ? apr_pstrcat(pool, row, text, NULL) : apr_pstrcat(pool, text, row, NULL);
    }
    return text;
}

static void assert_three_days(const reading_t *r, const char *meter, int step)
{
    int last = 1440 / step;

    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    assert_int_equal(r->imported, 3);
    assert_int_equal(count_readings(r), 3 * last);
    assert_string_equal(value_of(r, meter, "AI", "2026-02-01", 1), "1.5");
    assert_string_equal(value_of(r, meter, "AI", "2026-02-02", last),
                        apr_psprintf(pool, "%d.5", last + 300));
    assert_string_equal(value_of(r, meter, "AI", "2026-02-03", 2), "602.5");
    assert_non_null(strstr(r->layout->evidence, "dates across and times down, turned about"));
}

static void test_labels_and_intervals(void **state)
{
    static label_fn *const labels[] = {start, end, end_24, number, hh};
    static const int steps[] = {30, 60, 15, 5};

    (void)state;
    for (size_t l = 0; l < 5; l++) {
        for (size_t s = 0; s < (labels[l] == hh ? 1 : 4); s++) {
            const char *text = apr_pstrcat(pool, "Time,01/02/2026,02/02/2026,03/02/2026\n",
                                           rows_of(labels[l], steps[s], labels[l] == end), NULL);
            reading_t *r =
                read_text_given(text, "auto", (ecl_given_t){.meter = MPAN, .unit = "kWh"});

            assert_three_days(r, MPAN, steps[s]);
            assert_int_equal(r->layout->labels_are_ends, l == 1 || l == 2);
            end_reading(r);
        }
    }
}

static void test_where_the_meter_stands(void **state)
{
    static const char *const texts[] = {
        "MPAN: " MPAN "\n\nTime,01/02/2026,02/02/2026,03/02/2026\n",
        "MPAN," MPAN ",,\nTime,2026-02-01,2026-02-02,2026-02-03\n",
        MPAN ",1 Feb 2026,2 Feb 2026,3 Feb 2026\n",
    };
    const char *rows = rows_of(start, 30, 0);
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        r = read_text(apr_pstrcat(pool, texts[i], rows, NULL));
        assert_three_days(r, MPAN, 30);
        end_reading(r);
    }
    r = read_text(apr_pstrcat(pool, "Time,01/02/2026,02/02/2026,03/02/2026\n", rows, NULL));
    assert_string_equal(r->result.code, "no-meter-column");
    end_reading(r);
}

/* One table below the other; a column of meters; totals; other separators. */
static void test_several_tables(void **state)
{
    const char *rows = rows_of(start, 30, 0), *text = "MPAN,Time,01/02/2026,02/02/2026\n";
    reading_t *r = read_text(apr_pstrcat(
        pool, "MPAN: " MPAN "\nTime,01/02/2026,02/02/2026,03/02/2026\n", rows, "Total,1,2,3\n\n",
        "MPAN: " MPAN2 "\nTime,04/02/2026,05/02/2026,06/02/2026\n", rows, NULL));

    (void)state;
    assert_int_equal(r->failed, 0);
    assert_int_equal(r->imported, 6);
    assert_int_equal(r->skipped, 1);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 48), "648.5");
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-04", 1), "1.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-04", 1), "");
    end_reading(r);
    for (int m = 0; m < 2; m++) {
        for (int n = 0; n < 48; n++) {
            text = apr_psprintf(pool, "%s%s,%s,%d,%d\n", text, m ? MPAN2 : MPAN, start(30, n),
                                n + 1, n + 1 + 100 * m);
        }
    }
    r = read_text(text);
    assert_int_equal(r->failed, 0);
    assert_int_equal(r->imported, 4);
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-02", 48), "148");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 48), "48");
    end_reading(r);
}

/* ---- days on which the clocks change -----------------------------------------------------------
 */

typedef enum form_t { STARTS, ENDS, ENDS_AS_CLOCK, NUMBERS, FORMS } form_t;

static const char *label_of(form_t form, int elapsed, int change)
{
    int is_end = form == ENDS || form == ENDS_AS_CLOCK;
    int minute = elapsed + (form == ENDS_AS_CLOCK ? 30 : 0);

    if (form == NUMBERS) {
        return apr_itoa(pool, elapsed / 30 + 1);
    }
    minute = minute >= change ? minute - 60 : minute;
    minute += is_end && form == ENDS ? 30 : 0;
    return start(30, minute / 30);
}

/* Fifty rows, of which an ordinary day leaves two blank; and 46 values on the short one. */
static void test_clock_changes(void **state)
{
    (void)state;
    for (form_t form = STARTS; form < FORMS; form++) {
        half_hours_t expected = make_half_hours(pool), found;
        const char *text = "Time,25/10/2025,26/10/2025,29/03/2026\n";
        reading_t *r;

        for (int n = 0; n < 50; n++) {
            int is_second = form != NUMBERS && n >= 4 && n < 6,
                is_moved = form != NUMBERS && n >= 6;
            int plain = is_moved ? n - 2 : n; /* which half-hour of an ordinary day it is */
            int of_short;

            /* the rows of what the clock shows at the end come one earlier */
            if (form == ENDS_AS_CLOCK) {
                is_second = n == 3 || n == 4;
                plain = n >= 5 ? n - 2 : n;
            }
            of_short = form == NUMBERS ? n : plain >= 4 ? plain - 2 : plain < 2 ? plain : -1;
            if (form == ENDS_AS_CLOCK) {
                of_short = plain >= 3 ? plain - 2 : plain < 1 ? plain : -1;
            }
            text = apr_pstrcat(
                pool, text, label_of(form, 30 * n, 120), ",",
                is_second || plain >= 48 ? "" : apr_itoa(pool, plain + 1), ",",
                apr_itoa(pool, n + 1), ",",
                is_second || of_short < 0 || of_short >= 46 ? "" : apr_itoa(pool, of_short + 1),
                "\n", NULL);
        }
        for (int n = 0; n < 50; n++) {
            apr_int64_t starts[] = {1761346800, 1761433200, 1774742400};
            int periods[] = {48, 50, 46};

            for (int d = 0; d < 3; d++) {
                if (n < periods[d]) {
                    put_half_hour(&expected, MPAN, "AI", "kWh", starts[d] / 60 + 30 * n,
                                  (n + 1) * ECL_DECIMAL_ONE, ECL_FLAG_ACTUAL);
                }
            }
        }
        r = read_text_given(text, "auto", given);
        assert_int_equal(r->status, APR_SUCCESS);
        if (r->errors->nelts) {
            print_error("form %d: %s\n", form, error_at(r, 0)->message);
        }
        assert_int_equal(r->imported, 3);
        found = half_hours_of(r, pool);
        assert_true(same_half_hours(apr_psprintf(pool, "form %d", form), &found, &expected));
        end_reading(r);
    }
}

static void test_48_rows_on_change_days(void **state)
{
    const char *text = "Time,26/10/2025,29/03/2026\n";
    reading_t *r;

    (void)state;
    for (int n = 0; n < 48; n++) {
        text = apr_psprintf(pool, "%s%s,%d,%s\n", text, start(30, n), n + 1,
                            n == 2 || n == 3 ? "0" : "7");
    }
    r = read_text_given(text, "auto", given);
    assert_int_equal(count_warnings(r, "clock-change-missing"), 1);
    assert_int_equal(count_readings(r), 48 + 46);
    end_reading(r);
}

/* ---- rows that fail ----------------------------------------------------------------------------
 */

static void test_failed_rows(void **state)
{
    const char *rows = rows_of(start, 30, 0);
    const char *text =
        apr_pstrcat(pool, "MPAN: " MPAN "\nTime,01/02/2026,02/02/2026,03/02/2026\n", rows, NULL);
    const char *bad =
        apr_pstrcat(pool, text, "Time,04/02/2026\n00:10,1\n00:30,7\n01:00,7,8\n01:30\n", NULL);
    char *worse = apr_pstrdup(pool, text);
    reading_t *r = read_text(bad);

    (void)state;
    assert_int_equal(r->failed, 3);
    assert_string_equal(error_at(r, 0)->code, "bad-time");
    assert_non_null(strstr(error_at(r, 0)->message, "\"00:10\""));
    assert_int_equal(error_at(r, 0)->line, 52);
    assert_string_equal(error_at(r, 1)->code, "too-many-fields");
    assert_string_equal(error_at(r, 2)->code, "too-few-fields");
    assert_int_equal(r->imported, 4);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-04", 2), "7");
    end_reading(r);
    memcpy(strstr(worse, "301.5"), "x01.5", 5);
    r = read_text(worse);
    assert_error(r, 2, "00:00", "bad-value", "\"x01.5\" is not a number");
    assert_int_equal(r->imported, 2);
    assert_non_null(strstr(error_at(r, 0)->raw, MPAN ",02/02/2026,x01.5,302.5"));
    assert_non_null(strstr(r->layout->header, "Meter,Date,00:00,00:30,"));
    end_reading(r);
}

/* The rejected row and the header are a file. */
static void test_a_rejected_row_can_be_corrected(void **state)
{
    char *text =
        apr_pstrdup(pool, apr_pstrcat(pool, "MPAN: " MPAN "\nTime;01/02/2026;02/02/2026\n", NULL));
    const char *raw;
    reading_t *r, *again;

    (void)state;
    for (int n = 0; n < 48; n++) {
        text = apr_psprintf(pool, "%s%s;0,%d;%s\n", text, start(30, n), n + 1, n ? "0,25" : "0,2x");
    }
    r = read_text(text);
    assert_int_equal(r->failed, 1);
    assert_int_equal(r->imported, 1);
    raw = apr_pstrdup(pool, error_at(r, 0)->raw);
    again = read_text(apr_pstrcat(pool, r->layout->header, "\n", raw, "\n", NULL));
    assert_int_equal(again->failed, 1);
    assert_string_equal(error_at(again, 0)->code, "bad-value");
    end_reading(again);
    end_reading(r);
}

static void test_a_sheet_and_one_that_stands(void **state)
{
    workbook_t book = {.sheets = {{.name = "Turned"}, {.name = "Plain"}}};
    reading_t *r = make_reading();
    const char *rows = row_of(pool, 1, "MPAN|" MPAN);

    (void)state;
    rows = apr_pstrcat(pool, rows, row_of(pool, 2, "Time|@46054|@46055"), NULL);
    for (int n = 0; n < 24; n++) {
        rows = apr_pstrcat(
            pool, rows, row_of(pool, 3 + n, apr_psprintf(pool, "%s|%d.5|7", start(60, n), n + 1)),
            NULL);
    }
    book.sheets[0].rows = rows;
    book.sheets[1].rows = apr_pstrcat(pool, row_of(pool, 1, "MPAN|Date|kWh"),
                                      row_of(pool, 2, MPAN "|@46056|12.5"), NULL);
    write_workbook(r, &book);
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->imported, 3);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 24), "24.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 1), "12.5");
    end_reading(r);
}

/* A row per month, a column per day. */
static void test_tables_of_months_are_refused(void **state)
{
    static const char *const starts[] = {"MPAN,Month,", "Meter,Month,Total,", "MPAN,Date,"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        reading_t *r = read_text(apr_pstrcat(
            pool, starts[i], series(pool, i == 1 ? "Day %d" : "%d", 1, 31), "\n" MPAN ",",
            i == 1 ? "Feb-26,7," : "01/02/2026,", series(pool, "%d.5", 1, 28), ",,,\n", NULL));

        assert_int_equal(r->status, ECL_EINPUT);
        assert_string_equal(r->result.code, "month-table");
        assert_non_null(strstr(r->result.detail, "a row per month"));
        end_reading(r);
    }
}

static void test_too_many_dates_are_refused(void **state)
{
    for (int count = 400; count <= 401; count++) {
        const char *text = "MPAN: " MPAN "\nTime", *cells = "";
        reading_t *r;

        for (int i = 0; i < count; i++) {
            text = apr_psprintf(pool, "%s,%02d/%02d/%d", text, i % 28 + 1, i / 28 % 12 + 1,
                                2024 + i / 336);
            cells = apr_pstrcat(pool, cells, ",0.5", NULL);
        }
        text = apr_pstrcat(pool, text, "\n", NULL);
        for (int n = 0; n < 48; n++) {
            text = apr_pstrcat(pool, text, start(30, n), cells, "\n", NULL);
        }
        r = read_text(text);
        if (count == 400) {
            assert_int_equal(r->imported, 400);
        } else {
            assert_int_equal(r->status, ECL_EINPUT);
            assert_string_equal(r->result.code, "too-many-dates");
            assert_non_null(strstr(r->result.detail, "line 2 has 401 dates side by side"));
        }
        end_reading(r);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_and_intervals),
        cmocka_unit_test(test_where_the_meter_stands),
        cmocka_unit_test(test_several_tables),
        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_48_rows_on_change_days),
        cmocka_unit_test(test_failed_rows),
        cmocka_unit_test(test_a_rejected_row_can_be_corrected),
        cmocka_unit_test(test_a_sheet_and_one_that_stands),
        cmocka_unit_test(test_tables_of_months_are_refused),
        cmocka_unit_test(test_too_many_dates_are_refused),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
