/*
 * What a database must be able to do for store.c: read and write a batch's meters and days.
 *
 * The table works on whole batches, so that a driver may send one statement or one for each row.
 * All calls but open and prepare run in the caller's transaction.
 */
#ifndef ECL_STORE_DRIVER_H
#define ECL_STORE_DRIVER_H

#include "period_text.h"
#include "store.h"

/* A meter of a batch. */
typedef struct ecl_store_meter_t {
    const char *identifier;
    ecl_meter_kind_t kind;
    apr_int64_t id;      /* 0: not there. Below zero: known to a dry run's scratch only. */
    int created;         /* by this call */
    apr_int64_t made_in; /* number of the batch that made it; 0: none of this store's */
    /* the latest date of the days that this store was given of it, and of those before given_in */
    ecl_date_t last, last_before;
    apr_int64_t given_in; /* number of the last batch with any; 0: there were none */
} ecl_store_meter_t;

/* A meter's day that a batch gives readings of, as it is now and as it will be written. */
typedef struct ecl_store_row_t {
    const ecl_meter_day_t
        *key; /* names meter, date, channel, interval, unit; periods is their count */
    apr_int64_t meter_id;
    apr_int64_t id; /* meter_days.id; 0: the day is not in the database */
    int is_loaded;
    int exists;       /* in the database, a dry run's scratch, or to be written by this batch */
    int created;      /* it was this job that brought it into being */
    int is_ours;      /* this job has changed or created it */
    apr_int64_t job;  /* the last writer as loaded; 0 when id is 0 */
    apr_int64_t line; /* meter_days.import_line as it will be written */
    ecl_decimal_t *values; /* periods of them */
    const char *text;      /* as text, see ecl_meter_day_t; NULL: nobody has printed them */
    apr_size_t text_length;
    char *flags;
    int to_write; /* is among those handed to save */
    /* what this job gave of a day that it did not create, changed or not */
    unsigned char *given;   /* a bit for each period, period 1 is the lowest of the first byte */
    apr_int64_t given_line; /* first line that gave a reading; 0: none did */
    int given_changed;
} ecl_store_row_t;

#define ECL_GIVEN_BYTES(periods) (((periods) + 7) / 8)

typedef struct ecl_store_driver_t {
    /* Makes the driver's state; it lives with p. */
    apr_status_t (*open)(void **pstate, ecl_db_conn_t *conn, apr_int64_t job_id, apr_pool_t *p);
    /* ecl_store_prepare; NULL: nothing to do */
    apr_status_t (*prepare)(void *state, const ecl_meter_day_t *const *days, int count,
                            ecl_result_t *result);
    /* Called first for each batch, with the days that it may write (count is 0 when it only reads).
     * Until the transaction ends nobody else writes days of their meters, or removes one. What the
     * driver makes for the batch in p is gone before that. *pchanged: whether anybody else may have
     * committed since the last batch, so that what is remembered of meters and of their days must
     * be read again. */
    apr_status_t (*begin)(void *state, const ecl_meter_day_t *const *days, int count, apr_pool_t *p,
                          int *pchanged, ecl_result_t *result);
    /* Sets id of the meters that exist; with `create`, makes the others, in their order. */
    apr_status_t (*meters)(void *state, ecl_store_meter_t **meters, int count, int create,
                           ecl_result_t *result);
    /* For rows that exist sets id, created, job, line, values and flags, after checking unit and
     * number of periods; leaves the others alone. May put them into another order. */
    apr_status_t (*load)(void *state, ecl_store_row_t **rows, int count, ecl_result_t *result);
    /* Writes rows in their order; before the job's first change of a day, its undo record. */
    apr_status_t (*save)(void *state, ecl_store_row_t **rows, int count, apr_time_t now,
                         ecl_result_t *result);
    /* ecl_store_take_out */
    apr_status_t (*take_out)(ecl_db_conn_t *conn, apr_int64_t job_id, int limit,
                             ecl_take_out_counts_t *counts, int *pmore, ecl_result_t *result);
} ecl_store_driver_t;

extern const ecl_store_driver_t ecl_store_sqlite3;
extern const ecl_store_driver_t ecl_store_pgsql;

/* The failures that a load finds out: see ecl_store_put. */
apr_status_t ecl_store_unit_differs(const ecl_meter_day_t *day, const char *unit,
                                    ecl_result_t *result);
apr_status_t ecl_store_periods_differ(const ecl_meter_day_t *day, int periods,
                                      ecl_result_t *result);

/* What is stored of a row's values: the text that was printed of them, or else `buffer`, in which
 * it is now. Not terminated. */
const char *ecl_store_row_text(const ecl_store_row_t *row, char buffer[ECL_PERIOD_TEXT_MAX],
                               apr_size_t *plength);

/* What a load found of a row's day: checks it, and takes it into the row. text, its values as they
 * are stored, ends with NUL. */
apr_status_t ecl_store_take_day(ecl_store_row_t *row, const char *text, apr_size_t length,
                                const char *flags, apr_size_t flags_length, const char *unit,
                                ecl_result_t *result);

#endif /* ECL_STORE_DRIVER_H */
