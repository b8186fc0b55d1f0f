/*
 * One worksheet: <row> by <row>.
 */
#include "../lib/utf8.h"
#include "xlsx_internal.h"

#define FORMULA_MAX 200 /* bytes of a formula that stands in for a value that is not there */

typedef enum capture_t { CAPTURE_NONE, CAPTURE_VALUE, CAPTURE_FORMULA } capture_t;

struct ecl_xlsx_sheet_t {
    const ecl_xlsx_book_t *book;
    const char *name;
    ecl_xml_t *xml;
    int in_data, in_row, in_cell;
    int tables;      /* <sheetData> so far: one is usual */
    int depth;       /* of elements in it */
    apr_int64_t row; /* the one in hand, or the last one */
    ecl_xlsx_place_t place;
    int is_row_ready; /* to be handed out */
    /* the row in hand */
    int count;       /* of cells up to the last with a text; all are in book->fields */
    int next_column; /* of a cell that does not say where it stands */
    apr_size_t used; /* of book->text */
    apr_size_t room; /* of it, for cells and the NULs between them */
    int is_too_long, may_need_quote;
    int is_unsorted; /* cells do not stand in book->text from left to right */
    /* the cell in hand; its value is gathered in book->text from `used` on */
    int column;
    char type; /* s: shared, i: inline, t: text, b: truth value, n: number, d: date, e: error */
    ecl_serial_form_t form;
    capture_t capture;
    int phonetic;
    apr_size_t value_length;
    char formula[FORMULA_MAX + 1]; /* with its "="; "": none */
    apr_size_t formula_length;

    apr_status_t status; /* what went wrong in a handler */
    ecl_result_t *result;
};

static void fail(ecl_xlsx_sheet_t *sheet, const char *what, const char *value)
{
    if (sheet->status == APR_SUCCESS) {
        sheet->status =
            ecl_fail(sheet->result, ECL_EINPUT, "bad-workbook",
                     "the workbook is damaged: sheet \"%s\", row %" APR_INT64_T_FMT ": %s \"%.*s\"",
                     sheet->name, sheet->row, what, ECL_CUT(40, value));
    }
    ecl_xml_pause(sheet->xml);
}

/* ---- rows and cells begin -------------------------------------------------------------------- */

static void start_row(ecl_xlsx_sheet_t *sheet, const char **attributes)
{
    const char *number = ecl_xml_attribute(attributes, "r");
    apr_int64_t row = sheet->row + 1;

    if (sheet->in_row) {
        fail(sheet, "it holds another", "row");
    }
    sheet->in_row = 1;
    if (number && !ecl_parse_int64(number, sheet->row + 1, APR_INT32_MAX, &row)) {
        fail(sheet, "the next row says that its number is", number);
    }
    if (!sheet->row && number) {
        sheet->place.first_row = row;
    }
    sheet->row = row;
    sheet->count = sheet->next_column = 0;
    sheet->used = 0;
    sheet->room = ECL_RECORD_MAX;
    sheet->is_too_long = sheet->may_need_quote = sheet->is_unsorted = 0;
}

static char type_of(const char *text)
{
    static const struct {
        const char *text;
        char type;
    } types[] = {{"s", 's'}, {"inlineStr", 'i'}, {"str", 't'}, {"b", 'b'},
                 {"n", 'n'}, {"d", 'd'},         {"e", 'e'}};

    for (apr_size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!strcmp(text, types[i].text)) {
            return types[i].type;
        }
    }
    return '\0';
}

