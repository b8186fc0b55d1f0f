/*
 * Which of a JSON file's places are its readings, and what their columns are called.
 */
#include "../lib/utf8.h"
#include "json_shape.h"

#include "decimal.h"
#include "meter.h"
#include "meter_day.h"
#include "serial.h"
#include "words.h"

#define ROOT 0
#define SMALLEST_DAY 46   /* values in an object: it is a day of half-hours */
#define SMALLEST_ARRAY 24 /* numbers beside a date: they are a day's */

/* ---- names and texts ---------------------------------------------------------------------------
 */

/* Of a column: what its cells are called. */
static const char *label_of(const ecl_json_shape_t *shape, int index)
{
    const ecl_json_node_t *node = shape->nodes[index];
    ecl_json_key_t key = node->parent >= 0 ? shape->nodes[node->parent]->key : ECL_JSON_PLAIN;
    apr_size_t length = strlen(node->name);
    int rank, is_utc;

    if (key != ECL_JSON_PLAIN && shape->nodes[node->parent]->first_child == index) {
        return key == ECL_JSON_TIME ? "timestamp" : key == ECL_JSON_METER ? "MPAN" : "channel";
    }
    /* "timestamps": of an array the elements are called */
    if (node->elements && length > 1 && node->name[length - 1] == 's' &&
        ecl_header_role(node->name, length, &rank, &is_utc) == ECL_ROLE_NONE) {
        return apr_pstrmemdup(shape->pool, node->name, length - 1);
    }
    return node->name;
}

static ecl_role_t role_of(const ecl_json_shape_t *shape, int index)
{
    const char *label = label_of(shape, index);
    int rank, is_utc;

    return ecl_header_role(label, strlen(label), &rank, &is_utc);
}

static int is_date_role(ecl_role_t role)
{
    return role == ECL_ROLE_DATE || role == ECL_ROLE_START || role == ECL_ROLE_END;
}

/* "2026-02-01T00:00Z", "00:30", seconds since 1970. Numbers of other lengths are readings. */
static int is_when(const char *text, int *phas_date)
{
    apr_size_t length = strlen(text);
    int is_digits = strspn(text, "0123456789") == length;
    ecl_datetime_t stamp = {0};
    ecl_datetime_status_t status;

    *phas_date = 1;
    if (ecl_serial_parse_unix(text, length, &stamp)) {
        return 1;
    }
    if (!length || (is_digits && length != 8 && length != 12 && length != 14)) {
        return 0;
    }
    status = ecl_datetime_parse(text, length, ECL_ORDER_DMY, &stamp);
    *phas_date = status != ECL_DATETIME_OK || stamp.has_date;
    /* a date of another order than day and month is one, too */
    return status != ECL_DATETIME_BAD && status != ECL_DATETIME_MISSING;
}

static int is_number(const char *text)
{
    ecl_decimal_t value;
    int has_date;
    ecl_decimal_status_t status = ecl_decimal_parse(text, strlen(text), '.', &value);

    return (status == ECL_DECIMAL_OK || status == ECL_DECIMAL_ROUNDED) && !is_when(text, &has_date);
}

static int says_value(const char *name)
{
    apr_size_t length = strlen(name);
    ecl_unit_t unit = ecl_unit_in_header(name, length);
    int rank, is_utc;

    return ecl_header_role(name, length, &rank, &is_utc) == ECL_ROLE_VALUE ||
           ecl_unit_is_known(unit) || ecl_channel_of(name, length);
}

/* ---- what is a row -----------------------------------------------------------------------------
 */

/* 1 when no other element that is an object is within the node. */
static int is_innermost(const ecl_json_shape_t *shape, int node)
{
    for (int i = node + 1; i < shape->count; i++) {
        if (shape->nodes[i]->is_element && shape->nodes[i]->objects &&
            ecl_json_is_within(shape, i, node)) {
            return 0;
        }
    }
    return 1;
}

