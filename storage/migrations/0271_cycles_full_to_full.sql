-- Cycles close at a set that is full, months hold all that was moved, fade begins at the last change of the set, and
-- quarters of an hour in which a set was silent are counted too.

-- As in migration 269, but: a time on float closes a cycle only where it makes the set full to the kernel as well, after
-- an hour (`full_after_ms` of the reference); a shorter one lies within the cycle. No charge at all (`no_charge`: charging
-- slower than the kernel tells from float and rest) is a reason of its own: it says nothing against the current.
CREATE OR REPLACE FUNCTION battery_cycles_of(past interval)
RETURNS TABLE (device_id text, site_id text, ts timestamptz, ended_at timestamptz, out_kwh float8, in_kwh float8,
               out_ah float8, in_ah float8, full_cycles float8, reason text, efficiency float8)
LANGUAGE sql STABLE AS $$
WITH told AS (
    SELECT c.device_id, c.site_id, c.nominal_ah, e.ts, e.kind, e.charge_ah, e.energy_kwh, e.coverage,
           e.kind = 'float' AND e.duration_h >= 1 AS is_full
    FROM battery_cycling_set c
    JOIN battery_episode e ON e.device_id = c.device_id AND e.ts >= c.from_at AND e.ts >= now() - past
), numbered AS (
    SELECT t.*, count(*) FILTER (WHERE t.is_full) OVER (PARTITION BY t.device_id ORDER BY t.ts, t.kind) AS number
    FROM told t
), summed AS (
    SELECT t.device_id, t.site_id, t.nominal_ah, t.number,
           min(t.ts) FILTER (WHERE t.is_full)                       AS float_at,
           min(t.ts) FILTER (WHERE t.kind = 'discharge')            AS ts,
           -sum(t.energy_kwh) FILTER (WHERE t.kind = 'discharge')   AS out_kwh,
           sum(t.energy_kwh) FILTER (WHERE t.kind = 'charge')       AS in_kwh,
           -sum(t.charge_ah) FILTER (WHERE t.kind = 'discharge')    AS out_ah,
           sum(t.charge_ah) FILTER (WHERE t.kind = 'charge')        AS in_ah,
           bool_or(t.kind = 'offline')
               OR min(t.coverage) FILTER (WHERE t.kind IN ('discharge', 'charge')) < 0.98
               OR bool_or(t.energy_kwh IS NULL AND t.kind IN ('discharge', 'charge')) AS has_gap
    FROM numbered t
    GROUP BY t.device_id, t.site_id, t.nominal_ah, t.number
), closed AS (
    SELECT s.*, lead(s.float_at) OVER (PARTITION BY s.device_id ORDER BY s.number) AS ended_at
    FROM summed s
)
SELECT s.device_id, s.site_id, s.ts, s.ended_at, s.out_kwh, s.in_kwh, s.out_ah, s.in_ah,
       s.out_ah / nullif(s.nominal_ah, 0) AS full_cycles,
       CASE WHEN s.ended_at IS NULL      THEN 'open'
            WHEN s.number = 0            THEN 'begun_before'
            WHEN s.has_gap               THEN 'gap'
            WHEN s.in_kwh IS NULL        THEN 'no_charge'
            WHEN s.in_kwh <= s.out_kwh   THEN 'more_out'
       END AS reason,
       CASE WHEN s.ended_at IS NOT NULL AND s.number > 0 AND NOT s.has_gap AND s.in_kwh > s.out_kwh
            THEN s.out_kwh / s.in_kwh END AS efficiency
FROM closed s
WHERE s.ts IS NOT NULL
$$;

-- As in migration 269, but: the month's sums are of the episodes themselves, whether or not a cycle closed; cycles are
-- those that were closed within the month, whenever they began. Fade begins at the newest row that says that the set, or
-- its current sensor, is another than before; and where the doubt is larger than the fade that was to be expected, no
-- fade at all would look "as expected" too: then it is too early to tell.
CREATE OR REPLACE VIEW battery_cycling AS
SELECT c.device_id, c.site_id, c.city, c.use, e.month_out_kwh, e.month_in_kwh,
       e.month_out_ah / nullif(c.nominal_ah, 0) AS month_full_cycles,
       m.closed, m.left_out, m.efficiency, h.soh_pct, h.quality AS soh_quality,
       f.first_at, f.years, f.first_pct - h.soh_pct AS fade_pct, f.years * 2.5 AS expected_fade_pct, f.doubt_pct,
       CASE WHEN f.first_pct - h.soh_pct > f.years * 2.5 + f.doubt_pct THEN 'faster'
            WHEN f.first_pct - h.soh_pct < f.years * 2.5 - f.doubt_pct THEN 'slower'
            WHEN f.doubt_pct >= f.years * 2.5                          THEN 'too_early'
            WHEN f.years IS NOT NULL                                   THEN 'expected'
            ELSE 'unknown' END AS fade
