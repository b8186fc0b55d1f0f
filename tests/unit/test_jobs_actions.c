/* What people ask for: every action in every state; and what goes with a job
 * that is removed. */
#include "jobs_fixture.h"

#include <fcntl.h>

#include <apr_file_info.h>

#include "lib/storage.h"

enum { CANCEL, RETRY, UNDO, IMPORT, DELETE, ACTIONS };

static const char *const needed[ACTIONS] = {
    "only a queued or processing job can be cancelled",
    "only a failed or cancelled job whose file is kept can be run again",
    "only a completed or failed import that is not a dry run and not undone "
    "yet can be undone",
    "only a completed dry run whose file is kept can be imported for real",
    "only a completed, failed or cancelled job that is not being undone can be "
    "deleted"};

/* A stored file of this name, as an upload leaves it. */
static void put_file(fixture_t *f, const char *name)
{
    const char *path = ecl_storage_path(f->dir, name, f->p);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a,b\n", 4), 4);
    close(fd);
}

static int has_file(fixture_t *f, const char *name)
{
    return !access(ecl_storage_path(f->dir, name, f->p), F_OK);
}

static int set_up_storage(void **state)
{
    fixture_t *f;

    set_up(state);
    f = *state;
    OK(ecl_storage_prepare(f->dir, f->p, &f->result));
    return 0;
}

/* A job with a file. */
static ecl_job_t *stored_job(fixture_t *f, int dry_run, ecl_job_status_t status)
{
    const char *id = ecl_job_uuid(f->p);
    json_object *options = json_tokener_parse("{\"estimates\": \"replace\"}");
    ecl_job_new_t wanted = {.batch_id = id,
                            .stored_name = id,
                            .user_name = "alice",
                            .filename = "a.csv",
                            .file_size = 4,
                            .file_sha256 = "5f",
                            .import_type = "daily",
                            .priority = "high",
                            .notes = "from the supplier",
                            .tags = "north",
                            .options = options,
                            .dry_run = dry_run};
    ecl_job_t *job;

    put_file(f, id);
    job = create(f, &wanted);
    json_object_put(options);
    force(f, job, status);
    return get(f, job);
}

static apr_status_t act(fixture_t *f, int action, const char *batch_id, ecl_job_t **pjob)
{
    *pjob = NULL;
    switch (action) {
    case CANCEL:
        return ecl_job_cancel(f->conn, batch_id, "bob", f->p, pjob, &f->result);
    case RETRY:
        return ecl_job_retry(f->conn, batch_id, "bob", f->p, pjob, &f->result);
    case UNDO:
        return ecl_job_undo(f->conn, batch_id, "bob", f->p, pjob, &f->result);
    case IMPORT:
        return ecl_job_import_for_real(f->conn, batch_id, "bob", f->dir, "here", f->p, pjob,
                                       &f->result);
    default:
        return ecl_job_delete(f->conn, batch_id, "bob", f->dir, f->p, &f->result);
    }
}

typedef struct situation_t {
    const char *words; /* what the refusal says of the job */
    ecl_job_status_t status;
    int dry_run;
    const char *more;    /* further columns */
    const char *allowed; /* a letter per action */
} situation_t;

