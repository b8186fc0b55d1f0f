/*
 * What one httpd child process holds: its database connections and its templates. Both are opened
 * at first use, so that the parent process (root) never opens a file, and a server with a broken
 * database starts and says so.
 */
#ifndef ECL_CHILD_H
#define ECL_CHILD_H

#include <httpd.h>
#include <json-c/json.h>
#include <openssl/evp.h>

#include "../lib/db.h"
#include "../lib/settings.h"
#include "../lib/template.h"
#include "../lib/timezone.h"

/* In the parent process, for all its children: what must be done before there are threads. With
 * them it holds the storage directory, if there is one (ecl_storage_hold), but for a moment of a
 * reload. */
void ecl_child_prepare(apr_pool_t *pconf, server_rec *s);

/* The zone of EclectycImportTimezone; NULL when it is not known, which was logged. */
const ecl_zone_t *ecl_child_zone(void);

/* The child_init hook. */
void ecl_child_init(apr_pool_t *pchild, server_rec *s);

/* Borrows a connection to read; the caller gives it back with ecl_db_release, before it waits for a
 * client. What writes takes a writer: it may wait for a lock that somebody else holds, and half of
 * the connections are kept from it, so that reading goes on meanwhile. Writers wait for their turn
 * as long as for a lock, 10 s; either is ECL_EUNAVAILABLE when it takes longer. There are none
 * while somebody else holds the storage directory alone: ECL_EUNAVAILABLE. The first one in a
 * process brings the schema up to date (ecl_migrate_up: under a lock, cheap when there is nothing
 * to do), so that an empty database just works. */
apr_status_t ecl_child_acquire(ecl_db_conn_t **pconn, ecl_result_t *result);
apr_status_t ecl_child_acquire_writer(ecl_db_conn_t **pconn, ecl_result_t *result);

/* The page templates of settings->templates_dir; kept once they have been loaded. */
apr_status_t ecl_child_templates(const ecl_templates_t **pset, ecl_result_t *result);

/* Words for people for a code of the software, from labels.json beside the templates, such as
 * ("import_type", "auto"); for a code that is not there, the code itself with blanks for its
 * hyphens. Allocated from p or lasting. */
const char *ecl_child_label(const char *kind, const char *code, apr_pool_t *p);

/* libcrypto's SHA-256, looked up once: its own SHA256() does that for every text, which takes
 * longer than the digest of a short one. NULL: there is none. */
const EVP_MD *ecl_child_sha256(void);

/* All of labels.json's words of one kind, in its order; NULL if there are none. Only to be read:
 * all threads share it, so not even its reference count may change. */
json_object *ecl_child_labels(const char *kind);

#endif /* ECL_CHILD_H */
