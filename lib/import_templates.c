#include "import_templates.h"

#include "jobs_internal.h"
#include "utf8.h"

#define COLUMNS "id, name, fingerprint, options, created_by, created_at, last_used_at, uses"

static apr_status_t from_row(const ecl_db_rows_t *rows, int row, apr_pool_t *p,
                             ecl_import_template_t **ptemplate, ecl_result_t *result)
{
    ecl_import_template_t *template = apr_pcalloc(p, sizeof *template);

    *ptemplate = template;
    template->id = ecl_db_get_int(rows, row, 0);
    template->name = ecl_db_get(rows, row, 1);
    template->fingerprint = ecl_db_get(rows, row, 2);
    template->created_by = ecl_db_get(rows, row, 4);
    template->created_at = ecl_db_get_int(rows, row, 5);
    template->last_used_at = ecl_db_get_int(rows, row, 6);
    template->uses = ecl_db_get_int(rows, row, 7);
    if (!ecl_jobs_parse_object(ecl_db_get(rows, row, 3), p, &template->options)) {
        return ecl_fail(result, APR_EGENERAL, "template-unreadable",
                        "the import template \"%s\" holds something that this version cannot read",
                        template->name);
    }
    return APR_SUCCESS;
}

static apr_status_t query_one(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                              apr_size_t nargs, apr_pool_t *p, ecl_import_template_t **ptemplate,
                              ecl_result_t *result)
{
    ecl_db_rows_t *rows;
    apr_status_t rv = ecl_db_query(conn, sql, args, nargs, p, &rows, result);

    *ptemplate = NULL;
    return rv == APR_SUCCESS && ecl_db_nrows(rows) ? from_row(rows, 0, p, ptemplate, result) : rv;
}

/* ---- saving ---- */

/* The name without blanks around it. */
static apr_status_t check_name(const char *text, apr_pool_t *p, const char **pname,
                               ecl_result_t *result)
{
    const char *start = text + strspn(text, " \t\r\n");
    apr_size_t length = strlen(start);

    while (length && strchr(" \t\r\n", start[length - 1])) {
        length--;
    }
    *pname = apr_pstrmemdup(p, start, length);
    if (!length || length > ECL_IMPORT_TEMPLATE_NAME || !ecl_utf8_is_text(start, length) ||
        strpbrk(*pname, "\t\r\n")) {
        return ecl_fail(result, ECL_EINPUT, "bad-name",
                        "a template's name is a line of text of 1 to %d bytes",
                        ECL_IMPORT_TEMPLATE_NAME);
    }
    return APR_SUCCESS;
}

static const char *fingerprint_of(const ecl_job_t *job)
{
    json_object *fingerprint;

    return job->summary && json_object_object_get_ex(job->summary, "fingerprint", &fingerprint) &&
                   json_object_is_type(fingerprint, json_type_string)
               ? json_object_get_string(fingerprint)
               : NULL;
}

/* The caller owns it. */
static json_object *options_to_save(const ecl_job_t *job)
{
    const char *values[ECL_OPTIONS];

    ecl_job_options_used(job, values);
    values[ECL_OPTION_METER] = NULL;
    return ecl_options_json(values);
}

int ecl_import_template_is_saveable(const ecl_job_t *job)
{
    const char *own[ECL_OPTIONS];
    int count = 0;

    ecl_options_read(job->options, own);
    for (int id = 0; id < ECL_OPTIONS; id++) {
        count += own[id] && id != ECL_OPTION_METER;
    }
    return count && fingerprint_of(job) && job->status == ECL_JOB_COMPLETED;
}

static apr_status_t name_is_used(const char *name, ecl_result_t *result)
{
    return ecl_fail(result, ECL_ECONFLICT, "name-used",
                    "there is a template called \"%s\" already; choose another name", name);
}

