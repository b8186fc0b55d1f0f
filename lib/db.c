/*
 * Connections, statements, transactions. See db.h for the contract; what is done here, and why:
 *
 * - A place in the apr_reslist is an ecl_db_conn_t that may or may not be connected. Connecting is
 *   done by the borrower, outside the list's lock, so that a slow database does not stop the
 *   threads that have a connection already, and the borrower learns why it failed.
 * - Every native connection has a pool with its own allocator. Statements live there as long as the
 *   connection; what one call needs goes to `scratch`, which is cleared by every call.
 * - SQLite's statements are run on its native handle (db_sqlite3.c). apr_dbd_sqlite3 holds one
 * mutex for the whole process while SQLite works, so that threads can't read side by side, and
 * while it sleeps for a lock, so that the lock's holder can't commit; it prepares with the legacy
 *   sqlite3_prepare, so that a change of the schema by another connection breaks every statement
 *   for good; and it copies each cell under four more mutexes of SQLite's.
 * - A server that was restarted has closed its idle connections: what comes first on one, a BEGIN
 * or a statement of its own, goes to a fresh connection, without a question to the server.
 * - apr_dbd_transaction_* is not used: it loses errors (SQLite) and crashes on a lost backend
 *   (PostgreSQL).
 */
#include <apr_dbd.h>
#include <apr_hash.h>
#include <apr_lib.h>
#include <apr_reslist.h>

#include "db_driver.h"
#include "log.h"

#define CONNECTION_WAIT_US apr_time_from_sec(5)
#define LOCK_WAIT_US apr_time_from_sec(10)
/* what a connection's allocator keeps after a large result, for the next one */
#define ALLOCATOR_KEEP_BYTES (1024 * 1024)
#define MAX_ARGS 64

struct ecl_db_t {
    apr_pool_t *pool; /* the reslist allocates here under its lock; else only a parent of pools */
    const ecl_db_dialect_t *dialect;
    const apr_dbd_driver_t *driver;
    const char *params;
    const char *label;  /* what messages call it, without secrets */
    const char *marker; /* see ecl_db_set_marker; NULL: none */
    apr_reslist_t *reslist;
    ecl_db_conn_t **places; /* those that the reslist has made */
    int nplaces;
    apr_interval_time_t connection_wait_us;
    apr_interval_time_t lock_wait_us;
    int is_read_only;
};

struct ecl_db_conn_t {
    ecl_db_t *db;
    apr_dbd_t *handle; /* NULL: not connected, and so are the next five */
    apr_pool_t *pool;
    apr_pool_t *scratch;
    apr_pool_t *native_pool;
    apr_hash_t *statements; /* address of the SQL -> statement_t */
    int is_borrowed;
    unsigned in_transaction : 1;
    unsigned transaction_failed : 1; /* only a rollback is possible */
    unsigned failed : 1;             /* to be closed on release */
};

typedef struct statement_t {
    const char *sql;
    apr_dbd_prepared_t *prepared; /* or, where the dialect runs statements itself: */
    void *native;
    apr_size_t nargs;
    char kinds[MAX_ARGS]; /* 's' text, 'd' integer */
} statement_t;

static const ecl_db_dialect_t *dialect_of(const ecl_db_conn_t *conn)
{
    return conn->db->dialect;
}

