/*
 * A header's value columns. Every spelling comes down to a prefix, digits and a suffix: "HH01",
 * "[00:30]", "consumptionHH_00_30_00", "12:00 AM", "30", "00:00 - 00:30", "kWh_1". Columns with the
 * same prefix and suffix are a series; a series whose digits run through the periods of a day, of
 * 5, 10, 15, 30 or 60 minutes, is a block of values or of flags.
 */
#include "layout_internal.h"
#include "meter_day.h"

/* How many periods a day has, and the hour that comes twice. */
static int periods_of(int interval)
{
    return 1440 / interval;
}

static int extra_of(int interval)
{
    return 60 / interval;
}

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

    /* "0.0208333333333333": a spreadsheet's half past midnight */
    if (ecl_serial_parse_time(text, length, &time) && !time.second) {
        prefix[0] = suffix[0] = '\0';
        *pnumber = -1;
        *pminute = time.minute;
        return 1;
    }
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
    for (const char *c = suffix; *c; c++) {
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

static int has_word(const ecl_series_t *series, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strstr(series->prefix, words[i]) || strstr(series->suffix, words[i])) {
            return 1;
        }
    }
    return 0;
}

#define HAS_WORD(series, words) has_word(series, words, (int)(sizeof(words) / sizeof((words)[0])))

static int is_named_as_flags(const ecl_series_t *series)
{
    static const char *const words[] = {"flag",      "estim",  "actest",  "type", "status",
                                        "indicator", "marker", "quality", "dq"};

    return !strcmp(series->prefix, "ut") || !strcmp(series->prefix, "est") ||
           !strcmp(series->suffix, "est") || HAS_WORD(series, words);
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
           (HAS_WORD(series, words) || is_named_as_flags(series));
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
        int more = series->count - periods_of(intervals[i]);

        if (!more || more == extra_of(intervals[i]) || more == -extra_of(intervals[i])) {
            return intervals[i];
        }
    }
    return (series->count == 24 || series->count == 25) && may_be_hours(series) ? 60 : 0;
}

