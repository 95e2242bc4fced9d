-- Whether a partition is being fed the past: since when, by its records, its lag has not shrunk any more. A lag that
-- stays is a slow clock's, and silence is judged beside it.
ALTER TABLE partition_progress
    ADD COLUMN level_at timestamptz, -- null: as of record_at
    ADD COLUMN lag_ms   bigint;
