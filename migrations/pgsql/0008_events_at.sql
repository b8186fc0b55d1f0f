-- For the clean-up of the history, which goes by age.

CREATE INDEX import_job_events_at ON import_job_events (at);
