-- TimescaleDB: whole chunks go, compressed or not; tables that are no hypertables lose rows in portions.
CREATE FUNCTION retention_drop(p_table text, p_clock text, p_before timestamptz, p_rows int) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF EXISTS (SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = p_table) THEN
        SELECT count(*) INTO gone FROM public.drop_chunks(p_table::regclass, older_than => p_before);
        RETURN gone;
    END IF;
    EXECUTE format('DELETE FROM %1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %2$I < $1 LIMIT $2))',
        p_table, p_clock) USING p_before, p_rows;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
CREATE FUNCTION table_bytes(p_table text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM timescaledb_information.hypertables WHERE hypertable_name = p_table)
        THEN (SELECT total_bytes FROM public.hypertable_detailed_size(p_table::regclass) LIMIT 1)
        ELSE pg_total_relation_size(p_table::regclass) END
$$;
REVOKE ALL ON FUNCTION retention_drop, table_bytes FROM PUBLIC;

-- Late readings and recomputes reach into the columnstore: their chunks' batches are decompressed however many they are.
-- The limit (100 000 rows a statement) would refuse them; what a transaction takes on is bounded by the worker.
ALTER ROLE fenhe_writer SET timescaledb.max_tuples_decompressed_per_dml_transaction = 0;
