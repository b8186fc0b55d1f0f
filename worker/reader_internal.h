/*
 * What the readers of the three layouts share; only worker/reader*.c include this.
 *
 * Bound of what is kept across records: ECL_OPEN_DAYS days being gathered, and one more for each
 * column of a meter (ECL_LAYOUT_METERS), the occurrences of
 * repeated labels on ECL_REPEATED_MAX meter-days with a long day, and hashes of
 * ECL_WARNED_MAX identifiers that were warned of.
 */
#ifndef ECL_READER_INTERNAL_H
#define ECL_READER_INTERNAL_H

#include "hash.h"
#include "reader.h"
#include "tables.h"
#include "turn.h"
#include "words.h"

#define ECL_OPEN_DAYS 64
#define ECL_REPEATED_MAX 49152   /* of slots: */
#define ECL_REPEATED_SLOTS 65536 /* a power of two; 2.5 MiB, made when a long day is first met */
#define ECL_WARNED_MAX 4096
#define ECL_WARNED_SLOTS 8192 /* a power of two */
#define ECL_SHOWN_MAX 64      /* bytes of a cell that a message shows */

/* What one record turned out to be. When it FAILED, on_error was called. */
typedef enum ecl_outcome_t {
    ECL_OUTCOME_TAKEN,
    ECL_OUTCOME_FAILED,
    ECL_OUTCOME_SKIPPED
} ecl_outcome_t;

/* How often a label of the repeated hour was met for one meter, channel and day. */
typedef struct ecl_repeated_t {
    apr_uint64_t key[2];     /* two hashes of meter, channel and date: 128 bits; 0, 0: free */
    unsigned short seen[12]; /* by place in the hour, at 5-minute steps */
} ecl_repeated_t;

/* The rows of a file, one after the other. */
typedef struct ecl_rows_t {
    ecl_records_t *records;
    const ecl_layout_t *first, *layout; /* of all sheets; of the row in hand */
    ecl_turn_t *turn;                   /* NULL: no table lies on its side */
    int has_ended;                      /* the sheet or file of turn has */
    ecl_record_t held; /* a record that waits for the days of the table above it; nothing is read
                          meanwhile, so it stays valid */
    int is_held;
    apr_int64_t number;     /* where there is a turn: of the row in hand */
    ecl_parts_text_t parts; /* what its date and time were put together as, */
    int is_second;          /* and whether its hour is marked as the second of two */
} ecl_rows_t;

/* One column of a table with a column per meter, in the row in hand. */
typedef struct ecl_meter_cell_t ecl_meter_cell_t;

typedef struct ecl_registers_t ecl_registers_t;

/* A layout of rows of which the lines above their table say otherwise than those above the first
 * one: its channel, its unit. */
typedef struct ecl_variant_t {
    ecl_layout_t layout;
    const ecl_layout_t *of;
    const char *channel; /* as of ecl_tables_t */
    ecl_unit_t unit;
    int is_channel_open, is_unit_open;
    int is_foreign; /* of rows below a header that has a column of meters itself */
    struct ecl_variant_t *next;
} ecl_variant_t;

struct ecl_reader_t {
    apr_pool_t *pool;
    ecl_layout_t *layouts;      /* of all sheets; of a text there is one */
    const ecl_layout_t *found;  /* of the sheet in hand, of these */
    const ecl_layout_t *layout; /* of the record in hand: the same, or a variant of it */
    ecl_variant_t *variants;
    int has_tables;   /* lines between rows may say something of those below them */
    int value_column; /* the first of a row */
    ecl_tables_t tables;
    char added[ECL_METER_MAX + 24]; /* what the row in hand needs, if it is rejected */
    ecl_reader_options_t options;
    ecl_clock_t *utc, *given_zone; /* made when some layout's times need them */
    const ecl_clock_t *zone;       /* of the file's dates and times; options.clock: local ones */
    apr_int64_t rows;              /* of the file; -1: not counted yet */
    ecl_records_t *records;
    ecl_rows_t stream;   /* of records */
    ecl_record_t record; /* the one in hand */

