/*
 * What the sample's cells show whatever their columns are called: rows, dates and the order of
 * their parts, the decimal sign.
 */
#include "../lib/utf8.h"
#include "layout_internal.h"
#include "marked.h"

int ecl_layout_looks_like_row(const ecl_record_t *record)
{
    int dates = 0, numbers = 0;

    for (int c = 0; c < record->count && !(dates && numbers); c++) {
        ecl_field_t cell = record->fields[c];
        ecl_datetime_t stamp;
        ecl_decimal_t value;

        if (ecl_decimal_parse(cell.text, cell.length, '.', &value) == ECL_DECIMAL_OK) {
            numbers++;
        } else {
            dates += ecl_layout_is_date(cell, &stamp);
        }
    }
    return dates && numbers;
}

int ecl_layout_is_date(ecl_field_t cell, ecl_datetime_t *pstamp)
{
    for (int order = ECL_ORDER_SURELY_DMY; order <= ECL_ORDER_SURELY_YMD; order++) {
        if (ecl_datetime_parse(cell.text, cell.length, (ecl_date_order_t)order, pstamp) ==
                ECL_DATETIME_OK &&
            pstamp->has_date) {
            return 1;
        }
    }
    return 0;
}

/* ---- what the cells show -----------------------------------------------------------------------
 */

void ecl_layout_compare_orders(ecl_field_t cell, ecl_order_proof_t *proof)
{
    ecl_datetime_t dmy, mdy;
    int is_dmy = ecl_datetime_parse(cell.text, cell.length, ECL_ORDER_DMY, &dmy) == ECL_DATETIME_OK;
    int is_mdy = ecl_datetime_parse(cell.text, cell.length, ECL_ORDER_MDY, &mdy) == ECL_DATETIME_OK;

    proof->only_dmy += is_dmy && !is_mdy;
    proof->only_mdy += is_mdy && !is_dmy;
    proof->either += is_dmy && is_mdy && dmy.date != mdy.date;
}

/* How many rows have the date before or after the one of the row above them. */
static int count_steps(const ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                       ecl_date_order_t order)
{
    ecl_datetime_t stamp;
    ecl_date_t last = 0;
    int steps = 0;

    for (int i = from; i < sample->count; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], layout->date_column);

        if (ecl_datetime_parse(cell.text, cell.length, order, &stamp) == ECL_DATETIME_OK &&
            stamp.has_date) {
            steps += stamp.date == last + 1 || stamp.date == last - 1;
            last = stamp.date;
        }
    }
    return steps;
}

/* "23-09-01" */
static apr_status_t take_two_digit_years(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                         ecl_result_t *result)
{
    const ecl_record_t *ambiguous = NULL;
    ecl_field_t cell = {"", 0};
    ecl_datetime_t stamp;
    int dmy, ymd;

    for (int i = from; i < sample->count && !ambiguous; i++) {
        cell = ecl_sample_cell(&sample->records[i], layout->date_column);
        if (ecl_datetime_parse(cell.text, cell.length, layout->date_order, &stamp) ==
            ECL_DATETIME_AMBIGUOUS) {
            ambiguous = &sample->records[i];
        }
    }
    if (!ambiguous) {
        return APR_SUCCESS;
    }
    dmy = count_steps(layout, sample, from, ECL_ORDER_SURELY_DMY);
    ymd = count_steps(layout, sample, from, ECL_ORDER_SURELY_YMD);
    layout->date_order_is_open = 0;
    layout->date_order = ymd ? ECL_ORDER_SURELY_YMD : ECL_ORDER_SURELY_DMY;
    if (!dmy != !ymd) {
        return APR_SUCCESS;
    }
    return ecl_fail(result, ECL_EINPUT, "date-order-open",
                    "\"%.*s\" on line %" APR_INT64_T_FMT " may begin with the day or with the "
                    "year, and the file's other dates do not show which",
                    (int)(cell.length < 40 ? cell.length : 40), cell.text, ambiguous->line);
}