/* How many labels follow each other from `first` on; the last of a day may be 00:00 for 24:00. */
static int count_labels(const ecl_series_t *series, int first, int interval)
{
    int periods = periods_of(interval), count = 0;

    while (count < periods && (series->minutes[count] == first + interval * count ||
                               (series->minutes[count] == 0 && first + interval * count == 1440))) {
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
        int periods = periods_of(intervals[i]);

        *pinterval = intervals[i];
        if (series->count != periods && series->count != periods + extra_of(intervals[i])) {
            continue;
        }
        if (count_labels(series, 0, intervals[i]) == periods) {
            return ECL_SERIES_STARTS;
        }
        if (count_labels(series, intervals[i], intervals[i]) == periods) {
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

/* ---- from series to blocks ---------------------------------------------------------------------
 */

/* Where no name says so, cells do: flags are letters, values are numbers. */
static int holds_words(const ecl_series_t *series, const ecl_sample_t *sample, int from)
{
    int words = 0, numbers = 0;

    for (int i = from; i < sample->count && words + numbers < 200; i++) {
        for (int c = 0; c < series->count; c++) {
            ecl_field_t cell = ecl_sample_cell(&sample->records[i], series->columns[c]);
            ecl_decimal_t value;

            switch (ecl_decimal_parse(cell.text, cell.length, '.', &value)) {
            case ECL_DECIMAL_OK:
            case ECL_DECIMAL_ROUNDED:
                numbers++;
                break;
            case ECL_DECIMAL_BAD:
                if (ecl_decimal_parse(cell.text, cell.length, ',', &value) == ECL_DECIMAL_BAD) {
                    words += ecl_flag_of(cell.text, cell.length) != ECL_FLAG_OTHER;
                } else {
                    numbers++;
                }
                break;
            default:
                break;
            }
        }
    }
    return words > numbers;
}

/* Whether the sample has a number but 0 there. */
static int holds_anything(const ecl_series_t *series, const ecl_sample_t *sample, int from)
{
    for (int c = 0; c < series->count; c++) {
        if (ecl_layout_holds_more_than_zeros(sample, from, series->columns[c])) {
            return 1;
        }
    }
    return 0;
}

static void channel_and_unit(const ecl_series_t *series, const char **pchannel, const char **punit)
{
    static const char *const reactive[] = {"kvarh", "reactive"};
    static const char *const mega[] = {"mwh"};
    static const char *const kilo[] = {"kwh"};
    int is_export = strstr(series->prefix, "export") || strstr(series->suffix, "export") ||
                    !strcmp(series->prefix, "ae");

    *pchannel = NULL;
    *punit = NULL;
    if (HAS_WORD(series, reactive)) {
        *pchannel = is_export ? "RE" : "RI";
        *punit = "kVArh";
        return;
    }
    if (is_export) {
        *pchannel = "AE";
    }
    if (HAS_WORD(series, mega)) {
        *punit = "MWh";
    } else if (HAS_WORD(series, kilo)) {
        *punit = "kWh";
    } else if (!strcmp(series->prefix, "wh") || !strcmp(series->suffix, "wh")) {
        *punit = "Wh";
    }
}

/* Whether the columns beside the values hold numbers that are no flags: another quantity. */
static int holds_numbers(const ecl_series_t *values, int offset, const ecl_sample_t *sample,
                         int from)
{
    int flags = 0, numbers = 0;

    for (int i = from; i < sample->count && flags + numbers < 200; i++) {
        for (int c = 0; c < values->count; c++) {
            ecl_field_t cell = ecl_sample_cell(&sample->records[i], values->columns[c] + offset);
            ecl_decimal_t value;

            if (ecl_flag_of(cell.text, cell.length) != ECL_FLAG_OTHER) {
                flags += cell.length > 0;
            } else if (ecl_decimal_parse(cell.text, cell.length, '.', &value) == ECL_DECIMAL_OK) {
                numbers++;
            }
        }
    }
    return numbers > flags;
}

/* Whether a series is the columns for the hour that comes twice: a pair of half-hours. */
static int is_extra_hour(const ecl_series_t *series, int interval)
{
    static const char *const words[] = {"dst", "timechange", "clockchange", "longday"};

    return series->count == extra_of(interval) && HAS_WORD(series, words);
}

typedef struct builder_t {
    ecl_layout_t *layout;
    const ecl_record_t *header;
    const ecl_sample_t *sample;
    int from;     /* the sample's first row of data */
    int interval; /* of the first block; all have it */
    ecl_series_t *series;
    ecl_series_use_t *uses;
    int count;
    apr_pool_t *p; /* of the layout */
} builder_t;

static int begins_extra_hour(const builder_t *b, int column)
{
    for (int i = 0; i < b->count; i++) {
        if (b->series[i].columns[0] == column && is_extra_hour(&b->series[i], b->interval)) {
            return 1;
        }
    }
    return 0;
}

static ecl_unnamed_hour_t unnamed_hour(const builder_t *b, const ecl_series_t *values, int offset)
{
    return (ecl_unnamed_hour_t){.header = b->header,
                                .sample = b->sample,
                                .from = b->from,
                                .last = values->columns[values->count - 1],
                                .count = extra_of(b->interval),
                                .offset = offset};
}

static int begins_series(const builder_t *b, int column)
{
    for (int i = 0; i < b->count; i++) {
        if (b->series[i].count && b->series[i].columns[0] == column &&
            b->uses[i] != ECL_SERIES_UNUSED) {
            return 1;
        }
    }
    return 0;
}

/* "00:00,Flag,00:30,Flag": a column of one name (or none) beside each value. Where the flags are
 * relative to the values: +1, -1, or 0 for none. *pbeside: the first of columns that are another
 * quantity; -1: there are none. */
static int flag_offset(const builder_t *b, const ecl_series_t *values, int periods, int *pbeside)
{
    const ecl_record_t *header = b->header;
    int first = values->columns[0];
    int last = values->columns[values->count - 1];
    int is_before = ecl_layout_names_alike(header, first - 1, first + 1), end;
    ecl_unnamed_hour_t hour = unnamed_hour(b, values, -1);

    for (int i = 1; i < periods && i < values->count; i++) {
        if (values->columns[i] - values->columns[i - 1] != 2 ||
            !ecl_layout_names_alike(header, values->columns[i] - 1, values->columns[1] - 1)) {
            return 0;
        }
    }
    /* "Flag,00:00,…,Flag,23:30,Flag,DST +0:30": behind the last value stands the flag of another */
    if (ecl_layout_names_alike(header, last + 1, first + 1) &&
        !(is_before && (begins_extra_hour(b, last + 2) ||
                        (hour.count > 1 && ecl_layout_find_unnamed_hour(&hour, &end) &&
                         !ecl_layout_names_alike(header, end, first - 1))))) {
        *pbeside = holds_numbers(values, 1, b->sample, b->from) ? first + 1 : -1;
        return *pbeside < 0 ? 1 : 0;
    }
    if (!is_before) {
        return 0;
    }
    *pbeside = holds_numbers(values, -1, b->sample, b->from) ? first - 1 : -1;
    return *pbeside < 0 ? -1 : 0;
}

/* Tells of columns that hold numbers and are not read. */
static void note_passed_over(builder_t *b, int first, int count, const char *why)
{
    ecl_field_t name = b->header->fields[first];

    ecl_layout_add_note(
        b->layout, "columns-not-read",
        apr_psprintf(b->p, "%d columns from %s on hold numbers and are not read: %s", count,
                     name.length ? apr_psprintf(b->p, "\"%s\" (number %d)", name.text, first + 1)
                                 : apr_psprintf(b->p, "number %d", first + 1),
                     why),
        b->p);
}

/* The flag series that belongs to the n-th block of values: the n-th of its form and length. */
static const ecl_series_t *flags_of(const builder_t *b, int nth)
{
    for (int i = 0; i < b->count; i++) {
        if (b->uses[i] == ECL_SERIES_FLAGS && !nth--) {
            return &b->series[i];
        }
    }
    return NULL;
}

static void add_value(builder_t *b, ecl_value_block_t *block, int column, int flag_column)
{
    if (b->layout->value_count < ECL_LAYOUT_VALUES) {
        b->layout->values[b->layout->value_count++] =
            (ecl_value_column_t){.column = column, .flag_column = flag_column};
        block->count++;
    }
}

/* "…,HH48,,": columns without a name. At the end of the row, or before the flags, they need no
 * more; before anything else the cells must show what they are. */
static int takes_unnamed_hour(const builder_t *b, const ecl_series_t *values, int offset,
                              const ecl_series_t *flags)
{
    ecl_unnamed_hour_t hour = unnamed_hour(b, values, offset);
    int end;

    if (!ecl_layout_find_unnamed_hour(&hour, &end)) {
        return 0;
    }
    return (end == (flags ? flags->columns[0] : b->header->count) && !hour.flags_are_unnamed) ||
           ecl_layout_is_hour_of_long_days(&hour);
}

/* Numbers behind the values and their flags that have no name; a column of MPANs needs none. */
static void tell_unnamed(builder_t *b, int last)
{
    int count = 0, first = 0;

    for (int c = last + 1; c < b->header->count && !begins_series(b, c); c++) {
        ecl_field_t cell = ecl_sample_cell(&b->sample->records[b->from], c);

        if (!b->header->fields[c].length && !ecl_meter_is_mpan(cell.text, cell.length) &&
            ecl_layout_holds_more_than_zeros(b->sample, b->from, c)) {
            first = count++ ? first : c;
        }
    }
    if (count) {
        note_passed_over(b, first, count, "they have no name");
    }
}

/* The columns of the repeated hour, where they are a series of their own or have no name. */
static void add_extra_hour(builder_t *b, ecl_value_block_t *block, const ecl_series_t *series,
                           int offset, int nth)
{
    int last = series->columns[series->count - 1];
    const ecl_series_t *pair = NULL, *flags = NULL, *run = flags_of(b, nth);
    int count = extra_of(b->interval), had = block->count;

    run = run && run->count == had + count ? run : NULL; /* their flags are in the values' run */

    for (int i = 0; i < b->count; i++) {
        if (!is_extra_hour(&b->series[i], b->interval)) {
            continue;
        }
        if (is_named_as_flags(&b->series[i])) {
            flags = &b->series[i];
        } else if (!pair) {
            pair = &b->series[i];
        }
    }
    if (nth == 0 && pair) {
        for (int i = 0; i < count; i++) {
            int flag = flags    ? flags->columns[i]
                       : run    ? run->columns[had + i]
                       : offset ? pair->columns[i] + offset
                                : -1;

            add_value(b, block, pair->columns[i], flag);
        }
        return;
    }
    if (count > 1 && takes_unnamed_hour(b, series, offset, run)) {
        int step = offset ? 2 : 1;

        for (int i = 1; i <= count; i++) {
            int column = last + step * i;

            add_value(b, block, column,
                      run      ? run->columns[had + i - 1]
                      : offset ? column + offset
                               : -1);
        }
    }
}

/* What the columns beyond those of an ordinary day stand for. Numbers, and labels that run on after
 * midnight, are periods in their order; otherwise they are the hour that comes twice. */
static int runs_on(const ecl_series_t *series, ecl_series_form_t form, int interval)
{
    int first = form == ECL_SERIES_ENDS ? interval : 0, periods = periods_of(interval);

    if (form == ECL_SERIES_NUMBERED) {
        return 1;
    }
    for (int i = periods; i < series->count; i++) {
        if (series->minutes[i] % 1440 != first + interval * (i - periods)) {
            return 0;
        }
    }
    return series->count > periods;
}

static void number_block(builder_t *b, ecl_value_block_t *block, int as_periods, int is_end)
{
    int periods = periods_of(b->interval);

    for (int i = 0; i < block->count; i++) {
        ecl_value_column_t *value = &b->layout->values[block->first + i];

        if (as_periods) {
            value->period = i + 1;
        } else if (i < periods) {
            value->minute = b->interval * i;
        } else {
            value->minute = 60 + b->interval * (i - periods);
            value->repeated = 1;
        }
        if (i < periods && value->column > block->needed) {
            block->needed = value->column;
        }
    }
    block->has_repeated = block->count == periods + extra_of(b->interval);
    b->layout->labels_are_ends = is_end;
}

static void add_block(builder_t *b, int which, int nth)
{
    ecl_series_t *series = &b->series[which];
    ecl_series_form_t form = ecl_series_form(series, &b->interval);
    ecl_value_block_t *block = &b->layout->blocks[b->layout->block_count];
    const ecl_series_t *flags = flags_of(b, nth);
    int periods = periods_of(b->interval), most = periods + extra_of(b->interval);
    int beside = -1;
    int offset = flags ? 0 : flag_offset(b, series, periods, &beside);
    int as_periods = runs_on(series, form, b->interval);
    int had = series->count;

    if (beside >= 0) {
        note_passed_over(b, beside, series->count,
                         "they stand beside the values, and what they are is not said");
    }
    *block = (ecl_value_block_t){.first = b->layout->value_count};
    channel_and_unit(series, &block->channel, &block->unit);
    for (int i = 0; i < series->count; i++) {
        int flag = flags && i < flags->count ? flags->columns[i]
                   : offset                  ? series->columns[i] + offset
                                             : -1;
        add_value(b, block, series->columns[i], flag);
    }
    if (had == periods) {
        add_extra_hour(b, block, series, offset, nth);
        if (block->count == had && beside < 0 && b->from < b->sample->count) {
            tell_unnamed(b, series->columns[had - 1] + (offset > 0));
        }
        /* a pair that is named after the clock change fills labelled columns, whatever the others
         * are called */
        for (int i = 0; i < b->count && block->count > had; i++) {
            as_periods = as_periods && !is_extra_hour(&b->series[i], b->interval);
        }
    }
    if (block->count > most) {
        b->layout->value_count -= block->count - most;
        block->count = most;
    }
    number_block(b, block, as_periods, form == ECL_SERIES_ENDS && !as_periods);
    b->layout->block_count++;
}

/* "00:00" … "23:30", "00:00", "00:30": the label that comes again opened a series of its own; it is
 * the end of this one. Likewise "HH49", "HH50" after columns that are labelled otherwise. */
static void join_tails(builder_t *b)
{
    for (int i = 0; i < b->count; i++) {
        ecl_series_t *series = &b->series[i];
        int interval = 30, periods, extra;

        if (ecl_series_form(series, &interval) == ECL_SERIES_NONE ||
            series->count != periods_of(interval)) {
            continue;
        }
        periods = series->count;
        extra = extra_of(interval);
        for (int k = i + 1; k < b->count; k++) {
            ecl_series_t *tail = &b->series[k];
            int continues = tail->count == extra && tail->columns[0] > series->columns[periods - 1];
            int same_name =
                !strcmp(tail->prefix, series->prefix) && !strcmp(tail->suffix, series->suffix);
            int numbered = tail->numbers[0] == periods + 1 &&
                           tail->numbers[extra - 1] == periods + extra &&
                           !strcmp(tail->suffix, series->suffix);

            if (!continues || (!same_name && !numbered)) {
                continue;
            }
            for (int n = 0; n < extra; n++) {
                series->columns[periods + n] = tail->columns[n];
                series->numbers[periods + n] = tail->numbers[n];
                series->minutes[periods + n] = tail->minutes[n];
            }
            series->count = periods + extra;
            tail->count = 0;
            break;
        }
    }
}

int ecl_layout_take_values(ecl_layout_t *layout, const ecl_record_t *header,
                           const ecl_sample_t *sample, int from, apr_pool_t *scratch, apr_pool_t *p)
{
    builder_t b = {.layout = layout, .header = header, .sample = sample, .from = from, .p = p};
    int nth = 0;

    b.series = apr_pcalloc(scratch, ECL_SERIES_MAX * sizeof(ecl_series_t));
    b.uses = apr_pcalloc(scratch, ECL_SERIES_MAX * sizeof(ecl_series_use_t));
    b.count = ecl_series_find(header, b.series, ECL_SERIES_MAX);
    layout->value_count = 0;
    layout->block_count = 0;
    join_tails(&b);
    for (int i = 0; i < b.count; i++) {
        int interval = b.interval;

        if (ecl_series_form(&b.series[i], &interval) == ECL_SERIES_NONE) {
            b.uses[i] = ECL_SERIES_UNUSED;
        } else if (b.interval && interval != b.interval) {
            b.uses[i] = ECL_SERIES_UNUSED;
            note_passed_over(&b, b.series[i].columns[0], b.series[i].count,
                             "they are periods of another length than the columns before them, "
                             "and may be their sums");
        } else if (is_named_as_flags(&b.series[i]) || holds_words(&b.series[i], sample, from)) {
            b.uses[i] = ECL_SERIES_FLAGS;
        } else {
            b.interval = interval;
        }
    }
    for (int i = 0; i < b.count; i++) {
        int is_repeat = 0;

        for (int k = 0; k < i; k++) {
            is_repeat =
                is_repeat || (b.uses[i] == ECL_SERIES_VALUES && b.uses[k] == ECL_SERIES_VALUES &&
                              !strcmp(b.series[i].prefix, b.series[k].prefix) &&
                              !strcmp(b.series[i].suffix, b.series[k].suffix));
        }
        /* a second block of the same names with numbers too, or blank in the sample: which of the
         * two is meant can't be known; the first is read, as its names come first */
        if (b.uses[i] == ECL_SERIES_VALUES && !is_repeat &&
            layout->block_count == ECL_LAYOUT_BLOCKS) {
            note_passed_over(&b, b.series[i].columns[0], b.series[i].count,
                             "no more than four quantities of a row are read");
        } else if (b.uses[i] == ECL_SERIES_VALUES && !is_repeat) {
            add_block(&b, i, nth++);
        } else if (b.uses[i] == ECL_SERIES_VALUES && holds_anything(&b.series[i], sample, from)) {
            note_passed_over(&b, b.series[i].columns[0], b.series[i].count,
                             "they have the names of the columns before them");
        }
    }
    layout->interval_minutes = layout->block_count ? b.interval : 30;
    return layout->block_count > 0;
}

/* The labels that stand in the line above a block of numbers: 1 when they are the clock's, and its
 * last two are the hour that comes twice. */
static int are_labels(const ecl_record_t *above, const ecl_value_column_t *values, int *pare_ends)
{
    int minutes[50];

    for (int i = 0; i < 50; i++) {
        ecl_field_t cell = ecl_sample_cell(above, values[i].column);
        char prefix[ECL_WORD_MAX], suffix[ECL_WORD_MAX];
        int number;

        if (!ecl_label_parse(cell.text, cell.length, prefix, suffix, &number, &minutes[i]) ||
            number >= 0 || prefix[0] || suffix[0]) {
            return 0;
        }
    }
    *pare_ends = minutes[0] == 30;
    for (int i = 0; i < 48; i++) {
        if (minutes[i] % 1440 != (30 * i + minutes[0]) % 1440) {
            return 0;
        }
    }
    return minutes[48] == 60 + minutes[0] && minutes[49] == 90 + minutes[0];
}

void ecl_layout_take_labels_above(ecl_layout_t *layout, const ecl_record_t *above)
{
    ecl_value_column_t *values = &layout->values[layout->blocks[0].first];
    int are_ends;

    if (layout->blocks[0].count != 50 || layout->interval_minutes != 30 || !values[0].period ||
        !are_labels(above, values, &are_ends)) {
        return;
    }
    for (int i = 0; i < 50; i++) {
        values[i].period = 0;
        values[i].repeated = i >= 48;
        values[i].minute = i < 48 ? 30 * i : 60 + 30 * (i - 48);
    }
    layout->labels_are_ends = are_ends;
    layout->labels_above = 1;
}

int ecl_layout_take_units_below(ecl_layout_t *layout, const ecl_record_t *below)
{
    const char *units[ECL_LAYOUT_BLOCKS] = {NULL};
    ecl_field_t date = ecl_sample_cell(below, layout->date_column);

    if (layout->kind != ECL_LAYOUT_WIDE || strspn(date.text, " ") != date.length) {
        return 0;
    }
    for (int i = 0; i < layout->value_count; i++) {
        ecl_field_t cell = ecl_sample_cell(below, layout->values[i].column);
        const char *unit = ecl_unit_name(ecl_unit_of(cell.text, cell.length));

        for (int b = 0; b < layout->block_count; b++) {
            const ecl_value_block_t *block = &layout->blocks[b];

            if (i < block->first || i >= block->first + block->count) {
                continue;
            }
            if (!unit || (units[b] && units[b] != unit)) {
                return 0;
            }
            units[b] = unit;
        }
    }
    for (int b = 0; b < layout->block_count; b++) {
        layout->blocks[b].unit = units[b];
    }
    return 1;
}
