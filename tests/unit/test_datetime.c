/* Dates and times as people write them: every form that is read, and every one that must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "worker/datetime.h"

#define NBSP "\xC2\xA0"

/* What a cell says, as "2024-03-31 00:30:15 +60", or why it says nothing. */
static const char *read_as(const char *text, size_t length, ecl_date_order_t order)
{
    static const char *const names[] = {"ok",      "missing",   "bad",      "no such",
                                        "no year", "lost hour", "ambiguous"};
    static char seen[64];
    char part[32];
    ecl_datetime_t value = {.date = 4711};
    ecl_datetime_status_t status = ecl_datetime_parse(text, length, order, &value);

    if (status != ECL_DATETIME_OK) {
        assert_int_equal(value.date, 4711);
        return names[status];
    }
    seen[0] = '\0';
    if (value.has_date) {
        ecl_date_print(value.date, seen);
    }
    if (value.has_time) {
        snprintf(part, sizeof part, "%s%02d:%02d:%02d", value.has_date ? " " : "",
                 value.minute / 60, value.minute % 60, value.second);
        strncat(seen, part, sizeof seen - strlen(seen) - 1);
    }
    if (value.has_offset) {
        snprintf(part, sizeof part, " %+d", value.offset_minutes);
        strncat(seen, part, sizeof seen - strlen(seen) - 1);
    }
    return seen;
}

typedef struct case_t {
    const char *text;
    const char *expected;
} case_t;

static void check(const case_t *cases, size_t count, ecl_date_order_t order)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const char *seen = read_as(cases[i].text, strlen(cases[i].text), order);

        if (strcmp(seen, cases[i].expected)) {
            fail_msg("'%s' was read as '%s', expected '%s'", cases[i].text, seen,
                     cases[i].expected);
        }
    }
}
#define CHECK(cases) check(cases, sizeof cases / sizeof *cases, ECL_ORDER_DMY)

static void dates(void **state)
{
    static const case_t cases[] = {
        {"2024-03-31", "2024-03-31"},
        {"2024/03/31", "2024-03-31"},
        {"2024-3-1", "2024-03-01"},
        {"20240331", "2024-03-31"},
        {"20240212", "2024-02-12"},
        {"31/03/2024", "2024-03-31"},
        {"1/2/2026", "2026-02-01"},
        {"01/02/2026", "2026-02-01"},
        {"31-03-2024", "2024-03-31"},
        {"31.03.2024", "2024-03-31"},
        {"31/03/24", "2024-03-31"},
        {"12/11/18", "2018-11-12"},
        {"31.03.24", "2024-03-31"},
        {"31-Mar-24", "2024-03-31"},
        {"09-May-23", "2023-05-09"},
        {"13-Nov-2019", "2019-11-13"},
        {"13/Nov/2019", "2019-11-13"},
        {"31 Mar 2024", "2024-03-31"},
        {"31 March 2024", "2024-03-31"},
        {"1 Sept 2023", "2023-09-01"},
        {"Mar 31 2024", "2024-03-31"},
        {"march  31, 2024", "2024-03-31"},
        {"MAR 31 24", "2024-03-31"},
        {"12th January 2026", "2026-01-12"},
        {"1st Jan 26", "2026-01-01"},
        {"the 1st Jan 26", "bad"},
        {"22nd of March, 2026", "2026-03-22"},
        {"January 3rd, 2026", "2026-01-03"},
        {"Mon 12 Jan 2026", "2026-01-12"},
        {"Tue 12 Jan 2026", "no such"},
        {"Mon 12th Jan 2026", "2026-01-12"},
        {"12-JAN-2026", "2026-01-12"},
        {"12Jan2026", "2026-01-12"},
        {"12JAN26", "2026-01-12"},
        {"2026-Jan-12", "2026-01-12"},
        {"2026.01.12", "2026-01-12"},
        {"30th Feb 2026", "no such"},
        {"12th January", "no year"},
        {"12xx January 2026", "bad"},
        {"Fri 01/09/2023", "2023-09-01"},
        {"Friday, 1 September 2023", "2023-09-01"},
        {" 2024-03-31 ", "2024-03-31"},
        {NBSP "31/03/2024" NBSP, "2024-03-31"},
        {"29/02/2024", "2024-02-29"},
        {"29/02/2000", "2000-02-29"},
        {"31/12/2099", "2099-12-31"},
        {"01/01/1970", "1970-01-01"},
        {"31-12-99", "2099-12-31"},
        {"31-03-00", "2000-03-31"},
    };

    (void)state;
    CHECK(cases);
}

