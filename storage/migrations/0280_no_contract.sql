-- A site whose contract is not known was said to hold it, for every comparison with nothing failed.

-- One row per site with sets: how long it lasts in an outage of the week ahead, and how sure that is.
--
-- With a forecast the cells are taken to become as much colder than now as the coldest night of the next seven is than
-- last night: in a heated room they become less so. Charge and time shrink by the ratio of `cold_factor`.
CREATE OR REPLACE VIEW battery_site_risk AS
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
       CASE WHEN j.ahead_p10_h IS NULL OR j.contract_h IS NULL THEN 'unknown'
            WHEN j.ahead_p50_h < j.contract_h  THEN 'short'
            WHEN j.ahead_p10_h < j.contract_h  THEN 'doubtful'
            ELSE 'holds' END AS verdict,
       CASE WHEN j.ahead_p10_h IS NULL                                            THEN j.backup_reason
            WHEN j.contract_h IS NULL                                             THEN 'no_contract'
            WHEN j.ahead_p10_h >= j.contract_h                                    THEN NULL
            WHEN j.backup_p10_h >= j.contract_h                                   THEN 'cold_ahead'
            WHEN j.ahead_p50_h >= j.contract_h                                    THEN 'wide'
            WHEN j.backup_p50_h / cold_factor(j.temperature_c) >= j.contract_h    THEN 'cold'
            WHEN j.backup_p50_h * j.nominal_ah / j.capacity_ah < j.contract_h     THEN 'load'
            ELSE 'worn' END AS reason
FROM judged j;