/* Tells the failure and notes what it means for connection and transaction. */
static apr_status_t fail(ecl_db_conn_t *conn, ecl_db_failure_t failure, ecl_result_t *result)
{
    const char *words = apr_dbd_error(conn->db->driver, conn->handle, 0);
    /* the first line: PostgreSQL's following ones quote values */
    int length = (int)strcspn(words, "\n");

    if (conn->in_transaction) {
        conn->transaction_failed = 1;
    }
    if (failure != ECL_DB_BUSY && failure != ECL_DB_CONSTRAINT) {
        conn->failed = 1;
    }
    switch (failure) {
    case ECL_DB_BUSY:
        return ecl_fail(result, ECL_EUNAVAILABLE, "database-busy",
                        "%s is locked by somebody else: %.*s", conn->db->label, length, words);
    case ECL_DB_LOST:
        return ecl_fail(result, ECL_EUNAVAILABLE, "database-unavailable", "%s cannot be used: %.*s",
                        conn->db->label, length, words);
    case ECL_DB_NO_SPACE:
        return ecl_fail(result, ECL_ENOSPACE, "database-full", "the disk of %s is full: %.*s",
                        conn->db->label, length, words);
    case ECL_DB_CONSTRAINT:
    case ECL_DB_OTHER:
        break;
    }
    return ecl_fail(result, APR_EGENERAL, "database-error", "the database reports: %.*s", length,
                    words);
}

static int is_displaced(ecl_db_conn_t *conn)
{
    return dialect_of(conn)->is_displaced(ecl_db_native(conn));
}

static apr_status_t fail_displaced(ecl_db_conn_t *conn, ecl_result_t *result)
{
    ecl_db_mark_failed(conn);
    return ecl_fail(result, ECL_EUNAVAILABLE, "database-missing",
                    "the file of %s was moved away or deleted while it was in use",
                    conn->db->label);
}

/* --- connecting --- */

/* SQLite closes no handle that has statements left. */
static void finish_statements(ecl_db_conn_t *conn)
{
    void *statement;

    for (apr_hash_index_t *i = apr_hash_first(NULL, conn->statements); i; i = apr_hash_next(i)) {
        apr_hash_this(i, NULL, NULL, &statement);
        dialect_of(conn)->finish(((statement_t *)statement)->native);
    }
}

static void disconnect(ecl_db_conn_t *conn)
{
    if (conn->native_pool) {
        apr_pool_destroy(conn->native_pool); /* SQLite closes no handle that has statements left */
    }
    if (conn->handle) {
        if (dialect_of(conn)->finish) {
            finish_statements(conn);
        }
        apr_dbd_close(conn->db->driver, conn->handle);
    }
    if (conn->pool) {
        apr_pool_destroy(conn->pool);
    }
    conn->handle = NULL;
    conn->pool = NULL;
    conn->scratch = NULL;
    conn->native_pool = NULL;
    conn->statements = NULL;
    conn->in_transaction = 0;
    conn->transaction_failed = 0;
    conn->failed = 0;
}

/* A pool with an allocator of its own, which no other thread's pool shares. */
static apr_status_t make_own_pool(apr_pool_t **ppool, apr_pool_t *parent)
{
    apr_allocator_t *allocator;
    apr_status_t rv = apr_allocator_create(&allocator);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    apr_allocator_max_free_set(allocator, ALLOCATOR_KEEP_BYTES);
    rv = apr_pool_create_ex(ppool, parent, NULL, allocator);
    if (rv != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return rv;
    }
    apr_allocator_owner_set(allocator, *ppool);
    return APR_SUCCESS;
}

/* A pool that threads may make children of at the same time: it takes a mutex for that. */
static apr_status_t make_shared_parent(apr_pool_t **ppool, apr_pool_t *parent)
{
    apr_thread_mutex_t *mutex;
    apr_status_t rv = make_own_pool(ppool, parent);

    if (rv == APR_SUCCESS) {
        rv = apr_thread_mutex_create(&mutex, APR_THREAD_MUTEX_DEFAULT, *ppool);
    }
    if (rv == APR_SUCCESS) {
        apr_allocator_mutex_set(apr_pool_allocator_get(*ppool), mutex);
    }
    return rv;
}

