-- Without TimescaleDB a table is one, however old its rows.
CREATE FUNCTION old_chunks(p_table text, p_moments timestamptz[]) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
REVOKE ALL ON FUNCTION old_chunks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION old_chunks TO fenhe_writer;
