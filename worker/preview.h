/*
 * A look at the first days of a file before any of it is stored: for the picture on the job's page,
 * and to refuse what is no consumption while nothing has come of it yet.
 */
#ifndef ECL_PREVIEW_H
#define ECL_PREVIEW_H

#include <json-c/json.h>

#include "reader.h"

#define ECL_PREVIEW_SERIES 4      /* all channels of one meter */
#define ECL_PREVIEW_DAYS 7        /* of each, */
#define ECL_PREVIEW_DAYS_DAILY 31 /* of one value a day */
#define ECL_PREVIEW_VALUES 350    /* and no more values than this: few days of 5-minute readings */

/* Reads the file's beginning (2,000 rows; 8,000 where a row is one reading) once more, with the
 * layout of a reader that stands before its first record. *ppreview, the caller's, is an array of
 * up to ECL_PREVIEW_SERIES
 *   {meter, channel, unit, interval_minutes, days: [{date, values: ["0.25", null, …]}]}
 * in the order of the file, days in that of the calendar. ECL_EINPUT, "cumulative-reads": rows of
 * single readings or daily totals are a register's reads, "cumulative-totals": and so are those of
 * half-hours, through days (large ones are told by the reader, row by row); "rows-alike": most of
 * the times have several values. */
apr_status_t ecl_preview_make(json_object **ppreview, const ecl_reader_t *reader, const char *path,
                              apr_pool_t *p, ecl_result_t *result);

#endif /* ECL_PREVIEW_H */