static const situation_t situations[] = {
    {"queued", ECL_JOB_QUEUED, 0, NULL, "C"},
    {"queued, being cancelled", ECL_JOB_QUEUED, 0, "cancel_requested = 1, checkpoint = 9", "C"},
    {"processing", ECL_JOB_PROCESSING, 0, NULL, "C"},
    {"processing, being cancelled", ECL_JOB_PROCESSING, 0, "cancel_requested = 1", "C"},
    {"completed", ECL_JOB_COMPLETED, 0, NULL, "UD"},
    {"completed", ECL_JOB_COMPLETED, 0, "stored_name = NULL", "UD"},
    {"completed, being undone", ECL_JOB_COMPLETED, 0, "undo_requested = 1", "U"},
    {"completed, undone", ECL_JOB_COMPLETED, 0, "undone_at = 3", "D"},
    {"failed", ECL_JOB_FAILED, 0, NULL, "RUD"},
    {"failed", ECL_JOB_FAILED, 0, "stored_name = NULL", "UD"},
    {"failed, being undone", ECL_JOB_FAILED, 0, "undo_requested = 1", "U"},
    {"failed, undone", ECL_JOB_FAILED, 0, "undone_at = 3", "RD"},
    {"cancelled", ECL_JOB_CANCELLED, 0, NULL, "RD"},
    {"cancelled", ECL_JOB_CANCELLED, 0, "stored_name = NULL", "D"},
    {"a dry run and queued", ECL_JOB_QUEUED, 1, NULL, "C"},
    {"a dry run and processing", ECL_JOB_PROCESSING, 1, NULL, "C"},
    {"a dry run and completed", ECL_JOB_COMPLETED, 1, NULL, "ID"},
    {"a dry run and completed", ECL_JOB_COMPLETED, 1, "stored_name = NULL", "D"},
    {"a dry run and failed", ECL_JOB_FAILED, 1, NULL, "RD"},
    {"a dry run and cancelled", ECL_JOB_CANCELLED, 1, NULL, "RD"},
};

static void test_every_action_in_every_state(void **state)
{
    static const char letters[] = "CRUID";
    fixture_t *f = *state;

    for (size_t i = 0; i < sizeof situations / sizeof situations[0]; i++) {
        const situation_t *s = &situations[i];

        for (int action = 0; action < ACTIONS; action++) {
            ecl_job_t *job = stored_job(f, s->dry_run, s->status), *after;
            const char *file;
            apr_status_t rv;

            if (s->more) {
                sql(f, "UPDATE import_jobs SET %s WHERE id = %" APR_INT64_T_FMT, s->more, job->id);
            }
            rv = act(f, action, job->batch_id, &after);
            if (strchr(s->allowed, letters[action])) {
                OK(rv);
                continue;
            }
            assert_int_equal(rv, ECL_ECONFLICT);
            assert_string_equal(f->result.code, "job-state");
            file = (action == RETRY || action == IMPORT) && !get(f, job)->stored_name
                       ? ", its file no longer kept"
                       : "";
            assert_string_equal(f->result.detail, apr_psprintf(f->p, "the job is %s%s; %s",
                                                               s->words, file, needed[action]));
            assert_int_equal(get(f, job)->status, s->status);
            if (action != DELETE) {
                assert_string_equal(after->batch_id, job->batch_id);
            }
        }
    }
}

static void test_no_such_job(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job;

    for (int action = 0; action < ACTIONS; action++) {
        FAILS(act(f, action, "7d3c8a52-0000-4000-8000-000000000000", &job), ECL_ENOTFOUND,
              "job-not-found");
    }
}

static void test_cancel_queued(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_QUEUED);

    OK(act(f, CANCEL, job->batch_id, &job));
    assert_int_equal(job->status, ECL_JOB_CANCELLED);
    assert_int_equal(job->cancel_requested, 0);
    assert_true(job->completed_at > 0);
    assert_string_equal(job->error_message, "cancelled by bob");
    claim_none(f);
}

static void test_cancel_by_nobody(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_QUEUED);

    OK(ecl_job_cancel(f->conn, job->batch_id, NULL, f->p, &job, &f->result));
    assert_string_equal(job->error_message, "cancelled");
}

/* It was put back with part of it imported: that must not stay. */
static void test_cancel_queued_with_readings(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_QUEUED);

    sql(f, "UPDATE import_jobs SET checkpoint = 7, run_after = 4000000000000000000");
    OK(act(f, CANCEL, job->batch_id, &job));
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_int_equal(job->cancel_requested, 1);
    job = claim_one(f, "host:1", ECL_WORK_TAKE_OUT); /* at once */
    OK(ecl_job_taken_out(f->conn, job, NULL, &f->result));
    assert_int_equal(get(f, job)->status, ECL_JOB_CANCELLED);
}

