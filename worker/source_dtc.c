/*
 * Data flows of the Data Transfer Catalogue, as pipe-delimited files.
 *
 *   ZHV|file id|D0036001|from role|from|to role|to|created||||OPER|
 *   101|MPAN|quantity|supplier|       25B in D0379
 *   102|YYYYMMDD|                     26B
 *   103|flag|value|                   66L, one for each half-hour of the day, in order
 *   ZPT|file id|records||meters|created|
 *
 * D0036 counts half-hours in settlement periods (46, 48 or 50 a day), D0379 in UTC days (always
 * 48). A row is a day: its half-hours are told apart by their order alone, so a day that has too
 * few or too many, or one that can't be read, is rejected as a whole. The trailer's counts are
 * checked; a trailer that is wrong or missing is a rejected row, for then readings may be missing
 * which nothing else tells of. The trailer's checksum is not looked at.
 */
#include "../lib/utf8.h"
#include "source.h"

#include "cell.h"
#include "decimal.h"
#include "meter.h"

enum { COLUMN_METER, COLUMN_CHANNEL, COLUMN_DATE, COLUMN_VALUES };

#define PERIODS_MAX 50
#define COLUMNS (COLUMN_VALUES + 2 * PERIODS_MAX)
#define COLUMN_OF(period) (COLUMN_VALUES + 2 * ((period)-1))
#define FLOW_MAX 16 /* bytes of a flow's name, and NUL */

typedef struct flow_t {
    const char *name, *title;
    const char *meter, *day, *value; /* types of records */
    int is_utc;
    int periods; /* at most */
} flow_t;

static const flow_t flows[] = {
    {"D0036", "validated half-hourly advances", "101", "102", "103", 0, 50},
    {"D0379", "half-hourly advances UTC", "25B", "26B", "66L", 1, 48},
};

typedef enum kind_t {
    KIND_START,
    KIND_END,
    KIND_METER,
    KIND_DAY,
    KIND_VALUE,
    KIND_UNKNOWN,
    KIND_UNREADABLE,
    KIND_EOF
} kind_t;

/* The first thing that is wrong with the day being gathered. */
typedef struct problem_t {
    const char *code; /* NULL: nothing is */
    apr_int64_t line;
    int column;
    char message[300];
} problem_t;

typedef struct dtc_t {
    ecl_source_t source;
    const flow_t *flow;
    ecl_records_t *lines;
    ecl_assembly_t assembly;
    int has_header;

    ecl_record_t line; /* the one in hand; */
    kind_t kind;
    int is_held; /* … which was not used yet */

    /* between ZHV and ZPT */
    int is_open, is_foreign; /* a flow other than the file's first is passed over */
    char file_id[32];
    apr_int64_t start, meters; /* record number of ZHV; meters seen since */

    int has_meter;
    char meter[ECL_METER_MAX + 4]; /* so much is too long for one, which is told of the rows */
    char channel[16];
    char name[FLOW_MAX], test_flag[16];

    /* a day being gathered */
    int has_day;
    int periods;
    apr_int64_t day_line, day_end;
    problem_t problem;
    apr_int64_t last_line, last_end;
} dtc_t;

