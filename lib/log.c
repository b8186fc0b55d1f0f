#include <stdarg.h>

#include "log.h"

static struct {
    ecl_log_fn *fn;
    void *baton;
} receiver;

void ecl_log_set(ecl_log_fn *fn, void *baton)
{
    receiver.fn = fn;
    receiver.baton = baton;
}

void ecl_log_at(const char *file, int line, ecl_log_level_t level, apr_status_t rv, const char *fmt,
                ...)
{
    /* httpd and the worker write one line in one write of at most 4 KiB; so does this */
    char message[3072];
    va_list args;

    if (!receiver.fn) {
        return;
    }
    va_start(args, fmt);
    apr_vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    receiver.fn(receiver.baton, file, line, level, rv, message);
}
