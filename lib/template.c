/*
 * Mustache: text → tree of nodes (compile, once) → pieces of text (render, per request).
 *
 * The compiler walks the text from tag to tag and appends nodes to the innermost open section.
 * Nodes point into the template's text; nothing is copied but names.
 *
 * Indentation of a standalone partial belongs to every line of the partial's own text but not to
 * the lines of data put into it, so it can't be added to the output afterwards: each text node
 * knows whether it begins a line, and the renderer writes the indentation there.
 */
#include <stdint.h>

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_hash.h>

#include "template.h"

#define MAX_NESTING 64
#define ENDING ".mustache"

typedef enum node_kind_t {
    NODE_TEXT,
    NODE_VARIABLE, /* escaped */
    NODE_RAW,      /* not escaped */
    NODE_SECTION,
    NODE_INVERTED,
    NODE_PARTIAL
} node_kind_t;

typedef struct node_t node_t;
typedef struct template_t template_t;

struct node_t {
    node_kind_t kind;
    int begins_line;   /* text: the first byte is the first of a line */
    const char *text;  /* text: itself; partial: its indentation */
    apr_size_t length; /* of text */
    const char *name;  /* as written in the tag */
    const char **keys; /* name, split at its dots; none for "." */
    int key_count;
    node_t *child;            /* section, inverted: the first node inside */
    const template_t *target; /* partial: NULL when there is no such template */
    node_t *next;
};

struct template_t {
    const char *name;
    node_t *first;
};

struct ecl_templates_t {
    apr_pool_t *pool;
    apr_hash_t *by_name;
    node_t **partials; /* found while compiling; linked when all templates are known */
    int partial_count, partial_room;
};

/* ---- compiling ------------------------------------------------------------------------------- */

typedef struct open_section_t {
    node_t *node;
    const char *at;      /* its tag in the text, for error messages */
    node_t **outer_tail; /* where the section's successor goes */
} open_section_t;

typedef struct compiler_t {
    ecl_templates_t *set;
    const char *name;
    const char *text, *end;
    const char *pos; /* everything before it is compiled */
    const char *open, *close;
    node_t **tail; /* where the next node goes */
    open_section_t sections[MAX_NESTING];
    int depth;
    ecl_result_t *result;
} compiler_t;

typedef struct tag_t {
    char sigil;              /* one of # ^ / > ! = & or { ; 0 for a plain name */
    const char *start, *end; /* the tag with its delimiters */
    const char *name;        /* trimmed content after the sigil */
} tag_t;

static int line_of(const compiler_t *c, const char *at)
{
    int line = 1;
    const char *s;

    for (s = c->text; s < at; s++) {
        line += *s == '\n';
    }
    return line;
}

static apr_status_t syntax_error(compiler_t *c, const char *at, const char *what)
{
    return ecl_fail(c->result, ECL_ECONFIG, "template-syntax", "%s line %d: %s", c->name,
                    line_of(c, at), what);
}

static node_t *append(compiler_t *c, node_kind_t kind)
{
    node_t *node = apr_pcalloc(c->set->pool, sizeof *node);

    node->kind = kind;
    *c->tail = node;
    c->tail = &node->next;
    return node;
}

static int begins_line(const compiler_t *c, const char *at)
{
    return at == c->text || at[-1] == '\n';
}

static void append_text(compiler_t *c, const char *from, const char *to)
{
    node_t *node = append(c, NODE_TEXT);

    node->text = from;
    node->length = to - from;
    node->begins_line = begins_line(c, from);
}

/* Appends the text up to `to`. keep_empty: a tag follows in the same line, so that the line's text
 * before it matters even when it is empty: it is where the indentation of a partial goes. */
static void append_text_until(compiler_t *c, const char *to, int keep_empty)
{
    if (to > c->pos) {
        append_text(c, c->pos, to);
    }
    if (keep_empty && begins_line(c, to)) {
        append_text(c, to, to);
    }
}

static int is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

static int is_space(char ch)
{
    return is_blank(ch) || ch == '\n' || ch == '\r' || ch == '\v' || ch == '\f';
}

