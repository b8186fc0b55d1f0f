/*
 * Days go into series, one for each meter, channel and interval. A series has a byte for each day
 * from its first to its last, counts of its readings by size, and its extremes. Days of which not
 * all is there yet have a bit for each reading until they are whole.
 */
#include "checks.h"

#include <apr_hash.h>
#include <stddef.h>
#include <stdlib.h>

#define ZERO_DAYS 7        /* as many in a row are worth a word */
#define READINGS_ENOUGH 48 /* to say what is usual for a meter */
#define SMALLEST 17        /* what is below 2^17 of a decimal is counted as that */
#define SIZES (63 - SMALLEST)
#define LARGE (37 - SMALLEST) /* implausible from here on, */
#define TIMES 11              /* when 2^11 lies between it and what the middle one is less than */
#define REGISTER_KWH 1000     /* a half-hour: 2 MW all the time */
#define DAMAGED_ZEROS "000000"

/* of a day */
enum { SEEN = 1, WHOLE = 2, IN_PARTS = 4, NOT_ZERO = 8 };

typedef struct reading_t {
    ecl_decimal_t value;
    ecl_date_t date;
    int period; /* from 1 */
} reading_t;

typedef struct series_t {
    const char *meter;
    ecl_meter_kind_t kind;
    char channel[8], unit[8];
    int interval_minutes;
    apr_int64_t line; /* the first one with a reading of it */
    unsigned char *days;
    ecl_date_t base; /* of days[0] */
    int room;
    ecl_date_t first, last;
    int is_unchecked; /* there was no room for its days */
    apr_uint32_t sizes[SIZES];
    apr_int64_t readings;
    reading_t largest;
    ecl_decimal_t smallest;
} series_t;

typedef struct series_key_t {
    int interval_minutes;
    char channel[8];
    char meter[ECL_METER_MAX];
} series_key_t;

typedef struct part_key_t {
    const series_t *series;
    apr_int64_t date;
} part_key_t;

typedef struct part_t {
    part_key_t key;
    int count, periods;
    apr_uint64_t given[(ECL_PERIODS_MAX + 63) / 64];
    struct part_t *next_free;
} part_t;

struct ecl_checks_t {
    apr_pool_t *pool;
    apr_hash_t *index; /* series_key_t, as far as its meter's text goes → series_t */
    series_t **series;
    int series_count, series_room;
    series_t *last; /* days of a meter follow each other */
    apr_int64_t day_bytes;
    apr_hash_t *parts; /* part_key_t → part_t */
    part_t *free_part;
    int has_more_series, has_more_parts;
};

ecl_checks_t *ecl_checks_make(apr_pool_t *p)
{
    ecl_checks_t *checks = apr_pcalloc(p, sizeof *checks);

    checks->pool = p;
    checks->index = apr_hash_make(p);
    checks->parts = apr_hash_make(p);
    return checks;
}

/* ---- series ---------------------------------------------------------------------------------- */

static series_t *make_series(ecl_checks_t *checks, const ecl_meter_day_t *day)
{
    series_t *series;

    if (checks->series_count == ECL_CHECKS_SERIES) {
        checks->has_more_series = 1;
        return NULL;
    }
    if (checks->series_count == checks->series_room) {
        int room = checks->series_room * 2 + 16;
        series_t **larger = apr_palloc(checks->pool, (apr_size_t)room * sizeof(series_t *));

        if (checks->series_count) {
            memcpy(larger, checks->series, (apr_size_t)checks->series_count * sizeof(series_t *));
        }
        checks->series = larger;
        checks->series_room = room;
    }
    series = apr_pcalloc(checks->pool, sizeof *series);
    series->meter = apr_pstrdup(checks->pool, day->meter);
    series->kind = day->kind;
    apr_cpystrn(series->channel, day->channel, sizeof series->channel);
    apr_cpystrn(series->unit, day->unit, sizeof series->unit);
    series->interval_minutes = day->interval_minutes;
    series->line = day->line;
    checks->series[checks->series_count++] = series;
    return series;
}

