#include <unistd.h>

#include "jobs_internal.h"
#include "utf8.h"

#define MAX_NOTES 4000
#define MAX_TAGS 400
#define MAX_FILENAME 400
#define MAX_USER 400
#define MAX_KEY 200
#define MAX_SEARCH 200
#define MAX_PAGE 200

static const char *const status_names[ECL_JOB_STATUSES] = {"queued", "processing", "completed",
                                                           "failed", "cancelled"};

const char *ecl_job_status_name(ecl_job_status_t status)
{
    return status_names[status];
}

int ecl_job_status_parse(const char *name, ecl_job_status_t *pstatus)
{
    for (int i = 0; name && i < ECL_JOB_STATUSES; i++) {
        if (!strcmp(name, status_names[i])) {
            *pstatus = (ecl_job_status_t)i;
            return 1;
        }
    }
    return 0;
}

const char *ecl_job_uuid(apr_pool_t *p)
{
    unsigned char b[16];

    if (getentropy(b, sizeof b)) {
        abort(); /* cannot fail for 16 bytes on any kernel we run on; a guessable id must not pass
                  */
    }
    b[6] = (b[6] & 0x0F) | 0x40; /* version 4, */
    b[8] = (b[8] & 0x3F) | 0x80; /* variant 1: RFC 9562, section 5.4 */
    return apr_psprintf(p, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
}

int ecl_job_is_uuid(const char *text)
{
    if (!text || strlen(text) != ECL_UUID_LENGTH) {
        return 0;
    }
    for (int i = 0; i < ECL_UUID_LENGTH; i++) {
        char c = text[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                return 0;
            }
        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return 0;
        }
    }
    return 1;
}

/* ---- rows ---- */

static apr_status_t put_object(void *object)
{
    json_object_put(object);
    return APR_SUCCESS;
}

int ecl_jobs_parse_object(const char *text, apr_pool_t *p, json_object **pobject)
{
    json_object *object;

    *pobject = NULL;
    if (!text) {
        return 1;
    }
    object = json_tokener_parse(text);
    if (!object) {
        return 0;
    }
    apr_pool_cleanup_register(p, object, put_object, apr_pool_cleanup_null);
    *pobject = object;
    return json_object_is_type(object, json_type_object);
}

#define FIRST_INDEX(column) COLUMN_##column
#define NEXT_INDEX(column) , COLUMN_##column
enum { ECL_JOB_COLUMNS(FIRST_INDEX, NEXT_INDEX), COLUMN_preview };

#define TEXT(column) ecl_db_get(rows, row, COLUMN_##column)
#define INT(column) ecl_db_get_int(rows, row, COLUMN_##column)

static apr_status_t unreadable(const ecl_job_t *job, ecl_result_t *result)
{
    return ecl_fail(result, APR_EGENERAL, "job-unreadable",
                    "the record of job %s holds something that this version cannot read",
                    job->batch_id);
}

/* The job in a row of ECL_JOB_SELECT, its summary not parsed. */
static apr_status_t from_row(const ecl_db_rows_t *rows, int row, apr_pool_t *p, ecl_job_t **pjob,
                             ecl_result_t *result)
{
    ecl_job_t *job = apr_pcalloc(p, sizeof *job);

    *pjob = NULL;
    job->id = INT(id);
    job->batch_id = TEXT(batch_id);
    job->user_name = TEXT(user_name);
    job->filename = TEXT(filename);
    job->stored_name = TEXT(stored_name);
    job->file_size = INT(file_size);
    job->file_sha256 = TEXT(file_sha256);
    job->import_type = TEXT(import_type);
    job->dry_run = (int)INT(dry_run);
    job->priority = TEXT(priority);
    job->notes = TEXT(notes);
    job->tags = TEXT(tags);
    job->total_rows = TEXT(total_rows) ? INT(total_rows) : -1;
    job->processed_rows = INT(processed_rows);
    job->imported_rows = INT(imported_rows);
    job->failed_rows = INT(failed_rows);
    job->skipped_rows = INT(skipped_rows);
    job->readings_new = INT(readings_new);
    job->readings_changed = INT(readings_changed);
    job->readings_unchanged = INT(readings_unchanged);
    job->bytes_done = INT(bytes_done);
    job->queued_at = INT(queued_at);
    job->run_after = INT(run_after);
    job->started_at = INT(started_at);
    job->completed_at = INT(completed_at);
    job->attempts = (int)INT(attempts);
    job->max_attempts = (int)INT(max_attempts);
    job->claims = INT(claims);
    job->worker = TEXT(worker);
    job->lease_until = INT(lease_until);
    job->cancel_requested = (int)INT(cancel_requested);
    job->undo_requested = (int)INT(undo_requested);
    job->checkpoint = INT(checkpoint);
    job->attempt_started_at = INT(attempt_started_at);
    job->attempt_started_rows = INT(attempt_started_rows);
    job->error_message = TEXT(error_message);
    job->parent_batch_id = TEXT(parent_batch_id);
    job->undone_at = INT(undone_at);
    job->undone_by = TEXT(undone_by);
    job->idempotency_key = TEXT(idempotency_key);
    job->due_at = INT(due_at);
    job->summary_text = TEXT(summary);
    job->stored_host = TEXT(stored_host);
    if (!ecl_job_status_parse(TEXT(status), &job->status) ||
        !ecl_jobs_parse_object(TEXT(options), p, &job->options)) {
        return unreadable(job, result);
    }
    *pjob = job;
    return APR_SUCCESS;
}

