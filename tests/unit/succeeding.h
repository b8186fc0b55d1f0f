/* OK(call): a call that is to succeed, or says why it did not; its result is f->result. */
#ifndef TESTS_SUCCEEDING_H
#define TESTS_SUCCEEDING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/ecl.h"

#define OK(call) assert_ok((call), #call, &f->result, __FILE__, __LINE__)

static inline void assert_ok(apr_status_t rv, const char *call, const ecl_result_t *result,
                             const char *file, int line)
{
    if (rv != APR_SUCCESS) {
        print_error("%s:%d: %s: status %d: %s\n", file, line, call, rv, result->detail);
        fail();
    }
}

#endif /* TESTS_SUCCEEDING_H */