static void times(void **state)
{
    static const case_t cases[] = {
        {"00:30", "00:30:00"},
        {"0:30", "00:30:00"},
        {"1:30", "01:30:00"},
        {"23:59:59", "23:59:59"},
        {"00:30:00", "00:30:00"},
        {"00:30:00.0000000", "00:30:00"},
        {"24:00", "24:00:00"},
        {"24:00:00", "24:00:00"},
        {"0030", "00:30:00"},
        {"2400", "24:00:00"},
        {"0000", "00:00:00"},
        {"1:30 PM", "13:30:00"},
        {"1:30PM", "13:30:00"},
        {"1:30 am", "01:30:00"},
        {"12:00 AM", "00:00:00"},
        {"12:30 PM", "12:30:00"},
        {"11:30 PM", "23:30:00"},
        {"13:00 PM", "13:00:00"},
        {"23:30 PM", "23:30:00"},
        {"00:30 AM", "00:30:00"},
        {"1:30:00 PM", "13:30:00"},
        {"00:00 to 00:30", "00:00:00"},
        {"23:30 to 24:00", "23:30:00"},
        {"00:30 - 01:00", "00:30:00"},
        {"00:30Z", "00:30:00 +0"},
        {"00:30+01:00", "00:30:00 +60"},
        {"00:00-00:30", "00:00:00"},
        {"23:30-00:00", "23:30:00"},
        {"00:00 - 00:29", "00:00:00"},
        {"00:00 \xE2\x80\x93 00:30", "00:00:00"},
        {"23:00-23:59", "23:00:00"},
        {"12:00 AM - 12:30 AM", "00:00:00"},
        {"00:30 BST", "00:30:00 +60"},
        {"1:30 p.m.", "13:30:00"},
        {"1:30 a.m", "01:30:00"},
        {"1.30 pm", "13:30:00"},
        {"1pm", "13:00:00"},
        {"12 a.m.", "00:00:00"},
        {"12pm", "12:00:00"},
        {"13 am", "no such"},
        {"1 - 2 pm", "bad"},
        {"3.5m", "bad"},
        {"1.30", "bad"},
        {"003000", "bad"},
    };

    (void)state;
    CHECK(cases);
}