/* The day's series; NULL: there are too many. */
static series_t *series_of(ecl_checks_t *checks, const ecl_meter_day_t *day)
{
    apr_size_t length = strlen(day->meter);
    apr_ssize_t key_length = (apr_ssize_t)(offsetof(series_key_t, meter) + length);
    series_t *series = checks->last;
    series_key_t key;

    if (series && series->interval_minutes == day->interval_minutes &&
        !strcmp(series->meter, day->meter) && !strcmp(series->channel, day->channel)) {
        return series;
    }
    memset(&key, 0, offsetof(series_key_t, meter));
    key.interval_minutes = day->interval_minutes;
    apr_cpystrn(key.channel, day->channel, sizeof key.channel);
    memcpy(key.meter, day->meter, length);
    series = apr_hash_get(checks->index, &key, key_length);
    if (!series) {
        series = make_series(checks, day);
        if (series) {
            apr_hash_set(checks->index, apr_pmemdup(checks->pool, &key, (apr_size_t)key_length),
                         key_length, series);
        }
    }
    checks->last = series;
    return series;
}

/* ---- days ------------------------------------------------------------------------------------ */

/* Room for twice as many days as there are now, in the direction in which the series grows. What is
 * outgrown stays in the pool, and is less than what replaces it. */
static int make_room(ecl_checks_t *checks, series_t *series, ecl_date_t date)
{
    int is_back = series->room && date < series->base;
    ecl_date_t first = is_back ? date : series->room ? series->first : date;
    ecl_date_t last = is_back ? series->last : date;
    int room = 2 * (last - first + 1) + 64;
    ecl_date_t base = is_back ? last - room + 1 : first;
    unsigned char *days;

    if (checks->day_bytes + room > ECL_CHECKS_DAY_BYTES) {
        return 0;
    }
    checks->day_bytes += room;
    days = apr_pcalloc(checks->pool, (apr_size_t)room);
    if (series->room) {
        memcpy(days + (series->first - base), series->days + (series->first - series->base),
               (apr_size_t)(series->last - series->first + 1));
    }
    series->days = days;
    series->base = base;
    series->room = room;
    return 1;
}

/* The byte of a day; NULL: there is no more room. */
static unsigned char *day_of(ecl_checks_t *checks, series_t *series, ecl_date_t date)
{
    int is_first = !series->room;

    if (series->is_unchecked) {
        return NULL;
    }
    if ((is_first || date < series->base || date >= series->base + series->room) &&
        !make_room(checks, series, date)) {
        series->is_unchecked = 1;
        return NULL;
    }
    if (is_first || date < series->first) {
        series->first = date;
    }
    if (is_first || date > series->last) {
        series->last = date;
    }
    return &series->days[date - series->base];
}

static part_t *find_part(const ecl_checks_t *checks, const series_t *series, ecl_date_t date)
{
    part_key_t key = {series, date};

    return apr_hash_get(checks->parts, &key, sizeof key);
}

static void forget_part(ecl_checks_t *checks, part_t *part)
{
    apr_hash_set(checks->parts, &part->key, sizeof part->key, NULL);
    part->next_free = checks->free_part;
    checks->free_part = part;
}

/* NULL: there are too many. */
static part_t *make_part(ecl_checks_t *checks, const series_t *series, const ecl_meter_day_t *day)
{
    part_t *part = checks->free_part;

    if (apr_hash_count(checks->parts) == ECL_CHECKS_PARTS) {
        checks->has_more_parts = 1;
        return NULL;
    }
    if (part) {
        checks->free_part = part->next_free;
        memset(part, 0, sizeof *part);
    } else {
        part = apr_pcalloc(checks->pool, sizeof *part);
    }
    part->key.series = series;
    part->key.date = day->date;
    part->periods = day->periods;
    apr_hash_set(checks->parts, &part->key, sizeof part->key, part);
    return part;
}

