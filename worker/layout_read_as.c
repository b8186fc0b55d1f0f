/*
 * A file of rejected rows, corrected: it must be read as the file that its rows are from. A few
 * rows do not show what the whole file did (that times end their half-hours, that readings are five
 * minutes apart), and have nothing of what stood outside its table. So each rejected row gets cells
 * behind its own: the channel and the meter where no column names them, and in a column "Read as"
 * what else the file was read by, as "interval=30 labels=end timezone=UTC". A row of a time that
 * the clock shows twice has one word more, which tells the two apart: "hour=second".
 */
#include "../lib/options.h"
#include "../lib/utf8.h"
#include "layout_internal.h"

static const char name_of_column[] = "Read as";
static const char *const hours[] = {NULL, " hour=first", " hour=second"};

/* ---- writing -----------------------------------------------------------------------------------
 */

static const char *order_words(const ecl_layout_t *layout)
{
    switch (layout->date_order) {
    case ECL_ORDER_MDY:
    case ECL_ORDER_SURELY_MDY:
        return " date_order=mdy";
    case ECL_ORDER_SURELY_DMY:
        return " date_order=dmy";
    case ECL_ORDER_SURELY_YMD:
        return " date_order=ymd";
    default:
        return ""; /* what is taken of dates that show nothing */
    }
}

static const char *zone_words(const ecl_layout_t *layout, apr_pool_t *p)
{
    if (layout->kind == ECL_LAYOUT_DAILY) {
        return "";
    }
    if (layout->given.timezone) {
        return apr_pstrcat(p, " timezone=", layout->given.timezone, NULL);
    }
    if (layout->times_are_utc) {
        return " timezone=UTC";
    }
    /* a few rows could otherwise show another zone than their file did */
    if (layout->kind == ECL_LAYOUT_WIDE) {
        return layout->times_are_local || layout->rows_are_whole ? " timezone=local" : "";
    }
    return layout->period_column < 0 ? " timezone=local" : "";
}

static const char *read_as(const ecl_layout_t *layout, apr_pool_t *p)
{
    const char *text = "";

    if (layout->kind != ECL_LAYOUT_WIDE && layout->period_column < 0) {
        text = apr_psprintf(p, " interval=%d", layout->interval_minutes);
    }
    if (layout->period_column >= 0 && !layout->first_period) {
        text = " first_period=0";
    }
    if (layout->kind == ECL_LAYOUT_LONG && layout->period_column < 0 && !layout->parts.first_hour) {
        text = apr_pstrcat(p, text, layout->labels_are_ends ? " labels=end" : " labels=start",
                           layout->midnight_is_end ? " midnight=end" : "",
                           layout->labels_are_last    ? " last=minute"
                           : layout->day_ends_at_2359 ? " last=23:59"
                                                      : "",
                           NULL);
    }
    if (layout->kind == ECL_LAYOUT_DAILY && layout->labels_are_last) {
        text = apr_pstrcat(p, text, " last=minute", NULL);
    }
    if (layout->parts.hour >= 0) {
        text = apr_pstrcat(p, text, " hours=",
                           layout->parts.hours_are_counted ? "counted"
                           : layout->parts.first_hour      ? "1"
                                                           : "0",
                           NULL);
    }
    text =
        apr_pstrcat(p, text, zone_words(layout, p),
                    layout->periods_are_clock ? " periods=clock" : "", order_words(layout), NULL);
    if (layout->decimal_point == ',' || layout->commas_are_groups) {
        text = apr_pstrcat(
            p, text, layout->decimal_point == ',' ? " decimal=comma" : " decimal=point", NULL);
    }
    text = apr_pstrcat(p, text, layout->marks_are_before ? " marks=before" : "",
                       layout->has_exponents ? " exponents=yes" : "", NULL);
    if (layout->serial_dates != ECL_SERIAL_DATES_NONE && layout->serials_are_1904) {
        text = apr_pstrcat(p, text, " serials=1904", NULL);
    }
    if (layout->given.unit && layout->unit_is_given) {
        text = apr_pstrcat(p, text, " unit=", layout->given.unit, NULL);
    }
    return *text ? text + 1 : NULL;
}

/* The channel of rows that do not name theirs; NULL: they do, or import is meant. */
static const char *channel_of_rows(const ecl_layout_t *layout)
{
    if (layout->added_channel) {
        return layout->added_channel;
    }
    return layout->given.channel && layout->channel_column < 0 && layout->block_count < 2 &&
                   !layout->extra_count && strcmp(layout->given.channel, "AI")
               ? layout->given.channel
               : NULL;
}

static void add(ecl_layout_t *layout, const char *name, const char *text)
{
    layout->added[layout->added_count][0] = name;
    layout->added[layout->added_count++][1] = text;
}

void ecl_layout_add_cells(ecl_layout_t *layout, apr_pool_t *p)
{
    const char *channel = channel_of_rows(layout), *how = read_as(layout, p);

    layout->added_count = 0;
    if (channel) {
        add(layout, "Channel", channel);
    }
    layout->added_always = layout->above ? layout->added_count : 0;
    if (layout->is_unit_open) {
        add(layout, "Unit", ECL_NOT_CLEAR);
    }
    if (layout->meter_column < 0 && layout->given.meter) {
        add(layout, "Meter", layout->is_meter_by_row ? "" : layout->given.meter);
        layout->added_always = layout->above ? layout->added_count : 0;
    }
    /* a corrected row that is rejected again has the cell already */
    if (how && !layout->given.is_read_as) {
        add(layout, name_of_column, how);
    }
}

