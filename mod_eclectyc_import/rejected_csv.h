/*
 * Rejected rows as CSV: the cells of a record, each as it stands in its file, made safe for
 * spreadsheets and for what follows them on the line. Knows no httpd.
 */
#ifndef ECL_REJECTED_CSV_H
#define ECL_REJECTED_CSV_H

#include <apr_pools.h>

/* How many cells a record has. */
int ecl_rejected_count(const char *record, char delimiter);

/* A record with exactly `columns` cells, or with all that it has beyond them.
 *
 * Cells are copied byte for byte, but for two kinds: what a spreadsheet would run as a formula (it
 * begins with = @ tab or CR, or with + or - and is no number) gets an apostrophe before it; and a
 * quotation mark that nothing closes becomes a part of its cell, which ends at the next delimiter.
 *
 * filling: what cells have that are not there. dropped: this many of the last cells of a row that
 * has `columns` and them (of an earlier list of rejected rows) are left out. Allocated from p. */
const char *ecl_rejected_record(const char *record, char delimiter, int columns,
                                const char *filling, int dropped, apr_pool_t *p);

/* A cell of our own: quoted, and safe. */
const char *ecl_rejected_cell(const char *text, apr_pool_t *p);

#endif /* ECL_REJECTED_CSV_H */
