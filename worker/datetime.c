/*
 * A cell is read from left to right without looking back: a date, then a time, or the other way
 * round. What is of no known form ends it at once (BAD). What has a known form but no meaning (a
 * 31 February) is noted and reading goes on, so that a cell is called by what is wrong with it.
 */
#include "cell.h"
#include "datetime.h"

#define YEAR_MIN 1970 /* before and after these no clock is known, and no meter was read */
#define YEAR_MAX 2099
#define MAX_INTERVAL 60 /* minutes */

typedef struct scan_t {
    const char *at;
    const char *end;
    ecl_date_order_t order;
    ecl_datetime_t value;
    ecl_datetime_status_t problem; /* the first thing of known form that has no meaning */
    int month, day;                /* of a date without a year, which may stand at the end */
    int weekday;                   /* from 1; 0: none is given */
    int has_meridiem;              /* "am", "pm" */
} scan_t;

static const char *const month_names[] = {"january",   "february", "march",    "april",
                                          "may",       "june",     "july",     "august",
                                          "september", "october",  "november", "december"};
static const char *const day_names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next byte, or NUL at the end: no form we know has a NUL in it. */
static char peek(const scan_t *scan)
{
    return scan->at < scan->end ? *scan->at : '\0';
}

static int take(scan_t *scan, char c)
{
    if (peek(scan) != c) {
        return 0;
    }
    scan->at++;
    return 1;
}

static int take_blanks(scan_t *scan)
{
    const char *from = scan->at;
    apr_size_t blank;

    while ((blank = ecl_cell_blank(scan->at, scan->end)) != 0) {
        scan->at += blank;
    }
    return scan->at > from;
}

/* Reads all digits that follow; returns how many there are, 0 for none or more than 8. */
static int take_number(scan_t *scan, int *pnumber)
{
    const char *from = scan->at;
    int number = 0;

    while (scan->at < scan->end && is_digit(*scan->at)) {
        if (scan->at - from == 8) {
            return 0;
        }
        number = number * 10 + (*scan->at++ - '0');
    }
    *pnumber = number;
    return (int)(scan->at - from);
}

/* Reads a word if it is one of those names, in full or as its first three letters; returns its
 * place from 1, or 0 and leaves it. */
static int take_name(scan_t *scan, const char *const *names, int count)
{
    const char *stop = scan->at;
    int i;

    while (stop < scan->end && is_letter(*stop)) {
        stop++;
    }
    for (i = 0; i < count && stop - scan->at >= 3; i++) {
        if (!strncasecmp(scan->at, names[i], 3) &&
            (stop - scan->at == 3 || ecl_cell_is(scan->at, stop, names[i]))) {
            scan->at = stop;
            return i + 1;
        }
    }
    return 0;
}

static int take_month(scan_t *scan)
{
    if (scan->end - scan->at >= 4 && ecl_cell_is(scan->at, scan->at + 4, "sept") &&
        (scan->end - scan->at == 4 || !is_letter(scan->at[4]))) {
        scan->at += 4;
        return 9;
    }
    return take_name(scan, month_names, 12);
}

/* Reads a word if it is exactly that one. */
static int take_word(scan_t *scan, const char *word)
{
    apr_size_t length = strlen(word);

    if ((apr_size_t)(scan->end - scan->at) < length ||
        !ecl_cell_is(scan->at, scan->at + length, word) ||
        (scan->at + length < scan->end && is_letter(scan->at[length]))) {
        return 0;
    }
    scan->at += length;
    return 1;
}

static void note(scan_t *scan, ecl_datetime_status_t problem)
{
    if (scan->problem == ECL_DATETIME_OK) {
        scan->problem = problem;
    }
}

static void set_date(scan_t *scan, int year, int month, int day)
{
    scan->value.has_date = 1;
    if (year < YEAR_MIN || year > YEAR_MAX ||
        !ecl_date_from_ymd(year, month, day, &scan->value.date)) {
        note(scan, ECL_DATETIME_NO_SUCH);
    }
}

/* "st", "nd", "rd", "th" behind a day's number. */
static void take_ordinal(scan_t *scan)
{
    (void)(take_word(scan, "st") || take_word(scan, "nd") || take_word(scan, "rd") ||
           take_word(scan, "th"));
}

/* "1:30", "01:03:59": one or two digits and a colon. */
static int is_time_next(const scan_t *scan)
{
    scan_t ahead = *scan;
    int number, digits = take_number(&ahead, &number);

    return digits >= 1 && digits <= 2 && peek(&ahead) == ':';
}

