/*
 * A row is a meter's day and its total.
 */
#include "reader_internal.h"

#include "layout_internal.h"

ecl_outcome_t ecl_daily_read(ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_field_t cell = ecl_reader_cell(reader, layout->value_column);
    ecl_meter_day_t *day = &reader->days[0];
    ecl_datetime_status_t status;
    ecl_clock_day_t clock_day;
    ecl_row_marks_t marks;
    ecl_datetime_t stamp;
    ecl_decimal_t value;
    int column;
    int is_missing = ecl_decimal_parse(cell.text, cell.length, layout->decimal_point, &value) ==
                     ECL_DECIMAL_IS_MISSING;

    if (!ecl_layout_stamp(layout, reader->record.fields, reader->record.count, &stamp, &status,
                          &column)) {
        return is_missing ? ECL_OUTCOME_SKIPPED : ecl_reader_unreadable(reader, status, column);
    }
    if (reader->record.count <= layout->value_column ||
        reader->record.count <= layout->meter_column) {
        return ecl_reader_fail(reader, -1, "too-few-fields",
                               "the row ends after %d of the %d columns", reader->record.count,
                               layout->columns);
    }
    if (is_missing) {
        return ECL_OUTCOME_SKIPPED;
    }
    if (stamp.has_time && (stamp.minute || stamp.second)) {
        return ecl_reader_fail(reader, column, "bad-date",
                               "\"%s\" has a time of day: expected the date of a daily total",
                               ecl_reader_show(reader, ecl_reader_cell(reader, column)));
    }
    if (!ecl_reader_take_day(reader, stamp.date, column, ecl_reader_cell(reader, column),
                             &clock_day) ||
        !ecl_reader_take_meter(reader) || !ecl_reader_take_marks(reader, NULL, &marks)) {
        return ECL_OUTCOME_FAILED;
    }
    if (!marks.channel) {
        return ECL_OUTCOME_SKIPPED;
    }
    ecl_reader_start_day(reader, day, &clock_day, &marks, 1440);
    if (!ecl_reader_take_value(reader, layout->value_column, -1, &marks, &day->values[0],
                               &day->flags[0])) {
        return ECL_OUTCOME_FAILED;
    }
    if (day->values[0] == ECL_DECIMAL_MISSING) {
        return ECL_OUTCOME_SKIPPED;
    }
    ecl_reader_give(reader, day);
    return ECL_OUTCOME_TAKEN;
}
