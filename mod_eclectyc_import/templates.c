#include <http_protocol.h>

#include "body.h"
#include "child.h"
#include "format.h"
#include "respond.h"
#include "templates.h"
#include "view.h"
#include "view_options.h"
#include "../lib/import_templates.h"

/* ---- showing -----------------------------------------------------------------------------------
 */

static apr_status_t load(ecl_request_t *q, ecl_import_template_t ***ptemplates, int *pcount,
                         json_object *root, ecl_result_t *result)
{
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_import_template_list(conn, q->r->pool, ptemplates, pcount, result);
    if (rv == APR_SUCCESS && root) {
        rv = ecl_view_worker(q, conn, root, result);
    }
    ecl_db_release(conn);
    return rv;
}

int ecl_templates_list(ecl_request_t *q)
{
    json_object *root = ecl_respond_own(q, json_object_new_object());
    json_object *array = json_object_new_array();
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_import_template_t **templates;
    int count;

    json_object_object_add(root, "templates", array);
    if (load(q, &templates, &count, NULL, &result) != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    for (int i = 0; i < count; i++) {
        json_object_array_add(array, ecl_import_template_json(templates[i]));
    }
    json_object_object_add(root, "count", json_object_new_int(count));
    return ecl_respond_json(q, HTTP_OK, root);
}

static json_object *view_of(const ecl_request_t *q, const ecl_import_template_t *template)
{
    apr_pool_t *p = q->r->pool;
    json_object *view = ecl_import_template_json(template), *show = json_object_new_object();
    const char *href = apr_psprintf(p, "%s/templates/%" APR_INT64_T_FMT, q->base, template->id);

    json_object_object_add(view, "href", json_object_new_string(href));
    json_object_object_add(view, "options_list", ecl_view_options(template->options, p));
    json_object_object_add(view, "show", show);
    json_object_object_add(show, "created",
                           json_object_new_string(ecl_format_time(template->created_at, p)));
    json_object_object_add(show, "last_used",
                           json_object_new_string(ecl_format_time(template->last_used_at, p)));
    json_object_object_add(
        show, "uses",
        json_object_new_string(
            template->uses == 1
                ? "Once"
                : apr_pstrcat(p, ecl_format_count(template->uses, p), " times", NULL)));
    return view;
}

/* The form that saves a job's options, with the name that was refused. */
static json_object *save_view(ecl_request_t *q, const char *name)
{
    const char *job = apr_pstrcat(q->r->pool, q->base, "/status/", q->batch_id, NULL);
    json_object *view = json_object_new_object();

    json_object_object_add(view, "name", json_object_new_string(ecl_respond_utf8(q, name)));
    json_object_object_add(view, "back", json_object_new_string(job));
    json_object_object_add(view, "action",
                           json_object_new_string(apr_pstrcat(q->r->pool, job, "/template", NULL)));
    return view;
}

/* The page; with an error after a refused change, and the name that was not saved, if it was one.
 */
static int show_page(ecl_request_t *q, int status, const char *error, const char *unsaved)
{
    json_object *root = ecl_respond_own(q, ecl_view_root(q, "Import templates", NULL));
    json_object *array = json_object_new_array();
    const char *done = apr_table_get(q->query, "done");
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_import_template_t **templates;
    int count;

    json_object_object_add(root, "templates", array);
    if (load(q, &templates, &count, root, &result) != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    for (int i = 0; i < count; i++) {
        json_object_array_add(array, view_of(q, templates[i]));
    }
    json_object_object_add(root, "has_templates", json_object_new_boolean(count > 0));
    if (unsaved) {
        json_object_object_add(root, "save", save_view(q, unsaved));
    }
    if (error) {
        ecl_view_message(root, "error", error);
    } else if (done && !strcmp(done, "saved")) {
        ecl_view_message(root, "info",
                         "Saved. Files with the same columns are read so from now on.");
    } else if (done && !strcmp(done, "deleted")) {
        ecl_view_message(root, "info", "The template was deleted. Imports that went by it stay.");
    }
    return q->wants_json ? ecl_respond_json(q, status, root)
                         : ecl_respond_page(q, status, "templates", root);
}

int ecl_templates_page(ecl_request_t *q)
{
    return show_page(q, HTTP_OK, NULL, NULL);
}

/* ---- changing ----------------------------------------------------------------------------------
 */

/* The field "name"; "" when there is none, which no template is called. *phttp as ecl_body_fields.
 */
static apr_status_t take_name(ecl_request_t *q, const char **pname, int *phttp,
                              ecl_result_t *result)
{
    apr_table_t *fields;
    apr_status_t rv = ecl_body_fields(q, &fields, phttp, result);

    *pname = rv == APR_SUCCESS ? apr_table_get(fields, "name") : NULL;
    *pname = *pname ? *pname : "";
    return rv;
}

/* A form's mistake is shown on the page, where it can be put right. unsaved: as of show_page. */
static int refuse(ecl_request_t *q, const ecl_result_t *result, const char *unsaved)
{
    int is_users = result->status == ECL_EINPUT || result->status == ECL_ECONFLICT;

    if (q->wants_json || !is_users) {
        return ecl_respond_failure(q, result);
    }
    return show_page(q, result->status == ECL_EINPUT ? HTTP_UNPROCESSABLE_ENTITY : HTTP_CONFLICT,
                     ecl_format_sentence(ecl_respond_utf8(q, result->detail), q->r->pool), unsaved);
}

static int answer(ecl_request_t *q, int status, const ecl_import_template_t *template,
                  const char *path)
{
    if (!q->wants_json) {
        return ecl_respond_see_other(q, path);
    }
    return ecl_respond_json(q, status, ecl_respond_own(q, ecl_import_template_json(template)));
}

int ecl_templates_save(ecl_request_t *q)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_import_template_t *template;
    ecl_db_conn_t *conn;
    const char *name;
    ecl_job_t *job;
    int http;
    apr_status_t rv = take_name(q, &name, &http, &result);

    if (http) {
        return ecl_respond_interrupted(q, http);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_child_acquire_writer(&conn, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_job_get(conn, q->batch_id, q->r->pool, &job, &result);
        if (rv == APR_SUCCESS) {
            rv = ecl_import_template_save(conn, job, name, q->user, q->r->pool, &template, &result);
        }
        ecl_db_release(conn);
    }
    return rv == APR_SUCCESS
               ? answer(q, HTTP_CREATED, template, "/templates?done=saved")
               : refuse(q, &result,
                        result.code && strcmp(result.code, "nothing-to-save") ? name : NULL);
}

/* The number that the path names; 0: none. */
static apr_int64_t id_of(const ecl_request_t *q)
{
    apr_int64_t id;

    return ecl_parse_int64(q->name, 1, APR_INT64_MAX, &id) ? id : 0;
}

int ecl_templates_rename(ecl_request_t *q)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_import_template_t *template;
    ecl_db_conn_t *conn;
    const char *name;
    int http;
    apr_status_t rv = take_name(q, &name, &http, &result);

    if (http) {
        return ecl_respond_interrupted(q, http);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_child_acquire_writer(&conn, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_import_template_rename(conn, id_of(q), name, q->user, q->r->pool, &template,
                                        &result);
        ecl_db_release(conn);
    }
    return rv == APR_SUCCESS ? answer(q, HTTP_OK, template, "/templates")
                             : refuse(q, &result, NULL);
}

int ecl_templates_delete(ecl_request_t *q)
{
    ecl_result_t result = ecl_result_make(q->r->pool);
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire_writer(&conn, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_import_template_delete(conn, id_of(q), q->user, &result);
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    if (q->wants_json) {
        q->r->status = HTTP_NO_CONTENT;
        return OK;
    }
    return ecl_respond_see_other(q, "/templates?done=deleted");
}
