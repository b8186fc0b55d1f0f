#include "stored_file.h"

#include <apr_strings.h>

#include "../lib/digest.h"

#define TICK_USEC apr_time_from_msec(200)

struct ecl_stored_file_t {
    const char *path, *sha256_hex;
    ecl_digest_t *digest;
};

apr_status_t ecl_stored_file_start(ecl_stored_file_t **pcheck, const char *path, apr_int64_t size,
                                   const char *sha256_hex, apr_pool_t *p, ecl_result_t *result)
{
    ecl_stored_file_t *check = apr_pcalloc(p, sizeof *check);
    apr_finfo_t info;
    apr_status_t rv = apr_stat(&info, path, APR_FINFO_SIZE, p);

    if (APR_STATUS_IS_ENOENT(rv)) {
        return ecl_fail(result, ECL_ENOTFOUND, "file-missing",
                        "the stored file is gone; upload it again");
    }
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "file-unreadable", "cannot open '%s': %s", path,
                        ecl_strerror(rv, p));
    }
    if (info.size != size) {
        return ecl_fail(result, ECL_EINPUT, "file-changed",
                        "the stored file is not the one that was uploaded: it has %" APR_INT64_T_FMT
                        " bytes instead of %" APR_INT64_T_FMT "; upload it again",
                        (apr_int64_t)info.size, size);
    }
    check->path = apr_pstrdup(p, path);
    check->sha256_hex = apr_pstrdup(p, sha256_hex);
    *pcheck = check;
    rv = ecl_digest_start(&check->digest, path, p, result);
    if (rv == APR_SUCCESS) {
        ecl_digest_complete(check->digest);
    }
    return rv;
}

apr_status_t ecl_stored_file_finish(ecl_stored_file_t *check, apr_status_t (*tick)(void *baton),
                                    void *baton, ecl_result_t *result)
{
    char found_hex[ECL_SHA256_HEX];
    apr_off_t size;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && ecl_digest_wait(check->digest, TICK_USEC) != APR_SUCCESS) {
        rv = tick(baton);
    }
    if (rv != APR_SUCCESS) {
        ecl_digest_stop(check->digest);
        return rv;
    }
    rv = ecl_digest_finish(check->digest, found_hex, &size);
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "file-unreadable", "cannot read '%s': %s", check->path,
                        ecl_strerror(rv, result->pool));
    }
    if (strcmp(found_hex, check->sha256_hex) != 0) {
        return ecl_fail(result, ECL_EINPUT, "file-changed",
                        "the stored file is not the one that was uploaded: its content has "
                        "changed (SHA-256 %s, was %s); upload it again",
                        found_hex, check->sha256_hex);
    }
    return APR_SUCCESS;
}
