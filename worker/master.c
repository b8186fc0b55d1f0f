/*
 * The master owns the worker processes and the keeper, and nothing else: it never opens the
 * database, allocates nothing while it runs, and waits for signals and children in one place.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/log.h"
#include "keeper.h"
#include "process.h"
#include "worker.h"

#define HEALTHY apr_time_from_sec(60)
/* httpd kills the master 3 s after SIGTERM. What a worker process has not finished by then is
 * killed before, so that none outlives its master. */
#define STOP_TIME apr_time_from_msec(2200)
#define KEEPER_STOP_TIME apr_time_from_msec(500)

typedef struct child_t {
    pid_t pid; /* 0: none */
    apr_time_t started_at;
    apr_time_t start_at; /* when the next one may start */
    int failures;
    int done;          /* ended by itself, as `once` or `limit` say */
    int killed;        /* with SIGKILL, by us */
    apr_int64_t *line; /* shared with a worker process, see ecl_slot_run; NULL: the keeper */
} child_t;

typedef struct master_t {
    const ecl_settings_t *settings;
    const ecl_master_options_t *options;
    apr_pool_t *p;
    apr_int64_t *jobs_left; /* shared with the worker processes; NULL: no limit */
    child_t *slots;
    child_t keeper;
    int deaths[2];   /* pipe to the keeper; the reading end stays open here, so that what a dead
                        keeper has not read is read by the next one */
    int stopping;    /* no more is started */
    int interrupted; /* by a signal: somebody waits for the end */
    int exit_code;
    sigset_t signals; /* blocked, and taken by sigtimedwait */
} master_t;

/* ---- starting -------------------------------------------------------------------------------- */

static void run_child(master_t *master, const child_t *child, pid_t parent)
{
    int code = ECL_EXIT_OK;

    close(master->deaths[1]); /* the keeper's pipe ends when the master does */
    if (child == &master->keeper) {
        prctl(PR_SET_NAME, "eclectyc-keeper");
        code = ecl_keeper_run(master->settings, master->deaths[0], master->p);
    } else {
        close(master->deaths[0]);
        prctl(PR_SET_NAME, "eclectyc-slot");
        if (ecl_process_follow_parent(parent)) {
            code = ecl_slot_run(master->settings, master->options, master->jobs_left, child->line,
                                master->p);
        }
    }
    exit(code);
}

static void start_child(master_t *master, child_t *child)
{
    apr_time_t now = apr_time_now();
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid == 0) {
        run_child(master, child, parent);
    }
    if (pid < 0) {
        int wait_seconds = ecl_process_backoff_seconds(child->failures++);
        child->start_at = now + apr_time_from_sec(wait_seconds);
        ecl_log(ECL_LOG_ERROR, errno, ECLNO(3001) "cannot start a worker process, next try in %d s",
                wait_seconds);
        return;
    }
    child->pid = pid;
    child->killed = 0;
    child->started_at = now;
}

/* Starts those that are due; returns when the next one will be, 0: none is waiting. */
static apr_time_t start_due(master_t *master)
{
    apr_time_t next = 0;
    apr_time_t now = apr_time_now();

    for (int i = 0; i <= master->options->workers; i++) {
        child_t *child = i < master->options->workers ? &master->slots[i] : &master->keeper;
        if (child->pid || child->done) {
            continue;
        }
        if (child->start_at <= now) {
            start_child(master, child);
        }
        if (!child->pid && (!next || child->start_at < next)) {
            next = child->start_at;
        }
    }
    return next;
}

/* ---- ends ------------------------------------------------------------------------------------ */

static void tell_keeper(const master_t *master, const child_t *slot, int status)
{
    ecl_death_t death;
    ssize_t written;

    memset(&death, 0, sizeof death); /* padding, too: it goes through a pipe */
    death.pid = slot->pid;
    death.line = *slot->line;
    death.status = status;
    death.stopped = master->stopping;
    written = write(master->deaths[1], &death, sizeof death);
    if (written < 0) {
        ecl_log(ECL_LOG_WARN, errno,
                ECLNO(3002) "cannot give back the job of dead worker process %d, it runs again "
                            "when its lease ends",
                (int)slot->pid);
    }
    *slot->line = 0;
}

