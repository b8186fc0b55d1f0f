#include <http_protocol.h>

#include "child.h"
#include "events.h"
#include "form.h"
#include "format.h"
#include "params.h"
#include "private.h"
#include "respond.h"
#include "view.h"
#include "../lib/job_events.h"

#define LIST_LIMIT 50
#define MAX_LIMIT 200
#define JOB_PAGE_EVENTS 20

static const char *param(const ecl_request_t *q, const char *name)
{
    const char *text = apr_table_get(q->query, name);

    return text && *text ? text : NULL;
}

/* The filter that the query asks for. */
static apr_status_t read_filter(const ecl_request_t *q, ecl_job_event_filter_t *filter,
                                ecl_result_t *result)
{
    apr_int64_t limit = LIST_LIMIT;
    apr_status_t rv = ecl_params_int(q, "limit", 1, MAX_LIMIT, &limit, result);

    memset(filter, 0, sizeof *filter);
    if (rv == APR_SUCCESS) {
        rv = ecl_params_int(q, "before", 1, APR_INT64_MAX, &filter->before, result);
    }
    filter->limit = (int)limit;
    filter->batch_id = q->batch_id;
    filter->event = param(q, "event");
    filter->q = param(q, "q");
    return rv;
}

/* ---- API ---------------------------------------------------------------------------------------
 */

/* The events of a job that is there, or was. */
static apr_status_t find(ecl_db_conn_t *conn, const ecl_job_event_filter_t *filter, apr_pool_t *p,
                         json_object **pevents, apr_int64_t *pnext, ecl_result_t *result)
{
    apr_status_t rv = ecl_job_events(conn, filter, pevents, pnext, result);
    ecl_job_t *job;

    if (rv == APR_SUCCESS && filter->batch_id && !filter->before &&
        !json_object_array_length(*pevents)) {
        rv = ecl_job_get(conn, filter->batch_id, p, &job, result);
    }
    return rv;
}

int ecl_events_list(ecl_request_t *q)
{
    json_object *root = ecl_respond_own(q, json_object_new_object()), *events = NULL;
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_event_filter_t filter;
    apr_int64_t next = 0;
    ecl_db_conn_t *conn;
    apr_status_t rv = read_filter(q, &filter, &result);

    if (rv != APR_SUCCESS) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    rv = ecl_child_acquire(&conn, &result);
    if (rv == APR_SUCCESS) {
        rv = find(conn, &filter, q->r->pool, &events, &next, &result);
        json_object_object_add(root, "events", events);
        ecl_db_release(conn);
    }
    if (rv == ECL_EINPUT) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    json_object_object_add(root, "count",
                           json_object_new_int64((apr_int64_t)json_object_array_length(events)));
    json_object_object_add(root, "next", next ? json_object_new_int64(next) : NULL);
    return ecl_respond_json(q, HTTP_OK, root);
}

/* ---- pages -------------------------------------------------------------------------------------
 */

static const char *text_of(json_object *event, const char *key)
{
    json_object *text = json_object_object_get(event, key);

    return text ? json_object_get_string(text) : NULL;
}

/* Who did it, in words; "" when nobody is known. */
static const char *who_words(json_object *event, apr_pool_t *p)
{
    const char *user = text_of(event, "user_name"), *worker = text_of(event, "worker");

    return user     ? apr_pstrdup(p, *user ? user : "anonymous")
           : worker ? apr_pstrcat(p, "worker ", worker, NULL)
                    : "the housekeeping";
}

/* A detail in the words of the pages, where the API has one of its own; "" for NULL. */
static const char *detail_words(const char *detail, apr_pool_t *p)
{
#define READINGS " skipped; readings: # new, # changed, # unchanged"
    static const char *const reworded[][2] = {
        {"# rows imported, # rejected, #" READINGS, "rows: # imported, # failed, #" READINGS},
        {"dry run: # rows imported, # rejected, #" READINGS,
         "dry run: rows: # good, # failed, #" READINGS},
        {"from record # on", "from record # on"}};
#undef READINGS
    const char *words = NULL;

    if (!detail) {
        return "";
    }
    for (apr_size_t i = 0; !words && i < sizeof reworded / sizeof *reworded; i++) {
        words = ecl_format_reword(detail, reworded[i][0], reworded[i][1], p);
    }
    return ecl_format_sentence(words ? words : detail, p);
}

