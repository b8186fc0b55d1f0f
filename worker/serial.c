#include "decimal.h"
#include "serial.h"

#define EPOCH_1900 (-25569) /* 1899-12-30 in days since 1970: right from 1 March 1900 on */
#define DAYS_OF_1904 1462   /* between the two systems' first days */
#define LAST_SERIAL 2958465 /* 9999-12-31 */
#define FALSE_LEAP_DAY 60
#define DAY_SECONDS 86400
#define FIRST_BARE 30000
#define FIRST_UNIX APR_INT64_C(1000000000) /* 2001 to */
#define LAST_UNIX APR_INT64_C(4102444799)  /* 2099 */
#define LAST_BARE 60000

ecl_serial_form_t ecl_serial_form_of_id(int id)
{
    if (id >= 14 && id <= 17) {
        return ECL_SERIAL_DATE;
    }
    if ((id >= 18 && id <= 21) || id == 45 || id == 47) {
        return ECL_SERIAL_TIME;
    }
    if (id == 46) {
        return ECL_SERIAL_ELAPSED;
    }
    return id == 22 ? ECL_SERIAL_STAMP : ECL_SERIAL_NUMBER;
}

/* Passes over what stands in quotation marks or brackets, or is escaped. Sets *pelapsed for "[h]"
 * and its kind. Returns NULL where nothing of that kind begins. */
static const char *pass_literal(const char *at, int *pelapsed)
{
    const char *end;

    switch (*at) {
    case '"':
        end = strchr(at + 1, '"');
        return end ? end + 1 : at + strlen(at);
    case '[':
        end = strchr(at, ']');
        if (!end) {
            return at + strlen(at);
        }
        *pelapsed |= end > at + 1 && strspn(at + 1, "hHmMsS") == (apr_size_t)(end - at - 1);
        return end + 1;
    case '\\':
    case '_':
    case '*':
        return at + (at[1] ? 2 : 1);
    case 'A':
    case 'a':
        if (!strncasecmp(at, "AM/PM", 5)) {
            return at + 5;
        }
        return strncasecmp(at, "A/P", 3) ? NULL : at + 3;
    default:
        return NULL;
    }
}

ecl_serial_form_t ecl_serial_form_of_code(const char *code)
{
    int has_day = 0, has_month = 0, has_time = 0, is_elapsed = 0;

    /* a word, not letters: other languages' too */
    if (!strcasecmp(code, "General") || !strcasecmp(code, "Standard")) {
        return ECL_SERIAL_NUMBER;
    }
    while (*code) {
        const char *after = pass_literal(code, &is_elapsed);

        if (after) {
            code = after;
            continue;
        }
        has_day |= strchr("dDyY", *code) != NULL;
        has_month |= strchr("mM", *code) != NULL;
        has_time |= strchr("hHsS", *code) != NULL;
        code++;
    }
    if (is_elapsed) {
        return ECL_SERIAL_ELAPSED;
    }
    if (has_time) {
        return has_day ? ECL_SERIAL_STAMP : ECL_SERIAL_TIME;
    }
    return has_day || has_month ? ECL_SERIAL_DATE : ECL_SERIAL_NUMBER;
}

