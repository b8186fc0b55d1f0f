/* Numbers that are no readings: what smart meters give instead of one, and reads of a register. */
#include "reading.h"
#include "start_apr.h"

#include "worker/preview.h"
#include "worker/reader_internal.h"

#define MPRN "11030907"

static const char *header_row(apr_pool_t *p)
{
    return apr_pstrcat(p, "MPAN,Date,", series(p, "HH%d", 1, 48), "\n", NULL);
}

static ecl_decimal_t decimal(const char *text)
{
    ecl_decimal_t value;

    assert_int_equal(ecl_decimal_parse(text, strlen(text), '.', &value), ECL_DECIMAL_OK);
    return value;
}

static void sentinels_are_told_by_fuel(void **state)
{
    static const char *const any[] = {"8590.017", "8590.041", "8590.063",   "8590.119",
                                      "8590.421", "8591.484", "34364.271",  "4295.103",
                                      "4295.084", "38655.37", "186227.0865"};
    static const char *const none[] = {"0",        "4295.1030001", "8590.018",
                                       "4294.967", "-8590.017",    "16777.216"};

    (void)state;
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
        assert_true(ecl_is_sentinel(decimal(any[i]), ECL_METER_MPAN, 0));
        assert_true(ecl_is_sentinel(decimal(any[i]), ECL_METER_MPRN, 0));
        assert_true(ecl_is_sentinel(decimal(any[i]), ECL_METER_OTHER, 0));
        assert_false(ecl_is_sentinel(decimal(any[i]), ECL_METER_MPAN, 1));
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(ecl_is_sentinel(decimal(none[i]), ECL_METER_OTHER, 0));
    }
    assert_true(ecl_is_sentinel(decimal("4294967.295"), ECL_METER_MPAN, 1));
    assert_true(ecl_is_sentinel(decimal("2147483.647"), ECL_METER_OTHER, 0));
    assert_false(ecl_is_sentinel(decimal("4294967.295"), ECL_METER_MPRN, 0));
    assert_true(ecl_is_sentinel(decimal("16777.215"), ECL_METER_MPRN, 0));
    assert_false(ecl_is_sentinel(decimal("16777.215"), ECL_METER_MPAN, 0));
}

static void a_row_with_a_sentinel_is_refused(void **state)
{
    reading_t *r =
        read_text("MPAN,ReadDateTime,ReadValue,Unit\n" MPAN ",2025-11-01 00:00,0.5,kWh\n" MPAN
                  ",2025-11-01 00:30,4294967.295,kWh\n" MPAN ",2025-11-01 01:00,4294967.294,kWh\n");

    (void)state;
    assert_error(r, 3, "ReadValue", "sentinel-value", "\"4294967.295\" is what smart metering");
    assert_int_equal(r->imported, 2);
    end_reading(r);

    /* in another unit */
    r = read_text("MPAN,ReadDateTime,ReadValue,Unit\n" MPAN ",2025-11-01 00:00,500,Wh\n" MPAN
                  ",2025-11-01 00:30,8590017,Wh\n");
    assert_error(r, 3, "ReadValue", "sentinel-value", "\"8590017\"");
    end_reading(r);
}

/* A row whose values are first, and after each `every` of them 1 more. */
static const char *rising_row(apr_pool_t *p, int first, int every)
{
    const char *text = MPAN ",2025-11-01";

    for (int i = 0; i < 48; i++) {
        text = apr_psprintf(p, "%s,%d.5", text, first + i / every);
    }
    return apr_pstrcat(p, text, "\n", NULL);
}

static void a_row_of_register_reads_is_refused(void **state)
{
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    r = read_text(apr_pstrcat(p, header_row(p), rising_row(p, 1000, 6), NULL));
    assert_error(r, 2, NULL, "cumulative-reads", "rise from 1000.5 to 1007.5 and never fall");
    end_reading(r);

    /* small values, few rises, none at all */
    r = read_text(apr_pstrcat(p, header_row(p), rising_row(p, 999, 6), rising_row(p, 1000, 10),
                              rising_row(p, 1000, 48), rising_row(p, 0, 1), NULL));
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->imported, 4);
    end_reading(r);
    apr_pool_destroy(p);
}

