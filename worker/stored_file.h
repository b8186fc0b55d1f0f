/*
 * Is the stored file the one that was uploaded?
 */
#ifndef ECL_STORED_FILE_H
#define ECL_STORED_FILE_H

#include "../lib/ecl.h"

/* Compares a file's size and SHA-256 (64 hex digits) with what they should be. tick is called about
 * once per MiB; a status other than APR_SUCCESS ends the check and is returned. ECL_ENOTFOUND, code
 * "file-missing"; ECL_EINPUT, code "file-changed": it was cut or altered. */
apr_status_t ecl_stored_file_check(const char *path, apr_int64_t size, const char *sha256_hex,
                                   apr_status_t (*tick)(void *baton), void *baton, apr_pool_t *p,
                                   ecl_result_t *result);

#endif /* ECL_STORED_FILE_H */
