/*
 * Long layout: what the timestamps of the sample show about interval, period start or end, and the
 * direction in which the file runs.
 */
#include "../lib/utf8.h"
#include "hash.h"
#include "layout_internal.h"

#define LAST_MINUTE 1439 /* of a day: 23:59 */

/* One row's stamp, by its label; meters and their channels are told apart by a hash (a collision
 * can do no more than spoil a guess that the evidence line reports). */
typedef struct stamp_t {
    apr_uint64_t meter;
    apr_int64_t minute; /* since 1970, of the label */
    int label, second;  /* as the cell has them: minute of the day */
} stamp_t;

ecl_datetime_status_t ecl_layout_parse_date(const ecl_layout_t *layout, const ecl_field_t *cell,
                                            ecl_datetime_t *pstamp)
{
    ecl_datetime_status_t status =
        ecl_datetime_parse(cell->text, cell->length, layout->date_order, pstamp);

    if (layout->serial_dates == ECL_SERIAL_DATES_UNIX) {
        return ecl_serial_parse_unix(cell->text, cell->length, pstamp) ? ECL_DATETIME_OK : status;
    }
    if (status != ECL_DATETIME_OK && layout->serial_dates != ECL_SERIAL_DATES_NONE &&
        ecl_serial_parse(cell->text, cell->length, layout->serials_are_1904, pstamp)) {
        pstamp->has_time |= layout->serial_dates == ECL_SERIAL_DATES_TIMES;
        return ECL_DATETIME_OK;
    }
    return status == ECL_DATETIME_OK && !pstamp->has_date ? ECL_DATETIME_BAD : status;
}

/* "00.30", which no spreadsheet writes for a fraction of a day. */
static int has_dot(const ecl_field_t *cell)
{
    return cell->length == 5 && cell->text[2] == '.' &&
           strspn(cell->text, "0123456789.") == cell->length;
}

/* A time cell: also "0", "30", "130" for 00:00, 00:30, 01:30, "003000", "00.30", and a fraction of
 * a day. */
static ecl_datetime_status_t parse_time(const ecl_layout_t *layout, const ecl_field_t *cell,
                                        ecl_datetime_t *ptime)
{
    char padded[9] = "0000";
    int is_digits = strspn(cell->text, "0123456789") == cell->length;
    ecl_datetime_status_t status;

    if (cell->length && cell->length < 4 && is_digits) {
        memcpy(padded + 4 - cell->length, cell->text, cell->length);
        status = ecl_datetime_parse(padded, 4, layout->date_order, ptime);
    } else if (has_dot(cell)) {
        apr_snprintf(padded, sizeof(padded), "%.2s:%.2s", cell->text, cell->text + 3);
        status = ecl_datetime_parse(padded, 5, layout->date_order, ptime);
    } else if (cell->length == 6 && is_digits) {
        apr_snprintf(padded, sizeof(padded), "%.2s:%.2s:%.2s", cell->text, cell->text + 2,
                     cell->text + 4);
        status = ecl_datetime_parse(padded, 8, layout->date_order, ptime);
    } else {
        status = ecl_datetime_parse(cell->text, cell->length, layout->date_order, ptime);
    }
    if (status == ECL_DATETIME_BAD && ecl_serial_parse_time(cell->text, cell->length, ptime)) {
        return ECL_DATETIME_OK;
    }
    return status == ECL_DATETIME_OK && !ptime->has_time ? ECL_DATETIME_BAD : status;
}

