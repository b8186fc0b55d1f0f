/*
 * A header's value columns. Every spelling comes down to a prefix, digits and a suffix: "HH01",
 * "[00:30]", "consumptionHH_00_30_00", "12:00 AM", "30", "00:00 - 00:30", "kWh_1". Columns with the
 * same prefix and suffix are a series; a series whose digits run through the periods of a day, of
 * 5, 10, 15, 30 or 60 minutes, is a block of values or of flags.
 */
#include "layout_internal.h"

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* One group of at most four digits; the number of characters used, 0: none there. */
static apr_size_t take_digits(const char *text, apr_size_t length, int *pvalue)
{
    apr_size_t used = 0;

    *pvalue = 0;
    while (used < length && is_digit(text[used])) {
        if (used == 4) {
            return 0;
        }
        *pvalue = *pvalue * 10 + text[used++] - '0';
    }
    return used;
}

/* "am" or "pm" standing alone: 'a', 'p', else 0; *pused characters. */
static char take_meridiem(const char *text, apr_size_t length, apr_size_t *pused)
{
    apr_size_t at = 0;
    char which;

    *pused = 0;
    while (at < length && text[at] == ' ') {
        at++;
    }
    if (at + 2 > length || (text[at + 1] | 0x20) != 'm') {
        return 0;
    }
    which = (char)(text[at] | 0x20);
    if ((which != 'a' && which != 'p') ||
        (at + 2 < length && ((text[at + 2] | 0x20) >= 'a' && (text[at + 2] | 0x20) <= 'z'))) {
        return 0;
    }
    *pused = at + 2;
    return which;
}

static int minute_of(const int groups[3], int count, char meridiem)
{
    int hour, minute;

    if (count == 1) {
        hour = groups[0] / 100;
        minute = groups[0] % 100;
    } else {
        hour = groups[0];
        minute = groups[1];
    }
    if (count == 3 && groups[2]) {
        return -1;
    }
    /* "13:00 PM" is written where the clock has 24 hours after all */
    if (meridiem && hour <= 12) {
        hour = hour % 12 + (meridiem == 'p' ? 12 : 0);
    }
    if (minute > 59 || hour > 24) {
        return -1;
    }
    return hour * 60 + minute;
}

int ecl_label_parse(const char *text, apr_size_t length, char prefix[ECL_WORD_MAX],
                    char suffix[ECL_WORD_MAX], int *pnumber, int *pminute)
{
    apr_size_t at = 0, used;
    int groups[3] = {0, 0, 0}, count = 0;
    ecl_datetime_t time;
    char meridiem;

    /* "0.0208333333333333": a spreadsheet's half past midnight; "0.30", as 07:12, is 00:30 */
    if (ecl_serial_parse_time(text, length, &time) && !time.second && time.minute % 5 == 0) {
        prefix[0] = suffix[0] = '\0';
        *pnumber = -1;
        *pminute = time.minute;
        return 1;
    }
    /* "m3_1", "ft3 00:00": of that, the number is what comes behind */
    at = length > 2 && !strncasecmp(text, "m3", 2) && !is_digit(text[2])    ? 2
         : length > 3 && !strncasecmp(text, "ft3", 3) && !is_digit(text[3]) ? 3
                                                                            : 0;
    while (at < length && !is_digit(text[at])) {
        at++;
    }
    if (at == length || !ecl_word_fold(text, at, prefix)) {
        return 0;
    }
    for (;;) {
        used = take_digits(text + at, length - at, &groups[count]);
        if (!used) {
            return 0;
        }
        at += used;
        count++;
        if (count == 3 || at + 1 >= length ||
            (text[at] != ':' && text[at] != '_' && text[at] != '.') || !is_digit(text[at + 1])) {
            break;
        }
        at++;
    }
    meridiem = take_meridiem(text + at, length - at, &used);
    at += used;
    *pnumber = count == 1 && !meridiem ? groups[0] : -1;
    *pminute = minute_of(groups, count, meridiem);

    /* "00:00 - 00:30": the first time is the label */
    used = at;
    while (used < length && (text[used] == ' ' || text[used] == '-')) {
        used++;
    }
    if (used > at && used < length && is_digit(text[used]) && memchr(text + at, '-', used - at)) {
        while (used < length && (is_digit(text[used]) || text[used] == ':')) {
            used++;
        }
        at = used;
    }
    if (!ecl_word_fold(text + at, length - at, suffix)) {
        return 0;
    }
    for (const char *c = suffix; *c && !ecl_unit_is_volume(ecl_unit_of(suffix, strlen(suffix)));
         c++) {
        if (is_digit(*c)) {
            return 0; /* "M1_Code1" */
        }
    }
    return 1;
}

