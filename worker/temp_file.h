/*
 * Temporary files that nobody has to clear up: they have no name, and vanish when they are closed,
 * also when the process is killed.
 */
#ifndef ECL_TEMP_FILE_H
#define ECL_TEMP_FILE_H

#include <apr_file_io.h>

#include "../lib/ecl.h"

/* Opens one in $TMPDIR, else /tmp, for reading and writing; flags: more of APR_FOPEN_*. Closed with
 * p. what: a word for its name, which it has for a moment. */
apr_status_t ecl_temp_file_open(apr_file_t **pfile, const char *what, apr_int32_t flags,
                                apr_pool_t *p);

#endif /* ECL_TEMP_FILE_H */
