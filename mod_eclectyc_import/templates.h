/*
 * Import templates (lib/import_templates.h) on pages and in the API.
 */
#ifndef ECL_TEMPLATES_H
#define ECL_TEMPLATES_H

#include "request.h"

/* GET: the page, or for the API the list. */
ecl_handler_fn ecl_templates_page;
ecl_handler_fn ecl_templates_list;

/* Each changes one thing: a page's button is answered with a redirect to the list, a call for JSON
 * with the template as it is now (204 after a deletion). Names come in the field "name". */
ecl_handler_fn ecl_templates_save;   /* what the job of the path went by */
ecl_handler_fn ecl_templates_rename; /* the template that the path names */
ecl_handler_fn ecl_templates_delete;

#endif /* ECL_TEMPLATES_H */
