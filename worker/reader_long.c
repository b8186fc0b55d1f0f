/*
 * A row is one reading. Readings of a meter's day are gathered while their rows follow each other,
 * or take turns with those of other meters and channels, up to ECL_OPEN_DAYS at a time.
 *
 * Local stamps of the repeated hour in October say the same label twice. The first one met is
 * summer time where the file runs forward and winter time where it runs backward; a third is the
 * first one again (an overlapping export). So occurrences are counted per meter, channel and day,
 * also for rows whose value is missing or wrong: they too used up their place, and a row that is
 * rejected is told which it was.
 */
#include "reader_internal.h"

#include "layout_internal.h"

typedef struct row_t {
    ecl_clock_day_t day; /* of the period's start */
    int minute;          /* elapsed since that day's midnight */
    int interval;        /* minutes */
    int is_value_missing;
    int has_marks;
    ecl_row_marks_t marks;
} row_t;

void ecl_long_open(ecl_reader_t *reader)
{
    reader->day_keys = apr_pcalloc(reader->pool, (apr_size_t)reader->room * sizeof(apr_uint64_t));
    reader->open_days = apr_palloc(reader->pool, (apr_size_t)reader->room * sizeof(int));
    for (int i = 0; i < reader->room; i++) {
        reader->open_days[i] = i;
    }
    if (reader->options.given.reads || reader->layouts->given.reads) {
        ecl_registers_open(reader);
    }
}

void ecl_long_flush(ecl_reader_t *reader)
{
    for (int i = 0; i < reader->open_count; i++) {
        ecl_meter_day_t *day = &reader->days[reader->open_days[i]];

        ecl_reader_give(reader, day);
        day->meter[0] = '\0'; /* who remembers it must not add to it */
    }
    reader->open_count = 0;
}

/* ---- gathering ---------------------------------------------------------------------------------
 */

static int is_day_of(const ecl_reader_t *reader, const ecl_meter_day_t *day, const row_t *row)
{
    return day->date == row->day.date && day->interval_minutes == row->interval &&
           !strcmp(day->channel, row->marks.channel) && !strcmp(day->meter, reader->meter);
}

static apr_uint64_t key_of(const ecl_reader_t *reader, const char *channel, ecl_date_t date)
{
    apr_uint64_t key = ecl_hash(0, reader->meter, strlen(reader->meter));

    key = ecl_hash(key, channel, strlen(channel));
    return ecl_hash(key, &date, sizeof(date));
}

/* The open day that a row belongs to; opens one, handing over the one opened longest ago when there
 * is no more room. */
static ecl_meter_day_t *open_day(ecl_reader_t *reader, const row_t *row)
{
    apr_uint64_t key;
    int index;

    if (reader->open_count && is_day_of(reader, &reader->days[reader->last_open], row)) {
        return &reader->days[reader->last_open];
    }
    key = key_of(reader, row->marks.channel, row->day.date);
    key = ecl_hash(key, &row->interval, sizeof(row->interval));
    for (int i = 0; i < reader->open_count; i++) {
        index = reader->open_days[i];
        if (reader->day_keys[index] == key && is_day_of(reader, &reader->days[index], row)) {
            reader->last_open = index;
            return &reader->days[index];
        }
    }
    if (reader->open_count == reader->room) {
        index = reader->open_days[0];
        ecl_reader_give(reader, &reader->days[index]);
        memmove(reader->open_days, reader->open_days + 1,
                (size_t)(reader->room - 1) * sizeof(reader->open_days[0]));
        reader->open_days[--reader->open_count] = index;
    }
    index = reader->open_days[reader->open_count++];
    reader->day_keys[index] = key;
    reader->last_open = index;
    ecl_reader_start_day(reader, &reader->days[index], &row->day, &row->marks, row->interval);
    return &reader->days[index];
}

