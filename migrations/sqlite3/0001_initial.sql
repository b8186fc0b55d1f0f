-- Jobs, readings and what undo needs. Times ending in _at, _until and _after are microseconds since
-- 1970-01-01 UTC; 0 is never stored for "not yet", NULL is. day_start is in seconds.

CREATE TABLE import_jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: readings keep the number of a deleted job
    batch_id TEXT NOT NULL UNIQUE,
    user_name TEXT NOT NULL,
    filename TEXT NOT NULL,
    stored_name TEXT,
    file_size INTEGER NOT NULL,
    file_sha256 TEXT NOT NULL,
    import_type TEXT NOT NULL DEFAULT 'auto' CHECK (import_type IN ('auto', 'hh', 'daily')),
    dry_run INTEGER NOT NULL DEFAULT 0 CHECK (dry_run IN (0, 1)),
    status TEXT NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'processing', 'completed', 'failed', 'cancelled')),
    priority TEXT NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high')),
    notes TEXT,
    tags TEXT,
    options TEXT,
    total_rows INTEGER,
    processed_rows INTEGER NOT NULL DEFAULT 0,
    imported_rows INTEGER NOT NULL DEFAULT 0,
    failed_rows INTEGER NOT NULL DEFAULT 0,
    skipped_rows INTEGER NOT NULL DEFAULT 0,
    readings_new INTEGER NOT NULL DEFAULT 0,
    readings_changed INTEGER NOT NULL DEFAULT 0,
    readings_unchanged INTEGER NOT NULL DEFAULT 0,
    bytes_done INTEGER NOT NULL DEFAULT 0,
    queued_at INTEGER NOT NULL,
    run_after INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL DEFAULT 3,
    claims INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    lease_until INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    undo_requested INTEGER NOT NULL DEFAULT 0 CHECK (undo_requested IN (0, 1)),
    checkpoint INTEGER NOT NULL DEFAULT 0,
    attempt_started_at INTEGER,
    attempt_started_rows INTEGER NOT NULL DEFAULT 0,
    error_message TEXT,
    summary TEXT,
    parent_batch_id TEXT,
    undone_at INTEGER,
    undone_by TEXT,
    idempotency_key TEXT
);
-- claim: the few jobs that wait, in the order in which they are taken (status stands first so that
-- SQLite prefers it to import_jobs_status, after which it would sort)
CREATE INDEX import_jobs_queue ON import_jobs
    (status, CASE priority WHEN 'high' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END, id)
    WHERE status = 'queued';
-- recovery: the few that somebody works on; lease_until is NULL for all others
CREATE INDEX import_jobs_leased ON import_jobs (lease_until) WHERE lease_until IS NOT NULL;
-- claim: the few that are to be undone
CREATE INDEX import_jobs_undo ON import_jobs
    (CASE priority WHEN 'high' THEN 0 WHEN 'normal' THEN 1 ELSE 2 END, id)
    WHERE undo_requested = 1;
CREATE INDEX import_jobs_status ON import_jobs (status, id);
CREATE INDEX import_jobs_sha256 ON import_jobs (file_sha256);
CREATE INDEX import_jobs_stored ON import_jobs (stored_name) WHERE stored_name IS NOT NULL;
CREATE INDEX import_jobs_completed ON import_jobs (completed_at) WHERE completed_at IS NOT NULL;
CREATE UNIQUE INDEX import_jobs_key ON import_jobs (user_name, idempotency_key)
    WHERE idempotency_key IS NOT NULL;

CREATE TABLE import_errors (
    id INTEGER PRIMARY KEY,
    import_job_id INTEGER NOT NULL REFERENCES import_jobs (id) ON DELETE CASCADE,
    line INTEGER NOT NULL, -- physical line in the file, from 1
    column_name TEXT,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    raw TEXT NOT NULL
);
CREATE INDEX import_errors_job ON import_errors (import_job_id, id);

CREATE TABLE import_workers (
    name TEXT PRIMARY KEY, -- host:pid
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    batch_id TEXT
);

