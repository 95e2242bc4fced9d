-- When each device's newest reading was measured, received and stored: freshness, clock skew and latencies of pages.
-- When it was stored PostgreSQL knows only with track_commit_timestamp on; elsewhere it is null, and shown as unknown.
CREATE FUNCTION committed_at(x xid) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN current_setting('track_commit_timestamp') = 'on' THEN pg_xact_commit_timestamp(x) END
$$;

CREATE VIEW arrival AS
SELECT device_id, site_id, ts, received_at, committed_at(xmin) AS stored_at FROM meter_latest
UNION ALL
SELECT device_id, site_id, ts, received_at, committed_at(xmin) FROM battery_latest
UNION ALL
SELECT device_id, site_id, ts, received_at, committed_at(xmin) FROM site_power_latest;
