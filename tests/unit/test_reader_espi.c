/*
 * Green Button XML.
 */
#include "pool_fixture.h"
#include "reading.h"

#include "worker/espi.h"

#define BEGIN "<?xml version=\"1.0\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n"
#define END "</feed>\n"
#define ENTRY(links, content) "<entry>" links "<content>" content "</content></entry>\n"
#define LINK(rel, href) "<link rel=\"" rel "\" href=\"" href "\"/>"
#define TYPE_OF(elements) "<ReadingType xmlns=\"http://naesb.org/espi\">" elements "</ReadingType>"
#define WH "<accumulationBehaviour>4</accumulationBehaviour><uom>72</uom>"
#define TYPE ENTRY("", TYPE_OF(WH "<flowDirection>1</flowDirection>"))
#define BLOCK(readings) ENTRY("", "<IntervalBlock>" readings "</IntervalBlock>")
/* 2026-02-01 00:00 UTC is 1769904000 */
#define READING(start, duration, value, more)                                                      \
    "<IntervalReading><timePeriod><duration>" duration "</duration><start>" start                  \
    "</start></timePeriod><value>" value "</value>" more "</IntervalReading>\n"
#define QUALITY(code) "<ReadingQuality><quality>" code "</quality></ReadingQuality>"

static reading_t *read_with_meter(const char *text)
{
    reading_t *r = make_reading();

    r->given.meter = MPAN;
    write_file(r, text, strlen(text));
    read_file(r);
    if (r->status != APR_SUCCESS) {
        print_message("refused: %s: %s\n", r->result.code, r->result.detail);
    }
    return r;
}

static void test_reads_readings_with_flags(void **state)
{
    reading_t *r = read_with_meter(BEGIN TYPE BLOCK(
        "<interval><duration>86400</duration><start>1769904000</start></interval>" READING(
            "1769904000", "1800", "450", "") READING("1769905800", "1800", "1500", QUALITY("8"))
            READING("1769907600", "1800", "\n 0 \n", QUALITY("7"))
                READING("1769909400", "1800", "1", QUALITY("10"))) END);

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    assert_int_equal(r->imported, 4);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "0.45");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "1.5");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 3), "0");
    assert_int_equal(flag_at(r, "2026-02-01", 1), ECL_FLAG_ACTUAL);
    assert_int_equal(flag_at(r, "2026-02-01", 2), ECL_FLAG_ESTIMATED);
    assert_int_equal(flag_at(r, "2026-02-01", 3), ECL_FLAG_MANUAL);
    assert_int_equal(flag_at(r, "2026-02-01", 4), ECL_FLAG_OTHER);
    assert_int_equal(count_warnings(r, "unknown-flag"), 1);
    assert_non_null(strstr(r->layout->evidence, "Green Button (ESPI): intervals of 30 minutes"));
    assert_non_null(strstr(r->layout->evidence, "AI in Wh"));
    end_reading(r);
}

/* The type may stand behind the readings; a power of ten is exact; prefixes do not matter. */
static void test_types(void **state)
{
    static const struct {
        const char *type, *channel, *value;
        int minutes;
    } cases[] = {
        {TYPE_OF(WH "<powerOfTenMultiplier>3</powerOfTenMultiplier><flowDirection>1"
                    "</flowDirection>"),
         "AI", "450", 30},
        {TYPE_OF(WH "<powerOfTenMultiplier>-3</powerOfTenMultiplier>"), "AI", "0.00045", 30},
        {TYPE_OF("<uom>72</uom><flowDirection>19</flowDirection>"), "AE", "0.45", 30},
        {TYPE_OF("<uom>73</uom><flowDirection>1</flowDirection>"), "RI", "0.45", 30},
        {TYPE_OF("<uom>73</uom><flowDirection>19</flowDirection><powerOfTenMultiplier>3"
                 "</powerOfTenMultiplier>"),
         "RE", "450", 30},
        {"<e:ReadingType xmlns:e=\"http://naesb.org/espi\"><e:uom>72</e:uom></e:ReadingType>", "AI",
         "0.45", 30},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reading_t *r = make_reading();
        const char *text = apr_pstrcat(
            r->pool, BEGIN BLOCK(READING("1769904000", "1800", "450", "")) "<entry><content>",
            cases[i].type, "</content></entry>" END, NULL);

        r->given.meter = MPAN;
        write_file(r, text, strlen(text));
        read_file(r);
        assert_int_equal(r->status, APR_SUCCESS);
        assert_int_equal(r->errors->nelts, 0);
        assert_string_equal(value_of(r, MPAN, cases[i].channel, "2026-02-01", 1), cases[i].value);
        end_reading(r);
    }
}

