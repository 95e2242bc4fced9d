-- Alarm rates after EEMUA 191 / ISA-18.2. What is counted is what was put before an operator, by the time of that.

-- Target: fewer than 1 in 10 minutes; more than 10 is a flood.
CREATE VIEW alarm_rate_10min AS
SELECT date_bin(interval '10 minutes', t.at, timestamptz '2000-01-03 00:00+00') AS ts,
       a.region,
       count(*)                                          AS presented,
       count(*) FILTER (WHERE a.severity = 'critical')   AS critical,
       count(*) > 10                                     AS flood
FROM alarm_transition t JOIN alarm a USING (alarm_id)
WHERE t.presented
GROUP BY 1, 2;

-- The ten worst usually make most of the load.
CREATE VIEW alarm_most_frequent AS
SELECT a.site_id, a.device_id, a.metric, a.kind, a.region,
       count(*)                                          AS presented,
       count(*) / sum(count(*)) OVER ()                  AS share,
       max(t.at)                                         AS last_at
FROM alarm_transition t JOIN alarm a USING (alarm_id)
WHERE t.presented AND t.at > now() - interval '30 days'
GROUP BY a.site_id, a.device_id, a.metric, a.kind, a.region;

-- Active for more than a day.
CREATE VIEW alarm_standing AS
SELECT a.*, now() - a.event_at AS standing
FROM alarm a
WHERE a.active AND a.state IN ('active_unacknowledged', 'active_acknowledged')
  AND a.event_at < now() - interval '24 hours';

-- Came up three times or more within an hour, in the last 7 days. ISA-18.2 says within a minute, of points sampled
-- every second; ours are sampled every minute or slower.
CREATE VIEW alarm_chattering AS
WITH presented AS (
    SELECT a.site_id, a.device_id, a.metric, a.kind, a.region, t.at,
           lag(t.at, 2) OVER (PARTITION BY a.site_id, a.device_id, a.metric, a.kind ORDER BY t.at) AS third_last
    FROM alarm_transition t JOIN alarm a USING (alarm_id)
    WHERE t.presented AND t.at > now() - interval '7 days'
)
SELECT site_id, device_id, metric, kind, region, count(*) AS times, max(at) AS last_at
FROM presented
WHERE at - third_last < interval '1 hour'
GROUP BY site_id, device_id, metric, kind, region;
