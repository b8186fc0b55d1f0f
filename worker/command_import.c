/*
 * The command import: one file, queued and run in the foreground.
 *
 * It is a job like any other, so a background worker may take it first; then this command waits.
 * SIGINT (somebody at the terminal changed his mind) cancels the job, and what it has imported is
 * taken out again. SIGTERM and SIGHUP give it back: it goes on when a worker takes it.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <apr_file_io.h>

#include "../lib/jobs.h"
#include "../lib/log.h"
#include "../lib/options.h"
#include "../lib/storage.h"
#include "../lib/when.h"
#include "command.h"
#include "import.h"
#include "print.h"
#include "process.h"

#define COPY_BYTES (256 * 1024)
#define POLL_MS 200
#define ERRORS_SHOWN 5

typedef struct import_t {
    ecl_invocation_t *invocation;
    apr_pool_t *p;
    const char *path; /* "-": standard input */
    apr_file_t *file;
    int json;
    ecl_job_new_t wanted;
    const char *run_after; /* as given; NULL: import it now, and wait for the result */
    const ecl_zone_t *zone;
    const char *options[ECL_OPTIONS];
    ecl_result_t result; /* why a value of an option was refused */
    ecl_db_t *db;
    apr_pool_t *opened_pool; /* of what follows */
    ecl_opening_t *opened;   /* NULL: not possible */
    ecl_job_t *job;
    volatile const int *stop;
    int cancelled; /* the cancel of SIGINT was asked for */
} import_t;

static volatile sig_atomic_t interrupts;

static void on_interrupt(int number)
{
    (void)number;
    interrupts++;
}

/* ---- options --------------------------------------------------------------------------------- */

#define OPTION_BASE 256 /* and the option's number: beyond all letters */

static const apr_getopt_option_t own_options[] = {
    {"type", 't', 1, "auto, hh or daily"},
    {"dry-run", 'd', 0, "import nothing, report all"},
    {"json", 'j', 0, "print the job"},
    {"notes", 'n', 1, "text kept with the job"},
    {"priority", 'p', 1, "low|normal|high"},
    {"run-after", 'r', 1, "queue it for then, and do not wait"},
    {"user", 'u', 1, "whose import it is"},
    {NULL, 0, 0, NULL}};

static int is_one_of(const char *value, const char *a, const char *b, const char *c)
{
    return !strcmp(value, a) || !strcmp(value, b) || !strcmp(value, c);
}

