/*
 * One quick pass over the date column before the first row is read, for what shows only on two days
 * of the year, in the one date beyond the twelfth, or at the file's two ends.
 */
#include "reader_internal.h"

#include "layout_internal.h"
#include "marked.h"

#include <apr_hash.h>
#include <apr_lib.h>

#define DATE_LENGTH 10
#define PLAIN_BITS 10
#define METERS_COUNTED 10000

typedef struct survey_t {
    const ecl_layout_t *layout;
    const ecl_clock_t *clock;
    ecl_wide_zone_t *wide;
    ecl_records_t *records;
    ecl_turn_t *turn; /* NULL: no table lies on its side, or none of its days matters */
    apr_pool_t *pool; /* for texts that are kept */
    ecl_order_proof_t order;
    char last_date[DATE_LENGTH]; /* the first characters of the date cell before */
    int last_is_plain;           /* that day has 24 hours */
    char plain_dates[1 << PLAIN_BITS][DATE_LENGTH]; /* whole cells, of such days; by their hash */
    int has_offset;
    ecl_zone_t zone;
    ecl_hours_seen_t hours;
    int hour;                /* number of the row's hour; -1: none */
    apr_int64_t first, last; /* labels, in minutes since 1970; first > last: none yet */
    /* stamps with a value other than 0 on days when the clocks change */
    apr_int64_t skipped, after_skipped;   /* in the hour left out in March, and in the next one */
    apr_int64_t repeated, after_repeated; /* in the hour that comes twice, and in the next one */
    apr_int64_t rows;
    apr_int64_t midnight_line; /* the first row at midnight, where that is open; 0: none is */
    ecl_tables_t tables;
    apr_hash_t *meters; /* that lines above tables name; as many as are counted */
} survey_t;

static ecl_decimal_status_t parse_value(const ecl_layout_t *layout, const ecl_record_t *record,
                                        int nth, ecl_decimal_t *pvalue)
{
    ecl_field_t cell = ecl_sample_cell(record, ecl_layout_value_column(layout, nth));

    return ecl_marked_parse(cell, layout->decimal_point, pvalue);
}

static int has_value(const survey_t *survey, const ecl_record_t *record)
{
    for (int i = 0; i < ecl_layout_value_columns(survey->layout); i++) {
        ecl_decimal_t value;
        ecl_decimal_status_t status = parse_value(survey->layout, record, i, &value);

        if ((status == ECL_DECIMAL_OK || status == ECL_DECIMAL_ROUNDED) && value != 0) {
            return 1;
        }
    }
    return 0;
}

/* A row that has its place in the day, though its value may be one that can't be read. */
static int has_any(const survey_t *survey, const ecl_record_t *record)
{
    for (int i = 0; i < ecl_layout_value_columns(survey->layout); i++) {
        ecl_decimal_t value;
        ecl_decimal_status_t status = parse_value(survey->layout, record, i, &value);

        if (status != ECL_DECIMAL_IS_MISSING && (status != ECL_DECIMAL_OK || value != 0)) {
            return 1;
        }
    }
    return 0;
}

static void count_stamp(survey_t *survey, const ecl_clock_day_t *day, const ecl_record_t *record,
                        int label)
{
    int elapsed;

    if (!has_value(survey, record)) {
        return;
    }
    if (day->minutes < 1440) {
        survey->skipped += ecl_clock_label(day, label, 0, &elapsed) == ECL_LABEL_SKIPPED;
        survey->after_skipped +=
            label >= 60 && ecl_clock_label(day, label - 60, 0, &elapsed) == ECL_LABEL_SKIPPED;
    } else {
        survey->repeated += ecl_clock_label(day, label, 0, &elapsed) == ECL_LABEL_AMBIGUOUS;
        survey->after_repeated +=
            label >= 60 && ecl_clock_label(day, label - 60, 0, &elapsed) == ECL_LABEL_AMBIGUOUS;
    }
}

static void note_label(survey_t *survey, const ecl_datetime_t *stamp)
{
    apr_int64_t minute = (apr_int64_t)stamp->date * 1440 + stamp->minute - stamp->offset_minutes;

    if (survey->first > survey->last) {
        survey->first = survey->last = minute;
    }
    survey->first = minute < survey->first ? minute : survey->first;
    survey->last = minute > survey->last ? minute : survey->last;
}

