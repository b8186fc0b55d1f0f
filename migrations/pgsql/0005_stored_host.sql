-- The host whose storage directory holds a job's file (EclectycImportStorageShared Off): only its
-- workers can import it. NULL: all hosts share one directory, or there is no file.

ALTER TABLE import_jobs ADD COLUMN stored_host TEXT;
