-- A view is read. Workers were given more on each one when it was made (0001), and PostgreSQL writes through a simple
-- view with the rights of its owner: by `battery_set` a worker could change the registry, by `alarm_standing` delete
-- alarms. What a worker never takes back it cannot take back either.
DO $$
DECLARE
    seen text;
BEGIN
    FOR seen IN SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %I FROM fenhe_writer', seen);
    END LOOP;
END
$$;
REVOKE INSERT, UPDATE, DELETE ON registry_version FROM fenhe_writer;
REVOKE UPDATE, DELETE ON enpi_baseline, enpi_coefficient FROM fenhe_writer;
REVOKE DELETE ON enpi_variable_day, weather_forecast, partition_progress, recompute_request, field_set_aside
    FROM fenhe_writer;
REVOKE UPDATE ON ledger_part FROM fenhe_writer;
REVOKE ALL ON FUNCTION store_size FROM PUBLIC;
