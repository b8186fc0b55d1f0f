#include "timezone.h"

#include <apr_env.h>
#include <apr_file_io.h>
#include <string.h>

int ecl_timezone_is_known(const char *name, apr_pool_t *p)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    char *directory, magic[4];
    const char *path;
    apr_file_t *file;
    apr_status_t status;

    if (!strcmp(name, "UTC")) {
        return 1;
    }
    if (!*name || *name == '/' || name[strspn(name, allowed)]) {
        return 0;
    }
    if (apr_env_get(&directory, "TZDIR", p) != APR_SUCCESS) {
        directory = apr_pstrdup(p, "/usr/share/zoneinfo");
    }
    path = apr_pstrcat(p, directory, "/", name, NULL);
    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_OS_DEFAULT, p) !=
        APR_SUCCESS) {
        return 0;
    }
    status = apr_file_read_full(file, magic, sizeof magic, NULL);
    apr_file_close(file);
    return status == APR_SUCCESS && !memcmp(magic, "TZif", sizeof magic);
}
