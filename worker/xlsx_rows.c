/*
 * The rows of a sheet: from pieces of it while all is well, else from one parser that goes through
 * it from the start.
 */
#include "xlsx_internal.h"

struct ecl_xlsx_rows_t {
    const ecl_xlsx_book_t *book;
    int part;
    const char *name;
    apr_pool_t *home, *p;      /* of what follows; home gives memory back to the system */
    ecl_xlsx_pieces_t *pieces; /* NULL: no more */
    ecl_xlsx_sheet_t *sheet;   /* used then */
    int has_ended;             /* neither is there any more */
    apr_int64_t taken;         /* rows that were handed out */
    int widest;                /* cells of the widest of them */
};

/* A pool that threads may make children of, and that keeps no memory which they have left. */
static apr_status_t make_pool(apr_pool_t **ppool, apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_thread_mutex_t *mutex;
    apr_status_t status = apr_allocator_create(&allocator);

    if (status != APR_SUCCESS) {
        return status;
    }
    apr_allocator_max_free_set(allocator, 65536);
    status = apr_pool_create_ex(ppool, parent, NULL, allocator);
    if (status != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return status;
    }
    apr_allocator_owner_set(allocator, *ppool);
    status = apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, *ppool);
    if (status == APR_SUCCESS) {
        apr_allocator_mutex_set(allocator, mutex);
    }
    return status;
}

static apr_status_t open_sheet(ecl_xlsx_rows_t *rows, ecl_result_t *result)
{
    ecl_zip_part_t *part;
    apr_status_t status = ecl_zip_part_open(&part, rows->book->zip, rows->part, rows->p, result);

    if (status == APR_SUCCESS) {
        status = ecl_xlsx_sheet_open(&rows->sheet, rows->book, rows->name, ecl_xlsx_part_read, part,
                                     rows->p, result);
    }
    return status;
}

apr_status_t ecl_xlsx_rows_open(ecl_xlsx_rows_t **prows, const ecl_xlsx_book_t *book, int part,
                                const char *name, apr_size_t piece, apr_pool_t *p,
                                ecl_result_t *result)
{
    ecl_xlsx_rows_t *rows = apr_pcalloc(p, sizeof *rows);

    if (make_pool(&rows->home, p) != APR_SUCCESS) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to read sheet \"%s\"", name);
    }
    apr_pool_create(&rows->p, rows->home);
    *prows = rows;
    rows->book = book;
    rows->part = part;
    rows->name = name;
    if (piece && ecl_zip_part_unpacked(book->zip, part) >= 4 * (apr_int64_t)piece &&
        ecl_xlsx_pieces_open(&rows->pieces, book, part, name, piece, rows->p) == APR_SUCCESS) {
        return APR_SUCCESS;
    }
    apr_pool_clear(rows->p);
    return open_sheet(rows, result);
}

/* One after the other from now on, and first to where the pieces have ended. */
static apr_status_t leave_pieces(ecl_xlsx_rows_t *rows, ecl_result_t *result)
{
    ecl_xlsx_row_t row;
    apr_status_t status;

    apr_pool_clear(rows->p);
    rows->pieces = NULL;
    status = open_sheet(rows, result);
    for (apr_int64_t i = 0; i < rows->taken && status == APR_SUCCESS; i++) {
        status = ecl_xlsx_sheet_next(rows->sheet, &row, result);
    }
    return status;
}

static apr_status_t next_row(ecl_xlsx_rows_t *rows, ecl_xlsx_row_t *row, ecl_result_t *result)
{
    if (rows->pieces) {
        apr_status_t status = ecl_xlsx_pieces_next(rows->pieces, row);

        if (!APR_STATUS_IS_INCOMPLETE(status)) {
            return status;
        }
        status = leave_pieces(rows, result);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    return ecl_xlsx_sheet_next(rows->sheet, row, result);
}

apr_status_t ecl_xlsx_rows_next(ecl_xlsx_rows_t *rows, ecl_xlsx_row_t *row, ecl_result_t *result)
{
    apr_status_t status = rows->has_ended ? APR_EOF : next_row(rows, row, result);

    if (APR_STATUS_IS_EOF(status)) {
        rows->has_ended = 1;
        apr_pool_clear(rows->p);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    rows->taken++;
    if (!row->is_too_long) {
        rows->widest = row->count > rows->widest ? row->count : rows->widest;
        ecl_xlsx_row_widen(rows->book, row, rows->widest);
    }
    return APR_SUCCESS;
}
