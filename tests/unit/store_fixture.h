/* Days stored and taken out in the database of the driver in turn. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <apr_general.h>

#include "meter_tables.h"
#include "succeeding.h"
#include "lib/migrate.h"
#include "worker/store.h"

#define DAY0 20000 /* 2024-10-04 */

typedef struct fixture_t {
    apr_pool_t *pool;
    test_database_t *database;
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    ecl_result_t result;
    ecl_store_counts_t counts;
    int meter_events, change_events, repeat_events;
    ecl_store_change_t last; /* day is not valid any more */
    apr_int64_t last_line;
} fixture_t;

static inline int set_up(void **state)
{
    apr_pool_t *p;
    fixture_t *f;

    apr_pool_create(&p, NULL);
    f = apr_pcalloc(p, sizeof *f);
    f->pool = p;
    f->result = ecl_result_make(p);
    f->database = make_database();
    OK(ecl_db_open(&f->db, f->database->driver, f->database->params, 2, p, &f->result));
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    fixture_t *f = *state;
    test_database_t *database = f->database;

    ecl_db_release(f->conn);
    apr_pool_destroy(f->pool);
    remove_database(database);
    return 0;
}

/* ---- small things --------------------------------------------------------------------------- */

static inline apr_int64_t make_job(fixture_t *f)
{
    return bare_job(f->conn, f->pool);
}

/* Rows as lines, each value with a bar behind it, values of a day as SQLite keeps them. */
static inline const char *query(fixture_t *f, const char *sql)
{
    return database_query(f->conn, sql, f->pool);
}

static inline const char *dump(fixture_t *f)
{
    return stored_readings(f->conn, f->pool);
}

/* A day of three periods: an interval of eight hours. values: "1.5 - 2E" (a letter is the flag). */
static inline ecl_meter_day_t day_of(const char *meter, int date, apr_int64_t line,
                                     const char *values)
{
    ecl_meter_day_t day = {.kind = ECL_METER_MPAN,
                           .channel = "AI",
                           .unit = "kWh",
                           .interval_minutes = 480,
                           .date = DAY0 + date,
                           .day_start = (DAY0 + date) * APR_INT64_C(86400),
                           .line = line};
    char copy[200];
    char *last;

    apr_cpystrn(day.meter, meter, sizeof day.meter);
    apr_cpystrn(copy, values, sizeof copy);
    for (char *word = apr_strtok(copy, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        apr_size_t length = strlen(word);
        char flag = word[length - 1];

        day.values[day.periods] = ECL_DECIMAL_MISSING;
        day.flags[day.periods] = ECL_FLAG_NONE;
        if (strcmp(word, "-") != 0) {
            int has_flag = flag >= 'A' && flag <= 'Z';
            assert_int_equal(ecl_decimal_parse(word, length - (apr_size_t)has_flag, '.',
                                               &day.values[day.periods]),
                             ECL_DECIMAL_OK);
            day.flags[day.periods] = has_flag ? flag : 'A';
        }
        day.periods++;
    }
    return day;
}

static inline void on_meter(void *baton, const char *identifier)
{
    (void)identifier;
    ((fixture_t *)baton)->meter_events++;
}

static inline void on_change(void *baton, const ecl_store_change_t *change)
{
    fixture_t *f = baton;

    f->change_events++;
    f->last = *change;
}

static inline void on_repeat(void *baton, const ecl_store_change_t *change)
{
    fixture_t *f = baton;

    f->repeat_events++;
    f->last = *change;
    f->last_line = change->day->line;
}

static inline ecl_store_t *open_store(fixture_t *f, apr_int64_t job, int dry_run,
                                      int replace_actuals, apr_pool_t *p)
{
    ecl_store_options_t options = {
        job, dry_run, replace_actuals, {f, on_meter, on_change, on_repeat}};
    ecl_store_t *store;

    OK(ecl_store_open(&store, f->conn, &options, p, &f->result));
    return store;
}

static inline const ecl_meter_day_t *const *each_of(fixture_t *f, const ecl_meter_day_t *days,
                                                    int count)
{
    const ecl_meter_day_t **each = apr_palloc(f->pool, (apr_size_t)count * sizeof *each);

    for (int i = 0; i < count; i++) {
        each[i] = &days[i];
    }
    return each;
}

static inline void put(fixture_t *f, ecl_store_t *store, const ecl_meter_day_t *days, int count)
{
    OK(ecl_store_prepare(store, each_of(f, days, count), count, &f->result));
    OK(ecl_db_begin(f->conn, &f->result));
    OK(ecl_store_put(store, each_of(f, days, count), count, &f->counts, &f->result));
    OK(ecl_db_commit(f->conn, &f->result));
}

static inline void forget(fixture_t *f)
{
    f->counts = (ecl_store_counts_t){0};
    f->meter_events = f->change_events = f->repeat_events = 0;
}

/* A job of its own that stores days, in one batch. Returns its number; counts are this job's. */
static inline apr_int64_t import_days(fixture_t *f, const ecl_meter_day_t *days, int count)
{
    apr_int64_t job = make_job(f);
    apr_pool_t *p;

    forget(f);
    apr_pool_create(&p, f->pool);
    put(f, open_store(f, job, 0, 0, p), days, count);
    apr_pool_destroy(p);
    return job;
}

static inline apr_int64_t import_day(fixture_t *f, ecl_meter_day_t day)
{
    return import_days(f, &day, 1);
}

static inline ecl_take_out_counts_t take_out(fixture_t *f, apr_int64_t job, int limit)
{
    ecl_take_out_counts_t counts = {0};
    int more = 1;

    while (more) {
        OK(ecl_db_begin(f->conn, &f->result));
        OK(ecl_store_take_out(f->conn, job, limit, &counts, &more, &f->result));
        OK(ecl_db_commit(f->conn, &f->result));
    }
    return counts;
}

static inline void assert_readings(fixture_t *f, apr_int64_t new_ones, apr_int64_t changed,
                                   apr_int64_t unchanged, apr_int64_t repeated, apr_int64_t kept)
{
    assert_int_equal(f->counts.readings_new, new_ones);
    assert_int_equal(f->counts.readings_changed, changed);
    assert_int_equal(f->counts.readings_unchanged, unchanged);
    assert_int_equal(f->counts.readings_repeated, repeated);
    assert_int_equal(f->counts.readings_kept_estimated, kept);
}

static inline void assert_days(fixture_t *f, apr_int64_t new_ones, apr_int64_t changed,
                               apr_int64_t unchanged)
{
    assert_int_equal(f->counts.days_new, new_ones);
    assert_int_equal(f->counts.days_changed, changed);
    assert_int_equal(f->counts.days_unchanged, unchanged);
}

static inline const char *stored(fixture_t *f)
{
    return query(f, "SELECT identifier, reading_date, period_values, period_flags, import_line"
                    " FROM meter_days d JOIN meters m ON m.id = d.meter_id ORDER BY d.id");
}

static inline int is_pgsql(fixture_t *f)
{
    return ecl_db_conn_driver(f->conn) == ECL_DB_PGSQL;
}

static apr_uint32_t seed;

static inline int dice(int sides)
{
    seed = seed * 1664525 + 1013904223;
    return (int)((seed >> 8) % (apr_uint32_t)sides);
}

#endif /* STORE_FIXTURE_H */
