/*
 * No day without its meter, in PostgreSQL, where no foreign key sees to that (migration 0010): two
 * connections that add days, make meters, undo and delete at the same time, and what is refused of
 * those who come by themselves.
 *
 * Each of two does its part of a transaction, the other is waited for until it stands at the first
 * one's lock, then the first goes on.
 */
#include "meter_tables.h"
#include "succeeding.h"

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "lib/migrate.h"
#include "worker/store.h"

#define DAY0 20000 /* 2024-10-04 */

typedef struct fixture_t {
    apr_pool_t *p;
    test_database_t *database;
    ecl_db_t *db;
    ecl_db_conn_t *conn;  /* of the one who is first, */
    ecl_db_conn_t *other; /* of the other one, */
    ecl_db_conn_t *eye;   /* and of the one who looks */
    PGconn *visitor;      /* somebody with SQL of their own */
    ecl_result_t result;
} fixture_t;

static apr_pool_t *root;

static int set_up(void **state)
{
    apr_pool_t *p;
    fixture_t *f;

    apr_pool_create(&p, root);
    f = apr_pcalloc(p, sizeof *f);
    f->p = p;
    f->result = ecl_result_make(p);
    f->database = make_database();
    OK(ecl_db_open(&f->db, f->database->driver, f->database->params, 3, p, &f->result));
    ecl_db_set_waits(f->db, apr_time_from_sec(60), apr_time_from_sec(60)); /* a slow machine */
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    OK(ecl_db_acquire(&f->other, f->db, &f->result));
    OK(ecl_db_acquire(&f->eye, f->db, &f->result));
    OK(ecl_migrate_up(f->conn, NULL, &f->result));
    f->visitor = PQconnectdb(f->database->params);
    assert_int_equal(PQstatus(f->visitor), CONNECTION_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;
    test_database_t *database = f->database;

    PQfinish(f->visitor);
    ecl_db_release(f->eye);
    ecl_db_release(f->other);
    ecl_db_release(f->conn);
    apr_pool_destroy(f->p);
    remove_database(database);
    return 0;
}

/* ---- small things --------------------------------------------------------------------------- */

static apr_int64_t number(fixture_t *f, const char *sql)
{
    return database_number(f->eye, sql, f->p);
}

/* The meters and how many days each has; those that nobody has are a failure. */
static const char *days_of_meters(fixture_t *f)
{
    assert_int_equal(number(f, "SELECT count(*) FROM meter_days d LEFT JOIN meters m"
                               " ON m.id = d.meter_id WHERE m.id IS NULL"),
                     0);
    return database_query(f->eye,
                          "SELECT m.identifier, count(d.id) FROM meters m LEFT JOIN meter_days d"
                          " ON d.meter_id = m.id GROUP BY 1 ORDER BY 1",
                          f->p);
}

static ecl_meter_day_t day_of(const char *meter, int date)
{
    ecl_meter_day_t day = {.kind = ECL_METER_OTHER,
                           .channel = "AI",
                           .unit = "kWh",
                           .interval_minutes = 1440,
                           .date = DAY0 + date,
                           .day_start = (DAY0 + date) * APR_INT64_C(86400),
                           .line = 2,
                           .periods = 1,
                           .values = {ECL_DECIMAL_ONE},
                           .flags = {'A'}};

    apr_cpystrn(day.meter, meter, sizeof day.meter);
    return day;
}

static apr_int64_t make_job(fixture_t *f)
{
    return bare_job(f->eye, f->p);
}

/* What one of the two does in a transaction: puts a day, or takes a job out. */
typedef struct work_t {
    fixture_t *f;
    ecl_db_conn_t *conn;
    apr_int64_t job;
    const ecl_meter_day_t *day; /* NULL: take out */
    ecl_store_counts_t counts;
    ecl_take_out_counts_t taken;
    apr_status_t status;
    apr_thread_t *thread;
    ecl_result_t result;
} work_t;

static apr_status_t do_first_part(work_t *work)
{
    const ecl_store_options_t options = {.job_id = work->job};
    ecl_store_t *store;
    apr_pool_t *p;
    apr_status_t rv;
    int more;

    apr_pool_create(&p, NULL);
    work->result = ecl_result_make(p);
    rv = ecl_store_open(&store, work->conn, &options, p, &work->result);
    if (rv == APR_SUCCESS && work->day) {
        rv = ecl_store_prepare(store, &work->day, 1, &work->result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_db_begin(work->conn, &work->result);
    }
    if (rv == APR_SUCCESS && work->day) {
        rv = ecl_store_put(store, &work->day, 1, &work->counts, &work->result);
    } else if (rv == APR_SUCCESS) {
        rv = ecl_store_take_out(work->conn, work->job, 100, &work->taken, &more, &work->result);
    }
    if (rv != APR_SUCCESS) {
        print_error("%s\n", work->result.detail);
    }
    apr_pool_destroy(p);
    return rv;
}

static work_t begin(fixture_t *f, apr_int64_t job, const ecl_meter_day_t *day)
{
    work_t work = {.f = f, .conn = f->conn, .job = job, .day = day};

    assert_int_equal(do_first_part(&work), APR_SUCCESS);
    return work;
}

static void *APR_THREAD_FUNC run(apr_thread_t *thread, void *data)
{
    work_t *work = data;

    (void)thread;
    work->status = do_first_part(work);
    if (work->status == APR_SUCCESS) {
        work->status = ecl_db_commit(work->conn, NULL);
    }
    return NULL;
}

static void wait_until_it_waits(fixture_t *f, int backend)
{
    const char *sql = apr_psprintf(f->p, "SELECT cardinality(pg_blocking_pids(%d))", backend);
    apr_time_t end = apr_time_now() + apr_time_from_sec(50);

    while (!number(f, sql)) {
        if (apr_time_now() > end) {
            fail_msg("it does not wait for anybody");
        }
        apr_sleep(1000);
    }
}

/* The other one, who is to come to wait. */
static void begin_other(work_t *work, fixture_t *f, apr_int64_t job, const ecl_meter_day_t *day)
{
    *work = (work_t){.f = f, .conn = f->other, .job = job, .day = day};
    assert_int_equal(apr_thread_create(&work->thread, NULL, run, work, f->p), APR_SUCCESS);
    wait_until_it_waits(f, PQbackendPID(ecl_db_native(f->other)));
}

static void end_other(work_t *work)
{
    apr_status_t ignored;

    apr_thread_join(&ignored, work->thread);
    assert_int_equal(work->status, APR_SUCCESS);
}

/* A whole import of one day. */
static apr_int64_t import_day(fixture_t *f, ecl_meter_day_t day)
{
    apr_int64_t job = make_job(f);

    begin(f, job, &day);
    OK(ecl_db_commit(f->conn, &f->result));
    return job;
}

/* Checks what the visitor's statement came to: "" or an SQLSTATE. */
static void assert_answer(fixture_t *f, const char *sqlstate)
{
    char found[6] = "";
    PGresult *answer;

    while ((answer = PQgetResult(f->visitor))) {
        if (PQresultStatus(answer) == PGRES_FATAL_ERROR) {
            apr_cpystrn(found, PQresultErrorField(answer, PG_DIAG_SQLSTATE), sizeof found);
        }
        PQclear(answer);
    }
    assert_string_equal(found, sqlstate);
}

static void visit(fixture_t *f, const char *sql, const char *sqlstate)
{
    assert_int_equal(PQsendQuery(f->visitor, sql), 1);
    assert_answer(f, sqlstate);
}

#define FOREIGN_KEY_VIOLATION "23503"
#define FEATURE_NOT_SUPPORTED "0A000"

/* ---- two at a time -------------------------------------------------------------------------- */

static void a_meter_that_gets_days_can_not_be_deleted_meanwhile(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t day = day_of("A", 0);

    database_query(f->eye,
                   "INSERT INTO meters (identifier, kind, import_job_id)"
                   " VALUES ('A', 'other', 0), ('B', 'other', 0)",
                   f->p);
    begin(f, make_job(f), &day);
    assert_int_equal(PQsendQuery(f->visitor, "DELETE FROM meters"), 1);
    wait_until_it_waits(f, PQbackendPID(f->visitor));
    OK(ecl_db_commit(f->conn, &f->result));
    assert_answer(f, FOREIGN_KEY_VIOLATION);
    assert_string_equal(days_of_meters(f), "A|1|\nB|0|\n");
    /* and when nothing comes of the import, it can */
    day = day_of("B", 0);
    begin(f, make_job(f), &day);
    assert_int_equal(PQsendQuery(f->visitor, "DELETE FROM meters WHERE identifier = 'B'"), 1);
    wait_until_it_waits(f, PQbackendPID(f->visitor));
    ecl_db_rollback(f->conn);
    assert_answer(f, "");
    assert_string_equal(days_of_meters(f), "A|1|\n");
}

static void a_meter_that_was_being_deleted_is_made_anew(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t day = day_of("A", 0);
    work_t other;

    for (int is_deleted = 0; is_deleted < 2; is_deleted++) {
        visit(f,
              "DELETE FROM meter_days; DELETE FROM meters;"
              "INSERT INTO meters (identifier, kind, import_job_id) VALUES ('A', 'other', 0)",
              "");
        visit(f, "BEGIN", "");
        visit(f, "DELETE FROM meters WHERE identifier = 'A'", "");
        begin_other(&other, f, make_job(f), &day);
        visit(f, is_deleted ? "COMMIT" : "ROLLBACK", "");
        end_other(&other);
        assert_int_equal(other.counts.meters_new, is_deleted);
        assert_string_equal(days_of_meters(f), "A|1|\n");
    }
}

static void an_undo_waits_for_an_import_and_leaves_it_the_meter(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t next = day_of("A", 1);
    apr_int64_t creator = import_day(f, day_of("A", 0)), job = make_job(f);
    work_t other;

    begin(f, job, &next);
    begin_other(&other, f, creator, NULL);
    OK(ecl_db_commit(f->conn, &f->result));
    end_other(&other);
    assert_int_equal(other.taken.days_removed, 1);
    assert_int_equal(other.taken.meters_removed, 0);
    assert_string_equal(days_of_meters(f), "A|1|\n");
    assert_int_equal(number(f, "SELECT import_job_id FROM meters"), job);
}

static void an_import_waits_for_an_undo_and_makes_the_meter_anew(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t next = day_of("A", 1);
    apr_int64_t creator = import_day(f, day_of("A", 0));
    work_t undo = begin(f, creator, NULL), other;

    assert_int_equal(undo.taken.meters_removed, 1);
    begin_other(&other, f, make_job(f), &next);
    OK(ecl_db_commit(f->conn, &f->result));
    end_other(&other);
    assert_int_equal(other.counts.meters_new, 1);
    assert_string_equal(days_of_meters(f), "A|1|\n");
}

static void two_imports_make_a_meter_once(void **state)
{
    fixture_t *f = *state;
    work_t other;

    for (int is_kept = 0; is_kept < 2; is_kept++) {
        ecl_meter_day_t one = day_of(is_kept ? "B" : "A", 0), two = day_of(is_kept ? "B" : "A", 1);

        begin(f, make_job(f), &one);
        begin_other(&other, f, make_job(f), &two);
        if (is_kept) {
            OK(ecl_db_commit(f->conn, &f->result));
        } else {
            ecl_db_rollback(f->conn);
        }
        end_other(&other);
        assert_int_equal(other.counts.meters_new, !is_kept);
    }
    assert_string_equal(days_of_meters(f), "A|1|\nB|2|\n");
}

/* ---- by themselves -------------------------------------------------------------------------- */

/* As the foreign key did, in whatever partition the days are. */
static void meters_with_days_stay(void **state)
{
    fixture_t *f = *state;

    import_day(f, day_of("A", 0));
    import_day(f, day_of("B", -20000)); /* of 1970: in the default partition */
    assert_int_equal(number(f, "SELECT count(DISTINCT tableoid) FROM meter_days"), 2);
    visit(f, "INSERT INTO meters (identifier, kind, import_job_id) VALUES ('C', 'other', 0)", "");
    visit(f, "DELETE FROM meters WHERE identifier <> 'B'", FOREIGN_KEY_VIOLATION);
    visit(f, "DELETE FROM meters WHERE identifier = 'B'", FOREIGN_KEY_VIOLATION);
    visit(f, "TRUNCATE meters", FOREIGN_KEY_VIOLATION);
    visit(f, "UPDATE meters SET id = id + 100", FOREIGN_KEY_VIOLATION);
    visit(f, "UPDATE meters SET id = id, import_job_id = 7", "");
    visit(f, "DELETE FROM meters WHERE identifier = 'C'", "");
    assert_string_equal(days_of_meters(f), "A|1|\nB|1|\n");
    /* from any schema, and with them */
    visit(f, "SET search_path = pg_catalog; DELETE FROM public.meters", FOREIGN_KEY_VIOLATION);
    visit(f, "TRUNCATE public.meters, public.meter_days", "");
    assert_string_equal(days_of_meters(f), "");
}

/* It would not see days that were committed since its snapshot was taken. */
static void meters_are_not_deleted_under_an_old_snapshot(void **state)
{
    fixture_t *f = *state;

    visit(f, "INSERT INTO meters (identifier, kind, import_job_id) VALUES ('A', 'other', 0)", "");
    visit(f, "BEGIN ISOLATION LEVEL REPEATABLE READ", "");
    visit(f, "SELECT count(*) FROM meter_days", "");
    import_day(f, day_of("A", 0));
    visit(f, "DELETE FROM meters", FEATURE_NOT_SUPPORTED);
    visit(f, "ROLLBACK", "");
    assert_string_equal(days_of_meters(f), "A|1|\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_meter_that_gets_days_can_not_be_deleted_meanwhile),
        TEST(a_meter_that_was_being_deleted_is_made_anew),
        TEST(an_undo_waits_for_an_import_and_leaves_it_the_meter),
        TEST(an_import_waits_for_an_undo_and_makes_the_meter_anew),
        TEST(two_imports_make_a_meter_once),
        TEST(meters_with_days_stay),
        TEST(meters_are_not_deleted_under_an_old_snapshot),
    };
    int rv;

    if (!test_server()) {
        print_message("NOT RUN: ECL_TEST_PGSQL is not set (make unit sets it)\n");
        return 0;
    }
    test_driver = "pgsql";
    apr_initialize();
    apr_pool_create(&root, NULL);
    rv = cmocka_run_group_tests_name(test_driver, tests, NULL, NULL);
    apr_pool_destroy(root);
    apr_terminate();
    return rv;
}
