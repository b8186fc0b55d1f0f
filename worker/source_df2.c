/*
 * Stark DF2: lines that hold for all that follow, and readings.
 *
 *   #F2                        the format; repeated where files were put together
 *   #O 2200000000000-SERIAL    outstation: the meter, perhaps with its serial number
 *   #S 1                       sensor: 1 active import, 2 active export, 3 reactive import,
 *                              4 reactive export
 *   16/04/2024,00:30,0.77,A    date and time at which the half-hour ends, in UTC; value; flag
 *
 * A row is a line with a reading. The real files that this was written against have blanks around
 * fields, commas after them, "#S2" without a blank, and seconds in times.
 */
#include "../lib/utf8.h"
#include "source.h"

#include "cell.h"
#include "meter.h"

#include <apr_lib.h>

enum { COLUMN_METER, COLUMN_CHANNEL, COLUMN_STAMP, COLUMN_VALUE, COLUMN_FLAG, COLUMNS };

#define FIELDS 4

typedef struct df2_t {
    ecl_source_t source;
    ecl_records_t *lines;
    ecl_assembly_t assembly;
    int has_header; /* it was handed out */
    char meter[ECL_METER_MAX + 4];
    const char *channel; /* NULL: no usable #S since #O */
    char message[256];
} df2_t;

static void trim(ecl_field_t *cell)
{
    const char *end = cell->text + cell->length;

    ecl_cell_trim(&cell->text, &end);
    cell->length = (apr_size_t)(end - cell->text);
}

/* ---- lines that hold for those that follow -----------------------------------------------------
 */

/* "2200000000000-SERIAL": the MPAN alone; a hyphen in any other identifier is part of it. */
static void take_outstation(df2_t *df2, ecl_field_t cell)
{
    const char *hyphen = memchr(cell.text, '-', cell.length);

    df2->channel = NULL;
    if (hyphen) {
        ecl_field_t core = {cell.text, (apr_size_t)(hyphen - cell.text)};

        trim(&core);
        if (core.length == 13 && strspn(core.text, "0123456789") >= 13) {
            cell = core;
        }
    }
    /* one character more than an identifier may have: too long is then told of the rows */
    if (cell.length > sizeof(df2->meter) - 1) {
        cell.length = sizeof(df2->meter) - 1;
    }
    memcpy(df2->meter, cell.text, cell.length);
    df2->meter[cell.length] = '\0';
}

/* 0: it is no number. Sensors beyond the fourth measure what is not kept: as channel UN. */
static int take_sensor(df2_t *df2, ecl_field_t cell)
{
    static const char *const channels[] = {"AI", "AE", "RI", "RE"};
    char text[8];
    apr_int64_t number;

    df2->channel = NULL;
    if (cell.length >= sizeof(text)) {
        return 0;
    }
    memcpy(text, cell.text, cell.length);
    text[cell.length] = '\0';
    if (!ecl_parse_int64(text, 1, 999, &number)) {
        return 0;
    }
    df2->channel = number <= 4 ? channels[number - 1] : "UN";
    return 1;
}

typedef enum mark_t { MARK_NONE, MARK_TAKEN, MARK_BAD_SENSOR, MARK_UNKNOWN } mark_t;

/* A line that begins with "#". */
static mark_t take_mark(df2_t *df2, const ecl_record_t *line)
{
    ecl_field_t cell = line->fields[0];
    char letter;

    if (!cell.length || cell.text[0] != '#') {
        return MARK_NONE;
    }
    letter = (char)apr_toupper(cell.text[1]);
    if (cell.length < 2 || !strchr("FOS", letter)) {
        return MARK_UNKNOWN;
    }
    cell.text += 2;
    cell.length -= 2;
    trim(&cell);
    if (letter == 'O') {
        take_outstation(df2, cell);
    } else if (letter == 'S' && !take_sensor(df2, cell)) {
        return MARK_BAD_SENSOR;
    }
    return MARK_TAKEN;
}

/* ---- records -----------------------------------------------------------------------------------
 */

static void hand_out_header(df2_t *df2, ecl_record_t *record)
{
    static const char *const names[COLUMNS] = {"MPAN", "Channel", "Period End (UTC)", "Value",
                                               "Flag"};

    ecl_assembly_clear(&df2->assembly);
    for (int i = 0; i < COLUMNS; i++) {
        ecl_assembly_add(&df2->assembly, names[i], strlen(names[i]));
    }
    ecl_assembly_finish(&df2->assembly, record, 1, 0);
    df2->has_header = 1;
}

static void assemble(df2_t *df2, const ecl_record_t *line)
{
    ecl_field_t cells[FIELDS] = {{"", 0}, {"", 0}, {"", 0}, {"", 0}};
    char stamp[64];
    int length;

    for (int i = 0; i < line->count && i < FIELDS; i++) {
        cells[i] = line->fields[i];
        trim(&cells[i]);
    }
    ecl_assembly_clear(&df2->assembly);
    ecl_assembly_add(&df2->assembly, df2->meter, strlen(df2->meter));
    ecl_assembly_add(&df2->assembly, df2->channel ? df2->channel : "",
                     df2->channel ? strlen(df2->channel) : 0);
    /* what is longer is no date or time, and still is none when cut */
    length = apr_snprintf(stamp, sizeof(stamp), "%.*s %.*s", ECL_CUT(30, cells[0].text),
                          ECL_CUT(30, cells[1].text));
    ecl_assembly_add(&df2->assembly, stamp, (apr_size_t)length);
    if (line->count < FIELDS) {
        return; /* so that it stays wrong when it comes again as CSV: its last number may be cut */
    }
    ecl_assembly_add(&df2->assembly, cells[2].text, cells[2].length);
    /* "ZA": the last character is the flag */
    length = cells[3].length ? ecl_utf8_cut(cells[3].text, cells[3].length - 1) : 0;
    ecl_assembly_add(&df2->assembly, cells[3].text + length, cells[3].length - (apr_size_t)length);
    for (int i = FIELDS; i < line->count; i++) {
        ecl_assembly_add(&df2->assembly, line->fields[i].text, line->fields[i].length);
    }
}

