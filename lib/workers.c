/*
 * The list of workers that are alive, as the pages show it. What a worker may do to a job does not
 * depend on it: that is decided by claims and leases.
 */
#include "jobs_internal.h"

#define FORGET_SECONDS 60
#define FORGET_HOST_SECONDS 86400
#define MAX_HOSTS 200

apr_status_t ecl_worker_beat(ecl_db_conn_t *conn, const char *name, const char *process,
                             const char *batch_id, ecl_result_t *result)
{
    /* A row that has not been renewed for a while is that of a dead process with the same number.
     */
    static const char sql[] =
        "INSERT INTO import_workers (name, host, pid, started_at, heartbeat_at, batch_id, process)"
        " VALUES (%s, %s, %lld, %lld, %lld, %s, %s) ON CONFLICT (name) DO UPDATE SET"
        " started_at = CASE WHEN import_workers.heartbeat_at < %lld THEN excluded.started_at"
        " ELSE import_workers.started_at END,"
        " heartbeat_at = excluded.heartbeat_at, batch_id = excluded.batch_id,"
        " process = excluded.process";
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
    rv = ecl_db_exec(
        conn, sql,
        ECL_ARGS(ECL_TEXT(name), ECL_TEXT(apr_pstrmemdup(p, name, (apr_size_t)(colon - name))),
                 ECL_INT(pid), ECL_INT(now), ECL_INT(now), ECL_TEXT(batch_id), ECL_TEXT(process),
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

apr_status_t ecl_worker_bury(ecl_db_conn_t *conn, const ecl_worker_t *worker, const char *reason,
                             int *pburied, ecl_result_t *result)
{
    /* first, so that one that gets the name has to wait for it, and has no job yet */
    static const char sql[] = "DELETE FROM import_workers WHERE name = %s AND process = %s";
    int is_own;
    apr_status_t rv = ecl_jobs_begin(conn, &is_own, result);

    *pburied = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_db_exec(conn, sql, ECL_ARGS(ECL_TEXT(worker->name), ECL_TEXT(worker->process)),
                     pburied, result);
    if (rv == APR_SUCCESS && *pburied) {
        rv = ecl_jobs_of_dead_worker(conn, worker->name, reason, result);
    }
    return ecl_jobs_end(conn, is_own, rv, result);
}

apr_status_t ecl_workers_alive(ecl_db_conn_t *conn, int max_age_seconds, apr_pool_t *p,
                               ecl_worker_t **pworkers, int *pcount, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT name, host, pid, started_at, heartbeat_at, batch_id, process FROM import_workers"
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
        worker->process = ecl_db_get(rows, i, 6);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_workers_forget(ecl_db_conn_t *conn, ecl_result_t *result)
{
    static const char sql[] =
        "DELETE FROM import_workers WHERE heartbeat_at < %lld OR (heartbeat_at < %lld AND EXISTS"
        " (SELECT 1 FROM import_workers AS other WHERE other.host = import_workers.host"
        " AND other.heartbeat_at >= %lld))";
    apr_time_t now = apr_time_now(), recent = now - apr_time_from_sec(FORGET_SECONDS);

    return ecl_db_exec(conn, sql,
                       ECL_ARGS(ECL_INT(now - apr_time_from_sec(FORGET_HOST_SECONDS)),
                                ECL_INT(recent), ECL_INT(recent)),
                       NULL, result);
}

apr_status_t ecl_hosts(ecl_db_conn_t *conn, int max_age_seconds, apr_pool_t *p, ecl_host_t **phosts,
                       int *pcount, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT host, max(heartbeat_at), sum(alive), sum(busy), sum(files) FROM"
        " (SELECT host, heartbeat_at, CASE WHEN heartbeat_at > %lld THEN 1 ELSE 0 END AS alive,"
        " CASE WHEN heartbeat_at > %lld AND batch_id IS NOT NULL THEN 1 ELSE 0 END AS busy,"
        " 0 AS files FROM import_workers UNION ALL"
        " SELECT stored_host, 0, 0, 0, 1 FROM import_jobs"
        " WHERE status IN ('queued', 'processing') AND stored_host IS NOT NULL) AS seen"
        " GROUP BY host ORDER BY host LIMIT %lld";
    apr_time_t oldest = apr_time_now() - apr_time_from_sec(max_age_seconds);
    ecl_db_rows_t *rows;
    apr_status_t rv =
        ecl_db_query(conn, sql, ECL_ARGS(ECL_INT(oldest), ECL_INT(oldest), ECL_INT(MAX_HOSTS)), p,
                     &rows, result);

    *phosts = NULL;
    *pcount = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pcount = ecl_db_nrows(rows);
    *phosts = apr_pcalloc(p, (apr_size_t)(*pcount + 1) * sizeof **phosts);
    for (int i = 0; i < *pcount; i++) {
        ecl_host_t *host = &(*phosts)[i];

        host->name = ecl_db_get(rows, i, 0);
        host->heartbeat_at = ecl_db_get_int(rows, i, 1);
        host->workers = (int)ecl_db_get_int(rows, i, 2);
        host->busy = (int)ecl_db_get_int(rows, i, 3);
        host->files = (int)ecl_db_get_int(rows, i, 4);
    }
    return APR_SUCCESS;
}
