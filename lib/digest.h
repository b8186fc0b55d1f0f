/*
 * The SHA-256 of a file, computed by a thread of its own, also while the file is still being
 * written.
 */
#ifndef ECL_DIGEST_H
#define ECL_DIGEST_H

#include <apr_file_io.h>

#include "ecl.h"

#define ECL_SHA256_HEX 65 /* 64 digits and the terminating NUL */

typedef struct ecl_digest_t ecl_digest_t;

/* Starts the thread, which reads the file from its beginning. Clearing p ends it. */
apr_status_t ecl_digest_start(ecl_digest_t **pdigest, const char *path, apr_pool_t *p,
                              ecl_result_t *result);

/* The file has its first `size` bytes now; they will not change. */
void ecl_digest_advance(ecl_digest_t *digest, apr_off_t size);

/* No more will come: what lies beyond the bytes that were there, up to the file's end, is read as
 * well. */
void ecl_digest_complete(ecl_digest_t *digest);

/* Waits until all was read, at most for so long (APR_TIMEUP); to be asked after
 * ecl_digest_complete. Says nothing of how it went. */
apr_status_t ecl_digest_wait(ecl_digest_t *digest, apr_interval_time_t timeout);

/* Gives it up: the thread ends, with ECL_ESTOPPED for ecl_digest_finish unless it was done. */
void ecl_digest_stop(ecl_digest_t *digest);

/* Waits for the end, once. The digest in hex and how many bytes it is of, or why they could not be
 * read. */
apr_status_t ecl_digest_finish(ecl_digest_t *digest, char sha256_hex[ECL_SHA256_HEX],
                               apr_off_t *psize);

#endif /* ECL_DIGEST_H */
