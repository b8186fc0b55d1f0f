/*
 * The job service: the queue of imports and everything that may be done to one.
 *
 *   queued → processing → completed | failed | cancelled        retry: failed, cancelled → queued
 *
 * A worker owns a job while its lease runs. Each claim raises `claims`, the fencing token: every
 * write a worker makes for a job carries the token it was given and is refused (ECL_EFENCED) once
 * somebody else has claimed the job since. What a worker does besides importing (taking readings
 * back out after a cancel or an undo) is claimed and fenced in the same way.
 *
 * Functions take a connection and, where the comment says "in the caller's transaction", must run
 * inside ecl_db_begin/commit; the others make their own. Times are apr_time_t (µs since 1970, UTC),
 * 0 for "not yet". Results are allocated from p; `result` must not be NULL (its pool serves as
 * scratch space, which is given back). Nothing here knows what a reading is.
 *
 * Order. Of two jobs that are due the one comes first that has been due for longer, where each step
 * of priority (high, normal, low) counts for an hour: a high job goes before the normal ones that
 * became due less than an hour before it, a low one after those that become due less than an hour
 * after it. So nothing starves: once a job is due, only jobs that become due within two hours can
 * still get before it, whatever arrives. A back-off makes a job wait but keeps its place.
 *
 * Clocks. Leases, back-off and run_after are times of day of the host that wrote them, compared
 * with that of the host that reads: hosts that share a queue must keep their clocks within a few
 * seconds (NTP). A clock that is put forward by more than a lease makes running jobs look
 * abandoned: they are put back, their workers find themselves fenced, and the work since the last
 * batch is done again. After one was put back, a lease that ends later than a lease can is cut to a
 * new one's length by whoever looks for work (a worker that lives has renewed it by then), a
 * back-off that ends later than any can is over, and what is due at once needs no clock; only a
 * job that was told to run at a time waits for that time. Neither loses or doubles anything,
 * because that depends on claims alone.
 */
#ifndef ECL_JOBS_H
#define ECL_JOBS_H

#include <json-c/json.h>

#include "db.h"
#include "options.h"

#define ECL_UUID_LENGTH 36

typedef enum ecl_job_status_t {
    ECL_JOB_QUEUED,
    ECL_JOB_PROCESSING,
    ECL_JOB_COMPLETED,
    ECL_JOB_FAILED,
    ECL_JOB_CANCELLED
} ecl_job_status_t;
#define ECL_JOB_STATUSES 5

/* "queued" … and back; parse returns 0 for an unknown name. */
const char *ecl_job_status_name(ecl_job_status_t status);
int ecl_job_status_parse(const char *name, ecl_job_status_t *pstatus);

/* One row of import_jobs; the members are the columns (migrations/), text members may be NULL. */
typedef struct ecl_job_t {
    apr_int64_t id;
    const char *batch_id; /* UUID, lower case: the job's name for the outside */
    const char *user_name;
    const char *filename;    /* as the client sent it; display only */
    const char *stored_name; /* in the storage directory; NULL: the file is gone. Never shown. */
    const char *stored_host; /* whose storage directory; NULL: that of all hosts */
    apr_int64_t file_size;
    const char *file_sha256;
    const char *import_type; /* "auto", "hh", "daily" */
    int dry_run;
    ecl_job_status_t status;
    const char *priority; /* "low", "normal", "high" */
    const char *notes;
    const char *tags;
    json_object *options;   /* NULL or an object as of options.h; owned by the job, freed with p */
    apr_int64_t total_rows; /* -1 until counted */
    apr_int64_t processed_rows;
    apr_int64_t imported_rows;
    apr_int64_t failed_rows;
    apr_int64_t skipped_rows;
    apr_int64_t readings_new;
    apr_int64_t readings_changed;
    apr_int64_t readings_unchanged;
    apr_int64_t bytes_done;
    apr_time_t queued_at;
    apr_time_t run_after;
    apr_time_t started_at;   /* first claim */
    apr_time_t completed_at; /* when it reached completed, failed or cancelled */
    int attempts;            /* made from the present checkpoint */
    int max_attempts;
    apr_int64_t claims; /* fencing token */
    const char *worker; /* "host:pid" of the last claim */
    apr_time_t lease_until;
    int cancel_requested;
    int undo_requested;
    apr_int64_t checkpoint; /* number of the last record whose effect is committed; 0: none */
    apr_time_t attempt_started_at;    /* last claim, and */
    apr_int64_t attempt_started_rows; /* processed_rows then: what the rate is computed from */
    const char *error_message;
    json_object *summary; /* NULL or an object; owned as options */
    /* where summary was not parsed, see ecl_job_look: its text, for ecl_job_json; else NULL */
    const char *summary_text;
    const char *parent_batch_id;
    apr_time_t undone_at;
    const char *undone_by;
    const char *idempotency_key;
    apr_time_t due_at; /* since when, or from when on, it may run: its place in the queue */
} ecl_job_t;

