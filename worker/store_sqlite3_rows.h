/*
 * A batch's rows as a virtual table, which one statement reads or stores: SQLite then opens its
 * tables and indexes once for a batch, not once for each row, which takes half of the time.
 *
 * The table is called ecl_rows and is there on one connection, under no schema. A row's rowid is
 * its place in the batch, from 0. Columns: those of meter_days that a store_row_t knows.
 */
#ifndef ECL_STORE_SQLITE3_ROWS_H
#define ECL_STORE_SQLITE3_ROWS_H

#include <sqlite3.h>

#include "store_driver.h"

/* What the table holds, while a statement runs that names it. */
typedef struct ecl_store_rows_t {
    ecl_store_row_t *const *rows;
    int count;
} ecl_store_rows_t;

/* Makes the table on a connection; it reads from rows, which must outlive the connection's use of
 * it. Returns SQLite's code. */
int ecl_store_rows_make(sqlite3 *sqlite, const ecl_store_rows_t *rows);

#endif /* ECL_STORE_SQLITE3_ROWS_H */
