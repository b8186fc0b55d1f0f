#include "preview.h"

#include <stdlib.h>

#include "layout_internal.h" /* ecl_layout_add_note */
#include "reader_internal.h" /* ecl_register_t */

#define ROWS 2000
#define ROWS_LONG 8000
#define SERIES_MAX 64 /* looked at for reads of a register */

typedef struct shown_day_t {
    ecl_date_t date;
    int periods;
    ecl_decimal_t *values;
} shown_day_t;

typedef struct series_t {
    char meter[ECL_METER_MAX];
    char channel[8], unit[8];
    int interval_minutes;
    shown_day_t days[ECL_PREVIEW_DAYS_DAILY];
    int day_count, day_max; /* day_max 0: not shown */
} series_t;

typedef struct reading_t {
    const series_t *series;
    apr_int64_t at; /* seconds since 1970 */
    ecl_date_t date;
    int period;
    ecl_decimal_t value;
    char flag;
    apr_int64_t line;
} reading_t;

typedef struct look_t {
    apr_pool_t *p;
    series_t *series[SERIES_MAX];
    int series_count;
    reading_t *readings;
    int reading_count, reading_max;
    int rows,
        off_grid; /* rows looked at; of them: at other times than readings of that length have */
    const char *off_grid_row; /* the first of these, for people */
} look_t;

/* ---- gathering ------------------------------------------------------------------------------- */

static int day_max(const ecl_meter_day_t *day)
{
    int most = day->interval_minutes >= 1440 ? ECL_PREVIEW_DAYS_DAILY : ECL_PREVIEW_DAYS;
    int fit = ECL_PREVIEW_VALUES / day->periods;

    return fit < 1 ? 1 : fit < most ? fit : most;
}

/* NULL: there are too many, or it goes along with what it was converted to. */
static series_t *series_of(look_t *look, const ecl_meter_day_t *day)
{
    series_t *series;

    if (!strcmp(day->channel, ECL_CHANNEL_VOLUME)) {
        return NULL;
    }
    for (int i = 0; i < look->series_count; i++) {
        series = look->series[i];
        if (!strcmp(series->meter, day->meter) && !strcmp(series->channel, day->channel)) {
            return series;
        }
    }
    if (look->series_count == SERIES_MAX) {
        return NULL;
    }
    series = apr_pcalloc(look->p, sizeof *series);
    apr_cpystrn(series->meter, day->meter, sizeof series->meter);
    apr_cpystrn(series->channel, day->channel, sizeof series->channel);
    apr_cpystrn(series->unit, day->unit, sizeof series->unit);
    series->interval_minutes = day->interval_minutes;
    series->day_max = look->series_count < ECL_PREVIEW_SERIES ? day_max(day) : 0;
    look->series[look->series_count++] = series;
    return series;
}

/* NULL: not to be shown. */
static shown_day_t *shown_day_of(look_t *look, series_t *series, const ecl_meter_day_t *day)
{
    shown_day_t *shown;

    for (int i = 0; i < series->day_count; i++) {
        if (series->days[i].date == day->date) {
            return &series->days[i];
        }
    }
    if (series->day_count == series->day_max) {
        return NULL;
    }
    shown = &series->days[series->day_count++];
    shown->date = day->date;
    shown->periods = day->periods;
    shown->values = apr_palloc(look->p, (apr_size_t)day->periods * sizeof(ecl_decimal_t));
    for (int i = 0; i < day->periods; i++) {
        shown->values[i] = ECL_DECIMAL_MISSING;
    }
    return shown;
}

static apr_status_t take_day(void *baton, const ecl_meter_day_t *day)
{
    look_t *look = baton;
    series_t *series = series_of(look, day);
    shown_day_t *shown = series ? shown_day_of(look, series, day) : NULL;

    for (int i = 0; series && i < day->periods; i++) {
        if (day->values[i] == ECL_DECIMAL_MISSING) {
            continue;
        }
        if (shown) {
            shown->values[i] = day->values[i];
        }
        if (look->reading_count < look->reading_max) {
            look->readings[look->reading_count++] = (reading_t){
                series,         day->day_start + (apr_int64_t)i * day->interval_minutes * 60,
                day->date,      i + 1,
                day->values[i], day->flags[i],
                day->line};
        }
    }
    return APR_SUCCESS;
}

