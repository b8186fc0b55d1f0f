/* Checkpoints of SQLite's WAL beside the commits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_general.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>

#include "directory.h"
#include "start_apr.h"
#include "worker/checkpointer.h"

#define SALT_AT 16 /* in the WAL's header: it is another one for each time that the WAL starts */

typedef struct fixture_t {
    apr_pool_t *pool;
    char dir[64];
    const char *path, *wal;
    sqlite3 *sqlite;
} fixture_t;

static void run(fixture_t *f, const char *sql)
{
    if (sqlite3_exec(f->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", sql, sqlite3_errmsg(f->sqlite));
    }
}

static int set_up(void **state)
{
    fixture_t *f = calloc(1, sizeof *f);

    assert_non_null(f);
    make_directory(f->dir, sizeof f->dir);
    assert_int_equal(apr_pool_create(&f->pool, NULL), APR_SUCCESS);
    f->path = apr_pstrcat(f->pool, f->dir, "/x.db", NULL);
    f->wal = apr_pstrcat(f->pool, f->path, "-wal", NULL);
    assert_int_equal(sqlite3_open(f->path, &f->sqlite), SQLITE_OK);
    /* nothing here is to survive a power cut */
    run(f, "PRAGMA page_size=512; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
           "CREATE TABLE t (n INTEGER PRIMARY KEY, s BLOB)");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *f = *state;

    remove_directory(f->dir);
    apr_pool_destroy(f->pool);
    free(f);
    return 0;
}

static long salt(fixture_t *f)
{
    FILE *file = fopen(f->wal, "rb");
    unsigned char bytes[4];

    assert_non_null(file);
    assert_int_equal(fseek(file, SALT_AT, SEEK_SET), 0);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
    return (long)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

static int count(fixture_t *f, const char *sql)
{
    sqlite3_stmt *stmt;
    int n;

    assert_int_equal(sqlite3_prepare_v2(f->sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    n = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

/* More than a thousand pages in one commit; then commits of a page or two. */
static void the_wal_starts_anew_while_commits_go_on(void **state)
{
    fixture_t *f = *state;
    ecl_result_t result = ecl_result_make(f->pool);
    apr_pool_t *p;
    int rows = 0;

    apr_pool_create(&p, f->pool);
    assert_int_equal(ecl_checkpointer_make(f->sqlite, p, &result), APR_SUCCESS);
    for (int round = 0; round < 3; round++) {
        long before;

        run(f, "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1200)"
               " INSERT INTO t (s) SELECT randomblob(500) FROM s");
        rows += 1200;
        /* for as long as the thread needs */
        for (before = salt(f); salt(f) == before; rows++) {
            run(f, "INSERT INTO t (s) VALUES ('x')");
        }
    }
    assert_int_equal(count(f, "SELECT count(*) FROM t"), rows);
    apr_pool_destroy(p);
    run(f, "INSERT INTO t (s) VALUES ('x')");
    assert_int_equal(sqlite3_close(f->sqlite), SQLITE_OK);
    /* nobody else has it open any more */
    assert_int_equal(access(f->wal, F_OK), -1);
    assert_int_equal(sqlite3_open(f->path, &f->sqlite), SQLITE_OK);
    assert_int_equal(count(f, "SELECT count(*) FROM t"), rows + 1);
    assert_int_equal(count(f, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    sqlite3_close(f->sqlite);
}

/* The thread's own connection can't be had: the committer does it all. */
static void the_wal_starts_anew_without_a_second_connection(void **state)
{
    fixture_t *f = *state;
    ecl_result_t result = ecl_result_make(f->pool);
    const char *away = apr_pstrcat(f->pool, f->path, ".away", NULL);
    apr_pool_t *p;
    long before;

    apr_pool_create(&p, f->pool);
    assert_int_equal(ecl_checkpointer_make(f->sqlite, p, &result), APR_SUCCESS);
    assert_int_equal(rename(f->path, away), 0);
    run(f, "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1200)"
           " INSERT INTO t (s) SELECT randomblob(500) FROM s");
    for (before = salt(f); salt(f) == before;) {
        run(f, "INSERT INTO t (s) VALUES ('x')");
    }
    assert_int_equal(rename(away, f->path), 0);
    apr_pool_destroy(p);
    assert_int_equal(count(f, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    assert_int_equal(sqlite3_close(f->sqlite), SQLITE_OK);
}

/* ---- who syncs the database -------------------------------------------------------------------
 */

#define PATIENCE apr_time_from_sec(60)

static struct {
    sqlite3_vfs vfs; /* SQLite's own, but for a database's xSync */
    sqlite3_vfs *original;
    const sqlite3_io_methods *methods;
    sqlite3_io_methods watched;
    apr_os_thread_t committer;
    apr_thread_mutex_t *lock;
    apr_thread_cond_t *synced;
    int by_others;
} watch;

static int watched_sync(sqlite3_file *file, int flags)
{
    if (!apr_os_thread_equal(apr_os_thread_current(), watch.committer)) {
        apr_thread_mutex_lock(watch.lock);
        watch.by_others++;
        apr_thread_cond_signal(watch.synced);
        apr_thread_mutex_unlock(watch.lock);
    }
    return watch.methods->xSync(file, flags);
}

static int watched_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                        int *pflags)
{
    int rc = watch.original->xOpen(watch.original, name, file, flags, pflags);

    (void)vfs;
    if (rc == SQLITE_OK && flags & SQLITE_OPEN_MAIN_DB) {
        watch.methods = file->pMethods;
        watch.watched = *file->pMethods;
        watch.watched.xSync = watched_sync;
        file->pMethods = &watch.watched;
    }
    return rc;
}

static int set_up_watched(void **state)
{
    fixture_t *f;

    watch.original = sqlite3_vfs_find(NULL);
    watch.vfs = *watch.original;
    watch.vfs.zName = "watched";
    watch.vfs.xOpen = watched_open;
    watch.committer = apr_os_thread_current();
    watch.by_others = 0;
    assert_int_equal(sqlite3_vfs_register(&watch.vfs, 1), SQLITE_OK);
    set_up(state);
    f = *state;
    assert_int_equal(apr_thread_mutex_create(&watch.lock, APR_THREAD_MUTEX_DEFAULT, f->pool),
                     APR_SUCCESS);
    assert_int_equal(apr_thread_cond_create(&watch.synced, f->pool), APR_SUCCESS);
    return 0;
}

static int tear_down_watched(void **state)
{
    sqlite3_vfs_unregister(&watch.vfs);
    sqlite3_vfs_register(watch.original, 1);
    return tear_down(state);
}

/* Somebody reads what is old, so that the thread can't copy the last of the WAL, and SQLite leaves
 * the sync to who can. */
static void the_thread_syncs_what_it_has_copied(void **state)
{
    fixture_t *f = *state;
    ecl_result_t result = ecl_result_make(f->pool);
    apr_status_t waited = APR_SUCCESS;
    sqlite3 *reader;
    apr_pool_t *p;

    assert_int_equal(sqlite3_open(f->path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
    apr_pool_create(&p, f->pool);
    assert_int_equal(ecl_checkpointer_make(f->sqlite, p, &result), APR_SUCCESS);
    run(f, "WITH RECURSIVE s (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 1200)"
           " INSERT INTO t (s) SELECT randomblob(500) FROM s");
    apr_thread_mutex_lock(watch.lock);
    while (!watch.by_others && waited == APR_SUCCESS) {
        waited = apr_thread_cond_timedwait(watch.synced, watch.lock, PATIENCE);
    }
    assert_int_equal(waited, APR_SUCCESS);
    apr_thread_mutex_unlock(watch.lock);
    apr_pool_destroy(p);
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    assert_int_equal(sqlite3_close(f->sqlite), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_wal_starts_anew_while_commits_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_wal_starts_anew_without_a_second_connection, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_thread_syncs_what_it_has_copied, set_up_watched,
                                        tear_down_watched),
    };

    return cmocka_run_group_tests(tests, start_apr, stop_apr);
}
