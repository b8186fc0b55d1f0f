/* Storing meter days: merging, counting, undo records; with each of the two databases. */
#include "store_fixture.h"

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
    query(f, "UPDATE meter_days SET period_values = '[1,2.500000001,3]'"
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
    query(f, "UPDATE meter_days SET period_values = '[1e0,2,3]'");
    OK(ecl_db_begin(f->conn, &f->result));
    days[0] = day_of("A", 0, 7, "1 1 1");
    assert_int_equal(ecl_store_put(store, each_of(f, days, 1), 1, &f->counts, &f->result),
                     APR_EGENERAL);
    assert_string_equal(f->result.code, "day-damaged");
    ecl_db_rollback(f->conn);
    apr_pool_destroy(p);
}

/* A trigger of somebody else's may keep rows out; their days must not go to other meters. */
static void refuses_meters_that_were_not_made(void **state)
{
    fixture_t *f = *state;
    ecl_meter_day_t days[2] = {day_of("A", 0, 2, "1 2 3"), day_of("B", 0, 3, "1 2 3")};
    ecl_store_t *store;
    apr_pool_t *p;

    if (!is_pgsql(f)) {
        return;
    }
    query(f, "CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS"
             " $$ BEGIN RETURN NULL; END $$;"
             "CREATE TRIGGER drop_it BEFORE INSERT ON meters FOR EACH ROW"
             " WHEN (NEW.identifier = 'B') EXECUTE FUNCTION drop_it()");
    apr_pool_create(&p, f->pool);
    store = open_store(f, make_job(f), 0, 0, p);
    OK(ecl_store_prepare(store, each_of(f, days, 2), 2, &f->result));
    OK(ecl_db_begin(f->conn, &f->result));
    assert_int_equal(ecl_store_put(store, each_of(f, days, 2), 2, &f->counts, &f->result),
                     APR_EGENERAL);
    assert_string_equal(f->result.code, "database-order");
    ecl_db_rollback(f->conn);
    apr_pool_destroy(p);
    assert_string_equal(dump(f), NO_READINGS);
}

int main(void)
{
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
        TEST(refuses_meters_that_were_not_made),
    };

    return RUN_FOR_EACH_DATABASE(tests);
}
