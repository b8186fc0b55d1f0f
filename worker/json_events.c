#include "json_events.h"

#include "../lib/utf8.h"

#include <apr_lib.h>

#define BUFFER_BYTES 65536
#define END (-1) /* of the file */

/* What may come next. */
typedef enum state_t {
    STATE_VALUE,        /* a value */
    STATE_VALUE_OR_END, /* … or the end of the array that has just begun */
    STATE_KEY,
    STATE_KEY_OR_END,
    STATE_COMMA_OR_END,
    STATE_BETWEEN /* outside of everything: another value, or the end of the file */
} state_t;

struct ecl_json_t {
    ecl_bytes_t *bytes;
    apr_size_t read_size;
    apr_int64_t bytes_max;
    char buffer[BUFFER_BYTES];
    apr_size_t at, end;
    apr_int64_t offset; /* of buffer[0] in the text */
    int is_at_eof;
    apr_int64_t line;
    int after_cr;
    apr_status_t read_status; /* of the file, when it could not be read; */
    ecl_result_t read_result; /* why not */

    state_t state;
    int depth;
    char is_object[ECL_JSON_DEPTH_MAX];

    char text[ECL_JSON_TEXT_MAX + 4];
    apr_size_t length;
    int is_cut;
};

apr_status_t ecl_json_open(ecl_json_t **pjson, const char *path, apr_pool_t *p,
                           ecl_result_t *result)
{
    ecl_json_t *json = apr_pcalloc(p, sizeof(*json));
    apr_status_t status = ecl_bytes_open(&json->bytes, path, p, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    json->read_result = ecl_result_make(p);
    json->line = 1;
    json->read_size = BUFFER_BYTES;
    json->bytes_max = ECL_JSON_BYTES_MAX;
    json->state = STATE_BETWEEN;
    *pjson = json;
    return APR_SUCCESS;
}

void ecl_json_set_sizes(ecl_json_t *json, apr_size_t read_size, apr_int64_t bytes_max)
{
    json->read_size = read_size < 1 ? 1 : read_size > BUFFER_BYTES ? BUFFER_BYTES : read_size;
    json->bytes_max = bytes_max;
}

/* ---- bytes -------------------------------------------------------------------------------------
 */

static apr_status_t refill(ecl_json_t *json)
{
    apr_size_t length = json->read_size;
    int is_text; /* strings are looked at by themselves */
    apr_status_t status;

    json->offset += (apr_int64_t)json->end;
    json->at = json->end = 0;
    if (json->offset > json->bytes_max) {
        return ecl_fail(&json->read_result, ECL_EINPUT, "too-large",
                        "the JSON has more than %" APR_INT64_T_FMT
                        " MiB, which is all that is read of one file: split it, or export the "
                        "readings as CSV",
                        json->bytes_max >> 20);
    }
    status = ecl_bytes_read(json->bytes, json->buffer, &length, &is_text, &json->read_result);
    if (status == APR_SUCCESS) {
        json->end = length;
    }
    return status;
}

/* The byte at hand, which stays there; END. */
static int peek(ecl_json_t *json)
{
    if (json->at == json->end && !json->is_at_eof) {
        apr_status_t status = refill(json);

        if (status != APR_SUCCESS) {
            json->is_at_eof = 1;
            json->read_status = APR_STATUS_IS_EOF(status) ? APR_SUCCESS : status;
        }
    }
    return json->at < json->end ? (unsigned char)json->buffer[json->at] : END;
}

static int take(ecl_json_t *json)
{
    int c = peek(json);

    if (c == END) {
        return END;
    }
    json->at++;
    /* lines end as those of a text editor do: LF, CR LF, or CR alone */
    if (c == '\r' || (c == '\n' && !json->after_cr)) {
        json->line++;
    }
    json->after_cr = c == '\r';
    return c;
}

static void pass_blanks(ecl_json_t *json)
{
    int c = peek(json);

    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        take(json);
        c = peek(json);
    }
}

static apr_status_t fail(ecl_json_t *json, int found, const char *expected, ecl_result_t *result)
{
    char what[16];

    if (json->read_status != APR_SUCCESS) {
        return ecl_fail(result, json->read_status, json->read_result.code, "%s",
                        json->read_result.detail);
    }
    if (found == END) {
        return ecl_fail(result, ECL_EINPUT, "bad-json",
                        "the JSON ends too early, on line %" APR_INT64_T_FMT ": expected %s",
                        json->line, expected);
    }
    apr_snprintf(what, sizeof(what), apr_isprint(found) ? "%c" : "byte %d", found);
    return ecl_fail(result, ECL_EINPUT, "bad-json",
                    "the JSON is broken on line %" APR_INT64_T_FMT ": expected %s, found %s",
                    json->line, expected, what);
}

