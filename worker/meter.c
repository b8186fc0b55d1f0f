#include "cell.h"
#include "meter.h"

#define MPAN_LENGTH 13
#define FULL_MPAN_LENGTH 21
#define MPRN_MIN 6
#define MPRN_MAX 10
#define LOST_ZEROS 6 /* of 21 digits a spreadsheet keeps 15 */

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int has_mpan_check_digit(const char *digits)
{
    static const int weights[] = {3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43};
    int i, sum = 0;

    for (i = 0; i < MPAN_LENGTH - 1; i++) {
        sum += weights[i] * (digits[i] - '0');
    }
    return digits[0] != '0' && sum % 11 % 10 == digits[MPAN_LENGTH - 1] - '0';
}

static int has_mprn_check_digits(const char *digits, apr_size_t length)
{
    apr_size_t i, count = length - 2;
    int sum = 0;

    for (i = 0; i < count; i++) {
        sum += (int)(count - i) * (digits[i] - '0');
    }
    return sum % 11 == (digits[count] - '0') * 10 + (digits[count + 1] - '0');
}

/* Leaves blanks, quotes and what spreadsheets put before text off both ends. */
static void strip(const char **ptext, const char **pend)
{
    for (;;) {
        ecl_cell_trim(ptext, pend);
        if (*ptext == *pend) {
            return;
        }
        if (**ptext == '=') {
            (*ptext)++;
        } else if (**ptext == '"' || **ptext == '\'') {
            char quote = *(*ptext)++;

            if (*ptext < *pend && (*pend)[-1] == quote) {
                (*pend)--;
            }
        } else {
            return;
        }
    }
}

/* "=1+1", "=A1", "@SUM(A1)", behind an apostrophe or not; but ="2200…" and =2200… are texts. */
static int is_formula(const char *text, const char *end)
{
    char sign;

    while (text < end && (*text == '\'' || *text == '"' || ecl_cell_blank(text, end))) {
        text++;
    }
    sign = text < end ? *text : '\0';
    if (sign == '@') {
        return memchr(text, '(', (apr_size_t)(end - text)) != NULL;
    }
    if (sign != '=') {
        return 0;
    }
    while (text < end && (*text == '=' || ecl_cell_blank(text, end))) {
        text++;
    }
    if (text < end && *text == '"') {
        const char *closing = memchr(text + 1, '"', (apr_size_t)(end - text - 1));

        text = closing ? closing : end;
    }
    while (text < end &&
           (is_digit(*text) || strchr(".,eE\"'", *text) || ecl_cell_blank(text, end) ||
            (*text == '+' && (text[-1] | 0x20) == 'e'))) {
        text++;
    }
    return text < end || end[-1] == '=';
}

/* "MPAN 1000000000012", "MPRN: 1234567406": digits behind their name. */
static void skip_name(const char **ptext, const char *end)
{
    static const char *const names[] = {"mpan", "mprn", "mpr"};
    const char *digits;

    if (**ptext != 'M' && **ptext != 'm') {
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i]);

        if ((size_t)(end - *ptext) > length && !strncasecmp(*ptext, names[i], length)) {
            digits = *ptext + length;
            while (digits < end && strchr(" :.#", *digits)) {
                digits++;
            }
            if (digits > *ptext + length && digits < end &&
                strspn(digits, "0123456789 ") >= (size_t)(end - digits)) {
                *ptext = digits;
            }
            return;
        }
    }
}

/* Copies without blanks what consists of letters and digits only; returns the length, or 0 when
 * there is anything else or more than fits. *ponly_digits says whether there were letters. ".0" may
 * follow digits. */
static apr_size_t copy_compact(const char *text, const char *end, char identifier[ECL_METER_MAX],
                               int *ponly_digits)
{
    apr_size_t length = 0, blank;

    *ponly_digits = 1;
    if (*text == '+') {
        text++;
    }
    while (text < end) {
        if (is_digit(*text) || is_letter(*text)) {
            if (length == ECL_METER_MAX - 1) {
                return 0;
            }
            *ponly_digits &= is_digit(*text);
            identifier[length++] = *text++;
        } else if ((blank = ecl_cell_blank(text, end)) != 0) {
            text += blank;
        } else {
            break;
        }
    }
    if (end - text >= 2 && *text == '.' && *ponly_digits) {
        do {
            text++;
        } while (text < end && *text == '0');
    }
    identifier[length] = '\0';
    return text == end ? length : 0;
}

/* "06 123 8I5 1400000987659": profile class, meter timeswitch class, line loss factor class, core.
 */
static int is_full_mpan(const char *compact, apr_size_t length)
{
    apr_size_t i;

    if (length != FULL_MPAN_LENGTH) {
        return 0;
    }
    for (i = 0; i < length; i++) {
        if (!is_digit(compact[i]) && (i < 5 || i > 7)) {
            return 0;
        }
    }
    return 1;
}

static ecl_meter_status_t classify_mpan(const char *core, ecl_meter_kind_t *pkind)
{
    *pkind = ECL_METER_MPAN;
    return has_mpan_check_digit(core) ? ECL_METER_OK : ECL_METER_CHECK_DIGIT;
}

