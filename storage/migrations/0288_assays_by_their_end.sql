-- Two results of one fuel that begin at one time and are released together, a shift's and its day's, are two results:
-- the later written replaced the other.
ALTER TABLE fuel_assay
    DROP CONSTRAINT fuel_assay_pkey,
    ADD PRIMARY KEY (device_id, ts, fuel, released_at, until_at);

-- As before; of results released together the one of the shorter sample stands, as for the plant's fuel (assays.py).
CREATE OR REPLACE FUNCTION enpi_variable(site text, variable text, day timestamptz) RETURNS double precision
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN strpos(variable, '.') = 0
        THEN (SELECT e.value FROM enpi_variable_day e WHERE e.site_id = site AND e.name = variable AND e.ts = day)
        ELSE (
            SELECT CASE WHEN count(a.value) >= 12 THEN avg(a.value) END
            FROM generate_series(day, day + interval '23 hours', interval '1 hour') AS h (ts)
            CROSS JOIN LATERAL (
                SELECT x.value
                FROM (
                    SELECT f.ts, f.released_at, f.until_at, f.device_id,
                           CASE split_part(variable, '.', 2)
                               WHEN 'lhv_mj_kg' THEN f.lhv_mj_kg
                               WHEN 'ash_pct' THEN f.ash_pct
                               WHEN 'sulphur_pct' THEN f.sulphur_pct
                               WHEN 'moisture_pct' THEN f.moisture_pct END AS value
                    FROM fuel_assay f
                    WHERE f.site_id = site AND f.fuel = split_part(variable, '.', 1)
                      AND f.ts <= h.ts AND f.until_at > h.ts
                ) x
                WHERE x.value IS NOT NULL
                ORDER BY x.ts DESC, x.released_at DESC, x.until_at, x.device_id COLLATE "C" DESC LIMIT 1
            ) a
        ) END
$$;
