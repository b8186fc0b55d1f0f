/*
 * Green Button XML (NAESB ESPI): an IntervalReading is a row, with what its ReadingType says.
 *
 * The start is an instant, so the clock changes nothing here. A usage point is usually known by a
 * number of the utility's own, so that a file of one names no meter, unless it is an MPAN; with
 * several, the row says which. Rows say their length where not all of them have the same.
 */
#include "source.h"

#include "espi.h"
#include "meter.h"

enum { COLUMN_START, COLUMN_VALUE, COLUMN_UNIT, COLUMN_CHANNEL, COLUMN_FLAG, COLUMNS };

#define COLUMNS_MAX (COLUMNS + 2) /* meter, minutes */

/* Numbers of the standard, see espi_series.c. */
#define UOM_WH 72
#define FLOW_FORWARD 1
#define FLOW_REVERSE 19

#define START_MAX APR_INT64_C(4102444800) /* 2100-01-01 */

typedef struct espi_source_t {
    ecl_source_t source;
    ecl_espi_t espi;
    ecl_assembly_t assembly;
    ecl_result_t trouble;
    int has_header, is_broken;
    int interval;         /* seconds; 0: not the same for all series */
    ecl_espi_name_t name; /* by which usage points are known; ECL_ESPI_NAMES: no row says any */
    int meter_column, minutes_column, columns; /* -1: not there */
    char message[300];
} espi_source_t;

/* ---- what a type says --------------------------------------------------------------------------
 */

static const char *number_text(apr_int64_t number, apr_pool_t *p)
{
    return number == ECL_ESPI_NONE ? "not said" : apr_psprintf(p, "%" APR_INT64_T_FMT, number);
}

/* Meanings: quality of measurement in the standard's list. "" for what says nothing. */
static const char *flag_of(apr_int64_t quality, char text[32])
{
    switch (quality) {
    case ECL_ESPI_NONE:
        return "";
    case 0:  /* valid */
    case 14: /* raw */
    case 17: /* validated */
    case 18: /* verified */
    case 19: /* revenue quality */
        return "A";
    case 7: /* manually edited */
        return "M";
    case 8:  /* estimated using a reference day */
    case 9:  /* … by linear interpolation */
    case 12: /* projected */
        return "E";
    default:
        apr_snprintf(text, 32, "quality %" APR_INT64_T_FMT, quality);
        return text;
    }
}

/* ---- records -----------------------------------------------------------------------------------
 */

static void add(espi_source_t *es, const char *text)
{
    ecl_assembly_add(&es->assembly, text, strlen(text));
}

static void hand_out_header(espi_source_t *es, ecl_record_t *record)
{
    static const char *const names[COLUMNS] = {"Interval Start (UTC)", "Value", "Unit", "Channel",
                                               "Flag"};

    ecl_assembly_clear(&es->assembly);
    for (int i = 0; i < COLUMNS; i++) {
        add(es, names[i]);
    }
    if (es->meter_column >= 0) {
        add(es, "Meter");
    }
    if (es->minutes_column >= 0) {
        add(es, "Minutes");
    }
    ecl_assembly_finish(&es->assembly, record, 1, 0);
    es->has_header = 1;
}

/* Epoch seconds as people write them; what is no number stays as it is. */
static void add_start(espi_source_t *es)
{
    apr_int64_t start = ecl_espi_number(es->espi.reading.start);
    apr_time_exp_t t;
    char text[32];

    if (start < 0 || start >= START_MAX) {
        add(es, es->espi.reading.start);
        return;
    }
    apr_time_exp_gmt(&t, apr_time_from_sec(start));
    apr_snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900,
                 t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
    add(es, text);
}

