-- How far a partition has come in event time, by its own records: readings, and the beats of collectors that hear none.
CREATE TABLE partition_progress (
    topic     text NOT NULL,
    partition int  NOT NULL,
    event_at  timestamptz NOT NULL,
    record_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

-- Sites nothing is heard of, across partitions: what a region is judged by.
CREATE TABLE site_silence (
    site_id text PRIMARY KEY,
    region  text NOT NULL,
    since   timestamptz NOT NULL
);
CREATE INDEX site_silence_region ON site_silence (region);
