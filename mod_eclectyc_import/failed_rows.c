/*
 * Each record as it stands in its file, then where and why it was rejected; with the file's own
 * header line and delimiter, so that it can be corrected in place and uploaded again.
 *
 * Row errors are read and sent in pages, without holding a connection while sending.
 */
#include <apr_lib.h>
#include <http_protocol.h>

#include "actions.h"
#include "child.h"
#include "failed_rows.h"
#include "params.h"
#include "private.h"
#include "rejected_csv.h"
#include "respond.h"

#define PAGE_ROWS 500
#define REASONS 4 /* cells behind a row */
/* Stands for cells that a row is too short to have, so that it remains wrong until it is corrected:
 * blank ones would be missing values. */
#define CUT_OFF "(cut off)"

static const char *const reasons[REASONS] = {"rejected_line", "rejected_column", "rejected_cause",
                                             "rejected_message"};

/* What the file separates its fields by. */
static char delimiter_of(const ecl_job_t *job)
{
    json_object *text;
    const char *delimiter =
        job->summary && json_object_object_get_ex(job->summary, "delimiter", &text)
            ? json_object_get_string(text)
            : NULL;

    return delimiter && strlen(delimiter) == 1 ? *delimiter : ',';
}

static const char *text_of(json_object *error, const char *key)
{
    json_object *value;

    return json_object_object_get_ex(error, key, &value) && value ? json_object_get_string(value)
                                                                  : "";
}

/* ---- parts -------------------------------------------------------------------------------------
 */

/* Rows that follow each other in a job's list of rejected ones, and the part they belong to. */
typedef struct run_t {
    int part;
    apr_int64_t rows;
    apr_array_header_t *added; /* const char *: the cells that go behind theirs, which a row may
                                  lengthen */
} run_t;

typedef struct parts_t {
    apr_array_header_t *parts, *runs;
} parts_t;

static const char *where(json_object *table, apr_pool_t *p)
{
    json_object *sheet;

    return json_object_object_get_ex(table, "sheet", &sheet)
               ? apr_psprintf(p, "sheet “%s”", json_object_get_string(sheet))
               : apr_psprintf(p, "from line %s on", text_of(table, "line"));
}

static int is_same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static ecl_failed_part_t *part_at(const parts_t *parts, int i)
{
    return &APR_ARRAY_IDX(parts->parts, i, ecl_failed_part_t);
}

static int find_part(const parts_t *parts, const char *header, const char *added)
{
    int i = 0;

    while (i < parts->parts->nelts && !(is_same(part_at(parts, i)->header, header) &&
                                        is_same(part_at(parts, i)->added, added))) {
        i++;
    }
    return i;
}

/* What rows need beside their own cells; their names each with a delimiter before it. */
static void read_added(json_object *table, char delimiter, const char **pnames, run_t *run,
                       apr_pool_t *p)
{
    const char d[2] = {delimiter, '\0'};
    json_object *added;

    *pnames = "";
    run->added = apr_array_make(p, 1, sizeof(const char *));
    if (json_object_object_get_ex(table, "added", &added)) {
        json_object_object_foreach(added, name, text)
        {
            *pnames = apr_pstrcat(p, *pnames, d, name, NULL);
            APR_ARRAY_PUSH(run->added, const char *) = json_object_get_string(text);
        }
    }
}

static void add_table(parts_t *parts, json_object *table, const char *own, char delimiter,
                      apr_pool_t *p)
{
    json_object *text;
    const char *names;
    const char *header = json_object_object_get_ex(table, "header", &text)
                             ? (text ? json_object_get_string(text) : NULL)
                             : own;
    run_t run = {.rows = json_object_get_int64(json_object_object_get(table, "rows"))};
    ecl_failed_part_t *part;
    int i;

    read_added(table, delimiter, &names, &run, p);
    run.part = i = find_part(parts, header, names);
    if (i == parts->parts->nelts) {
        APR_ARRAY_PUSH(parts->parts, ecl_failed_part_t) =
            (ecl_failed_part_t){.header = header, .added = names, .label = where(table, p)};
    } else {
        part = part_at(parts, i);
        part->label = apr_pstrcat(p, part->label, ", ", where(table, p), NULL);
    }
    part_at(parts, i)->rows += run.rows;
    APR_ARRAY_PUSH(parts->runs, run_t) = run;
}

