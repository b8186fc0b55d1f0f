/* PostgreSQL's binary formats: what the server makes of what we write, and we of what it writes. */
#include <apr_general.h>

#include "databases.h"
#include "worker/pg_binary.h"

static apr_pool_t *pool;

static const ecl_decimal_t some[] = {0,
                                     1,
                                     -1,
                                     999,
                                     10,
                                     100000,
                                     ECL_DECIMAL_ONE,
                                     -ECL_DECIMAL_ONE,
                                     ECL_DECIMAL_MISSING,
                                     ECL_DECIMAL_ONE / 8,
                                     ECL_DECIMAL_ONE / 100,
                                     ECL_DECIMAL_ONE / 10000,
                                     12 * ECL_DECIMAL_ONE + 345600,
                                     ECL_DECIMAL_ONE / 1000000 * 7,
                                     ECL_DECIMAL_ONE / 10000000,
                                     40 * ECL_DECIMAL_ONE + 50,
                                     ECL_DECIMAL_ONE / 2,
                                     9999 * ECL_DECIMAL_ONE,
                                     10000 * ECL_DECIMAL_ONE,
                                     10000 * ECL_DECIMAL_ONE + 1,
                                     100000000 * ECL_DECIMAL_ONE,
                                     123456789 * ECL_DECIMAL_ONE + 987654321,
                                     -(99999999 * ECL_DECIMAL_ONE + 999900001),
                                     APR_INT64_MAX,
                                     -APR_INT64_MAX};
#define SOME ((int)(sizeof some / sizeof some[0]))

/* "{1,NULL,0.125}" */
static const char *text_of(const ecl_decimal_t *values, int count)
{
    const char *text = "{";

    for (int i = 0; i < count; i++) {
        char number[ECL_DECIMAL_TEXT] = "NULL";

        if (values[i] != ECL_DECIMAL_MISSING) {
            ecl_decimal_print(values[i], number);
        }
        text = apr_pstrcat(pool, text, i ? "," : "", number, NULL);
    }
    return apr_pstrcat(pool, text, "}", NULL);
}

/* What the server answers to a query of one value with one parameter. */
static PGresult *ask(PGconn *pg, const char *sql, const char *param, int length, int is_binary,
                     int answer_binary)
{
    PGresult *answer = PQexecParams(pg, sql, 1, NULL, &param, &length, &is_binary, answer_binary);

    if (PQresultStatus(answer) != PGRES_TUPLES_OK) {
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    }
    return answer;
}

static void assert_reads(const char *data, int length, const ecl_decimal_t *wanted, int count)
{
    ecl_decimal_t values[ECL_PERIODS_MAX];

    assert_int_equal(ecl_pg_get_periods(data, length, values, ECL_PERIODS_MAX), count);
    assert_memory_equal(values, wanted, (apr_size_t)count * sizeof *values);
    assert_int_equal(ecl_pg_get_periods(data, length, values, count - 1), -1);
    for (int i = 0; i < length; i++) {          /* cut short anywhere */
        char *copy = malloc((apr_size_t)i + 1); /* so that a sanitizer sees what is read past it */

        memcpy(copy, data, (apr_size_t)i);
        assert_int_equal(ecl_pg_get_periods(copy, i, values, ECL_PERIODS_MAX), -1);
        free(copy);
    }
}

static void reads_what_it_writes(void **state)
{
    ecl_pg_bytes_t bytes = {.pool = pool};

    (void)state;
    ecl_pg_put_periods(&bytes, some, SOME);
    assert_int_equal(ecl_pg_get_int(bytes.data, 4), bytes.size - 4);
    assert_reads(bytes.data + 4, (int)bytes.size - 4, some, SOME);
}

