/* PostgreSQL behind lib/db: the settings of a connection, the meaning of its errors. */
#include <libpq-fe.h>

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

static const char *describe(const char *params, apr_pool_t *p)
{
    (void)params;
    (void)p;
    return "the PostgreSQL database";
}

static apr_status_t prepare_open(const char *params, apr_pool_t *scratch, ecl_result_t *result)
{
    (void)params;
    (void)scratch;
    (void)result;
    return APR_SUCCESS;
}

static int control(void *native, const char *sql)
{
    PGresult *answer = PQexec(native, sql);
    int is_done = PQresultStatus(answer) == PGRES_COMMAND_OK;

    PQclear(answer);
    return is_done ? 0 : -1;
}

static void set_lock_wait(void *native, int lock_wait_ms)
{
    /* the server watches the time: set once, by configure */
    (void)native;
    (void)lock_wait_ms;
}

static int configure(void *native, int lock_wait_ms)
{
    char sql[64];

    /* classify reads the SQLSTATE from the message */
    PQsetErrorVerbosity(native, PQERRORS_VERBOSE);
    snprintf(sql, sizeof sql, "SET lock_timeout = %d", lock_wait_ms);
    return control(native, sql);
}

static int is_in_transaction(void *native)
{
    return PQtransactionStatus(native) == PQTRANS_INTRANS;
}

static int schema_version(void *native, apr_int64_t *pversion)
{
    (void)native;
    *pversion = 0;
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
    .is_serialised = 0,
    .check_params = check_params,
    .describe = describe,
    .prepare_open = prepare_open,
    .configure = configure,
    .set_lock_wait = set_lock_wait,
    .control = control,
    .is_in_transaction = is_in_transaction,
    .schema_version = schema_version,
    .classify = classify,
};