int ecl_layout_stamp(const ecl_layout_t *layout, const ecl_field_t *fields, int count,
                     ecl_datetime_t *pstamp, ecl_datetime_status_t *pstatus, int *pcolumn)
{
    const ecl_field_t *cell;
    ecl_datetime_t time;

    *pcolumn = layout->date_column;
    *pstatus = ECL_DATETIME_MISSING;
    if (layout->date_column >= count) {
        return 0;
    }
    cell = &fields[layout->date_column];
    *pstatus = ecl_layout_parse_date(layout, cell, pstamp);
    if (*pstatus != ECL_DATETIME_OK) {
        return 0;
    }
    if (layout->time_column < 0) {
        return 1;
    }
    *pcolumn = layout->time_column;
    *pstatus = ECL_DATETIME_MISSING;
    if (layout->time_column >= count) {
        return 0;
    }
    cell = &fields[layout->time_column];
    *pstatus = parse_time(layout, cell, &time);
    if (*pstatus != ECL_DATETIME_OK) {
        return 0;
    }
    pstamp->has_time = 1;
    pstamp->minute = time.minute;
    pstamp->second = time.second;
    pstamp->is_slot |= time.is_slot;
    if (time.has_offset) {
        pstamp->has_offset = 1;
        pstamp->offset_minutes = time.offset_minutes;
    }
    return 1;
}

apr_status_t ecl_layout_check_hours(const ecl_layout_t *layout, const ecl_sample_t *sample,
                                    int from, ecl_result_t *result)
{
    ecl_field_t shown = {"", 0};
    int lost = 0, read = 0, lost_column = 0;

    for (int i = from; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_datetime_status_t status;
        ecl_datetime_t stamp;
        int column;

        if (ecl_layout_stamp(layout, record->fields, record->count, &stamp, &status, &column)) {
            read++;
        } else if (status == ECL_DATETIME_LOST_HOUR) {
            shown = record->fields[column];
            lost_column = column;
            lost++;
        }
    }
    if (lost <= read) {
        return APR_SUCCESS;
    }
    return ecl_fail(result, ECL_EINPUT, "hour-lost",
                    "the times in column \"%.*s\" have lost their hour (\"%.*s\"): a spreadsheet "
                    "showed minutes and seconds only, and saved no more than that; upload the "
                    "file as it came, or format the column of the original as dd/mm/yyyy hh:mm "
                    "and save it again",
                    ECL_CUT(80, layout->names[lost_column]), ECL_CUT(40, shown.text));
}

/* Of what keeps the rows of one meter's channel apart from others. */
static apr_uint64_t hash(const ecl_layout_t *layout, const ecl_sample_t *sample, int which)
{
    const ecl_record_t *record = &sample->records[which];
    const int columns[] = {layout->meter_column, layout->serial_column, layout->channel_column,
                           layout->unit_column};
    apr_uint64_t h = 0;

    for (size_t c = 0; c < sizeof(columns) / sizeof(columns[0]); c++) {
        ecl_field_t cell = ecl_sample_cell(record, columns[c]);

        h = ecl_hash(h, cell.text, cell.length);
    }
    return sample->tables ? h ^ sample->tables[which] : h;
}

static int by_minute(const void *a, const void *b)
{
    const stamp_t *x = a, *y = b;

    return x->minute < y->minute ? -1 : x->minute > y->minute;
}

static int by_meter(const void *a, const void *b)
{
    const stamp_t *x = a, *y = b;

    if (x->meter != y->meter) {
        return x->meter < y->meter ? -1 : 1;
    }
    return by_minute(a, b);
}

/* The distance that most neighbouring stamps have; 30 where it is none that meters use, or where
 * there are too few to say. *pis_daily: they are whole days apart. */
static int find_interval(stamp_t *stamps, int count, int *pis_daily)
{
    static const int intervals[] = {5, 10, 15, 30, 60};
    int seen[5] = {0, 0, 0, 0, 0}, gaps = 0, days = 0, midnights = 0, lasts = 0;

    qsort(stamps, (size_t)count, sizeof(*stamps), by_minute);
    for (int i = 0; i < count; i++) {
        apr_int64_t gap = i ? stamps[i].minute - stamps[i - 1].minute : 0;

        midnights += stamps[i].minute % 1440 == 0;
        lasts += stamps[i].label == LAST_MINUTE;
        if (!gap) {
            continue;
        }
        gaps++;
        days += gap % 1440 == 0;
        for (int k = 0; k < 5; k++) {
            seen[k] += gap == intervals[k];
        }
    }
    *pis_daily = gaps > 0 && days == gaps && (midnights == count || lasts == count);
    for (int k = 0; k < 5; k++) {
        if (gaps >= 3 && seen[k] * 2 > gaps) {
            return intervals[k];
        }
    }
    return 30;
}

