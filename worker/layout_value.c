/*
 * Which column holds the readings where each has a row of its own: of several that hold energy, the
 * meter's; those of its other channels beside it; the others are named, or the file is refused.
 */
#include "../lib/utf8.h"
#include "layout_columns.h"

static const ecl_column_t *choose_value(const ecl_columns_t *columns, const ecl_column_t *meter)
{
    const ecl_column_t *best = NULL;
    int best_score = 0;

    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];
        int score = 1;

        if ((column->role != ECL_ROLE_VALUE && column->role != ECL_ROLE_TOTAL) || column == meter) {
            continue;
        }
        score += column->numbers ? 1000 : 0;
        score += column->header_unit == ECL_UNIT_OTHER ? 0 : 100;
        score += column->role == ECL_ROLE_VALUE ? 50 : 0;
        score += column->header_unit == ECL_UNIT_KWH ? 20 : 0;
        score += 10 - column->rank;
        if (score > best_score) {
            best = column;
            best_score = score;
        }
    }
    return best;
}

int ecl_layout_names_channel(const char *text, apr_size_t length)
{
    int rank, is_utc;
    const char *channel = ecl_channel_of(text, length);

    return channel && (channel[0] || channel == ecl_channel_own) && length > 1 &&
           ecl_header_role(text, length, &rank, &is_utc) == ECL_ROLE_NONE;
}

/* Where no column is called as readings are: the only one that is called as a channel is. */
static const ecl_column_t *only_channel(const ecl_layout_t *layout, const ecl_columns_t *columns)
{
    const ecl_column_t *found = NULL;

    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];
        const char *name = layout->names[column->index];

        if (column->numbers && ecl_layout_names_channel(name, strlen(name))) {
            if (found) {
                return NULL;
            }
            found = column;
        }
    }
    return found;
}

static const char *name_of(const ecl_layout_t *layout, int column, apr_pool_t *p)
{
    const char *name = column < layout->columns ? layout->names[column] : "";

    return name[0] ? name : apr_psprintf(p, "number %d", column + 1);
}

/* What the name of a column of values says; NULL: nothing. */
static const char *channel_of(const ecl_layout_t *layout, const ecl_column_t *column)
{
    const char *name = layout->names[column->index];
    const char *channel = ecl_channel_of(name, strlen(name));

    return channel && channel[0] ? channel : ecl_grid_channel_of(name, strlen(name));
}

static int is_taken(const ecl_layout_t *layout, const char *channel)
{
    int is_taken = !strcmp(channel, layout->channel ? layout->channel : "AI");

    for (int i = 0; i < layout->extra_count; i++) {
        is_taken = is_taken || !strcmp(channel, layout->extras[i].channel);
    }
    return is_taken;
}

/* What has run up so far is no reading: "Total Export (kWh)". */
static int is_running_total(const ecl_layout_t *layout, const ecl_column_t *column)
{
    static const char *const words[] = {"total", "cumul", "register", "read"};
    const char *name = layout->names[column->index];
    char word[ECL_WORD_MAX];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (ecl_word_fold(name, strlen(name), word) && strstr(word, words[i])) {
            return 1;
        }
    }
    return 0;
}

static int says_gas(const ecl_layout_t *layout, const ecl_column_t *column)
{
    const char *name = layout->names[column->index];

    return strlen(name) > 3 && !strncasecmp(name, "gas", 3);
}

/* Columns beside the value whose names say another channel. */
static void take_extras(ecl_layout_t *layout, const ecl_columns_t *columns,
                        const ecl_column_t *value, const ecl_column_t *meter)
{
    for (int i = 0; i < columns->count && layout->extra_count < ECL_LAYOUT_EXTRAS; i++) {
        const ecl_column_t *column = &columns->all[i];
        const char *channel = channel_of(layout, column);

        if (column->role != ECL_ROLE_VALUE || column == value || column == meter || !channel ||
            !column->numbers || column->header_unit == ECL_UNIT_OTHER ||
            is_taken(layout, channel) || is_running_total(layout, column)) {
            continue;
        }
        layout->extras[layout->extra_count++] = (ecl_extra_value_t){
            .column = column->index,
            .channel = channel,
            .unit = ecl_unit_name(column->header_unit),
        };
    }
}