/* ---- texts -------------------------------------------------------------------------------------
 */

static void keep(ecl_json_t *json, int c)
{
    if (json->length < ECL_JSON_TEXT_MAX - 1) {
        json->text[json->length++] = (char)c;
    } else {
        json->is_cut = 1;
    }
}

static void keep_character(ecl_json_t *json, unsigned int code)
{
    if (code < 0x80) {
        keep(json, (int)code);
        return;
    }
    if (code < 0x800) {
        keep(json, (int)(0xC0 | code >> 6));
    } else if (code < 0x10000) {
        keep(json, (int)(0xE0 | code >> 12));
        keep(json, (int)(0x80 | (code >> 6 & 0x3F)));
    } else {
        keep(json, (int)(0xF0 | code >> 18));
        keep(json, (int)(0x80 | (code >> 12 & 0x3F)));
        keep(json, (int)(0x80 | (code >> 6 & 0x3F)));
    }
    keep(json, (int)(0x80 | (code & 0x3F)));
}

/* Four hexadecimal digits. 0: they are not there. */
static int take_hex(ecl_json_t *json, unsigned int *pcode)
{
    *pcode = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(json);

        if (c == END || !apr_isxdigit(c)) {
            return 0;
        }
        take(json);
        *pcode = *pcode * 16 + (unsigned int)(apr_isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return 1;
}

/* After "\u". Halves of a pair must stand together, and NUL is no text. */
static int take_unicode(ecl_json_t *json)
{
    unsigned int code, low;

    if (!take_hex(json, &code) || !code || (code >= 0xDC00 && code < 0xE000)) {
        return 0;
    }
    if (code >= 0xD800 && code < 0xDC00) {
        if (take(json) != '\\' || take(json) != 'u' || !take_hex(json, &low) || low < 0xDC00 ||
            low >= 0xE000) {
            return 0;
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    keep_character(json, code);
    return 1;
}

static int take_escape(ecl_json_t *json)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = take(json);
    const char *found;

    if (c == 'u') {
        return take_unicode(json);
    }
    found = c == END || !c ? NULL : strchr(from, c);
    if (found) {
        keep(json, to[found - from]);
    }
    return found != NULL;
}

/* A character of several bytes may have been cut. */
static void end_text(ecl_json_t *json)
{
    if (json->is_cut) {
        while (json->length && ((unsigned char)json->text[json->length - 1] & 0xC0) == 0x80) {
            json->length--;
        }
        if (json->length && (unsigned char)json->text[json->length - 1] >= 0xC0) {
            json->length--;
        }
    }
    json->text[json->length] = '\0';
}

static apr_status_t take_string(ecl_json_t *json, ecl_result_t *result)
{
    take(json);
    for (;;) {
        int c = take(json);

        if (c == '"') {
            break;
        }
        if (c == END || c < 0x20) {
            return fail(json, c, "the end of a text", result);
        }
        if (c != '\\') {
            keep(json, c);
        } else if (!take_escape(json)) {
            return fail(json, c, "a text without broken escapes", result);
        }
    }
    end_text(json);
    if (!ecl_utf8_is_text(json->text, json->length)) {
        return ecl_fail(result, ECL_EINPUT, "bad-json",
                        "a text on line %" APR_INT64_T_FMT " of the JSON is not UTF-8", json->line);
    }
    return APR_SUCCESS;
}

static int take_digits(ecl_json_t *json)
{
    int count = 0, c = peek(json);

    while (c != END && apr_isdigit(c)) {
        keep(json, take(json));
        c = peek(json);
        count++;
    }
    return count;
}

static apr_status_t take_number(ecl_json_t *json, ecl_result_t *result)
{
    int is_good, starts_with_zero;

    if (peek(json) == '-') {
        keep(json, take(json));
    }
    starts_with_zero = peek(json) == '0';
    is_good = starts_with_zero ? take_digits(json) == 1 : take_digits(json) > 0;
    if (is_good && peek(json) == '.') {
        keep(json, take(json));
        is_good = take_digits(json) > 0;
    }
    if (is_good && (peek(json) == 'e' || peek(json) == 'E')) {
        keep(json, take(json));
        if (peek(json) == '+' || peek(json) == '-') {
            keep(json, take(json));
        }
        is_good = take_digits(json) > 0;
    }
    end_text(json);
    return is_good ? APR_SUCCESS : fail(json, peek(json), "a number", result);
}

static apr_status_t take_word(ecl_json_t *json, ecl_json_event_t *event, ecl_result_t *result)
{
    int c = peek(json);

    while (c != END && apr_isalpha(c)) {
        keep(json, take(json));
        c = peek(json);
    }
    end_text(json);
    if (!strcmp(json->text, "null")) {
        event->kind = ECL_JSON_NULL;
    } else if (!strcmp(json->text, "true") || !strcmp(json->text, "false") ||
               !strcmp(json->text, "NaN")) {
        event->kind = ECL_JSON_WORD;
    } else {
        return fail(json, json->length ? json->text[0] : c, "a value", result);
    }
    return APR_SUCCESS;
}

/* ---- structure ---------------------------------------------------------------------------------
 */

/* A value of any kind is done. */
static void after_value(ecl_json_t *json)
{
    json->state = json->depth ? STATE_COMMA_OR_END : STATE_BETWEEN;
}

static apr_status_t begin(ecl_json_t *json, ecl_json_event_t *event, int is_object,
                          ecl_result_t *result)
{
    take(json);
    if (json->depth == ECL_JSON_DEPTH_MAX) {
        return ecl_fail(result, ECL_EINPUT, "bad-json",
                        "line %" APR_INT64_T_FMT " of the JSON is nested more than %d deep",
                        json->line, ECL_JSON_DEPTH_MAX);
    }
    json->is_object[json->depth++] = (char)is_object;
    json->state = is_object ? STATE_KEY_OR_END : STATE_VALUE_OR_END;
    event->kind = is_object ? ECL_JSON_OBJECT : ECL_JSON_ARRAY;
    return APR_SUCCESS;
}

static apr_status_t end(ecl_json_t *json, ecl_json_event_t *event)
{
    take(json);
    json->depth--;
    event->kind = json->is_object[json->depth] ? ECL_JSON_OBJECT_END : ECL_JSON_ARRAY_END;
    after_value(json);
    return APR_SUCCESS;
}

static apr_status_t take_value(ecl_json_t *json, ecl_json_event_t *event, ecl_result_t *result)
{
    int c = peek(json);
    apr_status_t status;

    if (c == '{' || c == '[') {
        return begin(json, event, c == '{', result);
    }
    if (c == '"') {
        event->kind = ECL_JSON_STRING;
        status = take_string(json, result);
    } else if (c == '-' || (c != END && apr_isdigit(c))) {
        event->kind = ECL_JSON_NUMBER;
        status = take_number(json, result);
    } else {
        status = take_word(json, event, result);
    }
    after_value(json);
    return status;
}

static apr_status_t take_key(ecl_json_t *json, ecl_json_event_t *event, ecl_result_t *result)
{
    apr_status_t status;

    if (peek(json) != '"') {
        return fail(json, peek(json), "a name in quotation marks", result);
    }
    event->kind = ECL_JSON_KEY;
    status = take_string(json, result);
    pass_blanks(json);
    if (status == APR_SUCCESS && peek(json) != ':') {
        status = fail(json, peek(json), "a colon", result);
    }
    take(json);
    json->state = STATE_VALUE;
    return status;
}

/* Goes past the comma between two members or elements, if that is what comes. */
static apr_status_t pass_comma(ecl_json_t *json, ecl_result_t *result)
{
    int is_object = json->is_object[json->depth - 1];
    int c = peek(json);

    if (c == ',') {
        take(json);
        json->state = is_object ? STATE_KEY : STATE_VALUE;
        pass_blanks(json);
    } else if (c != (is_object ? '}' : ']')) {
        return fail(json, c, is_object ? "a comma or }" : "a comma or ]", result);
    }
    return APR_SUCCESS;
}

static apr_status_t take_event(ecl_json_t *json, ecl_json_event_t *event, ecl_result_t *result)
{
    int c = peek(json);

    switch (json->state) {
    case STATE_KEY_OR_END:
        return c == '}' ? end(json, event) : take_key(json, event, result);
    case STATE_KEY:
        return take_key(json, event, result);
    case STATE_VALUE_OR_END:
        return c == ']' ? end(json, event) : take_value(json, event, result);
    case STATE_COMMA_OR_END:
        return end(json, event);
    case STATE_VALUE:
    case STATE_BETWEEN:
        break;
    }
    return take_value(json, event, result);
}

apr_status_t ecl_json_next(ecl_json_t *json, ecl_json_event_t *event, ecl_result_t *result)
{
    apr_status_t status = APR_SUCCESS;

    json->length = 0;
    json->is_cut = 0;
    json->text[0] = '\0';
    pass_blanks(json);
    if (json->state == STATE_BETWEEN && peek(json) == END && json->read_status == APR_SUCCESS) {
        return APR_EOF;
    }
    if (json->state == STATE_COMMA_OR_END) {
        status = pass_comma(json, result);
    }
    *event = (ecl_json_event_t){.text = json->text, .line = json->line};
    if (status == APR_SUCCESS) {
        status = take_event(json, event, result);
    }
    event->length = json->length;
    event->is_cut = json->is_cut;
    event->end_offset = ecl_bytes_stored(json->bytes, json->offset + (apr_int64_t)json->at);
    return status;
}
