/*
 * Meter days → database, with difference and undo record.
 *
 * A driver (store_sqlite3.c; store_pgsql.c later) implements this table. All functions but open
 * run in the caller's transaction, on the caller's connection: a batch's readings, undo record, row
 * errors, counts and checkpoint commit together or not at all.
 *
 * Merging. A missing value never overwrites one that exists. An estimate does not replace an actual
 * (of any flag but 'E') unless replace_actuals: it is kept out and counted. Otherwise a different
 * value or flag replaces. Each reading counts once against the state before the job:
 *   new        the database had none there
 *   changed    it had another value or flag
 *   unchanged  it had the same
 * and a reading that repeats one this job has given before is counted as repeated instead; where it
 * differs the last one wins, and on_repeat names both lines. The figures do not depend on where
 * batches begin and end.
 *
 * A dry run does the same against temporary tables over the unchanged data, and keeps nothing.
 */
#ifndef ECL_STORE_H
#define ECL_STORE_H

#include "../lib/db.h"
#include "../lib/jobs.h"
#include "meter_day.h"

typedef struct ecl_store_t ecl_store_t;

typedef struct ecl_store_counts_t {
    apr_int64_t readings_new, readings_changed, readings_unchanged;
    apr_int64_t readings_repeated;       /* given more than once by this file */
    apr_int64_t readings_kept_estimated; /* estimates kept out in favour of actuals */
    apr_int64_t days_new, days_changed, days_unchanged;
    apr_int64_t meters_new;
} ecl_store_counts_t;

typedef struct ecl_store_change_t {
    const ecl_meter_day_t *day;
    int period; /* from 1 */
    ecl_decimal_t old_value, new_value;
    char old_flag, new_flag;
    apr_int64_t old_line; /* on_repeat: the line of this file that gave the old value */
} ecl_store_change_t;

/* What the caller wants to hear while days are stored; members may be NULL. */
typedef struct ecl_store_events_t {
    void *baton;
    void (*on_meter)(void *baton, const char *identifier);            /* a meter was created */
    void (*on_change)(void *baton, const ecl_store_change_t *change); /* a reading was changed */
    void (*on_repeat)(void *baton,
                      const ecl_store_change_t *change); /* differs from an earlier line */
} ecl_store_events_t;

typedef struct ecl_store_options_t {
    apr_int64_t job_id;
    int dry_run;
    int replace_actuals; /* estimates may replace actuals */
    ecl_store_events_t events;
} ecl_store_options_t;

/* Prepares storing a job's days on a connection; p owns it (one per claim). Not in a transaction.
 */
apr_status_t ecl_store_open(ecl_store_t **pstore, ecl_db_conn_t *conn,
                            const ecl_store_options_t *options, apr_pool_t *p,
                            ecl_result_t *result);

/* Stores days (merging those of one batch that meet), and adds to counts. */
apr_status_t ecl_store_put(ecl_store_t *store, const ecl_meter_day_t *days, int count,
                           ecl_store_counts_t *counts, ecl_result_t *result);

typedef struct ecl_take_out_counts_t {
    apr_int64_t days_removed;  /* the job had created them */
    apr_int64_t days_restored; /* had their previous values put back */
    apr_int64_t days_kept;     /* a later import has changed them since: left alone */
    apr_int64_t meters_removed;
} ecl_take_out_counts_t;

/* Takes up to `limit` of a job's days back out; *pmore is 0 when none is left (then also the meters
 * it created that have no days were removed, and days_kept counted). Repeatable after a crash. */
apr_status_t ecl_store_take_out(ecl_db_conn_t *conn, apr_int64_t job_id, int limit,
                                ecl_take_out_counts_t *counts, int *pmore, ecl_result_t *result);

#endif /* ECL_STORE_H */
