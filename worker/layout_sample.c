/*
 * What a file is at first sight, and its first records.
 */
#include "layout_internal.h"

#include <apr_cstr.h>
#include <apr_file_io.h>

#define HEAD_BYTES 4096

static int begins(const char *head, apr_size_t length, const char *what, apr_size_t what_length)
{
    return length >= what_length && !memcmp(head, what, what_length);
}

#define BEGINS(head, length, literal) begins(head, length, literal, sizeof(literal) - 1)

/* UTF-16 without a mark, or with a damaged one: every other byte of its ASCII text is NUL. */
static int is_utf16(const char *head, apr_size_t length)
{
    apr_size_t nuls = 0;

    if (BEGINS(head, length, "\xff\xfe") || BEGINS(head, length, "\xfe\xff")) {
        return 1;
    }
    for (apr_size_t i = 0; i < length; i++) {
        nuls += !head[i];
    }
    return length >= 16 && nuls * 5 > length * 2 && nuls * 5 < length * 3;
}

/* Files of other kinds, by how they begin. NULL: none of these. */
static const char *name_binary(const char *head, apr_size_t length)
{
    if (BEGINS(head, length, "\x89PNG")) {
        return "this is a picture (PNG), not a table of readings";
    }
    if (BEGINS(head, length, "\xff\xd8\xff")) {
        return "this is a picture (JPEG), not a table of readings";
    }
    if (BEGINS(head, length, "GIF8")) {
        return "this is a picture (GIF), not a table of readings";
    }
    if (BEGINS(head, length, "%PDF")) {
        return "this is a PDF document: export the readings as CSV instead";
    }
    if (BEGINS(head, length, "PK\x03\x04")) {
        apr_size_t i = 0;

        for (; i + 13 < length; i++) {
            if (!memcmp(head + i, "[Content_Types]", 14) || !memcmp(head + i, "xl/", 3)) {
                return "this is an Excel workbook (.xlsx): save it as CSV and upload that";
            }
        }
        return "this is a zip archive: unpack it and upload the CSV file inside";
    }
    if (BEGINS(head, length, "\xd0\xcf\x11\xe0")) {
        return "this is an Excel workbook (.xls): save it as CSV and upload that";
    }
    if (BEGINS(head, length, "\x1f\x8b")) {
        return "this is a gzip archive: unpack it and upload the CSV file inside";
    }
    return NULL;
}

/* Text that is no table. head is NUL-terminated and begins with its first character that is not
 * blank. */
static const char *name_text(const char *head)
{
    if (!apr_cstr_casecmpn(head, "<!doctype html", 14) || !apr_cstr_casecmpn(head, "<html", 5)) {
        return "this is a web page (HTML), perhaps a login or error page saved in place of the "
               "export";
    }
    if (head[0] == '<') {
        return "this is an XML file: XML is not read, export the readings as CSV";
    }
    return NULL;
}

static apr_status_t read_head(const char *path, char *head, apr_size_t *plength, apr_pool_t *p,
                              ecl_result_t *result)
{
    apr_file_t *file;
    apr_status_t status;

    status = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, p);
    if (APR_STATUS_IS_ENOENT(status)) {
        return ecl_fail(result, ECL_ENOTFOUND, "file-missing", "the stored file is gone");
    }
    if (status == APR_SUCCESS) {
        status = apr_file_read_full(file, head, HEAD_BYTES, plength);
        apr_file_close(file);
    }
    if (status != APR_SUCCESS && !APR_STATUS_IS_EOF(status)) {
        return ecl_fail(result, status, "file-unreadable", "cannot read the stored file: %s",
                        ecl_strerror(status, p));
    }
    head[*plength] = '\0';
    return APR_SUCCESS;
}

apr_status_t ecl_layout_sniff(const char *path, apr_pool_t *p, ecl_result_t *result)
{
    char head[HEAD_BYTES + 1];
    const char *text = head, *what;
    apr_size_t length = 0;
    apr_status_t status = read_head(path, head, &length, p, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    if (!length) {
        return ecl_fail(result, ECL_EINPUT, "empty-file", "the file is empty (0 bytes)");
    }
    what = name_binary(head, length);
    if (what) {
        return ecl_fail(result, ECL_EINPUT, "not-text", "%s", what);
    }
    if (is_utf16(head, length)) {
        return ecl_fail(result, ECL_EINPUT, "not-text",
                        "this is UTF-16 text (Excel's \"Unicode text\"): save it as CSV UTF-8");
    }
    text += BEGINS(head, length, "\xef\xbb\xbf") ? 3 : 0;
    text += strspn(text, " \t\r\n");
    what = name_text(text);
    if (what) {
        return ecl_fail(result, ECL_EINPUT, "not-meter-data", "%s", what);
    }
    return APR_SUCCESS;
}

static void keep(ecl_record_t *kept, const ecl_record_t *record, apr_pool_t *p)
{
    *kept = *record;
    kept->raw = "";
    kept->raw_length = 0;
    kept->fields = apr_palloc(p, (apr_size_t)(record->count + 1) * sizeof(ecl_field_t));
    for (int i = 0; i < record->count; i++) {
        kept->fields[i].text = apr_pstrmemdup(p, record->fields[i].text, record->fields[i].length);
        kept->fields[i].length = record->fields[i].length;
    }
}

apr_status_t ecl_sample_read(ecl_sample_t *sample, const char *path, char delimiter, apr_pool_t *p,
                             ecl_result_t *result)
{
    ecl_records_t *records;
    ecl_record_t record;
    apr_pool_t *reading;
    apr_size_t bytes = 0;
    apr_status_t status;

    *sample = (ecl_sample_t){0};
    sample->records = apr_palloc(p, ECL_LAYOUT_SAMPLE * sizeof(ecl_record_t));
    apr_pool_create(&reading, p); /* holds the open file and its buffers */
    status = ecl_records_open(&records, path, delimiter, reading, result);
    while (status == APR_SUCCESS && sample->count < ECL_LAYOUT_SAMPLE &&
           bytes < ECL_LAYOUT_SAMPLE_BYTES) {
        status = ecl_records_next(records, &record, result);
        if (status == APR_SUCCESS) {
            bytes += record.raw_length + (apr_size_t)record.count * sizeof(ecl_field_t);
            keep(&sample->records[sample->count++], &record, p);
        }
    }
    if (APR_STATUS_IS_EOF(status)) {
        sample->is_whole = 1;
        status = APR_SUCCESS;
    }
    apr_pool_destroy(reading);
    return status;
}