/* An en dash or em dash of UTF-8. */
static int take_dash(scan_t *scan)
{
    if (scan->end - scan->at < 3 || scan->at[0] != '\xE2' || scan->at[1] != '\x80' ||
        (scan->at[2] != '\x93' && scan->at[2] != '\x94')) {
        return 0;
    }
    scan->at += 3;
    return 1;
}

/* The slots of meters have up to 60 minutes, perhaps without the last one ("00:00 to 00:29"); the
 * clocks may have gone an hour forward or back within them. Returns 0 for any other. */
static int set_slot(scan_t *scan, int minutes)
{
    scan->value.is_slot = 1;
    return minutes > -60 && minutes <= 120;
}

/* The year after a day and a month, and what they make together. Returns 0 for no form we know. */
static int take_year(scan_t *scan, char separator, int month, int day)
{
    const char *from = scan->at;
    int is_separated = !separator                     ? is_digit(peek(scan))
                       : ecl_cell_is_blank(separator) ? take(scan, ',') | take_blanks(scan)
                                                      : take(scan, separator);
    int year, digits = 0;

    if (is_separated && !is_time_next(scan)) {
        digits = take_number(scan, &year);
        if (digits != 4 && digits != 2 && (digits != 1 || separator == '.')) {
            return 0;
        }
    } else {
        scan->at = from; /* "30 Aug 00:30" */
    }
    if (digits < 2) {
        scan->value.has_date = 1;
        scan->month = month;
        scan->day = day;
        note(scan, ECL_DATETIME_NO_YEAR);
        return 1;
    }
    set_date(scan, digits == 2 ? 2000 + year : year, month, day);
    return 1;
}

/* The day after a year of two digits and a month. Returns 0 for no form we know. */
static int take_last_day(scan_t *scan, char separator, int year, int month)
{
    int day, digits;

    if (!take(scan, separator)) {
        return 0;
    }
    digits = take_number(scan, &day);
    if (digits == 4) { /* the year is here, and so the order another one */
        scan->value.has_date = 1;
        note(scan, ECL_DATETIME_NO_SUCH);
        return 1;
    }
    if (digits < 1 || digits > 2) {
        return 0;
    }
    set_date(scan, 2000 + year, month, day);
    return 1;
}

/* "31 03 2024": numbers apart by blanks are a date only where the year has all its digits. */
static int is_year_next(const scan_t *scan)
{
    scan_t ahead = *scan;
    int year;

    return take_blanks(&ahead) && take_number(&ahead, &year) == 4;
}

/* "31/03/2024", "31-03-24", "31.03.2024", "31 03 2024", "31 Mar 2024", "31-Mar-24", "31st of March
 * 2024", "31MAR2024": at the separator after the first number. */
static int take_day_month_year(scan_t *scan, int first)
{
    char separator;
    const char *year;
    int second, month, digits;

    if (is_letter(peek(scan))) {
        take_ordinal(scan);
    }
    separator = ecl_cell_blank(scan->at, scan->end) ? ' ' : peek(scan);
    if (separator == ' ') {
        take_blanks(scan);
        if (take_word(scan, "of")) {
            take_blanks(scan);
        }
    } else if (is_letter(separator)) {
        separator = '\0';
    } else if (separator == '-' || separator == '/' || separator == '.') {
        scan->at++;
    } else {
        return 0;
    }
    if (is_letter(peek(scan))) {
        month = take_month(scan);
        return month && separator != '.' && take_year(scan, separator, month, first);
    }
    digits = take_number(scan, &second);
    if (digits < 1 || digits > 2 ||
        (separator == '.' && peek(scan) != separator) || /* "12.5" is a number */
        (separator == ' ' && !is_year_next(scan))) {
        return 0;
    }
    if (scan->order == ECL_ORDER_SURELY_YMD) {
        return take_last_day(scan, separator, first, second);
    }
    year = scan->at + 1;
    if (!(scan->order == ECL_ORDER_MDY || scan->order == ECL_ORDER_SURELY_MDY
              ? take_year(scan, separator, first, second)
              : take_year(scan, separator, second, first))) {
        return 0;
    }
    if (separator == '-' && scan->at - year == 2 && scan->order < ECL_ORDER_SURELY_DMY) {
        /* "23-09-01" is a day of September 2001 or of 2023 */
        int day = (year[0] - '0') * 10 + (year[1] - '0');
        ecl_date_t unused;

        if (ecl_date_from_ymd(2000 + first, second, day, &unused)) {
            note(scan, ECL_DATETIME_AMBIGUOUS);
        }
    }
    return 1;
}

