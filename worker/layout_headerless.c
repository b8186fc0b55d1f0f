/*
 * A file without a header: a row says by its cells what its columns are. An identifier, a date, and
 * after it the half-hours of the day, perhaps each with a flag; between and before them a unit, a
 * channel, a total that is the sum of the others, and what is no use to us.
 */
#include "layout_internal.h"
#include "meter_day.h"

#define HALF_HOURS 48
#define DATE_WITHIN 10  /* columns */
#define BEFORE_VALUES 5 /* columns between the date and the values */

/* Where the values of a row stand. */
typedef struct run_t {
    int first, count, stride;
    int total; /* column of their sum; -1: none */
} run_t;

static int take_number(ecl_field_t cell, ecl_decimal_t *pvalue)
{
    ecl_decimal_status_t status = ecl_decimal_parse(cell.text, cell.length, '.', pvalue);

    if (status == ECL_DECIMAL_BAD) {
        status = ecl_decimal_parse(cell.text, cell.length, ',', pvalue);
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

/* 1 when the value at `total` is the sum of those from `first` on. */
static int is_sum(const ecl_record_t *record, int total, int first, int stride)
{
    ecl_decimal_t sum = 0, value, expected;

    for (int i = 0; i < HALF_HOURS; i++) {
        if (!take_number(ecl_sample_cell(record, first + stride * i), &value)) {
            return 0;
        }
        if (value != ECL_DECIMAL_MISSING && !ecl_decimal_add(sum, value, &sum)) {
            return 0;
        }
    }
    return take_number(ecl_sample_cell(record, total), &expected) && expected == sum && sum;
}

/* 46, 48 or 50 values, or 48 and their sum before or after them. */
static int take_run(const ecl_record_t *record, int first, run_t *run)
{
    for (int stride = 1; stride <= 2; stride++) {
        int count = count_values(record, first, stride);

        *run = (run_t){.first = first, .count = count, .stride = stride, .total = -1};
        if (count == HALF_HOURS + 1 && is_sum(record, first, first + stride, stride)) {
            run->total = first;
            run->first += stride;
            run->count--;
        } else if (count == HALF_HOURS + 1 &&
                   is_sum(record, first + stride * HALF_HOURS, first, stride)) {
            run->total = first + stride * HALF_HOURS;
            run->count--;
        }
        if (run->count == 46 || run->count == HALF_HOURS || run->count == 50) {
            return 1;
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

static int find_run(const ecl_record_t *record, int date, run_t *run)
{
    for (int first = date + 1; first <= date + 1 + BEFORE_VALUES; first++) {
        if (take_run(record, first, run)) {
            return 1;
        }
        if (is_number(ecl_sample_cell(record, first))) {
            return 0;
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

static int find_meter(const ecl_record_t *record, int date, const run_t *run)
{
    int best = -1, best_rank = 0;

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
        if (unit != ECL_UNIT_NONE && unit != ECL_UNIT_OTHER && layout->unit_column < 0) {
            layout->unit_column = c;
        } else if (cell.length == 2 && channel && layout->channel_column < 0) {
            layout->channel_column = c;
        }
    }
}

static void take_values(ecl_layout_t *layout, const ecl_record_t *record, const run_t *run)
{
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
        .needed = layout->values[run->count < HALF_HOURS ? run->count - 1 : HALF_HOURS - 1].column,
        .has_repeated = run->count == 50,
    };
}

int ecl_layout_take_headerless(ecl_layout_t *layout, const ecl_sample_t *sample, int at,
                               apr_pool_t *p)
{
    const ecl_record_t *record = &sample->records[at];
    const char **names;
    int date, meter;
    run_t run;

    date = find_date(record, &run);
    meter = date < 0 ? -1 : find_meter(record, date, &run);
    if (meter < 0) {
        return 0;
    }
    layout->kind = ECL_LAYOUT_WIDE;
    layout->columns = record->count;
    names = apr_palloc(p, (apr_size_t)record->count * sizeof(*names));
    for (int c = 0; c < record->count; c++) {
        names[c] = "";
    }
    layout->names = names;
    layout->meter_column = meter;
    layout->date_column = date;
    layout->total_column = run.total;
    take_marks(layout, record, &run);
    take_values(layout, record, &run);
    return 1;
}