const char *ecl_layout_hour_words(const ecl_layout_t *layout, ecl_hour_t hour)
{
    /* as above: without the column there is nothing to add it to, or the row has the word already
     */
    return layout->added_count && layout->read_as_column < 0 ? hours[hour] : NULL;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static apr_status_t refuse(const char *why, const char *text, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EINPUT, "bad-read-as",
                    "column \"%s\" %s (\"%.*s\"): it must be left as it was in the file of "
                    "rejected rows",
                    name_of_column, why, ECL_CUT(80, text));
}

static int take_interval(const char *value, ecl_given_t *given)
{
    static const int intervals[] = {5, 10, 15, 30, 60, 1440};
    apr_int64_t minutes;

    for (apr_size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
        if (ecl_parse_int64(value, intervals[i], intervals[i], &minutes)) {
            given->interval_minutes = intervals[i];
            return 1;
        }
    }
    return 0;
}

/* Takes an option, unless the user gave another: theirs goes before. */
static int take_option(int id, const char *value, const char **pgiven, apr_pool_t *p)
{
    ecl_result_t ignored = ecl_result_make(p);
    const char *kept;

    if (ecl_option_check(id, value, &kept, &ignored) != APR_SUCCESS || !kept) {
        return 0;
    }
    *pgiven = *pgiven ? *pgiven : kept;
    return 1;
}

static int take_word(ecl_layout_t *layout, const char *name, const char *value, apr_pool_t *p)
{
    ecl_given_t *given = &layout->given;
    int option = ecl_option_find(name);

    if (!strcmp(name, "interval")) {
        return take_interval(value, given);
    }
    if (!strcmp(name, "first_period")) {
        layout->first_period = 0;
        return !strcmp(value, "0");
    }
    if (!strcmp(name, "hours")) {
        given->hours = apr_pstrdup(p, value);
        return !strcmp(value, "0") || !strcmp(value, "1") || !strcmp(value, "counted");
    }
    if (!strcmp(name, "periods")) {
        return given->periods_are_clock = !strcmp(value, "clock");
    }
    if (!strcmp(name, "midnight")) {
        return given->midnight_is_end = !strcmp(value, "end");
    }
    if (!strcmp(name, "last")) {
        given->last = apr_pstrdup(p, value);
        return !strcmp(value, "minute") || !strcmp(value, "23:59");
    }
    if (!strcmp(name, "decimal")) {
        given->decimal_point = strcmp(value, "comma") ? '.' : ',';
        return given->decimal_point == ',' || !strcmp(value, "point");
    }
    if (!strcmp(name, "marks")) {
        return given->marks_are_before = !strcmp(value, "before");
    }
    if (!strcmp(name, "exponents")) {
        return given->has_exponents = !strcmp(value, "yes");
    }
    if (!strcmp(name, "serials")) {
        return layout->serials_are_1904 = !strcmp(value, "1904");
    }
    if (!strcmp(name, "timezone") && !strcmp(value, "local")) {
        return given->times_are_local = 1;
    }
    switch (option) {
    case ECL_OPTION_LABELS:
        return take_option(option, value, &given->labels, p);
    case ECL_OPTION_TIMEZONE:
        return take_option(option, value, &given->timezone, p);
    case ECL_OPTION_UNIT:
        return take_option(option, value, &given->unit, p);
    case ECL_OPTION_DATE_ORDER:
        return take_option(option, value, &given->date_order, p);
    default:
        return 0;
    }
}

static int is_the_column(const char *name)
{
    char word[ECL_WORD_MAX];

    return ecl_word_fold(name, strlen(name), word) && !strcmp(word, "readas");
}

static apr_size_t length_of_hour(const char *text)
{
    ecl_hour_t hour = ecl_layout_hour_of(text);

    return hour == ECL_HOUR_OPEN ? 0 : strlen(hours[hour]);
}

ecl_hour_t ecl_layout_hour_of(const char *read_as)
{
    apr_size_t length = strlen(read_as);

    for (int i = ECL_HOUR_FIRST; i <= ECL_HOUR_SECOND; i++) {
        apr_size_t end = strlen(hours[i]);

        if (length > end && !strcmp(read_as + length - end, hours[i])) {
            return (ecl_hour_t)i;
        }
    }
    return ECL_HOUR_OPEN;
}

apr_status_t ecl_layout_take_read_as(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                     apr_pool_t *p, ecl_result_t *result)
{
    const char *text = NULL;
    apr_size_t length = 0;
    char *words, *word, *state;
    int column = 0;

    while (column < layout->columns && !is_the_column(layout->names[column])) {
        column++;
    }
    for (int i = from; i < sample->count && column < layout->columns; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], column);

        if (!cell.length || is_the_column(cell.text)) {
            continue;
        }
        cell.length -= length_of_hour(cell.text);
        if (text && (cell.length != length || strncmp(text, cell.text, length))) {
            return refuse("differs from row to row: upload rows of different files apart",
                          cell.text, result);
        }
        text = cell.text;
        length = cell.length;
    }
    if (!text) {
        return APR_SUCCESS;
    }
    layout->read_as_column = column;
    layout->given.is_read_as = 1;
    words = apr_pstrmemdup(p, text, length);
    for (word = apr_strtok(words, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        char *value = strchr(word, '=');

        if (value) {
            *value++ = '\0';
        }
        if (!value || !take_word(layout, word, value, p)) {
            return refuse("is not understood", text, result);
        }
    }
    return APR_SUCCESS;
}
