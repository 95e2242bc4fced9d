-- Rows by COPY are not cast: this column was wider than what is written into it, so that no copy of many sets' health was
-- ever taken. It holds nothing that `real` does not. Two views read it; they are made again as they stand.
DO $$
DECLARE
    part text := pg_get_viewdef('battery_passport_part'::regclass);
    whole text := pg_get_viewdef('battery_passport'::regclass);
BEGIN
    DROP VIEW battery_passport, battery_passport_part;
    ALTER TABLE battery_soh ALTER COLUMN others_pct TYPE real;
    EXECUTE 'CREATE VIEW battery_passport_part AS ' || part;
    EXECUTE 'CREATE VIEW battery_passport AS ' || whole;
END
$$;
GRANT SELECT ON battery_passport, battery_passport_part TO fenhe_reader;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON battery_passport, battery_passport_part FROM fenhe_writer;
