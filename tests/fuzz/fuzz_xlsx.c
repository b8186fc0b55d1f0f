/*
 * Any text as the rows of a sheet, in a workbook whose other parts are sound: it is refused with a
 * reason, or gives records with text, in growing lines; the same in pieces. And any bytes as a
 * whole workbook, when they begin like a zip archive.
 */
#include <unistd.h>
#include <zip.h>

#include "fuzz.h"
#include "lib/utf8.h"
#include "worker/records.h"

static apr_uint64_t hash_bytes(apr_uint64_t hash, const char *bytes, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)bytes[i]) * APR_UINT64_C(1099511628211);
    }
    return hash;
}

/* piece: so many bytes at a time, in threads; 0: by one parser. */
static apr_uint64_t read_once(const char *path, apr_size_t piece)
{
    apr_uint64_t hash = APR_UINT64_C(14695981039346656037);
    apr_int64_t last_line = 0, last_offset = 0, number = 0;
    ecl_records_t *records;
    ecl_result_t result;
    ecl_record_t record;
    apr_status_t status;
    apr_pool_t *pool;
    int sheet = 0;

    apr_pool_create(&pool, NULL);
    result = ecl_result_make(pool);
    status = ecl_records_open(&records, path, ',', pool, &result);
    if (status == APR_SUCCESS && piece) {
        ecl_records_keep(records);
        ecl_records_set_read_size(records, piece);
    }
    while (status == APR_SUCCESS &&
           (status = ecl_records_next(records, &record, &result)) == APR_SUCCESS) {
        FUZZ_ASSERT(record.number == ++number);
        FUZZ_ASSERT(record.line > last_line || record.sheet_number > sheet);
        FUZZ_ASSERT(record.end_offset >= last_offset);
        FUZZ_ASSERT((record.status == ECL_RECORD_OK) == (record.count > 0));
        FUZZ_ASSERT(strlen(record.raw) == record.raw_length);
        for (int i = 0; i < record.count; i++) {
            FUZZ_ASSERT(strlen(record.fields[i].text) == record.fields[i].length);
            FUZZ_ASSERT(ecl_utf8_is_text(record.fields[i].text, record.fields[i].length));
        }
        hash = hash_bytes(hash, record.raw, record.raw_length);
        last_line = record.line;
        last_offset = record.end_offset;
        sheet = record.sheet_number;
    }
    FUZZ_ASSERT(status == APR_EOF || (result.code && result.detail));
    hash = hash_bytes(hash, (const char *)&status, sizeof status);
    apr_pool_destroy(pool);
    return hash;
}

static void add(zip_t *zip, const char *name, const void *bytes, size_t length)
{
    zip_source_t *source = zip_source_buffer(zip, bytes, length, 0);

    FUZZ_ASSERT(source && zip_file_add(zip, name, source, ZIP_FL_ENC_GUESS) >= 0);
}

/* The input as a sheet: up to its first NUL the shared strings, then the rows. */
static void make_workbook(const char *path, const char *bytes, size_t length)
{
    static const char workbook[] = "<workbook xmlns:r=\"r\"><sheets><sheet name=\"a\" r:id=\"a\"/>"
                                   "</sheets></workbook>";
    static const char relations[] =
        "<Relationships><Relationship Id=\"a\" Type=\"x/worksheet\" Target=\"s.xml\"/>"
        "<Relationship Id=\"b\" Type=\"x/sharedStrings\" Target=\"t.xml\"/>"
        "<Relationship Id=\"c\" Type=\"x/styles\" Target=\"f.xml\"/></Relationships>";
    static const char styles[] =
        "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"[h]:mm\"/></numFmts><cellXfs>"
        "<xf/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/><xf numFmtId=\"164\"/></cellXfs>"
        "</styleSheet>";
    const char *nul = memchr(bytes, '\0', length);
    size_t strings = nul ? (size_t)(nul - bytes) : 0;
    const char *rows = nul ? nul + 1 : bytes;
    int code;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);

    FUZZ_ASSERT(zip);
    add(zip, "xl/workbook.xml", workbook, sizeof workbook - 1);
    add(zip, "xl/_rels/workbook.xml.rels", relations, sizeof relations - 1);
    add(zip, "xl/f.xml", styles, sizeof styles - 1);
    add(zip, "xl/t.xml", bytes, strings);
    add(zip, "xl/s.xml", rows, length - (size_t)(rows - bytes));
    FUZZ_ASSERT(zip_close(zip) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char path[64];
    int fd;

    apr_initialize();
    snprintf(path, sizeof path, "/tmp/fuzz_xlsx.XXXXXX");
    fd = mkstemp(path);
    FUZZ_ASSERT(fd >= 0);
    if (length >= 4 && !memcmp(bytes, "PK\x03\x04", 4)) {
        FUZZ_ASSERT(write(fd, bytes, length) == (ssize_t)length);
    } else {
        make_workbook(path, (const char *)bytes, length);
    }
    FUZZ_ASSERT(read_once(path, 0) == read_once(path, 64));
    unlink(path);
    close(fd);
    apr_terminate();
    return 0;
}
