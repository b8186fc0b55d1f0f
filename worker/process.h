/*
 * What every process of the worker needs from the operating system: signals, waiting, its name.
 */
#ifndef ECL_PROCESS_H
#define ECL_PROCESS_H

#include <poll.h>
#include <sys/types.h>

#include "../lib/ecl.h"

/* Sets what a process may inherit from httpd, cron or a shell to known values: all signals
 * unblocked and at their default, but SIGPIPE, SIGXFSZ (then write() says it instead) and SIGUSR1,
 * SIGUSR2 (httpd sends them to its process group) ignored; umask 027. Call it first in main. */
void ecl_process_prepare(void);

/* Installs handlers: SIGTERM, SIGINT and SIGHUP set the flag that is returned and, because all
 * waiting goes through ecl_process_wait, end any wait. They unblock these signals, too. */
volatile const int *ecl_process_stop_flag(void);

/* Waits until a descriptor is ready, a signal was handled or timeout_ms (-1: no limit) have passed.
 * Returns at once when the stop flag is set: a signal that comes just before the wait is not
 * missed. fds may be NULL when nfds is 0. revents are 0 unless a descriptor is ready. */
void ecl_process_wait(struct pollfd *fds, nfds_t nfds, int timeout_ms);

/* Asks the kernel for SIGTERM when the parent dies. 0 when it is dead already: then leave. */
int ecl_process_follow_parent(pid_t parent);

/* Makes the kernel prefer this process and its children when memory runs out, rather than httpd's;
 * what cannot be set stays. */
void ecl_process_prefer_to_die(void);

/* The seconds to wait before the next try after so many failures: 1, 2, 4 … 60. */
int ecl_process_backoff_seconds(int failures);

/* A worker process's name in the database: "host:pid"; host is settings->host_name. Allocated from
 * p. */
const char *ecl_process_name(const char *host, pid_t pid, apr_pool_t *p);

/* What tells this process from every other that has or will have its pid: the boot of the kernel,
 * the pid namespace (containers may share a host's name) and when it was started. NULL: cannot be
 * told. Allocated from p. */
const char *ecl_process_identity(apr_pool_t *p);

/* Whether the process of that identity was started before the one that has the pid now. 0 also
 * where that can't be told. */
int ecl_process_is_older(const char *identity, pid_t than, apr_pool_t *p);

/* Whether the process of that pid and identity is gone for certain. 0 also for one of another
 * kernel or namespace, and where /proc does not say. */
int ecl_process_is_gone(pid_t pid, const char *identity, apr_pool_t *p);

#endif /* ECL_PROCESS_H */
