/*
 * Removing jobs nobody needs any more, and their files: the record first. A file without a record
 * is found by ecl_storage_sweep; a record without its file would be a job that cannot run.
 */
#include "jobs_internal.h"
#include "storage.h"

#define BATCH 100

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

/* Removes up to BATCH jobs that finished before the time given. */
static apr_status_t remove_some(ecl_db_conn_t *conn, apr_time_t before, const char *storage_dir,
                                apr_pool_t *p, int *pcount, ecl_result_t *result)
{
    /* One after the other in short transactions: a job's undo record may be long, and workers wait
     * for the lock. A job that is not finished (again) has no completed_at. */
    static const char find[] = "SELECT id FROM import_jobs WHERE completed_at < %lld"
                               " AND undo_requested = 0 ORDER BY completed_at LIMIT %lld";
    static const char remove[] = "DELETE FROM import_jobs WHERE id = %lld AND completed_at < %lld"
                                 " AND undo_requested = 0 RETURNING stored_name";
    ecl_db_rows_t *jobs, *gone;
    apr_status_t rv;

    *pcount = 0;
    rv = ecl_db_query(conn, find, ECL_ARGS(ECL_INT(before), ECL_INT(BATCH)), p, &jobs, result);
    for (int i = 0; rv == APR_SUCCESS && i < ecl_db_nrows(jobs); i++) {
        rv = ecl_db_query(conn, remove,
                          ECL_ARGS(ECL_INT(ecl_db_get_int(jobs, i, 0)), ECL_INT(before)), p, &gone,
                          result);
        if (rv == APR_SUCCESS && ecl_db_nrows(gone)) {
            ecl_jobs_remove_file(storage_dir, ecl_db_get(gone, 0, 0), p);
            ++*pcount;
        }
    }
    return rv;
}

apr_status_t ecl_jobs_cleanup(ecl_db_conn_t *conn, int days, const char *storage_dir, apr_pool_t *p,
                              int *premoved, ecl_result_t *result)
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
        rv = remove_some(conn, now - apr_time_from_sec((apr_int64_t)days * 86400), storage_dir,
                         batch, &count, result);
        *premoved += count;
    } while (rv == APR_SUCCESS && count);
    apr_pool_destroy(batch);
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
