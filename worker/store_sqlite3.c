/*
 * Meters and days in SQLite, on the connection's native handle. A batch's days are looked up by one
 * statement and added by another (store_sqlite3_rows.h); what else there is to do for a row is a
 * statement each, which costs little because the database is in the same process.
 */
#include <apr_atomic.h>

#include "checkpointer.h"
#include "period_text.h"
#include "sql.h"
#include "store_driver.h"
#include "store_sqlite3_rows.h"

#define STATEMENTS_KEY "store_sqlite3.c"

/* Prepared once for a connection, and finalised before it is closed. */
typedef struct statements_t {
    apr_uint32_t number;   /* another one for every connection of this process */
    const void *last_user; /* the state of the last batch */
    ecl_store_rows_t rows; /* what the table ecl_rows holds */
    sqlite3_stmt *get_version;
    sqlite3_stmt *get_meter, *add_meter;
    sqlite3_stmt *get_days, *add_days, *change_day;
    sqlite3_stmt *get_previous, *add_history, *drop_unreachable;
    sqlite3_stmt *splice_in, *drop_history;
} statements_t;

typedef struct state_t {
    ecl_db_conn_t *conn;
    apr_int64_t job_id;
    apr_int64_t data_version;
    apr_uint32_t statements_number;
    sqlite3 *sqlite; /* what follows is a batch's */
    statements_t *sql;
    apr_pool_t *pool;
    char text[ECL_PERIOD_TEXT_MAX];
} state_t;

static const char storing[] = "store readings";
static const char taking_out[] = "take readings out";

/* Takes the entry of the job ?1 out of a day's stack of undo records: its successor's record (job
 * ?2, day ?3) gets what the job's holds. */
static const char splice_in_sql[] =
    "UPDATE meter_day_history AS s SET period_values = h.period_values,"
    " period_flags = h.period_flags, unit = h.unit, previous_job_id = h.previous_job_id,"
    " previous_line = h.previous_line, previous_updated_at = h.previous_updated_at"
    " FROM meter_day_history h WHERE h.import_job_id = ?1 AND h.meter_day_id = ?3"
    " AND s.import_job_id = ?2 AND s.meter_day_id = ?3";
static const char drop_history_sql[] =
    "DELETE FROM meter_day_history WHERE import_job_id = ?1 AND meter_day_id = ?2";

/* A failure on the native handle: the connection is not to be used again. */
static apr_status_t failed(ecl_db_conn_t *conn, apr_status_t rv)
{
    if (rv != APR_SUCCESS) {
        ecl_db_mark_failed(conn);
    }
    return rv;
}

static apr_status_t state_open(void **pstate, ecl_db_conn_t *conn, apr_int64_t job_id,
                               apr_pool_t *p)
{
    state_t *state = apr_pcalloc(p, sizeof *state);

    state->conn = conn;
    state->job_id = job_id;
    *pstate = state;
    return APR_SUCCESS;
}

