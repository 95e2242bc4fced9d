-- As 0274 has it, but its row is made anew where it is missing, as after a restore without data: without it every step
-- took somebody else to be at it, for ever and in silence.
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
    INSERT INTO turn VALUES ('retention') ON CONFLICT DO NOTHING;
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
