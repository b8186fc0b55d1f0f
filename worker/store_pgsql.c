/*
 * Meters and days in PostgreSQL, on the connection's native handle: a statement for each batch.
 *
 *   lock stripes ─▶ look up and make meters ─▶ load days ─▶ (store.c merges) ─▶ COPY new days
 *                                                                            └▶ update changed ones
 *
 * Nobody else writes days of a batch's meters while it runs: each identifier belongs to one of
 * ECL_STRIPES advisory locks, taken in their order and held until the transaction ends. So what was
 * loaded is still true when it is written, what is not there can be copied in without looking for
 * conflicts, and two batches can't wait for each other in a circle.
 */
#include "pg_binary.h"
#include "store_pgsql.h"

/* COPY's stream is handed to libpq in pieces of about this size: the server works on one while the
 * next is made. Smaller ones cost both more in turns than they save in waiting. */
#define COPY_BYTES (64 * 1024)

typedef struct state_t {
    ecl_db_conn_t *conn;
    apr_int64_t job_id;
    ecl_pg_years_t years;
    apr_pool_t *pool; /* the batch's */
} state_t;

static const char storing[] = "cannot store readings";

apr_status_t ecl_pg_fail(ecl_db_conn_t *conn, const char *what, ecl_result_t *result)
{
    return ecl_db_fail_native(conn, what, result);
}

static apr_status_t take_answer(ecl_db_conn_t *conn, const char *what, PGresult *answer,
                                PGresult **panswer, ecl_result_t *result)
{
    ExecStatusType status = PQresultStatus(answer);

    *panswer = answer;
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        return APR_SUCCESS;
    }
    *panswer = NULL;
    PQclear(answer);
    return ecl_pg_fail(conn, what, result);
}

apr_status_t ecl_pg_run(ecl_db_conn_t *conn, const char *what, const char *sql, int count,
                        const char *const *params, PGresult **panswer, ecl_result_t *result)
{
    return take_answer(conn, what,
                       PQexecParams(ecl_db_native(conn), sql, count, NULL, params, NULL, NULL, 0),
                       panswer, result);
}

/* ---- parameters of statements --------------------------------------------------------------- */

#define MAX_PARAMS 9

typedef struct params_t {
    apr_pool_t *pool;
    int count;
    ecl_pg_bytes_t values[MAX_PARAMS];
} params_t;

/* An array for `rows` elements, which the caller puts into it. */
static ecl_pg_bytes_t *add_array(params_t *params, int element_type, int rows)
{
    ecl_pg_bytes_t *bytes = &params->values[params->count++];

    bytes->pool = params->pool;
    ecl_pg_put_array(bytes, element_type, rows);
    return bytes;
}

/* A bigint. PQexecParams has its length, so the bytes that say it go. */
static void add_bigint(params_t *params, apr_int64_t value)
{
    ecl_pg_bytes_t *bytes = &params->values[params->count++];

    bytes->pool = params->pool;
    ecl_pg_put_bigint(bytes, value);
    bytes->data += 4;
    bytes->size -= 4;
}

