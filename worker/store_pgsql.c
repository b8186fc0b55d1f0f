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

/* The statements that batch after batch repeats: parsed and planned once for a connection. */
typedef enum statement_t {
    FIND_METERS,
    LOCK_METERS,
    MAKE_METERS,
    LOAD_DAYS,
    TAKE_OVER_HISTORY,
    INHERIT_HISTORY,
    KEEP_HISTORY,
    CHANGE_DAYS,
    STATEMENTS
} statement_t;

typedef struct state_t {
    ecl_db_conn_t *conn;
    apr_int64_t job_id;
    ecl_pg_years_t years;
    /* the batch's */
    apr_pool_t *pool;
    char *is_prepared; /* on the connection, each of the statements */
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

#define KEY_TYPES "$1::bigint[], $2::date[], $3::text[], $4::integer[]"
#define KEY_NAMES "meter_id, reading_date, channel, interval_minutes"
#define SAME_KEY                                                                                   \
    "d.meter_id = n.meter_id AND d.reading_date = n.reading_date AND d.channel = n.channel"        \
    " AND d.interval_minutes = n.interval_minutes"

#define FIND                                                                                       \
    "SELECT n.number, m.id FROM unnest($1::text[]) WITH ORDINALITY AS n (identifier, number)"      \
    " JOIN meters m ON m.identifier = n.identifier"

static const char *const statements[STATEMENTS] = {
    [FIND_METERS] = FIND,
    /* They can't be removed before the transaction ends: no foreign key sees to that, see migration
     * 0010. */
    [LOCK_METERS] = FIND " FOR KEY SHARE OF m",
    [MAKE_METERS] = "INSERT INTO meters (identifier, kind, import_job_id)"
                    " SELECT n.identifier, n.kind, $3 FROM unnest($1::text[], $2::text[])"
                    " WITH ORDINALITY AS n (identifier, kind, number) ORDER BY n.number"
                    " RETURNING id, identifier",
    [LOAD_DAYS] =
        "SELECT n.number, d.reading_date, d.id, d.import_job_id, d.import_line, d.unit,"
        " d.period_flags, d.period_values, CASE WHEN d.import_job_id = $6 THEN EXISTS (SELECT 1"
        " FROM meter_day_history h WHERE h.import_job_id = $6 AND h.meter_day_id = d.id)"
        " ELSE false END FROM unnest($1::bigint[], $2::date[], $3::date[], $4::text[],"
        " $5::integer[]) WITH ORDINALITY"
        " AS n (meter_id, first_date, last_date, channel, interval_minutes, number)"
        " JOIN meter_days d ON d.meter_id = n.meter_id AND d.channel = n.channel"
        " AND d.interval_minutes = n.interval_minutes"
        " AND d.reading_date BETWEEN n.first_date AND n.last_date",
    [TAKE_OVER_HISTORY] =
        "WITH spliced AS (UPDATE meter_day_history s SET period_values = h.period_values,"
        " period_flags = h.period_flags, unit = h.unit, previous_job_id = h.previous_job_id,"
        " previous_line = h.previous_line, previous_updated_at = h.previous_updated_at"
        " FROM meter_day_history h WHERE s.previous_job_id = $1 AND s.meter_day_id = ANY ($2)"
        " AND h.import_job_id = $1 AND h.meter_day_id = s.meter_day_id RETURNING s.meter_day_id)"
        " DELETE FROM meter_day_history h USING spliced"
        " WHERE h.import_job_id = $1 AND h.meter_day_id = spliced.meter_day_id",
    /* where the job had created the day, the successor now has */
    [INHERIT_HISTORY] = "DELETE FROM meter_day_history"
                        " WHERE previous_job_id = $1 AND meter_day_id = ANY ($2)",
    [KEEP_HISTORY] =
        "INSERT INTO meter_day_history (import_job_id, meter_day_id, period_values, period_flags,"
        " unit, previous_job_id, previous_line, previous_updated_at)"
        " SELECT $5, d.id, d.period_values, d.period_flags, d.unit, d.import_job_id, d.import_line,"
        " d.updated_at FROM unnest(" KEY_TYPES ") AS n (" KEY_NAMES ") JOIN meter_days d"
        " ON " SAME_KEY " ON CONFLICT (import_job_id, meter_day_id) DO UPDATE SET"
        " period_values = excluded.period_values, period_flags = excluded.period_flags,"
        " unit = excluded.unit, previous_job_id = excluded.previous_job_id,"
        " previous_line = excluded.previous_line,"
        " previous_updated_at = excluded.previous_updated_at",
    [CHANGE_DAYS] =
        "UPDATE meter_days d SET period_values = n.period_values::json,"
        " period_flags = n.period_flags, import_job_id = $8, import_line = n.import_line,"
        " updated_at = $9 FROM unnest(" KEY_TYPES ", $5::text[], $6::text[], $7::bigint[])"
        " AS n (" KEY_NAMES ", period_values, period_flags, import_line) WHERE " SAME_KEY,
};

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

/* Sends a statement, whose answers are then to be taken. */
static apr_status_t start(state_t *state, statement_t statement, const params_t *params,
                          ecl_result_t *result)
{
    static const int binary[MAX_PARAMS] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    PGconn *pg = ecl_db_native(state->conn);
    const char *values[MAX_PARAMS];
    int lengths[MAX_PARAMS];
    char name[] = "ecl_a";

    name[4] = (char)('a' + statement);
    if (!state->is_prepared[statement]) {
        PGresult *answer;
        apr_status_t rv =
            take_answer(state->conn, storing, PQprepare(pg, name, statements[statement], 0, NULL),
                        &answer, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        PQclear(answer);
        state->is_prepared[statement] = 1;
    }
    for (int i = 0; i < params->count; i++) {
        values[i] = params->values[i].data;
        lengths[i] = (int)params->values[i].size;
    }
    return PQsendQueryPrepared(pg, name, params->count, values, lengths, binary, 1)
               ? APR_SUCCESS
               : ecl_pg_fail(state->conn, storing, result);
}

/* The one answer, which is to be cleared; NULL on failure. */
static apr_status_t run(state_t *state, statement_t statement, const params_t *params,
                        PGresult **panswer, ecl_result_t *result)
{
    PGconn *pg = ecl_db_native(state->conn);
    apr_status_t rv = start(state, statement, params, result);

    *panswer = NULL;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = take_answer(state->conn, storing, PQgetResult(pg), panswer, result);
    PQclear(PQgetResult(pg)); /* NULL: there is no other */
    return rv;
}

/* One whose answer does not matter but for the number of rows it did something to. */
static apr_status_t run_command(state_t *state, statement_t statement, const params_t *params,
                                apr_int64_t *prows, ecl_result_t *result)
{
    PGresult *answer;
    apr_status_t rv = run(state, statement, params, &answer, result);

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

static apr_status_t prepare(void *baton, const ecl_meter_day_t *const *days, int count,
                            ecl_result_t *result)
{
    state_t *state = baton;

    return ecl_pg_make_partitions(state->conn, &state->years, days, count, result);
}

/* What is known of the connection's statements, for as long as it lasts. */
static char *prepared_on(ecl_db_conn_t *conn)
{
    static const char name[] = "ecl_store_pgsql";
    apr_pool_t *pool = ecl_db_native_pool(conn);
    void *is_prepared;

    apr_pool_userdata_get(&is_prepared, name, pool);
    if (!is_prepared) {
        is_prepared = apr_pcalloc(pool, STATEMENTS);
        apr_pool_userdata_setn(is_prepared, name, NULL, pool);
    }
    return is_prepared;
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
 * - Plans go by the key, whatever the statistics of a table say that was empty a moment ago, and
 *   are made once.
 * - A commit does not wait for the disk. A server that crashes may lose the last batches, each of
 *   them whole and with its checkpoint, and the job goes on from there; the commit that ends the
 *   job waits, and before it nothing of the file is given up. */
static apr_status_t batch_begin(void *baton, const ecl_meter_day_t *const *days, int count,
                                apr_pool_t *p, int *pchanged, ecl_result_t *result)
{
    state_t *state = baton;
    char is_used[ECL_STRIPES] = {0};
    ecl_pg_bytes_t sql = {.pool = p};
    static const char settings[] =
        "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off;"
        "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
        "SET LOCAL jit = off; SET LOCAL synchronous_commit = off;";
    static const char locks[] = "SELECT pg_advisory_xact_lock(" ECL_PGSQL_LOCKS
                                ", " APR_STRINGIFY(ECL_PGSQL_LOCK_STORE) " + n) FROM unnest('{";
    static const char end[] = "}'::integer[]) AS n";
    const char *separator = locks;
    PGresult *answer;
    apr_status_t rv;

    state->pool = p;
    state->is_prepared = prepared_on(state->conn);
    *pchanged = 1; /* nobody tells */
    for (int i = 0; i < count; i++) {
        is_used[stripe_of(days[i]->meter)] = 1;
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

static apr_status_t find_meters(state_t *state, ecl_store_meter_t **meters, int count, int lock,
                                ecl_result_t *result)
{
    params_t params = {.pool = state->pool};
    PGresult *answer;
    apr_status_t rv;

    put_identifiers(add_array(&params, ECL_PG_TEXT, count), meters, count);
    rv = run(state, lock ? LOCK_METERS : FIND_METERS, &params, &answer, result);
    for (int i = 0; rv == APR_SUCCESS && i < PQntuples(answer); i++) {
        meters[get_int(answer, i, 0) - 1]->id = get_int(answer, i, 1);
    }
    PQclear(answer);
    return rv;
}

static apr_status_t make_meters(state_t *state, ecl_store_meter_t **meters, int count,
                                ecl_result_t *result)
{
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
    rv = run(state, MAKE_METERS, &params, &answer, result);
    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        /* in the order in which they were inserted, as far as anybody knows; and all of them,
         * unless somebody has put a trigger there */
        if (i >= PQntuples(answer) ||
            strcmp(PQgetvalue(answer, i, 1), meters[i]->identifier) != 0) {
            rv = ecl_fail(result, APR_EGENERAL, "database-order",
                          "the database returned other meters than were made, or in another order");
            break;
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

/* Days of one meter that follow each other, which one scan of the index finds. */
typedef struct range_t {
    ecl_store_row_t **rows; /* in the order of their dates */
    int count;
} range_t;

static int by_key(const void *a, const void *b)
{
    const ecl_store_row_t *row = *(ecl_store_row_t *const *)a;
    const ecl_store_row_t *other = *(ecl_store_row_t *const *)b;
    int order;

    if (row->meter_id != other->meter_id) {
        return row->meter_id < other->meter_id ? -1 : 1;
    }
    order = strcmp(row->key->channel, other->key->channel);
    if (order == 0) {
        order = row->key->interval_minutes - other->key->interval_minutes;
    }
    return order ? order : row->key->date - other->key->date;
}

static int is_next_day(const ecl_store_row_t *row, const ecl_store_row_t *other)
{
    return row->meter_id == other->meter_id && row->key->date + 1 == other->key->date &&
           row->key->interval_minutes == other->key->interval_minutes &&
           !strcmp(row->key->channel, other->key->channel);
}

/* Sorts the rows, no two of which are the same day's; returns how many ranges they make. */
static int make_ranges(ecl_store_row_t **rows, int count, range_t *ranges)
{
    int range_count = 0;

    qsort(rows, (size_t)count, sizeof(ecl_store_row_t *), by_key);
    for (int i = 0; i < count; i++) {
        if (!i || !is_next_day(rows[i - 1], rows[i])) {
            ranges[range_count++].rows = &rows[i];
        }
        ranges[range_count - 1].count++;
    }
    return range_count;
}

static void add_ranges(params_t *params, const range_t *ranges, int count)
{
    ecl_pg_bytes_t *meters = add_array(params, ECL_PG_BIGINT, count);
    ecl_pg_bytes_t *firsts = add_array(params, ECL_PG_DATE, count);
    ecl_pg_bytes_t *lasts = add_array(params, ECL_PG_DATE, count);
    ecl_pg_bytes_t *channels = add_array(params, ECL_PG_TEXT, count);
    ecl_pg_bytes_t *intervals = add_array(params, ECL_PG_INTEGER, count);

    for (int i = 0; i < count; i++) {
        const ecl_store_row_t *first = ranges[i].rows[0];

        ecl_pg_put_bigint(meters, first->meter_id);
        ecl_pg_put_date(firsts, first->key->date);
        ecl_pg_put_date(lasts, first->key->date + ranges[i].count - 1);
        ecl_pg_put_text(channels, first->key->channel, strlen(first->key->channel));
        ecl_pg_put_integer(intervals, first->key->interval_minutes);
    }
}

/* Takes a row of the answer. */
static apr_status_t take_day(const state_t *state, const range_t *ranges, const PGresult *answer,
                             ecl_result_t *result)
{
    const range_t *range = &ranges[get_int(answer, 0, 0) - 1];
    ecl_date_t date = ecl_pg_get_date(PQgetvalue(answer, 0, 1));
    ecl_store_row_t *row = range->rows[date - range->rows[0]->key->date];
    apr_status_t rv =
        ecl_store_take_day(row, PQgetvalue(answer, 0, 7), (apr_size_t)PQgetlength(answer, 0, 7),
                           PQgetvalue(answer, 0, 6), (apr_size_t)PQgetlength(answer, 0, 6),
                           PQgetvalue(answer, 0, 5), result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    row->id = get_int(answer, 0, 2);
    row->job = get_int(answer, 0, 3);
    row->line = get_int(answer, 0, 4);
    row->is_ours = row->job == state->job_id;
    row->created = row->is_ours && !*PQgetvalue(answer, 0, 8);
    return APR_SUCCESS;
}

/* Takes each day when it comes, while the server reads the next ones. */
static apr_status_t take_days(state_t *state, const range_t *ranges, ecl_result_t *result)
{
    PGconn *pg = ecl_db_native(state->conn);
    PGresult *answer;
    apr_status_t rv = APR_SUCCESS;

    if (!PQsetSingleRowMode(pg)) {
        return ecl_pg_fail(state->conn, storing, result);
    }
    while ((answer = PQgetResult(pg))) {
        ExecStatusType status = PQresultStatus(answer);

        if (rv == APR_SUCCESS && status == PGRES_SINGLE_TUPLE) {
            rv = take_day(state, ranges, answer, result);
        } else if (rv == APR_SUCCESS && status != PGRES_TUPLES_OK) {
            rv = ecl_pg_fail(state->conn, storing, result);
        }
        PQclear(answer);
    }
    return rv;
}

static apr_status_t batch_load(void *baton, ecl_store_row_t **rows, int count, ecl_result_t *result)
{
    state_t *state = baton;
    params_t params = {.pool = state->pool};
    range_t *ranges = apr_pcalloc(state->pool, (apr_size_t)count * sizeof *ranges);
    apr_status_t rv;

    if (!count) {
        return APR_SUCCESS;
    }
    add_ranges(&params, ranges, make_ranges(rows, count, ranges));
    add_bigint(&params, state->job_id);
    rv = start(state, LOAD_DAYS, &params, result);
    return rv == APR_SUCCESS ? take_days(state, ranges, result) : rv;
}

/* ---- new days ------------------------------------------------------------------------------- */

static void put_values(ecl_pg_bytes_t *bytes, const ecl_store_row_t *row)
{
    char buffer[ECL_PERIOD_TEXT_MAX];
    apr_size_t length;
    const char *text = ecl_store_row_text(row, buffer, &length);

    ecl_pg_put_text(bytes, text, length);
}

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
    put_values(bytes, row);
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
    rv = run_command(state, TAKE_OVER_HISTORY, &ids, NULL, result);
    if (rv == APR_SUCCESS) {
        rv = run_command(state, INHERIT_HISTORY, &ids, NULL, result);
    }
    if (rv == APR_SUCCESS) {
        rv = run_command(state, KEEP_HISTORY, &keys, NULL, result);
    }
    return rv;
}

static apr_status_t change_days(state_t *state, ecl_store_row_t **rows, int count, apr_time_t now,
                                ecl_result_t *result)
{
    params_t params = {.pool = state->pool};
    ecl_pg_bytes_t *values, *flags, *lines;
    apr_int64_t changed;
    apr_status_t rv;

    add_keys(&params, rows, count);
    values = add_array(&params, ECL_PG_TEXT, count);
    flags = add_array(&params, ECL_PG_TEXT, count);
    lines = add_array(&params, ECL_PG_BIGINT, count);
    for (int i = 0; i < count; i++) {
        put_values(values, rows[i]);
        ecl_pg_put_text(flags, rows[i]->flags, (apr_size_t)rows[i]->key->periods);
        ecl_pg_put_bigint(lines, rows[i]->line);
    }
    add_bigint(&params, state->job_id);
    add_bigint(&params, now);
    rv = run_command(state, CHANGE_DAYS, &params, &changed, result);
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
