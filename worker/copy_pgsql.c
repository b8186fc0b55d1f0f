/*
 * PostgreSQL for copy.c, by COPY in its text format: every value comes and goes as SQLite keeps it,
 * a decimal with the digits that it was written with.
 */
#include "copy_driver.h"
#include "pg_binary.h"
#include "store_pgsql.h"

/* COPY's stream is handed to libpq in pieces of about this size. */
#define COPY_BYTES (64 * 1024)

static const char copying[] = "cannot copy";

static apr_status_t execute(ecl_db_conn_t *conn, const char *sql, ecl_result_t *result)
{
    PGresult *answer;
    apr_status_t rv = ecl_pg_run(conn, copying, sql, 0, NULL, &answer, result);

    PQclear(answer);
    return rv;
}

/* The same database of the same server, however it was reached. */
static apr_status_t identify(ecl_db_conn_t *conn, const char **pidentity, apr_pool_t *p,
                             ecl_result_t *result)
{
    static const char sql[] = "SELECT extract(epoch FROM pg_postmaster_start_time()) || ' ' || "
                              "current_setting('port') || ' '"
                              " || d.oid || ' ' || current_schema() FROM pg_database d"
                              " WHERE d.datname = current_database()";
    PGresult *answer;
    apr_status_t rv = ecl_pg_run(conn, copying, sql, 0, NULL, &answer, result);

    if (rv == APR_SUCCESS) {
        *pidentity = apr_pstrdup(p, PQgetvalue(answer, 0, 0));
    }
    PQclear(answer);
    return rv;
}

/* The locks come before the first query, which decides of what moment all of them read. The server
 * would end a transaction that waits for the other database for too long. */
