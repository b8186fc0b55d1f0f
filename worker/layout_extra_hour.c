/*
 * The hour that comes twice in October, in columns that have no name: whether they are that, only
 * their place and their cells can say.
 */
#include "layout_internal.h"

int ecl_layout_names_alike(const ecl_record_t *header, int a, int b)
{
    char x[ECL_WORD_MAX], y[ECL_WORD_MAX];

    if (a < 0 || b < 0 || a >= header->count || b >= header->count) {
        return 0;
    }
    return ecl_word_fold(header->fields[a].text, header->fields[a].length, x) &&
           ecl_word_fold(header->fields[b].text, header->fields[b].length, y) && !strcmp(x, y);
}

static int has_more_than_zero(const ecl_record_t *record, int column)
{
    ecl_field_t cell = ecl_sample_cell(record, column);
    ecl_decimal_t value;

    return (ecl_decimal_parse(cell.text, cell.length, '.', &value) == ECL_DECIMAL_OK ||
            ecl_decimal_parse(cell.text, cell.length, ',', &value) == ECL_DECIMAL_OK) &&
           value;
}

int ecl_layout_holds_more_than_zeros(const ecl_sample_t *sample, int from, int column)
{
    for (int i = from; i < sample->count; i++) {
        if (has_more_than_zero(&sample->records[i], column)) {
            return 1;
        }
    }
    return 0;
}

int ecl_layout_find_unnamed_hour(ecl_unnamed_hour_t *hour, int *pend)
{
    const ecl_record_t *header = hour->header;
    int step = hour->offset ? 2 : 1, behind = hour->offset > 0;
    int flag = hour->last + hour->offset;

    for (int i = 1; i <= hour->count; i++) {
        int column = hour->last + step * i;

        if (column >= header->count || header->fields[column].length ||
            (hour->offset && !ecl_layout_names_alike(header, column + hour->offset, flag))) {
            return 0;
        }
    }
    hour->flags_are_unnamed = hour->offset && !header->fields[flag].length;
    *pend = hour->last + step * hour->count + behind + 1;
    return 1;
}

/* The day on which the clocks go back, in all zones that the worker knows. */
static int is_long_day(ecl_date_t date)
{
    int year, month, day;

    ecl_date_to_ymd(date, &year, &month, &day);
    return month == 10 && day >= 25 && (date + 4) % 7 == 0; /* 1 January 1970 was a Thursday */
}

/* Whether one of the cells before the columns is such a day. */
static int is_row_of_long_day(const ecl_record_t *record, int before)
{
    for (int c = 0; c < before && c < record->count; c++) {
        ecl_datetime_t stamp;

        if (ecl_layout_is_date(record->fields[c], &stamp) && is_long_day(stamp.date)) {
            return 1;
        }
    }
    return 0;
}

int ecl_layout_is_hour_of_long_days(const ecl_unnamed_hour_t *hour)
{
    int step = hour->offset ? 2 : 1, filled = 0;

    for (int i = hour->from; i < hour->sample->count; i++) {
        const ecl_record_t *record = &hour->sample->records[i];
        int has_values = 0;

        for (int k = 1; k <= hour->count; k++) {
            has_values += has_more_than_zero(record, hour->last + step * k);
        }
        if (has_values && !is_row_of_long_day(record, hour->last)) {
            return 0;
        }
        filled += has_values == hour->count;
    }
    /* the rest of a longer file may have that day */
    return filled || !hour->sample->is_whole;
}