static void only_what_never_falls_is_a_register(void **state)
{
    ecl_register_t reads = {0};

    (void)state;
    for (int i = 0; i < 48; i++) {
        assert_int_equal(ecl_register_is_one(&reads, 0), i >= 24);
        assert_int_equal(ecl_register_is_one(&reads, 1), i >= 13);
        ecl_register_add(&reads, (2000 + i) * ECL_DECIMAL_ONE);
    }
    ecl_register_add(&reads, 2046 * ECL_DECIMAL_ONE);
    assert_false(ecl_register_is_one(&reads, 0));
    assert_false(ecl_register_is_one(&reads, 1));

    /* twice as much at the end as at the beginning */
    reads = (ecl_register_t){0};
    for (int i = 0; i <= 48; i++) {
        ecl_register_add(&reads, (1000 + 1000 * i / 48) * ECL_DECIMAL_ONE);
    }
    assert_false(ecl_register_is_one(&reads, 0));
}

/* ---- the look before the import -------------------------------------------------------------- */

typedef struct look_t {
    reading_t *r;
    apr_status_t status;
    json_object *preview;
    const ecl_layout_t *layout;
} look_t;

static look_t look_at(const char *text)
{
    look_t look = {.r = make_reading()};
    ecl_reader_options_t options = {.import_type = "auto"};
    ecl_clock_t *clock;
    ecl_reader_t *reader;

    write_file(look.r, text, strlen(text));
    assert_int_equal(ecl_clock_make(&clock, "Europe/London", look.r->pool, &look.r->result),
                     APR_SUCCESS);
    options.clock = clock;
    assert_true(ecl_date_from_ymd(2026, 6, 30, &options.today));
    assert_int_equal(
        ecl_reader_open(&reader, look.r->path, &options, look.r->pool, &look.r->result),
        APR_SUCCESS);
    look.status =
        ecl_preview_make(&look.preview, reader, look.r->path, look.r->pool, &look.r->result);
    look.layout = ecl_reader_layout(reader);
    assert_int_equal(unlink(look.r->path), 0);
    return look;
}

static void end_look(look_t *look)
{
    json_object_put(look->preview);
    end_reading(look->r);
}

static void assert_preview(const look_t *look, const char *expected)
{
    if (look->status != APR_SUCCESS) {
        fail_msg("%s", look->r->result.detail);
    }
    assert_string_equal(json_object_to_json_string_ext(look->preview, JSON_C_TO_STRING_PLAIN),
                        expected);
}

static void shows_the_first_days(void **state)
{
    look_t look =
        look_at("MPAN,ReadDateTime,ReadValue,Unit\n" MPAN ",2025-11-02 23:30,0.25,kWh\n" MPAN2
                ",2025-11-02 00:00,-,kWh\n" MPAN2 ",2025-11-02 00:30,2500,Wh\n" MPAN
                ",2025-11-01 01:00,1,kWh\n" MPAN ",2025-11-01 01:30,oops,kWh\n");
    const char *missing = ",null,null,null,null,null,null,null,null,null,null,null,null,null,null,"
                          "null,null,null,null,null,null,null,null,null,null,null,null,null,null,"
                          "null,null,null,null,null,null,null,null,null,null,null,null,null,null,"
                          "null,null,null,null";
    apr_pool_t *p = look.r->pool;

    (void)state;
    assert_preview(&look, apr_psprintf(p,
                                       "[{\"meter\":\"%s\",\"channel\":\"AI\",\"unit\":\"kWh\","
                                       "\"interval_minutes\":30,\"days\":["
                                       "{\"date\":\"2025-11-01\",\"values\":[null,null,\"1\"%.*s]},"
                                       "{\"date\":\"2025-11-02\",\"values\":[null%s,\"0.25\"]}]},"
                                       "{\"meter\":\"%s\",\"channel\":\"AI\",\"unit\":\"kWh\","
                                       "\"interval_minutes\":30,\"days\":["
                                       "{\"date\":\"2025-11-02\",\"values\":[null,\"2.5\"%s]}]}]",
                                       MPAN, 45 * 5, missing, missing, MPAN2, missing));
    end_look(&look);
}

