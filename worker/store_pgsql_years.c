/*
 * The partitions of meter_days: one for each year that readings come for, made when the first of
 * them comes. Each is made in a transaction of its own, by one worker at a time. What can't have
 * one (a year far away, a reader that holds the table for too long, a role that may not make
 * tables) goes to meter_days_default, from which it moves when the partition of its year comes to
 * be.
 */
#include "../lib/log.h"
#include "store_pgsql.h"

/* Partitions cost a little for each: the wrong dates of a bad file shall not make hundreds. */
#define YEARS_BACK 40
#define YEARS_AHEAD 2

static int year_of(ecl_date_t date)
{
    char text[ECL_DATE_TEXT];
    apr_int64_t year = 0;

    ecl_date_print(date, text);
    text[4] = '\0';
    return ecl_parse_int64(text, 1, 9999, &year) ? (int)year : 0;
}

static int this_year(void)
{
    return year_of((ecl_date_t)(apr_time_sec(apr_time_now()) / 86400));
}

/* Whether any partition but the default one holds days of the year: ours, or what somebody has made
 * by hand. */
static apr_status_t has_partition(ecl_db_conn_t *conn, int year, int *phas, ecl_result_t *result)
{
    static const char sql[] =
        "SELECT 1 FROM (SELECT pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_class c"
        " JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = 'meter_days'::regclass) AS p"
        " WHERE p.bound <> 'DEFAULT'"
        " AND coalesce(substring(p.bound FROM 'FROM .''([0-9-]+)'), '-infinity')::date"
        " < make_date(CAST(%lld AS integer) + 1, 1, 1)"
        " AND coalesce(substring(p.bound FROM 'TO .''([0-9-]+)'), 'infinity')::date"
        " > make_date(CAST(%lld AS integer), 1, 1)";
    ecl_db_rows_t *rows;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, result->pool);
    rv = ecl_db_query(conn, sql, ECL_ARGS(ECL_INT(year), ECL_INT(year)), p, &rows, result);
    *phas = rv == APR_SUCCESS && ecl_db_nrows(rows) > 0;
    apr_pool_destroy(p);
    return rv;
}

/* Runs several statements; a failure is no more than told: the transaction is at fault, not the
 * connection. */
static apr_status_t run_all(ecl_db_conn_t *conn, const char *sql, ecl_result_t *result)
{
    PGconn *pg = ecl_db_native(conn);
    PGresult *answer = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(answer);
    const char *words = PQerrorMessage(pg);

    PQclear(answer);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        return APR_SUCCESS;
    }
    return ecl_fail(result, APR_EGENERAL, "no-partition", "%.*s", (int)strcspn(words, "\n"), words);
}

/* In the caller's transaction. The table is made apart and then attached, which lets others read
 * and write the other partitions. */
static apr_status_t make_partition(ecl_db_conn_t *conn, int year, const char *name, apr_pool_t *p,
                                   ecl_result_t *result)
{
    static const char lock[] =
        "SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(" ECL_PGSQL_LOCKS
        ", " APR_STRINGIFY(ECL_PGSQL_LOCK_PARTITIONS) ")";
    int is_there = 0;
    apr_status_t rv = run_all(conn, lock, result);

    if (rv == APR_SUCCESS) {
        rv = has_partition(conn, year, &is_there, result);
    }
    if (rv != APR_SUCCESS || is_there) {
        return rv; /* another worker was faster */
    }
    return run_all(
        conn,
        apr_psprintf(p,
                     "CREATE TABLE %s (LIKE meter_days INCLUDING STORAGE INCLUDING CONSTRAINTS);"
                     "LOCK TABLE meter_days_default IN ACCESS EXCLUSIVE MODE;"
                     "WITH moved AS (DELETE FROM meter_days_default WHERE reading_date >="
                     " '%04d-01-01' AND reading_date < '%04d-01-01' RETURNING *)"
                     " INSERT INTO %s SELECT * FROM moved;"
                     "ALTER TABLE meter_days ATTACH PARTITION %s"
                     " FOR VALUES FROM ('%04d-01-01') TO ('%04d-01-01');",
                     name, year, year + 1, name, name, year, year + 1),
        result);
}

/* ECL_EUNAVAILABLE when the connection is lost; any other failure is logged, and no harm. */
static apr_status_t see_to_year(ecl_db_conn_t *conn, int year, ecl_result_t *result)
{
    char name[40];
    apr_pool_t *p;
    apr_status_t rv;
    ecl_result_t why;
    int is_there;

    snprintf(name, sizeof name, "meter_days_%04d", year);
    rv = has_partition(conn, year, &is_there, result);
    if (rv == APR_SUCCESS && !is_there) {
        rv = ecl_db_begin(conn, result);
    }
    if (rv != APR_SUCCESS || is_there) {
        return rv;
    }
    apr_pool_create(&p, result->pool);
    why = ecl_result_make(p);
    rv = make_partition(conn, year, name, p, &why);
    if (rv == APR_SUCCESS) {
        rv = ecl_db_commit(conn, &why);
    } else {
        ecl_db_rollback(conn);
    }
    if (rv != APR_SUCCESS && PQstatus(ecl_db_native(conn)) != CONNECTION_OK) {
        ecl_db_mark_failed(conn);
        rv = ecl_fail(result, ECL_EUNAVAILABLE, why.code, "%s", why.detail);
    } else if (rv != APR_SUCCESS) {
        ecl_log(ECL_LOG_WARN, 0,
                ECLNO(3506) "no partition for the readings of %d, they go to meter_days_default: "
                            "%s",
                year, why.detail);
        rv = APR_SUCCESS;
    }
    apr_pool_destroy(p);
    return rv;
}

apr_status_t ecl_pg_make_partitions(ecl_db_conn_t *conn, ecl_pg_years_t *years,
                                    const ecl_meter_day_t *const *days, int count,
                                    ecl_result_t *result)
{
    int now = this_year();
    ecl_date_t seen = 0;

    for (int i = 0; i < count; i++) {
        int year;

        if (i && days[i]->date == seen) {
            continue;
        }
        seen = days[i]->date;
        year = year_of(seen);
        if (!years->is_seen[year] && year >= now - YEARS_BACK && year <= now + YEARS_AHEAD) {
            apr_status_t rv = see_to_year(conn, year, result);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        years->is_seen[year] = 1;
    }
    return APR_SUCCESS;
}