/* In the caller's transaction, so that the name is still free when it is taken. */
static apr_status_t check_free(ecl_db_conn_t *conn, const char *name, const char *fingerprint,
                               apr_int64_t id, apr_pool_t *p, ecl_result_t *result)
{
    static const char sql[] = "SELECT id FROM import_templates"
                              " WHERE name = %s AND fingerprint <> %s AND id <> %lld";
    ecl_db_rows_t *rows;
    apr_status_t rv = ecl_db_query(
        conn, sql, ECL_ARGS(ECL_TEXT(name), ECL_TEXT(fingerprint), ECL_INT(id)), p, &rows, result);

    return rv == APR_SUCCESS && ecl_db_nrows(rows) ? name_is_used(name, result) : rv;
}

static apr_status_t put(ecl_db_conn_t *conn, const char *name, const char *fingerprint,
                        const char *options, const char *user, apr_pool_t *p,
                        ecl_import_template_t **ptemplate, ecl_result_t *result)
{
    static const char sql[] =
        "INSERT INTO import_templates (name, fingerprint, options, created_by, created_at)"
        " VALUES (%s, %s, %s, %s, %lld) ON CONFLICT (fingerprint) DO UPDATE SET"
        " name = excluded.name, options = excluded.options, created_by = excluded.created_by,"
        " created_at = excluded.created_at, last_used_at = NULL, uses = 0 RETURNING " COLUMNS;
    apr_status_t rv = check_free(conn, name, fingerprint, 0, p, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    return query_one(conn, sql,
                     ECL_ARGS(ECL_TEXT(name), ECL_TEXT(fingerprint), ECL_TEXT(options),
                              ECL_TEXT(user ? user : ""), ECL_INT(apr_time_now())),
                     p, ptemplate, result);
}

static apr_status_t end(ecl_db_conn_t *conn, apr_status_t rv, ecl_result_t *result)
{
    if (rv == APR_SUCCESS) {
        return ecl_db_commit(conn, result);
    }
    ecl_db_rollback(conn);
    return rv;
}

apr_status_t ecl_import_template_save(ecl_db_conn_t *conn, const ecl_job_t *job, const char *name,
                                      const char *user, apr_pool_t *p,
                                      ecl_import_template_t **ptemplate, ecl_result_t *result)
{
    json_object *options;
    const char *text;
    apr_status_t rv = check_name(name, p, &name, result);

    *ptemplate = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!ecl_import_template_is_saveable(job)) {
        return ecl_fail(result, ECL_ECONFLICT, "nothing-to-save",
                        "only a completed job of a file with a header, with an option other than "
                        "the meter, can be saved as a template");
    }
    options = options_to_save(job);
    text = apr_pstrdup(p, ecl_jobs_json_text(options));
    json_object_put(options);
    rv = ecl_db_begin(conn, result);
    if (rv == APR_SUCCESS) {
        rv = put(conn, name, fingerprint_of(job), text, user, p, ptemplate, result);
        rv = end(conn, rv, result);
    }
    if (rv == APR_SUCCESS) {
        ecl_log(ECL_LOG_INFO, 0, ECLNO(1310) "import template %" APR_INT64_T_FMT " saved by '%s'",
                (*ptemplate)->id, user ? user : "");
    }
    return rv;
}

/* ---- reading ---- */

apr_status_t ecl_import_template_find(ecl_db_conn_t *conn, const char *fingerprint, apr_pool_t *p,
                                      ecl_import_template_t **ptemplate, ecl_result_t *result)
{
    static const char sql[] = "SELECT " COLUMNS " FROM import_templates WHERE fingerprint = %s";

    return query_one(conn, sql, ECL_ARGS(ECL_TEXT(fingerprint)), p, ptemplate, result);
}

apr_status_t ecl_import_template_replaced(ecl_db_conn_t *conn, const ecl_job_t *job, apr_pool_t *p,
                                          ecl_import_template_t **ptemplate, ecl_result_t *result)
{
    *ptemplate = NULL;
    return ecl_import_template_is_saveable(job)
               ? ecl_import_template_find(conn, fingerprint_of(job), p, ptemplate, result)
               : APR_SUCCESS;
}

