-- A note of a shift is refused in words of its own: it has no reason, and who wrote too much is told how much.
CREATE OR REPLACE FUNCTION shift_note_write(p_site_id text, p_user text, p_note text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    most CONSTANT int := 1000;
    stored text := btrim(p_note);
    written bigint;
BEGIN
    IF coalesce(person_name(p_user), '') = '' OR coalesce(person_name(p_note), '') = '' THEN
        RAISE EXCEPTION 'a name and a note are required' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF length(stored) > most THEN
        RAISE EXCEPTION 'a note has at most % characters, this one %', most, length(stored)
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    BEGIN
        PERFORM alarm_require_name(p_user, stored);
    EXCEPTION WHEN invalid_parameter_value THEN
        RAISE EXCEPTION 'the name % cannot be used, or is too long', left(person_name(p_user), 100)
            USING ERRCODE = 'invalid_parameter_value';
    END;
    IF p_site_id <> '' AND NOT EXISTS (SELECT FROM site WHERE site_id = p_site_id) THEN
        RAISE EXCEPTION 'there is no site %', p_site_id USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO shift_note (site_id, actor, note) VALUES (p_site_id, btrim(p_user), stored)
    RETURNING id INTO written;
    RETURN written;
END
$$;
