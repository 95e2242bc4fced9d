CREATE INDEX battery_hour_ts ON battery_hour USING brin (ts);