static void dates_with_times(void **state)
{
    static const case_t cases[] = {
        {"2024-10-27T01:30:00+01:00", "2024-10-27 01:30:00 +60"},
        {"2024-10-27T01:30:00+00:00", "2024-10-27 01:30:00 +0"},
        {"2022-01-01 00:00:00+00:00", "2022-01-01 00:00:00 +0"},
        {"2023-09-12T01:05:02Z", "2023-09-12 01:05:02 +0"},
        {"2023-09-12T01:30Z", "2023-09-12 01:30:00 +0"},
        {"2023-09-12 01:30:00 UTC", "2023-09-12 01:30:00 +0"},
        {"2023-09-12 01:30 GMT", "2023-09-12 01:30:00 +0"},
        {"2023-09-12 01:30 GMT+1", "2023-09-12 01:30:00 +60"},
        {"2023-09-12 01:30 GMT+01:00", "2023-09-12 01:30:00 +60"},
        {"2023-09-12 01:30 +0100", "2023-09-12 01:30:00 +60"},
        {"2023-09-12 01:30:00-05:30", "2023-09-12 01:30:00 -330"},
        {"2023-09-12 01:30:00+01", "2023-09-12 01:30:00 +60"},
        {"2012-10-12 00:30:00.0000000", "2012-10-12 00:30:00"},
        {"26 Aug 2019 00:30:00", "2019-08-26 00:30:00"},
        {"27 Aug 2019 00:00:00", "2019-08-27 00:00:00"},
        {"Nov 13 2019 12:00AM", "2019-11-13 00:00:00"},
        {"Sep  1 2023 01:03AM", "2023-09-01 01:03:00"},
        {" 1 Sep 2023 01:03:59", "2023-09-01 01:03:59"},
        {"01:03:59 Fri 01/09/2023", "2023-09-01 01:03:59"},
        {"00:13:07 Thu 07/04/2022", "2022-04-07 00:13:07"},
        {"00:30 31/03/2024", "2024-03-31 00:30:00"},
        {"18/10/2024 09:30:00", "2024-10-18 09:30:00"},
        {"04-10-2024 01:00", "2024-10-04 01:00:00"},
        {"12/11/18 24:00", "2018-11-12 24:00:00"},
        {"20201005 00:00", "2020-10-05 00:00:00"},
        {"20201005 0030", "2020-10-05 00:30:00"},
        {"31/03/2024  1:30 PM", "2024-03-31 13:30:00"},
        {"31/03/2024" NBSP "01:30", "2024-03-31 01:30:00"},
        {"2026-07-01 12:00", "2026-07-01 12:00:00"},
        {"31/03/2024 00:00 to 00:30", "2024-03-31 00:00:00"},
        {"31/03/2024 23:30 - 00:00", "2024-03-31 23:30:00"},
        {"2024-03-31 00:00:00 to 2024-03-31 00:15:00", "2024-03-31 00:00:00"},
        {"31/03/2024 23:30 - 01/04/2024 00:00", "2024-03-31 23:30:00"},
        {"31/03/2024 00:30 \xE2\x80\x93 31/03/2024 02:00", "2024-03-31 00:30:00"},
        {"27/10/2024 01:30 to 27/10/2024 01:00", "2024-10-27 01:30:00"},
        {"2024-03-31T00:30:00Z/2024-03-31T01:00:00Z", "2024-03-31 00:30:00 +0"},
        {"2024-03-31T00:30:00Z/PT30M", "2024-03-31 00:30:00 +0"},
        {"2024-03-31T00:30:00/PT0H15M", "2024-03-31 00:30:00"},
        {"2024-03-31T00:30Z/PT1H", "2024-03-31 00:30:00 +0"},
        {"2024-03-31T00:30Z/PT300S", "2024-03-31 00:30:00 +0"},
        {"20240331T003000Z/20240331T010000Z", "2024-03-31 00:30:00 +0"},
        {"2024-04-01T00:30:00+01:00/2024-04-01T01:00:00", "2024-04-01 00:30:00 +60"},
        {"2024-03-31T00:30:00+00:00/2024-03-31T02:00:00+01:00", "2024-03-31 00:30:00 +0"},
        {"2024-10-27T01:30:00+01:00 - 2024-10-27T01:00:00Z", "2024-10-27 01:30:00 +60"},
        {"2024-10-27 01:30 BST", "2024-10-27 01:30:00 +60"},
        {"31/03/2024, 00:30", "2024-03-31 00:30:00"},
        {"31/03/2024,00:30:00", "2024-03-31 00:30:00"},
        {"3/31/2024, 1:30 PM", "no such"}, /* in this order of day and month */
        {"00:30, 31/03/2024", "2024-03-31 00:30:00"},
        {"2024-03-31 00.30", "2024-03-31 00:30:00"},
        {"31.03.2024 23.30.00", "2024-03-31 23:30:00"},
        {"202410270130", "2024-10-27 01:30:00"},
        {"20241027013000", "2024-10-27 01:30:00"},
        {"202410272400", "2024-10-27 24:00:00"},
        {"2026-01-12 23:59:59.999", "2026-01-12 23:59:59"},
        {"2026-01-12 23:59:59.990", "bad"},
        {"20241027013000Z", "2024-10-27 01:30:00 +0"},
        /* ISO 8601 without its punctuation */
        {"20260112T000000Z", "2026-01-12 00:00:00 +0"},
        {"20260112T003000", "2026-01-12 00:30:00"},
        {"20260112T0030", "2026-01-12 00:30:00"},
        {"20260112T0030+0100", "2026-01-12 00:30:00 +60"},
        {"20260112 003000", "2026-01-12 00:30:00"},
        {"2026-01-12t00:30:00z", "2026-01-12 00:30:00 +0"},
        /* fractions, and what zones are called */
        {"2026-01-12T00:00:00.000+00:00", "2026-01-12 00:00:00 +0"},
        {"2026-01-12T00:00:00.000000000Z", "2026-01-12 00:00:00 +0"},
        {"2026-01-12T00:00:00,000Z", "2026-01-12 00:00:00 +0"},
        {"2026-07-12T00:30:00+01:00[Europe/London]", "2026-07-12 00:30:00 +60"},
        {"2026-01-12T00:30:00Z[UTC]", "2026-01-12 00:30:00 +0"},
        {"2026-01-12 00:30:00 +0000 UTC", "2026-01-12 00:30:00 +0"},
        {"2026-07-12 00:30:00 +0100 BST", "2026-07-12 00:30:00 +60"},
        {"2026-07-12 00:30:00 +0000 BST", "bad"},
        {"Mon Jan 12 2026 00:30:00 GMT+0000 (Greenwich Mean Time)", "2026-01-12 00:30:00 +0"},
        {"Mon Jan 12 00:30:00 GMT 2026", "2026-01-12 00:30:00 +0"},
        {"Tue Jan 12 00:30:00 GMT 2026", "no such"},
        {"Mon Jan 12 00:30:60 GMT 2026", "no such"},
        {"Mon Jan 12 25:30:00 GMT 2026", "no such"},
        {"Mon Feb 30 00:30:00 GMT 2026", "no such"},
        {"12 Jan 25:30", "no year"},
        {"Jan 12 00:30:00 GMT", "no year"},
        {"Mon, 12 Jan 2026 00:30:00 GMT", "2026-01-12 00:30:00 +0"},
        {"Mon 12 Jan 2026 00:30", "2026-01-12 00:30:00"},
        {"12-JAN-2026 00:30", "2026-01-12 00:30:00"},
        {"12-JAN-26 01.30.00.000000 PM", "2026-01-12 13:30:00"},
        {"12JAN2026:00:30:00", "2026-01-12 00:30:00"},
        {"12/Jan/2026:00:30:00 +0000", "2026-01-12 00:30:00 +0"},
        {"12th January 2026 1:30 p.m.", "2026-01-12 13:30:00"},
        {"1st Jan 26 at 00:30", "2026-01-01 00:30:00"},
        {"12/01/2026 - 00:30", "2026-01-12 00:30:00"},
        {"12/01/2026-00:30", "2026-01-12 00:30:00"},
        {"12/01/2026 1pm", "2026-01-12 13:00:00"},
        {"12/01/2026 1.30 pm", "2026-01-12 13:30:00"},
        {"12/01/2026 12 a.m.", "2026-01-12 00:00:00"},
    };

    (void)state;
    CHECK(cases);
}

