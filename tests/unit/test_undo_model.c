/*
 * Undo against a simple model: thousands of random sequences of imports that overlap, take turns,
 * are cancelled half-way, are undone in any order while others go on, and whose records are
 * deleted.
 *
 * The model keeps a stack for each day: what each writer left, the last on top. A writer that
 * writes again moves to the top; one that is taken out leaves the stack, whoever is above; the
 * record of a job that is deleted can't be taken out any more, nor what is below it be reached
 * again.
 *
 * SEED chooses the sequences (printed when a comparison fails), ROUNDS their number.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <apr_general.h>

#include "databases.h"
#include "succeeding.h"
#include "lib/jobs.h"
#include "lib/migrate.h"
#include "worker/store.h"

#define DAYS 5
#define PERIODS 3
#define JOBS 9
#define STEPS 60
#define DATE 20000 /* 2024-10-04 */

typedef struct fixture_t {
    test_database_t *database;
    apr_pool_t *p;
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    ecl_db_conn_t *other; /* of the process that takes out */
    ecl_result_t result;
} fixture_t;

typedef enum state_t { IMPORTING, IMPORTED, TAKING_OUT, GONE } state_t;

typedef struct writer_t {
    apr_int64_t job;
    ecl_decimal_t values[PERIODS];
    char flags[PERIODS + 1];
} writer_t;

typedef struct day_t {
    writer_t stack[JOBS];
    int depth;
    int has_lost; /* something below was made unreachable by a deleted record */
} day_t;

typedef struct model_job_t {
    apr_int64_t id;
    state_t state;
    ecl_store_t *store;
    apr_pool_t *pool;
    int replaces; /* estimates may replace actuals */
} model_job_t;

typedef struct model_t {
    fixture_t *f;
    day_t days[DAYS];
    model_job_t jobs[JOBS];
    int count;
    apr_uint32_t chance;
    apr_uint32_t seed;
    apr_pool_t *p;
} model_t;

static int dice(model_t *m, int sides)
{
    m->chance = m->chance * 1664525U + 1013904223U;
    return (int)((m->chance >> 8) % (apr_uint32_t)sides);
}

/* ---- what the model says -------------------------------------------------------------------- */

static int find_writer(const day_t *day, apr_int64_t job)
{
    for (int i = 0; i < day->depth; i++) {
        if (day->stack[i].job == job) {
            return i;
        }
    }
    return -1;
}

static void drop_writer(day_t *day, int at)
{
    memmove(&day->stack[at], &day->stack[at + 1],
            (apr_size_t)(day->depth - at - 1) * sizeof day->stack[0]);
    day->depth--;
}

static void model_put(day_t *day, const model_job_t *job, const ecl_meter_day_t *given)
{
    writer_t left = {.job = job->id, .flags = "---"};
    int changed = 0, at;

    for (int i = 0; i < PERIODS; i++) {
        left.values[i] = ECL_DECIMAL_MISSING;
    }
    if (day->depth) {
        left = day->stack[day->depth - 1];
        left.job = job->id;
    }
    for (int i = 0; i < PERIODS; i++) {
        int is_there = left.values[i] != ECL_DECIMAL_MISSING;

        if (given->values[i] == ECL_DECIMAL_MISSING ||
            (left.values[i] == given->values[i] && left.flags[i] == given->flags[i]) ||
            (is_there && left.flags[i] != 'E' && given->flags[i] == 'E' && !job->replaces)) {
            continue;
        }
        left.values[i] = given->values[i];
        left.flags[i] = given->flags[i];
        changed = 1;
    }
    if (!changed) {
        return;
    }
    at = find_writer(day, job->id);
    if (at >= 0) {
        drop_writer(day, at);
    }
    day->stack[day->depth++] = left;
}

static void model_delete(day_t *day, apr_int64_t job)
{
    int at = find_writer(day, job);

    if (at < 0) {
        return;
    }
    /* what it wrote stays, without a record of what it found */
    day->has_lost |= at > 0;
    memmove(&day->stack[0], &day->stack[at], (apr_size_t)(day->depth - at) * sizeof day->stack[0]);
    day->depth -= at;
}

/* ---- what the database says ----------------------------------------------------------------- */

