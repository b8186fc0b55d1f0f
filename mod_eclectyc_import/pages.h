/*
 * The pages of the admin location; actions.h has what their buttons do. templates/README.md
 * describes them.
 */
#ifndef ECL_PAGES_H
#define ECL_PAGES_H

#include "request.h"

ecl_handler_fn ecl_page_upload_form;
ecl_handler_fn ecl_page_upload;
ecl_handler_fn ecl_page_jobs;
ecl_handler_fn ecl_page_status;

/* A job's rejected rows as a CSV file to be corrected and uploaded again. */
ecl_handler_fn ecl_page_failed_rows;

#endif /* ECL_PAGES_H */
