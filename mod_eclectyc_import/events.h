/*
 * The history of jobs (lib/job_events.h), as pages and API show it.
 */
#ifndef ECL_EVENTS_H
#define ECL_EVENTS_H

#include "request.h"
#include "../lib/jobs.h"

ecl_handler_fn ecl_events_page; /* of all jobs */
ecl_handler_fn ecl_events_list; /* the same for the API; of one job when the path names it */

/* Adds the newest events of a job to its page's view: "history", "has_history", and "history_href"
 * where there are more. */
apr_status_t ecl_events_view_job(const ecl_request_t *q, ecl_db_conn_t *conn, const char *batch_id,
                                 json_object *root, ecl_result_t *result);

#endif /* ECL_EVENTS_H */
