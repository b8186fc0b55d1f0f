/*
 * View models of options (lib/options.h): as fields of a form, as a question, as what a job ran
 * with. Their words are in labels.json; a choice that has none there is not offered on pages.
 */
#ifndef ECL_VIEW_OPTIONS_H
#define ECL_VIEW_OPTIONS_H

#include <json-c/json.h>

#include "../lib/jobs.h"

/* An array of fields {name, label, hint, none, value, is_text, choices: [{value, label, selected}],
 * error} with these values (NULL: none). error: why one was refused (NULL: none was). The caller
 * owns it. */
json_object *ecl_view_option_fields(const char *const values[ECL_OPTIONS],
                                    const ecl_result_t *error, apr_pool_t *p);

/* The sentence for a page, where what is wrong with an option has the option's label for its name.
 */
const char *ecl_view_refusal(const ecl_result_t *error, apr_pool_t *p);

/* An array of {name, label, value} in words. The caller owns it. */
json_object *ecl_view_options(json_object *options, apr_pool_t *p);

/* Whether a job has failed with a question that can be answered, and nobody has undone it. */
int ecl_view_asks(const ecl_job_t *job);

/* Adds root.question, a field as above with text, given and error, when a failed job asks one.
 * values: an answer that was refused (NULL: none), and why. */
void ecl_view_question(const ecl_job_t *job, const char *const values[ECL_OPTIONS],
                       const ecl_result_t *error, json_object *root, apr_pool_t *p);

#endif /* ECL_VIEW_OPTIONS_H */
