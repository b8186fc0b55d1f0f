/*
 * A sheet cut into pieces, which threads parse side by side.
 *
 *   unpack ─▶ cut before a "<row" ─┬─▶ thread: head + piece ─▶ expat ─▶ rows ─┬─▶ caller, in order
 *             (one thread at a time) └─▶ thread: …                             ─┘
 *
 * Most of the time that a workbook takes is expat's. A piece is parsed as if the sheet began with
 * it: its parser is first given the head of the sheet, up to the tag <sheetData>. That is right
 * where the piece before it has ended between two rows, with nothing but <sheetData> and what
 * stands around it open, and the piece begins with a row that says its number, a higher one than
 * the row before. Both are looked at before a row of the piece is handed out. A "<row" in a
 * comment, a row without a number, anything that is wrong: then the pieces end, and the caller
 * begins again with one parser, which finds what there is to find and tells of it. So no more is
 * decided here than in which order the parser sees the sheet.
 *
 * Memory: SLOTS times a piece, its rows and a parser.
 */
#include <apr_thread_cond.h>
#include <apr_thread_proc.h>

#include "xlsx_internal.h"

#define THREADS 2
#define SLOTS 4
#define HEAD_MAX 65536
#define ROWS_MAX 1048576 /* bytes of rows that come of a piece */

/* Whose a slot is. */
typedef enum state_t {
    STATE_FREE,  /* whoever cuts the piece that it is for */
    STATE_TAKEN, /* the thread that parses it */
    STATE_DONE   /* the caller, until all its rows are handed out */
} state_t;

/* Piece number n, from 0, has slot n % SLOTS. */
typedef struct slot_t {
    state_t state;
    apr_pool_t *p;
    ecl_xlsx_book_t book; /* with room for a row of its own */
    ecl_result_t result;
    char *xml;
    apr_size_t length, at; /* of xml; and how much of it the parser has got */
    apr_int64_t offset;    /* of xml in the sheet */
    apr_size_t head_at;    /* how much of the head the parser has got */
    int is_last;
    char *rows; /* one after the other: ecl_xlsx_row_t, its text */
    apr_size_t rows_length, taken;
    ecl_xlsx_place_t place; /* at its end */
    int is_odd;
    const ecl_xlsx_pieces_t *pieces;
} slot_t;

struct ecl_xlsx_pieces_t {
    const ecl_xlsx_book_t *book;
    const char *name;
    apr_size_t piece;
    char *head;
    apr_size_t head_length;
    apr_thread_t *threads[THREADS];

    apr_thread_mutex_t *cutting; /* of what is used to cut the next piece: */
    ecl_zip_part_t *part;
    apr_int64_t next; /* its number */
    apr_int64_t offset;
    char *rest; /* read, and not of a piece yet */
    apr_size_t rest_length;
    int is_cut_up; /* there is no next piece */

    apr_thread_mutex_t *lock; /* of the slots' states and this: */
    apr_thread_cond_t *told;
    int stops;

    apr_int64_t in_hand; /* the caller's: number of a piece, */
    int is_begun;        /* and whether it was looked at */
    apr_int64_t last_row;
    slot_t slots[SLOTS];
};

/* ---- cutting --------------------------------------------------------------------------------- */

static int is_row_tag(const char *at)
{
    return !memcmp(at, "<row", 4) && (at[4] == ' ' || at[4] == '>' || at[4] == '/' ||
                                      at[4] == '\n' || at[4] == '\r' || at[4] == '\t');
}

/* Where the last row begins that begins in the text; 0: none does, but perhaps at its start. */
static apr_size_t find_cut(const char *text, apr_size_t length)
{
    while (length > 5) {
        const char *at = memrchr(text, '<', length - 4);

        if (!at) {
            return 0;
        }
        length = (apr_size_t)(at - text);
        if (is_row_tag(at)) {
            return length;
        }
        length += 4;
    }
    return 0;
}

