-- An hour of a register, quarter by quarter, beside what its plant made: what detectors judge.
CREATE TABLE meter_load (
    device_id   text NOT NULL,
    quantity    text NOT NULL,
    ts          timestamptz NOT NULL,
    site_id     text NOT NULL,
    rate_1      double precision,
    rate_2      double precision,
    rate_3      double precision,
    rate_4      double precision,
    is_measured boolean NOT NULL,
    production  double precision,
    is_idle     boolean NOT NULL,
    PRIMARY KEY (device_id, ts, quantity)
);
