/*
 * For tests of workbooks: a file from the XML of its sheets.
 */
#ifndef TESTS_WORKBOOK_H
#define TESTS_WORKBOOK_H

#include "packing.h"
#include "reading.h"

#define SHEETS_MAX 6

typedef struct workbook_t {
    int is_1904;
    const char *formats; /* "<numFmt …/>" after each other, ids from 164 */
    const char *styles;  /* "<xf …/>" after each other; NULL: 0 a number, 1 a date, 2 a stamp, 3 a
                            time */
    const char *strings; /* "<si>…</si>" after each other; NULL: no such part */
    struct {
        const char *name, *state, *rows; /* rows: what stands in <sheetData> */
    } sheets[SHEETS_MAX];
} workbook_t;

static const char *xml_part(apr_pool_t *p, const char *root, const char *inside)
{
    return apr_psprintf(p, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s>%s</%s>", root, inside,
                        root);
}

static int count_sheets(const workbook_t *book)
{
    int count = 0;

    while (count < SHEETS_MAX && book->sheets[count].name) {
        count++;
    }
    return count;
}

/* Writes the workbook to r->path, which read_file reads and removes. */
static void write_workbook(reading_t *r, const workbook_t *book)
{
    static const char plain[] = "<xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/>"
                                "<xf numFmtId=\"20\"/>";
    apr_pool_t *p = r->pool;
    const char *sheets = "", *relations = "";
    packed_file_t files[SHEETS_MAX + 5];
    int count = 0;

    for (int i = 0; i < count_sheets(book); i++) {
        sheets = apr_psprintf(
            p, "%s<sheet name=\"%s\" sheetId=\"%d\" r:id=\"r%d\"%s%s%s/>", sheets,
            book->sheets[i].name, i + 1, i, book->sheets[i].state ? " state=\"" : "",
            book->sheets[i].state ? book->sheets[i].state : "", book->sheets[i].state ? "\"" : "");
        relations = apr_psprintf(p,
                                 "%s<Relationship Id=\"r%d\" Type=\"http://x/worksheet\" "
                                 "Target=\"worksheets/sheet%d.xml\"/>",
                                 relations, i, i + 1);
        files[count++] = (packed_file_t){
            apr_psprintf(p, "xl/worksheets/sheet%d.xml", i + 1),
            xml_part(p, "worksheet",
                     apr_pstrcat(p, "<sheetData>", book->sheets[i].rows, "</sheetData>", NULL)),
            0};
    }
    relations = apr_pstrcat(p, relations,
                            "<Relationship Id=\"s\" Type=\"http://x/styles\" "
                            "Target=\"/xl/styles.xml\"/>",
                            book->strings ? "<Relationship Id=\"t\" Type=\"http://x/sharedStrings\""
                                            " Target=\"../xl/sharedStrings.xml\"/>"
                                          : "",
                            NULL);
    files[count++] =
        (packed_file_t){"_rels/.rels",
                        xml_part(p, "Relationships",
                                 "<Relationship Id=\"a\" Type=\"http://x/officeDocument\" "
                                 "Target=\"xl/workbook.xml\"/>"),
                        0};
    files[count++] =
        (packed_file_t){"xl/workbook.xml",
                        xml_part(p, "workbook",
                                 apr_pstrcat(p, book->is_1904 ? "<workbookPr date1904=\"1\"/>" : "",
                                             "<sheets>", sheets, "</sheets>", NULL)),
                        0};
    files[count++] =
        (packed_file_t){"xl/_rels/workbook.xml.rels", xml_part(p, "Relationships", relations), 0};
    files[count++] = (packed_file_t){
        "xl/styles.xml",
        xml_part(p, "styleSheet",
                 apr_pstrcat(p, "<numFmts>", book->formats ? book->formats : "", "</numFmts>",
                             "<cellXfs>", book->styles ? book->styles : plain, "</cellXfs>", NULL)),
        0};
    if (book->strings) {
        files[count++] =
            (packed_file_t){"xl/sharedStrings.xml", xml_part(p, "sst", book->strings), 0};
    }
    for (int i = 0; i < count; i++) {
        files[i].length = strlen(files[i].bytes);
    }
    write_file(r, "", 0);
    pack_zip(r->path, files, count, NULL);
}

/* A row of cells from a text "a|b|…": numbers as such, dates as "@serial", times as "#serial",
 * others as inline strings; empty ones are left out. */
static inline const char *row_of(apr_pool_t *p, int number, const char *cells)
{
    const char *row = apr_psprintf(p, "<row r=\"%d\">", number);
    int column = 0;

    for (const char *at = cells;; at++, column++) {
        apr_size_t length = strcspn(at, "|");
        const char *text = apr_pstrmemdup(p, at, length);
        const char *place = column < 26 ? apr_psprintf(p, "%c%d", 'A' + column, number)
                                        : apr_psprintf(p, "%c%c%d", 'A' + column / 26 - 1,
                                                       'A' + column % 26, number);

        if (text[0] == '@' || text[0] == '#') {
            row = apr_psprintf(p, "%s<c r=\"%s\" s=\"%d\"><v>%s</v></c>", row, place,
                               text[0] == '@' ? 1 : 3, text + 1);
        } else if (length && strspn(text, "0123456789.") == length) {
            row = apr_psprintf(p, "%s<c r=\"%s\"><v>%s</v></c>", row, place, text);
        } else if (length) {
            row = apr_psprintf(p, "%s<c r=\"%s\" t=\"inlineStr\"><is><t>%s</t></is></c>", row,
                               place, text);
        }
        at += length;
        if (!*at) {
            return apr_pstrcat(p, row, "</row>", NULL);
        }
    }
}

/* series() with bars. */
static inline const char *bars(apr_pool_t *p, const char *fmt, int first, int last)
{
    char *text = apr_pstrdup(p, series(p, fmt, first, last));

    for (char *at = text; *at; at++) {
        *at = *at == ',' ? '|' : *at;
    }
    return text;
}

#endif /* TESTS_WORKBOOK_H */