typedef struct fit_t {
    int complete, part; /* meter-days */
} fit_t;

/* How many meter-days are complete, and how many are not, when each stamp is moved by `shift`
 * minutes to its period's start. stamps are sorted by meter and minute. */
static fit_t fit(const stamp_t *stamps, int count, int shift, int interval)
{
    fit_t found = {0, 0};
    int in_day = 0;

    for (int i = 0; i < count; i++) {
        apr_int64_t start = stamps[i].minute - shift;
        int is_same = i && stamps[i].meter == stamps[i - 1].meter;

        if (is_same && stamps[i].minute == stamps[i - 1].minute) {
            continue;
        }
        if (!is_same || (stamps[i - 1].minute - shift) / 1440 != start / 1440) {
            in_day = 0;
            found.part++;
        }
        if (++in_day == 1440 / interval) {
            found.complete++;
            found.part--;
        }
    }
    return found;
}

static void find_direction(ecl_layout_t *layout, const stamp_t *stamps, int count)
{
    int forward = 0, backward = 0, all_forward = 0, all_backward = 0;

    for (int i = 1; i < count; i++) {
        int is_same = stamps[i].meter == stamps[i - 1].meter;

        all_forward += stamps[i].minute > stamps[i - 1].minute;
        all_backward += stamps[i].minute < stamps[i - 1].minute;
        forward += is_same && stamps[i].minute > stamps[i - 1].minute;
        backward += is_same && stamps[i].minute < stamps[i - 1].minute;
    }
    /* where meters take turns only the rows as a whole have a direction */
    layout->newest_first = forward || backward ? backward > forward : all_backward > all_forward;
}

/* The stamp before one in time, if the file is in the order of time: of the same meter, though
 * others may take turns with it. NULL: there is none. */
static const stamp_t *stamp_before(const ecl_layout_t *layout, const stamp_t *stamps, int count,
                                   int which)
{
    int step = layout->newest_first ? 1 : -1, i = which + step;

    while (i >= 0 && i < count && stamps[i].meter != stamps[which].meter) {
        i += step;
    }
    return i >= 0 && i < count ? &stamps[i] : NULL;
}

/* "01/02/2026,23:30" and then "01/02/2026,00:00": midnight is the end of its row's date, not the
 * beginning. Looked for where date and time are apart, in stamps in file order. */
static int has_midnight_at_end(const ecl_layout_t *layout, const stamp_t *stamps, int count)
{
    apr_int64_t last = 1440 - layout->interval_minutes;
    int at_end = 0, at_start = 0;

    for (int i = 0; i < count; i++) {
        const stamp_t *midnight = &stamps[i], *before;

        if (midnight->minute % 1440) {
            continue;
        }
        before = stamp_before(layout, stamps, count, i);
        if (before && before->minute % 1440 == last) {
            at_end += midnight->minute == before->minute - last;
            at_start += midnight->minute == before->minute + layout->interval_minutes;
        }
    }
    return at_end > at_start;
}

/* "00:29", "00:59" or "00:29:59", "00:59:59": each the last minute, or second, of its period. Most
 * stamps must be; the others fail. */
static int are_last(const ecl_layout_t *layout, const stamp_t *stamps, int count)
{
    int interval = layout->interval_minutes, minutes = 0, seconds = 0;

    for (int i = 0; i < count; i++) {
        if (stamps[i].label % interval == interval - 1) {
            minutes += stamps[i].second == 0;
            seconds += stamps[i].second == 59;
        }
    }
    minutes = minutes > seconds ? minutes : seconds;
    return minutes > 1 && minutes * 2 > count;
}