static int says_direction(const ecl_layout_t *layout, const ecl_column_t *column)
{
    const char *name = layout->names[column->index];

    return channel_of(layout, column) && (ecl_channel_has_direction(name, strlen(name)) ||
                                          ecl_grid_channel_of(name, strlen(name)) != NULL);
}

/* "Electricity consumption" and "Gas consumption": names that are known, and equally good. So is a
 * name that comes twice, as of readings of another length. */
static int is_as_well_named(const ecl_layout_t *layout, const ecl_column_t *a,
                            const ecl_column_t *b)
{
    return !a->is_by_unit && !b->is_by_unit && a->role == b->role && a->rank == b->rank &&
           a->header_unit == b->header_unit && b->numbers && !says_direction(layout, b) &&
           (a->header_unit != ECL_UNIT_NONE || says_gas(layout, a) != says_gas(layout, b) ||
            !strcasecmp(layout->names[a->index], layout->names[b->index]));
}

/* Another column that is known by its unit only, as the chosen one is, and neither says a channel:
 * "Day (kWh)", "Night (kWh)"; "Import T1 (kWh)", "Import T2 (kWh)". Or one that is named as well.
 */
static int has_rival(const ecl_layout_t *layout, const ecl_columns_t *columns,
                     const ecl_column_t *value)
{
    if (says_direction(layout, value)) {
        return 0;
    }
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        if (column == value || is_running_total(layout, column)) {
            continue;
        }
        if (is_as_well_named(layout, value, column) ||
            (value->is_by_unit && column->is_by_unit && column->numbers &&
             column->header_unit == value->header_unit && !channel_of(layout, column))) {
            return 1;
        }
    }
    return 0;
}

static int says_own(const ecl_layout_t *layout, const ecl_column_t *column)
{
    const char *name = layout->names[column->index];

    return ecl_says_own_energy(name, strlen(name));
}

/* What a table has of energy on both sides of the meter. */
typedef struct flows_t {
    const ecl_column_t *import, *export;
    int imports, exports; /* columns of the meter's import, */
    int columns;          /* of energy or power, */
    int own, grid;        /* of what is behind the meter; of those that name the grid */
} flows_t;

static flows_t find_flows(const ecl_layout_t *layout, const ecl_columns_t *columns,
                          const ecl_column_t *meter, int with_power)
{
    flows_t flows = {0};

    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];
        const char *name = layout->names[column->index], *channel;
        int is_power = column->header_unit == ECL_UNIT_KW;

        if (!column->numbers || column == meter || column->header_unit == ECL_UNIT_OTHER ||
            (column->role != ECL_ROLE_VALUE && column->role != ECL_ROLE_NONE)) {
            continue;
        }
        flows.own += says_own(layout, column);
        if (column->role != ECL_ROLE_VALUE) {
            continue;
        }
        flows.columns++;
        flows.grid += ecl_grid_channel_of(name, strlen(name)) != NULL;
        channel = says_direction(layout, column) ? channel_of(layout, column) : NULL;
        if (channel && is_power == with_power && !is_running_total(layout, column)) {
            flows.import = strcmp(channel, "AI") ? flows.import : column;
            flows.export = strcmp(channel, "AE") ? flows.export : column;
            flows.imports += !strcmp(channel, "AI");
            flows.exports += !strcmp(channel, "AE");
        }
    }
    return flows;
}

/* Of a portal's columns those of the meter; `value` where the table is none of these. NULL: which
 * they are is not certain. A home's consumption is no meter's where the sun has a part in it. */
