-- Which process a worker is: boot, pid namespace and start time, so that the next master on its host
-- can tell that it is gone. NULL: not known.

ALTER TABLE import_workers ADD COLUMN process TEXT;
