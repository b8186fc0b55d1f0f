#include <apr_cstr.h>
#include <apr_lib.h>

#include "form.h"
#include "../lib/utf8.h"

#define FILENAME_CHARACTERS 255
#define FILENAME_BYTES 400 /* import_jobs keeps no more, see ecl_job_create */

/* Length and code point of the character at s, which is part of well-formed UTF-8. */
static apr_size_t utf8_character(const char *text, apr_uint32_t *pcode)
{
    const unsigned char *s = (const unsigned char *)text;
    apr_size_t length = s[0] < 0x80 ? 1 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;

    *pcode = length == 1 ? s[0] : s[0] & (0xFFu >> (length + 1));
    for (apr_size_t i = 1; i < length; i++) {
        *pcode = *pcode << 6 | (s[i] & 0x3Fu);
    }
    return length;
}

/* Writes a code point of at most 0xFFFF; returns how many bytes. */
static apr_size_t utf8_put(char *out, apr_uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

char *ecl_form_unescape(const char *text, apr_size_t length, int plus_is_space, apr_pool_t *p)
{
    char *result = apr_palloc(p, length + 1), *out = result;

    for (apr_size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
            if (low < 0) {
                return NULL;
            }
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (!c) {
            return NULL;
        }
        *out++ = c;
    }
    *out = '\0';
    return result;
}

char *ecl_form_escape(const char *text, apr_pool_t *p)
{
    static const char digits[] = "0123456789ABCDEF";
    char *result = apr_palloc(p, 3 * strlen(text) + 1), *out = result;

    for (; *text; text++) {
        if (apr_isalnum(*text) || strchr("-._~", *text)) {
            *out++ = *text;
        } else {
            *out++ = '%';
            *out++ = digits[(unsigned char)*text >> 4];
            *out++ = digits[(unsigned char)*text & 15];
        }
    }
    *out = '\0';
    return result;
}

apr_status_t ecl_form_parse(const char *text, apr_size_t length, apr_pool_t *p,
                            apr_table_t **pfields, ecl_result_t *result)
{
    static const char code[] = "bad-parameter";
    const char *end = text ? text + length : NULL;
    apr_table_t *fields = apr_table_make(p, 8);

    while (text < end) {
        const char *stop = memchr(text, '&', (apr_size_t)(end - text));
        const char *equals, *name, *value;
        stop = stop ? stop : end;
        if (stop == text) { /* "a=1&&b=2", a trailing '&' */
            text++;
            continue;
        }
        equals = memchr(text, '=', (apr_size_t)(stop - text));
        equals = equals ? equals : stop;
        name = ecl_form_unescape(text, (apr_size_t)(equals - text), 1, p);
        if (!name || !ecl_utf8_is_text(name, strlen(name))) {
            return ecl_fail(result, ECL_EINPUT, code, "a parameter's name can't be decoded");
        }
        value = equals < stop ? ecl_form_unescape(equals + 1, (apr_size_t)(stop - equals - 1), 1, p)
                              : "";
        if (!value || !ecl_utf8_is_text(value, strlen(value))) {
            return ecl_fail(result, ECL_EINPUT, code,
                            "parameter '%s' can't be decoded: expected percent-encoded UTF-8",
                            name);
        }
        if (apr_table_get(fields, name)) {
            return ecl_fail(result, ECL_EINPUT, code, "parameter '%s' is given twice", name);
        }
        if (apr_table_elts(fields)->nelts == ECL_FORM_FIELDS) {
            return ecl_fail(result, ECL_EINPUT, code, "more than %d parameters", ECL_FORM_FIELDS);
        }
        apr_table_setn(fields, name, value);
        text = stop + (stop < end);
    }
    *pfields = fields;
    return APR_SUCCESS;
}

int ecl_form_bool(const char *text, int *pvalue)
{
    static const char *const words[2][5] = {{"0", "off", "false", "no", ""},
                                            {"1", "on", "true", "yes", "1"}};

    for (int value = 0; value < 2; value++) {
        for (int i = 0; i < 5; i++) {
            if (!apr_cstr_casecmp(text, words[value][i])) {
                *pvalue = value;
                return 1;
            }
        }
    }
    return 0;
}

/* What Windows-1252 has at 0x80 to 0x9F where Latin-1 has control characters; 0: nothing. */
static const apr_uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

static const char *from_windows_1252(const char *text, apr_pool_t *p)
{
    char *result = apr_palloc(p, 3 * strlen(text) + 1), *out = result;

    for (; *text; text++) {
        apr_uint32_t code = (unsigned char)*text;
        if (code >= 0x80 && code < 0xA0) {
            code = windows_1252[code - 0x80] ? windows_1252[code - 0x80] : '_';
        }
        out += utf8_put(out, code);
    }
    *out = '\0';
    return result;
}

/* Characters that are not shown, or change how those around them are. */
static int is_invisible(apr_uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

char *ecl_form_filename(const char *raw, apr_pool_t *p)
{
    char *result = apr_palloc(p, FILENAME_BYTES + 1), *out = result;
    const char *s = raw;

    for (; *raw; raw++) {
        if (*raw == '/' || *raw == '\\') {
            s = raw + 1;
        }
    }
    if (!ecl_utf8_is_text(s, strlen(s))) {
        s = from_windows_1252(s, p);
    }
    for (int characters = 0; *s && characters < FILENAME_CHARACTERS; characters++) {
        apr_uint32_t code;
        apr_size_t n = utf8_character(s, &code);
        if (out + n > result + FILENAME_BYTES) {
            break;
        }
        if (is_invisible(code)) {
            *out++ = '_';
        } else {
            memcpy(out, s, n);
            out += n;
        }
        s += n;
    }
    *out = '\0';
    return !*result || !strcmp(result, ".") || !strcmp(result, "..") ? apr_pstrdup(p, "upload")
                                                                     : result;
}
