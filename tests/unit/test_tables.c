/* Tables that stand one below the other, whose rows do not name their meter: the lines above do. */
#include "pool_fixture.h"
#include "workbook.h"

#include <apr_strings.h>

#include "worker/reader_internal.h"

#define MPAN3 "1200000000011"
#define PIECE_SIZES 3

/* ---- invented tables ---------------------------------------------------------------------------
 */

typedef enum shape_t { LONG, WIDE, DAILY } shape_t;

static const char *header_of(shape_t shape)
{
    static const char *const headers[] = {"Timestamp,kWh", NULL, "Date,kWh"};
    const char *header = "Date";

    for (int i = 0; shape == WIDE && i < 48; i++) {
        header = apr_psprintf(pool, "%s,%02d:%02d", header, i / 2, i % 2 * 30);
    }
    return apr_pstrcat(pool, shape == WIDE ? header : headers[shape], "\n", NULL);
}

/* Two days of February 2026, from 13 on: all of their values are `value`. */
static const char *rows_of(shape_t shape, const char *value)
{
    const char *text = "";

    for (int day = 13; day < 15; day++) {
        if (shape != LONG) {
            text = apr_psprintf(pool, "%s%d/02/2026", text, day);
        }
        for (int i = 0; shape != DAILY && i < 48; i++) {
            text = shape == WIDE ? apr_psprintf(pool, "%s,%s", text, value)
                                 : apr_psprintf(pool, "%s%d/02/2026 %02d:%02d,%s\n", text, day,
                                                i / 2, i % 2 * 30, value);
        }
        text = apr_pstrcat(pool, text, shape == DAILY ? "," : "", shape == DAILY ? value : "",
                           shape != LONG ? "\n" : "", NULL);
    }
    return text;
}

static int readings_of(shape_t shape)
{
    return shape == DAILY ? 2 : 96;
}

static const char *join(const char *a, const char *b, const char *c, const char *d)
{
    return apr_pstrcat(pool, a, b, c, d, NULL);
}

static void print_errors(const reading_t *r)
{
    for (int i = 0; i < r->errors->nelts && i < 3; i++) {
        print_message("line %d: %s: %s\n", (int)error_at(r, i)->line, error_at(r, i)->code,
                      error_at(r, i)->message);
    }
}

static int count_of(const reading_t *r, const char *meter, const char *channel, const char *value)
{
    int count = 0;

    for (int i = 0; i < r->days->nelts; i++) {
        const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, i, ecl_meter_day_t);

        for (int n = 0; n < day->periods; n++) {
            char text[ECL_DECIMAL_TEXT];

            if (day->values[n] == ECL_DECIMAL_MISSING || strcmp(day->meter, meter) != 0 ||
                strcmp(day->channel, channel) != 0) {
                continue;
            }
            ecl_decimal_print(day->values[n], text);
            count += !strcmp(text, value);
        }
    }
    return count;
}

/* All readings of a file: so many of each of two meters, of 1 and of 2 kWh. */
static void assert_two_meters(const reading_t *r, const char *meter, const char *other, int each)
{
    assert_int_equal(r->status, APR_SUCCESS);
    print_errors(r);
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_of(r, meter, "AI", "1"), each);
    assert_int_equal(count_of(r, other, "AI", "2"), each);
    assert_int_equal(count_readings(r), 2 * each);
}

/* ---- where the meter stands --------------------------------------------------------------------
 */

/* Every shape, with the header above each table, once below the first meter, or once at the top. */
static void test_shapes(void **state)
{
    (void)state;
    for (int shape = LONG; shape <= DAILY; shape++) {
        const char *header = header_of(shape), *one = rows_of(shape, "1");
        const char *two = rows_of(shape, "2");
        const char *texts[] = {
            apr_pstrcat(pool, "MPAN: " MPAN "\n", header, one, "MPAN: " MPAN2 "\n", header, two,
                        NULL),
            apr_pstrcat(pool, "MPAN," MPAN "\n", header, one, "MPAN," MPAN2 "\n", two, NULL),
            apr_pstrcat(pool, header, "MPAN: " MPAN "\n", one, "MPAN: " MPAN2 "\n", two, NULL),
            apr_pstrcat(pool, ",Meter Point Reference Number,,\n\n", "MPAN: " MPAN "\n", header,
                        one, "Total,3\n", ",MPAN: " MPAN2 "\nTitle of it\n", header, two,
                        "Total,4\n", NULL),
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            reading_t *r = read_text(texts[i]);

            assert_two_meters(r, MPAN, MPAN2, readings_of(shape));
            assert_non_null(
                strstr(r->layout->evidence, "rows belong to the meter named above them: 2 meters"));
            end_reading(r);
        }
    }
}