/* Of a label in UTC, whether it is midnight of a settlement day. */
static int is_local_midnight(const survey_t *survey, apr_int64_t label)
{
    ecl_clock_day_t day;
    int minute;

    ecl_clock_from_utc(survey->clock, label * 60, &day, &minute);
    return !minute;
}

/* The whole file, of whole days, runs from 00:30 to 00:00: its labels are ends. Files in UTC, or
 * with offsets, may have days of UTC, or the settlement days that somebody asked for. */
static int are_ends(const survey_t *survey)
{
    int interval = survey->layout->interval_minutes;

    if (!survey->layout->labels_are_open || survey->last - survey->first < 1440 - interval) {
        return 0;
    }
    return (survey->first % 1440 == interval && survey->last % 1440 == 0) ||
           ((survey->layout->times_are_utc || survey->has_offset) &&
            is_local_midnight(survey, survey->first - interval) &&
            is_local_midnight(survey, survey->last));
}

/* Where a date is kept, if it is. */
static char *place_of(survey_t *survey, const char *date)
{
    apr_uint64_t begin, end;

    memcpy(&begin, date, sizeof begin);
    memcpy(&end, date + DATE_LENGTH - sizeof end, sizeof end);
    /* Fibonacci hashing */
    return survey->plain_dates[((begin ^ end << 1) * APR_UINT64_C(11400714819323198485)) >>
                               (64 - PLAIN_BITS)];
}

static void keep_plain(survey_t *survey, ecl_field_t cell)
{
    if (cell.length >= DATE_LENGTH) {
        memcpy(survey->last_date, cell.text, DATE_LENGTH);
        survey->last_is_plain = 1;
    }
    if (cell.length == DATE_LENGTH) {
        memcpy(place_of(survey, cell.text), cell.text, DATE_LENGTH);
    }
}

/* 1 when there is nothing to be learned from a row by its date: nearly every one has that of the
 * row before, or one that other meters had. */
static int is_known_plain(survey_t *survey, ecl_field_t cell)
{
    static const ecl_clock_day_t plain_day = {.minutes = 1440};

    if (survey->layout->labels_are_open || survey->layout->midnight_is_open ||
        cell.length < DATE_LENGTH) {
        return 0;
    }
    if (survey->last_is_plain && !memcmp(cell.text, survey->last_date, DATE_LENGTH)) {
        return 1;
    }
    if (cell.length > DATE_LENGTH ||
        memcmp(cell.text, place_of(survey, cell.text), DATE_LENGTH) != 0) {
        return 0;
    }
    keep_plain(survey, cell);
    if (survey->layout->kind == ECL_LAYOUT_WIDE) {
        ecl_wide_zone_look(survey->wide, survey->layout, &plain_day, NULL, survey->pool);
    }
    return 1;
}

static void look_at(survey_t *survey, ecl_record_t *record)
{
    ecl_field_t cell = ecl_sample_cell(record, survey->layout->date_column);
    ecl_datetime_status_t status;
    ecl_datetime_t stamp;
    ecl_clock_day_t day;
    int column, is_read;

    if (is_known_plain(survey, cell)) {
        return;
    }
    survey->last_is_plain = 0;
    if (survey->layout->date_order_is_open) {
        ecl_layout_compare_orders(cell, &survey->order);
    }
    is_read =
        ecl_layout_stamp(survey->layout, record->fields, record->count, &stamp, &status, &column);
    if (!is_read && (survey->hour < 0 || column != survey->layout->time_column)) {
        return;
    }
    ecl_clock_day(survey->clock, stamp.date, &day);
    if (day.minutes != 1440) {
        ecl_records_split_rest(survey->records, record); /* now values matter */
        if (record->status != ECL_RECORD_OK) {
            return;
        }
    }
    if (survey->hour >= 0 && day.minutes != 1440 && has_any(survey, record)) {
        ecl_hours_look(&survey->hours, survey->layout, &day, survey->hour);
    }
    if (!is_read) {
        return;
    }
    survey->has_offset |= stamp.has_offset;
    if (survey->layout->midnight_is_open && stamp.has_time && stamp.minute % 1440 == 0 &&
        !survey->midnight_line) {
        survey->midnight_line = record->line;
    }
    note_label(survey, &stamp);
    if (survey->layout->kind == ECL_LAYOUT_WIDE) {
        ecl_wide_zone_look(survey->wide, survey->layout, &day, record, survey->pool);
    }
    if (day.minutes == 1440) {
        keep_plain(survey, cell);
    } else if (survey->layout->kind != ECL_LAYOUT_WIDE && stamp.has_time && stamp.minute < 1440) {
        count_stamp(survey, &day, record, stamp.minute);
    }
}

