#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <apr_escape.h>
#include <apr_uuid.h>

#include "storage.h"

#define INCOMING "/incoming"
#define FILES "/files"
#define PART_SUFFIX ".part"
#define WRITE_BACK_BYTES (8 * 1024 * 1024)

struct ecl_storage_part_t {
    apr_pool_t *pool;
    const char *dir;
    const char *path; /* where it is now */
    int fd;           /* -1: kept or dropped */
    int is_broken, is_placed;
    apr_off_t size;
    apr_off_t on_its_way; /* so much of it the kernel was told to write to the disk */
    EVP_MD_CTX *digest;
    ecl_digest_t *beside; /* NULL: writing computes the digest */
};

/* --- failures --- */

/* EFBIG: more than the file system, or a limit set on the process, lets one file have. */
static int is_no_space(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

static apr_status_t fail(int error, const char *what, const char *path, ecl_result_t *result)
{
    char words[256];

    apr_strerror(error, words, sizeof words);
    if (is_no_space(error)) {
        return ecl_fail(result, ECL_ENOSPACE, "storage-full", "no space left: %s '%s': %s", what,
                        path, words);
    }
    return ecl_fail(result, APR_FROM_OS_ERROR(error), "storage-error", "%s '%s': %s", what, path,
                    words);
}

static apr_status_t fail_to_prepare(int error, const char *path, ecl_result_t *result)
{
    char words[256];

    if (is_no_space(error)) {
        return fail(error, "cannot make directory", path, result);
    }
    apr_strerror(error, words, sizeof words);
    return ecl_fail(result, ECL_ECONFIG, "storage-directory",
                    "cannot use storage directory '%s': %s; EclectycImportStorage must name a "
                    "directory that the server's user can write, or can make",
                    path, words);
}

/* Our names are UUIDs; this keeps any other from leading out of the directory. */
static int is_stored_name(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    return *name && !name[strspn(name, allowed)];
}

static apr_status_t check_name(const char *name, ecl_result_t *result)
{
    if (!is_stored_name(name)) {
        return ecl_fail(result, APR_EINVAL, "storage-error", "'%s' is no name of a stored file",
                        name);
    }
    return APR_SUCCESS;
}

/* --- the directories --- */

/* Makes the names in a directory durable. Returns 0 or errno. */
static int sync_directory(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) != 0 ? errno : 0;

    if (fd >= 0) {
        close(fd);
    }
    return error;
}