static apr_status_t connect_handle(ecl_db_conn_t *conn, ecl_result_t *result)
{
    ecl_db_t *db = conn->db;
    apr_status_t rv;
    const char *why = NULL;

    rv = db->dialect->prepare_open(db->params, db->marker, conn->scratch, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_dbd_open_ex(db->driver, conn->pool, db->params, &conn->handle, &why);
    if (rv != APR_SUCCESS) {
        conn->handle = NULL;
        why = why ? why : "the driver gives no reason";
        return ecl_fail(result, ECL_EUNAVAILABLE, "database-unavailable", "cannot open %s: %.*s",
                        db->label, (int)strcspn(why, "\n"), why);
    }
    /* the driver makes a file that was moved away since, an empty one */
    rv = db->dialect->look(db->params, db->marker, conn->scratch, result);
    if (rv == ECL_EUNAVAILABLE) {
        return rv;
    }
    if (db->dialect->configure(ecl_db_native(conn), (int)apr_time_as_msec(db->lock_wait_us),
                               db->is_read_only) != 0) {
        return fail(conn, db->dialect->classify(ecl_db_native(conn)), result);
    }
    db->dialect->mark(db->params, db->marker, conn->scratch);
    return APR_SUCCESS;
}

static apr_status_t connect_db(ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_status_t rv = make_own_pool(&conn->pool, conn->db->pool);

    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "out-of-memory", "cannot make a pool for a connection");
    }
    rv = apr_pool_create(&conn->scratch, conn->pool);
    if (rv == APR_SUCCESS) {
        rv = apr_pool_create(&conn->native_pool, conn->pool);
    }
    if (rv == APR_SUCCESS) {
        conn->statements = apr_hash_make(conn->pool);
        rv = connect_handle(conn, result);
    }
    if (rv != APR_SUCCESS) {
        disconnect(conn);
    }
    return rv;
}

static apr_status_t make_place(void **presource, void *baton, apr_pool_t *p)
{
    ecl_db_conn_t *conn = apr_pcalloc(p, sizeof *conn);

    conn->db = baton;
    conn->db->places[conn->db->nplaces++] = conn;
    *presource = conn;
    return APR_SUCCESS;
}

static apr_status_t end_place(void *resource, void *baton, apr_pool_t *p)
{
    (void)baton;
    (void)p;
    disconnect(resource);
    return APR_SUCCESS;
}

/* A child of httpd may be told to end while a request has a connection; the reslist would abort.
 * Nothing can be closed under a thread that uses it, so these are left to the end of the process:
 * to the database that is a crash, which it survives. */
static apr_status_t abandon_borrowed(void *data)
{
    ecl_db_t *db = data;

    for (int i = 0; i < db->nplaces; i++) {
        if (db->places[i]->is_borrowed) {
            db->places[i]->handle = NULL;
            db->places[i]->pool = NULL;
            db->places[i]->native_pool = NULL;
            apr_reslist_release(db->reslist, db->places[i]);
        }
    }
    return APR_SUCCESS;
}

apr_status_t ecl_db_open(ecl_db_t **pdb, const char *driver, const char *params,
                         int max_connections, apr_pool_t *p, ecl_result_t *result)
{
    static const ecl_db_dialect_t *const dialects[] = {&ecl_db_sqlite3, &ecl_db_pgsql};
    ecl_db_t *db = apr_pcalloc(p, sizeof *db);
    apr_status_t rv;

    for (apr_size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        if (!strcmp(driver, dialects[i]->name)) {
            db->dialect = dialects[i];
        }
    }
    if (!db->dialect) {
        return ecl_fail(result, ECL_ECONFIG, "database-driver",
                        "database driver '%s' is not known: use sqlite3 or pgsql", driver);
    }
    rv = db->dialect->check_params(params, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    /* counts its callers: only the first does anything, and it may be mod_dbd */
    rv = apr_dbd_init(p);
    if (rv == APR_SUCCESS) {
        rv = apr_dbd_get_driver(p, driver, &db->driver);
    }
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, ECL_ECONFIG, "database-driver",
                        "cannot load APR's database driver %s (package libaprutil1-dbd-%s): %s",
                        driver, driver, ecl_strerror(rv, p));
    }
    db->params = db->dialect->complete_params(params, p);
    db->label = db->dialect->describe(params, p);
    db->places = apr_pcalloc(p, (apr_size_t)max_connections * sizeof(ecl_db_conn_t *));
    rv = make_shared_parent(&db->pool, p);
    if (rv == APR_SUCCESS) {
        rv = apr_reslist_create(&db->reslist, 0, max_connections, max_connections, 0, make_place,
                                end_place, db, db->pool);
    }
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "database-pool", "cannot make a pool of %d connections: %s",
                        max_connections, ecl_strerror(rv, p));
    }
    ecl_db_set_waits(db, CONNECTION_WAIT_US, LOCK_WAIT_US);
    /* before the connections' pools, which are children of the list's */
    apr_reslist_cleanup_order_set(db->reslist, APR_RESLIST_CLEANUP_FIRST);
    apr_pool_pre_cleanup_register(db->pool, db, abandon_borrowed);
    *pdb = db;
    return APR_SUCCESS;
}

