/*
 * What cells, and what stands in a name beside it, say: units, channels, flags, lines around a
 * table.
 */
#include "words.h"

#include <apr_cstr.h>
#include <apr_lib.h>

#include "meter_day.h"

/* ---- units -------------------------------------------------------------------------------------
 */

/* "(UTC)", "(yyyymmdd hh:mm)", "(kWh)", "[kWh]": the texts within brackets, one by one. */
static int next_bracket(const char *text, apr_size_t length, apr_size_t *pat, const char **pinside,
                        apr_size_t *pinside_length)
{
    const char *open = text + *pat, *close;

    while (open < text + length && *open != '(' && *open != '[') {
        open++;
    }
    if (open == text + length) {
        return 0;
    }
    open++;
    close = memchr(open, open[-1] == '(' ? ')' : ']', length - (apr_size_t)(open - text));
    if (!close) {
        return 0;
    }
    *pinside = open;
    *pinside_length = (apr_size_t)(close - open);
    *pat = (apr_size_t)(close + 1 - text);
    return 1;
}

static const struct {
    const char *word;
    ecl_unit_t unit;
} units[] = {
    {"kwh", ECL_UNIT_KWH},        {"kwhhh", ECL_UNIT_KWH},
    {"kwhs", ECL_UNIT_KWH},       {"kilowatthours", ECL_UNIT_KWH},
    {"wh", ECL_UNIT_WH},          {"watthours", ECL_UNIT_WH},
    {"mwh", ECL_UNIT_MWH},        {"kvarh", ECL_UNIT_KVARH},
    {"kw", ECL_UNIT_KW},          {"m3", ECL_UNIT_M3},
    {"m\xc2\xb3", ECL_UNIT_M3},   {"cubicmetres", ECL_UNIT_M3},
    {"cubicmeters", ECL_UNIT_M3}, {"ft3", ECL_UNIT_FT3},
    {"ft\xc2\xb3", ECL_UNIT_FT3}, {"cf", ECL_UNIT_FT3},
    {"cubicfeet", ECL_UNIT_FT3},  {"hcf", ECL_UNIT_HCF},
};

static ecl_unit_t known_unit(const char *word)
{
    for (apr_size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!strcmp(word, units[i].word)) {
            return units[i].unit;
        }
    }
    return ECL_UNIT_OTHER;
}

ecl_unit_t ecl_unit_of(const char *text, apr_size_t length)
{
    char word[ECL_WORD_MAX];

    /* every row of a long file says it: no need to fold what is written as it should be */
    if (length == 3 && !memcmp(text, "kWh", 3)) {
        return ECL_UNIT_KWH;
    }
    if (!ecl_word_fold(text, length, word)) {
        return ECL_UNIT_OTHER;
    }
    if (!word[0]) {
        return ECL_UNIT_NONE;
    }
    return known_unit(word);
}

/* What stands within a header's brackets and is no energy. Single letters are left out that may as
 * well name a phase or a flag. */
static int is_other_unit(const char *word)
{
    static const char *const others[] = {"w",
                                         "watt",
                                         "watts",
                                         "mw",
                                         "va",
                                         "kva",
                                         "mva",
                                         "var",
                                         "kvar",
                                         "gwh",
                                         "twh",
                                         "btu",
                                         "kbtu",
                                         "mmbtu",
                                         "therm",
                                         "therms",
                                         "mj",
                                         "gj",
                                         "p",
                                         "pence",
                                         "gbp",
                                         "eur",
                                         "euro",
                                         "usd",
                                         "cents",
                                         "amps",
                                         "volts",
                                         "hz",
                                         "l",
                                         "litre",
                                         "litres",
                                         "liters",
                                         "kg",
                                         "tonnes",
                                         "kgco2",
                                         "kgco2e",
                                         "gco2",
                                         "gco2e",
                                         "degc",
                                         "celsius",
                                         "\xc2\xa3",
                                         "\xe2\x82\xac",
                                         "\xc2\xb0"
                                         "c"};

    for (apr_size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (!strcmp(word, others[i])) {
            return 1;
        }
    }
    return 0;
}

/* Where the word in front of `end` begins, past blanks and the like. */
static apr_size_t word_before(const char *text, apr_size_t *pend)
{
    apr_size_t start;

    while (*pend && strchr(" _-.", text[*pend - 1])) {
        (*pend)--;
    }
    start = *pend;
    while (start && (apr_isalnum(text[start - 1]) || text[start - 1] & 0x80)) {
        start--;
    }
    return start;
}

