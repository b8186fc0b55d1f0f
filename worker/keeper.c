#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_file_io.h>
#include <apr_tables.h>

#include "../lib/job_events.h"
#include "../lib/jobs.h"
#include "../lib/log.h"
#include "../lib/migrate.h"
#include "../lib/storage.h"
#include "keeper.h"
#include "process.h"
#include "wake.h"

/* how old status.json may get: while there are jobs, and while nothing happens */
#define BUSY_STATUS_MS 1000
#define IDLE_STATUS_MS 5000
#define HOUSEKEEPING_INTERVAL apr_time_from_sec(24 * 3600)
#define STRAY_SECONDS 3600 /* an upload that has not written for so long is gone */
#define ALIVE_SECONDS (3 * ECL_HEARTBEAT_SECONDS)
#define PREDECESSOR_SECONDS (2 * ECL_LEASE_SECONDS) /* the lease tells of those from before */
#define FORGET_INTERVAL apr_time_from_sec(300)      /* between looks for workers that are gone */

typedef struct keeper_t {
    const ecl_settings_t *settings;
    ecl_db_t *db;
    ecl_wake_t *wake;
    apr_array_header_t *deaths; /* of ecl_death_t: to be dealt with */
    apr_time_t housekeeping_at, forget_at;
    int ready;
    apr_time_t predecessors_until; /* they are looked for; 0: none is left */
    int busy; /* jobs wait or are worked on, or the workers are just starting */
    apr_pool_t *pass;
} keeper_t;

apr_int64_t ecl_oldest_wait_seconds(apr_time_t oldest_due, apr_time_t now)
{
    return oldest_due && now > oldest_due ? apr_time_sec(now - oldest_due) : 0;
}

/* ---- housekeeping ---------------------------------------------------------------------------- */

typedef struct sweep_t {
    ecl_db_conn_t *conn;
    apr_pool_t *p; /* cleared for each file */
} sweep_t;

static int is_known(void *baton, const char *stored_name)
{
    const sweep_t *sweep = baton;
    ecl_result_t result;
    int known;

    apr_pool_clear(sweep->p);
    result = ecl_result_make(sweep->p);
    return ecl_jobs_know_file(sweep->conn, stored_name, &known, &result) == APR_SUCCESS ? known
                                                                                        : -1;
}

apr_status_t ecl_housekeeping(ecl_db_conn_t *conn, const ecl_settings_t *settings, int days,
                              const char *user, apr_pool_t *p, ecl_housekeeping_t *done,
                              ecl_result_t *result)
{
    const char *storage_dir = settings->storage_dir;
    sweep_t sweep = {.conn = conn};
    apr_status_t rv;

    *done = (ecl_housekeeping_t){0, 0, 0};
    rv = ecl_workers_forget(conn, result);
    if (rv == APR_SUCCESS && days > 0) {
        rv = ecl_jobs_cleanup(conn, days, user, storage_dir, p, &done->jobs_removed, result);
    }
    if (rv == APR_SUCCESS && settings->history_days > 0) {
        rv = ecl_job_events_cleanup(conn, settings->history_days, &done->events_removed, result);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_create(&sweep.p, p);
        done->files_removed = ecl_storage_sweep(storage_dir, STRAY_SECONDS, is_known, &sweep, p);
        apr_pool_destroy(sweep.p);
    }
    return rv;
}

static void keep_house(keeper_t *keeper, ecl_db_conn_t *conn)
{
    ecl_housekeeping_t done;
    ecl_result_t result = ecl_result_make(keeper->pass);
    apr_status_t rv;

    if (apr_time_now() < keeper->housekeeping_at) {
        return;
    }
    rv = ecl_housekeeping(conn, keeper->settings, keeper->settings->retention_days, NULL,
                          keeper->pass, &done, &result);
    if (rv != APR_SUCCESS) {
        ecl_log(ECL_LOG_WARN, 0, ECLNO(3020) "cannot remove old jobs: %s",
                result.detail ? result.detail : ecl_strerror(rv, keeper->pass));
    } else if (done.jobs_removed || done.files_removed || done.events_removed) {
        ecl_log(ECL_LOG_INFO, 0,
                ECLNO(3021) "removed %d finished jobs older than %d days, %d files without a job, "
                            "%d entries of the history older than %d days",
                done.jobs_removed, keeper->settings->retention_days, done.files_removed,
                done.events_removed, keeper->settings->history_days);
    }
    keeper->housekeeping_at = apr_time_now() + HOUSEKEEPING_INTERVAL;
}

