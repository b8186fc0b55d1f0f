/* Settlement days: dates, clock changes, labels; against the published rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "clock_label.h"
#include "pool_fixture.h"
#include "worker/clock.h"

static ecl_clock_t *make(const char *name)
{
    ecl_clock_t *clock = NULL;
    ecl_result_t result = ecl_result_make(pool);

    if (ecl_clock_make(&clock, name, pool, &result) != APR_SUCCESS) {
        fail_msg("%s: %s", name, result.detail);
    }
    return clock;
}

static ecl_date_t ymd(int year, int month, int day)
{
    ecl_date_t date;

    assert_true(ecl_date_from_ymd(year, month, day, &date));
    return date;
}

static ecl_clock_day_t day_of(const ecl_clock_t *clock, int year, int month, int day)
{
    ecl_clock_day_t result;

    ecl_clock_day(clock, ymd(year, month, day), &result);
    assert_int_equal(result.date, ymd(year, month, day));
    return result;
}

static int last_sunday(int year, int month)
{
    int day = 31;

    /* 1 January 1970 was a Thursday */
    while ((ymd(year, month, day) + 4) % 7 != 0) {
        day--;
    }
    return day;
}

static void dates(void **state)
{
    static const struct {
        int year, month, day;
        ecl_date_t date;
    } cases[] = {
        {1970, 1, 1, 0},       {1969, 12, 31, -1}, {2000, 2, 29, 11016},    {2024, 3, 31, 19813},
        {2026, 10, 25, 20751}, {1, 1, 1, -719162}, {9999, 12, 31, 2932896}, {1899, 12, 30, -25569},
    };
    char text[ECL_DATE_TEXT];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        int year, month, day;

        assert_int_equal(ymd(cases[i].year, cases[i].month, cases[i].day), cases[i].date);
        ecl_date_to_ymd(cases[i].date, &year, &month, &day);
        assert_int_equal(year, cases[i].year);
        assert_int_equal(month, cases[i].month);
        assert_int_equal(day, cases[i].day);
    }
    ecl_date_print(19813, text);
    assert_string_equal(text, "2024-03-31");
    ecl_date_print(-719162, text);
    assert_string_equal(text, "0001-01-01");
}

static void there_is_no_such_date(void **state)
{
    static const int cases[][3] = {{2025, 2, 29}, {2025, 2, 31}, {1900, 2, 29}, {2100, 2, 29},
                                   {2025, 4, 31}, {2025, 13, 1}, {2025, 0, 1},  {2025, 1, 0},
                                   {2025, 1, 32}, {2025, 1, -1}, {0, 1, 1},     {10000, 1, 1}};
    ecl_date_t date = 4711;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(ecl_date_from_ymd(cases[i][0], cases[i][1], cases[i][2], &date));
    }
    assert_int_equal(date, 4711);
    assert_true(ecl_date_from_ymd(2000, 2, 29, &date));
}

/* Every day of 230 years, counted one by one. */
static void dates_count_up(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    ecl_date_t expected = ymd(1870, 1, 1);
    int year, month, day;

    (void)state;
    for (year = 1870; year < 2101; year++) {
        int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

        for (month = 1; month <= 12; month++) {
            int length = lengths[month - 1] + (month == 2 && is_leap);

            for (day = 1; day <= length; day++, expected++) {
                int y, m, d;

                assert_int_equal(ymd(year, month, day), expected);
                ecl_date_to_ymd(expected, &y, &m, &d);
                assert_true(y == year && m == month && d == day);
            }
        }
    }
}

static void london_changes_its_clocks(void **state)
{
    /* as published for the United Kingdom */
    static const int days[][3] = {{2019, 31, 27}, {2020, 29, 25}, {2021, 28, 31}, {2022, 27, 30},
                                  {2023, 26, 29}, {2024, 31, 27}, {2025, 30, 26}, {2026, 29, 25},
                                  {2027, 28, 31}, {2028, 26, 29}};
    ecl_clock_t *clock = make("Europe/London");
    size_t i;

    (void)state;
    for (i = 0; i < sizeof days / sizeof *days; i++) {
        ecl_clock_day_t spring = day_of(clock, days[i][0], 3, days[i][1]);
        ecl_clock_day_t autumn = day_of(clock, days[i][0], 10, days[i][2]);

        assert_int_equal(spring.minutes, 46 * 30);
        assert_int_equal(spring.change_minute, 60);
        assert_int_equal(spring.start, (apr_int64_t)spring.date * 86400);
        assert_int_equal(autumn.minutes, 50 * 30);
        assert_int_equal(autumn.change_minute, 120);
        assert_int_equal(autumn.start, (apr_int64_t)autumn.date * 86400 - 3600);
    }
}

