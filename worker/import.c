/*
 * A job's run.
 *
 *   open the reader, check the file ─ count ─ pass over what is stored ─ batches ─ finish
 *        any of them ── stop ──▶ give back        cancel ──▶ take out ──▶ cancelled
 *                    ── wrong file ──▶ failed     trouble ──▶ give back, to be tried again
 *
 * Whatever comes of a phase is a status; run_work alone turns it into an end of the job.
 */
#include "import.h"

#include "../lib/import_templates.h"
#include "../lib/log.h"
#include "../lib/options.h"
#include "../lib/storage.h"
#include "checks.h"
#include "preview.h"
#include "read_ahead.h"
#include "reader.h"
#include "stored_file.h"
#include "store.h"
#include "summary.h"

/* how often slow work between two batches looks up: far less than the lease */
#define RENEW_USEC apr_time_from_sec(5)

typedef struct run_t {
    const ecl_import_context_t *context;
    const ecl_job_t *job;
    apr_pool_t *p;
    ecl_result_t *result;
    ecl_db_conn_t *conn;
    ecl_opening_t opening;
    ecl_store_t *store;
    ecl_summary_t *summary;
    ecl_checks_t *checks;
    /* the job's, as committed */
    apr_int64_t processed_rows, imported_rows, failed_rows, skipped_rows;
    apr_int64_t readings_new, readings_changed, readings_unchanged;
    apr_int64_t checkpoint, bytes_done;
    int is_cancelled; /* somebody has asked for it */
    apr_time_t started_at, renewed_at, beat_at;
} run_t;

static apr_status_t stopped(run_t *run)
{
    return ecl_fail(run->result, ECL_ESTOPPED, "stopped", "the import was asked to stop");
}

/* Whether to go on, at a place where everything is committed. */
static apr_status_t look_up(run_t *run)
{
    return run->is_cancelled || *run->context->stop ? stopped(run) : APR_SUCCESS;
}

static apr_status_t beat(run_t *run)
{
    apr_time_t now = apr_time_now();

    if (now < run->beat_at) {
        return APR_SUCCESS;
    }
    run->beat_at = now + apr_time_from_sec(ECL_HEARTBEAT_SECONDS);
    return ecl_worker_beat(run->conn, run->context->worker, run->context->process,
                           run->job->batch_id, run->result);
}

static apr_status_t renew(run_t *run, apr_int64_t total_rows)
{
    int cancel = 0;
    apr_status_t rv = ecl_job_renew(run->conn, run->job, total_rows, &cancel, run->result);

    run->renewed_at = apr_time_now();
    run->is_cancelled |= cancel;
    return rv;
}

/* Called now and then by what takes long and commits nothing. */
static apr_status_t tick(void *baton)
{
    run_t *run = baton;
    apr_status_t rv = APR_SUCCESS;

    if (apr_time_now() - run->renewed_at >= RENEW_USEC) {
        rv = renew(run, -1);
    }
    if (rv == APR_SUCCESS) {
        rv = beat(run);
    }
    return rv == APR_SUCCESS ? look_up(run) : rv;
}

/* Says where it is, in case that kills this process. */
static void note_line(const run_t *run, apr_int64_t line)
{
    if (run->context->line) {
        *run->context->line = line;
    }
}

/* ---- before the first batch ------------------------------------------------------------------ */

/* The header for rejected rows: the file's own line, unless it does not say it all; NULL when there
 * is none, or it can't be read. */
static const char *header_of(const char *path, const ecl_layout_t *layout, apr_pool_t *p)
{
    ecl_result_t ignored = ecl_result_make(p);
    ecl_records_t *records;
    ecl_record_t record;

    if (layout->header) {
        return layout->header;
    }
    if (!layout->header_record ||
        ecl_records_open(&records, path, layout->delimiter, p, &ignored) != APR_SUCCESS) {
        return NULL;
    }
    do {
        if (ecl_records_next(records, &record, &ignored) != APR_SUCCESS) {
            return NULL;
        }
    } while (record.number < layout->header_record);
    return apr_pstrmemdup(p, record.raw, record.raw_length);
}

/* The day of the first attempt: those that follow must decide alike. */
static ecl_date_t today(const run_t *run)
{
    ecl_clock_day_t day;
    int minute;

    ecl_clock_from_utc(run->context->clock, apr_time_sec(run->job->started_at), &day, &minute);
    return day.date;
}

