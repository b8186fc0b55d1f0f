/*
 * Real files: every one of the public samples imports as its line in EXPECTED.tsv says.
 *
 * The samples hold identifiers that others published, so they are no part of this repository; they
 * lie in ../shared/samples, and the test says so and passes where they do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_hash.h>

#include "start_apr.h"
#include "lib/ecl.h"
#include "worker/question.h"
#include "worker/reader.h"

#define SAMPLES ECL_SOURCE_DIR "/../shared/samples/"

/* EXPECTED.tsv counts the row with the date "KABOOM" as imported, beside naming it a row error. It
 * can't be both; the row has no date, so it is an error. */
static char *const one_bad_date[] = {
    "es_banes_one_bad_date.csv", "", "import", "1", "48", "226.103"};

typedef struct collected_t {
    apr_pool_t *pool;
    apr_hash_t *days;
    apr_hash_t *meters;
    apr_int64_t rows, failed, errors;
    char first_error[300];
} collected_t;

static apr_status_t on_day(void *baton, const ecl_meter_day_t *day)
{
    collected_t *collected = baton;
    const char *key = apr_psprintf(collected->pool, "%s|%s|%d|%d", day->meter, day->channel,
                                   day->interval_minutes, day->date);
    ecl_meter_day_t *known = apr_hash_get(collected->days, key, APR_HASH_KEY_STRING);

    if (!known) {
        known = apr_pmemdup(collected->pool, day, sizeof(*day));
        apr_hash_set(collected->days, key, APR_HASH_KEY_STRING, known);
        apr_hash_set(collected->meters, known->meter, APR_HASH_KEY_STRING, known);
        return APR_SUCCESS;
    }
    for (int i = 0; i < day->periods; i++) {
        if (day->values[i] != ECL_DECIMAL_MISSING) {
            known->values[i] = day->values[i];
            known->flags[i] = day->flags[i];
        }
    }
    return APR_SUCCESS;
}

static apr_status_t on_error(void *baton, const ecl_row_error_t *error)
{
    collected_t *collected = baton;

    if (!collected->errors++) {
        apr_snprintf(collected->first_error, sizeof(collected->first_error),
                     "line %" APR_INT64_T_FMT ", %s: %s", error->line, error->code, error->message);
    }
    return APR_SUCCESS;
}

static apr_status_t on_warning(void *baton, const char *code, const char *message)
{
    (void)baton;
    assert_non_null(code);
    assert_non_null(message);
    return APR_SUCCESS;
}

/* "meter=X unit=kWh" → what is given. Empties the text of its words. */
static ecl_given_t given_of(char *options)
{
    ecl_given_t given = {NULL};
    char *state = NULL;

    for (char *word = apr_strtok(options, " ", &state); word;
         word = apr_strtok(NULL, " ", &state)) {
        char *value = strchr(word, '=');

        assert_non_null(value);
        *value++ = '\0';
        if (!strcmp(word, "meter")) {
            given.meter = value;
        } else if (!strcmp(word, "unit")) {
            given.unit = value;
        } else {
            fail_msg("EXPECTED.tsv has the option %s, which is not known here", word);
        }
    }
    return given;
}

