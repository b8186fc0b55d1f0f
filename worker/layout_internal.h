/*
 * The parts of finding a layout; only worker/layout*.c and their tests include this.
 *
 *   sniff    what kind of file is it at all: refuse pictures, workbooks, web pages by name
 *   sample   the first records, under one delimiter
 *   series   a header's runs of columns: 00:00 … 23:30, HH01 … HH50
 *   labels   its value columns: such series with their flags and clock-change pairs
 *   columns  every other column's role, by name and content
 *   parts    dates and times in several columns
 *   stamps   long layout: interval, period start or end, direction
 *   cells    what the cells show: dates and their order, the decimal sign
 *   given    what the user said, against all this
 *   evidence all of it in words
 */
#ifndef ECL_LAYOUT_INTERNAL_H
#define ECL_LAYOUT_INTERNAL_H

#include "decimal.h"
#include "layout.h"
#include "serial.h"
#include "source.h"
#include "words.h"

/* ---- sniff ---------------------------------------------------------------------------------- */

/* Fails as ecl_bytes_open and ecl_bytes_read do, and with ECL_EINPUT when the file begins like text
 * that is no table. *pform: what it is packed in and how it is encoded, in words; NULL for plain
 * UTF-8. */
apr_status_t ecl_layout_sniff(const char **pform, const char *path, apr_pool_t *p,
                              ecl_result_t *result);

/* ---- sample --------------------------------------------------------------------------------- */

typedef struct ecl_sample_t {
    ecl_record_t *records; /* copies; those that are no text or too long have no fields */
    int count;
    int is_whole;               /* the file has no more records than these */
    const apr_uint64_t *tables; /* which table each is of: a hash of what is said above it; NULL:
                                   nothing is */
} ecl_sample_t;

/* Of what a stream of records gives next. */
apr_status_t ecl_sample_take(ecl_sample_t *sample, ecl_records_t *records, apr_pool_t *p,
                             ecl_result_t *result);

apr_status_t ecl_sample_read(ecl_sample_t *sample, const char *path, char delimiter, apr_pool_t *p,
                             ecl_result_t *result);

/* A copy of a record's cells. */
void ecl_sample_keep(ecl_record_t *kept, const ecl_record_t *record, apr_pool_t *p);

/* The cell of a record, empty where the record is too short. */
static inline ecl_field_t ecl_sample_cell(const ecl_record_t *record, int column)
{
    return column >= 0 && column < record->count ? record->fields[column] : (ecl_field_t){"", 0};
}

/* ---- labels --------------------------------------------------------------------------------- */

#define ECL_SERIES_MAX 64
#define ECL_SERIES_COLUMNS (ECL_BLOCK_VALUES + 4)

/* What is alike in the names of one run of columns, and where they stand. */
typedef struct ecl_series_t {
    char prefix[ECL_WORD_MAX], suffix[ECL_WORD_MAX]; /* folded, around the number */
    int count;
    short columns[ECL_SERIES_COLUMNS];
    short numbers[ECL_SERIES_COLUMNS]; /* -1: more than one group of digits */
    short minutes[ECL_SERIES_COLUMNS]; /* after midnight, 0 to 1499; -1: no time */
} ecl_series_t;

typedef enum ecl_series_form_t {
    ECL_SERIES_NONE,     /* not the periods of a day */
    ECL_SERIES_NUMBERED, /* 1 … 46 to 50, 1 … 24, 1 … 96 */
    ECL_SERIES_STARTS,   /* 00:00 … 23:30, 0 … 23 */
    ECL_SERIES_ENDS      /* 00:30 … 24:00, 00:15 … 24:00 */
} ecl_series_form_t;

typedef enum ecl_series_use_t {
    ECL_SERIES_VALUES,
    ECL_SERIES_FLAGS,
    ECL_SERIES_UNUSED
} ecl_series_use_t;

/* How many periods a day has, and the hour that comes twice. */
static inline int ecl_periods_of_day(int interval)
{
    return 1440 / interval;
}

static inline int ecl_periods_of_hour(int interval)
{
    return 60 / interval;
}

/* Reads one column's name; 1 when it is a label. Number, minute as in ecl_series_t. */
int ecl_label_parse(const char *text, apr_size_t length, char prefix[ECL_WORD_MAX],
                    char suffix[ECL_WORD_MAX], int *pnumber, int *pminute);

