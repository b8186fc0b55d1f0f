#include <apr_file_io.h>
#include <apr_strings.h>
#include <openssl/evp.h>

#include "stored_file.h"

#define READ_BYTES 65536
#define READS_PER_TICK 16

/* Reads the whole file through the digest. */
static apr_status_t digest_file(apr_file_t *file, const char *path, EVP_MD_CTX *md,
                                apr_status_t (*tick)(void *baton), void *baton,
                                ecl_result_t *result)
{
    char bytes[READ_BYTES];

    for (int reads = 1;; reads++) {
        apr_size_t length = sizeof bytes;
        apr_status_t rv = apr_file_read(file, bytes, &length);

        if (rv == APR_EOF) {
            return APR_SUCCESS;
        }
        if (rv != APR_SUCCESS) {
            return ecl_fail(result, rv, "file-unreadable", "cannot read '%s': %s", path,
                            ecl_strerror(rv, result->pool));
        }
        EVP_DigestUpdate(md, bytes, length);
        if (reads % READS_PER_TICK == 0 && (rv = tick(baton)) != APR_SUCCESS) {
            return rv;
        }
    }
}

static apr_status_t check_digest(apr_file_t *file, const char *path, const char *sha256_hex,
                                 apr_status_t (*tick)(void *baton), void *baton,
                                 ecl_result_t *result)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    apr_status_t rv;

    if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL)) {
        EVP_MD_CTX_free(md);
        return ecl_fail(result, APR_ENOMEM, "no-memory", "cannot compute a SHA-256");
    }
    rv = digest_file(file, path, md, tick, baton, result);
    EVP_DigestFinal_ex(md, digest, &length);
    EVP_MD_CTX_free(md);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    for (unsigned int i = 0; i < length; i++) {
        apr_snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    if (strcmp(hex, sha256_hex) != 0) {
        return ecl_fail(result, ECL_EINPUT, "file-changed",
                        "the stored file is not the one that was uploaded: its content has "
                        "changed (SHA-256 %s, was %s); upload it again",
                        hex, sha256_hex);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_stored_file_check(const char *path, apr_int64_t size, const char *sha256_hex,
                                   apr_status_t (*tick)(void *baton), void *baton, apr_pool_t *p,
                                   ecl_result_t *result)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_status_t rv = apr_file_open(&file, path, APR_FOPEN_READ, 0, p);

    if (APR_STATUS_IS_ENOENT(rv)) {
        return ecl_fail(result, ECL_ENOTFOUND, "file-missing",
                        "the stored file is gone; upload it again");
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    }
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "file-unreadable", "cannot open '%s': %s", path,
                        ecl_strerror(rv, result->pool));
    }
    if (info.size != size) {
        rv = ecl_fail(result, ECL_EINPUT, "file-changed",
                      "the stored file is not the one that was uploaded: it has %" APR_INT64_T_FMT
                      " bytes instead of %" APR_INT64_T_FMT "; upload it again",
                      (apr_int64_t)info.size, size);
    } else {
        rv = check_digest(file, path, sha256_hex, tick, baton, result);
    }
    apr_file_close(file);
    return rv;
}
