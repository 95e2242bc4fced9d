-- What bears a capacity out beside the charge that its own current sensor counted.
ALTER TABLE battery_capacity ADD COLUMN witnesses text NOT NULL DEFAULT '';
ALTER TABLE battery_capacity ADD COLUMN curve_ratio real;
ALTER TABLE battery_capacity ADD COLUMN curve_sigma real;
ALTER TABLE battery_capacity ADD COLUMN resistance_ratio real;
ALTER TABLE battery_capacity ADD COLUMN charge_ratio real;

ALTER TABLE battery_soh ADD COLUMN witnesses text NOT NULL DEFAULT '';
