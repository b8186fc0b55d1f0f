/*
 * Time zones: their names, and when they change their clocks.
 */
#ifndef ECL_TIMEZONE_H
#define ECL_TIMEZONE_H

#include "ecl.h"

/* Whether the tz database that is installed has a zone of that name ("Europe/London"), or it is
 * "UTC". */
int ecl_timezone_is_known(const char *name, apr_pool_t *p);

typedef struct ecl_zone_change_t {
    apr_int64_t utc;       /* seconds since 1970: from this instant on */
    int offset;            /* seconds east of UTC */
    char abbreviation[12]; /* "BST" */
} ecl_zone_change_t;

typedef struct ecl_zone_t {
    const char *name;
    int count;                  /* at least 1 */
    ecl_zone_change_t *changes; /* by time; changes[0] stands for all time before changes[1] */
} ecl_zone_t;

/* A zone by its tz database name, with all its changes from 1970 to 2099; beyond there are none.
 * Allocated from p, and only to be read. ECL_ECONFIG, code "unknown-timezone".
 * libc knows one zone at a time, for the whole process (TZ): this sets it during the call. Not
 * while other threads run. */
apr_status_t ecl_zone_make(ecl_zone_t **pzone, const char *name, apr_pool_t *p,
                           ecl_result_t *result);

/* What is in force at an instant (seconds since 1970). */
const ecl_zone_change_t *ecl_zone_at(const ecl_zone_t *zone, apr_int64_t utc);

#endif /* ECL_TIMEZONE_H */
