#include "hash.h"

#define SEED APR_UINT64_C(14695981039346656037)

apr_uint64_t ecl_hash(apr_uint64_t seed, const void *bytes, apr_size_t length)
{
    const unsigned char *b = bytes;
    apr_uint64_t h = seed ^ SEED;

    for (apr_size_t i = 0; i < length; i++) {
        h = (h ^ b[i]) * APR_UINT64_C(1099511628211);
    }
    h ^= h >> 29; /* FNV leaves the low bits of short keys alike */
    return h ? h : 1;
}
