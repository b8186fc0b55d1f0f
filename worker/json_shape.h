/*
 * What a JSON file's members are called and where they stand: found in one pass over the whole
 * file, so that a member which follows the readings (the unit, at the end) is known before them.
 *
 *   {"unit": "kWh", "devices": [{"mpan": "…", "values": [{"timestamp": "…", "value": 0.1}, …]}]}
 *
 * Each place is a node of a tree, whatever number of times it occurs: "unit", "devices", an element
 * of "devices", its "mpan" … A row is an object in an array (or in the file itself) which has no
 * such objects within it. Of what stands around a row only the names of meter, channel and unit
 * matter; those become columns too.
 */
#ifndef ECL_JSON_SHAPE_H
#define ECL_JSON_SHAPE_H

#include "json_events.h"

#define ECL_JSON_NODES_MAX 1024
#define ECL_JSON_CONTEXT_MAX 200 /* bytes of a text around a row, and NUL */
#define ECL_JSON_CONTEXTS_MAX 16

typedef struct ecl_json_node_t {
    int parent, first_child, last_child, next; /* indexes; -1: none */
    const char *name;                          /* "" for the elements of an array */
    int is_element;                            /* an object that is an array's element, or stands by
                                                  itself; or the texts and numbers of an array */
    apr_int64_t objects, scalars;              /* how often it was one */
    int column;                                /* -1: none */
    int is_numbered;                           /* a scalar of an array: its name is its place */
    /* of a scalar: what it said first, and whether it always said so */
    char first[ECL_JSON_CONTEXT_MAX];
    int is_constant;
    int is_late; /* once at least it came after objects of an array beside it */
} ecl_json_node_t;

typedef struct ecl_json_shape_t {
    apr_pool_t *pool;
    ecl_json_node_t *nodes[ECL_JSON_NODES_MAX]; /* 0: the file itself */
    int count;
    int row;                          /* the node of the rows */
    int columns, contexts;            /* the last `contexts` of the columns stand around the rows */
    int nodes_of[ECL_JSON_NODES_MAX]; /* by column */
    const char *names[ECL_JSON_NODES_MAX];
} ecl_json_shape_t;

/* Where a reader of events stands in the tree. */
typedef struct ecl_json_place_t {
    int node; /* of the array or object */
    int last; /* its child met last: members mostly come in the same order */
    int is_array;
    apr_int64_t at;  /* elements so far */
    int has_objects; /* objects of an array beside or below were met */
} ecl_json_place_t;

typedef struct ecl_json_walk_t {
    ecl_json_shape_t *shape;
    int is_growing; /* nodes that are not there are made */
    int depth;
    ecl_json_place_t places[ECL_JSON_DEPTH_MAX + 1];
    int member; /* the node of the key just read */
    int node;   /* the node that the last event was about; -1: one that is not in the tree */
} ecl_json_walk_t;

void ecl_json_walk_start(ecl_json_walk_t *walk, ecl_json_shape_t *shape, int is_growing);

/* Follows an event. ECL_EINPUT, "bad-json": more than ECL_JSON_NODES_MAX different members. */
apr_status_t ecl_json_walk(ecl_json_walk_t *walk, const ecl_json_event_t *event,
                           ecl_result_t *result);

/* ECL_EINPUT, with a sentence: it can't be read, has no objects, or readings in several places. A
 * file that breaks off behind its first row has the shape of what can be read. */
apr_status_t ecl_json_shape_find(ecl_json_shape_t **pshape, const char *path, apr_pool_t *p,
                                 ecl_result_t *result);

/* The nearest element that a node stands in: the node's value is that one's, and no other's. */
int ecl_json_scope(const ecl_json_shape_t *shape, int node);

#endif /* ECL_JSON_SHAPE_H */