static void check_weekday(scan_t *scan)
{
    /* 1 January 1970 was a Thursday */
    if (scan->weekday && (scan->value.date + 3) % 7 != scan->weekday - 1) {
        note(scan, ECL_DATETIME_NO_SUCH);
    }
}

/* Returns 0 for no form we know. */
static int take_date(scan_t *scan)
{
    int month = 0, year, day, digits;

    if (is_letter(peek(scan))) {
        scan->weekday = take_name(scan, day_names, 7);
    }
    if (scan->weekday) {
        take(scan, ',');
        if (!take_blanks(scan)) {
            return 0;
        }
    }
    if (is_letter(peek(scan))) {
        month = take_month(scan);
    }
    if (month) { /* "Mar 31 2024" */
        if (!take_blanks(scan) || (digits = take_number(scan, &day)) < 1 || digits > 2) {
            return 0;
        }
        take_ordinal(scan);
        if (!take_year(scan, ' ', month, day)) {
            return 0;
        }
    } else {
        digits = take_number(scan, &year);
        if (digits == 4 && (peek(scan) == '-' || peek(scan) == '/' || peek(scan) == '.')) {
            char separator = *scan->at++;
            int month_digits = take_number(scan, &month), day_digits;

            if (!month_digits && (month = take_month(scan)) != 0) { /* "2024-Mar-31" */
                month_digits = 2;
            }
            if (month_digits < 1 || month_digits > 2 || !take(scan, separator)) {
                return 0;
            }
            day_digits = take_number(scan, &day);
            if (day_digits < 1 || day_digits > 2) {
                return 0;
            }
            set_date(scan, year, month, day);
        } else if (digits == 8) {
            if (year / 10000 < YEAR_MIN || year / 10000 > YEAR_MAX) {
                return 0; /* eight digits of something else */
            }
            set_date(scan, year / 10000, year / 100 % 100, year % 100);
        } else if (digits < 1 || digits > 2 || !take_day_month_year(scan, year)) {
            return 0;
        }
    }
    check_weekday(scan);
    return 1;
}

/* "am", "PM", "a.m.", perhaps behind a blank, and what it makes of the hour. */
static void take_meridiem(scan_t *scan, int *phour)
{
    scan_t ahead = *scan;
    char half;

    take_blanks(&ahead);
    half = peek(&ahead) | 0x20;
    if (half != 'a' && half != 'p') {
        return;
    }
    ahead.at++;
    take(&ahead, '.');
    if (!take_word(&ahead, "m")) {
        return;
    }
    take(&ahead, '.');
    scan->at = ahead.at;
    scan->has_meridiem = 1;
    if (half == 'a') {
        /* some write "00:30 AM" for half past midnight */
        *phour = *phour == 12 ? 0 : *phour < 12 ? *phour : 99;
    } else {
        /* and some "13:00 PM" */
        *phour = *phour == 0 || *phour == 24 ? 99 : *phour < 12 ? *phour + 12 : *phour;
    }
}

/* Noughts behind the seconds, as many as there may be; or nines, of a day's last moment. */
static int take_fraction(scan_t *scan)
{
    const char *from = scan->at;
    char digit = peek(scan) == '9' ? '9' : '0';

    while (take(scan, digit)) {
    }
    return scan->at > from && !is_digit(peek(scan));
}

/* Minutes and seconds behind an hour of one or two digits. Returns 0 for no form we know. */
static int take_minutes(scan_t *scan, int hour_digits, int *pminute, int *psecond)
{
    char separator = peek(scan) == '.' ? '.' : ':';

    if (hour_digits < 1 || hour_digits > 2 || !take(scan, separator) ||
        take_number(scan, pminute) != 2) {
        return 0;
    }
    if (separator == ':' && take(scan, '.')) {
        note(scan, ECL_DATETIME_LOST_HOUR);
        return take_number(scan, psecond) > 0;
    }
    if (take(scan, separator)) {
        int is_read = take_number(scan, psecond) == 2;

        if (is_read && peek(scan) == ',' && scan->end - scan->at > 1 && is_digit(scan->at[1])) {
            scan->at++;
            return take_fraction(scan);
        }
        return is_read && (!take(scan, '.') || take_fraction(scan));
    }
    return 1;
}

