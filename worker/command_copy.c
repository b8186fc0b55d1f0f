/*
 * The command copy: everything that is in the configured database into another one, which a second
 * configuration names.
 *
 * Stored files are not touched: either both configurations name the same storage directory, or the
 * files must be in the other one already.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/log.h"
#include "../lib/storage.h"
#include "command.h"
#include "copy.h"
#include "print.h"

#define JOBS_AT_ONCE 500
#define PROGRESS_US (APR_USEC_PER_SEC / 2)

typedef struct copy_command_t {
    ecl_invocation_t *invocation;
    apr_pool_t *p;
    const char *to_path; /* of --to-config */
    ecl_settings_t *to;
    int is_terminal; /* progress is shown */
    apr_time_t shown_at;
    apr_pool_t *line; /* of the progress shown last */
} copy_command_t;

static const char *on_option(void *baton, int option, const char *value)
{
    copy_command_t *command = baton;

    (void)option; /* there is one */
    command->to_path = value;
    return *value ? NULL : "--to-config takes the name of a file";
}

/* ---- progress ------------------------------------------------------------------------------- */

/* Takes the line of the progress away. */
static void clear_line(const copy_command_t *command)
{
    if (command->shown_at) {
        fputs("\r\033[K", stderr);
    }
}

static void on_progress(void *baton, const char *table, apr_int64_t done, apr_int64_t in_all)
{
    copy_command_t *command = baton;
    apr_time_t now = apr_time_now();

    if (!command->is_terminal || (done && now - command->shown_at < PROGRESS_US)) {
        return;
    }
    clear_line(command);
    apr_pool_clear(command->line);
    fprintf(stderr, "%s: %s of %s rows", table, ecl_print_count(done, command->line),
            ecl_print_count(in_all, command->line));
    fflush(stderr);
    command->shown_at = now;
}

/* ---- the two databases ---------------------------------------------------------------------- */

/* Only one that is there: to make one is for migrate. */
static apr_status_t open_database(const ecl_settings_t *settings, const char *config_path,
                                  const char *marker, apr_pool_t *p, ecl_db_conn_t **pconn,
                                  ecl_result_t *result)
{
    ecl_result_t why = ecl_result_make(p);
    ecl_db_t *db;
    apr_status_t rv = ecl_db_open(&db, settings->db_driver, settings->db_params, 1, p, &why);

    if (rv == APR_SUCCESS) {
        ecl_db_set_marker(db, marker);
        rv = ecl_db_look(db, p, &why);
    }
    if (rv == APR_SUCCESS) {
        ecl_db_set_marker(db, NULL); /* it would be written */
        rv = ecl_db_acquire(pconn, db, &why);
    }
    if (rv == ECL_ENOTFOUND) {
        return ecl_fail(result, rv, why.code,
                        "%s (of '%s'); eclectyc-import-worker --config '%s' migrate makes it",
                        why.detail, config_path, config_path);
    }
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, why.code, "%s (of '%s')",
                        why.detail ? why.detail : ecl_strerror(rv, p), config_path);
    }
    return rv;
}

/* ---- stored files --------------------------------------------------------------------------- */

