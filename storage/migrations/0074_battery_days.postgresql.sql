CREATE INDEX battery_day_ts ON battery_day USING brin (ts) WITH (autosummarize = on);
