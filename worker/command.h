/*
 * The commands of eclectyc-import-worker. main.c finds one by name and calls it; a command parses
 * its own options first (wrong usage is told before anything is touched), then reads the settings.
 */
#ifndef ECL_COMMAND_H
#define ECL_COMMAND_H

#include <stdio.h>

#include <apr_getopt.h>

#include "../lib/db.h"
#include "../lib/settings.h"
#include "clock.h"
#include "worker.h"

typedef struct ecl_invocation_t {
    apr_pool_t *p;
    const char *config_path; /* of --config; "-" is stdin; NULL: not given, then ECL_CONFFILE */
    int argc;                /* of the command: argv[0] is its name */
    const char *const *argv;
    /* set by ecl_command_begin */
    ecl_settings_t *settings;
    ecl_clock_t *clock; /* of the settings' time zone */
} ecl_invocation_t;

typedef struct ecl_command_t {
    const char *name;
    const char *arguments; /* for the usage line */
    const char *summary;
    int (*run)(ecl_invocation_t *invocation); /* returns the exit code */
} ecl_command_t;

extern const ecl_command_t ecl_worker_commands[]; /* ends with a name of NULL */

int ecl_command_run(ecl_invocation_t *invocation);
int ecl_command_import(ecl_invocation_t *invocation);
int ecl_command_migrate(ecl_invocation_t *invocation);
int ecl_command_cleanup(ecl_invocation_t *invocation);
int ecl_command_check(ecl_invocation_t *invocation);
int ecl_command_copy(ecl_invocation_t *invocation);

/* Options and operands of a command in any order. on_option is called for every option and returns
 * NULL or what is wrong with its value. *poperands are the operands left, *pcount how many.
 * Returns 0, or ECL_EXIT_USAGE after it has told why. */
int ecl_command_options(const ecl_invocation_t *invocation, const apr_getopt_option_t *options,
                        const char *(*on_option)(void *baton, int option, const char *value),
                        void *baton, int max_operands, const char *const **poperands, int *pcount);

/* Says what is wrong with the way a command was called, and how it is; returns ECL_EXIT_USAGE. */
int ecl_command_usage_error(const ecl_invocation_t *invocation, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads the settings, checks what only a worker can (the time zone), and becomes the owner of the
 * storage directory. Returns 0, or an exit code after it has told why. */
int ecl_command_begin(ecl_invocation_t *invocation);

/* The storage directory, and a connection to a database with the current schema. Failures are
 * told; returns 0 or ECL_EXIT_FAILED. *pdb lives with the invocation's pool. */
int ecl_command_open(ecl_invocation_t *invocation, ecl_db_t **pdb, ecl_db_conn_t **pconn);

/* Who runs this command, by the operating system's name: the person behind sudo rather than root.
 * To be asked before ecl_command_begin, which may become another user. Allocated from p. */
const char *ecl_command_user(apr_pool_t *p);

#endif /* ECL_COMMAND_H */
