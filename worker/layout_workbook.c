/*
 * The layouts of a workbook: each sheet is a table of its own, or none, and says nothing of the
 * others.
 */
#include "layout_internal.h"

#include <apr_tables.h>

/* Finding the layouts of a workbook's sheets. */
typedef struct workbook_t {
    ecl_records_t *records;
    const char *path, *import_type;
    const ecl_given_t *given;
    apr_pool_t *p;
    ecl_layout_t *first, *last;
    apr_array_header_t *notes;
    int has_import;
    int sheets; /* that are not empty */
    /* why the sheet that comes nearest to a table of readings could not be read */
    int nearest;
    ecl_result_t why_not;
    const char *why_not_sheet;
} workbook_t;

static void note(workbook_t *workbook, const char *code, const char *message)
{
    APR_ARRAY_PUSH(workbook->notes, ecl_layout_note_t) = (ecl_layout_note_t){code, message};
}

static void append(workbook_t *workbook, ecl_layout_t *layout, int is_hidden)
{
    if (workbook->last) {
        workbook->last->next = layout;
    } else {
        workbook->first = layout;
    }
    workbook->last = layout;
    for (int i = 0; i < layout->note_count; i++) {
        note(
            workbook, layout->notes[i].code,
            apr_psprintf(workbook->p, "sheet \"%s\": %s", layout->sheet, layout->notes[i].message));
    }
    if (is_hidden) {
        note(workbook, "hidden-sheet",
             apr_psprintf(workbook->p,
                          "sheet \"%s\" is hidden in the workbook; it is read like "
                          "the others",
                          layout->sheet));
    }
}

static void set_aside(workbook_t *workbook, const ecl_attempt_t *attempt, const ecl_result_t *why)
{
    int nearness = 1 + __builtin_popcount(attempt->found) + 20 * (attempt->score > 0);

    note(workbook, "sheet-not-read",
         apr_psprintf(workbook->p, "sheet \"%s\" was not read: %s", attempt->sheet, why->detail));
    if (nearness > workbook->nearest) {
        workbook->nearest = nearness;
        workbook->why_not.code = why->code;
        workbook->why_not.detail = apr_pstrdup(workbook->p, why->detail);
        workbook->why_not_sheet = attempt->sheet;
    }
}

static apr_status_t try_sheet(workbook_t *workbook, int number, apr_pool_t *scratch,
                              ecl_result_t *result)
{
    const ecl_sheet_t *sheet = ecl_records_sheet(workbook->records, number);
    ecl_attempt_t attempt = {.path = workbook->path,
                             .delimiter = ',',
                             .sheet = apr_pstrdup(workbook->p, sheet->name),
                             .sheet_number = number,
                             .has_import = workbook->has_import,
                             .is_1904 = ecl_records_is_1904(workbook->records)};
    ecl_result_t why = ecl_result_make(scratch);
    ecl_layout_t *layout;
    apr_status_t status;

    ecl_records_only_sheet(workbook->records, number);
    status = ecl_sample_take(&attempt.sample, workbook->records, scratch, result);
    if (status != APR_SUCCESS || !attempt.sample.count) {
        return status;
    }
    workbook->sheets++;
    ecl_layout_find_table(&attempt, scratch);
    status = ecl_layout_from_attempt(&layout, &attempt, workbook->import_type, workbook->given,
                                     scratch, workbook->p, &why);
    if (status == APR_SUCCESS) {
        append(workbook, layout, sheet->is_hidden);
    } else if (status == ECL_EINPUT) {
        set_aside(workbook, &attempt, &why);
        status = APR_SUCCESS;
    }
    return status;
}

static apr_status_t refuse_workbook(const workbook_t *workbook, ecl_result_t *result)
{
    if (!workbook->sheets) {
        return ecl_fail(result, ECL_EINPUT, "empty-file",
                        "the workbook is empty: no cell of it "
                        "holds anything");
    }
    return ecl_fail(result, ECL_EINPUT, workbook->why_not.code,
                    workbook->sheets > 1 ? "none of the workbook's sheets can be read; the nearest "
                                           "to it is \"%s\": %s"
                                         : "sheet \"%s\": %s",
                    workbook->why_not_sheet, workbook->why_not.detail);
}

/* The evidence for all sheets, a line for each. */
static void tell_workbook(const workbook_t *workbook)
{
    const char *text = NULL;

    for (ecl_layout_t *layout = workbook->first; layout; layout = layout->next) {
        text = apr_psprintf(workbook->p, "%ssheet \"%s\": %s",
                            text ? apr_pstrcat(workbook->p, text, "\n", NULL) : "Excel workbook; ",
                            layout->sheet, layout->evidence);
    }
    workbook->first->evidence = text;
}

apr_status_t ecl_layout_find_in_workbook(ecl_layout_t **playout, ecl_records_t *records,
                                         const char *path, const char *import_type,
                                         const ecl_given_t *given, apr_pool_t *scratch,
                                         apr_pool_t *p, ecl_result_t *result)
{
    workbook_t workbook = {.records = records,
                           .path = path,
                           .import_type = import_type,
                           .given = given,
                           .p = p,
                           .notes = apr_array_make(p, 4, sizeof(ecl_layout_note_t))};
    int count = ecl_records_sheets(records);
    apr_pool_t *of_sheet;

    for (int i = 1; i <= count; i++) {
        workbook.has_import |= ecl_layout_says_import(ecl_records_sheet(records, i)->name);
    }
    apr_pool_create(&of_sheet, scratch);
    for (int i = 1; i <= count; i++) {
        apr_status_t status = try_sheet(&workbook, i, of_sheet, result);

        if (status != APR_SUCCESS) {
            return status;
        }
        apr_pool_clear(of_sheet);
    }
    if (!workbook.first) {
        return refuse_workbook(&workbook, result);
    }
    tell_workbook(&workbook);
    workbook.first->notes = (const ecl_layout_note_t *)workbook.notes->elts;
    workbook.first->note_count = workbook.notes->nelts;
    *playout = workbook.first;
    return APR_SUCCESS;
}
