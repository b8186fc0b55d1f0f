/*
 * The way a stored file's bytes take:
 *
 *   file, unpacked ── plain UTF-8 ───────────────────────────▶ caller's buffer, looked at there
 *      │                                                        │ from the first byte on that is
 *      │                                                        ▼ not UTF-8
 *      └──── everything else ──▶ input (64 KiB) ── decode ──▶ caller's buffer
 *
 * The second way is also taken while a character is cut by the end of a read.
 */
#include "bytes_internal.h"

#include <apr_lib.h>

#include "../lib/utf8.h"

#define MARKS 64
#define DEPTH_MAX 2     /* containers, one in the other */
#define DIRECT_LEAST 64 /* bytes of room: with less, a character might not fit */

/* What was handed out up to a position of the stream had used so much of the stored file. */
typedef struct mark_t {
    apr_int64_t position, stored;
} mark_t;

struct ecl_bytes_t {
    const char *name; /* for messages: where files are stored is nobody's business */
    apr_file_t *file;
    apr_int64_t file_size, file_read;
    ecl_zip_input_t zip; /* the innermost zip archive or workbook, if there is one */
    ecl_unpacker_t unpacker;
    ecl_form_t form;
    int has_ended;

    char *input; /* ECL_BYTES_READ bytes and a character that was cut */
    apr_size_t begin, end;
    apr_int64_t unpacked; /* bytes that came from the unpacker */

    char spill[ECL_CHARACTER_MAX]; /* of a character that the caller had no room for */
    apr_size_t spill_begin, spill_end;

    apr_int64_t position; /* bytes handed out */
    mark_t marks[MARKS];  /* a ring; mark_count of them, the last at mark_last */
    int mark_last, mark_count;
    apr_int64_t told; /* by ecl_bytes_stored */
};

/* ---- the stored file itself ------------------------------------------------------------------ */

static apr_status_t read_file(void *baton, char *buffer, apr_size_t *plength, ecl_result_t *result)
{
    ecl_bytes_t *bytes = baton;
    apr_status_t status = apr_file_read(bytes->file, buffer, plength);

    if (status == APR_SUCCESS) {
        bytes->file_read += (apr_int64_t)*plength;
    } else if (!APR_STATUS_IS_EOF(status)) {
        return ecl_fail(result, status, "file-unreadable",
                        "cannot read '%s' after %" APR_INT64_T_FMT " bytes", bytes->name,
                        bytes->file_read);
    }
    return APR_STATUS_IS_EOF(status) ? APR_EOF : status;
}

static apr_int64_t file_position(void *baton)
{
    const ecl_bytes_t *bytes = baton;

    return bytes->file_read - (apr_int64_t)(bytes->end - bytes->begin);
}

static apr_status_t seek_file(ecl_bytes_t *bytes, apr_size_t offset, ecl_result_t *result)
{
    apr_off_t at = (apr_off_t)offset;
    apr_status_t status = apr_file_seek(bytes->file, APR_SET, &at);

    if (status != APR_SUCCESS) {
        return ecl_fail(result, status, "file-unreadable", "cannot read '%s'", bytes->name);
    }
    bytes->file_read = (apr_int64_t)offset;
    return APR_SUCCESS;
}

/* ---- opening --------------------------------------------------------------------------------- */

apr_status_t ecl_unpack_check_size(apr_int64_t packed, apr_int64_t unpacked, ecl_result_t *result)
{
    if (unpacked < 0 || unpacked > ECL_BYTES_MAX) {
        return ecl_fail(result, ECL_EINPUT, "archive-too-large",
                        "the archive unpacks to more than %d GiB, which is not read",
                        (int)(ECL_BYTES_MAX >> 30));
    }
    if (unpacked > ECL_BYTES_RATIO_FROM && unpacked / ECL_BYTES_RATIO >= packed) {
        return ecl_fail(result, ECL_EINPUT, "archive-too-large",
                        "the archive is refused: its first %" APR_INT64_T_FMT
                        " bytes unpack to %" APR_INT64_T_FMT
                        ", more than %d times as much, as those do that are made to fill a disk; "
                        "unpack it and upload the CSV file inside",
                        packed, unpacked, ECL_BYTES_RATIO);
    }
    return APR_SUCCESS;
}

