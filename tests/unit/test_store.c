/* Storing meter days: merging, counting, undo records, dry runs, taking out; all of it with each of
 * the two databases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_file_io.h>
#include <apr_general.h>

#include "databases.h"
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

static apr_pool_t *root;

static int set_up(void **state)
{
    apr_pool_t *p;
    fixture_t *f;

    apr_pool_create(&p, root);
    f = apr_pcalloc(p, sizeof *f);
    f->pool = p;
    f->result = ecl_result_make(p);
    f->database = make_database();
    assert_int_equal(
        ecl_db_open(&f->db, f->database->driver, f->database->params, 2, p, &f->result),
        APR_SUCCESS);
    assert_int_equal(ecl_db_acquire(&f->conn, f->db, &f->result), APR_SUCCESS);
    assert_int_equal(ecl_migrate_up(f->conn, NULL, &f->result), APR_SUCCESS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    test_database_t *database = f->database;

    ecl_db_release(f->conn);
    apr_pool_destroy(f->pool);
    remove_database(database);
    return 0;
}

/* ---- small things --------------------------------------------------------------------------- */

static void run_sql(fixture_t *f, const char *sql)
{
    database_query(f->conn, sql, f->pool);
}

static apr_int64_t make_job(fixture_t *f)
{
    static int count;

    run_sql(f, apr_psprintf(f->pool,
                            "INSERT INTO import_jobs (batch_id, user_name, filename, file_size,"
                            " file_sha256, queued_at, run_after)"
                            " VALUES ('%d', 'u', 'f.csv', 1, 'x', 1, 1)",
                            count++));
    return database_number(f->conn, "SELECT max(id) FROM import_jobs", f->pool);
}

/* Rows as lines, each value with a bar behind it, values of a day as SQLite keeps them. */
static const char *query(fixture_t *f, const char *sql)
{
    return database_query(f->conn, sql, f->pool);
}

/* All that an import leaves, but the times. */
static const char *dump(fixture_t *f)
{
    return apr_pstrcat(
        f->pool, query(f, "SELECT * FROM meters ORDER BY id"), "--\n",
        query(f, "SELECT id, meter_id, channel, interval_minutes, reading_date, day_start,"
                 " period_values, period_flags, unit, import_job_id, import_line FROM meter_days"
                 " ORDER BY id"),
        "--\n",
        query(f, "SELECT import_job_id, meter_day_id, period_values, period_flags, unit,"
                 " previous_job_id, previous_line FROM meter_day_history ORDER BY 1, 2"),
        NULL);
}

/* A day of three periods: an interval of eight hours. values: "1.5 - 2E" (a letter is the flag). */
static ecl_meter_day_t day_of(const char *meter, int date, apr_int64_t line, const char *values)
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

static void on_meter(void *baton, const char *identifier)
{
    (void)identifier;
    ((fixture_t *)baton)->meter_events++;
}

static void on_change(void *baton, const ecl_store_change_t *change)
{
    fixture_t *f = baton;

    f->change_events++;
    f->last = *change;
}

static void on_repeat(void *baton, const ecl_store_change_t *change)
{
    fixture_t *f = baton;

    f->repeat_events++;
    f->last = *change;
    f->last_line = change->day->line;
}

static ecl_store_t *open_store(fixture_t *f, apr_int64_t job, int dry_run, int replace_actuals,
                               apr_pool_t *p)
{
    ecl_store_options_t options = {
        job, dry_run, replace_actuals, {f, on_meter, on_change, on_repeat}};
    ecl_store_t *store;

    OK(ecl_store_open(&store, f->conn, &options, p, &f->result));
    return store;
}

static const ecl_meter_day_t *const *each_of(fixture_t *f, const ecl_meter_day_t *days, int count)
{
    const ecl_meter_day_t **each = apr_palloc(f->pool, (apr_size_t)count * sizeof *each);

    for (int i = 0; i < count; i++) {
        each[i] = &days[i];
    }
    return each;
}

static void put(fixture_t *f, ecl_store_t *store, const ecl_meter_day_t *days, int count)
{
    OK(ecl_store_prepare(store, each_of(f, days, count), count, &f->result));
    OK(ecl_db_begin(f->conn, &f->result));
    OK(ecl_store_put(store, each_of(f, days, count), count, &f->counts, &f->result));
    OK(ecl_db_commit(f->conn, &f->result));
}

static void forget(fixture_t *f)
{
    f->counts = (ecl_store_counts_t){0};
    f->meter_events = f->change_events = f->repeat_events = 0;
}

/* A job of its own that stores days, in one batch. Returns its number; counts are this job's. */
static apr_int64_t import_days(fixture_t *f, const ecl_meter_day_t *days, int count)
{
    apr_int64_t job = make_job(f);
    apr_pool_t *p;

    forget(f);
    apr_pool_create(&p, f->pool);
    put(f, open_store(f, job, 0, 0, p), days, count);
    apr_pool_destroy(p);
    return job;
}

static apr_int64_t import_day(fixture_t *f, ecl_meter_day_t day)
{
    return import_days(f, &day, 1);
}

static ecl_take_out_counts_t take_out(fixture_t *f, apr_int64_t job, int limit)
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