/* A date, and a value or as many scalars as a day has half-hours. */
static int object_has_readings(const ecl_json_shape_t *shape, int row)
{
    int has_date = 0, has_value = 0, scalars = 0;

    for (int i = row + 1; i < shape->count; i++) {
        ecl_role_t role = role_of(shape, i);

        if (!shape->nodes[i]->scalars || !ecl_json_is_within(shape, i, row)) {
            continue;
        }
        scalars++;
        has_date |= is_date_role(role) || role == ECL_ROLE_TIME;
        has_value |=
            role == ECL_ROLE_VALUE || role == ECL_ROLE_TOTAL ||
            ecl_unit_is_known(ecl_unit_in_header(label_of(shape, i), strlen(label_of(shape, i))));
    }
    return has_date && (has_value || scalars > SMALLEST_DAY);
}

/* The first of the arrays has names: no time and no number, but what such columns are called. */
static int has_names_first(const ecl_json_shape_t *shape, int row)
{
    int has_date = 0, has_value = 0, has_time;

    for (int i = shape->nodes[row]->first_child; i >= 0; i = shape->nodes[i]->next) {
        const char *text = shape->nodes[i]->first;
        int rank, is_utc;

        if (!shape->nodes[i]->is_numbered) {
            continue;
        }
        if (is_when(text, &has_time) || is_number(text)) {
            return 0;
        }
        has_date |= is_date_role(ecl_header_role(text, strlen(text), &rank, &is_utc)) ||
                    ecl_header_role(text, strlen(text), &rank, &is_utc) == ECL_ROLE_TIME;
        has_value |= says_value(text);
    }
    return has_date && has_value;
}

/* A time and a number; the time may be the array's name. */
static int array_has_readings(const ecl_json_shape_t *shape, int row)
{
    int has_time = shape->nodes[row]->key == ECL_JSON_TIME, has_value = 0, has_date;

    for (int i = shape->nodes[row]->first_child; i >= 0; i = shape->nodes[i]->next) {
        if (shape->nodes[i]->is_numbered) {
            has_time |= is_when(shape->nodes[i]->first, &has_date);
            has_value |= is_number(shape->nodes[i]->first);
        }
    }
    return (has_time && has_value) || has_names_first(shape, row);
}

static int is_list(const ecl_json_node_t *node)
{
    return node->elements && !node->objects && !node->scalars;
}

static int is_list_of_times(const ecl_json_shape_t *shape, int index)
{
    ecl_role_t role = role_of(shape, index);
    int has_date;

    return is_list(shape->nodes[index]) &&
           (is_date_role(role) || role == ECL_ROLE_TIME ||
            is_when(shape->nodes[index]->first, &has_date)) &&
           !says_value(label_of(shape, index));
}

/* The arrays of an object that are columns, that of times first; 0: it has none. */
static int find_lists(const ecl_json_shape_t *shape, int parent, int lists[ECL_JSON_LISTS_MAX])
{
    int times = -1, count = 1, has_value = 0;

    if (!shape->nodes[parent]->objects) {
        return 0;
    }
    for (int i = shape->nodes[parent]->first_child; i >= 0 && times < 0;
         i = shape->nodes[i]->next) {
        times = is_list_of_times(shape, i) ? i : -1;
    }
    lists[0] = times;
    for (int i = shape->nodes[parent]->first_child; i >= 0 && times >= 0;
         i = shape->nodes[i]->next) {
        const ecl_json_node_t *node = shape->nodes[i];

        if (i != times && is_list(node) && count < ECL_JSON_LISTS_MAX &&
            (node->elements == shape->nodes[times]->elements || says_value(label_of(shape, i)))) {
            has_value |= is_number(node->first);
            lists[count++] = i;
        }
    }
    return has_value ? count : 0;
}