static apr_status_t begin(ecl_db_conn_t *conn, apr_pool_t *p, ecl_result_t *result)
{
    const char *tables = NULL;
    apr_status_t rv = ecl_db_begin(conn, result);

    for (const ecl_copy_table_t *table = ecl_copy_tables; table->name; table++) {
        tables = tables ? apr_pstrcat(p, tables, ", ", table->name, NULL) : table->name;
    }
    if (rv == APR_SUCCESS) {
        rv = execute(conn, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", result);
    }
    if (rv == APR_SUCCESS) {
        rv = execute(conn, "SET LOCAL idle_in_transaction_session_timeout = 0", result);
    }
    if (rv == APR_SUCCESS) {
        rv = execute(conn, apr_pstrcat(p, "LOCK TABLE ", tables, " IN EXCLUSIVE MODE", NULL),
                     result);
    }
    return rv;
}

static apr_status_t number(ecl_db_conn_t *conn, const char *sql, apr_int64_t *pnumber,
                           ecl_result_t *result)
{
    PGresult *answer;
    apr_status_t rv = ecl_pg_run(conn, copying, sql, 0, NULL, &answer, result);

    if (rv == APR_SUCCESS &&
        !ecl_parse_int64(PQgetvalue(answer, 0, 0), APR_INT64_MIN, APR_INT64_MAX, pnumber)) {
        rv = ecl_fail(result, APR_EGENERAL, "database-error", "%s: a number is missing", copying);
    }
    PQclear(answer);
    return rv;
}

/* ---- a day's values ------------------------------------------------------------------------- */

/* Whether a cell is a list of decimals, with whatever digits, and nulls. */
static int is_values(const ecl_copy_cell_t *cell)
{
    const char *at, *end;

    if (cell->length < 2 || cell->text[0] != '[' || cell->text[cell->length - 1] != ']') {
        return 0;
    }
    at = cell->text + 1;
    end = cell->text + cell->length - 1;
    while (at < end) {
        if (end - at >= 4 && !memcmp(at, "null", 4)) {
            at += 4;
        } else if (*at && strchr("0123456789.,-+eE ", *at)) {
            at++;
        } else {
            return 0;
        }
    }
    return 1;
}

static apr_status_t fail_values(const ecl_copy_table_t *table, const ecl_copy_cell_t *cell,
                                ecl_result_t *result)
{
    return ecl_fail(result, APR_EGENERAL, "day-damaged",
                    "%s holds values that are no list of decimals and were not written by this "
                    "program: \"%.*s\"",
                    table->name, cell->length > 60 ? 60 : (int)cell->length, cell->text);
}

/* ---- reading -------------------------------------------------------------------------------- */

/* Undoes COPY's escapes in place; returns the length. */
static apr_size_t unescape(char *text, apr_size_t length)
{
    static const char letters[] = "bfnrtv", meant[] = "\b\f\n\r\t\v";
    char *to = text;

    for (const char *at = text, *end = text + length; at < end; at++) {
        char c = *at;

        if (c == '\\' && at + 1 < end) {
            const char *letter = strchr(letters, *++at);
            c = letter && *letter ? meant[letter - letters] : *at;
        }
        *to++ = c;
    }
    return (apr_size_t)(to - text);
}

/* Cuts a line of COPY's into cells. 0: it has another number of them. */
static int cut(char *line, apr_size_t length, ecl_copy_cell_t *cells, int count)
{
    char *at = line, *end = line + length - 1; /* the line's end */

    for (int i = 0; i < count; i++) {
        char *stop = at <= end ? memchr(at, '\t', (apr_size_t)(end - at)) : NULL;
        apr_size_t size;

        if (at > end || !stop != (i == count - 1)) {
            return 0;
        }
        size = (apr_size_t)((stop ? stop : end) - at);
        cells[i].text = size == 2 && !memcmp(at, "\\N", 2) ? NULL : at;
        cells[i].length = cells[i].text ? unescape(at, size) : 0;
        at += size + 1;
    }
    return 1;
}

static apr_status_t take_line(const ecl_copy_table_t *table, char *line, int length,
                              ecl_copy_on_row_t *on_row, void *baton, ecl_result_t *result)
{
    ecl_copy_cell_t cells[ECL_COPY_COLUMNS];

    if (!cut(line, (apr_size_t)length, cells, ecl_copy_count_columns(table))) {
        return ecl_fail(result, APR_EGENERAL, "database-error", "%s: a row of %s is not whole",
                        copying, table->name);
    }
    if (table->values >= 0 && !is_values(&cells[table->values])) {
        return fail_values(table, &cells[table->values], result);
    }
    return on_row(baton, cells, result);
}

static apr_status_t read_table(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                               ecl_copy_on_row_t *on_row, void *baton, apr_pool_t *p,
                               ecl_result_t *result)
{
    PGconn *pg = ecl_db_native(conn);
    const char *what = apr_psprintf(p, "cannot read %s", table->name);
    PGresult *answer = PQexec(pg, apr_psprintf(p, "COPY (SELECT %s FROM %s ORDER BY %s) TO STDOUT",
                                               table->columns, table->name, table->order));
    apr_status_t rv = APR_SUCCESS;
    char *line = NULL;
    int length = -2;

    if (PQresultStatus(answer) == PGRES_COPY_OUT) {
        while (rv == APR_SUCCESS && (length = PQgetCopyData(pg, &line, 0)) > 0) {
            rv = take_line(table, line, length, on_row, baton, result);
            PQfreemem(line);
        }
    }
    PQclear(answer);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    answer = length == -1 ? PQgetResult(pg) : NULL;
    if (PQresultStatus(answer) != PGRES_COMMAND_OK) {
        rv = ecl_pg_fail(conn, what, result);
    }
    PQclear(answer);
    if (rv == APR_SUCCESS) {
        PQclear(PQgetResult(pg)); /* there is no other */
    }
    return rv;
}

/* ---- writing -------------------------------------------------------------------------------- */

static apr_status_t make_room(ecl_db_conn_t *conn, const int *years, int count, apr_pool_t *p,
                              ecl_result_t *result)
{
    ecl_pg_years_t *seen = apr_pcalloc(p, sizeof *seen);
    ecl_meter_day_t *day = apr_pcalloc(p, sizeof *day);
    const ecl_meter_day_t *const days[] = {day};
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < count; i++) {
        if (!ecl_date_from_ymd(years[i], 1, 1, &day->date)) {
            return ecl_fail(result, APR_EGENERAL, "day-damaged",
                            "meter_days holds a date that was not written by this program: its "
                            "year is %d",
                            years[i]);
        }
        rv = ecl_pg_make_partitions(conn, seen, days, 1, result);
    }
    return rv;
}

typedef struct writer_t {
    ecl_db_conn_t *conn;
    const ecl_copy_table_t *table;
    int columns;
    ecl_pg_bytes_t bytes;
    const char *what;
} writer_t;

static apr_status_t write_begin(void **pwriter, ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_pool_t *p, ecl_result_t *result)
{
    writer_t *writer = apr_pcalloc(p, sizeof *writer);
    PGresult *answer = PQexec(ecl_db_native(conn), apr_psprintf(p, "COPY %s (%s) FROM STDIN",
                                                                table->name, table->columns));
    int is_begun = PQresultStatus(answer) == PGRES_COPY_IN;

    PQclear(answer);
    writer->conn = conn;
    writer->table = table;
    writer->columns = ecl_copy_count_columns(table);
    writer->bytes.pool = p;
    writer->what = apr_psprintf(p, "cannot write %s", table->name);
    *pwriter = writer;
    return is_begun ? APR_SUCCESS : ecl_pg_fail(conn, writer->what, result);
}

