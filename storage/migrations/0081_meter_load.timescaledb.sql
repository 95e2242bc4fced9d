-- Late data updates hours for as long as recompute may reach, as it does quarters: they go to the columnstore after 90 days.
SELECT create_hypertable('meter_load', by_range('ts', interval '7 days'), create_default_indexes => false);
ALTER TABLE meter_load SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device_id, quantity', timescaledb.orderby = 'ts DESC');
CALL add_columnstore_policy('meter_load', after => interval '90 days');
