#include "config.h"
#include "private.h"

typedef struct server_conf_t {
    ecl_settings_t *settings;
} server_conf_t;

void *ecl_server_conf_create(apr_pool_t *p, server_rec *s)
{
    server_conf_t *conf = apr_pcalloc(p, sizeof *conf);

    /* a virtual host can't have settings of its own (GLOBAL_ONLY), so it needs no object */
    conf->settings = s->is_virtual ? NULL : ecl_settings_make(p);
    return conf;
}

void *ecl_server_conf_merge(apr_pool_t *p, void *base, void *add)
{
    (void)p;
    (void)add;
    return base;
}

void *ecl_dir_conf_create(apr_pool_t *p, char *dir)
{
    ecl_dir_conf_t *conf = apr_pcalloc(p, sizeof *conf);

    (void)dir;
    conf->allow_anonymous = -1;
    return conf;
}

void *ecl_dir_conf_merge(apr_pool_t *p, void *basev, void *addv)
{
    const ecl_dir_conf_t *base = basev, *add = addv;
    ecl_dir_conf_t *conf = apr_pcalloc(p, sizeof *conf);

    /* role and base go together: a location inside ours inherits both */
    conf->role = add->role != ECL_ROLE_UNSET ? add->role : base->role;
    conf->base = add->role != ECL_ROLE_UNSET ? add->base : base->base;
    conf->allow_anonymous =
        add->allow_anonymous >= 0 ? add->allow_anonymous : base->allow_anonymous;
    return conf;
}

const ecl_settings_t *ecl_module_settings(server_rec *s)
{
    const server_conf_t *conf = ap_get_module_config(s->module_config, &eclectyc_import_module);

    return conf->settings;
}

const ecl_dir_conf_t *ecl_module_dir_conf(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &eclectyc_import_module);
}

static const char *set_setting(cmd_parms *cmd, const char *arg1, const char *arg2)
{
    ecl_result_t result = ecl_result_make(cmd->pool);
    server_conf_t *conf = ap_get_module_config(cmd->server->module_config, &eclectyc_import_module);
    const char *error = ap_check_cmd_context(cmd, GLOBAL_ONLY);

    if (error) {
        return error;
    }
    if (ecl_settings_set(conf->settings, cmd->pool, cmd->cmd->name, arg1, arg2, &result) !=
        APR_SUCCESS) {
        return result.detail;
    }
    return NULL;
}

static const char *set_setting_TAKE1(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return set_setting(cmd, arg, NULL);
}

static const char *set_setting_TAKE2(cmd_parms *cmd, void *dir, const char *arg1, const char *arg2)
{
    (void)dir;
    return set_setting(cmd, arg1, arg2);
}

static const char *set_role(cmd_parms *cmd, void *dir, const char *arg)
{
    const ap_directive_t *parent = cmd->directive->parent;
    ecl_dir_conf_t *conf = dir;
    apr_size_t length;
    const char *error =
        ap_check_cmd_context(cmd, NOT_IN_DIRECTORY | NOT_IN_FILES | NOT_IN_LIMIT | NOT_IN_PROXY);

    if (error) {
        return error;
    }
    /* links are made from the path, so it must be one, and not a pattern */
    if (!parent || strcasecmp(parent->directive, "<Location") || !cmd->path ||
        cmd->path[0] != '/' || cmd->path[strcspn(cmd->path, "*?[")]) {
        return apr_psprintf(cmd->pool, "%s must stand in a <Location \"/path\"> without wildcards",
                            cmd->cmd->name);
    }
    if (!strcasecmp(arg, "admin")) {
        conf->role = ECL_ROLE_ADMIN;
    } else if (!strcasecmp(arg, "api")) {
        conf->role = ECL_ROLE_API;
    } else {
        return apr_psprintf(cmd->pool, "%s '%s': expected admin or api", cmd->cmd->name, arg);
    }
    for (length = strlen(cmd->path); length && cmd->path[length - 1] == '/'; length--) {
    }
    if (!length) {
        return apr_psprintf(cmd->pool, "%s takes its whole <Location>, which can't be \"/\"",
                            cmd->cmd->name);
    }
    conf->base = apr_pstrmemdup(cmd->pool, cmd->path, length);
    return NULL;
}

static const char *set_allow_anonymous(cmd_parms *cmd, void *dir, int flag)
{
    ecl_dir_conf_t *conf = dir;
    const char *error =
        ap_check_cmd_context(cmd, NOT_IN_DIRECTORY | NOT_IN_FILES | NOT_IN_LIMIT | NOT_IN_PROXY);

    if (error) {
        return error;
    }
    conf->allow_anonymous = flag;
    return NULL;
}

#define COMMAND(directive, take, fallback, help)                                                   \
    AP_INIT_##take(directive, set_setting_##take, NULL, RSRC_CONF, help),

const command_rec ecl_commands[] = {
    ECL_SETTINGS(COMMAND)
        AP_INIT_TAKE1("EclectycImport", set_role, NULL, ACCESS_CONF,
                      "in a <Location>: what is served there, admin (the pages) or api"),
    AP_INIT_FLAG("EclectycImportAllowAnonymous", set_allow_anonymous, NULL, RSRC_CONF | ACCESS_CONF,
                 "on: requests without an authenticated user are served too; default off"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};
