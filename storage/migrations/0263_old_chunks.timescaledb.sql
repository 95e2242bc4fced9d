-- Chunks of the old are long: an array of readings of many years would otherwise open tens of thousands of short ones.
-- A moment's chunk is the longest of 364, 28 and 7 days (from 1970 on, one within the other) that ended at least as long
-- ago as it is long, less what other chunks have of it already. What is younger TimescaleDB opens by itself.
CREATE FUNCTION old_chunks(p_table text, p_moments timestamptz[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    day_us constant bigint := 86400000000;
    now_us constant bigint := extract(epoch FROM now()) * 1000000;
    dim record;
    at_us bigint;
    length_us bigint;
    low bigint;
    high bigint;
    opened int := 0;
BEGIN
    SELECT d.id, d.interval_length INTO dim FROM _timescaledb_catalog.hypertable h
    JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id AND d.column_name = 'ts'
    WHERE (h.schema_name, h.table_name) = ('public', p_table);
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    FOR at_us IN SELECT DISTINCT (extract(epoch FROM moment) * 1000000)::bigint FROM unnest(p_moments) AS moment ORDER BY 1 LOOP
        SELECT max(days) * day_us INTO length_us FROM unnest(ARRAY[7, 28, 364]) AS days
        WHERE days * day_us > dim.interval_length
          AND floor(at_us / (days * day_us)::numeric)::bigint * (days * day_us) + 2 * days * day_us <= now_us;
        CONTINUE WHEN length_us IS NULL OR EXISTS (
            SELECT FROM _timescaledb_catalog.dimension_slice s
            WHERE s.dimension_id = dim.id AND s.range_start <= at_us AND s.range_end > at_us);
        -- As TimescaleDB itself does it, so that two workers do not open overlapping ones.
        EXECUTE format('LOCK TABLE public.%I IN SHARE UPDATE EXCLUSIVE MODE', p_table);
        low := floor(at_us / length_us::numeric)::bigint * length_us;
        SELECT greatest(low, max(s.range_end) FILTER (WHERE s.range_end <= at_us)),
               least(low + length_us, min(s.range_start) FILTER (WHERE s.range_start > at_us))
        INTO low, high FROM _timescaledb_catalog.dimension_slice s WHERE s.dimension_id = dim.id;
        CONTINUE WHEN EXISTS (
            SELECT FROM _timescaledb_catalog.dimension_slice s
            WHERE s.dimension_id = dim.id AND s.range_start <= at_us AND s.range_end > at_us);
        PERFORM _timescaledb_functions.create_chunk(
            format('public.%I', p_table)::regclass, jsonb_build_object('ts', jsonb_build_array(low, high)));
        opened := opened + 1;
    END LOOP;
    RETURN opened;
END
$$;
REVOKE ALL ON FUNCTION old_chunks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION old_chunks TO fenhe_writer;
