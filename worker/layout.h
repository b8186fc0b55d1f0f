/*
 * What a file's columns mean, found from its content.
 *
 * layout_find reads the beginning of the file (at most ECL_LAYOUT_SAMPLE records), decides the
 * delimiter, finds the header, gives every column a role, and says in words what it found and why
 * (`evidence`): that goes into the job's summary.
 */
#ifndef ECL_LAYOUT_H
#define ECL_LAYOUT_H

#include "datetime.h"
#include "meter.h"
#include "records.h"

#define ECL_LAYOUT_SAMPLE 500                     /* records looked at, */
#define ECL_LAYOUT_SAMPLE_BYTES (4 * 1024 * 1024) /* and at most so many bytes of them */
#define ECL_LAYOUT_BLOCKS 4
#define ECL_BLOCK_VALUES 300 /* a day of 25 hours, every 5 minutes */
#define ECL_LAYOUT_VALUES (ECL_LAYOUT_BLOCKS * ECL_BLOCK_VALUES)

typedef enum ecl_layout_kind_t {
    ECL_LAYOUT_WIDE, /* a row is a meter's day: a value column for each period of it */
    ECL_LAYOUT_LONG, /* a row is a reading */
    ECL_LAYOUT_DAILY /* a row is a meter's day total */
} ecl_layout_kind_t;

typedef struct ecl_value_column_t {
    int column;      /* index of the value, from 0 */
    int flag_column; /* index of its flag; -1: none */
    int period;      /* its number from 1, for numbered columns; 0: labelled by the clock */
    int minute;      /* for labelled columns: period start as the clock shows it, 0 to 1435 */
    int repeated; /* labelled columns: the second time the clock shows `minute`, on the long day */
} ecl_value_column_t;

/* One run of value columns that make a day. Most files have one; kWh may be followed by kVArh, and
 * import may stand beside export. */
typedef struct ecl_value_block_t {
    int first, count;    /* which of `values` */
    const char *channel; /* NULL: what the row says, else AI */
    const char *unit;    /* NULL: what the row or the file says */
    int needed;          /* a row must reach at least this column (the last of an ordinary day) */
    int has_repeated; /* there are columns for the repeated hour (periods 49 and 50, or labelled) */
} ecl_value_block_t;

/* Another quantity that a row gives beside its value: "Import (kWh),Export (kWh)". */
typedef struct ecl_extra_value_t {
    int column;
    const char *channel;
    const char *unit; /* NULL: as the value's */
} ecl_extra_value_t;

#define ECL_LAYOUT_EXTRAS 3

/* Columns that have the date, or the time of day, in parts; -1: there is none. They are put
 * together (ecl_parts_join) before anybody reads them. */
typedef struct ecl_parts_t {
    int year, month, day;  /* the date is put into the cell of `day` */
    int hour, minute;      /* the time into that of `hour` */
    int first_hour;        /* 0: hours are 0 to 23; 1: 1 to 24, each the one that ends then */
    int has_24;            /* hours from 0: 24:00 is a time, too */
    int are_hours;         /* there are no minutes, or all are 0 */
    int has_second;        /* the hour that comes twice is marked the second time: "2*" */
    int hours_are_counted; /* in their order, to 23 or 25 where the clocks change; then the hour is
                              the period */
    const char *why;       /* what hours are, and what shows it */
} ecl_parts_t;

/* One column of a table that has one for each meter. */
typedef struct ecl_meter_column_t {
    int column;
    int flag_column;   /* -1: none */
    const char *meter; /* as it is stored: what ecl_meter_parse gives */
    ecl_meter_kind_t kind;
    const char *channel; /* NULL: what the row or the file says, else AI */
    const char *unit;    /* NULL: what the row or the file says */
} ecl_meter_column_t;

#define ECL_LAYOUT_METERS 1000

/* What the user said about the file (lib/options.h); NULL: nothing. */
typedef struct ecl_given_t ecl_given_t;
struct ecl_given_t {
    const char *meter;
    const char *labels;     /* "start", "end" */
    const char *timezone;   /* of dates and times without an offset */
    const char *unit;       /* "kWh", "Wh", "MWh", "kVArh", "kW", "m3", "ft3", "hcf" */
    const char *channel;    /* "AI", "AE", "RI", "RE" */
    const char *date_order; /* "dmy", "mdy", "ymd" */
    const char *reads;      /* "register": values are what a register showed at their times */
    /* What the file says that rejected rows are from, in their column "Read as". Its other words
     * are options, and stand above where the user gave nothing. */
    int is_read_as;       /* it has that column */
    int interval_minutes; /* 0: nothing is said */
    int midnight_is_end, times_are_local, periods_are_clock;
    const char *last;   /* "minute": labels_are_last; "23:59": day_ends_at_2359 */
    const char *hours;  /* "0", "1": the first of a day; "counted"; NULL: nothing is said */
    char decimal_point; /* NUL: nothing is said */
    int marks_are_before, has_exponents;
    /* Called once when the header is known: adds what is known of files with that header. The
     * status is that of finding the layout. NULL: nothing is known. */
    apr_status_t (*complete)(void *baton, const char *fingerprint, ecl_given_t *given);
    void *baton;
};