static const char *field(const dtc_t *dtc, int index)
{
    return index < dtc->line.count ? dtc->line.fields[index].text : "";
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static kind_t kind_of(const dtc_t *dtc)
{
    const char *type = dtc->line.status == ECL_RECORD_OK ? field(dtc, 0) : NULL;

    if (!type) {
        return KIND_UNREADABLE;
    }
    return !strcmp(type, "ZHV")              ? KIND_START
           : !strcmp(type, "ZPT")            ? KIND_END
           : !strcmp(type, dtc->flow->meter) ? KIND_METER
           : !strcmp(type, dtc->flow->day)   ? KIND_DAY
           : !strcmp(type, dtc->flow->value) ? KIND_VALUE
                                             : KIND_UNKNOWN;
}

/* Takes the next line in hand, unless there is one that was not used. */
static apr_status_t take_line(dtc_t *dtc, ecl_result_t *result)
{
    apr_status_t status;

    if (dtc->is_held) {
        dtc->is_held = 0;
        return APR_SUCCESS;
    }
    status = ecl_records_next(dtc->lines, &dtc->line, result);
    if (APR_STATUS_IS_EOF(status)) {
        dtc->kind = KIND_EOF;
        return APR_SUCCESS;
    }
    if (status == APR_SUCCESS) {
        dtc->kind = kind_of(dtc);
        dtc->last_line = dtc->line.line;
        dtc->last_end = dtc->line.end_offset;
    }
    return status;
}

/* ---- a day -------------------------------------------------------------------------------------
 */

static void note(dtc_t *dtc, int column, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void note(dtc_t *dtc, int column, const char *code, const char *fmt, ...)
{
    va_list args;

    if (dtc->problem.code) {
        return;
    }
    va_start(args, fmt);
    apr_vsnprintf(dtc->problem.message, sizeof(dtc->problem.message), fmt, args);
    va_end(args);
    dtc->problem.code = code;
    dtc->problem.column = column;
    dtc->problem.line = dtc->line.line;
}

static void start_day(dtc_t *dtc)
{
    const char *date = field(dtc, 1);

    dtc->has_day = 1;
    dtc->periods = 0;
    dtc->day_line = dtc->line.line;
    dtc->day_end = dtc->line.end_offset;
    dtc->problem.code = NULL;
    ecl_assembly_clear(&dtc->assembly);
    ecl_assembly_add(&dtc->assembly, dtc->meter, strlen(dtc->meter));
    ecl_assembly_add(&dtc->assembly, dtc->channel, strlen(dtc->channel));
    ecl_assembly_add(&dtc->assembly, date, strlen(date));
    if (!dtc->has_meter) {
        note(dtc, COLUMN_METER, "bad-meter", "no record %s says whose day this is",
             dtc->flow->meter);
    } else if (!dtc->channel[0]) {
        note(dtc, COLUMN_CHANNEL, "bad-channel",
             "the record %s names no measurement quantity: expected AI, AE, RI or RE",
             dtc->flow->meter);
    }
}

static void take_value(dtc_t *dtc)
{
    const char *flag = field(dtc, 1), *value = field(dtc, 2);
    ecl_decimal_t ignored;
    int column;

    dtc->day_end = dtc->line.end_offset;
    if (++dtc->periods > dtc->flow->periods) {
        note(dtc, -1, "wrong-period-count", "the day has more than %d values", dtc->flow->periods);
        return;
    }
    column = COLUMN_OF(dtc->periods);
    ecl_assembly_add(&dtc->assembly, value, strlen(value));
    ecl_assembly_add(&dtc->assembly, flag, strlen(flag));
    if (dtc->line.count < 3) {
        note(dtc, column, "too-few-fields",
             "\"%.*s\" has %d of 3 fields: expected %s, flag and value", ECL_CUT(60, dtc->line.raw),
             dtc->line.count, dtc->flow->value);
    } else if (*field(dtc, 3)) {
        note(dtc, column, "too-many-fields", "\"%.*s\" has more than flag and value",
             ECL_CUT(60, dtc->line.raw));
    } else if (ecl_decimal_parse(value, strlen(value), '.', &ignored) == ECL_DECIMAL_BAD) {
        note(dtc, column, "bad-value", "\"%.*s\" is not a number", ECL_CUT(60, value));
    }
}

static void take_unreadable(dtc_t *dtc)
{
    dtc->has_meter = 0; /* it may have named the next one */
    dtc->day_end = dtc->line.end_offset;
    note(dtc, -1, "bad-line", "this line of the day is no text");
}

static void hand_out_day(dtc_t *dtc, ecl_record_t *record)
{
    const problem_t *problem = &dtc->problem;

    dtc->has_day = 0;
    if (problem->code) {
        ecl_assembly_reject(&dtc->assembly, record, problem->line, dtc->day_end, problem->column,
                            problem->code, problem->message);
    } else {
        ecl_assembly_finish(&dtc->assembly, record, dtc->day_line, dtc->day_end);
    }
}

/* ---- other lines -------------------------------------------------------------------------------
 */

/* Rejects the line in hand by what was noted of it. */
static void hand_out_problem(dtc_t *dtc, ecl_record_t *record)
{
    const char *raw = dtc->kind == KIND_EOF ? "" : dtc->line.raw;

    ecl_assembly_clear(&dtc->assembly);
    ecl_assembly_add(&dtc->assembly, raw, strlen(raw));
    ecl_assembly_reject(&dtc->assembly, record, dtc->last_line, dtc->last_end, -1,
                        dtc->problem.code, dtc->problem.message);
}

/* "D0036001" → "D0036" */
static void take_flow_name(dtc_t *dtc)
{
    apr_size_t length;

    apr_cpystrn(dtc->name, field(dtc, 2), sizeof(dtc->name));
    length = strlen(dtc->name);
    if (length > 3 && strspn(dtc->name + length - 3, "0123456789") == 3) {
        dtc->name[length - 3] = '\0';
    }
}

static void start_flow(dtc_t *dtc)
{
    take_flow_name(dtc);
    dtc->is_open = 1;
    dtc->is_foreign = strcmp(dtc->name, dtc->flow->name) != 0;
    dtc->has_meter = 0;
    dtc->meters = 0;
    dtc->start = dtc->line.number;
    apr_cpystrn(dtc->file_id, field(dtc, 1), sizeof(dtc->file_id));
    if (dtc->is_foreign) {
        note(dtc, -1, "other-flow",
             "a %s data flow starts here, and the file began with a %s: upload it as a file of its "
             "own",
             dtc->name, dtc->flow->name);
    }
}

static void check_count(dtc_t *dtc, const char *text, apr_int64_t actual, const char *what)
{
    apr_int64_t count;

    if (*text && (!ecl_parse_int64(text, 0, APR_INT64_MAX, &count) || count != actual)) {
        note(dtc, -1, "incomplete-file",
             "the trailer says that there are %.*s %s, and there are %" APR_INT64_T_FMT
             ": the file is not as it was sent, ask for it again",
             ECL_CUT(20, text), what, actual);
    }
}

static void end_flow(dtc_t *dtc)
{
    if (dtc->is_open && !dtc->is_foreign) {
        check_count(dtc, field(dtc, 2), dtc->line.number - dtc->start - 1, "records");
        check_count(dtc, field(dtc, 4), dtc->meters, "meters");
        if (strcmp(dtc->file_id, field(dtc, 1)) != 0) {
            note(dtc, -1, "incomplete-file",
                 "the trailer is that of file %.*s, and the header that of file %.*s",
                 ECL_CUT(30, field(dtc, 1)), ECL_CUT(30, dtc->file_id));
        }
    }
    dtc->is_open = 0;
}

static void take_meter(dtc_t *dtc)
{
    dtc->has_meter = 1;
    dtc->meters++;
    apr_cpystrn(dtc->meter, field(dtc, 1), sizeof(dtc->meter));
    apr_cpystrn(dtc->channel, field(dtc, 2), sizeof(dtc->channel));
}

/* A line outside of a day's values. What is wrong with it was noted afterwards. */
static void take_other(dtc_t *dtc)
{
    dtc->problem.code = NULL;
    if (dtc->kind != KIND_START && !dtc->is_open) {
        note(dtc, -1, "bad-line", "\"%.*s\" stands behind the trailer of the data flow",
             ECL_CUT(60, dtc->line.raw));
        return;
    }
    if (dtc->kind != KIND_START && dtc->kind != KIND_END && dtc->is_foreign) {
        return;
    }
    switch (dtc->kind) {
    case KIND_START:
        start_flow(dtc);
        break;
    case KIND_END:
        end_flow(dtc);
        break;
    case KIND_METER:
        take_meter(dtc);
        break;
    case KIND_DAY:
        start_day(dtc);
        break;
    case KIND_VALUE:
        note(dtc, -1, "bad-line", "\"%.*s\" belongs to no day: no record %s stands before it",
             ECL_CUT(60, dtc->line.raw), dtc->flow->day);
        break;
    case KIND_UNREADABLE:
        take_unreadable(dtc);
        break;
    case KIND_UNKNOWN:
    case KIND_EOF:
        note(dtc, -1, "bad-line", "\"%.*s\" is no record of a %s data flow",
             ECL_CUT(60, dtc->line.raw), dtc->flow->name);
        break;
    }
}

/* 1: the flow ends here, and had no trailer. */
static int is_without_trailer(dtc_t *dtc)
{
    if (!dtc->is_open || (dtc->kind != KIND_EOF && dtc->kind != KIND_START)) {
        return 0;
    }
    dtc->is_open = 0;
    if (dtc->is_foreign) {
        return 0;
    }
    dtc->problem.code = NULL;
    note(dtc, -1, "incomplete-file",
         "the data flow ends without its trailer (ZPT): it may have been cut off, ask for it "
         "again");
    return 1;
}

/* ---- records -----------------------------------------------------------------------------------
 */

static void hand_out_header(dtc_t *dtc, ecl_record_t *record)
{
    const char *date = dtc->flow->is_utc ? "Date (UTC)" : "Settlement Date";
    char name[24];

    ecl_assembly_clear(&dtc->assembly);
    ecl_assembly_add(&dtc->assembly, "MPAN", 4);
    ecl_assembly_add(&dtc->assembly, "Channel", 7);
    ecl_assembly_add(&dtc->assembly, date, strlen(date));
    for (int i = 1; i <= dtc->flow->periods; i++) {
        apr_snprintf(name, sizeof(name), "HH%d", i);
        ecl_assembly_add(&dtc->assembly, name, strlen(name));
        apr_snprintf(name, sizeof(name), "HH%d Flag", i);
        ecl_assembly_add(&dtc->assembly, name, strlen(name));
    }
    ecl_assembly_finish(&dtc->assembly, record, 1, 0);
    dtc->has_header = 1;
}

static apr_status_t next(ecl_source_t *source, ecl_record_t *record, ecl_result_t *result)
{
    dtc_t *dtc = (dtc_t *)source;

    if (!dtc->has_header) {
        hand_out_header(dtc, record);
        return APR_SUCCESS;
    }
    for (;;) {
        apr_status_t status = take_line(dtc, result);

        if (status != APR_SUCCESS) {
            return status;
        }
        if (dtc->has_day && dtc->kind == KIND_VALUE) {
            take_value(dtc);
            continue;
        }
        if (dtc->has_day && dtc->kind == KIND_UNREADABLE) {
            take_unreadable(dtc);
            continue;
        }
        dtc->is_held = dtc->has_day || dtc->kind == KIND_EOF;
        if (dtc->has_day) {
            hand_out_day(dtc, record);
            return APR_SUCCESS;
        }
        if (is_without_trailer(dtc)) {
            dtc->is_held = 1;
            hand_out_problem(dtc, record);
            return APR_SUCCESS;
        }
        if (dtc->kind == KIND_EOF) {
            return APR_EOF;
        }
        take_other(dtc);
        if (!dtc->has_day && dtc->problem.code) {
            hand_out_problem(dtc, record);
            return APR_SUCCESS;
        }
    }
}

static void set_read_size(ecl_source_t *source, apr_size_t bytes)
{
    ecl_records_set_read_size(((dtc_t *)source)->lines, bytes);
}

/* ---- the form ----------------------------------------------------------------------------------
 */

static apr_status_t refuse(const char *name, ecl_result_t *result)
{
    if (!strcmp(name, "D0010")) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "this is a D0010 data flow: it holds cumulative register reads, not "
                        "half-hourly consumption; that comes in D0036 and D0379");
    }
    return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                    "this is a data flow of the kind \"%s\", which is not read: half-hourly "
                    "readings come in D0036 and D0379",
                    name);
}

