/*
 * From a request's body to queued jobs.
 *
 *   httpd's input filters → 64 KiB brigades → [multipart parser] → lib/storage part files
 *   → (body complete) fsync, rename → job → wake the worker
 *
 * Memory is constant. What can be refused is refused before the body is read. Until a job exists,
 * whatever goes wrong leaves nothing behind: a part file goes with the request's pool.
 */
#ifndef ECL_UPLOAD_H
#define ECL_UPLOAD_H

#include "request.h"
#include "../lib/jobs.h"
#include "../lib/storage.h"

#define ECL_UPLOAD_FILES 20         /* most files of one request */
#define ECL_UPLOAD_FIELD_BYTES 8192 /* longest value of a form field */

typedef struct ecl_upload_file_t {
    const char *filename; /* for display */
    ecl_storage_part_t *part;
} ecl_upload_file_t;

typedef struct ecl_upload_t {
    /* import_type, dry_run, priority, notes, tags, parent_batch_id, user_name, idempotency_key as
     * the client gave them; the rest is each file's */
    ecl_job_new_t job;
    /* what was said about the files (lib/options.h), checked; until then as it was sent */
    const char *options[ECL_OPTIONS];
    const char *run_after; /* as it was sent; job.run_after is what it says */
    int async;             /* do not wait for the result */
    int is_complete;       /* all fields have been seen: one that is not set was not sent */
    ecl_upload_file_t files[ECL_UPLOAD_FILES];
    int count;
} ecl_upload_t;

/* Whether the request's body is multipart/form-data, and whether it says that it has one at all. */
int ecl_upload_is_multipart(const request_rec *r);
int ecl_upload_has_body(const request_rec *r);

/* Reads import_type, dry_run, run_after, priority, notes, tags, parent_batch_id and the options of
 * lib/options.h from the query and checks them; filename becomes that of files[0]. ECL_EINPUT names
 * the parameter. */
apr_status_t ecl_upload_from_query(const ecl_request_t *q, ecl_upload_t *upload,
                                   ecl_result_t *result);

/* Checks what does not need the body (database, directory, announced size, free space) and then
 * receives it into part files: of a multipart body the fields as well, else the body as one file.
 * A file without content is left out: count may be 0 afterwards.
 *
 * *phttp is 0, or the client or a filter ended the transfer: then it is the answer's status
 * (AP_FILTER_ERROR: the answer has been sent; return it as it is). Otherwise as result says:
 * ECL_EINPUT, ECL_ENOSPACE, ECL_EUNAVAILABLE, ECL_ECONFIG. */
apr_status_t ecl_upload_receive(ecl_request_t *q, ecl_upload_t *upload, int *phttp,
                                ecl_result_t *result);

/* Makes one received file a stored file and queues its job, and wakes the worker. An upload without
 * options that follows on from another job has that one's. With an
 * idempotency key that this user has used: the same bytes give the first job again, others
 * ECL_EINPUT, code "idempotency-key-reused". */
apr_status_t ecl_upload_queue(ecl_request_t *q, ecl_upload_t *upload, int index, ecl_job_t **pjob,
                              ecl_result_t *result);

/* Waits up to EclectycImportWait for the job to end; no connection is held between two looks. *pjob
 * is the job as last seen. Does not wait at all when no worker is alive that can
 * read the file. */
apr_status_t ecl_upload_wait(ecl_request_t *q, ecl_job_t **pjob, ecl_result_t *result);

#endif /* ECL_UPLOAD_H */