/* How lines name a meter; the same as above a file's only table. */
static void test_namings(void **state)
{
    static const char *const namings[][3] = {
        {"Report for MPAN 10 0000 0000 012 from 13/02/2026", "Report for MPAN " MPAN2, MPAN},
        {"Meter Point Reference Number 7654308", "Meter Point Reference Number " MPAN2, "7654308"},
        {"12 Acre Farm - MPAN " MPAN, "12 Mile Lane - MPAN " MPAN2, MPAN},
        {"Site,Hull,MPAN," MPAN, "Site,Leeds,MPAN," MPAN2, MPAN},
        {"Meter: K26A00201\nMPAN: " MPAN, "Meter: K26A00202\nMPAN: " MPAN2, MPAN},
        {"Customer: Mill Ltd\nAddress,12 High Street\nMPAN: " MPAN "\nPeriod,13/02/2026",
         "Customer: Mill Ltd\nAddress,14 High Street\nMPAN: " MPAN2 "\nPeriod,01/01/2026", MPAN},
    };

    (void)state;
    for (int shape = LONG; shape <= DAILY; shape++) {
        for (size_t i = 0; i < sizeof(namings) / sizeof(namings[0]); i++) {
            const char *header = header_of(shape);
            reading_t *r =
                read_text(apr_pstrcat(pool, namings[i][0], "\n", header, rows_of(shape, "1"),
                                      namings[i][1], "\n", header, rows_of(shape, "2"), NULL));

            assert_two_meters(r, namings[i][2], MPAN2, readings_of(shape));
            end_reading(r);
        }
    }
}

static void test_names(void **state)
{
    reading_t *r = read_text(apr_pstrcat(
        pool, join("Meter: K26A00201\n", header_of(LONG), rows_of(LONG, "1"), ""),
        join("Meter Serial Number,K26A00202\n", header_of(LONG), rows_of(LONG, "2"), ""), NULL));

    (void)state;
    assert_two_meters(r, "K26A00201", "K26A00202", 96);
    end_reading(r);
}

/* The pages of a report: the same meter again, and meters that take turns. */
static void test_pages(void **state)
{
    const char *a = join("MPAN: " MPAN "\n", header_of(DAILY), "13/02/2026,1\n", "");
    const char *b = join("MPAN: " MPAN2 "\n", header_of(DAILY), "13/02/2026,2\n", "");
    reading_t *r =
        read_text(apr_pstrcat(pool, a, b, "MPAN: " MPAN "\n", header_of(DAILY), "14/02/2026,1\n",
                              "MPAN: " MPAN2 "\n", "14/02/2026,2\n", NULL));

    (void)state;
    assert_two_meters(r, MPAN, MPAN2, 2);
    end_reading(r);
}

/* A table without rows is nobody's: the next one's meter is not in doubt. */
static void test_empty_tables(void **state)
{
    const char *header = header_of(DAILY);
    reading_t *r =
        read_text(apr_pstrcat(pool, "MPAN: " MPAN3 "\n", header, "MPAN: " MPAN "\n", header,
                              rows_of(DAILY, "1"), "MPAN: " MPAN3 "\n", header,
                              "Total,0\nMPAN: " MPAN2 "\n", header, rows_of(DAILY, "2"), NULL));

    (void)state;
    assert_two_meters(r, MPAN, MPAN2, 2);
    end_reading(r);
}

/* Without a header, too. */
static void test_headerless(void **state)
{
    reading_t *r = read_text(
        join("MPAN: " MPAN "\n", rows_of(WIDE, "1"), "MPAN: " MPAN2 "\n", rows_of(WIDE, "2")));

    (void)state;
    assert_two_meters(r, MPAN, MPAN2, 96);
    end_reading(r);
}

static const char *units_line(void)
{
    const char *line = "";

    for (int i = 0; i < 48; i++) {
        line = apr_pstrcat(pool, line, ",kWh", NULL);
    }
    return apr_pstrcat(pool, line, "\n", NULL);
}