/* An option of lib/options.h as this command calls it: "date_order" is --date-order. */
static const char *option_name(int id, apr_pool_t *p)
{
    char *name = apr_pstrdup(p, ecl_option_table[id].name);

    for (char *c = name; *c; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    return name;
}

/* The command's own options, then those of lib/options.h. */
static const apr_getopt_option_t *all_options(apr_pool_t *p)
{
    const int own = (int)(sizeof own_options / sizeof own_options[0]) - 1;
    apr_getopt_option_t *options =
        apr_pcalloc(p, (apr_size_t)(own + ECL_OPTIONS + 1) * sizeof *options);

    memcpy(options, own_options, (apr_size_t)own * sizeof *options);
    for (int id = 0; id < ECL_OPTIONS; id++) {
        options[own + id] = (apr_getopt_option_t){option_name(id, p), OPTION_BASE + id, 1,
                                                  ecl_option_table[id].help};
    }
    return options;
}

static const char *on_option(void *baton, int option, const char *value)
{
    import_t *import = baton;

    if (option >= OPTION_BASE) {
        return ecl_option_check(option - OPTION_BASE, value, &import->options[option - OPTION_BASE],
                                &import->result) == APR_SUCCESS
                   ? NULL
                   : apr_pstrcat(import->p, "--", option_name(option - OPTION_BASE, import->p),
                                 strchr(import->result.detail, ':'), NULL);
    }
    switch (option) {
    case 't':
        import->wanted.import_type = value;
        return is_one_of(value, "auto", "hh", "daily") ? NULL : "--type takes auto, hh or daily";
    case 'p':
        import->wanted.priority = value;
        return is_one_of(value, "low", "normal", "high") ? NULL
                                                         : "--priority takes low, normal or high";
    case 'd':
        import->wanted.dry_run = 1;
        return NULL;
    case 'j':
        import->json = 1;
        return NULL;
    case 'r':
        import->run_after = value;
        return *value ? NULL : "--run-after takes a time";
    case 'n':
        import->wanted.notes = value;
        return NULL;
    default:
        import->wanted.user_name = value;
        return *value ? NULL : "--user takes a name";
    }
}

/* ---- file → job ------------------------------------------------------------------------------ */

/* Before the worker becomes another user, who may not be allowed to read the file. */
static apr_status_t open_file(import_t *import, ecl_result_t *result)
{
    apr_finfo_t info;
    apr_status_t rv;

    if (!strcmp(import->path, "-")) {
        import->wanted.filename = "stdin";
        rv = apr_file_open_stdin(&import->file, import->p);
    } else {
        const char *slash = strrchr(import->path, '/');
        import->wanted.filename = slash ? slash + 1 : import->path;
        rv = apr_file_open(&import->file, import->path, APR_FOPEN_READ | APR_FOPEN_BINARY,
                           APR_FPROT_OS_DEFAULT, import->p);
        if (rv == APR_SUCCESS) {
            rv = apr_file_info_get(&info, APR_FINFO_TYPE, import->file);
        }
        if (rv == APR_SUCCESS && info.filetype == APR_DIR) {
            return ecl_fail(result, ECL_EINPUT, "not-a-file", "'%s' is a directory", import->path);
        }
    }
    if (rv != APR_SUCCESS) {
        return ecl_fail(result, rv, "cannot-open", "cannot open '%s': %s", import->path,
                        ecl_strerror(rv, import->p));
    }
    return APR_SUCCESS;
}

static apr_status_t copy_to_part(import_t *import, ecl_storage_part_t *part, apr_pool_t *p,
                                 ecl_result_t *result)
{
    char *buffer = apr_palloc(p, COPY_BYTES);

    for (;;) {
        apr_size_t length = COPY_BYTES;
        apr_status_t rv = apr_file_read(import->file, buffer, &length);
        if (APR_STATUS_IS_EOF(rv)) {
            return APR_SUCCESS;
        }
        if (rv != APR_SUCCESS) {
            return ecl_fail(result, rv, "cannot-read", "cannot read '%s': %s", import->path,
                            ecl_strerror(rv, import->p));
        }
        if (*import->stop || interrupts) {
            return ecl_fail(result, ECL_ESTOPPED, "stopped", "stopped before the import began");
        }
        rv = ecl_storage_part_write(part, buffer, length, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
    }
}

/* Opens the stored file as the job's run would: to find what it holds takes as long as the disk
 * needs to write it. What goes wrong is not told: the run meets it again, and knows what to do. */
static void open_stored(import_t *import, ecl_db_conn_t *conn)
{
    apr_pool_t *p;
    ecl_result_t ignored;
    ecl_clock_day_t day;
    int minute;

    apr_pool_create(&p, import->p);
    ignored = ecl_result_make(p);
    import->opened_pool = p;
    import->opened = apr_pcalloc(p, sizeof *import->opened);
    import->opened->import_type = import->wanted.import_type ? import->wanted.import_type : "auto";
    import->opened->clock = import->invocation->clock;
    ecl_clock_from_utc(import->invocation->clock, apr_time_sec(apr_time_now()), &day, &minute);
    import->opened->today = day.date;
    memcpy(import->opened->given, import->options, sizeof import->options);
    if (ecl_opening_make(import->opened,
                         ecl_storage_path(import->invocation->settings->storage_dir,
                                          import->wanted.stored_name, p),
                         conn, p, &ignored) != APR_SUCCESS) {
        import->opened = NULL;
    }
}

static apr_status_t store_part(import_t *import, ecl_db_conn_t *conn, apr_pool_t *p,
                               ecl_result_t *result)
{
    const char *storage_dir = import->invocation->settings->storage_dir;
    char *sha256 = apr_palloc(import->p, ECL_SHA256_HEX);
    ecl_storage_part_t *part;
    apr_status_t rv = ecl_storage_part_open(&part, storage_dir, p, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    import->wanted.batch_id = ecl_job_uuid(import->p);
    import->wanted.stored_name = import->wanted.batch_id;
    if ((rv = ecl_storage_part_hash_beside(part, result)) != APR_SUCCESS ||
        (rv = copy_to_part(import, part, p, result)) != APR_SUCCESS ||
        (rv = ecl_storage_part_place(part, import->wanted.stored_name, result)) != APR_SUCCESS) {
        ecl_storage_part_drop(part);
        return rv;
    }
    if (!import->run_after) {
        open_stored(import, conn);
    }
    import->wanted.stored_host = ecl_settings_storage_host(import->invocation->settings);
    import->wanted.file_size = ecl_storage_part_size(part);
    import->wanted.file_sha256 = sha256;
    return ecl_storage_part_keep(part, import->wanted.stored_name, sha256, result);
}

/* The file as it is now goes to the storage directory, under the job's name. */
static apr_status_t store_file(import_t *import, ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, import->p);
    rv = store_part(import, conn, p, result);
    apr_pool_destroy(p);
    return rv;
}

static apr_status_t queue_job(import_t *import, ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_status_t rv = store_file(import, conn, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    import->wanted.options = ecl_options_json(import->options);
    rv = ecl_job_create(conn, &import->wanted, import->p, &import->job, result);
    json_object_put(import->wanted.options);
    import->wanted.options = NULL;
    if (rv != APR_SUCCESS) {
        ecl_storage_remove(import->invocation->settings->storage_dir, import->wanted.stored_name,
                           import->p, NULL);
    }
    return rv;
}

/* ---- running it ------------------------------------------------------------------------------ */

static int has_ended(const ecl_job_t *job)
{
    return job->status != ECL_JOB_QUEUED && job->status != ECL_JOB_PROCESSING;
}

/* After SIGINT: asks for the job to be cancelled, once. */
static void cancel_if_interrupted(import_t *import)
{
    ecl_db_conn_t *conn;
    ecl_job_t *job;
    apr_pool_t *p;
    ecl_result_t result;

    if (!interrupts || import->cancelled) {
        return;
    }
    apr_pool_create(&p, import->p);
    result = ecl_result_make(p);
    if (ecl_db_acquire(&conn, import->db, &result) == APR_SUCCESS) {
        import->cancelled = ecl_job_cancel(conn, import->wanted.batch_id, import->wanted.actor, p,
                                           &job, &result) == APR_SUCCESS;
        ecl_db_release(conn);
    }
    if (import->cancelled) {
        fputs("cancelling: what has been imported is taken out again "
              "(interrupt again to leave that to a background worker)\n",
              stderr);
    }
    apr_pool_destroy(p);
}

static void after_batch(void *baton)
{
    cancel_if_interrupted(baton);
}

/* Claims the job if it is there to be claimed, runs it, and reads how it stands. */
static apr_status_t advance(import_t *import, const ecl_import_context_t *context, apr_pool_t *p,
                            ecl_result_t *result)
{
    const char *batch_id = import->wanted.batch_id;
    ecl_claim_t claim = {NULL, ECL_WORK_IMPORT, 0};
    ecl_db_conn_t *conn;
    apr_status_t rv = ecl_db_acquire(&conn, import->db, result);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = ecl_job_claim(conn, context->worker, batch_id, p, &claim, result);
    if (rv == APR_SUCCESS && claim.job) {
        ecl_db_release(conn); /* the import takes its own */
        rv = ecl_import_run(context, &claim, p, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = ecl_db_acquire(&conn, import->db, result);
        if (rv != APR_SUCCESS) {
            return rv;
        }
        rv = ecl_worker_gone(conn, context->worker, result);
    }
    if (rv == APR_SUCCESS) {
        rv = ecl_job_get(conn, batch_id, import->p, &import->job, result);
    }
    ecl_db_release(conn);
    return rv;
}

/* Until the job has ended, or a signal says that this command shall. */
static apr_status_t run_to_end(import_t *import, ecl_result_t *result)
{
    ecl_import_context_t context = {
        .settings = import->invocation->settings,
        .clock = import->invocation->clock,
        .opened = import->opened,
        .db = import->db,
        .worker = ecl_process_name(import->invocation->settings->host_name, getpid(), import->p),
        .process = ecl_process_identity(import->p),
        .stop = import->stop,
        .after_batch = after_batch,
        .baton = import,
    };
    apr_pool_t *p;
    apr_status_t rv;

    apr_pool_create(&p, import->p);
    for (;;) {
        apr_pool_clear(p);
        cancel_if_interrupted(import);
        rv = advance(import, &context, p, result);
        if (context.opened) {
            context.opened = NULL;
            apr_pool_destroy(import->opened_pool);
        }
        if (rv != APR_SUCCESS || has_ended(import->job) || *import->stop || interrupts > 1) {
            return rv;
        }
        ecl_process_wait(NULL, 0, POLL_MS); /* another worker has it, or it is to be tried again */
    }
}

/* ---- the result ------------------------------------------------------------------------------ */

static void print_warnings(const import_t *import)
{
    json_object *warnings = NULL;

    if (!import->job->summary ||
        !json_object_object_get_ex(import->job->summary, "warnings", &warnings) ||
        !json_object_is_type(warnings, json_type_array)) {
        return;
    }
    for (size_t i = 0; i < json_object_array_length(warnings); i++) {
        json_object *warning = json_object_array_get_idx(warnings, i);
        json_object *message = NULL, *count = NULL;
        json_object_object_get_ex(warning, "message", &message);
        json_object_object_get_ex(warning, "count", &count);
        printf("  warning: %s", ecl_print_safe(json_object_get_string(message), import->p));
        if (json_object_get_int64(count) > 1) {
            printf(" (%s times)", ecl_print_count(json_object_get_int64(count), import->p));
        }
        putchar('\n');
    }
}

/* NULL for a key that is missing or null. */
static const char *text_of(json_object *object, const char *key, apr_pool_t *p)
{
    json_object *value = NULL;

    json_object_object_get_ex(object, key, &value);
    return value ? ecl_print_safe(json_object_get_string(value), p) : NULL;
}

static void print_errors(import_t *import)
{
    ecl_result_t result = ecl_result_make(import->p);
    ecl_db_conn_t *conn;
    json_object *errors = NULL;
    apr_int64_t next;

    if (!import->job->failed_rows || ecl_db_acquire(&conn, import->db, &result) != APR_SUCCESS) {
        return;
    }
    if (ecl_job_errors(conn, import->job->id, 0, ERRORS_SHOWN, import->p, &errors, &next,
                       &result) == APR_SUCCESS) {
        for (size_t i = 0; i < json_object_array_length(errors); i++) {
            json_object *error = json_object_array_get_idx(errors, i);
            const char *column = text_of(error, "column", import->p);
            printf("  line %s%s%s: %s\n", text_of(error, "line", import->p),
                   column ? ", column " : "", column ? column : "",
                   text_of(error, "message", import->p));
        }
        if (next) {
            printf("  … and more: the job's page lists them all\n");
        }
    }
    json_object_put(errors);
    ecl_db_release(conn);
}

#define N(member) ecl_print_count(import->job->member, import->p)

static void print_summary(import_t *import)
{
    const ecl_job_t *job = import->job;

    printf("%s: %s%s\n", ecl_print_safe(job->filename, import->p), ecl_job_status_name(job->status),
           job->dry_run ? " (dry run: nothing was kept)" : "");
    printf("  rows: %s imported, %s failed, %s skipped\n", N(imported_rows), N(failed_rows),
           N(skipped_rows));
    printf("  readings: %s new, %s changed, %s unchanged\n", N(readings_new), N(readings_changed),
           N(readings_unchanged));
    print_warnings(import);
    print_errors(import);
    printf("  job %s\n", job->batch_id);
}

/* What can be said about the file to have it imported, and how. */
static void print_question(const import_t *import)
{
    json_object *question = NULL, *text = NULL, *option = NULL, *choices = NULL, *given;
    const char *accepted = "";
    int id;

    if (!import->job->summary ||
        !json_object_object_get_ex(import->job->summary, "question", &question) ||
        !json_object_object_get_ex(question, "text", &text) ||
        !json_object_object_get_ex(question, "option", &option) ||
        (id = ecl_option_find(json_object_get_string(option))) < 0) {
        return;
    }
    if (json_object_object_get_ex(question, "choices", &choices)) {
        for (size_t i = 0; i < json_object_array_length(choices); i++) {
            accepted =
                apr_pstrcat(import->p, accepted, i ? "|" : "",
                            json_object_get_string(json_object_array_get_idx(choices, i)), NULL);
        }
    }
    fprintf(stderr, "  %s\n  ", json_object_get_string(text));
    if (json_object_object_get_ex(question, "given", &given)) {
        fprintf(stderr, "Leave --%s out or change it, or answer on the job's page\n",
                option_name(id, import->p));
    } else {
        fprintf(stderr, "Give it with --%s %s, or on the job's page\n", option_name(id, import->p),
                *accepted ? accepted : "TEXT");
    }
}

/* Prints how it ended; returns the exit code. */
static int report(import_t *import)
{
    const ecl_job_t *job = import->job;
    const char *reason = "no row was imported";

    if (import->json) {
        json_object *object = ecl_job_json(job, apr_time_now());
        puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
        json_object_put(object);
    } else {
        print_summary(import);
    }
    fflush(stdout);
    if (!has_ended(job)) {
        fprintf(stderr,
                "eclectyc-import-worker: stopped; job %s is in the queue and goes on when a "
                "worker takes it\n",
                job->batch_id);
        return ECL_EXIT_FAILED;
    }
    if (job->status == ECL_JOB_COMPLETED && job->imported_rows > 0) {
        return ECL_EXIT_OK;
    }
    if (job->error_message) {
        reason = ecl_print_safe(job->error_message, import->p);
    } else if (job->status == ECL_JOB_CANCELLED) {
        reason = "cancelled, nothing of it was kept";
    }
    fprintf(stderr, "eclectyc-import-worker: %s: %s\n", ecl_print_safe(job->filename, import->p),
            reason);
    print_question(import);
    return ECL_EXIT_FAILED;
}

/* The job waits for its time: says so; returns the exit code. */
static int report_queued(import_t *import)
{
    const ecl_job_t *job = import->job;

    ecl_storage_wake(import->invocation->settings->storage_dir, import->p);
    if (import->json) {
        json_object *object = ecl_job_json(job, apr_time_now());
        puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
        json_object_put(object);
    } else {
        printf("%s: queued; a worker imports it, not before %s\n  job %s\n",
               ecl_print_safe(job->filename, import->p),
               ecl_when_print(job->run_after, import->zone, import->p), job->batch_id);
    }
    return ECL_EXIT_OK;
}

static apr_status_t import_file(import_t *import, ecl_db_conn_t *conn, ecl_result_t *result)
{
    apr_status_t rv;

    import->stop = ecl_process_stop_flag();
    signal(SIGINT, on_interrupt);
    rv = queue_job(import, conn, result);
    ecl_db_release(conn);
    return rv == APR_SUCCESS && !import->run_after ? run_to_end(import, result) : rv;
}

static int fail(const ecl_result_t *result, apr_status_t rv)
{
    ecl_log(ECL_LOG_ERROR, 0, ECLNO(3034) "%s",
            result->detail ? result->detail : ecl_strerror(rv, result->pool));
    return ECL_EXIT_FAILED;
}

/* What --run-after says, in EclectycImportTimezone. */
static apr_status_t read_run_after(import_t *import, ecl_result_t *result)
{
    ecl_zone_t *zone;
    apr_status_t rv =
        ecl_zone_make(&zone, import->invocation->settings->timezone, import->p, result);

    if (rv == APR_SUCCESS) {
        import->zone = zone;
        rv = ecl_when_parse(import->run_after, zone, apr_time_now(), &import->wanted.run_after,
                            result);
    }
    return rv;
}

int ecl_command_import(ecl_invocation_t *invocation)
{
    import_t import = {.invocation = invocation, .p = invocation->p};
    ecl_result_t result = ecl_result_make(invocation->p);
    const char *const *operands;
    ecl_db_conn_t *conn;
    apr_status_t rv;
    int count;
    int code;

    import.result = result;
    code = ecl_command_options(invocation, all_options(invocation->p), on_option, &import, 1,
                               &operands, &count);
    if (code) {
        return code;
    }
    if (count != 1) {
        return ecl_command_usage_error(invocation, "no FILE to import");
    }
    import.path = operands[0];
    if (!strcmp(import.path, "-") && invocation->config_path &&
        !strcmp(invocation->config_path, "-")) {
        return ecl_command_usage_error(invocation,
                                       "--config and FILE cannot both be standard input");
    }
    import.wanted.actor = ecl_command_user(invocation->p);
    if (!import.wanted.user_name) {
        import.wanted.user_name = import.wanted.actor;
    }
    rv = open_file(&import, &result);
    if (rv != APR_SUCCESS) {
        return fail(&result, rv);
    }
    code = ecl_command_begin(invocation);
    if (!code && import.run_after && read_run_after(&import, &result) != APR_SUCCESS) {
        return ecl_command_usage_error(invocation, "--run-after: %s", result.detail);
    }
    if (!code) {
        code = ecl_command_open(invocation, &import.db, &conn);
    }
    if (code) {
        return code;
    }
    rv = import_file(&import, conn, &result);
    if (rv != APR_SUCCESS) {
        return fail(&result, rv);
    }
    return import.run_after ? report_queued(&import) : report(&import);
}
