/*
 * What each column is for. Names give candidates, cells decide between them: in several suppliers'
 * files the column called "Site Id" or "Meter Name" holds the MPAN and the one called MPAN does
 * not.
 */
#include "layout_columns.h"
#include "meter_day.h"
#include "marked.h"

#define RANK_OF_ID 7 /* the role's least telling name */

/* How well a column's name fits for dates; 0: not at all. Of two that hold dates the one that says
 * "start" is the surer one. */
static int date_rank(const ecl_column_t *column)
{
    switch (column->role) {
    case ECL_ROLE_START:
        return 4;
    case ECL_ROLE_DATE:
        return 3;
    case ECL_ROLE_END:
        return 2;
    case ECL_ROLE_TIME:
    case ECL_ROLE_PERIOD:
        return 1;
    default:
        return 0;
    }
}

/* AI, AE, RI or RE, or words that have import or export. */
static int is_quantity(ecl_field_t cell)
{
    const char *channel = ecl_channel_of(cell.text, cell.length);
    char word[ECL_WORD_MAX];

    if (!channel || channel == ecl_channel_own || !channel[0]) {
        return 0;
    }
    return (cell.length == 2 && strchr("AR", cell.text[0]) && strchr("IE", cell.text[1])) ||
           (ecl_word_fold(cell.text, cell.length, word) &&
            (strstr(word, "import") || strstr(word, "export")));
}

/* "24 Hr Active Import Register (kWh)", where others have "Active Import Interval (kWh)". */
static int says_register(const ecl_column_t *column, ecl_field_t cell)
{
    char word[ECL_WORD_MAX];

    return (column->role == ECL_ROLE_TYPE || column->role == ECL_ROLE_CHANNEL) &&
           ecl_word_fold(cell.text, cell.length, word) && strstr(word, "register");
}

static void look_at_cell(ecl_column_t *column, ecl_field_t cell)
{
    char identifier[ECL_METER_MAX];
    ecl_meter_kind_t kind;
    ecl_datetime_t stamp;
    ecl_decimal_t value;
    ecl_marked_t marked;
    ecl_unit_t unit;
    char flag = ecl_flag_of(cell.text, cell.length);

    column->cells++;
    column->mpans += ecl_meter_is_mpan(cell.text, cell.length);
    column->damaged += column->role == ECL_ROLE_METER && ecl_meter_was_mpan(cell.text, cell.length);
    if (ecl_meter_parse(cell.text, cell.length, identifier, &kind) == ECL_METER_OK) {
        column->mprns += kind == ECL_METER_MPRN;
    }
    if (ecl_layout_is_date(cell, &stamp)) {
        column->dates++;
        column->stamps += stamp.has_time && (stamp.minute || stamp.second);
    } else if (date_rank(column) && ecl_serial_parse_unix(cell.text, cell.length, &stamp)) {
        column->dates++;
        column->stamps++;
        column->unix_times++;
    } else if (date_rank(column) && ecl_serial_parse(cell.text, cell.length, 0, &stamp)) {
        column->dates++;
        column->serials++;
        column->serial_times += stamp.has_time;
    } else {
        column->times +=
            ecl_datetime_parse(cell.text, cell.length, ECL_ORDER_DMY, &stamp) == ECL_DATETIME_OK;
    }
    if (column->role == ECL_ROLE_VALUE && ecl_marked_split(cell, &marked)) {
        cell = marked.number;
    }
    if (ecl_decimal_parse(cell.text, cell.length, '.', &value) == ECL_DECIMAL_OK ||
        ecl_decimal_parse(cell.text, cell.length, ',', &value) == ECL_DECIMAL_OK) {
        column->numbers++;
        column->periods += value >= ECL_DECIMAL_ONE && value <= 50 * ECL_DECIMAL_ONE &&
                           value % ECL_DECIMAL_ONE == 0;
        column->zeros += !value;
        column->forty_eights += value == 48 * ECL_DECIMAL_ONE;
        column->last_periods += value >= 47 * ECL_DECIMAL_ONE && value <= 50 * ECL_DECIMAL_ONE &&
                                value % ECL_DECIMAL_ONE == 0;
        column->codes += value >= ECL_DECIMAL_ONE && value <= 4 * ECL_DECIMAL_ONE &&
                         value % ECL_DECIMAL_ONE == 0;
        column->first_number = column->numbers > 1 ? column->first_number : value;
        column->varies |= value != column->first_number;
    }
    unit = ecl_unit_of(cell.text, cell.length);
    column->units += ecl_unit_is_known(unit);
    column->volumes += ecl_unit_is_volume(unit);
    column->powers += unit == ECL_UNIT_KW;
    column->is_reactive |= unit == ECL_UNIT_KVARH;
    column->channels += ecl_channel_of(cell.text, cell.length) != NULL;
    column->quantities += is_quantity(cell);
    column->registers += says_register(column, cell);
    column->flags += flag && flag != ECL_FLAG_OTHER;
}

