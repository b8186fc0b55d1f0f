/*
 * What the sources share: which one a file needs, and how a record is put together.
 */
#include "../lib/utf8.h"
#include "source.h"

#include <apr_lib.h>

/* ---- forms -------------------------------------------------------------------------------------
 */

static int is_df2(const char *text)
{
    return !strncmp(text, "#F2", 3) ||
           (!strncmp(text, "#O", 2) && text[2 + strspn(text + 2, " \t")] >= '0' &&
            text[2 + strspn(text + 2, " \t")] <= '9');
}

/* Which kind of XML shows further down: a comment may stand before the first element. */
static int is_xml(const char *text)
{
    return text[0] == '<' && (text[1] == '?' || text[1] == '!' || text[1] == '_' ||
                              apr_isalpha(text[1]) || (text[1] & 0x80));
}

/* A table may begin with a bracket too: "[00:30],[01:00]". */
static int is_json(const char *text)
{
    return text[0] == '{' ||
           (text[0] == '[' && strchr("{[\"]", text[1 + strspn(text + 1, " \t\r\n")]));
}

const ecl_source_form_t *ecl_source_find(const char *head, apr_size_t length)
{
    const char *text = head;

    if (length >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        text += 3;
    }
    text += strspn(text, " \t\r\n");
    if (is_df2(text)) {
        return &ecl_source_df2;
    }
    if (!strncmp(text, "ZHV|", 4)) {
        return &ecl_source_dtc;
    }
    if (is_xml(text)) {
        return &ecl_source_espi;
    }
    if (is_json(text)) {
        return &ecl_source_json;
    }
    return NULL;
}

/* ---- a record put together ---------------------------------------------------------------------
 */

void ecl_assembly_make(ecl_assembly_t *assembly, int columns, apr_pool_t *p)
{
    *assembly = (ecl_assembly_t){.room = columns};
    assembly->fields = apr_palloc(p, (apr_size_t)columns * sizeof(*assembly->fields));
    assembly->text = apr_palloc(p, ECL_ASSEMBLY_BYTES);
    /* every byte may be a quotation mark, and every cell has a pair of them and a comma */
    assembly->raw = apr_palloc(p, 2 * ECL_ASSEMBLY_BYTES + 3 * (apr_size_t)columns + 1);
}

void ecl_assembly_clear(ecl_assembly_t *assembly)
{
    assembly->count = 0;
    assembly->used = 0;
    assembly->is_full = 0;
}

void ecl_assembly_add(ecl_assembly_t *assembly, const char *text, apr_size_t length)
{
    char *at = assembly->text + assembly->used;

    /* what a source had cut to the size of its buffer may end inside a character */
    length = ecl_utf8_prefix(text, length);
    if (assembly->count == assembly->room || length >= ECL_ASSEMBLY_BYTES - assembly->used) {
        assembly->is_full = 1;
        return;
    }
    memcpy(at, text, length);
    at[length] = '\0';
    assembly->fields[assembly->count++] = (ecl_field_t){at, length};
    assembly->used += length + 1;
}

static apr_size_t write_raw(const ecl_assembly_t *assembly)
{
    char *out = assembly->raw;

    for (int i = 0; i < assembly->count; i++) {
        ecl_field_t cell = assembly->fields[i];
        int is_quoted = strpbrk(cell.text, "\",\r\n") != NULL;

        if (i) {
            *out++ = ',';
        }
        if (is_quoted) {
            *out++ = '"';
        }
        for (apr_size_t n = 0; n < cell.length; n++) {
            if (cell.text[n] == '"') {
                *out++ = '"';
            }
            *out++ = cell.text[n];
        }
        if (is_quoted) {
            *out++ = '"';
        }
    }
    *out = '\0';
    return (apr_size_t)(out - assembly->raw);
}

void ecl_assembly_finish(ecl_assembly_t *assembly, ecl_record_t *record, apr_int64_t line,
                         apr_int64_t end_offset)
{
    *record = (ecl_record_t){.status = assembly->is_full ? ECL_RECORD_TOO_LONG : ECL_RECORD_OK,
                             .number = ++assembly->number,
                             .line = line,
                             .end_offset = end_offset,
                             .raw = assembly->raw};
    record->raw_length = write_raw(assembly);
    if (record->status == ECL_RECORD_OK) {
        record->fields = assembly->fields;
        record->count = assembly->count;
    }
}

void ecl_assembly_reject(ecl_assembly_t *assembly, ecl_record_t *record, apr_int64_t line,
                         apr_int64_t end_offset, int column, const char *code, const char *message)
{
    ecl_assembly_finish(assembly, record, line, end_offset);
    record->status = ECL_RECORD_REJECTED;
    record->fields = NULL;
    record->count = 0;
    record->column = column;
    record->code = code;
    record->message = message;
}