/* All days of 1990 to 2060 against the rule: GMT from the last Sunday of October (of 1990 to 1995,
 * the Sunday on or after the 22nd) to that of March, changes at 01:00 UTC. */
static void london_follows_the_rule(void **state)
{
    ecl_clock_t *clock = make("Europe/London");
    int year;

    (void)state;
    for (year = 1990; year <= 2060; year++) {
        ecl_date_t spring = ymd(year, 3, last_sunday(year, 3)), autumn, date;

        autumn = ymd(year, 10, last_sunday(year, 10));
        if (year < 1996 && autumn - ymd(year, 10, 1) + 1 > 28) {
            autumn -= 7;
        }
        for (date = ymd(year, 1, 1); date <= ymd(year, 12, 31); date++) {
            int minutes = date == spring ? 1380 : date == autumn ? 1500 : 1440;
            int change = date == spring ? 60 : date == autumn ? 120 : 0;
            apr_int64_t start =
                (apr_int64_t)date * 86400 - (date > spring && date <= autumn ? 3600 : 0);
            ecl_clock_day_t day, back;
            int minute;

            ecl_clock_day(clock, date, &day);
            if (day.start != start || day.minutes != minutes || day.change_minute != change) {
                char text[ECL_DATE_TEXT];

                ecl_date_print(date, text);
                fail_msg("%s: start %lld, %d minutes, change at %d", text, (long long)day.start,
                         day.minutes, day.change_minute);
            }
            ecl_clock_from_utc(clock, start, &back, &minute);
            assert_true(back.date == date && minute == 0);
            ecl_clock_from_utc(clock, start + minutes * 60 - 1, &back, &minute);
            assert_true(back.date == date && minute == minutes - 1);
        }
    }
}

static void instants_of_change_days(void **state)
{
    ecl_clock_t *clock = make("Europe/London");
    ecl_clock_day_t day = day_of(clock, 2024, 10, 27), found;
    int minute;

    (void)state;
    /* 2024-10-26T23:00Z is midnight; 00:59Z is 01:59 BST, 01:00Z is 01:00 GMT */
    assert_int_equal(day.start, 1729983600);
    ecl_clock_from_utc(clock, 1729983600 - 1, &found, &minute);
    assert_int_equal(found.date, ymd(2024, 10, 26));
    assert_int_equal(minute, 1439);
    ecl_clock_from_utc(clock, 1729990800 - 60, &found, &minute);
    assert_int_equal(minute, 119);
    assert_int_equal(label_of(&found, minute), 119);
    ecl_clock_from_utc(clock, 1729990800, &found, &minute);
    assert_int_equal(found.date, ymd(2024, 10, 27));
    assert_int_equal(minute, 120);
    assert_int_equal(label_of(&found, minute), 60);
    ecl_clock_from_utc(clock, 1730073600, &found, &minute); /* 2024-10-28T00:00Z */
    assert_int_equal(found.date, ymd(2024, 10, 28));
    assert_int_equal(minute, 0);
    /* long before and long after what the clock knows */
    ecl_clock_from_utc(clock, -APR_INT64_C(86400) * 36525 - 1, &found, &minute);
    assert_true(minute >= 0 && minute < 1440);
    ecl_clock_from_utc(clock, APR_INT64_C(86400) * 100000, &found, &minute);
    assert_int_equal(found.date, 100000);
    assert_int_equal(minute, 0);
}