static parts_t make_parts(const ecl_job_t *job, apr_pool_t *p)
{
    parts_t parts = {apr_array_make(p, 1, sizeof(ecl_failed_part_t)),
                     apr_array_make(p, 1, sizeof(run_t))};
    json_object *tables, *text;
    const char *own =
        job->summary && json_object_object_get_ex(job->summary, "header", &text) && text
            ? json_object_get_string(text)
            : NULL;

    if (job->summary && json_object_object_get_ex(job->summary, "failed_tables", &tables)) {
        for (apr_size_t i = 0; i < json_object_array_length(tables); i++) {
            add_table(&parts, json_object_array_get_idx(tables, i), own, delimiter_of(job), p);
        }
    }
    if (!parts.parts->nelts) {
        APR_ARRAY_PUSH(parts.parts, ecl_failed_part_t) =
            (ecl_failed_part_t){.header = own, .added = "", .label = "", .rows = job->failed_rows};
    }
    return parts;
}

const apr_array_header_t *ecl_failed_parts(const ecl_job_t *job, apr_pool_t *p)
{
    return make_parts(job, p).parts;
}

/* ---- sending -----------------------------------------------------------------------------------
 */

typedef struct sending_t {
    request_rec *r;
    parts_t parts;
    int part;
    const char *header; /* without the reasons of an earlier list; NULL: none */
    char delimiter;
    int columns, dropped;
    int run;          /* of the next row; past the last one, its part */
    apr_int64_t left; /* rows of that run */
} sending_t;

/* Whether the next row of the list is of the part that is sent. */
static int is_wanted(sending_t *s)
{
    const run_t *runs = (const run_t *)s->parts.runs->elts;

    if (!s->parts.runs->nelts) {
        return 1;
    }
    while (!s->left && s->run < s->parts.runs->nelts - 1) {
        s->left = runs[++s->run].rows;
    }
    s->left -= s->left > 0;
    return runs[s->run].part == s->part;
}

/* "november.csv" → "november-rejected-rows.csv", of characters that are safe in a header and on
 * every disk. */
static const char *attachment_name(const char *filename, int part, apr_pool_t *p)
{
    char *name = apr_pstrdup(p, filename), *ending = strrchr(name, '.');

    if (ending && ending != name) {
        *ending = '\0';
    }
    for (char *c = name; *c; c++) {
        if (!apr_isalnum(*c) && !strchr("-_", *c)) {
            *c = '_';
        }
    }
    return part ? apr_psprintf(p, "%s-rejected-rows-%d.csv", name, part + 1)
                : apr_pstrcat(p, name, "-rejected-rows.csv", NULL);
}

static apr_status_t read_page(const ecl_job_t *job, apr_int64_t after, apr_pool_t *p,
                              json_object **perrors, apr_int64_t *pnext, ecl_result_t *result)
{
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_child_acquire(&conn, result);

    if (rv == APR_SUCCESS) {
        rv = ecl_job_errors(conn, job->id, after, PAGE_ROWS, p, perrors, pnext, result);
        ecl_db_release(conn);
    }
    return rv;
}

static int count_tabs(const char *text)
{
    int tabs = 0;

    for (; *text; text++) {
        tabs += *text == '\t';
    }
    return tabs;
}

/* What goes behind the row in hand. */
static const char *added_cells(const sending_t *s, json_object *error, apr_pool_t *p)
{
    const char d[2] = {s->delimiter, '\0'};
    const run_t *run = s->parts.runs->nelts ? &APR_ARRAY_IDX(s->parts.runs, s->run, run_t) : NULL;
    const char *own = text_of(error, "added"), *cells = "";
    int count = s->header && run ? run->added->nelts : 0, own_cells = count_tabs(own) + 1;

    for (int i = 0; i < count; i++) {
        const char *text = APR_ARRAY_IDX(run->added, i, const char *);

        if (i >= count - own_cells) { /* the row's texts are for the last cells */
            apr_size_t length = strcspn(own, "\t");

            text = apr_pstrcat(p, text, apr_pstrmemdup(p, own, length), NULL);
            own += length + (own[length] == '\t');
        }
        cells = apr_pstrcat(p, cells, d, ecl_rejected_cell(text, p), NULL);
    }
    return cells;
}

/* Sends the rows of one page. Returns 0 when the client has gone. */
static int send_page(sending_t *s, json_object *errors, apr_pool_t *p)
{
    const char d[2] = {s->delimiter, '\0'};

    for (apr_size_t i = 0; i < json_object_array_length(errors); i++) {
        json_object *error = json_object_array_get_idx(errors, i);
        const char *raw = text_of(error, "raw"), *code = text_of(error, "code");

        /* a foreign header is the header of its rows, and not one of them */
        if (!is_wanted(s) || (s->header && !strcmp(raw, s->header))) {
            continue;
        }
        raw = ecl_rejected_record(raw, s->delimiter, s->columns,
                                  strcmp(code, "too-few-fields") ? "" : CUT_OFF, s->dropped, p);
        if (ap_rvputs(s->r, raw, added_cells(s, error, p), d, text_of(error, "line"), d,
                      ecl_rejected_cell(text_of(error, "column"), p), d, ecl_rejected_cell(code, p),
                      d, ecl_rejected_cell(text_of(error, "message"), p), "\r\n", NULL) < 0) {
            return 0;
        }
    }
    return 1;
}

