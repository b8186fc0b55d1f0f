/*
 * A query of any bytes: what is taken is text, and comes back from escaping as it was. A file name
 * of any bytes: what is shown is text, short, and no path.
 */
#include "fuzz.h"
#include "lib/utf8.h"
#include "mod_eclectyc_import/form.h"

static int check_field(void *baton, const char *name, const char *value)
{
    apr_pool_t *pool = baton;
    const char *escaped = ecl_form_escape(value, pool);
    const char *again = ecl_form_unescape(escaped, strlen(escaped), 1, pool);

    FUZZ_ASSERT(ecl_utf8_is_text(name, strlen(name)) && ecl_utf8_is_text(value, strlen(value)));
    FUZZ_ASSERT(again && !strcmp(again, value));
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    apr_table_t *fields;
    ecl_result_t result;
    apr_pool_t *pool;
    char *name;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    result = ecl_result_make(pool);
    if (ecl_form_parse((const char *)bytes, length, pool, &fields, &result) == APR_SUCCESS) {
        FUZZ_ASSERT(apr_table_elts(fields)->nelts <= ECL_FORM_FIELDS);
        apr_table_do(check_field, pool, fields, NULL);
    } else {
        FUZZ_ASSERT(result.status == ECL_EINPUT && result.detail);
    }
    name = ecl_form_filename(apr_pstrmemdup(pool, (const char *)bytes, length), pool);
    FUZZ_ASSERT(*name && strlen(name) <= 400 && ecl_utf8_is_text(name, strlen(name)));
    FUZZ_ASSERT(strcmp(name, ".") && strcmp(name, ".."));
    for (const char *c = name; *c; c++) {
        FUZZ_ASSERT(*c != '/' && *c != '\\' && *c != 0x7F && (*c < 0 || *c >= 0x20));
    }
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}
