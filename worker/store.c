/*
 * Merging and counting; the reading and writing is a driver's, see store_driver.h.
 *
 *   days ── meters known? ──▶ rows (one for each day that the batch touches) ◀── load ── database
 *                              │ merge, in file order                           or scratch
 *                              └──────────────────────────────── save, in that order ──▶
 *
 * Memory: the rows of one batch, a bounded cache of meters, and a bit for each meter.
 */
#include <apr_hash.h>

#include "scratch.h"
#include "store_driver.h"

/* about 200 bytes each; a file rarely has more meters, and then it goes through them in order */
#define METER_CACHE_MAX 10000

/* A set of small integers that only grows. */
typedef struct bitset_t {
    unsigned char *bytes;
    apr_size_t size;
} bitset_t;

struct ecl_store_t {
    const ecl_store_driver_t *driver;
    void *state;
    ecl_store_options_t options;
    apr_pool_t *pool;
    ecl_scratch_t *scratch; /* NULL until it is needed */
    apr_pool_t *batch_pool;
    apr_pool_t *meter_pool;
    apr_hash_t *meters; /* identifier → ecl_store_meter_t */
    apr_int64_t batch_number;
    bitset_t seen;     /* ids of meters that this job has given readings of */
    bitset_t seen_new; /* and of those of a dry run's scratch */
};

/* What finds a row within a batch: bytes that compare equal for equal keys. */
typedef struct row_key_t {
    apr_int64_t meter_id;
    ecl_date_t date;
    int interval_minutes;
    char channel[8];
} row_key_t;

/* A batch in hand. */
typedef struct batch_t {
    ecl_store_t *store;
    apr_pool_t *pool;
    ecl_store_row_t **rows; /* in order of first appearance */
    int row_count;
    ecl_store_meter_t **day_meters; /* for each day its meter; NULL: it gives no readings */
    ecl_store_row_t **day_rows;     /* for each day its row; NULL: nothing to store */
    ecl_store_row_t **to_write;     /* in order of the first change */
    int to_write_count;
    ecl_store_counts_t *counts;
    const ecl_store_events_t *events;
} batch_t;

typedef enum day_state_t { DAY_NOT_SEEN, DAY_NEW, DAY_CHANGED, DAY_UNCHANGED } day_state_t;

static int bitset_add(bitset_t *set, apr_int64_t number, apr_pool_t *p)
{
    apr_size_t byte = (apr_size_t)(number / 8);
    unsigned char bit = (unsigned char)(1U << (number % 8));

    if (byte >= set->size) {
        apr_size_t size = byte * 2 + 1024;
        unsigned char *bytes = apr_pcalloc(p, size);

        if (set->size) {
            memcpy(bytes, set->bytes, set->size);
        }
        set->bytes = bytes;
        set->size = size;
    }
    if (set->bytes[byte] & bit) {
        return 0;
    }
    set->bytes[byte] |= bit;
    return 1;
}

static void forget_meters(ecl_store_t *store)
{
    apr_pool_clear(store->meter_pool);
    store->meters = apr_hash_make(store->meter_pool);
}

static const ecl_store_driver_t *driver_of(ecl_db_conn_t *conn)
{
    return ecl_db_conn_driver(conn) == ECL_DB_SQLITE3 ? &ecl_store_sqlite3 : &ecl_store_pgsql;
}

apr_status_t ecl_store_open(ecl_store_t **pstore, ecl_db_conn_t *conn,
                            const ecl_store_options_t *options, apr_pool_t *p, ecl_result_t *result)
{
    ecl_store_t *store = apr_pcalloc(p, sizeof *store);

    (void)result; /* what may fail is done by the first batch */
    store->driver = driver_of(conn);
    store->options = *options;
    store->pool = p;
    apr_pool_create(&store->batch_pool, p);
    apr_pool_create(&store->meter_pool, p);
    forget_meters(store);
    *pstore = store;
    return store->driver->open(&store->state, conn, options->job_id, p);
}

