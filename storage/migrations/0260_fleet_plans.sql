-- Plans for the crews of a tower company, each computed from the newest row of every set: which sites fail in the next
-- outage, which sets a capacity test tells most about, and what replacing or moving a set buys.

-- What the weather service says of a site or of a city, day by day (local dates). A site's own row beats its city's.
CREATE TABLE weather_forecast (
    place             text NOT NULL,
    day               date NOT NULL,
    temperature_min_c real NOT NULL,
    warning           text NOT NULL,
    issued_at         timestamptz NOT NULL,
    PRIMARY KEY (place, day)
);

CREATE VIEW site_weather AS
SELECT s.site_id, f.day, f.temperature_min_c, f.warning, f.issued_at, f.temperature_min_c < 0 OR f.warning <> '' AS bad
FROM site s
JOIN weather_forecast f ON f.place = s.site_id
UNION ALL
SELECT s.site_id, f.day, f.temperature_min_c, f.warning, f.issued_at, f.temperature_min_c < 0 OR f.warning <> '' AS bad
FROM site s
JOIN weather_forecast f ON f.place = s.city
WHERE NOT EXISTS (SELECT FROM weather_forecast o WHERE o.place = s.site_id AND o.day = f.day);

-- Share of a normal distribution below z: Abramowitz & Stegun 26.2.17, within 7.5e-8 (PostgreSQL 15 has no erf).
CREATE FUNCTION normal_below(z double precision) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    x CONSTANT double precision := least(abs(z), 37);
    t CONSTANT double precision := 1 / (1 + 0.2316419 * x);
    above CONSTANT double precision := exp(-0.5 * x * x) / 2.5066282746 * t * (0.319381530 + t * (-0.356563782
        + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
BEGIN
    RETURN CASE WHEN z < 0 THEN above ELSE 1 - above END;
END
$$;

-- Share of its charge at 25 °C that a set gives in the cold: `capacity_factor` of the battery reference.
CREATE FUNCTION cold_factor(celsius double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT CASE WHEN celsius >= 20 THEN 1.0
            WHEN celsius >= 0   THEN 0.90 + (celsius) * 0.10 / 20
            WHEN celsius >= -5  THEN 0.80 + (celsius + 5) * 0.10 / 5
            WHEN celsius >= -10 THEN 0.65 + (celsius + 10) * 0.15 / 5
            WHEN celsius >= -20 THEN 0.45 + (celsius + 20) * 0.20 / 10
            WHEN celsius < -20 THEN 0.45 END
$$;

-- One row per site with sets: how long it lasts in an outage of the week ahead, and how sure that is.
--
-- With a forecast the cells are taken to become as much colder than now as the coldest night of the next seven is than
-- last night: in a heated room they become less so. Charge and time shrink by the ratio of `cold_factor`.
CREATE VIEW battery_site_risk AS
WITH sets AS (
    SELECT h.site_id, count(*) AS sets,
           sum(h.nominal_ah)                                          AS nominal_ah,
           sum(h.nominal_ah * h.soh_pct / 100)                        AS capacity_ah,
           CASE WHEN bool_and(h.quality = 'good')  THEN 'good'
                WHEN bool_or(h.soh_pct IS NULL)    THEN 'unknown'
                ELSE 'partial' END                                    AS evidence,
           avg(h.temperature_mean_c)                                  AS temperature_c,
           max(h.soh_age_days)                                        AS oldest_days,
           (array_agg(h.device_id ORDER BY h.soh_pct NULLS FIRST, h.device_id))[1] AS weakest_id
    FROM battery_health_latest h
    GROUP BY h.site_id
), weather AS (
    SELECT w.site_id, min(w.temperature_min_c) AS coldest_c, max(w.issued_at) AS issued_at,
           min(w.temperature_min_c) FILTER (WHERE w.day = today.day) AS tonight_c
    FROM site_weather w
    CROSS JOIN (SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date AS day) today
    WHERE w.day BETWEEN today.day AND today.day + 7
    GROUP BY w.site_id
), cooled AS (
    SELECT b.site_id, b.contract_h, b.backup_p50_h, b.backup_p10_h, b.backup_reason, b.load_w, s.sets, s.nominal_ah,
           s.capacity_ah, s.evidence, s.oldest_days, s.weakest_id, s.temperature_c, w.coldest_c, w.issued_at,
           CASE WHEN w.tonight_c IS NOT NULL
                THEN cold_factor(s.temperature_c + least(0, w.coldest_c - w.tonight_c))
                     / cold_factor(s.temperature_c) END AS kept
    FROM battery_site b
    LEFT JOIN sets s USING (site_id)
    LEFT JOIN weather w USING (site_id)
), judged AS (
    SELECT c.*, c.backup_p50_h * coalesce(c.kept, 1) AS ahead_p50_h, c.backup_p10_h * coalesce(c.kept, 1) AS ahead_p10_h
    FROM cooled c
)
SELECT j.site_id, j.sets, j.contract_h, j.load_w, j.backup_p50_h, j.backup_p10_h, j.backup_reason,
       j.ahead_p50_h, j.ahead_p10_h, j.kept IS NOT NULL AS has_forecast, j.coldest_c, j.issued_at, j.temperature_c,
       j.nominal_ah, j.capacity_ah, j.evidence, j.oldest_days, j.weakest_id,
       CASE WHEN j.ahead_p50_h > j.ahead_p10_h
                THEN normal_below((j.contract_h - j.ahead_p50_h) * 1.2816 / (j.ahead_p50_h - j.ahead_p10_h))
            WHEN j.ahead_p50_h IS NOT NULL THEN (j.ahead_p50_h < j.contract_h)::int END AS chance_short,
       CASE WHEN j.ahead_p10_h IS NULL         THEN 'unknown'
            WHEN j.ahead_p50_h < j.contract_h  THEN 'short'
            WHEN j.ahead_p10_h < j.contract_h  THEN 'doubtful'
            ELSE 'holds' END AS verdict,
       CASE WHEN j.ahead_p10_h IS NULL                                            THEN j.backup_reason
            WHEN j.ahead_p10_h >= j.contract_h                                    THEN NULL
            WHEN j.backup_p10_h >= j.contract_h                                   THEN 'cold_ahead'
            WHEN j.ahead_p50_h >= j.contract_h                                    THEN 'wide'
            WHEN j.backup_p50_h / cold_factor(j.temperature_c) >= j.contract_h    THEN 'cold'
            WHEN j.backup_p50_h * j.nominal_ah / j.capacity_ah < j.contract_h     THEN 'load'
            ELSE 'worn' END AS reason
FROM judged j;

-- How far a normal quantity lies beyond a bound, on average, in standard deviations, when its mean lies u of them on the
-- safe side: the unit normal loss integral (Raiffa & Schlaifer 1961).
CREATE FUNCTION normal_loss(u double precision) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN CASE WHEN u > 37 THEN 0 ELSE greatest(0, exp(-0.5 * u * u) / 2.5066282746 - u * normal_below(-u)) END;
END
$$;

-- One row per set: what a capacity test (核对性放电) of it is worth.
--
-- value_kwh is what its share of the site falls short of in one outage, on average, because a decision is taken without
-- knowing: P × s × normal_loss(|distance| / s), P the set's share of the load in kW, s the hours by which a test may move
-- the site's time, distance that of the expected time from the decision's bound. Decisions: does the site keep its
-- contract; is the set below the 60 % at which sets are retired (a point of SoH is p50 / SoH hours). The nearer counts.
-- A test leaves what the last full discharge left, or 1.5 points (unsourced), so that a set just tested is worth nothing.
-- Of a set never measured every SoH from what it is known to have given at least (0 if nothing) up to 100 % is as likely:
-- nobody's average stands in for it, so it comes before sets that are known in part.
CREATE VIEW battery_test_value AS
WITH each AS (
    SELECT h.device_id, h.site_id, h.city, h.soh_pct, h.soh_low_pct, h.soh_high_pct, h.quality, h.soh_reason,
           h.soh_age_days, r.sets, r.contract_h, r.ahead_p10_h, r.capacity_ah, h.nominal_ah,
           r.load_w / 1000 * h.nominal_ah / nullif(r.nominal_ah, 0)                            AS share_kw,
           coalesce(h.soh_pct, (100 + b.least_pct) / 2)                                        AS expected_pct,
           CASE WHEN h.soh_pct IS NULL THEN (100 - b.least_pct) / sqrt(12) ELSE h.soh_sigma_pct END AS sigma_pct,
           coalesce(e.sigma_pct, 1.5)                                                          AS left_pct,
           coalesce(r.ahead_p50_h, r.nominal_ah * s.nominal_v / nullif(r.load_w, 0)
               * coalesce(h.soh_pct, (100 + b.least_pct) / 2) / 100)                           AS expected_h,
           n.kind = 'float' AND n.ts >= now() - interval '1 hour' AND n.flags NOT LIKE '%contradicted%' AS ready
    FROM battery_health_latest h
    JOIN battery_set s USING (device_id)
    JOIN battery_site_risk r ON r.site_id = h.site_id
    LEFT JOIN battery_state_latest n ON n.device_id = h.device_id
    LEFT JOIN LATERAL (SELECT b.sigma_pct FROM battery_soh b  -- one look into the index for each set
                       WHERE b.device_id = h.device_id AND b.ts = h.soh_evidence_at AND h.soh_method = 'full'
                       LIMIT 1) e ON true
    CROSS JOIN LATERAL (SELECT least(100, greatest(0, coalesce(h.soh_at_least_pct, 0))) AS least_pct) b
), moved AS (
    SELECT e.*, e.expected_h / nullif(e.expected_pct, 0)           AS h_per_point,
           sqrt(greatest(0, e.sigma_pct ^ 2 - e.left_pct ^ 2))     AS told_pct,
           abs(e.expected_h - e.contract_h)                        AS contract_off_h
    FROM each e
), valued AS (
    SELECT m.*, m.h_per_point * m.told_pct                         AS told_h,
           m.h_per_point * abs(m.expected_pct - 60)                AS retire_off_h
    FROM moved m
)
SELECT v.device_id, v.site_id, v.city, v.soh_pct, v.soh_low_pct, v.soh_high_pct, v.quality, v.soh_reason, v.soh_age_days,
       v.sets, v.contract_h, v.expected_h, v.told_h,
       CASE WHEN v.told_h = 0 THEN 0 ELSE v.share_kw * v.told_h
           * normal_loss(least(v.contract_off_h, v.retire_off_h) / nullif(v.told_h, 0)) END AS value_kwh,
       CASE WHEN v.soh_pct IS NULL                    THEN 'never_measured'
            WHEN v.contract_off_h <= v.retire_off_h   THEN 'contract'
            WHEN v.retire_off_h IS NOT NULL           THEN 'retirement' END AS decides,
       coalesce(v.ready, false) AS ready,
       CASE WHEN v.sets = 1                                                                              THEN 'alone'
            WHEN v.ahead_p10_h IS NULL                                                                   THEN 'unknown'
            WHEN v.ahead_p10_h * (1 - v.nominal_ah * v.soh_pct / 100 / nullif(v.capacity_ah, 0))
                 < v.contract_h                                                                          THEN 'short'
            ELSE 'hold' END AS others
FROM valued v;

-- One row per set that should go, or whose replacement helps a site that is below its contract (p10): what it buys.
--
-- Time is shared in proportion to capacity, so hours are p10 × capacity after ÷ before. Hours are told only where the
-- evidence of every set of the site is good. `new_h`: after a new set of the same nominal capacity. Moving: within a
-- city and among sets of one chemistry, count of cells and nominal capacity, the k-th neediest site exchanges its
-- weakest set for the strongest one of the site that has the k-th most to spare, where both then keep their contract.
CREATE VIEW battery_swap AS
WITH sets AS (
    SELECT h.device_id, h.site_id, h.city, h.advice, h.advice_reasons, h.soh_pct, h.quality,
           h.nominal_ah * h.soh_pct / 100 AS own_ah, h.nominal_ah,
           r.capacity_ah, r.contract_h, r.backup_p10_h, r.backup_reason, r.evidence,
           r.evidence = 'good' AND r.backup_p10_h IS NOT NULL AND r.capacity_ah > 0 AS told,
           concat_ws(' ', d.detail -> 'battery' ->> 'chemistry', d.detail -> 'battery' ->> 'cell_count',
                     d.detail -> 'battery' ->> 'nominal_v', h.nominal_ah) AS form,
           row_number() OVER (PARTITION BY h.site_id ORDER BY h.soh_pct, h.device_id)      AS weakest,
           row_number() OVER (PARTITION BY h.site_id ORDER BY h.soh_pct DESC, h.device_id) AS strongest
    FROM battery_health_latest h
    JOIN device d USING (device_id)
    JOIN battery_site_risk r ON r.site_id = h.site_id
), needy AS MATERIALIZED (
    SELECT s.*, row_number() OVER (PARTITION BY s.city, s.form ORDER BY s.contract_h - s.backup_p10_h DESC, s.site_id) AS k
    FROM sets s
    WHERE s.told AND s.weakest = 1 AND s.backup_p10_h < s.contract_h
), donors AS MATERIALIZED (
    SELECT s.*, row_number() OVER (PARTITION BY s.city, s.form ORDER BY s.backup_p10_h - s.contract_h DESC, s.site_id) AS k
    FROM sets s
    WHERE s.told AND s.strongest = 1 AND s.backup_p10_h > s.contract_h AND s.advice = 'keep'
), moves AS (
    SELECT n.device_id, o.device_id AS partner_id, o.site_id AS partner_site_id,
           n.backup_p10_h * (1 + (o.own_ah - n.own_ah) / n.capacity_ah) AS moved_h,
           o.backup_p10_h * (1 + (n.own_ah - o.own_ah) / o.capacity_ah) AS partner_left_h,
           n.contract_h, o.contract_h AS partner_contract_h
    FROM needy n
    JOIN donors o USING (city, form, k)
    WHERE n.advice_reasons NOT LIKE '%cell%' AND (n.soh_pct >= 60 OR n.soh_pct IS NULL)
), listed AS (
    SELECT s.*, s.backup_p10_h * (1 - s.own_ah / s.capacity_ah)                  AS without_p10_h,
           s.backup_p10_h * (1 + (s.nominal_ah - s.own_ah) / s.capacity_ah)      AS new_p10_h
    FROM sets s
    WHERE s.advice = 'retire' OR (s.weakest = 1 AND s.backup_p10_h < s.contract_h)
)
SELECT l.device_id, l.site_id, l.city, l.advice, l.advice_reasons, l.soh_pct, l.quality, l.evidence, l.contract_h,
       l.backup_p10_h,
       CASE WHEN l.told THEN l.without_p10_h END                         AS without_h,
       CASE WHEN l.told THEN l.new_p10_h END                             AS new_h,
       CASE WHEN l.told THEN l.new_p10_h - l.backup_p10_h END            AS new_gain_h,
       CASE WHEN l.told THEN greatest(0, least(l.new_p10_h, l.contract_h) - l.backup_p10_h) END AS owed_gain_h,
       m.partner_id, m.partner_site_id, m.moved_h, m.moved_h - l.backup_p10_h AS moved_gain_h, m.partner_left_h,
       CASE WHEN l.told THEN l.new_p10_h >= l.contract_h END             AS new_keeps,
       CASE WHEN l.told THEN NULL
            WHEN l.backup_reason IS NOT NULL THEN l.backup_reason
            WHEN l.evidence <> 'good'        THEN 'evidence'
            ELSE 'unknown_set' END                                       AS reason
FROM listed l
LEFT JOIN moves m ON m.device_id = l.device_id AND m.moved_h >= m.contract_h AND m.partner_left_h >= m.partner_contract_h;
