/*
 * Where the worker's log lines go: stderr, one write of at most 4 KiB per line, so that lines of
 * several processes never mix.
 *
 *   ECL_LOGGING_HTTPD  [Mon Nov 23 14:05:01.123456 2026] [eclectyc_import:info] [pid 71] ECL3001: …
 *                      for `run`, whose stderr is httpd's ErrorLog, a journal or a log file
 *   ECL_LOGGING_PLAIN  eclectyc-import-worker: error: ECL3012: …      for somebody at a terminal
 */
#ifndef ECL_LOGGING_H
#define ECL_LOGGING_H

#include "../lib/log.h"

typedef enum ecl_logging_form_t { ECL_LOGGING_HTTPD, ECL_LOGGING_PLAIN } ecl_logging_form_t;

/* Sets the receiver of this process and its children. As in httpd, messages above `level` are left
 * out, except that a notice (start and stop) is always written in httpd's form. */
void ecl_logging_start(ecl_logging_form_t form, ecl_log_level_t level);

/* "crit", "error", "warn", "notice", "info", "debug", as httpd's LogLevel calls them.
 * 0: not one of these. */
int ecl_logging_level_parse(const char *name, ecl_log_level_t *plevel);

#endif /* ECL_LOGGING_H */