/* "p/kWh", "rate_p_kwh", "pricePerKwh", "Carbon (gCO2/kWh)": so much for a unit of energy. */
static int is_for_energy(const char *text, apr_size_t length)
{
    static const char *const words[] = {"p",    "per",   "pence", "gbp",      "eur",
                                        "gco2", "kgco2", "co2",   "\xc2\xa3", "\xe2\x82\xac"};
    char word[ECL_WORD_MAX];

    for (apr_size_t at = length; at-- > 1;) {
        apr_size_t end = at, start;

        if (at + 3 > length ||
            (strncasecmp(text + at, "kwh", 3) && strncasecmp(text + at, "mwh", 3))) {
            continue;
        }
        start = word_before(text, &end);
        if (end && text[end - 1] == '/') {
            return 1;
        }
        if (end - start > 3 && end == at && !memcmp(text + end - 3, "Per", 3)) {
            return 1;
        }
        if (!ecl_word_fold(text + start, end - start, word)) {
            continue;
        }
        for (apr_size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (!strcmp(word, words[i])) {
                return 1;
            }
        }
    }
    return 0;
}

/* "(kWh)", "(in kWh)", "[en kW]" */
static ecl_unit_t unit_in_bracket(const char *text, apr_size_t length)
{
    char word[ECL_WORD_MAX];

    if (length > 3 && (!strncasecmp(text, "in ", 3) || !strncasecmp(text, "en ", 3))) {
        text += 3;
        length -= 3;
    }
    if (!ecl_word_fold(text, length, word) || !word[0]) {
        return ECL_UNIT_NONE;
    }
    return known_unit(word) != ECL_UNIT_OTHER ? known_unit(word)
           : is_other_unit(word)              ? ECL_UNIT_OTHER
                                              : ECL_UNIT_NONE;
}

ecl_unit_t ecl_unit_in_header(const char *text, apr_size_t length)
{
    char word[ECL_WORD_MAX];
    const char *inside;
    apr_size_t at = 0, inside_length, end = length;
    ecl_unit_t unit, other = ECL_UNIT_NONE;

    if (is_for_energy(text, length)) {
        return ECL_UNIT_OTHER;
    }
    while (next_bracket(text, length, &at, &inside, &inside_length)) {
        unit = unit_in_bracket(inside, inside_length);
        if (ecl_unit_is_known(unit)) {
            return unit;
        }
        other = unit == ECL_UNIT_OTHER ? unit : other;
        /* "Active energy Wh (A)": the unit stands before the first of them */
        end = end == length ? (apr_size_t)(inside - 1 - text) : end;
    }
    if (!ecl_name_fold(text, length, word) || !word[0]) {
        return other;
    }
    unit = known_unit(word);
    if (unit != ECL_UNIT_OTHER) {
        return unit;
    }
    if (ecl_word_ends_with(word, "kwh")) {
        return ECL_UNIT_KWH;
    }
    if (ecl_word_ends_with(word, "mwh")) {
        return ECL_UNIT_MWH;
    }
    if (ecl_word_ends_with(word, "kvarh")) {
        return ECL_UNIT_KVARH;
    }
    at = word_before(text, &end);
    return end - at == 2 && !strncasecmp(text + at, "wh", 2) ? ECL_UNIT_WH : other;
}

const char *ecl_unit_name(ecl_unit_t unit)
{
    switch (unit) {
    case ECL_UNIT_KWH:
        return "kWh";
    case ECL_UNIT_WH:
        return "Wh";
    case ECL_UNIT_MWH:
        return "MWh";
    case ECL_UNIT_KVARH:
        return "kVArh";
    case ECL_UNIT_KW:
        return "kW";
    case ECL_UNIT_M3:
        return "m3";
    case ECL_UNIT_FT3:
        return "ft3";
    case ECL_UNIT_HCF:
        return "hcf";
    default:
        return NULL;
    }
}

/* ---- channels ----------------------------------------------------------------------------------
 */

/* A sign: + is energy that the customer takes, - what he gives (IEC 62053-23, annex C). */
static const char *channel_of_sign(const char *text, apr_size_t length)
{
    static const struct {
        char quantity, sign;
        const char *channel;
    } signs[] = {{'A', '+', "AI"}, {'A', '-', "AE"}, {'R', '+', "RI"}, {'R', '-', "RE"}};

    for (size_t i = 0; length == 2 && i < sizeof(signs) / sizeof(signs[0]); i++) {
        if ((apr_toupper(text[0]) == signs[i].quantity && text[1] == signs[i].sign) ||
            (apr_toupper(text[1]) == signs[i].quantity && text[0] == signs[i].sign)) {
            return signs[i].channel;
        }
    }
    return NULL;
}