/* What a node's readings are, if it has any. */
static int find_readings(const ecl_json_shape_t *shape, int index, ecl_json_rows_t *prows)
{
    const ecl_json_node_t *node = shape->nodes[index];
    int lists[ECL_JSON_LISTS_MAX];

    if (find_lists(shape, index, lists)) {
        *prows = ECL_JSON_ROW_ACROSS;
        return 1;
    }
    *prows = ECL_JSON_ROW_OBJECT;
    if (node->objects && node->is_element && is_innermost(shape, index) &&
        object_has_readings(shape, index)) {
        return 1;
    }
    *prows = ECL_JSON_ROW_ARRAY;
    if (node->arrays && node->is_element && array_has_readings(shape, index)) {
        return 1;
    }
    *prows = ECL_JSON_ROW_SCALAR;
    return node->scalars && node->key == ECL_JSON_TIME && is_number(node->first);
}

/* "standingCharges", "prices": values that are money. */
static int is_about_money(const ecl_json_shape_t *shape, int node)
{
    static const char *const words[] = {"price", "charge", "tariff", "cost"};
    char word[ECL_WORD_MAX];

    for (; node > ROOT; node = shape->nodes[node]->parent) {
        const char *name = shape->nodes[node]->name;

        for (apr_size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (ecl_word_fold(name, strlen(name), word) && strstr(word, words[i])) {
                return 1;
            }
        }
    }
    return 0;
}

/* "results", "devices.values": where a node stands. */
static const char *path_of(const ecl_json_shape_t *shape, int node, apr_pool_t *p)
{
    const char *path = "";

    for (; node > ROOT; node = shape->nodes[node]->parent) {
        if (*shape->nodes[node]->name) {
            path = apr_pstrcat(p, shape->nodes[node]->name, *path ? "." : "", path, NULL);
        }
    }
    return *path ? path : "the file itself";
}

#define PLACES_MAX 16

/* Readings that are no prices, those of finer ones in place of others around them: a day's
 * half-hours beside its total. Returns how many places they are in, PLACES_MAX at most. */
static int find_places(const ecl_json_shape_t *shape, int places[PLACES_MAX], int *pwith_money)
{
    ecl_json_rows_t rows;
    int count = 0;

    *pwith_money = -1;
    for (int i = 0; i < shape->count && count < PLACES_MAX; i++) {
        if (!find_readings(shape, i, &rows)) {
            continue;
        }
        if (is_about_money(shape, i)) {
            *pwith_money = i;
        } else if (count && ecl_json_is_within(shape, i, places[count - 1])) {
            places[count - 1] = i;
        } else {
            places[count++] = i;
        }
    }
    return count;
}

/* The objects that there are most of, where no readings are recognised. */
static int find_any_row(const ecl_json_shape_t *shape)
{
    int row = -1;

    for (int i = 0; i < shape->count; i++) {
        const ecl_json_node_t *node = shape->nodes[i];

        if (node->objects && node->is_element && is_innermost(shape, i) &&
            (row < 0 || node->objects > shape->nodes[row]->objects)) {
            row = i;
        }
    }
    return row;
}

static apr_status_t find_row(ecl_json_shape_t *shape, ecl_result_t *result)
{
    int places[PLACES_MAX], with_money;
    int count = find_places(shape, places, &with_money);

    if (ecl_json_join_channels(shape, places, count)) {
        count = find_places(shape, places, &with_money);
    }
    ecl_json_settle(shape);
    if (count > 1) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "the JSON holds readings in several places (%.*s and %.*s): "
                        "upload them as files of their own",
                        ECL_CUT(60, path_of(shape, places[0], shape->pool)),
                        ECL_CUT(60, path_of(shape, places[1], shape->pool)));
    }
    if (!count && with_money >= 0) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "the JSON holds prices (%.*s), not readings",
                        ECL_CUT(60, path_of(shape, with_money, shape->pool)));
    }
    shape->row = count ? places[0] : find_any_row(shape);
    if (shape->row < 0) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "the JSON holds no objects, such as {\"timestamp\": …, \"value\": …}, and "
                        "no arrays, such as [\"2026-02-01T00:00Z\", 0.5]: no meter readings were "
                        "recognised");
    }
    if (count) {
        find_readings(shape, shape->row, &shape->rows);
    }
    return APR_SUCCESS;
}

