/*
 * JSON as a stream of events, in constant memory: a read buffer, one text, and a bit for each
 * level.
 *
 * A whole tree, as json-c builds, would be many times the size of the file. RFC 8259 is kept
 * strictly, but for NaN (which Python writes) and for several values one after the other (JSON
 * lines). Numbers stay the text that they are.
 */
#ifndef ECL_JSON_EVENTS_H
#define ECL_JSON_EVENTS_H

#include "bytes.h"

#define ECL_JSON_TEXT_MAX                                                                          \
    4096 /* bytes of a key, string or number, and NUL; a longer one is cut                         \
          */
#define ECL_JSON_DEPTH_MAX 64
/* Of a file, unpacked: as ECL_ESPI_BYTES_MAX, and for its reason. */
#define ECL_JSON_BYTES_MAX ((apr_int64_t)1 << 30)

typedef struct ecl_json_t ecl_json_t;

typedef enum ecl_json_kind_t {
    ECL_JSON_OBJECT,
    ECL_JSON_OBJECT_END,
    ECL_JSON_ARRAY,
    ECL_JSON_ARRAY_END,
    ECL_JSON_KEY,
    ECL_JSON_STRING,
    ECL_JSON_NUMBER,
    ECL_JSON_WORD, /* true, false, NaN */
    ECL_JSON_NULL
} ecl_json_kind_t;

typedef struct ecl_json_event_t {
    ecl_json_kind_t kind;
    const char *text; /* key, string, number, word; UTF-8 without NUL, and a NUL; else "" */
    apr_size_t length;
    int is_cut;       /* the text was longer */
    apr_int64_t line; /* on which it starts, from 1 */
    apr_int64_t end_offset;
} ecl_json_event_t;

/* Fails as ecl_bytes_open does. Closed with p. */
apr_status_t ecl_json_open(ecl_json_t **pjson, const char *path, apr_pool_t *p,
                           ecl_result_t *result);

/* The next event, valid until the next call. Ends are always matched. APR_EOF after the last;
 * ECL_EINPUT, code "bad-json", with line and what was found, or "too-large"; else fails as
 * ecl_bytes_read does. */
apr_status_t ecl_json_next(ecl_json_t *json, ecl_json_event_t *event, ecl_result_t *result);

/* Fewer bytes per read and a smaller file at most, for tests. Before the first event. */
void ecl_json_set_sizes(ecl_json_t *json, apr_size_t read_size, apr_int64_t bytes_max);

#endif /* ECL_JSON_EVENTS_H */
