-- A request whose step fails is put off, and says why in `error`: it held up all later ones, with nothing written.
ALTER TABLE recompute_request
    ADD COLUMN failures int NOT NULL DEFAULT 0, -- in a row; a step that succeeds sets it back
    ADD COLUMN due_at timestamptz;              -- not tried again before; null: at once
