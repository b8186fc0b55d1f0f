#include <apr_cstr.h>
#include <ap_mpm.h>
#include <http_protocol.h>

#include "child.h"
#include "form.h"
#include "format.h"
#include "multipart.h"
#include "private.h"
#include "respond.h"
#include "upload.h"
#include "../lib/when.h"

#define READ_BYTES 65536
#define RESERVE_BYTES (16 * 1024 * 1024)     /* left free on the disk, for the database's sake */
#define SPACE_CHECK_BYTES (64 * 1024 * 1024) /* how often the disk is asked while receiving */
#define OVERHEAD_BYTES (1024 * 1024)         /* what a multipart body may have beside its files */
#define FIRST_LOOK_US 50000
#define LAST_LOOK_US 500000

/* One body being received. */
typedef struct receiver_t {
    ecl_request_t *q;
    ecl_upload_t *upload;
    ecl_result_t *result;
    ecl_storage_part_t *part; /* the file that bytes go to now; NULL: none */
    int is_named;             /* it came with a file name */
    const char *empty;        /* the name of a file without a byte; NULL: none had none */
    apr_off_t received;       /* bytes of all files so far */
    apr_off_t checked;        /* at which of them the disk was asked last */
    const char **pfield;      /* where the value of the field now being read goes; NULL: nowhere */
    const char *field_name;
    apr_size_t field_length;
    char field[ECL_UPLOAD_FIELD_BYTES + 1];
    const char *dry_run, *async;
} receiver_t;

int ecl_upload_is_multipart(const request_rec *r)
{
    const char *type = apr_table_get(r->headers_in, "Content-Type");

    return type && !apr_cstr_casecmpn(type, "multipart/form-data", 19);
}

int ecl_upload_has_body(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");

    return (length && strcmp(length, "0")) || apr_table_get(r->headers_in, "Transfer-Encoding");
}

/* -1: not announced. httpd has refused a header that is not a number. */
static apr_off_t announced_length(const request_rec *r)
{
    const char *text = apr_table_get(r->headers_in, "Content-Length");
    apr_int64_t length;

    return text && ecl_parse_int64(text, 0, APR_INT64_MAX, &length) ? length : -1;
}

static apr_status_t too_large(const ecl_request_t *q, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EINPUT, "file-too-large",
                    "The upload is larger than this server accepts, which is %s",
                    ecl_format_size(q->settings->max_upload_bytes, q->r->pool));
}

static apr_status_t check_space(const ecl_request_t *q, apr_off_t wanted, apr_pool_t *p,
                                ecl_result_t *result)
{
    apr_off_t available;
    apr_status_t rv = ecl_storage_free_bytes(q->settings->storage_dir, &available, p, result);

    if (rv == APR_SUCCESS && available - RESERVE_BYTES < wanted) {
        return ecl_fail(
            result, ECL_ENOSPACE, "disk-full", "%s are free in '%s', and %s more are wanted",
            ecl_format_size(available, p), q->settings->storage_dir, ecl_format_size(wanted, p));
    }
    return rv;
}

/* What can be known before the body is read. A client that asked for "100 Continue" has sent
 * nothing yet. */
static apr_status_t check_beforehand(ecl_request_t *q, ecl_result_t *result)
{
    apr_off_t length = announced_length(q->r);
    apr_off_t limit =
        q->settings->max_upload_bytes + (ecl_upload_is_multipart(q->r) ? OVERHEAD_BYTES : 0);
    ecl_queue_state_t state;
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, result);

    if (rv == APR_SUCCESS) {
        rv = ecl_queue_state(conn, &state, result);
        ecl_db_release(conn);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (length > limit) {
        return too_large(q, result);
    }
    rv = ecl_storage_prepare(q->settings->storage_dir, q->r->pool, result);
    return rv == APR_SUCCESS ? check_space(q, length > 0 ? length : 0, q->r->pool, result) : rv;
}

/* What is refused stays as it was sent: the form shows it again. */
static apr_status_t check_options(ecl_upload_t *upload, ecl_result_t *result)
{
    for (int id = 0; id < ECL_OPTIONS; id++) {
        const char *checked = NULL;
        apr_status_t rv = upload->options[id]
                              ? ecl_option_check(id, upload->options[id], &checked, result)
                              : APR_SUCCESS;

        if (rv != APR_SUCCESS) {
            return rv;
        }
        upload->options[id] = checked;
    }
    return APR_SUCCESS;
}

