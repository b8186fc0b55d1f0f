#include <apr_cstr.h>
#include <apr_lib.h>

#include "multipart.h"
#include "form.h"

#define MAX_BOUNDARY 70 /* RFC 2046 5.1.1 */

typedef enum state_t {
    PREAMBLE,        /* before the first delimiter */
    AFTER_DELIMITER, /* what follows it decides: "--" the end, CRLF a part */
    CLOSING,         /* one '-' seen */
    PADDING,         /* blanks between the delimiter and its CRLF */
    DELIMITER_LF,    /* CR seen */
    HEADER,
    BODY,
    EPILOGUE /* after the closing delimiter: ignored, as RFC 2046 says */
} state_t;

struct ecl_multipart_t {
    const ecl_multipart_events_t *events;
    void *baton;
    apr_pool_t *part_pool; /* cleared for each part */
    state_t state;
    apr_status_t failure; /* what feed returned once, and returns ever after */
    int parts;
    /* CRLF "--" boundary. It holds no second CR, so after a mismatch the bytes matched so far are
     * data, and only the byte in hand can start another match. */
    char delimiter[4 + MAX_BOUNDARY + 1];
    apr_size_t delimiter_length;
    apr_size_t matched;
    apr_size_t header_length;
    char header[ECL_MULTIPART_HEADER_BYTES + 1];
};

/* One parameter of a header value, `; name=value` or `; name="value"`, from *ptext on.
 * Returns 1, 0 at the end, -1 when malformed. */
static int next_parameter(const char **ptext, apr_pool_t *p, char **pname, char **pvalue)
{
    const char *s = *ptext, *start;
    char *out;

    while (*s == ' ' || *s == '\t') {
        s++;
    }
    if (!*s) {
        return 0;
    }
    if (*s != ';') {
        return -1;
    }
    for (s++; *s == ' ' || *s == '\t'; s++) {
    }
    if (!*s) {
        return 0; /* a trailing semicolon: harmless, and seen in the wild */
    }
    start = s;
    while (apr_isalnum(*s) || (*s && strchr("!#$%&'*+-.^_`|~", *s))) {
        s++;
    }
    if (s == start || *s != '=') {
        return -1;
    }
    *pname = apr_pstrmemdup(p, start, (apr_size_t)(s - start));
    s++;
    *pvalue = out = apr_palloc(p, strlen(s) + 1);
    if (*s == '"') {
        for (s++; *s && *s != '"'; s++) {
            /* only these two are escapes: old browsers send C:\dir\file.csv as it is */
            if (s[0] == '\\' && (s[1] == '"' || s[1] == '\\')) {
                s++;
            }
            *out++ = *s;
        }
        if (*s++ != '"') {
            return -1;
        }
    } else {
        while (*s && *s != ';' && *s != ' ' && *s != '\t') {
            *out++ = *s++;
        }
    }
    *out = '\0';
    *ptext = s;
    return 1;
}

/* Browsers write these three as %22, %0D and %0A, and no other character so (WHATWG
 * HTML 4.10.22.8); a file that is called "100%25.csv" keeps its name. In place. */