/* Reads on until input holds ECL_SNIFF_BYTES, or all there is. */
static apr_status_t read_head(ecl_bytes_t *bytes, ecl_result_t *result)
{
    while (bytes->end < ECL_SNIFF_BYTES && !bytes->has_ended) {
        apr_size_t length = ECL_SNIFF_BYTES - bytes->end;
        apr_status_t status =
            bytes->unpacker.read(bytes->unpacker.baton, bytes->input + bytes->end, &length, result);

        if (status == APR_EOF) {
            bytes->has_ended = 1;
        } else if (status != APR_SUCCESS) {
            return status;
        } else {
            bytes->end += length;
            bytes->unpacked += (apr_int64_t)length;
        }
    }
    return APR_SUCCESS;
}

static apr_status_t refuse_nested(const ecl_form_t *form, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EINPUT, "archive-nested",
                    "the file is an archive in an archive in an archive (%s): unpack it and upload "
                    "what is inside",
                    form->packing);
}

/* A zip archive must be a file: the stored one, or a temporary one. */
static apr_status_t open_zip(ecl_bytes_t *bytes, const ecl_unpacker_t *from, int depth,
                             apr_pool_t *p, ecl_result_t *result)
{
    const char *packing = bytes->form.packing;
    apr_status_t status = APR_SUCCESS;

    bytes->zip = (ecl_zip_input_t){.file = bytes->file, .name = bytes->name};
    if (depth) {
        bytes->zip.stored = bytes->file_size;
        status = ecl_unpack_spool(&bytes->zip.file, from, ECL_BYTES_SPOOL_MAX, p, result);
    }
    if (status == APR_SUCCESS) {
        status = ecl_unpack_zip(&bytes->unpacker, &bytes->form, &bytes->zip, p, result);
    }
    if (status == APR_SUCCESS && bytes->form.container != ECL_CONTAINER_XLSX) {
        bytes->form.packing = apr_psprintf(p, "%s%szip holding '%s'", packing ? packing : "",
                                           packing ? ", " : "", bytes->form.entry);
    }
    return status;
}

/* Opens the container that input begins with, the depth-th from outside. */
static apr_status_t open_container(ecl_bytes_t *bytes, ecl_container_t container, int depth,
                                   apr_pool_t *p, ecl_result_t *result)
{
    const char *packing = bytes->form.packing;
    ecl_unpacker_t from = bytes->unpacker;
    apr_status_t status = APR_SUCCESS;

    if (depth) {
        ecl_unpack_again(&from, &bytes->unpacker, bytes->input, bytes->end, p);
    } else {
        bytes->form.container = container;
        status = seek_file(bytes, 0, result);
    }
    bytes->end = 0;
    bytes->unpacked = 0;
    bytes->has_ended = 0;
    if (status != APR_SUCCESS) {
        return status;
    }
    if (container == ECL_CONTAINER_ZIP) {
        return open_zip(bytes, &from, depth, p, result);
    }
    bytes->form.packing =
        packing ? apr_pstrcat(p, packing, ", packed with gzip", NULL) : "packed with gzip";
    return ecl_unpack_gzip(&bytes->unpacker, &from, depth > 0, bytes->name, p, result);
}

/* Goes in as far as there are containers. A workbook counts as what a container holds. */
static apr_status_t open_containers(ecl_bytes_t *bytes, apr_pool_t *p, ecl_result_t *result)
{
    for (int depth = 0;; depth++) {
        ecl_container_t container = ecl_sniff_container(bytes->input, bytes->end);
        apr_status_t status;

        if (container == ECL_CONTAINER_NONE) {
            return APR_SUCCESS;
        }
        if (depth == DEPTH_MAX && container != ECL_CONTAINER_ZIP) {
            return refuse_nested(&bytes->form, result);
        }
        status = open_container(bytes, container, depth, p, result);
        if (status != APR_SUCCESS || bytes->form.container == ECL_CONTAINER_XLSX) {
            return status;
        }
        if (depth == DEPTH_MAX) {
            return refuse_nested(&bytes->form, result);
        }
        status = read_head(bytes, result);
        if (status != APR_SUCCESS) {
            return status;
        }
    }
}