/* ---- creating and reading ------------------------------------------------------------------ */

typedef struct ecl_job_new_t {
    const char *batch_id; /* NULL: one is made */
    const char *user_name;
    const char *actor; /* who queues it, for its history; NULL: user_name */
    const char *filename;
    const char *stored_name;
    const char *stored_host; /* NULL: any */
    apr_int64_t file_size;
    const char *file_sha256;
    const char *import_type; /* NULL: "auto" */
    int dry_run;
    const char *priority; /* NULL: "normal" */
    const char *notes;
    const char *tags;
    json_object *options;
    apr_time_t run_after; /* not before; 0: now */
    const char *parent_batch_id;
    const char *idempotency_key;
} ecl_job_new_t;

/* A new version-4 UUID, lower case. */
const char *ecl_job_uuid(apr_pool_t *p);

/* Whether text is a UUID as we write them: what decides that a path names a job at all. */
int ecl_job_is_uuid(const char *text);

/* The checks of ecl_job_create on what the members set so far say, for a caller that wants to
 * refuse before the file is there. ECL_EINPUT. */
apr_status_t ecl_job_check_new(const ecl_job_new_t *job, ecl_result_t *result);

/* Queues a job. ECL_EINPUT: import_type or priority unknown, a text that is not UTF-8 or longer
 * than its limit (notes 4,000 bytes, tags 400, file name 400, user name 400, key 200). A user_name
 * of NULL (nobody is logged in) is stored as "". A run_after that has passed is "now".
 * ECL_ECONFLICT, code "idempotency-key-used": this user has used the key; *pjob is that job. */
apr_status_t ecl_job_create(ecl_db_conn_t *conn, const ecl_job_new_t *job, apr_pool_t *p,
                            ecl_job_t **pjob, ecl_result_t *result);

/* ECL_ENOTFOUND, code "job-not-found". Its summary has the "preview", which is large: no other
 * function's has. */
apr_status_t ecl_job_get(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p, ecl_job_t **pjob,
                         ecl_result_t *result);

/* The same with the preview apart, as JSON text or NULL: for whoever may not need it. */
apr_status_t ecl_job_get_apart(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p,
                               ecl_job_t **pjob, const char **ppreview, ecl_result_t *result);

/* The same for whoever only gives it to ecl_job_json: summary is NULL, and summary_text goes into
 * the JSON as it is. */
apr_status_t ecl_job_look(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p,
                          ecl_job_t **pjob, ecl_result_t *result);

/* The job a user's idempotency key stands for; *pjob is NULL when there is none. */
apr_status_t ecl_job_by_key(ecl_db_conn_t *conn, const char *user_name, const char *key,
                            apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result);

/* The newest completed real import of the same bytes that is not undone or being undone; `except`
 * (a batch id, or NULL) is passed over. *pjob is NULL when there is none. */
apr_status_t ecl_job_same_file(ecl_db_conn_t *conn, const char *file_sha256, const char *except,
                               apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result);

/* The jobs that follow on from one (their parent_batch_id is its batch id): its corrected rows, or
 * the import of a dry run for real. Oldest first, at most 100; as of ecl_job_list. */
