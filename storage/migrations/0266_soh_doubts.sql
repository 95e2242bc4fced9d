-- Why a capacity, and the state of health that rests on it, is partial or estimated: for the page of its set.
ALTER TABLE battery_capacity ADD COLUMN doubts text NOT NULL DEFAULT '';
ALTER TABLE battery_soh ADD COLUMN doubts text NOT NULL DEFAULT '';