static apr_status_t open_dtc(ecl_source_t **psource, const char *path, apr_pool_t *p,
                             ecl_result_t *result)
{
    dtc_t *dtc = apr_pcalloc(p, sizeof(*dtc));
    apr_status_t status = ecl_records_open_lines(&dtc->lines, path, '|', p, result);

    if (status == APR_SUCCESS) {
        status = ecl_records_next(dtc->lines, &dtc->line, result);
    }
    if (APR_STATUS_IS_EOF(status) || (status == APR_SUCCESS && dtc->line.status != ECL_RECORD_OK)) {
        return ecl_fail(result, ECL_EINPUT, "not-text",
                        "the first line of the data flow is not text in UTF-8");
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    take_flow_name(dtc);
    for (apr_size_t i = 0; i < sizeof(flows) / sizeof(flows[0]) && !dtc->flow; i++) {
        dtc->flow = strcmp(dtc->name, flows[i].name) ? NULL : &flows[i];
    }
    if (!dtc->flow) {
        return refuse(dtc->name, result);
    }
    dtc->source.form = &ecl_source_dtc;
    dtc->source.next = next;
    dtc->source.set_read_size = set_read_size;
    dtc->kind = KIND_START;
    dtc->is_held = 1;
    dtc->last_line = dtc->line.line;
    dtc->last_end = dtc->line.end_offset;
    apr_cpystrn(dtc->test_flag, field(dtc, 11), sizeof(dtc->test_flag));
    ecl_assembly_make(&dtc->assembly, COLUMNS, p);
    *psource = &dtc->source;
    return APR_SUCCESS;
}

static void describe(const ecl_source_t *source, ecl_layout_t *layout, apr_pool_t *p)
{
    const dtc_t *dtc = (const dtc_t *)source;
    int is_test = dtc->test_flag[0] && strcmp(dtc->test_flag, "OPER");

    layout->kind = ECL_LAYOUT_WIDE;
    layout->meter_column = COLUMN_METER;
    layout->channel_column = COLUMN_CHANNEL;
    layout->date_column = COLUMN_DATE;
    layout->times_are_utc = dtc->flow->is_utc;
    layout->rows_are_whole = 1;
    layout->value_count = dtc->flow->periods;
    layout->block_count = 1;
    layout->blocks[0] =
        (ecl_value_block_t){.count = dtc->flow->periods, .needed = COLUMN_DATE, .has_repeated = 1};
    for (int i = 0; i < dtc->flow->periods; i++) {
        layout->values[i] = (ecl_value_column_t){
            .column = COLUMN_OF(i + 1), .flag_column = COLUMN_OF(i + 1) + 1, .period = i + 1};
    }
    layout->evidence = apr_psprintf(
        p, "%s data flow (%s): a day after each record %s; %s, as the flow says%s", dtc->flow->name,
        dtc->flow->title, dtc->flow->day,
        dtc->flow->is_utc ? "48 half-hours of a UTC day in order"
                          : "half-hours are the day's settlement periods in order",
        is_test ? apr_psprintf(p, "; its header marks it as test data (%s)", dtc->test_flag) : "");
}

const ecl_source_form_t ecl_source_dtc = {"an industry data flow", open_dtc, describe};
