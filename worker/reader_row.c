/*
 * The cells of a row: identifier, date, channel, unit, flag, value; and how a bad one is told.
 */
#include "reader_internal.h"

#include "layout_internal.h"
#include "marked.h"

#include <stdarg.h>

#define FIRST_DATE 7305 /* 1990-01-01, in days since 1970: older than any half-hourly meter */

/* ---- telling -----------------------------------------------------------------------------------
 */

static void note_status(ecl_reader_t *reader, apr_status_t status)
{
    if (reader->sink_status == APR_SUCCESS) {
        reader->sink_status = status;
    }
}

const char *ecl_reader_show(ecl_reader_t *reader, ecl_field_t cell)
{
    char *shown = reader->shown[reader->next_shown];
    apr_size_t length = cell.length;

    reader->next_shown ^= 1;
    if (length > ECL_SHOWN_MAX) {
        length = ECL_SHOWN_MAX;
        while (length && (cell.text[length] & 0xc0) == 0x80) {
            length--;
        }
        memcpy(shown + length, "…", 4);
    } else {
        shown[length] = '\0';
    }
    memcpy(shown, cell.text, length);
    return shown;
}

const char *ecl_reader_column(ecl_reader_t *reader, int column)
{
    if (column < 0) {
        return NULL;
    }
    if (column < reader->layout->columns && reader->layout->names[column][0]) {
        return reader->layout->names[column];
    }
    apr_snprintf(reader->column_number, sizeof(reader->column_number), "%d", column + 1);
    return reader->column_number;
}

/* A line number says nothing in a workbook of several sheets. */
static void print_message(ecl_reader_t *reader, const char *fmt, va_list args)
{
    apr_size_t used = 0;

    if (reader->record.sheet) {
        used = (apr_size_t)apr_snprintf(reader->message, sizeof(reader->message),
                                        "sheet \"%s\": ", reader->record.sheet);
    }
    apr_vsnprintf(reader->message + used, sizeof(reader->message) - used, fmt, args);
    if (reader->meter_in_hand) {
        used = strlen(reader->message);
        apr_snprintf(reader->message + used, sizeof(reader->message) - used, " (meter %s)",
                     reader->meter_in_hand);
    }
}

ecl_outcome_t ecl_reader_fail(ecl_reader_t *reader, int column, const char *code, const char *fmt,
                              ...)
{
    ecl_row_error_t error = {0};
    va_list args;

    va_start(args, fmt);
    print_message(reader, fmt, args);
    va_end(args);
    reader->has_failed = 1;
    error.line = reader->record.line;
    error.column = ecl_reader_column(reader, column);
    error.code = code;
    error.message = reader->message;
    error.raw = reader->record.raw;
    error.added = ecl_reader_added(reader);
    note_status(reader, reader->sink->on_error(reader->sink->baton, &error));
    return ECL_OUTCOME_FAILED;
}

void ecl_reader_warn(ecl_reader_t *reader, const char *code, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    print_message(reader, fmt, args);
    va_end(args);
    note_status(reader, reader->sink->on_warning(reader->sink->baton, code, reader->message));
}

void ecl_reader_note(ecl_reader_t *reader, const ecl_layout_note_t *note)
{
    note_status(reader, reader->sink->on_warning(reader->sink->baton, note->code, note->message));
}

/* Volumes are handed over as they are, on a channel of their own, and as energy: cubic metres ×
 * 1.02264 (the correction to standard conditions that the regulations prescribe) × the calorific
 * value in MJ/m³ ÷ 3.6. */
static void give_volume(ecl_reader_t *reader, const ecl_meter_day_t *day)
{
    ecl_meter_day_t *other;
    apr_int64_t numerator = ECL_GAS_CORRECTION * reader->calorific_value;

    if (!reader->volume) {
        reader->volume = apr_palloc(reader->pool, sizeof(*reader->volume));
    }
    other = reader->volume;
    *other = *day;
    apr_cpystrn(other->channel, ECL_CHANNEL_VOLUME, sizeof(other->channel));
    note_status(reader, reader->sink->on_day(reader->sink->baton, other));
    apr_cpystrn(other->channel, day->channel, sizeof(other->channel));
    apr_cpystrn(other->unit, "kWh", sizeof(other->unit));
    for (int i = 0; i < day->periods; i++) {
        if (day->values[i] != ECL_DECIMAL_MISSING) { /* within ECL_VOLUME_MAX: the result fits */
            ecl_decimal_scale(day->values[i], numerator, ECL_GAS_DENOMINATOR, &other->values[i]);
        }
    }
    note_status(reader, reader->sink->on_day(reader->sink->baton, other));
}

