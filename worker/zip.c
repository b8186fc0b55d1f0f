#include <apr_lib.h>
#include <apr_portable.h>
#include <apr_thread_mutex.h>
#include <fcntl.h>
#include <unistd.h>
#include <zip.h>

#include "../lib/utf8.h"
#include "bytes_internal.h"
#include "zip.h"

#define DIRECTORY_MAX (4 << 20) /* bytes: some 50,000 files */

/* The zip format's records that end an archive: APPNOTE.TXT 4.3.14 to 4.3.16. */
#define END_BYTES 22
#define END_SIZE 12 /* where the directory's size stands */
#define LOCATOR_BYTES 20
#define LOCATOR_OFFSET 8
#define END64_BYTES 56
#define END64_SIZE 40
#define TAIL_BYTES (65536 + END_BYTES + LOCATOR_BYTES) /* a comment may follow the last of them */

struct ecl_zip_t {
    zip_t *archive;
    apr_thread_mutex_t *lock; /* libzip knows no threads */
    ecl_zip_input_t input;
    apr_int64_t file_size;
};

struct ecl_zip_part_t {
    apr_thread_mutex_t *lock; /* the archive's */
    zip_file_t *file;
    const char *name;
    apr_int64_t packed;   /* as the archive says, in the stored file */
    apr_int64_t unpacked; /* so far */
};

/* ---- before libzip reads the directory ------------------------------------------------------- */

static apr_uint64_t little_endian(const unsigned char *bytes, int count)
{
    apr_uint64_t value = 0;

    while (count--) {
        value = value << 8 | bytes[count];
    }
    return value;
}

/* What the record at the given place of the file says of the directory's size; 0: there is none. */
static apr_uint64_t directory_size64(apr_file_t *file, apr_uint64_t offset)
{
    unsigned char end[END64_BYTES];
    apr_off_t at = (apr_off_t)offset;

    if (offset > APR_INT64_MAX || apr_file_seek(file, APR_SET, &at) != APR_SUCCESS ||
        apr_file_read_full(file, end, sizeof(end), NULL) != APR_SUCCESS ||
        memcmp(end, "PK\x06\x06", 4) != 0) {
        return 0;
    }
    return little_endian(end + END64_SIZE, 8);
}

/* The largest directory that libzip could find: whatever looks like an archive's end counts. */
static apr_status_t find_directory_size(apr_file_t *file, apr_int64_t file_size,
                                        apr_uint64_t *psize, apr_pool_t *p)
{
    apr_size_t length = file_size < TAIL_BYTES ? (apr_size_t)file_size : TAIL_BYTES;
    unsigned char *tail = apr_palloc(p, TAIL_BYTES);
    apr_off_t at = (apr_off_t)file_size - (apr_off_t)length;
    apr_status_t status = apr_file_seek(file, APR_SET, &at);

    if (status == APR_SUCCESS) {
        status = apr_file_read_full(file, tail, length, NULL);
    }
    *psize = 0;
    for (apr_size_t i = 0; status == APR_SUCCESS && i + LOCATOR_BYTES <= length; i++) {
        apr_uint64_t size = 0;

        if (i + END_BYTES <= length && !memcmp(tail + i, "PK\x05\x06", 4)) {
            size = little_endian(tail + i + END_SIZE, 4);
            size = size == 0xFFFFFFFF ? 0 : size; /* the other record says it */
        } else if (!memcmp(tail + i, "PK\x06\x07", 4)) {
            size = directory_size64(file, little_endian(tail + i + LOCATOR_OFFSET, 8));
        }
        *psize = size > *psize ? size : *psize;
    }
    return status;
}

