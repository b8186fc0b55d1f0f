/*
 * The pages of the admin location; actions.h has what their buttons do. templates/README.md
 * describes them.
 */
#ifndef ECL_PAGES_H
#define ECL_PAGES_H

#include "request.h"
#include "../lib/options.h"

ecl_handler_fn ecl_page_upload_form;
ecl_handler_fn ecl_page_upload;
ecl_handler_fn ecl_page_jobs;
ecl_handler_fn ecl_page_status;

/* A job's page again, after an answer to its question was refused: with the answer and why. */
int ecl_page_refused_answer(ecl_request_t *q, const char *const values[ECL_OPTIONS],
                            const ecl_result_t *why);

#endif /* ECL_PAGES_H */
