/*
 * One action for many jobs: the form around the list of jobs.
 */
#ifndef ECL_BULK_H
#define ECL_BULK_H

#include "request.h"

/* The fields `action` (of ecl_action_find), `job_<batch id>` for each job that is chosen, or `all`,
 * which stands for those in `shown` (batch ids, separated by commas); and the list's own
 * parameters, for the way back. Each job is one action of its own; the page that answers says of
 * each what happened, or why not. */
ecl_handler_fn ecl_bulk_page;

#endif /* ECL_BULK_H */