/* Lines that belong to the header come again with it; a line below a table speaks of that. */
static void test_lines_around_tables(void **state)
{
    const char *times = apr_pstrcat(pool, header_of(WIDE) + strlen("Date"), NULL);
    const char *numbers = apr_pstrcat(pool, "Date,", series(pool, "%d", 1, 48), "\n", NULL);
    const char *one = rows_of(WIDE, "1"), *two = rows_of(WIDE, "2"), *header = header_of(WIDE);
    const char *units = units_line();
    const char *texts[] = {
        apr_pstrcat(pool, "MPAN: " MPAN "\n", header, units, one, "MPAN: " MPAN2 "\n", header,
                    units, two, NULL),
        apr_pstrcat(pool, "MPAN: " MPAN "\n", times, numbers, one, "MPAN: " MPAN2 "\n", times,
                    numbers, two, NULL),
        apr_pstrcat(pool, "MPAN: " MPAN "\n", header, one,
                    "End of report for MPAN " MPAN "\nMPAN: " MPAN2 "\n", header, two,
                    "End of report for MPAN " MPAN2 "\n", NULL),
        apr_pstrcat(pool, MPAN "\n", header, one, MPAN2 "\n", header, two, NULL)};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_t *r = read_text(texts[i]);

        assert_two_meters(r, MPAN, MPAN2, 96);
        end_reading(r);
    }
}

/* Of rows that name their meter, the lines between them still say the channel. */
static void test_rows_that_name_meters(void **state)
{
    static const char header[] = "Meter,Timestamp,Value\n";
    reading_t *r = read_text(apr_pstrcat(
        pool, "Channel: AI\n", header, "K26A00201,13/02/2026 00:00,1\n",
        "K26A00202,13/02/2026 00:00,1\nChannel: AE\n", header, "K26A00201,13/02/2026 00:00,2\n",
        "K26A00202,13/02/2026 00:00,2\nK26A00202\nChannel: Lag\nK26A00202,13/02/2026 00:30,3\n",
        NULL));

    (void)state;
    assert_int_equal(count_of(r, "K26A00201", "AI", "1"), 1);
    assert_int_equal(count_of(r, "K26A00202", "AE", "2"), 1);
    assert_int_equal(count_readings(r), 4);
    assert_int_equal(r->failed, 1);
    assert_string_equal(error_at(r, 0)->code, "bad-channel");
    end_reading(r);
}

/* ---- what is not clear -------------------------------------------------------------------------
 */

/* Rows of the first table are kept, those of the second rejected, with code and words. */
static void assert_doubt(const char *lines, const char *code, const char *part)
{
    for (int shape = LONG; shape <= DAILY; shape++) {
        const char *header = header_of(shape);
        reading_t *r = read_text(apr_pstrcat(pool, "MPAN: " MPAN "\nMeter: K26A00201\n", header,
                                             rows_of(shape, "1"), lines, "\n", header,
                                             rows_of(shape, "2"), "MPAN: " MPAN3 "\nUnits: kWh\n",
                                             "Channel: AI\n", rows_of(shape, "3"), NULL));

        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(count_of(r, MPAN, "AI", "1"), readings_of(shape));
        assert_int_equal(count_of(r, MPAN3, "AI", "3"), readings_of(shape));
        assert_int_equal(count_readings(r), 2 * readings_of(shape));
        assert_int_equal(r->failed, shape == LONG ? 96 : 2);
        assert_string_equal(error_at(r, 0)->code, code);
        assert_non_null(strstr(error_at(r, 0)->message, part));
        end_reading(r);
    }
}

static void test_doubts(void **state)
{
    (void)state;
    assert_doubt("MPAN: " MPAN2 "\nMPAN: " MPAN3, "other-meter", "name several meters");
    assert_doubt("Meter: K26A00202", "other-meter", "whether that is the same meter");
    assert_doubt("MPAN: 2.00000E+12", "other-meter", "not understood (\"2.00000E+12\")");
    assert_doubt("MPAN: not known", "other-meter", "not understood");
    assert_doubt("MPAN:", "other-meter", "not understood");
    assert_doubt("MPAN: " MPAN2 "\nChannel: Solar", "bad-channel", "no channel that is kept");
}

/* The meter's own number again, without its MPAN, is still that meter's. */
static void test_own_name_again(void **state)
{
    const char *header = header_of(LONG);
    reading_t *r = read_text(apr_pstrcat(pool, "MPAN: " MPAN "\nMeter: K26A00201\n", header,
                                         rows_of(LONG, "1"), "Meter: K26A00201\n", header,
                                         "15/02/2026 00:00,1\n", NULL));

    (void)state;
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_of(r, MPAN, "AI", "1"), 97);
    end_reading(r);
}

