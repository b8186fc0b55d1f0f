/*
 * The columns of a table outside its value blocks, and what was seen of them: for those who choose
 * what each is for.
 */
#ifndef ECL_LAYOUT_COLUMNS_H
#define ECL_LAYOUT_COLUMNS_H

#include "layout_internal.h"

/* What a column is called, and what its cells look like. */
typedef struct ecl_column_t {
    int index;
    ecl_role_t role;
    int rank;
    int is_utc;
    ecl_unit_t header_unit;
    int cells; /* that are not blank; of these are: */
    int mpans, damaged, mprns, dates, times, periods, numbers, codes, units, powers, volumes,
        channels, quantities, flags, registers;
    int zeros, last_periods;   /* of numbers: 0; 47 or more and still a period; */
    int forty_eights;          /* 48 */
    int stamps;                /* of dates: those with a time of day that is not midnight */
    int serials, serial_times; /* of dates: those that are day numbers, with a time of day */
    int unix_times;            /* of dates: those that are counted since 1970 */
    int is_reactive;           /* some cell says kVArh */
    int is_by_unit;            /* all its name is known for is the unit in it */
    int varies;                /* not all cells are the same number */
    ecl_decimal_t first_number;
} ecl_column_t;

typedef struct ecl_columns_t {
    ecl_column_t *all; /* outside value blocks */
    int count;
} ecl_columns_t;

/* The column of readings, and those beside it that are readings of other channels; meter may be
 * NULL. ECL_EINPUT: "no-value-column", "bad-unit", or "several-values", where it is not certain
 * which one a row's reading is. */
apr_status_t ecl_layout_take_value(ecl_layout_t *layout, const ecl_columns_t *columns,
                                   const ecl_column_t *meter, apr_pool_t *p, ecl_result_t *result);

/* A name that is known as that of a channel, or of energy made behind the meter, and not as that of
 * any other column: "Generation", "Exported". */
int ecl_layout_names_channel(const char *text, apr_size_t length);

#endif /* ECL_LAYOUT_COLUMNS_H */
