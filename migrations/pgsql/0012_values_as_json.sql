-- A day's values as JSON, "[1.5,null,0.25]", as SQLite has them: half as many bytes as numeric[], and
-- the server takes them in as they come. The numbers keep their digits.

-- The view gives its column up for a moment; replaced, not dropped, it keeps the rights that were
-- granted on it and the views that use it.
CREATE OR REPLACE VIEW meter_readings AS
SELECT NULL::bigint AS meter_id, NULL::text AS mpan, NULL::text AS channel,
    NULL::integer AS interval_minutes, NULL::date AS reading_date, NULL::time AS reading_time,
    NULL::integer AS period_number, NULL::timestamptz AS reading_at, NULL::numeric AS reading_value,
    NULL::text AS unit, NULL::text AS reading_type, NULL::text AS import_batch_id
WHERE false;

ALTER TABLE meter_days ALTER COLUMN period_values TYPE JSON USING array_to_json(period_values);
ALTER TABLE meter_day_history ALTER COLUMN period_values TYPE JSON
    USING array_to_json(period_values);

-- As 0001 says of it.
CREATE OR REPLACE VIEW meter_readings AS
SELECT d.meter_id, m.identifier AS mpan, d.channel, d.interval_minutes, d.reading_date,
    TIME '00:00' + make_interval(mins => (v.number - 1)::integer * d.interval_minutes + CASE
        WHEN d.day_start + (v.number - 1) * d.interval_minutes * 60
            >= (d.reading_date - DATE '1970-01-01') * BIGINT '86400' + 3600
            AND d.interval_minutes < 1440
        THEN 1440 - length(d.period_flags) * d.interval_minutes
        ELSE 0 END) AS reading_time,
    v.number::integer AS period_number,
    to_timestamp(d.day_start + (v.number - 1) * d.interval_minutes * 60) AS reading_at,
    v.value::numeric AS reading_value, d.unit,
    CASE substr(d.period_flags, v.number::integer, 1)
        WHEN 'A' THEN 'actual' WHEN 'E' THEN 'estimated' WHEN 'M' THEN 'manual'
        WHEN 'C' THEN 'corrected' ELSE 'other' END AS reading_type,
    j.batch_id AS import_batch_id
FROM meter_days d
JOIN meters m ON m.id = d.meter_id
LEFT JOIN import_jobs j ON j.id = d.import_job_id
CROSS JOIN LATERAL json_array_elements_text(d.period_values) WITH ORDINALITY AS v (value, number)
WHERE v.value IS NOT NULL;
