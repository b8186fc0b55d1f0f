/*
 * Dates and times that stand in several columns: Year, Month and Day; Hour, with or without Minute.
 *
 * They are put together in one cell each, in the sample and in every row that is read, so that
 * everything else sees a date and a time. A row that is rejected is given back as it stands in the
 * file.
 *
 * What an hour's number means is decided for the whole file. 0 to 23 is what a clock shows, and
 * with minutes beside it a time like any other. 1 to 24 are the hours of a day in their order: 1
 * begins at midnight, and 24 ends at the next. Both 0 and 24 are in no such file. How the day is
 * numbered on which the clocks change only that day can show: see reader_hours.c.
 */
#include "../lib/utf8.h"
#include "layout_internal.h"

#include <apr_lib.h>

#define SCAN_BYTES (64 * 1024 * 1024) /* of the file that is looked at for hours */
#define MONTH_MAX 12                  /* letters of a month's name that are looked at */

typedef enum part_t {
    PART_NONE,
    PART_YEAR,
    PART_MONTH,
    PART_DAY,
    PART_HOUR,
    PART_MINUTE,
    PART_TIME /* may be an hour's number, if its cells show it */
} part_t;

static part_t part_of_name(const char *name)
{
    static const struct {
        const char *word;
        part_t part;
    } words[] = {
        {"year", PART_YEAR},
        {"yr", PART_YEAR},
        {"yyyy", PART_YEAR},
        {"dateyear", PART_YEAR},
        {"readyear", PART_YEAR},
        {"readingyear", PART_YEAR},
        {"month", PART_MONTH},
        {"mth", PART_MONTH},
        {"mon", PART_MONTH},
        {"mm", PART_MONTH},
        {"monthnumber", PART_MONTH},
        {"monthno", PART_MONTH},
        {"monthofyear", PART_MONTH},
        {"monthname", PART_MONTH},
        {"datemonth", PART_MONTH},
        {"readmonth", PART_MONTH},
        {"readingmonth", PART_MONTH},
        {"day", PART_DAY},
        {"dd", PART_DAY},
        {"dayofmonth", PART_DAY},
        {"dayofthemonth", PART_DAY},
        {"monthday", PART_DAY},
        {"daynumber", PART_DAY},
        {"dayno", PART_DAY},
        {"dateday", PART_DAY},
        {"readday", PART_DAY},
        {"readingday", PART_DAY},
        {"hour", PART_HOUR},
        {"hr", PART_HOUR},
        {"hours", PART_HOUR},
        {"hourofday", PART_HOUR},
        {"houroftheday", PART_HOUR},
        {"hournumber", PART_HOUR},
        {"hourno", PART_HOUR},
        {"readhour", PART_HOUR},
        {"readinghour", PART_HOUR},
        {"hourending", PART_HOUR},
        {"hourend", PART_HOUR},
        {"he", PART_HOUR},
        {"endhour", PART_HOUR},
        {"hourbeginning", PART_HOUR},
        {"hourstarting", PART_HOUR},
        {"hourstart", PART_HOUR},
        {"starthour", PART_HOUR},
        {"hourlocal", PART_HOUR},
        {"hourutc", PART_HOUR},
        {"minute", PART_MINUTE},
        {"minutes", PART_MINUTE},
        {"min", PART_MINUTE},
        {"mins", PART_MINUTE},
        {"readminute", PART_MINUTE},
        {"readingminute", PART_MINUTE},
        {"time", PART_TIME},
        {"timeofday", PART_TIME},
    };
    char word[ECL_WORD_MAX];

    if (!ecl_name_fold(name, strlen(name), word)) {
        return PART_NONE;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strcmp(word, words[i].word)) {
            return words[i].part;
        }
    }
    return PART_NONE;
}

static ecl_field_t trimmed(ecl_field_t cell)
{
    while (cell.length && apr_isspace(cell.text[0])) {
        cell.text++;
        cell.length--;
    }
    while (cell.length && apr_isspace(cell.text[cell.length - 1])) {
        cell.length--;
    }
    return cell;
}

