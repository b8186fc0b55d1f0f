/*
 * render_template DIR TEMPLATE DATA.json: renders a page template with sample data to stdout, to
 * look at it without a server. tests/samples/views has data for every page.
 */
#include <apr_general.h>

#include "lib/template.h"

static apr_status_t print(void *baton, const char *text, apr_size_t length)
{
    return fwrite(text, 1, length, baton) == length ? APR_SUCCESS : APR_EGENERAL;
}

static int render(const char *dir, const char *name, const char *data_file, apr_pool_t *p)
{
    ecl_result_t result = ecl_result_make(p);
    ecl_templates_t *set;
    apr_status_t rv;
    json_object *data = json_object_from_file(data_file);

    if (!data) {
        fprintf(stderr, "%s\n", json_util_get_last_err());
        return 1;
    }
    rv = ecl_templates_load(&set, dir, p, &result);
    if (rv == APR_SUCCESS) {
        rv = ecl_template_render(set, name, data, print, stdout, &result);
    }
    json_object_put(data);
    if (rv != APR_SUCCESS) {
        fprintf(stderr, "%s\n", result.detail ? result.detail : ecl_strerror(rv, p));
    }
    return rv != APR_SUCCESS;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    int failed;

    if (argc != 4) {
        fprintf(stderr, "usage: %s DIR TEMPLATE DATA.json\n", argv[0]);
        return 2;
    }
    apr_initialize();
    apr_pool_create(&pool, NULL);
    failed = render(argv[1], argv[2], argv[3], pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return failed;
}
