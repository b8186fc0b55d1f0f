/*
 * Which of an archive's files can hold readings.
 *
 * A line of readings has cells, one of which is a number and another says when. That much is asked
 * of it and no more: a list of sites with the dates of their contracts passes too, and then a
 * person is asked, which costs less than a file of readings that nobody read.
 */
#include "sniff.h"

#include <apr_lib.h>

#define CELL_MAX 40   /* bytes; a longer one is a sentence */
#define NUMBERS_MIN 4 /* in a line that says nothing of when: a matrix, by its header */

/* Of a file's beginning, at any place. */
static int holds(const char *head, apr_size_t length, const char *what)
{
    return memmem(head, length, what, strlen(what)) != NULL;
}

/* What no reading is ever taken from. An .xls or a 7-Zip archive may hold some. */
static int is_document(const char *head, apr_size_t length)
{
    static const struct {
        const char *bytes;
        apr_size_t length;
    } kinds[] = {{"\x89PNG", 4}, {"\xff\xd8\xff", 3}, {"GIF8", 4}, {"%PDF", 4}, {"{\\rtf", 5}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (length >= kinds[i].length && !memcmp(head, kinds[i].bytes, kinds[i].length)) {
            return 1;
        }
    }
    return ecl_sniff_container(head, length) == ECL_CONTAINER_ZIP &&
           (holds(head, length, "word/document.xml") ||
            holds(head, length, "ppt/presentation.xml"));
}

/* ---- cells ----------------------------------------------------------------------------------- */

static int is_number(const char *cell, apr_size_t length)
{
    apr_size_t digits = 0;

    for (apr_size_t i = 0; i < length; i++) {
        if (apr_isdigit(cell[i])) {
            digits++;
        } else if (!strchr("+-.,", cell[i]) || (i && strchr("+-", cell[i]))) {
            return 0;
        }
    }
    return digits > 0;
}

/* A date, a time, or both, in any spelling; a number of eight digits may be one. */
static int is_when(const char *cell, apr_size_t length)
{
    apr_size_t digits = 0, joints = 0;

    for (apr_size_t i = 0; i < length; i++) {
        digits += apr_isdigit(cell[i]) != 0;
        joints += i && apr_isdigit(cell[i - 1]) && strchr("-/.:, ", cell[i]);
    }
    return (digits >= 3 && joints && !is_number(cell, length)) ||
           (length == 8 && digits == 8 && (cell[0] == '1' || cell[0] == '2')) ||
           (length == 10 && digits == 8); /* 01.02.2026 */
}

typedef struct tally_t {
    int cells, numbers, whens;
} tally_t;

static void count_cell(tally_t *tally, const char *cell, apr_size_t length)
{
    while (length && (apr_isspace(*cell) || *cell == '"' || *cell == '\'')) {
        cell++;
        length--;
    }
    while (length && (apr_isspace(cell[length - 1]) || strchr("\"',", cell[length - 1]))) {
        length--;
    }
    tally->cells++;
    if (length && length <= CELL_MAX) {
        int is_of_time = is_when(cell, length);

        tally->whens += is_of_time;
        tally->numbers += !is_of_time && is_number(cell, length);
    }
}

/* One line, split by one sign. */
static int is_row(const char *line, apr_size_t length, char delimiter)
{
    tally_t tally = {0};
    apr_size_t begin = 0;

    for (apr_size_t i = 0; i <= length; i++) {
        if (i == length || line[i] == delimiter) {
            count_cell(&tally, line + begin, i - begin);
            begin = i + 1;
        }
    }
    return tally.cells > 1 && ((tally.whens && tally.numbers) || tally.numbers >= NUMBERS_MIN ||
                               tally.whens >= NUMBERS_MIN);
}

static int has_row(const char *text, apr_size_t length)
{
    static const char delimiters[] = {',', ';', '\t', '|'};

    for (apr_size_t begin = 0, end; begin < length; begin = end + 1) {
        for (end = begin; end < length && text[end] != '\n' && text[end] != '\r'; end++) {
        }
        for (size_t i = 0; i < sizeof(delimiters); i++) {
            if (is_row(text + begin, end - begin, delimiters[i])) {
                return 1;
            }
        }
    }
    return 0;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* Seconds or milliseconds since 1970. */
static int is_unix_time(const char *cell, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        if (!apr_isdigit(cell[i])) {
            return 0;
        }
    }
    return (length == 10 || length == 13) && cell[0] == '1';
}

/* Members with a number and with a time: what lies between the signs of JSON is looked at. */
static int has_members(const char *text, apr_size_t length)
{
    tally_t tally = {0};
    apr_size_t begin = 0;
    int in_string = 0;

    for (apr_size_t i = 0; i <= length; i++) {
        if (i < length && text[i] == '"') {
            in_string = !in_string;
        }
        if (i == length || strchr("[]{},\"", text[i]) || (!in_string && text[i] == ':')) {
            tally.whens += is_unix_time(text + begin, i - begin);
            count_cell(&tally, text + begin, i - begin);
            begin = i + 1;
        }
    }
    return tally.whens && tally.numbers;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

/* UTF-16 without its NULs, and so about UTF-8: enough to see cells by. -1: this is no text. */
static int narrow(char *head, apr_size_t *plength)
{
    apr_size_t mark, length = 0;
    ecl_encoding_t encoding = ecl_sniff_encoding(head, *plength, &mark);
    int is_wide = encoding != ECL_ENCODING_UTF8;

    for (apr_size_t i = mark; i < *plength; i++) {
        unsigned char byte = (unsigned char)head[i];

        if (!byte && is_wide) {
            continue;
        }
        if (byte < ' ' && !strchr("\t\r\n\f\x1a", byte ? byte : 1)) {
            return -1;
        }
        head[length++] = head[i];
    }
    *plength = length;
    return 0;
}

ecl_prospect_t ecl_sniff_prospect(char *head, apr_size_t length)
{
    if (!length || is_document(head, length)) {
        return ECL_PROSPECT_NONE;
    }
    if (ecl_sniff_container(head, length) != ECL_CONTAINER_NONE || ecl_sniff_binary(head, length)) {
        return ECL_PROSPECT_READINGS;
    }
    if (narrow(head, &length) != 0) {
        return ECL_PROSPECT_NONE;
    }
    while (length && apr_isspace(*head)) {
        head++;
        length--;
    }
    if (length && *head == '<') {
        return holds(head, length, "naesb.org/espi") || holds(head, length, "IntervalReading")
                   ? ECL_PROSPECT_READINGS
                   : ECL_PROSPECT_NONE;
    }
    if (length && (*head == '{' || *head == '[') && has_members(head, length)) {
        return ECL_PROSPECT_READINGS;
    }
    if ((length > 4 && !memcmp(head, "ZHV|", 4)) || has_row(head, length)) {
        return ECL_PROSPECT_READINGS;
    }
    return length ? ECL_PROSPECT_TEXT : ECL_PROSPECT_NONE;
}
