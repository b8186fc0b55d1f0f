/*
 * JSON of an API or a data collector, as saved from a browser: an object is a row, its members are
 * the columns, by their names; see json_shape.h. What the columns mean is then found as in a table.
 *
 * Two passes over the file for every opening: one for its shape, one for its rows. Memory is one
 * row and the shape. Where columns are arrays side by side each of them is read by a cursor of its
 * own, and these go forward together.
 */
#include "../lib/utf8.h"
#include "source.h"

#include "json_shape.h"

#define ROW_BYTES (64 * 1024) /* of the texts of a row */

typedef struct context_t {
    char text[ECL_JSON_CONTEXT_MAX];
    int is_set, is_cut;
    int scope; /* the node whose start makes it unknown again */
} context_t;

/* Where one of several arrays is read. */
typedef struct cursor_t {
    ecl_json_t *json;
    ecl_json_walk_t walk;
    ecl_json_event_t event;
    apr_int64_t object, element; /* the event is that element of that object's array, from 1 */
    int is_ahead;                /* it is still to be handed out */
    int is_at_end;
} cursor_t;

typedef struct json_source_t {
    ecl_source_t source;
    ecl_json_t *json;
    ecl_json_shape_t *shape;
    ecl_json_walk_t walk;
    cursor_t *cursors; /* by column; NULL: rows are in one place. Texts around are the first's */
    int cursor_count;
    ecl_assembly_t assembly;
    ecl_result_t trouble;
    int has_header, is_broken;
    int is_n3rgy;

    /* the row in hand */
    int is_in_row;
    apr_int64_t line;
    const char **cells; /* by column; NULL: not there */
    char text[ROW_BYTES];
    apr_size_t used;
    const char *code; /* what is wrong with it; NULL: nothing */
    char message[300];

    context_t contexts[ECL_JSON_CONTEXTS_MAX];
} json_source_t;

static int first_context(const json_source_t *js)
{
    return js->shape->columns - js->shape->contexts;
}

static int is_scalar(const ecl_json_event_t *event)
{
    return event->kind == ECL_JSON_STRING || event->kind == ECL_JSON_NUMBER ||
           event->kind == ECL_JSON_WORD || event->kind == ECL_JSON_NULL;
}

/* ---- cells -------------------------------------------------------------------------------------
 */

