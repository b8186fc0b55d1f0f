/*
 * Dates and times in several columns: Year, Month, Day; Hour, with and without Minute. Files are
 * made of known readings about the days when the clocks change, in each way of numbering hours, and
 * must be read as what they were made of.
 */
#include "start_apr.h"
#include "tests/unit/clock_label.h"
#include "tests/unit/reading.h"

#define DAYS 5
#define MOST (DAYS * 100)

typedef struct made_t {
    apr_pool_t *pool;
    ecl_clock_t *clock, *utc;
    ecl_date_t first; /* of DAYS local days */
    int step;         /* minutes */
    apr_int64_t at[MOST];
    int values[MOST]; /* thousandths */
    int count;
    unsigned random;
} made_t;

static unsigned next_random(made_t *m)
{
    m->random = m->random * 1103515245u + 12345u;
    return m->random >> 16 & 0x7fff;
}

/* The last Sunday of a month of 31 days. */
static ecl_date_t last_sunday(int year, int month)
{
    ecl_date_t date;

    assert_true(ecl_date_from_ymd(year, month, 31, &date));
    while ((date + 4) % 7) {
        date--;
    }
    return date;
}

static made_t *make(int year, int month, int step)
{
    apr_pool_t *pool;
    made_t *m;
    ecl_clock_day_t day, end;
    ecl_result_t result;

    apr_pool_create(&pool, NULL);
    m = apr_pcalloc(pool, sizeof(*m));
    result = ecl_result_make(pool);
    m->pool = pool;
    m->step = step;
    m->random = (unsigned)(year * 100 + month);
    m->first = last_sunday(year, month) - DAYS / 2;
    assert_int_equal(ecl_clock_make(&m->clock, "Europe/London", pool, &result), APR_SUCCESS);
    assert_int_equal(ecl_clock_make(&m->utc, "UTC", pool, &result), APR_SUCCESS);
    ecl_clock_day(m->clock, m->first, &day);
    ecl_clock_day(m->clock, m->first + DAYS, &end);
    for (apr_int64_t at = day.start; at < end.start; at += step * 60) {
        m->at[m->count] = at;
        m->values[m->count++] = 1 + (int)(next_random(m) % 20000);
    }
    return m;
}

typedef enum numbering_t {
    STARTS,      /* 0 to 23 */
    ORDINALS,    /* 1 to 24: 2 comes twice */
    CLOCK_ENDS,  /* 1 to 24: 1 comes twice */
    COUNTED,     /* 1 to 25 */
    COUNTED_0,   /* 0 to 24 */
    MARKED,      /* ORDINALS, 2* */
    IN_UTC,      /* 0 to 23 */
    ORDINALS_UTC /* 1 to 24 */
} numbering_t;

/* A date in one column or three, as given by date_form. */
static const char *date_cells(const made_t *m, ecl_date_t date, int date_form)
{
    static const char *const months[] = {"Jan", "Feb", "March", "Apr", "May", "June",
                                         "Jul", "Aug", "Sept",  "Oct", "Nov", "Dec"};
    int year, month, day;

    ecl_date_to_ymd(date, &year, &month, &day);
    switch (date_form) {
    case 0:
        return apr_psprintf(m->pool, "%02d/%02d/%d", day, month, year);
    case 1:
        return apr_psprintf(m->pool, "%d,%d,%d", year, month, day);
    default:
        return apr_psprintf(m->pool, "%d,%s,%02d", year, months[month - 1], day);
    }
}

static const char *const date_names[] = {"Date", "Year,Month,Day", "Year,Month,Day"};

/* Whether the local label of an instant came an hour before as well. */
static int is_second(const made_t *m, apr_int64_t at)
{
    ecl_clock_day_t day;
    int minute, again;

    ecl_clock_from_utc(m->clock, at, &day, &minute);
    return ecl_clock_label(&day, label_of(&day, minute), 1, &again) == ECL_LABEL_AMBIGUOUS &&
           again == minute;
}

