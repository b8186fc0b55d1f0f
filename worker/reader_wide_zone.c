/*
 * Rows of a day that say nothing of their zone: whether they are days of UTC or local ones shows on
 * the days when the clocks change. A local short day has no values in the hour that is skipped (or,
 * where columns are numbered, in the last one); a day of UTC has as many there as beside it.
 *
 * Columns that are numbered may be what the clock shows, too: then it is those of the hour that is
 * skipped that are left out, and the last ones are not.
 */
#include "reader_internal.h"

#include "layout_internal.h"

/* The cells of one hour of a row. */
typedef struct hour_t {
    int cells, present, filled; /* of them: with a number; with one other than 0 */
} hour_t;

int ecl_wide_zone_is_open(const ecl_layout_t *layout)
{
    return layout->kind == ECL_LAYOUT_WIDE && !layout->times_are_utc && !layout->times_are_local &&
           !layout->rows_are_whole && !layout->given.timezone && !layout->given.times_are_local;
}

/* When a column's period begins: by the clock, or of numbered columns counted from midnight. */
static int minute_of(const ecl_value_column_t *value, int step)
{
    return value->period ? (value->period - 1) * step : value->minute + 1440 * value->repeated;
}

static hour_t hour_from(const ecl_layout_t *layout, const ecl_value_block_t *block,
                        const ecl_record_t *record, int from)
{
    hour_t hour = {0, 0, 0};

    for (int i = block->first; i < block->first + block->count; i++) {
        int minute = minute_of(&layout->values[i], layout->interval_minutes);
        ecl_field_t cell = ecl_sample_cell(record, layout->values[i].column);
        ecl_decimal_t value;
        ecl_decimal_status_t status;

        if (minute < from || minute >= from + 60) {
            continue;
        }
        status = ecl_decimal_parse(cell.text, cell.length, layout->decimal_point, &value);
        hour.cells++;
        if (status == ECL_DECIMAL_OK || status == ECL_DECIMAL_ROUNDED) {
            hour.present++;
            hour.filled += value != 0;
        } else if (status != ECL_DECIMAL_IS_MISSING) {
            return (hour_t){0, 0, 0};
        }
    }
    return hour;
}

/* All cells are blank beside cells that are not, or all are 0 beside cells that are not. */
static int is_left_out(hour_t hour, hour_t beside)
{
    return hour.cells && !hour.filled &&
           (hour.present ? beside.cells && beside.filled == beside.cells
                         : beside.present == beside.cells && beside.cells);
}

static int is_full(hour_t hour, hour_t beside)
{
    return hour.filled && hour.present == hour.cells && hour.filled >= beside.filled;
}

static hour_t both(hour_t a, hour_t b)
{
    return (hour_t){a.cells + b.cells, a.present + b.present, a.filled + b.filled};
}

typedef enum verdict_t { NOTHING, SAYS_UTC, SAYS_LOCAL, SAYS_CLOCK } verdict_t;

/* Numbered columns of a row of the short day, whose last hour is full. */
static verdict_t judge_full(const ecl_layout_t *layout, const ecl_value_block_t *block,
                            const ecl_clock_day_t *day, const ecl_record_t *record)
{
    int from = day->change_minute;
    hour_t skipped = hour_from(layout, block, record, from);
    hour_t beside = both(hour_from(layout, block, record, from - 60),
                         hour_from(layout, block, record, from + 60));

    if (is_left_out(skipped, beside)) {
        return block->has_repeated ? NOTHING : SAYS_CLOCK;
    }
    return skipped.present == skipped.cells ? SAYS_UTC : NOTHING;
}

