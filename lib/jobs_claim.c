/*
 * Claims, leases and fencing: what a worker does with the queue and to the job in its hands.
 */
#include "jobs_internal.h"

/* The job is in the hands of the claim with this token. */
#define HELD "id = %lld AND claims = %lld AND lease_until IS NOT NULL"

apr_status_t ecl_jobs_fenced(const ecl_job_t *job, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EFENCED, "claim-lost",
                    "claim %" APR_INT64_T_FMT " of job %s has ended: the job was put back, or "
                    "another worker has it",
                    job->claims, job->batch_id);
}

static apr_time_t lease_end(apr_time_t now)
{
    return now + apr_time_from_sec(ECL_LEASE_SECONDS);
}

/* ---- ending a claim without an end ---- */

#define IMPORTING "status = 'processing' AND cancel_requested = 0"
#define USED_UP IMPORTING " AND attempts >= max_attempts"

/* Seconds until the next attempt: 2, 4, 8 … 600; and after the death of a process 0, 2, 4 …,
 * because the first one says more about the process than about the file. */
#define LONGEST APR_STRINGIFY(ECL_BACK_OFF_MAX_SECONDS)
#define BACK_OFF "CASE WHEN attempts < 10 THEN 1 << attempts ELSE " LONGEST " END"
#define BACK_OFF_DEATH                                                                             \
    "CASE WHEN attempts <= 1 THEN 0 WHEN attempts <= 10 THEN 1 << (attempts - 1)"                  \
    " ELSE " LONGEST " END"

/* An attempt that counts. What is to be taken out has no last attempt: to stop half-way would leave
 * neither the import nor what was before it. Values: now, reason, reason, now. */
#define PUT_BACK_COUNTED(back_off)                                                                 \
    "UPDATE import_jobs SET"                                                                       \
    " status = CASE WHEN " USED_UP " THEN 'failed' WHEN status = 'processing' THEN 'queued'"       \
    " ELSE status END,"                                                                            \
    " completed_at = CASE WHEN " USED_UP " THEN %lld ELSE completed_at END,"                       \
    " error_message = CASE WHEN " USED_UP                                                          \
    " THEN 'gave up after ' || attempts || ' attempts that got no further: ' || %s"                \
    " WHEN " IMPORTING " THEN %s ELSE error_message END,"                                          \
    " run_after = CAST(%lld AS BIGINT) + " back_off " * 1000000,"                                  \
    " lease_until = NULL WHERE "

/* A stop that was asked for, which is no attempt. */
#define PUT_BACK_STOPPED                                                                           \
    "UPDATE import_jobs SET status = CASE WHEN status = 'processing' THEN 'queued' ELSE status "   \
    "END, attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END, run_after = queued_at,"  \
    " lease_until = NULL WHERE "

#define PUT_BACK_RETURNING " RETURNING batch_id, worker, status, filename, error_message"

/* Logs and notes what became of one job that was put back. */
static apr_status_t note_put_back(ecl_db_conn_t *conn, const ecl_db_rows_t *rows, int row,
                                  const char *reason, ecl_result_t *result)
{
    int has_failed = !strcmp(ecl_db_get(rows, row, 2), "failed") && reason;
    ecl_job_event_t event = {.batch_id = ecl_db_get(rows, row, 0),
                             .filename = ecl_db_get(rows, row, 3),
                             .event = has_failed ? "failed" : "put-back",
                             .worker = ecl_db_get(rows, row, 1),
                             .detail = reason ? reason : "the worker was asked to stop"};

    if (has_failed) {
        ecl_log(ECL_LOG_WARN, 0, ECLNO(1301) "job %s of worker %s has no attempts left: %s",
                event.batch_id, event.worker, event.detail);
        event.detail = ecl_db_get(rows, row, 4);
    } else {
        ecl_log(ECL_LOG_INFO, 0, ECLNO(1300) "job %s of worker %s is put back: %s", event.batch_id,
                event.worker, event.detail);
    }
    return ecl_jobs_note(conn, &event, result);
}

/* Runs one of the statements above with PUT_BACK_RETURNING, and tells what it did: no caller knows
 * which jobs it met. *pcount may be NULL. */
