#include "../lib/log.h"
#include "command.h"
#include "process.h"

#define WORKERS_MAX 64

static const apr_getopt_option_t run_options[] = {{"once", 'o', 0, "leave when nothing is due"},
                                                  {"limit", 'l', 1, "leave after that many jobs"},
                                                  {"workers", 'w', 1, "worker processes"},
                                                  {NULL, 0, 0, NULL}};

static const char *on_option(void *baton, int option, const char *value)
{
    ecl_master_options_t *options = baton;
    apr_int64_t number;

    if (option == 'o') {
        options->once = 1;
    } else if (option == 'l') {
        if (!ecl_parse_int64(value, 1, APR_INT64_MAX, &options->limit)) {
            return "--limit takes a number of jobs, 1 or more";
        }
    } else {
        if (!ecl_parse_int64(value, 1, WORKERS_MAX, &number)) {
            return "--workers takes a number of processes, 1 to 64";
        }
        options->workers = (int)number;
    }
    return NULL;
}

int ecl_command_run(ecl_invocation_t *invocation)
{
    ecl_master_options_t options = {0};
    const char *const *operands;
    int count;
    int code;

    ecl_process_prefer_to_die(); /* before a change of user, which takes the right to do it */
    code = ecl_command_options(invocation, run_options, on_option, &options, 0, &operands, &count);
    if (!code) {
        code = ecl_command_begin(invocation);
    }
    if (code) {
        return code;
    }
    if (!options.workers) {
        /* 0 in the settings says that the server starts none: this one is started otherwise */
        options.workers = invocation->settings->workers > 0 ? invocation->settings->workers : 1;
    }
    if (options.limit && options.limit < options.workers) {
        options.workers = (int)options.limit;
    }
    options.clock = invocation->clock;
    return ecl_master_run(invocation->settings, &options, invocation->p);
}
