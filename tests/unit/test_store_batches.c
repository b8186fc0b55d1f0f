/* What is stored and counted does not depend on how a file is cut into batches, where its import
 * went on, what it only tried, nor on what others do meanwhile; with each of the two databases. */
#include "store_fixture.h"

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
            empty_tables(f->conn, f->pool);
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

    empty_tables(f->conn, f->pool);
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
        assert_string_equal(dump(f), NO_READINGS);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(figures_do_not_depend_on_batches),        TEST(figures_do_not_depend_on_cutting),
        TEST(a_dry_run_counts_and_keeps_nothing),      TEST(finds_out_that_a_meter_has_gone),
        TEST(finds_days_that_others_stored_meanwhile),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
