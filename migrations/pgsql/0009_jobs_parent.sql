-- A job's page lists the jobs that follow on from it.

CREATE INDEX import_jobs_parent ON import_jobs (parent_batch_id) WHERE parent_batch_id IS NOT NULL;
