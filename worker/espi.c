#include "espi.h"

#define DEPTH_MAX 64

const int ecl_espi_durations[5] = {300, 600, 900, 1800, 3600};

apr_int64_t ecl_espi_number(const char *text)
{
    apr_int64_t number;

    return ecl_parse_int64(text, APR_INT64_MIN + 1, APR_INT64_MAX, &number) ? number
                                                                            : ECL_ESPI_NONE;
}

/* ---- gathering ---------------------------------------------------------------------------------
 */

static void gather_type(ecl_espi_t *espi)
{
    if (espi->type_count == ECL_ESPI_TYPES_MAX) {
        espi->is_overfull = 1;
        return;
    }
    espi->types[espi->type_count] = espi->type;
    apr_cpystrn(espi->types[espi->type_count++].self, espi->entry.self, ECL_ESPI_HREF_MAX);
}

static void gather_meter_reading(ecl_espi_t *espi)
{
    if (espi->meter_count == ECL_ESPI_METERS_MAX) {
        espi->is_overfull = 1;
        return;
    }
    espi->meters[espi->meter_count++] = espi->entry;
}

/* Some feeds give the same usage point again with each of its readings. */
static void gather_usage_point(ecl_espi_t *espi)
{
    for (int i = 0; i < espi->point_count; i++) {
        if (!strcmp(espi->points[i].entry.self, espi->entry.self)) {
            return;
        }
    }
    if (espi->point_count == ECL_ESPI_POINTS_MAX) {
        espi->is_overfull = 1;
        return;
    }
    espi->point.entry = espi->entry;
    espi->points[espi->point_count++] = espi->point;
}

/* At the end of an entry: its links may stand behind its content. */
static void gather(ecl_espi_t *espi)
{
    if (espi->is_survey && espi->in_type) {
        gather_type(espi);
    }
    if (espi->is_survey && espi->has_meter_reading) {
        gather_meter_reading(espi);
    }
    if (espi->is_survey && espi->has_usage_point) {
        gather_usage_point(espi);
    }
    espi->in_type = espi->has_meter_reading = espi->has_usage_point = 0;
}

static void count_reading(ecl_espi_t *espi)
{
    apr_int64_t duration = ecl_espi_number(espi->reading.duration);
    ecl_espi_series_t *series = ecl_espi_series(espi, &espi->is_overfull);
    int i = 0;

    while (i < 5 && ecl_espi_durations[i] != duration) {
        i++;
    }
    espi->readings++;
    if (i == 5 && !espi->other_duration[0]) {
        apr_cpystrn(espi->other_duration, espi->reading.duration, sizeof(espi->other_duration));
    }
    series->durations[i]++;
}

/* ---- elements ----------------------------------------------------------------------------------
 */

static void take_link(ecl_espi_t *espi, const char **attributes)
{
    const char *rel = ecl_xml_attribute(attributes, "rel");
    const char *href = ecl_xml_attribute(attributes, "href");
    ecl_espi_entry_t *entry = &espi->entry;

    if (!rel || !href) {
        return;
    }
    if (!strcmp(rel, "self")) {
        apr_cpystrn(entry->self, href, sizeof(entry->self));
    } else if (!strcmp(rel, "up")) {
        apr_cpystrn(entry->up, href, sizeof(entry->up));
    } else if (!strcmp(rel, "related") && entry->related_count < ECL_ESPI_RELATED_MAX) {
        apr_cpystrn(entry->related[entry->related_count++], href, ECL_ESPI_HREF_MAX);
    }
}

static void start_type(ecl_espi_t *espi)
{
    espi->in_type = 1;
    espi->type = (ecl_espi_type_t){.uom = ECL_ESPI_NONE,
                                   .power = ECL_ESPI_NONE,
                                   .flow = ECL_ESPI_NONE,
                                   .accumulation = ECL_ESPI_NONE,
                                   .quality = ECL_ESPI_NONE};
}

