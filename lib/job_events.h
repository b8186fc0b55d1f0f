/*
 * The history of jobs: who did what to which, and what became of it.
 *
 * An event is written in the transaction of what it tells of, by the functions of jobs.h, and stays
 * when the job's record is deleted or cleaned up, until ecl_job_events_cleanup. A job has some
 * events per attempt and none per batch.
 *
 *   asked for by people   queued, cancel, retry, answer, undo, run-now, import-for-real, delete
 *   done by workers       claimed, put-back, completed, failed, cancelled, undone
 *   done by either        cleaned-up (by a worker, or by who ran the command cleanup)
 */
#ifndef ECL_JOB_EVENTS_H
#define ECL_JOB_EVENTS_H

#include <json-c/json.h>

#include "db.h"

typedef struct ecl_job_event_filter_t {
    const char *batch_id; /* NULL: of all jobs */
    const char *event;    /* one of the above; NULL: all */
    const char *q;        /* found in file name, user, worker or batch id, as that of a job list */
    int limit;            /* 1 to 200 */
    apr_int64_t before;   /* an event's id: only those before it; 0: from the newest on */
} ecl_job_event_filter_t;

/* Whether there are events of that name. */
int ecl_job_event_is_known(const char *event);

/* Newest first: array of {id, at, batch_id, filename, event, user_name, worker, attempt, detail,
 * job_exists}; at is RFC 3339; user_name, worker, attempt and detail are null where there is none.
 * *pnext is what to give as `before` for the next page, 0: this is the last one. The caller owns
 * *pevents, NULL after a failure. ECL_EINPUT when limit, event or q is not usable. */
apr_status_t ecl_job_events(ecl_db_conn_t *conn, const ecl_job_event_filter_t *filter,
                            json_object **pevents, apr_int64_t *pnext, ecl_result_t *result);

/* Removes the events that are more than `days` (1 or more) old and whose job's record is gone: a
 * job that is there keeps all of its history. *premoved counts them, also when it fails half-way.
 */
apr_status_t ecl_job_events_cleanup(ecl_db_conn_t *conn, int days, int *premoved,
                                    ecl_result_t *result);

#endif /* ECL_JOB_EVENTS_H */
