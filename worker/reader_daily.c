/*
 * A row is a meter's day and its total.
 */
#include "reader_internal.h"

#include "layout_internal.h"

/* The value and those beside it: a row counts whole or not at all. */
static ecl_outcome_t take_values(ecl_reader_t *reader, const ecl_clock_day_t *clock_day,
                                 const ecl_row_marks_t *marks)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_outcome_t outcome = ECL_OUTCOME_SKIPPED;

    for (int i = 0; i <= layout->extra_count; i++) {
        int column = i ? layout->extras[i - 1].column : layout->value_column;
        ecl_meter_day_t *day = &reader->days[i];
        ecl_row_marks_t own = *marks;

        if (i) {
            ecl_reader_extra_marks(reader, &layout->extras[i - 1], &own);
        }
        ecl_reader_start_day(reader, day, clock_day, &own, 1440);
        if (!ecl_reader_take_value(reader, column, -1, &own, &day->values[0], &day->flags[0])) {
            return ECL_OUTCOME_FAILED;
        }
    }
    for (int i = 0; i <= layout->extra_count; i++) {
        if (reader->days[i].values[0] != ECL_DECIMAL_MISSING) {
            ecl_reader_give(reader, &reader->days[i]);
            outcome = ECL_OUTCOME_TAKEN;
        }
    }
    return outcome;
}

/* The same of a row with a column per meter. */
static ecl_outcome_t take_meters(ecl_reader_t *reader, const ecl_clock_day_t *clock_day)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_outcome_t outcome = ECL_OUTCOME_SKIPPED;

    if (!ecl_reader_take_meters(reader)) {
        return ECL_OUTCOME_FAILED;
    }
    for (int i = 0; i < layout->meter_count; i++) {
        const ecl_meter_cell_t *cell = &reader->cells[i];

        if (cell->value != ECL_DECIMAL_MISSING) {
            ecl_reader_enter_meter(reader, &layout->meters[i]);
            ecl_reader_start_day(reader, &reader->days[0], clock_day, &cell->marks, 1440);
            reader->days[0].values[0] = cell->value;
            reader->days[0].flags[0] = cell->flag;
            ecl_reader_give(reader, &reader->days[0]);
            outcome = ECL_OUTCOME_TAKEN;
        }
    }
    return outcome;
}

/* A sheet's rows end with their last cell. */
static int is_too_short(const ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    int count = reader->record.count;

    if (layout->meter_count) {
        return !layout->sheet && count <= layout->meters[layout->meter_count - 1].column;
    }
    return count <= layout->value_column || count <= layout->meter_column;
}

ecl_outcome_t ecl_daily_read(ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_datetime_status_t status;
    ecl_clock_day_t clock_day;
    ecl_row_marks_t marks;
    ecl_datetime_t stamp;
    int column;
    int is_missing = ecl_reader_is_value_missing(reader);

    if (!ecl_layout_stamp(layout, reader->record.fields, reader->record.count, &stamp, &status,
                          &column)) {
        return is_missing ? ECL_OUTCOME_SKIPPED : ecl_reader_unreadable(reader, status, column);
    }
    if (is_too_short(reader)) {
        return ecl_reader_fail(reader, -1, "too-few-fields",
                               "the row ends after %d of the %d columns", reader->record.count,
                               layout->columns);
    }
    if (is_missing) {
        return ECL_OUTCOME_SKIPPED;
    }
    if (layout->labels_are_last && stamp.has_time && stamp.minute % 1440 == 0 && !stamp.second) {
        return ecl_reader_fail(reader, column, "off-grid",
                               "\"%s\" is midnight, and other days are stamped 23:59: which day's "
                               "total this is can't be told",
                               ecl_reader_show(reader, ecl_reader_cell(reader, column)));
    }
    if (stamp.has_time && stamp.minute == 1439 && (!stamp.second || stamp.second == 59)) {
        stamp.has_time = stamp.minute = stamp.second = 0; /* the day's last minute */
    }
    if (stamp.has_time && (stamp.minute || stamp.second)) {
        return ecl_reader_fail(reader, column, "bad-date",
                               "\"%s\" has a time of day: expected the date of a daily total",
                               ecl_reader_show(reader, ecl_reader_cell(reader, column)));
    }
    /* midnight ends the day before; an end without a time is the day itself */
    if (stamp.has_time && layout->labels_are_ends) {
        stamp.date--;
    }
    if (layout->meter_count) {
        ecl_reader_enter_meter(reader, &layout->meters[0]);
    }
    if (!ecl_reader_take_day(reader, stamp.date, column, ecl_reader_cell(reader, column),
                             &clock_day) ||
        !ecl_reader_take_meter(reader) || !ecl_reader_take_marks(reader, NULL, &marks)) {
        return ECL_OUTCOME_FAILED;
    }
    if (!marks.channel) {
        return ECL_OUTCOME_SKIPPED;
    }
    return layout->meter_count ? take_meters(reader, &clock_day)
                               : take_values(reader, &clock_day, &marks);
}
