/*
 * Which numbers are dates: a cell has a style, a style a number format, a format a code.
 */
#include <apr_hash.h>

#include "xlsx_internal.h"

typedef struct styles_t {
    apr_pool_t *p;
    apr_hash_t *codes; /* form (as unsigned char *) by id, of the formats that the file defines */
    int code_count;    /* of those that it defines, some of them perhaps again */
    int in_codes, in_styles;
    unsigned char *forms;
    int count;
    int is_too_many;
} styles_t;

static int id_of(const char **attributes)
{
    const char *text = ecl_xml_attribute(attributes, "numFmtId");
    apr_int64_t id;

    return text && ecl_parse_int64(text, 0, APR_INT32_MAX, &id) ? (int)id : 0;
}

static void add_code(styles_t *styles, const char **attributes)
{
    const char *code = ecl_xml_attribute(attributes, "formatCode");
    int *id;
    unsigned char *form;

    if (!code) {
        return;
    }
    if (styles->code_count == ECL_XLSX_FORMATS_MAX) {
        styles->is_too_many = 1;
        return;
    }
    styles->code_count++;
    id = apr_palloc(styles->p, sizeof *id);
    form = apr_palloc(styles->p, 1);
    *id = id_of(attributes);
    *form = (unsigned char)ecl_serial_form_of_code(code);
    apr_hash_set(styles->codes, id, sizeof *id, form);
}

static void add_style(styles_t *styles, const char **attributes)
{
    int id = id_of(attributes);
    const unsigned char *form = apr_hash_get(styles->codes, &id, sizeof id);

    if (styles->count == ECL_XLSX_FORMATS_MAX) {
        styles->is_too_many = 1;
        return;
    }
    styles->forms[styles->count++] = form ? *form : (unsigned char)ecl_serial_form_of_id(id);
}

static void on_start(void *baton, const char *name, const char **attributes)
{
    styles_t *styles = baton;

    if (!strcmp(name, "numFmts")) {
        styles->in_codes = 1;
    } else if (!strcmp(name, "cellXfs")) {
        styles->in_styles = 1;
    } else if (styles->in_codes && !strcmp(name, "numFmt")) {
        add_code(styles, attributes);
    } else if (styles->in_styles && !strcmp(name, "xf")) {
        add_style(styles, attributes);
    }
}

static void on_end(void *baton, const char *name)
{
    styles_t *styles = baton;

    if (!strcmp(name, "numFmts")) {
        styles->in_codes = 0;
    } else if (!strcmp(name, "cellXfs")) {
        styles->in_styles = 0;
    }
}

apr_status_t ecl_xlsx_read_styles(ecl_zip_t *zip, int part, unsigned char **pforms, int *pcount,
                                  apr_pool_t *p, ecl_result_t *result)
{
    styles_t styles = {0};
    const ecl_xml_handlers_t handlers = {&styles, on_start, on_end, NULL};
    unsigned char *forms = apr_palloc(p, ECL_XLSX_FORMATS_MAX); /* untouched pages cost nothing */
    apr_status_t status;

    apr_pool_create(&styles.p, p);
    styles.codes = apr_hash_make(styles.p);
    styles.forms = forms;
    status = ecl_xlsx_parse(zip, part, &handlers, "the workbook's list of styles", p, result);
    apr_pool_destroy(styles.p);
    if (status == APR_SUCCESS && styles.is_too_many) {
        return ecl_fail(result, ECL_EINPUT, "bad-workbook",
                        "the workbook has more than %d styles, which Excel does not allow",
                        ECL_XLSX_FORMATS_MAX);
    }
    *pforms = forms;
    *pcount = styles.count;
    return status;
}