static apr_status_t parse_summary(ecl_job_t *job, apr_pool_t *p, ecl_result_t *result)
{
    if (!ecl_jobs_parse_object(job->summary_text, p, &job->summary)) {
        return unreadable(job, result);
    }
    job->summary_text = NULL;
    return APR_SUCCESS;
}

/* Puts the preview into the summary, as its last member. */
static void add_preview(ecl_job_t *job, const char *preview, apr_pool_t *p)
{
    const char *summary = job->summary_text;
    apr_size_t length = summary ? strlen(summary) : 0;

    if (preview && length > 2) {
        job->summary_text = apr_pstrcat(p, apr_pstrmemdup(p, summary, length - 1),
                                        ",\"preview\":", preview, "}", NULL);
    }
}

apr_status_t ecl_jobs_query_one(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                                apr_size_t nargs, apr_pool_t *p, ecl_job_t **pjob,
                                ecl_result_t *result)
{
    ecl_db_rows_t *rows;
    apr_status_t rv = ecl_db_query(conn, sql, args, nargs, p, &rows, result);

    *pjob = NULL;
    if (rv != APR_SUCCESS || !ecl_db_nrows(rows)) {
        return rv;
    }
    rv = from_row(rows, 0, p, pjob, result);
    return rv == APR_SUCCESS ? parse_summary(*pjob, p, result) : rv;
}

void ecl_job_options_used(const ecl_job_t *job, const char *values[ECL_OPTIONS])
{
    const char *saved[ECL_OPTIONS];
    json_object *template = NULL, *options = NULL;

    if (job->summary && json_object_object_get_ex(job->summary, "template", &template)) {
        json_object_object_get_ex(template, "options", &options);
    }
    ecl_options_read(job->options, values);
    ecl_options_read(options, saved);
    for (int id = 0; id < ECL_OPTIONS; id++) {
        values[id] = values[id] ? values[id] : saved[id];
    }
}

const char *ecl_jobs_json_text(json_object *object)
{
    return object ? json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
                                                               JSON_C_TO_STRING_NOSLASHESCAPE)
                  : NULL;
}

/* ---- creating ---- */

/* Checks a text from outside; NULL is fine. what names it in the message. */
static apr_status_t check_text(const char *what, const char *text, apr_size_t max_bytes,
                               ecl_result_t *result)
{
    apr_size_t length = text ? strlen(text) : 0;

    if (length > max_bytes) {
        return ecl_fail(result, ECL_EINPUT, "text-too-long",
                        "the %s is %" APR_SIZE_T_FMT " bytes long; at most %" APR_SIZE_T_FMT
                        " are kept",
                        what, length, max_bytes);
    }
    if (length && !ecl_utf8_is_text(text, length)) {
        return ecl_fail(result, ECL_EINPUT, "text-not-utf8", "the %s is not UTF-8 text", what);
    }
    return APR_SUCCESS;
}

/* Checks that value is one of the names in a NULL-terminated list. */
static apr_status_t check_name(const char *what, const char *value, const char *const *names,
                               ecl_result_t *result)
{
    const char *accepted = "";

    for (int i = 0; names[i]; i++) {
        if (!strcmp(value, names[i])) {
            return APR_SUCCESS;
        }
        if (result) {
            accepted = apr_pstrcat(result->pool, accepted, i ? ", " : "", names[i], NULL);
        }
    }
    return ecl_fail(result, ECL_EINPUT, "unknown-value",
                    "the %s \"%s\" is not known; it is one of: %s", what, value, accepted);
}

