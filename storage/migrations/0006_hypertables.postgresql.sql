-- Plain PostgreSQL keeps ordinary tables. A BRIN index answers "everything since" at next to no cost of writing.
CREATE INDEX reading_battery_ts ON reading_battery USING brin (ts);
CREATE INDEX reading_electricity_ts ON reading_electricity USING brin (ts);
CREATE INDEX reading_flow_ts ON reading_flow USING brin (ts);
CREATE INDEX reading_gangue_unit_ts ON reading_gangue_unit USING brin (ts);
CREATE INDEX reading_site_power_ts ON reading_site_power USING brin (ts);
CREATE INDEX meter_minute_ts ON meter_minute USING brin (ts);
CREATE INDEX plant_window_ts ON plant_window USING brin (ts);
CREATE INDEX battery_quarter_ts ON battery_quarter USING brin (ts);
