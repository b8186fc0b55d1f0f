/*
 * The settings of an installation, and the one table they are defined by.
 *
 * ECL_SETTINGS lists every directive: the module makes httpd's commands from it, the worker reads
 * the same lines from a file or from stdin, docs/install.md is checked against it.
 *
 *   X(directive, arguments TAKE1|TAKE2, default as text or NULL, help)
 *
 * A directive's arguments are checked by ecl_settings_set, for both readers alike.
 */
#ifndef ECL_SETTINGS_H
#define ECL_SETTINGS_H

#include "ecl.h"

/* clang-format off */
#define ECL_SETTINGS(X)                                                                            \
    X("EclectycImportDatabase", TAKE2, NULL,                                                       \
      "sqlite3 or pgsql, and the database: an absolute path, or libpq's connection parameters")    \
    X("EclectycImportStorage", TAKE1, "/var/lib/eclectyc-import/storage",                          \
      "absolute path of the directory that holds uploaded files")                                  \
    X("EclectycImportTemplates", TAKE1, ECL_DATADIR "/templates",                                  \
      "absolute path of the directory that holds the page templates and assets/")                  \
    X("EclectycImportWorkers", TAKE1, "2",                                                         \
      "worker processes that the server keeps running, 0 to 64; 0: the server starts none")        \
    X("EclectycImportWorkerProgram", TAKE1, ECL_BINDIR "/eclectyc-import-worker",                  \
      "absolute path of the worker program")                                                       \
    X("EclectycImportMaxUpload", TAKE1, "4G",                                                      \
      "largest file accepted, in bytes or with the suffix K, M or G")                              \
    X("EclectycImportWait", TAKE1, "20",                                                           \
      "seconds an upload without \"process in background\" waits for its result, 0 to 300")        \
    X("EclectycImportTimezone", TAKE1, "Europe/London",                                            \
      "zone of local dates and times: one that changes clocks at 01:00 UTC, or never")  \
    X("EclectycImportMaxErrors", TAKE1, "10000",                                                   \
      "rejected rows after which a job fails, 0 to 1000000000")                                    \
    X("EclectycImportRetention", TAKE1, "90",                                                      \
      "days that finished jobs, their files and what undo needs are kept, 0 to 36500; 0: for ever") \
    X("EclectycImportHistoryRetention", TAKE1, "3650",                                             \
      "days that the history of jobs whose record is gone is kept, 0 to 36500; 0: for ever")       \
    X("EclectycImportStorageShared", TAKE1, "On",                                                  \
      "On or Off: whether all hosts that share the database see the same storage directory")       \
    X("EclectycImportHostName", TAKE1, NULL,                                                       \
      "what this host is called among those that share the database: 1 to 64 letters, digits, '.', " \
      "'-' and '_'; default: its own name")
/* clang-format on */

typedef struct ecl_settings_t {
    const char *db_driver; /* "sqlite3" or "pgsql" */
    const char *db_params; /* sqlite3: absolute path; pgsql: libpq's conninfo. May hold a secret. */
    const char *storage_dir;
    const char *templates_dir;
    int workers;
    const char *worker_program;
    apr_off_t max_upload_bytes;
    int wait_seconds;
    const char *timezone;
    int max_errors;
    int retention_days;
    int history_days;
    int storage_shared;
    const char *host_name; /* as it was given, or the system's; "localhost" if it has none */
} ecl_settings_t;

/* The host that a file stored here is on; NULL: on all of them. */
const char *ecl_settings_storage_host(const ecl_settings_t *settings);

/* All defaults (the database's is sqlite3 /var/lib/eclectyc-import/eclectyc.db). Strings given
 * later are copied to p, as are those of ecl_settings_set. */
ecl_settings_t *ecl_settings_make(apr_pool_t *p);

/* Applies one directive. name is compared without regard to case; arg2 is NULL for TAKE1.
 * Returns ECL_EINPUT with a detail that names the directive, the value and what is accepted. */
apr_status_t ecl_settings_set(ecl_settings_t *settings, apr_pool_t *p, const char *name,
                              const char *arg1, const char *arg2, ecl_result_t *result);

/* Reads directive lines from path, or from stdin for "-": httpd's quoting, comments and line
 * continuation. Directives that are not ours are httpd's and are passed over, so that the file
 * httpd.conf includes can be given; an unknown directive that starts with "EclectycImport" is an
 * error. The module's own per-location directives (EclectycImport, EclectycImportAllowAnonymous)
 * are passed over. A failure's detail names the file and line. */
apr_status_t ecl_settings_read(ecl_settings_t *settings, apr_pool_t *p, const char *path,
                               ecl_result_t *result);

/* The directives as lines that ecl_settings_read understands: how the module hands its settings
 * to the worker's stdin. Allocated from p. */
const char *ecl_settings_text(const ecl_settings_t *settings, apr_pool_t *p);

#endif /* ECL_SETTINGS_H */