static int length_of(json_object *object, const char *key)
{
    json_object *array;

    assert_true(json_object_object_get_ex(object, key, &array));
    return (int)json_object_array_length(array);
}

static void shows_no_more_than_a_few(void **state)
{
    apr_pool_t *p;
    const char *text;
    look_t look;

    (void)state;
    apr_pool_create(&p, NULL);
    text = header_row(p);
    for (int m = 0; m < 5; m++) {
        for (int d = 1; d <= 9; d++) {
            text = apr_psprintf(p, "%sSITE%d,2025-11-0%d,%s\n", text, m, d, series(p, "%d", 1, 48));
        }
    }
    look = look_at(text);
    assert_int_equal(look.status, APR_SUCCESS);
    assert_int_equal(json_object_array_length(look.preview), ECL_PREVIEW_SERIES);
    for (size_t i = 0; i < ECL_PREVIEW_SERIES; i++) {
        assert_int_equal(length_of(json_object_array_get_idx(look.preview, i), "days"),
                         ECL_PREVIEW_DAYS);
    }
    end_look(&look);
    apr_pool_destroy(p);
}

/* 24 readings of two meters in turn, newest first; those of the second are a register's if
 * is_register. */
static const char *readings(apr_pool_t *p, int is_register)
{
    const char *text = "MPAN,ReadDateTime,ReadValue,Unit\n";

    for (int i = 23; i >= 0; i--) {
        text = apr_psprintf(
            p, "%s" MPAN ",2025-11-01 %02d:%02d,%d,kWh\n" MPAN2 ",2025-11-01 %02d:%02d,%d,kWh\n",
            text, i / 2, i % 2 * 30, i % 5, i / 2, i % 2 * 30,
            is_register ? 40000 + i / 2 : 40000 + i % 7);
    }
    return text;
}

static void register_reads_in_rows_of_their_own_are_refused(void **state)
{
    apr_pool_t *p;
    const char *text;
    look_t look;

    (void)state;
    apr_pool_create(&p, NULL);
    look = look_at(readings(p, 1));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "cumulative-reads");
    assert_non_null(
        strstr(look.r->result.detail, "meter " MPAN2 " rise from 40000 to 40011 and never fall"));
    end_look(&look);
    look = look_at(readings(p, 0));
    assert_int_equal(look.status, APR_SUCCESS);
    end_look(&look);

    text = "MPRN,Date,Reading (kWh)\n";
    for (int d = 1; d <= 13; d++) {
        text = apr_psprintf(p, "%s" MPRN ",2025-11-%02d,%d\n", text, d, 12300 + 7 * d);
    }
    look = look_at(text);
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "cumulative-totals");
    end_look(&look);
    apr_pool_destroy(p);
}

/* Two days of half-hours that rise from `first` on. */
static const char *rising(apr_pool_t *p, const char *name, double first, int begins_anew)
{
    const char *text = apr_psprintf(p, "MPAN,ReadDateTime,%s\n", name);
    double value = first;

    for (int i = 0; i < 96; i++) {
        value = i % 48 == 0 && begins_anew ? first : value + 0.1 * (i % 4);
        text = apr_psprintf(p, "%s" MPAN ",2025-11-%02d %02d:%02d,%.1f\n", text, 1 + i / 48,
                            i % 48 / 2, i % 2 * 30, value);
    }
    return text;
}