/* A header with other columns: its rows are not read by the first one's, whatever the meter. */
static void test_another_header(void **state)
{
    const char *first = join("MPAN: " MPAN "\n", header_of(LONG), rows_of(LONG, "1"), "");
    reading_t *r =
        read_text(apr_pstrcat(pool, first, "MPAN: " MPAN2 "\nTimestamp,Export kWh,kWh\n",
                              "13/02/2026 00:00,5,6\n13/02/2026 00:30,5,6\n", "MPAN: " MPAN3 "\n",
                              header_of(LONG), rows_of(LONG, "2"), NULL));

    (void)state;
    assert_int_equal(r->failed, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(error_at(r, i)->code, "other-header");
    }
    assert_int_equal(count_of(r, MPAN, "AI", "1"), 96);
    assert_int_equal(count_of(r, MPAN3, "AI", "2"), 96);
    assert_int_equal(count_readings(r), 192);
    end_reading(r);
    /* with fewer columns: its rows have no value by the first one's, and would be passed over */
    r = read_text(apr_pstrcat(pool, "MPAN: " MPAN "\nDate,Time,kWh\n13/02/2026,00:00,1\n",
                              "13/02/2026,00:30,1\nMPAN: " MPAN2 "\nTimestamp,kWh\n",
                              "13/02/2026 00:00,5\n", NULL));
    assert_int_equal(r->failed, 2);
    assert_int_equal(count_readings(r), 2);
    end_reading(r);
    /* with a column of meters of its own */
    r = read_text(apr_pstrcat(pool, "MPAN: " MPAN "\nDate,Time,kWh\n13/02/2026,00:00,1\n",
                              "13/02/2026,00:30,1\nMPAN,Date,Time,kWh\n" MPAN2,
                              ",13/02/2026,00:00,5\n", NULL));
    assert_int_equal(r->failed, 2);
    assert_string_equal(error_at(r, 1)->code, "other-header");
    assert_int_equal(count_readings(r), 2);
    end_reading(r);
}

/* Names above columns: those of another table are not the first one's, though the line below them,
 * which has the units, is the same. */
static void test_columns_of_other_meters(void **state)
{
    static const char *const names[][2] = {{MPAN "," MPAN2, MPAN3 "," MPAN},
                                           {"Boiler,Chiller", "Chiller,Boiler"}};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *first = apr_psprintf(pool, "Meter,%s\nTime,kWh,kWh\n", names[i][0]);
        const char *rows = "13/02/2026 00:00,1,2\n13/02/2026 00:30,1,2\n";
        reading_t *r = read_text(apr_pstrcat(
            pool, first, rows, apr_psprintf(pool, "Meter,%s\nTime,kWh,kWh\n", names[i][1]),
            "13/02/2026 00:00,5,6\n13/02/2026 00:30,5,6\n", first, "13/02/2026 01:00,1,2\n", NULL));

        assert_int_equal(r->layout->meter_count, 2);
        assert_int_equal(r->failed, 3);
        assert_string_equal(error_at(r, 0)->code, "other-header");
        assert_int_equal(error_at(r, 0)->line, 5);
        assert_int_equal(count_readings(r), 6);
        assert_int_equal(count_of(r, r->layout->meters[0].meter, "AI", "1"), 3);
        assert_int_equal(count_of(r, r->layout->meters[1].meter, "AI", "2"), 3);
        end_reading(r);
    }
}

/* Tables that lie on their side, whose meters go by their own numbers. */
static void test_turned(void **state)
{
    const char *first = "Meter: K26A00201\nTime,13/02/2026,14/02/2026\n";
    const char *second = "Meter: K26A00202\nTime,13/02/2026,14/02/2026\n";
    reading_t *r;

    (void)state;
    for (int i = 0; i < 48; i++) {
        first = apr_psprintf(pool, "%s%02d:%02d,1,1\n", first, i / 2, i % 2 * 30);
        second = apr_psprintf(pool, "%s%02d:%02d,2,2\n", second, i / 2, i % 2 * 30);
    }
    r = read_text(apr_pstrcat(pool, first, second, NULL));
    assert_two_meters(r, "K26A00201", "K26A00202", 96);
    end_reading(r);
    /* the first of which nobody names */
    r = read_text_given(apr_pstrcat(pool, strchr(first, '\n') + 1, second, NULL), "auto",
                        (ecl_given_t){.meter = MPAN});
    assert_int_equal(count_of(r, MPAN, "AI", "1"), 96);
    assert_int_equal(count_readings(r), 96);
    assert_int_equal(r->failed, 49);
    for (int i = 0; i < r->failed; i++) {
        assert_string_equal(error_at(r, i)->code, "other-meter");
    }
    end_reading(r);
    /* of another channel than the first, and then of the same */
    r = read_text(apr_pstrcat(pool, "Channel: AI\n", first, "Channel,AE\n", second,
                              "Channel: AI\nUnits: kWh\n", second, NULL));
    assert_int_equal(count_of(r, "K26A00201", "AI", "1"), 96);
    assert_int_equal(count_of(r, "K26A00202", "AI", "2"), 96);
    assert_int_equal(count_readings(r), 192);
    assert_int_equal(r->failed, 48);
    assert_string_equal(error_at(r, 0)->code, "bad-channel");
    end_reading(r);
}

