-- The readings of a record that is stored in several transactions come message by message now, no longer in order of
-- time over all of its messages. What was stored of one that is half done was counted in the old order: it begins anew,
-- and its readings are told as duplicates of themselves.
UPDATE checkpoint SET done_readings = 0 WHERE done_readings > 0;
