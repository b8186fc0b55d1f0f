/*
 * Finding a file's layout: each delimiter that occurs is tried, and the one under which a header
 * (or a row of the form identifier, date, 48 numbers) makes most sense is taken.
 */
#include "layout_internal.h"
#include "source.h"
#include "tables.h"
#include "turn.h"

#include <apr_tables.h>
#include <openssl/evp.h>

#define HEADER_WITHIN 100 /* records before the header: preambles have had up to nine */
#define HEADERLESS_WITHIN 20
#define LEAST_SCORE 1 /* of a header */

static int is_sep_line(const ecl_record_t *record, char *pdelimiter)
{
    const char *raw = record->fields[0].text;

    if (record->count != 1 || record->fields[0].length < 5 || record->fields[0].length > 6 ||
        (raw[0] | 0x20) != 's' || (raw[1] | 0x20) != 'e' || (raw[2] | 0x20) != 'p' ||
        raw[3] != '=' || !strchr(",;\t|", raw[4])) {
        return 0;
    }
    *pdelimiter = raw[4];
    return 1;
}

static ecl_layout_t *make_layout(char delimiter, apr_pool_t *p)
{
    ecl_layout_t *layout = apr_pcalloc(p, sizeof(*layout));

    layout->kind = ECL_LAYOUT_WIDE;
    layout->delimiter = delimiter;
    layout->decimal_point = '.';
    layout->meter_column = layout->serial_column = layout->date_column = -1;
    layout->time_column = layout->period_column = layout->value_column = -1;
    layout->interval_column = -1;
    layout->parts.year = layout->parts.month = layout->parts.day = -1;
    layout->parts.hour = layout->parts.minute = -1;
    layout->unit_column = layout->flag_column = layout->channel_column = -1;
    layout->total_column = -1;
    layout->interval_minutes = 30;
    layout->first_period = 1;
    layout->read_as_column = -1;
    return layout;
}

void ecl_layout_add_note(ecl_layout_t *layout, const char *code, const char *message, apr_pool_t *p)
{
    ecl_layout_note_t *notes = apr_palloc(p, (apr_size_t)(layout->note_count + 1) * sizeof(*notes));

    for (int i = 0; i < layout->note_count; i++) {
        notes[i] = layout->notes[i];
    }
    notes[layout->note_count++] = (ecl_layout_note_t){code, message};
    layout->notes = notes;
}

/* ---- choosing header and delimiter -------------------------------------------------------------
 */

static int count_roles(unsigned found)
{
    return __builtin_popcount(found & ~(1u << ECL_ROLE_IGNORED));
}

/* A record that names values, and dates by a word nobody has thought of, right above a row. */
static int is_header_of_row_below(const ecl_sample_t *sample, int at, unsigned found)
{
    const ecl_record_t *record = &sample->records[at];
    ecl_decimal_t number;

    for (int i = 0; i < record->count; i++) {
        ecl_field_t cell = record->fields[i];

        if (ecl_decimal_parse(cell.text, cell.length, '.', &number) == ECL_DECIMAL_OK) {
            return 0;
        }
    }
    return (found & (1u << ECL_ROLE_VALUE)) && at + 1 < sample->count &&
           sample->records[at + 1].count >= record->count - 1 &&
           ecl_layout_looks_like_row(&sample->records[at + 1]) &&
           !ecl_layout_looks_like_row(record);
}

/* The record that fits best, among those that come before the first row: a better one further down
 * is the header of another table, and what stands before it must not be taken for a preamble. */
