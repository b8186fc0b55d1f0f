/* The wall-clock label of elapsed minutes: what ecl_clock_label turns round. */
#ifndef TESTS_CLOCK_LABEL_H
#define TESTS_CLOCK_LABEL_H

#include "worker/clock.h"

static inline int label_of(const ecl_clock_day_t *day, int minute)
{
    int extra = day->minutes - 1440;

    return extra && minute >= day->change_minute ? minute - extra : minute;
}

#endif /* TESTS_CLOCK_LABEL_H */