/* A dry run has kept nothing. */
static void test_cancel_queued_dry_run(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 1, ECL_JOB_QUEUED);

    sql(f, "UPDATE import_jobs SET checkpoint = 7");
    OK(act(f, CANCEL, job->batch_id, &job));
    assert_int_equal(job->status, ECL_JOB_CANCELLED);
}

static void test_cancel_processing_twice(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_PROCESSING);

    OK(act(f, CANCEL, job->batch_id, &job));
    assert_int_equal(job->status, ECL_JOB_PROCESSING);
    assert_int_equal(job->cancel_requested, 1);
    assert_int_equal(job->completed_at, 0);
    OK(ecl_job_cancel(f->conn, job->batch_id, "carol", f->p, &job, &f->result));
    assert_string_equal(job->error_message, "cancelled by bob");
}

static void add_traces(fixture_t *f, const ecl_job_t *job)
{
    sql(f,
        "UPDATE import_jobs SET total_rows = 9, processed_rows = 8, "
        "imported_rows = 7,"
        " failed_rows = 6, skipped_rows = 5, readings_new = 4, readings_changed "
        "= 3,"
        " readings_unchanged = 2, bytes_done = 1, checkpoint = 8, attempts = 3,"
        " attempt_started_at = 1, attempt_started_rows = 2, error_message = 'no',"
        " summary = '{\"a\":1}' WHERE id = %" APR_INT64_T_FMT,
        job->id);
    sql(f,
        "INSERT INTO import_errors (import_job_id, line, code, message, raw)"
        " VALUES (%" APR_INT64_T_FMT ", 2, 'bad-value', 'no number', 'x')",
        job->id);
    sql(f,
        "INSERT INTO meter_day_history (import_job_id, meter_day_id, "
        "period_values, period_flags,"
        " unit, previous_job_id, previous_line, previous_updated_at)"
        " VALUES (%" APR_INT64_T_FMT ", 1, '%s', '', 'kWh', 1, 2, 3)",
        job->id, is_pgsql() ? "{}" : "[]");
}

static apr_int64_t errors_of(fixture_t *f, const ecl_job_t *job)
{
    return sql(f,
               "SELECT count(*) FROM import_errors WHERE import_job_id = "
               "%" APR_INT64_T_FMT,
               job->id);
}

static void test_retry_failed_goes_on(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_FAILED);

    add_traces(f, job);
    OK(act(f, RETRY, job->batch_id, &job));
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_int_equal(job->checkpoint, 8);
    assert_int_equal(job->total_rows, 9);
    assert_int_equal(job->imported_rows, 7);
    assert_int_equal(job->attempts, 0);
    assert_int_equal(job->completed_at, 0);
    assert_null(job->error_message);
    assert_non_null(job->summary);
    assert_int_equal(errors_of(f, job), 1);
    assert_int_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->attempts, 1);
}

static void assert_from_the_beginning(fixture_t *f, const ecl_job_t *job)
{
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_int_equal(job->total_rows, -1);
    assert_int_equal(job->processed_rows + job->imported_rows + job->failed_rows +
                         job->skipped_rows + job->readings_new + job->readings_changed +
                         job->readings_unchanged + job->bytes_done + job->checkpoint +
                         job->attempts + job->attempt_started_at + job->attempt_started_rows +
                         job->started_at + job->completed_at + job->undone_at,
                     0);
    assert_null(job->summary);
    assert_null(job->error_message);
    assert_null(job->undone_by);
    assert_int_equal(errors_of(f, job), 0);
    claim_one(f, "host:1", ECL_WORK_IMPORT);
}