apr_status_t ecl_job_followers(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p,
                               ecl_job_t ***pjobs, int *pcount, ecl_result_t *result);

/* Later real imports of the job's bytes, completed and not undone, that found readings unchanged:
 * those are stored once, and go with the job when it is undone. *pcount: such imports; *preadings:
 * the most that any of them found so (an earlier import may have stored some of them). */
apr_status_t ecl_job_relied_on(ecl_db_conn_t *conn, const ecl_job_t *job, apr_int64_t *pcount,
                               apr_int64_t *preadings, ecl_result_t *result);

typedef struct ecl_job_filter_t {
    int has_status;
    ecl_job_status_t status;
    const char *q; /* found in file name, user, batch id or notes, letter case ignored (SQLite: of
                    * ASCII letters); at most 200 bytes; NULL or "": all jobs */
    int limit;     /* 1 to 200 */
    const char *before; /* batch id: only jobs queued before this one (keyset paging); or NULL */
} ecl_job_filter_t;

typedef struct ecl_job_page_t {
    ecl_job_t **jobs; /* newest first */
    int count;
    const char *next; /* what to give as `before` for the next page; NULL: this is the last */
} ecl_job_page_t;

/* Newest first; their summaries are not parsed, as of ecl_job_look, and without "preview".
 * ECL_EINPUT when limit, before or q is not usable. */
apr_status_t ecl_job_list(ecl_db_conn_t *conn, const ecl_job_filter_t *filter, apr_pool_t *p,
                          ecl_job_page_t *page, ecl_result_t *result);

/* How many jobs each status has among those that match q (as in the filter), by
 * ecl_job_status_t. */
apr_status_t ecl_job_counts(ecl_db_conn_t *conn, const char *q,
                            apr_int64_t counts[ECL_JOB_STATUSES], ecl_result_t *result);

typedef struct ecl_queue_state_t {
    apr_int64_t queued;     /* waiting, whether due or not */
    apr_int64_t due;        /* waiting and allowed to run now */
    apr_int64_t processing; /* a worker has them */
    apr_time_t oldest_due;  /* since when the due job that has waited longest is due; 0: none */
} ecl_queue_state_t;

apr_status_t ecl_queue_state(ecl_db_conn_t *conn, ecl_queue_state_t *state, ecl_result_t *result);

/* The job as the API shows it: a key per column except id, stored_name, idempotency_key, due_at and
 * the attempt_… columns; times as RFC 3339 or null; total_rows null until counted; and
 * progress_percent (0 to 100 with at most one decimal, by rows, else by bytes; null before it
 * starts; 100 only when completed), rows_per_second (of the present or last attempt, up to its last
 * batch), eta_seconds (both null when not known, and when nothing has been heard of the worker for
 * a lease). Between two batches the object stays the same, whatever the time. The caller owns it
 * (json_object_put); it is not to be used when the job is gone.
 */
json_object *ecl_job_json(const ecl_job_t *job, apr_time_t now);

/* How far a job is and how fast it goes, as the object above has it; -1 where that has null. */
typedef struct ecl_job_pace_t {
    apr_int64_t percent_tenths;
    apr_int64_t rate_tenths; /* tenths of rows a second */
    apr_int64_t eta_seconds;
} ecl_job_pace_t;

ecl_job_pace_t ecl_job_pace(const ecl_job_t *job, apr_time_t now);

/* Appends the same object as text, as json-c prints it with JSON_C_TO_STRING_PLAIN and
 * JSON_C_TO_STRING_NOSLASHESCAPE, at a fraction of the cost. */
struct printbuf;
void ecl_job_print(const ecl_job_t *job, apr_time_t now, struct printbuf *printed);

/* What a job goes by: its own options, and beside them those of the import template that it was
 * read with (its summary's "template", an object with "options"). The texts live as long as the
 * job. */
void ecl_job_options_used(const ecl_job_t *job, const char *values[ECL_OPTIONS]);

/* ---- what people may ask for ----------------------------------------------------------------- */

