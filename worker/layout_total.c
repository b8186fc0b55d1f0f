/*
 * A day's total beside its half-hours: never a reading, but a checksum, where the file's rows show
 * that it is their sum and not a register, a demand or the total of something else.
 */
#include "layout_internal.h"
#include "marked.h"

/* Values are printed with two or three decimals: their sum may differ by half the last of each. */
#define TOLERANCE (ECL_DECIMAL_ONE / 20)
#define TOLERANCE_PART 1000 /* or a thousandth of the total */

ecl_total_t ecl_layout_compare_total(const ecl_layout_t *layout, const ecl_field_t *fields,
                                     int count, ecl_decimal_t *psum, ecl_decimal_t *ptotal)
{
    const ecl_value_block_t *block = &layout->blocks[0];
    ecl_decimal_t difference, tolerance;
    int values = 0;

    *psum = 0;
    if (layout->total_column < 0 || layout->total_column >= count ||
        ecl_marked_parse(fields[layout->total_column], layout->decimal_point, ptotal) !=
            ECL_DECIMAL_OK) {
        return ECL_TOTAL_NONE;
    }
    for (int i = block->first; i < block->first + block->count; i++) {
        int column = layout->values[i].column;
        ecl_decimal_t value = ECL_DECIMAL_MISSING;

        if (column < count) {
            ecl_marked_parse(fields[column], layout->decimal_point, &value);
        }
        if (value == ECL_DECIMAL_MISSING) {
            continue;
        }
        values++;
        if (!ecl_decimal_add(*psum, value, psum)) {
            return ECL_TOTAL_NONE;
        }
    }
    difference = *psum > *ptotal ? *psum - *ptotal : *ptotal - *psum;
    tolerance = *ptotal / TOLERANCE_PART > TOLERANCE ? *ptotal / TOLERANCE_PART : TOLERANCE;
    if (values < 23 * 60 / layout->interval_minutes || (!*psum && !*ptotal)) {
        return ECL_TOTAL_NONE;
    }
    return difference <= tolerance ? ECL_TOTAL_FITS : ECL_TOTAL_DIFFERS;
}

void ecl_layout_take_total(ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    int fits = 0, differs = 0;

    for (int i = from; i < sample->count && layout->kind == ECL_LAYOUT_WIDE; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_decimal_t sum, total;

        switch (ecl_layout_compare_total(layout, record->fields, record->count, &sum, &total)) {
        case ECL_TOTAL_FITS:
            fits++;
            break;
        case ECL_TOTAL_DIFFERS:
            differs++;
            break;
        case ECL_TOTAL_NONE:
            break;
        }
    }
    layout->total_is_sum = fits > differs;
}
