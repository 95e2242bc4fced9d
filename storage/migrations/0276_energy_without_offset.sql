-- What a set for cycling took and gave by quarters of an hour, without the offset of its current sensor as far as its
-- hours know it (the newest of the two days before): what a sensor shows while nothing flows is no energy. 0.3 A of it
-- was 0.37 kWh a day, at the price of each hour. `battery_quarter` holds what was measured.
CREATE VIEW battery_quarter_net AS
SELECT q.device_id, q.ts, q.coverage,
       CASE WHEN q.energy_in_kwh IS NULL THEN NULL
            WHEN o.kwh >= 0 THEN greatest(0, q.energy_in_kwh - o.kwh)
            ELSE q.energy_in_kwh + greatest(0, -o.kwh - q.energy_out_kwh) END::float8 AS energy_in_kwh,
       CASE WHEN q.energy_out_kwh IS NULL THEN NULL
            WHEN o.kwh >= 0 THEN q.energy_out_kwh + greatest(0, o.kwh - q.energy_in_kwh)
            ELSE greatest(0, q.energy_out_kwh + o.kwh) END::float8 AS energy_out_kwh
FROM battery_quarter q
JOIN battery_set s USING (device_id)
LEFT JOIN LATERAL (
    SELECT h.current_offset_a FROM battery_hour h
    WHERE h.device_id = q.device_id AND h.ts <= q.ts AND h.ts > q.ts - interval '2 days'
      AND h.current_offset_a IS NOT NULL
    ORDER BY h.ts DESC LIMIT 1
) h ON true
CROSS JOIN LATERAL (SELECT coalesce(h.current_offset_a, 0) * s.nominal_v / 4000 * q.coverage AS kwh) o;

CREATE OR REPLACE VIEW battery_tariff_quarter AS
SELECT c.device_id, c.site_id, q.ts, q.energy_in_kwh, q.energy_out_kwh, q.coverage, p.name AS period, p.yuan_kwh
FROM battery_cycling_set c
JOIN battery_quarter_net q ON q.device_id = c.device_id AND q.ts >= c.from_at
LEFT JOIN LATERAL battery_tariff_period(c.tariff, to_char(q.ts AT TIME ZONE 'Asia/Shanghai', 'HH24:MI')) p ON true;

-- Every whole quarter of an hour of such a set within a range that is over by now, with the period of its tariff as
-- `battery_tariff_quarter` has it; one of which nothing is stored has a coverage of 0 and no energy.
CREATE OR REPLACE FUNCTION battery_tariff_quarters(asked_id text, range_from timestamptz, range_to timestamptz)
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
LEFT JOIN battery_quarter_net b ON b.device_id = q.device_id AND b.ts = q.ts AND b.ts >= range_from AND b.ts < range_to
$$;
