/*
 * zip: which file in it is meant, and its bytes.
 */
#include "bytes_internal.h"

#include <apr_lib.h>
#include <zip.h>

#include "zip.h"
#include "../lib/utf8.h"

#define NAME_SHOWN 80 /* bytes of a name in a message */
#define NAMES_SHOWN 5 /* of the files in an archive */
#define LOOKS_MAX 64  /* files that are looked into, of ECL_PROSPECT_BYTES each */

typedef struct archive_t {
    const ecl_zip_input_t *input;
    apr_int64_t file_size;
    zip_t *zip;
    zip_file_t *entry;
    const char *name;         /* the entry's */
    apr_int64_t packed, size; /* the entry's, as the directory says; packed: of the stored file */
    apr_int64_t unpacked;     /* so far */
} archive_t;

/* ---- which file ------------------------------------------------------------------------------ */

/* A name for messages: the last part, as text, not too long. */
static const char *show_name(const char *name, apr_pool_t *p)
{
    const char *slash = strrchr(name, '/');
    apr_size_t length;
    char *shown;

    name = slash && slash[1] ? slash + 1 : name;
    length = strlen(name);
    shown = apr_palloc(p, 3 * length + 1);
    length = ecl_utf8_repair(name, length, shown);
    for (char *at = shown; *at; at++) {
        *at = (unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at;
    }
    if (length <= NAME_SHOWN) {
        return shown;
    }
    length = NAME_SHOWN;
    while ((shown[length] & 0xC0) == 0x80) {
        length--;
    }
    shown[length] = '\0';
    return apr_pstrcat(p, shown, "…", NULL);
}

/* What macOS and Windows put beside the files that somebody packed, and directories. */
static int is_no_file(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *last = slash ? slash + 1 : name;

    return !*last || !strncmp(name, "__MACOSX/", 9) || strstr(name, "/__MACOSX/") ||
           !strncmp(last, "._", 2) || !strcmp(last, ".DS_Store") || !strcmp(last, "Thumbs.db") ||
           !strcmp(last, "desktop.ini");
}

/* Names for a message, of which the first few are shown. */
typedef struct names_t {
    const char *text;
    apr_int64_t count;
} names_t;

static void add_name(names_t *names, const char *name, apr_pool_t *p)
{
    if (names->count < NAMES_SHOWN) {
        names->text = apr_psprintf(p, "%s%s'%s'", names->count ? names->text : "",
                                   names->count ? ", " : "", show_name(name, p));
    } else if (names->count == NAMES_SHOWN) {
        names->text = apr_pstrcat(p, names->text, ", …", NULL);
    }
    names->count++;
}

static const char *entry_name(const archive_t *archive, zip_int64_t index)
{
    const char *name = zip_get_name(archive->zip, (zip_uint64_t)index, ZIP_FL_ENC_GUESS);

    return name && !is_no_file(name) ? name : NULL;
}

/* What an entry begins with. What can't be unpacked may hold anything. */
static ecl_prospect_t look_at(const archive_t *archive, zip_int64_t index, char *head)
{
    zip_file_t *file = zip_fopen_index(archive->zip, (zip_uint64_t)index, 0);
    apr_size_t length = 0;
    zip_int64_t got = 1;

    while (file && got > 0 && length < ECL_PROSPECT_BYTES) {
        got = zip_fread(file, head + length, ECL_PROSPECT_BYTES - length);
        length += got > 0 ? (apr_size_t)got : 0;
    }
    if (file) {
        zip_fclose(file);
    }
    return !file || got < 0 ? ECL_PROSPECT_READINGS : ecl_sniff_prospect(head, length);
}

/* The names of an archive's files by what can be expected of them. */
typedef struct survey_t {
    names_t all, of[ECL_PROSPECT_READINGS + 1];
    zip_int64_t first[ECL_PROSPECT_READINGS + 1];
} survey_t;

/* Names all files; looks into them where there are several, and not more than LOOKS_MAX. */
static void survey(survey_t *found, const archive_t *archive, apr_pool_t *p)
{
    zip_int64_t entries = zip_get_num_entries(archive->zip, 0);
    char *head;

    for (zip_int64_t i = 0; i < entries; i++) {
        if (entry_name(archive, i)) {
            found->first[0] = found->all.count ? found->first[0] : i;
            add_name(&found->all, entry_name(archive, i), p);
        }
    }
    if (found->all.count < 2 || found->all.count > LOOKS_MAX) {
        return;
    }
    head = apr_palloc(p, ECL_PROSPECT_BYTES);
    for (zip_int64_t i = 0; i < entries; i++) {
        const char *name = entry_name(archive, i);
        ecl_prospect_t prospect = name ? look_at(archive, i, head) : ECL_PROSPECT_NONE;

        if (name) {
            found->first[prospect] = found->of[prospect].count ? found->first[prospect] : i;
            add_name(&found->of[prospect], name, p);
        }
    }
}

static apr_status_t tell_several(const survey_t *found, ecl_result_t *result)
{
    const names_t *can = &found->of[ECL_PROSPECT_READINGS];
    const names_t *shown = can->count ? can : &found->all;

    return ecl_fail(result, ECL_EINPUT, "archive-several-files",
                    "the zip archive holds %" APR_INT64_T_FMT
                    " files (%s)%s: unpack it and upload each file that holds readings by itself",
                    shown->count, shown->text, can->count ? " that can hold readings" : "");
}

/* The names of all files but the one that is read. */
static const char *name_others(const archive_t *archive, zip_int64_t chosen, apr_pool_t *p)
{
    zip_int64_t entries = zip_get_num_entries(archive->zip, 0);
    names_t names = {0};

    for (zip_int64_t i = 0; i < entries; i++) {
        if (i != chosen && entry_name(archive, i)) {
            add_name(&names, entry_name(archive, i), p);
        }
    }
    return names.text;
}

/* The one file that is data. */
static apr_status_t choose_entry(archive_t *archive, ecl_form_t *form, zip_uint64_t *pindex,
                                 apr_pool_t *p, ecl_result_t *result)
{
    survey_t found = {0};
    zip_int64_t chosen;

    survey(&found, archive, p);
    if (!found.all.count) {
        return ecl_fail(result, ECL_EINPUT, "archive-empty", "the zip archive holds no file");
    }
    if (found.all.count == 1) {
        chosen = found.first[0];
    } else if (found.of[ECL_PROSPECT_READINGS].count == 1) {
        chosen = found.first[ECL_PROSPECT_READINGS];
    } else if (!found.of[ECL_PROSPECT_READINGS].count && found.of[ECL_PROSPECT_TEXT].count == 1) {
        chosen = found.first[ECL_PROSPECT_TEXT];
    } else {
        return tell_several(&found, result);
    }
    *pindex = (zip_uint64_t)chosen;
    archive->name = show_name(entry_name(archive, chosen), p);
    form->entry = archive->name;
    form->passed = name_others(archive, chosen, p);
    return APR_SUCCESS;
}

/* Documents that are zip archives, by what is in them. NULL: none of these. */
static const char *name_document(zip_t *zip)
{
    static const struct {
        const char *entry, *what;
    } documents[] = {
        {"xl/workbook.bin", "this is a binary Excel workbook (.xlsb): save it as .xlsx or CSV"},
        {"word/document.xml", "this is a Word document: export the readings as CSV instead"},
        {"ppt/presentation.xml", "this is a PowerPoint file: export the readings as CSV instead"},
        {"META-INF/manifest.xml",
         "this is an OpenDocument file (such as .ods): save it as .xlsx or CSV"},
        {"Index/Document.iwa", "this is a Numbers document: export it as CSV"},
    };

    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        if (zip_name_locate(zip, documents[i].entry, ZIP_FL_ENC_RAW) >= 0) {
            return documents[i].what;
        }
    }
    return NULL;
}

