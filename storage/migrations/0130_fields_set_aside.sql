-- A field is judged, not the reading: what of a reading is not used stays with it, as it was sent, by field:
-- {"power_factor": ["out_of_range", 1.02]}. Null for a reading that is used whole, which nearly all are.
ALTER TABLE reading_electricity ADD COLUMN set_aside json;
ALTER TABLE reading_flow        ADD COLUMN set_aside json;
ALTER TABLE reading_production  ADD COLUMN set_aside json;
ALTER TABLE reading_gangue_unit ADD COLUMN set_aside json;
ALTER TABLE reading_lab         ADD COLUMN set_aside json;
ALTER TABLE reading_battery     ADD COLUMN set_aside json;
ALTER TABLE reading_site_power  ADD COLUMN set_aside json;

-- All 32 bits of a flow meter's status word; `status` holds 31 of them, of readings from before.
ALTER TABLE reading_flow ADD COLUMN status_word bigint;

-- The books of fields set aside: one row a device, field and reason, whatever is sent.
CREATE TABLE field_set_aside (
    device_id  text NOT NULL,
    field      text NOT NULL, -- '(unknown)' stands for all fields that no reading has
    reason     text NOT NULL,
    count      bigint NOT NULL,
    first_ts   timestamptz NOT NULL,
    last_ts    timestamptz NOT NULL,
    last_value text NOT NULL, -- JSON, as it was sent at last_ts
    PRIMARY KEY (device_id, field, reason)
) WITH (fillfactor = 50);