/* An OBIS code (IEC 62056-61), "1-0:1.8.0*255" or "1.8.0": what is measured, how, and under which
 * tariff. Energy is that of a register (8) or a period (29); under a tariff it is only a part. */
static const char *channel_of_obis(const char *text, apr_size_t length)
{
    static const char *const channels[] = {NULL, "AI", "AE", "RI", "RE"};
    enum { IS_APPARENT = 9, IS_APPARENT_EXPORT = 10, REGISTER = 8, PERIOD = 29 };
    unsigned medium, line, quantity, how, tariff;
    char code[32];
    int end = 0;

    if (!length || !apr_isdigit(text[0]) || length >= sizeof(code)) {
        return NULL;
    }
    apr_cpystrn(code, text, length + 1);
    if (sscanf(code, "%2u-%2u:%2u.%2u.%2u%n", &medium, &line, &quantity, &how, &tariff, &end) !=
        5) {
        medium = 1;
        end = 0;
        if (sscanf(code, "%2u.%2u.%2u%n", &quantity, &how, &tariff, &end) != 3) {
            return NULL;
        }
    }
    if ((code[end] && strcmp(code + end, "*255") && strcmp(code + end, ".255")) || medium != 1) {
        return NULL;
    }
    if (quantity == IS_APPARENT || quantity == IS_APPARENT_EXPORT) {
        return "";
    }
    return quantity <= 4 && (how == REGISTER || how == PERIOD) && !tariff ? channels[quantity]
                                                                          : NULL;
}

static const char *channel_of_code(const char *text, apr_size_t length)
{
    const char *channel = channel_of_sign(text, length);

    return channel ? channel : channel_of_obis(text, length);
}

int ecl_channel_has_direction(const char *text, apr_size_t length)
{
    char word[ECL_WORD_MAX];

    if (channel_of_code(text, length)) {
        return 1;
    }
    return ecl_word_fold(text, length, word) &&
           (strlen(word) <= 2 || strstr(word, "imp") || strstr(word, "exp"));
}

const char ecl_channel_own[] = "";

/* What a word adds to the meaning of a channel's name. */
enum {
    IS_NOTHING = 0,
    IS_ACTIVE = 1,
    IS_REACTIVE = 2,
    IS_IMPORT = 4,
    IS_EXPORT = 8,
    IS_OTHER = 16,
    IS_OWN = 32 /* of neither side by itself: made behind the meter, or net */
};

static int meaning_of(const char *word)
{
    static const struct {
        const char *word;
        int meaning;
    } meanings[] = {
        {"generation", IS_OWN},
        {"generated", IS_OWN},
        {"gen", IS_OWN},
        {"solar", IS_OWN},
        {"pv", IS_OWN},
        {"photovoltaic", IS_OWN},
        {"chp", IS_OWN},
        {"wind", IS_OWN},
        {"hydro", IS_OWN},
        {"net", IS_OWN}, /* more than a part, and of neither side */
        {"active", IS_ACTIVE},
        {"kwh", IS_ACTIVE},
        {"reactive", IS_REACTIVE},
        {"kvarh", IS_REACTIVE},
        {"import", IS_IMPORT},
        {"imported", IS_IMPORT},
        {"imp", IS_IMPORT},
        {"consumption", IS_IMPORT},
        {"export", IS_EXPORT},
        {"exported", IS_EXPORT},
        {"exp", IS_EXPORT},
        {"lag", IS_OTHER},
        {"lagging", IS_OTHER},
        {"lead", IS_OTHER},
        {"leading", IS_OTHER},
        {"volume", IS_OTHER},
        {"demand", IS_OTHER},
        {"kva", IS_OTHER},
        {"factor", IS_OTHER},
        {"energy", IS_NOTHING},
        {"power", IS_NOTHING},
        {"electricity", IS_NOTHING},
        {"interval", IS_NOTHING},
        {"total", IS_NOTHING},
        {"half", IS_NOTHING},
        {"hourly", IS_NOTHING},
        {"hh", IS_NOTHING},
        {"data", IS_NOTHING},
        {"maximum", IS_NOTHING},
    };

    for (apr_size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (!strcmp(word, meanings[i].word)) {
            return meanings[i].meaning;
        }
    }
    return -1;
}