    /* during a call */
    const ecl_reader_sink_t *sink;
    apr_status_t sink_status; /* of the first call that did not succeed */
    char message[512];
    char shown[2][ECL_SHOWN_MAX + 4];
    int next_shown;
    char column_number[16];

    int has_failed;              /* the record in hand was reported */
    ecl_hour_t hour;             /* which of the repeated hours the record in hand is of */
    int form_told;               /* what is to be warned of about the file's encoding was */
    int power_told, volume_told; /* that kW, m3 were converted */
    int has_told_notes;
    apr_int64_t calorific_value; /* of gas, in millionths of a MJ/m³ */
    ecl_meter_day_t *volume;     /* a day of gas by volume, before it is converted */

    /* a header that is not ours came up: rows can't be trusted until ours comes again */
    int is_foreign;
    char *foreign_header;  /* that header; empty: it is too long */
    int foreign_has_meter; /* it has a column of meters */
    int has_other_names;   /* columns of meters are others', though the header itself is ours */

    /* the last cells read, and what they meant: rows of one meter and day follow each other */
    char meter_text[ECL_METER_MAX];
    apr_size_t meter_length;
    char meter[ECL_METER_MAX];
    ecl_meter_kind_t meter_kind;
    ecl_clock_day_t last_day;
    int has_last_day;

    apr_uint64_t warned[ECL_WARNED_SLOTS]; /* hashes of identifiers; 0: free */
    int warned_count;
    ecl_meter_day_t *days; /* `room`; wide: by block; long: open days; daily: by value */
    int room;
    apr_uint64_t *day_keys; /* long: hashes of meter, channel and date, by open day; 0: free */
    int *open_days;         /* long: indexes of days in the order they were opened */
    int open_count;
    int last_open;             /* long: index of the day the last row went to */
    ecl_meter_cell_t *cells;   /* `room`; made where there is a column per meter */
    const char *meter_in_hand; /* of the column that is being read, for messages; NULL: none */
    ecl_repeated_t *repeated;
    int repeated_count;
    ecl_registers_t *registers; /* NULL: values are what was used */
};

/* ---- telling -------------------------------------------------------------------------------- */

/* Reports the record in hand as failed; column -1: the whole row. Returns ECL_OUTCOME_FAILED. */
ecl_outcome_t ecl_reader_fail(ecl_reader_t *reader, int column, const char *code, const char *fmt,
                              ...) __attribute__((format(printf, 4, 5)));

