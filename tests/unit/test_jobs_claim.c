/* Who takes which job: order, times, hosts, clocks that step, and several workers at once. */
#include "jobs_fixture.h"

#include <sys/wait.h>

static void test_claim(void **state)
{
    fixture_t *f = *state;
    apr_time_t before = apr_time_now();
    ecl_job_t *job = new_job(f, "a.csv"), *claimed;

    claimed = claim_one(f, "host:1", ECL_WORK_IMPORT);
    assert_string_equal(claimed->batch_id, job->batch_id);
    assert_int_equal(claimed->status, ECL_JOB_PROCESSING);
    assert_int_equal(claimed->claims, 1);
    assert_int_equal(claimed->attempts, 1);
    assert_string_equal(claimed->worker, "host:1");
    assert_true(claimed->started_at >= before);
    assert_int_equal(claimed->attempt_started_at, claimed->started_at);
    assert_true(claimed->lease_until >= before + apr_time_from_sec(ECL_LEASE_SECONDS));
    assert_true(claimed->lease_until <= apr_time_now() + apr_time_from_sec(ECL_LEASE_SECONDS));
    claim_none(f);
}

static void test_claim_order(void **state)
{
    static const char *const priorities[] = {"low", "normal", "high", "normal", "high", "low"};
    static const int order[] = {2, 4, 1, 3, 0, 5};
    fixture_t *f = *state;
    ecl_job_t *jobs[6];

    for (int i = 0; i < 6; i++) {
        ecl_job_new_t wanted = {.filename = "a.csv", .priority = priorities[i]};

        jobs[i] = create(f, &wanted);
    }
    for (int i = 0; i < 6; i++) {
        assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id,
                            jobs[order[i]]->batch_id);
    }
    claim_none(f);
}

/* Small, quick and always the same: the figures of these tests must not change from run to run. */
static unsigned random_below(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % limit;
}

static const char *const priority_names[] = {"high", "normal", "low"};

typedef struct arrival_t {
    apr_int64_t id;
    int priority;
    apr_int64_t minute; /* at which it was due, of a day long past */
} arrival_t;

static arrival_t arrive(fixture_t *f, int priority, apr_int64_t minute)
{
    ecl_job_new_t wanted = {.filename = "a.csv", .priority = priority_names[priority]};
    const ecl_job_t *job = create(f, &wanted);

    sql(f,
        "UPDATE import_jobs SET due_at = 1000000 + CAST(%" APR_INT64_T_FMT
        " AS BIGINT) * 60000000 WHERE id = %" APR_INT64_T_FMT,
        minute, job->id);
    return (arrival_t){job->id, priority, minute};
}

/* Whether the rule of jobs.h puts a before b. */
static int goes_before(const arrival_t *a, const arrival_t *b)
{
    apr_int64_t first = a->minute + a->priority * 60, second = b->minute + b->priority * 60;

    return first != second ? first < second : a->id < b->id;
}

static void test_order_of_random_queues(void **state)
{
    enum { JOBS = 60 };
    fixture_t *f = *state;
    arrival_t waiting[JOBS];
    unsigned seed = 4;

    for (int i = 0; i < JOBS; i++) {
        waiting[i] = arrive(f, (int)random_below(&seed, 3), random_below(&seed, 240));
    }
    for (int left = JOBS; left; left--) {
        apr_int64_t id = claim_one(f, "host:1", ECL_WORK_IMPORT)->id;
        int taken = 0;

        while (waiting[taken].id != id) {
            assert_true(++taken < left);
        }
        for (int i = 0; i < left; i++) {
            assert_true(i == taken || goes_before(&waiting[taken], &waiting[i]));
        }
        waiting[taken] = waiting[left - 1];
    }
    claim_none(f);
}

/* Two high jobs arrive for every one that is taken, for ever: a low one's turn comes all the same,
 * and only those go before it that were due within two hours after it. */
static void test_nothing_starves(void **state)
{
    fixture_t *f = *state;
    arrival_t low = arrive(f, 2, 0), normal = arrive(f, 1, 0);
    int minute = 0, normal_at = -1, low_at = -1;

    for (; low_at < 0; minute++) {
        apr_int64_t id;

        assert_true(minute < 250); /* 2 * 120 before it, and some that were due at the same time */
        arrive(f, 0, minute);
        arrive(f, 0, minute);
        id = claim_one(f, "host:1", ECL_WORK_IMPORT)->id;
        normal_at = id == normal.id ? minute : normal_at;
        low_at = id == low.id ? minute : low_at;
    }
    assert_true(normal_at > 60 && normal_at < 130);
    assert_true(low_at > 120);
}

