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
#include "records.h"

#define ECL_LAYOUT_SAMPLE 500 /* records looked at */

typedef enum ecl_layout_kind_t {
    ECL_LAYOUT_WIDE, /* a row is a meter's day: 46 to 50 value columns */
    ECL_LAYOUT_LONG, /* a row is a reading */
    ECL_LAYOUT_DAILY /* a row is a meter's day total */
} ecl_layout_kind_t;

typedef struct ecl_value_column_t {
    int column;      /* index of the value, from 0 */
    int flag_column; /* index of its flag; -1: none */
    int period;      /* settlement period from 1, for numbered columns; 0: labelled by the clock */
    int minute;      /* for labelled columns: period start as the clock shows it, 0 to 1410 */
} ecl_value_column_t;

typedef struct ecl_layout_t {
    ecl_layout_kind_t kind;
    char delimiter;
    char decimal_point;
    apr_int64_t header_record; /* record number of the header; 0: the file has none */
    int columns;               /* how many the header has */
    const char *const *names;  /* header text by column */

    int meter_column; /* -1 where the file has no such column */
    int serial_column;
    int date_column;   /* a date, or date and time in one */
    int time_column;   /* long: a time of its own */
    int period_column; /* long: a settlement period number */
    int value_column;  /* long, daily */
    int unit_column;
    int flag_column; /* one flag for the row */
    int channel_column;
    int total_column; /* day total, used as a checksum, never as a reading */

    ecl_value_column_t values[100]; /* wide: in file order */
    int value_count;

    int labels_are_ends;  /* the time is the period's end */
    int times_are_utc;    /* the header or the file says so */
    int interval_minutes; /* 30, or what the stamps show; 1440 for daily */
    ecl_date_order_t date_order;
    const char *unit; /* from the header or file; NULL: kWh is assumed, and said */

    const char *fingerprint; /* SHA-256 of the normalised header, for import templates */
    const char *evidence; /* one line for people: "row per meter-day, 48 columns HH01…HH48, …" */
} ecl_layout_t;

/* Finds the layout of a stored file. import_type ("auto", "hh", "daily") restricts the kinds.
 * ECL_EINPUT, with a code and a sentence that names what is missing or what the file is instead:
 * "empty-file", "no-readings", "no-meter-column", "no-date-column", "no-value-column",
 * "not-meter-data", "not-text". Allocated from p. */
apr_status_t ecl_layout_find(ecl_layout_t **playout, const char *path, const char *import_type,
                             apr_pool_t *p, ecl_result_t *result);

#endif /* ECL_LAYOUT_H */
