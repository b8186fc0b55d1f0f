/*
 * The parts of reading bytes; only worker/bytes*.c include this, and their tests.
 */
#ifndef ECL_BYTES_INTERNAL_H
#define ECL_BYTES_INTERNAL_H

#include <apr_file_io.h>

#include "bytes.h"
#include "zip.h"

/* What a container holds, unpacked. */
typedef struct ecl_unpacker_t {
    void *baton;
    /* As apr_file_read; APR_EOF only when the container proved whole. */
    apr_status_t (*read)(void *baton, char *buffer, apr_size_t *plength, ecl_result_t *result);
    /* bytes of the stored file used so far */
    apr_int64_t (*position)(void *baton);
} ecl_unpacker_t;

/* name: the stored file's, for messages. is_inner: what `from` gives was packed itself. */
apr_status_t ecl_unpack_gzip(ecl_unpacker_t *unpacker, const ecl_unpacker_t *from, int is_inner,
                             const char *name, apr_pool_t *p, ecl_result_t *result);

/* Sets form->entry and form->passed, and form->container to ECL_CONTAINER_XLSX for a workbook: then
 * there is no unpacker. */
apr_status_t ecl_unpack_zip(ecl_unpacker_t *unpacker, ecl_form_t *form,
                            const ecl_zip_input_t *input, apr_pool_t *p, ecl_result_t *result);

/* Gives `length` bytes of head again, which were read from another unpacker, and then what else it
 * gives. */
void ecl_unpack_again(ecl_unpacker_t *unpacker, const ecl_unpacker_t *from, const char *head,
                      apr_size_t length, apr_pool_t *p);

/* Unpacks all of it into a temporary file, which is gone when it is closed, with p. It stands in
 * $TMPDIR, else /tmp. ECL_EINPUT "archive-too-large": more than `most` bytes, which are not written
 * (ECL_BYTES_SPOOL_MAX). A full disk: "no-space". */
apr_status_t ecl_unpack_spool(apr_file_t **pfile, const ecl_unpacker_t *from, apr_int64_t most,
                              apr_pool_t *p, ecl_result_t *result);

/* Refuses what unpacks to far more than it is. */
apr_status_t ecl_unpack_check_size(apr_int64_t packed, apr_int64_t unpacked, ecl_result_t *result);

#define ECL_CHARACTER_MAX 4

/* One character of the unpacked bytes. */
typedef struct ecl_decoded_t {
    apr_size_t used;   /* bytes of it; 0: it is cut off, more are needed */
    apr_size_t length; /* of text; 0: it stands for nothing */
    char text[ECL_CHARACTER_MAX];
    int is_text;  /* text is a character in UTF-8 */
    int is_other; /* it was not UTF-8, but Windows-1252 */
} ecl_decoded_t;

/* Decodes the first character of `length` (at least 1) bytes. is_end: none follow. */
void ecl_decode(ecl_encoding_t encoding, const char *bytes, apr_size_t length, int is_end,
                ecl_decoded_t *decoded);

#endif /* ECL_BYTES_INTERNAL_H */
