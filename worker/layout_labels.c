/*
 * From the series in a header (layout_series.c) to blocks of value columns, with their flags and
 * the hour that comes twice.
 */
#include "layout_internal.h"
#include "meter_day.h"

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

/* The unit that stands for itself before or behind the numbers, or within brackets. */
static ecl_unit_t unit_of_names(const ecl_series_t *series, ecl_field_t name)
{
    ecl_unit_t unit = ecl_unit_in_header(name.text, name.length);

    if (unit == ECL_UNIT_NONE || unit == ECL_UNIT_OTHER) {
        unit = ecl_unit_of(series->prefix, strlen(series->prefix));
    }
    return unit == ECL_UNIT_NONE || unit == ECL_UNIT_OTHER
               ? ecl_unit_of(series->suffix, strlen(series->suffix))
               : unit;
}

/* "Cost 00:00", "kVA_1", "00:00 (W)": what is no energy at all. */
static int is_no_energy(const ecl_series_t *series, ecl_field_t name, int is_unit_given)
{
    static const char *const parts[] = {"cost", "price", "carbon",   "co2",
                                        "kvah", "gwh",   "volts",    "amps",
                                        "degc", "humid", "\xc2\xa3", "\xe2\x82\xac"};
    static const char *const words[] = {"kva",  "mva", "mw",          "kvar",  "pf",
                                        "temp", "gbp", "temperature", "pence", "powerfactor"};
    const char *const texts[] = {series->prefix, series->suffix};

    if (!is_unit_given && !strcmp(series->prefix, "volume")) {
        return 1; /* of gas, and in whatever unit */
    }

    for (int t = 0; t < 2; t++) {
        for (apr_size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
            if (strstr(texts[t], parts[i])) {
                return 1;
            }
        }
        for (apr_size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (!strcmp(texts[t], words[i])) {
                return 1;
            }
        }
    }
    return ecl_unit_in_header(name.text, name.length) == ECL_UNIT_OTHER;
}

static void channel_and_unit(const ecl_series_t *series, ecl_field_t name, const char **pchannel,
                             const char **punit)
{
    static const char *const reactive[] = {"kvarh", "reactive"};
    static const char *const mega[] = {"mwh"};
    static const char *const kilo[] = {"kwh"};
    ecl_unit_t unit = unit_of_names(series, name);
    int is_export = strstr(series->prefix, "export") || strstr(series->suffix, "export") ||
                    !strcmp(series->prefix, "ae");

    *pchannel = NULL;
    *punit = NULL;
    if (ECL_SERIES_HAS_WORD(series, reactive)) {
        *pchannel = is_export ? "RE" : "RI";
        *punit = "kVArh";
        return;
    }
    if (is_export) {
        *pchannel = "AE";
    }
    if (ECL_SERIES_HAS_WORD(series, mega)) {
        *punit = "MWh";
    } else if (ECL_SERIES_HAS_WORD(series, kilo)) {
        *punit = "kWh";
    } else {
        *punit = ecl_unit_name(unit);
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

    return series->count == ecl_periods_of_hour(interval) && ECL_SERIES_HAS_WORD(series, words);
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
    int no_energy; /* the first column of values that are none; -1: there is none */
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
                                .count = ecl_periods_of_hour(b->interval),
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
    int count = ecl_periods_of_hour(b->interval), had = block->count;

    run = run && run->count == had + count ? run : NULL; /* their flags are in the values' run */

    for (int i = 0; i < b->count; i++) {
        if (!is_extra_hour(&b->series[i], b->interval)) {
            continue;
        }
        if (ecl_series_is_named_as_flags(&b->series[i])) {
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
    int first = form == ECL_SERIES_ENDS ? interval : 0, periods = ecl_periods_of_day(interval);

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
    int periods = ecl_periods_of_day(b->interval);

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
    block->has_repeated = block->count == periods + ecl_periods_of_hour(b->interval);
    b->layout->labels_are_ends = is_end;
}

static void add_block(builder_t *b, int which, int nth)
{
    ecl_series_t *series = &b->series[which];
    ecl_series_form_t form = ecl_series_form(series, &b->interval);
    ecl_value_block_t *block = &b->layout->blocks[b->layout->block_count];
    const ecl_series_t *flags = flags_of(b, nth);
    int periods = ecl_periods_of_day(b->interval),
        most = periods + ecl_periods_of_hour(b->interval);
    int beside = -1;
    int offset = flags ? 0 : flag_offset(b, series, periods, &beside);
    int as_periods = runs_on(series, form, b->interval);
    int had = series->count;

    if (beside >= 0) {
        note_passed_over(b, beside, series->count,
                         "they stand beside the values, and what they are is not said");
    }
    *block = (ecl_value_block_t){.first = b->layout->value_count};
    channel_and_unit(series, b->header->fields[series->columns[0]], &block->channel, &block->unit);
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
            series->count != ecl_periods_of_day(interval)) {
            continue;
        }
        periods = series->count;
        extra = ecl_periods_of_hour(interval);
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
                           const ecl_sample_t *sample, int from, int *pno_energy,
                           apr_pool_t *scratch, apr_pool_t *p)
{
    builder_t b = {.layout = layout,
                   .header = header,
                   .sample = sample,
                   .from = from,
                   .no_energy = -1,
                   .p = p};
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
        } else if (ecl_series_is_named_as_flags(&b.series[i]) ||
                   holds_words(&b.series[i], sample, from)) {
            b.uses[i] = ECL_SERIES_FLAGS;
        } else if (is_no_energy(&b.series[i], header->fields[b.series[i].columns[0]],
                                layout->given.unit != NULL)) {
            b.uses[i] = ECL_SERIES_UNUSED;
            b.no_energy = b.no_energy < 0 ? b.series[i].columns[0] : b.no_energy;
            note_passed_over(&b, b.series[i].columns[0], b.series[i].count,
                             "their names are of no energy");
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
    *pno_energy = b.no_energy;
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
