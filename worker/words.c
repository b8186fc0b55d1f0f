#include "words.h"

#include <apr_cstr.h>
#include <apr_lib.h>

#include "meter_day.h"

int ecl_word_fold(const char *text, apr_size_t length, char word[ECL_WORD_MAX])
{
    apr_size_t used = 0;

    for (apr_size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] == 0xa0) {
            i++;
            continue;
        }
        if (c >= 'A' && c <= 'Z') {
            c = (unsigned char)(c - 'A' + 'a');
        } else if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c < 0x80) {
            continue;
        }
        if (used == ECL_WORD_MAX - 1) {
            word[0] = '\0';
            return 0;
        }
        word[used++] = (char)c;
    }
    word[used] = '\0';
    return 1;
}

/* ---- header names ------------------------------------------------------------------------------
 */

typedef struct alias_t {
    const char *word;
    ecl_role_t role;
    int rank;
} alias_t;

/* Folded, without what stands in round brackets. The union of what public parsers of some eighty
 * suppliers' feeds accept, and what the predecessor of this program accepted. */
static const alias_t aliases[] = {
    {"mpan", ECL_ROLE_METER, 0},
    {"mpancore", ECL_ROLE_METER, 0},
    {"mpannumber", ECL_ROLE_METER, 0},
    {"mpn", ECL_ROLE_METER, 0},
    {"mprn", ECL_ROLE_METER, 0},
    {"mpr", ECL_ROLE_METER, 0},
    {"mprvalue", ECL_ROLE_METER, 0},
    {"mpxn", ECL_ROLE_METER, 0},
    {"mpanmprn", ECL_ROLE_METER, 0},
    {"mpanmprnspid", ECL_ROLE_METER, 0},
    {"mpannumbers", ECL_ROLE_METER, 0},
    {"supplynumber", ECL_ROLE_METER, 0},
    {"meterpoint", ECL_ROLE_METER, 1},
    {"meterpointreference", ECL_ROLE_METER, 1},
    {"meterpointnumber", ECL_ROLE_METER, 1},
    {"meteridentifier", ECL_ROLE_METER, 1},
    {"meterreference", ECL_ROLE_METER, 1},
    {"meterreferencenumber", ECL_ROLE_METER, 1},
    {"meterref", ECL_ROLE_METER, 1},
    {"metercode", ECL_ROLE_METER, 1},
    {"meter", ECL_ROLE_METER, 2},
    {"meterid", ECL_ROLE_METER, 2},
    {"meternumber", ECL_ROLE_METER, 2},
    {"meterno", ECL_ROLE_METER, 2},
    {"metername", ECL_ROLE_METER, 3},
    {"lclid", ECL_ROLE_METER, 2},
    {"m1code1", ECL_ROLE_METER, 3},
    {"consumer", ECL_ROLE_METER, 3},
    {"identifier", ECL_ROLE_METER, 3},
    {"urn", ECL_ROLE_METER, 5},
    {"siteid", ECL_ROLE_METER, 5},
    {"siteref", ECL_ROLE_METER, 5},
    {"site", ECL_ROLE_METER, 6},
    {"sitename", ECL_ROLE_METER, 6},
    {"id", ECL_ROLE_METER, 7},
    {"msn", ECL_ROLE_SERIAL, 0},
    {"meterserialnumber", ECL_ROLE_SERIAL, 0},
    {"meterserial", ECL_ROLE_SERIAL, 0},
    {"serialnumber", ECL_ROLE_SERIAL, 0},
    {"serialnum", ECL_ROLE_SERIAL, 0},
    {"serialno", ECL_ROLE_SERIAL, 0},
    {"serial", ECL_ROLE_SERIAL, 0},
    {"generationmsn", ECL_ROLE_SERIAL, 1},
    {"starkid", ECL_ROLE_SERIAL, 2},
    {"m1code2", ECL_ROLE_SERIAL, 2},

    {"date", ECL_ROLE_DATE, 0},
    {"day", ECL_ROLE_DATE, 0},
    {"readdate", ECL_ROLE_DATE, 0},
    {"rdate", ECL_ROLE_DATE, 0},
    {"readingdate", ECL_ROLE_DATE, 0},
    {"readdateuk", ECL_ROLE_DATE, 0},
    {"dateofreading", ECL_ROLE_DATE, 0},
    {"consumptiondate", ECL_ROLE_DATE, 0},
    {"settlementdate", ECL_ROLE_DATE, 0},
    {"settdate", ECL_ROLE_DATE, 0},
    {"settlementday", ECL_ROLE_DATE, 0},
    {"settlementdatetime", ECL_ROLE_DATE, 0},
    {"datelocal", ECL_ROLE_DATE, 0},
    {"dateutc", ECL_ROLE_DATE, 0},
    {"datetime", ECL_ROLE_DATE, 0},
    {"datetimestamp", ECL_ROLE_DATE, 0},
    {"readdatetime", ECL_ROLE_DATE, 0},
    {"readingdatetime", ECL_ROLE_DATE, 0},
    {"readdatetimeutc", ECL_ROLE_DATE, 0},
    {"datetimeutc", ECL_ROLE_DATE, 0},
    {"timestamp", ECL_ROLE_DATE, 0},
    {"timestamputc", ECL_ROLE_DATE, 0},
    {"utctimestamp", ECL_ROLE_DATE, 0},
    {"dateandtime", ECL_ROLE_DATE, 0},
    {"readdateandtime", ECL_ROLE_DATE, 0},
    {"readingdateandtime", ECL_ROLE_DATE, 0},
    {"localtime", ECL_ROLE_DATE, 1},
    {"usagedate", ECL_ROLE_DATE, 0},
    {"meterreaddate", ECL_ROLE_DATE, 0},
    {"meterreadingdate", ECL_ROLE_DATE, 0},
    {"readingtimestamp", ECL_ROLE_DATE, 0},
    {"readtimestamp", ECL_ROLE_DATE, 0},
    {"startdate", ECL_ROLE_START, 0},
    {"start", ECL_ROLE_START, 0},
    {"starttime", ECL_ROLE_START, 0},
    {"startdatetime", ECL_ROLE_START, 0},
    {"startat", ECL_ROLE_START, 0},
    {"intervalstart", ECL_ROLE_START, 0},
    {"periodstart", ECL_ROLE_START, 0},
    {"intervalstarttime", ECL_ROLE_START, 0},
    {"periodstarttime", ECL_ROLE_START, 0},
    {"periodfrom", ECL_ROLE_START, 0},
    {"fromdate", ECL_ROLE_START, 0},
    {"fromdatetime", ECL_ROLE_START, 0},
    {"fromtime", ECL_ROLE_START, 0},
    {"from", ECL_ROLE_START, 1},
    {"enddate", ECL_ROLE_END, 0},
    {"end", ECL_ROLE_END, 0},
    {"endtime", ECL_ROLE_END, 0},
    {"enddatetime", ECL_ROLE_END, 0},
    {"endat", ECL_ROLE_END, 0},
    {"intervalend", ECL_ROLE_END, 0},
    {"periodend", ECL_ROLE_END, 0},
    {"readdateandendtime", ECL_ROLE_END, 0},
    {"intervalendtime", ECL_ROLE_END, 0},
    {"periodendtime", ECL_ROLE_END, 0},
    {"periodending", ECL_ROLE_END, 0},
    {"periodto", ECL_ROLE_END, 0},
    {"hhending", ECL_ROLE_END, 0},
    {"halfhourending", ECL_ROLE_END, 0},
    {"todate", ECL_ROLE_END, 0},
    {"todatetime", ECL_ROLE_END, 0},
    {"totime", ECL_ROLE_END, 0},
    {"to", ECL_ROLE_END, 1},
    {"time", ECL_ROLE_TIME, 0},
    {"readtime", ECL_ROLE_TIME, 0},
    {"readingtime", ECL_ROLE_TIME, 0},
    {"timeslot", ECL_ROLE_TIME, 0},
    {"hhtime", ECL_ROLE_TIME, 0},
    {"timeperiod", ECL_ROLE_TIME, 0},
    {"timeinterval", ECL_ROLE_TIME, 0},
    {"timeofday", ECL_ROLE_TIME, 0},
    {"slot", ECL_ROLE_TIME, 1},
    {"interval", ECL_ROLE_TIME, 1},
    {"settlementperiod", ECL_ROLE_PERIOD, 0},
    {"settperiod", ECL_ROLE_PERIOD, 0},
    {"periodnumber", ECL_ROLE_PERIOD, 0},
    {"settlementperiodnumber", ECL_ROLE_PERIOD, 0},
    {"settlementperiodid", ECL_ROLE_PERIOD, 0},
    {"halfhourperiod", ECL_ROLE_PERIOD, 0},
    {"halfhournumber", ECL_ROLE_PERIOD, 0},
    {"hhperiod", ECL_ROLE_PERIOD, 0},
    {"hhnumber", ECL_ROLE_PERIOD, 0},
    {"period", ECL_ROLE_PERIOD, 1},
    {"sp", ECL_ROLE_PERIOD, 1},
    {"hh", ECL_ROLE_PERIOD, 1},

    {"kwh", ECL_ROLE_VALUE, 0},
    {"wh", ECL_ROLE_VALUE, 0},
    {"mwh", ECL_ROLE_VALUE, 0},
    {"kwhhh", ECL_ROLE_VALUE, 0},
    {"consumption", ECL_ROLE_VALUE, 1},
    {"meterconsumption", ECL_ROLE_VALUE, 1},
    {"energyconsumption", ECL_ROLE_VALUE, 1},
    {"energy", ECL_ROLE_VALUE, 1},
    {"hhc", ECL_ROLE_VALUE, 1},
    {"hhconsumption", ECL_ROLE_VALUE, 1},
    {"halfhourlyconsumption", ECL_ROLE_VALUE, 1},
    {"halfhourconsumption", ECL_ROLE_VALUE, 1},
    {"electricityconsumption", ECL_ROLE_VALUE, 1},
    {"electricityusage", ECL_ROLE_VALUE, 1},
    {"gasconsumption", ECL_ROLE_VALUE, 1},
    {"gasusage", ECL_ROLE_VALUE, 1},
    {"energyusage", ECL_ROLE_VALUE, 1},
    {"energyused", ECL_ROLE_VALUE, 1},
    {"unitsused", ECL_ROLE_VALUE, 1},
    {"consumed", ECL_ROLE_VALUE, 1},
    {"consumptionvalue", ECL_ROLE_VALUE, 1},
    {"usagevalue", ECL_ROLE_VALUE, 1},
    {"actual", ECL_ROLE_VALUE, 1},
    {"usage", ECL_ROLE_VALUE, 1},
    {"quantity", ECL_ROLE_VALUE, 1},
    {"value", ECL_ROLE_VALUE, 2},
    {"primaryvalue", ECL_ROLE_VALUE, 2},
    {"readvalue", ECL_ROLE_VALUE, 2},
    {"readingvalue", ECL_ROLE_VALUE, 2},
    {"reading", ECL_ROLE_VALUE, 3},
    {"meterread", ECL_ROLE_VALUE, 3},
    {"meterreading", ECL_ROLE_VALUE, 3},
    {"import", ECL_ROLE_VALUE, 4},
    {"activeimport", ECL_ROLE_VALUE, 4},
    {"export", ECL_ROLE_VALUE, 5},
    {"activeexport", ECL_ROLE_VALUE, 5},
    {"total", ECL_ROLE_TOTAL, 1},
    {"dailytotal", ECL_ROLE_TOTAL, 0},
    {"daytotal", ECL_ROLE_TOTAL, 0},
    {"totalkwh", ECL_ROLE_TOTAL, 0},
    {"totalunits", ECL_ROLE_TOTAL, 0},
    {"totalconsumption", ECL_ROLE_TOTAL, 0},
    {"totalconsumptionkwh", ECL_ROLE_TOTAL, 0},
    {"profiledateconsumption", ECL_ROLE_TOTAL, 0},
    {"sumhhconsumption", ECL_ROLE_TOTAL, 0},
    {"grandtotal", ECL_ROLE_TOTAL, 2},
    {"consumptionnhh", ECL_ROLE_TOTAL, 2},
    {"maxdemand", ECL_ROLE_IGNORED, 0},
    {"maximumdemand", ECL_ROLE_IGNORED, 0},
    {"cost", ECL_ROLE_IGNORED, 0},
    {"estimatedcostinctax", ECL_ROLE_IGNORED, 0},
    {"standingchargeinctax", ECL_ROLE_IGNORED, 0},

    {"unit", ECL_ROLE_UNIT, 0},
    {"units", ECL_ROLE_UNIT, 0},
    {"uom", ECL_ROLE_UNIT, 0},
    {"meterunits", ECL_ROLE_UNIT, 0},
    {"reportingunit", ECL_ROLE_UNIT, 0},
    {"unitofmeasure", ECL_ROLE_UNIT, 0},
    {"type", ECL_ROLE_TYPE, 0},
    {"datatype", ECL_ROLE_TYPE, 0},
    {"description", ECL_ROLE_TYPE, 0},
    {"readtype", ECL_ROLE_TYPE, 1},
    {"readingtype", ECL_ROLE_TYPE, 1},
    {"meterreadtype", ECL_ROLE_TYPE, 1},
    {"measurementtype", ECL_ROLE_TYPE, 0},
    {"mq", ECL_ROLE_CHANNEL, 0},
    {"measurementquantity", ECL_ROLE_CHANNEL, 0},
    {"measurementquantityid", ECL_ROLE_CHANNEL, 0},
    {"channel", ECL_ROLE_CHANNEL, 0},
    {"channeltype", ECL_ROLE_CHANNEL, 0},
    {"direction", ECL_ROLE_CHANNEL, 1},
    {"impexp", ECL_ROLE_CHANNEL, 1},
    {"importexport", ECL_ROLE_CHANNEL, 1},
    {"flag", ECL_ROLE_FLAG, 0},
    {"dqflag", ECL_ROLE_FLAG, 0},
    {"datamarker", ECL_ROLE_FLAG, 0},
    {"dataquality", ECL_ROLE_FLAG, 1},
    {"quality", ECL_ROLE_FLAG, 1},
    {"est", ECL_ROLE_FLAG, 0},
    {"ae", ECL_ROLE_FLAG, 0},
    {"actest", ECL_ROLE_FLAG, 0},
    {"aei", ECL_ROLE_FLAG, 0},
    {"actualestimatedindicator", ECL_ROLE_FLAG, 0},
    {"status", ECL_ROLE_FLAG, 0},
    {"colstatuskwh", ECL_ROLE_FLAG, 0},
    {"readstatus", ECL_ROLE_FLAG, 0},
    {"estimated", ECL_ROLE_FLAG, 0},
    {"estimatedactual", ECL_ROLE_FLAG, 0},
    {"actualorestimate", ECL_ROLE_FLAG, 0},
    {"actualestimate", ECL_ROLE_FLAG, 0},
    {"actualestimated", ECL_ROLE_FLAG, 0},

    {"sitetype", ECL_ROLE_SITE, 0},
    {"companyid", ECL_ROLE_SITE, 0},
    {"regionid", ECL_ROLE_SITE, 0},
    {"postcode", ECL_ROLE_SITE, 0},
    {"address", ECL_ROLE_SITE, 0},
    {"addressline1", ECL_ROLE_SITE, 0},
    {"latitude", ECL_ROLE_SITE, 0},
    {"longitude", ECL_ROLE_SITE, 0},
    {"floorarea", ECL_ROLE_SITE, 0},
    {"isactive", ECL_ROLE_SITE, 0},
};