static const char *trimmed(compiler_t *c, const char *from, const char *to)
{
    while (from < to && is_space(*from)) {
        from++;
    }
    while (from < to && is_space(to[-1])) {
        to--;
    }
    return apr_pstrmemdup(c->set->pool, from, to - from);
}

/* Reads the tag whose opening delimiter stands at `start`. */
static apr_status_t read_tag(compiler_t *c, const char *start, tag_t *tag)
{
    const char *content = start + strlen(c->open);
    const char *close = c->close, *closing;

    tag->start = start;
    tag->sigil = content < c->end && *content && strchr("#^/>!=&{", *content) ? *content : 0;
    if (tag->sigil) {
        content++;
    }
    if (tag->sigil == '{' || tag->sigil == '=') {
        close = apr_pstrcat(c->set->pool, tag->sigil == '{' ? "}" : "=", close, NULL);
    }
    closing = memmem(content, c->end - content, close, strlen(close));
    if (!closing) {
        return syntax_error(c, start,
                            apr_psprintf(c->set->pool, "this tag is not closed with %s", close));
    }
    tag->name = trimmed(c, content, closing);
    tag->end = closing + strlen(close);
    return APR_SUCCESS;
}

/* A tag that has its line to itself takes the line with it. Fills where that line begins and where
 * the next one does. */
static int is_standalone(const compiler_t *c, const tag_t *tag, const char **pline,
                         const char **pnext)
{
    const char *line = tag->start, *next = tag->end;

    if (!tag->sigil || tag->sigil == '&' || tag->sigil == '{') {
        return 0;
    }
    while (line > c->text && is_blank(line[-1])) {
        line--;
    }
    if (line > c->text && line[-1] != '\n') {
        return 0;
    }
    while (next < c->end && is_blank(*next)) {
        next++;
    }
    if (next < c->end && *next == '\r' && next + 1 < c->end && next[1] == '\n') {
        next++;
    }
    if (next < c->end && *next++ != '\n') {
        return 0;
    }
    *pline = line;
    *pnext = next;
    return 1;
}

/* Splits a name at its dots into node->keys. */
static apr_status_t set_name(compiler_t *c, const tag_t *tag, node_t *node)
{
    apr_pool_t *p = c->set->pool;
    const char *s, *dot;
    int count = 1;

    node->name = tag->name;
    if (!strcmp(tag->name, ".")) {
        return APR_SUCCESS;
    }
    for (s = tag->name; *s; s++) {
        if (is_space(*s)) {
            return syntax_error(c, tag->start, "a name has no blanks inside");
        }
        count += *s == '.';
    }
    node->keys = apr_palloc(p, count * sizeof *node->keys);
    for (s = tag->name; s; s = dot ? dot + 1 : NULL) {
        dot = strchr(s, '.');
        if (!*s || dot == s) {
            return syntax_error(c, tag->start, "a name is missing");
        }
        node->keys[node->key_count++] = dot ? apr_pstrmemdup(p, s, dot - s) : s;
    }
    return APR_SUCCESS;
}

static apr_status_t open_section(compiler_t *c, const tag_t *tag)
{
    node_t *node = append(c, tag->sigil == '#' ? NODE_SECTION : NODE_INVERTED);

    if (c->depth == MAX_NESTING) {
        return syntax_error(
            c, tag->start,
            apr_psprintf(c->set->pool, "sections are nested deeper than %d", MAX_NESTING));
    }
    c->sections[c->depth++] = (open_section_t){node, tag->start, c->tail};
    c->tail = &node->child;
    return set_name(c, tag, node);
}

static apr_status_t close_section(compiler_t *c, const tag_t *tag)
{
    const open_section_t *section;

    if (!c->depth) {
        return syntax_error(c, tag->start,
                            apr_psprintf(c->set->pool, "no section is open that %s/%s%s closes",
                                         c->open, tag->name, c->close));
    }
    section = &c->sections[--c->depth];
    if (strcmp(section->node->name, tag->name)) {
        return syntax_error(c, tag->start,
                            apr_psprintf(c->set->pool,
                                         "%s/%s%s found where the section %s of line %d is open",
                                         c->open, tag->name, c->close, section->node->name,
                                         line_of(c, section->at)));
    }
    c->tail = section->outer_tail;
    return APR_SUCCESS;
}

