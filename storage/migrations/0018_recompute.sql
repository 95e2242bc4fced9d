-- What is to be derived again from raw readings: asked for by a person, a changed registry or new reference data, and
-- done step by step by workers and by `fenhe recompute`. A step's progress is written in the step's own transaction.
CREATE TABLE recompute_request (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id      text NOT NULL REFERENCES site ON DELETE CASCADE,
    from_at      timestamptz NOT NULL,
    to_at        timestamptz NOT NULL,
    reason       text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_at      timestamptz,
    next_group   int NOT NULL DEFAULT 0,
    rows_written bigint NOT NULL DEFAULT 0,
    finished_at  timestamptz,
    error        text NOT NULL DEFAULT ''
);
-- One open request of a site and reason: asking again widens it and starts it anew.
CREATE UNIQUE INDEX recompute_request_open ON recompute_request (site_id, reason) WHERE finished_at IS NULL;
