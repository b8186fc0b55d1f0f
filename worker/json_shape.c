#include "json_shape.h"

#include "meter.h"
#include "serial.h"

#define ROOT 0
#define KEY_NAME "\001" /* of the node of a member's name */
#define KEY_STEP 5      /* minutes: times since 1970 that are names begin periods */

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
                              .joined = -1,
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

/* ---- names that say something ------------------------------------------------------------------
 */

/* Seconds or milliseconds since 1970 at which a period may begin. A serial number of ten digits,
 * or an MPAN, is hardly ever one. */
static int is_unix_key(const char *text, apr_size_t length)
{
    ecl_datetime_t stamp;

    return ecl_serial_parse_unix(text, length, &stamp) && !stamp.second &&
           stamp.minute % KEY_STEP == 0;
}

static ecl_json_key_t key_of(const ecl_json_event_t *event, apr_size_t room)
{
    ecl_datetime_t stamp;

    /* "00:30" is a name like any other */
    if (event->length < 8 || event->length >= room || event->text[0] < '0' ||
        event->text[0] > '9') {
        return ECL_JSON_PLAIN;
    }
    if (is_unix_key(event->text, event->length)) {
        return ECL_JSON_TIME;
    }
    if (ecl_meter_is_mpan(event->text, event->length)) {
        return ECL_JSON_METER;
    }
    return ecl_datetime_parse(event->text, event->length, ECL_ORDER_DMY, &stamp) ==
                       ECL_DATETIME_OK &&
                   stamp.has_date
               ? ECL_JSON_TIME
               : ECL_JSON_PLAIN;
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

/* What the name of a member says that is one of those which were made one node; NULL: it is none.
 */
static const char *joined_says(const ecl_json_shape_t *shape, int parent, const char *name)
{
    int joined = parent < 0 ? -1 : shape->nodes[parent]->joined;

    for (int i = 0; joined >= 0 && i < shape->nodes[joined]->name_count; i++) {
        if (!strcmp(shape->nodes[joined]->names[i], name)) {
            return shape->nodes[joined]->said[i];
        }
    }
    return NULL;
}

/* What such a name is called shows in its value: see take_number. */
static int is_number_of_element(const ecl_json_walk_t *walk, const ecl_json_event_t *event)
{
    return event->length && event->length < sizeof(walk->number) &&
           strspn(event->text, "0123456789") == event->length;
}

/* The member whose name is a number: of objects all are one node, as the elements of an array are.
 */
static apr_status_t take_number(ecl_json_walk_t *walk, int is_object, ecl_result_t *result)
{
    apr_status_t status = step(walk, is_object ? "" : walk->number, &walk->member, result);

    walk->number[0] = '\0';
    return status;
}

/* The member whose name was read. Names of one kind are one node; the first of an object says which
 * kind that is. */
static apr_status_t take_key(ecl_json_walk_t *walk, const ecl_json_event_t *event,
                             ecl_result_t *result)
{
    ecl_json_shape_t *shape = walk->shape;
    int parent = walk->places[walk->depth].node, child;
    const char *said = joined_says(shape, parent, event->text);
    ecl_json_key_t key = said ? ECL_JSON_CHANNEL : key_of(event, sizeof(walk->key));
    apr_status_t status;

    if (key == ECL_JSON_PLAIN && is_number_of_element(walk, event)) {
        apr_cpystrn(walk->number, event->text, sizeof(walk->number));
        walk->member = -1;
        return APR_SUCCESS;
    }
    child = key == ECL_JSON_PLAIN || parent < 0 ? -1 : find_child(shape, parent, -1, "");
    if (key == ECL_JSON_PLAIN || (child >= 0 && shape->nodes[child]->key != key)) {
        return step(walk, event->text, &walk->member, result);
    }
    status = step(walk, "", &walk->member, result);
    if (status == APR_SUCCESS && child < 0 && walk->is_growing && walk->member >= 0 &&
        shape->count < ECL_JSON_NODES_MAX) {
        shape->nodes[walk->member]->key = key;
        add_child(shape, walk->member, KEY_NAME);
    }
    walk->is_key_new = walk->member >= 0 && shape->nodes[walk->member]->key == key;
    apr_cpystrn(walk->key, said ? said : event->text, sizeof(walk->key));
    return status;
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
    if (is_scalar && place->at > ECL_JSON_PLACES_MAX) {
        walk->node = -1;
        return APR_SUCCESS;
    }
    if (is_scalar) {
        apr_snprintf(name, sizeof(name), "%" APR_INT64_T_FMT, place->at);
    }
    status = step(walk, name, &walk->node, result);
    if (status == APR_SUCCESS && is_scalar && walk->node >= 0) {
        walk->shape->nodes[walk->node]->is_numbered = 1;
    }
    return status;
}

apr_int64_t ecl_json_element(const ecl_json_walk_t *walk, int *parray)
{
    const ecl_json_place_t *place = &walk->places[walk->depth];

    *parray = place->node;
    return walk->depth && place->is_array ? place->at : 0;
}

static void enter(ecl_json_walk_t *walk, int is_array, int is_numbered)
{
    int is_element =
        !walk->depth || walk->places[walk->depth].is_array || walk->is_keyed || is_numbered;

    if (walk->node >= 0 && walk->is_growing) {
        ecl_json_node_t *node = walk->shape->nodes[walk->node];

        *(is_array ? &node->arrays : &node->objects) += 1;
        node->is_element |= is_element;
    }
    if (is_element && !is_array) {
        for (int i = 1; i <= walk->depth; i++) {
            walk->places[i].has_objects = 1;
        }
    }
    walk->places[++walk->depth] = (ecl_json_place_t){
        .node = walk->node, .last = -1, .is_array = is_array, .is_element = is_element};
}

/* A text or number that may be a reading, or a part of one: what comes behind it comes late. */
static void note_list(ecl_json_walk_t *walk)
{
    for (int i = walk->depth; i > 0 && !walk->places[i].has_lists; i--) {
        walk->places[i].has_lists = 1;
    }
}

/* What, within the nearest element that the scalar in hand belongs to, came before it. */
static const ecl_json_place_t *element_in_hand(const ecl_json_walk_t *walk)
{
    int i = walk->depth;

    while (i > 1 && !walk->places[i].is_element) {
        i--;
    }
    return &walk->places[i];
}

static void note_text(ecl_json_node_t *node, const ecl_json_event_t *event)
{
    int is_cut = event->is_cut || event->length >= sizeof(node->first);

    if (is_cut || (node->first[0] && strcmp(node->first, event->text) != 0)) {
        node->is_constant = 0;
    }
    if (!node->first[0] && event->text[0]) {
        node->is_constant &= !(node->scalars + node->elements); /* null came before it */
        apr_cpystrn(node->first, event->text, sizeof(node->first));
    }
}

static void note_scalar(ecl_json_walk_t *walk, const ecl_json_event_t *event)
{
    const ecl_json_place_t *place = &walk->places[walk->depth], *element = element_in_hand(walk);
    ecl_json_node_t *node = walk->node >= 0 ? walk->shape->nodes[walk->node] : NULL;

    if (node) {
        note_text(node, event);
        node->scalars++;
        node->is_element |= walk->is_keyed;
        node->is_late |= element->has_objects;
        node->is_after_lists |= element->has_lists;
    }
    if (walk->depth && place->is_array && place->node >= 0) {
        node = walk->shape->nodes[place->node];
        note_text(node, event);
        node->elements++;
    }
}

static void note_key(const ecl_json_walk_t *walk)
{
    const ecl_json_event_t name = {.text = walk->key, .length = strlen(walk->key)};
    int index = walk->shape->nodes[walk->node]->first_child;

    if (index >= 0) {
        note_text(walk->shape->nodes[index], &name);
        walk->shape->nodes[index]->scalars++;
    }
}

apr_status_t ecl_json_walk(ecl_json_walk_t *walk, const ecl_json_event_t *event,
                           ecl_result_t *result)
{
    int is_scalar = event->kind == ECL_JSON_STRING || event->kind == ECL_JSON_NUMBER ||
                    event->kind == ECL_JSON_WORD || event->kind == ECL_JSON_NULL;
    int is_numbered = walk->number[0] && event->kind == ECL_JSON_OBJECT;
    apr_status_t status;

    walk->is_keyed = walk->is_key_new;
    walk->is_key_new = 0;
    if (walk->number[0] && (status = take_number(walk, is_numbered, result)) != APR_SUCCESS) {
        return status;
    }
    switch (event->kind) {
    case ECL_JSON_KEY:
        status = take_key(walk, event, result);
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
    if (walk->is_keyed && walk->is_growing) {
        note_key(walk);
    }
    if (!is_scalar) {
        enter(walk, event->kind == ECL_JSON_ARRAY, is_numbered);
        return APR_SUCCESS;
    }
    if (walk->is_growing) {
        note_scalar(walk, event);
        if (walk->is_keyed || (walk->depth && walk->places[walk->depth].is_array)) {
            note_list(walk);
        }
    }
    return APR_SUCCESS;
}

/* ---- scopes ------------------------------------------------------------------------------------
 */

int ecl_json_is_within(const ecl_json_shape_t *shape, int node, int above)
{
    while (node >= 0 && node != above) {
        node = shape->nodes[node]->parent;
    }
    return node == above;
}

int ecl_json_scope(const ecl_json_shape_t *shape, int node)
{
    int at = shape->nodes[node]->parent;

    while (at > ROOT && !shape->nodes[at]->is_element) {
        at = shape->nodes[at]->parent;
    }
    return at < 0 ? ROOT : at;
}

void ecl_json_settle(ecl_json_shape_t *shape)
{
    /* a text that is the same wherever it stands, and stands in every one of its elements */
    for (int i = 1; i < shape->count; i++) {
        ecl_json_node_t *node = shape->nodes[i];
        int scope = ecl_json_scope(shape, i);

        node->is_constant =
            node->is_constant &&
            node->scalars == shape->nodes[scope]->objects + shape->nodes[scope]->arrays +
                                 (shape->nodes[scope]->key ? shape->nodes[scope]->scalars : 0);
    }
}

/* ---- members that are one node -----------------------------------------------------------------
 */

static void unlink_child(ecl_json_shape_t *shape, int parent, int child)
{
    ecl_json_node_t *above = shape->nodes[parent];
    int before = -1;

    for (int i = above->first_child; i != child; i = shape->nodes[i]->next) {
        before = i;
    }
    if (before < 0) {
        above->first_child = shape->nodes[child]->next;
    } else {
        shape->nodes[before]->next = shape->nodes[child]->next;
    }
    above->last_child = above->last_child == child ? before : above->last_child;
    shape->nodes[child]->next = -1;
    shape->nodes[child]->parent = -1;
}

static void link_child(ecl_json_shape_t *shape, int parent, int child)
{
    ecl_json_node_t *above = shape->nodes[parent];

    if (above->last_child >= 0) {
        shape->nodes[above->last_child]->next = child;
    } else {
        above->first_child = child;
    }
    above->last_child = child;
    shape->nodes[child]->parent = parent;
}

/* Adds what was seen of one node, and below it, to another. */
static void merge(ecl_json_shape_t *shape, int to, int from)
{
    ecl_json_node_t *a = shape->nodes[to], *b = shape->nodes[from];

    a->is_constant = a->is_constant && b->is_constant && !strcmp(a->first, b->first);
    if (!a->first[0]) {
        memcpy(a->first, b->first, sizeof(a->first));
    }
    a->objects += b->objects;
    a->arrays += b->arrays;
    a->scalars += b->scalars;
    a->elements += b->elements;
    a->is_element |= b->is_element;
    a->is_numbered |= b->is_numbered;
    a->is_late |= b->is_late;
    a->is_after_lists |= b->is_after_lists;
    for (int child = b->first_child, next; child >= 0; child = next) {
        int same = find_child(shape, to, -1, shape->nodes[child]->name);

        next = shape->nodes[child]->next;
        unlink_child(shape, from, child);
        if (same < 0) {
            link_child(shape, to, child);
        } else {
            merge(shape, same, child);
        }
    }
    /* nobody comes by it any more */
    b->objects = b->arrays = b->scalars = b->elements = 0;
    b->is_element = 0;
}

/* The node that stands for the names: the first child. */
static void add_name(ecl_json_shape_t *shape, int node)
{
    ecl_json_node_t *joined = shape->nodes[node], *name;
    int first = joined->first_child, index = add_child(shape, node, KEY_NAME);

    if (first >= 0) {
        unlink_child(shape, node, index);
        shape->nodes[index]->parent = node;
        shape->nodes[index]->next = first;
        joined->first_child = index;
    }
    name = shape->nodes[index];
    apr_cpystrn(name->first, joined->said[0], sizeof(name->first));
    name->is_constant = joined->name_count == 1;
    name->scalars = joined->objects + joined->arrays;
}

void ecl_json_join(ecl_json_shape_t *shape, const int *members, const char *const *said, int count)
{
    ecl_json_node_t *joined = shape->nodes[members[0]];
    const char **names = apr_palloc(shape->pool, (apr_size_t)count * sizeof(*names));

    for (int i = 0; i < count; i++) {
        names[i] = shape->nodes[members[i]]->name;
        if (i) {
            unlink_child(shape, joined->parent, members[i]);
            merge(shape, members[0], members[i]);
        }
    }
    joined->name = "";
    joined->key = ECL_JSON_CHANNEL;
    joined->is_element = 1;
    joined->names = names;
    joined->said = apr_pmemdup(shape->pool, said, (apr_size_t)count * sizeof(*said));
    joined->name_count = count;
    shape->nodes[joined->parent]->joined = members[0];
    add_name(shape, members[0]);
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
    status = ecl_json_choose_rows(shape, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    *pshape = shape;
    return APR_SUCCESS;
}