/* A bad row is one, in whichever table. */
static void test_bad_rows(void **state)
{
    reading_t *r = read_text(apr_pstrcat(
        pool, "MPAN: " MPAN "\n", header_of(DAILY), rows_of(DAILY, "1"), "MPAN: " MPAN2 "\n",
        "31/02/2026,2\nO1/02/2026,2\n12/02/2026,two\n", rows_of(DAILY, "2"), NULL));
    static const char *const codes[] = {"no-such-date", "bad-date", "bad-value"};

    (void)state;
    assert_int_equal(r->failed, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(error_at(r, i)->code, codes[i]);
    }
    assert_int_equal(count_of(r, MPAN2, "AI", "2"), 2);
    end_reading(r);
}

/* ---- the meter given ---------------------------------------------------------------------------
 */

static void test_given(void **state)
{
    const ecl_given_t given = {.meter = MPAN};
    const char *header = header_of(LONG), *one = rows_of(LONG, "1"), *two = rows_of(LONG, "2");
    const char *conflicts[] = {
        join("MPAN: " MPAN2 "\n", header, two, ""),
        apr_pstrcat(pool, header, one, "MPAN: " MPAN2 "\n", header, two, NULL),
        apr_pstrcat(pool, "MPAN: " MPAN "\n", header, one, "MPAN: " MPAN2 "\n", two, NULL)};
    const char *late = header;
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(conflicts) / sizeof(conflicts[0]); i++) {
        r = read_text_given(conflicts[i], "auto", given);
        assert_int_equal(r->status, ECL_EINPUT);
        assert_string_equal(r->result.code, "meter-conflict");
        assert_non_null(strstr(r->result.detail, MPAN2));
        end_reading(r);
    }
    /* beyond the sample its rows fail */
    for (int i = 0; i < 6; i++) {
        late = apr_pstrcat(pool, late, one, NULL);
    }
    r = read_text_given(join(late, "MPAN: " MPAN2 "\n", two, ""), "auto", given);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 96);
    assert_string_equal(error_at(r, 0)->code, "other-meter");
    assert_non_null(strstr(error_at(r, 0)->message, MPAN " was given as the file's meter"));
    end_reading(r);
    /* the same one, and a meter's own number beside it */
    r = read_text_given(apr_pstrcat(pool, "Meter: K26A00201\n", header, one, "Meter: K26A00201\n",
                                    header, "MPAN: " MPAN "\n", one, NULL),
                        "auto", given);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    end_reading(r);
}

/* ---- what else is said above tables ------------------------------------------------------------
 */

/* Two tables of one meter, with what is said above each, or of two meters. */
static reading_t *read_two(shape_t shape, const char *above, const char *above_second)
{
    const char *header = shape == LONG    ? "Timestamp,Value\n"
                         : shape == DAILY ? "Date,Value\n"
                                          : header_of(shape);

    return read_text(apr_pstrcat(pool, "MPAN: " MPAN "\n", above, header, rows_of(shape, "1"),
                                 "MPAN: " MPAN "\n", above_second, header, rows_of(shape, "2"),
                                 NULL));
}

static void test_channels_and_units(void **state)
{
    static const struct {
        const char *above, *above_second, *channel, *value, *channel_second, *value_second;
    } files[] = {
        {"Channel: AI\n", "Channel: AE\n", "AI", "1", "AE", "2"},
        {"Channel: AE\n", "Channel: AI\n", "AE", "1", "AI", "2"},
        {"", "Channel,RE\n", "AI", "1", "RE", "2"},
        {"Import\n", "Export\n", "AI", "1", "AE", "2"},
        {"Export\n", "Import\n", "AE", "1", "AI", "2"},
        {"AI\n", "AE\n", "AI", "1", "AE", "2"},
        {"Units: kWh\n", "Units: kVArh\n", "AI", "1", "RI", "2"},
        {"Units: MWh\n", "Units: kWh\n", "AI", "1000", "AI", "2"},
        {"", "Units: Wh\n", "AI", "1", "AI", "0.002"},
        {"kWh\n", "kVArh\n", "AI", "1", "RI", "2"},
        {"All values in kWh\n", "All values in MWh\n", "AI", "1", "AI", "2000"},
        {"Channel: AE\nUnits: Wh\n", "Channel: RE\nUnits: kVArh\n", "AE", "0.001", "RE", "2"},
    };

    (void)state;
    for (int shape = LONG; shape <= DAILY; shape++) {
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
            reading_t *r = read_two(shape, files[i].above, files[i].above_second);

            assert_int_equal(r->status, APR_SUCCESS);
            assert_int_equal(r->failed, 0);
            assert_int_equal(count_of(r, MPAN, files[i].channel, files[i].value),
                             readings_of(shape));
            assert_int_equal(count_of(r, MPAN, files[i].channel_second, files[i].value_second),
                             readings_of(shape));
            assert_int_equal(count_readings(r), 2 * readings_of(shape));
            end_reading(r);
        }
    }
}

