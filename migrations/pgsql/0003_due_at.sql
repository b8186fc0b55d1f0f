-- Since when a job may run, which is its place in the queue: see lib/jobs.h. Unlike run_after it is
-- not moved by a back-off.

ALTER TABLE import_jobs ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
UPDATE import_jobs SET due_at = run_after;

-- As 0001 says of them, in the order in which jobs are taken now.
DROP INDEX import_jobs_queue;
CREATE INDEX import_jobs_queue ON import_jobs
    ((due_at + CASE priority WHEN 'high' THEN -3600000000 WHEN 'normal' THEN 0
        ELSE 3600000000 END), id)
    WHERE status = 'queued';
DROP INDEX import_jobs_undo;
CREATE INDEX import_jobs_undo ON import_jobs
    ((due_at + CASE priority WHEN 'high' THEN -3600000000 WHEN 'normal' THEN 0
        ELSE 3600000000 END), id)
    WHERE undo_requested = 1;
