/*
 * What users of PostgreSQL's native handle share: the numbers of its advisory locks, which are one
 * space for a whole database.
 */
#ifndef ECL_DB_PGSQL_H
#define ECL_DB_PGSQL_H

/* The first key of all of them ("ECL"); the second says what it locks. */
#define ECL_PGSQL_LOCKS "4539212"
#define ECL_PGSQL_LOCK_MIGRATE 0
#define ECL_PGSQL_LOCK_PARTITIONS 1
/* this one and those after it: the worker's store */
#define ECL_PGSQL_LOCK_STORE 64

#endif /* ECL_DB_PGSQL_H */
