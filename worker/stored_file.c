#include "stored_file.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_proc.h>
#include <openssl/evp.h>

#define READ_BYTES 65536
#define TICK_USEC apr_time_from_msec(200)

struct ecl_stored_file_t {
    const char *path, *sha256_hex;
    apr_file_t *file;
    EVP_MD_CTX *md;
    apr_thread_t *thread; /* NULL: it was waited for */
    volatile int is_unwanted;
    char bytes[READ_BYTES];
    apr_thread_mutex_t *lock; /* of what follows, which the thread sets at its end */
    apr_thread_cond_t *ended;
    int has_ended;
    apr_status_t status;
    char found_hex[2 * EVP_MAX_MD_SIZE + 1];
};

/* ---- the thread ------------------------------------------------------------------------------ */

/* Reads the whole file through the digest. */
static apr_status_t digest_file(ecl_stored_file_t *check)
{
    while (!check->is_unwanted) {
        apr_size_t length = READ_BYTES;
        apr_status_t rv = apr_file_read(check->file, check->bytes, &length);

        if (rv != APR_SUCCESS) {
            return rv == APR_EOF ? APR_SUCCESS : rv;
        }
        EVP_DigestUpdate(check->md, check->bytes, length);
    }
    return ECL_ESTOPPED;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    ecl_stored_file_t *check = data;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    apr_status_t rv;

    (void)thread;
    apr_setup_signal_thread(); /* signals are the caller's */
    rv = digest_file(check);
    EVP_DigestFinal_ex(check->md, digest, &length);
    apr_thread_mutex_lock(check->lock);
    for (unsigned int i = 0; i < length; i++) {
        apr_snprintf(check->found_hex + 2 * i, 3, "%02x", digest[i]);
    }
    check->status = rv;
    check->has_ended = 1;
    apr_thread_cond_signal(check->ended);
    apr_thread_mutex_unlock(check->lock);
    return NULL;
}

/* ---- the caller ------------------------------------------------------------------------------ */

static void wait_for_end(ecl_stored_file_t *check)
{
    apr_status_t ignored;

    if (check->thread) {
        apr_thread_join(&ignored, check->thread);
        check->thread = NULL;
    }
}

static apr_status_t end(void *data)
{
    ecl_stored_file_t *check = data;

    check->is_unwanted = 1;
    wait_for_end(check);
    EVP_MD_CTX_free(check->md);
    return APR_SUCCESS;
}

static apr_status_t start(ecl_stored_file_t *check, apr_pool_t *p, ecl_result_t *result)
{
    apr_status_t rv;

    apr_pool_pre_cleanup_register(p, check, end);
    check->md = EVP_MD_CTX_new();
    if (!check->md || !EVP_DigestInit_ex(check->md, EVP_sha256(), NULL)) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "cannot compute a SHA-256");
    }
    if ((rv = apr_thread_mutex_create(&check->lock, APR_THREAD_MUTEX_DEFAULT, p)) != APR_SUCCESS ||
        (rv = apr_thread_cond_create(&check->ended, p)) != APR_SUCCESS ||
        (rv = apr_thread_create(&check->thread, NULL, run, check, p)) != APR_SUCCESS) {
        check->thread = NULL;
        return ecl_fail(result, rv, "no-memory", "cannot start a thread that checks the file: %s",
                        ecl_strerror(rv, p));
    }
    return APR_SUCCESS;
}

apr_status_t ecl_stored_file_start(ecl_stored_file_t **pcheck, const char *path, apr_int64_t size,
                                   const char *sha256_hex, apr_pool_t *p, ecl_result_t *result)
{
    ecl_stored_file_t *check = apr_pcalloc(p, sizeof *check);
    apr_finfo_t info;
    apr_status_t rv = apr_file_open(&check->file, path, APR_FOPEN_READ, 0, p);

    if (APR_STATUS_IS_ENOENT(rv)) {
        return ecl_fail(result, ECL_ENOTFOUND, "file-missing",
                        "the stored file is gone; upload it again");
    }
    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, check->file);
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
    return start(check, p, result);
}

apr_status_t ecl_stored_file_finish(ecl_stored_file_t *check, apr_status_t (*tick)(void *baton),
                                    void *baton, ecl_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;

    apr_thread_mutex_lock(check->lock);
    while (rv == APR_SUCCESS && !check->has_ended) {
        apr_thread_cond_timedwait(check->ended, check->lock, TICK_USEC);
        apr_thread_mutex_unlock(check->lock);
        rv = tick(baton);
        apr_thread_mutex_lock(check->lock);
    }
    apr_thread_mutex_unlock(check->lock);
    check->is_unwanted = rv != APR_SUCCESS;
    wait_for_end(check);
    apr_file_close(check->file);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (check->status != APR_SUCCESS) {
        return ecl_fail(result, check->status, "file-unreadable", "cannot read '%s': %s",
                        check->path, ecl_strerror(check->status, result->pool));
    }
    if (strcmp(check->found_hex, check->sha256_hex) != 0) {
        return ecl_fail(result, ECL_EINPUT, "file-changed",
                        "the stored file is not the one that was uploaded: its content has "
                        "changed (SHA-256 %s, was %s); upload it again",
                        check->found_hex, check->sha256_hex);
    }
    return APR_SUCCESS;
}