static void on_start(void *baton, const char *name, const char **attributes)
{
    ecl_espi_t *espi = baton;

    espi->length = 0;
    espi->is_cut = 0;
    if (!espi->depth) {
        apr_cpystrn(espi->root, name, sizeof(espi->root));
    }
    if (++espi->depth > DEPTH_MAX) {
        espi->is_too_deep = 1;
        ecl_xml_pause(espi->xml);
        return;
    }
    if (!strcmp(name, "entry")) {
        espi->in_entry = 1;
        espi->entry_depth = espi->depth;
        espi->series_now = -1;
        memset(&espi->entry, 0, sizeof(espi->entry));
        memset(&espi->point, 0, sizeof(espi->point));
    } else if (!strcmp(name, "link")) {
        take_link(espi, attributes);
    } else if (!strcmp(name, "ReadingType")) {
        start_type(espi);
    } else if (!strcmp(name, "MeterReading")) {
        espi->has_meter_reading = 1;
    } else if (!strcmp(name, "UsagePoint")) {
        espi->has_usage_point = espi->in_point = 1;
    } else if (!strcmp(name, "ServiceDeliveryPoint")) {
        espi->in_delivery = espi->in_point;
    } else if (!strcmp(name, "IntervalReading")) {
        espi->in_reading = 1;
        espi->reading = (ecl_espi_reading_t){.quality = ECL_ESPI_NONE};
    }
    espi->in_period |= espi->in_reading && !strcmp(name, "timePeriod");
    espi->in_quality |= espi->in_reading && !strcmp(name, "ReadingQuality");
}

static void on_text(void *baton, const char *text, apr_size_t length)
{
    ecl_espi_t *espi = baton;

    for (apr_size_t i = 0; i < length; i++) {
        if (strchr(" \t\r\n", text[i]) && !espi->length) {
            continue;
        }
        if (espi->length == sizeof(espi->text) - 1) {
            espi->is_cut = 1;
            return;
        }
        espi->text[espi->length++] = text[i];
    }
}

static void end_text(ecl_espi_t *espi)
{
    while (espi->length && strchr(" \t\r\n", espi->text[espi->length - 1])) {
        espi->length--;
    }
    espi->text[espi->length] = '\0';
}

static void end_in_type(ecl_espi_t *espi, const char *name)
{
    apr_int64_t number = ecl_espi_number(espi->text);

    if (!strcmp(name, "uom")) {
        espi->type.uom = number;
    } else if (!strcmp(name, "powerOfTenMultiplier")) {
        espi->type.power = number;
    } else if (!strcmp(name, "flowDirection")) {
        espi->type.flow = number;
    } else if (!strcmp(name, "accumulationBehaviour")) {
        espi->type.accumulation = number;
    } else if (!strcmp(name, "defaultQuality")) {
        espi->type.quality = number;
    }
}

static void end_in_reading(ecl_espi_t *espi, const char *name)
{
    ecl_espi_reading_t *reading = &espi->reading;

    if (!strcmp(name, "timePeriod")) {
        espi->in_period = 0;
    } else if (!strcmp(name, "ReadingQuality")) {
        espi->in_quality = 0;
    } else if (espi->in_period && !strcmp(name, "start")) {
        apr_cpystrn(reading->start, espi->text, sizeof(reading->start));
    } else if (espi->in_period && !strcmp(name, "duration")) {
        apr_cpystrn(reading->duration, espi->text, sizeof(reading->duration));
    } else if (espi->in_quality && !strcmp(name, "quality")) {
        reading->quality = ecl_espi_number(espi->text);
    } else if (!espi->in_period && !espi->in_quality && !strcmp(name, "value")) {
        apr_cpystrn(reading->value, espi->text, sizeof(reading->value));
    }
}

static void end_in_point(ecl_espi_t *espi, const char *name)
{
    ecl_espi_name_t kind = ECL_ESPI_NAMES;

    if (!strcmp(name, "UsagePoint")) {
        espi->in_point = espi->in_delivery = 0;
    } else if (!strcmp(name, "ServiceDeliveryPoint")) {
        espi->in_delivery = 0;
    } else if (!strcmp(name, "mRID")) {
        kind = espi->in_delivery ? ECL_ESPI_DELIVERY_MRID : ECL_ESPI_POINT_MRID;
    } else if (!strcmp(name, "name") && espi->in_delivery) {
        kind = ECL_ESPI_DELIVERY_NAME;
    }
    if (kind < ECL_ESPI_NAMES && !espi->is_cut && !espi->point.names[kind][0]) {
        apr_cpystrn(espi->point.names[kind], espi->text, ECL_ESPI_TEXT_MAX);
    }
}