/* "(UTC)", "(GMT)", "(yyyymmdd hh:mm)", "(kWh)": the texts within round brackets, one by one. */
static int next_bracket(const char *text, apr_size_t length, apr_size_t *pat, const char **pinside,
                        apr_size_t *pinside_length)
{
    const char *open = memchr(text + *pat, '(', length - *pat);
    const char *close;

    if (!open) {
        return 0;
    }
    open++;
    close = memchr(open, ')', length - (apr_size_t)(open - text));
    if (!close) {
        return 0;
    }
    *pinside = open;
    *pinside_length = (apr_size_t)(close - open);
    *pat = (apr_size_t)(close + 1 - text);
    return 1;
}

/* The header without what stands in round brackets, folded. */
static int fold_name(const char *text, apr_size_t length, char word[ECL_WORD_MAX])
{
    char outside[256];
    apr_size_t used = 0;
    int depth = 0;

    if (length > sizeof(outside)) {
        word[0] = '\0';
        return 0;
    }
    for (apr_size_t i = 0; i < length; i++) {
        if (text[i] == '(') {
            depth++;
        } else if (text[i] == ')' && depth) {
            depth--;
        } else if (!depth) {
            outside[used++] = text[i];
        }
    }
    return ecl_word_fold(outside, used, word);
}