void ecl_db_set_waits(ecl_db_t *db, apr_interval_time_t connection_us, apr_interval_time_t lock_us)
{
    db->connection_wait_us = connection_us;
    db->lock_wait_us = lock_us;
    apr_reslist_timeout_set(db->reslist, connection_us);
}

void ecl_db_set_read_only(ecl_db_t *db)
{
    db->is_read_only = 1;
}

void ecl_db_set_marker(ecl_db_t *db, const char *path)
{
    db->marker = path;
}

apr_status_t ecl_db_look(const ecl_db_t *db, apr_pool_t *scratch, ecl_result_t *result)
{
    return db->dialect->look(db->params, db->marker, scratch, result);
}

apr_status_t ecl_db_acquire(ecl_db_conn_t **pconn, ecl_db_t *db, ecl_result_t *result)
{
    void *resource = NULL;
    ecl_db_conn_t *conn;
    apr_status_t rv = apr_reslist_acquire(db->reslist, &resource);

    *pconn = NULL;
    if (APR_STATUS_IS_TIMEUP(rv)) {
        return ecl_fail(result, ECL_EUNAVAILABLE, "database-busy",
                        "all database connections are in use (waited %d ms)",
                        (int)apr_time_as_msec(db->connection_wait_us));
    }
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, ECL_EUNAVAILABLE, "database-unavailable",
                        "cannot borrow a database connection");
    }
    conn = resource;
    conn->is_borrowed = 1;
    if (!conn->handle) {
        rv = connect_db(conn, result);
        if (rv != APR_SUCCESS) {
            ecl_db_release(conn);
            return rv;
        }
    }
    *pconn = conn;
    return APR_SUCCESS;
}

void ecl_db_release(ecl_db_conn_t *conn)
{
    if (!conn) {
        return;
    }
    if (conn->handle) {
        ecl_db_rollback(conn);
        apr_pool_clear(conn->scratch);
    }
    if (conn->failed) {
        disconnect(conn);
    }
    conn->is_borrowed = 0;
    apr_reslist_release(conn->db->reslist, conn);
}

ecl_db_driver_t ecl_db_conn_driver(const ecl_db_conn_t *conn)
{
    return dialect_of(conn)->driver;
}

void *ecl_db_native(ecl_db_conn_t *conn)
{
    return conn->handle ? apr_dbd_native_handle(conn->db->driver, conn->handle) : NULL;
}

apr_pool_t *ecl_db_native_pool(ecl_db_conn_t *conn)
{
    return conn->native_pool;
}

void ecl_db_mark_failed(ecl_db_conn_t *conn)
{
    conn->failed = 1;
    if (conn->in_transaction) {
        conn->transaction_failed = 1;
    }
}

/* --- transactions --- */

/* The database ends a transaction by itself after some errors; what follows would then be
 * committed statement by statement. */
static int is_transaction_alive(ecl_db_conn_t *conn)
{
    return dialect_of(conn)->is_in_transaction(ecl_db_native(conn));
}

