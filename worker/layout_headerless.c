/*
 * A file without a header: a row says by its cells what its columns are.
 *
 *   a day      an identifier, a date, and after it the periods of the day, perhaps each with a
 * flag; between and before them a unit, a channel, a total that is the sum of the others, and what
 * is no use to us a reading  perhaps an identifier, then a date and a time or a settlement period,
 * and one number, with a unit or flag
 */
#include "layout_internal.h"
#include "marked.h"
#include "meter_day.h"

#define DATE_WITHIN 10  /* columns */
#define BEFORE_VALUES 5 /* columns between the date and the values */
#define ROWS_ALIKE 5
#define LONGEST_DAY 50

/* Where the values of a row stand. */
typedef struct run_t {
    int first, count, stride;
    int interval;
    int total; /* column of their sum; -1: none */
} run_t;

static int take_number(ecl_field_t cell, ecl_decimal_t *pvalue)
{
    ecl_decimal_status_t status = ecl_marked_parse(cell, '.', pvalue);

    if (status == ECL_DECIMAL_BAD) {
        status = ecl_marked_parse(cell, ',', pvalue);
    }
    return status == ECL_DECIMAL_OK || status == ECL_DECIMAL_ROUNDED ||
           status == ECL_DECIMAL_IS_MISSING;
}

/* How many values stand in every stride-th cell from `first` to the end of the record; 0: something
 * else stands among them. */
static int count_values(const ecl_record_t *record, int first, int stride)
{
    int numbers = 0, count = 0;

    for (int c = first; c < record->count; c += stride, count++) {
        ecl_field_t flag = ecl_sample_cell(record, c + 1);
        ecl_decimal_t value;

        if (!take_number(record->fields[c], &value) ||
            (stride == 2 && ecl_flag_of(flag.text, flag.length) == ECL_FLAG_OTHER)) {
            return 0;
        }
        numbers += value != ECL_DECIMAL_MISSING;
    }
    return numbers ? count : 0;
}

static int are_blank(const ecl_record_t *record, int from)
{
    for (int c = from; c < record->count; c++) {
        if (record->fields[c].length) {
            return 0;
        }
    }
    return 1;
}

/* 1 when the value at `total` is the sum of those from `first` on. */
static int is_sum(const ecl_record_t *record, int total, int first, int stride, int periods)
{
    ecl_decimal_t sum = 0, value, expected;

    for (int i = 0; i < periods; i++) {
        if (!take_number(ecl_sample_cell(record, first + stride * i), &value)) {
            return 0;
        }
        if (value != ECL_DECIMAL_MISSING && !ecl_decimal_add(sum, value, &sum)) {
            return 0;
        }
    }
    return take_number(ecl_sample_cell(record, total), &expected) && expected == sum && sum;
}

/* As many values as a day has periods, or these and their sum before or after them. */
static int take_run_of(const ecl_record_t *record, int first, int stride, int interval, run_t *run)
{
    int count = count_values(record, first, stride), periods = 1440 / interval;

    /* cells that only longer rows of a sheet have */
    if (interval == 30 && stride == 1 && count > LONGEST_DAY &&
        are_blank(record, first + LONGEST_DAY)) {
        count = LONGEST_DAY;
    }
    *run = (run_t){
        .first = first, .count = count, .stride = stride, .interval = interval, .total = -1};
    if (count == periods + 1 && is_sum(record, first, first + stride, stride, periods)) {
        run->total = first;
        run->first += stride;
        run->count--;
    } else if (count == periods + 1 &&
               is_sum(record, first + stride * periods, first, stride, periods)) {
        run->total = first + stride * periods;
        run->count--;
    }
    return run->count == periods || (interval == 30 && (run->count == 46 || run->count == 50));
}

/* Half-hours are looked for first: 96 cells may be 48 values, each with a blank flag. */
static int take_run(const ecl_record_t *record, int first, run_t *run)
{
    static const int intervals[] = {30, 60, 15};

    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        for (int stride = 1; stride <= 2; stride++) {
            if (take_run_of(record, first, stride, intervals[i], run)) {
                return 1;
            }
        }
    }
    return 0;
}

/* A number just before the values could be the first of them, or they could be one too many: which
 * is which can't be told. */