/* A number of at most so many digits; -1: the cell is none. */
static int number_of(ecl_field_t cell, apr_size_t digits)
{
    int number = 0;

    cell = trimmed(cell);
    if (!cell.length || cell.length > digits) {
        return -1;
    }
    for (apr_size_t i = 0; i < cell.length; i++) {
        if (!apr_isdigit(cell.text[i])) {
            return -1;
        }
        number = 10 * number + cell.text[i] - '0';
    }
    return number;
}

/* "7", "07", "700", "0700", and with a mark "2*"; -1: no number of an hour. */
static int hour_of(ecl_field_t cell, int *pis_second)
{
    int number;

    cell = trimmed(cell);
    *pis_second = cell.length > 1 && cell.text[cell.length - 1] == '*';
    cell.length -= (apr_size_t)*pis_second;
    number = number_of(cell, 4);
    if (cell.length > 2) {
        return number % 100 || number < 0 ? -1 : number / 100;
    }
    return number;
}

/* ---- putting together --------------------------------------------------------------------------
 */

static void join_date(const ecl_parts_t *parts, ecl_record_t *record, char text[ECL_PARTS_TEXT])
{
    ecl_field_t month = trimmed(ecl_sample_cell(record, parts->month));
    int year = number_of(ecl_sample_cell(record, parts->year), 4);
    int day = number_of(ecl_sample_cell(record, parts->day), 2), number = number_of(month, 2);

    if (year < 0 || day < 0) {
        return;
    }
    year += year < 100 ? 2000 : 0;
    if (number >= 0) {
        apr_snprintf(text, ECL_PARTS_TEXT, "%04d-%02d-%02d", year, number, day);
    } else if (month.length && month.length <= MONTH_MAX && apr_isalpha(month.text[0])) {
        apr_snprintf(text, ECL_PARTS_TEXT, "%d %.*s %04d", day, (int)month.length, month.text,
                     year);
    } else {
        return;
    }
    record->fields[parts->day] = (ecl_field_t){text, strlen(text)};
}

/* The number of the hour, -1 where there is none. */
static int join_time(const ecl_parts_t *parts, ecl_record_t *record, char text[ECL_PARTS_TEXT],
                     int *pis_second)
{
    int hour = hour_of(ecl_sample_cell(record, parts->hour), pis_second), minute = 0;
    int begins = hour - parts->first_hour;
    ecl_field_t cell = trimmed(ecl_sample_cell(record, parts->minute));

    if (hour < 0) {
        return -1;
    }
    if (parts->minute >= 0) {
        minute = number_of(cell, 2);
    }
    if (parts->hours_are_counted) {
        apr_snprintf(text, ECL_PARTS_TEXT, "%d", hour);
    } else if (minute < 0) {
        apr_snprintf(text, ECL_PARTS_TEXT, "%d:%.*s", hour, ECL_CUT(8, cell.text));
    } else if (begins < 0 || begins > 24 || (begins == 24 && !parts->has_24)) {
        apr_snprintf(text, ECL_PARTS_TEXT, "hour %d", hour);
    } else {
        apr_snprintf(text, ECL_PARTS_TEXT, "%02d:%02d", begins, minute);
    }
    record->fields[parts->hour] = (ecl_field_t){text, strlen(text)};
    return hour;
}

int ecl_parts_join(const ecl_layout_t *layout, ecl_record_t *record, ecl_parts_text_t *text,
                   int *pis_second)
{
    const ecl_parts_t *parts = &layout->parts;

    *pis_second = 0;
    if (parts->day >= 0 && parts->day < record->count) {
        join_date(parts, record, text->date);
    }
    return parts->hour >= 0 && parts->hour < record->count
               ? join_time(parts, record, text->time, pis_second)
               : -1;
}

/* The same of the sample's rows. */
static void join_sample(const ecl_parts_t *parts, int is_date, ecl_sample_t *sample, int from,
                        apr_pool_t *p)
{
    int is_second;

    for (int i = from; i < sample->count; i++) {
        ecl_record_t *record = &sample->records[i];
        char *text = apr_palloc(p, ECL_PARTS_TEXT);

        if (is_date && parts->day < record->count) {
            join_date(parts, record, text);
        } else if (!is_date && parts->hour < record->count) {
            join_time(parts, record, text, &is_second);
        }
    }
}