static void schedule(child_t *child, const char *what, const char *how, int number)
{
    apr_time_t now = apr_time_now();
    int wait_seconds;

    if (now - child->started_at >= HEALTHY) {
        child->failures = 0;
    }
    /* at once after the first death, so that its job does not wait */
    wait_seconds = child->failures ? ecl_process_backoff_seconds(child->failures - 1) : 0;
    child->failures++;
    child->start_at = now + apr_time_from_sec(wait_seconds);
    ecl_log(ECL_LOG_WARN, 0, ECLNO(3003) "%s process %d died (%s %d), starting another in %d s",
            what, (int)child->pid, how, number, wait_seconds);
}

static void slot_ended(master_t *master, child_t *slot, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    int limited = master->options->once || master->jobs_left;

    if (code != ECL_EXIT_OK) {
        tell_keeper(master, slot, status);
    }
    if (master->stopping) {
        return;
    }
    if (code == ECL_EXIT_CONFIG) {
        master->stopping = 1; /* the slot has said why; another one would fail as well */
        master->exit_code = ECL_EXIT_CONFIG;
    } else if (limited && (code == ECL_EXIT_OK || code == ECL_EXIT_FAILED)) {
        /* a slot also leaves when another one holds the last of the limit and gives it back */
        slot->done = master->options->once || code != ECL_EXIT_OK || *master->jobs_left <= 0;
        slot->start_at = 0;
        if (code != ECL_EXIT_OK) {
            master->exit_code = code;
        }
    } else if (code >= 0) {
        schedule(slot, "worker", "exit code", code);
    } else {
        schedule(slot, "worker", "signal", WTERMSIG(status));
    }
}

static void keeper_ended(master_t *master, int status)
{
    if (!master->stopping) {
        if (WIFEXITED(status)) {
            schedule(&master->keeper, "housekeeping", "exit code", WEXITSTATUS(status));
        } else {
            schedule(&master->keeper, "housekeeping", "signal", WTERMSIG(status));
        }
    }
}

static void reap(master_t *master)
{
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == master->keeper.pid) {
            keeper_ended(master, status);
            master->keeper.pid = 0;
            continue;
        }
        for (int i = 0; i < master->options->workers; i++) {
            if (master->slots[i].pid == pid) {
                slot_ended(master, &master->slots[i], status);
                master->slots[i].pid = 0;
                break;
            }
        }
    }
}

static int slots_running(const master_t *master)
{
    int running = 0;

    for (int i = 0; i < master->options->workers; i++) {
        running += master->slots[i].pid != 0;
    }
    return running;
}

static int slots_done(const master_t *master)
{
    int done = 0;

    for (int i = 0; i < master->options->workers; i++) {
        done += master->slots[i].done;
    }
    return done == master->options->workers;
}

