/*
 * What a file is at first sight, and its first records.
 */
#include "layout_internal.h"

apr_status_t ecl_layout_sniff(const char **pform, const char *path, apr_pool_t *p,
                              ecl_result_t *result)
{
    ecl_look_t look;
    const char *what;
    apr_status_t status = ecl_bytes_look(&look, path, p, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    *pform = ecl_form_words(&look.form, p);
    if (look.form.container == ECL_CONTAINER_XLSX) {
        *pform = look.form.packing; /* its sheets' layouts tell the rest */
        return APR_SUCCESS;
    }
    if (!look.length) {
        return ecl_fail(result, ECL_EINPUT, "empty-file", "the file is empty");
    }
    what = ecl_sniff_text(look.head + strspn(look.head, " \t\r\n"));
    return what ? ecl_fail(result, ECL_EINPUT, "not-meter-data", "%s", what) : APR_SUCCESS;
}

void ecl_sample_keep(ecl_record_t *kept, const ecl_record_t *record, apr_pool_t *p)
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

apr_status_t ecl_sample_take(ecl_sample_t *sample, ecl_records_t *records, apr_pool_t *p,
                             ecl_result_t *result)
{
    ecl_record_t record;
    apr_size_t bytes = 0;
    apr_status_t status = APR_SUCCESS;

    *sample = (ecl_sample_t){0};
    sample->records = apr_palloc(p, ECL_LAYOUT_SAMPLE * sizeof(ecl_record_t));
    while (status == APR_SUCCESS && sample->count < ECL_LAYOUT_SAMPLE &&
           bytes < ECL_LAYOUT_SAMPLE_BYTES) {
        status = ecl_records_next(records, &record, result);
        if (status == APR_SUCCESS) {
            bytes += record.raw_length + (apr_size_t)record.count * sizeof(ecl_field_t);
            ecl_sample_keep(&sample->records[sample->count++], &record, p);
        }
    }
    if (APR_STATUS_IS_EOF(status)) {
        sample->is_whole = 1;
        status = APR_SUCCESS;
    }
    return status;
}

apr_status_t ecl_sample_read(ecl_sample_t *sample, const char *path, char delimiter, apr_pool_t *p,
                             ecl_result_t *result)
{
    ecl_records_t *records;
    apr_pool_t *reading;
    apr_status_t status;

    apr_pool_create(&reading, p); /* holds the open file and its buffers */
    status = ecl_records_open(&records, path, delimiter, reading, result);
    if (status == APR_SUCCESS) {
        status = ecl_sample_take(sample, records, p, result);
    }
    apr_pool_destroy(reading);
    return status;
}