static int is_blank(ecl_field_t cell)
{
    ecl_decimal_t value;

    return ecl_decimal_parse(cell.text, cell.length, '.', &value) == ECL_DECIMAL_IS_MISSING;
}

static int is_in_block(const ecl_layout_t *layout, int column)
{
    for (int i = 0; i < layout->value_count; i++) {
        if (layout->values[i].column == column || layout->values[i].flag_column == column) {
            return 1;
        }
    }
    return 0;
}

/* "End of report", "Grand Total,…": what its first cell says is nothing of that column. */
static int is_below_table(const ecl_record_t *record)
{
    int filled = 0;

    for (int i = 0; i < record->count && filled < 2; i++) {
        filled += record->fields[i].length > 0;
    }
    return filled < 2 ||
           (record->count && ecl_is_total(record->fields[0].text, record->fields[0].length));
}

static int is_same(ecl_field_t a, ecl_field_t b)
{
    return a.length == b.length && !memcmp(a.text, b.text, a.length);
}

/* Files that were put together have their header again among the rows: it says nothing of cells. */
static int is_header_again(const ecl_record_t *header, const ecl_record_t *record)
{
    int same = 0;

    while (same < header->count && is_same(header->fields[same], ecl_sample_cell(record, same))) {
        same++;
    }
    return same == header->count;
}

static void look(ecl_columns_t *columns, const ecl_layout_t *layout, const ecl_record_t *header,
                 const ecl_sample_t *sample, int from)
{
    columns->count = 0;
    for (int index = 0; index < header->count; index++) {
        const ecl_field_t *name = &header->fields[index];
        ecl_column_t *column;

        if (is_in_block(layout, index)) {
            continue;
        }
        column = &columns->all[columns->count++];
        *column = (ecl_column_t){.index = index};
        column->role = ecl_header_role(name->text, name->length, &column->rank, &column->is_utc);
        column->header_unit = ecl_unit_in_header(name->text, name->length);
        if (index == layout->parts.day) {
            column->role = ECL_ROLE_DATE;
        } else if (index == layout->parts.year || index == layout->parts.month) {
            column->role = ECL_ROLE_IGNORED;
        }
        /* "Active Import (kWh)": a name nobody has thought of, but it says what it holds; "Day
         * (kWh)" is no date */
        if ((column->role == ECL_ROLE_NONE || date_rank(column)) &&
            ecl_unit_is_known(column->header_unit)) {
            column->role = ECL_ROLE_VALUE;
            column->rank = 4;
            column->is_by_unit = 1;
        }
        /* "From Grid" */
        if (column->role == ECL_ROLE_NONE && column->header_unit != ECL_UNIT_OTHER &&
            ecl_grid_channel_of(name->text, name->length)) {
            column->role = ECL_ROLE_VALUE;
            column->rank = 4;
        }
        for (int i = from; i < sample->count; i++) {
            ecl_field_t cell = ecl_sample_cell(&sample->records[i], index);

            if (!is_blank(cell) && !is_below_table(&sample->records[i]) &&
                !is_header_again(header, &sample->records[i])) {
                look_at_cell(column, cell);
            }
        }
    }
}

