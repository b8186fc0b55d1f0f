/*
 * What people want to know of their data before they rely on it, found while its days go by:
 *
 *   missing-days            days without readings between a meter's first and last day
 *   part-days               days with fewer readings than they have periods
 *   zero-days               seven days or more in a row on which everything imported is zero
 *   implausible-value       a reading of more than 137 kWh (2^37 of our decimals, which makes it a
 *                           matter of counting bits) and more than a thousand times the middle one
 *                           of the meter's readings other than zero, of which there are 48 or more
 *   register-level          48 readings or more, all of 1,000 kWh a half-hour or more and within a
 *                           factor of two: a register's reads look like that
 *   resaved-identifiers     half or more of the file's 13-digit identifiers end in six zeros, as a
 *                           spreadsheet leaves them
 *   checks-limited          what of this was not looked at, since the bounds below were reached
 *
 * Findings depend on what the file gives, and not on the parts in which its days come, nor on the
 * order of these: so a job that goes on after a crash need only feed the days it passes over.
 *
 * Memory: ECL_CHECKS_SERIES meters and channels of about 400 bytes, ECL_CHECKS_DAY_BYTES of one
 * byte for each day between a meter's first and last, and ECL_CHECKS_PARTS days in parts of about
 * 150 bytes.
 */
#ifndef ECL_CHECKS_H
#define ECL_CHECKS_H

#include "meter_day.h"

#define ECL_CHECKS_SERIES 10000
#define ECL_CHECKS_DAY_BYTES (8 * 1024 * 1024)
#define ECL_CHECKS_PARTS 50000

typedef struct ecl_checks_t ecl_checks_t;

/* Freed with p. */
ecl_checks_t *ecl_checks_make(apr_pool_t *p);

/* Takes note of all or some readings of a day. */
void ecl_checks_day(ecl_checks_t *checks, const ecl_meter_day_t *day);

/* Hears of a finding: of how many, and one sentence; valid during the call. */
typedef void ecl_checks_tell_fn(void *baton, const char *code, apr_int64_t count,
                                const char *example);

/* Tells what was found, in the order in which the file's lines first name a meter. To be called
 * once, after the last day. */
void ecl_checks_tell(const ecl_checks_t *checks, ecl_checks_tell_fn *tell, void *baton);

#endif /* ECL_CHECKS_H */