static apr_status_t put_back(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                             apr_size_t nargs, const char *reason, int *pcount,
                             ecl_result_t *result)
{
    ecl_db_rows_t *rows;
    apr_pool_t *p;
    int is_own;
    apr_status_t rv = ecl_jobs_begin(conn, &is_own, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_pool_create(&p, result->pool);
    rv = ecl_db_query(conn, sql, args, nargs, p, &rows, result);
    if (pcount) {
        *pcount = rv == APR_SUCCESS ? ecl_db_nrows(rows) : 0;
    }
    for (int i = 0; rv == APR_SUCCESS && i < ecl_db_nrows(rows); i++) {
        rv = note_put_back(conn, rows, i, reason, result);
    }
    apr_pool_destroy(p);
    return ecl_jobs_end(conn, is_own, rv, result);
}

apr_status_t ecl_job_give_back(ecl_db_conn_t *conn, const ecl_job_t *job,
                               const char *transient_reason, ecl_result_t *result)
{
    static const char counted[] = PUT_BACK_COUNTED(BACK_OFF) HELD PUT_BACK_RETURNING;
    static const char stopped[] = PUT_BACK_STOPPED HELD PUT_BACK_RETURNING;
    apr_time_t now = apr_time_now();
    apr_status_t rv;
    int count;

    if (transient_reason) {
        rv = put_back(conn, counted,
                      ECL_ARGS(ECL_INT(now), ECL_TEXT(transient_reason), ECL_TEXT(transient_reason),
                               ECL_INT(now), ECL_INT(job->id), ECL_INT(job->claims)),
                      transient_reason, &count, result);
    } else {
        rv = put_back(conn, stopped, ECL_ARGS(ECL_INT(job->id), ECL_INT(job->claims)), NULL, &count,
                      result);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return count ? APR_SUCCESS : ecl_jobs_fenced(job, result);
}

apr_status_t ecl_jobs_of_dead_worker(ecl_db_conn_t *conn, const char *worker, const char *reason,
                                     ecl_result_t *result)
{
#define OF_WORKER "worker = %s AND lease_until IS NOT NULL"
    static const char counted[] = PUT_BACK_COUNTED(BACK_OFF_DEATH) OF_WORKER PUT_BACK_RETURNING;
    static const char stopped[] = PUT_BACK_STOPPED OF_WORKER PUT_BACK_RETURNING;
#undef OF_WORKER
    apr_time_t now = apr_time_now();

    if (!reason) {
        return put_back(conn, stopped, ECL_ARGS(ECL_TEXT(worker)), NULL, NULL, result);
    }
    return put_back(
        conn, counted,
        ECL_ARGS(ECL_INT(now), ECL_TEXT(reason), ECL_TEXT(reason), ECL_INT(now), ECL_TEXT(worker)),
        reason, NULL, result);
}

/* A lease that ends later than any lease can: the clock was put back. Far more than clocks of hosts
 * may differ, see jobs.h. */
static apr_time_t too_late(apr_time_t now)
{
    return now + apr_time_from_sec(3 * ECL_LEASE_SECONDS);
}

/* Puts back the jobs of workers that are not heard of any more. A lease from before the clock was
 * put back ends as if it were a new one: a worker that lives renews it before that. */
static apr_status_t recover(ecl_db_conn_t *conn, apr_time_t now, ecl_result_t *result)
{
    static const char shorten[] =
        "UPDATE import_jobs SET lease_until = %lld WHERE lease_until > %lld";
    static const char sql[] = PUT_BACK_COUNTED(BACK_OFF) "lease_until <= %lld" PUT_BACK_RETURNING;
    static const char reason[] =
        "its worker was not heard of for " APR_STRINGIFY(ECL_LEASE_SECONDS) " seconds";
    apr_status_t rv = ecl_db_exec(
        conn, shorten, ECL_ARGS(ECL_INT(lease_end(now)), ECL_INT(too_late(now))), NULL, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return put_back(
        conn, sql,
        ECL_ARGS(ECL_INT(now), ECL_TEXT(reason), ECL_TEXT(reason), ECL_INT(now), ECL_INT(now)),
        reason, NULL, result);
}

/* ---- claiming ---- */

/* What needs the file is for workers of the host that has it. */
#define IS_HERE "(stored_host IS NULL OR cancel_requested = 1 OR stored_host = %s)"
#define DUE_IMPORT "status = 'queued' AND " IS_HERE " AND " ECL_JOB_IS_DUE
#define WAITS_FOR_UNDO "undo_requested = 1 AND lease_until IS NULL"
#define DUE_UNDO WAITS_FOR_UNDO " AND " ECL_JOB_IS_DUE

/* Whether there is anything to put back or to claim. An idle worker asks every few seconds and must
 * not take the write lock for it. */
static apr_status_t look(ecl_db_conn_t *conn, const char *host, const char *batch_id,
                         apr_time_t now, apr_pool_t *p, int *pfound, ecl_result_t *result)
{
    static const char any[] = "SELECT 1 WHERE"
                              " EXISTS (SELECT 1 FROM import_jobs WHERE lease_until <= %lld)"
                              " OR EXISTS (SELECT 1 FROM import_jobs WHERE lease_until > %lld)"
                              " OR EXISTS (SELECT 1 FROM import_jobs WHERE " DUE_IMPORT ")"
                              " OR EXISTS (SELECT 1 FROM import_jobs WHERE " DUE_UNDO ")";
    static const char one[] =
        "SELECT 1 FROM import_jobs WHERE (lease_until <= %lld OR lease_until > %lld OR (" DUE_IMPORT
        ") OR (" DUE_UNDO ")) AND batch_id = %s";
    const ecl_db_value_t args[] = {ECL_INT(now), ECL_INT(too_late(now)), ECL_TEXT(host),
                                   ECL_INT(now), ECL_INT(now),           ECL_INT(now),
                                   ECL_INT(now), ECL_TEXT(batch_id)};
    ecl_db_rows_t *rows;
    apr_status_t rv =
        ecl_db_query(conn, batch_id ? one : any, args, batch_id ? 8 : 7, p, &rows, result);

    *pfound = rv == APR_SUCCESS && ecl_db_nrows(rows) > 0;
    return rv;
}

/* When the first of the jobs that wait for a time is due; 0: none waits. */
static apr_status_t find_next(ecl_db_conn_t *conn, const char *host, apr_time_t now, apr_pool_t *p,
                              apr_time_t *pnext, ecl_result_t *result)
{
    static const char sql[] = "SELECT min(run_after) FROM"
                              " (SELECT min(run_after) AS run_after FROM import_jobs"
                              " WHERE status = 'queued' AND run_after > %lld AND " IS_HERE
                              " UNION ALL SELECT min(run_after) FROM import_jobs"
                              " WHERE " WAITS_FOR_UNDO " AND run_after > %lld) AS waiting";
    ecl_db_rows_t *rows;
    apr_status_t rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_INT(now), ECL_TEXT(host), ECL_INT(now)),
                                   p, &rows, result);

    *pnext = rv == APR_SUCCESS ? ecl_db_get_int(rows, 0, 0) : 0;
    return rv;
}

#define FIRST(due, which, lock)                                                                    \
    "SELECT id, " ECL_JOB_PLACE " AS place FROM import_jobs WHERE " due which                      \
    " ORDER BY place, id LIMIT 1" lock

/* The first to import and the first to undo are looked up apart, each by its index, and the first
 * of these two is taken. Values: worker, lease_until, now, now; host, now, now [, batch_id];
 * now, now [, batch_id]. */
#define CLAIM(which, lock)                                                                         \
    "UPDATE import_jobs SET status = CASE WHEN status = 'queued' THEN 'processing' ELSE status"    \
    " END, claims = claims + 1, attempts = attempts + 1, worker = %s, lease_until = %lld,"         \
    " started_at = coalesce(started_at, %lld),"                                                    \
    " attempt_started_at = CASE WHEN status = 'queued' THEN %lld ELSE attempt_started_at END,"     \
    " attempt_started_rows = CASE WHEN status = 'queued' THEN processed_rows"                      \
    " ELSE attempt_started_rows END"                                                               \
    " WHERE id = (SELECT id FROM (SELECT * FROM (" FIRST(                                          \
        DUE_IMPORT, which,                                                                         \
        lock) ") AS a"                                                                             \
              " UNION ALL SELECT * FROM (" FIRST(                                                  \
                  DUE_UNDO, which, lock) ") AS b) AS c"                                            \
                                         " ORDER BY place, id LIMIT 1) RETURNING " ECL_JOB_SELECT

/* The statement that decides who gets a job. In the transaction of the caller, which in SQLite
 * holds the write lock; PostgreSQL's row locks let others pass by. */
static apr_status_t take(ecl_db_conn_t *conn, const char *worker, const char *host,
                         const char *batch_id, apr_time_t now, apr_pool_t *p, ecl_job_t **pjob,
                         ecl_result_t *result)
{
#define ONE " AND batch_id = %s"
#define LOCK " FOR UPDATE SKIP LOCKED"
    static const char *const sql[2][2] = {{CLAIM("", ""), CLAIM(ONE, "")},
                                          {CLAIM("", LOCK), CLAIM(ONE, LOCK)}};
#undef ONE
#undef LOCK
    ecl_db_value_t args[11];
    apr_size_t nargs = 0;

    args[nargs++] = ECL_TEXT(worker);
    args[nargs++] = ECL_INT(lease_end(now));
    args[nargs++] = ECL_INT(now);
    args[nargs++] = ECL_INT(now);
    args[nargs++] = ECL_TEXT(host);
    for (int i = 0; i < 2; i++) {
        args[nargs++] = ECL_INT(now);
        args[nargs++] = ECL_INT(now);
        if (batch_id) {
            args[nargs++] = ECL_TEXT(batch_id);
        }
    }
    return ecl_jobs_query_one(conn, sql[ecl_db_conn_driver(conn) == ECL_DB_PGSQL][batch_id != NULL],
                              args, nargs, p, pjob, result);
}

static ecl_job_work_t work_of(const ecl_job_t *job)
{
    return job->cancel_requested || job->undo_requested ? ECL_WORK_TAKE_OUT : ECL_WORK_IMPORT;
}

static apr_status_t note_claimed(ecl_db_conn_t *conn, const ecl_job_t *job, apr_pool_t *p,
                                 ecl_result_t *result)
{
    ecl_job_event_t event = {.batch_id = job->batch_id,
                             .filename = job->filename,
                             .event = "claimed",
                             .worker = job->worker,
                             .attempt = job->attempts};

    if (work_of(job) == ECL_WORK_TAKE_OUT) {
        event.detail = "to take its readings out";
    } else if (job->checkpoint) {
        event.detail = apr_psprintf(p, "from record %" APR_INT64_T_FMT " on", job->checkpoint + 1);
    }
    return ecl_jobs_note(conn, &event, result);
}

apr_status_t ecl_job_claim(ecl_db_conn_t *conn, const char *worker, const char *batch_id,
                           apr_pool_t *p, ecl_claim_t *claim, ecl_result_t *result)
{
    const char *colon = strrchr(worker, ':');
    const char *host = colon ? apr_pstrmemdup(p, worker, (apr_size_t)(colon - worker)) : worker;
    apr_time_t now = apr_time_now();
    ecl_job_t *job = NULL;
    apr_status_t rv;
    int found;

    *claim = (ecl_claim_t){NULL, ECL_WORK_IMPORT, 0};
    rv = look(conn, host, batch_id, now, p, &found, result);
    if (rv == APR_SUCCESS && !found) {
        rv = find_next(conn, host, now, p, &claim->next_due, result);
    }
    if (rv != APR_SUCCESS || !found) {
        return rv;
    }
    rv = ecl_db_begin(conn, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    now = apr_time_now(); /* it may have waited for the lock */
    rv = recover(conn, now, result);
    if (rv == APR_SUCCESS) {
        rv = take(conn, worker, host, batch_id, now, p, &job, result);
    }
    if (rv == APR_SUCCESS && job) {
        rv = note_claimed(conn, job, p, result);
    }
    if (rv != APR_SUCCESS) {
        ecl_db_rollback(conn);
        return rv;
    }
    rv = ecl_db_commit(conn, result);
    if (rv != APR_SUCCESS || !job) {
        return rv;
    }
    claim->job = job;
    claim->work = work_of(job);
    return APR_SUCCESS;
}

/* ---- a claim at work ---- */

/* Runs a fenced statement that returns cancel_requested. */
static apr_status_t work_on(ecl_db_conn_t *conn, const ecl_job_t *job, const char *sql,
                            const ecl_db_value_t *args, apr_size_t nargs, int *pcancel,
                            ecl_result_t *result)
{
    ecl_db_rows_t *rows;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, result->pool);
    rv = ecl_db_query(conn, sql, args, nargs, p, &rows, result);
    if (rv == APR_SUCCESS && !ecl_db_nrows(rows)) {
        rv = ecl_jobs_fenced(job, result);
    }
    *pcancel = rv == APR_SUCCESS && ecl_db_get_int(rows, 0, 0);
    apr_pool_destroy(p);
    return rv;
}

apr_status_t ecl_job_progress(ecl_db_conn_t *conn, const ecl_job_t *job,
                              const ecl_job_progress_t *progress, int *pcancel,
                              ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE import_jobs SET processed_rows = processed_rows + %lld,"
        " imported_rows = imported_rows + %lld, failed_rows = failed_rows + %lld,"
        " skipped_rows = skipped_rows + %lld, readings_new = readings_new + %lld,"
        " readings_changed = readings_changed + %lld,"
        " readings_unchanged = readings_unchanged + %lld,"
        " attempts = CASE WHEN checkpoint <> %lld THEN 1 ELSE attempts END, checkpoint = %lld,"
        " bytes_done = %lld, summary = coalesce(%s, summary), lease_until = %lld"
        " WHERE " HELD " RETURNING cancel_requested";

    return work_on(conn, job, sql,
                   ECL_ARGS(ECL_INT(progress->processed_rows), ECL_INT(progress->imported_rows),
                            ECL_INT(progress->failed_rows), ECL_INT(progress->skipped_rows),
                            ECL_INT(progress->readings_new), ECL_INT(progress->readings_changed),
                            ECL_INT(progress->readings_unchanged), ECL_INT(progress->checkpoint),
                            ECL_INT(progress->checkpoint), ECL_INT(progress->bytes_done),
                            ECL_TEXT(ecl_jobs_json_text(progress->summary)),
                            ECL_INT(lease_end(apr_time_now())), ECL_INT(job->id),
                            ECL_INT(job->claims)),
                   pcancel, result);
}

apr_status_t ecl_job_keep_preview(ecl_db_conn_t *conn, const ecl_job_t *job, json_object *preview,
                                  ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE import_jobs SET preview = %s WHERE " HELD " RETURNING cancel_requested";
    int cancel;

    return work_on(
        conn, job, sql,
        ECL_ARGS(ECL_TEXT(ecl_jobs_json_text(preview)), ECL_INT(job->id), ECL_INT(job->claims)),
        &cancel, result);
}

apr_status_t ecl_job_renew(ecl_db_conn_t *conn, const ecl_job_t *job, apr_int64_t total_rows,
                           int *pcancel, ecl_result_t *result)
{
    static const char sql[] = "UPDATE import_jobs SET total_rows = coalesce(%lld, total_rows),"
                              " lease_until = %lld WHERE " HELD " RETURNING cancel_requested";

    return work_on(conn, job, sql,
                   ECL_ARGS(total_rows >= 0 ? ECL_INT(total_rows) : ECL_NULL,
                            ECL_INT(lease_end(apr_time_now())), ECL_INT(job->id),
                            ECL_INT(job->claims)),
                   pcancel, result);
}

/* ---- the ends of a claim ---- */

/* How an import ended. */
static const char *result_words(const ecl_job_t *job, apr_pool_t *p)
{
#define N APR_INT64_T_FMT
    return job->status == ECL_JOB_FAILED
               ? job->error_message
               : apr_psprintf(p,
                              "%s%" N " rows imported, %" N " rejected, %" N " skipped; readings: "
                              "%" N " new, %" N " changed, %" N " unchanged",
                              job->dry_run ? "dry run: " : "", job->imported_rows, job->failed_rows,
                              job->skipped_rows, job->readings_new, job->readings_changed,
                              job->readings_unchanged);
#undef N
}

/* Runs the statement that ends a claim, and notes the end; *pjob is NULL when it found no row. */
static apr_status_t end(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                        apr_size_t nargs, apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    int is_own;
    apr_status_t rv = ecl_jobs_begin(conn, &is_own, result);

    *pjob = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_jobs_query_one(conn, sql, args, nargs, p, pjob, result);
    if (rv == APR_SUCCESS && *pjob) {
        const ecl_job_t *job = *pjob;
        int is_undone = job->undone_at != 0, is_cancelled = job->status == ECL_JOB_CANCELLED;
        const ecl_job_event_t event = {
            .batch_id = job->batch_id,
            .filename = job->filename,
            .event = is_undone ? "undone" : ecl_job_status_name(job->status),
            .worker = job->worker,
            .attempt = job->attempts,
            .detail = is_undone || is_cancelled ? NULL : result_words(job, p)};

        rv = ecl_jobs_note(conn, &event, result);
    }
    return ecl_jobs_end(conn, is_own, rv, result);
}

apr_status_t ecl_job_finish(ecl_db_conn_t *conn, const ecl_job_t *job, json_object *summary,
                            const char *message, ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE import_jobs SET status = %s, completed_at = %lld, error_message = %s,"
        " summary = coalesce(%s, summary), lease_until = NULL,"
        " stored_name = CASE WHEN %lld = 1 AND dry_run = 0 THEN NULL ELSE stored_name END,"
        " stored_host = CASE WHEN %lld = 1 AND dry_run = 0 THEN NULL ELSE stored_host END"
        " WHERE " HELD " AND status = 'processing' AND cancel_requested = 0"
        " RETURNING " ECL_JOB_SELECT;
    static const char cancelled[] =
        "SELECT cancel_requested FROM import_jobs WHERE " HELD " AND status = 'processing'";
    ecl_job_t *ended;
    apr_pool_t *p;
    apr_status_t rv;
    int cancel;

    apr_pool_create(&p, result->pool);
    rv = end(conn, sql,
             ECL_ARGS(ECL_TEXT(ecl_job_status_name(message ? ECL_JOB_FAILED : ECL_JOB_COMPLETED)),
                      ECL_INT(apr_time_now()), ECL_TEXT(message),
                      ECL_TEXT(ecl_jobs_json_text(summary)), ECL_INT(message == NULL),
                      ECL_INT(message == NULL), ECL_INT(job->id), ECL_INT(job->claims)),
             p, &ended, result);
    apr_pool_destroy(p);
    if (rv != APR_SUCCESS || ended) {
        return rv;
    }
    rv = work_on(conn, job, cancelled, ECL_ARGS(ECL_INT(job->id), ECL_INT(job->claims)), &cancel,
                 result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return ecl_fail(result, ECL_ESTOPPED, "cancel-requested",
                    "job %s is to be cancelled: its readings must be taken out", job->batch_id);
}

apr_status_t ecl_job_taken_out(ecl_db_conn_t *conn, const ecl_job_t *job, json_object *summary,
                               ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE import_jobs SET"
        " completed_at = CASE WHEN status = 'processing' THEN %lld ELSE completed_at END,"
        " undone_at = CASE WHEN undo_requested = 1 THEN %lld ELSE undone_at END,"
        " status = CASE WHEN status = 'processing' THEN 'cancelled' ELSE status END,"
        " cancel_requested = 0, undo_requested = 0, summary = coalesce(%s, summary),"
        " lease_until = NULL"
        " WHERE " HELD " AND (cancel_requested = 1 OR undo_requested = 1)"
        " RETURNING " ECL_JOB_SELECT;
    apr_time_t now = apr_time_now();
    ecl_job_t *ended;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, result->pool);
    rv = end(conn, sql,
             ECL_ARGS(ECL_INT(now), ECL_INT(now), ECL_TEXT(ecl_jobs_json_text(summary)),
                      ECL_INT(job->id), ECL_INT(job->claims)),
             p, &ended, result);
    apr_pool_destroy(p);
    if (rv != APR_SUCCESS || ended) {
        return rv;
    }
    return ecl_jobs_fenced(job, result);
}