/* Each checks the state itself and answers ECL_ECONFLICT, code "job-state", with a sentence that
 * says which state the job is in and in which ones this can be asked; *pjob is then the job as it
 * is. ECL_ENOTFOUND as ecl_job_get. user is who asks. *pjob is the job afterwards. */

/* queued with nothing imported yet: cancelled at once. processing: the worker stops at its next
 * batch and takes out what it has imported; then cancelled. The same for a queued job that was put
 * back with part of it imported: a worker takes that out first. error_message says who cancelled.
 * Asking again is not an error. */
apr_status_t ecl_job_cancel(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                            apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result);

/* failed: queued again from its checkpoint. cancelled, or failed and undone: queued again from the
 * beginning, its counts, summary and row errors cleared. Also refused when the stored file is gone
 * or an undo is going on. */
apr_status_t ecl_job_retry(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                           apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result);

/* failed with a question (its summary has "question": an object with the name of an "option"), and
 * before anything was imported: queued again from the beginning with these options, which are added
 * to those it has. values: NULL leaves an option as it is, "" takes it back; checked already.
 * ECL_EINPUT, code "no-answer": the option that is asked for is NULL, or "" where nothing was given
 * that could be taken back. Also refused as retry is. */
apr_status_t ecl_job_answer(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                            const char *const values[ECL_OPTIONS], apr_pool_t *p, ecl_job_t **pjob,
                            ecl_result_t *result);

/* completed or failed, not a dry run, not undone: a worker will take its readings back out. The
 * state stays; undone_by is set now, undone_at when it is done. Asking again is not an error. */
apr_status_t ecl_job_undo(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                          apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result);

/* A job that waits, for its time or to be tried again: it is due now. One that is due already stays
 * as it is. */
apr_status_t ecl_job_run_now(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                             apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result);

/* A completed dry run: queues a real import of its stored file (parent_batch_id = the dry run),
 * which takes the file over. storage_dir is the storage directory of `host`. *pjob is the new job.
 * Also ECL_ECONFLICT, code "file-gone", with *pjob NULL: the file should be in that directory and
 * is not. */
apr_status_t ecl_job_import_for_real(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                                     const char *storage_dir, const char *host, apr_pool_t *p,
                                     ecl_job_t **pjob, ecl_result_t *result);

/* completed, failed or cancelled, and no undo going on: removes the job's record, its row errors,
 * its undo record and its file. Readings stay. A file that is on
 * another host is removed by that host's next sweep. */
apr_status_t ecl_job_delete(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                            const char *storage_dir, apr_pool_t *p, ecl_result_t *result);

/* ---- what workers do ------------------------------------------------------------------------- */

#define ECL_LEASE_SECONDS 30
#define ECL_AGEING_SECONDS 3600 /* what a step of priority counts for */

/* What a claimed job wants done. */
typedef enum ecl_job_work_t {
    ECL_WORK_IMPORT,  /* queued → processing: import from the checkpoint */
    ECL_WORK_TAKE_OUT /* cancel_requested or undo_requested: take the job's readings out */
} ecl_job_work_t;

typedef struct ecl_claim_t {
    ecl_job_t *job; /* as it is after the claim; job->claims is the token */
    ecl_job_work_t work;
    apr_time_t next_due; /* without a job: when the next one that waits is due; 0: none waits */
} ecl_claim_t;

/* Takes the next job that is due, in the order above; of `batch_id` only, when that is
 * not NULL. A file that is stored on one host is imported by that host's workers only (worker is
 * "host:pid"); taking out needs no file. One statement decides; two workers never get the same job.
 * First puts back jobs whose
 * lease has run out, as ecl_job_give_back with a reason. claim->job is NULL when there is nothing
 * to do: then the database has only been read. Not in a transaction. */
apr_status_t ecl_job_claim(ecl_db_conn_t *conn, const char *worker, const char *batch_id,
                           apr_pool_t *p, ecl_claim_t *claim, ecl_result_t *result);