/* Once tables differ, a table that says nothing is in doubt; until then it is as the first. */
static void test_channels_left_open(void **state)
{
    const char *header = header_of(LONG), *rows = rows_of(LONG, "1");
    reading_t *r = read_text(apr_pstrcat(pool, "Channel: AE\nMPAN: " MPAN "\n", header, rows,
                                         "MPAN: " MPAN2 "\n", header, rows, NULL));

    (void)state;
    assert_int_equal(count_of(r, MPAN, "AE", "1"), 96);
    assert_int_equal(count_of(r, MPAN2, "AE", "1"), 96);
    end_reading(r);
    r = read_text(apr_pstrcat(pool, "Channel: AE\nMPAN: " MPAN "\n", header, rows,
                              "Channel: AI\nMPAN: " MPAN2 "\n", header, rows, "MPAN: " MPAN3 "\n",
                              header, rows, NULL));
    assert_int_equal(count_of(r, MPAN2, "AI", "1"), 96);
    assert_int_equal(r->failed, 96);
    assert_string_equal(error_at(r, 0)->code, "bad-channel");
    end_reading(r);
    /* "Export" above each of them may be what somebody did with the data */
    r = read_two(LONG, "Export\n", "Export\n");
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_of(r, MPAN, "AI", "2"), 96);
    end_reading(r);
    r = read_two(LONG, "", "Half Hourly Demand (kW)\n");
    assert_int_equal(count_readings(r), 96);
    assert_int_equal(r->failed, 96);
    assert_string_equal(error_at(r, 0)->code, "bad-unit");
    end_reading(r);
    r = read_two(LONG, "", "Export\n");
    assert_int_equal(count_of(r, MPAN, "AI", "1"), 96);
    assert_int_equal(r->failed, 96);
    assert_string_equal(error_at(r, 0)->code, "bad-channel");
    end_reading(r);
}

/* ---- what several tables show ------------------------------------------------------------------
 */

/* Days are whole by meter: of a meter that ends its day at 00:00 and one that begins it there. */
static void test_labels_by_meter(void **state)
{
    const char *text = "";

    (void)state;
    for (int meter = 0; meter < 2; meter++) {
        text = apr_pstrcat(pool, text, "MPAN: ", meter ? MPAN2 : MPAN, "\nTimestamp,kWh\n", NULL);
        for (int i = 1; i <= 48 * 2; i++) {
            int minute = meter * 30 * 96 + i * 30;

            text = apr_psprintf(pool, "%s%02d/02/2026 %02d:%02d,%d\n", text, 2 + minute / 1440,
                                minute / 60 % 24, minute % 60, meter + 1);
        }
    }
    {
        reading_t *r = read_text(text);

        assert_int_equal(r->status, APR_SUCCESS);
        assert_non_null(strstr(r->layout->evidence, "period ends: 4 of 4 days complete"));
        assert_string_equal(value_of(r, MPAN, "AI", "2026-02-02", 1), "1");
        assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-05", 48), "2");
        end_reading(r);
    }
}

/* Daily totals that are a week apart by meter, though the tables together have every day. */
static void test_weeks_by_meter(void **state)
{
    const char *text = "";
    reading_t *r;

    (void)state;
    for (int meter = 0; meter < 2; meter++) {
        text = apr_pstrcat(pool, text, "MPAN: ", meter ? MPAN2 : MPAN, "\nDate,kWh\n", NULL);
        for (int week = 0; week < 4; week++) {
            text = apr_psprintf(pool, "%s%02d/03/2026,%d\n", text, 1 + 7 * week + 2 * meter, week);
        }
    }
    r = read_text(text);
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "longer-periods");
    end_reading(r);
}