/* What kind of number it is; brings it into its stored form. */
static ecl_meter_status_t classify_digits(char *digits, apr_size_t length, ecl_meter_kind_t *pkind)
{
    apr_size_t zeros = strspn(digits, "0");

    if (length == MPAN_LENGTH) {
        return classify_mpan(digits, pkind);
    }
    if (length <= MPRN_MAX && length - zeros >= MPRN_MIN && has_mprn_check_digits(digits, length)) {
        memmove(digits, digits + zeros, length - zeros + 1);
        *pkind = ECL_METER_MPRN;
        return ECL_METER_OK;
    }
    *pkind = ECL_METER_OTHER;
    return length >= MPRN_MIN && length <= MPRN_MAX ? ECL_METER_OK : ECL_METER_LENGTH;
}

/* Whether it is a number with an exponent as spreadsheets and programs write them ("2.20001E+12",
 * "2E12"); but "21E5012345" is a serial number. Copies its digits where they are all there, sets
 * *plength to 0 where they are not. */
static int take_exponent(const char *text, const char *end, char identifier[ECL_METER_MAX],
                         apr_size_t *plength)
{
    apr_size_t length = 0, fraction = 0;
    int exponent = 0, is_signed = 0, is_split = 0, digits = 0, is_negative = 0;

    if (*text == '+') {
        text++;
    }
    for (; text < end && (is_digit(*text) || *text == '.' || *text == ','); text++) {
        if (!is_digit(*text)) {
            if (is_split++) {
                return 0;
            }
        } else {
            if (length < ECL_METER_MAX - 1) {
                identifier[length++] = *text;
            }
            fraction += is_split != 0;
        }
    }
    if (!length || length == ECL_METER_MAX - 1 || text == end || (*text != 'e' && *text != 'E')) {
        return 0;
    }
    text++;
    if (text < end && (*text == '+' || *text == '-')) {
        is_signed = 1;
        is_negative = *text++ == '-';
    }
    for (; text < end && is_digit(*text); text++, digits++) {
        if (exponent < ECL_METER_MAX) {
            exponent = exponent * 10 + (*text - '0');
        }
    }
    if (text != end || !digits || (!is_split && !is_signed && (length > 1 || digits > 2))) {
        return 0;
    }
    identifier[length] = '\0';
    *plength = !is_negative && fraction && fraction == (apr_size_t)exponent ? length : 0;
    return 1;
}

/* Copies a name with single spaces for blanks. */
static ecl_meter_status_t copy_name(const char *text, const char *end,
                                    char identifier[ECL_METER_MAX])
{
    apr_size_t length = 0;

    while (text < end) {
        apr_size_t blank, blanks = 0;

        while ((blank = ecl_cell_blank(text, end)) != 0) {
            text += blank;
            blanks = 1;
        }
        if (length + blanks >= ECL_METER_MAX - 1) {
            identifier[0] = '\0';
            return ECL_METER_TOO_LONG;
        }
        if (blanks) {
            identifier[length++] = ' ';
        }
        identifier[length++] = *text++;
    }
    identifier[length] = '\0';
    return ECL_METER_OK;
}

ecl_meter_status_t ecl_meter_parse(const char *text, apr_size_t length,
                                   char identifier[ECL_METER_MAX], ecl_meter_kind_t *pkind)
{
    const char *end = text + length;
    apr_size_t compact;
    int only_digits;

    if (is_formula(text, end)) {
        identifier[0] = '\0';
        return ECL_METER_FORMULA;
    }
    strip(&text, &end);
    if (ecl_cell_is_missing(text, end)) {
        return ECL_METER_IS_MISSING;
    }
    skip_name(&text, end);
    compact = copy_compact(text, end, identifier, &only_digits);
    if (is_full_mpan(identifier, compact)) {
        char *core = identifier + FULL_MPAN_LENGTH - MPAN_LENGTH;

        if (only_digits && strspn(core + MPAN_LENGTH - LOST_ZEROS, "0") == LOST_ZEROS) {
            return ECL_METER_DAMAGED;
        }
        memmove(identifier, core, MPAN_LENGTH + 1);
        return classify_mpan(identifier, pkind);
    }
    if (compact && only_digits) {
        return classify_digits(identifier, compact, pkind);
    }
    if (take_exponent(text, end, identifier, &compact)) {
        return compact ? classify_digits(identifier, compact, pkind) : ECL_METER_DAMAGED;
    }
    *pkind = ECL_METER_OTHER;
    return copy_name(text, end, identifier);
}

const char *ecl_meter_kind_name(ecl_meter_kind_t kind)
{
    switch (kind) {
    case ECL_METER_MPAN:
        return "mpan";
    case ECL_METER_MPRN:
        return "mprn";
    case ECL_METER_OTHER:
        break;
    }
    return "other";
}

int ecl_meter_is_mpan(const char *text, apr_size_t length)
{
    char identifier[ECL_METER_MAX];
    ecl_meter_kind_t kind;

    return ecl_meter_parse(text, length, identifier, &kind) == ECL_METER_OK &&
           kind == ECL_METER_MPAN;
}

int ecl_meter_was_mpan(const char *text, apr_size_t length)
{
    char identifier[ECL_METER_MAX];
    ecl_meter_kind_t kind;
    int exponent = 0;

    if (ecl_meter_parse(text, length, identifier, &kind) != ECL_METER_DAMAGED) {
        return 0;
    }
    for (apr_size_t i = 0, in_exponent = 0; i < length; i++) {
        if (text[i] == 'e' || text[i] == 'E') {
            in_exponent = 1;
        } else if (in_exponent && is_digit(text[i])) {
            exponent = exponent * 10 + (text[i] - '0');
        }
    }
    return !exponent || exponent == MPAN_LENGTH - 1 || exponent == FULL_MPAN_LENGTH - 1;
}
