-- Reference data of every version that was ever loaded: dashboards draw their limits from here, and a derived row's
-- reference_version leads to the very figures it was computed with.
CREATE TABLE reference_version (
    version   text PRIMARY KEY,
    digest    text NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE reference_energy_factor (
    version  text NOT NULL REFERENCES reference_version ON DELETE CASCADE,
    key      text NOT NULL,
    name     text NOT NULL,
    name_zh  text NOT NULL,
    standard text NOT NULL,
    year     int  NOT NULL,
    verified boolean NOT NULL,
    note     text NOT NULL,
    kgce     double precision NOT NULL,
    per      text NOT NULL,
    PRIMARY KEY (version, key)
);

CREATE TABLE reference_energy_limit (
    version  text NOT NULL REFERENCES reference_version ON DELETE CASCADE,
    key      text NOT NULL,
    name     text NOT NULL,
    name_zh  text NOT NULL,
    standard text NOT NULL,
    year     int  NOT NULL,
    verified boolean NOT NULL,
    note     text NOT NULL,
    sector   text NOT NULL,
    unit     text NOT NULL,
    level_1  double precision,
    level_2  double precision,
    level_3  double precision,
    leader   double precision,
    correction text NOT NULL,
    PRIMARY KEY (version, key)
);

CREATE TABLE reference_correction (
    version  text NOT NULL REFERENCES reference_version ON DELETE CASCADE,
    key      text NOT NULL,
    name     text NOT NULL,
    name_zh  text NOT NULL,
    standard text NOT NULL,
    year     int  NOT NULL,
    verified boolean NOT NULL,
    note     text NOT NULL,
    parameter text NOT NULL,
    from_pct double precision NOT NULL,
    level_1  double precision NOT NULL,
    level_2  double precision NOT NULL,
    level_3  double precision NOT NULL,
    points_below double precision,
    points_above double precision,
    PRIMARY KEY (version, key)
);

CREATE TABLE reference_water_quota (
    version  text NOT NULL REFERENCES reference_version ON DELETE CASCADE,
    key      text NOT NULL,
    name     text NOT NULL,
    name_zh  text NOT NULL,
    standard text NOT NULL,
    year     int  NOT NULL,
    verified boolean NOT NULL,
    note     text NOT NULL,
    sector   text NOT NULL,
    general_m3_t  double precision NOT NULL,
    advanced_m3_t double precision NOT NULL,
    PRIMARY KEY (version, key)
);

CREATE TABLE reference_target (
    version  text NOT NULL REFERENCES reference_version ON DELETE CASCADE,
    key      text NOT NULL,
    name     text NOT NULL,
    name_zh  text NOT NULL,
    standard text NOT NULL,
    year     int  NOT NULL,
    verified boolean NOT NULL,
    note     text NOT NULL,
    material text NOT NULL,
    base     text NOT NULL,
    target_t double precision,
    PRIMARY KEY (version, key)
);

CREATE TABLE reference_setting (
    version  text NOT NULL REFERENCES reference_version ON DELETE CASCADE,
    key      text NOT NULL,
    name     text NOT NULL,
    name_zh  text NOT NULL,
    standard text NOT NULL,
    year     int  NOT NULL,
    verified boolean NOT NULL,
    note     text NOT NULL,
    value    double precision NOT NULL,
    unit     text NOT NULL,
    PRIMARY KEY (version, key)
);

CREATE VIEW reference_current AS
SELECT version FROM reference_version ORDER BY loaded_at DESC LIMIT 1;

-- Product lines are part of a site in the registry; as rows for dashboards. Every plant has the line `plant`.
ALTER TABLE site ADD COLUMN product_lines jsonb NOT NULL DEFAULT '[]';

CREATE VIEW product_line AS
SELECT s.site_id,
       l ->> 'line_id'     AS line_id,
       l ->> 'name'        AS name,
       l ->> 'name_zh'     AS name_zh,
       l ->> 'product'     AS product,
       l ->> 'water_quota' AS water_quota,
       s.product_unit
FROM site s
CROSS JOIN LATERAL jsonb_array_elements(s.product_lines) AS l
UNION ALL
SELECT s.site_id, 'plant', s.name, s.name_zh, '', '', s.product_unit
FROM site s
WHERE s.sector <> 'base_station' AND NOT s.product_lines @> '[{"line_id": "plant"}]';
