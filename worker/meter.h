/*
 * Meter identifiers: what a cell says, and what it must be stored as.
 */
#ifndef ECL_METER_H
#define ECL_METER_H

#include "../lib/ecl.h"

#define ECL_METER_MAX 100 /* bytes of a stored identifier, and NUL */

typedef enum ecl_meter_kind_t { ECL_METER_MPAN, ECL_METER_MPRN, ECL_METER_OTHER } ecl_meter_kind_t;

typedef enum ecl_meter_status_t {
    ECL_METER_OK,
    ECL_METER_CHECK_DIGIT, /* usable, but 13 digits whose check digit is wrong: a warning */
    ECL_METER_LENGTH,      /* usable, but digits of a length that no MPAN or MPRN has: a warning */
    ECL_METER_IS_MISSING,
    ECL_METER_DAMAGED, /* "2.20001E+12": digits lost by a spreadsheet; must be refused */
    ECL_METER_TOO_LONG
} ecl_meter_status_t;

/* Reads an identifier. Quotes, a leading ' or =, blanks and NBSP inside digits, and ".0" after
 * digits go; an exact "2.200990050083E12" is expanded; of a full MPAN (21 characters) the core is
 * taken. `identifier` receives the stored form for OK, CHECK_DIGIT and LENGTH.
 * MPAN: 13 digits, weights 3 5 7 13 17 19 23 29 31 37 41 43, sum mod 11 mod 10 (Balancing and
 * Settlement Code; formats of the check digit as published by Elexon). MPRN: 6 to 10 digits, last
 * two = weighted sum mod 11; digits that fail it are kept as kind OTHER with status OK. */
ecl_meter_status_t ecl_meter_parse(const char *text, apr_size_t length,
                                   char identifier[ECL_METER_MAX], ecl_meter_kind_t *pkind);

const char *ecl_meter_kind_name(ecl_meter_kind_t kind); /* "mpan", "mprn", "other" */

/* For finding the identifier column by content: 1 when the text is 13 digits with a right check
 * digit after the clean-up of ecl_meter_parse. */
int ecl_meter_is_mpan(const char *text, apr_size_t length);

#endif /* ECL_METER_H */
