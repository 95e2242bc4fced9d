-- Cycling uses of battery sets beside backup (peak shaving, storage), from their episodes and quarters of an hour.
-- Nothing is stored: a late reading that changes an episode changes what is said here, in whatever order it comes.

-- Sets whose registered use is another than backup.
CREATE VIEW battery_cycling_set AS
SELECT d.device_id, d.site_id, s.city, d.detail -> 'battery' ->> 'use' AS use,
       (d.detail -> 'battery' ->> 'nominal_ah')::float8 AS nominal_ah,
       coalesce(d.detail -> 'battery' -> 'tariff', '[]') AS tariff,
       coalesce(to_timestamp((d.detail -> 'battery' ->> 'valid_from')::float8 / 1000), '-infinity') AS from_at
FROM device d
JOIN site s USING (site_id)
WHERE d.kind = 'battery' AND coalesce(d.detail -> 'battery' ->> 'use', 'backup') <> 'backup';

-- One row per cycle of such a set that began within so long: from one time on float to the beginning of the next. As it
-- is full on both sides, what was taken and what was given belong together; only such a cycle is closed. It is left out
-- (`reason`) where a part was not measured, or more came out than went in, which a sensor says and no battery does.
CREATE FUNCTION battery_cycles_of(past interval)
RETURNS TABLE (device_id text, site_id text, ts timestamptz, ended_at timestamptz, out_kwh float8, in_kwh float8,
               out_ah float8, in_ah float8, full_cycles float8, reason text, efficiency float8)
LANGUAGE sql STABLE AS $$
WITH told AS (
    SELECT c.device_id, c.site_id, c.nominal_ah, e.ts, e.kind, e.duration_h, e.charge_ah, e.energy_kwh, e.coverage,
           count(*) FILTER (WHERE e.kind = 'float') OVER (PARTITION BY c.device_id ORDER BY e.ts, e.kind) AS number
    FROM battery_cycling_set c
    JOIN battery_episode e ON e.device_id = c.device_id AND e.ts >= c.from_at AND e.ts >= now() - past
), summed AS (
    SELECT t.device_id, t.site_id, t.nominal_ah, t.number,
           min(t.ts) FILTER (WHERE t.kind = 'float')                AS float_at,
           min(t.ts) FILTER (WHERE t.kind = 'discharge')            AS ts,
           -sum(t.energy_kwh) FILTER (WHERE t.kind = 'discharge')   AS out_kwh,
           sum(t.energy_kwh) FILTER (WHERE t.kind = 'charge')       AS in_kwh,
           -sum(t.charge_ah) FILTER (WHERE t.kind = 'discharge')    AS out_ah,
           sum(t.charge_ah) FILTER (WHERE t.kind = 'charge')        AS in_ah,
           bool_or(t.kind = 'offline')
               OR min(t.coverage) FILTER (WHERE t.kind IN ('discharge', 'charge')) < 0.98
               OR bool_or(t.energy_kwh IS NULL AND t.kind IN ('discharge', 'charge')) AS has_gap
    FROM told t
    GROUP BY t.device_id, t.site_id, t.nominal_ah, t.number
), closed AS (
    SELECT s.*, lead(s.float_at) OVER (PARTITION BY s.device_id ORDER BY s.number) AS ended_at
    FROM summed s
)
SELECT s.device_id, s.site_id, s.ts, s.ended_at, s.out_kwh, s.in_kwh, s.out_ah, s.in_ah,
       s.out_ah / nullif(s.nominal_ah, 0) AS full_cycles,
       CASE WHEN s.ended_at IS NULL THEN 'open'
            WHEN s.number = 0       THEN 'begun_before'
            WHEN s.has_gap          THEN 'gap'
            WHEN s.in_kwh IS NULL OR s.in_kwh <= s.out_kwh THEN 'more_out'
       END AS reason,
       CASE WHEN s.ended_at IS NOT NULL AND s.number > 0 AND NOT s.has_gap AND s.in_kwh > s.out_kwh
            THEN s.out_kwh / s.in_kwh END AS efficiency