static const char *in_model(model_t *m)
{
    const char *text = "";

    for (int i = 0; i < DAYS; i++) {
        const day_t *day = &m->days[i];
        const writer_t *top;

        if (!day->depth) {
            continue;
        }
        top = &day->stack[day->depth - 1];
        text = apr_psprintf(m->p, "%sM%d %s %" APR_INT64_T_FMT " [", text, i, top->flags, top->job);
        for (int k = 0; k < PERIODS; k++) {
            text = top->values[k] == ECL_DECIMAL_MISSING
                       ? apr_pstrcat(m->p, text, "null,", NULL)
                       : apr_psprintf(m->p, "%s%d,", text, (int)(top->values[k] / ECL_DECIMAL_ONE));
        }
        text = apr_psprintf(m->p, "%.*s] records %d\n", (int)strlen(text) - 1, text,
                            day->has_lost ? -1 : day->depth - 1);
    }
    return text;
}

static const char *in_database(model_t *m)
{
    static const char sql_text[] =
        "SELECT substr(m.identifier, 2), d.period_flags, d.import_job_id, d.period_values,"
        " (SELECT count(*) FROM meter_day_history h WHERE h.meter_day_id = d.id)"
        " FROM meter_days d JOIN meters m ON m.id = d.meter_id ORDER BY 1";
    char *rows = apr_pstrdup(m->p, database_query(m->f->conn, sql_text, m->p)), *last;
    const char *text = "";

    for (char *row = apr_strtok(rows, "\n", &last); row; row = apr_strtok(NULL, "\n", &last)) {
        char *column;
        const char *number = apr_strtok(row, "|", &column);
        const char *flags = apr_strtok(NULL, "|", &column);
        const char *job = apr_strtok(NULL, "|", &column);
        const char *values = apr_strtok(NULL, "|", &column);
        const char *records = apr_strtok(NULL, "|", &column);

        /* records of a day that no undo can reach stay until their own job goes */
        text = apr_psprintf(m->p, "%sM%s %s %s %s records %s\n", text, number, flags, job, values,
                            m->days[*number - '0'].has_lost ? "-1" : records);
    }
    return text;
}

static void compare(model_t *m, int step, const char *what)
{
    const char *found = in_database(m), *wanted = in_model(m);

    if (strcmp(found, wanted) != 0) {
        fail_msg("SEED=%u, step %d, %s\n-- database\n%s-- model\n%s", m->seed, step, what, found,
                 wanted);
    }
    apr_pool_clear(m->p);
}

/* ---- steps ---------------------------------------------------------------------------------- */

static model_job_t *any(model_t *m, state_t state)
{
    model_job_t *found = NULL;
    int seen = 0;

    for (int i = 0; i < m->count; i++) {
        if (m->jobs[i].state == state && !dice(m, ++seen)) {
            found = &m->jobs[i];
        }
    }
    return found;
}

static void begin_import(model_t *m)
{
    model_job_t *job = &m->jobs[m->count++];
    ecl_store_options_t options = {0};
    ecl_job_new_t wanted = {
        .user_name = "u", .filename = "f.csv", .file_size = 1, .file_sha256 = "5f"};
    fixture_t *f = m->f;
    ecl_job_t *created;

    wanted.batch_id = wanted.stored_name = ecl_job_uuid(m->p);
    OK(ecl_job_create(f->conn, &wanted, m->p, &created, &f->result));
    job->id = created->id;
    job->state = IMPORTING;
    job->replaces = !dice(m, 4);
    apr_pool_create(&job->pool, f->p);
    options.job_id = job->id;
    options.replace_actuals = job->replaces;
    OK(ecl_store_open(&job->store, f->conn, &options, job->pool, &f->result));
}

static void end_import(model_job_t *job, state_t state)
{
    apr_pool_destroy(job->pool);
    job->state = state;
}

