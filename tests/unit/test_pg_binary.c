/* PostgreSQL's binary formats: what the server makes of what we write, and we of what it writes. */
#include <apr_general.h>

#include "databases.h"
#include "worker/pg_binary.h"

static apr_pool_t *pool;

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
        cmocka_unit_test(writes_dates_and_integers),
    };
    int failed = 0;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    if (test_server()) {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    } else {
        print_message("NOT RUN: ECL_TEST_PGSQL is not set (make unit sets it)\n");
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return failed;
}
