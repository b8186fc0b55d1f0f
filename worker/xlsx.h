/*
 * Excel workbooks (.xlsx, .xlsm): every worksheet, in the workbook's order, as records.
 *
 *   zip part ── unpack ──▶ expat, one <row> at a time ──▶ cells as text ──▶ record
 *
 * What a cell is:
 * - A number: the shortest decimal text that gives the same double again, so 0.1+0.2 reads
 *   0.30000000000000004 and 2.200990050083E12 reads 2200990050083; from 1E+15 on, where a
 *   spreadsheet no longer keeps all digits, with an exponent.
 * - A date or time: by the cell's number format, see serial.h.
 * - A text: shared, inline, or a formula's; a truth value is TRUE or FALSE; an error its name.
 * - A formula: its value as last computed. Where the program that wrote the file left that out, the
 *   formula ("=B2*2"), so that it is no reading and is not passed over either.
 *
 * Cells stand in the column that they say, one in each; what is between them is empty, and so is
 * what follows them up to the widest row so far: a row of a workbook is never cut off. Rows without
 * any text are no records. A record's line is the row's number, its raw text the cells as CSV.
 *
 * Memory, whatever the size of the workbook: one record, the parsers' buffers, number formats (at
 * most ECL_XLSX_FORMATS_MAX styles), 256 worksheets' names, and of the shared strings the first
 * ECL_STRINGS_MEMORY bytes; more of them goes to a temporary file (see xlsx_strings.h), and so do
 * rows that are to be read twice. While a large sheet is read twice, also what xlsx_pieces.c says.
 */
#ifndef ECL_XLSX_H
#define ECL_XLSX_H

#include "records.h"
#include "zip.h"

#define ECL_XLSX_SHEETS_MAX 256
#define ECL_XLSX_FORMATS_MAX 65536 /* Excel's own limit is 64000 */

typedef struct ecl_xlsx_t ecl_xlsx_t;

/* Opens a workbook before its first sheet. Closed with p. ECL_EINPUT: "bad-workbook", "no-sheets",
 * "bad-xml", and as zip.h. */
apr_status_t ecl_xlsx_open(ecl_xlsx_t **pxlsx, const ecl_zip_input_t *input, apr_pool_t *p,
                           ecl_result_t *result);

int ecl_xlsx_sheets(const ecl_xlsx_t *xlsx);
const ecl_sheet_t *ecl_xlsx_sheet(const ecl_xlsx_t *xlsx, int number);
int ecl_xlsx_is_1904(const ecl_xlsx_t *xlsx);

/* As ecl_records_only_sheet and ecl_records_pass_sheet. */
void ecl_xlsx_only_sheet(ecl_xlsx_t *xlsx, int number);
void ecl_xlsx_pass_sheet(ecl_xlsx_t *xlsx);

/* As ecl_records_read_all, ecl_records_keep and ecl_records_last_time. */
void ecl_xlsx_read_all(ecl_xlsx_t *xlsx);
void ecl_xlsx_keep(ecl_xlsx_t *xlsx);
void ecl_xlsx_last_time(ecl_xlsx_t *xlsx);

/* Bytes of XML that are parsed at a time, where threads share a sheet. */
void ecl_xlsx_set_piece(ecl_xlsx_t *xlsx, apr_size_t bytes);

/* As ecl_records_next. */
apr_status_t ecl_xlsx_next(ecl_xlsx_t *xlsx, ecl_record_t *record, ecl_result_t *result);

#endif /* ECL_XLSX_H */
