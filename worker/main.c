#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "command.h"
#include "logging.h"
#include "process.h"
#include "sql.h"

static void print_usage(FILE *to)
{
    fputs("usage: eclectyc-import-worker [--config FILE] [--log-level LEVEL] COMMAND ...\n"
          "\n"
          "Imports the meter-data files that mod_eclectyc_import has queued.\n"
          "\n"
          "  --config FILE      the file with the EclectycImport directives that httpd reads;\n"
          "                     \"-\": standard input; without it " ECL_CONFFILE "\n"
          "  --log-level LEVEL  crit, error, warn, notice, info (what run begins with) or debug\n"
          "  --help, --version\n"
          "\n"
          "Commands:\n",
          to);
    for (const ecl_command_t *command = ecl_worker_commands; command->name; command++) {
        fprintf(to, "  %s %s\n               %s\n", command->name, command->arguments,
                command->summary);
    }
    fputs("\n"
          "Exit codes: 0 done; 1 failed, or a file without any good row; 2 wrong usage;\n"
          "78 wrong settings. docs/operations.md says more.\n",
          to);
}

static int usage_error(const char *message, const char *value)
{
    fprintf(stderr, "eclectyc-import-worker: %s%s\n", message, value);
    fputs("Try 'eclectyc-import-worker --help'.\n", stderr);
    return ECL_EXIT_USAGE;
}

static int run_command(ecl_invocation_t *invocation, const char *level_name)
{
    const ecl_command_t *command = ecl_worker_commands;
    ecl_log_level_t level;
    int is_daemon;

    while (command->name && strcmp(command->name, invocation->argv[0])) {
        command++;
    }
    if (!command->name) {
        return usage_error("there is no such command: ", invocation->argv[0]);
    }
    is_daemon = command->run == ecl_command_run;
    level = is_daemon ? ECL_LOG_INFO : ECL_LOG_WARN;
    if (level_name && !ecl_logging_level_parse(level_name, &level)) {
        return usage_error("there is no such log level: ", level_name);
    }
    ecl_logging_start(is_daemon ? ECL_LOGGING_HTTPD : ECL_LOGGING_PLAIN, level);
    return command->run(invocation);
}

static int parse_and_run(apr_pool_t *p, int argc, const char *const *argv)
{
    static const apr_getopt_option_t options[] = {{"config", 'c', 1, NULL},
                                                  {"log-level", 'e', 1, NULL},
                                                  {"help", 'h', 0, NULL},
                                                  {"version", 'v', 0, NULL},
                                                  {NULL, 0, 0, NULL}};
    ecl_invocation_t invocation = {.p = p};
    const char *level_name = NULL;
    apr_getopt_t *state;
    int option;
    const char *value;
    apr_status_t rv;

    apr_getopt_init(&state, p, argc, argv);
    while ((rv = apr_getopt_long(state, options, &option, &value)) == APR_SUCCESS) {
        switch (option) {
        case 'c':
            invocation.config_path = value;
            break;
        case 'e':
            level_name = value;
            break;
        case 'v':
            puts("eclectyc-import-worker " ECL_VERSION);
            return ECL_EXIT_OK;
        default:
            print_usage(stdout);
            return ECL_EXIT_OK;
        }
    }
    if (rv != APR_EOF) {
        return usage_error("wrong usage", "");
    }
    invocation.argc = argc - state->ind;
    invocation.argv = argv + state->ind;
    if (invocation.argc < 1) {
        print_usage(stderr);
        return ECL_EXIT_USAGE;
    }
    return run_command(&invocation, level_name);
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *p;
    int code;

    ecl_process_prepare();
    ecl_sql_configure();
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&p, NULL) != APR_SUCCESS) {
        fputs("eclectyc-import-worker: cannot start\n", stderr);
        return ECL_EXIT_FAILED;
    }
    atexit(apr_terminate);
    code = parse_and_run(p, argc, argv);
    if (fflush(stdout) || ferror(stdout)) {
        /* a script that reads the result must not take half of it for all */
        fputs("eclectyc-import-worker: cannot write to standard output\n", stderr);
        return code == ECL_EXIT_OK ? ECL_EXIT_FAILED : code;
    }
    return code;
}