/* What is known of the job so far. */
static apr_status_t check_fields(ecl_upload_t *upload, ecl_result_t *result)
{
    const char *parent = upload->job.parent_batch_id;
    apr_status_t rv = check_options(upload, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }

    if (parent && !ecl_job_is_uuid(parent)) {
        return ecl_fail(result, ECL_EINPUT, "bad-parent",
                        "the parent_batch_id '%s' is not a batch id", parent);
    }
    return ecl_job_check_new(&upload->job, result);
}

/* ---- parts -------------------------------------------------------------------------------------
 */

static apr_status_t begin_file(receiver_t *receiver, const char *filename)
{
    ecl_upload_t *upload = receiver->upload;
    apr_pool_t *p = receiver->q->r->pool;
    apr_status_t rv;

    if (upload->count == ECL_UPLOAD_FILES) {
        return ecl_fail(receiver->result, ECL_EINPUT, "too-many-files",
                        "More than %d files in one upload; send them in several", ECL_UPLOAD_FILES);
    }
    /* what came before the file and is wrong already is refused before the file is written */
    rv = check_fields(upload, receiver->result);
    if (rv == APR_SUCCESS) {
        rv = ecl_storage_part_open(&receiver->part, receiver->q->settings->storage_dir, p,
                                   receiver->result);
    }
    if (rv == APR_SUCCESS) {
        receiver->is_named = filename[0] != '\0';
        upload->files[upload->count].filename = ecl_form_filename(filename, p);
        upload->files[upload->count].part = receiver->part;
        upload->count++;
    }
    return rv;
}

