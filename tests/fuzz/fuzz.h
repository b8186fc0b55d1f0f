/*
 * What every fuzz target provides, and how it tells that something is wrong: by aborting.
 */
#ifndef ECL_FUZZ_H
#define ECL_FUZZ_H

#include <stdint.h>

#include "lib/ecl.h"

/* The entry point that libFuzzer and replay.c call. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define FUZZ_ASSERT(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif /* ECL_FUZZ_H */
