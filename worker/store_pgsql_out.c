/*
 * Taking a job's days out of PostgreSQL: see ecl_store_take_out. All of the stripes are locked, so
 * no import writes meanwhile, and each step is one statement for as many days as are still allowed.
 */
#include "store_pgsql.h"

typedef struct take_out_t {
    ecl_db_conn_t *conn;
    const char *job_id;
    int left; /* how many days may still be taken */
    apr_pool_t *p;
} take_out_t;

static const char taking_out[] = "cannot take readings out";

/* Days whose last writer the job is: back to what it found, or gone if it had created them. */
static const char own_days[] =
    "WITH d AS MATERIALIZED (SELECT id, meter_id, reading_date, channel, interval_minutes"
    " FROM meter_days WHERE import_job_id = $1 LIMIT $2),"
    " restored AS (UPDATE meter_days m SET period_values = h.period_values,"
    " period_flags = h.period_flags, unit = h.unit, import_job_id = h.previous_job_id,"
    " import_line = h.previous_line, updated_at = h.previous_updated_at"
    " FROM d JOIN meter_day_history h ON h.import_job_id = $1 AND h.meter_day_id = d.id"
    " WHERE m.meter_id = d.meter_id AND m.reading_date = d.reading_date AND m.channel = d.channel"
    " AND m.interval_minutes = d.interval_minutes RETURNING m.id),"
    " removed AS (DELETE FROM meter_days m USING d"
    " WHERE m.meter_id = d.meter_id AND m.reading_date = d.reading_date AND m.channel = d.channel"
    " AND m.interval_minutes = d.interval_minutes AND NOT EXISTS (SELECT 1"
    " FROM meter_day_history h WHERE h.import_job_id = $1 AND h.meter_day_id = d.id)"
    " RETURNING m.id),"
    " dropped AS (DELETE FROM meter_day_history h USING restored r"
    " WHERE h.import_job_id = $1 AND h.meter_day_id = r.id)"
    " SELECT (SELECT count(*) FROM removed), (SELECT count(*) FROM restored)";

/* Days that a later import has changed: it takes over what the job found, or has created the day
 * where the job had. */
static const char later_days[] =
    "WITH s AS MATERIALIZED (SELECT import_job_id, meter_day_id FROM meter_day_history"
    " WHERE previous_job_id = $1 LIMIT $2),"
    " spliced AS (UPDATE meter_day_history t SET period_values = h.period_values,"
    " period_flags = h.period_flags, unit = h.unit, previous_job_id = h.previous_job_id,"
    " previous_line = h.previous_line, previous_updated_at = h.previous_updated_at"
    " FROM s JOIN meter_day_history h ON h.import_job_id = $1 AND h.meter_day_id = s.meter_day_id"
    " WHERE t.import_job_id = s.import_job_id AND t.meter_day_id = s.meter_day_id"
    " RETURNING t.meter_day_id),"
    " own AS (DELETE FROM meter_day_history h USING spliced"
    " WHERE h.import_job_id = $1 AND h.meter_day_id = spliced.meter_day_id),"
    " inherited AS (DELETE FROM meter_day_history t USING s"
    " WHERE t.import_job_id = s.import_job_id AND t.meter_day_id = s.meter_day_id"
    " AND NOT EXISTS (SELECT 1 FROM meter_day_history h"
    " WHERE h.import_job_id = $1 AND h.meter_day_id = s.meter_day_id))"
    " SELECT count(*), 0 FROM s";

/* Days that were changed by a later import whose record was deleted since. */
static const char rest[] = "WITH s AS MATERIALIZED (SELECT meter_day_id FROM meter_day_history"
                           " WHERE import_job_id = $1 LIMIT $2),"
                           " dropped AS (DELETE FROM meter_day_history h USING s"
                           " WHERE h.import_job_id = $1 AND h.meter_day_id = s.meter_day_id)"
                           " SELECT count(*), 0 FROM s";

