-- How large the database is, day by day, and how large its disk: the page Pipeline tells from both when the disk is full.
-- No client can ask PostgreSQL for the size of its disk, so the owner says it (`fenhe retention disk`).
CREATE TABLE store_day (
    day   date PRIMARY KEY,      -- China Standard Time
    bytes bigint NOT NULL        -- the database with its indexes, last measured that day; without PostgreSQL's log (WAL)
);
CREATE TABLE store_disk (
    one   bool PRIMARY KEY DEFAULT true CHECK (one),
    bytes bigint NOT NULL CHECK (bytes > 0) -- what the database may grow to
);
REVOKE INSERT, UPDATE, DELETE ON store_day, store_disk FROM fenhe_writer;
GRANT SELECT ON store_day, store_disk TO fenhe_reader;

CREATE FUNCTION store_measure() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO store_day
    VALUES ((clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date, pg_database_size(current_database()))
    ON CONFLICT (day) DO UPDATE SET bytes = excluded.bytes
$$;
REVOKE ALL ON FUNCTION store_measure FROM PUBLIC;
GRANT EXECUTE ON FUNCTION store_measure TO fenhe_writer;

-- One row. Growth is the slope of a straight line through the last 30 days measured: from a week on, of at least five
-- days. Days are null where growth or disk are unknown, and where it does not grow; 0: it is full.
CREATE VIEW store_forecast AS
SELECT f.bytes,
       f.disk_bytes,
       f.bytes_a_day,
       CASE WHEN f.bytes >= f.disk_bytes THEN 0
            WHEN f.bytes_a_day > 0 THEN (f.disk_bytes - f.bytes) / f.bytes_a_day END AS days,
       CASE WHEN f.disk_bytes IS NULL THEN 'disk_unknown'
            WHEN f.bytes >= f.disk_bytes THEN 'full'
            WHEN f.bytes_a_day IS NULL THEN 'too_young'
            WHEN f.bytes_a_day <= 0 THEN 'not_growing'
            ELSE 'growing' END AS state
FROM (
    SELECT (SELECT s.bytes FROM store_day s ORDER BY s.day DESC LIMIT 1)::float8 AS bytes,
           (SELECT d.bytes FROM store_disk d)::float8 AS disk_bytes,
           (SELECT CASE WHEN count(*) >= 5 AND max(s.day) - min(s.day) >= 7
                        THEN regr_slope(s.bytes, s.day - date '2000-01-01') END
            FROM store_day s WHERE s.day > (SELECT max(n.day) FROM store_day n) - 30) AS bytes_a_day
) f;
GRANT SELECT ON store_forecast TO fenhe_reader;
