-- What one shift leaves to the next, in its own words: under a name, of one site or ('') of all, and never changed.
CREATE TABLE shift_note (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    site_id text NOT NULL, -- '' for all of them
    actor   text NOT NULL,
    note    text NOT NULL
);
CREATE INDEX shift_note_at ON shift_note (at);
CREATE TRIGGER shift_note_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON shift_note
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION shift_note_write(p_site_id text, p_user text, p_note text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    written bigint;
BEGIN
    PERFORM alarm_require_name(p_user, p_note);
    IF p_site_id <> '' AND NOT EXISTS (SELECT FROM site WHERE site_id = p_site_id) THEN
        RAISE EXCEPTION 'there is no site %', p_site_id USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO shift_note (site_id, actor, note) VALUES (p_site_id, btrim(p_user), btrim(p_note))
    RETURNING id INTO written;
    RETURN written;
END
$$;
REVOKE ALL ON FUNCTION shift_note_write FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shift_note_write TO fenhe_operator;
REVOKE ALL ON shift_note FROM fenhe_writer, fenhe_notifier;
GRANT SELECT ON shift_note TO fenhe_reader, fenhe_operator;
