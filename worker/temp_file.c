#include "temp_file.h"

apr_status_t ecl_temp_file_open(apr_file_t **pfile, const char *what, apr_int32_t flags,
                                apr_pool_t *p)
{
    const char *dir;
    char *path;
    apr_status_t status = apr_temp_dir_get(&dir, p);

    if (status != APR_SUCCESS) {
        return status;
    }
    path = apr_pstrcat(p, dir, "/eclectyc-", what, "-XXXXXX", NULL);
    status = apr_file_mktemp(pfile, path,
                             APR_FOPEN_CREATE | APR_FOPEN_READ | APR_FOPEN_WRITE | APR_FOPEN_EXCL |
                                 APR_FOPEN_BINARY | flags,
                             p);
    return status == APR_SUCCESS ? apr_file_remove(path, p) : status;
}
