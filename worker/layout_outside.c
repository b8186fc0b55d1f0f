/*
 * What is said outside the table: by the lines above it, and by the name of its sheet.
 */
#include "heading.h"
#include "layout_internal.h"

#include <apr_lib.h>
#include <apr_tables.h>

#include "meter.h"

#define TITLE_MAX 200 /* bytes of a line that is looked at for a meter's number among its words */
#define LONGEST_TITLE 1000
#define DIGITS_MIN 6 /* of an MPRN */

/* ---- channel ---------------------------------------------------------------------------------
 */

/* The text after "name:" in one cell; NULL: it is not of that form. */
static const char *after_colon(ecl_field_t cell, ecl_field_t *pname)
{
    const char *colon = memchr(cell.text, ':', cell.length);

    if (!colon) {
        return NULL;
    }
    *pname = (ecl_field_t){cell.text, (apr_size_t)(colon - cell.text)};
    return colon + 1;
}

static int names(ecl_field_t cell, ecl_role_t role, int ranks)
{
    int rank, is_utc;

    return cell.length && ecl_header_role(cell.text, cell.length, &rank, &is_utc) == role &&
           rank < ranks;
}

ecl_field_t ecl_layout_said_above(const ecl_record_t *record, ecl_role_t role, int ranks)
{
    for (int c = 0; c < record->count; c++) {
        ecl_field_t cell = record->fields[c], name;
        const char *value = after_colon(cell, &name);

        if (value && names(name, role, ranks) && value[strspn(value, " ")]) {
            return (ecl_field_t){value, strlen(value)};
        }
        if (!names(value ? name : cell, role, ranks)) {
            continue;
        }
        for (int next = c + 1; next < record->count; next++) {
            if (record->fields[next].length) {
                return record->fields[next];
            }
        }
    }
    return (ecl_field_t){"", 0};
}

/* A line's one text; empty: it has none, or several, or it is no title. */
static ecl_field_t title_of(const ecl_record_t *record)
{
    ecl_field_t title = {"", 0};

    for (int c = 0; c < record->count; c++) {
        if (record->fields[c].length && title.length) {
            return (ecl_field_t){"", 0};
        }
        title = record->fields[c].length ? record->fields[c] : title;
    }
    return title.length > LONGEST_TITLE ? (ecl_field_t){"", 0} : title;
}

/* A word up to a blank or the like, as a unit. */
static ecl_unit_t unit_at(ecl_field_t title, apr_size_t at)
{
    apr_size_t end = at;

    while (end < title.length && !strchr(" ,;.:)", title.text[end])) {
        end++;
    }
    return ecl_unit_of(title.text + at, end - at);
}

/* Of "All values in kW at Site in Hull", "Units MWh". */
static ecl_unit_t unit_in_words(ecl_field_t title)
{
    for (apr_size_t i = 0; i + 4 < title.length; i++) {
        if (!strncasecmp(title.text + i, " in ", 4) && ecl_unit_is_known(unit_at(title, i + 4))) {
            return unit_at(title, i + 4);
        }
    }
    return title.length > 6 && !strncasecmp(title.text, "units ", 6) ? unit_at(title, 6)
                                                                     : ECL_UNIT_NONE;
}

ecl_unit_t ecl_layout_title_unit(const ecl_record_t *record)
{
    ecl_field_t title = title_of(record);
    ecl_unit_t unit = unit_in_words(title);

    if (ecl_unit_is_known(unit)) {
        return unit;
    }
    return title.length &&
                   (title.text[title.length - 1] == ')' || title.text[title.length - 1] == ']')
               ? ecl_unit_in_header(title.text, title.length)
               : ECL_UNIT_NONE;
}

