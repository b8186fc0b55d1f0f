/*
 * Which address is what. Paths are relative to the configured location.
 */
#include <apr_cstr.h>
#include <http_protocol.h>
#include <http_request.h>

#include "actions.h"
#include "api.h"
#include "bulk.h"
#include "events.h"
#include "failed_rows.h"
#include "form.h"
#include "guard.h"
#include "pages.h"
#include "private.h"
#include "respond.h"
#include "templates.h"
#include "../lib/jobs.h"

/* {id} stands for a job's batch id, {name} for any other single segment. */
typedef struct route_t {
    ecl_role_t role;
    int method;
    const char *pattern;
    ecl_handler_fn *handler;
} route_t;

static const route_t routes[] = {
    {ECL_ROLE_ADMIN, M_GET, "", ecl_page_upload_form},
    {ECL_ROLE_ADMIN, M_POST, "", ecl_page_upload},
    {ECL_ROLE_ADMIN, M_GET, "/jobs", ecl_page_jobs},
    {ECL_ROLE_ADMIN, M_POST, "/jobs/bulk", ecl_bulk_page},
    {ECL_ROLE_ADMIN, M_GET, "/status/{id}", ecl_page_status},
    {ECL_ROLE_ADMIN, M_GET, "/status/{id}/failed-rows.csv", ecl_page_failed_rows},
    {ECL_ROLE_ADMIN, M_POST, "/status/{id}/cancel", ecl_action_cancel},
    {ECL_ROLE_ADMIN, M_POST, "/status/{id}/retry", ecl_action_retry},
    {ECL_ROLE_ADMIN, M_POST, "/status/{id}/undo", ecl_action_undo},
    {ECL_ROLE_ADMIN, M_POST, "/status/{id}/run-now", ecl_action_run_now},
    {ECL_ROLE_ADMIN, M_POST, "/status/{id}/import", ecl_action_import},
    {ECL_ROLE_ADMIN, M_POST, "/status/{id}/answer", ecl_action_answer},
    {ECL_ROLE_ADMIN, M_POST, "/status/{id}/delete", ecl_action_delete},
    {ECL_ROLE_ADMIN, M_POST, "/status/{id}/template", ecl_templates_save},
    {ECL_ROLE_ADMIN, M_GET, "/events", ecl_events_page},
    {ECL_ROLE_ADMIN, M_GET, "/templates", ecl_templates_page},
    {ECL_ROLE_ADMIN, M_POST, "/templates/{name}/rename", ecl_templates_rename},
    {ECL_ROLE_ADMIN, M_POST, "/templates/{name}/delete", ecl_templates_delete},
    {ECL_ROLE_ADMIN, M_GET, "/assets/{name}", ecl_respond_asset},

    {ECL_ROLE_API, M_GET, "/jobs", ecl_api_list},
    {ECL_ROLE_API, M_POST, "/jobs", ecl_api_create},
    {ECL_ROLE_API, M_GET, "/jobs/{id}", ecl_api_job},
    {ECL_ROLE_API, M_DELETE, "/jobs/{id}", ecl_action_delete},
    {ECL_ROLE_API, M_GET, "/jobs/{id}/errors", ecl_api_errors},
    {ECL_ROLE_API, M_GET, "/jobs/{id}/events", ecl_events_list},
    {ECL_ROLE_API, M_GET, "/events", ecl_events_list},
    {ECL_ROLE_API, M_POST, "/jobs/{id}/cancel", ecl_action_cancel},
    {ECL_ROLE_API, M_POST, "/jobs/{id}/retry", ecl_action_retry},
    {ECL_ROLE_API, M_POST, "/jobs/{id}/undo", ecl_action_undo},
    {ECL_ROLE_API, M_POST, "/jobs/{id}/run-now", ecl_action_run_now},
    {ECL_ROLE_API, M_POST, "/jobs/{id}/import", ecl_action_import},
    {ECL_ROLE_API, M_POST, "/jobs/{id}/answer", ecl_action_answer},
    {ECL_ROLE_API, M_POST, "/jobs/{id}/template", ecl_templates_save},
    {ECL_ROLE_API, M_GET, "/templates", ecl_templates_list},
    {ECL_ROLE_API, M_PATCH, "/templates/{name}", ecl_templates_rename},
    {ECL_ROLE_API, M_DELETE, "/templates/{name}", ecl_templates_delete},
    {ECL_ROLE_API, M_GET, "/status", ecl_api_status},
};