/* What one batch adds; all are increments but checkpoint, bytes_done and summary (new values). */
typedef struct ecl_job_progress_t {
    apr_int64_t processed_rows, imported_rows, failed_rows, skipped_rows;
    apr_int64_t readings_new, readings_changed, readings_unchanged;
    apr_int64_t checkpoint, bytes_done;
    json_object *summary; /* NULL: unchanged */
} ecl_job_progress_t;

/* In the caller's transaction, while importing or taking out: adds a batch's figures, renews the
 * lease, resets attempts to 1 when the checkpoint moved. *pcancel: 1 when a cancel has been asked
 * for. ECL_EFENCED. */
apr_status_t ecl_job_progress(ecl_db_conn_t *conn, const ecl_job_t *job,
                              const ecl_job_progress_t *progress, int *pcancel,
                              ecl_result_t *result);

/* Keeps what the file begins with, an array, which ecl_job_get puts into the summary. ECL_EFENCED.
 */
apr_status_t ecl_job_keep_preview(ecl_db_conn_t *conn, const ecl_job_t *job, json_object *preview,
                                  ecl_result_t *result);

/* Renews the lease outside a batch (counting, taking out) and sets total_rows when it is >= 0. */
apr_status_t ecl_job_renew(ecl_db_conn_t *conn, const ecl_job_t *job, apr_int64_t total_rows,
                           int *pcancel, ecl_result_t *result);

typedef struct ecl_row_error_t {
    apr_int64_t line;   /* physical line in the file, from 1 */
    const char *column; /* its header text, or its number as text; NULL: the whole row */
    const char *code;   /* kebab-case, groups errors by cause: "bad-date" */
    const char *message;
    const char *raw; /* the record as it stands in the file (UTF-8), without its line end */
    /* What this record alone needs at the end of the last cell that its table adds to all of them
     * ("failed_tables"); with tabs between them, at the end of as many of the last cells. NULL:
     * nothing. */
    const char *added;
} ecl_row_error_t;

/* In the caller's transaction: keeps row errors. ECL_EFENCED. */
apr_status_t ecl_job_add_errors(ecl_db_conn_t *conn, const ecl_job_t *job,
                                const ecl_row_error_t *errors, int count, ecl_result_t *result);

/* The ends of a claim; each is fenced, and makes its own transaction unless the caller has one.
 * summary may be NULL (unchanged). finish: processing → completed, or, when `message` is not NULL,
 * → failed for good. A completed import that is not a dry run lets go of its file: once that is
 * committed, the caller removes job->stored_name from the storage (ecl_storage_sweep does when the
 * caller dies before). ECL_ESTOPPED, code "cancel-requested", and nothing is changed, when a cancel
 * was asked for since the last batch: take the readings out instead.
 * taken_out: → cancelled, or, for an undo, undone_at is set. */
apr_status_t ecl_job_finish(ecl_db_conn_t *conn, const ecl_job_t *job, json_object *summary,
                            const char *message, ecl_result_t *result);
apr_status_t ecl_job_taken_out(ecl_db_conn_t *conn, const ecl_job_t *job, json_object *summary,
                               ecl_result_t *result);

/* A claim ended without an end: back to queued. transient_reason NULL: the worker was asked to
 * stop; the attempt is not counted and the job is due at once. Otherwise the attempt counts, the
 * job is due after an exponential back-off (2, 4, 8 … 600 s), and fails with the reason when
 * max_attempts from one checkpoint are used up. Taking out (after a cancel or an undo) is never
 * given up: it stays due, with back-off, because half of an import must not remain. */
apr_status_t ecl_job_give_back(ecl_db_conn_t *conn, const ecl_job_t *job,
                               const char *transient_reason, ecl_result_t *result);

/* What the master does when a worker process died: as give_back, for every job whose `worker` is
 * that one, but after the first death in one place the job is due at once; the back-off (2, 4, 8 …
 * 600 s) begins with the second. reason as above. */
apr_status_t ecl_jobs_of_dead_worker(ecl_db_conn_t *conn, const char *worker, const char *reason,
                                     ecl_result_t *result);