FROM closed s
WHERE s.ts IS NOT NULL
$$;

-- All cycles of a bit more than a year: cheap for one set. For the fleet's month 40 days are looked at.
CREATE VIEW battery_cycle AS SELECT * FROM battery_cycles_of('400 days');

-- One row per such set: what it moved, how well, and whether it fades as was to be expected.
--
-- Fade: the first good estimate of the SoH against the newest, over the time between. Expected is what the battery
-- reference says: 2.5 points a year, of which one point a year is doubted. Apart by chance is what lies within 1.645
-- standard deviations, of both estimates and of the rate.
CREATE VIEW battery_cycling AS
SELECT c.device_id, c.site_id, c.city, c.use, m.month_out_kwh, m.month_in_kwh, m.month_full_cycles,
       m.closed, m.left_out, m.efficiency, h.soh_pct, h.quality AS soh_quality,
       f.first_at, f.years, f.first_pct - h.soh_pct AS fade_pct, f.years * 2.5 AS expected_fade_pct, f.doubt_pct,
       CASE WHEN f.first_pct - h.soh_pct > f.years * 2.5 + f.doubt_pct THEN 'faster'
            WHEN f.first_pct - h.soh_pct < f.years * 2.5 - f.doubt_pct THEN 'slower'
            WHEN f.years IS NOT NULL                                   THEN 'expected'
            ELSE 'unknown' END AS fade
FROM battery_cycling_set c
LEFT JOIN battery_health_latest h ON h.device_id = c.device_id
LEFT JOIN (
    SELECT y.device_id, sum(y.out_kwh) AS month_out_kwh, sum(y.in_kwh) AS month_in_kwh,
           sum(y.full_cycles) AS month_full_cycles, count(y.efficiency) AS closed,
           count(*) FILTER (WHERE y.reason IN ('gap', 'more_out')) AS left_out,
           sum(y.out_kwh) FILTER (WHERE y.efficiency IS NOT NULL)
               / nullif(sum(y.in_kwh) FILTER (WHERE y.efficiency IS NOT NULL), 0) AS efficiency
    FROM battery_cycles_of('40 days') y
    WHERE y.ts >= now() - interval '30 days'
    GROUP BY y.device_id
) m ON m.device_id = c.device_id
LEFT JOIN LATERAL (
    SELECT s.ts AS first_at, s.soh_pct AS first_pct, t.years,
           1.645 * sqrt(s.sigma_pct ^ 2 + h.soh_sigma_pct ^ 2 + t.years ^ 2) AS doubt_pct
    FROM battery_soh s
    CROSS JOIN LATERAL (SELECT extract(epoch FROM h.soh_evidence_at - s.ts)::float8 / 31557600 AS years) t
    WHERE s.device_id = c.device_id AND s.soh_pct IS NOT NULL AND s.quality = 'good' AND h.quality = 'good'
      AND s.ts < h.soh_evidence_at
      AND s.ts >= c.from_at
    ORDER BY s.ts
    LIMIT 1
) f ON true;

-- Quarters of an hour of such a set with the period of its tariff; null where the tariff names none for that hour.
CREATE VIEW battery_tariff_quarter AS
SELECT c.device_id, c.site_id, q.ts, q.energy_in_kwh, q.energy_out_kwh, q.coverage, p.name AS period, p.yuan_kwh
FROM battery_cycling_set c
JOIN battery_quarter q ON q.device_id = c.device_id AND q.ts >= c.from_at
LEFT JOIN LATERAL (
    SELECT x.name, x.yuan_kwh
    FROM jsonb_to_recordset(c.tariff) AS x (name text, begins text, ends text, yuan_kwh float8)
    WHERE to_char(q.ts AT TIME ZONE 'Asia/Shanghai', 'HH24:MI') >= x.begins
      AND to_char(q.ts AT TIME ZONE 'Asia/Shanghai', 'HH24:MI') < x.ends
    LIMIT 1
) p ON true;