/* "00:30", "0:30:00.000", "00.30", "0030", "1:30 PM", "1pm"; behind a date "003000". Returns 0 for
 * no form we know. */
static int take_clock_time(scan_t *scan, int *pminute, int *psecond)
{
    int hour = 0, minute = 0, second = 0, digits = take_number(scan, &hour);

    if (digits == 4) {
        minute = hour % 100;
        hour /= 100;
    } else if (digits == 6 && scan->value.has_date) {
        second = hour % 100;
        minute = hour / 100 % 100;
        hour /= 10000;
    } else {
        int has_dot = digits == 1 && peek(scan) == '.';

        if (peek(scan) == ':' || peek(scan) == '.') {
            if (!take_minutes(scan, digits, &minute, &second)) {
                return 0;
            }
        } else {
            has_dot = 1;
        }
        take_meridiem(scan, &hour);
        if ((has_dot && !scan->has_meridiem) || digits < 1 || digits > 2) {
            return 0; /* "1.30" and "1" are numbers */
        }
    }
    if (hour > 24 || minute > 59 || second > 59 || (hour == 24 && (minute || second))) {
        note(scan, ECL_DATETIME_NO_SUCH);
    }
    *pminute = hour * 60 + minute;
    *psecond = second;
    return 1;
}

/* "01:00", "0100", "01", "1" after a sign. Returns 0 for no form we know. */
static int take_offset(scan_t *scan)
{
    int is_west = take(scan, '-');
    int hours, minutes = 0, digits;

    if (!is_west && !take(scan, '+')) {
        return 0;
    }
    digits = take_number(scan, &hours);
    if (digits == 4) {
        minutes = hours % 100;
        hours /= 100;
    } else if (digits < 1 || digits > 2 || (take(scan, ':') && take_number(scan, &minutes) != 2)) {
        return 0;
    }
    if (hours > 14 || minutes > 59) {
        note(scan, ECL_DATETIME_NO_SUCH);
    }
    scan->value.has_offset = 1;
    scan->value.offset_minutes = (hours * 60 + minutes) * (is_west ? -1 : 1);
    return 1;
}

/* Between the start and the end of a slot: "to" or a hyphen or dash with blanks around it; without
 * them only in front of a time with a colon, "00:00-00:30". In an interval of ISO 8601 a slash. */
static int take_until(scan_t *scan)
{
    const char *from = scan->at;
    int is_apart = take_blanks(scan);

    if (!is_apart && take(scan, '/')) {
        return 1;
    }
    if (is_apart && take_word(scan, "to") && take_blanks(scan)) {
        return 1;
    }
    if ((take(scan, '-') || take_dash(scan)) && (take_blanks(scan) == is_apart) &&
        (is_apart || (is_time_next(scan) && !scan->value.has_date))) {
        return 1;
    }
    scan->at = from;
    return 0;
}

/* Behind an offset: "+0000 UTC", "+01:00[Europe/London]", "GMT+0000 (Greenwich Mean Time)". The
 * offset is what counts. */
static int take_zone_name(scan_t *scan)
{
    scan_t ahead = *scan;
    char close;

    take_blanks(&ahead);
    if (take_word(&ahead, "utc") || take_word(&ahead, "gmt")) {
        scan->at = ahead.at;
        return !scan->value.offset_minutes;
    }
    if (take_word(&ahead, "bst")) {
        scan->at = ahead.at;
        return scan->value.offset_minutes == 60;
    }
    close = take(&ahead, '[') ? ']' : take(&ahead, '(') ? ')' : '\0';
    while (close && ahead.at < ahead.end && *ahead.at != close) {
        ahead.at++;
    }
    if (close && take(&ahead, close)) {
        scan->at = ahead.at;
    }
    return 1;
}

/* What follows a time: an offset. */
static int take_zone(scan_t *scan)
{
    const char *from = scan->at;

    if (from == scan->end) {
        return 1;
    }
    take_blanks(scan);
    if (take(scan, 'Z') || take(scan, 'z') || take_word(scan, "utc")) {
        scan->value.has_offset = 1;
        return scan->at == scan->end || take_zone_name(scan);
    }
    if (take_word(scan, "bst")) {
        scan->value.has_offset = 1;
        scan->value.offset_minutes = 60;
        return 1;
    }
    if (take_word(scan, "gmt")) {
        scan->value.has_offset = 1;
        return peek(scan) == '+' || peek(scan) == '-' ? take_offset(scan) && take_zone_name(scan)
                                                      : 1;
    }
    if ((peek(scan) == '+' || peek(scan) == '-') && scan->end - scan->at > 1 &&
        is_digit(scan->at[1])) {
        return take_offset(scan) && (scan->at == scan->end || take_zone_name(scan));
    }
    scan->at = from;
    return 1;
}

