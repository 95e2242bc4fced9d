-- A laboratory releases results of several samples at one moment: each is a reading of its own. The second was a
-- conflict, and its fuel was counted by the sample before.
ALTER TABLE reading_lab
    DROP CONSTRAINT reading_lab_pkey,
    ADD PRIMARY KEY (device_id, ts, fuel, sample_from, sample_to);
