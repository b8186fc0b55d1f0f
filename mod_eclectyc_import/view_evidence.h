/*
 * How a file was read and why, which the worker says as "this; that; …" and for a workbook on a
 * line for each sheet: as lists for a page.
 */
#ifndef ECL_VIEW_EVIDENCE_H
#define ECL_VIEW_EVIDENCE_H

#include <apr_pools.h>
#include <json-c/json.h>

/* Adds view.evidence_list, the sentences of view.evidence's first line, and view.evidence_sheets:
 * [{list}], those of the others (has_evidence_sheets: there are any). Nothing without evidence. */
void ecl_view_add_evidence(json_object *view, apr_pool_t *p);

#endif /* ECL_VIEW_EVIDENCE_H */
