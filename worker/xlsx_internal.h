/*
 * The parts of reading a workbook; only worker/xlsx*.c and their tests include this.
 *
 *   xlsx          parts of the archive, sheets, going from sheet to sheet
 *   xlsx_styles   which number format a style has
 *   xlsx_strings  shared strings
 *   xlsx_rows     rows of one sheet
 *   xlsx_pieces   the same, parsed in several threads
 *   xlsx_sheet    from XML to rows
 *   xlsx_cell     a cell's text
 *   xlsx_row      a row as a record
 *   xlsx_kept     rows that were read, for when they are wanted again
 */
#ifndef ECL_XLSX_INTERNAL_H
#define ECL_XLSX_INTERNAL_H

#include <apr_thread_mutex.h>

#include "serial.h"
#include "xlsx.h"
#include "xlsx_strings.h"
#include "xml.h"
#include "zip.h"

/* ---- parts ----------------------------------------------------------------------------------- */

/* A part of the archive being parsed; handlers as of xml.h. */
typedef struct ecl_xlsx_part_t {
    ecl_zip_part_t *part;
    ecl_xml_t *xml;
} ecl_xlsx_part_t;

ecl_xml_read_t ecl_xlsx_part_read; /* of an ecl_zip_part_t */

apr_status_t ecl_xlsx_part_open(ecl_xlsx_part_t *ppart, ecl_zip_t *zip, int index,
                                const ecl_xml_handlers_t *handlers, const char *what, apr_pool_t *p,
                                ecl_result_t *result);

/* Parses a whole part; handlers pause to end it early. index -1: nothing is done. */
apr_status_t ecl_xlsx_parse(ecl_zip_t *zip, int index, const ecl_xml_handlers_t *handlers,
                            const char *what, apr_pool_t *p, ecl_result_t *result);

/* ---- styles ---------------------------------------------------------------------------------- */

/* The form of numbers by style; allocated from p. *pforms has *pcount members (ecl_serial_form_t as
 * bytes). */
apr_status_t ecl_xlsx_read_styles(ecl_zip_t *zip, int part, unsigned char **pforms, int *pcount,
                                  apr_pool_t *p, ecl_result_t *result);

/* ---- cells ----------------------------------------------------------------------------------- */

#define ECL_XLSX_NUMBER_TEXT 64

/* The text of a number as xlsx.h says; text as the workbook has it. Returns its length; 0: it is no
 * number, or too long to be one. */
apr_size_t ecl_xlsx_number(const char *text, apr_size_t length, ecl_serial_form_t form, int is_1904,
                           char out[ECL_XLSX_NUMBER_TEXT]);

/* "AB12" → 27 (columns count from 0). -1: no reference to a cell. */
int ecl_xlsx_column(const char *reference);

/* 27 → "AB"; the text is in out. */
#define ECL_XLSX_LETTERS 4
const char *ecl_xlsx_letters(int column, char out[ECL_XLSX_LETTERS]);

/* Undoes "_x000D_", in place; returns the new length. */
apr_size_t ecl_xlsx_unescape(char *text, apr_size_t length);

/* ---- rows ------------------------------------------------------------------------------------ */

typedef struct ecl_xlsx_book_t {
    ecl_zip_t *zip;
    apr_thread_mutex_t *lock; /* of the strings */
    ecl_strings_t *strings;
    unsigned char *forms;
    int form_count;
    int is_1904;
    /* of the row in hand */
    ecl_field_t *fields; /* ECL_FIELDS_MAX */
    char *text;          /* ECL_XLSX_TEXT_MAX: the cells one after the other, a NUL behind each */
    char *raw;           /* ECL_XLSX_RAW_MAX */
} ecl_xlsx_book_t;

#define ECL_XLSX_TEXT_MAX (ECL_RECORD_MAX + ECL_FIELDS_MAX + 2)
/* every byte a quotation mark, and every cell in a pair of them */
#define ECL_XLSX_RAW_MAX (2 * ECL_RECORD_MAX + 3 * ECL_FIELDS_MAX + 1)

/* What else there is to know of the row in a book's text. */
typedef struct ecl_xlsx_row_t {
    apr_int64_t line;
    apr_int64_t end;    /* bytes of its sheet's part, unpacked, up to and including it */
    apr_size_t length;  /* of the text, with all NULs */
    int count;          /* of cells */
    int is_too_long;    /* the text is its beginning */
    int may_need_quote; /* some cell has what CSV may put in quotation marks */
} ecl_xlsx_row_t;

/* The row in the book's text as a record: line, status, fields and raw. book->fields are set. */
void ecl_xlsx_row_record(const ecl_xlsx_book_t *book, const ecl_xlsx_row_t *row,
                         ecl_record_t *record);

/* Allocates what belongs to the row in hand. */
void ecl_xlsx_row_room(ecl_xlsx_book_t *book, apr_pool_t *p);

/* Takes a row whose text, `length` bytes of it, is in the book: sets book->fields. */
void ecl_xlsx_row_split(const ecl_xlsx_book_t *book, const ecl_xlsx_row_t *row);