/* The series of a record that might be a header, in order of their first columns. */
int ecl_series_find(const ecl_record_t *header, ecl_series_t *series, int max);

/* *pinterval: how many minutes a period has: 5, 10, 15, 30 or 60; not set for NONE. */
ecl_series_form_t ecl_series_form(const ecl_series_t *series, int *pinterval);

/* Whether some of the words is in the names, before or behind the number. */
int ecl_series_has_word(const ecl_series_t *series, const char *const *words, int count);
#define ECL_SERIES_HAS_WORD(series, words)                                                         \
    ecl_series_has_word(series, words, (int)(sizeof(words) / sizeof((words)[0])))

/* Whether the names say that the columns are flags. */
int ecl_series_is_named_as_flags(const ecl_series_t *series);

/* 1 for a header with a column for each day of a month: "1" … "31". */
int ecl_layout_is_month(const ecl_record_t *header);

/* Fills values and blocks of a wide layout, and notes what stands beside them and is not read. 0:
 * the header has no block of value columns. The sample tells flags from values where names do not;
 * `from` is its first row of data. *pno_energy: the first column of
 * a day's values that are none (costs, kVA); -1. */
int ecl_layout_take_values(ecl_layout_t *layout, const ecl_record_t *header,
                           const ecl_sample_t *sample, int from, int *pno_energy,
                           apr_pool_t *scratch, apr_pool_t *p);

/* "1 … 50" below a line of times, of which the last two are those of the hour that comes twice: the
 * columns are what the clock shows. */
void ecl_layout_take_labels_above(ecl_layout_t *layout, const ecl_record_t *above);

/* Whether two columns' names are equal when folded: both may be blank. Columns that are none have
 * no names. */
int ecl_layout_names_alike(const ecl_record_t *header, int a, int b);

/* Whether the sample has a number but 0 in a column. */
int ecl_layout_holds_more_than_zeros(const ecl_sample_t *sample, int from, int column);

/* Columns without a name behind a day's last value, as many as an hour has periods. */
typedef struct ecl_unnamed_hour_t {
    const ecl_record_t *header;
    const ecl_sample_t *sample;
    int from;              /* its first row of data */
    int last;              /* column of the day's last value */
    int count;             /* periods of an hour */
    int offset;            /* where each value's flag stands: 1, -1; 0: they have none */
    int flags_are_unnamed; /* set by the first of these functions */
} ecl_unnamed_hour_t;

/* 1: there are such columns, and *pend is the one behind them and their flags. */
int ecl_layout_find_unnamed_hour(ecl_unnamed_hour_t *hour, int *pend);

/* Whether the cells of columns that were found have numbers on the days that have such an hour, and
 * on no other. */
int ecl_layout_is_hour_of_long_days(const ecl_unnamed_hour_t *hour);

/* How many columns have a row's values, and each of them, from 0; those beside value_column
 * (extras) are not among them. */
static inline int ecl_layout_value_columns(const ecl_layout_t *layout)
{
    return layout->kind == ECL_LAYOUT_WIDE ? layout->value_count
           : layout->meter_count           ? layout->meter_count
                                           : 1;
}

