/* A directory of a test's own. */
#ifndef TESTS_DIRECTORY_H
#define TESTS_DIRECTORY_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

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
