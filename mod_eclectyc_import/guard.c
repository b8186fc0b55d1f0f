#include <apr_cstr.h>
#include <http_core.h>

#include "guard.h"
#include "private.h"
#include "respond.h"

void ecl_guard_headers(request_rec *r)
{
    apr_table_t *headers = r->err_headers_out;

    apr_table_setn(headers, "Content-Security-Policy",
                   "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
                   "connect-src 'self'; form-action 'self'; base-uri 'none'; "
                   "frame-ancestors 'none'");
    apr_table_setn(headers, "X-Content-Type-Options", "nosniff");
    apr_table_setn(headers, "X-Frame-Options", "DENY");
    apr_table_setn(headers, "Referrer-Policy", "same-origin");
    apr_table_setn(headers, "Cross-Origin-Opener-Policy", "same-origin");
    apr_table_setn(headers, "Cross-Origin-Resource-Policy", "same-origin");
    /* handlers whose answer may be kept say so */
    apr_table_setn(headers, "Cache-Control", "no-store");
}

/* host[:port] without the scheme's default port. The scheme is not compared: behind a proxy that
 * ends TLS, ours is not the browser's. */
static const char *authority(const char *text, apr_pool_t *p)
{
    apr_size_t length = strlen(text);

    if (length > 3 && !strcmp(text + length - 3, ":80")) {
        length -= 3;
    } else if (length > 4 && !strcmp(text + length - 4, ":443")) {
        length -= 4;
    }
    return apr_pstrmemdup(p, text, length);
}

static int is_same_origin(request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *host = apr_table_get(r->headers_in, "Host");
    const char *start;

    if (site) {
        return !apr_cstr_casecmp(site, "same-origin") || !apr_cstr_casecmp(site, "none");
    }
    if (!origin) {
        return 1; /* no browser: nothing that could be made to send somebody else's login */
    }
    start = strstr(origin, "://"); /* not there in "null" */
    return start && host &&
           !apr_cstr_casecmp(authority(start + 3, r->pool), authority(host, r->pool));
}

int ecl_guard_check(ecl_request_t *q, int *prefused)
{
    request_rec *r = q->r;
    int is_safe = r->method_number == M_GET || r->method_number == M_OPTIONS;

    *prefused = 1;
    if (!r->user && ecl_module_dir_conf(r)->allow_anonymous != 1) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      ECLNO(2010) "no authenticated user for '%s': the location needs AuthType and "
                                  "Require, or EclectycImportAllowAnonymous on",
                      r->uri);
        return ecl_respond_error(q, HTTP_FORBIDDEN, "not-authenticated",
                                 "Nobody is logged in, and this server requires a login here. Ask "
                                 "its administrator.");
    }
    if (!is_safe && !is_same_origin(r)) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      ECLNO(2011) "refused a %s from another site, Origin '%s'", r->method,
                      ap_escape_logitem(r->pool, apr_table_get(r->headers_in, "Origin")
                                                     ? apr_table_get(r->headers_in, "Origin")
                                                     : "unknown"));
        return ecl_respond_error(q, HTTP_FORBIDDEN, "cross-site",
                                 "This request came from a page of another site, and was refused.");
    }
    *prefused = 0;
    return OK;
}
