/*
 * XML from a stream, in constant memory, with what makes XML dangerous left out.
 *
 * A document type declaration ends the reading with an error, and with it every entity but &amp;
 * and its kind; expat's limits on what entities may grow to are set besides. A single tag, comment
 * or instruction must fit into ECL_XML_TOKEN_MAX bytes. Namespaces are not looked up: a name is
 * what stands after its prefix.
 */
#ifndef ECL_XML_H
#define ECL_XML_H

#include "../lib/ecl.h"

#define ECL_XML_TOKEN_MAX (1024 * 1024)

typedef struct ecl_xml_t ecl_xml_t;

/* Where the document comes from: up to *plength bytes, APR_EOF after the last. */
typedef apr_status_t ecl_xml_read_t(void *baton, void *bytes, apr_size_t *plength,
                                    ecl_result_t *result);

/* What is found. Strings are valid during the call. attributes: name, value, name, value, …, NULL;
 * their names with prefixes. on_text may get a text in several pieces. Any may be NULL. */
typedef struct ecl_xml_handlers_t {
    void *baton;
    void (*on_start)(void *baton, const char *name, const char **attributes);
    void (*on_end)(void *baton, const char *name);
    void (*on_text)(void *baton, const char *text, apr_size_t length);
} ecl_xml_handlers_t;

/* what: names the document in messages ("the sheet"). Closed with p. */
apr_status_t ecl_xml_open(ecl_xml_t **pxml, ecl_xml_read_t *read, void *read_baton,
                          const ecl_xml_handlers_t *handlers, const char *what, apr_pool_t *p,
                          ecl_result_t *result);

/* The document is UTF-8 whatever it declares: it was decoded before. Before the first
 * ecl_xml_next. */
void ecl_xml_is_utf8(ecl_xml_t *xml);

/* Reads on until a handler calls ecl_xml_pause (APR_SUCCESS), or to the end (APR_EOF). ECL_EINPUT,
 * code "bad-xml"; what `read` returns. */
apr_status_t ecl_xml_next(ecl_xml_t *xml, ecl_result_t *result);

/* From on_start or on_end only. */
void ecl_xml_pause(ecl_xml_t *xml);

/* How many bytes of the document come before what a handler is being told, or was last told. */
apr_int64_t ecl_xml_offset(const ecl_xml_t *xml);

/* The same with the start tag that on_start is being told of. */
apr_int64_t ecl_xml_offset_after(const ecl_xml_t *xml);

/* 1 when all that was read so far has been told, and nothing but an element is open. */
int ecl_xml_is_between_tokens(const ecl_xml_t *xml);

/* The line of it, from 1. */
apr_int64_t ecl_xml_line(const ecl_xml_t *xml);

/* An attribute's value by its name, with or without a prefix; NULL: not there. */
const char *ecl_xml_attribute(const char **attributes, const char *name);

#endif /* ECL_XML_H */
