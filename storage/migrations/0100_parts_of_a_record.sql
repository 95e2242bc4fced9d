-- A record that is too much for one transaction is stored in parts: beside the offset of the next record stands how
-- many of its readings are stored already, in the order of `streams.engine.parts`. Both move together, by compare-and-set.
ALTER TABLE checkpoint ADD COLUMN done_readings int NOT NULL DEFAULT 0;

-- A partition that has records and has not moved for minutes: which record it stands at, and why. The worker that
-- tries writes the row and takes it away when it moves on.
CREATE TABLE stuck_partition (
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,
    since       timestamptz NOT NULL, -- first failed try of this record
    tried_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    error       text   NOT NULL,
    PRIMARY KEY (topic, partition)
);
