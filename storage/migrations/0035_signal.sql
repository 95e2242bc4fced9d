-- What detectors say: a row when a verdict changes, while it is young, and once a day as long as it is active.
-- `seen_ts` says which item gave a row out: a late reading takes back what was said behind it.
CREATE TABLE signal (
    device_id text NOT NULL,
    metric    text NOT NULL,
    kind      text NOT NULL,
    ts        timestamptz NOT NULL,
    seen_ts   timestamptz NOT NULL,
    site_id   text NOT NULL,
    active    boolean NOT NULL,
    samples   int NOT NULL,
    severity  text NOT NULL,
    since_at  timestamptz NOT NULL,
    value     double precision,
    baseline  double precision,
    low       double precision,
    high      double precision,
    z         double precision,
    unit      text NOT NULL,
    window_s  double precision NOT NULL,
    cost      double precision,
    cost_unit text NOT NULL,
    detector  text NOT NULL,
    evidence  json NOT NULL,
    PRIMARY KEY (device_id, metric, kind, ts)
);
CREATE INDEX signal_seen ON signal (device_id, seen_ts);
CREATE INDEX signal_site ON signal (site_id, ts);
CREATE INDEX signal_ts ON signal USING brin (ts);