static void test_retry_cancelled_begins_anew(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *other = stored_job(f, 0, ECL_JOB_FAILED);
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_CANCELLED);

    add_traces(f, other);
    add_traces(f, job);
    OK(act(f, RETRY, job->batch_id, &job));
    assert_from_the_beginning(f, job);
    assert_int_equal(errors_of(f, other), 1);
}

/* Its readings are gone: going on from the checkpoint would leave them out for
 * ever. */
static void test_retry_undone_begins_anew(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_FAILED);

    add_traces(f, job);
    sql(f, "UPDATE import_jobs SET undone_at = 5, undone_by = 'bob'");
    OK(act(f, RETRY, job->batch_id, &job));
    assert_from_the_beginning(f, job);
}

/* ---- answers ---- */

static ecl_job_t *asking_job(fixture_t *f, const char *question)
{
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_FAILED);

    sql(f,
        "UPDATE import_jobs SET summary = '{\"question\":%s}', error_message = 'which?',"
        " started_at = 1, total_rows = 3 WHERE id = %d",
        question, (int)job->id);
    return get(f, job);
}

static const char *option_text(const ecl_job_t *job, const char *name)
{
    return json_object_get_string(json_object_object_get(job->options, name));
}

static void test_answer_goes_on(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *asking = asking_job(f, "{\"option\":\"meter\",\"text\":\"Which?\"}"), *job;
    const char *values[ECL_OPTIONS] = {[ECL_OPTION_METER] = "M 1"};

    OK(ecl_job_answer(f->conn, asking->batch_id, "bob", values, f->p, &job, &f->result));
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_string_equal(option_text(job, "meter"), "M 1");
    assert_string_equal(option_text(job, "estimates"), "replace"); /* as before */
    assert_null(job->error_message);
    assert_null(job->summary);
    assert_int_equal(job->started_at, 0);
    assert_int_equal(job->total_rows, -1);
    assert_int_equal(job->attempts, 0);
    claim_one(f, "host:1", ECL_WORK_IMPORT);
    /* twice: it is running by now */
    FAILS(ecl_job_answer(f->conn, asking->batch_id, "bob", values, f->p, &job, &f->result),
          ECL_ECONFLICT, "job-state");
    assert_int_equal(job->status, ECL_JOB_PROCESSING);
}

static void test_answer_must_answer(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *asking = asking_job(f, "{\"option\":\"meter\"}"), *job;
    const char *other[ECL_OPTIONS] = {[ECL_OPTION_ESTIMATES] = "keep-actual"};
    const char *blank[ECL_OPTIONS] = {[ECL_OPTION_METER] = ""};

    FAILS(ecl_job_answer(f->conn, asking->batch_id, "bob", other, f->p, &job, &f->result),
          ECL_EINPUT, "no-answer");
    FAILS(ecl_job_answer(f->conn, asking->batch_id, "bob", blank, f->p, &job, &f->result),
          ECL_EINPUT, "no-answer");
    assert_int_equal(get(f, asking)->status, ECL_JOB_FAILED);
}

static void test_answer_takes_back(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *asking = asking_job(f, "{\"option\":\"estimates\",\"given\":true}"), *job;
    const char *values[ECL_OPTIONS] = {[ECL_OPTION_ESTIMATES] = ""};

    OK(ecl_job_answer(f->conn, asking->batch_id, "bob", values, f->p, &job, &f->result));
    assert_null(job->options);
}