/* The same with a row per day, its columns called something and the time. */
static const char *rising_days(apr_pool_t *p, const char *name, double first, int begins_anew)
{
    const char *text = "MPAN,Date";
    double value = first;

    for (int i = 0; i < 48; i++) {
        text = apr_psprintf(p, "%s,%s%02d:%02d", text, name, i / 2, i % 2 * 30);
    }
    for (int i = 0; i < 96; i++) {
        value = i % 48 == 0 && begins_anew ? first : value + 0.1 * (i % 4);
        text = i % 48 == 0
                   ? apr_psprintf(p, "%s\n" MPAN ",2025-11-%02d,%.1f", text, 1 + i / 48, value)
                   : apr_psprintf(p, "%s,%.1f", text, value);
    }
    return apr_pstrcat(p, text, "\n", NULL);
}

/* Days whose values leap from one to the next: 101, 102 … 148; 201 … */
static const char *counted_days(apr_pool_t *p)
{
    const char *text = "MPAN,Date";

    for (int i = 0; i < 48; i++) {
        text = apr_psprintf(p, "%s,%02d:%02d", text, i / 2, i % 2 * 30);
    }
    for (int day = 1; day <= 4; day++) {
        text = apr_psprintf(p, "%s\n" MPAN ",2025-11-%02d", text, day);
        for (int i = 1; i <= 48; i++) {
            text = apr_psprintf(p, "%s,%d.5", text, day * 100 + i);
        }
    }
    return apr_pstrcat(p, text, "\n", NULL);
}

static int has_note(const look_t *look, const char *code)
{
    for (int i = 0; i < look->layout->note_count; i++) {
        if (!strcmp(look->layout->notes[i].code, code)) {
            return 1;
        }
    }
    return 0;
}

static void totals_that_run_up_are_told_or_refused(void **state)
{
    apr_pool_t *p;
    look_t look;

    (void)state;
    apr_pool_create(&p, NULL);
    look = look_at(rising(p, "Energy Today (kWh)", 0, 1));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "cumulative-reads");
    assert_non_null(strstr(look.r->result.detail, "fall only where they begin anew"));
    end_look(&look);
    look = look_at(rising(p, "Consumption (kWh)", 0, 1));
    assert_int_equal(look.status, APR_SUCCESS);
    assert_true(has_note(&look, "running-totals"));
    end_look(&look);
    look = look_at(rising(p, "Consumption (kWh)", 50, 0));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "cumulative-reads");
    end_look(&look);
    /* days side by side are refused where their columns are called so, or where they never fall;
     * what begins near nothing, or anew, is told */
    look = look_at(rising_days(p, "Register ", 50, 0));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "cumulative-totals");
    end_look(&look);
    look = look_at(rising_days(p, "", 50, 0));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "cumulative-totals");
    end_look(&look);
    look = look_at(counted_days(p));
    assert_int_equal(look.status, APR_SUCCESS);
    end_look(&look);
    look = look_at(rising_days(p, "", 1, 0));
    assert_int_equal(look.status, APR_SUCCESS);
    assert_true(has_note(&look, "running-totals"));
    end_look(&look);
    look = look_at(rising_days(p, "Cumulative ", 0, 1));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "cumulative-totals");
    end_look(&look);
    look = look_at(rising_days(p, "", 0, 1));
    assert_int_equal(look.status, APR_SUCCESS);
    assert_true(has_note(&look, "running-totals"));
    end_look(&look);
    look = look_at(readings(p, 0));
    assert_int_equal(look.status, APR_SUCCESS);
    assert_false(has_note(&look, "running-totals"));
    end_look(&look);
    apr_pool_destroy(p);
}

