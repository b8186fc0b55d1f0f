/*
 * A job's file, opened to be read: by what the job says, and by what the import template for files
 * with its header says.
 */
#ifndef ECL_OPENING_H
#define ECL_OPENING_H

#include "../lib/db.h"
#include "../lib/import_templates.h"
#include "../lib/options.h"
#include "reader.h"

typedef struct ecl_opening_t {
    /* to be set before */
    const char *import_type; /* "auto", "hh", "daily" */
    const ecl_clock_t *clock;
    ecl_date_t today; /* as of ecl_reader_options_t */
    int is_resumed; /* `given` is all that an earlier attempt went by: no template is looked for */
    const char *given[ECL_OPTIONS]; /* the job's options; then with those of the template */
    /* what came of it */
    ecl_reader_t *reader;
    ecl_import_template_t *template; /* NULL: none */
    const char *contradicted;        /* why a template that was found is not used; NULL: none was */
} ecl_opening_t;

/* Opens the file at path. Fails as ecl_reader_open does, or because the database can't be asked for
 * the template. The reader has a pool of its own below p, because it will be read from in another
 * thread; all else is allocated from p. */
apr_status_t ecl_opening_make(ecl_opening_t *opening, const char *path, ecl_db_conn_t *conn,
                              apr_pool_t *p, ecl_result_t *result);

#endif /* ECL_OPENING_H */