#define POINT "Customer/1/UsagePoint/01"
#define METER_OF(id, type)                                                                         \
    ENTRY(LINK("self", POINT "/MeterReading/" id) LINK("related", POINT "/Summary/1")              \
              LINK("related", "ReadingType/" type),                                                \
          "<MeterReading/>")
#define TYPE_AT(id, elements) ENTRY(LINK("self", "ReadingType/" id), TYPE_OF(elements))
#define BLOCK_AT(links, start, value)                                                              \
    ENTRY(links, "<IntervalBlock>" READING(start, "3600", value, "") "</IntervalBlock>")

/* Import and export in one file: links tell which is which. */
static void test_links_tie_readings_to_types(void **state)
{
    reading_t *r = read_with_meter(
        BEGIN ENTRY(LINK("self", POINT), "<UsagePoint/>") METER_OF("1", "7") METER_OF("2", "8")
            TYPE_AT("7", WH "<flowDirection>1</flowDirection>") BLOCK_AT(
                LINK("self", POINT "/MeterReading/1/IntervalBlock/9")
                    LINK("up", POINT "/MeterReading/1/IntervalBlock"),
                "1769904000", "1000")
                BLOCK_AT(LINK("self", POINT "/MeterReading/2/IntervalBlock/9"), "1769904000",
                         "2000") BLOCK_AT(LINK("related", "ReadingType/8"), "1769907600", "3000")
                    BLOCK_AT(LINK("up", POINT "/MeterReading/22/IntervalBlock"), "1769904000", "9")
                        TYPE_AT("8", WH "<flowDirection>19</flowDirection>") END);

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1");
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 1), "2");
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 2), "3");
    assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).interval_minutes, 60);
    assert_int_equal(r->errors->nelts, 1);
    assert_string_equal(error_at(r, 0)->code, "bad-channel");
    assert_string_equal(error_at(r, 0)->column, "Channel");
    end_reading(r);

    /* a quantity that is not kept is passed over, and said */
    r = read_with_meter(
        BEGIN METER_OF("1", "7") METER_OF("2", "8") TYPE_AT("7", WH) TYPE_AT("8", "<uom>38</uom>")
            BLOCK_AT(LINK("up", POINT "/MeterReading/1/IntervalBlock"), "1769904000", "1000")
                BLOCK_AT(LINK("up", POINT "/MeterReading/2/IntervalBlock"), "1769904000", "2000")
                    END);
    assert_int_equal(r->imported, 1);
    assert_int_equal(r->skipped, 1);
    assert_int_equal(count_warnings(r, "channel-skipped"), 1);
    end_reading(r);
}

static void test_bad_readings_are_named(void **state)
{
    reading_t *r = read_with_meter(BEGIN TYPE BLOCK(READING("1769904000", "1800", "1", "")
                                                        READING("then", "1800", "2", "")) END);

    (void)state;
    assert_error(r, 5, "Interval Start (UTC)", "bad-date", "\"then\" is no number of seconds");
    assert_int_equal(r->imported, 1);
    end_reading(r);

    r = read_with_meter(BEGIN TYPE BLOCK(READING("1769904000", "1800", "1", "")
                                             READING("1769905800", "1800", "x", "")) END);
    assert_error(r, 5, "Value", "bad-value", "\"x\" is not a number");
    assert_string_equal(error_at(r, 0)->raw, "2026-02-01T00:30:00Z,x,Wh,AI,");
    end_reading(r);

    r = read_with_meter(BEGIN TYPE BLOCK(READING("1769904000", "1800", "1", "") READING(
        "1769905800", "1800", "1", "") READING("1769907600", "900", "2", "")) END);
    assert_error(r, 6, NULL, "other-interval", "of \"900\" seconds, and the others of it of 1800");
    end_reading(r);

    r = read_with_meter(BEGIN TYPE BLOCK(READING("1769904060", "1800", "1", "")) END);
    assert_error(r, 4, "Interval Start (UTC)", "off-grid", "2026-02-01T00:01:00Z");
    end_reading(r);

    /* what was read before the break is good */
    r = read_with_meter(
        BEGIN TYPE BLOCK(READING("1769904000", "1800", "1", "")) "<entry><content></entry>");
    assert_error(r, 6, NULL, "bad-xml", "mismatched tag; nothing behind it was read");
    assert_int_equal(r->imported, 1);
    end_reading(r);
}