/* Takes the next piece. */
static void cut_piece(ecl_xlsx_pieces_t *pieces, slot_t *slot)
{
    apr_status_t status = APR_SUCCESS;

    apr_pool_clear(slot->p);
    slot->result = ecl_result_make(slot->p);
    memcpy(slot->xml, pieces->rest, pieces->rest_length);
    slot->length = pieces->rest_length;
    while (status == APR_SUCCESS && slot->length < pieces->piece) {
        apr_size_t length = pieces->piece - slot->length;

        status = ecl_zip_part_read(pieces->part, slot->xml + slot->length, &length, &slot->result);
        slot->length += status == APR_SUCCESS ? length : 0;
    }
    slot->is_last = APR_STATUS_IS_EOF(status);
    if (!slot->is_last) {
        apr_size_t cut = find_cut(slot->xml, slot->length);

        slot->is_odd = status != APR_SUCCESS || !cut;
        pieces->rest_length = slot->length - cut;
        memcpy(pieces->rest, slot->xml + cut, pieces->rest_length);
        slot->length = cut;
    }
    slot->offset = pieces->offset;
    pieces->offset += (apr_int64_t)slot->length;
    pieces->is_cut_up = slot->is_last || slot->is_odd;
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* Gives the parser the head, unless that is of the piece, and the piece. */
static apr_status_t read_piece(void *baton, void *bytes, apr_size_t *plength, ecl_result_t *result)
{
    slot_t *slot = baton;
    const ecl_xlsx_pieces_t *pieces = slot->pieces;
    int is_head = slot->offset && slot->head_at < pieces->head_length;
    const char *from = is_head ? pieces->head : slot->xml;
    apr_size_t *pat = is_head ? &slot->head_at : &slot->at;
    apr_size_t left = (is_head ? pieces->head_length : slot->length) - *pat;

    (void)result;
    if (!left) {
        return slot->is_last ? APR_EOF : APR_INCOMPLETE;
    }
    *plength = left < *plength ? left : *plength;
    memcpy(bytes, from + *pat, *plength);
    *pat += *plength;
    return APR_SUCCESS;
}

/* 0: there is no room for the row. */
static int keep_row(slot_t *slot, const ecl_xlsx_row_t *row)
{
    if (sizeof *row + row->length > ROWS_MAX - slot->rows_length) {
        return 0;
    }
    memcpy(slot->rows + slot->rows_length, row, sizeof *row);
    memcpy(slot->rows + slot->rows_length + sizeof *row, slot->book.text, row->length);
    slot->rows_length += sizeof *row + row->length;
    return 1;
}

static void parse_piece(slot_t *slot)
{
    apr_int64_t before = slot->offset ? (apr_int64_t)slot->pieces->head_length : 0;
    ecl_xlsx_sheet_t *sheet;
    ecl_xlsx_row_t row;
    apr_status_t status;

    slot->at = slot->head_at = slot->rows_length = slot->taken = 0;
    if (slot->is_odd) {
        return;
    }
    slot->is_odd = 1;
    status = ecl_xlsx_sheet_open(&sheet, &slot->book, slot->pieces->name, read_piece, slot, slot->p,
                                 &slot->result);
    while (status == APR_SUCCESS &&
           (status = ecl_xlsx_sheet_next(sheet, &row, &slot->result)) == APR_SUCCESS) {
        row.end += slot->offset - before;
        if (!keep_row(slot, &row)) {
            return;
        }
    }
    if (APR_STATUS_IS_EOF(status) || APR_STATUS_IS_INCOMPLETE(status)) {
        slot->place = *ecl_xlsx_sheet_place(sheet);
        slot->is_odd = !slot->is_last && !slot->place.is_between_rows;
    }
    apr_pool_clear(slot->p); /* a parser has 200 KiB, and only two are needed at a time */
}

/* Waits until a slot has a state; 0: the pieces are to end. */
static int wait_for(ecl_xlsx_pieces_t *pieces, const slot_t *slot, state_t state)
{
    int stops;

    apr_thread_mutex_lock(pieces->lock);
    while (slot->state != state && !pieces->stops) {
        apr_thread_cond_wait(pieces->told, pieces->lock);
    }
    stops = pieces->stops;
    apr_thread_mutex_unlock(pieces->lock);
    return !stops;
}

static void hand_over(ecl_xlsx_pieces_t *pieces, slot_t *slot, state_t state)
{
    apr_thread_mutex_lock(pieces->lock);
    slot->state = state;
    apr_thread_cond_broadcast(pieces->told);
    apr_thread_mutex_unlock(pieces->lock);
}

/* NULL: there is no more. */
static slot_t *take_piece(ecl_xlsx_pieces_t *pieces)
{
    slot_t *slot = NULL;

    apr_thread_mutex_lock(pieces->cutting);
    if (!pieces->is_cut_up && wait_for(pieces, &pieces->slots[pieces->next % SLOTS], STATE_FREE)) {
        slot = &pieces->slots[pieces->next % SLOTS];
        pieces->next++;
        hand_over(pieces, slot, STATE_TAKEN);
        cut_piece(pieces, slot);
    }
    apr_thread_mutex_unlock(pieces->cutting);
    return slot;
}

static void *APR_THREAD_FUNC parse_all(apr_thread_t *thread, void *data)
{
    ecl_xlsx_pieces_t *pieces = data;
    slot_t *slot;

    (void)thread;
    apr_setup_signal_thread(); /* signals are the caller's */
    while ((slot = take_piece(pieces)) != NULL) {
        parse_piece(slot);
        hand_over(pieces, slot, STATE_DONE);
    }
    return NULL;
}

/* ---- the caller ------------------------------------------------------------------------------ */

static apr_status_t stop(void *data)
{
    ecl_xlsx_pieces_t *pieces = data;

    apr_thread_mutex_lock(pieces->lock);
    pieces->stops = 1;
    apr_thread_cond_broadcast(pieces->told);
    apr_thread_mutex_unlock(pieces->lock);
    for (int i = 0; i < THREADS; i++) {
        apr_status_t ignored;

        if (pieces->threads[i]) {
            apr_thread_join(&ignored, pieces->threads[i]);
        }
    }
    return APR_SUCCESS;
}

typedef struct noting_t {
    ecl_zip_part_t *part;
    char *head; /* HEAD_MAX */
    apr_size_t length;
} noting_t;

static apr_status_t read_and_note(void *baton, void *bytes, apr_size_t *plength,
                                  ecl_result_t *result)
{
    noting_t *noting = baton;
    apr_status_t status = ecl_zip_part_read(noting->part, bytes, plength, result);

    if (status == APR_SUCCESS) {
        apr_size_t room = HEAD_MAX - noting->length;
        apr_size_t length = *plength < room ? *plength : room;

        memcpy(noting->head + noting->length, bytes, length);
        noting->length += length;
    }
    return status;
}

/* Reads up to the first row, to see where the head ends. APR_INCOMPLETE: no such row, or head. */
static apr_status_t read_head(ecl_xlsx_pieces_t *pieces, int part, apr_pool_t *p)
{
    ecl_result_t result = ecl_result_make(p);
    noting_t noting = {.head = pieces->head};
    ecl_xlsx_sheet_t *sheet;
    ecl_xlsx_row_t row;
    apr_int64_t length;

    if (ecl_zip_part_open(&noting.part, pieces->book->zip, part, p, &result) != APR_SUCCESS ||
        ecl_xlsx_sheet_open(&sheet, pieces->book, pieces->name, read_and_note, &noting, p,
                            &result) != APR_SUCCESS ||
        ecl_xlsx_sheet_next(sheet, &row, &result) != APR_SUCCESS) {
        return APR_INCOMPLETE;
    }
    length = ecl_xlsx_sheet_place(sheet)->head;
    if (length > (apr_int64_t)noting.length) {
        return APR_INCOMPLETE;
    }
    pieces->head_length = (apr_size_t)length;
    return APR_SUCCESS;
}

static void make_slot(slot_t *slot, const ecl_xlsx_pieces_t *pieces, apr_pool_t *p)
{
    slot->pieces = pieces;
    slot->book = *pieces->book;
    ecl_xlsx_row_room(&slot->book, p);
    slot->xml = apr_palloc(p, pieces->piece);
    slot->rows = apr_palloc(p, ROWS_MAX);
    apr_pool_create(&slot->p, p);
}

static apr_status_t start(ecl_xlsx_pieces_t *pieces, int part, apr_pool_t *p)
{
    ecl_result_t result = ecl_result_make(p);
    apr_status_t status = ecl_zip_part_open(&pieces->part, pieces->book->zip, part, p, &result);

    pieces->rest = apr_palloc(p, pieces->piece);
    for (int i = 0; i < SLOTS; i++) {
        make_slot(&pieces->slots[i], pieces, p);
    }
    if (status != APR_SUCCESS ||
        apr_thread_mutex_create(&pieces->cutting, APR_THREAD_MUTEX_DEFAULT, p) != APR_SUCCESS ||
        apr_thread_mutex_create(&pieces->lock, APR_THREAD_MUTEX_DEFAULT, p) != APR_SUCCESS ||
        apr_thread_cond_create(&pieces->told, p) != APR_SUCCESS) {
        return APR_INCOMPLETE;
    }
    apr_pool_pre_cleanup_register(p, pieces, stop);
    for (int i = 0; i < THREADS; i++) {
        if (apr_thread_create(&pieces->threads[i], NULL, parse_all, pieces, p) != APR_SUCCESS) {
            pieces->threads[i] = NULL;
            return APR_INCOMPLETE;
        }
    }
    return APR_SUCCESS;
}

apr_status_t ecl_xlsx_pieces_open(ecl_xlsx_pieces_t **ppieces, const ecl_xlsx_book_t *book,
                                  int part, const char *name, apr_size_t piece, apr_pool_t *p)
{
    ecl_xlsx_pieces_t *pieces = apr_pcalloc(p, sizeof *pieces);
    apr_pool_t *looking;
    apr_status_t status;

    pieces->book = book;
    pieces->name = name;
    pieces->piece = piece;
    pieces->head = apr_palloc(p, HEAD_MAX);
    apr_pool_create(&looking, p);
    status = read_head(pieces, part, looking);
    apr_pool_destroy(looking);
    if (status == APR_SUCCESS) {
        status = start(pieces, part, p);
    }
    *ppieces = status == APR_SUCCESS ? pieces : NULL;
    return status;
}

/* Waits for the piece in hand. 0: it can't be told that its rows are those of the sheet. */
static int begin_piece(ecl_xlsx_pieces_t *pieces)
{
    const slot_t *slot = &pieces->slots[pieces->in_hand % SLOTS];

    wait_for(pieces, slot, STATE_DONE);
    return !slot->is_odd && (!pieces->in_hand || slot->place.first_row > pieces->last_row);
}

static void take_row(const ecl_xlsx_pieces_t *pieces, slot_t *slot, ecl_xlsx_row_t *row)
{
    const char *at = slot->rows + slot->taken;

    memcpy(row, at, sizeof *row);
    memcpy(pieces->book->text, at + sizeof *row, row->length);
    ecl_xlsx_row_split(pieces->book, row);
    slot->taken += sizeof *row + row->length;
}

apr_status_t ecl_xlsx_pieces_next(ecl_xlsx_pieces_t *pieces, ecl_xlsx_row_t *row)
{
    for (;;) {
        slot_t *slot = &pieces->slots[pieces->in_hand % SLOTS];

        if (!pieces->is_begun && !begin_piece(pieces)) {
            return APR_INCOMPLETE;
        }
        pieces->is_begun = 1;
        if (slot->taken < slot->rows_length) {
            take_row(pieces, slot, row);
            return APR_SUCCESS;
        }
        if (slot->is_last) {
            return APR_EOF;
        }
        pieces->last_row = slot->place.last_row;
        pieces->is_begun = 0;
        pieces->in_hand++;
        hand_over(pieces, slot, STATE_FREE);
    }
}
