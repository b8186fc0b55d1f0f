/*
 * Names of time zones.
 */
#ifndef ECL_TIMEZONE_H
#define ECL_TIMEZONE_H

#include "ecl.h"

/* Whether the tz database that is installed has a zone of that name ("Europe/London"), or it is
 * "UTC". */
int ecl_timezone_is_known(const char *name, apr_pool_t *p);

#endif /* ECL_TIMEZONE_H */