static apr_status_t check_directory(const ecl_zip_input_t *input, apr_int64_t *pfile_size,
                                    apr_pool_t *p, ecl_result_t *result)
{
    apr_uint64_t size = 0;
    apr_finfo_t info;
    apr_status_t status = apr_file_info_get(&info, APR_FINFO_SIZE, input->file);

    if (status == APR_SUCCESS) {
        *pfile_size = (apr_int64_t)info.size;
        status = find_directory_size(input->file, *pfile_size, &size, p);
    }
    if (status != APR_SUCCESS) {
        return ecl_fail(result, status, "file-unreadable", "cannot read '%s'", input->name);
    }
    if (size > DIRECTORY_MAX) {
        return ecl_fail(result, ECL_EINPUT, "archive-too-large",
                        "the zip archive's directory of files has %" APR_UINT64_T_FMT
                        " bytes: an archive of one file needs no more than %d; unpack it and "
                        "upload the CSV file inside",
                        size, DIRECTORY_MAX);
    }
    return APR_SUCCESS;
}

/* ---- the archive ----------------------------------------------------------------------------- */

static apr_status_t close_archive(void *archive)
{
    zip_discard(archive);
    return APR_SUCCESS;
}

/* libzip closes the descriptor that it is given: it gets one of its own. NULL: *pcode says why. */
static zip_t *open_file(apr_file_t *file, int *pcode)
{
    apr_os_file_t descriptor;
    zip_t *archive;
    int own;

    apr_os_file_get(&descriptor, file);
    own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        *pcode = ZIP_ER_OPEN;
        return NULL;
    }
    archive = zip_fdopen(own, 0, pcode);
    if (!archive) {
        close(own);
    }
    return archive;
}

apr_status_t ecl_zip_open_archive(zip_t **parchive, apr_int64_t *pfile_size,
                                  const ecl_zip_input_t *input, apr_pool_t *p, ecl_result_t *result)
{
    int code = 0;
    zip_error_t error;
    apr_status_t status = check_directory(input, pfile_size, p, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    *parchive = open_file(input->file, &code);
    if (*parchive) {
        apr_pool_cleanup_register(p, *parchive, close_archive, apr_pool_cleanup_null);
        return APR_SUCCESS;
    }
    if (code == ZIP_ER_MEMORY) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to unpack the zip archive");
    }
    zip_error_init_with_code(&error, code);
    ecl_fail(
        result, ECL_EINPUT, "archive-damaged",
        "the zip archive or Excel workbook is cut off or damaged: the directory of files at its "
        "end, at byte %" APR_INT64_T_FMT ", cannot be read (%s); get it once more and upload "
        "that",
        *pfile_size, zip_error_strerror(&error));
    zip_error_fini(&error);
    return ECL_EINPUT;
}

apr_int64_t ecl_zip_stored(const ecl_zip_input_t *input, apr_int64_t file_size, apr_int64_t bytes)
{
    bytes = bytes < file_size ? bytes : file_size;
    return !input->stored || input->stored >= file_size
               ? bytes
               : (apr_int64_t)((double)bytes / (double)file_size * (double)input->stored);
}

apr_status_t ecl_zip_open(ecl_zip_t **pzip, const ecl_zip_input_t *input, apr_pool_t *p,
                          ecl_result_t *result)
{
    ecl_zip_t *zip = apr_pcalloc(p, sizeof *zip);

    *pzip = zip;
    zip->input = *input;
    if (apr_thread_mutex_create(&zip->lock, APR_THREAD_MUTEX_DEFAULT, p) != APR_SUCCESS) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to unpack the zip archive");
    }
    return ecl_zip_open_archive(&zip->archive, &zip->file_size, input, p, result);
}

apr_int64_t ecl_zip_file_size(const ecl_zip_t *zip)
{
    return zip->input.stored ? zip->input.stored : zip->file_size;
}

int ecl_zip_find(const ecl_zip_t *zip, const char *name)
{
    return (int)zip_name_locate(zip->archive, name, ZIP_FL_NOCASE);
}

apr_int64_t ecl_zip_size(apr_uint64_t size)
{
    return size > APR_INT64_MAX ? APR_INT64_MAX : (apr_int64_t)size;
}

