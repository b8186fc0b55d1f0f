/* What the worker's processes rest on: log lines, signals, waiting, being woken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "directory.h"
#include "start_apr.h"
#include "worker/logging.h"
#include "worker/print.h"
#include "worker/process.h"
#include "worker/wake.h"

typedef struct env_t {
    apr_pool_t *pool;
    char dir[64];
    int saved_stderr;
    int lines; /* a socket that keeps writes to stderr apart; -1: not captured */
} env_t;

static int set_up(void **state)
{
    env_t *env = calloc(1, sizeof *env);

    apr_pool_create(&env->pool, NULL);
    make_directory(env->dir, sizeof env->dir);
    env->saved_stderr = env->lines = -1;
    *state = env;
    return 0;
}

static int tear_down(void **state)
{
    env_t *env = *state;

    ecl_log_set(NULL, NULL);
    if (env->lines >= 0) {
        dup2(env->saved_stderr, STDERR_FILENO);
        close(env->saved_stderr);
        close(env->lines);
    }
    remove_directory(env->dir);
    apr_pool_destroy(env->pool);
    free(env);
    return 0;
}

/* ---- logging --------------------------------------------------------------------------------- */

static void capture_stderr(env_t *env)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    env->saved_stderr = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    env->lines = ends[0];
}

/* What one write() wrote; NULL when there was none. */
static const char *next_write(env_t *env)
{
    static char buffer[16384];
    ssize_t got = recv(env->lines, buffer, sizeof buffer - 1, 0);

    if (got < 0) {
        return NULL;
    }
    buffer[got] = '\0';
    return buffer;
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;

    assert_non_null(text);
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&regex, text, 0, NULL, 0)) {
        fail_msg("\"%s\" does not match %s", text, pattern);
    }
    regfree(&regex);
}

static void test_lines_look_like_httpds(void **state)
{
    env_t *env = *state;

    capture_stderr(env);
    ecl_logging_start(ECL_LOGGING_HTTPD, ECL_LOG_INFO);
    ecl_log(ECL_LOG_INFO, 0, "ECL1: job %d", 7);
    assert_matches(next_write(env), "^\\[(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [0-9]{2} "
                                    "[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6} [0-9]{4}\\] "
                                    "\\[eclectyc_import:info\\] \\[pid [0-9]+\\] ECL1: job 7\n$");
    ecl_log(ECL_LOG_ERROR, ENOENT, "ECL2: cannot open");
    assert_matches(next_write(env), "\\[eclectyc_import:error\\] \\[pid [0-9]+\\] "
                                    "\\(2\\)No such file or directory: ECL2: cannot open\n$");
}

static void test_levels_above_the_chosen_one_are_left_out(void **state)
{
    env_t *env = *state;

    capture_stderr(env);
    ecl_logging_start(ECL_LOGGING_HTTPD, ECL_LOG_WARN);
    ecl_log(ECL_LOG_INFO, 0, "not this");
    assert_null(next_write(env));
    ecl_log(ECL_LOG_NOTICE, 0, "httpd writes every notice");
    assert_non_null(next_write(env));
    ecl_logging_start(ECL_LOGGING_PLAIN, ECL_LOG_WARN);
    ecl_log(ECL_LOG_NOTICE, 0, "not at a terminal");
    assert_null(next_write(env));
    ecl_log(ECL_LOG_WARN, 0, "this");
    assert_string_equal(next_write(env), "eclectyc-import-worker: warn: this\n");
}

static void test_a_line_is_one_write_whatever_it_holds(void **state)
{
    env_t *env = *state;
    char *text = malloc(5000);
    const char *line;

    capture_stderr(env);
    ecl_logging_start(ECL_LOGGING_HTTPD, ECL_LOG_INFO);
    ecl_log(ECL_LOG_INFO, 0, "a\nb\x1b[2Jc");
    assert_matches(next_write(env), "a\\\\x0ab\\\\x1b\\[2Jc\n$");
    for (int fill = 0; fill < 2; fill++) {
        memset(text, fill ? '\n' : 'x', 4999);
        text[4999] = '\0';
        ecl_log(ECL_LOG_INFO, 0, "%s", text);
        line = next_write(env);
        assert_in_range(strlen(line), 3000, 4096);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        assert_null(next_write(env));
    }
    free(text);
}

static void test_level_names(void **state)
{
    ecl_log_level_t level;

    (void)state;
    assert_true(ecl_logging_level_parse("crit", &level));
    assert_int_equal(level, ECL_LOG_CRIT);
    assert_true(ecl_logging_level_parse("debug", &level));
    assert_int_equal(level, ECL_LOG_DEBUG);
    assert_false(ecl_logging_level_parse("Info", &level));
    assert_false(ecl_logging_level_parse("", &level));
}

