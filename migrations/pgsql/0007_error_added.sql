-- What a rejected record needs behind the cells that its table's records get: see lib/jobs.h.

ALTER TABLE import_errors ADD COLUMN added TEXT;