#define ECL_LAYOUT_ADDED 4

/* Something about the file as a whole to be told to the user as a warning. */
typedef struct ecl_layout_note_t {
    const char *code, *message;
} ecl_layout_note_t;

/* Whether cells of the date column are spreadsheets' day numbers or the like, see serial.h. */
typedef enum ecl_serial_dates_t {
    ECL_SERIAL_DATES_NONE,
    ECL_SERIAL_DATES_DAYS,  /* all of them whole days */
    ECL_SERIAL_DATES_TIMES, /* with a time of day, which is midnight where there is no fraction */
    ECL_SERIAL_DATES_UNIX   /* no day numbers but seconds, or milliseconds, since 1970 */
} ecl_serial_dates_t;

/* How the lines above a table name the meter that it is of. */
typedef enum ecl_meter_above_t {
    ECL_METER_ABOVE_NOT,
    ECL_METER_ABOVE_NUMBER, /* by MPAN or MPRN: "MPAN: 1000000000012", "Report for MPAN …" */
    ECL_METER_ABOVE_NAME,   /* by a number or name of its own: "Meter: E12A34567" */
    ECL_METER_BY_SHEET      /* they do not: the sheet is called by an MPAN or MPRN */
} ecl_meter_above_t;

typedef struct ecl_layout_t {
    ecl_layout_kind_t kind;
    ecl_given_t given;
    /* Of a workbook: each sheet with readings has a layout, in a list in the sheets' order. */
    struct ecl_layout_t *next;
    const char *sheet; /* NULL: a text */
    int sheet_number;
    const ecl_layout_note_t *notes; /* of the first in the list */
    int note_count;

    const struct ecl_turn_form_t *turned; /* the table lies on its side, see turn.h; NULL: no */

    char delimiter;
    char decimal_point;
    apr_int64_t header_record; /* number in its sheet of the header's record; 0: there is none */
    apr_int64_t first_record;  /* … of the first row: every record from there on is a row, if only
                                  to be skipped */
    int marks_are_before;  /* values with their flag in one cell (marked.h): "E0.12", not "0.12E" */
    int has_exponents;     /* values such as "1.5E-3" are in the sample */
    const char *marks;     /* such flags of the sample, for the evidence; NULL: there are none */
    int commas_are_groups; /* "1,234" was taken for a thousand; nothing in the sample shows it */
    int columns;           /* how many the header has */
    const char *const *names; /* header text by column */

    int meter_column; /* -1 where the file has no such column: given.meter is the meter */
    ecl_meter_above_t meter_above;   /* given.meter is what the lines above the table name */
    const struct ecl_above_t *above; /* what they say (tables.h): others may stand above further
                                        tables. NULL: nothing stands around the table */
    int is_meter_by_row; /* rejected rows each have the meter that was said above them */
    int is_unit_open;    /* rejected rows are of a unit that is not clear */
    int serial_column;
    int date_column;   /* a date, or date and time in one */
    int time_column;   /* long: a time of its own */
    int period_column; /* long: a settlement period number (or that of an hour), */
    int first_period;  /* counted from 1 or 0 */
    ecl_parts_t parts;
    int value_column; /* long, daily */
    int unit_column;
    int flag_column; /* one flag for the row */
    int channel_column;
    int power_is_beside;    /* rows in kW stand beside rows of energy: they are passed over */
    int channels_are_codes; /* 1, 2: import, export; 3, 4: the same of reactive energy */
    int total_column;       /* day total: never a reading */
    int total_is_sum;       /* wide: the sample shows that it is the sum of the row's first block */

    ecl_extra_value_t extras[ECL_LAYOUT_EXTRAS]; /* long, daily: beside value_column */
    int extra_count;

    /* Long, daily: a column per meter; then no column names the meter, and value_column is the
     * first of them. */
    ecl_meter_column_t *meters;
    int meter_count;
    int meter_lines; /* their names stand in more lines than the header's */

    ecl_value_column_t values[ECL_LAYOUT_VALUES]; /* wide: in file order, block by block */
    int value_count;
    ecl_value_block_t blocks[ECL_LAYOUT_BLOCKS];
    int block_count;
    int rows_are_whole; /* wide: a row has a value for each half-hour of its day, no more, no fewer;
                           a flow with days of any other form is broken */

    int labels_are_open;    /* long: the sample does not show whether times are starts or ends */
    int labels_are_ends;    /* the time is the period's end, */
    int labels_are_last;    /* long: and not the next one's start, but its own last minute: 00:29;
                               daily: days are stamped 23:59 */
    int day_ends_at_2359;   /* long: in place of 24:00, */
    int midnight_is_open;   /* so that 00:00 would show that times are something else */
    int midnight_is_end;    /* date and time apart: 00:00 ends the row's date (as 24:00 would) */
    int times_are_utc;      /* the header or the file says so */
    int times_are_local;    /* wide: it says so, or a part of it that was not looked at may */
    int periods_are_clock;  /* wide: columns that have numbers are what the clock shows */
    const char *zone_doubt; /* wide: in words, what speaks against it; NULL: nothing */
    int newest_first;       /* long: the file runs backward in time */
    int interval_minutes;   /* 30, or what the stamps or columns show; 1440 for daily */
    int interval_column;    /* long: the row's own minutes; -1: interval_minutes for all */
    int read_as_column;     /* of what rejected rows are read by; -1: there is none */
    ecl_serial_dates_t serial_dates;
    int serials_are_1904;
    int labels_above; /* what numbered columns stand for is said in the line above the header */
    ecl_date_order_t date_order;
    int dates_follow_as_mdy; /* then they follow each other day by day only as month/day */
    int date_order_is_open;  /* the sample has dates that read either way, and none that shows which
                              */
    const char *unit;        /* from the header or file, or given; NULL: kWh is assumed, and said */
    int unit_is_above;       /* given.unit is what the lines above the table say */
    int unit_is_given;       /* unit is what was given, for what does not state its own */
    const char *channel;     /* from the header; NULL: what the row says, else AI */
    int units_below;         /* the line below the header says the blocks' units */
    const char *added_channel; /* said outside the table, and needed by its rows; NULL: none */
    const char *channel_where; /* who says so, for the evidence; NULL: nobody outside the table */
    /* What a rejected row must have with it to mean the same in a file of its own: cells behind the
     * header's last column, as name and text, and a header that says it all (NULL: the file's own
     * line). */
    const char *added[ECL_LAYOUT_ADDED][2];
    int added_count;
    int added_always; /* the first of them that rows below another header need, too */
    const char *header;

    const char *fingerprint; /* SHA-256 of the normalised header; NULL: the file has none */
    const char *evidence; /* for people: "row per meter-day; 48 columns HH01…HH48; …"; of a workbook
                             the first has it all, a line for each sheet */
} ecl_layout_t;

