/*
 * Files that are no table, and the tables they stand for.
 *
 *   Stark DF2, DTC data flows, Green Button XML, JSON ── source ──▶ records ──▶ layout, reader
 *
 * A source reads such a file from its start, in constant memory, and hands out records as if the
 * file were a CSV file with a header: what stands around a reading (meter, channel, date) is put
 * into cells of its own. So a day is read by the same code whatever the file looked like, and a row
 * that is rejected can be corrected and uploaded again as CSV.
 *
 * Only worker/records.c and worker/layout.c call sources; everybody else sees records.
 */
#ifndef ECL_SOURCE_H
#define ECL_SOURCE_H

#include "layout.h"
#include "records.h"

typedef struct ecl_source_t ecl_source_t;

/* A kind of file. */
typedef struct ecl_source_form_t {
    const char *name; /* for "this is …": "a Stark DF2 file" */
    /* Opens the file; what can be told to be wrong with it as a whole is ECL_EINPUT with a code as
     * of ecl_layout_find, and a sentence. Closed with p. */
    apr_status_t (*open)(ecl_source_t **psource, const char *path, apr_pool_t *p,
                         ecl_result_t *result);
    /* Fills in what the columns mean, which the form says; names and records are there. NULL: found
     * as that of any table. */
    void (*describe)(const ecl_source_t *source, ecl_layout_t *layout, apr_pool_t *p);
} ecl_source_form_t;

/* What every source begins with. */
struct ecl_source_t {
    const ecl_source_form_t *form;
    /* As ecl_records_next: the first record is the header, the others are rows. */
    apr_status_t (*next)(ecl_source_t *source, ecl_record_t *record, ecl_result_t *result);
    /* As ecl_records_set_read_size. */
    void (*set_read_size)(ecl_source_t *source, apr_size_t bytes);
    const char *evidence; /* what is told of the file besides its layout; NULL: nothing */
};

/* The form of a file by its first bytes; NULL: a table, or nothing we know. A NUL follows them. */
const ecl_source_form_t *ecl_source_find(const char *head, apr_size_t length);

extern const ecl_source_form_t ecl_source_df2, ecl_source_dtc, ecl_source_json, ecl_source_espi;

/* ---- a record put together ------------------------------------------------------------------ */

#define ECL_ASSEMBLY_BYTES (256 * 1024) /* of all cells of a record */

/* Cells are added from left to right; the record's raw text is their CSV. */
typedef struct ecl_assembly_t {
    ecl_field_t *fields;
    int room;
    char *text, *raw;
    apr_size_t used; /* of text */
    int count;
    int is_full;        /* a cell did not fit: the record is TOO_LONG */
    apr_int64_t number; /* of the last record */
} ecl_assembly_t;

/* columns: the most cells of a record, at most ECL_FIELDS_MAX. */
void ecl_assembly_make(ecl_assembly_t *assembly, int columns, apr_pool_t *p);

/* Starts the next record. */
void ecl_assembly_clear(ecl_assembly_t *assembly);
void ecl_assembly_add(ecl_assembly_t *assembly, const char *text, apr_size_t length);

/* Hands out what was put together, valid until the next clear. */
void ecl_assembly_finish(ecl_assembly_t *assembly, ecl_record_t *record, apr_int64_t line,
                         apr_int64_t end_offset);

/* Hands it out as rejected. column: an index, or -1 for the whole row. message is kept by the
 * caller until the next record. */
void ecl_assembly_reject(ecl_assembly_t *assembly, ecl_record_t *record, apr_int64_t line,
                         apr_int64_t end_offset, int column, const char *code, const char *message);

#endif /* ECL_SOURCE_H */
