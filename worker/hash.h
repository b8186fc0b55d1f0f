/*
 * A hash for telling things apart within a process; it is stored nowhere.
 */
#ifndef ECL_HASH_H
#define ECL_HASH_H

#include <apr.h>

/* FNV-1a over bytes, from seed on: 0, or the hash of what comes before them. Never 0. */
apr_uint64_t ecl_hash(apr_uint64_t seed, const void *bytes, apr_size_t length);

#endif /* ECL_HASH_H */
