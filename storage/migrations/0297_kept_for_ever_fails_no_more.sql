-- What is kept for ever is not taken away, so nothing cleared the word that this failed: the alert rule fired, and
-- `fenhe retention run` ended with an error, for ever. What was said was of the former policy; it goes with that.
CREATE OR REPLACE FUNCTION retention_set(p_table text, p_keep interval) RETURNS void
LANGUAGE plpgsql SECURITY INVOKER AS $$
BEGIN
    UPDATE retention_policy SET keep = p_keep, error = '' WHERE table_name = p_table;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no policy for %', p_table USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
UPDATE retention_policy SET error = '' WHERE keep IS NULL AND error <> '';