static void what_does_not_exist(void **state)
{
    static const case_t cases[] = {
        {"31/02/2025", "no such"},
        {"29/02/2023", "no such"},
        {"29/02/2100", "no such"},
        {"2024-02-30", "no such"},
        {"2024-13-01", "no such"},
        {"2024-00-10", "no such"},
        {"00/01/2024", "no such"},
        {"32/01/2024", "no such"},
        {"31 Jun 2024", "no such"},
        {"20240230", "no such"},
        {"10/27/2024", "no such"}, /* only as month/day */
        {"01/13/2026", "no such"},
        {"12/11/0018", "no such"},
        {"01/01/1850", "no such"},
        {"01/01/2100", "no such"},
        {"25:00", "no such"},
        {"24:30", "no such"},
        {"24:00:01", "no such"},
        {"00:60", "no such"},
        {"00:00:60", "no such"},
        {"2530", "no such"},
        {"0060", "no such"},
        {"13:00 AM", "no such"},
        {"00:30 PM", "no such"},
        {"24:00 PM", "no such"},
        {"31/03/2024 25:00", "no such"},
        {"31/02/2024 25:00", "no such"},
        {"2024-03-31 00:30+15:00", "no such"},
        {"Thu 01/09/2023", "no such"}, /* it was a Friday */
        {"00:30 to 00:75", "no such"},
    };

    (void)state;
    CHECK(cases);
}

