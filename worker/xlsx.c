/*
 * The workbook as a whole: which of the archive's parts are its sheets, and going through them.
 */
#include "xlsx_internal.h"

#include <apr_tables.h>

#define NAME_BYTES 124
#define RELATIONS_MAX 4096 /* sheets, and what else a workbook refers to */
#define PLACE_BYTES 512    /* of an id or a target; longer ones are none of a sheet's */

/* Where something stands in the archive, by what other parts say of it. */
typedef struct relation_t {
    const char *id, *type, *target; /* type: one that is looked for, or "" */
} relation_t;

typedef struct listed_t {
    ecl_sheet_t sheet;
    const char *relation;
    int part;
} listed_t;

/* Where the rows of the sheet in hand come from. */
typedef enum source_t {
    SOURCE_NONE,  /* go on to the next sheet */
    SOURCE_KEPT,  /* kept rows, and the sheet has no others */
    SOURCE_BEGUN, /* kept rows, after which the open sheet goes on */
    SOURCE_SHEET
} source_t;

struct ecl_xlsx_t {
    apr_pool_t *p, *sheet_pool;
    ecl_xlsx_book_t book;
    listed_t sheets[ECL_XLSX_SHEETS_MAX];
    int count;
    int has_too_many;
    apr_int64_t file_size;

    int at;                /* number of the sheet in hand; 0: before the first */
    int last;              /* the last one to read */
    source_t source;       /* of its rows */
    ecl_xlsx_rows_t *rows; /* of the sheet that is open */
    int opened;            /* its number; 0: none is */
    int is_kept;           /* all that was read of it is */
    ecl_xlsx_kept_t *kept; /* NULL: rows are not kept */
    int keeps;             /* what is read from now on is kept, too */
    int reads_all;         /* threads are worth it */
    apr_size_t piece;      /* that they parse */
    apr_int64_t base;      /* bytes of the file that come before those of the sheet in hand */
    apr_int64_t packed, unpacked; /* its size */
    apr_int64_t end_offset;
    apr_int64_t number, sheet_record;
};

/* ---- parts ----------------------------------------------------------------------------------- */

apr_status_t ecl_xlsx_part_read(void *baton, void *bytes, apr_size_t *plength, ecl_result_t *result)
{
    return ecl_zip_part_read(baton, bytes, plength, result);
}

apr_status_t ecl_xlsx_part_open(ecl_xlsx_part_t *ppart, ecl_zip_t *zip, int index,
                                const ecl_xml_handlers_t *handlers, const char *what, apr_pool_t *p,
                                ecl_result_t *result)
{
    apr_status_t status = ecl_zip_part_open(&ppart->part, zip, index, p, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    return ecl_xml_open(&ppart->xml, ecl_xlsx_part_read, ppart->part, handlers, what, p, result);
}

apr_status_t ecl_xlsx_parse(ecl_zip_t *zip, int index, const ecl_xml_handlers_t *handlers,
                            const char *what, apr_pool_t *p, ecl_result_t *result)
{
    ecl_xlsx_part_t part;
    apr_pool_t *parsing;
    apr_status_t status;

    if (index < 0) {
        return APR_SUCCESS;
    }
    apr_pool_create(&parsing, p);
    status = ecl_xlsx_part_open(&part, zip, index, handlers, what, parsing, result);
    while (status == APR_SUCCESS) {
        status = ecl_xml_next(part.xml, result);
    }
    apr_pool_destroy(parsing);
    return APR_STATUS_IS_EOF(status) ? APR_SUCCESS : status;
}

/* ---- relations ------------------------------------------------------------------------------- */

typedef struct relations_t {
    apr_pool_t *p;
    const char *directory; /* of the part whose relations they are: "xl/" */
    apr_array_header_t *all;
    int has_too_many;
} relations_t;

/* A target is a path from the part's directory, or from the archive's root. */
static const char *resolve(const char *directory, const char *target, apr_pool_t *p)
{
    char *base = apr_pstrdup(p, directory);

    if (target[0] == '/') {
        return apr_pstrdup(p, target + 1);
    }
    while (target[0] == '.') {
        if (!strncmp(target, "../", 3)) {
            char *slash;

            base[strlen(base) - (base[0] != '\0')] = '\0';
            slash = strrchr(base, '/');
            *(slash ? slash + 1 : base) = '\0';
            target += 3;
        } else if (!strncmp(target, "./", 2)) {
            target += 2;
        } else {
            break;
        }
    }
    return apr_pstrcat(p, base, target, NULL);
}

static const char *type_of(const char *text)
{
    static const char *const types[] = {"officeDocument", "worksheet", "styles", "sharedStrings"};
    const char *last = strrchr(text, '/') ? strrchr(text, '/') + 1 : text;

    for (apr_size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!strcmp(last, types[i])) {
            return types[i];
        }
    }
    return "";
}

