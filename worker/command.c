#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/log.h"
#include "../lib/migrate.h"
#include "../lib/storage.h"
#include "command.h"

const ecl_command_t ecl_worker_commands[] = {
    {"run", "[--once] [--limit N] [--workers N]",
     "drain the queue: for ever, or until nothing is due (--once), or N jobs", ecl_command_run},
    {"import",
     "FILE [--type auto|hh|daily] [--dry-run] [--json] [--notes TEXT]\n"
     "               [--priority low|normal|high] [--run-after TIME] [--user NAME]\n"
     "               [--meter ID] [--labels start|end] [--timezone ZONE]\n"
     "               [--unit kWh|Wh|MWh|kVArh|kW|m3|ft3|hcf] [--channel AI|AE|RI|RE]\n"
     "               [--date-order dmy|mdy|ymd] [--estimates keep-actual|replace]",
     "queue and run one file now (\"-\": standard input), print the result", ecl_command_import},
    {"migrate", "", "bring the database to the current schema", ecl_command_migrate},
    {"cleanup", "[--days N]", "remove old finished jobs and files that nobody needs",
     ecl_command_cleanup},
    {"check", "", "settings, database, storage, queue: what is wrong, how to mend it",
     ecl_command_check},
    {"copy", "--to-config FILE",
     "copy the database into the one that FILE names, which is migrated and empty",
     ecl_command_copy},
    {NULL, NULL, NULL, NULL}};

static const ecl_command_t *find(const char *name)
{
    const ecl_command_t *command = ecl_worker_commands;

    while (command->name && strcmp(command->name, name)) {
        command++;
    }
    return command;
}

static int print_usage(const ecl_invocation_t *invocation)
{
    const ecl_command_t *command = find(invocation->argv[0]);

    fprintf(stderr, "usage: eclectyc-import-worker --config FILE %s %s\n", command->name,
            command->arguments);
    return ECL_EXIT_USAGE;
}

int ecl_command_usage_error(const ecl_invocation_t *invocation, const char *fmt, ...)
{
    va_list args;

    fputs("eclectyc-import-worker: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return print_usage(invocation);
}

int ecl_command_options(const ecl_invocation_t *invocation, const apr_getopt_option_t *options,
                        const char *(*on_option)(void *baton, int option, const char *value),
                        void *baton, int max_operands, const char *const **poperands, int *pcount)
{
    /* apr_getopt_long takes "-" for an option without a name, so it gets to see another word */
    static const char dash[] = "standard input";
    const char **argv =
        apr_pmemdup(invocation->p, invocation->argv, (apr_size_t)invocation->argc * sizeof *argv);
    apr_getopt_t *state;
    int option;
    const char *value;
    apr_status_t rv;

    for (int i = 0; i < invocation->argc; i++) {
        argv[i] = strcmp(argv[i], "-") ? argv[i] : dash;
    }
    apr_getopt_init(&state, invocation->p, invocation->argc, argv);
    state->interleave = 1;
    while ((rv = apr_getopt_long(state, options, &option, &value)) == APR_SUCCESS) {
        const char *wrong = on_option(baton, option, value == dash ? "-" : value);
        if (wrong) {
            return ecl_command_usage_error(invocation, "%s", wrong);
        }
    }
    if (rv != APR_EOF) {
        return print_usage(invocation); /* apr has said what is wrong */
    }
    for (int i = state->ind; i < state->argc; i++) {
        state->argv[i] = state->argv[i] == dash ? "-" : state->argv[i];
    }
    *poperands = state->argv + state->ind;
    *pcount = state->argc - state->ind;
    if (*pcount > max_operands) {
        return ecl_command_usage_error(invocation, "'%s' is too much", (*poperands)[max_operands]);
    }
    return 0;
}

int ecl_command_begin(ecl_invocation_t *invocation)
{
    apr_pool_t *p = invocation->p;
    ecl_result_t result = ecl_result_make(p);
    apr_status_t rv;

    if (!invocation->config_path && access(ECL_CONFFILE, F_OK) == 0) {
        invocation->config_path = ECL_CONFFILE;
    }
    if (!invocation->config_path) {
        return ecl_command_usage_error(
            invocation,
            "no --config, and no '%s': name the file with the EclectycImport "
            "directives, the same that httpd reads",
            ECL_CONFFILE);
    }
    invocation->settings = ecl_settings_make(p);
    rv = ecl_settings_read(invocation->settings, p, invocation->config_path, &result);
    if (rv == APR_SUCCESS) {
        rv = ecl_clock_make(&invocation->clock, invocation->settings->timezone, p, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_become_owner(invocation->settings, p, &result);
    }
    if (rv != APR_SUCCESS) {
        ecl_log(ECL_LOG_ERROR, 0, ECLNO(3030) "wrong settings: %s",
                result.detail ? result.detail : ecl_strerror(rv, p));
        return ECL_EXIT_CONFIG;
    }
    return 0;
}

int ecl_command_open(ecl_invocation_t *invocation, ecl_db_t **pdb, ecl_db_conn_t **pconn)
{
    const ecl_settings_t *settings = invocation->settings;
    apr_pool_t *p = invocation->p;
    ecl_result_t result = ecl_result_make(p);
    apr_status_t rv = ecl_storage_prepare(settings->storage_dir, p, &result);

    *pconn = NULL;
    if (rv == APR_SUCCESS) {
        rv = ecl_storage_hold(settings->storage_dir, ECL_STORAGE_SHARED, p, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_db_open(pdb, settings->db_driver, settings->db_params, 2, p, &result);
    }
    if (rv == APR_SUCCESS) {
        ecl_db_set_marker(*pdb, ecl_storage_marker(settings->storage_dir, p));
        rv = ecl_db_acquire(pconn, *pdb, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_migrate_up(*pconn, NULL, &result);
    }
    if (rv != APR_SUCCESS) {
        ecl_db_release(*pconn);
        *pconn = NULL;
        ecl_log(ECL_LOG_ERROR, 0, ECLNO(3031) "%s",
                result.detail ? result.detail : ecl_strerror(rv, p));
        return ECL_EXIT_FAILED;
    }
    return 0;
}

const char *ecl_command_user(apr_pool_t *p)
{
    const char *sudo_user = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *user;

    if (sudo_user && *sudo_user) {
        return sudo_user;
    }
    user = getpwuid(getuid());
    return user ? apr_pstrdup(p, user->pw_name) : apr_psprintf(p, "uid %ld", (long)getuid());
}
