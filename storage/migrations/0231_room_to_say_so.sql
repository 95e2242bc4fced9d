-- A worker whose database has no room on its disk says so in this table. So the table has a page, and keeps it: a row
-- that finds room on it needs none on the disk.
ALTER TABLE stuck_partition SET (vacuum_truncate = off);
INSERT INTO stuck_partition (topic, partition, next_offset, since, error) VALUES ('', -1, 0, now(), '');
DELETE FROM stuck_partition WHERE topic = '' AND partition = -1;
