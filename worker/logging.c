#include <string.h>
#include <unistd.h>

#include "logging.h"

#define LINE_BYTES                                                                                 \
    4096 /* POSIX: a write to a pipe of at most PIPE_BUF bytes is not interleaved                  \
          */

static struct {
    ecl_logging_form_t form;
    ecl_log_level_t level;
} logging;

static const char *const level_names[] = {NULL,   NULL,     "crit", "error",
                                          "warn", "notice", "info", "debug"};

int ecl_logging_level_parse(const char *name, ecl_log_level_t *plevel)
{
    for (int level = ECL_LOG_CRIT; level <= ECL_LOG_DEBUG; level++) {
        if (!strcmp(name, level_names[level])) {
            *plevel = (ecl_log_level_t)level;
            return 1;
        }
    }
    return 0;
}

/* Appends text with control characters as \xHH: a message must stay on its line. */
static apr_size_t put_escaped(char *line, apr_size_t used, apr_size_t size, const char *text)
{
    static const char hex[] = "0123456789abcdef";

    for (; *text && used + 4 < size; text++) {
        unsigned char c = (unsigned char)*text;
        if (c >= 0x20 && c != 0x7f) {
            line[used++] = (char)c;
        } else {
            line[used++] = '\\';
            line[used++] = 'x';
            line[used++] = hex[c >> 4];
            line[used++] = hex[c & 15];
        }
    }
    return used;
}

static apr_size_t put_prefix(char *line, apr_size_t size, ecl_log_level_t level)
{
    apr_time_exp_t t;

    if (logging.form == ECL_LOGGING_PLAIN) {
        return (apr_size_t)apr_snprintf(line, size,
                                        "eclectyc-import-worker: %s: ", level_names[level]);
    }
    apr_time_exp_lt(&t, apr_time_now());
    return (apr_size_t)apr_snprintf(
        line, size, "[%s %s %02d %02d:%02d:%02d.%06d %d] [eclectyc_import:%s] [pid %d] ",
        apr_day_snames[t.tm_wday], apr_month_snames[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min,
        t.tm_sec, t.tm_usec, t.tm_year + 1900, level_names[level], (int)getpid());
}

static void write_line(void *baton, const char *file, int line_number, ecl_log_level_t level,
                       apr_status_t rv, const char *message)
{
    char line[LINE_BYTES];
    apr_size_t used;
    ssize_t written;

    (void)baton, (void)file, (void)line_number;
    if (level > logging.level && !(level == ECL_LOG_NOTICE && logging.form == ECL_LOGGING_HTTPD)) {
        return;
    }
    used = put_prefix(line, sizeof line, level);
    if (rv) {
        char text[200];
        char status[256];
        apr_snprintf(status, sizeof status, "(%d)%s: ", rv, apr_strerror(rv, text, sizeof text));
        used = put_escaped(line, used, sizeof line - 1, status);
    }
    used = put_escaped(line, used, sizeof line - 1, message);
    line[used++] = '\n';
    do {
        written = write(STDERR_FILENO, line, used);
    } while (written < 0 && errno == EINTR);
    /* a log that cannot be written cannot be told about either */
}

void ecl_logging_start(ecl_logging_form_t form, ecl_log_level_t level)
{
    logging.form = form;
    logging.level = level;
    ecl_log_set(write_line, NULL);
}