/* `days` days of readings at `times` times each, every time with `values` values. */
static const char *alike(apr_pool_t *p, int days, int times, int values, const char *flags)
{
    const char *text = "MPAN,Device,Date,Time,kWh,Flag\n";

    for (int d = 1; d <= days; d++) {
        for (int v = 0; v < values; v++) {
            for (int t = 0; t < times; t++) {
                text = apr_psprintf(p, "%s" MPAN ",Lamp %d,2025-11-%02d,%02d:%02d,%d.5,%c\n", text,
                                    v, d, t / 2, t % 2 * 30, t + 100 * v, flags[v]);
            }
        }
    }
    return text;
}

static void rows_that_nothing_tells_apart_are_refused(void **state)
{
    apr_pool_t *p;
    const char *text;
    look_t look;

    (void)state;
    apr_pool_create(&p, NULL);
    look = look_at(alike(p, 2, 48, 2, "AA"));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "rows-alike");
    assert_non_null(strstr(look.r->result.detail,
                           "most times have several values, as meter " MPAN
                           " on 2025-11-01 (period 1): 1.5 from line 2 on, 101.5 from line 50 on"));
    assert_null(strstr(look.r->result.detail, "name it Time"));
    end_look(&look);
    look = look_at(alike(p, 1, 5, 3, "AAA"));
    assert_int_equal(look.status, ECL_EINPUT);
    end_look(&look);

    text = "MPAN,Date,kWh\n";
    for (int i = 0; i < 10; i++) {
        text = apr_psprintf(p, "%s" MPAN ",2025-11-%02d,%d\n", text, 1 + i / 2, 10 + i);
    }
    look = look_at(text);
    assert_int_equal(look.status, ECL_EINPUT);
    assert_non_null(strstr(look.r->result.detail, "most days have several values"));
    assert_non_null(strstr(look.r->result.detail, "of several times of the day, Time; or upload"));
    end_look(&look);

    /* forty totals of days, and hours of twelve of them */
    text = "MPAN,Date,kWh\n";
    for (int i = 0; i < 40; i++) {
        text = apr_psprintf(p, "%s" MPAN ",2025-%02d-%02d,%d\n", text, 10 + i / 25, 1 + i % 25, 10);
    }
    for (int i = 0; i < 12 * 24; i++) {
        text = apr_psprintf(p, "%s" MPAN ",2025-10-%02d,0.%d\n", text, 1 + i / 24, 1 + i % 7);
    }
    look = look_at(text);
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "rows-alike");
    end_look(&look);

    text = header_row(p);
    for (int i = 0; i < 6; i++) {
        text = apr_psprintf(p, "%s" MPAN ",2025-11-%02d,%s\n", text, 1 + i / 2,
                            series(p, "%d", 1 + i, 48 + i));
    }
    look = look_at(text);
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "rows-alike");
    end_look(&look);
    apr_pool_destroy(p);
}

static void corrections_and_estimates_are_no_such_rows(void **state)
{
    apr_pool_t *p;
    const char *text;
    look_t look;

    (void)state;
    apr_pool_create(&p, NULL);
    /* each time an estimate, and the actual reading after it */
    look = look_at(alike(p, 2, 48, 2, "EA"));
    assert_int_equal(look.status, APR_SUCCESS);
    end_look(&look);
    /* one day of three was corrected, and two of two */
    look = look_at(
        apr_pstrcat(p, alike(p, 3, 48, 1, "A"), strchr(alike(p, 1, 48, 2, "AA"), '\n') + 1, NULL));
    assert_int_equal(look.status, APR_SUCCESS);
    end_look(&look);
    text = header_row(p);
    for (int i = 0; i < 4; i++) {
        text = apr_psprintf(p, "%s" MPAN ",2025-11-%02d,%s\n", text, 1 + i / 2,
                            series(p, "%d", 1 + i, 48 + i));
    }
    look = look_at(text);
    assert_int_equal(look.status, APR_SUCCESS);
    end_look(&look);
    apr_pool_destroy(p);
}

