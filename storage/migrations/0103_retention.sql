-- How long rows are kept, by table; null: for ever. Raw readings 13 months, what is made by the minute or by the quarter
-- of an hour of batteries 3 years, hours, days and events for ever. (unsourced: raw readings outlast a yearly report)
CREATE TABLE retention_policy (
    table_name text PRIMARY KEY,
    keep       interval CHECK (keep >= interval '60 days'),
    clock      text NOT NULL DEFAULT 'ts',
    kept_from  timestamptz -- rows before this are gone
);
INSERT INTO retention_policy (table_name, keep) VALUES
    ('reading_electricity', '13 months'),
    ('reading_flow', '13 months'),
    ('reading_production', '13 months'),
    ('reading_gangue_unit', '13 months'),
    ('reading_battery', '13 months'),
    ('reading_site_power', '13 months'),
    ('reading_lab', NULL),
    ('meter_minute', '3 years'),
    ('plant_window', '3 years'),
    ('battery_quarter', '3 years'),
    ('meter_quarter', NULL),
    ('entity_snapshot', '13 months');
INSERT INTO retention_policy (table_name, keep, clock) VALUES
    ('quarantine', '13 months', 'received_at'),
    ('ledger', NULL, 'hour');
REVOKE INSERT, UPDATE, DELETE ON retention_policy FROM fenhe_writer;

-- Payload that is kept of each site's refused messages; the oldest go first, those that were replayed before the others.
CREATE TABLE quarantine_limit (bytes_a_site bigint NOT NULL CHECK (bytes_a_site >= 1000000));
INSERT INTO quarantine_limit VALUES (200000000);
REVOKE INSERT, UPDATE, DELETE ON quarantine_limit FROM fenhe_writer;

-- What went out of the quarantine unread, so that the books stay explained.
CREATE TABLE quarantine_dropped (
    site_id    text NOT NULL,
    day        date NOT NULL,
    messages   bigint NOT NULL,
    bytes      bigint NOT NULL,
    PRIMARY KEY (site_id, day)
);
REVOKE INSERT, UPDATE, DELETE ON quarantine_dropped FROM fenhe_writer;

CREATE FUNCTION quarantine_shrink(p_rows int DEFAULT 20000) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    WITH sized AS (
        SELECT id, site_id, size, sum(octet_length(payload)) OVER (
            PARTITION BY site_id ORDER BY (replayed_at IS NULL) DESC, id DESC) AS up_to_here
        FROM quarantine
    ), doomed AS (
        SELECT id FROM sized WHERE up_to_here > (SELECT bytes_a_site FROM quarantine_limit) ORDER BY id LIMIT p_rows
    ), removed AS (
        DELETE FROM quarantine q USING doomed d WHERE q.id = d.id RETURNING q.site_id, octet_length(q.payload) AS bytes
    ), noted AS (
        INSERT INTO quarantine_dropped
        SELECT site_id, (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date, count(*), sum(bytes) FROM removed
        GROUP BY site_id
        ON CONFLICT (site_id, day) DO UPDATE SET
            messages = quarantine_dropped.messages + excluded.messages, bytes = quarantine_dropped.bytes + excluded.bytes
        RETURNING 1
    )
    SELECT count(*) INTO gone FROM removed;
    RETURN gone;
END
$$;

-- One step: of the first table that has anything older than it is kept, some rows (or chunks) go. Null: nothing is left
-- to do. Workers may call it; what goes is by the policy, which they cannot change.
CREATE FUNCTION retention_step(p_rows int DEFAULT 20000, p_now timestamptz DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    policy retention_policy;
    before timestamptz;
    gone bigint;
BEGIN
    IF p_now IS NOT NULL AND session_user IN ('fenhe_writer', 'fenhe_notifier', 'fenhe_operator') THEN
        RAISE EXCEPTION 'the time is not %''s to choose', session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT pg_try_advisory_xact_lock(hashtext('fenhe retention')) THEN
        RETURN NULL; -- somebody else is at it
    END IF;
    FOR policy IN SELECT * FROM retention_policy WHERE keep IS NOT NULL ORDER BY table_name LOOP
        before := date_trunc('day', coalesce(p_now, clock_timestamp()) - policy.keep);
        gone := retention_drop(policy.table_name, policy.clock, before, p_rows);
        IF gone > 0 THEN
            -- Written with the first rows that go: whoever derives again must know before, not after.
            UPDATE retention_policy SET kept_from = before WHERE table_name = policy.table_name;
            RETURN format('%s: %s', policy.table_name, gone);
        END IF;
    END LOOP;
    gone := quarantine_shrink(p_rows);
    RETURN CASE WHEN gone > 0 THEN format('quarantine: %s', gone) END;
END
$$;

CREATE FUNCTION retention_set(p_table text, p_keep interval) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    UPDATE retention_policy SET keep = p_keep WHERE table_name = p_table;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no policy for %', p_table USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
REVOKE ALL ON FUNCTION retention_step, retention_set, quarantine_shrink FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_step TO fenhe_writer;

-- What the store holds, how fast it grows, and how long that can go on: one row a table, TimescaleDB's chunks included.
CREATE FUNCTION store_size() RETURNS TABLE (table_name text, bytes bigint, keep interval)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT p.table_name, table_bytes(p.table_name), p.keep FROM retention_policy p ORDER BY 1;
END
$$;
