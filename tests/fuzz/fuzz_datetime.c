/*
 * Cells as dates, times and meter identifiers: what is read keeps the ranges that the headers
 * promise, and a date or identifier reads back as itself.
 */
#include "fuzz.h"
#include "worker/datetime.h"
#include "worker/meter.h"

static void check_datetime(const char *text, size_t length, ecl_date_order_t order)
{
    ecl_datetime_t value = {.date = -1}, back;
    char date[ECL_DATE_TEXT];
    ecl_datetime_status_t status = ecl_datetime_parse(text, length, order, &value);

    FUZZ_ASSERT(*ecl_datetime_expected(status));
    if (status != ECL_DATETIME_OK) {
        FUZZ_ASSERT(value.date == -1);
        return;
    }
    FUZZ_ASSERT(value.has_date || value.has_time);
    FUZZ_ASSERT(value.minute >= 0 && value.minute <= 1440);
    FUZZ_ASSERT(value.second >= 0 && value.second <= 59);
    FUZZ_ASSERT(value.offset_minutes > -15 * 60 && value.offset_minutes < 15 * 60);
    FUZZ_ASSERT(value.has_time || (!value.has_offset && !value.minute && !value.second));
    if (value.has_date) {
        ecl_date_print(value.date, date);
        FUZZ_ASSERT(ecl_datetime_parse(date, 10, order, &back) == ECL_DATETIME_OK);
        FUZZ_ASSERT(back.date == value.date);
    }
}

static void check_meter(const char *text, size_t length)
{
    char identifier[ECL_METER_MAX], again[ECL_METER_MAX];
    ecl_meter_kind_t kind, kind_again;
    ecl_meter_status_t status = ecl_meter_parse(text, length, identifier, &kind);

    if (status == ECL_METER_OK || status == ECL_METER_CHECK_DIGIT || status == ECL_METER_LENGTH) {
        FUZZ_ASSERT(*identifier && strlen(identifier) < ECL_METER_MAX);
        if (kind != ECL_METER_OTHER) {
            FUZZ_ASSERT(ecl_meter_parse(identifier, strlen(identifier), again, &kind_again) ==
                        status);
            FUZZ_ASSERT(kind_again == kind && !strcmp(identifier, again));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *text = (const char *)bytes;

    check_datetime(text, length, ECL_ORDER_DMY);
    check_datetime(text, length, ECL_ORDER_MDY);
    if (length && !memchr(text, '\0', length)) { /* records hands out no NUL */
        check_meter(text, length);
    }
    return 0;
}
