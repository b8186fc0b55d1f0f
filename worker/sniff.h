/*
 * What a file is, by the bytes it begins with. Names and endings of files decide nothing.
 */
#ifndef ECL_SNIFF_H
#define ECL_SNIFF_H

#include "../lib/ecl.h"

#define ECL_SNIFF_BYTES 4096 /* of a file's beginning: enough for all of these */

typedef enum ecl_container_t {
    ECL_CONTAINER_NONE,
    ECL_CONTAINER_GZIP,
    ECL_CONTAINER_ZIP,
    ECL_CONTAINER_XLSX /* a zip with xl/workbook.xml in it: only its directory tells */
} ecl_container_t;

typedef enum ecl_encoding_t {
    ECL_ENCODING_UTF8,
    ECL_ENCODING_WINDOWS_1252, /* bytes that are not UTF-8 are characters of Windows-1252 */
    ECL_ENCODING_UTF16LE,
    ECL_ENCODING_UTF16BE,
    ECL_ENCODING_UTF16_DAMAGED /* was UTF-16; what is left between the NULs is ASCII */
} ecl_encoding_t;

/* NONE, GZIP or ZIP. */
ecl_container_t ecl_sniff_container(const char *head, apr_size_t length);

/* UTF-16 by its mark, or by a NUL in every second byte; damaged when the mark became U+FFFD, or
 * when NULs stand in both places; else UTF-8. *pmark: bytes of the mark at the beginning. */
ecl_encoding_t ecl_sniff_encoding(const char *head, apr_size_t length, apr_size_t *pmark);

/* Files of other kinds, told in one sentence: "this is a picture (PNG), …". NULL: none of these. */
const char *ecl_sniff_binary(const char *head, apr_size_t length);

/* A beginning of text (UTF-8, NUL-terminated, from its first character that is not blank) that is
 * no table. NULL: none of these. */
const char *ecl_sniff_text(const char *head);

typedef enum ecl_prospect_t {
    ECL_PROSPECT_NONE,    /* nothing, a picture, a document, a web page, XML of another kind … */
    ECL_PROSPECT_TEXT,    /* text in which no line looks like readings: a header only, a note */
    ECL_PROSPECT_READINGS /* it can hold readings; also a workbook of any kind, or an archive */
} ecl_prospect_t;

#define ECL_PROSPECT_BYTES ((apr_size_t)65536) /* of a file's beginning: enough for that */

/* What may be expected of a file that lies in an archive beside others, by its beginning, which is
 * changed in place. */
ecl_prospect_t ecl_sniff_prospect(char *head, apr_size_t length);

#endif /* ECL_SNIFF_H */
