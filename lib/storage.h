/*
 * The upload directory: a part file becomes a stored file, or nothing.
 *
 *   <storage>/incoming/<id>.part   while it is being written (0600, O_EXCL)
 *   <storage>/files/<batch_id>     a stored file: complete, and synced to disk before its job is
 *                                  recorded, whose name it has
 *   <storage>/wake                 touched after a job was queued; idle workers watch it (inotify)
 *   <storage>/status.json          what the worker last saw of the queue, for server-status
 *   <storage>/database             the path of the SQLite database that was last in use
 *
 * No name here ever comes from a client.
 */
#ifndef ECL_STORAGE_H
#define ECL_STORAGE_H

#include "digest.h"

typedef struct ecl_storage_part_t ecl_storage_part_t;

/* Makes the directories that are missing (0700) and checks that they can be written.
 * ECL_ECONFIG with the path and what to do about it. */
apr_status_t ecl_storage_prepare(const char *dir, apr_pool_t *p, ecl_result_t *result);

typedef enum ecl_storage_hold_t { ECL_STORAGE_SHARED, ECL_STORAGE_ALONE } ecl_storage_hold_t;

/* Whoever adds to the queue or works on it holds the directory shared: httpd for as long as it
 * runs, workers. Who must have the queue to itself (copy) holds it alone. A lock on the directory
 * itself, of this host's processes, until p is cleared, here and in children that were forked
 * meanwhile; who takes it twice is two holders. Never waits. Shared: ECL_EUNAVAILABLE while
 * somebody holds it alone. Alone: ECL_ECONFLICT while somebody holds it. Else the error of a
 * directory that can't be opened or locked. */
apr_status_t ecl_storage_hold(const char *dir, ecl_storage_hold_t hold, apr_pool_t *p,
                              ecl_result_t *result);

/* Bytes free for us on the storage's file system. */
apr_status_t ecl_storage_free_bytes(const char *dir, apr_off_t *pfree, apr_pool_t *p,
                                    ecl_result_t *result);

/* Starts a part file. It is removed when p is cleared, unless it was kept. */
apr_status_t ecl_storage_part_open(ecl_storage_part_t **ppart, const char *dir, apr_pool_t *p,
                                   ecl_result_t *result);

/* Before the first write: the SHA-256 is computed by another thread, from what the file has got.
 * For who writes as fast as the file system takes it, which is twice as fast as both in turn. */
apr_status_t ecl_storage_part_hash_beside(ecl_storage_part_t *part, ecl_result_t *result);

/* Appends; the SHA-256 is computed on the way. ECL_ENOSPACE when the disk, a quota or
 * the file size limit is exhausted. After a failure the part can only be dropped. Allocates
 * nothing but a failure's detail. */
apr_status_t ecl_storage_part_write(ecl_storage_part_t *part, const char *data, apr_size_t length,
                                    ecl_result_t *result);

apr_off_t ecl_storage_part_size(const ecl_storage_part_t *part);

/* All is written: the file is called files/<stored_name> from now on and can be read there, while
 * the disk is still at it. stored_name is a UUID. No job may name the file before
 * ecl_storage_part_keep has succeeded. */
apr_status_t ecl_storage_part_place(ecl_storage_part_t *part, const char *stored_name,
                                    ecl_result_t *result);

/* Places it, unless that was done; syncs and closes it and syncs the directory. On failure the file
 * is removed. sha256_hex receives the digest. */
apr_status_t ecl_storage_part_keep(ecl_storage_part_t *part, const char *stored_name,
                                   char sha256_hex[ECL_SHA256_HEX], ecl_result_t *result);

/* Gives it up: closed and removed. Safe after keep (does nothing). */
void ecl_storage_part_drop(ecl_storage_part_t *part);

/* Absolute path of a stored file, allocated from p. It may not exist. */
const char *ecl_storage_path(const char *dir, const char *stored_name, apr_pool_t *p);

/* Removes a stored file; that it is gone already is no error. */
apr_status_t ecl_storage_remove(const char *dir, const char *stored_name, apr_pool_t *p,
                                ecl_result_t *result);

/* Removes part files not touched for max_age_seconds, and stored files not written for as long for
 * which is_known(baton, name) says 0 (asked once per file; negative: cannot tell, keep it). Returns
 * how many were removed. */
int ecl_storage_sweep(const char *dir, int max_age_seconds,
                      int (*is_known)(void *baton, const char *stored_name), void *baton,
                      apr_pool_t *p);

/* The file for ecl_db_set_marker; allocated from p. */
const char *ecl_storage_marker(const char *dir, apr_pool_t *p);

/* Wakes idle workers on this host. A failure is not told: they poll as well. */
void ecl_storage_wake(const char *dir, apr_pool_t *p);

#endif /* ECL_STORAGE_H */
