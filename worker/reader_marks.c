/*
 * What a row says about itself besides meter, date and values: channel, unit, flag.
 */
#include "reader_internal.h"

/* ---- channel -----------------------------------------------------------------------------------
 */

static const char *channel_of_cell(const ecl_reader_t *reader, ecl_field_t cell)
{
    static const char *const channels[] = {"AI", "AE", "RI", "RE"};
    ecl_decimal_t code;

    if (reader->layout->channels_are_codes &&
        ecl_decimal_parse(cell.text, cell.length, '.', &code) == ECL_DECIMAL_OK) {
        return code % ECL_DECIMAL_ONE == 0 && code >= ECL_DECIMAL_ONE && code <= 4 * ECL_DECIMAL_ONE
                   ? channels[code / ECL_DECIMAL_ONE - 1]
                   : NULL;
    }
    return ecl_channel_in_column(cell.text, cell.length);
}

/* What a cell says, or what was given where the cell ("kWh") names no direction. */
static const char *given_channel(const ecl_reader_t *reader, ecl_field_t cell, const char *stated)
{
    const char *given = reader->layout->given.channel;

    if (given && stated == ecl_channel_own) {
        return given;
    }
    return given && stated && stated[0] == given[0] && !reader->layout->channels_are_codes &&
                   !ecl_channel_has_direction(cell.text, cell.length)
               ? given
               : stated;
}

static int take_channel(ecl_reader_t *reader, const ecl_value_block_t *block,
                        ecl_row_marks_t *marks)
{
    ecl_field_t cell = ecl_reader_cell(reader, reader->layout->channel_column);

    marks->channel = reader->layout->channel ? reader->layout->channel : "AI";
    if (cell.length) {
        marks->channel = given_channel(reader, cell, channel_of_cell(reader, cell));
        if (!marks->channel) {
            ecl_reader_fail(reader, reader->layout->channel_column, "bad-channel",
                            "\"%s\" names no channel: expected AI, AE, RI or RE, or import or "
                            "export",
                            ecl_reader_show(reader, cell));
            return 0;
        }
        if (!marks->channel[0]) {
            marks->channel = NULL;
        }
    }
    if (marks->channel && block && block->channel) {
        marks->channel = block->channel;
    }
    return 1;
}

/* ---- unit --------------------------------------------------------------------------------------
 */

static ecl_unit_t unit_of_row(ecl_reader_t *reader, const ecl_value_block_t *block, int is_reactive,
                              int *pcolumn, ecl_field_t *pcell)
{
    const ecl_layout_t *layout = reader->layout;
    const char *name = block && block->unit ? block->unit : layout->unit;

    *pcolumn = layout->unit_column;
    *pcell = ecl_reader_cell(reader, layout->unit_column);
    if (block && block->channel && block->unit) {
        return ecl_unit_of(block->unit, strlen(block->unit));
    }
    if (pcell->length) {
        return ecl_unit_of(pcell->text, pcell->length);
    }
    if (name && is_reactive && layout->unit_is_given && !strcmp(name, "kWh")) {
        return ECL_UNIT_NONE; /* it was said of the active rows */
    }
    if (name) {
        *pcell = (ecl_field_t){name, strlen(name)};
        return ecl_unit_of(name, strlen(name));
    }
    /* "Active Import Interval (kW)": the channel's cell may name a unit too */
    *pcolumn = layout->channel_column;
    *pcell = ecl_reader_cell(reader, layout->channel_column);
    return ecl_unit_in_header(pcell->text, pcell->length);
}

static void set_scale(ecl_row_marks_t *marks, apr_int64_t numerator, apr_int64_t denominator)
{
    marks->numerator = numerator;
    marks->denominator = denominator;
}

/* Average power over the period: half as many kWh as kW in half an hour. */
static int take_power(ecl_reader_t *reader, ecl_row_marks_t *marks)
{
    int minutes = reader->layout->interval_minutes;

    if (reader->layout->power_is_beside) {
        marks->channel = NULL;
        return 1;
    }
    if (minutes >= 1440) {
        return 0;
    }
    if (!reader->power_told) {
        reader->power_told = 1;
        ecl_reader_warn(reader, "power",
                        "line %" APR_INT64_T_FMT ": values are in kW, average power over %d "
                        "minutes: multiplied by %d/60 for kWh",
                        reader->record.line, minutes, minutes);
    }
    set_scale(marks, minutes, 60);
    return 1;
}

/* Gas by volume is gathered in cubic metres and converted when a day is handed over. Whatever has
 * an MPAN is electricity. */
static int take_volume(const ecl_reader_t *reader, ecl_unit_t unit, ecl_row_marks_t *marks)
{
    if (strcmp(marks->channel, "AI") || reader->meter_kind == ECL_METER_MPAN) {
        return 0;
    }
    marks->unit = ECL_UNIT_VOLUME;
    switch (unit) {
    case ECL_UNIT_FT3:
        set_scale(marks, 283168, 10000000);
        return 1;
    case ECL_UNIT_HCF:
        set_scale(marks, 283168, 100000);
        return 1;
    default:
        return 1;
    }
}