static void reject(json_source_t *js, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The first thing that is wrong with a row is told. */
static void reject(json_source_t *js, const char *code, const char *fmt, ...)
{
    va_list args;

    if (js->code) {
        return;
    }
    va_start(args, fmt);
    apr_vsnprintf(js->message, sizeof(js->message), fmt, args);
    va_end(args);
    js->code = code;
}

static void start_row(json_source_t *js, const ecl_json_event_t *event)
{
    js->is_in_row = 1;
    js->line = event->line;
    js->used = 0;
    js->code = NULL;
    memset(js->cells, 0, (apr_size_t)js->shape->columns * sizeof(*js->cells));
}

static void take_cell(json_source_t *js, int column, const ecl_json_event_t *event)
{
    const char *name = js->shape->names[column];

    if (js->cells[column]) {
        reject(js, "duplicate-member", "the object has two members \"%.*s\"", ECL_CUT(60, name));
    } else if (event->kind == ECL_JSON_NULL) {
        js->cells[column] = ""; /* its place is taken */
    } else if (event->is_cut || event->length >= sizeof(js->text) - js->used) {
        reject(js, "too-long", "the text of \"%.*s\" is too long for a reading", ECL_CUT(60, name));
    } else {
        memcpy(js->text + js->used, event->text, event->length + 1);
        js->cells[column] = js->text + js->used;
        js->used += event->length + 1;
    }
}

static void take_context(json_source_t *js, int column, const ecl_json_event_t *event)
{
    context_t *context = &js->contexts[column - first_context(js)];

    context->is_set = 1;
    context->is_cut = event->is_cut || event->length >= sizeof(context->text);
    apr_cpystrn(context->text, event->text, sizeof(context->text));
}

static void take_scalar(json_source_t *js, const ecl_json_walk_t *walk,
                        const ecl_json_event_t *event)
{
    int column = walk->node < 0 ? -1 : js->shape->nodes[walk->node]->column;

    if (column >= first_context(js)) {
        take_context(js, column, event);
    } else if (column >= 0 && js->is_in_row) {
        take_cell(js, column, event);
    }
}

/* What is said around the row about it. */
static const char *context_of(json_source_t *js, int column)
{
    const context_t *context = &js->contexts[column - first_context(js)];
    const ecl_json_node_t *node = js->shape->nodes[js->shape->nodes_of[column]];

    if (node->is_constant) {
        return node->first;
    }
    if (context->is_set && context->is_cut) {
        reject(js, "too-long", "the text of \"%.*s\", above the reading, is too long",
               ECL_CUT(60, node->name));
    } else if (!context->is_set &&
               (js->shape->rows == ECL_JSON_ROW_OBJECT ? node->is_late : node->is_after_lists)) {
        reject(js, "late-member",
               "\"%.*s\" is said behind the readings, and not alike in all of the file: whether "
               "it holds for this one can't be told",
               ECL_CUT(60, node->name));
    }
    return context->is_set ? context->text : "";
}

/* A value begins: of an element, or of a member whose name says something. */
static void enter_scope(json_source_t *js, const ecl_json_walk_t *walk)
{
    for (int i = 0; i < js->shape->contexts; i++) {
        if (js->contexts[i].scope == walk->node) {
            js->contexts[i].is_set = 0;
        }
    }
}

/* The name of the value that begins. */
static void take_key(json_source_t *js, const ecl_json_walk_t *walk)
{
    const ecl_json_event_t name = {
        .kind = ECL_JSON_STRING, .text = walk->key, .length = strlen(walk->key)};
    ecl_json_walk_t at_name = {.node = js->shape->nodes[walk->node]->first_child};

    take_scalar(js, &at_name, &name);
}

/* ---- records -----------------------------------------------------------------------------------
 */

static void hand_out_header(json_source_t *js, ecl_record_t *record)
{
    ecl_assembly_clear(&js->assembly);
    for (int i = 0; i < js->shape->columns; i++) {
        const char *name = js->shape->names[i];

        if (js->is_n3rgy && !strcmp(name, "timestamp")) {
            name = "interval_end (UTC)";
        }
        ecl_assembly_add(&js->assembly, name, strlen(name));
    }
    ecl_assembly_finish(&js->assembly, record, 1, 0);
    js->has_header = 1;
}

/* The array that has the names of the columns. */
static int is_header(const json_source_t *js)
{
    for (int i = 0; i < first_context(js); i++) {
        if (!js->cells[i] || strcmp(js->cells[i], js->shape->names[i]) != 0) {
            return 0;
        }
    }
    return 1;
}

static void hand_out_row(json_source_t *js, ecl_record_t *record, apr_int64_t end_offset)
{
    js->is_in_row = 0;
    ecl_assembly_clear(&js->assembly);
    for (int i = 0; i < js->shape->columns; i++) {
        const char *cell = i < first_context(js) ? js->cells[i] : context_of(js, i);

        ecl_assembly_add(&js->assembly, cell ? cell : "", cell ? strlen(cell) : 0);
    }
    if (js->code) {
        ecl_assembly_reject(&js->assembly, record, js->line, end_offset, -1, js->code, js->message);
    } else {
        ecl_assembly_finish(&js->assembly, record, js->line, end_offset);
    }
}

/* The JSON is broken: what was read before is good, what follows can't be read. */
static void hand_out_end(json_source_t *js, ecl_record_t *record, const ecl_json_event_t *event)
{
    js->is_broken = 1;
    ecl_assembly_clear(&js->assembly);
    ecl_assembly_add(&js->assembly, "", 0);
    apr_snprintf(js->message, sizeof(js->message), "%s; nothing behind it was read",
                 js->trouble.detail);
    ecl_assembly_reject(&js->assembly, record, event->line, event->end_offset, -1, "bad-json",
                        js->message);
}

/* Whether a row begins with an event. */
static int is_row_start(const json_source_t *js, const ecl_json_event_t *event)
{
    if (js->walk.node != js->shape->row) {
        return 0;
    }
    switch (js->shape->rows) {
    case ECL_JSON_ROW_OBJECT:
        return event->kind == ECL_JSON_OBJECT;
    case ECL_JSON_ROW_ARRAY:
        return event->kind == ECL_JSON_ARRAY;
    default:
        return is_scalar(event);
    }
}

/* 1 when a row is done. */
static int take_event(json_source_t *js, const ecl_json_event_t *event)
{
    ecl_json_kind_t end =
        js->shape->rows == ECL_JSON_ROW_OBJECT ? ECL_JSON_OBJECT_END : ECL_JSON_ARRAY_END;

    if (event->kind == ECL_JSON_OBJECT || js->walk.is_keyed) {
        enter_scope(js, &js->walk);
    }
    if (is_row_start(js, event)) {
        start_row(js, event);
    }
    if (js->walk.is_keyed) {
        take_key(js, &js->walk);
    }
    if (is_scalar(event)) {
        take_scalar(js, &js->walk, event);
        return js->is_in_row && js->shape->rows == ECL_JSON_ROW_SCALAR;
    }
    return event->kind == end && js->is_in_row && js->walk.node == js->shape->row &&
           !(js->shape->names_are_first && is_header(js));
}

/* ---- arrays side by side -----------------------------------------------------------------------
 */

/* Goes on to the next element of the column's array. */
static apr_status_t advance(json_source_t *js, int column)
{
    cursor_t *cursor = &js->cursors[column];
    apr_status_t status;
    int array;

    while ((status = ecl_json_next(cursor->json, &cursor->event, &js->trouble)) == APR_SUCCESS &&
           (status = ecl_json_walk(&cursor->walk, &cursor->event, &js->trouble)) == APR_SUCCESS) {
        cursor->object +=
            cursor->event.kind == ECL_JSON_OBJECT && cursor->walk.node == js->shape->row;
        if (!column && (cursor->event.kind == ECL_JSON_OBJECT || cursor->walk.is_keyed)) {
            enter_scope(js, &cursor->walk);
        }
        if (!column && cursor->walk.is_keyed) {
            take_key(js, &cursor->walk);
        }
        if (!is_scalar(&cursor->event)) {
            continue;
        }
        cursor->element = ecl_json_element(&cursor->walk, &array);
        if (cursor->element && array == js->shape->nodes_of[column]) {
            cursor->is_ahead = 1;
            return APR_SUCCESS;
        }
        if (!column) {
            take_scalar(js, &cursor->walk, &cursor->event);
        }
    }
    cursor->is_at_end = APR_STATUS_IS_EOF(status);
    return cursor->is_at_end ? APR_SUCCESS : status;
}

/* The cursor whose element comes first in the file's order of rows; NULL: all are at the end. */
static cursor_t *first_cursor(json_source_t *js)
{
    cursor_t *first = NULL;

    for (int i = 0; i < js->cursor_count; i++) {
        cursor_t *cursor = &js->cursors[i];

        if (!cursor->is_at_end &&
            (!first || cursor->object < first->object ||
             (cursor->object == first->object && cursor->element < first->element))) {
            first = cursor;
        }
    }
    return first;
}

/* Puts the nth elements of all arrays together. */
static void take_across(json_source_t *js, const cursor_t *first)
{
    apr_int64_t object = first->object, element = first->element;

    start_row(js, &first->event);
    for (int i = 0; i < js->cursor_count; i++) {
        cursor_t *cursor = &js->cursors[i];

        if (cursor->is_at_end || cursor->object != object || cursor->element != element) {
            reject(js, "too-few-fields",
                   "\"%.*s\" has no element %" APR_INT64_T_FMT
                   ", as another array beside it has: which of them belong together can't be told",
                   ECL_CUT(60, js->shape->names[i]), element);
            continue;
        }
        take_cell(js, i, &cursor->event);
        cursor->is_ahead = 0;
    }
}

static apr_status_t next_across(json_source_t *js, ecl_json_event_t *event)
{
    cursor_t *first;

    for (int i = 0; i < js->cursor_count; i++) {
        cursor_t *cursor = &js->cursors[i];

        if (!cursor->is_ahead && !cursor->is_at_end) {
            apr_status_t status = advance(js, i);

            if (status != APR_SUCCESS) {
                *event = cursor->event;
                return status;
            }
        }
    }
    first = first_cursor(js);
    if (!first) {
        return APR_EOF;
    }
    *event = first->event;
    take_across(js, first);
    return APR_SUCCESS;
}

/* ---- rows --------------------------------------------------------------------------------------
 */

/* Reads to the end of the next row; *event: the one that ends it, or at which reading failed. */
static apr_status_t next_row(json_source_t *js, ecl_json_event_t *event)
{
    apr_status_t status;

    do {
        status = ecl_json_next(js->json, event, &js->trouble);
        if (status == APR_SUCCESS) {
            status = ecl_json_walk(&js->walk, event, &js->trouble);
        }
    } while (status == APR_SUCCESS && !take_event(js, event));
    return status;
}

static apr_status_t next(ecl_source_t *source, ecl_record_t *record, ecl_result_t *result)
{
    json_source_t *js = (json_source_t *)source;
    ecl_json_event_t event;
    apr_status_t status;

    if (!js->has_header) {
        hand_out_header(js, record);
        return APR_SUCCESS;
    }
    if (js->is_broken) {
        return APR_EOF;
    }
    status = js->cursors ? next_across(js, &event) : next_row(js, &event);
    if (status == ECL_EINPUT && !strcmp(js->trouble.code, "bad-json")) {
        hand_out_end(js, record, &event);
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS) {
        return APR_STATUS_IS_EOF(status)
                   ? APR_EOF
                   : ecl_fail(result, status, js->trouble.code, "%s", js->trouble.detail);
    }
    hand_out_row(js, record, event.end_offset);
    return APR_SUCCESS;
}

static void set_read_size(ecl_source_t *source, apr_size_t bytes)
{
    json_source_t *js = (json_source_t *)source;

    ecl_json_set_sizes(js->json, bytes, ECL_JSON_BYTES_MAX);
    for (int i = 1; i < js->cursor_count; i++) {
        ecl_json_set_sizes(js->cursors[i].json, bytes, ECL_JSON_BYTES_MAX);
    }
}

/* ---- the form ----------------------------------------------------------------------------------
 */

/* n3rgy's answers name what was asked for: "resource": "/…/electricity/consumption/1". Their times
 * are UTC and end the half-hour: 00:30 to 00:00 of the next day, though nothing in them says so. */
static int is_n3rgy(const ecl_json_shape_t *shape)
{
    for (int i = 1; i < shape->count; i++) {
        const ecl_json_node_t *node = shape->nodes[i];

        if (!node->parent && !strcmp(node->name, "resource") &&
            strstr(node->first, "/consumption/")) {
            return 1;
        }
    }
    return 0;
}

/* A cursor for each array; the first goes on with what is open. */
static apr_status_t open_cursors(json_source_t *js, const char *path, apr_pool_t *p,
                                 ecl_result_t *result)
{
    apr_status_t status = APR_SUCCESS;

    js->cursor_count = first_context(js);
    js->cursors = apr_pcalloc(p, (apr_size_t)js->cursor_count * sizeof(*js->cursors));
    for (int i = 0; i < js->cursor_count && status == APR_SUCCESS; i++) {
        ecl_json_walk_start(&js->cursors[i].walk, js->shape, 0);
        js->cursors[i].json = js->json;
        if (i) {
            status = ecl_json_open(&js->cursors[i].json, path, p, result);
        }
    }
    return status;
}

static apr_status_t open_json(ecl_source_t **psource, const char *path, apr_pool_t *p,
                              ecl_result_t *result)
{
    json_source_t *js = apr_pcalloc(p, sizeof(*js));
    apr_status_t status = ecl_json_shape_find(&js->shape, path, p, result);

    if (status == APR_SUCCESS) {
        status = ecl_json_open(&js->json, path, p, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    js->source.form = &ecl_source_json;
    js->source.next = next;
    js->source.set_read_size = set_read_size;
    js->is_n3rgy = is_n3rgy(js->shape);
    js->source.evidence =
        js->is_n3rgy ? "JSON as n3rgy writes it, with times in UTC that end the half-hour" : "JSON";
    js->trouble = ecl_result_make(p);
    js->cells = apr_pcalloc(p, (apr_size_t)(js->shape->columns + 1) * sizeof(*js->cells));
    for (int i = 0; i < js->shape->contexts; i++) {
        js->contexts[i].scope =
            ecl_json_scope(js->shape, js->shape->nodes_of[first_context(js) + i]);
    }
    ecl_json_walk_start(&js->walk, js->shape, 0);
    ecl_assembly_make(&js->assembly, js->shape->columns + 1, p);
    *psource = &js->source;
    return js->shape->rows == ECL_JSON_ROW_ACROSS ? open_cursors(js, path, p, result) : APR_SUCCESS;
}

const ecl_source_form_t ecl_source_json = {"a JSON file", open_json, NULL};
