/* APR for the tests of a program: cmocka_run_group_tests(tests, start_apr, stop_apr). */
#ifndef START_APR_H
#define START_APR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_general.h>

static inline int start_apr(void **state)
{
    (void)state;
    return apr_initialize();
}

static inline int stop_apr(void **state)
{
    (void)state;
    apr_terminate();
    return 0;
}

#endif /* START_APR_H */
