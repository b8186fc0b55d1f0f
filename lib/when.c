#include "when.h"

#include <apr_lib.h>

/* The parts of a time as they were given. */
typedef struct parts_t {
    int year, month, day, hour, minute, second;
    int has_offset;
    int offset; /* seconds east of UTC */
} parts_t;

static apr_status_t not_a_time(const char *text, const ecl_zone_t *zone, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EINPUT, "bad-run-after",
                    "\"%s\" is not a time to start at; it is given as 2026-11-24T02:00 (%s), or "
                    "with an offset, as 2026-11-24T02:00:00Z",
                    text,
                    zone ? apr_pstrcat(result->pool, "local time, ", zone->name, NULL)
                         : "local time, which is not known here");
}

/* Takes so many digits; returns the place after them, NULL if there are not as many or the number
 * is not within [min, max]. */
static const char *take(const char *s, int digits, int min, int max, int *pnumber)
{
    int number = 0;

    for (int i = 0; i < digits; i++, s++) {
        if (!apr_isdigit(*s)) {
            return NULL;
        }
        number = number * 10 + (*s - '0');
    }
    *pnumber = number;
    return number >= min && number <= max ? s : NULL;
}

static const char *take_char(const char *s, const char *accepted)
{
    return s && *s && strchr(accepted, *s) ? s + 1 : NULL;
}

/* ":30", ":30.123" or nothing. A fraction of a second is read and has no meaning. */
static const char *take_second(const char *s, parts_t *parts)
{
    if (!s || *s != ':') {
        return s;
    }
    s = take(s + 1, 2, 0, 59, &parts->second);
    if (s && *s == '.' && apr_isdigit(s[1])) {
        s += 1 + strspn(s + 1, "0123456789");
    }
    return s;
}

/* "Z", "+01:00" or nothing. */
static const char *take_offset(const char *s, parts_t *parts)
{
    int sign, hours, minutes;

    if (!s || !*s) {
        return s;
    }
    parts->has_offset = 1;
    if (*s == 'Z' || *s == 'z') {
        return s + 1;
    }
    sign = *s == '-' ? -1 : 1;
    s = take_char(s, "+-");
    s = s ? take(s, 2, 0, 23, &hours) : NULL;
    s = take_char(s, ":");
    s = s ? take(s, 2, 0, 59, &minutes) : NULL;
    if (s) {
        parts->offset = sign * (hours * 3600 + minutes * 60);
    }
    return s;
}

/* Returns 0 when the text is no time at all. */
static int read_parts(const char *text, parts_t *parts)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *s = take(text, 4, 1970, 9999, &parts->year);
    int is_leap;

    s = take_char(s, "-");
    s = s ? take(s, 2, 1, 12, &parts->month) : NULL;
    s = take_char(s, "-");
    s = s ? take(s, 2, 1, 31, &parts->day) : NULL;
    s = take_char(s, "Tt ");
    s = s ? take(s, 2, 0, 23, &parts->hour) : NULL;
    s = take_char(s, ":");
    s = s ? take(s, 2, 0, 59, &parts->minute) : NULL;
    s = take_offset(take_second(s, parts), parts);
    if (!s || *s) {
        return 0;
    }
    is_leap = (parts->year % 4 == 0 && parts->year % 100 != 0) || parts->year % 400 == 0;
    return parts->day <= lengths[parts->month - 1] + (parts->month == 2 && is_leap);
}

/* Seconds since 1970 as if the parts were UTC. */
static apr_int64_t as_utc(const parts_t *parts)
{
    apr_time_exp_t x = {.tm_year = parts->year - 1900,
                        .tm_mon = parts->month - 1,
                        .tm_mday = parts->day,
                        .tm_hour = parts->hour,
                        .tm_min = parts->minute,
                        .tm_sec = parts->second};
    apr_time_t t = 0;

    apr_time_exp_gmt_get(&t, &x);
    return apr_time_sec(t);
}

static const char *offset_text(int offset, apr_pool_t *p)
{
    int minutes = (offset < 0 ? -offset : offset) / 60;

    return apr_psprintf(p, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* The instant at which a clock in the zone shows `local`. */
static apr_status_t from_local(const char *text, apr_int64_t local, const ecl_zone_t *zone,
                               apr_int64_t *putc, ecl_result_t *result)
{
    /* what is in force a day before and after covers a change in between; no two lie so close */
    int before = ecl_zone_at(zone, local - 86400)->offset;
    int after = ecl_zone_at(zone, local + 86400)->offset;
    int is_before = ecl_zone_at(zone, local - before)->offset == before;
    int is_after = ecl_zone_at(zone, local - after)->offset == after;

    if (!is_before && !is_after) {
        return ecl_fail(result, ECL_EINPUT, "bad-run-after",
                        "\"%s\" does not exist in %s: the clocks go forward over it; choose "
                        "another time",
                        text, zone->name);
    }
    if (is_before && is_after && before != after) {
        return ecl_fail(result, ECL_EINPUT, "bad-run-after",
                        "\"%s\" comes twice in %s, where the clocks go back: choose another time, "
                        "or say which with an offset, %s or %s",
                        text, zone->name, offset_text(before, result->pool),
                        offset_text(after, result->pool));
    }
    *putc = local - (is_before ? before : after);
    return APR_SUCCESS;
}

apr_status_t ecl_when_parse(const char *text, const ecl_zone_t *zone, apr_time_t now,
                            apr_time_t *pwhen, ecl_result_t *result)
{
    parts_t parts = {0};
    apr_int64_t utc;

    *pwhen = 0;
    if (!text || !*text) {
        return APR_SUCCESS;
    }
    if (!read_parts(text, &parts) || (!parts.has_offset && !zone)) {
        return not_a_time(text, zone, result);
    }
    utc = as_utc(&parts) - parts.offset;
    if (!parts.has_offset) {
        apr_status_t rv = from_local(text, utc, zone, &utc, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (utc > apr_time_sec(now) + ECL_WHEN_DAYS_AHEAD * 86400) {
        return ecl_fail(result, ECL_EINPUT, "bad-run-after",
                        "\"%s\" is more than %d days ahead; choose an earlier time", text,
                        ECL_WHEN_DAYS_AHEAD);
    }
    *pwhen = apr_time_from_sec(utc);
    return APR_SUCCESS;
}

const char *ecl_when_print(apr_time_t when, const ecl_zone_t *zone, apr_pool_t *p)
{
    const ecl_zone_change_t *change = zone ? ecl_zone_at(zone, apr_time_sec(when)) : NULL;
    apr_time_exp_t x;

    if (apr_time_exp_tz(&x, when, change ? change->offset : 0) != APR_SUCCESS) {
        return "";
    }
    return apr_psprintf(p, "%d %s %d, %02d:%02d %s", x.tm_mday, apr_month_snames[x.tm_mon],
                        x.tm_year + 1900, x.tm_hour, x.tm_min,
                        change ? change->abbreviation : "UTC");
}
