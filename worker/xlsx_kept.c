/*
 * Rows one after the other, each as it stands in the book: what is known of it, then its text.
 */
#include "temp_file.h"
#include "xlsx_internal.h"

#define BUFFER_BYTES 65536

/* Where a sheet's rows stand in the file. */
typedef struct place_t {
    apr_off_t begin, end;
    int is_kept, is_whole;
} place_t;

struct ecl_xlsx_kept_t {
    const ecl_xlsx_book_t *book;
    apr_pool_t *p;
    apr_file_t *file; /* NULL: not needed yet */
    int has_failed;   /* it can't be written, and was closed */
    int is_reading;   /* it does not stand at its end */
    apr_off_t end;
    int begun;            /* the sheet begun last */
    apr_off_t at, before; /* what ecl_xlsx_kept_next gives next, and the end of it */
    place_t places[ECL_XLSX_SHEETS_MAX];
};

ecl_xlsx_kept_t *ecl_xlsx_kept_make(const ecl_xlsx_book_t *book, apr_pool_t *p)
{
    ecl_xlsx_kept_t *kept = apr_pcalloc(p, sizeof *kept);

    kept->book = book;
    kept->p = p;
    return kept;
}

static place_t *place_of(ecl_xlsx_kept_t *kept, int sheet)
{
    return &kept->places[sheet - 1];
}

/* Leaves the room on the disk to others. */
static void give_up(ecl_xlsx_kept_t *kept)
{
    kept->has_failed = 1;
    if (kept->file) {
        apr_file_close(kept->file);
        kept->file = NULL;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

void ecl_xlsx_kept_begin(ecl_xlsx_kept_t *kept, int sheet)
{
    kept->begun = sheet;
    *place_of(kept, sheet) = (place_t){.begin = kept->end, .end = kept->end, .is_kept = 1};
}

static apr_status_t open_file(ecl_xlsx_kept_t *kept)
{
    apr_status_t status = ecl_temp_file_open(&kept->file, "rows", APR_FOPEN_BUFFERED, kept->p);

    if (status == APR_SUCCESS) {
        status = apr_file_buffer_set(kept->file, apr_palloc(kept->p, BUFFER_BYTES), BUFFER_BYTES);
    }
    return status;
}

static apr_status_t write_row(ecl_xlsx_kept_t *kept, const ecl_xlsx_row_t *row)
{
    apr_status_t status = kept->file ? APR_SUCCESS : open_file(kept);

    if (status == APR_SUCCESS && kept->is_reading) {
        kept->is_reading = 0;
        status = apr_file_seek(kept->file, APR_SET, &kept->end);
    }
    if (status == APR_SUCCESS) {
        status = apr_file_write_full(kept->file, row, sizeof *row, NULL);
    }
    if (status == APR_SUCCESS) {
        status = apr_file_write_full(kept->file, kept->book->text, row->length, NULL);
    }
    return status;
}

void ecl_xlsx_kept_add(ecl_xlsx_kept_t *kept, const ecl_xlsx_row_t *row)
{
    if (kept->has_failed) {
        return;
    }
    if (write_row(kept, row) != APR_SUCCESS) {
        give_up(kept);
        return;
    }
    kept->end += (apr_off_t)(sizeof *row + row->length);
    place_of(kept, kept->begun)->end = kept->end;
}

void ecl_xlsx_kept_end(ecl_xlsx_kept_t *kept)
{
    place_of(kept, kept->begun)->is_whole = 1;
}

/* ---- reading --------------------------------------------------------------------------------- */

int ecl_xlsx_kept_start(ecl_xlsx_kept_t *kept, int sheet, int *pis_whole)
{
    const place_t *place = place_of(kept, sheet);

    if (!place->is_kept || kept->has_failed) {
        return 0;
    }
    *pis_whole = place->is_whole;
    kept->at = place->begin;
    kept->before = place->end;
    if (kept->file) {
        apr_off_t at = kept->at;

        kept->is_reading = 1;
        /* writes what is still in the buffer */
        if (apr_file_seek(kept->file, APR_SET, &at) != APR_SUCCESS) {
            give_up(kept);
        }
    }
    return !kept->has_failed;
}

apr_status_t ecl_xlsx_kept_next(ecl_xlsx_kept_t *kept, ecl_xlsx_row_t *row, ecl_result_t *result)
{
    apr_status_t status;

    if (kept->at == kept->before) {
        return APR_EOF;
    }
    status = apr_file_read_full(kept->file, row, sizeof *row, NULL);
    if (status == APR_SUCCESS) {
        status = apr_file_read_full(kept->file, kept->book->text, row->length, NULL);
    }
    if (status != APR_SUCCESS) {
        return ecl_fail(result, APR_STATUS_IS_EOF(status) ? APR_EGENERAL : status,
                        "file-unreadable",
                        "cannot read the workbook's rows back from a temporary file in TMPDIR");
    }
    kept->at += (apr_off_t)(sizeof *row + row->length);
    ecl_xlsx_row_split(kept->book, row);
    return APR_SUCCESS;
}
