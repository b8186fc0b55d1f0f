/*
 * Records → meter days: one small reader per layout behind one interface.
 *
 * A reader is deterministic: the same bytes give the same days and errors with the same numbers,
 * so a job continues after its checkpoint by reading from the start and passing over what is
 * already stored. Days may be handed over in parts (a flush, more meters in turn than are kept
 * open, a reading that comes twice): the parts of a day together are what the file says, and where
 * a reading comes twice the later part holds the later one. Order of rows matters in one place
 * only: local labels of the repeated hour in October.
 *
 * A failed row calls on_error exactly once. What is kept across records is bounded: see
 * reader_internal.h.
 */
#ifndef ECL_READER_H
#define ECL_READER_H

#include <json-c/json.h>

#include "../lib/jobs.h" /* ecl_row_error_t */
#include "layout.h"
#include "meter_day.h"

typedef struct ecl_reader_t ecl_reader_t;

/* Where a reader's results go. What is passed is valid during the call only. A status other than
 * APR_SUCCESS stops the reader and is returned from ecl_reader_next. */
typedef struct ecl_reader_sink_t {
    void *baton;
    apr_status_t (*on_day)(void *baton, const ecl_meter_day_t *day);
    apr_status_t (*on_error)(void *baton, const ecl_row_error_t *error);
    /* something to be told to the user that rejects nothing: grouped by code, counted, with the
     * first few examples. message names line and value. */
    apr_status_t (*on_warning)(void *baton, const char *code, const char *message);
} ecl_reader_sink_t;

/* For a sink that wants the days alone. */
apr_status_t ecl_reader_ignore_error(void *baton, const ecl_row_error_t *error);
apr_status_t ecl_reader_ignore_warning(void *baton, const char *code, const char *message);

typedef struct ecl_reader_options_t {
    const char *import_type; /* "auto", "hh", "daily" */
    const ecl_clock_t *clock;
    ecl_date_t today; /* dates after it are rejected */
    ecl_given_t given;
} ecl_reader_options_t;

/* Finds the layout and stands before the first record. Errors as of ecl_layout_find. May pass over
 * the beginning of the file (64 MiB) once for what a sample can't show, such as UTC stamps. */
apr_status_t ecl_reader_open(ecl_reader_t **preader, const char *path,
                             const ecl_reader_options_t *options, apr_pool_t *p,
                             ecl_result_t *result);

/* A second reader of the same file, which also stands before the first record: with the layout of
 * the first, from whose pool it is. */
apr_status_t ecl_reader_again(ecl_reader_t **pagain, const ecl_reader_t *reader, const char *path,
                              apr_pool_t *p, ecl_result_t *result);

/* The layout; of a workbook the list of its sheets' layouts. */
const ecl_layout_t *ecl_reader_layout(const ecl_reader_t *reader);

/* Longer headers are not kept: one that long is a file of its own. */
#define ECL_HEADER_MAX 16384

/* The layout of the record in hand, for on_error. *pforeign: where the record stands below a header
 * with other columns, or is it, that header as it stands in the file ("": it is too long), valid
 * during the call; else NULL. */
const ecl_layout_t *ecl_reader_in_hand(const ecl_reader_t *reader, const char **pforeign);

/* What became of one record. */
typedef enum ecl_row_fate_t {
    ECL_ROW_IMPORTED, /* its readings were, or will be, handed to on_day */
    ECL_ROW_FAILED,   /* on_error was called; none of its readings is used */
    ECL_ROW_SKIPPED   /* no data row: a total, a repeated header, a footer, all values missing */
} ecl_row_fate_t;

typedef struct ecl_row_t {
    apr_int64_t number; /* record number: the checkpoint */
    apr_int64_t line;
    apr_int64_t end_offset; /* bytes of the file used so far */
    ecl_row_fate_t fate;
} ecl_row_t;

/* Reads one data record (preamble and header are passed over and are no rows). APR_EOF at the end;
 * days that are still open were then handed over. */
apr_status_t ecl_reader_next(ecl_reader_t *reader, const ecl_reader_sink_t *sink, ecl_row_t *row,
                             ecl_result_t *result);

/* How many data rows the file has, where opening the reader passed over all of it; -1: it did not,
 * ecl_reader_count does. */
apr_int64_t ecl_reader_rows(const ecl_reader_t *reader);

/* Hands over a day that is still being gathered (long layout), so that everything up to the last
 * record is in the caller's hands: call before committing a batch. */
apr_status_t ecl_reader_flush(ecl_reader_t *reader, const ecl_reader_sink_t *sink);

/* Warns of what shows only when all of the file was read: call once, after APR_EOF, when nothing of
 * the file can be read again. */
apr_status_t ecl_reader_tell(ecl_reader_t *reader, const ecl_reader_sink_t *sink);

/* Counts the data rows of a file with a layout already known: what total_rows is. tick is called
 * now and then with baton, at least once per MiB; a status other than APR_SUCCESS ends the count.
 */
apr_status_t ecl_reader_count(const char *path, const ecl_layout_t *layout,
                              apr_status_t (*tick)(void *baton), void *baton, apr_pool_t *p,
                              apr_int64_t *prows, ecl_result_t *result);

#endif /* ECL_READER_H */