/* The time of day, with what may follow it: the end of a time slot, an offset. */
static int take_time(scan_t *scan)
{
    int end, unused_second;

    if (!take_clock_time(scan, &scan->value.minute, &scan->value.second)) {
        return 0;
    }
    scan->value.has_time = 1;
    if (!scan->value.has_date && take_until(scan)) {
        if (!take_clock_time(scan, &end, &unused_second)) {
            return 0;
        }
        /* a slot is known by its start */
        end -= scan->value.minute;
        return set_slot(scan, end <= -1320 ? end + 1440 : end);
    }
    return take_zone(scan);
}

/* Between a date and a time: blanks, or a comma and perhaps blanks. */
static int take_gap(scan_t *scan)
{
    int has_comma = take(scan, ',');

    return take_blanks(scan) || has_comma;
}

/* The same, and "T", "at", a hyphen, colon or underscore in front of a time. */
static int take_gap_before_time(scan_t *scan)
{
    scan_t ahead;

    if (take(scan, 'T') || take(scan, 't')) {
        return 1;
    }
    if (take_gap(scan) && is_digit(peek(scan))) {
        return 1;
    }
    ahead = *scan;
    if (take_word(&ahead, "at") || take(&ahead, '-') || take(&ahead, '_') || take(&ahead, ':')) {
        take_blanks(&ahead);
        if (is_time_next(&ahead)) {
            scan->at = ahead.at;
            return 1;
        }
    }
    return 0;
}

/* The time behind a date without a year, and the year behind that: "Sun Mar 31 00:30:00 GMT 2024".
 * Returns 0 for no form we know. */
static int take_time_and_year(scan_t *scan)
{
    scan_t ahead;
    int year;

    scan->problem = ECL_DATETIME_OK; /* what is wrong with the time is to be seen, too */
    if (!take_time(scan)) {
        return 0;
    }
    ahead = *scan;
    if (take_blanks(&ahead) && take_number(&ahead, &year) == 4 && ahead.at == ahead.end) {
        scan->at = ahead.at;
        set_date(scan, year, scan->month, scan->day);
        check_weekday(scan);
    } else {
        scan->problem = ECL_DATETIME_NO_YEAR;
    }
    return 1;
}

/* "PT30M", "PT1H", "PT900S": how long an interval of ISO 8601 is, in whole minutes. */
static int take_duration(scan_t *scan, int *pminutes)
{
    static const struct {
        char letter;
        int seconds;
    } units[] = {{'H', 3600}, {'M', 60}, {'S', 1}};
    int number, seconds = 0;

    if (!take(scan, 'P') || !take(scan, 'T') || scan->at == scan->end) {
        return 0;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && scan->at < scan->end; i++) {
        scan_t ahead = *scan;
        int digits = take_number(&ahead, &number);

        if (digits && digits < 6 && take(&ahead, units[i].letter)) {
            seconds += number * units[i].seconds;
            scan->at = ahead.at;
        }
    }
    *pminutes = seconds / 60;
    return seconds > 0 && seconds % 60 == 0;
}

/* The second stamp of "24/10/2026 00:00 to 24/10/2026 00:30", or its time alone, or how long after
 * the first it is. Where it says no offset it is at that of the first. */
static int take_end(scan_t *scan)
{
    scan_t end = *scan;
    int minute;

    end.value = (ecl_datetime_t){0};
    if (peek(&end) == 'P') {
        int is_read = take_duration(&end, &minute);

        scan->at = end.at;
        return is_read && minute <= MAX_INTERVAL && set_slot(scan, minute);
    }
    if (is_time_next(&end) ? !take_time(&end)
                           : !take_date(&end) || !take_gap_before_time(&end) || !take_time(&end)) {
        return 0;
    }
    minute = end.value.minute;
    if (end.value.has_offset) {
        minute += scan->value.offset_minutes - end.value.offset_minutes;
    }
    if (end.value.has_date) {
        minute += (end.value.date - scan->value.date) * 1440;
    } else {
        minute += minute <= scan->value.minute - 1320 ? 1440 : 0;
    }
    scan->at = end.at;
    scan->problem = end.problem;
    return set_slot(scan, minute - scan->value.minute);
}