void ecl_reader_give(ecl_reader_t *reader, const ecl_meter_day_t *day)
{
    if (!strcmp(day->unit, ECL_UNIT_VOLUME)) {
        give_volume(reader, day);
        return;
    }
    note_status(reader, reader->sink->on_day(reader->sink->baton, day));
}

/* ---- identifier --------------------------------------------------------------------------------
 */

/* 1 the first time an identifier is given, as long as there is room to remember it. */
static int is_first_warning(ecl_reader_t *reader, const char *identifier)
{
    apr_uint64_t key = ecl_hash(0, identifier, strlen(identifier));
    apr_size_t slot = key & (ECL_WARNED_SLOTS - 1);

    while (reader->warned[slot]) {
        if (reader->warned[slot] == key) {
            return 0;
        }
        slot = (slot + 1) & (ECL_WARNED_SLOTS - 1);
    }
    if (reader->warned_count == ECL_WARNED_MAX) {
        return 0;
    }
    reader->warned[slot] = key;
    if (++reader->warned_count == ECL_WARNED_MAX) {
        ecl_reader_warn(reader, "identifiers",
                        "%d identifiers have a wrong check digit or length; no further ones are "
                        "reported",
                        ECL_WARNED_MAX);
    }
    return 1;
}

static void warn_of_meter(ecl_reader_t *reader, ecl_meter_status_t status)
{
    if (!is_first_warning(reader, reader->meter)) {
        return;
    }
    if (status == ECL_METER_CHECK_DIGIT) {
        ecl_reader_warn(reader, "check-digit",
                        "line %" APR_INT64_T_FMT ": the check digit of MPAN %s is wrong",
                        reader->record.line, reader->meter);
    } else {
        ecl_reader_warn(reader, "identifier-length",
                        "line %" APR_INT64_T_FMT ": identifier %s has %d digits; an MPAN has 13, "
                        "an MPRN 6 to 10",
                        reader->record.line, reader->meter, (int)strlen(reader->meter));
    }
}

/* 1 unless the row names another meter than the one given for the file. */
static int is_meter_given(ecl_reader_t *reader, ecl_field_t cell)
{
    const char *given = reader->layout->given.meter;
    char identifier[ECL_METER_MAX];
    ecl_meter_kind_t kind;

    ecl_meter_parse(given, strlen(given), identifier, &kind);
    if (!strcmp(identifier, reader->meter)) {
        return 1;
    }
    ecl_reader_fail(reader, reader->layout->meter_column, "other-meter",
                    "the row names meter \"%s\", and %s was given as the file's meter",
                    ecl_reader_show(reader, cell), identifier);
    return 0;
}

