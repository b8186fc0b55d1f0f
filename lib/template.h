/*
 * Mustache over json-c: https://mustache.github.io/mustache.5.html and the core modules of the
 * official specification (interpolation, sections, inverted, partials, comments, delimiters).
 *
 * {{name}} is escaped for HTML text and quoted attributes (& < > " ' ), {{{name}}} is not: no
 * template of ours uses it.
 *
 * Where the specification leaves a choice: false, null, a name that is not there, 0, "" and [] are
 * false for sections; {{name}} prints nothing for null and JSON for an object or an array; numbers
 * print as the shortest decimal that means the same.
 *
 * A set of templates is loaded once and is read-only afterwards, so threads may share it.
 */
#ifndef ECL_TEMPLATE_H
#define ECL_TEMPLATE_H

#include <json-c/json.h>

#include "ecl.h"

typedef struct ecl_templates_t ecl_templates_t;

/* Loads and compiles every *.mustache file of dir; the file's name without the ending is the
 * template's name, and what {{> name}} refers to. Allocated from p.
 * ECL_ECONFIG with file, line and what is wrong: an unclosed section or tag, sections nested deeper
 * than 64, a file that cannot be read, a directory without templates. */
apr_status_t ecl_templates_load(ecl_templates_t **pset, const char *dir, apr_pool_t *p,
                                ecl_result_t *result);

/* The same from memory: names[i] → texts[i], for i < count. For tests. */
apr_status_t ecl_templates_make(ecl_templates_t **pset, const char *const *names,
                                const char *const *texts, int count, apr_pool_t *p,
                                ecl_result_t *result);

/* Receives rendered text piece by piece. Anything but APR_SUCCESS ends the rendering and is
 * returned from it. */
typedef apr_status_t ecl_template_sink(void *baton, const char *text, apr_size_t length);

/* Renders a template with data, which is only read. A partial that is not there renders as
 * nothing, as the specification says. ECL_ENOTFOUND: no template of that name. ECL_EINPUT:
 * sections or partials nested deeper than 64. */
apr_status_t ecl_template_render(const ecl_templates_t *set, const char *name, json_object *data,
                                 ecl_template_sink *sink, void *baton, ecl_result_t *result);

#endif /* ECL_TEMPLATE_H */