static apr_status_t run(state_t *state, const char *sql, const params_t *params, PGresult **panswer,
                        ecl_result_t *result)
{
    static const int binary[MAX_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    const char *values[MAX_PARAMS];
    int lengths[MAX_PARAMS];

    for (int i = 0; i < params->count; i++) {
        values[i] = params->values[i].data;
        lengths[i] = (int)params->values[i].size;
    }
    return take_answer(state->conn, storing,
                       PQexecParams(ecl_db_native(state->conn), sql, params->count, NULL, values,
                                    lengths, binary, 1),
                       panswer, result);
}

/* One whose answer does not matter but for the number of rows it did something to. */
static apr_status_t run_command(state_t *state, const char *sql, const params_t *params,
                                apr_int64_t *prows, ecl_result_t *result)
{
    PGresult *answer;
    apr_status_t rv = run(state, sql, params, &answer, result);

    if (rv == APR_SUCCESS && prows &&
        !ecl_parse_int64(PQcmdTuples(answer), 0, APR_INT64_MAX, prows)) {
        *prows = -1;
    }
    PQclear(answer);
    return rv;
}

static apr_int64_t get_int(const PGresult *answer, int row, int column)
{
    return ecl_pg_get_int(PQgetvalue(answer, row, column), PQgetlength(answer, row, column));
}

/* The keys of rows as four arrays: meter_id, reading_date, channel, interval_minutes. */
static void add_keys(params_t *params, ecl_store_row_t *const *rows, int count)
{
    ecl_pg_bytes_t *meters = add_array(params, ECL_PG_BIGINT, count);
    ecl_pg_bytes_t *dates = add_array(params, ECL_PG_DATE, count);
    ecl_pg_bytes_t *channels = add_array(params, ECL_PG_TEXT, count);
    ecl_pg_bytes_t *intervals = add_array(params, ECL_PG_INTEGER, count);

    for (int i = 0; i < count; i++) {
        const ecl_meter_day_t *key = rows[i]->key;

        ecl_pg_put_bigint(meters, rows[i]->meter_id);
        ecl_pg_put_date(dates, key->date);
        ecl_pg_put_text(channels, key->channel, strlen(key->channel));
        ecl_pg_put_integer(intervals, key->interval_minutes);
    }
}

#define KEY_TYPES "$1::bigint[], $2::date[], $3::text[], $4::integer[]"
#define KEY_NAMES "meter_id, reading_date, channel, interval_minutes"
#define SAME_KEY                                                                                   \
    "d.meter_id = n.meter_id AND d.reading_date = n.reading_date AND d.channel = n.channel"        \
    " AND d.interval_minutes = n.interval_minutes"

/* ---- a batch -------------------------------------------------------------------------------- */

static apr_status_t state_open(void **pstate, ecl_db_conn_t *conn, apr_int64_t job_id,
                               apr_pool_t *p)
{
    state_t *state = apr_pcalloc(p, sizeof *state);

    state->conn = conn;
    state->job_id = job_id;
    *pstate = state;
    return APR_SUCCESS;
}

static apr_status_t prepare(void *baton, const ecl_meter_day_t *days, int count,
                            ecl_result_t *result)
{
    state_t *state = baton;

    return ecl_pg_make_partitions(state->conn, &state->years, days, count, result);
}

/* FNV-1a: every program that writes to the database must come to the same stripe. */
static int stripe_of(const char *identifier)
{
    apr_uint32_t hash = 2166136261U;

    for (; *identifier; identifier++) {
        hash = (hash ^ (unsigned char)*identifier) * 16777619U;
    }
    return (int)(hash % ECL_STRIPES);
}

/* With the locks, in the same message:
 * - Plans for a batch go by the key, whatever the statistics of a table say that was empty a moment
 *   ago.
 * - A commit does not wait for the disk. A server that crashes may lose the last batches, each of
 *   them whole and with its checkpoint, and the job goes on from there; the commit that ends the
 *   job waits, and before it nothing of the file is given up. */
static apr_status_t batch_begin(void *baton, const ecl_meter_day_t *days, int count, apr_pool_t *p,
                                int *pchanged, ecl_result_t *result)
{
    state_t *state = baton;
    char is_used[ECL_STRIPES] = {0};
    ecl_pg_bytes_t sql = {.pool = p};
    static const char settings[] =
        "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;"
        "SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;"
        "SET LOCAL synchronous_commit = off;";
    static const char locks[] = "SELECT pg_advisory_xact_lock(" ECL_PGSQL_LOCKS
                                ", " APR_STRINGIFY(ECL_PGSQL_LOCK_STORE) " + n) FROM unnest('{";
    static const char end[] = "}'::integer[]) AS n";
    const char *separator = locks;
    PGresult *answer;
    apr_status_t rv;

    state->pool = p;
    *pchanged = 1; /* nobody tells */
    for (int i = 0; i < count; i++) {
        is_used[stripe_of(days[i].meter)] = 1;
    }
    ecl_pg_put_raw(&sql, settings, strlen(settings));
    for (int i = 0; i < ECL_STRIPES; i++) {
        if (is_used[i]) {
            const char *number = apr_itoa(p, i);

            ecl_pg_put_raw(&sql, separator, strlen(separator));
            ecl_pg_put_raw(&sql, number, strlen(number));
            separator = ",";
        }
    }
    ecl_pg_put_raw(&sql, count ? end : "", count ? sizeof end : 1);
    rv = take_answer(state->conn, storing, PQexec(ecl_db_native(state->conn), sql.data), &answer,
                     result);
    PQclear(answer);
    return rv;
}

/* ---- meters --------------------------------------------------------------------------------- */

static void put_identifiers(ecl_pg_bytes_t *bytes, ecl_store_meter_t *const *meters, int count)
{
    for (int i = 0; i < count; i++) {
        ecl_pg_put_text(bytes, meters[i]->identifier, strlen(meters[i]->identifier));
    }
}

#define FIND_METERS                                                                                \
    "SELECT n.number, m.id FROM unnest($1::text[]) WITH ORDINALITY AS n (identifier, number)"      \
    " JOIN meters m ON m.identifier = n.identifier"

/* With `lock` they can't be removed before the transaction ends: no foreign key sees to that, see
 * migration 0010. */
static apr_status_t find_meters(state_t *state, ecl_store_meter_t **meters, int count, int lock,
                                ecl_result_t *result)
{
    const char *sql = lock ? FIND_METERS " FOR KEY SHARE OF m" : FIND_METERS;
    params_t params = {.pool = state->pool};
    PGresult *answer;
    apr_status_t rv;

    put_identifiers(add_array(&params, ECL_PG_TEXT, count), meters, count);
    rv = run(state, sql, &params, &answer, result);
    for (int i = 0; rv == APR_SUCCESS && i < PQntuples(answer); i++) {
        meters[get_int(answer, i, 0) - 1]->id = get_int(answer, i, 1);
    }
    PQclear(answer);
    return rv;
}

static apr_status_t make_meters(state_t *state, ecl_store_meter_t **meters, int count,
                                ecl_result_t *result)
{
    static const char sql[] = "INSERT INTO meters (identifier, kind, import_job_id)"
                              " SELECT n.identifier, n.kind, $3 FROM unnest($1::text[], $2::text[])"
                              " WITH ORDINALITY AS n (identifier, kind, number) ORDER BY n.number "
                              "RETURNING id, identifier";
    params_t params = {.pool = state->pool};
    ecl_pg_bytes_t *kinds;
    PGresult *answer;
    apr_status_t rv;

    put_identifiers(add_array(&params, ECL_PG_TEXT, count), meters, count);
    kinds = add_array(&params, ECL_PG_TEXT, count);
    for (int i = 0; i < count; i++) {
        const char *kind = ecl_meter_kind_name(meters[i]->kind);
        ecl_pg_put_text(kinds, kind, strlen(kind));
    }
    add_bigint(&params, state->job_id);
    rv = run(state, sql, &params, &answer, result);
    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        /* in the order in which they were inserted, as far as anybody knows */
        if (strcmp(PQgetvalue(answer, i, 1), meters[i]->identifier) != 0) {
            rv = ecl_fail(result, APR_EGENERAL, "database-order",
                          "the database returned new meters in another order");
        }
        meters[i]->id = get_int(answer, i, 0);
        meters[i]->created = 1;
    }
    PQclear(answer);
    return rv;
}