int ecl_reader_take_meter(ecl_reader_t *reader)
{
    int column = reader->layout->meter_column;
    ecl_field_t cell = ecl_reader_cell(reader, column);
    const char *given = reader->layout->given.meter;
    ecl_meter_status_t status;

    if (column < 0 && reader->meter[0]) {
        return 1; /* the one given, and it was read before; or each column has its own */
    }
    if (reader->meter_length && cell.length == reader->meter_length &&
        !memcmp(cell.text, reader->meter_text, cell.length)) {
        return 1;
    }
    reader->meter_length = 0;
    status = ecl_meter_parse(cell.text, cell.length, reader->meter, &reader->meter_kind);
    if (given && status == ECL_METER_IS_MISSING) {
        status = ecl_meter_parse(given, strlen(given), reader->meter, &reader->meter_kind);
    }
    switch (status) {
    case ECL_METER_OK:
        break;
    case ECL_METER_CHECK_DIGIT:
    case ECL_METER_LENGTH:
        warn_of_meter(reader, status);
        break;
    case ECL_METER_IS_MISSING:
        ecl_reader_fail(reader, column, "bad-meter", "the row names no meter");
        return 0;
    case ECL_METER_DAMAGED:
        ecl_reader_fail(reader, column, "meter-damaged",
                        "\"%s\" has lost digits of the meter's number, as a spreadsheet does when "
                        "it shows a number in short: export the file again with the column as text",
                        ecl_reader_show(reader, cell));
        return 0;
    case ECL_METER_TOO_LONG:
        ecl_reader_fail(reader, column, "bad-meter",
                        "\"%s\" is too long for a meter's identifier (at most %d bytes)",
                        ecl_reader_show(reader, cell), ECL_METER_MAX - 1);
        return 0;
    case ECL_METER_FORMULA:
        ecl_reader_fail(reader, column, "bad-meter",
                        "\"%s\" is a spreadsheet's formula: expected the meter that it gives",
                        ecl_reader_show(reader, cell));
        return 0;
    }
    if (given && !is_meter_given(reader, cell)) {
        return 0;
    }
    if (cell.length < sizeof(reader->meter_text)) {
        memcpy(reader->meter_text, cell.text, cell.length);
        reader->meter_length = cell.length;
    }
    return 1;
}

void ecl_reader_enter_named(ecl_reader_t *reader, const char *meter)
{
    ecl_meter_status_t status =
        ecl_meter_parse(meter, strlen(meter), reader->meter, &reader->meter_kind);

    if (status == ECL_METER_CHECK_DIGIT || status == ECL_METER_LENGTH) {
        warn_of_meter(reader, status);
    }
}

void ecl_reader_enter_meter(ecl_reader_t *reader, const ecl_meter_column_t *column)
{
    apr_cpystrn(reader->meter, column->meter, sizeof(reader->meter));
    reader->meter_kind = column->kind;
}

int ecl_reader_take_meters(ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    int is_good = 1;

    for (int i = 0; i < layout->meter_count && is_good; i++) {
        const ecl_meter_column_t *column = &layout->meters[i];
        ecl_value_block_t block = {.channel = column->channel, .unit = column->unit};
        ecl_meter_cell_t *cell = &reader->cells[i];

        ecl_reader_enter_meter(reader, column);
        reader->meter_in_hand = column->meter;
        cell->value = ECL_DECIMAL_MISSING;
        is_good = ecl_reader_take_marks(reader, &block, &cell->marks) &&
                  (!cell->marks.channel ||
                   ecl_reader_take_value(reader, column->column, column->flag_column, &cell->marks,
                                         &cell->value, &cell->flag));
    }
    reader->meter_in_hand = NULL;
    return is_good;
}

/* ---- date --------------------------------------------------------------------------------------
 */

int ecl_reader_take_day(ecl_reader_t *reader, ecl_date_t date, int column, ecl_field_t cell,
                        ecl_clock_day_t *day)
{
    if (date > reader->options.today) {
        ecl_reader_fail(reader, column, "future-date", "\"%s\" lies in the future",
                        ecl_reader_show(reader, cell));
        return 0;
    }
    if (date < FIRST_DATE) {
        ecl_reader_fail(reader, column, "date-too-old",
                        "\"%s\" lies before 1990: expected the date of a reading",
                        ecl_reader_show(reader, cell));
        return 0;
    }
    if (!reader->has_last_day || reader->last_day.date != date) {
        ecl_clock_day(reader->options.clock, date, &reader->last_day);
        reader->has_last_day = 1;
    }
    *day = reader->last_day;
    return 1;
}

int ecl_reader_is_furniture(const ecl_reader_t *reader)
{
    ecl_field_t meter = ecl_reader_cell(reader, reader->layout->meter_column);

    if (ecl_meter_is_mpan(meter.text, meter.length)) {
        return 0;
    }
    for (int i = 0; i < reader->record.count; i++) {
        ecl_field_t cell = reader->record.fields[i];

        if (cell.length) {
            return ecl_is_furniture(cell.text, cell.length);
        }
    }
    return 1;
}

