/*
 * The keeper: the process beside the worker processes that does the master's database work, so that
 * the master never has a database open when it forks.
 *
 *   - gives a dead worker process's job back at once, also that of one which died together with the
 * master before this one
 *   - writes <storage>/status.json for server-status: when jobs arrive, every second while there
 * are any, every 5 s else
 *   - removes old finished jobs, old history and files nobody needs, at the start and then daily
 */
#ifndef ECL_KEEPER_H
#define ECL_KEEPER_H

#include "../lib/db.h"
#include "../lib/settings.h"
#include "worker.h"

/* What the master writes to the keeper's pipe, in one write, when a worker process has ended in
 * another way than by itself. */
typedef struct ecl_death_t {
    pid_t pid;
    int status;       /* as waitpid gives it */
    apr_int64_t line; /* of the file in its hands, that it was reading; 0: none */
    int stopped;      /* it was ended because the worker stops: its job's attempt is not counted */
} ecl_death_t;

/* Runs until the other end of deaths_fd (non-blocking) is closed: then does what is left, writes
 * the status a last time and returns an exit code. Signals to stop are ignored: the end of the
 * master, in whatever way, closes the pipe. */
int ecl_keeper_run(const ecl_settings_t *settings, int deaths_fd, apr_pool_t *p);

typedef struct ecl_housekeeping_t {
    int jobs_removed;
    int files_removed;
    int events_removed;
} ecl_housekeeping_t;

/* Removes finished jobs older than `days` (0: none) in the name of user (NULL: nobody's), then part
 * files and stored files that no job names, if untouched for an hour, and history as the settings
 * say. */
apr_status_t ecl_housekeeping(ecl_db_conn_t *conn, const ecl_settings_t *settings, int days,
                              const char *user, apr_pool_t *p, ecl_housekeeping_t *done,
                              ecl_result_t *result);

/* How long the job that has waited longest has been due; 0: none is. */
apr_int64_t ecl_oldest_wait_seconds(apr_time_t oldest_due, apr_time_t now);

#endif /* ECL_KEEPER_H */
