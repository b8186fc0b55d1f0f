/* A zone that is made again after an update of the tz database is the new one, also where TZ names
 * it: what a reload of httpd relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sys/stat.h>

#include <apr_file_io.h>

#include "directory.h"
#include "start_apr.h"
#include "succeeding.h"
#include "lib/timezone.h"

#define SYSTEM "/usr/share/zoneinfo/"
#define SUMMER 1751328000 /* 2025-07-01 00:00 UTC */

/* As a package manager does it. */
static void install(const char *dir, const char *source, apr_pool_t *p)
{
    const char *path = apr_pstrcat(p, dir, "/Europe/London", NULL);
    const char *new_path = apr_pstrcat(p, path, ".new", NULL);

    assert_int_equal(
        apr_file_copy(apr_pstrcat(p, SYSTEM, source, NULL), new_path, APR_FPROT_OS_DEFAULT, p),
        APR_SUCCESS);
    assert_int_equal(apr_file_rename(new_path, path, p), APR_SUCCESS);
}

static int offset_in_summer(apr_pool_t *p)
{
    ecl_result_t result = ecl_result_make(p);
    ecl_zone_t *zone;

    assert_int_equal(ecl_zone_make(&zone, "Europe/London", p, &result), APR_SUCCESS);
    return ecl_zone_at(zone, SUMMER)->offset;
}

static void test_an_update_is_seen(void **state)
{
    char dir[64];
    apr_pool_t *p;

    (void)state;
    assert_int_equal(apr_pool_create(&p, NULL), APR_SUCCESS);
    make_directory(dir, sizeof dir);
    assert_int_equal(mkdir(apr_pstrcat(p, dir, "/Europe", NULL), 0700), 0);
    install(dir, "Europe/London", p);
    assert_int_equal(setenv("TZ", "Europe/London", 1), 0);
    assert_int_equal(setenv("TZDIR", dir, 1), 0);
    assert_int_equal(offset_in_summer(p), 3600);
    install(dir, "Europe/Athens", p);
    assert_int_equal(offset_in_summer(p), 3 * 3600);
    unsetenv("TZDIR");
    unsetenv("TZ");
    remove_directory(dir);
    apr_pool_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_an_update_is_seen)};

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