static void print_time(int seconds, char text[ECL_SERIAL_TEXT])
{
    if (seconds % 60) {
        apr_snprintf(text, ECL_SERIAL_TEXT, "%02d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                     seconds % 60);
    } else {
        apr_snprintf(text, ECL_SERIAL_TEXT, "%02d:%02d", seconds / 3600, seconds / 60 % 60);
    }
}

static void print_date(int day, int is_1904, char text[ECL_SERIAL_TEXT])
{
    if (is_1904) {
        day += DAYS_OF_1904;
    } else if (day == FALSE_LEAP_DAY) {
        apr_cpystrn(text, "1900-02-29", ECL_SERIAL_TEXT);
        return;
    } else if (day < FALSE_LEAP_DAY) {
        day++;
    }
    ecl_date_print(day + EPOCH_1900, text);
}

int ecl_serial_print(double serial, ecl_serial_form_t form, int is_1904, char text[ECL_SERIAL_TEXT])
{
    apr_int64_t seconds;
    int day, second, last = LAST_SERIAL - (is_1904 ? DAYS_OF_1904 : 0);

    if (form == ECL_SERIAL_NUMBER || !(serial >= 0) || serial >= last + 1) {
        return 0;
    }
    seconds = (apr_int64_t)(serial * DAY_SECONDS + 0.5);
    day = (int)(seconds / DAY_SECONDS);
    second = (int)(seconds % DAY_SECONDS);
    if (day > last) {
        return 0;
    }
    if (form == ECL_SERIAL_ELAPSED && day < 1000) {
        print_time((int)seconds, text);
    } else if (day == 1 && !second && form == ECL_SERIAL_TIME) {
        print_time(DAY_SECONDS, text);
    } else if (!day) {
        print_time(second, text);
    } else {
        print_date(day, is_1904, text);
        if (second || form != ECL_SERIAL_DATE) {
            apr_snprintf(text + 10, ECL_SERIAL_TEXT - 10, " %02d:%02d:%02d", second / 3600,
                         second / 60 % 60, second % 60);
        }
    }
    return 1;
}

/* Plain digits with at most one decimal sign, which must be there if has_point; nothing else. */
static int parse_plain(const char *text, apr_size_t length, int has_point, ecl_decimal_t *pvalue)
{
    apr_size_t digits = strspn(text, "0123456789");
    char point = text[digits];
    ecl_decimal_status_t status;

    if (!digits || digits > length || (digits == length && has_point)) {
        return 0;
    }
    if (digits < length &&
        ((point != '.' && point != ',') ||
         digits + 1 + strspn(text + digits + 1, "0123456789") != length || digits + 1 == length)) {
        return 0;
    }
    status = ecl_decimal_parse(text, length, point == ',' ? ',' : '.', pvalue);
    return status == ECL_DECIMAL_OK || status == ECL_DECIMAL_ROUNDED;
}

/* The nearest second of a fraction of a day. */
static int second_of(ecl_decimal_t fraction)
{
    return (int)((fraction * DAY_SECONDS + ECL_DECIMAL_ONE / 2) / ECL_DECIMAL_ONE);
}

int ecl_serial_parse(const char *text, apr_size_t length, int is_1904, ecl_datetime_t *pstamp)
{
    ecl_decimal_t value;
    int second;

    if (!parse_plain(text, length, 0, &value) || value < FIRST_BARE * ECL_DECIMAL_ONE ||
        value > LAST_BARE * ECL_DECIMAL_ONE) {
        return 0;
    }
    second = second_of(value % ECL_DECIMAL_ONE);
    *pstamp = (ecl_datetime_t){
        .has_date = 1,
        .date = (ecl_date_t)(value / ECL_DECIMAL_ONE) + EPOCH_1900 + (is_1904 ? DAYS_OF_1904 : 0) +
                second / DAY_SECONDS,
        .has_time = value % ECL_DECIMAL_ONE != 0,
        .minute = second % DAY_SECONDS / 60,
        .second = second % 60,
    };
    return 1;
}

int ecl_serial_parse_time(const char *text, apr_size_t length, ecl_datetime_t *ptime)
{
    ecl_decimal_t value;
    int second;

    if (!parse_plain(text, length, 1, &value) || value >= ECL_DECIMAL_ONE) {
        return 0;
    }
    second = second_of(value);
    *ptime = (ecl_datetime_t){.has_time = 1, .minute = second / 60, .second = second % 60};
    return 1;
}

int ecl_serial_parse_unix(const char *text, apr_size_t length, ecl_datetime_t *pstamp)
{
    apr_int64_t seconds = 0;

    if (length != 10 && length != 13) {
        return 0;
    }
    for (apr_size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return 0;
        }
        seconds = seconds * 10 + (text[i] - '0');
    }
    if (length == 13) {
        if (seconds % 1000) {
            return 0;
        }
        seconds /= 1000;
    }
    if (seconds < FIRST_UNIX || seconds > LAST_UNIX) {
        return 0;
    }
    *pstamp = (ecl_datetime_t){
        .has_date = 1,
        .date = (ecl_date_t)(seconds / DAY_SECONDS),
        .has_time = 1,
        .minute = (int)(seconds % DAY_SECONDS / 60),
        .second = (int)(seconds % 60),
        .has_offset = 1,
    };
    return 1;
}