static int most(int part, int whole)
{
    return whole > 0 && part * 2 > whole;
}

/* ---- choosing ----------------------------------------------------------------------------------
 */

static const ecl_column_t *best_named(const ecl_columns_t *columns, ecl_role_t role)
{
    const ecl_column_t *best = NULL;

    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        if (column->role == role && column->cells && (!best || column->rank < best->rank)) {
            best = column;
        }
    }
    for (int i = 0; i < columns->count && !best; i++) {
        if (columns->all[i].role == role) {
            best = &columns->all[i];
        }
    }
    return best;
}

/* Of MPANs that a spreadsheet has damaged: rows are to be refused for them, and not to be imported
 * under what stands beside them. */
static const ecl_column_t *damaged_meter(const ecl_columns_t *columns)
{
    for (int i = 0; i < columns->count; i++) {
        if (most(columns->all[i].damaged, columns->all[i].cells)) {
            return &columns->all[i];
        }
    }
    return NULL;
}

static const ecl_column_t *meter_by_content(const ecl_columns_t *columns)
{
    const ecl_column_t *best = NULL;

    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];
        int is_named = column->role == ECL_ROLE_METER;

        if (!most(column->mpans, column->cells) || column->role == ECL_ROLE_VALUE ||
            column->role == ECL_ROLE_TOTAL) {
            continue;
        }
        if (!best || (is_named && (best->role != ECL_ROLE_METER || column->rank < best->rank))) {
            best = column;
        }
    }
    return best;
}

/* 1 when rows have one name and different serial numbers: the name does not tell meters apart. */
static int has_more_serials(const ecl_sample_t *sample, int from, int name, int serial)
{
    for (int i = from; i < sample->count; i++) {
        ecl_field_t this_name = ecl_sample_cell(&sample->records[i], name);
        ecl_field_t this_serial = ecl_sample_cell(&sample->records[i], serial);

        for (int k = from; k < i && this_serial.length; k++) {
            if (is_same(ecl_sample_cell(&sample->records[k], name), this_name)) {
                ecl_field_t other = ecl_sample_cell(&sample->records[k], serial);

                if (other.length && !is_same(other, this_serial)) {
                    return 1;
                }
                break; /* the first of a name stands for all */
            }
        }
    }
    return 0;
}

/* A column called "Channel" with MPRNs. */
static const ecl_column_t *gas_channel(const ecl_columns_t *columns)
{
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        if (column->role == ECL_ROLE_CHANNEL && column->cells && column->mprns == column->cells) {
            return column;
        }
    }
    return NULL;
}

/* Where rows of one "Site Ref" have several sites, and those of a site one reference, the site
 * tells meters apart. A plain "Id" may be the row's own. */
static const ecl_column_t *finer_name(const ecl_columns_t *columns, const ecl_sample_t *sample,
                                      int from, const ecl_column_t *named)
{
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        if (column->role == ECL_ROLE_METER && column->rank < RANK_OF_ID && column != named &&
            column->cells && has_more_serials(sample, from, named->index, column->index) &&
            !has_more_serials(sample, from, column->index, named->index)) {
            named = column;
        }
    }
    return named;
}

static const ecl_column_t *choose_meter(const ecl_columns_t *columns, const ecl_sample_t *sample,
                                        int from)
{
    const ecl_column_t *best = meter_by_content(columns), *named, *serial;

    if (!best) {
        best = damaged_meter(columns);
    }
    if (best) {
        return best;
    }
    named = best_named(columns, ECL_ROLE_METER);
    if (named && named->rank < 2) {
        return named;
    }
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        if (column->role == ECL_ROLE_METER && column->cells && column->mprns == column->cells &&
            (!best || column->rank < best->rank)) {
            best = column;
        }
    }
    if (!best) {
        best = gas_channel(columns);
    }
    if (best) {
        return best;
    }
    if (named && named->cells) {
        named = finer_name(columns, sample, from, named);
    }
    /* a serial number says more about which meter it is than the name of a site */
    serial = best_named(columns, ECL_ROLE_SERIAL);
    if (!named || !serial || !serial->cells) {
        return named ? named : serial;
    }
    return named->rank < 5 && !has_more_serials(sample, from, named->index, serial->index) ? named
                                                                                           : serial;
}

