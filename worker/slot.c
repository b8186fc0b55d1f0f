#include <string.h>
#include <unistd.h>

#include "../lib/jobs.h"
#include "../lib/log.h"
#include "../lib/migrate.h"
#include "../lib/storage.h"
#include "import.h"
#include "process.h"
#include "wake.h"
#include "worker.h"

/* How long an idle worker waits without a wake: a job of another host, a retry that comes due. */
#define POLL_MS 2000

typedef struct slot_t {
    const ecl_settings_t *settings;
    const ecl_master_options_t *options;
    apr_int64_t *jobs_left;
    volatile apr_int64_t *line;
    volatile const int *stop;
    const char *name;
    const char *process;
    ecl_db_t *db;
    ecl_wake_t *wake;
    int ready;            /* storage and schema are as this program needs them */
    int failures;         /* in a row */
    const char *trouble;  /* what was logged about it; NULL: all is well */
    apr_pool_t *troubles; /* where `trouble` lies */
    apr_time_t beat_at;   /* when the next heartbeat is due */
    apr_pool_t *pass;     /* cleared at each turn of the loop */
} slot_t;

/* One job of the limit is this process's to take. */
static int take_ticket(slot_t *slot)
{
    apr_int64_t left;

    if (!slot->jobs_left) {
        return 1;
    }
    left = __atomic_load_n(slot->jobs_left, __ATOMIC_SEQ_CST);
    while (left > 0) {
        if (__atomic_compare_exchange_n(slot->jobs_left, &left, left - 1, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            return 1;
        }
    }
    return 0;
}

static void return_ticket(slot_t *slot)
{
    if (slot->jobs_left) {
        __atomic_add_fetch(slot->jobs_left, 1, __ATOMIC_SEQ_CST);
    }
}

/* Logs a trouble once, not at every try. */
static void note_trouble(slot_t *slot, const ecl_result_t *result)
{
    const char *detail = result->detail ? result->detail : ecl_strerror(result->status, slot->pass);

    if (!slot->trouble || strcmp(slot->trouble, detail)) {
        apr_pool_clear(slot->troubles);
        slot->trouble = apr_pstrdup(slot->troubles, detail);
        ecl_log(ECL_LOG_ERROR, 0, ECLNO(3010) "cannot take jobs, will keep trying: %s", detail);
    }
    slot->failures++;
    slot->ready = 0; /* another database may be there next time: one restored from a back-up */
}

static void note_health(slot_t *slot)
{
    if (slot->trouble) {
        ecl_log(ECL_LOG_NOTICE, 0, ECLNO(3011) "taking jobs again");
        slot->trouble = NULL;
    }
    slot->failures = 0;
}

static apr_status_t beat(slot_t *slot, ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_time_t now = apr_time_now();
    apr_status_t rv;

    if (now < slot->beat_at) {
        return APR_SUCCESS;
    }
    rv = ecl_worker_beat(conn, slot->name, slot->process, NULL, result);
    if (rv == APR_SUCCESS) {
        slot->beat_at = now + apr_time_from_sec(ECL_HEARTBEAT_SECONDS);
    }
    return rv;
}

static apr_status_t make_ready(slot_t *slot, ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_status_t rv;

    if (slot->ready) {
        return APR_SUCCESS;
    }
    rv = ecl_migrate_up(conn, NULL, result);
    slot->ready = rv == APR_SUCCESS;
    return rv;
}

static apr_status_t claim_next(slot_t *slot, ecl_claim_t *claim, ecl_result_t *result)
{
    ecl_db_conn_t *conn = NULL;
    apr_status_t rv = APR_SUCCESS;

    if (!slot->ready) {
        rv = ecl_storage_prepare(slot->settings->storage_dir, slot->pass, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_storage_hold(slot->settings->storage_dir, ECL_STORAGE_SHARED, slot->pass, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_db_acquire(&conn, slot->db, result);
    }
    if (rv == APR_SUCCESS) {
        rv = make_ready(slot, conn, result);
    }
    if (rv == APR_SUCCESS) {
        rv = beat(slot, conn, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_job_claim(conn, slot->name, NULL, slot->pass, claim, result);
    }
    ecl_db_release(conn);
    return rv;
}

static void run_job(slot_t *slot, const ecl_claim_t *claim)
{
    const ecl_import_context_t context = {.settings = slot->settings,
                                          .clock = slot->options->clock,
                                          .db = slot->db,
                                          .worker = slot->name,
                                          .process = slot->process,
                                          .stop = slot->stop,
                                          .line = slot->line};
    ecl_result_t result = ecl_result_make(slot->pass);
    apr_status_t rv = ecl_import_run(&context, claim, slot->pass, &result);

    slot->beat_at = 0; /* the pages shall see at once that this worker is free */
    if (rv != APR_SUCCESS) {
        ecl_log(
            ECL_LOG_WARN, 0,
            ECLNO(3012) "job %s: cannot record how it ended, it runs again when its lease ends: "
                        "%s",
            claim->job->batch_id, result.detail ? result.detail : "");
        slot->ready = 0;
    }
}

/* next_due: when a job that waits is due, 0: none does. */
static void idle(slot_t *slot, apr_time_t next_due)
{
    struct pollfd fd = {.fd = slot->wake->fd, .events = POLLIN};
    apr_interval_time_t left = next_due - apr_time_now();
    int timeout_ms = POLL_MS;

    if (next_due && left < apr_time_from_msec(POLL_MS)) {
        timeout_ms = left > 0 ? (int)apr_time_as_msec(left) + 1 : 1;
    }

    if (slot->failures) {
        /* the wake file says nothing about a database that is out of reach */
        fd.fd = -1;
        timeout_ms = ecl_process_backoff_seconds(slot->failures - 1) * 1000;
    }
    ecl_process_wait(&fd, 1, timeout_ms);
}

/* One turn: claim a job and run it, or wait. Returns 0 to go on, 1 to leave with *pexit. */
static int turn(slot_t *slot, int *pexit)
{
    ecl_claim_t claim = {NULL, ECL_WORK_IMPORT, 0};
    ecl_result_t result = ecl_result_make(slot->pass);
    apr_status_t rv;

    *pexit = ECL_EXIT_OK;
    ecl_wake_drain(slot->wake);
    if (!take_ticket(slot)) {
        return 1;
    }
    rv = claim_next(slot, &claim, &result);
    if (rv != APR_SUCCESS || !claim.job) {
        return_ticket(slot);
    }
    if (rv == ECL_ESCHEMA) {
        ecl_log(ECL_LOG_CRIT, 0, ECLNO(3013) "cannot work with this database: %s", result.detail);
        *pexit = ECL_EXIT_CONFIG;
        return 1;
    }
    if (rv != APR_SUCCESS) {
        note_trouble(slot, &result);
        if (slot->options->once) {
            *pexit = ECL_EXIT_FAILED;
            return 1;
        }
        idle(slot, 0);
        return 0;
    }
    note_health(slot);
    if (claim.job) {
        run_job(slot, &claim);
    } else if (slot->options->once) {
        return 1;
    } else {
        idle(slot, claim.next_due);
    }
    return 0;
}

/* Takes this worker off the list of those that are alive. */
static void say_goodbye(slot_t *slot)
{
    ecl_db_conn_t *conn = NULL;
    ecl_result_t result = ecl_result_make(slot->pass);

    if (slot->ready && ecl_db_acquire(&conn, slot->db, &result) == APR_SUCCESS) {
        ecl_worker_gone(conn, slot->name, &result); /* else its last heartbeat grows old */
        ecl_db_release(conn);
    }
}

int ecl_slot_run(const ecl_settings_t *settings, const ecl_master_options_t *options,
                 apr_int64_t *jobs_left, volatile apr_int64_t *line, apr_pool_t *p)
{
    slot_t slot = {.settings = settings, .options = options, .jobs_left = jobs_left, .line = line};
    ecl_result_t result = ecl_result_make(p);
    int exit_code = ECL_EXIT_OK;

    slot.stop = ecl_process_stop_flag();
    slot.name = ecl_process_name(settings->host_name, getpid(), p);
    slot.process = ecl_process_identity(p);
    apr_pool_create(&slot.pass, p);
    apr_pool_create(&slot.troubles, p);
    /* two connections: a job's own, and one for what must not wait for its transaction */
    if (ecl_db_open(&slot.db, settings->db_driver, settings->db_params, 2, p, &result) !=
        APR_SUCCESS) {
        ecl_log(ECL_LOG_CRIT, 0, ECLNO(3014) "cannot use the database setting: %s", result.detail);
        return ECL_EXIT_CONFIG;
    }
    ecl_db_set_marker(slot.db, ecl_storage_marker(settings->storage_dir, p));
    slot.wake = ecl_wake_open(settings->storage_dir, p);
    while (!*slot.stop && !turn(&slot, &exit_code)) {
        apr_pool_clear(slot.pass);
    }
    apr_pool_clear(slot.pass);
    say_goodbye(&slot);
    return exit_code;
}