static const char *row_of(const made_t *m, int i, numbering_t numbering, int date_form)
{
    ecl_clock_day_t day;
    int minute, label, hour;
    const char *mark = "";

    ecl_clock_from_utc(numbering >= IN_UTC ? m->utc : m->clock,
                       m->at[i] + (numbering == CLOCK_ENDS ? 3600 : 0), &day, &minute);
    label = label_of(&day, minute);
    hour = label / 60;
    switch (numbering) {
    case CLOCK_ENDS:
        day.date -= !hour;
        hour = hour ? hour : 24;
        break;
    case COUNTED:
    case COUNTED_0:
        hour = minute / 60 + (numbering == COUNTED);
        break;
    case MARKED:
        mark = is_second(m, m->at[i]) ? "*" : "";
        hour++;
        break;
    case ORDINALS:
    case ORDINALS_UTC:
        hour++;
        break;
    default:
        break;
    }
    return apr_psprintf(m->pool, MPAN ",%s,%d%s,%d.%03d\n", date_cells(m, day.date, date_form),
                        hour, mark, m->values[i] / 1000, m->values[i] % 1000);
}

/* Each reading is where it belongs, and there is no other. */
static void check(const made_t *m, reading_t *r, const char *what)
{
    assert_int_equal(r->status, APR_SUCCESS);
    for (int i = 0; i < m->count; i++) {
        char date[ECL_DATE_TEXT], value[ECL_DECIMAL_TEXT];
        ecl_clock_day_t day;
        int minute;

        ecl_clock_from_utc(m->clock, m->at[i], &day, &minute);
        ecl_date_print(day.date, date);
        ecl_decimal_print((ecl_decimal_t)m->values[i] * (ECL_DECIMAL_ONE / 1000), value);
        if (strcmp(value_of(r, MPAN, "AI", date, minute / m->step + 1), value) != 0) {
            print_message("%s: %s, period %d; %s\n", what, date, minute / m->step + 1,
                          r->layout->evidence);
        }
        assert_string_equal(value_of(r, MPAN, "AI", date, minute / m->step + 1), value);
    }
    assert_int_equal(count_readings(r), m->count);
    assert_int_equal(r->failed, 0);
}

static reading_t *read_made(const char *text, int year)
{
    reading_t *r = make_reading();

    r->year = year + 1;
    write_file(r, text, strlen(text));
    read_file(r);
    if (r->status != APR_SUCCESS) {
        print_message("refused: %s: %s\n%s", r->result.code, r->result.detail, text);
    }
    return r;
}

static void test_hours_by_number(void **state)
{
    (void)state;
    for (int year = 2019; year <= 2028; year++) {
        for (int way = 0; way < 8 * 3 * 2 * 2; way++) {
            numbering_t numbering = (numbering_t)(way % 8);
            int date_form = way / 8 % 3, backward = way / 24 % 2, month = way / 48 ? 3 : 10;
            made_t *m;
            apr_array_header_t *lines;
            reading_t *r;

            if ((numbering >= IN_UTC && month == 10) || (way + year) % 3) {
                continue; /* nothing shows UTC there; a third of the ways a year */
            }
            m = make(year, month, 60);
            lines = apr_array_make(m->pool, MOST + 1, sizeof(const char *));
            APR_ARRAY_PUSH(lines, const char *) =
                apr_psprintf(m->pool, "MPAN,%s,Hour,kWh\n", date_names[date_form]);
            for (int i = 0; i < m->count; i++) {
                APR_ARRAY_PUSH(lines, const char *) =
                    row_of(m, backward ? m->count - 1 - i : i, numbering, date_form);
            }
            r = read_made(apr_array_pstrcat(m->pool, lines, 0), year);
            check(m, r, apr_psprintf(m->pool, "%d, way %d", year, way));
            end_reading(r);
            apr_pool_destroy(m->pool);
        }
    }
}

static void test_hours_and_minutes(void **state)
{
    (void)state;
    for (int year = 2019; year <= 2028; year++) {
        for (int way = 0; way < 4 * 3 * 2; way++) {
            /* starts; ends, midnight the next day's; ends, 24:00; 1 to 24 with the minutes behind
             */
            int form = way % 4, date_form = way / 4 % 3, month = way / 12 ? 3 : 10;
            int step = year % 2 ? 30 : 15;
            made_t *m = make(year, month, step);
            apr_array_header_t *lines = apr_array_make(m->pool, 600, sizeof(const char *));
            reading_t *r;

            APR_ARRAY_PUSH(lines, const char *) =
                apr_psprintf(m->pool, "%s,Hour,Minute,MPAN,Import (kWh)\n", date_names[date_form]);
            for (int i = 0; i < m->count; i++) {
                int is_end = form == 1 || form == 2, minute, label;
                ecl_clock_day_t day;

                ecl_clock_from_utc(m->clock, m->at[i] + (is_end ? step * 60 : 0), &day, &minute);
                label = label_of(&day, minute) + (form == 3 ? 60 : 0);
                if (form == 2 && !label) {
                    day.date--;
                    label = 1440;
                }
                APR_ARRAY_PUSH(lines, const char *) = apr_psprintf(
                    m->pool, "%s,%d,%d," MPAN ",%d.%03d\n", date_cells(m, day.date, date_form),
                    label / 60, label % 60, m->values[i] / 1000, m->values[i] % 1000);
            }
            r = read_made(apr_array_pstrcat(m->pool, lines, 0), year);
            check(m, r, apr_psprintf(m->pool, "%d, way %d", year, way));
            end_reading(r);
            apr_pool_destroy(m->pool);
        }
    }
}

