/*
 * Which readings of a Green Button feed belong together: by the links of the blocks that they stand
 * in to a MeterReading, and from there to a ReadingType and a UsagePoint, in whatever order these
 * entries stand.
 */
#include "espi.h"

#include <apr_lib.h>

/* Numbers of the standard, as NAESB REQ.21 lists them. */
#define UOM_WH 72
#define UOM_VARH 73
#define FLOW_FORWARD 1 /* to the customer */
#define FLOW_REVERSE 19
#define ACCUMULATION_DELTA 4
#define POWER_MAX 12

const char *ecl_espi_channel(const ecl_espi_type_t *type)
{
    int is_forward = type->flow == ECL_ESPI_NONE || !type->flow || type->flow == FLOW_FORWARD;

    if ((!is_forward && type->flow != FLOW_REVERSE) ||
        (type->accumulation != ECL_ESPI_NONE && type->accumulation &&
         type->accumulation != ACCUMULATION_DELTA) ||
        (type->power != ECL_ESPI_NONE && (type->power < -POWER_MAX || type->power > POWER_MAX))) {
        return NULL;
    }
    if (type->uom == UOM_WH) {
        return is_forward ? "AI" : "AE";
    }
    return type->uom != UOM_VARH ? NULL : is_forward ? "RI" : "RE";
}

/* ---- the series of a block --------------------------------------------------------------------
 */

/* Of a block's own address, what it has in common with the others of its MeterReading. */
static void cut_self(char self[ECL_ESPI_HREF_MAX])
{
    char *block = strstr(self, "/IntervalBlock");

    if (block) {
        *block = '\0';
    } else if (!strstr(self, "MeterReading")) {
        *self = '\0';
    }
}

static int is_same(const ecl_espi_entry_t *a, const ecl_espi_entry_t *b)
{
    if (strcmp(a->self, b->self) || strcmp(a->up, b->up) || a->related_count != b->related_count) {
        return 0;
    }
    for (int i = 0; i < a->related_count; i++) {
        if (strcmp(a->related[i], b->related[i])) {
            return 0;
        }
    }
    return 1;
}

ecl_espi_series_t *ecl_espi_series(ecl_espi_t *espi, int *pis_full)
{
    ecl_espi_entry_t links = espi->entry;
    int i = 0;

    if (espi->series_now >= 0) {
        return &espi->series[espi->series_now];
    }
    cut_self(links.self);
    while (i < espi->series_count && !is_same(&espi->series[i].links, &links)) {
        i++;
    }
    if (i == ECL_ESPI_METERS_MAX) {
        *pis_full = 1;
        i = 0;
    }
    if (i == espi->series_count) {
        espi->series[espi->series_count++] = (ecl_espi_series_t){.links = links};
    }
    espi->series_now = i;
    return &espi->series[i];
}

/* ---- links ------------------------------------------------------------------------------------
 */

/* 1 when href is that of self, or of something within it. */
static int is_within(const char *href, const char *self)
{
    apr_size_t length = strlen(self);

    return length && !strncmp(href, self, length) && (!href[length] || href[length] == '/');
}

static int is_related(const ecl_espi_entry_t *entry, const char *href)
{
    for (int i = 0; i < entry->related_count && *href; i++) {
        if (!strcmp(entry->related[i], href)) {
            return 1;
        }
    }
    return 0;
}

/* 1 when `inner` lies within `outer`, by its own address or by what it says to be part of. */
static int belongs_to(const ecl_espi_entry_t *inner, const ecl_espi_entry_t *outer)
{
    return is_within(inner->up, outer->self) || is_within(inner->self, outer->self) ||
           is_related(outer, inner->up);
}

/* The MeterReading of a series; NULL: it can't be told. */
static const ecl_espi_entry_t *find_meter(const ecl_espi_t *espi, const ecl_espi_entry_t *links)
{
    for (int i = 0; i < espi->meter_count; i++) {
        if (belongs_to(links, &espi->meters[i])) {
            return &espi->meters[i];
        }
    }
    return NULL;
}

static int find_type(const ecl_espi_t *espi, const ecl_espi_entry_t *entry)
{
    for (int i = 0; i < entry->related_count; i++) {
        for (int k = 0; k < espi->type_count; k++) {
            if (!strcmp(entry->related[i], espi->types[k].self)) {
                return k;
            }
        }
    }
    return -1;
}

static int type_of(const ecl_espi_t *espi, const ecl_espi_entry_t *links)
{
    const ecl_espi_entry_t *meter = find_meter(espi, links);
    int type = espi->type_count == 1 ? 0 : find_type(espi, links);

    return type < 0 && meter ? find_type(espi, meter) : type;
}

static int point_of(const ecl_espi_t *espi, const ecl_espi_entry_t *links)
{
    const ecl_espi_entry_t *meter = find_meter(espi, links);

    for (int i = 0; i < espi->point_count && espi->point_count > 1; i++) {
        const ecl_espi_entry_t *point = &espi->points[i].entry;

        if (belongs_to(links, point) || (meter && belongs_to(meter, point))) {
            return i;
        }
    }
    return espi->point_count == 1 ? 0 : -1;
}

/* ---- what is read of them ---------------------------------------------------------------------
 */

static int interval_of(const ecl_espi_series_t *series)
{
    int most = 0;

    for (int i = 1; i < 5; i++) {
        if (series->durations[i] > series->durations[most]) {
            most = i;
        }
    }
    return series->durations[most] ? ecl_espi_durations[most] : 0;
}

static const char *channel_of(const ecl_espi_t *espi, const ecl_espi_series_t *series)
{
    return series->type < 0 ? NULL : ecl_espi_channel(&espi->types[series->type]);
}

static int has_finer(const ecl_espi_t *espi, const ecl_espi_series_t *series)
{
    const char *channel = channel_of(espi, series);

    for (int i = 0; i < espi->series_count && channel; i++) {
        const ecl_espi_series_t *other = &espi->series[i];
        const char *others = channel_of(espi, other);

        if (others && !strcmp(others, channel) && other->point == series->point &&
            other->interval && (!series->interval || other->interval < series->interval)) {
            return 1;
        }
    }
    return 0;
}

void ecl_espi_tie(ecl_espi_t *espi)
{
    for (int i = 0; i < espi->series_count; i++) {
        ecl_espi_series_t *series = &espi->series[i];

        series->type = type_of(espi, &series->links);
        series->point = point_of(espi, &series->links);
        series->interval = interval_of(series);
        if (series->point >= 0 && !espi->points[series->point].has_readings) {
            espi->points[series->point].has_readings = 1;
            espi->points_with_readings++;
        }
    }
    for (int i = 0; i < espi->series_count; i++) {
        espi->series[i].is_passed = has_finer(espi, &espi->series[i]);
    }
}

/* ---- usage points -----------------------------------------------------------------------------
 */

static int tells_apart(const ecl_espi_t *espi, ecl_espi_name_t kind)
{
    for (int i = 0; i < espi->point_count; i++) {
        const ecl_espi_point_t *point = &espi->points[i];

        if (point->has_readings && !point->names[kind][0]) {
            return 0;
        }
        for (int k = 0; k < i && point->has_readings; k++) {
            if (espi->points[k].has_readings &&
                !strcasecmp(point->names[kind], espi->points[k].names[kind])) {
                return 0;
            }
        }
    }
    return 1;
}

ecl_espi_name_t ecl_espi_telling_name(const ecl_espi_t *espi)
{
    ecl_espi_name_t kind = 0;

    while (kind < ECL_ESPI_NAMES && !tells_apart(espi, kind)) {
        kind++;
    }
    return kind;
}