static int run_control(ecl_db_conn_t *conn, const char *sql)
{
    return dialect_of(conn)->control(ecl_db_native(conn), sql);
}

static ecl_db_failure_t classify(ecl_db_conn_t *conn)
{
    return dialect_of(conn)->classify(ecl_db_native(conn));
}

/* Whether there is no connection, or only what is left of one. */
static int is_disconnected(ecl_db_conn_t *conn)
{
    return !conn->handle ||
           (!conn->in_transaction && dialect_of(conn)->is_lost(ecl_db_native(conn)));
}

static apr_status_t reconnect(ecl_db_conn_t *conn, ecl_result_t *result)
{
    disconnect(conn);
    return connect_db(conn, result);
}

apr_status_t ecl_db_begin(ecl_db_conn_t *conn, ecl_result_t *result)
{
    if (conn->in_transaction) {
        return ecl_fail(result, APR_EGENERAL, "database-misuse", "transactions do not nest");
    }
    if (is_disconnected(conn)) {
        apr_status_t rv = reconnect(conn, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (run_control(conn, dialect_of(conn)->begin) != 0) {
        return fail(conn, classify(conn), result);
    }
    conn->in_transaction = 1;
    return APR_SUCCESS;
}

int ecl_db_in_transaction(const ecl_db_conn_t *conn)
{
    return conn->in_transaction;
}

void ecl_db_rollback(ecl_db_conn_t *conn)
{
    if (!conn->in_transaction) {
        return;
    }
    conn->in_transaction = 0;
    conn->transaction_failed = 0;
    /* what the database has rolled back by itself needs, and stands, no second time */
    if (run_control(conn, "ROLLBACK") != 0 && is_transaction_alive(conn)) {
        conn->failed = 1; /* closing it rolls back */
    }
}

static apr_status_t fail_transaction(ecl_db_conn_t *conn, ecl_result_t *result)
{
    conn->transaction_failed = 1;
    return ecl_fail(result, APR_EGENERAL, "transaction-failed",
                    "the transaction failed at an earlier statement");
}

apr_status_t ecl_db_commit(ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_status_t rv;

    if (!conn->in_transaction) {
        return ecl_fail(result, APR_EGENERAL, "database-misuse", "no transaction to commit");
    }
    /* PostgreSQL answers COMMIT of a failed transaction with success, and rolls back */
    if (conn->transaction_failed || !is_transaction_alive(conn)) {
        rv = fail_transaction(conn, result);
    } else if (is_displaced(conn)) {
        rv = fail_displaced(conn, result);
    } else if (run_control(conn, "COMMIT") != 0) {
        rv = fail(conn, classify(conn), result);
    } else {
        conn->in_transaction = 0;
        /* in the meantime: then nobody will find what was committed */
        return is_displaced(conn) ? fail_displaced(conn, result) : APR_SUCCESS;
    }
    ecl_db_rollback(conn);
    return rv;
}

apr_status_t ecl_db_fail_native(ecl_db_conn_t *conn, const char *what, ecl_result_t *result)
{
    ecl_result_t why;
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, NULL);
    why = ecl_result_make(p);
    rv = fail(conn, classify(conn), &why);
    ecl_db_mark_failed(conn);
    ecl_fail(result, rv, why.code, "%s: %s", what, why.detail);
    apr_pool_destroy(p);
    return rv;
}

/* --- statements --- */

/* Reads the kinds of the placeholders, as apr_dbd_prepare does, which neither counts what it is
 * given nor knows its types. Returns 0 for a placeholder that this file does not bind. */
static int scan_placeholders(statement_t *statement)
{
    for (const char *c = statement->sql; *c; c++) {
        if (c[0] != '%') {
            continue;
        }
        if (c[1] == '%') {
            c++;
        } else if (statement->nargs == MAX_ARGS) {
            return 0;
        } else if (c[1] == 's') {
            statement->kinds[statement->nargs++] = 's';
        } else if (!strncmp(c + 1, "lld", 3)) {
            statement->kinds[statement->nargs++] = 'd';
        } else if (apr_isalpha(c[1])) {
            return 0;
        }
    }
    return 1;
}

/* The statement for this SQL, prepared on first use. NULL: *pwhy says what is wrong with the SQL
 * itself, or is NULL when the database refused it. */
static statement_t *prepare(ecl_db_conn_t *conn, const char *sql, const char **pwhy)
{
    statement_t *statement = apr_hash_get(conn->statements, &sql, sizeof sql);

    *pwhy = NULL;
    if (statement) {
        return statement;
    }
    statement = apr_pcalloc(conn->pool, sizeof *statement);
    statement->sql = sql;
    if (!scan_placeholders(statement)) {
        *pwhy = "a placeholder is neither %s nor %lld, or there are too many";
        return NULL;
    }
    if (dialect_of(conn)->prepare) {
        statement->native = dialect_of(conn)->prepare(ecl_db_native(conn), sql, conn->scratch);
        if (!statement->native) {
            return NULL;
        }
        apr_hash_set(conn->statements, &statement->sql, sizeof statement->sql, statement);
        return statement;
    }
    /* no label: apr_dbd_pgsql then plans each call and infers the types of NULLs; a named statement
     * would be lost, unnoticed, when the driver resets a connection */
    if (apr_dbd_prepare(conn->db->driver, conn->pool, conn->handle, sql, NULL,
                        &statement->prepared) != 0) {
        return NULL;
    }
    apr_hash_set(conn->statements, &statement->sql, sizeof statement->sql, statement);
    return statement;
}

/* Returns what is wrong with the arguments, or NULL. */
static const char *check_args(const statement_t *statement, const ecl_db_value_t *args,
                              apr_size_t nargs)
{
    if (nargs != statement->nargs) {
        return "the number of arguments is not that of the placeholders";
    }
    for (apr_size_t i = 0; i < nargs; i++) {
        if (args[i].kind != ECL_DB_NULL &&
            (args[i].kind == ECL_DB_TEXT) != (statement->kinds[i] == 's')) {
            return "an argument is not of its placeholder's type";
        }
    }
    return NULL;
}

/* One call, and what came of it. */
typedef struct call_t {
    apr_pool_t *p; /* where a query's rows go; NULL: it is none */
    ecl_db_rows_t *rows;
    int affected;
    const char *misuse; /* the caller's mistake, if that is why it failed */
} call_t;

static ecl_db_rows_t *copy_rows(ecl_db_conn_t *conn, apr_dbd_results_t *results, apr_pool_t *p)
{
    const apr_dbd_driver_t *driver = conn->db->driver;
    ecl_db_rows_t *rows = apr_pcalloc(p, sizeof *rows);
    apr_dbd_row_t *row = NULL;
    apr_size_t cell = 0;

    rows->nrows = apr_dbd_num_tuples(driver, results);
    rows->ncolumns = apr_dbd_num_cols(driver, results);
    rows->cells =
        apr_pcalloc(p, (apr_size_t)rows->nrows * (apr_size_t)rows->ncolumns * sizeof *rows->cells);
    while (apr_dbd_get_row(driver, conn->scratch, results, &row, -1) == 0) {
        for (int column = 0; column < rows->ncolumns; column++) {
            const char *text = NULL;
            /* get_entry would give "" for NULL */
            if (apr_dbd_datum_get(driver, row, column, APR_DBD_TYPE_STRING, &text) == APR_SUCCESS) {
                rows->cells[cell] = apr_pstrdup(p, text);
            }
            cell++;
        }
    }
    return rows;
}

/* Returns 0, or the driver's error. */
static int run_by_apr(ecl_db_conn_t *conn, const statement_t *statement, const ecl_db_value_t *args,
                      call_t *call)
{
    const apr_dbd_driver_t *driver = conn->db->driver;
    const void *values[MAX_ARGS]; /* by pointer, NULL for SQL NULL */
    apr_dbd_results_t *results = NULL;
    int ret;

    for (apr_size_t i = 0; i < statement->nargs; i++) {
        values[i] = args[i].kind == ECL_DB_NULL   ? NULL
                    : args[i].kind == ECL_DB_TEXT ? (const void *)args[i].text
                                                  : &args[i].number;
    }
    if (!call->p) {
        return apr_dbd_pbquery(driver, conn->scratch, conn->handle, &call->affected,
                               statement->prepared, values);
    }
    ret = apr_dbd_pbselect(driver, conn->scratch, conn->handle, &results, statement->prepared, 1,
                           values);
    if (ret == 0) {
        call->rows = copy_rows(conn, results, call->p);
    }
    return ret;
}

/* Returns 0, or the driver's error. */
static int run_once(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                    apr_size_t nargs, call_t *call)
{
    statement_t *statement;
    int ret;

    statement = prepare(conn, sql, &call->misuse);
    if (!statement) {
        return -1;
    }
    call->misuse = check_args(statement, args, nargs);
    if (call->misuse) {
        return -1;
    }
    if (dialect_of(conn)->run) {
        return dialect_of(conn)->run(statement->native, args, nargs, &call->affected, call->p,
                                     &call->rows);
    }
    ret = run_by_apr(conn, statement, args, call);
    apr_pool_clear(conn->scratch);
    return ret;
}

static apr_status_t run(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                        apr_size_t nargs, call_t *call, ecl_result_t *result)
{
    if (conn->in_transaction && (conn->transaction_failed || !is_transaction_alive(conn))) {
        return fail_transaction(conn, result);
    }
    if (is_disconnected(conn)) {
        apr_status_t rv = reconnect(conn, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
    if (run_once(conn, sql, args, nargs, call) == 0) {
        return !conn->in_transaction && !call->p && is_displaced(conn)
                   ? fail_displaced(conn, result)
                   : APR_SUCCESS;
    }
    if (call->misuse) {
        return ecl_fail(result, APR_EGENERAL, "database-misuse", "%s: %s", call->misuse, sql);
    }
    return fail(conn, classify(conn), result);
}

apr_status_t ecl_db_exec(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                         apr_size_t nargs, int *paffected, ecl_result_t *result)
{
    call_t call = {0};
    apr_status_t rv = run(conn, sql, args, nargs, &call, result);

    if (rv == APR_SUCCESS && paffected) {
        *paffected = call.affected;
    }
    return rv;
}

apr_status_t ecl_db_query(ecl_db_conn_t *conn, const char *sql, const ecl_db_value_t *args,
                          apr_size_t nargs, apr_pool_t *p, ecl_db_rows_t **prows,
                          ecl_result_t *result)
{
    call_t call = {.p = p};
    apr_status_t rv = run(conn, sql, args, nargs, &call, result);

    *prows = call.rows;
    return rv;
}

int ecl_db_nrows(const ecl_db_rows_t *rows)
{
    return rows->nrows;
}

const char *ecl_db_get(const ecl_db_rows_t *rows, int row, int column)
{
    if (row < 0 || row >= rows->nrows || column < 0 || column >= rows->ncolumns) {
        ecl_log(ECL_LOG_CRIT, 0, ECLNO(1001) "no cell (%d, %d) in a result of %d rows, %d columns",
                row, column, rows->nrows, rows->ncolumns);
        abort();
    }
    return rows->cells[row * rows->ncolumns + column];
}

apr_int64_t ecl_db_get_int(const ecl_db_rows_t *rows, int row, int column)
{
    const char *text = ecl_db_get(rows, row, column);
    apr_int64_t number = 0;

    if (text && !ecl_parse_int64(text, APR_INT64_MIN, APR_INT64_MAX, &number)) {
        ecl_log(ECL_LOG_CRIT, 0, ECLNO(1002) "cell (%d, %d) holds no integer", row, column);
        abort();
    }
    return number;
}
