#include "../lib/utf8.h"
#include "heading.h"

#include <apr_lib.h>

#define MPAN_DIGITS 13

static int is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(word, words[i])) {
            return 1;
        }
    }
    return 0;
}

#define IS_AMONG(word, words) is_among(word, words, sizeof(words) / sizeof((words)[0]))

/* Whether all of a text's words, and there may be none, are for quantities: "Off-peak 1". */
static int says_quantity(const char *text)
{
    static const char *const words[] = {
        "day",        "night",    "peak",     "off",       "offpeak",    "weekend",
        "weekday",    "evening",  "rate",     "tariff",    "register",   "total",
        "sum",        "overall",  "grand",    "estimated", "estimate",   "actual",
        "forecast",   "target",   "baseline", "budget",    "previous",   "last",
        "current",    "year",     "month",    "week",      "average",    "avg",
        "min",        "max",      "minimum",  "maximum",   "generation", "generated",
        "production", "produced", "pv",       "solar",     "battery",    "grid",
        "self",       "feed",     "in",       "net",       "gross",      "consumption",
        "consumed",   "usage",    "used",     "use",       "energy",     "electricity",
        "electric",   "gas",      "reading",  "readings",  "read",       "value",
        "values",     "data",     "interval", "period",    "hh",         "half",
        "hour",       "hourly",   "quantity", "amount",    "import",     "export",
        "imported",   "exported", "active",   "reactive",  "unit",       "units",
        "kwh",        "the",      "of",       "per",       "to",         "from",
        "wh",         "mwh",      "t",        "low",       "normal",     "high",
        "returned",   "home",     "house",    "household", "ev",         "vehicle",
        "elec",       "act",      "imp",      "exp"};
    char word[ECL_WORD_MAX];

    while (*text) {
        size_t length = 0;

        if (text[0] == '(' && apr_isalpha(text[1]) && text[2] == ')') {
            text += 3; /* of a phase */
            continue;
        }
        while (apr_isalpha(text[length]) || (text[length] & 0x80)) {
            length++;
        }
        if (!length) {
            text++;
            continue;
        }
        if (!ecl_word_fold(text, length, word) || !IS_AMONG(word, words)) {
            return 0;
        }
        text += length;
    }
    return 1;
}

/* What stands beside meters in such exports and is no energy. */
static int says_other(const char *text)
{
    static const char *const parts[] = {
        "temp", "humid", "degree",   "weather", "carbon",  "co2",  "volt",    "amps",   "hertz",
        "cost", "price", "pressure", "status",  "quality", "flag", "comment", "remark", "note"};
    char word[ECL_WORD_MAX];

    if (!ecl_word_fold(text, strlen(text), word)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strstr(word, parts[i])) {
            return 1;
        }
    }
    return 0;
}

static void trim(char *text)
{
    size_t length = strlen(text), skip = strspn(text, " \t-_:,/");

    while (length > skip && strchr(" \t-_:,/", text[length - 1])) {
        length--;
    }
    memmove(text, text + skip, length - skip);
    text[length - skip] = '\0';
}

/* Where the last word of a text begins. */
static char *last_word(char *text, const char *between)
{
    char *at = text + strlen(text);

    while (at > text && !strchr(between, at[-1])) {
        at--;
    }
    return at;
}

/* A unit at the end: within brackets, or as the last word. */
static int cut_unit(char *text, ecl_unit_t *punit)
{
    size_t length = strlen(text);
    char close = length ? text[length - 1] : '\0', *open;
    ecl_unit_t unit;

    if (close == ')' || close == ']') {
        open = strrchr(text, close == ')' ? '(' : '[');
        unit = open ? ecl_unit_of(open + 1, (apr_size_t)(text + length - 1 - (open + 1)))
                    : ECL_UNIT_NONE;
    } else {
        open = last_word(text, " _-.");
        unit = ecl_unit_of(open, strlen(open));
    }
    if (!ecl_unit_is_known(unit) || *punit != ECL_UNIT_NONE) {
        return 0;
    }
    *punit = unit;
    *open = '\0';
    return 1;
}

/* "kWh Boiler House" */
static void cut_first_unit(char *text, ecl_unit_t *punit)
{
    size_t length = strcspn(text, " _-:");
    ecl_unit_t unit = ecl_unit_of(text, length);

    if (*punit == ECL_UNIT_NONE && text[length] && ecl_unit_is_known(unit)) {
        *punit = unit;
        memmove(text, text + length, strlen(text + length) + 1);
        trim(text);
    }
}

