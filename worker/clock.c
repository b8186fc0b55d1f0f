/*
 * A zone is the list of its changes; all questions are arithmetic on that.
 */
#include "../lib/timezone.h"
#include "clock.h"

#define DAY 86400
#define CLOCK_END APR_INT64_C(4102444800) /* 2100-01-01 */
/* changes are found by the stretch of 2^24 seconds (194 days) that they fall into */
#define STRETCH_BITS 24
#define STRETCHES ((CLOCK_END >> STRETCH_BITS) + 1)

/* the years in which changes must be at 01:00 UTC, see ecl_clock_make */
#define STRICT_FROM APR_INT64_C(631152000) /* 1990-01-01 */
#define STRICT_TO APR_INT64_C(2871763200)  /* 2061-01-01 */

struct ecl_clock_t {
    int count;
    const ecl_zone_change_t *changes;
    int first[STRETCHES]; /* of a stretch: the change in force as it starts */
};

int ecl_date_from_ymd(int year, int month, int day, ecl_date_t *pdate)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int march_year, month_day;

    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > lengths[month - 1] + (month == 2 && is_leap)) {
        return 0;
    }
    /* years that start in March have their leap day at the end: then the days before a month are
     * (153 × month + 2) / 5, with March as 0 */
    march_year = year - (month <= 2);
    month_day = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    *pdate = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 + month_day -
             719468;
    return 1;
}

void ecl_date_to_ymd(ecl_date_t date, int *pyear, int *pmonth, int *pday)
{
    /* the reverse, in eras of 400 years = 146097 days */
    apr_int64_t days = (apr_int64_t)date + 719468;
    apr_int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int day_of_era = (int)(days - era * 146097);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153;

    *pday = day_of_year - (153 * month + 2) / 5 + 1;
    *pmonth = month < 10 ? month + 3 : month - 9;
    *pyear = (int)(era * 400) + year_of_era + (*pmonth <= 2);
}

void ecl_date_print(ecl_date_t date, char text[ECL_DATE_TEXT])
{
    int year, month, day;

    ecl_date_to_ymd(date, &year, &month, &day);
    text[0] = (char)('0' + year / 1000 % 10);
    text[1] = (char)('0' + year / 100 % 10);
    text[2] = (char)('0' + year / 10 % 10);
    text[3] = (char)('0' + year % 10);
    text[4] = '-';
    text[5] = (char)('0' + month / 10);
    text[6] = (char)('0' + month % 10);
    text[7] = '-';
    text[8] = (char)('0' + day / 10);
    text[9] = (char)('0' + day % 10);
    text[10] = '\0';
}

/* Whether the view meter_readings is right about this zone: it takes the local time to jump by
 * whole hours at 01:00 UTC of the local date, on every day that has not 1440 minutes. */
static int is_supported(const ecl_clock_t *clock)
{
    int i;

    for (i = 1; i < clock->count; i++) {
        const ecl_zone_change_t *change = &clock->changes[i];
        int local = 3600 + clock->changes[i - 1].offset; /* as the clock shows before the change */

        if (change->utc >= STRICT_FROM && change->utc < STRICT_TO &&
            (change->utc % DAY != 3600 || local <= 0 || local >= DAY)) {
            return 0;
        }
    }
    return 1;
}

static void index_changes(ecl_clock_t *clock)
{
    int stretch, i = 0;

    for (stretch = 0; stretch < STRETCHES; stretch++) {
        while (i + 1 < clock->count && clock->changes[i + 1].utc <= (apr_int64_t)stretch
                                                                        << STRETCH_BITS) {
            i++;
        }
        clock->first[stretch] = i;
    }
}

apr_status_t ecl_clock_make(ecl_clock_t **pclock, const char *name, apr_pool_t *p,
                            ecl_result_t *result)
{
    ecl_clock_t *clock = apr_pcalloc(p, sizeof *clock);
    ecl_zone_t *zone;
    apr_status_t rv = ecl_zone_make(&zone, name, p, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    clock->count = zone->count;
    clock->changes = zone->changes;
    if (!is_supported(clock)) {
        return ecl_fail(result, ECL_ECONFIG, "unsupported-timezone",
                        "the time zone '%s' changes its clocks at another time than 01:00 UTC, "
                        "which is not supported; expected Europe/London, UTC or a zone of the "
                        "European Union",
                        name);
    }
    index_changes(clock);
    *pclock = clock;
    return APR_SUCCESS;
}

/* Which change is in force at an instant. */
static int find(const ecl_clock_t *clock, apr_int64_t utc)
{
    int i;

    if (utc < 0) {
        return 0;
    }
    if (utc >= CLOCK_END) {
        return clock->count - 1;
    }
    i = clock->first[utc >> STRETCH_BITS];
    while (i + 1 < clock->count && clock->changes[i + 1].utc <= utc) {
        i++;
    }
    return i;
}

/* The instant at which a local date begins. */
static apr_int64_t midnight(const ecl_clock_t *clock, ecl_date_t date)
{
    apr_int64_t local = (apr_int64_t)date * DAY;
    int i = find(clock, local - DAY);
    apr_int64_t utc = local - clock->changes[i].offset;

    /* Changes after the day before: midnight is then as late as they say. One that skips midnight
     * itself begins the day. */
    while (i + 1 < clock->count && clock->changes[i + 1].utc <= utc) {
        i++;
        utc = local - clock->changes[i].offset;
        if (utc < clock->changes[i].utc) {
            return clock->changes[i].utc;
        }
    }
    return utc;
}

void ecl_clock_day(const ecl_clock_t *clock, ecl_date_t date, ecl_clock_day_t *day)
{
    apr_int64_t end = midnight(clock, date + 1);

    day->date = date;
    day->start = midnight(clock, date);
    day->minutes = (int)((end - day->start) / 60);
    day->change_minute = 0;
    if (day->minutes != 1440) {
        day->change_minute = (int)((clock->changes[find(clock, end - 1)].utc - day->start) / 60);
    }
}

void ecl_clock_from_utc(const ecl_clock_t *clock, apr_int64_t utc_seconds, ecl_clock_day_t *day,
                        int *pminute)
{
    apr_int64_t local = utc_seconds + clock->changes[find(clock, utc_seconds)].offset;

    ecl_clock_day(clock, (ecl_date_t)(local >= 0 ? local / DAY : -((DAY - 1 - local) / DAY)), day);
    *pminute = (int)((utc_seconds - day->start) / 60);
}

ecl_clock_label_t ecl_clock_label(const ecl_clock_day_t *day, int label_minute, int second,
                                  int *pminute)
{
    int extra = day->minutes - 1440; /* negative on the short day */

    if (!extra || label_minute < day->change_minute - (extra > 0 ? extra : 0)) {
        *pminute = label_minute;
        return ECL_LABEL_OK;
    }
    if (extra > 0 && label_minute < day->change_minute) {
        *pminute = second ? label_minute + extra : label_minute;
        return ECL_LABEL_AMBIGUOUS;
    }
    if (extra < 0 && label_minute < day->change_minute - extra) {
        return ECL_LABEL_SKIPPED;
    }
    *pminute = label_minute + extra;
    return ECL_LABEL_OK;
}