static void start_cell(ecl_xlsx_sheet_t *sheet, const char **attributes)
{
    apr_int64_t style;

    if (sheet->in_cell) {
        fail(sheet, "a cell holds another", "cell");
    }
    sheet->in_cell = 1;
    sheet->column = sheet->next_column;
    sheet->type = 'n';
    sheet->form = ECL_SERIAL_NUMBER;
    for (int i = 0; attributes[i]; i += 2) {
        const char *name = attributes[i], *value = attributes[i + 1];

        if (name[1]) {
            continue;
        }
        if (name[0] == 'r') {
            sheet->column = ecl_xlsx_column(value);
            if (sheet->column < 0) {
                fail(sheet, "a cell says that it stands at", value);
            }
        } else if (name[0] == 't') {
            sheet->type = type_of(value);
            if (!sheet->type) {
                fail(sheet, "a cell is of the unknown type", value);
            }
        } else if (name[0] == 's' &&
                   ecl_parse_int64(value, 0, sheet->book->form_count - 1, &style)) {
            sheet->form = (ecl_serial_form_t)sheet->book->forms[style];
        }
    }
    sheet->next_column = sheet->column + 1;
    sheet->capture = CAPTURE_NONE;
    sheet->phonetic = 0;
    sheet->value_length = sheet->formula_length = 0;
}

static void start_data(ecl_xlsx_sheet_t *sheet, const char *name)
{
    sheet->in_data = !strcmp(name, "sheetData");
    sheet->depth = 0;
    if (sheet->in_data && !sheet->tables++) {
        sheet->place.head = ecl_xml_offset_after(sheet->xml);
    }
}

/* An element in a row, with a name of one letter, as most are. */
static void start_short(ecl_xlsx_sheet_t *sheet, char name, const char **attributes)
{
    if (name == 'c') {
        start_cell(sheet, attributes);
    } else if (!sheet->in_cell) {
        return;
    } else if (name == 'v' || (name == 't' && sheet->type == 'i' && !sheet->phonetic)) {
        sheet->capture = CAPTURE_VALUE;
    } else if (name == 'f') {
        sheet->capture = CAPTURE_FORMULA;
        sheet->formula[0] = '=';
        sheet->formula_length = 1;
    }
}

static void on_start(void *baton, const char *name, const char **attributes)
{
    ecl_xlsx_sheet_t *sheet = baton;

    if (!sheet->in_data) {
        start_data(sheet, name);
        return;
    }
    sheet->depth++;
    if (!name[1]) {
        if (sheet->in_row) {
            start_short(sheet, name[0], attributes);
        }
    } else if (!strcmp(name, "row")) {
        start_row(sheet, attributes);
    } else if (sheet->in_cell && !strcmp(name, "rPh")) {
        sheet->phonetic++;
    }
}

static void on_text(void *baton, const char *text, apr_size_t length)
{
    ecl_xlsx_sheet_t *sheet = baton;

    if (sheet->capture == CAPTURE_VALUE) {
        if (sheet->used + sheet->value_length + length > sheet->room) {
            sheet->is_too_long = 1;
            return;
        }
        memcpy(sheet->book->text + sheet->used + sheet->value_length, text, length);
        sheet->value_length += length;
    } else if (sheet->capture == CAPTURE_FORMULA) {
        apr_size_t room = FORMULA_MAX - sheet->formula_length;

        length = length <= room ? length : (apr_size_t)ecl_utf8_cut(text, room);
        memcpy(sheet->formula + sheet->formula_length, text, length);
        sheet->formula_length += length;
    }
}

/* ---- and end --------------------------------------------------------------------------------- */

/* Puts a text in the place of the value in hand. */
static void set_value(ecl_xlsx_sheet_t *sheet, const char *text, apr_size_t length)
{
    if (sheet->used + length > sheet->room) {
        sheet->is_too_long = 1;
        sheet->value_length = 0;
        return;
    }
    memcpy(sheet->book->text + sheet->used, text, length);
    sheet->value_length = length;
}