static int is_number(ecl_field_t cell)
{
    ecl_decimal_t value;

    return take_number(cell, &value) && value != ECL_DECIMAL_MISSING;
}

/* The sum of the values may stand before them with words in between. */
static int find_run(const ecl_record_t *record, int date, run_t *run)
{
    int sum = -1;

    for (int first = date + 1; first <= date + 1 + BEFORE_VALUES; first++) {
        ecl_field_t next = ecl_sample_cell(record, first + 1);

        if (take_run(record, first, run)) {
            if (sum >= 0 && run->total < 0) {
                run->total = sum;
                return is_sum(record, sum, run->first, run->stride, run->count);
            }
            return sum < 0;
        }
        if (is_number(ecl_sample_cell(record, first))) {
            if (sum >= 0 || !next.length || is_number(next)) {
                return 0;
            }
            sum = first;
        }
    }
    return 0;
}

static int is_date(ecl_field_t cell)
{
    ecl_datetime_t stamp;

    return ecl_layout_is_date(cell, &stamp) && (!stamp.has_time || !stamp.minute);
}

/* In the first column only where there is no other: identifiers of eight digits look like dates. */
static int find_date(const ecl_record_t *record, run_t *run)
{
    for (int c = 1; c <= DATE_WITHIN; c++) {
        int column = c % DATE_WITHIN;

        if (column < record->count && is_date(record->fields[column]) &&
            find_run(record, column, run)) {
            return column;
        }
    }
    return -1;
}

static int is_among_values(const run_t *run, int column)
{
    return column == run->total || column >= run->first;
}

/* The best identifier among the cells outside the values; -1: none. Twenty-four numbers may be
 * anything: only a real MPAN or MPRN beside them makes them hours. */
static int find_meter(const ecl_record_t *record, int date, const run_t *run)
{
    int best = -1, best_rank = run->interval == 60 ? 1 : 0;

    for (int c = 0; c < record->count && !is_among_values(run, c); c++) {
        ecl_field_t cell = record->fields[c];
        char identifier[ECL_METER_MAX];
        ecl_meter_kind_t kind;
        int rank = 0;

        if (c == date || !cell.length) {
            continue;
        }
        if (ecl_meter_parse(cell.text, cell.length, identifier, &kind) == ECL_METER_OK) {
            rank = kind == ECL_METER_MPAN ? 3 : kind == ECL_METER_MPRN ? 2 : 0;
        }
        rank = rank ? rank : c == 0;
        if (rank > best_rank) {
            best = c;
            best_rank = rank;
        }
    }
    return best;
}

/* A unit, and the name of a channel as data collectors have it. */
static void take_marks(ecl_layout_t *layout, const ecl_record_t *record, const run_t *run)
{
    for (int c = 0; c < record->count && !is_among_values(run, c); c++) {
        ecl_field_t cell = record->fields[c];
        ecl_unit_t unit = ecl_unit_of(cell.text, cell.length);
        const char *channel = ecl_channel_of(cell.text, cell.length);

        if (c == layout->meter_column || c == layout->date_column) {
            continue;
        }
        if (ecl_unit_is_known(unit) && layout->unit_column < 0) {
            layout->unit_column = c;
        } else if (cell.length == 2 && channel && layout->channel_column < 0) {
            layout->channel_column = c;
        }
    }
}

static void take_values(ecl_layout_t *layout, const ecl_record_t *record, const run_t *run)
{
    int periods = 1440 / run->interval;

    for (int i = 0; i < run->count; i++) {
        int column = run->first + run->stride * i;

        layout->values[i] = (ecl_value_column_t){
            .column = column,
            .flag_column = run->stride == 2 && column + 1 < record->count ? column + 1 : -1,
            .period = i + 1};
    }
    layout->value_count = run->count;
    layout->block_count = 1;
    layout->blocks[0] = (ecl_value_block_t){
        .count = run->count,
        .needed = layout->values[run->count < periods ? run->count - 1 : periods - 1].column,
        .has_repeated = run->count > periods,
    };
    layout->interval_minutes = run->interval;
}

static void take_no_names(ecl_layout_t *layout, const ecl_record_t *record, apr_pool_t *p)
{
    const char **names = apr_palloc(p, (apr_size_t)record->count * sizeof(*names));

    for (int c = 0; c < record->count; c++) {
        names[c] = "";
    }
    layout->names = names;
    layout->columns = record->count;
}

