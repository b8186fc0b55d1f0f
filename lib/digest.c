#include "digest.h"

#include <string.h>

#include <apr_escape.h>
#include <apr_thread_cond.h>
#include <apr_thread_proc.h>
#include <openssl/evp.h>

#define READ_BYTES 65536

struct ecl_digest_t {
    apr_file_t *file;
    EVP_MD_CTX *md;
    apr_thread_t *thread; /* NULL: it was waited for */
    char bytes[READ_BYTES];
    apr_off_t done; /* the thread's: bytes that went through md */
    apr_status_t status;
    char sha256_hex[ECL_SHA256_HEX];

    apr_thread_mutex_t *lock; /* of what follows */
    apr_thread_cond_t *changed;
    apr_off_t there;
    int is_complete, is_unwanted, has_ended;
};

/* ---- the thread ------------------------------------------------------------------------------ */

/* Waits for bytes to read; *plength is how many. APR_EOF: the thread that writes has written all,
 * and the file's own end decides. */
static apr_status_t wait_for_bytes(ecl_digest_t *digest, apr_size_t *plength)
{
    apr_status_t rv = APR_SUCCESS;

    *plength = READ_BYTES;
    apr_thread_mutex_lock(digest->lock);
    while (digest->there == digest->done && !digest->is_complete && !digest->is_unwanted) {
        apr_thread_cond_wait(digest->changed, digest->lock);
    }
    if (digest->is_unwanted) {
        rv = ECL_ESTOPPED;
    } else if (!digest->is_complete && digest->there - digest->done < READ_BYTES) {
        *plength = (apr_size_t)(digest->there - digest->done);
    }
    apr_thread_mutex_unlock(digest->lock);
    return rv;
}

static apr_status_t digest_file(ecl_digest_t *digest)
{
    apr_size_t length;
    apr_status_t rv;

    while ((rv = wait_for_bytes(digest, &length)) == APR_SUCCESS &&
           (rv = apr_file_read(digest->file, digest->bytes, &length)) == APR_SUCCESS) {
        if (EVP_DigestUpdate(digest->md, digest->bytes, length) != 1) {
            return APR_EGENERAL;
        }
        digest->done += (apr_off_t)length;
    }
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    ecl_digest_t *digest = data;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int length = 0;

    (void)thread;
    apr_setup_signal_thread(); /* signals are the caller's */
    digest->status = digest_file(digest);
    if (EVP_DigestFinal_ex(digest->md, bytes, &length) == 1 && length * 2 + 1 == ECL_SHA256_HEX) {
        apr_escape_hex(digest->sha256_hex, bytes, length, 0, NULL);
    } else if (digest->status == APR_SUCCESS) {
        digest->status = APR_EGENERAL;
    }
    apr_thread_mutex_lock(digest->lock);
    digest->has_ended = 1;
    apr_thread_cond_broadcast(digest->changed);
    apr_thread_mutex_unlock(digest->lock);
    return NULL;
}

/* ---- the caller ------------------------------------------------------------------------------ */

static void join(ecl_digest_t *digest)
{
    apr_status_t ignored;

    if (digest->thread) {
        apr_thread_join(&ignored, digest->thread);
        digest->thread = NULL;
    }
}

static apr_status_t end(void *data)
{
    ecl_digest_t *digest = data;

    ecl_digest_stop(digest);
    join(digest);
    EVP_MD_CTX_free(digest->md);
    return APR_SUCCESS;
}

apr_status_t ecl_digest_start(ecl_digest_t **pdigest, const char *path, apr_pool_t *p,
                              ecl_result_t *result)
{
    ecl_digest_t *digest = apr_pcalloc(p, sizeof *digest);
    apr_status_t rv;

    if ((rv = apr_file_open(&digest->file, path, APR_FOPEN_READ, 0, p)) != APR_SUCCESS) {
        return ecl_fail(result, rv, "file-unreadable", "cannot open '%s': %s", path,
                        ecl_strerror(rv, p));
    }
    if ((rv = apr_thread_mutex_create(&digest->lock, APR_THREAD_MUTEX_DEFAULT, p)) != APR_SUCCESS ||
        (rv = apr_thread_cond_create(&digest->changed, p)) != APR_SUCCESS) {
        return ecl_fail(result, rv, "no-memory", "cannot make a lock: %s", ecl_strerror(rv, p));
    }
    apr_pool_pre_cleanup_register(p, digest, end);
    digest->md = EVP_MD_CTX_new();
    if (!digest->md || EVP_DigestInit_ex(digest->md, EVP_sha256(), NULL) != 1) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "cannot compute a SHA-256");
    }
    rv = apr_thread_create(&digest->thread, NULL, run, digest, p);
    if (rv != APR_SUCCESS) {
        digest->thread = NULL;
        return ecl_fail(result, rv, "no-memory", "cannot start a thread that checks the file: %s",
                        ecl_strerror(rv, p));
    }
    *pdigest = digest;
    return APR_SUCCESS;
}

void ecl_digest_advance(ecl_digest_t *digest, apr_off_t size)
{
    apr_thread_mutex_lock(digest->lock);
    digest->there = size;
    apr_thread_cond_broadcast(digest->changed);
    apr_thread_mutex_unlock(digest->lock);
}

void ecl_digest_complete(ecl_digest_t *digest)
{
    apr_thread_mutex_lock(digest->lock);
    digest->is_complete = 1;
    apr_thread_cond_broadcast(digest->changed);
    apr_thread_mutex_unlock(digest->lock);
}

void ecl_digest_stop(ecl_digest_t *digest)
{
    apr_thread_mutex_lock(digest->lock);
    digest->is_unwanted = 1;
    apr_thread_cond_broadcast(digest->changed);
    apr_thread_mutex_unlock(digest->lock);
}

apr_status_t ecl_digest_wait(ecl_digest_t *digest, apr_interval_time_t timeout)
{
    apr_status_t rv = APR_SUCCESS;

    apr_thread_mutex_lock(digest->lock);
    if (!digest->has_ended) {
        apr_thread_cond_timedwait(digest->changed, digest->lock, timeout);
        rv = digest->has_ended ? APR_SUCCESS : APR_TIMEUP;
    }
    apr_thread_mutex_unlock(digest->lock);
    return rv;
}

apr_status_t ecl_digest_finish(ecl_digest_t *digest, char sha256_hex[ECL_SHA256_HEX],
                               apr_off_t *psize)
{
    join(digest);
    apr_file_close(digest->file);
    memcpy(sha256_hex, digest->sha256_hex, ECL_SHA256_HEX);
    *psize = digest->done;
    return digest->status;
}
