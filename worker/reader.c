/*
 * The reader: which records are rows, and to which layout's reader they go.
 */
#include "reader_internal.h"

#define TICK_BYTES (1024 * 1024)

/* A file's times are local, or of the zone that was given; those of some sheets of it may be UTC.
 */
static apr_status_t make_zone(ecl_clock_t **pzone, const char *name, apr_pool_t *p,
                              ecl_result_t *result)
{
    apr_status_t status = ecl_clock_make(pzone, name, p, result);

    return status == ECL_ECONFIG
               ? ecl_fail(result, ECL_EINPUT, "timezone-conflict", "%s", result->detail)
               : status;
}

static apr_status_t make_zones(ecl_reader_t *reader, ecl_result_t *result)
{
    const char *given = reader->layouts->given.timezone;
    apr_status_t status = APR_SUCCESS;

    for (const ecl_layout_t *layout = reader->layouts; layout && status == APR_SUCCESS;
         layout = layout->next) {
        if (layout->kind == ECL_LAYOUT_DAILY) {
            continue;
        }
        if (layout->times_are_utc && !reader->utc) {
            status = make_zone(&reader->utc, "UTC", reader->pool, result);
        } else if (!layout->times_are_utc && given && !reader->given_zone) {
            status = make_zone(&reader->given_zone, given, reader->pool, result);
        }
    }
    return status;
}

static void enter(ecl_reader_t *reader, const ecl_layout_t *layout)
{
    reader->found = reader->layout = layout;
    reader->is_foreign = reader->has_other_names = 0;
    reader->meter[0] = '\0';
    reader->meter_length = 0;
    ecl_reader_enter_tables(reader);
    reader->zone = reader->options.clock;
    if (layout->kind != ECL_LAYOUT_DAILY && layout->times_are_utc) {
        reader->zone = reader->utc;
    } else if (layout->kind != ECL_LAYOUT_DAILY && reader->given_zone) {
        reader->zone = reader->given_zone;
    }
}

static int most_meters(const ecl_layout_t *layout)
{
    int most = 0;

    for (; layout; layout = layout->next) {
        most = layout->meter_count > most ? layout->meter_count : most;
    }
    return most;
}

static void start_rows(ecl_rows_t *rows, ecl_records_t *records, const ecl_layout_t *first,
                       apr_pool_t *p)
{
    *rows = (ecl_rows_t){.records = records, .first = first, .layout = first};
    for (; first; first = first->next) {
        if (first->turned && !rows->turn) {
            rows->turn = ecl_turn_make(p);
            ecl_turn_enter(rows->turn, rows->first->turned);
        }
    }
}

