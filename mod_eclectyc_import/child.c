#include <apr_lib.h>
#include <apr_thread_mutex.h>
#include <openssl/evp.h>
#include <ap_mpm.h>

#include "child.h"
#include "config.h"
#include "private.h"
#include "../lib/migrate.h"
#include "../lib/storage.h"

#define MAX_CONNECTIONS 8
#define LOCK_WAIT_US apr_time_from_sec(10)

/* Of this process. What is under the mutex is written once and then only read. */
static struct {
    const ecl_settings_t *settings;
    apr_pool_t *pool;
    apr_thread_mutex_t *mutex;
    ecl_db_t *readers, *writers; /* the same where one thread has nobody to wait for */
    int is_migrated;
    int holds_storage;      /* or the parent process does */
    const ecl_zone_t *zone; /* made by the parent process */
    const ecl_templates_t *templates;
    json_object *labels;
    EVP_MD *sha256; /* NULL: libcrypto has none */
} child;

static apr_status_t put_labels(void *labels)
{
    json_object_put(labels);
    return APR_SUCCESS;
}

void ecl_child_prepare(apr_pool_t *pconf, server_rec *s)
{
    const ecl_settings_t *settings = ecl_module_settings(s);
    ecl_result_t result = ecl_result_make(pconf);
    ecl_zone_t *zone = NULL;

    if (ecl_zone_make(&zone, settings->timezone, pconf, &result) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, ECLNO(2001) "EclectycImportTimezone: %s",
                     result.detail);
    }
    child.zone = zone;
    child.holds_storage =
        ecl_storage_hold(settings->storage_dir, ECL_STORAGE_SHARED, pconf, NULL) == APR_SUCCESS;
}

const ecl_zone_t *ecl_child_zone(void)
{
    return child.zone;
}

