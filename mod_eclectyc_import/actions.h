/*
 * What may be done to a job, from pages and API alike: a page's button is answered with a redirect
 * (303) to a page, a call for JSON with 202 and the job as it is now (204 after a deletion).
 */
#ifndef ECL_ACTIONS_H
#define ECL_ACTIONS_H

#include "request.h"
#include "../lib/jobs.h"

ecl_handler_fn ecl_action_cancel;
ecl_handler_fn ecl_action_retry;
ecl_handler_fn ecl_action_undo;
ecl_handler_fn ecl_action_import;
ecl_handler_fn ecl_action_delete;
ecl_handler_fn ecl_action_run_now;
/* The answer to a failed job's question, as a form or JSON: names and values of options. */
ecl_handler_fn ecl_action_answer;

/* Does one thing to the job q->batch_id; *pjob is the job afterwards, NULL when it is deleted. */
typedef apr_status_t ecl_action_fn(ecl_request_t *q, ecl_db_conn_t *conn, ecl_job_t **pjob,
                                   ecl_result_t *result);

/* What can be done to many jobs at once, by name; NULL: nothing of that name. */
#define ECL_BULK_ACTIONS "cancel, retry, undo, run-now, delete"
ecl_action_fn *ecl_action_find(const char *name);

/* The job that the path names; allocated from the request's pool. */
apr_status_t ecl_action_get_job(ecl_request_t *q, ecl_job_t **pjob, ecl_result_t *result);

/* Answers with a job as JSON; with its address when status is 202. */
int ecl_action_answer_job(ecl_request_t *q, int status, const ecl_job_t *job);

#endif /* ECL_ACTIONS_H */
