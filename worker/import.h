/*
 * One claimed job's run: reader → batches → store → progress, or taking its readings back out.
 */
#ifndef ECL_IMPORT_H
#define ECL_IMPORT_H

#include "../lib/db.h"
#include "../lib/jobs.h"
#include "../lib/settings.h"
#include "opening.h"

/* A batch ends after this many days, periods of days, or errors, or this much time, whichever comes
 * first: SIGTERM and cancel take effect between two batches. */
#define ECL_BATCH_DAYS 4000
#define ECL_BATCH_PERIODS 100000
#define ECL_BATCH_USEC 300000
/* and so many days are taken out between two looks for a stop */
#define ECL_TAKE_OUT_DAYS 1000

typedef struct ecl_import_context_t {
    const ecl_settings_t *settings;
    const ecl_clock_t *clock; /* of the settings' time zone */
    ecl_db_t *db;
    const char *worker;               /* "host:pid", for the heartbeat, and */
    const char *process;              /* as ecl_process_identity has it; or NULL */
    volatile const int *stop;         /* set by a signal handler: give the job back and return */
    void (*after_batch)(void *baton); /* may be NULL: tests stop a worker here */
    void *baton;
    volatile apr_int64_t *line;  /* may be NULL: set to the line being read, 0 when none is; what a
                                  * master says of a file that kills its worker */
    const ecl_opening_t *opened; /* NULL, or what who has just stored the job's file, and computed
                                  * its SHA-256 from there, has made of it meanwhile: goes for the
                                  * job's first claim only, and for one run */
    int batch_days;              /* 0: ECL_BATCH_DAYS; tests cut finer */
} ecl_import_context_t;

/* Runs a claim to its end: completed, failed, cancelled, undone, or given back (stop, or a
 * transient failure). Logs the job's lifecycle. The status is APR_SUCCESS when the job reached an
 * end, was given back in order, or is somebody else's by now; anything else means that the database
 * could not be told (the lease will run out). The job's options are those of lib/options.h. p is
 * cleared by the caller after each job. */
apr_status_t ecl_import_run(const ecl_import_context_t *context, const ecl_claim_t *claim,
                            apr_pool_t *p, ecl_result_t *result);

#endif /* ECL_IMPORT_H */
