-- What a day's energy depends on beside production (ISO 50006: relevant variables): entered day by day, as the outdoor
-- temperature is, or told by the laboratory's results as they stand.
CREATE TABLE enpi_variable_day (
    site_id    text NOT NULL REFERENCES site ON DELETE CASCADE,
    name       text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]*$'), -- with its unit, such as ambient_c
    ts         timestamptz NOT NULL, -- begin of the local day
    value      double precision NOT NULL,
    entered_by text NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (site_id, name, ts)
);

-- Coefficients of a fit beside its intercept and its slope on production.
CREATE TABLE enpi_coefficient (
    site_id  text NOT NULL,
    line_id  text NOT NULL,
    version  int NOT NULL,
    variable text NOT NULL,
    kgce     double precision NOT NULL, -- a day, per unit of the variable
    t        double precision NOT NULL, -- in standard errors
    PRIMARY KEY (site_id, line_id, version, variable),
    FOREIGN KEY (site_id, line_id, version) REFERENCES enpi_baseline ON DELETE CASCADE
);

-- A variable's value on a local day. `fuel.property`, such as gangue_t.lhv_mj_kg, is the mean over the day's hours of
-- the result that stands for each: of those that cover it the last begun, of these the last released. Null where fewer
-- than half of the hours are covered, or nothing was entered.
CREATE FUNCTION enpi_variable(site text, variable text, day timestamptz) RETURNS double precision
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN strpos(variable, '.') = 0
        THEN (SELECT e.value FROM enpi_variable_day e WHERE e.site_id = site AND e.name = variable AND e.ts = day)
        ELSE (
            SELECT CASE WHEN count(a.value) >= 12 THEN avg(a.value) END
            FROM generate_series(day, day + interval '23 hours', interval '1 hour') AS h (ts)
            CROSS JOIN LATERAL (
                SELECT x.value
                FROM (
                    SELECT f.ts, f.released_at,
                           CASE split_part(variable, '.', 2)
                               WHEN 'lhv_mj_kg' THEN f.lhv_mj_kg
                               WHEN 'ash_pct' THEN f.ash_pct
                               WHEN 'sulphur_pct' THEN f.sulphur_pct
                               WHEN 'moisture_pct' THEN f.moisture_pct END AS value
                    FROM fuel_assay f
                    WHERE f.site_id = site AND f.fuel = split_part(variable, '.', 1)
                      AND f.ts <= h.ts AND f.until_at > h.ts
                ) x
                WHERE x.value IS NOT NULL ORDER BY x.ts DESC, x.released_at DESC LIMIT 1
            ) a
        ) END
$$;
CREATE INDEX fuel_assay_site ON fuel_assay (site_id, ts);

-- As before, with Ê = β₀ + β₁·P + Σ βⱼ·xⱼ; a day of which a variable is unknown is unknown.
CREATE OR REPLACE VIEW enpi_day AS
SELECT b.site_id, b.line_id, d.ts, b.version AS baseline_version,
       d.actual_kgce, d.expected_kgce,
       d.actual_kgce / CASE WHEN d.expected_kgce > 0 THEN d.expected_kgce END AS enpi,
       d.week_actual_kgce / CASE WHEN d.week_expected_kgce > 0 AND d.week_days >= 4 THEN d.week_expected_kgce END
           AS enpi_7d,
       d.cusum_kgce, d.coverage, d.quality, d.reference_version
FROM enpi_baseline b
CROSS JOIN LATERAL (
    SELECT k.*,
           sum(k.actual_kgce) OVER week AS week_actual_kgce,
           sum(k.expected_kgce) OVER week AS week_expected_kgce,
           count(k.actual_kgce) OVER week AS week_days,
           CASE WHEN k.ts >= b.to_at
                THEN sum(k.expected_kgce - k.actual_kgce) FILTER (WHERE k.ts >= b.to_at) OVER (ORDER BY k.ts)
                END AS cusum_kgce
    FROM (
        SELECT p.ts,
               CASE WHEN x.is_known THEN p.ratio_energy_kgce END AS actual_kgce,
               CASE WHEN x.is_known THEN (b.intercept_kgce + x.kgce) * p.energy_hours / 24
                                         + b.slope_kgce * p.ratio_production END AS expected_kgce,
               (p.energy_hours / 24.0)::real AS coverage,
               CASE WHEN NOT x.is_known THEN 'unknown'
                    WHEN p.quality = 'estimated' THEN 'estimated'
                    WHEN p.energy_hours < 24 THEN 'partial'
                    ELSE 'good' END AS quality,
               p.reference_version
        FROM plant_day p
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(c.kgce * v.value), 0) AS kgce,
                   p.energy_hours >= 12 AND count(*) = count(v.value) AS is_known
            FROM enpi_coefficient c
            CROSS JOIN LATERAL (SELECT enpi_variable(c.site_id, c.variable, p.ts) AS value) v
            WHERE c.site_id = b.site_id AND c.line_id = b.line_id AND c.version = b.version
        ) x
        WHERE p.site_id = b.site_id AND p.line_id = b.line_id AND p.ts >= b.from_at
    ) k
    WINDOW week AS (ORDER BY k.ts RANGE BETWEEN interval '6 days' PRECEDING AND CURRENT ROW)
) d
WHERE b.version = (
    SELECT max(n.version) FROM enpi_baseline n WHERE n.site_id = b.site_id AND n.line_id = b.line_id
);
