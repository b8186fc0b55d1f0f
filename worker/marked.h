/*
 * A value and its flag in one cell: "0.12E", "0.12 A", "12.5 (E)", "0.12 est", "0.12*", "E0.12".
 *
 * Flags are A, E, M and C in capitals, and words for them; "*" is one whose meaning nothing says.
 * Any other letter is none: "0.12X" stays what it is, and is refused. So is an exponent without its
 * number where the file has exponents: "1.5E" may then be cut off.
 */
#ifndef ECL_MARKED_H
#define ECL_MARKED_H

#include "decimal.h"
#include "layout.h"

typedef struct ecl_marked_t {
    ecl_field_t number; /* without the flag, perhaps with its unit; has a digit */
    ecl_field_t mark;   /* the flag, without its brackets */
    char flag;
    int is_before;   /* the flag stands before the number */
    int is_bare_e;   /* "0.12E" */
    int may_be_unit; /* "0.12 A": of something else this would be a unit, or a multiple */
} ecl_marked_t;

/* 1 when the cell is a number and a flag. What is a number by itself ("1E5") is not to be offered.
 */
int ecl_marked_split(ecl_field_t cell, ecl_marked_t *marked);

/* ecl_decimal_parse of a cell that may have a flag, and leaves it: for looking at a file. What is
 * to be kept is decided by ecl_marked_is_taken. */
ecl_decimal_status_t ecl_marked_parse(ecl_field_t cell, char point, ecl_decimal_t *pvalue);

/* Whether such a cell is read so in a file of that layout. is_energy: the meter or a unit that is
 * stated says that values are energy. */
int ecl_marked_is_taken(const ecl_marked_t *marked, const ecl_layout_t *layout, int is_energy);

#endif /* ECL_MARKED_H */
