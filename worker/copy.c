#include "copy.h"

#include "../lib/jobs.h"
#include "../lib/migrate.h"
#include "copy_driver.h"
#include "print.h"

#define ALIVE_SECONDS (3 * ECL_HEARTBEAT_SECONDS)
#define TELL_ROWS 4096

/* Not here: schema_migrations, which each database has of its own, and import_workers, which tells
 * who is alive. */
const ecl_copy_table_t ecl_copy_tables[] = {
    {"import_jobs",
     "id,batch_id,user_name,filename,stored_name,file_size,file_sha256,import_type,dry_run,status,"
     "priority,notes,tags,options,total_rows,processed_rows,imported_rows,failed_rows,"
     "skipped_rows,readings_new,readings_changed,readings_unchanged,bytes_done,queued_at,run_after,"
     "started_at,completed_at,attempts,max_attempts,claims,worker,lease_until,cancel_requested,"
     "undo_requested,checkpoint,attempt_started_at,attempt_started_rows,error_message,summary,"
     "parent_batch_id,undone_at,undone_by,idempotency_key,due_at,preview,stored_host",
     "id", 1, -1},
    {"import_errors", "id,import_job_id,line,column_name,code,message,raw,added", "id", 1, -1},
    {"import_job_events", "id,at,batch_id,filename,event,user_name,worker,attempt,detail", "id", 1,
     -1},
    {"import_templates", "id,name,fingerprint,options,created_by,created_at,last_used_at,uses",
     "id", 1, -1},
    {"meters", "id,identifier,kind,import_job_id", "id", 1, -1},
    {"meter_days",
     "id,meter_id,channel,interval_minutes,reading_date,day_start,period_values,period_flags,unit,"
     "import_job_id,import_line,updated_at",
     "id", 1, 6},
    {"meter_day_history",
     "import_job_id,meter_day_id,period_values,period_flags,unit,previous_job_id,previous_line,"
     "previous_updated_at",
     "import_job_id, meter_day_id", 0, 2},
    {NULL, NULL, NULL, 0, 0}};

#define TABLES ((int)(sizeof ecl_copy_tables / sizeof ecl_copy_tables[0]) - 1)

/* One of the two databases. */
typedef struct side_t {
    const char *name; /* for messages */
    ecl_db_conn_t *conn;
    const ecl_copy_driver_t *driver;
} side_t;

typedef struct copy_t {
    side_t from, to;
    const ecl_copy_progress_t *progress;
    apr_pool_t *p;
    ecl_copy_count_t *counts;
    /* the table in hand */
    const ecl_copy_table_t *table;
    apr_int64_t done, in_all;
    void *writer;
} copy_t;

int ecl_copy_count_columns(const ecl_copy_table_t *table)
{
    int count = 1;

    for (const char *c = table->columns; *c; c++) {
        count += *c == ',';
    }
    return count;
}

static side_t side_of(const char *name, ecl_db_conn_t *conn)
{
    const ecl_copy_driver_t *driver =
        ecl_db_conn_driver(conn) == ECL_DB_SQLITE3 ? &ecl_copy_sqlite3 : &ecl_copy_pgsql;

    return (side_t){name, conn, driver};
}

/* ---- whether it can be done ----------------------------------------------------------------- */

static apr_status_t check_schema(const side_t *side, ecl_result_t *result)
{
    int have, want;
    apr_status_t rv = ecl_migrate_state(side->conn, &have, &want, result);

    if (rv != APR_SUCCESS || have == want) {
        return rv;
    }
    return ecl_fail(result, ECL_ESCHEMA, "copy-schema",
                    "%s has schema %d, this program needs %d: %s", side->name, have, want,
                    have < want
                        ? "run eclectyc-import-worker --config FILE migrate with its settings"
                        : "install the program that belongs to it");
}

static apr_status_t check_same(const copy_t *copy, ecl_result_t *result)
{
    const char *from, *to;
    apr_status_t rv = copy->from.driver->identify(copy->from.conn, &from, copy->p, result);

    if (rv == APR_SUCCESS) {
        rv = copy->to.driver->identify(copy->to.conn, &to, copy->p, result);
    }
    if (rv == APR_SUCCESS && !strcmp(from, to)) {
        rv = ecl_fail(result, ECL_ECONFLICT, "copy-same",
                      "both configurations name the same database: name another one in that of the "
                      "target");
    }
    return rv;
}

