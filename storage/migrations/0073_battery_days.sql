-- How each battery set stood at the end of the last hour known of each local day.
CREATE TABLE battery_day (
    device_id             text NOT NULL,
    ts                    timestamptz NOT NULL,
    site_id               text NOT NULL,
    as_of_at              timestamptz NOT NULL,
    soh_pct               real,
    backup_p50_h          real,
    backup_p10_h          real,
    contract_h            real NOT NULL,
    resistance_25c_mohm   real,
    resistance_usual_mohm real,
    resistance_rise_pct   real,
    resistance_steps      int NOT NULL,
    quality               text NOT NULL,
    reference_version     text NOT NULL,
    PRIMARY KEY (device_id, ts)
);