static const ecl_column_t *choose_flow(const ecl_layout_t *layout, const ecl_columns_t *columns,
                                       const ecl_column_t *meter, const ecl_column_t *value)
{
    flows_t flows = find_flows(layout, columns, meter, 0);

    if ((!flows.own && !flows.grid) || flows.columns + flows.own < 2) {
        return value;
    }
    if (!flows.imports && !flows.exports) {
        flows = find_flows(layout, columns, meter, 1);
    }
    if (flows.imports > 1 || flows.exports > 1) {
        return NULL;
    }
    if (flows.import) {
        return flows.import;
    }
    if (!value->is_by_unit && (meter || !flows.own) && !says_own(layout, value)) {
        return value;
    }
    return flows.columns > 1 || flows.own > 1 ? flows.export : value;
}

/* Energy beside the readings that no channel is known for: nobody shall think that it was read. */
static void tell_not_read(ecl_layout_t *layout, const ecl_columns_t *columns,
                          const ecl_column_t *value, const ecl_column_t *meter, apr_pool_t *p)
{
    const char *name = layout->names[value->index];
    int is_portal = ecl_grid_channel_of(name, strlen(name)) != NULL;

    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];
        int is_read = column == value || column == meter;

        for (int k = 0; k < layout->extra_count; k++) {
            is_read = is_read || layout->extras[k].column == column->index;
        }
        if (!is_read && column->numbers &&
            ((column->role == ECL_ROLE_VALUE && ecl_unit_is_known(column->header_unit) &&
              column->header_unit != ECL_UNIT_KW) ||
             (column->role == ECL_ROLE_NONE && (is_portal || says_own(layout, column))))) {
            ecl_layout_add_note(
                layout, "columns-not-read",
                apr_psprintf(p,
                             "column \"%.*s\" (number %d) is not read: the readings "
                             "are those of column \"%.*s\"",
                             ECL_CUT(60, layout->names[column->index]), column->index + 1,
                             ECL_CUT(60, layout->names[value->index])),
                p);
        }
    }
}

apr_status_t ecl_layout_take_value(ecl_layout_t *layout, const ecl_columns_t *columns,
                                   const ecl_column_t *meter, apr_pool_t *p, ecl_result_t *result)
{
    const ecl_column_t *value = choose_value(columns, meter), *flow;

    if (!value) {
        value = only_channel(layout, columns);
    }
    if (!value) {
        return ecl_fail(result, ECL_EINPUT, "no-value-column",
                        "the file has no column of readings: expected 48 half-hourly columns, or a "
                        "column such as kWh, Consumption or Value");
    }
    if (value->header_unit == ECL_UNIT_OTHER) {
        return ecl_fail(result, ECL_EINPUT, "bad-unit",
                        "the values of column %s are not energy in Wh, kWh or MWh",
                        name_of(layout, value->index, p));
    }
    flow = choose_flow(layout, columns, meter, value);
    if (!flow || has_rival(layout, columns, flow)) {
        return ecl_fail(result, ECL_EINPUT, "several-values",
                        "the file has several columns of readings, such as %s, and which of them "
                        "is a row's reading is not known: leave the others out, or give each a row "
                        "of its own",
                        name_of(layout, value->index, p));
    }
    value = flow;
    layout->value_column = value->index;
    layout->unit = ecl_unit_name(value->header_unit);
    layout->channel = channel_of(layout, value);
    if (value->header_unit == ECL_UNIT_KVARH && !layout->channel) {
        layout->channel = "RI";
    }
    take_extras(layout, columns, value, meter);
    tell_not_read(layout, columns, value, meter, p);
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        /* "Meter Units,Consumption,KWH": m3 is the unit of what the meter counts */
        if (column->index == layout->unit_column && column->units == column->volumes &&
            value->header_unit == ECL_UNIT_KWH) {
            layout->unit_column = -1;
        }
    }
    return APR_SUCCESS;
}
