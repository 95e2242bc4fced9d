-- Observability is a share of the sets that are registered: one that was never heard of has no estimate either.
CREATE OR REPLACE VIEW battery_observability AS
SELECT s.city,
       count(*)                                            AS sets,
       avg(COALESCE(h.observable, false)::int)             AS observable_share,
       avg((h.soh_pct IS NOT NULL)::int)                   AS estimated_share,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY h.soh_age_days) AS median_age_days,
       max(h.soh_age_days)                                 AS oldest_age_days
FROM device d
JOIN site s USING (site_id)
LEFT JOIN battery_health_latest h USING (device_id)
WHERE d.kind = 'battery'
GROUP BY GROUPING SETS ((s.city), ());
