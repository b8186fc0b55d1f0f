#include <stdarg.h>

#include "ecl.h"

ecl_result_t ecl_result_make(apr_pool_t *p)
{
    return (ecl_result_t){p, APR_SUCCESS, NULL, NULL};
}

apr_status_t ecl_fail(ecl_result_t *result, apr_status_t status, const char *code, const char *fmt,
                      ...)
{
    if (result) {
        va_list args;
        va_start(args, fmt);
        result->status = status;
        result->code = code;
        result->detail = apr_pvsprintf(result->pool, fmt, args);
        va_end(args);
    }
    return status;
}

const char *ecl_strerror(apr_status_t status, apr_pool_t *p)
{
    char text[256];
    return apr_pstrdup(p, apr_strerror(status, text, sizeof text));
}

int ecl_parse_int64(const char *text, apr_int64_t min, apr_int64_t max, apr_int64_t *pvalue)
{
    char *end;
    apr_int64_t value;

    /* apr_strtoi64 skips blanks and takes "+5"; we take neither */
    if (!text || !(*text == '-' || (*text >= '0' && *text <= '9'))) {
        return 0;
    }
    errno = 0;
    value = apr_strtoi64(text, &end, 10);
    if (errno || *end || end == text || value < min || value > max) {
        return 0;
    }
    *pvalue = value;
    return 1;
}

const char *ecl_rfc3339(apr_time_t t, apr_pool_t *p)
{
    apr_time_exp_t x;

    if (!t || apr_time_exp_gmt(&x, t) != APR_SUCCESS) {
        return NULL;
    }
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", x.tm_year + 1900, x.tm_mon + 1,
                        x.tm_mday, x.tm_hour, x.tm_min, x.tm_sec, x.tm_usec / 1000);
}
