/*
 * For tests of many files: a supplier's file is written from templates, and what it must be read as
 * is known from what was written. Included after reading.h and half_hours.h.
 *
 * A template's text stands for itself but for <tokens> and {repeated parts}, which come once for
 * each of a day's periods. Tokens, of the period in hand:
 *   <m> meter   <s> serial number   <v> value   <x> the row's second value   <w> value in Wh
 *   <f> flag of the half-hour   <F> flag of the row   <t> the day's total   <n> number of the
 * period <0> the same with two digits   <q> value in thousandths, added up since the file's
 * beginning <d…> the day's date, as of strftime   <S…> when the period starts   <E…> when it ends
 *   <D…> when it ends, midnight being 24:00 of the same day   <Z…> the same without leading zeros
 */
#ifndef TESTS_EMITTING_H
#define TESTS_EMITTING_H

#include <apr_strings.h>
#include <time.h>

#define EMITTED_METERS 2
#define EMITTED_DAYS 3
#define EMITTED_ROWS 4      /* kinds of rows */
#define EMITTED_FIRST 20606 /* 2 June 2026: British Summer Time, and d/m or m/d */

typedef struct emitter_t {
    const char *name;
    const char *before; /* lines above the header */
    const char *header;
    const char *rows[EMITTED_ROWS]; /* for each day; without {}: for each of its periods */
    const char *after;
    const char *channels[EMITTED_ROWS]; /* of <v>; NULL: AI; "": to be passed over */
    const char *second;                 /* channel of <x>; NULL: not to be read */
    const char *meters[EMITTED_METERS]; /* NULL: two MPANs */
    const char *stored[EMITTED_METERS]; /* what they are stored as, if not the same */
    const char *actual, *estimated;     /* NULL: A, E */
    const char *blank;                  /* cell of a period that the day does not have */
    const char *blank_flag;
    int columns;  /* 0: 48 */
    int interval; /* 0: 30 */
    int is_utc, is_newest_first;
    int names_none;     /* of its meters: there is one, and it is given with the file; */
    int is_named_above; /* or stands above the table */
    int is_volume;      /* the first kind of row is gas in m3 */
    int flags;          /* 0: as <f> or <F> stand in the first row; 1: none is understood */
} emitter_t;

typedef struct emitted_t {
    const emitter_t *emitter;
    apr_pool_t *pool;
    half_hours_t expected;
    const char *top, *bottom;
    apr_array_header_t *rows; /* of const char *, as the file has them */
    int meter, day, period, kind;
} emitted_t;

static inline int emitted_columns(const emitter_t *e)
{
    return e->columns ? e->columns : 48;
}

static inline int emitted_interval(const emitter_t *e)
{
    return e->interval ? e->interval : 30;
}

/* Periods of a day. */
static inline int emitted_periods(const emitter_t *e)
{
    return 1440 / emitted_interval(e);
}

/* In thousandths of a kWh. */
static inline int emitted_value(const emitted_t *at, int period, int is_second)
{
    return 1000 * (at->meter + 1) + 200 * at->day + period + 10000 * at->kind +
           (is_second ? 5000 : 0);
}

static inline int is_emitted_estimated(const emitted_t *at, int period)
{
    const char *row = at->emitter->rows[at->kind];

    if (strstr(row, "<F>")) {
        return at->day == 1;
    }
    return strstr(row, "<f>") && period % 5 == 0;
}

static inline const char *emitted_meter(const emitted_t *at)
{
    const char *meter = at->emitter->meters[at->meter];

    return meter ? meter : at->meter ? MPAN2 : MPAN;
}

static inline const char *emitted_word(const emitter_t *e, int is_estimated)
{
    if (is_estimated) {
        return e->estimated ? e->estimated : "E";
    }
    return e->actual ? e->actual : "A";
}

