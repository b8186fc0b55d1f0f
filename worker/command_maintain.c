/* The commands migrate and cleanup. */
#include "../lib/log.h"
#include "../lib/migrate.h"
#include "command.h"
#include "keeper.h"
#include "print.h"

static const char *detail_of(const ecl_result_t *result, apr_status_t rv)
{
    return result->detail ? result->detail : ecl_strerror(rv, result->pool);
}

/* ---- migrate --------------------------------------------------------------------------------- */

static apr_status_t migrate(ecl_invocation_t *invocation, ecl_result_t *result)
{
    const ecl_settings_t *settings = invocation->settings;
    ecl_db_t *db;
    ecl_db_conn_t *conn = NULL;
    int applied, have, want;
    apr_status_t rv =
        ecl_db_open(&db, settings->db_driver, settings->db_params, 1, invocation->p, result);

    if (rv == APR_SUCCESS) {
        rv = ecl_db_acquire(&conn, db, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_migrate_up(conn, &applied, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_migrate_state(conn, &have, &want, result);
    }
    ecl_db_release(conn);
    if (rv == APR_SUCCESS) {
        if (applied) {
            printf("%d migration%s applied; ", applied, applied == 1 ? "" : "s");
        } else {
            fputs("nothing to do; ", stdout);
        }
        printf("the database has schema %d\n", have);
    }
    return rv;
}

int ecl_command_migrate(ecl_invocation_t *invocation)
{
    static const apr_getopt_option_t no_options[] = {{NULL, 0, 0, NULL}};
    ecl_result_t result = ecl_result_make(invocation->p);
    const char *const *operands;
    int count;
    apr_status_t rv;
    int code = ecl_command_options(invocation, no_options, NULL, NULL, 0, &operands, &count);

    if (!code) {
        code = ecl_command_begin(invocation);
    }
    if (code) {
        return code;
    }
    rv = migrate(invocation, &result);
    if (rv != APR_SUCCESS) {
        ecl_log(ECL_LOG_ERROR, 0, ECLNO(3032) "cannot migrate the database: %s",
                detail_of(&result, rv));
        return ECL_EXIT_FAILED;
    }
    return ECL_EXIT_OK;
}

/* ---- cleanup --------------------------------------------------------------------------------- */

static const char *on_cleanup_option(void *baton, int option, const char *value)
{
    apr_int64_t *days = baton;

    (void)option; /* there is one */
    return ecl_parse_int64(value, 1, 36500, days) ? NULL
                                                  : "--days takes a number of days, 1 to 36500";
}

int ecl_command_cleanup(ecl_invocation_t *invocation)
{
    static const apr_getopt_option_t options[] = {
        {"days", 'd', 1, "instead of EclectycImportRetention"}, {NULL, 0, 0, NULL}};
    ecl_result_t result = ecl_result_make(invocation->p);
    const char *user = ecl_command_user(invocation->p); /* before it becomes another */
    apr_int64_t days = 0;
    const char *const *operands;
    int count;
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    ecl_housekeeping_t done;
    apr_status_t rv;
    int code =
        ecl_command_options(invocation, options, on_cleanup_option, &days, 0, &operands, &count);

    if (!code) {
        code = ecl_command_begin(invocation);
    }
    if (!code) {
        code = ecl_command_open(invocation, &db, &conn);
    }
    if (code) {
        return code;
    }
    days = days ? days : invocation->settings->retention_days;
    rv = ecl_housekeeping(conn, invocation->settings, (int)days, user, invocation->p, &done,
                          &result);
    ecl_db_release(conn);
    if (rv != APR_SUCCESS) {
        ecl_log(ECL_LOG_ERROR, 0, ECLNO(3033) "cannot clean up: %s", detail_of(&result, rv));
        return ECL_EXIT_FAILED;
    }
    if (days) {
        printf("%s finished job%s older than %s days removed\n",
               ecl_print_count(done.jobs_removed, invocation->p), done.jobs_removed == 1 ? "" : "s",
               ecl_print_count(days, invocation->p));
    } else {
        puts("jobs are kept for ever (EclectycImportRetention 0); --days N removes older ones");
    }
    printf("%s file%s without a job removed\n", ecl_print_count(done.files_removed, invocation->p),
           done.files_removed == 1 ? "" : "s");
    if (invocation->settings->history_days) {
        printf("%s %s of the history older than %s days removed\n",
               ecl_print_count(done.events_removed, invocation->p),
               done.events_removed == 1 ? "entry" : "entries",
               ecl_print_count(invocation->settings->history_days, invocation->p));
    }
    return ECL_EXIT_OK;
}
