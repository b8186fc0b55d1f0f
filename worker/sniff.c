#include "sniff.h"

#include <apr_cstr.h>

static int begins(const char *head, apr_size_t length, const char *what, apr_size_t what_length)
{
    return length >= what_length && !memcmp(head, what, what_length);
}

#define BEGINS(head, length, literal) begins(head, length, literal, sizeof(literal) - 1)

ecl_container_t ecl_sniff_container(const char *head, apr_size_t length)
{
    if (BEGINS(head, length, "PK\x03\x04") || BEGINS(head, length, "PK\x05\x06")) {
        return ECL_CONTAINER_ZIP;
    }
    return BEGINS(head, length, "\x1f\x8b") ? ECL_CONTAINER_GZIP : ECL_CONTAINER_NONE;
}

/* ---- encoding -------------------------------------------------------------------------------- */

#define REPLACED "\xef\xbf\xbd" /* U+FFFD, what a converter puts for a byte it can't read */

typedef struct nuls_t {
    apr_size_t even, odd; /* at these places */
    apr_size_t units;     /* pairs of bytes */
} nuls_t;

static nuls_t count_nuls(const char *head, apr_size_t length)
{
    nuls_t nuls = {.units = length / 2};

    for (apr_size_t i = 0; i < length; i++) {
        if (!head[i]) {
            *(i % 2 ? &nuls.odd : &nuls.even) += 1;
        }
    }
    return nuls;
}

/* Nothing but text is left when the NULs are taken out. */
static int is_text_without_nuls(const char *head, apr_size_t length)
{
    for (apr_size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)head[i];

        if (byte && byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n') {
            return 0;
        }
    }
    return 1;
}

/* About every second byte is NUL, at even and at odd places: bytes got lost or were added. */
static int is_damaged(const char *head, apr_size_t length, apr_size_t least)
{
    nuls_t nuls = count_nuls(head, length);
    apr_size_t all = nuls.even + nuls.odd;

    return length >= least && all * 10 >= length * 3 && all * 10 <= length * 6 &&
           is_text_without_nuls(head, length);
}

ecl_encoding_t ecl_sniff_encoding(const char *head, apr_size_t length, apr_size_t *pmark)
{
    int is_little = BEGINS(head, length, "\xff\xfe"), is_big = BEGINS(head, length, "\xfe\xff");
    nuls_t nuls;

    *pmark = is_little || is_big ? 2 : 0;
    nuls = count_nuls(head + *pmark, length - *pmark);
    if (is_little || is_big) {
        apr_size_t right = is_little ? nuls.odd : nuls.even, wrong = nuls.even + nuls.odd - right;

        if (wrong > 1 && wrong * 4 > right && is_damaged(head + 2, length - 2, 4)) {
            return ECL_ENCODING_UTF16_DAMAGED;
        }
        return is_little ? ECL_ENCODING_UTF16LE : ECL_ENCODING_UTF16BE;
    }
    if (BEGINS(head, length, REPLACED)) {
        apr_size_t mark = BEGINS(head, length, REPLACED REPLACED) ? 6 : 3;

        if (is_damaged(head + mark, length - mark, 4)) {
            *pmark = mark;
            return ECL_ENCODING_UTF16_DAMAGED;
        }
    }
    /* most characters of a table are ASCII */
    if (nuls.units >= 4 && nuls.odd * 10 >= nuls.units * 7 && nuls.even * 20 <= nuls.odd) {
        return ECL_ENCODING_UTF16LE;
    }
    if (nuls.units >= 4 && nuls.even * 10 >= nuls.units * 7 && nuls.odd * 20 <= nuls.even) {
        return ECL_ENCODING_UTF16BE;
    }
    if (is_damaged(head, length, 16)) {
        return ECL_ENCODING_UTF16_DAMAGED;
    }
    *pmark = BEGINS(head, length, "\xef\xbb\xbf") ? 3 : 0;
    return ECL_ENCODING_UTF8;
}

/* ---- files of other kinds -------------------------------------------------------------------- */

/* A file of the old Office kind, or the box around an encrypted one of the new kind: this has a
 * stream of a name that nearly always stands in the file's beginning. */
static const char *name_ole(const char *head, apr_size_t length)
{
    static const char stream[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";

    if (memmem(head, length, stream, sizeof(stream))) {
        return "this is a workbook with a password: save it without one and upload that";
    }
    return "this is an Excel workbook of the old kind (.xls), or one with a password: save it as "
           ".xlsx without a password, or as CSV, and upload that";
}

const char *ecl_sniff_binary(const char *head, apr_size_t length)
{
    if (BEGINS(head, length, "\x89PNG")) {
        return "this is a picture (PNG), not a table of readings";
    }
    if (BEGINS(head, length, "\xff\xd8\xff")) {
        return "this is a picture (JPEG), not a table of readings";
    }
    if (BEGINS(head, length, "GIF8")) {
        return "this is a picture (GIF), not a table of readings";
    }
    if (BEGINS(head, length, "%PDF")) {
        return "this is a PDF document: export the readings as CSV instead";
    }
    if (BEGINS(head, length, "\xd0\xcf\x11\xe0")) {
        return name_ole(head, length);
    }
    if (BEGINS(head, length, "7z\xbc\xaf\x27\x1c")) {
        return "this is a 7-Zip archive: unpack it and upload the CSV file inside";
    }
    if (BEGINS(head, length, "Rar!\x1a\x07")) {
        return "this is a RAR archive: unpack it and upload the CSV file inside";
    }
    if (BEGINS(head, length, "BZh") && length >= 10 && !memcmp(head + 4, "1AY&SY", 6)) {
        return "this is a bzip2 archive: unpack it and upload the CSV file inside";
    }
    if (BEGINS(head, length,
               "\xfd"
               "7zXZ")) {
        return "this is an xz archive: unpack it and upload the CSV file inside";
    }
    if (BEGINS(head, length, "\xff\xfe\0\0") || BEGINS(head, length, "\0\0\xfe\xff")) {
        return "this is UTF-32 text: save it as CSV UTF-8";
    }
    return NULL;
}

const char *ecl_sniff_text(const char *head)
{
    if (!apr_cstr_casecmpn(head, "<!doctype html", 14) || !apr_cstr_casecmpn(head, "<html", 5)) {
        return "this is a web page (HTML), perhaps a login or error page saved in place of the "
               "export";
    }
    if (!strncmp(head, "100,NEM1", 8)) {
        return "this is a file of the Australian market (NEM12 or NEM13), which is not read: "
               "export the readings as a table";
    }
    return NULL;
}
