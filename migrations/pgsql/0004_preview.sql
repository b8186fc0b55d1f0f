-- A file's first days as JSON (docs/api.md), apart from the summary: that is written with every batch
-- and read with every job, and a preview is many times as large.

ALTER TABLE import_jobs ADD COLUMN preview TEXT;
UPDATE import_jobs SET preview = (summary::json -> 'preview')::text,
    summary = (summary::jsonb - 'preview')::text
    WHERE summary::json -> 'preview' IS NOT NULL;