static void signal_slots(master_t *master, int number)
{
    for (int i = 0; i < master->options->workers; i++) {
        if (master->slots[i].pid) {
            kill(master->slots[i].pid, number);
        }
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Waits for a signal; until (0: as long as it takes). */
static void wait_for_signal(master_t *master, apr_time_t until)
{
    apr_time_t left = until ? until - apr_time_now() : apr_time_from_sec(3600);
    struct timespec timeout;
    int number;

    left = left < 0 ? 0 : left;
    timeout.tv_sec = (time_t)apr_time_sec(left);
    timeout.tv_nsec = (long)apr_time_usec(left) * 1000;
    number = sigtimedwait(&master->signals, NULL, &timeout);
    if (number == SIGTERM || number == SIGINT || number == SIGHUP) {
        master->stopping = 1;
        master->interrupted = 1;
    }
}

static void stop_slots(master_t *master)
{
    apr_time_t until = apr_time_now() + STOP_TIME;

    master->stopping = 1;
    signal_slots(master, SIGTERM);
    for (reap(master); slots_running(master) && apr_time_now() < until; reap(master)) {
        wait_for_signal(master, until);
    }
    if (slots_running(master)) {
        ecl_log(ECL_LOG_WARN, 0,
                ECLNO(3004) "%d worker processes have not stopped in time and are killed; their "
                            "jobs go on from their last batch",
                slots_running(master));
        signal_slots(master, SIGKILL);
        while (slots_running(master)) {
            wait_for_signal(master, apr_time_now() + apr_time_from_msec(100));
            reap(master);
        }
    }
}

/* The end of its pipe is what tells the keeper to leave. After a run that came to its end by itself
 * (cron) it has all the time it needs to tidy up. */
static void stop_keeper(master_t *master)
{
    apr_time_t until = 0;

    close(master->deaths[1]);
    for (reap(master); master->keeper.pid; reap(master)) {
        if (master->interrupted && !until) {
            until = apr_time_now() + KEEPER_STOP_TIME;
        }
        if (until && apr_time_now() >= until) {
            break;
        }
        wait_for_signal(master, until);
    }
    if (master->keeper.pid) {
        kill(master->keeper.pid, SIGKILL); /* in the middle of a transaction at worst */
        waitpid(master->keeper.pid, NULL, 0);
    }
}

/* Zeroed memory that is shared with the processes started later; NULL: there is none. */
static apr_int64_t *share_numbers(int count)
{
    void *memory = mmap(NULL, (apr_size_t)count * sizeof(apr_int64_t), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static apr_status_t prepare(master_t *master, ecl_result_t *result)
{
    int workers = master->options->workers;
    apr_int64_t *numbers;

    sigemptyset(&master->signals);
    sigaddset(&master->signals, SIGTERM);
    sigaddset(&master->signals, SIGINT);
    sigaddset(&master->signals, SIGHUP);
    sigaddset(&master->signals, SIGCHLD);
    sigprocmask(SIG_BLOCK, &master->signals, NULL);
    numbers = share_numbers(workers + 1);
    if (!numbers) {
        return ecl_fail(result, errno, "no-memory", "cannot map memory");
    }
    master->slots = apr_pcalloc(master->p, (apr_size_t)workers * sizeof(child_t));
    for (int i = 0; i < workers; i++) {
        master->slots[i].line = &numbers[i];
    }
    if (master->options->limit > 0) {
        master->jobs_left = &numbers[workers];
        *master->jobs_left = master->options->limit;
    }
    if (pipe2(master->deaths, O_NONBLOCK | O_CLOEXEC)) {
        return ecl_fail(result, errno, "no-pipe", "cannot make a pipe");
    }
    return APR_SUCCESS;
}

int ecl_master_run(const ecl_settings_t *settings, const ecl_master_options_t *options,
                   apr_pool_t *p)
{
    master_t master = {.settings = settings, .options = options, .p = p};
    ecl_result_t result = ecl_result_make(p);
    /* httpd writes every notice; cron, which starts one every minute, mails what is written */
    ecl_log_level_t lifecycle = options->once ? ECL_LOG_INFO : ECL_LOG_NOTICE;

    if (prepare(&master, &result) != APR_SUCCESS) {
        ecl_log(ECL_LOG_CRIT, result.status, ECLNO(3005) "cannot start: %s", result.detail);
        return ECL_EXIT_FAILED;
    }
    ecl_log(lifecycle, 0, ECLNO(3006) "worker %s started with %d processes", ECL_VERSION,
            options->workers);
    while (!master.stopping && !slots_done(&master)) {
        wait_for_signal(&master, start_due(&master));
        reap(&master);
    }
    stop_slots(&master);
    stop_keeper(&master);
    close(master.deaths[0]);
    ecl_log(lifecycle, 0, ECLNO(3007) "worker stopped");
    return master.exit_code;
}
