/*
 * Meters and days in SQLite, on the connection's native handle: a statement for each row,
 * prepared once for a batch, costs less than any clever SQL, because the database is in the same
 * process.
 */
#include "period_text.h"
#include "sql.h"
#include "store_driver.h"

typedef struct state_t {
    ecl_db_conn_t *conn;
    apr_int64_t job_id;
    apr_int64_t data_version;
    sqlite3 *sqlite; /* what follows is a batch's */
    sqlite3_stmt *get_version;
    sqlite3_stmt *get_meter, *add_meter;
    sqlite3_stmt *get_day, *add_day, *change_day;
    sqlite3_stmt *get_previous, *add_history, *drop_unreachable;
    sqlite3_stmt *splice_in, *drop_history;
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

/* For each batch anew: lib/db may open the connection again between two transactions. */
static apr_status_t prepare(state_t *state, apr_pool_t *p, ecl_result_t *result)
{
    const struct {
        sqlite3_stmt **pstmt;
        const char *sql;
    } statements[] = {
        {&state->get_version, "PRAGMA data_version"},
        {&state->get_meter, "SELECT id FROM meters WHERE identifier = ?"},
        {&state->add_meter,
         "INSERT INTO meters (identifier, kind, import_job_id) VALUES (?, ?, ?)"},
        {&state->get_day,
         "SELECT d.id, d.period_values, d.period_flags, d.unit, d.import_job_id, d.import_line,"
         " CASE WHEN d.import_job_id = ?5 THEN EXISTS (SELECT 1 FROM meter_day_history h"
         " WHERE h.import_job_id = ?5 AND h.meter_day_id = d.id) END"
         " FROM meter_days d WHERE d.meter_id = ?1 AND d.reading_date = ?2 AND d.channel = ?3"
         " AND d.interval_minutes = ?4"},
        {&state->add_day,
         "INSERT INTO meter_days (meter_id, reading_date, channel, interval_minutes, day_start,"
         " period_values, period_flags, unit, import_job_id, import_line, updated_at)"
         " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        {&state->change_day,
         "UPDATE meter_days SET period_values = ?, period_flags = ?, import_job_id = ?,"
         " import_line = ?, updated_at = ? WHERE id = ?"},
        {&state->get_previous, "SELECT previous_job_id FROM meter_day_history"
                               " WHERE import_job_id = ? AND meter_day_id = ?"},
        {&state->add_history,
         "INSERT OR REPLACE INTO meter_day_history (import_job_id, meter_day_id, period_values, "
         "period_flags,"
         " unit, previous_job_id, previous_line, previous_updated_at)"
         " SELECT ?1, id, period_values, period_flags, unit, import_job_id, import_line,"
         " updated_at FROM meter_days WHERE id = ?2"},
        {&state->drop_unreachable,
         "DELETE FROM meter_day_history WHERE previous_job_id = ?1 AND meter_day_id = ?2"},
        {&state->splice_in, splice_in_sql},
        {&state->drop_history, drop_history_sql},
    };

    for (apr_size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        apr_status_t rv =
            ecl_sql_prepare(statements[i].pstmt, state->sqlite, statements[i].sql, p, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    return APR_SUCCESS;
}

/* SQLite counts the commits of other connections: see PRAGMA data_version. */
static apr_status_t batch_begin(void *baton, const ecl_meter_day_t *days, int count, apr_pool_t *p,
                                int *pchanged, ecl_result_t *result)
{
    state_t *state = baton;
    sqlite3 *sqlite = ecl_db_native(state->conn);
    apr_int64_t version;
    int found;
    apr_status_t rv;

    (void)days; /* there is one writer at a time */
    (void)count;
    *pchanged = sqlite != state->sqlite;
    state->sqlite = sqlite;
    rv = prepare(state, p, result);
    if (rv == APR_SUCCESS) {
        rv = ecl_sql_step(state->get_version, &found, storing, result);
    }
    if (rv != APR_SUCCESS) {
        return failed(state->conn, rv);
    }
    version = sqlite3_column_int64(state->get_version, 0);
    sqlite3_reset(state->get_version);
    *pchanged |= version != state->data_version;
    state->data_version = version;
    return APR_SUCCESS;
}

static apr_status_t find_meter(state_t *state, ecl_store_meter_t *meter, int create,
                               ecl_result_t *result)
{
    int found;
    apr_status_t rv;

    sqlite3_bind_text(state->get_meter, 1, meter->identifier, -1, SQLITE_STATIC);
    rv = ecl_sql_step(state->get_meter, &found, storing, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (found) {
        meter->id = sqlite3_column_int64(state->get_meter, 0);
        sqlite3_reset(state->get_meter);
        return APR_SUCCESS;
    }
    if (create) {
        sqlite3_bind_text(state->add_meter, 1, meter->identifier, -1, SQLITE_STATIC);
        sqlite3_bind_text(state->add_meter, 2, ecl_meter_kind_name(meter->kind), -1, SQLITE_STATIC);
        sqlite3_bind_int64(state->add_meter, 3, state->job_id);
        rv = ecl_sql_run(state->add_meter, storing, result);
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

/* Takes the columns of get_day into row. */
static apr_status_t take_day(const state_t *state, ecl_store_row_t *row, ecl_result_t *result)
{
    sqlite3_stmt *stmt = state->get_day;
    ecl_decimal_t values[ECL_PERIODS_MAX];
    const char *text = (const char *)sqlite3_column_text(stmt, 1);
    const char *flags = (const char *)sqlite3_column_text(stmt, 2);
    const char *unit = (const char *)sqlite3_column_text(stmt, 3);
    int periods = ecl_period_text_parse(text, (apr_size_t)sqlite3_column_bytes(stmt, 1), values,
                                        ECL_PERIODS_MAX);
    apr_status_t rv = ecl_store_take_day(row, values, periods, flags,
                                         (apr_size_t)sqlite3_column_bytes(stmt, 2), unit, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    row->id = sqlite3_column_int64(stmt, 0);
    row->job = sqlite3_column_int64(stmt, 4);
    row->line = sqlite3_column_int64(stmt, 5);
    row->is_ours = row->job == state->job_id;
    row->created = row->is_ours && !sqlite3_column_int(stmt, 6);
    return APR_SUCCESS;
}

static apr_status_t load_day(state_t *state, ecl_store_row_t *row, ecl_result_t *result)
{
    sqlite3_stmt *stmt = state->get_day;
    char date[ECL_DATE_TEXT];
    int found;
    apr_status_t rv;

    ecl_date_print(row->key->date, date);
    sqlite3_bind_int64(stmt, 1, row->meter_id);
    sqlite3_bind_text(stmt, 2, date, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, row->key->channel, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 4, row->key->interval_minutes);
    sqlite3_bind_int64(stmt, 5, state->job_id);
    rv = failed(state->conn, ecl_sql_step(stmt, &found, storing, result));
    if (rv == APR_SUCCESS && found) {
        rv = take_day(state, row, result);
        sqlite3_reset(stmt);
    }
    return rv;
}

static apr_status_t batch_load(void *baton, ecl_store_row_t **rows, int count, ecl_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        rv = load_day(baton, rows[i], result);
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

        ecl_sql_bind_ints(state->get_previous, 2, (const apr_int64_t[]){writer, row->id});
        rv = ecl_sql_step(state->get_previous, &found, storing, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        if (!found) {
            ecl_sql_bind_ints(state->drop_unreachable, 2,
                              (const apr_int64_t[]){state->job_id, row->id});
            rv = ecl_sql_run(state->drop_unreachable, storing, result);
            if (rv != APR_SUCCESS) {
                return rv;
            }
            break;
        }
        previous = sqlite3_column_int64(state->get_previous, 0);
        sqlite3_reset(state->get_previous);
        if (previous == state->job_id) {
            rv = splice(state->sqlite, state->splice_in, state->drop_history, previous, writer,
                        row->id, storing, result);
            if (rv != APR_SUCCESS) {
                return rv;
            }
            break;
        }
        writer = previous;
    }
    ecl_sql_bind_ints(state->add_history, 2, (const apr_int64_t[]){state->job_id, row->id});
    return ecl_sql_run(state->add_history, storing, result);
}

static apr_status_t add_day(state_t *state, const ecl_store_row_t *row, apr_time_t now,
                            ecl_result_t *result)
{
    sqlite3_stmt *stmt = state->add_day;
    const ecl_meter_day_t *key = row->key;
    apr_size_t length = ecl_period_text_print(row->values, key->periods, state->text);
    char date[ECL_DATE_TEXT];

    ecl_date_print(key->date, date);
    sqlite3_bind_int64(stmt, 1, row->meter_id);
    sqlite3_bind_text(stmt, 2, date, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, key->channel, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 4, key->interval_minutes);
    sqlite3_bind_int64(stmt, 5, key->day_start);
    sqlite3_bind_text(stmt, 6, state->text, (int)length, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 7, row->flags, key->periods, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 8, key->unit, -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 9, state->job_id);
    sqlite3_bind_int64(stmt, 10, row->line);
    sqlite3_bind_int64(stmt, 11, now);
    return ecl_sql_run(stmt, storing, result);
}

static apr_status_t change_day(state_t *state, const ecl_store_row_t *row, apr_time_t now,
                               ecl_result_t *result)
{
    sqlite3_stmt *stmt = state->change_day;
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

static apr_status_t batch_save(void *baton, ecl_store_row_t **rows, int count, apr_time_t now,
                               ecl_result_t *result)
{
    state_t *state = baton;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        rv = rows[i]->id ? change_day(state, rows[i], now, result)
                         : add_day(state, rows[i], now, result);
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
