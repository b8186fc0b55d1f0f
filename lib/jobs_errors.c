#include "jobs_internal.h"

#define MAX_PAGE 1000

apr_status_t ecl_job_add_errors(ecl_db_conn_t *conn, const ecl_job_t *job,
                                const ecl_row_error_t *errors, int count, ecl_result_t *result)
{
    static const char sql[] = "INSERT INTO import_errors"
                              " (import_job_id, line, column_name, code, message, raw, added)"
                              " SELECT id, %lld, %s, %s, %s, %s, %s FROM import_jobs"
                              " WHERE id = %lld AND claims = %lld AND status = 'processing'"
                              " AND lease_until IS NOT NULL";

    for (int i = 0; i < count; i++) {
        const ecl_row_error_t *e = &errors[i];
        int affected = 0;
        apr_status_t rv =
            ecl_db_exec(conn, sql,
                        ECL_ARGS(ECL_INT(e->line), ECL_TEXT(e->column), ECL_TEXT(e->code),
                                 ECL_TEXT(e->message), ECL_TEXT(e->raw ? e->raw : ""),
                                 ECL_TEXT(e->added), ECL_INT(job->id), ECL_INT(job->claims)),
                        &affected, result);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (!affected) {
            return ecl_jobs_fenced(job, result);
        }
    }
    return APR_SUCCESS;
}

static void add_text(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

apr_status_t ecl_job_errors(ecl_db_conn_t *conn, apr_int64_t job_id, apr_int64_t after, int limit,
                            apr_pool_t *p, json_object **perrors, apr_int64_t *pnext,
                            ecl_result_t *result)
{
    static const char sql[] = "SELECT id, line, column_name, code, message, raw, added"
                              " FROM import_errors"
                              " WHERE import_job_id = %lld AND id > %lld ORDER BY id LIMIT %lld";
    ecl_db_rows_t *rows;
    apr_status_t rv;
    int count;

    *perrors = NULL;
    *pnext = 0;
    if (limit < 1 || limit > MAX_PAGE) {
        return ecl_fail(result, ECL_EINPUT, "bad-limit",
                        "the limit is %d; from 1 to %d row errors can be listed at once", limit,
                        MAX_PAGE);
    }
    rv =
        ecl_db_query(conn, sql,
                     ECL_ARGS(ECL_INT(job_id), ECL_INT(after),
                              ECL_INT(limit + 1)), /* one more tells whether there is a next page */
                     p, &rows, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    count = ecl_db_nrows(rows) > limit ? limit : ecl_db_nrows(rows);
    *perrors = json_object_new_array_ext(count);
    for (int i = 0; i < count; i++) {
        json_object *error = json_object_new_object();

        json_object_object_add(error, "line", json_object_new_int64(ecl_db_get_int(rows, i, 1)));
        add_text(error, "column", ecl_db_get(rows, i, 2));
        add_text(error, "code", ecl_db_get(rows, i, 3));
        add_text(error, "message", ecl_db_get(rows, i, 4));
        add_text(error, "raw", ecl_db_get(rows, i, 5));
        if (ecl_db_get(rows, i, 6)) {
            add_text(error, "added", ecl_db_get(rows, i, 6));
        }
        json_object_array_add(*perrors, error);
    }
    if (ecl_db_nrows(rows) > count) {
        *pnext = ecl_db_get_int(rows, count - 1, 0);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_job_error_groups(ecl_db_conn_t *conn, apr_int64_t job_id, apr_pool_t *p,
                                  json_object **pgroups, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT g.code, g.column_name, g.n, e.line, e.message"
        " FROM (SELECT code, column_name, count(*) AS n, min(id) AS first_id FROM import_errors"
        " WHERE import_job_id = %lld GROUP BY code, column_name) AS g"
        " JOIN import_errors e ON e.id = g.first_id ORDER BY g.n DESC, g.first_id LIMIT 50";
    ecl_db_rows_t *rows;
    apr_status_t rv;

    *pgroups = NULL;
    rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_INT(job_id)), p, &rows, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *pgroups = json_object_new_array_ext(ecl_db_nrows(rows));
    for (int i = 0; i < ecl_db_nrows(rows); i++) {
        json_object *group = json_object_new_object();

        add_text(group, "code", ecl_db_get(rows, i, 0));
        add_text(group, "column", ecl_db_get(rows, i, 1));
        json_object_object_add(group, "count", json_object_new_int64(ecl_db_get_int(rows, i, 2)));
        json_object_object_add(group, "first_line",
                               json_object_new_int64(ecl_db_get_int(rows, i, 3)));
        add_text(group, "example", ecl_db_get(rows, i, 4));
        json_object_array_add(*pgroups, group);
    }
    return APR_SUCCESS;
}
