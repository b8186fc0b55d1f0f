/*
 * Finding tables that lie on their side (turn.h): a header of dates, and a row for each time of
 * day.
 */
#include "layout_internal.h"
#include "tables.h"
#include "turn.h"

#include <apr_tables.h>

#define HEADER_WITHIN 100 /* records */

/* ---- what a record of such a table is ----------------------------------------------------------
 */

static int is_date(ecl_field_t cell)
{
    ecl_datetime_t stamp;

    return ecl_layout_is_date(cell, &stamp) && (!stamp.has_time || !stamp.minute);
}

/* What may stand behind the dates and is no reading. */
static int is_sum(ecl_field_t cell)
{
    static const char *const words[] = {"average", "avg",     "mean",   "min",
                                        "max",     "minimum", "maximum"};
    char word[ECL_WORD_MAX];
    int rank, is_utc;

    if (ecl_header_role(cell.text, cell.length, &rank, &is_utc) == ECL_ROLE_TOTAL ||
        ecl_is_total(cell.text, cell.length)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (ecl_word_fold(cell.text, cell.length, word) && !strcmp(word, words[i])) {
            return 1;
        }
    }
    return 0;
}

int ecl_turn_dates(const ecl_record_t *record, int label_column, int *columns, int *pwidth)
{
    int count = 0, width = 0;

    if (is_date(ecl_sample_cell(record, label_column))) {
        return 0;
    }
    for (int c = label_column + 1; c < record->count; c++) {
        ecl_field_t cell = record->fields[c];

        if (!cell.length) {
            continue;
        }
        width = c + 1;
        if (!is_date(cell)) {
            if (!is_sum(cell)) {
                return 0;
            }
            continue;
        }
        if (count == ECL_TURN_DATES || cell.length >= ECL_TURN_CELL) {
            return 0;
        }
        if (columns) {
            columns[count] = c;
        }
        count++;
    }
    if (pwidth) {
        *pwidth = width;
    }
    return count;
}

int ecl_layout_count_dates(const ecl_record_t *record)
{
    int count = 0;

    for (int c = 1; c < record->count; c++) {
        count += is_date(record->fields[c]);
    }
    return count;
}

int ecl_turn_label(const ecl_turn_form_t *form, const ecl_record_t *record, int *plabel)
{
    ecl_field_t cell = ecl_sample_cell(record, form->label_column);
    char prefix[ECL_WORD_MAX], suffix[ECL_WORD_MAX];
    int number, minute;

    if (!ecl_label_parse(cell.text, cell.length, prefix, suffix, &number, &minute) ||
        strcmp(prefix, form->prefix) != 0 || strcmp(suffix, form->suffix) != 0) {
        return 0;
    }
    *plabel = form->is_numbered ? number : minute;
    return *plabel >= 0 && *plabel < (int)(sizeof(form->slots) / sizeof(form->slots[0]));
}

/* ---- the form ----------------------------------------------------------------------------------
 */

/* The labels of the first table, in the order in which they stand. */
typedef struct labels_t {
    ecl_series_t series;
    ecl_field_t texts[ECL_SERIES_COLUMNS];
    int repeats, first_repeat; /* how many come twice; the least minute of these */
} labels_t;

static int find_label(const ecl_series_t *series, int number, int minute)
{
    for (int i = 0; i < series->count; i++) {
        if (series->numbers[i] == number && series->minutes[i] == minute) {
            return i;
        }
    }
    return -1;
}

static void collect(labels_t *labels, const ecl_sample_t *sample, int from, int column,
                    int meter_column)
{
    ecl_field_t meter = ecl_sample_cell(&sample->records[from], meter_column);
    ecl_series_t *series = &labels->series;

    series->count = labels->repeats = 0;
    labels->first_repeat = 1440;
    for (int i = from; i < sample->count && series->count < ECL_SERIES_COLUMNS; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], column);
        ecl_field_t other = ecl_sample_cell(&sample->records[i], meter_column);
        char prefix[ECL_WORD_MAX], suffix[ECL_WORD_MAX];
        int number, minute;

        if (!ecl_label_parse(cell.text, cell.length, prefix, suffix, &number, &minute) ||
            (series->count && (strcmp(prefix, series->prefix) || strcmp(suffix, series->suffix))) ||
            other.length != meter.length || memcmp(other.text, meter.text, meter.length)) {
            break;
        }
        if (find_label(series, number, minute) >= 0) {
            labels->repeats++;
            labels->first_repeat = minute < labels->first_repeat ? minute : labels->first_repeat;
            continue;
        }
        memcpy(series->prefix, prefix, sizeof(prefix));
        memcpy(series->suffix, suffix, sizeof(suffix));
        labels->texts[series->count] = cell;
        series->columns[series->count] = (short)series->count;
        series->numbers[series->count] = (short)number;
        series->minutes[series->count++] = (short)minute;
    }
}

