/* The SHA-256 of a file that is whole, that grows, that is cut off, and that nobody wants. */
#include "file_fixture.h"
#include "start_apr.h"

#include "lib/digest.h"

#define LENGTH 200000

/* of so many times "a", of half as many, and of nothing */
#define WHOLE "2287d207f24a941ff3b56c04c8a25ad56b63e3023207b3bb5b4ac0c9869d74be"
#define HALF "6d1cf22d7cc09b085dfc25ee1a1f3ae0265804c607bc2074ad253bcc82fd81ee"
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Makes the file of so many "a", and so many "b" behind them. */
static void write_letters(env_t *env, size_t as, size_t bs)
{
    char *letters = apr_palloc(env->pool, LENGTH);

    memset(letters, 'a', as);
    memset(letters + as, 'b', bs);
    write_file(env, letters, as + bs);
}

static ecl_digest_t *start(const env_t *env)
{
    ecl_result_t result = ecl_result_make(env->pool);
    ecl_digest_t *digest;

    assert_int_equal(ecl_digest_start(&digest, env->path, env->pool, &result), APR_SUCCESS);
    return digest;
}

static void assert_digest(ecl_digest_t *digest, const char *expected, apr_off_t length)
{
    char sha256_hex[ECL_SHA256_HEX];
    apr_off_t size;

    assert_int_equal(ecl_digest_finish(digest, sha256_hex, &size), APR_SUCCESS);
    assert_string_equal(sha256_hex, expected);
    assert_int_equal(size, length);
}

static void test_a_whole_file(void **state)
{
    env_t *env = *state;
    ecl_digest_t *digest;

    write_letters(env, LENGTH, 0);
    digest = start(env);
    ecl_digest_complete(digest);
    while (ecl_digest_wait(digest, apr_time_from_sec(60)) != APR_SUCCESS) {
    }
    assert_digest(digest, WHOLE, LENGTH);
    write_letters(env, 0, 0);
    digest = start(env);
    ecl_digest_complete(digest);
    assert_digest(digest, NOTHING, 0);
}

/* What was not told of may still change. */
static void test_a_file_that_grows(void **state)
{
    env_t *env = *state;
    ecl_digest_t *digest;

    write_letters(env, LENGTH / 2, LENGTH / 2);
    digest = start(env);
    ecl_digest_advance(digest, 10);
    ecl_digest_advance(digest, LENGTH / 2);
    assert_int_equal(ecl_digest_wait(digest, apr_time_from_msec(50)), APR_TIMEUP);
    write_letters(env, LENGTH, 0);
    ecl_digest_advance(digest, LENGTH - 1);
    ecl_digest_complete(digest);
    assert_digest(digest, WHOLE, LENGTH);
}

static void test_a_file_that_was_cut_off(void **state)
{
    env_t *env = *state;
    ecl_digest_t *digest;

    write_letters(env, LENGTH / 2, 0);
    digest = start(env);
    ecl_digest_advance(digest, LENGTH);
    ecl_digest_complete(digest);
    assert_digest(digest, HALF, LENGTH / 2);
}

static void test_given_up(void **state)
{
    env_t *env = *state;
    char sha256_hex[ECL_SHA256_HEX];
    ecl_digest_t *digest;
    apr_off_t size;

    write_letters(env, LENGTH, 0);
    digest = start(env);
    ecl_digest_advance(digest, LENGTH);
    ecl_digest_stop(digest);
    assert_int_equal(ecl_digest_finish(digest, sha256_hex, &size), ECL_ESTOPPED);
    /* and with its pool, in the middle */
    ecl_digest_advance(start(env), LENGTH / 2);
}

static void test_a_file_that_is_not_there(void **state)
{
    env_t *env = *state;
    ecl_result_t result = ecl_result_make(env->pool);
    ecl_digest_t *digest;

    assert_int_equal(ecl_digest_start(&digest, "/nowhere/at/all", env->pool, &result), APR_ENOENT);
    assert_string_equal(result.code, "file-unreadable");
    assert_non_null(strstr(result.detail, "/nowhere/at/all"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_whole_file),
        TEST(test_a_file_that_grows),
        TEST(test_a_file_that_was_cut_off),
        TEST(test_given_up),
        TEST(test_a_file_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