static apr_status_t take_error(void *baton, const ecl_row_error_t *error)
{
    look_t *look = baton;

    if (!strcmp(error->code, "off-grid") && !look->off_grid++) {
        look->off_grid_row =
            apr_psprintf(look->p, "line %" APR_INT64_T_FMT ": %s", error->line, error->message);
    }
    return APR_SUCCESS;
}

static int has_enough(const look_t *look)
{
    for (int i = 0; i < ECL_PREVIEW_SERIES; i++) {
        if (i >= look->series_count || look->series[i]->day_count < look->series[i]->day_max) {
            return 0;
        }
    }
    return 1;
}

static apr_status_t gather(look_t *look, ecl_reader_t *reader, int rows, ecl_result_t *result)
{
    const ecl_reader_sink_t sink = {look, take_day, take_error, ecl_reader_ignore_warning};
    ecl_row_t row;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < rows && !has_enough(look); i++) {
        rv = ecl_reader_next(reader, &sink, &row, result);
        look->rows++;
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_reader_flush(reader, &sink);
    }
    return APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv;
}

static int by_series_and_time(const void *a, const void *b)
{
    const reading_t *left = a, *right = b;
    int order = strcmp(left->series->meter, right->series->meter);

    order = order ? order : strcmp(left->series->channel, right->series->channel);
    order = order ? order : left->at < right->at ? -1 : left->at > right->at;
    return order ? order : left->line < right->line ? -1 : left->line > right->line;
}

/* ---- rows that are not told apart ------------------------------------------------------------ */

/* Times that have several values. A corrected day, or one that was exported twice, is no more than
 * one of many; an estimate and the actual reading after it differ in their flags. */
typedef struct repeats_t {
    int times, twice, more; /* all; with different values; with three of them or more */
    int days;               /* in which some time has different values */
    const reading_t *first, *other;
} repeats_t;

#define TWICE_ENOUGH 24
#define DAYS_ENOUGH 3 /* of rows that are days; of totals there are more: */
#define TOTALS_ENOUGH 5
#define MORE_ENOUGH 12 /* totals of a day with three values or more: no corrections */

/* An estimate, and what came in its place. "Forecast", or another word that is not known, may be
 * anything. */
static int are_told_apart(char a, char b)
{
    return a != b && a != ECL_FLAG_OTHER && b != ECL_FLAG_OTHER;
}

/* The readings of one time. */
static void count_repeats(repeats_t *repeats, const reading_t *readings, int count)
{
    int changes = 0;

    for (int i = 1; i < count; i++) {
        changes += readings[i].value != readings[i - 1].value &&
                   !are_told_apart(readings[i].flag, readings[i - 1].flag);
        if (changes && !repeats->other) {
            repeats->first = &readings[i - 1];
            repeats->other = &readings[i];
        }
    }
    repeats->times++;
    repeats->twice += changes > 0;
    repeats->more += changes > 1;
    repeats->days += changes > 0 && readings[0].period == 1;
}

static int are_many(const repeats_t *repeats, ecl_layout_kind_t kind)
{
    if (kind == ECL_LAYOUT_DAILY && repeats->more >= MORE_ENOUGH) {
        return 1; /* as of a workbook's sheet of days, and another of hours */
    }
    if (repeats->twice * 2 <= repeats->times) {
        return 0;
    }
    switch (kind) {
    case ECL_LAYOUT_WIDE:
        return repeats->days >= DAYS_ENOUGH;
    case ECL_LAYOUT_DAILY:
        return repeats->twice >= TOTALS_ENOUGH || repeats->more > 1;
    case ECL_LAYOUT_LONG:
        break;
    }
    return repeats->twice >= TWICE_ENOUGH || (repeats->more > 1 && repeats->more == repeats->times);
}