static void find_header(ecl_attempt_t *attempt, apr_pool_t *p)
{
    ecl_layout_t *scratch = make_layout(attempt->delimiter, p);

    attempt->header = -1;
    for (int i = 0; i < attempt->sample.count && i < HEADER_WITHIN; i++) {
        const ecl_record_t *record = &attempt->sample.records[i];
        unsigned found;
        int is_wide;
        int score = ecl_layout_score_header(record, &found, &is_wide);

        if (score > attempt->score) {
            attempt->score = score;
            attempt->header = i;
            attempt->found = found;
        } else if (!attempt->score && count_roles(found) > count_roles(attempt->found)) {
            attempt->found = found;
        }
        if (!attempt->score && is_header_of_row_below(&attempt->sample, i, found)) {
            attempt->score = LEAST_SCORE;
            attempt->header = i;
            attempt->found = found;
        }
        if (!score &&
            (attempt->header >= 0 ? ecl_layout_looks_like_row(record)
                                  : ecl_layout_take_headerless(scratch, &attempt->sample, i, p))) {
            break;
        }
    }
    attempt->first = attempt->header + 1;
}

static void find_headerless(ecl_attempt_t *attempt, apr_pool_t *p)
{
    ecl_layout_t *layout = make_layout(attempt->delimiter, p);

    for (int i = 0; i < attempt->sample.count && i < HEADERLESS_WITHIN; i++) {
        if (ecl_layout_take_headerless(layout, &attempt->sample, i, p)) {
            attempt->layout = layout;
            attempt->first = i;
            return;
        }
    }
}

void ecl_layout_find_table(ecl_attempt_t *attempt, apr_pool_t *p)
{
    find_header(attempt, p);
    if (attempt->header < 0 && !ecl_layout_find_turned(attempt, p) &&
        !ecl_layout_find_meters(attempt)) {
        find_headerless(attempt, p);
    }
}

static apr_status_t try_delimiter(ecl_attempt_t *attempt, const char *path, char delimiter,
                                  apr_pool_t *p, ecl_result_t *result)
{
    apr_status_t status;

    *attempt = (ecl_attempt_t){.delimiter = delimiter, .path = path};
    status = ecl_sample_read(&attempt->sample, path, delimiter, p, result);
    if (status == APR_SUCCESS) {
        ecl_layout_find_table(attempt, p);
    }
    return status;
}

static int is_better(const ecl_attempt_t *a, const ecl_attempt_t *b)
{
    if (a->score != b->score) {
        return a->score > b->score;
    }
    if ((a->layout != NULL) != (b->layout != NULL)) {
        return a->layout != NULL;
    }
    return count_roles(a->found) > count_roles(b->found);
}

/* ---- refusals ----------------------------------------------------------------------------------
 */

#define FOUND(found, role) (((found) >> (role)) & 1u)

/* A row of a month holds daily totals in an order that only a calendar knows: which of them are
 * blank, or of the next month, can't be told from a number. */
static apr_status_t refuse_months(const ecl_record_t *header, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EINPUT, "month-table",
                    "the file has a row per month and a column for each of its days (line "
                    "%" APR_INT64_T_FMT
                    "): such tables are not read; export it with a row per day, "
                    "or with half-hours",
                    header->line);
}

/* How many runs of two blanks or more stand between other characters. */
static int count_gaps(ecl_field_t line)
{
    int gaps = 0;
    apr_size_t blanks = 0;

    for (apr_size_t i = 0; i < line.length; i++) {
        gaps += line.text[i] != ' ' && blanks > 1 && blanks < i;
        blanks = line.text[i] == ' ' ? blanks + 1 : 0;
    }
    return gaps;
}

/* Whether most lines are columns that only blanks keep apart. */
static int is_set_by_blanks(const ecl_sample_t *sample)
{
    int lines = 0;

    for (int i = 0; i < sample->count; i++) {
        const ecl_record_t *record = &sample->records[i];

        lines += record->count == 1 && count_gaps(record->fields[0]) > 1;
    }
    return lines > 1 && lines * 2 > sample->count;
}