static int ends_with(const char *word, const char *end)
{
    apr_size_t length = strlen(word), end_length = strlen(end);

    return length > end_length && !memcmp(word + length - end_length, end, end_length);
}

/* Where "utc" or "gmt" stands in the name as a word of its own, and no offset behind it: "UTC
 * Time", "Time (in UTC)", "read_time_utc". */
static int has_utc_word(const char *text, apr_size_t length)
{
    for (apr_size_t at = 0; at + 3 <= length; at++) {
        const char *next = text + at + 3, *end = text + length;

        if ((strncasecmp(text + at, "utc", 3) && strncasecmp(text + at, "gmt", 3)) ||
            (at && apr_isalnum(text[at - 1])) || (next < end && apr_isalnum(*next))) {
            continue;
        }
        while (next < end && (*next == ' ' || *next == '+' || *next == '-')) {
            next++;
        }
        return next == end || !apr_isdigit(*next);
    }
    return 0;
}

static int begins_with(const char *word, const char *start)
{
    return !strncmp(word, start, strlen(start));
}

/* "utcTimestamp", "startTimeUTC": 1, and the rest of the word. */
static int cut_utc(char word[ECL_WORD_MAX])
{
    static const char *const zones[] = {"utc", "gmt"};

    for (apr_size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        if (ends_with(word, zones[i])) {
            word[strlen(word) - 3] = '\0';
            return 1;
        }
        if (begins_with(word, zones[i]) && word[3]) {
            memmove(word, word + 3, strlen(word + 3) + 1);
            return 1;
        }
    }
    return 0;
}