/* Finds out about the encoding from the head in input, and stands after its mark. */
static apr_status_t start(ecl_bytes_t *bytes, ecl_result_t *result)
{
    apr_size_t mark = 0;
    const char *what = ecl_sniff_binary(bytes->input, bytes->end);

    if (what) {
        return bytes->form.entry
                   ? ecl_fail(result, ECL_EINPUT, "not-text", "the zip archive holds '%s': %s",
                              bytes->form.entry, what)
                   : ecl_fail(result, ECL_EINPUT, "not-text", "%s", what);
    }
    bytes->form.encoding = ecl_sniff_encoding(bytes->input, bytes->end, &mark);
    bytes->begin = mark;
    if (bytes->form.container == ECL_CONTAINER_NONE) {
        bytes->begin = bytes->end = 0;
        bytes->has_ended = 0;
        bytes->unpacked = (apr_int64_t)mark;
        bytes->marks[0].stored = (apr_int64_t)mark;
        return seek_file(bytes, mark, result);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_bytes_open(ecl_bytes_t **pbytes, const char *path, apr_pool_t *p,
                            ecl_result_t *result)
{
    ecl_bytes_t *bytes = apr_pcalloc(p, sizeof(*bytes));
    apr_finfo_t info;
    apr_status_t status =
        apr_file_open(&bytes->file, path, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_OS_DEFAULT, p);

    bytes->name = apr_pstrdup(p, apr_filepath_name_get(path));
    if (APR_STATUS_IS_ENOENT(status)) {
        return ecl_fail(result, ECL_ENOTFOUND, "file-missing", "the file '%s' is not there",
                        bytes->name);
    }
    if (status == APR_SUCCESS) {
        status = apr_file_info_get(&info, APR_FINFO_SIZE, bytes->file);
    }
    if (status != APR_SUCCESS) {
        return ecl_fail(result, status, "file-unreadable", "cannot open '%s'", bytes->name);
    }
    bytes->file_size = (apr_int64_t)info.size;
    bytes->input = apr_palloc(p, ECL_BYTES_READ + ECL_CHARACTER_MAX);
    bytes->unpacker = (ecl_unpacker_t){bytes, read_file, file_position};
    bytes->form.first_other = -1;
    bytes->mark_count = 1;
    *pbytes = bytes;

    status = read_head(bytes, result);
    if (status == APR_SUCCESS) {
        status = open_containers(bytes, p, result);
    }
    if (status != APR_SUCCESS || bytes->form.container == ECL_CONTAINER_XLSX) {
        return status;
    }
    return start(bytes, result);
}

/* ---- what it is ------------------------------------------------------------------------------ */

const ecl_zip_input_t *ecl_bytes_workbook(const ecl_bytes_t *bytes)
{
    return bytes->form.container == ECL_CONTAINER_XLSX ? &bytes->zip : NULL;
}

const ecl_form_t *ecl_bytes_form(const ecl_bytes_t *bytes)
{
    return &bytes->form;
}

const char *ecl_form_words(const ecl_form_t *form, apr_pool_t *p)
{
    static const char *const encodings[] = {
        [ECL_ENCODING_UTF8] = NULL,
        [ECL_ENCODING_WINDOWS_1252] = "Windows-1252",
        [ECL_ENCODING_UTF16LE] = "UTF-16 (little-endian)",
        [ECL_ENCODING_UTF16BE] = "UTF-16 (big-endian)",
        [ECL_ENCODING_UTF16_DAMAGED] = "UTF-16 that was damaged in transit",
    };
    const char *encoding = encodings[form->encoding];
    const char *kind = form->container == ECL_CONTAINER_XLSX ? "Excel workbook" : encoding;

    return form->packing && kind ? apr_pstrcat(p, form->packing, ", ", kind, NULL)
           : form->packing       ? form->packing
                                 : kind;
}

/* ---- positions ------------------------------------------------------------------------------- */

static const mark_t *mark_before(const ecl_bytes_t *bytes, int back)
{
    return &bytes->marks[(bytes->mark_last + MARKS - back) % MARKS];
}

/* Notes where the file stands. As long as a byte of text is a byte of the file, one mark moves on.
 */
static void set_mark(ecl_bytes_t *bytes)
{
    const mark_t *last = mark_before(bytes, 0), *before = mark_before(bytes, 1);
    apr_int64_t spilled = (apr_int64_t)(bytes->spill_end - bytes->spill_begin);
    mark_t mark = {bytes->position, bytes->unpacker.position(bytes->unpacker.baton) - spilled};

    mark.stored = mark.stored < last->stored ? last->stored : mark.stored;
    if (bytes->mark_count < 2 || mark.position - last->position != mark.stored - last->stored ||
        last->position - before->position != last->stored - before->stored) {
        bytes->mark_last = (bytes->mark_last + 1) % MARKS;
        bytes->mark_count += bytes->mark_count < MARKS;
    }
    bytes->marks[bytes->mark_last] = mark;
}

apr_int64_t ecl_bytes_stored(ecl_bytes_t *bytes, apr_int64_t position)
{
    apr_int64_t stored = bytes->told;

    for (int back = 0; back < bytes->mark_count; back++) {
        const mark_t *mark = mark_before(bytes, back), *next;

        if (mark->position > position) {
            continue;
        }
        stored = mark->stored;
        if (back) {
            next = mark_before(bytes, back - 1);
            stored += (position - mark->position) * (next->stored - mark->stored) /
                      (next->position - mark->position);
        }
        break;
    }
    bytes->told = stored > bytes->told ? stored : bytes->told;
    return bytes->told;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Reads on behind what is left of input. */
static apr_status_t fill(ecl_bytes_t *bytes, apr_size_t wanted, ecl_result_t *result)
{
    apr_size_t left = bytes->end - bytes->begin;
    apr_status_t status;

    memmove(bytes->input, bytes->input + bytes->begin, left);
    bytes->begin = 0;
    bytes->end = left;
    status = bytes->unpacker.read(bytes->unpacker.baton, bytes->input + left, &wanted, result);
    if (status == APR_EOF) {
        bytes->has_ended = 1;
        return APR_SUCCESS;
    }
    if (status == APR_SUCCESS) {
        bytes->end += wanted;
        bytes->unpacked += (apr_int64_t)wanted;
    }
    return status;
}

static int is_bytewise(const ecl_bytes_t *bytes)
{
    return bytes->form.encoding == ECL_ENCODING_UTF8 ||
           bytes->form.encoding == ECL_ENCODING_WINDOWS_1252;
}

/* Into the caller's buffer; what is there of input from the first character on that is no UTF-8
 * goes the other way. *plength 0: all of it, or the file has ended. */
static apr_status_t read_directly(ecl_bytes_t *bytes, char *buffer, apr_size_t *plength,
                                  ecl_result_t *result)
{
    apr_size_t length = *plength;
    apr_status_t status = bytes->unpacker.read(bytes->unpacker.baton, buffer, &length, result);

    *plength = 0;
    if (status == APR_EOF) {
        bytes->has_ended = 1;
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    bytes->unpacked += (apr_int64_t)length;
    *plength = ecl_utf8_prefix(buffer, length);
    bytes->begin = 0;
    bytes->end = length - *plength;
    memcpy(bytes->input, buffer + *plength, bytes->end);
    return APR_SUCCESS;
}

/* One character from input to spill. 0: it is cut off. */
static int decode_character(ecl_bytes_t *bytes, int *pis_text)
{
    ecl_decoded_t decoded;

    ecl_decode(bytes->form.encoding, bytes->input + bytes->begin, bytes->end - bytes->begin,
               bytes->has_ended, &decoded);
    if (!decoded.used) {
        return 0;
    }
    if (decoded.is_other && bytes->form.first_other < 0) {
        bytes->form.first_other = bytes->unpacked - (apr_int64_t)(bytes->end - bytes->begin);
        if (bytes->form.encoding == ECL_ENCODING_UTF8) {
            bytes->form.encoding = ECL_ENCODING_WINDOWS_1252;
        }
    }
    *pis_text &= decoded.is_text;
    bytes->begin += decoded.used;
    memcpy(bytes->spill, decoded.text, decoded.length);
    bytes->spill_begin = 0;
    bytes->spill_end = decoded.length;
    return 1;
}

/* Decodes from input until the buffer is full or more input is needed. Returns the length. */
static apr_size_t decode(ecl_bytes_t *bytes, char *buffer, apr_size_t room, int *pis_text)
{
    apr_size_t length = 0;

    while (length < room) {
        apr_size_t run = bytes->spill_end - bytes->spill_begin;

        run = run < room - length ? run : room - length;
        memcpy(buffer + length, bytes->spill + bytes->spill_begin, run);
        bytes->spill_begin += run;
        length += run;
        if (bytes->spill_begin < bytes->spill_end) {
            break;
        }
        if (is_bytewise(bytes)) {
            run = bytes->end - bytes->begin;
            run = run < room - length ? run : room - length;
            run = ecl_utf8_prefix(bytes->input + bytes->begin, run);
            memcpy(buffer + length, bytes->input + bytes->begin, run);
            bytes->begin += run;
            length += run;
        }
        if (bytes->begin == bytes->end || length == room || !decode_character(bytes, pis_text)) {
            break;
        }
    }
    return length;
}

apr_status_t ecl_bytes_read(ecl_bytes_t *bytes, char *buffer, apr_size_t *plength, int *pis_text,
                            ecl_result_t *result)
{
    apr_size_t room = *plength < ECL_BYTES_READ ? *plength : ECL_BYTES_READ, length = 0;
    apr_status_t status = APR_SUCCESS;

    if (bytes->form.container == ECL_CONTAINER_XLSX) {
        return ecl_fail(result, ECL_EINPUT, "not-text", ECL_BYTES_WORKBOOK);
    }
    *pis_text = 1;
    if (room >= DIRECT_LEAST && is_bytewise(bytes) && bytes->begin == bytes->end &&
        bytes->spill_begin == bytes->spill_end && !bytes->has_ended) {
        length = room;
        status = read_directly(bytes, buffer, &length, result);
    }
    while (status == APR_SUCCESS && !length) {
        length = decode(bytes, buffer, room, pis_text);
        if (!length && bytes->has_ended) {
            return APR_EOF;
        }
        if (!length) {
            status = fill(bytes, room, result);
        }
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    *plength = length;
    bytes->position += (apr_int64_t)length;
    set_mark(bytes);
    return APR_SUCCESS;
}

/* ---- at first sight -------------------------------------------------------------------------- */

static apr_status_t look_at(ecl_look_t *look, ecl_bytes_t *bytes, apr_pool_t *reading,
                            ecl_result_t *result)
{
    char *buffer = apr_palloc(reading, ECL_BYTES_READ);
    apr_status_t status = APR_SUCCESS;

    while (status == APR_SUCCESS && bytes->unpacked < ECL_BYTES_EARLY) {
        apr_size_t length = ECL_BYTES_READ, wanted = ECL_SNIFF_BYTES - look->length;
        int is_text;

        status = ecl_bytes_read(bytes, buffer, &length, &is_text, result);
        if (status == APR_SUCCESS) {
            wanted = wanted < length ? wanted : length;
            memcpy(look->head + look->length, buffer, wanted);
            look->length += wanted;
        }
    }
    return status == APR_EOF ? APR_SUCCESS : status;
}

apr_status_t ecl_bytes_look(ecl_look_t *look, const char *path, apr_pool_t *p, ecl_result_t *result)
{
    ecl_bytes_t *bytes;
    apr_pool_t *reading;
    apr_status_t status;

    look->length = 0;
    apr_pool_create(&reading, p); /* holds the open file and its buffers */
    status = ecl_bytes_open(&bytes, path, reading, result);
    if (status == APR_SUCCESS && bytes->form.container != ECL_CONTAINER_XLSX) {
        status = look_at(look, bytes, reading, result);
    }
    if (status == APR_SUCCESS) {
        look->form = bytes->form;
        look->form.entry = apr_pstrdup(p, bytes->form.entry);
        look->form.packing = apr_pstrdup(p, bytes->form.packing);
        look->form.passed = apr_pstrdup(p, bytes->form.passed);
        look->head[look->length] = '\0';
    }
    apr_pool_destroy(reading);
    return status;
}
