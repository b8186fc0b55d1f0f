#include "view_options.h"

#include "child.h"
#include "format.h"

static void add_text(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static const char *kind_of(int id, apr_pool_t *p)
{
    return apr_pstrcat(p, "option_", ecl_option_table[id].name, NULL);
}

/* A text of labels.json that need not be there; NULL: it is not. */
static const char *label_or_null(const char *kind, const char *code)
{
    json_object *labels = ecl_child_labels(kind), *label;

    return labels && json_object_object_get_ex(labels, code, &label) ? json_object_get_string(label)
                                                                     : NULL;
}

static json_object *choices_of(int id, const char *value, apr_pool_t *p)
{
    json_object *choices = json_object_new_array();

    for (int i = 0; ecl_option_table[id].choices[i]; i++) {
        const char *code = ecl_option_table[id].choices[i];
        const char *label = label_or_null(kind_of(id, p), code);

        if (label) {
            json_object *choice = json_object_new_object();

            add_text(choice, "value", code);
            add_text(choice, "label", label);
            json_object_object_add(choice, "selected",
                                   json_object_new_boolean(value && !strcmp(value, code)));
            json_object_array_add(choices, choice);
        }
    }
    return choices;
}

static json_object *field_of(int id, const char *value, apr_pool_t *p)
{
    json_object *field = json_object_new_object();
    const char *name = ecl_option_table[id].name, *hint = label_or_null("option_hint", name);

    add_text(field, "name", name);
    add_text(field, "label", ecl_child_label("option", name, p));
    add_text(field, "none", ecl_child_label("option_none", name, p));
    add_text(field, "value", value ? value : "");
    if (hint) {
        add_text(field, "hint", hint);
        add_text(field, "described_by", apr_pstrcat(p, "option_", name, "_hint", NULL));
    }
    json_object_object_add(field, "is_text",
                           json_object_new_boolean(!ecl_option_table[id].choices));
    if (ecl_option_table[id].choices) {
        json_object_object_add(field, "choices", choices_of(id, value, p));
    }
    return field;
}

/* The option that a refusal is about: "timezone: …"; -1: none. */
static int refused_option(const ecl_result_t *error, const char **pwhy)
{
    for (int id = 0; error && !strcmp(error->code, "bad-option") && id < ECL_OPTIONS; id++) {
        apr_size_t length = strlen(ecl_option_table[id].name);

        if (!strncmp(error->detail, ecl_option_table[id].name, length) &&
            !strncmp(error->detail + length, ": ", 2)) {
            *pwhy = error->detail + length + 2;
            return id;
        }
    }
    return -1;
}

const char *ecl_view_refusal(const ecl_result_t *error, apr_pool_t *p)
{
    const char *why;
    int id = refused_option(error, &why);

    return ecl_format_sentence(
        id < 0 ? error->detail
               : apr_pstrcat(p, ecl_child_label("option", ecl_option_table[id].name, p), ": ", why,
                             NULL),
        p);
}

static void mark_refused(json_object *field, int id, const char *why, apr_pool_t *p)
{
    const char *error = apr_pstrcat(p, "option_", ecl_option_table[id].name, "_error", NULL);
    json_object *hint;

    add_text(field, "error", ecl_format_sentence(why, p));
    add_text(field, "described_by",
             json_object_object_get_ex(field, "described_by", &hint)
                 ? apr_pstrcat(p, error, " ", json_object_get_string(hint), NULL)
                 : error);
}

json_object *ecl_view_option_fields(const char *const values[ECL_OPTIONS],
                                    const ecl_result_t *error, apr_pool_t *p)
{
    json_object *fields = json_object_new_array();
    const char *why;
    int refused = refused_option(error, &why);

    for (int id = 0; id < ECL_OPTIONS; id++) {
        json_object *field = field_of(id, values ? values[id] : NULL, p);

        if (id == refused) {
            mark_refused(field, id, why, p);
        }
        json_object_array_add(fields, field);
    }
    return fields;
}

json_object *ecl_view_options(json_object *options, apr_pool_t *p)
{
    json_object *array = json_object_new_array();
    const char *values[ECL_OPTIONS];

    ecl_options_read(options, values);
    for (int id = 0; id < ECL_OPTIONS; id++) {
        if (values[id]) {
            json_object *option = json_object_new_object();

            add_text(option, "name", ecl_option_table[id].name);
            add_text(option, "label", ecl_child_label("option", ecl_option_table[id].name, p));
            add_text(option, "value",
                     ecl_option_table[id].choices ? ecl_child_label(kind_of(id, p), values[id], p)
                                                  : values[id]);
            json_object_array_add(array, option);
        }
    }
    return array;
}

/* Of the choices of a field only those that the question offers. */
static void keep_offered(json_object *field, json_object *offered)
{
    json_object *choices = json_object_object_get(field, "choices");
    json_object *kept = json_object_new_array();

    for (apr_size_t i = 0; i < json_object_array_length(choices); i++) {
        json_object *choice = json_object_array_get_idx(choices, i);
        const char *value = json_object_get_string(json_object_object_get(choice, "value"));
        int is_offered = 0;

        for (apr_size_t k = 0; k < json_object_array_length(offered); k++) {
            const char *text = json_object_get_string(json_object_array_get_idx(offered, k));

            is_offered = is_offered || !strcmp(value, text);
        }
        if (is_offered) {
            json_object_array_add(kept, json_object_get(choice));
        }
    }
    json_object_object_add(field, "choices", kept);
}

static int has_question(json_object *summary)
{
    json_object *question, *option;

    return json_object_object_get_ex(summary, "question", &question) &&
           json_object_object_get_ex(question, "option", &option) &&
           ecl_option_find(json_object_get_string(option)) >= 0;
}

int ecl_view_asks(const ecl_job_t *job)
{
    json_object *parsed;
    int asks;

    if (job->status != ECL_JOB_FAILED || !job->stored_name || job->undo_requested ||
        job->undone_at) {
        return 0;
    }
    if (!job->summary_text) {
        return has_question(job->summary);
    }
    parsed = json_tokener_parse(job->summary_text); /* a job of a list: few have failed */
    asks = has_question(parsed);
    json_object_put(parsed);
    return asks;
}

void ecl_view_question(const ecl_job_t *job, const char *const values[ECL_OPTIONS],
                       const ecl_result_t *error, json_object *root, apr_pool_t *p)
{
    json_object *question, *part, *field;
    const char *had[ECL_OPTIONS];
    int id;

    if (!ecl_view_asks(job)) {
        return;
    }
    question = json_object_object_get(job->summary, "question");
    id = ecl_option_find(json_object_get_string(json_object_object_get(question, "option")));
    ecl_options_read(job->options, had);
    field = field_of(id, values && values[id] ? values[id] : had[id], p);
    if (json_object_object_get_ex(question, "text", &part)) {
        add_text(field, "text", json_object_get_string(part));
    }
    if (json_object_object_get_ex(question, "choices", &part) && ecl_option_table[id].choices) {
        keep_offered(field, part);
    }
    json_object_object_add(
        field, "given",
        json_object_new_boolean(json_object_object_get_ex(question, "given", &part) &&
                                json_object_get_boolean(part)));
    if (error) {
        add_text(field, "error", ecl_view_refusal(error, p));
    }
    json_object_object_add(root, "question", field);
}