static apr_status_t refuse(const ecl_attempt_t *attempt, ecl_result_t *result)
{
    unsigned found = attempt->found;
    int has_date = FOUND(found, ECL_ROLE_DATE) || FOUND(found, ECL_ROLE_START) ||
                   FOUND(found, ECL_ROLE_END) || FOUND(found, ECL_ROLE_TIME);

    /* perhaps the header */
    for (int i = 0; i < attempt->sample.count && i < HEADER_WITHIN; i++) {
        const ecl_record_t *record = &attempt->sample.records[i];

        if (record->status == ECL_RECORD_NOT_TEXT) {
            return ecl_fail(result, ECL_EINPUT, "not-text",
                            "the file is not text (line %" APR_INT64_T_FMT
                            "): save it as CSV UTF-8",
                            record->line);
        }
        if (ecl_layout_is_month(record)) {
            return refuse_months(record, result);
        }
        if (ecl_layout_count_dates(record) > ECL_TURN_DATES) {
            return ecl_fail(result, ECL_EINPUT, "too-many-dates",
                            "line %" APR_INT64_T_FMT " has %d dates side by side: at most %d are "
                            "read; export fewer days at a time, or a row per day",
                            record->line, ecl_layout_count_dates(record), ECL_TURN_DATES);
        }
        if (i < HEADERLESS_WITHIN && ecl_layout_is_either_day(&attempt->sample, i)) {
            return ecl_fail(result, ECL_EINPUT, "no-header",
                            "line %" APR_INT64_T_FMT " has 96 numbers and the file no header: they "
                            "may be the quarter-hours of a day, or its half-hours in kWh and then "
                            "in kVArh; add a header (MPAN, Date, 00:00, 00:15 …, or MPAN, Date, "
                            "kWh_1 … kWh_48, kVArh_1 … kVArh_48)",
                            record->line);
        }
    }
    if (is_set_by_blanks(&attempt->sample)) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "the columns are set apart by blanks only, so that a missing value can't "
                        "be told from a wide gap: export the file as CSV, or open it in a "
                        "spreadsheet as text of fixed width and save it as CSV");
    }
    if (FOUND(found, ECL_ROLE_SITE) && !has_date) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                        "this looks like a list of sites: it has no dates and no readings");
    }
    if (has_date) {
        return ecl_fail(result, ECL_EINPUT, "no-value-column",
                        "the file has no column of readings: expected 48 half-hourly columns, or a "
                        "column such as kWh, Consumption or Value");
    }
    if (FOUND(found, ECL_ROLE_METER) && FOUND(found, ECL_ROLE_VALUE)) {
        return ecl_fail(result, ECL_EINPUT, "no-date-column",
                        "the file has no column of dates: expected one such as Date, Reading Date "
                        "or Timestamp");
    }
    return ecl_fail(result, ECL_EINPUT, "not-meter-data",
                    "no meter readings were recognised: expected a header such as MPAN, Date, "
                    "HH01 … HH48, or MPAN, Timestamp, kWh");
}

static apr_status_t refuse_without_rows(const ecl_attempt_t *attempt, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EINPUT, "no-readings",
                    "the file has a header (line %" APR_INT64_T_FMT ") and no row after it",
                    attempt->sample.records[attempt->header].line);
}

/* What the user asked for against what the file is. */
static apr_status_t check_type(const ecl_layout_t *layout, const char *import_type,
                               ecl_result_t *result)
{
    if (!strcmp(import_type, "hh") && layout->kind == ECL_LAYOUT_DAILY) {
        return ecl_fail(
            result, ECL_EINPUT, "not-half-hourly",
            "the file holds daily totals, not half-hourly readings: import it as daily, "
            "or let its type be detected");
    }
    if (!strcmp(import_type, "daily") && layout->kind != ECL_LAYOUT_DAILY) {
        return ecl_fail(result, ECL_EINPUT, "not-daily",
                        "the file holds half-hourly readings, not daily totals: import it as "
                        "half-hourly, or let its type be detected");
    }
    return APR_SUCCESS;
}

/* ---- the layout --------------------------------------------------------------------------------
 */