static void test_answer_needs_a_question(void **state)
{
    fixture_t *f = *state;
    const char *values[ECL_OPTIONS] = {[ECL_OPTION_METER] = "M 1"};
    const char *const unanswerable[] = {"{}", "{\"option\":\"colour\"}"};
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_FAILED), *as_it_is;

    FAILS(ecl_job_answer(f->conn, job->batch_id, "bob", values, f->p, &as_it_is, &f->result),
          ECL_ECONFLICT, "job-state");
    for (int i = 0; i < 2; i++) {
        job = asking_job(f, unanswerable[i]);
        FAILS(ecl_job_answer(f->conn, job->batch_id, "bob", values, f->p, &as_it_is, &f->result),
              ECL_ECONFLICT, "job-state");
    }
    /* something of it was imported, or its file is gone */
    job = asking_job(f, "{\"option\":\"meter\"}");
    sql(f, "UPDATE import_jobs SET checkpoint = 5 WHERE id = %d", (int)job->id);
    FAILS(ecl_job_answer(f->conn, job->batch_id, "bob", values, f->p, &as_it_is, &f->result),
          ECL_ECONFLICT, "job-state");
    job = asking_job(f, "{\"option\":\"meter\"}");
    sql(f, "UPDATE import_jobs SET stored_name = NULL WHERE id = %d", (int)job->id);
    FAILS(ecl_job_answer(f->conn, job->batch_id, "bob", values, f->p, &as_it_is, &f->result),
          ECL_ECONFLICT, "job-state");
    FAILS(ecl_job_answer(f->conn, "7d9c62f6-7ed9-4d47-8e6a-1f6f2b1a3c55", "bob", values, f->p,
                         &as_it_is, &f->result),
          ECL_ENOTFOUND, "job-not-found");
}

static void test_undo_is_asked_once(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_COMPLETED);

    OK(act(f, UNDO, job->batch_id, &job));
    assert_int_equal(job->undo_requested, 1);
    assert_string_equal(job->undone_by, "bob");
    assert_int_equal(job->undone_at, 0);
    assert_int_equal(job->status, ECL_JOB_COMPLETED);
    OK(ecl_job_undo(f->conn, job->batch_id, "carol", f->p, &job, &f->result));
    assert_string_equal(job->undone_by, "bob");
    job = claim_one(f, "host:1", ECL_WORK_TAKE_OUT);
    /* while a worker is at it, asking again must not give the job to a second one
     */
    OK(act(f, UNDO, job->batch_id, &job));
    claim_none(f);
}

/* Half a retry would import with the counts and errors of before. */
static void test_retry_fails_whole(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_CANCELLED), *after;

    add_traces(f, job);
    sql(f, "UPDATE import_jobs SET processed_rows = 7, checkpoint = 8");
    refuse(f, "DELETE", "import_errors", "cannot delete");
    assert_int_not_equal(act(f, RETRY, job->batch_id, &after), APR_SUCCESS);
    job = get(f, job);
    assert_int_equal(job->status, ECL_JOB_CANCELLED);
    assert_int_equal(job->processed_rows, 7);
    assert_int_equal(job->checkpoint, 8);
    allow(f, "import_errors");
    OK(act(f, RETRY, job->batch_id, &after));
    assert_int_equal(after->processed_rows, 0);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_errors"), 0);
}

static void test_import_for_real(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *dry = stored_job(f, 1, ECL_JOB_COMPLETED), *job;

    OK(act(f, IMPORT, dry->batch_id, &job));
    assert_string_not_equal(job->batch_id, dry->batch_id);
    assert_string_equal(job->parent_batch_id, dry->batch_id);
    assert_string_equal(job->stored_name, dry->batch_id);
    assert_int_equal(job->dry_run, 0);
    assert_int_equal(job->status, ECL_JOB_QUEUED);
    assert_string_equal(job->user_name, "bob");
    assert_string_equal(job->filename, "a.csv");
    assert_string_equal(job->import_type, "daily");
    assert_string_equal(job->priority, "high");
    assert_string_equal(job->notes, "from the supplier");
    assert_string_equal(job->tags, "north");
    assert_string_equal(job->file_sha256, "5f");
    assert_int_equal(job->file_size, 4);
    assert_string_equal(json_object_get_string(json_object_object_get(job->options, "estimates")),
                        "replace");
    assert_true(has_file(f, dry->batch_id));
    assert_null(get(f, dry)->stored_name);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs"), 2);
}

