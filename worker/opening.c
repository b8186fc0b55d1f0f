#include "opening.h"

typedef struct attempt_t {
    ecl_opening_t *opening;
    const char *path;
    ecl_db_conn_t *conn;
    apr_pool_t *p;
    ecl_result_t *result;
} attempt_t;

/* The reader's names for options. */
static void give(ecl_given_t *given, const char *const values[ECL_OPTIONS])
{
    given->meter = values[ECL_OPTION_METER];
    given->labels = values[ECL_OPTION_LABELS];
    given->timezone = values[ECL_OPTION_TIMEZONE];
    given->unit = values[ECL_OPTION_UNIT];
    given->channel = values[ECL_OPTION_CHANNEL];
    given->date_order = values[ECL_OPTION_DATE_ORDER];
    given->reads = values[ECL_OPTION_READS];
}

/* Adds the options of the import template for files with this header. */
static apr_status_t complete_given(void *baton, const char *fingerprint, ecl_given_t *given)
{
    attempt_t *attempt = baton;
    ecl_opening_t *opening = attempt->opening;
    const char *saved[ECL_OPTIONS];
    apr_status_t rv = ecl_import_template_find(attempt->conn, fingerprint, attempt->p,
                                               &opening->template, attempt->result);

    if (rv != APR_SUCCESS || !opening->template) {
        return rv;
    }
    ecl_options_read(opening->template->options, saved);
    for (int id = 0; id < ECL_OPTIONS; id++) {
        opening->given[id] = opening->given[id] ? opening->given[id] : saved[id];
    }
    give(given, opening->given);
    return APR_SUCCESS;
}

static apr_status_t try_to_open(attempt_t *attempt, ecl_reader_options_t *options)
{
    apr_pool_t *own;

    apr_pool_create(&own, attempt->p);
    give(&options->given, attempt->opening->given);
    return ecl_reader_open(&attempt->opening->reader, attempt->path, options, own, attempt->result);
}

/* Whether it failed because what was given and what the file says contradict each other. */
static int is_conflict(const ecl_result_t *result)
{
    const char *ending = strrchr(result->code, '-');

    return ending && !strcmp(ending, "-conflict");
}

/* Without the template, when the file contradicts it: it was saved for another file. */
static apr_status_t open_without_template(attempt_t *attempt, ecl_reader_options_t *options,
                                          const char *const given[ECL_OPTIONS])
{
    ecl_opening_t *opening = attempt->opening;

    opening->contradicted = apr_psprintf(attempt->p, "import template \"%s\": %s",
                                         opening->template->name, attempt->result->detail);
    opening->template = NULL;
    memcpy(opening->given, given, sizeof opening->given);
    options->given.complete = NULL;
    return try_to_open(attempt, options);
}

apr_status_t ecl_opening_make(ecl_opening_t *opening, const char *path, ecl_db_conn_t *conn,
                              apr_pool_t *p, ecl_result_t *result)
{
    attempt_t attempt = {opening, path, conn, p, result};
    ecl_reader_options_t options = {
        .import_type = opening->import_type, .clock = opening->clock, .today = opening->today};
    const char *given[ECL_OPTIONS];
    apr_status_t rv;

    memcpy(given, opening->given, sizeof given);
    if (!opening->is_resumed) {
        options.given.complete = complete_given;
        options.given.baton = &attempt;
    }
    rv = try_to_open(&attempt, &options);
    if (rv == ECL_EINPUT && opening->template && is_conflict(result)) {
        rv = open_without_template(&attempt, &options, given);
    }
    return rv;
}