static apr_status_t check_repeats(const look_t *look, ecl_layout_kind_t kind, ecl_result_t *result)
{
    const reading_t *readings = look->readings;
    char date[ECL_DATE_TEXT], first[ECL_DECIMAL_TEXT], other[ECL_DECIMAL_TEXT];
    repeats_t repeats = {0};
    int from = 0;

    for (int i = 1; i <= look->reading_count; i++) {
        if (i == look->reading_count || readings[i].series != readings[from].series ||
            readings[i].at != readings[from].at) {
            count_repeats(&repeats, readings + from, i - from);
            from = i;
        }
    }
    if (!are_many(&repeats, kind)) {
        return APR_SUCCESS;
    }
    ecl_date_print(repeats.first->date, date);
    ecl_decimal_print(repeats.first->value, first);
    ecl_decimal_print(repeats.other->value, other);
    return ecl_fail(result, ECL_EINPUT, "rows-alike",
                    "most %s have several values, as meter %s on %s (period %d): %s from line "
                    "%" APR_INT64_T_FMT " on, %s from line %" APR_INT64_T_FMT
                    " on. No column was recognised that tells such rows apart: if they are of "
                    "several meters, name it Meter; of several quantities, Channel%s; or upload "
                    "a file for each",
                    kind == ECL_LAYOUT_LONG ? "times" : "days", repeats.first->series->meter, date,
                    repeats.first->period, first, repeats.first->line, other, repeats.other->line,
                    kind == ECL_LAYOUT_DAILY ? "; of several times of the day, Time" : "");
}

/* ---- readings of several lengths ------------------------------------------------------------- */

#define OFF_GRID_MANY 48  /* no stray rows, */
#define OFF_GRID_SHARE 20 /* and at least one of so many */

/* Readings of one meter and channel, in order of time: each is twice as far, or more, from the one
 * before as those of the file are. */
static int are_longer(const reading_t *readings, int count)
{
    apr_int64_t step = (apr_int64_t)readings->series->interval_minutes * 120;

    for (int i = 1; i < count; i++) {
        if ((readings[i].at - readings[0].at) % step) {
            return 0;
        }
    }
    return count >= OFF_GRID_MANY;
}

/* The first reading of a meter whose readings are longer, where there are others that are not;
 * NULL: there is none. */
static const reading_t *find_longer(const look_t *look)
{
    const reading_t *longer = NULL;
    int from = 0, others = 0;

    for (int i = 1; i <= look->reading_count; i++) {
        if (i == look->reading_count || look->readings[i].series != look->readings[from].series) {
            int is_longer = are_longer(&look->readings[from], i - from);

            longer = is_longer && !longer ? &look->readings[from] : longer;
            others += !is_longer;
            from = i;
        }
    }
    return others ? longer : NULL;
}

/* Of the half-hours of one meter in a file of another one's hours, those that begin with the hour
 * would be taken for hours; and hours for half-hours beside which one is missing. */
static apr_status_t check_lengths(const look_t *look, const ecl_layout_t *layout,
                                  ecl_result_t *result)
{
    const reading_t *longer = layout->kind == ECL_LAYOUT_LONG && layout->interval_column < 0 &&
                                      layout->interval_minutes < 1440
                                  ? find_longer(look)
                                  : NULL;

    if (longer) {
        return ecl_fail(result, ECL_EINPUT, "several-lengths",
                        "the file has readings of %d minutes, and all of meter %s (from line "
                        "%" APR_INT64_T_FMT
                        " on) are twice as far from each other, or more: upload "
                        "a file for each length",
                        layout->interval_minutes, longer->series->meter, longer->line);
    }
    if (layout->kind != ECL_LAYOUT_LONG || look->off_grid < OFF_GRID_MANY ||
        look->off_grid * OFF_GRID_SHARE < look->rows) {
        return APR_SUCCESS;
    }
    return ecl_fail(
        result, ECL_EINPUT, "several-lengths",
        "the file begins with readings of %d minutes, and %d of its first %d rows are of "
        "others (%s): upload a file for each length",
        layout->interval_minutes, look->off_grid, look->rows, look->off_grid_row);
}

#define READS_MANY 96       /* of half-hours, no matter how small, */
#define READS_MANY_DAILY 60 /* and of days */
#define MUCH_FOR_A_PERIOD (100 * ECL_DECIMAL_ONE)

/* ---- reads of a register --------------------------------------------------------------------- */