/* Exact: the power of ten goes into the number's exponent. */
static void add_value(espi_source_t *es, const ecl_espi_type_t *type, int is_reactive)
{
    apr_int64_t power = type->power == ECL_ESPI_NONE ? 0 : type->power;
    const char *value = es->espi.reading.value;
    char text[ECL_ESPI_TEXT_MAX + 24];

    power -= is_reactive ? 3 : 0; /* VArh, as kVArh */
    if (!power || !*value || strpbrk(value, "eE")) {
        add(es, value);
    } else {
        apr_snprintf(text, sizeof(text), "%sE%" APR_INT64_T_FMT, value, power);
        add(es, text);
    }
}

static void add_series(espi_source_t *es, const ecl_espi_series_t *series)
{
    char text[32];

    if (es->meter_column >= 0) {
        add(es, series->point < 0 ? "" : es->espi.points[series->point].names[es->name]);
    }
    if (es->minutes_column >= 0) {
        apr_snprintf(text, sizeof(text), "%d", series->interval / 60);
        add(es, text);
    }
}

static void assemble(espi_source_t *es, const ecl_espi_series_t *series,
                     const ecl_espi_type_t *type)
{
    const char *channel = type ? ecl_espi_channel(type) : NULL;
    apr_int64_t quality = es->espi.reading.quality;
    char flag[32];

    ecl_assembly_clear(&es->assembly);
    add_start(es);
    if (!channel) {
        add(es, es->espi.reading.value);
        add(es, "");
        add(es, type ? "UN" : ""); /* a quantity that is known and not kept */
    } else {
        add_value(es, type, channel[0] == 'R');
        add(es, channel[0] == 'R' ? "kVArh" : "Wh");
        add(es, channel);
    }
    if (quality == ECL_ESPI_NONE && type) {
        quality = type->quality;
    }
    add(es, flag_of(quality, flag));
    add_series(es, series);
}

static void hand_out_reading(espi_source_t *es, const ecl_espi_series_t *series,
                             ecl_record_t *record)
{
    const ecl_espi_reading_t *reading = &es->espi.reading;
    const ecl_espi_type_t *type = series->type < 0 ? NULL : &es->espi.types[series->type];
    apr_int64_t line = ecl_xml_line(es->espi.xml), end_offset = ecl_espi_stored(&es->espi);
    apr_int64_t start = ecl_espi_number(reading->start);
    const char *code = NULL;
    int column = -1;

    assemble(es, series, type);
    if (es->espi.point_count > 1 && series->point < 0) {
        code = "bad-meter";
        column = es->meter_column;
        apr_snprintf(es->message, sizeof(es->message),
                     "which of the file's %d usage points this is of can't be told",
                     es->espi.point_count);
    } else if (!type) {
        code = "bad-channel";
        column = COLUMN_CHANNEL;
        apr_snprintf(es->message, sizeof(es->message),
                     "which of the file's %d reading types this is of can't be told",
                     es->espi.type_count);
    } else if (start < 0 || start >= START_MAX) {
        code = "bad-date";
        column = COLUMN_START;
        apr_snprintf(es->message, sizeof(es->message),
                     "the start \"%s\" is no number of seconds since 1970", reading->start);
    } else if (ecl_espi_channel(type) && ecl_espi_number(reading->duration) != series->interval) {
        code = "other-interval";
        apr_snprintf(es->message, sizeof(es->message),
                     "the reading is of \"%s\" seconds, and the others of it of %d",
                     reading->duration, series->interval);
    }
    if (code) {
        ecl_assembly_reject(&es->assembly, record, line, end_offset, column, code, es->message);
    } else {
        ecl_assembly_finish(&es->assembly, record, line, end_offset);
    }
}

static void hand_out_end(espi_source_t *es, ecl_record_t *record)
{
    es->is_broken = 1;
    ecl_assembly_clear(&es->assembly);
    add(es, "");
    apr_snprintf(es->message, sizeof(es->message), "%s; nothing behind it was read",
                 es->trouble.detail);
    ecl_assembly_reject(&es->assembly, record, ecl_xml_line(es->espi.xml),
                        ecl_espi_stored(&es->espi), -1, "bad-xml", es->message);
}

