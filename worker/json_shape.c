#include "../lib/utf8.h"
#include "json_shape.h"

#include "words.h"

#define ROOT 0
#define SMALLEST_DAY 46 /* values in an object: it is a day of half-hours */

/* ---- the tree ----------------------------------------------------------------------------------
 */

static int find_child(const ecl_json_shape_t *shape, int parent, int after, const char *name)
{
    const ecl_json_node_t *node = shape->nodes[parent];
    int start = after >= 0 ? shape->nodes[after]->next : node->first_child;

    for (int i = start; i >= 0; i = shape->nodes[i]->next) {
        if (!strcmp(shape->nodes[i]->name, name)) {
            return i;
        }
    }
    for (int i = node->first_child; i >= 0 && i != start; i = shape->nodes[i]->next) {
        if (!strcmp(shape->nodes[i]->name, name)) {
            return i;
        }
    }
    return -1;
}

static int add_child(ecl_json_shape_t *shape, int parent, const char *name)
{
    ecl_json_node_t *node = apr_pcalloc(shape->pool, sizeof(*node));
    int index = shape->count++;

    *node = (ecl_json_node_t){.parent = parent,
                              .first_child = -1,
                              .last_child = -1,
                              .next = -1,
                              .name = apr_pstrdup(shape->pool, name),
                              .column = -1,
                              .is_constant = 1};
    shape->nodes[index] = node;
    if (parent >= 0) {
        ecl_json_node_t *above = shape->nodes[parent];

        if (above->last_child >= 0) {
            shape->nodes[above->last_child]->next = index;
        } else {
            above->first_child = index;
        }
        above->last_child = index;
    }
    return index;
}

/* ---- following events --------------------------------------------------------------------------
 */

void ecl_json_walk_start(ecl_json_walk_t *walk, ecl_json_shape_t *shape, int is_growing)
{
    *walk = (ecl_json_walk_t){.shape = shape, .is_growing = is_growing};
    walk->places[0] = (ecl_json_place_t){.node = ROOT, .last = -1};
}

/* The child of the place in hand. */
static apr_status_t step(ecl_json_walk_t *walk, const char *name, int *pnode, ecl_result_t *result)
{
    ecl_json_shape_t *shape = walk->shape;
    ecl_json_place_t *place = &walk->places[walk->depth];

    *pnode = place->node < 0 ? -1 : find_child(shape, place->node, place->last, name);
    if (*pnode < 0 && place->node >= 0 && walk->is_growing) {
        if (shape->count == ECL_JSON_NODES_MAX) {
            return ecl_fail(result, ECL_EINPUT, "bad-json",
                            "the JSON has more than %d members of different names: this is no list "
                            "of readings",
                            ECL_JSON_NODES_MAX);
        }
        *pnode = add_child(shape, place->node, name);
    }
    if (*pnode >= 0) {
        place->last = *pnode;
    }
    return APR_SUCCESS;
}

/* The node of the value that starts with an event. */
static apr_status_t find_value(ecl_json_walk_t *walk, int is_scalar, ecl_result_t *result)
{
    ecl_json_place_t *place = &walk->places[walk->depth];
    char name[24] = "";
    apr_status_t status;

    if (!walk->depth) {
        walk->node = ROOT;
        return APR_SUCCESS;
    }
    if (!place->is_array) {
        walk->node = walk->member;
        return APR_SUCCESS;
    }
    place->at++;
    if (is_scalar) {
        apr_snprintf(name, sizeof(name), "%" APR_INT64_T_FMT, place->at);
    }
    status = step(walk, name, &walk->node, result);
    if (status == APR_SUCCESS && is_scalar && walk->node >= 0) {
        walk->shape->nodes[walk->node]->is_numbered = 1;
    }
    return status;
}

static void enter(ecl_json_walk_t *walk, int is_array)
{
    int is_element = !is_array && (!walk->depth || walk->places[walk->depth].is_array);

    if (!is_array && walk->node >= 0 && walk->is_growing) {
        walk->shape->nodes[walk->node]->objects++;
        walk->shape->nodes[walk->node]->is_element |= is_element;
    }
    if (is_element) {
        for (int i = 1; i <= walk->depth; i++) {
            walk->places[i].has_objects = 1;
        }
    }
    walk->places[++walk->depth] =
        (ecl_json_place_t){.node = walk->node, .last = -1, .is_array = is_array};
}