static apr_status_t prepare(statements_t *sql, sqlite3 *sqlite, apr_pool_t *p, ecl_result_t *result)
{
    const struct {
        sqlite3_stmt **pstmt;
        const char *sql;
    } statements[] = {
        {&sql->get_version, "PRAGMA data_version"},
        {&sql->get_meter, "SELECT id FROM meters WHERE identifier = ?"},
        {&sql->add_meter, "INSERT INTO meters (identifier, kind, import_job_id) VALUES (?, ?, ?)"},
        /* CROSS: from the rows to their days, whatever SQLite thinks of it */
        {&sql->get_days,
         "SELECT r.rowid, d.id, d.period_values, d.period_flags, d.unit, d.import_job_id,"
         " d.import_line, CASE WHEN d.import_job_id = ?1 THEN EXISTS (SELECT 1"
         " FROM meter_day_history h WHERE h.import_job_id = ?1 AND h.meter_day_id = d.id) END"
         " FROM ecl_rows r CROSS JOIN meter_days d WHERE d.meter_id = r.meter_id"
         " AND d.reading_date = r.reading_date AND d.channel = r.channel"
         " AND d.interval_minutes = r.interval_minutes"},
        {&sql->add_days,
         "INSERT INTO meter_days (meter_id, reading_date, channel, interval_minutes, day_start,"
         " period_values, period_flags, unit, import_job_id, import_line, updated_at)"
         " SELECT meter_id, reading_date, channel, interval_minutes, day_start, period_values,"
         " period_flags, unit, ?1, import_line, ?2 FROM ecl_rows"},
        {&sql->change_day,
         "UPDATE meter_days SET period_values = ?, period_flags = ?, import_job_id = ?,"
         " import_line = ?, updated_at = ? WHERE id = ?"},
        {&sql->get_previous, "SELECT previous_job_id FROM meter_day_history"
                             " WHERE import_job_id = ? AND meter_day_id = ?"},
        {&sql->add_history,
         "INSERT OR REPLACE INTO meter_day_history (import_job_id, meter_day_id, period_values, "
         "period_flags,"
         " unit, previous_job_id, previous_line, previous_updated_at)"
         " SELECT ?1, id, period_values, period_flags, unit, import_job_id, import_line,"
         " updated_at FROM meter_days WHERE id = ?2"},
        {&sql->drop_unreachable,
         "DELETE FROM meter_day_history WHERE previous_job_id = ?1 AND meter_day_id = ?2"},
        {&sql->splice_in, splice_in_sql},
        {&sql->drop_history, drop_history_sql},
    };
    int rc = ecl_store_rows_make(sqlite, &sql->rows);

    if (rc != SQLITE_OK) {
        return ecl_sql_fail(sqlite, rc, "make a table of rows", result);
    }
    for (apr_size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        apr_status_t rv =
            ecl_sql_prepare(statements[i].pstmt, sqlite, statements[i].sql, p, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* Those of the connection as it is now: lib/db may open it again between two transactions. */
static apr_status_t find_statements(state_t *state, ecl_result_t *result)
{
    static volatile apr_uint32_t count;
    apr_pool_t *p = ecl_db_native_pool(state->conn);
    statements_t *sql;
    void *data = NULL;
    apr_status_t rv;

    apr_pool_userdata_get(&data, STATEMENTS_KEY, p);
    if (data) {
        state->sql = data;
        return APR_SUCCESS;
    }
    sql = apr_pcalloc(p, sizeof *sql);
    sql->number = apr_atomic_inc32(&count) + 1;
    rv = prepare(sql, state->sqlite, p, result);
    if (rv == APR_SUCCESS) {
        rv = ecl_checkpointer_make(state->sqlite, p, result);
    }
    if (rv == APR_SUCCESS) {
        apr_pool_userdata_setn(sql, STATEMENTS_KEY, NULL, p);
        state->sql = sql;
    }
    return rv;
}

/* SQLite counts the commits of other connections: see PRAGMA data_version. */
static apr_status_t batch_begin(void *baton, const ecl_meter_day_t *const *days, int count,
                                apr_pool_t *p, int *pchanged, ecl_result_t *result)
{
    state_t *state = baton;
    apr_int64_t version;
    int found;
    apr_status_t rv;

    (void)days; /* there is one writer at a time */
    (void)count;
    state->pool = p;
    state->sqlite = ecl_db_native(state->conn);
    rv = find_statements(state, result);
    if (rv == APR_SUCCESS) {
        rv = ecl_sql_step(state->sql->get_version, &found, storing, result);
    }
    if (rv != APR_SUCCESS) {
        return failed(state->conn, rv);
    }
    version = sqlite3_column_int64(state->sql->get_version, 0);
    sqlite3_reset(state->sql->get_version);
    *pchanged = state->sql->number != state->statements_number || state->sql->last_user != state ||
                version != state->data_version;
    state->sql->last_user = state;
    state->statements_number = state->sql->number;
    state->data_version = version;
    return APR_SUCCESS;
}

static apr_status_t find_meter(state_t *state, ecl_store_meter_t *meter, int create,
                               ecl_result_t *result)
{
    int found;
    apr_status_t rv;

    sqlite3_bind_text(state->sql->get_meter, 1, meter->identifier, -1, SQLITE_STATIC);
    rv = ecl_sql_step(state->sql->get_meter, &found, storing, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (found) {
        meter->id = sqlite3_column_int64(state->sql->get_meter, 0);
        sqlite3_reset(state->sql->get_meter);
        return APR_SUCCESS;
    }
    if (create) {
        sqlite3_bind_text(state->sql->add_meter, 1, meter->identifier, -1, SQLITE_STATIC);
        sqlite3_bind_text(state->sql->add_meter, 2, ecl_meter_kind_name(meter->kind), -1,
                          SQLITE_STATIC);
        sqlite3_bind_int64(state->sql->add_meter, 3, state->job_id);
        rv = ecl_sql_run(state->sql->add_meter, storing, result);
        meter->id = sqlite3_last_insert_rowid(state->sqlite);
        meter->created = 1;
    }
    return rv;
}

static apr_status_t batch_meters(void *baton, ecl_store_meter_t **meters, int count, int create,
                                 ecl_result_t *result)
{
    state_t *state = baton;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        rv = find_meter(state, meters[i], create, result);
    }
    return failed(state->conn, rv);
}

/* ---- days ----------------------------------------------------------------------------------- */

/* Takes the columns of get_days into row. */
static apr_status_t take_day(const state_t *state, ecl_store_row_t *row, ecl_result_t *result)
{
    sqlite3_stmt *stmt = state->sql->get_days;
    const char *text = (const char *)sqlite3_column_text(stmt, 2);
    apr_size_t length = (apr_size_t)sqlite3_column_bytes(stmt, 2);
    const char *flags = (const char *)sqlite3_column_text(stmt, 3);
    const char *unit = (const char *)sqlite3_column_text(stmt, 4);
    apr_status_t rv = ecl_store_take_day(row, text, length, flags,
                                         (apr_size_t)sqlite3_column_bytes(stmt, 3), unit, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    row->id = sqlite3_column_int64(stmt, 1);
    row->job = sqlite3_column_int64(stmt, 5);
    row->line = sqlite3_column_int64(stmt, 6);
    row->is_ours = row->job == state->job_id;
    row->created = row->is_ours && !sqlite3_column_int(stmt, 7);
    return APR_SUCCESS;
}

static apr_status_t batch_load(void *baton, ecl_store_row_t **rows, int count, ecl_result_t *result)
{
    state_t *state = baton;
    sqlite3_stmt *stmt = state->sql->get_days;
    int found = count > 0;
    apr_status_t rv = APR_SUCCESS;

    state->sql->rows = (ecl_store_rows_t){rows, count};
    ecl_sql_bind_ints(stmt, 1, &state->job_id);
    while (found) {
        rv = failed(state->conn, ecl_sql_step(stmt, &found, storing, result));
        if (rv == APR_SUCCESS && found) {
            rv = take_day(state, rows[sqlite3_column_int64(stmt, 0)], result);
        }
        if (rv != APR_SUCCESS) {
            sqlite3_reset(stmt);
            break;
        }
    }
    return rv;
}

/* Takes the job out of a day's stack of undo records, where it is not the last writer: see
 * store.h. */
static apr_status_t splice(sqlite3 *sqlite, sqlite3_stmt *splice_in, sqlite3_stmt *drop_history,
                           apr_int64_t job_id, apr_int64_t successor, apr_int64_t day_id,
                           const char *what, ecl_result_t *result)
{
    apr_int64_t gone = job_id;
    apr_status_t rv;

    ecl_sql_bind_ints(splice_in, 3, (const apr_int64_t[]){job_id, successor, day_id});
    rv = ecl_sql_run(splice_in, what, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!sqlite3_changes(sqlite)) {
        gone = successor; /* the job had created the day: now the successor has */
    }
    ecl_sql_bind_ints(drop_history, 2, (const apr_int64_t[]){gone, day_id});
    return ecl_sql_run(drop_history, what, result);
}

/* Before the job's first change to a day. Where it has written the day before and another import
 * has done so since (two files with the same days, imported at the same time), it moves to the top
 * of the day's stack, which would lead in a circle otherwise. Where the record of an import above
 * it was deleted, the job's place below can't be reached any more: what speaks of it goes. */
static apr_status_t keep_history(state_t *state, const ecl_store_row_t *row, ecl_result_t *result)
{
    apr_int64_t writer = row->job;
    apr_status_t rv;

    for (;;) {
        apr_int64_t previous = 0;
        int found;

        ecl_sql_bind_ints(state->sql->get_previous, 2, (const apr_int64_t[]){writer, row->id});
        rv = ecl_sql_step(state->sql->get_previous, &found, storing, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (!found) {
            ecl_sql_bind_ints(state->sql->drop_unreachable, 2,
                              (const apr_int64_t[]){state->job_id, row->id});
            rv = ecl_sql_run(state->sql->drop_unreachable, storing, result);
            if (rv != APR_SUCCESS) {
                return rv;
            }
            break;
        }
        previous = sqlite3_column_int64(state->sql->get_previous, 0);
        sqlite3_reset(state->sql->get_previous);
        if (previous == state->job_id) {
            rv = splice(state->sqlite, state->sql->splice_in, state->sql->drop_history, previous,
                        writer, row->id, storing, result);
            if (rv != APR_SUCCESS) {
                return rv;
            }
            break;
        }
        writer = previous;
    }
    ecl_sql_bind_ints(state->sql->add_history, 2, (const apr_int64_t[]){state->job_id, row->id});
    return ecl_sql_run(state->sql->add_history, storing, result);
}

static apr_status_t change_day(state_t *state, const ecl_store_row_t *row, apr_time_t now,
                               ecl_result_t *result)
{
    sqlite3_stmt *stmt = state->sql->change_day;
    apr_size_t length = ecl_period_text_print(row->values, row->key->periods, state->text);

    if (row->job != state->job_id) {
        apr_status_t rv = keep_history(state, row, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    sqlite3_bind_text(stmt, 1, state->text, (int)length, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, row->flags, row->key->periods, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 3, state->job_id);
    sqlite3_bind_int64(stmt, 4, row->line);
    sqlite3_bind_int64(stmt, 5, now);
    sqlite3_bind_int64(stmt, 6, row->id);
    return ecl_sql_run(stmt, storing, result);
}

static apr_status_t add_days(state_t *state, ecl_store_row_t *const *rows, int count,
                             apr_time_t now, ecl_result_t *result)
{
    state->sql->rows = (ecl_store_rows_t){rows, count};
    ecl_sql_bind_ints(state->sql->add_days, 2, (const apr_int64_t[]){state->job_id, now});
    return ecl_sql_run(state->sql->add_days, storing, result);
}

static apr_status_t batch_save(void *baton, ecl_store_row_t **rows, int count, apr_time_t now,
                               ecl_result_t *result)
{
    state_t *state = baton;
    ecl_store_row_t **added =
        apr_palloc(state->pool, (apr_size_t)count * sizeof(ecl_store_row_t *));
    int added_count = 0;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        if (rows[i]->id) {
            rv = change_day(state, rows[i], now, result);
        } else {
            added[added_count++] = rows[i];
        }
    }
    if (rv == APR_SUCCESS && added_count) {
        rv = add_days(state, added, added_count, now, result);
    }
    return failed(state->conn, rv);
}

/* ---- taking out ----------------------------------------------------------------------------- */

typedef struct take_out_t {
    sqlite3 *sqlite;
    apr_int64_t job_id;
    int left; /* how many days may still be taken */
    ecl_take_out_counts_t *counts;
    sqlite3_stmt *find_day, *restore_day, *remove_day, *find_successor, *find_history;
    sqlite3_stmt *splice_in, *drop_history, *hand_over_meters, *remove_meters;
} take_out_t;

static apr_status_t prepare_take_out(take_out_t *t, apr_pool_t *p, ecl_result_t *result)
{
    const struct {
        sqlite3_stmt **pstmt;
        const char *sql;
    } statements[] = {
        {&t->find_day, "SELECT id FROM meter_days WHERE import_job_id = ? LIMIT 1"},
        {&t->restore_day,
         "UPDATE meter_days SET period_values = h.period_values, period_flags = h.period_flags,"
         " unit = h.unit, import_job_id = h.previous_job_id, import_line = h.previous_line,"
         " updated_at = h.previous_updated_at FROM meter_day_history h"
         " WHERE h.import_job_id = ?1 AND h.meter_day_id = ?2 AND meter_days.id = ?2"},
        {&t->remove_day, "DELETE FROM meter_days WHERE id = ?"},
        {&t->find_successor, "SELECT import_job_id, meter_day_id FROM meter_day_history"
                             " WHERE previous_job_id = ? LIMIT 1"},
        {&t->find_history,
         "SELECT meter_day_id FROM meter_day_history WHERE import_job_id = ? LIMIT 1"},
        {&t->splice_in, splice_in_sql},
        {&t->drop_history, drop_history_sql},
        {&t->hand_over_meters,
         "UPDATE meters SET import_job_id = (SELECT d.import_job_id FROM meter_days d"
         " WHERE d.meter_id = meters.id LIMIT 1) WHERE import_job_id = ?"
         " AND EXISTS (SELECT 1 FROM meter_days d WHERE d.meter_id = meters.id)"},
        {&t->remove_meters, "DELETE FROM meters WHERE import_job_id = ?"},
    };

    for (apr_size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        apr_status_t rv =
            ecl_sql_prepare(statements[i].pstmt, t->sqlite, statements[i].sql, p, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* Finds the next piece of work: fills `columns` with the integers of one row. */
static apr_status_t find_one(sqlite3_stmt *stmt, apr_int64_t job_id, apr_int64_t columns[2],
                             int *pfound, ecl_result_t *result)
{
    apr_status_t rv;

    ecl_sql_bind_ints(stmt, 1, &job_id);
    rv = ecl_sql_step(stmt, pfound, taking_out, result);
    if (rv == APR_SUCCESS && *pfound) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            columns[i] = sqlite3_column_int64(stmt, i);
        }
        sqlite3_reset(stmt);
    }
    return rv;
}

/* A day whose last writer the job is. */
static apr_status_t take_out_day(take_out_t *t, const apr_int64_t columns[2], ecl_result_t *result)
{
    apr_int64_t ids[2] = {t->job_id, columns[0]};
    apr_status_t rv;

    ecl_sql_bind_ints(t->restore_day, 2, ids);
    rv = ecl_sql_run(t->restore_day, taking_out, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (sqlite3_changes(t->sqlite)) {
        t->counts->days_restored++;
        ecl_sql_bind_ints(t->drop_history, 2, ids);
        return ecl_sql_run(t->drop_history, taking_out, result);
    }
    t->counts->days_removed++;
    ecl_sql_bind_ints(t->remove_day, 1, &ids[1]);
    return ecl_sql_run(t->remove_day, taking_out, result);
}

/* A day that a later import, columns[0], has changed. */
static apr_status_t keep_day(take_out_t *t, const apr_int64_t columns[2], ecl_result_t *result)
{
    t->counts->days_kept++;
    return splice(t->sqlite, t->splice_in, t->drop_history, t->job_id, columns[0], columns[1],
                  taking_out, result);
}

/* A day that was changed by a later import whose record was deleted since. */
static apr_status_t drop_rest(take_out_t *t, const apr_int64_t columns[2], ecl_result_t *result)
{
    t->counts->days_kept++;
    ecl_sql_bind_ints(t->drop_history, 2, (const apr_int64_t[]){t->job_id, columns[0]});
    return ecl_sql_run(t->drop_history, taking_out, result);
}

static apr_status_t do_each(take_out_t *t, sqlite3_stmt *find,
                            apr_status_t (*act)(take_out_t *, const apr_int64_t *, ecl_result_t *),
                            ecl_result_t *result)
{
    apr_int64_t columns[2];
    int found = 1;
    apr_status_t rv = APR_SUCCESS;

    while (rv == APR_SUCCESS && t->left > 0) {
        rv = find_one(find, t->job_id, columns, &found, result);
        if (rv != APR_SUCCESS || !found) {
            return rv;
        }
        rv = act(t, columns, result);
        t->left--;
    }
    return rv;
}

static apr_status_t take_out_meters(take_out_t *t, ecl_result_t *result)
{
    apr_status_t rv;

    ecl_sql_bind_ints(t->hand_over_meters, 1, &t->job_id);
    rv = ecl_sql_run(t->hand_over_meters, taking_out, result);
    if (rv == APR_SUCCESS) {
        ecl_sql_bind_ints(t->remove_meters, 1, &t->job_id);
        rv = ecl_sql_run(t->remove_meters, taking_out, result);
        t->counts->meters_removed += sqlite3_changes(t->sqlite);
    }
    return rv;
}

static apr_status_t take_out(ecl_db_conn_t *conn, apr_int64_t job_id, int limit,
                             ecl_take_out_counts_t *counts, int *pmore, ecl_result_t *result)
{
    take_out_t t = {
        .sqlite = ecl_db_native(conn), .job_id = job_id, .left = limit, .counts = counts};
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, NULL);
    rv = prepare_take_out(&t, p, result);
    if (rv == APR_SUCCESS) {
        rv = do_each(&t, t.find_day, take_out_day, result);
    }
    if (rv == APR_SUCCESS) {
        rv = do_each(&t, t.find_successor, keep_day, result);
    }
    if (rv == APR_SUCCESS) {
        rv = do_each(&t, t.find_history, drop_rest, result);
    }
    *pmore = t.left == 0;
    if (rv == APR_SUCCESS && !*pmore) {
        rv = take_out_meters(&t, result);
    }
    apr_pool_destroy(p);
    return failed(conn, rv);
}

const ecl_store_driver_t ecl_store_sqlite3 = {state_open, NULL,       batch_begin, batch_meters,
                                              batch_load, batch_save, take_out};