static void assert_readings(fixture_t *f, apr_int64_t new_ones, apr_int64_t changed,
                            apr_int64_t unchanged, apr_int64_t repeated, apr_int64_t kept)
{
    assert_int_equal(f->counts.readings_new, new_ones);
    assert_int_equal(f->counts.readings_changed, changed);
    assert_int_equal(f->counts.readings_unchanged, unchanged);
    assert_int_equal(f->counts.readings_repeated, repeated);
    assert_int_equal(f->counts.readings_kept_estimated, kept);
}

static void assert_days(fixture_t *f, apr_int64_t new_ones, apr_int64_t changed,
                        apr_int64_t unchanged)
{
    assert_int_equal(f->counts.days_new, new_ones);
    assert_int_equal(f->counts.days_changed, changed);
    assert_int_equal(f->counts.days_unchanged, unchanged);
}

static const char *stored(fixture_t *f)
{
    return query(f, "SELECT identifier, reading_date, period_values, period_flags, import_line"
                    " FROM meter_days d JOIN meters m ON m.id = d.meter_id ORDER BY d.id");
}

static int is_pgsql(fixture_t *f)
{
    return ecl_db_conn_driver(f->conn) == ECL_DB_PGSQL;
}

static apr_uint32_t seed;

static int dice(int sides)
{
    seed = seed * 1664525 + 1013904223;
    return (int)((seed >> 8) % (apr_uint32_t)sides);
}

/* ---- storing -------------------------------------------------------------------------------- */

static void stores_new_days(void **state)
{
    fixture_t *f = *state;
    const ecl_meter_day_t days[] = {
        day_of("2200990050083", 0, 2, "1.5 - 0.000000001E"), day_of("2200990050083", 1, 3, "0 0 0"),
        day_of("6407551", 0, 4, "- - -"), day_of("other", 0, 5, "-7 9223372036 1M")};

    import_days(f, days, 4);
    assert_string_equal(stored(f), "2200990050083|2024-10-04|[1.5,null,0.000000001]|A-E|2|\n"
                                   "2200990050083|2024-10-05|[0,0,0]|AAA|3|\n"
                                   "other|2024-10-04|[-7,9223372036,1]|AAM|5|\n");
    assert_readings(f, 8, 0, 0, 0, 0);
    assert_int_equal(f->counts.readings_missing, 1);
    assert_days(f, 3, 0, 0);
    assert_int_equal(f->counts.meters, 2);
    assert_int_equal(f->counts.meters_new, 2);
    assert_int_equal(f->meter_events, 2);
    assert_string_equal(query(f, "SELECT * FROM meter_day_history"), "");
    assert_string_equal(query(f, "SELECT reading_time, reading_value, reading_type"
                                 " FROM meter_readings WHERE meter_id = 1 ORDER BY reading_at"
                                 " LIMIT 2"),
                        is_pgsql(f) ? "00:00:00|1.5|actual|\n16:00:00|0.000000001|estimated|\n"
                                    : "00:00|1.5|actual|\n16:00|1.0e-09|estimated|\n");
}

static void writes_nothing_when_nothing_changes(void **state)
{
    fixture_t *f = *state;
    const ecl_meter_day_t day = day_of("2200990050083", 0, 2, "1.5 - 2E");
    /* where each row lies and who wrote it there, or how many have been written */
    const char *before;
    int changes = 0;

    import_day(f, day);
    if (is_pgsql(f)) {
        before = query(f, "SELECT ctid, xmin FROM meter_days; SELECT ctid, xmin FROM meters;"
                          "SELECT * FROM meter_day_history");
        import_day(f, day);
        assert_string_equal(query(f, "SELECT ctid, xmin FROM meter_days;"
                                     "SELECT ctid, xmin FROM meters;"
                                     "SELECT * FROM meter_day_history"),
                            before);
    } else {
        changes = sqlite3_total_changes(ecl_db_native(f->conn));
        import_day(f, day);
        assert_int_equal(sqlite3_total_changes(ecl_db_native(f->conn)),
                         changes + 1); /* the job itself */
    }
    assert_readings(f, 0, 0, 2, 0, 0);
    assert_days(f, 0, 0, 1);
    assert_int_equal(f->counts.meters, 1);
    assert_int_equal(f->counts.meters_new, 0);
}

static void keeps_what_it_overwrites(void **state)
{
    fixture_t *f = *state;
    apr_int64_t first = import_day(f, day_of("2200990050083", 0, 2, "1.5 - 2E"));
    apr_int64_t second = import_day(f, day_of("2200990050083", 0, 9, "1.5 4 2"));

    assert_readings(f, 1, 1, 1, 0, 0);
    assert_days(f, 0, 1, 0);
    assert_int_equal(f->change_events, 1);
    assert_int_equal(f->last.period, 3);
    assert_int_equal(f->last.old_value, 2 * ECL_DECIMAL_ONE);
    assert_int_equal(f->last.new_value, 2 * ECL_DECIMAL_ONE);
    assert_int_equal(f->last.old_flag, 'E');
    assert_int_equal(f->last.new_flag, 'A');
    assert_string_equal(stored(f), "2200990050083|2024-10-04|[1.5,4,2]|AAA|9|\n");
    assert_string_equal(
        query(f, "SELECT import_job_id, period_values, period_flags, unit,"
                 " previous_job_id, previous_line FROM meter_day_history"),
        apr_psprintf(f->pool, "%" APR_INT64_T_FMT "|[1.5,null,2]|A-E|kWh|%" APR_INT64_T_FMT "|2|\n",
                     second, first));
}