static void keep(ecl_reader_t *reader, const row_t *row, ecl_decimal_t value, char flag)
{
    ecl_meter_day_t *day = open_day(reader, row);
    int place = row->minute / row->interval;

    /* a reading given twice: both go to the store, which counts and compares them */
    if (day->values[place] != ECL_DECIMAL_MISSING) {
        ecl_reader_give(reader, day);
        ecl_reader_start_day(reader, day, &row->day, &row->marks, row->interval);
    }
    day->values[place] = value;
    day->flags[place] = flag;
}

/* A value is a reading, or with the one before it makes one. */
static ecl_outcome_t gather(ecl_reader_t *reader, const row_t *row, ecl_decimal_t value, char flag)
{
    apr_int64_t at = row->day.start + (apr_int64_t)row->minute * 60;
    row_t used = *row;
    ecl_outcome_t outcome;

    if (!reader->registers) {
        keep(reader, row, value, flag);
        return ECL_OUTCOME_TAKEN;
    }
    outcome = ecl_registers_add(reader, row->marks.channel, row->interval, &at, &value, &flag);
    if (outcome == ECL_OUTCOME_TAKEN) {
        ecl_clock_from_utc(reader->options.clock, at, &used.day, &used.minute);
        keep(reader, &used, value, flag);
    }
    return outcome;
}

/* What becomes of a row of several values: it counts if one of them does. */
static ecl_outcome_t either(ecl_outcome_t a, ecl_outcome_t b)
{
    return a == ECL_OUTCOME_TAKEN ? a : b;
}

/* ---- where the reading belongs -----------------------------------------------------------------
 */

/* How often the label was met before for this meter, channel and day; -1: no room to count. */
static int count_label(ecl_reader_t *reader, const char *channel, ecl_date_t date, int label)
{
    apr_uint64_t key[2];
    apr_size_t slot;
    ecl_repeated_t *entry;

    if (!reader->repeated) {
        reader->repeated = apr_pcalloc(reader->pool, ECL_REPEATED_SLOTS * sizeof(ecl_repeated_t));
    }
    key[0] = key_of(reader, channel, date);
    key[1] = ecl_hash(~key[0], reader->meter, strlen(reader->meter));
    slot = key[0] & (ECL_REPEATED_SLOTS - 1);
    for (;;) {
        entry = &reader->repeated[slot];
        if (!entry->key[0] && !entry->key[1]) {
            if (reader->repeated_count == ECL_REPEATED_MAX) {
                return -1;
            }
            reader->repeated_count++;
            memcpy(entry->key, key, sizeof(key));
        }
        if (entry->key[0] == key[0] && entry->key[1] == key[1]) {
            return entry->seen[label % 60 / 5]++;
        }
        slot = (slot + 1) & (ECL_REPEATED_SLOTS - 1);
    }
}

static ecl_outcome_t fail_skipped(ecl_reader_t *reader, int column, ecl_date_t date)
{
    char text[ECL_DATE_TEXT];

    ecl_date_print(date, text);
    return ecl_reader_fail(reader, column, "no-such-time",
                           "\"%s\" does not exist: on %s the clocks go forward over it, and the "
                           "day has 46 half-hours",
                           ecl_reader_show(reader, ecl_reader_cell(reader, column)), text);
}

/* Always 0. */
static int fail_second(ecl_reader_t *reader, int column, ecl_date_t date)
{
    char text[ECL_DATE_TEXT];

    ecl_date_print(date, text);
    ecl_reader_fail(reader, column, "no-such-time",
                    "\"%s\" is marked as coming a second time, which it does not on %s",
                    ecl_reader_show(reader, ecl_reader_cell(reader, column)), text);
    return 0;
}

static int time_column(const ecl_layout_t *layout)
{
    return layout->time_column >= 0 ? layout->time_column : layout->date_column;
}

static int take_marks(ecl_reader_t *reader, row_t *row)
{
    row->has_marks = row->has_marks || ecl_reader_take_marks(reader, NULL, &row->marks);
    return row->has_marks;
}

/* Elapsed minutes of a local label. 0: reported as failed. A label that comes twice needs meter and
 * channel. */
