-- A BRIN index that waits for VACUUM to take note of new pages reads all of them for every question about now, and the
-- pages ask about now. Autovacuum takes note of each finished range of pages as soon as it looks in.
DO $$
DECLARE
    name regclass;
BEGIN
    FOR name IN
        SELECT c.oid::regclass
        FROM pg_class c JOIN pg_am a ON a.oid = c.relam
        WHERE a.amname = 'brin' AND c.relkind = 'i' AND c.relnamespace = current_schema::regnamespace
    LOOP
        EXECUTE format('ALTER INDEX %s SET (autosummarize = on)', name);
    END LOOP;
END
$$;