static void the_server_reads_what_it_writes(void **state)
{
    PGconn *pg = PQconnectdb(test_server());
    ecl_pg_bytes_t bytes = {.pool = pool};
    PGresult *answer;

    (void)state;
    ecl_pg_put_periods(&bytes, some, SOME);
    /* the shortest text: no zeros at the end, no "-0" */
    answer = ask(pg, "SELECT $1::numeric[]::text", bytes.data + 4, (int)bytes.size - 4, 1, 0);
    assert_string_equal(PQgetvalue(answer, 0, 0), text_of(some, SOME));
    PQclear(answer);

    answer = ask(pg, "SELECT $1::text::numeric[]", text_of(some, SOME), 0, 0, 1);
    /* bit for bit what the server itself makes of the text, so rows do not differ by who wrote them
     */
    assert_int_equal(PQgetlength(answer, 0, 0), bytes.size - 4);
    assert_memory_equal(PQgetvalue(answer, 0, 0), bytes.data + 4, bytes.size - 4);
    assert_reads(PQgetvalue(answer, 0, 0), PQgetlength(answer, 0, 0), some, SOME);
    PQclear(answer);
    PQfinish(pg);
}

static void refuses_what_is_no_decimal_of_ours(void **state)
{
    static const char *const others[] = {
        "{NaN}",           "{Infinity}", "{0.0000000001}", "{9223372036.854775808}",
        "{1000000000000}", "{1e30}",     "{1,2e-10}",      "{}",
        "{{1,2},{3,4}}"};
    static const char *const others_of_ours[] = {"{1.500}", "{0.000}", "{2.0000000000}", "{1e3}"};
    static const ecl_decimal_t wanted[] = {ECL_DECIMAL_ONE * 3 / 2, 0, ECL_DECIMAL_ONE * 2,
                                           ECL_DECIMAL_ONE * 1000};
    PGconn *pg = PQconnectdb(test_server());
    ecl_decimal_t values[4];

    (void)state;
    for (apr_size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        PGresult *answer = ask(pg, "SELECT $1::text::numeric[]", others[i], 0, 0, 1);

        assert_int_equal(
            ecl_pg_get_periods(PQgetvalue(answer, 0, 0), PQgetlength(answer, 0, 0), values, 4), -1);
        PQclear(answer);
    }
    for (apr_size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        PGresult *answer = ask(pg, "SELECT $1::text::numeric[]", others_of_ours[i], 0, 0, 1);

        assert_reads(PQgetvalue(answer, 0, 0), PQgetlength(answer, 0, 0), &wanted[i], 1);
        PQclear(answer);
    }
    PQfinish(pg);
}

static void writes_dates_and_integers(void **state)
{
    static const struct {
        ecl_date_t date;
        const char *text;
    } dates[] = {{0, "1970-01-01"}, {10957, "2000-01-01"}, {20000, "2024-10-04"}};
    PGconn *pg = PQconnectdb(test_server());
    PGresult *answer;

    (void)state;
    for (apr_size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
        ecl_pg_bytes_t bytes = {.pool = pool};

        ecl_pg_put_date(&bytes, dates[i].date);
        answer = ask(pg, "SELECT $1::date::text", bytes.data + 4, 4, 1, 0);
        assert_string_equal(PQgetvalue(answer, 0, 0), dates[i].text);
        PQclear(answer);
    }
    for (int i = -1; i <= 1; i++) {
        const apr_int64_t number = i * APR_INT64_C(1234567890123456789);
        ecl_pg_bytes_t bytes = {.pool = pool};

        ecl_pg_put_bigint(&bytes, number);
        answer = ask(pg, "SELECT $1::bigint", bytes.data + 4, 8, 1, 1);
        assert_true(ecl_pg_get_int(PQgetvalue(answer, 0, 0), 8) == number);
        PQclear(answer);
    }
    PQfinish(pg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(the_server_reads_what_it_writes),
        cmocka_unit_test(refuses_what_is_no_decimal_of_ours),
        cmocka_unit_test(writes_dates_and_integers),
    };
    int failed;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (test_server()) {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    } else {
        const struct CMUnitTest alone[] = {cmocka_unit_test(reads_what_it_writes)};

        failed = cmocka_run_group_tests(alone, NULL, NULL);
        print_message(
            "NOT RUN: what needs a server; ECL_TEST_PGSQL is not set (make unit sets it)\n");
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return failed;
}
