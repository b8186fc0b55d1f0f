/*
 * What a database must be able to do for copy.c: give a table's rows, and take them.
 *
 * On the way every value is text: integers in decimal, dates as YYYY-MM-DD, a day's values as JSON,
 * all as SQLite keeps them.
 */
#ifndef ECL_COPY_DRIVER_H
#define ECL_COPY_DRIVER_H

#include "copy.h"

#define ECL_COPY_COLUMNS 64 /* a table has fewer */

/* A table, as both drivers have it. */
typedef struct ecl_copy_table_t {
    const char *name;
    const char *columns; /* all of them, with commas between */
    const char *order;   /* of the rows */
    int has_id;          /* given by the database, in the column id */
    int values;          /* the column that holds a day's values, from 0; -1: none */
} ecl_copy_table_t;

/* In the order in which they are copied: what is referred to comes first. Ends with a name of
 * NULL. */
extern const ecl_copy_table_t ecl_copy_tables[];

/* text is NULL for SQL NULL, and not always terminated. */
typedef struct ecl_copy_cell_t {
    const char *text;
    apr_size_t length;
} ecl_copy_cell_t;

/* As many cells as the table has columns, valid during the call. */
typedef apr_status_t ecl_copy_on_row_t(void *baton, const ecl_copy_cell_t *cells,
                                       ecl_result_t *result);

int ecl_copy_count_columns(const ecl_copy_table_t *table);

/* After a failure the connection is of no more use than for a rollback. */
typedef struct ecl_copy_driver_t {
    /* What no other database has; allocated from p. */
    apr_status_t (*identify)(ecl_db_conn_t *conn, const char **pidentity, apr_pool_t *p,
                             ecl_result_t *result);
    /* Begins a transaction, which may take long, and keeps others from writing until it ends. What
     * is read in it is of one moment. */
    apr_status_t (*begin)(ecl_db_conn_t *conn, apr_pool_t *p, ecl_result_t *result);
    /* Runs a query that gives one integer. */
    apr_status_t (*number)(ecl_db_conn_t *conn, const char *sql, apr_int64_t *pnumber,
                           ecl_result_t *result);
    /* Calls on_row for each row of the table, until it fails. */
    apr_status_t (*read)(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                         ecl_copy_on_row_t *on_row, void *baton, apr_pool_t *p,
                         ecl_result_t *result);
    /* Before begin: makes room for days of those years; NULL: needs none. */
    apr_status_t (*make_room)(ecl_db_conn_t *conn, const int *years, int count, apr_pool_t *p,
                              ecl_result_t *result);
    /* Takes rows of the table. *pwriter lives with p, until the end. */
    apr_status_t (*write_begin)(void **pwriter, ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_pool_t *p, ecl_result_t *result);
    apr_status_t (*write_row)(void *writer, const ecl_copy_cell_t *cells, ecl_result_t *result);
    apr_status_t (*write_end)(void *writer, ecl_result_t *result);
    /* The lowest id that was never given to a row of the table, as far as the database knows. */
    apr_status_t (*get_next_id)(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_int64_t *pnext, apr_pool_t *p, ecl_result_t *result);
    apr_status_t (*set_next_id)(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_int64_t next, apr_pool_t *p, ecl_result_t *result);
} ecl_copy_driver_t;

extern const ecl_copy_driver_t ecl_copy_sqlite3;
extern const ecl_copy_driver_t ecl_copy_pgsql;

#endif /* ECL_COPY_DRIVER_H */