apr_status_t ecl_import_template_list(ecl_db_conn_t *conn, apr_pool_t *p,
                                      ecl_import_template_t ***ptemplates, int *pcount,
                                      ecl_result_t *result)
{
    static const char sql[] =
        "SELECT " COLUMNS " FROM import_templates ORDER BY lower(name), id LIMIT %lld";
    ecl_db_rows_t *rows;
    apr_status_t rv =
        ecl_db_query(conn, sql, ECL_ARGS(ECL_INT(ECL_IMPORT_TEMPLATES)), p, &rows, result);

    *pcount = 0;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    *ptemplates = apr_palloc(p, (apr_size_t)(ecl_db_nrows(rows) + 1) * sizeof **ptemplates);
    while (rv == APR_SUCCESS && *pcount < ecl_db_nrows(rows)) {
        rv = from_row(rows, *pcount, p, &(*ptemplates)[*pcount], result);
        ++*pcount;
    }
    return rv;
}

json_object *ecl_import_template_json(const ecl_import_template_t *template)
{
    json_object *object = json_object_new_object();
    const char *used;
    apr_pool_t *p;

    apr_pool_create(&p, NULL);
    used = ecl_rfc3339(template->last_used_at, p);
    json_object_object_add(object, "id", json_object_new_int64(template->id));
    json_object_object_add(object, "name", json_object_new_string(template->name));
    json_object_object_add(object, "fingerprint", json_object_new_string(template->fingerprint));
    json_object_object_add(object, "options", json_object_get(template->options));
    json_object_object_add(object, "created_by", json_object_new_string(template->created_by));
    json_object_object_add(object, "created_at",
                           json_object_new_string(ecl_rfc3339(template->created_at, p)));
    json_object_object_add(object, "last_used_at", used ? json_object_new_string(used) : NULL);
    json_object_object_add(object, "uses", json_object_new_int64(template->uses));
    apr_pool_destroy(p);
    return object;
}

/* ---- changing ---- */

static apr_status_t not_found(apr_int64_t id, ecl_result_t *result)
{
    return ecl_fail(result, ECL_ENOTFOUND, "template-not-found",
                    "there is no import template %" APR_INT64_T_FMT, id);
}

apr_status_t ecl_import_template_rename(ecl_db_conn_t *conn, apr_int64_t id, const char *name,
                                        const char *user, apr_pool_t *p,
                                        ecl_import_template_t **ptemplate, ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE import_templates SET name = %s WHERE id = %lld RETURNING " COLUMNS;
    apr_status_t rv = check_name(name, p, &name, result);

    *ptemplate = NULL;
    if (rv == APR_SUCCESS) {
        rv = ecl_db_begin(conn, result);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = check_free(conn, name, "", id, p, result);
    if (rv == APR_SUCCESS) {
        rv = query_one(conn, sql, ECL_ARGS(ECL_TEXT(name), ECL_INT(id)), p, ptemplate, result);
    }
    rv = end(conn, rv, result);
    if (rv == APR_SUCCESS && !*ptemplate) {
        return not_found(id, result);
    }
    if (rv == APR_SUCCESS) {
        ecl_log(ECL_LOG_INFO, 0, ECLNO(1311) "import template %" APR_INT64_T_FMT " renamed by '%s'",
                id, user ? user : "");
    }
    return rv;
}

apr_status_t ecl_import_template_delete(ecl_db_conn_t *conn, apr_int64_t id, const char *user,
                                        ecl_result_t *result)
{
    static const char sql[] = "DELETE FROM import_templates WHERE id = %lld";
    int affected = 0;
    apr_status_t rv = ecl_db_exec(conn, sql, ECL_ARGS(ECL_INT(id)), &affected, result);

    if (rv == APR_SUCCESS && !affected) {
        return not_found(id, result);
    }
    if (rv == APR_SUCCESS) {
        ecl_log(ECL_LOG_INFO, 0, ECLNO(1312) "import template %" APR_INT64_T_FMT " deleted by '%s'",
                id, user ? user : "");
    }
    return rv;
}

apr_status_t ecl_import_template_used(ecl_db_conn_t *conn, apr_int64_t id, ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE import_templates SET uses = uses + 1, last_used_at = %lld WHERE id = %lld";

    return ecl_db_exec(conn, sql, ECL_ARGS(ECL_INT(apr_time_now()), ECL_INT(id)), NULL, result);
}