static int take_label(ecl_reader_t *reader, const ecl_clock_day_t *day, int label, row_t *row)
{
    int column = time_column(reader->layout), occurrence, is_second;
    ecl_hour_t hour;

    switch (ecl_clock_label(day, label, 0, &row->minute)) {
    case ECL_LABEL_OK:
        return !reader->stream.is_second || fail_second(reader, column, day->date);
    case ECL_LABEL_SKIPPED:
        if (!row->is_value_missing) {
            fail_skipped(reader, column, day->date);
        }
        return 0;
    case ECL_LABEL_AMBIGUOUS:
        break;
    }
    hour = ecl_layout_hour_of(ecl_reader_cell(reader, reader->layout->read_as_column).text);
    if (hour != ECL_HOUR_OPEN) { /* of a row whose like may be in another file */
        ecl_clock_label(day, label, hour == ECL_HOUR_SECOND, &row->minute);
        return 1;
    }
    if (reader->layout->parts.has_second) {
        reader->hour = reader->stream.is_second ? ECL_HOUR_SECOND : ECL_HOUR_FIRST;
        ecl_clock_label(day, label, reader->stream.is_second, &row->minute);
        return 1;
    }
    if (!ecl_reader_take_meter(reader) || !take_marks(reader, row)) {
        return 0;
    }
    if (!row->marks.channel) {
        return 1;
    }
    occurrence = count_label(reader, row->marks.channel, day->date, label);
    if (occurrence < 0) {
        ecl_reader_fail(reader, column, "repeated-hour",
                        "the file has more than %d meters' days with a repeated hour: split it, or "
                        "export it with UTC offsets",
                        ECL_REPEATED_MAX);
        return 0;
    }
    is_second = reader->layout->newest_first ? !(occurrence % 2) : occurrence % 2;
    reader->hour = is_second ? ECL_HOUR_SECOND : ECL_HOUR_FIRST;
    ecl_clock_label(day, label, is_second, &row->minute);
    return 1;
}

static void step_back(const ecl_reader_t *reader, row_t *row)
{
    row->minute -= row->interval;
    if (row->minute < 0) {
        ecl_clock_day(reader->zone, row->day.date - 1, &row->day);
        row->minute += row->day.minutes;
    }
}

/* A day and minute of the file's zone → those of the settlement day. */
static void to_settlement_day(const ecl_reader_t *reader, row_t *row)
{
    if (reader->zone != reader->options.clock) {
        ecl_clock_from_utc(reader->options.clock, row->day.start + (apr_int64_t)row->minute * 60,
                           &row->day, &row->minute);
    }
}

/* A stamp → the settlement day and minute at which its period starts. */
static int take_stamp(ecl_reader_t *reader, const ecl_datetime_t *stamp, row_t *row)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_date_t date;

    if (stamp->has_offset) {
        apr_int64_t utc = (apr_int64_t)stamp->date * 86400 + (apr_int64_t)stamp->minute * 60 -
                          (apr_int64_t)stamp->offset_minutes * 60;

        utc -= layout->labels_are_ends && !layout->labels_are_last ? (apr_int64_t)row->interval * 60
                                                                   : 0;
        ecl_clock_from_utc(reader->options.clock, utc, &row->day, &row->minute);
        return 1;
    }
    /* 24:00 is the next day's midnight */
    date = stamp->date + stamp->minute / 1440 + (layout->midnight_is_end && !stamp->minute);
    ecl_clock_day(reader->zone, date, &row->day);
    if (!take_label(reader, &row->day, stamp->minute % 1440, row)) {
        return 0;
    }
    if (layout->labels_are_ends && !layout->labels_are_last) {
        step_back(reader, row);
    }
    to_settlement_day(reader, row);
    return 1;
}

