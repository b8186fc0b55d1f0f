#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <apr_network_io.h>

#include "process.h"

static volatile int stop_requested;

static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

void ecl_process_prepare(void)
{
    static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGUSR1, SIGUSR2};
    sigset_t none;

    /* what exec hands on is either the default or that a signal is ignored */
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (!sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN) {
            signal(number, SIG_DFL);
        }
    }
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        signal(ignored[i], SIG_IGN);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(027);
}

static void on_stop(int number)
{
    (void)number;
    stop_requested = 1;
}

static void stop_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof stop_signals / sizeof stop_signals[0]; i++) {
        sigaddset(set, stop_signals[i]);
    }
}

volatile const int *ecl_process_stop_flag(void)
{
    struct sigaction action;
    sigset_t set;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_stop;
    /* system calls in the middle of a batch go on; ppoll is never restarted */
    action.sa_flags = SA_RESTART;
    stop_set(&set);
    action.sa_mask = set;
    for (size_t i = 0; i < sizeof stop_signals / sizeof stop_signals[0]; i++) {
        sigaction(stop_signals[i], &action, NULL);
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    return &stop_requested;
}

void ecl_process_wait(struct pollfd *fds, nfds_t nfds, int timeout_ms)
{
    struct timespec timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000000L};
    sigset_t set, before;

    for (nfds_t i = 0; i < nfds; i++) {
        fds[i].revents = 0;
    }
    stop_set(&set);
    sigprocmask(SIG_BLOCK, &set, &before);
    if (!stop_requested && ppoll(fds, nfds, timeout_ms < 0 ? NULL : &timeout, &before) < 0) {
        for (nfds_t i = 0; i < nfds; i++) {
            fds[i].revents = 0;
        }
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int ecl_process_follow_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    return getppid() == parent; /* it may have died before the call above */
}

void ecl_process_prefer_to_die(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        ssize_t written = write(fd, "500", 3);
        (void)written; /* no such file in a jail, or not allowed: nothing hangs on it */
        close(fd);
    }
}

int ecl_process_backoff_seconds(int failures)
{
    return failures < 6 ? 1 << failures : 60;
}

const char *ecl_process_name(const char *host, pid_t pid, apr_pool_t *p)
{
    return apr_psprintf(p, "%s:%d", host, (int)pid);
}
