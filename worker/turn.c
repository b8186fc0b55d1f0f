#include "turn.h"

#include "layout_internal.h"
#include "source.h"

struct ecl_turn_t {
    apr_pool_t *pool;
    const ecl_turn_form_t *form;
    ecl_assembly_t assembly;
    char (*cells)[ECL_TURN_CELL]; /* by date, then label */
    apr_size_t room;              /* of them */
    char dates[ECL_TURN_DATES][ECL_TURN_CELL];
    int columns[ECL_TURN_DATES]; /* where they stand */
    int date_count;
    int width; /* cells of a row, up to the last column that has a name */
    char meter[ECL_METER_MAX];
    char seen[ECL_TURN_LABELS]; /* how often each label was met in this table */
    int rows;
    ecl_record_t last; /* of its rows: sheet and offsets */
    apr_int64_t line;  /* of its header */
    int next;          /* date to take; date_count: none */
    int has_ended;
    int is_unnamed; /* a line names a meter, and none named that of the tables before it */
    int is_other;   /* a line says another channel or unit than the first table's */
    char message[160];
};

ecl_turn_t *ecl_turn_make(apr_pool_t *p)
{
    ecl_turn_t *turn = apr_pcalloc(p, sizeof(*turn));

    turn->pool = p;
    ecl_assembly_make(&turn->assembly, ECL_TURN_LABELS + 2, p);
    return turn;
}

static int slots_of(const ecl_turn_form_t *form)
{
    return form->labels + form->extra;
}

static void forget(ecl_turn_t *turn)
{
    turn->date_count = turn->rows = turn->next = turn->has_ended = 0;
}

void ecl_turn_enter(ecl_turn_t *turn, const ecl_turn_form_t *form)
{
    apr_size_t room = form ? (apr_size_t)slots_of(form) * ECL_TURN_DATES : 0;

    turn->form = form;
    turn->is_unnamed = turn->is_other = 0;
    forget(turn);
    if (!form) {
        return;
    }
    apr_cpystrn(turn->meter, form->first_meter, sizeof(turn->meter));
    if (room > turn->room) {
        turn->cells = apr_palloc(turn->pool, room * sizeof(turn->cells[0]));
        turn->room = room;
    }
}

static char *cell_at(const ecl_turn_t *turn, int date, int slot)
{
    return turn->cells[date * slots_of(turn->form) + slot];
}

/* ---- putting -----------------------------------------------------------------------------------
 */

/* "1000000000012,01/02/2026,02/02/2026": the meter stands where others write "Time". */
static void take_corner(ecl_turn_t *turn, const ecl_record_t *record)
{
    ecl_field_t cell = ecl_sample_cell(record, turn->form->label_column);
    char meter[ECL_METER_MAX];
    ecl_meter_kind_t kind;

    if (turn->form->has_meter &&
        ecl_meter_parse(cell.text, cell.length, meter, &kind) == ECL_METER_OK &&
        kind != ECL_METER_OTHER) {
        apr_cpystrn(turn->meter, meter, sizeof(turn->meter));
    }
}

/* 1 for the header of a table: takes its dates. */
static int take_dates(ecl_turn_t *turn, const ecl_record_t *record)
{
    int columns[ECL_TURN_DATES], width;
    int count = ecl_turn_dates(record, turn->form->label_column, columns, &width);

    if (!count) {
        return 0;
    }
    forget(turn);
    turn->date_count = count;
    turn->width = width;
    turn->line = record->line;
    memset(turn->seen, 0, sizeof(turn->seen));
    for (int i = 0; i < count; i++) {
        turn->columns[i] = columns[i];
        apr_cpystrn(turn->dates[i], record->fields[columns[i]].text, ECL_TURN_CELL);
        for (int slot = 0; slot < slots_of(turn->form); slot++) {
            cell_at(turn, i, slot)[0] = '\0';
        }
    }
    take_corner(turn, record);
    return 1;
}