/* ---- dead workers ---------------------------------------------------------------------------- */

/* Returns 1 when the pipe's other end is closed. */
static int read_deaths(keeper_t *keeper, int fd)
{
    ecl_death_t death;
    ssize_t got;

    while ((got = read(fd, &death, sizeof death)) == (ssize_t)sizeof death) {
        APR_ARRAY_PUSH(keeper->deaths, ecl_death_t) = death;
    }
    return got == 0;
}

static const char *reason_of(const ecl_death_t *death, apr_pool_t *p)
{
    int is_signal = WIFSIGNALED(death->status);
    const char *place = death->line ? apr_psprintf(p, "near line %" APR_INT64_T_FMT, death->line)
                                    : "before it read a row";

    if (death->stopped) {
        return NULL;
    }
    return apr_psprintf(p, "the worker died (%s %d) %s", is_signal ? "signal" : "exit code",
                        is_signal ? WTERMSIG(death->status) : WEXITSTATUS(death->status), place);
}

static apr_status_t bury(keeper_t *keeper, ecl_db_conn_t *conn, ecl_result_t *result)
{
    int is_any = keeper->deaths->nelts > 0;

    while (keeper->deaths->nelts) {
        const ecl_death_t *death =
            &APR_ARRAY_IDX(keeper->deaths, keeper->deaths->nelts - 1, ecl_death_t);
        const char *name = ecl_process_name(keeper->settings->host_name, death->pid, keeper->pass);
        apr_status_t rv =
            ecl_jobs_of_dead_worker(conn, name, reason_of(death, keeper->pass), result);
        if (rv == APR_SUCCESS) {
            rv = ecl_worker_gone(conn, name, result);
        }
        if (rv != APR_SUCCESS) {
            return rv;
        }
        apr_array_pop(keeper->deaths);
    }
    if (is_any) { /* whoever is idle, or has just been started and found nothing */
        ecl_storage_wake(keeper->settings->storage_dir, keeper->pass);
    }
    return APR_SUCCESS;
}

/* Workers of this host that ended together with their master, so that nobody has told of it: those
 * that are older than our master. One that was killed may take its time to end, in the middle of a
 * sync, so it is looked for until none is left, or their leases have run out. */
static apr_status_t bury_predecessors(keeper_t *keeper, ecl_db_conn_t *conn, ecl_result_t *result)
{
    ecl_worker_t *workers;
    int count, is_buried, is_any = 0, is_one_left = 0;
    apr_status_t rv;

    if (apr_time_now() > keeper->predecessors_until) {
        return APR_SUCCESS;
    }
    rv = ecl_workers_alive(conn, PREDECESSOR_SECONDS, keeper->pass, &workers, &count, result);
    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        const ecl_worker_t *worker = &workers[i];

        if (strcmp(worker->host, keeper->settings->host_name) || !worker->process ||
            !ecl_process_is_older(worker->process, getppid(), keeper->pass)) {
            continue;
        }
        if (!ecl_process_is_gone((pid_t)worker->pid, worker->process, keeper->pass)) {
            is_one_left = 1;
            continue;
        }
        rv = ecl_worker_bury(conn, worker, "the worker died together with its master", &is_buried,
                             result);
        is_any |= rv == APR_SUCCESS && is_buried;
    }
    if (is_any) {
        ecl_storage_wake(keeper->settings->storage_dir, keeper->pass);
    }
    if (rv == APR_SUCCESS && !is_one_left) {
        keeper->predecessors_until = 0;
    }
    return rv;
}

/* Takes those off the list that nobody has buried: of a host that was switched off. */
static apr_status_t forget_workers(keeper_t *keeper, ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_time_t now = apr_time_now();

    if (now < keeper->forget_at) {
        return APR_SUCCESS;
    }
    keeper->forget_at = now + FORGET_INTERVAL;
    return ecl_workers_forget(conn, result);
}

/* ---- status.json ----------------------------------------------------------------------------- */

static json_object *status_json(const ecl_queue_state_t *queue, int workers, apr_pool_t *p)
{
    apr_time_t now = apr_time_now();
    json_object *status = json_object_new_object();

    json_object_object_add(status, "at", json_object_new_string(ecl_rfc3339(now, p)));
    json_object_object_add(status, "queued", json_object_new_int64(queue->queued));
    json_object_object_add(status, "due", json_object_new_int64(queue->due));
    json_object_object_add(status, "processing", json_object_new_int64(queue->processing));
    json_object_object_add(status, "oldest_wait_seconds",
                           json_object_new_int64(ecl_oldest_wait_seconds(queue->oldest_due, now)));
    json_object_object_add(status, "workers", json_object_new_int(workers));
    return status;
}

