-- Who did what to which job, and what became of it. No foreign key: this is kept when the job's
-- record is deleted. Times as in 0001.

CREATE TABLE import_job_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order of events
    at INTEGER NOT NULL,
    batch_id TEXT NOT NULL,
    filename TEXT NOT NULL,
    event TEXT NOT NULL, -- see lib/job_events.h
    user_name TEXT,      -- who asked for it; NULL: a worker did it
    worker TEXT,         -- host:pid
    attempt INTEGER,
    detail TEXT
);
CREATE INDEX import_job_events_job ON import_job_events (batch_id, id);
CREATE INDEX import_job_events_event ON import_job_events (event, id);