static apr_status_t find_layout(run_t *run, const char *path)
{
    run->opening.import_type = run->job->import_type;
    run->opening.clock = run->context->clock;
    run->opening.today = today(run);
    if (run->checkpoint) {
        /* go by what the first attempt went by, whatever became of the template since */
        run->opening.is_resumed = 1;
        ecl_job_options_used(run->job, run->opening.given);
    }
    return ecl_opening_make(&run->opening, path, run->conn, run->p, run->result);
}

/* Whether the context's opening is of the file as it is now, and what this run would find itself.
 */
static int is_opened(const run_t *run)
{
    return run->context->opened && run->job->claims == 1 &&
           run->context->opened->today == today(run);
}

/* Looks for the layout while the file is compared with what was uploaded: what is found in another
 * file is of no interest. */
static apr_status_t open_file(run_t *run, const char *path)
{
    const ecl_job_t *job = run->job;
    ecl_stored_file_t *check;
    apr_status_t rv, found;

    if (is_opened(run)) {
        run->opening = *run->context->opened;
        return APR_SUCCESS;
    }
    rv = ecl_stored_file_start(&check, path, job->file_size, job->file_sha256, run->p, run->result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    found = find_layout(run, path);
    rv = ecl_stored_file_finish(check, tick, run, run->result);
    return rv == APR_SUCCESS ? found : rv;
}

static apr_status_t open_reader(run_t *run, const char *path)
{
    json_object *preview;
    apr_status_t rv = open_file(run, path);

    if (rv == APR_SUCCESS && run->opening.contradicted) {
        ecl_summary_warning(run->summary, "template-not-used", run->opening.contradicted);
    }
    if (!run->checkpoint) {
        ecl_summary_template(run->summary,
                             run->opening.template ? run->opening.template->name : NULL,
                             run->opening.template ? run->opening.template->options : NULL);
    }
    if (rv == APR_SUCCESS) {
        const ecl_layout_t *layout = ecl_reader_layout(run->opening.reader);
        ecl_summary_layout(run->summary, layout, header_of(path, layout, run->p));
        rv = ecl_preview_make(&preview, run->opening.reader, path, run->p, run->result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_job_keep_preview(run->conn, run->job, preview, run->result);
        json_object_put(preview);
    }
    if (rv == APR_SUCCESS && run->opening.template) {
        rv = ecl_import_template_used(run->conn, run->opening.template->id, run->result);
    }
    return rv;
}

static apr_status_t count_rows(run_t *run, const char *path)
{
    apr_int64_t rows = ecl_reader_rows(run->opening.reader);
    apr_status_t rv = APR_SUCCESS;

    if (run->job->total_rows >= 0) {
        return APR_SUCCESS; /* an earlier attempt did */
    }
    if (rows < 0) {
        rv = ecl_reader_count(path, ecl_reader_layout(run->opening.reader), tick, run, run->p,
                              &rows, run->result);
    }
    return rv == APR_SUCCESS ? renew(run, rows) : rv;
}

static void on_meter(void *baton, const char *identifier)
{
    ecl_summary_meter(((run_t *)baton)->summary, identifier);
}

static void on_change(void *baton, const ecl_store_change_t *change)
{
    ecl_summary_change(((run_t *)baton)->summary, change);
}

static void on_repeat(void *baton, const ecl_store_change_t *change)
{
    ecl_summary_repeat(((run_t *)baton)->summary, change);
}

static apr_status_t open_store(run_t *run)
{
    ecl_store_options_t options = {.job_id = run->job->id,
                                   .dry_run = run->job->dry_run,
                                   .events = {run, on_meter, on_change, on_repeat}};
    const char *estimates = run->opening.given[ECL_OPTION_ESTIMATES];

    options.replace_actuals = estimates && !strcmp(estimates, "replace");
    return ecl_store_open(&run->store, run->conn, &options, run->p, run->result);
}

static apr_status_t prepare(run_t *run)
{
    const ecl_settings_t *settings = run->context->settings;
    const ecl_job_t *job = run->job;
    const char *path;
    apr_status_t rv;

    if (!job->stored_name) {
        return ecl_fail(run->result, ECL_ENOTFOUND, "file-missing",
                        "the stored file is gone; upload it again");
    }
    path = ecl_storage_path(settings->storage_dir, job->stored_name, run->p);
    if ((rv = open_reader(run, path)) != APR_SUCCESS ||
        (rv = count_rows(run, path)) != APR_SUCCESS) {
        return rv;
    }
    return open_store(run);
}

/* ---- passing over what earlier attempts have stored ------------------------------------------ */

typedef struct passing_t {
    run_t *run;
    ecl_batch_t *batch;
} passing_t;

static apr_status_t gather_day(void *baton, const ecl_meter_day_t *day)
{
    passing_t *passing = baton;

    ecl_checks_day(passing->run->checks, day);
    ecl_batch_add_day(passing->batch, day);
    return APR_SUCCESS;
}

/* Lets the store take note of the days that were read. */
static apr_status_t pass_batch(run_t *run, ecl_batch_t *batch)
{
    apr_status_t rv = ecl_db_begin(run->conn, run->result);

    if (rv == APR_SUCCESS) {
        rv = ecl_store_pass(run->store, batch->days, batch->day_count, run->result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_db_commit(run->conn, run->result);
    }
    if (rv == APR_SUCCESS) {
        rv = tick(run);
    }
    ecl_batch_begin(batch, 0, 0);
    return rv;
}

static apr_status_t not_as_before(run_t *run)
{
    return ecl_fail(run->result, ECL_EINPUT, "not-as-before",
                    "record %" APR_INT64_T_FMT ", up to which the file was imported, is not there "
                    "any more: undo this import and upload the file again",
                    run->checkpoint);
}

/* Reads up to the checkpoint, so that reader and store are as they were when it was committed. */
static apr_status_t pass_to_checkpoint(run_t *run, ecl_batch_t *batch)
{
    passing_t passing = {run, batch};
    const ecl_reader_sink_t sink = {&passing, gather_day, ecl_reader_ignore_error,
                                    ecl_reader_ignore_warning};
    ecl_row_t row = {0};
    apr_status_t rv;

    while (row.number < run->checkpoint) {
        rv = ecl_reader_next(run->opening.reader, &sink, &row, run->result);
        if (rv != APR_SUCCESS) {
            return rv == APR_EOF ? not_as_before(run) : rv;
        }
        note_line(run, row.line);
        if (ecl_batch_is_full(batch) && (rv = pass_batch(run, batch)) != APR_SUCCESS) {
            return rv;
        }
    }
    if (row.number != run->checkpoint) {
        return not_as_before(run);
    }
    rv = ecl_reader_flush(run->opening.reader, &sink);
    return rv == APR_SUCCESS ? pass_batch(run, batch) : rv;
}

static apr_status_t pass_over(run_t *run)
{
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, run->p);
    rv = pass_to_checkpoint(run, ecl_batch_make(run->context->batch_days, p));
    apr_pool_destroy(p);
    return rv;
}

/* ---- batches --------------------------------------------------------------------------------- */

/* What is known of the file with this batch of it. */
static void take_note(run_t *run, const ecl_batch_t *batch)
{
    const ecl_meter_day_t *first = NULL, *last = NULL;

    for (int i = 0; i < batch->day_count; i++) {
        const ecl_meter_day_t *day = batch->days[i];

        first = !first || day->date < first->date ? day : first;
        last = !last || day->date > last->date ? day : last;
    }
    if (batch->day_count) {
        ecl_summary_day(run->summary, first);
        ecl_summary_day(run->summary, last);
    }
    for (int i = 0; i < batch->error_count; i++) {
        ecl_summary_failed(run->summary, batch->places[i].layout, batch->places[i].foreign,
                           batch->errors[i].line);
    }
    for (int i = 0; i < batch->warning_count; i++) {
        ecl_summary_warning(run->summary, batch->warnings[i].code, batch->warnings[i].message);
    }
}

static void note_committed(run_t *run, const ecl_job_progress_t *progress)
{
    run->processed_rows += progress->processed_rows;
    run->imported_rows += progress->imported_rows;
    run->failed_rows += progress->failed_rows;
    run->skipped_rows += progress->skipped_rows;
    run->readings_new += progress->readings_new;
    run->readings_changed += progress->readings_changed;
    run->readings_unchanged += progress->readings_unchanged;
    run->checkpoint = progress->checkpoint;
    run->bytes_done = progress->bytes_done;
}

/* All that a batch is, in one transaction. */
static apr_status_t write_batch(run_t *run, ecl_batch_t *batch)
{
    ecl_store_counts_t counts = {0};
    ecl_job_progress_t *progress = &batch->progress;
    int cancel = 0;
    apr_status_t rv;

    if ((rv = ecl_store_prepare(run->store, batch->days, batch->day_count, run->result)) !=
            APR_SUCCESS ||
        (rv = ecl_db_begin(run->conn, run->result)) != APR_SUCCESS ||
        (rv = ecl_store_put(run->store, batch->days, batch->day_count, &counts, run->result)) !=
            APR_SUCCESS ||
        (rv = ecl_job_add_errors(run->conn, run->job, batch->errors, batch->error_count,
                                 run->result)) != APR_SUCCESS) {
        return rv;
    }
    progress->readings_new = counts.readings_new;
    progress->readings_changed = counts.readings_changed;
    progress->readings_unchanged = counts.readings_unchanged;
    ecl_summary_counts(run->summary, &counts);
    progress->summary = ecl_summary_json(run->summary);
    if ((rv = ecl_job_progress(run->conn, run->job, progress, &cancel, run->result)) !=
            APR_SUCCESS ||
        (rv = ecl_db_commit(run->conn, run->result)) != APR_SUCCESS) {
        return rv;
    }
    run->renewed_at = apr_time_now();
    run->is_cancelled |= cancel;
    note_committed(run, progress);
    return APR_SUCCESS;
}

static apr_status_t after_batch(run_t *run)
{
    if (run->context->after_batch) {
        run->context->after_batch(run->context->baton);
    }
    return beat(run);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* The job's first row error as "line 2: …"; "" when it can't be had. */
static const char *first_error(run_t *run)
{
    json_object *errors, *first, *line, *message;
    apr_int64_t next;
    const char *text = "";

    if (ecl_job_errors(run->conn, run->job->id, 0, 1, run->p, &errors, &next, run->result) !=
        APR_SUCCESS) {
        return text;
    }
    first = json_object_array_get_idx(errors, 0);
    if (first && json_object_object_get_ex(first, "line", &line) &&
        json_object_object_get_ex(first, "message", &message)) {
        text =
            apr_psprintf(run->p, "; the first: line %" APR_INT64_T_FMT ": %s",
                         (apr_int64_t)json_object_get_int64(line), json_object_get_string(message));
    }
    json_object_put(errors);
    return text;
}

static apr_status_t too_many_errors(run_t *run)
{
    return ecl_fail(run->result, ECL_EINPUT, "too-many-errors",
                    "stopped at record %" APR_INT64_T_FMT ": %" APR_INT64_T_FMT
                    " rows were rejected, more than the %d that EclectycImportMaxErrors allows%s",
                    run->checkpoint, run->failed_rows, run->context->settings->max_errors,
                    first_error(run));
}

static apr_status_t nothing_imported(run_t *run)
{
    if (!run->failed_rows) {
        return ecl_fail(run->result, ECL_EINPUT, "no-readings",
                        "no row could be imported: %" APR_INT64_T_FMT " of %" APR_INT64_T_FMT
                        " rows hold no readings",
                        run->skipped_rows, run->processed_rows);
    }
    return ecl_fail(run->result, ECL_EINPUT, "no-good-row",
                    "no row could be imported: %" APR_INT64_T_FMT " of %" APR_INT64_T_FMT
                    " rows were rejected%s",
                    run->failed_rows, run->processed_rows, first_error(run));
}

/* Ends the import as completed, or, with a message, as failed. */
static apr_status_t finish(run_t *run, const char *message)
{
    const ecl_job_t *job = run->job;
    int keeps_file = message || job->dry_run;
    apr_status_t rv =
        ecl_job_finish(run->conn, job, ecl_summary_json(run->summary), message, run->result);

    if (rv == ECL_ESTOPPED) {
        run->is_cancelled = 1; /* since the last batch */
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!keeps_file && ecl_storage_remove(run->context->settings->storage_dir, job->stored_name,
                                          run->p, run->result) != APR_SUCCESS) {
        ecl_log(ECL_LOG_WARN, 0, ECLNO(3505) "job %s: cannot remove its stored file: %s",
                job->batch_id, run->result->detail);
    }
    if (message) {
        ecl_log(ECL_LOG_INFO, 0, ECLNO(3502) "job %s failed: %s", job->batch_id, message);
    } else {
        ecl_log(ECL_LOG_INFO, 0,
                ECLNO(3501) "job %s completed in %" APR_TIME_T_FMT " ms: %" APR_INT64_T_FMT
                            " rows imported, %" APR_INT64_T_FMT " rejected; readings: "
                            "%" APR_INT64_T_FMT " new, %" APR_INT64_T_FMT
                            " changed, %" APR_INT64_T_FMT " unchanged%s",
                job->batch_id, apr_time_as_msec(apr_time_now() - run->started_at),
                run->imported_rows, run->failed_rows, run->readings_new, run->readings_changed,
                run->readings_unchanged, job->dry_run ? " (dry run)" : "");
    }
    return APR_SUCCESS;
}

static void note_finding(void *baton, const char *code, apr_int64_t count, const char *example)
{
    ecl_summary_finding(((run_t *)baton)->summary, code, count, example);
}

/* Only now is it known what the file does not give. */
static apr_status_t complete(run_t *run)
{
    ecl_checks_tell(run->checks, note_finding, run);
    return finish(run, NULL);
}

static apr_status_t take_warning(void *baton, const char *code, const char *message)
{
    ecl_summary_warning(((run_t *)baton)->summary, code, message);
    return APR_SUCCESS;
}

static int has_too_many_errors(const run_t *run)
{
    return run->failed_rows > run->context->settings->max_errors;
}

/* Stores batch after batch, to the end of the file or to the one with too many errors. */
static apr_status_t store_batches(run_t *run, ecl_read_ahead_t *ahead)
{
    int is_end = 0;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && !is_end && !has_too_many_errors(run)) {
        ecl_batch_t *batch;

        rv = ecl_read_ahead_next(ahead, &batch, run->result);
        is_end = rv == APR_EOF;
        if (rv != APR_SUCCESS && !is_end) {
            return rv;
        }
        take_note(run, batch);
        if ((rv = write_batch(run, batch)) != APR_SUCCESS ||
            (rv = after_batch(run)) != APR_SUCCESS) {
            return rv;
        }
        rv = is_end ? APR_SUCCESS : look_up(run);
    }
    return rv == APR_SUCCESS && !is_end ? too_many_errors(run) : rv;
}

static apr_status_t import_rows(run_t *run)
{
    const ecl_read_ahead_options_t options = {
        .batch_days = run->context->batch_days,
        .checkpoint = run->checkpoint,
        .bytes_done = run->bytes_done,
        .failed_rows_left = run->context->settings->max_errors - run->failed_rows,
        .line = run->context->line,
        .checks = run->checks};
    ecl_read_ahead_t *ahead;
    apr_status_t rv;

    if (has_too_many_errors(run)) {
        return too_many_errors(run);
    }
    rv = ecl_read_ahead_start(&ahead, run->opening.reader, &options, run->p, run->result);
    if (rv == APR_SUCCESS) {
        rv = store_batches(run, ahead);
        ecl_read_ahead_stop(ahead);
    }
    return rv;
}

static apr_status_t import_file(run_t *run)
{
    const ecl_reader_sink_t sink = {run, NULL, NULL, take_warning};
    apr_status_t rv;

    ecl_summary_code(run->summary, NULL); /* of an attempt that failed */
    rv = prepare(run);
    if (rv == APR_SUCCESS && run->checkpoint) {
        rv = pass_over(run);
    }
    if (rv == APR_SUCCESS) {
        rv = import_rows(run);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_reader_tell(run->opening.reader, &sink);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return run->imported_rows ? complete(run) : nothing_imported(run);
}

/* ---- taking out ------------------------------------------------------------------------------ */

/* One transaction of it; *pmore is 0 when the job has ended with it. */
static apr_status_t take_out_some(run_t *run, int *pmore, ecl_take_out_counts_t *total)
{
    ecl_take_out_counts_t counts = {0};
    ecl_job_progress_t progress = {.checkpoint = run->checkpoint, .bytes_done = run->bytes_done};
    int limit = run->context->batch_days ? run->context->batch_days : ECL_TAKE_OUT_DAYS;
    int cancel;
    apr_status_t rv;

    if ((rv = ecl_db_begin(run->conn, run->result)) != APR_SUCCESS ||
        (rv = ecl_store_take_out(run->conn, run->job->id, limit, &counts, pmore, run->result)) !=
            APR_SUCCESS) {
        return rv;
    }
    ecl_summary_took_out(run->summary, &counts);
    progress.summary = ecl_summary_json(run->summary);
    if ((rv = ecl_job_progress(run->conn, run->job, &progress, &cancel, run->result)) !=
            APR_SUCCESS ||
        (!*pmore &&
         (rv = ecl_job_taken_out(run->conn, run->job, NULL, run->result)) != APR_SUCCESS) ||
        (rv = ecl_db_commit(run->conn, run->result)) != APR_SUCCESS) {
        return rv;
    }
    total->days_removed += counts.days_removed;
    total->days_restored += counts.days_restored;
    total->days_kept += counts.days_kept;
    return APR_SUCCESS;
}

static apr_status_t take_out(run_t *run)
{
    ecl_take_out_counts_t total = {0};
    int more = 1;

    while (more) {
        apr_status_t rv = take_out_some(run, &more, &total);
        if (rv == APR_SUCCESS) {
            rv = after_batch(run);
        }
        if (rv == APR_SUCCESS && more && *run->context->stop) {
            rv = stopped(run);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    ecl_log(ECL_LOG_INFO, 0,
            ECLNO(3503) "job %s %s: %" APR_INT64_T_FMT " days removed, %" APR_INT64_T_FMT
                        " restored, %" APR_INT64_T_FMT " kept",
            run->job->batch_id, run->job->undo_requested ? "undone" : "cancelled",
            total.days_removed, total.days_restored, total.days_kept);
    return APR_SUCCESS;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Puts the job back into the queue, on a new connection if the old one has failed. */
static apr_status_t give_back(run_t *run, const char *reason)
{
    apr_status_t rv;

    ecl_db_release(run->conn);
    run->conn = NULL;
    rv = ecl_db_acquire(&run->conn, run->context->db, run->result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    return ecl_job_give_back(run->conn, run->job, reason, run->result);
}

/* The file is at fault: trying again would not help. */
static apr_status_t fail_job(run_t *run)
{
    const char *reason = run->result->detail;

    ecl_db_rollback(run->conn);
    ecl_summary_code(run->summary, run->result->code);
    return finish(run, reason);
}

static apr_status_t run_work(run_t *run, ecl_job_work_t work)
{
    apr_status_t rv = beat(run);

    if (rv == APR_SUCCESS) {
        rv = work == ECL_WORK_IMPORT ? import_file(run) : take_out(run);
    }
    if (rv == ECL_EINPUT || rv == ECL_ENOTFOUND) {
        rv = fail_job(run);
    }
    if (rv == ECL_ESTOPPED && run->is_cancelled) {
        ecl_db_rollback(run->conn);
        rv = take_out(run);
    }
    if (rv == APR_SUCCESS || rv == ECL_EFENCED) {
        return rv;
    }
    if (rv == ECL_ESTOPPED) {
        return give_back(run, NULL);
    }
    return give_back(run, run->result->detail ? run->result->detail : ecl_strerror(rv, run->p));
}

apr_status_t ecl_import_run(const ecl_import_context_t *context, const ecl_claim_t *claim,
                            apr_pool_t *p, ecl_result_t *result)
{
    const ecl_job_t *job = claim->job;
    run_t run = {.context = context,
                 .job = job,
                 .result = result,
                 .processed_rows = job->processed_rows,
                 .imported_rows = job->imported_rows,
                 .failed_rows = job->failed_rows,
                 .skipped_rows = job->skipped_rows,
                 .readings_new = job->readings_new,
                 .readings_changed = job->readings_changed,
                 .readings_unchanged = job->readings_unchanged,
                 .checkpoint = job->checkpoint,
                 .bytes_done = job->bytes_done,
                 .started_at = apr_time_now(),
                 .renewed_at = apr_time_now()};
    apr_pool_t *checks_pool;
    apr_status_t rv;

    ecl_log(ECL_LOG_INFO, 0,
            ECLNO(3500) "job %s started: %s, claim %" APR_INT64_T_FMT ", %" APR_INT64_T_FMT
                        " bytes, from record %" APR_INT64_T_FMT " on",
            job->batch_id, claim->work == ECL_WORK_TAKE_OUT ? "taking out" : "import", job->claims,
            job->file_size, job->checkpoint + 1);
    rv = ecl_db_acquire(&run.conn, context->db, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* its own, and so gone before the connection is */
    apr_pool_create(&run.p, p);
    ecl_options_read(job->options, run.opening.given);
    run.summary = ecl_summary_make(job->summary, run.p);
    apr_pool_create(&checks_pool, run.p); /* they grow in the thread that reads */
    run.checks = ecl_checks_make(checks_pool);
    note_line(&run, 0);
    rv = run_work(&run, claim->work);
    note_line(&run, 0);
    if (rv == ECL_EFENCED) {
        ecl_log(ECL_LOG_WARN, 0, ECLNO(3504) "job %s is no longer this worker's: %s", job->batch_id,
                result->detail);
        rv = APR_SUCCESS;
    }
    apr_pool_destroy(run.p);
    ecl_db_release(run.conn);
    return rv;
}