static const ecl_column_t *choose_date(const ecl_columns_t *columns, const ecl_column_t *meter)
{
    const ecl_column_t *best = NULL;
    int best_score = 0;

    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];
        int rank = date_rank(column);
        int score = rank ? rank + 10 * most(column->dates, column->cells) : 0;

        /* beside "Local Time": it says everything */
        score += rank && column->is_utc && most(column->stamps, column->cells) ? 5 : 0;

        if (column != meter &&
            (score > best_score || (best && score == best_score && column->role == best->role &&
                                    column->rank < best->rank))) {
            best = column;
            best_score = score;
        }
    }
    if (best_score > 1) {
        return best;
    }
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        if (column->role == ECL_ROLE_NONE && column != meter &&
            most(column->dates, column->cells) && column->numbers < column->dates) {
            return column;
        }
    }
    return best;
}

/* How well a column without a name for times fits for them; 0: not at all. */
static int time_rank(const ecl_column_t *column)
{
    if (!most(column->times, column->cells)) {
        return 0;
    }
    switch (column->role) {
    case ECL_ROLE_START:
        return 3;
    case ECL_ROLE_PERIOD:
        return 2;
    case ECL_ROLE_NONE:
        return column->numbers ? 0 : 2; /* "0030" may be anything */
    case ECL_ROLE_END:
        return 1;
    default:
        return 0;
    }
}

/* "Interval": "60min" beside times that are complete, or one number of minutes for all rows. */
static int is_duration(const ecl_column_t *column, const ecl_column_t *date)
{
    return column->rank && column->cells > 1 &&
           ((date->stamps && !column->times) ||
            (column->numbers == column->cells && !column->varies));
}

/* Whole numbers up to 47 or 48, none of which has another meaning. */
static int holds_periods(const ecl_column_t *column)
{
    return column->cells && column->periods + column->zeros == column->cells &&
           column->last_periods && column->periods > column->last_periods;
}

/* "Interval", "Slot": 1 … 48, where others have times. */
static int is_numbered(const ecl_column_t *column)
{
    return column->role == ECL_ROLE_TIME && column->rank && holds_periods(column);
}

/* The column of times beside a date: called so, or holding them. */
static const ecl_column_t *choose_time(const ecl_columns_t *columns, const ecl_column_t *date,
                                       const ecl_column_t *meter)
{
    const ecl_column_t *best = best_named(columns, ECL_ROLE_TIME);

    if (best && best != date && date &&
        (is_duration(best, date) || is_numbered(best) ||
         (date->stamps && most(best->stamps, best->cells)))) {
        best = NULL; /* "UTC Time,Local Time": the same again, and no part of it */
    }
    if ((best && best != date) || !date || date->stamps) {
        return best;
    }
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        if (column != date && column != meter &&
            time_rank(column) > (best && best != date ? time_rank(best) : 0)) {
            best = column;
        }
    }
    return best;
}

/* The column of settlement periods: called so, or, where nothing else says when within the day,
 * holding the whole numbers up to 47 or 48. */
static const ecl_column_t *choose_period(const ecl_columns_t *columns, const ecl_column_t *date,
                                         const ecl_column_t *meter)
{
    const ecl_column_t *named = best_named(columns, ECL_ROLE_PERIOD);

    if (named || !date || date->stamps) {
        return named;
    }
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];

        if (column != date && column != meter &&
            ((column->role == ECL_ROLE_NONE && holds_periods(column)) || is_numbered(column))) {
            return column;
        }
    }
    return NULL;
}

static int counts_from_0(const ecl_column_t *period)
{
    /* a 0 may be a mistake; where periods are counted from it, 48 is rare */
    return period->zeros > period->forty_eights;
}

/* Beside stamps that have times: whether these are the starts of the periods, of the same day.
 * Where they are not, as where they end them or are of another zone, the stamp says when, by
 * itself. */