apr_status_t ecl_job_check_new(const ecl_job_new_t *job, ecl_result_t *result)
{
    static const char *const types[] = {"auto", "hh", "daily", NULL};
    static const char *const priorities[] = {"low", "normal", "high", NULL};
    const struct {
        const char *what, *text;
        apr_size_t max_bytes;
    } texts[] = {{"user name", job->user_name, MAX_USER},
                 {"file name", job->filename, MAX_FILENAME},
                 {"import type", job->import_type, MAX_KEY},
                 {"priority", job->priority, MAX_KEY},
                 {"notes", job->notes, MAX_NOTES},
                 {"tags", job->tags, MAX_TAGS},
                 {"idempotency key", job->idempotency_key, MAX_KEY}};
    apr_status_t rv = APR_SUCCESS;

    for (apr_size_t i = 0; rv == APR_SUCCESS && i < sizeof texts / sizeof texts[0]; i++) {
        rv = check_text(texts[i].what, texts[i].text, texts[i].max_bytes, result);
    }
    if (rv == APR_SUCCESS && job->import_type) {
        rv = check_name("import type", job->import_type, types, result);
    }
    if (rv == APR_SUCCESS && job->priority) {
        rv = check_name("priority", job->priority, priorities, result);
    }
    return rv;
}

/* In a transaction: the job, and that it was queued; *pjob is NULL when its key is used. */
static apr_status_t insert(ecl_db_conn_t *conn, const ecl_job_new_t *job, apr_pool_t *p,
                           ecl_job_t **pjob, ecl_result_t *result)
{
    static const char sql[] =
        "INSERT INTO import_jobs (batch_id, user_name, filename, stored_name, stored_host,"
        " file_size,"
        " file_sha256, import_type, dry_run, priority, notes, tags, options, queued_at, run_after,"
        " due_at, parent_batch_id, idempotency_key)"
        " VALUES (%s, %s, %s, %s, %s, %lld, %s, %s, %lld, %s, %s, %s, %s, %lld, %lld, %lld, %s, %s)"
        " ON CONFLICT (user_name, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING"
        " RETURNING " ECL_JOB_SELECT;
    const char *import_type = job->import_type ? job->import_type : "auto";
    const char *priority = job->priority ? job->priority : "normal";
    const char *user = job->user_name ? job->user_name : "";
    const char *batch_id = job->batch_id ? job->batch_id : ecl_job_uuid(p);
    apr_time_t now = apr_time_now();
    apr_time_t due = job->run_after > now ? job->run_after : now;
    apr_status_t rv = ecl_jobs_query_one(
        conn, sql,
        ECL_ARGS(ECL_TEXT(batch_id), ECL_TEXT(user), ECL_TEXT(job->filename ? job->filename : ""),
                 ECL_TEXT(job->stored_name), ECL_TEXT(job->stored_host), ECL_INT(job->file_size),
                 ECL_TEXT(job->file_sha256 ? job->file_sha256 : ""), ECL_TEXT(import_type),
                 ECL_INT(job->dry_run != 0), ECL_TEXT(priority), ECL_TEXT(job->notes),
                 ECL_TEXT(job->tags), ECL_TEXT(ecl_jobs_json_text(job->options)), ECL_INT(now),
                 ECL_INT(due), ECL_INT(due), ECL_TEXT(job->parent_batch_id),
                 ECL_TEXT(job->idempotency_key)),
        p, pjob, result);

    if (rv != APR_SUCCESS || !*pjob) {
        return rv;
    }
    return ecl_jobs_note_asked(conn, *pjob, "queued", job->actor ? job->actor : user,
                               job->dry_run ? "dry run" : NULL, result);
}

