#include "job_events.h"

#include "jobs_internal.h"

#define MAX_PAGE 200

static const char *const event_names[] = {"queued",    "cancel",   "retry",           "answer",
                                          "undo",      "run-now",  "import-for-real", "delete",
                                          "claimed",   "put-back", "completed",       "failed",
                                          "cancelled", "undone",   "cleaned-up"};

int ecl_job_event_is_known(const char *event)
{
    for (apr_size_t i = 0; i < sizeof event_names / sizeof event_names[0]; i++) {
        if (!strcmp(event, event_names[i])) {
            return 1;
        }
    }
    return 0;
}

apr_status_t ecl_jobs_note(ecl_db_conn_t *conn, const ecl_job_event_t *event, ecl_result_t *result)
{
    static const char sql[] = "INSERT INTO import_job_events"
                              " (at, batch_id, filename, event, user_name, worker, attempt, detail)"
                              " VALUES (%lld, %s, %s, %s, %s, %s, %lld, %s)";

    return ecl_db_exec(
        conn, sql,
        ECL_ARGS(ECL_INT(apr_time_now()), ECL_TEXT(event->batch_id), ECL_TEXT(event->filename),
                 ECL_TEXT(event->event), ECL_TEXT(event->user), ECL_TEXT(event->worker),
                 event->attempt ? ECL_INT(event->attempt) : ECL_NULL, ECL_TEXT(event->detail)),
        NULL, result);
}

apr_status_t ecl_jobs_note_asked(ecl_db_conn_t *conn, const ecl_job_t *job, const char *event,
                                 const char *user, const char *detail, ecl_result_t *result)
{
    const ecl_job_event_t asked = {.batch_id = job->batch_id,
                                   .filename = job->filename,
                                   .event = event,
                                   .user = user ? user : "",
                                   .detail = detail};

    return ecl_jobs_note(conn, &asked, result);
}

apr_status_t ecl_jobs_begin(ecl_db_conn_t *conn, int *pis_own, ecl_result_t *result)
{
    *pis_own = !ecl_db_in_transaction(conn);
    return *pis_own ? ecl_db_begin(conn, result) : APR_SUCCESS;
}

apr_status_t ecl_jobs_end(ecl_db_conn_t *conn, int is_own, apr_status_t rv, ecl_result_t *result)
{
    if (!is_own) {
        return rv;
    }
    if (rv != APR_SUCCESS) {
        ecl_db_rollback(conn);
        return rv;
    }
    return ecl_db_commit(conn, result);
}

/* ---- reading ---- */

static void add_text(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static json_object *event_json(const ecl_db_rows_t *rows, int row, apr_pool_t *p)
{
    static const char *const texts[] = {"batch_id", "filename", "event", "user_name", "worker"};
    json_object *event = json_object_new_object();

    json_object_object_add(event, "id", json_object_new_int64(ecl_db_get_int(rows, row, 0)));
    add_text(event, "at", ecl_rfc3339(ecl_db_get_int(rows, row, 1), p));
    for (int i = 0; i < 5; i++) {
        add_text(event, texts[i], ecl_db_get(rows, row, 2 + i));
    }
    json_object_object_add(
        event, "attempt",
        ecl_db_get(rows, row, 7) ? json_object_new_int64(ecl_db_get_int(rows, row, 7)) : NULL);
    add_text(event, "detail", ecl_db_get(rows, row, 8));
    json_object_object_add(event, "job_exists",
                           json_object_new_boolean(ecl_db_get(rows, row, 9) != NULL));
    return event;
}

static apr_status_t check(const ecl_job_event_filter_t *filter, ecl_result_t *result)
{
    const char *accepted = "";

    if (filter->limit < 1 || filter->limit > MAX_PAGE) {
        return ecl_fail(result, ECL_EINPUT, "bad-limit",
                        "the limit is %d; from 1 to %d events can be listed at once", filter->limit,
                        MAX_PAGE);
    }
    if (filter->event && !ecl_job_event_is_known(filter->event)) {
        for (apr_size_t i = 0; i < sizeof event_names / sizeof event_names[0]; i++) {
            accepted = apr_pstrcat(result->pool, accepted, i ? ", " : "", event_names[i], NULL);
        }
        return ecl_fail(result, ECL_EINPUT, "unknown-value",
                        "the event \"%s\" is not known; it is one of: %s", filter->event, accepted);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_job_events(ecl_db_conn_t *conn, const ecl_job_event_filter_t *filter,
                            json_object **pevents, apr_int64_t *pnext, ecl_result_t *result)
{
#define LIST(condition)                                                                            \
    "SELECT e.id, e.at, e.batch_id, e.filename, e.event, e.user_name, e.worker, e.attempt,"        \
    " e.detail, j.id FROM import_job_events AS e"                                                  \
    " LEFT JOIN import_jobs AS j ON j.batch_id = e.batch_id"                                       \
    " WHERE " condition "e.id < %lld ORDER BY e.id DESC LIMIT %lld"
#define OF_JOB "e.batch_id = %s AND "
#define OF_KIND "e.event = %s AND "
#define WITH                                                                                       \
    "(lower(e.filename) LIKE lower(%s) ESCAPE '\\' OR lower(e.user_name) LIKE lower(%s)"           \
    " ESCAPE '\\' OR lower(e.worker) LIKE lower(%s) ESCAPE '\\' OR e.batch_id LIKE lower(%s)"      \
    " ESCAPE '\\') AND "
    /* [of a job][of a kind][with a text]: what is not asked for must not stand in the way of the
     * index */
    static const char *const sql[2][2][2] = {
        {{LIST(""), LIST(WITH)}, {LIST(OF_KIND), LIST(OF_KIND WITH)}},
        {{LIST(OF_JOB), LIST(OF_JOB WITH)}, {LIST(OF_JOB OF_KIND), LIST(OF_JOB OF_KIND WITH)}}};
#undef LIST
#undef OF_JOB
#undef OF_KIND
#undef WITH
    ecl_db_value_t args[8];
    apr_size_t nargs = 0;
    ecl_db_rows_t *rows;
    const char *pattern;
    apr_pool_t *p;
    apr_status_t rv = check(filter, result);

    *pevents = NULL;
    *pnext = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_pool_create(&p, result->pool);
    rv = ecl_jobs_search_pattern(filter->q, p, &pattern, result);
    if (rv == APR_SUCCESS) {
        if (filter->batch_id) {
            args[nargs++] = ECL_TEXT(filter->batch_id);
        }
        if (filter->event) {
            args[nargs++] = ECL_TEXT(filter->event);
        }
        for (int i = 0; pattern && i < 4; i++) {
            args[nargs++] = ECL_TEXT(pattern);
        }
        args[nargs++] = ECL_INT(filter->before ? filter->before : APR_INT64_MAX);
        args[nargs++] = ECL_INT(filter->limit + 1); /* one more tells of a next page */
        rv = ecl_db_query(conn,
                          sql[filter->batch_id != NULL][filter->event != NULL][pattern != NULL],
                          args, nargs, p, &rows, result);
    }
    if (rv == APR_SUCCESS) {
        *pevents = json_object_new_array();
        for (int i = 0; i < ecl_db_nrows(rows) && i < filter->limit; i++) {
            json_object_array_add(*pevents, event_json(rows, i, p));
        }
        if (ecl_db_nrows(rows) > filter->limit) {
            *pnext = ecl_db_get_int(rows, filter->limit - 1, 0);
        }
    }
    apr_pool_destroy(p);
    return rv;
}