/* "Reactive Energy Export", word by word. */
static const char *channel_of_words(const char *text, apr_size_t length)
{
    int meaning = IS_NOTHING;

    for (apr_size_t at = 0; at < length;) {
        apr_size_t end = at;
        char word[ECL_WORD_MAX];
        int adds;

        while (end < length && ((text[end] | 0x20) >= 'a' && (text[end] | 0x20) <= 'z')) {
            end++;
        }
        if (end == at) {
            if (!strchr(" -_/()", text[at])) {
                return NULL;
            }
            at++;
            continue;
        }
        if (!ecl_word_fold(text + at, end - at, word)) {
            return NULL;
        }
        adds = meaning_of(word);
        if (adds < 0) {
            return NULL;
        }
        meaning |= adds;
        at = end;
    }
    if (meaning & IS_OTHER) {
        return "";
    }
    if (meaning & IS_OWN) { /* of "Solar Export" there may be more than a part */
        return meaning & (IS_IMPORT | IS_EXPORT) ? NULL : ecl_channel_own;
    }
    if (meaning == IS_NOTHING || (meaning & (IS_IMPORT | IS_EXPORT)) == (IS_IMPORT | IS_EXPORT)) {
        return NULL;
    }
    if (meaning & IS_REACTIVE) {
        return meaning & IS_EXPORT ? "RE" : "RI";
    }
    return meaning & IS_EXPORT ? "AE" : "AI";
}

const char *ecl_channel_of(const char *text, apr_size_t length)
{
    static const struct {
        const char *word, *channel;
    } channels[] = {
        {"ai", "AI"},
        {"import", "AI"},
        {"imp", "AI"},
        {"active", "AI"},
        {"activeimport", "AI"},
        {"activeimportinterval", "AI"},
        {"activeenergy", "AI"},
        {"consumption", "AI"},
        {"kwh", "AI"},
        {"importkwh", "AI"},
        {"kwhimport", "AI"},
        {"ae", "AE"},
        {"export", "AE"},
        {"exp", "AE"},
        {"activeexport", "AE"},
        {"activeexportinterval", "AE"},
        {"exportkwh", "AE"},
        {"kwhexport", "AE"},
        {"ri", "RI"},
        {"reactive", "RI"},
        {"reactiveimp", "RI"},
        {"reactiveimport", "RI"},
        {"reactiveenergy", "RI"},
        {"kvarh", "RI"},
        {"importkvarh", "RI"},
        {"kvarhimport", "RI"},
        {"re", "RE"},
        {"reactiveexp", "RE"},
        {"reactiveexport", "RE"},
        {"exportkvarh", "RE"},
        {"kvarhexport", "RE"},
        {"lag", ""},
        {"lead", ""},
        {"volume", ""},
        {"un", ""},
        {"kva", ""},
        {"powerfactor", ""},
        {"maxdemand", ""},
    };
    char word[ECL_WORD_MAX];
    const char *channel;

    if (length == 2 && !memcmp(text, "AI", 2)) {
        return "AI";
    }
    if ((channel = channel_of_code(text, length))) {
        return channel;
    }
    if (!ecl_name_fold(text, length, word)) {
        return NULL;
    }
    for (apr_size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        if (!strcmp(word, channels[i].word)) {
            return channels[i].channel;
        }
    }
    return word[0] ? channel_of_words(text, length) : NULL;
}

const char *ecl_channel_in_column(const char *text, apr_size_t length)
{
    if (length == 1) {
        switch (apr_toupper(text[0])) {
        case 'I':
            return "AI";
        case 'E':
            return "AE";
        }
    }
    return ecl_channel_of(text, length);
}

apr_size_t ecl_period_prefix(const char *text, apr_size_t length)
{
    static const char *const prefixes[] = {"p",          "sp",       "hh",       "settlementperiod",
                                           "settperiod", "hhperiod", "halfhour", "period"};
    char word[ECL_WORD_MAX];
    apr_size_t end = 0;

    while (end < length && !apr_isdigit(text[end])) {
        end++;
    }
    if (!end || end == length || !ecl_word_fold(text, end, word)) {
        return 0;
    }
    for (apr_size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (!strcmp(word, prefixes[i])) {
            return end;
        }
    }
    return 0;
}

/* ---- flags and furniture -----------------------------------------------------------------------
 */

