/*
 * The worker daemon: a master process and N worker processes, one job each at a time.
 *
 * A crash takes down one job's attempt and nothing else: the master sees it at once, gives the job
 * back and starts another process. No process opens the database before its own fork.
 */
#ifndef ECL_WORKER_H
#define ECL_WORKER_H

#include "../lib/settings.h"
#include "clock.h"

#define ECL_EXIT_OK 0
#define ECL_EXIT_FAILED 1  /* the job failed, or something could not be done */
#define ECL_EXIT_USAGE 2   /* wrong usage */
#define ECL_EXIT_CONFIG 78 /* settings are wrong (sysexits.h EX_CONFIG): do not restart me */

typedef struct ecl_master_options_t {
    const ecl_clock_t *clock; /* of the settings' time zone */
    int workers;              /* processes */
    int once;                 /* stop when nothing is due */
    apr_int64_t limit;        /* stop after that many jobs; 0: no limit */
} ecl_master_options_t;

/* Runs until SIGTERM, SIGINT or SIGHUP (or as `once` and `limit` say), returns the exit code. */
int ecl_master_run(const ecl_settings_t *settings, const ecl_master_options_t *options,
                   apr_pool_t *p);

/* What one worker process does after fork: claim, run, wait. Returns its exit code. Both numbers
 * are in memory that it shares with its master. */
int ecl_slot_run(const ecl_settings_t *settings, const ecl_master_options_t *options,
                 apr_int64_t *jobs_left /* NULL: no limit */,
                 volatile apr_int64_t *line /* that it is reading of its job's file; 0: none */,
                 apr_pool_t *p);

/* If started by root: becomes the owner of the storage directory (and of the directory of an SQLite
 * database that is to be made), so that no file is left that the web server can't open. */
apr_status_t ecl_become_owner(const ecl_settings_t *settings, apr_pool_t *p, ecl_result_t *result);

#endif /* ECL_WORKER_H */