/* ---- finding the columns -----------------------------------------------------------------------
 */

static int is_month(ecl_field_t cell)
{
    int number = number_of(cell, 2);
    char text[ECL_PARTS_TEXT];
    ecl_datetime_t date;

    cell = trimmed(cell);
    if (number >= 0 || !cell.length || cell.length > MONTH_MAX) {
        return number >= 1 && number <= 12;
    }
    apr_snprintf(text, sizeof(text), "1 %.*s 2024", (int)cell.length, cell.text);
    return ecl_datetime_parse(text, strlen(text), ECL_ORDER_DMY, &date) == ECL_DATETIME_OK;
}

static int is_part(part_t part, ecl_field_t cell)
{
    int number = number_of(cell, 4), is_second;

    switch (part) {
    case PART_YEAR:
        return (number >= 1970 && number < 2100) || (number >= 0 && trimmed(cell).length == 2);
    case PART_MONTH:
        return is_month(cell);
    case PART_DAY:
        return number >= 1 && number <= 31;
    case PART_MINUTE:
        return number >= 0 && number <= 59;
    default:
        number = hour_of(cell, &is_second);
        return number >= 0 && number <= 25;
    }
}

/* Whether most of a column's cells are such a part, and there are some. */
static int holds(part_t part, int column, const ecl_sample_t *sample, int from)
{
    int cells = 0, fits = 0;

    for (int i = from; i < sample->count; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], column);

        cells += cell.length > 0;
        fits += cell.length && is_part(part, cell);
    }
    return fits * 2 > cells;
}

/* The first column that is called so and holds it; -1: none. */
static int find(part_t part, const ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    for (int column = 0; column < layout->columns; column++) {
        const char *name = layout->names[column];

        if (part_of_name(name) == part && ecl_unit_in_header(name, strlen(name)) == ECL_UNIT_NONE &&
            holds(part, column, sample, from)) {
            return column;
        }
    }
    return -1;
}

/* Some column has whole dates in most of its rows. */
static int has_dates(const ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    ecl_datetime_t stamp;

    for (int column = 0; column < layout->columns; column++) {
        const char *name = layout->names[column];
        int dates = 0, cells = 0, rank, is_utc;
        ecl_role_t role = ecl_header_role(name, strlen(name), &rank, &is_utc);

        for (int i = from; i < sample->count; i++) {
            ecl_field_t cell = ecl_sample_cell(&sample->records[i], column);

            cells += cell.length > 0;
            dates += cell.length && ecl_layout_is_date(cell, &stamp);
        }
        if (dates * 2 > cells && (role == ECL_ROLE_DATE || role == ECL_ROLE_START ||
                                  role == ECL_ROLE_END || role == ECL_ROLE_TIME)) {
            return 1;
        }
    }
    return 0;
}

void ecl_parts_take_date(ecl_layout_t *layout, ecl_sample_t *sample, int from, apr_pool_t *p)
{
    int year = find(PART_YEAR, layout, sample, from),
        month = find(PART_MONTH, layout, sample, from);
    int day = find(PART_DAY, layout, sample, from);

    if (year < 0 || month < 0 || day < 0 || has_dates(layout, sample, from)) {
        return;
    }
    layout->parts.year = year;
    layout->parts.month = month;
    layout->parts.day = day;
    join_sample(&layout->parts, 1, sample, from, p);
}

/* A header has all three. */
int ecl_parts_has_date(const ecl_record_t *header)
{
    unsigned found = 0;

    for (int i = 0; i < header->count; i++) {
        found |= 1u << part_of_name(header->fields[i].text);
    }
    return (found >> PART_YEAR & 1) && (found >> PART_MONTH & 1) && (found >> PART_DAY & 1);
}

int ecl_parts_has(const ecl_layout_t *layout, int column)
{
    const ecl_parts_t *parts = &layout->parts;

    return column == parts->year || column == parts->month || column == parts->day ||
           column == parts->hour || column == parts->minute;
}

