/*
 * A line around the table that states the zone of the file's times:
 * "Report Time Zone: (UTC) Coordinated Universal Time".
 */
#include "reader_internal.h"

#include "layout_internal.h"

#include <apr_lib.h>

#define VALUE_MAX 512
#define SHOWN_MAX 100 /* bytes of the line that evidence and warning show */

/* ---- what the line says ------------------------------------------------------------------------
 */

/* The words of the line after its name, in lower case, a blank before and after each. 0: there are
 * none; or there are too many, and then *words is no zone's. */
static int take_words(char words[VALUE_MAX], const ecl_record_t *record)
{
    apr_size_t used = 1, from = ecl_zone_name(record->fields[0].text, record->fields[0].length);

    words[0] = ' ';
    /* an unquoted "Dublin, Edinburgh, Lisbon, London" is as many cells */
    for (int i = 0; i < record->count; i++, from = 0) {
        ecl_field_t cell = record->fields[i];

        for (apr_size_t at = from; at <= cell.length; at++) {
            char c = at < cell.length && apr_isalnum(cell.text[at])
                         ? (char)apr_tolower(cell.text[at])
                         : ' ';

            if (c == ' ' && words[used - 1] == ' ') {
                continue;
            }
            if (used == VALUE_MAX - 1) {
                words[1] = '\0';
                return 1;
            }
            words[used++] = c;
        }
    }
    words[used] = '\0';
    return used > 1;
}

static int has_one_of(const char *words, const char *const list[])
{
    for (int i = 0; list[i]; i++) {
        if (strstr(words, list[i])) {
            return 1;
        }
    }
    return 0;
}

static ecl_zone_kind_t zone_of(const char *words)
{
    static const char *const utc[] = {" utc ", " gmt ", " coordinated universal time ", NULL};
    static const char *const local[] = {" daylight saving", " bst ", " london ", " local ", NULL};
    static const char *const winter[] = {" without daylight saving", " no daylight saving", NULL};
    /* Windows calls London's zone "GMT Standard Time", others winter time */
    static const char *const unclear[] = {" not ", " no ", " without ", " gmt standard time ",
                                          NULL};

    if (strpbrk(words, "123456789")) {
        return ECL_ZONE_UNKNOWN; /* an hour or more from UTC: "(UTC+01:00) Amsterdam, Berlin" */
    }
    if (has_one_of(words, winter)) {
        return has_one_of(words, utc) ? ECL_ZONE_UTC : ECL_ZONE_UNKNOWN;
    }
    if (has_one_of(words, unclear)) {
        return ECL_ZONE_UNKNOWN;
    }
    if (has_one_of(words, local)) {
        return ECL_ZONE_LOCAL;
    }
    return has_one_of(words, utc) ? ECL_ZONE_UTC : ECL_ZONE_UNKNOWN;
}

/* ---- which line it is --------------------------------------------------------------------------
 */

/* "line 12: Report Time Zone: …" */
static const char *show(const ecl_record_t *record, apr_pool_t *p)
{
    const char *text = record->fields[0].text;
    apr_size_t length;

    for (int i = 1; i < record->count; i++) {
        if (record->fields[i].length) {
            text = apr_pstrcat(p, text, ", ", record->fields[i].text, NULL);
        }
    }
    length = strlen(text);
    if (length > SHOWN_MAX) {
        length = SHOWN_MAX;
        while ((text[length] & 0xc0) == 0x80) {
            length--;
        }
        text = apr_pstrcat(p, apr_pstrmemdup(p, text, length), "…", NULL);
    }
    return record->sheet ? apr_psprintf(p, "sheet \"%s\", line %" APR_INT64_T_FMT ": %s",
                                        record->sheet, record->line, text)
                         : apr_psprintf(p, "line %" APR_INT64_T_FMT ": %s", record->line, text);
}

/* A row of a site called "Zone: North" is none, nor is a header whose first column is "Timezone".
 */
static int is_around_table(const ecl_layout_t *layout, const ecl_record_t *record)
{
    ecl_datetime_status_t status;
    ecl_datetime_t stamp;
    unsigned found;
    int column, is_wide;

    if (record->sheet_record == layout->header_record ||
        ecl_layout_score_header(record, &found, &is_wide) > 0) {
        return 0;
    }
    return record->sheet_record < layout->first_record ||
           !ecl_layout_stamp(layout, record->fields, record->count, &stamp, &status, &column);
}

void ecl_zone_look(ecl_zone_t *zone, const ecl_layout_t *layout, const ecl_record_t *record,
                   apr_pool_t *p)
{
    char words[VALUE_MAX];
    ecl_zone_kind_t kind;

    if (!ecl_zone_name(record->fields[0].text, record->fields[0].length) ||
        !is_around_table(layout, record) || !take_words(words, record)) {
        return;
    }
    kind = zone_of(words);
    if (zone->kind == ECL_ZONE_NONE) {
        zone->kind = kind;
        zone->is_below = record->sheet_record >= layout->first_record;
        zone->line = show(record, p);
    } else if (kind != zone->kind && zone->kind != ECL_ZONE_UNKNOWN) {
        zone->kind = ECL_ZONE_UNKNOWN; /* one of two lines that contradict each other */
        zone->line = show(record, p);
    }
}

/* ---- what comes of it --------------------------------------------------------------------------
 */

void ecl_zone_apply(const ecl_zone_t *zone, ecl_layout_t *layout, apr_pool_t *p)
{
    if (zone->kind == ECL_ZONE_UTC || zone->kind == ECL_ZONE_LOCAL) {
        const char *after_all =
            layout->times_are_utc && zone->kind == ECL_ZONE_LOCAL ? " after all" : "";

        layout->times_are_utc = zone->kind == ECL_ZONE_UTC;
        layout->evidence = apr_pstrcat(p, layout->evidence, "; times are ",
                                       layout->times_are_utc ? "UTC" : "local", after_all, " (",
                                       zone->line, ")", NULL);
    }
}

void ecl_zone_tell(const ecl_zone_t *zone, const ecl_layout_t *layout, ecl_layout_t *first,
                   apr_pool_t *p)
{
    if (zone->kind != ECL_ZONE_UNKNOWN) {
        return;
    }
    ecl_layout_add_note(
        first, "zone-not-known",
        apr_pstrcat(p, zone->line, ": which zone's times these are is not clear (expected UTC, or ",
                    "London with daylight saving): they are read as ",
                    layout->times_are_utc ? "UTC, as the rest of the file says" : "local times",
                    NULL),
        p);
}