/* Goes on to a reading of a series that is read. */
static apr_status_t next_reading(espi_source_t *es, ecl_espi_series_t **pseries)
{
    int is_full = 0;

    for (;;) {
        apr_status_t status = ecl_espi_next(&es->espi, &es->trouble);

        if (status != APR_SUCCESS) {
            return status;
        }
        *pseries = ecl_espi_series(&es->espi, &is_full);
        if (!(*pseries)->is_passed) {
            return status;
        }
    }
}

static apr_status_t next(ecl_source_t *source, ecl_record_t *record, ecl_result_t *result)
{
    espi_source_t *es = (espi_source_t *)source;
    ecl_espi_series_t *series;
    apr_status_t status;

    if (!es->has_header) {
        hand_out_header(es, record);
        return APR_SUCCESS;
    }
    status = es->is_broken ? APR_EOF : next_reading(es, &series);
    if (status == APR_SUCCESS) {
        hand_out_reading(es, series, record);
    } else if (status == ECL_EINPUT && !strcmp(es->trouble.code, "bad-xml")) {
        hand_out_end(es, record);
        status = APR_SUCCESS;
    } else if (!APR_STATUS_IS_EOF(status)) {
        ecl_fail(result, status, es->trouble.code, "%s", es->trouble.detail);
    }
    return status;
}

static void set_read_size(ecl_source_t *source, apr_size_t bytes)
{
    ((espi_source_t *)source)->espi.read_size = bytes;
}

/* ---- the form ----------------------------------------------------------------------------------
 */

static apr_status_t refuse_type(const ecl_espi_type_t *type, apr_pool_t *p, ecl_result_t *result)
{
    return ecl_fail(
        result, ECL_EINPUT, "bad-unit",
        "the Green Button file holds no energy that is kept: unit (uom) %s, flow "
        "direction %s, accumulation %s; expected unit 72 (Wh) or 73 (VArh), direction 1 "
        "or 19, and accumulation 4 (what passed within the interval)",
        number_text(type->uom, p), number_text(type->flow, p), number_text(type->accumulation, p));
}

static apr_status_t check_types(const ecl_espi_t *espi, apr_pool_t *p, ecl_result_t *result)
{
    for (int i = 0; i < espi->type_count; i++) {
        if (ecl_espi_channel(&espi->types[i])) {
            return APR_SUCCESS;
        }
    }
    return refuse_type(&espi->types[0], p, result);
}

/* The survey's findings against what can be read. */
static apr_status_t check(const ecl_espi_t *espi, apr_pool_t *p, ecl_result_t *result)
{
    if (!strcasecmp(espi->root, "html")) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "this is a web page (HTML), perhaps a login or error page saved in place "
                        "of the export");
    }
    if (!espi->readings && !espi->type_count && !espi->point_count) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "this is an XML file (<%s>) and not Green Button, the one kind that is "
                        "read: export the readings as CSV",
                        espi->root);
    }
    if (!espi->readings) {
        return ecl_fail(result, ECL_EINPUT, "no-readings",
                        "this is a Green Button file, and there is no reading in it");
    }
    if (espi->is_overfull) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "the Green Button file has more than %d reading types, or %d meter "
                        "readings or usage points: download it in parts",
                        ECL_ESPI_TYPES_MAX, ECL_ESPI_METERS_MAX);
    }
    if (espi->point_count > 1 && !espi->points_with_readings) {
        return ecl_fail(result, ECL_EINPUT, "several-meters",
                        "the Green Button file has several usage points, and no links that say "
                        "which of them its readings are of: download each of them as a file of its "
                        "own");
    }
    if (espi->points_with_readings > 1 && ecl_espi_telling_name(espi) == ECL_ESPI_NAMES) {
        return ecl_fail(result, ECL_EINPUT, "several-meters",
                        "the Green Button file has readings of %d usage points, and neither an "
                        "mRID, nor a name or title, tells them apart: download each of them as a "
                        "file of its own",
                        espi->points_with_readings);
    }
    if (!espi->type_count) {
        return ecl_fail(result, ECL_EINPUT, "bad-unit",
                        "the Green Button file has no ReadingType, which says what its readings "
                        "are and in which unit");
    }
    return check_types(espi, p, result);
}

