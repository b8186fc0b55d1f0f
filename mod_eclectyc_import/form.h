/*
 * What clients send in query strings, urlencoded bodies and form fields: decoded strictly, checked
 * to be UTF-8. Knows no httpd.
 */
#ifndef ECL_FORM_H
#define ECL_FORM_H

#include <apr_tables.h>

#include "../lib/ecl.h"

#define ECL_FORM_FIELDS 250 /* a list of 200 jobs, each with a tick, and what is around it */

/* Resolves %XX, and '+' to a blank if plus_is_space. NULL when a '%' is not followed by two
 * hexadecimal digits, or for %00; else allocated from p. */
char *ecl_form_unescape(const char *text, apr_size_t length, int plus_is_space, apr_pool_t *p);

/* Percent-encodes everything but RFC 3986's unreserved characters, for use in a query. */
char *ecl_form_escape(const char *text, apr_pool_t *p);

/* name=value&name=value → a table, allocated from p; text may be NULL (no fields).
 * ECL_EINPUT, code "bad-parameter", naming the field: malformed escape, not UTF-8, given twice, or
 * more than ECL_FORM_FIELDS. */
apr_status_t ecl_form_parse(const char *text, apr_size_t length, apr_pool_t *p,
                            apr_table_t **pfields, ecl_result_t *result);

/* 1, on, true, yes → 1; 0, off, false, no and "" → 0; letter case ignored. Returns 0 for anything
 * else and leaves *pvalue. */
int ecl_form_bool(const char *text, int *pvalue);

/* A client's file name made fit for display: the part after the last '/' or '\', Windows-1252 if it
 * is not UTF-8, control characters and those that turn the direction of text replaced by '_', at
 * most 255 characters and 400 bytes, "upload" if nothing is left. Never a path. Allocated from p.
 */
char *ecl_form_filename(const char *raw, apr_pool_t *p);

#endif /* ECL_FORM_H */
