/*
 * The names that portals of solar panels and home batteries give their columns. What flows through
 * the meter comes from the grid or goes to it; everything else is a part of it, or never passes it.
 */
#include "words.h"

#include <apr_lib.h>

/* The name without its unit, and without words that add nothing. */
static char *bare_name(char word[ECL_WORD_MAX])
{
    static const char *const ends[] = {"kwh", "mwh", "wh", "energy", "electricity"};
    static const char *const starts[] = {"energy", "electricity", "power"};
    char *start = word;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (ecl_word_ends_with(start, ends[i])) {
            start[strlen(start) - strlen(ends[i])] = '\0';
        }
    }
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        size_t length = strlen(starts[i]);

        if (!strncmp(start, starts[i], length) && start[length]) {
            start += length;
        }
    }
    return start;
}

const char *ecl_grid_channel_of(const char *text, apr_size_t length)
{
    static const char *const imports[] = {
        "gridimport",    "gridimported",  "gridimports",       "importgrid",
        "fromgrid",      "fromthegrid",   "importfromgrid",    "importedfromgrid",
        "drawnfromgrid", "takenfromgrid", "purchasedfromgrid", "boughtfromgrid",
        "usedfromgrid",  "gridpurchase",  "gridpurchased",     "importedfromthegrid"};
    static const char *const exports[] = {
        "gridexport", "gridexported",      "gridexports", "exportgrid",   "togrid",
        "tothegrid",  "exporttogrid",      "feedin",      "gridfeedin",   "feedintogrid",
        "fedtogrid",  "fedintogrid",       "senttogrid",  "soldtogrid",   "exportedtogrid",
        "gridfedin",  "exportedtothegrid", "feedtogrid",  "returntogrid", "returnedtogrid"};
    char word[ECL_WORD_MAX], *name;

    if (!ecl_name_fold(text, length, word)) {
        return NULL;
    }
    name = bare_name(word);
    for (size_t i = 0; i < sizeof(imports) / sizeof(imports[0]); i++) {
        if (!strcmp(name, imports[i])) {
            return "AI";
        }
    }
    for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]); i++) {
        if (!strcmp(name, exports[i])) {
            return "AE";
        }
    }
    return NULL;
}

int ecl_says_own_energy(const char *text, apr_size_t length)
{
    static const char *const parts[] = {"solar",        "battery",    "generation", "generated",
                                        "produced",     "production", "selfuse",    "selfconsum",
                                        "photovoltaic", "inverter",   "yield",      "turbine"};
    char word[ECL_WORD_MAX];

    if (!ecl_name_fold(text, length, word)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(word, parts[i])) {
            return 1;
        }
    }
    for (apr_size_t at = 0; at + 2 <= length; at++) {
        if (!strncasecmp(text + at, "pv", 2) && (!at || !apr_isalpha(text[at - 1])) &&
            (at + 2 == length || !apr_isalpha(text[at + 2]))) {
            return 1; /* "Roof PV" */
        }
    }
    return !strncmp(word, "pv", 2);
}
