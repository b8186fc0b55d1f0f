/*
 * Values that are no readings although they are numbers: what a smart meter gives instead of one,
 * and a register's reads where a consumption is expected.
 */
#include "reader_internal.h"

#define READS_ENOUGH 24
#define RISES_ENOUGH 6        /* of half-hours, */
#define RISES_OF_A_DAY 12     /* of a total that begins anew each day, */
#define RISES_ENOUGH_DAILY 12 /* and of days, which may well rise for a week */
#define SMALLEST_READ (1000 * ECL_DECIMAL_ONE)

/* All ones, in thousandths, of registers of 32, 31 and 24 bits. */
#define ONES_32 APR_INT64_C(4294967295)
#define ONES_31 APR_INT64_C(2147483647)
#define ONES_24 APR_INT64_C(16777215)

/* Other values, in thousandths of a kWh, that the DCC's systems are known to give where there is no
 * reading; as collected by Energy Sparks (a public platform for schools' meter data). The last one
 * has four decimals. */
static const apr_int64_t known_sentinels[] = {8590017, 8590041,  8590063, 8590119, 8590421,
                                              8591484, 34364271, 4295103, 4295084, 38655370};
#define SMALLEST_SENTINEL (APR_INT64_C(4295084) * (ECL_DECIMAL_ONE / 1000))
#define SENTINEL_OF_FOUR_DECIMALS (APR_INT64_C(1862270865) * (ECL_DECIMAL_ONE / 10000))

int ecl_is_sentinel(ecl_decimal_t value, ecl_meter_kind_t kind, int is_daily)
{
    const ecl_decimal_t unit = ECL_DECIMAL_ONE / 1000;

    if (value < SMALLEST_SENTINEL) {
        return 0;
    }
    if ((kind != ECL_METER_MPRN && (value == ONES_32 * unit || value == ONES_31 * unit)) ||
        (kind != ECL_METER_MPAN && value == ONES_24 * unit)) {
        return 1;
    }
    if (is_daily) {
        return 0; /* a day's total may come to any of the rest */
    }
    for (apr_size_t i = 0; i < sizeof known_sentinels / sizeof known_sentinels[0]; i++) {
        if (value == known_sentinels[i] * unit) {
            return 1;
        }
    }
    return value == SENTINEL_OF_FOUR_DECIMALS;
}

void ecl_register_add(ecl_register_t *reads, ecl_decimal_t value)
{
    if (!reads->count) {
        reads->first = value;
    } else if (value < reads->last) {
        reads->falls++;
    } else {
        reads->rises += value > reads->last;
    }
    reads->last = value;
    reads->count++;
}

int ecl_register_is_one(const ecl_register_t *reads, int is_daily)
{
    int enough = is_daily ? RISES_ENOUGH_DAILY : READS_ENOUGH;

    return reads->count >= enough && !reads->falls &&
           reads->rises >= (is_daily ? RISES_ENOUGH_DAILY : RISES_ENOUGH) &&
           reads->first >= SMALLEST_READ && reads->last - reads->first < reads->first;
}

int ecl_register_runs_up(const ecl_register_t *reads)
{
    return reads->count >= READS_ENOUGH && reads->falls <= 1 && reads->rises >= RISES_OF_A_DAY;
}

int ecl_reader_check_register(ecl_reader_t *reader, const ecl_meter_day_t *days, int count)
{
    char first[ECL_DECIMAL_TEXT], last[ECL_DECIMAL_TEXT];
    ecl_register_t reads = {0};

    for (int d = 0; d < count; d++) {
        for (int i = 0; i < days[d].periods; i++) {
            if (days[d].values[i] != ECL_DECIMAL_MISSING) {
                ecl_register_add(&reads, days[d].values[i]);
            }
        }
    }
    if (!ecl_register_is_one(&reads, 0)) {
        return 1;
    }
    ecl_decimal_print(reads.first, first);
    ecl_decimal_print(reads.last, last);
    ecl_reader_fail(reader, -1, "cumulative-reads",
                    "the values rise from %s to %s and never fall: these are reads of a register, "
                    "expected what was used in each half-hour",
                    first, last);
    return 0;
}