/* A word that is not known says nothing: a forecast is not what came of it. */
static void unknown_flags_tell_nothing_apart(void **state)
{
    static const char *const words[] = {"Forecast", "E"};
    apr_pool_t *p;

    (void)state;
    apr_pool_create(&p, NULL);
    for (int i = 0; i < 2; i++) {
        const char *text = "MPAN,ReadDateTime,kWh,Status\n";
        look_t look;

        for (int k = 0; k < 96; k++) {
            text =
                apr_psprintf(p, "%s" MPAN ",2025-11-%02d %02d:%02d,%d.5,%s\n", text, 1 + k / 2 / 48,
                             k / 2 % 48 / 2, k / 2 % 2 * 30, k % 7, k % 2 ? words[i] : "A");
        }
        look = look_at(text);
        assert_int_equal(look.status, i ? APR_SUCCESS : ECL_EINPUT);
        assert_true(i || !strcmp(look.r->result.code, "rows-alike"));
        end_look(&look);
    }
    apr_pool_destroy(p);
}

/* Readings of a meter from `first` on, so many minutes apart. */
static const char *apart(apr_pool_t *p, const char *meter, int step, int count)
{
    const char *text = "";

    for (int i = 0; i < count; i++) {
        int minute = i * step;

        text = apr_psprintf(p, "%s%s,2025-11-%02dT%02d:%02dZ,%d.5\n", text, meter,
                            1 + minute / 1440, minute % 1440 / 60, minute % 60, i % 7);
    }
    return text;
}

static void readings_of_several_lengths_are_refused(void **state)
{
    static const char header[] = "MPAN,Timestamp,kWh\n";
    apr_pool_t *p;
    look_t look;

    (void)state;
    apr_pool_create(&p, NULL);
    /* hours first, as long as the layout is looked for; half-hours first */
    look = look_at(apr_pstrcat(p, header, apart(p, MPAN, 60, 520), apart(p, MPAN2, 30, 480), NULL));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "several-lengths");
    assert_non_null(strstr(look.r->result.detail, "begins with readings of 60 minutes, and 240 of "
                                                  "its first 1001 rows are of others (line 523: "));
    end_look(&look);
    look = look_at(apr_pstrcat(p, header, apart(p, MPAN, 30, 480), apart(p, MPAN2, 60, 240), NULL));
    assert_int_equal(look.status, ECL_EINPUT);
    assert_string_equal(look.r->result.code, "several-lengths");
    assert_non_null(strstr(look.r->result.detail, "all of meter " MPAN2 " (from line 482 on)"));
    end_look(&look);
    /* one length; and a meter with so few that chance may have it */
    look = look_at(apr_pstrcat(p, header, apart(p, MPAN, 60, 240), apart(p, MPAN2, 60, 240), NULL));
    assert_int_equal(look.status, APR_SUCCESS);
    end_look(&look);
    look = look_at(apr_pstrcat(p, header, apart(p, MPAN, 30, 480), apart(p, MPAN2, 60, 20), NULL));
    assert_int_equal(look.status, APR_SUCCESS);
    end_look(&look);
    apr_pool_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentinels_are_told_by_fuel),
        cmocka_unit_test(a_row_with_a_sentinel_is_refused),
        cmocka_unit_test(a_row_of_register_reads_is_refused),
        cmocka_unit_test(only_what_never_falls_is_a_register),
        cmocka_unit_test(shows_the_first_days),
        cmocka_unit_test(shows_no_more_than_a_few),
        cmocka_unit_test(register_reads_in_rows_of_their_own_are_refused),
        cmocka_unit_test(totals_that_run_up_are_told_or_refused),
        cmocka_unit_test(rows_that_nothing_tells_apart_are_refused),
        cmocka_unit_test(corrections_and_estimates_are_no_such_rows),
        cmocka_unit_test(unknown_flags_tell_nothing_apart),
        cmocka_unit_test(readings_of_several_lengths_are_refused),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