/* Adds a part of a day that is not whole. */
static void gather(ecl_checks_t *checks, const series_t *series, const ecl_meter_day_t *day,
                   unsigned char *marks)
{
    part_t *part =
        *marks & IN_PARTS ? find_part(checks, series, day->date) : make_part(checks, series, day);

    if (!part) {
        return;
    }
    *marks |= IN_PARTS;
    for (int i = 0; i < day->periods; i++) {
        apr_uint64_t bit = APR_UINT64_C(1) << (i % 64);

        if (day->values[i] != ECL_DECIMAL_MISSING && !(part->given[i / 64] & bit)) {
            part->given[i / 64] |= bit;
            part->count++;
        }
    }
    if (part->count == part->periods) {
        *marks = (unsigned char)((*marks | WHOLE) & ~IN_PARTS);
        forget_part(checks, part);
    }
}

/* ---- readings -------------------------------------------------------------------------------- */

static int size_of(ecl_decimal_t value)
{
    int bits = 63 - __builtin_clzll((unsigned long long)value);

    return bits > SMALLEST ? bits - SMALLEST : 0;
}

static int is_earlier(const reading_t *a, const reading_t *b)
{
    return a->date != b->date ? a->date < b->date : a->period < b->period;
}

/* Takes a day's readings into the series; returns how many there are. */
static int note_readings(series_t *series, const ecl_meter_day_t *day)
{
    ecl_decimal_t smallest = APR_INT64_MAX;
    reading_t largest = {ECL_DECIMAL_MISSING, day->date, 0}; /* MISSING is below any value */
    int count = 0;

    for (int i = 0; i < day->periods; i++) {
        ecl_decimal_t value = day->values[i];

        if (value == ECL_DECIMAL_MISSING) {
            continue;
        }
        count++;
        if (value > 0) {
            series->sizes[size_of(value)]++;
        }
        smallest = value < smallest ? value : smallest;
        if (value > largest.value) {
            largest.value = value;
            largest.period = i + 1;
        }
    }
    if (!count) {
        return 0;
    }
    if (!series->readings || smallest < series->smallest) {
        series->smallest = smallest;
    }
    if (!series->readings || largest.value > series->largest.value ||
        (largest.value == series->largest.value && is_earlier(&largest, &series->largest))) {
        series->largest = largest;
    }
    series->readings += count;
    return count;
}

static int has_only_zeros(const ecl_meter_day_t *day)
{
    for (int i = 0; i < day->periods; i++) {
        if (day->values[i] != ECL_DECIMAL_MISSING && day->values[i] != 0) {
            return 0;
        }
    }
    return 1;
}

void ecl_checks_day(ecl_checks_t *checks, const ecl_meter_day_t *day)
{
    series_t *series;
    unsigned char *marks;
    int count;

    if (!strcmp(day->channel, ECL_CHANNEL_VOLUME)) {
        return; /* goes along with what it was converted to */
    }
    series = series_of(checks, day);
    if (!series) {
        return;
    }
    count = note_readings(series, day);
    if (!count) {
        return;
    }
    if (day->line < series->line) {
        series->line = day->line;
    }
    marks = day_of(checks, series, day->date);
    if (!marks) {
        return;
    }
    *marks |= (unsigned char)(SEEN | (has_only_zeros(day) ? 0 : NOT_ZERO));
    if (count == day->periods && *marks & IN_PARTS) {
        forget_part(checks, find_part(checks, series, day->date));
        *marks = (unsigned char)(*marks & ~IN_PARTS);
    }
    if (count == day->periods) {
        *marks |= WHOLE;
    } else if (!(*marks & WHOLE)) {
        gather(checks, series, day, marks);
    }
}

/* ---- telling --------------------------------------------------------------------------------- */

typedef struct teller_t {
    const ecl_checks_t *checks;
    ecl_checks_tell_fn *tell;
    void *baton;
    char text[400];
} teller_t;

