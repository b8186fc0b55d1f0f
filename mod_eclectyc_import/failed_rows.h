/*
 * A job's rejected rows as CSV files: one for each header that its file has, since a file of rows
 * below several headers could not be uploaded again.
 */
#ifndef ECL_FAILED_ROWS_H
#define ECL_FAILED_ROWS_H

#include <apr_tables.h>

#include "request.h"
#include "../lib/jobs.h"

typedef struct ecl_failed_part_t {
    const char *header; /* NULL: none is known */
    const char *added;  /* the names of what rows need beside their own cells, as CSV */
    const char *label;  /* where the rows stand, in words */
    apr_int64_t rows;
} ecl_failed_part_t;

/* The parts that a job's rejected rows make, at least one, as ecl_failed_part_t; allocated from p.
 */
const apr_array_header_t *ecl_failed_parts(const ecl_job_t *job, apr_pool_t *p);

/* Sends one: ?part=, from 1 on. */
ecl_handler_fn ecl_page_failed_rows;

#endif /* ECL_FAILED_ROWS_H */
