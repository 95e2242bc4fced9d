-- Sums and differences of meters: configuration of their site. Their minutes stand in meter_minute under meter_id.
ALTER TABLE site ADD COLUMN virtual_meters jsonb NOT NULL DEFAULT '[]';

CREATE VIEW virtual_meter AS
SELECT meter ->> 'meter_id' AS meter_id,
       site.site_id,
       meter ->> 'kind'     AS kind,
       meter ->> 'quantity' AS quantity,
       meter ->> 'role'     AS role,
       meter ->> 'name'     AS name,
       meter ->> 'name_zh'  AS name_zh,
       meter -> 'parts'     AS parts
FROM site, jsonb_array_elements(site.virtual_meters) AS meter;
