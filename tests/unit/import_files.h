/* For tests of imports: files of any size, with what a file may have wrong with it. */
#ifndef IMPORT_FILES_H
#define IMPORT_FILES_H

#include <stdarg.h>
#include <string.h>

#include <apr_strings.h>

/* A valid MPAN core for a number. */
static inline const char *mpan(int number, apr_pool_t *p)
{
    static const int weights[] = {3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43};
    const char *twelve = apr_psprintf(p, "22%010d", number);
    int sum = 0;

    for (int i = 0; i < 12; i++) {
        sum += (twelve[i] - '0') * weights[i];
    }
    return apr_psprintf(p, "%s%d", twelve, sum % 11 % 10);
}

typedef struct text_t {
    apr_pool_t *p;
    char *text;
    apr_size_t length, room;
} text_t;

__attribute__((format(printf, 2, 3))) static inline void add(text_t *t, const char *fmt, ...)
{
    va_list args;
    const char *more;
    apr_size_t length;

    va_start(args, fmt);
    more = apr_pvsprintf(t->p, fmt, args);
    va_end(args);
    length = strlen(more);
    if (t->length + length + 1 > t->room) {
        char *larger = apr_palloc(t->p, t->room = (t->length + length + 1) * 2);
        if (t->length) {
            memcpy(larger, t->text, t->length);
        }
        t->text = larger;
    }
    memcpy(t->text + t->length, more, length + 1);
    t->length += length;
}

static inline void add_header(text_t *t)
{
    add(t, "MPAN,Date");
    for (int i = 1; i <= 48; i++) {
        add(t, ",HH%02d", i);
    }
    add(t, "\n");
}

/* value(number) is in every half-hour but the changed one. */
static inline void add_row(text_t *t, int meter, int day, int value, int changed)
{
    add(t, "%s,%02d/11/2025", mpan(meter, t->p), day);
    for (int i = 1; i <= 48; i++) {
        add(t, ",%d.%d", value, i == changed ? i + 100 : i);
    }
    add(t, "\n");
}

static inline const char *wide_file(apr_pool_t *p, int meters, int days, int changed)
{
    text_t t = {.p = p};

    add_header(&t);
    for (int m = 0; m < meters; m++) {
        for (int d = 1; d <= days; d++) {
            add_row(&t, m, d, m + d, m * days + d == changed ? 5 : 0);
        }
    }
    return t.text;
}

static inline void add_zeros(text_t *t, int meter, int day)
{
    add(t, "%s,%02d/11/2025", mpan(meter, t->p), day);
    for (int i = 1; i <= 48; i++) {
        add(t, ",0");
    }
    add(t, "\n");
}

/* Bad rows, repeats (of new days and of days that are there), days that change, days that are not
 * there, days of zeros. */
static inline const char *rough_file(apr_pool_t *p)
{
    text_t t = {.p = p};

    add_header(&t);
    for (int m = 3; m < 9; m++) {
        for (int d = 1; d <= 9; d++) {
            if (m == 5 && d % 3 == 0) {
                continue;
            }
            if (m == 7) {
                add_zeros(&t, 20, d);
            }
            add_row(&t, m, d, m + d, (m + d) % 3 ? 0 : d);
            if (d % 4 == 0) {
                add(&t, "%s,31/02/2025,1,2,3\n", mpan(m, p));
            }
            if (d % 5 == 0) {
                add_row(&t, 14 - m, d - 1, m, d);
            }
        }
    }
    return t.text;
}

/* A row for each reading, hour by hour through all meters. */
static inline const char *long_file(apr_pool_t *p, int meters, int readings, const char *type,
                                    int value)
{
    text_t t = {.p = p};

    add(&t, "MPAN,ReadDateTime,ReadValue,Unit,ReadingType\n");
    for (int i = 0; i < readings; i++) {
        for (int m = 0; m < meters; m++) {
            add(&t, "%s,2025-11-03 %02d:%02d,%d.5,kWh,%s\n", mpan(m, p), i / 2, i % 2 * 30,
                value + i, type);
        }
    }
    return t.text;
}

#endif /* IMPORT_FILES_H */