static apr_status_t prepare_one(const char *path, apr_pool_t *p, ecl_result_t *result)
{
    int is_made = mkdir(path, 0700) == 0;

    if (!is_made && errno != EEXIST) {
        return fail_to_prepare(errno, path, result);
    }
    if (is_made) {
        /* as good as it goes: we may be allowed to write the parent, but not to read it */
        sync_directory(apr_pstrcat(p, path, "/..", NULL));
    }
    /* "/." so that only a directory will do */
    if (faccessat(AT_FDCWD, apr_pstrcat(p, path, "/.", NULL), R_OK | W_OK | X_OK, AT_EACCESS) !=
        0) {
        return fail_to_prepare(errno, path, result);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_storage_prepare(const char *dir, apr_pool_t *p, ecl_result_t *result)
{
    apr_status_t rv = prepare_one(dir, p, result);

    if (rv == APR_SUCCESS) {
        rv = prepare_one(apr_pstrcat(p, dir, INCOMING, NULL), p, result);
    }
    if (rv == APR_SUCCESS) {
        rv = prepare_one(apr_pstrcat(p, dir, FILES, NULL), p, result);
    }
    return rv;
}

static apr_status_t let_go(void *fd)
{
    close((int)(intptr_t)fd);
    return APR_SUCCESS;
}

apr_status_t ecl_storage_hold(const char *dir, ecl_storage_hold_t hold, apr_pool_t *p,
                              ecl_result_t *result)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;

    if (fd < 0) {
        return fail(errno, "cannot open storage directory", dir, result);
    }
    if (flock(fd, (hold == ECL_STORAGE_ALONE ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0) {
        apr_pool_cleanup_register(p, (void *)(intptr_t)fd, let_go, apr_pool_cleanup_null);
        return APR_SUCCESS;
    }
    error = errno;
    close(fd);
    if (error != EWOULDBLOCK) {
        return fail(error, "cannot lock storage directory", dir, result);
    }
    return hold == ECL_STORAGE_ALONE
               ? ecl_fail(result, ECL_ECONFLICT, "storage-in-use",
                          "httpd or a worker uses the storage directory '%s': stop httpd, and "
                          "workers that you run yourself",
                          dir)
               : ecl_fail(result, ECL_EUNAVAILABLE, "storage-held",
                          "the database is being copied to another one (eclectyc-import-worker "
                          "copy): nothing is taken in meanwhile");
}

apr_status_t ecl_storage_free_bytes(const char *dir, apr_off_t *pfree, apr_pool_t *p,
                                    ecl_result_t *result)
{
    struct statvfs fs;

    (void)p;
    *pfree = 0;
    if (statvfs(dir, &fs) != 0) {
        return fail(errno, "cannot read the free space of", dir, result);
    }
    if (__builtin_mul_overflow(fs.f_bavail, fs.f_frsize, pfree)) {
        *pfree = APR_INT64_MAX;
    }
    return APR_SUCCESS;
}

static apr_status_t sync_files(const char *dir, apr_pool_t *p, ecl_result_t *result)
{
    const char *path = apr_pstrcat(p, dir, FILES, NULL);
    int error = sync_directory(path);

    return error ? fail(error, "cannot sync directory", path, result) : APR_SUCCESS;
}

/* --- a part file --- */

void ecl_storage_part_drop(ecl_storage_part_t *part)
{
    if (part->fd >= 0) {
        close(part->fd);
        unlink(part->path);
        part->fd = -1;
    }
    if (part->beside) {
        ecl_digest_stop(part->beside); /* it ends with the part's pool */
        part->beside = NULL;
    }
    EVP_MD_CTX_free(part->digest);
    part->digest = NULL;
}

static apr_status_t clean_up_part(void *part)
{
    ecl_storage_part_drop(part);
    return APR_SUCCESS;
}

static int create_part(const char *path)
{
    int fd;

    do {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

apr_status_t ecl_storage_part_open(ecl_storage_part_t **ppart, const char *dir, apr_pool_t *p,
                                   ecl_result_t *result)
{
    ecl_storage_part_t *part = apr_pcalloc(p, sizeof *part);
    char id[APR_UUID_FORMATTED_LENGTH + 1];
    apr_uuid_t uuid;

    apr_uuid_get(&uuid);
    apr_uuid_format(id, &uuid);
    part->pool = p;
    part->dir = apr_pstrdup(p, dir);
    part->path = apr_pstrcat(p, dir, INCOMING "/", id, PART_SUFFIX, NULL);
    part->fd = create_part(part->path);
    if (part->fd < 0 && errno == ENOENT) {
        apr_status_t rv = ecl_storage_prepare(dir, p, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        part->fd = create_part(part->path);
    }
    if (part->fd < 0) {
        return fail(errno, "cannot make file", part->path, result);
    }
    apr_pool_cleanup_register(p, part, clean_up_part, apr_pool_cleanup_null);
    part->digest = EVP_MD_CTX_new();
    if (!part->digest || EVP_DigestInit_ex(part->digest, EVP_sha256(), NULL) != 1) {
        ecl_storage_part_drop(part);
        return ecl_fail(result, APR_EGENERAL, "storage-error", "OpenSSL has no SHA-256");
    }
    *ppart = part;
    return APR_SUCCESS;
}

apr_status_t ecl_storage_part_hash_beside(ecl_storage_part_t *part, ecl_result_t *result)
{
    return ecl_digest_start(&part->beside, part->path, part->pool, result);
}

static apr_status_t not_open(const ecl_storage_part_t *part, ecl_result_t *result)
{
    return ecl_fail(result, APR_EINVAL, "storage-error", "file '%s' can't be written any more",
                    part->path);
}

/* The disk may begin: less is left to wait for in the end. A hint, which may fail. */
static void write_back(ecl_storage_part_t *part)
{
    sync_file_range(part->fd, part->on_its_way, part->size - part->on_its_way,
                    SYNC_FILE_RANGE_WRITE);
    part->on_its_way = part->size;
}

apr_status_t ecl_storage_part_write(ecl_storage_part_t *part, const char *data, apr_size_t length,
                                    ecl_result_t *result)
{
    if (part->fd < 0 || part->is_broken || part->is_placed) {
        return not_open(part, result);
    }
    if (!part->beside && EVP_DigestUpdate(part->digest, data, length) != 1) {
        part->is_broken = 1;
        return ecl_fail(result, APR_EGENERAL, "storage-error", "OpenSSL cannot compute SHA-256");
    }
    while (length) {
        ssize_t written = write(part->fd, data, length);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            part->is_broken = 1;
            return fail(errno, "cannot write file", part->path, result);
        }
        data += written;
        length -= (apr_size_t)written;
        part->size += written;
    }
    if (part->beside) {
        ecl_digest_advance(part->beside, part->size);
    }
    if (part->size - part->on_its_way >= WRITE_BACK_BYTES) {
        write_back(part);
    }
    return APR_SUCCESS;
}

apr_off_t ecl_storage_part_size(const ecl_storage_part_t *part)
{
    return part->size;
}

apr_status_t ecl_storage_part_place(ecl_storage_part_t *part, const char *stored_name,
                                    ecl_result_t *result)
{
    apr_status_t rv = check_name(stored_name, result);
    const char *path = ecl_storage_path(part->dir, stored_name, part->pool);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (part->fd < 0 || part->is_broken || part->is_placed) {
        return not_open(part, result);
    }
    if (rename(part->path, path) != 0) {
        return fail(errno, "cannot rename a part to", path, result);
    }
    part->path = path;
    part->is_placed = 1;
    write_back(part);
    if (part->beside) {
        ecl_digest_complete(part->beside);
    }
    return APR_SUCCESS;
}

static apr_status_t finish_digest(ecl_storage_part_t *part, char sha256_hex[ECL_SHA256_HEX],
                                  ecl_result_t *result)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (EVP_DigestFinal_ex(part->digest, bytes, &length) != 1 || length * 2 + 1 != ECL_SHA256_HEX) {
        return ecl_fail(result, APR_EGENERAL, "storage-error", "OpenSSL cannot compute SHA-256");
    }
    apr_escape_hex(sha256_hex, bytes, length, 0, NULL);
    return APR_SUCCESS;
}

static apr_status_t finish_beside(ecl_storage_part_t *part, char sha256_hex[ECL_SHA256_HEX],
                                  ecl_result_t *result)
{
    apr_off_t size;
    apr_status_t rv = ecl_digest_finish(part->beside, sha256_hex, &size);

    if (rv != APR_SUCCESS) {
        return fail(APR_TO_OS_ERROR(rv), "cannot read back file", part->path, result);
    }
    if (size != part->size) {
        return ecl_fail(result, APR_EGENERAL, "storage-error",
                        "file '%s' has %" APR_OFF_T_FMT " bytes; %" APR_OFF_T_FMT
                        " were written to it",
                        part->path, size, part->size);
    }
    return APR_SUCCESS;
}

static apr_status_t close_part(ecl_storage_part_t *part, ecl_result_t *result)
{
    int fd = part->fd;
    apr_status_t rv = APR_SUCCESS;

    part->fd = -1; /* closed, whatever close says */
    if (close(fd) != 0) {
        rv = fail(errno, "cannot close file", part->path, result);
    }
    if (rv == APR_SUCCESS) {
        rv = sync_files(part->dir, part->pool, result);
    }
    if (rv != APR_SUCCESS) {
        unlink(part->path);
    }
    return rv;
}

apr_status_t ecl_storage_part_keep(ecl_storage_part_t *part, const char *stored_name,
                                   char sha256_hex[ECL_SHA256_HEX], ecl_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;

    if (!part->is_placed) {
        rv = ecl_storage_part_place(part, stored_name, result);
    } else if (part->fd < 0) {
        rv = not_open(part, result);
    }
    if (rv == APR_SUCCESS && fdatasync(part->fd) != 0) {
        rv = fail(errno, "cannot sync file", part->path, result);
    }
    if (rv == APR_SUCCESS) {
        rv = part->beside ? finish_beside(part, sha256_hex, result)
                          : finish_digest(part, sha256_hex, result);
    }
    if (rv == APR_SUCCESS) {
        rv = close_part(part, result);
    }
    ecl_storage_part_drop(part);
    return rv;
}

/* --- stored files --- */

const char *ecl_storage_path(const char *dir, const char *stored_name, apr_pool_t *p)
{
    return apr_pstrcat(p, dir, FILES "/", stored_name, NULL);
}

apr_status_t ecl_storage_remove(const char *dir, const char *stored_name, apr_pool_t *p,
                                ecl_result_t *result)
{
    const char *path = ecl_storage_path(dir, stored_name, p);
    apr_status_t rv = check_name(stored_name, result);

    if (rv == APR_SUCCESS && unlink(path) != 0 && errno != ENOENT) {
        rv = fail(errno, "cannot remove file", path, result);
    }
    return rv;
}

/* What a sweep looks for in a directory. */
typedef struct sweep_t {
    int (*is_ours)(const char *name);
    int max_age_seconds;
    int (*is_known)(void *baton, const char *stored_name); /* NULL: nobody needs them */
    void *baton;
} sweep_t;

static int is_part_name(const char *name)
{
    apr_size_t length = strlen(name), suffix = strlen(PART_SUFFIX);
    return length > suffix && !strcmp(name + length - suffix, PART_SUFFIX);
}

static int is_stray(const sweep_t *sweep, int directory, const char *name)
{
    struct stat st;

    if (!sweep->is_ours(name) || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode)) {
        return 0;
    }
    /* Not st_mtime: a second name is as old as its bytes, yet its job may not be recorded yet. */
    if (time(NULL) - st.st_ctime < sweep->max_age_seconds) {
        return 0;
    }
    return !sweep->is_known || sweep->is_known(sweep->baton, name) == 0;
}

static int sweep_directory(const char *path, const sweep_t *sweep)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    int nremoved = 0;

    if (!directory) {
        return 0;
    }
    while ((entry = readdir(directory))) {
        if (is_stray(sweep, dirfd(directory), entry->d_name)) {
            nremoved += unlinkat(dirfd(directory), entry->d_name, 0) == 0;
        }
    }
    closedir(directory);
    return nremoved;
}

int ecl_storage_sweep(const char *dir, int max_age_seconds,
                      int (*is_known)(void *baton, const char *stored_name), void *baton,
                      apr_pool_t *p)
{
    sweep_t parts = {is_part_name, max_age_seconds, NULL, NULL};
    sweep_t files = {is_stored_name, max_age_seconds, is_known, baton};

    return sweep_directory(apr_pstrcat(p, dir, INCOMING, NULL), &parts) +
           sweep_directory(apr_pstrcat(p, dir, FILES, NULL), &files);
}

const char *ecl_storage_marker(const char *dir, apr_pool_t *p)
{
    return apr_pstrcat(p, dir, "/database", NULL);
}

void ecl_storage_wake(const char *dir, apr_pool_t *p)
{
    int fd = open(apr_pstrcat(p, dir, "/wake", NULL), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

    if (fd >= 0) {
        futimens(fd, NULL);
        close(fd);
    }
}