static void test_import_for_real_without_file(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *dry = stored_job(f, 1, ECL_JOB_COMPLETED), *job;

    OK(ecl_storage_remove(f->dir, dry->batch_id, f->p, &f->result));
    FAILS(act(f, IMPORT, dry->batch_id, &job), ECL_ECONFLICT, "file-gone");
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs"), 1);
}

/* From whatever host: it is that host's to import. */
static void test_import_for_real_of_a_file_elsewhere(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *dry = stored_job(f, 1, ECL_JOB_COMPLETED), *job;

    OK(ecl_storage_remove(f->dir, dry->batch_id, f->p, &f->result));
    sql(f, "UPDATE import_jobs SET stored_host = 'elsewhere'");
    OK(act(f, IMPORT, dry->batch_id, &job));
    assert_string_equal(job->stored_host, "elsewhere");
    assert_null(get(f, dry)->stored_host);
    claim_none(f);
    claim_one(f, "elsewhere:1", ECL_WORK_IMPORT);
}

static int count_files(fixture_t *f)
{
    const char *path = apr_pstrcat(f->p, f->dir, "/files", NULL);
    apr_dir_t *dir;
    apr_finfo_t entry;
    int count = 0;

    assert_int_equal(apr_dir_open(&dir, path, f->p), APR_SUCCESS);
    while (apr_dir_read(&entry, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        count += entry.name[0] != '.';
    }
    apr_dir_close(dir);
    return count;
}

/* A failure in the middle leaves the dry run with its file, and nothing else.
 */
static void test_import_for_real_fails_whole(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *dry = stored_job(f, 1, ECL_JOB_COMPLETED), *job;

    refuse(f, "INSERT", "import_jobs", "no more jobs");
    assert_int_not_equal(act(f, IMPORT, dry->batch_id, &job), APR_SUCCESS);
    assert_non_null(strstr(f->result.detail, "no more jobs"));
    assert_null(job);
    assert_string_equal(get(f, dry)->stored_name, dry->batch_id);
    assert_true(has_file(f, dry->batch_id));
    assert_int_equal(count_files(f), 1);
}

static void test_delete(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_FAILED), *other = stored_job(f, 0, ECL_JOB_FAILED);

    add_traces(f, job);
    add_traces(f, other);
    sql(f, "INSERT INTO meters (id, identifier, kind, import_job_id) VALUES (1, "
           "'m', 'other', 1)");
    OK(act(f, DELETE, job->batch_id, &job));
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs"), 1);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_errors"), 1);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_day_history"), 1);
    assert_int_equal(sql(f, "SELECT count(*) FROM meters"), 1);
    assert_int_equal(count_files(f), 1);
    assert_true(has_file(f, other->batch_id));
}

static int logged;

static void count_log(void *baton, const char *file, int line, ecl_log_level_t level,
                      apr_status_t rv, const char *message)
{
    (void)baton;
    (void)file;
    (void)line;
    (void)rv;
    logged += level == ECL_LOG_WARN && !strncmp(message, "ECL1303: ", 9);
}

/* The record is gone all the same; the sweep removes the file later. */
static void test_delete_when_the_file_cannot_be_removed(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_FAILED), *after;
    const char *path = ecl_storage_path(f->dir, job->batch_id, f->p);
    int known;

    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0); /* what even root cannot unlink */
    logged = 0;
    ecl_log_set(count_log, NULL);
    OK(act(f, DELETE, job->batch_id, &after));
    ecl_log_set(NULL, NULL);
    assert_int_equal(logged, 1);
    OK(ecl_jobs_know_file(f->conn, job->batch_id, &known, &f->result));
    assert_int_equal(known, 0);
}

