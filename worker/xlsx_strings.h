/*
 * A workbook's shared strings: cells refer to them by number.
 *
 * They are read as far as they are asked for. The first ECL_STRINGS_MEMORY bytes of texts and
 * ECL_STRINGS_MEMORY of the index (8 bytes a string) stay in memory; what comes after goes to
 * temporary files in $TMPDIR (else /tmp), which have no name and vanish when they are closed.
 */
#ifndef ECL_XLSX_STRINGS_H
#define ECL_XLSX_STRINGS_H

#include "zip.h"

#define ECL_STRINGS_MEMORY (2 * 1024 * 1024)

typedef struct ecl_strings_t ecl_strings_t;

/* part: the strings' part of the archive; -1: the workbook has none. Closed with p. */
apr_status_t ecl_strings_open(ecl_strings_t **pstrings, ecl_zip_t *zip, int part, apr_pool_t *p,
                              ecl_result_t *result);

/* The text of a string, from 0; valid until the next call, not NUL-terminated. At most `max` bytes
 * of it; *plength is what it has. ECL_EINPUT, code "bad-workbook": there is no such string; a
 * system error, code "no-space": the temporary file cannot be written. */
apr_status_t ecl_strings_get(ecl_strings_t *strings, apr_int64_t number, apr_size_t max,
                             const char **ptext, apr_size_t *plength, ecl_result_t *result);

#endif /* ECL_XLSX_STRINGS_H */
