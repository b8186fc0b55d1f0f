/*
 * One request to one of our locations, as the handlers see it.
 */
#ifndef ECL_REQUEST_H
#define ECL_REQUEST_H

#include <httpd.h>
#include <json-c/json.h>

#include "config.h"
#include "../lib/settings.h"

typedef struct ecl_request_t {
    request_rec *r;
    const ecl_settings_t *settings;
    ecl_role_t role;
    const char *base;     /* the location as links have it: escaped, without a slash at its end */
    const char *batch_id; /* from the path; NULL when the route has none */
    const char *name;     /* a file's name from the path; NULL as above */
    apr_table_t *query;
    const char *user; /* who asks: "anonymous" when nobody is logged in and that is allowed */
    int wants_json;   /* the API, or a page asked for with Accept: application/json */
} ecl_request_t;

/* Answers the request; returns what httpd expects of a handler. */
typedef int ecl_handler_fn(ecl_request_t *q);

/* The hooks. Our addresses name no files, so nothing below the document root (.htaccess, links, a
 * <Directory>) has a say in them; the <Location> alone decides. */
int ecl_routes_translate_name(request_rec *r);
int ecl_routes_map_to_storage(request_rec *r);
int ecl_routes_handler(request_rec *r);

#endif /* ECL_REQUEST_H */