CREATE TABLE meters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    identifier TEXT NOT NULL UNIQUE, -- MPAN core, MPRN, serial number or name
    kind TEXT NOT NULL CHECK (kind IN ('mpan', 'mprn', 'other')),
    import_job_id INTEGER NOT NULL -- the job that created it; no foreign key: jobs are cleaned up
);
CREATE INDEX meters_job ON meters (import_job_id);

-- One meter's one settlement day on one channel. Rows are appended in file order and found by the
-- unique index, which stays small.
CREATE TABLE meter_days (
    id INTEGER PRIMARY KEY,
    meter_id INTEGER NOT NULL REFERENCES meters (id),
    channel TEXT NOT NULL,             -- AI active import, AE active export, RI, RE reactive
    interval_minutes INTEGER NOT NULL, -- 30 half-hourly, 1440 daily totals
    reading_date TEXT NOT NULL,        -- local settlement date, YYYY-MM-DD
    day_start INTEGER NOT NULL,        -- seconds since 1970 UTC of local midnight
    period_values TEXT NOT NULL,       -- JSON array of exact decimals and nulls, period 1 first
    period_flags TEXT NOT NULL,        -- one letter per period; '-' where the value is null
    unit TEXT NOT NULL,
    import_job_id INTEGER NOT NULL, -- the job that wrote it last
    import_line INTEGER NOT NULL,   -- and from which line of its file
    updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX meter_days_key ON meter_days
    (meter_id, reading_date, channel, interval_minutes);
CREATE INDEX meter_days_job ON meter_days (import_job_id);

-- What a job overwrote: the day as it was before the job's first change to it.
CREATE TABLE meter_day_history (
    import_job_id INTEGER NOT NULL REFERENCES import_jobs (id) ON DELETE CASCADE,
    meter_day_id INTEGER NOT NULL,
    period_values TEXT NOT NULL,
    period_flags TEXT NOT NULL,
    unit TEXT NOT NULL,
    previous_job_id INTEGER NOT NULL, -- import_job_id, import_line and updated_at the day had
    previous_line INTEGER NOT NULL,
    previous_updated_at INTEGER NOT NULL,
    PRIMARY KEY (import_job_id, meter_day_id)
) WITHOUT ROWID;
-- which days of an undone job a later import has changed, and so keeps
CREATE INDEX meter_day_history_previous ON meter_day_history (previous_job_id);

-- One row per reading, for everybody's SQL. On a day with a clock change (not 1440 minutes long) the
-- local time jumps at 01:00 UTC, as in the whole of the United Kingdom and the European Union.
CREATE VIEW meter_readings AS
SELECT r.meter_id, r.mpan, r.channel, r.interval_minutes, r.reading_date,
    strftime('%H:%M', r.minute_of_day * 60, 'unixepoch') AS reading_time,
    r.period_number,
    strftime('%Y-%m-%dT%H:%M:%SZ', r.reading_start, 'unixepoch') AS reading_at,
    r.reading_value, r.unit, r.reading_type, r.import_batch_id
FROM (
    SELECT d.meter_id, m.identifier AS mpan, d.channel, d.interval_minutes, d.reading_date,
        v.key + 1 AS period_number,
        d.day_start + v.key * d.interval_minutes * 60 AS reading_start,
        v.key * d.interval_minutes + CASE
            WHEN d.day_start + v.key * d.interval_minutes * 60
                >= unixepoch(d.reading_date) + 3600 AND d.interval_minutes < 1440
            THEN 1440 - json_array_length(d.period_values) * d.interval_minutes
            ELSE 0 END AS minute_of_day,
        v.value AS reading_value, d.unit,
        CASE substr(d.period_flags, v.key + 1, 1)
            WHEN 'A' THEN 'actual' WHEN 'E' THEN 'estimated' WHEN 'M' THEN 'manual'
            WHEN 'C' THEN 'corrected' ELSE 'other' END AS reading_type,
        j.batch_id AS import_batch_id
    FROM meter_days d
    JOIN meters m ON m.id = d.meter_id
    LEFT JOIN import_jobs j ON j.id = d.import_job_id,
    json_each(d.period_values) v
    WHERE v.value IS NOT NULL
) r;
