/*
 * The days on which the clocks change, 2019 to 2028, in every way in which files write them: each
 * gives the same 46 or 50 readings in the same half-hours of UTC. The n-th half-hour of a day, by
 * elapsed time, has the value n.
 */
#include "reading.h"

#include "half_hours.h"
#include "start_apr.h"

#include <time.h>

static const char *const changes[][2] = {
    {"2019-03-31", "2019-10-27"}, {"2020-03-29", "2020-10-25"}, {"2021-03-28", "2021-10-31"},
    {"2022-03-27", "2022-10-30"}, {"2023-03-26", "2023-10-29"}, {"2024-03-31", "2024-10-27"},
    {"2025-03-30", "2025-10-26"}, {"2026-03-29", "2026-10-25"}, {"2027-03-28", "2027-10-31"},
    {"2028-03-26", "2028-10-29"}};

#define YEARS (sizeof(changes) / sizeof(changes[0]))

/* A day being written. */
typedef struct day_t {
    apr_pool_t *pool;
    const char *date; /* of the change */
    ecl_date_t number;
    int periods;     /* 46 or 50 */
    apr_int64_t utc; /* minutes since 1970 at which it begins */
} day_t;

/* What the clock shows `elapsed` minutes into the day, and how far it is ahead of UTC. */
static int label_of(const day_t *day, int elapsed, int *pahead)
{
    int before = day->periods == 46 ? 0 : 60, after = 60 - before;
    int change = day->periods == 46 ? 60 : 120; /* elapsed */

    *pahead = elapsed < change ? before : after;
    return elapsed + *pahead - before;
}