/* How much of the text, from its beginning, needs no escape. */
static apr_size_t plain_length(const char *text, apr_size_t length)
{
    apr_size_t plain = 0;

    while (plain < length && text[plain] != '\\' && text[plain] != '\t' && text[plain] != '\n' &&
           text[plain] != '\r') {
        plain++;
    }
    return plain;
}

static void put_text(ecl_pg_bytes_t *bytes, const char *text, apr_size_t length)
{
    while (length) {
        apr_size_t plain = plain_length(text, length);

        ecl_pg_put_raw(bytes, text, plain);
        text += plain;
        length -= plain;
        if (length) {
            const char *escape = *text == '\t'   ? "\\t"
                                 : *text == '\n' ? "\\n"
                                 : *text == '\r' ? "\\r"
                                                 : "\\\\";
            ecl_pg_put_raw(bytes, escape, 2);
            text++;
            length--;
        }
    }
}

static apr_status_t send_bytes(writer_t *writer, ecl_result_t *result)
{
    if (PQputCopyData(ecl_db_native(writer->conn), writer->bytes.data, (int)writer->bytes.size) !=
        1) {
        return ecl_pg_fail(writer->conn, writer->what, result);
    }
    writer->bytes.size = 0;
    return APR_SUCCESS;
}

static apr_status_t write_row(void *baton, const ecl_copy_cell_t *cells, ecl_result_t *result)
{
    writer_t *writer = baton;
    int values = writer->table->values;

    if (values >= 0 && !is_values(&cells[values])) {
        return fail_values(writer->table, &cells[values], result);
    }
    for (int i = 0; i < writer->columns; i++) {
        if (i) {
            ecl_pg_put_raw(&writer->bytes, "\t", 1);
        }
        if (!cells[i].text) {
            ecl_pg_put_raw(&writer->bytes, "\\N", 2);
        } else {
            put_text(&writer->bytes, cells[i].text, cells[i].length);
        }
    }
    ecl_pg_put_raw(&writer->bytes, "\n", 1);
    return writer->bytes.size < COPY_BYTES ? APR_SUCCESS : send_bytes(writer, result);
}

static apr_status_t write_end(void *baton, ecl_result_t *result)
{
    writer_t *writer = baton;
    PGconn *pg = ecl_db_native(writer->conn);
    PGresult *answer = NULL;
    apr_status_t rv = writer->bytes.size ? send_bytes(writer, result) : APR_SUCCESS;

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (PQputCopyEnd(pg, NULL) == 1) {
        answer = PQgetResult(pg);
    }
    if (PQresultStatus(answer) != PGRES_COMMAND_OK) {
        rv = ecl_pg_fail(writer->conn, writer->what, result);
    }
    PQclear(answer);
    if (rv == APR_SUCCESS) {
        PQclear(PQgetResult(pg)); /* there is no other */
    }
    return rv;
}

/* ---- ids ------------------------------------------------------------------------------------ */

static apr_status_t get_next_id(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_int64_t *pnext, apr_pool_t *p, ecl_result_t *result)
{
    PGresult *answer;
    apr_status_t rv = ecl_pg_run(
        conn, copying, apr_psprintf(p, "SELECT pg_get_serial_sequence('%s', 'id')", table->name), 0,
        NULL, &answer, result);

    if (rv == APR_SUCCESS) {
        rv = number(conn,
                    apr_psprintf(p,
                                 "SELECT greatest((SELECT max(id) + 1 FROM %s), last_value"
                                 " + CASE WHEN is_called THEN 1 ELSE 0 END) FROM %s",
                                 table->name, PQgetvalue(answer, 0, 0)),
                    pnext, result);
    }
    PQclear(answer);
    return rv;
}

/* Unlike setval, this is taken back with the transaction. */
static apr_status_t set_next_id(ecl_db_conn_t *conn, const ecl_copy_table_t *table,
                                apr_int64_t next, apr_pool_t *p, ecl_result_t *result)
{
    return execute(conn,
                   apr_psprintf(p, "ALTER TABLE %s ALTER COLUMN id RESTART WITH %" APR_INT64_T_FMT,
                                table->name, next),
                   result);
}

const ecl_copy_driver_t ecl_copy_pgsql = {
    .identify = identify,
    .begin = begin,
    .number = number,
    .read = read_table,
    .make_room = make_room,
    .write_begin = write_begin,
    .write_row = write_row,
    .write_end = write_end,
    .get_next_id = get_next_id,
    .set_next_id = set_next_id,
};