static void swap(labels_t *labels, int a, int b)
{
    ecl_series_t *series = &labels->series;
    short number = series->numbers[a], minute = series->minutes[a];
    ecl_field_t text = labels->texts[a];

    series->numbers[a] = series->numbers[b];
    series->minutes[a] = series->minutes[b];
    labels->texts[a] = labels->texts[b];
    series->numbers[b] = number;
    series->minutes[b] = minute;
    labels->texts[b] = text;
}

/* The rows may run backward, or stand in any order; then 00:00 is where a day begins. */
static ecl_series_form_t form_of(labels_t *labels, int *pinterval)
{
    ecl_series_t *series = &labels->series;
    ecl_series_form_t form = ecl_series_form(series, pinterval);

    if (form == ECL_SERIES_NONE) {
        for (int i = 0; i < series->count / 2; i++) {
            swap(labels, i, series->count - 1 - i);
        }
        form = ecl_series_form(series, pinterval);
    }
    for (int i = 1; i < series->count && form == ECL_SERIES_NONE; i++) {
        for (int k = i; k > 0 && series->minutes[k] < series->minutes[k - 1]; k--) {
            swap(labels, k, k - 1);
        }
    }
    return form == ECL_SERIES_NONE ? ecl_series_form(series, pinterval) : form;
}

static void name_columns(ecl_turn_form_t *form, const labels_t *labels, apr_pool_t *p)
{
    apr_array_header_t *names = apr_array_make(p, ECL_TURN_LABELS + 2, sizeof(const char *));

    if (form->has_meter) {
        APR_ARRAY_PUSH(names, const char *) = "Meter";
    }
    APR_ARRAY_PUSH(names, const char *) = "Date";
    for (int i = 0; i < form->labels; i++) {
        APR_ARRAY_PUSH(names, const char *) =
            apr_pstrmemdup(p, labels->texts[i].text, labels->texts[i].length);
    }
    for (int i = 0; i < form->extra; i++) {
        APR_ARRAY_PUSH(names, const char *) =
            apr_psprintf(p, "Clock change 01:%02d", i * form->interval);
    }
    form->names = (const char *const *)names->elts;
    form->columns = names->nelts;
}

/* 1: the labels are those of a day. */
static int take_labels(ecl_turn_form_t *form, labels_t *labels)
{
    ecl_series_form_t kind = form_of(labels, &form->interval);

    if (kind == ECL_SERIES_NONE) {
        return 0;
    }
    form->is_numbered = kind == ECL_SERIES_NUMBERED || labels->series.numbers[1] == 1;
    form->are_ends = kind == ECL_SERIES_ENDS;
    form->labels = labels->series.count;
    form->extra = labels->repeats ? 60 / form->interval : 0;
    form->as_clock = form->are_ends && labels->first_repeat == 60;
    memcpy(form->prefix, labels->series.prefix, sizeof(form->prefix));
    memcpy(form->suffix, labels->series.suffix, sizeof(form->suffix));
    for (size_t i = 0; i < sizeof(form->slots) / sizeof(form->slots[0]); i++) {
        form->slots[i] = -1;
    }
    for (int i = 0; i < form->labels; i++) {
        form->slots[form->is_numbered ? labels->series.numbers[i] : labels->series.minutes[i]] =
            (short)i;
    }
    return labels->repeats == 0 || (labels->repeats == form->extra && !form->is_numbered &&
                                    form->labels + form->extra <= ECL_TURN_LABELS);
}

