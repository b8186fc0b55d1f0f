/*
 * What stands above a column of one meter's readings, taken apart: "MPAN 2200990050083 Export
 * (kWh)" has an identifier, a channel and a unit, and what is left of others is the meter's name.
 */
#ifndef ECL_HEADING_H
#define ECL_HEADING_H

#include "meter.h"
#include "records.h"
#include "words.h"

typedef struct ecl_heading_t {
    char name[ECL_METER_MAX];
    ecl_meter_kind_t kind;
    ecl_meter_status_t status;
    int is_identifier; /* an MPAN or MPRN */
    int is_quantity;   /* no meter's name */
    int is_other;      /* known, and no energy: a temperature, a cost */
    ecl_unit_t unit;
    const char *channel; /* NULL: it names none; "": none that is kept */
} ecl_heading_t;

/* cell ends with a NUL. */
void ecl_heading_read(ecl_heading_t *heading, ecl_field_t cell);

/* Adds what another line says above or below it; nothing when the cell is empty. */
void ecl_heading_add(ecl_heading_t *heading, ecl_field_t cell);

/* Whether a cell has an MPAN or MPRN. */
int ecl_heading_is_identifier(ecl_field_t cell);

#endif /* ECL_HEADING_H */
