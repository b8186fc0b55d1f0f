#include "db_sqlite3_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_file_io.h>

/* more than any path has */
#define MARKER_BYTES 8192

/* ---- the marker ---- */

static int is_marked(const char *marker, const char *path, apr_pool_t *scratch)
{
    char *text = apr_palloc(scratch, MARKER_BYTES);
    apr_size_t length = 0;
    apr_file_t *file;

    if (apr_file_open(&file, marker, APR_FOPEN_READ, APR_OS_DEFAULT, scratch) != APR_SUCCESS) {
        return 0;
    }
    apr_file_read_full(file, text, MARKER_BYTES - 1, &length);
    apr_file_close(file);
    text[length] = '\0';
    return length == strlen(path) + 1 && text[length - 1] == '\n' &&
           !strncmp(text, path, length - 1);
}

/* What fails here is tried again with the next connection. Nobody ever reads half a marker. */
static void mark(const char *marker, const char *path, apr_pool_t *scratch)
{
    char *unnamed = apr_pstrcat(scratch, marker, ".new-XXXXXX", NULL);
    const char *text = apr_pstrcat(scratch, path, "\n", NULL);
    int is_written, fd = mkostemp(unnamed, O_CLOEXEC);

    if (fd < 0) {
        return;
    }
    is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (close(fd) != 0 || !is_written || rename(unnamed, marker) != 0) {
        unlink(unnamed);
    }
}

/* ---- the file ---- */

/* Whether there is a file with something in it: until its first connection, a new one is empty. */
static int is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size > 0 : errno != ENOENT;
}

static const char *find_remains(const char *path, apr_pool_t *scratch)
{
    static const char *const endings[] = {"-wal", "-shm"};
    struct stat st;

    for (int i = 0; i < 2; i++) {
        const char *remains = apr_pstrcat(scratch, path, endings[i], NULL);
        if (stat(remains, &st) == 0) {
            return remains;
        }
    }
    return NULL;
}

apr_status_t ecl_db_sqlite3_look(const char *path, const char *marker, apr_pool_t *scratch,
                                 ecl_result_t *result)
{
    const char *remains;
    int was_there;

    if (is_there(path)) {
        return APR_SUCCESS;
    }
    remains = find_remains(path, scratch);
    was_there = remains || (marker && is_marked(marker, path, scratch));
    /* again, because another process may have just made it, and all that tells of it */
    if (is_there(path)) {
        return APR_SUCCESS;
    }
    if (!was_there) {
        return ecl_fail(result, ECL_ENOTFOUND, "database-none", "database '%s' does not exist yet",
                        path);
    }
    return ecl_fail(result, ECL_EUNAVAILABLE, "database-missing",
                    "database '%s' is missing or empty, and was there before (%s%s%s): no new one "
                    "is made in its place",
                    path, remains ? "'" : "the storage directory knows it", remains ? remains : "",
                    remains ? "' is left of it" : "");
}

static apr_status_t fail_to_make(const char *path, const char *what, int error, apr_pool_t *scratch,
                                 ecl_result_t *result)
{
    int is_full = error == ENOSPC || error == EDQUOT;

    return ecl_fail(result, is_full ? ECL_ENOSPACE : ECL_EUNAVAILABLE,
                    is_full ? "database-full" : "database-unavailable",
                    "cannot make database '%s': %s: %s", path, what, ecl_strerror(error, scratch));
}

/* Makes an empty database file that others can't read (SQLite would make it 0644). It gets its
 * name only after it was closed: closing a descriptor drops every lock that this process holds on
 * the file, through whichever connection. */
static apr_status_t make_empty(const char *path, apr_pool_t *scratch, ecl_result_t *result)
{
    const char *slash = strrchr(path, '/');
    const char *dir =
        slash == path ? "/" : apr_pstrmemdup(scratch, path, (apr_size_t)(slash - path));
    char *unnamed = apr_pstrcat(scratch, path, ".new-XXXXXX", NULL);
    const char *what = apr_pstrcat(scratch, "directory '", dir, "'", NULL);
    int fd, error = 0;

    fd = mkostemp(unnamed, O_CLOEXEC);
    if (fd < 0) {
        return fail_to_make(path, what, errno, scratch, result);
    }
    if (fchmod(fd, 0640) != 0) {
        error = errno;
    }
    if (close(fd) != 0 && !error) {
        error = errno;
    }
    if (!error && link(unnamed, path) != 0 && errno != EEXIST) {
        error = errno;
    }
    unlink(unnamed);
    return error ? fail_to_make(path, what, error, scratch, result) : APR_SUCCESS;
}

apr_status_t ecl_db_sqlite3_prepare(const char *path, const char *marker, apr_pool_t *scratch,
                                    ecl_result_t *result)
{
    ecl_result_t why = ecl_result_make(scratch);
    apr_status_t rv = ecl_db_sqlite3_look(path, marker, scratch, &why);

    if (rv == ECL_ENOTFOUND) {
        return make_empty(path, scratch, result);
    }
    return rv == APR_SUCCESS ? rv : ecl_fail(result, rv, why.code, "%s", why.detail);
}

void ecl_db_sqlite3_mark(const char *path, const char *marker, apr_pool_t *scratch)
{
    if (marker && !is_marked(marker, path, scratch)) {
        mark(marker, path, scratch);
    }
}
