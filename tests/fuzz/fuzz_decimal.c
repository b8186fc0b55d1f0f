/*
 * Cells as decimals: what is read is in range, and what is printed of it is read back the same.
 * The first byte of the input picks the decimal point.
 */
#include "fuzz.h"
#include "worker/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char text[ECL_DECIMAL_TEXT];
    ecl_decimal_t value = 4711, back;
    ecl_decimal_status_t status;
    apr_size_t printed;

    if (!length) {
        return 0;
    }
    status = ecl_decimal_parse((const char *)bytes + 1, length - 1, *bytes & 1 ? ',' : '.', &value);
    switch (status) {
    case ECL_DECIMAL_OK:
    case ECL_DECIMAL_ROUNDED:
        FUZZ_ASSERT(value != ECL_DECIMAL_MISSING);
        printed = ecl_decimal_print(value, text);
        FUZZ_ASSERT(printed < ECL_DECIMAL_TEXT && strlen(text) == printed);
        FUZZ_ASSERT(ecl_decimal_parse(text, printed, '.', &back) == ECL_DECIMAL_OK);
        FUZZ_ASSERT(back == value);
        break;
    case ECL_DECIMAL_IS_MISSING:
        FUZZ_ASSERT(value == ECL_DECIMAL_MISSING);
        break;
    case ECL_DECIMAL_BAD:
    case ECL_DECIMAL_RANGE:
        FUZZ_ASSERT(value == 4711);
        break;
    }
    return 0;
}
