-- Two kinds of doubt about a capacity, two named figures of it, the weakest cell beside the others, and changes of a set.
ALTER TABLE battery_capacity ADD COLUMN systematic_ah double precision;
ALTER TABLE battery_capacity ADD COLUMN usable_ah double precision;
ALTER TABLE battery_capacity ADD COLUMN others_ah double precision;
ALTER TABLE battery_capacity ADD COLUMN weakest_cell int;
ALTER TABLE battery_capacity ADD COLUMN weakest_gap_v real;
ALTER TABLE battery_capacity ADD COLUMN resistance_mohm real;

ALTER TABLE battery_soh ADD COLUMN systematic_pct double precision;
ALTER TABLE battery_soh ADD COLUMN usable_pct double precision;
ALTER TABLE battery_soh ADD COLUMN change text;
ALTER TABLE battery_soh ADD COLUMN change_pct real;
ALTER TABLE battery_soh ADD COLUMN believed_pct real;
ALTER TABLE battery_soh ADD COLUMN weakest_cell int;
ALTER TABLE battery_soh ADD COLUMN others_pct double precision;