/* A day of hours, by a printf format with the number and its value. */
static const char *hours_text(apr_pool_t *p, const char *header, const char *date, int from, int to)
{
    const char *text = header;

    for (int hour = from; hour <= to; hour++) {
        text = apr_psprintf(p, "%s" MPAN ",%s,%d,%d.5\n", text, date, hour, hour);
    }
    return text;
}

static void test_zero_and_24(void **state)
{
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    r = read_text(hours_text(p, "MPAN,Date,Hour,kWh\n", "01/02/2026", 0, 24));
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "hours-conflict");
    assert_non_null(strstr(r->result.detail, "from 0 (line 2) to 24 (line 26)"));
    end_reading(r);
    r = read_text(hours_text(p, "MPAN,Date,Hour Starting,kWh\n", "01/02/2026", 1, 24));
    assert_string_equal(r->result.code, "hours-conflict");
    end_reading(r);
    /* neither: what is taken is said */
    r = read_text(hours_text(p, "MPAN,Date,Hour,kWh\n", "01/02/2026", 8, 17));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 9), "8.5");
    assert_non_null(strstr(r->layout->evidence, "hours are taken as 0 to 23: there is no 0"));
    end_reading(r);
    r = read_text(hours_text(p, "MPAN,Date,Hour Ending,kWh\n", "01/02/2026", 8, 17));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 8), "8.5");
    end_reading(r);
    r = read_text_given(hours_text(p, "MPAN,Date,Hour,kWh\n", "01/02/2026", 8, 17), "auto",
                        (ecl_given_t){.labels = "end"});
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 8), "8.5");
    end_reading(r);
    r = read_text_given(hours_text(p, "MPAN,Date,Hour,kWh\n", "01/02/2026", 1, 24), "auto",
                        (ecl_given_t){.labels = "end"});
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 24), "24.5");
    assert_non_null(strstr(r->layout->evidence, "hours are 1 to 24: there is no 0"));
    end_reading(r);
    r = read_text_given(hours_text(p, "MPAN,Date,Hour,kWh\n", "01/02/2026", 1, 24), "auto",
                        (ecl_given_t){.labels = "start"});
    assert_string_equal(r->result.code, "labels-conflict");
    end_reading(r);
    apr_pool_destroy(p);
}

/* What only the file beyond the sample shows. */
static void test_first_24_far_down(void **state)
{
    apr_pool_t *p;
    const char *text = "MPAN,Date,Hour,kWh\n";
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    for (int n = 0; n < 600; n++) {
        text = apr_psprintf(p, "%s" MPAN ",%02d/%02d/2026,%d,1\n", text, n / 20 % 28 + 1,
                            n / 560 + 1, n % 20 + 1);
    }
    text = apr_pstrcat(p, text, MPAN ",01/03/2026,24,7.25\n", NULL);
    r = read_text(text);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-03-01", 24), "7.25");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-01-01", 1), "1");
    end_reading(r);
    r = read_text(apr_pstrcat(p, text, MPAN ",02/03/2026,0,7.25\n", NULL));
    assert_string_equal(r->result.code, "hours-conflict");
    end_reading(r);
    apr_pool_destroy(p);
}

