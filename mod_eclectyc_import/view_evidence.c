#include "view_evidence.h"

#include <apr_strings.h>
#include <string.h>

#include "format.h"

/* The text up to the next separator, as a sentence; *ptext moves behind it, NULL: it was the last.
 */
static const char *next_part(const char **ptext, const char *separator, apr_pool_t *p)
{
    const char *end = strstr(*ptext, separator);
    const char *part = end ? apr_pstrmemdup(p, *ptext, (apr_size_t)(end - *ptext)) : *ptext;

    *ptext = end ? end + strlen(separator) : NULL;
    return part;
}

static json_object *sentences(const char *text, apr_pool_t *p)
{
    json_object *list = json_object_new_array();

    while (text) {
        json_object_array_add(
            list, json_object_new_string(ecl_format_sentence(next_part(&text, "; ", p), p)));
    }
    return list;
}

void ecl_view_add_evidence(json_object *view, apr_pool_t *p)
{
    json_object *evidence, *sheets = json_object_new_array();
    const char *text;

    if (!json_object_object_get_ex(view, "evidence", &evidence) ||
        !json_object_is_type(evidence, json_type_string)) {
        json_object_put(sheets);
        return;
    }
    text = json_object_get_string(evidence);
    json_object_object_add(view, "evidence_list", sentences(next_part(&text, "\n", p), p));
    while (text) {
        json_object *sheet = json_object_new_object();

        json_object_object_add(sheet, "list", sentences(next_part(&text, "\n", p), p));
        json_object_array_add(sheets, sheet);
    }
    json_object_object_add(view, "has_evidence_sheets",
                           json_object_new_boolean(json_object_array_length(sheets) > 0));
    json_object_object_add(view, "evidence_sheets", sheets);
}
