-- Whether the cells of a set are those that were measured, as their own voltages tell before any usable discharge.
CREATE TABLE battery_identity (
    device_id text NOT NULL,
    ts        timestamptz NOT NULL,
    seen_ts   timestamptz NOT NULL,
    site_id   text NOT NULL,
    sign      text NOT NULL,
    identity  text NOT NULL,
    likeness  real,
    cells     integer NOT NULL,
    quality   text NOT NULL,
    PRIMARY KEY (device_id, ts, sign)
);
CREATE INDEX battery_identity_seen ON battery_identity (device_id, seen_ts);
