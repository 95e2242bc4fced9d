-- Fuel of the hours that a day's ratios rest on: a limit of coal alone is held against coal alone.
ALTER TABLE plant_day ADD COLUMN ratio_fuel_kgce double precision NOT NULL DEFAULT 0;
-- What of a product's energy a limit is held against; null: electricity where the unit is kWh/t, else all of it.
ALTER TABLE reference_energy_limit ADD COLUMN limits text;