static int take_period(ecl_reader_t *reader, ecl_date_t date, row_t *row)
{
    int column = reader->layout->period_column, first = reader->layout->first_period;
    ecl_field_t cell = ecl_reader_cell(reader, column);
    apr_size_t prefix = ecl_period_prefix(cell.text, cell.length);
    ecl_decimal_t period;
    int periods;

    ecl_clock_day(reader->zone, date, &row->day);
    periods = row->day.minutes / row->interval;
    if (ecl_decimal_parse(cell.text + prefix, cell.length - prefix, '.', &period) !=
            ECL_DECIMAL_OK ||
        period % ECL_DECIMAL_ONE != 0 || period < first * ECL_DECIMAL_ONE ||
        period >= (first + periods) * ECL_DECIMAL_ONE) {
        char text[ECL_DATE_TEXT];

        ecl_date_print(date, text);
        ecl_reader_fail(reader, column, "no-such-period",
                        "\"%s\" is no %s of %s: expected %d to %d", ecl_reader_show(reader, cell),
                        reader->layout->parts.hours_are_counted ? "hour" : "settlement period",
                        text, first, first + periods - 1);
        return 0;
    }
    row->minute = (int)(period / ECL_DECIMAL_ONE - first) * row->interval;
    to_settlement_day(reader, row);
    return 1;
}

/* "00:29", or "00:29:59", in a file of such times. */
static int is_last_minute(const ecl_datetime_t *stamp, int interval)
{
    return stamp->minute % interval == interval - 1 && (!stamp->second || stamp->second == 59);
}

static int is_on_grid(ecl_reader_t *reader, const ecl_datetime_t *stamp, const row_t *row)
{
    int interval = row->interval;
    int column = time_column(reader->layout);

    if (reader->layout->labels_are_last && reader->layout->period_column < 0) {
        return is_last_minute(stamp, interval) ||
               ecl_reader_fail(reader, column, "off-grid",
                               "\"%s\" is not the last minute of a period of %d minutes, as the "
                               "times of the other readings are",
                               ecl_reader_show(reader, ecl_reader_cell(reader, column)),
                               interval) == ECL_OUTCOME_TAKEN;
    }

    if (reader->layout->period_column >= 0 || (!stamp->second && row->minute % interval == 0)) {
        return 1;
    }
    ecl_reader_fail(reader, column, "off-grid",
                    "\"%s\" is not on a boundary of %d minutes, as the other readings are",
                    ecl_reader_show(reader, ecl_reader_cell(reader, column)), interval);
    return 0;
}

/* ---- the row -----------------------------------------------------------------------------------
 */

static int is_too_short(const ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    int count = reader->record.count;

    /* a sheet's rows end with their last cell */
    if (layout->meter_count && !layout->sheet &&
        count <= layout->meters[layout->meter_count - 1].column) {
        return 1;
    }
    return count <= (layout->meter_count ? layout->date_column : layout->value_column) ||
           count <= layout->meter_column || count <= layout->time_column ||
           count <= layout->period_column;
}

/* A row counts whole or not at all: all of its values are read before the first is used. */
static ecl_outcome_t take_values(ecl_reader_t *reader, row_t *row)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_row_marks_t marks[1 + ECL_LAYOUT_EXTRAS];
    ecl_decimal_t values[1 + ECL_LAYOUT_EXTRAS];
    char flags[1 + ECL_LAYOUT_EXTRAS];
    ecl_outcome_t outcome = ECL_OUTCOME_SKIPPED;

    for (int i = 0; i <= layout->extra_count; i++) {
        int column = i ? layout->extras[i - 1].column : layout->value_column;

        marks[i] = row->marks;
        if (i) {
            ecl_reader_extra_marks(reader, &layout->extras[i - 1], &marks[i]);
        }
        if (!ecl_reader_take_value(reader, column, -1, &marks[i], &values[i], &flags[i])) {
            return ECL_OUTCOME_FAILED;
        }
    }
    for (int i = 0; i <= layout->extra_count; i++) {
        if (values[i] != ECL_DECIMAL_MISSING) {
            row->marks = marks[i];
            outcome = either(outcome, gather(reader, row, values[i], flags[i]));
        }
    }
    return outcome;
}

