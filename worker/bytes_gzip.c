/*
 * gzip (RFC 1952): one member, or several one after the other.
 */
#include "bytes_internal.h"

#include <zlib.h>

#define PACKED_BYTES 65536

typedef struct gzip_t {
    ecl_unpacker_t from;
    int is_inner; /* what it is unpacked from was packed itself */
    const char *name;
    z_stream stream;
    apr_int64_t used; /* bytes of the gzip file given to zlib and taken by it */
    apr_int64_t unpacked;
    int is_between; /* a member has ended; another may follow */
    int file_ended;
    unsigned char packed[PACKED_BYTES];
} gzip_t;

static apr_status_t end_stream(void *data)
{
    inflateEnd(data);
    return APR_SUCCESS;
}

/* Gives zlib more of the file, unless it still has some. */
static apr_status_t feed(gzip_t *gzip, ecl_result_t *result)
{
    apr_size_t length = sizeof(gzip->packed);
    apr_status_t status;

    if (gzip->stream.avail_in || gzip->file_ended) {
        return APR_SUCCESS;
    }
    status = gzip->from.read(gzip->from.baton, (char *)gzip->packed, &length, result);
    if (status == APR_EOF) {
        gzip->file_ended = 1;
        return APR_SUCCESS;
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    gzip->stream.next_in = gzip->packed;
    gzip->stream.avail_in = (uInt)length;
    return APR_SUCCESS;
}

static apr_status_t cut_off(const gzip_t *gzip, ecl_result_t *result)
{
    return ecl_fail(result, ECL_EINPUT, "archive-damaged",
                    "the gzip file is cut off: it ends at byte %" APR_INT64_T_FMT
                    ", in the middle of its data; get it once more and upload that",
                    gzip->used);
}

/* Goes on to the next member. Zeros fill up what was written to blocks of a tape or disk: as gzip
 * itself does, they are passed over. */
static apr_status_t next_member(gzip_t *gzip, ecl_result_t *result)
{
    apr_status_t status;

    for (;;) {
        status = feed(gzip, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        if (gzip->file_ended) {
            return APR_EOF;
        }
        if (*gzip->stream.next_in) {
            break;
        }
        gzip->stream.next_in++;
        gzip->stream.avail_in--;
        gzip->used++;
    }
    if (*gzip->stream.next_in != 0x1f) {
        return ecl_fail(result, ECL_EINPUT, "archive-damaged",
                        "the gzip file is damaged: what follows byte %" APR_INT64_T_FMT
                        " is not packed; unpack it and upload the file inside",
                        gzip->used);
    }
    gzip->is_between = 0;
    inflateReset(&gzip->stream);
    return APR_SUCCESS;
}

static apr_int64_t position(void *baton)
{
    gzip_t *gzip = baton;

    return gzip->is_inner ? gzip->from.position(gzip->from.baton) : gzip->used;
}

static apr_status_t read_gzip(void *baton, char *buffer, apr_size_t *plength, ecl_result_t *result)
{
    gzip_t *gzip = baton;
    apr_size_t room = *plength;
    apr_status_t status;

    gzip->stream.next_out = (unsigned char *)buffer;
    gzip->stream.avail_out = (uInt)room;
    while (gzip->stream.avail_out == room) {
        uInt left;
        int code;

        status = gzip->is_between ? next_member(gzip, result) : feed(gzip, result);
        if (status != APR_SUCCESS) {
            return status;
        }
        left = gzip->stream.avail_in;
        code = inflate(&gzip->stream, Z_NO_FLUSH);
        gzip->used += left - gzip->stream.avail_in;
        if (code == Z_STREAM_END) {
            gzip->is_between = 1;
        } else if (gzip->file_ended && gzip->stream.avail_out == room) {
            return cut_off(gzip, result);
        } else if (code == Z_MEM_ERROR) {
            return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to unpack '%s'",
                            gzip->name);
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            return ecl_fail(result, ECL_EINPUT, "archive-damaged",
                            "the gzip file is damaged at byte %" APR_INT64_T_FMT
                            " (%s); get it once more and upload that",
                            gzip->used, gzip->stream.msg ? gzip->stream.msg : "no gzip data");
        }
    }
    *plength = room - gzip->stream.avail_out;
    gzip->unpacked += (apr_int64_t)*plength;
    return ecl_unpack_check_size(position(gzip), gzip->unpacked, result);
}

apr_status_t ecl_unpack_gzip(ecl_unpacker_t *unpacker, const ecl_unpacker_t *from, int is_inner,
                             const char *name, apr_pool_t *p, ecl_result_t *result)
{
    gzip_t *gzip = apr_pcalloc(p, sizeof(*gzip));

    gzip->from = *from;
    gzip->is_inner = is_inner;
    gzip->name = name;
    if (inflateInit2(&gzip->stream, MAX_WBITS + 16) != Z_OK) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to unpack '%s'", name);
    }
    apr_pool_cleanup_register(p, &gzip->stream, end_stream, apr_pool_cleanup_null);
    *unpacker = (ecl_unpacker_t){gzip, read_gzip, position};
    return APR_SUCCESS;
}
