-- The ids under which the guard may have published a safety alarm (`schemas/safety.py`): one for each time its condition
-- came, named after the sample that raised it. An alarm that nobody has acknowledged takes in what comes after it, so it
-- has as many names as its condition came; and late readings may have moved the sample. A verdict's first sample that its
-- condition holds is one that raised it, as safety has no on-delay.
CREATE VIEW alarm_name AS
SELECT DISTINCT left(encode(sha256(convert_to(concat_ws(E'\n', a.device_id, a.metric, a.kind,
           (extract(epoch FROM m.raised_at) * 1000)::bigint), 'UTF8')), 'hex'), 32) AS name,
       a.alarm_id, m.raised_at
FROM alarm a
CROSS JOIN LATERAL (
    SELECT a.raised_at
    UNION SELECT a.last_raised_at
    UNION SELECT t.event_at FROM alarm_transition t
          WHERE t.alarm_id = a.alarm_id AND t.event IN ('raise', 'raise_suppressed')
    UNION SELECT s.ts FROM signal s
          WHERE s.device_id = a.device_id AND s.metric = a.metric AND s.kind = a.kind AND s.active AND s.samples = 1
            AND s.ts >= a.raised_at AND s.ts < coalesce((SELECT min(b.raised_at) FROM alarm b
                WHERE b.device_id = a.device_id AND b.metric = a.metric AND b.kind = a.kind
                  AND b.raised_at > a.raised_at), 'infinity')
) AS m
WHERE a.safety AND m.raised_at IS NOT NULL;

GRANT SELECT ON alarm_name TO fenhe_reader;
