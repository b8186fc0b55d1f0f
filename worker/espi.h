/*
 * Green Button (NAESB ESPI) as an Atom feed: its elements followed, its reading types gathered.
 *
 *   <entry> <link rel="self" href="…/MeterReading/01"/> <link rel="related"
 * href="…/ReadingType/07"/> <content><MeterReading/></content></entry> <entry> <link rel="self"
 * href="…/ReadingType/07"/> <content><ReadingType> uom 72, powerOfTenMultiplier, flowDirection …
 * </ReadingType>… <entry> <link rel="up" href="…/MeterReading/01/IntervalBlock"/>
 *           <content><IntervalBlock><IntervalReading>
 *               <timePeriod><duration>3600</duration><start>1293868800</start></timePeriod>
 *               <value>450</value><ReadingQuality><quality>8</quality></ReadingQuality> …
 *
 * A type may stand behind the readings that it is of; hence two passes, the first of which is
 * ecl_espi_survey.
 */
#ifndef ECL_ESPI_H
#define ECL_ESPI_H

#include "bytes.h"
#include "xml.h"

/* Of a file, unpacked. Memory does not matter, time does: the file is read more than once before
 * the first row, and a worker that is silent for longer than its lease loses its job. 400 MiB take
 * 4 s on a machine of 2026, with 23 MiB of memory; JSON 6 s. */
#define ECL_ESPI_BYTES_MAX ((apr_int64_t)1 << 30)
#define ECL_ESPI_TYPES_MAX 64
#define ECL_ESPI_METERS_MAX 256 /* meter readings, which tie blocks to types; and series */
#define ECL_ESPI_POINTS_MAX 256 /* usage points */
#define ECL_ESPI_HREF_MAX 256
#define ECL_ESPI_RELATED_MAX 8
#define ECL_ESPI_TEXT_MAX 64
#define ECL_ESPI_NONE APR_INT64_MIN /* a number that is not there, or is none */

typedef struct ecl_espi_entry_t {
    char self[ECL_ESPI_HREF_MAX], up[ECL_ESPI_HREF_MAX];
    char related[ECL_ESPI_RELATED_MAX][ECL_ESPI_HREF_MAX];
    int related_count;
} ecl_espi_entry_t;

typedef struct ecl_espi_type_t {
    char self[ECL_ESPI_HREF_MAX];
    apr_int64_t uom, power, flow, accumulation, quality; /* ECL_ESPI_NONE where not said */
} ecl_espi_type_t;

/* What a usage point may be known by, best first. */
typedef enum ecl_espi_name_t {
    ECL_ESPI_DELIVERY_MRID, /* ServiceDeliveryPoint/mRID */
    ECL_ESPI_DELIVERY_NAME,
    ECL_ESPI_POINT_MRID,
    ECL_ESPI_POINT_TITLE, /* of its entry */
    ECL_ESPI_NAMES
} ecl_espi_name_t;

typedef struct ecl_espi_point_t {
    ecl_espi_entry_t entry;
    char names[ECL_ESPI_NAMES][ECL_ESPI_TEXT_MAX]; /* "": none, or too long */
    int has_readings;
} ecl_espi_point_t;

/* The readings of blocks with the same links: those of a MeterReading. */
typedef struct ecl_espi_series_t {
    ecl_espi_entry_t links; /* self: only as far as it says of what the blocks are */
    /* how many readings of ecl_espi_durations[i]; the last: of others */
    apr_int64_t durations[6];
    int type, point; /* index; -1: which one can't be told */
    int interval;    /* seconds, of most of its readings; 0: of none that is read */
    int is_passed;   /* there are readings of the same with a finer interval */
} ecl_espi_series_t;

/* An IntervalReading as it stands. */
typedef struct ecl_espi_reading_t {
    char start[ECL_ESPI_TEXT_MAX], duration[ECL_ESPI_TEXT_MAX], value[ECL_ESPI_TEXT_MAX];
    apr_int64_t quality;
} ecl_espi_reading_t;

typedef struct ecl_espi_t {
    ecl_xml_t *xml;
    ecl_bytes_t *bytes;
    apr_int64_t bytes_read, bytes_max; /* 0: ECL_ESPI_BYTES_MAX */
    apr_size_t read_size; /* 0: as many bytes as XML asks for. Tests cut the file anywhere */
    int is_survey;
    int depth, is_too_deep;
    char root[ECL_ESPI_TEXT_MAX]; /* name of the outermost element */

    /* where the parser stands */
    int in_entry, in_type, in_reading, in_period, in_quality, in_point, in_delivery;
    int has_usage_point, has_meter_reading, entry_depth;
    int series_now; /* of the readings of this entry; -1: not known yet */
    ecl_espi_entry_t entry;
    ecl_espi_point_t point;
    ecl_espi_type_t type;
    ecl_espi_reading_t reading; /* complete when ecl_espi_next returns */
    char text[ECL_ESPI_TEXT_MAX];
    apr_size_t length;
    int is_cut;

    /* gathered by the survey */
    ecl_espi_type_t types[ECL_ESPI_TYPES_MAX];
    int type_count;
    ecl_espi_entry_t meters[ECL_ESPI_METERS_MAX]; /* entries of a MeterReading */
    int meter_count;
    ecl_espi_point_t points[ECL_ESPI_POINTS_MAX];
    int point_count, points_with_readings;
    ecl_espi_series_t series[ECL_ESPI_METERS_MAX];
    int series_count;
    int is_overfull; /* more of these than there is room for */
    apr_int64_t readings;
    char other_duration[ECL_ESPI_TEXT_MAX];
} ecl_espi_t;

extern const int ecl_espi_durations[5]; /* seconds: 300, 600, 900, 1800, 3600 */

/* Gathers what describes the readings, reading the whole file. ECL_EINPUT for XML that breaks off
 * before the first reading, "too-large"; one that breaks off behind it is taken as far as it goes.
 */
apr_status_t ecl_espi_survey(ecl_espi_t *espi, const char *path, apr_pool_t *p,
                             ecl_result_t *result);

/* Opens the file a second time, with what the survey found. */
apr_status_t ecl_espi_open(ecl_espi_t *espi, const char *path, apr_pool_t *p, ecl_result_t *result);

/* Goes on to the next IntervalReading. APR_EOF after the last; ECL_EINPUT for broken XML. */
apr_status_t ecl_espi_next(ecl_espi_t *espi, ecl_result_t *result);

/* Up to which byte of the stored file was read for it. */
apr_int64_t ecl_espi_stored(const ecl_espi_t *espi);

/* ---- series: espi_series.c -------------------------------------------------------------------
 */

/* That of the reading in hand. The survey adds it; *pis_full: there is no room for it. */
ecl_espi_series_t *ecl_espi_series(ecl_espi_t *espi, int *pis_full);

/* After the survey: ties each series to its type and usage point, and passes over those for which
 * there is a finer interval of the same usage point and channel. */
void ecl_espi_tie(ecl_espi_t *espi);

/* "AI" …; NULL: it is no energy of a channel that is kept. */
const char *ecl_espi_channel(const ecl_espi_type_t *type);

/* By which of their names all usage points with readings can be told apart; ECL_ESPI_NAMES: by
 * none. */
ecl_espi_name_t ecl_espi_telling_name(const ecl_espi_t *espi);

/* A whole text as a number, or ECL_ESPI_NONE. */
apr_int64_t ecl_espi_number(const char *text);

#endif /* ECL_ESPI_H */