static int are_periods_of(const ecl_column_t *period, const ecl_column_t *date,
                          const ecl_sample_t *sample, int from)
{
    int fit = 0, others = 0;

    for (int i = from; i < sample->count; i++) {
        ecl_field_t when = ecl_sample_cell(&sample->records[i], date->index);
        ecl_field_t number = ecl_sample_cell(&sample->records[i], period->index);
        ecl_datetime_t stamp;
        ecl_decimal_t value;

        if (ecl_layout_is_date(when, &stamp) && stamp.has_time &&
            ecl_decimal_parse(number.text, number.length, '.', &value) == ECL_DECIMAL_OK) {
            int is_start = value / ECL_DECIMAL_ONE - !counts_from_0(period) == stamp.minute / 30;

            fit += is_start;
            others += !is_start;
        }
    }
    return !date->stamps || fit >= others;
}

/* Where a date has no time, and no other column has times or settlement periods: that of hours. */
static void take_hour(ecl_layout_t *layout, const ecl_column_t *date, const ecl_column_t *time,
                      const ecl_column_t *period, const ecl_sample_t *sample, int from)
{
    ecl_parts_t *parts = &layout->parts;

    if (layout->kind == ECL_LAYOUT_WIDE || !date || date->stamps) {
        return;
    }
    ecl_parts_find_hour(layout, sample, from);
    if (parts->hour < 0 || parts->hour == date->index ||
        (time && time != date && time->index != parts->hour && time->times) ||
        (period && period != date && period->index != parts->hour && period->cells)) {
        parts->hour = parts->minute = -1;
        return;
    }
    layout->time_column = parts->hour;
    layout->period_column = -1;
}

/* What "Type", "Data Type", "Read Type" is about. */
static ecl_role_t settle_type(const ecl_column_t *column)
{
    if (column->role != ECL_ROLE_TYPE) {
        return column->role;
    }
    if (column->flags && column->flags >= column->channels) {
        return ECL_ROLE_FLAG;
    }
    if (column->is_reactive || column->channels > column->units) {
        return ECL_ROLE_CHANNEL;
    }
    if (column->units) {
        return ECL_ROLE_UNIT;
    }
    return column->rank == 1 ? ECL_ROLE_FLAG : ECL_ROLE_NONE;
}

static int index_of(const ecl_column_t *column)
{
    return column ? column->index : -1;
}

/* A column of channels holds words; where it holds identifiers or nothing, its name misleads, and
 * where it has one number for all rows, it says nothing. Numbers that differ keep rows apart: they
 * must be known, or fail the rows. */
static int is_channel(const ecl_column_t *column)
{
    return column && column->cells && !most(column->mpans, column->cells) &&
           (column->channels || !most(column->numbers, column->cells) || column->varies ||
            column->rank == 1);
}

/* Under a name that nobody knows: nothing but AI, AE, RI, RE and the like, or but units. */
static const ecl_column_t *mark_by_content(const ecl_columns_t *columns, ecl_role_t role)
{
    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];
        int cells = role == ECL_ROLE_CHANNEL ? column->quantities : column->units;

        if (column->role == ECL_ROLE_NONE && column->cells && cells == column->cells) {
            return column;
        }
    }
    return NULL;
}

static void take_marks(ecl_layout_t *layout, ecl_columns_t *columns, const ecl_column_t *meter)
{
    const ecl_column_t *channel, *unit;

    for (int i = 0; i < columns->count; i++) {
        columns->all[i].role = settle_type(&columns->all[i]);
    }
    channel = best_named(columns, ECL_ROLE_CHANNEL);
    channel = channel ? channel : mark_by_content(columns, ECL_ROLE_CHANNEL);
    unit = best_named(columns, ECL_ROLE_UNIT);
    unit = unit ? unit : mark_by_content(columns, ECL_ROLE_UNIT);
    layout->channel_column = channel != meter && is_channel(channel) ? channel->index : -1;
    /* "Imp / Exp": its numbers are directions */
    layout->channels_are_codes =
        layout->channel_column >= 0 && channel->rank == 1 && channel->codes == channel->cells;
    layout->unit_column = index_of(unit);
    layout->power_is_beside = unit && unit->powers && unit->powers < unit->units;
    layout->flag_column = index_of(best_named(columns, ECL_ROLE_FLAG));
}