int ecl_reader_is_header(const ecl_reader_t *reader)
{
    ecl_field_t meter = ecl_reader_cell(reader, reader->layout->meter_column);
    unsigned found;
    int is_wide;

    /* a file may have a bad date in every row */
    if (ecl_meter_is_mpan(meter.text, meter.length)) {
        return 0;
    }
    return ecl_layout_score_header(&reader->record, &found, &is_wide) > 0;
}

ecl_outcome_t ecl_reader_fail_header(ecl_reader_t *reader)
{
    if (!reader->foreign_header) {
        reader->foreign_header = apr_palloc(reader->pool, ECL_HEADER_MAX + 1);
    }
    apr_cpystrn(reader->foreign_header,
                reader->record.raw_length > ECL_HEADER_MAX ? "" : reader->record.raw,
                ECL_HEADER_MAX + 1);
    reader->is_foreign = 1;
    ecl_reader_take_header(reader);
    return ecl_reader_fail(reader, -1, "other-header",
                           "another header starts here, with other columns than the file's first "
                           "one: upload the rows below it as a file of their own");
}

ecl_outcome_t ecl_reader_unreadable(ecl_reader_t *reader, ecl_datetime_status_t status, int column)
{
    ecl_field_t cell = ecl_reader_cell(reader, column);
    const char *shown = ecl_reader_show(reader, cell);
    const char *expected = ecl_datetime_expected(status);
    int is_time = column == reader->layout->time_column;
    ecl_outcome_t outcome;

    if (ecl_reader_take_names(reader, &outcome)) {
        return outcome;
    }
    if (ecl_reader_is_header(reader)) {
        return ecl_reader_fail_header(reader);
    }
    if (ecl_reader_is_furniture(reader)) {
        return ECL_OUTCOME_SKIPPED;
    }
    switch (status) {
    case ECL_DATETIME_MISSING:
        return ecl_reader_fail(reader, column, is_time ? "bad-time" : "bad-date",
                               "the row has no %s: expected %s", is_time ? "time" : "date",
                               expected);
    case ECL_DATETIME_NO_SUCH:
        return ecl_reader_fail(reader, column, is_time ? "no-such-time" : "no-such-date",
                               "there is no %s \"%s\": expected %s", is_time ? "time" : "date",
                               shown, expected);
    default:
        return ecl_reader_fail(reader, column, is_time ? "bad-time" : "bad-date",
                               "\"%s\" cannot be read as a %s: expected %s", shown,
                               is_time ? "time" : "date", expected);
    }
}

/* ---- value -------------------------------------------------------------------------------------
 */

static int is_missing_at(const ecl_reader_t *reader, int column)
{
    ecl_field_t cell = ecl_reader_cell(reader, column);
    ecl_decimal_t value;

    if (cell.length && ((cell.text[0] >= '0' && cell.text[0] <= '9') || cell.text[0] == '.')) {
        return 0;
    }
    return ecl_decimal_parse(cell.text, cell.length, reader->layout->decimal_point, &value) ==
           ECL_DECIMAL_IS_MISSING;
}

int ecl_reader_is_value_missing(const ecl_reader_t *reader)
{
    int is_missing = is_missing_at(reader, reader->layout->value_column);

    for (int i = 1; i < reader->layout->meter_count && is_missing; i++) {
        is_missing = is_missing_at(reader, reader->layout->meters[i].column);
    }
    for (int i = 0; i < reader->layout->extra_count && is_missing; i++) {
        is_missing = is_missing_at(reader, reader->layout->extras[i].column);
    }
    return is_missing;
}

static int fail_range(ecl_reader_t *reader, int column, ecl_field_t cell,
                      const ecl_row_marks_t *marks)
{
    int is_volume = marks->unit[0] == 'm';

    ecl_reader_fail(
        reader, column, "bad-value", "\"%s\" is too large for a reading: at most %s %s are kept",
        ecl_reader_show(reader, cell), is_volume ? "500,000,000" : "9,223,372,036", marks->unit);
    return 0;
}

static int fail_value(ecl_reader_t *reader, int column, ecl_field_t cell, const char *why)
{
    ecl_reader_fail(reader, column, "bad-value", "\"%s\" %s", ecl_reader_show(reader, cell), why);
    return 0;
}