/* ---- reading --------------------------------------------------------------------------------- */

static apr_status_t damaged(const archive_t *archive, int code, const char *why,
                            ecl_result_t *result)
{
    if (code == ZIP_ER_MEMORY) {
        return ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to unpack the zip archive");
    }
    return ecl_fail(result, ECL_EINPUT, "archive-damaged",
                    "the zip archive is damaged: '%s' can be read up to its byte %" APR_INT64_T_FMT
                    " of %" APR_INT64_T_FMT " (%s); get it once more and upload that",
                    archive->name, archive->unpacked, archive->size, why);
}

static apr_status_t read_entry(void *baton, char *buffer, apr_size_t *plength, ecl_result_t *result)
{
    archive_t *archive = baton;
    zip_int64_t length = zip_fread(archive->entry, buffer, *plength);

    if (length < 0) {
        zip_error_t *error = zip_file_get_error(archive->entry);

        return damaged(archive, zip_error_code_zip(error), zip_error_strerror(error), result);
    }
    if (!length) {
        return archive->unpacked == archive->size
                   ? APR_EOF
                   : damaged(archive, ZIP_ER_EOF, "it ends there", result);
    }
    *plength = (apr_size_t)length;
    archive->unpacked += length;
    return ecl_unpack_check_size(archive->packed, archive->unpacked, result);
}

