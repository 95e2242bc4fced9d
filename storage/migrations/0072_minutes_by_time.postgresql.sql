-- Rows are read by meter and time, whatever the register: with the register between them in the key, two hours of one
-- meter cost a walk over all that was ever stored of it, or, by the BRIN index, over those hours of every meter.
-- TimescaleDB looks into a chunk of twelve hours either way.
ALTER TABLE meter_minute DROP CONSTRAINT meter_minute_pkey, ADD PRIMARY KEY (device_id, ts, quantity);