static apr_status_t batch_meters(void *baton, ecl_store_meter_t **meters, int count, int create,
                                 ecl_result_t *result)
{
    state_t *state = baton;
    ecl_store_meter_t **missing =
        apr_palloc(state->pool, (apr_size_t)(count + 1) * sizeof(ecl_store_meter_t *));
    int missing_count = 0;
    apr_status_t rv = count ? find_meters(state, meters, count, create, result) : APR_SUCCESS;

    for (int i = 0; i < count; i++) {
        if (!meters[i]->id) {
            missing[missing_count++] = meters[i];
        }
    }
    if (rv == APR_SUCCESS && create && missing_count) {
        rv = make_meters(state, missing, missing_count, result);
    }
    return rv;
}

/* ---- loading -------------------------------------------------------------------------------- */

/* Takes a row of batch_load's answer. */
static apr_status_t take_day(const state_t *state, const PGresult *answer, int i,
                             ecl_store_row_t *row, ecl_result_t *result)
{
    ecl_decimal_t values[ECL_PERIODS_MAX];
    int periods = ecl_pg_get_periods(PQgetvalue(answer, i, 6), PQgetlength(answer, i, 6), values,
                                     ECL_PERIODS_MAX);
    apr_status_t rv =
        ecl_store_take_day(row, values, periods, PQgetvalue(answer, i, 5),
                           (apr_size_t)PQgetlength(answer, i, 5), PQgetvalue(answer, i, 4), result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    row->id = get_int(answer, i, 1);
    row->job = get_int(answer, i, 2);
    row->line = get_int(answer, i, 3);
    row->is_ours = row->job == state->job_id;
    row->created = row->is_ours && !*PQgetvalue(answer, i, 7);
    return APR_SUCCESS;
}

static apr_status_t batch_load(void *baton, ecl_store_row_t **rows, int count, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT n.number, d.id, d.import_job_id, d.import_line, d.unit, d.period_flags,"
        " d.period_values, CASE WHEN d.import_job_id = $5 THEN EXISTS (SELECT 1"
        " FROM meter_day_history h WHERE h.import_job_id = $5 AND h.meter_day_id = d.id)"
        " ELSE false END"
        " FROM unnest(" KEY_TYPES ") WITH ORDINALITY AS n (" KEY_NAMES ", number)"
        " JOIN meter_days d ON " SAME_KEY;
    state_t *state = baton;
    params_t params = {.pool = state->pool};
    PGresult *answer;
    apr_status_t rv;

    if (!count) {
        return APR_SUCCESS;
    }
    add_keys(&params, rows, count);
    add_bigint(&params, state->job_id);
    rv = run(state, sql, &params, &answer, result);
    for (int i = 0; rv == APR_SUCCESS && i < PQntuples(answer); i++) {
        rv = take_day(state, answer, i, rows[get_int(answer, i, 0) - 1], result);
    }
    PQclear(answer);
    return rv;
}

/* ---- new days ------------------------------------------------------------------------------- */

static void put_day(ecl_pg_bytes_t *bytes, const ecl_store_row_t *row, apr_int64_t job_id,
                    apr_time_t now)
{
    const ecl_meter_day_t *key = row->key;

    ecl_pg_put_int16(bytes, 11); /* columns */
    ecl_pg_put_bigint(bytes, row->meter_id);
    ecl_pg_put_date(bytes, key->date);
    ecl_pg_put_text(bytes, key->channel, strlen(key->channel));
    ecl_pg_put_integer(bytes, key->interval_minutes);
    ecl_pg_put_bigint(bytes, key->day_start);
    ecl_pg_put_periods(bytes, row->values, key->periods);
    ecl_pg_put_text(bytes, row->flags, (apr_size_t)key->periods);
    ecl_pg_put_text(bytes, key->unit, strlen(key->unit));
    ecl_pg_put_bigint(bytes, job_id);
    ecl_pg_put_bigint(bytes, row->line);
    ecl_pg_put_bigint(bytes, now);
}

/* Sends the rows; 0 when the connection does not take them. */
static int send_days(state_t *state, ecl_store_row_t **rows, int count, apr_time_t now)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* no flags, no extension */
    PGconn *pg = ecl_db_native(state->conn);
    ecl_pg_bytes_t bytes = {.pool = state->pool};

    ecl_pg_put_raw(&bytes, head, 19);
    for (int i = 0; i < count; i++) {
        put_day(&bytes, rows[i], state->job_id, now);
        if (bytes.size >= COPY_BYTES) {
            if (PQputCopyData(pg, bytes.data, (int)bytes.size) != 1) {
                return 0;
            }
            bytes.size = 0;
        }
    }
    ecl_pg_put_int16(&bytes, -1);
    return PQputCopyData(pg, bytes.data, (int)bytes.size) == 1 && PQputCopyEnd(pg, NULL) == 1;
}

