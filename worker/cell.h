/*
 * What every parser of a cell starts with: the blanks around it, and the words for "nothing".
 */
#ifndef ECL_CELL_H
#define ECL_CELL_H

#include "../lib/ecl.h"

static inline int ecl_cell_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The bytes of the blank that [at, end) starts with; 0: none. The no-break space counts:
 * spreadsheets and web pages pad with it. */
static inline apr_size_t ecl_cell_blank(const char *at, const char *end)
{
    if (at < end && ecl_cell_is_blank(*at)) {
        return 1;
    }
    return end - at >= 2 && at[0] == '\xC2' && at[1] == '\xA0' ? 2 : 0;
}

/* Moves *ptext and *pend (the byte after the cell) past the blanks on both sides. */
static inline void ecl_cell_trim(const char **ptext, const char **pend)
{
    const char *text = *ptext, *end = *pend;
    apr_size_t blank;

    while ((blank = ecl_cell_blank(text, end)) != 0) {
        text += blank;
    }
    for (;;) {
        if (end > text && ecl_cell_is_blank(end[-1])) {
            end--;
        } else if (end - text >= 2 && end[-2] == '\xC2' && end[-1] == '\xA0') {
            end -= 2;
        } else {
            break;
        }
    }
    *ptext = text;
    *pend = end;
}

/* 1 when [text, end) is that word, in any letter case. */
static inline int ecl_cell_is(const char *text, const char *end, const char *word)
{
    apr_size_t length = strlen(word);

    return (apr_size_t)(end - text) == length && !strncasecmp(text, word, length);
}

/* 1 when [text, end), trimmed, holds no value: empty, "-", and in any letter case null, nan, n/a,
 * #n/a, #value!, #div/0!, #ref!. */
int ecl_cell_is_missing(const char *text, const char *end);

#endif /* ECL_CELL_H */