static inline const char *emitted_time(const emitted_t *at, const char *format, char which)
{
    int minute = which == 'S'   ? (at->period - 1) * emitted_interval(at->emitter)
                 : which == 'd' ? 0
                                : at->period * emitted_interval(at->emitter);
    time_t seconds = (time_t)(EMITTED_FIRST + at->day) * 86400 + (time_t)minute * 60;
    int is_24 = (which == 'D' || which == 'Z') && minute == 1440;
    char text[100];
    struct tm tm;

    if (is_24) {
        seconds -= 86400;
    }
    gmtime_r(&seconds, &tm);
    if (is_24) {
        tm.tm_hour = 24;
    }
    /* strftime would take the fields as the machine's own local time */
    if (!strncmp(format, "%s", 2)) {
        return apr_psprintf(at->pool, "%" APR_INT64_T_FMT "%s", (apr_int64_t)seconds, format + 2);
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    assert_true(strftime(text, sizeof(text), format, &tm) > 0);
#pragma GCC diagnostic pop
    return apr_pstrdup(at->pool, which == 'Z' ? text + strspn(text, "0") : text);
}

static inline const char *emitted_number(const emitted_t *at, int thousandths)
{
    return apr_psprintf(at->pool, "%d.%03d", thousandths / 1000, thousandths % 1000);
}

static inline int emitted_total(const emitted_t *at)
{
    int total = 0;

    for (int period = 1; period <= emitted_periods(at->emitter); period++) {
        total += emitted_value(at, period, 0);
    }
    return total;
}

static inline int emitted_register(const emitted_t *at)
{
    emitted_t before = *at;
    int sum = 1000000;

    for (before.day = 0; before.day < at->day; before.day++) {
        sum += emitted_total(&before);
    }
    for (int period = 1; period <= at->period; period++) {
        sum += emitted_value(at, period, 0);
    }
    return sum;
}

static inline const char *emitted_token(const emitted_t *at, const char *token)
{
    const emitter_t *e = at->emitter;
    int is_extra = at->period > emitted_periods(e);

    switch (token[0]) {
    case 'm':
        return emitted_meter(at);
    case 's':
        return at->meter ? "Z26X000202" : "Z26X000101";
    case 'v':
    case 'x':
        return is_extra ? e->blank ? e->blank : ""
                        : emitted_number(at, emitted_value(at, at->period, token[0] == 'x'));
    case 'w':
        return apr_itoa(at->pool, emitted_value(at, at->period, 0));
    case 'f':
        return is_extra ? e->blank_flag ? e->blank_flag : ""
                        : emitted_word(e, is_emitted_estimated(at, at->period));
    case 'F':
        return emitted_word(e, is_emitted_estimated(at, 0));
    case 't':
        return emitted_number(at, emitted_total(at));
    case 'q':
        return emitted_number(at, emitted_register(at));
    case 'n':
        return apr_itoa(at->pool, at->period);
    case '0':
        return apr_psprintf(at->pool, "%02d", at->period);
    default:
        return emitted_time(at, token + 1, token[0]);
    }
}

static inline const char *emit_text(emitted_t *at, const char *template)
{
    const char *text = "", *repeat = NULL;

    if (!strchr(template, '{')) {
        repeat = NULL;
    }
    while (*template) {
        apr_size_t plain = strcspn(template, "<{}");

        text = apr_pstrcat(at->pool, text, apr_pstrmemdup(at->pool, template, plain), NULL);
        template += plain;
        if (*template == '<') {
            apr_size_t length = strcspn(template, ">");

            text = apr_pstrcat(
                at->pool, text,
                emitted_token(at, apr_pstrmemdup(at->pool, template + 1, length - 1)), NULL);
            template += length + 1;
        } else if (*template == '{') {
            repeat = ++template;
            at->period = 1;
        } else if (*template == '}') {
            if (at->period < emitted_columns(at->emitter)) {
                at->period++;
                template = repeat;
            } else {
                template ++;
            }
        }
    }
    return text;
}

static inline void expect_row(emitted_t *at, int first, int last)
{
    const emitter_t *e = at->emitter;
    const char *channel = e->channels[at->kind] ? e->channels[at->kind] : "AI";
    const char *meter = e->stored[at->meter] ? e->stored[at->meter] : emitted_meter(at);
    const char *row = e->rows[at->kind];

    for (int period = first; period <= last && channel[0]; period++) {
        apr_int64_t minute = (apr_int64_t)(EMITTED_FIRST + at->day) * 1440 +
                             (period - 1) * emitted_interval(e) - (e->is_utc ? 0 : 60);
        char flag = is_emitted_estimated(at, period) ? ECL_FLAG_ESTIMATED : ECL_FLAG_ACTUAL;

        ecl_decimal_t value =
            (ecl_decimal_t)emitted_value(at, period, 0) * (ECL_DECIMAL_ONE / 1000);

        if (e->is_volume && at->kind == 0) {
            put_half_hour(&at->expected, meter, "VOL", "m3", minute, value, flag);
            ecl_decimal_scale(value, 110999050, 10000000, &value);
        }
        put_half_hour(&at->expected, meter, channel, channel[0] == 'R' ? "kVArh" : "kWh", minute,
                      value, flag);
        if (e->second && strstr(row, "<x>")) {
            put_half_hour(
                &at->expected, meter, e->second, e->second[0] == 'R' ? "kVArh" : "kWh", minute,
                (ecl_decimal_t)emitted_value(at, period, 1) * (ECL_DECIMAL_ONE / 1000), flag);
        }
    }
}

static inline void emit_day(emitted_t *at)
{
    const emitter_t *e = at->emitter;
    const char *texts[EMITTED_ROWS * 288];
    int count = 0;

    for (int period = 1; period <= emitted_periods(e); period++) {
        for (at->kind = 0; at->kind < EMITTED_ROWS && e->rows[at->kind]; at->kind++) {
            if (!strchr(e->rows[at->kind], '{')) {
                at->period = period;
                texts[count++] = emit_text(at, e->rows[at->kind]);
                expect_row(at, period, period);
            } else if (period == 1) {
                texts[count++] = emit_text(at, e->rows[at->kind]);
                expect_row(at, 1, emitted_periods(e));
            }
        }
    }
    for (int i = 0; i < count; i++) {
        APR_ARRAY_PUSH(at->rows, const char *) = texts[e->is_newest_first ? count - 1 - i : i];
    }
}

static inline emitted_t emit(const emitter_t *e, apr_pool_t *p)
{
    emitted_t at = {.emitter = e, .pool = p, .expected = make_half_hours(p)};

    at.rows = apr_array_make(p, 300, sizeof(const char *));
    at.top = apr_pstrcat(p, e->before ? e->before : "", e->header ? emit_text(&at, e->header) : "",
                         e->header ? "\n" : "", NULL);
    for (at.meter = 0; at.meter < (e->names_none || e->is_named_above ? 1 : EMITTED_METERS);
         at.meter++) {
        for (int i = 0; i < EMITTED_DAYS; i++) {
            at.day = e->is_newest_first ? EMITTED_DAYS - 1 - i : i;
            emit_day(&at);
        }
    }
    at.bottom = e->after ? e->after : "";
    return at;
}

static inline const char *emitted_file(const emitted_t *at)
{
    const char **lines = apr_palloc(at->pool, (apr_size_t)at->rows->nelts * sizeof(*lines));
    apr_size_t length = strlen(at->top) + strlen(at->bottom) + 1;
    char *text, *end;

    for (int i = 0; i < at->rows->nelts; i++) {
        lines[i] = APR_ARRAY_IDX(at->rows, i, const char *);
        length += strlen(lines[i]) + 1;
    }
    text = apr_palloc(at->pool, length);
    end = apr_cpystrn(text, at->top, length);
    for (int i = 0; i < at->rows->nelts; i++) {
        end = apr_cpystrn(end, lines[i], length);
        *end++ = '\n';
    }
    apr_cpystrn(end, at->bottom, length);
    return text;
}

#endif /* TESTS_EMITTING_H */
