-- Backup time of a base station whose sets stand in parallel on one DC bus: one row per site that has sets.
--
-- What is left in the sets together lasts Σ E / Σ P, for when one opens the others take its share over. Of each set
-- E = remaining time × power, so a site's time is the mean of its sets' times, weighted by power; p10 as if the errors
-- of all its sets were one. The time until the first of them opens stands beside it. A figure to which one set in
-- charge of load cannot add its own is null, with the reason.
CREATE VIEW battery_site AS
WITH each AS (
    SELECT s.site_id, s.device_id, s.contract_h, n.ts, n.kind, n.since_at, n.power_w,
           n.remaining_p50_h, n.remaining_p10_h,
           n.ts >= max(n.ts) OVER (PARTITION BY s.site_id) - interval '5 minutes' AS heard,
           n.kind = 'discharge'                                                   AS discharges,
           h.device_id IS NOT NULL                                                AS known,
           h.nominal_ah * h.soh_pct                                               AS weight,
           h.backup_p50_h, h.backup_p10_h, h.load_w
    FROM battery_set s
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
           CASE WHEN NOT COALESCE(bool_or(heard AND discharges), false)                             THEN 'no_discharge'
                WHEN bool_or(heard IS NOT TRUE)                                                     THEN 'silent_set'
                WHEN bool_or(discharges AND (remaining_p50_h IS NULL OR remaining_p10_h IS NULL
                                             OR COALESCE(power_w, 0) <= 0))                         THEN 'unknown_set'
           END                                                        AS remaining_reason,
           sum(remaining_p50_h * power_w) FILTER (WHERE discharges)   AS left_p50_wh,
           sum(remaining_p10_h * power_w) FILTER (WHERE discharges)   AS left_p10_wh,
           min(remaining_p50_h) FILTER (WHERE discharges)             AS first_p50_h,
           min(remaining_p10_h) FILTER (WHERE discharges)             AS first_p10_h,
           CASE WHEN NOT bool_and(known)                                                            THEN 'silent_set'
                WHEN bool_or(backup_p10_h IS NULL)                                                  THEN 'unknown_set'
           END                                                        AS backup_reason,
           sum(backup_p50_h * weight) / NULLIF(sum(weight), 0)        AS backup_p50_h,
           sum(backup_p10_h * weight) / NULLIF(sum(weight), 0)        AS backup_p10_h,
           max(load_w)                                                AS load_w
    FROM each
    GROUP BY site_id
), timed AS (
    SELECT u.*, COALESCE((SELECT max(o.ts) FROM site_outage o JOIN device d USING (device_id)
                          WHERE d.site_id = u.site_id AND o.ended_at IS NULL AND u.discharging > 0
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
       CASE WHEN backup_reason IS NULL THEN backup_p10_h < contract_h END AS misses_contract
FROM timed;
