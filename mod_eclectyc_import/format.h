/*
 * Numbers, sizes, durations and times in words, for pages. Knows no httpd. Everything returned is
 * allocated from p.
 */
#ifndef ECL_FORMAT_H
#define ECL_FORMAT_H

#include "../lib/ecl.h"

/* 1234567 → "1,234,567" */
const char *ecl_format_count(apr_int64_t n, apr_pool_t *p);

/* 10240 → "10 KB"; units of 1024, one decimal unless it is 0 or the number has three digits */
const char *ecl_format_size(apr_int64_t bytes, apr_pool_t *p);

/* "less than 1 s", "12 s", "1 min 20 s", "2 h 5 min", "3 d 4 h" */
const char *ecl_format_duration(apr_interval_time_t duration_us, apr_pool_t *p);

/* "about 20 s left", "about 2 min left": rounded up, so that it is not a promise broken */
const char *ecl_format_time_left(apr_int64_t seconds, apr_pool_t *p);

/* "23 Nov 2026, 14:05 UTC"; "" for 0 */
const char *ecl_format_time(apr_time_t t, apr_pool_t *p);

/* "14:05 UTC" */
const char *ecl_format_clock(apr_time_t t, apr_pool_t *p);

/* "2026-11-03" → "3 Nov 2026"; anything else as it is */
const char *ecl_format_date(const char *iso, apr_pool_t *p);

/* text, when it is like pattern, where each # stands for a number: words, with those numbers for
 * its
 * #, as "1,234". NULL when it is not. "3 rejected", "# rejected", "# failed" → "3 failed" */
const char *ecl_format_reword(const char *text, const char *pattern, const char *words,
                              apr_pool_t *p);

/* A detail as ecl_result_t has it, made a sentence: first letter large, and a full stop
 * unless it ends with one or with a question mark. */
const char *ecl_format_sentence(const char *detail, apr_pool_t *p);

#endif /* ECL_FORMAT_H */