int ecl_series_find(const ecl_record_t *header, ecl_series_t *series, int max)
{
    char prefix[ECL_WORD_MAX], suffix[ECL_WORD_MAX];
    int found = 0;

    for (int column = 0; column < header->count; column++) {
        const ecl_field_t *name = &header->fields[column];
        ecl_series_t *fit = NULL;
        int number, minute;

        if (!ecl_label_parse(name->text, name->length, prefix, suffix, &number, &minute)) {
            continue;
        }
        for (int i = found - 1; i >= 0 && !fit; i--) {
            if (!strcmp(series[i].prefix, prefix) && !strcmp(series[i].suffix, suffix)) {
                fit = &series[i];
            }
        }
        /* names that come again are a second block: values, then their flags */
        if (fit && (fit->count == ECL_SERIES_COLUMNS ||
                    (fit->numbers[0] == number && fit->minutes[0] == minute))) {
            fit = NULL;
        }
        if (!fit) {
            if (found == max) {
                continue;
            }
            fit = &series[found++];
            apr_cpystrn(fit->prefix, prefix, sizeof(fit->prefix));
            apr_cpystrn(fit->suffix, suffix, sizeof(fit->suffix));
            fit->count = 0;
        }
        fit->columns[fit->count] = (short)column;
        fit->numbers[fit->count] = (short)number;
        fit->minutes[fit->count++] = (short)minute;
    }
    return found;
}

int ecl_series_has_word(const ecl_series_t *series, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strstr(series->prefix, words[i]) || strstr(series->suffix, words[i])) {
            return 1;
        }
    }
    return 0;
}

int ecl_series_is_named_as_flags(const ecl_series_t *series)
{
    static const char *const words[] = {"flag",      "estim",  "actest",  "type", "status",
                                        "indicator", "marker", "quality", "dq"};

    return !strcmp(series->prefix, "ut") || !strcmp(series->prefix, "est") ||
           !strcmp(series->suffix, "est") || ECL_SERIES_HAS_WORD(series, words);
}

/* Twenty-four of a kind may be anything, such as months or tariffs: their names must go well with
 * hours. "HH1" is a half-hour, and twenty-four of them are no day. */
static int may_be_hours(const ecl_series_t *series)
{
    static const char *const words[] = {"hour",        "period", "interval", "kwh",
                                        "mwh",         "kvarh",  "import",   "export",
                                        "consumption", "value",  "reading",  "energy"};
    static const char *const prefixes[] = {"", "h", "hr", "he", "p", "sp", "int", "wh", "t", "v"};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (!strcmp(series->prefix, prefixes[i]) && !series->suffix[0]) {
            return 1;
        }
    }
    return !strstr(series->prefix, "half") &&
           (ECL_SERIES_HAS_WORD(series, words) || ecl_series_is_named_as_flags(series));
}

/* "1" … "48", from the number `from` on; how many are in order. */
static int count_numbers(const ecl_series_t *series, int from)
{
    int count = 0;

    while (count < series->count && series->numbers[count] == count + from) {
        count++;
    }
    return count;
}

/* The interval of numbered columns; 0: none of which a day has so many. */
static int numbered_interval(const ecl_series_t *series)
{
    static const int intervals[] = {15, 10, 5};

    if (series->count >= 46 && series->count <= 50) {
        return 30;
    }
    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        int more = series->count - ecl_periods_of_day(intervals[i]);

        if (!more || more == ecl_periods_of_hour(intervals[i]) ||
            more == -ecl_periods_of_hour(intervals[i])) {
            return intervals[i];
        }
    }
    return (series->count == 24 || series->count == 25) && may_be_hours(series) ? 60 : 0;
}

/* How many labels follow each other from `first` on; the last of a day may be 00:00 or 23:59 for
 * 24:00. */
static int count_labels(const ecl_series_t *series, int first, int interval)
{
    int periods = ecl_periods_of_day(interval), count = 0;

    while (count < periods && (series->minutes[count] == first + interval * count ||
                               ((series->minutes[count] == 0 || series->minutes[count] == 1439) &&
                                first + interval * count == 1440))) {
        count++;
    }
    return count;
}

ecl_series_form_t ecl_series_form(const ecl_series_t *series, int *pinterval)
{
    static const int intervals[] = {30, 15, 60, 10, 5};
    int interval;

    if (series->count < 24) {
        return ECL_SERIES_NONE;
    }
    if (count_numbers(series, 1) == series->count && (interval = numbered_interval(series)) != 0) {
        *pinterval = interval;
        return ECL_SERIES_NUMBERED;
    }
    if (count_numbers(series, 0) == series->count && series->count == 24 && may_be_hours(series)) {
        *pinterval = 60;
        return ECL_SERIES_STARTS;
    }
    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        int periods = ecl_periods_of_day(intervals[i]);

        *pinterval = intervals[i];
        if (series->count != periods &&
            series->count != periods + ecl_periods_of_hour(intervals[i])) {
            continue;
        }
        if (count_labels(series, 0, intervals[i]) == periods) {
            return ECL_SERIES_STARTS;
        }
        /* "00:30" … "24:00", or "00:29" … "23:59" */
        if (count_labels(series, intervals[i], intervals[i]) == periods ||
            count_labels(series, intervals[i] - 1, intervals[i]) == periods) {
            return ECL_SERIES_ENDS;
        }
    }
    return ECL_SERIES_NONE;
}

int ecl_layout_is_month(const ecl_record_t *header)
{
    ecl_series_t series[ECL_SERIES_MAX];
    int count = ecl_series_find(header, series, ECL_SERIES_MAX);

    for (int i = 0; i < count; i++) {
        int is_day = !series[i].prefix[0] || !strcmp(series[i].prefix, "d") ||
                     !strcmp(series[i].prefix, "day");

        if (is_day && !series[i].suffix[0] && series[i].count >= 28 && series[i].count <= 31 &&
            count_numbers(&series[i], 1) == series[i].count) {
            return 1;
        }
    }
    return 0;
}
