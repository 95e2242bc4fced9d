-- A flow meter sends m³ or t, whatever its kind is usually counted in: the newest reading says which it was.
ALTER TABLE meter_latest ADD COLUMN total_unit text;
ALTER TABLE meter_latest ADD COLUMN rate_unit text;
