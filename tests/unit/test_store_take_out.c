/* Taking out what a job stored, whoever wrote before, after and meanwhile; with each of the two
 * databases. */
#include "store_fixture.h"

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
    assert_string_equal(dump(f), NO_READINGS);
}

static void counts_a_kept_day_whose_later_import_was_deleted(void **state)
{
    fixture_t *f = *state;
    apr_int64_t b, c;

    import_day(f, day_of("A", 0, 2, "1 1 1"));
    b = import_day(f, day_of("A", 0, 3, "- 2 -"));
    c = import_day(f, day_of("A", 0, 4, "- - 3"));
    query(f, apr_psprintf(f->pool, "DELETE FROM import_jobs WHERE id = %" APR_INT64_T_FMT, c));
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
            const char *before = with_base ? dump(f) : NO_READINGS;
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
    query(f, apr_psprintf(f->pool, "DELETE FROM import_jobs WHERE id = %" APR_INT64_T_FMT, d));
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
        assert_string_equal(dump(f), NO_READINGS);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(takes_out_exactly_what_it_did),
        TEST(keeps_days_that_a_later_import_changed),
        TEST(counts_a_kept_day_whose_later_import_was_deleted),
        TEST(imports_may_take_turns),
        TEST(writes_again_above_a_deleted_record),
        TEST(agrees_with_a_simple_model),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
