/*
 * How the hours of a file are numbered on the days when the clocks change, where a column has the
 * hour's number. Of hours from 1 to 24 (those from 0 to 23 are one less):
 *
 *                              23 hours in March    25 hours in October
 *   as the clock shows them    no 2                 2 comes twice
 *   by the clock at their end  no 1                 1 comes twice
 *   counted                    1 to 23              1 to 25
 *
 * On other days all of these are the same, so that the first is right where nothing shows another.
 */
#include "reader_internal.h"

#include "layout_internal.h"

void ecl_hours_look(ecl_hours_seen_t *seen, const ecl_layout_t *layout, const ecl_clock_day_t *day,
                    int number)
{
    int nth = number + 1 - layout->parts.first_hour;

    if (number < 0 || nth < 1 || nth > 25 || day->minutes == 1440) {
        return;
    }
    if (day->minutes < 1440) {
        seen->in_short[nth]++;
    } else {
        seen->in_long[nth]++;
    }
}

/* More often than the other, and not by some rows that are given twice. */
static int is_twice(int hour, int other)
{
    return hour * 2 > other * 3;
}

int ecl_hours_apply(const ecl_hours_seen_t *seen, ecl_layout_t *layout, apr_pool_t *p)
{
    const int *s = seen->in_short, *l = seen->in_long;
    int counted = l[25] || (s[1] && s[2] && s[3] && s[23] && !s[24]);
    int clock = is_twice(l[2], l[3]) || (s[1] && !s[2] && s[3] && s[24]);
    int ends =
        layout->parts.first_hour && (is_twice(l[1], l[2]) || (!s[1] && s[2] && s[3] && s[24]));

    if (layout->parts.hour < 0 || !layout->parts.are_hours || layout->labels_are_ends ||
        layout->given.hours || layout->given.reads || counted + clock + ends != 1 || clock) {
        return 0;
    }
    if (counted) {
        layout->first_period = layout->parts.first_hour;
        ecl_parts_count_hours(layout);
        layout->evidence = apr_psprintf(
            p, "%s; hours are counted through the days when the clocks change, as %s shows",
            layout->evidence, l[25] ? "the day that has 25" : "the day that has 23");
    } else {
        layout->parts.first_hour = 0;
        layout->parts.has_24 = layout->labels_are_ends = 1;
        layout->evidence = apr_psprintf(
            p, "%s; hours are what the clock shows at their end, as %s shows", layout->evidence,
            is_twice(l[1], l[2]) ? "the 1 that comes twice in October"
                                 : "the 1 that is left out in March");
    }
    return 1;
}