static void assert_refused(const char *text, const char *code, const char *part)
{
    reading_t *r = read_with_meter(text);

    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, code);
    if (!strstr(r->result.detail, part)) {
        fail_msg("%s", r->result.detail);
    }
    end_reading(r);
}

static void test_refusals(void **state)
{
#define ONE BLOCK(READING("1769904000", "1800", "1", ""))
    reading_t *r = read_text(BEGIN TYPE ONE END);
    char deep[2000];

    (void)state;
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "no-meter-column");
    end_reading(r);

    assert_refused("<?xml version=\"1.0\"?>\n<catalog><book/></catalog>", "not-meter-data",
                   "an XML file (<catalog>) and not Green Button");
    assert_refused("<?xml version=\"1.0\"?><html><body/></html>", "not-meter-data", "web page");
    assert_refused(BEGIN TYPE END, "no-readings", "no reading in it");
    assert_refused(BEGIN ONE END, "bad-unit", "no ReadingType");
    assert_refused(BEGIN ENTRY("", TYPE_OF("<uom>42</uom>")) ONE END, "bad-unit",
                   "unit (uom) 42, flow direction not said");
    assert_refused(BEGIN ENTRY("", TYPE_OF("<uom>72</uom><accumulationBehaviour>3"
                                           "</accumulationBehaviour>")) ONE END,
                   "bad-unit", "accumulation 3");
    assert_refused(BEGIN ENTRY("", TYPE_OF("<uom>72</uom><flowDirection>4</flowDirection>"))
                       ONE END,
                   "bad-unit", "flow direction 4");
    assert_refused(BEGIN TYPE BLOCK(READING("1769904000", "86400", "1", "")) END, "not-half-hourly",
                   "\"86400\" seconds");
    assert_refused(BEGIN ENTRY(LINK("self", "UsagePoint/1"), "<UsagePoint/>")
                       ENTRY(LINK("self", "UsagePoint/2"), "<UsagePoint/>") TYPE ONE END,
                   "several-meters", "several usage points");
    assert_refused("<feed><entry>", "bad-xml", "no element found");

    apr_cpystrn(deep, "<feed>", sizeof(deep));
    for (int i = 0; i < 70; i++) {
        apr_cpystrn(deep + strlen(deep), "<a>", sizeof(deep) - strlen(deep));
    }
    assert_refused(deep, "bad-xml", "nested more than 64 deep");
}

static void test_size_is_limited(void **state)
{
    const char *text = BEGIN TYPE ONE END;
    reading_t *r = make_reading();
    ecl_espi_t *espi = apr_pcalloc(r->pool, sizeof(*espi));

    (void)state;
    espi->read_size = 16;
    espi->bytes_max = 100;
    write_file(r, text, strlen(text));
    assert_int_equal(ecl_espi_survey(espi, r->path, r->pool, &r->result), ECL_EINPUT);
    assert_string_equal(r->result.code, "too-large");
    assert_int_equal(unlink(r->path), 0);
    end_reading(r);
}

/* Entities can multiply without end, and can name files: none is ever looked up. */
static void test_document_types_are_refused(void **state)
{
    (void)state;
    assert_refused("<?xml version=\"1.0\"?><!DOCTYPE feed [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
                   "\"&a;&a;&a;&a;&a;&a;&a;&a;\">]><feed>&b;</feed>",
                   "bad-xml", "DOCTYPE");
    assert_refused("<?xml version=\"1.0\"?><!DOCTYPE feed SYSTEM \"file:///etc/passwd\"><feed/>",
                   "bad-xml", "DOCTYPE");
}

