/*
 * Brings a database to the schema this program was built for.
 *
 * migrations/<driver>/NNNN_name.sql are compiled into the library (and installed beside it to be
 * read), so that a program and its schema can't be a mismatch. Each file is applied in one
 * transaction together with its row in schema_migrations; a lock lets only one process migrate.
 */
#ifndef ECL_MIGRATE_H
#define ECL_MIGRATE_H

#include "db.h"

/* Applies what is missing; idempotent, and cheap when nothing is. *papplied (may be NULL): how many
 * files. ECL_ESCHEMA when the database has a newer migration than this program knows, with both
 * versions in the detail. */
apr_status_t ecl_migrate_up(ecl_db_conn_t *conn, int *papplied, ecl_result_t *result);

/* The newest version applied (0: none) and the newest known. Changes nothing. */
apr_status_t ecl_migrate_state(ecl_db_conn_t *conn, int *phave, int *pwant, ecl_result_t *result);

#endif /* ECL_MIGRATE_H */
