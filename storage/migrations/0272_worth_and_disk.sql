-- What a test settles is told in the site's hours, and a forecast of the disk is none while nobody measures.

-- One row per set: what a capacity test (核对性放电) of it is worth.
--
-- value_kwh is what the site falls short of in one outage, on average, because a decision is taken without knowing:
-- P × s × normal_loss(d / s), P the site's load in kW, s (told_h) the hours by which a test of this set may move the
-- site's time, which is the set's part of the site's capacity: with n equal sets a n-th. d is the distance from the
-- nearer bound: does the site keep its contract; is the set below the 60 % at which sets are retired. A point of the
-- set's SoH is h_per_point hours of the site, so both distances are held against each other in points.
-- A test leaves what the last full discharge left, or 1.5 points (unsourced), so that a set just tested is worth nothing.
-- Of a set never measured, or of which nothing holds any more, every SoH from what it is known to have given at least
-- (0 if nothing) up to 100 % is as likely: nobody's average stands in for it.
CREATE OR REPLACE VIEW battery_test_value AS
WITH each AS (
    SELECT h.device_id, h.site_id, h.city, h.soh_pct, h.soh_low_pct, h.soh_high_pct, h.quality, h.soh_reason,
           h.soh_age_days, r.sets, r.contract_h, r.ahead_p50_h, r.ahead_p10_h, r.capacity_ah, h.nominal_ah, r.load_w,
           s.nominal_v,
           coalesce(h.soh_pct, (100 + b.least_pct) / 2)                                        AS expected_pct,
           sum(h.nominal_ah * coalesce(h.soh_pct, (100 + b.least_pct) / 2) / 100)
               OVER (PARTITION BY h.site_id)                                                   AS expected_ah,
           CASE WHEN h.soh_pct IS NULL THEN (100 - b.least_pct) / sqrt(12) ELSE h.soh_sigma_pct END AS sigma_pct,
           coalesce(e.sigma_pct, 1.5)                                                          AS left_pct,
           n.kind = 'float' AND n.ts >= now() - interval '1 hour' AND n.flags NOT LIKE '%contradicted%' AS ready
    FROM battery_health_latest h
    JOIN battery_set s USING (device_id)
    JOIN battery_site_risk r ON r.site_id = h.site_id
    LEFT JOIN battery_state_latest n ON n.device_id = h.device_id
    LEFT JOIN LATERAL (SELECT b.sigma_pct FROM battery_soh b  -- one look into the index for each set
                       WHERE b.device_id = h.device_id AND b.ts = h.soh_evidence_at AND h.soh_method = 'full'
                       LIMIT 1) e ON true
    CROSS JOIN LATERAL (SELECT least(100, greatest(0, coalesce(h.soh_at_least_pct, 0))) AS least_pct) b
), timed AS (
    SELECT e.*, coalesce(e.ahead_p50_h, e.expected_ah * e.nominal_v / nullif(e.load_w, 0)) AS expected_h,
           sqrt(greatest(0, e.sigma_pct ^ 2 - e.left_pct ^ 2))                             AS told_pct
    FROM each e
), moved AS (
    SELECT t.*, t.expected_h * t.nominal_ah / 100 / nullif(t.expected_ah, 0) AS h_per_point
    FROM timed t
), valued AS (
    SELECT m.*, m.h_per_point * m.told_pct                                   AS told_h,
           abs(m.expected_h - m.contract_h) / nullif(m.h_per_point, 0)       AS contract_off_pct,
           abs(m.expected_pct - 60)                                          AS retire_off_pct
    FROM moved m
)
SELECT v.device_id, v.site_id, v.city, v.soh_pct, v.soh_low_pct, v.soh_high_pct, v.quality, v.soh_reason, v.soh_age_days,
       v.sets, v.contract_h, v.expected_h, v.told_h,
       CASE WHEN v.told_h = 0 THEN 0 ELSE v.load_w / 1000 * v.told_h
           * normal_loss(least(v.contract_off_pct, v.retire_off_pct) / nullif(v.told_pct, 0)) END AS value_kwh,
       CASE WHEN v.soh_pct IS NULL AND v.soh_reason = 'exchanged'     THEN 'exchanged'
            WHEN v.soh_pct IS NULL AND v.soh_reason = 'contradicted'  THEN 'contradicted'
            WHEN v.soh_pct IS NULL                                    THEN 'never_measured'
            WHEN v.contract_off_pct <= v.retire_off_pct               THEN 'contract'
            WHEN v.retire_off_pct IS NOT NULL                         THEN 'retirement' END AS decides,
       coalesce(v.ready, false) AS ready,
       CASE WHEN v.sets = 1                                                                              THEN 'alone'
            WHEN v.ahead_p10_h IS NULL                                                                   THEN 'unknown'
            WHEN v.ahead_p10_h * (1 - v.nominal_ah * v.soh_pct / 100 / nullif(v.capacity_ah, 0))
                 < v.contract_h                                                                          THEN 'short'
            ELSE 'hold' END AS others
FROM valued v;

-- As in migration 268, but: where the newest size is older than two days, nobody knows how full the disk is.
CREATE OR REPLACE VIEW store_forecast AS
SELECT f.bytes,
       f.disk_bytes,
       f.bytes_a_day,
       CASE WHEN f.is_old THEN NULL
            WHEN f.bytes >= f.disk_bytes THEN 0
            WHEN f.bytes_a_day > 0 THEN (f.disk_bytes - f.bytes) / f.bytes_a_day END AS days,
       CASE WHEN f.disk_bytes IS NULL THEN 'disk_unknown'
            WHEN f.is_old THEN 'not_measured'
            WHEN f.bytes >= f.disk_bytes THEN 'full'
            WHEN f.bytes_a_day IS NULL THEN 'too_young'
            WHEN f.bytes_a_day <= 0 THEN 'not_growing'
            ELSE 'growing' END AS state
FROM (
    SELECT (SELECT s.bytes FROM store_day s ORDER BY s.day DESC LIMIT 1)::float8 AS bytes,
           (SELECT d.bytes FROM store_disk d)::float8 AS disk_bytes,
           (SELECT max(s.day) FROM store_day s) < (now() AT TIME ZONE 'Asia/Shanghai')::date - 2 AS is_old,
           (SELECT CASE WHEN count(*) >= 5 AND max(s.day) - min(s.day) >= 7
                        THEN regr_slope(s.bytes, s.day - date '2000-01-01') END
            FROM store_day s WHERE s.day > (SELECT max(n.day) FROM store_day n) - 30) AS bytes_a_day
) f;
