-- What the sets of a site and its power system counted of one and the same load, hour by hour of an outage, and what
-- that says of each set's current sensor.
CREATE TABLE battery_share_hour (
    device_id  text NOT NULL,
    ts         timestamptz NOT NULL,
    site_id    text NOT NULL,
    own_kwh    double precision NOT NULL,
    others_kwh double precision NOT NULL,
    site_kwh   double precision NOT NULL,
    PRIMARY KEY (device_id, ts)
);

ALTER TABLE battery_soh ADD COLUMN load_ratio real;
ALTER TABLE battery_soh ADD COLUMN load_sigma real;
ALTER TABLE battery_soh ADD COLUMN gain_pct real;
