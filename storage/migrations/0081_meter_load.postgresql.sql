-- Plain PostgreSQL keeps an ordinary table.
CREATE INDEX meter_load_ts ON meter_load USING brin (ts) WITH (autosummarize = on);
