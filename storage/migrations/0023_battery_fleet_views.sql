-- Questions to the whole fleet, each one pass over one row per set.

-- How much of the fleet can be known: share of sets with a discharge of an hour or more within twelve months, and
-- how old their newest estimates are.
CREATE VIEW battery_observability AS
SELECT city,
       count(*)                                            AS sets,
       avg(observable::int)                                AS observable_share,
       avg((soh_pct IS NOT NULL)::int)                     AS estimated_share,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY soh_age_days) AS median_age_days,
       max(soh_age_days)                                   AS oldest_age_days
FROM battery_health_latest
GROUP BY GROUPING SETS ((city), ());

-- Which sites deserve a core-capacity test (核对性放电) next: where most contracted energy hangs on the least certain sets.
CREATE VIEW battery_test_proposal AS
SELECT rank() OVER (ORDER BY sum(test_priority_kwh) DESC, site_id) AS rank,
       site_id,
       city,
       sum(test_priority_kwh)                     AS uncertain_kwh,
       count(*)                                   AS sets,
       count(*) FILTER (WHERE soh_pct IS NULL)    AS never_measured,
       max(soh_age_days)                          AS oldest_age_days,
       min(backup_p10_h)                          AS backup_p10_h,
       max(contract_h)                            AS contract_h
FROM battery_health_latest
GROUP BY site_id, city;

-- A set's resistance against the fleet's: per cell, times nominal capacity, at 25 °C.
CREATE VIEW battery_resistance_fleet AS
SELECT h.device_id, h.site_id, h.city, h.maker, h.batch, h.resistance_25c_mohm, h.resistance_trend,
       h.resistance_mohm_ah, f.median AS fleet_median_mohm_ah, h.resistance_mohm_ah / f.median AS of_fleet
FROM battery_health_latest h,
     (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY resistance_mohm_ah) AS median FROM battery_health_latest) f
WHERE h.resistance_mohm_ah IS NOT NULL;
