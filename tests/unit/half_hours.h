/*
 * For tests of what a file says: its readings by meter, channel and UTC time, whatever the
 * settlement days they were handed over in. Included after reading.h.
 */
#ifndef TESTS_HALF_HOURS_H
#define TESTS_HALF_HOURS_H

#include <apr_hash.h>

typedef struct half_hour_t {
    const char *key; /* "meter|channel|unit|minutes since 1970 UTC" */
    ecl_decimal_t value;
    char flag;
} half_hour_t;

typedef struct half_hours_t {
    apr_pool_t *pool;
    apr_hash_t *all;
} half_hours_t;

static inline half_hours_t make_half_hours(apr_pool_t *p)
{
    return (half_hours_t){p, apr_hash_make(p)};
}

/* A later one wins, as in the store. */
static inline void put_half_hour(half_hours_t *set, const char *meter, const char *channel,
                                 const char *unit, apr_int64_t utc_minute, ecl_decimal_t value,
                                 char flag)
{
    half_hour_t *one = apr_palloc(set->pool, sizeof(*one));

    one->key =
        apr_psprintf(set->pool, "%s|%s|%s|%" APR_INT64_T_FMT, meter, channel, unit, utc_minute);
    one->value = value;
    one->flag = flag;
    apr_hash_set(set->all, one->key, APR_HASH_KEY_STRING, one);
}

static inline half_hours_t half_hours_of(const reading_t *r, apr_pool_t *p)
{
    half_hours_t set = make_half_hours(p);

    for (int i = 0; i < r->days->nelts; i++) {
        const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, i, ecl_meter_day_t);

        for (int n = 0; n < day->periods; n++) {
            if (day->values[n] != ECL_DECIMAL_MISSING) {
                put_half_hour(&set, day->meter, day->channel, day->unit,
                              day->day_start / 60 + (apr_int64_t)n * day->interval_minutes,
                              day->values[n], day->flags[n]);
            }
        }
    }
    return set;
}

/* 1 when both hold the same; prints the first difference under a name. */
static inline int same_half_hours(const char *name, const half_hours_t *found,
                                  const half_hours_t *expected)
{
    for (apr_hash_index_t *i = apr_hash_first(expected->pool, expected->all); i;
         i = apr_hash_next(i)) {
        const half_hour_t *want = apr_hash_this_val(i);
        const half_hour_t *have = apr_hash_get(found->all, want->key, APR_HASH_KEY_STRING);

        if (!have) {
            print_error("%s: %s is missing (found %u of %u)\n", name, want->key,
                        apr_hash_count(found->all), apr_hash_count(expected->all));
            return 0;
        }
        if (have->value != want->value || have->flag != want->flag) {
            print_error("%s: %s is %" APR_INT64_T_FMT " %c, expected %" APR_INT64_T_FMT " %c\n",
                        name, want->key, have->value, have->flag, want->value, want->flag);
            return 0;
        }
    }
    for (apr_hash_index_t *i = apr_hash_first(found->pool, found->all); i; i = apr_hash_next(i)) {
        const half_hour_t *have = apr_hash_this_val(i);

        if (!apr_hash_get(expected->all, have->key, APR_HASH_KEY_STRING)) {
            print_error("%s: %s is too much\n", name, have->key);
            return 0;
        }
    }
    return 1;
}

#endif /* TESTS_HALF_HOURS_H */
