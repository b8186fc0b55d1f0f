/*
 * A multipart body of any bytes, boundary "b": however it is cut, the parts and the result are the
 * same; names keep to their limit and every part begins and ends in turn.
 * The first byte of the input is the size of the pieces.
 */
#include "fuzz.h"
#include "mod_eclectyc_import/multipart.h"

typedef struct seen_t {
    apr_uint64_t hash;
    int parts;
    int is_open;
} seen_t;

static void add(seen_t *seen, const char *bytes, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        seen->hash = (seen->hash ^ (unsigned char)bytes[i]) * APR_UINT64_C(1099511628211);
    }
}

static apr_status_t part_begin(void *baton, const ecl_part_t *part)
{
    seen_t *seen = baton;

    FUZZ_ASSERT(!seen->is_open);
    FUZZ_ASSERT(strlen(part->name) <= ECL_MULTIPART_NAME_BYTES);
    seen->is_open = 1;
    FUZZ_ASSERT(++seen->parts <= ECL_MULTIPART_PARTS);
    add(seen, part->name, strlen(part->name) + 1);
    if (part->filename) {
        add(seen, part->filename, strlen(part->filename) + 1);
    }
    return APR_SUCCESS;
}

static apr_status_t part_data(void *baton, const char *data, apr_size_t length)
{
    seen_t *seen = baton;

    FUZZ_ASSERT(seen->is_open && length);
    add(seen, data, length);
    return APR_SUCCESS;
}

static apr_status_t part_end(void *baton)
{
    seen_t *seen = baton;

    FUZZ_ASSERT(seen->is_open);
    seen->is_open = 0;
    add(seen, "", 1);
    return APR_SUCCESS;
}

static apr_status_t parse(const char *body, size_t length, size_t piece, seen_t *seen)
{
    static const ecl_multipart_events_t events = {part_begin, part_data, part_end};
    ecl_multipart_t *parser;
    ecl_result_t result;
    apr_status_t rv;
    apr_pool_t *pool;

    memset(seen, 0, sizeof *seen);
    apr_pool_create(&pool, NULL);
    result = ecl_result_make(pool);
    FUZZ_ASSERT(ecl_multipart_make(&parser, "multipart/form-data; boundary=b", &events, seen, pool,
                                   &result) == APR_SUCCESS);
    for (size_t from = 0; from < length; from += piece) {
        ecl_multipart_feed(parser, body + from, length - from < piece ? length - from : piece,
                           &result);
    }
    rv = ecl_multipart_finish(parser, &result);
    FUZZ_ASSERT(rv == APR_SUCCESS ? !seen->is_open : rv == ECL_EINPUT && result.detail);
    apr_pool_destroy(pool);
    return rv;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    seen_t whole, cut;

    if (length < 2) {
        return 0;
    }
    apr_initialize();
    FUZZ_ASSERT(parse((const char *)bytes + 1, length - 1, length, &whole) ==
                parse((const char *)bytes + 1, length - 1, 1 + bytes[0] % 32, &cut));
    FUZZ_ASSERT(whole.hash == cut.hash && whole.parts == cut.parts);
    apr_terminate();
    return 0;
}