static void unescape_browser(char *text)
{
    char *out = text;

    while (*text) {
        if (!apr_cstr_casecmpn(text, "%22", 3)) {
            *out++ = '"';
            text += 3;
        } else if (!apr_cstr_casecmpn(text, "%0D", 3)) {
            *out++ = '\r';
            text += 3;
        } else if (!apr_cstr_casecmpn(text, "%0A", 3)) {
            *out++ = '\n';
            text += 3;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

/* filename*=UTF-8''na%C3%AFve.csv (RFC 8187), or NULL. RFC 7578 forbids it; some clients send it.
 */
static const char *extended_value(const char *value, apr_pool_t *p)
{
    const char *language;

    if (apr_cstr_casecmpn(value, "UTF-8'", 6) || !(language = strchr(value + 6, '\''))) {
        return NULL;
    }
    return ecl_form_unescape(language + 1, strlen(language + 1), 0, p);
}

static apr_status_t broken(ecl_result_t *result, const char *what)
{
    return ecl_fail(result, ECL_EINPUT, "bad-multipart",
                    "the multipart body is not well-formed: %s", what);
}

static apr_status_t read_disposition(ecl_multipart_t *parser, const char *value, ecl_part_t *part,
                                     ecl_result_t *result)
{
    const char *extended = NULL;
    char *name, *text;
    int found;

    if (apr_cstr_casecmpn(value, "form-data", 9)) {
        return broken(result, "a part's Content-Disposition is not form-data");
    }
    value += 9;
    while ((found = next_parameter(&value, parser->part_pool, &name, &text)) > 0) {
        const char **target = !apr_cstr_casecmp(name, "name")        ? &part->name
                              : !apr_cstr_casecmp(name, "filename")  ? &part->filename
                              : !apr_cstr_casecmp(name, "filename*") ? &extended
                                                                     : NULL;
        if (!target) {
            continue;
        }
        if (*target) {
            return broken(result, "a Content-Disposition gives a parameter twice");
        }
        if (target == &extended) {
            extended = extended_value(text, parser->part_pool);
            if (!extended) {
                return broken(result, "a file name's extended form is not UTF-8''percent-encoded");
            }
        } else {
            unescape_browser(text);
            *target = text;
        }
    }
    if (found < 0) {
        return broken(result, "a Content-Disposition can't be read");
    }
    if (!part->name) {
        return broken(result, "a part has no name");
    }
    if (strlen(part->name) > ECL_MULTIPART_NAME_BYTES) {
        return broken(result, "a field's name is too long");
    }
    if (extended) {
        part->filename = extended;
    }
    return APR_SUCCESS;
}

/* One "Name: value" line. */
static apr_status_t read_header_line(ecl_multipart_t *parser, char *line, ecl_part_t *part,
                                     ecl_result_t *result)
{
    char *value = strchr(line, ':');

    if (!value || value == line) {
        return broken(result, "a part's header line has no name");
    }
    for (*value++ = '\0'; *value == ' ' || *value == '\t'; value++) {
    }
    if (!apr_cstr_casecmp(line, "Content-Disposition")) {
        if (part->name) {
            return broken(result, "a part has two Content-Dispositions");
        }
        return read_disposition(parser, value, part, result);
    }
    if (!apr_cstr_casecmp(line, "Content-Transfer-Encoding") && apr_cstr_casecmp(value, "binary") &&
        apr_cstr_casecmp(value, "8bit") && apr_cstr_casecmp(value, "7bit")) {
        return broken(result, "a part is encoded; send it as it is");
    }
    return APR_SUCCESS;
}

/* The header lines are complete: header holds them, each with its CRLF, without the empty line. */
static apr_status_t begin_part(ecl_multipart_t *parser, ecl_result_t *result)
{
    ecl_part_t part = {NULL, NULL};
    char *line = parser->header, *end;

    if (++parser->parts > ECL_MULTIPART_PARTS) {
        return broken(result, "too many parts");
    }
    apr_pool_clear(parser->part_pool);
    for (; (end = strstr(line, "\r\n")); line = end + 2) {
        apr_status_t rv;
        *end = '\0';
        if (strpbrk(line, "\r\n") || *line == ' ' || *line == '\t') {
            return broken(result, "a part's header has a stray line break");
        }
        rv = read_header_line(parser, line, &part, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (!part.name) {
        return broken(result, "a part has no Content-Disposition");
    }
    return parser->events->part_begin(parser->baton, &part);
}

/* Consumes header bytes; the empty line ends them. */
static apr_status_t feed_header(ecl_multipart_t *parser, const char **pdata, const char *end,
                                ecl_result_t *result)
{
    const char *data = *pdata;

    while (data < end) {
        apr_size_t n = parser->header_length;
        if (!*data) {
            return broken(result, "a NUL byte in a part's header");
        }
        if (n == ECL_MULTIPART_HEADER_BYTES) {
            return broken(result, "a part's header is too long");
        }
        parser->header[n++] = *data++;
        parser->header_length = n;
        if (parser->header[n - 1] == '\n' && n >= 2 && parser->header[n - 2] == '\r' &&
            (n == 2 ||
             (n >= 4 && parser->header[n - 3] == '\n' && parser->header[n - 4] == '\r'))) {
            parser->header[n - 2] = '\0';
            parser->state = BODY;
            parser->matched = 0;
            *pdata = data;
            return begin_part(parser, result);
        }
    }
    *pdata = data;
    return APR_SUCCESS;
}

static apr_status_t emit(ecl_multipart_t *parser, const char *data, apr_size_t length)
{
    return length && parser->state == BODY ? parser->events->part_data(parser->baton, data, length)
                                           : APR_SUCCESS;
}

/* Consumes bytes of a part's body (or of the preamble) up to and including the next delimiter. */
static apr_status_t feed_body(ecl_multipart_t *parser, const char **pdata, const char *end)
{
    const char *data = *pdata, *pending = data; /* pending: first byte not passed on yet */
    apr_status_t rv;

    while (data < end) {
        if (parser->matched == 0) {
            data = memchr(data, '\r', (apr_size_t)(end - data));
            if (!data) {
                break;
            }
            rv = emit(parser, pending, (apr_size_t)(data - pending));
            if (rv != APR_SUCCESS) {
                return rv;
            }
            parser->matched = 1;
            pending = ++data;
        } else if (*data == parser->delimiter[parser->matched]) {
            pending = ++data;
            if (++parser->matched == parser->delimiter_length) {
                *pdata = data;
                rv = parser->state == BODY ? parser->events->part_end(parser->baton) : APR_SUCCESS;
                parser->state = AFTER_DELIMITER;
                return rv;
            }
        } else {
            /* no delimiter: what was held back is data, and is what the delimiter begins with */
            rv = emit(parser, parser->delimiter, parser->matched);
            if (rv != APR_SUCCESS) {
                return rv;
            }
            parser->matched = 0;
            pending = data;
        }
    }
    *pdata = end;
    return emit(parser, pending, (apr_size_t)(end - pending));
}

/* Consumes one byte of what follows a delimiter on its line. */
static apr_status_t feed_delimiter_line(ecl_multipart_t *parser, char c, ecl_result_t *result)
{
    switch (parser->state) {
    case CLOSING:
        parser->state = EPILOGUE;
        return c == '-' ? APR_SUCCESS : broken(result, "a delimiter ends in a single '-'");
    case DELIMITER_LF:
        parser->state = HEADER;
        parser->header_length = 0;
        return c == '\n' ? APR_SUCCESS : broken(result, "a delimiter's line end is not CRLF");
    default: /* AFTER_DELIMITER, PADDING */
        if (c == '\r') {
            parser->state = DELIMITER_LF;
        } else if (c == ' ' || c == '\t') {
            parser->state = PADDING;
        } else if (c == '-' && parser->state == AFTER_DELIMITER) {
            parser->state = CLOSING;
        } else {
            return broken(result, "a delimiter is followed by other text");
        }
        return APR_SUCCESS;
    }
}

apr_status_t ecl_multipart_feed(ecl_multipart_t *parser, const char *data, apr_size_t length,
                                ecl_result_t *result)
{
    const char *end = data + length;
    apr_status_t rv = parser->failure;

    while (rv == APR_SUCCESS && data < end) {
        switch (parser->state) {
        case PREAMBLE:
        case BODY:
            rv = feed_body(parser, &data, end);
            break;
        case HEADER:
            rv = feed_header(parser, &data, end, result);
            break;
        case EPILOGUE:
            return APR_SUCCESS;
        default:
            rv = feed_delimiter_line(parser, *data++, result);
        }
    }
    parser->failure = rv;
    return rv;
}

apr_status_t ecl_multipart_finish(ecl_multipart_t *parser, ecl_result_t *result)
{
    if (parser->failure != APR_SUCCESS) {
        return parser->failure;
    }
    return parser->state == EPILOGUE ? APR_SUCCESS : broken(result, "it ends too early");
}

apr_status_t ecl_multipart_make(ecl_multipart_t **pparser, const char *content_type,
                                const ecl_multipart_events_t *events, void *baton, apr_pool_t *p,
                                ecl_result_t *result)
{
    static const char type[] = "multipart/form-data";
    const char *boundary = NULL, *rest;
    char *name, *value;
    ecl_multipart_t *parser;
    int found;

    if (!content_type || apr_cstr_casecmpn(content_type, type, sizeof type - 1)) {
        return ecl_fail(result, ECL_EINPUT, "bad-content-type", "expected %s, not '%s'", type,
                        content_type ? content_type : "");
    }
    rest = content_type + sizeof type - 1;
    while ((found = next_parameter(&rest, p, &name, &value)) > 0) {
        if (!apr_cstr_casecmp(name, "boundary") && !boundary) {
            boundary = value;
        }
    }
    if (found < 0 || !boundary || !*boundary || strlen(boundary) > MAX_BOUNDARY ||
        boundary[strcspn(boundary, "\r\n")]) {
        return ecl_fail(result, ECL_EINPUT, "bad-content-type",
                        "the Content-Type has no usable boundary: '%s'", content_type);
    }
    parser = apr_pcalloc(p, sizeof *parser);
    parser->events = events;
    parser->baton = baton;
    parser->delimiter_length =
        (apr_size_t)apr_snprintf(parser->delimiter, sizeof parser->delimiter, "\r\n--%s", boundary);
    parser->state = PREAMBLE;
    parser->matched = 2; /* the first delimiter may stand at the very beginning, without its CRLF */
    apr_pool_create(&parser->part_pool, p);
    *pparser = parser;
    return APR_SUCCESS;
}