/* Whether, within the nearest element that the scalar in hand belongs to, objects came before it.
 */
static int is_after_objects(const ecl_json_walk_t *walk)
{
    int i = walk->depth;

    while (i > 1 && (walk->places[i].is_array || !walk->places[i - 1].is_array)) {
        i--;
    }
    return walk->places[i].has_objects;
}

static void note_scalar(ecl_json_walk_t *walk, const ecl_json_event_t *event)
{
    ecl_json_node_t *node = walk->shape->nodes[walk->node];
    int is_cut = event->is_cut || event->length >= sizeof(node->first);

    if (!node->scalars++) {
        apr_cpystrn(node->first, event->text, sizeof(node->first));
    }
    if (is_cut || strcmp(node->first, event->text) != 0) {
        node->is_constant = 0;
    }
    node->is_late |= is_after_objects(walk);
}

apr_status_t ecl_json_walk(ecl_json_walk_t *walk, const ecl_json_event_t *event,
                           ecl_result_t *result)
{
    int is_scalar = event->kind == ECL_JSON_STRING || event->kind == ECL_JSON_NUMBER ||
                    event->kind == ECL_JSON_WORD || event->kind == ECL_JSON_NULL;
    apr_status_t status;

    switch (event->kind) {
    case ECL_JSON_KEY:
        status = step(walk, event->text, &walk->member, result);
        walk->node = walk->member;
        return status;
    case ECL_JSON_OBJECT_END:
    case ECL_JSON_ARRAY_END:
        walk->node = walk->places[walk->depth--].node;
        return APR_SUCCESS;
    default:
        status = find_value(walk, is_scalar, result);
        break;
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    if (!is_scalar) {
        enter(walk, event->kind == ECL_JSON_ARRAY);
    } else if (walk->node >= 0 && walk->is_growing) {
        note_scalar(walk, event);
    }
    return APR_SUCCESS;
}

/* ---- which objects are rows --------------------------------------------------------------------
 */

int ecl_json_scope(const ecl_json_shape_t *shape, int node)
{
    int at = shape->nodes[node]->parent;

    while (at > ROOT && !shape->nodes[at]->is_element) {
        at = shape->nodes[at]->parent;
    }
    return at < 0 ? ROOT : at;
}

static int is_within(const ecl_json_shape_t *shape, int node, int above)
{
    while (node >= 0 && node != above) {
        node = shape->nodes[node]->parent;
    }
    return node == above;
}

/* 1 when no other element is within the node. */
static int is_innermost(const ecl_json_shape_t *shape, int node)
{
    for (int i = node + 1; i < shape->count; i++) {
        if (shape->nodes[i]->is_element && is_within(shape, i, node)) {
            return 0;
        }
    }
    return 1;
}

static ecl_role_t role_of(const ecl_json_node_t *node)
{
    int rank, is_utc;

    return ecl_header_role(node->name, strlen(node->name), &rank, &is_utc);
}

/* A date, and a value or as many scalars as a day has half-hours. */
static int has_readings(const ecl_json_shape_t *shape, int row)
{
    int has_date = 0, has_value = 0, scalars = 0;

    for (int i = row + 1; i < shape->count; i++) {
        ecl_role_t role = role_of(shape->nodes[i]);

        if (!shape->nodes[i]->scalars || !is_within(shape, i, row)) {
            continue;
        }
        scalars++;
        has_date |= role == ECL_ROLE_DATE || role == ECL_ROLE_START || role == ECL_ROLE_END ||
                    role == ECL_ROLE_TIME;
        has_value |= role == ECL_ROLE_VALUE || role == ECL_ROLE_TOTAL;
    }
    return has_date && (has_value || scalars > SMALLEST_DAY);
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

static apr_status_t find_row(ecl_json_shape_t *shape, ecl_result_t *result)
{
    int with_readings = -1, with_money = -1;

    shape->row = -1;
    for (int i = 0; i < shape->count; i++) {
        const ecl_json_node_t *node = shape->nodes[i];

        if (!node->objects || !node->is_element || !is_innermost(shape, i)) {
            continue;
        }
        if (shape->row < 0 || node->objects > shape->nodes[shape->row]->objects) {
            shape->row = i;
        }
        if (!has_readings(shape, i)) {
            continue;
        }
        if (is_about_money(shape, i)) {
            with_money = i;
        } else {
            if (with_readings >= 0) {
                return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                                "the JSON holds readings in several places (%.*s and %.*s): "
                                "upload them as files of their own",
                                ECL_CUT(60, path_of(shape, with_readings, shape->pool)),
                                ECL_CUT(60, path_of(shape, i, shape->pool)));
            }
            with_readings = i;
        }
    }
    if (shape->row < 0) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "the JSON holds no objects, such as {\"timestamp\": …, \"value\": …}: no "
                        "meter readings were recognised");
    }
    if (with_readings < 0 && with_money >= 0) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "the JSON holds prices (%.*s), not readings",
                        ECL_CUT(60, path_of(shape, with_money, shape->pool)));
    }
    shape->row = with_readings >= 0 ? with_readings : shape->row;
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

