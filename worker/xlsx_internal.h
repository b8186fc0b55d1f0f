/*
 * The parts of reading a workbook; only worker/xlsx*.c and their tests include this.
 *
 *   xlsx          parts of the archive, sheets, going from sheet to sheet
 *   xlsx_styles   which number format a style has
 *   xlsx_strings  shared strings
 *   xlsx_sheet    rows of one sheet
 *   xlsx_cell     a cell's text
 */
#ifndef ECL_XLSX_INTERNAL_H
#define ECL_XLSX_INTERNAL_H

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

/* Undoes "_x000D_", in place; returns the new length. */
apr_size_t ecl_xlsx_unescape(char *text, apr_size_t length);

/* ---- a sheet --------------------------------------------------------------------------------- */

typedef struct ecl_xlsx_sheet_t ecl_xlsx_sheet_t;

typedef struct ecl_xlsx_book_t {
    ecl_zip_t *zip;
    ecl_strings_t *strings;
    unsigned char *forms;
    int form_count;
    int is_1904;
    /* of the record in hand, shared by all sheets */
    ecl_field_t *fields; /* ECL_FIELDS_MAX */
    char *text;          /* ECL_RECORD_MAX + ECL_FIELDS_MAX */
    char *raw;
} ecl_xlsx_book_t;

/* Closed with p. */
apr_status_t ecl_xlsx_sheet_open(ecl_xlsx_sheet_t **psheet, const ecl_xlsx_book_t *book, int part,
                                 const char *name, apr_pool_t *p, ecl_result_t *result);

/* The next row with any text: line, fields, raw, status are set. APR_EOF after the last. */
apr_status_t ecl_xlsx_sheet_next(ecl_xlsx_sheet_t *sheet, ecl_record_t *record,
                                 ecl_result_t *result);

/* Bytes of its part used up. */
apr_int64_t ecl_xlsx_sheet_used(const ecl_xlsx_sheet_t *sheet);

#endif /* ECL_XLSX_INTERNAL_H */
