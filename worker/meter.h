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
    ECL_METER_DAMAGED, /* digits lost by a spreadsheet ("2.20001E+12"): must be refused */
    ECL_METER_TOO_LONG,
    ECL_METER_FORMULA /* a spreadsheet's formula ("=A1", "@SUM(A1)"), and not what it gives */
} ecl_meter_status_t;

/* Reads an identifier. Quotes around it, a leading ', an = before quotes or digits, blanks and NBSP
 * inside digits, a + before and ".0" after digits go, and so does MPAN or MPRN before them.
 * "2.200000456713E12" is expanded because it holds all digits; a number with an exponent that does
 * not is DAMAGED, and so is a full MPAN of 21 digits that ends in six zeros (spreadsheets keep 15
 * digits).
 *
 * `identifier` receives the stored form for OK, CHECK_DIGIT and LENGTH:
 *   MPAN   13 digits; of a full MPAN (21 characters, where the line loss factor class may hold
 *          letters) its core, the last 13. Weights 3 5 7 13 17 19 23 29 31 37 41 43, sum mod 11
 *          mod 10 = last digit (Balancing and Settlement Code, as published by Elexon); the first
 *          two digits, the distributor, are 10 or more. Otherwise CHECK_DIGIT.
 *   MPRN   6 to 10 digits, the last two being the weighted sum of the others mod 11; without
 *          leading zeros, which spreadsheets lose and which leave the sum as it is.
 *   OTHER  anything else, as it stands, with single spaces for blanks. */
ecl_meter_status_t ecl_meter_parse(const char *text, apr_size_t length,
                                   char identifier[ECL_METER_MAX], ecl_meter_kind_t *pkind);

const char *ecl_meter_kind_name(ecl_meter_kind_t kind); /* "mpan", "mprn", "other" */

/* For finding the identifier column by content: 1 when the text is 13 digits with a right check
 * digit after the clean-up of ecl_meter_parse. */
int ecl_meter_is_mpan(const char *text, apr_size_t length);

/* Likewise: 1 when it is what a spreadsheet makes of such a number, or of a full MPAN: DAMAGED, and
 * of as many digits ("1.00000E+12"). */
int ecl_meter_was_mpan(const char *text, apr_size_t length);

#endif /* ECL_METER_H */