/* How much of "450Wh", "0.4 kWh" is the number. */
static apr_size_t number_length(ecl_field_t cell)
{
    apr_size_t number = cell.length;

    while (number && (cell.text[number - 1] | 0x20) >= 'a' &&
           (cell.text[number - 1] | 0x20) <= 'z') {
        number--;
    }
    return number;
}

/* Such a cell: the number, and marks for the unit beside it. */
static ecl_decimal_status_t parse_with_unit(ecl_reader_t *reader, ecl_field_t cell,
                                            ecl_row_marks_t *marks, ecl_decimal_t *pvalue)
{
    apr_size_t number = number_length(cell);
    ecl_unit_t unit;

    unit = ecl_unit_of(cell.text + number, cell.length - number);
    if (unit != ECL_UNIT_KWH && unit != ECL_UNIT_WH && unit != ECL_UNIT_MWH) {
        return ECL_DECIMAL_BAD;
    }
    if (marks->channel[0] == 'R') {
        return ECL_DECIMAL_BAD;
    }
    ecl_reader_unit_marks(reader, unit, marks);
    return ecl_decimal_parse(cell.text, number, reader->layout->decimal_point, pvalue);
}

/* Whether the row or its file says that its values are energy. */
static int is_energy(const ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;

    return reader->meter_kind == ECL_METER_MPAN || reader->meter_kind == ECL_METER_MPRN ||
           layout->unit || layout->unit_column >= 0 ||
           (layout->kind == ECL_LAYOUT_WIDE ? layout->blocks[0].unit != NULL
                                            : layout->meter_count && layout->meters[0].unit);
}

/* Takes the flag off a cell that has it beside its number; 0: there is none, which is 0. */
static char take_mark(const ecl_reader_t *reader, ecl_field_t *pcell)
{
    ecl_marked_t marked;

    if (!ecl_marked_split(*pcell, &marked) ||
        !ecl_marked_is_taken(&marked, reader->layout, is_energy(reader))) {
        return 0;
    }
    *pcell = marked.number;
    return marked.flag;
}

static int is_sentinel(const ecl_reader_t *reader, ecl_decimal_t value)
{
    return ecl_is_sentinel(value, reader->meter_kind, reader->layout->kind == ECL_LAYOUT_DAILY);
}

/* The flag of a value that was read: its own (0: it has none), its column's, or the row's. */
static void take_flag(ecl_reader_t *reader, int column, int flag_column, char own,
                      const ecl_row_marks_t *marks, ecl_decimal_t *pvalue, char *pflag)
{
    *pflag = own ? own : flag_column >= 0 ? ecl_reader_take_flag(reader, flag_column) : marks->flag;
    if (own == ECL_FLAG_OTHER) {
        ecl_reader_warn(reader, "unknown-flag",
                        "line %" APR_INT64_T_FMT ", column %s: nothing says what the mark of "
                        "\"%s\" means: kept as \"other\"",
                        reader->record.line, ecl_reader_column(reader, column),
                        ecl_reader_show(reader, ecl_reader_cell(reader, column)));
    }
    if (*pflag != ECL_FLAG_NONE) {
        return;
    }
    /* the file says that there is no value; a zero there is none, anything else is kept */
    if (*pvalue == 0) {
        *pvalue = ECL_DECIMAL_MISSING;
        return;
    }
    *pflag = ECL_FLAG_OTHER;
    ecl_reader_warn(reader, "unknown-flag",
                    "line %" APR_INT64_T_FMT ", column %s: \"%s\" is marked as no value: kept "
                    "as \"other\"",
                    reader->record.line, ecl_reader_column(reader, column),
                    ecl_reader_show(reader, ecl_reader_cell(reader, column)));
}