/* The hour that comes twice is counted for each meter. */
static void test_repeated_hour(void **state)
{
    const char *text = "";
    reading_t *r;

    (void)state;
    for (int meter = 0; meter < 2; meter++) {
        text = apr_pstrcat(pool, text, "MPAN: ", meter ? MPAN2 : MPAN, "\nTimestamp,kWh\n", NULL);
        for (int i = 0; i < 50; i++) {
            int minute = i < 4 ? i * 30 : i * 30 - 60;

            text = apr_psprintf(pool, "%s26/10/2025 %02d:%02d,%d\n", text, minute / 60, minute % 60,
                                100 * meter + i);
        }
    }
    r = read_text(text);
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_readings(r), 100);
    assert_string_equal(value_of(r, MPAN, "AI", "2025-10-26", 5), "4");
    assert_string_equal(value_of(r, MPAN2, "AI", "2025-10-26", 5), "104");
    assert_string_equal(value_of(r, MPAN2, "AI", "2025-10-26", 50), "149");
    end_reading(r);
}

/* ---- depth, pieces, resuming -------------------------------------------------------------------
 */

static const char *three_tables(shape_t shape)
{
    return apr_pstrcat(pool, "MPAN: " MPAN "\n", header_of(shape), rows_of(shape, "1"),
                       "MPAN: " MPAN2 "\n", header_of(shape), rows_of(shape, "2"),
                       "MPAN: " MPAN3 "\n", rows_of(shape, "3"), NULL);
}

static ecl_reader_t *open_reader(reading_t *r)
{
    ecl_reader_options_t options = {.import_type = "auto"};
    ecl_clock_t *clock;
    ecl_reader_t *reader;

    assert_int_equal(ecl_clock_make(&clock, "Europe/London", r->pool, &r->result), APR_SUCCESS);
    options.clock = clock;
    assert_true(ecl_date_from_ymd(2026, 6, 30, &options.today));
    assert_int_equal(ecl_reader_open(&reader, r->path, &options, r->pool, &r->result), APR_SUCCESS);
    return reader;
}

static apr_status_t ignore_day(void *baton, const ecl_meter_day_t *day)
{
    (void)baton;
    (void)day;
    return APR_SUCCESS;
}

static void test_pieces(void **state)
{
    static const apr_size_t sizes[PIECE_SIZES] = {1, 7, 4096};

    (void)state;
    for (int i = 0; i < PIECE_SIZES * 3; i++) {
        reading_t *r = make_reading();
        const ecl_reader_sink_t sink = {r, keep_day, keep_error, keep_warning};
        const char *text = three_tables(i / PIECE_SIZES);
        ecl_reader_t *reader;
        ecl_row_t row;

        write_file(r, text, strlen(text));
        reader = open_reader(r);
        ecl_records_set_read_size(reader->records, sizes[i % PIECE_SIZES]);
        while (ecl_reader_next(reader, &sink, &row, &r->result) == APR_SUCCESS) {
            assert_int_not_equal(row.fate, ECL_ROW_FAILED);
        }
        assert_int_equal(count_of(r, MPAN, "AI", "1"), readings_of(i / PIECE_SIZES));
        assert_int_equal(count_of(r, MPAN2, "AI", "2"), readings_of(i / PIECE_SIZES));
        assert_int_equal(count_of(r, MPAN3, "AI", "3"), readings_of(i / PIECE_SIZES));
        assert_int_equal(unlink(r->path), 0);
        end_reading(r);
    }
}

/* Stops at each record in turn, and goes on with another reader, as after a crash. */
static void test_resuming(void **state)
{
    const char *text = three_tables(DAILY);

    (void)state;
    for (int stop = 1; stop <= 10; stop++) {
        reading_t *r = make_reading();
        const ecl_reader_sink_t keep = {r, keep_day, keep_error, keep_warning};
        const ecl_reader_sink_t pass = {r, ignore_day, ecl_reader_ignore_error,
                                        ecl_reader_ignore_warning};
        ecl_reader_t *reader;
        ecl_row_t row = {0};

        write_file(r, text, strlen(text));
        reader = open_reader(r);
        while (row.number < stop) {
            assert_int_equal(ecl_reader_next(reader, &keep, &row, &r->result), APR_SUCCESS);
        }
        assert_int_equal(ecl_reader_flush(reader, &keep), APR_SUCCESS);
        reader = open_reader(r);
        for (row.number = 0; row.number < stop;) {
            assert_int_equal(ecl_reader_next(reader, &pass, &row, &r->result), APR_SUCCESS);
        }
        assert_int_equal(ecl_reader_flush(reader, &pass), APR_SUCCESS);
        while (ecl_reader_next(reader, &keep, &row, &r->result) == APR_SUCCESS) {
            assert_int_not_equal(row.fate, ECL_ROW_FAILED);
        }
        assert_int_equal(count_of(r, MPAN, "AI", "1"), 2);
        assert_int_equal(count_of(r, MPAN2, "AI", "2"), 2);
        assert_int_equal(count_of(r, MPAN3, "AI", "3"), 2);
        assert_int_equal(count_readings(r), 6);
        assert_int_equal(unlink(r->path), 0);
        end_reading(r);
    }
}

