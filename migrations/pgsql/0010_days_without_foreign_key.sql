-- Days without the foreign key to their meter: looking each one's up was a third of what storing
-- it cost. What the key kept is kept by other means, so that no day is ever without its meter:
-- whoever writes days (the workers) has locked their meters FOR KEY SHARE, or made them, in the same
-- transaction; and the triggers below refuse what would leave days behind. Nothing checks days that
-- are written by hand.

ALTER TABLE meter_days DROP CONSTRAINT meter_days_meter_id_fkey;

-- When a meter is deleted, the statement has waited for whoever held a lock on it, and sees in its
-- own snapshot what they have committed: but not under an isolation level that sees less. Days are
-- found by their key, whatever the statistics say.
CREATE FUNCTION meters_keep_days() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    meter text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE foreign_key_violation USING MESSAGE = format(
            'the id of meter %s can''t be changed: its days have it', OLD.identifier);
    END IF;
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE feature_not_supported USING MESSAGE =
            'meters can only be deleted in a transaction that is READ COMMITTED';
    END IF;
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('SELECT m::text FROM (SELECT meter_id AS m FROM %I.meter_days LIMIT 1) AS d',
            TG_TABLE_SCHEMA) INTO meter;
        meter := 'with the id ' || meter;
    ELSE
        EXECUTE format('SELECT r.identifier FROM removed r CROSS JOIN LATERAL'
            ' (SELECT FROM %I.meter_days d WHERE d.meter_id = r.id LIMIT 1) AS d LIMIT 1',
            TG_TABLE_SCHEMA) INTO meter;
    END IF;
    IF meter IS NOT NULL THEN
        RAISE foreign_key_violation USING MESSAGE = format(
            'meter %s can''t be deleted: it has readings', meter);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER meters_delete AFTER DELETE ON meters REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION meters_keep_days();
CREATE TRIGGER meters_truncate AFTER TRUNCATE ON meters
    FOR EACH STATEMENT EXECUTE FUNCTION meters_keep_days();
CREATE TRIGGER meters_update BEFORE UPDATE OF id ON meters
    FOR EACH ROW WHEN (NEW.id IS DISTINCT FROM OLD.id) EXECUTE FUNCTION meters_keep_days();

-- A connection takes ids of days by the thousand: one by one they are a twentieth of a bare COPY.
ALTER TABLE meter_days ALTER COLUMN id SET CACHE 1000;
