/*
 * What people ask for. Each action is a conditional UPDATE; when it finds no row, the job is read
 * to say why not.
 */
#include "jobs_internal.h"
#include "storage.h"

#include <apr_file_info.h>

/* The state of a job as the end of "the job is …"; about its file only where it matters. */
static const char *describe(const ecl_job_t *job, int needs_file, apr_pool_t *p)
{
    return apr_pstrcat(p, job->dry_run ? "a dry run and " : "", ecl_job_status_name(job->status),
                       job->cancel_requested ? ", being cancelled" : "",
                       job->undo_requested ? ", being undone" : "",
                       job->undone_at ? ", undone" : "",
                       needs_file && !job->stored_name ? ", its file no longer kept" : "", NULL);
}

/* After an UPDATE that found no row: ECL_ENOTFOUND, or ECL_ECONFLICT with the state and what would
 * have been needed. */
static apr_status_t refuse(ecl_db_conn_t *conn, const char *batch_id, const char *needed,
                           int needs_file, apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    apr_status_t rv = ecl_job_get(conn, batch_id, p, pjob, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return ecl_fail(result, ECL_ECONFLICT, "job-state", "the job is %s; %s",
                    describe(*pjob, needs_file, p), needed);
}

static void log_asked(const char *batch_id, const char *what, const char *user)
{
    ecl_log(ECL_LOG_INFO, 0, ECLNO(1302) "job %s: %s asked for by '%s'", batch_id, what,
            user ? user : "");
}

/* Runs a conditional UPDATE that returns the job, and notes who asked for it; *pjob is NULL when it
 * found no row. */
static apr_status_t change(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                           apr_size_t nargs, const char *event, const char *user,
                           const char *detail, apr_pool_t *p, ecl_job_t **pjob,
                           ecl_result_t *result)
{
    int is_own;
    apr_status_t rv = ecl_jobs_begin(conn, &is_own, result);

    *pjob = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_jobs_query_one(conn, sql, args, nargs, p, pjob, result);
    if (rv == APR_SUCCESS && *pjob) {
        rv = ecl_jobs_note_asked(conn, *pjob, event, user, detail, result);
    }
    return ecl_jobs_end(conn, is_own, rv, result);
}

apr_status_t ecl_job_cancel(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                            apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
/* Nothing of the job is in the database; a job that was put back may have got somewhere. */
#define UNTOUCHED "status = 'queued' AND (checkpoint = 0 OR dry_run = 1)"
    static const char sql[] =
        "UPDATE import_jobs SET"
        " status = CASE WHEN " UNTOUCHED " THEN 'cancelled' ELSE status END,"
        " completed_at = CASE WHEN " UNTOUCHED " THEN %lld ELSE completed_at END,"
        " cancel_requested = CASE WHEN " UNTOUCHED " THEN 0 ELSE 1 END,"
        " run_after = CASE WHEN status = 'queued' THEN queued_at ELSE run_after END,"
        " due_at = CASE WHEN status = 'queued' THEN %lld ELSE due_at END,"
        " error_message = CASE WHEN cancel_requested = 1 THEN error_message ELSE %s END"
        " WHERE batch_id = %s AND status IN ('queued', 'processing') RETURNING " ECL_JOB_SELECT;
#undef UNTOUCHED
    apr_time_t now = apr_time_now();
    const char *message = user && *user ? apr_pstrcat(p, "cancelled by ", user, NULL) : "cancelled";
    apr_status_t rv = change(
        conn, sql, ECL_ARGS(ECL_INT(now), ECL_INT(now), ECL_TEXT(message), ECL_TEXT(batch_id)),
        "cancel", user, NULL, p, pjob, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!*pjob) {
        return refuse(conn, batch_id, "only a queued or processing job can be cancelled", 0, p,
                      pjob, result);
    }
    log_asked(batch_id, "cancel", user);
    return APR_SUCCESS;
}

/* The two steps of a retry, in the caller's transaction; *pjob is NULL when it is not possible. */
static apr_status_t requeue(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                            apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    /* What was taken back out is imported again from the first record. */
    static const char reset[] =
        "UPDATE import_jobs SET total_rows = NULL, processed_rows = 0, imported_rows = 0,"
        " failed_rows = 0, skipped_rows = 0, readings_new = 0, readings_changed = 0,"
        " readings_unchanged = 0, bytes_done = 0, checkpoint = 0, started_at = NULL,"
        " attempt_started_at = NULL, attempt_started_rows = 0, summary = NULL, preview = NULL,"
        " undone_at = NULL, undone_by = NULL"
        " WHERE batch_id = %s AND stored_name IS NOT NULL"
        " AND (status = 'cancelled' OR (status = 'failed' AND undone_at IS NOT NULL))";
    static const char queue[] =
        "UPDATE import_jobs SET status = 'queued', run_after = queued_at, due_at = %lld,"
        " attempts = 0, completed_at = NULL, error_message = NULL"
        " WHERE batch_id = %s AND stored_name IS NOT NULL AND undo_requested = 0"
        " AND status IN ('failed', 'cancelled') RETURNING " ECL_JOB_SELECT;
    static const char forget[] = "DELETE FROM import_errors WHERE import_job_id = %lld";
    int restarted = 0;
    apr_status_t rv;

    *pjob = NULL;
    rv = ecl_db_exec(conn, reset, ECL_ARGS(ECL_TEXT(batch_id)), &restarted, result);
    if (rv == APR_SUCCESS) {
        rv = ecl_jobs_query_one(conn, queue, ECL_ARGS(ECL_INT(apr_time_now()), ECL_TEXT(batch_id)),
                                p, pjob, result);
    }
    if (rv == APR_SUCCESS && *pjob && restarted) {
        rv = ecl_db_exec(conn, forget, ECL_ARGS(ECL_INT((*pjob)->id)), NULL, result);
    }
    if (rv == APR_SUCCESS && *pjob) {
        rv = ecl_jobs_note_asked(conn, *pjob, "retry", user,
                                 restarted ? "from the beginning" : NULL, result);
    }
    return rv;
}

apr_status_t ecl_job_retry(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                           apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    apr_status_t rv;

    *pjob = NULL;
    rv = ecl_db_begin(conn, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = requeue(conn, batch_id, user, p, pjob, result);
    if (rv != APR_SUCCESS || !*pjob) {
        ecl_db_rollback(conn);
        return rv != APR_SUCCESS
                   ? rv
                   : refuse(conn, batch_id,
                            "only a failed or cancelled job whose file is kept can be run again", 1,
                            p, pjob, result);
    }
    rv = ecl_db_commit(conn, result);
    if (rv == APR_SUCCESS) {
        log_asked(batch_id, "retry", user);
    }
    return rv;
}

/* The option that a failed job's question is about; -1: it has asked nothing. *pis_given: an option
 * that was given is what is wrong. */
static int asked_option(const ecl_job_t *job, int *pis_given)
{
    json_object *question, *option, *given;

    if (!job->summary || !json_object_object_get_ex(job->summary, "question", &question) ||
        !json_object_object_get_ex(question, "option", &option)) {
        return -1;
    }
    *pis_given =
        json_object_object_get_ex(question, "given", &given) && json_object_get_boolean(given);
    return ecl_option_find(json_object_get_string(option));
}

/* The job's options with the answers among them, as text for the column. */
static const char *merge_options(const ecl_job_t *job, const char *const values[ECL_OPTIONS],
                                 apr_pool_t *p)
{
    const char *merged[ECL_OPTIONS], *text;
    json_object *options;

    ecl_options_read(job->options, merged);
    for (int id = 0; id < ECL_OPTIONS; id++) {
        if (values[id]) {
            merged[id] = *values[id] ? values[id] : NULL;
        }
    }
    options = ecl_options_json(merged);
    text = options ? apr_pstrdup(p, ecl_jobs_json_text(options)) : NULL;
    json_object_put(options);
    return text;
}

/* What was answered: "labels: end, channel: AE". */
static const char *answer_words(const char *const values[ECL_OPTIONS], apr_pool_t *p)
{
    const char *words = "";

    for (int id = 0; id < ECL_OPTIONS; id++) {
        if (values[id]) {
            words = apr_pstrcat(p, words, *words ? ", " : "", ecl_option_table[id].name, ": ",
                                *values[id] ? values[id] : "taken back", NULL);
        }
    }
    return words;
}

apr_status_t ecl_job_answer(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                            const char *const values[ECL_OPTIONS], apr_pool_t *p, ecl_job_t **pjob,
                            ecl_result_t *result)
{
    static const char needed[] = "only a failed job that asks a question can be answered";
    /* claims: nobody has run it since it was read, with this question or another */
    static const char sql[] =
        "UPDATE import_jobs SET status = 'queued', options = %s, run_after = queued_at,"
        " due_at = %lld, attempts = 0, completed_at = NULL, started_at = NULL, attempt_started_at "
        "= NULL, error_message = NULL,"
        " summary = NULL, preview = NULL, total_rows = NULL, undone_at = NULL, undone_by = NULL"
        " WHERE id = %lld AND status = 'failed' AND claims = %lld AND checkpoint = 0"
        " AND undo_requested = 0 AND stored_name IS NOT NULL RETURNING " ECL_JOB_SELECT;
    int option, is_given = 0;
    ecl_job_t *job;
    apr_status_t rv;

    *pjob = NULL;
    rv = ecl_job_get(conn, batch_id, p, &job, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    option = asked_option(job, &is_given);
    if (job->status != ECL_JOB_FAILED || option < 0) {
        return refuse(conn, batch_id, needed, 1, p, pjob, result);
    }
    if (!values[option] || (!*values[option] && !is_given)) {
        return ecl_fail(result, ECL_EINPUT, "no-answer",
                        "the question is about %s, and no value was given for it",
                        ecl_option_table[option].name);
    }
    rv = change(conn, sql,
                ECL_ARGS(ECL_TEXT(merge_options(job, values, p)), ECL_INT(apr_time_now()),
                         ECL_INT(job->id), ECL_INT(job->claims)),
                "answer", user, answer_words(values, p), p, pjob, result);
    if (rv != APR_SUCCESS || !*pjob) {
        return rv != APR_SUCCESS ? rv : refuse(conn, batch_id, needed, 1, p, pjob, result);
    }
    log_asked(batch_id, "an answer, and another run", user);
    return APR_SUCCESS;
}

apr_status_t ecl_job_undo(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                          apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE import_jobs SET"
        " undone_by = CASE WHEN undo_requested = 1 THEN undone_by ELSE %s END,"
        " attempts = CASE WHEN undo_requested = 1 THEN attempts ELSE 0 END,"
        " run_after = CASE WHEN undo_requested = 1 THEN run_after ELSE queued_at END,"
        " due_at = CASE WHEN undo_requested = 1 THEN due_at ELSE %lld END,"
        " undo_requested = 1"
        " WHERE batch_id = %s AND status IN ('completed', 'failed') AND dry_run = 0"
        " AND undone_at IS NULL RETURNING " ECL_JOB_SELECT;
    apr_status_t rv =
        change(conn, sql,
               ECL_ARGS(ECL_TEXT(user ? user : ""), ECL_INT(apr_time_now()), ECL_TEXT(batch_id)),
               "undo", user, NULL, p, pjob, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!*pjob) {
        return refuse(conn, batch_id,
                      "only a completed or failed import that is not a dry run and not undone yet "
                      "can be undone",
                      0, p, pjob, result);
    }
    log_asked(batch_id, "undo", user);
    return APR_SUCCESS;
}

apr_status_t ecl_job_run_now(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                             apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE import_jobs SET run_after = queued_at,"
        " due_at = CASE WHEN due_at > %lld THEN %lld ELSE due_at END"
        " WHERE batch_id = %s AND lease_until IS NULL AND (status = 'queued' OR undo_requested = 1)"
        " RETURNING " ECL_JOB_SELECT;
    apr_time_t now = apr_time_now();
    apr_status_t rv = change(conn, sql, ECL_ARGS(ECL_INT(now), ECL_INT(now), ECL_TEXT(batch_id)),
                             "run-now", user, NULL, p, pjob, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!*pjob) {
        return refuse(conn, batch_id, "only a job that waits can be run now", 0, p, pjob, result);
    }
    log_asked(batch_id, "a run now", user);
    return APR_SUCCESS;
}

/* In the caller's transaction: the dry run lets go of its file, and the new job has it. */
static apr_status_t hand_over(ecl_db_conn_t *conn, const ecl_job_t *dry_run, const char *user,
                              apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    static const char let_go[] =
        "UPDATE import_jobs SET stored_name = NULL, stored_host = NULL"
        " WHERE id = %lld AND status = 'completed' AND stored_name IS NOT NULL";
    const char *options[ECL_OPTIONS];
    ecl_job_new_t job = {.user_name = user,
                         .filename = dry_run->filename,
                         .stored_name = dry_run->stored_name,
                         .stored_host = dry_run->stored_host,
                         .file_size = dry_run->file_size,
                         .file_sha256 = dry_run->file_sha256,
                         .import_type = dry_run->import_type,
                         .priority = dry_run->priority,
                         .notes = dry_run->notes,
                         .tags = dry_run->tags,
                         .parent_batch_id = dry_run->batch_id};
    int affected = 0;
    apr_status_t rv = ecl_db_exec(conn, let_go, ECL_ARGS(ECL_INT(dry_run->id)), &affected, result);

    *pjob = NULL;
    if (rv != APR_SUCCESS || !affected) {
        return rv;
    }
    /* what the dry run showed, whatever became of its template since */
    ecl_job_options_used(dry_run, options);
    job.options = ecl_options_json(options);
    rv = ecl_job_create(conn, &job, p, pjob, result);
    json_object_put(job.options);
    if (rv == APR_SUCCESS) {
        rv = ecl_jobs_note_asked(conn, dry_run, "import-for-real", user,
                                 apr_pstrcat(p, "as job ", (*pjob)->batch_id, NULL), result);
    }
    return rv;
}

/* Whether a job's file is missing from the directory where it should be. */
static int is_gone(const ecl_job_t *job, const char *storage_dir, const char *host, apr_pool_t *p)
{
    apr_finfo_t info;

    if (job->stored_host && strcmp(job->stored_host, host)) {
        return 0; /* nobody here can tell */
    }
    return APR_STATUS_IS_ENOENT(
        apr_stat(&info, ecl_storage_path(storage_dir, job->stored_name, p), APR_FINFO_TYPE, p));
}

apr_status_t ecl_job_import_for_real(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                                     const char *storage_dir, const char *host, apr_pool_t *p,
                                     ecl_job_t **pjob, ecl_result_t *result)
{
    static const char needed[] =
        "only a completed dry run whose file is kept can be imported for real";
    ecl_job_t *dry_run;
    apr_status_t rv;

    *pjob = NULL;
    rv = ecl_job_get(conn, batch_id, p, &dry_run, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!dry_run->dry_run || dry_run->status != ECL_JOB_COMPLETED || !dry_run->stored_name) {
        return refuse(conn, batch_id, needed, 1, p, pjob, result);
    }
    if (is_gone(dry_run, storage_dir, host, p)) {
        return ecl_fail(result, ECL_ECONFLICT, "file-gone",
                        "the file of job %s is no longer in the storage directory", batch_id);
    }
    rv = ecl_db_begin(conn, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = hand_over(conn, dry_run, user, p, pjob, result);
    if (rv != APR_SUCCESS || !*pjob) {
        ecl_db_rollback(conn);
        return rv != APR_SUCCESS ? rv : refuse(conn, batch_id, needed, 1, p, pjob, result);
    }
    rv = ecl_db_commit(conn, result);
    if (rv != APR_SUCCESS) {
        *pjob = NULL;
        return rv;
    }
    log_asked(batch_id, "import for real", user);
    return APR_SUCCESS;
}

apr_status_t ecl_job_delete(ecl_db_conn_t *conn, const char *batch_id, const char *user,
                            const char *storage_dir, apr_pool_t *p, ecl_result_t *result)
{
    /* row errors and undo record go with it: ON DELETE CASCADE */
    static const char sql[] =
        "DELETE FROM import_jobs WHERE batch_id = %s"
        " AND status IN ('completed', 'failed', 'cancelled') AND undo_requested = 0"
        " RETURNING " ECL_JOB_SELECT;
    ecl_job_t *job;
    apr_status_t rv =
        change(conn, sql, ECL_ARGS(ECL_TEXT(batch_id)), "delete", user, NULL, p, &job, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!job) {
        return refuse(conn, batch_id,
                      "only a completed, failed or cancelled job that is not being undone can be "
                      "deleted",
                      0, p, &job, result);
    }
    ecl_jobs_remove_file(storage_dir, job->stored_name, p);
    log_asked(batch_id, "deletion", user);
    return APR_SUCCESS;
}
