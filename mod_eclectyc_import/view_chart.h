/*
 * Values by day as a chart: the numbers of an SVG, and a table that says the same. Knows neither
 * what the values are nor httpd.
 */
#ifndef ECL_VIEW_CHART_H
#define ECL_VIEW_CHART_H

#include <json-c/json.h>

#include "../lib/ecl.h"

/* Of the SVG's own units: it is to be stretched over the width that there is. */
#define ECL_CHART_WIDTH 1000
#define ECL_CHART_HEIGHT 100

/* days: [{date, values: [text or null]}], each as wide as the others. Returns
 *   {line, area: path data; base: y of zero; marks: [x between two days],
 *    labels: [text], has_all_labels (else the first and the last), high, low: texts (low only where
 *    it is below zero), from, to, columns: [text], rows: [{label, cells: [text]}]}
 * or NULL when there is no value. Rows are values by their place in the day, from 1, and columns
 * days; but a row is a day, and there are no columns, where each day has one value. The caller owns
 * it. */
json_object *ecl_view_chart(json_object *days, apr_pool_t *p);

/* Adds to each item of list[key] its chart, under "chart", and its "number" from 1; items without
 * one are taken out. */
void ecl_view_add_charts(json_object *object, const char *key, apr_pool_t *p);

#endif /* ECL_VIEW_CHART_H */
