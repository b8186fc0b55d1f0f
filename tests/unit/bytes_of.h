/* What stands in a file. */
#ifndef TESTS_BYTES_OF_H
#define TESTS_BYTES_OF_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <apr_file_info.h>
#include <apr_file_io.h>

/* All of it, allocated from p with room for one byte more. */
static inline char *bytes_of(const char *path, size_t *plength, apr_pool_t *p)
{
    apr_file_t *file;
    apr_finfo_t info;
    char *bytes;

    if (apr_file_open(&file, path, APR_FOPEN_READ, APR_FPROT_OS_DEFAULT, p) != APR_SUCCESS) {
        fail_msg("cannot open %s", path);
    }
    assert_int_equal(apr_file_info_get(&info, APR_FINFO_SIZE, file), APR_SUCCESS);
    *plength = (size_t)info.size;
    bytes = apr_palloc(p, *plength + 1);
    assert_int_equal(apr_file_read_full(file, bytes, *plength, NULL), APR_SUCCESS);
    apr_file_close(file);
    return bytes;
}

#endif /* TESTS_BYTES_OF_H */