ecl_unit_t ecl_layout_stated_unit(const ecl_record_t *record)
{
    static const char *const words[] = {"value", "unit", "reading", "figure", "data"};
    static const char *const of_energy[] = {"energy", "consumption", "usage"};
    ecl_field_t title = title_of(record);
    ecl_unit_t unit = unit_in_words(title);
    int is_energy = unit == ECL_UNIT_WH || unit == ECL_UNIT_KWH || unit == ECL_UNIT_MWH;
    char word[ECL_WORD_MAX];

    if (!ecl_unit_is_known(unit) || !ecl_word_fold(title.text, title.length, word)) {
        return ECL_UNIT_NONE;
    }
    for (apr_size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(word, words[i])) {
            return unit;
        }
    }
    for (apr_size_t i = 0; i < sizeof(of_energy) / sizeof(of_energy[0]) && is_energy; i++) {
        if (strstr(word, of_energy[i])) {
            return unit;
        }
    }
    return ECL_UNIT_NONE;
}

ecl_unit_t ecl_layout_unit_in_line(const ecl_record_t *record, int *pis_title)
{
    ecl_field_t said = ecl_layout_said_above(record, ECL_ROLE_UNIT, 2), title = title_of(record);
    ecl_unit_t unit = ecl_unit_of(said.text, said.length);

    *pis_title = 0;
    if (!said.length || !ecl_unit_is_known(unit)) {
        unit = ecl_layout_stated_unit(record);
    }
    if (!ecl_unit_is_known(unit)) {
        unit = ecl_unit_of(title.text, title.length); /* "kVArh" */
    }
    if (!ecl_unit_is_known(unit)) {
        unit = ecl_layout_title_unit(record);
        *pis_title = 1;
    }
    return ecl_unit_is_known(unit) ? unit : ECL_UNIT_NONE;
}

const char *ecl_layout_channel_in_line(const ecl_record_t *record, int *pis_export)
{
    ecl_field_t value = ecl_layout_said_above(record, ECL_ROLE_CHANNEL, 2);
    ecl_field_t title = title_of(record);
    const char *channel;
    char word[ECL_WORD_MAX];

    *pis_export = 0;
    if (value.length) {
        return ecl_channel_of(value.text, value.length);
    }
    channel = ecl_channel_of(title.text, title.length);
    if (!channel || !channel[0] || !ecl_channel_has_direction(title.text, title.length)) {
        return NULL;
    }
    *pis_export = ecl_word_fold(title.text, title.length, word) &&
                  (!strcmp(word, "export") || !strcmp(word, "exp"));
    return *pis_export ? NULL : channel;
}

/* ---- meter ------------------------------------------------------------------------------------
 */

/* An MPAN or MPRN; meter is left as it is by anything else. */
static int is_point(ecl_field_t cell, char meter[ECL_METER_MAX])
{
    char found[ECL_METER_MAX];
    ecl_meter_kind_t kind;
    ecl_meter_status_t status = ecl_meter_parse(cell.text, cell.length, found, &kind);

    if ((status != ECL_METER_OK && status != ECL_METER_CHECK_DIGIT) || kind == ECL_METER_OTHER) {
        return 0;
    }
    memcpy(meter, found, sizeof(found));
    return 1;
}

/* "Report for MPAN 12 0003 4567 894 from 1 May": the digits behind a name of a meter point. */
static int take_mentioned(ecl_field_t title, char meter[ECL_METER_MAX])
{
    const char *end = title.text + title.length;
    int rank, is_utc;

    for (const char *number = title.text; title.length <= TITLE_MAX && number < end; number++) {
        apr_size_t digits = strspn(number, "0123456789 ");

        if (!apr_isdigit(*number)) {
            continue;
        }
        for (const char *name = title.text; digits >= DIGITS_MIN && name < number; name++) {
            if (apr_isalpha(*name) && (name == title.text || !apr_isalnum(name[-1])) &&
                ecl_header_role(name, (apr_size_t)(number - name), &rank, &is_utc) ==
                    ECL_ROLE_METER &&
                rank < 2 && is_point((ecl_field_t){number, digits}, meter)) {
                return 1;
            }
        }
        number += digits - 1;
    }
    return 0;
}

/* The MPAN or MPRN that a line names. */
static int take_meter(const ecl_record_t *record, char meter[ECL_METER_MAX])
{
    ecl_field_t value = ecl_layout_said_above(record, ECL_ROLE_METER, 2);
    ecl_field_t title = title_of(record);

    if (ecl_meter_is_mpan(title.text, title.length)) {
        return is_point(title, meter);
    }
    return (value.length && is_point(value, meter)) || take_mentioned(title_of(record), meter);
}