/* Whether dates that read either way follow each other day by day as month/day, and never as
 * day/month: "03/02/2026", "03/03/2026", "03/04/2026". Single values of the first of each month do,
 * too: a date must have several rows, or half-hours beside it. */
static int follow_as_mdy(const ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    ecl_datetime_t dmy, mdy;
    ecl_date_t last_dmy = 0, last_mdy = 0;
    int steps = 0, same = layout->kind == ECL_LAYOUT_WIDE;

    for (int i = from; i < sample->count; i++) {
        ecl_field_t cell = ecl_sample_cell(&sample->records[i], layout->date_column);

        if (ecl_datetime_parse(cell.text, cell.length, ECL_ORDER_DMY, &dmy) != ECL_DATETIME_OK ||
            ecl_datetime_parse(cell.text, cell.length, ECL_ORDER_MDY, &mdy) != ECL_DATETIME_OK) {
            last_dmy = last_mdy = 0;
            continue;
        }
        if (last_dmy && (dmy.date == last_dmy + 1 || dmy.date == last_dmy - 1)) {
            return 0;
        }
        same |= last_dmy && dmy.date == last_dmy;
        steps += last_mdy && (mdy.date == last_mdy + 1 || mdy.date == last_mdy - 1);
        last_dmy = dmy.date;
        last_mdy = mdy.date;
    }
    return steps > 1 && same;
}

apr_status_t ecl_layout_take_date_order(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                                        ecl_result_t *result)
{
    ecl_order_proof_t proof = {0, 0, 0};
    const char *given = layout->given.date_order;

    if (given) {
        layout->date_order = !strcmp(given, "dmy")   ? ECL_ORDER_SURELY_DMY
                             : !strcmp(given, "mdy") ? ECL_ORDER_SURELY_MDY
                                                     : ECL_ORDER_SURELY_YMD;
        return APR_SUCCESS;
    }
    for (int i = from; i < sample->count; i++) {
        ecl_layout_compare_orders(ecl_sample_cell(&sample->records[i], layout->date_column),
                                  &proof);
    }
    layout->date_order = proof.only_mdy && !proof.only_dmy ? ECL_ORDER_MDY : ECL_ORDER_DMY;
    layout->date_order_is_open = proof.either && !proof.only_dmy && !proof.only_mdy;
    layout->dates_follow_as_mdy =
        proof.either && !proof.only_mdy && follow_as_mdy(layout, sample, from);
    if (layout->dates_follow_as_mdy && proof.only_dmy) {
        return ecl_fail(result, ECL_EINPUT, "dates-mixed",
                        "some dates can only be day/month, and others follow each other day by day "
                        "only as month/day: a spreadsheet has turned some of them round. Upload "
                        "the file as it came, not as it was saved again");
    }
    return take_two_digit_years(layout, sample, from, result);
}

/* What the commas and points in values show. */
typedef struct separators_t {
    int commas, points; /* that can only be decimal: "0,25", "1.234,5" */
    int groups;         /* "1,234": decimal, or between thousands */
    int point_groups;   /* "1.234" */
    int ungrouped;      /* "1234": no thousands are set apart */
} separators_t;

static void look_at_separators(separators_t *seen, ecl_field_t cell)
{
    const char *point, *comma;
    apr_size_t after;
    ecl_decimal_t value;
    ecl_marked_t marked;

    if (ecl_marked_split(cell, &marked)) {
        cell = marked.number;
    }
    while (cell.length &&
           (cell.text[cell.length - 1] == ' ' || (cell.text[cell.length - 1] | 0x20) >= 'a')) {
        cell.length--; /* "0,4 kWh" */
    }
    /* the point of a word such as "n.a." says nothing */
    if (ecl_decimal_parse(cell.text, cell.length, '.', &value) == ECL_DECIMAL_BAD &&
        ecl_decimal_parse(cell.text, cell.length, ',', &value) == ECL_DECIMAL_BAD) {
        return;
    }
    point = memchr(cell.text, '.', cell.length);
    comma = memchr(cell.text, ',', cell.length);
    if (point && comma) {
        seen->commas += comma > point;
        seen->points += point > comma;
        return;
    }
    if (!comma) {
        /* "1.234" is a thousand beside "0,5" */
        int is_group = point && cell.text[0] != '0' && point > cell.text &&
                       point - cell.text <= 3 && point + 4 == cell.text + cell.length;

        seen->point_groups += is_group;
        seen->points += point && !is_group;
        seen->ungrouped += cell.length > 3 && strspn(cell.text, "0123456789") == cell.length;
        return;
    }
    after = cell.length - (apr_size_t)(comma + 1 - cell.text);
    if (comma == cell.text || !after || strspn(comma + 1, "0123456789") != after) {
        return;
    }
    if (after == 3 && cell.text[0] != '0' && comma - cell.text <= 3) {
        seen->groups++;
    } else {
        seen->commas++;
    }
}

