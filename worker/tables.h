/*
 * Tables that stand one below the other, and what the lines above each say of its rows: of which
 * meter they are, where they do not name it, of which channel, and in which unit.
 *
 *   MPAN: 1000000000012          a line that says something: of the rows below it
 *   Units: kWh
 *   Date,kWh                     the header, above each table or above the first one only
 *   01/02/2026,10.5
 *   MPAN: 2000000000024          and so on
 *
 * Lines that no row parts belong together. What they say holds until others say otherwise; where
 * they contradict each other, or leave open what the tables before them differ in, the rows below
 * them fail: nothing is guessed. The first table's lines are those that ecl_layout_find goes by,
 * and this is the same for the sample, the survey and the reader, at any depth of the file.
 *
 * Memory: what is in ecl_tables_t.
 */
#ifndef ECL_TABLES_H
#define ECL_TABLES_H

#include "layout.h"
#include "records.h"
#include "words.h"

/* What lines that stand together say. */
typedef struct ecl_said_t {
    char number[ECL_METER_MAX], name[ECL_METER_MAX]; /* the last of each */
    int numbers, names;                              /* how many, without repeats in a row */
    char
        other[ECL_METER_MAX]; /* what "MPAN: …" or "Meter: …" has that is no meter's; "": nothing */
    const char *channel;      /* a literal, as of ecl_channel_of; NULL: nothing */
    int is_export;            /* a line is nothing but "Export": that may be a direction, or not */
    ecl_unit_t unit;          /* NONE: nothing */
    ecl_unit_t title;         /* of a title, which may be about something else */
    apr_int64_t line;         /* of the last line that says something */
    int is_below_header;      /* the header came behind them, */
    int is_closed;            /* or a row */
} ecl_said_t;

/* A line above a table that may come again above others: as it is, or with the same beginning. */
typedef struct ecl_known_line_t {
    const char *beginning; /* as of ecl_tables_beginning */
    apr_uint64_t cells;    /* hash of all of them */
} ecl_known_line_t;

/* What is said above the first table, for those that follow. */
struct ecl_above_t {
    ecl_said_t said;
    int rows_name_meters;          /* what lines say of meters is not asked for */
    const ecl_known_line_t *lines; /* all of them, and those between header and first row */
    int line_count;
    int has_import; /* some line of the sample is nothing but "Import" */
};

/* What holds for the rows at some place of the file. */
typedef struct ecl_tables_t {
    const ecl_layout_t *layout;
    ecl_said_t said;
    int is_pending;               /* lines were read since the last row */
    char meter[ECL_METER_MAX];    /* "": it is not clear which; or the layout's, so far */
    const char *channel;          /* NULL: as the layout has it */
    ecl_unit_t unit;              /* NONE: as the layout has it */
    char own_name[ECL_METER_MAX]; /* beside the meter's number: "Meter: …"; "": none */
    int channels_differ, units_differ;
    const char *code; /* why rows can't be read: meter-, channel- or unit_code, in this order */
    const char *meter_code, *channel_code, *unit_code; /* NULL: they can */
    char meter_why[240], channel_why[200], unit_why[200];
} ecl_tables_t;

/* Takes a line, of which all cells are there. 1: it says something. */
int ecl_said_line(ecl_said_t *said, const ecl_record_t *record);

/* The meter that they name, as it is stored, and how. NULL: none, or several. */
const char *ecl_said_meter(const ecl_said_t *said, ecl_meter_above_t *phow);

/* Before the first row of a layout; 0: nothing stands around its table. */
int ecl_tables_start(ecl_tables_t *tables, const ecl_layout_t *layout);

/* Takes a record that is no row. 1: it says something of the rows below it that they do not say. */
int ecl_tables_line(ecl_tables_t *tables, const ecl_record_t *record);

/* The header, or a line of totals, came: it parts tables without rows. */
void ecl_tables_header(ecl_tables_t *tables);

/* The beginning of a line's first text, up to a colon. */
ecl_field_t ecl_tables_beginning(const ecl_record_t *record);

void ecl_tables_know(ecl_known_line_t *line, const ecl_record_t *record, apr_pool_t *p);

/* 1 when a record is the same as a line above the first table; and when it begins like one. */
int ecl_tables_is_repeated(const ecl_tables_t *tables, const ecl_record_t *record);
int ecl_tables_is_known(const ecl_tables_t *tables, const ecl_record_t *record);

/* Before a row where is_pending: decides what holds for it. */
void ecl_tables_row(ecl_tables_t *tables);

/* The sentence for code. */
const char *ecl_tables_why(const ecl_tables_t *tables);

#endif /* ECL_TABLES_H */