/* libzip does not say; what is packed is taken to be packed evenly. */
static apr_int64_t position(void *baton)
{
    const archive_t *archive = baton;
    apr_int64_t stored = archive->input->stored ? archive->input->stored : archive->file_size;

    return archive->unpacked >= archive->size
               ? stored
               : (apr_int64_t)((double)archive->unpacked / (double)archive->size * (double)stored);
}

static apr_status_t close_entry(void *data)
{
    archive_t *archive = data;

    if (archive->entry) {
        zip_fclose(archive->entry);
    }
    return APR_SUCCESS;
}

static apr_status_t open_entry(archive_t *archive, zip_uint64_t index, ecl_result_t *result)
{
    zip_stat_t stat;
    zip_error_t *error;

    if (zip_stat_index(archive->zip, index, 0, &stat) != 0 ||
        (stat.valid & (ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD)) !=
            (ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD)) {
        return damaged(archive, ZIP_ER_INCONS, "its directory is incomplete", result);
    }
    if (stat.valid & ZIP_STAT_ENCRYPTION_METHOD && stat.encryption_method != ZIP_EM_NONE) {
        return ecl_fail(result, ECL_EINPUT, "archive-encrypted",
                        "the zip archive is protected by a password: unpack it and upload '%s'",
                        archive->name);
    }
    if (!zip_compression_method_supported(stat.comp_method, 0)) {
        return ecl_fail(result, ECL_EINPUT, "archive-method",
                        "'%s' is packed by a method that is not read (number %d): unpack the zip "
                        "archive and upload the file",
                        archive->name, (int)stat.comp_method);
    }
    archive->packed =
        ecl_zip_stored(archive->input, archive->file_size, ecl_zip_size(stat.comp_size));
    archive->size = ecl_zip_size(stat.size);
    archive->entry = zip_fopen_index(archive->zip, index, 0);
    if (!archive->entry) {
        error = zip_get_error(archive->zip);
        return damaged(archive, zip_error_code_zip(error), zip_error_strerror(error), result);
    }
    return ecl_unpack_check_size(archive->packed, archive->size, result);
}

apr_status_t ecl_unpack_zip(ecl_unpacker_t *unpacker, ecl_form_t *form,
                            const ecl_zip_input_t *input, apr_pool_t *p, ecl_result_t *result)
{
    archive_t *archive = apr_pcalloc(p, sizeof(*archive));
    zip_uint64_t index = 0;
    const char *what;
    apr_status_t status;

    status = ecl_zip_open_archive(&archive->zip, &archive->file_size, input, p, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    archive->input = input;
    apr_pool_cleanup_register(p, archive, close_entry, apr_pool_cleanup_null);
    if (zip_name_locate(archive->zip, "xl/workbook.xml", ZIP_FL_NOCASE | ZIP_FL_ENC_RAW) >= 0) {
        form->container = ECL_CONTAINER_XLSX;
        return APR_SUCCESS;
    }
    what = name_document(archive->zip);
    if (what) {
        return ecl_fail(result, ECL_EINPUT, "not-text", "%s", what);
    }
    if ((status = choose_entry(archive, form, &index, p, result)) != APR_SUCCESS ||
        (status = open_entry(archive, index, result)) != APR_SUCCESS) {
        return status;
    }
    *unpacker = (ecl_unpacker_t){archive, read_entry, position};
    return APR_SUCCESS;
}