/* ---- columns -----------------------------------------------------------------------------------
 */

static int is_name_taken(const ecl_json_shape_t *shape, const char *name)
{
    for (int i = 0; i < shape->columns; i++) {
        if (!strcasecmp(shape->names[i], name)) {
            return 1;
        }
    }
    return 0;
}

static void add_column(ecl_json_shape_t *shape, int index, const char *name)
{
    shape->nodes[index]->column = shape->columns;
    shape->names[shape->columns] = name;
    shape->nodes_of[shape->columns++] = index;
}

static void add_members(ecl_json_shape_t *shape)
{
    for (int i = shape->row + 1; i < shape->count; i++) {
        const ecl_json_node_t *node = shape->nodes[i];
        const char *name = label_of(shape, i);

        if (!node->scalars || !ecl_json_is_within(shape, i, shape->row)) {
            continue;
        }
        if (node->is_numbered || is_name_taken(shape, name)) {
            name = apr_pstrcat(shape->pool, shape->nodes[node->parent]->name, "_", name, NULL);
        }
        add_column(shape, i, name);
    }
}

/* What the only number of a row is called: as what it stands in, if that says something of it. */
static const char *name_of_value(const ecl_json_shape_t *shape)
{
    int i = shape->row;

    while (i > ROOT && shape->nodes[i]->key != ECL_JSON_CHANNEL &&
           (!shape->nodes[i]->name[0] || !strcmp(shape->nodes[i]->name, "data") ||
            !strcmp(shape->nodes[i]->name, "values"))) {
        i = shape->nodes[i]->parent;
    }
    if (shape->nodes[i]->key == ECL_JSON_CHANNEL) {
        const char *name = shape->nodes[i]->names[0];
        ecl_unit_t unit = ecl_unit_in_header(name, strlen(name));

        return ecl_unit_is_known(unit) ? ecl_unit_name(unit) : "value";
    }
    return i > ROOT && says_value(shape->nodes[i]->name) ? shape->nodes[i]->name : "value";
}

static void add_lists(ecl_json_shape_t *shape)
{
    int lists[ECL_JSON_LISTS_MAX], numbers = 0;
    int count = find_lists(shape, shape->row, lists);

    for (int i = 1; i < count; i++) {
        numbers += is_number(shape->nodes[lists[i]]->first);
    }
    for (int i = 0; i < count; i++) {
        const char *name = label_of(shape, lists[i]);
        ecl_role_t role = role_of(shape, lists[i]);

        if (!i && !is_date_role(role) && role != ECL_ROLE_TIME) {
            name = "timestamp";
        } else if (i && numbers == 1 && role == ECL_ROLE_NONE && !says_value(name) &&
                   is_number(shape->nodes[lists[i]]->first)) {
            name = name_of_value(shape);
        }
        add_column(shape, lists[i], name);
    }
}

/* An array beside the readings that has the columns' names: its node; -1. */
static int find_names(const ecl_json_shape_t *shape)
{
    static const char *const words[] = {"columns", "fields", "headers", "header", "columnnames"};
    char word[ECL_WORD_MAX];

    for (int i = 1; i < shape->count; i++) {
        const ecl_json_node_t *node = shape->nodes[i];

        for (apr_size_t w = 0; w < sizeof(words) / sizeof(words[0]) && is_list(node); w++) {
            if (ecl_word_fold(node->name, strlen(node->name), word) && !strcmp(word, words[w]) &&
                ecl_json_is_within(shape, shape->row, ecl_json_scope(shape, i))) {
                return i;
            }
        }
    }
    return -1;
}

static int child_named(const ecl_json_shape_t *shape, int parent, const char *name)
{
    for (int i = shape->nodes[parent]->first_child; i >= 0; i = shape->nodes[i]->next) {
        if (!strcmp(shape->nodes[i]->name, name)) {
            return i;
        }
    }
    return -1;
}