/* Half-hours by their start: there is nothing that the clock changes could do. */
static void test_clock_changes(void **state)
{
    static const struct {
        int year, month, day, hours_before, periods;
        const char *date;
    } cases[] = {
        {2025, 10, 26, 1, 50, "2025-10-26"},
        {2026, 3, 29, 0, 46, "2026-03-29"},
        {2026, 6, 15, 1, 48, "2026-06-15"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int is_backward = 0; is_backward < 2; is_backward++) {
            reading_t *r = make_reading();
            const char *text = BEGIN TYPE "<entry><content><IntervalBlock>";
            ecl_date_t date;
            char value[16];

            assert_true(ecl_date_from_ymd(cases[i].year, cases[i].month, cases[i].day, &date));
            for (int n = 1; n <= cases[i].periods; n++) {
                int number = is_backward ? cases[i].periods + 1 - n : n;

                text = apr_psprintf(
                    r->pool, "%s" READING("%" APR_INT64_T_FMT, "1800", "%d", ""), text,
                    (apr_int64_t)date * 86400 - cases[i].hours_before * 3600 + (number - 1) * 1800,
                    number * 1000);
            }
            text = apr_pstrcat(r->pool, text, "</IntervalBlock></content></entry>" END, NULL);
            r->given.meter = MPAN;
            write_file(r, text, strlen(text));
            read_file(r);
            assert_int_equal(r->errors->nelts, 0);
            assert_int_equal(r->days->nelts, 1);
            assert_int_equal(APR_ARRAY_IDX(r->days, 0, ecl_meter_day_t).periods, cases[i].periods);
            for (int n = 1; n <= cases[i].periods; n++) {
                apr_snprintf(value, sizeof(value), "%d", n);
                assert_string_equal(value_of(r, MPAN, "AI", cases[i].date, n), value);
            }
            end_reading(r);
        }
    }
}

/* What a rejected row looks like can be uploaded as CSV, under the header. */
static void test_rejected_rows_are_csv(void **state)
{
    reading_t *r = read_with_meter("Interval Start (UTC),Value,Unit,Channel,Flag\n"
                                   "2025-10-26T01:00:00Z,500,Wh,AE,E\n");

    (void)state;
    assert_int_equal(r->imported, 1);
    assert_string_equal(value_of(r, MPAN, "AE", "2025-10-26", 5), "0.5");
    end_reading(r);
}

#define POINT_AT(id, more, inside)                                                                 \
    "<entry>" LINK("self", "P/" id) more "<content><e:UsagePoint xmlns:e=\"http://naesb.org/"      \
                                         "espi\">" inside "</e:UsagePoint></content></entry>\n"
#define MRID(id) "<e:ServiceDeliveryPoint><e:mRID>" id "</e:mRID></e:ServiceDeliveryPoint>"
#define SERIES(point, id, type)                                                                    \
    ENTRY(LINK("self", "P/" point "/MeterReading/" id) LINK("up", "P/" point "/MeterReading")      \
              LINK("related", "ReadingType/" type),                                                \
          "<MeterReading/>")
#define BLOCK_OF(point, id, readings)                                                              \
    ENTRY(LINK("self", "P/" point "/MeterReading/" id "/IntervalBlock/1")                          \
              LINK("up", "P/" point "/MeterReading/" id "/IntervalBlock"),                         \
          "<IntervalBlock>" readings "</IntervalBlock>")
#define IMPORT TYPE_AT("7", WH "<currency>826</currency><flowDirection>1</flowDirection>")
#define EXPORT TYPE_AT("8", WH "<flowDirection>19</flowDirection>")

/* Each is a meter; points without readings do not matter. */
static void test_several_usage_points(void **state)
{
    static const char *const points[] = {
        POINT_AT("1", "<title>Mill</title>", MRID(MPAN))
            POINT_AT("11", "<title>Mill</title>", MRID(MPAN2)) POINT_AT("3", "", ""),
        POINT_AT("1", "<title>" MPAN "</title>", "") POINT_AT("11", "<title>" MPAN2 "</title>", ""),
        POINT_AT("1", "", "<e:mRID>" MPAN "</e:mRID>")
            POINT_AT("11", "", "<e:mRID>" MPAN2 "</e:mRID>"),
    };
    static const char *const said[] = {"mRID of its service delivery point", "its title",
                                       "its mRID"};
    static const char series[] =
        BLOCK_OF("1", "1", READING("1769904000", "1800", "1000", "<cost>77</cost>"))
            SERIES("1", "1", "7") SERIES("11", "1", "7") SERIES("11", "2", "8")
                BLOCK_OF("11", "1", READING("1769904000", "1800", "2000", ""))
                    BLOCK_OF("11", "2", READING("1769904000", "1800", "3000", "")) IMPORT EXPORT;
    reading_t *r;

    (void)state;
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        for (int is_behind = 0; is_behind < 2; is_behind++) {
            r = read_text(apr_pstrcat(pool, BEGIN, is_behind ? series : points[i],
                                      is_behind ? points[i] : series, END, NULL));
            assert_int_equal(r->status, APR_SUCCESS);
            assert_int_equal(r->errors->nelts, 0);
            assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1");
            assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-01", 1), "2");
            assert_string_equal(value_of(r, MPAN2, "AE", "2026-02-01", 1), "3");
            assert_non_null(strstr(r->layout->evidence, said[i]));
            assert_non_null(strstr(r->layout->evidence, "; 2 usage points"));
            end_reading(r);
        }
    }
    /* the same titles, and nothing else */
    r = read_text(apr_pstrcat(
        pool, BEGIN POINT_AT("1", "<title>A</title>", "") POINT_AT("11", "<title>a</title>", ""),
        series, END, NULL));
    assert_int_equal(r->status, ECL_EINPUT);
    assert_string_equal(r->result.code, "several-meters");
    assert_non_null(strstr(r->result.detail, "2 usage points"));
    end_reading(r);
    /* a block that belongs to none of them */
    r = read_text(apr_pstrcat(pool, BEGIN, points[0], series,
                              BLOCK_OF("2", "1", READING("1769905800", "1800", "9", "")) END,
                              NULL));
    assert_int_equal(r->errors->nelts, 1);
    assert_string_equal(error_at(r, 0)->code, "bad-meter");
    assert_string_equal(error_at(r, 0)->column, "Meter");
    end_reading(r);
}

