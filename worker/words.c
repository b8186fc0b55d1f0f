/*
 * The names of columns.
 */
#include "words.h"

#include <apr_lib.h>

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
    {"mpn", ECL_ROLE_METER, 0},
    {"mprvalue", ECL_ROLE_METER, 0},
    {"mpanmprnspid", ECL_ROLE_METER, 0},
    {"mpannumbers", ECL_ROLE_METER, 0},
    {"supplynumber", ECL_ROLE_METER, 0},
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
    {"puprn", ECL_ROLE_METER, 2},
    {"z\xc3\xa4hlpunkt", ECL_ROLE_METER, 2},
    {"z\xc3\xa4hlernummer", ECL_ROLE_METER, 2},
    {"m1code1", ECL_ROLE_METER, 3},
    {"consumer", ECL_ROLE_METER, 3},
    {"identifier", ECL_ROLE_METER, 3},
    {"outstation", ECL_ROLE_METER, 4},
    {"outstationid", ECL_ROLE_METER, 4},
    {"device", ECL_ROLE_METER, 5},
    {"deviceid", ECL_ROLE_METER, 4},
    {"loggerid", ECL_ROLE_METER, 4},
    {"pointid", ECL_ROLE_METER, 5},
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

    /* the day on which a register was read may be the one after that of its row */
    {"date", ECL_ROLE_DATE, 0},
    {"day", ECL_ROLE_DATE, 0},
    {"readdate", ECL_ROLE_DATE, 1},
    {"rdate", ECL_ROLE_DATE, 1},
    {"readingdate", ECL_ROLE_DATE, 1},
    {"readdateuk", ECL_ROLE_DATE, 1},
    {"dateofreading", ECL_ROLE_DATE, 1},
    {"consumptiondate", ECL_ROLE_DATE, 0},
    {"consumptionprofiledate", ECL_ROLE_DATE, 0},
    {"profiledate", ECL_ROLE_DATE, 0},
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
    {"readdatetimelocal", ECL_ROLE_DATE, 1},
    {"datetimeutc", ECL_ROLE_DATE, 0},
    {"timestamp", ECL_ROLE_DATE, 0},
    {"timestamputc", ECL_ROLE_DATE, 0},
    {"utctimestamp", ECL_ROLE_DATE, 0},
    {"dateandtime", ECL_ROLE_DATE, 0},
    {"readdateandtime", ECL_ROLE_DATE, 0},
    {"readingdateandtime", ECL_ROLE_DATE, 0},
    {"localtime", ECL_ROLE_DATE, 1},
    {"usagedate", ECL_ROLE_DATE, 0},
    {"meterreaddate", ECL_ROLE_DATE, 1},
    {"meterreadingdate", ECL_ROLE_DATE, 1},
    {"readingtimestamp", ECL_ROLE_DATE, 0},
    {"readtimestamp", ECL_ROLE_DATE, 0},
    {"ts", ECL_ROLE_DATE, 1},
    {"unixtime", ECL_ROLE_DATE, 0},
    {"unixtimestamp", ECL_ROLE_DATE, 0},
    {"epoch", ECL_ROLE_DATE, 1},
    {"epochtime", ECL_ROLE_DATE, 0},
    {"datum", ECL_ROLE_DATE, 0},
    {"datumzeit", ECL_ROLE_DATE, 0},
    {"datumuhrzeit", ECL_ROLE_DATE, 0},
    {"messzeitpunkt", ECL_ROLE_DATE, 0},
    {"zeitstempel", ECL_ROLE_DATE, 0},
    {"zeitpunkt", ECL_ROLE_DATE, 0},
    {"horodate", ECL_ROLE_DATE, 0},
    {"horodatage", ECL_ROLE_DATE, 0},
    {"dateheure", ECL_ROLE_DATE, 0},
    {"dateetheure", ECL_ROLE_DATE, 0},
    {"fecha", ECL_ROLE_DATE, 0},
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
    {"hourbeginning", ECL_ROLE_START, 0},
    {"hourstarting", ECL_ROLE_START, 0},
    {"hourstart", ECL_ROLE_START, 0},
    {"starthour", ECL_ROLE_START, 0},
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
    {"datumvon", ECL_ROLE_START, 0},
    {"zeitvon", ECL_ROLE_START, 0},
    {"von", ECL_ROLE_START, 1},
    {"d\xc3\xa9"
     "but",
     ECL_ROLE_START, 1},
    {"heured\xc3\xa9"
     "but",
     ECL_ROLE_START, 0},
    {"datumbis", ECL_ROLE_END, 0},
    {"zeitbis", ECL_ROLE_END, 0},
    {"bis", ECL_ROLE_END, 1},
    {"fin", ECL_ROLE_END, 1},
    {"heurefin", ECL_ROLE_END, 0},
    {"hourending", ECL_ROLE_END, 0},
    {"hourend", ECL_ROLE_END, 0},
    {"endhour", ECL_ROLE_END, 0},
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
    {"uhrzeit", ECL_ROLE_TIME, 0},
    {"zeit", ECL_ROLE_TIME, 0},
    {"heure", ECL_ROLE_TIME, 0},
    {"hora", ECL_ROLE_TIME, 0},
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
    {"kwhused", ECL_ROLE_VALUE, 0},
    {"kwhconsumed", ECL_ROLE_VALUE, 0},
    {"kwhconsumption", ECL_ROLE_VALUE, 0},
    {"kwhusage", ECL_ROLE_VALUE, 0},
    {"kwhvalue", ECL_ROLE_VALUE, 0},
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
    {"advance", ECL_ROLE_VALUE, 1},
    {"hhadvance", ECL_ROLE_VALUE, 1},
    {"verbrauch", ECL_ROLE_VALUE, 1},
    {"energiemenge", ECL_ROLE_VALUE, 1},
    {"consommation", ECL_ROLE_VALUE, 1},
    {"consumo", ECL_ROLE_VALUE, 1},
    {"value", ECL_ROLE_VALUE, 2},
    {"primaryvalue", ECL_ROLE_VALUE, 2},
    {"readvalue", ECL_ROLE_VALUE, 2},
    {"readingvalue", ECL_ROLE_VALUE, 2},
    {"delta", ECL_ROLE_VALUE, 2},
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
    {"einheit", ECL_ROLE_UNIT, 0},
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

