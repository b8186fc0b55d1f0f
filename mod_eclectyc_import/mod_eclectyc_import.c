/*
 * The module: what it hooks into, and the way of log lines of lib/ to the server's error log.
 */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "config.h"
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
    (void)pconf;
    (void)plog;
    (void)ptemp;
    ecl_log_set(log_to_httpd, s);
    return OK;
}

static void register_hooks(apr_pool_t *p)
{
    ecl_supervise_register(p);
    /* before supervision's post_config, which logs */
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_FIRST);
}
