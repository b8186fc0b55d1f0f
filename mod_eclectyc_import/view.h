/*
 * View models: the JSON objects that templates render and that pages answer when they are asked for
 * JSON. templates/README.md describes every key. The caller owns what is returned.
 */
#ifndef ECL_VIEW_H
#define ECL_VIEW_H

#include "request.h"
#include "../lib/jobs.h"

#define ECL_STATUS_PAGE_ERRORS 20 /* row errors shown on a job's page */

/* {"page": {…}}. nav is "upload", "jobs" or NULL. */
json_object *ecl_view_root(const ecl_request_t *q, const char *title, const char *nav);

/* Sets page.message. kind is info, warning or error. */
void ecl_view_message(json_object *root, const char *kind, const char *message);

/* Adds worker.* to root. */
apr_status_t ecl_view_worker(const ecl_request_t *q, ecl_db_conn_t *conn, json_object *root,
                             ecl_result_t *result);

/* One job as pages show it. */
json_object *ecl_view_job(const ecl_request_t *q, const ecl_job_t *job);

/* An array of them. */
json_object *ecl_view_jobs(const ecl_request_t *q, ecl_job_t *const *jobs, int count);

/* What of a job moves while a page shows it: {batch_id, filename, show}. */
json_object *ecl_view_live_job(const ecl_request_t *q, const ecl_job_t *job);

/* An array of them, for a list. No figure of a finished job moves: its show has only the status. */
json_object *ecl_view_live_jobs(const ecl_request_t *q, ecl_job_t *const *jobs, int count);

/* Changes the title. */
void ecl_view_title(json_object *root, const char *title);

/* Adds everything of a job's page to root: the job, its errors, its summary in words. job and
 * preview as from ecl_job_get_apart. */
apr_status_t ecl_view_status(const ecl_request_t *q, ecl_db_conn_t *conn, const ecl_job_t *job,
                             const char *preview, json_object *root, ecl_result_t *result);

#endif /* ECL_VIEW_H */
