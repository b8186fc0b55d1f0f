#include "preview.h"

#include <stdlib.h>

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
    ecl_decimal_t value;
} reading_t;

typedef struct look_t {
    apr_pool_t *p;
    series_t *series[SERIES_MAX];
    int series_count;
    reading_t *readings;
    int reading_count, reading_max; /* max 0: there is no need to keep them */
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
            look->readings[look->reading_count++] =
                (reading_t){series, day->day_start + (apr_int64_t)i * day->interval_minutes * 60,
                            day->values[i]};
        }
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
    const ecl_reader_sink_t sink = {look, take_day, ecl_reader_ignore_error,
                                    ecl_reader_ignore_warning};
    ecl_row_t row;
    apr_status_t rv = APR_SUCCESS;

    for (int i = 0; rv == APR_SUCCESS && i < rows && !has_enough(look); i++) {
        rv = ecl_reader_next(reader, &sink, &row, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_reader_flush(reader, &sink);
    }
    return APR_STATUS_IS_EOF(rv) ? APR_SUCCESS : rv;
}

/* ---- reads of a register --------------------------------------------------------------------- */

static int by_series_and_time(const void *a, const void *b)
{
    const reading_t *left = a, *right = b;
    int order = strcmp(left->series->meter, right->series->meter);

    order = order ? order : strcmp(left->series->channel, right->series->channel);
    return order ? order : left->at < right->at ? -1 : left->at > right->at;
}

static apr_status_t refuse(const series_t *series, const ecl_register_t *reads,
                           ecl_result_t *result)
{
    char first[ECL_DECIMAL_TEXT], last[ECL_DECIMAL_TEXT];

    ecl_decimal_print(reads->first, first);
    ecl_decimal_print(reads->last, last);
    return ecl_fail(result, ECL_EINPUT, "cumulative-reads",
                    "the values of meter %s rise from %s to %s and never fall: these are reads of "
                    "a register, and not what was used from one to the next. Export the "
                    "consumption, or leave that meter's rows out",
                    series->meter, first, last);
}

static apr_status_t check_registers(look_t *look, ecl_result_t *result)
{
    const reading_t *readings = look->readings;
    int count = look->reading_count;
    ecl_register_t reads = {0};

    if (count) {
        qsort(look->readings, (apr_size_t)count, sizeof *look->readings, by_series_and_time);
    }
    for (int i = 0; i < count; i++) {
        const series_t *series = readings[i].series;

        ecl_register_add(&reads, readings[i].value);
        if (i + 1 < count && readings[i + 1].series == series) {
            continue;
        }
        if (ecl_register_is_one(&reads, series->interval_minutes >= 1440)) {
            return refuse(series, &reads, result);
        }
        reads = (ecl_register_t){0};
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
    if (kind != ECL_LAYOUT_WIDE) {
        look.reading_max = rows;
        look.readings = apr_palloc(look.p, (apr_size_t)rows * sizeof *look.readings);
    }
    rv = ecl_reader_again(&again, reader, path, look.p, result);
    if (rv == APR_SUCCESS) {
        rv = gather(&look, again, rows, result);
    }
    if (rv == APR_SUCCESS) {
        rv = check_registers(&look, result);
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
