#include "print.h"

const char *ecl_print_count(apr_int64_t number, apr_pool_t *p)
{
    char digits[24];
    char *text = apr_palloc(p, 32);
    char *to = text;
    int length = apr_snprintf(digits, sizeof digits, "%" APR_INT64_T_FMT, number);

    for (int i = 0; i < length; i++) {
        *to++ = digits[i];
        if ((length - 1 - i) % 3 == 0 && i + 1 < length && digits[i] != '-') {
            *to++ = ',';
        }
    }
    *to = '\0';
    return text;
}

const char *ecl_print_safe(const char *text, apr_pool_t *p)
{
    char *printable = apr_pstrdup(p, text ? text : "");

    for (char *c = printable; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
    return printable;
}
