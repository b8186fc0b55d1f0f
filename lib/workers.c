/*
 * The list of workers that are alive, as the pages show it. What a worker may do to a job does not
 * depend on it: that is decided by claims and leases.
 */
#include "jobs_internal.h"

apr_status_t ecl_worker_beat(ecl_db_conn_t *conn, const char *name, const char *batch_id,
                             ecl_result_t *result)
{
    /* A row that has not been renewed for a while is that of a dead process with the same number.
     */
    static const char sql[] =
        "INSERT INTO import_workers (name, host, pid, started_at, heartbeat_at, batch_id)"
        " VALUES (%s, %s, %lld, %lld, %lld, %s) ON CONFLICT (name) DO UPDATE SET"
        " started_at = CASE WHEN import_workers.heartbeat_at < %lld THEN excluded.started_at"
        " ELSE import_workers.started_at END,"
        " heartbeat_at = excluded.heartbeat_at, batch_id = excluded.batch_id";
    apr_time_t now = apr_time_now();
    const char *colon = strrchr(name, ':');
    apr_int64_t pid;
    apr_status_t rv;
    apr_pool_t *p;

    if (!colon || colon == name || !ecl_parse_int64(colon + 1, 1, APR_INT32_MAX, &pid)) {
        return ecl_fail(result, ECL_EINPUT, "bad-worker-name",
                        "the worker's name \"%s\" is not of the form host:pid", name);
    }
    apr_pool_create(&p, result->pool);
    rv = ecl_db_exec(conn, sql,
                     ECL_ARGS(ECL_TEXT(name),
                              ECL_TEXT(apr_pstrmemdup(p, name, (apr_size_t)(colon - name))),
                              ECL_INT(pid), ECL_INT(now), ECL_INT(now), ECL_TEXT(batch_id),
                              ECL_INT(now - apr_time_from_sec(6 * ECL_HEARTBEAT_SECONDS))),
                     NULL, result);
    apr_pool_destroy(p);
    return rv;
}

apr_status_t ecl_worker_gone(ecl_db_conn_t *conn, const char *name, ecl_result_t *result)
{
    static const char sql[] = "DELETE FROM import_workers WHERE name = %s";

    return ecl_db_exec(conn, sql, ECL_ARGS(ECL_TEXT(name)), NULL, result);
}

apr_status_t ecl_workers_alive(ecl_db_conn_t *conn, int max_age_seconds, apr_pool_t *p,
                               ecl_worker_t **pworkers, int *pcount, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT name, host, pid, started_at, heartbeat_at, batch_id FROM import_workers"
        " WHERE heartbeat_at > %lld ORDER BY started_at, name LIMIT 1000";
    apr_time_t oldest = apr_time_now() - apr_time_from_sec(max_age_seconds);
    ecl_db_rows_t *rows;
    apr_status_t rv;

    *pworkers = NULL;
    *pcount = 0;
    rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_INT(oldest)), p, &rows, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pcount = ecl_db_nrows(rows);
    *pworkers = apr_pcalloc(p, (apr_size_t)(*pcount + 1) * sizeof **pworkers);
    for (int i = 0; i < *pcount; i++) {
        ecl_worker_t *worker = &(*pworkers)[i];

        worker->name = ecl_db_get(rows, i, 0);
        worker->host = ecl_db_get(rows, i, 1);
        worker->pid = ecl_db_get_int(rows, i, 2);
        worker->started_at = ecl_db_get_int(rows, i, 3);
        worker->heartbeat_at = ecl_db_get_int(rows, i, 4);
        worker->batch_id = ecl_db_get(rows, i, 5);
    }
    return APR_SUCCESS;
}