static const alias_t *find_alias(const char *word)
{
    for (apr_size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (!strcmp(word, aliases[i].word)) {
            return &aliases[i];
        }
    }
    return NULL;
}

ecl_role_t ecl_header_role(const char *text, apr_size_t length, int *prank, int *pis_utc)
{
    char word[ECL_WORD_MAX];
    const alias_t *alias;
    int is_utc = has_utc_word(text, length), is_cut;

    *prank = 0;
    *pis_utc = 0;
    if (memchr(text, '%', length)) {
        return ECL_ROLE_IGNORED; /* "Data Quality (% Complete)" */
    }
    if (!fold_name(text, length, word)) {
        return ECL_ROLE_NONE;
    }
    alias = find_alias(word);
    is_cut = cut_utc(word);
    if (!alias && is_cut) {
        alias = find_alias(word);
    }
    *pis_utc = (is_utc || is_cut) && !ecl_name_says_local(text, length);
    *prank = alias ? alias->rank : 0;
    return alias ? alias->role : ECL_ROLE_NONE;
}

int ecl_name_says_local(const char *text, apr_size_t length)
{
    char word[ECL_WORD_MAX];

    return ecl_word_fold(text, length, word) &&
           (strstr(word, "local") || ends_with(word, "bst") || strstr(word, "daylightsaving") ||
            strstr(word, "london"));
}