/* A word for a channel at the end, which comes before those that `words` has already. */
static int cut_channel(char *text, char words[ECL_WORD_MAX])
{
    char *last = last_word(text, " _"), joined[ECL_WORD_MAX];

    if (!last[0] || !ecl_channel_of(last, strlen(last)) ||
        ecl_channel_of(last, strlen(last)) == ecl_channel_own || /* "Roof PV" is a name */
        strlen(last) + strlen(words) + 2 > sizeof(joined)) {
        return 0;
    }
    apr_snprintf(joined, sizeof(joined), "%s %s", last, words);
    apr_cpystrn(words, joined, ECL_WORD_MAX);
    *last = '\0';
    return 1;
}

/* "MPAN 2200…", "Meter: 1234567406": the word before an identifier. 1: there was one. */
static int cut_word_for_meter(char *text)
{
    size_t length = strcspn(text, " \t:#");
    const char *rest = text + length + strspn(text + length, " \t:#");
    int rank, is_utc;

    if (!text[length] || ecl_header_role(text, length, &rank, &is_utc) != ECL_ROLE_METER ||
        strspn(rest, "0123456789") < 6) {
        return 0;
    }
    memmove(text, rest, strlen(rest) + 1);
    return 1;
}

/* The one MPAN that a text has among other things; NULL: none, or several. */
static const char *find_mpan(const char *text)
{
    const char *found = NULL;

    while (*text) {
        size_t length = strspn(text, "0123456789");

        if (length == MPAN_DIGITS && ecl_meter_is_mpan(text, length)) {
            if (found) {
                return NULL;
            }
            found = text;
        }
        text += length ? length : 1;
    }
    return found;
}

static void take_identifier(ecl_heading_t *heading, char *text)
{
    int is_announced = cut_word_for_meter(text);
    const char *mpan = find_mpan(text);

    heading->status = ecl_meter_parse(mpan ? mpan : text, mpan ? MPAN_DIGITS : strlen(text),
                                      heading->name, &heading->kind);
    heading->is_identifier =
        heading->status == ECL_METER_DAMAGED || is_announced ||
        (heading->status == ECL_METER_OK && heading->kind != ECL_METER_OTHER) ||
        (heading->status == ECL_METER_CHECK_DIGIT && heading->kind == ECL_METER_MPAN);
}

void ecl_heading_read(ecl_heading_t *heading, ecl_field_t cell)
{
    char text[256], words[ECL_WORD_MAX] = "";
    int rank, is_utc;
    ecl_role_t role = ecl_header_role(cell.text, cell.length, &rank, &is_utc);

    *heading = (ecl_heading_t){.unit = ECL_UNIT_NONE};
    apr_cpystrn(text, cell.text, sizeof(text));
    do {
        trim(text);
    } while (cut_unit(text, &heading->unit) || cut_channel(text, words));
    cut_first_unit(text, &heading->unit);
    if (heading->unit == ECL_UNIT_NONE) {
        heading->unit = ecl_unit_in_header(cell.text, cell.length);
    }
    heading->channel = words[0] ? ecl_channel_of(words, strlen(words)) : NULL;
    take_identifier(heading, text);
    heading->is_quantity =
        !heading->is_identifier && (role == ECL_ROLE_VALUE || says_quantity(text) ||
                                    ecl_grid_channel_of(cell.text, cell.length));
    heading->is_other =
        !heading->is_identifier && (role == ECL_ROLE_TOTAL || role == ECL_ROLE_IGNORED ||
                                    role == ECL_ROLE_FLAG || heading->unit == ECL_UNIT_OTHER ||
                                    ecl_unit_in_header(cell.text, cell.length) == ECL_UNIT_OTHER ||
                                    (heading->channel && !heading->channel[0]) ||
                                    (!ecl_unit_is_known(heading->unit) && says_other(text)));
}

int ecl_heading_is_identifier(ecl_field_t cell)
{
    ecl_heading_t heading;

    ecl_heading_read(&heading, cell);
    return heading.is_identifier;
}

void ecl_heading_add(ecl_heading_t *heading, ecl_field_t cell)
{
    ecl_heading_t other;

    if (!cell.length) {
        return;
    }
    ecl_heading_read(&other, cell);
    if (!ecl_unit_is_known(heading->unit)) {
        heading->unit = other.unit;
    }
    if (!heading->channel) {
        heading->channel = other.channel;
    }
    if (!heading->is_identifier && (other.is_identifier || !heading->name[0])) {
        memcpy(heading->name, other.name, sizeof(heading->name));
        heading->kind = other.kind;
        heading->status = other.status;
        heading->is_identifier = other.is_identifier;
        heading->is_quantity = other.is_quantity;
        heading->is_other = other.is_other;
    }
}