/* ---- flags beside values -----------------------------------------------------------------------
 */

#define MARKS_SHOWN 4

typedef struct marks_t {
    int before, after, exponents, count;
    ecl_field_t shown[MARKS_SHOWN]; /* each once */
} marks_t;

static void look_at_marks(marks_t *marks, char point, ecl_field_t cell)
{
    ecl_decimal_t value;
    ecl_marked_t marked;
    int i = 0;

    if (ecl_decimal_parse(cell.text, cell.length, point, &value) != ECL_DECIMAL_BAD) {
        marks->exponents +=
            memchr(cell.text, 'E', cell.length) || memchr(cell.text, 'e', cell.length);
        return;
    }
    if (!ecl_marked_split(cell, &marked) ||
        ecl_marked_parse(cell, point, &value) == ECL_DECIMAL_BAD) {
        return;
    }
    marks->before += marked.is_before;
    marks->after += !marked.is_before;
    while (i < marks->count &&
           (marks->shown[i].length != marked.mark.length ||
            memcmp(marks->shown[i].text, marked.mark.text, marked.mark.length))) {
        i++;
    }
    if (i == marks->count && i < MARKS_SHOWN) {
        marks->shown[marks->count++] = marked.mark;
    }
}

void ecl_layout_take_marks(ecl_layout_t *layout, const ecl_sample_t *sample, int from,
                           apr_pool_t *p)
{
    marks_t marks = {0};

    for (int i = from; i < sample->count; i++) {
        for (int v = 0; v < ecl_layout_value_columns(layout); v++) {
            look_at_marks(&marks, layout->decimal_point,
                          ecl_sample_cell(&sample->records[i], ecl_layout_value_column(layout, v)));
        }
    }
    for (int i = 0; i < marks.count; i++) {
        layout->marks = apr_psprintf(
            p, "%s%s%.*s", i ? layout->marks : "", i ? ", " : "",
            ECL_CUT(20, apr_pstrmemdup(p, marks.shown[i].text, marks.shown[i].length)));
    }
    layout->marks_are_before =
        layout->given.is_read_as ? layout->given.marks_are_before : marks.before > marks.after;
    layout->has_exponents =
        layout->given.is_read_as ? layout->given.has_exponents : marks.exponents > 0;
}

char ecl_layout_decimal_point(ecl_layout_t *layout, const ecl_sample_t *sample, int from)
{
    separators_t seen = {0};

    for (int i = from; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];

        if (record->count && ecl_is_total(record->fields[0].text, record->fields[0].length)) {
            continue;
        }
        for (int v = 0; v < ecl_layout_value_columns(layout); v++) {
            look_at_separators(&seen, ecl_sample_cell(record, ecl_layout_value_column(layout, v)));
        }
    }
    if (seen.points && seen.points >= seen.commas) {
        return '.';
    }
    /* semicolons separate cells where the comma is needed for numbers */
    if (seen.commas ||
        (seen.groups && !seen.point_groups && (layout->delimiter == ';' || seen.ungrouped))) {
        return ',';
    }
    layout->commas_are_groups = seen.groups > 0;
    return '.';
}
