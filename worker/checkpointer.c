#include "checkpointer.h"

#include <apr_thread_cond.h>
#include <apr_thread_proc.h>

#define CHECKPOINT_FRAMES 1000 /* SQLite's own default */

typedef enum work_t { NOTHING, TO_DO, DONE } work_t;

typedef struct checkpointer_t {
    sqlite3 *sqlite; /* the one that commits */
    const char *path;
    apr_pool_t *pool;
    apr_thread_t *thread;     /* NULL: not started */
    apr_thread_mutex_t *lock; /* of what follows */
    apr_thread_cond_t *told;
    work_t work;
    int is_ending;
} checkpointer_t;

/* ---- the thread ------------------------------------------------------------------------------ */

/* NULL: it can't be had; the committer does it all then. */
static sqlite3 *open_own(const char *path)
{
    sqlite3 *sqlite = NULL;

    if (sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_exec(sqlite, "PRAGMA synchronous=FULL", NULL, NULL, NULL) == SQLITE_OK &&
        /* a connection that has read nothing does not know that there is a WAL */
        sqlite3_exec(sqlite, "PRAGMA schema_version", NULL, NULL, NULL) == SQLITE_OK) {
        return sqlite;
    }
    sqlite3_close(sqlite);
    return NULL;
}

/* Copies what was committed so far, and syncs it. SQLite leaves the sync to whoever copies the last
 * of the WAL: the committer, who would wait until all that was copied here is on the disk. */
static void copy(sqlite3 *sqlite)
{
    sqlite3_file *file = NULL;

    if (sqlite3_wal_checkpoint_v2(sqlite, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) ==
            SQLITE_OK &&
        sqlite3_file_control(sqlite, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
        file->pMethods) {
        file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    }
}

static void *APR_THREAD_FUNC copy_when_told(apr_thread_t *thread, void *data)
{
    checkpointer_t *checkpointer = data;
    sqlite3 *own;

    (void)thread;
    apr_setup_signal_thread(); /* signals are the committer's */
    own = open_own(checkpointer->path);
    apr_thread_mutex_lock(checkpointer->lock);
    while (!checkpointer->is_ending) {
        if (checkpointer->work != TO_DO) {
            apr_thread_cond_wait(checkpointer->told, checkpointer->lock);
            continue;
        }
        apr_thread_mutex_unlock(checkpointer->lock);
        if (own) {
            copy(own);
        }
        apr_thread_mutex_lock(checkpointer->lock);
        checkpointer->work = DONE;
    }
    apr_thread_mutex_unlock(checkpointer->lock);
    sqlite3_close(own);
    return NULL;
}

/* ---- the committer --------------------------------------------------------------------------- */

/* What the committer has to do itself. */
static int take_turn(checkpointer_t *checkpointer)
{
    int is_ours = checkpointer->work == DONE;

    if (is_ours) {
        checkpointer->work = NOTHING;
    } else if (checkpointer->work == NOTHING) {
        if (!checkpointer->thread &&
            apr_thread_create(&checkpointer->thread, NULL, copy_when_told, checkpointer,
                              checkpointer->pool) != APR_SUCCESS) {
            checkpointer->thread = NULL;
            return 1;
        }
        checkpointer->work = TO_DO;
        apr_thread_cond_signal(checkpointer->told);
    }
    return is_ours;
}

static int after_commit(void *data, sqlite3 *sqlite, const char *schema, int frames)
{
    checkpointer_t *checkpointer = data;
    int is_ours;

    if (frames < CHECKPOINT_FRAMES) {
        return SQLITE_OK;
    }
    apr_thread_mutex_lock(checkpointer->lock);
    is_ours = take_turn(checkpointer);
    apr_thread_mutex_unlock(checkpointer->lock);
    if (is_ours) {
        sqlite3_wal_checkpoint_v2(sqlite, schema, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    }
    return SQLITE_OK;
}

static apr_status_t end(void *data)
{
    checkpointer_t *checkpointer = data;
    apr_status_t ignored;

    sqlite3_wal_hook(checkpointer->sqlite, NULL, NULL);
    if (checkpointer->thread) {
        apr_thread_mutex_lock(checkpointer->lock);
        checkpointer->is_ending = 1;
        apr_thread_cond_signal(checkpointer->told);
        apr_thread_mutex_unlock(checkpointer->lock);
        apr_thread_join(&ignored, checkpointer->thread);
    }
    return APR_SUCCESS;
}

apr_status_t ecl_checkpointer_make(sqlite3 *sqlite, apr_pool_t *p, ecl_result_t *result)
{
    checkpointer_t *checkpointer = apr_pcalloc(p, sizeof *checkpointer);
    apr_status_t rv;

    checkpointer->sqlite = sqlite;
    checkpointer->path = apr_pstrdup(p, sqlite3_db_filename(sqlite, "main"));
    checkpointer->pool = p;
    if ((rv = apr_thread_mutex_create(&checkpointer->lock, APR_THREAD_MUTEX_DEFAULT, p)) !=
            APR_SUCCESS ||
        (rv = apr_thread_cond_create(&checkpointer->told, p)) != APR_SUCCESS) {
        return ecl_fail(result, rv, "no-memory", "cannot make a lock for checkpoints");
    }
    apr_pool_pre_cleanup_register(p, checkpointer, end);
    sqlite3_wal_hook(sqlite, after_commit, checkpointer);
    return APR_SUCCESS;
}