static apr_status_t wrong_number(const char *what, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EUNAVAILABLE, "database-changed",
                    "somebody else has changed the readings that were being %s", what);
}

static apr_status_t copy_days(state_t *state, ecl_store_row_t **rows, int count, apr_time_t now,
                              ecl_result_t *result)
{
    static const char sql[] = "COPY meter_days (" KEY_NAMES ", day_start, period_values,"
                              " period_flags, unit, import_job_id, import_line, updated_at)"
                              " FROM STDIN (FORMAT binary)";
    PGconn *pg = ecl_db_native(state->conn);
    PGresult *answer = PQexec(pg, sql);
    apr_int64_t copied = -1;
    apr_status_t rv = APR_SUCCESS;

    if (PQresultStatus(answer) != PGRES_COPY_IN || !send_days(state, rows, count, now)) {
        PQclear(answer);
        return ecl_pg_fail(state->conn, storing, result);
    }
    PQclear(answer);
    while ((answer = PQgetResult(pg))) {
        if (PQresultStatus(answer) != PGRES_COMMAND_OK) {
            rv = ecl_pg_fail(state->conn, storing, result);
        } else if (!ecl_parse_int64(PQcmdTuples(answer), 0, APR_INT64_MAX, &copied)) {
            copied = -1;
        }
        PQclear(answer);
    }
    return rv == APR_SUCCESS && copied != count ? wrong_number("stored", result) : rv;
}

