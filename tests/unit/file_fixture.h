/* A temporary file for each test, and a pool beside it. */
#ifndef FILE_FIXTURE_H
#define FILE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_pools.h>

typedef struct env_t {
    apr_pool_t *pool;
    char path[64];
} env_t;

static inline int set_up(void **state)
{
    env_t *env = calloc(1, sizeof *env);
    int fd;

    assert_non_null(env);
    assert_int_equal(apr_pool_create(&env->pool, NULL), APR_SUCCESS);
    snprintf(env->path, sizeof env->path, "/tmp/ecl-file.XXXXXX");
    fd = mkstemp(env->path);
    assert_true(fd >= 0);
    close(fd);
    *state = env;
    return 0;
}

static inline int tear_down(void **state)
{
    env_t *env = *state;

    unlink(env->path);
    apr_pool_destroy(env->pool);
    free(env);
    return 0;
}

static inline void write_file(env_t *env, const char *bytes, size_t length)
{
    FILE *f = fopen(env->path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

#endif