/* The same of a row with a column per meter. */
static ecl_outcome_t take_meters(ecl_reader_t *reader, row_t *row)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_outcome_t outcome = ECL_OUTCOME_SKIPPED;

    if (!ecl_reader_take_meters(reader)) {
        return ECL_OUTCOME_FAILED;
    }
    for (int i = 0; i < layout->meter_count; i++) {
        ecl_meter_cell_t *cell = &reader->cells[i];

        if (cell->value == ECL_DECIMAL_MISSING) {
            continue;
        }
        ecl_reader_enter_meter(reader, &layout->meters[i]);
        row->marks = cell->marks;
        reader->last_open = cell->open;
        outcome = either(outcome, gather(reader, row, cell->value, cell->flag));
        cell->open = reader->last_open;
    }
    return outcome;
}

/* From a readable stamp on. */
static ecl_outcome_t read_reading(ecl_reader_t *reader, const ecl_datetime_t *stamp, row_t *row)
{
    const ecl_layout_t *layout = reader->layout;
    int column = layout->date_column, placed;

    placed = layout->period_column >= 0
                 ? row->is_value_missing || take_period(reader, stamp->date, row)
                 : take_stamp(reader, stamp, row);
    if (row->is_value_missing) {
        return ECL_OUTCOME_SKIPPED;
    }
    if (!placed || !is_on_grid(reader, stamp, row) ||
        !ecl_reader_take_day(reader, row->day.date, column, ecl_reader_cell(reader, column),
                             &row->day) ||
        !ecl_reader_take_meter(reader) || !take_marks(reader, row)) {
        return ECL_OUTCOME_FAILED;
    }
    if (!row->marks.channel) {
        return ECL_OUTCOME_SKIPPED;
    }
    if (layout->labels_are_last) {
        row->minute -= row->minute % row->interval;
    }
    return layout->meter_count ? take_meters(reader, row) : take_values(reader, row);
}

/* The file's, or the row's own: a source writes that, and what it writes is a number. */
static int interval_of(ecl_reader_t *reader)
{
    ecl_field_t cell = ecl_reader_cell(reader, reader->layout->interval_column);
    apr_int64_t minutes;

    return reader->layout->interval_column >= 0 && ecl_parse_int64(cell.text, 5, 60, &minutes)
               ? (int)minutes
               : reader->layout->interval_minutes;
}

ecl_outcome_t ecl_long_read(ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_datetime_status_t status;
    ecl_datetime_t stamp;
    row_t row = {.interval = interval_of(reader)};
    int column;

    row.is_value_missing = ecl_reader_is_value_missing(reader);
    if (layout->meter_count) {
        /* the rows' times are those of all meters: labels that come twice are counted for one */
        ecl_reader_enter_meter(reader, &layout->meters[0]);
    }
    if (!ecl_layout_stamp(layout, reader->record.fields, reader->record.count, &stamp, &status,
                          &column)) {
        return row.is_value_missing ? ECL_OUTCOME_SKIPPED
                                    : ecl_reader_unreadable(reader, status, column);
    }
    if (is_too_short(reader)) {
        return ecl_reader_fail(reader, -1, "too-few-fields",
                               "the row ends after %d of the %d columns", reader->record.count,
                               layout->columns);
    }
    if (layout->period_column < 0 && !stamp.has_time) {
        return row.is_value_missing
                   ? ECL_OUTCOME_SKIPPED
                   : ecl_reader_fail(reader, column, "bad-time",
                                     "\"%s\" has no time of day: expected a date and time such as "
                                     "2026-03-29 00:30",
                                     ecl_reader_show(reader, ecl_reader_cell(reader, column)));
    }
    if (layout->midnight_is_open && stamp.minute % 1440 == 0 && !row.is_value_missing) {
        return ecl_reader_fail(reader, column, "off-grid",
                               "\"%s\" is midnight, and other days end at 23:59: whether it ends a "
                               "day or begins one can't be told",
                               ecl_reader_show(reader, ecl_reader_cell(reader, column)));
    }
    if (layout->day_ends_at_2359 && is_last_minute(&stamp, 1440)) {
        stamp.minute = 1440;
        stamp.second = 0;
    }
    return read_reading(reader, &stamp, &row);
}