static int is_same_directory(const char *a, const char *b)
{
    struct stat of_a, of_b;

    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/* Whether a file that is in the first directory is in the other one too, as large. */
static int is_there(const char *from_dir, const char *to_dir, const char *name, apr_pool_t *p)
{
    struct stat from, to;

    return stat(ecl_storage_path(from_dir, name, p), &from) != 0 ||
           (stat(ecl_storage_path(to_dir, name, p), &to) == 0 && from.st_size == to.st_size);
}

static apr_status_t check_some_files(const copy_command_t *command, ecl_db_conn_t *from,
                                     apr_int64_t *plast_id, int *pmore, apr_pool_t *p,
                                     ecl_result_t *result)
{
    static const char sql[] =
        "SELECT id, stored_name FROM import_jobs WHERE stored_name IS NOT NULL"
        " AND id > %lld ORDER BY id LIMIT %lld";
    const char *from_dir = command->invocation->settings->storage_dir;
    const char *to_dir = command->to->storage_dir;
    ecl_db_rows_t *rows;
    apr_status_t rv = ecl_db_query(from, sql, ECL_ARGS(ECL_INT(*plast_id), ECL_INT(JOBS_AT_ONCE)),
                                   p, &rows, result);

    *pmore = rv == APR_SUCCESS && ecl_db_nrows(rows) == JOBS_AT_ONCE;
    for (int i = 0; rv == APR_SUCCESS && i < ecl_db_nrows(rows); i++) {
        const char *name = ecl_db_get(rows, i, 1);

        *plast_id = ecl_db_get_int(rows, i, 0);
        if (!is_there(from_dir, to_dir, name, p)) {
            rv = ecl_fail(result, ECL_ECONFLICT, "copy-no-file",
                          "the stored file '%s' is not in the storage directory of '%s': copy what "
                          "is in '%s/files' to '%s/files' first, or name the same directory in "
                          "EclectycImportStorage",
                          name, command->to_path, from_dir, to_dir);
        }
    }
    return rv;
}

static apr_status_t check_files(const copy_command_t *command, ecl_db_conn_t *from,
                                ecl_result_t *result)
{
    apr_int64_t last_id = 0;
    apr_status_t rv = APR_SUCCESS;
    int more =
        !is_same_directory(command->invocation->settings->storage_dir, command->to->storage_dir);

    while (rv == APR_SUCCESS && more) {
        apr_pool_t *p;

        apr_pool_create(&p, command->p);
        rv = check_some_files(command, from, &last_id, &more, p, result);
        apr_pool_destroy(p);
    }
    return rv;
}

/* ---- nobody else ----------------------------------------------------------------------------- */

/* Nobody uses a directory that is not there. */
static apr_status_t hold_alone(const char *dir, apr_pool_t *p, ecl_result_t *result)
{
    apr_status_t rv = ecl_storage_hold(dir, ECL_STORAGE_ALONE, p, result);

    return APR_STATUS_IS_ENOENT(rv) ? APR_SUCCESS : rv;
}

/* What of this host would add to one of the databases, or work on it. Workers of other hosts are
 * known by their heartbeats (copy.c). */
static apr_status_t hold_storage(const copy_command_t *command, ecl_result_t *result)
{
    const char *from = command->invocation->settings->storage_dir;
    const char *to = command->to->storage_dir;
    apr_status_t rv = hold_alone(from, command->p, result);

    return rv == APR_SUCCESS && !is_same_directory(from, to) ? hold_alone(to, command->p, result)
                                                             : rv;
}

/* ---- the command ---------------------------------------------------------------------------- */

static void report(const copy_command_t *command, const ecl_copy_count_t *counts, int count)
{
    printf("%-20s %15s %15s\n", "table", "rows", "rows copied");
    for (int i = 0; i < count; i++) {
        printf("%-20s %15s %15s\n", counts[i].table, ecl_print_count(counts[i].source, command->p),
               ecl_print_count(counts[i].target, command->p));
    }
    printf("\nAll was copied; the database it was copied from was not changed. Now give httpd, and "
           "workers\nthat you run yourself, the settings of '%s', and start them.\n",
           command->to_path);
}

static apr_status_t copy(copy_command_t *command, ecl_result_t *result)
{
    const ecl_settings_t *settings = command->invocation->settings;
    const ecl_copy_progress_t progress = {command, on_progress};
    ecl_db_conn_t *from = NULL, *to = NULL;
    const ecl_copy_count_t *counts;
    int count;
    apr_status_t rv = open_database(settings, command->invocation->config_path,
                                    ecl_storage_marker(settings->storage_dir, command->p),
                                    command->p, &from, result);

    if (rv == APR_SUCCESS) {
        rv = open_database(command->to, command->to_path, NULL, command->p, &to, result);
    }
    if (rv == APR_SUCCESS) {
        rv = hold_storage(command, result);
    }
    if (rv == APR_SUCCESS) {
        rv = check_files(command, from, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_copy_database(from, to, &progress, command->p, &counts, &count, result);
        clear_line(command);
    }
    if (rv == APR_SUCCESS) {
        report(command, counts, count);
    }
    ecl_db_release(to);
    ecl_db_release(from);
    return rv;
}

int ecl_command_copy(ecl_invocation_t *invocation)
{
    static const apr_getopt_option_t options[] = {
        {"to-config", 't', 1, "the settings that name the database to copy to"},
        {NULL, 0, 0, NULL}};
    copy_command_t command = {.invocation = invocation, .p = invocation->p};
    ecl_result_t result = ecl_result_make(invocation->p);
    const char *const *operands;
    int count;
    apr_status_t rv;
    int code = ecl_command_options(invocation, options, on_option, &command, 0, &operands, &count);

    if (!code && !command.to_path) {
        code = ecl_command_usage_error(
            invocation, "no --to-config: name the file with the EclectycImport directives of the "
                        "database to copy to");
    }
    if (!code && !strcmp(command.to_path, "-") && invocation->config_path &&
        !strcmp(invocation->config_path, "-")) {
        code = ecl_command_usage_error(invocation,
                                       "only one of the two settings can be standard input");
    }
    if (code) {
        return code;
    }
    /* before this process becomes another user: it may be root's alone, for a password */
    command.to = ecl_settings_make(invocation->p);
    rv = ecl_settings_read(command.to, invocation->p, command.to_path, &result);
    if (rv != APR_SUCCESS) {
        ecl_log(ECL_LOG_ERROR, 0, ECLNO(3035) "wrong settings of the database to copy to: %s",
                result.detail);
        return ECL_EXIT_CONFIG;
    }
    code = ecl_command_begin(invocation);
    if (code) {
        return code;
    }
    command.is_terminal = isatty(STDERR_FILENO);
    apr_pool_create(&command.line, invocation->p);
    rv = copy(&command, &result);
    if (rv != APR_SUCCESS) {
        ecl_log(ECL_LOG_ERROR, 0, ECLNO(3036) "cannot copy the database: %s", result.detail);
        return ECL_EXIT_FAILED;
    }
    return ECL_EXIT_OK;
}
