/*
 * Two stores that only grow: the strings' bytes one after the other, and where each of them ends.
 */
#include "temp_file.h"
#include "xlsx_internal.h"

#define PENDING_BYTES 16384
#define BLOCK_BYTES 8192

/* Bytes by their place: up to ECL_STRINGS_MEMORY in memory, then in a file. */
typedef struct store_t {
    char *memory; /* ECL_STRINGS_MEMORY */
    apr_int64_t length;
    apr_file_t *file;    /* NULL: not needed yet */
    apr_int64_t written; /* of it */
    char *pending;       /* what comes after that */
    apr_size_t pending_length;
    char *block; /* of the file, as last read */
    apr_int64_t block_at;
    apr_size_t block_length;
} store_t;

struct ecl_strings_t {
    apr_pool_t *p;
    ecl_xlsx_part_t part;
    int is_at_end;
    store_t texts, ends;
    apr_int64_t count; /* strings that are complete */
    apr_int64_t wanted;
    char *text; /* the string handed out; grows */
    apr_size_t room;
    /* of the string being read */
    int in_item, in_text, phonetic;
    apr_status_t status;
    /* that no more can be read, and why: somebody may ask again */
    apr_status_t failed;
    ecl_result_t why;
};

/* ---- stores ---------------------------------------------------------------------------------- */

static apr_status_t fail_file(apr_status_t status, ecl_result_t *result)
{
    return ecl_fail(result, status, "no-space",
                    "cannot keep the workbook's texts in a temporary file: make room in TMPDIR");
}

static apr_status_t open_file(store_t *store, apr_pool_t *p, ecl_result_t *result)
{
    apr_status_t status = ecl_temp_file_open(&store->file, "strings", 0, p);

    store->pending = apr_palloc(p, PENDING_BYTES);
    store->block = apr_palloc(p, BLOCK_BYTES);
    return status == APR_SUCCESS ? status : fail_file(status, result);
}

static apr_status_t flush(store_t *store, ecl_result_t *result)
{
    apr_off_t at = (apr_off_t)store->written;
    apr_status_t status;

    if (!store->pending_length) {
        return APR_SUCCESS;
    }
    status = apr_file_seek(store->file, APR_SET, &at);
    if (status == APR_SUCCESS) {
        status = apr_file_write_full(store->file, store->pending, store->pending_length, NULL);
    }
    if (status != APR_SUCCESS) {
        return fail_file(status, result);
    }
    store->written += (apr_int64_t)store->pending_length;
    store->pending_length = 0;
    return APR_SUCCESS;
}

static apr_status_t append(store_t *store, const char *bytes, apr_size_t length, apr_pool_t *p,
                           ecl_result_t *result)
{
    while (length) {
        apr_size_t part = length;

        if (store->length < ECL_STRINGS_MEMORY) {
            apr_size_t room = (apr_size_t)(ECL_STRINGS_MEMORY - store->length);

            part = part < room ? part : room;
            memcpy(store->memory + store->length, bytes, part);
        } else {
            apr_status_t status = store->file ? APR_SUCCESS : open_file(store, p, result);

            if (status == APR_SUCCESS && store->pending_length == PENDING_BYTES) {
                status = flush(store, result);
            }
            if (status != APR_SUCCESS) {
                return status;
            }
            if (part > PENDING_BYTES - store->pending_length) {
                part = PENDING_BYTES - store->pending_length;
            }
            memcpy(store->pending + store->pending_length, bytes, part);
            store->pending_length += part;
        }
        store->length += (apr_int64_t)part;
        bytes += part;
        length -= part;
    }
    return APR_SUCCESS;
}

static apr_status_t load_block(store_t *store, apr_int64_t at, ecl_result_t *result)
{
    apr_off_t start = (apr_off_t)(at - at % BLOCK_BYTES);
    apr_size_t length = BLOCK_BYTES;
    apr_status_t status = apr_file_seek(store->file, APR_SET, &start);

    store->block_length = 0; /* whatever comes of this, it is not that block any more */
    if (status == APR_SUCCESS) {
        status = apr_file_read_full(store->file, store->block, length, &length);
    }
    if (status != APR_SUCCESS && !APR_STATUS_IS_EOF(status)) {
        return fail_file(status, result);
    }
    store->block_at = (apr_int64_t)start;
    store->block_length = length;
    return APR_SUCCESS;
}