/* Whether path is what pattern describes; takes q->batch_id and q->name out of it. */
static int matches(ecl_request_t *q, const char *pattern, const char *path)
{
    while (*pattern) {
        if (*pattern == '{') {
            apr_size_t length = strcspn(path, "/");
            const char *text = apr_pstrmemdup(q->r->pool, path, length);
            if (pattern[1] == 'i') {
                if (!ecl_job_is_uuid(text)) {
                    return 0;
                }
                q->batch_id = text;
            } else {
                q->name = text;
            }
            pattern += strcspn(pattern, "}") + 1;
            path += length;
        } else if (*pattern++ != *path++) {
            return 0;
        }
    }
    return !*path;
}

static int respond_to_method(ecl_request_t *q, const char *allow)
{
    request_rec *r = q->r;

    apr_table_setn(r->err_headers_out, "Allow", allow);
    if (r->method_number == M_OPTIONS) {
        ap_set_content_length(r, 0);
        return OK;
    }
    return ecl_respond_error(
        q, HTTP_METHOD_NOT_ALLOWED, "method-not-allowed",
        apr_psprintf(r->pool, "%s is not possible here, only %s", r->method, allow));
}

static int dispatch(ecl_request_t *q, const char *path)
{
    const char *allow = NULL;

    for (apr_size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (routes[i].role != q->role || !matches(q, routes[i].pattern, path)) {
            continue;
        }
        if (routes[i].method == q->r->method_number) {
            return routes[i].handler(q);
        }
        allow = apr_pstrcat(q->r->pool, allow ? allow : "", allow ? ", " : "",
                            routes[i].method == M_GET     ? "GET, HEAD"
                            : routes[i].method == M_POST  ? "POST"
                            : routes[i].method == M_PATCH ? "PATCH"
                                                          : "DELETE",
                            NULL);
    }
    if (allow) {
        return respond_to_method(q, apr_pstrcat(q->r->pool, allow, ", OPTIONS", NULL));
    }
    return ecl_respond_error(q, HTTP_NOT_FOUND, "not-found", "There is nothing at this address");
}

/* What of the request's path lies below the location, "/jobs", without a slash at its end; NULL
 * when the location that is configured is not the one that was asked for. */
static const char *relative_path(const request_rec *r, const char *base)
{
    apr_size_t length = strlen(base);
    const char *path = r->uri + length;
    apr_size_t end;

    if (strncmp(r->uri, base, length) || (*path && *path != '/')) {
        return NULL;
    }
    end = strlen(path);
    if (end && path[end - 1] == '/') {
        end--;
    }
    return apr_pstrmemdup(r->pool, path, end);
}

static int wants_json(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");

    return accept && ap_strcasestr(accept, "application/json") &&
           !ap_strcasestr(accept, "text/html");
}

int ecl_routes_translate_name(request_rec *r)
{
    if (ecl_module_dir_conf(r)->role == ECL_ROLE_UNSET) {
        return DECLINED;
    }
    r->filename = apr_pstrdup(r->pool, r->uri);
    /* map_to_storage runs with the server's configuration, and could not tell */
    ap_set_module_config(r->request_config, &eclectyc_import_module, r);
    return OK;
}

int ecl_routes_map_to_storage(request_rec *r)
{
    return ap_get_module_config(r->request_config, &eclectyc_import_module) ? OK : DECLINED;
}

int ecl_routes_handler(request_rec *r)
{
    const ecl_dir_conf_t *conf = ecl_module_dir_conf(r);
    ecl_result_t result = ecl_result_make(r->pool);
    ecl_request_t *q;
    const char *path;
    int refused, rv;

    if (conf->role == ECL_ROLE_UNSET) {
        return DECLINED;
    }
    q = apr_pcalloc(r->pool, sizeof *q);
    q->r = r;
    q->settings = ecl_module_settings(r->server);
    q->role = conf->role;
    q->base = ap_escape_uri(r->pool, conf->base);
    q->user = r->user ? ecl_respond_utf8(q, r->user) : "anonymous";
    q->wants_json = conf->role == ECL_ROLE_API || wants_json(r);

    ecl_guard_headers(r);
    if (conf->role == ECL_ROLE_ADMIN) {
        apr_table_mergen(r->err_headers_out, "Vary", "Accept");
    }
    rv = ecl_guard_check(q, &refused);
    if (refused) {
        return rv;
    }
    path = relative_path(r, conf->base);
    if (!path) {
        return ecl_respond_error(q, HTTP_NOT_FOUND, "not-found",
                                 "There is nothing at this address");
    }
    if (ecl_form_parse(r->args, r->args ? strlen(r->args) : 0, r->pool, &q->query, &result) !=
        APR_SUCCESS) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    return dispatch(q, path);
}