static void labels(void **state)
{
    ecl_clock_t *clock = make("Europe/London");
    ecl_clock_day_t ordinary = day_of(clock, 2024, 7, 1);
    ecl_clock_day_t spring = day_of(clock, 2024, 3, 31), autumn = day_of(clock, 2024, 10, 27);
    int minute = 4711;

    (void)state;
    assert_int_equal(ecl_clock_label(&ordinary, 90, 0, &minute), ECL_LABEL_OK);
    assert_int_equal(minute, 90);
    assert_int_equal(ecl_clock_label(&ordinary, 1439, 1, &minute), ECL_LABEL_OK);
    assert_int_equal(minute, 1439);

    assert_int_equal(ecl_clock_label(&spring, 59, 0, &minute), ECL_LABEL_OK);
    assert_int_equal(minute, 59);
    minute = 4711;
    assert_int_equal(ecl_clock_label(&spring, 60, 0, &minute), ECL_LABEL_SKIPPED);
    assert_int_equal(ecl_clock_label(&spring, 119, 1, &minute), ECL_LABEL_SKIPPED);
    assert_int_equal(minute, 4711);
    assert_int_equal(ecl_clock_label(&spring, 120, 0, &minute), ECL_LABEL_OK);
    assert_int_equal(minute, 60);
    assert_int_equal(ecl_clock_label(&spring, 1410, 0, &minute), ECL_LABEL_OK);
    assert_int_equal(minute, 45 * 30);

    assert_int_equal(ecl_clock_label(&autumn, 59, 0, &minute), ECL_LABEL_OK);
    assert_int_equal(minute, 59);
    assert_int_equal(ecl_clock_label(&autumn, 60, 0, &minute), ECL_LABEL_AMBIGUOUS);
    assert_int_equal(minute, 60);
    assert_int_equal(ecl_clock_label(&autumn, 60, 1, &minute), ECL_LABEL_AMBIGUOUS);
    assert_int_equal(minute, 120);
    assert_int_equal(ecl_clock_label(&autumn, 119, 1, &minute), ECL_LABEL_AMBIGUOUS);
    assert_int_equal(minute, 179);
    assert_int_equal(ecl_clock_label(&autumn, 120, 0, &minute), ECL_LABEL_OK);
    assert_int_equal(minute, 180);
    assert_int_equal(ecl_clock_label(&autumn, 1410, 0, &minute), ECL_LABEL_OK);
    assert_int_equal(minute, 49 * 30);
}

/* label_of is the reverse of label, on every minute of every kind of day in several zones. */
static void labels_are_read_back(void **state)
{
    static const char *const zones[] = {"Europe/London", "Europe/Berlin", "Europe/Helsinki", "UTC"};
    static const int dates[][3] = {{2024, 3, 31}, {2024, 10, 27}, {2024, 7, 1}};
    size_t i, j;

    (void)state;
    for (i = 0; i < sizeof zones / sizeof *zones; i++) {
        ecl_clock_t *clock = make(zones[i]);

        for (j = 0; j < sizeof dates / sizeof *dates; j++) {
            ecl_clock_day_t day = day_of(clock, dates[j][0], dates[j][1], dates[j][2]);
            int minute;

            for (minute = 0; minute < day.minutes; minute++) {
                int label = label_of(&day, minute);
                int is_second = day.change_minute && minute >= day.change_minute, back;

                assert_int_not_equal(ecl_clock_label(&day, label, is_second, &back),
                                     ECL_LABEL_SKIPPED);
                assert_int_equal(back, minute);
            }
        }
    }
}

static void other_zones(void **state)
{
    static const struct {
        const char *name;
        int start_minutes; /* of local midnight in summer before UTC midnight */
        int change_minute; /* on the long day */
    } zones[] = {{"Europe/London", 60, 120},  {"Europe/Dublin", 60, 120},
                 {"Europe/Lisbon", 60, 120},  {"Europe/Berlin", 120, 180},
                 {"Europe/Paris", 120, 180},  {"Europe/Athens", 180, 240},
                 {"Europe/Belfast", 60, 120}, {"Atlantic/Canary", 60, 120}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof zones / sizeof *zones; i++) {
        ecl_clock_t *clock = make(zones[i].name);
        ecl_clock_day_t spring = day_of(clock, 2025, 3, 30), autumn = day_of(clock, 2025, 10, 26);

        assert_int_equal(spring.minutes, 1380);
        assert_int_equal(spring.change_minute, zones[i].start_minutes);
        assert_int_equal(autumn.minutes, 1500);
        assert_int_equal(autumn.change_minute, zones[i].change_minute);
        assert_int_equal(autumn.start,
                         (apr_int64_t)autumn.date * 86400 - zones[i].start_minutes * 60);
    }
}