/* Behind all that is looked at before the first row is read. */
static void test_beyond_the_survey(void **state)
{
    enum { LINE = 1000000 };
    reading_t *r = make_reading();
    char *line = apr_palloc(r->pool, LINE + 2);
    const char *first = join("MPAN: " MPAN "\n", header_of(LONG), rows_of(LONG, "1"), "");
    const char *second = join("MPAN: " MPAN2 "\n", rows_of(LONG, "2"), "", "");
    FILE *file;

    (void)state;
    memset(line, 'x', LINE);
    apr_cpystrn(line + LINE, "\n", 2);
    write_file(r, first, strlen(first));
    file = fopen(r->path, "a");
    assert_non_null(file);
    for (int i = 0; i < ECL_SURVEY_BYTES / LINE + 2; i++) {
        assert_int_equal(fwrite(line, LINE + 1, 1, file), 1);
    }
    assert_int_equal(fputs(second, file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    read_file(r);
    assert_two_meters(r, MPAN, MPAN2, 96);
    assert_int_equal(r->passed_over, -1);
    end_reading(r);
}

/* ---- workbooks ---------------------------------------------------------------------------------
 */

static const char *sheet_row(int number, const char *a, const char *b)
{
    return apr_psprintf(pool,
                        "<row r=\"%d\"><c r=\"A%d\" t=\"inlineStr\"><is><t>%s</t></is></c>"
                        "<c r=\"B%d\" t=\"inlineStr\"><is><t>%s</t></is></c></row>",
                        number, number, a, number, b);
}

/* Each sheet begins with its own first table. */
static void test_sheets(void **state)
{
    reading_t *r = make_reading();
    const char *first = "", *second = "";
    workbook_t book = {.sheets = {{"One", NULL, NULL}, {"Two", NULL, NULL}}};

    (void)state;
    first = apr_pstrcat(pool, sheet_row(1, "MPAN", MPAN), sheet_row(2, "Date", "kWh"),
                        sheet_row(3, "13/02/2026", "1"), sheet_row(4, "MPAN", MPAN2),
                        sheet_row(5, "Date", "kWh"), sheet_row(6, "13/02/2026", "2"), NULL);
    second = apr_pstrcat(pool, sheet_row(1, "MPAN", MPAN3), sheet_row(2, "Date", "kWh"),
                         sheet_row(3, "14/02/2026", "3"), sheet_row(4, "MPAN", MPAN),
                         sheet_row(5, "14/02/2026", "1"), NULL);
    book.sheets[0].rows = first;
    book.sheets[1].rows = second;
    write_workbook(r, &book);
    read_file(r);
    print_errors(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->failed, 0);
    assert_int_equal(count_of(r, MPAN, "AI", "1"), 2);
    assert_int_equal(count_of(r, MPAN2, "AI", "2"), 1);
    assert_int_equal(count_of(r, MPAN3, "AI", "3"), 1);
    assert_non_null(strstr(r->layout->evidence, "above them: 2 meters"));
    assert_null(strstr(r->layout->evidence, "as said above the table"));
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_namings),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_empty_tables),
        cmocka_unit_test(test_headerless),
        cmocka_unit_test(test_lines_around_tables),
        cmocka_unit_test(test_rows_that_name_meters),
        cmocka_unit_test(test_doubts),
        cmocka_unit_test(test_own_name_again),
        cmocka_unit_test(test_another_header),
        cmocka_unit_test(test_columns_of_other_meters),
        cmocka_unit_test(test_turned),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_given),
        cmocka_unit_test(test_channels_and_units),
        cmocka_unit_test(test_channels_left_open),
        cmocka_unit_test(test_labels_by_meter),
        cmocka_unit_test(test_weeks_by_meter),
        cmocka_unit_test(test_repeated_hour),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_resuming),
        cmocka_unit_test(test_beyond_the_survey),
        cmocka_unit_test(test_sheets),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
