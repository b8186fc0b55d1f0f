#include <errno.h>
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

/* ---- which process ---- */

/* A small file of /proc, or a symbolic link there, as text; NULL: it cannot be read. */
static const char *read_proc(const char *path, int is_link, apr_pool_t *p)
{
    char text[1024];
    ssize_t length = -1;

    if (is_link) {
        length = readlink(path, text, sizeof text);
    } else {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            length = read(fd, text, sizeof text);
            close(fd);
        }
    }
    return length > 0 ? apr_pstrmemdup(p, text, (apr_size_t)length) : NULL;
}

/* The kernel's boot and the pid namespace; NULL also when /proc is that of another namespace: what
 * it says of a pid is said of somebody else then. */
static const char *own_world(apr_pool_t *p)
{
    const char *boot = read_proc("/proc/sys/kernel/random/boot_id", 0, p);
    const char *space = read_proc("/proc/self/ns/pid", 1, p);
    const char *self = read_proc("/proc/self", 1, p);

    if (!boot || !space || !self || strcmp(self, apr_itoa(p, (int)getpid()))) {
        return NULL;
    }
    return apr_psprintf(p, "%.*s %s ", (int)strcspn(boot, "\n"), boot, space);
}

/* When it was started, in ticks since the boot; NULL: cannot be told. *pis_dead: it has ended, and
 * nobody has asked how. */
static const char *start_of(pid_t pid, int *pis_dead, apr_pool_t *p)
{
    const char *stat = read_proc(apr_psprintf(p, "/proc/%d/stat", (int)pid), 0, p);
    /* behind the program's name, which may have any character in it; proc(5) counts from 1 */
    const char *field = stat ? strrchr(stat, ')') : NULL;
    int number = 2;

    *pis_dead = field && (field[1] == ' ') && (field[2] == 'Z' || field[2] == 'X');
    while (field && number < 22) {
        field = strchr(field + 1, ' ');
        number++;
    }
    return field ? apr_pstrmemdup(p, field + 1, strspn(field + 1, "0123456789")) : NULL;
}

const char *ecl_process_identity(apr_pool_t *p)
{
    int is_dead;
    const char *world = own_world(p), *start = start_of(getpid(), &is_dead, p);

    return world && start ? apr_pstrcat(p, world, start, NULL) : NULL;
}

/* What an identity of this world ends with; NULL: it is of another. */
static const char *start_in(const char *identity, apr_pool_t *p)
{
    const char *world = own_world(p);
    apr_size_t length = world ? strlen(world) : 0;

    return world && !strncmp(identity, world, length) ? identity + length : NULL;
}

int ecl_process_is_older(const char *identity, pid_t than, apr_pool_t *p)
{
    const char *start = start_in(identity, p), *other;
    apr_int64_t ticks, other_ticks;
    int is_dead;

    other = start ? start_of(than, &is_dead, p) : NULL;
    return other && ecl_parse_int64(start, 0, APR_INT64_MAX, &ticks) &&
           ecl_parse_int64(other, 0, APR_INT64_MAX, &other_ticks) && ticks < other_ticks;
}

int ecl_process_is_gone(pid_t pid, const char *identity, apr_pool_t *p)
{
    const char *then = start_in(identity, p), *start;
    int is_dead;

    if (!then) {
        return 0;
    }
    if (kill(pid, 0) < 0 && errno == ESRCH) {
        return 1;
    }
    start = start_of(pid, &is_dead, p);
    return is_dead || (start && strcmp(start, then));
}
