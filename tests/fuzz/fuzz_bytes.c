/*
 * Any bytes as a stored file: it is read or refused, however it is cut into reads the text is the
 * same, what is called text is text, and positions in the stored file grow up to its size.
 * The first byte of the input picks the size of the reads.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "worker/bytes.h"
#include "lib/utf8.h"

#define READ_MAX (1 << 20) /* of text: then what follows is let be */

typedef struct outcome_t {
    apr_status_t status;
    apr_size_t length;
    int is_text;
    char text[READ_MAX];
} outcome_t;

/* Reads the file at path once. */
static void read_once(const char *path, apr_size_t read_size, size_t file_size, outcome_t *outcome)
{
    apr_int64_t stored = 0;
    ecl_result_t result;
    ecl_bytes_t *bytes;
    apr_pool_t *pool;

    apr_pool_create(&pool, NULL);
    result = ecl_result_make(pool);
    outcome->length = 0;
    outcome->is_text = 1;
    outcome->status = ecl_bytes_open(&bytes, path, pool, &result);
    while (outcome->status == APR_SUCCESS && outcome->length + read_size <= READ_MAX) {
        apr_size_t length = read_size;
        int is_text = 0;

        outcome->status =
            ecl_bytes_read(bytes, outcome->text + outcome->length, &length, &is_text, &result);
        if (outcome->status == APR_SUCCESS) {
            apr_int64_t now;

            FUZZ_ASSERT(length >= 1 && length <= read_size);
            outcome->length += length;
            outcome->is_text &= is_text;
            now = ecl_bytes_stored(bytes, (apr_int64_t)outcome->length);
            FUZZ_ASSERT(now >= stored && now <= (apr_int64_t)file_size);
            stored = now;
        }
    }
    if (outcome->status == APR_EOF) {
        FUZZ_ASSERT(outcome->is_text == ecl_utf8_is_text(outcome->text, outcome->length));
        ecl_form_words(ecl_bytes_form(bytes), pool);
    } else if (outcome->status != APR_SUCCESS) {
        FUZZ_ASSERT(outcome->status == ECL_EINPUT && result.code && result.detail);
        FUZZ_ASSERT(ecl_utf8_is_text(result.detail, strlen(result.detail)));
    }
    apr_pool_destroy(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static outcome_t at_once, in_pieces;
    char path[64];
    int fd;

    if (length < 1) {
        return 0;
    }
    apr_initialize();
    fd = memfd_create("fuzz", 0);
    FUZZ_ASSERT(fd >= 0);
    FUZZ_ASSERT(write(fd, bytes + 1, length - 1) == (ssize_t)(length - 1));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_once(path, ECL_BYTES_READ, length - 1, &at_once);
    read_once(path, 1 + bytes[0] % 80, length - 1, &in_pieces);
    FUZZ_ASSERT(at_once.status == in_pieces.status);
    if (at_once.status == APR_EOF) {
        FUZZ_ASSERT(at_once.length == in_pieces.length && at_once.is_text == in_pieces.is_text);
        FUZZ_ASSERT(!memcmp(at_once.text, in_pieces.text, at_once.length));
    }
    close(fd);
    apr_terminate();
    return 0;
}