static void on_end(void *baton, const char *name)
{
    ecl_espi_t *espi = baton;

    espi->depth--;
    end_text(espi);
    if (!strcmp(name, "IntervalReading")) {
        espi->in_reading = espi->in_period = espi->in_quality = 0;
        if (espi->is_survey) {
            count_reading(espi);
        } else {
            ecl_xml_pause(espi->xml);
        }
    } else if (!strcmp(name, "entry")) {
        gather(espi);
        espi->in_entry = 0;
    } else if (espi->in_reading) {
        end_in_reading(espi, name);
    } else if (espi->in_point) {
        end_in_point(espi, name);
    } else if (!strcmp(name, "title") && espi->in_entry && espi->depth == espi->entry_depth) {
        apr_cpystrn(espi->point.names[ECL_ESPI_POINT_TITLE], espi->is_cut ? "" : espi->text,
                    ECL_ESPI_TEXT_MAX);
    } else if (espi->in_type) {
        end_in_type(espi, name);
        if (!espi->in_entry && !strcmp(name, "ReadingType")) {
            gather(espi);
        }
    }
    espi->length = 0;
}

/* ---- the file ----------------------------------------------------------------------------------
 */

static apr_status_t read_bytes(void *baton, void *bytes, apr_size_t *plength, ecl_result_t *result)
{
    ecl_espi_t *espi = baton;
    apr_int64_t most = espi->bytes_max;
    apr_status_t status;
    int is_text;

    if (espi->bytes_read > most) {
        return ecl_fail(result, ECL_EINPUT, "too-large",
                        "the XML has more than %" APR_INT64_T_FMT
                        " MiB, which is all that is read of one file: download it in parts",
                        most >> 20);
    }
    if (espi->read_size && *plength > espi->read_size) {
        *plength = espi->read_size;
    }
    status = ecl_bytes_read(espi->bytes, bytes, plength, &is_text, result);
    espi->bytes_read += status == APR_SUCCESS ? (apr_int64_t)*plength : 0;
    return status;
}

apr_status_t ecl_espi_open(ecl_espi_t *espi, const char *path, apr_pool_t *p, ecl_result_t *result)
{
    const ecl_xml_handlers_t handlers = {espi, on_start, on_end, on_text};
    apr_status_t status = ecl_bytes_open(&espi->bytes, path, p, result);

    espi->depth = 0;
    espi->bytes_read = 0;
    espi->in_entry = espi->in_type = espi->in_reading = espi->in_period = espi->in_quality = 0;
    espi->in_point = espi->in_delivery = 0;
    espi->series_now = -1;
    memset(&espi->entry, 0, sizeof(espi->entry));
    if (status == APR_SUCCESS) {
        status = ecl_xml_open(&espi->xml, read_bytes, espi, &handlers, "the file", p, result);
    }
    if (status == APR_SUCCESS) {
        ecl_xml_is_utf8(espi->xml); /* whatever it was when it declared its encoding */
    }
    return status;
}

apr_status_t ecl_espi_next(ecl_espi_t *espi, ecl_result_t *result)
{
    apr_status_t status = ecl_xml_next(espi->xml, result);

    if (status == APR_SUCCESS && espi->is_too_deep) {
        return ecl_fail(result, ECL_EINPUT, "bad-xml",
                        "the file has elements nested more than %d deep", DEPTH_MAX);
    }
    return status;
}

apr_int64_t ecl_espi_stored(const ecl_espi_t *espi)
{
    return ecl_bytes_stored(espi->bytes, ecl_xml_offset(espi->xml));
}

apr_status_t ecl_espi_survey(ecl_espi_t *espi, const char *path, apr_pool_t *p,
                             ecl_result_t *result)
{
    ecl_result_t trouble = ecl_result_make(p);
    apr_pool_t *reading;
    apr_status_t status;

    apr_pool_create(&reading, p);
    espi->is_survey = 1;
    if (!espi->bytes_max) {
        espi->bytes_max = ECL_ESPI_BYTES_MAX;
    }
    status = ecl_espi_open(espi, path, reading, &trouble);
    if (status == APR_SUCCESS) {
        status = ecl_espi_next(espi, &trouble);
    }
    espi->is_survey = 0;
    apr_pool_destroy(reading);
    if (APR_STATUS_IS_EOF(status) ||
        (status == ECL_EINPUT && !strcmp(trouble.code, "bad-xml") && espi->readings)) {
        ecl_espi_tie(espi);
        return APR_SUCCESS;
    }
    return ecl_fail(result, status, trouble.code, "%s", trouble.detail);
}