/* "23:30", and then "23:59" of the same day: that is the end of the day, written so that it keeps
 * its date. Looked for in stamps in file order; none of them is midnight. */
static int ends_at_2359(const ecl_layout_t *layout, const stamp_t *stamps, int count)
{
    int ends = 0;

    for (int i = 0; i < count; i++) {
        const stamp_t *before = stamp_before(layout, stamps, count, i);

        if (stamps[i].label % 1440 == 0) {
            return 0;
        }
        ends += stamps[i].label == LAST_MINUTE && before &&
                before->minute == stamps[i].minute - layout->interval_minutes + 1;
    }
    return ends > 0;
}

/* Times that are written within their periods. NULL: they are not. */
static const char *take_last_minutes(ecl_layout_t *layout, const stamp_t *stamps, int count)
{
    const ecl_given_t *given = &layout->given;

    layout->labels_are_last = given->is_read_as ? given->last && !strcmp(given->last, "minute")
                                                : are_last(layout, stamps, count);
    layout->day_ends_at_2359 = !layout->labels_are_last &&
                               (given->is_read_as ? given->last && !strcmp(given->last, "23:59")
                                                  : ends_at_2359(layout, stamps, count));
    layout->labels_are_ends |= layout->labels_are_last || layout->day_ends_at_2359;
    layout->midnight_is_open =
        layout->day_ends_at_2359 && !given->labels && ecl_layout_label_role(layout) != ECL_ROLE_END;
    return layout->labels_are_last    ? "period ends, each the last minute of its own (others fail)"
           : layout->day_ends_at_2359 ? "period ends: 23:59 stands for the end of its day"
                                      : NULL;
}

static const char *find_labels(ecl_layout_t *layout, stamp_t *stamps, int count,
                               ecl_role_t date_role, apr_pool_t *p)
{
    fit_t starts, ends, best, other;

    if (layout->given.labels) {
        layout->labels_are_ends = !strcmp(layout->given.labels, "end");
        return layout->labels_are_ends ? "period ends (as given)" : "period starts (as given)";
    }
    if (date_role == ECL_ROLE_END) {
        layout->labels_are_ends = 1;
        return "period ends (as the header says)";
    }
    if (date_role == ECL_ROLE_START) {
        return "period starts (as the header says)";
    }
    qsort(stamps, (size_t)count, sizeof(*stamps), by_meter);
    starts = fit(stamps, count, 0, layout->interval_minutes);
    ends = fit(stamps, count, layout->interval_minutes, layout->interval_minutes);
    layout->labels_are_ends = ends.complete > starts.complete;
    /* fewer part days speak for starts, which are usual, but not for ends: two rows about midnight
     * would be enough */
    if (ends.complete == starts.complete && starts.part >= ends.part) {
        layout->labels_are_open = 1;
        return ECL_LABELS_OPEN;
    }
    best = layout->labels_are_ends ? ends : starts;
    other = layout->labels_are_ends ? starts : ends;
    return apr_psprintf(p, "period %s: %d of %d days complete, as period %s %d of %d",
                        layout->labels_are_ends ? "ends" : "starts", best.complete,
                        best.complete + best.part, layout->labels_are_ends ? "starts" : "ends",
                        other.complete, other.complete + other.part);
}

ecl_role_t ecl_layout_label_role(const ecl_layout_t *layout)
{
    int columns[] = {layout->time_column, layout->date_column}, rank, is_utc;

    for (int i = 0; i < 2; i++) {
        const char *name = columns[i] >= 0 ? layout->names[columns[i]] : "";
        ecl_role_t role = ecl_header_role(name, strlen(name), &rank, &is_utc);

        if (role == ECL_ROLE_START || role == ECL_ROLE_END) {
            return role;
        }
    }
    return ECL_ROLE_DATE;
}

static int is_given(const ecl_layout_t *layout, const char *labels)
{
    return layout->given.labels && !strcmp(layout->given.labels, labels);
}