static void what_spreadsheets_lost(void **state)
{
    static const case_t cases[] = {
        {"30/08", "no year"},
        {"30/08/0", "no year"},
        {"30-Aug", "no year"},
        {"30 Aug", "no year"},
        {"Aug 30", "no year"},
        {"30/08 00:30", "no year"},
        {"30 Aug 00:30", "no year"},
        {"30:00.0", "lost hour"},
        {"00:00.0", "lost hour"},
        {"59:59.9", "lost hour"},
        {"30/08/2024 30:00.0", "lost hour"},
        {"23-09-01", "ambiguous"},
        {"12-11-18", "ambiguous"},
        {"23-09-01 00:30", "ambiguous"},
    };

    (void)state;
    CHECK(cases);
}

static void what_is_neither(void **state)
{
    static const case_t cases[] = {
        {"45055", "bad"},
        {"45055.5", "bad"},
        {"0.5208333", "bad"},
        {"12.5", "bad"},
        {"0", "bad"},
        {"30", "bad"},
        {"130", "bad"},
        {"003000", "bad"},
        {"12345678", "bad"},
        {"2200000456713", "bad"},
        {"1.2.3", "bad"},
        {"tomorrow", "bad"},
        {"yesterday 00:30", "bad"},
        {"Date", "bad"},
        {"March", "bad"},
        {"Mar-24", "bad"},
        {"Apr-24", "bad"},
        {"2024-03", "bad"},
        {"2024", "20:24:00"}, /* four digits are a time: only a reader knows better */
        {"31/03/2024x", "bad"},
        {"31/03/202", "bad"},
        {"31/03/20245", "bad"},
        {"031/03/2024", "bad"},
        {"31/003/2024", "bad"},
        {"31//2024", "bad"},
        {"31/03-2024", "bad"},
        {"31/Foo/2024", "bad"},
        {"31 Marc 2024", "bad"},
        {"31 Septem 2024", "bad"},
        {"Freitag 01/09/2023", "bad"},
        {"Fri01/09/2023", "bad"},
        {"00:3", "bad"},
        {"00:300", "bad"},
        {"000:30", "bad"},
        {"00:30:", "bad"},
        {"00:30:0", "bad"},
        {"00:30:00.", "bad"},
        {"00:30:00.5", "bad"},
        {"00:30 XM", "bad"},
        {"00:30 amx", "bad"},
        {"00:30-", "bad"},
        {"00:00-05:00", "bad"}, /* no slot of a meter, and no time in the west */
        {"12:00 - 08:00", "bad"},
        {"31/03/2024 00:00 to 01/04/2024 00:00", "bad"},
        {"31/03/2024 to 01/04/2024", "bad"},
        {"31/03/2024 00:00 to x", "bad"},
        {"2024-03-31T00:00:00Z/2024-04-01T00:00:00Z", "bad"},
        {"2024-03-31T00:00:00Z/P1D", "bad"},
        {"2024-03-31T00:00:00Z/PT2H", "bad"},
        {"2024-03-31T00:00:00Z/PT", "bad"},
        {"2024-03-31T00:00:00Z/PT30", "bad"},
        {"2024-03-31T00:00:00Z/PT90S", "bad"},
        {"2024-03-31T00:00:00Z/PT999999999M", "bad"},
        {"2024-03-31T00:00:00Z/", "bad"},
        {"2024-03-31/PT30M", "bad"},
        {"202413010000", "bad"},
        {"202410272430", "bad"},
        {"2024102701300", "bad"},
        {"00:30 to", "bad"},
        {"00:30 to x", "bad"},
        {"to 00:30", "bad"},
        {"2024-03-31T", "bad"},
        {"2024-03-31Z", "bad"},
        {"2024-03-31 ,00:30", "bad"},
        {"2024-03-3100:30", "bad"},
        {"2024-03-31 00:30 CEST", "bad"},
        {"2024-03-31 00:30 +", "bad"},
        {"2024-03-31 00:30+1:0", "bad"},
        {"2024-03-31 00:30Z00:30", "bad"},
        {"2024-03-31 2024-03-31", "bad"},
        {"2024-10-02 00:00:00 +1H, DST", "bad"},
        {"99999999999999999999", "bad"},
        {"+00:30", "bad"},
        {"-1/2/2024", "bad"},
        {"\xC2", "bad"},
    };

    (void)state;
    CHECK(cases);
    assert_string_equal(read_as("2024-03-31\0", 11, ECL_ORDER_DMY), "bad");
}

