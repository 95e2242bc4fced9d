-- An alarm whose condition comes again before it was dealt with stays the same alarm: which coming it stands at; and
-- by which sample it was over, which is later than when the condition ended.
ALTER TABLE alarm ADD COLUMN last_raised_at timestamptz, ADD COLUMN ended_at timestamptz;
