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

/* A word that stands by itself: "Roof PV", "PV1", "NetImport". */
static int has_word(const char *text, apr_size_t length, const char *word)
{
    apr_size_t n = strlen(word);

    for (apr_size_t at = 0; at + n <= length; at++) {
        if (!strncasecmp(text + at, word, n) &&
            (!at || !apr_isalpha(text[at - 1]) ||
             (apr_islower(text[at - 1]) && apr_isupper(text[at]))) &&
            (at + n == length || !apr_isalpha(text[at + n]) ||
             (apr_islower(text[at + n - 1]) && apr_isupper(text[at + n])))) {
            return 1;
        }
    }
    return 0;
}

int ecl_says_own_energy(const char *text, apr_size_t length)
{
    static const char *const parts[] = {
        "solar",        "battery",  "generat", "produced", "production", "selfuse", "selfconsum",
        "photovoltaic", "inverter", "yield",   "turbine",  "cogen",      "genset"};
    static const char *const words[] = {"pv", "chp", "wind", "hydro", "spill"};
    char word[ECL_WORD_MAX];

    if (!ecl_name_fold(text, length, word)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(word, parts[i])) {
            return 1;
        }
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (has_word(text, length, words[i])) {
            return 1;
        }
    }
    return !strncmp(word, "pv", 2);
}

int ecl_says_net_energy(const char *text, apr_size_t length)
{
    static const char *const ends[] = {"kwh",    "wh",     "energy", "consumption", "usage",
                                       "import", "export", "demand", "value",       "load"};
    char word[ECL_WORD_MAX];

    if (has_word(text, length, "net") || has_word(text, length, "netted")) {
        return 1;
    }
    if (!ecl_name_fold(text, length, word) || strncmp(word, "net", 3) != 0) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (!strncmp(word + 3, ends[i], strlen(ends[i]))) {
            return 1; /* "NETKWH" */
        }
    }
    return 0;
}
