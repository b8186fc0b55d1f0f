/*
 * Tables that lie on their side: dates across the header, a row for each time of day.
 *
 *   Time,01/02/2026,02/02/2026        Meter,Date,00:00,00:30,…,23:30
 *   00:00,0.25,0.5             ──▶    …,01/02/2026,0.25,0.125,…
 *   00:30,0.125,0.75                  …,02/02/2026,0.5,0.75,…
 *
 * Such a table is turned into rows of a day, which are then found and read as any others: all rules
 * for them hold. A file may have several, one below the other, each with its meter above it.
 *
 * Memory: the cells of one table, at most ECL_TURN_DATES × ECL_TURN_LABELS of ECL_TURN_CELL bytes.
 */
#ifndef ECL_TURN_H
#define ECL_TURN_H

#include "layout.h"
#include "records.h"
#include "words.h"

#define ECL_TURN_DATES 400
#define ECL_TURN_LABELS ECL_BLOCK_VALUES
#define ECL_TURN_CELL 48 /* bytes of a cell, and NUL */

/* What the sample shows of such tables; the same for all of a file or sheet. */
typedef struct ecl_turn_form_t {
    int label_column;
    int meter_column; /* -1: none */
    int has_meter;    /* the turned table has a column of meters */
    int labels;       /* different ones */
    int extra;        /* more, for the hour that comes twice; 0: no label comes twice */
    int interval;     /* minutes */
    int are_ends;
    int as_clock;    /* ends: it is 01:00 that comes twice, as a clock shows it, and not 02:00 */
    int is_numbered; /* labels are numbers, of which none comes twice */
    char prefix[ECL_WORD_MAX], suffix[ECL_WORD_MAX]; /* of all labels, folded */
    short slots[1500];               /* by minute, or number: which column a label is; -1: none */
    const char *const *names;        /* the turned table's header: Meter, Date, labels */
    int columns;                     /* of it */
    char first_meter[ECL_METER_MAX]; /* said above the first table; "": nothing */
    ecl_meter_above_t meter_above;   /* and how */
    const char *channel;             /* also said there; NULL: nothing */
    ecl_unit_t unit;                 /* NONE: nothing */
    apr_int64_t header_record;       /* of the first table, in its sheet */
} ecl_turn_form_t;

typedef struct ecl_turn_t ecl_turn_t;

ecl_turn_t *ecl_turn_make(apr_pool_t *p);

/* Goes on with tables of a form; NULL: none. Nothing may be left to take. */
void ecl_turn_enter(ecl_turn_t *turn, const ecl_turn_form_t *form);

typedef enum ecl_turn_put_t {
    ECL_TURN_KEPT,  /* it is part of a table */
    ECL_TURN_FIRST, /* the table before it ends: take its days, then put the record again */
    ECL_TURN_OTHER  /* it is no part of one, or was rejected: to be read as it is */
} ecl_turn_put_t;

ecl_turn_put_t ecl_turn_put(ecl_turn_t *turn, ecl_record_t *record);

/* The file or sheet ends: what was put can be taken. */
void ecl_turn_end(ecl_turn_t *turn);

/* The next day of a table that has ended, valid until the next call; 0: there is none. */
int ecl_turn_take(ecl_turn_t *turn, ecl_record_t *record);

/* ---- what a record of such a table is ----------------------------------------------------------
 */

/* How many dates a header has, behind its label column; 0: it is no header. columns, of
 * ECL_TURN_DATES, and *pwidth (cells up to the last that counts) may be NULL. */
int ecl_turn_dates(const ecl_record_t *record, int label_column, int *columns, int *pwidth);

/* The label of a row: its minute, or number. 0: it has none. */
int ecl_turn_label(const ecl_turn_form_t *form, const ecl_record_t *record, int *plabel);

#endif /* ECL_TURN_H */