static void look_at_turned(survey_t *survey)
{
    ecl_record_t day;

    while (ecl_turn_take(survey->turn, &day)) {
        look_at(survey, &day);
    }
}

static void look_at_row(survey_t *survey, ecl_record_t *record)
{
    if (!survey->turn) {
        ecl_parts_text_t text;
        int is_second;

        survey->hour = ecl_parts_join(survey->layout, record, &text, &is_second);
        look_at(survey, record);
    } else if (ecl_turn_put(survey->turn, record) == ECL_TURN_FIRST) {
        look_at_turned(survey);
        ecl_turn_put(survey->turn, record);
    }
}

/* As many readings in the hour that local clocks skip as in the hour after it: they were not
 * local. Unless October says otherwise, with its hour there twice. */
static int are_utc(const survey_t *survey)
{
    return survey->skipped && survey->skipped >= survey->after_skipped &&
           survey->repeated * 2 <= survey->after_repeated * 3;
}

static int is_zone_given(const ecl_layout_t *layout)
{
    return layout->given.timezone || layout->given.times_are_local;
}

/* Whether dates and times are to be looked at. */
static int needs_stamps(const ecl_layout_t *layout)
{
    if (layout->parts.hour >= 0 && layout->period_column < 0 && !layout->times_are_utc &&
        !layout->given.is_read_as) {
        return 1;
    }
    return (layout->date_order_is_open && !layout->turned) || ecl_wide_zone_is_open(layout) ||
           (layout->kind == ECL_LAYOUT_LONG && layout->period_column < 0 &&
            (layout->labels_are_open || layout->midnight_is_open ||
             (!layout->times_are_utc && !is_zone_given(layout))));
}

/* Whether a line that states the zone is to be looked for. A day's total has no time. */
static int needs_zone(const ecl_layout_t *layout)
{
    return layout->kind != ECL_LAYOUT_DAILY && !is_zone_given(layout);
}

/* Whether lines between rows may say that those below them are of another meter. */
static int needs_meter(const ecl_layout_t *layout)
{
    return layout->above && layout->meter_above;
}

static void note_meter(survey_t *survey)
{
    const char *meter = survey->tables.meter;

    ecl_tables_row(&survey->tables);
    if (meter[0] && apr_hash_count(survey->meters) < METERS_COUNTED &&
        !apr_hash_get(survey->meters, meter, APR_HASH_KEY_STRING)) {
        meter = apr_pstrdup(apr_hash_pool_get(survey->meters), meter);
        apr_hash_set(survey->meters, meter, APR_HASH_KEY_STRING, meter);
    }
}

/* A row begins with its date, and that with a digit, nearly always: other lines are looked at. */
static void look_for_meter(survey_t *survey, ecl_record_t *record)
{
    ecl_field_t date = ecl_sample_cell(record, survey->layout->date_column);
    unsigned found;
    int is_wide;

    if (date.length && apr_isdigit(date.text[0])) {
        if (survey->tables.is_pending) {
            note_meter(survey);
        }
        return;
    }
    ecl_records_split_rest(survey->records, record);
    if (record->status == ECL_RECORD_OK && !ecl_tables_line(&survey->tables, record) &&
        ecl_layout_score_header(record, &found, &is_wide) > 0) {
        ecl_tables_header(&survey->tables);
    }
}

/* Stamps that say their zone themselves; what a mere date has behind it is none. */
static int have_offsets(const survey_t *survey)
{
    return survey->has_offset && survey->layout->kind == ECL_LAYOUT_LONG &&
           survey->layout->period_column < 0;
}

/* Rows of many values are looked at for their dates only, but for two days of the year. */
static void pass_values(ecl_records_t *records, const ecl_layout_t *layout)
{
    int last =
        layout->date_column > layout->time_column ? layout->date_column : layout->time_column;

    if (layout->kind == ECL_LAYOUT_WIDE && !layout->turned && layout->parts.day < 0 &&
        layout->parts.hour < 0) {
        ecl_records_set_head(records, last + 1);
    }
}