static void never_overwrites_with_nothing(void **state)
{
    fixture_t *f = *state;

    import_day(f, day_of("2200990050083", 0, 2, "1 2 -"));
    import_day(f, day_of("2200990050083", 0, 3, "- - 3"));
    assert_string_equal(stored(f), "2200990050083|2024-10-04|[1,2,3]|AAA|3|\n");
    assert_readings(f, 1, 0, 0, 0, 0);
}

static void keeps_estimates_out(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t estimates = day_of("2200990050083", 0, 3, "9E 9E 9E");
    apr_pool_t *p;

    import_day(f, day_of("2200990050083", 0, 2, "1 2E 3M"));
    import_day(f, estimates);
    assert_string_equal(stored(f), "2200990050083|2024-10-04|[1,9,3]|AEM|3|\n");
    assert_readings(f, 0, 1, 0, 0, 2);

    forget(f);
    apr_pool_create(&p, f->pool);
    put(f, open_store(f, make_job(f), 0, 1, p), &estimates, 1);
    apr_pool_destroy(p);
    assert_string_equal(query(f, "SELECT period_values, period_flags FROM meter_days"),
                        "[9,9,9]|EEE|\n");
    assert_readings(f, 0, 2, 1, 0, 0);
}

static void tells_repeats(void **state)
{
    fixture_t *f = *state;
    /* alone in the file; and against a day that was there, where the first did not change it */
    ecl_meter_day_t days[] = {day_of("A", 0, 2, "1 2 3"), day_of("A", 0, 3, "1 2 4"),
                              day_of("B", 0, 4, "1 2 -"), day_of("B", 0, 5, "1 7 8")};

    import_day(f, day_of("B", 0, 2, "1 2 3"));
    import_days(f, days, 4);
    assert_readings(f, 3, 1, 2, 5, 0);
    assert_days(f, 1, 1, 0);
    assert_int_equal(f->repeat_events, 2);
    assert_int_equal(f->last_line, 5);
    assert_string_equal(stored(f), "B|2024-10-04|[1,7,8]|AAA|4|\nA|2024-10-04|[1,2,4]|AAA|2|\n");

    /* an estimate that comes after the file's own actual is kept out as well */
    days[0] = day_of("C", 0, 2, "1 2 3");
    days[1] = day_of("C", 0, 3, "5E 2E -");
    import_days(f, days, 2);
    assert_readings(f, 3, 0, 0, 2, 2);
    assert_int_equal(f->repeat_events, 0);
}

static void names_the_line_of_a_repeat(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t days[] = {day_of("B", 0, 44, "1 2 3"), day_of("B", 0, 55, "1 7 3")};

    import_day(f, day_of("B", 0, 2, "1 2 3"));
    import_days(f, days, 2);
    assert_int_equal(f->repeat_events, 1);
    assert_int_equal(f->last.old_line, 44);
    assert_int_equal(f->last_line, 55);
    assert_int_equal(f->last.old_value, 2 * ECL_DECIMAL_ONE);
}

static void keeps_channels_and_intervals_apart(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t days[3] = {day_of("A", 0, 2, "1 1 1"), day_of("A", 0, 3, "2 2 2"),
                               day_of("A", 0, 4, "6")};

    memcpy(days[1].channel, "RI", 3);
    memcpy(days[1].unit, "kVArh", 6);
    days[2].interval_minutes = 1440;
    import_days(f, days, 3);
    assert_string_equal(query(f, "SELECT channel, interval_minutes, unit, period_values"
                                 " FROM meter_days ORDER BY id"),
                        "AI|480|kWh|[1,1,1]|\nRI|480|kVArh|[2,2,2]|\nAI|1440|kWh|[6]|\n");
}

/* Days that follow each other, with gaps, over New Year, in no order; what is beside them stays. */
static void finds_each_day_among_others(void **state)
{
    enum { METERS = 3, DATES = 12, ALL = METERS * DATES * 3 };
    fixture_t *f = *state;
    ecl_meter_day_t *all = apr_palloc(f->pool, ALL * sizeof *all);
    ecl_meter_day_t *some = apr_palloc(f->pool, ALL * sizeof *some);
    int count = 0, changed = 0;

    seed = 7;
    for (int i = 0; i < ALL; i++) {
        const char *meter = apr_psprintf(f->pool, "M%d", i % METERS);
        const char *values = apr_psprintf(f->pool, "%d.5 %d %d.25", i, i + 1000, i + 2000);

        all[i] = day_of(meter, 83 + i / METERS % DATES, i + 2, values);
        if (i >= 2 * METERS * DATES) {
            all[i].channel[1] = 'E';
        } else if (i >= METERS * DATES) {
            all[i].interval_minutes = 720;
            all[i].periods = 2;
        }
    }
    import_days(f, all, ALL);
    assert_days(f, ALL, 0, 0);
    for (int i = ALL; i > 0; i--) {
        int at = dice(i);

        if (dice(3)) {
            some[count] = all[at];
            if (!dice(4)) {
                some[count].values[1] += ECL_DECIMAL_ONE;
                changed++;
            }
            count++;
        }
        all[at] = all[i - 1];
    }
    import_days(f, some, count);
    assert_days(f, 0, changed, count - changed);
    assert_int_equal(f->counts.readings_changed, changed);
    assert_int_equal(f->change_events, changed);
    import_days(f, some, count);
    assert_days(f, 0, 0, count);
}

