-- A row a set and day: a chunk of three months. Late data updates days: they go to the columnstore after 30.
SELECT create_hypertable('battery_day', by_range('ts', interval '90 days'), create_default_indexes => false);
ALTER TABLE battery_day SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device_id', timescaledb.orderby = 'ts DESC');
CALL add_columnstore_policy('battery_day', after => interval '30 days');
