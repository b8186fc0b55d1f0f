/*
 * The file of an SQLite database: found, made, or missing. Private to lib/db*.c.
 *
 * A file that is missing is not always one that was not made yet: somebody may have moved it away,
 * or its file system is not mounted. Making a new one would hide that, and take uploads that go
 * nowhere. What tells: the -wal or -shm that SQLite keeps beside an open database (a new one would
 * even destroy a -wal, and the commits that are in it), and the marker, a file elsewhere (in the
 * storage directory) that holds the path of the database last seen.
 */
#ifndef ECL_DB_SQLITE3_FILE_H
#define ECL_DB_SQLITE3_FILE_H

#include "ecl.h"

/* Whether there is a database at path. marker: path of the marker, or NULL. ECL_ENOTFOUND, code
 * "database-none": not yet. ECL_EUNAVAILABLE, code "database-missing": not any more. */
apr_status_t ecl_db_sqlite3_look(const char *path, const char *marker, apr_pool_t *scratch,
                                 ecl_result_t *result);

/* Before a connection is opened: makes the file if there is none yet. Failures as of
 * ecl_db_acquire. */
apr_status_t ecl_db_sqlite3_prepare(const char *path, const char *marker, apr_pool_t *scratch,
                                    ecl_result_t *result);

/* With the database open: notes in the marker (NULL: nowhere) that it is there. A failure is not
 * told: the next connection tries again. */
void ecl_db_sqlite3_mark(const char *path, const char *marker, apr_pool_t *scratch);

#endif /* ECL_DB_SQLITE3_FILE_H */