int ecl_name_fold(const char *text, apr_size_t length, char word[ECL_WORD_MAX])
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

int ecl_word_ends_with(const char *word, const char *end)
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
        if (ecl_word_ends_with(word, zones[i])) {
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

/* What follows the first of the parts that a word begins with; NULL: none. */
static const char *skip_any(const char *word, const char *const *parts, apr_size_t count)
{
    for (apr_size_t i = 0; i < count; i++) {
        if (begins_with(word, parts[i])) {
            return word + strlen(parts[i]);
        }
    }
    return NULL;
}

/* A meter point's number under any of its names: "Meter Point Reference Number", "Core MPAN",
 * "Supply Point Id", "Electricity MPAN No.". The name has no other words. */
static const alias_t *find_meter_point(const char *word)
{
    static const alias_t number = {"", ECL_ROLE_METER, 0}, point = {"", ECL_ROLE_METER, 1};
    static const char *const numbers[] = {"mpan", "mprn", "mpxn", "mpr"};
    static const char *const points[] = {"meterpoint", "meteringpoint", "supplypoint",
                                         "servicepoint", "deliverypoint"};
    static const char *const others[] = {
        "meter",   "gas",    "electricity",    "electric", "elec",
        "core",    "full",   "reference",      "ref",      "number",
        "num",     "no",     "identifier",     "id",       "code",
        "utility", "supply", "administration", "admin"};
    const alias_t *found = NULL;

    while (*word) {
        const char *rest = skip_any(word, numbers, sizeof(numbers) / sizeof(numbers[0]));

        if (rest) {
            found = &number;
        } else if ((rest = skip_any(word, points, sizeof(points) / sizeof(points[0])))) {
            found = found ? found : &point;
        } else if (!(rest = skip_any(word, others, sizeof(others) / sizeof(others[0])))) {
            return NULL;
        }
        word = rest;
    }
    return found;
}

ecl_role_t ecl_header_role(const char *text, apr_size_t length, int *prank, int *pis_utc)
{
    char word[ECL_WORD_MAX];
    const alias_t *alias;
    int is_utc, is_cut;

    *prank = 0;
    *pis_utc = 0;
    if (memchr(text, '%', length)) {
        return ECL_ROLE_IGNORED; /* "Data Quality (% Complete)" */
    }
    if (!ecl_name_fold(text, length, word)) {
        return ECL_ROLE_NONE;
    }
    is_utc = has_utc_word(text, length);
    alias = find_alias(word);
    alias = alias ? alias : find_meter_point(word);
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
           (strstr(word, "local") || ecl_word_ends_with(word, "bst") ||
            strstr(word, "daylightsaving") || strstr(word, "london"));
}
