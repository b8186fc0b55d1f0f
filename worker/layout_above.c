/*
 * The lines above the tables of the sample (tables.h): what those above the first say, and which
 * rows are of which table.
 */
#include "layout_internal.h"
#include "tables.h"

#include <apr_hash.h>

/* Which records of the sample are rows. */
static const char *find_rows(const ecl_sample_t *sample, apr_pool_t *scratch)
{
    char *are_rows = apr_palloc(scratch, ECL_LAYOUT_SAMPLE);

    for (int i = 0; i < sample->count; i++) {
        are_rows[i] = (char)ecl_layout_looks_like_row(&sample->records[i]);
    }
    return are_rows;
}

/* A line below the header, or above rows that have none, may be a row that is wrong: that has a
 * number, or begins with one. */
static int may_be_row(const ecl_record_t *record)
{
    ecl_field_t first = ecl_tables_beginning(record);
    ecl_decimal_t value;

    for (int c = 0; c < record->count; c++) {
        if (ecl_decimal_parse(record->fields[c].text, record->fields[c].length, '.', &value) ==
            ECL_DECIMAL_OK) {
            return 1;
        }
    }
    return first.length && first.text[0] >= '0' && first.text[0] <= '9';
}

static void note_lines(struct ecl_above_t *above, const ecl_attempt_t *attempt, int end,
                       apr_pool_t *p)
{
    ecl_known_line_t *lines = apr_palloc(p, (apr_size_t)(end + 1) * sizeof(*lines));

    for (int i = 0; i < end; i++) {
        const ecl_record_t *record = &attempt->sample.records[i];

        if (i != attempt->header && record->count && (i < attempt->header || !may_be_row(record))) {
            ecl_tables_know(&lines[above->line_count++], record, p);
        }
    }
    above->lines = lines;
}

/* 1: a line that may stand above a table, and says something. */
static int take_line(ecl_said_t *said, const ecl_record_t *record)
{
    return record->status == ECL_RECORD_OK && ecl_said_line(said, record);
}

static apr_uint64_t hash(const char *text)
{
    apr_ssize_t length = APR_HASH_KEY_STRING;

    return apr_hashfunc_default(text ? text : "", &length);
}

/* Fills in the sample's tables. */
static void mark(ecl_attempt_t *attempt, const struct ecl_above_t *above, const char *are_rows,
                 int row, apr_pool_t *scratch)
{
    ecl_sample_t *sample = &attempt->sample;
    apr_uint64_t *tables = apr_pcalloc(scratch, ECL_LAYOUT_SAMPLE * sizeof(*tables));
    apr_uint64_t meter = 0, rest = 0;
    ecl_said_t said = above->said;
    int is_pending = 1;

    for (int i = row; i < sample->count; i++) {
        ecl_meter_above_t how;

        if (!are_rows[i]) {
            is_pending |= take_line(&said, &sample->records[i]);
        } else if (is_pending) {
            const char *named = ecl_said_meter(&said, &how);

            meter = named ? hash(named) : meter;
            rest = hash(said.channel) * 31 + (unsigned)said.unit * 2 + (unsigned)said.is_export;
            said.is_closed = 1;
            is_pending = 0;
        }
        tables[i] = meter << 32 ^ rest;
    }
    sample->tables = tables;
}

static int says_import(const ecl_sample_t *sample, const char *are_rows)
{
    for (int i = 0; i < sample->count; i++) {
        int is_export;
        const char *channel =
            are_rows[i] ? NULL : ecl_layout_channel_in_line(&sample->records[i], &is_export);

        if (channel && !strcmp(channel, "AI")) {
            return 1;
        }
    }
    return 0;
}

void ecl_layout_take_above(ecl_layout_t *layout, ecl_attempt_t *attempt, apr_pool_t *scratch,
                           apr_pool_t *p)
{
    struct ecl_above_t *above;
    const char *are_rows;
    int row = attempt->first;

    if (layout->turned || attempt->source) {
        return;
    }
    are_rows = find_rows(&attempt->sample, scratch);
    while (row < attempt->sample.count && !are_rows[row]) {
        row++; /* what stands before the first row is the first table's */
    }
    above = apr_pcalloc(p, sizeof(*above));
    above->rows_name_meters = layout->meter_column >= 0 || layout->meter_count;
    for (int i = 0; i < row; i++) {
        if (i == attempt->header) {
            above->said.is_below_header = 1;
        } else {
            take_line(&above->said, &attempt->sample.records[i]);
        }
    }
    note_lines(above, attempt, row, p);
    above->has_import = says_import(&attempt->sample, are_rows);
    attempt->has_import |= above->has_import;
    mark(attempt, above, are_rows, row, scratch);
    layout->above = above;
}
