-- Tables of plants that grow by the minute become hypertables; late data updates them for as long as recompute may reach,
-- so they go to the columnstore after 90 days.
DO $$
DECLARE
    hyper record;
BEGIN
    FOR hyper IN
        SELECT * FROM (VALUES
            ('meter_quarter', interval '1 day',  'device_id, quantity'),
            ('plant_rolling', interval '7 days', 'site_id, line_id, window_h'),
            ('gangue_window', interval '7 days', 'device_id, span')
        ) AS t (name, chunk, segment)
    LOOP
        PERFORM create_hypertable(hyper.name::regclass, by_range('ts', hyper.chunk), create_default_indexes => false);
        EXECUTE format(
            'ALTER TABLE %I SET (timescaledb.enable_columnstore, timescaledb.segmentby = %L, timescaledb.orderby = %L)',
            hyper.name, hyper.segment, 'ts DESC');
        EXECUTE format('CALL add_columnstore_policy(%L, after => %L::interval)', hyper.name, interval '90 days');
    END LOOP;
END
$$;