/* From a layout that is known on. */
static apr_status_t start(ecl_reader_t **preader, ecl_reader_t *reader, const char *path,
                          ecl_result_t *result)
{
    apr_pool_t *p = reader->pool;
    apr_status_t status = APR_SUCCESS;

    if (reader->records) {
        ecl_records_last_time(reader->records);
    } else {
        status = ecl_records_open(&reader->records, path, reader->layouts->delimiter, p, result);
    }
    if (status == APR_SUCCESS) {
        status = make_zones(reader, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    start_rows(&reader->stream, reader->records, reader->layouts, p);
    enter(reader, reader->layouts);
    reader->room = ECL_OPEN_DAYS + most_meters(reader->layouts);
    reader->days = apr_palloc(p, (apr_size_t)reader->room * sizeof(ecl_meter_day_t));
    reader->cells = apr_pcalloc(p, (apr_size_t)reader->room * sizeof(ecl_meter_cell_t));
    ecl_long_open(reader);
    *preader = reader;
    return APR_SUCCESS;
}

apr_status_t ecl_reader_open(ecl_reader_t **preader, const char *path,
                             const ecl_reader_options_t *options, apr_pool_t *p,
                             ecl_result_t *result)
{
    ecl_reader_t *reader = apr_pcalloc(p, sizeof(*reader));
    ecl_wide_zone_t wide = {0};
    apr_status_t status;

    reader->pool = p;
    reader->options = *options;
    reader->calorific_value = ECL_CALORIFIC_VALUE;
    status =
        ecl_layout_find(&reader->layouts, path, options->import_type, &options->given, p, result);
    if (status == APR_SUCCESS && reader->layouts->sheet) {
        status = ecl_records_open(&reader->records, path, ',', p, result);
        if (status == APR_SUCCESS) {
            ecl_records_keep(reader->records);
        }
    }
    for (ecl_layout_t *layout = reader->layouts; layout && status == APR_SUCCESS;
         layout = layout->next) {
        apr_int64_t rows;

        status = ecl_reader_survey(layout, reader->layouts, path, reader->records, options->clock,
                                   &wide, p, &rows, result);
        reader->rows = rows < 0 || reader->rows < 0 ? -1 : reader->rows + rows;
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    ecl_wide_zone_apply(&wide, reader->layouts, p);
    for (ecl_layout_t *layout = reader->layouts; layout; layout = layout->next) {
        ecl_layout_add_cells(layout, p);
    }
    return start(preader, reader, path, result);
}

apr_status_t ecl_reader_again(ecl_reader_t **pagain, const ecl_reader_t *reader, const char *path,
                              apr_pool_t *p, ecl_result_t *result)
{
    ecl_reader_t *again = apr_pcalloc(p, sizeof(*again));

    again->pool = p;
    again->options = reader->options;
    again->calorific_value = reader->calorific_value;
    again->layouts = reader->layouts;
    again->rows = reader->rows;
    return start(pagain, again, path, result);
}

apr_int64_t ecl_reader_rows(const ecl_reader_t *reader)
{
    return reader->rows;
}

const ecl_layout_t *ecl_reader_layout(const ecl_reader_t *reader)
{
    return reader->layouts;
}

const ecl_layout_t *ecl_reader_in_hand(const ecl_reader_t *reader, const char **pforeign)
{
    *pforeign = reader->is_foreign ? reader->foreign_header : NULL;
    return reader->layout;
}

/* The layout that a record is read by, knowing that of the record before; NULL: that of its sheet
 * was not found. */
static const ecl_layout_t *layout_of(const ecl_layout_t *first, const ecl_layout_t *last,
                                     const ecl_record_t *record)
{
    if (last->sheet_number == record->sheet_number) {
        return last;
    }
    while (first && first->sheet_number != record->sheet_number) {
        first = first->next;
    }
    return first;
}

/* The next record of the file, or the one that had to wait. */
static apr_status_t next_record(ecl_rows_t *rows, ecl_record_t *record, ecl_result_t *result)
{
    if (rows->is_held) {
        rows->is_held = 0;
        *record = rows->held;
        return APR_SUCCESS;
    }
    return ecl_records_next(rows->records, record, result);
}

/* 1 when a record is a row, for now or at last; 0: it is no row, or waits for days before it. */
static int is_row(ecl_rows_t *rows, ecl_record_t *record)
{
    if (record->sheet_record < rows->layout->first_record) {
        return 0;
    }
    if (!rows->layout->turned) {
        return 1;
    }
    switch (ecl_turn_put(rows->turn, record)) {
    case ECL_TURN_KEPT:
        return 0;
    case ECL_TURN_FIRST:
        rows->held = *record;
        rows->is_held = 1;
        return 0;
    default:
        return 1;
    }
}

/* The next record that is a row, and its layout; the one place that decides it, for reading and
 * counting alike. */
static apr_status_t next_row(ecl_rows_t *rows, ecl_record_t *record, ecl_result_t *result)
{
    for (;;) {
        const ecl_layout_t *layout;
        apr_status_t status;

        if (rows->turn && rows->layout->turned && ecl_turn_take(rows->turn, record)) {
            break;
        }
        status = next_record(rows, record, result);
        if (APR_STATUS_IS_EOF(status) && rows->turn && rows->layout->turned && !rows->has_ended) {
            rows->has_ended = 1;
            ecl_turn_end(rows->turn);
            continue;
        }
        if (status != APR_SUCCESS) {
            return status;
        }
        layout = layout_of(rows->first, rows->layout, record);
        if (layout != rows->layout && rows->layout->turned && !rows->has_ended) {
            /* another sheet: the last table of this one comes first */
            rows->has_ended = 1;
            rows->held = *record;
            rows->is_held = 1;
            ecl_turn_end(rows->turn);
            continue;
        }
        if (!layout) {
            ecl_records_pass_sheet(rows->records);
            continue;
        }
        if (layout != rows->layout) {
            rows->layout = layout;
            rows->has_ended = 0;
            if (layout->turned) {
                ecl_turn_enter(rows->turn, layout->turned);
            }
        }
        if (is_row(rows, record)) {
            break;
        }
    }
    if (record->status == ECL_RECORD_OK) {
        ecl_parts_join(rows->layout, record, &rows->parts, &rows->is_second);
    }
    if (rows->turn) {
        record->number = ++rows->number; /* there are other rows than the file has records */
    }
    return APR_SUCCESS;
}

/* ---- rows that hold no readings ----------------------------------------------------------------
 */

/* The names of the header once more. Two cells decide it nearly always; then all are compared. */
static int is_our_header(const ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_field_t date = ecl_reader_cell(reader, layout->date_column);

    if (!layout->header_record || !date.length || (date.text[0] >= '0' && date.text[0] <= '9')) {
        return 0;
    }
    for (int i = 0; i < layout->columns; i++) {
        ecl_field_t cell = ecl_reader_cell(reader, i);
        apr_size_t length = strlen(layout->names[i]);
        const char *start = cell.text;

        while (*start == ' ' || *start == '\t') {
            start++;
        }
        if (strncmp(start, layout->names[i], length) ||
            strspn(start + length, " \t") != strlen(start + length)) {
            return 0;
        }
    }
    return 1;
}

static int is_total_row(const ecl_reader_t *reader)
{
    ecl_field_t meter = ecl_reader_cell(reader, reader->layout->meter_column);
    int first = 0;

    while (first < reader->record.count - 1 && !reader->record.fields[first].length) {
        first++;
    }
    return ecl_is_total(reader->record.fields[first].text, reader->record.fields[first].length) ||
           ecl_is_total(meter.text, meter.length);
}

/* "Report generated,2026-07-01,by John": a line that begins like those around a table and does not
 * reach the values, or has a word for one. */
static int is_line_of_report(const ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_field_t first = reader->record.fields[0], cell;
    ecl_decimal_t value;
    int is_cut;

    if (first.length && first.text[0] >= '0' && first.text[0] <= '9') {
        return 0;
    }
    if (layout->kind == ECL_LAYOUT_WIDE) {
        is_cut = reader->record.count <= layout->blocks[0].needed;
    } else {
        cell = ecl_reader_cell(reader, layout->value_column);
        is_cut = ecl_decimal_parse(cell.text, cell.length, layout->decimal_point, &value) ==
                     ECL_DECIMAL_BAD ||
                 reader->record.count <= layout->value_column;
    }
    return is_cut && ecl_reader_is_furniture(reader);
}

static ecl_outcome_t fail_record(ecl_reader_t *reader)
{
    switch (reader->record.status) {
    case ECL_RECORD_REJECTED:
        return ecl_reader_fail(reader, reader->record.column, reader->record.code, "%s",
                               reader->record.message);
    case ECL_RECORD_OPEN_QUOTE:
        return ecl_reader_fail(reader, -1, "open-quote",
                               "a quotation mark opens on this line and never closes");
    case ECL_RECORD_TOO_LONG:
        return ecl_reader_fail(reader, -1, "too-long",
                               "the line is longer than %d bytes or has more than %d fields",
                               ECL_RECORD_MAX, ECL_FIELDS_MAX);
    default:
        return ecl_reader_fail(
            reader, -1, "not-text",
            "the line is not text: it has NULs, or bytes that are no character; save "
            "the file as CSV UTF-8");
    }
}

/* Cells beyond the header's last column mean that something was shifted. */
static int find_extra_cell(const ecl_reader_t *reader)
{
    for (int i = reader->layout->columns; i < reader->record.count; i++) {
        ecl_field_t cell = reader->record.fields[i];

        if (strspn(cell.text, " \t") != cell.length) {
            return i;
        }
    }
    return -1;
}

static ecl_outcome_t read_record(ecl_reader_t *reader)
{
    ecl_outcome_t outcome;
    int extra;

    if (reader->record.status != ECL_RECORD_OK) {
        return fail_record(reader);
    }
    if (is_our_header(reader)) {
        reader->is_foreign = reader->has_other_names;
        ecl_reader_take_header(reader);
        return ECL_OUTCOME_SKIPPED;
    }
    if (reader->has_tables && !ecl_reader_is_next_row(reader) &&
        ecl_reader_take_line(reader, &outcome)) {
        return outcome;
    }
    if (reader->is_foreign) {
        if (reader->has_other_names && ecl_reader_take_names(reader, &outcome)) {
            reader->is_foreign = reader->has_other_names;
            return outcome;
        }
        return ecl_reader_fail(reader, -1, "other-header",
                               "the row stands below a header with other columns: upload it with "
                               "that header as a file of its own");
    }
    if (is_total_row(reader) || is_line_of_report(reader)) {
        return ecl_reader_is_header(reader) ? ecl_reader_fail_header(reader) : ECL_OUTCOME_SKIPPED;
    }
    extra = find_extra_cell(reader);
    if (extra >= 0) {
        return ecl_reader_fail(reader, -1, "too-many-fields",
                               "the row has %d cells and the header %d: \"%s\" would belong to no "
                               "column",
                               reader->record.count, reader->layout->columns,
                               ecl_reader_show(reader, reader->record.fields[extra]));
    }
    if (reader->has_tables && reader->tables.code) {
        return ecl_reader_fail(reader, -1, reader->tables.code, "%s",
                               ecl_tables_why(&reader->tables));
    }
    switch (reader->layout->kind) {
    case ECL_LAYOUT_WIDE:
        return ecl_wide_read(reader);
    case ECL_LAYOUT_LONG:
        return ecl_long_read(reader);
    default:
        return ecl_daily_read(reader);
    }
}

/* Warns once of an encoding that may have cost something, or that shows so late in the file that
 * the layout's evidence does not tell of it. */
static void tell_form(ecl_reader_t *reader)
{
    const ecl_form_t *form = ecl_records_form(reader->records);

    if (reader->form_told) {
        return;
    }
    if (form->encoding == ECL_ENCODING_UTF16_DAMAGED) {
        reader->form_told = 1;
        ecl_reader_warn(reader, "damaged-encoding",
                        "the file was UTF-16 text and was damaged on its way here: letters, digits "
                        "and signs of ASCII were read, others may be wrong or missing; compare the "
                        "readings, or export the file again as CSV UTF-8");
    } else if (form->encoding == ECL_ENCODING_WINDOWS_1252 &&
               form->first_other >= ECL_BYTES_EARLY) {
        reader->form_told = 1;
        ecl_reader_warn(reader, "windows-1252",
                        "after %" APR_INT64_T_FMT " bytes of UTF-8 the file has a byte that is "
                        "none: such bytes were read as Windows-1252",
                        form->first_other);
    }
}

/* ---- the interface -----------------------------------------------------------------------------
 */

/* What there is to tell of the file as a whole, once. */
static void tell_notes(ecl_reader_t *reader)
{
    const ecl_form_t *form = ecl_records_form(reader->records);

    if (reader->has_told_notes) {
        return;
    }
    reader->has_told_notes = 1;
    if (form->passed) {
        ecl_reader_warn(reader, "archive-passed-over",
                        "of the zip archive '%s' was read, the only file in it that can hold "
                        "readings; passed over: %s",
                        form->entry, form->passed);
    }
    for (int i = 0; i < reader->layouts->note_count; i++) {
        ecl_reader_note(reader, &reader->layouts->notes[i]);
    }
}

apr_status_t ecl_reader_next(ecl_reader_t *reader, const ecl_reader_sink_t *sink, ecl_row_t *row,
                             ecl_result_t *result)
{
    static const ecl_row_fate_t fates[] = {
        [ECL_OUTCOME_TAKEN] = ECL_ROW_IMPORTED,
        [ECL_OUTCOME_FAILED] = ECL_ROW_FAILED,
        [ECL_OUTCOME_SKIPPED] = ECL_ROW_SKIPPED,
    };
    ecl_outcome_t outcome;
    apr_status_t status = next_row(&reader->stream, &reader->record, result);

    if (APR_STATUS_IS_EOF(status)) {
        apr_status_t flushed = ecl_reader_flush(reader, sink);

        return flushed == APR_SUCCESS ? status : flushed;
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    reader->sink = sink;
    reader->sink_status = APR_SUCCESS;
    reader->has_failed = 0;
    tell_form(reader);
    tell_notes(reader);
    if (reader->stream.layout != reader->found) {
        ecl_long_flush(reader); /* the days of the sheet before */
        enter(reader, reader->stream.layout);
    }
    reader->hour = ECL_HOUR_OPEN;
    outcome = read_record(reader);
    row->number = reader->record.number;
    row->line = reader->record.line;
    row->end_offset = reader->record.end_offset;
    row->fate = reader->has_failed ? ECL_ROW_FAILED : fates[outcome];
    return reader->sink_status;
}

apr_status_t ecl_reader_tell(ecl_reader_t *reader, const ecl_reader_sink_t *sink)
{
    reader->sink = sink;
    reader->sink_status = APR_SUCCESS;
    if (reader->registers) {
        ecl_registers_tell(reader);
    }
    return reader->sink_status;
}

apr_status_t ecl_reader_flush(ecl_reader_t *reader, const ecl_reader_sink_t *sink)
{
    reader->sink = sink;
    reader->sink_status = APR_SUCCESS;
    ecl_long_flush(reader);
    return reader->sink_status;
}

apr_status_t ecl_reader_count(const char *path, const ecl_layout_t *layout,
                              apr_status_t (*tick)(void *baton), void *baton, apr_pool_t *p,
                              apr_int64_t *prows, ecl_result_t *result)
{
    ecl_records_t *records;
    ecl_record_t record;
    ecl_rows_t rows;
    apr_int64_t next_tick = TICK_BYTES;
    apr_status_t status = ecl_records_open(&records, path, layout->delimiter, p, result);

    *prows = 0;
    if (status == APR_SUCCESS) {
        ecl_records_read_all(records);
        start_rows(&rows, records, layout, p);
        if (!rows.turn) {
            ecl_records_set_head(records, 1); /* what stands in a row makes no difference */
        }
    }
    while (status == APR_SUCCESS) {
        status = next_row(&rows, &record, result);
        if (status != APR_SUCCESS) {
            break;
        }
        (*prows)++;
        if (tick && record.text_offset >= next_tick) {
            next_tick = record.text_offset + TICK_BYTES;
            status = tick(baton);
        }
    }
    return APR_STATUS_IS_EOF(status) ? APR_SUCCESS : status;
}

apr_status_t ecl_reader_ignore_error(void *baton, const ecl_row_error_t *error)
{
    (void)baton;
    (void)error;
    return APR_SUCCESS;
}

apr_status_t ecl_reader_ignore_warning(void *baton, const char *code, const char *message)
{
    (void)baton;
    (void)code;
    (void)message;
    return APR_SUCCESS;
}
