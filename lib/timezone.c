#include "timezone.h"

#include <time.h>

#include <apr_env.h>
#include <apr_file_io.h>
#include <string.h>

#define SEARCH_STEP APR_INT64_C(432000) /* five days */
#define END APR_INT64_C(4102444800)     /* 2100-01-01 */
#define CHANGES_MAX 1000

int ecl_timezone_is_known(const char *name, apr_pool_t *p)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    char *directory, magic[4];
    const char *path;
    apr_file_t *file;
    apr_status_t status;

    if (!strcmp(name, "UTC")) {
        return 1;
    }
    if (!*name || *name == '/' || name[strspn(name, allowed)]) {
        return 0;
    }
    if (apr_env_get(&directory, "TZDIR", p) != APR_SUCCESS) {
        directory = apr_pstrdup(p, "/usr/share/zoneinfo");
    }
    path = apr_pstrcat(p, directory, "/", name, NULL);
    if (apr_file_open(&file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_OS_DEFAULT, p) !=
        APR_SUCCESS) {
        return 0;
    }
    status = apr_file_read_full(file, magic, sizeof magic, NULL);
    apr_file_close(file);
    return status == APR_SUCCESS && !memcmp(magic, "TZif", sizeof magic);
}

/* What libc's present zone has at an instant. */
static void ask_libc(apr_int64_t utc, ecl_zone_change_t *state)
{
    time_t t = (time_t)utc;
    struct tm local;

    memset(state, 0, sizeof *state);
    state->utc = utc;
    if (localtime_r(&t, &local)) {
        state->offset = (int)local.tm_gmtoff;
        apr_cpystrn(state->abbreviation, local.tm_zone, sizeof state->abbreviation);
    }
}

/* The first instant after `before` and up to state->utc that has state's offset. */
static apr_int64_t find_change(apr_int64_t before, const ecl_zone_change_t *state)
{
    apr_int64_t from = state->utc;
    ecl_zone_change_t middle;

    while (from - before > 1) {
        ask_libc(before + (from - before) / 2, &middle);
        if (middle.offset == state->offset) {
            from = middle.utc;
        } else {
            before = middle.utc;
        }
    }
    return from;
}

/* Fills changes from libc's present zone; returns how many. Two within SEARCH_STEP that cancel each
 * other would not be seen: those of the tz database are six days apart or more since 1970. And
 * asking libc costs a microsecond each time. */
static int find_changes(ecl_zone_change_t *changes)
{
    ecl_zone_change_t state;
    int count = 1;

    ask_libc(0, &changes[0]);
    for (apr_int64_t utc = SEARCH_STEP; utc <= END && count < CHANGES_MAX; utc += SEARCH_STEP) {
        ask_libc(utc, &state);
        if (state.offset != changes[count - 1].offset) {
            state.utc = find_change(utc - SEARCH_STEP, &state);
            changes[count++] = state;
        }
    }
    return count;
}

apr_status_t ecl_zone_make(ecl_zone_t **pzone, const char *name, apr_pool_t *p,
                           ecl_result_t *result)
{
    ecl_zone_t *zone = apr_pcalloc(p, sizeof *zone);
    ecl_zone_change_t *changes = apr_pcalloc(p, CHANGES_MAX * sizeof *changes);
    char *saved = NULL;

    /* libc does not tell: it takes UTC for a zone it lacks */
    if (!ecl_timezone_is_known(name, p)) {
        return ecl_fail(result, ECL_ECONFIG, "unknown-timezone",
                        "the time zone '%s' is not known; expected a name of the tz database such "
                        "as Europe/London",
                        name);
    }
    zone->name = apr_pstrdup(p, name);
    zone->changes = changes;
    *pzone = zone;
    if (!strcmp(name, "UTC")) {
        apr_cpystrn(changes[0].abbreviation, "UTC", sizeof changes[0].abbreviation);
        zone->count = 1;
        return APR_SUCCESS;
    }
    apr_env_get(&saved, "TZ", p);
    /* libc reads a zone anew, as it must after an update, only if TZ named another one */
    apr_env_set("TZ", "UTC0", p);
    tzset();
    apr_env_set("TZ", apr_pstrcat(p, ":", name, NULL), p);
    tzset();
    zone->count = find_changes(changes);
    if (saved) {
        apr_env_set("TZ", saved, p);
    } else {
        apr_env_delete("TZ", p);
    }
    tzset();
    return APR_SUCCESS;
}

const ecl_zone_change_t *ecl_zone_at(const ecl_zone_t *zone, apr_int64_t utc)
{
    int i = zone->count - 1;

    while (i > 0 && zone->changes[i].utc > utc) {
        i--;
    }
    return &zone->changes[i];
}