/* A register's reads of each day: the column that says so; NULL: none does. */
static const ecl_column_t *register_of_days(const ecl_columns_t *columns, const ecl_column_t *date)
{
    for (int i = 0; i < columns->count && date && !date->stamps; i++) {
        if (most(columns->all[i].registers, columns->all[i].cells)) {
            return &columns->all[i];
        }
    }
    return NULL;
}

/* ---- the header as a whole ---------------------------------------------------------------------
 */

#define FOUND(found, role) (((found) >> (role)) & 1u)

/* "Generation", "Exported": beside a date they name readings. */
static int names_channel(const ecl_record_t *record)
{
    for (int i = 0; i < record->count; i++) {
        if (ecl_layout_names_channel(record->fields[i].text, record->fields[i].length)) {
            return 1;
        }
    }
    return 0;
}

int ecl_layout_score_header(const ecl_record_t *record, unsigned *pfound, int *pis_wide)
{
    ecl_series_t series[ECL_SERIES_MAX];
    int count = ecl_series_find(record, series, ECL_SERIES_MAX);
    unsigned found = 0;
    int has_date, has_value, interval, score = 0;

    *pis_wide = 0;
    for (int i = 0; i < count; i++) {
        *pis_wide = *pis_wide || ecl_series_form(&series[i], &interval) != ECL_SERIES_NONE;
    }
    for (int i = 0; i < record->count; i++) {
        int rank, is_utc;
        ecl_role_t role =
            ecl_header_role(record->fields[i].text, record->fields[i].length, &rank, &is_utc);
        ecl_unit_t unit;

        if (role == ECL_ROLE_NONE) {
            unit = ecl_unit_in_header(record->fields[i].text, record->fields[i].length);
            if (ecl_unit_is_known(unit) ||
                ecl_grid_channel_of(record->fields[i].text, record->fields[i].length)) {
                role = ECL_ROLE_VALUE;
            }
        }
        found |= 1u << role;
    }
    found |= ecl_parts_has_date(record) ? 1u << ECL_ROLE_DATE : 0;
    found |= FOUND(found, ECL_ROLE_DATE) && names_channel(record) ? 1u << ECL_ROLE_VALUE : 0;
    found &= ~(1u << ECL_ROLE_NONE);
    has_date = FOUND(found, ECL_ROLE_DATE) || FOUND(found, ECL_ROLE_START) ||
               FOUND(found, ECL_ROLE_END) || FOUND(found, ECL_ROLE_TIME) ||
               FOUND(found, ECL_ROLE_PERIOD);
    has_value = FOUND(found, ECL_ROLE_VALUE) || FOUND(found, ECL_ROLE_TOTAL);
    *pfound = found;
    for (unsigned role = 0; role <= ECL_ROLE_IGNORED; role++) {
        score += FOUND(found, role) ? 10 : 0;
    }
    if (*pis_wide) {
        return 1000 + score;
    }
    return (has_date || FOUND(found, ECL_ROLE_METER)) && has_value ? score : 0;
}

/* Columns that hold numbers, or nothing yet, and have no part in the table that is known. */
static int list_numbers(const ecl_layout_t *layout, const ecl_columns_t *columns, int list[])
{
    int count = 0;

    for (int i = 0; i < columns->count; i++) {
        const ecl_column_t *column = &columns->all[i];
        int index = column->index;

        if (index != layout->date_column && index != layout->time_column &&
            index != layout->period_column && index != layout->serial_column &&
            index != layout->unit_column && index != layout->channel_column &&
            index != layout->flag_column && !ecl_parts_has(layout, index) && !date_rank(column) &&
            column->role != ECL_ROLE_FLAG &&
            (column->cells ? most(column->numbers, column->cells) : layout->names[index][0] != 0)) {
            list[count++] = index;
        }
    }
    return count;
}