/* Looks at the records up to the bound. *pis_whole: the file ended before it. */
static apr_status_t look(survey_t *survey, const char *path, int *pis_whole, apr_pool_t *reading,
                         apr_pool_t *p, ecl_result_t *result)
{
    const ecl_layout_t *layout = survey->layout;
    int with_stamps = needs_stamps(layout), with_zone = needs_zone(layout), is_row;
    int with_meter = needs_meter(layout);
    ecl_records_t *records = survey->records;
    ecl_record_t record;
    apr_status_t status = APR_SUCCESS;

    if (!records) {
        status = ecl_records_open(&records, path, layout->delimiter, reading, result);
    }
    *pis_whole = 0;
    if (status == APR_SUCCESS && ecl_records_source(records)) {
        with_zone = with_meter = 0; /* there are no lines around the table that it stands for */
    }
    if (!with_stamps && !with_zone && !with_meter) {
        return status;
    }
    if (status == APR_SUCCESS && layout->sheet) {
        ecl_records_only_sheet(records, layout->sheet_number);
    }
    if (status == APR_SUCCESS) {
        survey->records = records;
        pass_values(records, layout);
    }
    if (layout->turned && with_stamps) {
        survey->turn = ecl_turn_make(reading);
        ecl_turn_enter(survey->turn, layout->turned);
    }
    if (with_meter) {
        ecl_tables_start(&survey->tables, layout);
        survey->tables.is_pending = 1;
        survey->meters = apr_hash_make(reading);
    }
    while (status == APR_SUCCESS) {
        status = ecl_records_next(records, &record, result);
        if (status != APR_SUCCESS || record.text_offset > ECL_SURVEY_BYTES) {
            break;
        }
        is_row = record.sheet_record >= layout->first_record;
        survey->rows += is_row;
        if (record.status != ECL_RECORD_OK) {
            continue;
        }
        if (with_zone && ecl_zone_name(record.fields[0].text, record.fields[0].length)) {
            ecl_records_split_rest(records, &record);
            if (record.status != ECL_RECORD_OK) {
                continue;
            }
            ecl_zone_look(&survey->zone, layout, &record, p);
        }
        if (with_meter && is_row) {
            look_for_meter(survey, &record);
            if (record.status != ECL_RECORD_OK) {
                continue;
            }
        }
        if (with_stamps && is_row) {
            look_at_row(survey, &record);
        }
        if (have_offsets(survey) && !with_meter && !layout->date_order_is_open &&
            !layout->labels_are_open && !layout->midnight_is_open) {
            break;
        }
    }
    *pis_whole = APR_STATUS_IS_EOF(status);
    if (survey->turn && *pis_whole) {
        ecl_turn_end(survey->turn);
        look_at_turned(survey);
    }
    return *pis_whole ? APR_SUCCESS : status;
}

/* A line below the table counts when the whole file was seen: another may follow. */
static void take_zone(survey_t *survey, ecl_layout_t *layout, int is_whole, apr_pool_t *p)
{
    if (have_offsets(survey) || (survey->zone.is_below && !is_whole)) {
        survey->zone.kind = ECL_ZONE_NONE;
    }
    ecl_zone_apply(&survey->zone, layout, p);
    layout->times_are_local |=
        layout->kind == ECL_LAYOUT_WIDE && !layout->times_are_utc &&
        (survey->zone.kind == ECL_ZONE_LOCAL || survey->zone.kind == ECL_ZONE_UNKNOWN);
}

static void take_utc(const survey_t *survey, ecl_layout_t *layout, apr_pool_t *p)
{
    int is_stated = survey->zone.kind == ECL_ZONE_UTC || survey->zone.kind == ECL_ZONE_LOCAL;

    if (layout->kind == ECL_LAYOUT_LONG && !is_zone_given(layout) && !survey->has_offset &&
        !is_stated && are_utc(survey)) {
        layout->times_are_utc = 1;
        layout->evidence =
            apr_pstrcat(p, layout->evidence,
                        "; times are UTC: the hour that local clocks skip in March is there", NULL);
    }
}