static apr_status_t append_partial(compiler_t *c, const tag_t *tag, const char *indentation)
{
    ecl_templates_t *set = c->set;
    node_t *node = append(c, NODE_PARTIAL), **more;

    if (!*tag->name) {
        return syntax_error(c, tag->start, "a name is missing");
    }
    node->name = tag->name;
    node->text = indentation;
    node->length = indentation ? tag->start - indentation : 0;
    if (set->partial_count == set->partial_room) {
        set->partial_room = set->partial_room ? 2 * set->partial_room : 16;
        more = apr_palloc(set->pool, set->partial_room * sizeof *more);
        if (set->partial_count) {
            memcpy(more, set->partials, set->partial_count * sizeof *more);
        }
        set->partials = more;
    }
    set->partials[set->partial_count++] = node;
    return APR_SUCCESS;
}

/* {{=<% %>=}} */
static apr_status_t set_delimiters(compiler_t *c, const tag_t *tag)
{
    char *rest = apr_pstrdup(c->set->pool, tag->name);
    const char *open = rest;

    while (*rest && !is_space(*rest)) {
        rest++;
    }
    if (*rest) {
        *rest++ = '\0';
    }
    while (is_space(*rest)) {
        rest++;
    }
    if (!*open || !*rest || strpbrk(rest, " \t\r\n\v\f=") || strchr(open, '=')) {
        return syntax_error(c, tag->start,
                            "two delimiters are expected, with a blank between and no '='");
    }
    c->open = open;
    c->close = rest;
    return APR_SUCCESS;
}

/* Appends what a tag stands for. indentation: the begin of its line if it is standalone. */
static apr_status_t compile_tag(compiler_t *c, const tag_t *tag, const char *indentation)
{
    switch (tag->sigil) {
    case '!':
        return APR_SUCCESS;
    case '=':
        return set_delimiters(c, tag);
    case '#':
    case '^':
        return open_section(c, tag);
    case '/':
        return close_section(c, tag);
    case '>':
        return append_partial(c, tag, indentation);
    default:
        return set_name(c, tag, append(c, tag->sigil ? NODE_RAW : NODE_VARIABLE));
    }
}

static apr_status_t compile(ecl_templates_t *set, const char *name, const char *file,
                            const char *text, apr_size_t length, ecl_result_t *result)
{
    template_t *template = apr_pcalloc(set->pool, sizeof *template);
    compiler_t c = {.set = set, .name = file, .text = text, .end = text + length, .pos = text};
    const char *start, *line, *next;
    tag_t tag;
    apr_status_t rv;

    c.open = "{{";
    c.close = "}}";
    c.tail = &template->first;
    c.result = result;
    while ((start = memmem(c.pos, c.end - c.pos, c.open, strlen(c.open)))) {
        if ((rv = read_tag(&c, start, &tag)) != APR_SUCCESS) {
            return rv;
        }
        if (is_standalone(&c, &tag, &line, &next)) {
            append_text_until(&c, line, 0);
        } else {
            append_text_until(&c, start, 1);
            line = NULL;
            next = tag.end;
        }
        if ((rv = compile_tag(&c, &tag, line)) != APR_SUCCESS) {
            return rv;
        }
        c.pos = next;
    }
    append_text_until(&c, c.end, 0);
    if (c.depth) {
        const open_section_t *section = &c.sections[c.depth - 1];
        return syntax_error(
            &c, section->at,
            apr_psprintf(set->pool, "the section %s is never closed", section->node->name));
    }
    template->name = apr_pstrdup(set->pool, name);
    apr_hash_set(set->by_name, template->name, APR_HASH_KEY_STRING, template);
    return APR_SUCCESS;
}

static ecl_templates_t *make_set(apr_pool_t *p)
{
    ecl_templates_t *set = apr_pcalloc(p, sizeof *set);

    set->pool = p;
    set->by_name = apr_hash_make(p);
    return set;
}

