/*
 * A push parser for multipart/form-data (RFC 7578, RFC 2046 5.1): bytes in, split anywhere; parts
 * out. Knows no httpd.
 *
 *   feed → [delimiter matcher: holds back at most CRLF "--" boundary] → part_data
 *        → [header buffer: ECL_MULTIPART_HEADER_BYTES, once]          → part_begin
 *
 * Memory is constant: the header buffer and one part's names. Data are passed on from the caller's
 * own buffer. Anything that is not well-formed is refused, never repaired: a file with a piece
 * missing or a boundary inside would be worse than none.
 */
#ifndef ECL_MULTIPART_H
#define ECL_MULTIPART_H

#include "../lib/ecl.h"

#define ECL_MULTIPART_PARTS 100         /* most parts of one body */
#define ECL_MULTIPART_HEADER_BYTES 8192 /* most bytes of one part's header lines */
#define ECL_MULTIPART_NAME_BYTES 200    /* longest field name */

/* A part's header. The strings live until part_end returns. */
typedef struct ecl_part_t {
    const char *name;     /* of the field; bytes as sent */
    const char *filename; /* as sent, any bytes but NUL: see ecl_form_filename; NULL: not a file */
} ecl_part_t;

/* What the parser calls. Anything but APR_SUCCESS ends the parsing and is returned by feed (the
 * callback says why in a result of its own). part_data is never called with length 0. */
typedef struct ecl_multipart_events_t {
    apr_status_t (*part_begin)(void *baton, const ecl_part_t *part);
    apr_status_t (*part_data)(void *baton, const char *data, apr_size_t length);
    apr_status_t (*part_end)(void *baton);
} ecl_multipart_events_t;

typedef struct ecl_multipart_t ecl_multipart_t;

/* Makes a parser for a body of this Content-Type, allocated from p.
 * ECL_EINPUT, code "bad-content-type": not multipart/form-data, or no usable boundary. */
apr_status_t ecl_multipart_make(ecl_multipart_t **pparser, const char *content_type,
                                const ecl_multipart_events_t *events, void *baton, apr_pool_t *p,
                                ecl_result_t *result);

/* Takes the next bytes. ECL_EINPUT, code "bad-multipart": malformed, or over a limit. After a
 * failure every further call returns the same status. */
apr_status_t ecl_multipart_feed(ecl_multipart_t *parser, const char *data, apr_size_t length,
                                ecl_result_t *result);

/* To be called at the end of the body. ECL_EINPUT, code "bad-multipart": the closing delimiter was
 * not seen, so something is missing. */
apr_status_t ecl_multipart_finish(ecl_multipart_t *parser, ecl_result_t *result);

#endif /* ECL_MULTIPART_H */
