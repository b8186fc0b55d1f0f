#include "view_chart.h"

#include <apr_lib.h>
#include <math.h>

#include "format.h"

#define LABELS_MAX 7
#define POINT_MAX 32 /* bytes of a value's part of a path: "M1000.00 100.00H1000.00" */

typedef struct day_t {
    json_object *texts; /* of the values */
    double *values;     /* NAN: none */
    int count;
} day_t;

typedef struct chart_t {
    json_object *array;
    day_t *days;
    int day_count, value_count;
    double high, low; /* the range that is drawn: zero is always in it */
    double highest;
    const char *high_text, *low_text;
    apr_pool_t *p;
} chart_t;

typedef struct path_t {
    char *text;
    apr_size_t length;
} path_t;

static void add_text(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static json_object *member(json_object *object, const char *key)
{
    json_object *value = NULL;

    json_object_object_get_ex(object, key, &value);
    return value;
}

static int length_of(json_object *array)
{
    return json_object_is_type(array, json_type_array) ? (int)json_object_array_length(array) : 0;
}

/* NULL: there is none. */
static json_object *value_at(json_object *values, int i)
{
    return i < length_of(values) ? json_object_array_get_idx(values, (apr_size_t)i) : NULL;
}

/* "-12.5", for drawing only. NAN: text is no number. Not by strtod, which reads what the locale
 * says that another module of the server may have set. */
static double value_of(const char *text)
{
    int is_negative = *text == '-', digits = 0;
    double value = 0, unit = 1;

    for (text += is_negative; apr_isdigit(*text); text++, digits++) {
        value = value * 10 + (*text - '0');
    }
    if (*text == '.') {
        for (text++; apr_isdigit(*text); text++, digits++) {
            value = value * 10 + (*text - '0');
            unit *= 10;
        }
    }
    return *text || !digits ? NAN : (is_negative ? -value : value) / unit;
}

static void read_day(chart_t *chart, day_t *day, json_object *texts)
{
    day->texts = texts;
    day->count = length_of(texts);
    day->values = apr_palloc(chart->p, (apr_size_t)day->count * sizeof *day->values);
    for (int i = 0; i < day->count; i++) {
        const char *text = json_object_get_string(value_at(texts, i));
        double value = day->values[i] = text ? value_of(text) : NAN;

        if (isnan(value)) {
            continue;
        }
        if (!chart->value_count++ || value > chart->highest) {
            chart->highest = value;
            chart->high_text = text;
        }
        if (value < chart->low) {
            chart->low = value;
            chart->low_text = text;
        }
    }
}

static int read_days(chart_t *chart)
{
    chart->day_count = length_of(chart->array);
    chart->days = apr_pcalloc(chart->p, (apr_size_t)chart->day_count * sizeof *chart->days);
    for (int d = 0; d < chart->day_count; d++) {
        json_object *day = json_object_array_get_idx(chart->array, (apr_size_t)d);

        read_day(chart, &chart->days[d], member(day, "values"));
    }
    chart->high = chart->highest > 0 ? chart->highest : 0;
    if (chart->high <= chart->low) {
        chart->high = 1; /* nothing but zeros: a line at the bottom */
    }
    return chart->value_count;
}

/* ---- the paths ------------------------------------------------------------------------------- */

static double y_of(const chart_t *chart, double value)
{
    return ECL_CHART_HEIGHT * (chart->high - value) / (chart->high - chart->low);
}

/* Appends a command and a number with two decimals: "H62.50". Numbers are not negative, and no
 * larger than ECL_CHART_WIDTH; there are thousands of them on a page, for which printf is slow. */
static void add(path_t *path, char command, double number)
{
    int hundredths = (int)(number * 100 + 0.5), whole = hundredths / 100;
    char digits[8], *first = digits + sizeof digits;

    do {
        *--first = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole);
    path->text[path->length++] = command;
    while (first < digits + sizeof digits) {
        path->text[path->length++] = *first++;
    }
    path->text[path->length++] = '.';
    path->text[path->length++] = (char)('0' + hundredths / 10 % 10);
    path->text[path->length++] = (char)('0' + hundredths % 10);
}

static path_t make_path(const chart_t *chart)
{
    /* a value that ends a gap and begins one has twice the room of one among others */
    return (path_t){apr_palloc(chart->p, (apr_size_t)chart->value_count * 2 * POINT_MAX), 0};
}

static void add_path(json_object *object, const char *key, const path_t *path)
{
    json_object_object_add(object, key, json_object_new_string_len(path->text, (int)path->length));
}

/* Appends what has been added to another path from a place in it on. */
static void add_same(path_t *path, const path_t *other, apr_size_t from)
{
    memcpy(path->text + path->length, other->text + from, other->length - from);
    path->length += other->length - from;
}

static void close_area(path_t *area, double base)
{
    add(area, 'V', base);
    area->text[area->length++] = 'Z';
}

/* A value is drawn as a step as wide as its time; where one is missing, there is a gap. */
static void add_paths(const chart_t *chart, json_object *object)
{
    path_t line = make_path(chart), area = make_path(chart);
    double base = y_of(chart, 0), width = (double)ECL_CHART_WIDTH / chart->day_count;
    apr_size_t step;
    int is_open = 0;

    for (int d = 0; d < chart->day_count; d++) {
        const day_t *day = &chart->days[d];

        for (int i = 0; i < day->count; i++) {
            double left = width * (d + (double)i / day->count), y;

            if (isnan(day->values[i])) {
                if (is_open) {
                    close_area(&area, base);
                }
                is_open = 0;
                continue;
            }
            y = y_of(chart, day->values[i]);
            step = line.length;
            if (is_open) {
                add(&line, 'V', y);
            } else {
                add(&line, 'M', left);
                add(&line, ' ', y);
                step = line.length;
                add(&area, 'M', left);
                add(&area, ' ', base);
                add(&area, 'V', y);
            }
            add(&line, 'H', left + width / day->count);
            add_same(&area, &line, step);
            is_open = 1;
        }
    }
    if (is_open) {
        close_area(&area, base);
    }
    add_path(object, "line", &line);
    add_path(object, "area", &area);
    add_text(object, "base", apr_psprintf(chart->p, "%.2f", base));
}

static const char *date_of(const chart_t *chart, int day)
{
    json_object *date = member(json_object_array_get_idx(chart->array, (apr_size_t)day), "date");

    return ecl_format_date(date ? json_object_get_string(date) : "", chart->p);
}

/* "3 Nov 2026" → "3 Nov" */
static const char *short_date_of(const chart_t *chart, int day)
{
    const char *date = date_of(chart, day), *year = strrchr(date, ' ');

    return year ? apr_pstrmemdup(chart->p, date, (apr_size_t)(year - date)) : date;
}

static void add_axis(const chart_t *chart, json_object *object)
{
    json_object *marks = json_object_new_array(), *labels = json_object_new_array();
    int has_all = chart->day_count <= LABELS_MAX;

    for (int d = 1; d < chart->day_count; d++) {
        double x = (double)ECL_CHART_WIDTH * d / chart->day_count;
        json_object_array_add(marks, json_object_new_string(apr_psprintf(chart->p, "%.2f", x)));
    }
    for (int d = 0; d < chart->day_count; d++) {
        if (has_all || d == 0 || d == chart->day_count - 1) {
            json_object_array_add(labels, json_object_new_string(short_date_of(chart, d)));
        }
    }
    json_object_object_add(object, "marks", marks);
    json_object_object_add(object, "labels", labels);
    json_object_object_add(object, "has_all_labels", json_object_new_boolean(has_all));
    add_text(object, "high", chart->high_text);
    if (chart->low_text) {
        add_text(object, "low", chart->low_text);
    }
    add_text(object, "from", date_of(chart, 0));
    add_text(object, "to", date_of(chart, chart->day_count - 1));
}

/* ---- the table ------------------------------------------------------------------------------- */

static json_object *make_row(const char *label, json_object *cells)
{
    json_object *row = json_object_new_object();

    add_text(row, "label", label);
    json_object_object_add(row, "cells", cells);
    return row;
}

/* The text itself, which is shared, or null. */
static void add_cell(json_object *cells, const day_t *day, int i)
{
    json_object_array_add(cells, json_object_get(value_at(day->texts, i)));
}

static void add_table(const chart_t *chart, json_object *object)
{
    json_object *columns = json_object_new_array(), *rows = json_object_new_array();
    int most = 0;

    for (int d = 0; d < chart->day_count; d++) {
        most = chart->days[d].count > most ? chart->days[d].count : most;
    }
    for (int d = 0; most == 1 && d < chart->day_count; d++) {
        json_object *cells = json_object_new_array();

        add_cell(cells, &chart->days[d], 0);
        json_object_array_add(rows, make_row(date_of(chart, d), cells));
    }
    for (int d = 0; most > 1 && d < chart->day_count; d++) {
        json_object_array_add(columns, json_object_new_string(short_date_of(chart, d)));
    }
    for (int i = 0; most > 1 && i < most; i++) {
        json_object *cells = json_object_new_array();

        for (int d = 0; d < chart->day_count; d++) {
            add_cell(cells, &chart->days[d], i);
        }
        json_object_array_add(rows, make_row(apr_itoa(chart->p, i + 1), cells));
    }
    json_object_object_add(object, "columns", columns);
    json_object_object_add(object, "has_columns", json_object_new_boolean(most > 1));
    json_object_object_add(object, "rows", rows);
}

json_object *ecl_view_chart(json_object *days, apr_pool_t *p)
{
    chart_t chart = {.array = days, .p = p};
    json_object *object;

    if (!read_days(&chart)) {
        return NULL;
    }
    object = json_object_new_object();
    add_paths(&chart, object);
    add_axis(&chart, object);
    add_table(&chart, object);
    return object;
}

void ecl_view_add_charts(json_object *object, const char *key, apr_pool_t *p)
{
    json_object *items = member(object, key), *kept;
    int count = length_of(items), number = 0;

    if (!count) {
        return;
    }
    kept = json_object_new_array();
    for (int i = 0; i < count; i++) {
        json_object *item = json_object_array_get_idx(items, (apr_size_t)i);
        json_object *chart = ecl_view_chart(member(item, "days"), p);

        if (chart) {
            json_object_object_add(item, "chart", chart);
            json_object_object_add(item, "number", json_object_new_int(++number));
            json_object_array_add(kept, json_object_get(item));
        }
    }
    json_object_object_add(object, key, kept);
}
