#include "scratch.h"
#include "sql.h"

struct ecl_scratch_t {
    sqlite3 *sqlite;
    sqlite3_stmt *begin, *end;
    sqlite3_stmt *get_given, *set_given;
    sqlite3_stmt *get_meter, *set_meter;
    sqlite3_stmt *get_day, *set_day;
};

static const char doing[] = "use the temporary file of the import";

static const char schema[] =
    "PRAGMA journal_mode = OFF;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA locking_mode = EXCLUSIVE;"
    "CREATE TABLE given (id INTEGER PRIMARY KEY, line INTEGER NOT NULL, periods BLOB NOT NULL);"
    "CREATE TABLE meters (id INTEGER PRIMARY KEY, identifier TEXT NOT NULL UNIQUE);"
    "CREATE TABLE days (meter_id, reading_date, channel, interval_minutes, id, line, unit,"
    " period_values BLOB, period_flags TEXT,"
    " PRIMARY KEY (meter_id, reading_date, channel, interval_minutes)) WITHOUT ROWID;";

static apr_status_t close_sqlite(void *sqlite)
{
    sqlite3_close(sqlite);
    return APR_SUCCESS;
}

apr_status_t ecl_scratch_open(ecl_scratch_t **pscratch, apr_pool_t *p, ecl_result_t *result)
{
    ecl_scratch_t *scratch = apr_pcalloc(p, sizeof *scratch);
    const struct {
        sqlite3_stmt **pstmt;
        const char *sql;
    } statements[] = {
        {&scratch->begin, "BEGIN"},
        {&scratch->end, "COMMIT"},
        {&scratch->get_given, "SELECT line, periods FROM given WHERE id = ?"},
        {&scratch->set_given, "INSERT OR REPLACE INTO given (id, line, periods) VALUES (?, ?, ?)"},
        {&scratch->get_meter, "SELECT id FROM meters WHERE identifier = ?"},
        {&scratch->set_meter, "INSERT INTO meters (identifier) VALUES (?)"},
        {&scratch->get_day, "SELECT id, line, unit, period_values, period_flags FROM days"
                            " WHERE meter_id = ? AND reading_date = ? AND channel = ?"
                            " AND interval_minutes = ?"},
        {&scratch->set_day, "INSERT OR REPLACE INTO days (meter_id, reading_date, channel,"
                            " interval_minutes, id, line, unit, period_values, period_flags)"
                            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"},
    };
    /* an empty name: private, in a temporary file that is removed on closing */
    int rc = sqlite3_open("", &scratch->sqlite);

    apr_pool_cleanup_register(p, scratch->sqlite, close_sqlite, apr_pool_cleanup_null);
    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(scratch->sqlite, schema, NULL, NULL, NULL);
    }
    if (rc != SQLITE_OK) {
        return ecl_sql_fail(scratch->sqlite, rc, doing, result);
    }
    for (apr_size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        apr_status_t rv =
            ecl_sql_prepare(statements[i].pstmt, scratch->sqlite, statements[i].sql, p, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    *pscratch = scratch;
    return APR_SUCCESS;
}

apr_status_t ecl_scratch_begin(ecl_scratch_t *scratch, ecl_result_t *result)
{
    return ecl_sql_run(scratch->begin, doing, result);
}

apr_status_t ecl_scratch_end(ecl_scratch_t *scratch, ecl_result_t *result)
{
    return ecl_sql_run(scratch->end, doing, result);
}

apr_status_t ecl_scratch_get_given(ecl_scratch_t *scratch, ecl_store_row_t *row,
                                   ecl_result_t *result)
{
    sqlite3_stmt *stmt = scratch->get_given;
    int found;
    apr_status_t rv;

    sqlite3_bind_int64(stmt, 1, row->id);
    rv = ecl_sql_step(stmt, &found, doing, result);
    if (rv == APR_SUCCESS && found) {
        int bytes = sqlite3_column_bytes(stmt, 1);
        int room = ECL_GIVEN_BYTES(row->key->periods);

        row->given_line = sqlite3_column_int64(stmt, 0);
        memcpy(row->given, sqlite3_column_blob(stmt, 1), (apr_size_t)(bytes < room ? bytes : room));
        sqlite3_reset(stmt);
    }
    return rv;
}

apr_status_t ecl_scratch_set_given(ecl_scratch_t *scratch, const ecl_store_row_t *row,
                                   ecl_result_t *result)
{
    sqlite3_stmt *stmt = scratch->set_given;

    sqlite3_bind_int64(stmt, 1, row->id);
    sqlite3_bind_int64(stmt, 2, row->given_line);
    sqlite3_bind_blob(stmt, 3, row->given, ECL_GIVEN_BYTES(row->key->periods), SQLITE_STATIC);
    return ecl_sql_run(stmt, doing, result);
}

apr_status_t ecl_scratch_meter(ecl_scratch_t *scratch, ecl_store_meter_t *meter,
                               ecl_result_t *result)
{
    int found;
    apr_status_t rv;

    sqlite3_bind_text(scratch->get_meter, 1, meter->identifier, -1, SQLITE_STATIC);
    rv = ecl_sql_step(scratch->get_meter, &found, doing, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (found) {
        meter->id = -sqlite3_column_int64(scratch->get_meter, 0);
        sqlite3_reset(scratch->get_meter);
        return APR_SUCCESS;
    }
    sqlite3_bind_text(scratch->set_meter, 1, meter->identifier, -1, SQLITE_STATIC);
    rv = ecl_sql_run(scratch->set_meter, doing, result);
    meter->id = -sqlite3_last_insert_rowid(scratch->sqlite);
    meter->created = 1;
    return rv;
}

static void bind_key(sqlite3_stmt *stmt, const ecl_store_row_t *row)
{
    sqlite3_bind_int64(stmt, 1, row->meter_id);
    sqlite3_bind_int(stmt, 2, row->key->date);
    sqlite3_bind_text(stmt, 3, row->key->channel, -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 4, row->key->interval_minutes);
}

apr_status_t ecl_scratch_load_day(ecl_scratch_t *scratch, ecl_store_row_t *row,
                                  ecl_result_t *result)
{
    sqlite3_stmt *stmt = scratch->get_day;
    apr_size_t periods = (apr_size_t)row->key->periods;
    const char *unit;
    int found;
    apr_status_t rv;

    bind_key(stmt, row);
    rv = ecl_sql_step(stmt, &found, doing, result);
    if (rv != APR_SUCCESS || !found) {
        return rv;
    }
    unit = (const char *)sqlite3_column_text(stmt, 2);
    if (strcmp(unit, row->key->unit) != 0) {
        rv = ecl_store_unit_differs(row->key, unit, result);
    } else if ((apr_size_t)sqlite3_column_bytes(stmt, 4) != periods) {
        rv = ecl_store_periods_differ(row->key, sqlite3_column_bytes(stmt, 4), result);
    } else {
        row->id = sqlite3_column_int64(stmt, 0);
        row->line = sqlite3_column_int64(stmt, 1);
        memcpy(row->values, sqlite3_column_blob(stmt, 3), periods * sizeof *row->values);
        memcpy(row->flags, sqlite3_column_text(stmt, 4), periods);
        row->is_loaded = row->exists = row->is_ours = 1;
        row->created = row->id == 0;
    }
    sqlite3_reset(stmt);
    return rv;
}

apr_status_t ecl_scratch_save_day(ecl_scratch_t *scratch, const ecl_store_row_t *row,
                                  ecl_result_t *result)
{
    sqlite3_stmt *stmt = scratch->set_day;
    int periods = row->key->periods;

    bind_key(stmt, row);
    sqlite3_bind_int64(stmt, 5, row->id);
    sqlite3_bind_int64(stmt, 6, row->line);
    sqlite3_bind_text(stmt, 7, row->key->unit, -1, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 8, row->values, periods * (int)sizeof *row->values, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 9, row->flags, periods, SQLITE_STATIC);
    return ecl_sql_run(stmt, doing, result);
}