/* "202610240030", "20261024003000", "20261024003000Z" */
static int take_digits(scan_t *scan)
{
    apr_size_t length = (apr_size_t)(scan->end - scan->at);
    int is_utc = length > 12 && scan->end[-1] == 'Z';
    int date = 0, minute = 0, second = 0;

    length -= is_utc ? 1 : 0;

    if (length != 12 && length != 14) {
        return 0;
    }
    for (apr_size_t i = 0; i < length; i++) {
        int *part = i < 8 ? &date : i < 12 ? &minute : &second;

        if (!is_digit(scan->at[i])) {
            return 0;
        }
        *part = *part * 10 + (scan->at[i] - '0');
    }
    scan->at = scan->end;
    set_date(scan, date / 10000, date / 100 % 100, date % 100);
    if (minute > 2400 || minute % 100 > 59 || second > 59 || (minute == 2400 && second)) {
        note(scan, ECL_DATETIME_NO_SUCH);
    }
    scan->value.has_time = 1;
    scan->value.has_offset = is_utc;
    scan->value.minute = minute / 100 * 60 + minute % 100;
    scan->value.second = second;
    return 1;
}

static int take_all(scan_t *scan)
{
    int is_time_first = is_time_next(scan);

    if (take_digits(scan)) {
        /* of some other number of 12 digits nothing more can be said */
        return scan->problem == ECL_DATETIME_OK;
    }
    if (!is_time_first && scan->end - scan->at == 4) { /* "0030" */
        scan_t ahead = *scan;
        int number;

        is_time_first = take_number(&ahead, &number) == 4;
    }
    if (is_time_first) {
        if (!take_time(scan)) {
            return 0;
        }
        if (scan->at < scan->end && (!take_gap(scan) || !take_date(scan))) {
            return 0;
        }
    } else {
        if (!take_date(scan)) {
            return 0;
        }
        if (scan->at < scan->end &&
            (!take_gap_before_time(scan) ||
             !(scan->problem == ECL_DATETIME_NO_YEAR ? take_time_and_year(scan)
                                                     : take_time(scan)))) {
            return 0;
        }
        if (scan->value.has_time && take_until(scan) && !take_end(scan)) {
            return 0;
        }
    }
    return scan->at == scan->end;
}

/* "1.30 pm", "1pm": what would be a number, or a day, but for its end. */
static int take_short_time(scan_t *scan)
{
    return is_digit(peek(scan)) && (scan->end[-1] == '.' || (scan->end[-1] | 0x20) == 'm') &&
           take_time(scan) && scan->has_meridiem && scan->at == scan->end;
}

ecl_datetime_status_t ecl_datetime_parse(const char *text, apr_size_t length,
                                         ecl_date_order_t order, ecl_datetime_t *pvalue)
{
    scan_t scan = {.at = text, .end = text + length, .order = order};
    const char *from;

    ecl_cell_trim(&scan.at, &scan.end);
    from = scan.at;
    if (!is_digit(peek(&scan)) && ecl_cell_is_missing(scan.at, scan.end)) {
        return ECL_DATETIME_MISSING;
    }
    if (!take_all(&scan)) {
        scan = (scan_t){.at = from, .end = scan.end, .order = order};
        if (!take_short_time(&scan)) {
            return ECL_DATETIME_BAD;
        }
    }
    if (scan.problem == ECL_DATETIME_OK) {
        *pvalue = scan.value;
    }
    return scan.problem;
}

const char *ecl_datetime_expected(ecl_datetime_status_t status)
{
    switch (status) {
    case ECL_DATETIME_NO_SUCH:
        return "a day that exists, from 1970 to 2099, and a time from 00:00 to 24:00";
    case ECL_DATETIME_NO_YEAR:
        return "a date with its year, such as 2026-08-30 or 30/08/2026";
    case ECL_DATETIME_LOST_HOUR:
        return "a time with its hour, such as 00:30 (the spreadsheet showed minutes and seconds "
               "only: format the column as hh:mm and save it again)";
    case ECL_DATETIME_AMBIGUOUS:
        return "a date with a year of four digits, such as 2026-03-29 or 29/03/2026";
    case ECL_DATETIME_OK:
    case ECL_DATETIME_MISSING:
    case ECL_DATETIME_BAD:
        break;
    }
    return "a date such as 2026-03-29 or 29/03/2026, or a time such as 00:30";
}
