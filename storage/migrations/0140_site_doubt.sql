-- Devices of a base station that contradict each other: who is not believed, and since when.
CREATE TABLE site_doubt (
    device_id text NOT NULL,
    ts        timestamptz NOT NULL,
    site_id   text NOT NULL,
    kind      text NOT NULL,
    ended_at  timestamptz,
    told_at   timestamptz NOT NULL,
    since_at  timestamptz,
    pack_v       real,
    bus_before_v real,
    bus_low_v    real,
    PRIMARY KEY (device_id, ts, kind)
);
CREATE INDEX site_doubt_open ON site_doubt (device_id) WHERE ended_at IS NULL;

ALTER TABLE site_outage ADD COLUMN bus_before_v real;
ALTER TABLE site_outage ADD COLUMN bus_low_v real;
ALTER TABLE site_outage ADD COLUMN contradicted boolean NOT NULL DEFAULT false;
ALTER TABLE battery_quarter ADD COLUMN flags text NOT NULL DEFAULT '';
ALTER TABLE battery_latest ADD COLUMN flags text NOT NULL DEFAULT '';

-- What a set does now, as it is believed: a set that bus and mains contradict shows an old state of charge.
ALTER TABLE battery_state_latest RENAME TO battery_state;
CREATE VIEW battery_state_latest AS
SELECT b.device_id, b.ts, b.site_id, b.kind, b.since_at,
       CASE WHEN NOT c.doubted THEN b.soc_pct END         AS soc_pct,
       CASE WHEN NOT c.doubted THEN b.soc_sigma_pct END   AS soc_sigma_pct,
       b.soc_bms_pct, b.discharged_ah, b.power_w,
       CASE WHEN NOT c.doubted THEN b.remaining_p50_h END AS remaining_p50_h,
       CASE WHEN NOT c.doubted THEN b.remaining_p10_h END AS remaining_p10_h,
       CASE WHEN c.doubted THEN concat_ws(',', nullif(b.flags, ''), 'contradicted') ELSE b.flags END AS flags
FROM battery_state b
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM site_doubt d
                                   WHERE d.device_id = b.device_id AND d.ended_at IS NULL AND d.kind = 'set') AS doubted) c;

-- Backup time of a base station whose sets stand in parallel on one DC bus, as migration 90 has it; a set that is not
-- believed makes it unknown, and a failure of mains that the bus contradicts is none.
DROP VIEW battery_site;
CREATE VIEW battery_site AS
WITH each AS (
    SELECT s.site_id, s.device_id, s.contract_h, n.ts, n.kind, n.since_at, n.power_w,
           n.remaining_p50_h, n.remaining_p10_h,
           n.ts >= max(n.ts) OVER (PARTITION BY s.site_id) - interval '5 minutes' AS heard,
           n.kind = 'discharge'                                                   AS discharges,
           h.device_id IS NOT NULL                                                AS known,
           h.nominal_ah * h.soh_pct                                               AS weight,
           n.flags LIKE '%contradicted%'                                          AS doubted,
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
           max(load_w)                                                AS load_w
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
       CASE WHEN backup_reason IS NULL THEN backup_p10_h < contract_h END AS misses_contract
FROM timed;
