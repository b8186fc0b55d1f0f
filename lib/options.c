#include "options.h"

#include <apr_cstr.h>
#include <string.h>

#include "timezone.h"
#include "utf8.h"

#define ECL_CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})

const ecl_option_t ecl_option_table[ECL_OPTIONS] = {
#define ECL_OPTION_ROW(id, name, choices, help) {name, choices, help},
    ECL_OPTION_TABLE(ECL_OPTION_ROW)
#undef ECL_OPTION_ROW
};

int ecl_option_find(const char *name)
{
    for (int id = 0; id < ECL_OPTIONS; id++) {
        if (!strcmp(name, ecl_option_table[id].name)) {
            return id;
        }
    }
    return -1;
}

const char *ecl_option_names(apr_pool_t *p)
{
    const char *names = "";

    for (int id = 0; id < ECL_OPTIONS; id++) {
        names = apr_pstrcat(p, names, id ? ", " : "", ecl_option_table[id].name, NULL);
    }
    return names;
}

static apr_status_t check_choice(const ecl_option_t *option, const char *text, const char **pvalue,
                                 ecl_result_t *result)
{
    const char *accepted = "";

    for (int i = 0; option->choices[i]; i++) {
        if (!apr_cstr_casecmp(text, option->choices[i])) {
            *pvalue = option->choices[i];
            return APR_SUCCESS;
        }
        accepted = apr_pstrcat(result->pool, accepted, i ? ", " : "", option->choices[i], NULL);
    }
    return ecl_fail(result, ECL_EINPUT, "bad-option", "%s: \"%s\" is not one of %s", option->name,
                    text, accepted);
}

static int has_control(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t too_long(const ecl_option_t *option, const char *text, apr_size_t bytes,
                             ecl_result_t *result)
{
    int characters = 0;

    for (; *text; text++) {
        characters += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return characters > ECL_OPTION_MAX
               ? ecl_fail(result, ECL_EINPUT, "bad-option",
                          "%s: the value has %d characters; at most %d are accepted", option->name,
                          characters, ECL_OPTION_MAX)
               : ecl_fail(result, ECL_EINPUT, "bad-option",
                          "%s: the %d characters of the value take %" APR_SIZE_T_FMT
                          " bytes; at most %d are accepted",
                          option->name, characters, bytes, ECL_OPTION_MAX);
}

apr_status_t ecl_option_check(int id, const char *text, const char **pvalue, ecl_result_t *result)
{
    const ecl_option_t *option = &ecl_option_table[id];
    const char *start = text + strspn(text, " \t\r\n");
    apr_size_t length = strlen(start);

    *pvalue = NULL;
    while (length && strchr(" \t\r\n", start[length - 1])) {
        length--;
    }
    if (!length) {
        return APR_SUCCESS;
    }
    text = apr_pstrmemdup(result->pool, start, length);
    if (!ecl_utf8_is_text(text, length)) {
        return ecl_fail(result, ECL_EINPUT, "bad-option", "%s: the value is not text in UTF-8",
                        option->name);
    }
    if (has_control(text)) {
        return ecl_fail(result, ECL_EINPUT, "bad-option",
                        "%s: the value holds a tab, a line break or another control character; "
                        "expected one line of text",
                        option->name);
    }
    if (length > ECL_OPTION_MAX) {
        return too_long(option, text, length, result);
    }
    if (option->choices) {
        return check_choice(option, text, pvalue, result);
    }
    if (id == ECL_OPTION_TIMEZONE && !ecl_timezone_is_known(text, result->pool)) {
        return ecl_fail(result, ECL_EINPUT, "bad-option",
                        "%s: \"%s\" is not a time zone that is known; expected UTC, or a region "
                        "and city such as Europe/London",
                        option->name, text);
    }
    *pvalue = text;
    return APR_SUCCESS;
}

json_object *ecl_options_json(const char *const values[ECL_OPTIONS])
{
    json_object *options = NULL;

    for (int id = 0; id < ECL_OPTIONS; id++) {
        if (values[id]) {
            options = options ? options : json_object_new_object();
            json_object_object_add(options, ecl_option_table[id].name,
                                   json_object_new_string(values[id]));
        }
    }
    return options;
}

void ecl_options_read(json_object *options, const char *values[ECL_OPTIONS])
{
    for (int id = 0; id < ECL_OPTIONS; id++) {
        json_object *value = NULL;

        values[id] =
            options && json_object_object_get_ex(options, ecl_option_table[id].name, &value) &&
                    json_object_is_type(value, json_type_string)
                ? json_object_get_string(value)
                : NULL;
    }
}