/* Of one, the name is the meter only if it is an MPAN. */
static void test_a_usage_point_with_an_mpan(void **state)
{
    static const char text[] = BEGIN POINT_AT("1", "<title>Front meter</title>", MRID(MPAN2))
        TYPE BLOCK(READING("1769904000", "1800", "1000", "")) END;
    reading_t *r = read_text(text);

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, MPAN2, "AI", "2026-02-01", 1), "1");
    end_reading(r);
    r = read_with_meter(text); /* another one was given */
    assert_int_equal(count_readings(r), 0);
    end_reading(r);
}

/* The finest of each direction is read. */
static void test_intervals_beside_each_other(void **state)
{
    reading_t *r = read_with_meter(
        BEGIN ENTRY(LINK("self", "P/1"), "<UsagePoint/>") SERIES("1", "1", "7")
            SERIES("1", "2", "7") SERIES("1", "3", "8") SERIES("1", "4", "7")
                BLOCK_OF("1", "2", READING("1769904000", "3600", "9000", ""))
                    BLOCK_OF("1", "1",
                             READING("1769904000", "1800", "1000", "")
                                 READING("1769905800", "1800", "2000", "")
                                     READING("1769907600", "900", "1", ""))
                        BLOCK_OF("1", "3", READING("1769904000", "3600", "3000", ""))
                            BLOCK_OF("1", "4", READING("1769904000", "86400", "50000", ""))
                                IMPORT EXPORT END);
    const char *told;

    (void)state;
    assert_int_equal(r->status, APR_SUCCESS);
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 1), "1");
    assert_string_equal(value_of(r, MPAN, "AI", "2026-02-01", 2), "2");
    assert_string_equal(value_of(r, MPAN, "AE", "2026-02-01", 1), "3");
    assert_int_equal(count_readings(r), 3);
    for (int i = 0; i < r->days->nelts; i++) {
        const ecl_meter_day_t *day = &APR_ARRAY_IDX(r->days, i, ecl_meter_day_t);

        assert_int_equal(day->interval_minutes, strcmp(day->channel, "AI") ? 60 : 30);
    }
    assert_int_equal(r->errors->nelts, 1);
    assert_string_equal(error_at(r, 0)->code, "other-interval");
    assert_int_equal(count_warnings(r, "series-passed-over"), 1);
    told = APR_ARRAY_IDX(r->warnings, 0, told_t).message;
    assert_non_null(strstr(told, "1 readings of AI of 60 minutes"));
    assert_non_null(strstr(told, "1 readings of AI of days or other lengths"));
    assert_non_null(strstr(r->layout->evidence, "intervals of 30 and 60 minutes"));
    end_reading(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_readings_with_flags),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_links_tie_readings_to_types),
        cmocka_unit_test(test_several_usage_points),
        cmocka_unit_test(test_a_usage_point_with_an_mpan),
        cmocka_unit_test(test_intervals_beside_each_other),
        cmocka_unit_test(test_bad_readings_are_named),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_size_is_limited),
        cmocka_unit_test(test_document_types_are_refused),
        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_rejected_rows_are_csv),
    };

    return cmocka_run_group_tests(tests, start_apr_with_pool, stop_apr_with_pool);
}