static apr_status_t write_file(receiver_t *receiver, const char *data, apr_size_t length)
{
    const ecl_request_t *q = receiver->q;

    receiver->received += (apr_off_t)length;
    if (receiver->received > q->settings->max_upload_bytes) {
        return too_large(q, receiver->result);
    }
    if (receiver->received - receiver->checked >= SPACE_CHECK_BYTES) {
        apr_pool_t *p;
        apr_status_t rv;
        receiver->checked = receiver->received;
        apr_pool_create(&p, q->r->pool);
        rv = check_space(q, 0, p, receiver->result);
        apr_pool_destroy(p);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return ecl_storage_part_write(receiver->part, data, length, receiver->result);
}

static void end_file(receiver_t *receiver)
{
    ecl_upload_t *upload = receiver->upload;

    if (ecl_storage_part_size(receiver->part) == 0) {
        ecl_storage_part_drop(receiver->part);
        upload->count--;
        /* browsers send such a part, without a name, for a field in which nothing was chosen */
        receiver->empty =
            receiver->is_named ? upload->files[upload->count].filename : receiver->empty;
    }
    receiver->part = NULL;
}

static apr_status_t part_begin(void *baton, const ecl_part_t *part)
{
    receiver_t *receiver = baton;
    ecl_upload_t *upload = receiver->upload;
    const struct {
        const char *name;
        const char **pvalue;
    } fields[] = {{"import_type", &upload->job.import_type},
                  {"priority", &upload->job.priority},
                  {"notes", &upload->job.notes},
                  {"tags", &upload->job.tags},
                  {"parent_batch_id", &upload->job.parent_batch_id},
                  {"run_after", &upload->run_after},
                  {"dry_run", &receiver->dry_run},
                  {"async", &receiver->async}};

    int option = ecl_option_find(part->name);

    receiver->pfield = NULL;
    if (part->filename) {
        return !strcmp(part->name, "csv_file") ? begin_file(receiver, part->filename) : APR_SUCCESS;
    }
    if (option >= 0) {
        receiver->pfield = &upload->options[option];
        receiver->field_name = ecl_option_table[option].name;
        receiver->field_length = 0;
    }
    for (apr_size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (!strcmp(part->name, fields[i].name)) {
            receiver->pfield = fields[i].pvalue;
            receiver->field_name = fields[i].name;
            receiver->field_length = 0;
        }
    }
    if (receiver->pfield && *receiver->pfield) {
        return ecl_fail(receiver->result, ECL_EINPUT, "bad-field", "The field %s is given twice",
                        receiver->field_name);
    }
    return APR_SUCCESS;
}

static apr_status_t part_data(void *baton, const char *data, apr_size_t length)
{
    receiver_t *receiver = baton;

    if (receiver->part) {
        return write_file(receiver, data, length);
    }
    if (receiver->pfield) {
        if (length > ECL_UPLOAD_FIELD_BYTES - receiver->field_length) {
            return ecl_fail(receiver->result, ECL_EINPUT, "bad-field",
                            "The field %s is longer than %s", receiver->field_name,
                            ecl_format_size(ECL_UPLOAD_FIELD_BYTES, receiver->q->r->pool));
        }
        memcpy(receiver->field + receiver->field_length, data, length);
        receiver->field_length += length;
    }
    return APR_SUCCESS;
}

static apr_status_t parse_bool(const char *name, const char *text, int *pvalue,
                               ecl_result_t *result)
{
    if (text && !ecl_form_bool(text, pvalue)) {
        return ecl_fail(result, ECL_EINPUT, "bad-parameter",
                        "parameter %s: '%s' is none of 1, on, true, yes, 0, off, false, no", name,
                        text);
    }
    return APR_SUCCESS;
}

/* A local time is one of EclectycImportTimezone. */
static apr_status_t parse_run_after(const char *text, apr_time_t *pwhen, ecl_result_t *result)
{
    return ecl_when_parse(text, ecl_child_zone(), apr_time_now(), pwhen, result);
}

static apr_status_t part_end(void *baton)
{
    receiver_t *receiver = baton;

    if (receiver->part) {
        end_file(receiver);
    } else if (receiver->pfield && receiver->field_length) {
        if (memchr(receiver->field, '\0', receiver->field_length)) {
            return ecl_fail(receiver->result, ECL_EINPUT, "bad-field",
                            "The field %s holds a NUL character", receiver->field_name);
        }
        *receiver->pfield =
            apr_pstrmemdup(receiver->q->r->pool, receiver->field, receiver->field_length);
        if (receiver->pfield == &receiver->dry_run) {
            return parse_bool("dry_run", receiver->dry_run, &receiver->upload->job.dry_run,
                              receiver->result);
        }
        if (receiver->pfield == &receiver->async) {
            return parse_bool("async", receiver->async, &receiver->upload->async, receiver->result);
        }
        if (receiver->pfield == &receiver->upload->run_after) {
            return parse_run_after(receiver->upload->run_after, &receiver->upload->job.run_after,
                                   receiver->result);
        }
    }
    return APR_SUCCESS;
}

/* ---- the body ----------------------------------------------------------------------------------
 */

typedef apr_status_t sink_fn(receiver_t *receiver, ecl_multipart_t *parser, const char *data,
                             apr_size_t length);

static apr_status_t to_parser(receiver_t *receiver, ecl_multipart_t *parser, const char *data,
                              apr_size_t length)
{
    return ecl_multipart_feed(parser, data, length, receiver->result);
}

static apr_status_t to_file(receiver_t *receiver, ecl_multipart_t *parser, const char *data,
                            apr_size_t length)
{
    (void)parser;
    return write_file(receiver, data, length);
}

/* The transfer failed: what the answer will be. */
static apr_status_t transfer_failed(request_rec *r, apr_status_t rv, int *phttp)
{
    *phttp = rv == AP_FILTER_ERROR ? rv : ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
    ap_log_rerror(APLOG_MARK, APLOG_INFO, rv == AP_FILTER_ERROR ? 0 : rv, r,
                  ECLNO(2030) "the upload ended before it was complete");
    return rv;
}

/* Hands the whole body to sink. Stops at the first failure; what the client is still sending then
 * is read and dropped by httpd, so that the client gets to see the answer. */
static apr_status_t read_body(receiver_t *receiver, sink_fn *sink, ecl_multipart_t *parser,
                              int *phttp)
{
    request_rec *r = receiver->q->r;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    int at_end = 0;

    while (!at_end) {
        apr_status_t rv =
            ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, READ_BYTES);
        if (rv != APR_SUCCESS) {
            return transfer_failed(r, rv, phttp);
        }
        if (APR_BRIGADE_EMPTY(bb)) { /* success without anything would loop for ever */
            return transfer_failed(r, APR_EOF, phttp);
        }
        for (apr_bucket *b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb) && !at_end;
             b = APR_BUCKET_NEXT(b)) {
            const char *data;
            apr_size_t length;
            if (APR_BUCKET_IS_METADATA(b)) {
                at_end = APR_BUCKET_IS_EOS(b);
                continue;
            }
            rv = apr_bucket_read(b, &data, &length, APR_BLOCK_READ);
            if (rv != APR_SUCCESS) {
                return transfer_failed(r, rv, phttp);
            }
            rv = sink(receiver, parser, data, length);
            if (rv != APR_SUCCESS) {
                apr_brigade_cleanup(bb);
                return rv;
            }
        }
        apr_brigade_cleanup(bb);
    }
    return APR_SUCCESS;
}