int ecl_reader_take_value(ecl_reader_t *reader, int column, int flag_column,
                          const ecl_row_marks_t *row_marks, ecl_decimal_t *pvalue, char *pflag)
{
    ecl_field_t cell = ecl_reader_cell(reader, column);
    ecl_row_marks_t own_marks;
    const ecl_row_marks_t *marks = row_marks;
    ecl_decimal_status_t status =
        ecl_decimal_parse(cell.text, cell.length, reader->layout->decimal_point, pvalue);
    ecl_decimal_t as_given;
    char mark = 0;
    int is_rounded;

    if (status == ECL_DECIMAL_BAD && (mark = take_mark(reader, &cell))) {
        status = ecl_decimal_parse(cell.text, cell.length, reader->layout->decimal_point, pvalue);
    }
    if (status == ECL_DECIMAL_BAD && !strcmp(marks->unit, "kWh")) {
        own_marks = *row_marks;
        status = parse_with_unit(reader, cell, &own_marks, pvalue);
        marks = &own_marks;
    }
    is_rounded = status == ECL_DECIMAL_ROUNDED;

    *pflag = ECL_FLAG_NONE;
    if (status == ECL_DECIMAL_IS_MISSING) {
        *pvalue = ECL_DECIMAL_MISSING;
        return 1;
    }
    if (status == ECL_DECIMAL_BAD) {
        return fail_value(reader, column, cell,
                          reader->layout->has_exponents && cell.text[cell.length - 1] == 'E'
                              ? "is not a number: as other values have an exponent (1.5E-3), this "
                                "one may be cut off"
                              : "is not a number");
    }
    as_given = status == ECL_DECIMAL_RANGE ? 0 : *pvalue;
    if (status == ECL_DECIMAL_RANGE && marks->numerator * 1000 == marks->denominator) {
        /* as Wh it is too large, as kWh it may not be: a register's read */
        status = ecl_decimal_parse_thousandth(cell.text, number_length(cell),
                                              reader->layout->decimal_point, pvalue);
        is_rounded = status == ECL_DECIMAL_ROUNDED;
    } else if (status != ECL_DECIMAL_RANGE && marks->numerator != marks->denominator) {
        status = ecl_decimal_scale(*pvalue, marks->numerator, marks->denominator, pvalue);
        /* litres of a cubic foot beyond the ninth place are nobody's loss */
        is_rounded = is_rounded || (status == ECL_DECIMAL_ROUNDED && marks->unit[0] == 'k');
    }
    if (status == ECL_DECIMAL_RANGE ||
        (marks->unit[0] == 'm' && (*pvalue > ECL_VOLUME_MAX || *pvalue < -ECL_VOLUME_MAX))) {
        return fail_range(reader, column, cell, marks);
    }
    if (is_sentinel(reader, as_given) || (*pvalue != as_given && is_sentinel(reader, *pvalue))) {
        ecl_reader_fail(reader, column, "sentinel-value",
                        "\"%s\" is what smart metering systems give where they have no reading",
                        ecl_reader_show(reader, cell));
        return 0;
    }
    if (*pvalue < 0 && !strcmp(marks->channel, "AI")) {
        ecl_reader_fail(reader, column, "negative-value",
                        "\"%s\" is negative: energy imported cannot be. If it was exported, "
                        "upload the file with the channel Active export (AE)",
                        ecl_reader_show(reader, cell));
        return 0;
    }
    take_flag(reader, column, flag_column, mark, marks, pvalue, pflag);
    if (*pvalue == ECL_DECIMAL_MISSING) {
        return 1;
    }
    if (is_rounded) {
        ecl_reader_warn(reader, "rounded",
                        "line %" APR_INT64_T_FMT ", column %s: \"%s\" has digits beyond a "
                        "thousand-millionth and was rounded",
                        reader->record.line, ecl_reader_column(reader, column),
                        ecl_reader_show(reader, cell));
    }
    return 1;
}

void ecl_reader_start_day(const ecl_reader_t *reader, ecl_meter_day_t *day,
                          const ecl_clock_day_t *clock_day, const ecl_row_marks_t *marks,
                          int interval_minutes)
{
    apr_cpystrn(day->meter, reader->meter, sizeof(day->meter));
    day->kind = reader->meter_kind;
    apr_cpystrn(day->channel, marks->channel, sizeof(day->channel));
    apr_cpystrn(day->unit, marks->unit, sizeof(day->unit));
    day->interval_minutes = interval_minutes;
    day->date = clock_day->date;
    day->day_start = clock_day->start;
    day->periods = ecl_periods_of(clock_day, interval_minutes);
    day->line = reader->record.line;
    for (int i = 0; i < day->periods; i++) {
        day->values[i] = ECL_DECIMAL_MISSING;
        day->flags[i] = ECL_FLAG_NONE;
    }
}