apr_status_t ecl_job_create(ecl_db_conn_t *conn, const ecl_job_new_t *job, apr_pool_t *p,
                            ecl_job_t **pjob, ecl_result_t *result)
{
    apr_status_t rv = ecl_job_check_new(job, result);
    int is_own;

    *pjob = NULL;
    /* Twice: the job that has the key can be deleted before it is read. */
    for (int i = 0; rv == APR_SUCCESS && i < 2; i++) {
        rv = ecl_jobs_begin(conn, &is_own, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = ecl_jobs_end(conn, is_own, insert(conn, job, p, pjob, result), result);
        if (rv != APR_SUCCESS || *pjob) {
            break;
        }
        rv = ecl_job_by_key(conn, job->user_name, job->idempotency_key, p, pjob, result);
        if (rv == APR_SUCCESS && *pjob) {
            return ecl_fail(result, ECL_ECONFLICT, "idempotency-key-used",
                            "an import with the idempotency key \"%s\" was queued before",
                            job->idempotency_key);
        }
    }
    if (rv != APR_SUCCESS) {
        *pjob = NULL;
    }
    if (rv != APR_SUCCESS || *pjob) {
        return rv;
    }
    return ecl_fail(result, ECL_EUNAVAILABLE, "idempotency-key-busy",
                    "imports with the idempotency key \"%s\" come and go; try again",
                    job->idempotency_key);
}

/* ---- reading ---- */

static apr_status_t read_job(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p,
                             ecl_job_t **pjob, const char **ppreview, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT " ECL_JOB_SELECT ", preview FROM import_jobs WHERE batch_id = %s";
    ecl_db_rows_t *rows;
    apr_status_t rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_TEXT(batch_id)), p, &rows, result);

    *pjob = NULL;
    if (rv == APR_SUCCESS && !ecl_db_nrows(rows)) {
        return ecl_fail(result, ECL_ENOTFOUND, "job-not-found", "there is no job %s", batch_id);
    }
    if (rv == APR_SUCCESS) {
        rv = from_row(rows, 0, p, pjob, result);
    }
    if (rv == APR_SUCCESS) {
        *ppreview = ecl_db_get(rows, 0, COLUMN_preview);
    }
    return rv;
}

apr_status_t ecl_job_look(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p,
                          ecl_job_t **pjob, ecl_result_t *result)
{
    const char *preview;
    apr_status_t rv = read_job(conn, batch_id, p, pjob, &preview, result);

    if (rv == APR_SUCCESS) {
        add_preview(*pjob, preview, p);
    }
    return rv;
}

apr_status_t ecl_job_get_apart(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p,
                               ecl_job_t **pjob, const char **ppreview, ecl_result_t *result)
{
    apr_status_t rv = read_job(conn, batch_id, p, pjob, ppreview, result);

    if (rv == APR_SUCCESS) {
        rv = parse_summary(*pjob, p, result);
    }
    if (rv != APR_SUCCESS) {
        *pjob = NULL;
    }
    return rv;
}

apr_status_t ecl_job_get(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p, ecl_job_t **pjob,
                         ecl_result_t *result)
{
    apr_status_t rv = ecl_job_look(conn, batch_id, p, pjob, result);

    if (rv == APR_SUCCESS) {
        rv = parse_summary(*pjob, p, result);
    }
    if (rv != APR_SUCCESS) {
        *pjob = NULL;
    }
    return rv;
}

apr_status_t ecl_job_by_key(ecl_db_conn_t *conn, const char *user_name, const char *key,
                            apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT " ECL_JOB_SELECT " FROM import_jobs WHERE user_name = %s AND idempotency_key = %s";

    return ecl_jobs_query_one(
        conn, sql, ECL_ARGS(ECL_TEXT(user_name ? user_name : ""), ECL_TEXT(key)), p, pjob, result);
}

apr_status_t ecl_job_same_file(ecl_db_conn_t *conn, const char *file_sha256, const char *except,
                               apr_pool_t *p, ecl_job_t **pjob, ecl_result_t *result)
{
    static const char sql[] = "SELECT " ECL_JOB_SELECT " FROM import_jobs"
                              " WHERE file_sha256 = %s AND batch_id <> %s AND status = 'completed'"
                              " AND dry_run = 0 AND undo_requested = 0 AND undone_at IS NULL"
                              " ORDER BY id DESC LIMIT 1";

    return ecl_jobs_query_one(conn, sql,
                              ECL_ARGS(ECL_TEXT(file_sha256), ECL_TEXT(except ? except : "")), p,
                              pjob, result);
}

apr_status_t ecl_job_followers(ecl_db_conn_t *conn, const char *batch_id, apr_pool_t *p,
                               ecl_job_t ***pjobs, int *pcount, ecl_result_t *result)
{
    static const char sql[] = "SELECT " ECL_JOB_SELECT " FROM import_jobs"
                              " WHERE parent_batch_id = %s ORDER BY id LIMIT 100";
    ecl_db_rows_t *rows;
    apr_status_t rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_TEXT(batch_id)), p, &rows, result);

    *pcount = rv == APR_SUCCESS ? ecl_db_nrows(rows) : 0;
    *pjobs = apr_pcalloc(p, (apr_size_t)(*pcount + 1) * sizeof **pjobs);
    for (int i = 0; rv == APR_SUCCESS && i < *pcount; i++) {
        rv = from_row(rows, i, p, &(*pjobs)[i], result);
    }
    return rv;
}