/* "1", "2" … are hours; "0", "30", "130" are hours and minutes. Corrected rows may be too few to
 * show it, and say it. */
static int shows_hours(int column, const ecl_sample_t *sample, int from)
{
    int is_shown = 0;

    for (int i = from; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_field_t cell = trimmed(ecl_sample_cell(record, column));
        int is_second, number = hour_of(cell, &is_second);

        if (cell.length > 2 && !is_second) {
            return 0;
        }
        is_shown |= number > 0 && number % 5;
        for (int c = 0; c < record->count && !is_shown; c++) {
            is_shown = strstr(record->fields[c].text, "hours=") != NULL;
        }
    }
    return is_shown;
}

/* "Hours" beside a day's total is how many of them it has: no date has two rows. Corrected rows say
 * that they are hours. */
static int is_count(const ecl_layout_t *layout, int column, const ecl_sample_t *sample, int from)
{
    char word[ECL_WORD_MAX];

    if (!ecl_name_fold(layout->names[column], strlen(layout->names[column]), word) ||
        strcmp(word, "hours") != 0) {
        return 0;
    }
    for (int i = from; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];

        for (int c = 0; c < record->count; c++) {
            ecl_field_t cell = record->fields[c];
            ecl_datetime_t stamp;

            if (strstr(cell.text, "hours=") ||
                (i > from && ecl_layout_is_date(cell, &stamp) &&
                 !strcmp(cell.text, ecl_sample_cell(record - 1, c).text))) {
                return 0;
            }
        }
    }
    return 1;
}

void ecl_parts_find_hour(ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    int hour = find(PART_HOUR, layout, sample, from);

    if (hour >= 0 && is_count(layout, hour, sample, from)) {
        return;
    }
    if (hour < 0) {
        hour = find(PART_TIME, layout, sample, from);
        hour = hour >= 0 && shows_hours(hour, sample, from) ? hour : -1;
    }
    if (hour >= 0) {
        layout->parts.hour = hour;
        layout->parts.minute = find(PART_MINUTE, layout, sample, from);
    }
}

/* ---- what hours mean ---------------------------------------------------------------------------
 */

/* Which hours the rows of a file have. */
typedef struct hours_t {
    apr_int64_t zero, last; /* lines of the first 0 and of the first 24; 0: there is none */
    int last_has_minutes;   /* some 24 has minutes */
    int has_minutes, has_second;
    int has_25;
} hours_t;

/* The day whose 25 hours may be counted from 0 to 24. */
static int is_long_day(ecl_date_t date)
{
    int year, month, day;

    ecl_date_to_ymd(date, &year, &month, &day);
    return month == 10 && day > 24 && (date + 4) % 7 == 0; /* 1 January 1970 was a Thursday */
}

static void look_at_hour(hours_t *hours, const ecl_layout_t *layout, ecl_record_t *record)
{
    const ecl_parts_t *parts = &layout->parts;
    char text[ECL_PARTS_TEXT];
    ecl_datetime_t date;
    int is_second, hour = hour_of(ecl_sample_cell(record, parts->hour), &is_second);
    int minute = number_of(ecl_sample_cell(record, parts->minute), 2);

    if (hour < 0) {
        return;
    }
    if (parts->day >= 0 && parts->day < record->count) {
        join_date(parts, record, text);
    }
    if (layout->date_column >= record->count ||
        ecl_layout_parse_date(layout, &record->fields[layout->date_column], &date) !=
            ECL_DATETIME_OK) {
        return; /* no row of the table */
    }
    hours->has_minutes |= minute > 0;
    hours->has_second |= is_second;
    hours->has_25 |= hour == 25;
    if (!hour && !hours->zero) {
        hours->zero = record->line;
    }
    if (hour == 24) {
        hours->last_has_minutes |= minute > 0;
        if (!hours->last && !is_long_day(date.date)) {
            hours->last = record->line;
        }
    }
}

