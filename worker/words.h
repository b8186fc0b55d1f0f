/*
 * The words of meter files: header names, units, channels, flags, as suppliers, data collectors and
 * portals write them. Letter case, blanks and punctuation never matter.
 *
 * The vocabulary is data: a new spelling of a column's name is a new line in words.c, one of what
 * cells say in words_cells.c.
 */
#ifndef ECL_WORDS_H
#define ECL_WORDS_H

#include "../lib/ecl.h"

#define ECL_WORD_MAX 64 /* bytes of a folded word, and NUL; a longer text is no word we know */

/* Copies the ASCII letters and digits of text, in lower case, and other UTF-8 as it is (but no
 * NBSP); NUL-terminates. 0 when it does not fit (word is then empty). */
int ecl_word_fold(const char *text, apr_size_t length, char word[ECL_WORD_MAX]);

/* The same of a column's name, without what stands in round brackets. */
int ecl_name_fold(const char *text, apr_size_t length, char word[ECL_WORD_MAX]);

/* Whether a folded word is longer than `end` and ends with it. */
int ecl_word_ends_with(const char *word, const char *end);

/* What a column is for, by its name. */
typedef enum ecl_role_t {
    ECL_ROLE_NONE,
    ECL_ROLE_METER,
    ECL_ROLE_SERIAL,
    ECL_ROLE_DATE,   /* a date, or date and time */
    ECL_ROLE_START,  /* date and time at which the period starts */
    ECL_ROLE_END,    /* … ends */
    ECL_ROLE_TIME,   /* a time (or, in some files, the whole timestamp) */
    ECL_ROLE_PERIOD, /* a settlement period (or, in some files, the date) */
    ECL_ROLE_VALUE,
    ECL_ROLE_TOTAL,
    ECL_ROLE_UNIT,
    ECL_ROLE_CHANNEL,
    ECL_ROLE_FLAG,
    ECL_ROLE_TYPE,   /* "Type": a unit, a channel or a flag: its cells tell; rank 1: else a flag */
    ECL_ROLE_SITE,   /* what a list of sites has and a file of readings has not */
    ECL_ROLE_IGNORED /* known, and no use to us: maximum demand, cost */
} ecl_role_t;

/* rank: how well the name fits, 0 best; for choosing among columns of one role. pis_utc: the name
 * says that times are UTC. What stands in round brackets is not part of the name. */
ecl_role_t ecl_header_role(const char *text, apr_size_t length, int *prank, int *pis_utc);

/* Whether a column's name says that its times are what the clock shows: "Date (Local)". */
int ecl_name_says_local(const char *text, apr_size_t length);

typedef enum ecl_unit_t {
    ECL_UNIT_NONE, /* blank, or (in a header) no unit there */
    ECL_UNIT_KWH,
    ECL_UNIT_WH,
    ECL_UNIT_MWH,
    ECL_UNIT_KVARH,
    ECL_UNIT_KW,   /* average power over a period */
    ECL_UNIT_M3,   /* gas by volume: cubic metres, */
    ECL_UNIT_FT3,  /* cubic feet, */
    ECL_UNIT_HCF,  /* hundreds of cubic feet */
    ECL_UNIT_OTHER /* something else: "BTU", "p" */
} ecl_unit_t;

/* Whether it is one that a value can be in: there is one, and it is none of the others. */
static inline int ecl_unit_is_known(ecl_unit_t unit)
{
    return unit != ECL_UNIT_NONE && unit != ECL_UNIT_OTHER;
}

static inline int ecl_unit_is_volume(ecl_unit_t unit)
{
    return unit == ECL_UNIT_M3 || unit == ECL_UNIT_FT3 || unit == ECL_UNIT_HCF;
}

/* A cell that holds a unit and nothing else. */
ecl_unit_t ecl_unit_of(const char *text, apr_size_t length);

/* The unit that a header names, within round brackets ("Energy (kWh)") or as its name ("kWh").
 * OTHER only for a unit within brackets. */
ecl_unit_t ecl_unit_in_header(const char *text, apr_size_t length);

const char *ecl_unit_name(ecl_unit_t unit); /* "kWh" …; NULL for NONE and OTHER */

/* What ecl_channel_of gives for "Generation", "Solar PV": empty, too. It may be kept as a channel
 * that somebody gives. */
extern const char ecl_channel_own[];

/* The channel a cell names: "AI", "AE", "RI", "RE"; "" for a quantity that is known and is no
 * energy flow of ours ("LAG", "Volume"); NULL: not a word for a channel. Several words are one when
 * each of them is about such quantities ("Reactive Energy Export"). Codes are known too: "A+",
 * "R-", and those of IEC 62056-61, such as "1-0:2.8.0". */
const char *ecl_channel_of(const char *text, apr_size_t length);

/* As ecl_channel_of, of a cell in a column that is headed as one of channels: "I" and "E" are
 * import and export there, and flags elsewhere. */
const char *ecl_channel_in_column(const char *text, apr_size_t length);

/* Whether a text for which ecl_channel_of gives a channel says import or export itself: "AI",
 * "Active Import", "1" do, "kWh", "Consumption", "Active" do not, and are taken for import if
 * nobody knows better. */
int ecl_channel_has_direction(const char *text, apr_size_t length);

/* "AI", "AE" for a column's name that says that its energy comes from the grid, or goes to it, all
 * of it: "Grid Import kWh", "To Grid". NULL: it does not, as "Solar to Grid", which is a part. */
const char *ecl_grid_channel_of(const char *text, apr_size_t length);

/* Whether a name is of energy that is made, stored or used behind the meter: "Solar", "Battery
 * Charge", "CHP". */
int ecl_says_own_energy(const char *text, apr_size_t length);

/* Whether a name is of what import and export differ by: "Net (kWh)", "netConsumption". */
int ecl_says_net_energy(const char *text, apr_size_t length);

/* How many bytes stand before the number in a cell of settlement periods: 2 of "SP12", 7 of
 * "Period 1"; 0 of "12", and of what is none. */
apr_size_t ecl_period_prefix(const char *text, apr_size_t length);

/* The flag letter of a cell: ECL_FLAG_ACTUAL …, ECL_FLAG_NONE for "-" (no value there), 0 for a
 * blank cell, ECL_FLAG_OTHER for a word we do not know. */
char ecl_flag_of(const char *text, apr_size_t length);

/* 1 for "Total", "Grand Total" …: a cell that marks a row of sums. */
int ecl_is_total(const char *text, apr_size_t length);

/* How many bytes a text that begins like a line about a time zone ("Report Time Zone: …",
 * "Timezone" with the zone in the next cell) has before what it says; 0: it begins otherwise. */
apr_size_t ecl_zone_name(const char *text, apr_size_t length);

/* 1 for a text with which lines around a table begin: "Report Time Zone: …", "Generated by …". */
int ecl_is_furniture(const char *text, apr_size_t length);

#endif /* ECL_WORDS_H */
