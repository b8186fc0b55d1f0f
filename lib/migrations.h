/*
 * The SQL files of migrations/, compiled in: made by embed_migrations.sh, read by migrate.c.
 */
#ifndef ECL_MIGRATIONS_H
#define ECL_MIGRATIONS_H

typedef struct ecl_migration_t {
    const char *driver; /* "sqlite3", "pgsql"; NULL ends the table */
    int number;         /* NNNN of the file's name; ascending within a driver */
    const char *name;   /* the file's name without ".sql" */
    const char *sql;    /* its text */
} ecl_migration_t;

extern const ecl_migration_t ecl_migrations[];

#endif /* ECL_MIGRATIONS_H */
