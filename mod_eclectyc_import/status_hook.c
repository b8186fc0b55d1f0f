/*
 * The figures come from <storage>/status.json, which the worker's master writes every few seconds,
 * and never from a query: this page is looked at when something is wrong, and must answer while
 * the database does not.
 */
#include <httpd.h>
#include <apr_optional_hooks.h>
#include <http_protocol.h>
#include <json-c/json.h>
#include <mod_status.h>

#include "config.h"
#include "format.h"
#include "private.h"
#include "status_hook.h"

#define MAX_SNAPSHOT_BYTES 4096

static json_object *read_snapshot(const char *dir, apr_pool_t *p)
{
    const char *path = apr_pstrcat(p, dir, "/status.json", NULL);
    char *text = apr_palloc(p, MAX_SNAPSHOT_BYTES + 1);
    apr_size_t length;
    apr_file_t *file;
    apr_status_t rv;

    if (apr_file_open(&file, path, APR_FOPEN_READ, 0, p) != APR_SUCCESS) {
        return NULL;
    }
    rv = apr_file_read_full(file, text, MAX_SNAPSHOT_BYTES, &length);
    apr_file_close(file);
    if (rv != APR_EOF) { /* unreadable, or longer than it can be */
        return NULL;
    }
    text[length] = '\0';
    return json_tokener_parse(text);
}

static int on_status(request_rec *r, int flags)
{
    static const char *const figures[][3] = {
        {"queued", "EclectycQueued", "waiting"},
        {"due", "EclectycDue", "due"},
        {"processing", "EclectycProcessing", "being imported"},
        {"oldest_wait_seconds", "EclectycOldestWait", "seconds the oldest has waited"},
        {"workers", "EclectycWorkers", "workers"},
    };
    int is_short = flags & AP_STATUS_SHORT;
    json_object *snapshot = read_snapshot(ecl_module_settings(r->server)->storage_dir, r->pool);
    json_object *value;

    if (!is_short) {
        ap_rputs("<hr />\n<h2>Eclectyc Import</h2>\n", r);
    }
    if (!json_object_is_type(snapshot, json_type_object)) {
        ap_rputs(is_short ? "EclectycSnapshot: none\n"
                          : "<p>No snapshot: no worker has run on this host.</p>\n",
                 r);
        json_object_put(snapshot);
        return OK;
    }
    if (json_object_object_get_ex(snapshot, "at", &value)) {
        ap_rprintf(r, is_short ? "EclectycSnapshot: %s\n" : "<p>Jobs as of %s:</p>\n<dl>\n",
                   ap_escape_html(r->pool, json_object_get_string(value)));
    }
    for (apr_size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        if (!json_object_object_get_ex(snapshot, figures[i][0], &value)) {
            continue;
        }
        if (is_short) {
            ap_rprintf(r, "%s: %" APR_INT64_T_FMT "\n", figures[i][1],
                       json_object_get_int64(value));
        } else {
            ap_rprintf(r, "<dt>%s: %s</dt>\n",
                       ecl_format_count(json_object_get_int64(value), r->pool), figures[i][2]);
        }
    }
    if (!is_short) {
        ap_rputs("</dl>\n", r);
    }
    json_object_put(snapshot);
    return OK;
}

void ecl_status_hook_register(void)
{
    APR_OPTIONAL_HOOK(ap, status_hook, on_status, NULL, NULL, APR_HOOK_MIDDLE);
}