void ecl_layout_take_stamps(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                            apr_pool_t *p, const char **pwhy)
{
    stamp_t *stamps = apr_palloc(p, ECL_LAYOUT_SAMPLE * sizeof(*stamps)), *in_order;
    int count = 0, with_time = 0, slots = 0, is_daily;
    ecl_role_t role = ecl_layout_label_role(layout);
    const char *why;

    for (int i = from; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];
        ecl_datetime_status_t status;
        ecl_datetime_t stamp;
        int column;

        if (!ecl_layout_stamp(layout, record->fields, record->count, &stamp, &status, &column)) {
            continue;
        }
        with_time += stamp.has_time;
        slots += stamp.is_slot;
        stamps[count].meter = hash(layout, sample, i);
        stamps[count].label = stamp.has_time ? stamp.minute : 0;
        stamps[count].second = stamp.second;
        stamps[count++].minute = (apr_int64_t)stamp.date * 1440 +
                                 (stamp.has_time ? stamp.minute : 0) -
                                 (stamp.has_offset ? stamp.offset_minutes : 0);
    }
    layout->labels_are_ends = 0;
    if (layout->period_column >= 0) {
        *pwhy = layout->parts.hours_are_counted ? "hours, counted through the day"
                : layout->first_period          ? "settlement periods"
                                                : "settlement periods, counted from 0";
        return;
    }
    find_direction(layout, stamps, count);
    in_order = apr_pmemdup(p, stamps, ECL_LAYOUT_SAMPLE * sizeof(*stamps));
    layout->interval_minutes = find_interval(stamps, count, &is_daily);
    if (layout->given.interval_minutes) {
        layout->interval_minutes = layout->given.interval_minutes;
        is_daily = layout->interval_minutes == 1440;
    } else if (layout->parts.hour >= 0 && layout->parts.are_hours) {
        layout->interval_minutes = 60;
    }
    if (layout->time_column < 0 && (!with_time || is_daily)) {
        layout->labels_are_ends = role == ECL_ROLE_END;
        layout->labels_are_last = layout->given.is_read_as
                                      ? layout->given.last && !strcmp(layout->given.last, "minute")
                                      : with_time && in_order[0].label == LAST_MINUTE;
        layout->kind = ECL_LAYOUT_DAILY;
        layout->interval_minutes = 1440;
        *pwhy = "a date and no time";
        return;
    }
    if (layout->given.reads) {
        layout->midnight_is_end =
            layout->time_column >= 0 &&
            (layout->given.is_read_as ? layout->given.midnight_is_end
                                      : has_midnight_at_end(layout, in_order, count));
        *pwhy = apr_psprintf(p, "reads of a register every %d minutes (as given)%s",
                             layout->interval_minutes,
                             layout->midnight_is_end ? ", 00:00 closes its date" : "");
        return;
    }
    if (layout->parts.first_hour) {
        *pwhy =
            apr_psprintf(p, "%d-minute readings; hours by their number", layout->interval_minutes);
        return;
    }
    if (slots * 2 > count) {
        *pwhy = apr_psprintf(p, "%d-minute readings; by the start of their slots",
                             layout->interval_minutes);
        return;
    }
    if (layout->time_column >= 0 && !is_given(layout, "start") && role != ECL_ROLE_START &&
        (layout->given.is_read_as ? layout->given.midnight_is_end
                                  : has_midnight_at_end(layout, in_order, count))) {
        layout->labels_are_ends = layout->midnight_is_end = 1;
        *pwhy = apr_psprintf(p, "%d-minute readings; period ends: 00:00 closes its date",
                             layout->interval_minutes);
        return;
    }
    why = is_given(layout, "start") || role == ECL_ROLE_START
              ? NULL
              : take_last_minutes(layout, in_order, count);
    *pwhy = apr_psprintf(p, "%d-minute readings; %s", layout->interval_minutes,
                         why ? why : find_labels(layout, stamps, count, role, p));
}