static void put_batch(model_t *m, model_job_t *job)
{
    ecl_store_counts_t counts = {0};
    ecl_meter_day_t given[3];
    const ecl_meter_day_t *each[] = {&given[0], &given[1], &given[2]};
    int count = 1 + dice(m, 3);
    fixture_t *f = m->f;

    for (int i = 0; i < count; i++) {
        int number = dice(m, DAYS);
        ecl_meter_day_t *day = &given[i];

        *day = (ecl_meter_day_t){.kind = ECL_METER_OTHER,
                                 .channel = "AI",
                                 .unit = "kWh",
                                 .interval_minutes = 1440 / PERIODS,
                                 .periods = PERIODS,
                                 .date = DATE,
                                 .day_start = DATE * APR_INT64_C(86400),
                                 .line = 2 + i};
        snprintf(day->meter, sizeof day->meter, "M%d", number);
        for (int k = 0; k < PERIODS; k++) {
            int is_missing = !dice(m, 3);

            day->values[k] = is_missing ? ECL_DECIMAL_MISSING : dice(m, 3) * ECL_DECIMAL_ONE;
            day->flags[k] = is_missing ? ECL_FLAG_NONE : dice(m, 2) ? 'E' : 'A';
        }
        model_put(&m->days[number], job, day);
    }
    OK(ecl_db_begin(f->conn, &f->result));
    OK(ecl_store_put(job->store, each, count, &counts, &f->result));
    OK(ecl_db_commit(f->conn, &f->result));
}

/* Which of its days a bounded call takes is the store's affair: the model follows. Whether the job
 * is among those that the day's last writer leads back to. */
static int is_reachable(model_t *m, apr_int64_t job, int number)
{
    static const char sql_text[] =
        "WITH RECURSIVE writer(day, job) AS (SELECT d.id, d.import_job_id FROM meter_days d"
        " JOIN meters m ON m.id = d.meter_id WHERE m.identifier = %s"
        " UNION SELECT w.day, h.previous_job_id FROM writer w JOIN meter_day_history h"
        " ON h.meter_day_id = w.day AND h.import_job_id = w.job)"
        " SELECT 1 FROM writer WHERE job = %lld";
    fixture_t *f = m->f;
    ecl_db_rows_t *rows;

    OK(ecl_db_query(f->conn, sql_text,
                    ECL_ARGS(ECL_TEXT(apr_psprintf(m->p, "M%d", number)), ECL_INT(job)), m->p,
                    &rows, &f->result));
    return ecl_db_nrows(rows);
}

static void take_out(model_t *m, model_job_t *job)
{
    ecl_take_out_counts_t got = {0}, wanted = {0};
    fixture_t *f = m->f;
    int more, unreachable = 0;

    OK(ecl_db_begin(f->other, &f->result));
    OK(ecl_store_take_out(f->other, job->id, 1 + dice(m, 2), &got, &more, &f->result));
    OK(ecl_db_commit(f->other, &f->result));
    for (int i = 0; i < DAYS; i++) {
        day_t *day = &m->days[i];
        int at = find_writer(day, job->id);

        unreachable |= day->has_lost;
        if (at < 0 || is_reachable(m, job->id, i)) {
            continue;
        }
        wanted.days_kept += at < day->depth - 1;
        wanted.days_restored += at == day->depth - 1 && at > 0;
        wanted.days_removed += at == day->depth - 1 && at == 0;
        drop_writer(day, at);
        if (!day->depth) {
            day->has_lost = 0;
        }
    }
    if (got.days_removed != wanted.days_removed || got.days_restored != wanted.days_restored ||
        (got.days_kept != wanted.days_kept && !unreachable)) {
        fail_msg("SEED=%u: job %d: removed %d/%d, restored %d/%d, kept %d/%d", m->seed,
                 (int)job->id, (int)got.days_removed, (int)wanted.days_removed,
                 (int)got.days_restored, (int)wanted.days_restored, (int)got.days_kept,
                 (int)wanted.days_kept);
    }
    job->state = more ? TAKING_OUT : GONE;
    if (!more) {
        for (int i = 0; i < DAYS; i++) {
            assert_int_equal(find_writer(&m->days[i], job->id), -1);
        }
    }
}

static void delete_record(model_t *m, model_job_t *job)
{
    fixture_t *f = m->f;

    OK(ecl_db_exec(f->conn, "DELETE FROM import_jobs WHERE id = %lld", ECL_ARGS(ECL_INT(job->id)),
                   NULL, &f->result));
    for (int i = 0; i < DAYS; i++) {
        model_delete(&m->days[i], job->id);
    }
    job->state = GONE;
}

