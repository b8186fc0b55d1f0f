/*
 * Answers: pages, JSON, problems, redirects. Each function sends one answer and returns what the
 * handler is to return.
 */
#ifndef ECL_RESPOND_H
#define ECL_RESPOND_H

#include "request.h"

/* Gives object to the request: it is put when the request ends. Returns it. */
json_object *ecl_respond_own(ecl_request_t *q, json_object *object);

/* text, or a copy of it that is UTF-8: for what a client sent and an answer repeats. */
const char *ecl_respond_utf8(ecl_request_t *q, const char *text);

/* A page: the template rendered with data, which the request owns. */
int ecl_respond_page(ecl_request_t *q, int status, const char *template_name, json_object *data);

/* data as JSON, with an ETag; a GET that has it already gets 304. data is owned by the request. */
int ecl_respond_json(ecl_request_t *q, int status, json_object *data);

/* The same for JSON that is text already, with a line feed at its end; it lives as long as the
 * request. */
int ecl_respond_printed(ecl_request_t *q, int status, const char *text);

/* A buffer to print to, freed with the request. */
struct printbuf;
struct printbuf *ecl_respond_printbuf(ecl_request_t *q);

/* An error: RFC 9457 problem+json, or the error page. code is for programs, detail a sentence. */
int ecl_respond_error(ecl_request_t *q, int status, const char *code, const char *detail);

/* The error that a failed call of lib/ explains. Logs what is the server's trouble rather than the
 * client's, and then does not show its details. */
int ecl_respond_failure(ecl_request_t *q, const ecl_result_t *result);

/* To a body that did not come whole, of a form or of an upload; status as of ecl_body_fields and
 * ecl_upload_receive, not 0. */
int ecl_respond_interrupted(ecl_request_t *q, int status);
int ecl_respond_upload_interrupted(ecl_request_t *q, int status);

/* 303 to base + path, which is escaped, and may have a query. */
int ecl_respond_see_other(ecl_request_t *q, const char *path);

/* A file of templates_dir/assets (q->name): a handler. */
ecl_handler_fn ecl_respond_asset;

#endif /* ECL_RESPOND_H */
