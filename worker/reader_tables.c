/*
 * Tables that stand one below the other: the lines between them, and what then holds for the rows
 * (tables.h). Nothing here is done for a row that follows another one.
 *
 * A table that is of another channel or unit than the first is read by a variant of the layout, of
 * which there are no more than channels and units: what is known of the file is never changed.
 */
#include "reader_internal.h"

#include "heading.h"
#include "layout_internal.h"

#include <apr_lib.h>

void ecl_reader_enter_tables(ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->found;

    reader->value_column =
        layout->kind == ECL_LAYOUT_WIDE ? layout->values[0].column : layout->value_column;
    reader->has_tables =
        !ecl_records_source(reader->records) && ecl_tables_start(&reader->tables, layout);
}

/* ---- what holds --------------------------------------------------------------------------------
 */

static int fits(const ecl_variant_t *variant, const ecl_variant_t *wanted)
{
    return variant->of == wanted->of && variant->channel == wanted->channel &&
           variant->unit == wanted->unit && variant->is_channel_open == wanted->is_channel_open &&
           variant->is_unit_open == wanted->is_unit_open &&
           variant->is_foreign == wanted->is_foreign;
}

static void set_channel(ecl_layout_t *layout, const ecl_variant_t *wanted)
{
    if (wanted->is_channel_open) {
        layout->added_channel = ECL_NOT_CLEAR;
    } else if (wanted->channel) {
        layout->channel = wanted->channel;
        layout->added_channel = strcmp(wanted->channel, "AI") ? wanted->channel : NULL;
    }
}

static void set_unit(ecl_layout_t *layout, const ecl_variant_t *wanted)
{
    layout->is_unit_open = wanted->is_unit_open;
    if (wanted->is_unit_open || wanted->unit != ECL_UNIT_NONE) {
        layout->given.unit = wanted->is_unit_open ? NULL : ecl_unit_name(wanted->unit);
        layout->unit = layout->given.unit;
        layout->unit_is_given = layout->unit_is_above = !wanted->is_unit_open;
    }
}

static const ecl_layout_t *variant_of(ecl_reader_t *reader, const ecl_variant_t *wanted)
{
    ecl_variant_t *variant = reader->variants;

    while (variant && !fits(variant, wanted)) {
        variant = variant->next;
    }
    if (variant) {
        return &variant->layout;
    }
    variant = apr_pmemdup(reader->pool, wanted, sizeof(*wanted));
    variant->layout = *wanted->of;
    variant->layout.is_meter_by_row = !wanted->of->above->rows_name_meters;
    set_channel(&variant->layout, wanted);
    set_unit(&variant->layout, wanted);
    ecl_layout_add_cells(&variant->layout, reader->pool);
    if (wanted->is_foreign) { /* its rows name their meters */
        variant->layout.added_always =
            variant->layout.added_count > 0 && !strcmp(variant->layout.added[0][0], "Channel");
    }
    variant->next = reader->variants;
    reader->variants = variant;
    return &variant->layout;
}

/* The layout of the first table, for its rows; from the first line on that says something, one
 * whose rejected rows have their meter each. */
static void choose_layout(ecl_reader_t *reader)
{
    const ecl_tables_t *tables = &reader->tables;
    const ecl_variant_t wanted = {.of = reader->found,
                                  .channel = tables->channel,
                                  .unit = tables->unit,
                                  .is_channel_open = tables->channel_code != NULL,
                                  .is_unit_open = tables->unit_code != NULL,
                                  .is_foreign = reader->is_foreign && reader->foreign_has_meter};

    reader->layout = variant_of(reader, &wanted);
}

static void take_row(ecl_reader_t *reader)
{
    ecl_tables_t *tables = &reader->tables;

    if (!tables->is_pending) {
        return;
    }
    ecl_long_flush(reader); /* the days of the table before */
    ecl_tables_row(tables);
    if (tables->meter[0] && !reader->found->above->rows_name_meters) {
        ecl_reader_enter_named(reader, tables->meter);
    }
    choose_layout(reader);
}

const char *ecl_reader_added(ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    const char *words = ecl_layout_hour_words(layout, reader->hour);

    if (reader->is_foreign && (!layout->is_meter_by_row || reader->foreign_has_meter)) {
        return NULL;
    }
    if (!layout->is_meter_by_row) {
        return words;
    }
    apr_snprintf(reader->added, sizeof(reader->added), "%s%s%s", reader->tables.meter,
                 layout->added_count > layout->added_always && !reader->is_foreign ? "\t" : "",
                 words && !reader->is_foreign ? words : "");
    return reader->added;
}

/* ---- lines -------------------------------------------------------------------------------------
 */

