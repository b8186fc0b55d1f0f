/*
 * A header's value columns. Every spelling comes down to a prefix, digits and a suffix: "HH01",
 * "[00:30]", "consumptionHH_00_30_00", "12:00 AM", "30", "00:00 - 00:30", "kWh_1". Columns with the
 * same prefix and suffix are a series; a series whose digits run through the half-hours of a day is
 * a block of values or of flags.
 */
#include "layout_internal.h"
#include "meter_day.h"

#define HALF_HOURS 48

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
    if (minute > 59 || hour > 24 || (hour == 24 && minute > 30)) {
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
        fit->columns[fit->count] = column;
        fit->numbers[fit->count] = number;
        fit->minutes[fit->count++] = minute;
    }
    return found;
}

ecl_series_form_t ecl_series_form(const ecl_series_t *series)
{
    int numbered = 0, starts = 0, ends = 0;

    while (numbered < series->count && series->numbers[numbered] == numbered + 1) {
        numbered++;
    }
    if (numbered == series->count && numbered >= 46 && numbered <= 50) {
        return ECL_SERIES_NUMBERED;
    }
    if (series->count < HALF_HOURS || series->count > 50 || series->count == 49) {
        return ECL_SERIES_NONE;
    }
    while (starts < HALF_HOURS && series->minutes[starts] == 30 * starts) {
        starts++;
    }
    if (starts == HALF_HOURS) {
        return ECL_SERIES_STARTS;
    }
    while (ends < HALF_HOURS && (series->minutes[ends] == 30 * (ends + 1) ||
                                 (ends == HALF_HOURS - 1 && series->minutes[ends] == 0))) {
        ends++;
    }
    return ends == HALF_HOURS ? ECL_SERIES_ENDS : ECL_SERIES_NONE;
}

/* ---- from series to blocks ---------------------------------------------------------------------
 */

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