/* The packed one is that of the stored file. Sizes are 0 where the archive says nothing. */
static void get_sizes(const ecl_zip_t *zip, int index, apr_int64_t *ppacked, apr_int64_t *psize)
{
    zip_stat_t stat;

    zip_stat_init(&stat);
    apr_thread_mutex_lock(zip->lock);
    zip_stat_index(zip->archive, (zip_uint64_t)index, 0, &stat);
    apr_thread_mutex_unlock(zip->lock);
    *ppacked = stat.valid & ZIP_STAT_COMP_SIZE
                   ? ecl_zip_stored(&zip->input, zip->file_size, ecl_zip_size(stat.comp_size))
                   : 0;
    *psize = stat.valid & ZIP_STAT_SIZE ? ecl_zip_size(stat.size) : 0;
}

apr_int64_t ecl_zip_part_size(const ecl_zip_t *zip, int index)
{
    apr_int64_t packed, size;

    get_sizes(zip, index, &packed, &size);
    return packed;
}

apr_int64_t ecl_zip_part_unpacked(const ecl_zip_t *zip, int index)
{
    apr_int64_t packed, size;

    get_sizes(zip, index, &packed, &size);
    return size;
}

/* ---- a part ---------------------------------------------------------------------------------- */

static apr_status_t close_part(void *file)
{
    zip_fclose(file);
    return APR_SUCCESS;
}

static apr_status_t fail_part(const char *name, zip_error_t *error, ecl_result_t *result)
{
    switch (zip_error_code_zip(error)) {
    case ZIP_ER_MEMORY:
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to unpack '%s'", name);
    case ZIP_ER_NOPASSWD:
    case ZIP_ER_WRONGPASSWD:
        return ecl_fail(result, ECL_EINPUT, "archive-encrypted",
                        "'%s' is protected by a password: save the file without one and upload "
                        "that",
                        name);
    default:
        return ecl_fail(result, ECL_EINPUT, "archive-damaged",
                        "the file is damaged: its part '%s' cannot be read (%s); get it once more "
                        "and upload that",
                        name, zip_error_strerror(error));
    }
}

apr_status_t ecl_zip_part_open(ecl_zip_part_t **ppart, ecl_zip_t *zip, int index, apr_pool_t *p,
                               ecl_result_t *result)
{
    ecl_zip_part_t *part = apr_pcalloc(p, sizeof *part);
    const char *name;

    part->lock = zip->lock;
    part->packed = ecl_zip_part_size(zip, index);
    apr_thread_mutex_lock(zip->lock);
    name = zip_get_name(zip->archive, (zip_uint64_t)index, 0);
    part->name = apr_psprintf(p, "%.*s", ECL_CUT(80, name ? name : ""));
    part->file = zip_fopen_index(zip->archive, (zip_uint64_t)index, 0);
    apr_thread_mutex_unlock(zip->lock);
    if (!part->file) {
        return fail_part(part->name, zip_get_error(zip->archive), result);
    }
    apr_pool_cleanup_register(p, part->file, close_part, apr_pool_cleanup_null);
    *ppart = part;
    return APR_SUCCESS;
}

apr_status_t ecl_zip_part_read(ecl_zip_part_t *part, void *bytes, apr_size_t *plength,
                               ecl_result_t *result)
{
    zip_int64_t length;

    apr_thread_mutex_lock(part->lock);
    length = zip_fread(part->file, bytes, *plength);
    apr_thread_mutex_unlock(part->lock);
    *plength = 0;
    if (length < 0) {
        return fail_part(part->name, zip_file_get_error(part->file), result);
    }
    if (!length) {
        return APR_EOF;
    }
    *plength = (apr_size_t)length;
    part->unpacked += length;
    return ecl_unpack_check_size(part->packed, part->unpacked, result);
}

apr_int64_t ecl_zip_part_used(apr_int64_t packed, apr_int64_t size, apr_int64_t unpacked)
{
    if (unpacked >= size) {
        return packed;
    }
    return (apr_int64_t)((double)packed * (double)unpacked / (double)size);
}
