/* A pool for each test, in `pool`: cmocka_unit_test_setup_teardown(test, make_pool, destroy_pool),
 * and cmocka_run_group_tests(tests, start_apr, stop_apr). Or one for all tests of a group:
 * cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool). */
#ifndef POOL_FIXTURE_H
#define POOL_FIXTURE_H

#include "start_apr.h"

#include <apr_pools.h>

static apr_pool_t *pool;

static inline int make_pool(void **state)
{
    (void)state;
    return apr_pool_create(&pool, NULL);
}

static inline int destroy_pool(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static inline int start_apr_with_pool(void **state)
{
    return start_apr(state) || make_pool(state);
}

static inline int stop_apr_with_pool(void **state)
{
    return destroy_pool(state) || stop_apr(state);
}

#endif