static apr_status_t read_all(collected_t *collected, const char *path, ecl_given_t given,
                             apr_pool_t *p, ecl_result_t *result)
{
    ecl_reader_sink_t sink = {collected, on_day, on_error, on_warning};
    ecl_reader_options_t options = {.import_type = "auto", .given = given};
    ecl_clock_t *clock;
    ecl_reader_t *reader;
    ecl_row_t row;
    apr_int64_t counted;
    apr_status_t status;

    *collected = (collected_t){.pool = p, .days = apr_hash_make(p), .meters = apr_hash_make(p)};
    assert_int_equal(ecl_clock_make(&clock, "Europe/London", p, result), APR_SUCCESS);
    options.clock = clock;
    assert_true(ecl_date_from_ymd(2026, 12, 31, &options.today));
    status = ecl_reader_open(&reader, path, &options, p, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    print_message("  %s\n", ecl_reader_layout(reader)->evidence);
    while ((status = ecl_reader_next(reader, &sink, &row, result)) == APR_SUCCESS) {
        collected->rows++;
        collected->failed += row.fate == ECL_ROW_FAILED;
    }
    assert_int_equal(status, APR_EOF);
    assert_int_equal(collected->failed, collected->errors);
    assert_int_equal(
        ecl_reader_count(path, ecl_reader_layout(reader), NULL, NULL, p, &counted, result),
        APR_SUCCESS);
    assert_int_equal(counted, collected->rows);
    return APR_SUCCESS;
}

/* Of energy in kWh: reactive energy is kept apart. */
static apr_int64_t sum_up(const collected_t *collected, ecl_decimal_t *psum)
{
    apr_int64_t readings = 0;

    *psum = 0;
    for (apr_hash_index_t *i = apr_hash_first(collected->pool, collected->days); i;
         i = apr_hash_next(i)) {
        const ecl_meter_day_t *day = apr_hash_this_val(i);

        for (int n = 0; n < day->periods && !strcmp(day->unit, "kWh"); n++) {
            if (day->values[n] != ECL_DECIMAL_MISSING) {
                readings++;
                assert_true(ecl_decimal_add(*psum, day->values[n], psum));
            }
        }
    }
    return readings;
}

static int check_import(const char *file, const collected_t *collected, char *const *cells,
                        apr_pool_t *p)
{
    char text[ECL_DECIMAL_TEXT];
    ecl_decimal_t sum, expected_sum;
    apr_int64_t readings = sum_up(collected, &sum), meters, expected_readings;

    assert_true(ecl_parse_int64(cells[3], 0, 1000000, &meters));
    assert_true(ecl_parse_int64(cells[4], 0, 100000000, &expected_readings));
    assert_int_equal(ecl_decimal_parse(cells[5], strlen(cells[5]), '.', &expected_sum),
                     ECL_DECIMAL_OK);
    ecl_decimal_print(sum, text);
    if (meters == (apr_int64_t)apr_hash_count(collected->meters) && readings == expected_readings &&
        sum == expected_sum) {
        return 1;
    }
    print_error("%s: expected %s meters, %s readings, %s kWh; got %u, %s, %s; %d errors, first: "
                "%s\n",
                file, cells[3], cells[4], cells[5], apr_hash_count(collected->meters),
                apr_ltoa(p, (long)readings), text, (int)collected->errors, collected->first_error);
    return 0;
}

static int is_asked(const char *code)
{
    json_object *question = ecl_question_of(code);

    json_object_put(question);
    return question != NULL;
}

/* One line of EXPECTED.tsv: file, options, outcome, meters, readings, sum, note. */
static int check_line(char *const *cells, apr_pool_t *p)
{
    const char *file = cells[0];
    collected_t collected;
    ecl_result_t result = ecl_result_make(p);
    apr_status_t status;

    print_message("%s\n", file);
    status =
        read_all(&collected, apr_pstrcat(p, SAMPLES, file, NULL), given_of(cells[1]), p, &result);
    if (!strcmp(cells[2], "ask")) {
        return status == ECL_EINPUT && is_asked(result.code);
    }
    if (!strncmp(cells[2], "import", 6)) { /* "import or refuse" too: it is imported */
        if (status != APR_SUCCESS) {
            print_error("%s: refused: %s: %s\n", file, result.code, result.detail);
            return 0;
        }
        return check_import(file, &collected, cells, p);
    }
    if (status == APR_SUCCESS && apr_hash_count(collected.days)) {
        print_error("%s: read, but to be refused\n", file);
        return 0;
    }
    print_message("  refused: %s\n", status == APR_SUCCESS ? collected.first_error : result.detail);
    return status == APR_SUCCESS || status == ECL_EINPUT;
}

static void test_every_sample(void **state)
{
    apr_file_t *list;
    apr_pool_t *pool, *p;
    char line[1000];
    int good = 0, bad = 0;

    (void)state;
    apr_pool_create(&pool, NULL);
    if (apr_file_open(&list, SAMPLES "EXPECTED.tsv", APR_READ, APR_OS_DEFAULT, pool) !=
        APR_SUCCESS) {
        print_message("the public samples are not here (%s): nothing to compare\n", SAMPLES);
        apr_pool_destroy(pool);
        return;
    }
    apr_pool_create(&p, pool);
    assert_int_equal(apr_file_gets(line, sizeof(line), list), APR_SUCCESS);
    while (apr_file_gets(line, sizeof(line), list) == APR_SUCCESS) {
        char *cells[7], *at = line;

        for (int i = 0; i < 7; i++) {
            char *end = at + strcspn(at, "\t\n");

            cells[i] = at;
            at = *end ? end + 1 : end;
            *end = '\0';
        }
        if (check_line(strcmp(cells[0], one_bad_date[0]) ? cells : one_bad_date, p)) {
            good++;
        } else {
            bad++;
        }
        apr_pool_clear(p);
    }
    print_message("%d samples as expected, %d not\n", good, bad);
    apr_pool_destroy(pool);
    assert_true(good > 30);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_sample)};

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