__attribute__((format(printf, 4, 5))) static void say(teller_t *teller, const char *code,
                                                      apr_int64_t count, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    apr_vsnprintf(teller->text, sizeof teller->text, fmt, args);
    va_end(args);
    teller->tell(teller->baton, code, count, teller->text);
}

static void say_days(teller_t *teller, const series_t *series, const char *code, int by,
                     ecl_date_t first, int days)
{
    char from[ECL_DATE_TEXT], to[ECL_DATE_TEXT];

    ecl_date_print(first, from);
    ecl_date_print(first + days - 1, to);
    if (days == 1) {
        say(teller, code, by, "meter %s, %s: %s", series->meter, series->channel, from);
    } else {
        say(teller, code, by, "meter %s, %s: %s to %s, %d days", series->meter, series->channel,
            from, to, days);
    }
}

static unsigned char marks_at(const series_t *series, ecl_date_t date)
{
    return series->days[date - series->base];
}

static void tell_gaps(teller_t *teller, const series_t *series)
{
    int days = 0;

    for (ecl_date_t date = series->first; date <= series->last; date++) {
        if (!(marks_at(series, date) & SEEN)) {
            days++;
        } else if (days) {
            say_days(teller, series, "missing-days", days, date - days, days);
            days = 0;
        }
    }
}

static void tell_zeros(teller_t *teller, const series_t *series)
{
    int days = 0;

    if (strcmp(series->channel, "AI")) {
        return; /* to export nothing is usual */
    }
    for (ecl_date_t date = series->first; date <= series->last + 1; date++) {
        if (date <= series->last && (marks_at(series, date) & (SEEN | NOT_ZERO)) == SEEN) {
            days++;
            continue;
        }
        if (days >= ZERO_DAYS) {
            say_days(teller, series, "zero-days", 1, date - days, days);
        }
        days = 0;
    }
}

static void tell_parts(teller_t *teller, const series_t *series)
{
    char text[ECL_DATE_TEXT];

    if (teller->checks->has_more_parts) {
        return; /* what is not known to be whole may well be */
    }
    for (ecl_date_t date = series->first; date <= series->last; date++) {
        if (marks_at(series, date) & IN_PARTS) {
            const part_t *part = find_part(teller->checks, series, date);

            ecl_date_print(date, text);
            say(teller, "part-days", 1, "meter %s, %s, %s: %d of %d readings", series->meter,
                series->channel, text, part->count, part->periods);
        }
    }
}

/* The size of the middle one of the readings above zero; -1: they are too few. */
static int middle_size(const series_t *series)
{
    apr_int64_t total = 0, below = 0;
    int size = 0;

    for (int i = 0; i < SIZES; i++) {
        total += series->sizes[i];
    }
    if (total < READINGS_ENOUGH) {
        return -1;
    }
    while (below + series->sizes[size] <= total / 2) {
        below += series->sizes[size++];
    }
    return size;
}

static void tell_implausible(teller_t *teller, const series_t *series)
{
    char date[ECL_DATE_TEXT], value[ECL_DECIMAL_TEXT];
    int middle = middle_size(series), from = middle + TIMES;
    apr_int64_t count = 0;

    if (middle < 0) {
        return;
    }
    for (int i = from > LARGE ? from : LARGE; i < SIZES; i++) {
        count += series->sizes[i];
    }
    if (count) {
        ecl_date_print(series->largest.date, date);
        ecl_decimal_print(series->largest.value, value);
        say(teller, "implausible-value", count, "meter %s, %s, %s, period %d: %s %s", series->meter,
            series->channel, date, series->largest.period, value, series->unit);
    }
}

