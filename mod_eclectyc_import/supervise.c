/*
 * How the worker program is started, and how it ends.
 *
 * All of this runs in the server's parent process, which usually is root and must never wait: the
 * program is started by fork and exec from post_config, and again from the monitor hook (about
 * every 10 s) when it has died. Its settings go through a pipe to its standard input, so that no
 * secret stands in a command line or an environment. It stops in one of these ways:
 *
 *   it dies            on_worker_event(DEATH): another one is scheduled
 *   restart, stop      on_worker_event(RESTART) asks it to stop while the server's children end;
 *   graceful restart   then pconf is cleared, and apr ends whatever note_subprocess was told of:
 *                      SIGTERM, and SIGKILL after 3 s
 *   the parent dies    the kernel sends it SIGTERM (PR_SET_PDEATHSIG)
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ap_mpm.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <http_core.h>
#include <http_main.h>
#include <mpm_common.h>

#include "config.h"
#include "private.h"
#include "supervise.h"

#define HEALTHY apr_time_from_sec(60)
#define DELAY_MAX_SECONDS 60
#define EXIT_SETTINGS 78   /* sysexits.h EX_CONFIG: the worker cannot use its settings */
#define EXIT_CANNOT_RUN 71 /* EX_OSERR: what the child says when exec failed */

typedef struct supervisor_t {
    server_rec *server;
    const ecl_settings_t *settings;
    apr_pool_t *pconf;
    apr_pool_t *run;  /* what belongs to one process; NULL before the first */
    apr_proc_t *proc; /* in run; NULL: not running */
    apr_time_t started_at;
    apr_time_t start_at; /* when to start it again; 0: not at all */
    int failures;        /* in a row */
} supervisor_t;

/* Of this configuration: forgotten when pconf is cleared. */
static supervisor_t *supervisor;

static apr_status_t forget_supervisor(void *data)
{
    (void)data;
    supervisor = NULL;
    return APR_SUCCESS;
}

/* ---- ends ------------------------------------------------------------------------------------ */

static int server_is_stopping(void)
{
    int state;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

/* Returns the seconds until the next start. */
static int schedule(supervisor_t *s)
{
    apr_time_t now = apr_time_now();
    int seconds;

    if (s->started_at && now - s->started_at >= HEALTHY) {
        s->failures = 0;
    }
    seconds = s->failures < 6 ? 1 << s->failures : DELAY_MAX_SECONDS;
    s->failures++;
    s->start_at = now + apr_time_from_sec(seconds);
    return seconds;
}

/* `status` is what the MPMs hand to apr_proc_other_child_alert: the exit code or the number of the
 * signal, and nothing that says which. The worker handles signals 1 and 2, and has no exit codes
 * from 3 to 64. */
static int is_signal(int status)
{
    return status > 2 && status <= 64;
}

static void worker_died(supervisor_t *s, pid_t pid, int status)
{
    int seconds;

    if (server_is_stopping()) {
        return;
    }
    if (status == EXIT_SETTINGS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s->server,
                     ECLNO(2501) "the worker cannot use its settings (see the lines above) and is "
                                 "not started again; uploads wait until the settings are put "
                                 "right and the server is reloaded");
        return;
    }
    seconds = schedule(s);
    if (status == EXIT_CANNOT_RUN) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s->server,
                     ECLNO(2502) "cannot run the worker program '%s' as the server's user, next "
                                 "try in %d s",
                     s->settings->worker_program, seconds);
    } else {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s->server,
                     ECLNO(2503) "worker %d died (%s %d), next start in %d s", (int)pid,
                     is_signal(status) ? "signal" : "exit code", status, seconds);
    }
}

static void on_worker_event(int reason, void *data, int status)
{
    supervisor_t *s = data;
    pid_t pid;

    if (!s->proc) {
        return; /* UNREGISTER, called from within one of the cases below */
    }
    pid = s->proc->pid;
    switch (reason) {
    case APR_OC_REASON_DEATH:
    case APR_OC_REASON_LOST:
        /* The pool was told to end this process, and will wait for its number and send it signals
         * if that is a child of ours: by then it may be another child's. Our own number never is.
         */
        s->proc->pid = getpid();
        s->proc = NULL;
        apr_proc_other_child_unregister(data);
        worker_died(s, pid, reason == APR_OC_REASON_DEATH ? status : 0);
        break;
    case APR_OC_REASON_RESTART:
        /* it has until pconf is cleared and 3 s more */
        s->proc = NULL;
        apr_proc_other_child_unregister(data);
        kill(pid, SIGTERM);
        break;
    default: /* UNREGISTER: the pool ends the process */
        break;
    }
}

/* ---- starting -------------------------------------------------------------------------------- */