static void notices_what_was_edited_by_hand(void **state)
{
    fixture_t *f = *state;
    const ecl_meter_day_t days[] = {day_of("A", 0, 2, "1 2.5 3"), day_of("A", 1, 3, "1 2.5 3"),
                                    day_of("A", 2, 4, "1 2.5 3")};

    import_days(f, days, 3);
    run_sql(f, is_pgsql(f) ? "UPDATE meter_days SET period_values = '{1,2.500000001,3}'"
                             " WHERE reading_date = '2024-10-05'"
                           : "UPDATE meter_days SET period_values = '[1,2.500000001,3]'"
                             " WHERE reading_date = '2024-10-05'");
    import_days(f, days, 3);
    assert_days(f, 0, 1, 2);
    assert_readings(f, 0, 1, 8, 0, 0);
}

static void refuses_what_cannot_be_merged(void **state)
{
    fixture_t *f = *state;
    apr_pool_t *p;
    ecl_meter_day_t days[2] = {day_of("A", 0, 7, "1 1 1"), day_of("A", 0, 8, "1 1")};
    ecl_store_t *store;

    import_day(f, day_of("A", 0, 2, "1 2 3"));
    apr_pool_create(&p, f->pool);
    store = open_store(f, make_job(f), 0, 0, p);
    OK(ecl_db_begin(f->conn, &f->result));
    memcpy(days[0].unit, "MWh", 4);
    assert_int_equal(ecl_store_put(store, each_of(f, days, 1), 1, &f->counts, &f->result),
                     ECL_EINPUT);
    assert_string_equal(f->result.code, "unit-differs");
    assert_non_null(strstr(f->result.detail, "line 7"));
    assert_int_equal(ecl_store_put(store, each_of(f, days + 1, 1), 1, &f->counts, &f->result),
                     ECL_EINPUT);
    assert_string_equal(f->result.code, "periods-differ");
    assert_non_null(strstr(f->result.detail, "2024-10-04 has 2 periods"));
    /* the same within one batch, and against a day that nobody has stored */
    days[0] = day_of("A", 1, 7, "1 1 1");
    days[1] = day_of("A", 1, 8, "1 1");
    assert_int_equal(ecl_store_put(store, each_of(f, days, 2), 2, &f->counts, &f->result),
                     ECL_EINPUT);
    ecl_db_rollback(f->conn);
    run_sql(f, is_pgsql(f) ? "UPDATE meter_days SET period_values = '{1.0000000001,2,3}'"
                           : "UPDATE meter_days SET period_values = '[1e0,2,3]'");
    OK(ecl_db_begin(f->conn, &f->result));
    days[0] = day_of("A", 0, 7, "1 1 1");
    assert_int_equal(ecl_store_put(store, each_of(f, days, 1), 1, &f->counts, &f->result),
                     APR_EGENERAL);
    assert_string_equal(f->result.code, "day-damaged");
    ecl_db_rollback(f->conn);
    apr_pool_destroy(p);
}

/* ---- batches, resuming, dry runs ------------------------------------------------------------- */

#define FILE_DAYS 240

/* Days as a bad file may hold them: in pieces, repeated, contradicting each other. */
static void make_file(ecl_meter_day_t *days, int meters, apr_uint32_t from)
{
    seed = from;
    for (int i = 0; i < FILE_DAYS; i++) {
        char meter[20], text[40] = "";

        for (int k = 0; k < 3; k++) {
            apr_size_t used = strlen(text);
            if (dice(3) == 0) {
                snprintf(text + used, sizeof text - used, " -");
            } else {
                snprintf(text + used, sizeof text - used, " %d%s", dice(2),
                         dice(3) == 0 ? "E" : "");
            }
        }
        snprintf(meter, sizeof meter, "M%d", dice(meters));
        days[i] = day_of(meter, dice(5), i + 2, text);
    }
}

/* Runs a file in batches of `size`; at `crash_at` (days) with a new store that passes over. */
static apr_int64_t run_file(fixture_t *f, const ecl_meter_day_t *days, int size, int crash_at,
                            int dry_run)
{
    apr_int64_t job = make_job(f);
    apr_pool_t *p;
    ecl_store_t *store;

    forget(f);
    apr_pool_create(&p, f->pool);
    store = open_store(f, job, dry_run, 0, p);
    for (int i = 0; i < FILE_DAYS; i += size) {
        if (crash_at > i && crash_at <= i + size) {
            apr_pool_clear(p);
            store = open_store(f, job, dry_run, 0, p);
            for (int k = 0; k < i; k += 7) {
                int some = i - k < 7 ? i - k : 7;
                OK(ecl_db_begin(f->conn, &f->result));
                OK(ecl_store_pass(store, each_of(f, days + k, some), some, &f->result));
                OK(ecl_db_commit(f->conn, &f->result));
            }
        }
        put(f, store, days + i, FILE_DAYS - i < size ? FILE_DAYS - i : size);
    }
    apr_pool_destroy(p);
    return job;
}