/* A back-off makes it wait, and loses it nothing else. */
static void test_a_back_off_keeps_the_place(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *first = new_job(f, "first.csv"), *second = new_job(f, "second.csv"), *job;

    job = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(ecl_job_give_back(f->conn, job, "the disk is full", &f->result));
    make_due(f, job);
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, first->batch_id);
    OK(ecl_jobs_of_dead_worker(f->conn, "host:1", NULL, &f->result));
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, first->batch_id);
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, second->batch_id);
}

static void test_undo_takes_its_place_in_the_queue(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *low, *done, *high, *ignored;
    ecl_job_new_t wanted = {.filename = "a.csv", .priority = "low"};

    low = create(f, &wanted);
    done = new_job(f, "done.csv");
    force(f, done, ECL_JOB_COMPLETED);
    OK(ecl_job_undo(f->conn, done->batch_id, "bob", f->p, &ignored, &f->result));
    wanted.priority = "high";
    high = create(f, &wanted);

    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, high->batch_id);
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_TAKE_OUT)->batch_id, done->batch_id);
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, low->batch_id);
}

static void test_run_after(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t wanted = {.filename = "a.csv",
                            .run_after = apr_time_now() + apr_time_from_sec(3600)};
    ecl_job_t *job = create(f, &wanted);

    claim_none(f);
    make_due(f, job);
    claim_one(f, "host:1", ECL_WORK_IMPORT);
}

/* What needs a file is for the workers of the host that has it. */
static void test_files_of_one_host(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t wanted = {.filename = "a.csv", .stored_host = "north"};
    ecl_job_t *job = create(f, &wanted), *later, *ignored;
    ecl_claim_t claim;

    claim_none(f);
    OK(ecl_job_claim(f->conn, "south:1", job->batch_id, f->p, &claim, &f->result));
    assert_null(claim.job);
    assert_int_equal(claim.next_due, 0); /* nor does anybody else wait for it */
    claim_one(f, "north:1", ECL_WORK_IMPORT);
    sql(f, "UPDATE import_jobs SET checkpoint = 7");
    OK(ecl_jobs_of_dead_worker(f->conn, "north:1", NULL, &f->result));
    claim_none(f);

    /* taking out what was imported needs no file */
    OK(ecl_job_cancel(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));
    job = claim_one(f, "south:1", ECL_WORK_TAKE_OUT);
    OK(ecl_job_taken_out(f->conn, job, NULL, &f->result));
    assert_string_equal(get(f, job)->stored_host, "north");

    later = create(f, &wanted);
    job = claim_one(f, "north:1", ECL_WORK_IMPORT);
    assert_int_equal(job->id, later->id);
    OK(ecl_job_finish(f->conn, job, NULL, NULL, &f->result));
    assert_null(get(f, job)->stored_host);
    OK(ecl_job_undo(f->conn, job->batch_id, "bob", f->p, &ignored, &f->result));
    claim_one(f, "south:1", ECL_WORK_TAKE_OUT);
}

/* So that a worker need not ask again and again. */
static void test_who_finds_nothing_is_told_when_to_come_back(void **state)
{
    fixture_t *f = *state;
    apr_time_t soon = apr_time_now() + apr_time_from_sec(100);
    ecl_job_new_t later = {.filename = "a.csv", .run_after = soon + 5},
                  first = {.filename = "b.csv", .run_after = soon};
    ecl_job_t *job;
    ecl_claim_t claim;

    OK(ecl_job_claim(f->conn, "host:1", NULL, f->p, &claim, &f->result));
    assert_int_equal(claim.next_due, 0);
    create(f, &later);
    create(f, &first);
    OK(ecl_job_claim(f->conn, "host:1", NULL, f->p, &claim, &f->result));
    assert_null(claim.job);
    assert_int_equal(claim.next_due, soon);

    /* an undo that is to be tried again counts as well */
    job = new_job(f, "done.csv");
    force(f, job, ECL_JOB_COMPLETED);
    sql(f,
        "UPDATE import_jobs SET undo_requested = 1, run_after = %" APR_TIME_T_FMT
        " WHERE id = %" APR_INT64_T_FMT,
        soon - 1, job->id);
    OK(ecl_job_claim(f->conn, "host:1", NULL, f->p, &claim, &f->result));
    assert_null(claim.job);
    assert_int_equal(claim.next_due, soon - 1);
}