static void zones_without_changes(void **state)
{
    static const struct {
        const char *name;
        int offset;
    } zones[] = {{"UTC", 0}, {"Etc/UTC", 0}, {"Africa/Abidjan", 0}, {"Asia/Kolkata", 19800}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof zones / sizeof *zones; i++) {
        ecl_clock_t *clock = make(zones[i].name);
        ecl_date_t date;

        for (date = ymd(1990, 1, 1); date <= ymd(2060, 12, 31); date++) {
            ecl_clock_day_t day;

            ecl_clock_day(clock, date, &day);
            assert_int_equal(day.start, (apr_int64_t)date * 86400 - zones[i].offset);
            assert_int_equal(day.minutes, 1440);
            assert_int_equal(day.change_minute, 0);
        }
    }
}

static void zones_that_are_refused(void **state)
{
    static const char *const unsupported[] = {
        "America/New_York", "Australia/Lord_Howe",
        "Asia/Tehran",      "Atlantic/Azores", /* 01:00 UTC is its midnight */
        "America/Nuuk",     "Pacific/Apia"};
    static const char *const unknown[] = {"",
                                          "Europe/Londom",
                                          "Europe",
                                          "europe/london ",
                                          "../zoneinfo/Europe/London",
                                          "Europe/../Europe/London",
                                          "/usr/share/zoneinfo/Europe/London",
                                          ":Europe/London",
                                          "GMT0BST,M3.5.0/1,M10.5.0",
                                          "tzdata.zi"};
    ecl_clock_t *clock = NULL;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof unsupported / sizeof *unsupported; i++) {
        ecl_result_t result = ecl_result_make(pool);

        assert_int_equal(ecl_clock_make(&clock, unsupported[i], pool, &result), ECL_ECONFIG);
        assert_string_equal(result.code, "unsupported-timezone");
        assert_non_null(strstr(result.detail, unsupported[i]));
    }
    for (i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        ecl_result_t result = ecl_result_make(pool);

        assert_int_equal(ecl_clock_make(&clock, unknown[i], pool, &result), ECL_ECONFIG);
        assert_string_equal(result.code, "unknown-timezone");
    }
    assert_null(clock);
}

/* The process's own zone is what it was, set or not. */
static void the_process_keeps_its_zone(void **state)
{
    time_t t = 1720000000;
    struct tm local;

    (void)state;
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    make("Europe/London");
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    assert_non_null(localtime_r(&t, &local));
    assert_int_equal(local.tm_gmtoff, 9 * 3600);
    unsetenv("TZ");
    tzset();
    make("Europe/Berlin");
    assert_null(getenv("TZ"));
}

/* Before 1990 London changed its clocks at 02:00 UTC: still days of the right length. */
static void earlier_years(void **state)
{
    ecl_clock_t *clock = make("Europe/London");
    ecl_clock_day_t day = day_of(clock, 1976, 3, 21);

    (void)state;
    assert_int_equal(day.minutes, 1380);
    assert_int_equal(day.change_minute, 120);
    day = day_of(clock, 1971, 7, 1);
    assert_int_equal(day.minutes, 1440);
    assert_int_equal(day.start, (apr_int64_t)day.date * 86400 - 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(there_is_no_such_date),
        cmocka_unit_test(dates_count_up),
        cmocka_unit_test(london_changes_its_clocks),
        cmocka_unit_test(london_follows_the_rule),
        cmocka_unit_test(instants_of_change_days),
        cmocka_unit_test(labels),
        cmocka_unit_test(labels_are_read_back),
        cmocka_unit_test(other_zones),
        cmocka_unit_test(zones_without_changes),
        cmocka_unit_test(zones_that_are_refused),
        cmocka_unit_test(the_process_keeps_its_zone),
        cmocka_unit_test(earlier_years),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
