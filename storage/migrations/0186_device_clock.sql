-- What speaks against the clocks of devices: one row a device and fault while it lasts.
CREATE TABLE device_clock (
    device_id text NOT NULL,
    fault     text NOT NULL, -- ahead, behind, lost, stands
    site_id   text NOT NULL,
    since_at  timestamptz NOT NULL, -- arrival of the first reading that says so
    last_at   timestamptz NOT NULL, -- and of the newest
    readings  bigint NOT NULL,
    first_ms  bigint, -- what the clock is off by with the first of them, and with the newest: ahead is positive
    last_ms   bigint,
    PRIMARY KEY (device_id, fault)
) WITH (fillfactor = 50);
CREATE INDEX device_clock_site ON device_clock (site_id);