static void tell_register(teller_t *teller, const series_t *series)
{
    char from[ECL_DECIMAL_TEXT], to[ECL_DECIMAL_TEXT];
    ecl_decimal_t least = REGISTER_KWH * ECL_DECIMAL_ONE / 30 * series->interval_minutes;

    if (series->readings < READINGS_ENOUGH || series->smallest < least ||
        series->largest.value == series->smallest ||
        series->largest.value - series->smallest >= series->smallest) {
        return;
    }
    ecl_decimal_print(series->smallest, from);
    ecl_decimal_print(series->largest.value, to);
    say(teller, "register-level", 1, "meter %s, %s: from %s to %s %s", series->meter,
        series->channel, from, to, series->unit);
}

static void tell_series(teller_t *teller, const series_t *series)
{
    if (!series->is_unchecked) {
        tell_gaps(teller, series);
        tell_parts(teller, series);
        tell_zeros(teller, series);
    }
    if (series->interval_minutes < 1440) {
        tell_implausible(teller, series);
        tell_register(teller, series);
    }
}

static int by_meter(const void *a, const void *b)
{
    const series_t *left = *(series_t *const *)a, *right = *(series_t *const *)b;
    int order = strcmp(left->meter, right->meter);

    return order ? order : left->line < right->line ? -1 : left->line > right->line;
}

static int by_line(const void *a, const void *b)
{
    const series_t *left = *(series_t *const *)a, *right = *(series_t *const *)b;
    int order = left->line < right->line ? -1 : left->line > right->line;

    order = order ? order : strcmp(left->meter, right->meter);
    order = order ? order : strcmp(left->channel, right->channel);
    return order ? order : left->interval_minutes - right->interval_minutes;
}

static int is_rounded_number(const series_t *series)
{
    apr_size_t zeros = sizeof DAMAGED_ZEROS - 1;

    return !strcmp(series->meter + strlen(series->meter) - zeros, DAMAGED_ZEROS);
}

static void tell_resaved(teller_t *teller, series_t **series, int count)
{
    const series_t *first = NULL;
    int numbers = 0, rounded = 0;

    qsort(series, (apr_size_t)count, sizeof *series, by_meter);
    for (int i = 0; i < count; i++) {
        if ((i && !strcmp(series[i]->meter, series[i - 1]->meter)) ||
            series[i]->kind != ECL_METER_MPAN) {
            continue;
        }
        numbers++;
        if (is_rounded_number(series[i])) {
            rounded++;
            first = first && first->line < series[i]->line ? first : series[i];
        }
    }
    if (rounded && rounded >= numbers - rounded) {
        say(teller, "resaved-identifiers", rounded, "line %" APR_INT64_T_FMT ": %s", first->line,
            first->meter);
    }
}

static void tell_limits(teller_t *teller, series_t *const *series, int count)
{
    int unchecked = 0;

    for (int i = 0; i < count; i++) {
        unchecked += series[i]->is_unchecked;
    }
    if (teller->checks->has_more_series) {
        say(teller, "checks-limited", 1,
            "more than %d meters and channels: those that come later were not looked at",
            ECL_CHECKS_SERIES);
    }
    if (unchecked) {
        say(teller, "checks-limited", 1,
            "too many days between the first and the last: %d meters and channels were not looked "
            "at for missing, incomplete and empty days",
            unchecked);
    }
    if (teller->checks->has_more_parts) {
        say(teller, "checks-limited", 1,
            "more than %d days in parts: incomplete days were not counted", ECL_CHECKS_PARTS);
    }
}

void ecl_checks_tell(const ecl_checks_t *checks, ecl_checks_tell_fn *tell, void *baton)
{
    teller_t teller = {.checks = checks, .tell = tell, .baton = baton};
    int count = checks->series_count;
    series_t **series;
    apr_pool_t *p;

    if (!count) {
        return;
    }
    apr_pool_create(&p, checks->pool);
    series = apr_pmemdup(p, checks->series, (apr_size_t)count * sizeof *series);
    tell_resaved(&teller, series, count);
    qsort(series, (apr_size_t)count, sizeof *series, by_line);
    for (int i = 0; i < count; i++) {
        tell_series(&teller, series[i]);
    }
    tell_limits(&teller, series, count);
    apr_pool_destroy(p);
}
