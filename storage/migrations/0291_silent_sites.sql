-- A base station that had fallen silent was said to hold its contract: what was last computed of its sets stays.

-- Backup time of a base station whose sets stand in parallel on one DC bus, as migration 140 has it. `silent`: the newest
-- reading of one of its sets is older than three of its periods, or there is none; the hours stay as last heard, and no
-- verdict rests on them.
CREATE OR REPLACE VIEW battery_site AS
WITH each AS (
    SELECT s.site_id, s.device_id, s.contract_h, n.ts, n.kind, n.since_at, n.power_w,
           n.remaining_p50_h, n.remaining_p10_h,
           n.ts >= max(n.ts) OVER (PARTITION BY s.site_id) - interval '5 minutes' AS heard,
           n.kind = 'discharge'                                                   AS discharges,
           h.device_id IS NOT NULL                                                AS known,
           coalesce(now() - l.ts > 3 * d.period_s * interval '1 second', true)    AS silent,
           h.nominal_ah * h.soh_pct                                               AS weight,
           n.flags LIKE '%contradicted%'                                          AS doubted,
           h.backup_p50_h, h.backup_p10_h, h.load_w
    FROM battery_set s
    JOIN device d USING (device_id)
    LEFT JOIN battery_latest l USING (device_id)
    LEFT JOIN battery_state_latest n USING (device_id)
    LEFT JOIN battery_health_latest h USING (device_id)
), summed AS (
    SELECT site_id,
           count(*)                                                   AS sets,
           count(*) FILTER (WHERE heard AND discharges)               AS discharging,
           max(ts)                                                    AS ts,
           min(since_at) FILTER (WHERE heard AND discharges)          AS since_at,
           max(contract_h)                                            AS contract_h,
           sum(power_w) FILTER (WHERE heard AND discharges)           AS power_w,
           CASE WHEN bool_or(doubted)                                                               THEN 'contradicted'
                WHEN NOT COALESCE(bool_or(heard AND discharges), false)                             THEN 'no_discharge'
                WHEN bool_or(heard IS NOT TRUE)                                                     THEN 'silent_set'
                WHEN bool_or(discharges AND (remaining_p50_h IS NULL OR remaining_p10_h IS NULL
                                             OR COALESCE(power_w, 0) <= 0))                         THEN 'unknown_set'
           END                                                        AS remaining_reason,
           sum(remaining_p50_h * power_w) FILTER (WHERE discharges)   AS left_p50_wh,
           sum(remaining_p10_h * power_w) FILTER (WHERE discharges)   AS left_p10_wh,
           min(remaining_p50_h) FILTER (WHERE discharges)             AS first_p50_h,
           min(remaining_p10_h) FILTER (WHERE discharges)             AS first_p10_h,
           CASE WHEN bool_or(doubted)                                                               THEN 'contradicted'
                WHEN NOT bool_and(known)                                                            THEN 'silent_set'
                WHEN bool_or(backup_p10_h IS NULL)                                                  THEN 'unknown_set'
           END                                                        AS backup_reason,
           sum(backup_p50_h * weight) / NULLIF(sum(weight), 0)        AS backup_p50_h,
           sum(backup_p10_h * weight) / NULLIF(sum(weight), 0)        AS backup_p10_h,
           max(load_w)                                                AS load_w,
           bool_or(silent)                                            AS silent
    FROM each
    GROUP BY site_id
), timed AS (
    SELECT u.*, COALESCE((SELECT max(o.ts) FROM site_outage o JOIN device d USING (device_id)
                          WHERE d.site_id = u.site_id AND o.ended_at IS NULL AND NOT o.contradicted AND u.discharging > 0
                            AND o.ts >= u.since_at - interval '1 day'), u.since_at) AS out_since_at
    FROM summed u
)
SELECT site_id, ts, sets, discharging, power_w, out_since_at, contract_h,
       CASE WHEN remaining_reason IS NULL THEN left_p50_wh / power_w END AS remaining_p50_h,
       CASE WHEN remaining_reason IS NULL THEN left_p10_wh / power_w END AS remaining_p10_h,
       CASE WHEN remaining_reason IS NULL THEN first_p50_h END           AS first_opens_p50_h,
       CASE WHEN remaining_reason IS NULL THEN first_p10_h END           AS first_opens_p10_h,
       remaining_reason,
       CASE WHEN remaining_reason IS NULL
            THEN extract(epoch FROM ts - out_since_at) / 3600 + left_p10_wh / power_w < contract_h END AS will_miss_contract,
       load_w,
       CASE WHEN backup_reason IS NULL THEN backup_p50_h END             AS backup_p50_h,
       CASE WHEN backup_reason IS NULL THEN backup_p10_h END             AS backup_p10_h,
       backup_reason,
       CASE WHEN backup_reason IS NULL AND NOT silent THEN backup_p10_h < contract_h END AS misses_contract,
       silent
FROM timed;

-- One row per site with sets: how long it lasts in an outage of the week ahead, and how sure that is.
--
-- With a forecast the cells are taken to become as much colder than now as the coldest night of the next seven is than
-- last night: in a heated room they become less so. Charge and time shrink by the ratio of `cold_factor`.
-- Of a site with a silent set there is no verdict.
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
           s.capacity_ah, s.evidence, s.oldest_days, s.weakest_id, s.temperature_c, b.silent, w.coldest_c, w.issued_at,
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
       CASE WHEN j.silent THEN NULL
            WHEN j.ahead_p50_h > j.ahead_p10_h
                THEN normal_below((j.contract_h - j.ahead_p50_h) * 1.2816 / (j.ahead_p50_h - j.ahead_p10_h))
            WHEN j.ahead_p50_h IS NOT NULL THEN (j.ahead_p50_h < j.contract_h)::int END AS chance_short,
       CASE WHEN j.ahead_p10_h IS NULL OR j.contract_h IS NULL OR j.silent THEN 'unknown'
            WHEN j.ahead_p50_h < j.contract_h  THEN 'short'
            WHEN j.ahead_p10_h < j.contract_h  THEN 'doubtful'
            ELSE 'holds' END AS verdict,
       CASE WHEN j.ahead_p10_h IS NULL                                            THEN j.backup_reason
            WHEN j.contract_h IS NULL                                             THEN 'no_contract'
            WHEN j.silent                                                         THEN 'silent_set'
            WHEN j.ahead_p10_h >= j.contract_h                                    THEN NULL
            WHEN j.backup_p10_h >= j.contract_h                                   THEN 'cold_ahead'
            WHEN j.ahead_p50_h >= j.contract_h                                    THEN 'wide'
            WHEN j.backup_p50_h / cold_factor(j.temperature_c) >= j.contract_h    THEN 'cold'
            WHEN j.backup_p50_h * j.nominal_ah / j.capacity_ah < j.contract_h     THEN 'load'
            ELSE 'worn' END AS reason
FROM judged j;
