-- A table whose old rows cannot be taken away held up all those behind it in the alphabet, with a line in a log. It is
-- noted with its policy, comes last and holds up no other.
ALTER TABLE retention_policy ADD COLUMN error text NOT NULL DEFAULT ''; -- why it failed the last time

-- As 0278 has it, but each table by itself.
CREATE OR REPLACE FUNCTION retention_step(p_rows int DEFAULT 20000, p_now timestamptz DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    policy retention_policy;
    before timestamptz;
    gone bigint;
    said CONSTANT text := 'failed: %s; the other tables go on, this one is tried again every hour; when its cause is '
        'mended, fenhe retention run tries at once';
BEGIN
    IF p_now IS NOT NULL AND session_user IN ('fenhe_writer', 'fenhe_notifier', 'fenhe_operator') THEN
        RAISE EXCEPTION 'the time is not %''s to choose', session_user USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO turn VALUES ('retention') ON CONFLICT DO NOTHING;
    PERFORM 1 FROM turn WHERE name = 'retention' FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL; -- somebody else is at it
    END IF;
    FOR policy IN SELECT * FROM retention_policy WHERE keep IS NOT NULL ORDER BY error <> '', table_name LOOP
        before := date_trunc('day', coalesce(p_now, clock_timestamp()) - policy.keep);
        BEGIN
            gone := retention_drop(policy.table_name, policy.clock, before, p_rows);
            IF gone > 0 THEN
                -- Written with the first rows that go: whoever derives again must know before, not after.
                UPDATE retention_policy SET kept_from = before WHERE table_name = policy.table_name;
            END IF;
            UPDATE retention_policy SET error = '' WHERE table_name = policy.table_name AND error <> '';
        EXCEPTION WHEN OTHERS THEN
            gone := 0;
            UPDATE retention_policy SET error = format(said, SQLERRM) WHERE table_name = policy.table_name;
        END;
        IF gone > 0 THEN
            RETURN format('%s: %s', policy.table_name, gone);
        END IF;
    END LOOP;
    BEGIN
        gone := quarantine_shrink(p_rows);
        UPDATE retention_policy SET error = '' WHERE table_name = 'quarantine' AND keep IS NULL AND error <> '';
    EXCEPTION WHEN OTHERS THEN
        gone := 0;
        UPDATE retention_policy SET error = format(said, SQLERRM) WHERE table_name = 'quarantine';
    END;
    RETURN CASE WHEN gone > 0 THEN format('quarantine: %s', gone) END;
END
$$;