apr_status_t ecl_job_relied_on(ecl_db_conn_t *conn, const ecl_job_t *job, apr_int64_t *pcount,
                               apr_int64_t *preadings, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT count(*), max(readings_unchanged) FROM import_jobs WHERE file_sha256 = %s"
        " AND id > %lld AND status = 'completed' AND dry_run = 0 AND undo_requested = 0"
        " AND undone_at IS NULL AND readings_unchanged > 0";
    ecl_db_rows_t *rows;
    apr_pool_t *p;
    apr_status_t rv;

    *pcount = *preadings = 0;
    apr_pool_create(&p, result->pool);
    rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_TEXT(job->file_sha256), ECL_INT(job->id)), p, &rows,
                      result);
    if (rv == APR_SUCCESS) {
        *pcount = ecl_db_get_int(rows, 0, 0);
        *preadings = ecl_db_get_int(rows, 0, 1);
    }
    apr_pool_destroy(p);
    return rv;
}

/* What a search looks into; the pattern is bound four times. */
#define SEARCH                                                                                     \
    "(lower(filename) LIKE lower(%s) ESCAPE '\\' OR lower(user_name) LIKE lower(%s) ESCAPE '\\'"   \
    " OR batch_id LIKE lower(%s) ESCAPE '\\' OR lower(notes) LIKE lower(%s) ESCAPE '\\')"

apr_status_t ecl_jobs_search_pattern(const char *q, apr_pool_t *p, const char **ppattern,
                                     ecl_result_t *result)
{
    apr_status_t rv = check_text("text to search for", q, MAX_SEARCH, result);
    char *out;

    *ppattern = NULL;
    if (rv != APR_SUCCESS || !q || !*q) {
        return rv;
    }
    *ppattern = out = apr_palloc(p, 2 * strlen(q) + 3);
    *out++ = '%';
    for (; *q; q++) {
        if (*q == '%' || *q == '_' || *q == '\\') {
            *out++ = '\\';
        }
        *out++ = *q;
    }
    *out++ = '%';
    *out = '\0';
    return APR_SUCCESS;
}

/* The number that stands for `before` in the keyset. */
static apr_status_t keyset_start(ecl_db_conn_t *conn, const char *before, apr_pool_t *p,
                                 apr_int64_t *pid, ecl_result_t *result)
{
    static const char sql[] = "SELECT id FROM import_jobs WHERE batch_id = %s";
    ecl_db_rows_t *rows;
    apr_status_t rv;

    *pid = APR_INT64_MAX;
    if (!before) {
        return APR_SUCCESS;
    }
    rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_TEXT(before)), p, &rows, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!ecl_db_nrows(rows)) {
        return ecl_fail(result, ECL_EINPUT, "bad-before",
                        "there is no job \"%s\" to list the jobs before; it is the value of "
                        "\"next\" of the page before",
                        before);
    }
    *pid = ecl_db_get_int(rows, 0, 0);
    return APR_SUCCESS;
}

