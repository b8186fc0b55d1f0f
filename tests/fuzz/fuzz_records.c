/*
 * Records of any bytes: however the file is cut into reads the records are the same, their offsets
 * and lines grow, what they hold is text, and together they reach the end of the file.
 * The first byte of the input picks the delimiter, the second the size of the reads.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "worker/records.h"
#include "lib/utf8.h"

static apr_uint64_t hash_bytes(apr_uint64_t hash, const char *bytes, apr_size_t length)
{
    apr_size_t i;

    for (i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * APR_UINT64_C(1099511628211);
    }
    return (hash ^ length) * APR_UINT64_C(1099511628211);
}

/* Reads the file at path once; returns a hash of all there is to know about it. */
static apr_uint64_t read_once(const char *path, char delimiter, apr_size_t read_size,
                              const char *bytes, size_t length)
{
    apr_uint64_t hash = APR_UINT64_C(14695981039346656037);
    apr_uint64_t offsets = hash;
    apr_int64_t last_offset = 0, last_text = 0, last_line = 0, number = 0;
    ecl_records_t *records;
    ecl_record_t record;
    const ecl_form_t *form;
    apr_pool_t *pool;
    apr_status_t status;
    int is_table, i;

    apr_pool_create(&pool, NULL);
    status = ecl_records_open(&records, path, delimiter, pool, NULL);
    if (status != APR_SUCCESS) { /* refused */
        FUZZ_ASSERT(status == ECL_EINPUT);
        apr_pool_destroy(pool);
        return hash;
    }
    /* of what is no table several records may stand on one line, and lines may be no record */
    is_table = !ecl_records_source(records);
    ecl_records_set_read_size(records, read_size);
    while ((status = ecl_records_next(records, &record, NULL)) == APR_SUCCESS) {
        FUZZ_ASSERT(record.number == ++number);
        FUZZ_ASSERT(is_table ? record.line > last_line : record.line >= last_line);
        FUZZ_ASSERT(record.text_offset > last_text);
        FUZZ_ASSERT(record.end_offset >= last_offset && record.end_offset <= (apr_int64_t)length);
        FUZZ_ASSERT(strlen(record.raw) == record.raw_length);
        FUZZ_ASSERT(ecl_utf8_is_text(record.raw, record.raw_length));
        FUZZ_ASSERT((record.status == ECL_RECORD_OK) == (record.count > 0));
        hash = hash_bytes(hash, (const char *)&record.status, sizeof record.status);
        hash = hash_bytes(hash, (const char *)&record.line, sizeof record.line);
        hash = hash_bytes(hash, (const char *)&record.text_offset, sizeof record.text_offset);
        offsets = hash_bytes(offsets, (const char *)&record.end_offset, sizeof record.end_offset);
        hash = hash_bytes(hash, record.raw, record.raw_length);
        for (i = 0; i < record.count; i++) {
            FUZZ_ASSERT(strlen(record.fields[i].text) == record.fields[i].length);
            FUZZ_ASSERT(ecl_utf8_is_text(record.fields[i].text, record.fields[i].length));
            hash = hash_bytes(hash, record.fields[i].text, record.fields[i].length);
        }
        last_offset = record.end_offset;
        last_text = record.text_offset;
        last_line = record.line;
    }
    form = ecl_records_form(records);
    FUZZ_ASSERT(status == APR_EOF ||
                (status == ECL_EINPUT && form->container != ECL_CONTAINER_NONE));
    if (is_table && form->container == ECL_CONTAINER_NONE && form->encoding == ECL_ENCODING_UTF8) {
        hash ^= offsets;
        /* nothing but blank lines follows the last record */
        for (; number && (size_t)last_offset < length; last_offset++) {
            FUZZ_ASSERT(strchr(" \t\r\n", bytes[last_offset]) && bytes[last_offset]);
        }
    }
    apr_pool_destroy(pool);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char delimiters[] = {',', ';', '\t', '|', '\0'};
    const char *content = (const char *)bytes + 2;
    char delimiter, path[64];
    int fd;

    if (length < 2) {
        return 0;
    }
    apr_initialize();
    fd = memfd_create("fuzz", 0);
    FUZZ_ASSERT(fd >= 0);
    length -= 2;
    FUZZ_ASSERT(write(fd, content, length) == (ssize_t)length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    delimiter = delimiters[bytes[0] % sizeof delimiters];
    FUZZ_ASSERT(read_once(path, delimiter, 65536, content, length) ==
                read_once(path, delimiter, 1 + bytes[1] % 16, content, length));
    close(fd);
    apr_terminate();
    return 0;
}
