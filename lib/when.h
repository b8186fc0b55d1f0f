/*
 * A time that a person or a program gives for something to happen: "tonight at 02:00".
 */
#ifndef ECL_WHEN_H
#define ECL_WHEN_H

#include "timezone.h"

/* How far ahead a time may lie: beyond it is taken for a mistyped year. */
#define ECL_WHEN_DAYS_AHEAD 366

/* Reads "2026-11-24T02:00" (a form's datetime-local; also with a blank for the T, and with
 * seconds), which is a time of day in the zone, or RFC 3339, which has an offset:
 * "2026-11-24T02:00:00Z", "2026-11-24T02:00+01:00". zone NULL: only the latter. An empty text is 0:
 * at once. A time that has passed is accepted; whoever uses it takes it for now. ECL_EINPUT, code
 * "bad-run-after": no such time; a local time that the clocks skip (in March) or show twice (in
 * October): then an offset must say which; more than ECL_WHEN_DAYS_AHEAD ahead. */
apr_status_t ecl_when_parse(const char *text, const ecl_zone_t *zone, apr_time_t now,
                            apr_time_t *pwhen, ecl_result_t *result);

/* "24 Nov 2026, 02:00 GMT", in the zone; zone NULL: in UTC. Allocated from p. */
const char *ecl_when_print(apr_time_t when, const ecl_zone_t *zone, apr_pool_t *p);

#endif /* ECL_WHEN_H */
