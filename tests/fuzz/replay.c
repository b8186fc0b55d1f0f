/*
 * Runs a fuzz target over kept inputs without a fuzzer: every file of the directories given, each
 * in a buffer of exactly its size, so that the address sanitizer sees a byte read too far.
 * Directories that hold no file at all are a mistake, and a failure.
 */
#include <apr_file_info.h>
#include <apr_file_io.h>

#include "fuzz.h"

static int run_file(const char *path, apr_pool_t *p)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_size_t length;
    char *bytes;

    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_OS_DEFAULT, p) !=
            APR_SUCCESS ||
        apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS) {
        fprintf(stderr, "cannot open '%s'\n", path);
        return 0;
    }
    length = (apr_size_t)info.size;
    bytes = malloc(length ? length : 1);
    if (!bytes || (length && apr_file_read_full(file, bytes, length, NULL) != APR_SUCCESS)) {
        fprintf(stderr, "cannot read '%s'\n", path);
        free(bytes);
        return 0;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)bytes, length);
    free(bytes);
    return 1;
}

static int run_directory(const char *path, apr_pool_t *p)
{
    apr_dir_t *directory;
    apr_finfo_t entry;
    int count = 0;

    if (apr_dir_open(&directory, path, p) != APR_SUCCESS) {
        fprintf(stderr, "cannot open directory '%s'\n", path);
        return 0;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME | APR_FINFO_TYPE, directory) == APR_SUCCESS) {
        apr_pool_t *file_pool;

        if (entry.filetype != APR_REG) {
            continue;
        }
        apr_pool_create(&file_pool, p);
        if (!run_file(apr_pstrcat(file_pool, path, "/", entry.name, NULL), file_pool)) {
            return 0;
        }
        apr_pool_destroy(file_pool);
        count++;
    }
    if (!count) {
        fprintf(stderr, "no inputs in '%s'\n", path);
    }
    return count;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    int i, failed = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s DIRECTORY…\n", argv[0]);
        return 2;
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (i = 1; i < argc; i++) {
        int count = run_directory(argv[i], pool);

        failed |= !count;
        printf("%s: %d inputs\n", argv[i], count);
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return failed;
}