static void reject(df2_t *df2, const ecl_record_t *line, ecl_record_t *record, int column,
                   const char *code)
{
    ecl_assembly_reject(&df2->assembly, record, line->line, line->end_offset, column, code,
                        df2->message);
}

static void reject_mark(df2_t *df2, const ecl_record_t *line, ecl_record_t *record, mark_t mark)
{
    ecl_assembly_clear(&df2->assembly);
    ecl_assembly_add(&df2->assembly, line->raw, line->raw_length);
    if (mark == MARK_BAD_SENSOR) {
        apr_snprintf(df2->message, sizeof(df2->message),
                     "\"%.*s\" names no sensor: expected 1 (active import), 2 (active export), 3 "
                     "or 4 (reactive); the readings below it have no channel",
                     ECL_CUT(60, line->raw));
        reject(df2, line, record, COLUMN_CHANNEL, "bad-channel");
    } else {
        apr_snprintf(df2->message, sizeof(df2->message),
                     "\"%.*s\" is no line of a DF2 file: expected #F2, #O, #S or a reading",
                     ECL_CUT(60, line->raw));
        reject(df2, line, record, -1, "bad-line");
    }
}

static void hand_out_reading(df2_t *df2, const ecl_record_t *line, ecl_record_t *record)
{
    assemble(df2, line);
    if (line->count < FIELDS) {
        apr_snprintf(df2->message, sizeof(df2->message),
                     "the line \"%.*s\" has %d of 4 fields: expected date, time, value and flag",
                     ECL_CUT(60, line->raw), line->count);
        reject(df2, line, record, -1, "too-few-fields");
    } else if (!df2->channel) {
        apr_snprintf(df2->message, sizeof(df2->message),
                     "no line #S says which sensor of \"%.*s\" this is", ECL_CUT(60, df2->meter));
        reject(df2, line, record, COLUMN_CHANNEL, "bad-channel");
    } else {
        ecl_assembly_finish(&df2->assembly, record, line->line, line->end_offset);
    }
}

/* What is no text can be the reading it stands for, or a line for those that follow. */
static void hand_out_unreadable(df2_t *df2, const ecl_record_t *line, ecl_record_t *record)
{
    if (line->raw[0] == '#') {
        df2->channel = NULL;
    }
    *record = *line;
    record->number = ++df2->assembly.number;
}

static apr_status_t next(ecl_source_t *source, ecl_record_t *record, ecl_result_t *result)
{
    df2_t *df2 = (df2_t *)source;
    ecl_record_t line;
    mark_t mark;

    if (!df2->has_header) {
        hand_out_header(df2, record);
        return APR_SUCCESS;
    }
    do {
        apr_status_t status = ecl_records_next(df2->lines, &line, result);

        if (status != APR_SUCCESS) {
            return status;
        }
        if (line.status != ECL_RECORD_OK) {
            hand_out_unreadable(df2, &line, record);
            return APR_SUCCESS;
        }
        mark = take_mark(df2, &line);
    } while (mark == MARK_TAKEN);
    if (mark == MARK_NONE) {
        hand_out_reading(df2, &line, record);
    } else {
        reject_mark(df2, &line, record, mark);
    }
    return APR_SUCCESS;
}

static void set_read_size(ecl_source_t *source, apr_size_t bytes)
{
    ecl_records_set_read_size(((df2_t *)source)->lines, bytes);
}

/* ---- the form ----------------------------------------------------------------------------------
 */

static apr_status_t open_df2(ecl_source_t **psource, const char *path, apr_pool_t *p,
                             ecl_result_t *result)
{
    df2_t *df2 = apr_pcalloc(p, sizeof(*df2));

    df2->source.form = &ecl_source_df2;
    df2->source.next = next;
    df2->source.set_read_size = set_read_size;
    ecl_assembly_make(&df2->assembly, ECL_FIELDS_MAX, p);
    *psource = &df2->source;
    return ecl_records_open_lines(&df2->lines, path, ',', p, result);
}

static void describe(const ecl_source_t *source, ecl_layout_t *layout, apr_pool_t *p)
{
    (void)source;
    (void)p;
    layout->kind = ECL_LAYOUT_LONG;
    layout->meter_column = COLUMN_METER;
    layout->channel_column = COLUMN_CHANNEL;
    layout->date_column = COLUMN_STAMP;
    layout->value_column = COLUMN_VALUE;
    layout->flag_column = COLUMN_FLAG;
    layout->labels_are_ends = 1;
    layout->times_are_utc = 1;
    layout->evidence = "Stark DF2: a line per reading, times are UTC and end the half-hour (as the "
                       "format says); sensor 1 active import, 2 active export, 3 reactive import, "
                       "4 reactive export, in kWh and kVArh";
}

const ecl_source_form_t ecl_source_df2 = {"a Stark DF2 file", open_df2, describe};
