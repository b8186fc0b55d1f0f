/*
 * A stored file as a stream of UTF-8, whatever it is packed in and however it is encoded.
 *
 *   stored file ──▶ container ─────────────▶ encoding ──────────────────────▶ UTF-8
 *                   none                     UTF-8, Windows-1252
 *                   gzip                     UTF-16, with a mark or without
 *                   zip                      UTF-16 damaged in transit
 *
 * A container may lie in a container, one in one: a .csv.gz or a workbook in a zip. Of a zip's
 * files one is read: the only one, or the only one that can hold readings, by what it begins with
 * (sniff.h). A zip or workbook within a container goes to a temporary file, because what says where
 * its files stand comes last.
 *
 * Memory is constant: a buffer of 64 KiB, and what zlib and libzip need. A file in plain UTF-8 is
 * read straight into the caller's buffer and only looked at.
 *
 * Bytes that are not UTF-8 are read as Windows-1252, one by one: a £ of an older Windows reads
 * right wherever it stands, also in a file put together from several. The five bytes that
 * Windows-1252 does not define, NULs, and halves of surrogate pairs are handed on as bytes that are
 * no UTF-8.
 *
 * What unpacks to more than ECL_BYTES_MAX, or past ECL_BYTES_RATIO_FROM to more than
 * ECL_BYTES_RATIO times what it was unpacked from, is refused: it is made to fill the machine.
 */
#ifndef ECL_BYTES_H
#define ECL_BYTES_H

#include "sniff.h"

#define ECL_BYTES_MAX ((apr_int64_t)64 << 30)
#define ECL_BYTES_RATIO_FROM ((apr_int64_t)64 << 20)
#define ECL_BYTES_RATIO 200
#define ECL_BYTES_SPOOL_MAX ((apr_int64_t)2 << 30) /* of a temporary file */
#define ECL_BYTES_READ ((apr_size_t)65536)         /* one read gives no more than this */
/* bytes of the unpacked file within which what is found out about it counts as known from the start
 */
#define ECL_BYTES_EARLY 65536

/* what is told of a workbook by those who want text */
#define ECL_BYTES_WORKBOOK "this is an Excel workbook (.xlsx), not a text"

typedef struct ecl_bytes_t ecl_bytes_t;

/* What is known of a file's form so far: Windows-1252 shows only where its first byte is read. */
typedef struct ecl_form_t {
    ecl_container_t container; /* the outermost one; XLSX: a workbook, whatever it is packed in */
    const char *packing; /* in words: "zip holding 'x.csv.gz', packed with gzip"; NULL: none */
    const char *entry;   /* zip: name of the file in it, shortened; else NULL */
    const char *passed;  /* zip: names of the files beside it that were not read; NULL: none */
    ecl_encoding_t encoding;
    apr_int64_t first_other; /* bytes of the unpacked file before the first that is not UTF-8; -1 */
} ecl_form_t;

/* Opens a stored file at its start; closed with p.
 *   ECL_ENOTFOUND "file-missing"; a system error, "file-unreadable"
 *   ECL_EINPUT "not-text": a picture, PDF, .xls …, by name, also within a container
 *              "archive-several-files" (named), "archive-empty", "archive-encrypted",
 *              "archive-nested", "archive-method", "archive-too-large", "archive-damaged"
 * An Excel workbook (container ECL_CONTAINER_XLSX) opens, but is no text: reading it is refused. */
apr_status_t ecl_bytes_open(ecl_bytes_t **pbytes, const char *path, apr_pool_t *p,
                            ecl_result_t *result);

/* The workbook, of ECL_CONTAINER_XLSX, for ecl_xlsx_open, valid as long as bytes; NULL: a text. */
struct ecl_zip_input_t;
const struct ecl_zip_input_t *ecl_bytes_workbook(const ecl_bytes_t *bytes);

/* Valid as long as bytes; changes as bytes are read. */
const ecl_form_t *ecl_bytes_form(const ecl_bytes_t *bytes);

/* "zip holding 'x.csv', UTF-16"; NULL for plain UTF-8. Allocated from p. */
const char *ecl_form_words(const ecl_form_t *form, apr_pool_t *p);

/* Reads up to *plength bytes, at least one. A byte order mark is not among them. *pis_text: all of
 * them are well-formed UTF-8 without a NUL; then they end with a character, unless *plength left no
 * room for it. APR_EOF at the end; a system error, "file-unreadable"; ECL_EINPUT "archive-damaged"
 * or "archive-too-large", which name the byte of the stored file, or "not-text". Whoever meets
 * these must not take what came before for the whole file. Allocates nothing but a failure's
 * detail. */
apr_status_t ecl_bytes_read(ecl_bytes_t *bytes, char *buffer, apr_size_t *plength, int *pis_text,
                            ecl_result_t *result);

/* The position in the stored file that belongs to a position in the stream, of the last 4 MiB that
 * were read: exact in a file that is plain UTF-8, near it in others. Never less than what it
 * returned before; at most the file's size. */
apr_int64_t ecl_bytes_stored(ecl_bytes_t *bytes, apr_int64_t position);

/* ---- at first sight -------------------------------------------------------------------------- */

typedef struct ecl_look_t {
    char head[ECL_SNIFF_BYTES + 1]; /* the beginning of the text, NUL-terminated */
    apr_size_t length;              /* of head; 0: the file is empty, or a workbook */
    ecl_form_t form;                /* as far as ECL_BYTES_EARLY bytes show it */
} ecl_look_t;

/* Looks at a stored file's beginning; nothing stays open. Fails as ecl_bytes_open and
 * ecl_bytes_read do, but not for a workbook. Strings are allocated from p. */
apr_status_t ecl_bytes_look(ecl_look_t *look, const char *path, apr_pool_t *p,
                            ecl_result_t *result);

#endif /* ECL_BYTES_H */
