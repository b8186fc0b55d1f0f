/*
 * Functions this project does not use, because each has lost data or crashed a server somewhere:
 * unbounded copies, number parsers that accept rubbish, and functions with hidden static state.
 * Included by lib/ecl.h, so that using one fails the build. What to use instead stands beside it.
 */
#ifndef ECL_BANNED_H
#define ECL_BANNED_H

#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf /* apr_pstrcat, apr_psprintf, snprintf */
#pragma GCC poison strtok                         /* apr_strtok */
#pragma GCC poison atoi atol atoll atof           /* ecl_parse_int64 */
#pragma GCC poison localtime gmtime               /* localtime_r, gmtime_r */

#endif /* ECL_BANNED_H */
