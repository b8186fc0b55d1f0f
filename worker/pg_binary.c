#include "pg_binary.h"

#include <arpa/inet.h>

#define EPOCH 10957 /* 2000-01-01: day 0 of a date */

static char *extend(ecl_pg_bytes_t *bytes, apr_size_t length)
{
    char *at;

    if (bytes->size + length > bytes->room) {
        apr_size_t room = (bytes->size + length) * 2 + 1024;
        char *data = apr_palloc(bytes->pool, room);

        if (bytes->size) {
            memcpy(data, bytes->data, bytes->size);
        }
        bytes->data = data;
        bytes->room = room;
    }
    at = bytes->data + bytes->size;
    bytes->size += length;
    return at;
}

static char *write_int16(char *at, int value)
{
    apr_uint16_t big = htons((apr_uint16_t)value);

    memcpy(at, &big, sizeof big);
    return at + sizeof big;
}

static char *write_int32(char *at, apr_int32_t value)
{
    apr_uint32_t big = htonl((apr_uint32_t)value);

    memcpy(at, &big, sizeof big);
    return at + sizeof big;
}

void ecl_pg_put_int16(ecl_pg_bytes_t *bytes, int value)
{
    write_int16(extend(bytes, 2), value);
}

void ecl_pg_put_int32(ecl_pg_bytes_t *bytes, apr_int32_t value)
{
    write_int32(extend(bytes, 4), value);
}

void ecl_pg_put_raw(ecl_pg_bytes_t *bytes, const void *data, apr_size_t length)
{
    memcpy(extend(bytes, length), data, length);
}

void ecl_pg_put_text(ecl_pg_bytes_t *bytes, const char *text, apr_size_t length)
{
    ecl_pg_put_int32(bytes, (apr_int32_t)length);
    ecl_pg_put_raw(bytes, text, length);
}

void ecl_pg_put_integer(ecl_pg_bytes_t *bytes, apr_int32_t value)
{
    write_int32(write_int32(extend(bytes, 8), 4), value);
}

void ecl_pg_put_bigint(ecl_pg_bytes_t *bytes, apr_int64_t value)
{
    char *at = write_int32(extend(bytes, 12), 8);

    at = write_int32(at, (apr_int32_t)((apr_uint64_t)value >> 32));
    write_int32(at, (apr_int32_t)(apr_uint32_t)value);
}

void ecl_pg_put_date(ecl_pg_bytes_t *bytes, ecl_date_t date)
{
    ecl_pg_put_integer(bytes, date - EPOCH);
}

void ecl_pg_put_array(ecl_pg_bytes_t *bytes, int element_type, int count)
{
    char *at = extend(bytes, 20);

    at = write_int32(at, 1); /* dimension */
    at = write_int32(at, 0); /* no NULLs */
    at = write_int32(at, element_type);
    at = write_int32(at, count);
    write_int32(at, 1); /* the first element's number */
}

/* ---- reading -------------------------------------------------------------------------------- */

static apr_int32_t read_int32(const char *at)
{
    apr_uint32_t big;

    memcpy(&big, at, sizeof big);
    return (apr_int32_t)ntohl(big);
}

apr_int64_t ecl_pg_get_int(const char *data, int length)
{
    if (length == 4) {
        return read_int32(data);
    }
    return (apr_int64_t)((apr_uint64_t)(apr_uint32_t)read_int32(data) << 32 |
                         (apr_uint32_t)read_int32(data + 4));
}

ecl_date_t ecl_pg_get_date(const char *data)
{
    return read_int32(data) + EPOCH;
}