static void on_relation(void *baton, const char *name, const char **attributes)
{
    relations_t *relations = baton;
    const char *id = ecl_xml_attribute(attributes, "Id");
    const char *type = ecl_xml_attribute(attributes, "Type");
    const char *target = ecl_xml_attribute(attributes, "Target");

    if (strcmp(name, "Relationship") || !id || !type || !target || strlen(id) > PLACE_BYTES ||
        strlen(target) > PLACE_BYTES) {
        return;
    }
    if (relations->all->nelts == RELATIONS_MAX) {
        relations->has_too_many = 1;
        return;
    }
    APR_ARRAY_PUSH(relations->all, relation_t) = (relation_t){
        apr_pstrdup(relations->p, id),
        type_of(type),
        resolve(relations->directory, target, relations->p),
    };
}

static apr_status_t read_relations(relations_t *relations, ecl_zip_t *zip, const char *part,
                                   apr_pool_t *p, ecl_result_t *result)
{
    const char *name = strrchr(part, '/') ? strrchr(part, '/') + 1 : part;
    const ecl_xml_handlers_t handlers = {relations, on_relation, NULL, NULL};
    apr_status_t status;

    relations->p = p;
    relations->directory = apr_pstrmemdup(p, part, (apr_size_t)(name - part));
    relations->all = apr_array_make(p, 16, sizeof(relation_t));
    status = ecl_xlsx_parse(
        zip, ecl_zip_find(zip, apr_pstrcat(p, relations->directory, "_rels/", name, ".rels", NULL)),
        &handlers, "the workbook's list of parts", p, result);
    return status == APR_SUCCESS && relations->has_too_many
               ? ecl_fail(result, ECL_EINPUT, "bad-workbook",
                          "the workbook refers to more than %d parts", RELATIONS_MAX)
               : status;
}

/* The first relation of a type, or with an id (the other is NULL); NULL: none. */
static const relation_t *find_relation(const relations_t *relations, const char *type,
                                       const char *id)
{
    for (int i = 0; i < relations->all->nelts; i++) {
        const relation_t *relation = &APR_ARRAY_IDX(relations->all, i, relation_t);

        if ((type && !strcmp(relation->type, type)) || (id && !strcmp(relation->id, id))) {
            return relation;
        }
    }
    return NULL;
}

/* The part of a type; NULL: the workbook has none. */
static const char *target_of(const relations_t *relations, const char *type)
{
    const relation_t *relation = find_relation(relations, type, NULL);

    return relation ? relation->target : NULL;
}

/* ---- the list of sheets ---------------------------------------------------------------------- */

