/*
 * PostgreSQL's binary formats, for where text would be read and printed thousands of times over:
 * COPY … (FORMAT binary), and parameters and results of statements. Integers are big-endian; every
 * value has its length in bytes before it, -1 for NULL. An array's format is that of the send and
 * receive functions of arrayfuncs.c.
 */
#ifndef ECL_PG_BINARY_H
#define ECL_PG_BINARY_H

#include "meter_day.h"

/* Bytes that grow in a pool. */
typedef struct ecl_pg_bytes_t {
    char *data;
    apr_size_t size, room;
    apr_pool_t *pool;
} ecl_pg_bytes_t;

/* Plain integers. */
void ecl_pg_put_int16(ecl_pg_bytes_t *bytes, int value);
void ecl_pg_put_int32(ecl_pg_bytes_t *bytes, apr_int32_t value);
void ecl_pg_put_raw(ecl_pg_bytes_t *bytes, const void *data, apr_size_t length);

/* Values: length, then bytes. */
void ecl_pg_put_text(ecl_pg_bytes_t *bytes, const char *text, apr_size_t length);
void ecl_pg_put_integer(ecl_pg_bytes_t *bytes, apr_int32_t value); /* integer */
void ecl_pg_put_bigint(ecl_pg_bytes_t *bytes, apr_int64_t value);  /* bigint */
void ecl_pg_put_date(ecl_pg_bytes_t *bytes, ecl_date_t date);      /* date */

/* The element types of arrays. */
enum { ECL_PG_BIGINT = 20, ECL_PG_INTEGER = 23, ECL_PG_TEXT = 25, ECL_PG_DATE = 1082 };

/* What stands before the elements of an array of `count` values, none of them NULL. */
void ecl_pg_put_array(ecl_pg_bytes_t *bytes, int element_type, int count);

/* An integer of 4 or 8 bytes. */
apr_int64_t ecl_pg_get_int(const char *data, int length);

ecl_date_t ecl_pg_get_date(const char *data);

#endif /* ECL_PG_BINARY_H */
