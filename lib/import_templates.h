/*
 * Import templates: options that a user has saved for files with a certain header. A file with that
 * header goes by them where its upload said nothing.
 *
 * The meter is never saved: a file with the same columns may be of another one.
 *
 * Results are allocated from p, as in jobs.h.
 */
#ifndef ECL_IMPORT_TEMPLATES_H
#define ECL_IMPORT_TEMPLATES_H

#include "jobs.h"

#define ECL_IMPORT_TEMPLATE_NAME 100 /* most bytes of a name */
#define ECL_IMPORT_TEMPLATES 200     /* most templates that a list shows */

typedef struct ecl_import_template_t {
    apr_int64_t id;
    const char *name;
    const char *fingerprint;
    json_object *options; /* as of options.h; freed with p */
    const char *created_by;
    apr_time_t created_at;
    apr_time_t last_used_at; /* 0: not yet */
    apr_int64_t uses;
} ecl_import_template_t;

/* Saves what a job went by (ecl_job_options_used) under a name, for files with the header that its
 * summary's "fingerprint" stands for; a template for that header is replaced.
 * ECL_EINPUT: the name is blank, too long or no text ("bad-name"). ECL_ECONFLICT: the name is that
 * of another template ("name-used"); the job has nothing to save ("nothing-to-save"). */
apr_status_t ecl_import_template_save(ecl_db_conn_t *conn, const ecl_job_t *job, const char *name,
                                      const char *user, apr_pool_t *p,
                                      ecl_import_template_t **ptemplate, ecl_result_t *result);

/* Whether a job has something of its own that could be saved. */
int ecl_import_template_is_saveable(const ecl_job_t *job);

/* The template that ecl_import_template_save would replace; *ptemplate is NULL when there is none,
 * or nothing to save. */
apr_status_t ecl_import_template_replaced(ecl_db_conn_t *conn, const ecl_job_t *job, apr_pool_t *p,
                                          ecl_import_template_t **ptemplate, ecl_result_t *result);

/* The template for a header; *ptemplate is NULL when there is none. */
apr_status_t ecl_import_template_find(ecl_db_conn_t *conn, const char *fingerprint, apr_pool_t *p,
                                      ecl_import_template_t **ptemplate, ecl_result_t *result);

/* By name; *ptemplates is an array of *pcount, the first ECL_IMPORT_TEMPLATES of them. */
apr_status_t ecl_import_template_list(ecl_db_conn_t *conn, apr_pool_t *p,
                                      ecl_import_template_t ***ptemplates, int *pcount,
                                      ecl_result_t *result);

/* ECL_ENOTFOUND, code "template-not-found"; names as in save. */
apr_status_t ecl_import_template_rename(ecl_db_conn_t *conn, apr_int64_t id, const char *name,
                                        const char *user, apr_pool_t *p,
                                        ecl_import_template_t **ptemplate, ecl_result_t *result);
apr_status_t ecl_import_template_delete(ecl_db_conn_t *conn, apr_int64_t id, const char *user,
                                        ecl_result_t *result);

/* Counts a use; of one that is gone it counts nothing. */
apr_status_t ecl_import_template_used(ecl_db_conn_t *conn, apr_int64_t id, ecl_result_t *result);

/* As the API shows it. The caller owns it. */
json_object *ecl_import_template_json(const ecl_import_template_t *template);

#endif /* ECL_IMPORT_TEMPLATES_H */
