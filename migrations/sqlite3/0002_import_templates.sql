-- What users said about files of a layout, to be gone by when another file of that layout comes.
-- Times as in 0001.

CREATE TABLE import_templates (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never reused: an address must not come to mean another
    name TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL UNIQUE, -- of the header: a file is read by one template at most
    options TEXT NOT NULL, -- as those of a job
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    uses INTEGER NOT NULL DEFAULT 0
);
