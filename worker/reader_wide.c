/*
 * A row is a meter's day: a value column for each of its periods, perhaps in several blocks (kWh,
 * kVArh).
 *
 * Columns are settlement periods when they are numbered, and labels of the local clock when they
 * are called so. A cell for a period that the row's day does not have must be blank or zero:
 * readings are never moved to where they would fit.
 */
#include "reader_internal.h"

#include "layout_internal.h"
#include "marked.h"

#define DAYS_PER_BLOCK 2 /* a UTC day overlaps two local ones */
#define NOWHERE (-1)
#define PERIODS_TEXT 40

/* One row being read. */
typedef struct row_t {
    ecl_clock_day_t day;
    int is_short, is_long;
    int ends_are_instants; /* see find_reading_of_ends */
} row_t;

_Static_assert(ECL_LAYOUT_BLOCKS *DAYS_PER_BLOCK <= ECL_OPEN_DAYS, "room for a row's days");

static int is_nothing(const ecl_reader_t *reader, int column)
{
    ecl_field_t cell = ecl_reader_cell(reader, column);
    ecl_decimal_t value;

    switch (ecl_marked_parse(cell, reader->layout->decimal_point, &value)) {
    case ECL_DECIMAL_IS_MISSING:
        return 1;
    case ECL_DECIMAL_OK:
        return value == 0;
    default:
        return 0;
    }
}

static int has_no_value(const ecl_reader_t *reader)
{
    for (int i = 0; i < reader->layout->value_count; i++) {
        ecl_field_t cell = ecl_reader_cell(reader, reader->layout->values[i].column);
        ecl_decimal_t value;

        if (ecl_decimal_parse(cell.text, cell.length, reader->layout->decimal_point, &value) !=
            ECL_DECIMAL_IS_MISSING) {
            return 0;
        }
    }
    return 1;
}

static int column_of_minute(const ecl_layout_t *layout, const ecl_value_block_t *block, int minute)
{
    for (int i = block->first; i < block->first + block->count; i++) {
        const ecl_value_column_t *value = &layout->values[i];

        if (!value->period && !value->repeated && value->minute == minute) {
            return value->column;
        }
    }
    return -1;
}

/* Period ends on the short day, when 01:00 is followed by 02:00. Two ways of writing it are about:
 * the label is the start's label and half an hour, so 01:30 and 02:00 are empty; or it is what the
 * clock shows at the end, so 01:00 and 01:30 are empty and 02:00 ends the period that began at
 * 00:30. Which cells are empty tells them apart. Likewise for other intervals. */
static void find_reading_of_ends(const ecl_reader_t *reader, const ecl_value_block_t *block,
                                 row_t *row)
{
    const ecl_layout_t *layout = reader->layout;
    int step = layout->interval_minutes, last = row->day.change_minute + 60 - step;

    row->ends_are_instants = layout->labels_are_ends && row->is_short &&
                             !layout->values[block->first].period &&
                             !is_nothing(reader, column_of_minute(layout, block, last));
    for (int minute = last - 60; minute < last && row->ends_are_instants; minute += step) {
        row->ends_are_instants = is_nothing(reader, column_of_minute(layout, block, minute));
    }
}

/* The place of a value in the local day, from 0; NOWHERE: the day has no such period. */
static int place_of(const ecl_value_column_t *value, const row_t *row, int step)
{
    int minute, last = row->day.change_minute + 60 - step;

    if (value->period) {
        return value->period <= row->day.minutes / step ? value->period - 1 : NOWHERE;
    }
    if (value->repeated && !row->is_long) {
        return NOWHERE;
    }
    if (row->ends_are_instants && value->minute >= last - 60 && value->minute < last) {
        return NOWHERE;
    }
    if (row->ends_are_instants && value->minute == last) {
        return (last - 60) / step;
    }
    if (ecl_clock_label(&row->day, value->minute, value->repeated, &minute) == ECL_LABEL_SKIPPED) {
        return NOWHERE;
    }
    return minute / step;
}

/* "46 half-hours", "23 hours", "92 periods of 15 minutes" */
static void print_periods(const ecl_layout_t *layout, const ecl_clock_day_t *day,
                          char text[PERIODS_TEXT])
{
    int step = layout->interval_minutes, count = day->minutes / step;

    if (step == 30 || step == 60) {
        apr_snprintf(text, PERIODS_TEXT, "%d %s", count, step == 30 ? "half-hours" : "hours");
    } else {
        apr_snprintf(text, PERIODS_TEXT, "%d periods of %d minutes", count, step);
    }
}

