-- Whose turn it is, as rows that only those who work may lock. An advisory lock is anybody's: one session of the role
-- that only reads could hold back all notices, every partition with a silent region, and retention, for ever.
CREATE TABLE turn (name text PRIMARY KEY);
INSERT INTO turn VALUES ('retention');
REVOKE ALL ON turn FROM PUBLIC, fenhe_writer, fenhe_reader, fenhe_operator, fenhe_notifier;

-- Wait for one's turn; it lasts until the transaction ends.
CREATE FUNCTION take_turn(p_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO turn VALUES (p_name) ON CONFLICT DO NOTHING;
    PERFORM 1 FROM turn WHERE name = p_name FOR UPDATE;
END
$$;
REVOKE ALL ON FUNCTION take_turn FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_turn TO fenhe_writer, fenhe_notifier;

-- As in 0103, but for whose turn it is.
CREATE OR REPLACE FUNCTION retention_step(p_rows int DEFAULT 20000, p_now timestamptz DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    policy retention_policy;
    before timestamptz;
    gone bigint;
BEGIN
    IF p_now IS NOT NULL AND session_user IN ('fenhe_writer', 'fenhe_notifier', 'fenhe_operator') THEN
        RAISE EXCEPTION 'the time is not %''s to choose', session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM 1 FROM turn WHERE name = 'retention' FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
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