void ecl_child_init(apr_pool_t *pchild, server_rec *s)
{
    apr_status_t rv;

    child.settings = ecl_module_settings(s);
    apr_pool_create(&child.pool, pchild);
    apr_pool_tag(child.pool, "eclectyc_import");
    /* never freed: threads may still use it when this process is told to end */
    child.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    rv = apr_thread_mutex_create(&child.mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    if (rv != APR_SUCCESS) {
        child.mutex = NULL;
        ap_log_error(APLOG_MARK, APLOG_CRIT, rv, s, ECLNO(2000) "cannot create a mutex");
    }
}

const EVP_MD *ecl_child_sha256(void)
{
    return child.sha256;
}

static apr_status_t lock(ecl_result_t *result)
{
    return child.mutex
               ? apr_thread_mutex_lock(child.mutex)
               : ecl_fail(result, ECL_EUNAVAILABLE, "no-mutex", "this process has no mutex");
}

static apr_status_t hold_storage(ecl_result_t *result)
{
    apr_status_t rv = lock(result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!child.holds_storage) {
        rv = ecl_storage_hold(child.settings->storage_dir, ECL_STORAGE_SHARED, child.pool, result);
        child.holds_storage = rv == APR_SUCCESS;
    }
    apr_thread_mutex_unlock(child.mutex);
    /* who needs a directory that can't be opened will say so */
    return rv == ECL_EUNAVAILABLE ? rv : APR_SUCCESS;
}

static apr_status_t open_database(ecl_db_t **pdb, int connections, ecl_result_t *result)
{
    const ecl_settings_t *settings = child.settings;
    apr_status_t rv =
        ecl_db_open(pdb, settings->db_driver, settings->db_params, connections, child.pool, result);

    if (rv == APR_SUCCESS) {
        ecl_db_set_marker(*pdb, ecl_storage_marker(settings->storage_dir, child.pool));
    }
    return rv;
}

/* Under the mutex. */
static apr_status_t open_databases(ecl_result_t *result)
{
    ecl_db_t *readers, *writers;
    int threads, connections;
    apr_status_t rv;

    if (ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) != APR_SUCCESS || threads < 1) {
        threads = 1;
    }
    connections = threads < MAX_CONNECTIONS ? threads : MAX_CONNECTIONS;
    rv = open_database(&writers, (connections + 1) / 2, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    ecl_db_set_waits(writers, LOCK_WAIT_US, LOCK_WAIT_US);
    readers = writers;
    if (connections > 1) {
        rv = open_database(&readers, connections / 2, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        ecl_db_set_read_only(readers);
    }
    child.writers = writers;
    child.readers = readers;
    return APR_SUCCESS;
}

/* Not under the mutex: the database's own lock decides, and may take its time. */
static apr_status_t migrate(ecl_result_t *result)
{
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_db_acquire(&conn, child.writers, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_migrate_up(conn, NULL, result);
    ecl_db_release(conn);
    if (rv == APR_SUCCESS) {
        __atomic_store_n(&child.is_migrated, 1, __ATOMIC_RELEASE);
    }
    return rv;
}

static apr_status_t prepare_database(ecl_result_t *result)
{
    apr_status_t rv = lock(result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!child.readers) {
        rv = open_databases(result);
    }
    apr_thread_mutex_unlock(child.mutex);
    if (rv == APR_SUCCESS && !__atomic_load_n(&child.is_migrated, __ATOMIC_ACQUIRE)) {
        rv = migrate(result);
    }
    return rv;
}

apr_status_t ecl_child_acquire(ecl_db_conn_t **pconn, ecl_result_t *result)
{
    apr_status_t rv = prepare_database(result);

    return rv == APR_SUCCESS ? ecl_db_acquire(pconn, child.readers, result) : rv;
}

apr_status_t ecl_child_acquire_writer(ecl_db_conn_t **pconn, ecl_result_t *result)
{
    apr_status_t rv = hold_storage(result);

    if (rv == APR_SUCCESS) {
        rv = prepare_database(result);
    }
    return rv == APR_SUCCESS ? ecl_db_acquire(pconn, child.writers, result) : rv;
}

/* Under the mutex. */
static apr_status_t load_templates(ecl_result_t *result)
{
    const char *dir = child.settings->templates_dir, *path;
    ecl_templates_t *set = NULL;
    json_object *labels;
    apr_pool_t *p;
    apr_status_t rv;

    /* of its own, so that a load that failed, and is tried again, leaves nothing */
    apr_pool_create(&p, child.pool);
    rv = ecl_templates_load(&set, dir, p, result);
    if (rv == APR_SUCCESS) {
        path = apr_pstrcat(p, dir, "/labels.json", NULL);
        labels = json_object_from_file(path);
        if (json_object_is_type(labels, json_type_object)) {
            child.labels = labels;
            apr_pool_cleanup_register(child.pool, labels, put_labels, apr_pool_cleanup_null);
            child.templates = set;
            return APR_SUCCESS;
        }
        json_object_put(labels);
        rv = ecl_fail(result, ECL_ECONFIG, "bad-labels",
                      "'%s' is not there or holds no JSON object", path);
    }
    apr_pool_destroy(p);
    return rv;
}

apr_status_t ecl_child_templates(const ecl_templates_t **pset, ecl_result_t *result)
{
    apr_status_t rv = lock(result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (!child.templates) {
        rv = load_templates(result);
    }
    *pset = child.templates;
    apr_thread_mutex_unlock(child.mutex);
    return rv;
}

json_object *ecl_child_labels(const char *kind)
{
    const ecl_templates_t *set;
    json_object *labels = NULL;

    if (ecl_child_templates(&set, NULL) == APR_SUCCESS) {
        json_object_object_get_ex(child.labels, kind, &labels);
    }
    return json_object_is_type(labels, json_type_object) ? labels : NULL;
}

const char *ecl_child_label(const char *kind, const char *code, apr_pool_t *p)
{
    json_object *labels = ecl_child_labels(kind), *label;
    char *text;

    if (labels && json_object_object_get_ex(labels, code, &label) &&
        json_object_is_type(label, json_type_string)) {
        return json_object_get_string(label);
    }
    text = apr_pstrdup(p, code);
    for (char *c = text; *c; c++) {
        if (*c == '-' || *c == '_') {
            *c = ' ';
        }
    }
    text[0] = (char)apr_toupper(text[0]);
    return text;
}