static int begins_number(ecl_field_t cell)
{
    return cell.length && (apr_isdigit(cell.text[0]) || strchr("+-.,", cell.text[0]));
}

/* A row, if perhaps a bad one. */
static int is_row(const ecl_reader_t *reader)
{
    const ecl_layout_t *layout = reader->layout;
    ecl_field_t date = ecl_reader_cell(reader, layout->date_column);
    ecl_field_t value = ecl_reader_cell(reader, reader->value_column);
    ecl_datetime_status_t status;
    ecl_datetime_t stamp;
    int column;

    if (date.length && apr_isdigit(date.text[0]) && begins_number(value)) {
        return 1;
    }
    return !(value.length && apr_isalpha(value.text[0])) &&
           ecl_layout_stamp(layout, reader->record.fields, reader->record.count, &stamp, &status,
                            &column);
}

/* One text, and nothing beside it. */
static int is_title(const ecl_reader_t *reader)
{
    int cells = 0;

    for (int i = 0; i < reader->record.count; i++) {
        ecl_field_t cell = reader->record.fields[i];

        cells += cell.length > 0;
        if (cells > 1 || (cell.length && !apr_isalpha(cell.text[0]))) {
            return 0;
        }
    }
    return 1;
}

int ecl_reader_take_line(ecl_reader_t *reader, ecl_outcome_t *poutcome)
{
    ecl_field_t first = ecl_reader_cell(reader, 0);

    *poutcome = ECL_OUTCOME_SKIPPED;
    if (is_row(reader)) {
        take_row(reader);
        return 0;
    }
    if (ecl_is_total(first.text, first.length)) {
        ecl_tables_header(&reader->tables);
        return 0;
    }
    if (ecl_tables_line(&reader->tables, &reader->record)) {
        return 1;
    }
    if (reader->found->above->rows_name_meters) {
        take_row(reader);
        return 0; /* as in any file: a name alone may be what is left of a row */
    }
    if (ecl_tables_is_repeated(&reader->tables, &reader->record)) {
        return 1;
    }
    if (ecl_reader_is_header(reader)) {
        *poutcome = ecl_reader_fail_header(reader);
        return 1;
    }
    if (ecl_tables_is_known(&reader->tables, &reader->record) || is_title(reader)) {
        return 1;
    }
    take_row(reader);
    return 0;
}

/* ---- a column per meter ------------------------------------------------------------------------
 */

/* Whether the record in hand has a name above each column of a meter; *pare_ours: they are those
 * that the first table has. */
static int has_names(const ecl_reader_t *reader, int *pare_ours)
{
    const ecl_layout_t *layout = reader->layout;

    *pare_ours = 1;
    for (int i = 0; i < layout->meter_count; i++) {
        ecl_field_t cell = ecl_reader_cell(reader, layout->meters[i].column);
        ecl_decimal_t value;
        ecl_heading_t heading;

        if (ecl_decimal_parse(cell.text, cell.length, layout->decimal_point, &value) !=
                ECL_DECIMAL_BAD &&
            !ecl_heading_is_identifier(cell)) {
            return 0;
        }
        ecl_heading_read(&heading, cell);
        if (!heading.name[0]) {
            return 0;
        }
        *pare_ours = *pare_ours && !strcmp(heading.name, layout->meters[i].meter);
    }
    return layout->meter_count > 0;
}

int ecl_reader_take_names(ecl_reader_t *reader, ecl_outcome_t *poutcome)
{
    int are_ours;

    if (!reader->layout->meter_lines || !has_names(reader, &are_ours)) {
        return 0;
    }
    reader->has_other_names = !are_ours;
    *poutcome = are_ours ? ECL_OUTCOME_SKIPPED : ecl_reader_fail_header(reader);
    return 1;
}

/* ---- headers ----------------------------------------------------------------------------------
 */

/* Whether a foreign header, the record in hand, names meters. */
static int names_meters(const ecl_reader_t *reader)
{
    for (int i = 0; i < reader->record.count; i++) {
        ecl_field_t cell = reader->record.fields[i];
        int rank, is_utc;
        ecl_role_t role = ecl_header_role(cell.text, cell.length, &rank, &is_utc);

        if (role == ECL_ROLE_METER || role == ECL_ROLE_SERIAL) {
            return 1;
        }
    }
    return 0;
}

void ecl_reader_take_header(ecl_reader_t *reader)
{
    reader->foreign_has_meter = reader->is_foreign && names_meters(reader);
    if (!reader->has_tables) {
        return;
    }
    ecl_tables_header(&reader->tables);
    if (reader->foreign_has_meter || reader->layout != reader->found) {
        choose_layout(reader);
    }
}