/* Removes a job's effect without any of our means, so that the same can be run again. */
static void restore_tables(fixture_t *f)
{
    run_sql(f, is_pgsql(f)
                   ? "TRUNCATE meter_day_history, meter_days, meters, import_jobs, import_errors"
                     " RESTART IDENTITY"
                   : "DELETE FROM meter_day_history; DELETE FROM meter_days; DELETE FROM meters;"
                     "DELETE FROM import_jobs; DELETE FROM sqlite_sequence;");
}

static void figures_do_not_depend_on_batches(void **state)
{
    fixture_t *f = *state;
    static const int sizes[] = {1000, 1, 3, 17};
    ecl_meter_day_t *earlier = apr_palloc(f->pool, 2 * FILE_DAYS * sizeof *earlier);
    ecl_meter_day_t *days = earlier + FILE_DAYS;

    make_file(earlier, 5, 1);
    make_file(days, 8, 2);
    for (int crash_at = 0; crash_at < FILE_DAYS; crash_at += 60) {
        ecl_store_counts_t first = {0};
        const char *first_dump = NULL;

        for (apr_size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            restore_tables(f);
            run_file(f, earlier, 1000, 0, 0);
            run_file(f, days, sizes[i], i ? crash_at : 0, 0);
            if (!i) {
                first = f->counts;
                first_dump = dump(f);
            }
            assert_string_equal(dump(f), first_dump);
            assert_memory_equal(&f->counts, &first, sizeof first);
        }
    }
    /* and it was not all one case */
    assert_true(f->counts.readings_new && f->counts.readings_changed &&
                f->counts.readings_unchanged && f->counts.readings_repeated &&
                f->counts.readings_kept_estimated && f->counts.days_new && f->counts.days_changed);
}

/* The same readings cut differently: a day at once, or a reading at a time. */
static void figures_do_not_depend_on_cutting(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t *earlier = apr_palloc(f->pool, 5 * FILE_DAYS * sizeof *earlier);
    ecl_meter_day_t *days = earlier + FILE_DAYS;
    ecl_meter_day_t *pieces = days + FILE_DAYS;
    ecl_store_counts_t first;
    const char *first_dump;
    apr_pool_t *p;

    make_file(earlier, 5, 3);
    make_file(days, 8, 4);
    for (int i = 0; i < FILE_DAYS * 3; i++) {
        pieces[i] = days[i / 3];
        for (int k = 0; k < 3; k++) {
            if (k != i % 3) {
                pieces[i].values[k] = ECL_DECIMAL_MISSING;
            }
        }
    }
    run_file(f, earlier, 1000, 0, 0);
    run_file(f, days, 1000, 0, 0);
    first = f->counts;
    first_dump = dump(f);

    restore_tables(f);
    run_file(f, earlier, 1000, 0, 0);
    forget(f);
    apr_pool_create(&p, f->pool);
    put(f, open_store(f, make_job(f), 0, 0, p), pieces, FILE_DAYS * 3);
    apr_pool_destroy(p);
    assert_string_equal(dump(f), first_dump);
    assert_memory_equal(&f->counts, &first, sizeof first);
}

static void a_dry_run_counts_and_keeps_nothing(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t *earlier = apr_palloc(f->pool, 2 * FILE_DAYS * sizeof *earlier);
    ecl_meter_day_t *days = earlier + FILE_DAYS;
    ecl_store_counts_t dry[3];
    const char *before;
    int events;

    make_file(earlier, 5, 5);
    make_file(days, 8, 6);
    days[9] = day_of("a new one", 0, 11, "1 2 3");
    run_file(f, earlier, 1000, 0, 0);
    before = dump(f);
    for (int i = 0; i < 3; i++) {
        run_file(f, days, i ? 13 : 1000, i == 2 ? 100 : 0, 1);
        dry[i] = f->counts;
        assert_string_equal(dump(f), before);
    }
    events = f->change_events;
    run_file(f, days, 1000, 0, 0);
    for (int i = 0; i < 3; i++) {
        assert_memory_equal(&f->counts, &dry[i], sizeof dry[i]);
    }
    assert_int_equal(f->change_events, events);
    assert_int_equal(f->counts.meters_new, 4);
    assert_string_not_equal(dump(f), before);
}

/* Another worker undoes the job that had created a meter, while ours remembers it. */
static void finds_out_that_a_meter_has_gone(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t days[2] = {day_of("A", 0, 2, "1 2 3"), day_of("A", 1, 3, "1 2 3")};
    apr_int64_t creator = import_day(f, days[0]);
    apr_int64_t job = make_job(f);
    ecl_db_conn_t *ours = f->conn;
    ecl_store_t *store;
    apr_pool_t *p;

    apr_pool_create(&p, f->pool);
    store = open_store(f, job, 0, 0, p);
    put(f, store, days, 1); /* unchanged, so the meter has no day of ours */
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    assert_int_equal(take_out(f, creator, 100).meters_removed, 1);
    ecl_db_release(f->conn);
    f->conn = ours;
    put(f, store, days + 1, 1);
    apr_pool_destroy(p);
    assert_string_equal(stored(f), "A|2024-10-05|[1,2,3]|AAA|3|\n");
}