/* The answer has begun and can't be finished: break it off, so that nobody takes it for whole. */
static int break_off(request_rec *r)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, alloc);

    r->connection->keepalive = AP_CONN_CLOSE;
    APR_BRIGADE_INSERT_TAIL(bb, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    ap_pass_brigade(r->output_filters, bb);
    return OK;
}

static apr_array_header_t *reason_names(apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, REASONS, sizeof(const char *));

    for (int i = 0; i < REASONS; i++) {
        APR_ARRAY_PUSH(names, const char *) = reasons[i];
    }
    return names;
}

/* The header's first cells, without those of an earlier list of rejected rows at its end. */
static void take_header(sending_t *s, const char *header, apr_pool_t *p)
{
    const char delimiter[2] = {s->delimiter, '\0'};
    char *ending =
        apr_pstrcat(p, delimiter, apr_array_pstrcat(p, reason_names(p), s->delimiter), NULL);
    apr_size_t length = header ? strlen(header) : 0, end_length = strlen(ending);

    s->header = header;
    if (length > end_length && !strcmp(header + length - end_length, ending)) {
        s->header = apr_pstrmemdup(p, header, length - end_length);
        s->dropped = REASONS;
    }
    s->columns = s->header ? ecl_rejected_count(s->header, s->delimiter) : 0;
}

static void send_header(sending_t *s, const ecl_job_t *job)
{
    request_rec *r = s->r;
    const char d[2] = {s->delimiter, '\0'};

    ap_set_content_type(r, "text/csv; charset=utf-8");
    apr_table_setn(r->headers_out, "Content-Disposition",
                   apr_psprintf(r->pool, "attachment; filename=\"%s\"",
                                attachment_name(job->filename, s->part, r->pool)));
    if (s->delimiter != ',') { /* else spreadsheets take the line for one cell */
        ap_rvputs(r, "sep=", d, "\r\n", NULL);
    }
    if (s->header) {
        ap_rvputs(r, ecl_rejected_record(s->header, s->delimiter, 0, "", 0, r->pool),
                  part_at(&s->parts, s->part)->added, d,
                  apr_array_pstrcat(r->pool, reason_names(r->pool), s->delimiter), "\r\n", NULL);
    }
}

int ecl_page_failed_rows(ecl_request_t *q)
{
    request_rec *r = q->r;
    ecl_result_t result = ecl_result_make(r->pool);
    json_object *errors = NULL;
    apr_int64_t next = 0, part = 1;
    sending_t sending = {.r = r};
    ecl_job_t *job;
    apr_pool_t *p;

    if (ecl_params_int(q, "part", 1, APR_INT32_MAX, &part, &result) != APR_SUCCESS) {
        return ecl_respond_error(q, HTTP_BAD_REQUEST, result.code, result.detail);
    }
    if (ecl_action_get_job(q, &job, &result) != APR_SUCCESS ||
        read_page(job, 0, r->pool, &errors, &next, &result) != APR_SUCCESS) {
        return ecl_respond_failure(q, &result);
    }
    sending.parts = make_parts(job, r->pool);
    if (!json_object_array_length(errors) || part > sending.parts.parts->nelts) {
        json_object_put(errors);
        return ecl_respond_error(q, HTTP_NOT_FOUND, "no-rejected-rows",
                                 "No row of this job was rejected");
    }
    sending.part = (int)part - 1;
    sending.delimiter = delimiter_of(job);
    sending.run = -1;
    take_header(&sending, part_at(&sending.parts, sending.part)->header, r->pool);
    send_header(&sending, job);
    apr_pool_create(&p, r->pool);
    for (;;) {
        int is_sent = send_page(&sending, errors, p);
        json_object_put(errors);
        apr_pool_clear(p);
        if (!is_sent || !next) {
            return OK;
        }
        if (read_page(job, next, p, &errors, &next, &result) != APR_SUCCESS) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                          ECLNO(2060) "cannot send all rejected rows of job %s: %s", job->batch_id,
                          result.detail);
            return break_off(r);
        }
    }
}
