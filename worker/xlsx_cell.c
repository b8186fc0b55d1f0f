/*
 * What a cell says, as text.
 */
#include "xlsx_internal.h"

#define DIGITS_KEPT 15 /* any number of so many digits comes back the same from a double */
#define DIGITS_MAX 17  /* so many tell every double from every other */
#define SMALLEST_PLAIN (-20)

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

typedef struct number_t {
    int digits;       /* significant ones */
    int has_exponent; /* or anything else that is not plain digits and a point */
    apr_size_t point; /* where it stands; length: nowhere */
} number_t;

/* Sign, digits, point, digits, exponent: 0 when it is anything else ("inf", "0x1F"). */
static int scan_number(const char *text, apr_size_t length, number_t *number)
{
    apr_size_t at = 0;
    int digits = 0, has_begun = 0;

    *number = (number_t){.point = length};
    if (at < length && (text[at] == '-' || text[at] == '+')) {
        number->has_exponent = text[at++] == '+';
    }
    for (; at < length && (is_digit(text[at]) || text[at] == '.'); at++) {
        if (text[at] == '.') {
            if (number->point < length) {
                return 0;
            }
            number->point = at;
            continue;
        }
        digits++;
        has_begun = has_begun || text[at] != '0';
        number->digits += has_begun;
    }
    if (!digits || at == length) {
        return digits > 0;
    }
    if (text[at] != 'e' && text[at] != 'E') {
        return 0;
    }
    number->has_exponent = 1;
    at++;
    at += at < length && (text[at] == '-' || text[at] == '+');
    for (digits = 0; at < length && is_digit(text[at]); at++) {
        digits++;
    }
    return digits && at == length;
}

/* The text itself, without zeros at the end of a fraction. */
static apr_size_t copy_plain(const char *text, apr_size_t length, apr_size_t point, char *out)
{
    if (point < length) {
        while (length > point && (text[length - 1] == '0' || length - 1 == point)) {
            length--;
        }
    }
    if (length == 2 && !memcmp(text, "-0", 2)) {
        text = "0";
        length = 1;
    }
    memcpy(out, text, length);
    out[length] = '\0';
    return length;
}

/* "-1.5e-03" as "-0.0015"; a spreadsheet shows large and very small ones as "1.5E+18". */
static apr_size_t print_scientific(const char *scientific, char out[ECL_XLSX_NUMBER_TEXT])
{
    const char *sign = scientific[0] == '-' ? "-" : "";
    char digits[DIGITS_MAX + 1];
    const char *at = scientific + strlen(sign);
    int count = 0, exponent;

    for (; *at && *at != 'e'; at++) {
        if (is_digit(*at)) {
            digits[count++] = *at;
        }
    }
    exponent = *at ? (int)strtol(at + 1, NULL, 10) : 0;
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    digits[count] = '\0';
    if (exponent >= DIGITS_KEPT || exponent < SMALLEST_PLAIN) {
        return (apr_size_t)apr_snprintf(out, ECL_XLSX_NUMBER_TEXT, "%s%c%s%sE%+d", sign, digits[0],
                                        count > 1 ? "." : "", digits + 1, exponent);
    }
    if (exponent < 0) {
        return (apr_size_t)apr_snprintf(out, ECL_XLSX_NUMBER_TEXT, "%s0.%.*s%s", sign,
                                        -exponent - 1, "00000000000000000000", digits);
    }
    if (exponent >= count - 1) {
        return (apr_size_t)apr_snprintf(out, ECL_XLSX_NUMBER_TEXT, "%s%s%.*s", sign, digits,
                                        exponent - count + 1, "00000000000000000000");
    }
    return (apr_size_t)apr_snprintf(out, ECL_XLSX_NUMBER_TEXT, "%s%.*s.%s", sign, exponent + 1,
                                    digits, digits + exponent + 1);
}

static apr_size_t print_double(double value, char out[ECL_XLSX_NUMBER_TEXT])
{
    char scientific[40];

    for (int digits = DIGITS_KEPT; digits <= DIGITS_MAX; digits++) {
        snprintf(scientific, sizeof scientific, "%.*e", digits - 1, value);
        if (strtod(scientific, NULL) == value) {
            break;
        }
    }
    return print_scientific(scientific, out);
}

apr_size_t ecl_xlsx_number(const char *text, apr_size_t length, ecl_serial_form_t form, int is_1904,
                           char out[ECL_XLSX_NUMBER_TEXT])
{
    char copy[ECL_XLSX_NUMBER_TEXT];
    number_t number;
    double value;

    if (length >= sizeof copy || !scan_number(text, length, &number)) {
        return 0;
    }
    if (form == ECL_SERIAL_NUMBER && !number.has_exponent && number.digits <= DIGITS_KEPT &&
        length <= 2 * DIGITS_KEPT && is_digit(text[text[0] == '-'])) {
        return copy_plain(text, length, number.point, out);
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    value = strtod(copy, NULL);
    if (value - value != 0) { /* beyond what a double holds */
        return 0;
    }
    if (ecl_serial_print(value, form, is_1904, out)) {
        return strlen(out);
    }
    return print_double(value, out);
}

int ecl_xlsx_column(const char *reference)
{
    int column = 0, letters = 0;

    for (; *reference >= 'A' && *reference <= 'Z'; reference++, letters++) {
        if (letters == 3) {
            return -1;
        }
        column = column * 26 + *reference - 'A' + 1;
    }
    return letters && is_digit(*reference) ? column - 1 : -1;
}

const char *ecl_xlsx_letters(int column, char out[ECL_XLSX_LETTERS])
{
    char *at = &out[ECL_XLSX_LETTERS - 1];

    for (*at = '\0', column++; column > 0 && at > out; column = (column - 1) / 26) {
        *--at = (char)('A' + (column - 1) % 26);
    }
    return at;
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character of "_xHHHH_" at text; -1: none, or none that may stand in a text. */
static int escaped(const char *text, apr_size_t length)
{
    int character = 0;

    if (length < 7 || text[0] != '_' || text[1] != 'x' || text[6] != '_') {
        return -1;
    }
    for (int i = 2; i < 6; i++) {
        if (hex_value(text[i]) < 0) {
            return -1;
        }
        character = character * 16 + hex_value(text[i]);
    }
    if ((character < 0x20 && character != '\t' && character != '\n' && character != '\r') ||
        (character >= 0xd800 && character <= 0xdfff) || character >= 0xfffe) {
        return -1;
    }
    return character;
}

apr_size_t ecl_xlsx_unescape(char *text, apr_size_t length)
{
    char *out = text;

    for (apr_size_t at = 0; at < length;) {
        int character = text[at] == '_' ? escaped(text + at, length - at) : -1;

        if (character < 0) {
            *out++ = text[at++];
            continue;
        }
        at += 7;
        if (character < 0x80) {
            *out++ = (char)character;
        } else if (character < 0x800) {
            *out++ = (char)(0xc0 | character >> 6);
            *out++ = (char)(0x80 | (character & 0x3f));
        } else {
            *out++ = (char)(0xe0 | character >> 12);
            *out++ = (char)(0x80 | (character >> 6 & 0x3f));
            *out++ = (char)(0x80 | (character & 0x3f));
        }
    }
    return (apr_size_t)(out - text);
}