static void on_workbook(void *baton, const char *name, const char **attributes)
{
    ecl_xlsx_t *xlsx = baton;
    const char *title, *id, *state, *is_1904;
    apr_size_t length;

    if (!strcmp(name, "workbookPr")) {
        is_1904 = ecl_xml_attribute(attributes, "date1904");
        xlsx->book.is_1904 = is_1904 && (!strcmp(is_1904, "1") || !strcmp(is_1904, "true"));
        return;
    }
    title = ecl_xml_attribute(attributes, "name");
    id = ecl_xml_attribute(attributes, "id");
    if (strcmp(name, "sheet") || !title || !id) {
        return;
    }
    if (xlsx->count == ECL_XLSX_SHEETS_MAX) {
        xlsx->has_too_many = 1;
        return;
    }
    state = ecl_xml_attribute(attributes, "state");
    length = strlen(title);
    if (length > NAME_BYTES) { /* Excel allows 31 characters */
        length = NAME_BYTES;
        while ((title[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    xlsx->sheets[xlsx->count++] = (listed_t){
        .sheet = {apr_pstrmemdup(xlsx->p, title, length), state && strcmp(state, "visible") != 0},
        .relation = strlen(id) > PLACE_BYTES ? "" : apr_pstrdup(xlsx->p, id),
    };
}

/* Finds the sheets' parts; what is no worksheet (a chart, a dialogue) has no cells and goes. */
static apr_status_t place_sheets(ecl_xlsx_t *xlsx, const relations_t *relations,
                                 ecl_result_t *result)
{
    int count = 0;

    for (int i = 0; i < xlsx->count; i++) {
        listed_t *listed = &xlsx->sheets[i];
        const relation_t *relation = find_relation(relations, NULL, listed->relation);

        if (relation && strcmp(relation->type, "worksheet") != 0) {
            continue;
        }
        listed->part = relation ? ecl_zip_find(xlsx->book.zip, relation->target) : -1;
        if (listed->part < 0) {
            return ecl_fail(result, ECL_EINPUT, "bad-workbook",
                            "the workbook is damaged: its sheet \"%s\" is missing",
                            listed->sheet.name);
        }
        xlsx->sheets[count++] = *listed;
    }
    xlsx->count = count;
    if (xlsx->has_too_many) {
        return ecl_fail(result, ECL_EINPUT, "bad-workbook", "the workbook has more than %d sheets",
                        ECL_XLSX_SHEETS_MAX);
    }
    return count
               ? APR_SUCCESS
               : ecl_fail(result, ECL_EINPUT, "no-sheets", "the workbook has no sheet with cells");
}

static int part_of(const ecl_xlsx_t *xlsx, const relations_t *relations, const char *type)
{
    const char *target = target_of(relations, type);

    return target ? ecl_zip_find(xlsx->book.zip, target) : -1;
}

static apr_status_t read_book(ecl_xlsx_t *xlsx, apr_pool_t *p, ecl_result_t *result)
{
    ecl_xlsx_book_t *book = &xlsx->book;
    const ecl_xml_handlers_t handlers = {xlsx, on_workbook, NULL, NULL};
    relations_t relations = {0};
    const char *workbook;
    apr_pool_t *strings_pool;
    apr_status_t status = read_relations(&relations, book->zip, "", p, result);

    if (status != APR_SUCCESS) {
        return status;
    }
    workbook = target_of(&relations, "officeDocument");
    if (!workbook || ecl_zip_find(book->zip, workbook) < 0) {
        workbook = "xl/workbook.xml";
    }
    if (ecl_zip_find(book->zip, workbook) < 0) {
        return ecl_fail(result, ECL_EINPUT, "bad-workbook",
                        "the workbook is damaged: its list of sheets is missing");
    }
    if ((status = read_relations(&relations, book->zip, workbook, p, result)) != APR_SUCCESS ||
        (status = ecl_xlsx_parse(book->zip, ecl_zip_find(book->zip, workbook), &handlers,
                                 "the workbook's list of sheets", p, result)) != APR_SUCCESS ||
        (status = place_sheets(xlsx, &relations, result)) != APR_SUCCESS ||
        (status = ecl_xlsx_read_styles(book->zip, part_of(xlsx, &relations, "styles"), &book->forms,
                                       &book->form_count, p, result)) != APR_SUCCESS) {
        return status;
    }
    apr_pool_create(&strings_pool, p); /* they are read further in any thread */
    return ecl_strings_open(&book->strings, book->zip, part_of(xlsx, &relations, "sharedStrings"),
                            strings_pool, result);
}

/* ---- the interface --------------------------------------------------------------------------- */

apr_status_t ecl_xlsx_open(ecl_xlsx_t **pxlsx, const ecl_zip_input_t *input, apr_pool_t *p,
                           ecl_result_t *result)
{
    ecl_xlsx_t *xlsx = apr_pcalloc(p, sizeof *xlsx);
    apr_status_t status = ecl_zip_open(&xlsx->book.zip, input, p, result);

    xlsx->p = p;
    xlsx->piece = ECL_XLSX_PIECE;
    if (status == APR_SUCCESS &&
        apr_thread_mutex_create(&xlsx->book.lock, APR_THREAD_MUTEX_DEFAULT, p) != APR_SUCCESS) {
        status = ecl_fail(result, APR_ENOMEM, "no-memory", "no memory to read the workbook");
    }
    if (status == APR_SUCCESS) {
        status = read_book(xlsx, p, result);
    }
    if (status != APR_SUCCESS) {
        return status;
    }
    xlsx->file_size = ecl_zip_file_size(xlsx->book.zip);
    apr_pool_create(&xlsx->sheet_pool, p);
    ecl_xlsx_row_room(&xlsx->book, p);
    xlsx->last = xlsx->count;
    *pxlsx = xlsx;
    return APR_SUCCESS;
}

int ecl_xlsx_sheets(const ecl_xlsx_t *xlsx)
{
    return xlsx->count;
}

const ecl_sheet_t *ecl_xlsx_sheet(const ecl_xlsx_t *xlsx, int number)
{
    return &xlsx->sheets[number - 1].sheet;
}

int ecl_xlsx_is_1904(const ecl_xlsx_t *xlsx)
{
    return xlsx->book.is_1904;
}

static void start_again(ecl_xlsx_t *xlsx, int first, int last)
{
    xlsx->source = SOURCE_NONE;
    xlsx->at = first - 1;
    xlsx->last = last;
    xlsx->number = xlsx->sheet_record = xlsx->end_offset = 0;
}

void ecl_xlsx_only_sheet(ecl_xlsx_t *xlsx, int number)
{
    start_again(xlsx, number, number);
}

void ecl_xlsx_read_all(ecl_xlsx_t *xlsx)
{
    xlsx->reads_all = 1;
}

void ecl_xlsx_keep(ecl_xlsx_t *xlsx)
{
    ecl_xlsx_read_all(xlsx);
    xlsx->kept = ecl_xlsx_kept_make(&xlsx->book, xlsx->p);
    xlsx->keeps = 1;
}

void ecl_xlsx_set_piece(ecl_xlsx_t *xlsx, apr_size_t bytes)
{
    xlsx->piece = bytes;
}

void ecl_xlsx_last_time(ecl_xlsx_t *xlsx)
{
    xlsx->keeps = 0;
    start_again(xlsx, 1, xlsx->count);
}

void ecl_xlsx_pass_sheet(ecl_xlsx_t *xlsx)
{
    xlsx->source = SOURCE_NONE;
}

/* Goes on to kept rows, if there are any of the sheet in hand; else source stays NONE. */
static void start_kept(ecl_xlsx_t *xlsx)
{
    int is_whole;

    if (xlsx->kept && ecl_xlsx_kept_start(xlsx->kept, xlsx->at, &is_whole)) {
        if (is_whole) {
            xlsx->source = SOURCE_KEPT;
        } else if (xlsx->opened == xlsx->at && xlsx->is_kept) {
            xlsx->source = SOURCE_BEGUN;
        }
    }
}

static apr_status_t open_sheet(ecl_xlsx_t *xlsx, ecl_result_t *result)
{
    const listed_t *listed = &xlsx->sheets[xlsx->at - 1];
    apr_status_t status;

    apr_pool_clear(xlsx->sheet_pool);
    xlsx->opened = 0;
    status = ecl_xlsx_rows_open(&xlsx->rows, &xlsx->book, listed->part, listed->sheet.name,
                                xlsx->reads_all ? xlsx->piece : 0, xlsx->sheet_pool, result);
    if (status != APR_SUCCESS) {
        return status;
    }
    xlsx->source = SOURCE_SHEET;
    xlsx->opened = xlsx->at;
    xlsx->is_kept = xlsx->keeps;
    if (xlsx->keeps) {
        ecl_xlsx_kept_begin(xlsx->kept, xlsx->at);
    }
    return APR_SUCCESS;
}

static apr_status_t start_next(ecl_xlsx_t *xlsx, ecl_result_t *result)
{
    apr_int64_t after = 0; /* this sheet's bytes and those after it: the file ends with them */

    xlsx->at++;
    for (int i = xlsx->at - 1; i < xlsx->count; i++) {
        after += ecl_zip_part_size(xlsx->book.zip, xlsx->sheets[i].part);
    }
    xlsx->base = xlsx->file_size - after;
    xlsx->packed = ecl_zip_part_size(xlsx->book.zip, xlsx->sheets[xlsx->at - 1].part);
    xlsx->unpacked = ecl_zip_part_unpacked(xlsx->book.zip, xlsx->sheets[xlsx->at - 1].part);
    xlsx->sheet_record = 0;
    start_kept(xlsx);
    return xlsx->source == SOURCE_NONE ? open_sheet(xlsx, result) : APR_SUCCESS;
}

/* How far the file is used up: never back, whatever the archive says, and never beyond its end:
 * that is what base is reckoned from. */
static apr_int64_t offset_of(ecl_xlsx_t *xlsx, const ecl_xlsx_row_t *row)
{
    apr_int64_t offset = xlsx->base + ecl_zip_part_used(xlsx->packed, xlsx->unpacked, row->end);

    if (offset > xlsx->end_offset) {
        xlsx->end_offset = offset;
    }
    return xlsx->end_offset;
}

/* The next row of the open sheet. */
static apr_status_t read_row(ecl_xlsx_t *xlsx, ecl_xlsx_row_t *row, ecl_result_t *result)
{
    apr_status_t status = ecl_xlsx_rows_next(xlsx->rows, row, result);

    xlsx->is_kept &= xlsx->keeps;
    if (xlsx->is_kept && status == APR_SUCCESS) {
        ecl_xlsx_kept_add(xlsx->kept, row);
    } else if (xlsx->is_kept && APR_STATUS_IS_EOF(status)) {
        ecl_xlsx_kept_end(xlsx->kept);
    }
    return status;
}

/* The next row of the sheet in hand. */
static apr_status_t next_row(ecl_xlsx_t *xlsx, ecl_xlsx_row_t *row, ecl_result_t *result)
{
    if (xlsx->source != SOURCE_SHEET) {
        apr_status_t status = ecl_xlsx_kept_next(xlsx->kept, row, result);

        if (!APR_STATUS_IS_EOF(status) || xlsx->source == SOURCE_KEPT) {
            return status;
        }
        xlsx->source = SOURCE_SHEET;
    }
    return read_row(xlsx, row, result);
}

apr_status_t ecl_xlsx_next(ecl_xlsx_t *xlsx, ecl_record_t *record, ecl_result_t *result)
{
    for (;;) {
        ecl_xlsx_row_t row;
        apr_status_t status;

        if (xlsx->source == SOURCE_NONE) {
            if (xlsx->at == xlsx->last) {
                return APR_EOF;
            }
            status = start_next(xlsx, result);
            if (status != APR_SUCCESS) {
                return status;
            }
        }
        status = next_row(xlsx, &row, result);
        if (APR_STATUS_IS_EOF(status)) {
            xlsx->source = SOURCE_NONE;
            continue;
        }
        if (status == APR_SUCCESS) {
            ecl_xlsx_row_record(&xlsx->book, &row, record);
            record->number = ++xlsx->number;
            record->sheet_record = ++xlsx->sheet_record;
            record->sheet_number = xlsx->at;
            record->sheet = xlsx->sheets[xlsx->at - 1].sheet.name;
            record->end_offset = offset_of(xlsx, &row);
        }
        return status;
    }
}
