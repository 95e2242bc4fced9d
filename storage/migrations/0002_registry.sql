-- What is known of a thing before it sends its first reading. `detail` is the whole validated model.
CREATE TABLE site (
    site_id      text PRIMARY KEY,
    name         text NOT NULL,
    name_zh      text NOT NULL,
    sector       text NOT NULL,
    city         text NOT NULL,
    product_unit text NOT NULL
);

CREATE TABLE device (
    device_id text PRIMARY KEY,
    site_id   text NOT NULL REFERENCES site,
    kind      text NOT NULL,
    name      text NOT NULL,
    name_zh   text NOT NULL,
    period_s  double precision NOT NULL CHECK (period_s > 0),
    role      text NOT NULL,
    detail    jsonb NOT NULL
);
CREATE INDEX device_site ON device (site_id);

CREATE VIEW battery_set AS
SELECT device_id,
       site_id,
       (detail -> 'battery' ->> 'cell_count')::int          AS cell_count,
       (detail -> 'battery' ->> 'nominal_ah')::float8       AS nominal_ah,
       (detail -> 'battery' ->> 'nominal_v')::float8        AS nominal_v,
       (detail -> 'battery' ->> 'contract_h')::float8       AS contract_h,
       detail -> 'battery' ->> 'maker'                      AS maker,
       detail -> 'battery' ->> 'batch'                      AS batch,
       detail -> 'battery' ->> 'commissioned_on'            AS commissioned_on
FROM device
WHERE kind = 'battery';

-- Workers read this number in every transaction and reload the registry when it has moved.
CREATE TABLE registry_version (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL
);
INSERT INTO registry_version (version) VALUES (1);
GRANT SELECT ON registry_version TO fenhe_reader, fenhe_writer;