static apr_status_t receive_multipart(receiver_t *receiver, int *phttp)
{
    static const ecl_multipart_events_t events = {part_begin, part_data, part_end};
    request_rec *r = receiver->q->r;
    ecl_result_t *result = receiver->result;
    ecl_upload_t *upload = receiver->upload;
    ecl_multipart_t *parser;
    apr_status_t rv = ecl_multipart_make(&parser, apr_table_get(r->headers_in, "Content-Type"),
                                         &events, receiver, r->pool, result);

    if (rv == APR_SUCCESS) {
        rv = read_body(receiver, to_parser, parser, phttp);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_multipart_finish(parser, result);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    upload->is_complete = 1;
    if (receiver->empty) {
        return ecl_fail(result, ECL_EINPUT, "empty-file",
                        "\"%s\" is empty: it has no bytes. Leave it out, or get it once more from "
                        "where it came",
                        receiver->empty);
    }
    return check_fields(upload, result);
}

static apr_status_t receive_raw(receiver_t *receiver, int *phttp)
{
    const char *filename = receiver->upload->files[0].filename;
    apr_status_t rv = begin_file(receiver, filename ? filename : "");

    if (rv == APR_SUCCESS) {
        rv = read_body(receiver, to_file, NULL, phttp);
    }
    if (rv == APR_SUCCESS) {
        end_file(receiver);
    }
    return rv;
}

apr_status_t ecl_upload_receive(ecl_request_t *q, ecl_upload_t *upload, int *phttp,
                                ecl_result_t *result)
{
    receiver_t *receiver;
    apr_status_t rv;

    *phttp = 0;
    rv = check_beforehand(q, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    receiver = apr_pcalloc(q->r->pool, sizeof *receiver);
    receiver->q = q;
    receiver->upload = upload;
    receiver->result = result;
    rv = ecl_upload_is_multipart(q->r) ? receive_multipart(receiver, phttp)
                                       : receive_raw(receiver, phttp);
    if (rv != APR_SUCCESS) {
        for (int i = 0; i < upload->count; i++) {
            ecl_storage_part_drop(upload->files[i].part);
        }
        upload->count = 0;
    }
    return rv;
}

apr_status_t ecl_upload_from_query(const ecl_request_t *q, ecl_upload_t *upload,
                                   ecl_result_t *result)
{
    const struct {
        const char *name;
        const char **pvalue;
    } params[] = {{"import_type", &upload->job.import_type},
                  {"priority", &upload->job.priority},
                  {"notes", &upload->job.notes},
                  {"tags", &upload->job.tags},
                  {"parent_batch_id", &upload->job.parent_batch_id},
                  {"filename", &upload->files[0].filename}};
    apr_status_t rv;

    for (apr_size_t i = 0; i < sizeof params / sizeof *params; i++) {
        const char *value = apr_table_get(q->query, params[i].name);
        if (value && *value) {
            *params[i].pvalue = value;
            rv = check_fields(upload, result);
            if (rv != APR_SUCCESS) {
                return ecl_fail(result, rv, "bad-parameter", "parameter %s: %s", params[i].name,
                                result->detail);
            }
        }
    }
    for (int id = 0; id < ECL_OPTIONS; id++) {
        const char *value = apr_table_get(q->query, ecl_option_table[id].name);
        if (value) {
            rv = ecl_option_check(id, value, &upload->options[id], result);
            if (rv != APR_SUCCESS) {
                return ecl_fail(result, rv, "bad-parameter", "parameter %s", result->detail);
            }
        }
    }
    rv = parse_run_after(apr_table_get(q->query, "run_after"), &upload->job.run_after, result);
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "bad-parameter", "parameter run_after: %s", result->detail);
    }
    return parse_bool("dry_run", apr_table_get(q->query, "dry_run"), &upload->job.dry_run, result);
}

/* ---- the job -----------------------------------------------------------------------------------
 */

static apr_status_t put_object(void *object)
{
    json_object_put(object);
    return APR_SUCCESS;
}

static void take_parent_options(const ecl_job_t *parent, apr_pool_t *p, ecl_job_new_t *job)
{
    const char *options[ECL_OPTIONS];

    ecl_job_options_used(parent, options);
    job->options = ecl_options_json(options);
    apr_pool_cleanup_register(p, job->options, put_object, apr_pool_cleanup_null);
}

