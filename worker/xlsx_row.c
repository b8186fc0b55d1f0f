/*
 * A row of a sheet as a record.
 */
#include "xlsx_internal.h"

int ecl_xlsx_needs_quote(const char *text, apr_size_t length)
{
    return length && (strpbrk(text, ",\"\r\n") || text[0] == ' ' || text[length - 1] == ' ');
}

static apr_size_t add_raw(char *raw, const ecl_field_t *field)
{
    char *at = raw;

    if (!ecl_xlsx_needs_quote(field->text, field->length)) {
        memcpy(at, field->text, field->length);
        return field->length;
    }
    *at++ = '"';
    for (const char *c = field->text; *c; c++) {
        if (*c == '"') {
            *at++ = '"';
        }
        *at++ = *c;
    }
    *at++ = '"';
    return (apr_size_t)(at - raw);
}

/* Cell by cell. Returns the length. */
static apr_size_t join(const ecl_xlsx_book_t *book, const ecl_xlsx_row_t *row)
{
    apr_size_t length = 0;

    for (int i = 0; i < row->count; i++) {
        if (i) {
            book->raw[length++] = ',';
        }
        length += add_raw(book->raw + length, &book->fields[i]);
    }
    book->raw[length] = '\0';
    return length;
}

/* All at once: a comma for each NUL but the last. */
static apr_size_t join_plain(const ecl_xlsx_book_t *book, const ecl_xlsx_row_t *row)
{
    apr_size_t length = row->length - 1;

    memcpy(book->raw, book->text, row->length);
    for (int i = 1; i < row->count; i++) {
        book->raw[book->fields[i].text - book->text - 1] = ',';
    }
    return length;
}

void ecl_xlsx_row_record(const ecl_xlsx_book_t *book, const ecl_xlsx_row_t *row,
                         ecl_record_t *record)
{
    *record = (ecl_record_t){.line = row->line, .status = ECL_RECORD_TOO_LONG};
    if (!row->is_too_long) {
        record->status = ECL_RECORD_OK;
        record->fields = book->fields;
        record->count = row->count;
    }
    record->raw = book->raw;
    record->raw_length =
        row->may_need_quote || !row->count ? join(book, row) : join_plain(book, row);
}

void ecl_xlsx_row_room(ecl_xlsx_book_t *book, apr_pool_t *p)
{
    /* untouched pages cost nothing */
    book->fields = apr_palloc(p, ECL_FIELDS_MAX * sizeof(ecl_field_t));
    book->text = apr_palloc(p, ECL_XLSX_TEXT_MAX);
    book->raw = apr_palloc(p, ECL_XLSX_RAW_MAX);
}

void ecl_xlsx_row_split(const ecl_xlsx_book_t *book, const ecl_xlsx_row_t *row)
{
    const char *text = book->text;

    for (int i = 0; i < row->count; i++) {
        apr_size_t length = strlen(text);

        book->fields[i] = (ecl_field_t){text, length};
        text += length + 1;
    }
}

void ecl_xlsx_row_widen(const ecl_xlsx_book_t *book, ecl_xlsx_row_t *row, int count)
{
    while (row->count < count) {
        book->text[row->length] = '\0';
        book->fields[row->count++] = (ecl_field_t){book->text + row->length++, 0};
    }
}