/* A name above a column of values is a header, though one that says nothing to us. */
static int has_name_above(const ecl_sample_t *sample, int at, int column)
{
    return at > 0 && ecl_sample_cell(&sample->records[at - 1], column).length > 0;
}

/* Ninety-six numbers may be half-hours of kWh, and then of kVArh. Not if all of them have one sum,
 * in some row whose second half is not nothing; nor if the row says which channel it is of. */
static int are_quarters(const ecl_sample_t *sample, int at, int date, const run_t *run)
{
    const ecl_record_t *record = &sample->records[at];
    int half = run->count / 2;

    for (int c = 0; c < record->count && !is_among_values(run, c); c++) {
        ecl_field_t cell = record->fields[c];
        const char *channel = ecl_channel_of(cell.text, cell.length);

        if (c != date && cell.length == 2 && channel && channel[0]) {
            return 1;
        }
    }
    for (int i = at; i < sample->count && run->total >= 0; i++) {
        const ecl_record_t *row = &sample->records[i];
        ecl_decimal_t value;
        int filled = 0;

        for (int n = half; n < run->count; n++) {
            filled = filled ||
                     (take_number(ecl_sample_cell(row, run->first + run->stride * n), &value) &&
                      value != ECL_DECIMAL_MISSING && value != 0);
        }
        if (filled && is_sum(row, run->total, run->first, run->stride, run->count)) {
            return 1;
        }
    }
    return 0;
}

int ecl_layout_is_either_day(const ecl_sample_t *sample, int at)
{
    run_t run;
    int date = find_date(&sample->records[at], &run);

    return date >= 0 && run.interval == 15 && !has_name_above(sample, at, run.first) &&
           !are_quarters(sample, at, date, &run);
}

static int take_day(ecl_layout_t *layout, const ecl_sample_t *sample, int at, apr_pool_t *p)
{
    const ecl_record_t *record = &sample->records[at];
    int date, meter;
    run_t run;

    date = find_date(record, &run);
    if (date < 0 || (run.interval != 30 && has_name_above(sample, at, run.first))) {
        return 0;
    }
    if (run.interval == 15 && !are_quarters(sample, at, date, &run)) {
        return 0;
    }
    meter = find_meter(record, date, &run);
    /* a day that begins with its date names no meter: it is asked for */
    if (meter < 0 && (date > 0 || run.interval == 60)) {
        return 0;
    }
    layout->kind = ECL_LAYOUT_WIDE;
    take_no_names(layout, record, p);
    layout->meter_column = meter;
    layout->date_column = date;
    layout->total_column = run.total;
    take_marks(layout, record, &run);
    take_values(layout, record, &run);
    return 1;
}

/* ---- a row per reading -------------------------------------------------------------------------
 */

/* Where the cells of a reading stand; -1: nowhere. */
typedef struct reading_t {
    int meter, date, time, period, value, unit, flag;
    int nth; /* settlement period */
} reading_t;

/* With something between its parts: eight digits may be an identifier or a value. */
static int is_written_date(ecl_field_t cell, int *phas_time)
{
    ecl_datetime_t stamp;

    if (strspn(cell.text, "0123456789") == cell.length || !ecl_layout_is_date(cell, &stamp)) {
        return 0;
    }
    *phas_time = stamp.has_time;
    return 1;
}

static int is_time(ecl_field_t cell)
{
    ecl_datetime_t time;

    return memchr(cell.text, ':', cell.length) &&
           ecl_datetime_parse(cell.text, cell.length, ECL_ORDER_DMY, &time) == ECL_DATETIME_OK &&
           time.has_time && !time.has_date;
}

/* The number of a settlement period before the value; 0: it is none, or is the value. */
static int period_of(const ecl_record_t *record, int column)
{
    ecl_field_t cell = ecl_sample_cell(record, column);
    ecl_decimal_t number;

    return cell.length && cell.length <= 2 && strspn(cell.text, "0123456789") == cell.length &&
                   take_number(cell, &number) && number <= LONGEST_DAY * ECL_DECIMAL_ONE &&
                   is_number(ecl_sample_cell(record, column + 1))
               ? (int)(number / ECL_DECIMAL_ONE)
               : 0;
}