/* A meter's own number or name. It has a digit and no blank, as words that only describe the meter
 * have not. */
static int is_name(ecl_field_t value, char meter[ECL_METER_MAX])
{
    ecl_meter_kind_t kind;
    ecl_datetime_t stamp;

    while (value.length && value.text[0] == ' ') {
        value.text++;
        value.length--;
    }
    while (value.length && value.text[value.length - 1] == ' ') {
        value.length--;
    }
    if (!value.length || strcspn(value.text, "0123456789") >= value.length ||
        memchr(value.text, ' ', value.length) || ecl_layout_is_date(value, &stamp)) {
        return 0;
    }
    switch (ecl_meter_parse(value.text, value.length, meter, &kind)) {
    case ECL_METER_OK:
    case ECL_METER_CHECK_DIGIT:
    case ECL_METER_LENGTH:
        return 1;
    default:
        return 0;
    }
}

/* "Meter: E12A34567", "Meter Serial Number,E12A34567". */
static int take_name(const ecl_record_t *record, char meter[ECL_METER_MAX])
{
    return is_name(ecl_layout_said_above(record, ECL_ROLE_METER, 4), meter) ||
           is_name(ecl_layout_said_above(record, ECL_ROLE_SERIAL, 2), meter);
}

int ecl_layout_meter_in_line(const ecl_record_t *record, ecl_meter_above_t how,
                             char meter[ECL_METER_MAX])
{
    return how == ECL_METER_ABOVE_NAME ? take_name(record, meter) : take_meter(record, meter);
}

#define LONG_MPRN 9 /* fewer digits may be a date, or anything else */

const char *ecl_layout_meter_of_sheet(const char *sheet, apr_pool_t *p)
{
    ecl_heading_t heading;

    if (!sheet) {
        return NULL;
    }
    ecl_heading_read(&heading, (ecl_field_t){(char *)sheet, strlen(sheet)});
    return heading.is_identifier && heading.status == ECL_METER_OK &&
                   (heading.kind == ECL_METER_MPAN ||
                    (heading.kind == ECL_METER_MPRN && strlen(heading.name) >= LONG_MPRN))
               ? apr_pstrdup(p, heading.name)
               : NULL;
}

/* ---- channel by the sheet's name --------------------------------------------------------------
 */

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 1 when a name has that word, standing alone; letter case counts only for words in capitals. */
static int says(const char *name, const char *word)
{
    apr_size_t length = strlen(word);
    int is_exact = word[0] >= 'A' && word[0] <= 'Z';

    for (const char *at = name; *at; at++) {
        if ((at == name || !is_letter(at[-1])) && !is_letter(at[strnlen(at, length)]) &&
            !(is_exact ? strncmp(at, word, length) : strncasecmp(at, word, length))) {
            return 1;
        }
    }
    return 0;
}

int ecl_layout_says_import(const char *sheet)
{
    return says(sheet, "import");
}

static const char *channel_of_sheet(const char *sheet, int has_import)
{
    static const char *const codes[] = {"AI", "AE", "RI", "RE"};
    static const char *const others[] = {"kva", "kw", "lag", "lead", "max demand", "power factor"};
    int is_reactive = says(sheet, "reactive") || says(sheet, "kvarh");
    int is_active = says(sheet, "active") || says(sheet, "kwh");
    int is_export = says(sheet, "export") && (is_reactive || is_active || has_import);

    for (apr_size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (says(sheet, codes[i])) {
            return codes[i];
        }
    }
    if (is_reactive) {
        return is_export ? "RE" : "RI";
    }
    if (is_export) {
        return "AE";
    }
    if (ecl_channel_of(sheet, strlen(sheet)) == ecl_channel_own) {
        return ecl_channel_own;
    }
    if (says(sheet, "import")) {
        return "AI";
    }
    for (apr_size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (says(sheet, others[i])) {
            return "";
        }
    }
    return NULL;
}