/* kind: only reads in rows of their own can be told to be taken as such. */
static apr_status_t refuse(const series_t *series, const ecl_register_t *reads,
                           ecl_layout_kind_t kind, ecl_result_t *result)
{
    int is_asked = kind == ECL_LAYOUT_LONG && series->interval_minutes < 1440;
    char first[ECL_DECIMAL_TEXT], last[ECL_DECIMAL_TEXT];

    ecl_decimal_print(reads->first, first);
    ecl_decimal_print(reads->last, last);
    return ecl_fail(
        result, ECL_EINPUT, is_asked ? "cumulative-reads" : "cumulative-totals",
        "the values of meter %s rise from %s to %s and %s: these are reads of "
        "a register, and not what was used from one to the next. %s",
        series->meter, first, last, reads->falls ? "fall only where they begin anew" : "never fall",
        is_asked ? "Have the differences taken (reads=register), export the consumption, "
                   "or leave that meter's rows out"
                 : "Export the consumption, or leave that meter's rows out");
}

/* Whether the column of readings is called as what has run up so far. */
static int is_called_so(const ecl_layout_t *layout)
{
    static const char *const words[] = {"today", "cumul", "register", "meterread", "total"};
    int column = layout->kind == ECL_LAYOUT_WIDE ? layout->values[0].column : layout->value_column;
    char word[ECL_WORD_MAX];
    const char *name;

    if (layout->meter_count || layout->kind == ECL_LAYOUT_DAILY || !layout->names || column < 0 ||
        column >= layout->columns) {
        return 0;
    }
    name = layout->names[column];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (ecl_word_fold(name, strlen(name), word) && strstr(word, words[i])) {
            return 1;
        }
    }
    return 0;
}

/* Readings of one meter and channel. 1: on days that are long enough to tell, their values run up.
 */
static int run_up(const reading_t *readings, int count)
{
    ecl_register_t day = {0};
    int up = 0;

    for (int i = 0; i < count; i++) {
        ecl_register_add(&day, readings[i].value);
        if (i + 1 == count || readings[i + 1].date != readings[i].date) {
            if (day.falls > 1) {
                return 0;
            }
            up += ecl_register_runs_up(&day);
            day = (ecl_register_t){0};
        }
    }
    return up > 0;
}

/* Small reads that never fall: so many that chance is out of the question, most of which rise; or
 * some, where no consumption is so steady. Numbers that somebody counted up from nothing, to try
 * the import, never fall either. */
static int is_small_register(const ecl_register_t *reads, int is_daily)
{
    int is_much = !is_daily && reads->first >= MUCH_FOR_A_PERIOD;

    return reads->count >= (is_daily ? READS_MANY_DAILY : READS_MANY) && !reads->falls &&
           reads->rises * (is_much ? 8 : 2) > reads->count &&
           (is_much || reads->last - reads->first < reads->first);
}

/* Readings of one meter and channel. 1: they are of several days, and go on from one to the next
 * as they do within them, which what somebody made up (day × 100 + period) does not. */
static int goes_through_days(const reading_t *readings, int count)
{
    ecl_decimal_t within = 0, between = 0;
    int days = 1;

    for (int i = 1; i < count; i++) {
        ecl_decimal_t step = readings[i].value - readings[i - 1].value;
        int is_same = readings[i].date == readings[i - 1].date;
        ecl_decimal_t *largest = is_same ? &within : &between;

        days += !is_same;
        *largest = step > *largest ? step : *largest;
    }
    return days > 1 && between <= within;
}

static void tell_run(const ecl_reader_t *reader, const series_t *series)
{
    ecl_layout_add_note(
        reader->layouts, "running-totals",
        apr_psprintf(reader->pool,
                     "meter %s, %s: values that rise through the day, and begin anew or go on "
                     "the next day",
                     series->meter, series->channel),
        reader->pool);
}