/* Of one block of a row of the short day. */
static verdict_t judge_short(const ecl_layout_t *layout, const ecl_value_block_t *block,
                             const ecl_clock_day_t *day, const ecl_record_t *record)
{
    int step = layout->interval_minutes, is_numbered = layout->values[block->first].period > 0;
    int from = is_numbered ? day->minutes : day->change_minute;
    hour_t hour = hour_from(layout, block, record, from);
    hour_t before = hour_from(layout, block, record, from - 60), after, ends;

    if (is_numbered) {
        return is_left_out(hour, before) ? SAYS_LOCAL
               : is_full(hour, before)   ? judge_full(layout, block, day, record)
                                         : NOTHING;
    }
    after = hour_from(layout, block, record, from + 60);
    if (is_left_out(hour, both(before, after))) {
        return SAYS_LOCAL;
    }
    /* what the clock shows at the end leaves out other labels, see reader_wide.c */
    ends = hour_from(layout, block, record, from - step);
    if (layout->labels_are_ends && is_left_out(ends, after)) {
        return SAYS_LOCAL;
    }
    return is_full(hour, before) && is_full(hour, after) ? SAYS_UTC : NOTHING;
}

/* Of one block of a row of the long day: the second 01:00 to 02:00, or periods 49 and 50. */
static verdict_t judge_long(const ecl_layout_t *layout, const ecl_value_block_t *block,
                            const ecl_record_t *record)
{
    for (int i = block->first; i < block->first + block->count; i++) {
        const ecl_value_column_t *value = &layout->values[i];
        ecl_field_t cell = ecl_sample_cell(record, value->column);
        ecl_decimal_t amount;

        if (minute_of(value, layout->interval_minutes) >= 1440 &&
            ecl_decimal_parse(cell.text, cell.length, layout->decimal_point, &amount) ==
                ECL_DECIMAL_OK &&
            amount != 0) {
            return SAYS_LOCAL;
        }
    }
    return NOTHING;
}

/* "2024-03-31 has all 48 half-hours (line 5)" */
static const char *describe(const ecl_layout_t *layout, const ecl_clock_day_t *day,
                            verdict_t verdict, const ecl_record_t *record, apr_pool_t *p)
{
    int step = layout->interval_minutes;
    int count = (verdict == SAYS_UTC ? 1440 : day->minutes) / step;
    char date[ECL_DATE_TEXT];
    const char *what = step == 30   ? "half-hours"
                       : step == 60 ? "hours"
                                    : apr_psprintf(p, "periods of %d minutes", step);

    ecl_date_print(day->date, date);
    return apr_psprintf(p, "%s has %s%d %s (%sline %" APR_INT64_T_FMT ")", date,
                        verdict == SAYS_UTC   ? "all "
                        : day->minutes < 1440 ? "only "
                                              : "",
                        count, what,
                        record->sheet ? apr_psprintf(p, "sheet \"%s\", ", record->sheet) : "",
                        record->line);
}

/* "2024-03-31 has nothing for 3 to 4, and has 48 (line 5)" */
static const char *describe_skipped(const ecl_layout_t *layout, const ecl_clock_day_t *day,
                                    const ecl_record_t *record, apr_pool_t *p)
{
    int step = layout->interval_minutes;
    int first = day->change_minute / step + 1, last = first + 60 / step - 1;
    char date[ECL_DATE_TEXT];

    ecl_date_print(day->date, date);
    return apr_psprintf(
        p, "%s has nothing for %d%s, and has %d (%sline %" APR_INT64_T_FMT ")", date, first,
        last > first ? apr_psprintf(p, " to %d", last) : "", 1440 / step,
        record->sheet ? apr_psprintf(p, "sheet \"%s\", ", record->sheet) : "", record->line);
}

/* 48 values under numbers may be a wrong row of settlement periods, which its own file can't tell
 * from a day of UTC unless it is a file of many days. */
enum { OTHER_DAYS = 7 };

