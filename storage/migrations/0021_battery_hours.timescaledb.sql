-- Late data updates hours for as long as backfill is accepted (7 days): they go to the columnstore after 30.
SELECT create_hypertable('battery_hour', by_range('ts', interval '7 days'), create_default_indexes => false);
ALTER TABLE battery_hour SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device_id', timescaledb.orderby = 'ts DESC');
CALL add_columnstore_policy('battery_hour', after => interval '30 days');