static ecl_turn_put_t reject(ecl_turn_t *turn, ecl_record_t *record, int column, const char *code,
                             const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static ecl_turn_put_t reject(ecl_turn_t *turn, ecl_record_t *record, int column, const char *code,
                             const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    apr_vsnprintf(turn->message, sizeof(turn->message), fmt, args);
    va_end(args);
    record->status = ECL_RECORD_REJECTED;
    record->code = code;
    record->message = turn->message;
    record->column = column;
    return ECL_TURN_OTHER;
}

/* Which column of the turned table a row is; -1: none. A label that was met before is of the hour
 * that comes twice. */
static int slot_of(const ecl_turn_t *turn, int label)
{
    const ecl_turn_form_t *form = turn->form;
    int slot = form->slots[label], first = 60, nth;

    if (slot < 0 || !turn->seen[slot]) {
        return slot;
    }
    if (form->are_ends && !form->as_clock) {
        first += form->interval;
    }
    nth = label >= first ? (label - first) / form->interval : form->extra;
    return turn->seen[slot] == 1 && nth < form->extra ? form->labels + nth : -1;
}

static ecl_turn_put_t put_row(ecl_turn_t *turn, ecl_record_t *record, int label)
{
    const ecl_turn_form_t *form = turn->form;
    ecl_field_t name = record->fields[form->label_column];
    int slot = slot_of(turn, label);

    if (turn->is_unnamed) {
        return reject(turn, record, -1, "other-meter",
                      "a line above names the row's meter, and none those of the tables before it: "
                      "upload them apart, or name the meter of each");
    }
    if (turn->is_other) {
        return reject(turn, record, -1, "bad-channel",
                      "a line above says another channel or unit than those above the first table: "
                      "upload the tables apart");
    }
    if (slot < 0) {
        return reject(turn, record, -1, "bad-time",
                      "\"%.*s\" is none of the times of the file's first table, or comes too often",
                      (int)(name.length < 40 ? name.length : 40), name.text);
    }
    if (record->count < turn->width && !record->sheet) {
        return reject(turn, record, -1, "too-few-fields", "the row ends after %d of the %d columns",
                      record->count, turn->width);
    }
    for (int c = turn->width; c < record->count; c++) {
        if (record->fields[c].length) {
            return reject(turn, record, -1, "too-many-fields",
                          "the row has %d cells and the header %d", record->count, turn->width);
        }
    }
    for (int i = 0; i < turn->date_count; i++) {
        if (ecl_sample_cell(record, turn->columns[i]).length >= ECL_TURN_CELL) {
            return reject(turn, record, -1, "bad-value", "the cell of %s is too long for a value",
                          turn->dates[i]);
        }
    }
    for (int i = 0; i < turn->date_count; i++) {
        apr_cpystrn(cell_at(turn, i, slot), ecl_sample_cell(record, turn->columns[i]).text,
                    ECL_TURN_CELL);
    }
    if (slot < form->labels) {
        turn->seen[slot] = 1;
    } else {
        turn->seen[form->slots[label]] = 2;
    }
    turn->rows++;
    turn->last = *record;
    return ECL_TURN_KEPT;
}

/* 1 when the row's meter is another than the table's so far; takes it. */
static int changes_meter(ecl_turn_t *turn, const ecl_record_t *record)
{
    ecl_field_t cell = ecl_sample_cell(record, turn->form->meter_column);

    if (turn->form->meter_column < 0 || !cell.length || !strcmp(cell.text, turn->meter)) {
        return 0;
    }
    if (!turn->rows) {
        apr_cpystrn(turn->meter, cell.text, sizeof(turn->meter));
        return 0;
    }
    return 1;
}

/* The days of a table are taken; its dates may hold for rows of another meter. */
static void start_again(ecl_turn_t *turn)
{
    turn->rows = turn->next = turn->has_ended = 0;
    memset(turn->seen, 0, sizeof(turn->seen));
    for (int i = 0; i < turn->date_count; i++) {
        for (int slot = 0; slot < slots_of(turn->form); slot++) {
            cell_at(turn, i, slot)[0] = '\0';
        }
    }
}

/* A line names a table's meter as the first table's does. */
static int names_meter(const ecl_turn_form_t *form, const ecl_record_t *record,
                       char meter[ECL_METER_MAX])
{
    return ecl_layout_meter_in_line(record, ECL_METER_ABOVE_NUMBER, meter) ||
           ((form->meter_above == ECL_METER_ABOVE_NAME || !form->has_meter) &&
            !ecl_turn_dates(record, form->label_column, NULL, NULL) &&
            ecl_layout_meter_in_line(record, ECL_METER_ABOVE_NAME, meter));
}

/* 1 for a line that says channel or unit of the tables below it, which are read as the first one
 * is, or not at all. */
static int take_said(ecl_turn_t *turn, const ecl_record_t *record)
{
    const char *first = turn->form->channel ? turn->form->channel : "AI";
    ecl_unit_t first_unit = turn->form->unit ? turn->form->unit : ECL_UNIT_KWH;
    int is_export, is_title;
    const char *channel = ecl_layout_channel_in_line(record, &is_export);
    ecl_unit_t unit = ecl_layout_unit_in_line(record, &is_title);

    if (!channel && (unit == ECL_UNIT_NONE || is_title)) {
        return 0;
    }
    turn->is_other = (channel && strcmp(channel, first) != 0) ||
                     (unit != ECL_UNIT_NONE && !is_title && unit != first_unit);
    return 1;
}

ecl_turn_put_t ecl_turn_put(ecl_turn_t *turn, ecl_record_t *record)
{
    char meter[ECL_METER_MAX];
    int label;

    if (record->status != ECL_RECORD_OK) {
        return ECL_TURN_OTHER;
    }
    if (turn->date_count && ecl_turn_label(turn->form, record, &label)) {
        if (changes_meter(turn, record)) {
            turn->has_ended = 1;
            return ECL_TURN_FIRST;
        }
        return put_row(turn, record, label);
    }
    if (names_meter(turn->form, record, meter)) {
        if (!turn->form->has_meter) {
            turn->is_unnamed = 1;
            return reject(turn, record, -1, "other-meter",
                          "a meter is named here, and none above the tables before it: upload them "
                          "apart, or name the meter of each");
        }
        if (turn->rows) {
            turn->has_ended = 1;
            return ECL_TURN_FIRST;
        }
        apr_cpystrn(turn->meter, meter, sizeof(turn->meter));
        return ECL_TURN_KEPT;
    }
    if (ecl_turn_dates(record, turn->form->label_column, NULL, NULL)) {
        if (turn->rows) {
            turn->has_ended = 1;
            return ECL_TURN_FIRST;
        }
        take_dates(turn, record);
        return ECL_TURN_KEPT;
    }
    return take_said(turn, record) ? ECL_TURN_KEPT : ECL_TURN_OTHER;
}

void ecl_turn_end(ecl_turn_t *turn)
{
    turn->has_ended = turn->rows > 0;
}

/* ---- taking ------------------------------------------------------------------------------------
 */

/* Labels that are what the clock shows at the end come in the order 01:00, 01:30, 01:00, 01:30,
 * 02:00 on the day that has them twice: the second 01:00 ends the first hour's last period, and
 * what is called 02:00 the second hour's. Where they are not there the day is as any other. */
static void put_in_order(ecl_turn_t *turn, int date)
{
    const ecl_turn_form_t *form = turn->form;
    int hour = 60 / form->interval;
    char *again, *last, kept[ECL_TURN_CELL];

    if (!form->extra || !form->as_clock) {
        return;
    }
    again = cell_at(turn, date, form->labels); /* the second 01:00, 01:30 … */
    last = cell_at(turn, date, 2 * hour - 1);  /* 02:00 */
    if (!again[0] || !strcmp(again, "0")) {
        return;
    }
    apr_cpystrn(kept, last, sizeof(kept));
    apr_cpystrn(last, again, ECL_TURN_CELL);
    for (int i = 0; i + 1 < hour; i++) {
        apr_cpystrn(cell_at(turn, date, form->labels + i),
                    cell_at(turn, date, form->labels + i + 1), ECL_TURN_CELL);
    }
    apr_cpystrn(cell_at(turn, date, form->labels + hour - 1), kept, ECL_TURN_CELL);
}

int ecl_turn_take(ecl_turn_t *turn, ecl_record_t *record)
{
    const ecl_turn_form_t *form = turn->form;

    if (!turn->has_ended) {
        return 0;
    }
    if (turn->next == turn->date_count) {
        start_again(turn);
        return 0;
    }
    put_in_order(turn, turn->next);
    ecl_assembly_clear(&turn->assembly);
    if (form->has_meter) {
        ecl_assembly_add(&turn->assembly, turn->meter, strlen(turn->meter));
    }
    ecl_assembly_add(&turn->assembly, turn->dates[turn->next], strlen(turn->dates[turn->next]));
    for (int slot = 0; slot < slots_of(form); slot++) {
        const char *cell = cell_at(turn, turn->next, slot);

        ecl_assembly_add(&turn->assembly, cell, strlen(cell));
    }
    ecl_assembly_finish(&turn->assembly, record, turn->line, turn->last.end_offset);
    record->text_offset = turn->last.text_offset;
    record->sheet = turn->last.sheet;
    record->sheet_number = turn->last.sheet_number;
    record->sheet_record = turn->last.sheet_record;
    turn->next++;
    return 1;
}