/* What an array's element is called by what it says; NULL: nothing but a number. */
static const char *name_by_content(const ecl_json_shape_t *shape, const ecl_json_node_t *node)
{
    const char *text = node->first;
    apr_size_t length = strlen(text);
    ecl_unit_t unit = ecl_unit_of(text, length);
    int has_date;

    if (is_when(text, &has_date)) {
        return has_date ? "timestamp" : "time";
    }
    if (ecl_meter_is_mpan(text, length)) {
        return "MPAN";
    }
    if (is_number(text)) {
        return NULL;
    }
    if (ecl_unit_is_known(unit)) {
        return "unit";
    }
    if (ecl_flag_of(text, length) && ecl_flag_of(text, length) != ECL_FLAG_OTHER) {
        return "flag";
    }
    return ecl_channel_of(text, length) ? "channel"
                                        : apr_psprintf(shape->pool, "column %s", node->name);
}

/* Nothing names the elements: one of them is a time, and one number the reading, or as many are
 * those of a day. */
static apr_status_t name_elements(ecl_json_shape_t *shape, ecl_result_t *result)
{
    int numbers = 0, nth = 0;

    for (int i = shape->nodes[shape->row]->first_child; i >= 0; i = shape->nodes[i]->next) {
        numbers += shape->nodes[i]->is_numbered && !name_by_content(shape, shape->nodes[i]);
    }
    if (numbers > 1 && numbers < SMALLEST_ARRAY) {
        return ecl_fail(result, ECL_EINPUT, "no-header",
                        "the JSON's arrays (%.*s) have %d numbers each, and nothing names them: "
                        "expected one, or those of a day",
                        ECL_CUT(60, path_of(shape, shape->row, shape->pool)), numbers);
    }
    for (int i = shape->nodes[shape->row]->first_child; i >= 0; i = shape->nodes[i]->next) {
        const char *name;

        if (!shape->nodes[i]->is_numbered) {
            continue;
        }
        name = name_by_content(shape, shape->nodes[i]);
        if (!name) {
            name = numbers == 1 ? name_of_value(shape) : apr_psprintf(shape->pool, "P%d", ++nth);
        }
        add_column(shape, i, name);
    }
    return APR_SUCCESS;
}

static apr_status_t add_elements(ecl_json_shape_t *shape, ecl_result_t *result)
{
    int names = find_names(shape);

    if (shape->nodes[shape->row]->key != ECL_JSON_PLAIN) {
        int key = shape->nodes[shape->row]->first_child;

        add_column(shape, key, label_of(shape, key));
    }
    shape->names_are_first = has_names_first(shape, shape->row);
    if (!shape->names_are_first && names < 0) {
        return name_elements(shape, result);
    }
    for (int i = shape->nodes[shape->row]->first_child; i >= 0; i = shape->nodes[i]->next) {
        const ecl_json_node_t *node = shape->nodes[i];
        int name = names < 0 ? -1 : child_named(shape, names, node->name);

        if (node->is_numbered) {
            add_column(shape, i,
                       shape->names_are_first ? node->first
                       : name >= 0            ? shape->nodes[name]->first
                                              : "");
        }
    }
    return APR_SUCCESS;
}

/* ---- what stands around ------------------------------------------------------------------------
 */

static int has_role(const ecl_json_shape_t *shape, ecl_role_t role)
{
    for (int i = 0; i < shape->columns; i++) {
        int rank, is_utc;

        if (ecl_header_role(shape->names[i], strlen(shape->names[i]), &rank, &is_utc) == role) {
            return 1;
        }
    }
    return 0;
}

static int has_date(const ecl_json_shape_t *shape)
{
    for (int i = 0; i < shape->columns; i++) {
        int rank, is_utc, is_dated = 0;
        ecl_role_t role = ecl_header_role(shape->names[i], strlen(shape->names[i]), &rank, &is_utc);

        if (is_date_role(role)) {
            return 1;
        }
        if (role == ECL_ROLE_TIME && is_when(shape->nodes[shape->nodes_of[i]]->first, &is_dated) &&
            is_dated) {
            return 1;
        }
    }
    return 0;
}