/* 0: a unit that values of this channel cannot have. */
static int apply_unit(ecl_reader_t *reader, ecl_unit_t unit, ecl_field_t cell,
                      ecl_row_marks_t *marks)
{
    int is_reactive = marks->channel[0] == 'R';
    const char *quantity;

    set_scale(marks, 1, 1);
    marks->unit = is_reactive ? "kVArh" : "kWh";
    switch (unit) {
    case ECL_UNIT_NONE:
        return 1;
    case ECL_UNIT_KWH:
        return !is_reactive;
    case ECL_UNIT_WH:
        set_scale(marks, 1, 1000);
        return !is_reactive;
    case ECL_UNIT_MWH:
        set_scale(marks, 1000, 1);
        return !is_reactive;
    case ECL_UNIT_KW:
        return !is_reactive && take_power(reader, marks);
    case ECL_UNIT_M3:
    case ECL_UNIT_FT3:
    case ECL_UNIT_HCF:
        return take_volume(reader, unit, marks);
    case ECL_UNIT_KVARH:
        return is_reactive;
    case ECL_UNIT_OTHER:
        break;
    }
    quantity = ecl_channel_of(cell.text, cell.length);
    if (quantity && !quantity[0]) {
        marks->channel = NULL; /* "LAG" in a column of units */
        return 1;
    }
    return 0;
}

/* "AI" is a measurement quantity and says active; "import" says a direction only. */
static int is_quantity(ecl_field_t cell)
{
    return cell.length == 2 && (cell.text[0] | 0x20) == 'a';
}

static int take_unit(ecl_reader_t *reader, const ecl_value_block_t *block, ecl_row_marks_t *marks)
{
    ecl_field_t cell;
    int column;
    int is_reactive = marks->channel[0] == 'R';
    ecl_unit_t unit = unit_of_row(reader, block, is_reactive, &column, &cell);

    if (unit == ECL_UNIT_KVARH && marks->channel[0] == 'A' &&
        !is_quantity(ecl_reader_cell(reader, reader->layout->channel_column))) {
        marks->channel = !strcmp(marks->channel, "AE") ? "RE" : "RI";
    }
    is_reactive = marks->channel[0] == 'R';
    if (apply_unit(reader, unit, cell, marks)) {
        return 1;
    }
    if (ecl_unit_is_volume(unit) && !is_reactive) {
        ecl_reader_fail(reader, column, "bad-unit",
                        "the unit \"%s\" is that of gas by volume, which %s cannot have: expected "
                        "Wh, kWh or MWh",
                        ecl_reader_show(reader, cell),
                        reader->meter_kind == ECL_METER_MPAN ? "a meter with an MPAN"
                                                             : "a channel other than AI");
        return 0;
    }
    ecl_reader_fail(reader, column, "bad-unit", "the unit \"%s\" is not one of %s",
                    ecl_reader_show(reader, cell),
                    is_reactive ? "a reactive channel: expected kVArh"
                                : "active energy or gas: expected Wh, kWh, MWh, or m3");
    return 0;
}

/* ---- flag --------------------------------------------------------------------------------------
 */

char ecl_reader_take_flag(ecl_reader_t *reader, int column)
{
    ecl_field_t cell = ecl_reader_cell(reader, column);
    char flag = ecl_flag_of(cell.text, cell.length);

    if (flag == ECL_FLAG_OTHER) {
        ecl_reader_warn(reader, "unknown-flag",
                        "line %" APR_INT64_T_FMT ", column %s: \"%s\" is no flag that is known "
                        "(actual, estimated, manual, corrected): kept as \"other\"",
                        reader->record.line, ecl_reader_column(reader, column),
                        ecl_reader_show(reader, cell));
    }
    return flag ? flag : ECL_FLAG_ACTUAL;
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

void ecl_reader_unit_marks(ecl_reader_t *reader, ecl_unit_t unit, ecl_row_marks_t *marks)
{
    static const ecl_field_t none = {"", 0};

    apply_unit(reader, unit, none, marks);
}

void ecl_reader_extra_marks(ecl_reader_t *reader, const ecl_extra_value_t *extra,
                            ecl_row_marks_t *marks)
{
    marks->channel = extra->channel;
    if (extra->unit) {
        ecl_reader_unit_marks(reader, ecl_unit_of(extra->unit, strlen(extra->unit)), marks);
    } else {
        marks->unit = extra->channel[0] == 'R' ? "kVArh" : "kWh";
    }
}

static void tell_volume(ecl_reader_t *reader)
{
    char value[ECL_DECIMAL_TEXT];

    if (reader->volume_told) {
        return;
    }
    reader->volume_told = 1;
    ecl_decimal_print(
        (ecl_decimal_t)reader->calorific_value * (ECL_DECIMAL_ONE / ECL_CALORIFIC_ONE), value);
    ecl_reader_warn(
        reader, "gas-volume",
        "line %" APR_INT64_T_FMT ": gas by volume: converted to kWh with a calorific "
        "value of %s MJ/m3 (× 1.02264 ÷ 3.6); the volume is kept as channel " ECL_CHANNEL_VOLUME
        " in m3",
        reader->record.line, value);
}

int ecl_reader_take_marks(ecl_reader_t *reader, const ecl_value_block_t *block,
                          ecl_row_marks_t *marks)
{
    if (!take_channel(reader, block, marks)) {
        return 0;
    }
    if (marks->channel && !take_unit(reader, block, marks)) {
        return 0;
    }
    if (marks->channel && !strcmp(marks->unit, ECL_UNIT_VOLUME)) {
        tell_volume(reader);
    }
    if (!marks->channel) {
        ecl_reader_warn(reader, "channel-skipped",
                        "line %" APR_INT64_T_FMT ": not energy of a channel that is kept (active "
                        "and reactive, import and export): passed over",
                        reader->record.line);
        return 1;
    }
    marks->flag = reader->layout->flag_column >= 0
                      ? ecl_reader_take_flag(reader, reader->layout->flag_column)
                      : ECL_FLAG_ACTUAL;
    return 1;
}