apr_status_t ecl_job_list(ecl_db_conn_t *conn, const ecl_job_filter_t *filter, apr_pool_t *p,
                          ecl_job_page_t *page, ecl_result_t *result)
{
#define LIST(condition)                                                                            \
    "SELECT " ECL_JOB_SELECT " FROM import_jobs WHERE " condition                                  \
    "id < %lld ORDER BY id DESC LIMIT %lld"
    /* [has a status][has a text]: a condition that is not asked for must not stand in the way of
     * the index */
    static const char *const sql[2][2] = {
        {LIST(""), LIST(SEARCH " AND ")},
        {LIST("status = %s AND "), LIST("status = %s AND " SEARCH " AND ")}};
#undef LIST
    ecl_db_value_t args[7];
    apr_size_t nargs = 0;
    ecl_db_rows_t *rows;
    const char *pattern;
    apr_int64_t start;
    apr_status_t rv;

    *page = (ecl_job_page_t){NULL, 0, NULL};
    if (filter->limit < 1 || filter->limit > MAX_PAGE) {
        return ecl_fail(result, ECL_EINPUT, "bad-limit",
                        "the limit is %d; from 1 to %d jobs can be listed at once", filter->limit,
                        MAX_PAGE);
    }
    rv = ecl_jobs_search_pattern(filter->q, p, &pattern, result);
    if (rv == APR_SUCCESS) {
        rv = keyset_start(conn, filter->before, p, &start, result);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }

    if (filter->has_status) {
        args[nargs++] = ECL_TEXT(ecl_job_status_name(filter->status));
    }
    for (int i = 0; pattern && i < 4; i++) {
        args[nargs++] = ECL_TEXT(pattern);
    }
    args[nargs++] = ECL_INT(start);
    args[nargs++] = ECL_INT(filter->limit + 1); /* one more tells whether there is a next page */
    rv = ecl_db_query(conn, sql[filter->has_status != 0][pattern != NULL], args, nargs, p, &rows,
                      result);
    if (rv != APR_SUCCESS) {
        return rv;
    }

    page->count = ecl_db_nrows(rows) > filter->limit ? filter->limit : ecl_db_nrows(rows);
    page->jobs = apr_pcalloc(p, (apr_size_t)(page->count + 1) * sizeof *page->jobs);
    for (int i = 0; i < page->count; i++) {
        rv = from_row(rows, i, p, &page->jobs[i], result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (ecl_db_nrows(rows) > page->count) {
        page->next = page->jobs[page->count - 1]->batch_id;
    }
    return APR_SUCCESS;
}

apr_status_t ecl_job_counts(ecl_db_conn_t *conn, const char *q,
                            apr_int64_t counts[ECL_JOB_STATUSES], ecl_result_t *result)
{
    /* Nearly all jobs are completed. SQLite counts a whole table from its pages, but a status row
     * by row, at some hundred instructions each: so the completed ones are the rest. */
    static const char all[] =
        "SELECT 'completed', (SELECT count(*) FROM import_jobs) UNION ALL"
        " SELECT status, count(*) FROM import_jobs"
        " WHERE status IN ('queued', 'processing', 'failed', 'cancelled') GROUP BY status";
    static const char matching[] =
        "SELECT status, count(*) FROM import_jobs WHERE " SEARCH " GROUP BY status";
    ecl_db_value_t args[4];
    ecl_db_rows_t *rows;
    const char *pattern;
    apr_pool_t *p;
    apr_status_t rv;

    memset(counts, 0, ECL_JOB_STATUSES * sizeof counts[0]);
    apr_pool_create(&p, result->pool);
    rv = ecl_jobs_search_pattern(q, p, &pattern, result);
    if (rv == APR_SUCCESS) {
        for (int i = 0; i < 4; i++) {
            args[i] = ECL_TEXT(pattern);
        }
        rv = ecl_db_query(conn, pattern ? matching : all, args, pattern ? 4 : 0, p, &rows, result);
    }
    if (rv == APR_SUCCESS) {
        for (int i = 0; i < ecl_db_nrows(rows); i++) {
            ecl_job_status_t status;

            if (ecl_job_status_parse(ecl_db_get(rows, i, 0), &status)) {
                counts[status] = ecl_db_get_int(rows, i, 1);
            }
        }
        for (int i = 0; !pattern && i < ECL_JOB_STATUSES; i++) {
            counts[ECL_JOB_COMPLETED] -= i != ECL_JOB_COMPLETED ? counts[i] : 0;
        }
    }
    apr_pool_destroy(p);
    return rv;
}

apr_status_t ecl_queue_state(ecl_db_conn_t *conn, ecl_queue_state_t *state, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT count(CASE WHEN status = 'queued' THEN 1 END),"
        " count(CASE WHEN status = 'queued' AND " ECL_JOB_IS_DUE " THEN 1 END),"
        " count(CASE WHEN status = 'processing' THEN 1 END),"
        " min(CASE WHEN status = 'queued' AND " ECL_JOB_IS_DUE
        " THEN CASE WHEN run_after > due_at THEN run_after ELSE due_at END END)"
        " FROM import_jobs WHERE status IN ('queued', 'processing')";
    apr_time_t now = apr_time_now();
    ecl_db_rows_t *rows;
    apr_pool_t *p;
    apr_status_t rv;

    *state = (ecl_queue_state_t){0, 0, 0, 0};
    apr_pool_create(&p, result->pool);
    rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_INT(now), ECL_INT(now), ECL_INT(now), ECL_INT(now)),
                      p, &rows, result);
    if (rv == APR_SUCCESS) {
        state->queued = ecl_db_get_int(rows, 0, 0);
        state->due = ecl_db_get_int(rows, 0, 1);
        state->processing = ecl_db_get_int(rows, 0, 2);
        state->oldest_due = ecl_db_get_int(rows, 0, 3);
    }
    apr_pool_destroy(p);
    return rv;
}
