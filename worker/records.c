/*
 * Bytes of the file stand in one window until the record they belong to is done:
 *
 *   window  ┌ used up ┐┌─ the record in hand ─┐┌─ read ahead ─┐┌─ free ─┐
 *           0          begin                                   end       WINDOW_SIZE
 *
 * A record is usually one physical line. When a quote is still open at its end, the lines after it
 * belong to it too, up to the one on which libcsv ends the row. If there is none within
 * ECL_RECORD_MAX, only the first line is used up, and the others are read again as records of their
 * own. A file full of stray quotes would make that quadratic, but for this: a line that begins
 * inside a quoted field always finds libcsv in the same state, so whether it ends the row does not
 * depend on the record that opened the quote. What was looked through once in vain (`barren`) is
 * never looked through again.
 */
#include <apr_lib.h>
#include <csv.h>

#include "records.h"
#include "source.h"
#include "xlsx.h"
#include "../lib/utf8.h"

#define READ_SIZE ((apr_size_t)65536)
#define LINE_STRETCH ((apr_size_t)1024)
/* A refill moves the record in hand to the front only when it is no longer than what was used up,
 * so that every byte is moved once at most on average: hence twice the longest record. */
#define WINDOW_SIZE (2 * ((apr_size_t)ECL_RECORD_MAX + 2) + READ_SIZE)

struct ecl_records_t {
    /* of a file that is no table in text, one of these: then nothing below but offset is used */
    ecl_source_t *source;
    ecl_xlsx_t *workbook;
    ecl_form_t form;

    apr_pool_t *pool;
    ecl_bytes_t *bytes;
    const char *name; /* for messages: where files are stored is nobody's business */
    char delimiter;   /* 0: lines are not split */
    apr_size_t read_size;

    char *window; /* WINDOW_SIZE bytes and one for a NUL */
    apr_size_t begin;
    apr_size_t end;
    int at_eof;              /* the file has no byte after window[end] */
    apr_int64_t mixed_until; /* offset; what is not text lies before it */
    char *patched;           /* the byte replaced by the NUL after raw; NULL: none */
    char patched_byte;

    /* offsets are those of the text, unpacked and decoded, that bytes gives */
    apr_int64_t offset; /* of window[begin] */
    apr_int64_t line;   /* physical lines used up */
    apr_int64_t number; /* records handed out */

    /* offsets: no line from here up to barren ends a row that began before it; barren is the
     * start of a line, which has no line end before `endless` */
    apr_int64_t barren;
    apr_int64_t endless;

    struct csv_parser parser;
    int row_ended;
    ecl_field_t fields[ECL_FIELDS_MAX];
    int count;  /* may exceed ECL_FIELDS_MAX: those are not kept */
    int head;   /* how many fields of a line are split at first; 0: all */
    int is_cut; /* the record in hand may have more */
    char *text; /* the fields' bytes, each with a NUL: never more than the record and one NUL */
    apr_size_t text_length;
    char *repaired; /* raw when it is not as in the file; allocated when first needed */
};

/* A physical line; positions count from the start of the record in hand (window[begin]). */
typedef struct line_t {
    apr_size_t start;
    apr_size_t stop;     /* of its text */
    apr_size_t next;     /* after its line end; == stop: the file ends without one */
    int is_past_maximum; /* its end is not within ECL_RECORD_MAX of the record's start */
} line_t;

static apr_status_t free_parser(void *data)
{
    csv_free(data);
    return APR_SUCCESS;
}

static apr_status_t open_workbook(ecl_records_t **precords, const ecl_bytes_t *bytes, apr_pool_t *p,
                                  ecl_result_t *result)
{
    *precords = apr_pcalloc(p, sizeof **precords);
    (*precords)->form = *ecl_bytes_form(bytes);
    return ecl_xlsx_open(&(*precords)->workbook, ecl_bytes_workbook(bytes), p, result);
}