/* Removes finished jobs that completed more than `days` (0 or more) ago and are not being undone,
 * with what hangs on them, and their files. user is who asked for it; NULL: nobody did. *premoved
 * counts the jobs, also when it fails half-way.
 */
apr_status_t ecl_jobs_cleanup(ecl_db_conn_t *conn, int days, const char *user,
                              const char *storage_dir, apr_pool_t *p, int *premoved,
                              ecl_result_t *result);

/* Whether any job still names this stored file: for ecl_storage_sweep. */
apr_status_t ecl_jobs_know_file(ecl_db_conn_t *conn, const char *stored_name, int *pknown,
                                ecl_result_t *result);

/* ---- reading row errors ------------------------------------------------------------------------
 */

/* Page of row errors in file order as a JSON array of objects (line, column, code, message, raw),
 * starting after `after` (0: the first; else the previous page's *pnext). *pnext 0: the last page.
 * limit 1 to 1000. The caller owns *perrors. */
apr_status_t ecl_job_errors(ecl_db_conn_t *conn, apr_int64_t job_id, apr_int64_t after, int limit,
                            apr_pool_t *p, json_object **perrors, apr_int64_t *pnext,
                            ecl_result_t *result);

/* Causes, most frequent first, at most 50: array of {code, column, count, first_line, example};
 * example is the message of the first. The caller owns *pgroups. */
apr_status_t ecl_job_error_groups(ecl_db_conn_t *conn, apr_int64_t job_id, apr_pool_t *p,
                                  json_object **pgroups, ecl_result_t *result);

/* ---- workers that are alive --------------------------------------------------------------------
 */

typedef struct ecl_worker_t {
    const char *name; /* "host:pid" */
    const char *host;
    apr_int64_t pid;
    apr_time_t started_at;
    apr_time_t heartbeat_at;
    const char *batch_id; /* of the job in hand; NULL: idle */
    const char *process;  /* what tells its process from a later one of the same pid; or NULL */
} ecl_worker_t;

#define ECL_HEARTBEAT_SECONDS 10

/* Announces a worker or renews its heartbeat; batch_id: its job or NULL; process: as above. A
 * worker announces itself before it claims. ECL_EINPUT: the name is not host:pid. */
apr_status_t ecl_worker_beat(ecl_db_conn_t *conn, const char *name, const char *process,
                             const char *batch_id, ecl_result_t *result);

/* Takes a dead worker off the list and gives its jobs back as ecl_jobs_of_dead_worker does, unless
 * another process has its name by now: *pburied is 0 then, and nothing is changed. */
apr_status_t ecl_worker_bury(ecl_db_conn_t *conn, const ecl_worker_t *worker, const char *reason,
                             int *pburied, ecl_result_t *result);
/* Takes a worker off the list. */
apr_status_t ecl_worker_gone(ecl_db_conn_t *conn, const char *name, ecl_result_t *result);
/* Those whose heartbeat is younger than max_age_seconds; *pworkers is an array of *pcount. */
apr_status_t ecl_workers_alive(ecl_db_conn_t *conn, int max_age_seconds, apr_pool_t *p,
                               ecl_worker_t **pworkers, int *pcount, ecl_result_t *result);

/* Takes off the list those not heard of for a minute on hosts that have been heard of since, and
 * those not heard of for a day: until then they say that their host is away. */
apr_status_t ecl_workers_forget(ecl_db_conn_t *conn, ecl_result_t *result);

/* A host that shares the queue: it has workers, or files that wait for them. */
typedef struct ecl_host_t {
    const char *name;
    apr_time_t heartbeat_at; /* the last of any of its workers; 0: none is known */
    int workers;             /* that are alive */
    int busy;                /* of these, with a job in hand */
    int files;               /* jobs queued or processing whose file only it has */
} ecl_host_t;

/* All of them, by name, at most 200; *phosts is an array of *pcount. max_age_seconds as above. */
apr_status_t ecl_hosts(ecl_db_conn_t *conn, int max_age_seconds, apr_pool_t *p, ecl_host_t **phosts,
                       int *pcount, ecl_result_t *result);

#endif /* ECL_JOBS_H */