apr_status_t ecl_store_unit_differs(const ecl_meter_day_t *day, const char *unit,
                                    ecl_result_t *result)
{
    char date[ECL_DATE_TEXT];

    ecl_date_print(day->date, date);
    return ecl_fail(result, ECL_EINPUT, "unit-differs",
                    "line %" APR_INT64_T_FMT
                    ": the file gives readings of meter %s, channel %s, on %s "
                    "in %s, but its readings of that day are in %s",
                    day->line, day->meter, day->channel, date, day->unit, unit);
}

apr_status_t ecl_store_periods_differ(const ecl_meter_day_t *day, int periods, ecl_result_t *result)
{
    char date[ECL_DATE_TEXT];

    ecl_date_print(day->date, date);
    return ecl_fail(result, ECL_EINPUT, "periods-differ",
                    "line %" APR_INT64_T_FMT ": %s has %d periods in this file, but the readings "
                    "of meter %s, channel %s, of that day have %d: was EclectycImportTimezone "
                    "changed?",
                    day->line, date, day->periods, day->meter, day->channel, periods);
}

static apr_status_t day_damaged(const ecl_meter_day_t *day, ecl_result_t *result)
{
    char date[ECL_DATE_TEXT];

    ecl_date_print(day->date, date);
    return ecl_fail(result, APR_EGENERAL, "day-damaged",
                    "what the database holds for meter %s, channel %s, on %s is not what this "
                    "program writes",
                    day->meter, day->channel, date);
}

apr_status_t ecl_store_take_day(ecl_store_row_t *row, const char *text, apr_size_t length,
                                const char *flags, apr_size_t flags_length, const char *unit,
                                ecl_result_t *result)
{
    ecl_decimal_t parsed[ECL_PERIODS_MAX];
    const ecl_decimal_t *values = parsed;
    int periods = row->key->periods;

    if (row->key->text && row->key->text_length == length &&
        !memcmp(row->key->text, text, length)) {
        values = row->key->values; /* the file gives what is there already */
    } else {
        periods = ecl_period_text_parse(text, length, parsed, ECL_PERIODS_MAX);
    }
    if (periods < 0 || flags_length != (apr_size_t)periods) {
        return day_damaged(row->key, result);
    }
    if (periods != row->key->periods) {
        return ecl_store_periods_differ(row->key, periods, result);
    }
    if (strcmp(unit, row->key->unit) != 0) {
        return ecl_store_unit_differs(row->key, unit, result);
    }
    memcpy(row->values, values, (apr_size_t)periods * sizeof values[0]);
    memcpy(row->flags, flags, (apr_size_t)periods);
    row->is_loaded = row->exists = 1;
    return APR_SUCCESS;
}

const char *ecl_store_row_text(const ecl_store_row_t *row, char buffer[ECL_PERIOD_TEXT_MAX],
                               apr_size_t *plength)
{
    if (row->text) {
        *plength = row->text_length;
        return row->text;
    }
    *plength = ecl_period_text_print(row->values, row->key->periods, buffer);
    return buffer;
}

static int has_values(const ecl_meter_day_t *day)
{
    for (int i = 0; i < day->periods; i++) {
        if (day->values[i] != ECL_DECIMAL_MISSING) {
            return 1;
        }
    }
    return 0;
}

/* ---- meters --------------------------------------------------------------------------------- */

