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
    static const char word[] = "W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t";
    static const char slides[] = "P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0 \0D\0o\0c";
    static const char mail[] = "_\0_\0p\0r\0o\0p\0e\0r\0t\0i\0e\0s\0_";

    if (memmem(head, length, stream, sizeof(stream))) {
        return "this is a workbook with a password: save it without one and upload that";
    }
    if (memmem(head, length, word, sizeof(word))) {
        return "this is a Word document of the old kind (.doc): export the readings as CSV instead";
    }
    if (memmem(head, length, slides, sizeof(slides))) {
        return "this is a PowerPoint file of the old kind (.ppt): export the readings as CSV "
               "instead";
    }
    if (memmem(head, length, mail, sizeof(mail))) {
        return "this is an Outlook message (.msg): save what is attached to it and upload that";
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
    if (BEGINS(head, length, "II*\0") || BEGINS(head, length, "MM\0*")) {
        return "this is a picture (TIFF), not a table of readings";
    }
    if (BEGINS(head, length, "RIFF") && length >= 12 && !memcmp(head + 8, "WEBP", 4)) {
        return "this is a picture (WebP), not a table of readings";
    }
    if (length >= 12 && !memcmp(head + 4, "ftyphei", 7)) {
        return "this is a picture (HEIC), not a table of readings";
    }
    if (BEGINS(head, length, "%PDF")) {
        return "this is a PDF document: export the readings as CSV instead";
    }
    if (BEGINS(head, length, "\xd0\xcf\x11\xe0")) {
        return name_ole(head, length);
    }
    if (BEGINS(head, length, "\x09\x08\x08\0\0\x05") ||
        BEGINS(head, length, "\x09\x04\x06\0\0\0") || BEGINS(head, length, "\x09\x02\x06\0\0\0") ||
        BEGINS(head, length, "\x09\0\x04\0\x02\0")) {
        return "this is an Excel workbook of a very old kind (.xls): save it as .xlsx or CSV, and "
               "upload that";
    }
    if (BEGINS(head, length, "SQLite format 3") || BEGINS(head, length, "\0\1\0\0Standard ")) {
        return "this is a database: export the readings from it as CSV";
    }
    if (BEGINS(head, length, "PAR1")) {
        return "this is a Parquet file: export the readings as CSV";
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

/* What begins like a web page, or like a part of one, as reporting tools write it. */
static int is_html(const char *head)
{
    static const char *const tags[] = {"!doctype html", "html",  "head", "body", "table",
                                       "meta",          "style", "div",  "title"};

    if (*head != '<') {
        return 0;
    }
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        apr_size_t length = strlen(tags[i]);

        if (!apr_cstr_casecmpn(head + 1, tags[i], length) &&
            strchr(" >\t\r\n/", head[1 + length])) {
            return 1;
        }
    }
    return 0;
}

static int holds_tag(const char *head, const char *tag)
{
    apr_size_t length = strlen(tag);

    for (; (head = strchr(head, '<')) != NULL; head++) {
        if (!apr_cstr_casecmpn(head + 1, tag, length)) {
            return 1;
        }
    }
    return 0;
}

/* "<?xml …": a kind of XML that a spreadsheet opens. */
static const char *name_xml(const char *head)
{
    if (strstr(head, "urn:schemas-microsoft-com:office:spreadsheet") ||
        strstr(head, "progid=\"Excel.Sheet\"")) {
        return "this is a workbook in XML (XML Spreadsheet 2003), as it is often saved under the "
               "name .xls: open it in a spreadsheet, save it as .xlsx or CSV, and upload that";
    }
    if (strstr(head, "urn:oasis:names:tc:opendocument")) {
        return "this is an OpenDocument file in XML (.fods): save it as .xlsx or CSV";
    }
    return NULL;
}

/* How files of other countries and trades begin. */
static const char *name_foreign(const char *head)
{
    static const struct {
        const char *begin, *what;
    } kinds[] = {
        {"100,NEM1", NULL},
        {"100,\"NEM1", NULL},
        {"\"100\",\"NEM1", NULL},
        {"\"100\",NEM1", NULL},
        {"UNA:+", "this is an EDIFACT message (such as MSCONS), which is not read: export the "
                  "readings as a table"},
        {"UNB+", "this is an EDIFACT message (such as MSCONS), which is not read: export the "
                 "readings as a table"},
        {"ISA*", "this is an X12 message (such as 867), which is not read: export the readings as "
                 "a table"},
        {"MEPMD0", "this is a file in the Californian metering format (CMEP), which is not read: "
                   "export the readings as a table"},
        {"{\\rtf", "this is a text document (RTF): export the readings as CSV instead"},
        {"BEGIN:VC", "this is a calendar or address card: export the readings as CSV instead"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strncmp(head, kinds[i].begin, strlen(kinds[i].begin))) {
            return kinds[i].what ? kinds[i].what
                                 : "this is a file of the Australian market (NEM12 or NEM13), "
                                   "which is not read: export the readings as a table";
        }
    }
    return NULL;
}

const char *ecl_sniff_text(const char *head)
{
    if (is_html(head)) {
        return holds_tag(head, "table") || holds_tag(head, "tr")
                   ? "this is a web page with a table (HTML), as it is often saved under the name "
                     ".xls: open it in a spreadsheet, save it as .xlsx or CSV, and upload that"
                   : "this is a web page (HTML), perhaps a login or error page saved in place of "
                     "the export";
    }
    return *head == '<' ? name_xml(head) : name_foreign(head);
}
