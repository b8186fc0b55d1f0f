#include "rejected_csv.h"

#include <apr_strings.h>
#include <string.h>

typedef struct cell_t {
    const char *start, *end; /* as it stands, with its quotation marks */
    int is_quoted;
    int is_open; /* it begins with a quotation mark that nothing closes */
} cell_t;

/* The closing quotation mark of a cell whose text begins at `text`; NULL: there is none. */
static const char *closing(const char *text)
{
    for (; *text; text++) {
        if (*text == '"' && text[1] != '"') {
            return text;
        }
        text += *text == '"';
    }
    return NULL;
}

static const char *until(const char *text, char delimiter)
{
    const char *end = strchr(text, delimiter);

    return end ? end : text + strlen(text);
}

/* The cell at *pat, which moves to the next one; NULL: it was the last. */
static cell_t next_cell(const char **pat, char delimiter)
{
    cell_t cell = {.start = *pat};
    const char *text = cell.start + strspn(cell.start, " "), *close;

    cell.is_quoted = *text == '"';
    close = cell.is_quoted ? closing(text + 1) : NULL;
    cell.is_open = cell.is_quoted && !close;
    cell.end = until(close ? close + 1 : text, delimiter);
    *pat = *cell.end ? cell.end + 1 : NULL;
    return cell;
}

int ecl_rejected_count(const char *record, char delimiter)
{
    int count = 0;

    while (record) {
        next_cell(&record, delimiter);
        count++;
    }
    return count;
}

/* "-1.5", "+3", "-", "--", "-1,5 ": what files have where a value stands. */
static int is_number(const char *text, const char *end)
{
    const char *at = text + strspn(text, "+-");
    int has_digits = 0;

    if (at > text + 1 || at >= end) {
        while (at < end && *at == ' ') {
            at++;
        }
        return at >= end; /* dashes alone */
    }
    while (at < end && strchr("0123456789., ", *at)) {
        has_digits |= *at >= '0' && *at <= '9';
        at++;
    }
    if (at < end && has_digits && (*at | 0x20) == 'e') {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        while (at < end && *at >= '0' && *at <= '9') {
            at++;
        }
    }
    return at == end;
}

static int is_formula(const char *text, const char *end)
{
    return text < end &&
           (strchr("=@\t\r", *text) || ((*text == '+' || *text == '-') && !is_number(text, end)));
}

static char *put(char *out, const char *text, const char *end)
{
    memcpy(out, text, (apr_size_t)(end - text));
    return out + (end - text);
}

static char *put_quoted(char *out, const char *text, const char *end)
{
    *out++ = '"';
    if (is_formula(text, end)) {
        *out++ = '\'';
    }
    for (; text < end; text++) {
        if (*text == '"') {
            *out++ = '"';
        }
        *out++ = *text;
    }
    *out++ = '"';
    return out;
}

/* At most twice the cell and three bytes. */
static char *put_cell(char *out, const cell_t *cell)
{
    const char *text = cell->start;

    if (cell->is_open) {
        return put_quoted(out, cell->start, cell->end);
    }
    if (cell->is_quoted) {
        text = strchr(text, '"') + 1;
        out = put(out, cell->start, text);
    }
    if (is_formula(text, cell->is_quoted ? closing(text) : cell->end)) {
        *out++ = '\'';
    }
    return put(out, text, cell->end);
}

const char *ecl_rejected_record(const char *record, char delimiter, int columns,
                                const char *filling, int dropped, apr_pool_t *p)
{
    int count = ecl_rejected_count(record, delimiter), kept = count;
    apr_size_t added = columns > count ? (apr_size_t)(columns - count) : 0;
    char *result = apr_palloc(p, 2 * strlen(record) + 3 * (apr_size_t)count +
                                     added * (strlen(filling) + 1) + 1);
    char *out = result;

    if (count == columns + dropped) {
        kept = columns;
    }
    for (int i = 0; i < kept; i++) {
        cell_t cell = next_cell(&record, delimiter);

        if (i) {
            *out++ = delimiter;
        }
        out = put_cell(out, &cell);
    }
    for (; kept < columns; kept++) {
        *out++ = delimiter;
        out = put(out, filling, filling + strlen(filling));
    }
    *out = '\0';
    return result;
}

const char *ecl_rejected_cell(const char *text, apr_pool_t *p)
{
    apr_size_t length = strlen(text);
    char *result = apr_palloc(p, 2 * length + 4);

    *put_quoted(result, text, text + length) = '\0';
    return result;
}
