/*
 * SQLite's checkpoints in a thread of their own: while what was committed to the WAL is copied into
 * the database and synced, the import goes on.
 *
 *   commit ─▶ WAL: CHECKPOINT_FRAMES or more ──▶ the thread, with a connection of its own, copies
 *                                               and syncs
 *   commit ─▶ the thread is done ──▶ the committer copies what came meanwhile: the WAL starts anew
 *
 * So the WAL stays nearly as short as SQLite would keep it by itself. Both are SQLite's passive
 * checkpoints: they wait for nobody, change nothing that a reader sees, and what fails is done by
 * the next one.
 */
#ifndef ECL_CHECKPOINTER_H
#define ECL_CHECKPOINTER_H

#include <sqlite3.h>

#include "../lib/ecl.h"

/* From now on, commits on the connection are checkpointed so, until p is cleared, which must be
 * before the connection is closed. The thread is started when there is something to do. */
apr_status_t ecl_checkpointer_make(sqlite3 *sqlite, apr_pool_t *p, ecl_result_t *result);

#endif /* ECL_CHECKPOINTER_H */