static int is_read(const espi_source_t *es, const ecl_espi_series_t *series)
{
    return !series->is_passed && series->interval && series->type >= 0 &&
           ecl_espi_channel(&es->espi.types[series->type]);
}

/* Whether all series that are read have one interval. */
static apr_status_t take_interval(espi_source_t *es, ecl_result_t *result)
{
    int intervals = 0;

    for (int i = 0; i < es->espi.series_count; i++) {
        const ecl_espi_series_t *series = &es->espi.series[i];

        if (is_read(es, series) && series->interval != es->interval) {
            es->interval = series->interval;
            intervals++;
        }
    }
    if (!intervals && es->espi.other_duration[0]) {
        return ecl_fail(result, ECL_EINPUT, "not-half-hourly",
                        "the readings of the Green Button file are of \"%s\" seconds each: "
                        "expected 300, 600, 900, 1800 or 3600",
                        es->espi.other_duration);
    }
    if (intervals > 1) {
        es->interval = 0;
        es->minutes_column = es->columns++;
    }
    return APR_SUCCESS;
}

/* Names are used where they must be; that of a single usage point, where it is an MPAN. */
static void take_names(espi_source_t *es)
{
    const ecl_espi_t *espi = &es->espi;

    es->name = ECL_ESPI_NAMES;
    if (espi->points_with_readings > 1) {
        es->name = ecl_espi_telling_name(espi);
    }
    for (int i = 0; i < espi->point_count && espi->points_with_readings == 1; i++) {
        for (int kind = 0; kind < ECL_ESPI_NAMES && espi->points[i].has_readings; kind++) {
            const char *name = espi->points[i].names[kind];

            if (es->name == ECL_ESPI_NAMES && ecl_meter_is_mpan(name, strlen(name))) {
                es->name = (ecl_espi_name_t)kind;
            }
        }
    }
    es->meter_column = es->name < ECL_ESPI_NAMES ? es->columns++ : -1;
}

static apr_status_t open_espi(ecl_source_t **psource, const char *path, apr_pool_t *p,
                              ecl_result_t *result)
{
    espi_source_t *es = apr_pcalloc(p, sizeof(*es));
    apr_status_t status = ecl_espi_survey(&es->espi, path, p, result);

    es->minutes_column = -1;
    es->columns = COLUMNS;
    if (status == APR_SUCCESS) {
        status = check(&es->espi, p, result);
    }
    if (status == APR_SUCCESS) {
        take_names(es);
    }
    if (status == APR_SUCCESS) {
        status = take_interval(es, result);
    }
    if (status == APR_SUCCESS) {
        status = ecl_espi_open(&es->espi, path, p, result);
    }
    es->source.form = &ecl_source_espi;
    es->source.next = next;
    es->source.set_read_size = set_read_size;
    es->trouble = ecl_result_make(p);
    ecl_assembly_make(&es->assembly, COLUMNS_MAX, p);
    *psource = &es->source;
    return status;
}

/* Any series that is read is of it. */
static int is_used(const espi_source_t *es, int type)
{
    for (int i = 0; i < es->espi.series_count; i++) {
        if (es->espi.series[i].type == type && is_read(es, &es->espi.series[i])) {
            return 1;
        }
    }
    return 0;
}

