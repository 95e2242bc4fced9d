-- Plain PostgreSQL keeps ordinary tables.
CREATE INDEX meter_quarter_ts ON meter_quarter USING brin (ts);
CREATE INDEX plant_rolling_ts ON plant_rolling USING brin (ts);
CREATE INDEX gangue_window_ts ON gangue_window USING brin (ts);