static ecl_outcome_t fail_nowhere(ecl_reader_t *reader, const ecl_value_column_t *value,
                                  const ecl_clock_day_t *day)
{
    const char *doubt = day->minutes < 1440 ? reader->layout->zone_doubt : NULL;
    char date[ECL_DATE_TEXT], periods[PERIODS_TEXT];

    ecl_date_print(day->date, date);
    print_periods(reader->layout, day, periods);
    return ecl_reader_fail(reader, value->column, "no-such-period",
                           "%s has %s, and this is none of them: expected a blank cell "
                           "(or 0), found \"%s\"%s%s",
                           date, periods,
                           ecl_reader_show(reader, ecl_reader_cell(reader, value->column)),
                           doubt ? "; " : "", doubt ? doubt : "");
}

/* Puts one value into its settlement day; a day of another zone has parts of two. */
static void put_value(ecl_reader_t *reader, const row_t *row, int place,
                      const ecl_row_marks_t *marks, ecl_meter_day_t *days, ecl_decimal_t amount,
                      char flag)
{
    int step = reader->layout->interval_minutes, which;
    ecl_clock_day_t day;

    if (reader->zone == reader->options.clock) {
        days[0].values[place] = amount;
        days[0].flags[place] = flag;
        return;
    }
    ecl_clock_from_utc(reader->options.clock, row->day.start + (apr_int64_t)place * step * 60, &day,
                       &place);
    which = days[0].periods && days[0].date != day.date;
    if (!days[which].periods) {
        ecl_reader_start_day(reader, &days[which], &day, marks, step);
    }
    days[which].values[place / step] = amount;
    days[which].flags[place / step] = flag;
}

/* Reads one block into its days. *pcount: values found. 0: reported as failed. */
static int read_block(ecl_reader_t *reader, row_t *row, const ecl_value_block_t *block,
                      ecl_meter_day_t *days, int *pcount)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_row_marks_t marks;

    *pcount = 0;
    days[0].periods = days[1].periods = 0;
    if (!ecl_reader_take_marks(reader, block, &marks)) {
        return 0;
    }
    if (!marks.channel) {
        return 1;
    }
    find_reading_of_ends(reader, block, row);
    if (reader->zone == reader->options.clock) {
        ecl_reader_start_day(reader, &days[0], &row->day, &marks, layout->interval_minutes);
    }
    for (int i = block->first; i < block->first + block->count; i++) {
        const ecl_value_column_t *value = &layout->values[i];
        ecl_decimal_t amount;
        char flag;
        int place;

        if (!ecl_reader_take_value(reader, value->column, value->flag_column, &marks, &amount,
                                   &flag)) {
            return 0;
        }
        if (amount == ECL_DECIMAL_MISSING) {
            continue;
        }
        place = place_of(value, row, layout->interval_minutes);
        if (place == NOWHERE && amount != 0) {
            fail_nowhere(reader, value, &row->day);
            return 0;
        }
        if (place == NOWHERE) {
            continue;
        }
        put_value(reader, row, place, &marks, days, amount, flag);
        (*pcount)++;
    }
    return 1;
}

/* A row that ends among its values was cut off: its last number may be cut as well. */
static int is_cut_off(const ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;

    for (int b = 0; b < layout->block_count; b++) {
        const ecl_value_block_t *block = &layout->blocks[b];

        if ((b == 0 || reader->record.count > layout->values[block->first].column) &&
            reader->record.count <= block->needed) {
            return 1;
        }
    }
    return reader->record.count <= layout->meter_column;
}

static void warn_of_long_day(ecl_reader_t *reader, const row_t *row, const ecl_value_block_t *block)
{
    static const char *const seconds[] = {[60] = "the second 01:00 is missing",
                                          [30] = "the second 01:00 and 01:30 are missing",
                                          [15] = "the second 01:00 to 01:45 are missing",
                                          [10] = "the second 01:00 to 01:50 are missing",
                                          [5] = "the second 01:00 to 01:55 are missing"};
    int step = reader->layout->interval_minutes;
    char date[ECL_DATE_TEXT], periods[PERIODS_TEXT], missing[80];

    if (!row->is_long || block->has_repeated) {
        return;
    }
    ecl_date_print(row->day.date, date);
    print_periods(reader->layout, &row->day, periods);
    apr_snprintf(missing, sizeof(missing), "read as %s from 1 on, the last %d %s missing",
                 step == 30 ? "settlement periods" : "periods",
                 row->day.minutes / step - block->count, step == 60 ? "is" : "are");
    ecl_reader_warn(reader, "clock-change-missing",
                    "line %" APR_INT64_T_FMT ": %s has %s and the file has %d columns: %s",
                    reader->record.line, date, periods, block->count,
                    reader->layout->values[block->first].period ? missing : seconds[step]);
}

/* ---- rows that must be whole -------------------------------------------------------------------
 */

static int is_padding(const ecl_reader_t *reader, const ecl_value_column_t *value)
{
    ecl_field_t flag = ecl_reader_cell(reader, value->flag_column);

    return flag.length == 1 && flag.text[0] == 'C' && is_nothing(reader, value->column);
}

/* Takes out cells that only fill a short day up to the length of others: marked C, with nothing in
 * them. */
