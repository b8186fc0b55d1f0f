/*
 * The command check: what would keep imports from running, and how to mend it. It changes nothing.
 *
 *   ok       works
 *   note     works, but somebody may want to know
 *   problem  does not work; the next line says what to do
 */
#include <stdarg.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#include "../lib/jobs.h"
#include "../lib/migrate.h"
#include "../lib/storage.h"
#include "command.h"
#include "keeper.h"
#include "print.h"

#define ALIVE_SECONDS (3 * ECL_HEARTBEAT_SECONDS)
#define WAIT_SECONDS 60 /* a due job that nobody takes for so long tells of a fault */

typedef struct check_t {
    const ecl_settings_t *settings;
    apr_pool_t *p;
    int problems;
} check_t;

static void tell(const char *kind, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void problem(check_t *check, const char *mend, const char *subject, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void tell(const char *kind, const char *subject, const char *fmt, ...)
{
    va_list args;

    printf("%-8s %-9s ", kind, subject);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
}

static void problem(check_t *check, const char *mend, const char *subject, const char *fmt, ...)
{
    va_list args;

    check->problems++;
    printf("%-8s %-9s ", "problem", subject);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n%-18s to mend it: %s\n", "", mend);
}

static const char *detail_of(const ecl_result_t *result, apr_status_t rv)
{
    return result->detail ? result->detail : ecl_strerror(rv, result->pool);
}

/* ---- storage --------------------------------------------------------------------------------- */

static int may_write(check_t *check, const char *dir)
{
    if (faccessat(AT_FDCWD, dir, R_OK | W_OK | X_OK, AT_EACCESS) == 0) {
        return 1;
    }
    if (errno == ENOENT) {
        problem(check,
                apr_psprintf(check->p,
                             "install -d -m 700 -o www-data -g www-data '%s' (with the "
                             "user and group that httpd runs as)",
                             dir),
                "storage", "'%s' does not exist", dir);
    } else {
        problem(check,
                apr_psprintf(check->p,
                             "chown www-data:www-data '%s' (the user and group that "
                             "httpd runs as), or run this command as root or that user",
                             dir),
                "storage", "user %ld cannot write to '%s': %s", (long)geteuid(), dir,
                ecl_strerror(errno, check->p));
    }
    return 0;
}

static void check_storage(check_t *check)
{
    const char *dir = check->settings->storage_dir;
    ecl_result_t result = ecl_result_make(check->p);
    const char *const parts[] = {"incoming", "files"};
    apr_off_t free_bytes;
    apr_status_t rv;
    char size[5];

    if (!may_write(check, dir)) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        const char *part = apr_pstrcat(check->p, dir, "/", parts[i], NULL);
        /* one that is missing is made when it is needed */
        if (access(part, F_OK) == 0 && !may_write(check, part)) {
            return;
        }
    }
    rv = ecl_storage_free_bytes(dir, &free_bytes, check->p, &result);
    if (rv != APR_SUCCESS) {
        problem(check, "see whether the file system is mounted and healthy", "storage", "%s",
                detail_of(&result, rv));
        return;
    }
    apr_strfsize(free_bytes, size);
    if (geteuid() == 0) {
        tell("note", "storage",
             "'%s' belongs to root: an httpd that runs as another user cannot "
             "store uploads there",
             dir);
    }
    if (free_bytes < check->settings->max_upload_bytes) {
        tell("note", "storage",
             "'%s' can be written, %s free: less than EclectycImportMaxUpload allows for one file",
             dir, size);
    } else {
        tell("ok", "storage", "'%s' can be written, %s free", dir, size);
    }
}

/* ---- database -------------------------------------------------------------------------------- */

/* Takes the write lock, and gives it up. */
static void check_writable(check_t *check, ecl_db_conn_t *conn)
{
    ecl_result_t result = ecl_result_make(check->p);
    apr_status_t rv = ecl_db_begin(conn, &result);

    if (rv == APR_SUCCESS) {
        ecl_db_rollback(conn);
        tell("ok", "database", "%s database can be read and written", check->settings->db_driver);
        return;
    }
    problem(check,
            "give the user that httpd runs as the right to write to the database (for sqlite3: to "
            "its file and its directory), or end what keeps it locked",
            "database", "%s", detail_of(&result, rv));
}

/* Returns 1 when the schema is the one this program works with. */
static int check_schema(check_t *check, ecl_db_conn_t *conn)
{
    ecl_result_t result = ecl_result_make(check->p);
    int have, want;
    apr_status_t rv = ecl_migrate_state(conn, &have, &want, &result);

    if (rv != APR_SUCCESS) {
        problem(check, "see the database's own log", "schema", "%s", detail_of(&result, rv));
    } else if (have > want) {
        problem(check, "install the program that belongs to this database, or a newer one",
                "schema", "the database has schema %d, this program knows up to %d", have, want);
    } else if (have < want) {
        problem(check, "eclectyc-import-worker --config FILE migrate, or start a worker", "schema",
                "the database has schema %d, this program needs %d", have, want);
    } else {
        tell("ok", "schema", "%d", have);
        return 1;
    }
    return 0;
}

static void check_queue(check_t *check, ecl_db_conn_t *conn)
{
    ecl_result_t result = ecl_result_make(check->p);
    ecl_queue_state_t queue;
    ecl_worker_t *workers;
    apr_int64_t wait;
    int alive;
    apr_status_t rv = ecl_queue_state(conn, &queue, &result);

    if (rv == APR_SUCCESS) {
        rv = ecl_workers_alive(conn, ALIVE_SECONDS, check->p, &workers, &alive, &result);
    }
    if (rv != APR_SUCCESS) {
        problem(check, "see the database's own log", "queue", "%s", detail_of(&result, rv));
        return;
    }
    wait = ecl_oldest_wait_seconds(queue.oldest_due, apr_time_now());
    if (wait > WAIT_SECONDS && !alive) {
        problem(check,
                "start httpd with EclectycImportWorkers 1 or more, or the worker itself "
                "(docs/operations.md)",
                "queue", "%s due, the oldest for %s s, and no worker takes them",
                ecl_print_count(queue.due, check->p), ecl_print_count(wait, check->p));
    } else if (!queue.queued) {
        tell("ok", "queue", "nothing is waiting, %s in hand",
             ecl_print_count(queue.processing, check->p));
    } else {
        tell("ok", "queue", "%s waiting, %s of them due, the oldest for %s s; %s in hand",
             ecl_print_count(queue.queued, check->p), ecl_print_count(queue.due, check->p),
             ecl_print_count(wait, check->p), ecl_print_count(queue.processing, check->p));
    }
    if (alive) {
        tell("ok", "workers", "%d alive", alive);
    } else if (check->settings->workers > 0) {
        problem(check, "start httpd, and look for ECL25 in its error log", "workers",
                "none is alive, though the server keeps %d", check->settings->workers);
    } else {
        tell("note", "workers",
             "none is alive now; the server starts none (EclectycImportWorkers "
             "0), so cron, systemd or supervisord must");
    }
}

/* Files that only a host has whose workers are away. */
static void check_hosts(check_t *check, ecl_db_conn_t *conn)
{
    ecl_result_t result = ecl_result_make(check->p);
    ecl_host_t *hosts;
    int count;
    apr_status_t rv = ecl_hosts(conn, ALIVE_SECONDS, check->p, &hosts, &count, &result);

    if (rv != APR_SUCCESS) {
        problem(check, "see the database's own log", "hosts", "%s", detail_of(&result, rv));
        return;
    }
    for (int i = 0; i < count; i++) {
        if (hosts[i].files && !hosts[i].workers) {
            problem(check, "start the worker of that host, or delete the jobs and upload again",
                    "hosts", "%s job%s a file on %s, where no worker runs",
                    ecl_print_count(hosts[i].files, check->p),
                    hosts[i].files == 1 ? " waits for" : "s wait for", hosts[i].name);
        }
    }
}

static void check_database(check_t *check)
{
    ecl_result_t result = ecl_result_make(check->p);
    ecl_db_conn_t *conn = NULL;
    ecl_db_t *db;
    apr_status_t rv;

    rv = ecl_db_open(&db, check->settings->db_driver, check->settings->db_params, 1, check->p,
                     &result);
    if (rv == APR_SUCCESS) {
        ecl_db_set_marker(db, ecl_storage_marker(check->settings->storage_dir, check->p));
        rv = ecl_db_look(db, check->p, &result);
    }
    if (rv == APR_SUCCESS) {
        ecl_db_set_marker(db, NULL); /* it would be written */
        rv = ecl_db_acquire(&conn, db, &result);
    }
    if (rv == ECL_ENOTFOUND) {
        problem(check, "eclectyc-import-worker --config FILE migrate, or start a worker",
                "database", "%s", result.detail);
        return;
    }
    if (rv != APR_SUCCESS && !strcmp(result.code, "database-missing")) {
        problem(check,
                "mount its file system or put the file back, with its -wal if there is one; to "
                "begin with an empty database instead, remove what is left of the old one and run "
                "eclectyc-import-worker --config FILE migrate",
                "database", "%s", result.detail);
        return;
    }
    if (rv != APR_SUCCESS) {
        problem(check, "check EclectycImportDatabase, and that the database can be reached",
                "database", "%s", detail_of(&result, rv));
        return;
    }
    check_writable(check, conn);
    if (check_schema(check, conn)) {
        check_queue(check, conn);
        check_hosts(check, conn);
    }
    ecl_db_release(conn);
}

int ecl_command_check(ecl_invocation_t *invocation)
{
    static const apr_getopt_option_t no_options[] = {{NULL, 0, 0, NULL}};
    check_t check = {.p = invocation->p};
    const char *const *operands;
    int count;
    int code = ecl_command_options(invocation, no_options, NULL, NULL, 0, &operands, &count);

    if (!code) {
        code = ecl_command_begin(invocation);
    }
    if (code) {
        return code;
    }
    check.settings = invocation->settings;
    tell("ok", "settings", "'%s' is right", invocation->config_path);
    check_storage(&check);
    check_database(&check);
    return check.problems ? ECL_EXIT_FAILED : ECL_EXIT_OK;
}
