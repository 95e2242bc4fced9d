-- What befell a register, with the evidence. Few rows, and late readings take them away and write them again.
CREATE TABLE meter_event (
    device_id text NOT NULL,
    quantity  text NOT NULL,
    ts        timestamptz NOT NULL,
    kind      text NOT NULL,
    site_id   text NOT NULL,
    seen_ts   timestamptz NOT NULL,
    until_at  timestamptz,
    readings  int NOT NULL,
    value_before double precision NOT NULL,
    value_seen   double precision,
    value_after  double precision,
    plausible    double precision,
    increment    double precision,
    rule      text NOT NULL,
    PRIMARY KEY (device_id, quantity, ts, kind)
);
CREATE INDEX meter_event_seen ON meter_event (device_id, seen_ts);
CREATE INDEX meter_event_site ON meter_event (site_id, ts);
