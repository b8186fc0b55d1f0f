/*
 * What an import tells about itself beyond its counts: the job's summary. It is kept as the JSON
 * object that is saved with every batch, so that a job which is continued goes on counting.
 *
 * - layout ("wide", "long", "daily"), evidence, delimiter, header (the file's own text; null: none,
 *   or a huge one)
 * - fingerprint (of the header), template: {name, options}, the import template that was gone by
 * - date_from, date_to, days, meters, meters_new, new_meters (the first 20)
 * - readings_missing, readings_repeated, readings_kept_estimated, rounded
 * - warnings: [{code, message, count, examples (the first 5)}], at most 50 codes
 * - examples: [{meter, channel, date, period, old, new, old_type, new_type}], the first 10 changes
 * - failed_tables: [{sheet, line, rows, header, added}], where the rejected rows stand, in their
 *   order: so many that follow each other, from that line on, in that sheet, below that header. No
 *   member "header": it is the summary's; null: it is too long, or they are too many. added: what
 *   they need beside their own cells, texts by names of columns, which rows may lengthen
 *   (ecl_row_error_t)
 * - took_out: {days_removed, days_restored, days_kept}, after a cancel or an undo
 * - code: of the failure, when the job failed; question: what the user can answer to have it go on
 *   (worker/question.h)
 */
#ifndef ECL_SUMMARY_H
#define ECL_SUMMARY_H

#include <json-c/json.h>

#include "layout.h"
#include "store.h"

typedef struct ecl_summary_t ecl_summary_t;

/* Goes on from what a job has saved (NULL: nothing). Freed with p. */
ecl_summary_t *ecl_summary_make(const json_object *saved, apr_pool_t *p);

/* As it stands now; it remains the summary's own. */
json_object *ecl_summary_json(const ecl_summary_t *summary);

/* header: the header's line as it stands in the file, or NULL. */
void ecl_summary_layout(ecl_summary_t *summary, const ecl_layout_t *layout, const char *header);

/* options: as of lib/options.h, copied. A name of NULL: none was gone by. */
void ecl_summary_template(ecl_summary_t *summary, const char *name, json_object *options);

void ecl_summary_day(ecl_summary_t *summary, const ecl_meter_day_t *day);
void ecl_summary_meter(ecl_summary_t *summary, const char *identifier);
void ecl_summary_change(ecl_summary_t *summary, const ecl_store_change_t *change);
void ecl_summary_repeat(ecl_summary_t *summary, const ecl_store_change_t *change);
void ecl_summary_warning(ecl_summary_t *summary, const char *code, const char *message);
/* What is found once the whole file is known: `count` more of a warning's code (worker/checks.h).
 */
void ecl_summary_finding(ecl_summary_t *summary, const char *code, apr_int64_t count,
                         const char *example);
/* A row that is rejected. foreign: as of ecl_reader_in_hand. */
void ecl_summary_failed(ecl_summary_t *summary, const ecl_layout_t *layout, const char *foreign,
                        apr_int64_t line);
void ecl_summary_counts(ecl_summary_t *summary, const ecl_store_counts_t *counts);
void ecl_summary_took_out(ecl_summary_t *summary, const ecl_take_out_counts_t *counts);
/* The code of the failure and the question that goes with it; NULL: none. */
void ecl_summary_code(ecl_summary_t *summary, const char *code);

#endif /* ECL_SUMMARY_H */
