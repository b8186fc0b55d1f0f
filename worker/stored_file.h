/*
 * Is the stored file the one that was uploaded?
 */
#ifndef ECL_STORED_FILE_H
#define ECL_STORED_FILE_H

#include "../lib/ecl.h"

typedef struct ecl_stored_file_t ecl_stored_file_t;

/* Begins to compare a file's size and SHA-256 (64 hex digits) with what they should be, in a thread
 * of its own. Fails at once with ECL_ENOTFOUND, code "file-missing", and with ECL_EINPUT, code
 * "file-changed", when the size is another. Clearing p ends the comparison. */
apr_status_t ecl_stored_file_start(ecl_stored_file_t **pcheck, const char *path, apr_int64_t size,
                                   const char *sha256_hex, apr_pool_t *p, ecl_result_t *result);

/* Waits for what came of it: ECL_EINPUT, code "file-changed": the file was altered. Meanwhile tick
 * is called now and then; a status other than APR_SUCCESS ends the comparison and is returned. */
apr_status_t ecl_stored_file_finish(ecl_stored_file_t *check, apr_status_t (*tick)(void *baton),
                                    void *baton, ecl_result_t *result);

#endif /* ECL_STORED_FILE_H */
