/*
 * Bytes → records: the stored file as lines of fields.
 *
 *   file ──▶ unpack, decode (bytes.h) ──▶ one physical line at a time ──▶ libcsv ──▶ record
 *
 * Memory: one read buffer and one record (at most ECL_RECORD_MAX bytes), whatever the file's size.
 * Lines end with LF, CRLF or CR; a quoted field may contain line ends, and line numbers stay those
 * of a text editor. A quote that never closes costs one record: reading goes on with the line after
 * the one it opened on. A quote inside an unquoted field (12" pipe) is data.
 *
 * An Excel workbook gives the rows of its sheets, one sheet after the other: see xlsx.h.
 */
#ifndef ECL_RECORDS_H
#define ECL_RECORDS_H

#include "bytes.h"

#define ECL_RECORD_MAX (1024 * 1024)
#define ECL_FIELDS_MAX 4096

typedef struct ecl_records_t ecl_records_t;

typedef struct ecl_field_t {
    const char *text; /* NUL-terminated UTF-8 */
    apr_size_t length;
} ecl_field_t;

typedef enum ecl_record_status_t {
    ECL_RECORD_OK,
    ECL_RECORD_OPEN_QUOTE, /* a quote opened on this line never closes */
    /* more than ECL_RECORD_MAX bytes (raw is their beginning) or ECL_FIELDS_MAX fields */
    ECL_RECORD_TOO_LONG,
    ECL_RECORD_NOT_TEXT, /* NULs, or bytes that are no character in the file's encoding */
    ECL_RECORD_REJECTED  /* of a file that is no table (source.h): code and message say why */
} ecl_record_status_t;

typedef struct ecl_record_t {
    ecl_record_status_t status; /* anything but OK: fields is empty, the rest is set */
    apr_int64_t number;         /* of this record in the file, from 1; blank lines are none */
    apr_int64_t line;           /* physical line on which it starts, from 1; never less than before.
                                   Of a file that is no table, several may start on one */
    apr_int64_t end_offset;  /* bytes of the stored file up to and including it; near that where the
                                file is packed or no UTF-8 */
    apr_int64_t text_offset; /* bytes of text, unpacked and decoded, up to and including it; of a
                                file that is no table, of the table that it stands for */
    const char *sheet;       /* of a workbook: the sheet's name; NULL: a text */
    int sheet_number;        /* from 1; 0: a text */
    apr_int64_t sheet_record; /* number of this record in its sheet, or text, from 1 */
    ecl_field_t *fields;
    int count;
    const char *raw; /* as it stands in the file, without its line end; NUL-terminated; what is not
                        UTF-8 is shown as U+FFFD */
    apr_size_t raw_length;
    const char *code, *message; /* REJECTED: as of a row error; */
    int column;                 /* its column's index; -1: the whole row */
} ecl_record_t;

/* Opens a file for reading from its start. delimiter: ',', ';', '\t' or '|'; 0: unknown yet, every
 * physical line is one record of one field, quotes and all (used to look at a file before
 * deciding). With a delimiter, a file that is no table in text (source.h, xlsx.h) gives the records
 * of the tables that it stands for or holds, with commas in their raw text, and the delimiter means
 * nothing. Closed with p. Fails as ecl_bytes_open does; of a file that is no table, ECL_EINPUT. */
apr_status_t ecl_records_open(ecl_records_t **precords, const char *path, char delimiter,
                              apr_pool_t *p, ecl_result_t *result);

/* The same for lines that are split by delimiter, whatever stands in them. */
apr_status_t ecl_records_open_lines(ecl_records_t **precords, const char *path, char delimiter,
                                    apr_pool_t *p, ecl_result_t *result);

/* What the records come from; NULL: a table. */
struct ecl_source_t;
const struct ecl_source_t *ecl_records_source(const ecl_records_t *records);

/* The next record; valid until the next call. Lines of blanks only are no records (",,," is one).
 * Blanks around a field are not part of it, unless quoted. APR_EOF at the end; else fails as
 * ecl_bytes_read does. Allocates nothing per record. */
apr_status_t ecl_records_next(ecl_records_t *records, ecl_record_t *record, ecl_result_t *result);

/* From now on, for a caller that mostly needs no more: a record may have only its first `fields`
 * fields; split_rest then gives it the others, too, which may show that it is TOO_LONG. */
void ecl_records_set_head(ecl_records_t *records, int fields);
void ecl_records_split_rest(ecl_records_t *records, ecl_record_t *record);

/* What the file is packed in and how it is encoded, as far as it is known. */
const ecl_form_t *ecl_records_form(const ecl_records_t *records);

/* A worksheet. */
typedef struct ecl_sheet_t {
    const char *name;
    int is_hidden;
} ecl_sheet_t;

/* How many sheets a workbook has; 0 for a text. And each of them, from 1. */
int ecl_records_sheets(const ecl_records_t *records);
const ecl_sheet_t *ecl_records_sheet(const ecl_records_t *records, int number);

/* 1 for a workbook that counts its days from 1904, see serial.h. */
int ecl_records_is_1904(const ecl_records_t *records);

/* Starts again at the beginning of a sheet, and ends with it; records count from 1 again. */
void ecl_records_only_sheet(ecl_records_t *records, int number);

/* Passes over the rest of the sheet that the last record is of; it is not counted. */
void ecl_records_pass_sheet(ecl_records_t *records);

/* All of the file is going to be read: of a workbook, large sheets are parsed in threads from now
 * on. They end with their sheet, when another one is started, or the pool goes. */
void ecl_records_read_all(ecl_records_t *records);

/* The same, more than once. Of a workbook, which is dear to read: what is read from now on is kept
 * in a temporary file, and comes from there when its sheet is started again. Where the file can't
 * be written, the sheet is read anew. */
void ecl_records_keep(ecl_records_t *records);

/* Of a workbook: starts again at the beginning of the first sheet, after ecl_records_keep and for
 * the last time. */
void ecl_records_last_time(ecl_records_t *records);

/* Fewer bytes per read, and of a workbook per piece that a thread parses, so that tests can cut the
 * file anywhere. Call before the first next. */
void ecl_records_set_read_size(ecl_records_t *records, apr_size_t bytes);

#endif /* ECL_RECORDS_H */