/* Finds those a dry run has to keep to itself. */
static apr_status_t find_scratch_meters(ecl_store_t *store, ecl_store_meter_t **meters, int count,
                                        ecl_result_t *result)
{
    for (int i = 0; i < count; i++) {
        if (!meters[i]->id) {
            apr_status_t rv = ecl_scratch_meter(store->scratch, meters[i], result);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
    }
    return APR_SUCCESS;
}

/* The cache's meter of a day; *pis_added: it has been put there by this, and nothing is known of
 * it. */
static ecl_store_meter_t *meter_of(ecl_store_t *store, const ecl_meter_day_t *day, int *pis_added)
{
    ecl_store_meter_t *meter = apr_hash_get(store->meters, day->meter, APR_HASH_KEY_STRING);

    *pis_added = !meter;
    if (!meter) {
        meter = apr_pcalloc(store->meter_pool, sizeof *meter);
        meter->identifier = apr_pstrdup(store->meter_pool, day->meter);
        meter->kind = day->kind;
        apr_hash_set(store->meters, meter->identifier, APR_HASH_KEY_STRING, meter);
    }
    return meter;
}

/* Sees to it that the meter of every day with values is in the cache; with `create`, exists. */
static apr_status_t find_meters(batch_t *batch, const ecl_meter_day_t *const *days, int count,
                                int create, ecl_result_t *result)
{
    ecl_store_t *store = batch->store;
    ecl_store_meter_t **missing =
        apr_palloc(batch->pool, (apr_size_t)count * sizeof(ecl_store_meter_t *));
    int missing_count = 0, added;
    apr_status_t rv;

    for (int i = 0; i < count; i++) {
        if (!has_values(days[i])) {
            continue;
        }
        if (i && batch->day_meters[i - 1] && !strcmp(days[i]->meter, days[i - 1]->meter)) {
            batch->day_meters[i] = batch->day_meters[i - 1]; /* days of a meter follow each other */
            continue;
        }
        batch->day_meters[i] = meter_of(store, days[i], &added);
        if (added) {
            missing[missing_count++] = batch->day_meters[i];
        }
    }
    rv = store->driver->meters(store->state, missing, missing_count,
                               create && !store->options.dry_run, result);
    if (rv == APR_SUCCESS && store->options.dry_run) {
        rv = find_scratch_meters(store, missing, missing_count, result);
    }
    for (int i = 0; rv == APR_SUCCESS && i < missing_count; i++) {
        if (missing[i]->created) {
            missing[i]->created = 0;
            missing[i]->made_in = store->batch_number;
            batch->counts->meters_new++;
            if (batch->events->on_meter) {
                batch->events->on_meter(batch->events->baton, missing[i]->identifier);
            }
        }
    }
    return rv;
}

static void count_meter(batch_t *batch, apr_int64_t id)
{
    ecl_store_t *store = batch->store;

    batch->counts->meters += id > 0 ? bitset_add(&store->seen, id, store->pool)
                                    : bitset_add(&store->seen_new, -id, store->pool);
}

/* ---- rows ----------------------------------------------------------------------------------- */

static ecl_store_row_t *make_row(const ecl_meter_day_t *day, apr_int64_t meter_id, apr_pool_t *p)
{
    apr_size_t periods = (apr_size_t)day->periods;
    ecl_store_row_t *row = apr_pcalloc(p, sizeof *row);

    row->key = day;
    row->meter_id = meter_id;
    row->values = apr_palloc(p, periods * sizeof *row->values);
    row->flags = apr_palloc(p, periods);
    row->given = apr_pcalloc(p, ECL_GIVEN_BYTES(periods));
    return row;
}

/* Whether nobody can have stored a day yet: its meter was made by this store, in this very
 * transaction or with no commit of anybody else since (which would have emptied the cache), and all
 * days that it got from here in earlier batches are earlier. */
static int is_known_absent(const ecl_store_t *store, ecl_store_meter_t *meter, ecl_date_t date)
{
    int is_first = !meter->given_in;

    if (meter->given_in != store->batch_number) {
        meter->last_before = is_first ? APR_INT32_MIN : meter->last;
        meter->given_in = store->batch_number;
    }
    meter->last = is_first || date > meter->last ? date : meter->last;
    return meter->made_in && date > meter->last_before;
}

/* Gives each day its row. */
static apr_status_t find_rows(batch_t *batch, const ecl_meter_day_t *const *days, int count,
                              ecl_result_t *result)
{
    apr_hash_t *known = apr_hash_make(batch->pool);

    for (int i = 0; i < count; i++) {
        const ecl_meter_day_t *day = days[i];
        ecl_store_meter_t *meter = batch->day_meters[i];
        ecl_store_row_t *row;
        row_key_t key = {0};

        if (!meter || !meter->id) {
            continue; /* passing over: somebody has removed it since */
        }
        count_meter(batch, meter->id);
        key.meter_id = meter->id;
        key.date = day->date;
        key.interval_minutes = day->interval_minutes;
        memcpy(key.channel, day->channel, strnlen(day->channel, sizeof key.channel));
        row = apr_hash_get(known, &key, sizeof key);
        if (!row) {
            row = make_row(day, meter->id, batch->pool);
            row->is_loaded = is_known_absent(batch->store, meter, day->date);
            apr_hash_set(known, apr_pmemdup(batch->pool, &key, sizeof key), sizeof key, row);
            batch->rows[batch->row_count++] = row;
        } else if (strcmp(row->key->unit, day->unit) != 0) {
            return ecl_store_unit_differs(day, row->key->unit, result);
        } else if (row->key->periods != day->periods) {
            return ecl_store_periods_differ(day, row->key->periods, result);
        }
        batch->day_rows[i] = row;
    }
    return APR_SUCCESS;
}

static apr_status_t need_scratch(ecl_store_t *store, ecl_result_t *result)
{
    apr_status_t rv = APR_SUCCESS;

    if (!store->scratch) {
        rv = ecl_scratch_open(&store->scratch, store->pool, result);
    }
    return rv;
}

/* Brings in what the rows hold now: from the scratch, if a dry run has touched them, else from the
 * database. */
static apr_status_t load_rows(batch_t *batch, ecl_result_t *result)
{
    ecl_store_t *store = batch->store;
    ecl_store_row_t **rest =
        apr_palloc(batch->pool, (apr_size_t)batch->row_count * sizeof(ecl_store_row_t *));
    int rest_count = 0;
    apr_status_t rv;

    for (int i = 0; i < batch->row_count; i++) {
        if (store->options.dry_run) {
            rv = ecl_scratch_load_day(store->scratch, batch->rows[i], result);
            if (rv != APR_SUCCESS) {
                return rv;
            }
        }
        if (!batch->rows[i]->is_loaded && batch->rows[i]->meter_id > 0) {
            rest[rest_count++] = batch->rows[i];
        }
    }
    rv = store->driver->load(store->state, rest, rest_count, result);
    for (int i = 0; rv == APR_SUCCESS && i < batch->row_count; i++) {
        ecl_store_row_t *row = batch->rows[i];

        if (!row->exists) {
            row->created = 1;
        } else if (!row->created) {
            rv = need_scratch(store, result);
            if (rv == APR_SUCCESS) {
                rv = ecl_scratch_get_given(store->scratch, row, result);
            }
        }
    }
    return rv;
}

/* ---- merging -------------------------------------------------------------------------------- */

static day_state_t day_state(const ecl_store_row_t *row)
{
    if (row->created) {
        return row->exists ? DAY_NEW : DAY_NOT_SEEN;
    }
    if (row->is_ours) {
        return DAY_CHANGED;
    }
    return row->given_line ? DAY_UNCHANGED : DAY_NOT_SEEN;
}

static void count_day(ecl_store_counts_t *counts, day_state_t state, int by)
{
    switch (state) {
    case DAY_NEW:
        counts->days_new += by;
        break;
    case DAY_CHANGED:
        counts->days_changed += by;
        break;
    case DAY_UNCHANGED:
        counts->days_unchanged += by;
        break;
    case DAY_NOT_SEEN:
        break;
    }
}

/* Whether this job has given the reading before; from now on it has. */
static int was_given(ecl_store_row_t *row, int i, apr_int64_t line)
{
    unsigned char bit = (unsigned char)(1U << (i % 8));

    if (row->created) {
        return row->values[i] != ECL_DECIMAL_MISSING;
    }
    if (row->given[i / 8] & bit) {
        return 1;
    }
    row->given[i / 8] |= bit;
    row->given_changed = 1;
    if (!row->given_line) {
        row->given_line = line;
    }
    return 0;
}

/* Notes that a reading of the row's day changes. */
static void touch(batch_t *batch, ecl_store_row_t *row, const ecl_meter_day_t *day)
{
    row->text = NULL;
    if (!row->is_ours) {
        row->is_ours = row->exists = 1;
        row->line = row->created ? day->line : row->given_line;
    }
    if (!row->to_write) {
        row->to_write = 1;
        batch->to_write[batch->to_write_count++] = row;
    }
}

static void merge_reading(batch_t *batch, ecl_store_row_t *row, const ecl_meter_day_t *day, int i)
{
    ecl_store_counts_t *counts = batch->counts;
    int repeated = was_given(row, i, day->line);
    int is_there = row->values[i] != ECL_DECIMAL_MISSING;
    int is_same = row->values[i] == day->values[i] && row->flags[i] == day->flags[i];
    ecl_store_change_t change;

    counts->readings_repeated += repeated;
    counts->readings_missing -= !repeated;
    if (is_same) {
        counts->readings_unchanged += !repeated;
        return;
    }
    if (is_there && day->flags[i] == ECL_FLAG_ESTIMATED && row->flags[i] != ECL_FLAG_ESTIMATED &&
        !batch->store->options.replace_actuals) {
        counts->readings_kept_estimated++;
        return;
    }
    change = (ecl_store_change_t){day,
                                  i + 1,
                                  row->values[i],
                                  day->values[i],
                                  row->flags[i],
                                  day->flags[i],
                                  row->created || row->is_ours ? row->line : row->given_line};
    row->values[i] = day->values[i];
    row->flags[i] = day->flags[i];
    touch(batch, row, day);
    if (repeated) {
        if (batch->events->on_repeat) {
            batch->events->on_repeat(batch->events->baton, &change);
        }
    } else if (is_there) {
        counts->readings_changed++;
        if (batch->events->on_change) {
            batch->events->on_change(batch->events->baton, &change);
        }
    } else {
        counts->readings_new++;
    }
}

/* What merge_reading comes to where there is nothing to merge with. */
static void fill_day(batch_t *batch, ecl_store_row_t *row, const ecl_meter_day_t *day)
{
    int count = 0;

    memcpy(row->values, day->values, (apr_size_t)day->periods * sizeof *row->values);
    for (int i = 0; i < day->periods; i++) {
        int is_given = day->values[i] != ECL_DECIMAL_MISSING;

        row->flags[i] = is_given ? day->flags[i] : ECL_FLAG_NONE;
        count += is_given;
    }
    touch(batch, row, day);
    row->text = day->text;
    row->text_length = day->text_length;
    batch->counts->readings_new += count;
    batch->counts->readings_missing += day->periods - count;
    batch->counts->days_new++;
}

static void merge_day(batch_t *batch, ecl_store_row_t *row, const ecl_meter_day_t *day)
{
    day_state_t before = day_state(row);

    if (!row->exists) {
        fill_day(batch, row, day);
        return;
    }
    for (int i = 0; i < day->periods; i++) {
        if (day->values[i] != ECL_DECIMAL_MISSING) {
            merge_reading(batch, row, day, i);
        }
    }
    if (before == DAY_NOT_SEEN) {
        batch->counts->readings_missing += day->periods;
    }
    if (day_state(row) != before) {
        count_day(batch->counts, before, -1);
        count_day(batch->counts, day_state(row), 1);
    }
}

/* An earlier attempt did all of this: only what is not seen in the database is noted. */
static void pass_day(ecl_store_row_t *row, const ecl_meter_day_t *day)
{
    for (int i = 0; i < day->periods; i++) {
        if (day->values[i] != ECL_DECIMAL_MISSING && !row->created) {
            was_given(row, i, day->line);
        }
    }
}

/* ---- a batch -------------------------------------------------------------------------------- */

static apr_status_t save_rows(batch_t *batch, ecl_result_t *result)
{
    ecl_store_t *store = batch->store;
    apr_status_t rv = APR_SUCCESS;

    if (!store->options.dry_run) {
        rv = store->driver->save(store->state, batch->to_write, batch->to_write_count,
                                 apr_time_now(), result);
    }
    if (rv != APR_SUCCESS || !store->scratch) {
        return rv;
    }
    rv = ecl_scratch_begin(store->scratch, result);
    for (int i = 0; store->options.dry_run && rv == APR_SUCCESS && i < batch->to_write_count; i++) {
        rv = ecl_scratch_save_day(store->scratch, batch->to_write[i], result);
    }
    for (int i = 0; rv == APR_SUCCESS && i < batch->row_count; i++) {
        if (batch->rows[i]->given_changed) {
            rv = ecl_scratch_set_given(store->scratch, batch->rows[i], result);
        }
    }
    return rv == APR_SUCCESS ? ecl_scratch_end(store->scratch, result) : rv;
}

static apr_status_t run_batch(batch_t *batch, const ecl_meter_day_t *const *days, int count,
                              int is_pass, ecl_result_t *result)
{
    ecl_store_t *store = batch->store;
    int note_only = is_pass && !store->options.dry_run;
    int meters_may_be_gone;
    apr_status_t rv;

    store->batch_number++;
    if (store->options.dry_run && (rv = need_scratch(store, result)) != APR_SUCCESS) {
        return rv;
    }
    rv = store->driver->begin(store->state, days, is_pass || store->options.dry_run ? 0 : count,
                              batch->pool, &meters_may_be_gone, result);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    if (meters_may_be_gone || note_only || apr_hash_count(store->meters) > METER_CACHE_MAX) {
        forget_meters(store);
    }
    if ((rv = find_meters(batch, days, count, !note_only, result)) != APR_SUCCESS ||
        (rv = find_rows(batch, days, count, result)) != APR_SUCCESS ||
        (rv = load_rows(batch, result)) != APR_SUCCESS) {
        return rv;
    }
    for (int i = 0; i < count; i++) {
        if (batch->day_rows[i] && note_only) {
            pass_day(batch->day_rows[i], days[i]);
        } else if (batch->day_rows[i]) {
            merge_day(batch, batch->day_rows[i], days[i]);
        }
    }
    rv = save_rows(batch, result);
    if (note_only) {
        forget_meters(store); /* it may hold some that were not there, and so would be made */
    }
    return rv;
}

static apr_status_t store_days(ecl_store_t *store, const ecl_meter_day_t *const *days, int count,
                               ecl_store_counts_t *counts, const ecl_store_events_t *events,
                               int is_pass, ecl_result_t *result)
{
    apr_size_t bytes = (apr_size_t)count * sizeof(void *);
    batch_t batch = {.store = store, .pool = store->batch_pool, .counts = counts, .events = events};
    apr_status_t rv;

    if (!count) {
        return APR_SUCCESS;
    }
    batch.rows = apr_palloc(batch.pool, bytes);
    batch.to_write = apr_palloc(batch.pool, bytes);
    batch.day_meters = apr_pcalloc(batch.pool, bytes);
    batch.day_rows = apr_pcalloc(batch.pool, bytes);
    rv = run_batch(&batch, days, count, is_pass, result);
    apr_pool_clear(store->batch_pool);
    return rv;
}

apr_status_t ecl_store_prepare(ecl_store_t *store, const ecl_meter_day_t *const *days, int count,
                               ecl_result_t *result)
{
    return store->driver->prepare && !store->options.dry_run
               ? store->driver->prepare(store->state, days, count, result)
               : APR_SUCCESS;
}

apr_status_t ecl_store_put(ecl_store_t *store, const ecl_meter_day_t *const *days, int count,
                           ecl_store_counts_t *counts, ecl_result_t *result)
{
    return store_days(store, days, count, counts, &store->options.events, 0, result);
}

apr_status_t ecl_store_pass(ecl_store_t *store, const ecl_meter_day_t *const *days, int count,
                            ecl_result_t *result)
{
    ecl_store_counts_t ignored = {0};
    ecl_store_events_t nobody = {0};

    return store_days(store, days, count, &ignored, &nobody, 1, result);
}

apr_status_t ecl_store_take_out(ecl_db_conn_t *conn, apr_int64_t job_id, int limit,
                                ecl_take_out_counts_t *counts, int *pmore, ecl_result_t *result)
{
    return driver_of(conn)->take_out(conn, job_id, limit, counts, pmore, result);
}
