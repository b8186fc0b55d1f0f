/*
 * Hearing of new jobs on this host at once: <storage>/wake is touched after one was queued
 * (ecl_storage_wake), and inotify tells. Where that is not possible the owner polls as it does
 * anyway.
 */
#ifndef ECL_WAKE_H
#define ECL_WAKE_H

#include "../lib/ecl.h"

typedef struct ecl_wake_t {
    int fd;           /* to be polled for reading; -1: not watching */
    int watch;        /* -1: the file is not watched (now) */
    const char *path; /* of the wake file */
} ecl_wake_t;

/* Begins to watch; never fails (see fd). Lives and is closed with p. Call it after fork. */
ecl_wake_t *ecl_wake_open(const char *storage_dir, apr_pool_t *p);

/* Forgets what was heard so far, and watches again what has been lost (the file was removed).
 * Call it before looking for jobs: what is touched after that wakes the next wait. */
void ecl_wake_drain(ecl_wake_t *wake);

#endif /* ECL_WAKE_H */
