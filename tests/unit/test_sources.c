/*
 * What all files that are no table have in common: the samples, cut anywhere, give the same
 * records; in another encoding they give the same readings.
 */
#include "bytes_of.h"
#include "reading.h"
#include "start_apr.h"

static const char *const samples[] = {
    "sample_df2.df2",         "sample_d0036.txt",           "sample_d0379.txt",
    "sample_greenbutton.xml", "sample_data_collector.json", "sample_api.json"};

#define SAMPLES (sizeof(samples) / sizeof(samples[0]))

static const char *path_of(apr_pool_t *p, const char *name)
{
    return apr_pstrcat(p, ECL_SOURCE_DIR "/tests/samples/", name, NULL);
}

/* All there is to know of a file's records, as one text. */
static const char *records_of(apr_pool_t *p, const char *path, apr_size_t read_size, int *pcount)
{
    apr_array_header_t *lines = apr_array_make(p, 500, sizeof(const char *));
    ecl_result_t result = ecl_result_make(p);
    apr_int64_t line = 0, end_offset = 0;
    ecl_records_t *records;
    ecl_record_t record;
    apr_status_t status;

    assert_int_equal(ecl_records_open(&records, path, ',', p, &result), APR_SUCCESS);
    assert_non_null(ecl_records_source(records));
    ecl_records_set_read_size(records, read_size);
    while ((status = ecl_records_next(records, &record, &result)) == APR_SUCCESS) {
        assert_int_equal(record.status, ECL_RECORD_OK);
        assert_int_equal(record.number, ++*pcount);
        assert_true(record.line >= line && record.end_offset >= end_offset);
        line = record.line;
        end_offset = record.end_offset;
        APR_ARRAY_PUSH(lines, const char *) =
            apr_psprintf(p, "%" APR_INT64_T_FMT " %d %s\n", line, record.count, record.raw);
    }
    assert_int_equal(status, APR_EOF);
    return apr_array_pstrcat(p, lines, 0);
}

static void test_cut_anywhere(void **state)
{
    static const apr_size_t sizes[] = {1, 7, 4096};

    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        apr_pool_t *p;
        const char *whole;
        int count = 0;

        apr_pool_create(&p, NULL);
        whole = records_of(p, path_of(p, samples[i]), 65536, &count);
        assert_true(count > 3);
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            int again = 0;

            assert_string_equal(records_of(p, path_of(p, samples[i]), sizes[k], &again), whole);
            assert_int_equal(again, count);
        }
        apr_pool_destroy(p);
    }
}

/* UTF-16 with its mark, little-endian, of ASCII. */
static void encode(reading_t *r, const char **pbytes, apr_size_t *plength)
{
    char *bytes = apr_pcalloc(r->pool, 2 * *plength + 2);

    bytes[0] = '\xff';
    bytes[1] = '\xfe';
    for (apr_size_t i = 0; i < *plength; i++) {
        bytes[2 * i + 2] = (*pbytes)[i];
    }
    *pbytes = bytes;
    *plength = 2 * *plength + 2;
}

static reading_t *read_sample(const char *name, int is_encoded)
{
    reading_t *r = make_reading();
    const char *bytes;
    apr_size_t length;

    r->given.meter = strstr(name, "greenbutton") || strstr(name, "api") ? MPAN : NULL;
    bytes = bytes_of(path_of(r->pool, name), &length, r->pool);
    if (is_encoded) {
        encode(r, &bytes, &length);
    }
    write_file(r, bytes, length);
    read_file(r);
    assert_int_equal(r->status, APR_SUCCESS);
    assert_int_equal(r->errors->nelts, 0);
    return r;
}

static void test_other_encodings(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        reading_t *plain = read_sample(samples[i], 0), *encoded = read_sample(samples[i], 1);

        assert_true(plain->days->nelts > 0);
        assert_int_equal(plain->days->nelts, encoded->days->nelts);
        for (int k = 0; k < plain->days->nelts; k++) {
            const ecl_meter_day_t *a = &APR_ARRAY_IDX(plain->days, k, ecl_meter_day_t);
            const ecl_meter_day_t *b = &APR_ARRAY_IDX(encoded->days, k, ecl_meter_day_t);

            assert_int_equal(a->date, b->date);
            assert_int_equal(a->periods, b->periods);
            assert_memory_equal(a->values, b->values, (size_t)a->periods * sizeof(a->values[0]));
            assert_memory_equal(a->flags, b->flags, (size_t)a->periods);
        }
        end_reading(plain);
        end_reading(encoded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_other_encodings),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
