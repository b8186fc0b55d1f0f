/* A directory of a test's own. */
#ifndef TESTS_DIRECTORY_H
#define TESTS_DIRECTORY_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* Makes one where temporary files go. path: room for its path, `size` bytes. */
static inline void make_directory(char *path, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    int length = snprintf(path, size, "%s/ecl-test-XXXXXX", tmp ? tmp : "/tmp");

    assert_in_range(length, 1, size - 1);
    assert_non_null(mkdtemp(path));
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* With all that is in it. */
static inline void remove_directory(const char *path)
{
    nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif /* TESTS_DIRECTORY_H */
