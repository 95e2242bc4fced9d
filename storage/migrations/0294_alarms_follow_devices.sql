-- Alarms, and what is known of clocks, of devices that moved to another site before a move took them along. Of one
-- condition only one may be open: where one has been raised anew since, the one before stays (alarm_tables/moved.py).
UPDATE alarm a SET site_id = d.site_id, region = s.city
FROM device d JOIN site s USING (site_id)
WHERE a.device_id = d.device_id AND a.site_id <> d.site_id AND a.site_id <> '' AND a.site_id <> a.device_id
    AND (a.state = 'normal' OR NOT EXISTS (
        SELECT FROM alarm o
        WHERE (o.device_id, o.metric, o.kind) = (a.device_id, a.metric, a.kind)
            AND o.state <> 'normal' AND o.alarm_id <> a.alarm_id
            AND (o.site_id = d.site_id OR (o.raised_at, o.alarm_id) > (a.raised_at, a.alarm_id))));

UPDATE device_clock c SET site_id = d.site_id
FROM device d
WHERE c.device_id = d.device_id AND c.site_id <> d.site_id;