/* Days behind the last one of a meter that the job itself has made are not looked for, unless
 * somebody else may have stored them meanwhile. */
static void finds_days_that_others_stored_meanwhile(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t days[] = {day_of("A", 0, 2, "1 2 3"), day_of("A", 2, 3, "1 2 3"),
                              day_of("A", 1, 4, "1 2 3"), day_of("A", 3, 5, "1 2 3"),
                              day_of("A", 2, 6, "1 2 3")};
    ecl_meter_day_t theirs = day_of("A", 3, 2, "9 2 3");

    for (int same_connection = 0; same_connection < 2; same_connection++) {
        apr_int64_t jobs[2] = {make_job(f), make_job(f)};
        ecl_db_conn_t *ours = f->conn;
        ecl_store_t *store;
        apr_pool_t *p;

        apr_pool_create(&p, f->pool);
        store = open_store(f, jobs[0], 0, 0, p);
        put(f, store, days, 1);
        if (!same_connection) {
            OK(ecl_db_acquire(&f->conn, f->db, &f->result));
        }
        put(f, open_store(f, jobs[1], 0, 0, p), &theirs, 1);
        if (!same_connection) {
            ecl_db_release(f->conn);
            f->conn = ours;
        }
        forget(f);
        for (int i = 1; i < 5; i++) {
            put(f, store, days + i, 1);
        }
        assert_readings(f, 6, 1, 2, 3, 0);
        assert_days(f, 2, 1, 0);
        apr_pool_destroy(p);
        take_out(f, jobs[1], 10);
        take_out(f, jobs[0], 10);
        assert_string_equal(dump(f), "--\n--\n");
    }
}

/* ---- taking out ----------------------------------------------------------------------------- */

static void takes_out_exactly_what_it_did(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t days[] = {day_of("A", 0, 2, "1 9 3"), day_of("A", 1, 3, "1 2 3"),
                              day_of("N", 0, 4, "1 2 3")};
    static const char all[] = "SELECT * FROM meters;"
                              "SELECT * FROM meter_days; SELECT * FROM meter_day_history";
    const char *before;
    ecl_take_out_counts_t counts;
    apr_int64_t job;

    import_day(f, day_of("A", 0, 2, "1 - 3E"));
    before = query(f, all); /* with the times */
    job = import_days(f, days, 3);
    counts = take_out(f, job, 1);
    assert_string_equal(query(f, all), before);
    assert_int_equal(counts.days_removed, 2);
    assert_int_equal(counts.days_restored, 1);
    assert_int_equal(counts.days_kept, 0);
    assert_int_equal(counts.meters_removed, 1);
    counts = take_out(f, job, 100); /* again: nothing is left */
    assert_int_equal(counts.days_removed + counts.days_restored + counts.days_kept, 0);
}

static void keeps_days_that_a_later_import_changed(void **state)
{
    fixture_t *f = *state;
    apr_int64_t a, b, c;
    ecl_take_out_counts_t counts;

    /* A creates, B and C change: undone from the bottom */
    a = import_day(f, day_of("A", 0, 2, "1 1 1"));
    b = import_day(f, day_of("A", 0, 3, "- 2 -"));
    c = import_day(f, day_of("A", 0, 4, "- - 3"));
    counts = take_out(f, a, 1);
    assert_int_equal(counts.days_kept, 1);
    assert_int_equal(counts.days_removed + counts.days_restored, 0);
    assert_string_equal(stored(f), "A|2024-10-04|[1,2,3]|AAA|4|\n");
    assert_int_equal(take_out(f, b, 1).days_kept, 1);
    assert_string_equal(stored(f), "A|2024-10-04|[1,2,3]|AAA|4|\n");
    /* nobody is left who vouches for it */
    counts = take_out(f, c, 1);
    assert_int_equal(counts.days_removed, 1);
    assert_int_equal(counts.meters_removed, 1);

    /* the middle one first: C then goes back to what A had left */
    a = import_day(f, day_of("A", 0, 2, "1 1 1"));
    b = import_day(f, day_of("A", 0, 3, "- 2 -"));
    c = import_day(f, day_of("A", 0, 4, "- - 3"));
    assert_int_equal(take_out(f, b, 1).days_kept, 1);
    assert_int_equal(take_out(f, c, 1).days_restored, 1);
    assert_string_equal(stored(f), "A|2024-10-04|[1,1,1]|AAA|2|\n");
    assert_int_equal(take_out(f, a, 1).days_removed, 1);
    assert_string_equal(dump(f), "--\n--\n");
}

static void counts_a_kept_day_whose_later_import_was_deleted(void **state)
{
    fixture_t *f = *state;
    apr_int64_t b, c;

    import_day(f, day_of("A", 0, 2, "1 1 1"));
    b = import_day(f, day_of("A", 0, 3, "- 2 -"));
    c = import_day(f, day_of("A", 0, 4, "- - 3"));
    run_sql(f, apr_psprintf(f->pool, "DELETE FROM import_jobs WHERE id = %" APR_INT64_T_FMT, c));
    assert_int_equal(take_out(f, b, 10).days_kept, 1);
    assert_string_equal(query(f, "SELECT * FROM meter_day_history"), "");
    assert_string_equal(stored(f), "A|2024-10-04|[1,2,3]|AAA|4|\n");
}

