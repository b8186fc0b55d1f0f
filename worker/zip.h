/*
 * Zip archives that somebody has uploaded, and their parts as streams. Used for archives that hold
 * one file (bytes.h) and for workbooks, which are archives of many.
 *
 * Nothing that an archive says about itself is trusted. libzip keeps the whole directory of parts
 * in memory; hence its size is looked at before. What comes out of a part is counted while it is
 * read, and reading ends with an error at the limits of bytes.h. Memory: the directory, and some
 * 100 KiB for each part that is open.
 */
#ifndef ECL_ZIP_H
#define ECL_ZIP_H

#include <apr_file_io.h>

#include "../lib/ecl.h"

typedef struct ecl_zip_t ecl_zip_t;
typedef struct ecl_zip_part_t ecl_zip_part_t;

/* An archive: a stored file, or one that was unpacked from it to a temporary file. */
typedef struct ecl_zip_input_t {
    apr_file_t *file;   /* is read from, and stays open */
    const char *name;   /* for messages */
    apr_int64_t stored; /* size of the stored file that it was unpacked from; 0: it is that file */
} ecl_zip_input_t;

/* libzip's own handle, for those who use it; and the archive's size. Closed with p. ECL_EINPUT:
 * "archive-damaged", "archive-too-large" (its directory); a system error, "file-unreadable". */
struct zip;
apr_status_t ecl_zip_open_archive(struct zip **parchive, apr_int64_t *pfile_size,
                                  const ecl_zip_input_t *input, apr_pool_t *p,
                                  ecl_result_t *result);

/* A size as the archive says it; at most APR_INT64_MAX. */
apr_int64_t ecl_zip_size(apr_uint64_t size);

/* So many bytes of an archive of a size, as bytes of the stored file: never more than either has,
 * whatever the archive says. */
apr_int64_t ecl_zip_stored(const ecl_zip_input_t *input, apr_int64_t file_size, apr_int64_t bytes);

/* The same, for what follows: sizes and limits are those of the stored file. */
apr_status_t ecl_zip_open(ecl_zip_t **pzip, const ecl_zip_input_t *input, apr_pool_t *p,
                          ecl_result_t *result);

apr_int64_t ecl_zip_file_size(const ecl_zip_t *zip);

/* The part of a name, in any letter case; -1: none. */
int ecl_zip_find(const ecl_zip_t *zip, const char *name);

/* What a part takes up in the archive, and unpacked, as the archive says (0: it does not): for
 * progress, never for limits. */
apr_int64_t ecl_zip_part_size(const ecl_zip_t *zip, int index);
apr_int64_t ecl_zip_part_unpacked(const ecl_zip_t *zip, int index);

/* Opens a part; closed with p, which must not outlive the archive. ECL_EINPUT: "archive-encrypted",
 * "archive-damaged" (also a method of compression that is not known here). */
apr_status_t ecl_zip_part_open(ecl_zip_part_t **ppart, ecl_zip_t *zip, int index, apr_pool_t *p,
                               ecl_result_t *result);

/* Up to *plength bytes; sets it to how many there are. Threads may read parts of one archive at the
 * same time. APR_EOF after the last. ECL_EINPUT:
 * "archive-damaged", "archive-too-large" for more than the limits of bytes.h. */
apr_status_t ecl_zip_part_read(ecl_zip_part_t *part, void *bytes, apr_size_t *plength,
                               ecl_result_t *result);

/* About how many of a part's `packed` bytes in the archive the first `unpacked` of its `size` bytes
 * have used up; never more than all. */
apr_int64_t ecl_zip_part_used(apr_int64_t packed, apr_int64_t size, apr_int64_t unpacked);

#endif /* ECL_ZIP_H */
