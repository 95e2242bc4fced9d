-- Energy baselines (ISO 50006): what a product line takes in a day, as a straight line of what it makes. A fit is never
-- changed; the newest version of a line counts.
CREATE TABLE enpi_baseline (
    site_id        text NOT NULL REFERENCES site ON DELETE CASCADE,
    line_id        text NOT NULL,
    version        int NOT NULL,
    from_at        timestamptz NOT NULL, -- first local day of the fit
    to_at          timestamptz NOT NULL, -- behind its last day: savings are summed from here
    intercept_kgce double precision NOT NULL, -- a day
    slope_kgce     double precision NOT NULL, -- per product unit
    points         int NOT NULL,
    r_squared      double precision NOT NULL,
    cv_rmse        double precision NOT NULL,
    fitted_by      text NOT NULL,
    fitted_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (site_id, line_id, version)
);

-- Each local day against the baseline, computed when asked, so that late data repairs it by itself. Expected and actual
-- are of the same hours, those of which energy and production are both known; with fewer than half of a day's hours
-- the day is unknown, and adds nothing to the savings; with fewer than four such days seven of them are.
CREATE VIEW enpi_day AS
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
               CASE WHEN p.energy_hours >= 12 THEN p.ratio_energy_kgce END AS actual_kgce,
               CASE WHEN p.energy_hours >= 12
                    THEN b.intercept_kgce * p.energy_hours / 24 + b.slope_kgce * p.ratio_production END AS expected_kgce,
               (p.energy_hours / 24.0)::real AS coverage,
               CASE WHEN p.energy_hours < 12 THEN 'unknown'
                    WHEN p.quality = 'estimated' THEN 'estimated'
                    WHEN p.energy_hours < 24 THEN 'partial'
                    ELSE 'good' END AS quality,
               p.reference_version
        FROM plant_day p
        WHERE p.site_id = b.site_id AND p.line_id = b.line_id AND p.ts >= b.from_at
    ) k
    WINDOW week AS (ORDER BY k.ts RANGE BETWEEN interval '6 days' PRECEDING AND CURRENT ROW)
) d
WHERE b.version = (
    SELECT max(n.version) FROM enpi_baseline n WHERE n.site_id = b.site_id AND n.line_id = b.line_id
);