char ecl_flag_of(const char *text, apr_size_t length)
{
    /* "65.0": an old export writes the character code of A */
    static const struct {
        const char *word;
        char flag;
    } flags[] = {
        {"a", ECL_FLAG_ACTUAL},
        {"actual", ECL_FLAG_ACTUAL},
        {"act", ECL_FLAG_ACTUAL},
        {"measured", ECL_FLAG_ACTUAL},
        {"smart", ECL_FLAG_ACTUAL},
        {"orig", ECL_FLAG_ACTUAL},
        {"original", ECL_FLAG_ACTUAL},
        {"valid", ECL_FLAG_ACTUAL},
        {"ok", ECL_FLAG_ACTUAL},
        {"good", ECL_FLAG_ACTUAL},
        {"no", ECL_FLAG_ACTUAL},
        {"n", ECL_FLAG_ACTUAL},
        {"650", ECL_FLAG_ACTUAL},
        {"65", ECL_FLAG_ACTUAL},
        {"e", ECL_FLAG_ESTIMATED},
        {"est", ECL_FLAG_ESTIMATED},
        {"estimate", ECL_FLAG_ESTIMATED},
        {"estimated", ECL_FLAG_ESTIMATED},
        {"substituted", ECL_FLAG_ESTIMATED},
        {"interpolated", ECL_FLAG_ESTIMATED},
        {"yes", ECL_FLAG_ESTIMATED},
        {"y", ECL_FLAG_ESTIMATED},
        {"690", ECL_FLAG_ESTIMATED},
        {"69", ECL_FLAG_ESTIMATED},
        {"m", ECL_FLAG_MANUAL},
        {"manual", ECL_FLAG_MANUAL},
        {"c", ECL_FLAG_CORRECTED},
        {"corrected", ECL_FLAG_CORRECTED},
    };
    char word[ECL_WORD_MAX];

    if (length == 1 && text[0] == 'A') {
        return ECL_FLAG_ACTUAL;
    }
    if (length == 1 && text[0] == '-') {
        return ECL_FLAG_NONE;
    }
    if (!ecl_word_fold(text, length, word)) {
        return ECL_FLAG_OTHER;
    }
    if (!word[0]) {
        return memchr(text, '-', length) ? ECL_FLAG_NONE : 0;
    }
    for (apr_size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (!strcmp(word, flags[i].word)) {
            return flags[i].flag;
        }
    }
    return ECL_FLAG_OTHER;
}

int ecl_is_total(const char *text, apr_size_t length)
{
    static const char *const words[] = {"total", "totals", "grandtotal", "subtotal", "sum"};
    char word[ECL_WORD_MAX];

    /* most rows begin with a number: do not fold those */
    if (!length || (text[0] >= '0' && text[0] <= '9') || !ecl_word_fold(text, length, word)) {
        return 0;
    }
    for (apr_size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strcmp(word, words[i])) {
            return 1;
        }
    }
    return 0;
}

/* Where a name ends that a text begins with, blanks and punctuation in it ignored; 0: nowhere. */
static apr_size_t end_of_name(const char *text, apr_size_t length, const char *name)
{
    apr_size_t at = 0;

    for (; at < length && *name; at++) {
        if (!apr_isalnum(text[at])) {
            continue;
        }
        if (apr_tolower(text[at]) != *name++) {
            return 0;
        }
    }
    return *name || (at < length && apr_isalnum(text[at])) ? 0 : at;
}

apr_size_t ecl_zone_name(const char *text, apr_size_t length)
{
    apr_size_t end = end_of_name(text, length, "reporttimezone");

    end = end ? end : end_of_name(text, length, "timezone");
    if (!end) {
        /* a site may be called "Zone 3" or "Zone A": only "Zone:" says something */
        end = end_of_name(text, length, "zone");
        for (; end && end < length && text[end] == ' '; end++) {
        }
        if (end < length && text[end] != ':' && text[end] != '=') {
            return 0;
        }
    }
    return end;
}

int ecl_is_furniture(const char *text, apr_size_t length)
{
    static const char *const beginnings[] = {
        "report", "generated", "exported",  "printed", "created by", "run by",     "end of",
        "page ",  "note",      "copyright", "source",  "total",      "grand total"};

    while (length && text[0] == ' ') {
        text++;
        length--;
    }
    for (apr_size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        apr_size_t n = strlen(beginnings[i]);

        if (length >= n && !apr_cstr_casecmpn(text, beginnings[i], n)) {
            return 1;
        }
    }
    return ecl_zone_name(text, length) > 0;
}