static void test_run_now(void **state)
{
    fixture_t *f = *state;
    ecl_job_new_t wanted = {.filename = "a.csv",
                            .run_after = apr_time_now() + apr_time_from_sec(3600)};
    ecl_job_t *job = create(f, &wanted), *other = new_job(f, "b.csv");

    OK(ecl_job_run_now(f->conn, job->batch_id, "bob", f->p, &job, &f->result));
    assert_true(job->due_at <= apr_time_now());
    OK(ecl_job_run_now(f->conn, job->batch_id, "bob", f->p, &job, &f->result));
    /* behind what waited before */
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, other->batch_id);
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, job->batch_id);
    FAILS(ecl_job_run_now(f->conn, job->batch_id, "bob", f->p, &job, &f->result), ECL_ECONFLICT,
          "job-state");

    /* instead of waiting for the back-off */
    OK(ecl_job_give_back(f->conn, job, "the disk is full", &f->result));
    claim_none(f);
    OK(ecl_job_run_now(f->conn, job->batch_id, "bob", f->p, &job, &f->result));
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, job->batch_id);
}

/* ---- clocks that step: what was written before the step lies that far away afterwards ---- */

static void step_clock(fixture_t *f, int seconds)
{
    sql(f,
        "UPDATE import_jobs SET queued_at = queued_at - %d000000, run_after = run_after -"
        " %d000000, due_at = due_at - %d000000, lease_until = lease_until - %d000000",
        seconds, seconds, seconds, seconds);
}

static void test_clock_put_back(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *running, *waiting;
    int cancel;

    new_job(f, "a.csv");
    running = claim_one(f, "host:1", ECL_WORK_IMPORT);
    waiting = new_job(f, "b.csv");
    step_clock(f, -7200);
    /* what is due stays due; who lives keeps the job */
    assert_string_equal(claim_one(f, "host:2", ECL_WORK_IMPORT)->batch_id, waiting->batch_id);
    OK(progress(f, running, 5, &cancel));
    /* and who is dead does not keep it for two hours */
    sql(f, "UPDATE import_jobs SET lease_until = lease_until + 7200000000 WHERE id = %d",
        (int)running->id);
    claim_none(f);
    assert_true(get(f, running)->lease_until <=
                apr_time_now() + apr_time_from_sec(ECL_LEASE_SECONDS));
    OK(progress(f, running, 6, &cancel)); /* nor does that take it from who lives */

    /* given back, and tried again later: at once, because no back-off is as long */
    OK(ecl_job_give_back(f->conn, running, "the disk is full", &f->result));
    step_clock(f, -7200);
    assert_string_equal(claim_one(f, "host:1", ECL_WORK_IMPORT)->batch_id, running->batch_id);
}

static void test_clock_put_forward(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *old, *new;
    int cancel;

    new_job(f, "a.csv");
    old = claim_one(f, "host:1", ECL_WORK_IMPORT);
    OK(progress(f, old, 5, &cancel));
    step_clock(f, 7200);
    OK(progress(f, old, 6, &cancel)); /* nobody has looked, so nothing has happened */
    step_clock(f, 7200);
    claim_none(f); /* put back */
    FAILS(progress(f, old, 7, &cancel), ECL_EFENCED, "claim-lost");
    make_due(f, old);
    new = claim_one(f, "host:2", ECL_WORK_IMPORT);
    assert_int_equal(new->checkpoint, 6);
    FAILS(progress(f, old, 7, &cancel), ECL_EFENCED, "claim-lost");
    OK(progress(f, new, 7, &cancel));
}

static void test_claim_of_one_job(void **state)
{
    fixture_t *f = *state;
    ecl_job_t *other = new_job(f, "other.csv"), *mine = new_job(f, "mine.csv");
    ecl_claim_t claim;

    OK(ecl_job_claim(f->conn, "host:1", mine->batch_id, f->p, &claim, &f->result));
    assert_string_equal(claim.job->batch_id, mine->batch_id);
    OK(ecl_job_claim(f->conn, "host:1", mine->batch_id, f->p, &claim, &f->result));
    assert_null(claim.job);
    assert_int_equal(get(f, other)->status, ECL_JOB_QUEUED);
}

/* Idle workers poll: they must neither wait for somebody else's transaction nor
 * hold one up. */
