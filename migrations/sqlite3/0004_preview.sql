-- A file's first days as JSON (docs/api.md), apart from the summary: that is written with every batch
-- and read with every job, and a preview is many times as large.

ALTER TABLE import_jobs ADD COLUMN preview TEXT;
UPDATE import_jobs SET preview = json_extract(summary, '$.preview'),
    summary = json_remove(summary, '$.preview')
    WHERE json_type(summary, '$.preview') IS NOT NULL;
