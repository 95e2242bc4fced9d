-- Hours, local days and local months of every register, as sums of its quarters: the same rows on every engine, and
-- right the moment a quarter is. Quarters are few enough (4 an hour) that nothing is kept twice.
CREATE VIEW meter_hour AS
SELECT device_id, quantity, date_trunc('hour', ts) AS ts, site_id,
       sum(increment) AS increment,
       count(*)::int AS quarters,
       sum(known) / 4 AS known,
       (sum(coverage) / 4)::real AS coverage,
       CASE WHEN bool_or(quality = 'estimated') THEN 'estimated'
            WHEN sum(coverage) / 4 >= 0.99 THEN 'good'
            WHEN sum(coverage) > 0 THEN 'partial'
            ELSE 'unknown' END AS quality
FROM meter_quarter
GROUP BY device_id, quantity, date_trunc('hour', ts), site_id;

CREATE VIEW meter_day AS
SELECT device_id, quantity, date_trunc('day', ts, 'Asia/Shanghai') AS ts, site_id,
       sum(increment) AS increment,
       count(*)::int AS quarters,
       sum(known) / 96 AS known,
       (sum(coverage) / 96)::real AS coverage,
       CASE WHEN bool_or(quality = 'estimated') THEN 'estimated'
            WHEN sum(coverage) / 96 >= 0.99 THEN 'good'
            WHEN sum(coverage) > 0 THEN 'partial'
            ELSE 'unknown' END AS quality
FROM meter_quarter
GROUP BY device_id, quantity, date_trunc('day', ts, 'Asia/Shanghai'), site_id;

CREATE VIEW meter_month AS
SELECT device_id, quantity, ts, site_id, increment, quarters,
       known / length AS known,
       (coverage / length)::real AS coverage,
       CASE WHEN is_estimated THEN 'estimated'
            WHEN coverage / length >= 0.99 THEN 'good'
            WHEN coverage > 0 THEN 'partial'
            ELSE 'unknown' END AS quality
FROM (
    SELECT device_id, quantity, site_id, date_trunc('month', ts, 'Asia/Shanghai') AS ts,
           sum(increment) AS increment,
           count(*)::int AS quarters,
           sum(known) AS known,
           sum(coverage) AS coverage,
           bool_or(quality = 'estimated') AS is_estimated
    FROM meter_quarter
    GROUP BY device_id, quantity, site_id, date_trunc('month', ts, 'Asia/Shanghai')
) m
CROSS JOIN LATERAL (
    SELECT extract(epoch FROM ((m.ts AT TIME ZONE 'Asia/Shanghai' + interval '1 month') AT TIME ZONE 'Asia/Shanghai')
                              - m.ts) / 900 AS length
) l;