/* In the place of what the sample did not show. */
static void tell_ends(ecl_layout_t *layout, apr_pool_t *p)
{
    const char *at = strstr(layout->evidence, ECL_LABELS_OPEN);

    if (at) {
        layout->evidence = apr_pstrcat(
            p, apr_pstrmemdup(p, layout->evidence, (apr_size_t)(at - layout->evidence)),
            "period ends: the file begins one period after midnight, and ends at midnight",
            at + strlen(ECL_LABELS_OPEN), NULL);
    }
}

/* In the place of the first table's meter. A workbook's evidence is the first layout's, a line for
 * each sheet. */
static void tell_meters(const survey_t *survey, const ecl_layout_t *layout, ecl_layout_t *first,
                        int is_whole, apr_pool_t *p)
{
    const char *old = ecl_layout_meter_text(layout, p), *text = first->evidence;
    const char *line =
        layout->sheet ? strstr(text, apr_psprintf(p, "sheet \"%s\": ", layout->sheet)) : text;
    const char *at = line ? strstr(line, old) : NULL;
    unsigned count = apr_hash_count(survey->meters);

    if (!at) {
        return;
    }
    first->evidence =
        apr_psprintf(p, "%.*srows belong to the meter named above them: %s%u meters%s%s%s",
                     (int)(at - text), text, count == METERS_COUNTED ? "at least " : "", count,
                     is_whole ? "" : " in the first 64 MiB",
                     survey->tables.channels_differ ? ", of the channel that is said there" : "",
                     survey->tables.units_differ ? ", in the unit that is said there" : "");
    first->evidence = apr_pstrcat(p, first->evidence, at + strlen(old), NULL);
}

apr_status_t ecl_reader_survey(ecl_layout_t *layout, ecl_layout_t *first, const char *path,
                               ecl_records_t *workbook, const ecl_clock_t *clock,
                               ecl_wide_zone_t *wide, apr_pool_t *p, apr_int64_t *prows,
                               ecl_result_t *result)
{
    const survey_t unused = {.layout = layout,
                             .clock = clock,
                             .wide = wide,
                             .records = workbook,
                             .pool = p,
                             .first = 1,
                             .hour = -1};
    survey_t survey = unused;
    apr_pool_t *reading;
    apr_status_t status;
    int is_whole;

    *prows = -1;
    if (!needs_stamps(layout) && !needs_zone(layout) && !needs_meter(layout)) {
        return APR_SUCCESS;
    }
    apr_pool_create(&reading, p);
    status = look(&survey, path, &is_whole, reading, p, result);
    if (status == APR_SUCCESS && !survey.order.only_dmy &&
        (survey.order.only_mdy || layout->dates_follow_as_mdy)) {
        layout->date_order = ECL_ORDER_MDY;
        layout->evidence = apr_pstrcat(
            p, layout->evidence,
            survey.order.only_mdy ? "; month before day, as dates later in the file show"
                                  : "; month before day, as the dates follow each other day by day",
            NULL);
        /* the other way round the days on which clocks change were no dates at all */
        survey = unused;
        apr_pool_clear(reading);
        status = look(&survey, path, &is_whole, reading, p, result);
    }
    if (status != APR_SUCCESS) {
        apr_pool_destroy(reading);
        return status;
    }
    if (survey.meters && apr_hash_count(survey.meters) > 1) {
        tell_meters(&survey, layout, first, is_whole, p);
    }
    apr_pool_destroy(reading);
    if (survey.midnight_line) {
        return ecl_fail(result, ECL_EINPUT, "labels-open",
                        "some days seem to end at 23:59, and line %" APR_INT64_T_FMT
                        " has a time of 00:00: whether times are starts or ends of their periods "
                        "must be given",
                        survey.midnight_line);
    }
    wide->is_cut |= !is_whole && ecl_wide_zone_is_open(layout);
    if (is_whole && !layout->turned) {
        *prows = survey.rows;
    }
    if (is_whole && are_ends(&survey)) {
        layout->labels_are_ends = 1;
        tell_ends(layout, p);
    }
    if (ecl_hours_apply(&survey.hours, layout, p)) {
        survey.skipped = 0; /* those were other hours */
    }
    take_zone(&survey, layout, is_whole, p);
    take_utc(&survey, layout, p);
    ecl_zone_tell(&survey.zone, layout, first, p);
    return APR_SUCCESS;
}