/* What follows the date, and the time: one number, and what is said about it. */
static int take_reading_cell(reading_t *reading, ecl_field_t cell, int column)
{
    ecl_unit_t unit = ecl_unit_of(cell.text, cell.length);
    ecl_decimal_t value;

    if (!cell.length) {
        return 1;
    }
    if (reading->value < 0 && take_number(cell, &value)) {
        reading->value = column;
        return value != ECL_DECIMAL_MISSING;
    }
    if (reading->unit < 0 && ecl_unit_is_known(unit)) {
        reading->unit = column;
        return 1;
    }
    if (reading->flag < 0 && !take_number(cell, &value) &&
        ecl_flag_of(cell.text, cell.length) != ECL_FLAG_OTHER) {
        reading->flag = column;
        return 1;
    }
    return 0;
}

static int is_reading(const ecl_record_t *record, reading_t *reading)
{
    int at, has_time = 0;

    *reading = (reading_t){-1, -1, -1, -1, -1, -1, -1, 0};
    for (at = 0; at < 2 && at < record->count && reading->date < 0; at++) {
        if (is_written_date(record->fields[at], &has_time)) {
            reading->date = at;
        } else if (!record->fields[at].length) {
            return 0;
        }
    }
    if (reading->date < 0) {
        return 0;
    }
    reading->meter = reading->date - 1;
    if (!has_time && at < record->count && is_time(record->fields[at])) {
        reading->time = at++;
    } else if (!has_time && (reading->nth = period_of(record, at))) {
        reading->period = at++;
    }
    for (; at < record->count; at++) {
        if (!take_reading_cell(reading, record->fields[at], at)) {
            return 0;
        }
    }
    return reading->value >= 0;
}

static int is_same_cell(const ecl_record_t *a, const ecl_record_t *b, int column)
{
    ecl_field_t left = ecl_sample_cell(a, column), right = ecl_sample_cell(b, column);

    return left.length == right.length && !memcmp(left.text, right.text, left.length);
}

/* Numbers are settlement periods where they count through each day from 1, and past the hours. */
static int are_periods(const ecl_sample_t *sample, int at, const reading_t *first)
{
    const ecl_record_t *record = &sample->records[at];
    int nth = first->nth, last = nth;

    for (int i = at + 1; i < sample->count; i++) {
        const ecl_record_t *next = &sample->records[i];
        reading_t reading;
        int is_same_day = (first->meter < 0 || is_same_cell(record, next, first->meter)) &&
                          is_same_cell(record, next, first->date);

        if (next->status != ECL_RECORD_OK || !is_reading(next, &reading)) {
            continue;
        }
        if (reading.period != first->period || reading.nth != (is_same_day ? nth + 1 : 1)) {
            return 0;
        }
        record = next;
        nth = reading.nth;
        last = nth > last ? nth : last;
    }
    return last > 24;
}

/* The rows after it must be alike, or it is some line that looks so. */
static int take_reading(ecl_layout_t *layout, const ecl_sample_t *sample, int at, apr_pool_t *p)
{
    const ecl_record_t *record = &sample->records[at];
    reading_t reading, other;

    if (!is_reading(record, &reading) || has_name_above(sample, at, reading.value)) {
        return 0;
    }
    for (int i = at + 1; i < sample->count && i <= at + ROWS_ALIKE; i++) {
        const ecl_record_t *next = &sample->records[i];
        ecl_field_t value = ecl_sample_cell(next, reading.value);
        ecl_decimal_t number;

        if (next->status == ECL_RECORD_OK && !is_reading(next, &other) &&
            !(take_number(value, &number) && number == ECL_DECIMAL_MISSING)) {
            return 0;
        }
    }
    if (reading.period >= 0 && !are_periods(sample, at, &reading)) {
        return 0;
    }
    layout->kind = ECL_LAYOUT_LONG;
    take_no_names(layout, record, p);
    layout->meter_column = reading.meter;
    layout->date_column = reading.date;
    layout->time_column = reading.time;
    layout->period_column = reading.period;
    layout->value_column = reading.value;
    layout->unit_column = reading.unit;
    layout->flag_column = reading.flag;
    return 1;
}

int ecl_layout_take_headerless(ecl_layout_t *layout, const ecl_sample_t *sample, int at,
                               apr_pool_t *p)
{
    return take_day(layout, sample, at, p) || take_reading(layout, sample, at, p);
}
