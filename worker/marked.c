#include "marked.h"

#include <apr_lib.h>

#include "cell.h"
#include "meter_day.h"
#include "words.h"

static ecl_field_t trimmed(const char *text, const char *end)
{
    ecl_cell_trim(&text, &end);
    return (ecl_field_t){text, (apr_size_t)(end - text)};
}

static int has_digit(ecl_field_t number)
{
    for (apr_size_t i = 0; i < number.length; i++) {
        if (apr_isdigit(number.text[i])) {
            return 1;
        }
    }
    return 0;
}

/* The flag that a mark is; 0: it is none. */
static char flag_of(ecl_field_t mark)
{
    char flag;

    if (mark.length == 1) {
        return mark.text[0] == '*'            ? ECL_FLAG_OTHER
               : strchr("AEMC", mark.text[0]) ? ecl_flag_of(mark.text, 1)
                                              : 0;
    }
    for (apr_size_t i = 0; i < mark.length; i++) {
        if (!apr_isalpha(mark.text[i])) {
            return 0;
        }
    }
    /* "no" and "yes" answer a question that only a header asks */
    flag = mark.length < 3 || ecl_cell_is(mark.text, mark.text + mark.length, "yes")
               ? 0
               : ecl_flag_of(mark.text, mark.length);
    return flag == ECL_FLAG_OTHER ? 0 : flag;
}

/* Where a bracket opens that closes at the text's end, or closes that opens at its beginning. */
static const char *other_bracket(ecl_field_t cell, int is_before)
{
    const char *end = cell.text + cell.length;

    if (is_before) {
        return memchr(cell.text, cell.text[0] == '(' ? ')' : ']', cell.length);
    }
    for (const char *at = end - 1; at >= cell.text; at--) {
        if (*at == (end[-1] == ')' ? '(' : '[')) {
            return at;
        }
    }
    return NULL;
}

/* "(E)", "est", "*" at the end, and what stands before it. */
static int split_end(ecl_field_t cell, ecl_marked_t *marked)
{
    const char *end = cell.text + cell.length, *at = end;
    char last = end[-1];

    if (last == ')' || last == ']') {
        at = other_bracket(cell, 0);
        if (!at) {
            return 0;
        }
        marked->mark = trimmed(at + 1, end - 1);
        marked->mark.length -= marked->mark.length > 1 && end[-2] == '.'; /* "(est.)" */
    } else {
        while (at > cell.text && apr_isalpha(at[-1])) {
            at--;
        }
        at -= last == '*';
        marked->mark = (ecl_field_t){at, (apr_size_t)(end - at)};
    }
    marked->number = trimmed(cell.text, at);
    return marked->mark.length > 0;
}

/* "E0.12", "(E) 0.12", "*0.12" */
static int split_beginning(ecl_field_t cell, ecl_marked_t *marked)
{
    const char *end = cell.text + cell.length, *at = cell.text;

    if (*at == '(' || *at == '[') {
        at = other_bracket(cell, 1);
        if (!at) {
            return 0;
        }
        marked->mark = trimmed(cell.text + 1, at++);
    } else {
        while (at < end && apr_isalpha(*at)) {
            at++;
        }
        at += *cell.text == '*';
        marked->mark = (ecl_field_t){cell.text, (apr_size_t)(at - cell.text)};
    }
    marked->number = trimmed(at, end);
    return marked->mark.length > 0;
}

int ecl_marked_split(ecl_field_t cell, ecl_marked_t *marked)
{
    *marked = (ecl_marked_t){.number = {"", 0}};
    cell = trimmed(cell.text, cell.text + cell.length);
    if (!has_digit(cell)) {
        return 0;
    }
    if (!split_end(cell, marked) || !(marked->flag = flag_of(marked->mark))) {
        marked->is_before = 1;
        if (!split_beginning(cell, marked) || !(marked->flag = flag_of(marked->mark))) {
            return 0;
        }
    }
    marked->is_bare_e = !marked->is_before && marked->mark.length == 1 &&
                        marked->mark.text[0] == 'E' &&
                        marked->mark.text == marked->number.text + marked->number.length;
    marked->may_be_unit = marked->mark.length == 1 && strchr("AMC", marked->mark.text[0]) != NULL;
    return has_digit(marked->number);
}

ecl_decimal_status_t ecl_marked_parse(ecl_field_t cell, char point, ecl_decimal_t *pvalue)
{
    ecl_decimal_status_t status = ecl_decimal_parse(cell.text, cell.length, point, pvalue);
    ecl_marked_t marked;

    return status == ECL_DECIMAL_BAD && ecl_marked_split(cell, &marked)
               ? ecl_decimal_parse(marked.number.text, marked.number.length, point, pvalue)
               : status;
}

int ecl_marked_is_taken(const ecl_marked_t *marked, const ecl_layout_t *layout, int is_energy)
{
    return marked->is_before == layout->marks_are_before && (is_energy || !marked->may_be_unit) &&
           !(marked->is_bare_e && layout->has_exponents);
}