static const char *trimmed(ecl_field_t cell, apr_pool_t *p)
{
    const char *start = cell.text, *end = cell.text + cell.length;

    while (start < end && (*start == ' ' || *start == '\t')) {
        start++;
    }
    while (end > start && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    return apr_pstrmemdup(p, start, (apr_size_t)(end - start));
}

static void take_names(ecl_layout_t *layout, const ecl_record_t *header, apr_pool_t *p)
{
    const char **names = apr_palloc(p, (apr_size_t)(header->count + 1) * sizeof(*names));

    for (int i = 0; i < header->count; i++) {
        names[i] = trimmed(header->fields[i], p);
    }
    layout->names = names;
    layout->columns = header->count;
    layout->header_record = header->sheet_record;
    layout->first_record = header->sheet_record + 1;
}

static void fingerprint(ecl_layout_t *layout, apr_pool_t *p)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    char word[ECL_WORD_MAX];
    char *hex;

    if (!md) {
        return;
    }
    EVP_DigestInit_ex(md, EVP_sha256(), NULL);
    for (int i = 0; i < layout->columns; i++) {
        ecl_word_fold(layout->names[i], strlen(layout->names[i]), word);
        EVP_DigestUpdate(md, word, strlen(word) + 1);
    }
    EVP_DigestFinal_ex(md, digest, &length);
    EVP_MD_CTX_free(md);
    hex = apr_palloc(p, 2 * length + 1);
    for (unsigned int i = 0; i < length; i++) {
        apr_snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    layout->fingerprint = hex;
}

/* What is known of files with this header, beside what was given. */
static apr_status_t complete_given(ecl_layout_t *layout, apr_pool_t *p)
{
    ecl_given_t *given = &layout->given;

    fingerprint(layout, p);
    return given->complete && layout->fingerprint
               ? given->complete(given->baton, layout->fingerprint, given)
               : APR_SUCCESS;
}

/* ---- all of it ---------------------------------------------------------------------------------
 */

/* "Meter 1" … "Meter 48" may be meters, "00:00" … "23:30" may not. */
static int is_numbered(const ecl_layout_t *layout)
{
    const char *first = layout->names[layout->values[0].column];

    return !strchr(first, ':');
}

static apr_status_t take_header(ecl_layout_t *layout, ecl_attempt_t *attempt, apr_pool_t *scratch,
                                apr_pool_t *p, ecl_result_t *result)
{
    const ecl_record_t *header = &attempt->sample.records[attempt->header];

    apr_status_t status;
    int no_energy;

    take_names(layout, header, p);
    status = complete_given(layout, p);
    if (status != APR_SUCCESS) {
        return status;
    }
    ecl_parts_take_date(layout, &attempt->sample, attempt->first, scratch);
    layout->kind = ecl_layout_take_values(layout, header, &attempt->sample, attempt->first,
                                          &no_energy, scratch, p)
                       ? ECL_LAYOUT_WIDE
                       : ECL_LAYOUT_LONG;
    if (layout->kind == ECL_LAYOUT_WIDE && is_numbered(layout) &&
        ecl_layout_rows_are_times(&attempt->sample, attempt->first)) {
        layout->kind = ECL_LAYOUT_LONG;
        layout->value_count = layout->block_count = layout->note_count = 0;
        layout->interval_minutes = 30;
    }
    if (layout->kind == ECL_LAYOUT_WIDE && attempt->header > 0) {
        ecl_layout_take_labels_above(layout, header - 1);
    }
    if (layout->kind == ECL_LAYOUT_LONG && no_energy >= 0 && !layout->value_count) {
        return ecl_fail(result, ECL_EINPUT, "bad-unit",
                        "the values of columns %s and so on are not energy in Wh, kWh or MWh",
                        layout->names[no_energy]);
    }
    if (layout->kind == ECL_LAYOUT_LONG && ecl_layout_is_month(header)) {
        return refuse_months(header, result);
    }
    if (layout->kind == ECL_LAYOUT_LONG) {
        attempt->label_lines = ecl_layout_label_lines(&attempt->sample, attempt->first);
    }
    status = ecl_layout_take_columns(layout, attempt, scratch, p, result);
    if (status == APR_SUCCESS && layout->meter_count && attempt->label_lines) {
        attempt->first += attempt->label_lines;
        layout->first_record = header[attempt->label_lines].sheet_record + 1;
    }
    return status;
}

/* The meter that the lines above the table name, or else the sheet's name. */
static void take_meter(ecl_layout_t *layout, const char *sheet, apr_pool_t *p)
{
    const ecl_said_t *said = layout->above ? &layout->above->said : NULL;

    if (said && (said->numbers || said->names)) {
        layout->given.meter = ecl_said_meter(said, &layout->meter_above);
        return;
    }
    layout->given.meter = ecl_layout_meter_of_sheet(sheet, p);
    layout->meter_above = layout->given.meter ? ECL_METER_BY_SHEET : ECL_METER_ABOVE_NOT;
}

/* Takes what is said outside the table, which a rejected row must then have with it. */
static apr_status_t take_outside(ecl_layout_t *layout, const ecl_attempt_t *attempt, apr_pool_t *p,
                                 ecl_result_t *result)
{
    const ecl_record_t *above =
        attempt->header > 0 ? &attempt->sample.records[attempt->header - 1] : NULL;
    const char *where;
    const char *channel = ecl_layout_channel_outside(
        &attempt->sample, attempt->header >= 0 ? attempt->header : attempt->first, attempt->sheet,
        attempt->has_import, &where);

    if (layout->meter_column < 0 && !layout->meter_count && !layout->given.meter) {
        take_meter(layout, attempt->sheet, p);
    }
    if (channel == ecl_channel_own && layout->given.channel) {
        channel = NULL; /* what was given says it */
    }
    if (channel == ecl_channel_own) {
        return ecl_fail(result, ECL_EINPUT, "channel-open", "%s, its values are of " ECL_OWN_ENERGY,
                        where);
    }
    if (channel && !channel[0]) {
        return ecl_fail(result, ECL_EINPUT, "bad-unit",
                        "%s, its values are no energy of a channel that is kept (active and "
                        "reactive, import and export)",
                        where);
    }
    if (channel && layout->given.channel && strcmp(channel, layout->given.channel)) {
        return ecl_fail(result, ECL_EINPUT, "channel-conflict",
                        "%s, its values are of channel %s, and %s was given", where, channel,
                        layout->given.channel);
    }
    /* "AI" may be no more than what a column called "kWh" says */
    if (channel && (!layout->channel || !strcmp(layout->channel, "AI"))) {
        layout->channel = channel;
        layout->channel_where = where;
        layout->added_channel =
            layout->channel_column < 0 && strcmp(channel, "AI") ? channel : NULL;
    }
    if (!layout->header_record || layout->labels_above || layout->units_below || layout->sheet ||
        layout->meter_lines || layout->turned) {
        layout->header = ecl_layout_compose_header(layout, above, p);
    }
    return APR_SUCCESS;
}

static apr_status_t build(ecl_layout_t **playout, ecl_attempt_t *attempt, const char *import_type,
                          const ecl_given_t *given, apr_pool_t *scratch, apr_pool_t *p,
                          ecl_result_t *result)
{
    const ecl_sample_t *sample = &attempt->sample;
    ecl_layout_t *layout = make_layout(attempt->delimiter, p);
    const char *why = "";
    apr_status_t status;

    layout->given = *given;
    layout->sheet = attempt->sheet;
    layout->sheet_number = attempt->sheet_number;
    layout->serials_are_1904 = attempt->is_1904;
    if (attempt->turned) {
        ecl_turn_form_t *turned = apr_pmemdup(p, attempt->turned, sizeof(*turned));

        turned->names = NULL; /* of the attempt; the layout has its own */
        layout->turned = turned;
    }
    if (attempt->header >= 0) {
        status = take_header(layout, attempt, scratch, p, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (attempt->first < sample->count &&
            ecl_layout_take_units_below(layout, &sample->records[attempt->first])) {
            layout->units_below = 1;
            layout->first_record = sample->records[attempt->first++].sheet_record + 1;
        }
        if (attempt->first >= sample->count && sample->is_whole) {
            return refuse_without_rows(attempt, result);
        }
    } else {
        ecl_layout_take_headerless(layout, sample, attempt->first, p);
        layout->first_record = sample->records[attempt->first].sheet_record;
    }
    ecl_layout_take_above(layout, attempt, scratch, p);
    if ((status = ecl_layout_take_read_as(layout, sample, attempt->first, p, result)) !=
            APR_SUCCESS ||
        (status = ecl_layout_take_date_order(layout, sample, attempt->first, result)) !=
            APR_SUCCESS) {
        return status;
    }
    status = ecl_parts_take_hours(layout, attempt, scratch, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    if (layout->kind == ECL_LAYOUT_LONG &&
        (status = ecl_layout_check_hours(layout, sample, attempt->first, result)) != APR_SUCCESS) {
        return status;
    }
    if (layout->kind == ECL_LAYOUT_LONG) {
        ecl_layout_take_stamps(layout, sample, attempt->first, scratch, &why);
    }
    if (layout->kind == ECL_LAYOUT_DAILY &&
        (status = ecl_layout_check_days(layout, sample, attempt->first, result)) != APR_SUCCESS) {
        return status;
    }
    if (layout->turned) {
        layout->first_record = layout->header_record; /* of the first table, which is read again */
    }
    layout->decimal_point = ecl_layout_decimal_point(layout, sample, attempt->first);
    if (layout->given.decimal_point) {
        layout->decimal_point = layout->given.decimal_point;
        layout->commas_are_groups = layout->decimal_point == '.';
    }
    ecl_layout_take_marks(layout, sample, attempt->first, p);
    ecl_layout_take_total(layout, sample, attempt->first);
    status = check_type(layout, import_type, result);
    if (status == APR_SUCCESS) {
        status = take_outside(layout, attempt, p, result);
    }
    if (status == APR_SUCCESS) {
        status = ecl_layout_check_given(layout, sample, attempt->first, p, result);
    }
    if (status == APR_SUCCESS) {
        ecl_layout_tell(layout, attempt, why, p);
        *playout = layout;
    }
    return status;
}

apr_status_t ecl_layout_from_attempt(ecl_layout_t **playout, ecl_attempt_t *attempt,
                                     const char *import_type, const ecl_given_t *given,
                                     apr_pool_t *scratch, apr_pool_t *p, ecl_result_t *result)
{
    return attempt->score || attempt->layout
               ? build(playout, attempt, import_type, given, scratch, p, result)
               : refuse(attempt, result);
}

/* The delimiters to try, the declared one first. */
static void list_delimiters(const ecl_sample_t *lines, char declared, char list[5])
{
    int used = 0;

    if (declared) {
        list[used++] = declared;
    }
    for (const char *d = ",;\t|"; *d; d++) {
        int occurs = *d == ',';

        for (int i = 0; i < lines->count && !occurs; i++) {
            ecl_field_t line = ecl_sample_cell(&lines->records[i], 0);

            occurs = memchr(line.text, *d, line.length) != NULL;
        }
        if (occurs && *d != declared) {
            list[used++] = *d;
        }
    }
    list[used] = '\0';
}

static apr_status_t choose(ecl_attempt_t *best, const char *path, apr_pool_t *scratch,
                           ecl_result_t *result)
{
    ecl_sample_t lines;
    char list[5], declared = '\0';
    apr_status_t status = ecl_sample_read(&lines, path, '\0', scratch, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (!lines.count) {
        return ecl_fail(result, ECL_EINPUT, "empty-file",
                        "the file is empty: it has no line that is not blank");
    }
    if (is_sep_line(&lines.records[0], &declared) && lines.count == 1) {
        return ecl_fail(result, ECL_EINPUT, "no-readings",
                        "the file holds a sep= line and nothing else");
    }
    list_delimiters(&lines, declared, list);
    for (int i = 0; list[i]; i++) {
        ecl_attempt_t attempt;

        status = try_delimiter(&attempt, path, list[i], scratch, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (!i || is_better(&attempt, best)) {
            *best = attempt;
        }
        if (declared && !i && (attempt.score || attempt.layout)) {
            break;
        }
    }
    return APR_SUCCESS;
}

/* ---- files of other forms -----------------------------------------------------------------------
 */

/* A form that says itself what its columns mean. */
static apr_status_t take_form(ecl_layout_t **playout, ecl_records_t *records,
                              const char *import_type, const ecl_given_t *given, apr_pool_t *p,
                              ecl_result_t *result)
{
    static const ecl_sample_t no_sample = {.records = NULL};
    const ecl_source_t *source = ecl_records_source(records);
    ecl_layout_t *layout = make_layout(',', p);
    ecl_record_t record;
    apr_status_t status = ecl_records_next(records, &record, result);

    if (status == APR_SUCCESS) {
        take_names(layout, &record, p);
        layout->given = *given;
        source->form->describe(source, layout, p);
        status = complete_given(layout, p);
    }
    if (status == APR_SUCCESS) {
        status = ecl_records_next(records, &record, result);
    }
    if (APR_STATUS_IS_EOF(status)) {
        return ecl_fail(result, ECL_EINPUT, "no-readings",
                        "this is %s, and there is no reading in it", source->form->name);
    }
    if (status == APR_SUCCESS) {
        status = check_type(layout, import_type, result);
    }
    if (status == APR_SUCCESS) {
        status = ecl_layout_check_given(layout, &no_sample, 0, p, result);
    }
    if (status == APR_SUCCESS) {
        if (layout->meter_column < 0) {
            layout->evidence =
                apr_pstrcat(p, layout->evidence, "; ", ecl_layout_meter_text(layout, p), NULL);
        }
        *playout = layout;
    }
    return status;
}

apr_status_t ecl_layout_find(ecl_layout_t **playout, const char *path, const char *import_type,
                             const ecl_given_t *given, apr_pool_t *p, ecl_result_t *result)
{
    apr_pool_t *scratch;
    ecl_attempt_t attempt = {0};
    ecl_records_t *records;
    const ecl_source_t *source;
    const char *form;
    apr_status_t status = ecl_layout_sniff(&form, path, p, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    apr_pool_create(&scratch, p);
    status = ecl_records_open(&records, path, ',', scratch, result);
    source = status == APR_SUCCESS ? ecl_records_source(records) : NULL;
    if (status == APR_SUCCESS && ecl_records_sheets(records)) {
        status = ecl_layout_find_in_workbook(playout, records, path, import_type, given, scratch, p,
                                             result);
    } else if (source && source->form->describe) {
        status = take_form(playout, records, import_type, given, p, result);
    } else if (status == APR_SUCCESS) {
        status = source ? try_delimiter(&attempt, path, ',', scratch, result)
                        : choose(&attempt, path, scratch, result);
        attempt.source = source;
        if (status == APR_SUCCESS) {
            status =
                ecl_layout_from_attempt(playout, &attempt, import_type, given, scratch, p, result);
        }
    }
    apr_pool_destroy(scratch);
    if (status == APR_SUCCESS && form) {
        (*playout)->evidence = apr_pstrcat(p, form, "; ", (*playout)->evidence, NULL);
    }
    return status;
}
