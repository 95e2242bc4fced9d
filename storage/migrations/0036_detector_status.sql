-- How far each detector is with each series: learning, armed, or in alarm. One row each, replaced every hour or night.
CREATE TABLE detector_status (
    device_id      text NOT NULL,
    metric         text NOT NULL,
    kind           text NOT NULL,
    ts             timestamptz NOT NULL,
    site_id        text NOT NULL,
    phase          text NOT NULL,
    since_at       timestamptz NOT NULL,
    samples        int NOT NULL,
    samples_needed int NOT NULL,
    baseline       double precision,
    detector       text NOT NULL,
    PRIMARY KEY (device_id, metric, kind)
) WITH (fillfactor = 50);
CREATE INDEX detector_status_site ON detector_status (site_id);
