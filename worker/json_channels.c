/*
 * Members of a JSON file that are called as channels are, and hold readings each:
 *
 *   {"mpan": "…", "import": [{…}, …], "export": [{…}, …]}
 */
#include "json_shape.h"

#include <apr_lib.h>

#include "words.h"

#define ROOT 0
#define MEMBERS_MAX 16

/* A member's name word by word, without those for readings: "import" of "importReadings". */
static const char *words_of_name(const ecl_json_shape_t *shape, int node)
{
    static const char *const nothing[] = {"readings", "reading", "values", "data",
                                          "series",   "records", "list"};
    const char *name = shape->nodes[node]->name, *said = "";
    char *words = apr_palloc(shape->pool, 2 * strlen(name) + 1), *to = words, *word, *state;

    for (const char *at = name; *at; at++) {
        if (at > name && apr_isupper(*at) && apr_islower(at[-1])) {
            *to++ = ' ';
        }
        *to++ = *at == '_' || *at == '-' ? ' ' : *at;
    }
    *to = '\0';
    for (word = apr_strtok(words, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        int is_nothing = 0;

        for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
            is_nothing = is_nothing || !strcasecmp(word, nothing[i]);
        }
        if (!is_nothing) {
            said = apr_pstrcat(shape->pool, said, *said ? " " : "", word, NULL);
        }
    }
    return said;
}

/* What the name of a member says, if that is a channel: "import", "export kwh", "generation". NULL:
 * it does not. */
static const char *said_by_member(const ecl_json_shape_t *shape, int node, const char **pchannel)
{
    const char *said = words_of_name(shape, node);
    apr_size_t length = strlen(said);

    *pchannel = length > 1 ? ecl_channel_of(said, length) : NULL;
    return *pchannel && (*pchannel[0] || *pchannel == ecl_channel_own) && length < ECL_JSON_KEY_MAX
               ? said
               : NULL;
}

/* The nearest member around readings that is called as a channel is, rather one whose name says a
 * direction: "export" of {"export": {"consumption": […]}}. -1: there is none. */
static int find_member(const ecl_json_shape_t *shape, int place)
{
    int found = -1;

    for (int i = place; i > ROOT; i = shape->nodes[i]->parent) {
        const char *channel, *said = said_by_member(shape, i, &channel);

        if (said && (channel == ecl_channel_own || ecl_channel_has_direction(said, strlen(said)))) {
            return i;
        }
        found = said && found < 0 ? i : found;
    }
    return found;
}

/* Whether two places are the same below two members. */
static int are_alike(const ecl_json_shape_t *shape, int a, int member, int b, int other)
{
    while (a != member && b != other) {
        const ecl_json_node_t *x = shape->nodes[a], *y = shape->nodes[b];

        if (x->key != y->key || strcmp(x->name, y->name) != 0) {
            return 0;
        }
        a = x->parent;
        b = y->parent;
    }
    return a == member && b == other;
}

static int has_child(const ecl_json_shape_t *shape, int node, const char *name)
{
    for (int i = shape->nodes[node]->first_child; i >= 0; i = shape->nodes[i]->next) {
        if (!strcmp(shape->nodes[i]->name, name)) {
            return 1;
        }
    }
    return 0;
}

/* Whether a name is of a time or a value: also of one that is known by its unit or channel. */
static int is_of_reading(const char *name)
{
    apr_size_t length = strlen(name);
    int rank, is_utc;

    switch (ecl_header_role(name, length, &rank, &is_utc)) {
    case ECL_ROLE_DATE:
    case ECL_ROLE_START:
    case ECL_ROLE_END:
    case ECL_ROLE_TIME:
    case ECL_ROLE_PERIOD:
    case ECL_ROLE_VALUE:
        return 1;
    default:
        return ecl_unit_is_known(ecl_unit_in_header(name, length)) || ecl_channel_of(name, length);
    }
}

/* Whether what is a time or a value in one place has the same name in the other. */
static int has_names_of(const ecl_json_shape_t *shape, int place, int other)
{
    for (int i = shape->nodes[other]->first_child; i >= 0; i = shape->nodes[i]->next) {
        const char *name = shape->nodes[i]->name;

        if (is_of_reading(name) && !has_child(shape, place, name)) {
            return 0;
        }
    }
    return 1;
}

/* Two members of one object whose names state the same unit, or none. */
static int are_beside(const ecl_json_node_t *a, const ecl_json_node_t *b)
{
    return a->parent == b->parent && ecl_unit_in_header(a->name, strlen(a->name)) ==
                                         ecl_unit_in_header(b->name, strlen(b->name));
}

int ecl_json_join_channels(ecl_json_shape_t *shape, const int *places, int count)
{
    int members[MEMBERS_MAX];
    const char *said[MEMBERS_MAX], *channels[MEMBERS_MAX];

    for (int i = 0; i < count && i < MEMBERS_MAX; i++) {
        members[i] = find_member(shape, places[i]);
        if (members[i] < 0 || !are_beside(shape->nodes[members[i]], shape->nodes[members[0]]) ||
            !are_alike(shape, places[0], members[0], places[i], members[i]) ||
            !has_names_of(shape, places[0], places[i]) ||
            !has_names_of(shape, places[i], places[0])) {
            return 0;
        }
        said[i] = said_by_member(shape, members[i], &channels[i]);
        for (int k = 0; k < i; k++) {
            if (!strcmp(channels[k], channels[i])) {
                return 0;
            }
        }
    }
    if (!count || count > MEMBERS_MAX || (count == 1 && !strcmp(channels[0], "AI"))) {
        return 0;
    }
    ecl_json_join(shape, members, said, count);
    return 1;
}