static void test_know_file(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *job = stored_job(f, 0, ECL_JOB_QUEUED);
    int known;

    OK(ecl_jobs_know_file(f->conn, job->batch_id, &known, &f->result));
    assert_int_equal(known, 1);
    sql(f, "UPDATE import_jobs SET stored_name = NULL");
    OK(ecl_jobs_know_file(f->conn, job->batch_id, &known, &f->result));
    assert_int_equal(known, 0);
}

static void test_cleanup(void **state)
{
    static const ecl_job_status_t finished[] = {ECL_JOB_COMPLETED, ECL_JOB_FAILED,
                                                ECL_JOB_CANCELLED};
    fixture_t *f = *state;
    apr_time_t now = apr_time_now();
    ecl_job_t *kept[5];
    int removed;

    /* more than are looked up at once */
    for (int i = 0; i < 120; i++) {
        ecl_job_t *job = stored_job(f, 0, finished[i % 3]);

        sql(f, "UPDATE import_jobs SET completed_at = %" APR_INT64_T_FMT " WHERE id = %d",
            now - apr_time_from_sec(90 * 86400 + 60), (int)job->id);
        add_traces(f, job);
    }
    kept[0] = stored_job(f, 0, ECL_JOB_COMPLETED);
    sql(f, "UPDATE import_jobs SET completed_at = %" APR_INT64_T_FMT " WHERE id = %d",
        now - apr_time_from_sec(90 * 86400 - 60), (int)kept[0]->id);
    kept[1] = stored_job(f, 0, ECL_JOB_COMPLETED); /* of 1970, but being undone */
    sql(f, "UPDATE import_jobs SET undo_requested = 1 WHERE id = %d", (int)kept[1]->id);
    kept[2] = stored_job(f, 0, ECL_JOB_QUEUED);
    kept[3] = stored_job(f, 0, ECL_JOB_PROCESSING);
    kept[4] = stored_job(f, 0, ECL_JOB_FAILED); /* of 1970, but queued again */
    OK(act(f, RETRY, kept[4]->batch_id, &kept[4]));
    OK(ecl_jobs_cleanup(f->conn, 90, NULL, f->dir, f->p, &removed, &f->result));
    assert_int_equal(removed, 120);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_jobs"), 5);
    assert_int_equal(sql(f, "SELECT count(*) FROM import_errors"), 0);
    assert_int_equal(sql(f, "SELECT count(*) FROM meter_day_history"), 0);
    assert_int_equal(count_files(f), 5);
    for (int i = 0; i < 5; i++) {
        assert_true(has_file(f, get(f, kept[i])->stored_name));
    }

    OK(ecl_jobs_cleanup(f->conn, 0, NULL, f->dir, f->p, &removed, &f->result));
    assert_int_equal(removed, 1);
    FAILS(ecl_jobs_cleanup(f->conn, -1, NULL, f->dir, f->p, &removed, &f->result), ECL_EINPUT,
          "bad-days");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_storage, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_every_action_in_every_state),
        TEST(test_no_such_job),
        TEST(test_cancel_queued),
        TEST(test_cancel_by_nobody),
        TEST(test_cancel_queued_with_readings),
        TEST(test_cancel_queued_dry_run),
        TEST(test_cancel_processing_twice),
        TEST(test_retry_failed_goes_on),
        TEST(test_retry_cancelled_begins_anew),
        TEST(test_retry_undone_begins_anew),
        TEST(test_answer_goes_on),
        TEST(test_answer_must_answer),
        TEST(test_answer_takes_back),
        TEST(test_answer_needs_a_question),
        TEST(test_undo_is_asked_once),
        TEST(test_retry_fails_whole),
        TEST(test_import_for_real),
        TEST(test_import_for_real_without_file),
        TEST(test_import_for_real_of_a_file_elsewhere),
        TEST(test_import_for_real_fails_whole),
        TEST(test_delete),
        TEST(test_delete_when_the_file_cannot_be_removed),
        TEST(test_know_file),
        TEST(test_cleanup),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