static void what_is_missing(void **state)
{
    static const case_t cases[] = {
        {"", "missing"},     {"  ", "missing"},     {NBSP, "missing"},   {"-", "missing"},
        {"Null", "missing"}, {" NULL ", "missing"}, {"#N/A", "missing"},
    };

    (void)state;
    CHECK(cases);
}

static void month_before_day(void **state)
{
    static const case_t cases[] = {
        {"10/27/2024", "2024-10-27"}, {"01/02/2026", "2026-01-02"},
        {"1/2/26", "2026-01-02"},     {"01/13/2026 1:30 PM", "2026-01-13 13:30:00"},
        {"27/10/2024", "no such"},    {"13/13/2024", "no such"},
        {"2024-03-31", "2024-03-31"}, {"31 Mar 2024", "2024-03-31"},
        {"08/30", "no year"},
    };

    (void)state;
    check(cases, sizeof cases / sizeof *cases, ECL_ORDER_MDY);
}

/* Only the bytes given are looked at: a cell need not end with a NUL. */
static void length_is_respected(void **state)
{
    (void)state;
    assert_string_equal(read_as("2024-03-311", 10, ECL_ORDER_DMY), "2024-03-31");
    assert_string_equal(read_as("00:30:00", 5, ECL_ORDER_DMY), "00:30:00");
    assert_string_equal(read_as("00:30 PM", 6, ECL_ORDER_DMY), "00:30:00");
    assert_string_equal(read_as("1 Sept 2023", 5, ECL_ORDER_DMY), "no year");
}

/* Every day of 130 years in three spellings. */
static void every_day_is_read_back(void **state)
{
    ecl_date_t first, last, date;

    (void)state;
    assert_true(ecl_date_from_ymd(1970, 1, 1, &first));
    assert_true(ecl_date_from_ymd(2099, 12, 31, &last));
    for (date = first; date <= last; date++) {
        char iso[ECL_DATE_TEXT], text[16];
        int year, month, day;

        ecl_date_print(date, iso);
        ecl_date_to_ymd(date, &year, &month, &day);
        assert_string_equal(read_as(iso, 10, ECL_ORDER_DMY), iso);
        snprintf(text, sizeof text, "%d/%d/%d", day, month, year);
        assert_string_equal(read_as(text, strlen(text), ECL_ORDER_DMY), iso);
        snprintf(text, sizeof text, "%04d%02d%02d", year, month, day);
        assert_string_equal(read_as(text, 8, ECL_ORDER_DMY), iso);
    }
}

static void what_was_expected_is_said(void **state)
{
    (void)state;
    assert_non_null(strstr(ecl_datetime_expected(ECL_DATETIME_BAD), "29/03/2026"));
    assert_non_null(strstr(ecl_datetime_expected(ECL_DATETIME_NO_SUCH), "exists"));
    assert_non_null(strstr(ecl_datetime_expected(ECL_DATETIME_NO_YEAR), "year"));
    assert_non_null(strstr(ecl_datetime_expected(ECL_DATETIME_LOST_HOUR), "hour"));
    assert_non_null(strstr(ecl_datetime_expected(ECL_DATETIME_AMBIGUOUS), "four digits"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(times),
        cmocka_unit_test(dates_with_times),
        cmocka_unit_test(what_does_not_exist),
        cmocka_unit_test(what_spreadsheets_lost),
        cmocka_unit_test(what_is_neither),
        cmocka_unit_test(what_is_missing),
        cmocka_unit_test(month_before_day),
        cmocka_unit_test(length_is_respected),
        cmocka_unit_test(every_day_is_read_back),
        cmocka_unit_test(what_was_expected_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
