#include "summary.h"

#include "question.h"
#include "reader.h"

#define MAX_NEW_METERS 20
#define MAX_CHANGES 10
#define MAX_CODES 50
#define MAX_EXAMPLES 5
#define MAX_TABLES 200

struct ecl_summary_t {
    json_object *json;
};

static apr_status_t put_json(void *json)
{
    json_object_put(json);
    return APR_SUCCESS;
}

ecl_summary_t *ecl_summary_make(const json_object *saved, apr_pool_t *p)
{
    ecl_summary_t *summary = apr_pcalloc(p, sizeof *summary);

    if (!saved || json_object_deep_copy((json_object *)saved, &summary->json, NULL) != 0) {
        summary->json = json_object_new_object();
    }
    apr_pool_cleanup_register(p, summary->json, put_json, apr_pool_cleanup_null);
    return summary;
}

json_object *ecl_summary_json(const ecl_summary_t *summary)
{
    return summary->json;
}

static void set_text(json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

static void add_count(json_object *object, const char *key, apr_int64_t by)
{
    json_object *count;

    if (json_object_object_get_ex(object, key, &count)) {
        json_object_int_inc(count, by);
    } else {
        json_object_object_add(object, key, json_object_new_int64(by));
    }
}

/* The member of that name, made when it is not there. */
static json_object *member(json_object *object, const char *key, json_object *(*make)(void))
{
    json_object *value;

    if (!json_object_object_get_ex(object, key, &value)) {
        value = make();
        json_object_object_add(object, key, value);
    }
    return value;
}

void ecl_summary_layout(ecl_summary_t *summary, const ecl_layout_t *layout, const char *header)
{
    /* of rejected rows: a table that is turned about gives rows with commas */
    const char delimiter[2] = {layout->turned ? ',' : layout->delimiter, '\0'};
    static const char *const kinds[] = {
        [ECL_LAYOUT_WIDE] = "wide", [ECL_LAYOUT_LONG] = "long", [ECL_LAYOUT_DAILY] = "daily"};

    set_text(summary->json, "layout", kinds[layout->kind]);
    set_text(summary->json, "evidence", layout->evidence);
    set_text(summary->json, "fingerprint", layout->fingerprint);
    set_text(summary->json, "delimiter", delimiter);
    set_text(summary->json, "header", header && strlen(header) <= ECL_HEADER_MAX ? header : NULL);
}

void ecl_summary_template(ecl_summary_t *summary, const char *name, json_object *options)
{
    json_object *template, *copy = NULL;

    if (!name) {
        json_object_object_del(summary->json, "template");
        return;
    }
    template = json_object_new_object();
    json_object_deep_copy(options, &copy, NULL);
    set_text(template, "name", name);
    json_object_object_add(template, "options", copy);
    json_object_object_add(summary->json, "template", template);
}

void ecl_summary_day(ecl_summary_t *summary, const ecl_meter_day_t *day)
{
    json_object *from, *to;
    char date[ECL_DATE_TEXT];

    ecl_date_print(day->date, date);
    /* dates written so sort as text */
    if (!json_object_object_get_ex(summary->json, "date_from", &from) ||
        strcmp(date, json_object_get_string(from)) < 0) {
        set_text(summary->json, "date_from", date);
    }
    if (!json_object_object_get_ex(summary->json, "date_to", &to) ||
        strcmp(date, json_object_get_string(to)) > 0) {
        set_text(summary->json, "date_to", date);
    }
}

void ecl_summary_meter(ecl_summary_t *summary, const char *identifier)
{
    json_object *meters = member(summary->json, "new_meters", json_object_new_array);

    if (json_object_array_length(meters) < MAX_NEW_METERS) {
        json_object_array_add(meters, json_object_new_string(identifier));
    }
}

static const char *type_of(char flag)
{
    switch (flag) {
    case ECL_FLAG_ACTUAL:
        return "actual";
    case ECL_FLAG_ESTIMATED:
        return "estimated";
    case ECL_FLAG_MANUAL:
        return "manual";
    case ECL_FLAG_CORRECTED:
        return "corrected";
    default:
        return "other";
    }
}

static void set_value(json_object *object, const char *key, ecl_decimal_t value)
{
    char text[ECL_DECIMAL_TEXT];

    ecl_decimal_print(value, text);
    set_text(object, key, text);
}

void ecl_summary_change(ecl_summary_t *summary, const ecl_store_change_t *change)
{
    json_object *examples = member(summary->json, "examples", json_object_new_array);
    json_object *example;
    char date[ECL_DATE_TEXT];

    if (json_object_array_length(examples) >= MAX_CHANGES) {
        return;
    }
    ecl_date_print(change->day->date, date);
    example = json_object_new_object();
    set_text(example, "meter", change->day->meter);
    set_text(example, "channel", change->day->channel);
    set_text(example, "date", date);
    json_object_object_add(example, "period", json_object_new_int(change->period));
    set_value(example, "old", change->old_value);
    set_value(example, "new", change->new_value);
    set_text(example, "old_type", type_of(change->old_flag));
    set_text(example, "new_type", type_of(change->new_flag));
    json_object_array_add(examples, example);
}

void ecl_summary_repeat(ecl_summary_t *summary, const ecl_store_change_t *change)
{
    char date[ECL_DATE_TEXT], old_value[ECL_DECIMAL_TEXT], new_value[ECL_DECIMAL_TEXT];
    char message[400];

    ecl_date_print(change->day->date, date);
    ecl_decimal_print(change->old_value, old_value);
    ecl_decimal_print(change->new_value, new_value);
    apr_snprintf(message, sizeof message,
                 "meter %s, %s, %s, period %d: %s (%s) from line %" APR_INT64_T_FMT
                 " on, then %s (%s) from line %" APR_INT64_T_FMT " on",
                 change->day->meter, change->day->channel, date, change->period, old_value,
                 type_of(change->old_flag), change->old_line, new_value, type_of(change->new_flag),
                 change->day->line);
    ecl_summary_warning(summary, "repeated-differs", message);
}

/* What the warnings of a code have in common; NULL: such a warning comes once, and says all itself.
 * Every code of a warning is in the list (tests/tools/check_source.py). */
static const char *common_message(const char *code)
{
    static const char *const messages[][2] = {
        {"check-digit", "MPANs whose check digit does not fit; they were imported as they stand"},
        {"identifier-length",
         "numbers of a length that no MPAN or MPRN has; they were imported as they stand"},
        {"unknown-flag", "flags that are not known; their readings were kept as of another type"},
        {"channel-assumed",
         "what may be generated energy, as a title or a name says, was kept as import"},
        {"channel-skipped", "rows of a quantity that is no energy were passed over"},
        {"clock-change-missing",
         "days of 50 half-hours in a file of 48 columns: two half-hours of each are missing"},
        {"rounded", "values with more than nine decimals were rounded"},
        {"repeated-differs",
         "readings that the file gives more than once, with different values: the last one counts"},
        {"missing-days", "days without readings between a meter's first and last day in this file"},
        {"part-days", "days with fewer readings than the day has"},
        {"zero-days", "times that a meter's import is zero for seven days or more in a row"},
        {"implausible-value",
         "readings over 137 kWh, and more than a thousand times what is usual for their meter"},
        {"register-level",
         "meters whose readings are all high and close together, as a register's reads are: are "
         "they what was used in each half-hour?"},
        {"running-totals", "meters whose values rise through each day: are they what was used in "
                           "each period, or what "
                           "had been used so far?"},
        {"resaved-identifiers",
         "meter numbers that end in six zeros or more: the file looks as if it was saved from a "
         "spreadsheet, which rounds such numbers"},
        {"checks-limited", "the file is too large for some checks"},
        {"template-not-used",
         "an import template was passed over, because the file contradicts it"},
        {"estimate-kept-out", "estimated readings that did not replace actual ones"},
        {"total-differs", "rows whose readings do not add up to their total"},
        {"columns-not-read", "columns that hold numbers and are not read"},
        {"hidden-sheet", "sheets that are hidden in the workbook; they are read like the others"},
        {"sheet-not-read", "sheets that were not read"},
        {"zone-not-known", "what is said of the time zone is not clear"},
        {"archive-passed-over", NULL},
        {"damaged-encoding", NULL},
        {"gas-volume", NULL},
        {"identifiers", NULL},
        {"power", NULL},
        {"register", NULL},
        {"register-falls", NULL},
        {"register-gaps", NULL},
        {"register-limit", NULL},
        {"register-repeats", NULL},
        {"series-passed-over", NULL},
        {"windows-1252", NULL},
    };

    for (apr_size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        if (strcmp(messages[i][0], code) == 0) {
            return messages[i][1];
        }
    }
    return NULL;
}

/* The group of a code; NULL when there are too many codes. */
static json_object *group_of(json_object *warnings, const char *code, const char *message)
{
    apr_size_t count = json_object_array_length(warnings);
    json_object *group, *value;

    for (apr_size_t i = 0; i < count; i++) {
        group = json_object_array_get_idx(warnings, i);
        if (json_object_object_get_ex(group, "code", &value) &&
            strcmp(json_object_get_string(value), code) == 0) {
            return group;
        }
    }
    if (count >= MAX_CODES) {
        return NULL;
    }
    group = json_object_new_object();
    set_text(group, "code", code);
    set_text(group, "message", common_message(code) ? common_message(code) : message);
    json_object_object_add(group, "count", json_object_new_int64(0));
    json_object_object_add(group, "examples", json_object_new_array());
    json_object_array_add(warnings, group);
    return group;
}

void ecl_summary_finding(ecl_summary_t *summary, const char *code, apr_int64_t count,
                         const char *example)
{
    json_object *group =
        group_of(member(summary->json, "warnings", json_object_new_array), code, example);
    json_object *examples;

    if (!group) {
        return;
    }
    add_count(group, "count", count);
    examples = json_object_object_get(group, "examples");
    if (json_object_array_length(examples) < MAX_EXAMPLES) {
        json_object_array_add(examples, json_object_new_string(example));
    }
}

void ecl_summary_warning(ecl_summary_t *summary, const char *code, const char *message)
{
    ecl_summary_finding(summary, code, 1, message);
    if (strcmp(code, "rounded") == 0) {
        add_count(summary->json, "rounded", 1);
    }
}

/* Whether it has a text, or none when that is NULL. */
static int has_text(json_object *object, const char *key, const char *text)
{
    json_object *value;

    if (!json_object_object_get_ex(object, key, &value)) {
        return !text;
    }
    return text && !strcmp(value ? json_object_get_string(value) : "", text);
}

/* How many cells rows need beside their own: all that their layout adds, or, below another header,
 * those that do not depend on what its columns mean. */
static int count_added(const ecl_layout_t *layout, const char *foreign)
{
    return foreign ? layout->added_always : layout->added_count;
}

static json_object *added_of(const ecl_layout_t *layout, int count)
{
    json_object *added = json_object_new_object();

    for (int i = 0; i < count; i++) {
        set_text(added, layout->added[i][0], layout->added[i][1]);
    }
    return added;
}

/* Whether that is what a table adds. */
static int has_added(json_object *table, const ecl_layout_t *layout, int count)
{
    json_object *added;

    if (!json_object_object_get_ex(table, "added", &added)) {
        return !count;
    }
    for (int i = 0; i < count; i++) {
        if (!has_text(added, layout->added[i][0], layout->added[i][1])) {
            return 0;
        }
    }
    return json_object_object_length(added) == count;
}

void ecl_summary_failed(ecl_summary_t *summary, const ecl_layout_t *layout, const char *foreign,
                        apr_int64_t line)
{
    json_object *tables = member(summary->json, "failed_tables", json_object_new_array);
    apr_size_t count = json_object_array_length(tables);
    json_object *table = count ? json_object_array_get_idx(tables, count - 1) : NULL;
    const char *header = foreign ? foreign : layout->header;
    int added = count_added(layout, foreign);

    if (!foreign && (!header || has_text(summary->json, "header", header))) {
        header = NULL;
    } else if (strlen(header) > ECL_HEADER_MAX || count >= MAX_TABLES) {
        header = "";
    }
    if (!table || (count <= MAX_TABLES &&
                   !(has_text(table, "header", header) && has_added(table, layout, added) &&
                     has_text(table, "sheet", layout->sheet)))) {
        table = json_object_new_object();
        if (layout->sheet) {
            set_text(table, "sheet", layout->sheet);
        }
        json_object_object_add(table, "line", json_object_new_int64(line));
        if (header) {
            set_text(table, "header", *header ? header : NULL);
        }
        if (added) {
            json_object_object_add(table, "added", added_of(layout, added));
        }
        json_object_array_add(tables, table);
    }
    add_count(table, "rows", 1);
}

void ecl_summary_counts(ecl_summary_t *summary, const ecl_store_counts_t *counts)
{
    json_object *json = summary->json;

    add_count(json, "days", counts->days_new + counts->days_changed + counts->days_unchanged);
    add_count(json, "meters", counts->meters);
    add_count(json, "meters_new", counts->meters_new);
    add_count(json, "readings_missing", counts->readings_missing);
    add_count(json, "readings_repeated", counts->readings_repeated);
    add_count(json, "readings_kept_estimated", counts->readings_kept_estimated);
    add_count(json, "rounded", 0);
    if (counts->readings_kept_estimated) {
        json_object *warnings = member(json, "warnings", json_object_new_array);
        json_object *group = group_of(warnings, "estimate-kept-out", NULL);

        if (group) {
            add_count(group, "count", counts->readings_kept_estimated);
        }
    }
}

void ecl_summary_took_out(ecl_summary_t *summary, const ecl_take_out_counts_t *counts)
{
    json_object *took_out = member(summary->json, "took_out", json_object_new_object);

    add_count(took_out, "days_removed", counts->days_removed);
    add_count(took_out, "days_restored", counts->days_restored);
    add_count(took_out, "days_kept", counts->days_kept);
}

void ecl_summary_code(ecl_summary_t *summary, const char *code)
{
    json_object *question = ecl_question_of(code);

    if (question) {
        json_object_object_add(summary->json, "question", question);
    } else {
        json_object_object_del(summary->json, "question");
    }
    if (code) {
        set_text(summary->json, "code", code);
    } else {
        json_object_object_del(summary->json, "code");
    }
}