/* Of the whole file, or as much of it as is looked at. */
static apr_status_t look_at_file(hours_t *hours, const ecl_layout_t *layout,
                                 const ecl_attempt_t *attempt, apr_pool_t *p, ecl_result_t *result)
{
    ecl_records_t *records;
    ecl_record_t record;
    apr_status_t status = ecl_records_open(&records, attempt->path, layout->delimiter, p, result);

    if (status == APR_SUCCESS && layout->sheet) {
        ecl_records_only_sheet(records, layout->sheet_number);
    }
    while (status == APR_SUCCESS) {
        status = ecl_records_next(records, &record, result);
        if (status != APR_SUCCESS || record.text_offset > SCAN_BYTES) {
            break;
        }
        if (record.status == ECL_RECORD_OK && record.sheet_record >= layout->first_record) {
            look_at_hour(hours, layout, &record);
        }
    }
    return APR_STATUS_IS_EOF(status) ? APR_SUCCESS : status;
}

static void decide(ecl_layout_t *layout, const hours_t *hours)
{
    ecl_parts_t *parts = &layout->parts;
    int is_end = ecl_layout_label_role(layout) == ECL_ROLE_END ||
                 (layout->given.labels && !strcmp(layout->given.labels, "end"));

    if (layout->given.hours) {
        parts->first_hour = !strcmp(layout->given.hours, "1");
        parts->hours_are_counted = !strcmp(layout->given.hours, "counted");
        parts->has_24 = !parts->first_hour && is_end;
        parts->why = "";
    } else if (layout->given.reads || (hours->has_minutes && !hours->last_has_minutes)) {
        /* times: 24:00 is the midnight that ends its date */
        parts->has_24 = 1;
        parts->why = "";
    } else if (hours->last || (hours->has_25 && !hours->zero)) {
        parts->first_hour = 1;
        parts->why = "; hours are 1 to 24: there is no 0";
    } else if (hours->zero) {
        parts->why = "; hours are 0 to 23: there is no 24";
    } else if (is_end && !hours->has_minutes) {
        parts->first_hour = 1;
        parts->why = "; hours are taken as 1 to 24: there is no 0 and no 24, and they are ends";
    } else {
        parts->why = "; hours are taken as 0 to 23: there is no 0 and no 24";
    }
}

apr_status_t ecl_parts_take_hours(ecl_layout_t *layout, ecl_attempt_t *attempt, apr_pool_t *p,
                                  ecl_result_t *result)
{
    ecl_parts_t *parts = &layout->parts;
    const char *name = parts->hour >= 0 ? layout->names[parts->hour] : "";
    hours_t hours = {0};
    apr_status_t status;

    if (parts->hour < 0) {
        return APR_SUCCESS;
    }
    status = look_at_file(&hours, layout, attempt, p, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    decide(layout, &hours);
    if (hours.zero && hours.last && !layout->given.hours && !parts->has_24) {
        return ecl_fail(result, ECL_EINPUT, "hours-conflict",
                        "column %.*s has hours from 0 (line %" APR_INT64_T_FMT
                        ") to 24 (line %" APR_INT64_T_FMT
                        "): expected 0 to 23, or 1 to 24 for the hours that end then",
                        ECL_CUT(80, name), hours.zero, hours.last);
    }
    if (parts->first_hour && ecl_layout_label_role(layout) == ECL_ROLE_START) {
        return ecl_fail(result, ECL_EINPUT, "hours-conflict",
                        "column %.*s says that its hours are those that start then, and has 24 "
                        "(line %" APR_INT64_T_FMT ") but no 0: expected 0 to 23",
                        ECL_CUT(80, name), hours.last);
    }
    parts->has_second = hours.has_second;
    parts->are_hours = !hours.has_minutes;
    if (parts->hours_are_counted) {
        ecl_parts_count_hours(layout);
    }
    join_sample(parts, 0, &attempt->sample, attempt->first, p);
    return APR_SUCCESS;
}

void ecl_parts_count_hours(ecl_layout_t *layout)
{
    layout->parts.hours_are_counted = 1;
    layout->period_column = layout->parts.hour;
    layout->time_column = -1;
    layout->interval_minutes = 60;
}
