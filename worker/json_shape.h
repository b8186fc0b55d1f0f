/*
 * What a JSON file's members are called and where they stand: found in one pass over the whole
 * file, so that a member which follows the readings (the unit, at the end) is known before them.
 *
 *   {"unit": "kWh", "devices": [{"mpan": "…", "values": [{"timestamp": "…", "value": 0.1}, …]}]}
 *
 * Each place is a node of a tree, whatever number of times it occurs: "unit", "devices", an element
 * of "devices", its "mpan" … What is a row of readings is decided from it (json_rows.c):
 *
 *   an object in an array, or in the file itself   [{"timestamp": "…", "value": 0.1}, …]
 *   an array in an array                           {"data": [["…", 0.1], …]}
 *   a value whose name is a time                   {"readings": {"2026-02-01T00:00Z": 0.1, …}}
 *   the nth elements of arrays side by side        {"timestamps": ["…", …], "values": [0.1, …]}
 *
 * An object that is a member is such an element, too, where its name is a number:
 * {"1": {"period": 1, "kwh": 0.1}, "2": …}.
 * Members whose names are times, or MPANs, are one node, and the name is a text of its own. So are
 * members beside each other that hold readings each and are called as channels are: "import",
 * "export".
 * Of what stands around a row only the names of meter, channel and unit matter, and the date where
 * the row has none; those become columns too.
 */
#ifndef ECL_JSON_SHAPE_H
#define ECL_JSON_SHAPE_H

#include "json_events.h"

#define ECL_JSON_NODES_MAX 1024
#define ECL_JSON_CONTEXT_MAX 200 /* bytes of a text around a row, and NUL */
#define ECL_JSON_CONTEXTS_MAX 16
#define ECL_JSON_PLACES_MAX 400 /* elements of an array that are nodes; further ones are none */
#define ECL_JSON_LISTS_MAX 8    /* arrays side by side that are columns */
#define ECL_JSON_KEY_MAX 64     /* bytes of a name that says something, and NUL */

/* What the name of a member says by itself. */
typedef enum ecl_json_key_t {
    ECL_JSON_PLAIN,
    ECL_JSON_TIME,
    ECL_JSON_METER,
    ECL_JSON_CHANNEL
} ecl_json_key_t;

typedef struct ecl_json_node_t {
    int parent, first_child, last_child, next; /* indexes; -1: none */
    const char *name;                          /* "" for the elements of an array, and members whose
                                                  names are times or meters: */
    ecl_json_key_t key;                        /* then its first child stands for the name */
    int joined;               /* its child of such names that are channels; -1: there is none */
    const char *const *names; /* of that child: its members' names, */
    const char *const *said;  /* what they say, */
    int name_count;           /* and how many there are */
    int is_element;           /* an object or array that is an array's element, or
                                 stands by itself, or has such a name */
    apr_int64_t objects, arrays, scalars; /* how often it was one */
    apr_int64_t elements;                 /* texts and numbers in it as an array */
    int column;                           /* -1: none */
    int is_numbered;                      /* a scalar of an array: its name is its place */
    /* of a scalar, or of an array's elements: what it said first, and whether it always said so */
    char first[ECL_JSON_CONTEXT_MAX];
    int is_constant;
    int is_late;        /* once at least it came after objects of an array beside it, */
    int is_after_lists; /* or after texts and numbers in one */
} ecl_json_node_t;

/* What a row is, see above. */
typedef enum ecl_json_rows_t {
    ECL_JSON_ROW_OBJECT,
    ECL_JSON_ROW_ARRAY,
    ECL_JSON_ROW_SCALAR,
    ECL_JSON_ROW_ACROSS /* row is the node that the arrays are members of */
} ecl_json_rows_t;

typedef struct ecl_json_shape_t {
    apr_pool_t *pool;
    ecl_json_node_t *nodes[ECL_JSON_NODES_MAX]; /* 0: the file itself */
    int count;
    ecl_json_rows_t rows;
    int row;                          /* the node of the rows */
    int names_are_first;              /* the first array has the names of the columns, */
    int columns, contexts;            /* the last `contexts` of the columns stand around the rows */
    int nodes_of[ECL_JSON_NODES_MAX]; /* by column */
    const char *names[ECL_JSON_NODES_MAX];
} ecl_json_shape_t;

/* Where a reader of events stands in the tree. */
typedef struct ecl_json_place_t {
    int node; /* of the array or object */
    int last; /* its child met last: members mostly come in the same order */
    int is_array;
    apr_int64_t at; /* elements so far */
    int is_element;
    int has_objects; /* objects of an array beside or below were met, */
    int has_lists;   /* or texts and numbers in one */
} ecl_json_place_t;

typedef struct ecl_json_walk_t {
    ecl_json_shape_t *shape;
    int is_growing; /* nodes that are not there are made */
    int depth;
    ecl_json_place_t places[ECL_JSON_DEPTH_MAX + 1];
    int member;   /* the node of the key just read */
    int node;     /* the node that the last event was about; -1: one that is not in the tree */
    int is_keyed; /* the last event began the value of a member whose name is a time or a meter: */
    char key[ECL_JSON_KEY_MAX]; /* this one */
    int is_key_new;             /* the value of that name is still to come */
    char number[8]; /* a name that is a number, whose value is still to come; "": there is none */
} ecl_json_walk_t;

void ecl_json_walk_start(ecl_json_walk_t *walk, ecl_json_shape_t *shape, int is_growing);

/* Follows an event. ECL_EINPUT, "bad-json": more than ECL_JSON_NODES_MAX different members. */
apr_status_t ecl_json_walk(ecl_json_walk_t *walk, const ecl_json_event_t *event,
                           ecl_result_t *result);

/* What an element's place in its array is, from 1, and that array: of the last event, a scalar. 0:
 * it is no element. */
apr_int64_t ecl_json_element(const ecl_json_walk_t *walk, int *parray);

/* ECL_EINPUT, with a sentence: it can't be read, has no readings, or some in several places, or
 * numbers in arrays that nothing tells apart ("no-header"). A file that breaks off behind its first
 * row has the shape of what can be read. */
apr_status_t ecl_json_shape_find(ecl_json_shape_t **pshape, const char *path, apr_pool_t *p,
                                 ecl_result_t *result);

/* Makes one node of members of one object, in place of the first; what their names say are texts of
 * a column, said[i] for members[i]. Before ecl_json_settle. */
void ecl_json_join(ecl_json_shape_t *shape, const int *members, const char *const *said, int count);

/* Joins the members that `places`, which have readings, stand in, if each has them in the same way
 * and is called as another channel. A single one only if that is no import: "export". 1: it did. */
int ecl_json_join_channels(ecl_json_shape_t *shape, const int *places, int count);

/* Sets is_constant, when the tree is complete. */
void ecl_json_settle(ecl_json_shape_t *shape);

/* The nearest element that a node stands in: the node's value is that one's, and no other's. */
int ecl_json_scope(const ecl_json_shape_t *shape, int node);

/* Whether a node is another, or stands in it. */
int ecl_json_is_within(const ecl_json_shape_t *shape, int node, int above);

/* Decides what a row is, and which nodes are its columns: for ecl_json_shape_find. */
apr_status_t ecl_json_choose_rows(ecl_json_shape_t *shape, ecl_result_t *result);

#endif /* ECL_JSON_SHAPE_H */
