/*
 * What every file of the project may use: how a failure is told, and strict number parsing.
 *
 * A function that can fail returns apr_status_t and takes an ecl_result_t, which it fills when it
 * returns anything but APR_SUCCESS. The caller decides what to do with it: lib/ and worker/ never
 * log *and* return the same failure.
 */
#ifndef ECL_H
#define ECL_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <apr_time.h>

#include "ecl_banned.h"

#define ECL_VERSION "0.1.0"

/* The kinds of failure a caller acts on differently. Any other apr_status_t is a system error. */
#define ECL_E(n) (APR_OS_START_USERERR + 7400 + (n))
#define ECL_EINPUT ECL_E(1)       /* the user's input is wrong: tell the user, do not try again */
#define ECL_ENOTFOUND ECL_E(2)    /* there is no such job, file, page */
#define ECL_ECONFLICT ECL_E(3)    /* not possible in the state the thing is in now */
#define ECL_EUNAVAILABLE ECL_E(4) /* database or storage is out of reach: try again later */
#define ECL_ESCHEMA ECL_E(5)      /* the database has a schema this program does not know */
#define ECL_EFENCED ECL_E(6)      /* another worker has claimed the job since: change nothing */
#define ECL_ECONFIG ECL_E(7)      /* a setting is wrong: an administrator acts */
#define ECL_ENOSPACE ECL_E(8)     /* the disk is full */
#define ECL_ESTOPPED ECL_E(9)     /* asked to stop (signal, cancel) between two batches */

/* Why something failed. Make one per operation with ecl_result_make; its strings live as long as
 * the pool given there. */
typedef struct ecl_result_t {
    apr_pool_t *pool;    /* where detail is allocated */
    apr_status_t status; /* what the failing function returned */
    const char *code;    /* stable, kebab-case, for programs: "job-not-found". A literal. */
    const char *detail;  /* one sentence for people, no full stop, no secrets */
} ecl_result_t;

/* An empty result whose texts will be allocated from p. */
ecl_result_t ecl_result_make(apr_pool_t *p);

/* Fills result (which may be NULL: then nothing is kept) and returns status, so that a function
 * can end with `return ecl_fail(result, ECL_EINPUT, "bad-date", "…", …)`. */
apr_status_t ecl_fail(ecl_result_t *result, apr_status_t status, const char *code, const char *fmt,
                      ...) __attribute__((format(printf, 4, 5)));

/* What the operating system says about status ("No such file or directory"), allocated from p. */
const char *ecl_strerror(apr_status_t status, apr_pool_t *p);

/* Parses the whole of text as a decimal integer within [min, max].
 * Returns 1 and sets *pvalue, or returns 0: empty, blanks, other characters, or out of range. */
int ecl_parse_int64(const char *text, apr_int64_t min, apr_int64_t max, apr_int64_t *pvalue);

/* RFC 3339 in UTC with milliseconds, "2026-03-29T00:30:00.000Z"; allocated from p.
 * Returns NULL for 0, which stands for "not yet" in every time column of import_jobs. */
const char *ecl_rfc3339(apr_time_t t, apr_pool_t *p);

#endif /* ECL_H */
