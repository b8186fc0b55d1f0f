/*
 * What the directives said: the settings of the installation, one set for the whole server, and
 * per location what is served there and to whom.
 */
#ifndef ECL_CONFIG_H
#define ECL_CONFIG_H

#include <httpd.h>
#include <http_config.h>

#include "../lib/settings.h"

/* The module's own directives, which stand in a <Location>. */
typedef enum ecl_role_t {
    ECL_ROLE_UNSET = 0, /* not ours: the request is declined */
    ECL_ROLE_ADMIN,     /* pages */
    ECL_ROLE_API
} ecl_role_t;

typedef struct ecl_dir_conf_t {
    ecl_role_t role;
    const char *base;    /* path of the <Location> that set role, without a slash at its end; NULL
                            while role is unset */
    int allow_anonymous; /* -1 unset, 0, 1 */
} ecl_dir_conf_t;

extern const command_rec ecl_commands[];

void *ecl_dir_conf_create(apr_pool_t *p, char *dir);
void *ecl_dir_conf_merge(apr_pool_t *p, void *base, void *add);
void *ecl_server_conf_create(apr_pool_t *p, server_rec *s);
void *ecl_server_conf_merge(apr_pool_t *p, void *base, void *add);

/* The settings, the same object for every virtual host. Lives until the configuration is read
 * anew (pconf). */
const ecl_settings_t *ecl_module_settings(server_rec *s);

/* What the request's location says; never NULL. */
const ecl_dir_conf_t *ecl_module_dir_conf(const request_rec *r);

#endif /* ECL_CONFIG_H */
