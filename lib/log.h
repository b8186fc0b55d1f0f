/*
 * Log lines of lib/ and worker/. Where they go is set once per process: the module hands them to
 * httpd, the worker writes them to stderr in httpd's format, tests collect them.
 *
 * Every message at info and above starts with a code, ECLNO(1234), which is unique in the source
 * and described in docs/messages.md (make lint checks both). Debug and trace carry none.
 * Never log secrets, connection strings, or the content of records.
 */
#ifndef ECL_LOG_H
#define ECL_LOG_H

#include "ecl.h"

#define ECLNO(n) "ECL" #n ": "

/* The numbers are httpd's own (APLOG_CRIT…), so that the module needs no translation. */
typedef enum ecl_log_level_t {
    ECL_LOG_CRIT = 2,   /* the service is down */
    ECL_LOG_ERROR = 3,  /* an operator must act */
    ECL_LOG_WARN = 4,   /* degraded */
    ECL_LOG_NOTICE = 5, /* start and stop */
    ECL_LOG_INFO = 6,   /* a job's lifecycle, a client's mistake */
    ECL_LOG_DEBUG = 7
} ecl_log_level_t;

/* Receives one message without a line end. rv is 0, or the status whose text is to be added. */
typedef void ecl_log_fn(void *baton, const char *file, int line, ecl_log_level_t level,
                        apr_status_t rv, const char *message);

/* Sets the receiver for this process; call it before threads start. NULL: messages are dropped. */
void ecl_log_set(ecl_log_fn *fn, void *baton);

#define ecl_log(level, rv, ...) ecl_log_at(__FILE__, __LINE__, (level), (rv), __VA_ARGS__)

void ecl_log_at(const char *file, int line, ecl_log_level_t level, apr_status_t rv, const char *fmt,
                ...) __attribute__((format(printf, 5, 6)));

#endif /* ECL_LOG_H */
