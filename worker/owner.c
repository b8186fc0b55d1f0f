#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker.h"

/* Directory of an SQLite database, or NULL. */
static const char *database_dir(const ecl_settings_t *settings, apr_pool_t *p)
{
    const char *slash = strrchr(settings->db_params, '/');

    if (strcmp(settings->db_driver, "sqlite3") || !slash) {
        return NULL;
    }
    return slash == settings->db_params
               ? "/"
               : apr_pstrmemdup(p, settings->db_params, (apr_size_t)(slash - settings->db_params));
}

static apr_status_t become(uid_t uid, gid_t gid, const char *dir, ecl_result_t *result)
{
    struct passwd *user = getpwuid(uid);
    int failed;

    if (user) {
        gid = user->pw_gid;
        failed = setgid(gid) || initgroups(user->pw_name, gid);
    } else {
        failed = setgid(gid) || setgroups(1, &gid);
    }
    /* the order matters: once the user is set, the groups cannot be; and root must be out of reach
     */
    if (failed || setuid(uid) || setuid(0) == 0) {
        return ecl_fail(result, ECL_ECONFIG, "cannot-become-owner",
                        "cannot become user %ld, the owner of '%s'; start the worker as that user",
                        (long)uid, dir);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_become_owner(const ecl_settings_t *settings, apr_pool_t *p, ecl_result_t *result)
{
    struct stat info;
    const char *dir = settings->storage_dir;

    if (geteuid() != 0) {
        return APR_SUCCESS;
    }
    if (stat(dir, &info)) {
        dir = database_dir(settings, p);
        if (!dir || stat(dir, &info)) {
            return APR_SUCCESS; /* nothing is there yet: what is made will be root's */
        }
    }
    return info.st_uid == 0 ? APR_SUCCESS : become(info.st_uid, info.st_gid, dir, result);
}