void ecl_wide_zone_look(ecl_wide_zone_t *zone, const ecl_layout_t *layout,
                        const ecl_clock_day_t *day, const ecl_record_t *record, apr_pool_t *p)
{
    if (day->minutes == 1440) {
        zone->other_days += zone->other_days < OTHER_DAYS;
        return;
    }
    if (zone->is_by_clock && zone->local) {
        return;
    }
    for (int b = 0; b < layout->block_count; b++) {
        const ecl_value_block_t *block = &layout->blocks[b];
        verdict_t verdict = day->minutes < 1440 ? judge_short(layout, block, day, record)
                                                : judge_long(layout, block, record);

        if (verdict == SAYS_UTC) {
            zone->is_by_clock |= !layout->values[block->first].period;
            zone->utc = zone->utc ? zone->utc : describe(layout, day, verdict, record, p);
        } else if (verdict == SAYS_LOCAL && !zone->local) {
            zone->local = describe(layout, day, verdict, record, p);
        } else if (verdict == SAYS_CLOCK && !zone->clock) {
            zone->clock = describe_skipped(layout, day, record, p);
        }
    }
}

/* Columns numbered from midnight are what the clock shows. */
static void number_by_clock(ecl_layout_t *layout)
{
    layout->periods_are_clock = 1;
    for (int b = 0; b < layout->block_count; b++) {
        const ecl_value_block_t *block = &layout->blocks[b];

        for (int i = block->first; i < block->first + block->count && !block->has_repeated; i++) {
            ecl_value_column_t *value = &layout->values[i];

            if (value->period) {
                value->minute = (value->period - 1) * layout->interval_minutes;
                value->period = 0;
            }
        }
    }
}

#define NOTHING_SHOWS                                                                              \
    "times are taken to be local: no day on which the clocks change shows otherwise"
#define GIVE_UTC "if the file's times are UTC, give it that time zone"

void ecl_wide_zone_apply(const ecl_wide_zone_t *zone, ecl_layout_t *first, apr_pool_t *p)
{
    const char *told = NOTHING_SHOWS, *doubt = GIVE_UTC;
    int is_proved = zone->utc && (zone->is_by_clock || zone->other_days >= OTHER_DAYS);
    int is_open = 0, is_clock = zone->clock && !zone->utc && !zone->local;

    if (is_clock) {
        told = doubt =
            apr_psprintf(p, "times are local, and columns are numbered as the clock shows them: %s",
                         zone->clock);
    } else if (zone->clock) {
        told = doubt = apr_psprintf(p, "times are taken to be local: %s, but %s", zone->clock,
                                    zone->utc ? zone->utc : zone->local);
    } else if (zone->utc && zone->local) {
        told = doubt =
            apr_psprintf(p, "times are taken to be local: %s, as in a file of UTC, but %s",
                         zone->utc, zone->local);
    } else if (is_proved) {
        told = apr_psprintf(p, "times are UTC: %s", zone->utc);
    } else if (zone->utc) {
        told = apr_psprintf(p,
                            "times are taken to be local: %s, as in a file of UTC, but there are "
                            "too few other days to tell",
                            zone->utc);
    } else if (zone->local) {
        told = apr_psprintf(p, "times are local: %s", zone->local);
        doubt = told;
    } else if (zone->is_cut) {
        told = NOTHING_SHOWS " (of the first 64 MiB)";
    }
    for (ecl_layout_t *layout = first; layout; layout = layout->next) {
        if (layout->given.periods_are_clock) {
            number_by_clock(layout);
        }
        if (!ecl_wide_zone_is_open(layout)) {
            continue;
        }
        is_open = 1;
        layout->times_are_utc = is_proved && !zone->local && !zone->clock;
        layout->times_are_local =
            !layout->times_are_utc && (zone->utc || zone->local || zone->clock || zone->is_cut);
        layout->zone_doubt = layout->times_are_utc ? NULL : doubt;
        if (is_clock) {
            number_by_clock(layout);
        }
    }
    if (is_open) {
        first->evidence =
            apr_pstrcat(p, first->evidence, first->next ? "\nall sheets: " : "; ", told, NULL);
    }
}