/* A column per meter, where no column names meters; else the one column of values. */
static apr_status_t take_readings(ecl_layout_t *layout, const ecl_attempt_t *attempt,
                                  const ecl_columns_t *columns, const ecl_column_t *meter,
                                  apr_pool_t *scratch, apr_pool_t *p, ecl_result_t *result)
{
    apr_status_t status = APR_SUCCESS;

    if (!meter && layout->date_column >= 0) {
        int *list = apr_palloc(scratch, (apr_size_t)(columns->count + 1) * sizeof(int));
        int count = list_numbers(layout, columns, list);

        status = ecl_layout_take_meters(layout, attempt, list, count, scratch, p, result);
    }
    if (status == APR_SUCCESS && !layout->meter_count) {
        status = ecl_layout_take_value(layout, columns, meter, p, result);
    }
    return status;
}

apr_status_t ecl_layout_take_columns(ecl_layout_t *layout, const ecl_attempt_t *attempt,
                                     apr_pool_t *scratch, apr_pool_t *p, ecl_result_t *result)
{
    const ecl_sample_t *sample = &attempt->sample;
    const ecl_record_t *header = &sample->records[attempt->header];
    int from = attempt->first + attempt->label_lines;
    ecl_columns_t *columns = apr_palloc(scratch, sizeof(ecl_columns_t));
    const ecl_column_t *meter, *date, *time, *period, *registers;
    apr_status_t status;

    columns->all = apr_palloc(scratch, (apr_size_t)(header->count + 1) * sizeof(ecl_column_t));
    look(columns, layout, header, sample, from);
    meter = choose_meter(columns, sample, from);
    date = choose_date(columns, meter);
    time = choose_time(columns, date, meter);
    period = choose_period(columns, date, meter);
    if (period && date && period != date && !are_periods_of(period, date, sample, from)) {
        period = NULL;
    }
    layout->meter_column = index_of(meter);
    layout->serial_column = index_of(best_named(columns, ECL_ROLE_SERIAL));
    layout->date_column = index_of(date);
    layout->time_column = time != date ? index_of(time) : -1;
    layout->period_column =
        period != date && period != meter && layout->time_column < 0 ? index_of(period) : -1;
    take_hour(layout, date, time, period, sample, from);
    layout->first_period = period && counts_from_0(period) ? 0 : 1;
    layout->total_column = index_of(best_named(columns, ECL_ROLE_TOTAL));
    if (date && date->unix_times) {
        layout->serial_dates = ECL_SERIAL_DATES_UNIX;
    } else if (date && date->serials) {
        layout->serial_dates = date->serial_times ? ECL_SERIAL_DATES_TIMES : ECL_SERIAL_DATES_DAYS;
    }
    layout->times_are_utc = date && (date->is_utc || (time && time->is_utc));
    layout->times_are_local = layout->kind == ECL_LAYOUT_WIDE && date && !layout->times_are_utc &&
                              ecl_name_says_local(header->fields[layout->date_column].text,
                                                  header->fields[layout->date_column].length);
    if (date && date->role == ECL_ROLE_END) {
        layout->labels_are_ends = 1;
    }
    registers =
        layout->kind != ECL_LAYOUT_WIDE && layout->time_column < 0 && layout->period_column < 0
            ? register_of_days(columns, date)
            : NULL;
    if (registers) {
        return ecl_fail(
            result, ECL_EINPUT, "cumulative-totals",
            "column %s says that these are a register's reads of each day, and not what "
            "was used from one to the next: export the consumption (intervals)",
            layout->names[registers->index]);
    }
    take_marks(layout, columns, meter);
    if (layout->kind != ECL_LAYOUT_WIDE) {
        status = take_readings(layout, attempt, columns, meter, scratch, p, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (layout->total_column == layout->value_column) {
            layout->total_column = -1;
        }
    } else {
        layout->time_column = layout->period_column = -1;
    }
    if (!date) {
        return ecl_fail(result, ECL_EINPUT, "no-date-column",
                        "the file has no column of dates: expected one such as Date, Reading Date "
                        "or Timestamp");
    }
    return APR_SUCCESS;
}