const char *ecl_layout_channel_outside(const ecl_sample_t *sample, int header, const char *sheet,
                                       int has_import, const char **pwhere)
{
    *pwhere = "as said above the table";
    for (int i = header - 1; i >= 0; i--) {
        int is_export;
        const char *channel = ecl_layout_channel_in_line(&sample->records[i], &is_export);

        if (channel || (is_export && has_import)) {
            return channel ? channel : "AE";
        }
    }
    *pwhere = "by the sheet's name";
    return sheet ? channel_of_sheet(sheet, has_import) : NULL;
}

/* ---- the header for rejected rows -------------------------------------------------------------
 */

static const char *as_csv(const char *text, char delimiter, apr_pool_t *p)
{
    char *quoted, *at;

    if (!strchr(text, delimiter) && !strpbrk(text, "\"\r\n")) {
        return text;
    }
    quoted = at = apr_palloc(p, 2 * strlen(text) + 3);
    *at++ = '"';
    for (; *text; text++) {
        if (*text == '"') {
            *at++ = '"';
        }
        *at++ = *text;
    }
    *at++ = '"';
    *at = '\0';
    return quoted;
}

/* The block that a column has values of; NULL: none. */
static const ecl_value_block_t *block_of_column(const ecl_layout_t *layout, int column)
{
    for (int b = 0; b < layout->block_count; b++) {
        for (int i = 0; i < layout->blocks[b].count; i++) {
            if (layout->values[layout->blocks[b].first + i].column == column) {
                return &layout->blocks[b];
            }
        }
    }
    return NULL;
}

/* What a column of a table without a header is called when it is given one. */
static const char *made_name(const ecl_layout_t *layout, int column, apr_pool_t *p)
{
    for (int i = 0; i < layout->value_count; i++) {
        if (layout->values[i].column == column) {
            return apr_psprintf(p, "HH%02d", i + 1);
        }
        if (layout->values[i].flag_column == column) {
            return apr_psprintf(p, "HH%02d Flag", i + 1);
        }
    }
    return column == layout->value_column     ? "Value"
           : column == layout->time_column    ? "Time"
           : column == layout->flag_column    ? "Flag"
           : column == layout->meter_column   ? "Meter"
           : column == layout->date_column    ? "Date"
           : column == layout->unit_column    ? "Unit"
           : column == layout->channel_column ? "Channel"
           : column == layout->total_column   ? "Total"
                                              : apr_psprintf(p, "Column %d", column + 1);
}

/* The name of a meter's column where lines beside the header have a part in it. */
static const char *meter_heading(const ecl_layout_t *layout, int column, apr_pool_t *p)
{
    for (int i = 0; i < layout->meter_count && layout->meter_lines; i++) {
        const ecl_meter_column_t *meter = &layout->meters[i];

        if (meter->column == column) {
            return apr_pstrcat(p, meter->meter, meter->channel ? " " : "",
                               meter->channel ? meter->channel : "", meter->unit ? " (" : "",
                               meter->unit ? meter->unit : "", meter->unit ? ")" : "", NULL);
        }
    }
    return NULL;
}

const char *ecl_layout_compose_header(const ecl_layout_t *layout, const ecl_record_t *above,
                                      apr_pool_t *p)
{
    apr_array_header_t *cells = apr_array_make(p, layout->columns + 1, sizeof(const char *));
    char delimiter = layout->turned ? ',' : layout->delimiter;

    for (int i = 0; i < layout->columns; i++) {
        const ecl_value_block_t *block = block_of_column(layout, i);
        const char *heading = meter_heading(layout, i, p);
        const char *name = layout->names[i];

        if (heading) {
            name = heading;
        } else if (!layout->header_record) {
            name = made_name(layout, i, p);
        } else if (block && layout->labels_above && above) {
            name = ecl_sample_cell(above, i).text;
        } else if (block && layout->units_below) {
            name = apr_psprintf(p, "%s (%s)", name, block->unit);
        }
        APR_ARRAY_PUSH(cells, const char *) = as_csv(name, delimiter, p);
    }
    return apr_array_pstrcat(p, cells, delimiter);
}