/* A reader sees the old file or the new one, never half of one. */
static apr_status_t replace_file(const char *path, const char *text, apr_pool_t *p)
{
    const char *fresh = apr_pstrcat(p, path, ".new", NULL);
    apr_file_t *file;
    apr_status_t rv =
        apr_file_open(&file, fresh, APR_FOPEN_WRITE | APR_FOPEN_CREATE | APR_FOPEN_TRUNCATE,
                      APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD, p);

    if (rv == APR_SUCCESS) {
        rv = apr_file_write_full(file, text, strlen(text), NULL);
        apr_file_close(file);
    }
    return rv == APR_SUCCESS ? apr_file_rename(fresh, path, p) : rv;
}

static apr_status_t write_status(keeper_t *keeper, ecl_db_conn_t *conn, ecl_result_t *result)
{
    ecl_queue_state_t queue;
    ecl_worker_t *workers;
    int count;
    json_object *status;
    apr_status_t rv = ecl_queue_state(conn, &queue, result);

    if (rv == APR_SUCCESS) {
        rv = ecl_workers_alive(conn, ALIVE_SECONDS, keeper->pass, &workers, &count, result);
    }
    if (rv != APR_SUCCESS) {
        return rv;
    }
    keeper->busy = queue.queued > 0 || queue.processing > 0 || count == 0;
    status = status_json(&queue, count, keeper->pass);
    rv =
        replace_file(apr_pstrcat(keeper->pass, keeper->settings->storage_dir, "/status.json", NULL),
                     json_object_to_json_string_ext(status, JSON_C_TO_STRING_PLAIN), keeper->pass);
    json_object_put(status);
    return rv;
}

/* ---- the process ----------------------------------------------------------------------------- */

/* What fails here fails in the worker processes, too, and they say so: the keeper tries again. */
static void round_of_duties(keeper_t *keeper)
{
    ecl_db_conn_t *conn = NULL;
    ecl_result_t result = ecl_result_make(keeper->pass);
    apr_status_t rv = APR_SUCCESS;

    if (!keeper->ready) {
        rv = ecl_storage_prepare(keeper->settings->storage_dir, keeper->pass, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_storage_hold(keeper->settings->storage_dir, ECL_STORAGE_SHARED, keeper->pass,
                              &result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_db_acquire(&conn, keeper->db, &result);
    }
    if (rv == APR_SUCCESS && !keeper->ready) {
        rv = ecl_migrate_up(conn, NULL, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = bury(keeper, conn, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = bury_predecessors(keeper, conn, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = forget_workers(keeper, conn, &result);
    }
    if (rv == APR_SUCCESS) {
        rv = write_status(keeper, conn, &result);
    }
    keeper->ready = rv == APR_SUCCESS;
    if (keeper->ready) {
        keep_house(keeper, conn);
    }
    ecl_db_release(conn);
}

int ecl_keeper_run(const ecl_settings_t *settings, int deaths_fd, apr_pool_t *p)
{
    keeper_t keeper = {.settings = settings};
    ecl_result_t result = ecl_result_make(p);
    int last = 0;

    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (ecl_db_open(&keeper.db, settings->db_driver, settings->db_params, 1, p, &result) !=
        APR_SUCCESS) {
        return ECL_EXIT_CONFIG; /* a worker process says why */
    }
    ecl_db_set_marker(keeper.db, ecl_storage_marker(settings->storage_dir, p));
    apr_pool_create(&keeper.pass, p);
    keeper.deaths = apr_array_make(p, 4, sizeof(ecl_death_t));
    keeper.wake = ecl_wake_open(settings->storage_dir, p);
    keeper.predecessors_until = apr_time_now() + apr_time_from_sec(ECL_LEASE_SECONDS);
    while (!last) {
        struct pollfd fds[] = {{.fd = deaths_fd, .events = POLLIN},
                               {.fd = keeper.wake->fd, .events = POLLIN}};
        last = read_deaths(&keeper, deaths_fd);
        ecl_wake_drain(keeper.wake);
        round_of_duties(&keeper);
        apr_pool_clear(keeper.pass);
        if (!last) {
            ecl_process_wait(fds, 2, keeper.busy ? BUSY_STATUS_MS : IDLE_STATUS_MS);
        }
    }
    return ECL_EXIT_OK;
}