static inline int ecl_layout_value_column(const ecl_layout_t *layout, int nth)
{
    return layout->kind == ECL_LAYOUT_WIDE ? layout->values[nth].column
           : layout->meter_count           ? layout->meters[nth].column
                                           : layout->value_column;
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* A file read under one delimiter, or a sheet of a workbook. */
typedef struct ecl_attempt_t {
    const char *path;
    char delimiter;
    const char *sheet; /* NULL: a text */
    int sheet_number;
    int has_import; /* see ecl_layout_channel_outside */
    int is_1904;
    ecl_sample_t sample;
    int header;                 /* index of the record that fits best as header; -1: none */
    int first;                  /* index of the first row */
    int label_lines;            /* between header and first row: of units, of identifiers */
    int score;                  /* of the header; 0: no header */
    unsigned found;             /* roles named in the most telling record, for messages */
    ecl_layout_t *layout;       /* headerless */
    const ecl_source_t *source; /* of a file that is no table; else NULL */
    const struct ecl_turn_form_t
        *turned; /* its table lies on its side, and the sample was turned */
} ecl_attempt_t;

/* Finds a table that lies on its side (turn.h): 1, and the attempt has the sample of what it is
 * when it is turned. */
int ecl_layout_find_turned(ecl_attempt_t *attempt, apr_pool_t *p);

/* How many cells of a record, behind the first, are dates. */
int ecl_layout_count_dates(const ecl_record_t *record);

/* Finds where the table begins in the sample; fills in header and what follows it. */
void ecl_layout_find_table(ecl_attempt_t *attempt, apr_pool_t *p);

/* The layout of the table that was found, or why it can't be read; as ecl_layout_find. */
apr_status_t ecl_layout_from_attempt(ecl_layout_t **playout, ecl_attempt_t *attempt,
                                     const char *import_type, const ecl_given_t *given,
                                     apr_pool_t *scratch, apr_pool_t *p, ecl_result_t *result);

/* The layouts of a workbook's sheets; as ecl_layout_find. */
apr_status_t ecl_layout_find_in_workbook(ecl_layout_t **playout, ecl_records_t *records,
                                         const char *path, const char *import_type,
                                         const ecl_given_t *given, apr_pool_t *scratch,
                                         apr_pool_t *p, ecl_result_t *result);

/* Adds something to be told of the file as a whole. code is a literal. */
void ecl_layout_add_note(ecl_layout_t *layout, const char *code, const char *message,
                         apr_pool_t *p);

/* ---- around the table ------------------------------------------------------------------------ */

/* The MPAN or MPRN in a sheet's name; NULL: none. */
const char *ecl_layout_meter_of_sheet(const char *sheet, apr_pool_t *p);

/* 1 when a line names a meter in that way. By number: meter is left as it is by other lines. */
int ecl_layout_meter_in_line(const ecl_record_t *record, ecl_meter_above_t how,
                             char meter[ECL_METER_MAX]);

/* What a line above the table says of something: "Unit: m3", "Units,MWh". Its name is one of
 * that role with a rank below `ranks`. Empty: nothing. */
ecl_field_t ecl_layout_said_above(const ecl_record_t *record, ecl_role_t role, int ranks);

/* The unit in which a line's one text ends, within brackets: "Half Hourly Demand (kW)"; NONE: there
 * is none, or there are numbers, too, and it is theirs. */
ecl_unit_t ecl_layout_title_unit(const ecl_record_t *record);

/* The unit that a line's one text says that values are in: "All values in kW", "Energy consumption
 * in Wh"; NONE: there is none. */
ecl_unit_t ecl_layout_stated_unit(const ecl_record_t *record);

/* What a line says of the unit of the values below it: one of these, or its one text is a unit;
 * NONE: nothing. *pis_title: only a title speaks of it. */
ecl_unit_t ecl_layout_unit_in_line(const ecl_record_t *record, int *pis_title);

/* What a line says of their channel, as of ecl_channel_of: "Channel: AE", or its one text is a
 * channel, with its direction. NULL: nothing; *pis_export: but that one text is "Export". */
const char *ecl_layout_channel_in_line(const ecl_record_t *record, int *pis_export);

/* The channel that is said outside the table: in a line above it ("MeasurementQuantityId,RE";
 * header: the index of the record where the table begins), or by the name of the sheet. "": it is
 * said that this is no energy of a channel that is kept; NULL: nothing is said. *pwhere: a literal
 * that says where. has_import: another sheet's name says import, or some line, so that "Export" is
 * a direction and not what somebody did with the data. */
const char *ecl_layout_channel_outside(const ecl_sample_t *sample, int header, const char *sheet,
                                       int has_import, const char **pwhere);

/* 1 when a sheet's name says import. */
int ecl_layout_says_import(const char *sheet);

/* Takes what the lines above the tables of the sample say: layout->above, and the sample's tables.
 * Columns are known. */
void ecl_layout_take_above(ecl_layout_t *layout, ecl_attempt_t *attempt, apr_pool_t *scratch,
                           apr_pool_t *p);

/* What a cell of a rejected row has that must be filled in before it can be read. */
#define ECL_NOT_CLEAR "(not clear)"

/* The header for rejected rows, see layout.h; header: the record, above: the one before it or
 * NULL. */
const char *ecl_layout_compose_header(const ecl_layout_t *layout, const ecl_record_t *above,
                                      apr_pool_t *p);

/* A line of units below the header, which belongs to it: 1, and the units are taken. */
int ecl_layout_take_units_below(ecl_layout_t *layout, const ecl_record_t *below);

/* ---- columns -------------------------------------------------------------------------------- */

/* How well a record fits as the header: 0 not at all. *pfound: which roles (1 << role) its names
 * have; a block of value columns counts as ECL_ROLE_VALUE and *pis_wide. */
int ecl_layout_score_header(const ecl_record_t *record, unsigned *pfound, int *pis_wide);

/* Gives every column that is not in a value block its role. Fails as ecl_layout_find does. */
apr_status_t ecl_layout_take_columns(ecl_layout_t *layout, const ecl_attempt_t *attempt,
                                     apr_pool_t *scratch, apr_pool_t *p, ecl_result_t *result);

/* ---- a column per meter ---------------------------------------------------------------------- */

/* How many lines from `from` on hold units or identifiers for the columns, before the first row. */
int ecl_layout_label_lines(const ecl_sample_t *sample, int from);

/* Whether most rows are another time of the same day as the one above: then columns numbered 1 … 48
 * are 48 of something, and no day's half-hours. */
int ecl_layout_rows_are_times(const ecl_sample_t *sample, int from);

/* Finds the header of a table whose header has no word that is known, by what its rows are: 1, and
 * the attempt has it. */
int ecl_layout_find_meters(ecl_attempt_t *attempt);

/* Takes columns of numbers for those of meters where their names say so; else meter_count stays 0.
 * ECL_EINPUT "unit-open": they are names, and nothing says what the numbers are; "several-values":
 * two of one meter; "meter-damaged", "bad-meter". */
apr_status_t ecl_layout_take_meters(ecl_layout_t *layout, const ecl_attempt_t *attempt,
                                    const int *columns, int count, apr_pool_t *scratch,
                                    apr_pool_t *p, ecl_result_t *result);

/* 1 when a record has a date and a number: it is no line between the rows of a header. */
int ecl_layout_looks_like_row(const ecl_record_t *record);

/* A file without a header: a date and the numbers of a day (46, 48 or 50; 24 or 96), with or
 * without an identifier, or a date, a time and one number. Of 96 something must show that they are
 * quarter-hours. 0: record `at` is not of that form.
 * Fills the whole layout. */
int ecl_layout_take_headerless(ecl_layout_t *layout, const ecl_sample_t *sample, int at,
                               apr_pool_t *p);

/* 1: record `at` would be a day of quarter-hours, or of the half-hours of two quantities: nothing
 * shows which. */
int ecl_layout_is_either_day(const ecl_sample_t *sample, int at);

/* How many dates can only be day/month, only month/day, or are two different days. */
typedef struct ecl_order_proof_t {
    int only_dmy, only_mdy, either;
} ecl_order_proof_t;

void ecl_layout_compare_orders(ecl_field_t cell, ecl_order_proof_t *proof);

/* The order given; else d/m/y or m/d/y as the sample proves, else d/m/y. Where two-digit years
 * stand first or last, as makes days that follow each other; ECL_EINPUT where none or both do. */
apr_status_t ecl_layout_take_date_order(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                        ecl_result_t *result);

/* 1 when the cell has a date, in whatever order. */
int ecl_layout_is_date(ecl_field_t cell, ecl_datetime_t *pstamp);

/* '.' or ',': what the sample's values show. Sets commas_are_groups. */
char ecl_layout_decimal_point(ecl_layout_t *layout, const ecl_sample_t *sample, int from);

/* Sets what is to be known of values with their flag in one cell. */
void ecl_layout_take_marks(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                           apr_pool_t *p);

/* ---- evidence ------------------------------------------------------------------------------- */

/* "meter in column MPAN" */
const char *ecl_layout_meter_text(const ecl_layout_t *layout, apr_pool_t *p);

/* Sets evidence, when all else is known. why: what ecl_layout_take_stamps says. */
void ecl_layout_tell(ecl_layout_t *layout, const ecl_attempt_t *attempt, const char *why,
                     apr_pool_t *p);

/* ---- total ---------------------------------------------------------------------------------- */

typedef enum ecl_total_t {
    ECL_TOTAL_NONE, /* the row has no total, or not all values */
    ECL_TOTAL_FITS,
    ECL_TOTAL_DIFFERS
} ecl_total_t;

/* A row's total against the sum of its first block, both as the cells have them. Shared with the
 * reader. */
ecl_total_t ecl_layout_compare_total(const ecl_layout_t *layout, const ecl_field_t *fields,
                                     int count, ecl_decimal_t *psum, ecl_decimal_t *ptotal);

/* Sets total_is_sum: most of the sample's rows fit. */
void ecl_layout_take_total(ecl_layout_t *layout, const ecl_sample_t *sample, int from);

/* What the evidence says where the sample does not show what times are. */
#define ECL_LABELS_OPEN "taken as period starts: period ends would fit as well"

/* ---- parts ---------------------------------------------------------------------------------- */

/* Whether a header has columns for year, month and day. */
int ecl_parts_has_date(const ecl_record_t *header);

/* Takes such columns if no other has dates, and joins the sample. Names are known. */
void ecl_parts_take_date(ecl_layout_t *layout, ecl_sample_t *sample, int from, apr_pool_t *p);

/* Whether a column has such a part. */
int ecl_parts_has(const ecl_layout_t *layout, int column);

/* Finds columns of hours and minutes: parts.hour, parts.minute. */
void ecl_parts_find_hour(ecl_layout_t *layout, const ecl_sample_t *sample, int from);

/* Decides what the hours are, by the whole file (its first 64 MiB), and joins the sample.
 * ECL_EINPUT "hours-conflict". */
apr_status_t ecl_parts_take_hours(ecl_layout_t *layout, ecl_attempt_t *attempt, apr_pool_t *p,
                                  ecl_result_t *result);

/* Makes hours the periods of a day. */
void ecl_parts_count_hours(ecl_layout_t *layout);

/* A date cell, or a day number where the column has them. */
ecl_datetime_status_t ecl_layout_parse_date(const ecl_layout_t *layout, const ecl_field_t *cell,
                                            ecl_datetime_t *pstamp);

/* ---- stamps --------------------------------------------------------------------------------- */

/* The date and time of a long row: from one cell, or from two. Shared with the reader, so that what
 * is found out is what is read. 1, or 0 and *pstatus and *pcolumn say which cell is at fault. */
int ecl_layout_stamp(const ecl_layout_t *layout, const ecl_field_t *fields, int count,
                     ecl_datetime_t *pstamp, ecl_datetime_status_t *pstatus, int *pcolumn);

/* Refuses ("hour-lost") a file most of whose times are "30:00.0": nobody can tell which hour. */
apr_status_t ecl_layout_check_hours(const ecl_layout_t *layout, const ecl_sample_t *sample,
                                    int from, ecl_result_t *result);

/* START or END where the name of the column of times, or of dates, says so; else DATE. */
ecl_role_t ecl_layout_label_role(const ecl_layout_t *layout);

/* Refuses ("longer-periods") rows of a date and a value that are of weeks or months: those that say
 * where they end, and those whose dates, of each meter, are never less than six days apart. */
apr_status_t ecl_layout_check_days(const ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                   ecl_result_t *result);

/* Decides interval, start or end, direction, and long or daily. Appends why to evidence. */
void ecl_layout_take_stamps(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                            apr_pool_t *p, const char **pwhy);

/* ---- read as -------------------------------------------------------------------------------- */

/* Takes what a column "Read as" says (layout_read_as.c), where there is one: completes
 * layout->given, with texts of p. ECL_EINPUT "bad-read-as". */
apr_status_t ecl_layout_take_read_as(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                     apr_pool_t *p, ecl_result_t *result);

/* For "column X is of …": why a channel must be given. */
#define ECL_OWN_ENERGY                                                                             \
    "energy that is generated, stored or net, or a part of what passes the meter, which is "       \
    "neither its import nor its export by itself: the channel that it is to be kept as must be "   \
    "given"

/* ---- given ---------------------------------------------------------------------------------- */

/* Holds what was given against what the file says: ECL_EINPUT where they contradict each other, or
 * neither says enough. What was given then stands in the layout. sample may have no records. */
apr_status_t ecl_layout_check_given(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                    apr_pool_t *p, ecl_result_t *result);

#endif /* ECL_LAYOUT_INTERNAL_H */