/* Runs one of the above; adds up to two counts to what it counts. */
static apr_status_t step(take_out_t *t, const char *sql, apr_int64_t *pfirst, apr_int64_t *psecond,
                         ecl_result_t *result)
{
    const char *params[] = {t->job_id, apr_itoa(t->p, t->left)};
    apr_int64_t counts[2] = {0, 0};
    PGresult *answer;
    apr_status_t rv;

    if (!t->left) {
        return APR_SUCCESS;
    }
    rv = ecl_pg_run(t->conn, taking_out, sql, 2, params, &answer, result);
    for (int i = 0; rv == APR_SUCCESS && i < 2; i++) {
        if (!ecl_parse_int64(PQgetvalue(answer, 0, i), 0, t->left, &counts[i])) {
            rv = ecl_fail(result, APR_EGENERAL, "database-error", "%s: counts are missing",
                          taking_out);
        }
    }
    PQclear(answer);
    *pfirst += counts[0];
    if (psecond) {
        *psecond += counts[1];
    }
    t->left -= (int)(counts[0] + counts[1]);
    return rv;
}

static apr_status_t take_out_meters(take_out_t *t, ecl_take_out_counts_t *counts,
                                    ecl_result_t *result)
{
    static const char hand_over[] =
        "UPDATE meters m SET import_job_id = d.import_job_id FROM (SELECT o.id, (SELECT"
        " d.import_job_id FROM meter_days d WHERE d.meter_id = o.id ORDER BY d.reading_date,"
        " d.channel, d.interval_minutes LIMIT 1) AS import_job_id FROM meters o"
        " WHERE o.import_job_id = $1) AS d WHERE m.id = d.id AND d.import_job_id IS NOT NULL";
    static const char remove[] = "DELETE FROM meters WHERE import_job_id = $1";
    apr_int64_t removed = 0;
    PGresult *answer;
    apr_status_t rv = ecl_pg_run(t->conn, taking_out, hand_over, 1, &t->job_id, &answer, result);

    PQclear(answer);
    if (rv == APR_SUCCESS) {
        rv = ecl_pg_run(t->conn, taking_out, remove, 1, &t->job_id, &answer, result);
        if (rv == APR_SUCCESS &&
            !ecl_parse_int64(PQcmdTuples(answer), 0, APR_INT64_MAX, &removed)) {
            removed = 0;
        }
        PQclear(answer);
        counts->meters_removed += removed;
    }
    return rv;
}

static apr_status_t lock_all(take_out_t *t, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT count(pg_advisory_xact_lock(" ECL_PGSQL_LOCKS ", n))"
        " FROM generate_series(" APR_STRINGIFY(ECL_PGSQL_LOCK_STORE) ", " APR_STRINGIFY(
            ECL_PGSQL_LOCK_STORE) " + " APR_STRINGIFY(ECL_STRIPES) " - 1) AS n";
    PGresult *answer;
    apr_status_t rv = ecl_pg_run(t->conn, taking_out, sql, 0, NULL, &answer, result);

    PQclear(answer);
    return rv;
}

apr_status_t ecl_pg_take_out(ecl_db_conn_t *conn, apr_int64_t job_id, int limit,
                             ecl_take_out_counts_t *counts, int *pmore, ecl_result_t *result)
{
    take_out_t t = {.conn = conn, .left = limit};
    apr_status_t rv;

    apr_pool_create(&t.p, NULL);
    t.job_id = apr_psprintf(t.p, "%" APR_INT64_T_FMT, job_id);
    rv = lock_all(&t, result);
    if (rv == APR_SUCCESS) {
        rv = step(&t, own_days, &counts->days_removed, &counts->days_restored, result);
    }
    if (rv == APR_SUCCESS) {
        rv = step(&t, later_days, &counts->days_kept, NULL, result);
    }
    if (rv == APR_SUCCESS) {
        rv = step(&t, rest, &counts->days_kept, NULL, result);
    }
    *pmore = t.left == 0;
    if (rv == APR_SUCCESS && !*pmore) {
        rv = take_out_meters(&t, counts, result);
    }
    apr_pool_destroy(t.p);
    return rv;
}