static void link_partials(ecl_templates_t *set)
{
    int i;

    for (i = 0; i < set->partial_count; i++) {
        node_t *node = set->partials[i];
        node->target = apr_hash_get(set->by_name, node->name, APR_HASH_KEY_STRING);
    }
}

apr_status_t ecl_templates_make(ecl_templates_t **pset, const char *const *names,
                                const char *const *texts, int count, apr_pool_t *p,
                                ecl_result_t *result)
{
    ecl_templates_t *set = make_set(p);
    apr_status_t rv;
    int i;

    for (i = 0; i < count; i++) {
        rv = compile(set, names[i], names[i], apr_pstrdup(p, texts[i]), strlen(texts[i]), result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    link_partials(set);
    *pset = set;
    return APR_SUCCESS;
}

/* ---- loading --------------------------------------------------------------------------------- */

static apr_status_t read_whole(const char *path, apr_pool_t *p, const char **ptext,
                               apr_size_t *plength)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_status_t rv;
    char *text;

    rv = apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_OS_DEFAULT, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    if (rv == APR_SUCCESS) {
        text = apr_palloc(p, (apr_size_t)info.size + 1);
        rv = apr_file_read_full(file, text, (apr_size_t)info.size, plength);
        *ptext = text;
        if (rv == APR_EOF && !info.size) {
            rv = APR_SUCCESS;
        }
    }
    apr_file_close(file);
    return rv;
}

static apr_status_t load_file(ecl_templates_t *set, const char *dir, const char *file,
                              ecl_result_t *result)
{
    const char *path = apr_pstrcat(set->pool, dir, "/", file, NULL);
    const char *name = apr_pstrmemdup(set->pool, file, strlen(file) - strlen(ENDING));
    const char *text = "";
    apr_size_t length = 0;
    apr_status_t rv = read_whole(path, set->pool, &text, &length);

    if (rv != APR_SUCCESS) {
        return ecl_fail(result, ECL_ECONFIG, "template-unreadable", "cannot read template %s: %s",
                        path, ecl_strerror(rv, set->pool));
    }
    return compile(set, name, path, text, length, result);
}

/* Names that begin with a dot are what editors leave beside the file being edited. */
static int is_template_name(const char *file)
{
    apr_size_t length = strlen(file), ending = strlen(ENDING);

    return *file != '.' && length > ending && !strcmp(file + length - ending, ENDING);
}

apr_status_t ecl_templates_load(ecl_templates_t **pset, const char *dir, apr_pool_t *p,
                                ecl_result_t *result)
{
    ecl_templates_t *set = make_set(p);
    apr_dir_t *entries;
    apr_finfo_t info;
    apr_status_t rv = apr_dir_open(&entries, dir, p);

    if (rv != APR_SUCCESS) {
        return ecl_fail(result, ECL_ECONFIG, "template-unreadable",
                        "cannot read the template directory %s: %s", dir, ecl_strerror(rv, p));
    }
    while ((rv = apr_dir_read(&info, APR_FINFO_NAME, entries)) == APR_SUCCESS ||
           rv == APR_INCOMPLETE) {
        if (is_template_name(info.name)) {
            rv = load_file(set, dir, apr_pstrdup(p, info.name), result);
            if (rv != APR_SUCCESS) {
                apr_dir_close(entries);
                return rv;
            }
        }
    }
    apr_dir_close(entries);
    if (!apr_hash_count(set->by_name)) {
        return ecl_fail(result, ECL_ECONFIG, "template-unreadable",
                        "the template directory %s has no file that ends in " ENDING, dir);
    }
    link_partials(set);
    *pset = set;
    return APR_SUCCESS;
}

/* ---- rendering ------------------------------------------------------------------------------- */

/* The context stack, innermost first; on the C stack. */
typedef struct context_t {
    json_object *value;
    const struct context_t *outer;
} context_t;

/* Indentations of the partials we are in, innermost first. */
typedef struct indent_t {
    const char *text;
    apr_size_t length;
    const struct indent_t *outer;
} indent_t;

typedef struct renderer_t {
    ecl_template_sink *sink;
    void *baton;
    ecl_result_t *result;
    int depth;
} renderer_t;

static apr_status_t render_nodes(renderer_t *r, const node_t *node, const context_t *context,
                                 const indent_t *indent);

static apr_status_t put(renderer_t *r, const char *text, apr_size_t length)
{
    return length ? r->sink(r->baton, text, length) : APR_SUCCESS;
}

static apr_status_t put_indent(renderer_t *r, const indent_t *indent)
{
    apr_status_t rv;

    if (!indent) {
        return APR_SUCCESS;
    }
    rv = put_indent(r, indent->outer);
    return rv == APR_SUCCESS ? put(r, indent->text, indent->length) : rv;
}

static apr_status_t render_text(renderer_t *r, const node_t *node, const indent_t *indent)
{
    const char *line = node->text, *end = node->text + node->length, *next;
    int begins_line = node->begins_line;
    apr_status_t rv = APR_SUCCESS;

    if (!indent) {
        return put(r, node->text, node->length);
    }
    do {
        next = memchr(line, '\n', end - line);
        next = next ? next + 1 : end;
        if (begins_line) {
            rv = put_indent(r, indent);
        }
        if (rv == APR_SUCCESS) {
            rv = put(r, line, next - line);
        }
        line = next;
        begins_line = 1;
    } while (rv == APR_SUCCESS && line < end);
    return rv;
}

static apr_status_t put_escaped(renderer_t *r, const char *text, apr_size_t length)
{
    const char *end = text + length, *run = text, *entity, *s;
    apr_status_t rv;

    for (s = text; s < end; s++) {
        switch (*s) {
        case '&':
            entity = "&amp;";
            break;
        case '<':
            entity = "&lt;";
            break;
        case '>':
            entity = "&gt;";
            break;
        case '"':
            entity = "&quot;";
            break;
        case '\'':
            entity = "&#39;";
            break;
        default:
            continue;
        }
        if ((rv = put(r, run, s - run)) != APR_SUCCESS ||
            (rv = put(r, entity, strlen(entity))) != APR_SUCCESS) {
            return rv;
        }
        run = s + 1;
    }
    return put(r, run, end - run);
}

/* The shortest decimal that reads back as the same double: 1.21, not 1.21 with noise behind it. */
static void print_double(double value, char *buffer, apr_size_t size)
{
    char *comma;
    int digits;

    for (digits = 15; digits <= 17; digits++) {
        snprintf(buffer, size, "%.*g", digits, value);
        if (strtod(buffer, NULL) == value) {
            break;
        }
    }
    /* another module of the server may have set a locale */
    comma = strchr(buffer, ',');
    if (comma) {
        *comma = '.';
    }
}

static apr_status_t render_value(renderer_t *r, json_object *value, int escape)
{
    char number[64];
    const char *text = number;
    apr_size_t length;

    switch (json_object_get_type(value)) {
    case json_type_null:
        return APR_SUCCESS;
    case json_type_string:
        text = json_object_get_string(value);
        length = json_object_get_string_len(value);
        break;
    case json_type_int:
        /* json-c keeps what exceeds an int64 as unsigned and answers INT64_MAX for it */
        if (json_object_get_int64(value) == INT64_MAX) {
            snprintf(number, sizeof number, "%" APR_UINT64_T_FMT,
                     (apr_uint64_t)json_object_get_uint64(value));
        } else {
            snprintf(number, sizeof number, "%" APR_INT64_T_FMT,
                     (apr_int64_t)json_object_get_int64(value));
        }
        length = strlen(number);
        break;
    case json_type_double:
        print_double(json_object_get_double(value), number, sizeof number);
        length = strlen(number);
        break;
    case json_type_boolean:
        text = json_object_get_boolean(value) ? "true" : "false";
        length = strlen(text);
        break;
    default:
        text = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &length);
        break;
    }
    return escape ? put_escaped(r, text, length) : put(r, text, length);
}

