/*
 * Removing jobs nobody needs any more, their files, and old history. Of a job, the record first. A
 * file without a record is found by ecl_storage_sweep; a record without its file would be a job
 * that cannot run.
 */
#include "job_events.h"
#include "jobs_internal.h"
#include "storage.h"

#define BATCH 100
#define EVENTS_BATCH 1000

void ecl_jobs_remove_file(const char *storage_dir, const char *stored_name, apr_pool_t *p)
{
    ecl_result_t result = ecl_result_make(p);
    apr_status_t rv;

    if (!stored_name) {
        return;
    }
    rv = ecl_storage_remove(storage_dir, stored_name, p, &result);
    if (rv != APR_SUCCESS) {
        ecl_log(ECL_LOG_WARN, rv,
                ECLNO(1303) "cannot remove the stored file '%s', which no job needs any more: %s",
                stored_name, result.detail);
    }
}

/* One job, and that it was removed; *pgone is NULL when somebody needs it again. */
static apr_status_t remove_one(ecl_db_conn_t *conn, apr_int64_t id, apr_time_t before,
                               const char *user, apr_pool_t *p, ecl_job_t **pgone,
                               ecl_result_t *result)
{
    static const char sql[] = "DELETE FROM import_jobs WHERE id = %lld AND completed_at < %lld"
                              " AND undo_requested = 0 RETURNING " ECL_JOB_SELECT;
    int is_own;
    apr_status_t rv = ecl_jobs_begin(conn, &is_own, result);

    *pgone = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_jobs_query_one(conn, sql, ECL_ARGS(ECL_INT(id), ECL_INT(before)), p, pgone, result);
    if (rv == APR_SUCCESS && *pgone) {
        const ecl_job_event_t event = {.batch_id = (*pgone)->batch_id,
                                       .filename = (*pgone)->filename,
                                       .event = "cleaned-up",
                                       .user = user};
        rv = ecl_jobs_note(conn, &event, result);
    }
    return ecl_jobs_end(conn, is_own, rv, result);
}

/* Removes up to BATCH jobs that finished before the time given. */
static apr_status_t remove_some(ecl_db_conn_t *conn, apr_time_t before, const char *user,
                                const char *storage_dir, apr_pool_t *p, int *pcount,
                                ecl_result_t *result)
{
    /* One after the other in short transactions: a job's undo record may be long, and workers wait
     * for the lock. A job that is not finished (again) has no completed_at. */
    static const char find[] = "SELECT id FROM import_jobs WHERE completed_at < %lld"
                               " AND undo_requested = 0 ORDER BY completed_at LIMIT %lld";
    ecl_db_rows_t *jobs;
    apr_status_t rv;

    *pcount = 0;
    rv = ecl_db_query(conn, find, ECL_ARGS(ECL_INT(before), ECL_INT(BATCH)), p, &jobs, result);
    for (int i = 0; rv == APR_SUCCESS && i < ecl_db_nrows(jobs); i++) {
        ecl_job_t *gone;

        rv = remove_one(conn, ecl_db_get_int(jobs, i, 0), before, user, p, &gone, result);
        if (rv == APR_SUCCESS && gone) {
            ecl_jobs_remove_file(storage_dir, gone->stored_name, p);
            ++*pcount;
        }
    }
    return rv;
}

apr_status_t ecl_jobs_cleanup(ecl_db_conn_t *conn, int days, const char *user,
                              const char *storage_dir, apr_pool_t *p, int *premoved,
                              ecl_result_t *result)
{
    apr_time_t now = apr_time_now();
    apr_pool_t *batch;
    apr_status_t rv;
    int count;

    *premoved = 0;
    if (days < 0) {
        return ecl_fail(result, ECL_EINPUT, "bad-days",
                        "jobs cannot be kept for %d days; give 0 or more", days);
    }
    apr_pool_create(&batch, p);
    do {
        apr_pool_clear(batch);
        rv = remove_some(conn, now - apr_time_from_sec((apr_int64_t)days * 86400), user,
                         storage_dir, batch, &count, result);
        *premoved += count;
    } while (rv == APR_SUCCESS && count);
    apr_pool_destroy(batch);
    return rv;
}

apr_status_t ecl_job_events_cleanup(ecl_db_conn_t *conn, int days, int *premoved,
                                    ecl_result_t *result)
{
    /* some at a time: workers wait for the lock */
    static const char sql[] =
        "DELETE FROM import_job_events WHERE id IN (SELECT e.id FROM import_job_events AS e"
        " WHERE e.at < %lld AND NOT EXISTS"
        " (SELECT 1 FROM import_jobs AS j WHERE j.batch_id = e.batch_id)"
        " ORDER BY e.at LIMIT %lld)";
    apr_time_t before = apr_time_now() - apr_time_from_sec((apr_int64_t)days * 86400);
    apr_status_t rv;
    int count;

    *premoved = 0;
    if (days < 1) {
        return ecl_fail(result, ECL_EINPUT, "bad-days",
                        "history cannot be kept for %d days; give 1 or more", days);
    }
    do {
        rv = ecl_db_exec(conn, sql, ECL_ARGS(ECL_INT(before), ECL_INT(EVENTS_BATCH)), &count,
                         result);
        *premoved += rv == APR_SUCCESS ? count : 0;
    } while (rv == APR_SUCCESS && count == EVENTS_BATCH);
    return rv;
}

apr_status_t ecl_jobs_know_file(ecl_db_conn_t *conn, const char *stored_name, int *pknown,
                                ecl_result_t *result)
{
    static const char sql[] = "SELECT 1 FROM import_jobs WHERE stored_name = %s LIMIT 1";
    ecl_db_rows_t *rows;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, result->pool);
    rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_TEXT(stored_name)), p, &rows, result);
    *pknown = rv == APR_SUCCESS && ecl_db_nrows(rows) > 0;
    apr_pool_destroy(p);
    return rv;
}