static apr_status_t check_workers(const copy_t *copy, const side_t *side, ecl_result_t *result)
{
    ecl_worker_t *workers;
    int alive;
    apr_status_t rv =
        ecl_workers_alive(side->conn, ALIVE_SECONDS, copy->p, &workers, &alive, result);

    if (rv == APR_SUCCESS && alive) {
        rv = ecl_fail(
            result, ECL_ECONFLICT, "copy-busy",
            "%d worker%s of %s %s alive (%s): stop httpd, and workers that you run yourself; "
            "one that was killed counts as alive for %d s",
            alive, alive == 1 ? "" : "s", side->name, alive == 1 ? "is" : "are", workers[0].name,
            ALIVE_SECONDS);
    }
    return rv;
}

/* Jobs whose lease has ended are copied as they are: the next worker puts them back. */
static apr_status_t check_leases(const copy_t *copy, ecl_result_t *result)
{
    apr_int64_t held;
    apr_status_t rv = copy->from.driver->number(
        copy->from.conn,
        apr_psprintf(copy->p,
                     "SELECT count(*) FROM import_jobs WHERE lease_until > %" APR_TIME_T_FMT,
                     apr_time_now()),
        &held, result);

    if (rv == APR_SUCCESS && held) {
        rv = ecl_fail(result, ECL_ECONFLICT, "copy-busy",
                      "%s job%s in a worker's hands: wait for its end, or stop the worker; the job "
                      "of one that was killed is free after %d s",
                      ecl_print_count(held, copy->p), held == 1 ? " is" : "s are",
                      ECL_LEASE_SECONDS);
    }
    return rv;
}

static apr_status_t check_empty(const copy_t *copy, ecl_result_t *result)
{
    for (int i = 0; i < TABLES; i++) {
        const char *name = ecl_copy_tables[i].name;
        apr_int64_t has;
        apr_status_t rv = copy->to.driver->number(
            copy->to.conn,
            apr_psprintf(copy->p, "SELECT CASE WHEN EXISTS (SELECT 1 FROM %s) THEN 1 ELSE 0 END",
                         name),
            &has, result);

        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (has) {
            return ecl_fail(result, ECL_ECONFLICT, "copy-not-empty",
                            "%s is not empty: there are rows in %s; make a new database, and run "
                            "eclectyc-import-worker --config FILE migrate with its settings",
                            copy->to.name, name);
        }
    }
    return APR_SUCCESS;
}

/* ---- copying -------------------------------------------------------------------------------- */