/* Folded names equal (both may be blank)? */
static int names_alike(const ecl_record_t *header, int a, int b)
{
    char x[ECL_WORD_MAX], y[ECL_WORD_MAX];

    if (a < 0 || b < 0 || a >= header->count || b >= header->count) {
        return 0;
    }
    return ecl_word_fold(header->fields[a].text, header->fields[a].length, x) &&
           ecl_word_fold(header->fields[b].text, header->fields[b].length, y) && !strcmp(x, y);
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

/* "00:00,Flag,00:30,Flag": a column of one name (or none) beside each value. Sets where the flags
 * are relative to the values: +1, -1, or 0 for none. */
static int flag_offset(const ecl_record_t *header, const ecl_series_t *values,
                       const ecl_sample_t *sample, int from)
{
    int first = values->columns[0];
    int last = values->columns[values->count - 1];

    for (int i = 1; i < HALF_HOURS && i < values->count; i++) {
        if (values->columns[i] - values->columns[i - 1] != 2 ||
            !names_alike(header, values->columns[i] - 1, values->columns[1] - 1)) {
            return 0;
        }
    }
    if (names_alike(header, last + 1, first + 1)) {
        return holds_numbers(values, 1, sample, from) ? 0 : 1;
    }
    return names_alike(header, first - 1, first + 1) && !holds_numbers(values, -1, sample, from)
               ? -1
               : 0;
}

/* Whether a series is the pair of columns for the hour that comes twice. */
static int is_extra_pair(const ecl_series_t *series)
{
    static const char *const words[] = {"dst", "timechange", "clockchange", "longday"};

    return series->count == 2 && HAS_WORD(series, words);
}

typedef struct builder_t {
    ecl_layout_t *layout;
    const ecl_record_t *header;
    const ecl_sample_t *sample;
    int from; /* the sample's first row of data */
    ecl_series_t *series;
    ecl_series_use_t *uses;
    int count;
} builder_t;

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

/* The two columns of the repeated hour, where they are a series of their own or have no name. */
static void add_extra_pair(builder_t *b, ecl_value_block_t *block, int last, int offset, int nth)
{
    const ecl_series_t *pair = NULL, *flags = NULL;

    for (int i = 0; i < b->count; i++) {
        if (!is_extra_pair(&b->series[i])) {
            continue;
        }
        if (is_named_as_flags(&b->series[i])) {
            flags = &b->series[i];
        } else if (!pair) {
            pair = &b->series[i];
        }
    }
    if (nth == 0 && pair) {
        for (int i = 0; i < 2; i++) {
            int flag = flags ? flags->columns[i] : offset ? pair->columns[i] + offset : -1;

            add_value(b, block, pair->columns[i], flag);
        }
        return;
    }
    /* "…,HH48,,": two columns without a name at the end of the row */
    if (!offset && last + 3 == b->header->count && !b->header->fields[last + 1].length &&
        !b->header->fields[last + 2].length) {
        add_value(b, block, last + 1, -1);
        add_value(b, block, last + 2, -1);
    }
}

/* What the columns from the 49th on stand for. Numbers, and labels that run on after midnight, are
 * periods in their order; otherwise they are the hour that comes twice. */
static int runs_on(const ecl_series_t *series, ecl_series_form_t form)
{
    int first = form == ECL_SERIES_ENDS ? 30 : 0;

    if (form == ECL_SERIES_NUMBERED) {
        return 1;
    }
    return series->count == 50 && (series->minutes[48] % 1440) == first &&
           (series->minutes[49] % 1440) == first + 30;
}

static void number_block(builder_t *b, ecl_value_block_t *block, int as_periods, int is_end)
{
    for (int i = 0; i < block->count; i++) {
        ecl_value_column_t *value = &b->layout->values[block->first + i];

        if (as_periods) {
            value->period = i + 1;
        } else if (i < HALF_HOURS) {
            value->minute = 30 * i;
        } else {
            value->minute = 60 + 30 * (i - HALF_HOURS);
            value->repeated = 1;
        }
        if (i < HALF_HOURS && value->column > block->needed) {
            block->needed = value->column;
        }
    }
    block->has_repeated = block->count == 50;
    b->layout->labels_are_ends = is_end;
}

static void add_block(builder_t *b, int which, int nth)
{
    ecl_series_t *series = &b->series[which];
    ecl_series_form_t form = ecl_series_form(series);
    ecl_value_block_t *block = &b->layout->blocks[b->layout->block_count];
    const ecl_series_t *flags = flags_of(b, nth);
    int offset = flags ? 0 : flag_offset(b->header, series, b->sample, b->from);
    int as_periods = runs_on(series, form);
    int had = series->count;

    *block = (ecl_value_block_t){.first = b->layout->value_count};
    channel_and_unit(series, &block->channel, &block->unit);
    for (int i = 0; i < series->count; i++) {
        int flag = flags && i < flags->count ? flags->columns[i]
                   : offset                  ? series->columns[i] + offset
                                             : -1;
        add_value(b, block, series->columns[i], flag);
    }
    if (had == HALF_HOURS) {
        add_extra_pair(b, block, series->columns[had - 1], offset, nth);
        /* a pair that is named after the clock change fills labelled columns, whatever the others
         * are called */
        for (int i = 0; i < b->count && block->count > had; i++) {
            as_periods = as_periods && !is_extra_pair(&b->series[i]);
        }
    }
    if (block->count > 50) {
        b->layout->value_count -= block->count - 50;
        block->count = 50;
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

        if (ecl_series_form(series) == ECL_SERIES_NONE || series->count != HALF_HOURS) {
            continue;
        }
        for (int k = i + 1; k < b->count; k++) {
            ecl_series_t *tail = &b->series[k];
            int continues = tail->count == 2 && tail->columns[0] > series->columns[HALF_HOURS - 1];
            int same_name =
                !strcmp(tail->prefix, series->prefix) && !strcmp(tail->suffix, series->suffix);
            int numbered = tail->numbers[0] == 49 && tail->numbers[1] == 50 &&
                           !strcmp(tail->suffix, series->suffix);

            if (!continues || (!same_name && !numbered)) {
                continue;
            }
            for (int n = 0; n < 2; n++) {
                series->columns[HALF_HOURS + n] = tail->columns[n];
                series->numbers[HALF_HOURS + n] = tail->numbers[n];
                series->minutes[HALF_HOURS + n] = tail->minutes[n];
            }
            series->count = 50;
            tail->count = 0;
            break;
        }
    }
}

int ecl_layout_take_values(ecl_layout_t *layout, const ecl_record_t *header,
                           const ecl_sample_t *sample, int from, apr_pool_t *p)
{
    builder_t b = {.layout = layout, .header = header, .sample = sample, .from = from};
    int nth = 0;

    b.series = apr_pcalloc(p, ECL_SERIES_MAX * sizeof(ecl_series_t));
    b.uses = apr_pcalloc(p, ECL_SERIES_MAX * sizeof(ecl_series_use_t));
    b.count = ecl_series_find(header, b.series, ECL_SERIES_MAX);
    layout->value_count = 0;
    layout->block_count = 0;
    join_tails(&b);
    for (int i = 0; i < b.count; i++) {
        if (ecl_series_form(&b.series[i]) == ECL_SERIES_NONE) {
            b.uses[i] = ECL_SERIES_UNUSED;
        } else if (is_named_as_flags(&b.series[i]) || holds_words(&b.series[i], sample, from)) {
            b.uses[i] = ECL_SERIES_FLAGS;
        }
    }
    for (int i = 0; i < b.count && layout->block_count < ECL_LAYOUT_BLOCKS; i++) {
        int is_repeat = 0;

        for (int k = 0; k < i; k++) {
            is_repeat =
                is_repeat || (b.uses[i] == ECL_SERIES_VALUES && b.uses[k] == ECL_SERIES_VALUES &&
                              !strcmp(b.series[i].prefix, b.series[k].prefix) &&
                              !strcmp(b.series[i].suffix, b.series[k].suffix));
        }
        /* a second block of the same names with numbers too, or blank in the sample: which of the
         * two is meant can't be known; the first is read, as its names come first */
        if (b.uses[i] == ECL_SERIES_VALUES && !is_repeat) {
            add_block(&b, i, nth++);
        }
    }
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
    for (int i = 0; i < HALF_HOURS; i++) {
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

    if (layout->blocks[0].count != 50 || !values[0].period ||
        !are_labels(above, values, &are_ends)) {
        return;
    }
    for (int i = 0; i < 50; i++) {
        values[i].period = 0;
        values[i].repeated = i >= HALF_HOURS;
        values[i].minute = i < HALF_HOURS ? 30 * i : 60 + 30 * (i - HALF_HOURS);
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
