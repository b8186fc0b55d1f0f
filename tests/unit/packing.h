/*
 * For tests of packed files: makes gzip and zip files.
 */
#ifndef TESTS_PACKING_H
#define TESTS_PACKING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <zip.h>
#include <zlib.h>

#include "lib/ecl.h"

/* Bytes packed as one gzip member, allocated from p. */
static inline char *pack_gzip(const char *bytes, size_t length, size_t *ppacked, apr_pool_t *p)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (uInt)length};
    size_t room;
    char *packed;

    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    room = deflateBound(&stream, (uLong)length) + 32;
    packed = apr_palloc(p, room);
    stream.next_out = (unsigned char *)packed;
    stream.avail_out = (uInt)room;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    *ppacked = room - stream.avail_out;
    deflateEnd(&stream);
    return packed;
}

typedef struct packed_file_t {
    const char *name, *bytes; /* bytes NULL: a directory */
    size_t length;
} packed_file_t;

/* Writes a zip archive to path; password NULL: none. */
static inline void pack_zip(const char *path, const packed_file_t *files, int count,
                            const char *password)
{
    int code;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);

    assert_non_null(zip);
    for (int i = 0; i < count; i++) {
        zip_source_t *source;
        zip_int64_t index;

        if (!files[i].bytes) {
            assert_true(zip_dir_add(zip, files[i].name, ZIP_FL_ENC_GUESS) >= 0);
            continue;
        }
        source = zip_source_buffer(zip, files[i].bytes, files[i].length, 0);
        assert_non_null(source);
        index = zip_file_add(zip, files[i].name, source, ZIP_FL_ENC_GUESS);
        assert_true(index >= 0);
        if (password) {
            assert_int_equal(
                zip_file_set_encryption(zip, (zip_uint64_t)index, ZIP_EM_AES_256, password), 0);
        }
    }
    assert_int_equal(zip_close(zip), 0);
}

#endif /* TESTS_PACKING_H */