/* ---- changed days --------------------------------------------------------------------------- */

/* Before the job's first change of days. Where it has written one before and another import has
 * done so since (two files with the same days, imported at the same time), it moves to the top of
 * the day's stack, which would lead in a circle otherwise: its successor takes over what it found.
 * Where the record of an import above it was deleted, its own can't be reached any more, and gives
 * way. */
static apr_status_t keep_history(state_t *state, ecl_store_row_t **rows, int count,
                                 ecl_result_t *result)
{
    static const char take_over[] =
        "WITH spliced AS (UPDATE meter_day_history s SET period_values = h.period_values,"
        " period_flags = h.period_flags, unit = h.unit, previous_job_id = h.previous_job_id,"
        " previous_line = h.previous_line, previous_updated_at = h.previous_updated_at"
        " FROM meter_day_history h WHERE s.previous_job_id = $1 AND s.meter_day_id = ANY ($2)"
        " AND h.import_job_id = $1 AND h.meter_day_id = s.meter_day_id RETURNING s.meter_day_id)"
        " DELETE FROM meter_day_history h USING spliced"
        " WHERE h.import_job_id = $1 AND h.meter_day_id = spliced.meter_day_id";
    /* where the job had created the day, the successor now has */
    static const char inherit[] = "DELETE FROM meter_day_history"
                                  " WHERE previous_job_id = $1 AND meter_day_id = ANY ($2)";
    static const char keep[] =
        "INSERT INTO meter_day_history (import_job_id, meter_day_id, period_values, period_flags,"
        " unit, previous_job_id, previous_line, previous_updated_at)"
        " SELECT $5, d.id, d.period_values, d.period_flags, d.unit, d.import_job_id, d.import_line,"
        " d.updated_at FROM unnest(" KEY_TYPES ") AS n (" KEY_NAMES ") JOIN meter_days d"
        " ON " SAME_KEY " ON CONFLICT (import_job_id, meter_day_id) DO UPDATE SET"
        " period_values = excluded.period_values, period_flags = excluded.period_flags,"
        " unit = excluded.unit, previous_job_id = excluded.previous_job_id,"
        " previous_line = excluded.previous_line,"
        " previous_updated_at = excluded.previous_updated_at";
    params_t ids = {.pool = state->pool}, keys = {.pool = state->pool};
    ecl_pg_bytes_t *days;
    apr_status_t rv;

    add_bigint(&ids, state->job_id);
    days = add_array(&ids, ECL_PG_BIGINT, count);
    for (int i = 0; i < count; i++) {
        ecl_pg_put_bigint(days, rows[i]->id);
    }
    add_keys(&keys, rows, count);
    add_bigint(&keys, state->job_id);
    rv = run_command(state, take_over, &ids, NULL, result);
    if (rv == APR_SUCCESS) {
        rv = run_command(state, inherit, &ids, NULL, result);
    }
    if (rv == APR_SUCCESS) {
        rv = run_command(state, keep, &keys, NULL, result);
    }
    return rv;
}