static void take_shared(ecl_xlsx_sheet_t *sheet)
{
    char digits[24];
    const char *text;
    apr_int64_t number;
    apr_size_t length;
    apr_status_t status;

    apr_cpystrn(digits, sheet->book->text + sheet->used,
                sheet->value_length < sizeof digits ? sheet->value_length + 1 : sizeof digits);
    if (!ecl_parse_int64(digits, 0, APR_INT32_MAX, &number)) {
        fail(sheet, "a cell refers to the text number", digits);
        return;
    }
    apr_thread_mutex_lock(sheet->book->lock);
    status = ecl_strings_get(sheet->book->strings, number, ECL_RECORD_MAX + 1, &text, &length,
                             sheet->result);
    if (status == APR_SUCCESS) {
        set_value(sheet, text, length);
    } else {
        sheet->status = status;
        ecl_xml_pause(sheet->xml);
    }
    apr_thread_mutex_unlock(sheet->book->lock);
}

static void take_number(ecl_xlsx_sheet_t *sheet)
{
    char text[ECL_XLSX_NUMBER_TEXT];
    apr_size_t length = ecl_xlsx_number(sheet->book->text + sheet->used, sheet->value_length,
                                        sheet->form, sheet->book->is_1904, text);

    if (length) {
        set_value(sheet, text, length);
    } else {
        sheet->type = 't';
    }
}

/* Anything that is no truth value stays as it is. */
static void take_truth(ecl_xlsx_sheet_t *sheet, const char *value)
{
    if (!strcmp(value, "1") || !strcmp(value, "true")) {
        set_value(sheet, "TRUE", 4);
    } else if (!strcmp(value, "0") || !strcmp(value, "false")) {
        set_value(sheet, "FALSE", 5);
    } else {
        sheet->type = 't';
    }
}

static void take_value(ecl_xlsx_sheet_t *sheet)
{
    char *value = sheet->book->text + sheet->used;

    switch (sheet->type) {
    case 's':
        take_shared(sheet);
        /* fall through */
    case 'i':
    case 't':
        sheet->value_length = ecl_xlsx_unescape(value, sheet->value_length);
        break;
    case 'b':
        take_truth(sheet, value);
        break;
    case 'n':
        take_number(sheet);
        break;
    default: /* errors, and ISO dates: as they are */
        break;
    }
}

/* Adds empty cells up to a column. They take nothing from the room of the others. */
static void fill_up_to(ecl_xlsx_sheet_t *sheet, int column)
{
    while (sheet->count < column) {
        char *text = sheet->book->text + sheet->used++;

        *text = '\0';
        sheet->room++;
        sheet->book->fields[sheet->count++] = (ecl_field_t){text, 0};
    }
}

/* Enters the value in hand as a cell. */
static void add_cell(ecl_xlsx_sheet_t *sheet)
{
    char *text = sheet->book->text + sheet->used;
    apr_size_t length = sheet->value_length;
    char letters[ECL_XLSX_LETTERS];

    if (sheet->column >= ECL_FIELDS_MAX) {
        sheet->is_too_long = 1;
        return;
    }
    if (sheet->column < sheet->count) {
        if (sheet->book->fields[sheet->column].length) {
            fail(sheet, "it has two cells in column", ecl_xlsx_letters(sheet->column, letters));
            return;
        }
        sheet->is_unsorted = 1;
    } else if (sheet->column > sheet->count) {
        apr_size_t gap = (apr_size_t)(sheet->column - sheet->count);

        memmove(text + gap, text, length);
        fill_up_to(sheet, sheet->column);
        text += gap;
    }
    text[length] = '\0';
    sheet->may_need_quote |= sheet->type != 'n' && ecl_xlsx_needs_quote(text, length);
    sheet->book->fields[sheet->column] = (ecl_field_t){text, length};
    sheet->count = sheet->column < sheet->count ? sheet->count : sheet->column + 1;
    sheet->used += length + 1;
}

static void end_cell(ecl_xlsx_sheet_t *sheet)
{
    if (sheet->status != APR_SUCCESS || !sheet->in_cell) {
        return;
    }
    sheet->in_cell = 0;
    sheet->book->text[sheet->used + sheet->value_length] = '\0';
    if (sheet->value_length) {
        take_value(sheet);
    } else if (sheet->formula_length && sheet->type != 't') { /* whose text may well be empty */
        sheet->type = 't';                                    /* it may have commas */
        set_value(sheet, sheet->formula, sheet->formula_length);
    }
    if (sheet->value_length) {
        add_cell(sheet);
    }
}