static const char *date_text(const day_t *day, int days_on, const char *format)
{
    time_t seconds = (time_t)(day->number + days_on) * 86400;
    char text[60];
    struct tm tm;

    gmtime_r(&seconds, &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    strftime(text, sizeof(text), format, &tm);
#pragma GCC diagnostic pop
    return apr_pstrdup(day->pool, text);
}

/* minute: of the day that is days_on after the change. */
static const char *stamp_text(const day_t *day, int days_on, int minute)
{
    return apr_psprintf(day->pool, "%s %02d:%02d",
                        date_text(day, days_on + minute / 1440, "%Y-%m-%d"), minute % 1440 / 60,
                        minute % 60);
}

static const char *add(const day_t *day, const char *text, const char *more)
{
    return apr_pstrcat(day->pool, text, more, NULL);
}

static const char *number(const day_t *day, int n)
{
    return apr_itoa(day->pool, n);
}

/* ---- a row per day -----------------------------------------------------------------------------
 */

typedef const char *name_fn(const day_t *day, int column);

static const char *name_period(const day_t *day, int n)
{
    return apr_psprintf(day->pool, "P%d", n);
}

static const char *name_number(const day_t *day, int n)
{
    return number(day, n);
}

static const char *name_hh(const day_t *day, int n)
{
    return apr_psprintf(day->pool, "HH%02d", n);
}

static const char *name_start(const day_t *day, int n)
{
    return apr_psprintf(day->pool, "%02d:%02d", (n - 1) / 2, (n - 1) % 2 * 30);
}

static const char *name_end(const day_t *day, int n)
{
    return apr_psprintf(day->pool, "%02d:%02d", n / 2 % 24, n % 2 * 30);
}

static const char *name_end_24(const day_t *day, int n)
{
    return apr_psprintf(day->pool, "[%02d:%02d]", n / 2, n % 2 * 30);
}

static const char *name_hr(const day_t *day, int n)
{
    return apr_psprintf(day->pool, "hr%02d%02d", (n - 1) / 2, (n - 1) % 2 * 30);
}

static const char *header(const day_t *day, name_fn *name, int columns, const char *more)
{
    const char *text = "MPAN,Date";

    for (int n = 1; n <= columns; n++) {
        text = apr_pstrcat(day->pool, text, ",", name(day, n), NULL);
    }
    return apr_pstrcat(day->pool, text, more, "\n", NULL);
}

static const char *row_head(const day_t *day, int days_on)
{
    return apr_psprintf(day->pool, MPAN ",%s", date_text(day, days_on, "%d/%m/%Y"));
}

/* An ordinary day before it: so that nothing can be told from one row alone. */
static const char *ordinary_row(const day_t *day, int columns, const char *blank)
{
    const char *text = row_head(day, -1);

    for (int n = 1; n <= columns; n++) {
        text = apr_pstrcat(day->pool, text, ",", n <= 48 ? "7" : blank, NULL);
    }
    return add(day, text, "\n");
}

/* Fifty columns in the order of time. */
static const char *in_order(const day_t *day, name_fn *name, const char *blank)
{
    const char *text =
        apr_pstrcat(day->pool, header(day, name, 50, ""), ordinary_row(day, 50, blank), NULL);

    text = add(day, text, row_head(day, 0));
    for (int n = 1; n <= 50; n++) {
        text = apr_pstrcat(day->pool, text, ",", n <= day->periods ? number(day, n) : blank, NULL);
    }
    return add(day, text, "\n");
}

static const char *write_periods(const day_t *day)
{
    return in_order(day, name_period, "");
}

static const char *write_numbers_with_zeros(const day_t *day)
{
    return in_order(day, name_number, "0");
}

static const char *write_hh50(const day_t *day)
{
    return in_order(day, name_hh, "0.000");
}

/* Starts run on after 23:30 with 00:00 and 00:30. */
static const char *write_fifty_starts(const day_t *day)
{
    const char *names = "MPAN,Date";
    const char *rest = strchr(in_order(day, name_period, "-"), '\n');

    for (int n = 1; n <= 50; n++) {
        names = apr_pstrcat(day->pool, names, ",", name_start(day, n > 48 ? n - 48 : n), NULL);
    }
    return add(day, names, rest);
}

/* The 48 labels of a clock, and the pair of columns for the hour that comes twice. */
static const char *labelled(const day_t *day, name_fn *name, const char *pair, const char *blank,
                            int has_flags)
{
    const char *cells[50], *text;

    for (int n = 0; n < 50; n++) {
        cells[n] = blank;
    }
    for (int n = 1; n <= day->periods; n++) {
        int ahead, label = label_of(day, 30 * (n - 1), &ahead);
        int is_second = day->periods == 50 && n >= 5 && n <= 6;

        cells[is_second ? 48 + n - 5 : label / 30] = number(day, n);
    }
    if (has_flags) {
        text = "MPAN,Date";
        for (int n = 1; n <= 48; n++) {
            text = apr_pstrcat(day->pool, text, ",", name(day, n), ",Data Marker", NULL);
        }
        text = apr_pstrcat(day->pool, text, pair, "\n", NULL);
    } else {
        text =
            apr_pstrcat(day->pool, header(day, name, 48, pair), ordinary_row(day, 50, blank), NULL);
    }
    text = add(day, text, row_head(day, 0));
    for (int n = 0; n < 50; n++) {
        text = apr_pstrcat(day->pool, text, ",", cells[n], has_flags ? ",A" : "", NULL);
    }
    return add(day, text, "\n");
}

/* As a pivot table has it: the clock's ends above the numbers, the repeated hour's last. */
static const char *write_labels_above(const day_t *day)
{
    const char *above = ",", *text = labelled(day, name_number, ",49,50", "", 0);

    for (int n = 1; n <= 48; n++) {
        above = apr_pstrcat(day->pool, above, ",", name_end(day, n), NULL);
    }
    return apr_pstrcat(day->pool, "Sum of total,,Period\n", above, ",01:30,02:00\n", text, NULL);
}

static const char *write_dst_pair(const day_t *day)
{
    return labelled(day, name_end, ",DST +0:30,DST +1:00", "", 0);
}

static const char *write_dst_pair_with_flags(const day_t *day)
{
    return labelled(day, name_end_24, ",DST +0:30,Data Marker,DST +1:00,Data Marker", "", 1);
}

static const char *write_time_change_pair(const day_t *day)
{
    return labelled(day, name_start, ",Time Change 1 Cons,Time Change 2 Cons", "0", 0);
}

static const char *write_hh49_pair_after_labels(const day_t *day)
{
    return labelled(day, name_hr, ",HH49,HH50", "", 0);
}

/* 48 columns hold UTC days: three rows have the whole of the local one. */
static const char *write_utc_columns(const day_t *day)
{
    const char *text = "MPAN,Date (UTC)";

    for (int n = 1; n <= 48; n++) {
        text = apr_pstrcat(day->pool, text, ",", name_start(day, n), NULL);
    }
    for (int row = -1; row <= 1; row++) {
        text = apr_pstrcat(day->pool, text, "\n", row_head(day, row), NULL);
        for (int n = 0; n < 48; n++) {
            apr_int64_t utc = (apr_int64_t)(day->number + row) * 1440 + n * 30;
            int period = (int)((utc - day->utc) / 30) + 1;

            text = apr_pstrcat(
                day->pool, text, ",",
                utc >= day->utc && period <= day->periods ? number(day, period) : "7", NULL);
        }
    }
    return add(day, text, "\n");
}

/* ---- a row per reading -------------------------------------------------------------------------
 */

#define LONG_HEADER "MPAN,Timestamp,kWh\n"

/* One day's rows in naive local time. */
static const char *naive_day(const day_t *day, int on, int are_ends, int is_backward)
{
    int periods = on ? 48 : day->periods;
    const char *text = "";

    for (int n = 1; n <= periods; n++) {
        int elapsed = 30 * (are_ends ? n : n - 1), ahead;
        int label = on ? elapsed : label_of(day, elapsed, &ahead);
        const char *row =
            apr_psprintf(day->pool, MPAN ",%s,%d\n", stamp_text(day, on, label), on ? 7 : n);

        text = is_backward ? add(day, row, text) : add(day, text, row);
    }
    return text;
}

static const char *naive(const day_t *day, const int order[3], int are_ends, int is_backward)
{
    const char *text = LONG_HEADER;

    for (int i = 0; i < 3; i++) {
        text = add(day, text, naive_day(day, order[i], are_ends, is_backward));
    }
    return text;
}

static const int ascending[] = {-1, 0, 1}, descending[] = {1, 0, -1}, mixed[] = {1, -1, 0};

static const char *write_naive_starts(const day_t *day)
{
    return naive(day, ascending, 0, 0);
}

static const char *write_naive_ends(const day_t *day)
{
    return naive(day, ascending, 1, 0);
}

static const char *write_naive_starts_backward(const day_t *day)
{
    return naive(day, descending, 0, 1);
}

static const char *write_naive_ends_backward(const day_t *day)
{
    return naive(day, descending, 1, 1);
}

static const char *write_naive_days_mixed(const day_t *day)
{
    return naive(day, mixed, 0, 0);
}

static const char *write_naive_ends_days_mixed(const day_t *day)
{
    return naive(day, mixed, 1, 0);
}

static const char *write_date_and_time(const day_t *day)
{
    const char *text = "MPAN,Reading Date,Reading Time,kWh\n";

    for (int n = 1; n <= day->periods; n++) {
        int ahead, label = label_of(day, 30 * (n - 1), &ahead);

        text = apr_psprintf(day->pool, "%s" MPAN ",%s,%02d:%02d,%d\n", text,
                            date_text(day, 0, "%d/%m/%Y"), label / 60, label % 60, n);
    }
    return text;
}

static const char *write_period_rows(const day_t *day)
{
    const char *text = "MPANCore,Sett Date,Sett Period,Type,Meter Read\n";

    for (int n = day->periods; n >= 1; n--) {
        text = apr_psprintf(day->pool, "%s" MPAN ",%s,%d,A,%d\n", text,
                            date_text(day, 0, "%d/%m/%Y"), n, n);
    }
    return text;
}

static const char *write_offsets(const day_t *day)
{
    const char *text = "mpan,consumption,interval_start,interval_end\n";

    for (int n = 1; n <= day->periods; n++) {
        int ahead, ahead_at_end, start = label_of(day, 30 * (n - 1), &ahead);
        int end = label_of(day, 30 * n, &ahead_at_end);

        text = apr_psprintf(day->pool, "%s" MPAN ",%d,%s+%02d:00,%s+%02d:00\n", text, n,
                            stamp_text(day, 0, start), ahead / 60, stamp_text(day, 0, end),
                            ahead_at_end / 60);
    }
    return text;
}

static const char *utc_stamp(const day_t *day, int elapsed, const char *format)
{
    time_t seconds = (time_t)(day->utc + elapsed) * 60;
    char text[60];
    struct tm tm;

    gmtime_r(&seconds, &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    strftime(text, sizeof(text), format, &tm);
#pragma GCC diagnostic pop
    return apr_pstrdup(day->pool, text);
}

static const char *write_z(const day_t *day)
{
    const char *text = LONG_HEADER;

    for (int n = 1; n <= day->periods; n++) {
        text = apr_pstrcat(day->pool, MPAN ",", utc_stamp(day, 30 * (n - 1), "%Y-%m-%dT%H:%M:%SZ"),
                           ",", number(day, n), "\n", text + (n == 1 ? strlen(text) : 0), NULL);
    }
    return add(day, LONG_HEADER, text);
}

static const char *write_utc_header_ends(const day_t *day)
{
    const char *text = "ReadDateTime_UTC,MPAN,Consumption\n";

    for (int n = 1; n <= 3 * 48; n++) { /* three days of UTC */
        int elapsed = (int)((apr_int64_t)(day->number - 1) * 1440 - day->utc) + 30 * n;
        int period = elapsed / 30;

        text = apr_pstrcat(
            day->pool, text, utc_stamp(day, elapsed, "%d/%m/%Y %H:%M:%S"), "," MPAN ",",
            number(day, period >= 1 && period <= day->periods ? period : 7), "\n", NULL);
    }
    return text;
}

/* ---- files that are no table -------------------------------------------------------------------
 */

static const char *write_df2(const day_t *day)
{
    const char *text = "#F2\n#O " MPAN "\n#S 1\n";

    for (int n = 1; n <= day->periods; n++) {
        text = apr_pstrcat(day->pool, text, utc_stamp(day, 30 * n, "%d/%m/%Y,%H:%M"), ",",
                           number(day, n), ",A\n", NULL);
    }
    return text;
}

static const char *write_d0036(const day_t *day)
{
    const char *text =
        apr_pstrcat(day->pool,
                    "ZHV|0000000101|D0036001|C|HHDC|X|SUPP|20290101010101||||OPER|\n101|" MPAN
                    "|AI|SUPP|\n102|",
                    date_text(day, 0, "%Y%m%d"), "|\n", NULL);

    for (int n = 1; n <= day->periods; n++) {
        text = apr_pstrcat(day->pool, text, "103|A|", number(day, n), ".0|\n", NULL);
    }
    return apr_psprintf(day->pool, "%sZPT|0000000101|%d||1|20290101010101|\n", text,
                        day->periods + 2);
}

static const char *write_d0379(const day_t *day)
{
    const char *text =
        "ZHV|0000000102|D0379001|C|HHDC|X|SUPP|20290101010101||||OPER|\n25B|" MPAN "|AI|SUPP|\n";

    for (int on = -1; on <= 1; on++) {
        text = apr_pstrcat(day->pool, text, "26B|", date_text(day, on, "%Y%m%d"), "|\n", NULL);
        for (int n = 0; n < 48; n++) {
            apr_int64_t utc = (apr_int64_t)(day->number + on) * 1440 + n * 30;
            int period = (int)((utc - day->utc) / 30) + 1;

            text =
                apr_pstrcat(day->pool, text, "66L|A|",
                            utc >= day->utc && period <= day->periods ? number(day, period) : "7",
                            ".0|\n", NULL);
        }
    }
    return add(day, text, "ZPT|0000000102|148||1|20290101010101|\n");
}

/* ---- the matrix --------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    const char *(*write)(const day_t *day);
} representations[] = {
    {"settlement periods P1 to P50", write_periods},
    {"numbers 1 to 50, zeros for none", write_numbers_with_zeros},
    {"HH01 to HH50", write_hh50},
    {"fifty starts running on after midnight", write_fifty_starts},
    {"fifty numbers below the labels of the clock", write_labels_above},
    {"ends and DST columns", write_dst_pair},
    {"ends, markers and DST columns", write_dst_pair_with_flags},
    {"starts and time change columns", write_time_change_pair},
    {"hr0000 and HH49, HH50", write_hh49_pair_after_labels},
    {"48 columns of UTC days", write_utc_columns},
    {"local rows by start", write_naive_starts},
    {"local rows by end", write_naive_ends},
    {"local rows by start, newest first", write_naive_starts_backward},
    {"local rows by end, newest first", write_naive_ends_backward},
    {"local rows by start, days in any order", write_naive_days_mixed},
    {"local rows by end, days in any order", write_naive_ends_days_mixed},
    {"date and time", write_date_and_time},
    {"settlement period rows", write_period_rows},
    {"offsets", write_offsets},
    {"Z stamps, newest first", write_z},
    {"UTC in the header, ends", write_utc_header_ends},
    {"Stark DF2", write_df2},
    {"D0036", write_d0036},
    {"D0379", write_d0379},
};

static day_t make_day(const char *date, int periods, apr_pool_t *p)
{
    day_t day = {.pool = p, .date = date, .periods = periods};
    ecl_datetime_t parsed;

    assert_int_equal(ecl_datetime_parse(date, strlen(date), ECL_ORDER_DMY, &parsed),
                     ECL_DATETIME_OK);
    day.number = parsed.date;
    day.utc = (apr_int64_t)day.number * 1440 - (periods == 50 ? 60 : 0);
    return day;
}

/* 1 when the day's half-hours are what they should be, no more and no fewer. */
static int is_right(const reading_t *r, const day_t *day, const char *name)
{
    half_hours_t found = make_half_hours(day->pool), expected = make_half_hours(day->pool);
    half_hours_t all = half_hours_of(r, day->pool);

    if (r->status != APR_SUCCESS || r->errors->nelts) {
        print_error("%s, %s: %s\n", name, day->date,
                    r->status ? r->result.detail : error_at(r, 0)->message);
        return 0;
    }
    for (int n = 1; n <= day->periods; n++) {
        put_half_hour(&expected, MPAN, "AI", "kWh", day->utc + 30 * (n - 1), n * ECL_DECIMAL_ONE,
                      ECL_FLAG_ACTUAL);
    }
    for (apr_hash_index_t *i = apr_hash_first(all.pool, all.all); i; i = apr_hash_next(i)) {
        const half_hour_t *one = apr_hash_this_val(i);
        apr_int64_t utc = apr_atoi64(strrchr(one->key, '|') + 1);

        if (utc >= day->utc && utc < day->utc + 30 * day->periods) {
            apr_hash_set(found.all, one->key, APR_HASH_KEY_STRING, one);
        } else if (one->value != 7 * ECL_DECIMAL_ONE) {
            print_error("%s, %s: %s lies outside the day\n", name, day->date, one->key);
            return 0;
        }
    }
    if (!same_half_hours(apr_pstrcat(day->pool, name, ", ", day->date, NULL), &found, &expected)) {
        print_error("  %s\n", r->layout->evidence);
        return 0;
    }
    return 1;
}

static void test_matrix(void **state)
{
    int bad = 0;

    (void)state;
    for (size_t which = 0; which < sizeof(representations) / sizeof(representations[0]); which++) {
        for (size_t year = 0; year < YEARS; year++) {
            for (int is_long = 0; is_long <= 1; is_long++) {
                reading_t *r = make_reading();
                day_t day = make_day(changes[year][is_long], is_long ? 50 : 46, r->pool);
                const char *text = representations[which].write(&day);

                r->year = 2029;
                write_file(r, text, strlen(text));
                read_file(r);
                bad += !is_right(r, &day, representations[which].name);
                end_reading(r);
            }
        }
    }
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_matrix)};

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
