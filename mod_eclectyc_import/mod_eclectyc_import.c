/*
 * The module: what it hooks into, and the way of log lines of lib/ to the server's error log.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>
#include <http_request.h>

#include "child.h"
#include "config.h"
#include "request.h"
#include "status_hook.h"
#include "supervise.h"
#include "../lib/log.h"

static void register_hooks(apr_pool_t *p);

AP_DECLARE_MODULE(eclectyc_import)
__attribute__((visibility("default"))) = {
    STANDARD20_MODULE_STUFF, ecl_dir_conf_create, ecl_dir_conf_merge, ecl_server_conf_create,
    ecl_server_conf_merge,   ecl_commands,        register_hooks,     AP_MODULE_FLAG_NONE,
};

static void log_to_httpd(void *baton, const char *file, int line, ecl_log_level_t level,
                         apr_status_t rv, const char *message)
{
    ap_log_error(file, line, APLOG_MODULE_INDEX, (int)level, rv, baton, "%s", message);
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    (void)plog;
    (void)ptemp;
    ecl_log_set(log_to_httpd, s);
    ecl_child_prepare(pconf, s);
    return OK;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    ecl_log_set(log_to_httpd, s);
    ecl_child_init(pchild, s);
}

static void register_hooks(apr_pool_t *p)
{
    ecl_supervise_register(p);
    ecl_status_hook_register();
    /* before supervision's post_config, which logs */
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_child_init(child_init, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(ecl_routes_translate_name, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_map_to_storage(ecl_routes_map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    /* before those who look at r->handler: the location decides, not a file's name */
    ap_hook_handler(ecl_routes_handler, NULL, NULL, APR_HOOK_FIRST);
}