static void add_column(ecl_json_shape_t *shape, int index)
{
    ecl_json_node_t *node = shape->nodes[index];
    const char *name = node->name;

    if (node->is_numbered || is_name_taken(shape, name)) {
        name = apr_pstrcat(shape->pool, shape->nodes[node->parent]->name, "_", name, NULL);
    }
    node->column = shape->columns;
    shape->names[shape->columns] = name;
    shape->nodes_of[shape->columns++] = index;
}

/* It says of all rows below the element that it stands in. */
static int is_context(const ecl_json_shape_t *shape, int index)
{
    const ecl_json_node_t *node = shape->nodes[index];
    ecl_role_t role = role_of(node);

    return node->scalars && !node->is_numbered && !is_within(shape, index, shape->row) &&
           is_within(shape, shape->row, ecl_json_scope(shape, index)) &&
           (role == ECL_ROLE_METER || role == ECL_ROLE_SERIAL || role == ECL_ROLE_UNIT ||
            role == ECL_ROLE_CHANNEL) &&
           !is_name_taken(shape, node->name);
}

static void find_columns(ecl_json_shape_t *shape)
{
    for (int i = shape->row + 1; i < shape->count; i++) {
        if (shape->nodes[i]->scalars && is_within(shape, i, shape->row)) {
            add_column(shape, i);
        }
    }
    for (int i = 1; i < shape->count && shape->contexts < ECL_JSON_CONTEXTS_MAX; i++) {
        if (is_context(shape, i)) {
            add_column(shape, i);
            shape->contexts++;
        }
    }
}

/* A text that is the same wherever it stands, and stands in every one of its elements. */
static void settle_constants(ecl_json_shape_t *shape)
{
    for (int i = 1; i < shape->count; i++) {
        ecl_json_node_t *node = shape->nodes[i];
        int scope = ecl_json_scope(shape, i);

        node->is_constant = node->is_constant && node->scalars == shape->nodes[scope]->objects;
    }
}

apr_status_t ecl_json_shape_find(ecl_json_shape_t **pshape, const char *path, apr_pool_t *p,
                                 ecl_result_t *result)
{
    ecl_json_shape_t *shape = apr_pcalloc(p, sizeof(*shape));
    ecl_json_walk_t walk;
    ecl_json_event_t event;
    ecl_json_t *json;
    ecl_result_t trouble = ecl_result_make(p);
    apr_pool_t *reading;
    apr_status_t status;
    int is_broken_off;

    shape->pool = p;
    add_child(shape, -1, "");
    ecl_json_walk_start(&walk, shape, 1);
    apr_pool_create(&reading, p);
    status = ecl_json_open(&json, path, reading, &trouble);
    while (status == APR_SUCCESS) {
        status = ecl_json_next(json, &event, &trouble);
        if (status == APR_SUCCESS) {
            status = ecl_json_walk(&walk, &event, &trouble);
        }
    }
    apr_pool_destroy(reading);
    is_broken_off = status == ECL_EINPUT && !strcmp(trouble.code, "bad-json") && shape->count > 1 &&
                    shape->count < ECL_JSON_NODES_MAX;
    if (!APR_STATUS_IS_EOF(status) && !is_broken_off) {
        return ecl_fail(result, status, trouble.code, "%s", trouble.detail);
    }
    status = find_row(shape, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    find_columns(shape);
    if (!shape->columns) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "the JSON's objects have no members: no meter readings were recognised");
    }
    settle_constants(shape);
    *pshape = shape;
    return APR_SUCCESS;
}