/* The first key is looked for from the innermost context outwards, the others only in what the one
 * before them is. Returns NULL when there is nothing, or null. */
static json_object *look_up(const node_t *node, const context_t *context)
{
    json_object *value = context->value;
    int i;

    if (!node->key_count) {
        return value;
    }
    for (; context; context = context->outer) {
        if (json_object_is_type(context->value, json_type_object) &&
            json_object_object_get_ex(context->value, node->keys[0], &value)) {
            break;
        }
    }
    if (!context) {
        return NULL;
    }
    for (i = 1; i < node->key_count; i++) {
        if (!json_object_is_type(value, json_type_object) ||
            !json_object_object_get_ex(value, node->keys[i], &value)) {
            return NULL;
        }
    }
    return value;
}

static int is_true(json_object *value)
{
    switch (json_object_get_type(value)) {
    case json_type_null:
        return 0;
    case json_type_boolean:
        return json_object_get_boolean(value);
    case json_type_int:
        return json_object_get_int64(value) != 0;
    case json_type_double:
        return json_object_get_double(value) != 0;
    case json_type_string:
        return json_object_get_string_len(value) > 0;
    case json_type_array:
        return json_object_array_length(value) > 0;
    default:
        return 1;
    }
}

static apr_status_t render_section(renderer_t *r, const node_t *node, const context_t *context,
                                   const indent_t *indent)
{
    json_object *value = look_up(node, context);
    context_t inner = {value, context};
    apr_size_t i, count;
    apr_status_t rv = APR_SUCCESS;

    if (is_true(value) == (node->kind == NODE_INVERTED)) {
        return APR_SUCCESS;
    }
    if (node->kind == NODE_INVERTED) {
        return render_nodes(r, node->child, context, indent);
    }
    if (!json_object_is_type(value, json_type_array)) {
        return render_nodes(r, node->child, &inner, indent);
    }
    count = json_object_array_length(value);
    for (i = 0; i < count && rv == APR_SUCCESS; i++) {
        inner.value = json_object_array_get_idx(value, i);
        rv = render_nodes(r, node->child, &inner, indent);
    }
    return rv;
}

