-- Local days of every register, as migration 19 has them; those of a meter that is registered with `day_starts` begin
-- then, and not at midnight. Such a meter is read once a day, so its hours are shares and nobody knows them. Its own day
-- is known where it was read at both ends of it (within two minutes, unsourced), nothing befell it, and all is there.
CREATE OR REPLACE VIEW meter_day AS
WITH day AS (
    SELECT q.device_id, q.quantity, date_trunc('day', q.ts - s.shift, 'Asia/Shanghai') + s.shift AS ts, q.site_id,
           sum(q.increment) AS increment,
           count(*)::int AS quarters,
           sum(q.known) / 96 AS known,
           (sum(q.coverage) / 96)::real AS coverage,
           bool_or(q.quality = 'estimated') AS is_estimated,
           s.is_own
    FROM meter_quarter q
    LEFT JOIN device d USING (device_id)
    CROSS JOIN LATERAL (SELECT COALESCE((d.detail ->> 'day_starts')::time - time '00:00', interval '0') AS shift,
                               d.detail ->> 'day_starts' IS NOT NULL AS is_own) s
    GROUP BY q.device_id, q.quantity, 3, q.site_id, s.is_own
)
SELECT device_id, quantity, ts, site_id, increment, quarters, known, coverage,
       CASE WHEN is_own AND known >= 0.999 AND own.is_read THEN 'good'
            WHEN is_estimated THEN 'estimated'
            WHEN coverage >= 0.99 THEN 'good'
            WHEN coverage > 0 THEN 'partial'
            ELSE 'unknown' END AS quality
FROM day
LEFT JOIN LATERAL (
    SELECT count(DISTINCT edge) = 2 AND NOT EXISTS (
               SELECT FROM meter_event e
               WHERE e.device_id = day.device_id AND e.quantity = day.quantity AND e.kind <> 'gap'
                 AND e.ts < day.ts + interval '1 day' AND COALESCE(e.until_at, 'infinity') > day.ts) AS is_read
    FROM unnest(ARRAY[day.ts, day.ts + interval '1 day']) AS edge
    CROSS JOIN LATERAL (
        SELECT r.ts FROM reading_electricity r WHERE r.device_id = day.device_id
            AND r.ts BETWEEN edge - interval '2 minutes' AND edge + interval '2 minutes'
        UNION ALL
        SELECT r.ts FROM reading_flow r WHERE r.device_id = day.device_id
            AND r.ts BETWEEN edge - interval '2 minutes' AND edge + interval '2 minutes'
        UNION ALL
        SELECT r.ts FROM reading_production r WHERE r.device_id = day.device_id
            AND r.ts BETWEEN edge - interval '2 minutes' AND edge + interval '2 minutes'
        UNION ALL
        SELECT r.ts FROM reading_gangue_unit r WHERE r.device_id = day.device_id
            AND r.ts BETWEEN edge - interval '2 minutes' AND edge + interval '2 minutes'
    ) near
    WHERE day.is_own
) own ON day.is_own;