/* Copies `length` bytes from `at`, all of which were appended. */
static apr_status_t fetch(store_t *store, apr_int64_t at, char *out, apr_size_t length,
                          ecl_result_t *result)
{
    while (length) {
        apr_size_t part;

        if (at < ECL_STRINGS_MEMORY) {
            apr_size_t there = (apr_size_t)(ECL_STRINGS_MEMORY - at);

            part = length < there ? length : there;
            memcpy(out, store->memory + at, part);
        } else {
            apr_int64_t in_file = at - ECL_STRINGS_MEMORY;
            apr_status_t status = flush(store, result);

            if (status == APR_SUCCESS &&
                (in_file < store->block_at ||
                 in_file >= store->block_at + (apr_int64_t)store->block_length)) {
                status = load_block(store, in_file, result);
            }
            if (status != APR_SUCCESS) {
                return status;
            }
            part = (apr_size_t)(store->block_at + (apr_int64_t)store->block_length - in_file);
            part = length < part ? length : part;
            memcpy(out, store->block + (in_file - store->block_at), part);
        }
        out += part;
        at += (apr_int64_t)part;
        length -= part;
    }
    return APR_SUCCESS;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void on_start(void *baton, const char *name, const char **attributes)
{
    ecl_strings_t *strings = baton;

    (void)attributes;
    if (!strcmp(name, "si")) {
        strings->in_item = 1;
    } else if (!strcmp(name, "rPh")) {
        strings->phonetic++;
    } else if (!strcmp(name, "t")) {
        strings->in_text = strings->in_item && !strings->phonetic;
    }
}

static void on_text(void *baton, const char *text, apr_size_t length)
{
    ecl_strings_t *strings = baton;

    if (strings->in_text && strings->status == APR_SUCCESS) {
        strings->status = append(&strings->texts, text, length, strings->p, &strings->why);
    }
}

static void on_end(void *baton, const char *name)
{
    ecl_strings_t *strings = baton;
    apr_int64_t end = strings->texts.length;

    if (!strcmp(name, "t")) {
        strings->in_text = 0;
    } else if (!strcmp(name, "rPh")) {
        strings->phonetic -= strings->phonetic > 0;
    } else if (!strcmp(name, "si") && strings->in_item) {
        strings->in_item = 0;
        if (strings->status == APR_SUCCESS) {
            strings->status =
                append(&strings->ends, (const char *)&end, sizeof end, strings->p, &strings->why);
        }
        if (strings->status != APR_SUCCESS || strings->count++ == strings->wanted) {
            ecl_xml_pause(strings->part.xml);
        }
    }
}

apr_status_t ecl_strings_open(ecl_strings_t **pstrings, ecl_zip_t *zip, int part, apr_pool_t *p,
                              ecl_result_t *result)
{
    ecl_strings_t *strings = apr_pcalloc(p, sizeof *strings);
    const ecl_xml_handlers_t handlers = {strings, on_start, on_end, on_text};

    strings->p = p;
    strings->why = ecl_result_make(p);
    *pstrings = strings;
    if (part < 0) {
        strings->is_at_end = 1;
        return APR_SUCCESS;
    }
    /* untouched pages cost nothing */
    strings->texts.memory = apr_palloc(p, ECL_STRINGS_MEMORY);
    strings->ends.memory = apr_palloc(p, ECL_STRINGS_MEMORY);
    return ecl_xlsx_part_open(&strings->part, zip, part, &handlers, "the workbook's list of texts",
                              p, result);
}

/* Reads on until a string is there, or all are. */
static apr_status_t read_on(ecl_strings_t *strings, apr_int64_t number)
{
    apr_status_t status = APR_SUCCESS;

    strings->wanted = number;
    while (strings->count <= number && !strings->is_at_end && status == APR_SUCCESS) {
        status = ecl_xml_next(strings->part.xml, &strings->why);
        if (APR_STATUS_IS_EOF(status)) {
            strings->is_at_end = 1;
            status = APR_SUCCESS;
        }
        if (status == APR_SUCCESS) {
            status = strings->status;
        }
    }
    return status;
}

static apr_status_t read_up_to(ecl_strings_t *strings, apr_int64_t number, ecl_result_t *result)
{
    if (strings->count <= number && strings->failed == APR_SUCCESS) {
        strings->failed = read_on(strings, number);
    }
    if (strings->count <= number && strings->failed != APR_SUCCESS) {
        return ecl_fail(result, strings->failed, strings->why.code, "%s", strings->why.detail);
    }
    if (number < 0 || strings->count <= number) {
        return ecl_fail(result, ECL_EINPUT, "bad-workbook",
                        "the workbook is damaged: a cell refers to text number %" APR_INT64_T_FMT
                        " of %" APR_INT64_T_FMT,
                        number, strings->count);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_strings_get(ecl_strings_t *strings, apr_int64_t number, apr_size_t max,
                             const char **ptext, apr_size_t *plength, ecl_result_t *result)
{
    apr_int64_t ends[2] = {0, 0};
    apr_size_t length;
    apr_status_t status = read_up_to(strings, number, result);

    if (status == APR_SUCCESS && number > 0) {
        status = fetch(&strings->ends, (number - 1) * (apr_int64_t)sizeof ends[0], (char *)ends,
                       sizeof ends, result);
    } else if (status == APR_SUCCESS) {
        status = fetch(&strings->ends, 0, (char *)&ends[1], sizeof ends[1], result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    length = ends[1] - ends[0] > (apr_int64_t)max ? max : (apr_size_t)(ends[1] - ends[0]);
    *plength = length;
    if (ends[0] + (apr_int64_t)length <= ECL_STRINGS_MEMORY) {
        *ptext = strings->texts.memory + ends[0];
        return APR_SUCCESS;
    }
    if (length > strings->room) {
        strings->room = max; /* once: callers ask for at most a record */
        strings->text = apr_palloc(strings->p, max);
    }
    *ptext = strings->text;
    return fetch(&strings->texts, ends[0], strings->text, length, result);
}
