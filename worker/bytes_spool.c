/*
 * What an archive within an archive needs: the bytes by which it was known, once more, and a zip
 * archive as a file, because its directory stands at its end.
 */
#include "bytes_internal.h"
#include "temp_file.h"

#define PIECE 65536

typedef struct again_t {
    ecl_unpacker_t from;
    const char *head;
    apr_size_t at, length;
} again_t;

static apr_status_t read_again(void *baton, char *buffer, apr_size_t *plength, ecl_result_t *result)
{
    again_t *again = baton;
    apr_size_t left = again->length - again->at;

    if (!left) {
        return again->from.read(again->from.baton, buffer, plength, result);
    }
    *plength = left < *plength ? left : *plength;
    memcpy(buffer, again->head + again->at, *plength);
    again->at += *plength;
    return APR_SUCCESS;
}

static apr_int64_t position(void *baton)
{
    again_t *again = baton;

    return again->from.position(again->from.baton);
}

void ecl_unpack_again(ecl_unpacker_t *unpacker, const ecl_unpacker_t *from, const char *head,
                      apr_size_t length, apr_pool_t *p)
{
    again_t *again = apr_pcalloc(p, sizeof(*again));

    *again = (again_t){.from = *from, .head = apr_pmemdup(p, head, length), .length = length};
    *unpacker = (ecl_unpacker_t){again, read_again, position};
}

/* ---- a temporary file ------------------------------------------------------------------------ */

static apr_status_t fail_file(apr_status_t status, ecl_result_t *result)
{
    return ecl_fail(result, status, "no-space",
                    "cannot unpack the archive to a temporary file: make room in TMPDIR");
}

static apr_status_t fill_file(apr_file_t *file, const ecl_unpacker_t *from, apr_int64_t most,
                              char *piece, ecl_result_t *result)
{
    apr_int64_t written = 0;

    for (;;) {
        apr_size_t length = PIECE;
        apr_status_t status = from->read(from->baton, piece, &length, result);

        if (status != APR_SUCCESS) {
            return status;
        }
        written += (apr_int64_t)length;
        if (written > most) {
            return ecl_fail(
                result, ECL_EINPUT, "archive-too-large",
                "the archive or workbook within the archive has more than %" APR_INT64_T_FMT
                " MiB: "
                "unpack it and upload what is inside",
                most >> 20);
        }
        status = apr_file_write_full(file, piece, length, NULL);
        if (status != APR_SUCCESS) {
            return fail_file(status, result);
        }
    }
}

apr_status_t ecl_unpack_spool(apr_file_t **pfile, const ecl_unpacker_t *from, apr_int64_t most,
                              apr_pool_t *p, ecl_result_t *result)
{
    apr_pool_t *filling;
    apr_status_t status = ecl_temp_file_open(pfile, "unpacked", 0, p);

    if (status != APR_SUCCESS) {
        return fail_file(status, result);
    }
    apr_pool_create(&filling, p);
    status = fill_file(*pfile, from, most, apr_palloc(filling, PIECE), result);
    apr_pool_destroy(filling);
    return status == APR_EOF ? APR_SUCCESS : status;
}