/* The settings in a pipe, whose reading end is returned; -1 after it has been told why not. */
static int settings_pipe(supervisor_t *s, apr_pool_t *p)
{
    const char *text = ecl_settings_text(s->settings, p);
    size_t length = strlen(text);
    int fds[2];
    ssize_t written;

    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, s->server,
                     ECLNO(2504) "cannot make a pipe for the worker");
        return -1;
    }
    /* Nobody reads yet, so all of it must fit: 64 KiB usually, but only a page when the user has
     * many pipes. */
    if (length > 4096) {
        fcntl(fds[1], F_SETPIPE_SZ, (int)length);
    }
    written = write(fds[1], text, length);
    close(fds[1]); /* before fork, so that the worker sees the end */
    if (written != (ssize_t)length) {
        ap_log_error(APLOG_MARK, APLOG_ERR, written < 0 ? errno : 0, s->server,
                     ECLNO(2505) "cannot pass %" APR_SIZE_T_FMT " bytes of settings to the worker",
                     length);
        close(fds[0]);
        return -1;
    }
    fcntl(fds[0], F_SETFL, 0); /* the worker's reads wait as usual */
    return fds[0];
}

static const char *log_level(server_rec *server)
{
    static const char *const names[] = {"crit", "crit",   "crit", "error",
                                        "warn", "notice", "info", "debug"};
    int level = ap_get_server_module_loglevel(server, APLOG_MODULE_INDEX);

    return names[level < 0 ? 0 : level > APLOG_DEBUG ? APLOG_DEBUG : level];
}

static void become_worker(supervisor_t *s, int settings_fd, pid_t parent, const char *level)
    __attribute__((noreturn));

/* In the child. */
static void become_worker(supervisor_t *s, int settings_fd, pid_t parent, const char *level)
{
    const char *const argv[] = {
        "eclectyc-import-worker", "--config", "-", "--log-level", level, "run", NULL};
    const char *const environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                                       "/sbin:/bin",
                                       "LC_ALL=C.UTF-8", NULL};
    int rv;

    /* unlike apr_procattr_user_set this leaves no supplementary group of root's */
    rv = ap_run_drop_privileges(s->run, s->server);
    if (rv != OK && rv != DECLINED) {
        _exit(EXIT_CANNOT_RUN); /* mod_unixd has logged it */
    }
    /* after the change of user, which clears it */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(0);
    }
    if (dup2(settings_fd, STDIN_FILENO) < 0) {
        _exit(EXIT_CANNOT_RUN);
    }
    apr_pool_cleanup_for_exec();
    execve(s->settings->worker_program, (char *const *)argv, (char *const *)environment);
    _exit(EXIT_CANNOT_RUN);
}

/* Told before fork, where it can be told best; what only the worker's user meets comes as
 * EXIT_CANNOT_RUN. */
static int program_is_there(supervisor_t *s)
{
    const char *path = s->settings->worker_program;
    struct stat info;
    int error = 0;

    if (stat(path, &info) || faccessat(AT_FDCWD, path, X_OK, AT_EACCESS)) {
        error = errno;
    } else if (!S_ISREG(info.st_mode)) {
        error = EACCES;
    }
    if (error) {
        ap_log_error(
            APLOG_MARK, APLOG_ERR, error, s->server,
            ECLNO(2506) "cannot run the worker program '%s' (EclectycImportWorkerProgram): "
                        "uploads wait in the queue",
            path);
    }
    return !error;
}

static void start_worker(supervisor_t *s)
{
    const char *level = log_level(s->server);
    pid_t parent = getpid();
    apr_proc_t *proc;
    int settings_fd;

    s->start_at = 0;
    if (s->run) {
        apr_pool_destroy(s->run);
    }
    apr_pool_create(&s->run, s->pconf);
    settings_fd = program_is_there(s) ? settings_pipe(s, s->run) : -1;
    if (settings_fd < 0) {
        schedule(s);
        return;
    }
    proc = apr_pcalloc(s->run, sizeof *proc);
    proc->pid = fork();
    if (proc->pid == 0) {
        become_worker(s, settings_fd, parent, level);
    }
    close(settings_fd);
    if (proc->pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, s->server, ECLNO(2507) "cannot fork the worker");
        schedule(s);
        return;
    }
    s->started_at = apr_time_now();
    s->proc = proc;
    apr_pool_note_subprocess(s->run, proc, APR_KILL_AFTER_TIMEOUT);
    apr_proc_other_child_register(proc, on_worker_event, s, NULL, s->run);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, s->server, ECLNO(2500) "worker %d started",
                 (int)proc->pid);
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *server)
{
    const ecl_settings_t *settings = ecl_module_settings(server);

    (void)plog;
    (void)ptemp;
    /* at start the configuration is read twice; in between httpd becomes a daemon, another process
     */
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || settings->workers == 0) {
        return OK;
    }
    supervisor = apr_pcalloc(pconf, sizeof *supervisor);
    apr_pool_cleanup_register(pconf, supervisor, forget_supervisor, apr_pool_cleanup_null);
    supervisor->server = server;
    supervisor->settings = settings;
    supervisor->pconf = pconf;
    start_worker(supervisor);
    return OK; /* without a worker the server still takes uploads */
}

static int monitor(apr_pool_t *p, server_rec *server)
{
    (void)p;
    (void)server;
    if (supervisor && supervisor->start_at && apr_time_now() >= supervisor->start_at &&
        !server_is_stopping()) {
        start_worker(supervisor);
    }
    return DECLINED;
}

void ecl_supervise_register(apr_pool_t *p)
{
    (void)p;
    /* last: a server that will not start shall not have started a worker */
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_REALLY_LAST);
    ap_hook_monitor(monitor, NULL, NULL, APR_HOOK_MIDDLE);
}