/* Returns what was done. */
static const char *step(model_t *m, int may_delete)
{
    model_job_t *job;
    int choice = dice(m, 16);

    if (choice < 3 && m->count < JOBS) {
        begin_import(m);
        return "an import begins";
    }
    if (choice < 9 && (job = any(m, IMPORTING))) {
        put_batch(m, job);
        return "a batch";
    }
    if (choice < 11 && (job = any(m, IMPORTING))) {
        int is_cancelled = dice(m, 2);
        end_import(job, is_cancelled ? TAKING_OUT : IMPORTED);
        return is_cancelled ? "a cancel" : "an import ends";
    }
    if (choice < 15 && (job = any(m, dice(m, 2) ? TAKING_OUT : IMPORTED))) {
        take_out(m, job);
        return "taking out";
    }
    if (choice == 15 && may_delete && (job = any(m, IMPORTED))) {
        delete_record(m, job);
        return "a record is deleted";
    }
    return "nothing";
}

static void end_everything(model_t *m)
{
    model_job_t *job;

    while ((job = any(m, IMPORTING))) {
        end_import(job, IMPORTED);
    }
    while ((job = any(m, dice(m, 2) ? TAKING_OUT : IMPORTED)) || (job = any(m, TAKING_OUT)) ||
           (job = any(m, IMPORTED))) {
        take_out(m, job);
        compare(m, STEPS, "taking out at the end");
    }
}

/* Nothing is pulled out here: no need to wait for the disk. */
static void hurry(fixture_t *f, ecl_db_conn_t *conn)
{
    int is_sqlite = ecl_db_conn_driver(conn) == ECL_DB_SQLITE3;

    database_query(conn, is_sqlite ? "PRAGMA synchronous = OFF" : "SET synchronous_commit = off",
                   f->p);
}

static void run_rounds(fixture_t *f, int rounds, int may_delete)
{
    static const char empty[] = "DELETE FROM meter_days; DELETE FROM meters;"
                                "DELETE FROM import_jobs";
    const char *given = getenv("SEED");
    apr_int64_t seed = 0;
    apr_pool_t *own = f->p;

    if (!given || !ecl_parse_int64(given, 0, APR_UINT32_MAX, &seed)) {
        seed = (apr_int64_t)(apr_time_now() % 1000000000);
    }
    for (int round = 0; round < rounds; round++) {
        model_t m = {.f = f, .seed = (apr_uint32_t)(seed + round)};

        apr_pool_create(&f->p, own);
        f->result = ecl_result_make(f->p);
        m.chance = m.seed;
        apr_pool_create(&m.p, f->p);
        for (int i = 0; i < STEPS; i++) {
            const char *what = step(&m, may_delete);
            compare(&m, i, what);
        }
        end_everything(&m);
        if (!may_delete) {
            /* whatever the order: with all undone, nothing is left */
            assert_string_equal(database_query(f->conn, "SELECT identifier FROM meters", f->p), "");
            assert_string_equal(
                database_query(f->conn, "SELECT import_job_id FROM meter_day_history", f->p), "");
        }
        database_query(f->conn, empty, f->p);
        apr_pool_destroy(f->p);
        f->p = own;
        f->result = ecl_result_make(own);
    }
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);

    assert_non_null(f);
    apr_pool_create(&f->p, NULL);
    f->result = ecl_result_make(f->p);
    f->database = make_database();
    OK(ecl_db_open(&f->db, f->database->driver, f->database->params, 2, f->p, &f->result));
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    OK(ecl_db_acquire(&f->other, f->db, &f->result));
    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    hurry(f, f->conn);
    hurry(f, f->other);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;

    ecl_db_release(f->conn);
    ecl_db_release(f->other);
    apr_pool_destroy(f->p);
    remove_database(f->database);
    free(f);
    return 0;
}

static int rounds_of(const fixture_t *f)
{
    const char *given = getenv("ROUNDS");
    apr_int64_t rounds;

    if (!given || !ecl_parse_int64(given, 1, 100000000, &rounds)) {
        rounds = 150;
    }
    /* each call is a message to a server there */
    return (int)(ecl_db_conn_driver(f->conn) == ECL_DB_SQLITE3 ? rounds : (rounds + 9) / 10);
}

static void undo_agrees_with_the_model(void **state)
{
    run_rounds(*state, rounds_of(*state), 0);
}

static void undo_agrees_with_the_model_when_records_are_deleted(void **state)
{
    run_rounds(*state, rounds_of(*state), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(undo_agrees_with_the_model),
        TEST(undo_agrees_with_the_model_when_records_are_deleted),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
