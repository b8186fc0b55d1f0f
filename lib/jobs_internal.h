/*
 * What the files of the job service share. Private to lib/jobs*.c.
 *
 *   jobs.c          names, creating, getting, listing
 *   jobs_json.c     a job as the API shows it
 *   jobs_actions.c  what people ask for
 *   jobs_cleanup.c  removing jobs and their files
 *   jobs_claim.c    what workers do
 *   jobs_errors.c   row errors
 *   job_events.c    the history
 *
 * SQL is the same for both drivers except where a comment says why. Every change of state is one
 * conditional UPDATE: the state it needs stands in its WHERE, so that of two who ask at once only
 * one succeeds, without a lock held between looking and writing.
 *
 * lease_until is not NULL exactly while somebody holds a claim; every end of a claim clears it.
 */
#ifndef ECL_JOBS_INTERNAL_H
#define ECL_JOBS_INTERNAL_H

#include "jobs.h"
#include "log.h"

/* The columns of a job in the order in which they are read. */
/* clang-format off */
#define ECL_JOB_COLUMNS(FIRST, REST)                                                               \
    FIRST(id)                                                                                      \
    REST(batch_id) REST(user_name) REST(filename) REST(stored_name) REST(file_size)                \
    REST(file_sha256) REST(import_type) REST(dry_run) REST(status) REST(priority) REST(notes)      \
    REST(tags) REST(options) REST(total_rows) REST(processed_rows) REST(imported_rows)             \
    REST(failed_rows) REST(skipped_rows) REST(readings_new) REST(readings_changed)                 \
    REST(readings_unchanged) REST(bytes_done) REST(queued_at) REST(run_after) REST(started_at)     \
    REST(completed_at) REST(attempts) REST(max_attempts) REST(claims) REST(worker)                 \
    REST(lease_until) REST(cancel_requested) REST(undo_requested) REST(checkpoint)                 \
    REST(attempt_started_at) REST(attempt_started_rows) REST(error_message) REST(summary)          \
    REST(parent_batch_id) REST(undone_at) REST(undone_by) REST(idempotency_key) REST(due_at) REST(stored_host)
/* clang-format on */

#define ECL_FIRST_NAME(column) #column
#define ECL_NEXT_NAME(column) ", " #column
/* "id, batch_id, …", for SELECT and RETURNING */
#define ECL_JOB_SELECT ECL_JOB_COLUMNS(ECL_FIRST_NAME, ECL_NEXT_NAME)

/* The order of the queue, see jobs.h. import_jobs_queue is an index on the same expression. */
#define ECL_JOB_PLACE                                                                              \
    "due_at + CASE priority WHEN 'high' THEN -" APR_STRINGIFY(                                     \
        ECL_AGEING_SECONDS) "000000"                                                               \
                            " WHEN 'normal' THEN 0 ELSE " APR_STRINGIFY(                           \
                                ECL_AGEING_SECONDS) "000000 END"

#define ECL_BACK_OFF_MAX_SECONDS 600

/* Whether a job may run now; the value, twice, is the time. Due at once is written as a run_after
 * that is the time of queueing, and no back-off is longer than ECL_BACK_OFF_MAX_SECONDS: neither
 * depends on a clock that has been put back since. */
#define ECL_JOB_IS_DUE                                                                             \
    "(run_after <= %lld OR run_after <= queued_at"                                                 \
    " OR (attempts > 0 AND run_after > CAST(%lld AS BIGINT) + " APR_STRINGIFY(                     \
        ECL_BACK_OFF_MAX_SECONDS) "000000))"

/* Runs a statement that gives at most one row of ECL_JOB_SELECT; *pjob is NULL when it gave none.
 */
apr_status_t ecl_jobs_query_one(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                                apr_size_t nargs, apr_pool_t *p, ecl_job_t **pjob,
                                ecl_result_t *result);

/* ECL_EFENCED for a job whose claim has ended. */
apr_status_t ecl_jobs_fenced(const ecl_job_t *job, ecl_result_t *result);

/* The object in a text column; *pobject is NULL for NULL. Freed with p. 0: it is not an object. */
int ecl_jobs_parse_object(const char *text, apr_pool_t *p, json_object **pobject);

/* An object as text for a column; NULL for NULL. Valid as long as the object is not changed. */
const char *ecl_jobs_json_text(json_object *object);

/* One event of the history, see job_events.h. */
typedef struct ecl_job_event_t {
    const char *batch_id, *filename, *event;
    const char *user;   /* NULL: a worker does it */
    const char *worker; /* NULL: none has the job */
    int attempt;        /* 0: no matter */
    const char *detail; /* NULL: nothing to add */
} ecl_job_event_t;

/* In the caller's transaction, like what it tells of. */
apr_status_t ecl_jobs_note(ecl_db_conn_t *conn, const ecl_job_event_t *event, ecl_result_t *result);

/* That somebody (NULL: nobody is logged in) asked for it. */
apr_status_t ecl_jobs_note_asked(ecl_db_conn_t *conn, const ecl_job_t *job, const char *event,
                                 const char *user, const char *detail, ecl_result_t *result);

/* A transaction, unless there is one; and its end: committed when it is our own and rv is
 * APR_SUCCESS. */
apr_status_t ecl_jobs_begin(ecl_db_conn_t *conn, int *pis_own, ecl_result_t *result);
apr_status_t ecl_jobs_end(ecl_db_conn_t *conn, int is_own, apr_status_t rv, ecl_result_t *result);

/* The LIKE pattern that finds q anywhere; NULL when there is nothing to look for. ECL_EINPUT. */
apr_status_t ecl_jobs_search_pattern(const char *q, apr_pool_t *p, const char **ppattern,
                                     ecl_result_t *result);

/* Removes a stored file that no record names any more (NULL: there is none). A failure is logged:
 * nobody else has to hear of it, ecl_storage_sweep tries again. */
void ecl_jobs_remove_file(const char *storage_dir, const char *stored_name, apr_pool_t *p);

#endif /* ECL_JOBS_INTERNAL_H */