/* Adds to each event what a page shows of it: "show", and "href" of a job that is still there. */
static void add_words(const ecl_request_t *q, json_object *events)
{
    apr_pool_t *p = q->r->pool;

    for (apr_size_t i = 0; i < json_object_array_length(events); i++) {
        json_object *event = json_object_array_get_idx(events, i), *show = json_object_new_object();
        const char *at = text_of(event, "at");
        apr_int64_t attempt = json_object_get_int64(json_object_object_get(event, "attempt"));

        json_object_object_add(event, "show", show);
        json_object_object_add(
            show, "event",
            json_object_new_string(ecl_child_label("event", text_of(event, "event"), p)));
        json_object_object_add(show, "who", json_object_new_string(who_words(event, p)));
        json_object_object_add(show, "detail",
                               json_object_new_string(detail_words(text_of(event, "detail"), p)));
        json_object_object_add(
            show, "attempt",
            json_object_new_string(
                attempt > 1 ? apr_psprintf(p, "attempt %" APR_INT64_T_FMT, attempt) : ""));
        /* "2026-11-23T14:05:01.123Z": to the second, as one looks for what came first */
        json_object_object_add(
            show, "at",
            json_object_new_string(apr_psprintf(
                p, "%s, %.8s UTC", ecl_format_date(apr_pstrmemdup(p, at, 10), p), at + 11)));
        if (json_object_get_boolean(json_object_object_get(event, "job_exists"))) {
            json_object_object_add(event, "href",
                                   json_object_new_string(apr_pstrcat(
                                       p, q->base, "/status/", text_of(event, "batch_id"), NULL)));
        }
    }
}

/* The page's address with these parameters; NULL is left out. */
static const char *page_href(const ecl_request_t *q, const char *text, const char *event,
                             const char *before)
{
    apr_pool_t *p = q->r->pool;
    const char *const params[][2] = {
        {"q", text}, {"event", event}, {"limit", param(q, "limit")}, {"before", before}};
    const char *href = apr_pstrcat(p, q->base, "/events", NULL), *separator = "?";

    for (int i = 0; i < 4; i++) {
        if (params[i][1]) {
            href = apr_pstrcat(p, href, separator, params[i][0], "=",
                               ecl_form_escape(params[i][1], p), NULL);
            separator = "&";
        }
    }
    return href;
}

/* What the list can be narrowed to: the events that labels.json has words for. */
static json_object *event_choices(const char *selected)
{
    json_object *choices = json_object_new_array(), *labels = ecl_child_labels("event");

    if (!labels) {
        return choices;
    }
    json_object_object_foreach(labels, name, label)
    {
        json_object *choice = json_object_new_object();
        /* copied: all threads share the labels */
        json_object_object_add(choice, "value", json_object_new_string(name));
        json_object_object_add(choice, "label",
                               json_object_new_string(json_object_get_string(label)));
        json_object_object_add(choice, "selected",
                               json_object_new_boolean(selected && !strcmp(selected, name)));
        json_object_array_add(choices, choice);
    }
    return choices;
}

static void add_filter(const ecl_request_t *q, const ecl_job_event_filter_t *filter,
                       apr_int64_t next, json_object *root)
{
    json_object *view = json_object_new_object();

    json_object_object_add(root, "filter", view);
    json_object_object_add(view, "q", json_object_new_string(filter->q ? filter->q : ""));
    json_object_object_add(view, "is_any",
                           json_object_new_boolean(filter->q != NULL || filter->event != NULL));
    json_object_object_add(root, "choices", event_choices(filter->event));
    if (filter->before) {
        json_object_object_add(
            root, "first_href",
            json_object_new_string(page_href(q, filter->q, filter->event, NULL)));
    }
    if (next) {
        json_object_object_add(root, "next_href",
                               json_object_new_string(page_href(q, filter->q, filter->event,
                                                                apr_ltoa(q->r->pool, (long)next))));
    }
}

int ecl_events_page(ecl_request_t *q)
{
    json_object *root = ecl_respond_own(q, ecl_view_root(q, "History", NULL)), *events = NULL;
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_job_event_filter_t filter;
    apr_int64_t next = 0;
    ecl_db_conn_t *conn;
    apr_status_t rv = read_filter(q, &filter, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_child_acquire(&conn, &result);
        if (rv != APR_SUCCESS) {
            return ecl_respond_failure(q, &result);
        }
        rv = ecl_job_events(conn, &filter, &events, &next, &result);
        json_object_object_add(root, "events", events);
        ecl_db_release(conn);
    }
    if (rv == ECL_EINPUT) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    add_words(q, events);
    json_object_object_add(root, "has_events",
                           json_object_new_boolean(json_object_array_length(events) > 0));
    add_filter(q, &filter, next, root);
    return q->wants_json ? ecl_respond_json(q, HTTP_OK, root)
                         : ecl_respond_page(q, HTTP_OK, "events", root);
}

apr_status_t ecl_events_view_job(const ecl_request_t *q, ecl_db_conn_t *conn, const char *batch_id,
                                 json_object *root, ecl_result_t *result)
{
    const ecl_job_event_filter_t filter = {.batch_id = batch_id, .limit = JOB_PAGE_EVENTS};
    json_object *events = NULL;
    apr_int64_t next = 0;
    apr_status_t rv = ecl_job_events(conn, &filter, &events, &next, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    add_words(q, events);
    json_object_object_add(root, "history", events);
    json_object_object_add(root, "has_history",
                           json_object_new_boolean(json_object_array_length(events) > 0));
    if (next) {
        json_object_object_add(root, "history_href",
                               json_object_new_string(page_href(q, batch_id, NULL, NULL)));
    }
    return APR_SUCCESS;
}
