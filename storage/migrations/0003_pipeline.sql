-- The pipeline's own memory. All of it is written in the one transaction that stores a batch.

-- Next Kafka offset to be stored, by compare-and-set: the heart of exactly-once.
CREATE TABLE checkpoint (
    topic       text   NOT NULL,
    partition   int    NOT NULL,
    next_offset bigint NOT NULL,
    generation  bigint NOT NULL DEFAULT 0, -- moves when somebody else than the partition's worker changed its memory
    updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

-- Records that Kafka no longer held when the worker came to them, or a log that was replaced under us.
CREATE TABLE log_loss (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic        text   NOT NULL,
    partition    int    NOT NULL,
    from_offset  bigint NOT NULL,
    to_offset    bigint NOT NULL,
    detected_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    what         text   NOT NULL
);

-- What each kernel remembers of an entity (a device, a site) between two batches.
CREATE TABLE entity_state (
    entity_id text NOT NULL,
    kernel    text NOT NULL,
    version   int  NOT NULL,
    last_ts   timestamptz NOT NULL,
    state     json NOT NULL,
    PRIMARY KEY (entity_id, kernel)
) WITH (fillfactor = 50);

-- What it remembered once, after everything before ts: a late reading is folded in from the newest one before it.
CREATE TABLE entity_snapshot (
    entity_id text NOT NULL,
    kernel    text NOT NULL,
    version   int  NOT NULL,
    ts        timestamptz NOT NULL,
    state     json NOT NULL,
    PRIMARY KEY (entity_id, kernel, ts)
);

-- The books: received = stored + duplicate + quarantined, per device and hour of arrival.
-- `received` is the collectors' count, the other three are the database's; device_id '' holds the unregistered.
CREATE TABLE ledger (
    hour        timestamptz NOT NULL,
    device_id   text NOT NULL,
    partition   int  NOT NULL,
    received    bigint NOT NULL,
    stored      bigint NOT NULL,
    duplicate   bigint NOT NULL,
    quarantined bigint NOT NULL,
    PRIMARY KEY (device_id, hour, partition)
) WITH (fillfactor = 50);
CREATE INDEX ledger_hour ON ledger (hour);

CREATE TABLE quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    reason      text  NOT NULL,
    detail      text  NOT NULL,
    topic       text  NOT NULL,
    site_id     text  NOT NULL,
    kind        text  NOT NULL,
    device_id   text  NOT NULL,
    payload     bytea NOT NULL,
    size        bigint NOT NULL,
    replayed_at timestamptz
);
CREATE INDEX quarantine_received ON quarantine (received_at);
CREATE INDEX quarantine_reason ON quarantine (reason, device_id);

CREATE VIEW books AS
SELECT hour,
       device_id,
       sum(received)::bigint    AS received,
       sum(stored)::bigint      AS stored,
       sum(duplicate)::bigint   AS duplicate,
       sum(quarantined)::bigint AS quarantined,
       sum(received) = sum(stored) + sum(duplicate) + sum(quarantined) AS closed
FROM ledger
GROUP BY hour, device_id;