static void take_first_meter(ecl_turn_form_t *form, const ecl_sample_t *sample, int header)
{
    ecl_field_t corner = ecl_sample_cell(&sample->records[header], form->label_column);
    ecl_said_t said = {.is_closed = 0};
    ecl_meter_kind_t kind;
    const char *named;

    for (int i = 0; i < header; i++) {
        ecl_said_line(&said, &sample->records[i]);
    }
    form->channel = said.channel;
    form->unit = said.unit;
    if (ecl_meter_parse(corner.text, corner.length, form->first_meter, &kind) == ECL_METER_OK &&
        kind != ECL_METER_OTHER) {
        form->has_meter = 1;
        return;
    }
    named = ecl_said_meter(&said, &form->meter_above);
    form->has_meter |= named != NULL;
    apr_cpystrn(form->first_meter, named ? named : "", sizeof(form->first_meter));
}

/* Record `at` is the header of a table: its form. NULL: it is none. */
static ecl_turn_form_t *find_form(const ecl_sample_t *sample, int at, apr_pool_t *scratch,
                                  apr_pool_t *p)
{
    labels_t *labels = apr_palloc(scratch, sizeof(*labels));
    ecl_turn_form_t *form = apr_pcalloc(p, sizeof(*form));

    for (int column = 0; column < 2; column++) {
        if (!ecl_turn_dates(&sample->records[at], column, NULL, NULL)) {
            continue;
        }
        form->label_column = column;
        form->meter_column = column - 1;
        form->has_meter = column > 0;
        collect(labels, sample, at + 1, column, column - 1);
        if (take_labels(form, labels)) {
            take_first_meter(form, sample, at);
            form->header_record = sample->records[at].sheet_record;
            name_columns(form, labels, p);
            return form;
        }
    }
    return NULL;
}

/* ---- the sample, turned -------------------------------------------------------------------------
 */

static void keep_days(apr_array_header_t *kept, ecl_turn_t *turn, apr_pool_t *p)
{
    ecl_record_t day;

    while (ecl_turn_take(turn, &day)) {
        ecl_sample_keep(&APR_ARRAY_PUSH(kept, ecl_record_t), &day, p);
    }
}

static ecl_record_t header_of(const ecl_turn_form_t *form, const ecl_record_t *record,
                              apr_pool_t *p)
{
    ecl_record_t header = *record;

    header.count = form->columns;
    header.fields = apr_palloc(p, (apr_size_t)form->columns * sizeof(ecl_field_t));
    for (int i = 0; i < form->columns; i++) {
        header.fields[i] = (ecl_field_t){form->names[i], strlen(form->names[i])};
    }
    return header;
}

static void turn_sample(ecl_attempt_t *attempt, const ecl_turn_form_t *form, int at, apr_pool_t *p)
{
    ecl_sample_t *sample = &attempt->sample;
    apr_array_header_t *kept = apr_array_make(p, sample->count, sizeof(ecl_record_t));
    ecl_turn_t *turn = ecl_turn_make(p);

    ecl_turn_enter(turn, form);
    for (int i = 0; i < sample->count; i++) {
        ecl_record_t record = sample->records[i];

        if (i < at) {
            APR_ARRAY_PUSH(kept, ecl_record_t) = record;
            continue;
        }
        if (i == at) {
            APR_ARRAY_PUSH(kept, ecl_record_t) = header_of(form, &record, p);
        }
        while (ecl_turn_put(turn, &record) == ECL_TURN_FIRST) {
            keep_days(kept, turn, p);
        }
    }
    ecl_turn_end(turn);
    keep_days(kept, turn, p);
    sample->records = (ecl_record_t *)kept->elts;
    sample->count = kept->nelts;
}

int ecl_layout_find_turned(ecl_attempt_t *attempt, apr_pool_t *p)
{
    const ecl_sample_t *sample = &attempt->sample;

    for (int i = 0; i + 1 < sample->count && i < HEADER_WITHIN; i++) {
        ecl_turn_form_t *form = find_form(sample, i, p, p);
        int is_wide;

        if (form) {
            turn_sample(attempt, form, i, p);
            attempt->turned = form;
            attempt->header = i;
            attempt->first = i + 1;
            attempt->score =
                ecl_layout_score_header(&attempt->sample.records[i], &attempt->found, &is_wide);
            return 1;
        }
    }
    return 0;
}