FROM battery_cycling_set c
LEFT JOIN battery_health_latest h ON h.device_id = c.device_id
LEFT JOIN LATERAL (
    SELECT -sum(e.energy_kwh) FILTER (WHERE e.kind = 'discharge') AS month_out_kwh,
           sum(e.energy_kwh) FILTER (WHERE e.kind = 'charge')     AS month_in_kwh,
           -sum(e.charge_ah) FILTER (WHERE e.kind = 'discharge')  AS month_out_ah
    FROM battery_episode e
    WHERE e.device_id = c.device_id AND e.ts >= c.from_at AND e.ts >= now() - interval '30 days'
) e ON true
LEFT JOIN (
    SELECT y.device_id, count(y.efficiency) AS closed,
           count(*) FILTER (WHERE y.reason IN ('gap', 'no_charge', 'more_out')) AS left_out,
           sum(y.out_kwh) FILTER (WHERE y.efficiency IS NOT NULL)
               / nullif(sum(y.in_kwh) FILTER (WHERE y.efficiency IS NOT NULL), 0) AS efficiency
    FROM battery_cycles_of('40 days') y
    WHERE coalesce(y.ended_at, now()) >= now() - interval '30 days'
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
      AND s.ts >= coalesce((SELECT max(o.ts) FROM battery_soh o
                            WHERE o.device_id = c.device_id AND o.ts >= c.from_at
                              AND o.change IN ('set_replaced', 'recalibrated', 'corrected', 'registered')), '-infinity')
    ORDER BY s.ts
    LIMIT 1
) f ON true;

-- The period of a tariff that holds a local time HH:MI, if one does.
CREATE FUNCTION battery_tariff_period(tariff jsonb, at text) RETURNS TABLE (name text, yuan_kwh float8)
LANGUAGE sql STABLE AS $$
SELECT x.name, x.yuan_kwh
FROM jsonb_to_recordset(tariff) AS x (name text, begins text, ends text, yuan_kwh float8)
WHERE at >= x.begins AND at < x.ends
LIMIT 1
$$;
CREATE OR REPLACE VIEW battery_tariff_quarter AS
SELECT c.device_id, c.site_id, q.ts, q.energy_in_kwh, q.energy_out_kwh, q.coverage, p.name AS period, p.yuan_kwh
FROM battery_cycling_set c
JOIN battery_quarter q ON q.device_id = c.device_id AND q.ts >= c.from_at
LEFT JOIN LATERAL battery_tariff_period(c.tariff, to_char(q.ts AT TIME ZONE 'Asia/Shanghai', 'HH24:MI')) p ON true;

-- Every whole quarter of an hour of such a set within a range that is over by now, with the period of its tariff as
-- `battery_tariff_quarter` has it; one of which nothing is stored has a coverage of 0 and no energy.
CREATE FUNCTION battery_tariff_quarters(asked_id text, range_from timestamptz, range_to timestamptz)
RETURNS TABLE (ts timestamptz, energy_in_kwh float8, energy_out_kwh float8, coverage float8, period text, yuan_kwh float8)
LANGUAGE sql STABLE AS $$
WITH quarter AS (
    SELECT c.device_id, c.tariff, q.ts, to_char(q.ts AT TIME ZONE 'Asia/Shanghai', 'HH24:MI') AS at
    FROM battery_cycling_set c
    CROSS JOIN LATERAL generate_series(
        date_bin('15 minutes', greatest(range_from, c.from_at) + interval '899.999999 s', timestamptz '2000-01-01Z'),
        least(range_to, now()) - interval '15 minutes', interval '15 minutes') AS q (ts)
    WHERE c.device_id = asked_id
), priced AS (
    SELECT k.at, p.name AS period, p.yuan_kwh
    FROM (SELECT DISTINCT q.at, q.tariff FROM quarter q) k
    LEFT JOIN LATERAL battery_tariff_period(k.tariff, k.at) p ON true
)
SELECT q.ts, b.energy_in_kwh, b.energy_out_kwh, coalesce(b.coverage, 0)::float8, p.period, p.yuan_kwh
FROM quarter q
JOIN priced p USING (at)
LEFT JOIN battery_quarter b ON b.device_id = q.device_id AND b.ts = q.ts AND b.ts >= range_from AND b.ts < range_to
$$;
