-- Plain PostgreSQL: rows go in portions, oldest first where the table is indexed that way.
CREATE FUNCTION retention_drop(p_table text, p_clock text, p_before timestamptz, p_rows int) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    EXECUTE format('DELETE FROM %1$I WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$I WHERE %2$I < $1 LIMIT $2))',
        p_table, p_clock) USING p_before, p_rows;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END
$$;
CREATE FUNCTION table_bytes(p_table text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT pg_total_relation_size(p_table::regclass)
$$;
REVOKE ALL ON FUNCTION retention_drop, table_bytes FROM PUBLIC;