static void test_hours_that_are_none(void **state)
{
    apr_pool_t *p;
    const char *header = "MPAN,Date,Hour,kWh\n", *text;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    text = hours_text(p, header, "01/02/2026", 1, 24);
    r = read_text(apr_pstrcat(p, text, MPAN ",02/02/2026,25,1\n", NULL));
    assert_error(r, 26, "Hour", "bad-time", "hour 25");
    end_reading(r);
    r = read_text(apr_pstrcat(p, text, MPAN ",02/02/2026,noon,1\n", NULL));
    assert_error(r, 26, "Hour", "bad-time", "noon");
    end_reading(r);
    r = read_text(apr_pstrcat(p, text, MPAN ",02/02/2026,,1\n", NULL));
    assert_error(r, 26, "Hour", "bad-time", "no time");
    end_reading(r);
    /* the hour that the clocks skip, in a file that has the next one more often */
    r = read_text(apr_pstrcat(
        p, text, MPAN ",29/03/2026,2,1\n" MPAN ",29/03/2026,3,1\n" MPAN2 ",29/03/2026,3,1\n",
        NULL));
    assert_error(r, 26, "Hour", "no-such-time", "the clocks go forward over it");
    end_reading(r);
    /* a mark where no hour comes twice */
    r = read_text(apr_pstrcat(p, text, MPAN ",02/02/2026,2*,1\n", NULL));
    assert_error(r, 26, "Hour", "no-such-time", "second time");
    end_reading(r);
    apr_pool_destroy(p);
}

static void test_dates_in_parts(void **state)
{
    apr_pool_t *p;
    const char *text;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    /* a row a day, days by name */
    text =
        apr_psprintf(p, "MPAN,Yr,Month,Day,%s\n" MPAN ",26,October,25,%s\n" MPAN ",26,Feb,3,%s\n",
                     series(p, "HH%d", 1, 50), series(p, "%d", 1, 50), series(p, "%d", 101, 148));
    r = read_text(text);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 1); /* October 2026 lies in the future */
    assert_string_equal(error_at(r, 0)->code, "future-date");
    assert_non_null(strstr(error_at(r, 0)->message, "25 October 2026"));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 48), "148");
    assert_non_null(strstr(r->layout->evidence, "date in columns Yr, Month and Day"));
    end_reading(r);
    /* totals, and settlement periods */
    r = read_text("MPAN,Year,Month,Day,kWh\n" MPAN ",2026,2,3,12.5\n" MPAN ",2026,2,4,13.5\n" MPAN
                  ",2026,2,30,1\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-04", 1), "13.5");
    assert_int_equal(r->layout->kind, ECL_LAYOUT_DAILY);
    assert_error(r, 4, "Day", "no-such-date", "2026-02-30");
    end_reading(r);
    r = read_text("MPAN,Year,Month,Day,Settlement Period,kWh\n" MPAN ",2025,10,26,50,12.5\n" MPAN
                  ",2025,10,26,49,13.5\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 50), "12.5");
    end_reading(r);
    r = read_text("MPAN,Year,Month,Day,Time,kWh\n" MPAN ",2026,2,3,00:00,12.5\n" MPAN
                  ",2026,2,3,00:30,13.5\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-03", 2), "13.5");
    end_reading(r);
    /* a whole date goes before parts of it */
    r = read_text("MPAN,Date,Year,Month,Day,kWh\n" MPAN ",04/02/2026,2026,2,3,12.5\n" MPAN
                  ",05/02/2026,2026,2,4,13.5\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-04", 1), "12.5");
    end_reading(r);
    apr_pool_destroy(p);
}

static void test_time_of_numbers(void **state)
{
    apr_pool_t *p;
    reading_t *r;

    (void)state;
    apr_pool_create(&p, NULL);
    r = read_text(hours_text(p, "MPAN,Date,Time,kWh\n", "01/02/2026", 0, 23));
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 24), "23.5");
    end_reading(r);
    /* hours and minutes, as before */
    r = read_text("MPAN,Date,Time,kWh\n" MPAN ",01/02/2026,0,1\n" MPAN ",01/02/2026,30,2\n" MPAN
                  ",01/02/2026,100,3\n" MPAN ",01/02/2026,130,4\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 4), "4");
    end_reading(r);
    r = read_text("MPAN,Date,Hour,kWh\n" MPAN ",01/02/2026,100,1\n" MPAN ",01/02/2026,200,2\n" MPAN
                  ",01/02/2026,2400,3\n");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 24), "3");
    end_reading(r);
    apr_pool_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hours_by_number),     cmocka_unit_test(test_hours_and_minutes),
        cmocka_unit_test(test_zero_and_24),         cmocka_unit_test(test_first_24_far_down),
        cmocka_unit_test(test_hours_that_are_none), cmocka_unit_test(test_dates_in_parts),
        cmocka_unit_test(test_time_of_numbers),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
