/* PostgreSQL behind lib/db: the settings of a connection, the meaning of its errors. */
#include <libpq-fe.h>
#include <poll.h>

#include "db_driver.h"

static apr_status_t check_params(const char *params, ecl_result_t *result)
{
    char *why = NULL;
    PQconninfoOption *options = PQconninfoParse(params, &why);

    if (!options) {
        /* libpq's words quote the parameters, which may hold a password */
        PQfreemem(why);
        return ecl_fail(result, ECL_ECONFIG, "database-params",
                        "the database's parameters are not what libpq accepts: "
                        "keyword='value' pairs or a postgresql:// address");
    }
    PQconninfoFree(options);
    return APR_SUCCESS;
}

/* keyword='value' */
static const char *setting(const char *keyword, const char *value, apr_pool_t *p)
{
    char *quoted = apr_palloc(p, 2 * strlen(value) + 1);
    char *at = quoted;

    for (; *value; value++) {
        if (*value == '\'' || *value == '\\') {
            *at++ = '\\';
        }
        *at++ = *value;
    }
    *at = '\0';
    return apr_pstrcat(p, keyword, "='", quoted, "' ", NULL);
}

/* libpq would wait for ever for a host that does not answer, and minutes for one that has gone. */
static const char *complete_params(const char *params, apr_pool_t *p)
{
    static const struct {
        const char *keyword, *value;
    } ours[] = {{"connect_timeout", "5"},
                {"tcp_user_timeout", "15000"},
                {"fallback_application_name", "eclectyc-import"}};
    PQconninfoOption *options = PQconninfoParse(params, NULL);
    const char *complete = "";

    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        const char *value = o->val;

        for (apr_size_t i = 0; !value && i < sizeof ours / sizeof *ours; i++) {
            if (!strcmp(o->keyword, ours[i].keyword)) {
                value = ours[i].value;
            }
        }
        if (value) {
            complete = apr_pstrcat(p, complete, setting(o->keyword, value, p), NULL);
        }
    }
    PQconninfoFree(options);
    return complete;
}

static const char *describe(const char *params, apr_pool_t *p)
{
    (void)params;
    (void)p;
    return "the PostgreSQL database";
}

/* Whether there is a database is the server's to say. */
static apr_status_t prepare_open(const char *params, const char *marker, apr_pool_t *scratch,
                                 ecl_result_t *result)
{
    (void)params;
    (void)marker;
    (void)scratch;
    (void)result;
    return APR_SUCCESS;
}

static void mark(const char *params, const char *marker, apr_pool_t *scratch)
{
    (void)params;
    (void)marker;
    (void)scratch;
}

static int control(void *native, const char *sql)
{
    PGresult *answer = PQexec(native, sql);
    int is_done = PQresultStatus(answer) == PGRES_COMMAND_OK;

    PQclear(answer);
    return is_done ? 0 : -1;
}

/* What must not depend on how role and database are set up. A process that stands still within a
 * transaction (stopped, or on a host that is) keeps its locks no longer than others wait for them.
 */
static int configure(void *native, int lock_wait_ms, int is_read_only)
{
    char sql[480];

    /* classify reads the SQLSTATE from the message */
    PQsetErrorVerbosity(native, PQERRORS_VERBOSE);
    snprintf(sql, sizeof sql,
             "SET lock_timeout = %d; SET idle_in_transaction_session_timeout = %d;"
             "SET client_encoding = 'UTF8'; SET datestyle = 'ISO';"
             "SET default_transaction_isolation = 'read committed';"
             "SET default_transaction_read_only = %s; SET client_min_messages = 'error'",
             lock_wait_ms, lock_wait_ms, is_read_only ? "on" : "off");
    return control(native, sql);
}

static int is_in_transaction(void *native)
{
    return PQtransactionStatus(native) == PQTRANS_INTRANS;
}

/* An idle connection has nothing to read but its end, or the server's reason for it. */
static int is_lost(void *native)
{
    struct pollfd fd = {.fd = PQsocket(native), .events = POLLIN};

    return PQstatus(native) != CONNECTION_OK || fd.fd < 0 || poll(&fd, 1, 0) != 0;
}

static int is_displaced(void *native)
{
    (void)native;
    return 0;
}

/* apr_dbd hands on no SQLSTATE, but a verbose message carries it: "ERROR:  53100: could not…". */
static ecl_db_failure_t classify(void *native)
{
    static const struct {
        const char *sqlstate; /* or its first digits, which name a class */
        ecl_db_failure_t failure;
    } known[] = {
        {"08", ECL_DB_LOST},        /* connection exception */
        {"57P", ECL_DB_LOST},       /* server shut down, connection terminated */
        {"53100", ECL_DB_NO_SPACE}, /* disk full */
        {"53", ECL_DB_LOST},        /* out of memory, too many connections */
        {"55P03", ECL_DB_BUSY},     /* lock_timeout */
        {"57014", ECL_DB_BUSY},     /* statement_timeout */
        {"40", ECL_DB_BUSY},        /* deadlock, serialisation failure */
        {"23", ECL_DB_CONSTRAINT},  /* integrity constraint violation */
    };
    const char *sqlstate = strstr(PQerrorMessage(native), ":  ");

    if (PQstatus(native) != CONNECTION_OK) {
        return ECL_DB_LOST;
    }
    for (apr_size_t i = 0; sqlstate && i < sizeof known / sizeof *known; i++) {
        if (!strncmp(sqlstate + 3, known[i].sqlstate, strlen(known[i].sqlstate))) {
            return known[i].failure;
        }
    }
    return ECL_DB_OTHER;
}

const ecl_db_dialect_t ecl_db_pgsql = {
    .driver = ECL_DB_PGSQL,
    .name = "pgsql",
    .begin = "BEGIN",
    .check_params = check_params,
    .complete_params = complete_params,
    .describe = describe,
    .look = prepare_open,
    .prepare_open = prepare_open,
    .configure = configure,
    .mark = mark,
    .control = control,
    .is_in_transaction = is_in_transaction,
    .is_lost = is_lost,
    .is_displaced = is_displaced,
    .classify = classify,
};