/* Two files with the same day, imported at the same time: batches take turns. */
static void imports_may_take_turns(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t base = day_of("A", 0, 2, "0 0 0");
    ecl_meter_day_t a[2] = {day_of("A", 0, 2, "1 - -"), day_of("A", 0, 9, "- - 4")};
    ecl_meter_day_t b = day_of("A", 0, 3, "- 2 -");

    for (int with_base = 0; with_base < 2; with_base++) {
        for (int order = 0; order < 2; order++) {
            apr_int64_t base_job = with_base ? import_day(f, base) : 0;
            const char *before = with_base ? dump(f) : "--\n--\n";
            apr_int64_t jobs[2] = {make_job(f), make_job(f)};
            apr_pool_t *p;
            ecl_store_t *stores[2];

            apr_pool_create(&p, f->pool);
            stores[0] = open_store(f, jobs[0], 0, 0, p);
            stores[1] = open_store(f, jobs[1], 0, 0, p);
            put(f, stores[0], &a[0], 1);
            put(f, stores[1], &b, 1);
            put(f, stores[0], &a[1], 1);
            apr_pool_destroy(p);
            assert_non_null(strstr(stored(f), "[1,2,4]"));
            take_out(f, jobs[order], 10);
            assert_non_null(strstr(stored(f), order ? "[1,2,4]" : "2,"));
            take_out(f, jobs[!order], 10);
            assert_string_equal(dump(f), before);
            if (with_base) {
                take_out(f, base_job, 10);
            }
        }
    }
}

/* A job that is still importing writes a day again, above an import whose record was deleted: what
 * is below that can't be reached any more, and must not be taken for what is above. */
static void writes_again_above_a_deleted_record(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t days[3] = {day_of("A", 0, 2, "1 - -"), day_of("A", 0, 3, "- 1 -"),
                               day_of("A", 0, 4, "2 - -")};
    apr_int64_t a, b, d, last;
    ecl_store_t *stores[2];
    apr_pool_t *p;

    import_day(f, day_of("A", 0, 2, "0 0 0"));
    a = make_job(f);
    b = make_job(f);
    apr_pool_create(&p, f->pool);
    stores[0] = open_store(f, a, 0, 0, p);
    stores[1] = open_store(f, b, 0, 0, p);
    put(f, stores[0], &days[0], 1);
    put(f, stores[1], &days[1], 1);
    d = import_day(f, day_of("A", 0, 2, "- - 1"));
    run_sql(f, apr_psprintf(f->pool, "DELETE FROM import_jobs WHERE id = %" APR_INT64_T_FMT, d));
    put(f, stores[0], &days[2], 1);
    apr_pool_destroy(p);
    last = import_day(f, day_of("A", 0, 2, "- 2 -"));
    assert_non_null(strstr(stored(f), "[2,2,1]"));
    take_out(f, a, 10);
    assert_non_null(strstr(stored(f), "[2,2,1]"));
    take_out(f, last, 10);
    assert_non_null(strstr(stored(f), "[1,1,1]"));
    take_out(f, b, 10);
    assert_non_null(strstr(stored(f), "[1,1,1]"));
    assert_string_equal(query(f, "SELECT * FROM meter_day_history"), "");
}

/* A simple model: each day is a stack of what its writers left. */
#define MODEL_JOBS 12
#define MODEL_DAYS 6

typedef struct model_day_t {
    int depth;
    apr_int64_t job[MODEL_JOBS];
    ecl_decimal_t values[MODEL_JOBS][3];
    char flags[MODEL_JOBS][4];
} model_day_t;

static void model_import(model_day_t *m, apr_int64_t job, const ecl_meter_day_t *day)
{
    ecl_decimal_t values[3] = {ECL_DECIMAL_MISSING, ECL_DECIMAL_MISSING, ECL_DECIMAL_MISSING};
    char flags[4] = "---";
    int changed = 0;

    if (m->depth) {
        memcpy(values, m->values[m->depth - 1], sizeof values);
        memcpy(flags, m->flags[m->depth - 1], 4);
    }
    for (int i = 0; i < 3; i++) {
        if (day->values[i] == ECL_DECIMAL_MISSING ||
            (values[i] == day->values[i] && flags[i] == day->flags[i]) ||
            (flags[i] != '-' && flags[i] != 'E' && day->flags[i] == 'E')) {
            continue;
        }
        values[i] = day->values[i];
        flags[i] = day->flags[i];
        changed = 1;
    }
    if (changed) {
        m->job[m->depth] = job;
        memcpy(m->values[m->depth], values, sizeof values);
        memcpy(m->flags[m->depth++], flags, 4);
    }
}

