/* The tables that imports fill, for tests of what they hold. */
#ifndef METER_TABLES_H
#define METER_TABLES_H

#include <apr_strings.h>

#include "databases.h"

/* All that imports leave in them, but the times. */
static inline const char *stored_readings(ecl_db_conn_t *conn, apr_pool_t *p)
{
    return apr_pstrcat(
        p, database_query(conn, "SELECT * FROM meters ORDER BY id", p), "--\n",
        database_query(conn,
                       "SELECT id, meter_id, channel, interval_minutes, reading_date, day_start,"
                       " period_values, period_flags, unit, import_job_id, import_line"
                       " FROM meter_days ORDER BY id",
                       p),
        "--\n",
        database_query(conn,
                       "SELECT import_job_id, meter_day_id, period_values, period_flags, unit,"
                       " previous_job_id, previous_line FROM meter_day_history ORDER BY 1, 2",
                       p),
        NULL);
}

#define NO_READINGS "--\n--\n"

/* Empties them and the jobs', by none of our means; their numbers begin again. */
static inline void empty_tables(ecl_db_conn_t *conn, apr_pool_t *p)
{
    database_query(
        conn,
        ecl_db_conn_driver(conn) == ECL_DB_PGSQL
            ? "TRUNCATE meter_day_history, meter_days, meters, import_jobs, import_errors"
              " RESTART IDENTITY"
            : "DELETE FROM meter_day_history; DELETE FROM meter_days; DELETE FROM meters;"
              "DELETE FROM import_jobs; DELETE FROM sqlite_sequence",
        p);
}

/* A job as good as any to store days for. Returns its number. */
static inline apr_int64_t bare_job(ecl_db_conn_t *conn, apr_pool_t *p)
{
    static int count;

    database_query(conn,
                   apr_psprintf(p,
                                "INSERT INTO import_jobs (batch_id, user_name, filename, file_size,"
                                " file_sha256, queued_at, run_after)"
                                " VALUES ('%d', 'u', 'f.csv', 1, 'x', 1, 1)",
                                count++),
                   p);
    return database_number(conn, "SELECT max(id) FROM import_jobs", p);
}

#endif /* METER_TABLES_H */