static const char *types_text(const espi_source_t *es, apr_pool_t *p)
{
    const char *text = "";

    for (int i = 0; i < es->espi.type_count; i++) {
        const ecl_espi_type_t *type = &es->espi.types[i];
        const char *channel = ecl_espi_channel(type);

        if (channel && is_used(es, i)) {
            text = apr_psprintf(p, "%s; %s in %s%s%s", text, channel,
                                type->power == ECL_ESPI_NONE || !type->power
                                    ? ""
                                    : apr_psprintf(p, "10^%" APR_INT64_T_FMT " ", type->power),
                                type->uom == UOM_WH ? "Wh" : "VArh",
                                type->flow == FLOW_FORWARD || type->flow == FLOW_REVERSE
                                    ? ""
                                    : " (no flow direction said: import)");
        }
    }
    return text;
}

static const char *intervals_text(const espi_source_t *es, apr_pool_t *p)
{
    const char *text = NULL;

    for (int i = 0; i < 5; i++) {
        int is_there = 0;

        for (int k = 0; k < es->espi.series_count; k++) {
            is_there |= is_read(es, &es->espi.series[k]) &&
                        es->espi.series[k].interval == ecl_espi_durations[i];
        }
        if (is_there) {
            text = apr_psprintf(p, "%s%s%d", text ? text : "", text ? " and " : "",
                                ecl_espi_durations[i] / 60);
        }
    }
    return text ? text : "30";
}

static const char *points_text(const espi_source_t *es, apr_pool_t *p)
{
    static const char *const names[] = {
        [ECL_ESPI_DELIVERY_MRID] = "the mRID of its service delivery point",
        [ECL_ESPI_DELIVERY_NAME] = "the name of its service delivery point",
        [ECL_ESPI_POINT_MRID] = "its mRID",
        [ECL_ESPI_POINT_TITLE] = "its title",
    };

    return es->meter_column < 0
               ? ""
               : apr_psprintf(p, "; %d usage point%s, the meter being %s",
                              es->espi.points_with_readings,
                              es->espi.points_with_readings > 1 ? "s" : "", names[es->name]);
}

/* What was passed over for finer readings; NULL: nothing. */
static const char *passed_text(const espi_source_t *es, apr_pool_t *p)
{
    const char *text = NULL;

    for (int i = 0; i < es->espi.series_count; i++) {
        const ecl_espi_series_t *series = &es->espi.series[i];
        apr_int64_t count = 0;

        for (int k = 0; k < 6; k++) {
            count += series->durations[k];
        }
        if (series->is_passed) {
            text = apr_psprintf(
                p, "%s%s%" APR_INT64_T_FMT " readings of %s of %s", text ? text : "",
                text ? ", " : "", count, ecl_espi_channel(&es->espi.types[series->type]),
                series->interval ? apr_psprintf(p, "%d minutes", series->interval / 60)
                                 : "days or other lengths");
        }
    }
    return text
               ? apr_pstrcat(p, "passed over, because the file has shorter intervals of the same: ",
                             text, NULL)
               : NULL;
}

static void describe(const ecl_source_t *source, ecl_layout_t *layout, apr_pool_t *p)
{
    const espi_source_t *es = (const espi_source_t *)source;
    const char *passed = passed_text(es, p);

    layout->kind = ECL_LAYOUT_LONG;
    layout->date_column = COLUMN_START;
    layout->value_column = COLUMN_VALUE;
    layout->unit_column = COLUMN_UNIT;
    layout->channel_column = COLUMN_CHANNEL;
    layout->flag_column = COLUMN_FLAG;
    layout->meter_column = es->meter_column;
    layout->interval_column = es->minutes_column;
    layout->times_are_utc = 1;
    layout->interval_minutes = es->interval ? es->interval / 60 : 30;
    if (passed) {
        ecl_layout_note_t *note = apr_palloc(p, sizeof(*note));

        *note = (ecl_layout_note_t){"series-passed-over", passed};
        layout->notes = note;
        layout->note_count = 1;
    }
    layout->evidence =
        apr_psprintf(p, "Green Button (ESPI): intervals of %s minutes by their start, in UTC%s%s",
                     intervals_text(es, p), types_text(es, p), points_text(es, p));
}

const ecl_source_form_t ecl_source_espi = {"a Green Button file", open_espi, describe};