/* ---- signals --------------------------------------------------------------------------------- */

/* Runs a check in a process of its own, which may change its signals. */
static void in_child(int (*check)(void))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(check() ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int is_ignored(int number)
{
    struct sigaction action;

    return !sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN;
}

static int inherited_signals_are_undone(void)
{
    sigset_t blocked;

    signal(SIGTERM, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    sigfillset(&blocked);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    umask(0);
    ecl_process_prepare();
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    return !is_ignored(SIGTERM) && !is_ignored(SIGCHLD) && !is_ignored(SIGHUP) &&
           is_ignored(SIGPIPE) && is_ignored(SIGXFSZ) && is_ignored(SIGUSR1) &&
           !sigismember(&blocked, SIGTERM) && !sigismember(&blocked, SIGCHLD) && umask(0) == 027;
}

static void test_inherited_signals(void **state)
{
    (void)state;
    in_child(inherited_signals_are_undone);
}

static int a_stop_before_a_wait_ends_it(void)
{
    volatile const int *stop = ecl_process_stop_flag();

    if (*stop) {
        return 0;
    }
    alarm(20); /* kills this process if it does wait */
    raise(SIGTERM);
    ecl_process_wait(NULL, 0, -1);
    return *stop;
}

static int a_stop_while_waiting_ends_it(void)
{
    volatile const int *stop = ecl_process_stop_flag();
    pid_t child = fork();

    if (child == 0) {
        kill(getppid(), SIGHUP);
        _exit(0);
    }
    alarm(20);
    while (!*stop) {
        ecl_process_wait(NULL, 0, -1);
    }
    return waitpid(child, NULL, 0) == child;
}

static void test_a_stop_is_never_missed(void **state)
{
    (void)state;
    in_child(a_stop_before_a_wait_ends_it);
    in_child(a_stop_while_waiting_ends_it);
}

static void test_waiting_for_a_descriptor(void **state)
{
    struct pollfd fd = {.events = POLLIN, .revents = POLLIN};
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    fd.fd = ends[0];
    ecl_process_wait(&fd, 1, 0);
    assert_int_equal(fd.revents, 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    ecl_process_wait(&fd, 1, -1);
    assert_int_equal(fd.revents, POLLIN);
    close(ends[0]);
    close(ends[1]);
}

/* A process whose parent is killed must go, too: that is what keeps orphans away. */
static void test_following_the_parent(void **state)
{
    int ends[2];
    char byte;
    pid_t parent;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    parent = fork();
    if (parent == 0) {
        pid_t self = getpid();
        if (fork() == 0) {
            assert_true(ecl_process_follow_parent(self));
            assert_false(ecl_process_follow_parent(self + 1)); /* one that is dead already */
            (void)!write(ends[1], "x", 1);
            for (;;) {
                pause();
            }
        }
        for (;;) {
            pause();
        }
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    /* the end of the pipe: nobody is left who could write */
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

static void test_delays_double_up_to_a_minute(void **state)
{
    const int expected[] = {1, 2, 4, 8, 16, 32, 60, 60};

    (void)state;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(ecl_process_backoff_seconds(i), expected[i]);
    }
    assert_int_equal(ecl_process_backoff_seconds(100000), 60);
}

static void test_names(void **state)
{
    env_t *env = *state;

    assert_string_equal(ecl_process_name("import1", 123, env->pool), "import1:123");
}

/* A child that waits to be killed; its identity, as it sees it. */
static pid_t start_child(const char **pidentity, apr_pool_t *p)
{
    char text[256] = "";
    int fds[2];
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const char *identity = ecl_process_identity(p);
        _exit(!identity || write(fds[1], identity, strlen(identity)) < 1 || pause());
    }
    close(fds[1]);
    assert_true(read(fds[0], text, sizeof text - 1) > 0);
    close(fds[0]);
    *pidentity = apr_pstrdup(p, text);
    return pid;
}

static void test_a_process_that_is_gone(void **state)
{
    env_t *env = *state;
    const char *own = ecl_process_identity(env->pool), *identity;
    char *other;
    siginfo_t info;
    pid_t pid = start_child(&identity, env->pool);

    assert_non_null(own);
    assert_string_not_equal(own, "");
    assert_false(ecl_process_is_gone(getpid(), own, env->pool));
    assert_false(ecl_process_is_gone(pid, identity, env->pool));

    /* one that has the same pid, but was started at another time */
    assert_true(ecl_process_is_gone(getpid(), apr_pstrcat(env->pool, own, "0", NULL), env->pool));

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(ecl_process_is_gone(pid, identity, env->pool)); /* a zombie */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(ecl_process_is_gone(pid, identity, env->pool));

    /* of another boot, and of another namespace: whose pids say nothing */
    other = apr_pstrdup(env->pool, identity);
    other[0] = other[0] == '0' ? '1' : '0';
    assert_false(ecl_process_is_gone(pid, other, env->pool));
    other = apr_pstrdup(env->pool, identity);
    assert_non_null(strstr(other, "pid:["));
    (strstr(other, "pid:["))[5] ^= 1;
    assert_false(ecl_process_is_gone(pid, other, env->pool));
    assert_false(ecl_process_is_gone(pid, "", env->pool));
}

static void test_which_process_is_older(void **state)
{
    env_t *env = *state;
    const char *own = ecl_process_identity(env->pool), *start = strrchr(own, ' ');
    const char *world = apr_pstrmemdup(env->pool, own, (apr_size_t)(start + 1 - own));
    char *other = apr_pstrcat(env->pool, world, "0", NULL);

    assert_true(ecl_process_is_older(other, getpid(), env->pool));
    assert_false(ecl_process_is_older(own, getpid(), env->pool)); /* itself */
    assert_false(ecl_process_is_older(apr_pstrcat(env->pool, own, "0", NULL), getpid(), env->pool));
    other[0] = other[0] == '0' ? '1' : '0'; /* of another boot */
    assert_false(ecl_process_is_older(other, getpid(), env->pool));
    assert_false(ecl_process_is_older("", getpid(), env->pool));
}

/* ---- the wake file --------------------------------------------------------------------------- */

static int is_woken(const ecl_wake_t *wake)
{
    struct pollfd fd = {.fd = wake->fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 1;
}

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(futimens(fd, NULL), 0);
    close(fd);
}

static void test_being_woken(void **state)
{
    env_t *env = *state;
    ecl_wake_t *wake;

    wake = ecl_wake_open(env->dir, env->pool);
    ecl_wake_drain(wake);
    assert_false(is_woken(wake));
    touch(wake->path); /* the file was made by ecl_wake_open */
    assert_true(is_woken(wake));
    ecl_wake_drain(wake);
    assert_false(is_woken(wake));
}

static void test_watching_again_after_a_loss(void **state)
{
    env_t *env = *state;
    ecl_wake_t *wake;
    char moved[96];

    wake = ecl_wake_open(env->dir, env->pool);
    assert_int_equal(unlink(wake->path), 0);
    ecl_wake_drain(wake);
    ecl_wake_drain(wake);
    touch(wake->path);
    assert_true(is_woken(wake));

    /* the directory is not there yet: a worker that was started first */
    snprintf(moved, sizeof moved, "%s/later", env->dir);
    wake = ecl_wake_open(moved, env->pool);
    assert_int_equal(mkdir(moved, 0700), 0);
    ecl_wake_drain(wake);
    ecl_wake_drain(wake);
    touch(wake->path);
    assert_true(is_woken(wake));
}

/* ---- small things of the commands ------------------------------------------------------------ */

static void test_counts_for_people(void **state)
{
    apr_pool_t *p = ((env_t *)*state)->pool;

    assert_string_equal(ecl_print_count(0, p), "0");
    assert_string_equal(ecl_print_count(999, p), "999");
    assert_string_equal(ecl_print_count(1000, p), "1,000");
    assert_string_equal(ecl_print_count(1234567, p), "1,234,567");
    assert_string_equal(ecl_print_count(-123, p), "-123");
    assert_string_equal(ecl_print_count(-1234, p), "-1,234");
    assert_string_equal(ecl_print_count(APR_INT64_MIN, p), "-9,223,372,036,854,775,808");
}

static void test_what_is_printed_does_not_steer_the_terminal(void **state)
{
    apr_pool_t *p = ((env_t *)*state)->pool;

    assert_string_equal(ecl_print_safe("a\x1b]0;x\a\n£", p), "a?]0;x??£");
    assert_string_equal(ecl_print_safe(NULL, p), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_look_like_httpds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_levels_above_the_chosen_one_are_left_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_line_is_one_write_whatever_it_holds, set_up,
                                        tear_down),
        cmocka_unit_test(test_level_names),
        cmocka_unit_test(test_inherited_signals),
        cmocka_unit_test(test_a_stop_is_never_missed),
        cmocka_unit_test(test_waiting_for_a_descriptor),
        cmocka_unit_test(test_following_the_parent),
        cmocka_unit_test(test_delays_double_up_to_a_minute),
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_process_that_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_which_process_is_older, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_being_woken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watching_again_after_a_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_counts_for_people, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_printed_does_not_steer_the_terminal, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