static void test_idle_claim_takes_no_lock(void **state)
{
    fixture_t *f = *state;
    ecl_db_conn_t *ours = f->conn, *other;

    force(f, new_job(f, "running.csv"), ECL_JOB_PROCESSING);
    force(f, new_job(f, "done.csv"), ECL_JOB_COMPLETED);
    OK(ecl_db_acquire(&f->conn, f->db, &f->result));
    OK(ecl_db_begin(f->conn, &f->result));
    if (is_pgsql()) {
        sql(f, "LOCK TABLE import_jobs IN EXCLUSIVE MODE");
    }
    other = f->conn;
    f->conn = ours;
    claim_none(f); /* would wait for 10 s and fail */
    ecl_db_release(other);
}

/* A long queue must not be read and sorted for every claim. */
static void test_queue_is_found_by_index(void **state)
{
#define PLAIN                                                                                      \
    " SELECT id, due_at + CASE priority WHEN 'high' THEN -3600000000 WHEN 'normal' THEN 0"         \
    " ELSE 3600000000 END AS place FROM import_jobs WHERE status = 'queued' AND run_after <= 5"    \
    " ORDER BY place, id LIMIT 1"
    fixture_t *f = *state;
    const char *plan;

    if (is_pgsql()) {
        plan = database_query(f->conn, "SET enable_seqscan = off; EXPLAIN" PLAIN, f->p);
        assert_null(strstr(plan, "Sort"));
    } else {
        plan = database_query(f->conn, "EXPLAIN QUERY PLAN" PLAIN, f->p);
        assert_ptr_equal(strchr(plan, '\n'), strrchr(plan, '\n')); /* no line for a sort */
    }
    assert_non_null(strstr(plan, "import_jobs_queue"));
#undef PLAIN
}

#define RACE_JOBS 60
#define RACERS 3

/* Claims until nothing is left; writes the number of every job it got to the
 * pipe. */
static int race(const char *path, int out)
{
    apr_pool_t *p;
    ecl_db_t *db;
    ecl_db_conn_t *conn;
    ecl_result_t result;
    int failures = 0;

    apr_pool_create(&p, NULL);
    result = ecl_result_make(p);
    if (ecl_db_open(&db, test_driver, path, 1, p, &result) != APR_SUCCESS ||
        ecl_db_acquire(&conn, db, &result) != APR_SUCCESS) {
        return 1;
    }
    for (;;) {
        const char *worker = apr_psprintf(p, "host:%d", (int)getpid());
        ecl_claim_t claim;

        if (ecl_job_claim(conn, worker, NULL, p, &claim, &result) != APR_SUCCESS) {
            failures++;
            break;
        }
        if (!claim.job) {
            break;
        }
        failures += write(out, &claim.job->id, sizeof claim.job->id) != sizeof claim.job->id;
        failures += ecl_job_finish(conn, claim.job, NULL, NULL, &result) != APR_SUCCESS;
    }
    ecl_db_release(conn);
    apr_pool_destroy(p);
    return failures != 0;
}

static void test_processes_share_the_queue(void **state)
{
    fixture_t *f = *state;
    int seen[RACE_JOBS] = {0}, fds[2], status;
    pid_t pids[RACERS];
    apr_int64_t id, first = 0;

    for (int i = 0; i < RACE_JOBS; i++) {
        ecl_job_t *job = new_job(f, "a.csv");

        first = first ? first : job->id;
    }
    assert_int_equal(pipe(fds), 0);
    /* connections do not survive a fork: the children open their own */
    ecl_db_release(f->conn);
    f->conn = NULL;
    apr_pool_destroy(f->p);
    for (int i = 0; i < RACERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (!pids[i]) {
            close(fds[0]);
            _exit(race(f->database->params, fds[1]));
        }
    }
    close(fds[1]);
    while (read(fds[0], &id, sizeof id) == sizeof id) {
        assert_in_range(id - first, 0, RACE_JOBS - 1);
        seen[id - first]++;
    }
    close(fds[0]);
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < RACE_JOBS; i++) {
        assert_int_equal(seen[i], 1);
    }
    apr_pool_create(&f->p, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_claim),
        TEST(test_claim_order),
        TEST(test_undo_takes_its_place_in_the_queue),
        TEST(test_order_of_random_queues),
        TEST(test_nothing_starves),
        TEST(test_a_back_off_keeps_the_place),
        TEST(test_run_after),
        TEST(test_who_finds_nothing_is_told_when_to_come_back),
        TEST(test_files_of_one_host),
        TEST(test_run_now),
        TEST(test_clock_put_back),
        TEST(test_clock_put_forward),
        TEST(test_claim_of_one_job),
        TEST(test_idle_claim_takes_no_lock),
        TEST(test_queue_is_found_by_index),
        TEST(test_processes_share_the_queue),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