/* Adds empty cells up to a count. */
void ecl_xlsx_row_widen(const ecl_xlsx_book_t *book, ecl_xlsx_row_t *row, int count);

/* 1 when a cell's text has to be in quotation marks. text has a NUL behind it. */
int ecl_xlsx_needs_quote(const char *text, apr_size_t length);

/* ---- a sheet, or a piece of one -------------------------------------------------------------- */

typedef struct ecl_xlsx_sheet_t ecl_xlsx_sheet_t;

/* read gives its XML. Closed with p. */
apr_status_t ecl_xlsx_sheet_open(ecl_xlsx_sheet_t **psheet, const ecl_xlsx_book_t *book,
                                 const char *name, ecl_xml_read_t *read, void *read_baton,
                                 apr_pool_t *p, ecl_result_t *result);

/* Puts the next row with any text into the book. APR_EOF after the last. */
apr_status_t ecl_xlsx_sheet_next(ecl_xlsx_sheet_t *sheet, ecl_xlsx_row_t *row,
                                 ecl_result_t *result);

/* How far a sheet has been read. */
typedef struct ecl_xlsx_place_t {
    apr_int64_t head;      /* bytes up to its first row; 0: it has not come to the rows */
    apr_int64_t first_row; /* number of its first row; 0: that does not say it */
    apr_int64_t last_row;
    int is_between_rows; /* only what was open after the head is open, and nothing has begun */
} ecl_xlsx_place_t;

/* After ecl_xlsx_sheet_next; valid until the next one. */
const ecl_xlsx_place_t *ecl_xlsx_sheet_place(ecl_xlsx_sheet_t *sheet);

/* ---- the rows of a sheet --------------------------------------------------------------------- */

typedef struct ecl_xlsx_rows_t ecl_xlsx_rows_t;

/* piece: bytes of its XML that are parsed at a time, side by side; 0: all one after the other. name
 * is kept. Closed with p. */
apr_status_t ecl_xlsx_rows_open(ecl_xlsx_rows_t **prows, const ecl_xlsx_book_t *book, int part,
                                const char *name, apr_size_t piece, apr_pool_t *p,
                                ecl_result_t *result);

/* Puts the next row with any text into the book, as wide as the widest so far. APR_EOF after the
 * last. */
apr_status_t ecl_xlsx_rows_next(ecl_xlsx_rows_t *rows, ecl_xlsx_row_t *row, ecl_result_t *result);

/* ---- the same in pieces ---------------------------------------------------------------------- */

#define ECL_XLSX_PIECE 131072

typedef struct ecl_xlsx_pieces_t ecl_xlsx_pieces_t;

/* Begins to parse a sheet in threads. APR_INCOMPLETE: it can't be parsed in pieces. */
apr_status_t ecl_xlsx_pieces_open(ecl_xlsx_pieces_t **ppieces, const ecl_xlsx_book_t *book,
                                  int part, const char *name, apr_size_t piece, apr_pool_t *p);

/* Puts the next row into the book. APR_EOF after the last. APR_INCOMPLETE: something is not as it
 * usually is, perhaps wrong; it will show when the rows that follow are read one after the other.
 */
apr_status_t ecl_xlsx_pieces_next(ecl_xlsx_pieces_t *pieces, ecl_xlsx_row_t *row);

/* ---- rows that are kept ---------------------------------------------------------------------- */

/* Rows of sheets in a temporary file, each sheet's from its first row on. It is there to save time
 * only: when the file can't be written, nothing is kept any more. */
typedef struct ecl_xlsx_kept_t ecl_xlsx_kept_t;

ecl_xlsx_kept_t *ecl_xlsx_kept_make(const ecl_xlsx_book_t *book, apr_pool_t *p);

/* Begins to keep a sheet's rows, from 1; what was kept of it is forgotten. */
void ecl_xlsx_kept_begin(ecl_xlsx_kept_t *kept, int sheet);

/* Keeps the next row of the sheet begun last, which stands in the book. After ecl_xlsx_kept_next
 * only when that gave APR_EOF. */
void ecl_xlsx_kept_add(ecl_xlsx_kept_t *kept, const ecl_xlsx_row_t *row);

/* That sheet has no more rows. */
void ecl_xlsx_kept_end(ecl_xlsx_kept_t *kept);

/* 1 when rows of a sheet are kept: then ecl_xlsx_kept_next gives them from the first one on.
 * *pis_whole: they are all that the sheet has. */
int ecl_xlsx_kept_start(ecl_xlsx_kept_t *kept, int sheet, int *pis_whole);

/* Puts the next row into the book. APR_EOF after the last one that is kept; a system error, code
 * "file-unreadable". */
apr_status_t ecl_xlsx_kept_next(ecl_xlsx_kept_t *kept, ecl_xlsx_row_t *row, ecl_result_t *result);

#endif /* ECL_XLSX_INTERNAL_H */