void ecl_reader_warn(ecl_reader_t *reader, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Warns of what the layout says of the file as a whole. */
void ecl_reader_note(ecl_reader_t *reader, const ecl_layout_note_t *note);

/* The beginning of a cell for a message; valid until it is called twice more. */
const char *ecl_reader_show(ecl_reader_t *reader, ecl_field_t cell);

/* The column's header text for a message, or its number. */
const char *ecl_reader_column(ecl_reader_t *reader, int column);

/* Hands a day over. */
void ecl_reader_give(ecl_reader_t *reader, const ecl_meter_day_t *day);

/* ---- cells ---------------------------------------------------------------------------------- */

/* The cell of the record in hand, empty where the record is too short or column is -1. */
static inline ecl_field_t ecl_reader_cell(const ecl_reader_t *reader, int column)
{
    return column >= 0 && column < reader->record.count ? reader->record.fields[column]
                                                        : (ecl_field_t){"", 0};
}

/* All of these return 1, or 0 after having reported the record as failed. */

/* Fills reader->meter and meter_kind from the record's identifier; warns of a wrong check digit or
 * length once per identifier. */
int ecl_reader_take_meter(ecl_reader_t *reader);

/* A date within what is accepted (1990 to today); looks up its settlement day. cell is what the
 * message shows, column where it stands. */
int ecl_reader_take_day(ecl_reader_t *reader, ecl_date_t date, int column, ecl_field_t cell,
                        ecl_clock_day_t *day);

/* What to do with a record whose date or time can't be read: it is a line of the report around the
 * table, a header again, or a row that failed. */
ecl_outcome_t ecl_reader_unreadable(ecl_reader_t *reader, ecl_datetime_status_t status, int column);

/* 1 when the record in hand begins like a line of a report around the table, or is blank. */
int ecl_reader_is_furniture(const ecl_reader_t *reader);

/* 1 when the record in hand could be a header; the second reports it, and with it all rows until
 * our own header comes again: by our columns they would be misread. */
int ecl_reader_is_header(const ecl_reader_t *reader);
ecl_outcome_t ecl_reader_fail_header(ecl_reader_t *reader);

/* Days of this unit are gas by volume: ecl_reader_give converts them, and keeps them on a channel
 * of their own. */
#define ECL_UNIT_VOLUME "m3"
#define ECL_VOLUME_MAX (500000000 * ECL_DECIMAL_ONE)
#define ECL_CALORIFIC_ONE 1000000 /* of reader->calorific_value: 1 MJ/m³ */
#define ECL_CALORIFIC_VALUE 39075000
#define ECL_GAS_CORRECTION APR_INT64_C(102264) /* hundred-thousandths, and with these: */
#define ECL_GAS_DENOMINATOR (APR_INT64_C(36) * 10000 * ECL_CALORIFIC_ONE)

/* What the row says about itself, apart from date and values. */
typedef struct ecl_row_marks_t {
    const char *channel; /* "AI" …; NULL: the row is of a quantity that is no energy: skip it */
    const char *unit;    /* "kWh", "kVArh", or ECL_UNIT_VOLUME */
    apr_int64_t numerator, denominator; /* of the conversion to it */
    char flag;                          /* of the row; ECL_FLAG_ACTUAL where it says nothing */
} ecl_row_marks_t;

struct ecl_meter_cell_t {
    ecl_row_marks_t marks;
    ecl_decimal_t value;
    char flag;
    int open; /* long: index of the day that its last reading went to */
};

/* Makes a meter that is named between rows the one in hand. */
void ecl_reader_enter_named(ecl_reader_t *reader, const char *meter);

/* Makes the meter of a column the one in hand. */
void ecl_reader_enter_meter(ecl_reader_t *reader, const ecl_meter_column_t *column);

/* Reads the columns of all meters of the record in hand into reader->cells. */
int ecl_reader_take_meters(ecl_reader_t *reader);

/* block: wide layout's block, or NULL. */
int ecl_reader_take_marks(ecl_reader_t *reader, const ecl_value_block_t *block,
                          ecl_row_marks_t *marks);

/* The flag letter of a cell; ECL_FLAG_ACTUAL for a blank one. Warns of a word that is not known. */
char ecl_reader_take_flag(ecl_reader_t *reader, int column);

/* Marks for values of another unit than the row's, on its channel; and for a value beside it. */
void ecl_reader_unit_marks(ecl_reader_t *reader, ecl_unit_t unit, ecl_row_marks_t *marks);
void ecl_reader_extra_marks(ecl_reader_t *reader, const ecl_extra_value_t *extra,
                            ecl_row_marks_t *marks);

/* 1 when the row has no value, and none beside it. */
int ecl_reader_is_value_missing(const ecl_reader_t *reader);

/* A value cell with its flag (flag_column -1: the row's). *pvalue is ECL_DECIMAL_MISSING for none.
 * Negative import is refused. */
int ecl_reader_take_value(ecl_reader_t *reader, int column, int flag_column,
                          const ecl_row_marks_t *marks, ecl_decimal_t *pvalue, char *pflag);

/* Whether a value, in kWh (or as the file has it), is one that the systems behind smart meters give
 * where they have no reading. Exact; which ones depends on electricity or gas, where it is known.
 */
int ecl_is_sentinel(ecl_decimal_t value, ecl_meter_kind_t kind, int is_daily);

/* ---- reads of a register: reader_register.c ------------------------------------------------- */

#define ECL_REGISTERS_MAX 20000 /* meters and channels of a file */

void ecl_registers_open(ecl_reader_t *reader);

/* Takes a read of the meter in hand: *pat its time (UTC), *pvalue, *pflag. TAKEN: these are now the
 * start of the period, what was used in it, and its flag. SKIPPED: it makes no reading. */
ecl_outcome_t ecl_registers_add(ecl_reader_t *reader, const char *channel, int interval,
                                apr_int64_t *pat, ecl_decimal_t *pvalue, char *pflag);

/* At the file's end: warns of what made no reading. */
void ecl_registers_tell(ecl_reader_t *reader);

/* ---- values that rise as a register's do ---------------------------------------------------- */

typedef struct ecl_register_t {
    int count, rises, falls;
    ecl_decimal_t first, last;
} ecl_register_t;
void ecl_register_add(ecl_register_t *reads, ecl_decimal_t value);

/* Values in the order of time: are they reads of a register? Only clear cases: 24 values (12 of
 * days) or more of which none falls below the one before and 6 (12) or more rise, the first 1,000
 * or more and the last less than twice as much. */
int ecl_register_is_one(const ecl_register_t *reads, int is_daily);

/* Values of a day: do they run up, as a total does that begins anew each day? 24 or more, of which
 * 12 or more rise, and one at most falls. */
int ecl_register_runs_up(const ecl_register_t *reads);

/* Whether a row's days hold consumption: 0 when they hold a register's reads, which is reported. */
int ecl_reader_check_register(ecl_reader_t *reader, const ecl_meter_day_t *days, int count);

/* Starts a day for the meter and marks in hand: no values yet. */
void ecl_reader_start_day(const ecl_reader_t *reader, ecl_meter_day_t *day,
                          const ecl_clock_day_t *clock_day, const ecl_row_marks_t *marks,
                          int interval_minutes);

/* ---- lines between tables: reader_tables.c -------------------------------------------------- */

/* Starts with the sheet's first table. */
void ecl_reader_enter_tables(ecl_reader_t *reader);

/* 1 for a row that follows another one, as nearly all do: two characters show it. */
static inline int ecl_reader_is_next_row(const ecl_reader_t *reader)
{
    char date = *ecl_reader_cell(reader, reader->layout->date_column).text;
    char value = *ecl_reader_cell(reader, reader->value_column).text;

    return date >= '0' && date <= '9' && value >= '0' && value <= '9' && !reader->tables.is_pending;
}

/* Takes the record in hand if it is a line between tables: 1, and *poutcome. 0: it is to be read as
 * any other, with what holds for it. */
int ecl_reader_take_line(ecl_reader_t *reader, ecl_outcome_t *poutcome);

/* Goes on with what holds below the header in hand, ours or the foreign one. */
void ecl_reader_take_header(ecl_reader_t *reader);

/* Takes the record in hand if it is the line of a header that has the names of a column per meter.
 */
int ecl_reader_take_names(ecl_reader_t *reader, ecl_outcome_t *poutcome);

/* What the record in hand needs beside its cells when it is rejected; NULL: nothing. */
const char *ecl_reader_added(ecl_reader_t *reader);

/* ---- the layouts ---------------------------------------------------------------------------- */

/* Each makes what it needs once, reads the record in hand, and hands over what is still open. */
ecl_outcome_t ecl_wide_read(ecl_reader_t *reader);
void ecl_long_open(ecl_reader_t *reader);
ecl_outcome_t ecl_long_read(ecl_reader_t *reader);
void ecl_long_flush(ecl_reader_t *reader);
ecl_outcome_t ecl_daily_read(ecl_reader_t *reader);

/* ---- before the first row ------------------------------------------------------------------- */

typedef enum ecl_zone_kind_t {
    ECL_ZONE_NONE,
    ECL_ZONE_UTC,
    ECL_ZONE_LOCAL,
    ECL_ZONE_UNKNOWN /* no zone that is known, or lines that contradict each other */
} ecl_zone_kind_t;

/* What a line above or below the table says about the zone of its times. */
typedef struct ecl_zone_t {
    ecl_zone_kind_t kind;
    int is_below;     /* it stands below the first row */
    const char *line; /* for people: "line 12: Report Time Zone: …" */
} ecl_zone_t;

/* Takes a record for such a line if it is one; any record may be offered. line is of p. */
void ecl_zone_look(ecl_zone_t *zone, const ecl_layout_t *layout, const ecl_record_t *record,
                   apr_pool_t *p);

/* Sets times_are_utc by it, and says so in the evidence. */
void ecl_zone_apply(const ecl_zone_t *zone, ecl_layout_t *layout, apr_pool_t *p);

/* Adds a warning to the notes of the first layout if the zone is not known. Called when layout is
 * decided: it says what its times are read as. */
void ecl_zone_tell(const ecl_zone_t *zone, const ecl_layout_t *layout, ecl_layout_t *first,
                   apr_pool_t *p);

/* What rows of a day show of their zone on the days when the clocks change; of all sheets. */
typedef struct ecl_wide_zone_t {
    const char *utc, *local; /* for people: the first row that shows it; NULL: none does */
    const char *clock;       /* likewise, that columns are numbered as the clock shows them */
    int is_by_clock;         /* utc: of columns named by the clock, where it needs no more proof */
    int other_days;          /* how often the date changed to one without a clock change */
    int is_cut;              /* there are rows that were not looked at */
} ecl_wide_zone_t;

/* Whether it is for those days to show: nothing else says the zone of these rows of a day. */
int ecl_wide_zone_is_open(const ecl_layout_t *layout);

/* Takes a row and its local day: one of a clock change, or whose date is not that of the row
 * before. Texts are of p. */
void ecl_wide_zone_look(ecl_wide_zone_t *zone, const ecl_layout_t *layout,
                        const ecl_clock_day_t *day, const ecl_record_t *record, apr_pool_t *p);

/* Decides for all layouts that are open: UTC, or numbered by the clock, if some row shows it and
 * none the contrary. */
void ecl_wide_zone_apply(const ecl_wide_zone_t *zone, ecl_layout_t *first, apr_pool_t *p);

/* How often rows of the days on which the clocks change have the hours 1 to 25 of their day. */
typedef struct ecl_hours_seen_t {
    int in_short[26], in_long[26];
} ecl_hours_seen_t;

/* Takes a row with a value: its local day, and the number of its hour (-1: none). */
void ecl_hours_look(ecl_hours_seen_t *seen, const ecl_layout_t *layout, const ecl_clock_day_t *day,
                    int number);

/* Amends layout and evidence where they show that hours are numbered otherwise than by the clock at
 * their start; 1 if so. */
int ecl_hours_apply(const ecl_hours_seen_t *seen, ecl_layout_t *layout, apr_pool_t *p);

/* What the sample can't show and the file may: the zone that a line above or below the table
 * states; that local-looking stamps are UTC (the hour that the clocks skip in March is there), that
 * months stand before days, that times are period ends. Amends layout and its evidence, and the
 * notes of first, the first of the file's layouts; adds to wide, which is for the caller to apply.
 * workbook: the file's records if it is one, which are started again; NULL: a text.
 * Looks at ECL_SURVEY_BYTES at most: of a larger file the lines below the table count for nothing.
 * *prows: the data rows that ecl_reader_count
 * would find, as they were all seen anyway; -1: they were not. */
#define ECL_SURVEY_BYTES (64 * 1024 * 1024)
apr_status_t ecl_reader_survey(ecl_layout_t *layout, ecl_layout_t *first, const char *path,
                               ecl_records_t *workbook, const ecl_clock_t *clock,
                               ecl_wide_zone_t *wide, apr_pool_t *p, apr_int64_t *prows,
                               ecl_result_t *result);

#endif /* ECL_READER_INTERNAL_H */