/* The values as the text of a numeric[]: an array of arrays would need all of one length. */
static void put_values_text(ecl_pg_bytes_t *bytes, const ecl_store_row_t *row)
{
    char text[2 + ECL_PERIODS_MAX * (ECL_DECIMAL_TEXT + 1)];
    char *at = text;

    *at++ = '{';
    for (int i = 0; i < row->key->periods; i++) {
        if (i) {
            *at++ = ',';
        }
        if (row->values[i] == ECL_DECIMAL_MISSING) {
            memcpy(at, "NULL", 4);
            at += 4;
        } else {
            at += ecl_decimal_print(row->values[i], at);
        }
    }
    *at++ = '}';
    ecl_pg_put_text(bytes, text, (apr_size_t)(at - text));
}

static apr_status_t change_days(state_t *state, ecl_store_row_t **rows, int count, apr_time_t now,
                                ecl_result_t *result)
{
    static const char sql[] =
        "UPDATE meter_days d SET period_values = n.period_values::numeric[],"
        " period_flags = n.period_flags, import_job_id = $8, import_line = n.import_line,"
        " updated_at = $9 FROM unnest(" KEY_TYPES ", $5::text[], $6::text[], $7::bigint[])"
        " AS n (" KEY_NAMES ", period_values, period_flags, import_line) WHERE " SAME_KEY;
    params_t params = {.pool = state->pool};
    ecl_pg_bytes_t *values, *flags, *lines;
    apr_int64_t changed;
    apr_status_t rv;

    add_keys(&params, rows, count);
    values = add_array(&params, ECL_PG_TEXT, count);
    flags = add_array(&params, ECL_PG_TEXT, count);
    lines = add_array(&params, ECL_PG_BIGINT, count);
    for (int i = 0; i < count; i++) {
        put_values_text(values, rows[i]);
        ecl_pg_put_text(flags, rows[i]->flags, (apr_size_t)rows[i]->key->periods);
        ecl_pg_put_bigint(lines, rows[i]->line);
    }
    add_bigint(&params, state->job_id);
    add_bigint(&params, now);
    rv = run_command(state, sql, &params, &changed, result);
    return rv == APR_SUCCESS && changed != count ? wrong_number("changed", result) : rv;
}

static apr_status_t batch_save(void *baton, ecl_store_row_t **rows, int count, apr_time_t now,
                               ecl_result_t *result)
{
    state_t *state = baton;
    apr_size_t bytes = (apr_size_t)(count + 1) * sizeof(ecl_store_row_t *);
    ecl_store_row_t **added = apr_palloc(state->pool, bytes);
    ecl_store_row_t **changed = apr_palloc(state->pool, bytes);
    ecl_store_row_t **taken_over = apr_palloc(state->pool, bytes);
    int added_count = 0, changed_count = 0, taken_over_count = 0;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; i < count; i++) {
        if (!rows[i]->id) {
            added[added_count++] = rows[i];
            continue;
        }
        changed[changed_count++] = rows[i];
        if (rows[i]->job != state->job_id) {
            taken_over[taken_over_count++] = rows[i];
        }
    }
    if (added_count) {
        rv = copy_days(state, added, added_count, now, result);
    }
    if (rv == APR_SUCCESS && taken_over_count) {
        rv = keep_history(state, taken_over, taken_over_count, result);
    }
    if (rv == APR_SUCCESS && changed_count) {
        rv = change_days(state, changed, changed_count, now, result);
    }
    return rv;
}

const ecl_store_driver_t ecl_store_pgsql = {state_open, prepare,    batch_begin,    batch_meters,
                                            batch_load, batch_save, ecl_pg_take_out};