/* Returns 'r'emoved, 'b'rought back, 'k'ept or 0. */
static char model_take_out(model_day_t *m, apr_int64_t job)
{
    for (int i = 0; i < m->depth; i++) {
        if (m->job[i] == job) {
            int on_top = i == m->depth - 1;
            for (int k = i; k < m->depth - 1; k++) {
                m->job[k] = m->job[k + 1];
                memcpy(m->values[k], m->values[k + 1], sizeof m->values[k]);
                memcpy(m->flags[k], m->flags[k + 1], 4);
            }
            m->depth--;
            return on_top ? (m->depth ? 'b' : 'r') : 'k';
        }
    }
    return 0;
}

static const char *model_dump(fixture_t *f, const model_day_t *model)
{
    const char *text = "";

    for (int i = 0; i < MODEL_DAYS; i++) {
        const model_day_t *m = &model[i];

        if (m->depth) {
            const ecl_decimal_t *v = m->values[m->depth - 1];
            text = apr_psprintf(f->pool, "%sM%d|%s|%" APR_INT64_T_FMT "|", text, i,
                                m->flags[m->depth - 1], m->job[m->depth - 1]);
            for (int k = 0; k < 3; k++) {
                text = v[k] == ECL_DECIMAL_MISSING
                           ? apr_pstrcat(f->pool, text, k ? ",null" : "[null", NULL)
                           : apr_psprintf(f->pool, "%s%c%d", text, k ? ',' : '[',
                                          (int)(v[k] / ECL_DECIMAL_ONE));
            }
            text = apr_pstrcat(f->pool, text, "]|\n", NULL);
        }
    }
    return text;
}

static void agrees_with_a_simple_model(void **state)
{
    fixture_t *f = *state;
    static const char tables[] = "SELECT identifier, period_flags, d.import_job_id, period_values"
                                 " FROM meter_days d JOIN meters m ON m.id = d.meter_id ORDER BY 1";

    for (apr_uint32_t round = 0; round < (is_pgsql(f) ? 10U : 40U); round++) {
        model_day_t model[MODEL_DAYS] = {{0}};
        apr_int64_t jobs[MODEL_JOBS];
        int count = 0;

        seed = round + 100;
        while (count < MODEL_JOBS) {
            if (dice(3)) {
                jobs[count] = make_job(f);
                for (int i = 0; i < MODEL_DAYS; i++) {
                    char meter[16], text[40];
                    ecl_meter_day_t day;
                    apr_pool_t *p;

                    snprintf(meter, sizeof meter, "M%d", i);
                    snprintf(text, sizeof text, "%d%s %d %d%s", dice(3), dice(2) ? "E" : "",
                             dice(3), dice(3), dice(2) ? "E" : "");
                    day = day_of(meter, 0, i + 2, text);
                    day.values[dice(3)] = ECL_DECIMAL_MISSING;
                    if (dice(2)) {
                        continue;
                    }
                    apr_pool_create(&p, f->pool);
                    put(f, open_store(f, jobs[count], 0, 0, p), &day, 1);
                    apr_pool_destroy(p);
                    model_import(&model[i], jobs[count], &day);
                }
                count++;
            } else if (count) {
                apr_int64_t job = jobs[dice(count)];
                ecl_take_out_counts_t got = take_out(f, job, 1 + dice(4));
                ecl_take_out_counts_t want = {0};

                for (int i = 0; i < MODEL_DAYS; i++) {
                    char what = model_take_out(&model[i], job);
                    want.days_removed += what == 'r';
                    want.days_restored += what == 'b';
                    want.days_kept += what == 'k';
                }
                want.meters_removed = got.meters_removed;
                assert_memory_equal(&got, &want, sizeof got);
            }
            assert_string_equal(query(f, tables), model_dump(f, model));
        }
        /* with everything undone, in any order, nothing is left */
        for (int first = dice(MODEL_JOBS), i = 0; i < MODEL_JOBS; i++) {
            take_out(f, jobs[(first + i * 5) % MODEL_JOBS], 2);
        }
        assert_string_equal(dump(f), "--\n--\n");
    }
}

int main(void)
{
    int rv;
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(stores_new_days),
        TEST(writes_nothing_when_nothing_changes),
        TEST(keeps_what_it_overwrites),
        TEST(never_overwrites_with_nothing),
        TEST(keeps_estimates_out),
        TEST(tells_repeats),
        TEST(names_the_line_of_a_repeat),
        TEST(keeps_channels_and_intervals_apart),
        TEST(finds_each_day_among_others),
        TEST(notices_what_was_edited_by_hand),
        TEST(refuses_what_cannot_be_merged),
        TEST(figures_do_not_depend_on_batches),
        TEST(figures_do_not_depend_on_cutting),
        TEST(a_dry_run_counts_and_keeps_nothing),
        TEST(finds_out_that_a_meter_has_gone),
        TEST(finds_days_that_others_stored_meanwhile),
        TEST(takes_out_exactly_what_it_did),
        TEST(keeps_days_that_a_later_import_changed),
        TEST(counts_a_kept_day_whose_later_import_was_deleted),
        TEST(imports_may_take_turns),
        TEST(writes_again_above_a_deleted_record),
        TEST(agrees_with_a_simple_model),
    };

    apr_initialize();
    apr_pool_create(&root, NULL);
    FOR_EACH_DATABASE(rv, cmocka_run_group_tests_name(test_driver, tests, NULL, NULL));
    apr_pool_destroy(root);
    apr_terminate();
    return rv;
}