static void on_end(void *baton, const char *name)
{
    ecl_xlsx_sheet_t *sheet = baton;

    if (!sheet->in_data) {
        return;
    }
    sheet->capture = CAPTURE_NONE;
    sheet->depth--;
    if (!name[1]) {
        if (name[0] == 'c') {
            end_cell(sheet);
        }
    } else if (!strcmp(name, "rPh")) {
        sheet->phonetic -= sheet->phonetic > 0;
    } else if (!strcmp(name, "row")) {
        sheet->in_row = 0;
        if (sheet->count || sheet->is_too_long) {
            sheet->is_row_ready = 1;
            ecl_xml_pause(sheet->xml);
        }
    } else if (!strcmp(name, "sheetData")) {
        sheet->in_data = 0;
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Cells that did not come from left to right stand in that order, too. */
static void sort_cells(const ecl_xlsx_sheet_t *sheet, ecl_xlsx_row_t *row)
{
    const ecl_xlsx_book_t *book = sheet->book;
    char *at = book->raw;

    for (int i = 0; i < row->count; i++) {
        memcpy(at, book->fields[i].text, book->fields[i].length + 1);
        at += book->fields[i].length + 1;
    }
    row->length = (apr_size_t)(at - book->raw);
    memcpy(book->text, book->raw, row->length);
    at = book->text;
    for (int i = 0; i < row->count; i++) {
        book->fields[i].text = at;
        at += book->fields[i].length + 1;
    }
}

static void finish_row(ecl_xlsx_sheet_t *sheet, ecl_xlsx_row_t *row)
{
    *row = (ecl_xlsx_row_t){
        .line = sheet->row,
        .end = ecl_xml_offset(sheet->xml),
        .length = sheet->used,
        .count = sheet->count,
        .is_too_long = sheet->is_too_long,
        .may_need_quote = sheet->may_need_quote,
    };
    if (sheet->is_unsorted) {
        sort_cells(sheet, row);
    }
}

apr_status_t ecl_xlsx_sheet_open(ecl_xlsx_sheet_t **psheet, const ecl_xlsx_book_t *book,
                                 const char *name, ecl_xml_read_t *read, void *read_baton,
                                 apr_pool_t *p, ecl_result_t *result)
{
    ecl_xlsx_sheet_t *sheet = apr_pcalloc(p, sizeof *sheet);
    const ecl_xml_handlers_t handlers = {sheet, on_start, on_end, on_text};

    sheet->book = book;
    sheet->name = name;
    *psheet = sheet;
    return ecl_xml_open(&sheet->xml, read, read_baton, &handlers,
                        apr_psprintf(p, "the workbook's sheet \"%s\"", name), p, result);
}

const ecl_xlsx_place_t *ecl_xlsx_sheet_place(ecl_xlsx_sheet_t *sheet)
{
    sheet->place.last_row = sheet->row;
    sheet->place.is_between_rows = sheet->in_data && sheet->tables == 1 && !sheet->in_row &&
                                   !sheet->depth && sheet->status == APR_SUCCESS &&
                                   ecl_xml_is_between_tokens(sheet->xml);
    return &sheet->place;
}

apr_status_t ecl_xlsx_sheet_next(ecl_xlsx_sheet_t *sheet, ecl_xlsx_row_t *row, ecl_result_t *result)
{
    sheet->result = result;
    sheet->is_row_ready = 0;
    while (!sheet->is_row_ready) {
        apr_status_t status = ecl_xml_next(sheet->xml, result);

        if (sheet->status != APR_SUCCESS) {
            return sheet->status;
        }
        if (status != APR_SUCCESS) {
            return status;
        }
    }
    finish_row(sheet, row);
    return APR_SUCCESS;
}