static apr_status_t render_partial(renderer_t *r, const node_t *node, const context_t *context,
                                   const indent_t *indent)
{
    indent_t inner = {node->text, node->length, indent};

    if (!node->target) {
        return APR_SUCCESS;
    }
    return render_nodes(r, node->target->first, context, node->length ? &inner : indent);
}

static apr_status_t render_node(renderer_t *r, const node_t *node, const context_t *context,
                                const indent_t *indent)
{
    switch (node->kind) {
    case NODE_TEXT:
        return render_text(r, node, indent);
    case NODE_VARIABLE:
        return render_value(r, look_up(node, context), 1);
    case NODE_RAW:
        return render_value(r, look_up(node, context), 0);
    case NODE_PARTIAL:
        return render_partial(r, node, context, indent);
    default:
        return render_section(r, node, context, indent);
    }
}

static apr_status_t render_nodes(renderer_t *r, const node_t *node, const context_t *context,
                                 const indent_t *indent)
{
    apr_status_t rv = APR_SUCCESS;

    /* a partial may include itself, and data has no bottom that we could see beforehand */
    if (r->depth > MAX_NESTING) {
        return ecl_fail(r->result, ECL_EINPUT, "template-nesting",
                        "sections and partials are nested deeper than %d", MAX_NESTING);
    }
    r->depth++;
    for (; node && rv == APR_SUCCESS; node = node->next) {
        rv = render_node(r, node, context, indent);
    }
    r->depth--;
    return rv;
}

apr_status_t ecl_template_render(const ecl_templates_t *set, const char *name, json_object *data,
                                 ecl_template_sink *sink, void *baton, ecl_result_t *result)
{
    const template_t *template = apr_hash_get(set->by_name, name, APR_HASH_KEY_STRING);
    renderer_t r = {sink, baton, result, 0};
    context_t root = {data, NULL};

    if (!template) {
        return ecl_fail(result, ECL_ENOTFOUND, "template-not-found", "there is no template '%s'",
                        name);
    }
    return render_nodes(&r, template->first, &root, NULL);
}