/* A text that is said of all rows below the element that it stands in. */
static int is_around(const ecl_json_shape_t *shape, int index)
{
    const ecl_json_node_t *node = shape->nodes[index];

    return node->scalars && !node->is_numbered && node->column < 0 &&
           (shape->rows == ECL_JSON_ROW_ACROSS || !ecl_json_is_within(shape, index, shape->row)) &&
           ecl_json_is_within(shape, shape->row, ecl_json_scope(shape, index));
}

/* "name": "Export (kWh)": what a series of readings is called may say what they are. */
static const char *meaning_of_name(const ecl_json_shape_t *shape, int index)
{
    static const char *const words[] = {"name", "label", "series", "metric", "title", "target"};
    static const char *const kinds[] = {"type", "kind", "flow", "datatype", "measurementtype"};
    const ecl_json_node_t *node = shape->nodes[index];
    apr_size_t length = strlen(node->first);
    ecl_unit_t unit;

    for (apr_size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcasecmp(node->name, kinds[i]) && ecl_channel_of(node->first, length) &&
            !has_role(shape, ECL_ROLE_CHANNEL)) {
            return "channel";
        }
    }
    for (apr_size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(node->name, words[i])) {
            continue;
        }
        if (ecl_channel_of(node->first, length) && !has_role(shape, ECL_ROLE_CHANNEL)) {
            return "channel";
        }
        unit = ecl_unit_in_header(node->first, length);
        if (ecl_unit_is_known(unit) && node->is_constant && !has_role(shape, ECL_ROLE_UNIT)) {
            return "unit";
        }
        return node->is_constant || has_role(shape, ECL_ROLE_METER) ? NULL : "meter name";
    }
    return NULL;
}

static void add_context(ecl_json_shape_t *shape, int index, const char *name)
{
    if (shape->contexts < ECL_JSON_CONTEXTS_MAX && !is_name_taken(shape, name)) {
        add_column(shape, index, name);
        shape->contexts++;
    }
}

static void add_contexts(ecl_json_shape_t *shape)
{
    int is_dated = has_date(shape), date = -1;

    for (int i = 1; i < shape->count; i++) {
        ecl_role_t role = role_of(shape, i);

        if (!is_around(shape, i)) {
            continue;
        }
        if (role == ECL_ROLE_METER || role == ECL_ROLE_SERIAL || role == ECL_ROLE_UNIT ||
            role == ECL_ROLE_CHANNEL) {
            add_context(shape, i, label_of(shape, i));
        }
        /* the nearest one */
        if (role == ECL_ROLE_DATE && !is_dated &&
            (date < 0 ||
             ecl_json_is_within(shape, ecl_json_scope(shape, i), ecl_json_scope(shape, date)))) {
            date = i;
        }
    }
    if (date >= 0) {
        add_context(shape, date, label_of(shape, date));
    }
    for (int i = 1; i < shape->count; i++) {
        const char *name = is_around(shape, i) ? meaning_of_name(shape, i) : NULL;

        if (name) {
            add_context(shape, i, name);
        }
    }
}

apr_status_t ecl_json_choose_rows(ecl_json_shape_t *shape, ecl_result_t *result)
{
    apr_status_t status = find_row(shape, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    switch (shape->rows) {
    case ECL_JSON_ROW_OBJECT:
        add_members(shape);
        break;
    case ECL_JSON_ROW_ARRAY:
        status = add_elements(shape, result);
        break;
    case ECL_JSON_ROW_SCALAR:
        add_column(shape, shape->nodes[shape->row]->first_child, "timestamp");
        add_column(shape, shape->row, name_of_value(shape));
        break;
    case ECL_JSON_ROW_ACROSS:
        add_lists(shape);
        break;
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    add_contexts(shape);
    return shape->columns ? APR_SUCCESS
                          : ecl_fail(result, ECL_EINPUT, "not-meter-data",
                                     "the JSON's objects have no members: no meter readings were "
                                     "recognised");
}