static apr_status_t create_job(ecl_db_conn_t *conn, ecl_job_new_t *job, apr_pool_t *p,
                               ecl_job_t **pjob, ecl_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;

    if (job->parent_batch_id) {
        rv = ecl_job_get(conn, job->parent_batch_id, p, pjob, result);
        if (rv == APR_SUCCESS && !job->options) {
            take_parent_options(*pjob, p, job); /* rows of the same file, corrected */
        }
        *pjob = NULL;
    }
    if (rv == ECL_ENOTFOUND) {
        return ecl_fail(result, ECL_EINPUT, "bad-parent",
                        "there is no job %s that this upload could follow on from",
                        job->parent_batch_id);
    }
    return rv == APR_SUCCESS ? ecl_job_create(conn, job, p, pjob, result) : rv;
}

apr_status_t ecl_upload_queue(ecl_request_t *q, ecl_upload_t *upload, int index, ecl_job_t **pjob,
                              ecl_result_t *result)
{
    apr_pool_t *p = q->r->pool;
    const char *dir = q->settings->storage_dir;
    ecl_upload_file_t *file = &upload->files[index];
    char *sha256 = apr_palloc(p, ECL_SHA256_HEX);
    ecl_job_new_t job = upload->job;
    ecl_db_conn_t *conn;
    apr_status_t rv;

    *pjob = NULL;
    job.options = ecl_options_json(upload->options);
    if (job.options) {
        ecl_respond_own(q, job.options);
    }
    job.batch_id = job.stored_name = ecl_job_uuid(p);
    job.stored_host = ecl_settings_storage_host(q->settings);
    job.filename = file->filename;
    job.file_size = ecl_storage_part_size(file->part);
    job.file_sha256 = sha256;
    rv = ecl_storage_part_keep(file->part, job.stored_name, sha256, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_child_acquire_writer(&conn, result);
    if (rv == APR_SUCCESS) {
        rv = create_job(conn, &job, p, pjob, result);
        ecl_db_release(conn);
    }
    if (rv == APR_SUCCESS) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, q->r, ECLNO(2031) "queued job %s", job.batch_id);
        ecl_storage_wake(dir, p);
        return APR_SUCCESS;
    }
    /* Nobody knows the file: it goes; should that fail, the sweep will find it. The sweep decides
     * as well where a lost database may have recorded the job before it was lost. */
    if (rv != ECL_EUNAVAILABLE) {
        ecl_storage_remove(dir, job.stored_name, p, NULL);
    }
    if (rv == ECL_ECONFLICT && *pjob) {
        return !strcmp((*pjob)->file_sha256, sha256)
                   ? APR_SUCCESS
                   : ecl_fail(result, ECL_EINPUT, "idempotency-key-reused",
                              "The Idempotency-Key was used before, for a file with other content");
    }
    return rv;
}

static int is_ended(const ecl_job_t *job)
{
    return job->status != ECL_JOB_QUEUED && job->status != ECL_JOB_PROCESSING;
}

static int is_server_stopping(void)
{
    int state;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

/* Whether a worker is alive that can read a file on this host (NULL: any). */
static int has_worker(const ecl_worker_t *workers, int count, const char *host)
{
    for (int i = 0; i < count; i++) {
        if (!host || !strcmp(workers[i].host, host)) {
            return 1;
        }
    }
    return 0;
}

apr_status_t ecl_upload_wait(ecl_request_t *q, ecl_job_t **pjob, ecl_result_t *result)
{
    apr_time_t end = apr_time_now() + apr_time_from_sec(q->settings->wait_seconds);
    apr_interval_time_t pause = FIRST_LOOK_US;
    const char *batch_id = (*pjob)->batch_id;
    ecl_db_conn_t *conn;
    ecl_worker_t *workers;
    apr_pool_t *p, *previous = NULL;
    int count;
    apr_status_t rv = ecl_child_acquire(&conn, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_workers_alive(conn, 3 * ECL_HEARTBEAT_SECONDS, q->r->pool, &workers, &count, result);
    ecl_db_release(conn);
    if (rv != APR_SUCCESS || !has_worker(workers, count, (*pjob)->stored_host)) {
        return rv;
    }
    while (!is_ended(*pjob) && apr_time_now() < end && !is_server_stopping()) {
        apr_sleep(pause);
        pause = pause * 3 / 2 < LAST_LOOK_US ? pause * 3 / 2 : LAST_LOOK_US;
        rv = ecl_child_acquire(&conn, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        apr_pool_create(&p, q->r->pool);
        rv = ecl_job_get(conn, batch_id, p, pjob, result);
        ecl_db_release(conn);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (previous) { /* the job that has just been replaced */
            apr_pool_destroy(previous);
        }
        previous = p;
    }
    return APR_SUCCESS;
}
