-- Raw and derived rows become hypertables. Chunks: batteries 6 h, meters 12 h.
-- Insert-only tables go to the columnstore after a day. Derived tables are updated by late data for as long as
-- backfill is accepted (7 days), so they wait 30: an update of compressed rows fails at 100 000 tuples (53400).
CREATE EXTENSION IF NOT EXISTS timescaledb;

DO $$
DECLARE
    hyper record;
BEGIN
    FOR hyper IN
        SELECT * FROM (VALUES
            ('reading_electricity', interval '12 hours', 'device_id', interval '8 days'),
            ('reading_flow',        interval '12 hours', 'device_id', interval '8 days'),
            ('reading_production',  interval '12 hours', 'device_id', interval '8 days'),
            ('reading_gangue_unit', interval '12 hours', 'device_id', interval '8 days'),
            ('reading_battery',     interval '6 hours',  'device_id', interval '1 day'),
            ('reading_site_power',  interval '6 hours',  'device_id', interval '1 day'),
            ('meter_minute',        interval '12 hours', 'device_id, quantity', interval '30 days'),
            ('plant_window',        interval '1 day',    'site_id, window_min', interval '30 days'),
            ('battery_quarter',     interval '1 day',    'device_id', interval '30 days')
        ) AS t (name, chunk, segment, compress_after)
    LOOP
        PERFORM create_hypertable(hyper.name::regclass, by_range('ts', hyper.chunk), create_default_indexes => false);
        EXECUTE format(
            'ALTER TABLE %I SET (timescaledb.enable_columnstore, timescaledb.segmentby = %L, timescaledb.orderby = %L)',
            hyper.name, hyper.segment, 'ts DESC');
        EXECUTE format('CALL add_columnstore_policy(%L, after => %L::interval)', hyper.name, hyper.compress_after);
    END LOOP;
END
$$;