static apr_status_t check_registers(const look_t *look, const ecl_reader_t *reader,
                                    ecl_result_t *result)
{
    const ecl_layout_t *layout = ecl_reader_layout(reader);
    const reading_t *readings = look->readings;
    int count = look->reading_count, from = 0;
    ecl_register_t reads = {0};

    for (int i = 0; i < count; i++) {
        const series_t *series = readings[i].series;
        int is_daily = series->interval_minutes >= 1440, runs_up;

        ecl_register_add(&reads, readings[i].value);
        if (i + 1 < count && readings[i + 1].series == series) {
            continue;
        }
        runs_up = !is_daily && run_up(readings + from, i + 1 - from);
        /* rows of half-hours with large reads are rejected one by one */
        if ((layout->kind != ECL_LAYOUT_WIDE && ecl_register_is_one(&reads, is_daily)) ||
            (is_small_register(&reads, is_daily) &&
             (layout->kind != ECL_LAYOUT_WIDE ||
              goes_through_days(readings + from, i + 1 - from))) ||
            (runs_up && is_called_so(layout))) {
            return refuse(series, &reads, layout->kind, result);
        }
        if (runs_up) {
            tell_run(reader, series);
        }
        reads = (ecl_register_t){0};
        from = i + 1;
    }
    return APR_SUCCESS;
}

/* ---- the JSON -------------------------------------------------------------------------------- */

static int by_date(const void *a, const void *b)
{
    const shown_day_t *left = a, *right = b;

    return left->date < right->date ? -1 : left->date > right->date;
}

static json_object *day_json(const shown_day_t *day)
{
    json_object *object = json_object_new_object(), *values = json_object_new_array();
    char text[ECL_DATE_TEXT > ECL_DECIMAL_TEXT ? ECL_DATE_TEXT : ECL_DECIMAL_TEXT];

    ecl_date_print(day->date, text);
    json_object_object_add(object, "date", json_object_new_string(text));
    for (int i = 0; i < day->periods; i++) {
        if (day->values[i] == ECL_DECIMAL_MISSING) {
            json_object_array_add(values, NULL);
        } else {
            ecl_decimal_print(day->values[i], text);
            json_object_array_add(values, json_object_new_string(text));
        }
    }
    json_object_object_add(object, "values", values);
    return object;
}

static json_object *series_json(series_t *series)
{
    json_object *object = json_object_new_object(), *days = json_object_new_array();

    qsort(series->days, (apr_size_t)series->day_count, sizeof *series->days, by_date);
    json_object_object_add(object, "meter", json_object_new_string(series->meter));
    json_object_object_add(object, "channel", json_object_new_string(series->channel));
    json_object_object_add(object, "unit", json_object_new_string(series->unit));
    json_object_object_add(object, "interval_minutes",
                           json_object_new_int(series->interval_minutes));
    for (int i = 0; i < series->day_count; i++) {
        json_object_array_add(days, day_json(&series->days[i]));
    }
    json_object_object_add(object, "days", days);
    return object;
}

apr_status_t ecl_preview_make(json_object **ppreview, const ecl_reader_t *reader, const char *path,
                              apr_pool_t *p, ecl_result_t *result)
{
    ecl_layout_kind_t kind = ecl_reader_layout(reader)->kind;
    int rows = kind == ECL_LAYOUT_LONG ? ROWS_LONG : ROWS;
    look_t look = {0};
    ecl_reader_t *again;
    apr_status_t rv;

    apr_pool_create(&look.p, p);
    look.reading_max = ROWS_LONG;
    look.readings = apr_palloc(look.p, ROWS_LONG * sizeof *look.readings);
    rv = ecl_reader_again(&again, reader, path, look.p, result);
    if (rv == APR_SUCCESS) {
        rv = gather(&look, again, rows, result);
    }
    if (rv == APR_SUCCESS) {
        qsort(look.readings, (apr_size_t)look.reading_count, sizeof *look.readings,
              by_series_and_time);
        rv = check_repeats(&look, kind, result);
    }
    if (rv == APR_SUCCESS) {
        rv = check_lengths(&look, ecl_reader_layout(reader), result);
    }
    if (rv == APR_SUCCESS) {
        rv = check_registers(&look, reader, result);
    }
    if (rv == APR_SUCCESS) {
        *ppreview = json_object_new_array();
        for (int i = 0; i < look.series_count && i < ECL_PREVIEW_SERIES; i++) {
            json_object_array_add(*ppreview, series_json(look.series[i]));
        }
    }
    apr_pool_destroy(look.p);
    return rv;
}