/* Finds the layout of a stored file. import_type ("auto", "hh", "daily") restricts the kinds. What
 * was given stands in for what the file does not say, and must not contradict what it says.
 * ECL_EINPUT, with a code and a sentence that names what is missing or what the file is instead:
 * "empty-file", "no-readings", "no-meter-column", "no-date-column", "no-value-column",
 * "not-meter-data", "not-text", "bad-unit", "not-half-hourly", "not-daily",
 * "date-order-open", "unit-open" (the file does not say), "meter-conflict" and so
 * on for the other options (what was given cannot be); for a workbook also those of ecl_xlsx_open.
 * A workbook of which some sheet can be read is read, and notes name the others. Allocated from p.
 */
apr_status_t ecl_layout_find(ecl_layout_t **playout, const char *path, const char *import_type,
                             const ecl_given_t *given, apr_pool_t *p, ecl_result_t *result);

#define ECL_PARTS_TEXT 48

/* Room for what is put together. */
typedef struct ecl_parts_text_t {
    char date[ECL_PARTS_TEXT], time[ECL_PARTS_TEXT];
} ecl_parts_text_t;

/* Puts the parts of a row's date and time together, in the record's cells. Returns the number of
 * its hour, -1: it has none; *pis_second: that is marked as coming the second time. */
int ecl_parts_join(const ecl_layout_t *layout, ecl_record_t *record, ecl_parts_text_t *text,
                   int *pis_second);

/* Sets added, when all else is known of the layout. */
void ecl_layout_add_cells(ecl_layout_t *layout, apr_pool_t *p);

/* A time that the clock shows twice: what a row by itself can't say. */
typedef enum ecl_hour_t { ECL_HOUR_OPEN, ECL_HOUR_FIRST, ECL_HOUR_SECOND } ecl_hour_t;

/* What a rejected row of that hour has at the end of its last added cell; NULL: nothing. And what
 * the cell of a row says that has been rejected before. */
const char *ecl_layout_hour_words(const ecl_layout_t *layout, ecl_hour_t hour);
ecl_hour_t ecl_layout_hour_of(const char *read_as);

#endif /* ECL_LAYOUT_H */
