#include <apr_lib.h>

#include "format.h"

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

const char *ecl_format_count(apr_int64_t n, apr_pool_t *p)
{
    const char *digits = apr_psprintf(p, "%" APR_INT64_T_FMT, n);
    apr_size_t length = strlen(digits), from = digits[0] == '-';
    char *result = apr_palloc(p, length + length / 3 + 1), *out = result;

    for (apr_size_t i = 0; i < length; i++) {
        if (i > from && (length - i) % 3 == 0) {
            *out++ = ',';
        }
        *out++ = digits[i];
    }
    *out = '\0';
    return result;
}

const char *ecl_format_size(apr_int64_t bytes, apr_pool_t *p)
{
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    apr_int64_t unit = 1024, tenths;
    int i = 0;

    if (bytes < unit) {
        return apr_psprintf(p, "%" APR_INT64_T_FMT " byte%s", bytes, bytes == 1 ? "" : "s");
    }
    /* the larger unit also where rounding would show 1,024 of the smaller */
    while (i < 3 && bytes >= unit * 1024 - unit / 2) {
        unit *= 1024;
        i++;
    }
    tenths = (bytes / unit) * 10 + ((bytes % unit) * 10 + unit / 2) / unit;
    if (tenths >= 1000 || tenths % 10 == 0) {
        return apr_psprintf(p, "%s %s", ecl_format_count((tenths + 5) / 10, p), units[i]);
    }
    return apr_psprintf(p, "%" APR_INT64_T_FMT ".%d %s", tenths / 10, (int)(tenths % 10), units[i]);
}

const char *ecl_format_duration(apr_interval_time_t duration_us, apr_pool_t *p)
{
    apr_int64_t s = apr_time_sec(duration_us);

    if (duration_us < APR_USEC_PER_SEC) {
        return "less than 1 s";
    }
    if (s < 60) {
        return apr_psprintf(p, "%d s", (int)s);
    }
    if (s < 3600) {
        return apr_psprintf(p, "%d min %d s", (int)(s / 60), (int)(s % 60));
    }
    if (s < 86400) {
        return apr_psprintf(p, "%d h %d min", (int)(s / 3600), (int)(s % 3600 / 60));
    }
    return apr_psprintf(p, "%" APR_INT64_T_FMT " d %d h", s / 86400, (int)(s % 86400 / 3600));
}

const char *ecl_format_time_left(apr_int64_t seconds, apr_pool_t *p)
{
    if (seconds <= 50) {
        apr_int64_t rounded = seconds <= 5 ? 5 : (seconds + 9) / 10 * 10;
        return apr_psprintf(p, "about %d s left", (int)rounded);
    }
    if (seconds <= 5400) {
        return apr_psprintf(p, "about %d min left", (int)((seconds + 59) / 60));
    }
    return apr_psprintf(p, "about %s h left", ecl_format_count((seconds + 3599) / 3600, p));
}

const char *ecl_format_time(apr_time_t t, apr_pool_t *p)
{
    apr_time_exp_t x;

    if (!t || apr_time_exp_gmt(&x, t) != APR_SUCCESS) {
        return "";
    }
    return apr_psprintf(p, "%d %s %d, %02d:%02d UTC", x.tm_mday, months[x.tm_mon], x.tm_year + 1900,
                        x.tm_hour, x.tm_min);
}

const char *ecl_format_clock(apr_time_t t, apr_pool_t *p)
{
    apr_time_exp_t x;

    if (!t || apr_time_exp_gmt(&x, t) != APR_SUCCESS) {
        return "";
    }
    return apr_psprintf(p, "%02d:%02d UTC", x.tm_hour, x.tm_min);
}

const char *ecl_format_date(const char *iso, apr_pool_t *p)
{
    apr_int64_t month, day;

    if (strlen(iso) == 10 && iso[4] == '-' && iso[7] == '-' &&
        ecl_parse_int64(apr_pstrmemdup(p, iso + 5, 2), 1, 12, &month) &&
        ecl_parse_int64(iso + 8, 1, 31, &day)) {
        return apr_psprintf(p, "%d %s %.4s", (int)day, months[month - 1], iso);
    }
    return iso;
}

const char *ecl_format_reword(const char *text, const char *pattern, const char *words,
                              apr_pool_t *p)
{
    apr_int64_t numbers[8];
    int count = 0, used = 0;
    const char *result = "";

    for (; *pattern; pattern++) {
        apr_size_t digits = *pattern == '#' ? strspn(text, "0123456789") : 0;

        if (*pattern != '#') {
            if (*text++ != *pattern) {
                return NULL;
            }
        } else if (count == 8 || !ecl_parse_int64(apr_pstrmemdup(p, text, digits), 0, APR_INT64_MAX,
                                                  &numbers[count++])) {
            return NULL;
        } else {
            text += digits;
        }
    }
    if (*text) {
        return NULL;
    }
    while (*words) {
        apr_size_t plain = strcspn(words, "#");

        result = apr_pstrcat(
            p, result, apr_pstrmemdup(p, words, plain),
            words[plain] && used < count ? ecl_format_count(numbers[used++], p) : "", NULL);
        words += plain + (words[plain] != '\0');
    }
    return result;
}

const char *ecl_format_sentence(const char *detail, apr_pool_t *p)
{
    apr_size_t length = strlen(detail);
    int is_ended = length && strchr(".?", detail[length - 1]);
    char *result = apr_pstrcat(p, detail, is_ended ? "" : ".", NULL);

    result[0] = (char)apr_toupper(result[0]);
    return result;
}