static apr_status_t make_room(const copy_t *copy, ecl_result_t *result)
{
    static const char sql[] = "SELECT DISTINCT CAST(substr(CAST(reading_date AS text), 1, 4)"
                              " AS integer) FROM meter_days";
    ecl_db_rows_t *rows;
    int *years;
    apr_status_t rv;

    if (!copy->to.driver->make_room) {
        return APR_SUCCESS;
    }
    rv = ecl_db_query(copy->from.conn, sql, ECL_NO_ARGS, copy->p, &rows, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    years = apr_palloc(copy->p, (apr_size_t)(ecl_db_nrows(rows) + 1) * sizeof *years);
    for (int i = 0; i < ecl_db_nrows(rows); i++) {
        years[i] = (int)ecl_db_get_int(rows, i, 0);
    }
    return copy->to.driver->make_room(copy->to.conn, years, ecl_db_nrows(rows), copy->p, result);
}

static apr_status_t count_rows(const side_t *side, const char *table, apr_int64_t *pcount,
                               apr_pool_t *p, ecl_result_t *result)
{
    return side->driver->number(side->conn, apr_psprintf(p, "SELECT count(*) FROM %s", table),
                                pcount, result);
}

static void tell(const copy_t *copy)
{
    copy->progress->tell(copy->progress->baton, copy->table->name, copy->done, copy->in_all);
}

static apr_status_t on_row(void *baton, const ecl_copy_cell_t *cells, ecl_result_t *result)
{
    copy_t *copy = baton;

    if (copy->done++ % TELL_ROWS == 0) {
        tell(copy);
    }
    return copy->to.driver->write_row(copy->writer, cells, result);
}

static apr_status_t copy_rows(copy_t *copy, apr_pool_t *p, ecl_result_t *result)
{
    const ecl_copy_driver_t *to = copy->to.driver;
    apr_status_t rv = to->write_begin(&copy->writer, copy->to.conn, copy->table, p, result);

    if (rv == APR_SUCCESS) {
        rv = copy->from.driver->read(copy->from.conn, copy->table, on_row, copy, p, result);
    }
    if (rv == APR_SUCCESS) {
        rv = to->write_end(copy->writer, result);
    }
    return rv;
}

static apr_status_t copy_next_id(copy_t *copy, apr_pool_t *p, ecl_result_t *result)
{
    apr_int64_t next;
    apr_status_t rv;

    if (!copy->table->has_id) {
        return APR_SUCCESS;
    }
    rv = copy->from.driver->get_next_id(copy->from.conn, copy->table, &next, p, result);
    if (rv == APR_SUCCESS) {
        rv = copy->to.driver->set_next_id(copy->to.conn, copy->table, next, p, result);
    }
    return rv;
}

static apr_status_t copy_table(copy_t *copy, int number, apr_pool_t *p, ecl_result_t *result)
{
    ecl_copy_count_t *count = &copy->counts[number];
    apr_status_t rv;

    copy->table = &ecl_copy_tables[number];
    copy->done = 0;
    count->table = copy->table->name;
    rv = count_rows(&copy->from, count->table, &count->source, p, result);
    copy->in_all = rv == APR_SUCCESS ? count->source : 0;
    if (rv == APR_SUCCESS) {
        tell(copy);
        rv = copy_rows(copy, p, result);
    }
    if (rv == APR_SUCCESS) {
        rv = copy_next_id(copy, p, result);
    }
    if (rv == APR_SUCCESS) {
        rv = count_rows(&copy->to, count->table, &count->target, p, result);
    }
    if (rv == APR_SUCCESS && (count->source != count->target || copy->done != count->source)) {
        rv = ecl_fail(result, APR_EGENERAL, "copy-differs",
                      "%s has %s rows, %s were read, and the target then has %s", count->table,
                      ecl_print_count(count->source, p), ecl_print_count(copy->done, p),
                      ecl_print_count(count->target, p));
    }
    return rv;
}

static apr_status_t copy_tables(copy_t *copy, ecl_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < TABLES; i++) {
        apr_pool_t *p;

        apr_pool_create(&p, copy->p);
        rv = copy_table(copy, i, p, result);
        apr_pool_destroy(p);
    }
    return rv;
}

/* With the source held. The target is looked at before anything is made in it, and again once
 * nobody else can write to it. */
static apr_status_t fill(copy_t *copy, ecl_result_t *result)
{
    apr_status_t rv = check_workers(copy, &copy->from, result);

    if (rv == APR_SUCCESS) {
        rv = check_leases(copy, result);
    }
    if (rv == APR_SUCCESS) {
        rv = check_workers(copy, &copy->to, result);
    }
    if (rv == APR_SUCCESS) {
        rv = check_empty(copy, result);
    }
    if (rv == APR_SUCCESS) {
        rv = make_room(copy, result);
    }
    if (rv == APR_SUCCESS) {
        rv = copy->to.driver->begin(copy->to.conn, copy->p, result);
    }
    if (rv == APR_SUCCESS) {
        rv = check_empty(copy, result);
    }
    if (rv == APR_SUCCESS) {
        rv = copy_tables(copy, result);
    }
    if (rv == APR_SUCCESS) {
        return ecl_db_commit(copy->to.conn, result);
    }
    ecl_db_rollback(copy->to.conn);
    return rv;
}

apr_status_t ecl_copy_database(ecl_db_conn_t *from, ecl_db_conn_t *to,
                               const ecl_copy_progress_t *progress, apr_pool_t *p,
                               const ecl_copy_count_t **pcounts, int *pcount, ecl_result_t *result)
{
    copy_t copy = {.from = side_of("the database to copy", from),
                   .to = side_of("the target", to),
                   .progress = progress,
                   .p = p};
    apr_status_t rv = check_schema(&copy.from, result);

    copy.counts = apr_pcalloc(p, TABLES * sizeof *copy.counts);
    *pcounts = copy.counts;
    *pcount = TABLES;
    if (rv == APR_SUCCESS) {
        rv = check_schema(&copy.to, result);
    }
    if (rv == APR_SUCCESS) {
        rv = check_same(&copy, result);
    }
    if (rv == APR_SUCCESS) {
        rv = copy.from.driver->begin(from, p, result);
        if (rv == APR_SUCCESS) {
            rv = fill(&copy, result);
        }
        ecl_db_rollback(from); /* nothing was changed there */
    }
    return rv;
}