/* ---- units -------------------------------------------------------------------------------------
 */

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

ecl_unit_t ecl_unit_in_header(const char *text, apr_size_t length)
{
    static const char *const others[] = {"kva",   "btu", "therms",   "mj",     "gj", "p",
                                         "pence", "gbp", "\xc2\xa3", "litres", "kg", "kvar"};
    char word[ECL_WORD_MAX];
    const char *inside;
    apr_size_t at = 0, inside_length;
    ecl_unit_t unit;

    while (next_bracket(text, length, &at, &inside, &inside_length)) {
        if (!ecl_word_fold(inside, inside_length, word)) {
            continue;
        }
        unit = known_unit(word);
        if (unit != ECL_UNIT_OTHER) {
            return unit;
        }
        for (apr_size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
            if (!strcmp(word, others[i])) {
                return ECL_UNIT_OTHER;
            }
        }
    }
    if (!fold_name(text, length, word) || !word[0]) {
        return ECL_UNIT_NONE;
    }
    unit = known_unit(word);
    if (unit != ECL_UNIT_OTHER) {
        return unit;
    }
    if (ends_with(word, "kwh")) {
        return ECL_UNIT_KWH;
    }
    if (ends_with(word, "mwh")) {
        return ECL_UNIT_MWH;
    }
    return ECL_UNIT_NONE;
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

int ecl_channel_has_direction(const char *text, apr_size_t length)
{
    char word[ECL_WORD_MAX];

    return ecl_word_fold(text, length, word) &&
           (strlen(word) <= 2 || strstr(word, "imp") || strstr(word, "exp"));
}

/* What a word adds to the meaning of a channel's name. */
enum {
    IS_NOTHING = 0,
    IS_ACTIVE = 1,
    IS_REACTIVE = 2,
    IS_IMPORT = 4,
    IS_EXPORT = 8,
    IS_OTHER = 16
};

static int meaning_of(const char *word)
{
    static const struct {
        const char *word;
        int meaning;
    } meanings[] = {
        {"active", IS_ACTIVE},       {"kwh", IS_ACTIVE},         {"reactive", IS_REACTIVE},
        {"kvarh", IS_REACTIVE},      {"import", IS_IMPORT},      {"imported", IS_IMPORT},
        {"imp", IS_IMPORT},          {"consumption", IS_IMPORT}, {"export", IS_EXPORT},
        {"exported", IS_EXPORT},     {"exp", IS_EXPORT},         {"lag", IS_OTHER},
        {"lagging", IS_OTHER},       {"lead", IS_OTHER},         {"leading", IS_OTHER},
        {"volume", IS_OTHER},        {"demand", IS_OTHER},       {"kva", IS_OTHER},
        {"factor", IS_OTHER},        {"energy", IS_NOTHING},     {"power", IS_NOTHING},
        {"electricity", IS_NOTHING}, {"interval", IS_NOTHING},   {"total", IS_NOTHING},
        {"half", IS_NOTHING},        {"hourly", IS_NOTHING},     {"hh", IS_NOTHING},
        {"data", IS_NOTHING},        {"maximum", IS_NOTHING},
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

    if (length == 2 && !memcmp(text, "AI", 2)) {
        return "AI";
    }
    if (!fold_name(text, length, word)) {
        return NULL;
    }
    for (apr_size_t i = 0; i < sizeof(channels) / sizeof(channels[0]); i++) {
        if (!strcmp(word, channels[i].word)) {
            return channels[i].channel;
        }
    }
    return word[0] ? channel_of_words(text, length) : NULL;
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
        {"orig", ECL_FLAG_ACTUAL},
        {"original", ECL_FLAG_ACTUAL},
        {"valid", ECL_FLAG_ACTUAL},
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
