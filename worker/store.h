/*
 * Meter days → database, with difference and undo record.
 *
 * store.c merges and counts; a driver (store_sqlite3.c, store_pgsql.c) reads and writes, see
 * store_driver.h. ecl_store_put, _pass and _take_out run in the caller's transaction, on the
 * caller's connection: a batch's readings, undo record, row errors, counts and checkpoint commit
 * together or not at all.
 *
 * Merging. A missing value never overwrites one that exists. An estimate does not replace an actual
 * (of any flag but 'E') unless replace_actuals: it is kept out and counted, each time it is given.
 * Otherwise a different value or flag replaces. Each reading counts once against the state before
 * the job:
 *   new        the database had none there
 *   changed    it had another value or flag
 *   unchanged  it had the same
 * and a reading that repeats one this job has given before is counted as repeated instead; where it
 * differs the last one wins, and on_repeat names both lines. A day counts once as well: as new, as
 * changed (some reading of it was new or changed), or as unchanged. The figures do not depend on
 * where batches begin and end, nor on where a day was cut.
 *
 * What a job has given and is not seen in the database (a reading that changed nothing) is kept in
 * a private temporary file that is gone with the store. After a crash it is made anew by
 * ecl_store_pass while the job reads up to its checkpoint.
 *
 * A dry run does the same against that temporary file over the unchanged data, and keeps nothing.
 *
 * Undo. The undo records of a day form a stack: the day holds what its last writer left, and each
 * writer's record what it found. Taking a job out restores exactly what it found (values, flags,
 * unit, writer, line, time) where it was the last to write, and removes the day if it had created
 * it. Where a later import has changed the day since, the day is kept as it is, and the job's entry
 * is taken out of the stack: if the later import is undone too, the day goes back to what it was
 * before both. So whatever the order, a day whose writers were all undone is as if none had been,
 * and readings of an undone job never come back.
 * A job that found a reading as it was leaves no record of that: the reading stays the earlier
 * job's, and goes with it.
 */
#ifndef ECL_STORE_H
#define ECL_STORE_H

#include "../lib/db.h"
#include "../lib/jobs.h"
#include "meter_day.h"

typedef struct ecl_store_t ecl_store_t;

typedef struct ecl_store_counts_t {
    apr_int64_t readings_new, readings_changed, readings_unchanged;
    apr_int64_t readings_repeated; /* given more than once by this file */
    apr_int64_t
        readings_missing; /* of the days that it gives any reading of: how many it does not */
    apr_int64_t readings_kept_estimated; /* estimates kept out in favour of actuals */
    apr_int64_t days_new, days_changed, days_unchanged;
    apr_int64_t meters, meters_new; /* different meters that the file gives readings of */
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

/* Prepares storing a job's days on a connection. p owns the store (one per claim). After a failure,
 * or when the transaction of a put was rolled back, the store is of no more use. */
apr_status_t ecl_store_open(ecl_store_t **pstore, ecl_db_conn_t *conn,
                            const ecl_store_options_t *options, apr_pool_t *p,
                            ecl_result_t *result);

/* Makes room for days (PostgreSQL: the partitions of their years, in transactions of its own). Call
 * it before the transaction in which they are put; what it could not do costs time, no readings. */
apr_status_t ecl_store_prepare(ecl_store_t *store, const ecl_meter_day_t *const *days, int count,
                               ecl_result_t *result);

/* Stores days (merging those of one batch that meet; each may end behind its last value: see
 * ECL_METER_DAY_BYTES), and adds to counts. ECL_EINPUT, with the
 * file's line: "unit-differs" or "periods-differ" when a day can't be merged with the one that is
 * there, because it is in another unit or cut into another number of periods (the setting of the
 * time zone was changed); nothing is guessed then. APR_EGENERAL, "day-damaged": what the database
 * has there was not written by this program. */
apr_status_t ecl_store_put(ecl_store_t *store, const ecl_meter_day_t *const *days, int count,
                           ecl_store_counts_t *counts, ecl_result_t *result);

/* Takes note of days that an earlier attempt of the job has stored and counted. Changes nothing in
 * the database (a dry run stores them again, in its temporary file), counts nothing, tells no
 * events. */
apr_status_t ecl_store_pass(ecl_store_t *store, const ecl_meter_day_t *const *days, int count,
                            ecl_result_t *result);

typedef struct ecl_take_out_counts_t {
    apr_int64_t days_removed;  /* the job had created them */
    apr_int64_t days_restored; /* had their previous values put back */
    apr_int64_t days_kept;     /* a later import has changed them since: left alone */
    apr_int64_t meters_removed;
} ecl_take_out_counts_t;

/* Takes up to `limit` of a job's days back out; *pmore is 0 when none is left (then also the meters
 * it created that have no days were removed; one with days of another import is from then on that
 * import's to remove). Repeatable after a crash: adds to counts what this call did. */
apr_status_t ecl_store_take_out(ecl_db_conn_t *conn, apr_int64_t job_id, int limit,
                                ecl_take_out_counts_t *counts, int *pmore, ecl_result_t *result);

#endif /* ECL_STORE_H */