apr_status_t ecl_records_open(ecl_records_t **precords, const char *path, char delimiter,
                              apr_pool_t *p, ecl_result_t *result)
{
    const ecl_source_form_t *form;
    ecl_bytes_t *bytes;
    apr_pool_t *opening;
    ecl_look_t look;
    apr_status_t status;

    if (!delimiter) {
        return ecl_records_open_lines(precords, path, delimiter, p, result);
    }
    apr_pool_create(&opening, p);
    status = ecl_bytes_open(&bytes, path, opening, result);
    if (status == APR_SUCCESS && ecl_bytes_workbook(bytes)) {
        return open_workbook(precords, bytes, p, result);
    }
    apr_pool_destroy(opening);
    if (status == APR_SUCCESS) {
        status = ecl_bytes_look(&look, path, p, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    form = ecl_source_find(look.head, look.length);
    if (!form) {
        return ecl_records_open_lines(precords, path, delimiter, p, result);
    }
    *precords = apr_pcalloc(p, sizeof **precords);
    (*precords)->form = look.form;
    return form->open(&(*precords)->source, path, p, result);
}

const ecl_source_t *ecl_records_source(const ecl_records_t *records)
{
    return records->source;
}

apr_status_t ecl_records_open_lines(ecl_records_t **precords, const char *path, char delimiter,
                                    apr_pool_t *p, ecl_result_t *result)
{
    ecl_records_t *records = apr_pcalloc(p, sizeof *records);
    apr_status_t status = ecl_bytes_open(&records->bytes, path, p, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (csv_init(&records->parser, 0) != 0) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to read '%s'", path);
    }
    apr_pool_cleanup_register(p, &records->parser, free_parser, apr_pool_cleanup_null);
    csv_set_delim(&records->parser, (unsigned char)delimiter);
    csv_set_quote(&records->parser, '"');
    csv_set_blk_size(&records->parser, 16384); /* its buffer grows by this much at a time */

    records->pool = p;
    records->name = apr_pstrdup(p, apr_filepath_name_get(path));
    records->delimiter = delimiter;
    records->read_size = READ_SIZE;
    /* untouched pages of these cost nothing: a file of short lines uses little over READ_SIZE */
    records->window = apr_palloc(p, WINDOW_SIZE + 1);
    records->text = apr_palloc(p, ECL_RECORD_MAX + 1);
    *precords = records;
    return APR_SUCCESS;
}

void ecl_records_set_read_size(ecl_records_t *records, apr_size_t bytes)
{
    if (records->source) {
        records->source->set_read_size(records->source, bytes);
        return;
    }
    if (records->workbook) {
        ecl_xlsx_set_piece(records->workbook, bytes);
        return;
    }
    records->read_size = bytes < 1 ? 1 : bytes > READ_SIZE ? READ_SIZE : bytes;
}

const ecl_form_t *ecl_records_form(const ecl_records_t *records)
{
    return records->source || records->workbook ? &records->form : ecl_bytes_form(records->bytes);
}

/* Reads on, keeping everything from begin. */
static apr_status_t refill(ecl_records_t *records, ecl_result_t *result)
{
    apr_size_t held = records->end - records->begin;
    apr_size_t bytes = records->read_size;
    apr_status_t status;
    int is_text;

    if (held <= records->begin) {
        memcpy(records->window, records->window + records->begin, held);
        records->begin = 0;
        records->end = held;
    }
    status =
        ecl_bytes_read(records->bytes, records->window + records->end, &bytes, &is_text, result);
    if (status == APR_EOF) {
        records->at_eof = 1;
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    records->end += bytes;
    if (!is_text) {
        records->mixed_until = records->offset + (apr_int64_t)(records->end - records->begin);
    }
    return APR_SUCCESS;
}

static void use_up(ecl_records_t *records, apr_size_t bytes)
{
    records->begin += bytes;
    records->offset += (apr_int64_t)bytes;
}

/* The place of the first LF or CR of [at, held) in text; held: there is none. Looks for one of them
 * after the other, a stretch at a time: memchr is far faster than a loop over bytes, but a file
 * without LFs should not be looked through for one at every CR. */
static apr_size_t find_line_end(const char *text, apr_size_t at, apr_size_t held)
{
    while (at < held) {
        apr_size_t length = held - at < LINE_STRETCH ? held - at : LINE_STRETCH;
        const char *lf = memchr(text + at, '\n', length);
        const char *cr = memchr(text + at, '\r', lf ? (apr_size_t)(lf - text) - at : length);

        if (lf || cr) {
            return (apr_size_t)((cr ? cr : lf) - text);
        }
        at += length;
    }
    return held;
}

/* Finds the physical line at `start`. At the end of the file it is empty with no line end. */
static apr_status_t find_line(ecl_records_t *records, apr_size_t start, line_t *line,
                              ecl_result_t *result)
{
    apr_size_t at = start;

    if (records->offset + (apr_int64_t)start == records->barren &&
        records->endless > records->barren) {
        at = (apr_size_t)(records->endless - records->offset);
    }
    *line = (line_t){.start = start};
    for (;;) {
        const char *text = records->window + records->begin;
        apr_size_t held = records->end - records->begin;
        apr_status_t status;

        at = find_line_end(text, at, held);
        line->stop = line->next = at;
        if (at > ECL_RECORD_MAX) {
            line->is_past_maximum = 1;
            return APR_SUCCESS;
        }
        if (at < held && text[at] == '\n') {
            line->next = at + 1;
            return APR_SUCCESS;
        }
        if (at < held && (at + 1 < held || records->at_eof)) {
            line->next = at + (at + 1 < held && text[at + 1] == '\n' ? 2 : 1);
            return APR_SUCCESS;
        }
        if (records->at_eof) {
            return APR_SUCCESS;
        }
        status = refill(records, result);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
}

static void on_field(void *bytes, size_t length, void *data)
{
    ecl_records_t *records = data;

    if (records->count < ECL_FIELDS_MAX) {
        char *text = records->text + records->text_length;

        if (length) {
            memcpy(text, bytes, length);
        }
        text[length] = '\0';
        records->fields[records->count] = (ecl_field_t){text, length};
        records->text_length += length + 1;
    }
    records->count++;
}

static void on_row(int terminator, void *data)
{
    (void)terminator;
    ((ecl_records_t *)data)->row_ended = 1;
}

static void start_row(ecl_records_t *records)
{
    csv_fini(&records->parser, NULL, NULL, NULL); /* back to its first state */
    records->row_ended = 0;
    records->count = 0;
    records->text_length = 0;
}

static int is_space_or_tab(char c)
{
    return c == ' ' || c == '\t';
}

/* Splits a line that has no quotation mark, which most have not, as libcsv does: at every
 * delimiter, without the spaces and tabs around the fields. Costs a fifth of what libcsv's state
 * machine does. Stops after `most` fields. */
static void split_plain(ecl_records_t *records, const char *line, apr_size_t length, int most)
{
    char delimiter = records->delimiter, *at = records->text, *end = at + length;

    memcpy(at, line, length);
    *end = delimiter; /* so that every field has one behind it */
    records->count = 0;
    for (; at <= end && records->count < most; records->count++) {
        char *start = at, *stop;

        while (*at != delimiter) {
            at++;
        }
        stop = at++;
        while (start < stop && is_space_or_tab(*start)) {
            start++;
        }
        while (start < stop && is_space_or_tab(stop[-1])) {
            stop--;
        }
        *stop = '\0';
        if (records->count < ECL_FIELDS_MAX) {
            records->fields[records->count] = (ecl_field_t){start, (apr_size_t)(stop - start)};
        }
    }
}

/* Gives one line to libcsv. With is_probe only row_ended is of interest. */
static apr_status_t feed(ecl_records_t *records, const line_t *line, int is_probe,
                         ecl_result_t *result)
{
    const char *text = records->window + records->begin;
    apr_size_t length = line->next - line->start;
    void (*field)(void *, size_t, void *) = is_probe ? NULL : on_field;

    if (csv_parse(&records->parser, text + line->start, length, field, on_row, records) != length ||
        (line->next == line->stop &&
         csv_parse(&records->parser, "\n", 1, field, on_row, records) != 1)) {
        return ecl_fail(result, APR_ENOMEM, "no-memory",
                        "no memory for line %" APR_INT64_T_FMT " of '%s'", records->line + 1,
                        records->name);
    }
    return APR_SUCCESS;
}

/* Splits the lines from the record's start up to `stop`, counting them. */
static apr_status_t parse_again(ecl_records_t *records, apr_size_t stop, apr_int64_t *plines,
                                ecl_result_t *result)
{
    line_t line = {0};

    *plines = 0;
    start_row(records);
    while (line.next < stop) {
        apr_status_t status = find_line(records, line.next, &line, result);

        if (status == APR_SUCCESS) {
            status = feed(records, &line, 0, result);
        }
        if (status != APR_SUCCESS) {
            return status;
        }
        (*plines)++;
    }
    return APR_SUCCESS;
}

/* Finds where the record ends whose first line leaves a quote open. Then *last is its last line and
 * *plines the number of them; else *plines is 0. */
static apr_status_t close_quote(ecl_records_t *records, line_t *last, apr_int64_t *plines,
                                ecl_result_t *result)
{
    apr_size_t after = last->next;
    int is_probe = records->barren > records->offset + (apr_int64_t)after;
    apr_status_t status;

    *plines = 1;
    if (is_probe) {
        after = (apr_size_t)(records->barren - records->offset);
    }
    for (;;) {
        status = find_line(records, after, last, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (last->is_past_maximum || last->next == last->start) {
            records->barren = records->offset + (apr_int64_t)last->start;
            records->endless = records->offset + (apr_int64_t)last->stop;
            *plines = 0;
            return APR_SUCCESS;
        }
        status = feed(records, last, is_probe, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        (*plines)++;
        if (records->row_ended) {
            return is_probe ? parse_again(records, last->next, plines, result) : APR_SUCCESS;
        }
        after = last->next;
    }
}

/* Splits the record that begins with the line `first`; *last and *plines as close_quote. */
static apr_status_t split(ecl_records_t *records, const line_t *first, line_t *last,
                          apr_int64_t *plines, ecl_result_t *result)
{
    const char *text = records->window + records->begin;
    apr_status_t status;

    if (!memchr(text, '"', first->stop)) {
        records->is_cut = records->head > 0;
        split_plain(records, text, first->stop, records->head ? records->head : INT_MAX);
        return APR_SUCCESS;
    }
    start_row(records);
    status = feed(records, first, 0, result);
    return status == APR_SUCCESS && !records->row_ended ? close_quote(records, last, plines, result)
                                                        : status;
}

/* raw is the first `length` bytes of the record in hand, or a repaired copy of them. */
static void set_raw(ecl_records_t *records, ecl_record_t *record, apr_size_t length, int is_text)
{
    char *raw = records->window + records->begin;

    if (is_text) {
        records->patched = raw + length;
        records->patched_byte = raw[length];
        raw[length] = '\0';
        record->raw = raw;
        record->raw_length = length;
        return;
    }
    if (!records->repaired) {
        records->repaired = apr_palloc(records->pool, 3 * (apr_size_t)ECL_RECORD_MAX + 1);
    }
    record->raw_length = ecl_utf8_repair(raw, length, records->repaired);
    record->raw = records->repaired;
}

static void set_offsets(ecl_records_t *records, ecl_record_t *record)
{
    record->text_offset = records->offset;
    record->end_offset = ecl_bytes_stored(records->bytes, records->offset);
}

/* A line that is longer than a record may be: keeps its beginning, passes over the rest. */
static apr_status_t pass_long_line(ecl_records_t *records, ecl_record_t *record,
                                   ecl_result_t *result)
{
    apr_size_t length = ECL_RECORD_MAX;
    line_t line = {.is_past_maximum = 1};

    /* not in the middle of a character */
    while (length > ECL_RECORD_MAX - 4 &&
           (records->window[records->begin + length] & 0xC0) == 0x80) {
        length--;
    }
    set_raw(records, record, length, 0);
    use_up(records, ECL_RECORD_MAX);
    while (line.is_past_maximum) {
        apr_status_t status = find_line(records, 0, &line, result);

        if (status != APR_SUCCESS) {
            return status;
        }
        use_up(records, line.next);
    }
    record->status = ECL_RECORD_TOO_LONG;
    set_offsets(records, record);
    records->line++;
    return APR_SUCCESS;
}

static int is_blank(const ecl_records_t *records, const line_t *line)
{
    const char *text = records->window + records->begin;
    apr_size_t i;

    for (i = line->start; i < line->stop; i++) {
        if ((text[i] != ' ' && text[i] != '\t') || text[i] == records->delimiter) {
            return 0;
        }
    }
    return 1;
}

/* Goes on to the first line that is not blank. */
static apr_status_t find_record(ecl_records_t *records, line_t *line, ecl_result_t *result)
{
    apr_status_t status;

    for (;;) {
        status = find_line(records, 0, line, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (line->next == 0) {
            return APR_EOF;
        }
        if (line->is_past_maximum || !is_blank(records, line)) {
            return APR_SUCCESS;
        }
        use_up(records, line->next);
        records->line++;
    }
}

/* Of a file that is no table in text. */
static apr_status_t next_of_other(ecl_records_t *records, ecl_record_t *record,
                                  ecl_result_t *result)
{
    apr_status_t status = records->source ? records->source->next(records->source, record, result)
                                          : ecl_xlsx_next(records->workbook, record, result);

    if (status == APR_SUCCESS) {
        records->offset += (apr_int64_t)record->raw_length + 1; /* as a line of a table */
        record->text_offset = records->offset;
        record->sheet_record = record->sheet ? record->sheet_record : record->number;
    }
    return status;
}

apr_status_t ecl_records_next(ecl_records_t *records, ecl_record_t *record, ecl_result_t *result)
{
    line_t first, last;
    apr_int64_t lines = 1;
    apr_status_t status;
    const char *text;
    int is_text;

    if (records->source || records->workbook) {
        return next_of_other(records, record, result);
    }
    if (records->patched) {
        *records->patched = records->patched_byte;
        records->patched = NULL;
    }
    *record = (ecl_record_t){.status = ECL_RECORD_OK};
    records->is_cut = 0;
    status = find_record(records, &first, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    record->number = record->sheet_record = ++records->number;
    record->line = records->line + 1;
    if (first.is_past_maximum) {
        return pass_long_line(records, record, result);
    }

    last = first;
    text = records->window + records->begin;
    /* quotes mean nothing among NULs: that is no text at all */
    if (records->delimiter &&
        (records->offset >= records->mixed_until || !memchr(text, '\0', first.stop))) {
        status = split(records, &first, &last, &lines, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (!lines) {
            record->status = ECL_RECORD_OPEN_QUOTE;
            last = first;
            lines = 1;
        } else if (records->count > ECL_FIELDS_MAX) {
            record->status = ECL_RECORD_TOO_LONG;
        }
        text = records->window + records->begin;
    }
    is_text = records->offset >= records->mixed_until || ecl_utf8_is_text(text, last.stop);
    if (!is_text && record->status == ECL_RECORD_OK) {
        record->status = ECL_RECORD_NOT_TEXT;
    }
    set_raw(records, record, last.stop, is_text);
    use_up(records, last.next);
    records->line += lines;
    set_offsets(records, record);
    if (record->status == ECL_RECORD_OK) {
        if (!records->delimiter) {
            records->fields[0] = (ecl_field_t){record->raw, record->raw_length};
            records->count = 1;
        }
        record->fields = records->fields;
        record->count = records->count;
    }
    return APR_SUCCESS;
}

void ecl_records_set_head(ecl_records_t *records, int fields)
{
    records->head = fields;
}

void ecl_records_split_rest(ecl_records_t *records, ecl_record_t *record)
{
    if (!records->is_cut || record->status != ECL_RECORD_OK) {
        return;
    }
    records->is_cut = 0;
    split_plain(records, record->raw, record->raw_length, INT_MAX);
    record->count = records->count;
    if (records->count > ECL_FIELDS_MAX) {
        record->status = ECL_RECORD_TOO_LONG;
        record->fields = NULL;
        record->count = 0;
    }
}

/* ---- workbooks ---------------------------------------------------------------------------------
 */

int ecl_records_sheets(const ecl_records_t *records)
{
    return records->workbook ? ecl_xlsx_sheets(records->workbook) : 0;
}

const ecl_sheet_t *ecl_records_sheet(const ecl_records_t *records, int number)
{
    return ecl_xlsx_sheet(records->workbook, number);
}

int ecl_records_is_1904(const ecl_records_t *records)
{
    return records->workbook && ecl_xlsx_is_1904(records->workbook);
}

void ecl_records_only_sheet(ecl_records_t *records, int number)
{
    if (records->workbook) {
        ecl_xlsx_only_sheet(records->workbook, number);
        records->offset = 0;
    }
}

void ecl_records_pass_sheet(ecl_records_t *records)
{
    if (records->workbook) {
        ecl_xlsx_pass_sheet(records->workbook);
    }
}

void ecl_records_read_all(ecl_records_t *records)
{
    if (records->workbook) {
        ecl_xlsx_read_all(records->workbook);
    }
}

void ecl_records_keep(ecl_records_t *records)
{
    if (records->workbook) {
        ecl_xlsx_keep(records->workbook);
    }
}

void ecl_records_last_time(ecl_records_t *records)
{
    ecl_xlsx_last_time(records->workbook);
    records->offset = 0;
}