static void take_out_padding(ecl_reader_t *reader, int count)
{
    const ecl_value_column_t *values = reader->layout->values;
    int kept = 0;

    for (int i = 0; i < count; i++) {
        if (is_padding(reader, &values[i])) {
            continue;
        }
        reader->record.fields[values[kept].column] = reader->record.fields[values[i].column];
        reader->record.fields[values[kept].flag_column] =
            reader->record.fields[values[i].flag_column];
        kept++;
    }
    reader->record.count = values[0].column + 2 * kept;
}

/* 0: reported as failed. */
static int check_whole(ecl_reader_t *reader, const row_t *row)
{
    const ecl_layout_t *layout = reader->layout;
    int expected = layout->times_are_utc ? 48 : row->day.minutes / 30;
    int count = 0, padding = 0;
    char date[ECL_DATE_TEXT];

    while (count < layout->value_count && layout->values[count].column < reader->record.count) {
        padding += is_padding(reader, &layout->values[count++]);
    }
    if (count == expected) {
        return 1;
    }
    if (count - padding == expected) {
        take_out_padding(reader, count);
        return 1;
    }
    ecl_date_print(row->day.date, date);
    ecl_reader_fail(reader, -1, "wrong-period-count",
                    "%s has %d half-hours, and the file has %d values for it: which is which can't "
                    "be told",
                    date, expected, count);
    return 0;
}

/* Which of them is wrong is not for us to say: the readings are kept. */
static void check_total(ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    char sum_text[ECL_DECIMAL_TEXT], total_text[ECL_DECIMAL_TEXT];
    ecl_decimal_t sum, total;

    if (!layout->total_is_sum ||
        ecl_layout_compare_total(layout, reader->record.fields, reader->record.count, &sum,
                                 &total) != ECL_TOTAL_DIFFERS) {
        return;
    }
    ecl_decimal_print(sum, sum_text);
    ecl_decimal_print(total, total_text);
    ecl_reader_warn(reader, "total-differs",
                    "line %" APR_INT64_T_FMT ": the values add up to %s, and column %s says %s",
                    reader->record.line, sum_text, ecl_reader_column(reader, layout->total_column),
                    total_text);
}

static ecl_outcome_t read_values(ecl_reader_t *reader, row_t *row)
{
    const ecl_layout_t *layout = reader->layout;
    int counts[ECL_LAYOUT_BLOCKS], total = 0;

    if (is_cut_off(reader)) {
        return ecl_reader_fail(reader, -1, "too-few-fields",
                               "the row ends after %d of the %d columns", reader->record.count,
                               layout->columns);
    }
    if (has_no_value(reader)) {
        return ECL_OUTCOME_SKIPPED;
    }
    for (int b = 0; b < layout->block_count; b++) {
        ecl_meter_day_t *days = &reader->days[DAYS_PER_BLOCK * b];

        if (!read_block(reader, row, &layout->blocks[b], days, &counts[b]) ||
            (counts[b] && !ecl_reader_check_register(reader, days, DAYS_PER_BLOCK))) {
            return ECL_OUTCOME_FAILED;
        }
        total += counts[b];
    }
    for (int b = 0; b < layout->block_count; b++) {
        const ecl_meter_day_t *days = &reader->days[DAYS_PER_BLOCK * b];

        if (!counts[b]) {
            continue;
        }
        warn_of_long_day(reader, row, &layout->blocks[b]);
        for (int i = 0; i < DAYS_PER_BLOCK; i++) {
            if (days[i].periods) {
                ecl_reader_give(reader, &days[i]);
            }
        }
    }
    if (total) {
        check_total(reader);
    }
    return total ? ECL_OUTCOME_TAKEN : ECL_OUTCOME_SKIPPED;
}

ecl_outcome_t ecl_wide_read(ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_datetime_status_t status;
    ecl_datetime_t stamp;
    row_t row = {0};
    int column;

    if (!ecl_layout_stamp(layout, reader->record.fields, reader->record.count, &stamp, &status,
                          &column)) {
        if (status == ECL_DATETIME_MISSING && has_no_value(reader)) {
            return ECL_OUTCOME_SKIPPED;
        }
        return ecl_reader_unreadable(reader, status, column);
    }
    if (!ecl_reader_take_day(reader, stamp.date, column, ecl_reader_cell(reader, column),
                             &row.day) ||
        !ecl_reader_take_meter(reader)) {
        return ECL_OUTCOME_FAILED;
    }
    if (reader->zone != reader->options.clock) {
        ecl_clock_day(reader->zone, stamp.date, &row.day);
    }
    row.is_short = row.day.minutes < 1440;
    row.is_long = row.day.minutes > 1440;
    if (layout->rows_are_whole && !check_whole(reader, &row)) {
        return ECL_OUTCOME_FAILED;
    }
    return read_values(reader, &row);
}
